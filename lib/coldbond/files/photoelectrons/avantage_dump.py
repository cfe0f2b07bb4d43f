"""Text exported by Thermo Avantage, a dump of one data space: a photoelectron spectrum (.avg).

File structure
--------------
Lines of properties, `DS_... : VT_type = value`, among them the photon energy, the pass energy, the time per point and
the number of scans. `$DATAAXES` and `$SPACEAXES` give the axes: start, width, number of points, type, whether linear,
symbol, unit and name of each. `$DATA=*` is followed by `LIST@ n=` with the intensities from number n on. The
energies are kinetic, unless the name of the axis says binding: so other programs read them (KherveFitting, ixdat). No
recording was at hand to check it.

Schema
------
xarray.DataTree with one child, named after the title: `intensity` over `binding_energy` [eV]. Attrs: `energy_scale`,
`photon_energy` [eV], `pass_energy` [eV], `dwell_time` [s], `sweeps`, `work_function` [eV], `sample_name`, `instrument`.
The coefficients of the transmission are not applied. Depth profiles, maps and pictures, which have several axes, are
refused.

Uncertainties
-------------
`one_count` is 1 for counts, and 1 / (dwell time x sweeps) for counts per second, where the intensities agree with it.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.encoding import as_utf8, head
from coldbond.files.errors import NO_LINE_BREAK, ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import number, numbers
from coldbond.files.photoelectrons.regions import energies, quantity, region, region_name, tree

PROPERTY = re.compile(r"(DS_\w+)(?:\[\d+\])?\s*:.*?VT_\w+\s*=\s*(.*)$")
AXIS = re.compile(r"([0-9]{1,3})\s*=\s*(.*)$")
LIST = re.compile(r"LIST@\s*([0-9]{1,9})\s*=\s*(.*)$")
AS_WORKBOOK = "export it from Avantage as an Excel workbook, one level or point per file"
AGAIN = "export it again from Avantage"

#: Line and content of the lines below a heading.
Section = list[tuple[int, str]]


def is_avantage_dump(data: bytes) -> bool:
    """Return whether the file has the properties of a data space."""
    return b"DS_" in data[:4096] and any(re.match(r"DS_\w+PROPID_\w+.*:\s*VT_", line) for line in head(data)[:60])


def read_avantage_dump(path: Path, data: bytes, stated: Stated) -> xr.DataTree:
    """Read the one spectrum."""
    text = as_utf8(path, data).decode()
    lines = text.split("\n")
    if lines[-1].strip():
        raise ReadError(path, len(lines), *NO_LINE_BREAK)
    fields: dict[str, str] = {}
    sections: dict[str, Section] = {}
    current: Section = []
    for at, line in enumerate((line.strip() for line in lines), start=1):
        if found := PROPERTY.match(line):
            fields.setdefault(found[1], found[2].strip(" '"))
        elif line.startswith("$"):
            name = line.partition("=")[0]
            if name == "$DATA" and name in sections:
                raise ReadError(path, at, "several spectra: a depth profile, a map or a picture", AS_WORKBOOK)
            current = sections.setdefault(name, [])
        elif line and not line.startswith(";"):
            current.append((at, line))
    axes = [AXIS.match(line) for _, line in sections.get("$SPACEAXES", [])]
    if len(axes) != 1 or axes[0] is None or "$DATA" not in sections:
        reason = f"a dump of Avantage with {len(axes)} axes, not a spectrum"
        raise ReadError(path, None, reason, AS_WORKBOOK)
    axis_line = sections["$SPACEAXES"][0][0]
    cells = [cell.strip(" '") for cell in axes[0][2].split(",")]
    if len(cells) != 8 or cells[3:5] != ["ENERGY", "LINEAR"] or cells[6] != "eV":
        raise ReadError(path, axis_line, f"the axis {axes[0][2]!r} is not a linear one of energies in eV", AS_WORKBOOK)
    start, width, points = numbers(path, cells[:3], "a number of the axis", [axis_line] * 3, AGAIN).tolist()
    values, at_lines = _values(path, sections["$DATA"])
    if len(values) != points:
        reason = f"{len(values)} intensities where the axis states {points:g} points"
        raise ReadError(path, sections["$DATA"][-1][0] if values else axis_line, reason, AGAIN)
    scale = "binding" if "binding" in cells[7].lower() else "kinetic"
    photons = quantity(path, fields.get("DS_SOPROPID_ENERGY"), "DS_SOPROPID_ENERGY", "eV")
    energy, attrs = energies(path, start + width * np.arange(len(values)), scale, photons, stated, axis_line)
    attrs |= _attrs(path, fields)
    label, unit = (fields.get(f"DS_GEPROPID_VALUE_{name}", "") for name in ("LABEL", "UNIT"))
    intensity = numbers(path, values, "an intensity", at_lines, AGAIN)
    found_region = region(path, energy, intensity, f"{label} {unit}".strip(), attrs, at_lines)
    title = re.sub(r"\s*\bscan\b", "", fields.get("DS_EXT_SUPROPID_TITLE") or path.stem, flags=re.IGNORECASE)
    return tree([(region_name(title), found_region)], {"format": "avantage-dump"})


def _values(path: Path, section: Section) -> tuple[list[str], list[int]]:
    """Return the cells below $DATA, each LIST@ of which must start with the number that follows, and their lines."""
    values: list[str] = []
    at_lines: list[int] = []
    for at, line in section:
        listed = LIST.match(line)
        if listed and int(listed[1]) != len(values):
            reason = f"{line.partition('=')[0].strip()} where intensity {len(values)} should follow"
            raise ReadError(path, at, reason, AGAIN)
        cells = [cell.strip() for cell in (listed[2] if listed else line).strip(" ,;").split(",")]
        values += cells
        at_lines += [at] * len(cells)
    return values, at_lines


def _attrs(path: Path, fields: dict[str, str]) -> dict[str, Any]:
    """Return the acquisition parameters under the names of the data model."""
    attrs: dict[str, Any] = {}
    units = (("pass_energy", "DS_ANPROPID_PASS", "eV"), ("dwell_time", "DS_ACPROPID_ACQ_TIME", "s"))
    for name, label, unit in (*units, ("work_function", "DS_ANPROPID_WORK_FTN", "eV")):
        if (value := quantity(path, fields.get(label), label, unit)) is not None:
            attrs[name] = value
    if fields.get("DS_ACPROPID_PERIODS"):
        attrs["sweeps"] = number(path, fields["DS_ACPROPID_PERIODS"], "DS_ACPROPID_PERIODS")
    labels = {"sample_name": "DS_EXT_SUPROPID_SUBJECT", "instrument": "DS_GEPROPID_INSTRUMENT"}
    attrs |= {name: fields[label] for name, label in labels.items() if fields.get(label)}
    if attrs.get("sweeps", 1) <= 0:
        del attrs["sweeps"]
    if "DS_ANPROPID_TXFN_COEFF" in fields:
        attrs["unread"] = "coefficients of the transmission"
    return attrs


FORMAT = Format(
    name="Thermo Avantage .avg",
    vendors="Thermo Fisher",
    techniques=("xps",),
    extensions=(".avg",),
    recognise=is_avantage_dump,
    read=read_avantage_dump,
    reads="one spectrum; depth profiles, maps and pictures are refused; the transmission is not applied",
)
