"""Text files of CH Instruments potentiostats: impedance, current and potential over time (.txt).

File structure
--------------
A date, the name of the technique, a header of lines `name = value`, column names separated by commas, and one row per
point, separated by commas, tabs or blanks. The header states the frequencies and the duration that were set, which a
run that was stopped does not reach. Older versions write the µ in latin-1. Chronopotentiometry records no current. The
header states the currents of its segments, and at which potential or after which time a segment ends.

Schema
------
"A.C. Impedance": xarray.Dataset with `impedance` [ohm] over `frequency` [Hz] (see `impedance.spectrum`).
"Amperometric i-t Curve" and "Chronoamperometry" of one step: xarray.Dataset with `current` [A] over `time` [s] and the
attr `applied_voltage` [V] (see `impedance.transient`). The current has the sign of the file, which does not say whether
an anodic or a cathodic current is positive. Of a bipotentiostat the current of the first electrode is read.
"Chronopotentiometry": a cycling recording with the current that was set, anodic positive; `step` counts the segments.
"Open Circuit Potential - Time": a cycling recording without current.
All have `start`, `instrument` and the fields of the header in SI units; `unfinished` where the run ended early.

Uncertainties
-------------
`significant_digits` of the impedance and `resolution` of the others are those with which the numbers are written. The
accuracy of the instrument's ranges is not in the file.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import impedance
from coldbond.files.electrochemistry.cycler import dataset
from coldbond.files.electrochemistry.impedance_columns import named_columns
from coldbond.files.electrochemistry.numeric_table import numeric_table
from coldbond.files.encoding import as_utf8, head
from coldbond.files.errors import NO_LINE_BREAK, NO_ROWS, ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.numerals import NUMBER

MODEL = re.compile(r"Instrument Model:\s*CHI")
DATE = re.compile(r"([A-Z][a-z]{2})[a-z]*\.?\s+(\d+),\s*(\d{4})\s+(\d+:\d+:\d+)")
IMPEDANCE, IT, CA = "A.C. Impedance", "Amperometric i-t Curve", "Chronoamperometry"
CP, OPEN_CIRCUIT = "Chronopotentiometry", "Open Circuit Potential - Time"
#: Techniques that are read, and the first of their column names.
TECHNIQUES = {IMPEDANCE: "Freq/Hz", IT: "Time/sec", CA: "Time/sec", CP: "Time/sec", OPEN_CIRCUIT: "Time/sec"}
#: Lines within which the technique must stand.
TECHNIQUE_WITHIN = 4
#: Header fields that are kept, in SI units.
FIELDS = {
    "Init E (V)": "initial_potential",
    "Amplitude (V)": "amplitude",
    "Quiet Time (sec)": "quiet_time",
    "Sample Interval (s)": "sample_interval",
    "Run Time (sec)": "run_time",
    "Low Frequency (Hz)": "low_frequency",
    "High Frequency (Hz)": "high_frequency",
    "Pulse Width (sec)": "run_time",
}
#: The current of the first electrode; of a bipotentiostat i1.
CURRENTS = ("Current/A", "i1/A")
#: What can be read of a technique that is not: a step at constant voltage, as text with named columns.
BY_HAND = (
    "copy the rows of one step into a text file below the lines '# applied_voltage: 0.5 V' and 'time/s, current/A'"
)
BY_COLUMNS = "write a CSV file with the columns test_time_second, voltage_volt and current_ampere, charge positive"
#: A number with an exponent, and its decimals; the share of a column that must be written so before all must.
SCIENTIFIC = re.compile(r"[-+]?\d\.(\d+)[eE][-+]\d+")
ALIKE = 0.8
ANODIC, CATHODIC = 1, -1
AGAIN = "export it again as text"
#: Blanks that may stand beside a number; other control characters are damage.
SPACES = " \t\r"


def is_chi(data: bytes) -> bool:
    """Return whether the header names an instrument of CH Instruments, or one of the techniques that are read."""
    lines = [line.strip() for line in head(data)]
    # Other vendors have techniques of the same names, such as Chronopotentiometry, but other columns.
    return any(MODEL.match(line) for line in lines) or any(
        line in (IMPEDANCE, IT) or (line in TECHNIQUES and any(row.startswith("Time/sec") for row in lines))
        for line in lines[:TECHNIQUE_WITHIN]
    )


def read_chi(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read an impedance spectrum or a transient at constant voltage."""
    lines = [line.strip(SPACES) for line in _text(path, data).split("\n")]
    technique = next((line for line in lines[:TECHNIQUE_WITHIN] if line in TECHNIQUES), None)
    if technique is None:
        named = next((line for line in lines if line and not DATE.fullmatch(line)), "")
        reason = f"the technique {named!r} of CH Instruments is not read"
        raise ReadError(path, None, reason, f"use one of {', '.join(TECHNIQUES)}")
    at = next((number for number, line in enumerate(lines) if line.startswith(TECHNIQUES[technique])), None)
    if at is None:
        reason = f"no row of column names that starts with {TECHNIQUES[technique]}"
        raise ReadError(path, len(lines), reason, AGAIN)
    attrs = _attrs(lines[:at])
    names = [name.strip(SPACES) for name in re.split(r"[,;\t]", lines[at].rstrip(",; \t"))]
    values, numbers = _rows(path, lines, at, len(names))
    if technique == IMPEDANCE:
        spectrum = named_columns(path, names, values, numbers, {"format": "chi-eis", **attrs})
        return impedance.marked_unfinished(spectrum, attrs.get("low_frequency", np.inf))
    impedance.require_finite(path, values, numbers)
    if names[2:]:
        attrs["unread"] = ", ".join(names[2:])
    fields = _fields(lines[:at])
    if technique in (IT, CA):
        if len(names) < 2 or names[1] not in CURRENTS:
            raise ReadError(path, at + 1, f"no current in A among {', '.join(names)}", AGAIN)
        voltage = _voltage(path, technique, fields)
        _mark_unfinished(attrs, values[-1, 0], attrs.get("run_time", 0))
        attrs |= {"format": "chi-it" if technique == IT else "chi-ca", "current_sign": "as exported"}
        return impedance.transient(path, values[:, 0], values[:, 1], voltage, attrs, numbers)
    if len(names) < 2 or names[1] != "Potential/V":
        raise ReadError(path, at + 1, f"no potential in V among {', '.join(names)}", AGAIN)
    segments = _segments(path, fields, values) if technique == CP else None
    return _cycling(path, values, numbers, segments, attrs)


def _mark_unfinished(attrs: dict[str, Any], reached: float, wanted: float) -> None:
    if reached * impedance.UNFINISHED < wanted:
        attrs["unfinished"] = f"ends at {reached:g} s, {wanted:g} s were set"


def _fields(header: list[str]) -> dict[str, str]:
    """Return the settings `name = value` of a header."""
    return {name.strip(): value.strip() for name, found, value in (line.partition("=") for line in header) if found}


def _setting(path: Path, fields: Mapping[str, str], name: str) -> float:
    """Return a setting that is needed.

    Raises
    ------
    ReadError
        The header does not state it as a number.
    """
    if not NUMBER.fullmatch(fields.get(name, "")):
        raise ReadError(path, None, f"the header states no {name!r}", f"{AGAIN}, with the settings in its header")
    return float(fields[name])


def _polarity(path: Path, fields: Mapping[str, str]) -> int:
    """Return whether the first step or segment is anodic or cathodic."""
    polarity = {"P": ANODIC, "N": CATHODIC}.get(fields.get("Init P/N", "")[:1].upper())
    if polarity is None:
        raise ReadError(path, None, "the header states no 'Init P/N'", f"{AGAIN}, with the settings in its header")
    return polarity


def _voltage(path: Path, technique: str, fields: Mapping[str, str]) -> float:
    """Return the constant voltage of a transient."""
    if technique == IT:
        return _setting(path, fields, "Init E (V)")
    steps = _setting(path, fields, "Step")
    if steps != 1:
        reason = f"a CH Instruments {technique} of {steps:g} steps, not at one constant voltage"
        raise ReadError(path, None, reason, BY_HAND)
    return _setting(path, fields, "High E (V)" if _polarity(path, fields) == ANODIC else "Low E (V)")


def _segments(path: Path, fields: Mapping[str, str], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of the segment and the current of each point of a chronopotentiogram.

    A segment ends where the potential reaches the limit in its direction or its time is over, whichever comes first, as
    the instrument does. The file does not mark the segments: as many as were set must result, and the potential must
    jump where they begin.
    """
    holds = [name for name in fields if "Hold Time" in name and fields[name].strip("0.")]
    if holds:
        reason = f"a CH Instruments {CP} with {holds[0]!r}: it does not record the current of the hold"
        raise ReadError(path, None, reason, BY_COLUMNS)
    amperes = {
        CATHODIC: -abs(_setting(path, fields, "Cathodic Current (A)")),
        ANODIC: abs(_setting(path, fields, "Anodic Current (A)")),
    }
    limits = {CATHODIC: _setting(path, fields, "Low E Limit (V)"), ANODIC: _setting(path, fields, "High E Limit (V)")}
    times = {CATHODIC: _setting(path, fields, "Cathodic Time (s)"), ANODIC: _setting(path, fields, "Anodic Time (s)")}
    direction, begin, segment = _polarity(path, fields), values[0, 0], 1
    found, directions = [], []
    for time, potential in values[:, :2]:
        found.append(segment)
        directions.append(direction)
        if direction * (potential - limits[direction]) >= 0 or time - begin >= times[direction]:
            direction, begin, segment = -direction, time, segment + 1
    numbers, current = np.array(found), np.array([amperes[sign] for sign in directions])
    wanted = _setting(path, fields, "Segment")
    # The potential jumps in the direction of the new segment, and nowhere against the direction as far.
    steps = np.diff(values[:, 1]) * np.array(directions[1:])
    turns = np.diff(numbers) > 0
    if numbers[-1] != wanted or (turns.any() and steps[turns].min() <= np.max(-steps[~turns], initial=0)):
        reason = (
            f"a CH Instruments {CP} of {wanted:g} segments, of which the potentials and times that were set give "
            f"{numbers[-1]}: the current, which it does not record, is unknown"
        )
        raise ReadError(path, None, reason, BY_COLUMNS)
    return numbers, current


def _cycling(
    path: Path,
    values: np.ndarray,
    lines: list[int],
    segments: tuple[np.ndarray, np.ndarray] | None,
    attrs: Mapping[str, Any],
) -> xr.Dataset:
    """Return the potential over time, with the current that was set."""
    current = np.zeros(len(values)) if segments is None else segments[1]
    columns: dict[str, tuple[str, str | None, Any]] = {
        "time": ("Time/sec", "s", values[:, 0]),
        "voltage": ("Potential/V", "V", values[:, 1]),
        "current": ("current", "A", current),
    }
    if segments is not None:
        columns["step"] = ("segment", None, segments[0])
        columns["state"] = ("state", None, ["charge" if ampere > 0 else "discharge" for ampere in current])
    table = numeric_table(path, "chi-ocp" if segments is None else "chi-cp", columns, lines)
    recording = dataset([table])
    recording.current.attrs["derived"] = "zero at open circuit" if segments is None else "as set, anodic positive"
    return recording.assign_attrs(attrs)


def _text(path: Path, data: bytes) -> str:
    try:
        return as_utf8(path, data).decode()
    except ReadError:
        if b"\0" in data:
            raise
        return data.decode("latin-1")


def _attrs(header: list[str]) -> dict[str, Any]:
    """Return the header fields under the names of the data model."""
    attrs: dict[str, Any] = {"header": "; ".join(line for line in header if line and not line.endswith(":"))}
    for line in header:
        name, _, value = line.partition(" = ")
        if name in FIELDS and NUMBER.fullmatch(value.strip()):
            attrs[FIELDS[name]] = float(value.strip())
        if MODEL.match(line):
            attrs["instrument"] = line.partition(":")[2].strip()
    if start := next(filter(None, map(_start, header)), None):
        attrs["start"] = start
    return attrs


def _start(line: str) -> str | None:
    """Return a date as ISO 8601; months are written `Feb.`, `June`, `Sept.`."""
    date = DATE.fullmatch(line)
    try:
        return datetime.strptime(" ".join(date.groups()), "%b %d %Y %H:%M:%S").isoformat() if date else None
    except ValueError:
        return None


def _rows(path: Path, lines: list[str], at: int, width: int) -> tuple[np.ndarray, list[int]]:
    """Return the numbers below the column names in line `at`, and the line of each row."""
    body = [(number, line) for number, line in enumerate(lines[at + 1 :], start=at + 2) if line]
    if body and (gap := next((n for n, (number, _) in enumerate(body) if number != body[0][0] + n), None)):
        raise ReadError(path, body[gap][0] - 1, "an empty line between the points: one may be lost", AGAIN)
    rows = [_cells(line) for _, line in body]
    for (number, line), cells in zip(body, rows, strict=True):
        if len(cells) != width or not all(NUMBER.fullmatch(cell) for cell in cells):
            raise ReadError(path, number, f"{line!r} is not {width} numbers", AGAIN)
    if not body:
        raise ReadError(path, at + 1, *NO_ROWS)
    if lines[-1]:
        raise ReadError(path, len(lines), *NO_LINE_BREAK)
    for column in zip(*rows, strict=True):
        _require_alike(path, column, [number for number, _ in body])
    return np.array(rows, float), [number for number, _ in body]


def _require_alike(path: Path, cells: Sequence[str], lines: Sequence[int]) -> None:
    """Refuse a number with other digits than its column, where the instrument writes all with an exponent."""
    decimals = [len(found[1]) if (found := SCIENTIFIC.fullmatch(cell)) else -1 for cell in cells]
    usual = max(set(decimals), key=decimals.count)
    if usual < 0 or decimals.count(usual) < ALIKE * len(decimals):
        return
    row = next((row for row, own in enumerate(decimals) if own != usual), None)
    if row is not None:
        reason = f"{cells[row]!r} is not written like the other numbers of its column"
        raise ReadError(path, lines[row], reason, AGAIN)


def _cells(line: str) -> list[str]:
    """Return the fields of a row: between tabs or semicolons, where a comma is a decimal comma, else between commas."""
    separator = next((mark for mark in "\t;" if mark in line), None)
    if separator is not None:
        return [cell.strip(f", {SPACES}").replace(",", ".") for cell in line.split(separator)]
    return [cell.strip(SPACES) for cell in (line.split(",") if "," in line else line.split())]


FORMAT = Format(
    name="CH Instruments text",
    vendors="CH Instruments",
    techniques=("eis", "dc", "cycling"),
    extensions=(".txt",),
    recognise=is_chi,
    read=read_chi,
    reads=(
        "A.C. Impedance; i-t curve, also of a bipotentiostat, and Chronoamperometry of one step; Chronopotentiometry "
        "with the current that was set; Open Circuit Potential; others are refused by name"
    ),
    checked=(Checked("chi660e-eis/exampleDataCHInstruments.txt", "MIT", "a plain parse"),),
)
