"""Integrated diffraction patterns of Fit2D, and of programs that write its format (.chi).

File structure
--------------
Four lines: the title, the name of the abscissa with its unit, the name of the intensity and the number of points; then
rows of abscissa and intensity.

Schema
------
xarray.Dataset: `intensity` over `two_theta` [degree], with the attr `title`. The file has no wavelength: it is stated
beside it.

Uncertainties
-------------
The intensities are means over the pixels of a ring, so that the statistics are unknown.
"""

import re
from pathlib import Path

import xarray as xr

from coldbond.files.encoding import head
from coldbond.files.errors import NO_ROWS, ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import AGAIN
from coldbond.files.rows import are_numbers, cells, lines_of, read_rows
from coldbond.files.spectrum import gaps, spectrum

#: Lines above the rows.
HEADER = 4
ABSCISSA = re.compile(r"(?i)2-?theta|\bq\b|radial|azimuth|d-?spacing|distance|angle|channel")
COUNT = re.compile(r"\s*(\d{1,9})\s*")


def is_chi(data: bytes) -> bool:
    """Return whether the four lines and a row stand at the start."""
    lines = head(data)
    return (
        len(lines) > HEADER
        and ABSCISSA.search(lines[1]) is not None
        and not are_numbers(cells(lines[1]))
        and COUNT.fullmatch(lines[HEADER - 1]) is not None
        and are_numbers(cells(lines[HEADER]))
    )


def read_chi(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the pattern."""
    lines = lines_of(path, data)
    abscissa, count = lines[1].strip(), COUNT.fullmatch(lines[HEADER - 1])
    if not re.search(r"(?i)2-?theta.*deg", abscissa):
        reason = f"a Fit2D pattern over {abscissa!r}"
        raise ReadError(path, 2, reason, "integrate it over 2-theta in degrees")
    if not any(line.strip() for line in lines[HEADER:]):
        raise ReadError(path, HEADER, *NO_ROWS)
    rows = read_rows(path, lines, HEADER)
    if rows.values.shape[1] != 2 or count is None or len(rows.lines) != int(count[1]):
        reason = f"{len(rows.lines)} points of {rows.values.shape[1]} numbers where the header says {lines[3].strip()}"
        raise ReadError(path, HEADER, reason, AGAIN)
    angle, intensity = rows.values.T
    attrs = {"format": "fit2d-chi"} | ({"title": title} if (title := lines[0].strip()) else {})
    attrs |= gaps(path, angle, rows.lines)
    unknown = "intensities averaged over the pixels of a ring"
    return spectrum(
        path, "xrd", angle, intensity, units="arbitrary units", unknown=unknown, attrs=attrs, lines=rows.lines
    )


FORMAT = Format(
    name="Fit2D .chi",
    vendors="Fit2D, pyFAI",
    techniques=("xrd",),
    extensions=(".chi",),
    recognise=is_chi,
    read=read_chi,
    reads="a pattern over 2theta; the wavelength is stated beside the file; other abscissae are refused",
)
