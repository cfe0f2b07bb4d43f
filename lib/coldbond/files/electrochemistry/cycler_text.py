"""What the text exports of cyclers share: finding the header, and reading and checking the table below it.

A header names the columns, and one row follows per record; the fields are separated by commas, tabs or semicolons, and
numbers have decimal points or, where commas do not separate, decimal commas. A preamble may stand above the header. The
names tell which tester wrote the file (`testers`). Column names, units and step states may be English or Chinese (see
`vocabulary`).

`resolution` is the last digit of a column. It is taken from the largest number of decimals that any cell shows, and
bounds the rounding by the tester. The accuracy of the tester's ranges is in no such file.

A file of `coldbond.files.LONG` bytes and more is read a block of lines at a time, and its values stay on disk.
"""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import clocks, testers, vocabulary
from coldbond.files.electrochemistry.cycler import dataset
from coldbond.files.electrochemistry.on_disk import OnDisk
from coldbond.files.electrochemistry.table import Table, choose_columns, decimals, unread_headers
from coldbond.files.electrochemistry.vocabulary import Column
from coldbond.files.encoding import HEAD, UTF_16, as_utf8, head, recognised
from coldbond.files.errors import NO_LINE_BREAK, NO_ROWS, ReadError
from coldbond.files.format import Checked, Format, Stated

if TYPE_CHECKING:
    import hashlib

    import polars as pl

SEPARATORS = ",\t;"
#: Lines within which the header must stand.
HEADER_WITHIN = 100
#: Bytes at the start of a file in which the header must stand.
TOP = 1 << 20
#: Characters of a line above the header that is a note; longer ones are programs of the test.
LONGEST_NOTE = 500
#: Starts of files that have formats of their own.
OTHERS = (b"EC-Lab ASCII FILE", b"BT-Lab ASCII FILE", b"EXPLAIN", b"PK", b"PAR1")
#: A number with a decimal comma.
DECIMAL_COMMA = r"^\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*$"
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
        Whether numbers have decimal commas; the first rows tell where it is not given.
    """
    import polars as pl  # takes 0.3 s: imported only where a table is read

    separator = separator_of(header)
    names = cells_of(header.rstrip("\r\n " + separator))
    columns = choose_columns(path, names, at)
    kind = kind or testers.tester(names)
    if kind in testers.CODED_STATES:
        columns.pop("state", None)
    stop = len(body)
    while stop and body[stop - 1] in BLANK:
        stop -= 1
    fields, ends = _lines(body, ord(separator), skip, stop)
    if not stop or not fields.size:
        raise ReadError(path, at, *NO_ROWS)
    numbers = (range(skip + 1, sys.maxsize) if numbers is None else numbers)[: fields.size]
    width = _width(path, fields, numbers, len(names), width, is_last)
    surplus = range(len(names), width)
    cells, shown, comma = _parsed(path, body, columns, surplus, numbers, skip, separator, comma)
    sampled = clocks.sampled_rows(fields.size)
    if there := [clock for clock in vocabulary.CLOCKS if clock in columns]:
        rows = [body[ends[row] + 1 : ends[row + 1]].decode().split(separator) for row in sampled]
        for clock in there:
            place = columns[clock].index
            cells[clock] = pl.Series([row[place].strip() for row in rows], dtype=pl.String)
    unread = unread_headers(names, columns)
    table = Table(
        path, kind, columns, cells, shown, [(None, numbers)], unread, fields.size, sampled, width=width, comma=comma
    )
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
    path: Path,
    body: bytes,
    columns: dict[str, Column],
    surplus: Sequence[int],
    lines: Sequence[int],
    skip: int,
    separator: str,
    comma: bool | None,
) -> tuple[dict[str, "pl.Series"], dict[str, int], bool]:
    """Return cells and decimals by quantity, as `Table` holds them, and whether numbers have decimal commas.

    "surplus" has the cells beyond the header.

    Parsing to numbers directly takes less time and memory than by way of text. The number of decimals is then what the
    first rows show, or more where a number needs more. Where some cell is not a number all are read as text, since text
    is what the error quotes.
    """
    import polars as pl

    places = {quantity: column.index for quantity, column in columns.items() if quantity not in vocabulary.CLOCKS}
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
    if comma is None:
        comma = separator != "," and any(sample[name].str.contains(DECIMAL_COMMA).any() for name in measured.values())
    frame = None
    if not comma:
        with contextlib.suppress(pl.exceptions.ComputeError):
            frame = csv(schema_overrides=dict.fromkeys(numbers, pl.Float64)).head(len(lines))
    if frame is not None:
        shown = {
            quantity: decimals_needed(frame[name].to_numpy(), decimals(sample[name]))
            for quantity, name in measured.items()
        }
    else:
        frame = csv().head(len(lines))
        if comma:
            headers = {name: columns[quantity].header for quantity, name in measured.items()}
            frame = _with_points(path, frame, headers, lines)
        shown = {quantity: decimals(frame[name]) for quantity, name in measured.items()}
    cells = {quantity: frame[names[place]] for quantity, place in places.items()}
    if surplus:
        cells["surplus"] = frame.select(pl.coalesce([names[place] for place in surplus])).to_series()
    return cells, shown, comma


def _with_points(path: Path, frame: "pl.DataFrame", headers: dict[str, str], lines: Sequence[int]) -> "pl.DataFrame":
    """Return a table with points for decimal commas; refuse a number that has a point already.

    `headers` names the columns of numbers.
    """
    first, mixed = len(lines), ""
    for name in headers:
        bad = frame[name].str.contains(r"^\s*[-+]?\d*\.[\d.]*(,|\s*$)").fill_null(False)
        row = bad.arg_max() if bad.any() else None
        if row is not None and row < first:
            first, mixed = row, name
    if mixed:
        reason = f"{headers[mixed]} is {frame[mixed][first]!r}, in a file with decimal commas"
        raise ReadError(
            path, lines[first], reason, "export it with decimal points, or with decimal commas, in all rows"
        )
    return frame.with_columns(frame[name].str.replace(",", ".", literal=True) for name in headers)


def decimals_needed(numbers: np.ndarray, least: int) -> int:
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


def _lines(body: bytes, separator: int, skip: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of fields in each row, and the positions of the line breaks before, between and after rows.

    The separators are counted in chunks, since the positions of all would outweigh the file.
    """
    octets = np.frombuffer(body, np.uint8)
    before, breaks, seen = [], [np.array([-1])], 0
    for start in range(0, stop, CHUNK):
        chunk = octets[start : min(start + CHUNK, stop)]
        separators = np.flatnonzero(chunk == separator)
        ends = np.flatnonzero(chunk == ord("\n"))
        before.append(seen + np.searchsorted(separators, ends))
        breaks.append(start + ends)
        seen += separators.size
    before.append(np.array([seen]))  # what follows the last line break
    fields = np.diff(np.concatenate(before), prepend=0)[skip:] + 1
    return fields, np.concatenate([*breaks, np.array([stop])])[skip:]


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
