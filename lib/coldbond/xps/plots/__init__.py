"""Plots of fitted XPS regions: data, components, background, envelope and residuals."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from matplotlib.ticker import MultipleLocator
from scipy.optimize import isotonic_regression

from coldbond.bundle import conditions, style
from coldbond.xps.component_selection import Composition
from coldbond.xps.components import OTHER_POSITIONS, UNASSIGNED, level
from coldbond.xps.fit import curves
from coldbond.xps.plots.shares import course, series, shares
from coldbond.xps.plots.texts import (
    COLORS,
    HATCH,
    LINE_HEIGHT,
    OTHER_COLOR,
    SMALL,
    is_undecided,
    line_height,
    texts,
    write,
)

MARGIN = 4.5  # eV, drawn on either side of the references
LABEL_DISTANCE = 0.055  # least distance of two labels, as a share of the width of a panel
STRIP = 0.2  # share of the height of a panel that the residuals take
TALLEST, MOST, FRAME, SHARES = 42.0, 226.0, 18.0, 34.0  # mm: a row, all rows at most, what surrounds them, shares
POINTS_PER_MM = 72 / 25.4
LEAST_ROOM = 0.19  # share of a panel above its highest intensity
MOST_ROOM = 0.6
LEAST_SERIES = 3  # states of a sample that make a series
LEAST_RESIDUAL_RANGE = 4.0  # standard deviations that the strip shows on either side of zero at least


def height(
    found: Mapping[str, Mapping[str, Composition]], recordings: Mapping[str, xr.DataTree], regions: Sequence[str]
) -> float:
    """Return the height of the figure, mm: that of one page at most."""
    columns = _columns(found, recordings, regions)
    rows = sum(_rows(columns, recordings).values())
    return FRAME + min(TALLEST * rows, MOST - SHARES * _has_shares(columns)) + SHARES * _has_shares(columns)


def draw(
    fig: Figure,
    found: Mapping[str, Mapping[str, Composition]],
    recordings: Mapping[str, xr.DataTree],
    regions: Sequence[str],
    values: Sequence[dict] = (),
) -> list[Axes]:
    """Draw a column for each region and a row for each condition; where it lacks the region the place is left empty.

    Each component has its binding energy, its share and its full width in its panel. One whose presence is undecided is
    hatched and has its limit. The spectra of replicates lie over each other, each relative to its highest intensity
    above the lowest one, and a panel below shows the share of each component in each of them, with the mean. A sample
    with three states or more, such as a depth profile, has one panel with its spectra above each other, and the course
    of its shares below.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`.
    found : mapping of str to mapping of str to Composition
        From `surface.compositions`, of each recording.
    recordings : mapping of str to xarray.DataTree
    regions : sequence of str
        From left to right; a region that no recording has is left out.
    values : sequence of dict
        Findings, among them the means of replicates (`conditions.findings`).

    Returns
    -------
    list of matplotlib.axes.Axes
        The top panel of each column.
    """
    columns = _columns(found, recordings, regions)
    rows, has_shares = _rows(columns, recordings), _has_shares(columns)
    unit = (height(found, recordings, regions) - FRAME - SHARES * has_shares) / sum(rows.values())
    ratios = [unit * tall for tall in rows.values()] + [SHARES] * has_shares
    grid = fig.subplots(len(ratios), len(columns), squeeze=False, height_ratios=ratios)
    layout = fig.get_layout_engine()
    if isinstance(layout, ConstrainedLayoutEngine):
        layout.set(hspace=0, h_pad=0.01)
    tops = []
    for (region, groups), axes in zip(columns.items(), grid.T, strict=True):
        drawn = [ax for name, ax in zip(rows, axes, strict=False) if name in groups]
        held = [found[label][region] for labels in groups.values() for label in labels]
        for name, ax, tall in zip(rows, axes, ratios, strict=False):
            if name not in groups:
                ax.set_axis_off()
                continue
            labels, points = groups[name], POINTS_PER_MM * tall
            compositions = {label: found[label][region] for label in labels}
            if _is_series(labels, recordings):
                series(compositions, recordings, ax, points)
            else:
                said = texts(compositions, name, style.color(recordings[labels[0]].attrs["sample"]), len(columns))
                if any(recordings[label].attrs["energy_unknown"] for label in labels):
                    said.append(("energies as recorded: the scale is unknown", OTHER_COLOR, SMALL))
                above = LINE_HEIGHT * (_has_other_positions(region, held) and ax is drawn[0])
                room = above + sum(line_height(size, text) for text, _, size in said)
                curves_of = {label: curves(one.drawn) for label, one in compositions.items()}
                undecided = {key for one in compositions.values() for key in one.components if is_undecided(one, key)}
                color = style.color(recordings[labels[0]].attrs["sample"])
                condition(curves_of, ax, color, (1 - STRIP) * points, room, undecided)
                write(ax, said, above)
            ax.sharex(drawn[0])
            ax.tick_params(labelbottom=ax is drawn[-1])
        withheld = [any(found[label][region].withheld for label in labels) for labels in groups.values()]
        panels = dict(zip(rows, axes, strict=False))
        assigned = [panels[name] for name, unknown in zip(groups, withheld, strict=True) if not unknown]
        references(region, drawn, held, assigned)
        drawn[-1].set_xlabel(f"{region} binding energy / eV")
        tops.append(drawn[0])
        of_series = next((labels for labels in groups.values() if _is_series(labels, recordings)), None)
        if of_series:
            course(axes[-1], region, of_series, found, recordings)
        elif has_shares:
            shares(axes[-1], region, groups, found, recordings, values)
    fig.suptitle(" ", fontsize=6)  # keeps the labels off the edge
    scale = ", each panel to its own scale" if len(rows) > 1 else ""
    fig.supylabel(f"Intensity{scale}; residual / σ below", fontsize=7)
    return tops


def _columns(
    found: Mapping[str, Mapping[str, Composition]], recordings: Mapping[str, xr.DataTree], regions: Sequence[str]
) -> dict[str, dict[str, list[str]]]:
    """Return the conditions that have each region, and their recordings."""
    columns = {}
    for region in regions:
        groups = conditions.groups({label: recordings[label] for label in found if region in found[label]})
        named = {name if len(labels) > 1 else labels[0]: labels for name, labels in groups.items()}
        samples: dict[str, list[str]] = {}
        for labels in named.values():
            samples.setdefault(recordings[labels[0]].attrs["sample"], []).extend(labels)
        for sample, labels in samples.items():
            if _is_series(labels, recordings):
                named = {name: held for name, held in named.items() if held[0] not in labels} | {sample: labels}
        if named:
            columns[region] = named
    if not columns:
        held = {name for recording in recordings.values() for name in recording.children}
        raise ValueError(f"no recording has {' or '.join(regions)}; they have {', '.join(sorted(held))}")
    return columns


def _is_series(labels: Sequence[str], recordings: Mapping[str, xr.DataTree]) -> bool:
    """Return whether recordings are of so many states of a sample that they are a series."""
    return len({recordings[label].attrs.get("state", "") for label in labels}) >= LEAST_SERIES


def _rows(columns: Mapping[str, Mapping[str, list[str]]], recordings: Mapping[str, xr.DataTree]) -> dict[str, float]:
    """Return the conditions of all regions from top to bottom, and the height of each row relative to a usual one."""
    rows: dict[str, list[str]] = {}
    for groups in columns.values():
        for name, labels in groups.items():
            rows[name] = max(rows.get(name, []), labels, key=len)
    order = list(recordings)
    return {
        name: max(1.0, 0.35 * len(labels)) if _is_series(labels, recordings) else 1.0
        for name, labels in sorted(rows.items(), key=lambda row: order.index(row[1][0]))
    }


def _has_shares(columns: Mapping[str, Mapping[str, Sequence[str]]]) -> bool:
    return any(len(labels) > 1 for groups in columns.values() for labels in groups.values())


def _has_other_positions(region: str, held: Sequence[Composition]) -> bool:
    keys = {key for composition in held for key in composition.components}
    return any(where == level(region) and key in keys for where, key, _, _ in OTHER_POSITIONS)


def spectrum(fitted: xr.Dataset, ax: Axes) -> None:
    """Draw one region and, in a strip at the bottom, its residuals in standard deviations.

    Parameters
    ----------
    fitted : xarray.Dataset
        From `fit.curves`.
    ax : matplotlib.axes.Axes
        Its y axis shows the intensity.
    """
    condition({"": fitted}, ax, "0.55", POINTS_PER_MM * (1 - STRIP) * TALLEST, LINE_HEIGHT)


def condition(
    spectra: Mapping[str, xr.Dataset],
    ax: Axes,
    color: str,
    points: float,
    text: float,
    undecided: Collection[str] = (),
) -> None:
    """Draw one region of a condition and, in a strip at the bottom, the residuals in standard deviations.

    The strip is drawn into the same axes: an axes of its own would double the time of the layout.

    Parameters
    ----------
    spectra : mapping of str to xarray.Dataset
        From `fit.curves`, by the name of the recording; several of them are drawn relative to their highest intensity.
    ax : matplotlib.axes.Axes
        Its y axis shows the intensity.
    color : str
        Of the sample, for the points of replicates.
    points : float
        Height of the panel above the strip, points.
    text : float
        Height of the text at its top, points.
    undecided : collection of str
        Components whose presence is undecided: hatched.
    """
    alone = len(spectra) == 1
    faint = 0.45 / len(spectra)
    low, high, reach = np.inf, -np.inf, LEAST_RESIDUAL_RANGE
    for label, fitted in spectra.items():
        energy, name = fitted.binding_energy.to_numpy(), f"_{label}, " if label else "_"
        least, unit = (
            (0.0, 1.0) if alone else (float(fitted.intensity.min()), float(np.ptp(fitted.intensity.to_numpy())))
        )
        intensity, envelope, background = (
            (fitted[part].to_numpy() - least) / unit for part in ("intensity", "envelope", "background")
        )
        for key in fitted.key.to_numpy():
            line = background + fitted.component.sel(key=key).to_numpy() / unit
            own, open_ = COLORS.get(str(key), OTHER_COLOR), str(key) in undecided
            looks: dict[str, Any] = {"facecolor": "none", "edgecolor": own, "hatch": HATCH} if open_ else {"color": own}
            filled = ax.fill_between(energy, background, line, alpha=faint, linewidth=0, **looks)
            filled.set_label(f"{name}{key}, area")
            dashes = "--" if open_ else "-"
            ax.plot(energy, line, dashes, color=own, linewidth=0.6 if alone else 0.3, label=f"{name}{key}")
        ax.plot(energy, background, color="0.4", linewidth=0.6, linestyle="--", label=f"{name}background")
        dots = "0.55" if alone else color
        ax.plot(energy, intensity, ".", color=dots, markersize=2.4, markeredgewidth=0, label=f"{name}data")
        ax.plot(energy, envelope, color="k", linewidth=0.6 if alone else 0.4, label=f"{name}fit")
        low, high = min(low, float(intensity.min())), max(high, float(intensity.max()))
        reach = max(reach, float(np.abs(fitted.residual).max()))
    room = min(max(LEAST_ROOM, (text + 4) / points), MOST_ROOM)  # share of the panel that the texts take
    bottom = low - 0.06 * (high - low)
    top = bottom + (high - bottom) / (1 - room)
    ax.set_ylim(top - (top - bottom) / (1 - STRIP), top)
    ax.set_yticks([])
    ax.set_axisbelow(False)  # or the strip hides the ticks
    middle, sigma = STRIP / 2, STRIP / 2 / reach
    above = 2.1  # zorder over a spectrum that someone zooms into
    frame = Rectangle((0, 0), 1, STRIP, facecolor="w", edgecolor="0.15", transform=ax.transAxes, zorder=above)
    band = Rectangle(
        (0, middle - 2 * sigma), 1, 4 * sigma, color="0.92", linewidth=0, transform=ax.transAxes, zorder=above
    )
    ax.add_patch(frame)
    ax.add_patch(band)
    for label, fitted in spectra.items():
        residual = middle + sigma * fitted.residual.to_numpy()
        ax.plot(
            fitted.binding_energy, residual, color="0.35" if alone else color, linewidth=0.4 if alone else 0.25,
            transform=ax.get_xaxis_transform(), zorder=above, label=f"_{label}, residual" if label else "_residual",
        )  # fmt: skip


def references(region: str, axes: Sequence[Axes], held: Sequence[Composition], assigned: Sequence[Axes]) -> None:
    """Mark the reference positions of the components in a column of panels, and other positions reported for them.

    Panels without assigned lines, whose energy scale may be unknown, have no marks.
    """
    every = {c.key: c for one in held for c in one.best.model.components}
    keys = {key for key in every if not key.startswith(UNASSIGNED)}
    components = sorted((every[key] for key in keys), key=lambda c: c.position)
    splitting = held[0].best.model.line.splitting
    # Unassigned lines are shown too, as far as they were measured.
    unassigned = [
        one.position.value
        for composition in held
        for key, one in composition.components.items()
        if key not in keys and one.position.value is not None
    ]
    measured = np.concatenate([one.best.model.energy for one in held])
    axes[0].xaxis.set_major_locator(MultipleLocator(2))
    if not components:  # unassigned lines only, perhaps on an unknown scale
        axes[0].set_xlim(measured.max(), measured.min())
        return
    edges = np.array([c.position for c in components] + [components[-1].position + splitting])
    ends = edges.max() + MARGIN, edges.min() - MARGIN
    if unassigned:
        ends = (
            max(ends[0], min(max(unassigned) + splitting + MARGIN, measured.max())),
            min(ends[1], max(min(unassigned) - MARGIN, measured.min())),
        )
    axes[0].set_xlim(*ends)
    top, height = axes[0], axes[0].get_xaxis_transform()
    placed = _apart([c.position for c in components], LABEL_DISTANCE * (ends[0] - ends[1]))
    for c, at in zip(components, placed, strict=True):
        color = COLORS.get(c.key, OTHER_COLOR)
        for ax in assigned:
            ax.axvline(c.position, color=color, linewidth=0.5, linestyle=":", zorder=0)
        top.plot([c.position, at], [1.0, 1.05], color=color, linewidth=0.5, transform=height, clip_on=False)
        top.text(at, 1.06, c.label, transform=height, rotation=90, ha="center", va="bottom", color=color, fontsize=6)
    others = [(key, position) for where, key, position, _ in OTHER_POSITIONS if where == level(region) and key in keys]
    for key, position in others:
        top.plot(position, 0.96, "v", color=COLORS.get(key, OTHER_COLOR), markersize=3.5, transform=height)
    if others:
        at = min(position for _, position in others)
        top.annotate(
            "elsewhere",
            (at, 0.955),
            xytext=(4, 0),
            textcoords="offset points",
            xycoords=height,
            fontsize=6,
            va="center",
            color="0.4",
        )


def _apart(positions: Sequence[float], least: float) -> np.ndarray:
    """Return ascending positions, moved as little as possible so that neighbours are this far apart."""
    ranks = least * np.arange(len(positions))
    return isotonic_regression(np.asarray(positions) - ranks).x + ranks
