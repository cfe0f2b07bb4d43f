"""Rounding and completeness of what a notebook says it found."""

import numpy as np
import pytest

from coldbond.bundle.findings import finding, table


@pytest.mark.parametrize(
    ("numbers", "rounded"),
    [
        ((165.4873, 164.21, 166.77), (165.5, 164.2, 166.8)),
        ((0.0360912, 0.03591, 0.0363), (0.03609, 0.03591, 0.0363)),
        ((51234.0, 47000.0, 55400.0), (51200, 47000, 55400)),
        ((0.2, 0.2, 0.3), (0.2, 0.2, 0.3)),
        ((None, 2000.1666, None), (None, 2000.16, None)),
        ((1.0, 0.509, 1.491), (1.0, 0.5, 1.5)),
        ((0.0, -0.012, 0.012), (0.0, -0.012, 0.012)),
        ((-0.0001, -1.3, 1.3), (0.0, -1.3, 1.3)),
    ],
)
def test_numbers_are_rounded_to_two_digits_of_the_half_width(numbers, rounded):
    row = finding("quantity", *numbers)
    assert (row["value"], row["low"], row["high"]) == rounded


@pytest.mark.parametrize("numbers", [(1.0, 1.1, 1.2), (1.0, 0.5, 0.9), (np.nan, None, None), (1.0, -np.inf, 2.0)])
def test_a_value_outside_its_interval_or_not_finite_is_refused(numbers):
    with pytest.raises(ValueError, match="quantity"):
        finding("quantity", *numbers)


def test_numpy_numbers_become_plain_ones():
    row = finding("quantity", np.float64(1.0), np.float64(0.9), np.float64(1.1))
    assert {type(row[key]) for key in ("value", "low", "high")} == {float}


def test_table_reads_as_it_should():
    rows = [
        finding("area_specific_resistance", 71.4, 70.1, 72.7, "ohm cm2", sample="LLZ", state="pristine"),
        finding("time_to_failure", None, 2000.2, None, "h", sample="LLZ"),
        finding("polarization_stable", True, sample="LLZ", note="trend"),
        finding("complete_cycles", 112, sample="LLZ"),
    ]
    found = table(rows)
    assert found.loc[("LLZ", "pristine", "area specific resistance"), "95 % interval"] == "70.1 to 72.7"
    assert list(found["value"]) == ["71.4", "—", "yes", "112"]
    assert found["95 % interval"].iloc[1] == "2000.2 to —"
