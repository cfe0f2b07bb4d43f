"""Resistances of cells from their spectra, over all circuits that the data do not exclude, and their course."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.impedance import fit, intervals, sweeps, trend
from coldbond.interval import Interval

Fits = Mapping[str, Mapping[str, MinimizerResult]]


class Comparison(NamedTuple):
    """Resistance of a sample against that of another at the cycles that both have.

    Attributes
    ----------
    higher : bool or None
        Whether it is higher at every cycle; None where intervals overlap and none is lower.
    least, most : float
        Ratio of the values, over the cycles.
    cycles : int
        How many cycles both have.
    """

    higher: bool | None
    least: float
    most: float
    cycles: int


def fits(
    recordings: Mapping[str, xr.Dataset], circuits: Sequence[str], weighting: str = "modulus"
) -> dict[str, dict[str, MinimizerResult]]:
    """Return the fits of each recording by circuit, the lowest criterion first.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz]; of several sweeps the last is fitted, see `sweeps`.
    circuits : sequence of str
        Elements in series, such as "L-R-RQ-RQ".
    weighting : str
        As for `fit.fitted`.
    """
    return {label: fit.candidates(sweeps.one(spectrum), circuits, weighting) for label, spectrum in recordings.items()}


def resistances(
    recordings: Mapping[str, xr.Dataset], fitted: Fits, boundary: float, model_uncertainty: float
) -> pd.DataFrame:
    """Return the resistances of all recordings.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset
        With `sample` and `state` in their attrs; the state names the cycle, as in "cycle 50".
    fitted : mapping
        From `fits`.
    boundary : float
        Time constant [s] between arcs of the electrolyte and those of interfaces.
    model_uncertainty : float
        As for `intervals.of_part`.

    Returns
    -------
    pandas.DataFrame
        One row a recording: sample, state, cycle (NaN where the state names none), and an `Interval` [ohm] under
        "interface" and "total".
    """
    rows = {}
    for label, spectrum in recordings.items():
        number = re.search(r"\bcycle\s*(\d+)", spectrum.attrs["state"])
        rows[label] = {
            "sample": spectrum.attrs["sample"],
            "state": spectrum.attrs["state"],
            "cycle": float(number[1]) if number else np.nan,
        } | {
            part: intervals.of_part(fitted[label], part, boundary, model_uncertainty) for part in ("interface", "total")
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def trends(found: pd.DataFrame, part: str) -> dict[str, trend.Trend]:
    """Return the course of a part's resistance over the cycles, of each sample that has six of them.

    Parameters
    ----------
    found : pandas.DataFrame
        From `resistances`.
    part : {"interface", "total"}
    """
    courses = {}
    for sample, own in found.groupby("sample", sort=False):
        bounded = own[part].map(lambda interval: interval.is_bounded)
        known = own[own.cycle.notna() & bounded].sort_values("cycle")
        if known.cycle.nunique() >= trend.FEWEST_CYCLES:
            courses[str(sample)] = trend.breakpoint(known.cycle.to_numpy(), list(known[part]))
    return courses


def area_specific(total: Interval, area: float, area_uncertainty: float) -> Interval:
    """Return the area-specific resistance [ohm cm2] of one of two equal interfaces.

    Parameters
    ----------
    total : Interval
        Resistance of both interfaces, ohm.
    area : float
        Electrode area, cm2.
    area_uncertainty : float
        Its relative standard uncertainty.
    """
    one = total.scaled(area / 2)
    return one if one.value is None else one.widened(area_uncertainty * one.value)


def compared(found: pd.DataFrame, sample: str, reference: str, part: str) -> Comparison | None:
    """Return how the resistance of a sample compares with that of a reference; None where no cycle has both.

    Parameters
    ----------
    found : pandas.DataFrame
        From `resistances`.
    sample, reference : str
    part : {"interface", "total"}
    """
    by_cycle = {name: found[found["sample"] == name].set_index("cycle")[part] for name in (sample, reference)}
    shared = by_cycle[sample].index.intersection(by_cycle[reference].index).dropna()
    pairs: list[tuple[Interval, Interval]] = [(by_cycle[sample][at], by_cycle[reference][at]) for at in shared]
    if not pairs or not all(one.is_bounded for pair in pairs for one in pair):
        return None
    numbers = [(own.numbers, other.numbers) for own, other in pairs]
    ratios = [own[0] / other[0] for own, other in numbers]
    higher = None
    if all(low > other_high for (_, low, _), (_, _, other_high) in numbers):
        higher = True
    elif any(high < other_low for (_, _, high), (_, other_low, _) in numbers):
        higher = False
    return Comparison(higher, min(ratios), max(ratios), len(pairs))
