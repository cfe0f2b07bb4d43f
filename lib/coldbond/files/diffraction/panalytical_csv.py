"""Powder patterns that PANalytical's programs export as comma-separated text (.csv).

File structure
--------------
`[Measurement conditions]`, lines of a name, a comma and a value, `[Scan points]`, the names of the columns (`Angle`,
`Intensity`, in newer programs `TimePerStep` and `ESD` too) and the rows. Semicolons and decimal commas where the
computer writes these.

Schema
------
xarray.Dataset: `intensity` over `two_theta` [degree], with the attrs `wavelength_kalpha1`, `wavelength_kalpha2`
[angstrom], `kalpha2_ratio`, `anode`, `scan_axis`, `scan_mode`, `step` [degree], `count_time` [s] and `sample_name`.

Uncertainties
-------------
The file does not say that its intensities are counts: they may have been corrected for the attenuator or the slit. The
statistics are known where a column ESD is the square root of the intensity.
"""

import re
from pathlib import Path
from typing import Any

import xarray as xr

from coldbond.files.diffraction.scans import check_axis, counted, wavelengths
from coldbond.files.encoding import head
from coldbond.files.errors import NO_ROWS, ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.numerals import AGAIN, number
from coldbond.files.rows import cells, lines_of, read_rows
from coldbond.files.spectrum import gaps, spectrum

CONDITIONS, POINTS = "[Measurement conditions]", "[Scan points]"
UNKNOWN = "the file does not say that its intensities are counts as they were recorded"


def is_panalytical_csv(data: bytes) -> bool:
    """Return whether both sections stand at the start."""
    lines = {line.strip().strip('",;') for line in head(data)}
    return CONDITIONS in lines and POINTS in lines


def read_panalytical_csv(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the scan."""
    lines = lines_of(path, data)
    plain = [line.strip().strip('",;') for line in lines]
    if plain.count(POINTS) != 1:
        reason = f"{plain.count(POINTS)} sections {POINTS}"
        raise ReadError(path, None, reason, "export each scan to a file of its own")
    at = plain.index(POINTS) + 1
    semicolon = ";" in lines[at]
    fields = _fields(lines[: at - 1], ";" if semicolon else ",")
    names = [name.strip().lower() for name in re.split("[;,]", plain[at])]
    if names[:1] != ["angle"] or names.count("intensity") != 1:
        reason = f"the columns {plain[at]!r}, not Angle and Intensity"
        raise ReadError(path, at + 1, reason, "export angle and intensity")
    if not any(plain[at + 1 :]):
        raise ReadError(path, at + 1, *NO_ROWS)
    check_axis(path, fields.get("scan axis", "Gonio"))
    rows = read_rows(path, lines, at + 1)
    if rows.values.shape[1] != len(names):
        reason = f"{rows.values.shape[1]} columns under {len(names)} names"
        raise ReadError(path, rows.lines[0], reason, "export it again")
    count = fields.get("no. of points")
    if count and number(path, count, "No. of points") != len(rows.lines):
        raise ReadError(path, None, f"{len(rows.lines)} points where the header says {count}", AGAIN)
    angle, intensity = rows.values[:, 0], rows.values[:, names.index("intensity")]
    _check_range(path, fields, angle, rows.lines[-1])
    known: dict[str, Any] = {"units": "arbitrary units", "unknown": UNKNOWN}
    if "esd" in names:
        known = counted(intensity, rows.values[:, names.index("esd")])
    attrs = _attrs(path, fields) | gaps(path, angle, rows.lines)
    if unread := [name for name in names[1:] if name not in ("intensity", "esd")]:
        attrs["unread"] = ", ".join(unread)
    return spectrum(path, "xrd", angle, intensity, **known, attrs=attrs, lines=rows.lines)


def _fields(lines: list[str], separator: str) -> dict[str, str]:
    """Return the measurement conditions by their names in lower case; numbers with decimal points."""
    fields = {}
    for line in lines:
        name, _, value = line.partition(separator)
        value = value.strip().strip('"').strip()
        fields[name.strip().lower()] = re.sub(r"(?<=\d),(?=\d)", ".", value) if separator == ";" else value
    return fields


def _check_range(path: Path, fields: dict[str, str], angle: Any, line: int) -> None:
    """Compare the last angle with the end of the scan, which lies within one step or two of it."""
    ends, step = cells(fields.get("scan range", "").replace(";", ",")), fields.get("scan step size")
    if len(ends) == 2 and step:
        end, width = number(path, ends[1], "Scan range"), number(path, step, "Scan step size")
        if angle[-1] < end - 2 * width or angle[-1] > end + 2 * width:
            raise ReadError(path, line, f"the points end at {angle[-1]:g} degree, not at {end:g} as planned", AGAIN)


def _attrs(path: Path, fields: dict[str, str]) -> dict[str, Any]:
    """Return the measuring conditions under the names of the data model."""

    def value(key: str) -> float | None:
        return number(path, fields[key], key) if fields.get(key) else None

    attrs: dict[str, Any] = {"format": "panalytical-csv", "instrument": "PANalytical"}
    attrs |= wavelengths(value("k-alpha1 wavelength"), value("k-alpha2 wavelength"), value("ratio k-alpha2/k-alpha1"))
    attrs |= {"anode": fields.get("anode material"), "scan_axis": fields.get("scan axis")}
    attrs |= {"scan_mode": fields.get("scan type"), "sample_name": fields.get("sample identification")}
    attrs |= {"step": value("scan step size"), "count_time": value("time per step")}
    return {name: value for name, value in attrs.items() if value}


FORMAT = Format(
    name="PANalytical .csv",
    vendors="Malvern Panalytical",
    techniques=("xrd",),
    extensions=(".csv",),
    recognise=is_panalytical_csv,
    read=read_panalytical_csv,
    reads="one scan of 2theta with its wavelengths",
    checked=(Checked("formats-spectra/yadg__210520step1_30min.csv", "GPL-3.0 (data of tests)", "a plain parse"),),
)
