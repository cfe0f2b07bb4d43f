"""Properties of a cycling recording that are derived from its records, since the export does not state them.

These are the sign of the current, when the capacity counters are reset, the start of the test and the number of lost
records. A long recording is read in parts: `summarise` reduces each part to what these need, and the other functions
combine the summaries.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry.table import Table
from coldbond.files.electrochemistry.vocabulary import COUNTERS
from coldbond.files.errors import ReadError

if TYPE_CHECKING:
    import polars as pl

#: Step states, normalised as by `direction`: LAND's CCC, CVD, RateC, C_CC, CCCV_C, 恒流充电; Landt's `charge CC`; the
#: Battery Data Format's CC_CHG. LAND's plain CC is a charge or a discharge.
DISCHARGE = re.compile(r".*(dis|dch|dsg|放电).*|[a-z]+_d|d_[a-z]+|(cc|cv|cp|cr|rate)+d|d(cc|cv|cp|cr|rate)+")
CHARGE = re.compile(r".*(chg|charge|充电).*|[a-z]+_c|c_[a-z]+|(cc|cv|cp|cr|rate)+c|c(cc|cv|cp|cr|rate)+")
REST = re.compile(r"r|.*(rest|pause|wait|stop|idle|ocv|静置|搁置|休眠|暂停|停止).*")

_CLOCK = r"[ T]+(?P<hour>\d{1,2}):(?P<rest>\d{2}(:\d{2}(\.\d+)?)?)"
YEAR_FIRST = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + _CLOCK)
YEAR_LAST = re.compile(r"(?P<first>\d{1,2})[-/.](?P<second>\d{1,2})[-/.](?P<year>\d{4})" + _CLOCK)
UNIX = re.compile(r"\d{9,10}(\.\d+)?")
DAY = 86400.0  # s

#: Formats that define the sign of the current.
SIGNED = ("landt-csv", "bdf-csv", "ec-lab-mpt", "ec-lab-mpr")
#: Records that are looked at together; a recording on disk is larger than the memory.
BLOCK = 1 << 20
#: Last digits by which a counter must fall to have been reset, and which it must hold before. A counter at rest dithers
#: by one last digit.
FALL = 1.5
HELD = 2.0


def direction(state: str) -> int | None:
    """Return 1 for a step state that charges, -1 for one that discharges, 0 for a rest, None for an ambiguous one."""
    words = re.sub(r"[\s-]+", "_", unicodedata.normalize("NFKC", state).strip().casefold())
    for pattern, sign in ((DISCHARGE, -1), (CHARGE, 1), (REST, 0)):
        if pattern.fullmatch(words):
            return sign
    return None


@dataclass(frozen=True)
class Summary:
    """What is needed of one part of a recording to derive the properties of the whole.

    Attributes
    ----------
    negative : bool
        Some current is negative, or the format defines the sign.
    negative_in_discharge, positive_in_discharge : bool
        Some current in a discharging step is negative, or positive.
    ambiguous : ReadError or None
        The error for the first positive current in a step whose state is neither charge, discharge nor rest.
    contradictory : ReadError or None
        The error for the first negative current in a charging step.
    numbers : (float, float) or None
        The number of the first and of the last record; None where the numbers do not ascend.
    blank : set of str
        Counters of which every cell is empty.
    systime : (str, str) or None
        System time of the first and of the last record.
    unread : list of str
    preamble : str
    """

    negative: bool
    negative_in_discharge: bool
    positive_in_discharge: bool
    ambiguous: ReadError | None
    contradictory: ReadError | None
    numbers: tuple[float, float] | None
    blank: set[str]
    systime: tuple[str, str] | None
    unread: list[str]
    preamble: str


def summarise(table: Table, values: Mapping[str, np.ndarray]) -> Summary:
    """Return the summary of a part, given the values of its columns in the data model's units."""
    current, states, systime = values["current"], table.cells.get("state"), table.cells.get("systime")
    discharging, resting, charging = (_has_direction(states, sign, current.size) for sign in (-1, 0, 1))
    ambiguous = (current > 0) & ~(discharging | resting | charging)
    contradictory = charging & (current < 0)
    of_ambiguous = of_contradictory = None
    if ambiguous.any():
        row = int(ambiguous.argmax())
        state = "no column of step states" if states is None else f"the step state {states[row]!r} does not"
        reason = f"the current has no sign, and {state} tells charge from discharge"
        remedy = "export it with signed currents, or with step states (Step-State, 工作模式)"
        of_ambiguous = table.error(row, reason, remedy)
    if contradictory.any():
        reason = "the current is negative in a charging step and positive in discharging ones"
        remedy = "export it with a positive current during charge"
        of_contradictory = table.error(int(contradictory.argmax()), reason, remedy)
    return Summary(
        negative=bool((current < 0).any()) or (states is None and table.format in SIGNED),
        negative_in_discharge=bool((current[discharging] < 0).any()),
        positive_in_discharge=bool((current[discharging] > 0).any()),
        ambiguous=of_ambiguous,
        contradictory=of_contradictory,
        numbers=_numbers(table),
        blank={name for name in COUNTERS if name in values and np.isnan(values[name]).all()},
        systime=None if systime is None else (systime[0], systime[-1]),
        unread=table.unread,
        preamble=table.preamble,
    )


def sign(parts: Sequence[Summary]) -> str:
    """Return where the sign of the current comes from: "recorded" or "step state".

    Some LAND exports give the magnitude of the current alone. A recording whose current is positive in discharging
    steps and never negative in one is such an export, and its discharge currents must be negated. Otherwise the sign is
    as recorded.

    Raises
    ------
    ReadError
        The current has no sign and a step state is ambiguous, or the signs contradict the step states.
    """
    unsigned = any(part.positive_in_discharge for part in parts) and not any(
        part.negative_in_discharge for part in parts
    )
    doubtful = unsigned or not any(part.negative for part in parts)
    errors = [part.ambiguous for part in parts if doubtful] + [part.contradictory for part in parts if unsigned]
    for error in filter(None, errors):
        raise error
    return "step state" if unsigned else "recorded"


def with_negative_discharge(table: Table, current: np.ndarray) -> np.ndarray:
    """Return the current of a table, negated in discharging steps."""
    discharging = _has_direction(table.cells.get("state"), -1, current.size)
    return np.where(discharging, -current, current) if discharging.any() else current


def _has_direction(states: "pl.Series | None", sign: int, size: int) -> np.ndarray:
    """Return for each record whether its step state has this direction."""
    words = [] if states is None else [word for word in states.unique() if word and direction(word) == sign]
    if states is None or not words:
        return np.zeros(size, bool)
    return states.is_in(words).fill_null(False).to_numpy()


def resets(recording: xr.Dataset, counters: Sequence[str]) -> str:
    """Return when capacity counters are reset to zero.

    Parameters
    ----------
    recording : xarray.Dataset
        With signed current.
    counters : sequence of str
        Counters that the tester resets together.

    Returns
    -------
    str
        "step" or "cycle" where every one of them starts from zero, "never", or "undetermined" where the counters do
        none of these throughout, or no step ends with charge on a counter.
    """
    ends = fell = fell_with_cycle = 0
    names = [name for name in ("cycle", "step", "current", *counters) if name in recording]
    for start in range(0, recording.sizes["record"] - 1, BLOCK):
        block = {name: recording[name][start : start + BLOCK + 1].to_numpy() for name in names}
        new_cycle = np.diff(block["cycle"]) != 0 if "cycle" in block else np.zeros(block["current"].size - 1, bool)
        new_step = new_cycle | (np.diff(block.get("step", np.sign(block["current"]))) != 0)
        for name in counters:
            digit, count = recording[name].attrs["resolution"], np.abs(block[name])
            falls = count[1:] < count[:-1] - FALL * digit
            if (falls & ~new_step).any():  # within a step
                return "undetermined"
            holds = new_step & (count[:-1] > HELD * digit)
            ends += int(np.count_nonzero(holds))
            fell += int(np.count_nonzero(falls & holds))
            fell_with_cycle += int(np.count_nonzero((falls == new_cycle) & holds))
    if ends and fell in (0, ends):
        return "step" if fell else "never"
    return "cycle" if ends and fell_with_cycle == ends else "undetermined"


def lost_records(parts: Sequence[Summary], size: int) -> int | None:
    """Return how many records are missing between the first and the last; None where the file does not number them."""
    numbers: list[float] = []
    for part in parts:
        # A channel number, or a number that starts again with each step, does not number the records.
        if part.numbers is None or (numbers and part.numbers[0] <= numbers[-1]):
            return None
        numbers += part.numbers
    return int(numbers[-1] - numbers[0]) + 1 - size


def _numbers(table: Table) -> tuple[float, float] | None:
    """Return the number of the first and of the last record; None where there are none or they do not ascend."""
    import polars as pl

    if "record" not in table.cells:
        return None
    numbers = table.cells["record"].cast(pl.Float64, strict=False).to_numpy()
    return None if np.isnan(numbers).any() or (np.diff(numbers) <= 0).any() else (numbers[0], numbers[-1])


def start(parts: Sequence[Summary], duration: float) -> str | None:
    """Return the date and time of the first record as ISO 8601; None where there is none or its date is ambiguous.

    Whether 04/05/2024 is in April or in May follows from a number above 12, or from the first and last date and the
    `duration` [s] of the test. It is never assumed.
    """
    if parts[0].systime is None or parts[-1].systime is None:
        return None
    pairs = zip(_dates(parts[0].systime[0]), _dates(parts[-1].systime[1]), strict=False)
    dates = [(first, last) for first, last in pairs if first is not None and last is not None]
    if len(dates) == 2:
        dates = [(first, last) for first, last in dates if abs((last - first).total_seconds() - duration) < DAY]
    return dates[0][0].isoformat() if len(dates) == 1 else None


def _dates(text: str | None) -> list[datetime | None]:
    """Return the dates that a text can mean: one, or two with the month first and with the day first."""
    text = (text or "").strip()
    if UNIX.fullmatch(text):
        return [datetime.fromtimestamp(float(text), UTC)]
    if found := YEAR_FIRST.fullmatch(text):
        return [_date(found, "month", "day")]
    if found := YEAR_LAST.fullmatch(text):
        return [_date(found, "first", "second"), _date(found, "second", "first")]
    return []


def _date(found: re.Match[str], month: str, day: str) -> datetime | None:
    date = f"{found['year']}-{int(found[month]):02d}-{int(found[day]):02d}"
    try:
        return datetime.fromisoformat(f"{date} {int(found['hour']):02d}:{found['rest']}")
    except ValueError:
        return None
