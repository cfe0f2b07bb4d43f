"""Text exports of Maccor testers, separated by tabs or commas (.txt, .csv).

File structure
--------------
Lines about the test, a header that starts with `Rec` or `Rec#`, and one row per record. Names and units vary with the
version: `Test (Sec)`, `TestTime` with days as in `1d 02:03:04.5`, `Amps`, `Current [A]`. Where the test time has no
unit, the date `DPT Time` beside it tells whether it counts seconds, minutes or hours. The current is a magnitude in
most exports. Its sign comes from the column `State` or `Md`: C charges, D discharges, R rests, P pauses, S is
suspended. An export without it, and without negative currents, is refused. `Cycle C` is read before `Cycle P`, the
cycle of the procedure. Numbers may have decimal commas.

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
    "maccor-text",
    name="Maccor text",
    vendors="Maccor",
    extensions=(".txt", ".csv"),
    reads="the table of records, with the state C, D or R where the current has no sign; refused without either",
    checked=(Checked("formats-electrochemistry/maccor_two.txt", "MIT", "a plain parse of its complete rows"),),
)
