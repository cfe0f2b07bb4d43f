"""Text exports of Landt testers (.csv).

File structure
--------------
A preamble, a header with the units at the ends of its names (`test_time_s`, `current_A`), and one row per record. Each
row ends with a separator, so that it has one field more than the header. The current has a sign. `date_time_iso_string`
is the date, `step_time_s` the time of the step; both are compared with the test time.

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
    "landt-csv",
    name="Landt CSV",
    vendors="Landt",
    extensions=(".csv",),
    reads="the table of records; pressures, temperatures and energies are unread",
    checked=(
        Checked(
            "sintef-landt-ligr/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv",
            "Apache-2.0",
            "a plain parse of all rows",
        ),
    ),
)
