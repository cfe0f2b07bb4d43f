"""Text exports of Zahner Thales: impedance spectra (.txt, .csv).

File structure
--------------
Lines such as `File Name: ...` and `Potential: ...`, a line of column names, `Number Frequency/Hz
Impedance/Ohm Phase/deg Significance Time/s`, and one row per point, separated by blanks, tabs or commas. Impedance is
|Z|. A measurement may start in the middle: up to the highest frequency first, then down over the whole range.

Schema
------
xarray.Dataset with `impedance` [ohm] over `frequency` [Hz] and `time` [s] (see `impedance.spectrum`). Of a measurement
that starts in the middle the part over the whole range is read; the other points are counted in `unread`.

Uncertainties
-------------
`significant_digits` of the impedance are those with which the numbers are written. The column Significance is not read.
"""

from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import impedance_rows
from coldbond.files.encoding import head
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated

WORDS = ("frequency/hz", "impedance/ohm", "phase/deg", "significance")
READ_AS = {"frequency/hz": "freq/Hz", "impedance/ohm": "|Z|/ohm", "phase/deg": "Phase(Z)/deg", "time/s": "time/s"}
#: Points of the part before the turn, below which a turn is a wrong digit; and the factor within which both parts end.
FEWEST = 3
SAME = 2.0
AGAIN = "export it again from Thales as ASCII"


def is_zahner(data: bytes) -> bool:
    """Return whether a line names impedance, phase and significance as Thales does."""
    return any(impedance_rows.named(line, WORDS) for line in head(data))


def read_zahner(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read one impedance spectrum."""
    lines = impedance_rows.text_lines(path, data)
    named = impedance_rows.matching(path, lines, lambda line: impedance_rows.named(line, WORDS), AGAIN)
    if len(named) > 1:
        raise ReadError(path, named[1] + 1, "several spectra in one export of Thales", "export each by itself")
    separator = next((mark for mark in ",;\t" if mark in lines[named[0]]), None)
    names = impedance_rows.cells_of(lines[named[0]], separator)
    impedance_rows.complete(path, lines)
    rows = impedance_rows.body(lines, named[0] + 1)
    read_as = {name: READ_AS[name.lower()] for name in names if name.lower() in READ_AS}
    place = next((place for place, name in enumerate(names) if name.lower() == "frequency/hz"), len(names))
    first = _start(rows, place, separator, len(names))
    recording = impedance_rows.spectrum_from(
        path,
        names,
        rows[first:],
        read_as,
        {"format": "zahner-thales"},
        AGAIN,
        lambda line: impedance_rows.cells_of(line, separator),
        "Number",
    )
    if first:
        note = f"{first} points up to the frequency where the sweep turns, which were measured again"
        recording.attrs["unread"] = ", ".join(filter(None, [recording.attrs.get("unread"), note]))
    return recording


def _start(rows: list[impedance_rows.Line], place: int, separator: str | None, width: int) -> int:
    """Return the first point of the part that covers the whole range, where the frequency turns back just once."""
    frequency = []
    for _, line in rows:
        cells = impedance_rows.cells_of(line, separator)
        number = impedance_rows.header_number(cells[place]) if place < len(cells) == width else None
        if number is None:
            return 0  # refused with its line later
        frequency.append(number)
    turns = np.flatnonzero(np.diff(np.sign(np.diff(frequency)))) + 1
    if turns.size != 1:
        return 0
    turn = int(turns[0])
    before, after = frequency[:turn], frequency[turn:]
    if min(len(before), len(after)) < FEWEST or len(before) >= len(after):
        return 0
    covered = min(after) <= min(before) and max(before) <= SAME * after[0] and max(before) >= after[0] / SAME
    return turn if covered else 0


FORMAT = Format(
    name="Zahner Thales text",
    vendors="Zahner",
    techniques=("eis",),
    extensions=(".txt", ".csv"),
    recognise=is_zahner,
    read=read_zahner,
    reads="one impedance spectrum",
)
