"""Text files of CH Instruments potentiostats: impedance spectra and current transients (.txt).

File structure
--------------
A date, the name of the technique, a header of lines `name = value`, column names separated by commas, and one row per
point. Two techniques are read: "A.C. Impedance" and "Amperometric i-t Curve", a current at constant voltage. The header
states the frequencies and the duration that were set, which a run that was stopped does not reach. Older versions write
the µ in latin-1.

Schema
------
"A.C. Impedance": xarray.Dataset with `impedance` [ohm] over `frequency` [Hz] (see `impedance.spectrum`).
"Amperometric i-t Curve": xarray.Dataset with `current` [A] over `time` [s] and the attr `applied_voltage` [V] (see
`impedance.transient`). The current has the sign of the file, which does not say whether an anodic or a cathodic current
is positive. Both have `start`, `instrument` and the fields of the header in SI units, and `unfinished` where the run
ended early.

Uncertainties
-------------
`significant_digits` of the impedance and `resolution` of the current are those with which the numbers are written. The
accuracy of the instrument's ranges is not in the file.
"""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import impedance
from coldbond.files.electrochemistry.impedance_columns import named_columns
from coldbond.files.encoding import as_utf8, head
from coldbond.files.errors import NO_LINE_BREAK, NO_ROWS, ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import NUMBER

MODEL = re.compile(r"Instrument Model:\s*CHI")
DATE = re.compile(r"([A-Z][a-z]{2})[a-z]*\.?\s+(\d+),\s*(\d{4})\s+(\d+:\d+:\d+)")
#: Techniques that are read, and the first of their column names.
TECHNIQUES = {"A.C. Impedance": "Freq/Hz", "Amperometric i-t Curve": "Time/sec"}
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
}
AGAIN = "export it again as text"


def is_chi(data: bytes) -> bool:
    """Return whether the header names an instrument of CH Instruments, or one of the techniques that are read."""
    lines = head(data)
    return any(MODEL.match(line.strip()) for line in lines) or any(
        line.strip() in TECHNIQUES for line in lines[:TECHNIQUE_WITHIN]
    )


def read_chi(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read an impedance spectrum or a transient at constant voltage."""
    lines = [line.strip() for line in _text(path, data).split("\n")]
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
    names = [name.strip() for name in lines[at].split(",")]
    values, numbers = _rows(path, lines, at, len(names))
    if technique == "A.C. Impedance":
        spectrum = named_columns(path, names, values, numbers, {"format": "chi-eis", **attrs})
        return impedance.marked_unfinished(spectrum, attrs.get("low_frequency", np.inf))
    if len(names) < 2 or names[1] != "Current/A" or "initial_potential" not in attrs:
        raise ReadError(path, at + 1, "no current in A, or no 'Init E (V)' in the header", AGAIN)
    impedance.require_finite(path, values, numbers)
    if values[-1, 0] * impedance.UNFINISHED < attrs.get("run_time", 0):
        attrs["unfinished"] = f"ends at {values[-1, 0]:g} s, {attrs['run_time']:g} s were set"
    if names[2:]:
        attrs["unread"] = ", ".join(names[2:])
    attrs |= {"format": "chi-it", "current_sign": "as exported"}
    return impedance.transient(path, values[:, 0], values[:, 1], attrs["initial_potential"], attrs, numbers)


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
            attrs[FIELDS[name]] = float(value)
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
    for number, line in body:
        cells = line.split(",")
        if len(cells) != width or not all(NUMBER.fullmatch(cell.strip()) for cell in cells):
            raise ReadError(path, number, f"{line!r} is not {width} numbers", AGAIN)
    if not body:
        raise ReadError(path, at + 1, *NO_ROWS)
    if lines[-1]:
        raise ReadError(path, len(lines), *NO_LINE_BREAK)
    return np.array([line.split(",") for _, line in body], float), [number for number, _ in body]


FORMAT = Format(
    name="CH Instruments text",
    vendors="CH Instruments",
    techniques=("eis", "dc"),
    extensions=(".txt",),
    recognise=is_chi,
    read=read_chi,
    reads="A.C. Impedance and Amperometric i-t Curve",
)
