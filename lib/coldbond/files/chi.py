"""Text files of CH Instruments: impedance spectra and current transients."""

import re
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files import impedance
from coldbond.files.encoding import as_utf8, head
from coldbond.files.errors import UNENDED, ReadError
from coldbond.files.table import NUMBER

MODEL = re.compile(r"Instrument Model:\s*CHI")
DATE = re.compile(r"([A-Z][a-z]{2})[a-z]*\.?\s+(\d+),\s*(\d{4})\s+(\d+:\d+:\d+)")
NAMES = {"A.C. Impedance": "Freq/Hz", "Amperometric i-t Curve": "Time/sec"}
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
NEARLY = 1.3
AGAIN = "export it again as text"


def is_chi(data: bytes) -> bool:
    """Whether the header names an instrument of CH Instruments, or starts with one of its techniques that are read."""
    lines = head(data)
    return any(MODEL.match(line.strip()) for line in lines) or any(line.strip() in NAMES for line in lines[:4])


def read_chi(path: Path, data: bytes) -> xr.Dataset:
    """Read an impedance spectrum ("A.C. Impedance") or a transient at constant voltage ("Amperometric i-t Curve").

    The header's frequencies are those that were asked for; a file that ends before says so in the attr `unfinished`.
    The sign of a current is kept as written: whether anodic or cathodic counts as positive, the file does not say.

    Returns
    -------
    xarray.Dataset
        See `coldbond.files.read`.

    Raises
    ------
    ReadError
        It is of another technique, a row is cut off, or the columns contradict each other.
    """
    lines = [line.strip() for line in _text(path, data).split("\n")]
    at, technique = next(((at, line) for at, line in enumerate(lines[:4]) if line in NAMES), (None, ""))
    if at is None:
        named = next((line for line in lines if line and not DATE.fullmatch(line)), "")
        raise ReadError(path, None, f"{named!r} of CH Instruments is not read", f"give one of {', '.join(NAMES)}")
    at = next((number for number, line in enumerate(lines) if line.startswith(NAMES[technique])), None)
    if at is None:
        raise ReadError(path, len(lines), f"no row of column names that starts with {NAMES[technique]}", AGAIN)
    attrs = _attrs(lines[:at])
    names = [name.strip() for name in lines[at].split(",")]
    values, numbers = _rows(path, lines, at, len(names))
    if technique == "A.C. Impedance":
        read = impedance.named_columns(path, names, values, numbers, {"format": "chi-eis", **attrs})
        lowest, set_to = float(read.frequency.min()), attrs.get("low_frequency", np.inf)
        if lowest > NEARLY * set_to:
            read.attrs["unfinished"] = f"ends at {lowest:g} Hz, {set_to:g} Hz was set"
        return read
    if len(names) < 2 or names[1] != "Current/A" or "initial_potential" not in attrs:
        raise ReadError(path, at + 1, "no current in A, or no 'Init E (V)' in the header", AGAIN)
    impedance.finite(path, values, numbers)
    if values[-1, 0] * NEARLY < attrs.get("run_time", 0):
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
        return data.decode("latin-1")  # older versions write a µ so


def _attrs(header: list[str]) -> dict:
    attrs: dict = {"header": "; ".join(line for line in header if line and not line.endswith(":"))}
    for line in header:
        name, _, stated = line.partition(" = ")
        if name in FIELDS and NUMBER.fullmatch(stated.strip()):
            attrs[FIELDS[name]] = float(stated)
        if MODEL.match(line):
            attrs["instrument"] = line.partition(":")[2].strip()
    if start := next(filter(None, map(_start, header)), None):
        attrs["start"] = start
    return attrs


def _start(line: str) -> str | None:
    """A date as ISO 8601: months are `Feb.`, `June`, `Sept.`."""
    stated = DATE.fullmatch(line)
    try:
        return datetime.strptime(" ".join(stated.groups()), "%b %d %Y %H:%M:%S").isoformat() if stated else None
    except ValueError:
        return None


def _rows(path: Path, lines: list[str], at: int, width: int) -> tuple[np.ndarray, list[int]]:
    body = [(number, line) for number, line in enumerate(lines[at + 1 :], start=at + 2) if line]
    for number, line in body:
        cells = line.split(",")
        if len(cells) != width or not all(NUMBER.fullmatch(cell.strip()) for cell in cells):
            raise ReadError(path, number, f"{line!r} is not {width} numbers", AGAIN)
    if not body:
        raise ReadError(path, at + 1, "a header, but no rows below it", AGAIN)
    if lines[-1]:
        raise ReadError(path, len(lines), *UNENDED)
    return np.array([line.split(",") for _, line in body], float), [number for number, _ in body]
