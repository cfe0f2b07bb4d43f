"""Figures of full cells: capacity and efficiency, voltage profiles, polarisation."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coldbond.bundle import style
from coldbond.cells import capacity
from coldbond.interval import NORMAL


def draw(
    fig: Figure,
    panel: str,
    cells: Mapping[str, xr.Dataset],
    tables: Mapping[str, xr.Dataset],
    shown: Sequence[int],
    stable_within: float = 0.1,
) -> None:
    """Draw one row of panels for each full cell.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`.
    panel : {"capacity", "polarization"}
        Capacity and coulombic efficiency against cycle number; or voltage profiles, and polarisation beside them.
    cells, tables : mapping of str to xarray.Dataset
        The recordings as `raw.recordings` returns them, and `capacity.cycles` of each.
    shown : sequence of int
        Cycles whose voltage profiles are drawn besides the first and the last.
    stable_within : float
        As for `findings.full_cell.findings`.
    """
    grid = fig.subplots(len(cells), 1 if panel == "capacity" else 2, squeeze=False)
    for (label, table), axes in zip(tables.items(), grid, strict=True):
        if panel == "capacity":
            plot_capacity(axes[0], table)
        else:
            plot_profiles(axes[0], cells[label], table, shown)
            plot_polarization(axes[1], table, stable_within)
        if len(cells) > 1:
            axes[0].set_title(style.label(label))
    style.letters(grid.flat)


def plot_capacity(ax: Axes, table: xr.Dataset) -> None:
    """Plot the capacities on the left axis and the coulombic efficiency on a right one, against cycle number."""
    color = style.color(table.attrs["sample"])
    finished = table.where(table.finished == 1)
    for half, face, size in (("charge", "white", 2.8), ("discharge", color, 1.8)):
        one = finished.sel(half=half)
        ax.errorbar(
            table.cycle,
            one.capacity,
            one.capacity_half_width,
            label=half.capitalize(),
            fmt="o",
            color=color,
            mfc=face,
            mew=0.6,
            ms=size,
            elinewidth=0.6,
        )
    handles, efficiency = ax.get_legend_handles_labels()[0], table.coulombic_efficiency.where(table.complete)
    if np.isfinite(efficiency).any():
        right = ax.twinx()
        handles += right.plot(
            table.cycle, efficiency, "D", label="Coulombic efficiency", color="0.45", mfc="white", mew=0.6, ms=2.2
        )
        lowest = np.nanmin(efficiency.to_numpy(), initial=60)
        right.set(ylabel="Coulombic efficiency / %", ylim=(lowest - 10, 104))
    ax.set(xlabel="Cycle number", ylabel=capacity_label(table), ylim=(0, 1.3 * float(finished.capacity.max())))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    common = f"±{100 * NORMAL * table.attrs['common']:.2g} % common to all capacities"
    ax.legend(handles=handles, loc="lower left", title=common, alignment="left")


def plot_profiles(ax: Axes, recording: xr.Dataset, table: xr.Dataset, shown: Sequence[int]) -> None:
    """Plot voltage against capacity of the first and last cycle and the shown ones, their finished halves."""
    finished = table.cycle[(table.finished == 1).any("half").to_numpy()].to_numpy()
    chosen = sorted({n for n in shown if n in finished} | {finished[0], finished[-1]})
    for n, color in zip(chosen, style.shades(len(chosen)), strict=True):
        halves = table.sel(cycle=n)
        for half in halves.half[(halves.finished == 1).to_numpy()].to_numpy():
            ax.plot(*capacity.profile(recording, halves.sel(half=half)), color=color, label=str(n))
    ax.set(xlabel=capacity_label(table), ylabel="Voltage / V")
    handles = dict(zip(reversed(ax.get_legend_handles_labels()[1]), reversed(ax.lines), strict=True))
    names = [str(n) for n in chosen]
    ax.legend([handles[name] for name in names], names, title="Cycle", ncols=2, handlelength=1)


def plot_polarization(ax: Axes, table: xr.Dataset, stable_within: float) -> None:
    """Plot the voltage between charge and discharge at half capacity against cycle number."""
    polarization = 1e3 * table.polarization[table.complete.to_numpy()]
    if polarization.size:
        middle = float(polarization.median())
        high = middle * (1 + stable_within)
        ax.axhspan(middle * (1 - stable_within), high, color="0.92", linewidth=0)
        band = f"±{100 * stable_within:g} %"
        ax.text(0.98, high, band, transform=ax.get_yaxis_transform(), va="bottom", ha="right", color="0.4")
        ax.set_ylim(0, 1.4 * float(polarization.max()))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    else:
        ax.text(0.5, 0.5, "no complete cycle", transform=ax.transAxes, ha="center", va="center", color="0.4")
        ax.set(xticks=[], yticks=[])
    ax.plot(polarization.cycle, polarization, "o", color=style.color(table.attrs["sample"]), mec="none", ms=2.4)
    ax.set(xlabel="Cycle number", ylabel="Polarisation at half capacity / mV")


def capacity_label(table: xr.Dataset) -> str:
    """Return the label of the capacity axis of a table from `capacity.cycles`."""
    unit = table.capacity.attrs["units"]
    return f"{'Specific capacity' if unit == 'mAh/g' else 'Capacity'} / {style.unit(unit)}"
