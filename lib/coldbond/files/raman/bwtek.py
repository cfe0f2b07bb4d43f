"""Raman spectra of B&W Tek spectrometers, written by BWSpec (.txt).

File structure
--------------
A header of lines `name;value`, the names of the columns, which start with `Pixel`, and one row per pixel of the camera.
Numbers have decimal commas or points. Pixels outside the calibrated range have no Raman shift and are left out.

Schema
------
xarray.Dataset: `intensity` over `raman_shift` [1/cm], the dark counts subtracted where the file has them; its attr
`column` names the column. Attrs: `excitation` [nm], `instrument`, `integration_time` [s], `accumulations`,
`laser_power_percent` and `start`. Raman shift, wavenumber and laser wavelength must agree, as must the dark, raw and
dark-subtracted counts.

Uncertainties
-------------
The counting statistics are unknown: the counts are those of an analogue-to-digital converter, averaged over the
accumulations, and not single photons.
"""

import re
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.encoding import as_utf8
from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import NUMBER, numbers
from coldbond.files.spectrum import spectrum

DARK, RAW, SUBTRACTED = "Dark", "Raw data #1", "Dark Subtracted #1"
#: Deviation [1/cm] between two numbers of two decimals, and [counts] between three of three decimals.
SHIFT_ROUNDING = 0.011
COUNT_ROUNDING = 2e-3
AGAIN = "export it again from BWSpec"


def is_bwtek(data: bytes) -> bool:
    """Return whether the file starts like one of BWSpec."""
    return data.startswith(b"File Version;BWRam")


def read_bwtek(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the spectrum, its dark counts subtracted where the file has them."""
    lines = [line.strip().rstrip(";") for line in as_utf8(path, data).decode().split("\n")]
    at = next((number for number, line in enumerate(lines) if line.startswith("Pixel;")), None)
    if at is None:
        raise ReadError(path, len(lines), "no row of column names that starts with Pixel", AGAIN)
    header = dict(line.split(";", 1) for line in lines[:at] if ";" in line)
    names = lines[at].split(";")
    pixels = _stated(path, header, "pixel_num")
    rows = [line.split(";") for line in lines[at + 1 :] if line]
    if len(rows) != pixels:
        raise ReadError(path, at + 1 + len(rows), f"{len(rows)} rows where pixel_num states {pixels:g}", AGAIN)
    for number, row in enumerate(rows, start=at + 2):
        if len(row) != len(names):
            raise ReadError(path, number, f"{len(row)} fields under {len(names)} column names", AGAIN)
    intensity = SUBTRACTED if SUBTRACTED in names else RAW
    wanted = [name for name in ("Raman Shift", "Wavenumber", DARK, RAW, SUBTRACTED) if name in names]
    if missing := {"Raman Shift", "Wavenumber", intensity} - set(wanted):
        raise ReadError(path, at + 1, f"no column named {', '.join(sorted(missing))}", AGAIN)
    if several := [name for name in names if re.fullmatch(r"Raw data #[2-9]\d*", name)]:
        raise ReadError(path, at + 1, f"several spectra ({', '.join(several)})", "export one spectrum per file")
    shifts = [row[names.index("Raman Shift")].strip() for row in rows]
    inside = [number for number, shift in enumerate(shifts) if shift]
    first, stop = (inside[0], inside[-1] + 1) if inside else (0, 0)
    at_lines = range(at + 2 + first, at + 2 + stop)
    columns = {}
    for name in wanted:
        cells = [row[names.index(name)].strip().replace(",", ".") for row in rows[first:stop]]
        columns[name] = numbers(path, cells, name, at_lines, AGAIN)
    laser = _stated(path, header, "laser_wavelength")
    _check_columns(path, columns, 1e7 / laser, at_lines)
    attrs = {
        "format": "bwtek",
        "excitation": laser,
        "instrument": header.get("model", ""),
        "integration_time": _stated(path, header, "intigration times(ms)") / 1e3,
        "accumulations": _stated(path, header, "average number"),
        "laser_power_percent": _stated(path, header, "laser_powerlevel"),
        "start": header.get("Date", "").replace(" ", "T"),
        "unread": ", ".join(name for name in names if name not in ("Raman Shift", intensity)),
    }
    reason = "the counts are those of a camera's converter, averaged, and not single photons"
    recording = spectrum(
        path, "raman", columns["Raman Shift"], columns[intensity], unknown=reason, attrs=attrs, lines=at_lines
    )
    recording.intensity.attrs["column"] = intensity
    return recording


def _stated(path: Path, header: dict[str, str], name: str) -> float:
    """Return a positive number of the header."""
    number = header.get(name, "").replace(",", ".")
    if not NUMBER.fullmatch(number) or float(number) <= 0:
        raise ReadError(path, None, f"the header states {number or 'nothing'} for {name!r}", AGAIN)
    return float(number)


def _check_columns(path: Path, columns: dict[str, np.ndarray], laser: float, lines: range) -> None:
    """Refuse columns that contradict each other; `laser` is the wavenumber [1/cm] of the laser."""
    off = np.abs(columns["Raman Shift"] + columns["Wavenumber"] - laser) > SHIFT_ROUNDING
    reason = "Raman shift and wavenumber do not add up to that of the laser"
    if not off.any() and {DARK, RAW, SUBTRACTED} <= columns.keys():
        off = np.abs(columns[RAW] - columns[DARK] - columns[SUBTRACTED]) > COUNT_ROUNDING
        reason = f"{RAW} minus {DARK} is not {SUBTRACTED}"
    if off.any():
        raise ReadError(path, lines[int(off.argmax())], reason, AGAIN)


FORMAT = Format(
    name="B&W Tek BWSpec text",
    vendors="B&W Tek",
    techniques=("raman",),
    extensions=(".txt",),
    recognise=is_bwtek,
    read=read_bwtek,
    reads="the spectrum, its dark counts subtracted where the file has them",
)
