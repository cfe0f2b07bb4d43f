"""Text exports of Basytec testers (.txt).

File structure
--------------
Lines that start with `~`: about the test, and at their end the header, which starts with `~Time[s]` (or [h]). The
fields are separated by tabs. `Command` is the step state (Charge, Discharge, Pause), `Line` the line of the program,
`Ah-Step` the capacity of the step.

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
    "basytec-text",
    name="Basytec text",
    vendors="Basytec",
    extensions=(".txt",),
    reads="the table of records; temperatures, energies and resistances are unread",
    checked=(Checked("formats-electrochemistry/sample_data_basytec.txt", "BSD-3-Clause", "a plain parse of all rows"),),
)
