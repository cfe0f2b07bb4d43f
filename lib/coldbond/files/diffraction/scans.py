"""Scans of a powder diffractometer: wavelengths, scan axis, unit, and the scans of one file joined to one pattern.

A file may hold several scans of one sample. They are joined where they continue each other under equal conditions. At a
shared end point the intensities are added, weighted with the number of events that one unit of intensity stands for, so
that the sum keeps Poisson statistics.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.spectrum import spectrum

#: Names of scan axes whose scale is 2θ, reduced to lower-case letters and digits.
AXES = ("2theta", "2thetatheta", "theta2theta", "2thetaomega", "gonio")
UNITS = {"count": "count", "counts": "count", "cps": "count/s"}
#: Attrs in which the scans of one pattern may differ.
MAY_DIFFER = {"count_time", "scan_speed", "step"}
#: Angles [degree] that count as equal: a tenth of what a goniometer resolves.
SAME_ANGLE = 1e-5
#: Wavelengths [angstrom] of laboratory and synchrotron diffraction, and the ratio of K-alpha2 to K-alpha1, which is
#: from 1.002 (Cr) to 1.008 (Ag). Values outside are damage or another unit.
WAVELENGTHS = (0.2, 5.0)
KALPHA2_TO_KALPHA1 = (1.0, 1.03)


def wavelengths(path: Path, kalpha1: float, kalpha2: float | None, ratio: float | None = None) -> dict[str, float]:
    """Return the attrs of a K-alpha doublet [angstrom], or of one line where `kalpha2` is None or `ratio` is 0.

    Raises
    ------
    ReadError
        The values are not the wavelengths of K-alpha1 and K-alpha2 in angstrom.
    """
    (shortest, longest), (equal, far) = WAVELENGTHS, KALPHA2_TO_KALPHA1
    if not shortest < kalpha1 < longest or (kalpha2 is not None and not equal < kalpha2 / kalpha1 < far):
        reason = f"wavelengths of {kalpha1} and {kalpha2} angstrom are not K-alpha1 and K-alpha2"
        raise ReadError(path, None, reason, "correct them in the file's header")
    attrs = {"wavelength_kalpha1": kalpha1}
    if kalpha2 is not None and ratio != 0:
        attrs |= {"wavelength_kalpha2": kalpha2} | ({"kalpha2_ratio": ratio} if ratio is not None else {})
    return attrs


def check_axis(path: Path, axis: str | None, line: int | None = None) -> None:
    """Refuse a scan along another axis than 2θ: a rocking curve or a rotation of the sample is not a powder pattern."""
    plain = re.sub("[^0-9a-z]", "", (axis or "").lower().replace("θ", "theta").replace("two", "2"))
    if plain not in AXES:
        reason = f"the scan runs along {axis!r}, not 2θ" if axis else "the file does not state the scan axis"
        raise ReadError(path, line, reason, "use a scan of 2θ, alone or coupled with θ or ω")


def unit(path: Path, name: str | None, line: int | None = None) -> str:
    """Return "count" or "count/s" for what the file calls its unit."""
    plain = (name or "").strip().lower()
    if plain not in UNITS:
        reason = f"the unit of the intensities is {name!r}"
        raise ReadError(path, line, reason, "export them in counts or cps")
    return UNITS[plain]


def pattern(path: Path, scans: Sequence[xr.Dataset]) -> xr.Dataset:
    """Join the scans of one file to one pattern.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    scans : sequence of xarray.Dataset
        As returned by `spectrum`. They may leave gaps, and may share an end point, whose intensities are then added.
        Where they differ in `count_time`, counts become count/s, and `one_count` differs from scan to scan.

    Raises
    ------
    ReadError
        There is no scan; or the scans overlap, were recorded under different conditions, or have counts without count
        times.
    """
    if not scans:
        raise ReadError(path, None, "the file holds no scan", "export it again with its data")
    if len(scans) == 1:
        return scans[0]
    remedy = "export each scan to a file of its own"
    scans = sorted(scans, key=lambda scan: float(scan.two_theta[0]))
    for name in sorted(set().union(*(scan.attrs for scan in scans)) - MAY_DIFFER):
        values = list(dict.fromkeys(scan.attrs.get(name) for scan in scans))
        if len(values) > 1:
            raise ReadError(path, None, f"its scans differ in {name}: {values[0]!r} and {values[1]!r}", remedy)
    for before, after in pairwise(scans):
        if after.two_theta[0] < before.two_theta[-1] - SAME_ANGLE:
            reason = f"two of its scans overlap, from {after.two_theta[0]:g} to {before.two_theta[-1]:g} degree"
            raise ReadError(path, None, reason, remedy)
    return _joined(path, _comparable(path, scans, remedy))


def _comparable(path: Path, scans: list[xr.Dataset], remedy: str) -> list[xr.Dataset]:
    """Return the scans in one unit: counts where all have equal count times, else count/s."""
    units = {scan.intensity.attrs["units"] for scan in scans}
    if len(units) > 1:
        raise ReadError(path, None, f"the intensities of its scans are in {' and '.join(sorted(units))}", remedy)
    times = {scan.attrs.get("count_time") for scan in scans}
    settings = {tuple(scan.attrs.get(name) for name in sorted(MAY_DIFFER)) for scan in scans}
    if units == {"count/s"} or len(settings) == 1 or (len(times) == 1 and None not in times):
        return scans
    if None in times:
        reason = "its scans differ in step or speed, and the file does not state their count times"
        raise ReadError(path, None, reason, remedy)
    rates = []
    for scan in scans:
        rate = scan / scan.attrs["count_time"]
        for name in scan.data_vars:
            rate[name].attrs = scan[name].attrs | {"units": "count/s"}
        rates.append(rate.assign_attrs(scan.attrs))
    return rates


def _joined(path: Path, scans: list[xr.Dataset]) -> xr.Dataset:
    """Return one spectrum of all points in ascending order; points at one angle are added."""
    known = all("one_count" in scan for scan in scans)
    angle = np.concatenate([scan.two_theta for scan in scans])
    intensity = np.concatenate([scan.intensity for scan in scans])
    # Events per unit of intensity, which is what a sum of two measurements of one point must be weighted with.
    exposure = np.concatenate([1 / scan.one_count if known else np.ones(scan.two_theta.size) for scan in scans])
    first = np.flatnonzero(np.diff(angle, prepend=-np.inf) > SAME_ANGLE)
    total = np.add.reduceat(exposure, first)
    counting = [scan.intensity.attrs["counting"].removeprefix("unknown: ") for scan in scans]
    common = {
        name: value
        for name, value in scans[0].attrs.items()
        if name != "technique" and all(scan.attrs.get(name) == value for scan in scans)
    }
    return spectrum(
        path,
        "xrd",
        angle[first],
        np.add.reduceat(intensity * exposure, first) / total,
        units=scans[0].intensity.attrs["units"],
        one_count=1 / total if known else None,
        unknown=next((reason for reason in counting if reason != "known"), ""),
        attrs=common,
    )
