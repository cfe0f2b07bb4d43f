"""Impedance spectra and current transients from columns whose names say what they are.

The names are those that instruments and people give: "freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm", "Z' (ohm)", "Zs''[ohm]",
"Re{Z}/kOhm", "|Z|", "Phase(Z)/deg", "R/ohm" beside "X/ohm", "time/s". The unit must stand behind the name. A minus, or
"neg.", before a name means that the column holds the negated quantity.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry.impedance import (
    AGAIN,
    MINUS,
    NAMED,
    Column,
    last_digit,
    require_finite,
    significant_digits,
    spectrum,
    transient,
)
from coldbond.files.errors import ReadError

UNIT = r"[/(\[_]\s*(?:{})\s*[)\]]?"
RATE = r"[kMm]?Hz|rad\s*/\s*s|rad\s*s-1"
FREQUENCY = re.compile(
    rf"(?:\bf(?:req(?:uency)?)?|\bfr[eé]quen[cz]e?|频率)\.?\s*{UNIT.format(RATE)}|(?:\bomega|ω)\s*{UNIT.format(RATE)}"
    r"|^\W*freq(?:uency)?[\s\"]*(?:$|[,;\t])",
    re.I,
)
IN_TIME = UNIT.format("m?s|sec|seconds?|min|h|hours?")
TIME = re.compile(rf"(?:^|[,;\t])\W{{0,9}}(?:(?:elapsed|test)[ _]?)?time\s*{IN_TIME}(?:$|[,;\s])", re.I)
CURRENT = re.compile(r"(?i:current)|\bI\s*[/(\[]")
IN_OHM = r"\s*[/(\[_]\s*[kMm]?(?:ohms?|Ω|\u2126)\s*(?:[)\]]|$)"
#: Quantities of a spectrum by the names of their columns. R and X are the resistance and the reactance in series.
COLUMNS = {
    "real": re.compile(
        rf"(?i:\bRe(?:al)?\s*[({{\[]?\s*Z|\bZs?[ _]?\(?re(?:al)?(?![a-z])|impedance[ _]real|^\W*re(?:al)?{IN_OHM}"
        rf"|^\W*Rs?{IN_OHM})|\bZs?\s*['′’](?!['′’\"])"
    ),
    "imaginary": re.compile(
        rf"(?i:\bIm(?:ag)?\s*[({{\[]?\s*Z|\bZs?[ _]?\(?im(?:g|ag(?:inary)?)?(?![a-z])|impedance[ _]imag"
        rf"|^\W*im(?:ag(?:inary)?)?{IN_OHM}|^\W*Xs?{IN_OHM})|\bZs?\s*(?:''|[\"″”]|′′|’’)"
    ),
    "modulus": re.compile(
        r"\|\s*Z\s*\||(?i:\bZ[ _]?(?:mod|mag|abs)(?:ulus|nitude)?(?![a-z])|modulus|impedance magnitude|\babs\s*\(?Z)"
        rf"|^\W*Z\s*[/(\[]|(?i:^\W*impedance{IN_OHM})"
    ),
    "phase": re.compile(r"(?i:phase|theta|arg\s*\(|\bphi\b|zphz)|[θφ]"),
    "time": TIME,
    "sweep": re.compile(r"(?i:loop|sweep|cycle)"),
    "temperature": re.compile(r"(?i:\btemp(?:erature)?\b|^\W*T\s*[/(\[]\s*(?:°?C|degC|K)\b)"),
}
#: Characters of the name of a column.
LONGEST = 300
#: Columns without which a spectrum is whole. They are left unread where there are two or where the unit is missing.
OPTIONAL = ("time", "temperature")
#: Quantities whose columns are named like those of the impedance.
OTHERS = re.compile(
    r"(?i:admittance|capacitance|permittivity|conductivity|\bepsilon)|\bY\b|\bEps\b|(?<![A-Za-z])[YCM]['\"]"
)
LOGARITHM = re.compile(r"\b(?:log|lg|ln)(?:10)?(?![a-z])", re.I)
#: A unit such as ohm cm2, Ω·m2 or ohm*cm.
PER_AREA = re.compile(r"(?:ohms?|[Ωω\u2126])[\W_]*[cm]?m(?![a-z])", re.IGNORECASE)
PREFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "m": 1e-3, "µ": 1e-6, "μ": 1e-6, "u": 1e-6, "n": 1e-9}
PREFIXES |= {"p": 1e-12}
#: Units that may follow a prefix, and units that have a size of their own.
OHM, HERTZ, AMPERE = ("ohm", "ohms", "ω"), ("Hz", "HZ"), ("A", "amp", "ampere")
TIMES = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0, "hours": 3600.0}
DEGREES = {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "°": 1.0, "rad": 180 / np.pi}
#: Units [Hz] of an angular frequency.
RATES = {"rad/s": 1 / (2 * np.pi), "rads-1": 1 / (2 * np.pi)}
KELVIN = 273.15
#: Offsets to degrees Celsius by the unit of a temperature.
TEMPERATURES = {"°c": 0.0, "c": 0.0, "degc": 0.0, "k": -KELVIN}
VOLTAGE = "# applied_voltage: 1.0 V"


def named_columns(
    path: Path,
    names: Sequence[str],
    values: np.ndarray,
    lines: Sequence[int],
    attrs: Mapping[str, Any],
    known_sign: bool = False,
) -> xr.Dataset:
    """Read a spectrum from columns whose names say what they are.

    Parameters
    ----------
    path : pathlib.Path
        For the error.
    names : sequence of str
        Such as "freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm", or "|Z|/Ohm" and "Phase(Z)/deg".
    values : array, shape (rows, columns)
    lines : sequence of int
        The line of each row.
    attrs : mapping
        Header fields, with `format`.
    known_sign : bool
        As for `impedance.spectrum`.

    Returns
    -------
    xarray.Dataset
        See `impedance.spectrum`. Rows of zeros, which some testers write between sweeps, are left out and counted in
        the attr `unread`.

    Raises
    ------
    ReadError
        A column is missing or contradicts another, a unit is unknown, or the sign of Im(Z) is unknown.
    """
    names = [name.strip().strip("\"'").strip() if name.count('"') > 1 else name.strip() for name in names]
    if longest := next((name for name in names if len(name) > LONGEST), None):
        reason = f"a column name of {len(longest)} characters, beginning with {longest[:20]!r}"
        raise ReadError(path, lines[0], reason, f"export columns with names such as {NAMED}")
    require_finite(path, values, lines)
    place = _places(path, names, lines)
    pair = ("real", "imaginary") if {"real", "imaginary"} <= place.keys() else ("modulus", "phase")
    if not {"frequency", *pair} <= place.keys():
        raise ReadError(path, lines[0], _missing(names), f"export the impedance in ohm, or name the columns: {NAMED}")
    units: dict[str, Mapping[str, float] | Sequence[str]] = {"frequency": HERTZ, "phase": DEGREES, "time": TIMES}
    compared = [index for quantity, index in place.items() if quantity not in (*OPTIONAL, "sweep")]
    kept = np.atleast_1d(values[:, compared].any(axis=1))
    lines = [line for line, keep in zip(lines, kept, strict=True) if keep]
    values = values[kept]
    if not lines:
        raise ReadError(path, None, "all rows are zero", AGAIN)
    columns = {}
    for quantity, index in list(place.items()):
        if quantity in ("sweep", "temperature"):
            continue
        try:
            columns[quantity] = _column(path, names[index], values[:, index], units.get(quantity, OHM))
        except ReadError:  # modulus and phase beside the real and the imaginary part are not needed
            if quantity not in {"modulus", "phase"} - {*pair}:
                raise
            del place[quantity]
    unread = [name for index, name in enumerate(names) if index not in place.values()]
    unread += [f"{np.sum(~kept)} rows of zeros"] if not kept.all() else []
    attrs = dict(attrs) | ({"unread": ", ".join(unread)} if unread else {})
    sweep = values[:, place["sweep"]] if "sweep" in place else None
    frequency = columns.pop("frequency").values
    recording = spectrum(path, frequency, columns, names[place[pair[1]]], attrs, lines, sweep, known_sign)
    if "temperature" in place:
        celsius = values[:, place["temperature"]] + TEMPERATURES[_unit(names[place["temperature"]]).lower()]
        recording["temperature"] = ("frequency", celsius, {"units": "degC", "long_name": "temperature"})
    return recording


def _places(path: Path, names: Sequence[str], lines: Sequence[int]) -> dict[str, int]:
    """Return the column of each quantity by its name.

    Raises
    ------
    ReadError
        Two columns hold the same quantity, or one its logarithm.
    """
    places = {
        quantity: [index for index, name in enumerate(names) if pattern.search(name) and not OTHERS.search(name)]
        for quantity, pattern in {"frequency": FREQUENCY, **COLUMNS}.items()
    }
    for quantity in OPTIONAL:
        if len(places[quantity]) > 1:
            places[quantity] = []
    if not all(_unit(names[index]).lower() in TEMPERATURES for index in places["temperature"]):
        places["temperature"] = []
    if twice := next((found for quantity, found in places.items() if len(found) > 1 and quantity != "sweep"), None):
        reason = f"columns {' and '.join(repr(names[index]) for index in twice)} hold the same quantity"
        raise ReadError(path, lines[0], reason, "export one of them, and one spectrum in a file")
    place = {quantity: found[0] for quantity, found in places.items() if found}
    if logarithm := next((names[index] for index in place.values() if LOGARITHM.search(names[index])), None):
        raise ReadError(path, lines[0], f"{logarithm!r} holds a logarithm", "export the quantity itself")
    return place


def _missing(names: Sequence[str]) -> str:
    """Return the reason why the columns are no spectrum."""
    if other := next((name for name in names if OTHERS.search(name)), None):
        return f"no columns are named as Re(Z) and Im(Z) or as |Z| and phase; {other!r} is another quantity"
    return "no columns are named as Re(Z) and Im(Z) or as |Z| and phase"


def named_transient(
    path: Path, names: Sequence[str], values: np.ndarray, lines: Sequence[int], header: str, attrs: Mapping[str, Any]
) -> xr.Dataset:
    """Read a current transient from columns of time and current; the header must state the applied voltage."""
    require_finite(path, values, lines)
    places = [[index for index, name in enumerate(names) if pattern.search(name)] for pattern in (TIME, CURRENT)]
    if any(len(found) != 1 for found in places):
        reason = f"no single column of time and of current among {', '.join(names)}"
        raise ReadError(path, lines[0], reason, "name the columns: 'time/s, current/A'")
    stated = re.search(
        r"(?P<name>(?:voltage|potential)[^:=\n\d]*)[:=]\s*(?P<value>[-+]?\d+(?:[.,]\d+)?(?:e[-+]?\d+)?)\s*(?P<unit>m?V)?"
        r"\s*(?:$|[;,#])",
        header,
        re.IGNORECASE | re.MULTILINE,
    )
    # The unit stands behind the value, or behind the name as in "voltage/mV: 10".
    unit = stated and (stated["unit"] or re.sub(r".*?(m?V)?\W*$", r"\1", stated["name"], flags=re.DOTALL))
    if stated is None or unit not in ("V", "mV"):
        reason = "a current over time whose header states no voltage in V or mV"
        raise ReadError(path, lines[0], reason, f"add a line above the numbers, e.g. {VOLTAGE!r}")
    volt = float(stated["value"].replace(",", ".")) * (1e-3 if unit == "mV" else 1.0)
    (at,), (current,) = places
    if unread := [name for index, name in enumerate(names) if index not in (at, current)]:
        attrs = dict(attrs) | {"unread": ", ".join(unread)}
    time = _column(path, names[at], values[:, at], TIMES).values
    return transient(path, time, _column(path, names[current], values[:, current], AMPERE).values, volt, attrs, lines)


def _unit(name: str) -> str:
    """Return the unit behind the name of a column; "" where there is none."""
    plain = unicodedata.normalize("NFKC", name[-LONGEST:]).replace("Ω", "ω")
    stated = re.search(r"(?:[/(\[_]\s*|\s)(rad\s*/\s*s|rad\s*s-1|[A-Za-zµμω°]+)\s*[)\]]?\s*$", plain)
    return re.sub(r"\s", "", stated[1]) if stated else ""


def _column(path: Path, name: str, values: np.ndarray, units: Mapping[str, float] | Sequence[str]) -> Column:
    """Return a column in the base unit, negated where its name begins with a minus."""
    unit = _unit(name)
    if isinstance(units, Mapping):
        factor = units.get(unit.lower())
    else:
        prefix, base = next(((unit[: -len(end)], end) for end in units if unit.lower().endswith(end.lower())), ("", ""))
        ambiguous = prefix == "m" and unit == unit.lower() and base != base.lower()  # mhz: mHz or MHz?
        factor = PREFIXES.get(prefix) if base and not ambiguous else None
        factor = RATES.get(unit) if units is HERTZ and factor is None else factor
    if units is OHM and PER_AREA.search(name):
        remedy = "export the impedance in ohm, and state the area in the column area_cm2 of manifest.csv"
        raise ReadError(path, None, f"the unit of {name!r} is that of an impedance times an area or a length", remedy)
    if factor is None:
        known = ", ".join(units)
        reason = f"the unit of {name!r} is missing or not one of {known}"
        raise ReadError(path, None, reason, f"write it after the name, as in {NAMED}")
    sign = -1 if MINUS.match(name) else 1
    return Column(values * factor * sign, last_digit(values) * factor, significant_digits(values))
