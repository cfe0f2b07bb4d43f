"""Raman spectra in JCAMP-DX 4.24 and 5 (McDonald and Wilks 1988, doi 10.1366/0003702884428734) (.jdx, .dx).

File structure
--------------
Labelled records `##LABEL=value`, of which ##XYDATA= or ##XYPOINTS= holds the table and ##END= closes the file. The
table has the form (XY..XY), pairs of numbers, or (X++(Y..Y)), lines of an abscissa and the ordinates that follow at
even steps. Ordinates may be compressed (ASDF): a character stands for the first digit of a value, of a difference to
the ordinate before, or of a number of repeats. A line that ends in a difference is followed by a check value, which
repeats its last ordinate.

Schema
------
xarray.Dataset: `intensity` over `raman_shift` [1/cm], with the attrs `sample_name`, `instrument`, `date` as written,
`excitation` [nm], `integration_time` [s] and `accumulations` where labels of the file state them. An abscissa in
nanometres needs the excitation. The number of points,
the first and last values, the extremes, the abscissa of each line and the check values must agree with the table.

Uncertainties
-------------
The counting statistics are unknown: counts are those of a camera and not single photons, other units are arbitrary.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from coldbond.files.encoding import as_utf8
from coldbond.files.errors import ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.raman import axis
from coldbond.files.spectrum import spectrum

AGAIN = "export or copy the file again"
#: A number as JCAMP-DX writes it (AFFN). An exponent has a sign; "E5" is an ordinate in ASDF.
AFFN = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]\d{1,3})?")
#: The first digit of an ordinate in ASDF, by the character that stands for it: of a value, of a difference to the
#: ordinate before, of a number of repeats.
VALUES = dict(zip("@ABCDEFGHIabcdefghi", (*range(10), *range(-1, -10, -1)), strict=True))
DIFFERENCES = dict(zip("%JKLMNOPQRjklmnopqr", (*range(10), *range(-1, -10, -1)), strict=True))
REPEATS = dict(zip("STUVWXYZs", range(1, 10), strict=True))
#: In the header and in pairs, where no ordinate of ASDF can stand, programs also write an exponent without a sign.
PLAIN = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
TOKEN = re.compile(rf"[\s,;]*(?:({AFFN.pattern})|([@A-Ia-i%J-Rj-rS-Zs])(\d*))")
#: Rounding of values in the header: of abscissae relative to the mean step, of ordinates relative to their range, and
#: units in the last digit that is written.
X_ROUNDING = 0.1
Y_ROUNDING = 1e-3
LAST_DIGIT_ROUNDING = 1.01
#: Labels of which a file has one, and those that begin another spectrum.
TABLES = ("TITLE", "XYDATA", "XYPOINTS", "PEAKTABLE", "DATATABLE", "NTUPLES")
NEEDED = {*TABLES, "DATATYPE", "XUNITS", "YUNITS", "XFACTOR", "YFACTOR", "NPOINTS", "DELTAX", "FIRSTX", "LASTX"}
NEEDED |= {"FIRSTY", "MINX", "MAXX", "MINY", "MAXY"}
LASER = "LASER|EXCITATION"
UNITS = {"ARBITRARYUNITS": "arbitrary units", "COUNTS": "count", "COUNTS/S": "count/s", "COUNTSPERSECOND": "count/s"}


class Record(NamedTuple):
    """A labelled data record: the line of its label, and its text, which may have several lines."""

    line: int
    text: str


def is_jcamp(data: bytes) -> bool:
    """Return whether the first line that is not blank is a label of JCAMP-DX."""
    return bool(re.match(rb"(\xef\xbb\xbf)?\s*##\s*(title|jcamp)", data[: 1 << 10], re.IGNORECASE))


def read_jcamp(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read a Raman spectrum in the form (XY..XY) or (X++(Y..Y)), compressed or not."""
    unread: list[str] = []
    records = _records(path, as_utf8(path, data).decode(), unread)
    kind = _record(path, records, "DATATYPE").text
    if "RAMAN" not in kind.upper():
        reason = f"its data type is {kind!r}" + (": several spectra in one file" if kind.upper() == "LINK" else "")
        raise ReadError(path, records["DATATYPE"].line, reason, "use a file of one RAMAN SPECTRUM")
    written, line = _record(path, records, "XUNITS").text, records["XUNITS"].line
    if axis.unit(written) not in ("1/cm", "nm", "um"):
        raise ReadError(path, line, f"the abscissa is in {written!r}", "export it over Raman shift in 1/CM")
    table = _record(path, records, "XYPOINTS" if "XYPOINTS" in records else "XYDATA")
    form, *rows = table.text.split("\n")
    form = re.sub(r"\s", "", form).upper()
    if form not in ("(XY..XY)", "(X++(Y..Y))"):
        raise ReadError(path, table.line, f"its table has the form {form!r}", "export it as (XY..XY) or (X++(Y..Y))")
    with np.errstate(all="ignore"):  # what is not finite is refused below
        x, y = (_pairs if form == "(XY..XY)" else _evenly_spaced)(path, records, rows, table.line + 1)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ReadError(path, table.line, "values that are too large", AGAIN)
    _check_header(path, records, x, y)
    unit = _record(path, records, "YUNITS").text
    if re.search(axis.ABSORPTION, unit, re.IGNORECASE):
        raise ReadError(path, records["YUNITS"].line, f"the ordinate is in {unit!r}", axis.USE_RAMAN)
    attrs = _attrs(records) | ({"unread": ", ".join(unread)} if unread else {})
    laser = axis.excitation(stated, attrs.get("excitation"))
    x = axis.shift(path, x, axis.unit(written), laser, written, line)
    units = UNITS.get(re.sub(r"\s", "", unit).upper(), unit.lower())
    camera = units in ("count", "count/s")
    reason = "a camera's counts are not single photons" if camera else f"the file gives {units}"
    return spectrum(path, "raman", x, y, units=units, unknown=reason, attrs={"format": "jcamp-dx", **attrs})


def _records(path: Path, text: str, unread: list[str]) -> dict[str, Record]:
    """Return the records by label, without blanks, dashes, slashes and underscores in it; comments are left out.

    Of a label that occurs again the first record counts. The others are named in `unread`, or refused where the
    spectrum depends on them.
    """
    read: list[tuple[str, Record]] = []
    label, number = None, 0
    several = f": {len(re.findall('(?im)^[ ]*##[ ]*title', text))} spectra in one file"
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.split("$$")[0].strip()
        if label == "END" and line:
            raise ReadError(path, number, f"more follows after ##END={several}", "export each spectrum to its own file")
        if line.startswith("##"):
            name, equals, value = line[2:].partition("=")
            label = re.sub(r"[\s\-/_]", "", name).upper()
            if not equals:
                raise ReadError(path, number, f"{line!r} is not a labelled record", AGAIN)
            read.append((label, Record(number, value.strip())))
        elif label is not None:
            label, record = read[-1]
            read[-1] = label, Record(record.line, f"{record.text}\n{line}")
    if label != "END":
        raise ReadError(path, number, "the file ends without ##END=: it was cut off", AGAIN)
    records: dict[str, Record] = {}
    for label, (number, text) in read:
        first = records.setdefault(label, Record(number, text.rstrip()))
        differs = first.text != text.rstrip() or label in TABLES
        if first.line != number and differs and (label in NEEDED or re.search(LASER, label)):
            reason = f"the label {label!r} occurs twice, first in line {first.line}"
            reason += several if label in TABLES else ""
            raise ReadError(path, number, reason, "export one complete spectrum per file")
        if first.line != number and differs:
            unread.append(f"##{label}= of line {number}")
    return records


def _record(path: Path, records: Mapping[str, Record], label: str) -> Record:
    if label not in records:
        raise ReadError(path, None, f"the file has no ##{label}=", f"export it with ##{label}=")
    return records[label]


def _number(path: Path, records: Mapping[str, Record], label: str) -> float:
    line, text = _record(path, records, label)
    if not PLAIN.fullmatch(text):
        raise ReadError(path, line, f"##{label}= is {text!r}, not a number", AGAIN)
    return float(text)


def _pairs(path: Path, records: Mapping[str, Record], rows: list[str], first: int) -> tuple[np.ndarray, np.ndarray]:
    """Return abscissae and ordinates of (XY..XY)."""
    numbers: list[float] = []
    for line, row in enumerate(rows, start=first):
        cells = [cell for cell in re.split(r"[\s,;]+", row) if cell]
        if len(cells) % 2 or not all(PLAIN.fullmatch(cell) for cell in cells):
            raise ReadError(path, line, f"{row!r} is not a list of pairs of numbers", AGAIN)
        numbers += map(float, cells)
    x, y = np.array(numbers).reshape(-1, 2).T
    if "XYDATA" in records or "XFACTOR" in records or "YFACTOR" in records:  # XYPOINTS may lack them
        x, y = x * _number(path, records, "XFACTOR"), y * _number(path, records, "YFACTOR")
    return x, y


def _evenly_spaced(
    path: Path, records: Mapping[str, Record], rows: list[str], first: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return abscissae and ordinates of (X++(Y..Y)): evenly spaced, with the first abscissa of each line checked."""
    low, high, size = (_number(path, records, label) for label in ("FIRSTX", "LASTX", "NPOINTS"))
    xfactor, yfactor = _number(path, records, "XFACTOR"), _number(path, records, "YFACTOR")
    step = (high - low) / max(size - 1, 1)
    ordinates: list[float] = []
    differing = False
    for line, row in enumerate(rows, start=first):
        if not row:
            continue
        stated, decimals, values, ends_in_difference = _row(path, line, row, size)
        if differing:  # the check value, so that an error in a difference cannot propagate
            if values[0] != ordinates[-1]:
                reason = f"the check value is {values[0]:g}, but the line before ends at {ordinates[-1]:g}"
                raise ReadError(path, line, reason, AGAIN)
            ordinates.pop()
        expected = low + step * len(ordinates)
        allowed = 0.5 * abs(step) + LAST_DIGIT_ROUNDING * abs(xfactor) * 10.0**-decimals
        # Some programs state the abscissa of the check value, some that of the ordinate after it.
        if min(abs(stated * xfactor - expected), abs(stated * xfactor - expected - differing * step)) > allowed:
            reason = f"the line starts at {stated * xfactor:g}, where {expected:g} is expected"
            raise ReadError(path, line, reason, AGAIN)
        ordinates += values
        differing = ends_in_difference
    if len(ordinates) != size:
        reason = f"{len(ordinates)} ordinates where ##NPOINTS= states {size:g}"
        raise ReadError(path, records["NPOINTS"].line, reason, AGAIN)
    return np.linspace(low, high, len(ordinates)), np.array(ordinates) * yfactor


def _row(path: Path, line: int, row: str, most: float) -> tuple[float, int, list[float], bool]:
    """Return a line's abscissa, its decimals, the ordinates, and whether the last was written as a difference."""

    def fail(reason: str) -> ReadError:
        return ReadError(path, line, f"{reason} in {row!r}", AGAIN)

    start = AFFN.match(row)
    if not start:
        raise fail("no abscissa")
    values: list[float] = []
    difference, at = None, start.end()
    while at < len(row):
        token = TOKEN.match(row, at)
        if not token:
            raise fail(f"{row[at:].strip()[0]!r} is not an ordinate")
        number, letter, digits = token.groups()
        if number or letter in VALUES:
            values.append(float(number or f"{VALUES[letter]}{digits}"))
            difference = None
        elif not values:
            raise fail("a difference or a repeat before any ordinate")
        elif letter in DIFFERENCES:
            difference = float(f"{DIFFERENCES[letter]}{digits}")
            values.append(values[-1] + difference)
        else:
            repeats = int(f"{REPEATS[letter]}{digits}")
            if repeats > most:
                raise fail(f"{repeats} repeats of one ordinate")
            values += [values[-1] + (difference or 0.0) * repeat for repeat in range(1, repeats)]
        at = token.end()
    if not values:
        raise fail("no ordinate")
    return float(start[0]), _decimals(start[0]), values, difference is not None


def _check_header(path: Path, records: Mapping[str, Record], x: np.ndarray, y: np.ndarray) -> None:
    """Refuse a table that contradicts the header."""
    if _number(path, records, "NPOINTS") != x.size:
        reason = f"{x.size} points where ##NPOINTS= states {records['NPOINTS'].text}"
        raise ReadError(path, records["NPOINTS"].line, reason, AGAIN)
    if not x.size:
        raise ReadError(path, None, "the table is empty", AGAIN)
    found = {"FIRSTX": x[0], "LASTX": x[-1], "MINX": x.min(), "MAXX": x.max(), "FIRSTY": y[0]}
    found |= {"MINY": y.min(), "MAXY": y.max()}
    rounding = {"X": X_ROUNDING * abs(np.ptp(x)) / x.size, "Y": Y_ROUNDING * np.ptp(y)}
    for label, value in found.items():
        if label in records:
            stated = _number(path, records, label)
            if abs(stated - value) > rounding[label[-1]] + LAST_DIGIT_ROUNDING * 10.0 ** -_decimals(
                records[label].text
            ):
                reason = f"##{label}= states {stated:g}, but the table has {value:g}"
                raise ReadError(path, records[label].line, reason, AGAIN)


def _decimals(number: str) -> int:
    """Return the decimals that a number is written with, negative for 1E+3."""
    mantissa, _, exponent = number.upper().partition("E")
    return len(mantissa.partition(".")[2]) - max(-99, min(99, int(exponent[:4] or 0)))  # no quantity needs more


def _attrs(records: Mapping[str, Record]) -> dict[str, Any]:
    """Return the header fields under the names of the data model."""
    attrs: dict[str, Any] = {"sample_name": records["TITLE"].text} if "TITLE" in records else {}
    for label in ("SPECTROMETERDATASYSTEM", "ORIGIN"):
        if label in records:
            attrs.setdefault("instrument", records[label].text)
    date = " ".join(records[label].text for label in ("LONGDATE", "DATE", "TIME") if label in records)
    attrs |= {"date": date} if date else {}  # as written, since years have two or four digits
    for label, record in records.items():
        number = re.match(rf"({AFFN.pattern})\s*([a-z]*)", record.text, re.IGNORECASE)
        if not label.startswith("$") or not number:
            continue
        value, unit = float(number[1]), number[2].lower()
        if re.search(LASER, label) and not re.search("POWER|TIME", label):
            written = f"{number[1]} nm" if label.endswith("(NM)") else record.text
            laser = axis.laser(written, bare=bool(re.search("WAVELENGTH|EXCITATION", label)))
            attrs |= {"excitation": laser} if laser is not None else {}
        elif re.search("(INTEGRATION|EXPOSURE)TIME", label) and unit in ("s", "sec", "ms"):
            attrs["integration_time"] = value / (1e3 if unit == "ms" else 1)
        elif re.search("ACCUMULATIONS|NUMBEROFEXPOSURES|AVERAGES", label):
            attrs["accumulations"] = value
    return attrs


FORMAT = Format(
    name="JCAMP-DX",
    vendors="any",
    techniques=("raman",),
    extensions=(".jdx", ".dx", ".jcamp"),
    recognise=is_jcamp,
    read=read_jcamp,
    reads="versions 4.24 and 5, one spectrum over Raman shift or wavelength; labels may occur twice",
    checked=(Checked("raman-jcampdx/tannic_acid.jdx", "MIT", "a plain parse"),),
)
