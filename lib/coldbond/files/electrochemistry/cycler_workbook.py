"""Excel workbooks of cyclers: LANDdt and LANHE, in English and in Chinese (.xlsx).

File structure
--------------
A workbook with a sheet of records, `Record`, which continues on `Record(2)` and so on where it is long. A sheet is one
of records if its name says so or if one of its first rows names test time, voltage and current. LANDdt states the unit
of the test time, LANHE writes it as h:mm:ss. Other sheets (cycles, steps, logs) are listed in `unread`.

Schema
------
xarray.Dataset over `record`, as for `cycler_text`.

Uncertainties
-------------
`resolution` is the last digit of a column, taken from the largest number of decimals of its cells, at most `DECIMALS`.
A workbook stores binary numbers; they are written with 15 digits, as a spreadsheet shows them, before they are counted.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files import workbook
from coldbond.files.archive import member, members
from coldbond.files.electrochemistry import clocks, vocabulary
from coldbond.files.electrochemistry.cycler import dataset
from coldbond.files.electrochemistry.table import Table, choose_columns, concatenated, decimals, unread_headers
from coldbond.files.electrochemistry.testers import tester
from coldbond.files.errors import NO_ROWS, ReadError
from coldbond.files.format import Format, Stated

#: Rows within which the header must stand.
HEADER_WITHIN = 100
#: Decimals that a channel can resolve (1 nA in A). A cell may have more, since a spreadsheet holds 15 digits of any
#: number.
DECIMALS = 9

ANY = re.compile("")
#: Formats of workbooks of testers whose text exports have the same names.
KINDS = {"arbin-csv": "arbin-xlsx", "neware-text": "neware-xlsx"}
#: Sheets of a workbook of Arbin (`Channel_1-006`, continued as `Channel_1-006_1`) and of Neware.
ARBIN = re.compile(r"(Channel_\d+-\d+)(_\d+)?")
NEWARE = re.compile(r"record\d*")

Sheets = dict[str, list[list[Any]]]


def is_workbook(data: bytes) -> bool:
    """Return whether the file is an .xlsx: a zip archive with a workbook in it."""
    return bool(members(data, r"xl/workbook\.xml"))


def sheet_names(data: bytes) -> list[str]:
    """Return the names of the sheets of a workbook; none where it is none."""
    if not is_workbook(data):
        return []
    try:
        book = member(Path(), data, "xl/workbook.xml").decode("utf-8", "replace")
        return re.findall(r'<sheet [^>]*?name="([^"]*)"', book)
    except ReadError:
        return []


def is_land_workbook(data: bytes) -> bool:
    """Return whether the file is a workbook, but none of Arbin or Neware."""
    names = sheet_names(data)
    return is_workbook(data) and not any(ARBIN.fullmatch(name) or NEWARE.fullmatch(name) for name in names)


def sheets(path: Path, data: bytes, names: re.Pattern[str] = ANY) -> Sheets:
    """Return the rows of the sheets of a workbook whose names contain a match.

    Raises
    ------
    ReadError
        The workbook is damaged.
    """
    return workbook.sheets(path, data, names)


def read_workbook(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read every sheet of records of a workbook of LAND."""
    return read_sheets(path, data, ANY)


def read_sheets(path: Path, data: bytes, records: re.Pattern[str]) -> xr.Dataset:
    """Read the sheets of records of a workbook, those among the sheets whose whole names match."""
    book = sheets(path, data)
    named = {name: rows for name, rows in book.items() if records is ANY or records.fullmatch(name)}
    tables = {name: table for name, rows in named.items() if (table := _table(path, name, rows))}
    if not tables:
        reason = f"a workbook without a sheet of a cycler's records; its sheets: {', '.join(book)}"
        raise ReadError(path, None, reason, "export it with the records: test time, voltage and current")
    table = concatenated(list(tables.values()))
    table.unread += [f"sheet {name}" for name in book if name not in tables]
    return dataset([table])


def _table(path: Path, sheet: str, rows: list[list[Any]]) -> Table | None:
    """Return the records of a sheet; None where neither its name nor a header says that it holds records."""
    import polars as pl

    headers = [[str(cell) for cell in row] for row in rows[:HEADER_WITHIN]]
    at = next((number for number, header in enumerate(headers, start=1) if vocabulary.is_header(header)), 0)
    if not at and not re.match("record|记录", sheet, re.IGNORECASE):
        return None
    header = headers[at - 1] if at else headers[0] if headers else []
    columns = choose_columns(path, header, at or 1, sheet)
    stop = len(rows)
    while stop > at and all(_text(cell) is None for cell in rows[stop - 1]):
        stop -= 1
    if stop == at:
        raise ReadError(path, at, *NO_ROWS, sheet)
    cells, sampled = {}, clocks.sampled_rows(stop - at)
    for quantity, column in columns.items():
        read = [rows[at + row] for row in sampled] if quantity in vocabulary.CLOCKS else rows[at:stop]
        cells[quantity] = pl.Series([_text(row[column.index]) for row in read], dtype=pl.String)
    shown = {quantity: min(decimals(cells[quantity]), DECIMALS) for quantity in columns.keys() & vocabulary.UNITS}
    kind = KINDS.get(tester(header)) or ("lanhe-xlsx" if columns["time"].unit is None else "landdt-xlsx")
    rows_of: list[tuple[str | None, Sequence[int]]] = [(sheet, range(at + 1, stop + 1))]
    unread = unread_headers(header, columns)
    return Table(path, kind, columns, cells, shown, rows_of, unread, stop - at, sampled)


def _text(cell: Any) -> str | None:
    """Return a cell as a text export would write it, so that text and workbooks are checked in the same way."""
    match cell:
        case None:
            return None
        case float() | int():
            # 15 digits, as a spreadsheet shows them: 0.3 and not 0.30000000000000004.
            text = f"{cell:.15g}"
            return np.format_float_positional(float(text), trim="-") if "e" in text else text
        case datetime():
            return cell.isoformat(" ")
        case timedelta():
            minutes, seconds = divmod(cell.total_seconds(), 60)
            return f"{minutes // 60:.0f}:{minutes % 60:02.0f}:{seconds:09.6f}".rstrip("0").rstrip(".")
        case time() | date():
            return cell.isoformat()
        case _:
            return str(cell).strip() or None


FORMAT = Format(
    name="LANDdt and LANHE workbook",
    vendors="LAND",
    techniques=("cycling",),
    extensions=(".xlsx",),
    recognise=is_land_workbook,
    read=read_workbook,
    reads="records of all sheets, in English or Chinese",
)
