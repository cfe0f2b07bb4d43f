"""Powder patterns of Bruker diffractometers, written by DIFFRACplus (RAW1.01, .raw).

File structure
--------------
Binary, little-endian: a header of 712 bytes, and for each range a header whose length stands in it, a supplement of
the length that stands there too, and the intensities as 32-bit floats. The offsets below are those on which GSAS-II
(G2pwd_BrukerRAW.py), xylib (bruker_raw.cpp) and reflectometry loaders agree. The sizes add up to the end of the file.

Schema
------
xarray.Dataset: `intensity` over `two_theta` [degree], the ranges joined to one pattern (see `scans.pattern`), with the
attrs `wavelength_kalpha1`, `wavelength_kalpha2` [angstrom], `kalpha2_ratio`, `anode`, `scan_axis`, `step` [degree],
`count_time` [s], `goniometer_radius` [mm] and `sample_name`.

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

from coldbond.files.diffraction.scans import FLOAT, angles, check_axis, check_size, latin, pattern, wavelengths
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.spectrum import spectrum

SIGNATURE = b"RAW1.01"
#: Length of the header and the least length of that of a range, in bytes.
HEADER, RANGE_HEADER = 712, 304
#: Positions in the header.
RANGES, SAMPLE, RADIUS, ANODE, WAVELENGTHS, WAVELENGTH_UNIT = 12, 326, 564, 608, 616, 656
#: Positions in the header of a range.
POINTS, START, STEP, TIME, SCAN_TYPE, POINT_SIZE, SUPPLEMENT = 4, 16, 176, 192, 196, 252, 256
#: Axes by the number of the scan type.
AXES = ("2Theta/Theta", "2Theta/Theta", "2Theta", "Theta", "Chi", "Phi", "X", "Y", "Z")
AGAIN = "copy the complete file again, or export it as .xy"


def is_raw1(data: bytes) -> bool:
    """Return whether the file starts as RAW1.01 does."""
    return data.startswith(SIGNATURE)


def read_raw1(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read every range."""
    try:
        return pattern(path, list(_ranges(path, data)))
    except struct.error:
        raise ReadError(path, None, "a Bruker RAW1.01 file that ends within a header", AGAIN) from None


def _ranges(path: Path, data: bytes) -> Iterator[xr.Dataset]:
    """Yield the ranges as scans."""
    (count,) = struct.unpack_from("<I", data, RANGES)
    (radius,) = struct.unpack_from("<f", data, RADIUS)
    _, first, second, _, ratio = struct.unpack_from("<5d", data, WAVELENGTHS)
    attrs: dict[str, Any] = {"format": "bruker-raw-1", "instrument": "Bruker", "anode": latin(data[ANODE : ANODE + 4])}
    attrs |= {"sample_name": latin(data[SAMPLE : SAMPLE + 60]), "goniometer_radius": float(radius)}
    if latin(data[WAVELENGTH_UNIT : WAVELENGTH_UNIT + 4]) in ("A", "Å", ""):
        attrs |= wavelengths(first, second, ratio)
    at = HEADER
    for _ in range(count):
        length, points = struct.unpack_from("<2I", data, at)
        (start,), (step,) = struct.unpack_from("<d", data, at + START), struct.unpack_from("<d", data, at + STEP)
        seconds, kind = struct.unpack_from("<fI", data, at + TIME)
        size, supplement = struct.unpack_from("<2I", data, at + POINT_SIZE)
        if length < RANGE_HEADER or size != FLOAT:
            reason = f"a range of Bruker RAW1.01 with a header of {length} bytes and {size} bytes for each point"
            raise ReadError(path, None, reason, "export it as .xy: one intensity for each point")
        axis = AXES[kind] if kind < len(AXES) else f"scan type {kind}"
        check_axis(path, axis)
        begin = at + length + supplement
        at = begin + FLOAT * points
        check_size(path, data, at, f"{points} points")
        here = {"count_time": float(seconds), "step": step, "scan_axis": axis}
        known = {name: value for name, value in (attrs | here).items() if value}
        intensity = np.frombuffer(data, "<f4", points, begin)
        yield spectrum(path, "xrd", angles(start, step, points), intensity, one_count=1.0, attrs=known)
    check_size(path, data, at, f"{count} ranges", complete=True)


FORMAT = Format(
    name="Bruker RAW1.01",
    vendors="Bruker",
    techniques=("xrd",),
    extensions=(".raw",),
    recognise=is_raw1,
    read=read_raw1,
    reads="ranges of 2theta with equal steps, joined to one pattern; rocking curves and rotations are refused",
    checked=(
        Checked(
            "formats-spectra/AdvancedPhotonSource__LaB6_Jan2018.raw",
            "none stated (United States Government)",
            "a plain parse and geddes",
        ),
    ),
)
