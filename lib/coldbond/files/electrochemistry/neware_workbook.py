"""Excel workbooks of Neware (.xlsx).

File structure
--------------
The sheets `unit`, `test`, `cycle`, `step`, `record` and `log` of BTSDA. The records are read, the other sheets are
listed in `unread`. The columns are those of `neware_text`. Older workbooks with the time of the step alone are refused.

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

from coldbond.files.electrochemistry.cycler_workbook import NEWARE, read_sheets, sheet_names
from coldbond.files.format import Format, Stated


def is_neware_workbook(data: bytes) -> bool:
    """Return whether the file is a workbook with a sheet of Neware's records."""
    return any(NEWARE.fullmatch(name) for name in sheet_names(data))


def read_neware_workbook(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the records."""
    return read_sheets(path, data, NEWARE)


FORMAT = Format(
    name="Neware workbook",
    vendors="Neware",
    techniques=("cycling",),
    extensions=(".xlsx",),
    recognise=is_neware_workbook,
    read=read_neware_workbook,
    reads="the sheet of records, in English or Chinese names; older workbooks without Total Time are refused",
)
