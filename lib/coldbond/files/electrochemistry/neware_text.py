"""Text exports of Neware's BTSDA, the table of records (.csv, .txt).

File structure
--------------
A header in English or Chinese, and one row per record. `Total Time`, `Cumulative Time` or 总时间 is the test time;
`Time` is that of the step and is compared with it, as is the date. `Capacity` starts anew with each step; where `Chg.
Cap.` and `DChg. Cap.` stand beside it, all are read. Older exports with the time of the step alone are refused. The
report in which rows of cycles, steps and records stand below each other is `neware_report`.

Schema
------
xarray.Dataset over `record`: `time` [s], `voltage` [V], `current` [A], positive during charge, and where the file has
them `cycle`, `step`, `capacity` or `charge_capacity` and `discharge_capacity` [Ah]. See `coldbond.files`.

Uncertainties
-------------
`resolution` is the last digit of a column, see `cycler_text`.
"""

from coldbond.files.electrochemistry.cycler_text import table_of
from coldbond.files.format import Checked

FORMAT = table_of(
    "neware-text",
    name="Neware text",
    vendors="Neware",
    extensions=(".csv", ".txt"),
    reads="the table of records, in English or Chinese",
    checked=(Checked("formats-electrochemistry/neware_uio_first4000.csv", "MIT", "a plain parse of all rows"),),
)
