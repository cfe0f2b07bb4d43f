"""Errors of the angles: displacement of the sample and zero error, in whole-pattern fits."""

from collections.abc import Callable, Sequence

import lmfit
import numpy as np
from lmfit.minimizer import MinimizerResult

from coldbond.xrd.design_matrix import Phase, Values, angles, spacings
from coldbond.xrd.structures import Structure

LEAST_ZERO = 0.001  # degree, the least standard error of the zero error of a standard: that of a goniometer's encoder


def zero_error(fitted: MinimizerResult, structure: Structure) -> tuple[float, float] | None:
    """Return the zero error and its standard error [degree], given the lattice parameter that the standard has."""
    (edge, spread), zero = [(fitted.params[name].value, fitted.params[name].stderr) for name in ("a", "zero")]
    if spread is None or zero[1] is None:
        return None
    shared = fitted.covar[fitted.var_names.index("a"), fitted.var_names.index("zero")]
    known = structure.uncertainty * structure.cell[0] / np.sqrt(3)  # of a rectangular distribution
    gain = shared / (spread**2 + known**2)
    return zero[0] + gain * (structure.cell[0] - edge), float(np.sqrt(max(zero[1] ** 2 - gain * shared, LEAST_ZERO**2)))


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
    bragg, off = angles(d, wavelength, start.params.valuesdict(), radius)
    by_shift = angles(d, wavelength, {geometry: 1.0}, radius)[1]
    by_strain = -np.degrees(2 * np.tan(np.radians(bragg) / 2))
    strain, params[geometry].value = np.linalg.lstsq(np.column_stack([by_strain, by_shift]), off, rcond=None)[0]
    for name, param in params.items():
        if name.partition("_")[0] in ("a", "b", "c"):
            param.value *= 1 + strain
