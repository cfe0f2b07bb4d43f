"""A spectrum as every reader of one hands it over: checked, ascending, with what is known of its counting."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError

#: Coordinate, its unit and its name, by technique.
AXES = {
    "xrd": ("two_theta", "degree", "scattering angle 2θ"),
    "xps": ("binding_energy", "eV", "binding energy"),
    "raman": ("raman_shift", "1/cm", "Raman shift"),
}
FEWEST = 5  # points


def spectrum(
    path: Path,
    technique: str,
    axis: Sequence[float],
    intensity: Sequence[float],
    *,
    units: str = "count",
    one_count: float | Sequence[float] | None = None,
    unknown: str = "the file does not say that its intensities are counts",
    attrs: Mapping | None = None,
    lines: Sequence[int | None] | None = None,
) -> xr.Dataset:
    """Return a spectrum as the data model has it.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    technique : {"xrd", "xps", "raman"}
        Names the coordinate: `two_theta` [degree], `binding_energy` [eV] or `raman_shift` [1/cm].
    axis, intensity : array, shape (n,)
        In the order of the file, which may run down; the result ascends.
    units : str
        Of the intensity.
    one_count : float or array, shape (n,), optional
        Intensity that one counted event stands for: 1 for counts, the attenuation factor, 1 / (dwell time x sweeps) for
        count/s. Where the intensities are no whole multiples of it they are not counts, and none is kept.
    unknown : str
        Why nothing is known of the counting, where `one_count` is None.
    attrs : mapping, optional
        Header fields.
    lines : sequence of int, optional
        The line of each point, for the error.

    Returns
    -------
    xarray.Dataset
        `intensity` and, where the counting is known, `one_count` in the same unit: the variance of the intensity is
        `one_count` times its expectation. `intensity.attrs["counting"]` is "known" or "unknown: ..." with the reason.

    Raises
    ------
    ReadError
        A number is not finite, a count negative, the coordinate does not run one way, or there are hardly any points.
    """
    axis, intensity = np.asarray(axis, float), np.asarray(intensity, float)
    name, axis_units, long_name = AXES[technique]

    def fail(bad: np.ndarray, reason: str, mend: str) -> None:
        if bad.any():
            at = int(bad.argmax())
            raise ReadError(path, lines[at] if lines is not None else None, reason.format(at=at + 1), mend)

    if axis.size != intensity.size or axis.size < FEWEST:
        reason = f"{axis.size} values of {name} and {intensity.size} of intensity"
        raise ReadError(path, None, reason, "export it again: whole, with both columns")
    fail(~np.isfinite(axis), f"{name} of point {{at}} is not finite", "export it again")
    fail(~np.isfinite(intensity), "the intensity of point {at} is not finite", "export it again, or cut the gap out")
    steps = np.diff(axis)
    way = np.sign(np.median(steps)) or 1.0
    mend = "export one scan a region, without repeats"
    fail(np.append(False, steps * way <= 0), f"{name} does not run one way at point {{at}}", mend)
    order = slice(None, None, int(way))
    variables = {}
    counting = f"unknown: {unknown}"
    if one_count is not None:
        one_count = np.broadcast_to(np.asarray(one_count, float), axis.shape)
        fail(intensity < 0, "the count of point {at} is negative", "export the counts as they were recorded")
        # Files round: to a part in a thousand, or to their last digits, but never to a fifth of a count.
        counts = intensity / one_count
        if (np.abs(counts - np.rint(counts)) <= np.clip(1e-3 * counts, 0.02, 0.2)).all():
            counting = "known"
            shown = {"units": units, "long_name": "intensity of one count"}
            variables["one_count"] = (name, one_count[order].copy(), shown)
        else:
            counting = "unknown: the file's counts are not whole numbers"
    shown = {"units": units, "long_name": "intensity", "counting": counting}
    return xr.Dataset(
        {"intensity": (name, intensity[order].copy(), shown)} | variables,
        coords={name: (name, axis[order].copy(), {"units": axis_units, "long_name": long_name})},
        attrs={"technique": technique, **(attrs or {})},
    )
