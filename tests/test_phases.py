"""Phases beside a main one, and stray peaks, against patterns whose content is known."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from coldbond.interval import NORMAL
from coldbond.xrd import analysis, findings, pawley, peaks, phases
from coldbond.xrd.lattice import lattice_parameters
from coldbond.xrd.peak_assignment import Role, explaining_phases
from coldbond.xrd.reference_match import (
    ReferenceMatch,
    compare_with_reference,
    correlation_interval,
    permutation_p_value,
)
from coldbond.xrd.reflections import march, reflections
from coldbond.xrd.residual_pattern import residual_pattern
from coldbond.xrd.stray_peaks import stray_peaks, unexplained_area
from coldbond.xrd.structures import STRUCTURES, Site
from diffraction import instrument, pattern

GARNET = (STRUCTURES["LLZTO"], 600.0, 0.04, 0.05)
EXPECTED = ["InN", "In", "La2Zr2O7", "Li2O", "Li2CO3", "Li3N", "LiIn"]


def strained(name, strain, texture=1.0):
    structure = STRUCTURES[name]
    cell = tuple(x * (1 + strain) for x in structure.cell[:3]) + structure.cell[3:]
    return replace(structure, cell=cell, texture=texture)


def single_line(two_theta, wavelength=1.540593):
    """A primitive cubic crystal whose 100 lies at an angle, and whose other lines all but vanish."""
    a = wavelength / 2 / np.sin(np.radians(two_theta) / 2)
    return replace(
        STRUCTURES["Li"],
        name="x",
        space_group="P m -3 m",
        cell=(a, a, a, 90.0, 90.0, 90.0),
        sites=(Site("C 1a", {"C": 1.0}, 0.0, 0.0, 0.0),),
        displacement=1.0,
    )


def analysed(others, seed=0, looked_for=EXPECTED, **options):
    made = pattern([GARNET, *others], rng=np.random.default_rng(seed), displacement=0.05, **options)
    return analysis.analyse(made, "LLZTO", looked_for, instrument())


def roles_at(found, peak):
    """What each line near a stray peak is to it."""
    return {f"{each.phase} {each.hkl}": each.role for each in found.assignments()[peak]}


def test_a_pure_pattern_has_no_other_phase_and_no_stray_peak():
    """InN in under 5 of 100, any phase in few: noise alone, over realisations."""
    claimed, stray = dict.fromkeys(EXPECTED, 0), 0
    for seed in range(8):
        made = pattern([GARNET], rng=np.random.default_rng(seed), displacement=0.05)
        rest = residual_pattern(made, pawley.fit(made, STRUCTURES["LLZTO"], instrument=instrument()))
        for name, detection in phases.look_for(rest, EXPECTED).items():
            claimed[name] += detection.present
        stray += int((~peaks.search(rest).flank).sum())
    assert claimed["InN"] == 0
    assert sum(claimed.values()) <= 1
    assert stray <= 2


def test_a_film_of_indium_nitride_is_found_with_its_cell_and_amount():
    inside = 0
    for seed in range(3):
        found = analysed([(strained("InN", 0.002), 60.0, 0.4, 0.0)], seed)
        detection = found.detections["InN"]
        assert detection.present
        assert [name for name, other in found.detections.items() if other.present] == ["InN"]
        assert detection.strain == pytest.approx(0.002, abs=0.002)
        inside += detection.area.low <= 60 <= detection.area.high
        at = found.stray_peaks.two_theta.to_numpy()
        roles = roles_at(found, int(np.abs(at - 33.09).argmin()))
        assert roles["InN 101"] is Role.EXPLAINS
        assert list(roles.values()).count(Role.EXPLAINS) == 1
        assert roles["La2Zr2O7 400"] is Role.EXCLUDED
    assert inside >= 2


def test_texture_does_not_falsify_the_amount():
    found = analysed([(strained("InN", 0.0, texture=0.6), 80.0, 0.4, 0.0)])
    detection = found.detections["InN"]
    # The strongest line of the textured pattern is not that of the powder: compare the scales of both.
    powder = phases.lines(STRUCTURES["InN"], found.residuals)
    textured = phases.lines(strained("InN", 0.0, texture=0.6), found.residuals)
    strongest = powder.intensity(0.6).max()
    np.testing.assert_allclose(textured.powder, powder.intensity(0.6) / strongest, rtol=1e-9)
    assert detection.texture == pytest.approx(0.6, abs=0.1)
    assert detection.area.low <= 80.0 / strongest <= detection.area.high


@pytest.mark.parametrize("texture", [0.5, 1.5])
def test_broad_lines_of_a_textured_film_are_found_with_their_amount(texture):
    """Each line fitted alone takes the tails of its neighbours: 100 then comes out negative beside a strong 002."""
    film = strained("InN", 0.0, texture=texture)
    found = analysed([(film, 60.0 * strongest(texture), 0.8, 0.0)], low=10, high=80, looked_for=["InN", "In"])
    detection = found.detections["InN"]
    assert detection.present
    assert detection.area.low <= 60.0 <= detection.area.high
    assert detection.texture == pytest.approx(texture, rel=0.25)


def strongest(texture, name="InN"):
    """Strongest intensity of a textured phase over that of its powder."""
    known = reflections(STRUCTURES[name], two_theta=(10, 80))
    return (known.relative_intensity.to_numpy() / 100 * march(known.cosine_squared.to_numpy(), texture)).max()


def test_one_line_of_a_phase_with_a_habit_is_no_verdict():
    """A film with its 002 parallel to the surface shows one line; so may another phase."""
    found = analysed([(single_line(31.35), 30.0, 0.4, 0.0)], looked_for=["InN"])
    assert analysis.is_present(found, "InN")[0] is None
    assert "002 alone" in analysis.is_present(found, "InN")[1]


def test_upper_limits_hold_for_any_texture():
    """A limit for a powder alone excludes films that are there."""
    for texture in (0.5, 1.5):
        found = analysed([(strained("InN", 0.0, texture), 12 * strongest(texture), 0.8, 0.0)], looked_for=["InN"])
        assert found.detections["InN"].limit >= 12


def test_absent_needs_a_limit_below_the_share_that_matters():
    found = analysed([], looked_for=["InN"])
    limit = analysis.weight_fraction(found, "InN").high
    assert analysis.is_present(found, "InN", 1.01 * limit) == (False, "")
    present, why = analysis.is_present(found, "InN", 0.99 * limit)
    assert present is None
    assert "could hide" in why


def test_a_strong_second_phase_has_its_own_cell():
    """Both axes differ from the structure's; frozen at one strain they move the main phase's lines."""
    film = strained("InN", 0.0)
    film = replace(film, cell=(3.530, 3.530, 5.720, 90.0, 90.0, 120.0))
    found = analysed([(film, 400.0, 0.15, 0.0)], low=15, high=90, looked_for=["InN"])
    own, main = analysis.own_cell(found, "InN"), lattice_parameters(found.fits).intervals
    for (_, low, high), truth in ((own["a"], 3.530), (own["c"], 5.720), (main["a"], 12.96)):
        assert low <= truth <= high
        assert high - low < 0.015
    rows = {row["quantity"]: row for row in findings.pattern_findings({"A": found}, "LLZTO")}
    assert rows["InN_lattice_parameter_c"]["value"] == pytest.approx(5.720, abs=0.002)


def test_products_of_decomposition_are_told_from_what_shares_their_lines():
    found = analysed([(STRUCTURES["La2Zr2O7"], 40.0, 0.15, 0.0), (STRUCTURES["Li2CO3"], 40.0, 0.05, 0.0)])
    assert {name for name, detection in found.detections.items() if detection.present} == {"La2Zr2O7", "Li2CO3"}
    for name in ("La2Zr2O7", "Li2CO3"):
        assert found.detections[name].area.value == pytest.approx(40, rel=0.35)


def test_indium_is_not_called_indium_nitride():
    found = analysed([(STRUCTURES["In"], 25.0, 0.05, 0.0)])
    assert [name for name, detection in found.detections.items() if detection.present] == ["In"]
    assert found.detections["In"].rivals["InN"] > phases.INDISTINGUISHABLE
    assert not found.detections["InN"].indistinguishable


def test_faint_broad_lines_of_two_phases_are_undecided():
    made = (STRUCTURES["InN"], 36.0, 0.8, 0.0)
    found = analysed([made], seed=5, looked_for=["InN", "In"], low=10, high=80, step=0.02)
    assert {name for name, detection in found.detections.items() if detection.indistinguishable} == {"InN", "In"}
    rows = {row["quantity"]: row for row in findings.pattern_findings({"A": found}, "Li5La3Nb2O12")}
    assert rows["InN_present"]["value"] is None
    assert "not distinguishable from In:" in rows["InN_present"]["note"]


def test_a_lone_peak_among_four_phases_is_none_of_them():
    """At 33.1 InN, In, La2Zr2O7 and Li2O all have a line; all but the last have others that would show."""
    found = analysed([(single_line(33.10), 60.0, 0.1, 0.0)])
    (candidates,) = found.assignments()
    assert explaining_phases(candidates) == []
    assert not any(detection.present for detection in found.detections.values())
    assert found.detections["InN"].missing
    assert roles_at(found, 0)["InN 101"] is Role.EXCLUDED
    assert any(candidate.missing for candidate in candidates)
    assert "missing)" in findings.peak_table({"A": found})["excluded"].item()
    assert unexplained_area(found) == pytest.approx(60, rel=0.1)
    rows = {row["quantity"]: row for row in findings.pattern_findings({"A": found}, "Li5La3Nb2O12")}
    assert rows["InN_present"]["value"] is False
    assert rows["matches_reference"]["value"] is True  # one peak of two per cent is not yet another pattern


def test_lithium_rests_on_one_line_that_others_have_too():
    found = analysed([(STRUCTURES["Li"], 30.0, 0.03, 0.0)], looked_for=["Li", "In", "La2Zr2O7"], high=50)
    assert [name for name, detection in found.detections.items() if detection.present] == ["Li"]
    assert len(found.assignments()) == 1
    assert [line for line, role in roles_at(found, 0).items() if role is Role.EXPLAINS] == ["Li 110"]


def test_a_phase_whose_strongest_line_is_too_weak_is_undecided():
    """Lines at 33.56 and 56.21 degree, where lithium oxide has its 111 and 220, in the reverse order of strength."""
    lines = [(single_line(56.21), 4.0, 0.0, 0.0), (single_line(33.56), 1.5, 0.0, 0.0)]
    made = pattern([(STRUCTURES["Li"], 200.0, 0.01, 0.1), *lines], low=30, high=72, background=(10.0, 0.0))
    found = analysis.analyse(made, "Li", ["In", "LiIn", "Li2O", "Li3N"])
    assert found.detections["Li2O"].significance > 2 * found.detections["Li2O"].threshold
    present, why = analysis.is_present(found, "Li2O")
    assert present is None
    assert "disagree" in why


def test_upper_limits_hold():
    """A phase too weak to be seen: its amount is below the limit, in 19 of 20 or more."""
    made = [analysed([(STRUCTURES["InN"], 5.0, 0.4, 0.0)], seed, ["InN"]).detections["InN"] for seed in range(6)]
    assert not any(detection.present for detection in made)
    assert sum(detection.limit >= 5.0 for detection in made) >= 5
    assert np.median([detection.limit for detection in made]) < 30


def test_stray_peaks_are_where_and_as_strong_as_they_are():
    truth = [(28.0, 20.0, 0.05), (36.5, 40.0, 0.3), (46.0, 15.0, 0.1)]
    inside = []
    for seed in range(50, 56):
        made = pattern(
            [GARNET, *((single_line(at), area, size, 0.0) for at, area, size in truth)], rng=np.random.default_rng(seed)
        )
        found = peaks.search(residual_pattern(made, pawley.fit(made, STRUCTURES["LLZTO"], instrument=instrument())))
        found = found.isel(peak=~found.flank.to_numpy())
        for at, area, _ in truth:
            nearest = found.isel(peak=int(np.abs(found.two_theta - at).argmin("peak")))
            assert nearest.two_theta.item() == pytest.approx(at, abs=0.1)
            inside.append(abs(nearest.two_theta.item() - at) < NORMAL * nearest.two_theta_error.item())
            inside.append(abs(nearest.area.item() - area) < NORMAL * nearest.area_error.item())
    assert np.mean(inside) > 0.8


def test_lines_of_the_tube_are_no_peaks():
    """K-beta of the main phase, one per cent as strong, is left out."""
    made = pattern([GARNET], displacement=0.05)
    beta = pattern([GARNET], displacement=0.05, background=(0.0, 0.0)).intensity
    sine = np.sin(np.radians(made.two_theta) / 2)
    source = np.degrees(2 * np.arcsin(np.minimum(sine * 1.540593 / 1.392234, 1.0)))
    shifted = np.interp(source, beta.two_theta, beta, right=0.0)
    rng = np.random.default_rng(3)
    made["intensity"] = ("two_theta", rng.poisson(made.intensity + 0.02 * shifted).astype(float), made.intensity.attrs)
    found = peaks.search(residual_pattern(made, pawley.fit(made, STRUCTURES["LLZTO"], instrument=instrument())))
    assert found.isel(peak=~found.flank.to_numpy()).sizes["peak"] == 0


def test_weight_fraction_of_a_mixture():
    """One part in twenty by volume: areas are shares of the volume times intensity over cell volume squared."""
    area, weight = {}, {}
    for name, volume in (("LLZTO", 0.95), ("La2Zr2O7", 0.05)):
        lines = reflections(STRUCTURES[name], two_theta=(25, 60))
        cell, mass = lines.attrs["volume"], lines.attrs["mass"]
        area[name] = volume * float(lines.absolute_intensity.max()) / cell**2
        weight[name] = volume * mass / cell
    found = analysed([(STRUCTURES["La2Zr2O7"], 600 * area["La2Zr2O7"] / area["LLZTO"], 0.1, 0.0)])
    truth = 100 * weight["La2Zr2O7"] / sum(weight.values())
    value, low, high = analysis.weight_fraction(found, "La2Zr2O7")
    assert low <= truth <= high
    assert value == pytest.approx(truth, rel=0.2)


def test_a_garnet_matches_the_garnet_reference_by_pattern_not_by_place():
    found = analysed([])
    like = compare_with_reference(found.fit, STRUCTURES["Li5La3Nb2O12"])
    assert like.is_match()
    assert like.strain == pytest.approx(12.96 / 12.797 - 1, abs=2e-4)
    value, low, high = like.correlation
    assert low < value < high


def test_another_structure_of_the_same_lattice_does_not_match():
    """The garnet's cell with its heavy atoms elsewhere: every line is indexed, the intensities are not."""
    elsewhere = Site("La 48g", {"La": 0.5}, 0.125, 0.3, 0.55)
    other = replace(STRUCTURES["LLZTO"], sites=(elsewhere, *STRUCTURES["LLZTO"].sites[1:]))
    made = pattern([(other, 600.0, 0.04, 0.05)], rng=np.random.default_rng(0))
    like = compare_with_reference(
        pawley.fit(made, STRUCTURES["LLZTO"], instrument=instrument()), STRUCTURES["Li5La3Nb2O12"]
    )
    assert not like.is_match()


def test_the_strongest_line_in_common_alone_is_no_match():
    """Eight lines in random order have the strongest one in place once in eight times: they correlate, but by chance.

    Such a pattern has a p value of about 1/8, between the significance of 0.001 and one of 0.2.
    """
    calculated = np.array([100.0, 12.0, 11.0, 14.0, 10.5, 13.0, 15.0, 12.5])
    rng = np.random.default_rng(7)
    matches = 0
    for _ in range(20):
        observed = np.append(calculated[0], rng.permutation(calculated[1:]))
        correlation, p_value = correlation_interval(observed, calculated), permutation_p_value(observed, calculated)
        assert correlation.value > 0.9
        matches += ReferenceMatch(xr.Dataset(), correlation, p_value, [], 0.0, 0.0, 0.0).is_match()
    assert matches <= 1


def test_much_that_nothing_explains_is_no_match():
    found = analysed([(single_line(29.0), 400.0, 0.1, 0.0)])
    rows = {row["quantity"]: row for row in findings.pattern_findings({"A": found}, "Li5La3Nb2O12")}
    assert rows["matches_reference"]["value"] is False
    assert rows["stray_peaks"]["value"] >= 1


def test_more_stray_peaks_is_decided_above_what_both_patterns_show():
    rich = analysed([(STRUCTURES["La2Zr2O7"], 60.0, 0.15, 0.0), (STRUCTURES["Li2CO3"], 60.0, 0.05, 0.0)])
    poor = analysed([], seed=1)
    (row,) = findings.stray_comparison({"LLZ": rich, "other": poor})
    assert row["value"] is True
    (row,) = findings.stray_comparison({"other": poor, "LLZ": rich})
    assert row["value"] is False
    assert stray_peaks(poor, 1.0).count.value == 0


def test_tables_read():
    found = {"A": analysed([(STRUCTURES["InN"], 60.0, 0.4, 0.0)])}
    assert "InN 101" in " ".join(findings.peak_table(found)["explained by"])
    assert findings.phase_table(found, 100.0).loc["Li2O", "A"].startswith("absent: below ")
    assert findings.phase_table(found, 1.0).loc["Li2O", "A"].startswith("cannot be told: below ")
    assert findings.peak_table({"B": analysed([], looked_for=[])}).index[0] == "no peak beside the main phase"


@pytest.mark.parametrize(("main", "looked_for"), [("Unobtainium", []), ("LLZTO", ["Unobtainium"])])
def test_an_unknown_phase_is_named(main, looked_for):
    with pytest.raises(ValueError, match="no structure of Unobtainium; there are LLZTO, "):
        analysis.analyse(pattern([GARNET]), main, looked_for)
