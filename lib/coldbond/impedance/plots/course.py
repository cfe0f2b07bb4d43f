"""Resistance against the cycle number, and below it settling time, break and minimum with their intervals."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from coldbond.bundle import conditions, style
from coldbond.impedance import resistance
from coldbond.impedance.plots import layout
from coldbond.impedance.trend import Trend

WIDE = 5  # ratio of resistances beyond which their axis is logarithmic
MOST_DECADES = 3  # of plain numbers on an axis; beyond them it has powers of ten
FAR = 30  # factor beyond the determined resistances at which a bound is no longer shown
NAMES = {"interface": "Resistance of\nboth interfaces", "total": "Resistance\nof the cell"}
MEAN = "mean ± s.d., n = {}"
THIN = 0.45  # opacity of the cells of a condition
#: What is drawn below the courses.
PLACES = {"95 % of fall": "settling_cycle", "Break": "break_cycle", "Minimum": "minimum"}


def lines(breaks: int) -> int:
    """Return how many lines of the strip below the courses are needed for so many cells with a break."""
    return 1 + len(PLACES) * _rows(breaks)


def _rows(cells: int) -> int:
    """Lines for one of the quantities, whose name needs two."""
    return max(cells, 2)


def draw(
    ax: Axes, strip: Axes | None, found: pd.DataFrame, courses: Mapping[str, Trend], part: str
) -> dict[str, Line2D]:
    """Draw the resistances against the cycle number, and below them breaks and minima.

    Parameters
    ----------
    ax, strip : matplotlib.axes.Axes
        Of the resistances, and of what lies below them where one of the courses is no straight line.
    found : pandas.DataFrame
        From `resistance.resistances`.
    courses : mapping of str to Trend
        From `resistance.trends`.
    part : {"interface", "total"}

    Returns
    -------
    dict of str to Line2D
        The handle of each sample for a legend.
    """
    if strip is None:
        ax.set_xlabel("Cycle number")
    else:
        _breaks(strip, courses, found)
        ax.tick_params(labelbottom=False)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 2.5, 5, 10]))
    known = found[found.cycle.notna()]
    bounded = pd.concat([resistance.bounded(own, part) for _, own in known.groupby("cell", sort=False)])
    told = [interval.numbers for interval in bounded[part]]
    bare = [((one.low + one.high) / 2, one.low, one.high) for one in _without_value(known, part)[part]]
    numbers = np.array(told + bare, float).reshape(-1, 3)
    largest, least = numbers[:, 0].max(initial=0.0), numbers[:, 0].min(initial=np.inf)
    unit, factor = layout.ohms(float(largest)) if largest < 10**MOST_DECADES * least else ("Ω", 1.0)
    handles = {
        str(sample): _courses_of(ax, str(sample), own, courses, part, factor)
        for sample, own in known.groupby("sample", sort=False)
    }
    ax.set_ylabel(f"{NAMES[part]} / {unit}")
    _resistance_axis(ax, *(numbers / factor).T)
    if missing := len(known) - len(bounded):
        note = f"cannot be told: {missing} of {len(known)}"
        ax.text(0.98, 0.97, note, transform=ax.transAxes, ha="right", va="top", fontsize=6)
    return handles


def _without_value(found: pd.DataFrame, part: str) -> pd.DataFrame:
    """Rows that have both bounds and no value: bars without a point."""
    return found[found[part].map(lambda one: one.value is None and one.is_bounded).astype(bool)]


def _courses_of(
    ax: Axes, sample: str, own: pd.DataFrame, courses: Mapping[str, Trend], part: str, factor: float
) -> Line2D:
    """Draw points and course of each cell of a sample, of several cells thinly with their mean; return its handle."""
    color, name = style.color(sample), style.label(sample)
    cells = {str(cell): of_cell for cell, of_cell in own.groupby("cell", sort=False)}
    several = len(cells) > 1
    x, y = [], []
    for cell, of_cell in cells.items():
        known = resistance.bounded(of_cell, part)
        drawn = np.array([interval.numbers for interval in known[part]], float).reshape(-1, 3) / factor
        value, low, high = drawn.T
        thin: dict[str, Any] = (
            dict(ms=1.5, elinewidth=0.4, capsize=0, alpha=THIN) if several else dict(ms=3, elinewidth=0.7, capsize=1.5)
        )
        ax.errorbar(
            known.cycle, value, [value - low, high - value], fmt="o", color=color, label=f"_{style.label(cell)}", **thin
        )
        bare = _without_value(of_cell, part)
        if len(bare):
            low, high = np.array([(one.low, one.high) for one in bare[part]], float).T / factor
            bar = f"_{style.label(cell)}, bounds"
            ax.vlines(bare.cycle, low, high, color=color, lw=thin["elinewidth"], alpha=THIN, label=bar)
        if cell in courses and courses[cell].describes:
            fine = np.linspace(known.cycle.min(), known.cycle.max(), 300)
            line = courses[cell].curve(fine) / factor
            width: dict[str, Any] = dict(lw=0.4, alpha=THIN) if several else dict(lw=0.8)
            ax.plot(fine, line, color=color, label=f"_{style.label(cell)}, {courses[cell].model}", **width)
        x.append(known.cycle.to_numpy())
        y.append(value)
    if not several:
        return Line2D([], [], marker="o", ms=3, ls="", color=color, label=name)
    cycle, mean, deviation, _ = conditions.mean_curve(x, y)
    band = f"_{name}, mean ± standard deviation"
    ax.fill_between(cycle, mean - deviation, mean + deviation, color=color, alpha=0.18, lw=0, label=band)
    ax.plot(cycle, mean, "-o", ms=2.5, color=color, lw=1, label=f"_{name}, mean")
    return Line2D([], [], marker="o", ms=3, color=color, label=f"{name}: {MEAN.format(len(cells))}")


def _resistance_axis(ax: Axes, values: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> None:
    """A logarithmic axis where the resistances differ much, with plain numbers as ticks."""
    if not values.size:
        ax.set_yticks([])
        ax.text(0.5, 0.5, "no resistance can be told", transform=ax.transAxes, ha="center", va="center")
        return
    bottom, top = max(lows.min(), values.min() / FAR), min(highs.max(), values.max() * FAR)
    if values.max() > WIDE * values.min():
        ax.set(yscale="log", ylim=(bottom / 1.25, top * 1.25))
        span = np.log10(top / bottom)
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if span < 1.5 else (1,), numticks=12))
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
        if span > MOST_DECADES:
            style.powers_of_ten(ax.yaxis)
    else:
        ax.set_ylim(0, 1.1 * top)


def _breaks(ax: Axes, courses: Mapping[str, Trend], found: pd.DataFrame) -> None:
    """Below the courses the ends of their falls, breaks and lowest resistances, with intervals.

    Dotted: a break that may not be one. An arrow: no bound before the last cycle.
    """
    samples = found.drop_duplicates("cell").set_index("cell")["sample"]
    broken = {cell: one for cell, one in courses.items() if one.break_cycle is not None}
    rows = _rows(len(broken))
    for group, (name, quantity) in enumerate(PLACES.items()):
        for at, (cell, one) in enumerate(broken.items()):
            interval, y = getattr(one, quantity), -group * rows - at - (rows - len(broken)) / 2
            known = found[(found["cell"] == cell) & found.cycle.notna()].cycle
            low = known.min() if interval.low is None else interval.low
            high = known.max() if interval.high is None else interval.high
            color, label = style.color(samples[cell]), f"_{style.label(cell)}, {name.lower()}"
            if interval.low is not None or interval.high is not None:
                dashes = "-" if interval.value is not None else ":"
                ax.plot([low, high], [y, y], dashes, color=color, lw=1, label=f"{label}, 95 % interval")
                if interval.high is None:
                    ax.plot([high], [y], ">", color=color, ms=2, label=f"{label}, without a bound")
            if interval.value is not None:
                ax.plot([interval.value], [y], "|", color=color, ms=4, label=label)
    middles = -np.arange(len(PLACES)) * rows - (rows - 1) / 2
    ax.set(xlabel="Cycle number", ylim=(-len(PLACES) * rows + 0.3, 0.7))
    ax.set_yticks(middles, labels=[*PLACES], fontsize=6)
    ax.tick_params(axis="y", length=0, which="both")
