"""Rows of numbers below the column names of an impedance export, which is what most vendors' text files consist of.

Every cell of a column that is read must be a number and every row complete: an overload, a cut-off row or a second
header in the middle is refused with its line. Numbers have decimal points or commas, but not both in one file.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry.impedance import require_few
from coldbond.files.electrochemistry.impedance_columns import named_columns
from coldbond.files.encoding import as_utf8
from coldbond.files.errors import NO_LINE_BREAK, NO_ROWS, ReadError
from coldbond.files.numerals import NUMBER

#: Characters of a line of column names.
LONGEST = 4000
#: Digits of a counter that are compared; Python refuses to convert thousands of them.
DIGITS = 18
#: A line of a file with its number, counted from 1.
Line = tuple[int, str]


def text_lines(path: Path, data: bytes) -> list[str]:
    """Return the lines of a text file without their ends; bytes that are not utf-8 are latin-1, as Windows writes °.

    The last item is what follows the last line break: "" in a complete file.
    """
    try:
        text = data.decode("utf-8-sig") if b"\0" not in data else as_utf8(path, data).decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return [line.rstrip("\r") for line in text.split("\n" if "\n" in text else "\r")]


def named(line: str, words: Sequence[str]) -> bool:
    """Return whether a line holds all these words, in lower case, and is no longer than a line of column names."""
    lower = line[: LONGEST + 1].lower()
    return len(lower) <= LONGEST and all(word in lower for word in words)


def matching(path: Path, lines: Sequence[str], matches: Callable[[str], object], remedy: str) -> list[int]:
    """Return the indices of the lines of column names, at least one.

    Raises
    ------
    ReadError
        There is none: the file was recognised by characters that do not end a line, or are no text.
    """
    found = [number for number, line in enumerate(lines) if matches(line)]
    if not found:
        raise ReadError(path, None, "no line of column names in an export that is otherwise of this kind", remedy)
    return found


def body(lines: Sequence[str], at: int, end: int | None = None) -> list[Line]:
    """Return the lines from index `at` to `end` that are not blank, each with its number."""
    return [(number, line) for number, line in enumerate(lines[at:end], start=at + 1) if line.strip()]


def complete(path: Path, lines: Sequence[str]) -> None:
    """Refuse a file whose last row has no line break."""
    if lines[-1].strip():
        raise ReadError(path, len(lines), *NO_LINE_BREAK)


def cells_of(line: str, separator: str | None) -> list[str]:
    """Return the cells of a line, split at a separator or, where it is None, at blanks; quotes around one are removed.

    A separator at the end of the line starts no cell.
    """
    if separator is None:
        return line.split()
    parts = line.rstrip().removesuffix(separator.strip() or "\0").split(separator)
    return [part.strip().strip('"').strip() for part in parts]


def spectrum_from(
    path: Path,
    names: Sequence[str],
    rows: Sequence[Line],
    read_as: Mapping[str, str],
    attrs: Mapping[str, Any],
    remedy: str,
    split: Callable[[str], list[str]],
    counter: str = "",
    known_sign: bool = False,
) -> xr.Dataset:
    """Read a spectrum from rows whose column names a vendor has fixed.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    names : sequence of str
        The names of the columns in the file.
    rows : sequence of (int, str)
        The lines of the rows, with their numbers.
    read_as : mapping of str to str
        The vendor's names of the columns that are read, and what they are called in `impedance_columns`. The others may
        hold anything and are listed in `unread`.
    attrs : mapping
        Header fields, with `format`.
    remedy : str
        For a row that is not complete.
    split : callable
        Returns the cells of a line.
    counter : str
        Name of a column that counts the points, from the start again for each sweep.
    known_sign : bool
        As for `impedance.spectrum`.

    Returns
    -------
    xarray.Dataset
        See `impedance_columns.named_columns`.

    Raises
    ------
    ReadError
        There are no rows, a row has another number of cells, a cell is not a number, or the counter shows that a row is
        missing.
    """
    if not rows:
        raise ReadError(path, None, *NO_ROWS)
    require_few(path, len(rows))
    places = [index for index, name in enumerate(names) if name in read_as]
    table, counted, points, commas = [], list[Line](), False, False
    counting = names.index(counter) if counter in names else None
    for number, line in rows:
        cells = split(line)
        if len(cells) != len(names):
            raise ReadError(path, number, f"{len(cells)} cells below {len(names)} column names", remedy)
        read = [cells[place] for place in places]
        for place, cell in zip(places, read, strict=True):
            if not NUMBER.fullmatch(cell.replace(",", ".", 1)):
                reason = f"{names[place]} is {cell!r}, not a number"
                raise ReadError(path, number, reason, f"export the spectrum without this point, or {remedy}")
            points, commas = points or "." in cell, commas or "," in cell
        if points and commas:
            reason = "decimal points and decimal commas in one file"
            raise ReadError(path, number, reason, "export it with decimal points")
        if counting is not None:
            counted.append((number, cells[counting]))
        table.append([cell.replace(",", ".", 1) for cell in read])
    _require_all_points(path, counted, remedy)
    canonical, numbers = [read_as[names[place]] for place in places], [number for number, _ in rows]
    recording = named_columns(path, canonical, np.array(table, float), numbers, attrs, known_sign)
    if unread := [name for name in names if name not in read_as]:
        recording.attrs["unread"] = ", ".join(filter(None, [*unread, recording.attrs.get("unread")]))
    return recording


def _require_all_points(path: Path, counted: Sequence[Line], remedy: str) -> None:
    """Refuse rows whose numbers, one line's cell each, do not count on or start again."""
    first = counted[0][1] if counted else ""
    for (_, before), (line, after) in pairwise(counted):
        if after != first and not (before.isdecimal() and after == str(int(before[-DIGITS:]) + 1)):
            raise ReadError(path, line, f"point {after!r} follows point {before!r}", remedy)


def header_number(value: str | None) -> float | None:
    """Return a number that a header states, with a decimal point or comma; None where it states none."""
    stated = re.sub(r"\s", "", value or "").replace(",", ".", 1)
    return float(stated) if NUMBER.fullmatch(stated) and np.isfinite(float(stated)) else None
