"""Impedance spectra and current transients as every reader of one hands them over, and named columns of either."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, DecimalTuple
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError

FEWEST = 5  # points
MANY = 2000  # numbers of a column: enough to tell how it is written
AGAIN = "export it again, whole"
#: Two sweeps are of one range if their ends differ by less than this factor.
SAME_END = 2.0
DECISIVE = 2.0  # times worse is the fit of a passive cell with the wrong sign of Im(Z)
PASSIVE = 0.2  # of the modulus: a fit of a passive cell that is worse than this tells nothing
A_DECADE = 4  # relaxation times
SINGLE = 2e-6  # of the modulus: programs that reckon with 32 bits
UNIT = r"[/(\[_]\s*(?:{})\s*[)\]]?"
FREQUENCY = re.compile(rf"\bf(?:req(?:uency)?)?\s*{UNIT.format('[kMm]?Hz')}|^\W*freq(?:uency)?\s*(?:$|[,;\t])", re.I)
TIME = re.compile(
    rf"(?:^|[,;\t])\W*(?:(?:elapsed|test)[ _]?)?time\s*{UNIT.format('m?s|sec|seconds?|min|h|hours?')}(?:$|[,;\s])", re.I
)
CURRENT = re.compile(r"(?i:current)|\bI\s*[/(\[]")
IN_OHM = r"\s*[/(\[_]\s*[kMm]?(?:ohm|Ω|Ω)"
#: Quantities of a spectrum by the names of their columns; a minus before a name counts.
COLUMNS = {
    "real": re.compile(rf"(?i:\bRe\s*\(?\s*Z|\bZ[ _]?re(?:al)?(?![a-z])|^\W*re(?:al)?{IN_OHM})|\bZ\s*['′’](?!['′’\"])"),
    "imaginary": re.compile(
        rf"(?i:\bIm\s*\(?\s*Z|\bZ[ _]?im(?:ag(?:inary)?)?(?![a-z])|^\W*im(?:ag(?:inary)?)?{IN_OHM})"
        r"|\bZ\s*(?:''|[\"″”]|′′|’’)"
    ),
    "modulus": re.compile(r"\|\s*Z\s*\||(?i:\bZ[ _]?mod(?![a-z])|modulus|impedance magnitude)|^\W*Z\s*[/(]"),
    "phase": re.compile(r"(?i:phase|theta|arg\s*\()"),
    "time": TIME,
    "sweep": re.compile(r"(?i:loop|sweep|cycle)"),
}
MINUS = re.compile(r"\W*[-−–]")
SAYS = re.compile(r"(?i:im|phase)")
PREFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "m": 1e-3, "µ": 1e-6, "μ": 1e-6, "u": 1e-6, "n": 1e-9}
PREFIXES |= {"p": 1e-12}
#: Units by quantity, spelled as they may follow a prefix; and sizes of others.
OHM, HERTZ, AMPERE = ("ohm", "ohms", "ω"), ("Hz", "HZ"), ("A", "amp", "ampere")
TIMES = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0, "hours": 3600.0}
DEGREES = {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "°": 1.0, "rad": 180 / np.pi}
NAMED = "'frequency/Hz, Re(Z)/ohm, -Im(Z)/ohm'"
VOLTAGE = "# applied_voltage: 1.0 V"


class Column(NamedTuple):
    """Numbers in the base unit, the unit of the last digit that each was written with, and how many digits that are."""

    values: np.ndarray
    last: np.ndarray
    digits: int


def spectrum(
    path: Path,
    frequency: np.ndarray,
    columns: Mapping[str, Column],
    name: str,
    attrs: Mapping,
    lines: Sequence[int],
    sweep: Sequence[float] | None = None,
) -> xr.Dataset:
    """Return an impedance spectrum as the data model has it.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    frequency : array, shape (n,)
        In Hz, in the order recorded.
    columns : mapping of str to Column
        "real" and "imaginary" in ohm, or "modulus" in ohm and "phase" in degree; where all four are there they must
        agree; "time" in s.
    name : str
        What the file calls the column whose sign counts.
    attrs : mapping
        Header fields, with `format`.
    lines : sequence of int
        The line of each point.
    sweep : sequence of float, shape (n,), optional
        The number that the instrument gives the sweep of each point. A frequency that turns back starts one too.

    Returns
    -------
    xarray.Dataset
        `impedance` over `frequency`; `time` where it is recorded; `sweep`, counted from 1, where there are several.

    Raises
    ------
    ReadError
        A frequency is not positive, a modulus zero, the columns contradict each other, the frequency goes to and fro,
        there are hardly any points, or nothing settles the sign of Im(Z).
    """
    if frequency.size < FEWEST:
        raise ReadError(path, None, f"{frequency.size} points are no spectrum", AGAIN)
    _refuse(path, frequency <= 0, lines, "the frequency is no positive number")
    if {"real", "imaginary"} <= columns.keys():
        impedance, written = columns["real"].values + 1j * columns["imaginary"].values, "real"
    else:
        phase = np.radians(columns["phase"].values)
        impedance, written = columns["modulus"].values * np.exp(1j * phase), "modulus"
    _refuse(path, impedance == 0, lines, "the impedance is zero")
    phase_agrees = _compared(path, impedance, columns, lines) if written == "real" else 0
    sweeps = _sweeps(path, frequency, sweep, lines)
    impedance, sign = _signed(path, frequency, impedance, name, phase_agrees)
    read = xr.Dataset(
        {"impedance": ("frequency", impedance, {"units": "ohm", "long_name": "impedance Z"})},
        {"frequency": ("frequency", frequency, {"units": "Hz", "long_name": "frequency"})},
        {"technique": "eis", **attrs, "sign": sign},
    )
    read.impedance.attrs["significant_digits"] = columns[written].digits
    if "time" in columns:
        read["time"] = ("frequency", columns["time"].values, {"units": "s", "long_name": "time"})
    if sweeps[-1] > 1:
        read["sweep"] = ("frequency", sweeps, {"units": "1", "long_name": "number of the sweep"})
    return read


def transient(
    path: Path, time: np.ndarray, current: np.ndarray, voltage: float, attrs: Mapping, lines: Sequence[int]
) -> xr.Dataset:
    """Return the current [A] over time [s] at a constant voltage [V] as the data model has it.

    The time repeats only where it is written with too few digits for the interval of the points.
    """
    if time.size < FEWEST:
        raise ReadError(path, None, f"{time.size} points are too few", AGAIN)
    steps = np.diff(time)
    interval = np.min(steps, where=steps > 0, initial=np.inf)
    rounded = last_digit(time)[1:] > interval * (1 + 1e-6)
    _refuse(path, np.append(False, (steps < 0) | ((steps == 0) & ~rounded)), lines, "the time does not increase")
    last = {"resolution": float(last_digit(current).max())}
    return xr.Dataset(
        {"current": ("time", current, {"units": "A", "long_name": "current"} | last)},
        {"time": ("time", time, {"units": "s", "long_name": "time"})},
        {"technique": "dc", **attrs, "applied_voltage": float(voltage)},
    )


def finite(path: Path, values: np.ndarray, lines: Sequence[int]) -> None:
    """Raise ReadError where a number of a table, shape (rows, columns), is too large for a float64."""
    _refuse(path, ~np.isfinite(values).all(axis=1), lines, "a number is not finite")


def significant_digits(numbers: Iterable[float]) -> int:
    """Return the digits that each of the numbers was written with at most."""
    return max(len(written.digits) for written in _written(numbers))


def last_digit(numbers: np.ndarray) -> np.ndarray:
    """Return the unit of the last digit of each number of a column: of so many digits, or of so many decimals."""
    some = numbers[:: 1 + numbers.size // MANY]
    counts = [(len(written.digits), -written.exponent) for written in _written(some)]
    # Few numbers of a column end in zeros; a single longer one was not written by the program.
    digits, decimals = np.percentile(np.array(counts, float), 90, axis=0, method="nearest")
    size = np.floor(np.log10(np.abs(numbers), where=numbers != 0, out=np.full(numbers.size, -300.0)))
    return np.maximum(10.0 ** (size + 1 - digits), 10.0**-decimals)


def _written(numbers: Iterable[float]) -> list[DecimalTuple]:
    return [Decimal(repr(float(number))).normalize().as_tuple() for number in numbers]


def settled_sign(frequency: np.ndarray, impedance: np.ndarray) -> int:
    """Return 1 where Im(Z) has the sign that it has in a passive cell, -1 where it has the opposite, 0 if unsettled.

    With either sign a resistance, an inductance, a capacitance and relaxations, none of them negative, are fitted (the
    measurement model of Agarwal, Orazem and Garcia-Rubio 1992, doi 10.1149/1.2069522).
    """
    from scipy.optimize import nnls  # costs 0.9 s, which nobody should pay who reads other things

    omega = 2 * np.pi * frequency
    decades = np.log10(omega.max() / omega.min())
    time = np.geomspace(0.1 / omega.max(), 10 / omega.min(), int(A_DECADE * (decades + 2)))
    ends = np.ones(omega.size), 1j * omega / omega.max(), -1j * omega.min() / omega
    elements = np.stack([*ends, *(1 / (1 + 1j * time[:, None] * omega))], axis=1) / np.abs(impedance)[:, None]
    parts = np.concatenate([elements.real, elements.imag])
    parts /= np.linalg.norm(parts, axis=0)
    target = impedance / np.abs(impedance)
    off = [nnls(parts, np.concatenate([target.real, sign * target.imag]), maxiter=10**4)[1] for sign in (1, -1)]
    if min(off) > PASSIVE * np.sqrt(omega.size) or max(off) < DECISIVE * min(off):
        return 0
    return 1 if off[0] < off[1] else -1


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
        As `spectrum` returns it. Rows of zeros, which some testers write between sweeps, are left out and counted in
        the attr `unread`.

    Raises
    ------
    ReadError
        A column is missing or contradicts another, a unit is unknown, or nothing settles the sign of Im(Z).
    """
    finite(path, values, lines)
    places = {
        quantity: [index for index, name in enumerate(names) if pattern.search(name)]
        for quantity, pattern in {"frequency": FREQUENCY, **COLUMNS}.items()
    }
    if twice := next((found for quantity, found in places.items() if len(found) > 1 and quantity != "sweep"), None):
        reason = f"columns {' and '.join(repr(names[index]) for index in twice)} are of one quantity"
        raise ReadError(path, lines[0], reason, "leave one of them")
    place = {quantity: found[0] for quantity, found in places.items() if found}
    if not {"real", "imaginary"} <= place.keys() and not {"modulus", "phase"} <= place.keys():
        raise ReadError(path, lines[0], "neither Re(Z) and Im(Z) nor |Z| and phase are named", f"name them: {NAMED}")
    kept = values[:, [index for quantity, index in place.items() if quantity not in ("time", "sweep")]].any(axis=1)
    lines = [line for line, keep in zip(lines, kept, strict=True) if keep]
    left = [name for index, name in enumerate(names) if index not in place.values()]
    left += [f"{np.sum(~kept)} rows of zeros"] if not kept.all() else []
    values = values[kept]
    if not lines:
        raise ReadError(path, None, "all rows are zeros", AGAIN)
    units = {"frequency": HERTZ, "phase": DEGREES, "time": TIMES}
    columns = {
        quantity: _column(path, names[index], values[:, index], units.get(quantity, OHM))
        for quantity, index in place.items()
        if quantity != "sweep"
    }
    sign = names[place["imaginary" if {"real", "imaginary"} <= place.keys() else "phase"]]
    attrs = dict(attrs) | ({"unread": ", ".join(left)} if left else {})
    sweep = values[:, place["sweep"]] if "sweep" in place else None
    return spectrum(path, columns.pop("frequency").values, columns, sign, attrs, lines, sweep)


def named_transient(
    path: Path, names: Sequence[str], values: np.ndarray, lines: Sequence[int], header: str, attrs: Mapping
) -> xr.Dataset:
    """Read a current transient from columns of time and current; the header states the voltage that was applied."""
    finite(path, values, lines)
    places = [[index for index, name in enumerate(names) if pattern.search(name)] for pattern in (TIME, CURRENT)]
    if any(len(found) != 1 for found in places):
        reason = f"not one column of time and one of current among {', '.join(names)}"
        raise ReadError(path, lines[0], reason, "name the columns: 'time/s, current/A'")
    stated = re.search(
        r"(?P<name>(?:voltage|potential)[^:=\n\d]*)[:=]\s*(?P<value>[-+]?\d+(?:[.,]\d+)?(?:e[-+]?\d+)?)\s*(?P<unit>m?V)?"
        r"\s*(?:$|[;,#])",
        header,
        re.IGNORECASE | re.MULTILINE,
    )
    unit = stated and (stated["unit"] or re.sub(r".*?(m?V)?\W*$", r"\1", stated["name"], flags=re.DOTALL))
    if unit not in ("V", "mV"):
        reason = "a current over time whose header states no voltage in V or mV"
        raise ReadError(path, lines[0], reason, f"add a line above the numbers, e.g. {VOLTAGE!r}")
    volt = float(stated["value"].replace(",", ".")) * (1e-3 if unit == "mV" else 1.0)
    (at,), (current,) = places
    if left := [name for index, name in enumerate(names) if index not in (at, current)]:
        attrs = dict(attrs) | {"unread": ", ".join(left)}
    time = _column(path, names[at], values[:, at], TIMES).values
    return transient(path, time, _column(path, names[current], values[:, current], AMPERE).values, volt, attrs, lines)


def _refuse(path: Path, bad: np.ndarray, lines: Sequence[int], reason: str, mend: str = AGAIN) -> None:
    if bad.any():
        raise ReadError(path, lines[int(bad.argmax())], reason, mend)


def _column(path: Path, name: str, values: np.ndarray, units: Mapping[str, float] | Sequence[str]) -> Column:
    """A column in the base unit, negated where its name begins with a minus."""
    plain = unicodedata.normalize("NFKC", name).replace("Ω", "ω")
    stated = re.search(r"[/(\[_]\s*([A-Za-zµμω°]+)\s*[)\]]?\s*$", plain)
    unit = stated[1] if stated else ""
    if isinstance(units, Mapping):
        factor = units.get(unit.lower())
    else:
        prefix, base = next(((unit[: -len(end)], end) for end in units if unit.lower().endswith(end.lower())), ("", ""))
        unclear = prefix == "m" and unit == unit.lower() and base != base.lower()  # mhz: a thousandth or a million?
        factor = PREFIXES.get(prefix) if base and not unclear else None
    if factor is None:
        known = ", ".join(units)
        reason = f"the unit of {name!r} is not given, or none of {known}"
        raise ReadError(path, None, reason, f"write it behind the name, as in {NAMED}")
    sign = -1 if MINUS.match(name) else 1
    return Column(values * factor * sign, last_digit(values) * factor, significant_digits(values))


def _compared(path: Path, impedance: np.ndarray, columns: Mapping[str, Column], lines: Sequence[int]) -> int:
    """Raise where modulus or phase contradict real and imaginary part; else whether the phase has the sign of Im(Z)."""
    modulus = np.abs(impedance)
    last = columns["real"].last + columns["imaginary"].last + SINGLE * modulus
    off, agrees = np.zeros(impedance.size, bool), 0
    if "modulus" in columns:
        off |= np.abs(modulus - columns["modulus"].values) > last + columns["modulus"].last
    if "phase" in columns:
        phase = columns["phase"]
        agrees = 1 if np.sum(np.sign(impedance.imag) * np.sign(phase.values)) >= 0 else -1
        beside = (np.degrees(np.angle(impedance)) - agrees * phase.values + 180) % 360 - 180
        off |= np.abs(beside) > phase.last + np.degrees(last / modulus)
    _refuse(path, off, lines, "modulus or phase are not those of Re(Z) and Im(Z)", "export it again, or leave them out")
    return agrees


def _signed(path: Path, frequency: np.ndarray, impedance: np.ndarray, name: str, phase: int) -> tuple[np.ndarray, str]:
    """The impedance with Im < 0 for a capacitor, and how that was settled."""
    found = settled_sign(frequency, impedance)
    says = f"the column {name} and the phase say" if phase > 0 else f"the column {name} says"
    if found > 0:
        return impedance, f"as {says}, and as it is in a passive cell"
    if found < 0 and MINUS.match(name) and phase <= 0:
        reason = f"with the minus of {name} it is the spectrum of no passive cell, without it it is"
        raise ReadError(path, None, reason, f"name the column {re.sub(MINUS, '', name)!r} if it is that")
    if found < 0 and not MINUS.match(name):
        return impedance.conj(), f"as it is in a passive cell: the opposite of what {says}"
    if phase < 0:
        return impedance.conj(), f"that of the phase: the opposite of what the column {name} says"
    if phase > 0 or MINUS.match(name) or SAYS.search(name):
        return impedance, f"as {says}; its course does not tell"
    reason = f"nothing tells whether {name} is Im(Z) or -Im(Z)"
    raise ReadError(path, None, reason, f"name the column: {NAMED}")


def _sweeps(path: Path, frequency: np.ndarray, stated: Sequence[float] | None, lines: Sequence[int]) -> np.ndarray:
    """The number of the sweep of each point, counted from 1: a new one starts where it says so or where it turns."""
    starts, turns, way = [0], [], 0.0
    for point, step in enumerate(np.sign(np.diff(frequency)), start=1):
        told = stated is not None and stated[point] != stated[point - 1]
        if told or step == 0 or (way and step != way):
            starts.append(point)
            turns += [] if told else [point]
            way = 0.0
        else:
            way = step
    parts = np.split(frequency, starts[1:])
    first, last = parts[0], len(parts) - 1
    for number, (start, part) in enumerate(zip(starts, parts, strict=True) if turns else ()):
        same_way = (part[-1] < part[0]) == (first[-1] < first[0])
        low, high = part.min() / first.min(), part.max() / first.max()
        if number == last:  # it may end early
            low, high = min(low, 1), max(high, 1)
        ends = [part[0] / first[0 if same_way else -1], low, high]
        if part.size < FEWEST or np.abs(np.log(ends)).max() > np.log(SAME_END):
            at = next((turn for turn in turns if turn >= start), turns[-1])
            reason = f"the frequency turns to {frequency[at]:g} Hz: neither one sweep nor several over one range"
            raise ReadError(path, lines[at], reason, "export each sweep by itself, or with a column that numbers them")
    return np.searchsorted(starts, np.arange(frequency.size), side="right")
