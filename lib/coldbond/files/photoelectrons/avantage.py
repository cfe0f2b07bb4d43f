"""Workbooks exported by Thermo Avantage: photoelectron spectra, a sheet per scan (.xlsx).

File structure
--------------
A sheet of a scan is named after it ("In3d Scan", "Survey"). Its head gives the acquisition parameters, each name
followed by its value, and `Elements`, the number of points. Two rows name the columns and their units; the points
follow. The energy is in the first column and the intensity in the column that has a unit and no name. Named columns are
backgrounds and components fitted in Avantage. The sheet `Titles` may state to which binding energy of carbon the
energies are referenced.

Schema
------
xarray.DataTree, a child per sheet of a scan: `intensity` over `binding_energy` [eV] as in the sheet, with the attrs
`pass_energy` [eV], `dwell_time` [s], `sweeps`, `source_label` and `charge_reference`. Fitted columns and other sheets
are listed in `unread`.

Uncertainties
-------------
`one_count` is 1 for counts, and 1 / (dwell time x sweeps) for counts per second. The dwell time is not in the file. It
is the total acquisition time, which is rounded to 0.1 s, divided by sweeps and points; it is kept only where a whole
number of milliseconds agrees with it, since dwell times are set in milliseconds.
"""

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import cycler_workbook
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.photoelectrons.regions import energies, region, region_name, tree
from coldbond.files.stated import NO_PHOTON_ENERGY

#: Names of sheets that can hold a scan; the others need not be parsed to recognise the format.
SCANS = re.compile(r"scan|survey|valence", re.IGNORECASE)
#: Rows within which the names of the columns must stand.
HEADER_WITHIN = 40
#: Rounding error of the total acquisition time [s], and decimals of a dwell time [s].
TIME_ROUNDING = 0.051
DWELL_DECIMALS = 3
AGAIN = "export it again from Avantage"

Rows = list[list[Any]]


def is_avantage(data: bytes) -> bool:
    """Return whether the file is a workbook with a sheet of a scan over binding or kinetic energy."""
    if not cycler_workbook.is_workbook(data):
        return False
    try:
        book = cycler_workbook.sheets(Path(), data, SCANS)
    except ReadError:
        return False  # the reader of workbooks says what is wrong
    return any(_header(rows) is not None for rows in book.values())


def read_avantage(path: Path, data: bytes, stated: Stated) -> xr.DataTree:
    """Read every sheet of a scan as a region."""
    book = cycler_workbook.sheets(path, data)
    scans = {name: (at, rows) for name, rows in book.items() if (at := _header(rows)) is not None}
    titles = " ".join(str(cell) for row in book.get("Titles", []) for cell in row)
    carbon = re.search(r"Carbon BE\D*(\d+\.?\d*)", titles)
    attrs = {"charge_reference": f"Carbon BE {carbon[1]}"} if carbon else {}
    regions = [
        (
            region_name(re.sub(r"\s*\bscan\b", "", name, flags=re.IGNORECASE)),
            _region(path, name, rows, at, attrs, stated),
        )
        for name, (at, rows) in scans.items()
    ]
    unread = ", ".join(f"sheet {name}" for name in book if name not in scans)
    return tree(regions, {"format": "avantage", **attrs} | ({"unread": unread} if unread else {}))


def _header(rows: Rows) -> int | None:
    """Return the index of the row that names the columns."""
    scale = re.compile(r"(binding|kinetic) energy", re.IGNORECASE)
    return next((n for n, row in enumerate(rows[:HEADER_WITHIN]) if row and scale.match(str(row[0]).strip())), None)


def _fields(rows: Rows) -> dict[str, Any]:
    """Return every text that a filled cell follows, and that cell."""
    filled = [[cell for cell in row if cell != ""] for row in rows[:HEADER_WITHIN]]
    return {str(a).strip(" :="): b for row in filled for a, b in itertools.pairwise(row) if isinstance(a, str)}


def _region(path: Path, sheet: str, rows: Rows, at: int, attrs: dict[str, Any], stated: Stated) -> xr.Dataset:
    """Return the spectrum of a sheet, whose columns are named in row `at`."""
    names, units = ([str(cell).strip() for cell in row] for row in (rows[at], [*rows, [""]][at + 1]))

    def error(row: int, reason: str, remedy: str = AGAIN) -> ReadError:
        return ReadError(path, row + 1, reason, remedy, sheet)

    unnamed = [column for column, unit in enumerate(units) if unit and not names[column]]
    if units[0] != "eV" or len(unnamed) != 1:
        reason = f"the columns have the units {', '.join(filter(None, units)) or '(none)'}"
        raise error(at + 1, reason, "export energies in eV, and one column of counts")
    points = []
    for row in range(at + 2, len(rows)):
        pair = [rows[row][0], rows[row][unnamed[0]]]
        if pair == ["", ""]:
            break
        if not all(isinstance(cell, float | int) and not isinstance(cell, bool) for cell in pair):
            raise error(row, f"{pair[0]!r} and {pair[1]!r} are not an energy and an intensity")
        points.append(pair)
    fields = _fields(rows)
    if fields.get("Elements") != len(points):
        elements = fields.get("Elements", "no number")
        raise error(at + 1 + len(points), f"{len(points)} points where the head of the sheet states {elements}")
    energy, intensity = np.array(points, float).reshape(-1, 2).T
    scale = names[0].split()[0].lower()
    if scale == "kinetic" and stated.photon_energy is None:
        raise error(at, NO_PHOTON_ENERGY[0], f"{NO_PHOTON_ENERGY[1]}, or export it over binding energy")
    energy, scale_attrs = energies(path, energy, scale, None, stated, at + 1)
    attrs = attrs | _attrs(fields, len(points)) | scale_attrs
    fitted = ", ".join(filter(None, names[1:]))
    attrs |= {"unread": fitted} if fitted else {}
    lines = range(at + 3, at + 3 + len(points))
    return region(path, energy, intensity, units[unnamed[0]], attrs, lines)


def _attrs(fields: dict[str, Any], points: int) -> dict[str, Any]:
    """Return the acquisition parameters under the names of the data model."""
    attrs: dict[str, Any] = {}
    if energy := re.search(r"pass energy\D*([\d.]+)", str(fields.get("Analyser Mode", "")), re.IGNORECASE):
        attrs["pass_energy"] = float(energy[1])
    if source := fields.get("Source Type"):
        attrs["source_label"] = source
    time = re.fullmatch(r"(?:(\d+) mins? )?([\d.]+) secs?", str(fields.get("Total acquisition time", "")).strip())
    sweeps = fields.get("Number of Scans")
    if isinstance(sweeps, float | int) and sweeps > 0:
        attrs["sweeps"] = float(sweeps)
        if time:
            seconds = (60 * int(time[1] or 0) + float(time[2])) / (sweeps * points)
            dwell = round(seconds, DWELL_DECIMALS)
            if dwell > 0 and abs(dwell - seconds) <= TIME_ROUNDING / (sweeps * points):
                attrs["dwell_time"] = dwell
    return attrs


FORMAT = Format(
    name="Thermo Avantage workbook",
    vendors="Thermo Fisher",
    techniques=("xps",),
    extensions=(".xlsx",),
    recognise=is_avantage,
    read=read_avantage,
    reads="every scan of the workbook, over binding or kinetic energy; the fits are named in `unread`",
)
