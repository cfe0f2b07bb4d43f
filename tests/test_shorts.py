"""Shorts of many kinds, and cells that only look as if they had one: what is found against what was simulated."""

import numpy as np
import pytest

from cells import dataset, galvanostatic
from coldbond.bundle import figures
from coldbond.cells import ccd, shorts
from coldbond.cells.findings import ccd as ccd_findings
from coldbond.cells.plots import ccd as ccd_plots
from independent import shorts as models

RISING = np.round(np.arange(0.1, 1.55, 0.1), 2)

#: Kinds whose failure creeps in, so that it has bounds and no value.
CREEPING = ("ccd-ten-percent", "ccd-creep", "ccd-creep-then-hard", "long-creep", "long-creep-then-hard")
#: Kinds for which nobody can tell without the thickness or the temperature.
UNTOLD = ("ccd-thin-unknown", "ccd-warming")


def found(recording):
    """Critical current density and time of failure [h]."""
    steps = ccd.steps(recording)
    return {
        "critical_current_density": ccd.critical_current_density(steps),
        "time_of_failure": ccd.time_of_failure(recording, steps),
        "time_to_failure": ccd.time_of_failure(recording, shorts.classify_segments(recording)),
    }


def with_voltage(recording, voltage):
    return recording.assign(voltage=recording.voltage.copy(data=voltage))


@pytest.mark.parametrize("kind", models.KINDS)
def test_truth_lies_in_what_is_found(kind):
    for seed in range(1 if kind.startswith("long") else 3):
        (made,), truths, *_ = models.KINDS[kind](seed)
        intervals = found(made.recording.assign_attrs(temperature_C=25.0))
        for (*_, quantity), truth in truths.items():
            value, low, high = intervals[quantity]
            if kind in UNTOLD:
                assert value is None
            elif quantity == "critical_current_density":
                assert (low or 0) <= (truth or 0) + 1e-9
                assert high is None or high > (truth or 0) + 1e-9
                assert value == (None if kind in CREEPING else truth)
            elif truth is None:  # the cell outlived its test
                assert value is None and high is None and low > 0.98 * made.recording.time[-1] / 3600
            else:
                assert low <= truth + 1e-4
                assert high is None or high >= truth - 1e-4
                assert (value is None) == (kind in CREEPING)


def test_doubts_have_a_reason_and_bounds_in_findings_and_panel():
    (made,), *_ = models.KINDS["ccd-ten-percent"](2)
    recording = made.recording.assign_attrs(sample="A", state="", file="a.csv", source="a.csv")
    steps = ccd.steps(recording)
    critical, time, charge, *_ = ccd_findings.findings({"A": recording})
    assert critical["value"] is time["value"] is charge["value"] is None
    assert critical["low"] == 0.6 and critical["high"] == 1.1
    assert critical["note"].startswith(
        "cannot be told, then soft short; at 0.7 mA/cm2 the resistance falls faster than"
    )
    assert critical["note"].endswith(
        "at 1.1 mA/cm2 the voltage falls although the current rises, and the resistance falls ever faster"
    )
    assert 0 < charge["low"] < charge["high"]
    with figures.new("double", 40) as fig:
        ax = fig.subplots()
        ccd_plots.plot(recording, steps, "A", ax)
    assert ax.texts[0].get_text() == ("A: CCD 0.6 to 1.1 mA cm⁻²: cannot be told from 0.7 on, soft short at 1.1")
    assert [bool(patch.get_hatch()) for patch in fig.axes[1].patches] == [False, True]


@pytest.mark.parametrize("rest", [0.0, 36000.0])
def test_a_cell_that_was_dead_before_its_test_has_no_life_and_no_charge(rest):
    dead = galvanostatic(RISING, resistance=0.5)
    before = np.arange(0, rest, 60.0)
    none = 0 * before
    voltage, current = (np.concatenate([none, dead[name].to_numpy()]) for name in ("voltage", "current"))
    recording = dataset(np.concatenate([before, dead.time.to_numpy() + rest]), voltage, current)
    critical, life, charge, *_ = ccd_findings.findings({"A": recording})
    assert (critical["value"], critical["low"], critical["high"]) == (None, 0.0, 0.1)
    assert life["value"] == 0 and charge["value"] == 0
    assert "below the 20 ohm cm2 of the electrolyte alone" in critical["note"]


def test_a_dead_cell_that_the_tester_stopped_after_one_record_is_no_error():
    recording = dataset([0, 5, 10, 11, 12], [0, 0, 0, 1e-4, 0], [0, 0, 0, 8e-5, 0])
    critical, life, charge, *_ = ccd_findings.findings({"A": recording})
    assert (critical["value"], critical["high"], life["value"], charge["value"]) == (None, 0.1, 0, 0)


@pytest.mark.parametrize(
    ("constants", "value"),
    [({"thickness_cm": 0.003}, 1.5), ({"thickness_cm": np.nan}, None), ({"thickness_cm": 0.04}, None)],
    ids=["thin", "thickness unknown", "too little for its thickness"],
)
def test_thickness_and_not_a_fixed_resistance_decides_a_first_step(constants, value):
    recording = galvanostatic(RISING, resistance=7.0, noise=2e-5, offset=2e-3, **constants)
    assert found(recording)["critical_current_density"].value == value
    kind = ccd.steps(recording).kind.item(0)
    assert kind == {1.5: "sustained"}.get(
        value, shorts.UNDECIDED if np.isnan(constants["thickness_cm"]) else "hard short"
    )


def test_a_warm_electrolyte_conducts_better():
    recording = galvanostatic(RISING, resistance=10.0)
    assert found(recording)["critical_current_density"].value is None
    assert found(recording.assign_attrs(temperature_C=60.0))["critical_current_density"].value == 1.5


def test_a_voltage_with_too_few_digits_for_the_first_step_leaves_it_undecided():
    dead = galvanostatic(RISING, resistance=1.0, noise=0.0)
    recording = dataset(dead.time, dead.voltage, dead.current, voltage_digit=5e-3)
    steps = ccd.steps(recording)
    assert steps.kind.to_numpy()[:2].tolist() == [shorts.UNDECIDED, "hard short"]
    assert "too few digits" in steps.reason.item(0)


def test_voltage_of_the_opposite_sign_is_no_short():
    recording = galvanostatic(RISING)
    with pytest.raises(ValueError, match="opposite sign of the current in 30 of 30 half cycles: change the sign"):
        ccd.steps(with_voltage(recording, -recording.voltage.to_numpy()))


@pytest.mark.parametrize("place", [0.0, 0.4])
def test_a_taper_at_constant_voltage_is_the_voltage_limit_of_its_step(place):
    """The tester holds the voltage from a share of the half cycle at 0.9 mA/cm2 on."""
    recording = galvanostatic(RISING[:9])
    time, voltage, current = (recording[name].to_numpy().copy() for name in ("time", "voltage", "current"))
    begin = 16 * 600 + place * 600
    held = (time >= begin) & (time < 17 * 600)
    voltage[held] = 0.1
    current[held] *= 0.55 + 0.4 * np.exp(-(time[held] - begin) / 120)
    recording = dataset(time, voltage, current)
    steps = ccd.steps(recording)
    assert ccd.critical_current_density(steps).value == 0.8
    assert steps.kind.to_numpy().tolist()[8] == "voltage limit"
    if place:
        failure = ccd.time_of_failure(recording, steps)
        assert failure.low <= begin / 3600 <= failure.high + 0.002


def test_voltage_that_falls_while_a_formation_is_repeated_at_lower_currents_is_no_short():
    recording = galvanostatic([0.1, 0.2, 0.3, 0.4, 0.5, 0.4, 0.3, 0.2, 0.1, 0.5, 0.6])
    assert set(shorts.classify_segments(recording).kind.to_numpy()) == {"sustained"}


def test_table_of_ccds_has_what_they_depend_on():
    cells = {
        "A": galvanostatic(RISING, hard=0.8, sample="A", temperature_C=60.0),
        "B": galvanostatic(RISING, resistance=1.0, sample="B", temperature_C=np.nan),
    }
    table = ccd_findings.summary(cells, ccd_findings.findings(cells))
    assert table.loc["A"].to_dict() == {
        "CCD / mA cm⁻²": "0.700",
        "between": "0.700 and 0.800",
        "with the area's uncertainty": "0.673 to 0.831",
        "failure": "hard short",
        "capacity per half cycle / mAh cm⁻²": "0.1168 (0.1121 to 0.1214)",
        "resistance before / Ω cm²": "101.2 (97.2 to 105.2)",
        "temperature / °C": "60",
        "thickness / cm": "0.04",
    }
    assert table.loc["B", "CCD / mA cm⁻²"] == table.loc["B", "resistance before / Ω cm²"] == "—"
    assert table.loc["B", "temperature / °C"] == "—"


def test_charge_is_as_uncertain_as_the_onset_is_vague():
    (made,), *_ = models.KINDS["ccd-creep-then-hard"](1)
    recording = made.recording
    low, high = (
        float(shorts.charge_passed(recording, float(x) * 3600 + float(recording.time[0])).value)
        for x in (found(recording)["time_of_failure"].low, found(recording)["time_of_failure"].high)
    )
    charge = ccd.charge_until_failure(recording, ccd.steps(recording), 0.0)
    assert charge.value is None
    assert charge.low == pytest.approx(low, rel=0.02) and charge.high == pytest.approx(high, rel=0.02)
    assert high > 1.5 * low
