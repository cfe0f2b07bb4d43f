"""Which components a region holds: a decision with its evidence, or the most of each that may hide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import lmfit
import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from coldbond.xps.components import Component, Line
from coldbond.xps.fit import fit, settled

#: Posterior weight below which a background is refused by the data.
REFUSED = 0.05
STRONG = 6.0  # gain in BIC above which a component is present
NORMAL = 1.96  # standard deviations on either side of a 95 % interval
QUANTILE = stats.chi2.ppf(0.90, 1)  # 2.71: one-sided, at 95 %
#: A position is the spectrum's where its uncertainty is below this share of what was known beforehand.
DETERMINED = 0.7
HIDDEN = 0.1  # share of a region above which "absent" says nothing
CORRELATED = 0.9  # above which two areas are said to be inseparable
STEP = 0.05  # eV, of a scan
WIDEST = 1.0  # eV, for a component whose position nothing holds


@dataclass(frozen=True)
class Composition:
    """What a region holds.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for each component looked for, indexed by its key: `present`, and `decided`, False where a component left
        out may hide more than a tenth of the region; `area`, `share` of the areas of its core
        level and `position` [eV], each with `_low` and `_high` of its 95 % interval; `determined`, whether the spectrum
        says where the component lies or only its reference does; `f`, `p` and `bic`, the evidence against the fit
        without it (of the background that is least in favour); `limit`, the largest area that may hide, at 95 %;
        `model`, the standard uncertainty of the area that the model's own shortcomings add.
    everything : dict of str to lmfit.minimizer.MinimizerResult
        Fits of all components, by background, for those that the data do not refuse. The amounts are theirs: taken from
        the components found present they would have narrow intervals, about a model that the same data chose.
    weights : dict of str to float
        Of these backgrounds.
    fits : dict of str to lmfit.minimizer.MinimizerResult
        Of the components that are present alone.
    inseparable : list of str
        Which components' areas the spectrum cannot tell apart, in words.
    """

    table: pd.DataFrame
    everything: Mapping[str, lmfit.minimizer.MinimizerResult]
    weights: Mapping[str, float]
    fits: Mapping[str, lmfit.minimizer.MinimizerResult]
    inseparable: Sequence[str]

    @property
    def best(self) -> lmfit.minimizer.MinimizerResult:
        """The fit of what is present, with the background of the largest weight."""
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
    model_uncertainty: float = 0.02,
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
    model_uncertainty : float
        Standard uncertainty of every area because no line shape and no background here is quite the spectrum's, as a
        share of all areas of its core level. The default is what `make closure` shows to be needed: spectra whose
        losses and charging follow other laws than the fit's have areas that are off by one to two per cent of the
        region, where statistics alone would allow a few tenths.

    Returns
    -------
    Composition
        A component is present where the fit improves on that without it, at every background that the data do not
        refuse, by the F test at this significance and by more than 6 of the Bayesian information criterion, which
        Kass and Raftery (1995, J. Am. Stat. Assoc. 90, 773, doi 10.1080/01621459.1995.10476572) call strong evidence,
        and its area is more than the model's uncertainty lets appear in one of 20.
        The weakest that fails is left out and the rest is fitted and tested anew.

    Notes
    -----
    Where a component may lie anywhere within a range, noise has many places in which to look like it. The F test's p
    is for one place; what is given is Hotelling's tube formula for the best of all (Hotelling 1939, Am. J. Math. 61,
    440, doi 10.2307/2371512; Davies 1987, Biometrika 74, 33, doi 10.1093/biomet/74.1.33), for a positive area.

    Areas, shares and positions are those of the fit of all components. They are means over the backgrounds, weighted by
    exp(-BIC/2), and the intervals contain their spread (Kass and Raftery 1995). Positions carry the uncertainty of the
    energy reference.

    The limit of a component left out is the largest area whose profile likelihood, everything else fitted anew, is
    worse by 2.71 than the best one of an area not below zero (Cowan et al. 2011, Eur. Phys. J. C 71, 1554,
    doi 10.1140/epjc/s10052-011-1554-0, section 2.4); at most the sum of all areas, and at least what statistics allow
    to see, 1.64 standard deviations: noise that runs below zero tells nothing more.
    """
    components = list(components)
    settings = {"shape": shape, "line": line, "reference_uncertainty": reference_uncertainty}

    @cache
    def fitted(*some: Component) -> dict[str, lmfit.minimizer.MinimizerResult]:
        return {background: fit(region, some, background, **settings) for background in weights or backgrounds}

    weights: dict[str, float] = {}
    everything = fitted(*components)
    everything = {name: everything[name] for name, weight in _weights(everything).items() if weight > REFUSED}
    weights = _weights(everything)
    rows = {c.key: _amounts(everything, weights, c, reference_uncertainty, model_uncertainty) for c in components}
    kept, fits = components, everything
    while kept:
        for c in sorted(kept, key=lambda c: abs(_wald(fits, c))):  # what matters least first
            without = fitted(*(other for other in kept if other is not c))
            evidence = _test(fits, without, c)
            row = rows[c.key]
            row |= evidence
            row["present"] = bool(
                row["p"] < significance and row["bic"] > STRONG and row["area"] > np.sqrt(QUANTILE) * row["model"]
            )
            if not rows[c.key]["present"]:
                kept, fits = [other for other in kept if other is not c], without
                break
        else:
            break
    whole = max(sum(row["area"] for row in rows.values()), 0.0)
    for c in components:
        row = rows[c.key]
        row["limit"] = row["area_high"]
        if not row["present"]:
            without = fitted(*(other for other in components if other is not c))
            hidden = 0.0
            for name, result in without.items():
                hidden = limit(everything[name], result, c, hidden)
            row["limit"] = min(np.hypot(hidden, np.sqrt(QUANTILE) * row["model"]), whole)
        row["decided"] = bool(row["present"] or row["limit"] < HIDDEN * whole)
    table = pd.DataFrame.from_dict(rows, orient="index")
    best = everything[max(weights, key=weights.get)]
    return Composition(table, everything, weights, fits, _inseparable(best))


def places(without: lmfit.minimizer.MinimizerResult, component: Component) -> float:
    """Return how many independent places noise has in which to look like a component.

    Parameters
    ----------
    without : lmfit.minimizer.MinimizerResult
        From `fit.fit`, without the component.
    component : Component
        Moved through positions within two standard uncertainties of its reference.

    Returns
    -------
    float
        The length of the curve that the component's normalised line draws as it moves, less what the rest of the model
        can imitate: the axis of Hotelling's tube.
    """
    model = without.model
    reach = 2 * np.hypot(min(component.uncertainty, WIDEST), model.reference_uncertainty)
    position = component.position + np.linspace(-reach, reach, 2 * int(np.ceil(reach / STEP)) + 1)
    signal = model.probe(without.params.valuesdict(), component, position) / without.sigma
    rest = model.derivatives(without.params.valuesdict(), without.sigma, without.var_names)
    signal = np.hstack([signal, np.zeros((position.size, rest.shape[0] - signal.shape[1]))])
    basis, _ = np.linalg.qr(rest)
    signal = signal - (signal @ basis) @ basis.T
    signal /= np.maximum(np.linalg.norm(signal, axis=1, keepdims=True), 1e-12)
    return float(np.linalg.norm(np.diff(signal, axis=0), axis=1).sum())


def limit(
    everything: lmfit.minimizer.MinimizerResult,
    without: lmfit.minimizer.MinimizerResult,
    component: Component,
    known: float = 0.0,
) -> float:
    """Return the largest area of a component that may hide in a fit without it, at 95 %.

    Parameters
    ----------
    everything, without : lmfit.minimizer.MinimizerResult
        From `fit.fit`, with and without the component.
    component : Component
        Held at ever larger areas.
    known : float
        What may hide at another background, below which it does not matter how little may hide at this one.

    Returns
    -------
    float
        As `composition` explains, in the intensity's unit times eV; not below `known`.
    """
    model, area = everything.model, f"{component.key}_area"
    values = everything.params.valuesdict()
    free = [*(name for name in values if name not in (area, *everything.at_bound)), area]

    def badness(held: float) -> float:
        nonlocal values, free  # from the last area's fit to the next
        others = [name for name in free if name != area]
        values, free, chisqr = settled(model, values | {area: held}, others, without.sigma, tolerance=1e-4)
        return chisqr / scale

    scale = _scale(without)
    whole = sum(abs(without.params[f"{c.key}_area"].value) for c in without.model.components) or np.inf
    values, free, chisqr = settled(model, values, free, without.sigma)
    slopes = model.derivatives(values, without.sigma, free)
    spread = np.sqrt(chisqr / (len(slopes) - len(free)))
    information = abs(np.linalg.qr(slopes, mode="r")[-1, -1])  # of the last, which is the area, beside all others
    estimate, least = values[area], chisqr / scale
    if estimate < 0 or chisqr > without.chisqr:  # or gone astray
        estimate, least = 0.0, without.chisqr / scale
    told = spread < information * whole / 3  # else any start will do
    seen = np.sqrt(QUANTILE) * (spread / information if told else min(whole, model.intensity.max()) / 100)
    allowed, refused = estimate, np.inf
    held, enough = max(estimate + seen, known), max(seen, known)
    while refused > max(1.03 * allowed, enough):
        if allowed >= whole:
            return float(max(whole, known))  # no part is larger than the whole
        worse = badness(held) - least
        allowed, refused = (held, refused) if worse < QUANTILE else (allowed, held)
        factor = np.clip(np.sqrt(QUANTILE / max(worse, 1e-3)), 0.5, 3.0)  # exact for a parabola
        if worse < QUANTILE:
            factor = max(1.01 * factor, 1.3 if np.isinf(refused) else 0)
        held = estimate + 0.99 * (held - estimate) * factor
        if not allowed < held < refused:
            held = (allowed + refused) / 2
    return float(max(refused, enough))


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
            p = stats.t.sf(np.sqrt(gain), whole.nfree) + places(part, component) / (2 * np.pi) * np.exp(-gain / 2)
        found.append((gain / more, min(p, 1.0), gain - more * np.log(points)))
    f, p, bic = np.array(found).T
    return {"f": f.min(), "p": p.max(), "bic": bic.min()}


def _amounts(
    fits: Mapping[str, lmfit.minimizer.MinimizerResult],
    weights: Mapping[str, float],
    component: Component,
    reference_uncertainty: float,
    model_uncertainty: float,
) -> dict[str, float]:
    """Area, share and position of a component with their intervals, over the backgrounds."""
    areas, shares, positions = [], [], []
    for result in fits.values():
        keys = [c.key for c in result.model.components]
        names = [f"{key}_area" for key in keys]
        area = np.array([result.params[name].value for name in names])
        covariance = _covariance(result, names)
        at = keys.index(component.key)
        levels = np.array([c.level for c in result.model.components])
        alike = (levels == component.level).astype(float)
        whole = area @ alike
        model = model_uncertainty * np.array([area[levels == level].sum() for level in levels])
        covariance = covariance + np.diag(model**2)
        slope = (np.eye(len(keys))[at] - alike * area[at] / whole) / whole
        areas.append((area[at], np.sqrt(covariance[at, at])))
        shares.append((area[at] / whole, np.sqrt(slope @ covariance @ slope)))
        name = f"{component.key}_position"
        positions.append((result.params[name].value, np.sqrt(_covariance(result, [name])[0, 0])))
    weight = np.array(list(weights.values()))
    area, share, position = (_mean(np.array(values), weight) for values in (areas, shares, positions))
    before = np.hypot(component.uncertainty, reference_uncertainty)
    determined = bool(position[1] < DETERMINED * before)
    position = position[0], np.hypot(position[1], reference_uncertainty)
    found = {"determined": determined, "model": float(model[at])}
    for name, (value, deviation) in zip(("area", "share", "position"), (area, share, position), strict=True):
        found |= {name: value, f"{name}_low": value - NORMAL * deviation, f"{name}_high": value + NORMAL * deviation}
    return found


def total_area(composition: Composition) -> tuple[float, float]:
    """Return the area of all components of the region's own core level, and its standard deviation."""
    found = []
    for result in composition.everything.values():
        names = [f"{c.key}_area" for c in result.model.components if not c.level]
        found.append((sum(result.params[name].value for name in names), np.sqrt(_covariance(result, names).sum())))
    return _mean(np.array(found), np.array(list(composition.weights.values())))


def mean_position(composition: Composition) -> tuple[float, float]:
    """Return the area's mean position of all components present, and its standard deviation, in eV.

    It holds where the areas of components that overlap do not. The uncertainty of the energy reference is not in it.
    """
    found = []
    for result in composition.everything.values():
        names = (
            [f"{c.key}_area" for c in result.model.components],
            [f"{c.key}_position" for c in result.model.components],
        )
        area, position = (np.array([result.params[name].value for name in some]) for some in names)
        mean = area @ position / area.sum()
        slope = np.concatenate([(position - mean) / area.sum(), area / area.sum()])
        found.append((mean, np.sqrt(slope @ _covariance(result, [*names[0], *names[1]]) @ slope)))
    return _mean(np.array(found), np.array(list(composition.weights.values())))


def separation(composition: Composition, first: str, second: str) -> tuple[float, float]:
    """Return how far the first component lies above the second and the standard deviation, in eV.

    Within one recording, the uncertainty of the energy reference is not in it.
    """
    found = []
    for result in composition.everything.values():
        names = [f"{key}_position" for key in (first, second)]
        covariance = _covariance(result, names)
        value = result.params[names[0]].value - result.params[names[1]].value
        found.append((value, np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])))
    return _mean(np.array(found), np.array(list(composition.weights.values())))


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


def _wald(fits: Mapping[str, lmfit.minimizer.MinimizerResult], component: Component) -> float:
    result = min(fits.values(), key=lambda result: result.chisqr)
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
