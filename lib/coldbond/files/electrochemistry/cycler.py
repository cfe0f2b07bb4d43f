"""Cycling recordings in the data model, from the tables of any cycler.

The cells are converted to SI units and checked. The resolution of a channel is the last digit that its column shows, in
the unit of the data model. It bounds the error of rounding by half a digit; analyses propagate it.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from xarray.core.indexing import LazilyIndexedArray

from coldbond.files.electrochemistry import clocks, counters, derived, vocabulary
from coldbond.files.electrochemistry.on_disk import OnDisk
from coldbond.files.electrochemistry.table import Table, decimals

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
#: Cells that stand for a missing value.
EMPTY = ("", "-", "--")
#: Largest whole number up to which float64 holds every whole number.
LARGEST_INTEGER = 2**53
#: Digits that a resolution keeps: 1e-06, not 9.999999999999999e-07.
RESOLUTION_DIGITS = 9

#: Durations: 12:34:56.789; with days 1-02:03:04, 1.02:03:04, 1d 02:03:04, 1 02:03:04, 1天02:03:04.
DURATION = (
    r"^(?:(?<days>[0-9]+)(?:\s*d(?:ays?)?,?\s*|\s*天\s*|[-.]|\s+))?"
    r"(?<hours>[0-9]+):(?<minutes>[0-5]?[0-9]):(?<seconds>[0-5]?[0-9](?:[.,][0-9]+)?)$"
)
SECONDS = {"hours": 3600, "minutes": 60, "seconds": 1}
SECONDS_PER_DAY = 86400


def dataset(tables: Iterable[Table], column: Callable[[], list[np.ndarray] | OnDisk] = list) -> xr.Dataset:
    """Return the recording that one table holds, or several that continue each other.

    Parameters
    ----------
    tables : iterable of Table
        With the same columns. Each is processed before the next is taken, so that a long recording may be longer than
        the memory.
    column : callable
        Makes the store, with a method `append`, that collects the values of a variable.

    Returns
    -------
    xarray.Dataset
        See `coldbond.files.read`.

    Raises
    ------
    ReadError
        A cell is not a number, a needed one is empty, the test time decreases, or the sign of the current is unknown.
    """
    columns: dict[str, list[np.ndarray] | OnDisk] = {}
    digits: dict[str, float] = {}
    parts: list[derived.Summary] = []
    # The current with negative discharge, collected until a part shows that the recorded current has signs already.
    signed: list[np.ndarray] | OnDisk | None = column()
    last_time = -np.inf
    for table in tables:
        columns = columns or {name: column() for name in LONG_NAMES if name in table.cells}
        values = {}
        for name, store in columns.items():
            values[name], last_digit = _channel(table, name)
            digits[name] = min(last_digit, digits.get(name, np.inf))
            del table.cells[name]  # frees memory
            store.append(values[name])
        last_time = _check_time(table, values["time"], last_time)
        parts.append(derived.summarise(table, values))
        if parts[-1].negative_in_discharge:
            signed = None
        elif signed is not None:
            signed.append(derived.with_negative_discharge(table, values["current"]))
    blank = [name for name in vocabulary.COUNTERS if name in columns and all(name in part.blank for part in parts)]
    clocks.check(table, [part.clocks for part in parts])
    if derived.counts_records(table, parts):
        blank.append("step")
    names = [name for name in columns if name not in blank]
    sign = derived.sign(parts)
    if sign == "step state" and signed is not None:
        columns["current"] = signed
    resolution = {name: float(f"{digits[name]:.{RESOLUTION_DIGITS}g}") for name in names}
    attrs = {name: {"units": SI[name], "long_name": LONG_NAMES[name], "resolution": resolution[name]} for name in names}
    recording = xr.Dataset(
        {name: ("record", _joined(columns[name]), attrs[name]) for name in names},
        attrs={"technique": "cycling", "format": table.format},
    )
    recording["current"].attrs["sign"] = sign
    for pair in (["capacity"], ["charge_capacity", "discharge_capacity"]):
        if there := [name for name in pair if name in names]:
            resets = counters.resets(recording, there)
            for name in there:
                recording[name].attrs["resets"] = resets
            counters.check(table.path, recording, there)
    counters.check_half_cycles(table.path, recording)
    return recording.assign_attrs(_optional_attrs(recording, parts, table, blank))


def _optional_attrs(
    recording: xr.Dataset, parts: Sequence[derived.Summary], table: Table, blank: Sequence[str]
) -> dict[str, str | int]:
    """Return the attrs that not every recording has; `blank` are the columns without any value."""
    unread = [*parts[0].unread, *(table.columns[name].header for name in blank)]
    start = clocks.start([part.clocks for part in parts], duration=float(recording.time[-1] - recording.time[0]))
    if start is None and "systime" in table.columns:
        unread.append(table.columns["systime"].header)
    attrs = {
        "start": start,
        "lost_records": derived.lost_records(parts, recording.sizes["record"]),
        "header": parts[0].preamble or None,
        "unread": ", ".join(unread) or None,
    }
    return {name: value for name, value in attrs.items() if value is not None}


def _joined(column: list[np.ndarray] | OnDisk) -> np.ndarray | LazilyIndexedArray:
    """Return the values of a column whose parts were appended one after the other."""
    if isinstance(column, OnDisk):
        return column.lazy()
    return column[0] if len(column) == 1 else np.concatenate(column)


def _channel(table: Table, name: str) -> tuple[np.ndarray, float]:
    """Return one variable of the recording and its last digit, in the unit of the data model."""
    if name in ("cycle", "step"):
        return _integers(table, name), 1.0
    if name == "time" and ":" in str(table.cells["time"][0]):
        return _durations(table)
    column = table.columns[name]
    scale = vocabulary.scale(name, column.unit) if column.unit is not None else None
    numbers = _numbers(table, name, may_be_empty=name in vocabulary.COUNTERS)
    if scale is None and table.format in ("maccor-text", "neware-parquet"):
        scale = clocks.unit_of_time(table, numbers)
    if scale is None:  # only of the time: `choose_columns` has refused other columns without a known unit
        reason = f"column {column.index + 1} ({column.header}) has no unit and is not h:mm:ss"
        raise table.error(0, reason, "name the unit in the header, as in TestTime/Sec")
    # Division by 1000 is correctly rounded, multiplication by 0.001 is not.
    values = numbers / round(1 / scale) if scale < 1 else numbers * scale
    return values, scale * 10.0 ** -table.decimals[name]


def _numbers(table: Table, name: str, may_be_empty: bool = False) -> np.ndarray:
    """Return the values of a column in the unit of the file; NaN for empty cells where these are allowed."""
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
    """Return the values of a column of whole numbers."""
    import polars as pl

    values = _numbers(table, name)
    _refuse(table, name, pl.Series((np.rint(values) != values) | (np.abs(values) > LARGEST_INTEGER)), "a whole number")
    return values.astype(np.int64)


def _durations(table: Table) -> tuple[np.ndarray, float]:
    """Return the test time of a column of h:mm:ss and its last digit, both in s."""
    import polars as pl

    cells = table.cells["time"].str.strip_chars().str.replace(",", ".", literal=True)
    parts = cells.str.extract_groups(DURATION).struct
    days = parts.field("days").cast(pl.Float64).fill_null(0.0) * SECONDS_PER_DAY
    seconds = sum((parts.field(part).cast(pl.Float64) * SECONDS[part] for part in SECONDS), start=days)
    _refuse(table, "time", seconds.is_null(), "a duration h:mm:ss")
    return seconds.to_numpy(writable=True), 10.0 ** -decimals(parts.field("seconds"))


def _refuse(table: Table, name: str, bad: "pl.Series", wanted: str) -> None:
    """Raise the error for the first bad cell of a column."""
    row = bad.arg_max() if bad.any() else None
    if row is None:
        return
    cell, header = str(table.cells[name][row] or "").strip(), table.columns[name].header
    if cell in EMPTY:
        raise table.error(row, f"{header} is empty", "export it again, or delete the row if the record was lost")
    if vocabulary.columns([cell]):
        reason = f"a second line of column names ({cell} under {header}), as where two files were joined"
        raise table.error(row, reason, "split it here into two recordings")
    comma = re.fullmatch(r"[-+]?\d+,\d+", cell)
    remedy = "export it with decimal points, not commas" if comma else "restore the value from the tester's own file"
    raise table.error(row, f"{header} is {cell!r}, not {wanted}", remedy)


def _check_time(table: Table, time: np.ndarray, before: float) -> float:
    """Refuse a test time that decreases and return its last value; `before` is the time before the first record."""
    decreases = np.diff(time, prepend=before) < 0
    if decreases.any():
        row = int(decreases.argmax())
        raise table.error(
            row,
            f"the test time decreases from {time[row - 1] if row else before:.15g} s to {time[row]:.15g} s",
            "export it with the time of the whole test, or split it here into two recordings",
        )
    return time[-1]


def _is_empty(cells: "pl.Series") -> "pl.Series":
    import polars as pl

    return cells.is_null() | cells.str.strip_chars().is_in(EMPTY) if cells.dtype == pl.String else cells.is_null()
