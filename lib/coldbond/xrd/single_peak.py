"""Single-peak fits: position and breadth of each reflection of the main phase, independent of a common lattice.

Every strong reflection is fitted alone with a pseudo-Voigt doublet on a straight background; the neighbours are
subtracted as the whole-pattern fit has them. Area and background are solved for linearly (variable projection).
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypedDict

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy import optimize

from coldbond import variable_projection
from coldbond.xrd import profile
from coldbond.xrd.reflection_list import indices

#: Range that is fitted, full widths at half maximum on either side, and fewest points in it.
FIT_RANGE, FEWEST_POINTS = 10.0, 12
#: Area over that of the strongest reflection, and over its standard error, above which a reflection is fitted.
LEAST_AREA, LEAST_SIGNIFICANCE = 0.003, 15.0
#: Intensity of K-alpha2 over K-alpha1, by the population of the levels, where no standard determines it.
KALPHA2_RATIO = 0.5
NARROWEST = 1e-3  # degree: a fitted full width below it is a spike
SAME_LINE = 0.05  # degree: reflections nearer than this are fitted as one line
MIXING_START = 0.6  # between a Gaussian and a Lorentzian
DERIVATIVE_STEP = 1e-5  # of the derivatives by full width [degree] and mixing


class _Peak(TypedDict):
    two_theta: float
    two_theta_error: float
    breadth: float
    breadth_error: float


def fit_reflections(pattern: xr.Dataset, fit: MinimizerResult) -> xr.Dataset:
    """Return position and breadth of each strong line of the main phase, each fitted alone.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` returns it.
    fit : MinimizerResult
        From `pawley.fit` of this pattern: positions of the reflections, and what other phases contribute.

    Returns
    -------
    xarray.Dataset
        Over `reflection`: `hkl`; `area` [intensity x degree] from the whole-pattern fit; `two_theta` and
        `two_theta_error` [degree]; `breadth` and `breadth_error`, integral, of sample and instrument together
        [degree]. Errors are standard, widened where the profile fits worse than counting statistics allow.
    """
    curves = fit.curves
    two_theta = curves.two_theta.to_numpy()
    intensity = curves.intensity.to_numpy() - curves.phases.to_numpy()[1:].sum(axis=0)
    sigma = curves.standard_uncertainty.to_numpy()
    wavelengths = [w for w in (pattern.attrs.get(f"wavelength_kalpha{i}") for i in (1, 2)) if w]
    fitted = fit.params["kalpha2_ratio"]
    ratio = KALPHA2_RATIO if fitted.vary else fitted.value  # fixed at a standard's value, else not determined
    lines = np.array([fit.reflections[n].to_numpy() for n in ("two_theta", "area", "fwhm", "integral_breadth")])
    found: list[tuple[str, float, _Peak]] = []
    for at, fwhm, area, hkl in _strong_lines(fit.reflections):
        others = lines[:, np.abs(lines[0] - at) > SAME_LINE]
        midway = (others[0] + at) / 2
        low, high = max(midway[midway < at], default=-np.inf), min(midway[midway > at], default=np.inf)
        near = (np.abs(two_theta - at) < FIT_RANGE * fwhm) & (two_theta > low) & (two_theta < high)
        if near.sum() >= FEWEST_POINTS and not near[[0, -1]].any():
            neighbours = _neighbours(two_theta[near], others, wavelengths, ratio)
            peak = _fit_peak(two_theta[near], intensity[near] - neighbours, sigma[near], at, fwhm, wavelengths, ratio)
            if peak is not None:
                found.append((hkl, area, peak))
    peaks = [peak for *_, peak in found]
    scalars = {
        "area": [area for _, area, _ in found],
        "two_theta": [peak["two_theta"] for peak in peaks],
        "two_theta_error": [peak["two_theta_error"] for peak in peaks],
        "breadth": [peak["breadth"] for peak in peaks],
        "breadth_error": [peak["breadth_error"] for peak in peaks],
    }
    return xr.Dataset(
        {name: ("reflection", np.array(values, float)) for name, values in scalars.items()},
        coords={"hkl": ("reflection", [hkl for hkl, *_ in found])},
    )


def _strong_lines(found: xr.Dataset) -> Iterator[tuple[float, float, float, str]]:
    """Yield angle, full width, area and indices of the lines that are strong enough; near reflections are one line."""
    two_theta, area, error, fwhm = (found[name].to_numpy() for name in ("two_theta", "area", "area_error", "fwhm"))
    order, hkl = np.argsort(two_theta), indices(found)
    group = np.empty(two_theta.size, int)
    group[order] = np.cumsum(np.diff(two_theta[order], prepend=-1.0) > SAME_LINE) - 1
    total = np.bincount(group, area)
    for index in range(total.size):
        member = np.flatnonzero(group == index)
        strong = total[index] > LEAST_AREA * total.max()
        if strong and total[index] > LEAST_SIGNIFICANCE * np.min(error[member]):
            strongest = member[area[member].argmax()]
            name = "".join(map(str, hkl[strongest].astype(int)))
            yield float(two_theta[strongest]), float(fwhm[strongest]), float(total[index]), name


def _shares(wavelengths: Sequence[float], ratio: float) -> tuple[float, ...]:
    """Return the shares of K-alpha1 and, where there is one, K-alpha2."""
    return (1 / (1 + ratio), ratio / (1 + ratio)) if len(wavelengths) > 1 else (1.0,)


def _neighbours(two_theta: np.ndarray, lines: np.ndarray, wavelengths: Sequence[float], ratio: float) -> np.ndarray:
    """Return reflections as in the whole-pattern fit, K-alpha2 included, without axial divergence."""
    at, area, fwhm, breadth = lines
    narrow, wide = profile.integral_breadth(1.0, 0.0), profile.integral_breadth(1.0, 1.0)
    mixing = (fwhm / breadth - 1 / narrow) / (1 / wide - 1 / narrow)  # from both breadths of a pseudo-Voigt function
    sine = np.sin(np.radians(at) / 2) / wavelengths[0]
    total = np.zeros(two_theta.size)
    for share, wavelength in zip(_shares(wavelengths, ratio), wavelengths, strict=True):
        position = np.degrees(2 * np.arcsin(sine * wavelength))
        total += profile.pseudo_voigt(two_theta[:, None] - position, fwhm, mixing) @ (share * area)
    return total


def _fit_peak(
    two_theta: np.ndarray,
    intensity: np.ndarray,
    sigma: np.ndarray,
    at: float,
    fwhm: float,
    wavelengths: Sequence[float],
    ratio: float,
) -> _Peak | None:
    """Return position and breadth of a line; None where the data do not determine them."""
    sine = np.sin(np.radians(at) / 2) / wavelengths[0]
    offsets = np.array([np.degrees(2 * np.arcsin(sine * w)) - at for w in wavelengths])
    x, share = two_theta - offsets[:, None], np.array(_shares(wavelengths, ratio))[:, None]
    straight = np.stack([two_theta[-1] - two_theta, two_theta - two_theta[0]], axis=1) / np.ptp(two_theta)

    @lru_cache(1)  # leastsq asks for residual and Jacobian at the same values
    def model(position: float, width: float, mixing: float) -> tuple[np.ndarray, np.ndarray]:
        """Return residuals and their derivatives, area and background solved for."""
        lorentzian, gaussian, by_x = profile.derivatives(x - position, width, mixing)
        peak = mixing * lorentzian + (1 - mixing) * gaussian
        by_width = -(peak + (x - position) * by_x) / width
        doublets = (peak, -by_x, by_width, lorentzian - gaussian)
        peak, *changes = ((share * each).sum(axis=0) for each in doublets)
        design = np.column_stack([straight, peak]) / sigma[:, None]
        solution = variable_projection.solved(design, intensity / sigma)
        slopes = solution.amplitudes[2] * np.column_stack(changes) / sigma[:, None]
        return solution.residual, variable_projection.jacobian(slopes, solution.basis)

    best, covariance, *_ = optimize.leastsq(
        lambda values: model(*values)[0],
        [at, fwhm, MIXING_START],
        Dfun=lambda values: model(*values)[1],
        full_output=True,
    )
    position, width, mixing = (float(value) for value in best)
    if covariance is None or width < NARROWEST or abs(position - at) > fwhm:
        return None
    covariance *= max(float(np.sum(model(*best)[0] ** 2)) / (two_theta.size - 3), 1.0)
    breadth = float(profile.integral_breadth(width, mixing))
    slopes = [
        (float(profile.integral_breadth(w, m)) - breadth) / DERIVATIVE_STEP
        for w, m in ((width + DERIVATIVE_STEP, mixing), (width, mixing + DERIVATIVE_STEP))
    ]
    return {
        "two_theta": position,
        "two_theta_error": float(np.sqrt(covariance[0, 0])),
        "breadth": breadth,
        "breadth_error": float(np.sqrt(slopes @ covariance[1:, 1:] @ slopes)),
    }
