"""Reflections of the main phase fitted one by one: where each lies and how broad it is, free of a common lattice."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy import optimize

from coldbond.xrd import profile
from coldbond.xrd.reflection_list import indices

WINDOW = 10.0  # full widths at half maximum fitted on either side
STRONG = 0.003  # of the strongest reflection: what is weaker is not fitted
CLEAR = 15.0  # area over its standard error below which a reflection is not fitted
RATIO = 0.5  # of K-alpha2 to K-alpha1, by the population of the levels, where no standard says better
NARROWEST = 1e-3  # degree: what is fitted narrower is no line
TOGETHER = 0.05  # degree: reflections nearer than this are one line


def reflections(pattern: xr.Dataset, fit: MinimizerResult) -> xr.Dataset:
    """Return place and breadth of each line of the main phase, each fitted alone.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` gives it.
    fit : MinimizerResult
        From `pawley.fit` of this pattern: where the reflections are, and what other phases add.

    Returns
    -------
    xarray.Dataset
        Over `reflection`: `hkl`; `area` [intensity x degree] as in the whole-pattern fit; `two_theta` and
        `two_theta_error` [degree]; `breadth` and `breadth_error`, integral [degree]; `parts`, the square of the
        Gaussian full width [degree^2] and the Lorentzian full width [degree] that it is made of, over `part`, and their
        `covariance`. Errors are standard, widened where the profile fits worse than counting allows.

    Notes
    -----
    What the whole-pattern fit has of the neighbours is taken off. A pseudo-Voigt function on a straight background, its
    mixing free; parts after Thompson, Cox and Hastings 1987, doi
    10.1107/S0021889887087090. Both parts may come out negative by their error, so that means over reflections are
    unbiased.
    """
    curves = fit.curves
    two_theta = curves.two_theta.to_numpy()
    intensity = curves.intensity.to_numpy() - curves.phases.to_numpy()[1:].sum(axis=0)
    sigma = curves.standard_uncertainty.to_numpy()
    wavelengths = [w for w in (pattern.attrs.get(f"wavelength_kalpha{i}") for i in (1, 2)) if w]
    known = fit.params["kalpha2_ratio"]
    ratio = RATIO if known.vary else known.value
    lines = np.array([fit.reflections[n].to_numpy() for n in ("two_theta", "area", "fwhm", "integral_breadth")])
    rows = []
    for at, fwhm, area, hkl in _lines(fit.reflections):
        others = lines[:, np.abs(lines[0] - at) > TOGETHER]
        midway = (others[0] + at) / 2
        low, high = max(midway[midway < at], default=-np.inf), min(midway[midway > at], default=np.inf)
        near = (np.abs(two_theta - at) < WINDOW * fwhm) & (two_theta > low) & (two_theta < high)
        if near.sum() >= 12 and not near[[0, -1]].any():
            beside = _model(two_theta[near], others, wavelengths, ratio)
            found = _fitted(two_theta[near], intensity[near] - beside, sigma[near], at, fwhm, wavelengths, ratio)
            if found is not None:
                rows.append({"hkl": hkl, "area": area} | found)
    names = ("area", "two_theta", "two_theta_error", "breadth", "breadth_error")
    return xr.Dataset(
        {name: ("reflection", np.array([row[name] for row in rows], float)) for name in names}
        | {
            "parts": (("reflection", "part"), np.array([row["parts"] for row in rows]).reshape(-1, 2)),
            "covariance": (
                ("reflection", "part", "other"),
                np.array([r["covariance"] for r in rows]).reshape(-1, 2, 2),
            ),
        },
        coords={"hkl": ("reflection", [row["hkl"] for row in rows])},
    )


def _lines(found: xr.Dataset) -> Iterator[tuple[float, float, float, str]]:
    """Yield angle, width, area and name of what is strong enough and can be told apart."""
    two_theta, area, error, fwhm = (found[name].to_numpy() for name in ("two_theta", "area", "area_error", "fwhm"))
    order, hkl = np.argsort(two_theta), indices(found)
    group = np.empty(two_theta.size, int)
    group[order] = np.cumsum(np.diff(two_theta[order], prepend=-1.0) > TOGETHER) - 1
    total = np.bincount(group, area)
    for index in range(total.size):
        member = np.flatnonzero(group == index)
        if total[index] > STRONG * total.max() and total[index] > CLEAR * np.min(error[member]):
            strongest = member[area[member].argmax()]
            name = "".join(map(str, hkl[strongest].astype(int)))
            yield float(two_theta[strongest]), float(fwhm[strongest]), float(total[index]), name


def _model(two_theta: np.ndarray, lines: np.ndarray, wavelengths: Sequence[float], ratio: float) -> np.ndarray:
    """Return reflections as the whole-pattern fit has them, K-alpha2 included, without axial divergence."""
    at, area, fwhm, breadth = lines
    narrow, wide = profile.integral_breadth(1.0, 0.0), profile.integral_breadth(1.0, 1.0)
    mixing = (fwhm / breadth - 1 / narrow) / (1 / wide - 1 / narrow)
    sine = np.sin(np.radians(at) / 2) / wavelengths[0]
    shares = (1 / (1 + ratio), ratio / (1 + ratio)) if len(wavelengths) > 1 else (1.0,)
    places = [np.degrees(2 * np.arcsin(sine * w)) for w in wavelengths]
    return sum(
        profile.pseudo_voigt(two_theta[:, None] - p, fwhm, mixing) @ (s * area)
        for s, p in zip(shares, places, strict=True)
    )


def _fitted(
    two_theta: np.ndarray,
    intensity: np.ndarray,
    sigma: np.ndarray,
    at: float,
    fwhm: float,
    wavelengths: Sequence[float],
    ratio: float,
) -> dict | None:
    """Return place and breadth of a line; None where the data do not determine them."""
    sine = np.sin(np.radians(at) / 2) / wavelengths[0]
    lines = [np.degrees(2 * np.arcsin(sine * w)) - at for w in wavelengths]
    shares = (1 / (1 + ratio), ratio / (1 + ratio)) if len(wavelengths) > 1 else (1.0,)
    edges = np.stack([two_theta[-1] - two_theta, two_theta - two_theta[0]], axis=1) / np.ptp(two_theta)
    x, share = (two_theta - np.array(lines)[:, None]), np.array(shares)[:, None]

    @lru_cache(1)  # both are asked for at the same values
    def solved(position, width, mixing):
        """Residuals, and how they change with the parameters, area and background free (Kaufman 1975)."""
        lorentzian, gaussian, by_x = profile.slopes(x - position, width, mixing)
        peak = mixing * lorentzian + (1 - mixing) * gaussian
        ways = peak, -by_x, -(peak + (x - position) * by_x) / width, lorentzian - gaussian
        peak, *changes = ((share * way).sum(axis=0) for way in ways)
        basis, turned = np.linalg.qr(np.column_stack([edges, peak]) / sigma[:, None])
        along = basis.T @ (intensity / sigma)
        changes = along[2] / turned[2, 2] * np.column_stack(changes) / sigma[:, None]
        return basis @ along - intensity / sigma, changes - basis @ (basis.T @ changes)

    options = dict(Dfun=lambda values: solved(*values)[1], full_output=True)
    found, covariance, *_ = optimize.leastsq(lambda values: solved(*values)[0], [at, fwhm, 0.6], **options)
    position, best = float(found[0]), found[1:]
    if covariance is None or best[0] < NARROWEST or abs(position - at) > fwhm:
        return None
    covariance *= max(float(np.sum(solved(*found)[0] ** 2)) / (two_theta.size - 3), 1.0)
    breadth = float(profile.integral_breadth(*best))
    slopes, step = [], 1e-5
    for way in step * np.eye(2):
        change = np.append(_parts(*(best + way)) - _parts(*best), profile.integral_breadth(*(best + way)) - breadth)
        slopes.append(change / step)
    of_all = np.array(slopes).T @ covariance[1:, 1:] @ np.array(slopes)
    return {
        "two_theta": position,
        "two_theta_error": float(np.sqrt(covariance[0, 0])),
        "breadth": breadth,
        "breadth_error": float(np.sqrt(of_all[2, 2])),
        "parts": _parts(*best),
        "covariance": of_all[:2, :2],
    }


def _parts(fwhm: float, mixing: float) -> np.ndarray:
    """Return the square of the Gaussian full width, and the Lorentzian one, that make up a pseudo-Voigt function."""
    gaussian = 1 - 0.74417 * mixing - 0.24781 * mixing**2 - 0.00810 * mixing**3
    lorentzian = 0.72928 * mixing + 0.19289 * mixing**2 + 0.07783 * mixing**3
    return np.array([fwhm**2 * gaussian, fwhm * lorentzian])
