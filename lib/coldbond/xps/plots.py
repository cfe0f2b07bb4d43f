"""Plots of fitted XPS regions: data, components, background, envelope and residuals."""

from collections.abc import Mapping, Sequence
from textwrap import fill

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
from coldbond.xps.components import COMPONENTS, LINES, OTHER_POSITIONS, level
from coldbond.xps.fit import curves

#: Colour of each component, the same in every region (Wong 2011, doi 10.1038/nmeth.1618).
COLORS = {
    "Li0": "#D55E00",
    "Li3N": "#0072B2",
    "LiO": "#56B4E9",
    "Li2O": "#E69F00",
    "Zr4s": "#999999",
    "InN": "#009E73",
    "LiIn": "#CC79A7",
    "Zr4": "#56B4E9",
    "ZrReduced": "#D55E00",
}

OTHER_COLOR = "0.5"
MARGIN = 4.5  # eV, drawn on either side of the references
LABEL_DISTANCE = 0.055  # least distance of two labels, as a share of the width of a panel
STRIP = 0.2  # share of the height of a panel that the residuals take
TALLEST, MOST, FRAME, SHARES = 42.0, 226.0, 18.0, 34.0  # mm: a row, all rows at most, what surrounds them, shares
POINTS_PER_MM = 72 / 25.4
LINE_HEIGHT = 9.0  # points, of a line of text
LEAST_ROOM = 0.19  # share of a panel above its highest intensity
LONGEST = 105  # characters of 7 points in the width of a page
LEAST_RESIDUAL_RANGE = 4.0  # standard deviations that the strip shows on either side of zero at least


def height(
    found: Mapping[str, Mapping[str, Composition]], recordings: Mapping[str, xr.DataTree], regions: Sequence[str]
) -> float:
    """Return the height of the figure, mm: that of one page at most."""
    columns = _columns(found, recordings, regions)
    rows = max(map(len, columns.values()))
    return FRAME + min(TALLEST * rows, MOST - SHARES * _has_replicates(columns)) + SHARES * _has_replicates(columns)


def draw(
    fig: Figure,
    found: Mapping[str, Mapping[str, Composition]],
    recordings: Mapping[str, xr.DataTree],
    regions: Sequence[str],
    values: Sequence[dict] = (),
) -> list[Axes]:
    """Draw a column for each region, with the conditions that have it from top to bottom.

    The spectra of replicates lie over each other, each relative to its highest intensity above the lowest one, and a
    panel below shows the share of each component in each of them, with the mean.

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
    rows = max(map(len, columns.values()))
    has_replicates = _has_replicates(columns)
    row = (height(found, recordings, regions) - FRAME - SHARES * has_replicates) / rows
    ratios = [row] * rows + [SHARES] * has_replicates
    grid = fig.subplots(len(ratios), len(columns), squeeze=False, height_ratios=ratios)
    layout = fig.get_layout_engine()
    if isinstance(layout, ConstrainedLayoutEngine):
        layout.set(hspace=0, h_pad=0.01)
    for (region, groups), axes in zip(columns.items(), grid.T, strict=True):
        drawn = len(groups)
        marked = _has_other_positions(region, [found[label][region] for labels in groups.values() for label in labels])
        for i, ((name, labels), ax) in enumerate(zip(groups.items(), axes, strict=False)):
            color = style.color(recordings[labels[0]].attrs["sample"])
            lines = 1 + name_lines(name, len(columns)).count("\n") + (marked and i == 0)
            curves_of = {label: curves(found[label][region].drawn) for label in labels}
            condition(curves_of, ax, color, POINTS_PER_MM * (1 - STRIP) * row, lines)
            text = style.label(name_lines(name, len(columns))) + (f" (n = {len(labels)})" if len(labels) > 1 else "")
            below = LINE_HEIGHT if marked and i == 0 else 0
            ax.annotate(
                text, (0.02, 1.0), (0, -3 - below), xycoords="axes fraction", textcoords="offset points", va="top",
                color=color,
            )  # fmt: skip
            ax.sharex(axes[0])
            ax.tick_params(labelbottom=i == drawn - 1)
        for ax in axes[drawn:rows]:
            ax.set_axis_off()
        references(region, axes[:drawn], [found[label][region] for labels in groups.values() for label in labels])
        axes[drawn - 1].set_xlabel(f"{region} binding energy / eV")
        if has_replicates:
            shares(axes[-1], region, groups, found, recordings, values)
    fig.suptitle(" ", fontsize=6)  # keeps the labels off the edge
    scale = ", each panel to its own scale" if rows > 1 else ""
    fig.supylabel(f"Intensity{scale}; residual / σ below", fontsize=7)
    return list(grid[0])


def _columns(
    found: Mapping[str, Mapping[str, Composition]], recordings: Mapping[str, xr.DataTree], regions: Sequence[str]
) -> dict[str, dict[str, list[str]]]:
    """Return the conditions that have each region, and their recordings."""
    columns = {}
    for region in regions:
        groups = conditions.groups({label: recordings[label] for label in found if region in found[label]})
        if groups:
            columns[region] = {name if len(labels) > 1 else labels[0]: labels for name, labels in groups.items()}
    if not columns:
        held = {name for recording in recordings.values() for name in recording.children}
        raise ValueError(f"no recording has {' or '.join(regions)}; they have {', '.join(sorted(held))}")
    return columns


def _has_replicates(columns: Mapping[str, Mapping[str, Sequence[str]]]) -> bool:
    return any(len(labels) > 1 for groups in columns.values() for labels in groups.values())


def name_lines(name: str, columns: int) -> str:
    """Return the name of a condition in lines that fit into a panel of a figure with so many columns."""
    return fill(name, LONGEST // columns)


def _has_other_positions(region: str, held: Sequence[Composition]) -> bool:
    keys = {key for composition in held for key in composition.components}
    return any(where == region and key in keys for where, key, _, _ in OTHER_POSITIONS)


def spectrum(fitted: xr.Dataset, ax: Axes) -> None:
    """Draw one region and, in a strip at the bottom, its residuals in standard deviations.

    Parameters
    ----------
    fitted : xarray.Dataset
        From `fit.curves`.
    ax : matplotlib.axes.Axes
        Its y axis shows the intensity.
    """
    condition({"": fitted}, ax, "0.55", POINTS_PER_MM * (1 - STRIP) * TALLEST, 1)


def condition(spectra: Mapping[str, xr.Dataset], ax: Axes, color: str, points: float, lines: int) -> None:
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
    lines : int
        Lines of text at its top.
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
            own = COLORS.get(str(key), OTHER_COLOR)
            filled = ax.fill_between(energy, background, line, color=own, alpha=faint, linewidth=0)
            filled.set_label(f"{name}{key}, area")
            ax.plot(energy, line, color=own, linewidth=0.6 if alone else 0.3, label=f"{name}{key}")
        ax.plot(energy, background, color="0.4", linewidth=0.6, linestyle="--", label=f"{name}background")
        dots = "0.55" if alone else color
        ax.plot(energy, intensity, ".", color=dots, markersize=2.4, markeredgewidth=0, label=f"{name}data")
        ax.plot(energy, envelope, color="k", linewidth=0.6 if alone else 0.4, label=f"{name}fit")
        low, high = min(low, float(intensity.min())), max(high, float(intensity.max()))
        reach = max(reach, float(np.abs(fitted.residual).max()))
    room = max(LEAST_ROOM, (LINE_HEIGHT * lines + 4) / points)  # share of the panel that the texts take
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


def shares(
    ax: Axes,
    region: str,
    groups: Mapping[str, Sequence[str]],
    found: Mapping[str, Mapping[str, Composition]],
    recordings: Mapping[str, xr.DataTree],
    values: Sequence[dict],
) -> None:
    """Draw the share of each component in each recording, and the mean of replicates with its 95 % interval.

    A component that is not present has no point; its upper limit stands among the findings.
    """
    held = {label: found[label][region].components for labels in groups.values() for label in labels}
    keys = list(dict.fromkeys(key for components in held.values() for key in components))
    beside = 0.7 / len(groups)
    for i, (name, labels) in enumerate(groups.items()):
        attrs = recordings[labels[0]].attrs
        color, offset = style.color(attrs["sample"]), (i - (len(groups) - 1) / 2) * beside
        own = [(keys.index(key), one) for label in labels for key, one in held[label].items() if one.present]
        places = [(at + offset, 100 * min(one.share.value, 1.0)) for at, one in own if one.share.value is not None]
        if places:
            x, y = zip(*places, strict=True)
            alpha = 0.5 if len(labels) > 1 else 1.0
            ax.plot(x, y, "o", color=color, markersize=2.2, markeredgewidth=0, alpha=alpha, label=f"_{name}, each")
        for at, key in enumerate(keys):
            mean = _mean(f"{region}_{key}_share".replace(" ", "_"), attrs, values)
            if mean is not None:
                value, low, high = (100 * number for number in mean)
                ax.errorbar(
                    at + offset, value, [[value - low], [high - value]], fmt="_", color=color, markersize=6,
                    elinewidth=0.8, label=f"_{name}, {key}, mean",
                )  # fmt: skip
    labels_of = {c.key: c.label for c in COMPONENTS.get(level(region), ())}
    ax.set(xlim=(-0.6, len(keys) - 0.4), ylim=(0, 105), ylabel=f"Share of {region} / %")
    ax.set_xticks(range(len(keys)), [labels_of.get(key, key) for key in keys])


def _mean(quantity: str, attrs: Mapping, values: Sequence[dict]) -> tuple[float, float, float] | None:
    """Return the mean of a quantity over the replicates of a condition with its interval, None where there is none."""
    wanted = (quantity, attrs["sample"], attrs["state"])
    for row in values:
        ends = row["value"], row["low"], row["high"]
        if row.get("n") and (row["quantity"], row["sample"], row["state"]) == wanted and None not in ends:
            return ends
    return None


def references(region: str, axes: Sequence[Axes], held: Sequence[Composition]) -> None:
    """Mark the reference positions of the components in a column of panels, and other positions reported for them."""
    keys = {key for composition in held for key in composition.components}
    components = sorted((c for c in COMPONENTS.get(level(region), ()) if c.key in keys), key=lambda c: c.position)
    axes[0].xaxis.set_major_locator(MultipleLocator(2))
    if not components:  # unassigned lines only, perhaps on an unknown scale
        energies = np.concatenate([one.best.model.energy for one in held])
        axes[0].set_xlim(energies.max(), energies.min())
        return
    edges = np.array([c.position for c in components] + [components[-1].position + LINES[level(region)].splitting])
    axes[0].set_xlim(edges.max() + MARGIN, edges.min() - MARGIN)
    top, height = axes[0], axes[0].get_xaxis_transform()
    placed = _apart([c.position for c in components], LABEL_DISTANCE * (np.ptp(edges) + 2 * MARGIN))
    for c, at in zip(components, placed, strict=True):
        color = COLORS.get(c.key, OTHER_COLOR)
        for ax in axes:
            ax.axvline(c.position, color=color, linewidth=0.5, linestyle=":", zorder=0)
        top.plot([c.position, at], [1.0, 1.05], color=color, linewidth=0.5, transform=height, clip_on=False)
        top.text(at, 1.06, c.label, transform=height, rotation=90, ha="center", va="bottom", color=color, fontsize=6)
    others = [(key, position) for where, key, position, _ in OTHER_POSITIONS if where == region and key in keys]
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
