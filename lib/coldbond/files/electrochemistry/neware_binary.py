"""Binary files of Neware's BTS: .nda of version 29, and .ndax.

File structure
--------------
An .nda holds records of `RECORD` bytes behind a header. An .ndax is a zip archive with the records in `data.ndc`. The
library fastnda (BSD-3) reads both. Its cycles are those of the file. Before it does, the size of an .nda must be that
of whole records, and the members of an .ndax must be of a size that fits into memory. Other versions of .nda are
refused: their records are of other sizes, so that a file that was cut off would not show. The date of an .ndax with
`data_runInfo.ndc` is in UTC; that of the others is in the tester's time zone.

Schema
------
xarray.Dataset over `record`: `time` [s], `voltage` [V], `current` [A], positive during charge, `cycle`, `step` and
`capacity` [Ah] of the step. See `coldbond.files`. The date and the time of the step are compared with the test time.

Uncertainties
-------------
`resolution` is the last decimal that writes all numbers of a column, see `cycler_frame`.
"""

import io
import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from coldbond.files.archive import members
from coldbond.files.electrochemistry.cycler_frame import recording
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated

if TYPE_CHECKING:
    import polars as pl

MAGIC = b"NEWARE"
#: Where an .nda states its version, the version that is read, the start of its records and their size [bytes]
#: (fastnda 1.3.1, nda.py).
VERSION_AT = 14
VERSION = 29
FIRST_RECORD = b"\x55\x00\x01\x00\x00\x00"
RECORD = 86
#: First byte of a record of voltage and current; others are of auxiliary channels.
MEASURED = 85
#: Size [bytes] of all members that is unpacked: about 10 million records.
UNPACKED = 500_000_000
TEXT = "export it from BTSDA as text or .xlsx, with Total Time, current, voltage and step type"


def is_neware_binary(data: bytes) -> bool:
    """Return whether the file is an .nda or .ndax."""
    return data.startswith(MAGIC) or bool(members(data, r"data\.ndc"))


def read_neware_binary(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the records."""
    import polars as pl

    if data.startswith(MAGIC):
        frame = _read(path, data, ".nda", _records(path, data))
    else:
        _check_size(path, data)
        frame = _read(path, data, ".ndax", None)
    if not frame.height:
        raise ReadError(path, None, "a Neware file without records", TEXT)
    if "capacity_mAh" in frame.columns:  # fastnda counts discharge below zero; the tester counts each step from zero up
        frame = frame.with_columns(pl.col("capacity_mAh").abs())
    if data.startswith(MAGIC) or not members(data, r"data_runInfo\.ndc"):  # the date is that of the tester's place
        local = pl.from_epoch((pl.col("unix_time_s") * 1000).round().cast(pl.Int64), "ms").alias("date_time")
        frame = frame.with_columns(local).drop("unix_time_s")
    return recording(path, "neware-binary", frame)


def _records(path: Path, data: bytes) -> int:
    """Return the number of records of voltage and current in an .nda."""
    version = data[VERSION_AT] if len(data) > VERSION_AT else None
    if version != VERSION:
        raise ReadError(path, None, f"a Neware .nda of version {version}; only version {VERSION} is read", TEXT)
    start = data.find(FIRST_RECORD)
    if start < 0 or (len(data) - start) % RECORD:
        reason = "a Neware .nda that was cut off: it does not end with a whole record"
        raise ReadError(path, None, reason, f"copy the complete file again, or {TEXT}")
    return data[start::RECORD].count(MEASURED)


def _check_size(path: Path, data: bytes) -> None:
    """Refuse an archive that would not fit into memory."""
    try:
        unpacked = sum(member.file_size for member in zipfile.ZipFile(io.BytesIO(data)).infolist())
    except zipfile.BadZipFile as error:
        raise ReadError(path, None, f"a damaged .ndax ({error})", "copy the complete file again") from None
    if unpacked > UNPACKED:
        reason = f"a Neware .ndax of {unpacked / 1e6:.0f} MB unpacked; up to {UNPACKED / 1e6:.0f} MB are read"
        raise ReadError(path, None, reason, TEXT)


def _read(path: Path, data: bytes, extension: str, records: int | None) -> "pl.DataFrame":
    """Return the records that fastnda reads; `records` is their number where it is known."""
    inflate = zlib.decompress, zlib.decompressobj
    import fastnda  # here and not above, since few recordings are Neware's
    import fastnda.ndax
    from fastnda.utils import UnverifiedFormatWarning

    # fastnda puts another library in the place of zlib, whose errors other readers would not know.
    zlib.decompress, zlib.decompressobj = inflate
    with tempfile.TemporaryDirectory(prefix="coldbond-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", UnverifiedFormatWarning)
        copy = Path(folder, "recording" + extension)  # the library takes a file, by its extension
        copy.write_bytes(data)
        try:
            frame = fastnda.read(copy, cycle_mode="raw")
        except BaseException as error:  # whatever it meets in a damaged file; polars panics, which is no Exception
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            what = str(error).splitlines()[0] if str(error) else type(error).__name__
            reason = f"a Neware {extension} that is damaged or of an unknown version ({what})"
            raise ReadError(path, None, reason.replace(str(copy), path.name), TEXT) from None
    if records is not None and frame.height != records:
        reason = f"a Neware {extension} of {records} records, of which {records - frame.height} have the same number"
        raise ReadError(path, None, reason, TEXT)
    return frame


FORMAT = Format(
    name="Neware .nda, .ndax",
    vendors="Neware",
    techniques=("cycling",),
    extensions=(".nda", ".ndax"),
    recognise=is_neware_binary,
    read=read_neware_binary,
    reads="the records, by the library fastnda; .nda of version 29, other versions are refused",
    checked=(
        Checked("cycling-neware-fullcell-150/nw4-120-1-6-53.ndax", "BSD-3-Clause", "the vendor's own export"),
        Checked("formats-electrochemistry/test.nda", "MIT", "its date and the time of its steps"),
        Checked("formats-electrochemistry/test.ndax", "MIT", "its date and the time of its steps"),
    ),
)
