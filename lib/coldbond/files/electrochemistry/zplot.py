"""Files of Scribner ZPlot and ZView, which other programs write too: impedance spectra (.z, .txt).

File structure
--------------
"ZPLOT2 ASCII" with settings up to the line "End Comments", or "ZPlotW Data File" and "Z60W Data File" with quoted lines
of comments. The last line of the header names the columns, `Freq(Hz) Ampl Bias Time(Sec) Z'(a) Z''(b) GD Err Range`,
and one row follows per point, separated by tabs or commas. Z'(a) and Z''(b) are Re(Z) and Im(Z) in ohm: ZPlot writes no
units. The header states the frequencies that were set and a number of points, which remains where a measurement was
stopped or points were deleted.

Schema
------
xarray.Dataset with `impedance` [ohm] over `frequency` [Hz], `time` [s] (see `impedance.spectrum`) and the attrs
`low_frequency` [Hz] and `unfinished`, which says so where there are fewer points than the header states.

Uncertainties
-------------
`significant_digits` of the impedance are those with which the numbers are written.
"""

import re
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import impedance, impedance_rows
from coldbond.files.encoding import head
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated

STARTS = re.compile(r"\W*(?:ZPLOT2 ASCII|ZPlotW Data File|Z60W Data File|ZView(?:W)? Data File)", re.IGNORECASE)
FIRST = re.compile(r'[\s"]*Freq\s*\(Hz\)', re.IGNORECASE)
WORDS = ("z'(a)", "z''(b)")
#: Experiments whose abscissa is the frequency.
OF_FREQUENCY = re.compile(r"Sweep Freq", re.IGNORECASE)
EXPERIMENT = re.compile(
    r'(?:Experiment Type:[ \t]*|^"?)((?:Sweep|Monitor|Fixed|Pol)[^"\n]*)', re.IGNORECASE | re.MULTILINE
)
READ_AS = {"Freq(Hz)": "freq/Hz", "Time(Sec)": "time/s", "Z'(a)": "Re(Z)/ohm", "Z''(b)": "Im(Z)/ohm"}
AGAIN = "save it again from ZPlot or ZView"


def is_zplot(data: bytes) -> bool:
    """Return whether the file starts like one of ZPlot, or names the columns that only ZPlot names so."""
    lines = head(data)
    return (bool(lines) and bool(STARTS.match(lines[0]))) or any(map(_names_columns, lines))


def _names_columns(line: str) -> bool:
    return bool(FIRST.match(line)) and impedance_rows.named(line[: impedance_rows.LONGEST + 1].replace(" ", ""), WORDS)


def read_zplot(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read one impedance spectrum."""
    lines = impedance_rows.text_lines(path, data)
    named = [number for number, line in enumerate(lines) if _names_columns(line)]
    experiment = EXPERIMENT.search("\n".join(lines[: named[0]] if named else lines))
    if experiment and not OF_FREQUENCY.match(experiment[1]):
        reason = f"a ZPlot file of {experiment[1].strip()!r}, which is no spectrum"
        raise ReadError(path, None, reason, "use a sweep of the frequency")
    if not named:
        reason = "a ZPlot file without the columns Freq(Hz), Z'(a) and Z''(b)"
        raise ReadError(path, None, reason, "save it from ZView as 'Z, a, b'")
    if len(named) > 1:
        raise ReadError(path, named[1] + 1, "a second spectrum in one ZPlot file", "save each spectrum by itself")
    (at,) = named
    names = re.sub(r"\s+\(", "(", lines[at].replace('"', "")).split()
    below = at + 1 + (at + 1 < len(lines) and lines[at + 1].strip() == "End Comments")
    rows = impedance_rows.body(lines, below)
    impedance_rows.complete(path, lines)
    header = lines[:at]
    count = next((int(n) for line in header if (n := _points(line))), None)
    if count is not None and count < len(rows):
        reason = f"{len(rows)} rows, the header states {count} points"
        raise ReadError(path, rows[count][0], reason, "save each spectrum by itself")
    attrs: dict[str, object] = {"format": "zplot"}
    lowest = _lowest(header)
    if lowest:
        attrs["low_frequency"] = lowest
    separator = "\t" if rows and "\t" in rows[0][1] else "," if rows and "," in rows[0][1] else None
    recording = impedance_rows.spectrum_from(
        path, names, rows, READ_AS, attrs, AGAIN, lambda line: impedance_rows.cells_of(line, separator)
    )
    if count is not None and count > len(rows):
        recording.attrs["unfinished"] = f"{len(rows)} points, the header states {count}"
        return recording
    return impedance.marked_unfinished(recording, lowest or np.inf)


def _points(line: str) -> str:
    """Return the number of points where a line of the header states it, else ""."""
    stated = re.fullmatch(r"\s*(?:Data Points:\s*)?(\d{1,9})\s*", line)
    return stated[1] if stated else ""


def _lowest(header: list[str]) -> float | None:
    """Return the lower of the two frequencies that were set, which stand at the end of the line of codes."""
    for line in header:
        codes = re.fullmatch(r"\s*(?:Null Configuration:\s*)?\d+,\d+,\d+,\d+,([^,]+),([^,]+)", line)
        ends = [impedance_rows.header_number(end) for end in codes.groups()] if codes else []
        if ends and all(ends):
            return min(end for end in ends if end)
    return None


FORMAT = Format(
    name="ZPlot and ZView .z",
    vendors="Scribner, Solartron, Metrohm Autolab (FRA)",
    techniques=("eis",),
    extensions=(".z", ".txt"),
    recognise=is_zplot,
    read=read_zplot,
    reads="one sweep of the frequency, with or without comments",
    checked=(
        Checked("formats-electrochemistry/exampleDataZPlot.z", "MIT", "a plain parse"),
        Checked("eis-lib-impedancepy/exampleDataAutolab.txt", "MIT", "a plain parse"),
    ),
)
