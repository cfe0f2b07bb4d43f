"""Resistances of cells from their spectra, over all circuits that the data do not exclude, and their course."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.impedance import circuits, fit, intervals, kramers_kronig, sweeps, trend
from coldbond.interval import Interval

#: A number that counts: no digit, decimal point, slash or letter before it, and no decimals or unit behind it.
_NUMBER = r"(?<![\w.,/])(\d+)(?![.,]?\d)"
#: How a state names the number of cycles: "50 cycles", "50th cycle", "50圈", "cycle 50", "第50圈", "循环50".
_BEFORE = re.compile(_NUMBER + r"(?:st|nd|rd|th)?[\s_-]*(?:cycles?(?![a-z])|cyc\b|[个次]?循环|圈|周)", re.IGNORECASE)
_AFTER = re.compile(
    r"(?:(?<![a-z])(?:cycles?|cyc)\.?|第|循环)[\s_#:-]*(?:no\.?|number)?[\s_#:-]*(\d+)(?![.,]?\d|\s*(?:[-–]|to)\s*\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Measured:
    """A spectrum with its fits and the resistances of the cell.

    Attributes
    ----------
    spectrum : xarray.Dataset
        The sweep that is analysed.
    results : dict of str to lmfit.minimizer.MinimizerResult
        By circuit, the lowest Bayesian information criterion first.
    interface, total : Interval
        Resistances, ohm.
    test : xarray.Dataset or None
        From `kramers_kronig.test`; None where the spectrum has fewer points than the test needs.
    too_large : tuple of str
        Circuits that were not fitted, because they have too many parameters for the points of the spectrum.
    """

    spectrum: xr.Dataset
    results: dict[str, MinimizerResult]
    interface: Interval
    total: Interval
    test: xr.Dataset | None
    too_large: tuple[str, ...]

    @property
    def best(self) -> MinimizerResult:
        """The fit that is drawn."""
        return next(iter(self.results.values()))

    @property
    def fails(self) -> np.ndarray:
        """Which points fail the Kramers-Kronig test, shape (n,)."""
        return np.zeros(self.best.frequency.size, bool) if self.test is None else self.test.fails.to_numpy()

    @cached_property
    def parameters(self) -> dict[str, Interval]:
        """Parameters of the best circuit by name, with the intervals of their profile likelihood."""
        return {name: intervals.profile(self.best, name) for name in circuits.names(self.best.circuit)}


class Comparison(NamedTuple):
    """Resistance of a cell against the cells of a reference at the cycles that both have.

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


def measure(
    spectrum: xr.Dataset, circuits: Sequence[str], weighting: str, boundary: float, model_uncertainty: float
) -> Measured:
    """Fit the circuits to a spectrum and return the resistances of the cell.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz]; of several sweeps the last is fitted, see `sweeps`.
    circuits : sequence of str
        Elements in series, such as "L-R-RQ-RQ".
    weighting : str
        As for `fit.fitted`.
    boundary : float
        Time constant [s] between arcs of the electrolyte and those of interfaces.
    model_uncertainty : float
        As for `intervals.of_part`.

    Raises
    ------
    ValueError
        The spectrum has too few points for each of the circuits.
    """
    one = sweeps.one(spectrum)
    results = fit.candidates(one, circuits, weighting)
    interface, total = (
        intervals.of_part(results, part, boundary, model_uncertainty) for part in ("interface", "total")
    )
    return Measured(
        one, results, interface, total, kramers_kronig.test_if_long_enough(one), fit.too_large(one, circuits)
    )


def cycle_of(state: str) -> float:
    """Return the number of cycles that a state names; NaN where it names none, or more than one.

    "cycle 50", "50th cycle", "after 200 cycles", "第50圈" and "循环50次" name one, "0.5 mA/cm2" and "pristine" do not.
    """
    before = list(_BEFORE.finditer(state))
    plural = {int(one[1]) for one in before if one[0].lower().endswith("cycles")}
    # In "200 cycles 25 °C" what follows the plural is another quantity.
    named = plural or {int(one[1]) for one in (*before, *_AFTER.finditer(state))}
    return float(named.pop()) if len(named) == 1 else np.nan


def cell_of(attrs: Mapping[str, str]) -> str:
    """Return the name of a cell: its sample and, where there is one, its replicate."""
    return ", replicate ".join(filter(None, (attrs["sample"], attrs.get("replicate", ""))))


def resistances(measured: Mapping[str, Measured]) -> pd.DataFrame:
    """Return the resistances of all recordings.

    Parameters
    ----------
    measured : mapping of str to Measured
        Their spectra have `sample`, `state` and `replicate` in their attrs.

    Returns
    -------
    pandas.DataFrame
        One row a recording: sample, state, replicate, cell, cycle (NaN where the state names none), and an `Interval`
        [ohm] under "interface" and "total".
    """
    rows = {}
    for label, one in measured.items():
        attrs = one.spectrum.attrs
        rows[label] = {
            "sample": attrs["sample"],
            "state": attrs["state"],
            "replicate": attrs.get("replicate", ""),
            "cell": cell_of(attrs),
            "cycle": cycle_of(attrs["state"]),
            "interface": one.interface,
            "total": one.total,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def bounded(own: pd.DataFrame, part: str) -> pd.DataFrame:
    """Return the rows of a cell whose cycle is known and whose resistance has both bounds, by cycle."""
    known = own.cycle.notna() & own[part].map(lambda interval: interval.is_bounded).astype(bool)
    return own[known].sort_values("cycle", kind="stable")


def trends(found: pd.DataFrame, part: str) -> dict[str, trend.Trend]:
    """Return the course of a part's resistance over the cycles, of each cell that has six of them.

    Parameters
    ----------
    found : pandas.DataFrame
        From `resistances`.
    part : {"interface", "total"}

    Returns
    -------
    dict of str to Trend
        By cell: replicates of a sample are never fitted as one.
    """
    courses = {}
    for cell, own in found.groupby("cell", sort=False):
        known = bounded(own, part)
        if known.cycle.nunique() >= trend.FEWEST_CYCLES:
            courses[str(cell)] = trend.breakpoint(known.cycle.to_numpy(), list(known[part]))
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


def compared(found: pd.DataFrame, cell: str, reference: str, part: str) -> Comparison | None:
    """Return how the resistance of a cell compares with those of a reference; None where no cycle has both.

    Parameters
    ----------
    found : pandas.DataFrame
        From `resistances`.
    cell : str
    reference : str
        A sample. Where it has several cells, the cell is compared with each of them.
    part : {"interface", "total"}
    """
    of_cell, of_reference = found[found["cell"] == cell], found[found["sample"] == reference]
    pairs = of_cell.dropna(subset="cycle").merge(of_reference, on="cycle", suffixes=("", "_of_reference"))
    both: list[tuple[Interval, Interval]] = list(zip(pairs[part], pairs[f"{part}_of_reference"], strict=True))
    if not both or not all(one.is_bounded for pair in both for one in pair):
        return None
    numbers = [(own.numbers, other.numbers) for own, other in both]
    ratios = [own[0] / other[0] for own, other in numbers]
    higher = None
    if all(low > other_high for (_, low, _), (_, _, other_high) in numbers):
        higher = True
    elif any(high < other_low for (_, _, high), (_, other_low, _) in numbers):
        higher = False
    return Comparison(higher, min(ratios), max(ratios), pairs.cycle.nunique())
