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
    """Area, share and position of a component.

    Attributes
    ----------
    area, share, position : Interval
        Area [intensity eV], share of the areas of its core level, and position [eV].
    position_determined : bool
        Whether the spectrum determines the position; otherwise it is that of the prior.
    model_uncertainty : float
        Standard uncertainty of the area from the imperfection of the model [intensity eV], on the last background.
    """

    area: Interval
    share: Interval
    position: Interval
    position_determined: bool
    model_uncertainty: float


def amounts(
    fits: Fits,
    weights: Mapping[str, float],
    component: Component,
    reference_uncertainty: float,
    model_uncertainty: float,
) -> Amounts:
    """Return the amounts of a component.

    Parameters
    ----------
    fits : mapping of str to lmfit.minimizer.MinimizerResult
        Of all components, by background.
    weights : mapping of str to float
        Of the backgrounds.
    component : Component
        One of those fitted.
    reference_uncertainty : float
        Standard uncertainty of the energy reference, eV.
    model_uncertainty : float
        Standard uncertainty of every area from the imperfection of the model, as a share of its core level.
    """
    areas, shares, positions = [], [], []
    for result in fits.values():
        keys = [c.key for c in result.model.components]
        names = [f"{key}_area" for key in keys]
        area = np.array([result.params[name].value for name in names])
        at = keys.index(component.key)
        levels = np.array([c.level for c in result.model.components])
        same_level = (levels == component.level).astype(float)
        whole = area @ same_level
        # The imperfection of the model is independent between components.
        model = model_uncertainty * np.array([area[levels == level].sum() for level in levels])
        of_areas = covariance(result, names) + np.diag(model**2)
        gradient = (np.eye(len(keys))[at] - same_level * area[at] / whole) / whole  # of the share, by the areas
        areas.append((area[at], np.sqrt(of_areas[at, at])))
        shares.append((area[at] / whole, np.sqrt(gradient @ of_areas @ gradient)))
        name = f"{component.key}_position"
        positions.append((result.params[name].value, np.sqrt(covariance(result, [name])[0, 0])))
    of_position = _pooled(positions, weights)
    prior = np.hypot(component.uncertainty, reference_uncertainty)
    scale_included = np.hypot(of_position.standard_uncertainty, reference_uncertainty)
    return Amounts(
        area=_pooled(areas, weights).interval,
        share=_pooled(shares, weights).interval,
        position=Estimate(of_position.value, scale_included).interval,
        position_determined=bool(of_position.standard_uncertainty < DETERMINED * prior),
        model_uncertainty=float(model[at]),
    )


def total_area(fits: Fits, weights: Mapping[str, float]) -> Estimate:
    """Return the area of all components of the core level of the region [intensity eV]."""
    found = []
    for result in fits.values():
        names = [f"{c.key}_area" for c in result.model.components if not c.level]
        found.append((sum(result.params[name].value for name in names), np.sqrt(covariance(result, names).sum())))
    return _pooled(found, weights)


def mean_position(fits: Fits, weights: Mapping[str, float]) -> Estimate:
    """Return the mean position of all components, weighted by area [eV].

    It is well determined even where components overlap and their areas are not. The uncertainty of the energy reference
    is not included.
    """
    found = []
    for result in fits.values():
        keys = [c.key for c in result.model.components]
        names = [f"{key}_area" for key in keys], [f"{key}_position" for key in keys]
        area, position = (np.array([result.params[name].value for name in some]) for some in names)
        mean = area @ position / area.sum()
        gradient = np.concatenate([(position - mean) / area.sum(), area / area.sum()])
        found.append((mean, np.sqrt(gradient @ covariance(result, [*names[0], *names[1]]) @ gradient)))
    return _pooled(found, weights)


def variance_scale(result: MinimizerResult) -> float:
    """Return the factor on the variances: the reduced chi square where it exceeds 1 or the counting is unknown."""
    return result.redchi if "one_count" not in result.model.region else max(1.0, result.redchi)


def background_weights(fits: Fits) -> dict[str, float]:
    """Return the posterior weights of the backgrounds, which are equally probable a priori."""
    scale = min(variance_scale(result) for result in fits.values())
    bic = np.array([r.chisqr / scale + r.nvarys * np.log(r.model.energy.size) for r in fits.values()])
    weights = np.exp((bic.min() - bic) / 2)
    return dict(zip(fits, (weights / weights.sum()).tolist(), strict=True))


def covariance(result: MinimizerResult, names: Sequence[str]) -> np.ndarray:
    """Return the covariance of some parameters, infinite where the fit gives none."""
    if not result.errorbars:
        return np.diag(np.full(len(names), np.inf))
    at = [result.var_names.index(name) for name in names]
    return result.covar[np.ix_(at, at)]


def _pooled(estimates: Sequence[tuple[float, float]], weights: Mapping[str, float]) -> Estimate:
    """Return the weighted mean of values, each with its standard deviation, and its standard uncertainty."""
    values, deviations = np.array(estimates).T
    weight = np.array(list(weights.values()))
    mean = weight @ values
    return Estimate(float(mean), float(np.sqrt(weight @ (deviations**2 + (values - mean) ** 2))))
