"""What a file that no reader recognises seems to be, so that the refusal can say so."""

import io
import re
import zipfile
from pathlib import Path

from coldbond.files import two_columns, vocabulary
from coldbond.files.encoding import head
from coldbond.files.errors import ReadError

READABLE = (
    "of cycling Landt CSV, LAND CSV, LANDdt and LANHE workbooks (.xlsx), Battery Data Format CSV; "
    "of diffraction Rigaku .ras, .rasx and .asc, PANalytical .xrdml, Bruker .brml, powder CIF; "
    "of photoelectrons VAMAS and Avantage workbooks; of Raman JCAMP-DX and B&W Tek; "
    "of impedance CH Instruments .txt and EC-Lab .mpt; "
    "of these four also delimited text whose header names the columns"
)

SIGNATURES = {
    rb"(?m)^(_diffrn|_cell_length|loop_)": "a CIF without a powder pattern",
    rb"BIO-LOGIC MODULAR FILE": "a BioLogic .mpr file (EC-Lab exports it as .mpt)",
    rb"\A\xd0\xcf\x11\xe0": "an Excel workbook of the old kind (.xls)",
    rb"\A%PDF": "a PDF",
    rb"\A\x89PNG|\A\xff\xd8\xff": "a picture",
    rb"\APAR1": "a Parquet file",
}
MEMBERS = {
    "word/": "a Word document",
}
BATTERY_DATA_FORMAT = "test_time_second,voltage_volt,current_ampere"
MEND = f"give a recording that it reads: {READABLE}"


def refusal(path: Path, data: bytes) -> ReadError:
    """The error for a file that no reader recognises: what it seems to be, and what is readable."""
    if data.startswith(b"PK"):
        return ReadError(path, None, f"{_archive(data)}, which this version does not read", MEND)
    for signature, name in SIGNATURES.items():
        if re.search(signature, data[:4096]):
            return ReadError(path, None, f"{name}, which this version does not read", MEND)
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        mend = f"save it as utf-8 if it is text, else {MEND}"
        return ReadError(path, None, "a binary file, or utf-16 without its byte-order mark", mend)
    return _no_header(path, head(data))


def _archive(data: bytes) -> str:
    try:
        members = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except (zipfile.BadZipFile, NotImplementedError):
        return "a damaged zip archive (.xlsx is one; was it copied whole?)"
    return next((name for start, name in MEMBERS.items() if any(m.startswith(start) for m in members)), "a zip archive")


def _no_header(path: Path, lines: list[str]) -> ReadError:
    """The error for text whose header names no recording, or that has none."""
    rows = [re.split(r"[,;\t]", line) for line in lines]
    closest = min(range(len(rows)), key=lambda number: len(vocabulary.lacking(rows[number])))
    lacking = vocabulary.lacking(rows[closest])
    if len(lacking) == 1:
        reason = f"this header names no column for {lacking[0]}"
        return ReadError(path, closest + 1, reason, "export it with test time, voltage and current")
    at = two_columns.first_row(lines)
    if at is not None:
        mend = f"add a line above them, such as {two_columns.NAMED} or, of a cycler, {BATTERY_DATA_FORMAT!r}"
        return ReadError(path, at + 1, "numbers without a header that says what they are", mend)
    return ReadError(path, None, "no recording of a kind that this version reads", MEND)
