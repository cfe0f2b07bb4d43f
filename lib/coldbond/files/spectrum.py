"""Spectra in the data model: checked, in ascending order, and with what is known of their counting statistics.

Readers of diffraction, photoelectron and Raman files hand their columns to `spectrum`. It keeps `one_count`, the
intensity of one counted event, where the intensities are whole multiples of it. The variance of a Poisson-distributed
intensity is then `one_count` times its expectation. Intensities that are not whole multiples were smoothed,
interpolated or scaled after counting: `counting` gives the reason and no variance is claimed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from coldbond.files.errors import ReadError

#: Coordinate, its unit and its name, by technique.
COORDINATES = {
    "xrd": ("two_theta", "degree", "scattering angle 2θ"),
    "xps": ("binding_energy", "eV", "binding energy"),
    "raman": ("raman_shift", "1/cm", "Raman shift"),
}
#: Number of steps below which no grid is assumed.
FEWEST_STEPS = 5
#: Relative deviation of a step that rounding explains.
EQUAL_STEP = 0.2
#: Share of other steps above which the steps were not meant to be equal.
UNEQUAL_STEPS = 0.02
#: Angles [degree] that 2θ can be, negative on the other side of the beam.
TWO_THETA = (-180.0, 180.0)
#: Points below which a table is not a spectrum, and below which a sweep is not an impedance spectrum.
FEWEST_POINTS = 3
MIN_POINTS = 5
#: Deviation from a whole number of counts that rounding in a file explains: relative, and its bounds in counts. Files
#: round to a part in a thousand or to their last digit; a deviation of a fifth of a count is never rounding.
COUNT_ROUNDING = 1e-3
COUNT_ROUNDING_BOUNDS = (0.02, 0.2)


def gaps(path: Path, coordinate: ArrayLike, lines: Sequence[int | None] | None = None) -> dict[str, str]:
    """Return where rows may be missing from a text with equal steps, as the attr `gaps`; refuse a row off the grid.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    coordinate : array_like, shape (n,)
    lines : sequence of int, optional
        The line of each point, for the error.

    Raises
    ------
    ReadError
        A single point lies off a grid on which all others lie.
    """
    axis = np.asarray(coordinate, float)
    steps = np.diff(axis)
    if steps.size < FEWEST_STEPS:
        return {}
    usual = float(np.median(steps))
    other = np.flatnonzero(np.abs(steps - usual) > EQUAL_STEP * abs(usual))
    if usual == 0 or (steps * usual <= 0).any() or other.size > max(2, UNEQUAL_STEPS * steps.size):
        return {}  # measured in unequal steps
    for at in other[1:]:
        if at - 1 in other and abs(steps[at - 1] + steps[at] - 2 * usual) <= EQUAL_STEP * abs(usual):
            reason = f"the point at {axis[at]:g} lies off the grid of its neighbours, whose step is {abs(usual):g}"
            raise ReadError(path, lines[at] if lines is not None else None, reason, "export it again")
    if not other.size:
        return {}
    found = ", ".join(f"{axis[at]:g} to {axis[at + 1]:g}" for at in other)
    return {"gaps": f"steps of {abs(usual):g}, but {found}"}


def spectrum(
    path: Path,
    technique: str,
    coordinate: ArrayLike,
    intensity: ArrayLike,
    *,
    units: str = "count",
    one_count: ArrayLike | None = None,
    unknown: str = "the file does not say that its intensities are counts",
    attrs: Mapping[str, Any] | None = None,
    lines: Sequence[int | None] | None = None,
) -> xr.Dataset:
    """Return a spectrum in the data model.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    technique : {"xrd", "xps", "raman"}
        Gives the coordinate: `two_theta` [degree], `binding_energy` [eV] or `raman_shift` [1/cm].
    coordinate, intensity : array_like, shape (n,)
        In the order of the file, ascending or descending; the result ascends.
    units : str
        Unit of the intensity.
    one_count : float or array_like, shape (n,), optional
        Intensity of one counted event: 1 for counts, the attenuation factor behind an absorber,
        1 / (dwell time x sweeps) for count/s. Not kept where the intensities are not whole multiples of it.
    unknown : str
        Why the counting statistics are unknown, where `one_count` is None.
    attrs : mapping, optional
        Header fields.
    lines : sequence of int, optional
        The line of each point, for the error.

    Returns
    -------
    xarray.Dataset
        `intensity` and, where the counting is known, `one_count` in the same unit. `intensity.attrs["counting"]` is
        "known" or "unknown: " and the reason.

    Raises
    ------
    ReadError
        A number is not finite, a count is negative, the coordinate is not monotonic, or there are too few points.
    """
    axis, values = np.asarray(coordinate, float), np.asarray(intensity, float)
    name, axis_units, long_name = COORDINATES[technique]

    def refuse(bad: np.ndarray, reason: str, remedy: str) -> None:
        if bad.any():
            point = int(bad.argmax())
            raise ReadError(path, lines[point] if lines is not None else None, reason.format(at=point + 1), remedy)

    if axis.size != values.size or axis.size < FEWEST_POINTS:
        reason = f"{axis.size} values of {name} and {values.size} of intensity"
        raise ReadError(path, None, reason, "export it again: complete, with both columns")
    refuse(~np.isfinite(axis), f"{name} of point {{at}} is not finite", "export it again")
    refuse(~np.isfinite(values), "the intensity of point {at} is not finite", "export it again, or cut the gap out")
    if technique == "xrd":
        reason = f"point {{at}} is at none of the angles that 2θ can be, {TWO_THETA[0]:g} to {TWO_THETA[1]:g} degree"
        refuse((axis < TWO_THETA[0]) | (axis > TWO_THETA[1]), reason, "export it again, in degrees")
    steps = np.diff(axis)
    direction = np.sign(np.median(steps)) or 1.0
    remedy = "export one scan per region, without repeats"
    refuse(np.append(False, steps * direction <= 0), f"{name} is not monotonic at point {{at}}", remedy)
    order = slice(None, None, int(direction))
    variables = {}
    counting = f"unknown: {unknown}"
    if one_count is not None:
        unit_count = np.broadcast_to(np.asarray(one_count, float), axis.shape)
        refuse(values < 0, "the count of point {at} is negative", "export the counts as they were recorded")
        counts = values / unit_count
        if (np.abs(counts - np.rint(counts)) <= np.clip(COUNT_ROUNDING * counts, *COUNT_ROUNDING_BOUNDS)).all():
            counting = "known"
            shown = {"units": units, "long_name": "intensity of one count"}
            variables["one_count"] = (name, unit_count[order].copy(), shown)
        else:
            counting = "unknown: the file's counts are not whole numbers"
    shown = {"units": units, "long_name": "intensity", "counting": counting}
    return xr.Dataset(
        {"intensity": (name, values[order].copy(), shown)} | variables,
        coords={name: (name, axis[order].copy(), {"units": axis_units, "long_name": long_name})},
        attrs={"technique": technique, **(attrs or {})},
    )
