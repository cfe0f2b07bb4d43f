"""Text exports of BioLogic EC-Lab and BT-Lab: impedance spectra (.mpt).

File structure
--------------
The second line states the number of header lines; the last of them names the columns, separated by tabs, and one row
follows per point. Numbers have decimal points or commas. Settings stand in the header as `name  value`. `cycle number`
counts the sweeps. The encoding is latin-1.

Schema
------
xarray.Dataset with `impedance` [ohm] over `frequency` [Hz], `time` [s], `sweep` (see `impedance.spectrum`), and the
attrs `instrument`, `amplitude` [V], `low_frequency` [Hz] and `start`. `unfinished` says that the sweep ended before the
frequency that was set. Columns that are not of the spectrum are listed in `unread`.

Uncertainties
-------------
`significant_digits` of the impedance are those with which the numbers are written. The accuracy of the instrument is
not in the file.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import impedance
from coldbond.files.electrochemistry.impedance_columns import named_columns
from coldbond.files.errors import NO_LINE_BREAK, NO_ROWS, ReadError
from coldbond.files.format import Format, Stated
from coldbond.files.numerals import NUMBER

STARTS = (b"EC-Lab ASCII FILE", b"BT-Lab ASCII FILE")
NEEDED = ("freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm")
READ = (*NEEDED, "|Z|/Ohm", "Phase(Z)/deg", "time/s", "cycle number")
PER_HERTZ = {"mHz": 1e-3, "Hz": 1.0, "kHz": 1e3, "MHz": 1e6}
AGAIN = "export it again as text from EC-Lab"


def is_ec_lab(data: bytes) -> bool:
    """Return whether the file starts like a text export of EC-Lab."""
    return data.startswith(STARTS)


def read_ec_lab(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read an impedance spectrum (PEIS, GEIS)."""
    lines = data.decode("latin-1").replace("\r\n", "\n").split("\n")
    count = re.search(r"Nb header lines\s*:\s*(\d+)", lines[1] if len(lines) > 1 else "")
    if not count or not 2 < int(count[1]) < len(lines):
        raise ReadError(path, 2, "no number of header lines, or no rows below them", AGAIN)
    at = int(count[1])
    header, names = lines[: at - 1], lines[at - 1].rstrip("\t").split("\t")
    if missing := [name for name in NEEDED if name not in names]:
        remedy = "use an impedance spectrum (PEIS, GEIS), exported with these columns"
        raise ReadError(path, at, f"no column named {', '.join(missing)}", remedy)
    body = [(number, line.split("\t")) for number, line in enumerate(lines[at:], start=at + 1) if line.strip()]
    wanted = [name for name in READ if name in names]
    places = [names.index(name) for name in wanted]
    for number, row in body:
        whole = len(row) == len(names) or (len(row) == len(names) + 1 and not row[-1].strip())
        cells = [row[place].replace(",", ".") for place in places] if whole else []
        if not cells or not all(NUMBER.fullmatch(cell.strip()) for cell in cells):
            raise ReadError(path, number, f"cut off, or not numbers in {', '.join(wanted)}", AGAIN)
    if not body:
        raise ReadError(path, at, *NO_ROWS)
    if lines[-1] and max(places) == len(names) - 1:
        raise ReadError(path, len(lines), *NO_LINE_BREAK)
    values = np.array([[row[place].replace(",", ".") for place in places] for _, row in body], float)
    attrs = {"format": "ec-lab-mpt", **_attrs(header)}
    spectrum = named_columns(path, wanted, values, [number for number, _ in body], attrs)
    spectrum = impedance.marked_unfinished(spectrum, attrs.get("low_frequency", np.inf))
    if unread := [name for name in names if name not in wanted]:
        spectrum.attrs["unread"] = ", ".join(filter(None, [spectrum.attrs.get("unread"), *unread]))
    return spectrum


def _attrs(header: list[str]) -> dict[str, Any]:
    """Return the header fields under the names of the data model, in SI units."""
    fields = dict(re.findall(r"^(\S.*?) {2,}(\S.*?)\s*$", "\n".join(header), re.MULTILINE))
    attrs: dict[str, Any] = {}
    if device := next((line.partition(":")[2].strip() for line in header if line.startswith("Device :")), ""):
        attrs["instrument"] = device
    if NUMBER.fullmatch(amplitude := fields.get("Va (mV)", "").replace(",", ".")):
        attrs["amplitude"] = float(amplitude) * 1e-3
    if NUMBER.fullmatch(lowest := fields.get("ff", "").replace(",", ".")) and fields.get("unit ff") in PER_HERTZ:
        attrs["low_frequency"] = float(lowest) * PER_HERTZ[fields["unit ff"]]
    started = next((line for line in header if line.startswith("Acquisition started on :")), "")
    stated = re.search(r"(\d\d)[/.-](\d\d)[/.-](\d{4}) (\d+)[:.](\d\d)[:.](\d\d)", started)
    if stated and int(stated[1]) <= 12:  # month/day/year
        attrs["start"] = f"{stated[3]}-{stated[1]}-{stated[2]}T{':'.join(stated.groups()[3:])}"
    return attrs


FORMAT = Format(
    name="BioLogic EC-Lab .mpt",
    vendors="BioLogic",
    techniques=("eis",),
    extensions=(".mpt",),
    recognise=is_ec_lab,
    read=read_ec_lab,
    reads="impedance (PEIS, GEIS)",
)
