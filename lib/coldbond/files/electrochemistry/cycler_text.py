"""Text exports of cyclers: Landt CSV, Battery Data Format CSV (BDF) and LAND CSV.

File structure
--------------
A header names the columns, and one row follows per record; the fields are separated by commas, tabs or semicolons.
Landt and BDF files hold one table; a preamble may stand above its header. Landt ends each row with a separator, so that
its rows have one field more than the header. A LAND CSV stacks tables of cycles, of steps and of records, and repeats
the header of the records in each step. The first cell of a header says which kind of table follows. The tables of
records are joined; the others summarise them and are listed in `unread`. Column names, units and step states may be
English or Chinese (see `vocabulary`).

Schema
------
xarray.Dataset over `record`: `time` [s], `voltage` [V], `current` [A], positive during charge, and where the file has
them `cycle`, `step`, `capacity` or `charge_capacity` and `discharge_capacity` [Ah]. See `coldbond.files`.

Uncertainties
-------------
`resolution` is the last digit of a column. It is taken from the largest number of decimals that any cell shows, and
bounds the rounding by the tester. The accuracy of the tester's ranges is in no such file.

A file of `coldbond.files.LONG` bytes and more is read a block of lines at a time, and its values stay on disk.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import vocabulary
from coldbond.files.electrochemistry.cycler import dataset
from coldbond.files.electrochemistry.on_disk import OnDisk
from coldbond.files.electrochemistry.table import Table, choose_columns, concatenated, decimals, unread_headers
from coldbond.files.electrochemistry.vocabulary import Column
from coldbond.files.encoding import HEAD, as_utf8, head, recognised
from coldbond.files.errors import NO_LINE_BREAK, NO_ROWS, ReadError
from coldbond.files.format import Format, Stated

if TYPE_CHECKING:
    import hashlib

    import polars as pl

#: First cells of the headers in a LAND CSV: of tables of records, and of tables that summarise records.
RECORDS = ("Record", "记录", "记录序号")
SUMMARIES = ("Cycle", "Step", "Index", "循环", "循环序号", "步次", "步骤序号", "工步", "工步序号")
SEPARATORS = ",\t;"
#: Lines within which the header must stand.
HEADER_WITHIN = 100
#: Bytes whose separators are counted at a time.
CHUNK = 1 << 20
#: Bytes of a long file that are read at a time.
BLOCK = 1 << 24
BLANK = b"\r\n "
#: Rows that show how many decimals a column has.
SAMPLE = 1000
#: Decimal digits that a float64 holds, and the relative error of its last bit.
DIGITS = 15
LAST_BIT = 2.0**-51


def is_stack(data: bytes) -> bool:
    """Return whether the first header is that of a LAND CSV, whose first cell names the kind of its table."""
    for line in head(data)[:HEADER_WITHIN]:
        cells = _cells(line)
        if len(cells) > 1 and cells[0] in RECORDS + SUMMARIES:
            return True
        if vocabulary.is_header(cells):
            return False
    return False


def is_table(data: bytes) -> bool:
    """Return whether one of the first lines is a header with test time, voltage and current."""
    return any(vocabulary.is_header(_cells(line)) for line in head(data)[:HEADER_WITHIN])


def read_table(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read a file of one table: Landt CSV, BDF CSV, or a LAND table without record numbers."""
    body = _unquoted(as_utf8(path, data))
    header, at, preamble = _header(body)
    table = _table(path, body, header, at)
    table.preamble = preamble
    return dataset([table])


def read_long_table(path: Path, digest: "hashlib._Hash") -> xr.Dataset:
    """Read a file of one table a block of lines at a time; the values stay on disk, in a temporary file.

    Parameters
    ----------
    path : pathlib.Path
        In utf-8 or gb18030.
    digest : hash object of hashlib
        Updated with all bytes of the file.
    """
    return dataset(_tables(path, digest), OnDisk)


def _tables(path: Path, digest: "hashlib._Hash") -> Iterator[Table]:
    """Yield the table of a file in parts, each checked against those before it."""
    with path.open("rb") as file:
        start = file.read(HEAD)
        start = start[: start.rfind(b"\n") + 1]
        header, at, preamble = _header(_unquoted(as_utf8(path, start)))
        file.seek(0)
        top = b"".join(file.readline() for _ in range(at))
        digest.update(top)
        line, width, encodings = at, 0, {_encoding(top)}
        for block, is_last in _blocks(file, digest):
            try:
                body = _unquoted(as_utf8(path, block))
            except ReadError as error:
                raise ReadError(path, line + (error.line or 0), error.reason, error.remedy) from None
            encodings.add(_encoding(block))
            if len(encodings - {"ascii"}) > 1:
                reason = f"holds text in {_encoding(block)}, and above in another encoding"
                raise ReadError(path, line + 1, reason, "save it as utf-8")
            table = _table(path, body, header, at, range(line + 1, sys.maxsize), width, is_last)
            table.preamble = preamble
            line, width = table.rows[0][1][-1], table.width
            yield table


def _blocks(file: BinaryIO, digest: "hashlib._Hash") -> Iterator[tuple[bytes, bool]]:
    """Yield the rest of a file in blocks of whole lines, and whether a block is the last one.

    A line is held back until a line with text follows. Whether empty lines at the end of a block end the file cannot be
    known before.
    """
    held = b""
    with ThreadPoolExecutor(1) as pool:  # hashing takes a tenth of the time of parsing
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
    return recognised(data) or "none that is known"


def _header(body: bytes) -> tuple[str, int, str]:
    """Return the header of a file of one table, its line, and the preamble above it."""
    lines = head(body)
    at = next(number for number, line in enumerate(lines) if vocabulary.is_header(_cells(line)))
    before = (line.strip(SEPARATORS + " ") for line in lines[:at])
    return lines[at], at + 1, "; ".join(line for line in before if line and not line.endswith(":"))


def read_stack(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the tables of records in a LAND CSV."""
    words = {word.encode() for word in RECORDS + SUMMARIES}
    first_cell = re.compile(rb"[^,\t;\r]*")
    parts: list[tuple[str, int, list[bytes], list[int]]] = []  # header, its line, rows, their lines
    summaries: dict[str, None] = {}
    in_records, number = False, 0
    for number, line in enumerate(_unquoted(as_utf8(path, data)).split(b"\n"), start=1):
        if (first := first_cell.match(line)) and first[0].strip() in words:
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
        raise ReadError(path, None, reason, "export it with its records")
    tables = []
    for header, at, rows, numbers in parts:
        cut = numbers[-1:] == [number]  # no line break after the last row of the file
        tables.append(_table(path, b"\n".join(rows) + (b"" if cut else b"\n"), header, at, numbers))
    tables[0].unread += summaries
    return dataset([concatenated(tables)])


def _table(
    path: Path,
    body: bytes,
    header: str,
    at: int,
    numbers: Sequence[int] | None = None,
    width: int = 0,
    is_last: bool = True,
) -> Table:
    """Return the table below a header.

    Parameters
    ----------
    body : bytes
        The rows, in utf-8; the whole file where `numbers` is None.
    header : str
        The header, line `at` of the file.
    numbers : sequence of int, optional
        Line of each row in the file; there may be more than rows.
    width : int, optional
        Number of fields in every row; the most frequent number where it is not given.
    is_last : bool
        Whether the file ends with these rows.
    """
    import polars as pl  # takes 0.3 s: imported only where a table is read

    separator = _separator(header)
    names = _cells(header.rstrip("\r\n " + separator))
    columns = choose_columns(path, names, at)
    skip = at if numbers is None else 0
    stop = len(body)
    while stop and body[stop - 1] in BLANK:
        stop -= 1
    fields = _separators(body, ord(separator))[skip : -body.count(b"\n", stop) or None] + 1
    if not stop or not fields.size:
        raise ReadError(path, at, *NO_ROWS)
    numbers = (range(at + 1, sys.maxsize) if numbers is None else numbers)[: fields.size]
    width = _width(path, fields, numbers, len(names), width, is_last)
    surplus = range(len(names), width)
    cells, shown = _parsed(body, columns, surplus, fields.size, skip, separator)
    if "systime" in columns:
        cells["systime"] = pl.Series([_cells(line)[columns["systime"].index] for line in _ends(body, skip, stop)])
    kind, unread = _format(columns["time"].header), unread_headers(names, columns)
    table = Table(path, kind, columns, cells, shown, [(None, numbers)], unread, width=width)
    if "surplus" in cells and (filled := cells.pop("surplus").is_not_null()).any():
        reason = f"more fields than the {len(names)} column names"
        raise table.error(int(filled.to_numpy().argmax()), reason, "name every column in the header")
    last_is_read = any(column.index == width - 1 for column in columns.values())
    if last_is_read and b"\n" not in body[stop:]:
        raise table.error(fields.size - 1, *NO_LINE_BREAK)
    return table


def _width(path: Path, fields: np.ndarray, numbers: Sequence[int], names: int, width: int, is_last: bool) -> int:
    """Return the number of fields that every row has, given the number in each; refuse a row with another number."""
    width = width or int(np.bincount(fields).argmax())
    odd = np.flatnonzero(fields != width)
    if odd.size:
        row = int(odd[0])
        if is_last and row == len(numbers) - 1 and fields[row] < width:
            reason, remedy = f"cut off: {fields[row]} fields of {width}", "export it again, or delete the row"
        else:
            reason = f"{fields[row]} fields where most rows have {width}"
            remedy = "export it again, or restore the row"
        raise ReadError(path, numbers[row], reason, remedy)
    if width < names:
        reason = f"{width} fields under {names} column names"
        raise ReadError(path, numbers[0], reason, "export it again, or restore the header")
    return width


def _parsed(
    body: bytes, columns: dict[str, Column], surplus: Sequence[int], rows: int, skip: int, separator: str
) -> tuple[dict[str, "pl.Series"], dict[str, int]]:
    """Return cells and decimals by quantity, as `Table` holds them; "surplus" has the cells beyond the header.

    Parsing to numbers directly takes less time and memory than by way of text. The number of decimals is then what the
    first rows show, or more where a number needs more. Where some cell is not a number all are read as text, since text
    is what the error quotes.
    """
    import polars as pl

    places = {quantity: column.index for quantity, column in columns.items() if quantity != "systime"}
    wanted = sorted([*places.values(), *surplus])

    def csv(**options: Any) -> "pl.DataFrame":
        return pl.read_csv(
            body,
            has_header=False,
            infer_schema=False,
            quote_char=None,
            columns=wanted,
            skip_lines=skip,
            separator=separator,
            **options,
        )

    sample = csv(n_rows=SAMPLE)
    names = dict(zip(wanted, sample.columns, strict=True))
    measured = {quantity: names[place] for quantity, place in places.items() if quantity in vocabulary.UNITS}
    numbers = [names[place] for quantity, place in places.items() if quantity != "state"]
    try:
        frame = csv(schema_overrides=dict.fromkeys(numbers, pl.Float64)).head(rows)
        shown = {
            quantity: _decimals_needed(frame[name].to_numpy(), decimals(sample[name]))
            for quantity, name in measured.items()
        }
    except pl.exceptions.ComputeError:
        frame = csv().head(rows)
        shown = {quantity: decimals(frame[name]) for quantity, name in measured.items()}
    cells = {quantity: frame[names[place]] for quantity, place in places.items()}
    if surplus:
        cells["surplus"] = frame.select(pl.coalesce([names[place] for place in surplus])).to_series()
    return cells, shown


def _decimals_needed(numbers: np.ndarray, least: int) -> int:
    """Return how many decimals, at least `least`, write all numbers without loss."""
    decimals = least
    for some in (numbers[::SAMPLE], numbers):  # a few first, since they mostly decide
        while decimals < DIGITS and not _are_multiples(some, decimals):
            decimals += 1
    return decimals


def _are_multiples(numbers: np.ndarray, decimals: int) -> bool:
    """Return whether all numbers have at most so many decimals, to the precision of a float64."""
    with np.errstate(invalid="ignore"):  # infinite numbers are refused later
        multiples = numbers * 10.0**decimals
        off = np.abs(multiples - np.rint(multiples))
        return not (off > LAST_BIT * np.abs(multiples)).any()


def _separators(body: bytes, separator: int) -> np.ndarray:
    """Return the number of separators in each line, counted in chunks: the positions of all would outweigh the file."""
    octets = np.frombuffer(body, np.uint8)
    before, seen = [], 0
    for start in range(0, octets.size, CHUNK):
        chunk = octets[start : start + CHUNK]
        separators = np.flatnonzero(chunk == separator)
        before.append(seen + np.searchsorted(separators, np.flatnonzero(chunk == ord("\n"))))
        seen += separators.size
    before.append(np.array([seen]))  # what follows the last line break
    return np.diff(np.concatenate(before), prepend=0)


def _ends(body: bytes, skip: int, stop: int) -> tuple[str, str]:
    """Return the first row below those to skip, and the last row, which ends at `stop`."""
    start = 0
    for _ in range(skip):
        start = body.index(b"\n", start) + 1
    end = body.find(b"\n", start, stop)
    last = body[body.rfind(b"\n", 0, stop) + 1 : stop]
    return body[start : end if end > 0 else stop].decode(), last.decode()


def _format(time: str) -> str:
    """Return the format of a table, which differs in the name of the test time."""
    if time == "test_time_s":
        return "landt-csv"
    return "bdf-csv" if re.match(r"test[ _]time", time, re.IGNORECASE) else "land-csv"


def _separator(header: str) -> str:
    return max(SEPARATORS, key=header.count)


def _cells(line: str) -> list[str]:
    return [cell.strip(' "\r\n') for cell in line.split(_separator(line))]


def _unquoted(body: bytes) -> bytes:
    """Return the text without quotes; a quoted separator then shows as a row with one field too many."""
    return body.replace(b'"', b"") if b'"' in body else body


LAND = Format(
    name="LAND CSV",
    vendors="LAND",
    techniques=("cycling",),
    extensions=(".csv",),
    recognise=is_stack,
    read=read_stack,
    reads="tables of records, in English or Chinese; those of cycles and steps are unread",
)


TABLE = Format(
    name="Landt CSV or Battery Data Format CSV",
    vendors="Landt, any",
    techniques=("cycling",),
    extensions=(".csv",),
    recognise=is_table,
    read=read_table,
    reads="the table of records",
)
