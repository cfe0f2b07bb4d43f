"""Segments, half cycles and the charge they passed, of recordings whose answer is known."""

import numpy as np
import pytest

from cells import dataset
from coldbond.cells import cycling
from coldbond.interval import NORMAL


def staircase(levels, duration=600.0, every=10.0, noise=0.0, digit=1e-7, seed=0):
    """Constant currents [A] one after the other, the first record of each a tenth of a second after the switch."""
    t = np.arange(0.1, duration, every)
    time = (np.arange(len(levels))[:, None] * duration + t).ravel()
    current = np.repeat(levels, t.size)
    current = current + np.random.default_rng(seed).normal(0, noise, current.size) * (current != 0)
    return dataset(time, 0 * time, current, current_digit=digit)


def test_segments_of_one_direction_are_cut_where_the_level_changes():
    found = cycling.segments(staircase([1e-4, 1.05e-4, 1.1e-4, 0, 1.1e-4, -1e-4], noise=2e-7))
    np.testing.assert_allclose(found.current, [1e-4, 1.05e-4, 1.1e-4, 1.1e-4, -1e-4], rtol=3e-3)
    np.testing.assert_allclose(found.begin, np.array([0, 1, 2, 4, 5]) * 600, atol=10)


@pytest.mark.parametrize("noise", [0, 4e-8, 5e-7])
def test_noise_and_a_dithering_last_digit_cut_nothing(noise):
    assert cycling.segments(staircase([8e-5, -8e-5] * 20, noise=noise)).sizes["segment"] == 40


def test_one_record_caught_while_the_current_rises_is_no_segment():
    recording = staircase([1e-3, -1e-3])
    recording.current[60] = -4e-4  # the first of the second half cycle
    found = cycling.segments(recording)
    assert found.sizes["segment"] == 2
    assert found.start.values[1] == 61


def test_half_cycle_keeps_its_pause_and_its_taper():
    recording = staircase([1e-3, 0, 1e-3, 0.7e-3, 0.4e-3, -1e-3])
    found = cycling.half_cycles(recording)
    np.testing.assert_allclose(found.charge, [3.1e-3 / 6, -1e-3 / 6], rtol=0.02)


def test_a_coarse_channel_still_has_its_half_cycles():
    """A current of 0.2 mA read to 0.1 mA, as in the real Landt recording."""
    recording = staircase([2e-4, 0, -2e-4, 2e-4], noise=4e-5, digit=1e-4)
    found = cycling.half_cycles(recording)
    np.testing.assert_allclose(np.sign(found.charge), [1, -1, 1])
    truth = 2e-4 / 6
    assert (np.abs(np.abs(found.charge) - truth) < NORMAL * found.charge_uncertainty).all()
    assert (found.charge_uncertainty > 0.1 * truth).all()


def test_charge_interval_covers_the_truth():
    """Switches that fall anywhere between two records of a clock that ignores them, currents rounded to a digit."""
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(100):
        edges = np.cumsum(rng.uniform(500, 700, 7))
        levels = rng.uniform(3e-4, 9e-4, 6) * np.array([1, -1] * 3)
        time = np.arange(edges[0] + rng.uniform(0, 30), edges[-1], 30.0)
        current = levels[np.searchsorted(edges, time) - 1]
        found = cycling.half_cycles(dataset(time, 0 * time, current, current_digit=1e-5)).isel(half_cycle=slice(1, 5))
        truth = (levels * np.diff(edges) / 3600)[1:5]
        covered += list(np.abs(found.charge.values - truth) <= NORMAL * found.charge_uncertainty.values)
    assert 0.9 <= np.mean(covered) <= 0.99


def test_a_recording_without_current_is_named():
    with pytest.raises(ValueError, match="test: no current flows"):
        cycling.segments(staircase([0, 0]))
    with pytest.raises(ValueError, match="test: no current flows"):
        cycling.half_cycles(staircase([0]))


@pytest.mark.parametrize("shape", [(1,), (2,), (5,), (1000,), (4, 3), (5, 3)], ids=str)
def test_median_is_numpys(shape):
    values = np.random.default_rng(1).normal(size=shape)
    assert np.array_equal(cycling.median(values), np.median(values, axis=0))


def test_a_channel_without_its_last_digit_is_named():
    recording = staircase([1e-3, -1e-3])
    del recording.current.attrs["resolution"]
    with pytest.raises(ValueError, match="test: the resolution of the current is not known"):
        cycling.half_cycles(recording)


@pytest.mark.parametrize("recorded", [3, 0], ids=["records at no current", "no records"])
def test_a_standstill_within_a_half_cycle_is_no_time_with_current_and_no_charge(recorded):
    recording = staircase([1e-3, -1e-3] * 5)
    time, current = recording.time.values, recording.current.values
    at = 250  # in the fifth half cycle of 60 records
    later = np.where(np.arange(time.size) >= at, time + 5e4, time)
    zeros = time[at - 1] + 10 + np.linspace(0, 5e4 - 20, recorded)
    stopped = dataset(np.insert(later, at, zeros), np.zeros(time.size + recorded), np.insert(current, at, 0 * zeros))
    found = cycling.half_cycles(stopped)
    assert found.sizes["half_cycle"] == 10
    assert found.flowed.values == pytest.approx(600, abs=15)
    assert np.abs(found.charge.values) == pytest.approx(1e-3 / 6, rel=0.025)
    assert float(np.abs(found.end - found.begin)[4]) > 5e4
    assert not found.undecided.any()


def test_a_rest_that_is_recorded_at_its_end_only_passes_no_charge():
    recording = staircase([1e-3, 0, 1e-3, -1e-3])
    only_end = recording.isel(record=np.r_[0:60, 119:240])
    found = cycling.half_cycles(only_end)
    np.testing.assert_allclose(found.charge, [2e-3 / 6, -1e-3 / 6], rtol=0.02)
    np.testing.assert_allclose(found.flowed, [1200, 600], atol=15)


def test_half_cycles_on_both_sides_of_lost_cycles_are_two():
    recording = staircase([1e-3, -1e-3] * 8)
    recording["cycle"] = ("record", np.repeat(np.arange(16) // 2 + 1, 60))
    lost = recording.isel(record=np.r_[0:270, 510:960])  # from the half of one charge to the half of another
    found = cycling.half_cycles(lost)
    assert found.sizes["half_cycle"] == 13
    assert np.sign(found.charge.values[4:6]).tolist() == [1, 1]
    assert float(found.lost[4]) == pytest.approx(2400, abs=15)
    together = cycling.half_cycles(lost.drop_vars("cycle"))
    assert float(together.undecided.sum()) == pytest.approx(2400, abs=15)  # it may have stood still as well


def test_a_hole_in_a_half_cycle_without_others_to_compare_with_cannot_be_told():
    recording = staircase([1e-3], duration=3600.0)
    found = cycling.segments(recording.isel(record=np.r_[0:100, 200:360]))
    assert float(found.undecided[0]) == pytest.approx(1010)
    assert float(found.flowed[0]) == pytest.approx(2580, abs=15)
    assert float(found.charge[0]) == pytest.approx(1e-3 * 2580 / 3600, rel=0.01)
