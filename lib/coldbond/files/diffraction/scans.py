"""Scans of a powder diffractometer: wavelengths, scan axis, unit, and the scans of one file joined to one pattern.

A file may hold several scans of one sample. They are joined where they continue each other under equal conditions. At a
shared end point the intensities are added, weighted with the number of events that one unit of intensity stands for, so
that the sum keeps Poisson statistics.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

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
#: Decimals of an angle [degree] that is computed from start and step: 10.1, not 10.099999999999998.
ANGLE_DECIMALS = 9
#: Deviation of sigma from sqrt(one_count I), relative, that the digits of sigma explain.
SAME_SIGMA = 2e-3
#: Scan types of Bruker's programs whose abscissa is 2θ, in lower case, and their axes.
BRUKER_AXES = {
    "locked coupled": "2Theta/Theta",
    "unlocked coupled": "2Theta/Theta",
    "coupled": "2Theta/Theta",
    "coupled twotheta/theta": "2Theta/Theta",
    "coupled 2theta/theta": "2Theta/Theta",
    "detector scan": "2Theta",
    "twotheta": "2Theta",
    "2theta": "2Theta",
}
#: Points beyond which a range is damaged: 360 degree in steps of a hundred-thousandth.
MOST_POINTS = 36_000_000
#: Bytes of one intensity in binary files, a 32-bit float.
FLOAT = 4


def wavelengths(
    kalpha1: float | None, kalpha2: float | None, ratio: float | None = None, *, alone: bool = False
) -> dict[str, float]:
    """Return the attrs of a K-alpha doublet, or of one line.

    Parameters
    ----------
    kalpha1, kalpha2 : float or None
        In angstrom; None where the file does not state it. A second line of 0 is one that the beam does not have.
    ratio : float or None
        Intensity of K-alpha2 divided by that of K-alpha1; 0 where there is no K-alpha2.
    alone : bool
        Whether the file says that there is one line. Without this word a missing `kalpha2` tells nothing, and nothing
        is returned: `stated.completed` then asks for the lines. It also checks the values.
    """
    if not kalpha1 or (kalpha2 is None and not alone and ratio != 0):
        return {}
    if alone or not kalpha2 or ratio == 0:
        return {"wavelength_kalpha1": kalpha1}
    shown = {"kalpha2_ratio": ratio} if ratio is not None else {}
    return {"wavelength_kalpha1": kalpha1, "wavelength_kalpha2": kalpha2, **shown}


def angles(start: float, step: float, points: int) -> np.ndarray:
    """Return equidistant angles [degree] from their start and step."""
    return np.round(start + step * np.arange(points), ANGLE_DECIMALS)


def points_of_range(start: float, step: float, end: float) -> int:
    """Return how many points a range has; 0 where start, step and end [degree] are none."""
    possible = 0 < step <= end - start <= 360
    return round((end - start) / step) + 1 if possible and (end - start) / step < MOST_POINTS else 0


def latin(data: bytes) -> str:
    """Return a text of a binary file, which a NUL byte ends."""
    return data.split(b"\0")[0].decode("latin-1").strip()


def check_size(path: Path, data: bytes, end: int, what: str, *, complete: bool = False) -> None:
    """Refuse a binary file that ends before `end`, or, where the file is `complete` there, goes on behind it."""
    if len(data) < end or (complete and len(data) > end):
        reason = f"the file has {len(data)} bytes, its header says {what} that end at byte {end}"
        raise ReadError(path, None, reason, "copy the complete file again, or export the scan as text")


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


def counted(intensity: np.ndarray, sigma: np.ndarray) -> dict[str, Any]:
    """Return the counting arguments of `spectrum` where standard uncertainties stand beside the intensities.

    sigma^2 is `one_count` times the intensity where the intensities are counts or a multiple of them.
    """
    some = intensity > 0
    unknown = {"units": "arbitrary units", "unknown": "the file's standard uncertainties are not those of counts"}
    if not some.any() or (sigma < 0).any() or (intensity < 0).any():
        return unknown
    one = float(np.median(sigma[some] ** 2 / intensity[some]))
    if one <= 0 or not np.allclose(sigma[some], np.sqrt(one * intensity[some]), rtol=SAME_SIGMA, atol=0):
        return unknown
    if abs(one - 1) < SAME_SIGMA:
        return {"units": "count", "one_count": 1.0}
    return {"units": "arbitrary units", "one_count": one}


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
    ends = [f"{float(scan.two_theta[0]):g} to {float(scan.two_theta[-1]):g}" for scan in scans]
    common["joined_scans"] = f"{', '.join(ends)} degree"
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
