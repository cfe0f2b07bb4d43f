"""Powder patterns of Bruker diffractometers as text (.uxd, DIFFRACplus).

File structure
--------------
Lines `_KEY = value`, comments behind a semicolon. Each range has keys of its own, then a line that names its columns:
`_2THETACOUNTS` or `_2THETACPS`, rows of angle and intensity; `_COUNTS` or `_CPS`, intensities alone, whose angles
follow from `_START` and `_STEPSIZE`. What the angle is says `_DRIVE`.

Schema
------
xarray.Dataset: `intensity` over `two_theta` [degree], the ranges joined to one pattern (see `scans.pattern`), with the
attrs `wavelength_kalpha1`, `wavelength_kalpha2` [angstrom], `kalpha2_ratio`, `anode`, `scan_axis`, `step` [degree],
`count_time` [s], `goniometer_radius` [mm] and `sample_name`.

Uncertainties
-------------
`one_count` is 1 for counts, and 1 / (time of a step) for counts per second.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.diffraction.scans import BRUKER_AXES, angles, check_axis, pattern, wavelengths
from coldbond.files.encoding import head
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import AGAIN, number
from coldbond.files.rows import check_end, lines_of, value_lists
from coldbond.files.spectrum import spectrum

KEY = re.compile(r"_([A-Z0-9_]+)\s*=\s*(.*)")
MARK = re.compile(r"_(2THETA)?(COUNTS|CPS)(TIME)?")
#: Deviation of an angle from start and step that its digits explain, in steps.
OFF_GRID = 0.5


def is_uxd(data: bytes) -> bool:
    """Return whether lines of keys and a line that names columns stand at the start."""
    lines = [line.strip() for line in head(data)]
    keys = {found[1] for line in lines if (found := KEY.fullmatch(line))}
    return any(MARK.fullmatch(line) for line in lines) and bool(keys & {"FILEVERSION", "DRIVE", "STEPSIZE", "WL1"})


def read_uxd(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read every range."""
    lines = lines_of(path, data)
    keys: dict[str, str] = {}
    scans: list[xr.Dataset] = []
    mark: tuple[int, re.Match[str]] | None = None
    rows: list[tuple[int, str]] = []
    for line, content in enumerate([*lines, "_END = "], start=1):
        content = content.strip()
        if mark is not None and content.startswith("_"):
            scans.append(_range(path, keys, mark, rows))
            mark, rows = None, []
        if found := MARK.fullmatch(content):
            mark = (line, found)
        elif found := KEY.fullmatch(content):
            keys[found[1]] = found[2].strip().strip("'\"")
        elif content and not content.startswith(";"):
            if mark is None:
                raise ReadError(path, line, f"{content[:60]!r} is neither a key nor below the name of a column", AGAIN)
            rows.append((line, content))
            last = [text.split()[-1] for _, text in rows]
    if not scans:
        raise ReadError(path, None, "a Bruker .uxd without a range", AGAIN)
    check_end(path, lines, last if lines[-1].strip() else [])
    return pattern(path, scans)


def _range(
    path: Path, keys: dict[str, str], mark: tuple[int, re.Match[str]], rows: list[tuple[int, str]]
) -> xr.Dataset:
    """Return one range as a scan."""
    line, columns = mark
    drive = keys.get("DRIVE", "")
    axis = BRUKER_AXES.get(drive.lower(), drive)
    check_axis(path, axis, line)
    if columns[3]:
        raise ReadError(path, line, "a range with a time for each point", "export it as counts: _2THETACOUNTS")
    if not rows:
        raise ReadError(path, line, "a range without points", AGAIN)
    step, start = (number(path, keys[key], f"_{key}", line) if key in keys else None for key in ("STEPSIZE", "START"))
    places: list[int] | None = None
    if columns[1]:
        for place, text in rows:
            if len(text.split()) != 2:
                raise ReadError(path, place, f"{text[:60]!r} is not an angle and an intensity", AGAIN)
        places = [place for place, _ in rows]
        angle, intensity = value_lists(path, [(place, text.replace(",", ".")) for place, text in rows]).reshape(-1, 2).T
        if step and start is not None:
            off = np.abs(angle - angles(start, step, angle.size)) > OFF_GRID * step
            if off.any():
                at = int(off.argmax())
                reason = f"the angle {angle[at]:g} is off the grid of _START and _STEPSIZE"
                raise ReadError(path, places[at], reason, AGAIN)
    else:
        intensity = value_lists(path, rows)
        if not step or start is None:
            raise ReadError(path, line, "intensities without _START and _STEPSIZE", "export them with their angles")
        angle = angles(start, step, intensity.size)
    if "STEPCOUNT" in keys and number(path, keys["STEPCOUNT"], "_STEPCOUNT", line) != intensity.size:
        reason = f"{intensity.size} points where _STEPCOUNT is {keys['STEPCOUNT']}"
        raise ReadError(path, line, reason, AGAIN)
    attrs = _attrs(path, keys, line) | {"scan_axis": axis, "step": step}
    time = number(path, keys["STEPTIME"], "_STEPTIME", line) if "STEPTIME" in keys else 0.0
    if time > 0:
        attrs["count_time"] = time
    units, one_count = ("count", 1.0) if columns[2] == "COUNTS" else ("count/s", 1 / time if time > 0 else None)
    known = {name: value for name, value in attrs.items() if value}
    unknown = "the file does not state the time of a step"
    return spectrum(
        path, "xrd", angle, intensity, units=units, one_count=one_count, unknown=unknown, attrs=known, lines=places
    )


def _attrs(path: Path, keys: dict[str, str], line: int) -> dict[str, Any]:
    """Return the measuring conditions under the names of the data model."""

    def value(key: str) -> float | None:
        return number(path, keys[key], f"_{key}", line) if keys.get(key) else None

    attrs: dict[str, Any] = {"format": "bruker-uxd", "instrument": "Bruker"}
    if keys.get("WL_UNIT", "A").lower() in ("a", "å", "angstrom", ""):
        attrs |= wavelengths(value("WL1"), value("WL2"), value("WLRATIO"))
    attrs |= {"anode": keys.get("ANODE"), "sample_name": keys.get("SAMPLE")}
    return attrs | {"goniometer_radius": value("GONIOMETER_RADIUS")}


FORMAT = Format(
    name="Bruker .uxd",
    vendors="Bruker",
    techniques=("xrd",),
    extensions=(".uxd",),
    recognise=is_uxd,
    read=read_uxd,
    reads="ranges of 2theta in counts or counts per second, joined to one pattern; other drives are refused",
)
