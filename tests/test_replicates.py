"""Mean, median and comparison of replicates: exact limits, and coverage by simulation."""

from math import log

import numpy as np
import pytest
from scipy import stats

from coldbond import replicates
from coldbond.interval import Interval, student

# ---- exact limits ---------------------------------------------------------------------------------------------------


def test_without_own_uncertainty_the_mean_has_students_interval():
    values = [2.0, 3.0, 4.5]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    found = replicates.mean([Interval(x) for x in values])
    assert found.value == pytest.approx(np.mean(values))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_replicates_that_agree_keep_their_own_uncertainty():
    found = replicates.mean([Interval(165.0, 158.0, 171.0), Interval(165.0, 160.0, 173.0)], positive=True)
    assert tuple(found) == pytest.approx((165.0, 159.0, 172.0))


def test_the_spread_of_a_positive_quantity_is_a_factor():
    low, high = (replicates.mean([Interval(1.0), Interval(1.2)], positive=True).numbers[i] for i in (1, 2))
    factor = np.exp(student(1) * np.sqrt(0.02) / 1.1 / np.sqrt(2))
    assert (low, high) == pytest.approx((1.1 / factor, 1.1 * factor))
    assert replicates.mean([Interval(1.0), Interval(1.2)]).low < 0


def test_a_mean_has_no_bound_that_a_replicate_lacks_and_none_of_exact_equal_values():
    assert replicates.mean([Interval(2.0, 1.0, None), Interval(2.0, 1.5, 3.0)]) == Interval(2.0, 1.25, None)
    assert replicates.mean([Interval(2.0), Interval(2.0)]) == Interval(2.0)
    assert replicates.mean([Interval(1.0), Interval(9.0)], positive=True).high is None  # beyond a factor of 100
    for bad in ([Interval(2.0)], [Interval(2.0), Interval(None, 1.0)]):
        with pytest.raises(ValueError, match="two replicates or more"):
            replicates.mean(bad)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_median_of_exact_values_has_students_interval_of_the_logarithms(n):
    values = [2.0, 3.0, 2.4, 2.9, 2.2][:n]
    _, low, high = replicates.median([Interval(x) for x in values], positive=True)
    expected = stats.ttest_1samp(np.log(values), 0).confidence_interval(0.95)
    width = expected.high - expected.low
    assert (log(low), log(high)) == pytest.approx((expected.low, expected.high), abs=0.01 * width)


def test_six_replicates_bound_the_median_by_order_statistics():
    lives = [Interval(None, 800.0), *(Interval(x, x - 1, x) for x in (100.0, 300.0, 500.0, 600.0, 700.0))]
    assert replicates.median(lives) == Interval(550.0, 99.0, None)
    ten = [Interval(float(x), float(x), float(x + 1)) for x in range(10)]
    assert replicates.median(ten) == Interval(4.5, 1.0, 9.0)  # 97.9 %; the third and the eighth: 89.1 %


def test_three_cells_that_outlast_the_test_do_not_bound_the_median():
    assert replicates.median(3 * [Interval(None, 800.0)], positive=True) == Interval(None)
    assert replicates.median(6 * [Interval(None, 800.0)], positive=True) == Interval(None, 800.0)


def test_the_median_is_that_of_kaplan_and_meier():
    lives = [Interval(100.0, 99.0, 100.0), Interval(None, 50.0), Interval(200.0, 199.0, 200.0), Interval(None, 300.0)]
    # One of three is left after 100 h is 2/3 of those at risk; after 200 h one half of that.
    assert replicates.median(lives, positive=True).value == 200.0
    assert replicates.median([Interval(None, 300.0), Interval(10.0, 9.0, 10.0)], positive=True).value is None
    steps = [Interval(None, 0.0, 0.1), Interval(0.2, 0.2, 0.3), Interval(0.3, 0.3, 0.4)]
    assert replicates.median(steps, positive=True).value == 0.2


def test_cells_that_failed_in_one_step_leave_room_beyond_the_step():
    for n, beyond in ((2, 1.0), (3, 0.2)):
        _, low, high = replicates.median(n * [Interval(0.7, 0.7, 0.8)], positive=True)
        assert low < 0.7 - 0.1 * beyond and high > 0.8 + 0.1 * beyond


def test_differences_and_ratios_add_half_widths_in_quadrature():
    assert replicates.difference(Interval(5.0, 2.0, 9.0), Interval(1.0, -2.0, 5.0)) == Interval(4.0, -1.0, 9.0)
    one, other = Interval(4.0, 2.0, 8.0), Interval(1.0, 0.5, 2.0)
    factor = 2 ** np.sqrt(2)
    assert tuple(replicates.ratio(one, other)) == pytest.approx((4.0, 4 / factor, 4 * factor))
    assert replicates.ratio(Interval(None, 8.0), Interval(2.0, 1.0, 4.0)) == Interval(None, pytest.approx(2.0), None)
    assert replicates.ratio(one, Interval(1.0, 0.0, 2.0)).high is None


def test_an_interval_that_holds_the_limit_decides_nothing():
    assert replicates.is_above(Interval(2.0, 1.1, None), 1.0) is True
    assert replicates.is_above(Interval(0.5, None, 0.9), 1.0) is False
    assert replicates.is_above(Interval(2.0, 0.9, 3.0), 1.0) is None
    assert replicates.is_above(Interval(2.0), 1.0) is None


def test_a_share_has_the_interval_of_clopper_and_pearson():
    assert tuple(replicates.share(3, 3)) == pytest.approx((1.0, 0.025 ** (1 / 3), 1.0))
