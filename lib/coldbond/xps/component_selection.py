"""Component selection in an XPS region: which components are present, and their shares with intervals.

All components are fitted together, with every candidate background and line shape that the data admit. A line that none
of the components explains within its tolerance is added as "unassigned". The share of a component has its interval from
the profile likelihood of these fits (`profile`), the widest of which counts. All statements are of the same fits: the
shares of a core level add up to 1, and the upper limit of a component is the upper bound of its share.

A component is present where the fits without it are worse by more than chance explains, on every fit that the data
admit, with the range of positions that is searched taken into account (`trials_factor`). It is absent where its share
is below a limit that the question states. Else its presence is undecided.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy import stats

from coldbond.interval import Interval
from coldbond.xps import profile, unassigned
from coldbond.xps.amounts import Fits, amounts, background_weights, covariance
from coldbond.xps.components import Component, Line
from coldbond.xps.fit import fit
from coldbond.xps.profile import RISE, Profile

#: Share of all areas that asymmetric lines have at least where the shape of their tail is varied.
LEAST_ASYMMETRIC = 0.02
#: Correlation of two areas above which they are reported as inseparable; a convention.
INSEPARABLE = 0.9
SMALL = 1e-12  # keeps the direction of a line finite that the rest of the model imitates completely
NO_CHANCE = 100.0  # gain at which chance has a probability below 1e-20 at any number of positions
SCAN_STEP = 0.05  # eV, between positions in the trials factor; well below the width of a line
#: Largest standard uncertainty of a position in the trials factor, eV: bounds the search for a component without prior.
LARGEST_UNCERTAINTY = 1.0


@dataclass(frozen=True)
class Selected:
    """Result for one component.

    Attributes
    ----------
    present : bool
    decided : bool
        False where a component that is not present may have more than the share that counts as absence.
    area, share, position : Interval
        Area [intensity eV], share of the areas of its core level, from 0 to 1, and position [eV]. A component that is
        alone in its core level, such as an overlapping line of another element, has its share of all areas.
    position_determined : bool
        Whether the spectrum determines the position; otherwise it is that of the prior.
    gain, p : float
        Fall of chi square, divided by the variance scale of the fit, when the component is added to all others, and its
        probability by chance with the trials factor, on the fit where it is least in favour.
    note : str
        What other regions say of it.
    """

    present: bool
    decided: bool
    area: Interval
    share: Interval
    position: Interval
    position_determined: bool
    gain: float
    p: float
    note: str = ""

    @property
    def upper_limit(self) -> float:
        """Largest share of a component that is compatible with the data at 95 %."""
        return 1.0 if self.share.high is None else self.share.high


class Inseparable(NamedTuple):
    """Two components with strongly correlated areas."""

    first: str
    second: str
    correlation: float


@dataclass(frozen=True)
class Composition:
    """Components of a region.

    Attributes
    ----------
    components : dict of str to Selected
        By the key of the component; unassigned lines are among them.
    full_fits : dict of str to lmfit.minimizer.MinimizerResult
        Fits of all components that the data admit, by background and line shape, the best one first. All amounts are
        theirs.
    weights : dict of str to float
        Posterior weights of these fits.
    drawn : lmfit.minimizer.MinimizerResult
        The best fit of the components that are not absent.
    inseparable : list of Inseparable
    significance : float
        Of the likelihood ratio.
    absent_below : float
        Share below which a component counts as absent.
    withheld : dict of Component to str
        Components that cannot be told, with the reason: the region was fitted with unassigned lines instead.
    """

    components: Mapping[str, Selected]
    full_fits: Mapping[str, MinimizerResult]
    weights: Mapping[str, float]
    drawn: MinimizerResult
    inseparable: Sequence[Inseparable]
    significance: float
    absent_below: float
    withheld: Mapping[Component, str] = field(default_factory=dict)

    @property
    def best(self) -> MinimizerResult:
        """The best fit of all components."""
        return next(iter(self.full_fits.values()))

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the components by their keys."""
        return {c.key: c.label for c in self.best.model.components}


def composition(
    region: xr.Dataset,
    components: Iterable[Component],
    *,
    line: Line = Line(),  # noqa: B008, frozen
    backgrounds: Sequence[str] = ("free losses",),
    shapes: Sequence[str] = ("doniach", "exponential"),
    reference_uncertainty: float = 0.15,
    significance: float = 0.001,
    width_uncertainty: float = 0.1,
    absent_below: float = 0.1,
) -> Composition:
    """Decide which components are present in a region, and determine their shares.

    Parameters
    ----------
    region : xarray.Dataset
        `intensity` over `binding_energy` [eV].
    components : iterable of Component
        Candidates.
    line, reference_uncertainty, width_uncertainty
        As for `fit.fit`.
    backgrounds, shapes : sequence of str
        Candidates, as for `fit.fit`.
    significance : float
        Of the likelihood ratio: probability to accept a component that is absent.
    absent_below : float
        Share of the core level: a component is absent where its share is smaller at 95 %.

    Returns
    -------
    Composition

    Notes
    -----
    A fit is admitted where chi square, divided by the variance scale of the best fit, is within 3.84 of the best. The
    interval of a share holds the values at which any of these fits is within
    3.84 of the best. Areas and positions are averaged over the fits with weights exp(-BIC / 2) (Kass and Raftery 1995,
    J. Am. Stat. Assoc. 90, 773, doi 10.1080/01621459.1995.10476572). Positions include the uncertainty of the energy
    reference.
    """
    candidates = list(components)
    tailed = line.asymmetry or any(c.asymmetry for c in candidates)
    choices = list(product(backgrounds, shapes if tailed else shapes[:1]))

    def fitted(
        some: Sequence[Component], choice: tuple[str, str], near: MinimizerResult | None = None
    ) -> MinimizerResult:
        background, shape = choice
        options = {"reference_uncertainty": reference_uncertainty, "width_uncertainty": width_uncertainty}
        start = near.params.valuesdict() if near else None
        return fit(region, list(some), background, shape, line=line, start=start, **options)

    def all_fitted() -> dict[tuple[str, str], MinimizerResult]:
        first = {choice: fitted(candidates, choice) for choice in choices[:: len(choices) // len(backgrounds)]}
        model, values = (best := _best(first)).model, best.params.valuesdict()
        areas = model.areas(values)
        # The tail of a line that is hardly there has no say in the shares.
        if areas[model.asymmetric].sum() < LEAST_ASYMMETRIC * areas.sum():
            return first
        return first | {choice: fitted(candidates, choice, best) for choice in choices if choice not in first}

    fits = all_fitted()
    more = unassigned.found(_best(fits), lambda some: fitted([*candidates, *some], _heaviest(fits)), significance)
    if more:
        candidates = [*candidates, *more]
        fits = all_fitted()
    behind = _behind(fits)
    admitted = sorted((choice for choice in fits if behind[choice] < RISE), key=behind.__getitem__)
    full: Fits = {", ".join(choice): fits[choice] for choice in admitted}
    weights = background_weights(full)
    offsets = dict(zip(full, (behind[choice] for choice in admitted), strict=True))
    profiles = {name: profile.profiles(result, RISE - offsets[name]) for name, result in full.items()}
    selected = {}
    for c in candidates:
        each = {name: found[c.key] for name, found in profiles.items()}
        best = next(iter(each.values()))
        low, high = min(one.low for one in each.values()), max(one.high for one in each.values())
        tests = [_probability(full[name], c, one) for name, one in each.items()]
        gain, p = min(one.gain for one in each.values()), max(tests)
        present = bool(p < significance and low > 0)
        # Of a component that is not told from nothing zero is a share, whatever a bound at one position says.
        low = low if present else 0.0
        selected[c.key] = Selected(
            present=present,
            decided=present or bool(high < absent_below and _has_signal(full, significance)),
            share=Interval(best.share, low, high),
            gain=gain,
            p=p,
            **amounts(full, weights, c, reference_uncertainty)._asdict(),
        )
    _complete(selected, {c.key: c.level for c in candidates})
    kept = [c for c in candidates if selected[c.key].present or not selected[c.key].decided]
    drawn = next(iter(full.values()))
    if len(kept) < len(candidates):
        drawn = fitted(kept, admitted[0], drawn)
    return Composition(selected, full, weights, drawn, _inseparable(_best(fits)), significance, absent_below)


def _complete(selected: dict[str, Selected], levels: Mapping[str, str]) -> None:
    """Let the share of a component be 1 where that of its only rival may be zero."""
    for key, one in selected.items():
        rivals = [selected[other] for other in selected if other != key and levels[other] == levels[key]]
        if len(rivals) == 1 and rivals[0].share.low == 0:
            selected[key] = replace(one, share=Interval(one.share.value, one.share.low, 1.0))


def is_alone(composition: Composition, key: str) -> bool:
    """Return whether a component is the only one of its core level, so that its share of it is 1."""
    levels = {c.key: c.level for c in composition.best.model.components}
    return key in levels and sum(level == levels[key] for level in levels.values()) == 1


def _behind(fits: Mapping) -> dict:
    """Return how far chi square of each fit lies above that of the best one, in its variance scale."""
    best = min(fits.values(), key=lambda result: result.chisqr)
    return {name: (result.chisqr - best.chisqr) / best.variance_scale for name, result in fits.items()}


def _heaviest(fits: Mapping) -> tuple[str, str]:
    behind = _behind(fits)
    return min(behind, key=behind.__getitem__)


def _best(fits: Mapping) -> MinimizerResult:
    return fits[_heaviest(fits)]


def _has_signal(fits: Fits, significance: float) -> bool:
    """Return whether a region has any line at all: shares of nothing say nothing."""
    for result in fits.values():
        areas = [f"{c.key}_area" for c in result.model.components]
        free = [name for name in areas if name in result.var_names]
        if not free:
            return False
        whole = sum(result.params[name].value for name in free)
        deviation = float(np.sqrt(covariance(result, free).sum()))
        if not whole > stats.norm.isf(significance) * deviation:
            return False
    return True


def trials_factor(result: MinimizerResult, values: Mapping[str, float], component: Component) -> float:
    """Return the number of independent positions at which noise can imitate a component.

    Parameters
    ----------
    result : lmfit.minimizer.MinimizerResult
        From `fit.fit`, of all components.
    values : mapping of str to float
        Parameters of the best fit without the component.
    component : Component
        Its position is scanned over two standard uncertainties on either side of the reference.

    Returns
    -------
    float
        The length of the curve that the normalised line of the component describes in the space of the data as its
        position changes, after projecting out what the rest of the model can imitate: the axis of Hotelling's tube
        (Hotelling 1939, Am. J. Math. 61, 440, doi 10.2307/2371512).
    """
    model = result.model
    reach = 2 * np.hypot(min(component.uncertainty, LARGEST_UNCERTAINTY), model.reference_uncertainty)
    position = component.position + np.linspace(-reach, reach, 2 * int(np.ceil(reach / SCAN_STEP)) + 1)
    signal = model.unit_component(values, component, position) / result.sigma
    others = [name for name in result.var_names if not name.startswith(f"{component.key}_")]
    rest = model.derivatives(dict(values), result.sigma, others)
    # The residuals of the priors, to which the component contributes nothing.
    signal = np.hstack([signal, np.zeros((position.size, rest.shape[0] - signal.shape[1]))])
    basis, _ = np.linalg.qr(rest)
    signal = signal - (signal @ basis) @ basis.T
    signal /= np.maximum(np.linalg.norm(signal, axis=1, keepdims=True), SMALL)
    return float(np.linalg.norm(np.diff(signal, axis=0), axis=1).sum())


def _probability(result: MinimizerResult, component: Component, found: Profile) -> float:
    """Return the probability of as large a gain by chance.

    One-sided t test at one position, and the chance of as large a gain at any of the positions searched: Hotelling's
    tube formula for a positive area (Davies 1987, Biometrika 74, 33, doi 10.1093/biomet/74.1.33).
    """
    if not found.share > 0:
        return 1.0
    p = stats.t.sf(np.sqrt(found.gain), result.nfree)
    if found.gain < NO_CHANCE:
        p += trials_factor(result, found.without, component) / (2 * np.pi) * np.exp(-found.gain / 2)
    return float(min(p, 1.0))


def _inseparable(result: MinimizerResult) -> list[Inseparable]:
    """Return the pairs of components whose areas are strongly correlated."""
    pairs = []
    for first, second in combinations(result.model.components, 2):
        names = [f"{first.key}_area", f"{second.key}_area"]
        if not set(names) <= set(result.var_names):
            continue
        both = covariance(result, names)
        correlation = both[0, 1] / np.sqrt(both[0, 0] * both[1, 1])
        if abs(correlation) > INSEPARABLE:
            pairs.append(Inseparable(first.key, second.key, float(correlation)))
    return pairs
