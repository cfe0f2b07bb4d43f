"""Findings and display tables of reaction energies."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from coldbond.bundle.findings import finding, item
from coldbond.reaction_energy.comparison import Comparison, Found, comparisons, energy, over_models, overall
from coldbond.reaction_energy.published import MEASURED, computed
from coldbond.reaction_energy.reactions import NORMS, PRODUCTS

UNITS = {"atom": "eV/atom", "metal": "eV per metal", "lithium": "eV per Li"}


def reaction_table(found: Found) -> pd.DataFrame:
    """Return all reactions as a table, its numbers already text, with the models side by side."""
    rows = {}
    for reactant in next(iter(found.values())):
        for product in PRODUCTS:
            each = [of[reactant][product] for of in found.values()]
            rows[reactant, product] = {"products": " or ".join(dict.fromkeys(one.products for one in each))} | {
                UNITS[norm]: "  ".join(f"{one.per(norm):+.3f}" for one in each) for norm in NORMS
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def measured_table(tables: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Return computed energies beside measured ones, as a table.

    Parameters
    ----------
    tables : mapping of str to xarray.Dataset
        Energies by model, as `raw.recordings` returns them.

    Returns
    -------
    pandas.DataFrame
        Text, by product: measured, for each model the computed energy and its difference [eV/atom], and the source. The
        last row is the mean absolute difference over all that are not disputed.
    """
    off = {model: [computed(table, one.product) - one.energy for one in MEASURED] for model, table in tables.items()}
    rows = [
        {
            "product": f"Li3N from {one.product}" if "N" in one.product else one.product,
            "measured": f"{one.energy:+.3f}",
            **{model: f"{one.energy + off[model][at]:+.3f} ({off[model][at]:+.3f})" for model in tables},
            "source": f"disputed: {one.source}" if one.disputed else one.source,
        }
        for at, one in enumerate(MEASURED)
    ]
    counted = [not one.disputed for one in MEASURED]
    last = {model: f"{np.abs(np.array(off[model])[counted]).mean():.3f}" for model in tables}
    rows.append({"product": "mean absolute difference", "measured": "", **last, "source": "without disputed values"})
    return pd.DataFrame(rows).set_index("product")


def energy_findings(found: Found, metals: Sequence[str], nitride: str, error: float) -> list[dict]:
    """Return the reaction energies, and the comparisons of the first metal with the others and with its nitride.

    Parameters
    ----------
    found : mapping
        Of `reactions`, by model and reactant.
    metals : sequence of str
        Metals that are compared; the first with all others.
    nitride : str
        Of the first metal, compared with it.
    error : float
        As for `comparison.energy`.
    """
    rows = []
    for reactant in next(iter(found.values())):
        for product in PRODUCTS:
            each = [of[reactant][product] for of in found.values()]
            products = " or ".join(dict.fromkeys(one.products for one in each))
            note = f"to {products}" if products != "none" else "no stable compound, no reaction"
            for norm in NORMS:
                value = over_models([energy(error, norm, one) for one in each])
                name = f"reaction_energy_per_{norm}"
                rows.append(finding(name, value, unit=UNITS[norm], sample=reactant, state=product, note=note))
    first, *others = metals
    rows += _comparison_findings(found, nitride, [first], f"more_negative_than_{first}", error)
    rows += _comparison_findings(found, first, others, "most_negative_of_the_metals", error)
    return rows


def _comparison_findings(found: Found, reactant: str, others: Sequence[str], name: str, error: float) -> list[dict]:
    """Return whether a reaction energy lies below all others, by each definition and by all of them."""
    compared = comparisons(found, reactant, others, error)
    rows = [_by_definition(one, reactant, name) for one in compared]
    groups = {
        word: [f"{one.product} per {one.norm}" for one in compared if one.lower is answer]
        for word, answer in (("true", True), ("undecided", None), ("false", False))
    }
    evidence = [item(f"definitions by which it is {word}", float(len(which))) for word, which in groups.items()]
    note = "; ".join(f"{word}: {', '.join(which)}" for word, which in groups.items() if which)
    answer = overall(compared)
    if answer is None:
        open_ones = dict.fromkeys(one.nearest for one in compared if one.lower is None)
        elements = " and ".join(dict.fromkeys([reactant, *open_ones]))
        by = f"measured enthalpies of formation, or equilibrium voltages, of the compounds of {elements} with lithium"
        unsaid = "the definition that the paper means"
        note += f"; would decide: {unsaid}" + (f", and {by}" if open_ones else "")
    whole = finding(name, answer, sample=reactant, state="all definitions", evidence=evidence, note=note)
    return [*rows, whole]


def _by_definition(one: Comparison, reactant: str, name: str) -> dict:
    unit = UNITS[one.norm]
    return finding(
        f"{name}_per_{one.norm}",
        one.lower,
        sample=reactant,
        state=one.product,
        evidence=[item(f"energy of {reactant} less {one.nearest}", one.difference, unit)],
        threshold=[item("difference", 0.0, unit)],
    )
