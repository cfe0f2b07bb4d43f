"""Text files of CH Instruments: impedance spectra and current transients."""

import re
from datetime import datetime
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.reading import impedance
from coldbond.reading.encoding import as_utf8, head
from coldbond.reading.errors import ReadError
from coldbond.reading.table import NUMBER

MODEL = re.compile(rb"Instrument Model:\s*CHI")
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
ROUNDED_PHASE = 0.1  # degree, of one decimal beside parts of four digits
ROUNDED = 2e-3  # of the modulus, four digits each
NEARLY = 1.3
AGAIN = "export it again as text"


def is_chi(data: bytes) -> bool:
    """Whether the header names an instrument of CH Instruments."""
    return bool(MODEL.search("\n".join(head(data)).encode("ascii", "replace")))


def read_chi(path: Path, data: bytes) -> xr.Dataset:
    """Read an impedance spectrum ("A.C. Impedance") or a transient at constant voltage ("Amperometric i-t Curve").

    The header's frequencies are those that were asked for; a file that ends before says so in the attr `unfinished`.

    Returns
    -------
    xarray.Dataset
        See `coldbond.reading.read`.

    Raises
    ------
    ReadError
        It is of another technique, a row is cut off, or the columns contradict each other.
    """
    lines = [line.strip() for line in _text(path, data).split("\n")]
    technique = next((line for line in lines[:4] if line in NAMES), None)
    if technique is None:
        named = lines[1] if len(lines) > 1 else ""
        raise ReadError(path, 2, f"{named!r} of CH Instruments is not read", f"give one of {', '.join(NAMES)}")
    at = next((number for number, line in enumerate(lines) if line.startswith(NAMES[technique])), None)
    if at is None:
        raise ReadError(path, len(lines), f"no row of column names that starts with {NAMES[technique]}", AGAIN)
    attrs = _attrs(lines[:at])
    names = [name.strip() for name in lines[at].split(",")]
    values, numbers = _rows(path, lines, at, len(names))
    if technique == "A.C. Impedance":
        return _spectrum(path, names, values, numbers, attrs)
    if names[1] != "Current/A" or "initial_potential" not in attrs:
        raise ReadError(path, at + 1, "no current in A, or no 'Init E (V)' in the header", AGAIN)
    if values[-1, 0] * NEARLY < attrs.get("run_time", 0):
        attrs["unfinished"] = f"ends at {values[-1, 0]:g} s, {attrs['run_time']:g} s were set"
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
        if line.startswith("Instrument Model:"):
            attrs["instrument"] = line.partition(":")[2].strip()
    if start := _start(header[0] if header else ""):
        attrs["start"] = start
    return attrs


def _start(line: str) -> str | None:
    """The first line as ISO 8601: months are `Feb.`, `June`, `Sept.`."""
    stated = re.fullmatch(r"([A-Z][a-z]{2})[a-z]*\.?\s+(\d+),\s*(\d{4})\s+(\d+:\d+:\d+)", line)
    if not stated:
        return None
    try:
        return datetime.strptime(" ".join(stated.groups()), "%b %d %Y %H:%M:%S").isoformat()
    except ValueError:
        return None


def _rows(path: Path, lines: list[str], at: int, width: int) -> tuple[np.ndarray, list[int]]:
    body = [(number, line) for number, line in enumerate(lines[at + 1 :], start=at + 2) if line]
    for number, line in body:
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) != width or not all(NUMBER.fullmatch(cell) for cell in cells):
            raise ReadError(path, number, f"{line!r} is not {width} numbers", AGAIN)
    if not body:
        raise ReadError(path, at + 1, "a header, but no rows below it", AGAIN)
    if lines[-1]:
        reason = "the last row has no line break, so nothing tells whether it was cut off"
        raise ReadError(path, len(lines), reason, "delete the row, or end it with a line break if it is whole")
    return np.array([line.split(",") for _, line in body], float), [number for number, _ in body]


def _spectrum(path: Path, names: list[str], values: np.ndarray, numbers: list[int], attrs: dict) -> xr.Dataset:
    columns = dict(zip(names, values.T, strict=True))
    imaginary = next((name for name in ('Z"/ohm', '-Z"/ohm', "Z''/ohm", "-Z''/ohm") if name in columns), None)
    if "Z'/ohm" not in columns or imaginary is None:
        raise ReadError(path, numbers[0] - 1, "no columns Z'/ohm and Z\"/ohm", AGAIN)
    frequency = columns["Freq/Hz"]
    z = columns["Z'/ohm"] + 1j * columns[imaginary] * (-1 if imaginary.startswith("-") else 1)
    sign = f"as the column {imaginary} says"
    if "Phase/deg" in columns:
        z, sign = _by_phase(path, z, columns, imaginary, numbers)
    if frequency.min() > NEARLY * attrs.get("low_frequency", np.inf):
        attrs["unfinished"] = f"ends at {frequency.min():g} Hz, {attrs['low_frequency']:g} Hz was set"
    return impedance.spectrum(path, frequency, z, sign=sign, attrs=attrs | {"format": "chi-eis"}, lines=numbers)


def _by_phase(
    path: Path, z: np.ndarray, columns: dict[str, np.ndarray], imaginary: str, numbers: list[int]
) -> tuple[np.ndarray, str]:
    """The impedance with the sign of its phase, once modulus and phase are found to be its own."""
    phase = columns["Phase/deg"]
    if np.sum(np.sign(z.imag) * np.sign(phase)) < 0:
        z = z.conj()
    off = np.abs((np.degrees(np.angle(z)) - phase + 180) % 360 - 180) > ROUNDED_PHASE
    if "Z/ohm" in columns:
        off |= np.abs(np.abs(z) - columns["Z/ohm"]) > ROUNDED * np.abs(z)
    if off.any():
        reason = f"modulus and phase are not those of Z'/ohm and {imaginary}"
        raise ReadError(path, numbers[int(off.argmax())], reason, AGAIN)
    agrees = (z.imag[0] > 0) == (columns[imaginary][0] > 0)
    return z, f"that of the phase; the column {imaginary} {'agrees' if agrees else 'has the opposite'}"
