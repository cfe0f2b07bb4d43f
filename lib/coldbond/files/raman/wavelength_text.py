"""Raman spectra as text over the wavelength of the scattered light, from any program (.txt, .csv).

File structure
--------------
Comments, a line that names two columns, the wavelength with its unit first (`Wavelength (nm), Counts`), commented out
or not, then one row per point.

Schema
------
xarray.Dataset: `intensity` over `raman_shift` [1/cm]. Many spectra have such columns: this one is a Raman spectrum once
its excitation is stated. Spectra of absorption are refused.

Uncertainties
-------------
The counting statistics are unknown: counts are those of a camera and not single photons.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.raman import axis, text
from coldbond.files.spectrum import spectrum

NAMES = re.compile(
    r"[#%\s]*\"?(?P<x>wave ?lengths?\s*[\[(/,_]?\s*(?:nm|[uµμ]m|nanomet\w+|micromet\w+|microns?)[\])]?)\"?\s*[,;\t]\s*"
    r"\"?(?P<y>[^,;\t\d\"][^,;\t\"]*)\"?[,;\t\s]*",
    re.IGNORECASE,
)
EXPORT = "export one spectrum with its wavelengths and intensities, or over Raman shift in 1/cm"


def is_wavelength_text(data: bytes) -> bool:
    """Return whether the first line below the comments names a wavelength with its unit and one ordinate."""
    return _names(text.start(data).split("\n")) is not None


def _names(lines: Sequence[str]) -> tuple[int, re.Match[str]] | None:
    """Return the index of the line that names the columns, and what it says; None where there is none."""
    for at, line in enumerate(lines):
        if names := NAMES.fullmatch(line):
            return at, names
        if line.strip() and line.lstrip()[0] not in "#%":
            return None
    return None


def read_wavelength_text(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the spectrum."""
    lines = text.lines(path, data)
    found = _names(lines)
    if found is None:
        raise ReadError(path, 1, "no line that names the wavelength and its unit", EXPORT)
    top, names = found[0] + 1, found[1]
    x, y = names["x"], names["y"].strip()
    if re.search(axis.ABSORPTION, y, re.IGNORECASE):
        raise ReadError(path, top, f"a spectrum of absorption: {y} over wavelength", axis.USE_RAMAN)
    (places, intensity), at = text.columns(path, lines, top, (x, y), EXPORT)
    shift = axis.shift(path, places, axis.unit(x), stated.excitation, x, top)
    rate = re.search(r"cps|counts?\W*(/|per)\W*s", y, re.IGNORECASE)
    units = "count/s" if rate else "count" if re.search("count", y, re.IGNORECASE) else "arbitrary units"
    attrs = {"format": "wavelength-text"}
    return spectrum(path, "raman", shift, intensity, units=units, unknown=axis.CAMERA, attrs=attrs, lines=at)


FORMAT = Format(
    name="Raman text over wavelength",
    vendors="any",
    techniques=("raman",),
    extensions=(".txt", ".csv"),
    recognise=is_wavelength_text,
    read=read_wavelength_text,
    reads="two columns, the first named wavelength in nm or um, once the excitation is stated",
)
