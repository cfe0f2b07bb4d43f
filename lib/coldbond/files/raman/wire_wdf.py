"""Raman spectra of Renishaw spectrometers, saved by WiRE (.wdf).

File structure
--------------
Little-endian blocks, each with a name of four letters, a number, its size and its content; the first, WDF1, is the
header of 512 bytes. DATA holds the intensities and XLST the axis, both float32; XLST starts with the kind of the axis
and its unit. (Places of the fields: the description of the format in Gwyddion's documentation and the parsers that
follow it, held against a spectrum and its text.)

Schema
------
xarray.Dataset: `intensity` over `raman_shift` [1/cm], with the attrs `excitation` [nm], `accumulations`, `start`,
`instrument` (the program) and `sample_name` (the title of the measurement). Files of several spectra are refused.

Uncertainties
-------------
The counting statistics are unknown: counts are those of a camera and not single photons.
"""

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.raman import axis
from coldbond.files.spectrum import spectrum

HEADER = 512  # bytes
BLOCK_HEADER = 16  # bytes: name, number, size
#: Unit of an axis or of the intensity, by its number.
UNITS = {1: "1/cm", 2: "1/cm", 3: "nm", 4: "eV", 5: "um", 6: "count"}
SPECTRAL = 1  # kind of an axis
KINDS = {1: "single spectrum", 2: "series", 3: "map"}
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
AGAIN = "copy or save it again from WiRE"


def is_wdf(data: bytes) -> bool:
    """Return whether the file starts like one of WiRE."""
    return data.startswith(b"WDF1")


def read_wdf(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the spectrum of a file that holds one."""
    blocks = _blocks(path, data)
    points, capacity, spectra, accumulations, _, on_axis = struct.unpack_from("<IQQIII", data, 60)
    _, kind, begun, _, unit, wavenumber = struct.unpack_from("<IIQQIf", data, 128)
    if spectra != 1 or capacity != 1:
        reason = f"{'a ' + KINDS[kind] if kind in (2, 3) else 'a file'} of {spectra} spectra ({capacity} planned)"
        raise ReadError(path, None, reason, "save one spectrum of it as .wdf or as text")
    content, places = blocks["DATA"], blocks["XLST"]
    if len(content) != 4 * points or len(places) != 8 + 4 * points or on_axis != points:
        reason = f"{len(content) // 4} intensities on {len(places) // 4 - 2} places where {points} points are stated"
        raise ReadError(path, None, reason, AGAIN)
    axis_kind, axis_unit = struct.unpack_from("<II", places)
    if axis_kind != SPECTRAL:
        raise ReadError(path, None, f"its axis is of kind {axis_kind}, not spectral", "save a spectrum")
    values = axis.floats(places[8:])
    laser = axis.laser(f"{wavenumber:.9g} cm-1") if np.isfinite(wavenumber) and wavenumber > 0 else None
    name = f"unit {axis_unit} of WiRE"
    shift = axis.shift(path, values, UNITS.get(axis_unit), axis.excitation(stated, laser), name)
    attrs = {"format": "renishaw-wdf", "accumulations": float(accumulations), "instrument": _text(data, 96, 24)}
    attrs |= {"excitation": laser} if laser is not None else {}
    attrs |= {"sample_name": title} if (title := _text(data, 240, 160)) else {}
    attrs |= _start(begun)
    units = UNITS.get(unit, "arbitrary units")
    intensity = axis.floats(content)
    return spectrum(path, "raman", shift, intensity, units=units, unknown=axis.CAMERA, attrs=attrs)


def _blocks(path: Path, data: bytes) -> dict[str, bytes]:
    """Return the content of each block by its name, the first of each; their sizes must add up to that of the file."""
    blocks: dict[str, bytes] = {}
    at = 0
    while at < len(data):
        name, size = "", 0
        if at + BLOCK_HEADER <= len(data):
            name, size = data[at : at + 4].decode("latin-1"), struct.unpack_from("<Q", data, at + 8)[0]
        if size < BLOCK_HEADER or at + size > len(data):
            reason = f"the block {name!r} at byte {at} has {size} bytes where {len(data) - at} are left: cut off"
            raise ReadError(path, None, reason, AGAIN)
        blocks.setdefault(name, data[at + BLOCK_HEADER : at + size])
        at += size
    if missing := {"WDF1", "DATA", "XLST"} - blocks.keys():
        raise ReadError(path, None, f"no block {', '.join(sorted(missing))}: it was cut off", AGAIN)
    if len(blocks["WDF1"]) != HEADER - BLOCK_HEADER:
        raise ReadError(path, None, f"a header of {len(blocks['WDF1']) + BLOCK_HEADER} bytes, not 512", AGAIN)
    return blocks


def _text(data: bytes, start: int, size: int) -> str:
    return data[start : start + size].split(b"\0")[0].decode("utf-8", "replace").strip()


def _start(ticks: int) -> dict[str, str]:
    """Return the start of the measurement, counted in 100 ns from 1601; nothing where it is not a date."""
    try:
        begun = EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return {}
    return {"start": begun.isoformat(timespec="seconds")} if ticks else {}


FORMAT = Format(
    name="Renishaw WiRE .wdf",
    vendors="Renishaw",
    techniques=("raman",),
    extensions=(".wdf",),
    recognise=is_wdf,
    read=read_wdf,
    reads="a file of one spectrum; maps and series are refused",
    checked=(
        Checked("formats-spectra/datalab__raman_example.wdf", "MIT", "the vendor's own export as text"),
        Checked("raman-labspec/raman_example.wdf", "MIT", "the vendor's own export as text"),
    ),
)
