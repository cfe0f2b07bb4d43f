"""Figures of symmetric cells that were cycled over hundreds of hours."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.axes_grid1.inset_locator import mark_inset

from coldbond.bundle import style

#: Cycles that an inset shows.
INSET_CYCLES = 3


def plot(recording: xr.Dataset, half_cycles: xr.Dataset, windows: Sequence[float], ax: Axes) -> None:
    """Plot voltage against time, with a zoomed inset of three cycles at each window.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `long_cycling.half_cycles`.
    half_cycles : xarray.Dataset
        From `long_cycling.half_cycles`.
    windows : sequence of float
        Where the insets begin, as shares of the test.
    ax : matplotlib.axes.Axes
    """
    hours, voltage = recording.time.to_numpy() / 3600, recording.voltage.to_numpy() * 1e3
    color = style.color(recording.attrs["sample"])
    tall = float(np.quantile(np.abs(voltage), 0.99))  # a spike at a short must not set the scale
    ax.plot(hours, voltage, color=color, linewidth=0.4)
    cycle = 2 * float((half_cycles.end - half_cycles.begin).median()) / 3600
    windows = windows if hours[-1] > 10 * cycle else ()  # a test of a few cycles needs no zoom
    ax.set(xlabel="Time / h", ylabel="Voltage / mV", xlim=(0, hours[-1]))
    ax.set_ylim(-1.5 * tall, (5 if windows else 2.5) * tall)
    ticks = [tick for tick in MaxNLocator(4, symmetric=True).tick_values(-tall, tall) if abs(tick) <= 1.3 * tall]
    ax.set_yticks(ticks)
    name = ", ".join(filter(None, (recording.attrs["sample"], recording.attrs["state"])))
    ax.text(0.01, 0.97, style.label(name), transform=ax.transAxes, va="top")
    width = 1 / len(windows) if windows else 1
    for place, share in enumerate(windows):
        begin = min(share * hours[-1], hours[-1] - INSET_CYCLES * cycle)
        inset = ax.inset_axes((place * width + 0.055, 0.5, width - 0.075, 0.38))
        shown = (hours >= begin) & (hours <= begin + INSET_CYCLES * cycle)
        inset.plot(hours[shown], voltage[shown], color=color)
        inset.set(xlim=(begin, begin + INSET_CYCLES * cycle), ylim=(-2.2 * tall, 1.3 * tall))
        inset.tick_params(labelsize=6)
        inset.tick_params(axis="x", pad=-9)  # numbers inside, clear of the lines to the window
        hours_inside = MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(begin, begin + INSET_CYCLES * cycle)
        inset.set_xticks([hour for hour in hours_inside if 0.3 * cycle < hour - begin < (INSET_CYCLES - 0.3) * cycle])
        inset.set_yticks(ticks)
        _, *sides = mark_inset(ax, inset, loc1=3, loc2=4, edgecolor="0.3", linewidth=0.5)
        for side, (of_inset, of_window) in zip(sides, ((3, 2), (4, 1)), strict=True):  # lower corners to upper corners
            side.loc1, side.loc2 = of_inset, of_window


def plot_overpotential(pairs: xr.Dataset, sample: str, ax: Axes) -> None:
    """Plot the overpotential of every cycle: a line for the plateau, a band from start to end of the half cycles.

    Parameters
    ----------
    pairs : xarray.Dataset
        From `long_cycling.overpotentials`.
    sample : str
        Whose colour is used.
    ax : matplotlib.axes.Axes
    """
    color = style.color(sample)
    ax.set(xlabel="Time / h", ylabel="Overpotential / mV")
    if not pairs.sizes["pair"]:
        ax.text(0.5, 0.5, "no sustained cycle", transform=ax.transAxes, ha="center", color="0.4")
        return
    ax.fill_between(
        pairs.time, pairs.overpotential_start * 1e3, pairs.overpotential_end * 1e3, color=color, alpha=0.3, linewidth=0
    )
    ax.plot(pairs.time, pairs.overpotential * 1e3, color=color)
    ax.set_ylim(0, 1.2e3 * float(pairs.overpotential_end.max(skipna=True)))
