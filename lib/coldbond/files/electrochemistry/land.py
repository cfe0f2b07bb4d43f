"""Text exports of LAND testers (.csv): tables of cycles, of steps and of records, or of records alone.

File structure
--------------
Tables of cycles, of steps and of records stand below each other, and the header of the records is repeated in each
step. The first cell of a header says which kind of table follows. The tables of records are joined; the others
summarise them and are listed in `unread`. Names, units and step states are English or Chinese. Some exports give the
magnitude of the current; its sign then comes from the step states.

Schema
------
xarray.Dataset over `record`: `time` [s], `voltage` [V], `current` [A], positive during charge, and where the file has
them `cycle`, `step`, `capacity` or `charge_capacity` and `discharge_capacity` [Ah]. See `coldbond.files`.

Uncertainties
-------------
`resolution` is the last digit of a column, see `cycler_text`.
"""

import re
from pathlib import Path

import xarray as xr

from coldbond.files.electrochemistry import vocabulary
from coldbond.files.electrochemistry.cycler import dataset
from coldbond.files.electrochemistry.cycler_text import (
    cells_of,
    lines_of,
    read_table,
    table_below,
    table_format,
    unquoted,
)
from coldbond.files.electrochemistry.table import concatenated
from coldbond.files.encoding import as_utf8
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated

#: First cells of the headers: of tables of records, and of tables that summarise records.
RECORDS = ("Record", "记录", "记录序号")
SUMMARIES = ("Cycle", "Step", "Index", "循环", "循环序号", "步次", "步骤序号", "工步", "工步序号")


def is_stack(data: bytes) -> bool:
    """Return whether the first header is that of a table of LAND, whose first cell names the kind of its table."""
    for line in lines_of(data):
        cells = cells_of(line)
        if len(cells) > 1 and cells[0] in RECORDS + SUMMARIES:
            return not any(map(vocabulary.SPECTRUM.match, cells))  # `Index` is also a first column of Autolab NOVA
        if vocabulary.is_header(cells):
            return False
    return False


def is_land(data: bytes) -> bool:
    """Return whether the file is a LAND CSV."""
    kind = table_format(data)
    return kind == "land-csv" or (is_stack(data) and kind in (None, "land-csv", "cycling-text"))


def read_land(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the records of a LAND CSV."""
    return read_stack(path, data, stated) if is_stack(data) else read_table(path, data, stated)


def read_stack(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the tables of records in a LAND CSV."""
    words = {word.encode() for word in RECORDS + SUMMARIES}
    first_cell = re.compile(rb"[^,\t;\r]*")
    parts: list[tuple[str, int, list[bytes], list[int]]] = []  # header, its line, rows, their lines
    summaries: dict[str, None] = {}
    in_records, number = False, 0
    for number, line in enumerate(unquoted(as_utf8(path, data)).split(b"\n"), start=1):
        if (first := first_cell.match(line)) and first[0].strip() in words:
            header = line.decode()
            cells = cells_of(header)
            in_records = cells[0] in RECORDS or vocabulary.is_header(cells)
            if not in_records:
                summaries[f"table {cells[0]}"] = None
            elif not parts or parts[-1][0] != header:
                parts.append((header, number, [], []))
        elif in_records and line.strip():
            parts[-1][2].append(line)
            parts[-1][3].append(number)
    if not parts:
        reason = f"no table of records, only {', '.join(summaries)}"
        raise ReadError(path, None, reason, "export it with its records")
    tables = []
    for header, at, rows, numbers in parts:
        cut = numbers[-1:] == [number]  # no line break after the last row of the file
        tables.append(
            table_below(path, b"\n".join(rows) + (b"" if cut else b"\n"), header, at, numbers, kind="land-csv")
        )
    tables[0].unread += summaries
    return dataset([concatenated(tables)])


FORMAT = Format(
    name="LAND CSV",
    vendors="LAND",
    techniques=("cycling",),
    extensions=(".csv",),
    recognise=is_land,
    read=read_land,
    reads="tables of records, in English or Chinese; those of cycles and steps are unread",
)
