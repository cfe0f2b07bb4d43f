"""The clocks of a cycling recording: the test time is compared with the date and with the time of the step.

A wrong unit of the test time, milliseconds called seconds, changes charges, rates and lifetimes without a trace. Where
the file has a second clock, both must run equally fast. They are compared at `SAMPLES` places of the recording. The
date may stand ahead where the test was paused, hence the median of the ratios counts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from coldbond.files.electrochemistry import vocabulary
from coldbond.files.errors import ReadError
from coldbond.files.numerals import NUMBER

if TYPE_CHECKING:
    from coldbond.files.electrochemistry.table import Table

#: Places in each part of a recording at which its clocks are compared: a wrong unit shows in any.
SAMPLES = 100
#: Deviation of the ratio of two clocks from 1 that is no wrong unit: testers' clocks drift by seconds a day.
DRIFT = 0.05
#: Last digits of a clock that an interval must have for a ratio.
DIGITS = 20
#: Seconds that a date may lag behind the test time: clocks are set back by an hour in autumn.
SUMMER_TIME = 3600.0
#: Longest test [s]: five years. The longest cycling tests that are published take about that in one file; a test time
#: in the wrong unit is 60 to 3600 times too long.
LONGEST = 5 * 365.25 * 86400
#: Longest charge or discharge without a rest or a change of sign [s]: a year. An equilibrium voltage is measured at
#: C/100 or C/1000 at the slowest.
LONGEST_HALF_CYCLE = 365.25 * 86400
DAY = 86400.0  # s

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{1,2}(?:[.,]\d+)?))?\s*(?P<half>[AaPp][Mm])?"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
YEAR_FIRST = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})[ T]+" + _CLOCK)
YEAR_LAST = re.compile(r"(?P<first>\d{1,2})[-/.](?P<second_>\d{1,2})[-/.](?P<year>\d{4}),?[ T]+" + _CLOCK)
NAMED = re.compile(r"(?P<day>\d{1,2})[- ](?P<name>[A-Za-z]{3})[a-z]*[- ](?P<year>\d{4}|\d{2}),?[ T]+" + _CLOCK)
ZONED = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*(Z|[+-]\d\d:?\d\d)")
UNIX = re.compile(r"\d{9,10}(\.\d+)?|\d{12,13}(\.\d+)?")


@dataclass(frozen=True)
class Samples:
    """The clocks of one part of a recording at some of its records.

    Attributes
    ----------
    time : numpy.ndarray
        Test time [s].
    systime, steptime : list of (str or None)
        Cells of the date and of the time of the step; empty where the file has no such column.
    line : (str or None, int or None)
        Sheet and line of the last record of the part.
    """

    time: np.ndarray
    systime: list[str | None]
    steptime: list[str | None]
    line: tuple[str | None, int | None]


def sampled_rows(size: int) -> np.ndarray:
    """Return the rows of a table at which its clocks are compared: pairs of neighbours, the first and the last row."""
    first = np.linspace(0, size - 1, min(size, SAMPLES)).astype(np.intp)
    return np.unique(np.concatenate([first, np.minimum(first + 1, size - 1)]))


def check(table: "Table", parts: Sequence[Samples]) -> None:
    """Refuse a recording whose clocks do not agree, or which is too long to be true.

    Raises
    ------
    ReadError
        With both columns and what they say.
    """
    time = np.concatenate([part.time for part in parts])
    header = table.columns["time"].header
    sheet, line = parts[-1].line
    span = time[-1] - time[0]
    reason = remedy = ""
    for column, seconds in _second_clocks(table, parts):
        if all(_agree(time, other, digit, pairs) is False for other, digit, pairs in seconds):
            other = seconds[0][0]
            total = other[-1] - other[0]
            if seconds[0][2]:
                ratio = np.median(_ratios(time, *seconds[0]))
                reason = f"{column} runs {ratio:.3g} times as fast as {header}"
            else:
                reason = f"the test time ({header}) spans {span:.9g} s, and {column} {total:.9g} s"
            remedy = "export both with their true units: one of the two columns is not in the unit that its name says"
    if not reason and span > LONGEST:
        reason = f"the test time spans {span / 3600:.6g} h, more than {LONGEST / 3600:.0f} h (five years)"
        remedy = f"export it with the true unit of {header}"
    if reason:
        raise ReadError(table.path, line, reason, remedy, sheet)


def unit_of_time(table: "Table", numbers: np.ndarray) -> float | None:
    """Return the unit [s] of a test time whose column names none, from the date beside it; None where it does not tell.

    Maccor's exports can be set to seconds, minutes or hours, and some name none of these.
    """
    texts = _texts(table, "systime")
    for other, digit in dates(texts) if texts else []:
        ratios = _ratios(numbers[table.sampled], other, digit / 3600, False)
        for unit in (1.0, 60.0, 3600.0):
            if ratios.size and abs(np.median(ratios) / unit - 1) < DRIFT:
                return unit
    return None


def start(parts: Sequence[Samples], duration: float) -> str | None:
    """Return the date and time of the first record as ISO 8601; None where there is none or its date is ambiguous.

    Whether 04/05/2024 is in April or in May follows from a number above 12, or from the first and last date and the
    `duration` [s] of the test. It is never assumed.
    """
    if not parts[0].systime or not parts[-1].systime:
        return None
    pairs = zip(_readings(parts[0].systime[0]), _readings(parts[-1].systime[-1]), strict=False)
    found = [(first, last) for first, last in pairs if first is not None and last is not None]
    if len(found) == 2:
        found = [(first, last) for first, last in found if abs((last - first).total_seconds() - duration) < DAY]
    return found[0][0].isoformat() if len(found) == 1 else None


def dates(texts: Sequence[str | None]) -> list[tuple[np.ndarray, float]]:
    """Return seconds and last digit [s] for each way to read all dates: with the month or with the day first."""
    read = [_readings(text) for text in texts]
    ways = min(map(len, read), default=0)
    found = []
    for way in range(ways):
        moments = [moment[way] for moment in read]
        whole = [moment for moment in moments if moment is not None]
        if len(whole) == len(moments) and len({moment.tzinfo is None for moment in whole}) == 1:
            seconds = np.array([(moment - whole[0]).total_seconds() for moment in whole])
            found.append((seconds, _digit(texts[0] or "")))
    return found


def _second_clocks(table: "Table", parts: Sequence[Samples]) -> list[tuple[str, list[tuple[np.ndarray, float, bool]]]]:
    """Return each second clock of a file: its column, and the ways to read it: seconds, digit, whether it restarts."""
    clocks = []
    if all(part.systime for part in parts):
        texts = [text for part in parts for text in part.systime]
        if readings := [(seconds, digit, False) for seconds, digit in dates(texts)]:
            first, last = (str(text).strip() for text in (texts[0], texts[-1]))
            clocks.append((f"{table.columns['systime'].header} ({first} to {last})", readings))
    if all(part.steptime for part in parts):
        cells = [(text or "").strip().replace(",", ".") for part in parts for text in part.steptime]
        unit = table.columns["steptime"].unit
        scale = vocabulary.scale("time", unit) if unit else None
        if scale is not None and all(map(NUMBER.fullmatch, cells)):
            digit = scale * 10.0 ** -max(len(cell.partition(".")[2]) for cell in cells)
            clocks.append((table.columns["steptime"].header, [(np.array(cells, float) * scale, digit, True)]))
    return clocks


def _agree(time: np.ndarray, other: np.ndarray, digit: float, restarts: bool) -> bool | None:
    """Return whether a clock agrees with the test time; None where its digits do not tell."""
    ratios = _ratios(time, other, digit, restarts)
    span, total = time[-1] - time[0], other[-1] - other[0]
    if not restarts and total < span * (1 - DRIFT) - SUMMER_TIME - 2 * digit:
        return False
    if not ratios.size:
        return None
    return bool(abs(np.median(ratios) - 1) < DRIFT)


def _ratios(time: np.ndarray, other: np.ndarray, digit: float, restarts: bool) -> np.ndarray:
    """Return by how much a clock advances per second of test time, between records that resolve it."""
    passed, advanced = np.diff(time), np.diff(other)
    resolved = (passed > 0) & ((passed > DIGITS * digit) | (restarts & (advanced > DIGITS * digit)))
    if restarts:
        resolved &= advanced > 0
    elif not resolved.any():
        span, total = time[-1] - time[0], other[-1] - other[0]
        return np.array([total / span]) if span > 0 and max(span, total) > DIGITS * digit else np.zeros(0)
    return advanced[resolved] / passed[resolved]


def _texts(table: "Table", clock: str) -> list[str | None]:
    return table.cells[clock].to_list() if clock in table.cells else []


def samples(table: "Table", time: np.ndarray) -> Samples:
    """Return the clocks of a table, given its test time [s]."""
    last = table.place(time.size - 1)
    return Samples(time[table.sampled], _texts(table, "systime"), _texts(table, "steptime"), last)


def _digit(text: str) -> float:
    """Return the last digit [s] of a date and time."""
    if UNIX.fullmatch(text.strip()):
        return 1e-3 if len(text) > 10 else 1.0
    clock = re.search(_CLOCK, text)
    if clock is None or clock["second"] is None:
        return 60.0
    return 10.0 ** -len(re.sub(r"^\d+[.,]?", "", clock["second"]))


def _readings(text: str | None) -> list[datetime | None]:
    """Return the dates that a text can mean: one, or two with the month first and with the day first."""
    text = (text or "").strip()
    if UNIX.fullmatch(text):
        seconds = float(text) / (1000 if len(text.partition(".")[0]) > 10 else 1)
        return [datetime.fromtimestamp(seconds, UTC)]
    if ZONED.fullmatch(text):
        try:
            return [datetime.fromisoformat(text)]
        except ValueError:
            return []
    if found := YEAR_FIRST.fullmatch(text):
        return [_date(found, found["month"], found["day"])]
    if found := YEAR_LAST.fullmatch(text):
        return [_date(found, found["first"], found["second_"]), _date(found, found["second_"], found["first"])]
    if (found := NAMED.fullmatch(text)) and found["name"].casefold() in _MONTHS:
        return [_date(found, str(_MONTHS.index(found["name"].casefold()) + 1), found["day"])]
    return []


def _date(found: re.Match[str], month: str, day: str) -> datetime | None:
    year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    hour = int(found["hour"])
    if found["half"]:
        hour = hour % 12 + (12 if found["half"].lower() == "pm" else 0)
    second = float((found["second"] or "0").replace(",", "."))
    try:
        whole = datetime(year, int(month), int(day), hour, int(found["minute"]), int(second))
    except ValueError:
        return None
    return whole.replace(microsecond=min(round((second - int(second)) * 1e6), 999999))
