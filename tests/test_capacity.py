"""Charge of half cycles and cycles, against recordings of known capacities."""

import numpy as np
import pytest

from coldbond.cells import capacity, cycling
from full_cells import MASS, PLATEAU, fading, full_cell

TRUE = np.array([[170.0, 166.0, 165.0], [165.0, 164.0, 163.0]])  # mAh/g, charge and discharge of three cycles
ALTERNATING = TRUE.T.ravel()


@pytest.mark.parametrize("counter", ["step", "cycle", "never", "signed", "two"])
def test_the_counter_is_read_whenever_it_is_set_back(counter):
    table = capacity.cycles(full_cell(ALTERNATING, counter=counter))
    assert table.attrs["counted"]
    assert table.cycle.to_numpy().tolist() == [1, 2, 3]
    np.testing.assert_allclose(table.capacity, TRUE, atol=1.5e-8 * 1e6 / MASS)  # a digit at either end
    assert (table.capacity_half_width < 0.01).all()


def test_without_a_counter_the_current_is_integrated_within_its_interval():
    table = capacity.cycles(full_cell(ALTERNATING, counter=None))
    assert not table.attrs["counted"]
    assert (np.abs(table.capacity - TRUE) <= table.capacity_half_width).all()
    assert (table.capacity_half_width < 0.002 * TRUE).all()


def test_the_finer_of_counter_and_current_is_used():
    coarse_counter = full_cell(ALTERNATING, counter_digit=1e-5, current_digit=1e-9)
    coarse_current = full_cell(ALTERNATING, counter_digit=1e-8, current_digit=2e-5)
    assert not capacity.cycles(coarse_counter).attrs["counted"]
    assert capacity.cycles(coarse_current).attrs["counted"]


def test_rounding_bounds_the_integral_however_many_records():
    for points in (60, 600):
        recording = full_cell(ALTERNATING, counter=None, current_digit=2e-5, points=points)  # 53 uA read as 60
        table = capacity.cycles(recording)
        assert (np.abs(table.capacity - TRUE) < table.capacity_half_width).all()
        np.testing.assert_allclose(table.capacity_half_width / table.capacity, 1e-5 / 6e-5, rtol=0.05)


@pytest.mark.parametrize(
    ("counter", "restarts"), [("step", True), ("two", True), ("cycle", False), ("never", False), (None, False)]
)
def test_a_pause_costs_no_charge(counter, restarts):
    recording = full_cell(ALTERNATING, counter=counter, pause=[2, 3], dwell=7200.0, restarts=restarts)
    table = capacity.cycles(recording)
    np.testing.assert_allclose(table.capacity, TRUE, rtol=1e-3 if counter is None else 2e-4)
    assert table.rests.to_numpy().tolist() == [[0, 1, 0], [0, 1, 0]]
    np.testing.assert_allclose(table.paused.sel(cycle=2), 7200, atol=1)
    np.testing.assert_allclose(table.polarization, 0.05, atol=2e-4)


def test_a_first_discharge_stands_alone():
    table = capacity.cycles(full_cell([300.0, 170.0, 165.0, 166.0, 164.0], starts="discharge"))
    assert table.cycle.to_numpy().tolist() == [0, 1, 2]
    np.testing.assert_allclose(table.capacity, [[np.nan, 170, 166], [300, 165, 164]], atol=0.02)
    assert table.complete.to_numpy().tolist() == [False, True, True]
    assert np.isnan(table.coulombic_efficiency[0])


@pytest.mark.parametrize("halves", [5, 6])  # the last is a charge, a discharge
def test_a_last_half_cycle_that_was_broken_off_is_unfinished(halves):
    table = capacity.cycles(full_cell(ALTERNATING[:halves], until=0.6))
    assert table.complete.to_numpy().tolist() == [True, True, False]
    assert np.isnan(table.polarization[2])


def test_a_last_discharge_that_reaches_the_cut_off_is_finished_however_small():
    table = capacity.cycles(full_cell([170, 165, 166, 164, 165, 90]))
    assert table.complete.all()


def test_a_discharge_at_another_current_has_no_cut_off_to_reach():
    table = capacity.cycles(full_cell([170, 165, 166, 150], c_rate=[0.2, 0.2, 0.2, 1.0], until=0.9))
    assert table.finished.sel(half="discharge").to_numpy().tolist() == [1, 1]


def test_discharges_alone_are_told_apart_by_their_current():
    recording = full_cell([170, 165, 170, 150, 170, 120], c_rate=[0.2, 0.2, 0.5, 0.5, 1.0, 1.0])
    table = capacity.cycles(recording.sel(record=recording.current <= 0))
    assert table.cycle.to_numpy().tolist() == [1, 2, 3]
    np.testing.assert_allclose(table.capacity.sel(half="discharge"), [165, 150, 120], atol=0.02)
    assert np.isnan(table.capacity.sel(half="charge")).all()


def test_efficiency_is_discharge_over_charge():
    table = capacity.cycles(full_cell(fading(4, 0.9, efficiency=0.95)))
    assert (np.abs(table.coulombic_efficiency - 95) <= table.efficiency_half_width).all()
    assert (table.efficiency_half_width < 0.01).all()


def test_mass_and_current_widen_what_all_capacities_share():
    table = capacity.cycles(full_cell(ALTERNATING), current_uncertainty=0.003, mass_uncertainty=0.04)
    assert table.attrs["common"] == pytest.approx(0.0401, abs=1e-4)
    without_mass = capacity.cycles(full_cell(ALTERNATING, mass=None), current_uncertainty=0.003, mass_uncertainty=0.04)
    assert without_mass.attrs["common"] == 0.003
    assert without_mass.capacity.attrs["units"] == "mAh"
    np.testing.assert_allclose(without_mass.capacity, TRUE / 1000, rtol=1e-3)


def test_polarization_is_that_at_half_of_each_half_cycle():
    table = capacity.cycles(full_cell(ALTERNATING, polarization=0.123, voltage_digit=1e-3))
    assert (np.abs(table.polarization - 0.123) < table.polarization_half_width + 1e-9).all()
    assert table.attrs["voltage_digit"] == 1e-3


def test_profile_leaves_out_the_pause_and_ends_at_the_capacity():
    recording = full_cell(ALTERNATING, pause=[1])
    table = capacity.cycles(recording)
    along, voltage = capacity.profile(recording, table.sel(cycle=1, half="discharge"))
    assert along[0] == pytest.approx(0, abs=0.1)
    assert along[-1] == pytest.approx(165, abs=0.1)
    assert (np.diff(along) >= 0).all()
    assert not np.isclose(voltage, PLATEAU).any()


def test_a_half_cycle_of_a_single_record_is_no_error():
    recording = full_cell(ALTERNATING)
    recording.current[1] = 1e-5
    halves = capacity.measured(recording, cycling.half_cycles(recording))
    assert np.isfinite(halves.middle).all()


def test_no_current_is_an_error():
    recording = full_cell(ALTERNATING)
    with pytest.raises(ValueError, match="no current"):
        capacity.cycles(recording.sel(record=recording.current == 0))


def test_residuals_leave_out_a_slope_and_find_the_odd_one():
    values = np.linspace(165, 150, 40)
    values[17] += 1.0
    distances = capacity.residuals(values)
    assert np.isnan(distances[[0, -1]]).all()
    assert np.nanargmax(np.abs(distances)) == 17
    np.testing.assert_allclose(distances[17], 1, atol=1e-9)
    assert capacity.outliers(distances, 5, 0.01).nonzero()[0].tolist() == [17]


def test_scatter_alone_makes_hardly_an_outlier():
    rng = np.random.default_rng(8)
    found = sum(capacity.outliers(capacity.residuals(rng.normal(0, 1, 100)), 5, 0).sum() for _ in range(100))
    assert found < 10  # of 10 000
    assert not capacity.outliers(np.array([0.0, 50.0, 0.0]), 5, 0.1).any()


def test_robust_deviation_is_the_standard_deviation():
    rng = np.random.default_rng(3)
    assert capacity.robust_deviation(rng.normal(0, 0.3, 4000)) == pytest.approx(0.3, rel=0.05)
    assert np.isnan(capacity.robust_deviation(np.array([np.nan])))
