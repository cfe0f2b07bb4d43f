"""Text exported by SPECS SpecsLab Prodigy and SpecsLab2: photoelectron spectra (.xy).

File structure
--------------
Lines that start with the comment prefix, `#`, hold a name, a colon and a value. The first names the program, the next
are the settings of the export: `Energy Axis`, `Count Rate`, `Separate Scan Data` and others. Then follow groups, in
each of them regions with their acquisition parameters, in each region cycles, curves and scans with `ColumnLabels` and
rows of numbers. Data of external channels may stand between them.

Schema
------
xarray.DataTree, a child per region, cycle and curve: `intensity` over `binding_energy` [eV] and, where it was exported,
`transmission`, which is not applied. Attrs: `energy_scale`, `photon_energy` [eV], `pass_energy` [eV], `dwell_time` [s],
`sweeps`, `cycle`, `curve`, `sample_name` (the group), `source_label` and `start`. Scans that were exported one by one
are added up (counts) or averaged (counts per second); `combined` says so. Regions that are no photoelectron spectra and
the columns of external channels are listed in `unread`.

Uncertainties
-------------
`one_count` is 1 for counts and 1 / (dwell time x sweeps) for counts per second, where the intensities agree with it.
The last row of such a file has no line break. A file that was cut off is recognised by `Values/Curve`, and by the
digits of the last intensity, which must be as many as in the other rows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.encoding import as_utf8, head
from coldbond.files.errors import NO_LINE_BREAK, ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.numerals import numbers
from coldbond.files.photoelectrons.regions import (
    CORE_LEVEL,
    RATE,
    energies,
    quantity,
    region,
    region_name,
    tree,
    with_points,
)

CREATED = re.compile(r"(\W{0,9}?)\s*Created by:\s+Specs", re.IGNORECASE)
POSITION = re.compile(r"(Cycle|Curve|Scan|Channel):\s*([0-9]{1,9})(?![0-9])")
WHOLE = re.compile(r"[0-9]{1,9}")
#: Methods of analysis that give photoelectron spectra.
METHODS = ("XPS", "UPS", "ARPES", "ESCA", "HAXPES")
DATES = ("%m/%d/%y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M:%S")
AGAIN = "export it again from SpecsLab Prodigy, complete"
WITH_META = "export it again with Output Meta Data, Energy Axis binding or kinetic energy, and channels not separated"


@dataclass
class Block:
    """The rows below one line of column labels.

    Attributes
    ----------
    fields : dict of str to str
        Acquisition parameters of the region.
    line : int
        That of the column labels.
    labels : list of str
    sample : str
        The group.
    number : int
        That of the region in the file; a name may occur twice.
    position : dict of str to int
        Cycle, Curve and Scan.
    rows, lines : list
        The cells of each row, and its line.
    """

    fields: dict[str, str]
    line: int
    labels: list[str]
    sample: str
    number: int
    position: dict[str, int]
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def is_specs(data: bytes) -> bool:
    """Return whether the first line names SpecsLab as the program."""
    lines = head(data)
    return bool(lines) and CREATED.match(lines[0]) is not None


def read_specs(path: Path, data: bytes, stated: Stated) -> xr.DataTree:
    """Read every region, cycle and curve; scans of one curve are combined."""
    text = as_utf8(path, data).decode()
    settings, blocks, unread = _blocks(path, text.split("\n"))
    groups: dict[tuple[int, int, int], list[Block]] = {}
    for block in blocks:
        method = block.fields.get("Analysis Method", "XPS")
        name = f"region {block.fields.get('Region', '')}".strip()
        if method.upper() not in METHODS:
            unread.append(f"{name} ({method})")
        elif block.labels[0].lower() != "energy":
            unread.append(f"{name} (over {block.labels[0]})")
        elif block.rows:
            at = block.position
            groups.setdefault((block.number, at.get("Cycle", 0), at.get("Curve", 0)), []).append(block)
        else:
            raise ReadError(path, block.line, f"{name} has column labels, but no rows below them", AGAIN)
    if not groups:
        found = f": {', '.join(dict.fromkeys(unread))}" if unread else ""
        raise ReadError(path, None, f"a SPECS export without a photoelectron spectrum{found}", WITH_META)
    if text.rstrip(" \r") and not text.endswith("\n") and blocks[-1].rows:
        _check_last(path, blocks[-1])
    regions = []
    for scans in groups.values():
        label = next((text for text in (scans[0].fields.get("Region"), path.stem) if text), "")
        label = label if CORE_LEVEL.search(label) or scans[0].fields.get("Region") else path.stem
        regions.append((region_name(label), _region(path, settings, scans, stated)))
    attrs = {"format": "specs"} | ({"unread": ", ".join(dict.fromkeys(unread))} if unread else {})
    return tree(regions, attrs)


def _blocks(path: Path, lines: list[str]) -> tuple[dict[str, str], list[Block], list[str]]:
    """Return the settings of the export, the blocks of rows, and what is left unread."""
    created = CREATED.match(lines[0].lstrip("\ufeff"))
    prefix = created[1].strip() if created else "#"
    settings: dict[str, str] = {}
    fields: dict[str, str] = {}
    blocks: list[Block] = []
    unread: list[str] = []
    group, number, position, external, pending = "", 0, dict[str, int](), False, 0
    for at, line in enumerate(lines, start=1):
        line = line.strip()
        is_row = not line.startswith(prefix) if prefix else bool(re.match(r"[-+.\d]", line))
        if not line:
            continue
        if is_row:
            if external:
                continue
            if not blocks:
                raise ReadError(path, at, f"{line!r} before any column labels", WITH_META)
            blocks[-1].rows.append(line.split())
            blocks[-1].lines.append(at)
            continue
        content = line.removeprefix(prefix).strip()
        name, colon, value = (part.strip() for part in content.partition(":"))
        if scale := re.match(r"values in (binding|kinetic) energy", content, re.IGNORECASE):  # SpecsLab2
            (fields if number else settings)["Energy Axis"] = scale[1]
        elif re.match(r"external channel data.*Cycle:", content, re.IGNORECASE):
            external = True
            unread.append(f"external channel {content.split(',')[-1].strip()}")
        elif name == "Cycle" and colon:
            position, external = {key: int(digits) for key, digits in POSITION.findall(content)}, False
            pending = at
        elif name == "Group":
            group, fields, number = value, {}, number + 1
        elif name == "Region":
            fields, number, external, pending = {"Region": value}, number + 1, False, at
        elif name == "ColumnLabels" and not external:
            labels = value.split()
            if not labels:
                raise ReadError(path, at, "ColumnLabels names no column", AGAIN)
            blocks.append(Block(fields, at, labels, group, number, position))
            pending = 0
        elif colon:
            (fields if number else settings).setdefault(name, value)
    if pending:
        raise ReadError(path, pending, f"{lines[pending - 1].strip()!r} has no data below it", AGAIN)
    return settings, blocks, unread


def _check_last(path: Path, block: Block) -> None:
    """Refuse a last row without line break whose intensity has fewer digits than those of the other rows."""

    def digits(cell: str) -> int:
        return len(re.sub(r"[eE].*|\D", "", cell).lstrip("0"))

    intensities = [row[-1] for row in block.rows]
    if digits(intensities[-1]) < max(map(digits, intensities)):
        raise ReadError(path, block.lines[-1], *NO_LINE_BREAK)


def _columns(path: Path, block: Block) -> tuple[np.ndarray, list[str]]:
    """Return the numbers of a block (rows, columns), and the names of the columns that are surely theirs."""
    width = len(block.rows[0])
    labels = block.labels if len(block.labels) == width else block.labels[:2]  # later labels may contain blanks
    values = block.fields.get("Values/Curve", "")
    if WHOLE.fullmatch(values) and int(values) != len(block.rows):
        reason = f"{len(block.rows)} rows where Values/Curve states {values}"
        raise ReadError(path, block.lines[-1], reason, AGAIN)
    for line, row in zip(block.lines, block.rows, strict=True):
        if len(row) != width or width < 2 or len(block.labels) < 2 or len(block.labels) < width:
            raise ReadError(path, line, f"{len(row)} numbers under the labels {' '.join(block.labels)}", AGAIN)
    columns = zip(*with_points(path, block.rows, block.lines), strict=True)
    return np.array([numbers(path, cells, "a number", block.lines, AGAIN) for cells in columns]).T, labels


def _region(path: Path, settings: dict[str, str], scans: list[Block], stated: Stated) -> xr.Dataset:
    """Return the spectrum of the scans of one curve."""
    first, fields = scans[0], settings | scans[0].fields
    if "Channel" in first.position:
        raise ReadError(path, first.line, "the channels of the detector were exported one by one", WITH_META)
    unit = first.labels[1] if len(first.labels) > 1 else ""
    setting = fields.get("Count Rate", unit)
    if not re.match("counts?|cps|c/s", unit, re.IGNORECASE) or bool(RATE.search(unit)) != bool(RATE.search(setting)):
        reason = f"the intensity is labelled {unit!r}, and Count Rate is {setting!r}"
        raise ReadError(path, first.line, reason, "export it again, in counts or in counts per second")
    tables = [_columns(path, block) for block in scans]
    values, labels = tables[0]
    for block, (table, others) in zip(scans[1:], tables[1:], strict=True):
        if block.labels != first.labels or others != labels or not np.array_equal(table[:, 0], values[:, 0]):
            raise ReadError(
                path, block.line, "a scan over other energies than the scan before", "export scans combined"
            )
    if len({block.position.get("Scan") for block in scans}) != len(scans):
        raise ReadError(path, scans[-1].line, "the same scan twice", "export it again; join no files")
    intensity = np.sum([table[:, 1] for table, _ in tables], axis=0)
    attrs = _attrs(path, fields, first, len(scans))
    if len(scans) > 1 and RATE.search(unit):
        intensity = intensity / len(scans)
    if len(scans) > 1:
        attrs["combined"] = f"{'mean' if RATE.search(unit) else 'sum'} of {len(scans)} scans"
    energy, scale = _energies(path, fields, first, values[:, 0], stated)
    known = labels[:2] + [label for label in labels[2:] if label.lower() == "transmission"]
    if others := [label for label in labels if label not in known] or first.labels[len(labels) :]:
        attrs["unread"] = f"columns {' '.join(others)}"
    found = region(path, energy, intensity, unit, attrs | scale, first.lines)
    if "transmission" in labels:
        transmission = values[np.argsort(energy), labels.index("transmission")]
        shown = {"units": "1", "long_name": "transmission of the analyser"}
        found["transmission"] = ("binding_energy", transmission, shown)
    return found


def _energies(
    path: Path, fields: Mapping[str, str], block: Block, energy: np.ndarray, stated: Stated
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return binding energies, and the attrs that say where they come from."""
    axis = fields.get("Energy Axis", "")
    kind = re.match("binding|kinetic", axis, re.IGNORECASE)
    if not kind:
        raise ReadError(path, block.line, f"the energy axis is {axis!r}, not binding or kinetic energy", WITH_META)
    photons = quantity(path, fields.get("Excitation Energy"), "Excitation Energy", "eV")
    scale = kind[0].lower()
    starts = {"binding": fields.get("Binding Energy"), "kinetic": fields.get("Kinetic Energy")}
    for name, cell in starts.items():
        # The region's start on one of the two scales. It shows an axis that is not the one that is named.
        start = quantity(path, cell.lstrip("-"), f"{name} energy", "eV") if cell else None
        if start and photons:
            step = abs(energy[1] - energy[0]) if energy.size > 1 else 0.0
            same, other = (start, photons - start) if name == scale else (photons - start, start)
            if np.abs(energy - same).min() > step and abs(energy[0] - other) < min(step, abs(same - other)) / 2:
                reason = (
                    f"the energies start at {energy[0]:g} eV, the {name} energy of the region, not {scale} energies"
                )
                raise ReadError(path, block.lines[0], reason, WITH_META)
    return energies(path, energy, scale, photons, stated, block.line)


def _attrs(path: Path, fields: Mapping[str, str], block: Block, scans: int) -> dict[str, Any]:
    """Return the acquisition parameters under the names of the data model."""
    attrs: dict[str, Any] = {}
    for name, label, unit in (("pass_energy", "Pass Energy", "eV"), ("dwell_time", "Dwell Time", "s")):
        if (value := quantity(path, fields.get(label), label, unit)) is not None:
            attrs[name] = value
    if "retarding" in fields.get("Scan Mode", "").lower() and "ratio" in fields.get("Scan Mode", "").lower():
        attrs.pop("pass_energy", None)
    number = fields.get("Number of Scans", "")
    if WHOLE.fullmatch(number) and int(number) > 0:
        attrs["sweeps"] = float(number)
    if "Scan" in block.position:
        if WHOLE.fullmatch(number) and int(number) != scans:
            raise ReadError(path, block.line, f"{scans} of the {number} scans that Number of Scans states", AGAIN)
        attrs["sweeps"] = float(scans)
    for name in ("Cycle", "Curve"):
        if block.position.get(name):
            attrs[name.lower()] = block.position[name]
    labels = (("sample_name", block.sample), ("source_label", fields.get("Source")))
    attrs |= {name: text for name, text in labels if text}
    date = re.sub(r"\s+[A-Z]{2,4}$", "", fields.get("Acquisition Date", ""))
    for pattern in DATES:
        try:
            attrs["start"] = datetime.strptime(date, pattern).isoformat()
        except ValueError:
            continue
        break
    return attrs


FORMAT = Format(
    name="SPECS .xy",
    vendors="SPECS",
    techniques=("xps",),
    extensions=(".xy",),
    recognise=is_specs,
    read=read_specs,
    reads="every region, cycle and curve over binding or kinetic energy; scans are combined; a transmission is not "
    "applied; detector channels one by one are refused",
    checked=(Checked("formats-spectra/FAIRmat-NFDI__MgFe2O4_small.xy", "Apache-2.0", "a plain parse"),),
)
