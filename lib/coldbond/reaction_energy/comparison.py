"""Reaction energies with 95 % intervals, and whether one reactant reacts with more energy than others.

The error of a computed energy of formation is taken as normal and as independent between compounds. A reaction energy
is a linear combination of energies of formation, so that its variance is the sum of the squared coefficients times the
variance of one energy; in the difference of two reactions a compound that takes part in both has one coefficient.
Several models (sets of energies) are combined into the mean of their values and the hull of their intervals. Every
comparison depends on the definition: which products, and what the energy is divided by.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from coldbond.interval import Interval
from coldbond.reaction_energy.reactions import NORMS, PRODUCTS, Reaction

Found = Mapping[str, Mapping[str, Mapping[str, Reaction]]]  # by model, reactant and product
#: Standard deviation of a normal error whose mean absolute value is 1.
STANDARD_DEVIATION = np.sqrt(np.pi / 2)


def energy(error: float, norm: str, reaction: Reaction, against: Reaction | None = None) -> Interval:
    """Return a reaction energy, or the difference of two.

    Parameters
    ----------
    error : float
        Mean absolute error of an energy of formation [eV/atom].
    norm : {"atom", "metal", "lithium"}
        What the energies are divided by.
    reaction, against : Reaction
        The energy of `against` is subtracted.

    Returns
    -------
    Interval
        In eV.
    """
    value = reaction.per(norm) - (against.per(norm) if against else 0.0)
    atoms = Counter({name: count / reaction.unit(norm) for name, count in reaction.compounds.items()})
    if against:
        atoms.subtract({name: count / against.unit(norm) for name, count in against.compounds.items()})
    deviation = STANDARD_DEVIATION * error * np.sqrt(sum(count**2 for count in atoms.values()))
    return Interval.from_standard_error(value, float(deviation))


def over_models(intervals: Sequence[Interval]) -> Interval:
    """Return the mean of the values of several models, with the hull of their intervals."""
    return Interval.hull(float(np.mean([one.value for one in intervals])), intervals)


class Comparison(NamedTuple):
    """Whether a reactant reacts with more energy than each of several others, by one definition.

    Attributes
    ----------
    product, norm : str
        The definition.
    lower : bool or None
        Whether its reaction energy is below all others; None where the interval contains both outcomes.
    nearest : str
        The other reactant that the answer depends on: the one with the largest difference.
    difference : Interval
        Energy of the reactant less that of the others, the largest of all [eV].
    """

    product: str
    norm: str
    lower: bool | None
    nearest: str
    difference: Interval


def comparisons(found: Found, reactant: str, others: Sequence[str], error: float) -> list[Comparison]:
    """Return the comparison of a reactant with others by every definition.

    Parameters
    ----------
    found : mapping
        Of `reactions`, by model and reactant.
    reactant : str
    others : sequence of str
    error : float
        As for `energy`.
    """
    rows = []
    for made, norm in product(PRODUCTS, NORMS):
        apart = {
            other: over_models([energy(error, norm, of[reactant][made], of[other][made]) for of in found.values()])
            for other in others
        }
        # The reactant lies below all others where the largest difference is negative: each bound is the largest.
        values, lows, highs = (np.array(of, float) for of in zip(*apart.values(), strict=True))
        difference = Interval.from_bounds(values.max(), lows.max(), highs.max())
        lower = True if highs.max() < 0 else False if lows.max() > 0 else None
        rows.append(Comparison(made, norm, lower, list(apart)[int(values.argmax())], difference))
    return rows


def overall(rows: Sequence[Comparison]) -> bool | None:
    """Return whether a statement that names no definition holds: true or false only if it is so by every one."""
    answers = {one.lower for one in rows}
    return answers.pop() if len(answers) == 1 else None
