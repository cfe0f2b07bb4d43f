"""Text exports of Novonix testers (.csv).

File structure
--------------
Sections `[Summary]`, `[Protocol]` with the program as JSON, and `[Data]`: a header and one row per record. `Run Time
(h)` is the test time, `Potential (V)` the cell voltage. The current has a sign. `Step Type` holds numbers that only
the program explains; it is unread, as is the protocol.

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
    "novonix-csv",
    name="Novonix CSV",
    vendors="Novonix",
    extensions=(".csv",),
    reads="the section of data; the protocol, temperatures and step types are unread",
    checked=(Checked("formats-electrochemistry/sample_data_novonix.csv", "BSD-3-Clause", "a plain parse of all rows"),),
)
