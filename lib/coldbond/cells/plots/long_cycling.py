"""Figures of symmetric cells that were cycled over hundreds of hours."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.axes_grid1.inset_locator import mark_inset

from coldbond.bundle import conditions, style
from coldbond.cells import long_cycling
from coldbond.cells.plots import layout
from coldbond.cells.shorts import UNDECIDED

#: Colour of the time in which a failure began.
FAILURE = "0.2"

#: Cycles that an inset shows.
INSET_CYCLES = 3

#: Heights [mm] of a row, of what a figure adds to them, and of a row from which on there is room for insets.
ROW, MARGINS, WITH_INSETS = 46.0, 8.0, 38.0


def height(cells: Mapping[str, xr.Dataset]) -> float:
    """Return the height [mm] of the figure that `draw` fills."""
    return layout.height(len(conditions.groups(cells)), ROW, MARGINS)


def draw(
    fig: Figure,
    cells: Mapping[str, xr.Dataset],
    half_cycles: Mapping[str, xr.Dataset],
    pairs: Mapping[str, xr.Dataset],
    windows: Sequence[float],
) -> None:
    """Draw a row for each cell, or each condition of several: voltage against time, overpotential of every cycle.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`, with double width.
    cells, half_cycles, pairs : mapping by the recordings' labels
        From `raw.recordings`, `long_cycling.half_cycles` and `long_cycling.every_overpotential`.
    windows : sequence of float
        Where the insets begin, as shares of the test; more than four rows have no room for insets.
    """
    groups = conditions.groups(cells)
    axes = fig.subplots(len(groups), 2, width_ratios=(3, 1), squeeze=False)
    has_insets = height(cells) >= WITH_INSETS * len(groups)
    for (left, right), (name, labels) in zip(axes, groups.items(), strict=True):
        counted = f", n = {len(labels)}" if len(labels) > 1 else ""
        shown = {label: cells[label] for label in labels}
        plot(shown, half_cycles, style.label(name) + counted, windows if has_insets else (), left)
        plot_overpotential({label: pairs[label] for label in labels}, layout.sample_of(cells, labels), right)
    if not has_insets:
        for ax in axes[:-1].flat:
            ax.set_xlabel("")
        for ax in axes[:, 1]:
            ax.set_ylabel("η / mV")
    layout.number(axes)


def plot(
    cells: Mapping[str, xr.Dataset],
    half_cycles: Mapping[str, xr.Dataset],
    name: str,
    windows: Sequence[float],
    ax: Axes,
) -> None:
    """Plot the voltage of the cells of a condition against time, with a zoomed inset of three cycles at each window.

    Parameters
    ----------
    cells : mapping of str to xarray.Dataset
        As for `long_cycling.half_cycles`.
    half_cycles : mapping of str to xarray.Dataset
        From `long_cycling.half_cycles`.
    name : str
        Written into the panel.
    windows : sequence of float
        Where the insets begin, as shares of the test.
    ax : matplotlib.axes.Axes
    """
    colors = layout.tints(layout.sample_of(cells, list(cells)), len(cells))
    curves = {
        label: (*_voltage(cell, half_cycles[label]), color)
        for (label, cell), color in zip(cells.items(), colors, strict=True)
    }
    # A spike at a short must not set the scale.
    tall = max(float(np.nanquantile(np.abs(voltage), 0.99)) for _, voltage, _ in curves.values()) or 1.0
    duration = max(float(np.nanmax(hours)) for hours, *_ in curves.values()) or 1.0
    # The longest test below the others, so that a cell that failed early is not hidden.
    order = sorted(curves, key=lambda label: -float(np.nanmax(curves[label][0])))
    for label in order:
        hours, voltage, color = curves[label]
        ax.plot(hours, voltage, color=color, linewidth=0.4, label=f"_{label}, voltage")
    if len(cells) == 1:
        _mark_failure(cells[order[0]], half_cycles[order[0]], 1.3 * tall, ax)
    spans = [half_cycles[label].end - half_cycles[label].begin for label in cells]
    cycle = 2 * float(np.median(np.concatenate([span.to_numpy() for span in spans]))) / 3600
    windows = windows if duration > 10 * cycle else ()  # a test of a few cycles needs no zoom
    text = layout.wrapped(name, 110)
    top = (5 if windows else 2.5) + 0.9 * text.count("\n")
    ax.set(xlabel="Time / h", ylabel="Voltage / mV", xlim=(0, duration), ylim=(-1.9 * tall, top * tall))
    ticks = [tick for tick in MaxNLocator(4, symmetric=True).tick_values(-tall, tall) if abs(tick) <= 1.3 * tall]
    ax.set_yticks(ticks)
    layout.inside(ax, text, 0.97)
    width = 1 / len(windows) if windows else 1
    for place, share in enumerate(windows):
        begin = min(share * duration, duration - INSET_CYCLES * cycle)
        recorded = np.concatenate([hours[hours >= begin] for hours, *_ in curves.values()])
        begin = max(begin, float(recorded.min(initial=duration)) - cycle / 10)  # there may be none for a long time
        margin = 0.019 + 0.012 * max([len(f"{tick:g}") for tick in ticks], default=3)  # for the numbers
        inset = ax.inset_axes((place * width + margin, 0.5, width - margin - 0.02, 0.38))
        for hours, voltage, color in curves.values():
            shown = (hours >= begin) & (hours <= begin + INSET_CYCLES * cycle)
            inset.plot(hours[shown], voltage[shown], color=color)
        inset.set(xlim=(begin, begin + INSET_CYCLES * cycle), ylim=(-2.2 * tall, 1.3 * tall))
        inset.tick_params(labelsize=6)
        inset.tick_params(axis="x", pad=-9)  # numbers inside, clear of the lines to the window
        hours_inside = MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(begin, begin + INSET_CYCLES * cycle)
        inset.set_xticks([hour for hour in hours_inside if 0.3 * cycle < hour - begin < (INSET_CYCLES - 0.3) * cycle])
        inset.set_yticks([-ticks[-1], 0, ticks[-1]] if ticks else [])
        _, *sides = mark_inset(ax, inset, loc1=3, loc2=4, edgecolor="0.3", linewidth=0.5)
        for side, (of_inset, of_window) in zip(sides, ((3, 2), (4, 1)), strict=True):  # lower corners to upper corners
            side.loc1, side.loc2 = of_inset, of_window


def _voltage(cell: xr.Dataset, half_cycles: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return hours and millivolts of a recording, with a break where there are no records."""
    hours, voltage = cell.time.to_numpy() / 3600, cell.voltage.to_numpy() * 1e3
    holes = np.flatnonzero(np.diff(hours) > half_cycles.flowed.attrs["hole"] / 3600) + 1
    return np.insert(hours, holes, np.nan), np.insert(voltage, holes, np.nan)


def _mark_failure(cell: xr.Dataset, half_cycles: xr.Dataset, height: float, ax: Axes) -> None:
    """Draw a band over the time in which the first failure began, to the end where it may not have."""
    failure = long_cycling.first_failure(half_cycles)
    if failure is None:
        return
    _, low, high = (None if time is None else time / 3600 for time in long_cycling.onset(cell, half_cycles))
    low, end = low or 0.0, float(cell.time[-1]) / 3600
    high = end if high is None else high
    ax.vlines([low, high], -height, height, colors=FAILURE, linewidth=0.8, label="_first failure")
    ax.fill_betweenx([-height, height], low, high, color=FAILURE, alpha=0.25, linewidth=0, label="_failure, from to")
    kind = str(half_cycles.kind.to_numpy()[failure])
    if kind == UNDECIDED:
        kind = "failure crept in" if high < end else "failed since then, or not at all: cannot be told"
    right = (low + high) / 2 > 0.5 * end
    ax.annotate(
        kind,
        (low if right else high, 0.01),
        (-2 if right else 2, 0),
        ("data", "axes fraction"),
        textcoords="offset points",
        ha="right" if right else "left",
        va="bottom",
        color=FAILURE,
        fontsize=6,
    )


def _with_breaks(pairs: xr.Dataset) -> list[np.ndarray]:
    """Return hours, and overpotentials [mV] at the start, on the plateau and at the end, with breaks at standstills."""
    hours = pairs.time.to_numpy()
    steps = np.diff(hours)
    breaks = np.flatnonzero(steps > 3 * np.median(steps)) + 1 if steps.size else np.array([], int)
    values = [1e3 * pairs[name].to_numpy() for name in ("overpotential_start", "overpotential", "overpotential_end")]
    return [np.insert(column, breaks, np.nan) for column in (hours, *values)]


def plot_overpotential(pairs: Mapping[str, xr.Dataset], sample: str, ax: Axes) -> None:
    """Plot the overpotential of every cycle.

    Of one cell: a line for the plateau, a band from start to end of the half cycles. Of several: a thin line each, and
    the mean with a band of one standard deviation.

    Parameters
    ----------
    pairs : mapping of str to xarray.Dataset
        From `long_cycling.every_overpotential`.
    sample : str
        Whose colour is used.
    ax : matplotlib.axes.Axes
    """
    color = style.color(sample)
    ax.set(xlabel="Time / h", ylabel="Overpotential / mV")
    cycled = {label: one for label, one in pairs.items() if one.sizes["pair"]}
    if not cycled:
        ax.text(0.5, 0.5, "no sustained cycle", transform=ax.transAxes, ha="center", color="0.4")
        ax.set(xticks=[], yticks=[])
        return
    if len(pairs) == 1:
        ((label, one),) = cycled.items()
        stretches = [part for _, part in one.groupby("stretch")]
        for number, part in enumerate(stretches):
            hours, start, plateau, end = _with_breaks(part)
            name = f"_{label}, start to end of half cycles"
            ax.fill_between(hours, start, end, color=color, alpha=0.3, linewidth=0, label=name)
            ax.plot(hours, plateau, color=color, label=f"_{label}, plateau")
            if len(stretches) > 1:
                density = f"{float(part.current_density[0]):.3g}" + ("" if number else " mA cm⁻²")
                at = float(part.time.mean()), 1e3 * float(part.overpotential.max())
                ax.annotate(density, at, (0, 3), textcoords="offset points", ha="center", va="bottom", fontsize=6)
    else:
        for label, one in cycled.items():
            ax.plot(one.time, one.overpotential * 1e3, color=color, alpha=0.45, linewidth=0.4, label=f"_{label}")
        # Cycles of replicates have the same numbers, but not to the second the same times.
        numbers = [np.arange(one.sizes["pair"]) for one in cycled.values()]
        x, mean, deviation, n = conditions.mean_curve(numbers, [1e3 * one.overpotential for one in cycled.values()])
        if x.size:
            longest = max(cycled.values(), key=lambda one: one.sizes["pair"])
            hours = longest.time.to_numpy()[x.astype(int)]
            ax.fill_between(
                hours, mean - deviation, mean + deviation, color=color, alpha=0.25, linewidth=0, label="_± s.d."
            )
            ax.plot(hours, mean, color=color, linewidth=1.2, label=f"mean ± s.d., {layout.counted(n)}")
            ax.legend(loc="lower right", handlelength=1)
    highest = max(float(np.nanmax([one.overpotential, one.overpotential_end])) for one in cycled.values())
    ax.set_ylim(0, 1.2e3 * highest if highest > 0 else None)
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_locator(MaxNLocator(4))
