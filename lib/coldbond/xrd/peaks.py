"""Stray peaks: peaks in the residual pattern, at any angle, that the main phase does not explain.

A filter matched to peaks of several breadths runs over all angles (Turin 1960, doi 10.1109/TIT.1960.1057571). The
highest significance above the threshold gives the start of a peak, whose position and breadth are fitted by variable
projection. The peak is then added to the nuisance space, with derivatives for errors of its position and breadth, and
the search goes on. The threshold follows from the expected number of false peaks in a pattern without any.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy import sparse, stats

from coldbond.interval import NORMAL
from coldbond.xrd.residual_pattern import SMALLEST_SIZE, TRIAL_SIZES, ResidualPattern, breadth_paths

FALSE_PEAKS = 0.05  # expected number of peaks found in a pattern that has none
MOST_PEAKS = 40  # found peaks at which the search ends: the main phase is then the wrong one
#: Share of the squared norm of a peak that the nuisance space leaves, below which it is hidden under the main phase.
HIDDEN_SHARE = 0.2
#: Breadth over that of `SMALLEST_SIZE` from which on a peak is a part of the background: the fit ended at its bound.
BACKGROUND_BREADTH = 0.99
DERIVATIVE_STEP = 1e-6  # degree, of the derivatives by position and breadth
#: Error of position and breadth that is taken out with a peak, over its full width.
ERROR_STEP = 0.1


class Peak(NamedTuple):
    """A fitted peak: angles and widths in degree, area in intensity x degree, errors standard."""

    two_theta: float
    two_theta_error: float
    bragg: float
    area: float
    area_error: float
    fwhm: float
    fwhm_error: float
    breadth: float


def search(residuals: ResidualPattern, false_peaks: float = FALSE_PEAKS) -> xr.Dataset:
    """Return the peaks that stand in a residual pattern.

    Parameters
    ----------
    residuals : ResidualPattern
    false_peaks : float
        Expected number of peaks found in a pattern that has none.

    Returns
    -------
    xarray.Dataset
        Over `peak`, by ascending angle: `two_theta` in the pattern and `two_theta_error` [degree], `bragg` (the angle
        corrected for displacement or zero error [degree]), `area` and `area_error` [intensity x degree], `fwhm` and
        `fwhm_error` [degree], `significance` in standard deviations, `flank`: whether it may be the flank of a
        reflection of the main phase. Errors are standard. Attr `threshold`: significance above which a peak counts.
    """
    trials: list[tuple[float, float]] = []
    filters = []
    for size in TRIAL_SIZES:
        breadth = residuals.scherrer_breadth(size)
        spacing = float(residuals.fwhm(residuals.two_theta[0], breadth)[0]) / 2
        grid = np.arange(float(residuals.two_theta[0]), float(residuals.two_theta[-1]), spacing)
        trials += [(position, breadth) for position in grid.tolist()]
        filters.append(residuals.peak_profiles(grid, breadth))
    matrix = sparse.hstack(filters, format="csc").T
    products = matrix @ residuals.normalised
    whole = matrix.multiply(matrix).sum(axis=1)
    left = whole - ((matrix @ residuals.nuisance) ** 2).sum(axis=1)
    # Bonferroni: as if all trials were independent.
    threshold = float(stats.norm.isf(false_peaks / products.size))
    found = []
    for _ in range(MOST_PEAKS):
        visible = left > HIDDEN_SHARE * whole
        significance = np.where(visible, products / np.sqrt(np.where(visible, left, 1.0)), 0.0)
        highest = int(significance.argmax())
        if not significance[highest] > threshold:
            break
        peak = _fit_peak(residuals, *trials[highest])
        if peak.breadth < BACKGROUND_BREADTH * residuals.scherrer_breadth(SMALLEST_SIZE):
            found.append((peak, float(significance[highest])))
        before = residuals.nuisance.shape[1]
        residuals = residuals.with_nuisance(_peak_and_errors(residuals, peak))
        left = left - ((matrix @ residuals.nuisance[:, before:]) ** 2).sum(axis=1)
        products = matrix @ residuals.normalised
    found.sort(key=lambda pair: pair[0].two_theta)
    columns = {
        name: ("peak", np.array([getattr(peak, name) for peak, _ in found], float))
        for name in Peak._fields
        if name != "breadth"
    }
    columns["significance"] = ("peak", np.array([significance for _, significance in found], float))
    columns["flank"] = ("peak", np.array([residuals.is_flank(p.two_theta, p.area)[0] for p, _ in found], bool))
    return xr.Dataset(columns, attrs={"threshold": threshold})


def _fit_peak(residuals: ResidualPattern, position: float, breadth: float) -> Peak:
    """Return a peak fitted from a start, with standard errors."""
    near = float(residuals.fwhm(position, breadth)[0])
    bounds = np.array([[position - near, position + near], [0.0, residuals.scherrer_breadth(SMALLEST_SIZE)]])
    start = np.array([position, breadth])
    position, breadth = residuals.fit_parameters(lambda x: [_profile_block(residuals, *x)], start, bounds).tolist()
    block = _profile_block(residuals, position, breadth)
    matrix, products = residuals.normal_equations(block[:, :1])
    area = float(products[0] / max(matrix[0, 0], 1e-12))
    fwhm, broader = (float(residuals.fwhm(position, x)[0]) for x in (breadth, breadth + DERIVATIVE_STEP))
    errors = residuals.standard_errors(block * [1.0, area, area])
    paths = breadth_paths(breadth)
    interval = residuals.area_interval(area, lambda x: _profile_block(residuals, position, x)[:, :2], paths)
    return Peak(
        two_theta=position,
        two_theta_error=errors[1],
        bragg=position - float(np.interp(position, residuals.two_theta, residuals.shift)),
        area=area,
        # The likelihood is asymmetric; its mean half width stands for a standard error, which sums of areas need.
        area_error=max((interval.half_width or 0.0) / NORMAL, errors[0]),
        fwhm=fwhm,
        fwhm_error=errors[2] * (broader - fwhm) / DERIVATIVE_STEP,
        breadth=breadth,
    )


def _profile_block(residuals: ResidualPattern, position: float, breadth: float) -> np.ndarray:
    """Return a peak of area 1 and its derivatives by position and breadth, shape (m, 3)."""
    positions, breadths = position + np.array([0, DERIVATIVE_STEP, 0]), breadth + np.array([0, 0, DERIVATIVE_STEP])
    peak, moved, broader = residuals.peak_profiles(positions, breadths).toarray().T
    return np.column_stack([peak, (moved - peak) / DERIVATIVE_STEP, (broader - peak) / DERIVATIVE_STEP])


def _peak_and_errors(residuals: ResidualPattern, peak: Peak) -> np.ndarray:
    """Return a peak, the same displaced to either side, and broadened: what errors of its parameters add."""
    step = ERROR_STEP * peak.fwhm
    displaced = residuals.peak_profiles(peak.two_theta + np.array([0.0, -step, step]), peak.breadth).toarray()
    broader = residuals.peak_profiles([peak.two_theta], peak.breadth + step).toarray()
    return np.hstack([displaced, broader])
