"""Errors of the angles in whole-pattern fits: displacement of the sample, zero error, flat specimen."""

from collections.abc import Callable, Sequence

import lmfit
import numpy as np
from lmfit.minimizer import MinimizerResult

from coldbond.xrd.design_matrix import Phase, Values, angles, spacings
from coldbond.xrd.structures import Structure

#: Half width of the range in which the effective wavelength of Cu K-alpha1 lies, relative: the distance from peak to
#: centroid of the asymmetric line (from `design_matrix.COPPER_LINES`). Filters, monochromators and satellites change
#: the line's shape, and a fit may follow any wavelength in between.
WAVELENGTH_RANGE = 3.5e-5
LEAST_ZERO = 0.001  # degree, the least standard error of the zero error of a standard: that of a goniometer's encoder


def at_known_cell(fitted: MinimizerResult, structure: Structure, name: str) -> tuple[float, float] | None:
    """Return a parameter of a standard's pattern and its standard error, given the lattice parameter that it has.

    Zero error, displacement and flat specimen shift reflections much as a larger cell does. Where the fitted cell is
    farther from the known one than its error, the errors of the fit are too small by as much (Birge ratio).

    Parameters
    ----------
    fitted : MinimizerResult
        From `pawley.fit` with displacement and zero error.
    structure : Structure
        Of the standard.
    name : str
        Of the parameter.

    Returns
    -------
    tuple of float, or None where the pattern does not determine the parameter.
    """
    edge, of = fitted.params["a"], fitted.params[name]
    if edge.stderr is None or of.stderr is None:
        return None
    shared = fitted.covar[fitted.var_names.index("a"), fitted.var_names.index(name)]
    relative = np.hypot(structure.uncertainty, WAVELENGTH_RANGE)
    known = relative * structure.cell[0] / np.sqrt(3)  # of rectangular distributions
    off = structure.cell[0] - edge.value
    factor = max((off**2 - known**2) / edge.stderr**2, 1.0)
    gain = factor * shared / (factor * edge.stderr**2 + known**2)
    return of.value + gain * off, float(np.sqrt(max(factor * (of.stderr**2 - gain * shared), 0.0)))


def keep_positions(
    params: lmfit.Parameters,
    start: MinimizerResult,
    geometry: str,
    main: Phase,
    cell: Callable[[Values], Sequence[float | np.ndarray]],
    wavelength: float,
    radius: float,
) -> None:
    """Start at the shift of another geometry and the cell that leave the reflections where a fit has them."""
    d = spacings(main.hkl, cell(params.valuesdict()))
    bragg, off = angles(d, wavelength, {**start.params.valuesdict(), "flat": 0.0}, radius)
    by_shift = angles(d, wavelength, {geometry: 1.0}, radius)[1]
    by_strain = -np.degrees(2 * np.tan(np.radians(bragg) / 2))
    strain, params[geometry].value = np.linalg.lstsq(np.column_stack([by_strain, by_shift]), off, rcond=None)[0]
    for name, param in params.items():
        if name.partition("_")[0] in ("a", "b", "c"):
            param.value *= 1 + strain
