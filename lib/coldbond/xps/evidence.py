"""Which components a region holds: a decision with its evidence, or the most of each that may hide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import lmfit
import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from coldbond.xps.components import Component, Line
from coldbond.xps.fit import fit

#: Posterior weight below which a background is refused by the data.
REFUSED = 0.05
NORMAL = 1.96  # standard deviations on either side of a 95 % interval
QUANTILE = stats.chi2.ppf(0.90, 1)  # 2.71: one-sided, at 95 %
#: A position is the spectrum's where its uncertainty is below this share of what was known beforehand.
DETERMINED = 0.7
CORRELATED = 0.9  # above which two areas are said to be inseparable
STEP = 0.05  # eV, of a scan
WIDEST = 1.0  # eV, for a component whose position nothing holds


@dataclass(frozen=True)
class Composition:
    """What a region holds.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for each component looked for, indexed by its key: `present`; `area`, `share` of all areas and `position`
        [eV], each with `_low` and `_high` of its 95 % interval; `determined`, whether the spectrum says where the
        component lies or only its reference does; `f`, `p` and `bic`, the evidence against the fit without it (of the
        background that is least in favour); `limit`, the largest area that may hide, at 95 %.
    fits : dict of str to lmfit.minimizer.MinimizerResult
        Of the components that are present, by background, for those that the data do not refuse.
    weights : dict of str to float
        Of those backgrounds that the data do not refuse.
    inseparable : list of str
        Which components' areas the spectrum cannot tell apart, in words.
    """

    table: pd.DataFrame
    fits: Mapping[str, lmfit.minimizer.MinimizerResult]
    weights: Mapping[str, float]
    inseparable: Sequence[str]

    @property
    def best(self) -> lmfit.minimizer.MinimizerResult:
        """The fit with the background of the largest weight."""
        return self.fits[max(self.weights, key=self.weights.get)]


def composition(
    region: xr.Dataset,
    components: Iterable[Component],
    *,
    line: Line = Line(),  # noqa: B008, frozen
    backgrounds: Sequence[str] = ("active shirley", "active tougaard"),
    shape: str = "doniach",
    reference_uncertainty: float = 0.15,
    significance: float = 0.05,
) -> Composition:
    """Decide which of the components a region holds, and how much of each.

    Parameters
    ----------
    region : xarray.Dataset
        `intensity` over `binding_energy` [eV].
    components : iterable of Component
        Looked for.
    line, shape, reference_uncertainty
        As for `fit.fit`.
    backgrounds : sequence of str
        Those between which the analyst might choose, as for `fit.fit`.
    significance : float
        Probability to claim a component that is absent, were it decided by the F test alone.

    Returns
    -------
    Composition
        A component is present where the fit improves on that without it, at every background that the data do not
        refuse, by the F test at this significance and by the Bayesian information criterion (Schwarz 1978,
        doi 10.1214/aos/1176344136). The weakest that fails is left out and the rest is fitted and tested anew.

    Notes
    -----
    Where a component may lie anywhere within a range, noise has many places in which to look like it. The F test's p
    is for one place; what is given is Hotelling's tube formula for the best of all (Hotelling 1939, Am. J. Math. 61,
    440, doi 10.2307/2371512; Davies 1987, Biometrika 74, 33, doi 10.1093/biomet/74.1.33), for a positive area.

    Values are means over the backgrounds, weighted by exp(-BIC/2), and the intervals contain their spread (Kass and
    Raftery 1995, J. Am. Stat. Assoc. 90, 773, doi 10.1080/01621459.1995.10476572). Positions carry the uncertainty of
    the energy reference.

    The limit of a component left out is the largest area, at any position, whose profile likelihood is worse by 2.71
    than the best one of an area not below zero (Cowan et al. 2011, Eur. Phys. J. C 71, 1554,
    doi 10.1140/epjc/s10052-011-1554-0, section 2.4), with the rest of the model linearised and the position held by its
    uncertainty; at most the sum of all areas.
    """
    components = list(components)
    settings = {"shape": shape, "line": line, "reference_uncertainty": reference_uncertainty}

    def fitted(some: Sequence[Component]) -> dict[str, lmfit.minimizer.MinimizerResult]:
        return {background: fit(region, some, background, **settings) for background in standing}

    standing, kept, rows = backgrounds, components, {}
    fits = fitted(kept)
    standing = [name for name, weight in _weights(fits).items() if weight > REFUSED]
    fits = {name: fits[name] for name in standing}
    inseparable = _inseparable(fits[max(_weights(fits), key=_weights(fits).get)])
    while kept:
        weights = _weights(fits)
        for c in sorted(kept, key=lambda c: abs(_wald(fits, weights, c))):  # what matters least first
            others = [other for other in kept if other is not c]
            without = fitted(others)
            evidence = _test(fits, without, c)
            present = evidence["p"] < significance and evidence["bic"] > 0
            rows[c.key] = {"present": present} | evidence | _amounts(fits, weights, c, reference_uncertainty)
            if not present:
                kept, fits = others, without
                break
        else:
            break
    weights = _weights(fits)
    for c in components:
        if c not in kept:  # the final fit decides what may hide in it
            rows[c.key]["limit"] = max(scan(result, c).limit for result in fits.values())
        else:
            rows[c.key]["limit"] = rows[c.key]["area_high"]
    table = pd.DataFrame.from_dict({c.key: rows[c.key] for c in components}, orient="index")
    return Composition(table, fits, weights, inseparable)


@dataclass(frozen=True)
class Scan:
    """A component moved through its range on top of a fit without it.

    `position` and, for each, `area` with its `deviation`, shape (k,); `places`, how many independent places the range
    holds (the length of the tube's axis); `limit`, the largest area that may hide, at 95 %.
    """

    position: np.ndarray
    area: np.ndarray
    deviation: np.ndarray
    places: float
    limit: float


def scan(without: lmfit.minimizer.MinimizerResult, component: Component) -> Scan:
    """Move a component through its range on top of a fit without it, the rest of the model linearised.

    Parameters
    ----------
    without : lmfit.minimizer.MinimizerResult
        From `fit.fit`.
    component : Component
        Not among those fitted.

    Returns
    -------
    Scan
        Over positions within two standard uncertainties of its reference.
    """
    model, values = without.model, without.params.valuesdict()
    reach = 2 * np.hypot(min(component.uncertainty, WIDEST), model.reference_uncertainty)
    position = component.position + np.linspace(-reach, reach, 2 * int(np.ceil(reach / STEP)) + 1)
    signal = model.probe(values, component, position) / without.sigma
    rest = model.jacobian(without.params, without.sigma)
    signal = np.hstack([signal, np.zeros((position.size, rest.shape[0] - signal.shape[1]))])
    basis, _ = np.linalg.qr(rest)
    signal = signal - (signal @ basis) @ basis.T  # what the rest of the model cannot imitate
    residual = -model.residual(without.params, without.sigma)
    length = np.maximum(np.linalg.norm(signal, axis=1), 1e-12)
    area, deviation = signal @ residual / length**2, np.sqrt(_scale(without)) / length
    turned = np.diff(signal / length[:, np.newaxis], axis=0)
    # The position is held by its uncertainty, as in a fit.
    held = np.square((position - component.position) / (reach / 2))
    room = QUANTILE + np.square(area / deviation) - held
    room -= np.max(room[area > 0] - QUANTILE, initial=0)
    limit = np.max((area + deviation * np.sqrt(np.maximum(room, 0)))[room >= 0], initial=0)
    whole = sum(max(without.params[f"{c.key}_area"].value, 0) for c in model.components)
    limit = min(limit, whole) if whole else limit  # no part is larger than the whole
    return Scan(position, area, deviation, np.linalg.norm(turned, axis=1).sum(), float(limit))


def _scale(result: lmfit.minimizer.MinimizerResult) -> float:
    """Factor on the variances: the residuals' own where the counting is unknown or the model does not fit it."""
    return result.redchi if "one_count" not in result.model.region else max(1.0, result.redchi)


def _weights(fits: Mapping[str, lmfit.minimizer.MinimizerResult]) -> dict[str, float]:
    """Posterior weights of the backgrounds, of equal weight before."""
    scale = min(_scale(result) for result in fits.values())
    bic = np.array([r.chisqr / scale + r.nvarys * np.log(r.model.energy.size) for r in fits.values()])
    weights = np.exp((bic.min() - bic) / 2)
    return dict(zip(fits, weights / weights.sum(), strict=True))


def _test(
    fits: Mapping[str, lmfit.minimizer.MinimizerResult],
    without: Mapping[str, lmfit.minimizer.MinimizerResult],
    component: Component,
) -> dict[str, float]:
    """F, its p in the best of all places, and the gain in BIC, each at the background where it is least."""
    found = []
    for whole, part in zip(fits.values(), without.values(), strict=True):
        points = whole.model.energy.size
        more = max(whole.nvarys - part.nvarys, 1)
        gain = max((part.chisqr - whole.chisqr) / _scale(whole), 0)
        p = 1.0
        if whole.params[f"{component.key}_area"].value > 0:
            places = scan(part, component).places
            p = stats.t.sf(np.sqrt(gain), whole.nfree) + places / (2 * np.pi) * np.exp(-gain / 2)
        found.append((gain / more, min(p, 1.0), gain - more * np.log(points)))
    f, p, bic = np.array(found).T
    return {"f": f.min(), "p": p.max(), "bic": bic.min()}


def _amounts(
    fits: Mapping[str, lmfit.minimizer.MinimizerResult],
    weights: Mapping[str, float],
    component: Component,
    reference_uncertainty: float,
) -> dict[str, float]:
    """Area, share and position of a component with their intervals, over the backgrounds."""
    areas, shares, positions = [], [], []
    for result in fits.values():
        keys = [c.key for c in result.model.components]
        names = [f"{key}_area" for key in keys]
        area = np.array([result.params[name].value for name in names])
        covariance = _covariance(result, names)
        at = keys.index(component.key)
        slope = (np.eye(len(keys))[at] - area[at] / area.sum()) / area.sum()
        areas.append((area[at], np.sqrt(covariance[at, at])))
        shares.append((area[at] / area.sum(), np.sqrt(slope @ covariance @ slope)))
        name = f"{component.key}_position"
        positions.append((result.params[name].value, np.sqrt(_covariance(result, [name])[0, 0])))
    weight = np.array(list(weights.values()))
    area, share, position = (_mean(np.array(values), weight) for values in (areas, shares, positions))
    before = np.hypot(component.uncertainty, reference_uncertainty)
    determined = bool(position[1] < DETERMINED * before)
    position = position[0], np.hypot(position[1], reference_uncertainty)
    found = {"determined": determined}
    for name, (value, deviation) in zip(("area", "share", "position"), (area, share, position), strict=True):
        found |= {name: value, f"{name}_low": value - NORMAL * deviation, f"{name}_high": value + NORMAL * deviation}
    return found


def _mean(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Weighted mean and standard deviation, within and between; `values` and their deviations are rows."""
    mean = weights @ values[:, 0]
    return mean, np.sqrt(weights @ (values[:, 1] ** 2 + (values[:, 0] - mean) ** 2))


def _covariance(result: lmfit.minimizer.MinimizerResult, names: Sequence[str]) -> np.ndarray:
    """Covariance of parameters; infinite where the fit could not tell."""
    if not result.errorbars:
        return np.diag(np.full(len(names), np.inf))
    at = [result.var_names.index(name) for name in names]
    return result.covar[np.ix_(at, at)]


def _wald(
    fits: Mapping[str, lmfit.minimizer.MinimizerResult], weights: Mapping[str, float], component: Component
) -> float:
    result = fits[max(weights, key=weights.get)]
    name = f"{component.key}_area"
    return result.params[name].value / np.sqrt(_covariance(result, [name])[0, 0])


def _inseparable(result: lmfit.minimizer.MinimizerResult) -> list[str]:
    """In words, which areas trade against each other."""
    said = []
    for first, second in combinations(result.model.components, 2):
        covariance = _covariance(result, [f"{first.key}_area", f"{second.key}_area"])
        correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
        if abs(correlation) > CORRELATED:
            said.append(f"{first.key} and {second.key}: areas correlated by {correlation:.2f}")
    return said
