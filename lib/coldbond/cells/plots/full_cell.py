"""Figures of full cells: capacity and efficiency, voltage profiles, polarisation."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coldbond.bundle import conditions, style
from coldbond.cells import capacity
from coldbond.cells.plots import layout
from coldbond.interval import NORMAL

#: Height [mm] of a row; panels, or pairs of panels, up to which they stand in one column.
ROW, IN_ONE_COLUMN = 60.0, {"capacity": 1, "polarization": 4}

#: Width [mm] of a title, clear of the number of the next panel.
TITLE = 75.0


def size(panel: str, tables: Mapping[str, xr.Dataset]) -> tuple[str, float]:
    """Return the width and the height [mm] of the figure that `draw` fills."""
    rows, columns = _grid(panel, len(groups_of(tables)))
    return "single" if panel == "capacity" and columns == 1 else "double", layout.height(rows, ROW)


def draw(
    fig: Figure,
    panel: str,
    cells: Mapping[str, xr.Dataset],
    tables: Mapping[str, xr.Dataset],
    shown: Sequence[int],
    stable_within: float = 0.1,
) -> None:
    """Draw one or two panels for each full cell, or each condition of several.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`, of the size that `size` returns.
    panel : {"capacity", "polarization"}
        Capacity and coulombic efficiency against cycle number; or voltage profiles, and polarisation beside them.
    cells, tables : mapping by the recordings' labels
        The recordings as `raw.recordings` returns them, and `capacity.cycles` of each.
    shown : sequence of int
        Cycles whose voltage profiles are drawn besides the first and the last.
    stable_within : float
        As for `findings.full_cell.findings`.
    """
    groups = groups_of(tables)
    rows, columns = _grid(panel, len(groups))
    each = 1 if panel == "capacity" else 2
    grid = fig.subplots(rows, each * columns, squeeze=False)
    blocks = [row[each * column : each * (column + 1)] for row in grid for column in range(columns)]
    for axes, (name, labels) in zip(blocks, groups.items(), strict=False):
        of_group = {label: tables[label] for label in labels}
        if panel == "capacity":
            plot_capacities(axes[0], of_group)
        else:
            cycles = [n for n in shown if any(n in table.cycle for table in of_group.values())]
            for label in labels:
                plot_profiles(axes[0], cells[label], tables[label], cycles, of_one=len(labels) == 1)
            plot_polarizations(axes[1], of_group, stable_within)
        if len(groups) > 1 or len(labels) > 1:
            label = labels[0] if len(labels) == 1 else name
            counted = f", n = {len(labels)}" if len(labels) > 1 else ""
            layout.title(axes[0], style.label(label) + counted, TITLE)
    for axes in blocks[len(groups) :]:
        for ax in axes:
            ax.remove()
    layout.number(blocks[: len(groups)])


def plot_capacity(ax: Axes, table: xr.Dataset) -> None:
    """Plot the capacities on the left axis and the coulombic efficiency on a right one, against cycle number."""
    plot_capacities(ax, {str(table.attrs["sample"]): table})


def plot_capacities(ax: Axes, tables: Mapping[str, xr.Dataset]) -> None:
    """Plot the capacities of the cells of a condition, as `plot_capacity` does of one.

    Of several cells: a thin line each, and means with bands of one standard deviation.
    """
    first = next(iter(tables.values()))
    finished = {label: table.where(table.finished == 1) for label, table in tables.items()}
    handles = (_of_one if len(tables) == 1 else _of_several)(ax, tables, finished)
    highest = max(float(one.capacity.max()) for one in finished.values())
    ax.set(xlabel="Cycle number", ylabel=capacity_label(first))
    ax.set_ylim(0, 1.3 * highest if highest > 0 else None)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_locator(MaxNLocator(8))
    common = f"±{100 * NORMAL * first.attrs['common']:.2g} % common to all capacities"
    ax.legend(handles=handles, loc="lower left", title=common, alignment="left")


def _of_one(ax: Axes, tables: Mapping[str, xr.Dataset], finished: Mapping[str, xr.Dataset]) -> list[Artist]:
    ((_, table),) = tables.items()
    (kept,) = finished.values()
    color = style.color(table.attrs["sample"])
    for half, face, diameter in (("charge", "white", 2.8), ("discharge", color, 1.8)):
        one = kept.sel(half=half)
        ax.errorbar(
            table.cycle,
            one.capacity,
            one.capacity_half_width,
            label=half.capitalize(),
            fmt="o",
            color=color,
            mfc=face,
            mew=0.6,
            ms=diameter,
            elinewidth=0.6,
        )
    handles, efficiency = ax.get_legend_handles_labels()[0], table.coulombic_efficiency.where(table.complete)
    if np.isfinite(efficiency).any():
        right = _efficiency_axis(ax, [efficiency])
        handles += right.plot(
            table.cycle, efficiency, "D", label="Coulombic efficiency", color="0.45", mfc="white", mew=0.6, ms=2.2
        )
    return handles


def _of_several(ax: Axes, tables: Mapping[str, xr.Dataset], finished: Mapping[str, xr.Dataset]) -> list[Artist]:
    color = style.color(next(iter(tables.values())).attrs["sample"])
    handles: list[Artist] = []
    for half, line in (("charge", ":"), ("discharge", "-")):
        curves = {label: (one.cycle, one.capacity.sel(half=half)) for label, one in finished.items()}
        handles += _mean_and_cells(ax, curves, half.capitalize(), color, line)
    curves = {label: (one.cycle, one.coulombic_efficiency.where(one.complete)) for label, one in tables.items()}
    if any(np.isfinite(efficiency).any() for _, efficiency in curves.values()):
        right = _efficiency_axis(ax, [efficiency for _, efficiency in curves.values()])
        handles += _mean_and_cells(right, curves, "Coulombic efficiency", "0.45", "-")
    return handles


def _mean_and_cells(
    ax: Axes, curves: Mapping[str, tuple[xr.DataArray, xr.DataArray]], what: str, color: str, line: str
) -> list[Artist]:
    """Plot each cell's curve thinly, and the mean with a band of one standard deviation; return the mean's line."""
    for label, (cycle, y) in curves.items():
        ax.plot(cycle, y, line, color=color, alpha=0.45, linewidth=0.4, label=f"_{label}, {what.lower()}")
    x, mean, deviation, n = conditions.mean_curve([x for x, _ in curves.values()], [y for _, y in curves.values()])
    if not x.size:
        return []
    band = (mean - deviation, mean + deviation)
    ax.fill_between(x, *band, color=color, alpha=0.25, linewidth=0, label=f"_{what}, ± s.d.")
    return [*ax.plot(x, mean, line, color=color, linewidth=1.2, label=f"{what}, mean ± s.d. ({layout.counted(n)})")]


def _efficiency_axis(ax: Axes, efficiencies: Sequence[xr.DataArray]) -> Axes:
    right = ax.twinx()
    known = np.concatenate([one.to_numpy() for one in efficiencies])
    known = known[np.isfinite(known)]
    # An efficiency above 100 % is shown too; that of a cell at its end, of many times 100 %, must not set the scale.
    lowest, highest = min(60.0, *known), min(max(100.0, *known), 150.0)
    right.set(ylabel="Coulombic efficiency / %", ylim=(max(lowest, 0) - 10, highest + 4))
    return right


def plot_profiles(
    ax: Axes, recording: xr.Dataset, table: xr.Dataset, shown: Sequence[int], of_one: bool = True
) -> None:
    """Plot voltage against capacity of the first and last cycle and the shown ones, their finished halves.

    Of one of several replicates, whose last cycles differ, thinly and without the last cycle.
    """
    finished = table.cycle[(table.finished == 1).any("half").to_numpy()].to_numpy()
    if finished.size:
        ends = {finished[0], finished[-1]} if of_one else {finished[0]}
        chosen = sorted({n for n in shown if n in finished} | ends)
        colors = dict(zip(chosen, style.shades(len(chosen)), strict=True))
        if not of_one:  # a cycle has the same colour in each replicate
            every = sorted({*shown, *chosen})
            colors = dict(zip(every, style.shades(len(every)), strict=True))
        for n in chosen:
            halves = table.sel(cycle=n)
            for half in halves.half[(halves.finished == 1).to_numpy()].to_numpy():
                curve = capacity.profile(recording, halves.sel(half=half))
                width = 0.8 if of_one else 0.5
                ax.plot(*curve, color=colors[n], linewidth=width, label=f"_{_name(table)}, cycle {n}, {half}")
        known = {str(line.get_label()).split(", cycle ")[1].split(",")[0]: line for line in ax.lines}
        names = sorted(known, key=int)
        ax.legend([known[name] for name in names], names, title="Cycle", ncols=2, handlelength=1)
    ax.set(xlabel=capacity_label(table), ylabel="Voltage / V")


def plot_polarizations(ax: Axes, tables: Mapping[str, xr.Dataset], stable_within: float) -> None:
    """Plot the voltage between charge and discharge at half capacity of each cell against cycle number."""
    curves = {label: 1e3 * table.polarization[table.complete.to_numpy()] for label, table in tables.items()}
    every = np.concatenate([one.to_numpy() for one in curves.values()])
    color = style.color(next(iter(tables.values())).attrs["sample"])
    if every.size:
        middle = float(np.median(every))
        high = middle * (1 + stable_within)
        ax.axhspan(middle * (1 - stable_within), high, color="0.92", linewidth=0)
        band = f"±{100 * stable_within:g} %"
        ax.text(0.98, high, band, transform=ax.get_yaxis_transform(), va="bottom", ha="right", color="0.4")
        ax.set_ylim(min(0, float(every.min())), 1.4 * float(every.max()) if every.max() > 0 else None)
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    else:
        ax.text(0.5, 0.5, "no complete cycle", transform=ax.transAxes, ha="center", va="center", color="0.4")
        ax.set(xticks=[], yticks=[])
    if len(tables) == 1:
        ((label, one),) = curves.items()
        ax.plot(one.cycle, one, "o", color=color, mec="none", ms=2.4, label=f"_{label}, polarisation")
    else:
        of_cells = {label: (one.cycle, one) for label, one in curves.items()}
        handles = _mean_and_cells(ax, of_cells, "Polarisation", color, "-")
        names = [str(handle.get_label()).removeprefix("Polarisation, ") for handle in handles]
        ax.legend(handles, names, loc="lower left", handlelength=1)
    ax.set(xlabel="Cycle number", ylabel="Polarisation at half capacity / mV")


def groups_of(tables: Mapping[str, xr.Dataset]) -> dict[str, list[str]]:
    """Return the conditions of tables from `capacity.cycles`; one whose capacities have two units is two.

    A cell whose mass is not known has capacities in mAh, which cannot be averaged with those in mAh/g.
    """
    found: dict[str, list[str]] = {}
    for name, labels in conditions.groups(tables).items():
        units = [tables[label].capacity.attrs["units"] for label in labels]
        for label, unit in zip(labels, units, strict=True):
            found.setdefault(name if len(set(units)) == 1 else f"{name}, in {unit}", []).append(label)
    return found


def capacity_label(table: xr.Dataset) -> str:
    """Return the label of the capacity axis of a table from `capacity.cycles`."""
    unit = table.capacity.attrs["units"]
    return f"{'Specific capacity' if unit == 'mAh/g' else 'Capacity'} / {style.unit(unit)}"


def _grid(panel: str, count: int) -> tuple[int, int]:
    in_one_column = IN_ONE_COLUMN[panel]
    return layout.grid(count, in_one_column) if count <= 2 * in_one_column else layout.grid(count, -(-count // 2))


def _name(table: xr.Dataset) -> str:
    parts = (table.attrs["sample"], table.attrs.get("replicate") and f"replicate {table.attrs['replicate']}")
    return ", ".join(filter(None, parts))
