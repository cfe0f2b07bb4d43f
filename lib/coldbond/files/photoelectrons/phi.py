"""Binary files of ULVAC-PHI spectrometers, written by SmartSoft and MultiPak: photoelectron spectra (.spe).

File structure
--------------
A header of text between the lines `SOFH` and `EOFH`, with a name, a colon and a value in each line. `SpectralRegDef`
gives a region's name, number of points, step, start and end in binding energy [eV], the time per point [s] and the pass
energy [eV]. Numbers follow, in the byte order of Intel: four of 32 bits (the second is the number of spectra, the third
and fourth the lengths of their headers together and of this one), 24 of 32 bits for each spectrum, and the intensities
as floats. Known by their values in a recording, and from the description in the program yadg: of the 24 numbers of a
spectrum the 1st and 4th its number, the 6th its points, the 15th the unit, the 19th the type, the 20th the length of
the intensities in bytes, and the 21st where they start. In older files the 24th is where they end, and the time per
point follows (not checked with a recording).

Schema
------
xarray.DataTree, a child per region: `intensity` over `binding_energy` [eV]. Attrs: `energy_scale`, `photon_energy`
[eV], `pass_energy` [eV], `dwell_time` [s], which is that of all sweeps together (`sweeps` is 1), `source_label`,
`work_function` [eV], `sample_name`, `instrument`, `start` and `charge_reference`. The calibration of intensities in the
header is not applied.

Uncertainties
-------------
`one_count` is 1 / time per point for counts per second, where the intensities agree with it.
"""

import contextlib
import math
import re
import struct
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.numerals import numbers
from coldbond.files.photoelectrons.regions import quantity, region, region_name, tree

START, END = b"SOFH", re.compile(rb"\nEOFH\r?\n")
#: Lengths in bytes of the numbers after the header, and of those of each spectrum.
LENGTH, SPECTRUM_LENGTH = 16, 96
#: Types of an intensity, as the file names them.
TYPES = {"f4": "<f4", "f8": "<f8"}
SURVEY = "Su1s"
#: Part of a step by which start, step and number of points may miss the end, which has four decimals.
SAME = 0.05
AS_VAMAS = "export it from MultiPak as VAMAS or as text (.csv), one area and one cycle per file"
AGAIN = "copy the complete file again"


class Region(NamedTuple):
    """A region as the header defines it; energies in eV, the time per point in s."""

    name: str
    points: int
    step: float
    start: float
    end: float
    time: float
    pass_energy: float


def is_phi(data: bytes) -> bool:
    """Return whether the file starts like one of PHI."""
    return re.match(rb"SOFH\r?\n", data) is not None


def read_phi(path: Path, data: bytes, stated: Stated) -> xr.DataTree:
    """Read every region."""
    end = END.search(data)
    if end is None:
        raise ReadError(path, None, "a PHI file whose header does not end", AGAIN)
    lines = data[: end.start()].decode("latin-1").replace("\r", "").split("\n")
    pairs = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    fields = dict(pairs)
    kind, technique = fields.get("FileType", ""), fields.get("Technique", "")
    if kind != "SPECTRUM" or technique != "XPS":
        reason = f"a PHI file of the technique {technique or '(not stated)'} and the type {kind or '(not stated)'}"
        raise ReadError(path, None, f"{reason}, not XPS spectra", AS_VAMAS)
    defined = [_defined(path, line, value) for line, (name, value) in enumerate(pairs, 1) if name == "SpectralRegDef"]
    counted = fields.get("NoSpectralReg", "")
    if not defined or counted != str(len(defined)):
        raise ReadError(path, None, f"{len(defined)} regions where the header states {counted or 'none'}", AGAIN)
    attrs = _attrs(path, fields)
    intensities = _intensities(path, data[end.end() :], defined)
    regions = [
        _region(path, fields, one, unit, values, attrs)
        for one, (unit, values) in zip(defined, intensities, strict=True)
    ]
    attrs = {key: attrs[key] for key in ("instrument", "charge_reference") if key in attrs}
    return tree(regions, {"format": "phi-spe", **attrs})


def _defined(path: Path, line: int, value: str) -> Region:
    """Return a region from a line such as "1 1 Su1s 111 1751 -0.8 1400.0 0.0 1399.0 1.0 0.12 224.00 AREA"."""
    cells = value.split()
    if len(cells) < 12:
        raise ReadError(path, line, f"{value!r} does not define a region", AS_VAMAS)
    found = numbers(path, [*cells[4:8], *cells[10:12]], "a number of the region", [line] * 6, AGAIN)
    points, step, start, end, time, pass_energy = found.tolist()
    if not points.is_integer() or points < 2 or abs(start + step * (points - 1) - end) > SAME * abs(step):
        reason = f"{points:g} points from {start:g} eV in steps of {step:g} eV do not end at {end:g} eV"
        raise ReadError(path, line, reason, AS_VAMAS)
    return Region(cells[2], int(points), step, start, end, time, pass_energy)


def _intensities(path: Path, data: bytes, defined: list[Region]) -> list[tuple[str, np.ndarray]]:
    """Return unit and intensities of each region from the bytes after the header; no byte may be left over."""
    if len(data) < LENGTH:
        raise ReadError(path, None, "a PHI file that ends with its header", AGAIN)
    _, spectra, headers, own = struct.unpack("<4I", data[:LENGTH])
    if (spectra, headers, own) != (len(defined), len(defined) * SPECTRUM_LENGTH, LENGTH):
        reason = f"a PHI file of {spectra} spectra in {len(defined)} regions, or in another layout than the known one"
        raise ReadError(path, None, reason, AS_VAMAS)
    if len(data) < LENGTH + headers:
        raise ReadError(path, None, "a PHI file that ends within the headers of its spectra", AGAIN)
    found, spans = [], []
    for at, one in enumerate(defined):
        words = struct.unpack_from("<24I", data, LENGTH + at * SPECTRUM_LENGTH)
        unit, kind = (struct.pack("<I", words[word]).rstrip(b"\0").decode("latin-1") for word in (14, 18))
        points, length, start = words[5], words[19], words[20]
        if kind not in TYPES or points != one.points or length != points * int(kind[1:]) or words[0] != at + 1:
            reason = f"spectrum {at + 1} of {points} points of type {kind!r} in {length} bytes"
            remedy = AS_VAMAS
            raise ReadError(path, None, f"{reason}, where the header defines {one.points} points of {one.name}", remedy)
        after = 0
        if words[23]:  # the end is given instead, and the time per point stands after it
            start, after = words[23] - length, 4
        if start < LENGTH or start + length + after > len(data):
            reason = f"the file ends within the spectrum of {one.name}"
            raise ReadError(path, None, reason, AGAIN)
        if after and not math.isclose(struct.unpack_from("<f", data, start + length)[0], one.time, rel_tol=1e-5):
            reason = f"another time per point after the spectrum of {one.name} than the header's {one.time:g} s"
            raise ReadError(path, None, reason, AS_VAMAS)
        spans.append((start, start + length + after))
        found.append((unit, np.frombuffer(data, TYPES[kind], points, start).astype(float)))
    spans = [(0, LENGTH + headers), *sorted(spans), (len(data), len(data))]
    if any(first[1] != second[0] for first, second in pairwise(spans)):
        raise ReadError(path, None, "a PHI file with bytes that belong to no spectrum", AS_VAMAS)
    return found


def _region(
    path: Path, fields: dict[str, str], one: Region, unit: str, values: np.ndarray, attrs: dict[str, Any]
) -> tuple[str, xr.Dataset]:
    """Return name and spectrum of a region."""
    own = {"pass_energy": one.pass_energy} | ({"dwell_time": one.time, "sweeps": 1.0} if one.time > 0 else {})
    if fields.get("IntensityRecal", "no").lower() != "no":
        unit = "recalibrated intensity"  # no longer multiples of a count
    name = "Survey" if one.name == SURVEY else one.name
    energy = np.round(one.start + one.step * np.arange(one.points), 6)
    return region_name(name), region(path, energy, values, unit, attrs | own)


def _attrs(path: Path, fields: dict[str, str]) -> dict[str, Any]:
    """Return what the header says of all regions, under the names of the data model."""
    attrs: dict[str, Any] = {"energy_scale": "binding"}
    if source := fields.get("XraySource"):  # "Al 1486.6 mono"
        attrs["source_label"] = source
        energy = re.search(r"\d+\.?\d*( ?k?eV)?", source)
        photons = quantity(path, energy[0], "energy of XraySource", "eV") if energy else None
        attrs |= {"photon_energy": photons} if photons else {}
    if work := quantity(path, fields.get("AnalyserWorkFcn"), "AnalyserWorkFcn", "eV"):
        attrs["work_function"] = work
    if sample := re.match(r"\(\d+, (.+)\)$", fields.get("FileDesc", "")):
        attrs["sample_name"] = sample[1]
    if instrument := fields.get("InstrumentModel"):
        attrs["instrument"] = instrument
    if not re.match(r"(none|$)", fields.get("EnergyReference", ""), re.IGNORECASE):
        attrs["charge_reference"] = f"PHI, EnergyReference {fields['EnergyReference']}"
    if fields.get("EnergyRecal", "no").lower() != "no":
        recal = f"PHI, EnergyRecal {fields['EnergyRecal']}"
        attrs["charge_reference"] = "; ".join(filter(None, [attrs.get("charge_reference"), recal]))
    with contextlib.suppress(ValueError, TypeError, OverflowError):  # no date
        attrs["start"] = date(*map(int, fields.get("AcqFileDate", fields.get("FileDate", "")).split())).isoformat()
    return attrs


FORMAT = Format(
    name="PHI .spe",
    vendors="ULVAC-PHI",
    techniques=("xps",),
    extensions=(".spe",),
    recognise=is_phi,
    read=read_phi,
    reads="XPS spectra of one area, whatever the number of regions; depth profiles, maps, several areas and AES are "
    "refused; the calibration of intensities is not applied",
    checked=(Checked("formats-spectra/FAIRmat-NFDI__SnO2_10nm.spe", "Apache-2.0", "a plain parse"),),
)
