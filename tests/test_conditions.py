"""Conditions: findings, curves and names of recordings that differ in `replicate` alone."""

import numpy as np
import pytest
import xarray as xr

from coldbond.bundle import conditions, findings
from coldbond.bundle.findings import finding
from coldbond.interval import Interval


def cells(quantity, *values, unit="mAh/g", sample="A", state="0.2C"):
    return [
        finding(quantity, value, unit, sample=sample, state=state, replicate=str(n))
        for n, value in enumerate(values, start=1)
    ]


def test_without_replicates_there_is_nothing_to_add():
    single = [finding("capacity", Interval(165.0, 160.0, 170.0), "mAh/g", sample=sample) for sample in "AB"]
    assert conditions.findings(single) == []
    assert conditions.findings(cells("capacity", Interval(165.0, 160.0, 170.0))) == []


def test_a_condition_has_mean_n_and_standard_deviation():
    (row,) = conditions.findings(cells("capacity", *(Interval(x, x - 4, x + 4) for x in (160.0, 165.0, 170.0))))
    assert "replicate" not in row
    assert (row["n"], row["mean"], row["standard_deviation"], row["value"]) == (3, 165.0, 5.0, 165.0)
    # t = 4.303 times 5 / sqrt(3) is 12.42, as a factor up 12.90 and down 11.97; with 4 in quadrature 13.51 and 12.62
    assert (row["low"], row["high"]) == (152.0, 179.0)
    assert row["note"].startswith("mean of 3 replicates, standard deviation 5 mAh/g; the interval holds the spread")
    shown = findings.table([row])
    assert "standard deviation 5 mAh/g" in shown["note"].iloc[0]


def test_a_mean_of_values_that_differ_by_factors_warns():
    for factor, warns in ((1.5, False), (30.0, True)):
        (row,) = conditions.findings(cells("resistance", 10.0, 12.0, 10.0 * factor, unit="ohm"))
        assert ("may be too narrow" in row["note"]) == warns


def test_a_replicate_without_a_value_is_named_and_not_counted():
    values = cells("capacity", Interval(160.0, 156.0, 164.0), None, Interval(170.0, 166.0, 174.0))
    (row,) = conditions.findings(values)
    assert row["n"] == 2 and "replicate 2: no value, not counted" in row["note"]
    values = cells("capacity", *(Interval(160.0 + x, 150.0, 190.0) for x in range(3))) + cells(
        "fade", 1.0, 2.0, unit="%"
    )
    assert "replicate 3: no value, not counted" in conditions.findings(values)[1]["note"]


def test_replicates_whose_retention_is_of_another_cycle_are_named():
    values = [
        row | {"evidence": [findings.item("last complete cycle", cycle)]}
        for row, cycle in zip(cells("retention", 90.0, 95.0, unit="%"), (112.0, 60.0), strict=True)
    ]
    assert conditions.findings(values)[0]["evidence"] == [findings.item("last complete cycle", "112, 60")]


def test_notes_of_replicates_that_differ_are_kept():
    values = cells("charge_passed", 1.0, 1.2, unit="mAh/cm2")
    values[1]["note"] = "until the end of the test"
    shown = findings.rendered(conditions.findings(values)[0])
    assert "replicate 1: no remark; replicate 2: until the end of the test" in shown


def test_counts_that_are_the_same_everywhere_are_not_compared():
    values = cells("complete_cycles", 12.0, 12.0, unit="1") + cells("complete_cycles", 12.0, 12.0, unit="1", sample="B")
    rows = conditions.findings(values)
    assert [row["quantity"] for row in rows] == 2 * ["complete_cycles"]
    assert (
        "standard deviation 0; the interval holds the spread between replicates; 2 of them have no" in rows[0]["note"]
    )


def test_one_value_is_no_condition_and_units_are_not_mixed():
    assert conditions.findings(cells("capacity", Interval(160.0, 156.0, 164.0), None)) == []
    values = cells("capacity", 160.0, 150.0) + cells("capacity", 1.0, 2.0, unit="mAh")
    values[2]["replicate"], values[3]["replicate"] = "3", "4"
    one, other = conditions.findings(values)
    assert (one["n"], one["unit"], other["n"], other["unit"]) == (2, "mAh/g", 2, "mAh")
    assert "replicate 3, 4: no value" in one["note"]


def test_a_value_that_outlasted_its_test_makes_the_condition_a_median():
    lives = [Interval(300.0, 299.0, 300.0), Interval(None, 800.0), Interval(350.0, 349.0, 350.0)]
    (row,) = conditions.findings(cells("time_to_failure", *lives, unit="h"))
    assert (row["n"], row["median"], row["value"], row["standard_deviation"]) == (3, 350.0, 350.0, None)
    assert "mean" not in row and row["note"].startswith("median of 3 replicates; ")
    (row,) = conditions.findings(cells("time_to_failure", *3 * [Interval(None, 800.0)], unit="h"))
    assert (row["value"], row["low"], row["high"]) == (None, None, None)
    assert "3 replicates give no lower and no upper bound" in row["note"]
    assert row["evidence"][0]["value"] == "at least 800 h"


def test_one_censored_condition_makes_the_quantity_a_median_for_all_samples():
    values = cells("time_to_failure", *(Interval(x, x - 1, x) for x in (100.0, 120.0)), unit="h")
    assert "mean" in conditions.findings(values)[0]
    values += cells("time_to_failure", Interval(None, 800.0), Interval(700.0, 699.0, 700.0), unit="h", sample="B")
    assert ["median" in row for row in conditions.findings(values)[:2]] == [True, True]


def test_the_mean_has_the_digits_of_the_standard_deviation():
    (row,) = conditions.findings(cells("drift", 1.012, 1.538, unit="mV per 1000 h"))
    assert (row["value"], row["mean"], row["standard_deviation"]) == (1.275, 1.275, 0.372)
    assert row["high"] == 4.7  # the bounds have the digits of the interval, 1.3 ± 3.4


def test_equal_replicates_keep_a_mean_inside_its_bounds():
    (row,) = conditions.findings(cells("position", *2 * [Interval(3089.061, 3089.058, 3089.064)], unit="eV"))
    assert row["low"] < row["value"] < row["high"] and row["standard_deviation"] == 0


def test_critical_current_densities_are_last_sustained_steps():
    (row,) = conditions.findings(cells("ccd", *(Interval(x, x, x + 0.1) for x in (0.7, 0.7, 0.8)), unit="mA/cm2"))
    assert row["median"] == 0.7 and row["standard_deviation"] == 0.0577
    assert row["low"] < 0.7 and row["high"] > 0.8
    (row,) = conditions.findings(cells("ccd", Interval(2.5, 2.5, None), Interval(2.4, 2.4, 2.5), unit="mA/cm2"))
    assert row["high"] is None


@pytest.mark.parametrize(
    ("answers", "value", "n", "yes"),
    [
        ((True, True, True), True, 3, "3 of 3 replicates"),
        ((False, False), False, 2, "0 of 2 replicates"),
        ((True, False, True), None, 3, "2 of 3 replicates"),
        ((True, None, True), True, 2, "2 of 2 replicates"),
        ((True, None, None), None, 1, "1 of 1 replicates"),
    ],
)
def test_replicates_decide_where_they_agree(answers, value, n, yes):
    (row,) = conditions.findings(cells("polarization_stable", *answers, unit=""))
    assert (row["value"], row["n"], row["evidence"][0]["value"]) == (value, n, yes)
    assert ("do not agree, or are fewer than two" in row["note"]) == (value is None)
    assert ("no value, not counted" in row["note"]) == (None in answers)


def test_samples_are_compared_with_each_before_them():
    near = [Interval(x, x - 1, x + 1) for x in (100.0, 101.0, 102.0)]
    far = [Interval(x, x - 1, x + 1) for x in (160.0, 161.0, 163.0)]
    values = cells("capacity", *near) + cells("capacity", *far, sample="B") + cells("capacity", *near, sample="C")
    over_a, c_over_a, c_over_b = conditions.findings(values)[3:]
    assert (over_a["quantity"], over_a["sample"], over_a["higher"], over_a["unit"]) == (
        "capacity_over_A",
        "B",
        True,
        "1",
    )
    assert over_a["value"] == pytest.approx(161.333 / 101, abs=0.01) and over_a["low"] > 1.5
    assert (c_over_a["sample"], c_over_a["higher"], c_over_a["value"]) == ("C", None, 1.0)
    assert (c_over_b["quantity"], c_over_b["higher"]) == ("capacity_over_B", False)
    # other states, and single cells, are not compared
    assert len(conditions.findings(values[:3] + cells("capacity", *far, sample="B", state="1C"))) == 2
    assert len(conditions.findings(values[:3] + cells("capacity", far[0], sample="B"))) == 1


def test_a_quantity_of_either_sign_is_compared_by_its_difference():
    values = cells("drift", 0.5, 0.6, unit="mV per 1000 h") + cells(
        "drift", -0.1, 0.1, unit="mV per 1000 h", sample="B"
    )
    row = conditions.findings(values)[-1]
    assert (row["quantity"], row["unit"], row["value"]) == ("drift_minus_A", "mV per 1000 h", -0.6)


def test_a_number_that_compares_with_another_sample_is_not_averaged():
    values = [*cells("breadth_over_A", 2.0, 3.0, unit="", sample="B"), *cells("breadth", 1.0, 1.1, unit="degree")]
    assert [row["quantity"] for row in conditions.findings(values)] == ["breadth"]
    values = [*cells("higher_than_A", True, True, unit="", sample="B"), *values]
    assert conditions.findings(values)[0]["value"] is True  # of yes/no findings, replicates are counted


def test_two_values_of_one_replicate_are_not_combined_and_say_so():
    (row,) = conditions.findings(cells("capacity", 160.0, 170.0) + cells("capacity", 150.0))
    assert row["value"] is None and row["note"] == "several values of one replicate: not combined"


def test_findings_of_conditions_are_not_taken_for_replicates():
    values = cells("capacity", 160.0, 170.0)
    (row,) = conditions.findings(values + conditions.findings(values))
    assert row["n"] == 2


def test_no_findings_break_it():
    """Missing bounds, values at a bound, zeros, negative numbers, many magnitudes: a row or none, and no exception."""
    rng = np.random.default_rng(4)
    numbers = [0.0, 1.0, 2.0, -1.0, 1e-9, 1e9, 0.7, 0.8]
    combined = 0
    for _ in range(200):
        values = []
        for sample in "AB":
            for n in range(rng.integers(1, 8)):
                low, value, high = (float(x) for x in np.sort(rng.choice(numbers, 3)))
                value = [value, None, low, high][rng.integers(4)]
                low, high = (None if rng.random() < 0.2 else end for end in (low, high))
                unit = ["h", "%"][rng.integers(2)]
                values.append(
                    finding("q", Interval(value, low, high), unit, sample=sample, state="", replicate=str(n + 1))
                )
        for row in conditions.findings(values):
            known = [row[key] for key in ("low", "value", "high") if row[key] is not None]
            assert known == sorted(known) and findings.rendered(row)
            combined += 1
    assert combined > 500


# ---- groups and curves ----------------------------------------------------------------------------------------------


def test_groups_are_recordings_that_differ_in_replicate_alone():
    def recording(sample, state, replicate):
        return xr.Dataset(attrs={"sample": sample, "state": state, "replicate": replicate})

    held = {
        "A, pristine, replicate 1": recording("A", "pristine", "1"),
        "B": recording("B", "", ""),
        "A, cycled": recording("A", "cycled", ""),
        "A, pristine, replicate 2": recording("A", "pristine", "2"),
    }
    assert conditions.groups(held) == {
        "A, pristine": ["A, pristine, replicate 1", "A, pristine, replicate 2"],
        "B": ["B"],
        "A, cycled": ["A, cycled"],
    }


def test_cycles_are_aligned_by_their_number():
    x, mean, deviation, n = conditions.mean_curve(
        [[1, 2, 3, 4], [1, 3, 4, 5], [3]], [[10, 9, 8, 7], [12, 10, 9, 8], [12]]
    )
    assert (x.tolist(), n.tolist()) == ([1, 3, 4], [2, 3, 2])  # no cell but one has cycle 2 or 5
    assert mean.tolist() == [11, 10, 8]
    assert deviation == pytest.approx([np.sqrt(2), 2, np.sqrt(2)])


def test_other_curves_are_interpolated_within_their_range():
    x, mean, _, n = conditions.mean_curve([[0.0, 1.0], [1.5, 0.5]], [[0.0, 2.0], [3.0, 1.0]])
    assert (x.tolist(), mean.tolist(), n.tolist()) == ([0.5, 1.0], [1.0, 2.0], [2, 2])
    assert [one.size for one in conditions.mean_curve([[0.0, 1.0], [np.nan]], [[1.0, 1.0], [1.0]])] == 4 * [0]
