"""Peaks that the main phase does not explain, wherever they stand."""

import lmfit
import numpy as np
import xarray as xr
from scipy import stats

from coldbond.xrd.remainder import SIZES, Remainder

FALSE_PEAKS = 0.05  # expected number of peaks in a pattern that has none
MOST = 40  # peaks beyond which the main phase is the wrong one
HIDDEN = 0.2  # share of a peak's weight left by the main phase below which it is hidden under it


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
        corrected for the geometry [degree]), `area` and `area_error` [intensity x degree], `fwhm` and `fwhm_error` [degree],
        `significance` in standard deviations. Errors are standard. Attr `threshold`: significance above which a peak counts,
        such that a pattern without peaks gives `FALSE_PEAKS` of them.

    Notes
    -----
    A filter matched to peaks of several breadths runs over all angles (Turin 1960, doi 10.1109/TIT.1960.1057571); the
    strongest peak is fitted, taken out together with what an error of its place and breadth would leave, and so on.
    """
    grid = rest.two_theta[0] + np.arange(
        0, np.ptp(rest.two_theta), rest.fwhm(rest.two_theta[0], rest.breadth(SIZES[0]))[0] / 2
    )
    filters = [rest.peaks(grid, rest.breadth(size)) for size in SIZES]
    products = np.array([matrix.T @ rest.residual for matrix in filters])
    whole = np.array([matrix.multiply(matrix).sum(axis=0) for matrix in filters])
    left = whole - np.array([((matrix.T @ rest.taken) ** 2).sum(axis=1) for matrix in filters])
    threshold = float(stats.norm.isf(FALSE_PEAKS / products.size))
    found = []
    while len(found) < MOST:
        seen = left > HIDDEN * whole
        score = np.where(seen, products / np.sqrt(np.where(seen, left, 1.0)), 0.0)
        which, at = np.unravel_index(score.argmax(), score.shape)
        if not score[which, at] > threshold:
            break
        peak = _fitted(rest, grid[at], rest.breadth(SIZES[which]), products[which, at] / left[which, at])
        found.append(peak | {"significance": score[which, at]})
        before = rest.taken.shape[1]
        rest = rest.without(_family(rest, peak))
        new = rest.taken[:, before:]
        for i, matrix in enumerate(filters):
            left[i] -= ((matrix.T @ new) ** 2).sum(axis=1)
            products[i] = matrix.T @ rest.residual
    names = ("two_theta", "two_theta_error", "bragg", "area", "area_error", "fwhm", "fwhm_error", "significance")
    found.sort(key=lambda row: row["two_theta"])
    return xr.Dataset(
        {name: ("peak", np.array([row[name] for row in found], float)) for name in names},
        attrs={"threshold": threshold},
    )


def _fitted(rest: Remainder, position: float, breadth: float, area: float) -> dict[str, float]:
    """Return a peak fitted from a start, with standard errors."""
    near = rest.fwhm(position, breadth)[0]
    params = lmfit.Parameters()
    params.add("area", area, min=0)
    params.add("position", position, min=position - near, max=position + near)
    params.add("breadth", breadth, min=0, max=2.0)

    def residual(params):
        peak = rest.peaks([params["position"].value], params["breadth"].value)
        return params["area"].value * rest.free(peak)[:, 0] - rest.residual

    found = lmfit.minimize(residual, params, calc_covar=False).params.valuesdict()
    area, position, breadth = found["area"], found["position"], found["breadth"]
    step = 1e-3
    here = rest.peaks([position, position + step], breadth).toarray()
    wider = rest.peaks([position], breadth + step).toarray()[:, 0]
    tangents = np.column_stack(
        [here[:, 0], area * (here[:, 1] - here[:, 0]) / step, area * (wider - here[:, 0]) / step]
    )
    fwhm, broader = (float(rest.fwhm(position, x)[0]) for x in (breadth, breadth + step))
    errors = rest.errors(tangents)
    return found | {
        "two_theta": position,
        "two_theta_error": errors[1],
        "bragg": position - float(np.interp(position, rest.two_theta, rest.shift)),
        "area_error": errors[0],
        "fwhm": fwhm,
        "fwhm_error": errors[2] * (broader - fwhm) / step,
    }


def _family(rest: Remainder, peak: dict[str, float]) -> np.ndarray:
    """Return a peak and what an error of its place and of its breadth adds to it."""
    position, breadth = peak["two_theta"], peak["breadth"]
    step = 0.1 * peak["fwhm"]
    places = rest.peaks([position, position - step, position + step], breadth).toarray()
    wider = rest.peaks([position], breadth + step).toarray()
    return np.hstack([places, wider])
