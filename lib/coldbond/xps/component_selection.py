"""Component selection in an XPS region: which components are present, their amounts, and upper limits of the others.

All components are fitted together on every candidate background; backgrounds of small posterior weight are dropped
(Bayesian model averaging). Amounts, with their intervals, are weighted means over the remaining fits. Presence is
decided by backward elimination: a component is kept where both the F test, corrected for the range of positions that
is searched (`trials_factor`), and the Bayesian information criterion favour it on every background. For a component
that is left out, `upper_limit` gives the largest area that is compatible with the data at 95 %, from the profile
likelihood.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy import stats

from coldbond.interval import NORMAL_ONE_SIDED, Interval
from coldbond.xps.amounts import Amounts, Fits, amounts, background_weights, covariance, variance_scale
from coldbond.xps.components import Component, Line
from coldbond.xps.fit import fit
from coldbond.xps.upper_limit import upper_limit

#: Posterior weight of a background below which it is dropped; a convention.
LEAST_WEIGHT = 0.05
#: Gain in the Bayesian information criterion that is strong evidence (Kass and Raftery 1995, J. Am. Stat. Assoc. 90,
#: 773, doi 10.1080/01621459.1995.10476572).
STRONG_EVIDENCE = 6.0
#: Share of the area of a region: a component that is left out counts as absent only where its upper limit is smaller.
UNDECIDED_SHARE = 0.1
#: Correlation of two areas above which they are reported as inseparable; a convention.
INSEPARABLE = 0.9
SMALL = 1e-12  # keeps the direction of a line finite that the rest of the model imitates completely
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
        False where a component that is not present may still have more than a tenth of the area of the region.
    area, share, position : Interval
        Area [intensity eV], share of the areas of its core level, and position [eV], of the fits of all components.
    position_determined : bool
        Whether the spectrum determines the position; otherwise it is that of the prior.
    f, p, bic_gain : float
        F statistic of the test against the fits without the component, its probability with the trials factor, and the
        gain in the Bayesian information criterion, each on the background where it is least in favour.
    upper_limit : float
        Largest area that is compatible with the data at 95 % [intensity eV].
    model_uncertainty : float
        Standard uncertainty of the area from the imperfection of the model [intensity eV].
    """

    present: bool
    decided: bool
    area: Interval
    share: Interval
    position: Interval
    position_determined: bool
    f: float
    p: float
    bic_gain: float
    upper_limit: float
    model_uncertainty: float


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
        By the key of the component.
    full_fits : dict of str to lmfit.minimizer.MinimizerResult
        Fits of all components, by background. All amounts are theirs: amounts from a model that the same data have
        selected would have intervals that are too narrow.
    weights : dict of str to float
        Posterior weights of these backgrounds.
    present_fits : dict of str to lmfit.minimizer.MinimizerResult
        Fits of the components that are present, by background.
    inseparable : list of Inseparable
    significance : float
        Of the F test.
    withheld : dict of str to str
        Components that cannot be told, by key, with the reason: the region was fitted with unassigned lines instead.
    """

    components: Mapping[str, Selected]
    full_fits: Mapping[str, MinimizerResult]
    weights: Mapping[str, float]
    present_fits: Mapping[str, MinimizerResult]
    inseparable: Sequence[Inseparable]
    significance: float
    withheld: Mapping[str, str] = field(default_factory=dict)

    @property
    def best(self) -> MinimizerResult:
        """The fit of the components that are present, on the background of the largest weight."""
        return self.present_fits[_heaviest(self.weights)]

    @property
    def total_area(self) -> float:
        """Sum of the areas of all components, at least zero."""
        return max(sum(_value(one.area) for one in self.components.values()), 0.0)


class TestResult(NamedTuple):
    """Evidence for a component, on the background where it is least in favour."""

    f: float
    p: float
    bic_gain: float


def composition(
    region: xr.Dataset,
    components: Iterable[Component],
    *,
    line: Line = Line(),  # noqa: B008, frozen
    backgrounds: Sequence[str] = ("active shirley", "active tougaard"),
    shape: str = "doniach",
    reference_uncertainty: float = 0.15,
    significance: float = 0.05,
    model_uncertainty: float = 0.02,
) -> Composition:
    """Decide which components are present in a region, and determine their amounts.

    Parameters
    ----------
    region : xarray.Dataset
        `intensity` over `binding_energy` [eV].
    components : iterable of Component
        Candidates.
    line, shape, reference_uncertainty
        As for `fit.fit`.
    backgrounds : sequence of str
        Candidates, as for `fit.fit`.
    significance : float
        Of the F test: probability to accept a component that is absent.
    model_uncertainty : float
        Standard uncertainty of every area that comes from the imperfection of line shapes and backgrounds, as a share
        of all areas of its core level. The default was set on closure: spectra simulated with other losses and charging
        than the fit assumes give areas that are off by one to two per cent of the region, where counting statistics
        alone would allow a few tenths of a per cent.

    Returns
    -------
    Composition

    Notes
    -----
    A component is present if the fit with it is better than without it by the F test at this significance, if its gain
    in the Bayesian information criterion exceeds 6, strong evidence after Kass and Raftery (1995, J. Am. Stat.
    Assoc. 90, 773, doi 10.1080/01621459.1995.10476572), both on every background that is not dropped, and if its area
    exceeds the one-sided 95 % limit of the model uncertainty. The weakest component that fails is left out, and the
    others are fitted and tested again.

    Areas, shares and positions are those of the fits of all components, averaged over the backgrounds with weights
    exp(-BIC/2); intervals include the variance between backgrounds (Kass and Raftery 1995). Positions include the
    uncertainty of the energy reference.
    """
    candidates = list(components)

    def fitted(some: Iterable[Component], background: str) -> MinimizerResult:
        return fit(region, list(some), background, shape, line=line, reference_uncertainty=reference_uncertainty)

    full: Fits = {background: fitted(candidates, background) for background in backgrounds}
    full = {name: full[name] for name, weight in background_weights(full).items() if weight > LEAST_WEIGHT}
    weights = background_weights(full)

    @cache
    def of(some: tuple[Component, ...]) -> Fits:
        return {background: fitted(some, background) for background in weights}

    found = {c.key: amounts(full, weights, c, reference_uncertainty, model_uncertainty) for c in candidates}
    tests, present_fits = _eliminated(full, of, found, significance)
    present = {c.key for c in next(iter(present_fits.values())).model.components}
    whole = max(sum(_value(one.area) for one in found.values()), 0.0)
    selected = {}
    for c in candidates:
        own, is_present = found[c.key], c.key in present
        if is_present:
            most = np.inf if own.area.high is None else own.area.high
        else:
            hidden = 0.0
            for background, without in of(tuple(other for other in candidates if other is not c)).items():
                hidden = upper_limit(full[background], without, c, hidden)
            # The model's imperfection adds in quadrature; no component is larger than all together.
            most = min(float(np.hypot(hidden, NORMAL_ONE_SIDED * own.model_uncertainty)), whole)
        selected[c.key] = Selected(
            present=is_present,
            decided=bool(is_present or most < UNDECIDED_SHARE * whole),
            upper_limit=most,
            **own._asdict(),
            **tests[c.key]._asdict(),
        )
    return Composition(selected, full, weights, present_fits, _inseparable(full[_heaviest(weights)]), significance)


def _eliminated(
    full: Fits,
    of: Callable[[tuple[Component, ...]], Fits],
    found: Mapping[str, Amounts],
    significance: float,
) -> tuple[dict[str, TestResult], Fits]:
    """Return the tests of all components, and the fits that backward elimination ends with."""
    kept: list[Component] = list(next(iter(full.values())).model.components)
    fits, tests = full, {}
    while kept:
        # From the least significant area on, so that the weakest component that fails is the one that is left out.
        for c in sorted(kept, key=lambda c: abs(_area_in_deviations(fits, c))):
            others = tuple(other for other in kept if other is not c)
            without = of(others)
            test = tests[c.key] = _test(fits, without, c)
            own = found[c.key]
            if not (
                test.p < significance
                and test.bic_gain > STRONG_EVIDENCE
                and _value(own.area) > NORMAL_ONE_SIDED * own.model_uncertainty
            ):
                kept, fits = list(others), without
                break
        else:
            break
    return tests, fits


def trials_factor(without: MinimizerResult, component: Component) -> float:
    """Return the number of independent positions at which noise can imitate a component.

    Parameters
    ----------
    without : lmfit.minimizer.MinimizerResult
        From `fit.fit`, without the component.
    component : Component
        Its position is scanned over two standard uncertainties on either side of the reference.

    Returns
    -------
    float
        The length of the curve that the normalised line of the component describes in the space of the data as its
        position changes, after projecting out what the rest of the model can imitate: the axis of Hotelling's tube
        (Hotelling 1939, Am. J. Math. 61, 440, doi 10.2307/2371512).
    """
    model = without.model
    reach = 2 * np.hypot(min(component.uncertainty, LARGEST_UNCERTAINTY), model.reference_uncertainty)
    position = component.position + np.linspace(-reach, reach, 2 * int(np.ceil(reach / SCAN_STEP)) + 1)
    values = without.params.valuesdict()
    signal = model.unit_component(values, component, position) / without.sigma
    rest = model.derivatives(values, without.sigma, without.var_names)
    # The residuals of the priors, to which the component contributes nothing.
    signal = np.hstack([signal, np.zeros((position.size, rest.shape[0] - signal.shape[1]))])
    basis, _ = np.linalg.qr(rest)
    signal = signal - (signal @ basis) @ basis.T
    signal /= np.maximum(np.linalg.norm(signal, axis=1, keepdims=True), SMALL)
    return float(np.linalg.norm(np.diff(signal, axis=0), axis=1).sum())


def _test(fits: Fits, without: Fits, component: Component) -> TestResult:
    """Return the evidence of the fits with a component against those without it."""
    found = []
    for whole, part in zip(fits.values(), without.values(), strict=True):
        points = whole.model.energy.size
        more = max(whole.nvarys - part.nvarys, 1)
        gain = max((part.chisqr - whole.chisqr) / variance_scale(whole), 0)
        p = 1.0
        if whole.params[f"{component.key}_area"].value > 0:
            # One-sided t test at one position, and the chance of as large a gain at any of the positions searched:
            # Hotelling's tube formula for a positive area (Davies 1987, Biometrika 74, 33, doi 10.1093/biomet/74.1.33).
            p = stats.t.sf(np.sqrt(gain), whole.nfree)
            p += trials_factor(part, component) / (2 * np.pi) * np.exp(-gain / 2)
        found.append((gain / more, min(p, 1.0), gain - more * np.log(points)))
    f, p, bic_gain = np.array(found).T
    return TestResult(float(f.min()), float(p.max()), float(bic_gain.min()))


def _area_in_deviations(fits: Fits, component: Component) -> float:
    """Return the area of a component in its standard deviations, of the fit with the least chi square."""
    result = min(fits.values(), key=lambda result: result.chisqr)
    name = f"{component.key}_area"
    return result.params[name].value / np.sqrt(covariance(result, [name])[0, 0])


def _inseparable(result: MinimizerResult) -> list[Inseparable]:
    """Return the pairs of components whose areas are strongly correlated."""
    pairs = []
    for first, second in combinations(result.model.components, 2):
        both = covariance(result, [f"{first.key}_area", f"{second.key}_area"])
        correlation = both[0, 1] / np.sqrt(both[0, 0] * both[1, 1])
        if abs(correlation) > INSEPARABLE:
            pairs.append(Inseparable(first.key, second.key, float(correlation)))
    return pairs


def _heaviest(weights: Mapping[str, float]) -> str:
    return max(weights, key=weights.__getitem__)


def _value(interval: Interval) -> float:
    return np.nan if interval.value is None else interval.value
