"""Plots of fitted XPS regions: data, components, background, envelope and residuals."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from matplotlib.ticker import MultipleLocator
from scipy.optimize import isotonic_regression

from coldbond.bundle import style
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
LEAST_RESIDUAL_RANGE = 4.0  # standard deviations that the strip shows on either side of zero at least


def draw(fig: Figure, found: Mapping[str, Mapping[str, Composition]], regions: Sequence[str]) -> list[Axes]:
    """Draw a column for each region, with the recordings that have it from top to bottom.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`.
    found : mapping of str to mapping of str to Composition
        From `surface.compositions`.
    regions : sequence of str
        From left to right; a region that no recording has is left out.

    Returns
    -------
    list of matplotlib.axes.Axes
        The top panel of each column.
    """
    held = {region: [label for label in found if region in found[label]] for region in regions}
    held = {region: labels for region, labels in held.items() if labels}
    rows = max(map(len, held.values()))
    grid = fig.subplots(rows, len(held), sharex="col", squeeze=False)
    layout = fig.get_layout_engine()
    if isinstance(layout, ConstrainedLayoutEngine):
        layout.set(hspace=0, h_pad=0.01)
    for region, axes in zip(held, grid.T, strict=True):
        for label, ax in zip(held[region], axes, strict=False):
            spectrum(curves(found[label][region].best), ax)
            ax.text(0.02, 0.95, style.label(label), transform=ax.transAxes, va="top")
        drawn = len(held[region])
        for ax in axes[drawn:]:
            ax.set_axis_off()
        references(region, axes[:drawn], [found[label][region] for label in held[region]])
        axes[drawn - 1].tick_params(labelbottom=True)
        axes[drawn - 1].set_xlabel(f"{region} binding energy / eV")
    fig.suptitle(" ", fontsize=6)  # keeps the labels off the edge
    scale = ", each panel to its own scale" if rows > 1 else ""
    fig.supylabel(f"Intensity{scale}; residual / σ below", fontsize=7)
    return list(grid[0])


def spectrum(fitted: xr.Dataset, ax: Axes) -> None:
    """Draw one region and, in a strip at the bottom, its residuals in standard deviations.

    The strip is drawn into the same axes: an axes of its own would double the time of the layout.

    Parameters
    ----------
    fitted : xarray.Dataset
        From `fit.curves`.
    ax : matplotlib.axes.Axes
        Its y axis shows the intensity.
    """
    energy = fitted.binding_energy.to_numpy()
    background = fitted.background.to_numpy()
    for key in fitted.key.to_numpy():
        line = background + fitted.component.sel(key=key).to_numpy()
        ax.fill_between(energy, background, line, color=COLORS.get(str(key), OTHER_COLOR), alpha=0.45, linewidth=0)
        ax.plot(energy, line, color=COLORS.get(str(key), OTHER_COLOR), linewidth=0.6)
    ax.plot(energy, background, color="0.4", linewidth=0.6, linestyle="--")
    ax.plot(energy, fitted.intensity, ".", color="0.55", markersize=2.4, markeredgewidth=0)
    ax.plot(energy, fitted.envelope, color="k", linewidth=0.6)
    low, high = float(fitted.intensity.min()), float(fitted.intensity.max())
    bottom, top = low - 0.06 * (high - low), high + 0.25 * (high - low)  # room for the sample's name
    ax.set_ylim(top - (top - bottom) / (1 - STRIP), top)
    ax.set_yticks([])
    ax.set_axisbelow(False)  # or the strip hides the ticks
    reach = max(LEAST_RESIDUAL_RANGE, float(np.abs(fitted.residual).max()))
    middle, sigma = STRIP / 2, STRIP / 2 / reach
    above = 2.1  # zorder over a spectrum that someone zooms into
    frame = Rectangle((0, 0), 1, STRIP, facecolor="w", edgecolor="0.15", transform=ax.transAxes, zorder=above)
    band = Rectangle(
        (0, middle - 2 * sigma), 1, 4 * sigma, color="0.92", linewidth=0, transform=ax.transAxes, zorder=above
    )
    ax.add_patch(frame)
    ax.add_patch(band)
    residual = middle + sigma * fitted.residual.to_numpy()
    ax.plot(energy, residual, color="0.35", linewidth=0.4, transform=ax.get_xaxis_transform(), zorder=above)


def references(region: str, axes: Sequence[Axes], held: Sequence[Composition]) -> None:
    """Mark the reference positions of the components in a column of panels, and other positions reported for them."""
    keys = {key for composition in held for key in composition.components}
    components = sorted((c for c in COMPONENTS[level(region)] if c.key in keys), key=lambda c: c.position)
    edges = np.array([c.position for c in components] + [components[-1].position + LINES[level(region)].splitting])
    axes[0].set_xlim(edges.max() + MARGIN, edges.min() - MARGIN)
    axes[0].xaxis.set_major_locator(MultipleLocator(2))
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
