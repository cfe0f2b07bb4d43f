"""Numbers written as text: what counts as a number, and the refusal of a cell that is none."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from coldbond.files.errors import ReadError

#: A decimal number. float() would also take "1_0", "nan" and "infinity".
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
#: What may stand around a number. strip() would also take control characters, which are damage.
BLANKS = " \t\r\n\f"
#: Characters of a cell that an error shows.
LONGEST = 40
AGAIN = "export it again"


def numbers(
    path: Path, cells: Sequence[str], name: str, lines: Sequence[int | None] | None = None, remedy: str = AGAIN
) -> np.ndarray:
    """Convert cells of text to float64.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    cells : sequence of str
    name : str
        What the numbers are, for the error.
    lines : sequence of int or None, optional
        The line of each cell. Without it the error counts points.
    remedy : str, optional

    Raises
    ------
    ReadError
        A cell is not a number.
    """
    for index, cell in enumerate(cells):
        if not NUMBER.fullmatch(cell.strip(BLANKS)):
            line, which = (lines[index], "") if lines is not None else (None, f" of point {index + 1}")
            raise ReadError(path, line, f"{name}{which} is {_short(cell)}, not a number", remedy)
    return np.array([cell.strip(BLANKS) for cell in cells], float)


def _short(cell: str) -> str:
    """Return a cell for an error; of thousands of digits only the first."""
    cell = cell.strip(BLANKS)
    return repr(cell) if len(cell) <= LONGEST else f"{cell[:LONGEST]!r}..."


def number(path: Path, cell: str | None, name: str, line: int | None = None) -> float:
    """Convert one header field to a float; `cell` is None where the file lacks it.

    Raises
    ------
    ReadError
        The field is missing, empty or not a number.
    """
    if cell is None or not cell.strip():
        reason = f"the file states no {name}"
        raise ReadError(path, line, reason, f"export it again in the instrument's own format, with {name}")
    return float(numbers(path, [cell], name, [line])[0])
