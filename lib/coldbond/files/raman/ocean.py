"""Raman spectra of Ocean Optics (Ocean Insight) spectrometers, exported as text by OceanView or SpectraSuite (.txt).

File structure
--------------
Lines `name: value`, a line `>>>>>Begin ... Spectral Data<<<<<`, one row per pixel and, in SpectraSuite, a line
`>>>>>End ... Spectral Data<<<<<`. The header of OceanView names the axis (`XAxis mode`) and the number of pixels; the
axis of SpectraSuite is a wavelength in nm.

Schema
------
xarray.Dataset: `intensity` over `raman_shift` [1/cm], with the attrs `integration_time` [s], `accumulations` and
`instrument` where the header has them. A spectrum over wavelengths is a Raman spectrum only once its excitation is
stated.

Uncertainties
-------------
The counting statistics are unknown: counts are those of a camera and not single photons.
"""

import re
from pathlib import Path

import xarray as xr

from coldbond.files.errors import NO_ROWS, ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import NUMBER
from coldbond.files.raman import axis, text
from coldbond.files.spectrum import spectrum

BEGIN = re.compile(r">>>>>\s*Begin\b.*Spectral Data\s*<<<<<")
END = re.compile(r">>>>>\s*End\b.*Spectral Data\s*<<<<<")
MODES = {"wavelengths": "nm", "wavelength": "nm", "raman shifts": "1/cm", "raman shift": "1/cm", "wavenumbers": "1/cm"}
EXPORT = "export one Raman spectrum from OceanView as text with its header"


def is_ocean(data: bytes) -> bool:
    """Return whether a line announces the rows as OceanView and SpectraSuite do."""
    return bool(BEGIN.search(text.start(data)))


def read_ocean(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the spectrum."""
    lines = text.lines(path, data)
    first = next((number for number, line in enumerate(lines) if BEGIN.match(line.strip())), len(lines) - 1) + 1
    fields = [line.partition(":") for line in lines[:first] if ":" in line]
    header = {name.strip().lower(): value.strip() for name, _, value in fields}
    stop = next((number for number in range(first, len(lines)) if END.match(lines[number].strip())), len(lines))
    if stop == len(lines) and lines[0].startswith("SpectraSuite"):
        raise ReadError(path, len(lines), "no line that ends the data: it was cut off", EXPORT)
    if any(line.strip() for line in lines[stop + 1 :]):
        raise ReadError(path, stop + 2, "more follows after the end of the data", EXPORT)
    body = [*lines[:stop], ""] if stop < len(lines) else lines
    row = next((line for line in lines[first:stop] if line.strip()), None)
    if row is None:
        raise ReadError(path, first, *NO_ROWS)
    if len(text.cells(row)) > 2:
        raise ReadError(path, first + 1, "several spectra side by side", EXPORT)
    (places, intensity), at = text.columns(path, body, first, ("the axis", "the intensity"), EXPORT)
    pixels = next((value for name, value in header.items() if name.startswith("number of pixels")), str(len(at)))
    if pixels != str(len(at)):
        raise ReadError(path, at[-1], f"{len(at)} rows where the header states {pixels} pixels", EXPORT)
    mode = header.get("xaxis mode", "wavelengths")
    unit = MODES.get(mode.lower(), axis.unit(mode))
    shift = axis.shift(path, places, unit, stated.excitation, mode, first)
    attrs: dict[str, object] = {"format": "ocean-optics"}
    for name, value in header.items():
        number = re.match(rf"{NUMBER.pattern}(?![.,\d])", value)
        if number and (scale := re.match(r"integration time \((usec|msec|sec)\)", name)):
            attrs["integration_time"] = float(number[0]) / {"usec": 1e6, "msec": 1e3, "sec": 1.0}[scale[1]]
        elif number and name in ("scans to average", "spectra averaged"):
            attrs["accumulations"] = float(number[0])
    instrument = header.get("spectrometer", header.get("spectrometers", ""))
    attrs |= {"instrument": instrument} if instrument else {}
    return spectrum(path, "raman", shift, intensity, unknown=axis.CAMERA, attrs=attrs, lines=at)


FORMAT = Format(
    name="Ocean Optics text",
    vendors="Ocean Optics, Ocean Insight",
    techniques=("raman",),
    extensions=(".txt",),
    recognise=is_ocean,
    read=read_ocean,
    reads="one spectrum over Raman shift, or over wavelength once the excitation is stated",
)
