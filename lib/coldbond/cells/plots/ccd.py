"""Figure of critical-current-density runs."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coldbond import constants
from coldbond.bundle import conditions, style
from coldbond.cells import ccd, shorts
from coldbond.cells.plots import layout

#: Panels up to which they stand in one column.
IN_ONE_COLUMN = 4

#: Share of the longest test above which the shortest is shown on the same time axis; a shorter one would be a sliver.
SAME_TIME = 0.2

#: Heights [mm] of a row of panels, of what a figure adds to them, and of a condition in the panel of all CCDs.
ROW, MARGINS, CONDITION = 34.0, 14.0, 11.0


def height(cells: Mapping[str, xr.Dataset]) -> float:
    """Return the height [mm] of the figure that `draw` fills."""
    groups = conditions.groups(cells)
    rows, _ = layout.grid(len(groups), IN_ONE_COLUMN)
    return layout.height(rows, ROW, MARGINS + _summary_height(cells, groups))


def draw(fig: Figure, cells: Mapping[str, xr.Dataset], steps: Mapping[str, xr.Dataset], values: Sequence[dict]) -> None:
    """Draw a panel for each cell, or each condition of several cells, and then one with the CCDs of all.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`, with double width.
    cells, steps : mapping by the recordings' labels
        From `raw.recordings`, and `ccd.steps` of each.
    values : sequence of dict
        Findings of the cells and the conditions.
    """
    groups = conditions.groups(cells)
    rows, columns = layout.grid(len(groups), IN_ONE_COLUMN)
    summary = _summary_height(cells, groups)
    heights = [ROW] * rows + [summary] * bool(summary)
    grid = fig.add_gridspec(len(heights), columns, height_ratios=heights)
    duration = [_hours(cell)[-1] for cell in cells.values()]
    same_time = min(duration) > SAME_TIME * max(duration)
    axes: list[Axes] = []
    for place, labels in enumerate(groups.values()):
        shared = axes[0] if same_time and axes else None
        ax = fig.add_subplot(grid[place // columns, place % columns], sharex=shared)
        axes.append(ax)
        single = len(labels) == 1
        name = labels[0] if single else next(group for group, members in groups.items() if members == labels)
        width = fig.get_figwidth() / style.MM / columns - 31
        if single:
            plot(cells[labels[0]], steps[labels[0]], name, ax, width)
        else:
            _plot_replicates({label: cells[label] for label in labels}, steps, name, values, ax, width)
        is_last = place + columns >= len(groups)
        if is_last or not same_time:
            ax.set_xlabel("Time / h" if is_last else "")
        else:
            ax.tick_params(labelbottom=False)
        longest = max(duration) if same_time else max(_hours(cells[label])[-1] for label in labels)
        ax.set_xlim(0, longest or 1.0)
    if summary:
        axes.append(fig.add_subplot(grid[-1, :]))
        _plot_summary(cells, groups, values, axes[-1])
    style.letters(axes)


def plot(recording: xr.Dataset, steps: xr.Dataset, label: str, ax: Axes, width: float = 150.0) -> None:
    """Plot voltage and current density against time; shaded from the failure on, hatched where it may have begun.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `ccd.steps`.
    steps : xarray.Dataset
        From `ccd.steps`.
    label : str
        Name of the cell, written into the panel with the critical current density.
    ax : matplotlib.axes.Axes
        For the voltage; the current density gets its own axis on the right.
    width : float
        Of a line of text [mm].
    """
    right = _right_axis(ax)
    right.plot(_hours(recording), _density(recording), color="0.7", linewidth=0.5, label=f"_{label}, current density")
    color = style.color(recording.attrs["sample"])
    ax.plot(_hours(recording), recording.voltage, color=color, label=f"_{label}, voltage")
    lines = _write(ax, style.label(label), _result(steps), width)
    _set_scales(ax, right, [recording], lines)
    doubted, certain = shorts.first_failure(steps.kind)
    end = float(_hours(recording)[-1])
    if doubted is not None:
        low, high = ccd.time_of_failure(recording, steps).low or 0.0, end
        if certain is not None:
            high = _failure(recording, steps.isel(step=[certain]))
            right.axvspan(high, end, color="0.94", linewidth=0)
        if doubted != certain:  # it cannot be told when the failure began
            right.axvspan(low, high, facecolor="none", edgecolor="0.9", hatch="///", linewidth=0)


def _result(steps: xr.Dataset) -> str:
    """Return the critical current density and the mode of failure in words."""
    value, low, high = ccd.critical_current_density(steps)
    failed = ccd.failed_steps(steps)
    if not failed.sizes["step"]:
        return f"CCD {value} mA cm⁻² or more"
    certain = shorts.first_failure(steps.kind)[1]
    mode = "" if certain is None else f", {steps.kind.item(certain)} at {steps.setpoint.item(certain)}"
    if failed.kind.item(0) == shorts.UNDECIDED:
        bounds = f"{low} mA cm⁻² or more" if high is None else f"{low} to {high} mA cm⁻²"
        return f"CCD {bounds if low else 'not known'}: cannot be told from {failed.setpoint.item(0)} on{mode}"
    return f"{'no step sustained' if value is None else f'CCD {value} mA cm⁻²'}{mode} mA cm⁻²"


def _plot_replicates(
    cells: Mapping[str, xr.Dataset],
    steps: Mapping[str, xr.Dataset],
    name: str,
    values: Sequence[dict],
    ax: Axes,
    width: float,
) -> None:
    """Plot the voltage of every cell of a condition against its own time, with a mark where it failed."""
    right = _right_axis(ax)
    sample = layout.sample_of(cells, list(cells))
    color = dict(zip(cells, layout.tints(sample, len(cells)), strict=True))
    for label, cell in cells.items():
        right.plot(_hours(cell), _density(cell), color="0.82", linewidth=0.4, label=f"_{label}, current density")
    for label, cell in reversed(list(cells.items())):
        ax.plot(_hours(cell), cell.voltage, color=color[label], linewidth=0.5, label=f"_{label}, voltage")
    row = _finding(values, cells[next(iter(cells))])
    lines = _write(ax, f"{style.label(name)}, n = {len(cells)}", _in_words(row), width)
    _set_scales(ax, right, cells.values(), lines)
    for label, cell in cells.items():
        if ccd.failed_steps(steps[label]).sizes["step"]:
            value, low, high = ccd.time_of_failure(cell, steps[label])
            top, ends = ax.get_ylim()[1] / (1 + 0.4 * lines), [low or 0.0, _hours(cell)[-1] if high is None else high]
            if value is None:
                ax.plot(ends, [top, top], "-", color=color[label], label=f"_{label}, failure between these")
            else:
                ax.plot([value], [top], "v", color=color[label], markersize=3.5, label=f"_{label}, failure")


def _plot_summary(
    cells: Mapping[str, xr.Dataset], groups: Mapping[str, Sequence[str]], values: Sequence[dict], ax: Axes
) -> None:
    """Plot the critical current density of every cell, and of each condition its median or mean."""
    words = ""
    for place, (group, labels) in enumerate(groups.items()):
        sample = layout.sample_of(cells, labels)
        counted = f", n = {len(labels)}" if len(labels) > 1 else ""
        name = layout.wrapped(style.label(group) + counted, 170).replace("\n", " … ")
        layout.inside(ax, name, place - 0.46, ax.get_yaxis_transform())
        if place:
            ax.axhline(place - 0.5, color="0.85", linewidth=0.5)
        offsets = np.linspace(0.0, 0.2, len(labels)) if len(labels) > 1 else [0.1]
        for offset, label, color in zip(offsets, labels, layout.tints(sample, len(labels)), strict=True):
            row = _finding(values, cells[label], cells[label].attrs.get("replicate", ""))
            value, high = row["value"] or row["low"] or 0.0, row["high"]
            ends = [[0.0], [0.0 if high is None else high - value]]
            marker = ">" if high is None else "|" if row["value"] is None and row["low"] else "o"
            ax.errorbar(
                [value], [place + offset], xerr=ends, fmt=marker, color=color, ms=3, elinewidth=0.8, label=f"_{label}"
            )
        row = _finding(values, cells[labels[0]])
        if len(labels) > 1 and row and row["value"] is not None:
            low, value, high = (row["value"] if row[end] is None else row[end] for end in ("low", "value", "high"))
            words = "median" if "median" in row else "mean"
            ax.errorbar(
                [value],
                [place + 0.36],
                xerr=[[max(value - low, 0.0)], [max(high - value, 0.0)]],
                label=f"_{group}, {words} with 95 % interval",
                fmt="|",
                color="0.15",
                ms=6,
                mew=1.2,
                elinewidth=0.6,
                capsize=2.5,
            )
    ax.set(xlabel="Critical current density / mA cm⁻²", ylim=(len(groups) - 0.5, -0.5), xlim=(0, None), yticks=[])
    said = "dot: last sustained step of a cell, line to the first that failed (▸: none; no dot: cannot be told)"
    ax.set_title(f"{said}{f'; bar: {words}, 95 % interval' if words else ''}", loc="right", color="0.4", fontsize=6)


def _summary_height(cells: Mapping, groups: Mapping) -> float:
    return 14.0 + CONDITION * len(groups) if len(groups) < len(cells) else 0.0


def _finding(values: Sequence[dict], recording: xr.Dataset, replicate: str = "") -> dict:
    """Return the critical current density of a cell, or of its condition; an empty one where there is none."""
    of = (recording.attrs["sample"], recording.attrs["state"], replicate)
    return next(
        (
            row
            for row in values
            if row["quantity"] == "critical_current_density"
            and (row["sample"], row["state"], row.get("replicate", "")) == of
        ),
        {},
    )


def _in_words(row: dict) -> str:
    if not row or row["value"] is None:
        return "CCD not determined"
    low, high = ("…" if row[end] is None else f"{row[end]:g}" for end in ("low", "high"))
    return f"{'median' if 'median' in row else 'mean'} CCD {row['value']:g} ({low} to {high}) mA cm⁻²"


def _right_axis(ax: Axes) -> Axes:
    right = ax.twinx()
    ax.set_zorder(right.get_zorder() + 1)
    ax.patch.set_visible(False)
    right.tick_params(colors="0.45")
    right.set_ylabel("Current density\n/ mA cm⁻²", color="0.45")
    ax.set_ylabel("Voltage / V")
    ax.margins(x=0)
    return right


def _write(ax: Axes, name: str, found: str, width: float) -> int:
    """Write name and result of a cell into the top of its panel and return the number of lines."""
    kept = found.replace("mA cm", "mA·cm")  # no line ends within a unit
    text = layout.wrapped(f"{name}: {kept}", width)
    if "\n" in text:
        text = f"{layout.wrapped(name, width)}\n{layout.wrapped(kept, width)}"
    text = text.replace("mA·cm", "mA cm")
    layout.inside(ax, text, 0.97)
    return text.count("\n") + 1


def _set_scales(ax: Axes, right: Axes, cells: Iterable[xr.Dataset], lines: int) -> None:
    """Set the scales of voltage and current density, with zero at the same height and room for lines of text above."""
    share, cells = 0.07 + 0.13 * lines, list(cells)
    channels = ([cell.voltage.to_numpy() for cell in cells], [_density(cell) for cell in cells])
    for axes, channel in zip((ax, right), channels, strict=True):
        # A single spike must not set the scale.
        largest = 1.1 * max(float(np.nanquantile(np.abs(one), 0.9995)) for one in channel) or 1e-3
        axes.set_ylim(-largest, largest * (1 + share) / (1 - share))
        axes.yaxis.set_major_locator(MaxNLocator(4))


def _hours(recording: xr.Dataset) -> np.ndarray:
    return (recording.time.to_numpy() - float(recording.time[0])) / 3600


def _failure(recording: xr.Dataset, failed: xr.Dataset) -> float:
    """Return the time [h] of the first of the failed steps."""
    return (float(failed.onset[0]) - float(recording.time[0])) / 3600


def _density(recording: xr.Dataset) -> np.ndarray:
    return recording.current.to_numpy() * 1e3 / constants.required(recording, "area_cm2")
