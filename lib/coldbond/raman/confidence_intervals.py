"""95 % intervals of positions, widths and heights of Raman bands that include the choice of baseline and band shape.

A value is the mean over fits with different baselines. Its variance is the mean variance within the fits, the variance
between them, and that of the shape: the true shape lies anywhere between the skewed and the symmetric fit, a
rectangular distribution (JCGM 100:2008, 4.3.7). The upper limit of a mode that is not found is the largest over
positions and widths of the mode, each fit being linear about its minimum, with what the residuals hold beyond noise.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coldbond.interval import Interval, student_one_sided
from coldbond.raman.bands import LN2, Fit, shapes

#: Distances from the expected position and widths of the modes that an upper limit covers, 1/cm; a convention.
LIMIT_DISTANCES = (-10.0, 0.0, 10.0)
LIMIT_WIDTHS = (15.0, 30.0)

FAR = 1.5  # widths of a band from a mode, beyond which residuals say nothing about it
LEAST_PLACES = 8  # at which bands are fitted to the residuals
MAD_FACTOR = 1.4826  # standard deviation of a normal distribution in median absolute deviations
MAD_ERROR = 1.17  # relative standard error of that estimate of a standard deviation, times the root of the number

UNDETERMINED = Interval(None)


def parameter(fits: Sequence[Fit], symmetric: Fit, name: str) -> Interval:
    """Return a parameter with its interval, `UNDETERMINED` where no fit has it or the data do not determine it.

    Parameters
    ----------
    fits : sequence of Fit
        With the baselines that are not rejected.
    symmetric : Fit
        With bands without skew.
    name : str
        Such as "mode0_position". The data determine it where its interval is narrower than the range of the search and
        its value lies inside this range.
    """
    if name not in fits[0].parameters:
        return UNDETERMINED
    searched = fits[0].parameters[name]
    variances = [fit.covariance[fit.varied.index(name), fit.varied.index(name)] for fit in fits]
    values = [fit.parameters[name].value for fit in fits]
    found = _pooled(fits, values, variances, symmetric.parameters[name].value)
    value, half = found.value, found.half_width
    if value is None or half is None or 2 * half >= searched.max - searched.min:
        return UNDETERMINED
    return found if searched.min < value < searched.max else UNDETERMINED


def height(fits: Sequence[Fit], symmetric: Fit, name: str, strongest: str | None) -> Interval:
    """Return the height of a band, in per cent of that of the strongest band or, without one, in units of intensity."""
    values, variances = zip(*(_height(fit, name, strongest) for fit in fits), strict=True)
    return _pooled(fits, values, variances, _height(symmetric, name, strongest)[0])


def upper_limit(
    fits: Sequence[Fit],
    x: np.ndarray,
    position: float,
    strongest: str | None,
    *,
    distances: Sequence[float] = LIMIT_DISTANCES,
    widths: Sequence[float] = LIMIT_WIDTHS,
    away_from: Sequence[float] = (),
) -> Interval:
    """Return the 95 % upper limit of the height of a mode that the fits do not contain, in the unit of `height`.

    Parameters
    ----------
    fits : sequence of Fit
        Without the mode.
    x : array, shape (points,)
        Points of the fits, 1/cm.
    position : float
        Expected position of the mode, 1/cm.
    strongest : str or None
        As for `height`.
    distances : sequence of float
        From the expected position, 1/cm, that the limit covers.
    widths : sequence of float
        Full widths at half maximum that it covers, 1/cm.
    away_from : sequence of float
        As for `structure`, which is part of the limit.
    """
    limits = []
    for fit in fits:
        for width in widths:
            height, error = _heights(fit, x, position + np.array(distances), width, strongest)
            total = np.hypot(error, structure(fit, x, width, strongest, away_from))
            # A negative fluctuation does not lower the limit below the sensitivity of the data.
            limits.append((np.maximum(height, 0) + student_one_sided(fit.freedom) * total).max())
    return Interval(None, 0.0, float(np.max(limits)))


def structure(fit: Fit, x: np.ndarray, width: float, strongest: str | None, away_from: Sequence[float]) -> float:
    """Return the standard deviation of what the residuals hold beyond noise, as the height of a band of some width.

    Fringes of the detector, or a baseline and bands that do not describe the spectrum, look like bands. A band of this
    width is fitted to the residuals all over the window, and the median of its heights compared with its error.

    Parameters
    ----------
    fit : Fit
    x : array, shape (points,)
        Points of the fit, 1/cm.
    width : float
        Full width at half maximum, 1/cm.
    strongest : str or None
        As for `height`.
    away_from : sequence of float
        Positions that are left out, 1/cm: of the modes that are looked for.
    """
    places = np.arange(x[0] + width, x[-1] - width, width / 2)
    for position in away_from:
        places = places[np.abs(places - position) > FAR * width]
    if places.size < LEAST_PLACES:
        return 0.0
    height, error = _heights(fit, x, places, width, strongest)
    ratio = MAD_FACTOR * np.median(np.abs(height)) / np.median(error)
    chance = MAD_ERROR / np.sqrt(places.size / 2)  # bands at half a width from each other are not independent
    return float(np.median(error) * np.sqrt(max((ratio - chance) ** 2 - 1, 0.0)))


def _heights(
    fit: Fit, x: np.ndarray, positions: np.ndarray, width: float, strongest: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return height and standard error of one more band at each position, the fit being linear about its minimum."""
    lorentzian = np.full(positions.size, fit.parameters["lorentzian"].value)
    band, _ = shapes(x, positions, np.full(positions.size, width), lorentzian, np.zeros(positions.size))
    free = band - band @ fit.basis @ fit.basis.T  # the part that bands and baseline cannot imitate
    norm = (free**2).sum(1)
    unit = _unit_height(fit) if strongest is None else 100 / _area_over_width(fit, strongest)
    return free @ fit.residual / norm / width * unit, np.sqrt(fit.squares / fit.freedom / norm) / width * unit


def _pooled(fits: Sequence[Fit], values: Sequence[float], variances: Sequence[float], symmetric: float) -> Interval:
    """Return the mean over the baselines, with the interval that the module describes."""
    value = float(np.mean(values))
    variance = np.mean(variances) + np.var(values) + (symmetric - value) ** 2 / 3
    return Interval.from_standard_error(value, float(np.sqrt(variance)), min(fit.freedom for fit in fits))


def _height(fit: Fit, name: str, strongest: str | None) -> tuple[float, float]:
    """Return a height and its variance.

    The height is proportional to area / width, with a factor that depends on the Lorentzian share alone. All bands have
    the same share, so that the factor cancels in the ratio of two heights.
    """
    value, gradient = _unit_height(fit) if strongest is None else 100.0, np.zeros(fit.jacobian.shape[1])
    powers = [(name, 1)] + ([] if strongest is None else [(strongest, -1)])
    for of, power in powers:
        value *= _area_over_width(fit, of) ** power
    for of, power in powers:
        at, width = fit.names.index(of), f"{of}_width"
        gradient[len(fit.varied) + at] += power * value / fit.linear[at]
        gradient[fit.varied.index(width)] -= power * value / fit.parameters[width].value
    return value, float(gradient @ fit.covariance @ gradient)


def height_of(fit: Fit, name: str) -> float:
    """Return the height of a band of a fit, in units of the intensity."""
    return _area_over_width(fit, name) * _unit_height(fit)


def _area_over_width(fit: Fit, name: str) -> float:
    return float(fit.linear[fit.names.index(name)] / fit.parameters[f"{name}_width"].value)


def _unit_height(fit: Fit) -> float:
    """Return the height of a band of unit area and unit width."""
    share = fit.parameters["lorentzian"].value
    return share * 2 / np.pi + (1 - share) * 2 * np.sqrt(LN2 / np.pi)


def axis_uncertainty_at(attrs: Mapping[str, Any], position: float) -> float:
    """Return the standard uncertainty of an axis at a position, 1/cm, from the attrs of a spectrum on it."""
    away = attrs.get("axis_slope", 0.0) * (position - attrs.get("axis_fixed_at", position))
    return float(np.hypot(attrs["axis_uncertainty"], away))
