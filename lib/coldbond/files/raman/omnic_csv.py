"""Raman spectra of Thermo spectrometers, exported as text by OMNIC (.csv).

File structure
--------------
A line with the titles of the axes, the unit alone or after a name (`cm-1,Raman intensity`), and one row per point.
OMNIC can leave out the titles: such a file is read as columns without a header, once its technique is stated.

Schema
------
xarray.Dataset: `intensity` over `raman_shift` [1/cm]. Infrared spectra are refused. Where the ordinate is just an
intensity or counts, the spectrum is Raman once this is stated.

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

AXIS = r'"?(?:wave ?numbers?)?[ ,/]?[(\[]?(?:cm\^?-1|1/cm|cm⁻¹)[)\]]?"?'
TITLES = re.compile(rf"(?P<x>{AXIS})\s*(?P<mark>[,;\t])\s*(?P<y>[^,;\t\d][^,;\t]*)[,;\t]*", re.IGNORECASE)
EXPORT = "export one Raman spectrum from OMNIC as csv, with titles"


def is_omnic_csv(data: bytes) -> bool:
    """Return whether the first line names wavenumbers and one ordinate."""
    return bool(TITLES.fullmatch(text.start(data).split("\n")[0].strip()))


def read_omnic_csv(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the spectrum."""
    lines = text.lines(path, data)
    titles = TITLES.fullmatch(lines[0].strip())
    name = titles["y"].strip(' "') if titles else ""
    if re.search(axis.ABSORPTION, name, re.IGNORECASE):
        raise ReadError(path, 1, f"an infrared spectrum: {name} over wavenumbers", axis.USE_RAMAN)
    if not re.search("raman", name, re.IGNORECASE) and stated.technique != "raman":
        reason = f"{name!r} over wavenumbers does not say whether it is of Raman or infrared light"
        raise ReadError(path, 1, reason, "state it with read(path, technique='raman') or its technique in manifest.csv")
    (places, intensity), at = text.columns(path, lines, 1, ("the wavenumber", name), EXPORT)
    shift = axis.shift(path, places, "1/cm", stated.excitation, lines[0], 1)
    attrs = {"format": "omnic-csv"}
    units = "count" if re.search("count", name, re.IGNORECASE) else "arbitrary units"
    return spectrum(path, "raman", shift, intensity, units=units, unknown=axis.CAMERA, attrs=attrs, lines=at)


FORMAT = Format(
    name="Thermo OMNIC csv",
    vendors="Thermo Fisher",
    techniques=("raman",),
    extensions=(".csv",),
    recognise=is_omnic_csv,
    read=read_omnic_csv,
    reads="a Raman spectrum whose first line has the titles; infrared spectra are refused by name",
)
