"""Intervals of means and slopes of correlated series."""

import numpy as np
import pytest
from scipy.signal import lfilter

from coldbond import batch_means
from coldbond.interval import Interval

N = 600


@pytest.mark.parametrize("correlation", [0.0, 0.8, np.exp(-1 / 25)])
def test_intervals_cover_the_truth(correlation):
    rng = np.random.default_rng(3)
    x = np.arange(N)
    covered = np.zeros(2)
    for _ in range(400):
        deviates = rng.normal(size=N)
        deviates[0] /= np.sqrt(1 - correlation**2)
        y = 2 + lfilter([1], [1, -correlation], deviates)
        _, low, high = batch_means.mean(y)
        covered[0] += low <= 2 <= high
        _, low, high = batch_means.slope(x, y + 0.1 * x)
        covered[1] += low <= 0.1 <= high
    assert (covered >= 360).all()
    assert (covered <= 396).all()


def test_two_points_give_a_slope_without_bounds_and_one_point_none():
    assert batch_means.slope([0, 2], [1, 5]) == Interval(2.0)
    assert batch_means.slope([0], [1]) == Interval(None)
    assert batch_means.mean([4.0]) == Interval(4.0)
    assert batch_means.mean([]) == Interval(None)
