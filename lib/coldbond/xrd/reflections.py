"""Reflections of a crystal structure in a powder pattern: angles and intensities.

gemmi calculates the structure factors from the asymmetric unit. The intensity of a set of equivalent lattice planes is
multiplicity times squared structure factor times Lorentz-polarisation factor (unpolarised beam, Bragg-Brentano
geometry without monochromator), times the March-Dollase factor where the structure is textured (Dollase 1986, doi
10.1107/S0021889886089458). The dispersion corrections are those of Cromer and Liberman (1981, doi
10.1107/S0567739481000600) at the wavelength.
"""

from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from coldbond.xrd.structures import Structure

if TYPE_CHECKING:  # gemmi is imported where it is used: readers and figures of other techniques do not need it
    import gemmi

#: Cu K-alpha1, angstrom, on the scale of Hoelzer et al. (1997, doi 10.1103/PhysRevA.56.4554).
CU_KALPHA1 = 1.5405929

#: Intensity over that of the strongest reflection below which a structure factor counts as vanishing.
VANISHING = 1e-6

#: Planck's constant times the speed of light, eV angstrom (CODATA 2018, exact).
HC = 12398.419843320026


@lru_cache
def reflections(
    structure: Structure, wavelength: float = CU_KALPHA1, two_theta: tuple[float, float] = (5.0, 90.0)
) -> xr.Dataset:
    """Return the reflections of a structure with their intensities in a powder pattern.

    Parameters
    ----------
    structure : Structure
        From `structures.STRUCTURES`, or one with another cell.
    wavelength : float
        Angstrom.
    two_theta : tuple of float
        Lowest and highest scattering angle, degree.

    Returns
    -------
    xarray.Dataset
        Over `reflection`, by ascending angle, each a set of equivalent lattice planes: `h`, `k`, `l`, `multiplicity`,
        `d` [angstrom], `two_theta` [degree], `structure_factor_squared`, `absolute_intensity`, which is multiplicity
        times squared structure factor times Lorentz-polarisation factor, and `relative_intensity` [strongest = 100].
        Sets that share an angle by coincidence (411 and 330) are separate; systematic absences and vanishing structure
        factors are left out. `cosine_squared` over (`reflection`, `plane`) belongs to the angle between the normal of
        each equivalent plane and the texture axis, NaN beyond the last plane. Attrs: `volume` [angstrom^3] and `mass`
        [dalton] of the cell. Results are cached; do not modify them.

    Raises
    ------
    ValueError
        There is no reflection between the two angles.

    Notes
    -----
    Atomic scattering factors are those of the International Tables (1992). Friedel pairs, which overlap in a powder
    pattern, are averaged.
    """
    import gemmi

    small = small_structure(structure)
    group = small.spacegroup
    mass = len(group.operations()) * sum(atom.occ * atom.element.weight for atom in small.sites)

    low, high = np.sin(np.radians(np.asarray(two_theta)) / 2)
    shortest = wavelength / (2 * high)
    hkl = gemmi.make_miller_array(small.cell, group, shortest, wavelength / (2 * low) if low > 0 else inf)
    if not len(hkl):
        raise ValueError(f"{structure.name} has no reflection between {two_theta[0]:g} and {two_theta[1]:g} degree")
    plain, real, imaginary = (gemmi.StructureFactorCalculatorX(small.cell) for _ in range(3))
    for element in {element for site in structure.sites for element in site.elements}:
        species = gemmi.Element(element)
        dispersion = gemmi.cromer_liberman(species.atomic_number, HC / wavelength)
        real.addends.set(species, dispersion[0])
        imaginary.addends.set(species, dispersion[1])
    factors = np.array(
        [
            [calculator.calculate_sf_from_small_structure(small, list(index)) for index in hkl.tolist()]
            for calculator in (plain, real, imaginary)
        ]
    )
    # F = F(f0 + f') + i F(f''); in the mean over a Friedel pair the squares of the two parts add up. The third
    # calculator gives F(f0 + f''), from which F(f0) is subtracted.
    squared = np.abs(factors[1]) ** 2 + np.abs(factors[2] - factors[0]) ** 2
    equivalents, distinct = _equivalents(group, hkl)
    multiplicity = distinct.sum(axis=1)
    d = np.array([small.cell.calculate_d(list(index)) for index in hkl.tolist()])
    theta = np.arcsin(wavelength / (2 * d))
    lorentz_polarisation = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    cosines = np.where(distinct, _cosines_squared(small.cell, equivalents, structure.texture_axis), np.nan)
    intensity = multiplicity * squared * lorentz_polarisation * march(cosines, structure.texture)
    named = equivalents[:, 0]
    order = np.argsort(theta, kind="stable")
    order = order[intensity[order] > VANISHING * intensity.max()]
    columns = {
        "h": (named[:, 0], ""),
        "k": (named[:, 1], ""),
        "l": (named[:, 2], ""),
        "multiplicity": (multiplicity, ""),
        "d": (d, "angstrom"),
        "two_theta": (np.degrees(2 * theta), "degree"),
        "structure_factor_squared": (squared, ""),
        "absolute_intensity": (intensity, ""),
        "relative_intensity": (100 * intensity / intensity.max(), ""),
    }
    return xr.Dataset(
        {name: ("reflection", values[order], {"units": units}) for name, (values, units) in columns.items()}
        | {"cosine_squared": (("reflection", "plane"), cosines[order])},
        attrs={
            "name": structure.name,
            "source": structure.source,
            "wavelength": wavelength,
            "volume": small.cell.volume,
            "mass": mass,
        },
    )


def small_structure(structure: Structure) -> "gemmi.SmallStructure":
    """Return a structure as gemmi calculates structure factors from it.

    The occupancy of an atom on a symmetry element is divided by the number of operations that map it onto itself, so
    that the sum over all operations counts it once.
    """
    import gemmi

    small = gemmi.SmallStructure()
    small.cell = gemmi.UnitCell(*structure.cell)
    small.spacegroup = gemmi.SpaceGroup(structure.space_group)
    for site in structure.sites:
        for element, occupancy in site.elements.items():
            atom = gemmi.SmallStructure.Site()
            atom.label = site.label
            atom.element = gemmi.Element(element)
            atom.fract = gemmi.Fractional(site.x, site.y, site.z)
            atom.occ = occupancy
            atom.u_iso = structure.displacement if site.displacement is None else site.displacement
            small.add_site(atom)
    small.setup_cell_images()  # without it gemmi sums the asymmetric unit only, without a warning
    small.change_occupancies_to_crystallographic()
    return small


def march(cosine_squared: np.ndarray, coefficient: float) -> np.ndarray:
    """Return the March-Dollase factor of reflections for a texture about one axis, shape (n,).

    Parameters
    ----------
    cosine_squared : array, shape (n, planes)
        From `reflections`.
    coefficient : float
        March coefficient r: 1 without texture, below 1 where the planes whose normal is the axis lie parallel to the
        surface (Dollase 1986, doi 10.1107/S0021889886089458).
    """
    if coefficient == 1:
        return np.ones(len(cosine_squared))
    spread = coefficient**2 * cosine_squared + (1 - cosine_squared) / coefficient
    return np.nanmean(spread**-1.5, axis=1)


def _cosines_squared(cell: "gemmi.UnitCell", planes: np.ndarray, axis: tuple[int, int, int] | None) -> np.ndarray:
    """Return the squared cosine between the normal of each plane, shape (n, planes, 3), and the axis."""
    reciprocal = np.array(cell.frac.mat.tolist())
    normals, along = planes @ reciprocal, np.array(axis or (0, 0, 1)) @ reciprocal
    return (normals @ along) ** 2 / (normals**2).sum(axis=2) / (along @ along)


def _equivalents(group: "gemmi.SpaceGroup", hkl: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the planes equivalent to each by the Laue group, shape (n, planes, 3), and which of them are distinct.

    The first has the conventional indices: the fewest negative ones, then the largest.
    """
    turns = np.array([operation.rot for operation in group.operations().sym_ops]) // 24  # gemmi counts in 24ths
    images = np.einsum("ni,pij->npj", hkl, np.concatenate([turns, -turns]))
    # One number per plane, whose order is that of the convention: equal numbers are equal planes.
    digit = 2 * np.abs(images).max() + 1
    rank = images @ [digit**2, digit, 1] - (images < 0).sum(axis=2) * digit**3
    order = np.argsort(-rank, axis=1)
    rank = np.take_along_axis(rank, order, axis=1)
    distinct = np.diff(rank, axis=1, prepend=rank[:, :1] + 1) != 0
    order = np.take_along_axis(order, np.argsort(~distinct, axis=1, kind="stable"), axis=1)
    most = distinct.sum(axis=1).max()
    distinct = np.arange(most) < distinct.sum(axis=1)[:, None]
    return np.take_along_axis(images, order[:, :most, None], axis=1), distinct
