"""Excel workbooks of Arbin (.xlsx).

File structure
--------------
A sheet `Info`, the records in sheets such as `Channel_1-006` or `Channel_1-006_1`, and a summary of the cycles in
`Statistics_1-006`, which is unread. The columns are those of `arbin`. A workbook of several channels is refused.

Schema
------
xarray.Dataset over `record`: `time` [s], `voltage` [V], `current` [A], positive during charge, and where the file has
them `cycle`, `step`, `capacity` or `charge_capacity` and `discharge_capacity` [Ah]. See `coldbond.files`.

Uncertainties
-------------
`resolution` is the last digit of a column, see `cycler_workbook`.
"""

from pathlib import Path

import xarray as xr

from coldbond.files.electrochemistry.cycler_workbook import ARBIN, read_sheets, sheet_names
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated


def is_arbin_workbook(data: bytes) -> bool:
    """Return whether the file is a workbook with a sheet of Arbin's records."""
    return any(ARBIN.fullmatch(name) for name in sheet_names(data))


def read_arbin_workbook(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the records."""
    channels = {found[1] for name in sheet_names(data) if (found := ARBIN.fullmatch(name))}
    if len(channels) > 1:
        reason = f"an Arbin workbook of {len(channels)} channels: {', '.join(sorted(channels))}"
        raise ReadError(path, None, reason, "export each channel into a workbook of its own")
    return read_sheets(path, data, ARBIN)


FORMAT = Format(
    name="Arbin workbook",
    vendors="Arbin",
    techniques=("cycling",),
    extensions=(".xlsx",),
    recognise=is_arbin_workbook,
    read=read_arbin_workbook,
    reads="records of one channel; the sheets of statistics are unread; several channels in one workbook are refused",
)
