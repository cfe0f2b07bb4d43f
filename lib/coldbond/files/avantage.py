"""Workbooks that Thermo Avantage exports: a sheet for each scan of photoelectron spectroscopy."""

import io
import itertools
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files import workbook
from coldbond.files.errors import ReadError
from coldbond.files.regions import counting, region_name, tree
from coldbond.files.spectrum import spectrum

SCANS = re.compile(r"scan|survey|valence", re.IGNORECASE)
HEADER_WITHIN = 40  # rows
AGAIN = "export it again from Avantage"

Rows = list[list[Any]]


def is_avantage(data: bytes) -> bool:
    """Whether the file is a workbook with a sheet of a scan over binding or kinetic energy."""
    import python_calamine

    if not workbook.is_workbook(data):
        return False
    try:
        return any(_header(rows) is not None for rows in _sheets(data, SCANS).values())
    except (python_calamine.CalamineError, zipfile.BadZipFile):
        return False  # the reader of workbooks says what is wrong


def read_avantage(path: Path, data: bytes) -> xr.DataTree:
    """Read every sheet of a scan as a region.

    Returns
    -------
    xarray.DataTree
        See `coldbond.files.read`. Energies are as the sheets have them; `charge_reference` is what the sheet `Titles`
        says of the carbon line. Backgrounds and components that were fitted in Avantage are named in `unread`.

    Raises
    ------
    ReadError
        A sheet lacks rows that it announces, a unit, or a number; or is over kinetic energy without photon energy.
    """
    import python_calamine

    try:
        sheets = _sheets(data, re.compile(""))
    except (python_calamine.CalamineError, zipfile.BadZipFile) as error:
        raise ReadError(path, None, f"a damaged workbook ({error})", "export or copy it again") from error
    scans = {name: rows for name, rows in sheets.items() if _header(rows) is not None}
    titles = " ".join(str(cell) for row in sheets.get("Titles", []) for cell in row)
    carbon = re.search(r"Carbon BE\D*(\d+\.?\d*)", titles)
    attrs = {"charge_reference": f"Carbon BE {carbon[1]}"} if carbon else {}
    regions = [
        (region_name(re.sub(r"\s*\bscan\b", "", name, flags=re.IGNORECASE)), _region(path, name, rows, attrs))
        for name, rows in scans.items()
    ]
    unread = ", ".join(f"sheet {name}" for name in sheets if name not in scans)
    return tree(regions, {"format": "avantage", **attrs} | ({"unread": unread} if unread else {}))


def _sheets(data: bytes, names: re.Pattern) -> dict[str, Rows]:
    import python_calamine

    book = python_calamine.load_workbook(io.BytesIO(data))
    wanted = [name for name in book.sheet_names if names.search(name)]
    return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in wanted}


def _header(rows: Rows) -> int | None:
    """The index of the row that names the columns."""
    scale = re.compile(r"(binding|kinetic) energy", re.IGNORECASE)
    return next((n for n, row in enumerate(rows[:HEADER_WITHIN]) if row and scale.match(str(row[0]).strip())), None)


def _fields(rows: Rows) -> dict[str, Any]:
    """Every text followed by a filled cell, and that cell."""
    filled = [[cell for cell in row if cell != ""] for row in rows[:HEADER_WITHIN]]
    return {str(a).strip(" :="): b for row in filled for a, b in itertools.pairwise(row) if isinstance(a, str)}


def _region(path: Path, sheet: str, rows: Rows, attrs: dict) -> xr.Dataset:
    """The spectrum of a sheet: energies in its first column, counts in the one that has a unit and no name."""
    at = _header(rows)
    names, units = ([str(cell).strip() for cell in row] for row in (rows[at], [*rows, [""]][at + 1]))

    def error(row: int, reason: str, mend: str = AGAIN) -> ReadError:
        return ReadError(path, row + 1, reason, mend, sheet)

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
        stated = fields.get("Elements", "no number")
        raise error(at + 1 + len(points), f"{len(points)} points where the head of the sheet states {stated}")
    energy, intensity = np.array(points, float).reshape(-1, 2).T
    if not re.match("binding", names[0], re.IGNORECASE):
        raise error(at, "the energies are kinetic, and no photon energy is stated", "export it over binding energy")
    attrs = attrs | _attrs(fields, len(points)) | {"energy_scale": "binding"}
    fitted = ", ".join(filter(None, names[1:]))
    attrs |= {"unread": fitted} if fitted else {}
    known, lines = counting(units[unnamed[0]], attrs), range(at + 3, at + 3 + len(points))
    return spectrum(path, "xps", energy, intensity, **known, attrs=attrs, lines=lines)


def _attrs(fields: dict[str, Any], points: int) -> dict:
    """Acquisition parameters under the names of the data model."""
    attrs = {}
    if energy := re.search(r"pass energy\D*([\d.]+)", str(fields.get("Analyser Mode", "")), re.IGNORECASE):
        attrs["pass_energy"] = float(energy[1])
    if source := fields.get("Source Type"):
        attrs["source_label"] = source
    time = re.fullmatch(r"(?:(\d+) mins? )?([\d.]+) secs?", str(fields.get("Total acquisition time", "")).strip())
    sweeps = fields.get("Number of Scans")
    if isinstance(sweeps, float | int) and sweeps > 0:
        attrs["sweeps"] = float(sweeps)
        if time:
            # The time is rounded to 0.1 s; that at one energy is set in whole milliseconds.
            seconds = (60 * int(time[1] or 0) + float(time[2])) / (sweeps * points)
            dwell = round(seconds, 3)
            if dwell > 0 and abs(dwell - seconds) <= 0.051 / (sweeps * points):
                attrs["dwell_time"] = dwell
    return attrs
