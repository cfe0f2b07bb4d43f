"""Reaction energies with intervals, and what follows for the paper's two sentences."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from coldbond.bundle.findings import finding
from coldbond.reaction_energy.reactions import NORMS, PRODUCTS, UNITS, Reaction

Found = Mapping[str, Mapping[str, Mapping[str, Reaction]]]  # by model, reactant and product
QUANTILE = float(special.ndtri(0.975))
STANDARD = np.sqrt(np.pi / 2)  # standard deviations in the mean absolute value of a normal error


def half_width(error: float, norm: str, reaction: Reaction, against: Reaction | None = None) -> float:
    """Return half the 95 % interval of a reaction energy, or of the difference of two.

    Parameters
    ----------
    error : float
        Mean absolute error of an energy of formation [eV/atom], taken as normal and as independent between compounds; a
        compound that takes part in both reactions errs in both alike.
    norm : {"atom", "metal", "lithium"}
        What the energies are for one of.
    reaction, against : Reaction
        What `against` gives is subtracted.

    Returns
    -------
    float
        In eV.
    """
    atoms = Counter({name: count / reaction.unit(norm) for name, count in reaction.compounds.items()})
    if against:
        atoms.subtract({name: count / against.unit(norm) for name, count in against.compounds.items()})
    return float(QUANTILE * STANDARD * error * np.sqrt(sum(count**2 for count in atoms.values())))


def values(found: Found, metals: Sequence[str], nitride: str, error: float) -> list[dict]:
    """Return the reaction energies and what follows for the paper's two sentences, as findings.

    Parameters
    ----------
    found : mapping
        Of `reactions`, by model and reactant.
    metals : sequence of str
        That the paper compares; the first is said to react with the most negative energy.
    nitride : str
        Of the first metal, said to react with a more negative energy still.
    error : float
        As of `half_width`.

    Returns
    -------
    list of dict
        Energies are means over the models; an interval reaches over the 95 % intervals of all models.
    """
    rows = []
    for reactant in next(iter(found.values())):
        for product in PRODUCTS:
            each = [by_reactant[reactant][product] for by_reactant in found.values()]
            products = " or ".join(dict.fromkeys(one.products for one in each))
            note = f"to {products}" if products != "none" else "no stable compound, no reaction"
            for norm in NORMS:
                half = [half_width(error, norm, one) for one in each]
                low = min(one.per(norm) - width for one, width in zip(each, half, strict=True))
                high = max(one.per(norm) + width for one, width in zip(each, half, strict=True))
                mean = float(np.mean([one.per(norm) for one in each]))
                name = f"reaction_energy_per_{norm}"
                rows.append(finding(name, mean, low, high, UNITS[norm], sample=reactant, state=product, note=note))
    first, *others = metals
    rows += _verdicts(found, nitride, [first], f"more_negative_than_{first}", error)
    rows += _verdicts(found, first, others, "most_negative_of_the_metals", error)
    return rows


def _verdicts(found: Found, reactant: str, others: Sequence[str], name: str, error: float) -> list[dict]:
    """Whether a reaction energy lies below all of the others, under each definition and over all of them."""
    rows, readings = [], {True: [], False: [], None: []}
    for product in PRODUCTS:
        for norm in NORMS:
            apart = {other: _apart(found, reactant, other, product, norm, error) for other in others}
            nearest = max(apart, key=lambda other: apart[other][1])
            mean, low, high = apart[nearest][1], *(max(one[at] for one in apart.values()) for at in (0, 2))
            verdict = True if high < 0 else False if low > 0 else None
            readings[verdict].append(f"{product} per {norm}")
            note = f"{reactant} less {nearest}: {mean:+.2f} ({low:+.2f} to {high:+.2f}) {UNITS[norm]}"
            if verdict is False:
                note += f"; to be true, {nearest} must react by more than {mean:.2f} {UNITS[norm]} less than computed"
            rows.append(finding(f"{name}_per_{norm}", verdict, sample=reactant, state=product, note=note))
    yes, no, open_ = readings[True], readings[False], readings[None]
    overall = True if not no and not open_ else False if no and not yes else None
    said = {"true": yes, "not decided": open_, "false": no}
    note = "; ".join(f"{word} under {len(which)} ({', '.join(which)})" for word, which in said.items() if which)
    note = f"of {len(rows)} definitions: {note}"
    return [*rows, finding(name, overall, sample=reactant, state="all definitions", note=note)]


def _apart(found: Found, reactant: str, other: str, product: str, norm: str, error: float) -> tuple[float, ...]:
    """How far one reaction energy lies above another: lower bound, mean over the models, upper bound."""
    apart, half = [], []
    for by_reactant in found.values():
        own, against = by_reactant[reactant][product], by_reactant[other][product]
        apart.append(own.per(norm) - against.per(norm))
        half.append(half_width(error, norm, own, against))
    low, high = np.min(np.subtract(apart, half)), np.max(np.add(apart, half))
    return float(low), float(np.mean(apart)), float(high)
