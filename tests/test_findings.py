"""Findings: their rounding, their evidence, and the tables that show them."""

import re

import numpy as np
import pytest

from coldbond.bundle import paths
from coldbond.bundle.findings import finding, item, rendered, table
from coldbond.interval import Interval


def numbers(row: dict) -> tuple:
    return row["value"], row["low"], row["high"]


# ---- rounding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("interval", "rounded"),
    [
        ((165.4873, 164.21, 166.77), (165.5, 164.2, 166.8)),
        ((0.0360912, 0.03591, 0.0363), (0.03609, 0.03591, 0.0363)),
        ((51234.0, 47000.0, 55400.0), (51200, 47000, 55400)),
        ((None, 2000.1666, None), (None, 2000.16, None)),
        ((1.0, 0.509, 1.491), (1.0, 0.5, 1.5)),
        ((0.0, -0.012, 0.012), (0.0, -0.012, 0.012)),
        ((-0.0001, -1.3, 1.3), (0.0, -1.3, 1.3)),
    ],
)
def test_numbers_are_rounded_to_two_digits_of_the_half_width(interval, rounded):
    assert numbers(finding("quantity", Interval(*interval))) == rounded


@pytest.mark.parametrize(
    ("interval", "rounded"),
    [
        ((30.0, None, 6213.0), (30.0, None, 6213.0)),  # and not 0.0
        ((30.04, 29.96, None), (30.04, 29.96, None)),
        ((295.0, None, 6000.0), (295.0, None, 6000.0)),
        ((0.0423, None, 88.0), (0.0423, None, 88.0)),
        ((-12.34, -800.0, None), (-12.3, -800.0, None)),
        ((0.2, 0.2, 0.3), (0.2, 0.2, 0.3)),
        ((0.025, 0.025, 0.05), (0.025, 0.025, 0.05)),  # steps of a staircase of 0.025 mA/cm2
        ((0.625, 0.625, 1.25), (0.625, 0.625, 1.25)),
        ((0.625, 0.625, None), (0.625, 0.625, None)),
    ],
)
def test_a_value_without_a_bound_on_one_side_keeps_three_digits_of_its_own(interval, rounded):
    assert numbers(finding("quantity", Interval(*interval))) == rounded


@pytest.mark.parametrize(
    ("interval", "rounded"),
    [
        ((29.714, 27.5, 6213.0), (30.0, 27.0, 6213.0)),  # and not 0.0, below its own bound
        ((295.4, 280.2, 62000.0), (300.0, 280.0, 62000.0)),
        ((0.0423, 0.04, 88.0), (0.042, 0.04, 88.0)),
        ((-29.714, -6213.0, -27.5), (-30.0, -6213.0, -27.0)),
        ((98.0, 2.0, 99.5), (98.0, 2.0, 100.0)),
        ((1.0, 1.0 - 1e-12, 3.0), (1.0, 1.0, 3.0)),
    ],
)
def test_a_value_is_not_rounded_beyond_its_nearer_bound(interval, rounded):
    assert numbers(finding("quantity", Interval(*interval))) == rounded


def test_bounds_are_rounded_away_from_the_value():
    assert numbers(finding("quantity", Interval(2.0, 1.234, 2.761))) == (2.0, 1.23, 2.77)
    assert numbers(finding("quantity", Interval(-2.0, -2.761, -1.234))) == (-2.0, -2.77, -1.23)


def test_a_number_without_an_interval_keeps_six_digits():
    assert numbers(finding("quantity", 1234.56789)) == (1234.57, None, None)
    assert numbers(finding("quantity", 0)) == (0.0, None, None)


def test_a_yes_or_no_and_an_undetermined_value_have_no_bounds():
    assert numbers(finding("quantity", True)) == (True, None, None)
    assert numbers(finding("quantity", None)) == (None, None, None)


@pytest.mark.parametrize("bad", [(1.0, 1.1, 1.2), (1.0, 0.5, 0.9), (np.nan, None, None), (1.0, -np.inf, 2.0)])
def test_a_value_outside_its_interval_or_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="quantity of A"):
        finding("quantity", Interval(*bad), sample="A")


def test_numpy_numbers_become_plain_ones():
    row = finding("quantity", Interval(np.float64(1.0), np.float64(0.9), np.float64(1.1)))
    assert {type(row[key]) for key in ("value", "low", "high")} == {float}


# ---- evidence -------------------------------------------------------------------------------------------------------


def test_an_item_is_rounded_as_a_finding_is():
    assert item("amplitude", Interval(165.4873, 164.21, 166.77), "mV") == {
        "name": "amplitude", "value": 165.5, "low": 164.2, "high": 166.8, "unit": "mV",
    }  # fmt: skip
    assert item("background", "Shirley") == {
        "name": "background", "value": "Shirley", "low": None, "high": None, "unit": "",
    }  # fmt: skip
    with pytest.raises(ValueError, match="amplitude"):
        item("amplitude", Interval(1.0, 2.0, 3.0))


def test_a_finding_keeps_its_evidence_threshold_and_alternatives_apart_from_the_note():
    row = finding(
        "present",
        True,
        evidence=(item("area", Interval(2.0, 1.5, 2.5), "%"),),
        threshold=(item("significance", 0.05),),
        alternatives=(item("a linear background", False),),
        note="one region",
    )
    assert [one["name"] for one in row["evidence"]] == ["area"]
    assert [one["value"] for one in row["threshold"]] == [0.05]
    assert [one["value"] for one in row["alternatives"]] == [False]
    assert row["note"] == "one region"


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (item("area", Interval(2.0, 1.5, 2.5), "%"), "area 2.00 (1.50 to 2.50) %"),
        (item("area", Interval(None, None, 2.5), "%"), "area at most 2.5 %"),
        (item("life", Interval(None, 2000.0, None), "h"), "life at least 2000 h"),
        (item("resistance", Interval(30.0, None, 6213.0), "ohm"), "resistance 30.0 (— to 6213.0) ohm"),
        (item("cycles", 112), "cycles 112"),
        (item("sustained", False), "sustained no"),
        (item("background", "Shirley"), "background Shirley"),
    ],
)
def test_an_item_is_rendered_in_words(one, text):
    assert rendered(finding("quantity", True, evidence=[one])) == text


def test_evidence_comes_first_and_the_note_last():
    row = finding(
        "quantity",
        None,
        evidence=[item("area", 2.0, "%"), item("width", 0.5, "eV")],
        threshold=[item("significance", 0.05)],
        alternatives=[item("a linear background", True)],
        note="one region",
    )
    assert rendered(row) == (
        "area 2 %; width 0.5 eV; threshold: significance 0.05; with a linear background: yes; one region"
    )
    assert rendered(finding("quantity", 1.0)) == ""


# ---- tables ---------------------------------------------------------------------------------------------------------


def test_a_table_shows_numbers_with_the_digits_of_their_interval():
    rows = [
        finding("area_specific_resistance", Interval(71.4, 70.1, 72.7), "ohm cm2", sample="LLZ", state="pristine"),
        finding("time_to_failure", Interval(None, 2000.2), "h", sample="LLZ"),
        finding("polarization_stable", True, sample="LLZ", evidence=[item("trend", 0.5, "mV/h")], note="by hand"),
        finding("complete_cycles", 112, sample="LLZ"),
        finding("resistance", Interval(30.0, None, 6213.0), "ohm", sample="LLZ"),
        finding("critical_current_density", Interval(0.625, 0.625, None), "mA/cm2", sample="LLZ"),
    ]
    found = table(rows)
    assert found.loc[("LLZ", "pristine", "area specific resistance"), "95 % interval"] == "70.1 to 72.7"
    assert list(found["value"]) == ["71.4", "—", "yes", "112", "30.0", "0.625"]
    assert list(found["95 % interval"])[1::3] == ["2000.2 to —", "— to 6213.0"]
    assert found["95 % interval"].iloc[5] == "0.625 to —"
    assert found["note"].iloc[2] == "trend 0.5 mV/h; by hand"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Interval(0.2, 0.3, 0.5), "ccd of A: 0.2 lies outside its own interval, 0.3 to 0.5"),
        (Interval(None, 2.0, 1.0), "ccd of A: None lies outside its own interval, 2.0 to 1.0"),
        (float("nan"), "ccd of A: [nan] holds a number that is not finite"),
    ],
)
def test_a_value_that_contradicts_its_interval_is_an_error_here_and_null_for_other_recordings(
    value, said, tmp_path, monkeypatch
):
    with pytest.raises(ValueError, match=re.escape(said)):
        finding("ccd", value, "mA/cm2", sample="A")
    with pytest.raises(ValueError, match=r"outside its own interval|not finite"):
        item("ccd", value)

    monkeypatch.setattr(paths, "RAW", tmp_path)

    row = finding("ccd", value, "mA/cm2", sample="A", note="measured twice", evidence=[item("ccd", value, "V")])
    assert (row["value"], row["low"], row["high"]) == (None, None, None)
    assert said in row["note"] and row["note"].endswith("; measured twice")
    assert row["evidence"][0]["value"].startswith("not determined (ccd: ")
    assert "not determined" in rendered(row)
    assert table([row]).loc[("A", "", "ccd"), "value"] == "—"
