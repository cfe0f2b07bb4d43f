"""How much broader the reflections of one sample are than those of another."""

import numpy as np
import xarray as xr
from scipy import stats

from coldbond.xrd.pawley import Instrument

STRONG = 0.1  # of the strongest reflection: the breadth of a weaker one is not used


def ratio(
    one: xr.Dataset, other: xr.Dataset, instrument: Instrument | None = None
) -> tuple[float | None, float | None, float | None]:
    """Return the ratio of the mean integral breadths of two samples with its 95 % interval.

    Parameters
    ----------
    one, other : xarray.Dataset
        From `single.reflections`, both with the same instrument or both without.
    instrument : Instrument, optional
        Whose covariance the interval carries.

    Returns
    -------
    value, low, high : float or None
        A bound is None where the data give none: the other's breadth could be zero; so is the value if it is zero or less.

    Raises
    ------
    ValueError
        The samples have no reflection in common.

    Notes
    -----
    The mean runs over the reflections that both samples show. Its error is that of the reflections' own, or of their scatter
    about the ratio where that is larger; the instrument's part moves both means together. Interval after Fieller (1954,
    doi 10.1111/j.2517-6161.1954.tb00159.x), who allows for a denominator that is itself uncertain.
    """
    one, other = common(_clear(one), _clear(other))
    a, b = float(one.breadth.mean()), float(other.breadth.mean())
    n = one.sizes["reflection"]
    va, vb = (float((part.breadth_error**2).sum()) / n**2 for part in (one, other))
    scatter = one.breadth.to_numpy() - a / b * other.breadth.to_numpy()
    seen = float(np.sum((scatter - scatter.mean()) ** 2)) / (n - 1) / n if n > 1 else 0.0
    widen = max(seen / (va + (a / b) ** 2 * vb), 1.0)
    va, vb, vab = va * widen, vb * widen, 0.0
    if instrument is not None:
        ga, gb = (part.sensitivity.mean("reflection").to_numpy() for part in (one, other))
        va, vb, vab = (v + x @ instrument.covariance @ y for v, x, y in ((va, ga, ga), (vb, gb, gb), (vab, ga, gb)))
    return fieller(a, b, va, vb, vab, stats.t.ppf(0.975, max(n - 1, 1)) if widen > 1 else stats.norm.ppf(0.975))


def mean(found: xr.Dataset, instrument: Instrument | None = None) -> tuple[float, float, float]:
    """Return the mean integral breadth of a sample's reflections with its 95 % interval, degree.

    Parameters
    ----------
    found : xarray.Dataset
        From `single.reflections`.
    instrument : Instrument, optional
        Whose covariance the interval carries.
    """
    found = _clear(found)
    variance = float((found.breadth_error**2).sum()) / found.sizes["reflection"] ** 2
    if instrument is not None:
        slope = found.sensitivity.mean("reflection").to_numpy()
        variance += slope @ instrument.covariance @ slope
    value, half = float(found.breadth.mean()), float(stats.norm.ppf(0.975) * np.sqrt(variance))
    return value, value - half, value + half


def fieller(
    a: float, b: float, va: float, vb: float, vab: float, quantile: float
) -> tuple[float | None, float | None, float | None]:
    """Return a / b with the interval outside which the data rule a ratio out.

    Parameters
    ----------
    a, b : float
    va, vb, vab : float
        Variances and covariance.
    quantile : float
        Of the standardised difference, 1.96 for 95 %.
    """
    square = quantile**2
    middle, leading = a * b - square * vab, b * b - square * vb
    root = middle**2 - leading * (a * a - square * va)
    ends = [] if root < 0 else sorted((middle + sign * np.sqrt(root)) / leading for sign in (-1, 1))
    if leading > 0:
        return a / b, float(ends[0]), float(ends[1])
    below = [end for end in ends if b > 0 and end <= a / b]  # the denominator may be zero: there is no upper end
    return (a / b if b > 0 else None), (float(max(below)) if below else None), None


def _clear(found: xr.Dataset) -> xr.Dataset:
    """Return the reflections whose breadth is known and that nothing weak beside them can falsify."""
    area = found.area.to_numpy()
    return found.isel(reflection=np.isfinite(found.breadth.to_numpy()) & (area > STRONG * area.max(initial=0)))


def common(one: xr.Dataset, other: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Return two samples' reflections, those only that both have; ValueError where there are none."""
    shared = [hkl for hkl in one.hkl.to_numpy() if hkl in set(other.hkl.to_numpy())]
    if not shared:
        raise ValueError("the two samples have no reflection in common that is strong enough to be fitted alone")
    return tuple(
        part.isel(reflection=[list(part.hkl.to_numpy()).index(hkl) for hkl in shared]) for part in (one, other)
    )
