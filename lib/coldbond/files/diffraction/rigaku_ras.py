"""Powder patterns of Rigaku's SmartLab and MiniFlex (.ras).

File structure
--------------
Text in utf-8 or Shift-JIS: for each scan a header of lines `*KEY "value"`, then rows of angle, intensity and
attenuation factor.

Schema and uncertainties are those of `rigaku`.
"""

import re
from pathlib import Path

import xarray as xr

from coldbond.files.diffraction.rigaku import AGAIN, CUT_OFF, Header, lines_of, scan
from coldbond.files.diffraction.scans import pattern
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated


def is_ras(data: bytes) -> bool:
    """Return whether the file starts like a .ras."""
    return re.match(rb"(\xef\xbb\xbf)?\s*\*RAS_DATA_START", data) is not None


def read_ras(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the scans of a .ras."""
    lines = lines_of(path, data)
    marks = [(at, line.strip()) for at, line in enumerate(lines) if line.startswith("*RAS_")]
    order = ["*RAS_HEADER_START", "*RAS_HEADER_END", "*RAS_INT_START", "*RAS_INT_END"]
    expected, places = order[0], dict[str, int]()
    scans: list[xr.Dataset] = []
    for at, mark in marks[1:]:
        if mark == "*RAS_DATA_END" and expected == order[0]:
            return pattern(path, scans)
        if mark != expected:
            raise ReadError(path, at + 1, f"{mark} where {expected} should stand", AGAIN)
        places[mark] = at
        expected = order[(order.index(mark) + 1) % 4]
        if mark == order[3]:
            head = "\n".join(lines[places[order[0]] + 1 : places[order[1]]])
            fields = dict(re.findall(r'^(\*\S+) "(.*?)"[ \t]*$', head, re.MULTILINE | re.DOTALL))
            start = places[order[2]] + 1
            scans.append(scan(Header(path, "ras", fields, places[order[0]] + 1), lines[start:at], start + 1))
    raise ReadError(path, len(lines), CUT_OFF.format("*RAS_DATA_END" if expected == order[0] else expected), AGAIN)


FORMAT = Format(
    name="Rigaku .ras",
    vendors="Rigaku",
    techniques=("xrd",),
    extensions=(".ras",),
    recognise=is_ras,
    read=read_ras,
    reads="scans of 2theta, joined to one pattern",
    checked=(
        Checked(
            "xrd-rigaku-ras-nims/XRD_RIGAKU.ras",
            "MIT (code), CC-BY-SA 4.0 (marked files)",
            "geddes and the table that its publisher made",
        ),
    ),
)
