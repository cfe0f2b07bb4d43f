"""Full cells, half cells and rate tests by other protocols than the twin's: true findings, or "cannot be told"."""

import numpy as np
import pytest

from coldbond.bundle import raw
from coldbond.bundle.findings import rendered
from coldbond.cells import capacity, cycle_numbers, differential, protocol, rate
from coldbond.cells.findings import full_cell as full_cell_findings
from coldbond.cells.findings import rate as rate_findings
from full_cells import fading, full_cell
from independent import full_cells, rates

KINDS = full_cells.KINDS | rates.KINDS
OPTIONS = {"rested": {"capacity_after": 50}}


@pytest.fixture(autouse=True)
def other_folder(monkeypatch):
    monkeypatch.setattr(raw, "is_own", lambda: False)


def recording_of(kind, seed=7):
    made, truths, *_ = KINDS[kind](seed)
    (one,) = made
    mass = one.constants.get("active_mass_mg", np.nan)
    attrs = dict(sample=one.sample, state=one.state, source=kind, active_mass_mg=mass)
    return one.role, one.recording.assign_attrs(attrs), {quantity: truth for (*_, quantity), truth in truths.items()}


def found(kind, panel="capacity", seed=7):
    role, recording, truths = recording_of(kind, seed)
    if role == "rate":
        test = rate.analyse(recording)
        rows = rate_findings.of_cell(recording, test)
    else:
        rows = full_cell_findings.findings(capacity.cycles(recording), panel, **OPTIONS.get(kind, {}))
    return {row["quantity"]: row for row in rows}, truths


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_found_is_true_or_cannot_be_told(kind):
    rows, truths = found(kind)
    for quantity, truth in truths.items():
        row = rows[quantity]
        if truth is None:
            assert row["value"] is None, quantity
            assert row["note"], quantity
        elif isinstance(truth, bool) or row["low"] is None:
            assert row["value"] == truth, quantity
        else:
            assert row["low"] <= truth <= row["high"], quantity


def test_the_cycles_that_are_compared_are_said():
    rows, _ = found("checked up")
    assert rows["retention_against_first"]["note"] == "against the first cycle of the test (cycle 4)"
    text = rendered(rows["complete_cycles"])
    assert "not of the test, charge 0.0195 mA and discharge 0.0195 mA: cycle 1 to 3, 25, 50, 75, 100" in text
    row = rows["discharge_capacity_cycle_100"]  # is a check-up
    assert row["value"] == pytest.approx(
        found("checked up")[0]["retention_cycle_110"]["evidence"][1]["value"], rel=0.02
    )
    assert "of cycle 99: cycle 100 is not one of the test" in row["note"]


def test_missing_cycles_are_said():
    rows, _ = found("lost cycles")
    assert "not in the recording: cycle 40 to 60" in rendered(rows["complete_cycles"])
    _, recording, _ = recording_of("lost cycles")
    table = capacity.cycles(recording)
    rows = {row["quantity"]: row for row in full_cell_findings.findings(table, capacity_after=50)}
    assert "cycles 40 to 60 are missing" in rows["discharge_capacity_cycle_50"]["note"]
    text = rendered(found("lost cycles without numbers")[0]["complete_cycles"])
    assert "records are lost before cycle 40" in text


def test_numbers_of_the_tester():
    none = np.zeros(4, dtype=bool)
    for own, counted_from, numbers, by_tester in (
        ([1, 2, 3, 4], 1, [1, 2, 3, 4], True),
        ([0, 1, 2, 3], 1, [1, 2, 3, 4], True),
        ([1, 2, 5, 6], 1, [1, 2, 5, 6], True),
        ([1, 2, 1, 2], 1, [1, 2, 3, 4], True),
        ([1, 1, 2, 3], 0, [0, 1, 2, 3], True),  # half a cycle has the number of the first whole one
        ([1, 1, 1, 1], 1, [1, 2, 3, 4], False),
        ([1, 3, 5, 7], 1, [1, 2, 3, 4], False),  # half cycles are counted
        ([1, 2, 2, 3], 1, [1, 2, 3, 4], False),
    ):
        got = cycle_numbers.numbered(np.array(own), none, counted_from)
        assert (got.numbers.tolist(), got.by_tester) == (numbers, by_tester), own
    lost = cycle_numbers.numbered(None, np.array([False, False, True, False]), 1)
    assert lost.sure_until == 2
    assert "before cycle 3" in lost.words


def test_a_failure_ends_means_and_the_verdict_on_the_polarisation():
    rows, _ = found("leaking")
    low = rows["failure_cycle"]["low"]
    assert rows["coulombic_efficiency"]["low"] <= 99.85 <= rows["coulombic_efficiency"]["high"]
    assert f"before the failure (from cycle {low:.0f} on)" in rows["coulombic_efficiency"]["note"]
    assert "a charge above what theory allows" in rows["failure_cycle"]["note"]
    last = rows["retention_against_first"]["evidence"][0]
    assert last["name"] == "last complete cycle before the failure"
    assert last["value"] < low
    rows, _ = found("leaking", "polarization")
    assert rows["polarization_last_cycle"]["evidence"][0]["value"] < low
    assert rows["polarization_stable"]["note"] == f"before the failure (from cycle {low:.0f} on)"


def test_a_cell_that_did_not_fail_has_outlived_its_test():
    row = found("aborted")[0]["failure_cycle"]
    assert (row["value"], row["low"], row["high"]) == (None, 60, None)
    row = found("healing")[0]["failure_cycle"]
    assert row["value"] is None
    assert row["evidence"][0]["name"] == "recovered from, cycle"


def test_a_low_efficiency_from_the_first_cycle_on_is_no_failure_that_can_be_told():
    def failure_of(first):
        rows = full_cell_findings.findings(capacity.cycles(full_cell(fading(20, 0.9, first=first, efficiency=0.8))))
        (row,) = [row for row in rows if row["quantity"] == "failure_cycle"]
        assert "from the first cycles on" in row["note"]
        return row["value"], row["low"], row["high"]

    assert failure_of(120.0) == (None, None, None)
    assert failure_of(160.0) == (None, None, 2)  # 200 mAh/g in charge are more than LiFePO4 holds


def test_the_applied_current_is_that_before_the_voltage_is_held():
    current = np.concatenate([[0.3], np.full(20, 1.0), np.geomspace(1, 0.05, 60)])
    applied, less = protocol.applied_current(-current)
    assert applied == pytest.approx(-1.0, abs=0.03)
    assert less.sum() > 55


def test_half_of_the_charge_at_constant_voltage_gives_no_polarisation():
    halves = [half for _ in range(12) for half in (full_cells.Half(150, 1.0, held=0.7), full_cells.Half(145, -1.0))]
    recording = full_cells.Cell(halves, full_cells.numbered(halves)).record(np.random.default_rng(1))
    table = capacity.cycles(recording.assign_attrs(sample="A", state="", active_mass_mg=full_cells.MASS))
    row = full_cell_findings.findings(table, "polarization")[0]
    assert row["quantity"] == "polarization_stable"
    assert row["value"] is None
    assert row["note"] == "half of the charge passed at less than the applied current"


def test_a_rest_of_a_week_and_a_hole_differ():
    table = capacity.cycles(recording_of("rested")[1].drop_vars("cycle"))
    assert table.attrs["numbering"] == ""  # the rest is recorded


def test_the_peak_of_the_differential_capacity_is_the_plateau():
    recording = full_cell(fading(3, 0.95), polarization=0.08, points=200)
    table = capacity.cycles(recording)
    for half, truth in (("charge", 3.47), ("discharge", 3.39)):
        low, high = differential.peak(recording, table.sel(cycle=2, half=half)).numbers[1:]
        assert low <= truth <= high
        voltage, curve = differential.curve(recording, table.sel(cycle=2, half=half))
        whole = np.abs(curve).sum() * (voltage[1] - voltage[0])
        assert whole == pytest.approx(float(table.capacity.sel(cycle=2, half=half)), rel=1e-3)
    rows = full_cell_findings.of_cell(recording, table, "differential")
    assert {row["quantity"] for row in rows} == {
        f"differential_capacity_peak_{half}_{which}_cycle"
        for half in ("charge", "discharge")
        for which in ("first", "last")
    }


def test_asymmetric_currents_are_said():
    rows, _ = found("fast")
    assert "charged at 0.0782 mA, discharged at 0.391 mA" in rows["polarization_1C"]["note"]
    low = rows["discharge_capacity_5C"]
    assert 0 <= low["low"] < low["high"] < 5
    assert not any("outlier" in one["name"] for one in low["evidence"])


def test_pulses_of_growing_length_are_no_cycles_of_a_test():
    capacities = np.repeat([0.5, 5.0, 50.0], 2)
    rows = full_cell_findings.findings(capacity.cycles(full_cell(capacities)))
    (row,) = [row for row in rows if row["quantity"] == "retention_against_first"]
    assert row["value"] is None
    assert "more than doubled" in row["note"]
