"""A table of records as the file has it: cells by quantity, and where in the file each row stands."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from coldbond.files import vocabulary
from coldbond.files.errors import ReadError
from coldbond.files.vocabulary import Column

if TYPE_CHECKING:
    import polars as pl

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


@dataclass
class Table:
    """The columns that `vocabulary` knows, one row a record.

    Attributes
    ----------
    columns : dict of str to Column
        By quantity, the keys of `vocabulary.NAMES`.
    cells : dict of str to polars.Series
        Each column's cells, null where empty: as text, or as float64 where every cell is a number; of `systime` the
        first and the last.
    decimals : dict of str to int
        The most decimals that any cell of a measured column shows.
    rows : list of (str or None, sequence of int)
        For each stretch of rows its sheet, and each row's line or row number in the file.
    unread : list of str
        What of the file was not read: columns, tables, sheets.
    preamble : str
        What stands before the header.
    width : int or None
        Number of fields of each row, in text.
    """

    path: Path
    format: str
    columns: dict[str, Column]
    cells: dict[str, "pl.Series"]
    decimals: dict[str, int]
    rows: list[tuple[str | None, Sequence[int]]]
    unread: list[str]
    preamble: str = ""
    width: int | None = None

    def error(self, row: int, reason: str, mend: str) -> ReadError:
        """The error for a row, counted from 0, that says where in the file it stands."""
        places = ((sheet, number) for sheet, numbers in self.rows for number in numbers)
        sheet, line = next(itertools.islice(places, int(row), None))
        return ReadError(self.path, line, reason, mend, sheet)


def chosen(path: Path, header: Sequence[str], line: int, sheet: str | None = None) -> dict[str, Column]:
    """The column to read for each quantity.

    Raises
    ------
    ReadError
        Two columns have one name, one that is needed is not there, or a unit is missing or unknown.
    """
    if lacking := vocabulary.lacking(header):
        reason = f"no column for {' and '.join(lacking)}"
        raise ReadError(path, line, reason, "export it with test time, voltage and current", sheet)
    best = {}
    for quantity, (column, *others) in vocabulary.columns(header).items():
        best[quantity] = column
        fault = None
        if others and others[0].rank == column.rank:
            fault = f"and column {others[0].index + 1} ({others[0].header}) have one name"
            mend = "export one table of records, without cycles side by side, and each quantity in one unit"
        elif quantity in vocabulary.UNITS and column.unit is None and quantity != "time":  # which may be h:mm:ss
            example = {"voltage": "V", "current": "mA"}.get(quantity, "mAh")
            fault, mend = "has no unit", f"name it in the header, as in {column.header}/{example}"
        elif quantity in vocabulary.UNITS and column.unit and vocabulary.scale(quantity, column.unit) is None:
            fault, mend = (
                f"has the unknown unit {column.unit!r}",
                f"give one of {', '.join(vocabulary.UNITS[quantity])}",
            )
        if fault:
            raise ReadError(path, line, f"column {column.index + 1} ({column.header}) {fault}", mend, sheet)
    return best


def stacked(tables: Sequence[Table]) -> Table:
    """Tables that continue each other in one file, as one.

    Raises
    ------
    ReadError
        Their columns differ.
    """
    import polars as pl

    first = tables[0]
    headers = [{quantity: column.header for quantity, column in table.columns.items()} for table in tables]
    for table, header in zip(tables, headers, strict=True):
        if header != headers[0]:
            raise table.error(0, "the table above has other columns than the first one of records", "export them alike")
    return Table(
        first.path,
        first.format,
        first.columns,
        {quantity: pl.concat([table.cells[quantity] for table in tables]) for quantity in first.columns},
        {quantity: max(table.decimals[quantity] for table in tables) for quantity in first.decimals},
        [rows for table in tables for rows in table.rows],
        list(dict.fromkeys(name for table in tables for name in table.unread)),
        first.preamble,
    )


def decimals(text: "pl.Series") -> int:
    """The most decimals that any cell of a column of text shows."""
    text = text.str.strip_chars()
    if text.str.contains("[eE]").any():
        numbers = [number for number in text.unique() if NUMBER.fullmatch(number or "")]
        return max((-Decimal(number).as_tuple().exponent for number in numbers), default=0)
    return (text.str.len_bytes() - text.str.find(".", literal=True) - 1).max() or 0


def unread(header: Sequence[str], columns: dict[str, Column]) -> list[str]:
    """Headers of the columns that are not to be read."""
    read = {column.index for column in columns.values()}
    return [cell.strip() for index, cell in enumerate(header) if index not in read and cell.strip()]
