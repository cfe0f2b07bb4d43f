"""Powder patterns exported as text by DIFFRAC.EVA of Bruker (.xy).

File structure
--------------
One line of names with values in quotes, `'Id: "" Comment: "" Operator: "user" Anode: "Cu" Scantype: "Coupled
TwoTheta/Theta" TimePerStep: "96"`, then rows of angle and intensity.

Schema
------
xarray.Dataset: `intensity` over `two_theta` [degree], with the attrs `anode`, `scan_axis` and `sample_name`. The file
states the anode, not the wavelengths: these are stated beside it.

Uncertainties
-------------
The file does not say whether its intensities are counts or counts per second, so that the statistics are unknown.
"""

import re
from pathlib import Path
from typing import Any

import xarray as xr

from coldbond.files.diffraction.scans import BRUKER_AXES, check_axis
from coldbond.files.encoding import head
from coldbond.files.errors import NO_ROWS, ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.header import wavelengths_of
from coldbond.files.rows import lines_of, read_rows
from coldbond.files.spectrum import gaps, spectrum

FIELD = re.compile(r'(\w+): "([^"]*)"')
UNKNOWN = "DIFFRAC.EVA does not write whether its intensities are counts or counts per second"


def is_bruker_xy(data: bytes) -> bool:
    """Return whether the first line is that of DIFFRAC.EVA."""
    first = next(iter(head(data)), "")
    return first.startswith("'") and {"Id", "Scantype"} <= dict(FIELD.findall(first)).keys()


def read_bruker_xy(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the pattern."""
    lines = lines_of(path, data)
    fields = dict(FIELD.findall(lines[0]))
    scan_type = fields.get("Scantype", "")
    axis = BRUKER_AXES.get(scan_type.lower(), scan_type)
    check_axis(path, axis, 1)
    if not any(line.strip() for line in lines[1:]):
        raise ReadError(path, 1, *NO_ROWS)
    rows = read_rows(path, lines, 1)
    if rows.values.shape[1] != 2:
        reason = f"{rows.values.shape[1]} columns, where DIFFRAC.EVA writes angle and intensity"
        raise ReadError(path, rows.lines[0], reason, "export the scan again, alone")
    attrs: dict[str, Any] = {"format": "bruker-xy", "instrument": "Bruker", "scan_axis": axis}
    attrs |= {"anode": fields.get("Anode", ""), "sample_name": fields.get("Id", "")}
    attrs |= wavelengths_of(path, [comment for _, comment in rows.comments])
    known = {name: value for name, value in attrs.items() if value}
    angle, intensity = rows.values.T
    known |= gaps(path, angle, rows.lines)
    return spectrum(
        path, "xrd", angle, intensity, units="arbitrary units", unknown=UNKNOWN, attrs=known, lines=rows.lines
    )


FORMAT = Format(
    name="Bruker DIFFRAC.EVA text",
    vendors="Bruker",
    techniques=("xrd",),
    extensions=(".xy",),
    recognise=is_bruker_xy,
    read=read_bruker_xy,
    reads="one scan of 2theta; the wavelengths are stated beside the file",
    checked=(Checked("formats-spectra/datalab__example_evadiffract.xy", "MIT", "a plain parse"),),
)
