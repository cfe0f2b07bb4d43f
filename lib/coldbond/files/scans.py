"""Scans of a powder diffractometer: their numbers, their wavelengths, and several of one file as one pattern."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.spectrum import spectrum

#: Scan axes, in letters and digits alone, whose scale is 2θ.
AXES = ("2theta", "2thetatheta", "theta2theta", "2thetaomega", "gonio")
UNITS = {"count": "count", "counts": "count", "cps": "count/s"}
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
MAY_DIFFER = {"count_time", "scan_speed", "step"}
SAME_ANGLE = 1e-5  # degree; goniometers resolve ten times that


def numbers(path: Path, cells: Sequence[str], name: str, lines: Sequence[int] | None = None) -> np.ndarray:
    """Return cells of text as float64, or say which is none; float() alone would take "1_0", "nan" and "infinity"."""
    for at, cell in enumerate(cells):
        if not NUMBER.fullmatch(cell.strip()):
            line, which = (lines[at], "") if lines is not None else (None, f" of point {at + 1}")
            raise ReadError(path, line, f"{name}{which} is {cell.strip()!r}, not a number", "export it again")
    return np.array(cells, float)


def number(path: Path, cell: str | None, name: str, line: int | None = None) -> float:
    """Return one header field as a float; `cell` is None where the file lacks it."""
    if cell is None or not cell.strip():
        reason = f"the file states no {name}"
        raise ReadError(path, line, reason, f"export it again in the instrument's own format, with {name}")
    return float(numbers(path, [cell], name, [line])[0])


def wavelengths(path: Path, kalpha1: float, kalpha2: float | None, ratio: float | None = None) -> dict[str, float]:
    """Return the attrs of a K-alpha doublet [angstrom], or of one line where `kalpha2` is None or `ratio` is 0.

    K-alpha2 is the longer line, by 0.2 % (Cr) to 0.8 % (Ag): anything else is damage, or another unit.
    """
    if not 0.2 < kalpha1 < 5 or (kalpha2 is not None and not 1 < kalpha2 / kalpha1 < 1.03):
        reason = f"wavelengths of {kalpha1} and {kalpha2} angstrom are no K-alpha1 and K-alpha2"
        raise ReadError(path, None, reason, "correct them in the file's header")
    attrs = {"wavelength_kalpha1": kalpha1}
    if kalpha2 is not None and ratio != 0:
        attrs |= {"wavelength_kalpha2": kalpha2} | ({"kalpha2_ratio": ratio} if ratio is not None else {})
    return attrs


def check_axis(path: Path, axis: str | None, line: int | None = None) -> None:
    """Refuse a scan along anything but 2θ: a rocking curve or a turn of the sample is no powder pattern."""
    plain = re.sub("[^0-9a-z]", "", (axis or "").lower().replace("θ", "theta").replace("two", "2"))
    if plain not in AXES:
        reason = f"the scan runs along {axis!r}, not 2θ" if axis else "the file does not state the scan axis"
        raise ReadError(path, line, reason, "give a scan of 2θ, alone or coupled with θ or ω")


def unit(path: Path, name: str | None, line: int | None = None) -> str:
    """Return "count" or "count/s" as the file calls it."""
    if (name or "").strip().lower() not in UNITS:
        reason = f"the unit of the intensities is {name!r}"
        raise ReadError(path, line, reason, "export them in counts or cps")
    return UNITS[name.strip().lower()]


def pattern(path: Path, scans: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return the scans of one file as one pattern.

    Parameters
    ----------
    scans : sequence of xarray.Dataset
        As `spectrum` gives them. They may leave gaps and share an end point, which then counts for both. Where they
        differ in `count_time`, counts become count/s; `one_count` then differs from scan to scan.

    Raises
    ------
    ReadError
        There is none; or they overlap, were taken under different conditions, or of counts whose time is not known.
    """
    if not scans:
        raise ReadError(path, None, "no scan in it", "export it again, with its data")
    if len(scans) == 1:
        return scans[0]
    mend = "export each scan to a file of its own"
    scans = sorted(scans, key=lambda scan: float(scan.two_theta[0]))
    for name in sorted(set().union(*(scan.attrs for scan in scans)) - MAY_DIFFER):
        values = list(dict.fromkeys(scan.attrs.get(name) for scan in scans))
        if len(values) > 1:
            raise ReadError(path, None, f"its scans differ in {name}: {values[0]!r} and {values[1]!r}", mend)
    for before, after in pairwise(scans):
        if after.two_theta[0] < before.two_theta[-1] - SAME_ANGLE:
            reason = f"two of its scans overlap, from {after.two_theta[0]:g} to {before.two_theta[-1]:g} degree"
            raise ReadError(path, None, reason, mend)
    return _joined(path, _comparable(path, scans, mend))


def _comparable(path: Path, scans: list[xr.Dataset], mend: str) -> list[xr.Dataset]:
    """The scans in one unit: counts where all were counted alike, else count/s."""
    units = {scan.intensity.attrs["units"] for scan in scans}
    if len(units) > 1:
        raise ReadError(path, None, f"the intensities of its scans are in {' and '.join(sorted(units))}", mend)
    times = {scan.attrs.get("count_time") for scan in scans}
    alike = {tuple(scan.attrs.get(name) for name in sorted(MAY_DIFFER)) for scan in scans}
    if units == {"count/s"} or len(alike) == 1 or (len(times) == 1 and None not in times):
        return scans
    if None in times:
        reason = "its scans differ in step or speed, and the file does not state their count times"
        raise ReadError(path, None, reason, mend)
    rates = []
    for scan in scans:
        rate = scan / scan.attrs["count_time"]
        for name in scan.data_vars:
            rate[name].attrs = scan[name].attrs | {"units": "count/s"}
        rates.append(rate.assign_attrs(scan.attrs))
    return rates


def _joined(path: Path, scans: list[xr.Dataset]) -> xr.Dataset:
    """One spectrum of all points in their order, those at one angle added up by the events that they stand for."""
    known = all("one_count" in scan for scan in scans)
    angle = np.concatenate([scan.two_theta for scan in scans])
    intensity = np.concatenate([scan.intensity for scan in scans])
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
