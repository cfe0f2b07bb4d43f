"""The axis of a spectrum: as recorded, or calibrated by a lamp or a standard; and its decomposition on that axis."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from coldbond.interval import Interval
from coldbond.raman import neon, reference, standard
from coldbond.raman.confidence_intervals import axis_uncertainty_at
from coldbond.raman.decomposition import RELEVANT, Decomposition, decompose

ZERO, LEAST_POINTS = 60.0, 9  # 1/cm on either side of 0 that hold the line of the laser, and points there
#: What recordings have in common that repeat each other.
CONDITION = ("sample", "state", "excitation")


def lamp_calibration(
    recording: xr.Dataset,
    lamp: str,
    of: reference.Lamp | reference.Standard,
    axis_slope: float,
    window: Sequence[float] | None = None,
) -> xr.Dataset | None:
    """Return the calibration from a recording of the lamp or the standard; None for a recording of another sample.

    Parameters
    ----------
    recording : xarray.Dataset
        As `coldbond.read` returns it, with the attr `sample`.
    lamp : str
        The sample that is the lamp or the standard.
    of : reference.Lamp or reference.Standard
        Its lines.
    axis_slope : float
        As for `standard.calibration`.
    window : (float, float) or None
        As for `neon.calibration`.

    Raises
    ------
    ValueError
        As `neon.calibration` and `standard.calibration`.
    """
    if recording.attrs["sample"] != lamp:
        return None
    if isinstance(of, reference.Lamp):
        return neon.calibration(recording, of.lines, of.name, window)
    return standard.calibration(recording, of, axis_slope)


def only_calibration(calibrations: Mapping[str, xr.Dataset | None]) -> xr.Dataset | None:
    """Return the calibration among what `lamp_calibration` returned; None where no recording is of the lamp.

    Raises
    ------
    ValueError
        There are several recordings of the lamp, or none of a sample.
    """
    lamps = {label: found for label, found in calibrations.items() if found is not None}
    if len(lamps) > 1:
        raise ValueError(
            f"{len(lamps)} recordings are of the lamp, {', '.join(lamps)}, and each sets another axis: "
            "keep the one that belongs to the spectra, and take the others out of the manifest"
        )
    if len(lamps) == len(calibrations):
        raise ValueError(
            f"there is no spectrum of a sample beside the lamp, {', '.join(lamps) or 'of which there is none either'}: "
            "add one, or name the lamp's sample in the parameter `lamp`"
        )
    return next(iter(lamps.values()), None)


def on_axis(
    spectrum: xr.Dataset, calibration: xr.Dataset | None, laser_uncertainty: float, axis_uncertainty: float
) -> xr.Dataset:
    """Return a spectrum on the calibrated axis, or on the recorded one where nothing calibrates it.

    Parameters
    ----------
    spectrum : xarray.Dataset
    calibration : xarray.Dataset or None
        From `only_calibration`.
    laser_uncertainty : float
        As for `neon.calibrated`.
    axis_uncertainty : float
        Standard uncertainty of an axis as recorded, 1/cm.

    Returns
    -------
    xarray.Dataset
        With the attr `axis_uncertainty`.

    Raises
    ------
    ValueError
        As `neon.calibrated` and `standard.calibrated`.
    """
    if calibration is None:
        # The light of the laser itself, where it is recorded, shows how far the axis is off at least.
        return spectrum.assign_attrs(axis_uncertainty=float(np.hypot(axis_uncertainty, laser_line(spectrum))))
    if "standard" in calibration.attrs:
        return standard.calibrated(spectrum, calibration)
    return neon.calibrated(spectrum, calibration, laser_uncertainty)


def laser_line(spectrum: xr.Dataset) -> float:
    """Return where the line of the laser stands, which is 0 on a right axis, 1/cm; 0 where it was not recorded."""
    near = spectrum.sel(raman_shift=slice(-ZERO, ZERO))
    shift, intensity = near.raman_shift.to_numpy(), near.intensity.to_numpy()
    if shift.size < LEAST_POINTS or shift[0] > -ZERO / 2 or shift[-1] < ZERO / 2:
        return 0.0
    low, high = float(np.median(spectrum.intensity)), float(intensity.max())
    top = shift[intensity > low + (high - low) * 0.9]
    # The strongest light of the recording, and dark on both sides: not the flank of a filter.
    is_line = high == float(spectrum.intensity.max()) and max(intensity[0], intensity[-1]) < (low + high) / 2
    return float((top[0] + top[-1]) / 2) if is_line else 0.0


def axis_correction(calibration: xr.Dataset, position: float) -> Interval:
    """Return the true less the recorded Raman shift at a position on the recorded axis, 1/cm; the laser left out."""
    point = xr.Dataset(coords={"raman_shift": [position]}, attrs={"excitation": calibration.excitation})
    true = on_axis(point, calibration, 0.0, 0.0)
    error = axis_uncertainty_at(true.attrs, float(true.raman_shift[0]))
    return Interval.from_standard_error(float(true.raman_shift[0]) - position, error)


def decomposed(
    recording: xr.Dataset,
    recordings: Mapping[str, xr.Dataset],
    lamp: str,
    calibration: xr.Dataset | None,
    laser_uncertainty: float,
    axis_uncertainty: float,
    bands: Sequence[float],
    modes: Mapping[str, float],
    window: Sequence[float],
    rivals: Sequence[reference.Phase] = (),
    relevant: float = RELEVANT,
    resolution: float = 0.0,
) -> Decomposition | None:
    """Decompose a recording on the calibrated axis; None for the recording of the lamp or the standard.

    Parameters
    ----------
    recording : xarray.Dataset
        As `coldbond.read` returns it, with the attr `sample`.
    recordings : mapping of str to xarray.Dataset
        All recordings: those of the same sample and state tell a line from a cosmic ray.
    lamp : str
        The sample that is the lamp or the standard.
    calibration, laser_uncertainty, axis_uncertainty
        As for `on_axis`.
    bands, modes, window, rivals, relevant
        As for `decompose`.
    resolution : float
        Of the instrument, full width at half maximum, 1/cm; 0: that of the lamp's lines, else not known.

    Raises
    ------
    ValueError
        As `on_axis` and `decompose`.
    """
    if recording.attrs["sample"] == lamp:
        return None
    if not resolution and calibration is not None and np.isfinite(calibration.resolution):
        resolution = calibration.resolution
    same = [
        other
        for other in recordings.values()
        if other is not recording and all(other.attrs.get(key) == recording.attrs.get(key) for key in CONDITION)
    ]
    repeats = [on_axis(other, calibration, laser_uncertainty, axis_uncertainty) for other in same]
    spectrum = on_axis(recording, calibration, laser_uncertainty, axis_uncertainty)
    return decompose(
        spectrum, bands, modes, window, rivals=rivals, relevant=relevant, resolution=resolution or None, repeats=repeats
    )
