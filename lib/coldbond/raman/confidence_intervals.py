"""Values of a decomposition with 95 % intervals that hold whatever the baseline and the shape of the bands."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from coldbond.raman.bands import Fit, shapes

#: Places off the expected one and widths [1/cm] of the modes that an upper limit covers.
LIMIT_SHAPES = ((-10.0, 0.0, 10.0), (15.0, 30.0))

UNDETERMINED = (np.nan, np.nan, np.nan)


def parameter(fits: Sequence[Fit], symmetric: Fit, name: str) -> tuple[float, float, float]:
    """Return a parameter and the bounds of its interval; NaN where no fit has it, or the data do not determine it.

    Parameters
    ----------
    fits : sequence of Fit
        With baselines that count alike.
    symmetric : Fit
        With bands that have no skew.
    name : str
        Such as "mode0_position". Its range is that of the fit: an interval as wide says nothing.
    """
    if name not in fits[0].parameters:
        return UNDETERMINED
    of = fits[0].parameters[name]
    variances = [fit.covariance[fit.varied.index(name), fit.varied.index(name)] for fit in fits]
    values = [fit.parameters[name].value for fit in fits]
    value, low, high = _pooled(fits, values, variances, symmetric.parameters[name].value)
    return (value, low, high) if high - low < of.max - of.min and of.min < value < of.max else UNDETERMINED


def height(fits: Sequence[Fit], symmetric: Fit, name: str, strongest: str | None) -> tuple[float, float, float]:
    """Return a height in per cent of that of the strongest band, or as it is where none is named, with its bounds."""
    values, variances = zip(*(_height(fit, name, strongest) for fit in fits), strict=True)
    return _pooled(fits, values, variances, _height(symmetric, name, strongest)[0])


def limit(fits: Sequence[Fit], x: np.ndarray, place: float, strongest: str | None) -> tuple[float, float, float]:
    """Return NaN, zero and the upper 95 % limit of the height of a mode that the fits do not have.

    It is the largest over places about the expected one and over widths; each fit is linear about its minimum.
    """
    limits = []
    off, width = (grid.ravel() for grid in np.meshgrid(*LIMIT_SHAPES))
    for fit in fits:
        basis = np.linalg.qr(fit.jacobian / np.linalg.norm(fit.jacobian, axis=0))[0]
        mode, _ = shapes(x, place + off, width, np.full(off.size, fit.parameters["lorentzian"]), np.zeros(off.size))
        free = mode - mode @ basis @ basis.T  # what bands and baseline cannot imitate
        norm = (free**2).sum(1)
        error = np.sqrt(fit.squares / fit.freedom / norm)
        area = np.maximum(free @ fit.residual / norm, 0) + stats.t.ppf(0.95, fit.freedom) * error
        unit = _peak(fit) if strongest is None else 100 / _ratio(fit, strongest)
        limits.append((area / width * unit).max())
    return np.nan, 0.0, float(np.max(limits))


def _pooled(fits: Sequence[Fit], values: Sequence[float], variances: Sequence[float], symmetric: float) -> tuple:
    """Mean over the baselines and its interval: the variance within the fits, between them, and that of the shape."""
    value = float(np.mean(values))
    # The true shape lies anywhere between skewed and symmetric: a rectangular distribution (JCGM 100:2008, 4.3.7).
    variance = np.mean(variances) + np.var(values) + (symmetric - value) ** 2 / 3
    half = float(stats.t.ppf(0.975, min(fit.freedom for fit in fits)) * np.sqrt(variance))
    return value, value - half, value + half


def _height(fit: Fit, name: str, strongest: str | None) -> tuple[float, float]:
    """Height and its variance. All bands have one Lorentzian share, which leaves the ratio of two heights."""
    value, gradient = _peak(fit) if strongest is None else 100.0, np.zeros(fit.jacobian.shape[1])
    powers = [(name, 1)] + ([] if strongest is None else [(strongest, -1)])
    for of, power in powers:
        value *= _ratio(fit, of) ** power
    for of, power in powers:
        at, width = fit.names.index(of), f"{of}_width"
        gradient[len(fit.varied) + at] += power * value / fit.linear[at]
        gradient[fit.varied.index(width)] -= power * value / fit.parameters[width].value
    return value, float(gradient @ fit.covariance @ gradient)


def _ratio(fit: Fit, name: str) -> float:
    return fit.linear[fit.names.index(name)] / fit.parameters[f"{name}_width"].value


def _peak(fit: Fit) -> float:
    """Height of a band of unit area and unit width."""
    share = fit.parameters["lorentzian"].value
    return share * 2 / np.pi + (1 - share) * 2 * np.sqrt(np.log(2) / np.pi)
