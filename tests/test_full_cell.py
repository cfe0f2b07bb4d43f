"""Retention, fade, efficiency and polarisation of full cells, against recordings of known truth."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from coldbond.bundle import figures, raw
from coldbond.bundle.findings import rendered
from coldbond.cells import capacity
from coldbond.cells import full_cell as analysis
from coldbond.cells.findings import full_cell as full_cell_findings
from coldbond.cells.plots import full_cell as full_cell_plots
from coldbond.interval import NORMAL, Interval
from full_cells import fading, full_cell


def found(recording, **options):
    rows = full_cell_findings.findings(capacity.cycles(recording), **options)
    return {row["quantity"]: row for row in rows}


@pytest.fixture(scope="module")
def recording():
    """40 cycles to a retention of 80 %, at an efficiency of 99.8 %."""
    return full_cell(fading(40, 0.8), points=25, state="0.2C")


@pytest.fixture(scope="module")
def table(recording):
    return capacity.cycles(recording)


def test_retention_by_its_definitions(table):
    rows = {row["quantity"]: row for row in full_cell_findings.findings(table)}
    capacities = 165 * np.linspace(1, 0.8, 40)
    truths = {"first": capacities[0], "best": capacities[0], "mean_of_first_three": capacities[:3].mean()}
    for name, reference in truths.items():
        row = rows[f"retention_against_{name}"]
        assert row["low"] <= 100 * capacities[-1] / reference <= row["high"], name
        assert row["high"] - row["low"] < 0.1
        assert rendered(row).startswith("last complete cycle 40; against the")


def test_retention_and_capacity_after_a_cycle(table):
    rows = {row["quantity"]: row for row in full_cell_findings.findings(table, capacity_after=20, retention_after=30)}
    capacities = 165 * np.linspace(1, 0.8, 40)
    assert rows["retention_cycle_30"]["value"] == pytest.approx(100 * capacities[29] / 165, abs=0.02)
    assert rows["discharge_capacity_cycle_20"]["value"] == pytest.approx(capacities[19], abs=0.06)
    # The arithmetic by which the paper's two statements contradict each other.
    assert [(one["name"], one["value"]) for one in rows["discharge_capacity_cycle_20"]["evidence"][1:]] == [
        ("retention of cycle 30", pytest.approx(100 * capacities[29] / 165, abs=0.02)),
        ("discharge capacity of the first cycle", pytest.approx(165, abs=0.05)),
        ("discharge capacity of cycle 30", pytest.approx(capacities[29], abs=0.05)),
    ]


def test_a_cycle_that_was_not_reached_has_no_value(table):
    rows = {row["quantity"]: row for row in full_cell_findings.findings(table)}
    for quantity in ("retention_cycle_110", "discharge_capacity_cycle_100"):
        assert (rows[quantity]["value"], rows[quantity]["low"]) == (None, None)
        assert "not in this recording" in rows[quantity]["note"]


def test_fade_and_efficiency(table):
    rows = {row["quantity"]: row for row in full_cell_findings.findings(table)}
    fade = rows["capacity_fade_per_cycle"]
    assert fade["low"] <= 20 / 39 <= fade["high"]
    assert fade["value"] == pytest.approx(20 / 39, abs=0.001)
    for quantity in ("coulombic_efficiency", "coulombic_efficiency_first_cycle"):
        assert rows[quantity]["low"] <= 99.8 <= rows[quantity]["high"]


def test_findings_carry_the_sample_and_state_of_the_recording(table):
    for panel in ("capacity", "polarization"):
        rows = full_cell_findings.findings(table, panel)
        assert {(row["sample"], row["state"]) for row in rows} == {("A", "0.2C")}


@pytest.mark.parametrize(
    ("change", "stable"),
    [
        (Interval(3.0, -2.0, 8.0), True),
        (Interval(-30.0, -32.0, -28.0), False),
        (Interval(8.0, 3.0, 13.0), None),
        (Interval(3.0), None),
    ],
)
def test_a_change_whose_interval_crosses_the_limit_is_undecided(change, stable):
    assert analysis.is_stable(change, stable_within=0.1) is stable


def test_mass_widens_capacities_and_nothing_else(recording):
    narrow, wide = (
        {row["quantity"]: row for row in full_cell_findings.findings(capacity.cycles(recording, mass_uncertainty=u))}
        for u in (0, 0.05)
    )
    half_width = (wide["discharge_capacity_first_cycle"]["high"] - wide["discharge_capacity_first_cycle"]["low"]) / 2
    assert half_width == pytest.approx(NORMAL * 0.05 * 165, abs=1)  # its bounds are rounded to whole numbers, away
    for quantity in ("retention_against_first", "capacity_fade_per_cycle", "coulombic_efficiency"):
        assert narrow[quantity] == wide[quantity]


def test_the_tester_widens_what_compares_charge_with_discharge(recording):
    exact, usual = (
        {row["quantity"]: row for row in full_cell_findings.findings(capacity.cycles(recording, current_uncertainty=u))}
        for u in (0, 0.002)
    )
    for quantity in ("coulombic_efficiency", "coulombic_efficiency_first_cycle"):
        assert exact[quantity]["high"] - exact[quantity]["low"] < 0.1
        assert (usual[quantity]["high"] - usual[quantity]["low"]) / 2 == pytest.approx(NORMAL * 0.2, rel=0.05)
    assert exact["retention_against_first"] == usual["retention_against_first"]


@pytest.mark.parametrize("kind", ["independent", "correlated", "daily"])
def test_intervals_cover_the_truth(table, kind):
    """Cycles that scatter by 0.08 %: each for itself, like their neighbours, or with the time of day (10 h a cycle)."""
    rng = np.random.default_rng(2)
    simulated = 60
    covered = {"retention_against_first": 0, "capacity_fade_per_cycle": 0, "coulombic_efficiency": 0}
    for _ in range(simulated):
        truth = 165 * np.linspace(1, 0.8, 40)
        capacities = truth * (1 + 0.0008 * scatter(rng, kind, 40))
        one = table.copy().assign_attrs(current_uncertainty=0.0)  # what remains is scatter
        one["capacity"] = table.capacity.copy()
        one.capacity.loc[{"half": "discharge"}] = capacities
        one["coulombic_efficiency"] = table.coulombic_efficiency.copy(data=99.8 + 0.03 * scatter(rng, kind, 40))
        truths = {
            "retention_against_first": 80,
            "capacity_fade_per_cycle": 20 / 39 * 165 / capacities[0],  # it is stated as a share of the first capacity
            "coulombic_efficiency": 99.8,
        }
        for row in full_cell_findings.findings(one):
            if row["quantity"] in covered:
                covered[row["quantity"]] += row["low"] <= truths[row["quantity"]] <= row["high"]
    for quantity, count in covered.items():
        assert 0.90 <= count / simulated <= 1, (quantity, count)


def scatter(rng, kind, n):
    noise = rng.normal(0, 1, n)
    if kind == "daily":
        return np.sin(2 * np.pi * (np.arange(n) * 10 / 24 + rng.random())) + 0.5 * noise
    share = 0.6 if kind == "correlated" else 0.0
    for i in range(1, n):
        noise[i] = share * noise[i - 1] + np.sqrt(1 - share**2) * noise[i]
    return noise


def test_what_is_odd_about_the_cycles_is_said():
    capacities = fading(30, 0.95)
    capacities[[24, 25]] *= [1.0, 0.97]  # the discharge of cycle 13
    rows = found(full_cell(capacities, points=25, pause=[10], restarts=True, until=0.4))
    assert rows["complete_cycles"]["value"] == 29
    assert rendered(rows["complete_cycles"]) == (
        "unfinished, left out: cycle 30; "
        "paused, charge counted across the pause: cycle 6; "
        "outlier, left out of means and trends: cycle 13"
    )
    assert rendered(rows["retention_against_first"]) == "last complete cycle 29; against the first cycle"
    assert rows["coulombic_efficiency"]["value"] == pytest.approx(99.8, abs=0.001)


def test_the_first_cycles_are_no_outliers_but_left_out():
    capacities = fading(30, 0.95)
    capacities[0:6:2] *= [1.08, 1.02, 1.005]  # charges that settle
    rows = found(full_cell(capacities, points=25))
    assert not rows["complete_cycles"]["evidence"]
    assert rows["coulombic_efficiency"]["value"] == pytest.approx(99.8, abs=0.01)
    assert rows["coulombic_efficiency_first_cycle"]["value"] == pytest.approx(99.8 / 1.08, abs=0.02)


def test_a_cell_that_starts_with_a_discharge():
    recording = full_cell([6.3, 3.2, 1.3], starts="discharge", mass=None, counter_digit=1e-7, until=0.5)
    rows = found(recording, settling=0)
    assert rows["formation_discharge_capacity"]["value"] == pytest.approx(0.0063, abs=1e-4)
    assert rows["charge_capacity_first_cycle"]["value"] == pytest.approx(0.0032, abs=1e-4)
    assert rows["discharge_capacity_first_cycle"]["value"] is None
    assert rows["initial_coulombic_efficiency"]["low"] <= 50.8 <= rows["initial_coulombic_efficiency"]["high"]
    assert rows["complete_cycles"]["value"] == 0
    assert rows["complete_cycles"]["unit"] == "1"
    assert rows["formation_discharge_capacity"]["unit"] == "mAh"


def test_a_pulse_before_the_first_charge_is_no_formation():
    """A few seconds of discharge, to test the contacts, gave an efficiency of 32700 %."""
    rows = found(full_cell([0.5, 170, 161.5, 170, 161.5], starts="discharge"))
    for quantity in ("formation_discharge_capacity", "initial_coulombic_efficiency"):
        assert rows[quantity]["value"] is None
        assert "no formation" in rows[quantity]["note"]
        assert rows[quantity]["evidence"][0]["value"] == pytest.approx(0.5, rel=0.05)
    assert rows["coulombic_efficiency_first_cycle"]["value"] == pytest.approx(95, abs=0.1)


def test_a_lone_discharge():
    rows = found(full_cell([165.0], starts="discharge"))
    assert rows["discharge_capacity_first_cycle"]["value"] == pytest.approx(165, abs=0.1)
    assert rows["charge_capacity_first_cycle"]["value"] is None
    assert "initial_coulombic_efficiency" not in rows


def test_the_integral_beside_the_counter_says_why_it_is_worse():
    rows = found(full_cell([170, 165, 166, 164], current_digit=2e-5))  # 53 uA read as 60
    row = rows["discharge_capacity_by_integral"]
    assert row["low"] < 165 < row["high"]
    assert (row["high"] - row["low"]) / 2 == pytest.approx(row["value"] / 6, rel=0.1)
    current = row["evidence"][1]
    assert (current["name"], current["low"], current["high"]) == ("current as recorded", 0.05, 0.07)
    assert "counter" in rows["discharge_capacity_first_cycle"]["note"]


def test_without_a_counter_there_is_one_integral():
    rows = found(full_cell([170, 165, 166, 164], counter=None))
    assert "discharge_capacity_by_integral" not in rows
    assert "integral of the current" in rows["discharge_capacity_first_cycle"]["note"]


@pytest.mark.parametrize(
    ("growth", "noise", "stable"), [(0.0, 0.002, True), (0.03, 0.002, True), (0.5, 0.002, False), (0.12, 0.01, None)]
)
def test_a_stable_polarization(growth, noise, stable):
    gaps = np.repeat(0.05 * np.linspace(1, 1 + growth, 40), 2)
    gaps[::2] += noise * scatter(np.random.default_rng(6), "independent", 40)
    rows = found(full_cell(fading(40, 0.95), polarization=gaps, points=25), panel="polarization")
    assert rows["polarization_stable"]["value"] is stable
    assert [one["value"] for one in rows["polarization_stable"]["threshold"]] == [10]
    assert rows["polarization_stable"]["evidence"][0]["value"] == rows["polarization_change"]["value"]
    change = 100 * growth * 34 / 39 / (1 + growth * 22 / 39)  # from cycle 6 on, over the mean of those
    assert rows["polarization_change"]["low"] <= change <= rows["polarization_change"]["high"]
    assert rows["polarization"]["value"] == pytest.approx(50 * (1 + growth * 22 / 39), rel=0.04)
    assert rendered(rows["polarization_last_cycle"]) == "cycle 40"


def test_too_few_cycles_for_a_trend():
    recording = full_cell([170, 165, 166, 164])
    assert found(recording, panel="polarization")["polarization_stable"]["value"] is None
    assert found(recording)["capacity_fade_per_cycle"]["value"] is None
    rows = found(full_cell(fading(8, 0.9)))  # three settled cycles
    assert rows["capacity_fade_per_cycle"]["value"] == pytest.approx(10 / 7, abs=0.01)


def test_table_shows_the_cycles_asked_for(table):
    shown = full_cell_findings.table({"A": table}, [1, 40, 99])
    assert shown.index.tolist() == [("A", 1), ("A", 40)]
    assert shown.loc[("A", 40), "discharge"] == "132 mAh/g"
    formed = capacity.cycles(full_cell([300, 170, 165], starts="discharge"))
    assert full_cell_findings.table({"B": formed}, [1]).loc[("B", 0)].tolist() == ["—", "300 mAh/g", "—", "—"]


@pytest.mark.parametrize("panel", ["capacity", "polarization"])
def test_a_row_of_panels_for_each_cell(panel, recording, table):
    formed = full_cell([300, 170, 90], starts="discharge", sample="Li|graphite", mass=None, until=0.5)
    cells = {"A": recording, "B": formed}
    tables = {"A": table, "B": capacity.cycles(formed)}
    with figures.new(width="double", height=120) as fig:
        full_cell_plots.draw(fig, panel, cells, tables, [1, 20])
    fig.canvas.draw()
    assert [ax.get_ylabel() for ax in fig.axes] == {
        # the second cell has no complete cycle, and so no efficiency to show
        "capacity": ["Coulombic\nefficiency / %", "Specific capacity / mAh g⁻¹", "Capacity / mAh"],
        "polarization": ["Voltage / V", "Polarisation at half capacity / mV"] * 2,
    }[panel]
    (efficiencies,) = [line for line in fig.axes[0].lines if line.get_label() == "_Coulombic efficiency"] or [None]
    if panel == "capacity":
        low, high = fig.axes[0].get_ylim()
        assert 98.9 < low < 99.8 < high < 101  # a tenth of a percent can be read
        assert np.isfinite(efficiencies.get_ydata()).sum() == 40
    else:
        assert [np.isfinite(ax.lines[-1].get_ydata()).sum() for ax in fig.axes[1::2]] == [40, 0]


def test_profiles_of_the_shown_cycles(recording, table):
    ax = Figure().add_subplot()
    full_cell_plots.plot_profiles(ax, recording, table, [1, 20, 99])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["1", "20", "40"]
    ends = sorted(max(line.get_xdata()) for line in ax.lines)
    np.testing.assert_allclose(ends[:2], [132, 132 / 0.998], atol=0.1)


def test_the_bundles_recording_gives_the_papers_numbers_back():
    """Closure: the twin wrote it from 165.5 mAh/g and 92.4 % after 110 cycles."""
    (recording,) = raw.recordings("full-cell", ["RT-MCL-LLZ"]).values()
    table = capacity.cycles(recording, mass_uncertainty=0.0, current_uncertainty=0.0)
    rows = {
        row["quantity"]: row
        for panel in ("capacity", "polarization")
        for row in full_cell_findings.findings(table, panel)
    }
    assert abs(rows["discharge_capacity_first_cycle"]["value"] - 165.5) < 0.1
    assert rows["retention_cycle_110"]["low"] <= 92.4 <= rows["retention_cycle_110"]["high"]
    assert rows["retention_cycle_110"]["high"] - rows["retention_cycle_110"]["low"] < 0.6
    assert rows["discharge_capacity_cycle_100"]["high"] < 160  # so the paper's other statement cannot hold beside it
    assert rows["complete_cycles"]["value"] == 112
    assert rows["polarization_stable"]["value"] is True


def test_an_unknown_panel_is_named(table):
    with pytest.raises(ValueError, match="panel is 'polarisation': give capacity, polarization or differential"):
        full_cell_findings.findings(table, "polarisation")
