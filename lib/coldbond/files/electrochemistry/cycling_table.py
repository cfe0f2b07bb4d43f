"""Tables of cycling records with plain names, as programs and scripts write them (.csv, .txt).

File structure
--------------
A header that names time, voltage and current with their units, such as EC-Lab's `time/s, Ewe/V, <I>/mA`, in lines that
commas, tabs or semicolons separate, and one row per record. The table of a tester that `testers` knows has a format of
its own. Nothing defines the sign of the current here: negative currents, step states, or counters of charge and of
discharge must show it.

Schema
------
xarray.Dataset over `record`: `time` [s], `voltage` [V], `current` [A], positive during charge, and where the file has
them `cycle`, `step`, `capacity` or `charge_capacity` and `discharge_capacity` [Ah]. See `coldbond.files`.

Uncertainties
-------------
`resolution` is the last digit of a column, see `cycler_text`.
"""

from coldbond.files.electrochemistry.cycler_text import table_of

FORMAT = table_of(
    "cycling-text",
    name="table of cycling records",
    vendors="any",
    extensions=(".csv", ".txt"),
    reads="columns named time, voltage and current with their units; the sign of the current must show",
)
