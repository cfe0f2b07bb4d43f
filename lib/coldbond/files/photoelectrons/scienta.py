"""Text exported by Scienta SES: photoelectron spectra (.txt).

File structure
--------------
Sections with a title in brackets. `[Info]` gives the number of regions. Each region has `[Region n]` with name, size
and scale of each dimension, `[Info n]` with the acquisition parameters, and `[Data n]` with one row per energy. The
name of dimension 1 says whether the energies are binding or kinetic. Further sections are not needed.

Schema
------
xarray.DataTree, a child per region: `intensity` over `binding_energy` [eV]. Attrs: `energy_scale`, `photon_energy`
[eV], `pass_energy` [eV], `sweeps`, `sample_name`, `instrument`, `detector_mode` and `start`. Regions with a second
dimension (angles, slices, time) are refused. A comment between title and rows of `[Data n]` is listed in `unread`.

Uncertainties
-------------
The counting statistics are unknown: the file gives the intensity no unit. In the detector mode ADC it is the grey value
of a camera.
"""

import contextlib
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.encoding import as_utf8, head
from coldbond.files.errors import NO_LINE_BREAK, ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.numerals import number, numbers
from coldbond.files.photoelectrons.regions import energies, quantity, region, region_name, tree, with_points

TITLE = re.compile(r"\[([A-Za-z ]+?) ?([0-9]{0,6})\]\s*$")
#: Part of a step by which a row may deviate from the scale, and a region from its limits. SES writes 15 digits.
SAME = 1e-3
AGAIN = "export it again from SES, complete"

#: Titles without number and numbers of the sections, with line and text of each of their lines.
Sections = dict[tuple[str, int], list[tuple[int, str]]]


def is_scienta(data: bytes) -> bool:
    """Return whether the file starts like one of SES."""
    lines = [line.strip() for line in head(data)[:20] if line.strip()]
    return lines[:1] == ["[Info]"] and any(re.match(r"Number of Regions\s*=", line) for line in lines)


def read_scienta(path: Path, data: bytes, stated: Stated) -> xr.DataTree:
    """Read every region."""
    text = as_utf8(path, data).decode()
    lines = text.split("\n")
    if lines[-1].strip():
        raise ReadError(path, len(lines), *NO_LINE_BREAK)
    sections = _sections(path, lines)
    held = number(path, _fields(sections, "Info", 0).get("Number of Regions"), "number of regions")
    found = sorted(at for title, at in sections if title == "Data")
    if not found or found != list(range(1, len(found) + 1)) or len(found) != held:
        reason = f"data of {len(found)} regions where the head of the file states {held:g}"
        raise ReadError(path, None, reason, AGAIN)
    regions = [_region(path, sections, at, stated) for at in found]
    return tree(regions, {"format": "scienta"})


def _sections(path: Path, lines: list[str]) -> Sections:
    """Return the lines of each section that are not empty."""
    sections: Sections = {}
    current: list[tuple[int, str]] = []
    for at, line in enumerate(lines, start=1):
        line = line.strip()
        if title := TITLE.match(line):
            key = (title[1], int(title[2] or 0))
            if key in sections:
                raise ReadError(path, at, f"a second section {line}", "export it again; join no files")
            current = sections[key] = []
        elif line:
            current.append((at, line))
    return sections


def _fields(sections: Sections, title: str, at: int) -> dict[str, str]:
    """Return the fields of a section."""
    pairs = (line.partition("=") for _, line in sections.get((title, at), []))
    return {name.strip(): value.strip() for name, mark, value in pairs if mark}


def _region(path: Path, sections: Sections, at: int, stated: Stated) -> tuple[str, xr.Dataset]:
    """Return name and spectrum of a region."""
    fields = _fields(sections, "Region", at) | _fields(sections, "Info", at)
    name = fields.get("Region Name") or f"region {at}"
    data = sections["Data", at]
    first = data[0][0] if data else None
    comments = [line for _, line in data if line.startswith("#")]
    rows = data[len(comments) :]
    if fields.get("Dimension 2 size", "1") != "1":
        what = fields.get("Dimension 2 name", "a second dimension")
        reason = f"region {name} has {fields['Dimension 2 size']} spectra over {what}"
        raise ReadError(path, first, reason, "export it from SES with one slice, integrated over the detector")
    axis = fields.get("Dimension 1 name", "")
    kind = re.match(r"(binding|kinetic) energy \[(\w+)\]", axis, re.IGNORECASE)
    if not kind or kind[2] != "eV":
        reason = f"dimension 1 of region {name} is {axis or 'not named'}, not binding or kinetic energy in eV"
        raise ReadError(path, first, reason, "export it from SES over binding or kinetic energy")
    lines = [at_line for at_line, _ in rows]
    cells = with_points(path, [row.split() for _, row in rows], lines)
    for at_line, row in zip(lines, cells, strict=True):
        if len(row) != 2:
            raise ReadError(path, at_line, f"{' '.join(row)!r} is not an energy and an intensity", AGAIN)
    (written,) = with_points(path, [fields.get("Dimension 1 scale", "").split()], [first or 1])
    scale = np.array(numbers(path, written, "a number of the scale"))
    size = number(path, fields.get("Dimension 1 size"), f"size of region {name}")
    if not rows or not len(rows) == size == scale.size:
        reason = f"{len(rows)} rows and a scale of {scale.size} energies where the size of region {name} is {size:g}"
        raise ReadError(path, first, reason, AGAIN)
    energy, intensity = (numbers(path, column, "a number", lines, AGAIN) for column in zip(*cells, strict=True))
    step = abs(scale[-1] - scale[0]) / max(scale.size - 1, 1)
    if (off := np.abs(energy - scale) > SAME * step + 1e-9).any():
        reason = f"the energy {energy[off.argmax()]:g} is not that of the scale, {scale[off.argmax()]:g}"
        raise ReadError(path, lines[int(off.argmax())], reason, AGAIN)
    photons = quantity(path, fields.get("Excitation Energy"), "Excitation Energy", "eV")
    _check_limits(path, fields, kind[1].lower(), (energy.min(), energy.max()), photons, first)
    energy, attrs = energies(path, energy, kind[1].lower(), photons, stated, first)
    attrs |= _attrs(path, fields) | ({"unread": f"comment {' '.join(comments)}"} if comments else {})
    return region_name(name), region(path, energy, intensity, "", attrs, lines)


def _check_limits(
    path: Path,
    fields: dict[str, str],
    kind: str,
    ends: tuple[float, float],
    photons: float | None,
    line: int | None,
) -> None:
    """Refuse energies that are on another scale than their name says, by the limits that the region was set to."""
    limits = [fields.get(name, "") for name in ("Low Energy", "High Energy", "Energy Step")]
    if fields.get("Acquisition Mode", "Swept") != "Swept" or not all(limits):
        return
    low, high, step = numbers(path, [limit.replace(",", ".") for limit in limits], "a limit of the region")
    unit = fields.get("Energy Unit", "").lower()
    if unit not in ("binding", "kinetic") or (unit != kind and photons is None):
        return
    wanted = (low, high) if unit == kind else (float(photons or 0) - high, float(photons or 0) - low)
    swapped = (low, high) if unit != kind else (float(photons or 0) - high, float(photons or 0) - low)
    distances = [np.abs(np.subtract(ends, pair)).max() for pair in (wanted, swapped)]
    if distances[1] < abs(step) < distances[0]:
        reason = f"energies from {ends[0]:g} to {ends[1]:g} eV are called {kind}, and the region's limits say otherwise"
        raise ReadError(path, line, reason, "export it again from SES")


def _attrs(path: Path, fields: dict[str, str]) -> dict[str, Any]:
    """Return the acquisition parameters under the names of the data model."""
    attrs: dict[str, Any] = {}
    if (energy := quantity(path, fields.get("Pass Energy"), "Pass Energy", "eV")) is not None:
        attrs["pass_energy"] = energy
    if fields.get("Number of Sweeps"):
        attrs["sweeps"] = number(path, fields["Number of Sweeps"], "number of sweeps")
    labels = {"sample_name": "Sample", "instrument": "Instrument", "detector_mode": "DetectorMode"}
    attrs |= {name: fields[label] for name, label in labels.items() if fields.get(label)}
    with contextlib.suppress(ValueError):  # no date, or in the style of another country
        date = f"{fields.get('Date', '')}T{fields.get('Time', '')}"
        attrs["start"] = datetime.strptime(date, "%Y-%m-%dT%H:%M:%S").isoformat()
    return attrs


FORMAT = Format(
    name="Scienta SES text",
    vendors="Scienta Omicron",
    techniques=("xps",),
    extensions=(".txt",),
    recognise=is_scienta,
    read=read_scienta,
    reads="every region over binding or kinetic energy; regions over angles, slices or time are refused",
    checked=(Checked("formats-spectra/FAIRmat-NFDI__Ag_0001.txt", "Apache-2.0", "a plain parse"),),
)
