"""The refusal of a file that no reader recognises: what the file seems to be, and what can be read."""

import io
import re
import zipfile
from pathlib import Path

from coldbond.files import generic_text
from coldbond.files.electrochemistry import vocabulary
from coldbond.files.encoding import UTF_16, head
from coldbond.files.errors import ReadError

#: Bytes at the start of a file in which a signature must stand.
SIGNATURE_WITHIN = 4096
SIGNATURES = {
    rb"(?m)^(_diffrn|_cell_length|loop_)": "a CIF without a powder pattern",
    rb"\A\xd0\xcf\x11\xe0": "an Excel workbook in the old format (.xls)",
    rb"\ARAW_1": "a STOE .raw file (WinXPOW exports it as .xy)",
    rb"\ARAW[ 1-9]": "a Bruker .raw file of another version (DIFFRAC programs export it as RAW4.00, .uxd or .xy)",
    rb"\AV[35]RD": "a Philips .rd file (X'Pert programs export it as .xrdml or .csv)",
    rb"\A%PDF": "a PDF",
    rb"\A\x89PNG|\A\xff\xd8\xff": "a picture",
    rb"\APAR1": "a Parquet file",
}
#: Members of zip archives that give away their program.
MEMBERS = {"word/": "a Word document"}


def refusal(path: Path, data: bytes, readable: str) -> ReadError:
    """Return the error for a file that no reader recognises; `readable` names the formats that can be read."""
    remedy = f"use a recording in a format that can be read: {readable}"
    start = data[:SIGNATURE_WITHIN]
    if data.startswith(b"PK"):
        return ReadError(path, None, f"{_archive(data)}, which this version does not read", remedy)
    for signature, name in SIGNATURES.items():
        if re.search(signature, start):
            return ReadError(path, None, f"{name}, which this version does not read", remedy)
    if b"\0" in start and not data.startswith(UTF_16):
        remedy = f"save it as utf-8 if it is text, otherwise {remedy}"
        return ReadError(path, None, "a binary file, or utf-16 without byte-order mark", remedy)
    return _text(path, head(data), remedy)


def _archive(data: bytes) -> str:
    """Return what a zip archive seems to be."""
    try:
        members = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except (zipfile.BadZipFile, NotImplementedError):
        return "a damaged zip archive (.xlsx is one; was the complete file copied?)"
    return next((name for start, name in MEMBERS.items() if any(m.startswith(start) for m in members)), "a zip archive")


def _text(path: Path, lines: list[str], remedy: str) -> ReadError:
    """Return the error for text that has no header, or whose header names no recording."""
    rows = [re.split(r"[,;\t]", line) for line in lines]
    closest = min(range(len(rows)), key=lambda number: len(vocabulary.missing(rows[number])))
    missing = vocabulary.missing(rows[closest])
    if len(missing) == 1:
        reason = f"this header names no column for {missing[0]}"
        return ReadError(path, closest + 1, reason, "export it with test time, voltage and current")
    at = generic_text.first_row(lines)
    if at is not None:
        return ReadError(path, at + 1, "numbers without a header that says what they are", generic_text.REMEDY)
    return ReadError(path, None, "no recording in a format that this version reads", remedy)
