"""Text exports of BioLogic EC-Lab and BT-Lab: impedance, and current and voltage over time (.mpt).

File structure
--------------
The second line states the number of header lines; the last of them names the columns, separated by tabs, and one row
follows per record. Numbers have decimal points or commas. The fourth line is the technique; settings follow as
`name  value`. The time is in s, or a date (month/day/year) and a time of day. The encoding is latin-1.

Some versions write more names than columns, where columns of derived quantities were selected. Then only the first five
columns of a spectrum are read, because modulus and phase show that they are in their place.

Schema
------
Impedance: xarray.Dataset with `impedance` [ohm] over `frequency` [Hz], `time` [s], `sweep` (see `impedance.spectrum`),
and the attrs `instrument`, `amplitude` [V], `low_frequency` [Hz] and `start`. `unfinished` says that the sweep ended
before the frequency that was set. `cycle number`, or in a Modulo Bat `z cycle`, counts the sweeps.
Current and voltage over time: xarray.Dataset of a cycling recording, see `ec_lab_recording`: `cycle` is EC-Lab's cycle
number, `step` is Ns. The attrs `column` and `derived` of a variable say where it is from, `ec_lab_technique` is
EC-Lab's name of the technique. Columns that are not read are listed in `unread`.

Uncertainties
-------------
`significant_digits` and `resolution` are those with which the numbers are written. The accuracy of the instrument is
not in the file.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import ec_lab_recording
from coldbond.files.encoding import UTF_16, as_utf8, head, is_utf8
from coldbond.files.errors import NO_LINE_BREAK, NO_ROWS, ReadError
from coldbond.files.format import Checked, Format, Stated
from coldbond.files.numerals import NUMBER

if TYPE_CHECKING:
    import polars as pl

STARTS = re.compile(r"(EC|BT)-LAB (ASCII|LOG|SETTING) FILE", re.IGNORECASE)
#: Files of EC-Lab that accompany a recording.
WITHOUT_RECORDS = {"LOG": "the log (.mpl)", "SETTING": "the settings (.mps)"}
#: Line of the technique, counted from 0.
TITLE = 3
PER_HERTZ = {"mHz": 1e-3, "Hz": 1.0, "kHz": 1e3, "MHz": 1e6}
#: A number as EC-Lab writes it, and the end of a row with such a number, which is complete.
WRITTEN = re.compile(r"-?\d\.\d+E[+-]\d{3}")
COMPLETE = re.compile(rb".*\dE[+-]\d{3}")
AGAIN = "export it again as text from EC-Lab"
TAB, LINE_BREAK = 9, 10


def is_ec_lab(data: bytes) -> bool:
    """Return whether the file starts like a text of EC-Lab or BT-Lab."""
    return STARTS.match(next(iter(head(data[:64])), "")) is not None


def read_ec_lab(path: Path, data: bytes, stated: Stated) -> xr.Dataset:
    """Read the records of a technique."""
    kind = STARTS.match(next(iter(head(data[:64]))))
    if what := kind and WITHOUT_RECORDS.get(kind[2].upper()):
        reason = f"{what} of an EC-Lab recording, without its values"
        raise ReadError(path, 1, reason, "use the recording beside it (.mpr), or its export as text (.mpt)")
    header, body = _split(path, _decoded(path, data))
    names = [name.strip() for name in header[-1].rstrip("\t").split("\t")]
    rows, lines, width = _rows(path, body, names, len(header))
    if not body.endswith(b"\n"):
        _require_complete(path, rows, int(lines[-1]))
    cells = _Cells(path, names[:width], rows, lines)
    columns = ec_lab_recording.Columns(
        path,
        "ec-lab-mpt",
        names,
        cells.numbers,
        lines.tolist(),
        len(header),
        header[TITLE].strip() if len(header) > TITLE + 1 else "",
        _attrs(header[:-1]),
        _loops(header[:-1], lines.size),
        "" if width == len(names) else f"EC-Lab wrote {len(names)} names over {width} columns",
    )
    recording = ec_lab_recording.recording(columns, stated)
    return recording.assign_attrs(start=cells.start) if cells.start else recording


def _decoded(path: Path, data: bytes) -> bytes:
    """Return the text in utf-8. EC-Lab writes latin-1; an editor may have saved it in utf-8 or utf-16."""
    if is_utf8(data) or data.startswith(UTF_16) or b"\0" in data:
        return as_utf8(path, data)
    return data.decode("latin-1").encode()


def _split(path: Path, text: bytes) -> tuple[list[str], bytes]:
    """Return the lines of the header, of which the last names the columns, and what follows."""
    top = text.split(b"\n", 2)[1:2]
    count = re.search(rb"Nb header lines\s*:\s*(\d{1,6})\s*$", top[0]) if top else None
    size = int(count[1]) if count else 0
    *header, body = text.split(b"\n", size)
    if not 2 < size == len(header):
        raise ReadError(path, 2, "no number of header lines, or no rows below them", AGAIN)
    if not body.strip():
        raise ReadError(path, size, *NO_ROWS)
    if b"\t" not in header[-1]:
        reason = "the last line of the header does not name columns separated by tabs"
        raise ReadError(path, size, reason, f"{AGAIN}, and leave the header as it is")
    return [line.decode().rstrip("\r") for line in header], body


def _rows(path: Path, body: bytes, names: list[str], above: int) -> tuple[bytes, np.ndarray, int]:
    """Return the rows without blank lines, the line of each, and how many fields every row has."""
    body = body if body.endswith(b"\n") else body + b"\n"
    text = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero(text == LINE_BREAK)
    tabs = np.diff(np.searchsorted(np.flatnonzero(text == TAB), ends), prepend=0)
    starts = np.append(0, ends[:-1] + 1)
    blank = [row for row in np.flatnonzero(tabs == 0) if not body[starts[row] : ends[row]].strip()]
    kept = np.delete(np.arange(ends.size), blank)
    if blank and blank[0] < kept[-1]:
        raise ReadError(path, int(blank[0]) + above + 1, "an empty line between the records: one may be lost", AGAIN)
    if blank:
        body = b"".join(body[starts[row] : ends[row] + 1] for row in kept)
    width = tabs[kept] + 1
    # EC-Lab may end a row with a tab, as it does the names.
    last = text[np.maximum(ends[kept] - 1 - (text[ends[kept] - 1] == ord("\r")), 0)]
    width = np.where((width == len(names) + 1) & (last == TAB), len(names), width)
    usual = np.bincount(width).argmax()
    lines = kept + above + 1
    if (width != usual).any():
        row = int((width != usual).argmax())
        reason = f"cut off, or not a row: {width[row]} fields, other rows have {usual}"
        raise ReadError(path, int(lines[row]), reason, AGAIN)
    return body, lines, int(usual)


def _require_complete(path: Path, body: bytes, line: int) -> None:
    """Refuse a last row without line break that may be cut off within its last number."""
    *before, last = body.rstrip(b"\r\n").rsplit(b"\n", 2)[-2:]
    cells = [row.strip().rsplit(b"\t", 1)[-1] for row in (*before, last)]
    if not COMPLETE.fullmatch(cells[-1]) and cells[-1] not in cells[:-1]:
        raise ReadError(path, line, *NO_LINE_BREAK)


class _Cells:
    """Cells of the columns that may be read, converted to numbers where they are asked for.

    Attributes
    ----------
    start : str or None
        Date and time of the first record as ISO 8601, once the column of the time was read and holds dates.
    """

    def __init__(self, path: Path, names: list[str], body: bytes, lines: np.ndarray) -> None:
        import polars as pl

        self.path, self.lines = path, lines
        self.start: str | None = None
        places = [place for place, name in enumerate(names) if ec_lab_recording.is_read(name)]
        if twice := next((names[place] for place in places if names.count(names[place]) > 1), None):
            raise ReadError(path, int(lines[0]) - 1, f"two columns are named {twice}", f"{AGAIN}, with one of them")
        body = body.replace(b",", b".")
        frame = pl.read_csv(
            body,
            separator="\t",
            has_header=False,
            quote_char=None,
            infer_schema=False,
            columns=places,
            truncate_ragged_lines=True,
        )
        self.cells = {names[place]: frame[:, at] for at, place in enumerate(places)}

    def numbers(self, name: str) -> np.ndarray:
        """Return the values of a column; a date becomes the seconds since the first."""
        import polars as pl

        cells = self.cells.get(name)
        if cells is None:  # more names than columns
            raise ReadError(self.path, int(self.lines[0]) - 1, f"the rows have no field for {name}", AGAIN)
        if name.startswith("time/") and ":" in (cells[0] or ""):
            return self._elapsed(name, cells)
        values = cells.cast(pl.Float64, strict=False)
        if values.has_nulls():
            values = cells.str.strip_chars().cast(pl.Float64, strict=False)
        bad = ~values.is_finite().fill_null(False)
        if WRITTEN.fullmatch(cells[0] or ""):  # by EC-Lab, all with as many digits
            sizes = cells.str.strip_chars_start("-").str.len_bytes()
            bad |= sizes != sizes.mode()[0]
        if bad.any():
            row = bad.arg_max() or 0
            reason = f"{name} is {cells[row] or ''!r}, not a number like the others"
            raise ReadError(self.path, int(self.lines[row]), reason, AGAIN)
        return values.to_numpy()

    def _elapsed(self, name: str, cells: "pl.Series") -> np.ndarray:
        """Return the time since the first record of a column of dates."""
        dates = cells.str.replace(r"^(\d\d)[/.-](\d\d)[/.-]", "$1/$2/")
        moments = dates.str.to_datetime("%m/%d/%Y %H:%M:%S%.f", strict=False)
        if moments.is_null().any():
            row = moments.is_null().arg_max() or 0
            reason = f"{name} is {cells[row]!r}, neither seconds nor a date month/day/year"
            raise ReadError(self.path, int(self.lines[row]), reason, f"{AGAIN} with the elapsed time")
        self.start = moments[0].isoformat(timespec="milliseconds")
        return (moments - moments[0]).dt.total_microseconds().to_numpy() * 1e-6


def _loops(header: list[str], size: int) -> list[int]:
    """Return the records, counted from 0, with which the loops of a sequence of techniques begin, after the first."""
    stated = [re.match(r"Loop \d+ from point number (\d{1,9}) to", line) for line in header]
    return [int(found[1]) for found in stated if found and 0 < int(found[1]) < size]


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
    techniques=("cycling", "eis", "dc"),
    extensions=(".mpt", ".txt"),
    recognise=is_ec_lab,
    read=read_ec_lab,
    reads=(
        "impedance, cycling (GCPL, CP, OCV, CA and others), CA as dc where stated; of a Modulo Bat the part that is "
        "stated; voltammetry only where cycling is stated"
    ),
    checked=(
        Checked("formats-electrochemistry/cp.mpt", "GPL-3.0", "a plain parse"),
        Checked("formats-electrochemistry/ca.issue_149.mpt", "GPL-3.0", "a plain parse"),
        Checked("formats-electrochemistry/gcpl.issue_149.mpt", "GPL-3.0", "a plain parse, and EC-Lab's mean current"),
        Checked("formats-electrochemistry/mb.issue_223.mpt", "GPL-3.0", "a plain parse"),
        Checked("chi660e-eis/exampleDataBioLogic.mpt", "MIT", "a plain parse"),
        Checked("ssb-ncm-lpscl-inli/CP_SSB.txt", "BSD-3-Clause", "a plain parse"),
    ),
)
