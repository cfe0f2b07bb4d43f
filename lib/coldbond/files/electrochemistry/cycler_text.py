"""What the text exports of cyclers share: finding the header, and reading and checking the table below it.

A header names the columns, and one row follows per record; the fields are separated by commas, tabs or semicolons, and
numbers have decimal points or, where commas do not separate, decimal commas. A preamble may stand above the header. The
names show which tester wrote the file (`testers`). Column names, units and step states may be English or Chinese (see
`vocabulary`).

`resolution` is the last digit of a column. It is taken from the largest number of decimals that any cell shows, and
bounds the rounding by the tester. The accuracy of the tester's ranges is in no such file.

A file of `coldbond.files.LONG` bytes and more is read a block of lines at a time, and its values stay on disk.
"""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import xarray as xr

from coldbond.files.electrochemistry import testers, vocabulary
from coldbond.files.electrochemistry.cycler import dataset
from coldbond.files.electrochemistry.on_disk import OnDisk
from coldbond.files.electrochemistry.table import Table, choose_columns, unread_headers
from coldbond.files.electrochemistry.table_text import Body, parsed
from coldbond.files.encoding import HEAD, UTF_16, as_utf8, head, recognised
from coldbond.files.errors import NO_LINE_BREAK, NO_ROWS, ReadError
from coldbond.files.format import Checked, Format, Stated

if TYPE_CHECKING:
    import hashlib


SEPARATORS = ",\t;"
#: Lines within which the header must stand.
HEADER_WITHIN = 100
#: Bytes at the start of a file in which the header must stand.
TOP = 1 << 20
#: Characters of a line above the header that is a note; longer ones are programs of the test.
LONGEST_NOTE = 500
#: Starts of files that have formats of their own.
OTHERS = (b"EC-Lab ASCII FILE", b"BT-Lab ASCII FILE", b"EXPLAIN", b"PK", b"PAR1")
#: Bytes of a long file that are read at a time.
BLOCK = 1 << 24
BLANK = b"\r\n "


def table_format(data: bytes) -> str | None:
    """Return the format of a file of one table, a key of `testers.NAMES`; None where it is no such file."""
    return _table_format(data[:TOP])


@lru_cache(maxsize=4)  # each format of tables asks for it
def _table_format(start: bytes) -> str | None:
    if start.startswith(OTHERS):
        return None
    for line in lines_of(start):
        cells = cells_of(line)
        if vocabulary.is_header(cells):
            return testers.tester(cells)
    return None


def lines_of(data: bytes) -> list[str]:
    """Return the lines within which the header must stand: more than the head where a long line fills it."""
    lines = head(data)
    if len(lines) < HEADER_WITHIN and len(data) > HEAD and not data.startswith(UTF_16):
        lines = data[:TOP].decode("utf-8", "replace").splitlines()
    return lines[:HEADER_WITHIN]


def read_table(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read a file of one table."""
    body = unquoted(as_utf8(path, data))
    header, at, skip, preamble = _header(path, body)
    table = table_below(path, body, header, at, skip=skip)
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
        start = file.read(TOP)
        try:
            header, at, skip, preamble = _header(path, _decoded_top(path, start[:HEAD]))
        except ReadError:  # a long line, such as Novonix's protocol, fills the head
            header, at, skip, preamble = _header(path, _decoded_top(path, start))
        file.seek(0)
        top = b"".join(file.readline() for _ in range(skip))
        digest.update(top)
        line, width, comma, encodings = skip, 0, None, {_encoding(top)}
        for block, is_last in _blocks(file, digest):
            try:
                body = unquoted(as_utf8(path, block))
            except ReadError as error:
                raise ReadError(path, line + (error.line or 0), error.reason, error.remedy) from None
            encodings.add(_encoding(block))
            if len(encodings - {"ascii"}) > 1:
                reason = f"holds text in {_encoding(block)}, and above in another encoding"
                raise ReadError(path, line + 1, reason, "save it as utf-8")
            table = table_below(path, body, header, at, range(line + 1, sys.maxsize), width, is_last, comma=comma)
            table.preamble = preamble
            line, width, comma = table.rows[0][1][-1], table.width, table.comma
            yield table


def _decoded_top(path: Path, start: bytes) -> bytes:
    """Return the whole lines at the start of a file in utf-8."""
    return unquoted(as_utf8(path, start[: start.rfind(b"\n") + 1]))


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


def _header(path: Path, body: bytes) -> tuple[str, int, int, str]:
    """Return the header of a file of one table, its line, the number of lines above the rows, and the preamble."""
    lines = lines_of(body)
    at = next((number for number, line in enumerate(lines) if vocabulary.is_header(cells_of(line))), None)
    if at is None:
        reason = "the line that names the columns is not among the first lines in the encoding of the file"
        raise ReadError(path, None, reason, "save it as utf-8, or state its encoding: read(path, encoding=...)")
    before = (line.strip(SEPARATORS + " ") for line in lines[:at] if len(line) < LONGEST_NOTE)
    skip = at + 1
    while skip < len(lines) and not lines[skip].strip():  # Maccor leaves a line blank below the names
        skip += 1
    preamble = "; ".join(line for line in before if line and not line.endswith(":"))
    return lines[at], at + 1, skip if skip < len(lines) else at + 1, preamble


def table_below(
    path: Path,
    body: bytes,
    header: str,
    at: int,
    numbers: Sequence[int] | None = None,
    width: int = 0,
    is_last: bool = True,
    skip: int = 0,
    kind: str = "",
    comma: bool | None = None,
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
    skip : int, optional
        Lines of `body` above the rows.
    kind : str, optional
        The format, where the names of the columns do not tell it.
    comma : bool, optional
        Whether numbers have decimal commas; found from the first rows where it is not given.
    """
    separator = separator_of(header)
    names = cells_of(header.rstrip("\r\n " + separator))
    columns = choose_columns(path, names, at)
    kind = kind or testers.tester(names)
    if kind in testers.CODED_STATES:
        columns.pop("state", None)
    stop = len(body)
    while stop and body[stop - 1] in BLANK:
        stop -= 1
    start = 0
    for _ in range(skip):
        start = body.find(b"\n", start) + 1 or stop
    if start >= stop:
        raise ReadError(path, at, *NO_ROWS)
    numbers = range(skip + 1, sys.maxsize) if numbers is None else numbers
    found = parsed(Body(path, body, skip, start, stop, separator, numbers, len(names), is_last), columns, width, comma)
    cells, unread = found.cells, unread_headers(names, columns)
    surplus = cells.pop("surplus", None)
    rows_of: list[tuple[str | None, Sequence[int]]] = [(None, numbers[: found.size])]
    table = Table(path, kind, columns, cells, found.decimals, rows_of, unread, found.size, found.sampled)
    table.width, table.comma = found.width, found.comma
    if surplus is not None and (filled := surplus.is_not_null()).any():
        reason = f"more fields than the {len(names)} column names"
        raise table.error(int(filled.to_numpy().argmax()), reason, "name every column in the header")
    last_is_read = any(column.index == found.width - 1 for column in columns.values())
    if last_is_read and b"\n" not in body[stop:]:
        raise table.error(found.size - 1, *NO_LINE_BREAK)
    return table


def separator_of(header: str) -> str:
    """Return the character that separates the fields of a header."""
    return max(SEPARATORS, key=header.count)


def cells_of(line: str) -> list[str]:
    """Return the fields of a header."""
    return [cell.strip(' "\r\n') for cell in line.split(separator_of(line))]


def unquoted(body: bytes) -> bytes:
    """Return the text without quotes; a quoted separator then shows as a row with one field too many."""
    return body.replace(b'"', b"") if b'"' in body else body


def table_of(
    kind: str, name: str, vendors: str, extensions: tuple[str, ...], reads: str, checked: tuple[Checked, ...] = ()
) -> Format:
    """Return the format of files of one table that one tester writes."""
    return Format(
        name=name,
        vendors=vendors,
        techniques=("cycling",),
        extensions=extensions,
        recognise=lambda data: table_format(data) == kind,
        read=read_table,
        reads=reads,
        checked=checked,
    )
