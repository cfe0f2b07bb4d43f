"""Long cycling of cells whose answer is known."""

import numpy as np
import pytest
from scipy.signal import lfilter

from cells import dataset, galvanostatic
from coldbond.bundle import figures
from coldbond.cells import long_cycling
from coldbond.cells.findings import long_cycling as long_cycling_findings
from coldbond.cells.plots import long_cycling as long_cycling_plots
from twin import symmetric
from twin.cells import RT_MCL_LLZ
from twin.tester import Cycler

CYCLES = 300


def found(recording, **choices):
    halves = {"cell": long_cycling.half_cycles(recording)}
    return {row["quantity"]: row for row in long_cycling_findings.findings({"cell": recording}, halves, **choices)}


def test_overpotential_and_resistance_of_an_ohmic_cell():
    recording = galvanostatic(
        [0.5] * CYCLES, half_cycle=1800, every=60, resistance=80.0, offset=4e-3, sample="RT-MCL-LLZ"
    )
    values = found(recording)
    truth = 0.5 * 80 * (1 + 0.1 * 0.5**3)  # mV: the plateau is read in the middle of the half cycle, free of the offset
    assert values["overpotential"]["low"] < truth < values["overpotential"]["high"]
    assert values["overpotential"]["value"] == pytest.approx(truth, rel=0.005)
    assert values["hysteresis"]["value"] == pytest.approx(2 * values["overpotential"]["value"], rel=1e-3)
    assert values["area_specific_resistance"]["value"] == pytest.approx(2 * truth, rel=0.005)
    assert values["overpotential_at_start"]["value"] < values["overpotential"]["value"]
    assert values["overpotential_at_end"]["value"] > values["overpotential"]["value"]
    assert values["drift"]["low"] < 0 < values["drift"]["high"]
    assert values["charge_passed"]["low"] < CYCLES * 0.5 < values["charge_passed"]["high"]


def test_cell_that_does_not_fail_has_a_lower_bound():
    values = found(galvanostatic([0.7] * 60, half_cycle=1800, every=60))
    life = values["time_to_failure"]
    assert (life["value"], life["high"]) == (None, None)
    assert life["note"] == "no failure: the hours of current are a lower bound"
    assert life["low"] == pytest.approx(60, rel=1e-3)


def test_means_leave_out_the_cycles_in_which_the_interface_settles():
    recording = galvanostatic([0.5] * 100, half_cycle=1800, every=60)
    settling = recording.assign(voltage=recording.voltage * (1 + np.exp(-recording.time / 3.6e4)))  # over 10 cycles
    settling.voltage.attrs = recording.voltage.attrs
    steady, whole = (found(settling, settling=n)["overpotential"] for n in (50, 51))
    assert steady["low"] < 50 * (1 + 0.1 * 0.5**3) < steady["high"]
    assert "after the first 50 cycles" in steady["note"]
    assert whole["value"] > 1.05 * steady["value"]  # 100 cycles are fewer than twice 51
    assert "over all cycles" in whole["note"]


@pytest.mark.parametrize(("short", "kind"), [("hard", "hard short"), ("soft", "soft short")])
def test_time_to_failure(short, kind):
    healthy = 40  # the densities differ too little to be other steps, enough to place the short
    densities = np.repeat(0.1, 50) + np.where(np.arange(50) >= healthy, 1e-6, 0)
    recording = galvanostatic(densities, half_cycle=1800, every=20, **{short: 0.1000005})
    life = found(recording)["time_to_failure"]
    truth = healthy + 0.3 * 0.5  # h
    assert life["low"] <= truth <= life["value"] == life["high"]
    assert life["value"] - truth < 0.02
    assert life["note"].startswith(kind)


def test_a_soft_short_that_opens_again_began_within_its_interval():
    """The twin's path opens and closes at random; a record in which it is open is whole, though the cell has failed."""
    held = []
    for seed in range(40):
        truth = 10 + 0.37 * (seed % 20)
        records = symmetric.long_cycling(
            0.5, truth + 6, RT_MCL_LLZ, soft_from=truth, hard_from=truth + 4, cycler=Cycler(every=120.0), seed=seed
        )
        life = found(dataset(records.time, records.voltage, records.current))["time_to_failure"]
        held.append(life["low"] <= truth - 1 / 6 <= life["high"])  # hours of current: the test begins with a rest
    assert sum(held) >= 36


def test_drift_is_found_under_correlated_scatter():
    """A room whose temperature wanders for hours, and 3 mV per 1000 h; coverage is tested in test_batch_means."""
    cycles, hours = 250, np.arange(250) * 2.0
    t = np.arange(0.5, 3600, 600)
    wander = lfilter([1], [1, -np.exp(-2 / 10)], np.random.default_rng(7).normal(0, 2e-4, cycles))
    sign = np.tile(np.repeat([1, -1], t.size), cycles)
    time = (np.arange(2 * cycles)[:, None] * 3600 + t).ravel()
    voltage = sign * np.repeat(0.05 + 3e-6 * hours + wander, 2 * t.size)
    drift = found(dataset(time, voltage, sign * 0.5e-3, voltage_digit=1e-5), settling=0)["drift"]
    assert drift["low"] <= 3 <= drift["high"]
    assert 0.5 < drift["high"] - drift["low"] < 5


@pytest.mark.parametrize("windows", [[], [0.5], [0.0, 0.99]])
def test_insets_show_three_cycles_each(windows):
    recording = galvanostatic([0.5] * 40, half_cycle=1800, every=60, state="0.5 mA/cm2")
    halves = long_cycling.half_cycles(recording)
    with figures.new("double", 50) as fig:
        left, right = fig.subplots(1, 2)
        long_cycling_plots.plot({"A": recording}, {"A": halves}, "LLZ, 0.5 mA cm⁻²", windows, left)
        long_cycling_plots.plot_overpotential({"A": long_cycling.overpotentials(halves)}, "LLZ", right)
    assert [text.get_text() for text in left.texts] == ["LLZ, 0.5 mA cm⁻²"]
    insets = left.child_axes
    assert len(insets) == len(windows)
    for share, inset in zip(windows, insets, strict=True):
        begin, end = inset.get_xlim()
        assert end - begin == pytest.approx(3, rel=0.01)
        assert begin == pytest.approx(min(share * 40, 37), abs=0.1)
    (line,) = right.lines
    assert len(line.get_xdata()) == 40


def test_a_cell_that_shorts_in_its_first_cycle_has_no_overpotential():
    values = found(galvanostatic([0.5] * 4, hard=0.5))
    assert set(values) == {"time_to_failure", "charge_passed"}


def test_charge_is_counted_until_the_failure_and_time_from_the_start():
    recording = galvanostatic(
        np.repeat(0.1, 50) + np.where(np.arange(50) >= 40, 1e-6, 0), half_cycle=1800, hard=0.1000005
    )
    recording = recording.assign(time=recording.time + 3.6e5)
    recording.time.attrs["resolution"] = 1e-3
    values = found(recording)
    assert values["time_to_failure"]["value"] == pytest.approx(40.15, abs=0.01)
    assert values["charge_passed"]["low"] < 4.015 < values["charge_passed"]["high"]
    assert values["charge_passed"]["note"].endswith("until the failure")


def test_formation_at_lower_currents_is_left_out():
    recording = galvanostatic([0.1, 0.2, 0.3] + [0.5] * 30, half_cycle=1800, every=60)
    values = found(recording)
    assert values["overpotential"]["value"] == pytest.approx(50 * (1 + 0.1 * 0.5**3), rel=0.005)


def test_a_cell_without_a_sustained_cycle_is_drawn():
    recording = galvanostatic([0.5] * 20, resistance=1.5)
    halves = long_cycling.half_cycles(recording)
    with figures.new("double", 50) as fig:
        ax = fig.subplots()
        long_cycling_plots.plot_overpotential({"A": long_cycling.overpotentials(halves)}, "LLZ", ax)
    assert [text.get_text() for text in ax.texts] == ["no sustained cycle"]


def test_a_short_test_has_no_insets():
    recording = galvanostatic([0.5] * 3)
    with figures.new("double", 50) as fig:
        ax = fig.subplots()
        halves = {"A": long_cycling.half_cycles(recording)}
        long_cycling_plots.plot({"A": recording}, halves, "LLZ", [0.0, 0.5], ax)
    assert not ax.child_axes
    assert ax.texts[0].get_text() == "LLZ"
