"""What an export does not say outright and its records tell: signs, resets of counters, start, lost records."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.table import Table
from coldbond.files.vocabulary import COUNTERS

if TYPE_CHECKING:
    import polars as pl

#: Step states as `direction` spells them: LAND's CCC, CVD, RateC, C_CC, CCCV_C, 恒流充电; Landt's `charge CC`; the
#: Battery Data Format's CC_CHG. LAND's plain CC does not tell.
DISCHARGE = re.compile(r".*(dis|dch|dsg|放电).*|[a-z]+_d|d_[a-z]+|(cc|cv|cp|cr|rate)+d|d(cc|cv|cp|cr|rate)+")
CHARGE = re.compile(r".*(chg|charge|充电).*|[a-z]+_c|c_[a-z]+|(cc|cv|cp|cr|rate)+c|c(cc|cv|cp|cr|rate)+")
REST = re.compile(r"r|.*(rest|pause|wait|stop|idle|ocv|静置|搁置|休眠|暂停|停止).*")

_CLOCK = r"[ T]+(?P<hour>\d{1,2}):(?P<rest>\d{2}(:\d{2}(\.\d+)?)?)"
YEAR_FIRST = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + _CLOCK)
YEAR_LAST = re.compile(r"(?P<first>\d{1,2})[-/.](?P<second>\d{1,2})[-/.](?P<year>\d{4})" + _CLOCK)
UNIX = re.compile(r"\d{9,10}(\.\d+)?")
DAY = 86400.0  # s

#: Formats that define the sign of the current.
SIGNED = ("landt-csv", "bdf-csv")
BLOCK = 1 << 20  # records


def direction(state: str) -> int | None:
    """1 for a step state that charges, -1 for one that discharges, 0 for a rest, None where the words do not tell."""
    words = re.sub(r"[\s-]+", "_", unicodedata.normalize("NFKC", state).strip().casefold())
    for pattern, sign in ((DISCHARGE, -1), (CHARGE, 1), (REST, 0)):
        if pattern.fullmatch(words):
            return sign
    return None


@dataclass(frozen=True)
class Part:
    """What one table, of those that make up a recording, says of things that only all of them can tell.

    Attributes
    ----------
    negative : bool
        Some current is negative.
    drawn, given : bool
        In discharging steps some current is negative, some positive.
    untold, against : ReadError or None
        Of the first record whose state tells neither charge from discharge nor a rest, though its current is positive,
        and of the first whose current is negative in a charging step.
    numbers : (float, float) or None
        The first and the last record's own number; None where the numbers do not ascend.
    blank : set of str
        The counters of which every cell is empty.
    systime : (str, str) or None
        System time of the first and the last record.
    unread : list of str
    preamble : str
    """

    negative: bool
    drawn: bool
    given: bool
    untold: ReadError | None
    against: ReadError | None
    numbers: tuple[float, float] | None
    blank: set[str]
    systime: tuple[str, str] | None
    unread: list[str]
    preamble: str


def part(table: Table, values: Mapping[str, np.ndarray]) -> Part:
    """What a table says, given the values of its columns in the data model's units."""
    current, states, systime = values["current"], table.cells.get("state"), table.cells.get("systime")
    discharging, resting, charging = (_heading(states, sign, current.size) for sign in (-1, 0, 1))
    untold = (current > 0) & ~(discharging | resting | charging)
    against = charging & (current < 0)
    of_untold = of_against = None
    if untold.any():
        row = int(untold.argmax())
        state = "no column of step states" if states is None else f"the step state {states[row]!r} does not"
        reason = f"the current shows no sign, and {state} tells charge from discharge"
        mend = "export it with signed currents, or with step states (Step-State, 工作模式)"
        of_untold = table.error(row, reason, mend)
    if against.any():
        reason = "the current is negative in a charging step and positive in discharging ones"
        of_against = table.error(int(against.argmax()), reason, "export it with the current of charge positive")
    return Part(
        negative=bool((current < 0).any()) or (states is None and table.format in SIGNED),
        drawn=bool((current[discharging] < 0).any()),
        given=bool((current[discharging] > 0).any()),
        untold=of_untold,
        against=of_against,
        numbers=_numbers(table),
        blank={name for name in COUNTERS if name in values and np.isnan(values[name]).all()},
        systime=None if systime is None else (systime[0], systime[-1]),
        unread=table.unread,
        preamble=table.preamble,
    )


def sign(parts: Sequence[Part]) -> str:
    """Whence the sign of the current is: "recorded" or "step state".

    Some LAND exports give the current without its sign. The rule: where the current is positive in discharging steps
    and never negative in one, it has no sign, and the discharging steps' is to be turned; else it is as recorded.

    Raises
    ------
    ReadError
        The current has no sign and no state tells it, or sign and states contradict each other.
    """
    unsigned = any(part.given for part in parts) and not any(part.drawn for part in parts)
    doubtful = unsigned or not any(part.negative for part in parts)
    faults = [part.untold for part in parts if doubtful] + [part.against for part in parts if unsigned]
    for fault in filter(None, faults):
        raise fault
    return "step state" if unsigned else "recorded"


def turned(table: Table, current: np.ndarray) -> np.ndarray:
    """The current of a table, that of discharging steps with the other sign."""
    discharging = _heading(table.cells.get("state"), -1, current.size)
    return np.where(discharging, -current, current) if discharging.any() else current


def _heading(states: "pl.Series | None", sign: int, size: int) -> np.ndarray:
    """Whether each record's step state is of this direction."""
    words = [] if states is None else [word for word in states.unique() if word and direction(word) == sign]
    return states.is_in(words).fill_null(False).to_numpy() if words else np.zeros(size, bool)


def resets(recording: xr.Dataset, counters: Sequence[str]) -> str:
    """When counters of charge fall back to zero: with each "step", with each "cycle", or "never".

    Parameters
    ----------
    recording : xarray.Dataset
        With the current's sign as it is.
    counters : sequence of str
        Those that the tester resets together.

    Returns
    -------
    str
        "step", "cycle", "never"; or "undetermined" where the counters do none of these throughout, or where no step
        ends with charge on a counter.
    """
    ends = fell = fell_with_cycle = 0
    names = [name for name in ("cycle", "step", "current", *counters) if name in recording]
    for start in range(0, recording.sizes["record"] - 1, BLOCK):
        block = {name: recording[name][start : start + BLOCK + 1].to_numpy() for name in names}
        new_cycle = np.diff(block["cycle"]) != 0 if "cycle" in block else np.zeros(block["current"].size - 1, bool)
        new_step = new_cycle | (np.diff(block.get("step", np.sign(block["current"]))) != 0)
        for name in counters:
            digit, count = recording[name].attrs["resolution"], np.abs(block[name])
            falls = count[1:] < count[:-1] - 1.5 * digit
            if (falls & ~new_step).any():
                return "undetermined"
            holds = new_step & (count[:-1] > 2 * digit)
            ends += np.count_nonzero(holds)
            fell += np.count_nonzero(falls & holds)
            fell_with_cycle += np.count_nonzero((falls == new_cycle) & holds)
    if ends and fell in (0, ends):
        return "step" if fell else "never"
    return "cycle" if ends and fell_with_cycle == ends else "undetermined"


def lost_records(parts: Sequence[Part], size: int) -> int | None:
    """Number of records missing between the first and the last; None where the file does not number them."""
    # A channel number, or one that starts anew with each step, is no number of the record.
    if any(part.numbers is None for part in parts):
        return None
    numbers = [number for part in parts for number in part.numbers]
    if any(after <= before for before, after in zip(numbers[1::2], numbers[2::2], strict=False)):
        return None
    return int(numbers[-1] - numbers[0]) + 1 - size


def _numbers(table: Table) -> tuple[float, float] | None:
    """The first and the last record's own number; None where the numbers do not ascend or there are none."""
    import polars as pl

    if "record" not in table.cells:
        return None
    numbers = table.cells["record"].cast(pl.Float64, strict=False).to_numpy()
    return None if np.isnan(numbers).any() or (np.diff(numbers) <= 0).any() else (numbers[0], numbers[-1])


def start(parts: Sequence[Part], took: float) -> str | None:
    """ISO 8601 date and time of the first record; None where the file has none or its date could be two.

    In dates such as 04/05/2024, which of the two is the month is told by a number above 12, or by the time [s] that the
    test took; never assumed.
    """
    if parts[0].systime is None:
        return None
    first, last = parts[0].systime[0], parts[-1].systime[-1]
    readings = [pair for pair in zip(_readings(first), _readings(last), strict=False) if None not in pair]
    if len(readings) == 2:
        readings = [(first, last) for first, last in readings if abs((last - first).total_seconds() - took) < DAY]
    return readings[0][0].isoformat() if len(readings) == 1 else None


def _readings(text: str | None) -> list[datetime | None]:
    """The dates that a text can mean: one, or with the month first and with the day first."""
    text = (text or "").strip()
    if UNIX.fullmatch(text):
        return [datetime.fromtimestamp(float(text), UTC)]
    if found := YEAR_FIRST.fullmatch(text):
        return [_date(found, "month", "day")]
    if found := YEAR_LAST.fullmatch(text):
        return [_date(found, "first", "second"), _date(found, "second", "first")]
    return []


def _date(found: re.Match, month: str, day: str) -> datetime | None:
    date = f"{found['year']}-{int(found[month]):02d}-{int(found[day]):02d}"
    try:
        return datetime.fromisoformat(f"{date} {int(found['hour']):02d}:{found['rest']}")
    except ValueError:
        return None
