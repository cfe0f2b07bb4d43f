"""From a cycler's table of text to a recording: numbers in SI units, checked, with each channel's resolution."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from xarray.core.indexing import LazilyIndexedArray

from coldbond.files import derived, vocabulary
from coldbond.files.on_disk import OnDisk
from coldbond.files.table import Table, decimals

if TYPE_CHECKING:
    import polars as pl

LONG_NAMES = {
    "time": "test time",
    "voltage": "cell voltage",
    "current": "current",
    "cycle": "cycle number",
    "step": "step number",
    "capacity": "capacity counter",
    "charge_capacity": "charge capacity counter",
    "discharge_capacity": "discharge capacity counter",
}
SI = {"time": "s", "voltage": "V", "current": "A", "cycle": "1", "step": "1"} | dict.fromkeys(vocabulary.COUNTERS, "Ah")
EMPTY = ("", "-", "--")

#: 12:34:56.789; with days 1-02:03:04, 1.02:03:04, 1d 02:03:04, 1 02:03:04, 1天02:03:04.
DURATION = (
    r"^(?:(?<days>\d+)(?:\s*d(?:ays?)?,?\s*|\s*天\s*|[-.]|\s+))?"
    r"(?<hours>\d+):(?<minutes>[0-5]?\d):(?<seconds>[0-5]?\d(?:\.\d+)?)$"
)
SECONDS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


def dataset(tables: Iterable[Table], column: Callable[[], list | OnDisk] = list) -> xr.Dataset:
    """The recording in one table or in several that continue each other, each taken before the next is asked for.

    Parameters
    ----------
    tables : iterable of Table
        With the same columns.
    column : callable
        Makes what a variable's values are kept in, by `append`, until all are there.

    Returns
    -------
    xarray.Dataset
        See `coldbond.files.read`.

    Raises
    ------
    ReadError
        A cell is not a number, a needed one is empty, the clock runs back, or nothing tells charge from discharge.
    """
    columns: dict[str, list | OnDisk] = {}
    digits, parts, turned, clock = {}, [], column(), -np.inf
    for table in tables:
        columns = columns or {name: column() for name in LONG_NAMES if name in table.columns}
        values = {}
        for name in columns:
            values[name], last_digit = _channel(table, name)
            digits[name] = min(last_digit, digits.get(name, np.inf))
            del table.cells[name]  # a long recording's take memory
            columns[name].append(values[name])
        clock = _checked_clock(table, values["time"], clock)
        parts.append(derived.part(table, values))
        if parts[-1].drawn:  # the sign is recorded, so that no current will need to be turned
            turned = None
        elif turned is not None:
            turned.append(derived.turned(table, values["current"]))
    blank = [name for name in vocabulary.COUNTERS if name in columns and all(name in part.blank for part in parts)]
    names = [name for name in columns if name not in blank]
    sign = derived.sign(parts)
    if sign == "step state":
        columns["current"] = turned
    resolution = {name: float(f"{digits[name]:.9g}") for name in names}
    attrs = {name: {"units": SI[name], "long_name": LONG_NAMES[name], "resolution": resolution[name]} for name in names}
    recording = xr.Dataset(
        {name: ("record", _all(columns[name]), attrs[name]) for name in names},
        attrs={"technique": "cycling", "format": table.format},
    )
    recording["current"].attrs["sign"] = sign
    for pair in (["capacity"], ["charge_capacity", "discharge_capacity"]):
        if counters := [name for name in pair if name in names]:
            told = derived.resets(recording, counters)
            for name in counters:
                recording[name].attrs["resets"] = told
    return recording.assign_attrs(_notes(recording, parts, table, blank))


def _notes(recording: xr.Dataset, parts: Sequence[derived.Part], table: Table, blank: Sequence[str]) -> dict:
    """The attrs that not every recording has; `blank` are the quantities of columns without any value."""
    unread = [*parts[0].unread, *(table.columns[name].header for name in blank)]
    start = derived.start(parts, took=float(recording.time[-1] - recording.time[0]))
    if start is None and "systime" in table.columns:
        unread.append(table.columns["systime"].header)
    notes = {
        "start": start,
        "lost_records": derived.lost_records(parts, recording.sizes["record"]),
        "header": parts[0].preamble or None,
        "unread": ", ".join(unread) or None,
    }
    return {name: note for name, note in notes.items() if note is not None}


def _all(column: list | OnDisk) -> np.ndarray | LazilyIndexedArray:
    """The values of a column, however many times some were appended."""
    if isinstance(column, OnDisk):
        return column.lazy()
    return column[0] if len(column) == 1 else np.concatenate(column)


def _channel(table: Table, name: str) -> tuple[np.ndarray, float]:
    """One variable of the recording and its last digit, in the unit of the data model."""
    if name in ("cycle", "step"):
        return _integers(table, name), 1.0
    if name == "time" and ":" in str(table.cells["time"][0]):
        return _durations(table)
    column = table.columns[name]
    if column.unit is None:  # only the time's may be; `table.chosen` has refused the others
        reason = f"column {column.index + 1} ({column.header}) has no unit and is not h:mm:ss"
        raise table.error(0, reason, "name the unit in the header, as in TestTime/Sec")
    scale = vocabulary.scale(name, column.unit)
    numbers = _numbers(table, name, may_be_empty=name in vocabulary.COUNTERS)
    # Division by 1000 is right to the last bit where multiplication by 0.001 is not.
    values = numbers / round(1 / scale) if scale < 1 else numbers * scale
    return values, scale * 10.0 ** -table.decimals[name]


def _numbers(table: Table, name: str, may_be_empty: bool = False) -> np.ndarray:
    """Values of a column as the file has them; NaN for empty cells where there may be any."""
    import polars as pl

    cells = table.cells[name]
    values = cells.cast(pl.Float64, strict=False)
    if values.null_count() and cells.dtype == pl.String:
        values = cells.str.strip_chars().cast(pl.Float64, strict=False)
    bad = values.is_null()
    _refuse(table, name, bad & ~_is_empty(cells) if may_be_empty else bad, "a number")
    _refuse(table, name, ~values.is_finite().fill_null(True), "a finite number")
    return values.to_numpy()


def _integers(table: Table, name: str) -> np.ndarray:
    import polars as pl

    values = _numbers(table, name)
    _refuse(table, name, pl.Series((values % 1 != 0) | (np.abs(values) > 2**53)), "a whole number")
    return values.astype(np.int64)


def _durations(table: Table) -> tuple[np.ndarray, float]:
    """Test time of a column of h:mm:ss and its last digit, in s."""
    import polars as pl

    parts = table.cells["time"].str.strip_chars().str.extract_groups(DURATION).struct
    days = parts.field("days").cast(pl.Float64).fill_null(0.0) * SECONDS["days"]
    seconds = sum((parts.field(part).cast(pl.Float64) * SECONDS[part] for part in list(SECONDS)[1:]), start=days)
    _refuse(table, "time", seconds.is_null(), "a duration h:mm:ss")
    return seconds.to_numpy(writable=True), 10.0 ** -decimals(parts.field("seconds"))


def _refuse(table: Table, name: str, bad: "pl.Series", wanted: str) -> None:
    """Raise the error for the first bad cell of a column."""
    if not bad.any():
        return
    row = bad.arg_max()
    cell, header = str(table.cells[name][row] or "").strip(), table.columns[name].header
    if cell in EMPTY:
        raise table.error(row, f"{header} is empty", "export it again, or delete the row if the record was lost")
    comma = re.fullmatch(r"[-+]?\d+,\d+", cell)
    mend = "export it with decimal points, not commas" if comma else "restore the value from the tester's own file"
    raise table.error(row, f"{header} is {cell!r}, not {wanted}", mend)


def _checked_clock(table: Table, time: np.ndarray, before: float) -> float:
    """The last time of a table, none of which is less than the one before it; `before` is that before the first."""
    back = np.diff(time, prepend=before) < 0
    if back.any():
        row = int(back.argmax())
        raise table.error(
            row,
            f"the clock runs back from {time[row - 1] if row else before:.15g} s to {time[row]:.15g} s",
            "export it with the time of the whole test, or split it here into two recordings",
        )
    return time[-1]


def _is_empty(cells: "pl.Series") -> "pl.Series":
    import polars as pl

    return cells.is_null() | cells.str.strip_chars().is_in(EMPTY) if cells.dtype == pl.String else cells.is_null()
