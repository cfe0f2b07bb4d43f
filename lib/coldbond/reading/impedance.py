"""Impedance spectra and current transients as every reader of one hands them over, and named columns of either."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.reading.errors import ReadError

FEWEST = 5  # points
MOST_DIGITS = 15  # that a float64 holds
#: Likeness of the imaginary part to the slope of the real part that settles its sign.
SETTLED = 0.2
AGREES = 0.03  # of the modulus: how far columns of one spectrum may contradict each other
FREQUENCY = re.compile(r"\bfreq(?:uency)?\b|\bf\s*[/(\[]\s*[kM]?Hz", re.IGNORECASE)
TIME = re.compile(r"^\W*(?:elapsed[ _]|test[ _])?time\b", re.IGNORECASE)
#: Quantities of a spectrum by the names of their columns; a minus before a name counts.
COLUMNS = {
    "real": re.compile(r"(?i:\bRe\s*\(?\s*Z|Z[ _]?(?:re|real)\b|Zre)|\bZ\s*['′’](?!['′’\"])"),
    "imaginary": re.compile(r"(?i:\bIm\s*\(?\s*Z|Z[ _]?(?:im|imag|imaginary)\b|Zim)|\bZ\s*(?:''|\"|″|”|′′|’’)"),
    "modulus": re.compile(r"\|\s*Z\s*\||(?i:Z[ _]?mod\b|modulus|impedance magnitude)"),
    "phase": re.compile(r"(?i:phase|theta|arg\s*\()"),
    "time": TIME,
    "sweep": re.compile(r"(?i:loop|sweep|cycle)"),
}
OHM = {"ohm": 1.0, "ω": 1.0, "mohm": 1e-3, "mω": 1e-3, "kohm": 1e3, "kω": 1e3, "Mohm": 1e6, "Mω": 1e6}
HERTZ = {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "mHz": 1e-3}
AMPERE = {"A": 1.0, "mA": 1e-3, "µA": 1e-6, "uA": 1e-6, "nA": 1e-9, "pA": 1e-12}
SECOND = {"s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0, "ms": 1e-3}
DEGREE = {"deg": 1.0, "degree": 1.0, "°": 1.0, "rad": 180 / np.pi}
NAMED = "'frequency/Hz, Re(Z)/ohm, -Im(Z)/ohm'"
VOLTAGE = "# applied_voltage: 1.0 V"


def spectrum(
    path: Path,
    frequency: Sequence[float],
    impedance: Sequence[complex],
    *,
    sign: str,
    attrs: Mapping,
    lines: Sequence[int] | None = None,
    time: Sequence[float] | None = None,
    sweep: Sequence[int] | None = None,
) -> xr.Dataset:
    """Return an impedance spectrum as the data model has it.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    frequency : array, shape (n,)
        In Hz, in the order recorded.
    impedance : array of complex, shape (n,)
        In ohm, Im < 0 for a capacitor.
    sign : str
        How the sign of the imaginary part was settled.
    attrs : mapping
        Header fields, with `format`.
    lines : sequence of int, optional
        The line of each point, for the error.
    time : array, shape (n,), optional
        In s, of each point.
    sweep : array of int, shape (n,), optional
        The number that the instrument gives the sweep of each point; told by the frequency turning back where it is
        not given.

    Returns
    -------
    xarray.Dataset
        `impedance` over `frequency`; `sweep`, counted from 1, where there are several.

    Raises
    ------
    ReadError
        A number is not finite, a frequency not positive, a modulus zero, or there are hardly any points.
    """
    frequency, impedance = np.asarray(frequency, float), np.asarray(impedance, complex)

    def fail(bad: np.ndarray, reason: str) -> None:
        if bad.any():
            raise ReadError(path, None if lines is None else lines[int(bad.argmax())], reason, "export it again")

    if frequency.size < FEWEST:
        raise ReadError(path, None, f"{frequency.size} points are no spectrum", "export it again, whole")
    fail(~(np.isfinite(frequency) & (frequency > 0)), "the frequency is no positive number")
    fail(~np.isfinite(impedance), "the impedance is not finite")
    fail(impedance == 0, "the impedance is zero")
    sweeps = _sweeps(frequency, sweep)
    fail(
        np.append(False, (np.diff(frequency) == 0) & (np.diff(sweeps) == 0)),
        "the frequency is that of the point before",
    )
    read = xr.Dataset(
        {"impedance": ("frequency", impedance, {"units": "ohm", "long_name": "impedance Z"})},
        {"frequency": ("frequency", frequency, {"units": "Hz", "long_name": "frequency"})},
        {"technique": "eis", **attrs, "sign": sign},
    )
    read.impedance.attrs["significant_digits"] = significant_digits(impedance.real)
    if time is not None:
        fail(~np.isfinite(np.asarray(time, float)), "the time is not finite")
        read["time"] = ("frequency", np.asarray(time, float), {"units": "s", "long_name": "time"})
    if sweeps[-1] > 1:
        read["sweep"] = ("frequency", sweeps, {"units": "1", "long_name": "number of the sweep"})
    return read


def transient(
    path: Path, time: Sequence[float], current: Sequence[float], voltage: float, attrs: Mapping, lines: Sequence[int]
) -> xr.Dataset:
    """Return the current [A] over time [s] at a constant voltage [V] as the data model has it."""
    time, current = np.asarray(time, float), np.asarray(current, float)
    bad = ~(np.isfinite(time) & np.isfinite(current)) | np.append(False, np.diff(time) <= 0)
    if time.size < FEWEST or bad.any():
        at = lines[int(bad.argmax())] if bad.any() else None
        reason = (
            "the time does not increase, or a number is not finite" if bad.any() else f"{time.size} points are too few"
        )
        raise ReadError(path, at, reason, "export it again, whole")
    resolution = {"resolution": float(np.min(np.diff(np.unique(current)), initial=np.inf))}
    return xr.Dataset(
        {"current": ("time", current, {"units": "A", "long_name": "current"} | resolution)},
        {"time": ("time", time, {"units": "s", "long_name": "time"})},
        {"technique": "dc", **attrs, "applied_voltage": float(voltage)},
    )


def significant_digits(numbers: np.ndarray) -> int:
    """Return the digits that each of the numbers was written with at most."""
    for digits in range(1, MOST_DIGITS):
        if all(float(f"{number:.{digits - 1}e}") == number for number in numbers):
            return digits
    return MOST_DIGITS


def settled_sign(frequency: np.ndarray, impedance: np.ndarray) -> int:
    """Return 1 where the sign of the imaginary part is that of a linear cell, -1 where it is the opposite, else 0.

    By the relation of Kramers and Kronig the imaginary part goes nearly as the slope of the real part over the
    logarithm of the frequency (Boukamp 2004, doi 10.1016/j.ssi.2003.11.021): a real part that rises towards low
    frequencies has Im < 0.
    """
    order = np.argsort(frequency, kind="stable")
    modulus = np.abs(impedance[order])
    steps = np.diff(np.log(frequency[order]))
    apart = steps > 1e-3  # not of two sweeps
    slope = np.diff(impedance.real[order])[apart] / steps[apart] / modulus[1:][apart]
    level = ((impedance.imag[order] / modulus)[1:] + (impedance.imag[order] / modulus)[:-1])[apart] / 2
    size = np.sqrt(np.sum(slope**2) * np.sum(level**2))
    likeness = np.sum(slope * level) / size if size else 0.0
    return int(np.sign(likeness)) if abs(likeness) > SETTLED else 0


def named_columns(
    path: Path, names: Sequence[str], values: np.ndarray, lines: Sequence[int], attrs: Mapping
) -> xr.Dataset:
    """Read a spectrum from columns whose names say what they are.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    names : sequence of str
        Such as "freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm"; or "|Z|/Ohm" and "Phase(Z)/deg".
    values : array, shape (rows, columns)
    lines : sequence of int
        The line of each row.
    attrs : mapping
        Header fields, with `format`.

    Returns
    -------
    xarray.Dataset
        As `spectrum` returns it. Rows of zero frequency, which some testers write between sweeps, are left out and
        counted in the attr `unread`.

    Raises
    ------
    ReadError
        A column is missing or contradicts another, a unit is unknown, or nothing settles the sign of Im(Z).
    """
    places = {quantity: _place(names, pattern) for quantity, pattern in COLUMNS.items()}
    frequency = _column(path, names, values, _place(names, FREQUENCY), HERTZ, lines)
    kept = frequency != 0
    lines = [line for line, keep in zip(lines, kept, strict=True) if keep]
    values, frequency = values[kept], frequency[kept]
    got = {
        quantity: _column(path, names, values, places[quantity], units, lines)
        for quantity, units in (
            ("real", OHM),
            ("imaginary", OHM),
            ("modulus", OHM),
            ("phase", DEGREE),
            ("time", SECOND),
        )
        if places[quantity] is not None
    }
    if {"real", "imaginary"} <= got.keys():
        impedance, named = got["real"] + 1j * got["imaginary"], places["imaginary"]
    elif {"modulus", "phase"} <= got.keys():
        impedance, named = got["modulus"] * np.exp(1j * np.radians(got["phase"])), places["phase"]
    else:
        raise ReadError(path, lines[0], "neither Re(Z) and Im(Z) nor |Z| and phase are named", f"name them: {NAMED}")
    _compare(path, impedance, got, lines)
    impedance, sign = _signed(path, frequency, impedance, names[named])
    used = {place for place in places.values() if place is not None} | {_place(names, FREQUENCY)}
    left = [name for index, name in enumerate(names) if index not in used]
    left += [f"{np.sum(~kept)} rows of zero frequency"] if not kept.all() else []
    attrs = dict(attrs) | ({"unread": ", ".join(left)} if left else {})
    sweep = values[:, places["sweep"]] if places["sweep"] is not None else None
    return spectrum(path, frequency, impedance, sign=sign, attrs=attrs, lines=lines, time=got.get("time"), sweep=sweep)


def named_transient(
    path: Path, names: Sequence[str], values: np.ndarray, lines: Sequence[int], header: str, attrs: Mapping
) -> xr.Dataset:
    """Read a current transient from columns of time and current; the header states the voltage that was applied."""
    current = _place(names, re.compile(r"(?i:current)|\bI\s*[/(\[]"))
    if current is None:
        raise ReadError(path, lines[0], "no column is named current", "name the columns: 'time/s, current/A'")
    stated = re.search(r"(?i:voltage|potential)[^:=\n\d]*[:=]\s*([-+]?\d+(?:[.,]\d+)?)\s*(m?V)?\b", header)
    if not stated:
        reason = "a current over time whose header states no voltage"
        raise ReadError(path, lines[0], reason, f"add a line above the numbers, e.g. {VOLTAGE!r}")
    volt = float(stated[1].replace(",", ".")) * (1e-3 if stated[2] == "mV" else 1.0)
    time = _column(path, names, values, _place(names, TIME), SECOND, lines)
    return transient(path, time, _column(path, names, values, current, AMPERE, lines), volt, attrs, lines)


def _place(names: Sequence[str], pattern: re.Pattern) -> int | None:
    return next((index for index, name in enumerate(names) if pattern.search(name)), None)


def _column(
    path: Path, names: Sequence[str], values: np.ndarray, place: int, units: Mapping[str, float], lines: Sequence[int]
) -> np.ndarray:
    """A column in the base unit, negated where its name begins with a minus."""
    name = names[place]
    stated = re.search(r"[/(\[]\s*([A-Za-zµΩω°]+)\s*[)\]]?\s*$", name.replace("Ω", "ω"))
    unit = stated[1] if stated else ""
    factor = units.get(unit) or units.get(unit.lower()) or units.get(unit[:1] + unit[1:].lower())
    if factor is None:
        known = ", ".join(units)
        raise ReadError(
            path, None, f"the unit of {name!r} is none of {known}", f"write it after the name, as in {NAMED}"
        )
    return values[:, place] * factor * (-1 if re.match(r"\W*[-−–]", name) else 1)


def _compare(path: Path, impedance: np.ndarray, got: Mapping[str, np.ndarray], lines: Sequence[int]) -> None:
    """Raise where modulus or phase contradict real and imaginary part."""
    off = np.zeros(impedance.size, bool)
    if "modulus" in got:
        off |= ~(np.abs(np.abs(impedance) - got["modulus"]) <= AGREES * np.abs(impedance))
    if "phase" in got:  # whatever its sign
        phase = np.degrees(np.angle(impedance))
        off |= ~(np.abs(np.abs(phase) - np.abs(got["phase"])) <= np.degrees(AGREES))
    if off.any():
        raise ReadError(
            path, lines[int(off.argmax())], "modulus and phase are not those of Re(Z) and Im(Z)", "export it again"
        )


def _signed(path: Path, frequency: np.ndarray, impedance: np.ndarray, name: str) -> tuple[np.ndarray, str]:
    """The impedance with Im < 0 for a capacitor, and how that was settled."""
    found = settled_sign(frequency, impedance)
    if found > 0:
        return impedance, f"as the column {name} says, and as its real part asks"
    if found < 0:
        return impedance.conj(), f"the opposite of what the column {name} says, as its real part asks"
    if re.match(r"\W*[-−–]", name) or re.search(r"(?i:im|phase)", name):
        return impedance, f"as the column {name} says; its real part does not tell"
    reason = f"nothing tells whether {name} is Im(Z) or -Im(Z)"
    raise ReadError(path, None, reason, f"name the column: {NAMED}")


def _sweeps(frequency: np.ndarray, stated: Sequence[int] | None) -> np.ndarray:
    """The number of the sweep of each point, counted from 1."""
    if stated is not None:
        changes = np.diff(np.asarray(stated)) != 0
    else:
        steps = np.sign(np.diff(frequency))
        way = steps[0] if steps.size else 0
        changes = (steps == -way) & (np.abs(np.diff(np.log(frequency))) > 1)  # back to the start, not a little jitter
    return 1 + np.concatenate([[0], np.cumsum(changes)])
