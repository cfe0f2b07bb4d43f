"""Plots of convex hulls, of reaction energies by definition, and of computed less measured energies."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from coldbond.bundle import style
from coldbond.reaction_energy.comparison import Found, energy, over_models
from coldbond.reaction_energy.published import MEASURED, computed
from coldbond.reaction_energy.reactions import NORMS, PRODUCTS, Reaction, hull, reactions

MODELS = (("#0072B2", "o", "-"), ("#D55E00", "s", "--"))  # colour, marker and line of each set of energies
SHADES = ("#99D8C7", "#009E73", "#00503B")  # of the products
PER = {"atom": "atom⁻¹", "metal": "per metal", "lithium": "per Li"}
SMALL = 6  # font size, points
BAR_SPACE = 0.8  # of the distance of two reactants, filled by bars


def draw(
    fig: Figure, tables: Mapping[str, xr.Dataset], found: Found, metals: Sequence[str], nitride: str, error: float
) -> None:
    """Draw a convex hull for each metal, bars for each definition, and the differences from measured energies.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`.
    tables : mapping of str to xarray.Dataset
        Energies by model.
    found : mapping
        Of `reactions`, by model and reactant.
    metals : sequence of str
        Metals whose convex hulls are drawn; a line separates their bars and that of the nitride from the others.
    nitride : str
        As for `findings.energy_findings`.
    error : float
        As for `comparison.energy`.
    """
    top, bottom = fig.subfigures(2, 1, squeeze=False, height_ratios=(1, 1.5)).ravel()
    hulls = np.atleast_1d(top.subplots(1, len(metals), sharey=True))
    for ax, metal in zip(hulls, metals, strict=True):
        _hulls(ax, tables, metal)
    hulls[0].set_ylabel("Formation energy / eV atom⁻¹")
    hulls[-1].legend(loc="lower right", handlelength=2.2)
    left, right = bottom.subfigures(1, 2, squeeze=False, width_ratios=(2.35, 1)).ravel()
    bars = left.subplots(1, len(NORMS), sharey=True)
    for ax, norm in zip(bars, NORMS, strict=True):
        _bars(ax, found, norm, error)
    _name_reactants(bars[0], found, {*metals, nitride})
    left.legend(*bars[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, handlelength=1.0)
    ax = right.subplots()
    _measured(ax, tables, error)
    style.letters([hulls[0], bars[0], ax])


def _formula(text: str) -> str:
    return text.translate(style.LOWERED)


def _hulls(ax: Axes, tables: Mapping[str, xr.Dataset], metal: str) -> None:
    """Draw the energies of formation; corners of the hull are filled and connected, the lowest compound is named."""
    ax.axhline(0, color="0.7", lw=0.5, zorder=0)
    for (model, energies), (color, marker, line) in zip(tables.items(), MODELS, strict=False):
        compounds = hull(energies, metal)
        stable, above = compounds[compounds.stable], compounds[~compounds.stable]
        ax.plot(stable.lithium, stable.formation, line + marker, color=color, label=model)
        above_hull = f"_{model}, above the hull"
        ax.plot(above.lithium, above.formation, marker, color=color, mfc="none", mew=0.6, label=above_hull)
    between = compounds[(compounds.lithium > 0) & (compounds.lithium < 1)]
    name = between.formation.idxmin()
    x, y = between.loc[name]["lithium"], min(hull(table, metal).formation[name] for table in tables.values())
    ax.annotate(_formula(name), (x, y), (0, -5), textcoords="offset points", ha="center", va="top")
    ax.margins(x=0.08, y=0.18)
    ax.set(title=f"Li–{metal}", xlabel="Share of Li atoms", xticks=(0, 0.5, 1))


def _bars(ax: Axes, found: Found, norm: str, error: float) -> None:
    """Draw the means over the models as bars, with lines over the intervals of all."""
    width = BAR_SPACE / len(PRODUCTS)
    for turn, (product, shade) in enumerate(zip(PRODUCTS, SHADES, strict=True)):
        for place, reactant in enumerate(next(iter(found.values()))):
            each = [energy(error, norm, of[reactant][product]) for of in found.values()]
            y = place + (turn - (len(PRODUCTS) - 1) / 2) * width
            mean, low, high = (np.nan if x is None else x for x in over_models(each))
            ax.barh(y, mean, width, color=shade, label=f"_{product}" if place else product, lw=0)
            if any(one.half_width for one in each):
                ax.hlines(y, low, high, color="0.25", lw=0.6, label=f"_{product}, intervals of all models")
    ax.axvline(0, color="0.3", lw=0.5)
    ax.xaxis.set_major_locator(MaxNLocator(4, prune="both"))
    ax.set_xlabel(f"Reaction energy\n/ eV {PER[norm]}")


def _name_reactants(ax: Axes, found: Found, compared: set[str]) -> None:
    """Name the reactants on the axis that all bars share, with a line below those that are compared."""
    model = next(iter(found.values()))
    reactants = list(model)
    ax.set_yticks(range(len(reactants)), [_formula(one) for one in reactants])
    ax.set_ylim(len(reactants) - 0.45, -0.55)
    for place, reactant in enumerate(reactants):
        if model[reactant]["first"].products == "none":
            ax.text(-0.02, place, "no compound", ha="right", va="center", fontsize=SMALL)
    last = max((at for at, one in enumerate(reactants) if one in compared), default=-1)
    if 0 <= last < len(reactants) - 1:
        for panel in ax.get_shared_y_axes().get_siblings(ax):
            panel.axhline(last + 0.5, color="0.3", lw=0.5, ls=":")


def _measured(ax: Axes, tables: Mapping[str, xr.Dataset], error: float) -> None:
    """Draw the computed less the measured energies with the intervals of the models; disputed ones are open."""
    for turn, ((model, energies), (color, marker, _)) in enumerate(zip(tables.items(), MODELS, strict=False)):
        for place, one in enumerate(MEASURED):
            if "N" in one.product:  # the exchange of a nitride
                half = energy(error, "atom", reactions(energies, one.product)["first"]).half_width
            else:  # one atom of a single compound
                half = energy(error, "atom", Reaction(one.product, 0, 1, 1, {one.product: 1})).half_width
            off = computed(energies, one.product) - one.energy
            fill, label = ("none", f"_{model}, measured value disputed") if one.disputed else (color, f"_{model}")
            look: dict[str, Any] = {"fmt": marker, "color": color, "mfc": fill, "mew": 0.6, "elinewidth": 0.6}
            ax.errorbar(off, place + 0.3 * (turn - 0.5), xerr=half, label=label, **look)
    ax.axvline(0, color="0.3", lw=0.5)
    ax.set_yticks(
        range(len(MEASURED)), [f"{_formula(one.product)}   {one.energy:+.2f}".replace("-", "−") for one in MEASURED]
    )
    ax.set_ylim(len(MEASURED) - 0.5, -0.5)
    ax.set_xlabel("Computed − measured\n/ eV atom⁻¹")
