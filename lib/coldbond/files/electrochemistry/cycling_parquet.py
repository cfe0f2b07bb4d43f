"""Cycling recordings as Parquet: the Battery Data Format, and Neware's export (.parquet).

File structure
--------------
One table whose columns are named as in the text exports (`vocabulary`). Some Battery Data Format files have the test
time in `test_time_millisecond` and the date in `date_time_millisecond`. In the Battery Data Format a positive current
charges. The numbers of rows and columns stand in the file's footer and are checked before the values are loaded.

Schema
------
xarray.Dataset over `record`: `time` [s], `voltage` [V], `current` [A], positive during charge, and where the file has
them `cycle`, `step`, `capacity` or `charge_capacity` and `discharge_capacity` [Ah]. See `coldbond.files`.

Uncertainties
-------------
Numbers are binary; `resolution` is the last decimal that writes them all, see `cycler_frame`.
"""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from coldbond.files.electrochemistry import vocabulary
from coldbond.files.electrochemistry.cycler_frame import recording
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated

if TYPE_CHECKING:
    import polars as pl

MAGIC = b"PAR1"
#: Most records that are loaded: 1.2 GB in the columns that are read.
RECORDS = 20_000_000
AGAIN = "export or copy it again"


def is_parquet(data: bytes) -> bool:
    """Return whether the file is Parquet."""
    return data.startswith(MAGIC)


def read_parquet(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read a recording from a Parquet file."""
    frame = _frame(path, data)
    return recording(path, "neware-parquet" if "Total Time" in frame.columns else "bdf-parquet", frame)


def _frame(path: Path, data: bytes) -> "pl.DataFrame":
    """Return the table of a Parquet file."""
    import polars as pl

    if not data.endswith(MAGIC):
        raise ReadError(path, None, "a Parquet file that was cut off: its end is missing", AGAIN)
    try:
        lazy = pl.scan_parquet(io.BytesIO(data))
        names = lazy.collect_schema().names()
        wanted = [names[same[0].index] for same in vocabulary.columns(names).values()] if names else []
        if vocabulary.missing(names):
            reason = f"a Parquet file without columns for {' and '.join(vocabulary.missing(names))}"
            remedy = "use a cycling recording, in the Battery Data Format for instance"
            raise ReadError(path, None, reason, remedy)
        records = lazy.select(pl.len()).collect().item()
        if not 0 < records <= RECORDS:
            reason = f"a Parquet file of {records} records; from 1 to {RECORDS} are read"
            raise ReadError(path, None, reason, "split it into several recordings")
        frame = lazy.select(wanted).collect()
    except ReadError:
        raise
    except BaseException as error:  # polars panics on damaged files, which is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        reason = f"a damaged Parquet file ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
        raise ReadError(path, None, reason, AGAIN) from None
    rest = [pl.lit(None).alias(name) for name in names if name not in wanted]
    return frame.with_columns(rest).select(names)


FORMAT = Format(
    name="Battery Data Format Parquet",
    vendors="any, Neware",
    techniques=("cycling",),
    extensions=(".bdf.parquet", ".parquet"),
    recognise=is_parquet,
    read=read_parquet,
    reads="the table of records, with the names of the Battery Data Format or of Neware",
    checked=(
        Checked("formats-electrochemistry/legacy.bdf.parquet", "Apache-2.0", "polars' own reading"),
        Checked("cycling-neware-fullcell-150/nw4-120-1-6-53.parquet", "BSD-3-Clause", "polars' own reading"),
    ),
)
