"""Files of AMETEK VersaStudio, for potentiostats of Princeton Applied Research: impedance spectra (.par).

File structure
--------------
Sections as in XML, `<Action1>` to `</Action1>`, of lines `name=value`. Each `<Segment1>` holds a `Definition` of its
columns and one row per point, separated by commas. `Z Real` and `Z Imag` are Re(Z) and Im(Z) in ohm; they are zero in
other experiments. `<Instrument>` and `<Experiment>` name the potentiostat and the time.

Schema
------
xarray.Dataset with `impedance` [ohm] over `frequency` [Hz], `time` [s] and `sweep`, one a segment (see
`impedance.spectrum`), and the attrs `instrument`, `experiment`, `amplitude` [V], `low_frequency` [Hz], `start` and
`unfinished`.

Uncertainties
-------------
`significant_digits` of the impedance are those with which the numbers are written.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import impedance, impedance_rows
from coldbond.files.encoding import head
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated

READ_AS = {
    "Segment #": "sweep",
    "Elapsed Time(s)": "time/s",
    "Frequency(Hz)": "freq/Hz",
    "Z Real": "Re(Z)/ohm",
    "Z Imag": "Im(Z)/ohm",
}
OPENS = re.compile(r"<Segment\d+>")
AGAIN = "save it again from VersaStudio"
MILLI = 1e-3


def is_versastudio(data: bytes) -> bool:
    """Return whether the file starts with the section of the application, which is VersaStudio."""
    lines = head(data)
    return bool(lines) and lines[0].strip() == "<Application>" and any("VersaStudio" in line for line in lines[:9])


def read_versastudio(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the impedance spectra of all segments."""
    lines = impedance_rows.text_lines(path, data)
    fields, experiments = _fields(lines)
    if fields.get("Experiment", {}).get("DataFormat") == "Binary" and not any(map(OPENS.match, lines)):
        raise ReadError(path, None, "a VersaStudio file with binary data", "export the data as text or .par in ASCII")
    starts = [number for number, line in enumerate(lines) if OPENS.match(line)]
    if not starts:
        raise ReadError(path, None, "a VersaStudio file without a segment of data", AGAIN)
    opened = {lines[at].strip(): at for at in reversed(starts)}
    if twice := next((at for at in starts if opened[lines[at].strip()] < at), None):
        reason = f"a second {lines[twice].strip()}: two files were joined"
        raise ReadError(path, twice + 1, reason, "use each file by itself")
    names: list[str] = []
    rows: list[impedance_rows.Line] = []
    for start in starts:
        closing = lines[start].replace("<", "</")
        end = next((n for n, line in enumerate(lines[start:], start) if line.strip() == closing.strip()), None)
        if end is None:
            raise ReadError(path, len(lines), f"the file ends before {closing.strip()}", AGAIN)
        at = next((n for n in range(start, end) if lines[n].startswith("Definition=")), None)
        if at is None:
            raise ReadError(path, start + 1, "a segment without the names of its columns", AGAIN)
        own = [name.strip() for name in re.sub(r"(,\s*0)+$", "", lines[at].partition("=")[2]).split(",")]
        if names and own != names:
            raise ReadError(path, at + 1, "the segments have different columns", "save each segment by itself")
        names = own
        rows += impedance_rows.body(lines, at + 1, end)
    experiment = ", ".join(experiments) or "an unnamed experiment"
    if not {"Frequency(Hz)", "Z Real", "Z Imag"} <= {*names} or not re.search("EIS|Impedance", experiment):
        reason = f"a VersaStudio file of {experiment}, which is not read"
        remedy = "use an impedance spectrum; for cycling, export the data as text with the columns "
        raise ReadError(path, None, reason, remedy + "'test_time_second,voltage_volt,current_ampere'")
    attrs = {"format": "versastudio-par", "experiment": experiment, **_attrs(fields)}
    recording = impedance_rows.spectrum_from(
        path,
        names,
        rows,
        READ_AS,
        attrs,
        AGAIN,
        lambda line: [cell.strip() for cell in line.split(",")],
        "Point #",
        known_sign=True,
    )
    return impedance.marked_unfinished(recording, attrs.get("low_frequency", np.inf))


def _fields(lines: list[str]) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Return the fields of each section, the last of a kind, and the names of the actions but the common one."""
    fields: dict[str, dict[str, str]] = {}
    section, experiments = "", []
    for line in lines:
        if opened := re.fullmatch(r"<(\w+?)\d*>", line.strip()):
            section = opened[1]
        name, equals, value = line.partition("=")
        if equals and section in ("Action", "Instrument", "Experiment"):
            fields.setdefault(section, {})[name.strip()] = value.strip()
            if section == "Action" and name == "Name" and value.strip() != "Common":
                experiments.append(value.strip())
    return fields, experiments


def _attrs(fields: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return the settings under the names of the data model, in SI units."""
    action, attrs = fields.get("Action", {}), dict[str, Any]()
    if kind := fields.get("Instrument", {}).get("Type"):
        attrs["instrument"] = kind
    ends = [impedance_rows.header_number(action.get(f"{end} Frequency (Hz)")) for end in ("Start", "End")]
    if all(ends):
        attrs["low_frequency"] = min(end for end in ends if end)
    if amplitude := impedance_rows.header_number(action.get("Amplitude (mV RMS)")):
        attrs["amplitude"] = amplitude * MILLI
    at = fields.get("Experiment", {})
    try:  # the language of the program can be another than English
        stated = f"{at.get('DateAcquired', '')} {at.get('TimeAcquired', '')}"
        attrs["start"] = datetime.strptime(stated, "%A, %B %d, %Y %I:%M:%S %p").isoformat()
    except ValueError:
        pass
    return attrs


FORMAT = Format(
    name="VersaStudio .par",
    vendors="AMETEK Princeton Applied Research",
    techniques=("eis",),
    extensions=(".par",),
    recognise=is_versastudio,
    read=read_versastudio,
    reads="impedance spectra; other experiments and binary data are refused",
    checked=(Checked("formats-electrochemistry/exampleDataVersaStudio.par", "MIT", "a plain parse"),),
)
