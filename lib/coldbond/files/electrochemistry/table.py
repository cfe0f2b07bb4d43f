"""A cycler's table of records as the file holds it: cells by quantity, and the place of each row in the file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coldbond.files.electrochemistry import testers, vocabulary
from coldbond.files.electrochemistry.clocks import sampled_rows
from coldbond.files.electrochemistry.vocabulary import Column
from coldbond.files.errors import ReadError
from coldbond.files.numerals import NUMBER

if TYPE_CHECKING:
    import polars as pl


@dataclass
class Table:
    """The columns that `vocabulary` knows, one row per record.

    Attributes
    ----------
    path : pathlib.Path
    format : str
    columns : dict of str to Column
        By quantity, the keys of `vocabulary.NAMES`.
    cells : dict of str to polars.Series
        The cells of each column, null where empty: text, or float64 where every cell is a number. Of `systime` and
        `steptime` only those of the rows `sampled`.
    decimals : dict of str to int
        The largest number of decimals in a measured column: its resolution.
    rows : list of (str or None, sequence of int)
        For each part of the table the sheet, and the line or row number of each row in the file.
    unread : list of str
        Columns, tables and sheets that were not read.
    size : int
        Number of records.
    sampled : numpy.ndarray
        The rows, counted from 0, at which the clocks are compared.
    preamble : str
        Text above the header.
    width : int
        Number of fields in each row of text.
    comma : bool
        Whether its numbers have decimal commas.
    """

    path: Path
    format: str
    columns: dict[str, Column]
    cells: dict[str, "pl.Series"]
    decimals: dict[str, int]
    rows: list[tuple[str | None, Sequence[int]]]
    unread: list[str]
    size: int = 0
    sampled: np.ndarray = field(default_factory=lambda: np.zeros(0, np.intp))
    preamble: str = ""
    width: int = 0
    comma: bool = False

    def __post_init__(self) -> None:
        self.size = self.size or len(self.cells["time"])
        if not self.sampled.size:
            self.sampled = sampled_rows(self.size)

    def error(self, row: int, reason: str, remedy: str) -> ReadError:
        """Return the error for a row, counted from 0, with its place in the file."""
        sheet, line = self.place(row)
        return ReadError(self.path, line, reason, remedy, sheet)

    def place(self, row: int) -> tuple[str | None, int | None]:
        """Return sheet and line of a row, counted from 0; None where the format has no lines."""
        before = 0
        for sheet, numbers in self.rows:
            if row < before + len(numbers):
                return sheet, numbers[int(row) - before]
            before += len(numbers)
        return None, None


def choose_columns(path: Path, header: Sequence[str], line: int | None, sheet: str | None = None) -> dict[str, Column]:
    """Return the column to read for each quantity.

    Raises
    ------
    ReadError
        A needed column is missing, two columns have the same name, or a unit is missing or unknown.
    """
    if missing := vocabulary.missing(header):
        reason = f"no column for {' and '.join(missing)}"
        raise ReadError(path, line, reason, "export it with test time, voltage and current", sheet)
    chosen = {}
    for quantity, (column, *others) in vocabulary.columns(header).items():
        chosen[quantity] = column
        reason = remedy = ""
        if others and others[0].rank == column.rank:
            reason = f"and column {others[0].index + 1} ({others[0].header}) have the same name"
            remedy = "export one table of records, without cycles side by side, and each quantity in one unit"
        elif quantity in vocabulary.UNITS and column.unit is None and quantity != "time":  # which may be h:mm:ss
            example = {"voltage": "V", "current": "mA"}.get(quantity, "mAh")
            reason, remedy = "has no unit", f"name it in the header, as in {column.header}/{example}"
            if testers.tester(header) == "maccor-text":
                reason += " in this Maccor export"
                remedy = "export it with units in its names, and with State (Md) where the current has no sign"
        elif quantity in vocabulary.UNITS and column.unit and vocabulary.scale(quantity, column.unit) is None:
            reason = f"has the unknown unit {column.unit!r}"
            remedy = f"use one of {', '.join(vocabulary.UNITS[quantity])}"
        if reason:
            raise ReadError(path, line, f"column {column.index + 1} ({column.header}) {reason}", remedy, sheet)
    return chosen


def concatenated(tables: Sequence[Table]) -> Table:
    """Join tables of one file that continue each other.

    Raises
    ------
    ReadError
        Their columns differ.
    """
    import polars as pl

    first = tables[0]
    if len(tables) == 1:
        return first
    headers = [{quantity: column.header for quantity, column in table.columns.items()} for table in tables]
    for table, header in zip(tables, headers, strict=True):
        if header != headers[0]:
            reason = "the table above has other columns than the first table of records"
            raise table.error(0, reason, "export all tables with the same columns")
    return Table(
        first.path,
        first.format,
        first.columns,
        {quantity: pl.concat([table.cells[quantity] for table in tables]) for quantity in first.columns},
        {quantity: max(table.decimals[quantity] for table in tables) for quantity in first.decimals},
        [rows for table in tables for rows in table.rows],
        list(dict.fromkeys(name for table in tables for name in table.unread)),
        sum(table.size for table in tables),
        np.concatenate(
            [table.sampled + sum(before.size for before in tables[:place]) for place, table in enumerate(tables)]
        ),
        first.preamble,
    )


def decimals(text: "pl.Series") -> int:
    """Return the largest number of decimals among the cells of a column of text."""
    text = text.str.strip_chars()
    if text.str.contains("[eE]").any():
        numbers = (Decimal(cell).as_tuple().exponent for cell in text.unique() if NUMBER.fullmatch(cell or ""))
        return max((-exponent for exponent in numbers if isinstance(exponent, int)), default=0)
    longest = (text.str.len_bytes() - text.str.find(".", literal=True) - 1).max()
    return longest if isinstance(longest, int) else 0  # no cell has a decimal point


def unread_headers(header: Sequence[str], columns: dict[str, Column]) -> list[str]:
    """Return the headers of the columns that are not read."""
    read = {column.index for quantity, column in columns.items() if quantity != "steptime"}  # which is only compared
    return [cell.strip() for index, cell in enumerate(header) if index not in read and cell.strip()]
