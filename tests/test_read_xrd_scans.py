"""Diffractometers' files with several scans: joined in their order where they agree, else refused."""

import re

import numpy as np
import pytest

from diffractometer_files import (
    ANGLES,
    COUNTS,
    FILES,
    HEADERS,
    LATER,
    asc,
    brml,
    ras,
    rasx,
    reading,
    refused,
    xrdml,
    xrdml_scan,
)


def test_a_scan_that_runs_down_is_turned(tmp_path):
    down = {"angles": ANGLES[::-1], "counts": COUNTS[::-1]}
    for data in (ras(down), rasx(down), brml(down), xrdml(xrdml_scan(COUNTS[::-1], ANGLES[::-1]))):
        scan = reading(tmp_path, data)
        np.testing.assert_allclose(scan.two_theta, ANGLES)
        np.testing.assert_array_equal(scan.intensity, COUNTS)


def several(kind: str, *parts: tuple[list[float], list[int]]) -> bytes:
    if kind == "asc":
        return asc(*((angles[0], counts) for angles, counts in parts))
    if kind == "xrdml":
        return xrdml(*(xrdml_scan(counts, angles) for angles, counts in parts))
    return FILES[kind](*({"angles": angles, "counts": counts} for angles, counts in parts))


@pytest.mark.parametrize("kind", ["ras", "asc", "rasx", "xrdml", "brml"])
def test_scans_that_continue_each_other_are_joined_in_their_order(tmp_path, kind):
    apart = [angle + 5 for angle in ANGLES]
    scan = reading(tmp_path, several(kind, (LATER, COUNTS[::-1]), (ANGLES, COUNTS), (apart, COUNTS)))
    np.testing.assert_allclose(scan.two_theta, [*ANGLES, *LATER, *apart])
    np.testing.assert_array_equal(scan.intensity, [*COUNTS, *COUNTS[::-1], *COUNTS])
    np.testing.assert_array_equal(scan.one_count, 1)
    expected = HEADERS[kind]
    assert {key: scan.attrs[key] for key in expected} == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["ras", "asc", "rasx", "xrdml", "brml"])
def test_scans_that_overlap_are_refused(tmp_path, kind):
    for shift in (0, 0.02, 0.1):
        error = refused(tmp_path, several(kind, (ANGLES, COUNTS), ([angle + shift for angle in ANGLES], COUNTS)))
        assert "two of its scans overlap" in error.reason and "file of its own" in error.remedy


def test_a_shared_end_point_counts_for_both_scans(tmp_path):
    onward = [angle + 0.14 for angle in ANGLES]
    for kind in ("ras", "xrdml", "brml"):
        scan = reading(tmp_path, several(kind, (ANGLES, COUNTS), (onward, COUNTS)))
        assert scan.sizes["two_theta"] == 15
        assert float(scan.two_theta[7]) == pytest.approx(20.14)
        assert float(scan.intensity[7]) == (COUNTS[7] + COUNTS[0]) / 2 and float(scan.one_count[7]) == 0.5


def test_scans_counted_for_different_times_are_joined_as_rates(tmp_path):
    slower = {"angles": LATER, "times": [4] * 8}
    onward = [angle + 0.14 for angle in ANGLES]
    for data, times in (
        (xrdml(xrdml_scan(), xrdml_scan(angles=LATER, time="40")), (10, 40)),
        (brml({}, slower), (1, 4)),
        (ras({}, {"angles": LATER, "MEAS_SCAN_SPEED": "0.5"}), (0.6, 2.4)),
    ):
        scan = reading(tmp_path, data)
        assert scan.intensity.attrs["units"] == scan.one_count.attrs["units"] == "count/s"
        assert "count_time" not in scan.attrs
        np.testing.assert_allclose(scan.intensity, np.concatenate([np.divide(COUNTS, time) for time in times]))
        np.testing.assert_allclose(scan.one_count, np.repeat(np.divide(1, times), 8))
    shared = reading(tmp_path, xrdml(xrdml_scan(), xrdml_scan(angles=onward, time="40")))
    assert float(shared.intensity[7]) == pytest.approx((COUNTS[7] + COUNTS[0]) / 50)
    assert float(shared.one_count[7]) == pytest.approx(1 / 50)


STRIP = {"HW_COUNTER_SELECT_NAME": "D/teX Ultra"}
UNLIKE = {
    "speed of a strip detector": (
        ras(STRIP, STRIP | {"angles": LATER, "MEAS_SCAN_SPEED": "1"}),
        "do not|does not state",
    ),
    "wavelength": (ras({}, {"angles": LATER, "HW_XG_WAVE_LENGTH_ALPHA1": "1.5406"}), "differ in wavelength_kalpha1"),
    "line": (ras({}, {"angles": LATER, "MEAS_COND_XG_WAVE_TYPE": "Ka1"}), "differ in wavelength_kalpha2"),
    "sample": (ras({}, {"angles": LATER, "FILE_SAMPLE": "LLZ"}), "differ in sample_name"),
    "axis": (ras({}, {"angles": LATER, "MEAS_SCAN_AXIS_X_INTERNAL": "TwoTheta"}), "differ in scan_axis"),
    "unit": (ras({}, {"angles": LATER, "MEAS_SCAN_UNIT_Y": "cps"}), "in count and count/s"),
    "axis of .xrdml": (xrdml(xrdml_scan(), xrdml_scan(angles=LATER, axis="2Theta")), "differ in scan_axis"),
}


@pytest.mark.parametrize("what", UNLIKE)
def test_scans_under_other_conditions_are_not_joined(tmp_path, what):
    data, reason = UNLIKE[what]
    assert re.search(reason, refused(tmp_path, data).reason)


def test_the_joined_scans_of_counts_and_of_no_counts_claim_nothing(tmp_path):
    scan = reading(tmp_path, rasx({}, {"angles": LATER, "counts": [1.5] * 8}))
    assert "one_count" not in scan and "not whole numbers" in scan.intensity.attrs["counting"]
    np.testing.assert_array_equal(scan.intensity, [*COUNTS, *[1.5] * 8])
