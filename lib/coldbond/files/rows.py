"""Rows of numbers in text: separators, decimal commas, and what stands between the rows or at their end."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from coldbond.files.encoding import as_utf8
from coldbond.files.errors import NO_LINE_BREAK, ReadError
from coldbond.files.numerals import AGAIN, NUMBER, numbers

COMMENT = "#%;!'"
#: Bytes of a text beyond which it is no spectrum: about a million rows, which take some seconds.
LARGEST = 24_000_000
#: A number with one comma before three digits: a decimal comma, or a comma between thousands.
THOUSANDS = re.compile(r"[-+]?[1-9][0-9]{0,2},[0-9]{3}")
#: What programs write where a value could not be measured.
MISSING = re.compile(r"(?i)(over|ovl?d|ovl|ovf|nan|n/?a|inf|err|#|-+$|–+$|—+$|\*+$|\?+$|none|null|bad|sat)")


class Rows(NamedTuple):
    """Numbers of a text.

    Attributes
    ----------
    values : array, shape (rows, columns)
    lines : list of int
        The line of each row, counted from 1.
    comments : list of (int, str)
        Lines between the rows and behind them that are commented out.
    """

    values: np.ndarray
    lines: list[int]
    comments: list[tuple[int, str]]


def lines_of(path: Path, data: bytes) -> list[str]:
    """Return the lines of a text; the last is empty where the text ends with a line break.

    Raises
    ------
    ReadError
        The bytes are not text, or more than a spectrum has.
    """
    if len(data) > LARGEST:
        reason = f"a text of {len(data) / 1e6:.0f} MB, which is no single spectrum"
        raise ReadError(path, None, reason, f"export one recording to a file, of at most {LARGEST / 1e6:.0f} MB")
    return re.split(r"\r\n|\n|\r", as_utf8(path, data).decode())


def cells(line: str) -> list[str]:
    """Return the fields of a row, split at semicolons or tabs, at blanks, or else at commas; quotes are taken off."""
    line = line.strip()
    separator = next((mark for mark in ";\t" if mark in line.strip(";\t")), None)
    if separator is None:
        blank = line.strip(";").split()
        commas = len(blank) < 2 or any(cell[0] == "," or cell[-1] == "," for cell in blank) or '",' in line
        separator = "," if commas else None
        if not commas and '"' not in line:
            return blank
    line = line.strip(";, \t") if separator is not None else line
    if '"' in line and len(line) < csv.field_size_limit():
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator or " ", skipinitialspace=True))]
    return [cell.strip() for cell in line.split(separator)]


def are_numbers(fields: Sequence[str]) -> bool:
    """Return whether fields are two or more numbers, with decimal points or commas."""
    return len(fields) > 1 and all(NUMBER.fullmatch(cell.replace(",", ".", 1)) for cell in fields)


def first_row(lines: Sequence[str]) -> int | None:
    """Return the index of the first line that consists of two or more numbers."""
    return next((number for number, line in enumerate(lines) if are_numbers(cells(line))), None)


def check_above(path: Path, lines: Sequence[str], first: int, points: int) -> None:
    """Refuse text in which a line above the first row is a row too, in which a value is missing: "1e6, overload".

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    lines : sequence of str
    first : int
        Index of the first row.
    points : int
        Number of rows, which may stand alone in a line above them.
    """
    width = len(cells(lines[first]))
    for number, line in enumerate(lines[:first], start=1):
        if _is_lost(line, width) and line.strip() != str(points):
            reason = f"{line.strip()[:60]!r} above the first row of numbers may be a row without all of its values"
            raise ReadError(path, number, reason, "export the points that were measured, or without this line")


def _is_lost(line: str, width: int) -> bool:
    """Return whether a line above the rows looks like a row."""
    fields = cells(line)
    if not fields or line.strip()[:1] in COMMENT:
        return False
    are = [NUMBER.fullmatch(cell.replace(",", ".", 1)) is not None for cell in fields]
    if are[0] or MISSING.match(fields[0]):
        return len(fields) in (1, width) or fields[-1] == "" or any(are[1:2])
    # A number with a letter in it, but no word: "20.00s0".
    garbled = re.search(r"\d", fields[0]) and not re.search(r"[A-Za-z]{3}", fields[0]) and ":" not in line
    return bool(garbled) and len(fields) == width and any(are)


def read_rows(path: Path, lines: Sequence[str], start: int) -> Rows:
    """Read the rows of numbers from a line to the end of the text.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    lines : sequence of str
        All lines of the text; the last is empty where the text ends with a line break.
    start : int
        Index of the first row, which gives the number of columns.

    Raises
    ------
    ReadError
        A row has other than numbers or another number of them, the file was cut off within its last row, or it cannot
        be told what a comma in a number means.
    """
    body = [(number, line.strip()) for number, line in enumerate(lines[start:], start=start + 1) if line.strip()]
    comments = [(number, line) for number, line in body if line[0] in COMMENT]
    body = [(number, line) for number, line in body if line[0] not in COMMENT]
    if not body:
        raise ReadError(path, start + 1, "no row of numbers", AGAIN)
    rows = [cells(line) for _, line in body]
    width = len(rows[0])
    for (number, line), fields in zip(body, rows, strict=True):
        if len(fields) != width or not are_numbers(fields):
            raise ReadError(path, number, f"{line[:60]!r} is not {width} numbers", f"{AGAIN}, with one table to a file")
    for number, line in comments:
        fields = cells(line.lstrip(COMMENT))
        if len(fields) == width and are_numbers(fields):
            reason = f"a row that is commented out, {line[:60]!r}"
            raise ReadError(path, number, reason, "export it again, or use the file from before it was edited")
    places = [number for number, _ in body]
    _check_commas(path, rows, places)
    check_end(path, lines, [fields[-1] for fields in rows])
    values = np.array([[cell.replace(",", ".") for cell in fields] for fields in rows], float)
    return Rows(values, places, comments)


def value_lists(path: Path, lines: Sequence[tuple[int, str]]) -> np.ndarray:
    """Return all numbers of lines (number, text) that hold several each, separated by blanks or commas."""
    found = [(number, cell) for number, line in lines for cell in re.split(r"[,\s]+", line) if cell]
    return numbers(path, [cell for _, cell in found], "an intensity", [number for number, _ in found])


def _check_commas(path: Path, rows: Sequence[Sequence[str]], places: Sequence[int]) -> None:
    """Refuse commas in numbers that may be decimal commas or stand between thousands."""
    comma = next((at for at, fields in enumerate(rows) if any("," in cell for cell in fields)), None)
    if comma is None:
        return
    if any("." in cell for fields in rows for cell in fields):
        reason = "decimal commas and decimal points in one file"
        raise ReadError(path, places[0], reason, "export it with one of them, and without commas between thousands")
    columns = [[cell for cell in column if "," in cell] for column in zip(*rows, strict=True)]
    decimal = any(not THOUSANDS.fullmatch(cell) for written in columns for cell in written) or columns[0]
    for written in columns:
        some = 0 < len(written) < len(rows)
        if written and all(THOUSANDS.fullmatch(cell) for cell in written) and (some or not decimal):
            reason = f"{written[0]!r} has a decimal comma, or a comma between thousands"
            raise ReadError(path, places[comma], reason, "export it without commas between thousands")


def check_end(path: Path, lines: Sequence[str], last: Sequence[str]) -> None:
    """Refuse a text that may have been cut off within its last number.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    lines : sequence of str
        All lines; the last is empty where the text ends with a line break.
    last : sequence of str
        The last number of each row. Where all have equally many decimals, the last was not cut off.
    """
    decimals = {len(re.split("[.,]", cell)[-1]) if re.search("[.,]", cell) else 0 for cell in last}
    equal = len(last) > 1 and len(decimals) == 1 and decimals != {0} and not re.search("[eE]", last[-1])
    if lines[-1].strip() and not equal:
        raise ReadError(path, len(lines), *NO_LINE_BREAK)
