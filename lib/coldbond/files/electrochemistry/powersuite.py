"""Text exports of Princeton PowerSuite: impedance spectra (.txt).

File structure
--------------
The column names `Frequency`, `Zre` and `Zimg` without units, which are Hz and ohm, then one row per point, separated by
tabs. Some versions end lines with two carriage returns. Zimg is Im(Z). Nothing shows whether rows are missing at the
end.

Schema
------
xarray.Dataset with `impedance` [ohm] over `frequency` [Hz] (see `impedance.spectrum`).

Uncertainties
-------------
`significant_digits` of the impedance are those with which the numbers are written.
"""

from pathlib import Path

import xarray as xr

from coldbond.files.electrochemistry import impedance_rows
from coldbond.files.encoding import head
from coldbond.files.format import Checked, Format, Stated

READ_AS = {"Frequency": "freq/Hz", "Zre": "Re(Z)/ohm", "Zimg": "Im(Z)/ohm"}
AGAIN = "export it again from PowerSuite"


def is_powersuite(data: bytes) -> bool:
    """Return whether the first line names these three columns, without units."""
    return next(iter(head(data)), "").split() == list(READ_AS)


def read_powersuite(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read one impedance spectrum."""
    lines = impedance_rows.text_lines(path, data)
    impedance_rows.complete(path, lines)
    rows = impedance_rows.body(lines, 1)
    return impedance_rows.spectrum_from(
        path, list(READ_AS), rows, READ_AS, {"format": "powersuite"}, AGAIN, str.split, known_sign=True
    )


FORMAT = Format(
    name="PowerSuite text",
    vendors="AMETEK Princeton Applied Research",
    techniques=("eis",),
    extensions=(".txt",),
    recognise=is_powersuite,
    read=read_powersuite,
    reads="impedance spectra",
    checked=(Checked("formats-electrochemistry/exampleDataPowersuite.txt", "MIT", "a plain parse"),),
)
