"""Text exports of PalmSens PSTrace and MultiTrace: impedance spectra (.csv).

File structure
--------------
Lines of a header, a line of column names, `freq / Hz,neg. Phase / Degrees,Idc / uA,Z / Ohm,Z' / Ohm,-Z'' / Ohm,Cs / F`,
and one row per point, separated by commas or semicolons, mostly in utf-16. "neg. Phase" is the negated phase. Several
curves stand beside each other under the same names: such a file is refused.

Schema
------
xarray.Dataset with `impedance` [ohm] over `frequency` [Hz] (see `impedance.spectrum`).

Uncertainties
-------------
`significant_digits` of the impedance are those with which the numbers are written.
"""

import re
from pathlib import Path

import xarray as xr

from coldbond.files.electrochemistry import impedance_rows
from coldbond.files.encoding import head
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated

NAMES = re.compile(r"""\W*freq / Hz\b.*\bZ' / \w*Ohm""")
NAME = re.compile(r"(freq|neg\. Phase|Z|Z'|-Z''|time) / \w+")
AGAIN = "export it again from PSTrace"


def is_palmsens(data: bytes) -> bool:
    """Return whether a line names the columns of a spectrum as PSTrace does."""
    return any(map(NAMES.match, head(data)))


def read_palmsens(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read one impedance spectrum."""
    lines = impedance_rows.text_lines(path, data)
    places = impedance_rows.matching(path, lines, NAMES.match, AGAIN)
    separator = ";" if ";" in lines[places[0]] else ","
    names = impedance_rows.cells_of(lines[places[0]], separator)
    if len(places) > 1 or names.count("freq / Hz") > 1:
        line = places[-1] + 1
        raise ReadError(path, line, "several spectra in one export of PSTrace", "export one curve at a time")
    impedance_rows.complete(path, lines)
    return impedance_rows.spectrum_from(
        path,
        names,
        impedance_rows.body(lines, places[0] + 1),
        {name: name for name in names if NAME.fullmatch(name)},
        {"format": "palmsens-pstrace"},
        AGAIN,
        lambda line: impedance_rows.cells_of(line, separator),
        known_sign=True,
    )


FORMAT = Format(
    name="PalmSens PSTrace .csv",
    vendors="PalmSens",
    techniques=("eis",),
    extensions=(".csv",),
    recognise=is_palmsens,
    read=read_palmsens,
    reads="one impedance spectrum; several curves beside each other are refused",
)
