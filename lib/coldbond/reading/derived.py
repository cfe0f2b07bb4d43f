"""What an export does not say outright and its records tell: signs, resets of counters, start, lost records."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from coldbond.reading.table import Table

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


def direction(state: str) -> int | None:
    """1 for a step state that charges, -1 for one that discharges, 0 for a rest, None where the words do not tell."""
    words = re.sub(r"[\s-]+", "_", unicodedata.normalize("NFKC", state).strip().casefold())
    for pattern, sign in ((DISCHARGE, -1), (CHARGE, 1), (REST, 0)):
        if pattern.fullmatch(words):
            return sign
    return None


def signed(table: Table, current: np.ndarray) -> tuple[np.ndarray, str]:
    """The current with discharge negative, and whence its sign: "recorded" or "step state".

    Some LAND exports give the current without its sign. The rule: where the current is positive in discharging steps
    and never negative in one, it has no sign, and the discharging steps' is turned; else it is taken as recorded.

    Raises
    ------
    ReadError
        The current has no sign and no state tells it, or sign and states contradict each other.
    """
    states = table.cells.get("state")
    if states is None and table.format in ("landt-csv", "bdf-csv"):
        return current, "recorded"  # these formats define the sign
    discharging, resting, charging = (_heading(states, sign, current.size) for sign in (-1, 0, 1))
    unsigned = (current[discharging] > 0).any() and not (current[discharging] < 0).any()
    if unsigned or not (current < 0).any():
        untold = (current > 0) & ~(discharging | resting | charging)
        if untold.any():
            row = int(untold.argmax())
            state = "no column of step states" if states is None else f"the step state {states[row]!r} does not"
            reason = f"the current shows no sign, and {state} tells charge from discharge"
            raise table.error(row, reason, "export it with signed currents, or with step states (Step-State, 工作模式)")
    if not unsigned:
        return current, "recorded"
    against = charging & (current < 0)
    if against.any():
        reason = "the current is negative in a charging step and positive in discharging ones"
        raise table.error(int(against.argmax()), reason, "export it with the current of charge positive")
    return np.where(discharging, -current, current), "step state"


def _heading(states: "pl.Series | None", sign: int, size: int) -> np.ndarray:
    """Whether each record's step state is of this direction."""
    words = [] if states is None else [word for word in states.unique() if word and direction(word) == sign]
    return states.is_in(words).fill_null(False).to_numpy() if words else np.zeros(size, bool)


def resets(values: Mapping[str, np.ndarray], counters: Sequence[str], resolution: Mapping[str, float]) -> str:
    """When counters of charge fall back to zero: with each "step", with each "cycle", or "never".

    Parameters
    ----------
    values : mapping of str to ndarray
        The recording's variables, each of one value a record.
    counters : sequence of str
        The counters that the tester resets together.
    resolution : mapping of str to float
        Of the counters.

    Returns
    -------
    str
        "step", "cycle", "never"; or "undetermined" where the counters do none of these throughout, or where no step
        ends with charge on a counter.
    """
    cycle = values.get("cycle", np.zeros_like(values["current"]))
    step = values.get("step", np.sign(values["current"]))
    new_cycle = np.diff(cycle) != 0
    new_step = new_cycle | (np.diff(step) != 0)
    fell, fell_with_cycle = [], []
    for name in counters:
        count = np.abs(values[name])
        falls = count[1:] < count[:-1] - 1.5 * resolution[name]
        if (falls & ~new_step).any():
            return "undetermined"
        holds = new_step & (count[:-1] > 2 * resolution[name])
        fell.append(falls[holds])
        fell_with_cycle.append(falls[holds] == new_cycle[holds])
    fell, fell_with_cycle = np.concatenate(fell), np.concatenate(fell_with_cycle)
    if not fell.size:
        return "undetermined"
    if fell.all():
        return "step"
    if not fell.any():
        return "never"
    return "cycle" if fell_with_cycle.all() else "undetermined"


def lost_records(table: Table) -> int | None:
    """Number of records missing between the first and the last; None where the file does not number them."""
    import polars as pl

    if "record" not in table.cells:
        return None
    numbers = table.cells["record"].cast(pl.Float64, strict=False).to_numpy()
    # A channel number, or one that starts anew with each step, is no number of the record.
    if np.isnan(numbers).any() or (np.diff(numbers) <= 0).any():
        return None
    return int(numbers[-1] - numbers[0]) + 1 - numbers.size


def start(table: Table, time: np.ndarray) -> str | None:
    """ISO 8601 date and time of the first record; None where the file has none or its date could be two.

    In dates such as 04/05/2024, which of the two is the month is told by a number above 12, or by the days that the
    test took; never assumed.
    """
    text = table.cells.get("systime")
    if text is None:
        return None
    readings = [pair for pair in zip(_readings(text[0]), _readings(text[-1]), strict=False) if None not in pair]
    if len(readings) == 2:
        took = time[-1] - time[0]
        readings = [(first, last) for first, last in readings if abs((last - first).total_seconds() - took) < DAY]
    if len(readings) != 1:
        table.unread.append(table.columns["systime"].header)
        return None
    return readings[0][0].isoformat()


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
