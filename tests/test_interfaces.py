"""Electrolyte or interface: cells whose arcs lie where no fixed boundary expects them, with known resistances."""

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from coldbond.impedance import assignment, drift, electrolyte, findings, plots, relaxation_times, resistance, sweeps
from coldbond.impedance.circuits import SYMMETRIC
from coldbond.interval import Interval
from independent import interfaces

#: Kinds of which the resistance of the interface can be told, with a seed.
TOLD = {
    "ordinary": 3,
    "one arc": 0,
    "fast": 2,
    "cold": 1,
    "two that are unequal": 0,
    "diffusion tail": 1,
    "20 points": 3,
    "drift during the sweep": 0,
    "wide distribution": 1,
    "mains pick-up": 1,
}
UNTOLD = {"fast, without a pellet": 1, "ordinary, without a pellet": 2, "inductive loop": 4, "leak": 1}
UNCERTAINTIES = 5e-4, 0.02, 0.05


def measured(kind, seed, circuits=SYMMETRIC):
    case = interfaces.KINDS[f"interface: {kind}"](seed)
    recordings = [
        made.recording.assign_attrs(made.constants, sample=made.sample, state=made.state, role=made.role)
        for made in case.made
    ]
    pellets = [electrolyte.measure(one) for one in recordings if one.attrs["role"] == "conductivity"]
    known = electrolyte.expected(recordings[0], pellets, *UNCERTAINTIES)
    truths = {quantity: truth for (_, _, quantity), truth in case.truths.items()}
    return resistance.measure(recordings[0], circuits, "modulus", known), truths


def covers(interval, truth):
    return (interval.low or 0.0) <= truth <= (np.inf if interval.high is None else interval.high)


@pytest.mark.parametrize("kind", TOLD)
def test_the_interface_is_told_from_the_electrolyte(kind):
    one, truths = measured(kind, TOLD[kind])
    assert one.interface.value is not None and covers(one.interface, truths["interface_resistance"])
    assert covers(one.total, truths["total_resistance"])
    assert one.interface.high < 2 * one.interface.low  # not by being wide
    assert "pellet oxide" in one.why


@pytest.mark.parametrize("kind", UNTOLD)
def test_what_the_spectrum_does_not_tell_has_bounds_and_no_value(kind):
    one, truths = measured(kind, UNTOLD[kind])
    assert one.interface.value is None and "cannot be told" in one.why
    if kind == "leak":  # which hides any resistance
        assert "less than the" in one.why and "soft short" in one.why and one.interface.high is None
    if kind == "inductive loop":
        assert one.total.low < one.total.high and "inductive loop" in one.why
    if truths["interface_resistance"] is not None:
        assert covers(one.interface, truths["interface_resistance"])
    one.spectrum.attrs["area_cm2"] = 1.0
    rows = findings.findings({"A": one}, resistance.resistances({"A": one}), "interface", 0.02)
    own = {row["quantity"]: row for row in rows}
    for quantity in ("interface_resistance", "area_specific_resistance"):
        assert own[quantity]["value"] is None and "cannot be told" in own[quantity]["note"]
    assert own["falls_then_stable"]["value"] is None
    fig = Figure()
    plots.draw_resistances(fig, {"A": one}, resistance.resistances({"A": one}), {}, "interface")
    (ax,) = [ax for ax in fig.axes if "Resistance" in ax.get_ylabel()]
    assert "cannot be told: 1 of 1" in [text.get_text() for text in ax.texts]
    bars = [bar for bar in ax.collections if str(bar.get_label()).endswith("bounds")]
    assert len(bars) == one.interface.is_bounded  # a bar without a point


def test_single_wrong_points_are_left_out_and_named():
    one, _ = measured("mains pick-up", 1, ["L-R-RQ-RQ"])
    assert one.left_out.size and np.all((one.left_out > 40) & (one.left_out < 180))
    assert one.best.frequency.size + one.left_out.size == one.spectrum.sizes["frequency"]
    total, *_ = findings.findings({"A": one}, resistance.resistances({"A": one}), "interface", 0.02)
    assert "they fail the Kramers-Kronig test by themselves" in total["note"]
    fig = Figure()
    plots.draw_spectra(fig, {"A": one}, {"A": relaxation_times.distribution(one.spectrum)})
    plots.draw_resistances(Figure(), {"A": one}, resistance.resistances({"A": one}), {}, "interface")


def test_points_that_fail_together_or_at_an_end_are_no_single_errors():
    fails = np.zeros(40, bool)
    fails[[10, 11, 20]] = True
    assert list(np.flatnonzero(resistance.isolated(fails))) == [10, 11, 20]
    fails[[0, 30, 31, 32, 33, 34]] = True
    assert list(np.flatnonzero(resistance.isolated(fails))) == [10, 11, 20]
    assert not resistance.isolated(np.arange(40) % 3 == 1).any()


# --- what is known -----------------------------------------------------------------------------------------------


def test_the_electrolyte_of_a_cell_follows_from_a_pellet_of_another_size_and_temperature():
    case = interfaces.ordinary(5)
    cell, pellet = (made.recording.assign_attrs(made.constants, sample="LLZ") for made in case.made)
    found = electrolyte.measure(pellet)
    twice = cell.assign_attrs(thickness_cm=2 * pellet.attrs["thickness_cm"], area_cm2=pellet.attrs["area_cm2"])
    known = electrolyte.expected(twice, [found], *UNCERTAINTIES)
    assert known.resistance.value == pytest.approx(2 * found.resistance.value)
    assert 1.1 < known.resistance.high / known.resistance.value < 1.16  # pellet 5 %, areas 2 % each
    cold = electrolyte.expected(twice.assign_attrs(temperature_C=-20.0), [found], *UNCERTAINTIES)
    assert 8 < cold.resistance.value / known.resistance.value < 17  # 0.4 eV: exp(2.77) less 298 / 253
    assert cold.resistance.high > 2.5 * cold.resistance.value


@pytest.mark.parametrize(
    ("sample", "pellet"), [("LLZ", "LLZ"), ("RT-MCL-LLZ", "LLZ"), ("In-LLZ", "In-LLZ"), ("InLLZ", None), ("LATP", None)]
)
def test_a_coated_electrolyte_is_that_of_the_name_that_ends_alike(sample, pellet):
    case = interfaces.ordinary(5)
    cell, own = (made.recording.assign_attrs(made.constants) for made in case.made)
    found = electrolyte.measure(own)
    pellets = [
        found.__class__(own.assign_attrs(sample=name), found.test, found.results, found.resistance)
        for name in ("LLZ", "In-LLZ", "Z")
    ]
    known = electrolyte.expected(cell.assign_attrs(sample=sample), pellets, *UNCERTAINTIES)
    assert (known.pellet if known else None) == pellet
    unknown = cell.assign_attrs(sample=sample, thickness_cm=np.nan)
    assert electrolyte.expected(unknown, pellets, *UNCERTAINTIES) is None


def test_a_cell_of_unknown_dimensions_is_said_to_be_one():
    one, _ = measured("one arc", 0, ["L-R-RQ"])
    bare = one.spectrum.assign_attrs(area_cm2=np.nan)
    assert "area_cm2 or thickness_cm is not known" in resistance.measure(bare, ["L-R-RQ"], "modulus").why


def test_without_doubt_about_any_arc_one_boundary_is_as_good_as_the_other():
    one, _ = measured("one arc", 0, ["L-R-RQ"])
    split = assignment.split(one.best, 1.0, 0.05, None)
    assert split.first == split.usual == split.last and split.doubtful == 0


# --- change during a sweep ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_the_change_during_a_sweep_is_found_and_none_where_there_is_none(seed):
    rng = np.random.default_rng(seed)
    frequency = interfaces.frequencies()
    s = 2j * np.pi * frequency
    z = 50 + interfaces.havriliak_negami(400, 1e-3, 0.9, 0.8, s)
    time = np.cumsum(1 / frequency) / np.sum(1 / frequency)
    for change in (0.0, 0.06, -0.06):
        drifting = interfaces.noisy(z * (1 + change * (time - 0.5)), rng, 1.5e-3)
        found = drift.change(frequency, drifting, 1 / np.abs(drifting))
        assert found.low - 0.01 < change < found.high + 0.01
        assert found.high - found.low < 0.02
        assert not change or np.sign(found.low) == np.sign(found.high) == np.sign(change)


def test_the_change_from_the_sweep_before_is_told():
    frequency = interfaces.frequencies(20)
    z = 50 + 400 / (1 + 2j * np.pi * frequency * 1e-3)
    three = xr.Dataset(
        {
            "impedance": ("frequency", np.concatenate([z, z, 1.1 * z])),
            "sweep": ("frequency", np.repeat([1, 2, 3], 20)),
        },
        {"frequency": np.tile(frequency, 3)},
    )
    assert sweeps.change(three) == pytest.approx(0.1)
    assert np.isnan(sweeps.change(sweeps.one(three)))


def test_an_area_widens_bounds_without_a_value():
    found = resistance.area_specific(Interval(None, 100.0, 200.0), 2.0, 0.05)
    assert found.value is None and found.low < 100 * 0.92 and found.high > 200 * 1.09
