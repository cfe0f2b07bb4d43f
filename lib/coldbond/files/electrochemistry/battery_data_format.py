"""Battery Data Format as text (.bdf.csv), versions 1.0 to 1.3; as Parquet it is `cycling_parquet`.

File structure
--------------
A header with the machine-readable names (`test_time_second`, `voltage_volt`, `current_ampere`) or the labels (`Test
Time / s`), and one row per record. A positive current charges by definition, yet a file converted from a tester that
writes magnitudes may lack the sign: where no current is negative, voltages that a charge cannot have are refused.
From version 1.2 on `Step ID` is the step of the program, and `Step Index` numbers the records in a step; older files
have the step in `Step Index`. `Step Count` is read first, then `Step ID`, then a `Step Index` that does not count
records. `Unix Time` is compared with the test time.

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
    "bdf-csv",
    name="Battery Data Format CSV",
    vendors="any",
    extensions=(".bdf.csv", ".csv"),
    reads="the table of records, names or labels; temperatures and powers are unread",
    checked=(
        Checked("cycling-neware-fullcell-150/nw4-120-1-6-53.converted.bdf.csv", "BSD-3-Clause", "the .ndax beside it"),
    ),
)
