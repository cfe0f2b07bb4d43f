"""A main phase that a pattern does not show is refused; one that it shows, however disturbed, never is."""

from dataclasses import replace

import numpy as np
import pytest

import of_others
from coldbond.files import read
from coldbond.xrd import analysis, main_phase, pawley
from coldbond.xrd.structures import STRUCTURES
from diffraction import pattern

GARNET = STRUCTURES["LLZTO"]
OTHERS = ["InN", "In", "Li", "La2Zr2O7", "Li2CO3", "Li3N", "Li2O", "LiIn", "Si", "LaB6"]
RANGES = [(25, 60, 0.03), (10, 90, 0.02), (10, 80, 0.01), (15, 40, 0.02)]


def garnet(strain=0.0, texture=1.0, axis=(1, 1, 0)):
    a = GARNET.cell[0] * (1 + strain)
    return replace(GARNET, cell=(a, a, a, 90.0, 90.0, 90.0), texture=texture, texture_axis=axis)


@pytest.mark.parametrize("seed", range(40))
def test_the_main_phase_is_found_beside_others_shifted_textured_and_poorly_counted(seed):
    """Others have up to twice the strongest area of the garnet, and some are six times as sharp."""
    rng = np.random.default_rng(seed)
    area, size = float(rng.choice([2.0, 6.0, 60.0, 600.0])), float(rng.choice([0.04, 0.1, 0.3]))
    axis = [(1, 1, 0), (1, 0, 0), (1, 1, 1), (2, 1, 1)][rng.integers(4)]
    main = garnet(rng.uniform(-0.01, 0.01), float(rng.choice([1.0, 0.5, 2.0])), axis)
    beside = [
        (STRUCTURES[str(name)], area * rng.uniform(0.3, 2), float(rng.choice([0.04, 0.3])), 0.0)
        for name in rng.choice(OTHERS, rng.integers(0, 3), replace=False)
    ]
    level = float(rng.choice([20.0, 200.0, 1000.0]))
    options = {"displacement": rng.uniform(-0.5, 0.5), "background": (level, 0.3 * level)}
    made = pattern([(main, area, size, 0.05), *beside], *RANGES[rng.integers(4)], rng=rng, **options)
    main_phase.check_lines(made, GARNET)


@pytest.mark.parametrize("name", ["In", "Li", "La2Zr2O7", "Li2CO3", "LiIn", "LaB6"])
def test_another_material_is_refused_before_the_fit(name, monkeypatch):
    monkeypatch.setattr("coldbond.xrd.likely_cause.likely_cause", lambda *_: "")
    monkeypatch.setattr("coldbond.xrd.pawley.fit", None)
    made = pattern([(STRUCTURES[name], 600.0, 0.04, 0.05)], 15, 60, 0.02, rng=np.random.default_rng(1))
    with pytest.raises(ValueError, match=r"LLZTO does not describe the pattern.*in the parameter main, one of LLZTO"):
        analysis.analyse(made, "LLZTO", [])


def test_few_lines_and_a_film_with_a_habit_are_left_to_the_fit():
    film = replace(STRUCTURES["InN"], texture=0.1)
    made = pattern([(film, 600.0, 0.04, 0.0)], 25, 90, 0.02, rng=np.random.default_rng(1))
    assert np.isnan(main_phase.line_height(made, STRUCTURES["InN"]))
    assert np.isnan(main_phase.line_height(made, STRUCTURES["Si"]))
    assert np.isnan(main_phase.line_height(made.sel(two_theta=slice(25, 29)), GARNET))


def test_the_height_does_not_depend_on_the_unit_of_the_intensity():
    made = pattern([(GARNET, 600.0, 0.04, 0.05)], rng=np.random.default_rng(1))
    height = main_phase.line_height(made, GARNET)
    assert 0.7 < height < 1.3
    assert main_phase.line_height(made.assign(intensity=made.intensity / 1000), GARNET) == pytest.approx(height)


@pytest.mark.parametrize(("geometry", "far", "near"), [("displacement", 7.0, 3.0), ("zero", -3.5, 2.5)])
def test_reflections_that_were_moved_by_degrees_are_refused(geometry, far, near):
    """A displacement of 7 mm on a radius of 185 mm shifts by 4.3 degree, one of 3 mm by 1.9."""
    made = pattern([(STRUCTURES["Li"], 600.0, 0.04, 0.05)], rng=np.random.default_rng(1))
    fit = pawley.fit(made, STRUCTURES["Li"], geometry=geometry, rough=True)
    fit.params[geometry].value = near
    main_phase.check_parameters(fit, made, "Li")
    fit.params[geometry].value = far
    with pytest.raises(main_phase.NotDescribed, match=r"Li does not describe the pattern.* shifted by -\d.\d degree"):
        main_phase.check_parameters(fit, made, "Li")


@pytest.mark.parametrize(
    "file",
    [
        "xrd-bruker-brml/23-012-AG.brml",
        "xrd-panalytical-xrdml/XRD-918-16_10.xrdml",
        "xrd-rigaku-rasx-powder/TwoTheta_scan_powder.rasx",
        "xrd-rigaku-ras-nims/XRD_RIGAKU.ras",
        "xrd-zno-counts-rasx/ZnO-ALD-training_001_1_0-000_0-000.rasx",
        "xrd-nist-lab6-660c/nist_srm660c_100a.cif",
        "formats-spectra/datalab__TiO2.raw",
        "xrd-dara-mixtures/V2O5_0p2013-La(OH)3_0p5000-ZrO2_0p3001--8min.xrdml",
        "xrd-dara-mixtures/Li2CO3_0p9001-ZrO2_0p1000--8min.xrdml",
    ],
)
def test_measured_patterns_of_other_materials_are_refused(file):
    with pytest.raises(ValueError, match=r"LLZTO does not describe the pattern.*in the parameter main"):
        analysis.analyse(read(of_others.file(file)), "LLZTO", ["La2Zr2O7", "Li2CO3"])
