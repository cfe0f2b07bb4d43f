"""What a notebook found: values with 95 % intervals and their evidence, rounded to what the interval supports."""

from collections.abc import Mapping, Sequence
from math import floor, isfinite, log10
from typing import Any, NotRequired, TypedDict

import pandas as pd
import xarray as xr

from coldbond.bundle import raw
from coldbond.interval import Interval

pd.set_option("display.max_colwidth", None)  # a note that is cut off at 50 characters says nothing

Value = Interval | float | bool | None


class Whose(TypedDict):
    """Sample, state and replicate that a finding belongs to, as in the manifest."""

    sample: str
    state: str
    replicate: NotRequired[str]


def whose(recording: xr.Dataset | xr.DataTree) -> Whose:
    """Return sample, state and, where the manifest gives one, replicate of a recording."""
    of = Whose(sample=recording.attrs["sample"], state=recording.attrs["state"])
    return Whose(**of, replicate=recording.attrs["replicate"]) if recording.attrs.get("replicate") else of


def finding(
    quantity: str,
    value: Value,
    unit: str = "",
    *,
    sample: str = "",
    state: str = "",
    replicate: str = "",
    evidence: Sequence[dict] = (),
    threshold: Sequence[dict] = (),
    alternatives: Sequence[dict] = (),
    note: str = "",
) -> dict:
    """Return one row of a figure's numbers, as figures/NAME.json holds it.

    Parameters
    ----------
    quantity : str
        What was found, in the field's standard term, with underscores.
    value : Interval, float, bool or None
        A number with its 95 % interval, a number without one, a yes/no finding, or None for what the data cannot
        determine.
    unit : str
        Unit of the value and its bounds.
    sample, state, replicate : str
        Whose value it is, as in the manifest. The row has a key `replicate` only where there is one.
    evidence : sequence of dict
        Measured quantities that the value follows from, each from `item`: an amplitude with its interval, the 95 %
        upper limit of what was not seen.
    threshold : sequence of dict
        Limits that decided, each from `item`.
    alternatives : sequence of dict
        What other defensible choices give, each from `item`: its name is the choice.
    note : str
        What else limits the value, in words.

    Returns
    -------
    dict
        Numbers are rounded to two significant digits of the interval's half width (JCGM 100:2008, 7.2.6), its bounds
        away from the value.

    Raises
    ------
    ValueError
        A number is not finite, or the value lies outside its own interval, which is a defect of the analysis. With
        other recordings than the bundle's own, the value is None then, and the note names the numbers.
    """
    try:
        rounded = _rounded(value, f"{quantity} of {sample}")
    except ValueError as error:
        if raw.is_own():
            raise
        rounded = dict.fromkeys(("value", "low", "high"))
        note = "; ".join(filter(None, [f"no value, because the analysis contradicts itself: {error}", note]))
    return {
        "quantity": quantity,
        "sample": sample,
        "state": state,
        **({"replicate": replicate} if replicate else {}),
        **rounded,
        "unit": unit,
        "evidence": list(evidence),
        "threshold": list(threshold),
        "alternatives": list(alternatives),
        "note": note,
    }


def item(name: str, value: Value | str, unit: str = "") -> dict:
    """Return one entry of a finding's evidence, threshold or alternatives.

    Parameters
    ----------
    name : str
        The quantity, or the choice, in plain words.
    value : Interval, float, bool, str or None
        Rounded as that of a finding; a text stays as it is.
    unit : str
        Unit of the value.
    """
    try:
        entry = _rounded(value, name) if not isinstance(value, str) else {"value": value, "low": None, "high": None}
    except ValueError as error:
        if raw.is_own():
            raise
        entry = {"value": f"not determined ({error})", "low": None, "high": None}
    return {"name": name, **entry, "unit": unit}


def rendered(row: Mapping) -> str:
    """Return evidence, threshold, alternatives and note of a finding as one text, for a table."""
    threshold = [f"threshold: {_in_words(one)}" for one in row["threshold"]]
    alternatives = [f"with {one['name']}: {_value_in_words(one)}" for one in row["alternatives"]]
    return "; ".join([*map(_in_words, row["evidence"]), *threshold, *alternatives, *filter(None, [row["note"]])])


def _in_words(one: Mapping) -> str:
    return f"{one['name']} {_value_in_words(one)}"


def _value_in_words(one: Mapping) -> str:
    if isinstance(one["value"], str):
        return one["value"]
    unit = f" {one['unit']}" if one["unit"] else ""
    low, high = (text(one[end], one) for end in ("low", "high"))
    if one["low"] is None and one["high"] is None:
        return f"{text(one['value'], one)}{unit}"
    if one["value"] is None:
        return f"at most {high}{unit}" if one["low"] is None else f"at least {low}{unit}"
    return f"{text(one['value'], one)} ({low} to {high}){unit}"


def _rounded(value: Value, what: str) -> dict[str, Any]:
    """Value, low and high as JSON holds them."""
    if isinstance(value, bool):
        return {"value": value, "low": None, "high": None}
    estimate, low, high = value if isinstance(value, Interval) else (value, None, None)
    numbers = [float(x) for x in (low, estimate, high) if x is not None]
    if not all(isfinite(x) for x in numbers):
        raise ValueError(f"{what}: {numbers} holds a number that is not finite; None says 'not determined'")
    if numbers != sorted(numbers):
        raise ValueError(f"{what}: {estimate} lies outside its own interval, {low} to {high}")
    decimals = _decimals(estimate, low, high)
    return {
        "value": None if estimate is None else round(float(estimate), decimals) + 0.0,
        "low": None if low is None else _below(float(low), decimals) + 0.0,
        "high": None if high is None else _above(float(high), decimals) + 0.0,
    }


def _below(number: float, decimals: int) -> float:
    """Round down, but for what is only the computer's own rounding."""
    return round(floor(round(number * 10.0**decimals, 4)) * 10.0**-decimals, decimals)


def _above(number: float, decimals: int) -> float:
    return -_below(-number, decimals)


def _decimals(value: float | None, low: float | None, high: float | None) -> int:
    """Decimals that two significant digits of the interval's half width have; six digits where there is no interval.

    An interval that is open on a side, or ends at the value there, does not say how well the value is known on that
    side: the value keeps at least three significant digits of its own. Where one bound is much farther away than the
    other, rounding does not carry the value beyond the nearer one.
    """
    numbers = [float(x) for x in (low, value, high) if x is not None]
    width = (max(numbers) - min(numbers)) / 2 if numbers else 0.0
    largest = max((abs(x) for x in numbers), default=0.0)
    if not width:
        return 5 - floor(log10(largest)) if largest else 0
    decimals = 1 - floor(log10(width))
    if value and (low is None or high is None or value in (low, high)):
        return max(decimals, 2 - floor(log10(abs(value))))
    if value and low is not None and high is not None:
        nearer = min(value - low, high - value)
        decimals = max(decimals, min(-floor(log10(nearer)), 2 - floor(log10(abs(value)))))
    return decimals


def table(findings: Sequence[dict]) -> pd.DataFrame:
    """Return findings as a table to read, its numbers already text.

    Parameters
    ----------
    findings : sequence of dict
        As `finding` returns them.

    Returns
    -------
    pandas.DataFrame
        One row a finding, indexed by sample, state and quantity; "—" where the data give no value or no bound.
    """
    rows = [
        {
            "sample": row["sample"],
            "state": ", replicate ".join(filter(None, (row["state"], row.get("replicate")))),
            "quantity": row["quantity"].replace("_", " "),
            "value": text(row["value"], row),
            "95 % interval": f"{text(row['low'], row)} to {text(row['high'], row)}",
            "unit": row["unit"],
            "note": rendered(row),
        }
        for row in findings
    ]
    return pd.DataFrame(rows).set_index(["sample", "state", "quantity"])


def text(value: float | bool | None, row: Mapping) -> str:
    """Return a value or a bound of a finding as a table shows it: its digits those of the interval; "—" for None."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    ends = [row[key] for key in ("value", "low", "high")]
    numbers = [x for x in ends if x is not None and not isinstance(x, bool)]
    if min(numbers) == max(numbers) or not (1e-3 <= abs(value) < 1e6 or value == 0):
        return f"{value:.6g}"
    return f"{value:.{max(_decimals(*ends), 0)}f}"
