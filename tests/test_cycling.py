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
