"""Text exports of Solartron SMaRT: impedance spectra (.csv).

File structure
--------------
Lines of a header, a line of column names, among them `Sweep Number`, `Frequency (Hz)`, `Temperature ('C)`, `Impedance
Magnitude (Ohms)` and `Impedance Phase Degrees (')`, and one row per point, separated by commas, or by semicolons where
numbers have decimal commas. The user chooses the columns. Sweeps at several temperatures follow one another: one of
them must be chosen.

Schema
------
xarray.Dataset with `impedance` [ohm] over `frequency` [Hz], `sweep` and `temperature` [degC]; see `impedance.spectrum`.

Uncertainties
-------------
`significant_digits` of the impedance are those with which the numbers are written.
"""

from pathlib import Path

import xarray as xr

from coldbond.files.electrochemistry import impedance_rows
from coldbond.files.encoding import head
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated

#: Words of which a line of column names holds those of one row.
WORDS = (
    ("frequency (hz)", "impedance magnitude ("),
    ("frequency (hz)", "impedance real ("),
    ("frequency (hz)", "admittance magnitude ("),
)
READ_AS = {
    "sweep number": "sweep",
    "frequency (hz)": "frequency (Hz)",
    "temperature ('c)": "temperature (°C)",
    "impedance magnitude (ohms)": "|Z| (ohm)",
    "impedance phase degrees (')": "Phase(Z) (deg)",
    "impedance real (ohms)": "Re(Z) (ohm)",
    "impedance imaginary (ohms)": "Im(Z) (ohm)",
}
PAIRS = ({"|Z| (ohm)", "Phase(Z) (deg)"}, {"Re(Z) (ohm)", "Im(Z) (ohm)"})
AGAIN = "export it again from SMaRT"


def is_solartron(data: bytes) -> bool:
    """Return whether a line names the columns of a spectrum as SMaRT does."""
    return any(map(_names_columns, head(data)))


def _names_columns(line: str) -> bool:
    return any(impedance_rows.named(line, words) for words in WORDS)


def read_solartron(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the impedance spectra."""
    lines = impedance_rows.text_lines(path, data)
    at = impedance_rows.matching(path, lines, _names_columns, AGAIN)[0]
    separator = next((mark for mark in ";\t," if mark in lines[at]), ",")
    names = impedance_rows.cells_of(lines[at], separator)
    read_as = {name: READ_AS[name.lower()] for name in names if name.lower() in READ_AS}
    if not any(pair <= {*read_as.values()} for pair in PAIRS):
        reason = "an export of SMaRT without magnitude and phase, or real and imaginary part, of the impedance"
        raise ReadError(path, at + 1, reason, "export these columns from SMaRT")
    impedance_rows.complete(path, lines)
    return impedance_rows.spectrum_from(
        path,
        names,
        impedance_rows.body(lines, at + 1),
        read_as,
        {"format": "solartron-smart"},
        AGAIN,
        lambda line: impedance_rows.cells_of(line, separator),
    )


FORMAT = Format(
    name="Solartron SMaRT .csv",
    vendors="Solartron Analytical",
    techniques=("eis",),
    extensions=(".csv",),
    recognise=is_solartron,
    read=read_solartron,
    reads="impedance spectra; of sweeps at several temperatures one must be chosen",
)
