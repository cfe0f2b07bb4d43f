"""Reference reflections against published lines, densities, and a structure-factor sum written out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from coldbond.xrd.reflections import reflections
from coldbond.xrd.structures import STRUCTURES

CU = 1.5405929

#: Lines of the phases at Cu K-alpha1: two_theta / degree and, where it was noted, relative intensity, both as computed
#: by another program from the same structures. 611 of the garnet is 611 with 532, which lie at one angle.
LINES = {
    "LLZTO": {
        "211": (16.74, 79),
        "220": (19.36, 23),
        "321": (25.70, 59),
        "400": (27.51, 57),
        "420": (30.83, 84),
        "422": (33.86, 100),
        "521": (38.00, 45),
        "611": (42.99, 44),
        "640": (50.76, 31),
        "642": (52.82, 82),
    },
    "Li5La3Nb2O12": {
        "211": (16.96, None),
        "321": (26.03, None),
        "400": (27.86, None),
        "420": (31.23, None),
        "422": (34.30, None),
        "642": (53.54, None),
    },
    "InN": {"100": (29.12, 35), "002": (31.34, 31), "101": (33.16, 100), "102": (43.31, 19)},
    "In": {"101": (32.93, None), "002": (36.30, None), "110": (39.13, None)},
    "Li": {"110": (36.16, None), "200": (52.07, None), "211": (65.04, None)},
    "La2Zr2O7": {"222": (28.60, 100), "400": (33.14, None), "331": (36.21, None), "440": (47.57, 49)},
    "Li2O": {"111": (33.58, None)},
    "Li3N": {"001": (22.93, None), "100": (28.22, None)},
    "LiIn": {"111": (22.68, None), "220": (37.45, None)},
}

#: g/cm3 as tabulated for the substances (CRC Handbook; the garnets' from their published cells): a site that is lost,
#: doubled or placed at a wrong multiplicity shows here.
DENSITIES = {
    "LLZTO": 5.46,
    "t-Li7La3Zr2O12": 5.11,
    "Li5La3Nb2O12": 5.2,
    "InN": 6.81,
    "In": 7.31,
    "Li": 0.534,
    "La2Zr2O7": 6.05,
    "Li2CO3": 2.11,
    "Li3N": 1.29,
    "Li2O": 2.01,
    "LiIn": 5.2,
    "Si": 2.329,
    "LaB6": 4.72,
}


def line(found, hkl):
    named = np.stack([found[name] for name in "hkl"], axis=1)
    return found.isel(reflection=(named == [int(digit) for digit in hkl]).all(axis=1))


@pytest.mark.parametrize(("phase", "hkl"), [(phase, hkl) for phase, lines in LINES.items() for hkl in lines])
def test_lines_lie_where_published(phase, hkl):
    found = reflections(STRUCTURES[phase], CU)
    position, intensity = LINES[phase][hkl]
    at = line(found, hkl)
    assert at.sizes["reflection"] == 1
    assert at.two_theta.item() == pytest.approx(position, abs=0.02)
    if intensity is not None:
        same_angle = np.abs(found.two_theta - at.two_theta.item()) < 1e-6
        assert found.relative_intensity[same_angle].sum().item() == pytest.approx(intensity, abs=10)


@pytest.mark.parametrize("phase", STRUCTURES)
def test_cell_holds_the_density_of_the_substance(phase):
    gemmi = pytest.importorskip("gemmi")
    structure = STRUCTURES[phase]
    operations = list(gemmi.SpaceGroup(structure.space_group).operations())
    mass = 0.0
    for site in structure.sites:
        images = {
            tuple(np.round(np.mod(operation.apply_to_xyz([site.x, site.y, site.z]), 1), 4) % 1)
            for operation in operations
        }
        assert len(images) == int(site.label.split()[1][:-1])  # the Wyckoff letter's multiplicity
        mass += len(images) * sum(gemmi.Element(e).weight * occupancy for e, occupancy in site.elements.items())
    density = mass * 1.66054 / gemmi.UnitCell(*structure.cell).volume
    assert density == pytest.approx(DENSITIES[phase], rel=0.025)


def test_structure_factors_of_indium_nitride_written_out():
    """Two In and two N in the cell, each with f0 + f' + i f'': no symmetry, no library's sum."""
    gemmi = pytest.importorskip("gemmi")
    structure = STRUCTURES["InN"]
    found = reflections(structure, CU, (20, 90))
    a, c = structure.cell[0], structure.cell[2]
    places = {"In": [(1 / 3, 2 / 3, 0.0), (2 / 3, 1 / 3, 0.5)], "N": [(1 / 3, 2 / 3, 0.377), (2 / 3, 1 / 3, 0.877)]}
    theta = np.radians(found.two_theta.to_numpy()) / 2
    strength = []
    for hkl, t, m in zip(
        found[list("hkl")].to_dataframe().to_numpy(), theta, found.multiplicity.to_numpy(), strict=True
    ):
        hexagonal = 4 / 3 * (hkl[0] ** 2 + hkl[0] * hkl[1] + hkl[1] ** 2) / a**2 + (hkl[2] / c) ** 2
        assert hexagonal**-0.5 == pytest.approx(CU / 2 / np.sin(t))
        s2 = (np.sin(t) / CU) ** 2
        squares = []
        for sign in (1, -1):
            total = 0j
            for name, atoms in places.items():
                element = gemmi.Element(name)
                f1, f2 = gemmi.cromer_liberman(element.atomic_number, 12398.42 / CU)
                f = element.it92.calculate_sf(s2) + f1 + 1j * f2
                total += f * np.exp(2j * np.pi * sign * np.array(atoms) @ hkl).sum()
            squares.append(abs(total * np.exp(-8 * np.pi**2 * structure.displacement * s2)) ** 2)
        strength.append(m * np.mean(squares) * (1 + np.cos(2 * t) ** 2) / (np.sin(t) ** 2 * np.cos(t)))
    np.testing.assert_allclose(found.absolute_intensity, strength, rtol=1e-3)


def test_reflections_scale_with_the_cell():
    larger = replace(STRUCTURES["Li"], cell=(3.52, 3.52, 3.52, 90.0, 90.0, 90.0))
    d = reflections(larger, CU).d.to_numpy()
    np.testing.assert_allclose(d, 3.52 / np.sqrt([2, 4, 6, 8, 10]), rtol=1e-9)


def test_no_reflection_in_the_range_is_said():
    with pytest.raises(ValueError, match="Li has no reflection between 5 and 30"):
        reflections(STRUCTURES["Li"], CU, (5, 30))
