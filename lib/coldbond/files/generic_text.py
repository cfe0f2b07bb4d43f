"""Delimited text whose header says what it holds: diffraction, photoelectrons, Raman, impedance, current transients.

File structure
--------------
Lines of a header, comments or not, then rows of two or more numbers, separated by semicolons, tabs, blanks or commas,
with decimal points or commas. The last line of the header that does so names the columns. The name of the abscissa
gives the technique: two_theta, binding_energy, kinetic_energy, raman_shift, frequency, or time beside a current. The
header must also state what the numbers cannot: the wavelength of a diffraction pattern, the photon energy of a kinetic
energy, the voltage that drove a current. Nothing in such a file shows whether rows are missing at its end.

Schema
------
The object of the technique, see `coldbond.files`. Attrs that the header may state as `name: value`: `count_time`,
`photon_energy`, `pass_energy`, `dwell_time`, `sweeps`, `excitation`, `integration_time`, `sample`, `instrument` and
`region`. Of a spectrum one column is read; the others are listed in `unread`.

Uncertainties
-------------
`one_count` is 1 where the column of the intensity is named counts, and 1 / (dwell time x sweeps) or 1 / count time
where it is named as a rate and the header states these times; otherwise the statistics are unknown. Impedance and
currents have the digits that they are written with.
"""

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry.impedance import NAMED as NAMED_SPECTRUM
from coldbond.files.electrochemistry.impedance_columns import FREQUENCY, TIME, named_columns, named_transient
from coldbond.files.encoding import as_utf8, head
from coldbond.files.errors import NO_LINE_BREAK, ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import NUMBER
from coldbond.files.photoelectrons.regions import CORE_LEVEL, binding_energy, counting, region_name, tree
from coldbond.files.spectrum import spectrum
from coldbond.files.stated import NO_PHOTON_ENERGY

#: Abscissae: the technique, the energy scale, the pattern of the name, and units that are refused.
AXES = (
    ("xrd", None, re.compile(r"\b2[-_ ]?(theta|th|θ)|two[-_ ]?theta|2θ", re.IGNORECASE), r"\b(m?rad|nm)\b"),
    ("xps", "binding", re.compile(r"(?i:binding)|\bBE\b|\bE_?(bin|B)\b"), r"\b(keV|meV)\b"),
    ("xps", "kinetic", re.compile(r"(?i:kinetic)|\bKE\b|\bE_?kin\b"), r"\b(keV|meV)\b"),
    ("raman", None, re.compile(r"raman[-_ ]?shift", re.IGNORECASE), r"\b(nm|eV)\b"),
    ("eis", None, FREQUENCY, r"$^"),
    ("dc", None, TIME, r"$^"),
)
INTENSITY = re.compile(r"intensity|counts?\b|\bcps\b", re.IGNORECASE)
COMMENT = "#%;!'"
#: Quantities that the header may state as "name: number" or "name = number", by technique.
STATED: dict[str, dict[str, str]] = {
    "xrd": {"count_time": r"count[-_ ]?time|time[-_ ]?per[-_ ]?step"},
    "xps": {
        "photon_energy": r"photon[-_ ]?energy|\bh[vν]",
        "pass_energy": r"pass[-_ ]?energy",
        "dwell_time": r"dwell[-_ ]?time",
        "sweeps": r"sweeps|scans",
    },
    "raman": {
        "excitation": r"laser[-_ ]?wavelength|excitation",
        "integration_time": r"(integration|exposure)[-_ ]?time",
    },
    "eis": {},
    "dc": {},
}
TEXTS = ("sample", "instrument", "region")
NAMED = (
    "'# two_theta/degree, intensity/counts, wavelength: 1.540593 1.544414', '# binding_energy/eV, intensity/counts', "
    "'# kinetic_energy/eV, intensity/counts, photon_energy: 1486.6', '# raman_shift/cm-1, intensity' or "
    f"{NAMED_SPECTRUM}"
)
WAVELENGTH = "# wavelength: 1.540593 1.544414"
#: Wavelengths [angstrom] that a header can mean; others are in nm or damaged.
WAVELENGTHS = (0.1, 3.0)


class Table(NamedTuple):
    """A file's header, the names of its columns if any, its numbers (rows, columns), and the line of each row."""

    header: list[str]
    names: list[str]
    values: np.ndarray
    lines: list[int]


def is_generic_text(data: bytes) -> bool:
    """Return whether rows of numbers follow a header that names an abscissa."""
    lines = head(data)
    first = first_row(lines)
    return first is not None and any(pattern.search(line) for line in lines[:first] for _, _, pattern, _ in AXES)


def read_generic_text(path: Path, data: bytes, stated: Stated) -> xr.Dataset | xr.DataTree:
    """Read one spectrum or transient."""
    table = _table(path, as_utf8(path, data).decode().split("\n"))
    header = "\n".join(table.header)
    found = [(column, *axis) for column, name in enumerate(table.names) for axis in AXES if axis[2].search(name)]
    found = [axis for axis in found if axis[1] != "dc"] or found  # other spectra may have a column of time too
    if len(found) != 1:
        reason = f"{len(found) or 'none'} of the columns {', '.join(table.names) or '(unnamed)'} can be the abscissa"
        remedy = "name the columns in a line above them, e.g. '# binding_energy/eV, intensity/counts'"
        raise ReadError(path, table.lines[0], reason, remedy)
    column, technique, scale, _, foreign_units = found[0]
    if unit := re.search(foreign_units, table.names[column]):
        raise ReadError(path, None, f"{table.names[column]} is in {unit[0]}", "export it in degrees, eV or 1/cm")
    attrs: dict[str, Any] = {"format": f"{technique}-text" if technique in ("eis", "dc") else "text"} | _attrs(
        header, technique
    )
    if technique == "eis":
        return named_columns(path, table.names, table.values, table.lines, attrs)
    if technique == "dc":
        return named_transient(path, table.names, table.values, table.lines, header, attrs)
    others = [index for index in range(table.values.shape[1]) if index != column]
    named = [index for index in others if INTENSITY.search(table.names[index])] if len(others) > 1 else others
    if len(named) != 1:
        reason = f"{len(named) or 'none'} of the columns {', '.join(table.names)} can be the intensity"
        raise ReadError(path, table.lines[0], reason, "name one column, and only one, intensity or counts")
    axis, name = table.values[:, column], table.names[named[0]]
    if unread := [table.names[index] for index in others if index not in named]:
        attrs["unread"] = ", ".join(unread)
    if technique == "xrd":
        attrs |= _wavelengths(path, header)
    if scale is not None:
        attrs["energy_scale"] = scale
    if scale == "kinetic":
        attrs["photon_energy"] = stated.photon_energy or attrs.get("photon_energy")
        if attrs["photon_energy"] is None:
            raise ReadError(path, table.lines[0], *NO_PHOTON_ENERGY)
        axis = binding_energy(axis, attrs["photon_energy"])
    timed = {"dwell_time": attrs["count_time"], "sweeps": 1} if "count_time" in attrs else attrs
    known = counting(name, timed)
    if technique == "raman" and "one_count" in known:
        known = {"units": known["units"], "unknown": "a camera's counts are not single photons"}
    recording = spectrum(path, technique, axis, table.values[:, named[0]], **known, attrs=attrs, lines=table.lines)
    if technique != "xps":
        return recording
    labels = [attrs.get("region", ""), name, path.stem]
    region = next((label for label in labels if CORE_LEVEL.search(label)), labels[0] or path.stem)
    return tree(
        [(region_name(region), recording)], {key: attrs[key] for key in ("format", "sample_name") if key in attrs}
    )


def _cells(line: str) -> list[str]:
    """Return the fields of a row, split at semicolons or tabs, at blanks, or else at commas."""
    line = line.strip().strip(";")
    if separator := next((mark for mark in ";\t" if mark in line), None):
        return [cell.strip() for cell in line.split(separator)]
    blank = line.split()
    return [cell.strip() for cell in line.split(",")] if len(blank) < 2 or blank[0].endswith(",") else blank


def _are_numbers(cells: list[str]) -> bool:
    return len(cells) > 1 and all(NUMBER.fullmatch(cell.replace(",", ".")) for cell in cells)


def first_row(lines: list[str]) -> int | None:
    """Return the index of the first line that consists of two or more numbers."""
    return next((number for number, line in enumerate(lines) if _are_numbers(_cells(line))), None)


def _table(path: Path, lines: list[str]) -> Table:
    """Return header and numbers of a file."""
    first = first_row(lines)
    if first is None:
        raise ReadError(path, None, "no row of numbers", "export it again")
    body = [(number, line.strip()) for number, line in enumerate(lines[first:], start=first + 1)]
    body = [(number, line) for number, line in body if line and line[0] not in COMMENT]
    rows, width = [_cells(line) for _, line in body], len(_cells(lines[first]))
    text = "".join("".join(cells) for cells in rows)
    if "," in text and "." in text:
        raise ReadError(path, first + 1, "decimal commas and decimal points in one file", "export it with one of them")
    for (number, line), cells in zip(body, rows, strict=True):
        if len(cells) != width or not _are_numbers(cells):
            raise ReadError(path, number, f"{line!r} is not {width} numbers", "export it again, or correct the row")
    if lines[-1].strip():
        raise ReadError(path, len(lines), *NO_LINE_BREAK)
    values = np.array([[cell.replace(",", ".") for cell in cells] for cells in rows], float)
    header = [line.strip() for line in lines[:first] if line.strip()]
    return Table(header, _names(header, width), values, [number for number, _ in body])


def _names(header: list[str], width: int) -> list[str]:
    """Return the names of the columns, from one line, one line each for x and y, or comments."""
    columns = [re.match(rf"#\s*{axis}\s*,\s*(.+)", line) for axis in "xy" for line in header]
    named = [match[1].replace(",", "/") for match in columns if match]
    if len(named) == width == 2:
        return named
    for line in reversed(header):
        bare = line.lstrip(COMMENT + " ")
        for split in (r";", r"\t", r",", r"\s{2,}", r"\s+"):
            cells = [cell.strip() for cell in re.split(split, bare.strip(";\t, "))]
            named = [column for column, cell in enumerate(cells[:width]) if any(axis[2].search(cell) for axis in AXES)]
            # A comment may continue after the names, if the first is that of the abscissa.
            continues = len(cells) > width and line != bare and split == "," and named[:1] == [0]
            if named and (len(cells) == width or continues):
                return cells[:width]
    # Two columns, of which comments name one abscissa (not frequency or time): the other is the intensity.
    mentioned = [match for axis in AXES[:-2] for line in header if (match := axis[2].search(line))]
    if width == 2 and len({match.re for match in mentioned}) == 1 and all(line[0] in COMMENT for line in header):
        return [mentioned[0][0], "intensity"]
    return []


def _attrs(header: str, technique: str) -> dict[str, Any]:
    """Return what the header states, under the names of the data model."""
    attrs: dict[str, Any] = {}
    for name, pattern in STATED[technique].items():
        if stated := re.search(rf"(?:{pattern})[^:=\n\d]*[:=]\s*(\d+(?:[.,]\d+)?)", header, re.IGNORECASE):
            attrs[name] = float(stated[1].replace(",", "."))
    for name in TEXTS:
        if stated := re.search(rf"^\W*{name}\s*[:=]\s*(.+)$", header, re.IGNORECASE | re.MULTILINE):
            attrs["sample_name" if name == "sample" else name] = stated[1].strip()
    return attrs


def _wavelengths(path: Path, header: str) -> dict[str, float]:
    """Return the wavelengths [angstrom] that the header states."""
    number = r"(\d+[.,]\d+)"
    stated = re.search(rf"wave[-_ ]?lengths?[^:=\n\d]*[:=]\s*{number}(?:[\s,;/]+{number})?", header, re.IGNORECASE)
    if not stated:
        return {}
    wavelengths = [float(number.replace(",", ".")) for number in stated.groups() if number]
    shortest, longest = WAVELENGTHS
    if not all(shortest < wavelength < longest for wavelength in wavelengths) or wavelengths != sorted(wavelengths):
        reason = f"{stated[0]!r} is not one wavelength in angstrom, or K-alpha1 followed by K-alpha2"
        raise ReadError(path, None, reason, f"write it as in {WAVELENGTH!r}")
    return dict(zip(("wavelength_kalpha1", "wavelength_kalpha2"), wavelengths, strict=False))


FORMAT = Format(
    name="text with named columns",
    vendors="any",
    techniques=("xrd", "xps", "raman", "eis", "dc"),
    extensions=(".txt", ".csv", ".dat", ".xy"),
    recognise=is_generic_text,
    read=read_generic_text,
    reads="columns whose header states quantity and unit",
)
