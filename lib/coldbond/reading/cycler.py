"""From a cycler's table of text to a recording: numbers in SI units, checked, with each channel's resolution."""

import re
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from coldbond.reading import derived, vocabulary
from coldbond.reading.table import Table, decimals

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


def dataset(table: Table) -> xr.Dataset:
    """The recording in a table.

    Returns
    -------
    xarray.Dataset
        See `coldbond.reading.read`.

    Raises
    ------
    ReadError
        A cell is not a number, a needed one is empty, the clock runs back, or nothing tells charge from discharge.
    """
    blank = [name for name in vocabulary.COUNTERS if name in table.columns and _is_empty(table.cells[name]).all()]
    names = [name for name in LONG_NAMES if name in table.columns and name not in blank]
    values, resolution = {}, {}
    for name in names:
        values[name], last_digit = _channel(table, name)
        resolution[name] = float(f"{last_digit:.9g}")
        del table.cells[name]  # a long recording's take memory
    _check_clock(table, values["time"])
    values["current"], sign = derived.signed(table, values["current"])
    attrs = {name: {"units": SI[name], "long_name": LONG_NAMES[name], "resolution": resolution[name]} for name in names}
    recording = xr.Dataset(
        {name: ("record", values[name], attrs[name]) for name in names},
        attrs={"technique": "cycling", "format": table.format},
    )
    recording["current"].attrs["sign"] = sign
    for pair in (["capacity"], ["charge_capacity", "discharge_capacity"]):
        if counters := [name for name in pair if name in names]:
            told = derived.resets(values, counters, resolution)
            for name in counters:
                recording[name].attrs["resets"] = told
    table.unread += [table.columns[name].header for name in blank]
    notes = {
        "start": derived.start(table, values["time"]),  # before `unread`, which it may lengthen
        "lost_records": derived.lost_records(table),
        "header": table.preamble or None,
        "unread": ", ".join(table.unread) or None,
    }
    return recording.assign_attrs({name: note for name, note in notes.items() if note is not None})


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


def _check_clock(table: Table, time: np.ndarray) -> None:
    back = np.diff(time) < 0
    if back.any():
        row = int(back.argmax()) + 1
        raise table.error(
            row,
            f"the clock runs back from {time[row - 1]:.15g} s to {time[row]:.15g} s",
            "export it with the time of the whole test, or split it here into two recordings",
        )


def _is_empty(cells: "pl.Series") -> "pl.Series":
    import polars as pl

    return cells.is_null() | cells.str.strip_chars().is_in(EMPTY) if cells.dtype == pl.String else cells.is_null()
