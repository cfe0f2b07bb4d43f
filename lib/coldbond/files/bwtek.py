"""Text files of B&W Tek's Raman spectrometers: a row a pixel of the camera, with decimal commas or points."""

import re
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.encoding import as_utf8
from coldbond.files.errors import ReadError
from coldbond.files.spectrum import spectrum
from coldbond.files.table import NUMBER

DARK, RAW, SUBTRACTED = "Dark", "Raw data #1", "Dark Subtracted #1"
ROUNDED = 0.011  # 1/cm, two numbers of two decimals
AGAIN = "export it again from BWSpec"


def is_bwtek(data: bytes) -> bool:
    """Whether the file starts as BWRam's do."""
    return data.startswith(b"File Version;BWRam")


def read_bwtek(path: Path, data: bytes) -> xr.Dataset:
    """Read the spectrum over Raman shift, its dark counts subtracted where the file has them.

    Pixels outside the calibrated range, which have no Raman shift, are left out.

    Returns
    -------
    xarray.Dataset
        See `coldbond.files.read`. The attr `column` of the intensity is the name of the column that was read.

    Raises
    ------
    ReadError
        Pixels are missing, or the columns contradict each other: shift, wavenumber and the laser's wavelength; dark,
        raw and dark-subtracted counts.
    """
    lines = [line.strip().rstrip(";") for line in as_utf8(path, data).decode().split("\n")]
    at = next((number for number, line in enumerate(lines) if line.startswith("Pixel;")), None)
    if at is None:
        raise ReadError(path, len(lines), "no row of column names that starts with Pixel", AGAIN)
    header = dict(line.split(";", 1) for line in lines[:at] if ";" in line)
    names = lines[at].split(";")
    pixels = _stated(path, header, "pixel_num")
    rows = [line.split(";") for line in lines[at + 1 :] if line]
    if len(rows) != pixels:
        raise ReadError(path, at + 1 + len(rows), f"{len(rows)} rows, pixel_num states {pixels:g}", AGAIN)
    for number, row in enumerate(rows, start=at + 2):
        if len(row) != len(names):
            raise ReadError(path, number, f"{len(row)} fields under {len(names)} column names", AGAIN)
    intensity = SUBTRACTED if SUBTRACTED in names else RAW
    wanted = [name for name in ("Raman Shift", "Wavenumber", DARK, RAW, SUBTRACTED) if name in names]
    if missing := {"Raman Shift", "Wavenumber", intensity} - set(wanted):
        raise ReadError(path, at + 1, f"no column named {', '.join(sorted(missing))}", AGAIN)
    if several := [name for name in names if re.fullmatch(r"Raw data #[2-9]\d*", name)]:
        raise ReadError(path, at + 1, f"several spectra ({', '.join(several)})", "export one spectrum to the file")
    shifts = [row[names.index("Raman Shift")].strip() for row in rows]
    inside = [number for number, shift in enumerate(shifts) if shift]
    first, stop = (inside[0], inside[-1] + 1) if inside else (0, 0)
    numbers = range(at + 2 + first, at + 2 + stop)
    columns = {name: _column(path, rows[first:stop], names.index(name), name, numbers) for name in wanted}
    laser = _stated(path, header, "laser_wavelength")
    _compare(path, columns, 1e7 / laser, numbers)
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
    read = spectrum(
        path, "raman", columns["Raman Shift"], columns[intensity], unknown=reason, attrs=attrs, lines=numbers
    )
    read.intensity.attrs["column"] = intensity
    return read


def _stated(path: Path, header: dict[str, str], name: str) -> float:
    number = header.get(name, "").replace(",", ".")
    if not NUMBER.fullmatch(number) or float(number) <= 0:
        raise ReadError(path, None, f"the header states {number or 'nothing'} for {name!r}", AGAIN)
    return float(number)


def _column(path: Path, rows: list[list[str]], index: int, name: str, numbers: range) -> np.ndarray:
    cells = [row[index].strip().replace(",", ".") for row in rows]
    for number, cell in zip(numbers, cells, strict=True):
        if not NUMBER.fullmatch(cell):
            raise ReadError(path, number, f"{name} is {cell!r}, not a number", AGAIN)
    return np.array(cells, float)


def _compare(path: Path, columns: dict[str, np.ndarray], laser: float, numbers: range) -> None:
    """Raise at the first row whose columns contradict each other; the wavenumber of the laser is in 1/cm."""
    off = np.abs(columns["Raman Shift"] + columns["Wavenumber"] - laser) > ROUNDED
    reason = "Raman shift and wavenumber do not add up to that of the laser"
    if not off.any() and {DARK, RAW, SUBTRACTED} <= columns.keys():
        off = np.abs(columns[RAW] - columns[DARK] - columns[SUBTRACTED]) > 2e-3
        reason = f"{RAW} less {DARK} is not {SUBTRACTED}"
    if off.any():
        raise ReadError(path, numbers[int(off.argmax())], reason, AGAIN)
