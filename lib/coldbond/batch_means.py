"""Mean and slope of a series whose scatter is correlated, by batch means and by a first-order autoregression.

Neighbouring values of a series, such as the capacities of consecutive cycles, share slow disturbances, such as the
temperature of the room. Their scatter then underestimates the uncertainty of the mean. The series is therefore cut
into a few long batches whose means are nearly independent, and the interval follows from the scatter of these means
by Student's t (Schmeiser 1982, doi 10.1287/opre.30.3.556). Where a disturbance is remembered for as long as a batch
lasts, the means of batches are correlated too: then they cover 91 % and less (tests/test_batch_means.py). A first-order
autoregression gives a second interval, and the wider of the two is taken.
"""

import numpy as np
from numpy.typing import ArrayLike

from coldbond.interval import Interval

#: Number of batches. Schmeiser (1982) finds that ten or more gain little precision; fewer and longer batches tolerate
#: a longer correlation. Set on closure: with six, 95 % intervals cover at least 90 % also where the correlation time
#: is 25 of 600 values (tests/test_batch_means.py).
BATCHES = 6


def mean(values: ArrayLike) -> Interval:
    """Return the mean of a series, with an interval that allows for correlation.

    Parameters
    ----------
    values : array_like, shape (n,)
        In the order of time. Fewer than twelve values are taken as if uncorrelated.

    Returns
    -------
    Interval
        In the unit of `values`; without bounds for a single value, without a value for an empty series.
    """
    series = np.asarray(values, dtype=float)
    means = np.array([batch.mean() for batch in _batches(series)])
    if not means.size:
        return Interval(None)
    centre = float(series.mean())
    if means.size == 1:
        return Interval(centre)
    batches = Interval.from_standard_error(centre, float(means.std(ddof=1) / np.sqrt(means.size)), means.size - 1)
    independent, error = _scatter(series - centre)
    regression = Interval.from_standard_error(centre, error / np.sqrt(series.size), independent - 1)
    return max(batches, regression, key=lambda one: one.half_width or 0.0)


def slope(position: ArrayLike, values: ArrayLike) -> Interval:
    """Return the slope of a straight line, with an interval that allows for correlation.

    Parameters
    ----------
    position : array_like, shape (n,)
        Time or cycle number, increasing.
    values : array_like, shape (n,)
        Fewer than twelve values are taken as if uncorrelated.

    Returns
    -------
    Interval
        In the unit of `values` per unit of `position`; without bounds for two points, without a value for fewer. The
        line is that through the means of batches.
    """
    means = [np.array([batch.mean() for batch in _batches(series)]) for series in (position, values)]
    slope, squares, residual = _line(*means)
    if slope is None:
        return Interval(None)
    freedom = residual.size - 2
    if not freedom:
        return Interval(slope)
    batches = Interval.from_standard_error(slope, float(np.sqrt(residual @ residual / freedom / squares)), freedom)
    _, squares, residual = _line(np.asarray(position, dtype=float), np.asarray(values, dtype=float))
    independent, error = _scatter(residual)
    regression = Interval.from_standard_error(slope, error / np.sqrt(squares), independent - 2)
    return max(batches, regression, key=lambda one: one.half_width or 0.0)


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float | None, float, np.ndarray]:
    """Return the slope of a straight line, the sum of squares of the positions about their mean, and the residuals."""
    if x.size < 2:
        return None, 0.0, y
    x, y = x - x.mean(), y - y.mean()
    squares = float(x @ x)
    slope = float(x @ y / squares)
    return slope, squares, y - slope * x


def _scatter(residuals: np.ndarray) -> tuple[float, float]:
    """Return the number of independent residuals, and their standard deviation times what their correlation adds.

    There are at least as many as batches: a shorter series does not tell the correlation from a trend.
    The correlation of neighbours is corrected for its bias (Kendall 1954, doi 10.1093/biomet/41.3-4.403). Of a short
    series it is not known, and taken as none.
    """
    n, squares = residuals.size, float(residuals @ residuals)
    if n < 2 * BATCHES or not squares:
        return float(max(n, 4)), 0.0
    correlation = float(residuals[1:] @ residuals[:-1]) / squares
    correlation = min(max(correlation + (1 + 3 * correlation) / n, 0.0), 1 - 1 / n)
    inflation = (1 + correlation) / (1 - correlation)
    return max(n / inflation, BATCHES), float(np.sqrt(squares / (n - 1) * inflation))


def _batches(values: ArrayLike) -> list[np.ndarray]:
    values = np.asarray(values, dtype=float)
    return np.array_split(values, min(BATCHES, values.size)) if values.size else []
