"""Raman spectra of WITec microscopes, exported as text by WITec Project (.txt).

File structure
--------------
As ASCII: `//Exported ASCII-File`, `[Header]` with lines `name = value`, `[Data]`, the names and units of the columns or
neither, and one row per point. As a table: the names of the columns, `X-Axis` first, their units, and the rows.

Schema
------
xarray.Dataset: `intensity` over `raman_shift` [1/cm]. The header states the unit of the axis, which is Raman shift
("rel. 1/cm") or nm; an axis in nm needs the excitation, which most exports do not state. Attrs: `excitation` [nm] where
it does, and `sample_name`, the name of the graph. The number of points must be that of the header.

Uncertainties
-------------
The counting statistics are unknown: counts are those of a camera and not single photons.
"""

import re
from pathlib import Path

import xarray as xr

from coldbond.files.errors import NO_ROWS, ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.raman import axis, text
from coldbond.files.spectrum import spectrum

EXPORT = "export one spectrum from WITec Project as ASCII, over Raman shift (rel. 1/cm)"
FIELD = re.compile(r"([\w .\[\]/-]+?)\s*=\s*(.*)")


def is_witec(data: bytes) -> bool:
    """Return whether the file starts like an export of WITec Project."""
    start = text.start(data)
    if re.match(r"X-Axis[\t,;][^\n]*\r?\n[^\n]*(1/cm|nm|eV|µm)", start):
        return True
    return bool(re.match(r"\s*(//Exported ASCII-File|\[Header\]\s*\r?\n[^\[]*\bGraphName\b)", start))


def read_witec(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read one spectrum."""
    lines = text.lines(path, data)
    blocks = [number for number, line in enumerate(lines) if line.strip() == "[Data]"]
    if len(blocks) > 1:
        raise ReadError(path, blocks[1] + 1, f"{len(blocks)} spectra in one file", EXPORT)
    if not blocks and not lines[0].startswith("X-Axis"):
        raise ReadError(path, len(lines), "no [Data]: it was cut off, or is no spectrum", EXPORT)
    top = blocks[0] if blocks else -1
    fields = [match.groups() for line in lines[:top] if (match := FIELD.fullmatch(line.strip()))] if blocks else []
    header = {name.lower(): value for name, value in fields}
    first = next((number for number in range(top + 1, len(lines)) if text.is_row(lines[number])), None)
    if first is None:
        raise ReadError(path, len(lines), *NO_ROWS)
    named = [re.split(r"[\t;,]", line) for line in lines[top + 1 : first] if line.strip()]
    written = [header[name] for name in ("xunit", "xaxisunit") if name in header]
    written += [cells[0] for cells in named if axis.unit(cells[0])]
    units = {axis.unit(one) for one in written}
    if len(units) != 1:
        reason = f"the header names {' and '.join(written) or 'no unit'} for the axis"
        raise ReadError(path, first + 1, reason, EXPORT)
    if len(text.cells(lines[first])) > 2:
        raise ReadError(path, first + 1, "several spectra side by side", EXPORT)
    (places, intensity), at = text.columns(path, lines, first, ("the axis", "the intensity"), EXPORT)
    size = header.get("sizegraph", str(len(at)))
    if size != str(len(at)):
        raise ReadError(path, at[-1], f"{len(at)} points where SizeGraph states {size}", "export it again")
    laser = next(
        (axis.laser(value) for name, value in header.items() if re.search("excitation|laser.*wavelength", name)), None
    )
    shift = axis.shift(path, places, units.pop(), axis.excitation(stated, laser), written[0], first + 1)
    attrs: dict[str, object] = {"format": "witec-text"}
    attrs |= {"excitation": laser} if laser is not None else {}
    attrs |= {"sample_name": header["graphname"]} if header.get("graphname") else {}
    return spectrum(path, "raman", shift, intensity, unknown=axis.CAMERA, attrs=attrs, lines=at)


FORMAT = Format(
    name="WITec Project text",
    vendors="WITec, Oxford Instruments",
    techniques=("raman",),
    extensions=(".txt", ".csv"),
    recognise=is_witec,
    read=read_witec,
    reads="one spectrum, over Raman shift, or over wavelength once the excitation is stated; several are refused",
    checked=(Checked("raman-si-witec/Si-wafer-Raman-Spectrum-1.txt", "Apache-2.0", "a plain parse"),),
)
