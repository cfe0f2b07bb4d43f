"""Text exported by CasaXPS: photoelectron spectra with or without their fits (.txt, .csv).

File structure
--------------
Tabs or commas separate the fields. In "columns of tables" the spectra stand one below the other: title, photon energy
and acquisition time, the names and parameters of the components, and columns of `K.E.`, `Counts`, `B.E.` and `CPS`,
between them those of the fit. In "rows of tables" they stand side by side: each has a column `B.E.` (or `K.E.`), one of
the intensity, whose name is title and unit, and those of the fit. Shorter spectra leave the last rows empty. Nothing in
the file shows whether rows are missing at its end.

Schema
------
xarray.DataTree, a child per spectrum: `intensity` over `binding_energy` [eV]. Attrs: `energy_scale`, `photon_energy`
[eV], `sample_name` and `cycle` (of the title "Cycle 3:sample:region"), `dwell_time` [s] of all sweeps together
(`sweeps` is 1) and `charge_reference`. A shift of `B.E.` against `K.E.` is a charge correction of CasaXPS; it is not
applied, and `charge_reference` names it. Rows of tables have the binding energies that CasaXPS shows. The columns of
the fit are listed in `unread`.

Uncertainties
-------------
`one_count` is 1 where `Counts` are whole numbers. Rates without acquisition time have unknown statistics.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.encoding import as_utf8, head
from coldbond.files.errors import NO_LINE_BREAK, ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import NUMBER, numbers
from coldbond.files.photoelectrons.regions import energies, quantity, region, region_name, tree, with_points

PHOTONS, TIME = "Characteristic Energy eV", "Acquisition Time s"
ENERGIES = {"K.E.": "kinetic", "B.E.": "binding"}
INTENSITIES = ("Counts", "CPS")
PARAMETERS = ("Name", "Position", "FWHM", "Area", "Lineshape")
#: A step that is longer than the usual one by this factor is a gap; more gaps than this are an irregular scan.
GAP, GAPS = 1.5, 2
#: Lines within which the names of the columns stand, to recognise the format.
HEADER_WITHIN = 40
#: Rounding error of an energy [eV] and of a rate, relative: CasaXPS writes seven digits.
ENERGY_ROUNDING, RATE_ROUNDING = 2e-3, 2e-5
AGAIN = "export it again from CasaXPS"

Rows = list[list[str]]


def is_casaxps(data: bytes) -> bool:
    """Return whether the file has the column names of CasaXPS below its header of a spectrum."""
    lines = head(data)[:HEADER_WITHIN]
    rows = [[cell.strip(' "') for cell in re.split("[\t,;]", line)] for line in lines]
    named = any({"K.E.", "Counts"} <= set(row) for row in rows) and any(PHOTONS in row for row in rows)
    shown = any(row[0] in ENERGIES and any(re.match(r"Cycle \d+:", cell) for cell in row) for row in rows)
    return named or shown


def read_casaxps(path: Path, data: bytes, stated: Stated) -> xr.DataTree:
    """Read every spectrum, in either layout."""
    text = as_utf8(path, data).decode()
    if not text.endswith("\n"):
        raise ReadError(path, text.count("\n") + 1, *NO_LINE_BREAK)
    rows = _rows(path, text.split("\n"))
    read = _one_below_the_other if any(PHOTONS in row for row in rows) else _side_by_side
    return tree(read(path, rows, stated), {"format": "casaxps"})


def _rows(path: Path, lines: list[str]) -> Rows:
    """Return the fields of each line, numbers with decimal points."""
    names = next((line for line in lines if re.search(r"[KB]\.E\.", line)), "")
    mark = next((mark for mark in "\t;," if mark in names), "\t")
    rows: Rows = []
    for at, line in enumerate(lines, start=1):
        try:
            rows.append([cell.strip() for cell in next(csv.reader([line], delimiter=mark), [])])
        except csv.Error as error:
            raise ReadError(path, at, f"no row of a table: {error}", AGAIN) from None
    return with_points(path, rows)


def _one_below_the_other(path: Path, rows: Rows, stated: Stated) -> list[tuple[str, xr.Dataset]]:
    """Return the spectra of a file in columns of tables."""
    starts = [at for at, row in enumerate(rows) if PHOTONS in row]
    titles = [max((at for at in range(start) if any(rows[at])), default=start) for start in starts]
    tables = [at for at, row in enumerate(rows) if {"K.E.", "Counts"} <= set(row)]
    if len(tables) != len(starts):
        raise ReadError(path, None, f"{len(tables)} tables where {len(starts)} have a {PHOTONS}", AGAIN)
    regions = []
    for title, start, stop in zip(titles, starts, [*titles[1:], len(rows)], strict=True):
        before = " ".join(filter(None, rows[title])) if title < start else ""
        if rows[title][0] in PARAMETERS or NUMBER.fullmatch(rows[title][0]):
            raise ReadError(path, start + 1, "no title above the photon energy", AGAIN)
        fields = dict(zip(rows[start], rows[start][1:], strict=False))
        photons = quantity(path, fields.get(PHOTONS), PHOTONS, "eV", start + 1)
        time = quantity(path, fields.get(TIME), TIME, "s", start + 1)
        at = next((at for at in range(start, stop) if {"K.E.", "Counts"} <= set(rows[at])), None)
        if at is None:
            raise ReadError(path, start + 1, "no columns K.E. and Counts below it", AGAIN)
        names = rows[at]
        _no_rows_above(path, rows, range(start + 1, at))
        columns, lines = _columns(path, rows, range(at + 1, stop), range(len(names)), [n for n in names if n])
        wanted = {name: columns[names.index(name)] for name in (*ENERGIES, *INTENSITIES) if name in names}
        attrs: dict[str, Any] = {"dwell_time": time, "sweeps": 1.0} if time else {}
        kinetic = wanted["K.E."]
        if "CPS" in wanted and time:
            off = np.abs(wanted["CPS"] * time - wanted["Counts"]) > RATE_ROUNDING * np.abs(wanted["Counts"])
            if off.any():
                reason = f"counts and counts per second do not agree with {time:g} s"
                raise ReadError(path, lines[int(off.argmax())], reason, AGAIN)
        if "B.E." in wanted and photons:
            shift = wanted["B.E."] - (photons - kinetic)
            if np.ptp(shift) > 2 * ENERGY_ROUNDING:
                raise ReadError(path, lines[0], "K.E. and B.E. do not add up to the same energy in all rows", AGAIN)
            if abs(shift.mean()) > ENERGY_ROUNDING:
                attrs["charge_reference"] = f"CasaXPS, not applied here: shifted by {shift.mean():+.3f} eV"
        energy, scale = energies(path, kinetic, "kinetic", photons, stated, start + 1)
        fitted = [name for name in names if name and name not in wanted]
        regions.append(_region(path, before, energy, wanted["Counts"], "Counts", scale | attrs, fitted, lines))
    return regions


def _side_by_side(path: Path, rows: Rows, stated: Stated) -> list[tuple[str, xr.Dataset]]:
    """Return the spectra of a file in rows of tables."""
    at = next((at for at, row in enumerate(rows) if row and row[0] in ENERGIES), None)
    if at is None:
        raise ReadError(path, None, "no row of column names that starts with B.E. or K.E.", AGAIN)
    _no_rows_above(path, rows, range(at))
    names = rows[at]
    starts = [column for column, name in enumerate(names) if name in ENERGIES]
    if extra := next(
        (n for n in range(at + 1, len(rows)) if len(rows[n]) > len(names) and any(rows[n][len(names) :])), 0
    ):
        raise ReadError(path, extra + 1, f"{len(rows[extra])} fields under {len(names)} column names", AGAIN)
    regions = []
    for start, stop in zip(starts, [*starts[1:], len(names)], strict=True):
        own = range(start, stop)
        columns, lines = _columns(path, rows, range(at + 1, len(rows)), own, [names[n] for n in own if names[n]])
        title, _, unit = names[start + 1].rpartition(":") if stop > start + 1 else ("", "", "")
        if not title:
            raise ReadError(path, at + 1, f"no column of an intensity beside {names[start]}", AGAIN)
        energy, attrs = energies(path, columns[start], ENERGIES[names[start]], None, stated, at + 1)
        if attrs["energy_scale"] == "binding":
            attrs["charge_reference"] = "as CasaXPS shows them, with any correction made there"
        fitted = [names[n] for n in own[2:] if names[n]]
        regions.append(_region(path, title, energy, columns[start + 1], unit, attrs, fitted, lines))
    return regions


def _no_rows_above(path: Path, rows: Rows, above: range) -> None:
    """Refuse rows of numbers above the names of the columns."""
    if bad := next((at for at in above if rows[at] and NUMBER.fullmatch(rows[at][0])), None):
        raise ReadError(path, bad + 1, "a row of numbers above the names of the columns", AGAIN)


def _columns(
    path: Path, rows: Rows, body: range, wanted: range, names: Sequence[str]
) -> tuple[dict[int, np.ndarray], list[int]]:
    """Return the numbers in the columns that have a name, down to the first empty row, and their lines."""
    header = rows[body.start - 1]
    at = [column for column in wanted if header[column]]
    cells: list[list[str]] = []
    lines: list[int] = []
    ended = False
    for number in body:
        row = [rows[number][column] if column < len(rows[number]) else "" for column in at]
        if not any(row):
            ended = True
        elif ended or not all(row):
            raise ReadError(path, number + 1, f"an empty field under {', '.join(names)}", AGAIN)
        else:
            cells.append(row)
            lines.append(number + 1)
    if not cells:
        raise ReadError(path, body.start, f"no numbers under {', '.join(names)}", AGAIN)
    columns = zip(*cells, strict=True)
    return {n: numbers(path, column, header[n], lines, AGAIN) for n, column in zip(at, columns, strict=True)}, lines


def _region(
    path: Path,
    title: str,
    energy: np.ndarray,
    intensity: np.ndarray,
    unit: str,
    attrs: dict[str, Any],
    fitted: list[str],
    lines: list[int],
) -> tuple[str, xr.Dataset]:
    """Return name and spectrum; the title is "Cycle 3:sample:region"."""
    steps = np.abs(np.diff(energy))
    gaps = np.flatnonzero(steps > GAP * np.median(steps)) if steps.size else steps
    if 0 < len(gaps) <= GAPS:
        at = int(gaps[0])
        reason = f"between {energy[at]:.7g} and {energy[at + 1]:.7g} eV a row is missing"
        raise ReadError(path, lines[at + 1], reason, AGAIN)
    cycle = re.match(r"Cycle ([0-9]{1,9}):(?:(.*):)?([^:]*)$", title)
    if cycle:
        attrs |= {"cycle": int(cycle[1])} | ({"sample_name": cycle[2].strip()} if cycle[2] else {})
    if fitted:
        attrs["unread"] = ", ".join(dict.fromkeys(fitted))
    name = region_name(cycle[3] if cycle else title or path.stem)
    return name, region(path, energy, intensity, unit, attrs, lines)


FORMAT = Format(
    name="CasaXPS text",
    vendors="Casa Software",
    techniques=("xps",),
    extensions=(".txt", ".csv"),
    recognise=is_casaxps,
    read=read_casaxps,
    reads="every spectrum, in columns or rows of tables; a charge correction is named and not applied; the fits are "
    "left unread",
)
