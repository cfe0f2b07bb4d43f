"""The forward model of powder patterns against tables, closed forms and sums that it does not contain itself."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest

from independent import powder
from independent.powder import CRYSTALS, Diffractometer, Phase

IDEAL = Diffractometer(anode="Cu K-alpha1", axial=(0, 0), slit=0.01, focus=0.0, divergence=0.0)


@pytest.mark.parametrize(("name", "ratio"), [("ZnO", 5.4), ("CaF2", 3.9), ("Si", 4.7), ("LaB6", 9.1)])
def test_intensities_relative_to_corundum_are_those_of_the_powder_diffraction_file(name, ratio):
    strongest = [powder.lines(Phase(CRYSTALS[of]), "Cu", 0.0, 1.2)[1].max() for of in (name, "Al2O3")]
    assert strongest[0] / strongest[1] == pytest.approx(ratio, rel=0.05)


@pytest.mark.parametrize(("name", "density"), [("tetragonal garnet", 5.11), ("fluorapatite", 3.20), ("Li2CO3", 2.10)])
def test_structures_have_the_atoms_that_they_should(name, density):
    small = powder.small_structure(CRYSTALS[name])
    weight = len(gemmi.SpaceGroup(CRYSTALS[name].space_group).operations())
    weight *= sum(site.occ * site.element.weight for site in small.sites)
    assert 1.66054 * weight / small.cell.volume == pytest.approx(density, abs=0.02)


def test_texture_redistributes_intensity():
    """Over all directions the March-Dollase density is one: the sum of |F|^2 is moved, not made."""
    plain, textured = (
        dict(zip(*powder.lines(Phase(CRYSTALS["InN"], march=r), "Cu", 0, 1), strict=True)) for r in (1, 0.5)
    )
    basal = max(d for d in plain if abs(d - 5.7033 / 2) < 1e-6)
    assert textured[basal] == pytest.approx(plain[basal] * 0.5**-3, rel=1e-6)
    prism = max(d for d in plain if abs(d - 3.5378 * np.sqrt(3) / 2) < 1e-6)
    assert textured[prism] == pytest.approx(plain[prism] * 0.5**1.5, rel=1e-6)


@pytest.mark.parametrize(("size", "strain", "power"), [(30.0, 0.0, 1.6), (1e6, 4e-3, 2.0), (1e6, 4e-3, 1.0)])
def test_a_line_is_as_broad_as_size_and_strain_say(monkeypatch, size, strain, power):
    monkeypatch.setitem(powder.EMISSION, "Cu K-alpha1", ((8047.8, 1e-3, 1.0),))
    phase = Phase(CRYSTALS["Si"], size=size, strain=strain, power=power)
    theta = np.arcsin(1.540593 / 2 * np.sqrt(8) / 5.43118)
    two_theta = np.degrees(2 * theta) + np.arange(-4, 4, 0.005)
    counts = powder.peaks([phase], IDEAL, two_theta)
    breadth = np.degrees(1.540593 / (10 * size) / np.cos(theta) + 4 * strain * np.tan(theta))
    beyond = 0.06 if power == 1 else 0.01  # of the area, in the tails
    assert np.trapezoid(counts, two_theta) / counts.max() == pytest.approx(breadth, rel=beyond)
    assert powder.integral_breadth(phase, np.degrees(2 * theta)) == pytest.approx(breadth, rel=0.005)


def test_displacement_zero_and_slits_move_a_line_as_geometry_says():
    phase, theta = Phase(CRYSTALS["Si"], size=60, strain=0), np.arcsin(1.540593 / 2 * np.sqrt(3) / 5.43118)
    two_theta = np.degrees(2 * theta) + np.arange(-2, 2, 0.005)

    def centroid(instrument, **options):
        counts = powder.peaks([phase], instrument, two_theta, depth=0.0, **options)
        return np.average(two_theta, weights=counts)

    at = centroid(IDEAL)
    lowered = np.degrees(-2 * 0.1 * np.cos(theta) / IDEAL.radius)
    assert centroid(IDEAL, displacement=0.1) - at == pytest.approx(lowered, rel=0.02)
    assert centroid(replace(IDEAL, zero=0.05)) - at == pytest.approx(0.05, rel=0.02)
    flat = -np.degrees(np.radians(1.0) ** 2 / 6 / np.tan(theta))  # Wilson 1963
    assert centroid(replace(IDEAL, divergence=1.0)) - at == pytest.approx(flat, rel=0.1)
    axial = -np.degrees((0.02**2 + 0.03**2) / 3 / 2 / np.tan(2 * theta))
    assert centroid(replace(IDEAL, axial=(0.02, 0.03))) - at == pytest.approx(axial, rel=0.1)


def test_a_structure_reads_back_from_its_cif():
    for name in ("Li2CO3", "fluorapatite", "La2Zr2O7"):
        block = gemmi.cif.read_string(powder.cif(CRYSTALS[name], name)).sole_block()
        read = gemmi.make_small_structure_from_block(block)
        made = powder.small_structure(CRYSTALS[name])
        assert read.cell.parameters == made.cell.parameters
        assert read.spacegroup.xhm() == made.spacegroup.xhm()
        assert [site.occ for site in read.sites] == pytest.approx([atom.occupancy for atom in CRYSTALS[name].atoms])
        assert [site.u_iso for site in read.sites] == pytest.approx([site.u_iso for site in made.sites], rel=1e-4)


def test_noise_depends_on_the_seed_alone():
    made = [powder.counted(seed, [Phase(CRYSTALS["LaB6"])], low=20, high=40)[1] for seed in (1, 1, 2)]
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])
