"""What a notebook found: values with 95 % intervals, rounded to what the interval supports."""

from collections.abc import Sequence
from math import floor, isfinite, log10

import pandas as pd

pd.set_option("display.max_colwidth", None)  # a note that is cut off at 50 characters says nothing


def finding(
    quantity: str,
    value: float | bool | None,
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
    *,
    sample: str = "",
    state: str = "",
    claim: str = "",
    note: str = "",
) -> dict:
    """Return one row of a figure's numbers, as figures/NAME.json holds it.

    Parameters
    ----------
    quantity : str
        What was found, in the field's standard term, with underscores.
    value : float, bool or None
        A number, a yes/no finding, or None for what the data cannot determine.
    low, high : float or None
        The bounds of the 95 % interval; None where the data give no bound on that side.
    unit : str
        Unit of value, low and high.
    sample, state : str
        Whose value it is, as in the manifest.
    claim : str
        The id in claims.yml of the statement that the value tests, if any.
    note : str
        The evidence and what limits it, in words.

    Returns
    -------
    dict
        Numbers are rounded to two significant digits of the interval's half width (JCGM 100:2008, 7.2.6), its bounds
        away from the value.

    Raises
    ------
    ValueError
        A number is not finite, or the value lies outside its own interval.
    """
    numbers = [x for x in (low, None if isinstance(value, bool) else value, high) if x is not None]
    if not all(isfinite(x) for x in numbers):
        raise ValueError(
            f"{quantity} of {sample}: {numbers} holds a number that is not finite; None says 'not determined'"
        )
    if numbers != sorted(numbers):
        raise ValueError(f"{quantity} of {sample}: {value} lies outside its own interval, {low} to {high}")
    decimals = _decimals(numbers)
    value, low, high = (
        x if x is None or isinstance(x, bool) else rounded(float(x), decimals) + 0.0
        for x, rounded in ((value, round), (low, _below), (high, _above))
    )
    return dict(
        quantity=quantity,
        sample=sample,
        state=state,
        value=value,
        low=low,
        high=high,
        unit=unit,
        claim=claim,
        note=note,
    )


def _below(number: float, decimals: int) -> float:
    """Round down, but for what is only the computer's own rounding."""
    return round(floor(round(number * 10.0**decimals, 4)) * 10.0**-decimals, decimals)


def _above(number: float, decimals: int) -> float:
    return -_below(-number, decimals)


def _decimals(numbers: Sequence[float]) -> int:
    """Decimals that two significant digits of the interval's half width have; six digits where there is no interval."""
    width = (max(numbers) - min(numbers)) / 2 if numbers else 0
    if width:
        return 1 - floor(log10(width))
    largest = max((abs(x) for x in numbers), default=0)
    return 5 - floor(log10(largest)) if largest else 0


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
            "state": row["state"],
            "quantity": row["quantity"].replace("_", " "),
            "value": text(row["value"], row),
            "95 % interval": f"{text(row['low'], row)} to {text(row['high'], row)}",
            "unit": row["unit"],
            "note": row["note"],
        }
        for row in findings
    ]
    return pd.DataFrame(rows).set_index(["sample", "state", "quantity"])


def text(value: float | bool | None, row: dict) -> str:
    """Return a value or a bound of a finding as a table shows it: its digits those of the interval; "—" for None."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    numbers = [row[key] for key in ("low", "value", "high") if row[key] is not None and not isinstance(row[key], bool)]
    if min(numbers) == max(numbers) or not (1e-3 <= abs(value) < 1e6 or value == 0):
        return f"{value:.6g}"
    return f"{value:.{max(_decimals(numbers), 0)}f}"
