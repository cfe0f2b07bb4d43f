"""Headers of text: fields with units, and the line that names the columns.

A field is a name, a sign or a blank, and a number with its unit behind either, all within one line. A line names the
columns where it has one name for each column, the abscissa among them, and where the column so named can be one.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_of
from pathlib import Path

import numpy as np

from coldbond.files.electrochemistry.impedance_columns import FREQUENCY, TIME
from coldbond.files.errors import ReadError
from coldbond.files.numerals import NUMBER
from coldbond.files.rows import COMMENT, cells
from coldbond.files.stated import KALPHA, how_to_state_wavelengths

#: A number that a header states; 1.5406e-10, 532,02.
VALUE = r"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?(?![.,]?\d)(?=[\s,;)\]/A-Za-zµμÅÅ°]|[\"'](?!\d)|$)"
UNIT = r"(?:1\s?/\s?cm|cm\s?\^?\s?[-−]\s?1|cm⁻¹|[A-Za-zµμÅÅ°]+)"
#: What may stand between the name of a field and its number: words and a unit in brackets, but no other number.
BETWEEN = r"(?P<between>(?:[^:=\d]|1\s?/\s?cm|cm\s?\^?[-−]1)*?)(?:[:=]|(?<=[\w)\]])\s*[,;\t]|\s)\s*[\"']?"
LENGTHS = {"nm": 10.0, "pm": 0.01, "m": 1e10, "å": 1.0, "a": 1.0, "ang": 1.0, "angstrom": 1.0, "angstroms": 1.0}
TIMES = {"s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6}
TIMES |= {"min": 60.0, "minutes": 60.0, "h": 3600.0}
#: Relative deviation from a tenth of a K-alpha line within which a wavelength may be in nm.
IN_NANOMETRE = 2e-3
#: Units, in lower case with u for micro: those that fields of any kind may have.
UNITS = {*LENGTHS, *TIMES, "mm", "cm", "um", "km", "ev", "kev", "mev", "gev", "j", "hz", "khz", "mhz", "ghz", "thz"}
UNITS |= {"deg", "rad", "mrad", "v", "mv", "kv", "w", "mw", "1/cm", "ns", "ps", "fs", "micron", "microns"}


@dataclass(frozen=True)
class Quantity:
    """A quantity that a header may state.

    Attributes
    ----------
    name : str
        For errors.
    pattern : str
        Of its name in a header, without regard to case.
    units : mapping of str to float
        Size of each unit in that of the data model; in lower case, with u for micro.
    bounds : tuple of float
        What it can be, in the unit of the data model: outside, the unit is another one.
    inverse : mapping of str to float
        Units of its inverse, such as 1/cm of a wavelength: the value is this number divided by the one stated.
    """

    name: str
    pattern: str
    units: Mapping[str, float]
    bounds: tuple[float, float] = (0.0, math.inf)
    inverse: Mapping[str, float] = field_of(default_factory=dict)


def field(path: Path, header: Sequence[str], quantity: Quantity) -> float | None:
    """Return a quantity in the unit of the data model; None where the header does not state it.

    Raises
    ------
    ReadError
        The unit is not one of the quantity, the value cannot be, or the header states two values.
    """
    found: dict[float, str] = {}
    for line in header:
        form = rf"(?:{quantity.pattern}){BETWEEN}(?P<value>{VALUE})\s*[\"']?\s*[\[(]?(?P<unit>{UNIT})?"
        for match in re.finditer(form, line, re.IGNORECASE):
            if not re.search("[:=,;\t]", line[match.start() : match.start("value")]) and _words(match["between"]):
                continue  # prose: "photon energy of the monochromator set in 2019"
            value = _value(path, match, quantity)
            if not quantity.bounds[0] < value < quantity.bounds[1]:
                reason = f"{match[0].strip()!r} in the header is no {quantity.name}"
                raise ReadError(path, None, reason, "export it again with the unit, or state it beside the file")
            found[value] = match[0].strip()
    if len(found) > 1:
        reason = f"the header states two values: {' and '.join(map(repr, found.values()))}"
        raise ReadError(path, None, reason, "export one recording to a file")
    return next(iter(found), None)


def _words(between: str) -> str:
    """Return what is no unit of what stands between name and number."""
    return re.sub(rf"[/(\[_]\s*{UNIT}\s*[)\]]?", "", between).strip(" _-\"'")


def _value(path: Path, match: re.Match[str], quantity: Quantity) -> float:
    """Return the value of a field in the unit that stands behind the number or the name."""
    value = float(match["value"].replace(",", "."))
    behind_name = re.search(rf"[/(\[_,]\s*({UNIT})\s*[)\]]?\W*$", match["between"])
    for unit in (match["unit"], behind_name[1] if behind_name else None):
        plain = unit_name(unit or "")
        if plain in quantity.units:
            return value * quantity.units[plain]
        if plain in quantity.inverse and value:
            return quantity.inverse[plain] / value
        if plain in UNITS:
            known = ", ".join({**quantity.units, **quantity.inverse}) or "it has none"
            reason = (
                f"{match[0].strip()!r} in the header: {unit!r} is no unit of {quantity.name} that is read ({known})"
            )
            raise ReadError(path, None, reason, "export it with another unit")
    if match["unit"] and match.string[match.end("value")].isalpha():
        reason = f"{match[0].strip()!r} in the header is not a number and a unit"
        raise ReadError(path, None, reason, "export it again, or state it beside the file")
    return value


def wavelengths_of(path: Path, header: Sequence[str]) -> dict[str, float]:
    """Return the wavelengths [angstrom] that a header states: one, or K-alpha1 and K-alpha2 in one line or two."""
    lengths = {name: size for name, size in LENGTHS.items()}
    lines = [re.sub(r"(?i)\bK[-_ ]?(?:alpha|α)", "Ka", line) for line in header]
    first, second = (
        field(
            path,
            lines,
            Quantity(f"K-alpha{n}", rf"(?:\bKa[-_ ]?{n}|(?:wave[-_ ]?length|lambda|λ)[-_ ]?{n}(?![\d.,]))", lengths),
        )
        for n in (1, 2)
    )
    if first is None:
        # Two numbers behind one name: the second in the same line, with decimals and with no other unit.
        name = r"(?:wave[-_ ]?lengths?|lambda|λ)(?![-_ ]?[12]\b)"
        two = rf"(?i){name}(?P<between>[^:=\d]*)[:=]\s*({VALUE})\s*({UNIT})?\s*[,;/ ]\s*"
        pair = rf"{two}(\d+[.,]\d+)(?=[\s,;)\]A-Za-zÅÅ]|$)"
        for line in lines:
            if re.search(rf"{two}\d*[.,]\d", line) and not re.search(pair, line):
                reason = f"{line.strip()[:60]!r} in the header is not one wavelength or two"
                raise ReadError(path, None, reason, how_to_state_wavelengths("Cu"))
        if match := next((found for line in lines if (found := re.search(pair, line))), None):
            stated = Quantity("wavelength", name, lengths)
            rest = match.string[match.end() :]
            unit = match[3] or (found[0] if (found := re.match(rf"\s*{UNIT}", rest)) else "")
            values = (
                field(path, [f"wavelength{match['between']}: {number} {unit}"], stated)
                for number in (match[2], match[4])
            )
            first, second = values
        else:
            first = field(path, lines, Quantity("wavelength", name, lengths))
    if first is None:
        return {}
    for anode, (alpha, _) in KALPHA.items():
        if abs(10 * first / alpha - 1) < IN_NANOMETRE:
            reason = f"a wavelength of {first:.9g} angstrom, or {anode} K-alpha in nm"
            raise ReadError(path, None, reason, how_to_state_wavelengths(anode))
    return {"wavelength_kalpha1": round(first, 12)} | ({"wavelength_kalpha2": round(second, 12)} if second else {})


def unit_name(unit: str) -> str:
    """Return a unit in lower case, with u for micro and 1/cm for cm-1."""
    plain = re.sub(r"\s", "", unit).replace("µ", "u").replace("μ", "u").replace("−", "-").lower()
    return "1/cm" if re.fullmatch(r"1/cm|cm\^?-1|cm⁻¹|cm\^\(-1\)|/cm", plain) else plain


@dataclass(frozen=True)
class Axis:
    """An abscissa that columns may have.

    Attributes
    ----------
    technique : str
    label : str
        As errors call it.
    scale : str or None
        "binding" or "kinetic" of photoelectrons.
    pattern : re.Pattern
        Of its name.
    units : tuple of str
        Units that it may have, as by `unit_name`; a name without a unit is accepted too.
    bounds : tuple of float
        Between which its values are.
    """

    technique: str
    label: str
    scale: str | None
    pattern: re.Pattern[str]
    units: tuple[str, ...] = ()
    bounds: tuple[float, float] = (-math.inf, math.inf)


DEGREES = ("deg", "degree", "degrees", "°", "deg.")
TWO_THETA = r"\b2[-_ *]?(?:theta|th|tth|θ|ϑ|Θ)(?![a-z])|two[-_ ]?theta|\btth\b|2θ|2Θ|2ϑ|2th(?:eta)?\b"
AXES = (
    Axis("xrd", "2theta in degrees", None, re.compile(TWO_THETA, re.IGNORECASE), DEGREES, (0.0, 180.0)),
    Axis(
        "xps",
        "a binding energy in eV",
        "binding",
        re.compile(r"(?i:binding)|\bBE\b|\bB\.E\.|\bE_?(?:bin|B)\b"),
        ("ev",),
        (-100.0, 2e4),
    ),
    Axis(
        "xps",
        "a kinetic energy in eV",
        "kinetic",
        re.compile(r"(?i:kinetic)|\bKE\b|\bK\.E\.|\bE_?kin\b"),
        ("ev",),
        (0.0, 2e4),
    ),
    Axis(
        "raman", "a Raman shift in 1/cm", None, re.compile(r"raman[-_ ]?shift", re.IGNORECASE), ("1/cm",), (-5e3, 1e4)
    ),
    Axis("eis", "a frequency", None, FREQUENCY),
    Axis("dc", "a time", None, TIME),
)
#: Abscissae that are none of these, though a header may mention one of these beside them.
OTHER_AXIS = re.compile(
    r"(?i)^\W*(q|s|d|g)\b|^\W*[qd]_|\bq\b|d[-_ ]?spac|d[-_ ]?value|\b(tof|time[-_ ]of[-_ ]flight)\b|1/(nm|å|a)\b"
    r"|\b_?(?:a|å|nm)\^?-1|sin\W*(theta|θ)|^\W*(theta|θ|omega|ω|chi|phi)\b|wave ?number|channel"
)
INTENSITY = re.compile(
    r"intensity|\bcounts?\b|\bk?cps\b|\bcounts|\binten\b|\bI_?(?:obs)?\b(?!\s*[/(\[]\s*[mun]?A\b)", re.I
)
#: Names of columns beside abscissa and intensity.
OTHER_COLUMN = re.compile(
    r"(?i)background|sigma|σ|error|esd|\bstd|y[-_ ]?(obs|calc)|\by\d*\b|time|current|voltage|ewe|phase|\bz\b|fit"
)


def axes(name: str) -> list[Axis]:
    """Return the abscissae that a name can mean."""
    return [axis for axis in AXES if axis.pattern.search(name)]


def axis_unit(name: str, axis: Axis) -> str | None:
    """Return the unit of an abscissa as its column names it; None where it names none."""
    rest = axis.pattern.sub(" ", name)
    for bracket in re.findall(r"[(\[]\s*([^)\]]+?)\s*[)\]]", rest):
        plain = unit_name(bracket.lower().removeprefix("rel.").strip())
        if plain in axis.units:
            return plain
        if any(word in UNITS for word in re.findall(r"[^\s/^-]+", plain)):
            return str(bracket)
    rest = re.sub(r"[(\[].*?[)\]]", " ", rest)
    behind = re.search(rf"(?:/|,|_|\bin\b|\s)\s*({UNIT}\.?|1\s?/\s?(?:nm|Å|A))\s*$", rest)
    plain = unit_name(behind[1]) if behind else ""
    return behind[1] if behind and (plain in UNITS or plain in axis.units or "1/" in plain) else None


def column_names(header: Sequence[str], values: np.ndarray) -> list[str]:
    """Return the names of the columns, from the last line of the header that has them; [] where none has.

    Parameters
    ----------
    header : sequence of str
        Lines above the rows.
    values : array, shape (rows, columns)
    """
    width = values.shape[1]
    labelled = [re.match(rf"#\s*{axis}\s*,\s*(.+)", line) for axis in "xy" for line in header]
    if width == 2 and len(named := [match[1].replace(",", "/") for match in labelled if match]) == width:
        return named
    for at in range(len(header) - 1, -1, -1):
        line = header[at]
        bare = line.lstrip(COMMENT + " ").removeprefix("ColumnLabels:").strip()
        # A comment may go on with fields: "# two_theta/degree, counts; wavelength: 1.5406".
        parts = [bare, *([bare.split(";")[0]] if bare != line and re.search("[:=]", bare.partition(";")[2]) else [])]
        for names in (names for part in parts for names in _candidates(part, width, continues=bare != line)):
            if _are_names(names, values):
                return _with_units(names, header[at + 1] if at + 1 < len(header) else "")
    return []


def _candidates(bare: str, width: int, *, continues: bool) -> Iterable[list[str]]:
    """Yield the fields of a line, split in each way that gives as many as there are columns."""
    quoted = cells(bare) if '"' in bare else []
    if len(quoted) == width:
        yield quoted
    for separator in (r";", r"\t", r",", r"\s{2,}", r"\s+"):
        fields = [cell.strip().strip('"') for cell in re.split(separator, bare.strip(";\t, "))]
        # A comment may continue behind the names: "# two_theta/degree, counts, wavelength: 1.54".
        more = continues and separator == "," and len(fields) > width and axes(fields[0])
        if len(fields) == width or (more and (re.search("[:=]", fields[width]) or INTENSITY.match(fields[1]))):
            yield fields[:width]


def _are_names(names: Sequence[str], values: np.ndarray) -> bool:
    """Return whether fields name the columns: an abscissa with possible values, and a unit or another name."""
    for place, name in enumerate(names):
        for axis in axes(name):
            others = [other for index, other in enumerate(names) if index != place]
            telling = (
                axis.technique in ("eis", "dc")
                or axis_unit(name, axis) is not None
                or any(INTENSITY.search(other) or OTHER_COLUMN.search(other) or axes(other) for other in others)
            )
            if telling and not any(re.search(r"[:=]\s*\S", other) or NUMBER.fullmatch(other) for other in names):
                return True
    return False


def _with_units(names: list[str], below: str) -> list[str]:
    """Return names with the units that stand in the line below them, where that line has units alone."""
    units = cells(below.lstrip(COMMENT + " "))
    plain = [unit_name(unit.strip("()[] ")) for unit in units]
    known = UNITS | {
        "counts",
        "cps",
        "counts/s",
        "ohm",
        "a.u.",
        "arb.u.",
        "a",
        "ma",
        "hz",
        "°",
        "degree",
        "degrees",
        "",
    }
    if len(units) == len(names) and all(unit in known for unit in plain) and any(plain):
        return [f"{name} ({unit.strip('()[] ')})" if unit else name for name, unit in zip(names, units, strict=True)]
    return names


def mentioned(header: Sequence[str]) -> Axis | None:
    """Return the one abscissa that a header mentions in words, in a line that holds no other numbers."""
    found = set()
    for line in header:
        for axis in AXES[:4]:
            if axis.pattern.search(line) and not re.search(r"\d", axis.pattern.sub(" ", line)):
                found.add(axis)
    fields = [cells(line.lstrip(COMMENT + " ")) for line in header]
    other = any(OTHER_AXIS.search(cell) for line in fields for cell in (line if len(line) == 2 else line[:1]))
    return found.pop() if len(found) == 1 and not other else None


def is_possible(axis: Axis, values: np.ndarray) -> bool:
    """Return whether a column can be this abscissa: its values within the bounds, rising or falling throughout."""
    low, high = axis.bounds
    steps = np.diff(values)
    one_way = (steps > 0).all() or (steps < 0).all()
    return bool(np.isfinite(values).all() and (values >= low).all() and (values <= high).all() and one_way)
