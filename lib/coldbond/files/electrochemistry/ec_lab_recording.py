"""Recordings of BioLogic's EC-Lab and BT-Lab from their named columns, be these from text (.mpt) or binary (.mpr).

The columns have EC-Lab's names, such as "time/s", "Ewe/V", "<I>/mA", "(Q-Qo)/mA.h" and "freq/Hz". A file may hold
records of cycling and of impedance (Modulo Bat); the records of impedance have a frequency, in the others it is zero.

Technique
---------
- Records with a frequency are an impedance spectrum ("eis"), the others are "cycling". Where a file has both, the user
  states which to read, unless the technique of EC-Lab is one of impedance.
- Current at constant voltage (chronoamperometry) is "cycling", and "dc" where the user states it.
- Voltammetry and corrosion techniques are refused by name, unless the user states "cycling".

Current
-------
EC-Lab counts an oxidation of the working electrode as positive. That is the charge of a cell whose positive electrode
is the working electrode, and of a half cell against lithium. The current is the column I or <I>. A file of
galvanostatic cycling (GCPL) without either has the mean current between two records, from the charge that passed. At
open circuit it is zero.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import impedance, vocabulary
from coldbond.files.electrochemistry.cycler import dataset
from coldbond.files.electrochemistry.impedance_columns import named_columns
from coldbond.files.electrochemistry.numeric_table import numeric_table
from coldbond.files.errors import ReadError
from coldbond.files.format import Stated

#: Columns of each quantity, the preferred first. The group is the unit.
QUANTITIES = {
    "time": (r"time/([^/]+)",),
    "voltage": (
        r"Ecell/([^/]+)",
        r"<Ecell>/([^/]+)",
        r"Ewe/([^/]+)",
        r"<Ewe>/([^/]+)",
        r"<Ewe/([^/]+)>",
        r"Ewe-Ece/([^/]+)",
    ),
    "current": (r"I/([^/]+)", r"<I>/([^/]+)"),
    "charge_capacity": (r"Q charge/([^/]+)",),
    "discharge_capacity": (r"Q discharge/([^/]+)",),
}
#: Columns of the charge between two records, and of the charge since the start.
BETWEEN, SINCE_START = r"dq/(.*A\.h)", r"\(Q-Qo\)/(.*A\.h|C)"
CHARGES = (BETWEEN, SINCE_START)
#: Share of the charge that is left where the charge starts again, and factor by which the mean current would then
#: exceed that of all other records.
RESTARTED = 0.01
EXCESS = 1.1
#: Columns of a spectrum that are read, and those of which it needs one pair.
SPECTRUM = ("freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm", "|Z|/Ohm", "Phase(Z)/deg", "time/s")
PAIRS = (("Re(Z)/Ohm", "-Im(Z)/Ohm"), ("|Z|/Ohm", "Phase(Z)/deg"))
#: Columns that number the sweeps: of one step of a Modulo Bat, else of the technique.
SWEEPS = ("z cycle", "cycle number")
#: Columns that say what was controlled.
CONTROLS = (r"control/(V)", r"control/(V)/mA")
COUNTS = ("mode", "half cycle", "Ns")
IMPEDANCE = re.compile(r"impedance|[PG]EIS", re.IGNORECASE)
#: Techniques that do not cycle a cell.
OTHERS = re.compile(r"voltam|polari[sz]ation|pitting|pulse|corro|noise|ammeter|compensation|coupling", re.IGNORECASE)
OPEN_CIRCUIT = "Open Circuit Voltage"
#: Values of the column "mode".
POTENTIOSTATIC, RELAXING = 2, 3
SECONDS_PER_HOUR = 3600.0
NEEDED = "time/s, Ewe/V (or Ecell/V) and I/mA (or <I>/mA), and for the cycles cycle number and Ns"
BOTH_WAYS = "read(path, technique={0!r}) or {0} in the column technique of manifest.csv"
POSITIVE = "oxidation of the working electrode"


def is_read(name: str) -> bool:
    """Return whether the column of this name can be part of a recording."""
    patterns = [pattern for group in (*QUANTITIES.values(), CHARGES, CONTROLS) for pattern in group]
    return name in (*SPECTRUM, *SWEEPS, *COUNTS) or any(re.fullmatch(pattern, name) for pattern in patterns)


@dataclass
class Columns:
    """The columns of one file.

    Attributes
    ----------
    path : pathlib.Path
    format : str
    names : list of str
        EC-Lab's names, in the order of the file.
    numbers : callable
        Given a name, returns the values as float64; refuses what is not a number.
    lines : sequence of int
        Line of each record in text; number of each record in a binary file.
    header : int or None
        Line of the column names.
    title : str
        EC-Lab's name of the technique; "" where the file does not say it.
    attrs : dict
        Header fields under the names of the data model.
    loops : sequence of int
        Records, counted from 0, that follow after other techniques of a sequence; the charge starts again there.
    misplaced : str
        Why only the first columns of a spectrum can be read; "" where all can.
    """

    path: Path
    format: str
    names: list[str]
    numbers: Callable[[str], np.ndarray]
    lines: Sequence[int]
    header: int | None
    title: str
    attrs: dict[str, Any]
    loops: Sequence[int] = ()
    misplaced: str = ""

    def error(self, row: int | None, reason: str, remedy: str) -> ReadError:
        """Return the error for a record, counted from 0, or for the column names."""
        return ReadError(self.path, self.header if row is None else self.lines[row], reason, remedy)

    def one(self, patterns: Sequence[str]) -> re.Match[str] | None:
        """Return the match of the first pattern that a column has.

        Raises
        ------
        ReadError
            Two columns have this name.
        """
        for pattern in patterns:
            found = [match for match in (re.fullmatch(pattern, name) for name in self.names) if match]
            if len(found) > 1:
                both = " and ".join(match[0] for match in found)
                raise self.error(None, f"the columns {both} hold the same quantity", "export one of them")
            if found:
                return found[0]
        return None


class _Channel(NamedTuple):
    """A quantity of a cycling recording: column name, unit, values in this unit, and how it was derived."""

    name: str
    unit: str | None
    values: np.ndarray
    derived: str = ""


def recording(columns: Columns, stated: Stated) -> xr.Dataset:
    """Return what the file holds, or the part that is stated.

    Raises
    ------
    ReadError
        The file holds cycling and impedance and neither is stated, a needed column is missing, or a technique of
        EC-Lab is no recording of the data model.
    """
    measured = _with_impedance(columns)
    if measured is None or not measured.any():
        if columns.misplaced:
            raise columns.error(None, columns.misplaced, f"select fewer columns for the export: {NEEDED}")
        if measured is not None and IMPEDANCE.search(columns.title):
            raise columns.error(None, "no record has a frequency", "use a file that holds a spectrum")
        return _of_current(columns, np.ones(len(columns.lines), bool), stated)
    others = ~measured
    both = others.any() and not IMPEDANCE.search(columns.title) and columns.one(QUANTITIES["time"]) is not None
    if both and stated.technique is None:
        what = columns.title or "this file"
        reason = f"{what} holds {measured.sum()} records of impedance and {others.sum()} of current and voltage"
        remedy = f"choose with {BOTH_WAYS.format('eis')}, or with technique {'cycling'!r} for the others"
        raise columns.error(None, reason, remedy)
    if both and stated.technique in ("cycling", "dc"):
        return _of_current(columns, others, stated)
    return _spectrum(columns, measured)


def _with_impedance(columns: Columns) -> np.ndarray | None:
    """Return for each record whether it is one of impedance; None where the file has no frequencies."""
    if "freq/Hz" not in columns.names:
        return None
    pair = next((pair for pair in PAIRS if set(pair) <= set(columns.names)), None)
    if pair is None:
        reason = "no columns named Re(Z)/Ohm and -Im(Z)/Ohm beside freq/Hz"
        raise columns.error(None, reason, "export the impedance again with freq/Hz, Re(Z)/Ohm, -Im(Z)/Ohm")
    return np.any([columns.numbers(name) != 0 for name in ("freq/Hz", *pair)], axis=0)


def _spectrum(columns: Columns, measured: np.ndarray) -> xr.Dataset:
    """Return the records of impedance."""
    sweeps = [name for name in SWEEPS if name in columns.names][:1]
    wanted = [name for name in SPECTRUM if name in columns.names] + sweeps
    if columns.misplaced:  # modulus and phase show that the first columns are in their place
        first = {"freq/Hz", *PAIRS[0], *PAIRS[1]}
        if not first <= set(columns.names[: len(first)]):
            remedy = "select only freq/Hz, Re(Z)/Ohm, -Im(Z)/Ohm, |Z|/Ohm, Phase(Z)/deg for the export"
            raise columns.error(None, columns.misplaced, remedy)
        wanted = [name for name in wanted if name in first]
    values = np.stack([columns.numbers(name)[measured] for name in wanted], axis=1)
    lines = [line for line, keep in zip(columns.lines, measured, strict=True) if keep]
    spectrum = named_columns(columns.path, wanted, values, lines, {"format": columns.format, **columns.attrs})
    spectrum = impedance.marked_unfinished(spectrum, columns.attrs.get("low_frequency", np.inf))
    unread = [spectrum.attrs.get("unread", ""), *_unread(columns, wanted)]
    unread += [f"{np.sum(~measured)} records without impedance"] if not measured.all() else []
    unread += [columns.misplaced] if columns.misplaced else []
    return _with_attrs(spectrum, {"unread": ", ".join(filter(None, unread))})


def _of_current(columns: Columns, kept: np.ndarray, stated: Stated) -> xr.Dataset:
    """Return the records of current and voltage over time, as cycling or as a current at constant voltage."""
    if OTHERS.search(columns.title) and stated.technique not in ("cycling", "dc"):
        reason = f"EC-Lab {columns.title}, which is not cycling at constant current"
        remedy = f"use GCPL or CP; to read current and voltage over time state {BOTH_WAYS.format('cycling')}"
        raise columns.error(None, reason, remedy)
    channels = _channels(columns, kept)
    attrs = {name: value for name, value in columns.attrs.items() if name not in ("amplitude", "low_frequency")}
    if columns.title:
        attrs["ec_lab_technique"] = columns.title
    if columns.loops:
        attrs["interrupted"] = (
            f"other techniques ran before the records {', '.join(str(row + 1) for row in columns.loops)}"
        )
    if not kept.all():
        attrs["unread"] = f"{np.sum(~kept)} records of impedance"
    lines = [line for line, keep in zip(columns.lines, kept, strict=True) if keep]
    if stated.technique == "dc":
        return _transient(columns, channels, kept, lines, attrs)
    return _cycling(columns, channels, lines, attrs)


def _channels(columns: Columns, kept: np.ndarray) -> dict[str, _Channel]:
    """Return the quantities of a cycling recording."""
    channels = {}
    for quantity, patterns in QUANTITIES.items():
        match = columns.one(patterns)
        if match and vocabulary.scale(quantity, match[1]) is not None:
            channels[quantity] = _Channel(match[0], match[1], columns.numbers(match[0])[kept])
    if not {"charge_capacity", "discharge_capacity"} <= channels.keys():  # one of them alone does not count cycles
        channels = {name: channel for name, channel in channels.items() if name not in vocabulary.COUNTERS}
    if missing := [name for name in ("time", "voltage") if name not in channels]:
        titled = f"EC-Lab {columns.title} with " if columns.title else ""
        reason = f"{titled}no column of {' and '.join(missing)} in a known unit"
        raise columns.error(None, reason, f"export it again with {NEEDED}; or an impedance spectrum with freq/Hz")
    if "current" not in channels:
        channels["current"] = _without_current(columns, channels["time"], kept)
    if "cycle number" in columns.names:
        channels["cycle"] = _Channel("cycle number", None, columns.numbers("cycle number")[kept])
    elif "half cycle" in columns.names:
        half = columns.numbers("half cycle")[kept]
        channels["cycle"] = _Channel("half cycle", None, half // 2, "half cycle divided by two")
    if "Ns" in columns.names:
        channels["step"] = _Channel("Ns", None, columns.numbers("Ns")[kept])
    return channels


def _without_current(columns: Columns, time: _Channel, kept: np.ndarray) -> _Channel:
    """Return the current of a file that has no column of it: from the charge, or zero at open circuit."""
    charge = next(filter(None, (columns.one([pattern]) for pattern in CHARGES)), None)
    resting = "mode" in columns.names and bool((columns.numbers("mode")[kept] == RELAXING).all())
    if charge is None and (columns.title == OPEN_CIRCUIT or resting):
        return _Channel("", "A", np.zeros(time.values.size), "zero at open circuit")
    seconds = vocabulary.scale("time", str(time.unit)) or 0.0
    size = charge and (1 / SECONDS_PER_HOUR if charge[1] == "C" else vocabulary.scale("capacity", charge[1]))
    if charge is None or not size:
        raise columns.error(None, "no column of the current, or of the charge", f"export it again with {NEEDED}")
    values = columns.numbers(charge[0]) * size * SECONDS_PER_HOUR
    passed = values.copy()
    if charge.re.pattern == SINCE_START:
        passed = np.diff(values, prepend=values[0])
        passed[list(columns.loops)] = values[list(columns.loops)]
    interval = np.diff(columns.numbers(time.name), prepend=np.inf) * seconds  # unknown before the first record
    known = np.flatnonzero(interval > 0)
    if not known.size:
        raise columns.error(0, "no column of the current, and the time does not increase", f"export it with {NEEDED}")
    mean = passed[known] / interval[known]
    if charge.re.pattern == SINCE_START:
        fell = np.abs(values[known]) < RESTARTED * np.abs(values[known - 1])
        wrong = fell & (np.abs(mean) > EXCESS * np.abs(mean[~fell]).max(initial=0))
        if wrong.any():
            reason = f"{charge[0]} starts again here, and there is no column of the current"
            raise columns.error(int(known[wrong.argmax()]), reason, "export it again with <I>/mA or dq/mA.h")
    # The first record, and one that repeats the time, has no interval: it gets the current of the record beside it.
    current = mean[np.maximum(np.searchsorted(known, np.arange(interval.size), side="right") - 1, 0)]
    if passed[0] == 0 and known[0] > 0:
        current[: known[0]] = 0.0
    return _Channel(charge[0], "A", current[kept], f"mean current between two records, from {charge[0]}")


def _cycling(
    columns: Columns, channels: Mapping[str, _Channel], lines: Sequence[int], attrs: Mapping[str, Any]
) -> xr.Dataset:
    """Return current and voltage over time."""
    unread = _unread(columns, [channel.name for channel in channels.values()])
    named = {quantity: channel[:3] for quantity, channel in channels.items()}
    table = numeric_table(columns.path, columns.format, named, lines, unread)
    found = dataset([table])
    for name, channel in channels.items():
        if name in found:
            found[name].attrs |= {"column": channel.name} | ({"derived": channel.derived} if channel.derived else {})
    found.current.attrs["positive"] = POSITIVE
    if any(re.match(r"<?Ece>?/", name) for name in columns.names):
        found.voltage.attrs["against"] = "the reference electrode: the file has Ece too"
    return _with_attrs(found, attrs)


def _transient(
    columns: Columns, channels: Mapping[str, _Channel], kept: np.ndarray, lines: Sequence[int], attrs: Mapping[str, Any]
) -> xr.Dataset:
    """Return the current at one constant voltage."""
    controlled = columns.one(CONTROLS)
    modes = columns.numbers("mode")[kept] if "mode" in columns.names else None
    remedy = f"export one step at constant voltage with mode and control/V; or state {BOTH_WAYS.format('cycling')}"
    if controlled is None or modes is None or channels["current"].derived:
        reason = "not known to be a current at constant voltage without the columns mode, control/V and I/mA"
        raise columns.error(None, reason, remedy)
    voltage = columns.numbers(controlled[0])[kept]
    other = (modes != POTENTIOSTATIC) | (voltage != voltage[0])
    if other.any():
        row = int(other.argmax())
        what = "the voltage is not controlled" if modes[row] != POTENTIOSTATIC else f"the voltage is {voltage[row]:g} V"
        where = np.flatnonzero(kept)[row]
        raise columns.error(int(where), f"{what} here, {voltage[0]:g} V before: not one constant voltage", remedy)
    time, current = channels["time"], channels["current"]
    seconds = time.values * (vocabulary.scale("time", str(time.unit)) or 1)
    ampere = current.values * (vocabulary.scale("current", str(current.unit)) or 1)
    read = (time.name, current.name, controlled[0], "mode")
    unread = [attrs.get("unread", ""), *_unread(columns, read)]
    attrs = {"format": columns.format, **attrs, "unread": ", ".join(filter(None, unread)), "current_sign": POSITIVE}
    return impedance.transient(columns.path, seconds, ampere, float(voltage[0]), attrs, lines)


def _unread(columns: Columns, read: Sequence[str]) -> list[str]:
    """Return the names of the columns that are not read."""
    return [name for name in columns.names if name and name not in read]


def _with_attrs(found: xr.Dataset, attrs: Mapping[str, Any]) -> xr.Dataset:
    """Return a recording with further attrs; what is unread is added to what was before."""
    unread = ", ".join(dict.fromkeys(filter(None, [found.attrs.get("unread"), attrs.get("unread")])))
    return found.assign_attrs({**attrs, **({"unread": unread} if unread else {})})
