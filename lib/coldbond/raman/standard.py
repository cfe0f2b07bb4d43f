"""Calibration of a Raman axis at one point, with a sample whose one sharp line is known, such as a silicon wafer.

All shifts move by the difference between the known and the recorded position of the line, which corrects the laser and
the grating there. Away from the line the dispersion of the grating keeps its own error, which grows with the distance.
"""

import numpy as np
import xarray as xr

from coldbond.interval import NORMAL
from coldbond.raman import reference
from coldbond.raman.decomposition import decompose

SEARCH = 40.0  # 1/cm, on either side of the known position: the line is the strongest within
LEAST_POINTS = 8  # of a recording within the search
REACH = 4.0  # full widths on either side of the line that are fitted
LARGEST_ERROR = 1.0  # 1/cm, of the recorded position of the line


def calibration(recording: xr.Dataset, of: reference.Standard, axis_slope: float) -> xr.Dataset:
    """Return the calibration of an axis at one point.

    Parameters
    ----------
    recording : xarray.Dataset
        `intensity` over the recorded `raman_shift` [1/cm] of the standard.
    of : reference.Standard
        Its line.
    axis_slope : float
        Standard uncertainty of a distance on the axis from the line, relative to the distance.

    Returns
    -------
    xarray.Dataset
        attrs `standard` (its name), `recorded` and `known` position [1/cm], `offset` [1/cm] of the axis, its standard
        `uncertainty` [1/cm], `axis_slope`, and `sample`, `state` and `excitation` of the recording.

    Raises
    ------
    ValueError
        The recording does not hold the line, or its position is not determined.
    """
    file = recording.attrs.get("file", "the standard")
    low, high = of.shift - SEARCH, of.shift + SEARCH
    near = recording.sel(raman_shift=slice(low, high))
    if near.sizes["raman_shift"] < LEAST_POINTS:
        raise ValueError(f"{file}: the recording does not hold the line of {of.name} at {of.shift:g} 1/cm")
    top = float(near.raman_shift[int(np.argmax(near.intensity.to_numpy()))])
    step = float(np.median(np.diff(near.raman_shift)))
    half = near.intensity > (near.intensity.max() + near.intensity.median()) / 2
    reach = max(REACH * float(half.sum()) * step, 4 * LEAST_POINTS * step)
    window = (top - reach, top + reach)
    found = decompose(recording.assign_attrs(axis_uncertainty=0.0), [], {of.name: top}, window, resolution=step)
    position = found.bands[of.name].position
    if not found.bands[of.name].found or position.value is None or (position.half_width or 0) > LARGEST_ERROR:
        raise ValueError(
            f"{file}: no sharp line is found within {SEARCH:g} 1/cm of {of.shift:g} 1/cm, where {of.name} has one: "
            "check that this is its recording, and the parameter `calibration`"
        )
    error = float(np.hypot((position.half_width or 0.0) / NORMAL, of.uncertainty))
    attrs = {"standard": of.name, "known": of.shift, "recorded": position.value, "offset": of.shift - position.value}
    attrs |= {"uncertainty": error, "axis_slope": axis_slope, "resolution": float("nan")}
    attrs |= {key: recording.attrs.get(key, "") for key in ("excitation", "sample", "state")}
    return xr.Dataset(attrs=attrs)


def calibrated(spectrum: xr.Dataset, calibration: xr.Dataset) -> xr.Dataset:
    """Return a spectrum on the calibrated axis, with the attrs that `axis_uncertainty` needs.

    Raises
    ------
    ValueError
        The spectrum was recorded with another laser than the standard.
    """
    laser, of = spectrum.attrs.get("excitation") or None, calibration.attrs["excitation"] or None
    if laser != of:
        raise ValueError(
            f"{spectrum.attrs.get('file', 'the spectrum')} was recorded for {laser} nm, {calibration.standard} for "
            f"{of} nm: their axes differ. Draw spectra of another laser in a figure of their own"
        )
    shift = spectrum.raman_shift + calibration.offset
    attrs = {"axis_uncertainty": calibration.uncertainty, "axis_slope": calibration.axis_slope}
    attrs["axis_fixed_at"] = calibration.known
    return spectrum.assign_coords(raman_shift=shift.assign_attrs(spectrum.raman_shift.attrs)).assign_attrs(attrs)
