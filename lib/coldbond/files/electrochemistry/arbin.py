"""Text exports of Arbin's MITS Pro (.csv). Workbooks are `arbin_workbook`.

File structure
--------------
A header with the names `Data_Point`, `Test_Time(s)`, `Cycle_Index`, `Step_Index`, `Current(A)`, `Voltage(V)` and the
counters `Charge_Capacity(Ah)` and `Discharge_Capacity(Ah)`, with underscores or blanks, and one row per record. A tab
may stand before the date. The current has a sign; a recording that only charges shows it by its counters.

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
    "arbin-csv",
    name="Arbin CSV",
    vendors="Arbin",
    extensions=(".csv",),
    reads="the table of records; energies, resistances and derivatives are unread",
    checked=(Checked("formats-electrochemistry/sample_data_arbin.csv", "BSD-3-Clause", "a plain parse of all rows"),),
)
