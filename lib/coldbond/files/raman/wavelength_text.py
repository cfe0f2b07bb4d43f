"""Raman spectra as text over the wavelength of the scattered light, from any program (.txt, .csv).

File structure
--------------
A line that names two columns, the wavelength with its unit first (`Wavelength (nm), Counts`), commented out or not,
then one row per point.

Schema
------
xarray.Dataset: `intensity` over `raman_shift` [1/cm]. Many spectra have such columns: this one is a Raman spectrum once
its excitation is stated. Spectra of absorption are refused.

Uncertainties
-------------
The counting statistics are unknown: counts are those of a camera and not single photons.
"""

import re
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
    """Return whether the first line names a wavelength with its unit and one ordinate."""
    return bool(NAMES.fullmatch(text.start(data).split("\n")[0]))


def read_wavelength_text(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the spectrum."""
    lines = text.lines(path, data)
    names = NAMES.fullmatch(lines[0])
    x, y = (names["x"], names["y"].strip()) if names else ("", "")
    if re.search(axis.ABSORPTION, y, re.IGNORECASE):
        raise ReadError(path, 1, f"a spectrum of absorption: {y} over wavelength", axis.USE_RAMAN)
    (places, intensity), at = text.columns(path, lines, 1, (x, y), EXPORT)
    shift = axis.shift(path, places, axis.unit(x), stated.excitation, x, 1)
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
