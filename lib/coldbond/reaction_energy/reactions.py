"""Convex hulls of the compounds of a metal with lithium, and the reactions to the compounds that are their corners.

Energies of formation are relative to the most stable forms of the elements. A compound is stable at 0 K where it is a
corner of the lower convex hull of the energies of formation over the composition. A metal reacts with lithium to such
a compound; a nitride reacts to Li3N and its metal, which may react on. Reaction energies are given for one atom of the
products, one atom of the metal or one atom of the lithium that reacts (Zhu et al. 2016, J. Mater. Chem. A 4, 3253).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

PRODUCTS = ("first", "deepest", "most lithiated")
NORMS = ("atom", "metal", "lithium")
#: Reactants that are shown where none are named.
REACTANTS = ("InN", "In", "Au", "Zn", "Fe", "Ag", "Al", "Mg", "Sn", "Si", "Ge", "AlN", "Cu3N", "Sn3N4")


class Reaction(NamedTuple):
    """A reaction with lithium, for one atom of the metal.

    Attributes
    ----------
    products : str
    energy : float
        eV.
    atoms : float
        Atoms of the products.
    lithium : float
        Atoms of lithium that react.
    compounds : mapping of str to float
        Atoms of each compound that is formed (positive) or consumed (negative).
    """

    products: str
    energy: float
    atoms: float
    lithium: float
    compounds: Mapping[str, float]

    def unit(self, norm: str) -> float:
        """Return the number of atoms that the energy is divided by; one where nothing reacts."""
        return {"atom": self.atoms, "metal": 1.0, "lithium": self.lithium}[norm] or 1.0

    def per(self, norm: str) -> float:
        """Return the energy [eV] for one atom of the products, of the metal, or of the lithium that reacts."""
        return self.energy / self.unit(norm)


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
        By formula, from the metal to lithium: `lithium`, the atomic fraction of lithium; `formation`, the energy of
        formation [eV/atom]; `stable`, whether the compound is a corner of the lower convex hull.

    Raises
    ------
    LookupError
        The table has no energy of the metal or of lithium.
    """
    pure = {element: lowest(energies, element) for element in (metal, "Li")}
    rows = {}
    for formula in dict.fromkeys(energies.formula.to_numpy()):
        atoms = composition(formula)
        if set(atoms) <= {metal, "Li"}:
            share = atoms.get("Li", 0.0) / sum(atoms.values())
            formation = lowest(energies, formula) - (1 - share) * pure[metal] - share * pure["Li"]
            rows[formula] = {"lithium": share, "formation": formation}
    table = pd.DataFrame.from_dict(rows, orient="index").sort_values("lithium")
    corners = [0]  # Andrew's monotone chain: a corner above the line to the next point is none
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
        "first": to the stable compound with the least lithium, of a nitride to Li3N and its metal. "deepest": to the
        products with the lowest energy for one of their atoms, as reactions at interfaces are usually compared (Zhu et
        al. 2016). "most lithiated": to the stable compound with the most lithium. A metal without a stable compound
        does not react.

    Raises
    ------
    LookupError
        The table has no energy of one of the crystals.
    """
    (metal,) = set(composition(reactant)) - {"N"}
    table = hull(energies, metal)
    steps = []
    for formula, compound in table[table.stable & (table.lithium > 0) & (table.lithium < 1)].iterrows():
        atoms = 1 / (1 - compound.lithium)
        steps.append(Reaction(str(formula), compound.formation * atoms, atoms, atoms - 1, {str(formula): atoms}))
    if reactant != metal:  # MNx + 3x Li -> x Li3N + M
        nitrogen = composition(reactant)["N"] / composition(reactant)[metal]
        energy = 4 * nitrogen * lowest(energies, "Li3N") - 3 * nitrogen * lowest(energies, "Li")
        energy += lowest(energies, metal) - (1 + nitrogen) * lowest(energies, reactant)
        used = {"Li3N": 4 * nitrogen, reactant: -(1 + nitrogen)}
        first = Reaction(f"Li3N + {metal}", energy, 4 * nitrogen + 1, 3 * nitrogen, used)
        steps = [first, *(_continued(first, step) for step in steps)]
    steps = steps or [Reaction("none", 0.0, 1.0, 0.0, {})]
    deepest = min(steps, key=lambda step: step.per("atom"))
    return dict(zip(PRODUCTS, (steps[0], deepest, steps[-1]), strict=True))


def lowest(energies: xr.Dataset, formula: str) -> float:
    """Return the energy [eV/atom] of the most stable form of a formula; LookupError if the table has none."""
    own = energies.energy.to_numpy()[energies.formula.to_numpy() == formula]
    if not own.size:
        raise LookupError(
            f"no energy of {formula} in the table: add it to lib/coldbond/energies/structures.py and run make energies"
        )
    return float(own.min())


def _continued(first: Reaction, step: Reaction) -> Reaction:
    """Return the exchange of a nitride followed by the reaction of its metal to a compound with lithium."""
    energy, atoms, lithium = (getattr(first, name) + getattr(step, name) for name in ("energy", "atoms", "lithium"))
    return Reaction(f"Li3N + {step.products}", energy, atoms - 1, lithium, {**first.compounds, **step.compounds})


def _is_above(table: pd.DataFrame, before: int, at: int, after: int) -> bool:
    """Return whether a point lies on or above the line between two others."""
    x, y = table.lithium.to_numpy(), table.formation.to_numpy()
    line = y[before] + (y[after] - y[before]) * (x[at] - x[before]) / (x[after] - x[before])
    return bool(y[at] >= line)
