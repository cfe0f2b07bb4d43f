"""Lattice parameters with intervals that include a displaced sample and a zero error together.

Both errors of the angles shift all reflections alike over a short range, and the lattice parameter absorbs the
difference; a pattern has some of either. Where a standard was recorded, its zero error is the prior of a fit with both,
which alone counts. Without one, the interval spans the fits with either error, unless chi square rules one of these
out, and the fit with both, whose zero error also takes up aberrations that the profile function does not model. All
fits have the shift by a flat specimen, whose prior comes from usual slits or from the standard. The value is the mean
of the fits with one error, with Akaike's weights (Burnham and Anderson 2002, ISBN 0-387-95364-7).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.interval import NORMAL, Interval
from coldbond.xrd.geometry import WAVELENGTH_RANGE
from coldbond.xrd.pawley import BOTH, GEOMETRIES
from coldbond.xrd.reflection_list import CELL

#: Akaike weight below which a single error is left out of the interval. Slits and axial divergence shift reflections in
#: ways that the profile function does not model exactly: in independent forward models the wrong error was up to 40
#: better in chi square, e^(-40 / 2) in weight; over a wide range of angles the right one is better by hundreds.
NEGLIGIBLE_WEIGHT = 1e-12


@dataclass(frozen=True)
class LatticeParameters:
    """Lattice parameters of a pattern.

    Attributes
    ----------
    intervals : dict of str to Interval
        By parameter [angstrom or degree]: value, and the hull of the intervals of the geometries, which include the
        uncertainty of the wavelength. All None where the pattern does not determine it.
    by_geometry : xarray.Dataset
        Over `geometry` and `parameter`: `estimate`, `standard_error` without that of the wavelength (all patterns of an
        instrument share it, so that a difference of two does not have it), `correlation` with the displacement. Over
        `geometry`: `displacement` [mm], `zero` [degree] and their `displacement_error`, `zero_error`, NaN where not
        fitted, and `weight`.
    """

    intervals: dict[str, Interval]
    by_geometry: xr.Dataset


def lattice_parameters(fits: Mapping[str, MinimizerResult], suffix: str = "") -> LatticeParameters:
    """Return the lattice parameters that fits with displacement, zero error and both determine.

    Parameters
    ----------
    fits : mapping of str to MinimizerResult
        From `pawley.fit_geometries`.
    suffix : str
        Of the names of the parameters: "_1" for the first phase beside the main one, `varieties.SUFFIX` for the variety
        of the main phase.

    Notes
    -----
    Chi square is divided by the inflation of the lattice parameters' variance. The fits with one error have equally
    many parameters, so that their weights differ by the fit alone.
    """
    names = [name for name in CELL if name + suffix in fits[BOTH].params]
    if not names:
        return LatticeParameters({}, xr.Dataset())
    estimate = np.array([[fit.params[name + suffix].value for name in names] for fit in fits.values()])
    error = np.array([[_standard_error(fit, name + suffix) for name in names] for fit in fits.values()])
    best = min(fits.values(), key=lambda fit: fit.chisqr)
    inflation = max(best.inflation[best.var_names.index(name + suffix)] for name in names)
    chi_square = np.array([fit.chisqr for fit in fits.values()]) / inflation
    both = np.array(list(fits)) == BOTH
    if fits[BOTH].zero_is_known:
        weight = both.astype(float)
    else:
        weight = np.where(both, 0.0, np.exp(-(chi_square - chi_square[~both].min()) / 2))
        weight = np.where(weight >= NEGLIGIBLE_WEIGHT * weight.sum(), weight, 0.0)
        weight /= weight.sum()
    # A rectangular distribution of the wavelength; lengths scale with it, angles do not.
    relative = np.array([WAVELENGTH_RANGE / np.sqrt(3) if name in "abc" else 0.0 for name in names])
    half = NORMAL * np.hypot(error, relative * estimate[0])
    kept = (weight > 0) | both
    low, high = (estimate - half)[kept].min(axis=0), (estimate + half)[kept].max(axis=0)
    value = np.where(np.isnan(error[kept]).any(axis=0), np.nan, weight @ estimate)
    bounds = zip(value, low, high, strict=True)
    intervals = [Interval.from_bounds(*each) if np.isfinite(each).all() else Interval(None) for each in bounds]
    shifts = {
        name: ("geometry", [fit.params[name].value if name in fit.params else np.nan for fit in fits.values()])
        for name in GEOMETRIES
    }
    errors = {f"{name}_error": ("geometry", [_standard_error(fit, name) for fit in fits.values()]) for name in shifts}
    by_geometry = xr.Dataset(
        {
            "estimate": (("geometry", "parameter"), estimate),
            "standard_error": (("geometry", "parameter"), error),
            "correlation": (
                ("geometry", "parameter"),
                [
                    [(fit.params[name + suffix].correl or {}).get("displacement", np.nan) for name in names]
                    for fit in fits.values()
                ],
            ),
            **shifts,
            **errors,
            "weight": ("geometry", weight),
        },
        coords={"geometry": list(fits), "parameter": names},
    )
    return LatticeParameters(dict(zip(names, intervals, strict=True)), by_geometry)


def strong_correlations(fit: MinimizerResult, above: float = 0.9) -> list[tuple[str, str, float]]:
    """Return the pairs of parameters whose correlation exceeds a bound in size, strongest first.

    Parameters
    ----------
    fit : MinimizerResult
        From `pawley.fit`.
    above : float
    """
    pairs = [
        (name, other, (fit.params[name].correl or {}).get(other, 0.0))
        for i, name in enumerate(fit.var_names)
        for other in fit.var_names[i + 1 :]
    ]
    return sorted((pair for pair in pairs if abs(pair[2]) > above), key=lambda pair: -abs(pair[2]))


def _standard_error(fit: MinimizerResult, name: str) -> float:
    stderr = fit.params[name].stderr if name in fit.params else None
    return np.nan if stderr is None else stderr
