"""Readers of instruments' own export formats: `read` recognises a file by its content."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from pathlib import Path

import xarray as xr

from coldbond.reading import (
    avantage,
    bruker,
    bwtek,
    delimited,
    foreign,
    jcamp,
    panalytical,
    powder_cif,
    rigaku,
    two_columns,
    vamas,
    workbook,
)
from coldbond.reading.errors import ReadError

__all__ = ["ReadError", "read"]

#: Each format: whether a file's bytes are of it, and its reader. The first that recognises a file reads it.
READERS: tuple[tuple[Callable[[bytes], bool], Callable[[Path, bytes], xr.Dataset | xr.DataTree]], ...] = (
    (vamas.is_vamas, vamas.read_vamas),
    (jcamp.is_jcamp, jcamp.read_jcamp),
    (bwtek.is_bwtek, bwtek.read_bwtek),
    (avantage.is_avantage, avantage.read_avantage),  # a workbook too
    (workbook.is_workbook, workbook.read_workbook),
    (rigaku.is_ras, rigaku.read_ras),
    (rigaku.is_rasx, rigaku.read_rasx),
    (rigaku.is_asc, rigaku.read_asc),
    (panalytical.is_xrdml, panalytical.read_xrdml),
    (bruker.is_brml, bruker.read_brml),
    (powder_cif.is_powder_cif, powder_cif.read_powder_cif),
    (delimited.is_stack, delimited.read_stack),
    (delimited.is_table, delimited.read_table),
    (two_columns.is_two_columns, two_columns.read_two_columns),
)


def read(path: str | PathLike) -> xr.Dataset | xr.DataTree:
    """Read an instrument's file, of whichever format its content shows it to be.

    So far these are cyclers' exports: Landt CSV, LAND CSV with its stacked tables, LANDdt and LANHE workbooks in
    English and Chinese, and Battery Data Format CSV; text in utf-8 with or without byte-order mark, utf-16 or gb18030.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    xarray.Dataset
        Dimension `record`; of cyclers, float64 unless said otherwise:

        - `time` [s] from the start of the test, never decreasing, `voltage` [V], `current` [A], charge positive;
        - `cycle` and `step`, int64, the tester's numbers, where the file has them;
        - `capacity`, or `charge_capacity` and `discharge_capacity` [Ah], the tester's counters, where it has them,
          with `resets`: when they fall back to zero ("step", "cycle", "never" or "undetermined").

        Each has `units`, `long_name` and `resolution`, its last digit in its own unit; the current `sign`, whence its
        sign is: "recorded" or "step state". The attrs of all: `technique`, `format`, `source` (the file's name),
        `sha256`; and, where the file tells, `start` (ISO 8601, of the first record), `lost_records` (how many numbers
        are missing), `header` (what stands before the columns' names), `unread` (the columns left out).

    Raises
    ------
    ReadError
        The file cannot be read without guessing.
    OSError
        The file is not there or may not be opened.
    """
    path = Path(path)
    data = path.read_bytes()
    if not data or data.isspace():
        raise ReadError(path, None, "the file is empty", "export or copy it again")
    for recognises, reader in READERS:
        if recognises(data):
            with ThreadPoolExecutor(1) as pool:  # hashing takes a tenth of the time of reading
                digest = pool.submit(hashlib.sha256, data)
                recording = reader(path, data)
                recording.attrs |= {"source": path.name, "sha256": digest.result().hexdigest()}
                return recording
    raise foreign.refusal(path, data)
