"""Raman spectra of B&W Tek spectrometers, written by BWSpec and BWRam (.txt, .csv).

File structure
--------------
A header of lines `name;value`, the names of the columns, which start with `Pixel`, and one row per pixel of the camera.
Columns are separated by semicolons, tabs or commas; numbers have decimal points or, except between commas, decimal
commas. Pixels outside the calibrated range have no Raman shift and are left out.

Schema
------
xarray.Dataset: `intensity` over `raman_shift` [1/cm], the dark counts subtracted where the file has them; its attr
`column` names the column. Attrs, where the header has them: `excitation` [nm], `instrument`, `integration_time` [s],
`accumulations`, `laser_power_percent` and `start`. Raman shift, wavenumber and the laser of the file must agree, as
must the dark, raw and dark-subtracted counts.

Uncertainties
-------------
The counting statistics are unknown: the counts are those of an analogue-to-digital converter, averaged over the
accumulations, and not single photons.
"""

import re
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.numerals import NUMBER, numbers
from coldbond.files.raman import axis, text
from coldbond.files.spectrum import spectrum

DARK, RAW, SUBTRACTED = "Dark", "Raw data #1", "Dark Subtracted #1"
#: Deviation [1/cm] between two numbers of two decimals, and [counts] between three of three decimals.
SHIFT_ROUNDING = 0.011
COUNT_ROUNDING = 2e-3
AGAIN = "export it again from BWSpec"
LASER = "state it with read(path, excitation=785) or in the column excitation_nm of manifest.csv"
#: Attrs and the names of their header fields (the first is misspelt in most versions).
NUMBERS = {
    "integration_time": r"int[ei]gration times?\(ms\)",
    "accumulations": "average number",
    "laser_power_percent": "laser_powerlevel",
}


def is_bwtek(data: bytes) -> bool:
    """Return whether the file starts like one of BWSpec or BWRam."""
    return bool(re.match(r'"?File Version"?[;,\t]\s*"?BW', text.start(data)))


def read_bwtek(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the spectrum, its dark counts subtracted where the file has them."""
    lines = [line.strip().replace('"', "") for line in text.lines(path, data)]
    separator = lines[0][len("File Version")]
    lines = [line.rstrip(separator) for line in lines]
    at = next((number for number, line in enumerate(lines) if line.startswith(f"Pixel{separator}")), None)
    if at is None:
        raise ReadError(path, len(lines), "no row of column names that starts with Pixel", AGAIN)
    fields = [line.partition(separator) for line in lines[:at] if separator in line]
    header = {name.strip().lower(): value.strip() for name, _, value in fields}
    names = [name.strip() for name in lines[at].split(separator)]
    pixels = _stated(path, header, "pixel_num")
    rows = [line.split(separator) for line in lines[at + 1 :] if line]
    if len(rows) != pixels:
        raise ReadError(path, at + 1 + len(rows), f"{len(rows)} rows where pixel_num states {pixels:g}", AGAIN)
    for number, row in enumerate(rows, start=at + 2):
        if len(row) != len(names):
            raise ReadError(path, number, f"{len(row)} fields under {len(names)} column names", AGAIN)
    if twice := {name for name in names if names.count(name) > 1}:
        raise ReadError(path, at + 1, f"several columns named {', '.join(sorted(twice))}", AGAIN)
    intensity = SUBTRACTED if SUBTRACTED in names else RAW
    wanted = [name for name in ("Raman Shift", "Wavenumber", DARK, RAW, SUBTRACTED) if name in names]
    if missing := {"Raman Shift", intensity} - set(wanted):
        raise ReadError(path, at + 1, f"no column named {', '.join(sorted(missing))}", AGAIN)
    if several := [name for name in names if re.fullmatch(r"(Raw data|Dark Subtracted) #(?!1$)\d+", name)]:
        raise ReadError(path, at + 1, f"several spectra ({', '.join(several)})", "export one spectrum per file")
    shifts = [row[names.index("Raman Shift")].strip() for row in rows]
    inside = [number for number, shift in enumerate(shifts) if shift]
    first, stop = (inside[0], inside[-1] + 1) if inside else (0, 0)
    at_lines = range(at + 2 + first, at + 2 + stop)
    columns = {}
    for name in wanted:
        cells = [row[names.index(name)].strip().replace(",", ".") for row in rows[first:stop]]
        columns[name] = numbers(path, cells, name, at_lines, AGAIN)
    laser = _laser(path, header, stated)
    _check_columns(path, columns, axis.NM / laser if laser is not None else None, at_lines)
    attrs: dict[str, object] = {"format": "bwtek"} | ({"excitation": laser} if laser is not None else {})
    attrs |= {"instrument": header["model"]} if header.get("model") else {}
    attrs |= {"start": header["date"].replace(" ", "T")} if header.get("date") else {}
    for key, field in NUMBERS.items():
        if found := [name for name in header if re.fullmatch(field, name)]:
            attrs[key] = _stated(path, header, found[0]) / (1e3 if key == "integration_time" else 1)
    attrs["unread"] = ", ".join(name for name in names if name not in ("Raman Shift", intensity))
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
        raise ReadError(
            path,
            None,
            f"the header states {number or 'nothing'} for {name!r}",
            AGAIN if name != "laser_wavelength" else LASER,
        )
    return float(number)


def _laser(path: Path, header: dict[str, str], stated: Stated) -> float | None:
    """Return the wavelength of the laser [nm]; None where the header lacks it and the user states it."""
    if stated.excitation is not None and not header.get("laser_wavelength", "").strip("0., "):
        return None
    laser = axis.laser(f"{_stated(path, header, 'laser_wavelength')} nm")
    if laser is None:
        reason = f"the header states {header['laser_wavelength']!r} for 'laser_wavelength'"
        raise ReadError(path, None, reason, AGAIN)
    return laser


def _check_columns(path: Path, columns: dict[str, np.ndarray], laser: float | None, lines: range) -> None:
    """Refuse columns that contradict each other; `laser` is the wavenumber [1/cm] of the laser."""
    off = np.zeros(len(lines), bool)
    if laser is not None and "Wavenumber" in columns:
        off = np.abs(columns["Raman Shift"] + columns["Wavenumber"] - laser) > SHIFT_ROUNDING
    reason = "Raman shift and wavenumber do not add up to that of the laser"
    if not off.any() and {DARK, RAW, SUBTRACTED} <= columns.keys():
        off = np.abs(columns[RAW] - columns[DARK] - columns[SUBTRACTED]) > COUNT_ROUNDING
        reason = f"{RAW} minus {DARK} is not {SUBTRACTED}"
    if off.any():
        raise ReadError(path, lines[int(off.argmax())], reason, AGAIN)


FORMAT = Format(
    name="B&W Tek BWSpec and BWRam text",
    vendors="B&W Tek",
    techniques=("raman",),
    extensions=(".txt", ".csv"),
    recognise=is_bwtek,
    read=read_bwtek,
    reads="the spectrum, its dark counts subtracted where the file has them",
    checked=tuple(
        Checked(f"raman-si-532-bwtek/{name}_532.txt", "MIT", "a plain parse")
        for name in ("S0B10", "Polystyrene", "Neon")
    ),
)
