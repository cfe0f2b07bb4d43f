"""Cyclers' text exports: Landt CSV, Battery Data Format CSV, and LAND CSV with its stacked tables."""

import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import xarray as xr

from coldbond.files import vocabulary
from coldbond.files.cycler import dataset
from coldbond.files.encoding import HEAD, as_utf8, head, is_utf8
from coldbond.files.errors import UNENDED, ReadError
from coldbond.files.on_disk import OnDisk
from coldbond.files.table import Table, chosen, decimals, stacked, unread
from coldbond.files.vocabulary import Column

if TYPE_CHECKING:
    import hashlib

    import polars as pl

#: First cells of the headers of LAND CSV's tables: those of records, and those that sum records up.
RECORDS = ("Record", "记录", "记录序号")
SUMMARIES = ("Cycle", "Step", "Index", "循环", "循环序号", "步次", "步骤序号", "工步", "工步序号")
SEPARATORS = ",\t;"
HEADER_WITHIN = 100  # lines
CHUNK = 1 << 20
BLANK = b"\r\n "
BLOCK = 1 << 24  # bytes of a long file that are read at once
SAMPLE = 1000  # rows
DIGITS = 15  # that a float64 holds


def is_stack(data: bytes) -> bool:
    """Whether the first header in the file is one of LAND CSV's: its first cell says what each row below is."""
    for line in head(data)[:HEADER_WITHIN]:
        cells = _cells(line)
        if len(cells) > 1 and cells[0] in RECORDS + SUMMARIES:
            return True
        if vocabulary.is_header(cells):
            return False
    return False


def is_table(data: bytes) -> bool:
    """Whether one of the first lines is a header with test time, voltage and current."""
    return any(vocabulary.is_header(_cells(line)) for line in head(data)[:HEADER_WITHIN])


def read_table(path: Path, data: bytes) -> xr.Dataset:
    """Read a file of one table: Landt CSV or Battery Data Format CSV, or a LAND table without record numbers.

    Returns
    -------
    xarray.Dataset
        See `coldbond.files.read`.

    Raises
    ------
    ReadError
        The file cannot be read without guessing.
    """
    body = _unquoted(as_utf8(path, data))
    header, at, preamble = _top(body)
    table = _table(path, body, header, at)
    table.preamble = preamble
    return dataset([table])


def read_long_table(path: Path, digest: "hashlib._Hash") -> xr.Dataset:
    """Read a file of one table a block of lines at a time: the values stay on disk, in a temporary file.

    Parameters
    ----------
    path : pathlib.Path
        In utf-8 or gb18030.
    digest : hash object of hashlib
        Is given all bytes of the file.

    Returns
    -------
    xarray.Dataset
        As from `read_table`; of a variable's values what is asked for is taken into memory, each time anew.

    Raises
    ------
    ReadError
        The file cannot be read without guessing.
    """
    return dataset(_tables(path, digest), OnDisk)


def _tables(path: Path, digest: "hashlib._Hash") -> Iterator[Table]:
    """The table of a file in parts, each held against those before it."""
    with path.open("rb") as file:
        start = file.read(HEAD)
        start = start[: start.rfind(b"\n") + 1]
        header, at, preamble = _top(_unquoted(as_utf8(path, start)))
        file.seek(0)
        top = b"".join(file.readline() for _ in range(at))
        digest.update(top)
        line, width, encodings = at, None, {_encoding(top)}
        for block, is_last in _blocks(file, digest):
            try:
                body = _unquoted(as_utf8(path, block))
            except ReadError as error:
                raise ReadError(path, line + error.line, error.reason, error.mend) from None
            encodings.add(_encoding(block))
            if {"utf-8", "gb18030"} <= encodings:
                reason = f"holds text in {_encoding(block)}, and above in another encoding"
                raise ReadError(path, line + 1, reason, "save it as utf-8")
            table = _table(path, body, header, at, range(line + 1, sys.maxsize), width, is_last)
            table.preamble = preamble
            line, width = table.rows[0][1][-1], table.width
            yield table


def _blocks(file: BinaryIO, digest: "hashlib._Hash") -> Iterator[tuple[bytes, bool]]:
    """The rest of a file in blocks of whole lines, and whether a block is the last one.

    A line is held back until one with text in it follows: of empty lines at a block's end nothing else tells whether
    the file ends with them.
    """
    held = b""
    with ThreadPoolExecutor(1) as pool:  # hashing takes a tenth of the time of reading
        while chunk := file.read(BLOCK):
            pool.submit(digest.update, chunk)
            held += chunk
            whole = held[: held.rfind(b"\n", 0, len(held.rstrip(BLANK))) + 1].rstrip(BLANK)
            if whole:
                cut = held.index(b"\n", len(whole)) + 1
                yield held[:cut], False
                held = held[cut:]
        yield held, True


def _encoding(data: bytes) -> str:
    return "ascii" if data.isascii() else "utf-8" if is_utf8(data) else "gb18030"


def _top(body: bytes) -> tuple[str, int, str]:
    """The header of a file of one table, its line, and the preamble above it."""
    lines = head(body)
    at = next(number for number, line in enumerate(lines) if vocabulary.is_header(_cells(line)))
    before = (line.strip(SEPARATORS + " ") for line in lines[:at])
    return lines[at], at + 1, "; ".join(line for line in before if line and not line.endswith(":"))


def read_stack(path: Path, data: bytes) -> xr.Dataset:
    """Read a LAND CSV: its tables of cycles and steps sum up its tables of records, which alone are read.

    Returns
    -------
    xarray.Dataset
        See `coldbond.files.read`.

    Raises
    ------
    ReadError
        The file cannot be read without guessing.
    """
    words = {word.encode() for word in RECORDS + SUMMARIES}
    first_cell = re.compile(rb"[^,\t;\r]*")
    parts: list[tuple[str, int, list[bytes], list[int]]] = []  # header, its line, rows, their lines
    summaries = {}
    in_records = False
    for number, line in enumerate(_unquoted(as_utf8(path, data)).split(b"\n"), start=1):
        if first_cell.match(line)[0].strip() in words:
            header = line.decode()
            cells = _cells(header)
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
        raise ReadError(path, None, reason, "export it with the records")
    tables = []
    for header, at, rows, numbers in parts:
        cut = numbers[-1:] == [number]  # no line break after the last row of the file
        tables.append(_table(path, b"\n".join(rows) + (b"" if cut else b"\n"), header, at, numbers))
    tables[0].unread += summaries
    return dataset([stacked(tables)])


def _table(
    path: Path,
    body: bytes,
    header: str,
    at: int,
    numbers: Sequence[int] | None = None,
    width: int | None = None,
    is_last: bool = True,
) -> Table:
    """The table below a header.

    Parameters
    ----------
    body : bytes
        The rows, in utf-8; the whole file where `numbers` is None.
    header : str
        The header, line `at` of the file.
    numbers : sequence of int, optional
        The rows' lines in the file; more than there are rows do no harm.
    width : int, optional
        Number of fields of every row; told from the rows where it is not given.
    is_last : bool
        Whether the file ends with these rows.
    """
    import polars as pl  # costs 0.3 s, which nobody should pay who imports coldbond and reads nothing

    separator = _separator(header)
    names = _cells(header.rstrip("\r\n " + separator))
    columns = chosen(path, names, at)
    skip = at if numbers is None else 0
    stop = len(body)
    while stop and body[stop - 1] in BLANK:
        stop -= 1
    fields = _separators(body, ord(separator))[skip : -body.count(b"\n", stop) or None] + 1
    if not stop or not fields.size:
        raise ReadError(path, at, "a header, but no rows below it", "export it again with the records")
    numbers = (range(at + 1, sys.maxsize) if numbers is None else numbers)[: fields.size]
    width = _width(path, fields, numbers, len(names), width, is_last)
    cells, shown = _parsed(body, columns, range(len(names), width), fields.size, skip_lines=skip, separator=separator)
    if "systime" in columns:
        cells["systime"] = pl.Series([_cells(line)[columns["systime"].index] for line in _ends(body, skip, stop)])
    kind, left = _format(columns["time"].header), unread(names, columns)
    table = Table(path, kind, columns, cells, shown, [(None, numbers)], left, width=width)
    if "surplus" in cells and (filled := cells.pop("surplus").is_not_null()).any():
        reason = f"more fields than the {len(names)} column names"
        raise table.error(filled.arg_max(), reason, "name every column in the header")
    last_is_read = any(column.index == width - 1 for column in columns.values())
    if last_is_read and b"\n" not in body[stop:]:
        raise table.error(fields.size - 1, *UNENDED)
    return table


def _width(path: Path, fields: np.ndarray, numbers: Sequence[int], names: int, width: int | None, is_last: bool) -> int:
    """Number of fields of every row, given that of each."""
    width = int(np.bincount(fields).argmax()) if width is None else width
    odd = np.flatnonzero(fields != width)
    if odd.size:
        row = int(odd[0])
        if is_last and row == len(numbers) - 1 and fields[row] < width:
            reason, mend = f"cut off: {fields[row]} fields of {width}", "export it again, or delete the row"
        else:
            reason = f"{fields[row]} fields where most rows have {width}"
            mend = "export it again, or restore the row"
        raise ReadError(path, numbers[row], reason, mend)
    if width < names:
        reason = f"{width} fields under {names} column names"
        raise ReadError(path, numbers[0], reason, "export it again, or restore the header")
    return width


def _parsed(
    body: bytes, columns: dict[str, Column], surplus: Sequence[int], rows: int, **options
) -> tuple[dict[str, "pl.Series"], dict[str, int]]:
    """Cells and decimals by quantity, as `Table` holds them; a cell of any surplus column as "surplus".

    Reading numbers at once takes less time and memory than by way of text. Their decimals are then those that the first
    rows show or that any number needs. Where some cell is no number, all are read as text.
    """
    import polars as pl

    places = {quantity: column.index for quantity, column in columns.items() if quantity != "systime"}
    wanted = sorted([*places.values(), *surplus])
    options |= {"has_header": False, "infer_schema": False, "quote_char": None, "columns": wanted}
    sample = pl.read_csv(body, n_rows=SAMPLE, **options)
    names = dict(zip(wanted, sample.columns, strict=True))
    measured = {quantity: names[place] for quantity, place in places.items() if quantity in vocabulary.UNITS}
    numbers = [names[place] for quantity, place in places.items() if quantity != "state"]
    try:
        frame = pl.read_csv(body, schema_overrides=dict.fromkeys(numbers, pl.Float64), **options).head(rows)
        shown = {
            quantity: _decimals_needed(frame[name].to_numpy(), decimals(sample[name]))
            for quantity, name in measured.items()
        }
    except pl.exceptions.ComputeError:
        frame = pl.read_csv(body, **options).head(rows)
        shown = {quantity: decimals(frame[name]) for quantity, name in measured.items()}
    cells = {quantity: frame[names[place]] for quantity, place in places.items()}
    if surplus:
        cells["surplus"] = frame.select(pl.coalesce([names[place] for place in surplus])).to_series()
    return cells, shown


def _decimals_needed(numbers: np.ndarray, least: int) -> int:
    """The decimals, at least so many, that all numbers are multiples of the last of, each to its own last bit."""
    decimals = least
    for some in (numbers[::SAMPLE], numbers):  # a few first, as they mostly settle it
        while decimals < DIGITS and not _are_multiples(some, decimals):
            decimals += 1
    return decimals


def _are_multiples(numbers: np.ndarray, decimals: int) -> bool:
    with np.errstate(invalid="ignore"):  # infinite numbers, which are refused later
        multiples = numbers * 10.0**decimals
        off = np.abs(multiples - np.rint(multiples))
        return not (off > 2.0**-51 * np.abs(multiples)).any()


def _separators(body: bytes, separator: int) -> np.ndarray:
    """Number of separators in each line; in chunks, since the positions of all would outweigh the file."""
    octets = np.frombuffer(body, np.uint8)
    before, seen = [], 0
    for start in range(0, octets.size, CHUNK):
        chunk = octets[start : start + CHUNK]
        separators = np.flatnonzero(chunk == separator)
        before.append(seen + np.searchsorted(separators, np.flatnonzero(chunk == ord("\n"))))
        seen += separators.size
    before.append([seen])  # what follows the last line break
    return np.diff(np.concatenate(before), prepend=0)


def _ends(body: bytes, skip: int, stop: int) -> tuple[str, str]:
    """The first row after those to skip, and the last, which ends at `stop`."""
    start = 0
    for _ in range(skip):
        start = body.index(b"\n", start) + 1
    end = body.find(b"\n", start, stop)
    last = body[body.rfind(b"\n", 0, stop) + 1 : stop]
    return body[start : end if end > 0 else stop].decode(), last.decode()


def _format(time: str) -> str:
    """Which format a table is of, told by how its test time is called."""
    if time == "test_time_s":
        return "landt-csv"
    return "bdf-csv" if re.match(r"test[ _]time", time, re.IGNORECASE) else "land-csv"


def _separator(header: str) -> str:
    return max(SEPARATORS, key=header.count)


def _cells(line: str) -> list[str]:
    return [cell.strip(' "\r\n') for cell in line.split(_separator(line))]


def _unquoted(body: bytes) -> bytes:
    # A separator inside quotes then shows as a row with a field too many.
    return body.replace(b'"', b"") if b'"' in body else body
