"""Cycling recordings that a library reads as a table of binary numbers: Parquet, Neware's binary files.

The resolution of a column is the last decimal that writes all of its numbers, at most `DECIMALS`. Numbers of single
precision are taken as the shortest decimal that they stand for: 3.4967 and not 3.4967000484466553.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import clocks, vocabulary
from coldbond.files.electrochemistry.cycler import dataset
from coldbond.files.electrochemistry.table import Table, choose_columns, unread_headers
from coldbond.files.electrochemistry.table_text import decimals_needed
from coldbond.files.errors import ReadError

if TYPE_CHECKING:
    import polars as pl

#: Decimals that a channel can resolve (1 nA in A); a binary number may have more.
DECIMALS = 9


def recording(path: Path, kind: str, frame: "pl.DataFrame") -> xr.Dataset:
    """Return the recording in a table whose columns `vocabulary` knows.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    kind : str
        The format, a key of `testers.NAMES`.
    frame : polars.DataFrame

    Raises
    ------
    ReadError
        A needed column is missing or holds no numbers, or the records contradict each other.
    """
    names = list(frame.columns)
    columns = choose_columns(path, names, None)
    sampled = clocks.sampled_rows(frame.height)
    cells, shown = {}, {}
    for quantity, column in columns.items():
        values = frame[names[column.index]]
        if quantity in vocabulary.CLOCKS:
            cells[quantity] = _as_text(values[sampled])
            continue
        cells[quantity] = _plain(values)
        if quantity in vocabulary.UNITS:
            if not values.dtype.is_numeric():
                reason = f"the column {column.header} does not hold numbers"
                remedy = "export it with numbers in the columns of time, voltage and current"
                raise ReadError(path, None, reason, remedy)
            known = np.nan_to_num(cells[quantity].to_numpy(), posinf=0, neginf=0)
            shown[quantity] = 0 if values.dtype.is_integer() else min(decimals_needed(known, 0), DECIMALS)
    return dataset(
        [Table(path, kind, columns, cells, shown, [], unread_headers(names, columns), frame.height, sampled)]
    )


def _plain(values: "pl.Series") -> "pl.Series":
    """Return text or numbers."""
    import polars as pl

    if values.dtype == pl.Float32:
        return values.cast(pl.String).cast(pl.Float64, strict=False)
    return values.cast(pl.Float64) if values.dtype.is_numeric() else values.cast(pl.String)


def _as_text(values: "pl.Series") -> "pl.Series":
    """Return dates and times as text."""
    import polars as pl

    if values.dtype.is_temporal():
        texts = [None if value is None else str(value) for value in values]
        return pl.Series(texts, dtype=pl.String)
    return values.cast(pl.String)
