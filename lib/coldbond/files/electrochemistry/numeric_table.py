"""A cycler's table from columns of numbers, for files that are not text cells: binary, or converted by their reader."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from coldbond.files.electrochemistry.impedance import last_digit
from coldbond.files.electrochemistry.table import Table
from coldbond.files.electrochemistry.vocabulary import Column

#: Last digit [unit of the file] of a column of zeros, which does not show it.
ZERO_DIGIT = 1e-9


def numeric_table(
    path: Path,
    kind: str,
    columns: Mapping[str, tuple[str, str | None, np.ndarray | Sequence[str]]],
    lines: Sequence[int],
    unread: Sequence[str] = (),
) -> Table:
    """Return the table for `cycler.dataset`.

    Parameters
    ----------
    path : pathlib.Path
        For errors.
    kind : str
        The attr `format`.
    columns : mapping
        By quantity, a key of `vocabulary.NAMES`: name in the file, unit or None, and values.
    lines : sequence of int
        Line of each record in text, else its number.
    unread : sequence of str, optional
        Names of the columns that are not read.
    """
    import polars as pl

    return Table(
        path,
        kind,
        {quantity: Column(0, 0, name, unit) for quantity, (name, unit, _) in columns.items()},
        {quantity: pl.Series(values) for quantity, (_, _, values) in columns.items()},
        {quantity: _decimals(values) for quantity, (_, _, values) in columns.items() if quantity != "state"},
        [(None, lines)],
        list(unread),
    )


def _decimals(values: np.ndarray | Sequence[str]) -> int:
    """Return the decimals of the largest last digit in a column."""
    numbers = np.asarray(values, float)
    last = float(last_digit(numbers[numbers != 0]).max()) if numbers.any() else ZERO_DIGIT
    return round(-np.log10(max(last, np.finfo(float).tiny)))
