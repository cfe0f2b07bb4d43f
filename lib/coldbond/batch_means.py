"""Mean and slope of a series whose scatter is correlated, by the method of batch means."""

import numpy as np
from scipy import special

#: Few and long, so that each outlasts the correlation: Schmeiser (1982, doi 10.1287/opre.30.3.556) shows that little
#: precision is lost down to ten; with six the interval still covers a series correlated over a twentieth of its length.
BATCHES = 6


def mean(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of a series with its 95 % interval, whatever the correlation within a batch.

    Parameters
    ----------
    values : array, shape (n,)
        In the order of time. Fewer than six values are taken one by one, as if uncorrelated.

    Returns
    -------
    value, low, high : float
        In the unit of `values`; all NaN for an empty series, an infinite interval for a single value.
    """
    means = np.array([batch.mean() for batch in _batches(values)])
    if not means.size:
        return np.nan, np.nan, np.nan
    half = _quantile(means.size - 1) * means.std(ddof=1) / np.sqrt(means.size) if means.size > 1 else np.inf
    centre = float(np.mean(values))
    return centre, centre - half, centre + half


def slope(position: np.ndarray, values: np.ndarray) -> tuple[float, float, float]:
    """Return the slope of a straight line with its 95 % interval, whatever the correlation within a batch.

    Parameters
    ----------
    position : array, shape (n,)
        Time or cycle number, increasing.
    values : array, shape (n,)
        Fewer than six values are taken one by one, as if uncorrelated.

    Returns
    -------
    value, low, high : float
        In the unit of `values` per unit of `position`; an infinite interval for two points, all NaN for fewer.
    """
    x = np.array([batch.mean() for batch in _batches(position)])
    y = np.array([batch.mean() for batch in _batches(values)])
    if x.size < 2:
        return np.nan, np.nan, np.nan
    x, y, freedom = x - x.mean(), y - y.mean(), x.size - 2
    found = x @ y / (x @ x)
    rest = y - found * x
    half = _quantile(freedom) * np.sqrt(rest @ rest / freedom / (x @ x)) if freedom else np.inf
    return float(found), float(found - half), float(found + half)


def _quantile(freedom: int) -> float:
    """Of Student's t, for a 95 % interval."""
    return float(special.stdtrit(freedom, 0.975))


def _batches(values: np.ndarray) -> list[np.ndarray]:
    values = np.asarray(values, dtype=float)
    return np.array_split(values, min(BATCHES, values.size)) if values.size else []
