"""Amounts of the components of an XPS region: averages over fits with different backgrounds, with 95 % intervals.

Every background has a posterior weight, exp(-BIC/2), from the Bayesian information criterion. A quantity is the
weighted mean over the backgrounds, and its variance is the mean variance within the fits plus the variance between them
(Kass and Raftery 1995, J. Am. Stat. Assoc. 90, 773, doi 10.1080/01621459.1995.10476572). Shares and mean positions are
functions of several parameters, whose covariance is propagated to first order.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from lmfit.minimizer import MinimizerResult

from coldbond.interval import Interval
from coldbond.xps.components import Component
from coldbond.xps.fit import maxima

#: Ratio of the standard uncertainty of a fitted position to that of its prior below which the spectrum counts as
#: determining the position; a convention.
DETERMINED = 0.7

Fits = Mapping[str, MinimizerResult]  # by background


class Estimate(NamedTuple):
    """A value with its standard uncertainty."""

    value: float
    standard_uncertainty: float

    @property
    def interval(self) -> Interval:
        """The 95 % interval; unbounded where the fit gives no uncertainty."""
        return Interval.from_standard_error(*self)


class Amounts(NamedTuple):
    """Area and position of a component.

    Attributes
    ----------
    area, position : Interval
        Area, at least zero [intensity eV], and position [eV].
    position_determined : bool
        Whether the spectrum determines the position; otherwise it is that of the prior.
    """

    area: Interval
    position: Interval
    position_determined: bool


def amounts(fits: Fits, weights: Mapping[str, float], component: Component, reference_uncertainty: float) -> Amounts:
    """Return area and position of a component.

    Parameters
    ----------
    fits : mapping of str to lmfit.minimizer.MinimizerResult
        Of all components, by background and line shape.
    weights : mapping of str to float
        Of the fits.
    component : Component
        One of those fitted.
    reference_uncertainty : float
        Standard uncertainty of the energy reference, eV.
    """
    area = _pooled([_estimate(result, f"{component.key}_area") for result in fits.values()], weights)
    position = _pooled([_maximum(result, component) for result in fits.values()], weights)
    prior = np.hypot(component.uncertainty, reference_uncertainty)
    scale_included = np.hypot(position.standard_uncertainty, reference_uncertainty)
    value, low, high = area.interval
    return Amounts(
        area=Interval(value, None if low is None else max(low, 0.0), high),
        position=Estimate(position.value, scale_included).interval,
        position_determined=bool(position.standard_uncertainty < DETERMINED * prior),
    )


def _estimate(result: MinimizerResult, name: str) -> tuple[float, float]:
    """Return a parameter and its standard deviation; infinite where it ended at a bound, which says nothing of it."""
    known = name in result.var_names
    return result.params[name].value, float(np.sqrt(covariance(result, [name])[0, 0])) if known else np.inf


def _maximum(result: MinimizerResult, component: Component) -> tuple[float, float]:
    """Return the maximum of a line and its standard deviation, infinite where its position ended at a bound."""
    tops, gradients = maxima(result)
    at = [c.key for c in result.model.components].index(component.key)
    if not result.errorbars or f"{component.key}_position" not in result.var_names:
        return float(tops[at]), np.inf
    return float(tops[at]), float(np.sqrt(gradients[at] @ result.covar @ gradients[at]))


def total_area(fits: Fits, weights: Mapping[str, float]) -> Estimate:
    """Return the area of all components of the core level of the region [intensity eV]."""
    found = []
    for result in fits.values():
        names = [f"{c.key}_area" for c in result.model.components if not c.level]
        found.append((sum(result.params[name].value for name in names), np.sqrt(covariance(result, names).sum())))
    return _pooled(found, weights)


def mean_position(fits: Fits, weights: Mapping[str, float]) -> Estimate:
    """Return the mean of the maxima of all components, weighted by area [eV].

    It is well determined even where components overlap and their areas are not. The uncertainty of the energy reference
    is not included.
    """
    found = []
    for result in fits.values():
        area = result.model.areas(result.params.valuesdict())
        tops, gradients = maxima(result)
        mean = area @ tops / area.sum()
        gradient = area @ gradients / area.sum()
        for c, top in zip(result.model.components, tops, strict=True):
            if f"{c.key}_area" in result.var_names:
                gradient[result.var_names.index(f"{c.key}_area")] += (top - mean) / area.sum()
        found.append((mean, np.sqrt(gradient @ result.covar @ gradient) if result.errorbars else np.inf))
    return _pooled(found, weights)


def background_weights(fits: Fits) -> dict[str, float]:
    """Return the posterior weights of the backgrounds, which are equally probable a priori."""
    scale = min(result.variance_scale for result in fits.values())
    bic = np.array([r.chisqr / scale + r.nvarys * np.log(r.model.energy.size) for r in fits.values()])
    weights = np.exp((bic.min() - bic) / 2)
    return dict(zip(fits, (weights / weights.sum()).tolist(), strict=True))


def covariance(result: MinimizerResult, names: Sequence[str]) -> np.ndarray:
    """Return the covariance of some parameters, infinite where the fit gives none, zero of those at a bound."""
    if not result.errorbars:
        return np.diag(np.full(len(names), np.inf))
    free = [i for i, name in enumerate(names) if name in result.var_names]
    at = [result.var_names.index(names[i]) for i in free]
    found = np.zeros((len(names), len(names)))
    found[np.ix_(free, free)] = result.covar[np.ix_(at, at)]
    return found


def _pooled(estimates: Sequence[tuple[float, float]], weights: Mapping[str, float]) -> Estimate:
    """Return the weighted mean of values, each with its standard deviation, and its standard uncertainty."""
    values, deviations = np.array(estimates).T
    weight = np.array(list(weights.values()))
    mean = weight @ values
    return Estimate(float(mean), float(np.sqrt(weight @ (deviations**2 + (values - mean) ** 2))))
