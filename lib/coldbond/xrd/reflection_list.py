"""Reflection list of a whole-pattern fit: reflections within the pattern, free lattice parameters, start cell.

The space group gives the reflections and the crystal system the lattice parameters that are free. Reflections too close
to be resolved share one amplitude, split by their calculated intensities. The start cell is the structure's, expanded
or contracted until its reflections coincide with the most intensity.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import lmfit
import numpy as np
import xarray as xr
from scipy.constants import physical_constants

from coldbond.xrd.design_matrix import Phase, Values, angles
from coldbond.xrd.reflections import HC, reflections, small_structure
from coldbond.xrd.structures import Structure

CELL = ("a", "b", "c", "alpha", "beta", "gamma")
#: Distance below which reflections share one amplitude, degree: half a step of a usual scan resolves nothing.
UNRESOLVED = 0.01
#: Relative range of the cell in which the start of the fit is searched, on either side, and number of trials: their
#: distance moves a reflection at 90 degree by 0.003 degree.
START_RANGE, START_TRIALS = 0.01, 801
#: Limits of the lattice parameters in a fit, relative to the structure's.
CELL_LIMITS = 0.9, 1.1
WEAKEST_REFLECTION = 0.3  # of 100: weaker reflections of a phase beside the main one are left out
COVERED = 0.1  # degree, the largest distance of a reflection from the nearest point of the pattern
MARGIN = 1.0  # degree beyond the ends of the pattern from which tails of reflections still contribute


def free_lattice_parameters(
    structure: Structure,
) -> tuple[Callable[[Values], list[float | np.ndarray]], lmfit.Parameters]:
    """Return the cell as a function of the lattice parameters that its crystal system leaves free, and these."""
    import gemmi

    group = gemmi.SpaceGroup(structure.space_group)
    system = group.crystal_system_str()
    lengths, opening = {
        "cubic": ("aaa", ""),
        "tetragonal": ("aac", ""),
        "hexagonal": ("aac", ""),
        "trigonal": ("aaa", "alpha") if group.ext == "R" else ("aac", ""),
        "orthorhombic": ("abc", ""),
        "monoclinic": ("abc", {"a": "alpha", "b": "beta", "c": "gamma"}.get(group.qualifier.strip("-")[:1], "beta")),
        "triclinic": ("abc", "alpha beta gamma"),
    }[system]
    start = dict(zip(CELL, structure.cell, strict=True))
    params = lmfit.Parameters()
    for name in dict.fromkeys(lengths):
        params.add(name, start[name], min=CELL_LIMITS[0] * start[name], max=CELL_LIMITS[1] * start[name])
    for name in opening.split():
        params.add(name, start[name], min=0, max=180)

    def cell(values: Values) -> list[float | np.ndarray]:
        tied = {name: values["alpha"] for name in CELL[3:]} if lengths == "aaa" and opening else {}
        return [values[name] for name in lengths] + [{**start, **values, **tied}[name] for name in CELL[3:]]

    return cell, params


def visible(structure: Structure, pattern: xr.Dataset, wavelength: float) -> xr.Dataset:
    """Return the reflections of a structure within the pattern and `MARGIN` beyond."""
    low, high = pattern.two_theta.to_numpy()[[0, -1]]
    return reflections(structure, wavelength, (max(low - MARGIN, 1.0), min(high + MARGIN, 179.0)))


def indices(known: xr.Dataset) -> np.ndarray:
    """Return Miller indices, shape (n, 3)."""
    return np.column_stack([known[name] for name in "hkl"])


def smooth(intensity: np.ndarray) -> np.ndarray:
    """Return the mean of each point and the two on either side."""
    return np.convolve(np.pad(intensity, 2, mode="edge"), np.ones(5) / 5, mode="valid")


def start_stretch(known: xr.Dataset, pattern: xr.Dataset, wavelength: float) -> float:
    """Return the factor on the cell at which the reflections coincide with the most intensity, to start a fit from."""
    intensity = smooth(pattern.intensity.to_numpy())
    # Square roots: otherwise the strongest reflection alone would decide.
    height = np.sqrt(np.maximum(intensity - np.median(intensity), 0))
    trials = 1 + np.linspace(-START_RANGE, START_RANGE, START_TRIALS)
    at = angles(known.d.to_numpy() * trials[:, None], wavelength, {}, radius=1.0)[0]
    overlap = np.interp(at, pattern.two_theta, height) @ np.sqrt(known.relative_intensity.to_numpy())
    return float(trials[overlap.argmax()])


def main_phase(known: xr.Dataset, measured: np.ndarray, at: np.ndarray) -> Phase:
    """Return the reflections that the pattern covers; unresolved neighbours share a column of the design matrix.

    Parameters
    ----------
    known : xarray.Dataset
        From `visible`.
    measured : array
        Angles of the pattern, degree.
    at : array
        Bragg angles of the reflections, degree.
    """
    order = np.argsort(at, kind="stable")
    after = np.searchsorted(measured, at[order]).clip(1, measured.size - 1)
    order = order[np.minimum(abs(measured[after] - at[order]), abs(measured[after - 1] - at[order])) < COVERED]
    if not order.size:
        low, high = measured[[0, -1]]
        raise ValueError(f"{known.attrs['name']} has no reflection in the pattern's {low:g} to {high:g} degree")
    column = np.cumsum(np.diff(at[order], prepend=at[order][0]) > UNRESOLVED)
    strength = known.relative_intensity.to_numpy()[order]
    return Phase(indices(known)[order], column, strength / np.bincount(column, strength)[column])


def relative_intensities(known: xr.Dataset, main: Phase) -> np.ndarray:
    """Return the calculated intensities of the main phase's reflections [strongest = 100]."""
    table = dict(zip(map(tuple, indices(known).tolist()), known.relative_intensity.to_numpy().tolist(), strict=True))
    return np.array([table[tuple(hkl)] for hkl in main.hkl.tolist()])


def other_phases(
    others: Sequence[Structure], breadths: Mapping[str, float], pattern: xr.Dataset, wavelength: float, first: int
) -> list[Phase]:
    """Return phases with one column each, from column `first` on.

    The amplitude of such a column is the area of the phase's strongest reflection.
    """
    phases = []
    for i, other in enumerate(others):
        lines = visible(other, pattern, wavelength)
        lines = lines.isel(reflection=lines.relative_intensity.to_numpy() > WEAKEST_REFLECTION)
        column = np.full(lines.reflection.size, first + i)
        share = lines.relative_intensity.to_numpy() / 100
        phases.append(Phase(indices(lines), column, share, other.cell, breadths.get(other.name)))
    return phases


@lru_cache
def absorption(structure: Structure, wavelength: float) -> float:
    """Return the linear absorption coefficient of a solid [1/mm].

    Parameters
    ----------
    structure : Structure
    wavelength : float
        Angstrom.

    Notes
    -----
    Optical theorem: mu = 2 r lambda sum(f'') / V with the classical electron radius r, the imaginary dispersion
    corrections f'' of Cromer and Liberman (1981, doi 10.1107/S0567739481000600) and the volume V of the cell.
    """
    import gemmi

    small = small_structure(structure)
    total = len(small.spacegroup.operations()) * sum(
        atom.occ * gemmi.cromer_liberman(atom.element.atomic_number, HC / wavelength)[1] for atom in small.sites
    )
    radius = physical_constants["classical electron radius"][0] * 1e10  # angstrom
    return 2 * radius * wavelength * total / small.cell.volume * 1e7  # 1/angstrom to 1/mm
