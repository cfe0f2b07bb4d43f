"""Raman spectra of Horiba spectrometers, exported as text by LabSpec 5 and 6 (.txt).

File structure
--------------
A header of lines `#name=<tab>value`, in utf-8 or latin-1, then two columns, shift and intensity. `#AxisUnit[1]`, or in
its absence the unit in the names `#Range (...)` and `#Spectro (...)`, is that of the axis. Maps have a row of shifts
and a row per place.

Schema
------
xarray.Dataset: `intensity` over `raman_shift` [1/cm], with the attrs `excitation` [nm], `integration_time` [s],
`accumulations`, `instrument`, `sample_name` and `start` where the header has them. `processed` lists the steps that
LabSpec applied before the export, such as the subtraction of a baseline.

Uncertainties
-------------
The counting statistics are unknown: counts are those of a camera and not single photons.
"""

import re
from datetime import datetime
from pathlib import Path

import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.numerals import NUMBER
from coldbond.files.raman import axis, text
from coldbond.files.spectrum import spectrum

FIELD = re.compile(r"#([^=\t]+)=\s?(.*)")
KNOWN = re.compile(
    r"#(Acq|Accumulations|Laser|Spectro|Range|Grating|AxisType|AxisUnit|Detector)\b[^\n=]*=", re.IGNORECASE
)
UNITS = {"cnt": "count", "cnt/sec": "count/s", "cnt/s": "count/s", "counts": "count"}
LASER = ("laser", "laser wavelength", "laser (nm)", "excitation", "excitation wavelength")
EXPORT = "export one spectrum from LabSpec as text, with its header, over Raman shift in 1/cm"


def is_labspec(data: bytes) -> bool:
    """Return whether the file starts with LabSpec's header."""
    start = text.start(data)
    return bool(re.match(r"#[^\n=\t]{1,60}=(\t|[^\n]*\n#)", start)) and len(KNOWN.findall(start)) > 1


def read_labspec(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read one spectrum."""
    lines = text.lines(path, data)
    first = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    fields = [match.groups() for line in lines[:first] if (match := FIELD.fullmatch(line.strip()))]
    header = {name.strip().lower(): value.strip() for name, value in fields}
    if first + 1 < len(lines) and len(text.cells(lines[first])) > 2:
        raise ReadError(path, first + 1, "a map or series: more than two columns", EXPORT)
    (places, intensity), at = text.columns(path, lines, first, ("the shift", "the intensity"), EXPORT)
    units = {unit for name in header if re.match(r"(range|spectro)\s*\(", name) and (unit := axis.unit(name))}
    if "axisunit[1]" in header:
        units.add(str(axis.unit(header["axisunit[1]"])))
    if len(units) != 1:
        reason = f"the header names {' and '.join(sorted(units)) or 'no unit'} for the axis"
        raise ReadError(path, None, reason, EXPORT)
    if re.search(axis.ABSORPTION, header.get("axistype[0]", ""), re.IGNORECASE):
        raise ReadError(path, None, f"a spectrum of {header['axistype[0]']}", axis.USE_RAMAN)
    laser = next((axis.laser(value) for name, value in header.items() if name in LASER), None)
    unit = units.pop()
    shift = axis.shift(path, places, unit, axis.excitation(stated, laser), "of LabSpec")
    attrs: dict[str, object] = {"format": "labspec-text"}
    attrs |= {"excitation": laser} if laser is not None else {}
    for key, pattern in (("integration_time", r"acq.* time \(s\)"), ("accumulations", "accumulations")):
        number = next((value for name, value in header.items() if re.fullmatch(pattern, name)), "").replace(",", ".")
        attrs |= {key: float(number)} if NUMBER.fullmatch(number) else {}
    attrs |= {
        key: header[name] for key, name in (("instrument", "instrument"), ("sample_name", "title")) if header.get(name)
    }
    attrs |= _start(header.get("acquired", ""))
    if steps := [name.strip() for name, _ in fields if ":" in name and not name.lower().startswith("full time")]:
        attrs["processed"] = ", ".join(dict.fromkeys(steps))
    written = header.get("axisunit[0]", "")
    return spectrum(
        path,
        "raman",
        shift,
        intensity,
        units=UNITS.get(written.lower(), written or "count"),
        unknown=axis.CAMERA,
        attrs=attrs,
        lines=at,
    )


def _start(acquired: str) -> dict[str, str]:
    """Return the start of the acquisition, written with the day first."""
    try:
        return {"start": datetime.strptime(acquired, "%d.%m.%Y %H:%M:%S").isoformat()}
    except ValueError:
        return {}


FORMAT = Format(
    name="Horiba LabSpec text",
    vendors="Horiba Jobin Yvon",
    techniques=("raman",),
    extensions=(".txt",),
    recognise=is_labspec,
    read=read_labspec,
    reads="one spectrum with its header, over Raman shift or wavelength; maps are refused",
    checked=(Checked("raman-labspec/labspec_raman_example.txt", "MIT", "a plain parse"),),
)
