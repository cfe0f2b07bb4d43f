"""Component selection, intervals and upper limits held against a forward model with another background."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from coldbond.bundle import figures
from coldbond.bundle.findings import rendered
from coldbond.interval import NORMAL
from coldbond.xps import findings, plots, quantification, reference, surface
from coldbond.xps.amounts import mean_position
from coldbond.xps.component_selection import Selected, composition
from coldbond.xps.components import COMPONENTS, LINES, Component
from surfaces import counts

LITHIUM = [c for c in COMPONENTS["Li 1s"] if c.key in ("Li0", "Li3N", "Li2O")]
ZIRCONIUM = {"window": (175.0, 189.0), "splitting": 2.4, "ratio": 2 / 3}
NITROGEN = {"window": (391.0, 404.0)}
REPEATS = 4


def found(region: str, lines: list, seed: int, components=None, **kwargs):
    spectrum = counts(lines, seed=seed, **kwargs)
    usual = [c for c in COMPONENTS[region] if not c.with_region]
    return composition(spectrum, components or usual, line=LINES[region], reference_uncertainty=0.1)


def test_reduced_zirconium_is_found_and_measured():
    inside = []
    for seed in range(REPEATS):
        one = found("Zr 3d", [(182.0, 1.5), (180.3, 0.3)], seed, **ZIRCONIUM).components["ZrReduced"]
        assert one.present and one.position_determined and one.p < 1e-6
        inside += [one.area.low <= 600 <= one.area.high, one.share.low <= 0.3 / 1.8 <= one.share.high]
    assert sum(inside) >= 7  # of 8; nominally 0.95


@pytest.mark.parametrize(
    ("region", "present", "absent", "kwargs"),
    [("Zr 3d", (182.0, 1.5), "ZrReduced", ZIRCONIUM), ("N 1s", (398.5, 1.5), "InN", NITROGEN)],
)
def test_an_absent_component_is_not_found_and_its_limit_is_small(region, present, absent, kwargs):
    for seed in range(REPEATS):
        one = found(region, [present], 100 + seed, **kwargs).components[absent]
        assert not one.present
        assert one.decided and 0 < one.upper_limit < 0.05


def weak_share(seed: int, area: float) -> Selected:
    """A weak line 2 eV below a strong one, fitted with the model that it was simulated with: statistics alone."""
    region = counts([(398.5, 1.0), (396.5, area)], (393.0, 402.0), seed=seed, loss=0.0)
    pair = [Component("main", "", 398.5, 0.1), Component("weak", "", 396.5, 0.02)]
    options = {"backgrounds": ["linear"], "shapes": ["voigt"], "reference_uncertainty": 0.02}
    return composition(region, pair, line=LINES["N 1s"], **options, width_uncertainty=0.01).components["weak"]


def test_95_of_100_intervals_hold_a_share_of_two_per_cent():
    """It is some three standard uncertainties. An interval of one standard uncertainty would hold 68 of 100."""
    found = [weak_share(5000 + seed, 0.02) for seed in range(40)]
    truth = 0.02 / 1.02
    assert np.count_nonzero([one.share.low <= truth <= one.share.high for one in found]) >= 36
    assert np.median([one.share.high for one in found]) < 3 * truth  # bounds far away would cover too


def test_the_limit_of_a_component_and_the_share_of_its_rival_agree():
    """InN and Li-In 0.4 eV apart in a few counts: whatever is said, it can be true together."""
    for seed in range(4):
        lines, peak = [(443.4, 0.6), (443.0, 0.4)], 300.0 * 4**seed
        both = found("In 3d", lines, seed, peak=peak, window=(438, 456), splitting=7.55, ratio=0.68).components
        nitride, alloy = both["InN"].share, both["LiIn"].share
        assert nitride.value + alloy.value == pytest.approx(1)
        assert alloy.low == pytest.approx(1 - nitride.high) and alloy.high == pytest.approx(1 - nitride.low)
        assert all(one.share.low > 0 for one in both.values() if one.present)
        assert nitride.low <= 0.6 <= nitride.high


def test_noise_alone_claims_nothing():
    for seed in range(REPEATS):
        nothing = found("N 1s", [], 300 + seed, **NITROGEN)
        assert not any(one.present or one.decided for one in nothing.components.values())  # shares of nothing


def test_three_lines_half_a_width_apart_are_not_separated_but_covered():
    """Li metal, Li3N and Li2O, 0.5 and 0.7 eV apart with widths of 1.25 eV: intervals must be wide, not wrong."""
    inside, covered, widths = [], [], []
    for seed in range(REPEATS):
        lines = found("Li 1s", [(54.7, 0.4), (55.2, 1.0), (55.9, 1.0)], 400 + seed, LITHIUM).components
        for key, share in (("Li0", 0.4), ("Li3N", 1.0), ("Li2O", 1.0)):
            inside.append(lines[key].share.low <= share / 2.4 <= lines[key].share.high)
            covered.append(lines[key].upper_limit >= share / 2.4)
        assert lines["Li0"].present or not lines["Li0"].decided  # never "absent"
        widths.append(2 * lines["Li0"].share.half_width)
    assert sum(inside) >= 11 and sum(covered) >= 11  # of 12; nominally 0.95 and more
    assert np.mean(widths) > 0.1


def test_two_lines_at_one_energy_are_inseparable():
    twins = [Component("a", "a", 55.2, 0.1), Component("b", "b", 55.4, 0.1)]
    both = found("Li 1s", [(55.3, 1.5)], 1, twins)
    ((first, second, correlation),) = both.inseparable
    assert (first, second) == ("a", "b") and correlation < -0.9
    # Whichever is left out may still have a large area: it is not absent.
    assert not all(one.decided for one in both.components.values())


def test_a_position_that_only_the_prior_determines_is_reported():
    lines = found("N 1s", [(398.5, 1.5)], 2, **NITROGEN).components
    assert lines["Li3N"].position_determined and not lines["InN"].position_determined


def test_look_elsewhere_costs():
    """A component that may lie anywhere needs more evidence than one whose position is known."""
    free = [Component("main", "", 398.5, 0.1), Component("weak", "", 396.4, 0.8)]
    held = [free[0], replace(free[1], uncertainty=0.01)]
    region = counts([(398.5, 1.5), (396.4, 0.06)], seed=3, **NITROGEN)
    anywhere, here = (
        composition(region, some, line=LINES["N 1s"], reference_uncertainty=0.01).components["weak"].p
        for some in (free, held)
    )
    assert anywhere > 2 * here


def test_the_choice_of_background_is_in_the_interval():
    region = counts([(182.0, 1.5), (180.3, 0.3)], seed=4, loss=0.3, **ZIRCONIUM)
    choices = ["active shirley", "active tougaard"]

    def made(backgrounds):
        options = {
            "line": LINES["Zr 3d"],
            "backgrounds": backgrounds,
            "shapes": ["voigt"],
            "reference_uncertainty": 0.1,
        }
        return composition(region, COMPONENTS["Zr 3d"], **options)

    each, both = [made([name]).components["Zr4"].share for name in choices], made(choices)
    assert len(both.full_fits) == 2
    share = both.components["Zr4"].share
    assert abs(each[0].high - each[1].high) + abs(each[0].low - each[1].low) > 5e-3  # else this tests nothing
    assert share.low == pytest.approx(min(one.low for one in each), abs=0.01)
    assert share.high == pytest.approx(max(one.high for one in each), abs=0.01)


def test_a_background_that_does_not_fit_is_dropped():
    region = counts([(182.0, 1.5)], (175.0, 189.0), seed=5, splitting=2.4, ratio=2 / 3, loss=6.0, peak=20000)
    given = composition(
        region, COMPONENTS["Zr 3d"], line=LINES["Zr 3d"], backgrounds=["linear", "free losses"],
        shapes=["voigt"],
    )  # fmt: skip
    assert list(given.weights) == ["free losses, voigt"]


def test_a_line_beyond_the_tolerance_is_unassigned():
    """In2O3 at 444.6 eV is neither InN nor Li-In, whose references lie 1.1 and 1.7 eV lower."""
    lines = {"window": (438, 456), "splitting": 7.55, "ratio": 0.68, "gaussian": 0.9, "lorentzian": 0.4}
    both = found("In 3d", [(444.6, 1.0)], 11, peak=20000, **lines).components
    assert not both["InN"].present and not both["LiIn"].present
    other = both["unassigned1"]
    assert other.present and other.share.high > 0.9 and other.position.low < 444.6 < other.position.high


def test_a_broad_line_of_another_element_is_unassigned():
    """Ta 4p at 401.8 eV is not Li3N at 398.5 eV."""
    broad = found("N 1s", [(401.8, 1.0)], 12, window=(391, 405), gaussian=3.0, lorentzian=2.0).components
    assert not broad["Li3N"].present and not broad["InN"].present and broad["unassigned1"].present


def test_lines_within_the_tolerance_are_not_doubled():
    """At a hundred thousand counts a fit is never perfect; what is wrong with the shape is no line."""
    strong = found("N 1s", [(398.5, 1.0), (396.4, 0.3)], 13, peak=1e5, **NITROGEN).components
    assert strong.keys() == {"InN", "Li3N"}


def test_the_mean_position_does_not_include_the_energy_reference():
    given = found("N 1s", [(398.5, 1.0), (396.4, 1.0)], 6, **NITROGEN)
    assert 2 * given.components["Li3N"].position.half_width > 2 * NORMAL * 0.1
    mean, deviation = mean_position(given.full_fits, given.weights)
    assert abs(mean - 397.45) < 4 * deviation and deviation < 0.02


def recordings() -> dict[str, xr.DataTree]:
    """InN before and after it reacted: 3 Li a N from Li3N, half the In lost, on scales that are off."""
    sensitivity = {"Li 1s": 0.0568, "In 3d": 13.32, "N 1s": 1.80}
    indium = {"window": (438.0, 457.0), "splitting": 7.55, "ratio": 2 / 3, "gaussian": 0.8, "lorentzian": 0.4}
    made = {}
    for label, shift, contents in (
        ("before", 0.3, {"In 3d": [(443.5, 1.0)], "N 1s": [(396.4, 1.0)]}),
        ("after", -0.2, {"Li 1s": [(55.2, 3.0)], "In 3d": [(442.8, 0.5)], "N 1s": [(398.5, 1.0)]}),
    ):
        regions = {"C 1s": counts([(284.8 + shift, 1.0), (286.3 + shift, 0.2)], (279.0, 295.0), seed=1)}
        for name, lines in contents.items():
            where = {"In 3d": indium, "N 1s": NITROGEN, "Li 1s": {}}[name]
            kinetic = ((1486.6 - lines[0][0]) / 1000) ** 0.75
            peak = 4000 * sensitivity[name] * kinetic * (10 if name == "Li 1s" else 1)
            regions[name] = counts([(p + shift, a) for p, a in lines], seed=2, peak=peak, **where)
            regions[name].attrs |= {"dwell_time": 0.1, "sweeps": 100 if name == "Li 1s" else 10}
        made[label] = xr.DataTree.from_dict(regions)
        made[label].attrs = {"sample": label, "state": "pristine", "role": "surface"}
    return {label: reference.referenced(recording) for label, recording in made.items()}


@pytest.fixture(scope="module")
def surfaces():
    given = recordings()
    return given, {label: surface.compositions(one, ["Li 1s", "In 3d", "N 1s"]) for label, one in given.items()}


def test_findings_of_a_surface(surfaces):
    values = {(v["sample"], v["quantity"]): v for v in findings.composition_findings(*surfaces, before="before")}
    assert values["before", "N_1s_InN_present"]["value"] is True
    gone = values["after", "N_1s_InN_present"]
    assert gone["value"] is False and "share of the region at most" in rendered(gone)
    assert [one["value"] for one in gone["threshold"]] == [10]
    limit = values["after", "N_1s_InN_share"]
    assert limit["value"] is None and limit["high"] < 0.05
    assert ("before", "Li_1s_Li3N_present") not in values  # not recorded
    energy = values["after", "Li_1s_Li3N_binding_energy"]
    assert energy["low"] < 55.2 < energy["high"]
    assert energy["high"] - energy["low"] == pytest.approx(0.4, abs=0.1)
    shift = values["after", "In_3d_shift"]
    assert shift["low"] < -0.7 < shift["high"] < -0.3
    assert shift["high"] - shift["low"] > 2 * NORMAL * 0.1 * np.sqrt(2) - 0.01  # both scales
    lower = values["after", "In_3d_at_lower_binding_energy"]
    assert lower["value"] is True
    assert lower["evidence"][0]["low"] < -0.7 < lower["evidence"][0]["high"] < 0
    assert ("before", "In_3d_shift") not in values


def test_no_shift_without_a_recording_before(surfaces):
    assert not [v for v in findings.composition_findings(*surfaces, before="another") if "shift" in v["quantity"]]


def test_the_shift_against_another_recording_is_an_alternative(surfaces):
    given, compositions = ({**one, "again": one["after"]} for one in surfaces)
    given["again"] = given["after"].copy()
    given["again"].attrs = given["after"].attrs | {"sample": "again"}  # of another sample, so of another condition
    rows = findings.composition_findings(given, compositions, before="before")
    lower = next(row for row in rows if row["quantity"] == "In_3d_at_lower_binding_energy")
    (other,) = lower["alternatives"]
    assert other["name"] == "again as reference" and other["low"] < other["value"] == 0 < other["high"]


def test_atomic_fractions(surfaces):
    fractions = quantification.atomic_fractions(*surfaces)
    rows = findings.atomic_fraction_findings(surfaces[0], fractions, 0.75)
    values = {(v["sample"], v["quantity"]): v for v in rows}
    for sample, amounts in (("before", {"In": 1.0, "N": 1.0}), ("after", {"Li": 3.0, "In": 0.5, "N": 1.0})):
        for element, amount in amounts.items():
            v = values[sample, f"atomic_fraction_{element}"]
            assert v["low"] < amount / sum(amounts.values()) < v["high"]
            assert v["value"] == pytest.approx(amount / sum(amounts.values()), rel=0.08)
    assert "no transmission" in values["after", "atomic_fraction_Li"]["note"]


def test_tables_show_what_is_present(surfaces):
    given, compositions = surfaces
    rows = findings.composition_table(compositions)
    assert rows.loc["after", "N 1s", "Li3N"]["present"] == "yes"
    assert rows.loc["after", "N 1s", "InN"]["share / %"].startswith("<")
    assert findings.scale_table(given)["shift / eV"].tolist() == ["-0.30", "+0.20"]
    assert "396.1" in findings.reference_table(["N 1s"]).loc["N 1s", "Li3N"]["conflict"]


def test_unknown_and_missing_regions(surfaces):
    assert surface.compositions(surfaces[0]["before"], ["Xe 3d"]) == {}
    found = {label: surface.compositions(one, ["Zr 3d"]) for label, one in surfaces[0].items()}
    assert found == {"before": {}, "after": {}}
    with pytest.raises(ValueError, match="no recording has Zr 3d; they have C 1s"):
        plots.height(found, surfaces[0], ["Zr 3d"])


def test_a_figure_shows_the_regions_that_were_recorded(surfaces):
    with figures.new("double", 80) as fig:
        top = plots.draw(fig, surfaces[1], surfaces[0], ["Li 1s", "Zr 3d", "N 1s"])
        fig.draw_without_rendering()
    assert [ax.figure.axes.index(ax) for ax in top] == [2, 1]  # rows align; no Zr 3d anywhere
    assert [text.get_text() for ax in top for text in ax.texts if text.get_text() in ("before", "after")] == [
        "after",
        "before",
    ]


def test_without_nitrogen_there_is_no_li3n():
    """Lithium of a carbonate lies where that of Li3N does; the region N 1s of the same surface is empty."""
    regions = {"Li 1s": counts([(55.15, 1.0)], seed=1), "N 1s": counts([], (391.0, 404.0), seed=2, level=3000.0)}
    tree = xr.DataTree.from_dict({"C 1s": counts([(284.8, 1.0), (286.3, 0.2)], (279.0, 295.0), seed=3)} | regions)
    found = surface.compositions(reference.referenced(tree), ["Li 1s", "N 1s"])["Li 1s"].components["Li3N"]
    assert not found.present and found.decided and found.share.high < 0.1
    assert "N 1s allows" in found.note and "another compound lies at this energy" in found.note


def test_residuals_that_hang_together_widen_an_interval():
    """A line shape that is wrong by some per cent at 50 000 counts: the reduced chi square is too small."""
    region = counts([(398.5, 1.0), (396.4, 0.3)], seed=4, peak=5e4, lorentzian=0.8, **NITROGEN)
    result = composition(region, COMPONENTS["N 1s"][:2], line=LINES["N 1s"], shapes=["gl product"]).best
    assert result.variance_scale > 1.5 * max(result.redchi, 1.0)
