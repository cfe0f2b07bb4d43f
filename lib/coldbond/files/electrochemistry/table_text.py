"""The rows of a table of text: every row has as many fields as the others, and the columns become numbers.

Speed matters here, since a recording has millions of rows. Where the separators of all rows add up and no row has a
field too many, no row has one too few; only where they do not, the fields of each row are counted.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from coldbond.files.electrochemistry import clocks, vocabulary
from coldbond.files.electrochemistry.table import decimals
from coldbond.files.electrochemistry.vocabulary import Column
from coldbond.files.errors import ReadError

if TYPE_CHECKING:
    import polars as pl

#: A number with a decimal comma.
DECIMAL_COMMA = r"^\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*$"
#: Bytes in which separators are counted at a time, and numbers whose decimals are: both stay in the processor's cache.
CHUNK = 1 << 18
NUMBERS = 1 << 14
#: Rows that show how many decimals a column has.
SAMPLE = 1000
#: Decimal digits that a float64 holds, and the relative error of its last bit.
DIGITS = 15
LAST_BIT = 2.0**-51


class Body(NamedTuple):
    """The rows of a table of text.

    Attributes
    ----------
    path : pathlib.Path
    text : bytes
        In utf-8, with other lines before `start` and blank ones from `stop` on.
    skip : int
        Number of lines before `start`.
    start, stop : int
    separator : str
    lines : sequence of int
        Line of each row in the file; there may be more than rows.
    names : int
        Number of column names.
    is_last : bool
        Whether the file ends with these rows.
    """

    path: Path
    text: bytes
    skip: int
    start: int
    stop: int
    separator: str
    lines: Sequence[int]
    names: int
    is_last: bool


class Cells(NamedTuple):
    """The cells of a table of text by quantity, as `Table` holds them; "surplus" has those beyond the header.

    `comma` says whether its numbers have decimal commas.
    """

    cells: dict[str, "pl.Series"]
    decimals: dict[str, int]
    size: int
    width: int
    comma: bool
    sampled: np.ndarray


def parsed(body: Body, columns: dict[str, Column], width: int, comma: bool | None) -> Cells:
    """Return the cells of a table of text.

    Parsing to numbers directly takes less time and memory than by way of text. The number of decimals is then what the
    first rows show, or more where a number needs more. Where some cell is not a number all are read as text, since text
    is what the error quotes.

    Parameters
    ----------
    body : Body
    columns : dict of str to Column
    width : int
        Number of fields in every row; 0 where the rows tell.
    comma : bool or None
        Whether numbers have decimal commas; None where the first rows tell.

    Raises
    ------
    ReadError
        A row has another number of fields, or numbers have decimal commas and points.
    """
    import polars as pl

    rows, separators = _counts(body)
    end = body.text.find(b"\n", body.start, body.stop)
    first = body.text[body.start : end if end > 0 else body.stop].count(body.separator.encode()) + 1
    known, width = width, width or first
    is_even = separators == rows * (width - 1) and first == width >= body.names
    if not is_even:
        width = checked_width(body, known)
    places = {quantity: column.index for quantity, column in columns.items()}
    measured = {quantity: f"{place}" for quantity, place in places.items() if quantity in vocabulary.UNITS}
    numbers = {f"{place}" for quantity, place in places.items() if quantity not in ("state", *vocabulary.CLOCKS)}
    wanted = sorted({*places.values(), *range(body.names, width)})

    def csv(numbers: set[str], **options: Any) -> "pl.DataFrame":
        return pl.read_csv(
            body.text,
            has_header=False,
            schema={f"{place}": pl.Float64 if f"{place}" in numbers else pl.String for place in range(width)},
            quote_char=None,
            skip_lines=body.skip,
            separator=body.separator,
            **options,
        )

    sample = csv(set(), n_rows=SAMPLE, columns=wanted)
    if comma is None:
        texts = [sample[name] for name in measured.values()]
        comma = body.separator != "," and any(text.str.contains(DECIMAL_COMMA).any() for text in texts)
    frame = None
    if not comma:
        with contextlib.suppress(pl.exceptions.ComputeError):  # a cell that is no number, or a row that is too long
            frame = csv(numbers).head(rows)
    if frame is not None and frame.height == rows:
        shown = {
            quantity: decimals_needed(frame[name].to_numpy(), decimals(sample[name]))
            for quantity, name in measured.items()
        }
    else:
        checked_width(body, known)
        frame = csv(set(), columns=wanted).head(rows)
        if comma:
            frame = _with_points(body, frame, {name: columns[quantity].header for quantity, name in measured.items()})
        shown = {quantity: decimals(frame[name]) for quantity, name in measured.items()}
    sampled = clocks.sampled_rows(rows)
    cells = {
        quantity: frame[f"{place}"][sampled].str.strip_chars() if quantity in vocabulary.CLOCKS else frame[f"{place}"]
        for quantity, place in places.items()
    }
    if surplus := [f"{place}" for place in range(body.names, width)]:
        cells["surplus"] = frame.select(pl.coalesce(surplus)).to_series()
    return Cells(cells, shown, rows, width, bool(comma), sampled)


def _counts(body: Body) -> tuple[int, int]:
    """Return the number of rows and of separators in them."""
    octets = np.frombuffer(body.text, np.uint8)
    rows, separators = 1, 0
    for start in range(body.start, body.stop, CHUNK):
        chunk = octets[start : min(start + CHUNK, body.stop)]
        separators += int(np.count_nonzero(chunk == ord(body.separator)))
        rows += int(np.count_nonzero(chunk == ord("\n")))
    return rows, separators


def checked_width(body: Body, width: int) -> int:
    """Return the number of fields that every row has; refuse a row with another number.

    `width` is that number where the rows before tell it, else 0.

    Raises
    ------
    ReadError
        A row has another number of fields than most, or all have fewer than there are names.
    """
    mark, numbers = body.separator.encode(), body.lines
    rows = body.text[body.start : body.stop].split(b"\n")
    fields = np.array([row.count(mark) for row in rows]) + 1
    width = width or int(np.bincount(fields).argmax())
    odd = np.flatnonzero(fields != width)
    if odd.size:
        row = int(odd[0])
        if body.is_last and row == len(rows) - 1 and fields[row] < width:
            reason, remedy = f"cut off: {fields[row]} fields of {width}", "export it again, or delete the row"
        else:
            reason = f"{fields[row]} fields where most rows have {width}"
            remedy = "export it again, or restore the row"
        raise ReadError(body.path, numbers[row], reason, remedy)
    if width < body.names:
        reason = f"{width} fields under {body.names} column names"
        raise ReadError(body.path, numbers[0], reason, "export it again, or restore the header")
    return width


def _with_points(body: Body, frame: "pl.DataFrame", headers: dict[str, str]) -> "pl.DataFrame":
    """Return a table with points for decimal commas; refuse a number that has a point already.

    `headers` names the columns of numbers.
    """
    first, mixed = frame.height, ""
    for name in headers:
        bad = frame[name].str.contains(r"^\s*[-+]?\d*\.[\d.]*(,|\s*$)").fill_null(False)
        row = bad.arg_max() if bad.any() else None
        if row is not None and row < first:
            first, mixed = row, name
    if mixed:
        reason = f"{headers[mixed]} is {frame[mixed][first]!r}, in a file with decimal commas"
        remedy = "export it with decimal points, or with decimal commas, in all rows"
        raise ReadError(body.path, body.lines[first], reason, remedy)
    return frame.with_columns(frame[name].str.replace(",", ".", literal=True) for name in headers)


def decimals_needed(numbers: np.ndarray, least: int) -> int:
    """Return how many decimals, at least `least`, write all numbers without loss."""
    decimals = least
    for some in (numbers[::SAMPLE], numbers):  # a few first, since they mostly decide
        start = 0
        while start < some.size and decimals < DIGITS:
            if _are_multiples(some[start : start + NUMBERS], decimals):
                start += NUMBERS
            else:
                decimals += 1
    return decimals


def _are_multiples(numbers: np.ndarray, decimals: int) -> bool:
    """Return whether all numbers have at most so many decimals, to the precision of a float64."""
    with np.errstate(invalid="ignore"):  # infinite numbers are refused later
        multiples = numbers * 10.0**decimals
        off = np.abs(multiples - np.rint(multiples))
        return not (off > LAST_BIT * np.abs(multiples)).any()
