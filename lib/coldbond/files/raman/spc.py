"""Raman spectra in the Galactic format, written by GRAMS, B&W Tek, LabSpec, WiRE and others (.spc).

File structure
--------------
A header of 512 bytes, the axis as float32 where the points are not evenly spaced, a header of 32 bytes and the
intensities of each spectrum, and a log with lines `name = value`. Intensities are float32, or integers of 16 or 32 bits
with one exponent of two. The header has the units of axis and intensity as numbers. (Structure: "Universal Data Format
Specification", Galactic Industries 1997.) spc-io takes the values out; sizes, units and exponents are checked before.

Schema
------
xarray.Dataset: `intensity` over `raman_shift` [1/cm], with the attrs `start`, `instrument` and `sample_name` (the
comment) where the header has them, and `excitation` [nm] where the log has it. An axis in nm needs the excitation.
Files of several spectra, of the old structure and in big-endian order are refused, and so are infrared spectra.

Uncertainties
-------------
The counting statistics are unknown: counts are those of a camera and not single photons.
"""

import io
import re
import struct
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.raman import axis
from coldbond.files.spectrum import spectrum

HEADER, SUB_HEADER, LOG_HEADER = 512, 32, 64  # bytes
NEW, BIG_ENDIAN, OLD = 0x4B, 0x4C, 0x4D  # version
# Flags.
SHORT, MULTIPLE, LABELS, OWN_AXES, UNEVEN = 0x01, 0x04, 0x20, 0x40, 0x80
FLOAT = -128  # exponent
#: Unit of the axis by its number; 0 is arbitrary, and then a label may name it.
AXES = {1: "1/cm", 2: "um", 3: "nm", 13: "1/cm", 14: "eV"}
RAMAN_SHIFT = 13
RAMAN = 11  # kind of experiment
#: Intensities by their number: those a Raman spectrum has, with their unit. All others are of absorption or no spectra.
INTENSITIES = {0: "arbitrary units", 4: "count", 12: "arbitrary units", 13: "arbitrary units"}
OTHERS = {
    1: "interferogram",
    2: "absorbance",
    3: "Kubelka-Munk",
    10: "log(1/R)",
    128: "transmission",
    129: "reflectance",
}
LARGEST_NUMBER = 31  # of a unit, apart from those of 128 and more
A_DATE = struct.pack("<I", 2000 << 20 | 1 << 16 | 1 << 11)
EXPORT = "export one spectrum as text or as .spc in the new format, over Raman shift in 1/cm"
AGAIN = "copy or export it again"


def is_spc(data: bytes) -> bool:
    """Return whether the header is one of Galactic's new structure; it has no signature but its version."""
    if len(data) < HEADER or data[1] not in (NEW, BIG_ENDIAN, OLD) or data.startswith((b"PK", b"BM")):
        return False
    if data[1] == OLD:  # the number of points is a float
        ends = struct.unpack_from("<fff", data, 4)
        return (
            bool(np.isfinite(ends).all()) and 2 < ends[0] < 1 << 24 and ends[0] % 1 == 0 and data[16] <= LARGEST_NUMBER
        )
    order = "<" if data[1] == NEW else ">"
    points, first, last, spectra = struct.unpack_from(f"{order}IddI", data, 4)
    known = data[2] <= 14 and (data[28] <= LARGEST_NUMBER or data[28] == 255)
    known &= data[29] <= LARGEST_NUMBER or data[29] >= 128
    return known and bool(np.isfinite([first, last]).all()) and points < 1 << 24 and 0 < spectra < 1 << 24


def read_spc(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the spectrum of a file that holds one."""
    if data[1] != NEW:
        what = "in big-endian order" if data[1] == BIG_ENDIAN else "in the old structure of before 1996"
        raise ReadError(path, None, f"a Galactic .spc {what}", EXPORT)
    flags, _, kind, exponent, points, first, last, spectra = struct.unpack_from("<BBBbIddI", data)
    if spectra != 1:
        raise ReadError(path, None, f"a Galactic .spc of {spectra} spectra", EXPORT)
    if flags & OWN_AXES:
        raise ReadError(path, None, "a Galactic .spc whose spectra have axes of their own", EXPORT)
    places = 4 * points if flags & UNEVEN else 0
    begin = HEADER + places + SUB_HEADER
    own = struct.unpack_from("<b", data, HEADER + places + 1)[0] if begin <= len(data) else exponent
    is_float = FLOAT in (exponent, own)
    end = begin + points * (2 if flags & SHORT and not is_float else 4)
    log = _log(path, data, end)
    if not is_float and exponent != own:
        reason = f"the header gives the exponent {exponent}, that of the spectrum {own}"
        raise ReadError(path, None, reason, EXPORT)
    unit, name = _unit(data, flags, kind)
    if data[29] not in INTENSITIES:
        what = OTHERS.get(data[29], f"kind {data[29]}")
        raise ReadError(path, None, f"a Galactic .spc whose intensity is {what}, no Raman spectrum", axis.USE_RAMAN)
    if unit == "1/cm" and data[28] != RAMAN_SHIFT and kind != RAMAN and stated.technique != "raman" and not name:
        reason = "wavenumbers, and the file does not say whether of Raman or infrared light"
        raise ReadError(
            path, None, reason, "state it with read(path, technique='raman'), or export it over Raman shift"
        )
    x, y = _values(path, data[:end], points, (first, last) if not places else None)
    laser = next(
        (axis.laser(value) for key, value in log.items() if re.search("laser.*wavelength|excitation", key)), None
    )
    shift = axis.shift(path, x, unit, axis.excitation(stated, laser), name or f"number {data[28]} of Galactic")
    attrs: dict[str, object] = {"format": "galactic-spc"}
    attrs |= {"excitation": laser} if laser is not None else {}
    for key, start, size in (("instrument", 45, 9), ("sample_name", 88, 130)):
        written = data[start : start + size].split(b"\0")[0].decode("latin-1").strip()
        attrs |= {key: written} if written else {}
    attrs |= _start(struct.unpack_from("<I", data, 32)[0])
    units = INTENSITIES[data[29]]
    return spectrum(path, "raman", shift, y, units=units, unknown=axis.CAMERA, attrs=attrs)


def _values(path: Path, data: bytes, points: int, ends: tuple[float, float] | None) -> tuple[np.ndarray, np.ndarray]:
    """Return axis and intensities; `ends` are those of an even axis, which float32 would round."""
    from spc_io import SPC  # slow to import

    # Date and log are read here: spc-io prints something where the date does not exist.
    alone = data[:32] + A_DATE + data[36:248] + bytes(4) + data[252:]
    try:
        with np.errstate(all="ignore"):  # what is not finite is refused below
            one = SPC.from_bytes_io(io.BytesIO(alone))[0]
            x, y = np.array(one.xarray, float), np.array(one.yarray, float)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, NotImplementedError) as error:
        raise ReadError(path, None, f"damaged: spc-io fails with {error}", AGAIN) from None
    if y.size != points or x.size != points:
        raise ReadError(path, None, f"{y.size} intensities where {points} are stated", AGAIN)
    return (x if ends is None else np.linspace(*ends, points)), y


def _unit(data: bytes, flags: int, kind: int) -> tuple[str | None, str]:
    """Return the unit of the axis, and the label that names it where there is one."""
    label = data[218:248].split(b"\0")[0].decode("latin-1").strip() if flags & LABELS else ""
    if data[28] == 0 and label:
        return axis.unit(label), label if re.search("raman", label, re.IGNORECASE) or kind == RAMAN else ""
    return AXES.get(data[28]), ""


def _log(path: Path, data: bytes, end: int) -> dict[str, str]:
    """Return the lines of the log; spectrum and log must fill the file."""
    at = struct.unpack_from("<I", data, 248)[0]
    left = len(data) - end
    reason = f"{len(data)} bytes where header and spectrum have {end}"
    if not at and left:
        raise ReadError(path, None, f"{reason}: {'cut off' if left < 0 else 'more follows'}", AGAIN)
    if not at:
        return {}
    if at < end or at + LOG_HEADER > len(data):
        raise ReadError(path, None, f"{reason}, and the log stands at byte {at}", AGAIN)
    size, _, text = struct.unpack_from("<III", data, at)
    if at + size > len(data) or text > size:
        raise ReadError(path, None, f"{reason}, and the log of {size} bytes was cut off", AGAIN)
    lines = data[at + text : at + size].decode("latin-1").replace("\r", "\n").split("\n")
    pairs = [line.partition("=") for line in lines]
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}


def _start(date: int) -> dict[str, str]:
    """Return the date, packed into bits: minute 6, hour 5, day 5, month 4, year 12; nothing where it is none."""
    minute, hour, day, month, year = date & 63, date >> 6 & 31, date >> 11 & 31, date >> 16 & 15, date >> 20
    try:
        return {"start": datetime(year, month, day, hour, minute).isoformat()}
    except ValueError:
        return {}


FORMAT = Format(
    name="Galactic .spc",
    vendors="Galactic (GRAMS), B&W Tek, Horiba, Renishaw and others",
    techniques=("raman",),
    extensions=(".spc",),
    recognise=is_spc,
    read=read_spc,
    reads="a Raman spectrum on an even or uneven axis, of floats or integers; files of several spectra are refused",
    checked=(
        Checked(
            "formats-spectra/h2020charisma__PST10_iR532_Probe_100_3000msx7.spc", "MIT", "a plain parse of its bytes"
        ),
    ),
)
