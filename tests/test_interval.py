"""The interval class, and its quantiles against scipy's distributions."""

from dataclasses import FrozenInstanceError
from math import inf, nan

import pytest
from scipy import stats

from coldbond import interval
from coldbond.interval import Interval

# ---- quantiles ------------------------------------------------------------------------------------------------------


def test_the_normal_quantiles_are_those_of_scipy():
    assert pytest.approx(stats.norm.ppf(0.975), rel=1e-12) == interval.NORMAL
    assert pytest.approx(stats.norm.ppf(0.95), rel=1e-12) == interval.NORMAL_ONE_SIDED


@pytest.mark.parametrize("freedom", [1, 2, 3.7, 10, 1e6])
def test_the_quantiles_of_student_are_those_of_scipy(freedom):
    assert interval.student(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)
    assert interval.student_one_sided(freedom) == pytest.approx(stats.t.ppf(0.95, freedom), rel=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 17])
def test_the_quantile_of_chi_square_is_that_of_scipy(freedom):
    assert interval.chi_square(freedom) == pytest.approx(stats.chi2.ppf(0.95, freedom), rel=1e-9)


def test_the_rise_of_chi_square_for_one_parameter_is_the_square_of_the_normal_quantile():
    assert interval.chi_square() == pytest.approx(interval.NORMAL**2, rel=1e-9)


# ---- construction ---------------------------------------------------------------------------------------------------


def test_it_unpacks_into_value_low_and_high():
    value, low, high = Interval(2.0, 1.0, 3.5)
    assert (value, low, high) == (2.0, 1.0, 3.5)
    assert [*Interval(2.0)] == [2.0, None, None]


def test_it_is_frozen_and_equal_by_its_numbers():
    one = Interval(2.0, 1.0, 3.0)
    with pytest.raises(FrozenInstanceError):
        one.low = 0.0
    assert one == Interval(2.0, 1.0, 3.0) != Interval(2.0, 1.0, 3.1)
    assert len({one, Interval(2.0, 1.0, 3.0)}) == 1


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((2.0, 1.0, 3.0), (2.0, 1.0, 3.0)),
        ((2.0, -inf, 3.0), (2.0, None, 3.0)),
        ((2.0, 1.0, inf), (2.0, 1.0, None)),
        ((2.0, nan, nan), (2.0, None, None)),
        ((nan, nan, 3.0), (None, None, 3.0)),
    ],
)
def test_a_bound_that_is_not_finite_is_no_bound(numbers, expected):
    assert tuple(Interval.from_bounds(*numbers)) == expected


def test_a_standard_error_is_multiplied_by_the_normal_or_by_students_quantile():
    value, low, high = Interval.from_standard_error(10.0, 2.0)
    assert (value, low, high) == pytest.approx((10.0, 10 - 2 * 1.959964, 10 + 2 * 1.959964), rel=1e-6)
    # Student's t with 4 degrees of freedom: 2.776445
    assert [*Interval.from_standard_error(10.0, 2.0, 4)] == pytest.approx([10.0, 4.447110, 15.552890], rel=1e-6)
    assert [*Interval.from_standard_error(10.0, nan)] == [10.0, None, None]


def test_the_hull_contains_every_interval_and_is_unbounded_if_one_of_them_is():
    ends = Interval(1.0, 0.5, 1.5), Interval(3.0, 1.2, 3.1)
    assert Interval.hull(2.0, ends) == Interval(2.0, 0.5, 3.1)
    assert Interval.hull(2.0, (*ends, Interval(0.0, None, 4.0))) == Interval(2.0, None, 4.0)
    assert Interval.hull(2.0, (*ends, Interval(0.0, 0.0, None))) == Interval(2.0, 0.0, None)
    assert Interval.hull(2.0, (one for one in ends)) == Interval(2.0, 0.5, 3.1)
    assert Interval.hull(2.0, []) == Interval(2.0)


# ---- use ------------------------------------------------------------------------------------------------------------


def test_the_half_width_needs_both_bounds():
    assert (Interval(2.0, 1.0, 4.0).half_width, Interval(2.0, 1.0, 4.0).is_bounded) == (1.5, True)
    for one in (Interval(2.0), Interval(2.0, 1.0), Interval(2.0, None, 4.0)):
        assert (one.half_width, one.is_bounded) == (None, False)


def test_a_negative_factor_swaps_the_bounds():
    assert Interval(2.0, 1.0, 4.0).scaled(10) == Interval(20.0, 10.0, 40.0)
    assert Interval(2.0, 1.0, 4.0).scaled(-1) == Interval(-2.0, -4.0, -1.0)
    assert Interval(2.0, 1.0, None).scaled(-1) == Interval(-2.0, None, -1.0)
    assert Interval(None, 1.0, None).scaled(2) == Interval(None, 2.0, None)


def test_half_widths_of_independent_uncertainties_add_in_quadrature():
    wider = Interval(10.0, 7.0, None).widened(4.0 / interval.NORMAL)
    assert wider.low == pytest.approx(5.0)  # hypot(3, 4) = 5
    assert wider.high is None
    assert Interval(10.0, 7.0, 14.0).widened(3.0 / interval.NORMAL).high == pytest.approx(15.0)
    assert Interval(10.0, 7.0, 14.0).widened(0.0) == Interval(10.0, 7.0, 14.0)
    assert Interval(None, 7.0, None).widened(1.0) == Interval(None, 7.0, None)
