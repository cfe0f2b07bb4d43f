"""Figures of full cells: capacity and efficiency, voltage profiles, polarisation, differential capacity."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coldbond.bundle import conditions, style
from coldbond.cells import capacity, differential
from coldbond.cells.plots import layout
from coldbond.interval import NORMAL

#: Height [mm] of a row; panels, or pairs of panels, up to which they stand in one column.
ROW = {"capacity": 78.0, "polarization": 60.0, "differential": 60.0}
IN_ONE_COLUMN = {"capacity": 1, "polarization": 4, "differential": 4}

#: Height [mm] of a row below which the labels of its axes are broken into lines.
LOW = 66.0

#: Height of the panel of the efficiency, in that of the capacity below it.
EFFICIENCY_HEIGHT = 0.5

#: Span of the axis of the efficiency about its median: so many robust standard deviations, at least this many %. On it
#: a tenth of a percent can be read. What lies beyond is drawn at the edge.
EFFICIENCY_SPAN, LEAST_SPAN = 8.0, 0.8

#: Width [mm] of a title, clear of the number of the next panel.
TITLE = 75.0


def size(panel: str, tables: Mapping[str, xr.Dataset]) -> tuple[str, float]:
    """Return the width and the height [mm] of the figure that `draw` fills."""
    rows, columns = _grid(panel, len(groups_of(tables)))
    return "single" if panel == "capacity" and columns == 1 else "double", layout.height(rows, ROW[panel])


def draw(
    fig: Figure,
    panel: str,
    cells: Mapping[str, xr.Dataset],
    tables: Mapping[str, xr.Dataset],
    shown: Sequence[int],
    stable_within: float = 0.1,
    values: Sequence[Mapping] = (),
    voltage_step: float = 0.005,
) -> None:
    """Draw one or two panels for each full cell, or each condition of several.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`, of the size that `size` returns.
    panel : {"capacity", "polarization", "differential"}
        Capacity and, above it, coulombic efficiency against cycle number; or voltage profiles, and polarisation beside
        them; or dQ/dV, and the voltages of its peaks beside it.
    cells, tables : mapping by the recordings' labels
        The recordings as `raw.recordings` returns them, and `capacity.cycles` of each.
    shown : sequence of int
        Cycles whose voltage profiles are drawn besides the first and the last.
    stable_within : float
        As for `findings.full_cell.findings`.
    values : sequence of dict
        Its findings: the failure of a cell is shaded.
    voltage_step : float
        As for `differential.curve`.
    """
    groups = groups_of(tables)
    rows, columns = _grid(panel, len(groups))
    if panel == "capacity":
        grid = fig.subplots(2 * rows, columns, squeeze=False, height_ratios=[EFFICIENCY_HEIGHT, 1] * rows)
        blocks = [list(grid[2 * row : 2 * row + 2, column]) for row in range(rows) for column in range(columns)]
    else:
        grid = fig.subplots(rows, 2 * columns, squeeze=False)
        blocks = [list(row[2 * column : 2 * column + 2]) for row in grid for column in range(columns)]
    for axes, (name, labels) in zip(blocks, groups.items(), strict=False):
        of_group = {label: tables[label] for label in labels}
        failures = [row for label in labels for row in _failures(tables[label], values)]
        if panel == "capacity":
            plot_capacities(axes[1], of_group, axes[0], failures)
        elif panel == "differential":
            for label in labels:
                plot_differential(axes[0], cells[label], tables[label], shown, voltage_step, of_one=len(labels) == 1)
                plot_peaks(axes[1], cells[label], tables[label], voltage_step, of_one=len(labels) == 1)
        else:
            cycles = [n for n in shown if any(n in table.cycle for table in of_group.values())]
            for label in labels:
                plot_profiles(axes[0], cells[label], tables[label], cycles, of_one=len(labels) == 1)
            plot_polarizations(axes[1], of_group, stable_within, failures)
        if len(groups) > 1 or len(labels) > 1:
            label = labels[0] if len(labels) == 1 else name
            counted = f", n = {len(labels)}" if len(labels) > 1 else ""
            layout.title(_numbered(panel, axes)[0], style.label(label) + counted, TITLE)
    for axes in blocks[len(groups) :]:
        for ax in axes:
            ax.remove()
    if panel == "capacity" and layout.height(rows, ROW[panel]) < LOW * rows:
        for ax in grid.flat:
            label = ax.get_ylabel().replace("Coulombic\nefficiency / %", "Efficiency\n/ %")
            ax.set_ylabel(label.replace(" / ", "\n/ "))
    layout.number([_numbered(panel, axes) for axes in blocks[: len(groups)]])


def plot_capacity(ax: Axes, table: xr.Dataset) -> None:
    """Plot the capacities against cycle number, and the coulombic efficiency in a panel of its own above them."""
    spec, figure = ax.get_subplotspec(), ax.get_figure()
    if spec is None or figure is None:
        raise ValueError("plot_capacity: the axes are not those of a grid: take them from fig.subplots()")
    inner = spec.subgridspec(2, 1, height_ratios=[EFFICIENCY_HEIGHT, 1])
    ax.set_subplotspec(inner[1])
    plot_capacities(ax, {str(table.attrs["sample"]): table}, figure.add_subplot(inner[0]))


def plot_capacities(ax: Axes, tables: Mapping[str, xr.Dataset], upper: Axes, failures: Sequence[Mapping] = ()) -> None:
    """Plot the capacities of the cells of a condition, as `plot_capacity` does of one.

    Of several cells: a thin line each, and means with bands of one standard deviation. `upper` is the panel of the
    efficiency, which is removed where no cycle has one. `failures` are the findings of when they failed.
    """
    first = next(iter(tables.values()))
    finished = {label: table.where(table.finished == 1) for label, table in tables.items()}
    efficiencies = [table.coulombic_efficiency.where(table.complete) for table in tables.values()]
    known = np.concatenate([one.to_numpy() for one in efficiencies])
    if np.isfinite(known).any():
        _set_up_efficiency(upper, ax, known[np.isfinite(known)])
    else:
        upper.remove()
    handles = (_of_one if len(tables) == 1 else _of_several)(ax, upper, tables, finished)
    highest = max(float(one.capacity.max()) for one in finished.values())
    ax.set(xlabel="Cycle number", ylabel=capacity_label(first))
    ax.set_ylim(0, 1.15 * highest if highest > 0 else None)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_locator(MaxNLocator(6))
    bands = [_shade(one, failures) for one in (ax, upper)]
    handles = [*handles, *bands[0][:1]]
    common = f"±{100 * NORMAL * first.attrs['common']:.2g} % common to all capacities"
    ax.legend(handles=handles, loc="lower left", title=common, alignment="left")


def _shade(ax: Axes, failures: Sequence[Mapping]) -> list[Artist]:
    """Shade the cycles at which cells may have failed."""
    bands: list[Artist] = []
    for row in failures if ax.get_figure() is not None else ():
        low, high = (row[key] if row[key] is not None else row["high"] for key in ("low", "high"))
        bands.append(ax.axvspan(low - 0.5, high + 0.5, color="#D55E00", alpha=0.25, linewidth=0, label="Failure"))
    return bands


def _failures(table: xr.Dataset, values: Sequence[Mapping]) -> list[Mapping]:
    """Return the findings of the failure of a cell."""
    whose = {key: table.attrs.get(key) or "" for key in ("sample", "state", "replicate")}
    return [
        row
        for row in values
        if row["quantity"] == "failure_cycle"
        and row["high"] is not None
        and all((row.get(key) or "") == value for key, value in whose.items())
        and "n" not in row
    ]


def _of_one(
    ax: Axes, upper: Axes, tables: Mapping[str, xr.Dataset], finished: Mapping[str, xr.Dataset]
) -> list[Artist]:
    ((_, table),) = tables.items()
    (kept,) = finished.values()
    handles: list[Artist] = []
    color = style.color(table.attrs["sample"])
    test = table.test.to_numpy()
    for half, face, diameter in (("charge", "white", 2.8), ("discharge", color, 1.8)):
        for which, marker, label in ((test, "o", half.capitalize()), (~test, "s", f"{half.capitalize()}, other rate")):
            one = kept.sel(half=half).isel(cycle=which)
            if not np.isfinite(one.capacity).any() and marker != "o":
                continue
            drawn = ax.errorbar(
                one.cycle,
                one.capacity,
                one.capacity_half_width,
                label=label,
                fmt=marker,
                color=color if marker == "o" else "0.35",
                mfc=face if face == "white" or marker == "o" else "0.35",
                mew=0.6,
                ms=diameter,
                elinewidth=0.6,
            )
            handles.append(cast(Artist, drawn))
    if upper.get_figure() is not None:
        efficiency = table.coulombic_efficiency.where(table.complete)
        for which, marker in ((test, "D"), (~test, "s")):
            label = "Coulombic efficiency" if marker == "D" else "Coulombic efficiency, other rate"
            _plot_within(
                upper, table.cycle[which], efficiency[which], marker, color if marker == "D" else "0.35", label
            )
    return handles


def _of_several(
    ax: Axes, upper: Axes, tables: Mapping[str, xr.Dataset], finished: Mapping[str, xr.Dataset]
) -> list[Artist]:
    color = style.color(next(iter(tables.values())).attrs["sample"])
    handles: list[Artist] = []
    for half, line in (("charge", ":"), ("discharge", "-")):
        curves = {label: (one.cycle, one.capacity.sel(half=half)) for label, one in finished.items()}
        handles += _mean_and_cells(ax, curves, half.capitalize(), color, line)
    if upper.get_figure() is not None:
        curves = {label: (one.cycle, one.coulombic_efficiency.where(one.complete)) for label, one in tables.items()}
        _mean_and_cells(upper, curves, "Coulombic efficiency", color, "-")
    return handles


def _plot_within(ax: Axes, x: xr.DataArray, y: xr.DataArray, marker: str, color: str, label: str) -> None:
    """Plot points, those beyond the axis as arrows at its edge, of which the first has its value."""
    low, high = ax.get_ylim()
    values = y.to_numpy()
    ax.plot(x, y, marker, color=color, mfc="white", mew=0.6, ms=2.2, linestyle="none", label=f"_{label}")
    for beyond, edge, arrow, shift in ((values < low, low, "v", 7), (values > high, high, "^", -7)):
        if not beyond.any():
            continue
        at = np.asarray(x)[beyond]
        ax.plot(at, np.full(at.size, edge), arrow, color=color, ms=3, clip_on=False, label="_beyond the axis", zorder=3)
        if ax.texts:
            continue
        ax.annotate(
            f"{values[beyond][0]:.3g} %",
            (at[0], edge),
            (4, shift),
            textcoords="offset points",
            va="center",
            ha="left",
            color=color,
        )


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


def _set_up_efficiency(upper: Axes, ax: Axes, known: np.ndarray) -> None:
    """Give the panel of the efficiency an axis on which a tenth of a percent is read, and the cycles of that below."""
    upper.sharex(ax)
    upper.tick_params(labelbottom=False)
    middle = float(np.median(known))
    span = max(EFFICIENCY_SPAN * capacity.robust_deviation(known - middle), LEAST_SPAN)
    low, high = middle - span, middle + span / 2
    if low < 100 < middle + 2 * span:
        high = max(high, 100 + span / 4)
    upper.set(ylabel="Coulombic\nefficiency / %", ylim=(max(low, 0), high))
    upper.axhline(100, color="0.7", linewidth=0.5, zorder=0, label="_100 %")
    upper.yaxis.set_major_locator(MaxNLocator(4))


def _numbered(panel: str, axes: Sequence[Axes]) -> list[Axes]:
    """Return the panels of a block that have a number: of capacity and efficiency, the upper one."""
    drawn = [ax for ax in axes if ax.get_figure() is not None]
    return drawn[:1] if panel == "capacity" else drawn


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


def plot_differential(
    ax: Axes, recording: xr.Dataset, table: xr.Dataset, shown: Sequence[int], step: float, of_one: bool = True
) -> None:
    """Plot dQ/dV against voltage of the first and the last complete cycle of the test and the shown ones."""
    numbers = table.cycle.to_numpy()[table.complete.to_numpy() & table.test.to_numpy()]
    if numbers.size:
        chosen = sorted({n for n in shown if n in numbers} | {numbers[0], numbers[-1]})
        colors = dict(zip(chosen, style.shades(len(chosen)), strict=True))
        for n in chosen:
            for half in ("charge", "discharge"):
                curve = differential.curve(recording, table.sel(cycle=n, half=half), step)
                width = 0.8 if of_one else 0.5
                ax.plot(*curve, color=colors[n], linewidth=width, label=f"_{_name(table)}, cycle {n}, {half}")
        known = {str(line.get_label()).split(", cycle ")[1].split(",")[0]: line for line in ax.lines}
        names = sorted(known, key=int)
        ax.legend([known[name] for name in names], names, title="Cycle", loc="upper left", handlelength=1)
    unit = style.unit(table.capacity.attrs["units"])
    ax.set(xlabel="Voltage / V", ylabel=f"dQ/dV / {unit} V⁻¹")


def plot_peaks(ax: Axes, recording: xr.Dataset, table: xr.Dataset, step: float, of_one: bool = True) -> None:
    """Plot the voltage of the highest peak of dQ/dV in charge and discharge against cycle number."""
    own = table.sel(cycle=table.complete & table.test)
    color = style.color(table.attrs["sample"])
    for half, face in (("charge", "white"), ("discharge", color)):
        peaks = [differential.peak(recording, own.sel(cycle=n, half=half), step).value for n in own.cycle.to_numpy()]
        y = np.array([np.nan if one is None else one for one in peaks])
        label = half.capitalize() if not ax.get_legend_handles_labels()[1][1:] else f"_{half}"
        ax.errorbar(own.cycle, y, step, fmt="o", color=color, mfc=face, mew=0.6, ms=2.2, elinewidth=0.4, label=label)
    ax.set(xlabel="Cycle number", ylabel="Peak of dQ/dV / V")
    ax.margins(y=0.25)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    ax.legend(loc="best")


def plot_polarizations(
    ax: Axes, tables: Mapping[str, xr.Dataset], stable_within: float, failures: Sequence[Mapping] = ()
) -> None:
    """Plot the voltage between charge and discharge at half capacity of each cell against cycle number.

    A failure, one of the findings `failures`, is shaded.
    """
    curves = {
        label: 1e3 * table.polarization[table.test.to_numpy() & np.isfinite(table.polarization.to_numpy())]
        for label, table in tables.items()
    }
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
        complete = any(table.complete.any() for table in tables.values())
        text = "half of the charge passed\nat constant voltage" if complete else "no complete cycle"
        ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color="0.4")
        ax.set(xticks=[], yticks=[])
    if len(tables) == 1:
        ((label, one),) = curves.items()
        ax.plot(one.cycle, one, "o", color=color, mec="none", ms=2.4, label=f"_{label}, polarisation")
        if bands := _shade(ax, failures):
            ax.legend(handles=bands[:1], loc="lower left")
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
