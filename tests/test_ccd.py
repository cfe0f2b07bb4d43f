"""The critical current density of cells whose answer is known."""

import numpy as np
import pytest

from cells import galvanostatic
from coldbond.bundle import figures
from coldbond.bundle.findings import rendered
from coldbond.cells import ccd, shorts
from coldbond.cells.findings import ccd as ccd_findings
from coldbond.cells.plots import ccd as ccd_plots
from coldbond.interval import Interval

RISING = np.round(np.arange(0.1, 1.55, 0.1), 2)


def found(recording, **choices):
    return tuple(ccd.critical_current_density(ccd.steps(recording, **choices)))


def kinds(recording):
    steps = ccd.steps(recording)
    return dict(zip(steps.setpoint.to_numpy(), steps.kind.to_numpy(), strict=True))


@pytest.mark.parametrize(
    "flaws",
    [
        {},
        {"rest": 60.0},
        {"noise": 3e-3},
        {"drift": 0.02},
        {"drift": -0.02},
        {"offset": 5e-3},
        {"lost": 0.3},
        {"half_cycle": 1800.0, "every": 60.0},
        {"half_cycle": 60.0 / RISING},  # the same charge in every step
        {"resistance": 800.0},
        {"area": 0.1},
    ],
    ids=str,
)
def test_ccd_is_the_last_sustained_step_whatever_the_flaws(flaws):
    assert found(galvanostatic(RISING, hard=0.8, **flaws)) == pytest.approx((0.7, 0.7, 0.8), rel=1e-3)


@pytest.mark.parametrize("step", [0.02, 0.05, 0.25])
def test_steps_are_found_from_the_current_at_any_size(step):
    densities = np.arange(1, 9) * step
    steps = ccd.steps(galvanostatic(densities, hard=7 * step, noise=5e-5, current_digit=1e-8))
    np.testing.assert_allclose(steps.current_density, densities, rtol=2e-3)
    assert ccd.critical_current_density(steps).value == pytest.approx(6 * step, rel=2e-3)


@pytest.mark.parametrize(
    ("step", "sustained"), [(0.025, 0.025), (0.025, 0.625), (0.125, 0.125), (0.125, 0.625), (0.05, 0.35), (0.1, 0.7)]
)
def test_a_step_keeps_its_digits(step, sustained):
    """In the interval, the finding, the table and the panel, although the tester rounds the current."""
    densities = np.round(np.arange(1, round(sustained / step) + 3) * step, 6)
    recording = galvanostatic(densities, hard=round(sustained + step, 6))
    steps = ccd.steps(recording)
    failed = round(sustained + step, 6)
    assert ccd.critical_current_density(steps) == Interval(sustained, sustained, failed)
    row = ccd_findings.findings({"cell": recording})[0]
    assert (row["value"], row["low"], row["high"]) == (sustained, sustained, failed)
    assert [float(density) for density in ccd_findings.table({"cell": steps}).index] == densities.tolist()
    with figures.new("double", 40) as fig:
        ax = fig.subplots()
        ccd_plots.plot(recording, steps, "cell", ax)
    assert ax.texts[0].get_text() == f"cell: CCD {sustained} mA cm⁻², hard short at {failed} mA cm⁻²"


def test_cell_that_never_shorts_has_no_upper_bound():
    assert found(galvanostatic(RISING)) == (pytest.approx(1.5), pytest.approx(1.5), None)


def test_cell_shorted_from_the_start_has_no_ccd():
    value, low, high = found(galvanostatic(RISING, resistance=3.0))
    assert (value, low) == (None, 0.0)
    assert high == 0.1


def test_cell_that_shorts_within_its_first_step_has_no_ccd():
    assert found(galvanostatic(RISING, hard=0.1)) == (None, 0.0, 0.1)


def test_soft_short_counts_as_failure_one_step_before_the_hard_one():
    recording = galvanostatic(RISING, soft=0.9, hard=1.0)
    assert found(recording)[0] == pytest.approx(0.8)
    assert kinds(recording)[0.9] == "soft short"
    assert kinds(recording)[1.0] == "hard short"


def test_voltage_limit_is_a_failure_without_a_short():
    recording = galvanostatic(RISING, drift=0.15, limit=0.15)
    failed = [kind for kind in kinds(recording).values() if kind != "sustained"]
    assert failed == ["voltage limit"]


def test_fluctuation_alone_tells_a_soft_short():
    recording = galvanostatic(RISING, noise=1e-4)
    late = (recording.time > recording.time[-1] * 0.8).to_numpy()
    restless = recording.assign(
        voltage=recording.voltage * np.where(late, np.random.default_rng(1).uniform(0.75, 1, late.size), 1)
    )
    restless.voltage.attrs = recording.voltage.attrs
    assert "soft short" in kinds(restless).values()


def test_run_stopped_within_a_step_does_not_count_that_step():
    recording = galvanostatic(RISING)
    end = float(recording.time[-1])
    stopped = recording.isel(record=recording.time.to_numpy() < end - 800)
    assert kinds(stopped)[1.5] == "unfinished"
    assert found(stopped)[0] == pytest.approx(1.4)


def test_healthy_cell_is_not_called_shorted_in_a_hundred_noisy_runs():
    values = [found(galvanostatic(RISING, noise=2e-3, lost=0.1, every=20.0, seed=seed))[2] for seed in range(100)]
    assert values.count(None) == 100


def test_findings_say_which_when_and_after_how_much_charge():
    recording = galvanostatic(RISING, hard=0.8)
    critical, time, charge, resistance, capacity = ccd_findings.findings({"LLZ": recording})
    assert (critical["value"], critical["low"], critical["high"]) == (0.7, 0.7, 0.8)
    assert rendered(critical) == (
        "interval with the uncertainty of the area, 2 %: 0.673 to 0.831 mA/cm2; "
        "threshold: retained share of the expected overpotential 0.8; "
        "threshold: resistance of a hard short 10 ohm cm2; "
        "threshold: highest conductivity of the electrolyte 0.002 S/cm; "
        "with retained share of the expected overpotential 0.3 to 0.9: 0.700 (0.700 to 0.800) mA/cm2; "
        "with highest conductivity of the electrolyte 0.001 to 0.02 S/cm: 0.700 (0.700 to 0.800) mA/cm2; "
        "hard short; at 0.8 mA/cm2 the resistance is below the 20 ohm cm2 of the electrolyte alone"
    )
    onset = 14 * 600 + 0.3 * 600  # s: seven whole steps, then 0.3 of a half cycle
    assert time["low"] <= onset / 3600 <= time["high"] + 0.004
    truth = 2 * np.arange(0.1, 0.75, 0.1).sum() / 6 + 0.8 * 0.3 / 6  # mAh/cm2
    assert charge["low"] < truth < charge["high"]
    assert resistance["low"] < 100 * (1 + 0.1 * 0.5**3) < resistance["high"]
    assert capacity["low"] < 0.7 / 6 < capacity["high"]


def test_a_threshold_that_decides_is_among_the_alternatives():
    leaking = galvanostatic(RISING, noise=1e-5)
    high = (np.abs(leaking.current) > 0.75e-3 * leaking.area_cm2).to_numpy()
    leaking["voltage"] = leaking.voltage.copy(
        data=np.where(high, 0.52, 1.0) * leaking.voltage
    )  # evenly lost from 0.8 on
    critical = ccd_findings.findings({"LLZ": leaking}, retained=0.6)[0]
    assert critical["value"] == 0.7
    assert [(one["name"].split("overpotential ")[1], one["value"]) for one in critical["alternatives"][:3]] == [
        ("0.3 to 0.5", 1.5),
        ("0.55", None),
        ("0.6 to 0.9", 0.7),
    ]


def test_missing_area_is_named():
    with pytest.raises(ValueError, match="area_cm2"):
        shorts.classify_segments(galvanostatic(RISING, area_cm2=np.nan))


def test_table_has_a_row_for_each_step_and_a_column_for_each_cell():
    steps = {"A": ccd.steps(galvanostatic([0.1, 0.2])), "B": ccd.steps(galvanostatic([0.1, 0.2, 0.3], hard=0.3))}
    table = ccd_findings.table(steps)
    assert list(table.index) == ["0.10", "0.20", "0.30"]
    assert table.loc["0.10", "A"] == "101 Ω cm², sustained"
    assert table.loc["0.30", "A"] == ""
    assert table.loc["0.30", "B"].endswith("hard short")


@pytest.mark.parametrize(
    ("recording", "text"),
    [
        (galvanostatic(RISING, hard=0.8), "cell: CCD 0.7 mA cm⁻², hard short at 0.8 mA cm⁻²"),
        (galvanostatic(RISING), "cell: CCD 1.5 mA cm⁻² or more"),
        (galvanostatic(RISING, hard=0.1), "cell: no step sustained, hard short at 0.1 mA cm⁻²"),
    ],
)
def test_panel_says_what_it_shows(recording, text):
    steps = ccd.steps(recording)
    with figures.new("double", 40) as fig:
        ax = fig.subplots()
        ccd_plots.plot(recording, steps, "cell", ax)
    assert [found.get_text() for found in ax.texts] == [text]
    (shade,) = [patch.get_x() for patch in fig.axes[1].patches] or [None]
    failed = steps.onset.dropna("step")
    since_start = failed.to_numpy() - recording.time.item(0)
    assert shade == (pytest.approx(since_start[0] / 3600) if failed.size else None)
    bottom, top = zip(*(axes.get_ylim() for axes in fig.axes), strict=True)
    assert top[0] / bottom[0] == pytest.approx(top[1] / bottom[1])  # both channels have zero at the same height


def test_run_without_a_failure_has_no_time_of_failure():
    rows = {row["quantity"]: row for row in ccd_findings.findings({"LLZ": galvanostatic(RISING)})}
    assert rows["critical_current_density"]["note"] == "no failure, so there is no upper bound"
    assert (rows["critical_current_density"]["low"], rows["critical_current_density"]["high"]) == (1.5, None)
    time = rows["time_of_failure"]
    assert (time["value"], time["high"]) == (None, None)
    assert time["low"] == pytest.approx(5.0, rel=1e-3)


def altered(recording, **channels):
    """The recording with other values in some of its channels."""
    return recording.assign({name: recording[name].copy(data=values) for name, values in channels.items()})


@pytest.mark.parametrize("every", [5.0, 20.0, 60.0])
@pytest.mark.parametrize(("place", "factor"), [(0.5, 0.0), (0.5, 3.0), (0.999, -1.0)])
def test_a_stray_record_is_no_short(every, place, factor):
    recording = galvanostatic(RISING, every=every)
    voltage = recording.voltage.to_numpy().copy()
    per_half_cycle = voltage.size // (2 * RISING.size)
    voltage[16 * per_half_cycle + int(place * per_half_cycle)] *= factor
    assert found(altered(recording, voltage=voltage))[2] is None


@pytest.mark.parametrize(("falls_by", "hours"), [(2, 600), (3, 1200), (2, 5000)])
def test_a_cell_that_activates_is_not_shorted(falls_by, hours):
    recording = galvanostatic(RISING)
    activating = 1 + (falls_by - 1) * np.exp(-recording.time.to_numpy() / hours)
    assert found(altered(recording, voltage=recording.voltage.to_numpy() * activating))[2] is None


@pytest.mark.parametrize("noise", [5e-4, 1e-3, 2e-3, 5e-3])
def test_noise_of_the_current_makes_no_steps(noise):
    recording = galvanostatic(RISING)
    current = recording.current.to_numpy() * (1 + np.random.default_rng(0).normal(0, noise, recording.sizes["record"]))
    steps = ccd.steps(altered(recording, current=current.round(6)))
    assert steps.sizes["step"] == RISING.size
    assert ccd.critical_current_density(steps) == Interval(1.5, 1.5, None)


def test_a_current_that_settles_over_two_records_is_no_step():
    recording = galvanostatic(RISING)
    current = recording.current.to_numpy().copy()
    switches = np.flatnonzero(np.diff(np.sign(current), prepend=0))
    for late in (0, 1):
        current[switches + late] *= 1.5
    steps = ccd.steps(altered(recording, current=current))
    assert steps.sizes["step"] == RISING.size


@pytest.mark.parametrize("seconds", [3, 10, 30])
def test_a_run_stopped_at_the_short_failed(seconds):
    recording = galvanostatic(RISING, every=1.0, hard=0.8)
    stopped = recording.isel(record=recording.time.to_numpy() < 14 * 600 + 180 + seconds)
    steps = ccd.steps(stopped)
    assert ccd.critical_current_density(steps) == Interval(0.7, 0.7, 0.8)
    assert steps.last_good[-1] <= 14 * 600 + 180 <= steps.onset[-1] + 0.2


def test_a_short_in_the_last_seconds_of_a_step_fails_that_step():
    recording = galvanostatic(RISING, hard=0.9)
    late = (recording.time > 16 * 600 - 6).to_numpy()  # 0.8 mA/cm2 is switched off at 16 * 600 s
    metal = 2.0 * recording.current.to_numpy() / recording.attrs["area_cm2"]
    steps = ccd.steps(altered(recording, voltage=np.where(late, metal, recording.voltage.to_numpy())))
    assert ccd.critical_current_density(steps) == Interval(0.7, 0.7, 0.8)


@pytest.mark.parametrize("every", [5.0, 60.0])
@pytest.mark.parametrize("short", ["hard", "soft"])
def test_time_of_failure_holds_the_onset(every, short):
    held = 0
    for seed, begins in enumerate(np.random.default_rng(8).uniform(0.1, 0.9, 60)):
        recording = galvanostatic(RISING[:10], every=every, seed=seed, begins=begins, **{short: 0.8})
        failed = ccd.time_of_failure(recording, ccd.steps(recording))
        onset = (14 * 600 + begins * 600 - float(recording.time[0])) / 3600
        held += failed.low <= onset + 1e-6 and onset - 1e-6 <= failed.high
    assert held >= 54  # nine in ten at the least


def test_times_count_from_the_start_of_the_recording():
    recording = galvanostatic(RISING, hard=0.8)
    late = altered(recording, time=recording.time.to_numpy() + 3.6e5)
    assert ccd_findings.findings({"LLZ": late})[1:] == ccd_findings.findings({"LLZ": recording})[1:]


@pytest.mark.parametrize("retained", [0, 1, 60])
def test_a_threshold_that_is_no_share_is_refused(retained):
    with pytest.raises(ValueError, match=f"retained is {retained}: give a share"):
        found(galvanostatic(RISING), retained=retained)


def test_a_conductivity_that_decides_is_among_the_alternatives():
    alternatives = ccd_findings.findings({"LLZ": galvanostatic(RISING, resistance=30.0)})[0]["alternatives"]
    assert [(one["name"], one["value"], one["high"]) for one in alternatives[1:]] == [
        ("highest conductivity of the electrolyte 0.001 S/cm", None, 0.1),
        ("highest conductivity of the electrolyte 0.002 to 0.02 S/cm", 1.5, None),
    ]


def test_a_current_too_coarse_to_tell_the_steps_is_named():
    coarse = ccd_findings.findings({"LLZ": galvanostatic(RISING, current_digit=1e-4)})[0]
    assert coarse["evidence"][1]["name"] == "last digit of the current density"
    assert coarse["evidence"][1]["value"] == pytest.approx(1e-4 * 1e3 / 0.785, rel=1e-3)
    assert coarse["note"].endswith("finer steps cannot be told from the current")
    assert len(ccd_findings.findings({"LLZ": galvanostatic(RISING)})[0]["evidence"]) == 1


def test_an_analysis_needs_no_manifest():
    """The electrode area is all that a recording must carry besides its channels."""
    recording = galvanostatic(RISING, hard=0.8)
    bare = recording.drop_attrs(deep=False)
    with pytest.raises(ValueError, match="electrode area is not known"):
        ccd.steps(bare)
    assert found(bare.assign_attrs(area_cm2=0.785)) == (0.7, 0.7, 0.8)


def test_noise_of_the_last_record_is_no_short():
    """A run that its operator stopped in its second step, at a noise of a fifth of the overpotential."""
    runs = [galvanostatic([0.1, 0.1], noise=2e-3, seed=seed) for seed in range(60)]
    stopped = [run.isel(record=run.time.to_numpy() < 2100) for run in runs]
    assert [found(run)[2] for run in stopped] == [None] * 60
