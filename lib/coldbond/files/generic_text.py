"""Delimited text whose header says what it holds: diffraction, photoelectrons, Raman, impedance, current transients.

File structure
--------------
Lines of a header, comments or not, then rows of two or more numbers, separated by semicolons, tabs, blanks or commas,
with decimal points or commas. A line of the header names the columns if it has a name for each and one of them is an
abscissa: two_theta, binding_energy, kinetic_energy, raman_shift, frequency, or time beside a current. It gives the
technique. Columns without names are read where the technique is stated beside the file: angle in degrees, intensity and
its standard uncertainty; binding energy in eV (kinetic where a photon energy is stated too) and intensity; Raman shift
in 1/cm and intensity; frequency in Hz, Re(Z) and Im(Z) in ohm. What the numbers cannot show stands in the header or is
stated beside the file: the wavelength of a diffraction pattern, the photon energy of a kinetic energy, the voltage that
drove a current. Nothing in such a file shows whether rows are missing at its end.

Schema
------
The object of the technique, see `coldbond.files`. Attrs that the header may state as `name: value unit`: `count_time`,
`photon_energy`, `pass_energy`, `dwell_time`, `sweeps`, `excitation`, `integration_time`, `sample`, `instrument` and
`region`. Of a spectrum one column is read; the others are listed in `unread`.

Uncertainties
-------------
`one_count` is 1 where the column of the intensity is named counts, and 1 / (dwell time x sweeps) or 1 / count time
where it is named as a rate and the header states these times. A third column without a name is the standard
uncertainty sigma: where sigma^2 is the same multiple of the intensity everywhere, `one_count` is this multiple.
Otherwise the statistics are unknown. Impedance and currents have the digits that they are written with.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from coldbond.files.diffraction.scans import counted
from coldbond.files.electrochemistry.impedance_columns import named_columns, named_transient
from coldbond.files.encoding import HEAD, head
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.header import (
    AXES,
    INTENSITY,
    OTHER_AXIS,
    TIMES,
    Axis,
    Quantity,
    axes,
    axis_unit,
    column_names,
    field,
    is_possible,
    mentioned,
    unit_name,
    wavelengths_of,
)
from coldbond.files.photoelectrons.regions import CORE_LEVEL, binding_energy, counting, region_name, tree
from coldbond.files.rows import COMMENT, Rows, cells, check_above, first_row, lines_of, read_rows
from coldbond.files.spectrum import gaps, spectrum
from coldbond.files.stated import NO_PHOTON_ENERGY, set_stated

__all__ = ["FORMAT", "REMEDY", "are_columns_of", "first_row"]

#: What a time [s] in a header can be.
SECONDS = (0.0, 1e6)
#: Quantities that the header may state, by technique.
STATED: dict[str, dict[str, Quantity]] = {
    "xrd": {"count_time": Quantity("count time", r"count[-_ ]?time|time[-_ ]?per[-_ ]?step", TIMES, SECONDS)},
    "xps": {
        "photon_energy": Quantity(
            "photon energy",
            r"photon[-_ ]?energy|\bh[vν](?![a-z])|excitation[-_ ]?energy",
            {"ev": 1.0, "kev": 1e3},
            (10.0, 2e4),
        ),
        "pass_energy": Quantity("pass energy", r"pass[-_ ]?energy", {"ev": 1.0}, (0.0, 1e4)),
        "dwell_time": Quantity("dwell time", r"dwell[-_ ]?time", TIMES, SECONDS),
        "sweeps": Quantity("number of sweeps", r"\b(?:sweeps|scans)", {}, (0.0, 1e6)),
    },
    "raman": {
        "excitation": Quantity(
            "excitation",
            r"laser[-_ ]?(?:wave ?length|line)|excitation",
            {"nm": 1.0, "um": 1e3, "micron": 1e3, "å": 0.1, "angstrom": 0.1},
            (200.0, 2000.0),
            {"1/cm": 1e7},
        ),
        "integration_time": Quantity(
            "integration time", r"(?:integration|exposure|acquisition|acq\.?)[-_ ]?time", TIMES, SECONDS
        ),
    },
    "eis": {},
    "dc": {},
}
TEXTS = ("sample", "instrument", "region")
#: What must be stated beside columns without a header, by technique.
REMEDY = (
    "state what they are, e.g. read(path, technique='xrd', wavelength=(1.540593, 1.544427)) or, in manifest.csv, the "
    "technique and 1.540593 1.544427 in the column wavelength_angstrom; technique='raman', 'xps' (with photon_energy "
    "for kinetic energies) or 'eis' likewise; a cycler's table needs the names of its columns"
)
#: Energies [eV] by which a scan may reach above the Fermi level.
ABOVE_FERMI = 50.0
#: Name of an unnamed third column of a pattern.
SIGMA = "standard uncertainty"
#: Angles [degree] at which a pattern without a unit could be in radians.
RADIANS = np.pi
#: A count that is divided by something else than one second is neither a count nor a rate.
PER_SOMETHING = re.compile(
    r"(?i)counts?\W*(?:/|per)\W*(?!s\b|sec)\w|\bcounts?\)?\s*(?:\*|x|×|\^)|(?:log|sqrt|norm\w*)\W*(?:of )?\W*counts?|"
    r"counts?\W+norm|\b[kM]counts?\b|\b[kM]cps\b|k?counts?\W*\(?(?:x|×)?\s*1(?:0|e)\d"
)


class Table(NamedTuple):
    """A file's header, the names of its columns if any, and its rows."""

    header: list[str]
    names: list[str]
    rows: Rows


def is_generic_text(data: bytes) -> bool:
    """Return whether rows of numbers follow a header that names an abscissa."""
    lines = head(data)
    first = first_row(lines)
    return first is not None and any(axes(line) for line in lines[:first])


def are_columns_of(data: bytes, stated: Stated) -> bool:
    """Return whether the file holds rows of numbers and a technique is stated that columns without names can be of."""
    return stated.technique in STATED and b"\0" not in data[:HEAD] and first_row(head(data)) is not None


def read_generic_text(path: Path, data: bytes, stated: Stated) -> xr.Dataset | xr.DataTree:
    """Read one spectrum or transient."""
    table = _table(path, lines_of(path, data))
    column, axis, names = _axis(path, table, stated)
    table = table._replace(names=names)
    attrs: dict[str, Any] = {"format": f"{axis.technique}-text" if axis.technique in ("eis", "dc") else "text"}
    attrs |= _attrs(path, table.header, axis.technique, stated)
    if comments := [f"line {number}: {line}" for number, line in table.rows.comments if line.strip(COMMENT + " ")]:
        attrs["unread"] = "; ".join(comments)
    values, lines = table.rows.values, table.rows.lines
    if axis.technique == "eis":
        return named_columns(path, names, values, lines, attrs)
    if axis.technique == "dc":
        text = "\n".join(names)
        if re.search(r"(?i)voltage|potential|\bewe\b|\bE\s*/\s*m?V", text) and re.search(
            r"(?i)current|<I>|\bI\b", text
        ):
            reason = f"time, current and voltage ({', '.join(names)}): a cycler's table under other names"
            remedy = "export it with the names test time, voltage and current and their units"
            raise ReadError(path, lines[0] - 1, reason, remedy)
        return named_transient(path, names, values, lines, "\n".join(table.header), attrs)
    return _spectrum(path, table, column, axis, attrs, stated)


def _spectrum(
    path: Path, table: Table, column: int, axis: Axis, attrs: dict[str, Any], stated: Stated
) -> xr.Dataset | xr.DataTree:
    """Return a diffraction pattern, photoelectron or Raman spectrum."""
    names, values, lines = table.names, table.rows.values, table.rows.lines
    others = [index for index in range(values.shape[1]) if index != column]
    named = [index for index in others if INTENSITY.search(names[index])] if len(others) > 1 else others
    if len(named) != 1:
        reason = f"{len(named) or 'none'} of the columns {', '.join(names)} can be the intensity"
        raise ReadError(path, lines[0], reason, "export it with one column of intensities, named intensity or counts")
    coordinate, intensity, name = values[:, column], values[:, named[0]], names[named[0]]
    unread = [names[index] for index in others if index not in named]
    if unread:
        attrs["unread"] = "; ".join(filter(None, [", ".join(unread), attrs.get("unread")]))
    if axis.scale is not None:
        attrs["energy_scale"] = axis.scale
    if axis.technique == "xps" and stated.photon_energy is not None:
        set_stated(attrs, "photon_energy", stated.photon_energy, "eV")
    if axis.scale == "kinetic":
        coordinate = _from_kinetic(path, coordinate, attrs, lines[0])
    elif axis.scale == "binding" and coordinate.max() > attrs.get("photon_energy", np.inf):
        reason = f"a binding energy of {coordinate.max():g} eV above the photon energy, {attrs['photon_energy']:g} eV"
        raise ReadError(path, lines[0], reason, "export it again, or state the right photon energy")
    timed = {"dwell_time": attrs["count_time"], "sweeps": 1} if "count_time" in attrs else attrs
    known = counting(name, timed)
    if PER_SOMETHING.search(name):
        known = {"units": "arbitrary units", "unknown": f"the file calls the intensity {name!r}, not counts"}
    if axis.technique == "raman" and "one_count" in known:
        known = {"units": known["units"], "unknown": "a camera's counts are not single photons"}
    sigma = next((values[:, index] for index in others if names[index] == SIGMA), None)
    if sigma is not None and axis.technique == "xrd":
        known = counted(intensity, sigma)
    attrs |= gaps(path, coordinate, lines)
    recording = spectrum(path, axis.technique, coordinate, intensity, **known, attrs=attrs, lines=lines)
    if axis.technique != "xps":
        return recording
    labels = [attrs.get("region", ""), name, path.stem]
    region = next((label for label in labels if CORE_LEVEL.search(label)), labels[0] or path.stem)
    common: dict[str, Any] = {key: attrs[key] for key in ("format", "sample_name", "stated", "unread") if key in attrs}
    return tree([(region_name(region), recording)], common)


def _from_kinetic(path: Path, energy: np.ndarray, attrs: dict[str, Any], line: int) -> np.ndarray:
    """Return binding energies from kinetic energies."""
    photon = attrs.get("photon_energy")
    if photon is None:
        raise ReadError(path, line, *NO_PHOTON_ENERGY)
    if energy.max() > photon + ABOVE_FERMI:
        reason = f"a kinetic energy of {energy.max():g} eV above the photon energy, {photon:g} eV"
        raise ReadError(path, line, reason, NO_PHOTON_ENERGY[1])
    return binding_energy(energy, photon)


def _axis(path: Path, table: Table, stated: Stated) -> tuple[int, Axis, list[str]]:
    """Return the column of the abscissa, what it is, and the names of all columns."""
    names, values, line = table.names, table.rows.values, table.rows.lines[0]
    found = [(column, axis) for column, name in enumerate(names) for axis in axes(name)]
    found = [item for item in found if item[1].technique != "dc"] or found  # other spectra may have a column of time
    if stated.technique is not None:
        found = [item for item in found if item[1].technique == stated.technique] or found
    if len(found) > 1:
        reason = f"{len(found)} of the columns {', '.join(names)} can be the abscissa"
        raise ReadError(path, line, reason, "export it with one of them")
    if found:
        column, axis = found[0]
        unit = axis_unit(names[column], axis)
        if unit and axis.units and unit_name(unit) not in axis.units:
            raise ReadError(path, None, f"{names[column]} is in {unit}", "export it in degrees, eV or 1/cm")
        if axis.technique not in ("eis", "dc"):
            _check_values(path, names[column], axis, values[:, column], line, in_words=unit is None, stated=stated)
        return column, axis, names
    if named := _other_names(table, stated):
        reason = f"the columns are named {', '.join(named)}, of which none is an abscissa that is read"
        raise ReadError(path, line, reason, "export it over 2theta, binding energy or Raman shift")
    axis_in_words = mentioned(table.header) if values.shape[1] == 2 else None
    if axis_in_words is not None and stated.technique in (None, axis_in_words.technique):
        _check_values(path, "the first column", axis_in_words, values[:, 0], line, in_words=True, stated=stated)
        label = next(match[0] for text in table.header if (match := axis_in_words.pattern.search(text)))
        return 0, axis_in_words, [label, "intensity"]
    return _unnamed(path, table, stated)


def _other_names(table: Table, stated: Stated) -> list[str]:
    """Return the names of the columns where one is an abscissa that is not read: q, d, an angle other than 2θ."""
    for line in table.header:
        names = cells(line.lstrip(COMMENT + " "))
        if stated.technique == "raman" and re.search(r"(?i)wave ?number|\bcm\W*-\W*1|1/cm", line):
            continue  # Raman programs call the shift so too
        if len(names) == table.rows.values.shape[1] and OTHER_AXIS.search(names[0]) and ":" not in line:
            return names
    return []


def _names_another(line: str, technique: str) -> bool:
    """Return whether a line of the header names columns, of which the first is no abscissa of the technique."""
    bare = line.lstrip(COMMENT + " ")
    first = re.split(r"[,;\t]|\s{2,}", bare)[0]
    if re.match(r"[^,;\t(\[]*[:=]", bare) or not (INTENSITY.search(bare) or re.search(r"[(\[/]", first)):
        return False  # a field, "Omega: 12", or prose
    if technique == "raman" and re.search(r"(?i)wave ?number|\bcm\W*-\W*1|1/cm", first):
        return False  # Raman programs call the shift so too
    found = axes(first)
    if re.match(r"(?i)wave ?length", first):
        return True  # of light; that of a diffraction pattern is a field
    return bool(OTHER_AXIS.search(first)) or bool(found and all(axis.technique != technique for axis in found))


def _check_values(
    path: Path, name: str, axis: Axis, values: np.ndarray, line: int, *, in_words: bool, stated: Stated
) -> None:
    """Refuse a column that cannot be the abscissa it is named as."""
    low, high = axis.bounds
    if not ((values >= low).all() and (values <= high).all()):
        reason = f"{name} holds {values.min():g} to {values.max():g}, which cannot be {axis.label}"
        raise ReadError(
            path, line, reason, REMEDY if in_words else "export it again with its columns under their names"
        )
    if axis.technique == "xrd" and in_words and values.max() <= RADIANS and stated.technique is None:
        reason = f"{name} holds {values.min():g} to {values.max():g} without a unit: degrees or radians"
        raise ReadError(path, line, reason, f"if these are degrees, {REMEDY}")


def _unnamed(path: Path, table: Table, stated: Stated) -> tuple[int, Axis, list[str]]:
    """Return the columns of the stated technique in the order in which programs write them."""
    width, line, technique = table.rows.values.shape[1], table.rows.lines[0], stated.technique
    scale = ("kinetic" if stated.photon_energy else "binding") if technique == "xps" else None
    names = {
        "xrd": ["2theta (deg)", "intensity", SIGMA],
        "xps": [f"{scale} energy (eV)", "intensity"],
        "raman": ["Raman shift (1/cm)", "intensity"],
        "eis": ["frequency/Hz", "Re(Z)/ohm", "Im(Z)/ohm"],
    }.get(technique or "")
    if technique is None:
        reason = "numbers without a line that names their columns"
        raise ReadError(path, line, reason, REMEDY)
    if names is None:
        reason = f"columns without names, which cannot be read as {technique}"
        raise ReadError(path, line, reason, "export them with their names and units")
    if other := next((text for text in table.header if _names_another(text, technique or "")), None):
        reason = f"{technique} is stated, and {other[:60]!r} above the numbers names another abscissa"
        raise ReadError(path, line, reason, f"use a recording over {names[0]}, or export it so")
    if width not in ((2, 3) if technique == "xrd" else (len(names),)):
        reason = f"{width} columns without names, where {technique} has {', '.join(names)}"
        raise ReadError(path, line, reason, "export these columns alone, or with a line that names them")
    axis = next(axis for axis in AXES if (axis.technique, axis.scale) == (technique, scale))
    if technique != "eis" and not is_possible(axis, table.rows.values[:, 0]):
        first = table.rows.values[:, 0]
        reason = f"the first column, {first.min():g} to {first.max():g}, cannot be {names[0]} in one scan"
        raise ReadError(path, line, reason, f"export {names[0]} as the first column, one scan to a file")
    return 0, axis, names[:width]


def _table(path: Path, lines: list[str]) -> Table:
    """Return header and rows of a file."""
    first = first_row(lines)
    if first is None:
        raise ReadError(path, None, "no row of numbers", "export it again")
    rows = read_rows(path, lines, first)
    check_above(path, lines, first, len(rows.lines))
    header = [line.strip() for line in lines[:first] if line.strip()]
    for number, line in rows.comments:
        if number < rows.lines[-1] and (axes(line) or _is_field(line) or re.search("(?i)counts|intensity", line)):
            reason = f"a second header, {line[:60]!r}, between the rows, as where two files were joined"
            raise ReadError(path, number, reason, "use the files from before they were joined, one recording each")
    return Table(header, column_names(header, rows.values), rows)


def _is_field(line: str) -> bool:
    quantities = [quantity for technique in STATED.values() for quantity in technique.values()]
    return (
        any(re.search(quantity.pattern, line, re.IGNORECASE) for quantity in quantities) or "wavelength" in line.lower()
    )


def _attrs(path: Path, header: Sequence[str], technique: str, stated: Stated) -> dict[str, Any]:
    """Return what the header states, under the names of the data model.

    A value that cannot be read is left to what is stated beside the file, where that is stated.
    """
    attrs: dict[str, Any] = {}
    for name, quantity in STATED[technique].items():
        try:
            value = field(path, header, quantity)
        except ReadError as error:
            if getattr(stated, name, None) is None:
                raise
            attrs["stated"] = f"{name}, which the file does not say clearly: {error.reason}"
        else:
            attrs |= {name: value} if value is not None else {}
    try:
        attrs |= wavelengths_of(path, header) if technique == "xrd" else {}
    except ReadError as error:
        if not stated.wavelength:
            raise
        attrs["stated"] = f"wavelength, which the file does not say clearly: {error.reason}"
    for name in TEXTS:
        texts = (re.match(rf"(?i)\W*{name}\s*[:=]\s*(.+)$", line) for line in header)
        if text := next(filter(None, texts), None):
            attrs["sample_name" if name == "sample" else name] = text[1].strip()
    return attrs


FORMAT = Format(
    name="text with named columns",
    vendors="any",
    techniques=("xrd", "xps", "raman", "eis", "dc"),
    extensions=(".txt", ".csv", ".dat", ".xy", ".xye", ".prn"),
    recognise=is_generic_text,
    read=read_generic_text,
    reads="columns whose header states quantity and unit; columns without names where the technique is stated, for "
    "diffraction angle in degrees, intensity and its standard uncertainty",
    checked=(
        Checked("formats-spectra/datalab__example_mac.xye", "MIT", "a plain parse"),
        Checked("formats-spectra/dkriegner__LaB6_d500_si_psd.xye", "GPL-2.0 (data of tests)", "a plain parse"),
        Checked("xrd-cpd-roundrobin/zincite.prn", "none stated (released by the IUCr)", "a plain parse"),
        Checked("xrd-rigaku-ras-nims/XRD_RIGAKU.csv", "MIT (code), CC-BY-SA 4.0 (marked files)", "the .ras beside it"),
    ),
)
