"""Powder patterns of Bruker diffractometers, written by DIFFRAC.SUITE (RAW4.00, .raw).

File structure
--------------
Binary, little-endian: a header of 61 bytes; segments of a type and a length (texts with a name, the tube with its
wavelengths) until a type of 0; then for each range a header of 160 bytes, whose first number is this 0, segments of
the length that stands in it (the drives), and the intensities as 32-bit floats. The offsets are those on which xylib
(bruker_raw.cpp) and GSAS-II (G2pwd_BrukerRAW.py) agree. The sizes add up to the end of the file.

Schema
------
xarray.Dataset: `intensity` over `two_theta` [degree], the ranges joined to one pattern (see `scans.pattern`), with the
attrs `wavelength_kalpha1`, `wavelength_kalpha2` [angstrom], `kalpha2_ratio`, `anode`, `scan_axis`, `step` [degree],
`count_time` [s] and `sample_name`; `unfinished` where fewer points were measured than planned.

Uncertainties
-------------
The file holds counts as they were recorded, without a unit. `one_count` is 1 where all are whole numbers.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.diffraction.scans import (
    BRUKER_AXES,
    FLOAT,
    angles,
    check_axis,
    check_size,
    latin,
    pattern,
    wavelengths,
)
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.spectrum import spectrum

SIGNATURE = b"RAW4.00"
#: Length of the header and of that of a range, in bytes, and the least length of a segment.
HEADER, RANGE_HEADER, SEGMENT = 61, 160, 8
#: Position of the number of ranges in the header.
RANGES = 40
#: Types of segments, and the positions of their content.
TEXT, TUBE = 10, 30
TEXT_NAME, TEXT_VALUE, WAVELENGTHS, ANODE, WAVELENGTH_UNIT = 12, 36, 72, 116, 120
#: Positions in the header of a range.
POINTS, SCAN_TYPE, START, TIME, POINT_SIZE = 4, 32, 72, 92, 136
AGAIN = "copy the complete file again, or export it as .xy"


def is_raw4(data: bytes) -> bool:
    """Return whether the file starts as RAW4.00 does."""
    return data.startswith(SIGNATURE)


def read_raw4(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read every range."""
    try:
        attrs, at = _segments(path, data)
        return pattern(path, list(_ranges(path, data, attrs, at)))
    except struct.error:
        raise ReadError(path, None, "a Bruker RAW4.00 file that ends within a header", AGAIN) from None


def _segments(path: Path, data: bytes) -> tuple[dict[str, Any], int]:
    """Return what the segments state, and where the first range begins."""
    attrs: dict[str, Any] = {"format": "bruker-raw-4", "instrument": "Bruker"}
    at = HEADER
    while (kind := struct.unpack_from("<I", data, at)[0]) != 0:
        (length,) = struct.unpack_from("<I", data, at + 4)
        if length < SEGMENT:
            raise ReadError(path, None, f"a Bruker RAW4.00 file with a segment of {length} bytes at byte {at}", AGAIN)
        if kind == TUBE:
            _, first, second, _, ratio = struct.unpack_from("<5d", data, at + WAVELENGTHS)
            if latin(data[at + WAVELENGTH_UNIT : at + WAVELENGTH_UNIT + 4]) in ("A", "Å", ""):
                attrs |= wavelengths(first, second, ratio)
            attrs["anode"] = latin(data[at + ANODE : at + WAVELENGTH_UNIT])
        elif kind == TEXT and latin(data[at + TEXT_NAME : at + TEXT_VALUE]) == "SAMPLEID":
            attrs["sample_name"] = latin(data[at + TEXT_VALUE : at + length])
        at += length
    return attrs, at


def _ranges(path: Path, data: bytes, attrs: dict[str, Any], at: int) -> Iterator[xr.Dataset]:
    """Yield the ranges as scans."""
    (count,) = struct.unpack_from("<I", data, RANGES)
    for _ in range(count):
        kind, planned, points = struct.unpack_from("<3I", data, at)
        start, step = struct.unpack_from("<2d", data, at + START)
        (seconds,) = struct.unpack_from("<f", data, at + TIME)
        size, extra = struct.unpack_from("<2I", data, at + POINT_SIZE)
        if kind != 0 or size != FLOAT:
            reason = f"a range of Bruker RAW4.00 of kind {kind} with {size} bytes for each point"
            raise ReadError(path, None, reason, "export it as .xy: one intensity for each point")
        scan_type = latin(data[at + SCAN_TYPE : at + SCAN_TYPE + 24])
        axis = BRUKER_AXES.get(scan_type.lower(), scan_type)
        check_axis(path, axis)
        begin = at + RANGE_HEADER + extra
        at = begin + FLOAT * points
        check_size(path, data, at, f"{points} points")
        here = {"count_time": float(seconds), "step": step, "scan_axis": axis}
        if points < planned:
            here["unfinished"] = f"{points} points of {planned}"
        known = {name: value for name, value in (attrs | here).items() if value}
        intensity = np.frombuffer(data, "<f4", points, begin)
        yield spectrum(path, "xrd", angles(start, step, points), intensity, one_count=1.0, attrs=known)
    check_size(path, data, at, f"{count} ranges", complete=True)


FORMAT = Format(
    name="Bruker RAW4.00",
    vendors="Bruker",
    techniques=("xrd",),
    extensions=(".raw",),
    recognise=is_raw4,
    read=read_raw4,
    reads="ranges of 2theta with equal steps, joined to one pattern; rocking curves and rotations are refused",
    checked=(Checked("formats-spectra/datalab__TiO2.raw", "MIT", "a plain parse and geddes"),),
)
