"""Raman spectra of Thermo spectrometers (DXR and others), saved by OMNIC (.spa).

File structure
--------------
Little-endian. The line `Spectral Data File`, the title from byte 30, the time at byte 296 in seconds from 31 December
1899, the number of keys at byte 294, and the keys from byte 304, of 16 bytes each: a number, the place of a block and
its size. Block 2 has the number of points, the units, and the first and last place; block 3 the intensities, float32;
block 27 the history as text. The blocks fill the file. (Places of the fields: the readers of SpectroChemPy, held
against an infrared spectrum.)

Schema
------
xarray.Dataset: `intensity` over `raman_shift` [1/cm], with the attrs `sample_name` (the title), `start` and, where the
history has it, `excitation` [nm]. Infrared spectra, which have the same container, are refused by name.

Uncertainties
-------------
The counting statistics are unknown: counts are those of a camera and not single photons.
"""

import re
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.raman import axis
from coldbond.files.spectrum import spectrum

NUMBER_AT, TIME_AT, KEYS_AT, KEY = 294, 296, 304, 16  # bytes
HEADER_BLOCK, INTENSITIES, HISTORY = 2, 3, 27  # keys
LEAST_HEADER = 24  # bytes
EPOCH = datetime(1899, 12, 31, tzinfo=UTC)
UNITS = {1: "1/cm", 3: "nm", 4: "um", 32: "1/cm"}
RAMAN_SHIFT, RAMAN_INTENSITY = 32, 31
#: Ordinates by their number.
ORDINATES = {
    11: "reflectance", 12: "log(1/R)", 16: "transmittance", 17: "absorbance", 20: "Kubelka-Munk", 21: "reflectance",
    22: "detector signal", 26: "photoacoustic signal", 31: "Raman intensity",
}  # fmt: skip
GROUPS = (b"Spectral Group", b"Spectral Exte")
AGAIN = "copy or save it again from OMNIC"


def is_spa(data: bytes) -> bool:
    """Return whether the file starts like one of OMNIC."""
    return data.startswith((b"Spectral Data File", *GROUPS))


def read_spa(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read a Raman spectrum."""
    if data.startswith(GROUPS):
        raise ReadError(path, None, "an OMNIC file of several spectra", "save each as .spa or as csv")
    blocks = _blocks(path, data)
    header = blocks[HEADER_BLOCK]
    points, on_axis, ordinate = struct.unpack_from("<IB3xB", header, 4)
    first, last = struct.unpack_from("<ff", header, 16)
    quantity = ORDINATES.get(ordinate, f"of kind {ordinate}")
    if on_axis != RAMAN_SHIFT and ordinate != RAMAN_INTENSITY:
        reason = f"an OMNIC spectrum whose ordinate is {quantity}, over {UNITS.get(on_axis, 'no unit')}: infrared"
        raise ReadError(path, None, reason, axis.USE_RAMAN)
    if re.search(axis.ABSORPTION, quantity, re.IGNORECASE):
        raise ReadError(path, None, f"an OMNIC spectrum whose ordinate is {quantity}", axis.USE_RAMAN)
    if len(blocks[INTENSITIES]) != 4 * points:
        reason = f"{len(blocks[INTENSITIES])} bytes of intensities where {points} points are stated"
        raise ReadError(path, None, reason, AGAIN)
    if not np.isfinite([first, last]).all():
        raise ReadError(path, None, f"an axis from {first} to {last}", AGAIN)
    text = blocks.get(HISTORY, b"").split(b"\0")[0].decode("latin-1")
    found = re.search(r"(?:laser|excitation)[^\n\d]*(\d+(?:[.,]\d+)?[ \t]*(?:nm|cm-1))", text, re.IGNORECASE)
    laser = axis.laser(found[1]) if found else None
    places = np.linspace(first, last, points)
    shift = axis.shift(path, places, UNITS.get(on_axis), axis.excitation(stated, laser), f"number {on_axis} of OMNIC")
    title = data[30:286].split(b"\0")[0].decode("latin-1").strip()
    attrs: dict[str, object] = {"format": "omnic-spa"}
    attrs |= {"sample_name": title} if title else {}
    attrs |= {"excitation": laser} if laser is not None else {}
    if seconds := struct.unpack_from("<I", data, TIME_AT)[0]:
        attrs["start"] = (EPOCH + timedelta(seconds=seconds)).isoformat()
    intensity = axis.floats(blocks[INTENSITIES])
    return spectrum(path, "raman", shift, intensity, units="arbitrary units", unknown=axis.CAMERA, attrs=attrs)


def _blocks(path: Path, data: bytes) -> dict[int, bytes]:
    """Return the block of each key; they must reach to the end of the file."""
    number = struct.unpack_from("<H", data, NUMBER_AT)[0] if len(data) > KEYS_AT else 0
    end = KEYS_AT + number * KEY
    blocks: dict[int, bytes] = {}
    reaches = 0
    for at in range(KEYS_AT, end if end <= len(data) else 0, KEY):
        key, start, size = data[at], *struct.unpack_from("<II", data, at + 2)
        reaches = max(reaches, start + size)
        if key in (HEADER_BLOCK, INTENSITIES) and key in blocks:
            raise ReadError(path, None, "an OMNIC file of several spectra", "save each as .spa or as csv")
        blocks[key] = data[start : start + size]
    if reaches != len(data) or not {HEADER_BLOCK, INTENSITIES} <= blocks.keys():
        reason = f"an OMNIC file of {len(data)} bytes whose keys reach to {reaches}"
        raise ReadError(path, None, f"{reason}: it was cut off or changed", AGAIN)
    if len(blocks[HEADER_BLOCK]) < LEAST_HEADER:
        raise ReadError(path, None, "a header without units", AGAIN)
    return blocks


FORMAT = Format(
    name="Thermo OMNIC .spa",
    vendors="Thermo Fisher",
    techniques=("raman",),
    extensions=(".spa",),
    recognise=is_spa,
    read=read_spa,
    reads="a Raman spectrum; infrared spectra and groups (.spg) are refused by name",
    checked=(
        Checked(
            "formats-spectra/spectrochempy__7_CZ0-100_Pd_101.SPA",
            "none stated",
            "its own header: an infrared spectrum, which is refused; no Raman file was at hand",
        ),
    ),
)
