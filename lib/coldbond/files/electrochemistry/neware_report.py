"""Layered reports of Neware's BTSDA: rows of cycles, steps and records below each other (.csv).

File structure
--------------
Three headers: of cycles, of steps, whose first field is empty, and of records, whose first two are. Rows follow in the
same way; the row of a cycle or a step stands above its steps or records. The first row may hold a cycle and its first
step side by side. The number of the cycle, the running number of the step and its type are those of the rows above a
record. The rows of cycles and steps are summaries and otherwise unread. Names are English or Chinese.

Schema
------
xarray.Dataset over `record`: `time` [s], `voltage` [V], `current` [A], positive during charge, and where the file has
them `cycle`, `step`, `capacity` or `charge_capacity` and `discharge_capacity` [Ah]. See `coldbond.files`.

Uncertainties
-------------
`resolution` is the last digit of a column, see `cycler_text`.
"""

from pathlib import Path

import xarray as xr

from coldbond.files.electrochemistry import vocabulary
from coldbond.files.electrochemistry.cycler import dataset
from coldbond.files.electrochemistry.cycler_text import cells_of, lines_of, separator_of, table_below, unquoted
from coldbond.files.electrochemistry.vocabulary import Column
from coldbond.files.encoding import as_utf8
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated

#: What a record takes from the row of its cycle or step: the quantity and the layer of that row.
ABOVE = {"cycle": 0, "step": 1, "state": 1}


def is_neware_report(data: bytes) -> bool:
    """Return whether the file starts with the headers of cycles, steps and records."""
    return _headers(lines_of(data)[:3]) is not None


def _headers(lines: list[str]) -> list[list[str]] | None:
    """Return the headers of cycles, steps and records without the empty fields before them; None where these lack."""
    if len(lines) < 3:
        return None
    headers = [cells_of(line) for line in lines]
    empty = [next((place for place, cell in enumerate(cells) if cell), None) for cells in headers]
    if empty != [0, 1, 2] or not vocabulary.is_header(headers[2]):
        return None
    layers = [cells[layer:] for layer, cells in enumerate(headers)]
    above = [vocabulary.columns(layer) for layer in layers[:2]]
    return layers if "cycle" in above[0] and "step" in above[1] else None


def read_neware_report(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the records of a report, with the cycle, the step and its type from the rows above them."""
    import polars as pl

    lines = unquoted(as_utf8(path, data)).split(b"\n")
    text = [line.decode() for line in lines[:3]]
    headers = _headers(text)
    if headers is None:
        raise ReadError(path, 1, "no headers of cycles, steps and records", "export it again")
    separator = separator_of(text[2])
    names = [[cell.strip() for cell in header] for header in headers]
    above = {quantity: vocabulary.columns(names[layer]).get(quantity) for quantity, layer in ABOVE.items()}
    columns = {quantity: found[0] for quantity, found in above.items() if found}
    rows, numbers = [], []
    taken: dict[str, list[str]] = {quantity: [] for quantity in columns}
    current = dict.fromkeys(columns, "")
    mark = separator.encode()
    for number, line in enumerate(lines[3:], start=4):
        if not line.strip():
            continue
        if line.startswith(2 * mark):
            if not all(current.values()):
                raise ReadError(path, number, "a record without rows of its cycle and step above it", "export it again")
            if not line[2:].strip():
                raise ReadError(path, number, "cut off: a record without values", "export it again, or delete the row")
            rows.append(line[2:])
            numbers.append(number)
            for quantity, value in current.items():
                taken[quantity].append(value)
        else:
            current |= _above(path, line.decode(), number, separator, names, columns)
    cut = bool(lines[-1].strip()) and numbers[-1:] == [len(lines)]
    body = b"\n".join(rows) + (b"" if cut else b"\n")
    header = separator.join(names[2])
    table = table_below(path, body, header, 3, numbers, kind="neware-report")
    for quantity, values in taken.items():
        column = columns[quantity]
        table.cells[quantity] = pl.Series(values, dtype=pl.String)
        table.columns[quantity] = Column(0, -1, column.header, column.unit)
    table.unread += [f"table {names[layer][0]}" for layer in (0, 1)]
    return dataset([table])


def _above(
    path: Path, line: str, number: int, separator: str, names: list[list[str]], columns: dict[str, Column]
) -> dict[str, str]:
    """Return what the row of a cycle, of a step, or of both side by side says of the records below it."""
    cells = [cell.strip() for cell in line.rstrip("\r").split(separator)]
    found: dict[str, str] = {}
    for layer in (0, 1):
        width = len(names[layer])
        if layer == 0 and not cells[0]:
            cells = cells[1:]
            continue
        if layer == 0 and len(cells) in (width, width + 1) and not any(cells[width:]):
            row, cells = cells, []
        else:
            row, cells = cells[:width], cells[width:]
        if len(row) < width or (layer == 1 and any(cells)):
            kind = "cycle" if layer == 0 else "step"
            raise ReadError(path, number, f"this row of a {kind} has not {width} fields", "export it again")
        found |= {quantity: row[column.index] for quantity, column in columns.items() if ABOVE[quantity] == layer}
        if layer == 0 and not cells:
            break
    return found


FORMAT = Format(
    name="Neware report",
    vendors="Neware",
    techniques=("cycling",),
    extensions=(".csv",),
    recognise=is_neware_report,
    read=read_neware_report,
    reads="rows of records, with cycle, step and step type from the rows above them",
    checked=(
        Checked("formats-electrochemistry/neware_layered_first4000.csv", "MIT", "a plain parse of all rows of records"),
    ),
)
