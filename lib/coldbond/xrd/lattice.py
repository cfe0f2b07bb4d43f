"""Lattice parameters with intervals that include the choice between a displaced sample and a zero error.

Both errors of the angles shift all reflections alike over a short range, and the lattice parameter absorbs the
difference. The pattern is therefore fitted with either, and the interval spans both unless chi square rules one out.
The weights are Akaike's (Burnham and Anderson 2002, ISBN 0-387-95364-7).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.interval import NORMAL, Interval
from coldbond.xrd.reflection_list import CELL

#: Half width of the range in which the effective wavelength of Cu K-alpha1 lies, relative: the distance from peak to
#: centroid of the asymmetric line (from `design_matrix.COPPER_LINES`). Filters, monochromators and satellites change
#: the line's shape, and a fit may follow any wavelength in between.
WAVELENGTH_RANGE = 3.5e-5

#: Akaike weight below which a geometry is left out of the interval. Set on closure: where the profile function does not
#: fit, the difference of chi square says little of the geometry, and a stricter limit chose the wrong one.
NEGLIGIBLE_WEIGHT = 1e-3


@dataclass(frozen=True)
class LatticeParameters:
    """Lattice parameters of a pattern.

    Attributes
    ----------
    intervals : dict of str to Interval
        By parameter [angstrom or degree]: weighted mean of the geometries, and the hull of their intervals, which
        include the uncertainty of the wavelength. All None where the pattern does not determine it.
    by_geometry : xarray.Dataset
        Over `geometry` and `parameter`: `estimate`, `standard_error` without that of the wavelength (all patterns of an
        instrument share it, so that a difference of two does not have it), `correlation` with the shift. Over
        `geometry`: `shift` and `shift_error` [mm or degree], `weight`.
    """

    intervals: dict[str, Interval]
    by_geometry: xr.Dataset


def lattice_parameters(
    fits: Mapping[str, MinimizerResult], negligible: float = NEGLIGIBLE_WEIGHT, suffix: str = ""
) -> LatticeParameters:
    """Return the lattice parameters that fits with either geometry determine.

    Parameters
    ----------
    fits : mapping of str to MinimizerResult
        From `pawley.fit_geometries`.
    negligible : float
        Akaike weight below which a geometry is left out.
    suffix : str
        Of the names of the parameters: "_1" for the first phase beside the main one.

    Notes
    -----
    Chi square is divided by the inflation of the lattice parameters' variance. The models have equally many parameters,
    so that their weights differ by the fit alone.
    """
    names = [name + suffix for name in CELL if name + suffix in next(iter(fits.values())).params]
    estimate = np.array([[fit.params[name].value for name in names] for fit in fits.values()])
    error = np.array([[_standard_error(fit, name) for name in names] for fit in fits.values()])
    best = min(fits.values(), key=lambda fit: fit.chisqr)
    inflation = max(best.inflation[best.var_names.index(name)] for name in names)
    chi_square = np.array([fit.chisqr for fit in fits.values()]) / inflation
    weight = np.exp(-(chi_square - chi_square.min()) / 2)
    weight = np.where(weight >= negligible * weight.sum(), weight, 0.0)
    weight /= weight.sum()
    # A rectangular distribution of the wavelength; lengths scale with it, angles do not.
    relative = np.array(
        [WAVELENGTH_RANGE / np.sqrt(3) if name.removesuffix(suffix) in "abc" else 0.0 for name in names]
    )
    half = NORMAL * np.hypot(error, relative * estimate[0])
    kept = weight > 0
    low, high = (estimate - half)[kept].min(axis=0), (estimate + half)[kept].max(axis=0)
    value = np.where(np.isnan(error[kept]).any(axis=0), np.nan, weight @ estimate)
    bounds = zip(value, low, high, strict=True)
    intervals = [Interval.from_bounds(*each) if np.isfinite(each).all() else Interval(None) for each in bounds]
    by_geometry = xr.Dataset(
        {
            "estimate": (("geometry", "parameter"), estimate),
            "standard_error": (("geometry", "parameter"), error),
            "correlation": (
                ("geometry", "parameter"),
                [[(fit.params[name].correl or {}).get(shift, np.nan) for name in names] for shift, fit in fits.items()],
            ),
            "shift": ("geometry", [fit.params[shift].value for shift, fit in fits.items()]),
            "shift_error": ("geometry", [_standard_error(fit, shift) for shift, fit in fits.items()]),
            "weight": ("geometry", weight),
        },
        coords={"geometry": list(fits), "parameter": [name.removesuffix(suffix) for name in names]},
    )
    return LatticeParameters(dict(zip(by_geometry.parameter.to_numpy().tolist(), intervals, strict=True)), by_geometry)


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
    stderr = fit.params[name].stderr
    return np.nan if stderr is None else stderr
