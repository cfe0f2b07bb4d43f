"""Conditions: findings, curves and names of recordings that differ in `replicate` alone.

A figure's notebook appends `findings` to the findings of its single recordings. Without replicates there are none.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import floor, log10

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from coldbond import replicates
from coldbond.bundle import manifest
from coldbond.bundle.findings import Whose, finding, item, whose
from coldbond.interval import Interval

#: Units of quantities that are positive by nature: they scatter by factors, and samples are compared by their ratio.
POSITIVE = ("ohm", "ohm cm2", "S/cm", "A", "mA/cm2", "mAh", "mAh/cm2", "mAh/g", "mV", "h", "s")

#: Standard deviation of a positive quantity, as a share of its mean, from which on the interval of the mean may cover
#: less than 94 %: that of a lognormal spread of 0.55 (docstring of `replicates`).
SKEWED = 0.6

#: How the name of a quantity says that it compares with another sample, as in breadth_over_LLZ.
COMPARING = "over|minus|than|as|below|above"


def groups(recordings: Mapping[str, xr.Dataset | xr.DataTree]) -> dict[str, list[str]]:
    """Return the labels of the recordings of each condition, in order.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset or xarray.DataTree
        As `raw.recordings` returns them, of one role.

    Returns
    -------
    dict of str to list of str
        Keyed by `manifest.label` without the replicate.
    """
    found: dict[str, list[str]] = {}
    for label, recording in recordings.items():
        found.setdefault(_name(recording), []).append(label)
    return found


def _name(recording: xr.Dataset | xr.DataTree) -> str:
    of = whose(recording)
    return manifest.label({"sample": of["sample"], "state": of["state"], manifest.REPLICATE: ""})


def mean_curve(x: Sequence[ArrayLike], y: Sequence[ArrayLike]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return mean and standard deviation of curves where at least two of them are known.

    Parameters
    ----------
    x, y : sequence of array_like, shape (m,)
        A curve each. Points of which x or y is not finite are left out. Whole numbers, such as those of cycles, are
        aligned; other x are interpolated linearly within the range of each curve.

    Returns
    -------
    x, mean, standard_deviation, n : array, shape (k,)
        The sample standard deviation (ddof 1), and the number of curves. Where a curve ends, n falls and the mean may
        jump.
    """
    curves = [
        _sorted(np.asarray(one, dtype=float), np.asarray(other, dtype=float)) for one, other in zip(x, y, strict=True)
    ]
    curves = [curve for curve in curves if curve[0].size]
    if not curves:
        return np.empty(0), np.empty(0), np.empty(0), np.empty(0, dtype=int)
    common = np.unique(np.concatenate([one for one, _ in curves]))
    values = np.full((len(curves), common.size), np.nan)
    whole = bool((common == np.round(common)).all())
    for row, (one, other) in zip(values, curves, strict=True):
        row[:] = np.interp(common, one, other, left=np.nan, right=np.nan)
        if whole:
            row[~np.isin(common, one)] = np.nan
    n = np.isfinite(values).sum(axis=0)
    kept = n >= 2
    values = values[:, kept]
    return common[kept], np.nanmean(values, axis=0), np.nanstd(values, axis=0, ddof=1), n[kept]


def _sorted(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Finite points in the order of x; of several at one x, their mean."""
    finite = np.isfinite(x) & np.isfinite(y)
    places, inverse, count = np.unique(x[finite], return_inverse=True, return_counts=True)
    return places, np.bincount(inverse, y[finite], places.size) / count if places.size else places


def findings(values: Sequence[dict]) -> list[dict]:
    """Return one finding for each condition and quantity, and the comparisons of samples.

    Parameters
    ----------
    values : sequence of dict
        Findings of single recordings of one role, as `bundle.findings.finding` returns them, with key `replicate`.
        Recordings of one sample and state are a condition if one of them has a replicate.

    Returns
    -------
    list of dict
        Findings without `replicate`, of quantities that at least two replicates have:

        - numbers: `value`, `low` and `high` are the mean with its 95 % interval, or the median where a replicate has a
          bound instead of a value or stands for the last step sustained. Keys `n`, `mean` or `median`,
          `standard_deviation` (None where not all values are known).
        - yes/no: true or false where all replicates that decide, at least two, agree. Key `n`.
        - `QUANTITY_over_SAMPLE` or `QUANTITY_minus_SAMPLE`: ratio (of a positive quantity) to, or difference from each
          sample before it in the same state. Key `against`: the other sample; key `higher`: true where the interval
          lies above 1 (or 0), false where below, None where neither. The intervals are of each pair by itself: of
          twenty pairs of like samples, one differs by chance. A claim that one sample is higher is a bound, > 1 or > 0.

        A number that compares with another sample is not averaged: its replicates share the recording they are
        compared with.
    """
    values = [row for row in values if "n" not in row and "higher" not in row]  # not what this function returned before
    samples = dict.fromkeys(row["sample"] for row in values)
    comparing = re.compile(rf"_({COMPARING})_({'|'.join(re.escape(one) for one in samples)})(_|$)")
    # One statistic for all samples of a quantity: the mean of one and the median of another cannot be compared.
    censored = {(key[0], key[-1]) for key, members in _conditions(values) if any(map(_is_censored, members))}
    found, means = [], {}
    for (quantity, sample, state, unit), members in _conditions(values):
        of_condition = {row.get("replicate", "") for row in values if (row["sample"], row["state"]) == (sample, state)}
        of = Whose(sample=sample, state=state)
        if len({row.get("replicate", "") for row in members}) < len(members):
            found.append(finding(quantity, None, unit, **of, note="several values of one replicate: not combined"))
            continue
        known = [row for row in members if any(row[key] is not None for key in ("value", "low", "high"))]
        missing = of_condition - {row.get("replicate", "") for row in known}
        lost = ", ".join(one or "without a number" for one in sorted(missing, key=lambda one: (len(one), one)))
        notes = [f"replicate {lost}: no value, not counted"] if missing else []
        if any(isinstance(row["value"], bool) for row in members):
            found.append(_yes_or_no(quantity, known, of, notes))
        elif len(known) >= 2 and not comparing.search(quantity):
            row, interval = _number(quantity, unit, known, (quantity, unit) in censored, of, notes)
            found.append(row)
            means[quantity, state, unit, sample] = interval
    return [*found, *_comparisons(means)]


def _conditions(values: Sequence[dict]) -> Iterator[tuple[tuple[str, str, str, str], list[dict]]]:
    """Yield quantity, sample, state and unit, and the findings of the replicates that have it."""
    by_condition: dict[tuple[str, str, str, str], list[dict]] = {}
    for row in values:
        key = (row["quantity"], row["sample"], row["state"], row["unit"])
        by_condition.setdefault(key, []).append(row)
    for key, members in by_condition.items():
        if len(members) > 1 and any("replicate" in row for row in members):
            yield key, members


def _yes_or_no(quantity: str, decided: list[dict], of: Whose, notes: list[str]) -> dict:
    number = sum(row["value"] for row in decided)
    evidence = [item("yes in", f"{number} of {len(decided)} replicates")]
    if decided:
        evidence.append(item("share of replicates with yes", replicates.share(number, len(decided))))
    agree = len(decided) > 1 and number in (0, len(decided))
    note = "; ".join([*([] if agree else ["replicates that decide do not agree, or are fewer than two"]), *notes])
    value = bool(number) if agree else None
    return finding(quantity, value, **of, evidence=evidence, note=note) | {"n": len(decided)}


def _number(
    quantity: str, unit: str, known: list[dict], censored: bool, of: Whose, notes: list[str]
) -> tuple[dict, Interval]:
    cells = [Interval(*(row[key] for key in ("value", "low", "high"))) for row in known]
    numbers = [cell.value for cell in cells if cell.value is not None and (cell.low is None or cell.high is not None)]
    deviation = float(f"{replicates.standard_deviation(numbers):.3g}") if len(numbers) == len(cells) else None
    spread = "" if deviation is None else f", standard deviation {deviation:g} {unit.removeprefix('1')}".rstrip()
    if censored:
        statistic, interval = "median", replicates.median(cells, unit in POSITIVE)
        ends = [word for word, end in (("lower", interval.low), ("upper", interval.high)) if end is None]
        open_ends = f"; {len(cells)} replicates give no {' and no '.join(ends)} bound" if ends else ""
        evidence, held = [_range(cells, unit)], f"the interval is that of the median of all such replicates{open_ends}"
    else:
        statistic, interval, evidence = "mean", replicates.mean(cells, unit in POSITIVE), []
        bare = sum(cell.low is cell.high is None for cell in cells)
        held = "the interval holds the spread between replicates" + (
            f"; {bare} of them have no uncertainty of their own" if bare else " and the uncertainty of each"
        )
        if unit in POSITIVE and deviation and interval.value and deviation > SKEWED * interval.value:
            held += ", but may be too narrow, because the replicates differ by factors"
    notes = [f"{statistic} of {len(cells)} replicates{spread}", held, *notes]
    evidence += _differing(known)
    row = finding(quantity, interval, unit, **of, evidence=evidence, note="; ".join(notes))
    if interval.value is not None:  # the interval of two replicates may leave the value no digits, the spread does
        decimals = 2 - floor(log10(deviation or abs(interval.value) or 1.0))
        finer = round(interval.value, max(decimals, 2 - floor(log10(abs(interval.value) or 1.0))))
        row["value"] = min(finer, row["value"], key=lambda rounded: abs(rounded - (interval.value or 0.0)))
    return row | {"n": len(cells), statistic: row["value"], "standard_deviation": deviation}, interval


def _range(cells: Sequence[Interval], unit: str) -> dict:
    _, low, high = Interval.hull(None, cells)
    words = "unknown" if low is None else f"at least {low:g} {unit}" if high is None else f"{low:g} to {high:g} {unit}"
    return item("range of the replicates:", f"at most {high:g} {unit}" if low is None and high is not None else words)


def _differing(known: Sequence[dict]) -> Iterator[dict]:
    """Yield exact evidence and notes that differ, such as the cycle of a retention, or that a test ended early."""
    for name in dict.fromkeys(
        one["name"] for row in known for one in row["evidence"] if one["low"] is one["high"] is None
    ):
        of_each = [next((one["value"] for one in row["evidence"] if one["name"] == name), None) for row in known]
        if len(set(of_each)) > 1:
            yield item(name, ", ".join("none" if x is None else x if isinstance(x, str) else f"{x:g}" for x in of_each))
    if len({row["note"] for row in known}) > 1:
        for row in known:
            yield item(f"replicate {row.get('replicate', '')}:", row["note"] or "no remark")


def _is_censored(row: Mapping) -> bool:
    """Whether a replicate has bounds alone, or is the last step sustained, of which the true value lies above."""
    value, low, high = (row[key] for key in ("value", "low", "high"))
    if value is None:
        return low is not None or high is not None
    return bool(value) and value == low and high != low


def _comparisons(means: Mapping[tuple[str, str, str, str], Interval]) -> Iterator[dict]:
    for ((*of, reference), other), ((*of_one, sample), one) in combinations(means.items(), 2):
        if of != of_one:
            continue
        quantity, state, unit = of
        positive = unit in POSITIVE and all((end is None or end >= 0) for end in (one.low, other.low))
        positive = positive and all(end is None or end > 0 for end in (one.value, other.value))
        name, interval = (
            (f"{quantity}_over_{reference}", replicates.ratio(one, other))
            if positive
            else (f"{quantity}_minus_{reference}", replicates.difference(one, other))
        )
        if interval.value is not None and interval.low is interval.high is None:
            continue  # exact numbers that do not differ between replicates, such as a count of cycles
        higher = replicates.is_above(interval, 1.0 if positive else 0.0)
        note = {True: "higher (95 %)", False: "lower (95 %)", None: "the interval holds both outcomes"}[higher]
        row = finding(name, interval, "1" if positive else unit, sample=sample, state=state, note=note)
        yield row | {"against": reference, "higher": higher}
