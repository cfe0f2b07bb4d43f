"""Powder patterns in the formats of FullProf and DBWS (.dat) that state a range, and XYDATA.

File structure
--------------
The free format (INSTRM = 0): comments, a line of first angle, step and last angle with any text behind, and the
intensities, any number to a line. XYDATA (INSTRM = 10): the word XYDATA, lines of INTER, TEMP and comments, and rows of
angle, intensity and standard uncertainty.

Schema
------
xarray.Dataset: `intensity` over `two_theta` [degree], with the attr `step` [degree] of the free format. The file has no
wavelength: it is stated beside it.

Uncertainties
-------------
The file does not say that its intensities are counts. The statistics are known where the square of a standard
uncertainty is the same multiple of the intensity everywhere.
"""

import re
from pathlib import Path
from typing import Any

import xarray as xr

from coldbond.files.diffraction.scans import angles, counted, points_of_range
from coldbond.files.encoding import head
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import AGAIN, NUMBER
from coldbond.files.rows import check_above, first_row, lines_of, read_rows, value_lists
from coldbond.files.spectrum import gaps, spectrum

RANGE = re.compile(r"\s*(\d+\.?\d*)[\s,]+(\d*\.?\d+)[\s,]+(\d+\.?\d*)(?:\s+[^\d\s].*)?\s*")
#: Largest angle and step [degree] of a range.
LARGEST, WIDEST = 180.0, 1.0


def is_fullprof(data: bytes) -> bool:
    """Return whether a range, or the word XYDATA, stands at the start, with what follows it."""
    lines = head(data)
    return _range(lines) is not None or (bool(lines) and lines[0].strip().upper() == "XYDATA")


def _range(lines: list[str]) -> tuple[int, float, float, float] | None:
    """Return the index of the line of the range and its numbers; None where there is none."""
    body = [(at, line) for at, line in enumerate(lines) if line.strip() and line.strip()[0] not in "!#"]
    if body and body[0][1].strip().upper().startswith("COMM"):
        body = body[1:]
    if len(body) < 2 or not (found := RANGE.fullmatch(body[0][1])):
        return None
    start, step, end = (float(cell) for cell in found.groups())
    following = re.split(r"[,\s]+", body[1][1].strip())
    # Three numbers that three numbers follow are a table of angle, intensity and uncertainty.
    listed = len(following) not in (2, 3) and all(NUMBER.fullmatch(cell) for cell in following)
    possible = 0 <= start < end <= LARGEST and 0 < step <= WIDEST and step < end - start
    return (body[0][0], start, step, end) if listed and possible else None


def read_fullprof(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the pattern."""
    lines = lines_of(path, data)
    found = _range(lines)
    if found is None:
        return _xydata(path, lines)
    at, start, step, end = found
    body = [(number, line) for number, line in enumerate(lines[at + 1 :], start=at + 2)]
    intensity, planned = value_lists(path, body), points_of_range(start, step, end)
    if intensity.size != planned:
        reason = f"{intensity.size} intensities, where {start:g} to {end:g} degree in steps of {step:g} are {planned}"
        raise ReadError(path, at + 1, reason, AGAIN)
    attrs = {"format": "fullprof-dat", "step": step}
    return spectrum(path, "xrd", angles(start, step, planned), intensity, units="arbitrary units", attrs=attrs)


def _xydata(path: Path, lines: list[str]) -> xr.Dataset:
    """Read the format of rows."""
    first = first_row(lines)
    if first is None:
        raise ReadError(path, 1, "an XYDATA of FullProf without rows", AGAIN)
    for number, line in enumerate(lines[:first], start=1):
        words = line.split()
        if words[:1] == ["INTER"] and any(float(word) != 1 for word in words[1:3] if NUMBER.fullmatch(word)):
            reason = f"factors of angle and uncertainty, {line.strip()!r}, that are not 1"
            raise ReadError(path, number, reason, "export it without factors")
    rows = read_rows(path, lines, first)
    check_above(path, lines, first, len(rows.lines))
    if rows.values.shape[1] not in (2, 3):
        reason = f"{rows.values.shape[1]} columns, not angle, intensity and standard uncertainty"
        raise ReadError(path, first + 1, reason, AGAIN)
    known: dict[str, Any] = {"units": "arbitrary units"}
    if rows.values.shape[1] == 3:
        known = counted(rows.values[:, 1], rows.values[:, 2])
    attrs = {"format": "fullprof-xydata", **gaps(path, rows.values[:, 0], rows.lines)}
    return spectrum(path, "xrd", rows.values[:, 0], rows.values[:, 1], **known, attrs=attrs, lines=rows.lines)


FORMAT = Format(
    name="FullProf .dat",
    vendors="FullProf, DBWS",
    techniques=("xrd",),
    extensions=(".dat",),
    recognise=is_fullprof,
    read=read_fullprof,
    reads="a range with its intensities, or XYDATA; the wavelengths are stated beside the file",
)
