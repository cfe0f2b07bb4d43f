"""Text exports of VersaStudio, PowerSuite and PARSTAT: impedance spectra with dc points between them (.txt).

File structure
--------------
One line of column names with their units in brackets, `Potential (V)  Current (A)  Elapsed Time (s)  Frequency (Hz)
Zre (ohms)  Zim (ohms)  |Vac| (V)  |Iac| (A)`, and one row per point, separated by tabs. Points without an alternating
current have the frequency and the impedance zero. Zim is Im(Z). Nothing shows whether rows are missing at the end.

Schema
------
xarray.Dataset with `impedance` [ohm] over `frequency` [Hz], `time` [s] and `sweep` (see `impedance.spectrum`). The
points without an impedance are counted in `unread`.

Uncertainties
-------------
`significant_digits` of the impedance are those with which the numbers are written.
"""

from pathlib import Path

import xarray as xr

from coldbond.files.electrochemistry import impedance_rows
from coldbond.files.encoding import head
from coldbond.files.format import Checked, Format, Stated

READ_AS = {
    "Elapsed Time (s)": "time/s",
    "Frequency (Hz)": "freq/Hz",
    "Zre (ohms)": "Re(Z)/ohm",
    "Zim (ohms)": "Im(Z)/ohm",
}
NEEDED = {"Frequency (Hz)", "Zre (ohms)", "Zim (ohms)"}
AGAIN = "export it again from VersaStudio"


def is_parstat(data: bytes) -> bool:
    """Return whether the first line names the columns of the spectrum in these words, separated by tabs."""
    return {*impedance_rows.cells_of(next(iter(head(data)), ""), "\t")} >= NEEDED


def read_parstat(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the impedance spectra."""
    lines = impedance_rows.text_lines(path, data)
    impedance_rows.complete(path, lines)
    names, rows = impedance_rows.cells_of(lines[0], "\t"), impedance_rows.body(lines, 1)
    return impedance_rows.spectrum_from(
        path,
        names,
        rows,
        READ_AS,
        {"format": "parstat"},
        AGAIN,
        lambda line: impedance_rows.cells_of(line, "\t"),
        known_sign=True,
    )


FORMAT = Format(
    name="PARSTAT text",
    vendors="AMETEK Princeton Applied Research",
    techniques=("eis",),
    extensions=(".txt",),
    recognise=is_parstat,
    read=read_parstat,
    reads="impedance spectra; points without an impedance are counted as unread",
    checked=(Checked("eis-lib-impedancepy/exampleDataParstat.txt", "MIT", "a plain parse"),),
)
