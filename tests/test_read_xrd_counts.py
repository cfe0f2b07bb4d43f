"""Diffractometers' files: what of their intensities is counted, attenuated, or a rate, and what is not known to be."""

import numpy as np
import pytest

from diffractometer_files import ANGLES, COUNTS, asc, brml, powder_cif, ras, rasx, reading, refused, xrdml, xrdml_scan


def test_attenuated_counts_of_a_ras_stand_for_more_of_them(tmp_path):
    factors = [1, 1, 1, 1, 1, 8.3, 8.3, 1]
    for data in (ras({"factors": factors}), rasx({"factors": factors})):
        scan = reading(tmp_path, data)
        np.testing.assert_allclose(scan.intensity, np.multiply(COUNTS, factors))
        np.testing.assert_array_equal(scan.one_count, factors)


def test_attenuated_counts_of_the_others_are_stored_corrected_unless_raw(tmp_path):
    factors = [1, 1, 1, 1, 1, 8.3, 8.3, 1]
    more = f"<beamAttenuationFactors>{' '.join(map(str, factors))}</beamAttenuationFactors>"
    corrected = [round(count * factor, 4) for count, factor in zip(COUNTS, factors, strict=True)]
    for data in (
        xrdml(xrdml_scan(kind="counts", more=more)),
        xrdml(xrdml_scan(corrected, more=more)),
        brml({"counts": corrected, "factors": factors}),
    ):
        scan = reading(tmp_path, data)
        np.testing.assert_allclose(scan.intensity, corrected)
        np.testing.assert_array_equal(scan.one_count, factors)
        assert scan.intensity.attrs["counting"] == "known"
    common = xrdml(xrdml_scan(kind="counts", more="<commonBeamAttenuationFactor>10</commonBeamAttenuationFactor>"))
    np.testing.assert_array_equal(reading(tmp_path, common).intensity, np.multiply(COUNTS, 10))


def test_rates_carry_the_rate_of_one_count(tmp_path):
    point_counter = {"counts": np.divide(COUNTS, 0.6), "MEAS_SCAN_UNIT_Y": "cps"}
    for data, time in (
        (ras(point_counter), 0.6),
        (ras({"counts": np.divide(COUNTS, 2), "MEAS_SCAN_UNIT_Y": "cps", "MEAS_SCAN_SPEED_UNIT": "sec."}), 2.0),
        (asc((20.0, np.divide(COUNTS, 0.5)), unit="cps", speed="0.5", dim="sec./step"), 0.5),
        (xrdml(xrdml_scan(np.divide(COUNTS, 10), unit="cps")), 10.0),
    ):
        scan = reading(tmp_path, data)
        assert scan.intensity.attrs["units"] == "count/s" and scan.intensity.attrs["counting"] == "known"
        np.testing.assert_allclose(scan.one_count, 1 / time)


def test_nothing_is_claimed_of_intensities_that_are_no_counts(tmp_path):
    strip = {"counts": np.divide(COUNTS, 0.6), "MEAS_SCAN_UNIT_Y": "cps", "HW_COUNTER_SELECT_NAME": "D/teX Ultra"}
    for data, reason in (
        (ras(strip), "how long"),
        (rasx({"counts": [170.55354309082] * 8}), "not whole numbers"),
        (asc((20.0, [948, 952.8, 990, 962.8, 994.8, 948]), unit="cps", speed="0.7", dim="sec./step"), "not whole"),
        (xrdml(xrdml_scan([1.25] * 8)), "not whole numbers"),
        (xrdml(xrdml_scan(np.divide(COUNTS, 10), unit="cps", time="")), "count time"),
        (
            powder_cif(keys=("_pd_meas_2theta_scan", "_pd_meas_intensity_total")),
            "does not say that its intensities are counts or",
        ),
    ):
        scan = reading(tmp_path, data)
        assert "one_count" not in scan
        assert reason in scan.intensity.attrs["counting"]


def test_a_count_time_is_claimed_for_a_point_counter_only(tmp_path):
    """A strip of channels sees an angle for longer than the arm takes for a step; .ras does not say how long."""
    assert "count_time" not in reading(tmp_path, ras({"HW_COUNTER_SELECT_NAME": "DteX250(H)"})).attrs
    assert "count_time" not in reading(tmp_path, rasx()).attrs
    assert reading(tmp_path, ras({"HW_COUNTER_SELECT_NAME": "Scintillation counter"})).count_time == pytest.approx(0.6)


def test_times_that_differ_from_point_to_point_make_rates(tmp_path):
    times = [10, 10, 10, 10, 20, 20, 20, 20]
    for data in (xrdml(xrdml_scan(time=" ".join(map(str, times)), listed=True)), brml({"times": times})):
        scan = reading(tmp_path, data)
        np.testing.assert_allclose(scan.intensity, np.divide(COUNTS, times))
        np.testing.assert_allclose(scan.one_count, np.divide(1, times))
        assert scan.intensity.attrs["units"] == "count/s" and "count_time" not in scan.attrs
    assert "scaled to one" in refused(tmp_path, brml({"times": times, "counts": [1.5] * 8})).reason


@pytest.mark.parametrize("surplus", [0, 1])
def test_weights_of_a_cif_give_the_count_times_of_its_regions(tmp_path, surplus):
    """Weights of three digits, as the file of NIST SRM 660c has them: t^2 / (N + 1), or t^2 / N."""
    rng = np.random.default_rng(1)
    times = np.repeat([2, 30, 5], 60)
    angles = np.concatenate([start + 0.01 * np.arange(60) for start in (20, 20.6, 40)])
    counts = 1 + rng.poisson(20 * times)
    rows = [
        f"{angle:.3f} {count / time:.2f} {time**2 / (count + surplus):.2e}"
        for angle, count, time in zip(angles, counts, times, strict=True)
    ]
    keys = ("_pd_proc_2theta_corrected", "_pd_proc_intensity_total", "_pd_proc_ls_weight")
    scan = reading(tmp_path, powder_cif(rows, keys=keys))
    assert scan.intensity.attrs["units"] == "count/s" and scan.intensity.attrs["counting"] == "known"
    np.testing.assert_allclose(scan.one_count, 1 / times, rtol=1e-3)
    np.testing.assert_allclose(scan.intensity / scan.one_count, counts, rtol=1e-12)


def test_uncertainties_in_brackets_do_as_well_as_weights(tmp_path):
    rows = [f"{x:.3f} {y / 4:.3f}({round(1000 * np.sqrt(y) / 4)})" for x, y in zip(ANGLES, [400, 81] * 4, strict=True)]
    keys = ("_pd_proc_2theta_corrected", "_pd_proc_intensity_total")
    scan = reading(tmp_path, powder_cif(rows, keys=keys))
    np.testing.assert_allclose(scan.one_count, 0.25)
    np.testing.assert_allclose(scan.intensity, np.divide([400, 81] * 4, 4))


def test_weights_of_something_else_are_not_taken_for_counting(tmp_path):
    rng = np.random.default_rng(2)
    rows = [f"{x:.3f} {y:.2f} {1 / y:.3e}" for x, y in zip(ANGLES, rng.uniform(10, 90, 8), strict=True)]
    keys = ("_pd_proc_2theta_corrected", "_pd_proc_intensity_total", "_pd_proc_ls_weight")
    scan = reading(tmp_path, powder_cif(rows, keys=keys))
    assert "one_count" not in scan and scan.intensity.attrs["units"] == "arbitrary"
