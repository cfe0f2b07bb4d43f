"""Figures of rate tests: capacity against cycle number, voltage profiles, capacity against rate with the model."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from lmfit.model import ModelResult
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coldbond.bundle import style
from coldbond.cells import capacity, rate_model
from coldbond.cells.plots.full_cell import capacity_label
from coldbond.interval import CONFIDENCE, Interval


def draw(
    fig: Figure,
    cells: Mapping[str, xr.Dataset],
    tables: Mapping[str, xr.Dataset],
    found: Mapping[str, xr.Dataset],
    levels: Mapping[str, xr.Dataset],
    fitted: Mapping[str, Mapping[float | None, ModelResult]],
) -> None:
    """Draw a row of three panels for each cell: capacity against cycle, voltage profiles, capacity against rate.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`.
    cells, tables, found, levels, fitted : mapping by the recordings' labels
        From `raw.recordings`, `capacity.cycles`, `rate.discharges`, `rate.plateaus` and `rate.fits`.
    """
    grid = fig.subplots(len(cells), 3, squeeze=False)
    for label, axes in zip(cells, grid, strict=True):
        plot_capacity(axes[0], found[label], levels[label])
        plot_profiles(axes[1], cells[label], tables[label], levels[label])
        plot_model(axes[2], levels[label], fitted[label])
        if len(cells) > 1:
            axes[0].set_title(style.label(label))
    style.letters(grid.flat)


def plot_capacity(ax: Axes, found: xr.Dataset, levels: xr.Dataset) -> None:
    """Plot each discharge's capacity against cycle number, the rate written above its group, outliers hollow."""
    for (_, members), level, color in zip(
        found.groupby("group"), levels.label.to_numpy(), _colors(levels), strict=True
    ):
        for outlier, face in ((False, color), (True, "white")):
            some = members.sel(cycle=members.outlier == outlier)
            ax.plot(some.cycle, some.capacity, "o", color=color, mfc=face, mew=0.6)
        place = (float(members.cycle.mean()), float(members.capacity.max()))
        ax.annotate(level, place, (0, 4), textcoords="offset points", ha="center", va="bottom")
    ax.set(xlabel="Cycle number", ylabel=capacity_label(found), ylim=(0, 1.2 * float(found.capacity.max())))
    ax.set_xlim(float(found.cycle[0]) - 0.8, float(found.cycle[-1]) + 0.8)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def plot_profiles(ax: Axes, recording: xr.Dataset, table: xr.Dataset, levels: xr.Dataset) -> None:
    """Plot voltage against capacity of one cycle at each rate, the one nearest to the mean."""
    for number, color in enumerate(_colors(levels)):
        level = levels.isel(group=number)
        if level.again:
            continue
        cycle = table.sel(cycle=level.example)
        for half, label in (("charge", None), ("discharge", level.label.item())):
            if np.isfinite(cycle.passed.sel(half=half)):
                ax.plot(*capacity.profile(recording, cycle.sel(half=half)), color=color, label=label)
    ax.set(xlabel=capacity_label(table), ylabel="Voltage / V")
    ax.legend(loc="lower left", handlelength=1, columnspacing=1, ncols=1 + (len(ax.get_legend_handles_labels()[1]) > 3))


def plot_model(ax: Axes, levels: xr.Dataset, fitted: Mapping[float | None, ModelResult]) -> None:
    """Plot capacity against rate and the fitted model: with its 95 % band, or one line for each exponent held."""
    first = levels.sel(group=~levels.again)
    rates = np.geomspace(float(first.rate.min()) / 3, float(first.rate.max()) * 3, 200)
    for (exponent, result), line in zip(fitted.items(), ("-", "--"), strict=False):
        curve = result.eval(rate=rates)
        n, held = result.params["n"].value, " (held)" if exponent else ""
        label = f"n = {n:.2g}{held}, τ {_in_words(rate_model.intervals(result)['tau'])}"
        ax.plot(rates, curve, line, color="0.4", label=label, zorder=1)
        if exponent is None:
            half_width = result.eval_uncertainty(rate=rates, sigma=CONFIDENCE)
            ax.fill_between(rates, curve - half_width, curve + half_width, color="0.88", linewidth=0, zorder=0)
    for number, color in enumerate(_colors(levels)):
        level = levels.isel(group=number)
        if not level.again:
            ax.errorbar(level.rate, level.capacity, level.capacity_half_width, fmt="o", color=color, elinewidth=0.6)
    ax.set(
        xscale="log",
        xlabel="Rate / h⁻¹",
        ylabel=capacity_label(levels),
        ylim=(0, 1.2 * float(first.capacity.max())),
    )
    style.powers_of_ten(ax.xaxis)
    if fitted:
        ax.legend(loc="lower left", handlelength=1.5)


def _in_words(tau: Interval) -> str:
    """Return the 95 % interval of a characteristic time [h] as a legend shows it."""
    low, high = (None if end is None else f"{float(f'{3600 * end:.2g}'):g}" for end in (tau.low, tau.high))
    if low is not None and high is not None:
        return f"= {low}–{high} s"
    return f"< {high} s" if high is not None else f"> {low} s" if low is not None else "not determined"


def _colors(levels: xr.Dataset) -> list[str]:
    """Return one colour for each plateau: darker for a higher current, the same for the same current."""
    currents = np.sort(levels.current.to_numpy()[~levels.again.to_numpy()])
    palette = style.shades(currents.size)
    return [palette[np.abs(currents / current - 1).argmin()] for current in levels.current.to_numpy()]
