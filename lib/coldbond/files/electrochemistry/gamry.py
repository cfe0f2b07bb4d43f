"""Files of Gamry Framework: potentiostatic, galvanostatic and hybrid impedance spectra (.DTA).

File structure
--------------
"EXPLAIN", a tag that names the experiment, and settings as `NAME  TYPE  value  label`, separated by tabs. Tables start
with `NAME  TABLE  number of rows`, names and units, and their rows begin with a tab. The spectrum is the table ZCURVE.
With drift correction it holds every quantity twice: the columns that were measured are read. Numbers have decimal
points or commas. Zimag is Im(Z). Which part of the file is the last is not stated: a file that is cut off between two
rows has no mark, but `unfinished` says so where it ends above FREQFINAL.

Schema
------
xarray.Dataset with `impedance` [ohm] over `frequency` [Hz], `time` [s] (see `impedance.spectrum`) and the attrs
`experiment`, `instrument`, `amplitude` [V], `low_frequency` [Hz], `start` and `unfinished`.

Uncertainties
-------------
`significant_digits` of the impedance are those with which the numbers are written.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import impedance, impedance_rows
from coldbond.files.encoding import head
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated

#: Tags of the experiments that are read.
SPECTRA = {"EISPOT": "potentiostatic", "GALVEIS": "galvanostatic", "EISGALV": "galvanostatic", "HYBRIDEIS": "hybrid"}
#: Other experiments by their tags, for the refusal.
OTHERS = {
    "CV": "cyclic voltammetry",
    "LSV": "linear sweep voltammetry",
    "CHRONOA": "chronoamperometry",
    "CHRONOP": "chronopotentiometry",
    "PWR800_CHARGE": "charge",
    "PWR800_DISCHARGE": "discharge",
    "PWRCHARGE": "charge",
    "PWRDISCHARGE": "discharge",
    "CORPOT": "open-circuit potential",
    "OCP": "open-circuit potential",
    "EISMON": "impedance at one frequency",
    "MOTTSCHOTTKY": "Mott-Schottky scan",
}
#: Columns that are read, the unit that must stand below them, and their names in `impedance_columns`.
COLUMNS = {
    "Time": ("s", "time/s"),
    "Freq": ("Hz", "freq/Hz"),
    "Zreal": ("ohm", "Re(Z)/ohm"),
    "Zimag": ("ohm", "Im(Z)/ohm"),
    "Zmod": ("ohm", "|Z|/ohm"),
    "Zphz": (None, "Phase(Z)/deg"),  # the degree sign of an old code page
}
AGAIN = "save it again from Gamry Framework"
MILLI = 1e-3
MONTHS = 12


def is_gamry(data: bytes) -> bool:
    """Return whether the file starts like one of Gamry Framework."""
    lines = head(data)
    return len(lines) > 1 and lines[0].strip() == "EXPLAIN" and lines[1].startswith("TAG\t")


def read_gamry(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read an impedance spectrum."""
    lines = impedance_rows.text_lines(path, data)
    tag = next((line.split("\t")[1].strip() for line in lines[:2] if line.startswith("TAG\t")), "")
    tables = [number for number, line in enumerate(lines) if re.match(r"ZCURVE\d*\tTABLE", line)]
    if tag not in SPECTRA:
        reason = f"a Gamry file of {OTHERS.get(tag, f'the experiment {tag!r}')}, which is not read"
        remedy = "use an impedance spectrum; for cycling, export it from Gamry Echem Analyst as text, with the columns "
        raise ReadError(path, 2, reason, remedy + "'test_time_second,voltage_volt,current_ampere'")
    if not tables:
        raise ReadError(path, None, "a Gamry file of an impedance spectrum without its table ZCURVE", AGAIN)
    if len(tables) > 1:
        raise ReadError(path, tables[1] + 1, "a Gamry file with several tables ZCURVE", "save each spectrum by itself")
    (at,) = tables
    end = next((n for n, line in enumerate(lines[at + 1 :], at + 1) if line and line[0] != "\t"), len(lines))
    table = lines[at + 1 : end]
    if len(table) < 2:
        raise ReadError(path, at + 1, "no columns below ZCURVE", AGAIN)
    names, units = (line.removeprefix("\t").split("\t") for line in table[:2])
    names = [name.strip() for name in names]
    for name, unit in zip(names, units, strict=False):
        if name in COLUMNS and COLUMNS[name][0] not in (None, unit.strip()):
            raise ReadError(path, at + 3, f"{name} is in {unit!r}, not in {COLUMNS[name][0]}", AGAIN)
    rows = impedance_rows.body(lines, at + 3, end)
    count = lines[at].split("\t")[2:3]
    if count and re.fullmatch(r"\s*[0-9]{1,9}\s*", count[0]) and int(count[0]) != len(rows):
        raise ReadError(path, at + 1, f"{len(rows)} rows below a table of {count[0].strip()}", AGAIN)
    if end == len(lines):
        impedance_rows.complete(path, lines)
    attrs = {"format": "gamry-dta", "experiment": SPECTRA[tag], **_attrs(lines[:at])}
    read_as = {name: canonical for name, (_, canonical) in COLUMNS.items()}
    recording = impedance_rows.spectrum_from(
        path,
        names,
        rows,
        read_as,
        attrs,
        AGAIN,
        lambda line: [c.strip() for c in line.removeprefix("\t").split("\t")],
        "Pt",
        known_sign=True,
    )
    if any(re.match(r"EXPERIMENTABORTED\tTOGGLE\tT", line) for line in lines[end:]):
        reached = float(recording.frequency.min())
        recording.attrs["unfinished"] = f"the experiment was aborted at {reached:g} Hz"
        return recording
    return impedance.marked_unfinished(recording, attrs.get("low_frequency", np.inf))


def _attrs(header: list[str]) -> dict[str, Any]:
    """Return the settings under the names of the data model, in SI units."""
    fields = {cells[0]: cells[2:] for line in header if len(cells := line.split("\t")) > 2 and cells[0]}
    attrs: dict[str, Any] = {}
    if section := next((fields[name][0].strip() for name in ("PSTATSECTION", "PSTAT") if name in fields), ""):
        attrs["instrument"] = section
    first, last = (impedance_rows.header_number(fields.get(name, [None])[0]) for name in ("FREQINIT", "FREQFINAL"))
    if first and last:
        attrs["low_frequency"] = min(first, last)
    amplitude = impedance_rows.header_number(fields.get("VAC", [None])[0])
    if amplitude is not None and "mV" in " ".join(fields["VAC"]):
        attrs["amplitude"] = amplitude * MILLI
    stated = " ".join(fields[name][0].strip() for name in ("DATE", "TIME") if name in fields)
    if dated := re.fullmatch(r"(\d+)/(\d+)/(\d{4}) (\d\d?):(\d\d):(\d\d)(?:\.\d*)?", stated):
        month, day, year, *clock = map(int, dated.groups())
        if month <= MONTHS < day:  # either could be the day below 13: the order follows the computer's language
            attrs["start"] = f"{year}-{month:02}-{day:02}T{':'.join(f'{part:02}' for part in clock)}"
    return attrs


FORMAT = Format(
    name="Gamry .DTA",
    vendors="Gamry",
    techniques=("eis",),
    extensions=(".dta",),
    recognise=is_gamry,
    read=read_gamry,
    reads="impedance (potentiostatic, galvanostatic, hybrid), without drift correction; other experiments are refused",
    checked=(
        Checked("eis-lib-impedancepy/exampleDataGamry.DTA", "MIT", "a plain parse"),
        Checked("formats-electrochemistry/EISGALV_EISTest3.DTA", "BSD-3-Clause", "a plain parse"),
    ),
)
