"""Powder patterns in the raw-data format of GSAS and GSAS-II (.gsas, .gsa, .raw, .fxye, .xra).

File structure
--------------
A line of title, comments, and `BANK number points records CONST start step 0 0 type`, start and step in hundredths of a
degree (Larson and Von Dreele, GSAS, Report LAUR 86-748). The points follow by type: STD, ten to a record, the number of
counters in two columns and the mean count in six; ESD, five to a record, intensity and standard uncertainty in eight
columns each; FXYE and FXY, one to a record: angle in hundredths of a degree, intensity, and standard uncertainty.

Schema
------
xarray.Dataset: `intensity` over `two_theta` [degree], with the attrs `step` [degree] and `title`. The file has no
wavelength: it is stated beside it.

Uncertainties
-------------
STD holds counts: `one_count` is 1 divided by the number of counters. Of the other types the statistics are known where
the square of the standard uncertainty is the same multiple of the intensity everywhere.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.diffraction.scans import angles, counted
from coldbond.files.encoding import head
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.numerals import AGAIN, number, numbers
from coldbond.files.rows import lines_of, read_rows
from coldbond.files.spectrum import spectrum

BANK = re.compile(r"BANK\s+(\d{1,9})\s+(\d{1,9})\s+(\d{1,9})\s+(\w+)\s+(.*)")
#: Columns of a point and points of a record, by type.
WIDTHS = {"STD": (8, 10), "ESD": (16, 5)}
#: Angles of the file are in hundredths of a degree.
CENTIDEGREE = 0.01
#: Deviation from start and step that the digits of an angle explain, in steps.
OFF_GRID = 0.5


def is_gsas(data: bytes) -> bool:
    """Return whether a bank is announced at the start."""
    return any(BANK.match(line.rstrip()) for line in head(data))


def read_gsas(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the one bank."""
    lines = lines_of(path, data)
    banks = [(at, found) for at, line in enumerate(lines) if (found := BANK.match(line.rstrip()))]
    at, bank = banks[0]
    if len(banks) > 1:
        reason = f"{len(banks)} banks, each a pattern of its own"
        raise ReadError(path, banks[1][0] + 1, reason, "export each bank to a file of its own")
    points, records, binning, rest = int(bank[2]), int(bank[3]), bank[4], bank[5].split()
    kind = next((word for word in rest if re.match("[A-Za-z]", word)), "STD")
    if binning not in ("CONST", "CONS") or kind not in (*WIDTHS, "FXYE", "FXY"):
        reason = f"a GSAS bank of {binning} {kind}, which is not a pattern over 2theta that is read"
        raise ReadError(path, at + 1, reason, "use a pattern of CONST and STD, ESD or FXYE: constant wavelength")
    start, step = (CENTIDEGREE * number(path, cell, "a BANK", at + 1) for cell in [*rest, "", ""][:2])
    body = [(line, text) for line, text in enumerate(lines[at + 1 :], start=at + 2) if text.strip()]
    if len(body) != records:
        raise ReadError(path, at + 1, f"{len(body)} records where the BANK says {records}", AGAIN)
    attrs: dict[str, Any] = {"format": "gsas", "step": round(step, 9)}
    attrs |= {"title": title} if at > 0 and (title := lines[0].strip()) else {}
    if kind in WIDTHS:
        angle = angles(start, step, points)
        intensity, known = _fixed(path, body, kind, points)
        return spectrum(path, "xrd", angle, intensity, **known, attrs=attrs)
    rows = read_rows(path, lines, at + 1)
    if rows.values.shape != (points, len(kind) - 1):
        reason = f"{rows.values.shape[0]} points of {rows.values.shape[1]} numbers, not {points} of {len(kind) - 1}"
        raise ReadError(path, rows.lines[0], reason, AGAIN)
    angle = np.round(CENTIDEGREE * rows.values[:, 0], 9)
    if abs(angle[0] - start) > OFF_GRID * step or abs(angle[-1] - angles(start, step, points)[-1]) > 2 * step:
        reason = f"angles from {angle[0]:g} to {angle[-1]:g} degree, where the BANK says {start:g} in steps of {step:g}"
        raise ReadError(path, rows.lines[0], reason, "export it again: angles in hundredths of a degree")
    known = {"units": "arbitrary units"}
    if kind == "FXYE":
        known = counted(rows.values[:, 1], rows.values[:, 2])
    return spectrum(path, "xrd", angle, rows.values[:, 1], **known, attrs=attrs, lines=rows.lines)


def _fixed(path: Path, body: Sequence[tuple[int, str]], kind: str, points: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Return intensities in columns of fixed width, and their counting arguments of `spectrum`."""
    width, per_record = WIDTHS[kind]
    fields = [
        (line, text[place : place + width])
        for line, text in body
        for place in range(0, min(len(text.rstrip()), width * per_record), width)
    ]
    behind = [(line, cell) for line, cell in fields[points:] if re.search("[1-9]", cell)]
    too_long = next((line for line, text in body if len(text.rstrip()) > width * per_record), None)
    if len(fields) < points or behind or too_long:
        reason = f"{len(fields)} points in columns of {width} where the BANK says {points}"
        raise ReadError(path, too_long or (behind[0][0] if behind else body[-1][0]), reason, AGAIN)
    fields = fields[:points]
    lines = [line for line, _ in fields]
    split = 2 if kind == "STD" else width // 2
    first, second = [cell[:split].strip() for _, cell in fields], [cell[split:].strip() for _, cell in fields]
    if kind == "ESD":
        intensity, sigma = (numbers(path, column, "a number", lines, AGAIN) for column in (first, second))
        return intensity, counted(intensity, sigma)
    for line, cell in fields:
        if cell[:2].strip() and cell[2:3].strip():
            reason = f"{cell!r} is a number of counters and a count, or a count of more than six digits"
            raise ReadError(path, line, reason, "export it as FXYE")
    counters = numbers(path, [cell or "1" for cell in first], "a number of counters", lines)
    return numbers(path, second, "a count", lines), {"one_count": 1 / np.maximum(counters, 1)}


FORMAT = Format(
    name="GSAS raw data",
    vendors="GSAS, GSAS-II",
    techniques=("xrd",),
    extensions=(".gsas", ".gsa", ".gda", ".raw", ".fxye", ".xra"),
    recognise=is_gsas,
    read=read_gsas,
    reads="one bank of constant wavelength (STD, ESD, FXYE, FXY); the wavelengths are stated beside the file",
    checked=(
        Checked(
            "formats-spectra/AdvancedPhotonSource__NIST660CBI.gsas", "none stated (US Government)", "a plain parse"
        ),
        Checked("xrd-fluorapatite-gsas/FAP.XRA", "none stated (US Government)", "a plain parse"),
    ),
)
