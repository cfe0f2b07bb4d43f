"""Files of Keysight and Agilent impedance analysers: impedance spectra (.csv).

File structure
--------------
Lines that begin with "!", `BEGIN CH1_DATA`, a line of column names with their units in brackets, `Frequency(Hz),R(Ohm),
X(Ohm)` or `Frequency(Hz),|Z|(Ohm),Phase(deg)`, one row per point, and `END`. The user chooses the parameters: those of
an impedance are read, scattering parameters and admittances are refused.

Schema
------
xarray.Dataset with `impedance` [ohm] over `frequency` [Hz] (see `impedance.spectrum`), and the attr `instrument`.

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

BEGIN = re.compile(r"BEGIN CH\d+_DATA\s*$")
MODEL = re.compile(r"!\s*(?:Keysight|Agilent|Hewlett)[^,]*,\s*([^,\s]+)", re.IGNORECASE)
AGAIN = "save the data again as CSV from the analyser"


def is_keysight(data: bytes) -> bool:
    """Return whether a line begins the data of a channel."""
    return any(map(BEGIN.match, head(data)))


def read_keysight(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the spectrum of the one channel."""
    lines = impedance_rows.text_lines(path, data)
    begins = impedance_rows.matching(path, lines, BEGIN.match, AGAIN)
    if len(begins) > 1:
        raise ReadError(path, begins[1] + 1, "the data of several channels", "save each channel by itself")
    end = next((number for number, line in enumerate(lines) if line.strip() == "END"), None)
    if end is None or end < begins[0] + 2:
        raise ReadError(path, len(lines), "the file ends before END", AGAIN)
    names = impedance_rows.cells_of(lines[begins[0] + 1], ",")
    if re.search(r"\bS\d\d\b|\(dB\)", " ".join(names)):
        reason = f"a Keysight file of {', '.join(names)}, which is no impedance"
        raise ReadError(path, begins[0] + 2, reason, "save R and X, or |Z| and the phase")
    attrs = {"format": "keysight-csv"}
    if model := next(filter(None, map(MODEL.match, lines[: begins[0]])), None):
        attrs["instrument"] = model[1]
    return impedance_rows.spectrum_from(
        path,
        names,
        impedance_rows.body(lines, begins[0] + 2, end),
        {name: name for name in names},
        attrs,
        AGAIN,
        lambda line: impedance_rows.cells_of(line, ","),
        known_sign=True,
    )


FORMAT = Format(
    name="Keysight .csv",
    vendors="Keysight, Agilent",
    techniques=("eis",),
    extensions=(".csv",),
    recognise=is_keysight,
    read=read_keysight,
    reads="impedance spectra of one channel (R and X, or |Z| and phase); other parameters are refused",
)
