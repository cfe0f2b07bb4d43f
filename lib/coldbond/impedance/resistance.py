"""Resistances of cells from their spectra, over all circuits that the data do not exclude, and their course."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond import constants
from coldbond.impedance import assignment, circuits, drift, fit, intervals, kramers_kronig, sweeps, trend
from coldbond.impedance.assignment import Split
from coldbond.impedance.conductivity.pellet import product
from coldbond.impedance.electrolyte import Known
from coldbond.interval import NORMAL, Interval

#: Most points that are left out as single errors, as a share, and most of them beside each other.
MOST_WRONG, LONGEST_RUN = 0.15, 4
#: The slow end of a spectrum, as a multiple of its least frequency, how many standard errors its imaginary part lies
#: above zero where there is an inductive loop, and the least noise: the rounding of numbers of four digits.
SLOW_END, LOOP, LEAST_NOISE = 30.0, 5.0, 5e-5
#: Time constant [s] between arcs and slow tails where parts of the cell need not be told apart.
TYPICAL_BOUNDARY = 2e-6

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
        Resistances, ohm. Without a value, but with the bounds that there are, where the spectrum does not tell.
    course : Interval
        Resistance of the interfaces for its course over the cycles, ohm: see `assignment.Told`.
    why : str
        How the interface was told from the electrolyte, or why it, or both, have no value.
    split : Split or None
        From `assignment.split`.
    known : Known or None
        What is known of the electrolyte.
    drift : Interval
        Relative change of the resistance during the sweep, from `drift.change`.
    before : float
        Relative change from the sweep before, from `sweeps.change`; NaN where there is none.
    left_out : array, shape (m,)
        Frequencies [Hz] of single points that fail the Kramers-Kronig test and are not fitted.
    test : xarray.Dataset or None
        From `kramers_kronig.test`; None where the spectrum has fewer points than the test needs.
    too_large : tuple of str
        Circuits that were not fitted, because they have too many parameters for the points of the spectrum.
    """

    spectrum: xr.Dataset
    results: dict[str, MinimizerResult]
    interface: Interval
    total: Interval
    course: Interval
    why: str
    split: Split | None
    known: Known | None
    drift: Interval
    before: float
    left_out: np.ndarray
    test: xr.Dataset | None
    too_large: tuple[str, ...]

    @property
    def best(self) -> MinimizerResult:
        """The fit that is drawn."""
        return next(iter(self.results.values()))

    @property
    def fails(self) -> np.ndarray:
        """Which points of the spectrum fail the Kramers-Kronig test, shape (n,)."""
        return np.zeros(self.spectrum.sizes["frequency"], bool) if self.test is None else self.test.fails.to_numpy()

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


def measure(spectrum: xr.Dataset, circuits: Sequence[str], weighting: str, known: Known | None = None) -> Measured:
    """Fit the circuits to a spectrum and return the resistances of the cell.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz]; of several sweeps the last is fitted, see `sweeps`. `area_cm2` and
        `thickness_cm` of its attrs help to tell electrolyte and interfaces apart, see `assignment`.
    circuits : sequence of str
        Elements in series, such as "L-R-RQ-RQ".
    weighting : str
        As for `fit.fitted`.
    known : Known, optional
        What is known of the electrolyte.

    Raises
    ------
    ValueError
        The spectrum has too few points for each of the circuits.
    """
    one = sweeps.one(spectrum)
    test = kramers_kronig.test_if_long_enough(one)
    apart = np.zeros(one.sizes["frequency"], bool) if test is None else isolated(test.fails.to_numpy())
    fitted = one.isel(frequency=~apart)
    results = fit.candidates(fitted, circuits, weighting)
    best = next(iter(results.values()))
    drifts = drift.change(best.frequency, best.impedance, best.weights)
    # At no time of the sweep does the resistance differ from that at half of it by more than half of the change, which
    # may be as large as the bound of its interval.
    uncertainty = max(abs(change or 0.0) for change in drifts) / 2 / NORMAL
    total = intervals.of_part(results, "total", TYPICAL_BOUNDARY, uncertainty)
    area, thickness = (constants.optional(one, name) for name in ("area_cm2", "thickness_cm"))
    split = assignment.split(best, area, thickness, known)
    interface, course, why = assignment.interface(results, split, total, known, uncertainty)
    if not (isfinite(area) and isfinite(thickness)):
        why += "; area_cm2 or thickness_cm is not known, those of common pellets are assumed"
    if loop := _inductive(fitted):
        total = _between_arcs_and_loop(fitted)
        interface = assignment.less(total, known.resistance) if known else Interval(None, None, total.high)
        course, why = Interval(None), f"cannot be told: {loop}"
    too_large = fit.too_large(fitted, circuits)
    before = sweeps.change(spectrum)
    left_out = one.frequency.to_numpy()[apart]
    return Measured(
        one, results, interface, total, course, why, split, known, drifts, before, left_out, test, too_large
    )


def _between_arcs_and_loop(spectrum: xr.Dataset) -> Interval:
    """Real parts [ohm] at the lowest frequency and at the end of the arcs, where the loop begins; no value."""
    real = spectrum.sortby("frequency").impedance.to_numpy().real
    start = int(np.argmax(real))
    return Interval(None, float(real[: start + 1].min()), float(real[start]))


def isolated(fails: np.ndarray) -> np.ndarray:
    """Return which points are wrong by themselves, as those at the frequency of the mains, shape (n,).

    Parameters
    ----------
    fails : array of bool, shape (n,)
        Points that fail the Kramers-Kronig test, in the order of frequency. More than `MOST_WRONG` of all, runs of more
        than `LONGEST_RUN` neighbours, and runs at either end are no errors of single points: they are kept.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], fails, [False]]).astype(int)))
    found = np.zeros(fails.size, bool)
    for start, stop in edges.reshape(-1, 2).tolist():
        found[start:stop] = stop - start <= LONGEST_RUN and start > 0 and stop < fails.size
    return found if found.mean() <= MOST_WRONG else np.zeros(fails.size, bool)


def _inductive(spectrum: xr.Dataset) -> str:
    """Why a spectrum that ends in an inductive loop has no one resistance; "" where it does not.

    It does where the imaginary part of three neighbours at the slow end is positive beyond their noise, which follows
    from the differences of neighbours: no circuit without a loop describes them.
    """
    ordered = spectrum.sortby("frequency")
    z = ordered.impedance.to_numpy()[ordered.frequency.to_numpy() <= SLOW_END * float(ordered.frequency.min())]
    height = z.imag / np.abs(z)
    if height.size < 3:
        return ""
    bends = np.diff(height, 2) / 6**0.5  # of the variance of the noise, but for the curvature
    noise = max(float(np.sqrt(np.mean(bends**2))), LEAST_NOISE)
    if np.convolve(height, np.ones(3) / 3, "valid").max() <= LOOP * noise / 3**0.5:
        return ""
    return "the spectrum ends in an inductive loop: neither its last point nor its arcs are the resistance of the cell"


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
        [ohm] under "interface" and "total", and under "course" that of the interface with one boundary.
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
            "course": one.course,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def is_known(interval: Interval) -> bool:
    """Return whether a resistance has a value and both bounds."""
    return interval.value is not None and interval.is_bounded


def bounded(own: pd.DataFrame, part: str) -> pd.DataFrame:
    """Return the rows of a cell whose cycle is known and whose resistance has both bounds, by cycle."""
    known = own.cycle.notna() & own[part].map(is_known).astype(bool)
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
            values = known["course" if part == "interface" and "course" in known else part]
            courses[str(cell)] = trend.breakpoint(known.cycle.to_numpy(), list(values))
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
    return product(total, area / 2, area_uncertainty)


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
    if not both or not all(is_known(one) for pair in both for one in pair):
        return None
    numbers = [(own.numbers, other.numbers) for own, other in both]
    ratios = [own[0] / other[0] for own, other in numbers]
    higher = None
    if all(low > other_high for (_, low, _), (_, _, other_high) in numbers):
        higher = True
    elif any(high < other_low for (_, _, high), (_, other_low, _) in numbers):
        higher = False
    return Comparison(higher, min(ratios), max(ratios), pairs.cycle.nunique())
