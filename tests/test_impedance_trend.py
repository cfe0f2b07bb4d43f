"""The course of a resistance over the cycles, against courses of which the truth is known."""

import numpy as np
import pandas as pd
import pytest

from coldbond.impedance import trend
from coldbond.impedance.findings import _in_words, course_findings
from coldbond.interval import Interval
from independent import courses

CYCLES, UNEVEN = courses.CYCLES, courses.UNEVEN_CYCLES
Course = courses.Curve


def broken(at: float, change: float) -> Course:
    """From 160 to 100 at the break, and then by `change` to cycle 200."""
    return lambda n: 100 + np.where(n < at, 60 * (at - n) / (at - 1), change * (n - at) / (200 - at))


def then(fall: courses.Fall, change: float) -> Course:
    """A fall by 60, and from cycle 50 on a straight line beside it that changes by `change` to cycle 200."""
    return courses.course(fall, 60.0, 100.0, 50, change)


settling = courses.exponential
#: Falls of other forms than those that are fitted stand among them.
FALLS = {
    "settling, 5": settling(5),
    "settling, 20": settling(20),
    "stretched": courses.stretched(10, 0.6),
    "second order": courses.second_order(10),
    "knee": courses.knee(50, 2.0),
    "ever faster": courses.knee(50, -1.0),
}


def trends(truth: Course, scatter: float, stated: float, times: int, cycles: np.ndarray = CYCLES) -> list[trend.Trend]:
    """The findings from so many series with a relative scatter, and intervals that state another."""
    found = []
    for seed in range(times):
        value = truth(cycles) * (1 + scatter * np.random.default_rng(seed).normal(size=cycles.size))
        found.append(trend.breakpoint(cycles, [Interval.from_standard_error(v, stated * v) for v in value]))
    return found


def covers(interval: Interval, truth: float) -> bool:
    """Whether a truth lies in an interval that may lack a bound."""
    return (interval.low is None or interval.low <= truth) and (interval.high is None or truth <= interval.high)


@pytest.mark.parametrize(("scatter", "stated"), [(0.003, 0.003), (0.01, 0.001)])
def test_break_is_covered_or_cannot_be_told(scatter, stated):
    """Whether the intervals hold all of the scatter or little of it; settling times of 5 and 20, break at 50."""
    truths = [then(fall, 50.0) for fall in FALLS.values()] + [broken(50, 0.0), broken(50, 60.0)]
    found = [one.break_cycle for truth in truths for one in trends(truth, scatter, stated, 5)]
    assert all(found)
    assert np.mean([covers(one, 50) for one in found]) >= 0.93
    told = [one for one in found if one.value is not None]
    assert len(told) >= 0.4 * len(found)
    assert np.median([high - low for _, low, high in told]) < 30


def test_settling_time_and_break_are_separate():
    """A fall that is over at cycle 16, and a rise from cycle 50 on."""
    for one in trends(then(settling(5), 50.0), 0.001, 0.001, 5):
        assert covers(one.settling_cycle, 1 + 5 * np.log(20)) and one.settling_cycle.value < 25
        assert one.break_cycle.low >= 25 and covers(one.break_cycle, 50)


@pytest.mark.parametrize("truth", [then(settling(15), 0.0), lambda n: 100 + 60 * np.exp(-(n - 1) / 15) + n / 4])
def test_a_course_without_a_break_has_none(truth):
    found = trends(truth, 0.01, 0.01, 12)
    assert sum(one.probability <= 0.01 and one.break_cycle.value is None for one in found) >= 11
    assert sum(covers(one.settling_cycle, 1 + 15 * np.log(20)) for one in found) >= 11


@pytest.mark.parametrize("change", [-30.0, 0.0, 50.0])
def test_intervals_of_level_fall_and_change_cover_them(change):
    truth = broken(50, change)
    covered = []
    for one in trends(truth, 0.01, 0.004, 20):
        first, at, last = truth(np.array([1, one.turn, 200.0]))
        covered += [covers(one.level, at), covers(one.fall, first - at), covers(one.change, last - at)]
    assert np.mean(covered) >= 0.93


def step(high_before: bool) -> Course:
    return lambda n: np.where((n < 75) == high_before, 160.0, 100.0)


#: Truths of falls_then_stable and falls_then_rises; None: either is right. Within 10 % is stable.
VERDICTS = [
    (broken(50, 0.0), True, False),
    (then(settling(15), 0.0), True, False),
    (then(FALLS["stretched"], 0.0), True, False),
    (broken(50, 60.0), False, True),
    (then(settling(20), 60.0), False, True),
    (then(FALLS["second order"], 50.0), False, True),
    (lambda n: 100 + 60 * ((n - 80) / 80) ** 2, False, True),
    (broken(50, -30.0), False, False),
    (lambda n: 100 + 60 * np.exp(-(n - 1) / 150), False, False),
    (lambda n: 150 - n / 4, False, False),
    (lambda n: 100 + 0 * n, False, False),
    (lambda n: 100 + n / 4, False, False),
    (lambda n: 100 + 5 * np.sqrt(n - 1), False, False),
    (lambda n: 100 + 60 * np.clip((n - 100) / 100, 0, 1), False, False),
    (step(high_before=False), False, False),
    (step(high_before=True), None, False),
    (lambda n: 160 - 60 * np.clip((n - 60) / 40, 0, 1), None, False),
    (lambda n: 140 + 20 * np.maximum(25 - n, 0) / 24 - 40 * np.clip((n - 100) / 50, 0, 1), False, False),
]


@pytest.mark.parametrize("cycles", [CYCLES, UNEVEN], ids=["eight cycles", "1, 2, 5, 10, 50, 200"])
def test_verdicts_are_right_or_cannot_be_told(cycles):
    """On falls, steps, late onsets, two falls, rises and noise; where the answer is plain it is given."""
    decided = 0
    for at, (truth, stable, rises) in enumerate(VERDICTS):
        for one in trends(truth, 0.01, 0.006, 2, cycles):
            assert stable is None or one.falls_then_stable in (stable, None), at
            assert one.falls_then_rises in (rises, None), at
            decided += (one.falls_then_stable is not None) + (one.falls_then_rises is not None)
    if cycles is CYCLES:
        assert decided >= 0.6 * 4 * len(VERDICTS)


@pytest.mark.parametrize("at", range(CYCLES.size))
def test_one_outlier_makes_no_verdict(at):
    """Neither a fall of a flat course, nor a rise after a fall, nor an end of its being stable."""
    for size in (0.7, 1.4):
        for truth in (lambda n: 100 + 0 * n, broken(50, 0.0)):
            value = truth(CYCLES) * (1 + 0.01 * np.random.default_rng(at).normal(size=CYCLES.size))
            value[at] *= size
            found = trend.breakpoint(CYCLES, [Interval.from_standard_error(v, 0.01 * v) for v in value])
            assert found.falls_then_rises is not True
            assert truth(CYCLES)[0] != 100 or found.break_cycle is None or found.break_cycle.value is None
            assert found.falls_then_stable in (None, truth(CYCLES)[0] != 100)


def test_scatter_from_one_measurement_to_the_next_is_found():
    """Beside intervals that know nothing of it; it is not more than the intervals where they hold all of it."""
    found = [one.scatter for one in trends(broken(50, 0.0), 0.03, 0.001, 10)]
    assert 0.015 < np.median(found) < 0.04
    assert np.median([one.scatter for one in trends(broken(50, 0.0), 0.03, 0.03, 10)]) < 0.015


def test_scatter_does_not_count_as_stable():
    """A change within a few per cent cannot be told where the values scatter by ten."""
    assert all(one.falls_then_stable is None for one in trends(then(settling(15), 0.0), 0.1, 0.1, 10))


def test_a_fall_too_weak_to_be_seen_is_not_denied():
    found = trends(lambda n: 100 + 12 * np.exp(-(n - 1) / 15), 0.03, 0.03, 10)
    assert sum(one.falls_then_stable is None for one in found) >= 8


@pytest.mark.parametrize("cycles", [CYCLES, UNEVEN])
def test_the_level_of_the_f_test_holds_over_the_search_of_the_break(cycles):
    """Of straight courses 10 % have p < 0.1, and 1 % p < 0.01."""
    found = trends(lambda n: 150 - n / 4, 0.02, 0.01, 40, cycles)
    p = np.array([one.probability for one in found])
    assert np.sum(p <= 0.01) <= 3
    assert np.sum(p <= 0.1) <= 10 and np.sum(p <= 0.5) <= 29
    assert all("no break is seen" in _in_words(one) for one in found if one.break_cycle is None)


def test_minimum_is_bracketed_without_a_curve():
    """Between the neighbours of the cycles that may have it, and without an upper bound where it is the last one."""
    for one in trends(broken(60, 60.0), 0.003, 0.003, 8):
        assert one.minimum.value in (50, 75) and one.minimum.low <= 60 <= one.minimum.high
    for one in trends(lambda n: 100 + n / 4, 0.003, 0.003, 3):
        assert one.minimum.value == 1 and one.minimum.low == 1 and one.minimum.high <= 50
    for one in trends(lambda n: 100 + 5 * np.sqrt(n - 1), 0.003, 0.003, 3):
        assert "changes by +7" in _in_words(one) and "from the first to the last cycle" in _in_words(one)
    for one in trends(lambda n: 150 - n / 4, 0.003, 0.003, 3):
        assert one.minimum.value == 200 and one.minimum.high is None


def test_curve_and_evidence_say_what_was_found():
    (found,) = trends(broken(50, 60.0), 1e-6, 0.01, times=1)
    assert found.model == "broken line"
    np.testing.assert_allclose(found.curve(CYCLES), broken(50, 60.0)(CYCLES), rtol=2e-3)
    assert found.curve(np.array([50.0]))[0] == pytest.approx(100, rel=0.01)
    assert "falls from 160 to 100 ohm (-38 %) until cycle 50, then changes by +60 % (" in _in_words(found)
    (curved,) = trends(then(settling(15), 0.0), 1e-6, 0.001, times=1)
    assert curved.model == "exponential fall" and curved.break_cycle.value is None
    assert curved.settling_cycle.value == pytest.approx(46, abs=2)
    np.testing.assert_allclose(curved.curve(CYCLES), then(settling(15), 0.0)(CYCLES), rtol=5e-3)


def test_a_fall_that_one_measurement_alone_shows_is_no_verdict():
    """Only the first value lies higher: the break may be anywhere before the second, or the value an outlier."""
    value = np.array([160.0, *[100.0] * 7])
    found = trend.breakpoint(CYCLES, [Interval(v, 0.97 * v, 1.03 * v) for v in value])
    assert found.falls_then_stable is None
    assert found.break_cycle.value is None and found.settling_cycle.value is None


def test_a_step_is_no_straight_course_without_a_break():
    for one in trends(step(high_before=True), 0.005, 0.005, 3):
        assert not one.describes and "no curve describes the course" in _in_words(one)


def test_too_few_cycles():
    with pytest.raises(ValueError, match="5 cycles are too few"):
        trend.breakpoint(CYCLES[:5], [Interval(v, v - 0.1, v + 0.1) for v in CYCLES[:5]])


def table(values: dict[str, np.ndarray], unknown: tuple[float, ...] = ()) -> pd.DataFrame:
    rows = []
    for sample, course in values.items():
        for cycle, value in zip(CYCLES, course, strict=True):
            interval = Interval(value, 0.99 * value, None if cycle in unknown else 1.01 * value)
            whose = {"sample": sample, "cell": sample, "replicate": ""}
            rows.append(whose | {"state": f"cycle {cycle:.0f}", "cycle": cycle, "interface": interval})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("compared", [True, False])
def test_a_claim_of_being_higher_is_tested_only_beside_what_it_is_higher_than(compared):
    course = broken(50, 60)(CYCLES)
    values = {"RT-MCL-LLZ": course, "LLZ": 10 * course} if compared else {"LLZ": 10 * course}

    found = course_findings(table(values), "interface")

    tested = [row for row in found if row["quantity"] == "higher_than_RT-MCL-LLZ_falls_then_rises"]
    assert [(row["value"], row["sample"]) for row in tested] == ([(True, "LLZ")] if compared else [])
    alone = [row["value"] for row in found if row["sample"] == "LLZ" and row["quantity"] == "falls_then_rises"]
    assert alone == ([] if compared else [True])


@pytest.mark.parametrize(("unknown", "stable"), [((25.0,), True), ((150.0, 200.0), None)])
def test_cycles_whose_resistance_cannot_be_told_are_named(unknown, stable):
    """A resistance without an upper bound in the last cycles may have risen there."""
    rows = {row["quantity"]: row for row in course_findings(table({"A": broken(50, 0)(CYCLES)}, unknown), "interface")}
    assert rows["falls_then_stable"]["value"] is stable
    assert rows["falls_then_rises"]["value"] is (None if stable is None else False)
    assert "cannot be told: cycle " + ", ".join(f"{n:g}" for n in unknown) in rows["falls_then_stable"]["note"]


def test_findings_hold_minimum_and_settling_beside_a_break_that_cannot_be_told():
    value = then(settling(15), 0.0)(CYCLES)
    rows = {row["quantity"]: row for row in course_findings(table({"A": value}), "interface")}
    assert rows["break_cycle"]["value"] is None
    assert "a curve without a break describes the course too" in rows["break_cycle"]["note"]
    assert rows["settling_cycle"]["low"] < 45.9 < rows["settling_cycle"]["high"]
    assert rows["cycle_of_minimum"]["high"] is None
