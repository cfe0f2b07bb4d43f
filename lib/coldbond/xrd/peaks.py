"""Peaks that the main phase does not explain, wherever they stand."""

import numpy as np
import xarray as xr
from scipy import sparse, stats

from coldbond.xrd.residual_pattern import SIZES, SMALLEST, Remainder

FALSE_PEAKS = 0.05  # expected number of peaks in a pattern that has none
MOST = 40  # peaks beyond which the main phase is the wrong one
HIDDEN = 0.2  # share of a peak's weight left by the main phase below which it is hidden under it
STEP = 1e-6  # degree: of numerical derivatives


def search(rest: Remainder) -> xr.Dataset:
    """Return the peaks that stand in a remainder.

    Parameters
    ----------
    rest : Remainder
        From `remainder.remainder`.

    Returns
    -------
    xarray.Dataset
        Over `peak`, by rising angle: `two_theta` in the pattern and `two_theta_error` [degree], `bragg` (the angle
        corrected for the geometry [degree]), `area` and `area_error` [intensity x degree], `fwhm` and `fwhm_error`
        [degree], `significance` in standard deviations, `flank`: it is so weak and so near to a reflection of the main
        phase that it may be that one's flank. Errors are standard. Attr `threshold`: significance above which a peak
        counts, such that a pattern without peaks gives `FALSE_PEAKS` of them.

    Notes
    -----
    A filter matched to peaks of several breadths runs over all angles (Turin 1960, doi 10.1109/TIT.1960.1057571); the
    strongest peak is fitted, taken out together with what an error of its place and breadth would leave, and so on.
    """
    trials, filters = [], []
    for size in SIZES:
        breadth = rest.breadth(size)
        grid = np.arange(rest.two_theta[0], rest.two_theta[-1], rest.fwhm(rest.two_theta[0], breadth)[0] / 2)
        trials += [(position, breadth) for position in grid]
        filters.append(rest.peaks(grid, breadth))
    matrix = sparse.hstack(filters, format="csc").T
    products = matrix @ rest.residual
    whole = matrix.multiply(matrix).sum(axis=1)
    left = whole - ((matrix @ rest.taken) ** 2).sum(axis=1)
    threshold = float(stats.norm.isf(FALSE_PEAKS / products.size))
    found = []
    for _ in range(MOST):
        seen = left > HIDDEN * whole
        score = np.where(seen, products / np.sqrt(np.where(seen, left, 1.0)), 0.0)
        at = int(score.argmax())
        if not score[at] > threshold:
            break
        peak = _fitted(rest, *trials[at])
        if peak["breadth"] < 0.99 * rest.breadth(SMALLEST):
            found.append(peak | {"significance": score[at]})
        before = rest.taken.shape[1]
        rest = rest.without(_family(rest, peak))
        left = left - ((matrix @ rest.taken[:, before:]) ** 2).sum(axis=1)
        products = matrix @ rest.residual
    names = ("two_theta", "two_theta_error", "bragg", "area", "area_error", "fwhm", "fwhm_error", "significance")
    found = [peak | {"flank": rest.under(peak["two_theta"], peak["area"])[0]} for peak in found]
    found.sort(key=lambda row: row["two_theta"])
    columns = {name: ("peak", np.array([row[name] for row in found], float)) for name in names}
    columns["flank"] = ("peak", np.array([row["flank"] for row in found], bool))
    return xr.Dataset(columns, attrs={"threshold": threshold})


def _fitted(rest: Remainder, position: float, breadth: float) -> dict[str, float]:
    """Return a peak fitted from a start, with standard errors."""
    near = rest.fwhm(position, breadth)[0]
    bounds = np.array([[position - near, position + near], [0.0, rest.breadth(SMALLEST)]])
    position, breadth = rest.fitted(lambda at: [_tangents(rest, *at)], np.array([position, breadth]), bounds)
    tangents = _tangents(rest, position, breadth)
    matrix, products = rest.normal(tangents[:, :1])
    area = float(products[0] / max(matrix[0, 0], 1e-12))
    fwhm, broader = (float(rest.fwhm(position, x)[0]) for x in (breadth, breadth + STEP))
    errors = rest.errors(tangents * [1.0, area, area])
    low, high = rest.interval(lambda x: _tangents(rest, position, x)[:, :2], breadth)
    return {
        "two_theta": position,
        "breadth": breadth,
        "area": area,
        "two_theta_error": errors[1],
        "bragg": position - float(np.interp(position, rest.two_theta, rest.shift)),
        "area_error": max((high - low) / 3.92, errors[0]),
        "fwhm": fwhm,
        "fwhm_error": errors[2] * (broader - fwhm) / STEP,
    }


def _tangents(rest: Remainder, position: float, breadth: float) -> np.ndarray:
    """Return a peak of area 1, and how it changes with its place and its breadth, shape (m, 3)."""
    here, moved, wider = rest.peaks(position + np.array([0, STEP, 0]), breadth + np.array([0, 0, STEP])).toarray().T
    return np.column_stack([here, (moved - here) / STEP, (wider - here) / STEP])


def _family(rest: Remainder, peak: dict[str, float]) -> np.ndarray:
    """Return a peak and what an error of its place and of its breadth adds to it."""
    position, breadth = peak["two_theta"], peak["breadth"]
    step = 0.1 * peak["fwhm"]
    places = rest.peaks([position, position - step, position + step], breadth).toarray()
    wider = rest.peaks([position], breadth + step).toarray()
    return np.hstack([places, wider])
