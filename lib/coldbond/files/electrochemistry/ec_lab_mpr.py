"""Binary files of BioLogic EC-Lab and BT-Lab (.mpr): impedance, and current and voltage over time.

File structure
--------------
After a signature of 52 bytes come modules: settings, data, log, and others. A module starts with "MODULE", a short and
a long name, its length, its version and a date; EC-Lab 11.50 and later write a longer header. All numbers are
little-endian. The data module states the number of records, the number of columns and the number of each column (see
`ec_lab_columns`), and holds the records one after the other; its length must be that of the records. The structure is
not published. It is known from the open programs galvani and yadg, and from files whose text export is at hand.

Schema
------
As of the text export, see `ec_lab` and `ec_lab_recording`. Numbers of 32 bits are rounded to 8 significant digits, as
EC-Lab writes them in text. GCPL stores no current: it is the mean current between two records, (Q-Qo) / t.

Uncertainties
-------------
`significant_digits` and `resolution` are those of the stored numbers. The accuracy of the instrument is not in the
file.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import ec_lab_columns, ec_lab_recording
from coldbond.files.errors import NO_ROWS, ReadError
from coldbond.files.format import Checked, Format, Stated

SIGNATURE = b"BIO-LOGIC MODULAR FILE"
#: Length [bytes] of the signature, and of the header of a module in old and in new files.
START, OLD, NEW = 52, 57, 65
MODULE = b"MODULE"
#: Where the length [bytes] in the header of a new file is no length.
IS_NEW = 0xFFFFFFFF
DATA, LOG, SETTINGS = "VMP data", "VMP LOG", "VMP Set"
#: By the version of a data module: type of a column's number, where the first one stands, and where the records start
#: [bytes]. Versions 10 and 11 are those of new headers.
LAYOUTS = {0: ("u1", 5, 100), 2: ("<u2", 5, 405), 3: ("<u2", 5, 406), 10: ("<u2", 6, 1007), 11: ("<u2", 6, 1007)}
#: Where the log module holds the start of the acquisition, in days since `EPOCH`.
STARTED_AT = 0x249
EPOCH = datetime(1899, 12, 30)
#: Days by which the start may differ from the date of the settings.
SAME_DATE = 2.0
#: Techniques by the first byte of the settings.
TECHNIQUES = {
    0x04: "Galvanostatic Cycling with Potential Limitation",
    0x06: "Cyclic Voltammetry",
    0x0B: ec_lab_recording.OPEN_CIRCUIT,
    0x18: "Chronoamperometry / Chronocoulometry",
    0x19: "Chronopotentiometry",
    0x1C: "Wait",
    0x1D: "Potentio Electrochemical Impedance Spectroscopy",
    0x1E: "Galvano Electrochemical Impedance Spectroscopy",
    0x30: "Cyclic Voltammetry",
    0x32: "IR compensation (PEIS)",
    0x33: "Cyclic Voltammetry Advanced",
    0x6C: "Linear Sweep Voltammetry",
    0x77: "Galvanostatic Cycling with Potential Limitation",
    0x7F: "Modulo Bat",
}
#: Factor by which a number that ends with half a digit is rounded away from zero, as EC-Lab does.
HALF_UP = 1 + 1e-12
#: Settings of PEIS: the byte of the technique, where the numbers of sequences and of parameters stand, how many
#: parameters there are, and where the first frequency stands in files with the old and the new header.
PEIS, PARAMETERS, PEIS_PARAMETERS, FIRST_FREQUENCY = 0x1D, 0x1847, 52, {False: 24, True: 27}
#: Units of a frequency by their number in the settings, in Hz.
HERTZ = (1e6, 1e3, 1.0, 1e-3)
#: Relative difference of the first frequency that was set and that was measured.
SAME_FREQUENCY = 0.1
COPY_AGAIN = "copy the complete file again, or export it as text (.mpt) from EC-Lab"
AS_TEXT = "export it as text (.mpt) from EC-Lab"


@dataclass
class _Module:
    """One module: short name, version, date as written, contents, and whether its header is that of new files."""

    name: str
    version: int
    date: str
    body: bytes
    is_new: bool


def is_mpr(data: bytes) -> bool:
    """Return whether the file starts with the signature of a modular file of BioLogic."""
    return data.startswith(SIGNATURE)


def read_mpr(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the data module."""
    modules = _modules(path, data)
    found = [module for module in modules if module.name == DATA]
    if len(found) != 1:
        raise ReadError(path, None, f"{len(found) or 'no'} modules of data in a BioLogic .mpr file", COPY_AGAIN)
    names, records = _records(path, found[0])
    settings = next((module for module in modules if module.name == SETTINGS), None)
    title = TECHNIQUES.get(settings.body[0], "") if settings and settings.body else ""
    start = _start(modules, settings)
    others = [f"module {module.name}" for module in modules if module.name not in (DATA, LOG, SETTINGS)]
    columns = ec_lab_recording.Columns(
        path,
        "ec-lab-mpr",
        list(names),
        lambda name: _numbers(path, names, records, name),
        range(1, records.size + 1),
        None,
        title,
        ({"start": start} if start else {}) | _of_sine(settings, names, records),
    )
    try:
        recording = ec_lab_recording.recording(columns, stated)
    except ReadError as error:  # its line is the number of a record
        raise ReadError(path, error.line, error.reason, error.remedy, DATA if error.line else None) from None
    if others:
        recording.attrs["unread"] = ", ".join(filter(None, [recording.attrs.get("unread"), *others]))
    return recording


def _modules(path: Path, data: bytes) -> list[_Module]:
    """Return the modules, which must end with the file."""
    modules, at = [], START
    while at < len(data):
        head = data[at : at + NEW]
        if not head.startswith(MODULE) or len(head) < OLD:
            raise ReadError(
                path, None, f"no module of a BioLogic .mpr file at byte {at}: damaged or cut off", COPY_AGAIN
            )
        first, second, *_ = struct.unpack("<2I", head[41:49])
        new = first == IS_NEW
        size, length = (NEW, second) if new else (OLD, first)
        if at + size + length > len(data):
            missing = at + size + length - len(data)
            raise ReadError(path, None, f"{missing} bytes are missing at the end of a BioLogic .mpr file", COPY_AGAIN)
        version = struct.unpack("<I", head[53:57])[0] if new else second
        name, date = (part.decode("latin-1").strip(" \0") for part in (head[6:16], head[size - 8 : size]))
        modules.append(_Module(name, version, date, data[at + size : at + size + length], new))
        at += size + length
    return modules


def _records(path: Path, module: _Module) -> tuple[dict[str, tuple[str, int]], np.ndarray]:
    """Return where each column is, as field and bits in it, and the records."""
    if module.version not in LAYOUTS:
        raise ReadError(path, None, f"version {module.version} of BioLogic's data module is unknown", AS_TEXT)
    kind, first, start = LAYOUTS[module.version]
    if len(module.body) < start:
        raise ReadError(path, None, "the data module of a BioLogic .mpr file is cut off", COPY_AGAIN)
    count, width = struct.unpack("<IB", module.body[:5])
    if first + width * np.dtype(kind).itemsize > start:
        raise ReadError(path, None, f"the data module has {width} columns: damaged", COPY_AGAIN)
    if not count or not width:
        raise ReadError(path, None, *NO_ROWS)
    numbers = [int(number) for number in np.frombuffer(module.body, kind, width, first)]
    fits: list[tuple[dict[str, tuple[str, int]], np.dtype]] = []
    for special in ({}, ec_lab_columns.OF_BT_LAB):
        names, dtype = _layout(path, numbers, ec_lab_columns.TYPES | special)
        if len(module.body) == start + count * dtype.itemsize and dtype not in [found[1] for found in fits]:
            fits.append((names, dtype))
    if len(fits) != 1:
        reason = f"{len(module.body) - start} bytes are not {count} records of the columns {numbers}"
        raise ReadError(path, None, reason, COPY_AGAIN)
    names, dtype = fits[0]
    return names, np.frombuffer(module.body, dtype, count, start)


def _layout(
    path: Path, numbers: list[int], types: Mapping[int, tuple[str, str]]
) -> tuple[dict[str, tuple[str, int]], np.dtype]:
    """Return where each column is, as field and bits in it, and the type of a record."""
    names: dict[str, tuple[str, int]] = {}
    fields: dict[str, Any] = {}
    for number in numbers:
        if number in ec_lab_columns.FLAGS:
            name, bits = ec_lab_columns.FLAGS[number]
            names[name] = ("flags", bits)
            fields.setdefault("flags", "u1")
            continue
        if number not in types:
            raise ReadError(path, None, f"column {number} of BioLogic's data module is unknown", AS_TEXT)
        name, kind = types[number]
        while name in names:  # such as the numbers 77 and 174, both <Ewe>/V: the first is read
            name += "'"
        names[name], fields[name] = (name, 0), kind
    return names, np.dtype(list(fields.items()))


def _numbers(path: Path, names: Mapping[str, tuple[str, int]], records: np.ndarray, name: str) -> np.ndarray:
    """Return the values of a column, with the digits that EC-Lab writes in text."""
    field, bits = names[name]
    stored = records[field]
    if bits:
        return ((stored & bits) / (bits & -bits)).astype(float)
    if stored.dtype == np.float32:
        stored = np.char.mod("%.7e", stored.astype(float) * HALF_UP)
    values = stored.astype(float)
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise ReadError(path, row + 1, f"{name} is {values[row]}, not a finite number", AS_TEXT)
    return values


def _of_sine(settings: _Module | None, names: Mapping[str, tuple[str, int]], records: np.ndarray) -> dict[str, float]:
    """Return amplitude [V] and lowest frequency [Hz] of a PEIS of one sequence.

    Where they stand in the settings is known from files whose settings are known from their text export. The first
    frequency must be the one that was measured, otherwise nothing is returned.
    """
    if settings is None or "freq/Hz" not in names or settings.body[:1] != bytes([PEIS]):
        return {}
    body = settings.body[PARAMETERS : PARAMETERS + 64]
    if len(body) < 64 or struct.unpack_from("<2H", body) != (1, PEIS_PARAMETERS):
        return {}
    at = FIRST_FREQUENCY[settings.is_new]
    first, unit, last, other_unit = struct.unpack_from("<fBfB", body, at)
    (amplitude,) = struct.unpack_from("<f", body, at + 16)
    if max(unit, other_unit) >= len(HERTZ):
        return {}
    first, last = first * HERTZ[unit], last * HERTZ[other_unit]
    measured = float(records[names["freq/Hz"][0]].max())
    if not (measured > 0 and min(first, last) > 0 and abs(max(first, last) / measured - 1) < SAME_FREQUENCY):
        return {}
    return {"low_frequency": float(f"{min(first, last):.6g}"), "amplitude": float(f"{amplitude * 1e-3:.6g}")}


def _start(modules: list[_Module], settings: _Module | None) -> str | None:
    """Return the start of the acquisition as ISO 8601; None where it contradicts the date of the settings."""
    log = next((module for module in modules if module.name == LOG), None)
    date = re.fullmatch(r"(\d\d)[/.-](\d\d)[/.-](\d\d)", settings.date) if settings else None
    if log is None or date is None or len(log.body) < STARTED_AT + 8:
        return None
    (days,) = struct.unpack_from("<d", log.body, STARTED_AT)
    month, day, year = map(int, date.groups())
    try:
        set_on = datetime(2000 + year, month, day)
    except ValueError:
        return None
    if not abs(days - (set_on - EPOCH).days) < SAME_DATE:
        return None
    return (EPOCH + timedelta(days=days)).isoformat(timespec="milliseconds")


FORMAT = Format(
    name="BioLogic EC-Lab .mpr",
    vendors="BioLogic",
    techniques=("cycling", "eis", "dc"),
    extensions=(".mpr",),
    recognise=is_mpr,
    read=read_mpr,
    reads=("as of the text export; the length must be that of the records, and a column of unknown number is refused"),
    checked=(
        Checked(
            "lpscl-ionblocking-eis/PEIS_LPSCl_IonBlocking_-25C.mpr", "BSD-3-Clause", "the text that EC-Lab exported"
        ),
        Checked("cycling-lnmo-sigr-empa/250116_kigr_gen6_01_02_GCPL_CD8.mpr", "MIT", "a plain parse"),
        Checked("ssb-ncm-lpscl-inli/PEIS_SSB.mpr", "BSD-3-Clause", "a plain parse"),
        Checked("ssb-eis/Sample1_PEIS_EndOfDischarge.mpr", "BSD-3-Clause", "a plain parse"),
        Checked("formats-electrochemistry/PEIS-0.mpr", "Apache-2.0", "a plain parse"),
    ),
)
