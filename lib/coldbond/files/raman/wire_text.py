"""Raman spectra of Renishaw spectrometers, exported as text by WiRE (.txt).

File structure
--------------
The names of the columns, `#Wave` and `#Intensity`, in a spectrum of a map or a series also `#X`, `#Y`, `#Z` or `#Time`,
then one row per point, mostly from high to low shifts. The file states neither laser nor unit: WiRE writes the unit in
which the spectrum was shown, Raman shift in 1/cm or nm.

Schema
------
xarray.Dataset: `intensity` over `raman_shift` [1/cm]. The numbers are Raman shifts where they cannot be wavelengths:
one of them is below 190 or above 1700, or the points are more than 0.4 apart, which in nm no grating of Renishaw gives.
All others are refused, since .wdf states unit and laser.

Uncertainties
-------------
The counting statistics are unknown: counts are those of a camera and not single photons.
"""

import re
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.raman import axis, text
from coldbond.files.spectrum import spectrum
from coldbond.files.stated import LASERS

#: Distance of points [nm] that a grating of 300 lines per mm gives with WiRE's instruments is 0.3.
COARSEST = 0.4
EXPORT = "export one spectrum from WiRE as .wdf, which states unit and laser"


def is_wire_text(data: bytes) -> bool:
    """Return whether the first line names WiRE's columns."""
    return bool(re.match(r"(#(X|Y|Z|Time)\s+)*#Wave\s+#Intensity\s*$", text.start(data), re.MULTILINE))


def read_wire_text(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read one spectrum."""
    lines = text.lines(path, data)
    names = lines[0].replace("#", "").split()
    *others, wave, intensity = (found := text.columns(path, lines, 1, names, EXPORT))[0]
    at = found[1]
    for name, values in zip(names, others, strict=False):
        if np.ptp(values):
            row = at[int(np.argmax(values != values[0]))]
            raise ReadError(path, row, f"a map or series: {name} changes", EXPORT)
    laser = stated.excitation
    if not is_shift(wave):
        reason = f"'#Wave' from {wave.min():g} to {wave.max():g} may be a Raman shift in 1/cm or a wavelength in nm"
        raise ReadError(path, 1, reason, EXPORT)
    shift = axis.shift(path, wave, "1/cm", laser, "#Wave", 1)
    attrs = {"format": "renishaw-text"}
    return spectrum(path, "raman", shift, intensity, unknown=axis.CAMERA, attrs=attrs, lines=at)


def is_shift(wave: np.ndarray) -> bool:
    """Return whether numbers without a unit can only be wavenumbers, since no spectrum over wavelengths has them."""
    shortest, longest = LASERS
    return bool(wave.min() < shortest or wave.max() > longest or np.median(np.abs(np.diff(wave))) > COARSEST)


FORMAT = Format(
    name="Renishaw WiRE text",
    vendors="Renishaw",
    techniques=("raman",),
    extensions=(".txt",),
    recognise=is_wire_text,
    read=read_wire_text,
    reads="one spectrum, where its numbers can only be Raman shifts; maps and series are refused",
    checked=(
        Checked("raman-labspec/raman_example.txt", "MIT", "a plain parse, and the .wdf of the same spectrum"),
        Checked("formats-spectra/h2020charisma__nCal_Qontor785_z005H12_100_1x3s.txt", "MIT", "a plain parse"),
    ),
)
