"""Cyclers' Excel workbooks: LANDdt and LANHE, in English and in Chinese."""

import io
import re
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files import vocabulary
from coldbond.files.archive import members
from coldbond.files.cycler import dataset
from coldbond.files.errors import ReadError
from coldbond.files.table import Table, chosen, decimals, stacked, unread

HEADER_WITHIN = 100  # rows
#: A spreadsheet holds 15 digits whatever the channel resolves; decimals beyond these are not the channel's.
DECIMALS = 9


def is_workbook(data: bytes) -> bool:
    """Whether the file is an .xlsx: a zip archive with a workbook in it."""
    return bool(members(data, r"xl/workbook\.xml"))


def read_workbook(path: Path, data: bytes) -> xr.Dataset:
    """Read every sheet of records of a workbook; LAND spreads a long recording over `Record`, `Record(2)`, ...

    Returns
    -------
    xarray.Dataset
        See `coldbond.files.read`.

    Raises
    ------
    ReadError
        The file cannot be read without guessing.
    """
    import python_calamine

    try:
        book = python_calamine.load_workbook(io.BytesIO(data))
        sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except (python_calamine.CalamineError, zipfile.BadZipFile) as error:
        raise ReadError(path, None, f"a damaged workbook ({error})", "export or copy it again") from error
    tables = {name: table for name, rows in sheets.items() if (table := _table(path, name, rows))}
    if not tables:
        reason = f"a workbook with no sheet of a cycler's records; its sheets: {', '.join(sheets)}"
        raise ReadError(path, None, reason, "export it with the records: test time, voltage and current")
    table = stacked(list(tables.values()))
    table.unread += [f"sheet {name}" for name in sheets if name not in tables]
    return dataset([table])


def _table(path: Path, sheet: str, rows: list[list[Any]]) -> Table | None:
    """The records of a sheet; None where neither its name nor a header of test time, voltage and current shows any."""
    import polars as pl

    headers = [[str(cell) for cell in row] for row in rows[:HEADER_WITHIN]]
    at = next((number for number, header in enumerate(headers, start=1) if vocabulary.is_header(header)), 0)
    if not at and not re.match("record|记录", sheet, re.IGNORECASE):
        return None
    header = headers[at - 1] if at else headers[0] if headers else []
    columns = chosen(path, header, at or 1, sheet)
    stop = len(rows)
    while stop > at and all(_text(cell) is None for cell in rows[stop - 1]):
        stop -= 1
    if stop == at:
        raise ReadError(path, at, "a header, but no rows below it", "export it again with the records", sheet)
    cells = {}
    for quantity, column in columns.items():
        read = rows[at:stop] if quantity != "systime" else (rows[at], rows[stop - 1])
        cells[quantity] = pl.Series([_text(row[column.index]) for row in read], dtype=pl.String)
    shown = {quantity: min(decimals(cells[quantity]), DECIMALS) for quantity in columns.keys() & vocabulary.UNITS}
    kind = "lanhe-xlsx" if columns["time"].unit is None else "landdt-xlsx"
    return Table(path, kind, columns, cells, shown, [(sheet, range(at + 1, stop + 1))], unread(header, columns))


def _text(cell: Any) -> str | None:
    """What a cell would read in a text export, so that both kinds are checked alike."""
    match cell:
        case None:
            return None
        case float() | int():
            # 15 digits, as a spreadsheet shows: without the 0.30000000000000004 of binary arithmetic.
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
