"""Long cycling of cells whose answer is known."""

import numpy as np
import pytest
import xarray as xr
from scipy.signal import lfilter

from cells import dataset, galvanostatic
from coldbond.bundle import figures
from coldbond.cells import long_cycling
from coldbond.cells.findings import long_cycling as long_cycling_findings
from coldbond.cells.findings.ccd import THRESHOLDS
from coldbond.cells.plots import long_cycling as long_cycling_plots
from independent.long_cycling import KINDS as INDEPENDENT
from independent.long_cycling import weather
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


@pytest.mark.parametrize(("every", "recorded"), [(240, True), (600, False)])
def test_the_start_of_a_half_cycle_is_not_read_off_the_rise_of_the_voltage(every, recorded):
    """Its first record shows the double layer still charging; the next one comes after 240 or 600 s of an hour."""
    sign, since = np.repeat([1, -1] * 20, 3600 // every), np.tile(np.arange(0.0, 3600, every), 40)
    voltage = sign * 0.05 * (1 - 0.3 * np.exp(-since / 10))
    at_start = found(dataset(np.arange(sign.size) * every, voltage, 4e-4 * sign))["overpotential_at_start"]
    if recorded:
        assert at_start["value"] == pytest.approx(50, rel=1e-3)
    else:
        assert at_start["value"] is None
        assert at_start["note"] == "no records there: from 2 to 10 % of the half cycles; mean"


def test_half_cycles_that_may_have_failed_count_in_the_interval_alone():
    """A cell that settles until its resistance falls faster and faster, then shorts: where that began is not known."""
    case = INDEPENDENT["linear creep, then short"](1)
    recording = case.made[0].recording.assign_attrs(case.made[0].constants, sample="A", state="")
    halves = long_cycling.half_cycles(recording)
    before, until = (long_cycling.overpotentials(halves, doubted=doubted) for doubted in (False, True))
    assert until.sizes["pair"] > before.sizes["pair"] > 1
    mean = long_cycling.averages(halves, settling=0)["overpotential"]
    for pairs in (before, until):
        assert mean.low < 1e3 * pairs.overpotential.mean() < mean.high
    note = found(recording, settling=0)["overpotential"]["note"]
    assert f"the {before.sizes['pair']} cycles before a short may have begun" in note


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
        recording = dataset(records.time, records.voltage, records.current)
        life = long_cycling.time_to_failure(recording, long_cycling.half_cycles(recording))
        held.append(life.low <= truth - 1 / 6 <= life.high)  # hours of current: the test begins with a rest
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
        long_cycling_plots.plot_overpotential({"A": long_cycling.every_overpotential(halves)}, "LLZ", right)
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
        long_cycling_plots.plot_overpotential({"A": long_cycling.every_overpotential(halves)}, "LLZ", ax)
    assert [text.get_text() for text in ax.texts] == ["no sustained cycle"]


def test_a_short_test_has_no_insets():
    recording = galvanostatic([0.5] * 3)
    with figures.new("double", 50) as fig:
        ax = fig.subplots()
        halves = {"A": long_cycling.half_cycles(recording)}
        long_cycling_plots.plot({"A": recording}, halves, "LLZ", [0.0, 0.5], ax)
    assert not ax.child_axes
    assert ax.texts[0].get_text() == "LLZ"


def of_case(kind, seed, **choices):
    """The findings of a recording of the second family of forward models, and its truths."""
    case = INDEPENDENT[kind](seed)
    rows = {}
    for made in case.made:
        recording = made.recording.assign_attrs(sample=made.sample, state=made.state, **made.constants)
        cell = found(recording, **choices)
        rows |= {(made.sample, quantity): row for quantity, row in cell.items()}
    truths = {(sample, quantity): truth for (sample, _, quantity), truth in case.truths.items()}
    return rows, truths


def holds(row, truth):
    low, high = (row[end] for end in ("low", "high"))
    return (low is None or low <= truth * (1 + 1e-6)) and (high is None or truth <= high * (1 + 1e-6))


@pytest.mark.parametrize(
    "kind",
    [
        "standstill, recorded",
        "standstill, its last record only",
        "standstill, no records, counter",
        "standstill, no records, numbers",
    ],
)
def test_a_standstill_is_neither_life_nor_charge(kind):
    for seed in (0, 5):
        rows, truths = of_case(kind, seed)
        life = rows["Cell", "time_to_failure"]
        assert life["value"] == pytest.approx(truths["Cell", "time_to_failure"], abs=0.1)
        assert all(holds(rows[of], truth) for of, truth in truths.items())
        (clock,) = (one for one in life["evidence"] if one["name"] == "time on the clock")
        assert clock["value"] > life["value"] + 2.9  # the standstill lasts 3 h or more


def stopped(hours, number=False, counter=None):
    """Half cycles of 1 h; the clock jumps by some hours after 30.4 h, and the tester writes nothing."""
    recording = galvanostatic([0.3] * 40, half_cycle=3600, every=60, current_digit=1e-7)
    time = recording.time.values
    jumped = recording.assign(time=("record", time + 3600 * hours * (time > 30.4 * 3600), recording.time.attrs))
    if number:
        jumped["cycle"] = ("record", (time // 7200).astype(int) + 1)
    if counter is not None:
        jumped["capacity"] = ("record", counter(time), {"units": "Ah", "resolution": 1e-7, "resets": "never"})
    return jumped


def charged(time):
    return 0.3e-3 * 0.785 * time / 3600


def test_without_other_evidence_a_hole_of_whole_cycles_cannot_be_told():
    """50 h are 25 cycles: these may have run. 50.3 h are not: the tester stood still."""
    undecided = found(stopped(50))
    assert undecided["time_to_failure"]["low"] == pytest.approx(80, abs=0.1)
    charge = undecided["charge_passed"]
    assert charge["value"] is None
    assert charge["low"] < 80 * 0.3 and charge["high"] > 130 * 0.3
    (said,) = (one for one in undecided["time_to_failure"]["evidence"] if "cannot be told" in one["name"])
    assert said["value"] == pytest.approx(50)
    for recording in (stopped(50.3), stopped(50, number=True), stopped(50, counter=charged)):
        charge = found(recording)["charge_passed"]
        assert charge["value"] == pytest.approx(80 * 0.3, rel=2e-3)


@pytest.mark.parametrize("hours", [0.3, 0.9, 2.3, 3.7, 10.5])
@pytest.mark.parametrize("evidence", ["protocol", "number"])
def test_lost_records_are_no_gap_in_life(hours, evidence):
    recording = galvanostatic([0.3] * 40, half_cycle=3600, every=60, current_digit=1e-7)
    recording["cycle"] = ("record", (recording.time.values // 7200).astype(int) + 1)
    lost = (recording.time > 30.4 * 3600) & (recording.time < (30.4 + hours) * 3600)
    recording = recording.isel(record=~lost.values)
    if evidence == "protocol":
        recording = recording.drop_vars("cycle")
    values = found(recording)
    assert values["time_to_failure"]["low"] == pytest.approx(80, abs=0.1)
    assert values["charge_passed"]["value"] == pytest.approx(80 * 0.3, rel=2e-3)


def test_each_stretch_of_one_current_has_its_own_life_charge_and_overpotential():
    rows, truths = of_case("changed current", 1)  # 0.5 mA/cm2 for 300 h, then 0.1 mA/cm2 until it shorts
    assert len(truths) == 8
    for of in truths:
        if "overpotential" not in of[1]:
            assert holds(rows[of], truths[of]), of
        else:
            assert rows[of]["value"] == pytest.approx(truths[of], rel=0.02)
    survived = rows["Cell", "time_to_failure_at_0.5_mA_cm2"]
    assert (survived["value"], survived["high"]) == (None, None)
    assert rows["Cell", "time_to_failure_at_0.1_mA_cm2"]["value"] is not None
    assert "at 0.5 mA/cm2, the longest stretch" in rows["Cell", "overpotential"]["note"]


CREEPING = [kind for kind in INDEPENDENT if "creep" in kind]


@pytest.mark.parametrize("kind", CREEPING)
def test_a_failure_that_creeps_in_has_no_exact_life(kind):
    case = INDEPENDENT[kind](0)
    recording = case.made[0].recording.assign_attrs(case.made[0].constants)
    life = long_cycling.time_to_failure(recording, long_cycling.half_cycles(recording))
    truth = case.truths["Cell", "long", "time_to_failure"]
    assert life.value is None
    assert life.low <= truth and (life.high is None or truth <= life.high)


def test_a_cell_that_is_shorted_from_its_first_record_has_no_life_and_no_charge():
    rows, truths = of_case("dead from its first record", 0)
    for quantity in ("time_to_failure", "charge_passed"):
        assert rows["Dead", quantity]["value"] == 0
        assert holds(rows["Good", quantity], truths["Good", quantity])


def test_a_drift_that_contradicts_the_life_is_said():
    """A tenth of the overpotential is lost slowly, too little to call it a short."""
    recording = galvanostatic([0.5] * 100, half_cycle=3600, every=120)
    falling = recording.assign(voltage=recording.voltage * (1 - 0.18 * recording.time / 7.2e5))
    falling.voltage.attrs = recording.voltage.attrs
    life = found(falling)["time_to_failure"]
    assert "an electronic path may have grown" in life["note"]
    assert "path" not in found(recording)["time_to_failure"]["note"]


def test_the_life_is_given_for_other_thresholds_too():
    life = found(galvanostatic([0.5] * 30, half_cycle=1800, every=60))["time_to_failure"]
    assert [one["name"] for one in life["threshold"]] == [name for name, _ in THRESHOLDS.values()]
    assert len(life["alternatives"]) == 6
    assert all(one["low"] == pytest.approx(30, abs=0.02) for one in life["alternatives"])


@pytest.mark.parametrize("stood", [True, False])
def test_the_voltage_tells_a_standstill_of_whole_cycles_from_lost_records(stood):
    """50 h without records, which are 25 cycles. After a standstill the double layer is charged again."""
    rng = np.random.default_rng(3)
    t = np.arange(90 * 3600 / 10) * 10.0
    clock = t + 50 * 3600 * (t > 30.4 * 3600) if stood else t
    kept = np.ones(t.size, bool) if stood else (t <= 30.4 * 3600) | (t > 80.4 * 3600)
    since = np.where(stood & (t > 30.4 * 3600) & (t < 31 * 3600), t - 30.4 * 3600, t % 3600)
    sign = np.where((t // 3600) % 2 == 0, 1.0, -1.0)
    voltage = sign * 0.05 * (1 - 0.4 * np.exp(-since / 30)) + rng.normal(0, 1e-4, t.size)
    recording = dataset(clock[kept], voltage[kept], (3e-4 * sign)[kept], current_digit=1e-8)
    halves = long_cycling.half_cycles(recording)
    hours = 90 - 10 / 3600
    assert long_cycling.time_to_failure(recording, halves).low == pytest.approx(hours, abs=0.02)
    charge = long_cycling.charge_until_failure(recording, halves, 0.0, 0.0)
    assert charge.value == pytest.approx(0.3 / 0.785 * hours, rel=1e-3)


def test_mean_and_drift_cover_a_room_that_remembers_its_temperature():
    """200 h of cycles of 2 h in a room that remembers its temperature for 12 h."""
    hours, covered = np.arange(100, 300, 2.0), []
    for seed in range(200):
        wander = weather(hours, np.random.default_rng(seed))
        columns = {name: ("pair", 0.05 * wander) for name in (*long_cycling.SPANS, "resistance")}
        means = long_cycling.means(xr.Dataset(columns | {"hours": ("pair", hours)}), 0.0, 0.0)
        covered.append(
            [
                holds(dict(low=one.low, high=one.high), truth)
                for one, truth in zip((means["overpotential"], means["drift"]), (50, 0), strict=True)
            ]
        )
    assert (np.mean(covered, axis=0) >= 0.925).all()
    assert (np.mean(covered, axis=0) <= 0.985).all()


def test_a_standstill_just_before_a_turn_is_not_mistaken_for_lost_records():
    """300 h without records, three records before the half cycle ends: too few to see the double layer charge."""
    case = INDEPENDENT["standstill, no records"](9)
    recording = case.made[0].recording.assign_attrs(case.made[0].constants, sample="A", state="")
    halves = long_cycling.half_cycles(recording)
    life = long_cycling.time_to_failure(recording, halves)
    assert life.low <= case.truths["Cell", "long", "time_to_failure"] <= life.high
    assert life.value is None or life.value < 200
