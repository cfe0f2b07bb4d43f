"""Reflections of a powder: spacings and intensities from structure factors, texture and absorption.

The structure factor is summed over all atoms of the cell, and the intensity over all reflections hkl of one spacing,
each weighted by the March-Dollase density of its direction. No multiplicity enters. Form factors and anomalous terms
are those of gemmi.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import gemmi
import numpy as np
from scipy.constants import c, e, h, physical_constants

HC = h * c / e * 1e10  # eV angstrom
ENERGY = 8047.8  # eV, Cu K-alpha1; used in the form factors for all lines of the tube
ELECTRON_RADIUS = physical_constants["classical electron radius"][0] * 1e10  # angstrom


@dataclass(frozen=True)
class Site:
    """A crystallographic site: elements, position and displacement parameter."""

    elements: tuple[tuple[str, float], ...]  # symbol and occupancy
    position: tuple[float, float, float]  # fractional
    b: float  # angstrom2, isotropic displacement parameter


@dataclass(frozen=True)
class Crystal:
    """A crystal structure."""

    space_group: str
    cell: tuple[float, float, float, float, float, float]  # angstrom, degree
    sites: tuple[Site, ...]


@dataclass(frozen=True)
class Phase:
    """A phase as it occurs in a sample."""

    crystal: Crystal
    fraction: float = 1.0  # of the volume of its layer
    size: float = 300.0  # nm, median diameter of its crystallites, spheres of lognormal distribution
    spread: float = 0.35  # sigma of ln(diameter)
    strain: float = 0.0  # rms of the variation of the lattice parameter
    preferred: tuple[int, int, int] = (0, 0, 1)  # crystal direction along the surface normal
    march: float = 1.0  # March parameter: below 1 the preferred direction is frequent, 1 is none


def reciprocal(cell: Sequence[float]) -> np.ndarray:
    """Return the reciprocal basis vectors [1/angstrom] as the rows of a matrix: hkl @ matrix is a Cartesian vector."""
    return np.array(gemmi.UnitCell(*cell).frac.mat.tolist())


def structure_factors(crystal: Crystal, hkl: np.ndarray) -> np.ndarray:
    """Return the complex structure factors, shape (n,), of the cell for the reflections `hkl`, shape (n, 3).

    Form factors of International Tables C (1992) and the anomalous terms of Cromer and Liberman, both from gemmi; the
    atoms of the cell are written out by the operations of the space group and summed.
    """
    stol2 = (np.linalg.norm(hkl @ reciprocal(crystal.cell), axis=1) / 2) ** 2
    levels, level = np.unique(stol2.round(12), return_inverse=True)
    total = np.zeros(len(hkl), complex)
    for site in crystal.sites:
        phases = np.exp(2j * np.pi * hkl @ equivalent(crystal.space_group, site.position).T).sum(axis=1)
        scattering = np.zeros(len(levels), complex)
        for symbol, occupancy in site.elements:
            element = gemmi.Element(symbol)
            normal = np.array([element.it92.calculate_sf(s2) for s2 in levels.tolist()])
            scattering += occupancy * (normal + complex(*gemmi.cromer_liberman(element.atomic_number, ENERGY)))
        total += (scattering * np.exp(-site.b * levels))[level] * phases
    return total


def equivalent(space_group: str, position: Sequence[float]) -> np.ndarray:
    """Return the distinct equivalent positions in the cell, shape (n, 3)."""
    operations = gemmi.SpaceGroup(space_group).operations()
    images = np.array([operation.apply_to_xyz(list(position)) for operation in operations])
    _, first = np.unique(np.round(images % 1.0, 5) % 1.0, axis=0, return_index=True)
    return images[first]


def march_dollase(cosine: np.ndarray, march: float) -> np.ndarray:
    """Return the density of orientations relative to random ones; `cosine` is that of the angle to the texture axis.

    Dollase (1986) J. Appl. Cryst. 19, 267, doi 10.1107/S0021889886089458. Its mean over the sphere is 1.
    """
    return (march**2 * cosine**2 + (1 - cosine**2) / march) ** -1.5


@lru_cache(maxsize=64)
def reflections(phase: Phase, shortest: float) -> tuple[np.ndarray, np.ndarray]:
    """Return spacings d [angstrom] and scattering powers [1/angstrom4] of a phase down to the spacing `shortest`.

    The power is the sum of |F|^2 over all hkl of one spacing, weighted by texture, over the cell volume squared: a
    multiplicity appears nowhere. Lines of less than 2e-5 of the strongest are left out.
    """
    crystal = phase.crystal
    basis = reciprocal(crystal.cell)
    limits = (np.array(crystal.cell[:3]) / shortest).astype(int) + 1
    axes = [np.arange(-limit, limit + 1) for limit in limits]
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    lengths = np.linalg.norm(hkl @ basis, axis=1)
    hkl = hkl[(lengths > 0) & (lengths <= 1 / shortest)]
    vectors = hkl @ basis
    lengths = np.linalg.norm(vectors, axis=1)
    axis = np.array(phase.preferred) @ basis
    cosine = vectors @ axis / (lengths * np.linalg.norm(axis))
    weight = np.abs(structure_factors(crystal, hkl)) ** 2 * march_dollase(cosine, phase.march)
    spacings, group = np.unique((1 / lengths).round(7), return_inverse=True)
    power = np.bincount(group, weight) / gemmi.UnitCell(*crystal.cell).volume ** 2
    seen = power > 2e-5 * power.max()
    return spacings[seen], power[seen]


def absorption(crystal: Crystal) -> float:
    """Return the linear absorption coefficient [1/mm] for Cu K-alpha, photoelectric, by the optical theorem."""
    volume = gemmi.UnitCell(*crystal.cell).volume
    imaginary = sum(
        len(equivalent(crystal.space_group, site.position))
        * sum(n * gemmi.cromer_liberman(gemmi.Element(symbol).atomic_number, ENERGY)[1] for symbol, n in site.elements)
        for site in crystal.sites
    )
    return 2 * ELECTRON_RADIUS * HC / ENERGY * imaginary / volume * 1e7


def lorentz_polarisation(theta: np.ndarray) -> np.ndarray:
    """Return the Lorentz-polarisation factor of a powder, without monochromator; `theta` [rad]."""
    return (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
