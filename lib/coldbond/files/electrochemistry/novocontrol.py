"""Text exports of Novocontrol WinDETA and NEISYS: impedance spectra (.txt).

File structure
--------------
A title, a line `Fixed value(s) : AC Volt [Vrms]=3.5e-02`, a line of column names with their units in square brackets,
`Freq.[Hz]  Zs'[ohm]  Zs''[ohm]`, and one row per point, separated by tabs. The user chooses the columns among
impedance, admittance, permittivity, conductivity and others: the impedance in series, Zs, is read. Further columns hold
what was varied besides the frequency, such as `Temp. [°C]`. Nothing shows whether rows are missing at the end.

Schema
------
xarray.Dataset with `impedance` [ohm] over `frequency` [Hz] and `sweep` (see `impedance.spectrum`), and the attrs
`amplitude` [V] and `header`.

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
from coldbond.files.format import Checked, Format, Stated

FIXED = re.compile(r"\s*Fixed value\(s\)\s*:")
NAMES = re.compile(r"\s*Freq\.?\s*\[\w?Hz\]\s*(?:\t|\s\S)", re.IGNORECASE)
AMPLITUDE = re.compile(r"AC Volt\s*\[Vrms\]\s*=\s*(\S+)")
#: A name ends with its unit, or before the next tab.
NAME = re.compile(r"[^\t\[]+(?:\[[^\]]*\])?")
COLUMNS = {"Freq": "freq", "Zs'": "Zs'", "Zs''": "Zs''", "|Zs|": "|Z|", "Temp": "temperature"}
#: The line of the names stands at the latest here.
HEADER = 40
AGAIN = "export it again from WinDETA"


def is_novocontrol(data: bytes) -> bool:
    """Return whether column names as WinDETA writes them follow its line of fixed values."""
    lines = head(data)[:HEADER]
    return any(map(NAMES.match, lines)) and (any(map(FIXED.match, lines)) or any("Zs'" in line for line in lines))


def read_novocontrol(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read one or several impedance spectra."""
    lines = impedance_rows.text_lines(path, data)
    at = impedance_rows.matching(
        path, lines, lambda line: len(line) <= impedance_rows.LONGEST and NAMES.match(line), AGAIN
    )[0]
    names = [name.strip() for name in NAME.findall(lines[at]) if name.strip()]
    read_as = {}
    for name in names:
        plain, _, unit = name.partition("[")
        canonical = COLUMNS.get(plain.strip().rstrip("."))
        if canonical:
            read_as[name] = f"{canonical} ({unit.rstrip('] ')})"
    if not {"Zs'", "Zs''"} <= {name.partition("[")[0].strip() for name in read_as}:
        reason = f"a Novocontrol file of {', '.join(names)}, without the impedance Zs' and Zs''"
        raise ReadError(path, at + 1, reason, "export Freq, Zs' and Zs'' from WinDETA")
    impedance_rows.complete(path, lines)
    header = [line.strip() for line in lines[:at] if line.strip()]
    attrs: dict[str, object] = {"format": "novocontrol", "header": "; ".join(header)}
    amplitude = AMPLITUDE.search("\n".join(header))
    if amplitude and (volt := impedance_rows.header_number(amplitude[1])):
        attrs["amplitude"] = volt
    return impedance_rows.spectrum_from(
        path, names, impedance_rows.body(lines, at + 1), read_as, attrs, AGAIN, str.split
    )


FORMAT = Format(
    name="Novocontrol WinDETA text",
    vendors="Novocontrol",
    techniques=("eis",),
    extensions=(".txt",),
    recognise=is_novocontrol,
    read=read_novocontrol,
    reads="impedance spectra (Zs', Zs''); other quantities are refused",
    checked=(
        Checked(
            "eis-ion-conductor-arrhenius/s04147-140deg.txt", "MIT", "a plain parse, and the authors' Arrhenius fit"
        ),
    ),
)
