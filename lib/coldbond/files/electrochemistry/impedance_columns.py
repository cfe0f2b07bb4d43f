"""Impedance spectra and current transients from columns whose names say what they are.

The names are those that instruments and people give: "freq/Hz", "Re(Z)/Ohm", "-Im(Z)/Ohm", "Z' (ohm)", "|Z|",
"Phase(Z)/deg", "time/s". The unit must stand behind the name. A minus before a name means that the column holds the
negated quantity.
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
FREQUENCY = re.compile(rf"\bf(?:req(?:uency)?)?\s*{UNIT.format('[kMm]?Hz')}|^\W*freq(?:uency)?\s*(?:$|[,;\t])", re.I)
TIME = re.compile(
    rf"(?:^|[,;\t])\W*(?:(?:elapsed|test)[ _]?)?time\s*{UNIT.format('m?s|sec|seconds?|min|h|hours?')}(?:$|[,;\s])", re.I
)
CURRENT = re.compile(r"(?i:current)|\bI\s*[/(\[]")
IN_OHM = r"\s*[/(\[_]\s*[kMm]?(?:ohm|Ω|Ω)"
#: Quantities of a spectrum by the names of their columns.
COLUMNS = {
    "real": re.compile(rf"(?i:\bRe\s*\(?\s*Z|\bZ[ _]?re(?:al)?(?![a-z])|^\W*re(?:al)?{IN_OHM})|\bZ\s*['′’](?!['′’\"])"),
    "imaginary": re.compile(
        rf"(?i:\bIm\s*\(?\s*Z|\bZ[ _]?im(?:ag(?:inary)?)?(?![a-z])|^\W*im(?:ag(?:inary)?)?{IN_OHM})"
        r"|\bZ\s*(?:''|[\"″”]|′′|’’)"
    ),
    "modulus": re.compile(r"\|\s*Z\s*\||(?i:\bZ[ _]?mod(?![a-z])|modulus|impedance magnitude)|^\W*Z\s*[/(]"),
    "phase": re.compile(r"(?i:phase|theta|arg\s*\()"),
    "time": TIME,
    "sweep": re.compile(r"(?i:loop|sweep|cycle)"),
}
PREFIXES = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "m": 1e-3, "µ": 1e-6, "μ": 1e-6, "u": 1e-6, "n": 1e-9}
PREFIXES |= {"p": 1e-12}
#: Units that may follow a prefix, and units that have a size of their own.
OHM, HERTZ, AMPERE = ("ohm", "ohms", "ω"), ("Hz", "HZ"), ("A", "amp", "ampere")
TIMES = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0, "hours": 3600.0}
DEGREES = {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "°": 1.0, "rad": 180 / np.pi}
VOLTAGE = "# applied_voltage: 1.0 V"


def named_columns(
    path: Path, names: Sequence[str], values: np.ndarray, lines: Sequence[int], attrs: Mapping[str, Any]
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
    require_finite(path, values, lines)
    places = {
        quantity: [index for index, name in enumerate(names) if pattern.search(name)]
        for quantity, pattern in {"frequency": FREQUENCY, **COLUMNS}.items()
    }
    if twice := next((found for quantity, found in places.items() if len(found) > 1 and quantity != "sweep"), None):
        reason = f"columns {' and '.join(repr(names[index]) for index in twice)} hold the same quantity"
        raise ReadError(path, lines[0], reason, "delete one of them")
    place = {quantity: found[0] for quantity, found in places.items() if found}
    if not {"real", "imaginary"} <= place.keys() and not {"modulus", "phase"} <= place.keys():
        raise ReadError(
            path, lines[0], "no columns are named as Re(Z) and Im(Z) or as |Z| and phase", f"name them: {NAMED}"
        )
    compared = [index for quantity, index in place.items() if quantity not in ("time", "sweep")]
    kept = np.atleast_1d(values[:, compared].any(axis=1))
    lines = [line for line, keep in zip(lines, kept, strict=True) if keep]
    unread = [name for index, name in enumerate(names) if index not in place.values()]
    unread += [f"{np.sum(~kept)} rows of zeros"] if not kept.all() else []
    values = values[kept]
    if not lines:
        raise ReadError(path, None, "all rows are zero", AGAIN)
    units: dict[str, Mapping[str, float] | Sequence[str]] = {"frequency": HERTZ, "phase": DEGREES, "time": TIMES}
    columns = {
        quantity: _column(path, names[index], values[:, index], units.get(quantity, OHM))
        for quantity, index in place.items()
        if quantity != "sweep"
    }
    signed = names[place["imaginary" if {"real", "imaginary"} <= place.keys() else "phase"]]
    attrs = dict(attrs) | ({"unread": ", ".join(unread)} if unread else {})
    sweep = values[:, place["sweep"]] if "sweep" in place else None
    return spectrum(path, columns.pop("frequency").values, columns, signed, attrs, lines, sweep)


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


def _column(path: Path, name: str, values: np.ndarray, units: Mapping[str, float] | Sequence[str]) -> Column:
    """Return a column in the base unit, negated where its name begins with a minus."""
    plain = unicodedata.normalize("NFKC", name).replace("Ω", "ω")
    stated = re.search(r"[/(\[_]\s*([A-Za-zµμω°]+)\s*[)\]]?\s*$", plain)
    unit = stated[1] if stated else ""
    if isinstance(units, Mapping):
        factor = units.get(unit.lower())
    else:
        prefix, base = next(((unit[: -len(end)], end) for end in units if unit.lower().endswith(end.lower())), ("", ""))
        ambiguous = prefix == "m" and unit == unit.lower() and base != base.lower()  # mhz: mHz or MHz?
        factor = PREFIXES.get(prefix) if base and not ambiguous else None
    if factor is None:
        known = ", ".join(units)
        reason = f"the unit of {name!r} is missing or not one of {known}"
        raise ReadError(path, None, reason, f"write it after the name, as in {NAMED}")
    sign = -1 if MINUS.match(name) else 1
    return Column(values * factor * sign, last_digit(values) * factor, significant_digits(values))
