"""Reflections of a crystal structure in a powder pattern: where they lie and how strong they are."""

from functools import lru_cache
from math import inf

import numpy as np
import xarray as xr

from coldbond.xrd.structures import Structure

#: Planck's constant times the speed of light, eV angstrom (CODATA 2018, exact).
HC = 12398.419843320026


@lru_cache
def reflections(
    structure: Structure, wavelength: float = 1.5405929, two_theta: tuple[float, float] = (5.0, 90.0)
) -> xr.Dataset:
    """Return the reflections of a structure with their intensities in a powder pattern.

    Parameters
    ----------
    structure : Structure
        From `structures.STRUCTURES`, or one with another cell.
    wavelength : float
        In angstrom; Cu K-alpha1 on the scale of Hoelzer et al. (1997, doi 10.1103/PhysRevA.56.4554) unless given.
    two_theta : tuple of float
        Lowest and highest scattering angle, degree.

    Returns
    -------
    xarray.Dataset
        Over `reflection`, by rising angle, each a set of equivalent lattice planes: `h`, `k`, `l`, `multiplicity`,
        `d` [angstrom], `two_theta` [degree], `structure_factor_squared`, `absolute_intensity`, which is multiplicity
        times squared structure factor times Lorentz-polarisation factor, and `relative_intensity` [strongest = 100].
        Sets that happen to share an angle (411 and 330) are kept apart; those that the space group extinguishes, or
        whose structure factor vanishes, are left out. `cosine_squared` over (`reflection`, `plane`)
        is that of the angle between each plane's normal and the texture's axis, NaN beyond the last plane. Attrs:
        `volume` [angstrom^3] and `mass` [dalton] of the cell. It is kept, and the same for the next who asks.

    Raises
    ------
    ValueError
        There is no reflection between the two angles.

    Notes
    -----
    Structure factors by gemmi, with the atoms' scattering factors of the International Tables (1992) and the dispersion
    corrections of Cromer and Liberman (1981, doi 10.1107/S0567739481000600). Friedel pairs, which a powder does not
    tell apart, are averaged. Unpolarised beam, no monochromator.
    """
    import gemmi

    small = gemmi.SmallStructure()
    small.cell = gemmi.UnitCell(*structure.cell)
    group = gemmi.SpaceGroup(structure.space_group)
    small.spacegroup = group
    for site in structure.sites:
        for element, occupancy in site.elements.items():
            atom = gemmi.SmallStructure.Site()
            atom.label = site.label
            atom.element = gemmi.Element(element)
            atom.fract = gemmi.Fractional(site.x, site.y, site.z)
            atom.occ = occupancy
            atom.u_iso = structure.displacement
            small.add_site(atom)
    small.setup_cell_images()  # without it the structure factor sums the asymmetric unit only, and says nothing
    small.change_occupancies_to_crystallographic()  # an atom on a symmetry element is met by several operations

    mass = len(group.operations()) * sum(atom.occ * atom.element.weight for atom in small.sites)

    low, high = np.sin(np.radians(np.asarray(two_theta)) / 2)
    shortest = wavelength / (2 * high)
    hkl = gemmi.make_miller_array(small.cell, group, shortest, wavelength / (2 * low) if low > 0 else inf)
    if not len(hkl):
        raise ValueError(f"{structure.name} has no reflection between {two_theta[0]:g} and {two_theta[1]:g} degree")
    plain, real, imaginary = (gemmi.StructureFactorCalculatorX(small.cell) for _ in range(3))
    for element in {element for site in structure.sites for element in site.elements}:
        atom = gemmi.Element(element)
        dispersion = gemmi.cromer_liberman(atom.atomic_number, HC / wavelength)
        real.addends.set(atom, dispersion[0])
        imaginary.addends.set(atom, dispersion[1])
    factors = np.array(
        [
            [calculator.calculate_sf_from_small_structure(small, list(index)) for index in hkl.tolist()]
            for calculator in (plain, real, imaginary)
        ]
    )
    # F = F(f0 + f') + i F(f''): averaged over a Friedel pair, the squares of the two parts add up
    squared = np.abs(factors[1]) ** 2 + np.abs(factors[2] - factors[0]) ** 2
    equivalents, distinct = _equivalents(group, hkl)
    multiplicity = distinct.sum(axis=1)
    d = np.array([small.cell.calculate_d(list(index)) for index in hkl.tolist()])
    theta = np.arcsin(wavelength / (2 * d))
    polarisation = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    cosines = np.where(distinct, _cosines_squared(small.cell, equivalents, structure.texture_axis), np.nan)
    intensity = multiplicity * squared * polarisation * march(cosines, structure.texture)
    named = equivalents[:, 0]
    order = np.argsort(theta, kind="stable")
    order = order[intensity[order] > 1e-6 * intensity.max()]
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


def march(cosine_squared: np.ndarray, coefficient: float) -> np.ndarray:
    """Return by how much texture about an axis strengthens reflections, shape (n,).

    Parameters
    ----------
    cosine_squared : array, shape (n, planes)
        From `reflections`.
    coefficient : float
        March's: 1 without texture, below 1 where the planes whose normal is the axis lie flat (Dollase 1986, doi
        10.1107/S0021889886089458).
    """
    if coefficient == 1:
        return np.ones(len(cosine_squared))
    spread = coefficient**2 * cosine_squared + (1 - cosine_squared) / coefficient
    return np.nanmean(spread**-1.5, axis=1)


def _cosines_squared(cell, planes: np.ndarray, axis: tuple[int, int, int] | None) -> np.ndarray:
    """Return the squared cosine between the normal of each plane, shape (n, planes, 3), and the axis."""
    reciprocal = np.array(cell.frac.mat.tolist())
    normals, along = planes @ reciprocal, np.array(axis or (0, 0, 1)) @ reciprocal
    return (normals @ along) ** 2 / (normals**2).sum(axis=2) / (along @ along)


def _equivalents(group, hkl: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lattice planes that point group and inversion make of each, shape (n, planes, 3), and which are new.

    The first is the one with the usual name: the fewest negative indices, then the largest.
    """
    turns = np.array([operation.rot for operation in group.operations().sym_ops]) // 24  # gemmi counts in 24ths
    images = np.einsum("ni,pij->npj", hkl, np.concatenate([turns, -turns]))
    digit = 2 * np.abs(images).max() + 1
    rank = images @ [digit**2, digit, 1] - (images < 0).sum(axis=2) * digit**3
    order = np.argsort(-rank, axis=1)
    rank = np.take_along_axis(rank, order, axis=1)
    distinct = np.diff(rank, axis=1, prepend=rank[:, :1] + 1) != 0
    order = np.take_along_axis(order, np.argsort(~distinct, axis=1, kind="stable"), axis=1)
    most = distinct.sum(axis=1).max()
    distinct = np.arange(most) < distinct.sum(axis=1)[:, None]
    return np.take_along_axis(images, order[:, :most, None], axis=1), distinct
