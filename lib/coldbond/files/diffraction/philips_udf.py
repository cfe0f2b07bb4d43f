"""Powder patterns of Philips diffractometers as text (.udf, PC-APD).

File structure
--------------
Lines `name,value,/`, then `RawScan` and the intensities, separated by commas; a slash ends them. The angles follow from
`DataAngleRange` and `ScanStepSize`. The names are those that DASH, MAUD and other programs read.

Schema
------
xarray.Dataset: `intensity` over `two_theta` [degree], with the attrs `wavelength_kalpha1`, `wavelength_kalpha2`
[angstrom], `kalpha2_ratio`, `anode`, `instrument`, `scan_mode`, `step` [degree], `count_time` [s] and `sample_name`.

Uncertainties
-------------
The file does not say that its intensities are counts, so that the statistics are unknown.
"""

import re
from pathlib import Path
from typing import Any

import xarray as xr

from coldbond.files.diffraction.scans import angles, points_of_range, wavelengths
from coldbond.files.encoding import head
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import AGAIN, number
from coldbond.files.rows import lines_of, value_lists
from coldbond.files.spectrum import spectrum

FIELD = re.compile(r"\s*(\w+)\s*,(.*?)\s*,?\s*/\s*")


def is_udf(data: bytes) -> bool:
    """Return whether the names of range and step, and the mark of the data, stand at the start."""
    lines = [line.strip() for line in head(data)]
    names = {found[1] for line in lines if (found := FIELD.fullmatch(line))}
    return {"DataAngleRange", "ScanStepSize"} <= names and "RawScan" in lines


def read_udf(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the scan."""
    lines = lines_of(path, data)
    at = next(number for number, line in enumerate(lines) if line.strip() == "RawScan")
    fields = {found[1]: found[2].strip() for line in lines[:at] if (found := FIELD.fullmatch(line))}
    body = [(number, line.split("/")[0]) for number, line in enumerate(lines[at + 1 :], start=at + 2)]
    intensity = value_lists(path, body)
    ends = [cell.strip() for cell in fields["DataAngleRange"].split(",")] if "DataAngleRange" in fields else []
    if len(ends) != 2:
        raise ReadError(path, None, "DataAngleRange is not two angles", AGAIN)
    start, end = (number(path, cell, "DataAngleRange") for cell in ends)
    step = number(path, fields.get("ScanStepSize"), "ScanStepSize")
    planned = points_of_range(start, step, end)
    if intensity.size != planned:
        reason = f"{intensity.size} intensities, where {start:g} to {end:g} degree in steps of {step:g} are {planned}"
        raise ReadError(path, len(lines), reason, AGAIN)

    def value(key: str) -> float | None:
        return number(path, fields[key], key) if fields.get(key) else None

    attrs: dict[str, Any] = {"format": "philips-udf"}
    # PC-APD writes "Labda".
    first, second = (value(f"Labda{line}") or value(f"Lambda{line}") for line in ("Alpha1", "Alpha2"))
    attrs |= wavelengths(first, second, value("RatioAlpha21"))
    attrs |= {"anode": fields.get("Anode"), "instrument": f"Philips {fields.get('DiffrType', '')}".strip()}
    attrs |= {"sample_name": fields.get("SampleIdent"), "scan_mode": fields.get("ScanType")}
    attrs |= {"step": step, "count_time": value("ScanStepTime")}
    known = {name: value for name, value in attrs.items() if value}
    return spectrum(path, "xrd", angles(start, step, planned), intensity, units="arbitrary units", attrs=known)


FORMAT = Format(
    name="Philips .udf",
    vendors="Philips, Malvern Panalytical",
    techniques=("xrd",),
    extensions=(".udf",),
    recognise=is_udf,
    read=read_udf,
    reads="one scan of 2theta",
)
