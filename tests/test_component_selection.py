"""Is the component there? Decisions, intervals and limits against a forward model whose background is another."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from coldbond.bundle import figures
from coldbond.xps import plots, quantification, reference, surface
from coldbond.xps.component_selection import NORMAL, composition, mean_position, separation
from coldbond.xps.components import COMPONENTS, LINES, Component
from surfaces import counts

LITHIUM = [c for c in COMPONENTS["Li 1s"] if c.key in ("Li0", "Li3N", "Li2O")]
ZIRCONIUM = {"window": (175.0, 189.0), "splitting": 2.4, "ratio": 2 / 3}
NITROGEN = {"window": (391.0, 404.0)}
REPEATS = 8


def found(region: str, lines: list, seed: int, components=None, **kwargs):
    spectrum = counts(lines, seed=seed, **kwargs)
    return composition(spectrum, components or COMPONENTS[region], line=LINES[region], reference_uncertainty=0.1)


def test_reduced_zirconium_is_found_and_measured():
    inside = []
    for seed in range(REPEATS):
        row = found("Zr 3d", [(182.0, 1.5), (180.3, 0.3)], seed, **ZIRCONIUM).table.loc["ZrReduced"]
        assert row.present and row.determined and row.p < 1e-6
        inside += [row.area_low <= 600 <= row.area_high, row.share_low <= 0.3 / 1.8 <= row.share_high]
    assert np.mean(inside) > 0.75  # of 16; nominally 0.95


@pytest.mark.parametrize(
    ("region", "present", "absent", "kwargs"),
    [("Zr 3d", (182.0, 1.5), "ZrReduced", ZIRCONIUM), ("N 1s", (398.5, 1.5), "InN", NITROGEN)],
)
def test_what_is_absent_is_not_claimed_and_its_limit_is_small(region, present, absent, kwargs):
    for seed in range(REPEATS):
        row = found(region, [present], 100 + seed, **kwargs).table.loc[absent]
        assert not row.present
        assert row.decided and 0 < row.limit < 0.05 * 3000


def test_the_limit_covers_what_hides():
    """A component too weak to be seen is below its limit in 95 of 100."""
    covered = []
    for seed in range(REPEATS):
        row = found("N 1s", [(398.5, 1.5), (396.5, 0.025)], 200 + seed, **NITROGEN).table.loc["InN"]
        covered.append(row.limit >= 50)
    assert np.sum(covered) >= REPEATS - 2


def test_noise_alone_claims_nothing():
    for seed in range(REPEATS):
        nothing = found("N 1s", [], 300 + seed, **NITROGEN)
        assert not nothing.table.present.any()
        assert nothing.best.model.components == []


def test_three_lines_half_a_width_apart_are_not_told_apart_but_covered():
    """Li metal, Li3N and Li2O, 0.5 and 0.7 eV apart with widths of 1.25 eV: intervals must be wide, not wrong."""
    inside, covered, widths = [], [], []
    for seed in range(REPEATS):
        table = found("Li 1s", [(54.7, 0.4), (55.2, 1.0), (55.9, 1.0)], 400 + seed, LITHIUM).table
        for key, share in (("Li0", 0.4), ("Li3N", 1.0), ("Li2O", 1.0)):
            row = table.loc[key]
            inside.append(row.share_low <= share / 2.4 <= row.share_high)
            covered.append(row.limit >= 2000 * share)
        assert table.present.Li0 or not table.decided.Li0  # never "absent"
        widths.append(table.share_high.Li0 - table.share_low.Li0)
    assert np.mean(inside) > 0.8 and np.mean(covered) > 0.9  # of 24
    assert np.mean(widths) > 0.1


def test_two_lines_in_one_place_are_called_inseparable():
    twins = [Component("a", "a", 55.2, 0.1), Component("b", "b", 55.4, 0.1)]
    both = found("Li 1s", [(55.3, 1.5)], 1, twins)
    assert [text.split(" by ")[0] for text in both.inseparable] == ["a and b: areas correlated"]
    # Whichever is taken for absent may hide much: that is no absence.
    assert not both.table.decided.all()


def test_a_position_that_the_reference_holds_is_said_to_be():
    row = found("N 1s", [(398.5, 1.5)], 2, **NITROGEN).table
    assert row.determined.Li3N and not row.determined.InN


def test_look_elsewhere_costs():
    """A component that may lie anywhere needs more to be believed than one whose place is known."""
    free = [Component("main", "", 398.5, 0.1), Component("weak", "", 396.4, 0.8)]
    held = [free[0], replace(free[1], uncertainty=0.01)]
    region = counts([(398.5, 1.5), (396.4, 0.06)], seed=3, **NITROGEN)
    anywhere, here = (
        composition(region, some, line=LINES["N 1s"], reference_uncertainty=0.01).table.p.weak for some in (free, held)
    )
    assert anywhere > 2 * here


def test_the_choice_of_background_is_in_the_interval():
    region = counts([(182.0, 1.5), (180.3, 0.3)], seed=4, loss=0.3, **ZIRCONIUM)
    choices = ("active shirley", "active tougaard")
    single = [
        composition(region, COMPONENTS["Zr 3d"], line=LINES["Zr 3d"], backgrounds=[name], reference_uncertainty=0.1)
        for name in choices
    ]
    both = composition(region, COMPONENTS["Zr 3d"], line=LINES["Zr 3d"], backgrounds=choices, reference_uncertainty=0.1)
    means = [s.table.area.Zr4 for s in single]
    assert abs(means[0] - means[1]) > 10  # else this tests nothing
    assert min(both.weights.values()) > 0.05
    weights = [both.weights[name] for name in choices]
    mean = np.dot(weights, means)
    spread = np.dot(weights, [(m - mean) ** 2 for m in means])
    within = np.dot(weights, [((s.table.area_high.Zr4 - s.table.area.Zr4) / NORMAL) ** 2 for s in single])
    assert both.table.area.Zr4 == pytest.approx(mean, rel=1e-6)
    assert (both.table.area_high.Zr4 - mean) / NORMAL == pytest.approx(np.sqrt(within + spread), rel=1e-6)


def test_a_background_that_cannot_be_is_refused():
    region = counts([(182.0, 1.5)], (175.0, 189.0), seed=5, splitting=2.4, ratio=2 / 3, loss=6.0, peak=20000)
    given = composition(
        region, COMPONENTS["Zr 3d"], line=LINES["Zr 3d"], backgrounds=["active shirley", "active tougaard"]
    )
    assert list(given.weights) == ["active tougaard"]


def test_differences_do_not_carry_the_energy_reference():
    given = found("N 1s", [(398.5, 1.0), (396.4, 1.0)], 6, **NITROGEN)
    value, deviation = separation(given, "Li3N", "InN")
    assert abs(value - 2.1) < 3 * deviation and deviation < 0.02
    row = given.table.loc["Li3N"]
    assert row.position_high - row.position_low > 2 * NORMAL * 0.1
    mean, deviation = mean_position(given)
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
    return given, surface.compositions(given, ["Li 1s", "In 3d", "N 1s"])


def test_findings_of_a_surface(surfaces):
    values = {(v["sample"], v["quantity"]): v for v in surface.findings(*surfaces, before="before")}
    assert values["before", "N_1s_InN_present"]["value"] is True
    gone = values["after", "N_1s_InN_present"]
    assert gone["value"] is False and gone["claim"] == "n1s_inn" and "at most" in gone["note"]
    assert ("before", "Li_1s_Li3N_present") not in values  # not recorded
    energy = values["after", "Li_1s_Li3N_binding_energy"]
    assert energy["claim"] == "li1s_li3n" and energy["low"] < 55.2 < energy["high"]
    assert energy["high"] - energy["low"] == pytest.approx(0.4, abs=0.1)
    shift = values["after", "In_3d_shift"]
    assert shift["low"] < -0.7 < shift["high"] < -0.3
    assert shift["high"] - shift["low"] > 2 * NORMAL * 0.1 * np.sqrt(2) - 0.01  # both scales
    assert (
        values["after", "In_3d_at_lower_binding_energy"] | {"value": True, "claim": "in3d_shift"}
        == (values["after", "In_3d_at_lower_binding_energy"])
    )
    assert ("before", "In_3d_shift") not in values


def test_no_shift_without_what_was_before(surfaces):
    assert not [v for v in surface.findings(*surfaces, before="another") if "shift" in v["quantity"]]


def test_atomic_fractions(surfaces):
    values = {(v["sample"], v["quantity"]): v for v in quantification.fractions(*surfaces)}
    for sample, amounts in (("before", {"In": 1.0, "N": 1.0}), ("after", {"Li": 3.0, "In": 0.5, "N": 1.0})):
        for element, amount in amounts.items():
            v = values[sample, f"atomic_fraction_{element}"]
            assert v["low"] < amount / sum(amounts.values()) < v["high"]
            assert v["value"] == pytest.approx(amount / sum(amounts.values()), rel=0.08)
    assert "no transmission" in values["after", "atomic_fraction_Li"]["note"]


def test_tables_say_what_is_there(surfaces):
    given, compositions = surfaces
    rows = surface.table(compositions)
    assert rows.loc["after", "N 1s", "Li3N"]["present"] == "yes"
    assert rows.loc["after", "N 1s", "InN"]["share / %"].startswith("<")
    assert surface.scales(given)["shift / eV"].tolist() == ["-0.30", "+0.20"]
    assert "396.1" in surface.conflicts(["N 1s"]).loc["N 1s", "Li3N"]["but"]


def test_regions_that_nothing_is_known_of(surfaces):
    with pytest.raises(LookupError, match="no components are known for Xe 3d; there are Li 1s"):
        surface.compositions(surfaces[0], ["N 1s", "Xe 3d"])
    with pytest.raises(LookupError, match="no recording holds Zr 3d; they hold C 1s"):
        surface.compositions(surfaces[0], ["Zr 3d"])


def test_a_figure_shows_the_regions_that_are_held(surfaces):
    with figures.new("double", 80) as fig:
        top = plots.draw(fig, surfaces[1], ["Li 1s", "Zr 3d", "N 1s"])
        fig.draw_without_rendering()
    assert [ax.figure.axes.index(ax) for ax in top] == [0, 1]  # no Zr 3d anywhere
    assert [text.get_text() for ax in top for text in ax.texts if text.get_text() in ("before", "after")] == [
        "after",
        "before",
    ]
