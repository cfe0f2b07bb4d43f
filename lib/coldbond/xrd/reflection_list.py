"""Which reflections of which phases a pattern can show, and from which cell the search for them starts."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import lmfit
import numpy as np
import xarray as xr
from scipy.constants import physical_constants

from coldbond.xrd.design_matrix import Phase, angles
from coldbond.xrd.reflections import HC, reflections
from coldbond.xrd.structures import Structure

CELL = ("a", "b", "c", "alpha", "beta", "gamma")
#: Reflections nearer than this share one area, degree: nothing in a pattern tells them apart.
SHARED = 0.01
#: Relative change of the cell within which the fit's start is searched.
SEARCH = 0.01
FAINT = 0.3  # of 100: fainter reflections of a phase beside the main one are left out
COVERED = 0.1  # degree between a reflection and the nearest point of the pattern, at the most


def lattice_parameters(structure: Structure) -> tuple[Callable, lmfit.Parameters]:
    """The cell as a function of the parameters that its crystal system leaves free, and these."""
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
        params.add(name, start[name], min=0.9 * start[name], max=1.1 * start[name])
    for name in opening.split():
        params.add(name, start[name], min=0, max=180)

    def cell(values: Mapping[str, float]) -> list[float]:
        tied = {name: values["alpha"] for name in CELL[3:]} if lengths == "aaa" and opening else {}
        return [values[name] for name in lengths] + [{**start, **values, **tied}[name] for name in CELL[3:]]

    return cell, params


def visible(structure: Structure, pattern: xr.Dataset, wavelength: float) -> xr.Dataset:
    """Reflections of a structure within the pattern and a little beyond, whose tails it still sees."""
    low, high = pattern.two_theta.to_numpy()[[0, -1]]
    return reflections(structure, wavelength, (max(low - 1, 1.0), min(high + 1, 179.0)))


def indices(known: xr.Dataset) -> np.ndarray:
    """Miller indices, shape (n, 3)."""
    return np.column_stack([known[name] for name in "hkl"])


def smooth(intensity: np.ndarray) -> np.ndarray:
    """Mean of each point and the two on either side."""
    return np.convolve(np.pad(intensity, 2, mode="edge"), np.ones(5) / 5, mode="valid")


def stretch(known: xr.Dataset, pattern: xr.Dataset, wavelength: float) -> float:
    """Relative change of the cell at which the reflections meet the most intensity: where a fit can start."""
    intensity = smooth(pattern.intensity.to_numpy())
    height = np.sqrt(np.maximum(intensity - np.median(intensity), 0))
    trials = 1 + np.linspace(-SEARCH, SEARCH, 801)
    at = angles(known.d.to_numpy() * trials[:, None], wavelength, {}, radius=1.0)[0]
    met = np.interp(at, pattern.two_theta, height) @ np.sqrt(known.relative_intensity.to_numpy())
    return float(trials[met.argmax()])


def main_phase(known: xr.Dataset, measured: np.ndarray, at: np.ndarray) -> Phase:
    """The reflections that the pattern covers; neighbours that nothing tells apart share a column."""
    order = np.argsort(at, kind="stable")
    after = np.searchsorted(measured, at[order]).clip(1, measured.size - 1)
    order = order[np.minimum(abs(measured[after] - at[order]), abs(measured[after - 1] - at[order])) < COVERED]
    if not order.size:
        low, high = measured[[0, -1]]
        raise ValueError(f"{known.attrs['name']} has no reflection in the pattern's {low:g} to {high:g} degree")
    column = np.cumsum(np.diff(at[order], prepend=at[order][0]) > SHARED)
    strength = known.relative_intensity.to_numpy()[order]
    return Phase(indices(known)[order], column, strength / np.bincount(column, strength)[column])


def relative(known: xr.Dataset, main: Phase) -> np.ndarray:
    """Calculated intensities of the main phase's reflections [strongest = 100]."""
    table = dict(zip(map(tuple, indices(known).tolist()), known.relative_intensity.to_numpy().tolist(), strict=True))
    return np.array([table[tuple(hkl)] for hkl in main.hkl.tolist()])


def other_phases(
    others: Sequence[Structure], breadths: Mapping[str, float], pattern: xr.Dataset, wavelength: float, first: int
) -> list[Phase]:
    """Phases with a column each, from the column `first` on: amount is the area of the strongest reflection."""
    phases = []
    for i, other in enumerate(others):
        lines = visible(other, pattern, wavelength)
        lines = lines.isel(reflection=lines.relative_intensity.to_numpy() > FAINT)
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
    By the optical theorem from the imaginary dispersion corrections of Cromer and Liberman (1981, doi
    10.1107/S0567739481000600), as gemmi has them: 2 r lambda sum(f'') / V.
    """
    import gemmi

    cell = gemmi.UnitCell(*structure.cell)
    operations = gemmi.SpaceGroup(structure.space_group).operations()
    total = 0.0
    for site in structure.sites:
        images = {
            tuple(np.round(np.mod(operation.apply_to_xyz([site.x, site.y, site.z]), 1.0), 4) % 1.0)
            for operation in operations
        }
        for symbol, occupancy in site.elements.items():
            number = gemmi.Element(symbol).atomic_number
            total += len(images) * occupancy * gemmi.cromer_liberman(number, HC / wavelength)[1]
    return 2 * physical_constants["classical electron radius"][0] * 1e10 * wavelength * total / cell.volume * 1e7
