"""Cubic, tetragonal, both, two cells, or what cannot be told: against the independent forward model of powders."""

import pytest

from coldbond.files.spectrum import spectrum
from coldbond.interval import Interval
from coldbond.xrd import analysis, symmetry
from coldbond.xrd.findings import garnet_findings, pattern_findings
from coldbond.xrd.lattice import lattice_parameters
from coldbond.xrd.reflections import small_structure
from coldbond.xrd.structures import STRUCTURES
from coldbond.xrd.varieties import SUFFIX
from independent import powder

VARIETY = "t-Li7La3Zr2O12"
GARNET, TETRAGONAL = powder.CRYSTALS["garnet"], powder.CRYSTALS["tetragonal garnet"]


def tetragonal(ratio, edge=12.955):
    a = edge * ratio ** (-1 / 3)
    return TETRAGONAL.of_cell(a, a * ratio)


def measured(tmp_path, phases, anode="Cu", stated=None, seed=3, **options):
    instrument = powder.Diffractometer(anode, radius=185.0, divergence=0.3, zero=0.01)
    options = {"low": 24.0, "high": 62.0, "displacement": 0.05, **options}
    two_theta, counts = powder.counted(seed, phases, instrument, **options)
    first, second = stated or powder.WAVELENGTHS[anode]
    attrs = {"wavelength_kalpha1": first, "wavelength_kalpha2": second, "goniometer_radius": 185.0}
    made = spectrum(tmp_path / "made", "xrd", two_theta, counts, one_count=1.0, attrs=attrs)
    return made.assign_attrs(sample="A", state="pristine", file="A.ras", sha256="0", origin="synthetic")


def found(tmp_path, phases, **options):
    return analysis.analyse(measured(tmp_path, phases, **options), "LLZTO", [], tetragonal=VARIETY)


def values(result):
    rows = [*garnet_findings({"A": result}), *pattern_findings({"A": result}, "Li5La3Nb2O12")]
    return {row["quantity"]: row for row in rows}


def test_atoms_of_the_tetragonal_garnet_have_the_distances_of_a_garnet():
    small = small_structure(STRUCTURES[VARIETY])
    sites = {site.label: site for site in small.sites}
    distances = [
        min(
            small.cell.find_nearest_image(small.cell.orthogonalize(sites["Zr 16c"].fract), position).dist()
            for position in [small.cell.orthogonalize(sites[name].fract)]
        )
        for name in ("O1 32g",)
    ]
    assert distances[0] == pytest.approx(2.11, abs=0.02)


def test_a_mixture_has_both_cells_and_the_share(tmp_path):
    result = found(tmp_path, [powder.Phase(GARNET, 80), powder.Phase(tetragonal(0.975, 12.96), 20)])
    rows = values(result)
    assert rows["tetragonal_garnet_present"]["value"] is True
    assert rows["cubic_garnet_present"]["value"] is True
    share = rows["tetragonal_garnet_share"]
    assert share["low"] - 0.5 < 20 < share["high"] + 0.5
    cells = lattice_parameters(result.fits, SUFFIX).intervals
    a, _, c, *_ = tetragonal(0.975, 12.96).cell
    assert cells["a"].low < a < cells["a"].high
    assert cells["c"].low < c < cells["c"].high
    assert rows["matches_reference"]["value"] is False
    assert not result.stray_peaks.sizes["peak"]


def test_a_little_tetragonal_garnet_near_cubic_cannot_be_told(tmp_path):
    result = found(tmp_path, [powder.Phase(GARNET, 98, size=80), powder.Phase(tetragonal(0.995), 2, size=80)])
    rows = values(result)
    assert rows["tetragonal_garnet_present"]["value"] is None
    assert 2 < rows["tetragonal_garnet_share"]["high"] < 50
    assert (
        "could hide" in rows["tetragonal_garnet_present"]["note"] or "hint" in rows["tetragonal_garnet_present"]["note"]
    )


def test_a_cubic_garnet_is_cubic(tmp_path):
    result = found(tmp_path, [powder.Phase(GARNET)], height=40_000.0)
    rows = values(result)
    assert rows["tetragonal_garnet_present"]["value"] is not True
    assert rows["cubic_garnet_present"]["value"] is True
    assert rows["two_cubic_garnets"]["value"] is not True
    assert rows["matches_reference"]["value"] is True


def test_two_cubic_cells_are_seen(tmp_path):
    two = [powder.Phase(GARNET.of_cell(12.93), 50), powder.Phase(GARNET.of_cell(12.98), 50)]
    result = found(tmp_path, two)
    rows = values(result)
    assert rows["two_cubic_garnets"]["value"] is True
    edges = sorted([result.fit.params["a"].value, result.fit.params["a" + SUFFIX].value])
    assert edges == pytest.approx([12.93, 12.98], abs=0.004)
    assert result.symmetry.best == symmetry.TWO_CELLS


@pytest.mark.parametrize(
    ("anode", "stated", "message"),
    [
        ("Co", powder.WAVELENGTHS["Cu"], "lines fit Co K-alpha"),
        ("Cu", (1.540593, None), "one wavelength is stated.*doublets.*state both"),
        ("Cu", (1.5418, None), "one wavelength is stated.*doublets.*state both"),
    ],
)
def test_wavelengths_that_are_stated_wrongly_are_refused_with_the_right_ones(tmp_path, anode, stated, message):
    pattern = measured(tmp_path, [powder.Phase(GARNET)], anode, stated, low=24.0, high=70.0)
    with pytest.raises(ValueError, match=message):
        analysis.analyse(pattern, "LLZTO", [], tetragonal=VARIETY)


@pytest.mark.parametrize(("true", "main"), [("La2Zr2O7", "LLZTO"), ("LaB6", "InN")])
def test_a_wrong_main_phase_is_refused_with_the_right_one(tmp_path, true, main):
    pattern = measured(tmp_path, [powder.Phase(powder.CRYSTALS[true])], low=20.0, high=80.0)
    with pytest.raises(ValueError, match=rf"the pattern fits {true}, not {main}.*in the parameter main"):
        analysis.analyse(pattern, main, [])


def said(left: tuple[str, ...], tetragonal: Interval) -> tuple[bool | None, bool | None]:
    hint = dict.fromkeys((symmetry.MIXTURE, symmetry.TWO_CELLS), 0.0)
    fits = {symmetry.CUBIC: None, symmetry.MIXTURE: None, symmetry.TETRAGONAL: None}
    found = symmetry.Symmetry(left, {}, fits, tetragonal, Interval(None, 0.0, 0.1), hint)
    return found.has_cubic(0.02), found.has_tetragonal(0.02)


def test_a_small_share_of_either_may_be_a_misfit_of_the_profile_function():
    mixture = (symmetry.MIXTURE,)
    assert said(mixture, Interval(0.3, 0.2, 0.4)) == (True, True)
    assert said(mixture, Interval(0.999, 0.997, 1.0)) == (False, True)
    assert said(mixture, Interval(0.985, 0.97, 1.0)) == (None, True)
    assert said(mixture, Interval(0.01, 0.005, 0.015)) == (True, False)
    assert said(mixture, Interval(0.017, 0.009, 0.024)) == (True, None)


def test_a_tetragonal_garnet_is_found_where_the_cubic_fit_lies_on_one_side_of_its_lines(tmp_path):
    rows = values(found(tmp_path, [powder.Phase(tetragonal(0.983, 12.944))], height=5_000.0))
    assert rows["tetragonal_garnet_present"]["value"] is True
    assert rows["cubic_garnet_present"]["value"] is not True
    assert rows["two_cubic_garnets"]["value"] is not True
