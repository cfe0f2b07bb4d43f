"""Text exports of Metrohm Autolab NOVA: impedance spectra (.txt, .csv).

File structure
--------------
One line of column names, each with its unit in brackets, and one row per point, separated by semicolons, tabs or
commas, with decimal points or commas: `Index;Frequency (Hz);Z' (Ω);-Z'' (Ω);Z (Ω);-Phase (°);Time (s)`. NOVA chooses
order and number of the columns. Where the export was not saved as Unicode, Ω and ° are question marks; NOVA has no
other units for them. Several spectra follow one another.

Schema
------
xarray.Dataset with `impedance` [ohm] over `frequency` [Hz], `time` [s] and `sweep` (see `impedance.spectrum`).

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

#: Ω and °, and what other code pages make of them.
BROKEN = "?\ufffdÙê½Â"
OHM = re.compile(rf"\((?:Ω|\u2126|Ohm|ohm|[{BROKEN}]+)\)$")
DEGREE = re.compile(rf"\((?:[{BROKEN}]*°|deg|[{BROKEN}]+)\)$")
#: Columns of an impedance spectrum by the name before the unit.
COLUMNS = {"Z'": OHM, "-Z''": OHM, "Z": OHM, "-Phase": DEGREE}
SAME = {"Frequency (Hz)": "Frequency (Hz)", "Time (s)": "Time (s)"}
#: Names that NOVA alone gives: two of these make a file one of NOVA.
NEEDED = ("Frequency (Hz)", "Z'", "-Z''")
OTHER = re.compile(r"WE\(1\)\.(?:Current|Potential)")
AGAIN = "export it again from NOVA as ASCII"


def is_nova(data: bytes) -> bool:
    """Return whether the first line names columns as NOVA does."""
    return bool(_separator(next(iter(head(data)), "")))


def _separator(line: str) -> str:
    """Return what separates the column names of NOVA in a line; "" where it is no such line."""
    if len(line) > impedance_rows.LONGEST:
        return ""
    for separator in (";", "\t", ","):
        names = impedance_rows.cells_of(line.removeprefix("\ufeff"), separator)
        spectrum = {"Frequency (Hz)", "Z'", "-Z''"} <= {_plain(name) for name in names}
        named = any(name in ("Index", "DataIndex", "Filename") or _plain(name) == "-Phase" for name in names)
        if (spectrum and named) or sum(bool(OTHER.match(name)) for name in names) > 1:
            return separator
    return ""


def _plain(name: str) -> str:
    """Return the name of a column without its unit, unless it is the frequency or the time in the usual unit."""
    plain, bracket, unit = name.rpartition("(")
    return plain.rstrip() if bracket and unit.endswith(")") and name not in SAME else name


def read_nova(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read one or several impedance spectra."""
    lines = impedance_rows.text_lines(path, data)
    separator = _separator(lines[0])
    if not separator:
        raise ReadError(path, 1, "the first line does not name the columns of NOVA alone", AGAIN)
    names = impedance_rows.cells_of(lines[0], separator)
    if any(OTHER.match(name) for name in names) and not set(NEEDED) <= {_plain(name) for name in names}:
        remedy = "use the data of an FRA measurement with Frequency, Z' and -Z''; for cycling name the columns "
        reason = "potential and current over time from Autolab NOVA, without the sign of charge"
        raise ReadError(path, 1, reason, remedy + "'test_time_second,voltage_volt,current_ampere' in the export")
    read_as = dict(SAME)
    for name in names:
        plain = _plain(name)
        if unit := COLUMNS.get(plain):
            if not unit.search(name):
                raise ReadError(path, 1, f"the unit of {name!r} is not the one that NOVA writes", AGAIN)
            read_as[name] = f"{plain} ({'ohm' if unit is OHM else 'deg'})"
    impedance_rows.complete(path, lines)
    return impedance_rows.spectrum_from(
        path,
        names,
        impedance_rows.body(lines, 1),
        read_as,
        {"format": "autolab-nova"},
        AGAIN,
        lambda line: impedance_rows.cells_of(line, separator),
        "Index",
        known_sign=True,
    )


FORMAT = Format(
    name="Autolab NOVA text",
    vendors="Metrohm Autolab",
    techniques=("eis",),
    extensions=(".txt", ".csv"),
    recognise=is_nova,
    read=read_nova,
    reads="impedance spectra, one or several; other data are refused",
)
