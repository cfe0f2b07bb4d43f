"""Powder patterns of Rigaku's RINT and Ultima (.asc).

File structure
--------------
Text in utf-8 or Shift-JIS: groups of lines `*KEY = value` and of intensities alone, whose angles follow from `*START`
and `*STEP`.

Schema and uncertainties are those of `rigaku`.
"""

import re
from pathlib import Path

import xarray as xr

from coldbond.files.diffraction.rigaku import AGAIN, CUT_OFF, Header, lines_of, scan
from coldbond.files.diffraction.scans import pattern
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import numbers

#: Anodes by their atomic number, which the file states.
TARGETS = {"24": "Cr", "26": "Fe", "27": "Co", "29": "Cu", "42": "Mo", "47": "Ag"}


def is_asc(data: bytes) -> bool:
    """Return whether the file starts like an .asc."""
    return re.match(rb"(\xef\xbb\xbf)?\s*\*TYPE\s*=", data) is not None


def read_asc(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the scans of an .asc, a group each."""
    general: dict[str, str] = {}
    group, at, line = general, 0, 0
    rows: list[float] | None = None
    scans, ended = [], False
    for line, content in enumerate(lines_of(path, data), start=1):
        content = content.strip()
        field = re.fullmatch(r"(\*\w+)\s*=\s*(.*)", content)
        if content == "*BEGIN":
            group, at = dict(general), line
        elif content == "*END" and rows is not None:
            group["*HW_XG_TARGET_NAME"] = TARGETS.get(group.get("*TARGET", ""), "")
            scans.append(scan(Header(path, "asc", group, at), rows))
            group, rows = general, None
        elif content == "*EOF":
            ended = True
        elif field:
            group[field[1]] = field[2]
            rows = [] if field[1] == "*COUNT" else rows
        elif content and rows is not None:
            cells = [cell for cell in re.split(r"[,\s]+", content) if cell]
            rows.extend(numbers(path, cells, "an intensity", [line] * len(cells)).tolist())
    if rows is not None or not ended or general.get("*GROUP_COUNT", str(len(scans))) != str(len(scans)):
        raise ReadError(path, line, CUT_OFF.format("*EOF" if rows is None else "*END"), AGAIN)
    return pattern(path, scans)


FORMAT = Format(
    name="Rigaku .asc",
    vendors="Rigaku",
    techniques=("xrd",),
    extensions=(".asc",),
    recognise=is_asc,
    read=read_asc,
    reads="scans of 2theta, joined to one pattern",
)
