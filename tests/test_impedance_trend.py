"""The course of a resistance over the cycles, against courses of which the truth is known."""

import numpy as np
import pandas as pd
import pytest

from coldbond.impedance import trend
from coldbond.impedance.findings import _in_words, course_findings
from coldbond.interval import Interval

CYCLES = np.array([1, 10, 25, 50, 75, 100, 150, 200.0])


def broken(at: float, change: float) -> np.ndarray:
    """From 160 to 100 at the break, and then by `change` to the last cycle."""
    before, after = (at - CYCLES) / (at - 1), (CYCLES - at) / (200 - at)
    return 100 + np.where(at > CYCLES, 60 * before, change * after)


def settling(at: float, change: float) -> np.ndarray:
    """An exponential fall, 95 % of which is over at a cycle, and a straight line below it."""
    return 100 + 100 * np.exp(-np.log(20) * (CYCLES - 1) / (at - 1)) + change * (CYCLES - 1) / 199


def settling_then(at: float, change: float) -> np.ndarray:
    """The same, and from that cycle on a straight line that changes by `change` to the last."""
    return settling(at, 0.0) + change * np.maximum(CYCLES - at, 0) / (200 - at)


def trends(truth: np.ndarray, scatter: float, stated: float, times: int = 100) -> list[trend.Trend]:
    """The findings from so many series with a relative scatter, and intervals that state another."""
    found = []
    for seed in range(times):
        value = truth * (1 + scatter * np.random.default_rng(seed).normal(size=truth.size))
        found.append(trend.breakpoint(CYCLES, [Interval.from_standard_error(v, stated * v) for v in value]))
    return found


@pytest.mark.parametrize(("scatter", "stated"), [(0.01, 0.01), (0.03, 0.03), (0.03, 0.01)])
@pytest.mark.parametrize("at", [50, 60])
@pytest.mark.parametrize("course", [broken, settling, settling_then])
def test_interval_of_the_break_covers_it(course, at, scatter, stated):
    """90 to 99 of 100, whether the intervals hold all of the scatter or not, with what chance may add."""
    found = [one.break_cycle for one in trends(course(at, 0.0), scatter, stated)]
    seen = [interval for interval in found if interval is not None]
    assert len(seen) >= 97
    assert np.mean([low <= at <= high for _, low, high in seen]) >= 0.9
    if scatter == 0.01:
        assert np.median([high - low for _, low, high in seen]) < 25


@pytest.mark.parametrize("stated", [0.004, 0.01])
@pytest.mark.parametrize("course", [broken, settling, settling_then])
def test_interval_of_the_break_covers_it_where_the_course_rises_again(course, stated):
    found = [one.break_cycle for one in trends(course(50, 50.0), 0.01, stated)]
    assert np.mean([low <= 50 <= high for _, low, high in found]) >= 0.9


@pytest.mark.parametrize("change", [-30.0, 0.0, 50.0])
def test_intervals_of_fall_and_change_cover_them(change):
    found = trends(broken(50, change), 0.01, 0.01)
    for quantity, truth in (("level", 100.0), ("fall", 60.0), ("change", change)):
        covered = np.mean([getattr(one, quantity).low <= truth <= getattr(one, quantity).high for one in found])
        assert covered >= 0.9, quantity


@pytest.mark.parametrize(
    ("truth", "stable", "rises"),
    [
        (broken(50, 0.0), True, False),
        (settling(50, 0.0), True, False),
        (broken(50, 60.0), False, True),
        (settling(50, 60.0), False, True),
        (settling(50, 0.0) + 60 * np.maximum(CYCLES - 50, 0) / 150, False, True),
        (broken(50, -30.0), False, False),
        (100 + 0 * CYCLES, False, False),
        (100 + CYCLES / 4, False, False),
    ],
    ids=[
        "break",
        "settling",
        "break, rise",
        "settling, rise",
        "settling, rise from 50",
        "on falling",
        "flat",
        "rising",
    ],
)
def test_verdicts_are_those_of_the_truth(truth, stable, rises):
    found = trends(truth, 0.01, 0.01)
    assert sum(one.falls_then_stable is stable for one in found) >= 90
    assert sum(one.falls_then_rises is rises for one in found) >= 90


def test_scatter_does_not_count_as_stable():
    """A change within a few per cent cannot be told where the values scatter by ten."""
    found = trends(settling(50, 0.0), 0.1, 0.1)
    assert sum(one.falls_then_stable is None for one in found) >= 95


def test_a_fall_too_weak_to_be_seen_is_not_denied():
    found = trends(100 + 0.12 * (settling(50, 0.0) - 100), 0.03, 0.03)
    assert sum(one.falls_then_stable is False for one in found) <= 2
    assert sum(one.falls_then_stable is None for one in found) >= 80


def test_a_straight_course_has_no_break():
    """At a level of 1 %, in 200 series not more than 5."""
    found = trends(150 - CYCLES / 4, 0.02, 0.02) + trends(100 + 0 * CYCLES, 0.02, 0.02)
    assert sum(one.break_cycle is not None for one in found) <= 5
    assert all("no break is seen" in _in_words(one) for one in found if one.break_cycle is None)
    assert not any(one.falls_then_stable for one in found if one.break_cycle is None)


def test_curve_and_evidence_say_what_was_found():
    (found,) = trends(broken(50, 60.0), 1e-6, 0.01, times=1)
    assert found.model == "broken line"
    np.testing.assert_allclose(found.curve(CYCLES), broken(50, 60.0), rtol=2e-3)
    assert found.curve(np.array([50.0]))[0] == pytest.approx(100, rel=0.01)
    assert "ohm (-38 %) until cycle 50, then changes by +60 % (" in _in_words(found)
    (curved,) = trends(settling(50, 0.0), 1e-6, 0.01, times=1)
    assert curved.model == "exponential fall"
    assert curved.break_cycle.value == pytest.approx(50, abs=1)
    np.testing.assert_allclose(curved.curve(CYCLES), settling(50, 0.0), rtol=5e-3)


def test_a_break_that_the_data_do_not_bound_may_lie_at_either_end():
    """Only the first value lies higher: the break is anywhere before the second."""
    value = np.array([160.0, *[100.0] * 7])
    found = trend.breakpoint(CYCLES, [Interval(v, 0.97 * v, 1.03 * v) for v in value])
    assert found.break_cycle.low == 1 and found.break_cycle.high < 50


def test_too_few_cycles():
    with pytest.raises(ValueError, match="5 cycles are too few"):
        trend.breakpoint(CYCLES[:5], [Interval(v, v - 0.1, v + 0.1) for v in CYCLES[:5]])


@pytest.mark.parametrize("compared", [True, False])
def test_a_claim_of_being_higher_is_tested_only_beside_what_it_is_higher_than(compared):
    samples = ["RT-MCL-LLZ", "LLZ"] if compared else ["LLZ"]
    rows = []
    for sample in samples:
        for cycle, value in zip(CYCLES, broken(50, 60) * (10 if sample == "LLZ" else 1), strict=True):
            interval = Interval(value, 0.99 * value, 1.01 * value)
            whose = {"sample": sample, "cell": sample, "replicate": ""}
            rows.append(whose | {"state": f"cycle {cycle:.0f}", "cycle": cycle, "interface": interval})

    found = course_findings(pd.DataFrame(rows), "interface")

    tested = [row for row in found if row["quantity"] == "higher_than_RT-MCL-LLZ_falls_then_rises"]
    assert [(row["value"], row["sample"]) for row in tested] == ([(True, "LLZ")] if compared else [])
    alone = [row["value"] for row in found if row["sample"] == "LLZ" and row["quantity"] == "falls_then_rises"]
    assert alone == ([] if compared else [True])
