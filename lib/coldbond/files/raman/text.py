"""Text of Raman spectrometers: lines, and rows of numbers in which nothing is skipped."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from coldbond.files.encoding import as_utf8, head
from coldbond.files.errors import NO_LINE_BREAK, NO_ROWS, ReadError
from coldbond.files.numerals import NUMBER, numbers

#: Bytes at the start of a file by which its format is recognised.
START = 1 << 12
#: A number with one comma before three digits: a decimal comma, or a comma between thousands.
THOUSANDS = re.compile(r"[-+]?[1-9][0-9]{0,2},[0-9]{3}")


def lines(path: Path, data: bytes) -> list[str]:
    """Return the lines of a file, without their line breaks; the last is "" unless the file was cut off."""
    return [line.removesuffix("\r") for line in as_utf8(path, data).decode().split("\n")]


def start(data: bytes) -> str:
    """Return the lines in the first 4 kB, to recognise a format; undecodable bytes are replaced."""
    return "\n".join(head(data[:START]))


def cells(line: str) -> list[str]:
    """Return the fields of a row, split at tabs, semicolons, commas followed by blanks, blanks, or else commas."""
    line = line.strip().rstrip(";\t")
    for separator in (r"\t+", ";", r",\s+", r"\s+", ","):
        if re.search(separator, line):
            return [cell.strip().strip('"') for cell in re.split(separator, line)]
    return [line]


def is_row(line: str) -> bool:
    """Return whether a line consists of two or more numbers."""
    fields = cells(line)
    return len(fields) > 1 and all(NUMBER.fullmatch(field.replace(",", ".")) for field in fields)


def columns(
    path: Path, text: Sequence[str], first: int, names: Sequence[str], remedy: str
) -> tuple[list[np.ndarray], list[int]]:
    """Return the columns of numbers from a line on, and the line of each row.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    text : sequence of str
        From `lines`.
    first : int
        Index of the first row.
    names : sequence of str
        Of the columns.
    remedy : str
        What to export instead.

    Raises
    ------
    ReadError
        A row has another number of fields, a field is not a number, points and commas are mixed, the file ends within
        a row, or there are no rows.
    """
    if text[-1].strip():
        raise ReadError(path, len(text), *NO_LINE_BREAK)
    rows = [(number, cells(line)) for number, line in enumerate(text[first:], start=first + 1) if line.strip()]
    if not rows:
        raise ReadError(path, first, *NO_ROWS)
    if gap := next((before + 1 for (before, _), (after, _) in pairwise(rows) if after > before + 1), None):
        raise ReadError(path, gap, "a line without numbers between the rows: one may be lost", remedy)
    for number, fields in rows:
        if len(fields) != len(names):
            raise ReadError(path, number, f"{len(fields)} fields where {len(names)} are expected", remedy)
    at = [number for number, _ in rows]
    values = [
        numbers(path, [fields[column].replace(",", ".") for _, fields in rows], name, at, remedy)
        for column, name in enumerate(names)
    ]
    with_comma = [cell for _, fields in rows for cell in fields[1:] if "," in cell]
    if with_comma and not any("," in fields[0] for _, fields in rows) and all(map(THOUSANDS.fullmatch, with_comma)):
        reason = f"{with_comma[0]} has a decimal comma, or a comma between thousands"
        raise ReadError(path, first + 1, reason, "export it with decimal points and without separators of thousands")
    flat = "".join("".join(fields) for _, fields in rows)
    if "," in flat and "." in flat:
        raise ReadError(path, first + 1, "decimal commas and decimal points in one file", remedy)
    return values, at
