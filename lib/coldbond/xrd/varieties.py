"""A variety of the main phase beside it in a whole-pattern fit: the same atoms in a distorted or another cell.

A tetragonal garnet and a cubic one have nearly the same structure factors: where the cubic one has a reflection, the
tetragonal one has up to three, whose intensities add up to the cubic one's within 5 %. Free intensities of both would
describe any pattern twice over. So all reflections whose indices differ by order and sign alone (a family) share one
free amplitude, which texture and composition may change as they like, and one share of the variety divides each family
between the two cells. Without share this is the fit of the main phase alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import lmfit
import numpy as np
import xarray as xr

from coldbond.xrd import reflection_list
from coldbond.xrd.design_matrix import Phase, Values
from coldbond.xrd.structures import Structure

#: Parameters of the fit: share of the weight, its lattice parameters, as "a_variety", and its breadth.
SHARE, SUFFIX = "variety_share", "_variety"
BREADTH = f"size{SUFFIX}"
#: Standard deviation of the breadth about that of the main phase, degree: crystallites of 80 nm at Cu K-alpha.
BREADTH_PRIOR = 0.1
#: Range of the share in a fit: a bound at 0 or 1 would bias it and hide its error.
SHARE_LIMITS = -0.5, 1.5


@dataclass(frozen=True)
class Variety:
    """A variety of the main phase, and where a fit with it starts.

    Attributes
    ----------
    structure : Structure
        Its cell is that at the start.
    share : float
        Of the weight of main phase and variety together, at the start.
    alone : bool
        Whether the main phase is absent and the share 1, not fitted.
    own_breadth : bool
        Whether it has a breadth of its own beside the main phase, as crystallites of another size have.
    """

    structure: Structure
    share: float = 0.5
    alone: bool = False
    own_breadth: bool = False


def family(hkl: np.ndarray) -> np.ndarray:
    """Return the indices of planes without sign and in descending order, shape (n, 3)."""
    return -np.sort(-np.abs(hkl), axis=1)


def add_parameters(params: lmfit.Parameters, variety: Variety) -> Callable[[Values], list[float | np.ndarray]]:
    """Add share and lattice parameters of a variety; return its cell as a function of the parameter values."""
    of_main = list(params)
    cell, free = reflection_list.free_lattice_parameters(variety.structure, SUFFIX)
    params.update(free)
    low, high = SHARE_LIMITS
    params.add(SHARE, 1.0 if variety.alone else variety.share, vary=not variety.alone, min=low, max=high)
    if variety.alone:  # nothing in the pattern depends on the cell of the main phase
        for name in of_main:
            params[name].vary = False
    return cell


def phases(
    main: Phase,
    known: xr.Dataset,
    lines: xr.Dataset,
    cell: Callable[[Values], list[float | np.ndarray]],
    breadth: str | None,
) -> list[Phase]:
    """Return the main phase and its variety with the columns of the main phase, both weighted by the share.

    Reflections of the variety whose family the main phase has outside of the pattern get columns of their own.

    Parameters
    ----------
    main : Phase
        From `reflection_list.main_phase`.
    known, lines : xarray.Dataset
        Reflections of main phase and variety, from `reflection_list.visible`.
    cell : callable
        From `add_parameters`.
    breadth : str, optional
        Name of the parameter of its breadth; None for the widths of the main phase.
    """
    per_weight = [of.absolute_intensity.to_numpy() / (of.attrs["mass"] * of.attrs["volume"]) for of in (known, lines)]
    total: dict[tuple, float] = {}
    for of, strength in zip(map(tuple, family(reflection_list.indices(known)).tolist()), per_weight[0], strict=True):
        total[of] = total.get(of, 0.0) + float(strength)
    column: dict[tuple, int] = {}
    share: dict[tuple, float] = {}
    for of, at, part in zip(map(tuple, family(main.hkl).tolist()), main.column, main.share, strict=True):
        column[of], share[of] = int(at), share.get(of, 0.0) + float(part)
    hkl = reflection_list.indices(lines)
    shared, own = [], []
    for i, of in enumerate(map(tuple, family(hkl).tolist())):
        if of in column:
            shared.append((i, column[of], share[of] * per_weight[1][i] / total[of]))
        elif lines.relative_intensity[i] > reflection_list.WEAKEST_REFLECTION:
            own.append((i, of, per_weight[1][i]))
    count = 1 + int(main.column.max())
    at, columns, parts = (np.array(each) for each in zip(*shared, strict=True))
    found = [
        Phase(main.hkl, main.column, main.share, weight=lambda values: 1 - values[SHARE]),
        Phase(hkl[at], columns, parts, cell, breadth, weight=lambda values: values[SHARE]),
    ]
    if own:
        names = list(dict.fromkeys(of for _, of, _ in own))
        at, columns = np.array([i for i, *_ in own]), np.array([count + names.index(of) for _, of, _ in own])
        parts = np.array([part for *_, part in own])
        found.append(Phase(hkl[at], columns, parts / np.bincount(columns, parts)[columns], cell, breadth))
    return found
