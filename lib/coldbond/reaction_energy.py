"""Energies of the reactions of metals and nitrides with lithium, from computed energies of crystals."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from scipy import stats

from coldbond import figures
from coldbond.findings import finding

PRODUCTS = ("first", "deepest", "most lithiated")
NORMS = ("atom", "metal", "lithium")
UNITS = {"atom": "eV/atom", "metal": "eV per metal", "lithium": "eV per Li"}
CONFIDENCE = 0.975
SHADES = (figures.COLORS["RT-MCL-LLZ"], figures.COLORS["HT-MCL-LLZ"])  # of the models
#: What the figure shows: the nitride and the metals of the paper, then others for comparison.
REACTANTS = ("InN", "In", "Au", "Zn", "Fe", "Ag", "Al", "Mg", "Sn", "Si", "Ge", "AlN", "Cu3N", "Sn3N4")

#: Published energies of reactions, eV for one atom of the products. Of voltages it is the free energy at room
#: temperature, of enthalpies of formation those at 298 K; what "recalled" follows was not looked up again.
PUBLISHED = (
    ("LiIn", -0.31, "0.62 V against Li: Santhosha et al. 2019, doi 10.1002/batt.201800149"),
    ("LiAl", -0.19, "0.38 V against Li: Wen et al. 1979, doi 10.1149/1.2128939, recalled"),
    ("LiZn", -0.076, "0.279, 0.219, 0.157, 0.005 V: Wang, Raistrick and Huggins 1986, doi 10.1149/1.2108603, recalled"),
    ("Li5Sn2", -0.37, "0.66, 0.53, 0.485, 0.42 V: Wang, Raistrick and Huggins 1986, doi 10.1149/1.2108603, recalled"),
    ("InN + 3 Li", -0.282, "enthalpies: Li3N JANAF -164.6, InN Ranade et al. 2000 -28.6 kJ/mol, recalled"),
    ("InN + 3 Li", -0.055, "enthalpies: Li3N JANAF -164.6, InN older tables -138 kJ/mol, recalled"),
    ("AlN + 3 Li", 0.318, "enthalpies: Li3N -164.6, AlN -318.0 kJ/mol, JANAF, recalled"),
)


class Reaction(NamedTuple):
    """A reaction with lithium: energy [eV] and atoms of the products, for one atom of the metal, and its lithium."""

    product: str
    energy: float
    atoms: float
    lithium: float

    def per(self, norm: str) -> float:
        """Energy for one atom of the products, of the metal, or of the lithium that reacts; zero without a reaction."""
        if not self.lithium:
            return 0.0
        return self.energy / {"atom": self.atoms, "metal": 1.0, "lithium": self.lithium}[norm]

    def error(self, per_atom: float, norm: str) -> float:
        """The error of the energy, given that of one atom of the products."""
        return abs(Reaction(self.product, per_atom * self.atoms, self.atoms, self.lithium).per(norm))


def composition(formula: str) -> dict[str, float]:
    """Return the atoms of each element in a formula such as "Li15Au4"."""
    parts = re.findall(r"([A-Z][a-z]?)(\d*)", formula)
    return {element: float(count or 1) for element, count in parts}


def hull(energies: xr.Dataset, metal: str) -> pd.DataFrame:
    """Return the compounds of a metal with lithium.

    Parameters
    ----------
    energies : xarray.Dataset
        From `coldbond.read`, with `energy` [eV/atom] and `formula` over `structure`.
    metal : str
        The element.

    Returns
    -------
    pandas.DataFrame
        By formula, from the metal to lithium: `lithium`, the share of its atoms; `formation`, the energy of formation
        [eV/atom] from the most stable forms of the elements; `stable`, whether it is a corner of the lower convex hull.

    Raises
    ------
    LookupError
        The table lacks the metal or lithium.
    """
    pure = {element: _lowest(energies, element) for element in ("Li", metal)}
    rows = {}
    for formula, energy in zip(energies.formula.to_numpy(), energies.energy.to_numpy(), strict=True):
        atoms = composition(formula)
        if not set(atoms) <= {"Li", metal}:
            continue
        share = {element: count / sum(atoms.values()) for element, count in atoms.items()}
        formation = float(energy - sum(share[element] * pure[element] for element in share))
        known = rows.get(formula, {"formation": np.inf})
        rows[formula] = min(
            known, {"lithium": share.get("Li", 0.0), "formation": formation}, key=lambda r: r["formation"]
        )
    table = pd.DataFrame.from_dict(rows, orient="index").sort_values("lithium")
    corners = [0]
    for at in range(1, len(table)):
        while len(corners) > 1 and _is_above(table, corners[-2], corners[-1], at):
            corners.pop()
        corners.append(at)
    table["stable"] = np.isin(np.arange(len(table)), corners)
    return table


def reactions(energies: xr.Dataset, reactant: str) -> dict[str, Reaction]:
    """Return the reactions of a metal, or of a nitride to Li3N and its metal, with lithium.

    Parameters
    ----------
    energies : xarray.Dataset
        From `coldbond.read`.
    reactant : str
        A metal such as "In", or a nitride such as "InN".

    Returns
    -------
    dict of str to Reaction
        To the stable compound of least lithium, of a nitride to its metal ("first"); to the products of the lowest
        energy for one of their atoms ("deepest"); to the stable compound of most lithium ("most lithiated"). A metal
        without a stable compound does not react.
    """
    (metal,) = set(composition(reactant)) - {"N"}
    table = hull(energies, metal)
    compounds = table[table.stable & (table.lithium > 0) & (table.lithium < 1)]
    steps = []
    for formula, compound in compounds.iterrows():
        lithium = compound.lithium / (1 - compound.lithium)
        steps.append(Reaction(str(formula), compound.formation * (1 + lithium), 1 + lithium, lithium))
    if reactant != metal:
        atoms = composition(reactant)
        nitrogen = atoms["N"] / atoms[metal]
        exchange = nitrogen * 4 * _lowest(energies, "Li3N") + _lowest(energies, metal)
        exchange -= (1 + nitrogen) * _lowest(energies, reactant) + 3 * nitrogen * _lowest(energies, "Li")
        first = Reaction(f"Li3N + {metal}", exchange, 4 * nitrogen + 1, 3 * nitrogen)
        steps = [first] + [
            Reaction(f"Li3N + {on.product}", exchange + on.energy, first.atoms + on.lithium, first.lithium + on.lithium)
            for on in steps
        ]
    steps = steps or [Reaction("none", 0.0, 1.0, 0.0)]
    deepest = min(steps, key=lambda step: step.per("atom"))
    return dict(zip(PRODUCTS, (steps[0], deepest, steps[-1]), strict=True))


def table(found: Mapping[str, Mapping[str, Mapping[str, Reaction]]]) -> pd.DataFrame:
    """Return all reactions as a table to read: `found` holds `reactions` by model and reactant."""
    rows = {
        (reactant, product, model): {"products": one.product} | {UNITS[norm]: f"{one.per(norm):.3f}" for norm in NORMS}
        for model, by_reactant in found.items()
        for reactant, both in by_reactant.items()
        for product, one in both.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").sort_index(level=[0, 1], sort_remaining=False)


def against_published(tables: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Return computed energies beside published ones, eV for one atom of the products."""
    rows = []
    for name, published, source in PUBLISHED:
        reactant = name.split(" + ")[0]
        row = {"reaction": name, "published": f"{published:.3f}"}
        for model, energies in tables.items():
            row[model] = f"{_of_published(energies, name, reactant):.3f}"
        rows.append(row | {"source": source})
    return pd.DataFrame(rows).set_index("reaction")


def values(
    found: Mapping[str, Mapping[str, Mapping[str, Reaction]]], metals: Sequence[str], nitride: str, error: float
) -> list[dict]:
    """Return the reaction energies and what follows for the paper's two statements, as findings.

    Parameters
    ----------
    found : mapping
        Of `reactions`, by model and reactant.
    metals : sequence of str
        That the paper compares; the first is said to react with the most negative energy.
    nitride : str
        Of the first metal, said to react with a more negative energy still.
    error : float
        Mean absolute error of such potentials [eV/atom], taken as that of a normal error of each reaction.

    Returns
    -------
    list of dict
        Energies are means over the models; an interval holds each model's and the potentials' error beyond it.
    """
    rows = []
    for reactant in next(iter(found.values())):
        for product in PRODUCTS:
            for norm in NORMS:
                each = [found[model][reactant][product] for model in found]
                energies = [one.per(norm) for one in each]
                half = max(_half(one, error, norm) for one in each)
                name = f"reaction_energy_per_{norm}"
                products = " or ".join(dict.fromkeys(one.product for one in each))
                rows.append(
                    finding(
                        name,
                        float(np.mean(energies)),
                        min(energies) - half,
                        max(energies) + half,
                        UNITS[norm],
                        sample=reactant,
                        state=product,
                        note=f"to {products}"
                        if any(one.lithium for one in each)
                        else "no stable compound: no reaction",
                    )
                )
    first = metals[0]
    rows += _verdicts(found, nitride, [first], f"more_negative_than_{first}", "rx_inn_more_negative", error)
    rows += _verdicts(found, first, metals[1:], "most_negative_of_the_metals", "rx_in_most_negative", error)
    return rows


def _verdicts(found: Mapping, reactant: str, others: Sequence[str], name: str, claim: str, error: float) -> list[dict]:
    """Whether a reaction energy lies below all of the others, under each definition and over all of them."""
    rows, verdicts = [], {}
    for product in PRODUCTS:
        for norm in NORMS:
            lows, highs, rivals = [], [], []
            for model in found:
                own = found[model][reactant][product]
                rival = min(others, key=lambda metal: found[model][metal][product].per(norm))
                against = found[model][rival][product]
                apart = own.per(norm) - against.per(norm)
                half = float(np.hypot(_half(own, error, norm), _half(against, error, norm)))
                lows.append(apart - half)
                highs.append(apart + half)
                rivals.append(rival)
            low, high = min(lows), max(highs)
            verdict = True if high < 0 else False if low > 0 else None
            verdicts[f"{product}, per {norm}"] = verdict
            mean = (low + high) / 2
            needed = f"; it holds if the difference is off by {mean:.2f} {UNITS[norm]}" if verdict is False else ""
            against = " or ".join(dict.fromkeys(rivals))
            note = f"against {against}: {mean:+.2f} ({low:+.2f} to {high:+.2f}) {UNITS[norm]}{needed}"
            rows.append(finding(f"{name}_per_{norm}", verdict, sample=reactant, state=product, note=note))
    said = {
        word: [definition for definition, verdict in verdicts.items() if verdict is value]
        for word, value in (("yes", True), ("no", False), ("not decided", None))
    }
    overall = True if said["yes"] and not said["no"] else False if said["no"] and not said["yes"] else None
    note = "; ".join(
        f"{word} under {len(which)} of {len(verdicts)}: {', '.join(which)}" for word, which in said.items() if which
    )
    return [*rows, finding(name, overall, sample=reactant, state="all definitions", claim=claim, note=note)]


def _half(reaction: Reaction, error: float, norm: str) -> float:
    """Half a 95 % interval: of normal errors the mean absolute one is 0.8 standard deviations."""
    return reaction.error(stats.norm.ppf(CONFIDENCE) * error * np.sqrt(np.pi / 2), norm)


def _lowest(energies: xr.Dataset, formula: str) -> float:
    """Energy [eV/atom] of the most stable form of a formula."""
    own = energies.energy.to_numpy()[energies.formula.to_numpy() == formula]
    if not own.size:
        raise LookupError(
            f"the table of energies has no {formula}: add it to lib/energies/structures.py, make energies"
        )
    return float(own.min())


def _is_above(table: pd.DataFrame, before: int, at: int, after: int) -> bool:
    """Whether a point lies on or above the line from one to another."""
    x, y = table.lithium.to_numpy(), table.formation.to_numpy()
    line = y[before] + (y[after] - y[before]) * (x[at] - x[before]) / (x[after] - x[before])
    return bool(y[at] >= line)


def _of_published(energies: xr.Dataset, name: str, reactant: str) -> float:
    if " + " in name:
        return reactions(energies, reactant)["first"].per("atom")
    (metal,) = set(composition(name)) - {"Li"}
    return float(hull(energies, metal).formation[name])


def draw(
    fig: Figure,
    tables: Mapping[str, xr.Dataset],
    found: Mapping[str, Mapping[str, Mapping[str, Reaction]]],
    metals: Sequence[str],
    error: float,
) -> None:
    """Draw the convex hulls, the reaction energies by definition, and computed energies against published ones."""
    top, bottom = fig.subfigures(2, 1, height_ratios=[1, 1.05])
    hulls = top.subplots(1, len(metals), sharey=True)
    styles = dict(zip(tables, ("o-", "s--"), strict=False))
    for ax, metal in zip(np.atleast_1d(hulls), metals, strict=True):
        for (model, energies), color in zip(tables.items(), SHADES, strict=False):
            compounds = hull(energies, metal)
            corners = compounds[compounds.stable]
            ax.plot(corners.lithium, corners.formation, styles[model], color=color, ms=3, label=model)
            above = compounds[~compounds.stable]
            ax.plot(above.lithium, above.formation, styles[model][0], color=color, ms=3, mfc="none", mew=0.6)
        ax.axhline(0, color="0.7", lw=0.5, zorder=0)
        ax.set(title=metal, xlabel=f"Li share in Li–{metal}")
    hulls = np.atleast_1d(hulls)
    hulls[0].set_ylabel("formation energy / eV atom$^{-1}$")
    hulls[-1].legend(loc="lower right", handlelength=1.8)
    axes = bottom.subplots(1, 4, gridspec_kw={"width_ratios": [1, 1, 1, 1.15]})
    for ax, norm in zip(axes[:3], NORMS, strict=True):
        _bars(ax, found, norm, error)
    bottom.legend(*axes[0].get_legend_handles_labels(), loc="upper center", ncols=3, handlelength=1.0)
    _parity(axes[3], tables)
    figures.letters([hulls[0], axes[0], axes[3]])


def _bars(ax, found: Mapping, norm: str, error: float) -> None:
    reactants = list(next(iter(found.values())))
    width = 0.8 / len(PRODUCTS)
    shades = (figures.COLORS["InN-LLZ"], figures.COLORS["RT-MCL-LLZ"], "0.45")
    for at, (product, shade) in enumerate(zip(PRODUCTS, shades, strict=True)):
        for place, reactant in enumerate(reactants):
            each = [found[model][reactant][product] for model in found]
            energies = [one.per(norm) for one in each]
            mean, half = float(np.mean(energies)), max(_half(one, error, norm) for one in each)
            y = place + (at - 1) * width
            label = product if place == 0 else None
            ax.barh(y, mean, width, color=shade, label=label)
            if half:
                bounds = [[mean - min(energies) + half], [max(energies) + half - mean]]
                ax.errorbar(mean, y, xerr=bounds, fmt="none", ecolor="0.2", elinewidth=0.6, capsize=1)
    ax.axvline(0, color="0.3", lw=0.5)
    ax.set_yticks(range(len(reactants)), reactants)
    ax.invert_yaxis()
    ax.set_xlabel(f"reaction energy / {UNITS[norm]}")


def _parity(ax, tables: Mapping[str, xr.Dataset]) -> None:
    published = [value for _, value, _ in PUBLISHED]
    span = [min(published) - 0.12, max(published) + 0.08]
    ax.plot(span, span, color="0.7", lw=0.5, zorder=0)
    shown = []
    for (_, energies), color, marker in zip(tables.items(), SHADES, "os", strict=False):
        computed = [_of_published(energies, name, name.split(" + ")[0]) for name, _, _ in PUBLISHED]
        ax.plot(published, computed, marker, color=color, ms=3)
        shown.append(computed)
    ends = np.min(shown, axis=0), np.max(shown, axis=0)
    for rank, at in enumerate(np.argsort(published, kind="stable")):  # by turns below and above
        above = rank % 2
        place = published[at], ends[above][at]
        offset, side = ((0, 4), "bottom") if above else ((0, -4), "top")
        name = PUBLISHED[at][0].replace(" + 3 Li", "")
        ax.annotate(name, place, xytext=offset, textcoords="offset points", ha="center", va=side, fontsize=6)
    ax.set(xlabel="published / eV atom$^{-1}$", ylabel="computed / eV atom$^{-1}$", xlim=span, ylim=span)
