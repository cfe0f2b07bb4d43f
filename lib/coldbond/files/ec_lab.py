"""Text exports of BioLogic's EC-Lab (.mpt): impedance spectra."""

import re
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files import impedance
from coldbond.files.errors import UNENDED, ReadError
from coldbond.files.table import NUMBER

STARTS = (b"EC-Lab ASCII FILE", b"BT-Lab ASCII FILE")
NEEDED = ("freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm")
READ = (*NEEDED, "|Z|/Ohm", "Phase(Z)/deg", "time/s", "cycle number")
PER_HERTZ = {"mHz": 1e-3, "Hz": 1.0, "kHz": 1e3, "MHz": 1e6}
NEARLY = 1.3
AGAIN = "export it again as text from EC-Lab"


def is_ec_lab(data: bytes) -> bool:
    """Whether the file starts as EC-Lab's text exports do."""
    return data.startswith(STARTS)


def read_ec_lab(path: Path, data: bytes) -> xr.Dataset:
    """Read an impedance spectrum, of which `cycle number` counts the sweeps.

    Returns
    -------
    xarray.Dataset
        See `coldbond.files.read`. Its attr `unfinished` says that the sweep ended before the frequency that was set.

    Raises
    ------
    ReadError
        It holds no spectrum, a row is cut off, or the columns contradict each other.
    """
    lines = data.decode("latin-1").replace("\r\n", "\n").split("\n")
    stated = re.search(r"Nb header lines\s*:\s*(\d+)", lines[1] if len(lines) > 1 else "")
    if not stated or not 2 < int(stated[1]) < len(lines):
        raise ReadError(path, 2, "no number of header lines, or no rows below them", AGAIN)
    at = int(stated[1])
    header, names = lines[: at - 1], lines[at - 1].rstrip("\t").split("\t")
    if missing := [name for name in NEEDED if name not in names]:
        mend = "give an impedance spectrum (PEIS, GEIS), exported with these columns"
        raise ReadError(path, at, f"no column named {', '.join(missing)}", mend)
    body = [(number, line.split("\t")) for number, line in enumerate(lines[at:], start=at + 1) if line.strip()]
    wanted = [name for name in READ if name in names]
    places = [names.index(name) for name in wanted]
    for number, row in body:
        whole = len(row) == len(names) or (len(row) == len(names) + 1 and not row[-1].strip())
        cells = [row[place].replace(",", ".") for place in places] if whole else []
        if not cells or not all(NUMBER.fullmatch(cell.strip()) for cell in cells):
            raise ReadError(path, number, f"cut off, or not numbers in {', '.join(wanted)}", AGAIN)
    if not body:
        raise ReadError(path, at, "a header, but no rows below it", AGAIN)
    if lines[-1] and max(places) == len(names) - 1:
        raise ReadError(path, len(lines), *UNENDED)
    values = np.array([[row[place].replace(",", ".") for place in places] for _, row in body], float)
    attrs = {"format": "ec-lab-mpt", **_attrs(header)}
    read = impedance.named_columns(path, wanted, values, [number for number, _ in body], attrs)
    lowest = attrs.get("low_frequency", np.inf)
    if float(read.frequency.min()) > NEARLY * lowest:
        read.attrs["unfinished"] = f"ends at {float(read.frequency.min()):g} Hz, {lowest:g} Hz was set"
    if left := [name for name in names if name not in wanted]:
        read.attrs["unread"] = ", ".join(filter(None, [read.attrs.get("unread"), *left]))
    return read


def _attrs(header: list[str]) -> dict:
    fields = dict(re.findall(r"^(\S.*?) {2,}(\S.*?)\s*$", "\n".join(header), re.MULTILINE))
    attrs: dict = {}
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
