"""Fits of circuits and their intervals held against cells whose resistances are known."""

from pathlib import Path

import lmfit
import numpy as np
import pytest

from coldbond import read
from coldbond.impedance import bounds, circuits, fit, intervals
from coldbond.interval import Interval
from impedance_cells import CABLE, FREQUENCY, NOISE, S, arc, cell, pellet, spectrum, spread, three_arcs

CIRCUITS = ("L-R-RQ-RQ", "L-R-RQ-RQ-RQ", "L-R-RQ-RQ-RQ-RQ")
BLOCKING = ("L-R-Q", "L-R-RQ-Q", "L-R-RQ-RQ-Q")
FULL = ("L-R-RQ-RQ-W", "L-R-RQ-RQ-RQ-W", "L-R-RQ-RQ-RQ-Q")
BOUNDARY, DRIFT = 3e-6, 1e-3


def covers(interval, truth):
    return (interval.low or 0.0) <= truth <= (interval.high or np.inf)


def half_width(interval):
    return (interval.high - interval.low) / 2 / interval.value


def test_profiles_cover_resistances_and_sums():
    """40 spectra of a circuit: each kind of interval holds the truth 36 times or more, and not always by being wide."""
    found = {names: 0 for names in ("R1", "R2", "R3", "R4", ("R1", "R2"), ("R3", "R4"), ("R1", "R2", "R3", "R4"))}
    widths = []
    for seed in range(40):
        one, truth = three_arcs(seed)
        result = fit.fitted(one, "L-R-RQ-RQ-RQ")
        for names in found:
            interval = intervals.profile(result, names)
            found[names] += covers(interval, sum(truth[n] for n in ([names] if isinstance(names, str) else names)))
        widths.append(half_width(interval))
    assert min(found.values()) >= 36
    assert np.mean([*found.values()]) <= 39.5
    assert np.median(widths) < 0.002


@pytest.mark.parametrize("arcs", [1, 2])
def test_intervals_of_parts_cover_interfaces_that_are_no_arcs(arcs):
    """12 cells with log-normally distributed interfaces: 11 truths or more lie within, and within 1 %."""
    found = {part: [] for part in ("electrolyte", "interface", "total")}
    widths = {part: [] for part in found}
    for seed in range(12):
        one, truth = cell(seed, arcs)
        results = fit.candidates(one, CIRCUITS)
        for part in found:
            interval = intervals.of_part(results, part, BOUNDARY, DRIFT)
            found[part].append(covers(interval, truth[part]))
            widths[part].append(half_width(interval))
    assert min(sum(hits) for hits in found.values()) >= 11
    assert max(np.median(each) for each in widths.values()) < 0.01


def test_profiles_alone_do_not_cover_them():
    """Why distributions of any shape enter: arcs have tails that these interfaces lack."""
    hits = 0
    for seed in range(12):
        one, truth = cell(seed, 1)
        result = next(iter(fit.candidates(one, CIRCUITS).values()))
        hits += covers(intervals.profile(result, "R1"), truth["electrolyte"])
    assert hits < 9


def test_resistance_of_a_pellet_between_blocking_electrodes():
    hits, widths = 0, []
    for seed in range(20):
        one, truth = pellet(seed)
        interval = intervals.of_part(fit.candidates(one, BLOCKING), "electrolyte", 1e-5, DRIFT)
        hits += covers(interval, truth)
        widths.append(half_width(interval))
    assert hits >= 18
    assert np.median(widths) < 0.02


def test_resistance_of_a_cell_with_an_electrode_that_ions_diffuse_into():
    hits = {"interface": 0, "total": 0}
    for seed in range(8):
        one, truth = cell(seed, 1, tail=18 / np.sqrt(S))
        results = fit.candidates(one, FULL)
        for part in hits:
            hits[part] += covers(intervals.of_part(results, part, BOUNDARY, DRIFT), truth[part])
    assert min(hits.values()) >= 7


def test_interface_of_a_cell_that_blocks_is_undetermined_unless_arcs_end_before_the_tail():
    merged, _ = cell(0, 1, tail=1 / (2e-5 * S**0.92))
    results = fit.candidates(merged, BLOCKING[1:])
    for part in ("interface", "total"):
        assert tuple(intervals.of_part(results, part, BOUNDARY))[1:] == (None, None)
    apart, truth = cell(0, 1, tail=1 / (2e-2 * S**0.92))
    interval = intervals.of_part(fit.candidates(apart, BLOCKING[1:]), "interface", BOUNDARY, DRIFT)
    assert covers(interval, truth["interface"])
    assert half_width(interval) < 0.1


@pytest.mark.parametrize("seed", range(6))
def test_no_start_from_the_truth_ends_lower(seed):
    """Random circuits of three arcs, also near one another: several starts find the global optimum."""
    rng = np.random.default_rng(seed)
    taus = np.sort(10 ** rng.uniform(-6, 0.3, 3))
    sizes, exponents = 10 ** rng.uniform(1, 3, 3), rng.uniform(0.7, 0.95, 3)
    z = 1e-7 * S + 20 + sum(arc(*each) for each in zip(sizes, taus, exponents, strict=True))
    one = spectrum(z, rng)
    result = fit.fitted(one, "L-R-RQ-RQ-RQ")
    problem = fit.Problem(result.circuit, result.frequency, result.impedance, result.weights)
    truth = {"L0": 1e-7, "R1": 20.0}
    for at, (size, tau, n) in enumerate(zip(sizes, taus, exponents, strict=True), start=2):
        truth |= {f"R{at}": size, f"tau{at}": tau, f"n{at}": n}
    _, least = problem.minimum(problem.coordinates(truth))
    assert result.chisqr <= 1.005 * least


@pytest.mark.parametrize("seed", range(3))
def test_no_random_start_ends_lower(seed):
    """A cell of more processes than arcs, some inductance, four arcs: forty random starts find no better fit."""
    rng = np.random.default_rng(seed)
    z = 6e-7 * S + 57 + spread(12, 1.8e-7, 0.3) + spread(500, 1.3e-3 * rng.uniform(0.5, 2), 0.9)
    z = z + spread(310, 5e-4, 1.0) + 25 * np.tanh(np.sqrt(0.35 * S)) / np.sqrt(0.35 * S)
    result = fit.candidates(spectrum(z, rng, 1.2e-3), CIRCUITS)[CIRCUITS[-1]]
    problem = fit.Problem(result.circuit, result.frequency, result.impedance, result.weights)
    for _ in range(40):
        start = {"L0": 6e-7, "R1": 60.0}
        for at, tau in enumerate(10 ** rng.uniform(-7.2, 0.5, 4), start=2):
            start |= {f"R{at}": 10 ** rng.uniform(0.5, 2.7), f"tau{at}": tau, f"n{at}": rng.uniform(0.6, 0.97)}
        assert result.chisqr <= 1.005 * problem.minimum(problem.coordinates(start))[1]


def test_what_vanished_from_a_smaller_circuit_comes_back():
    """With three arcs this cell seems to have no inductance; with four it has, and is described better by a fifth."""
    file = Path(__file__).parents[1] / "raw/eis/interface-LLZ-cycle-001.txt"
    result = fit.candidates(read(file), CIRCUITS)[CIRCUITS[-1]]
    problem = fit.Problem(result.circuit, result.frequency, result.impedance, result.weights)
    start = {"L0": 6e-7, "R1": 55, "R2": 12, "tau2": 1.8e-7, "n2": 0.95, "R3": 130, "tau3": 3e-4, "n3": 0.95}
    start |= {"R4": 340, "tau4": 1e-3, "n4": 0.95, "R5": 380, "tau5": 3e-3, "n5": 0.87}
    assert result.chisqr <= 1.005 * problem.minimum(problem.coordinates(start))[1]


def test_the_result_is_lmfits_with_both_parts_counted():
    one, truth = three_arcs(1)
    result = fit.fitted(one, "L-R-RQ-RQ-RQ")
    assert isinstance(result, lmfit.minimizer.MinimizerResult) and result.success
    varied = sum(parameter.vary for parameter in result.params.values())
    assert (result.ndata, result.nvarys, result.nfree) == (2 * FREQUENCY.size, varied, 2 * FREQUENCY.size - varied)
    assert result.bic == pytest.approx(170 * np.log(result.chisqr / 170) + varied * np.log(170))
    assert np.sqrt(result.redchi) == pytest.approx(NOISE, rel=0.2)
    np.testing.assert_allclose(result.model, one.impedance, rtol=0.01)
    taus = [result.params[f"tau{at}"].value for at in (2, 3, 4)]
    assert taus == sorted(taus)
    for name, value in truth.items():
        assert abs(result.params[name].value - value) < 5 * result.params[name].stderr


def test_the_criterion_chooses_the_number_of_arcs():
    chosen = [next(iter(fit.candidates(three_arcs(seed)[0], CIRCUITS))) for seed in range(6)]
    assert chosen.count("L-R-RQ-RQ-RQ") >= 5


def test_a_fit_does_not_depend_on_unit_or_order():
    one, _ = three_arcs(2)
    result = fit.fitted(one, "L-R-RQ-RQ-RQ")
    milli = fit.fitted(one.assign(impedance=1e3 * one.impedance), "L-R-RQ-RQ-RQ")
    turned = fit.fitted(one.isel(frequency=slice(None, None, -1)), "L-R-RQ-RQ-RQ")
    for name in ("R1", "R2", "R3", "R4"):
        assert milli.params[name].value == pytest.approx(1e3 * result.params[name].value, rel=2e-3)
        assert turned.params[name].value == pytest.approx(result.params[name].value, rel=2e-3)


def test_what_the_data_cannot_determine_has_no_bound():
    """An arc of 1e7 ohm that has hardly begun at 0.1 Hz: a capacitance, and no resistance that one could tell."""
    one = spectrum(50 + arc(300, 1e-3, 0.85) + arc(1e7, 3e3, 0.95), np.random.default_rng(0))
    result = fit.fitted(one, "R-RQ-RQ")
    interval = intervals.profile(result, "R2")
    assert interval.high is None
    assert interval.low > 1e5
    assert half_width(intervals.profile(result, "R1")) < 0.05


def test_what_vanishes_has_an_upper_bound_that_holds():
    """No inductance: the upper bound is what 0.2 % of the modulus hides, and an inductance beyond it is seen."""
    one = spectrum(50 + arc(300, 1e-3, 0.85), np.random.default_rng(4))
    found = intervals.profile(fit.fitted(one, "L-R-RQ"), "L0")
    assert found.low is None or found.low < found.value
    assert 0 < found.high < 5e-8
    seen = intervals.profile(fit.fitted(spectrum(one.impedance.to_numpy() + 2e-7 * S), "L-R-RQ"), "L0")
    assert seen.low > 0 and covers(seen, 2e-7)


def test_without_noise_to_speak_of_intervals_shrink_to_the_values():
    rng = np.random.default_rng(0)
    z = (CABLE * S + 70 + spread(200, 1e-3, 0.5)) * (1 + 1e-5 * rng.normal(size=S.size))
    for part, value in {"electrolyte": 70, "interface": 200, "total": 270}.items():
        _, low, high = bounds.of_part(FREQUENCY, z, 1 / np.abs(z), part, BOUNDARY, ())
        assert low / value < 1 + 1e-5 and high / value > 1 - 1e-5  # eight time constants a decade
        assert low == pytest.approx(high, rel=2e-3)
    result = fit.fitted(spectrum(60 + arc(300, 1e-3, 0.85)), "R-RQ")
    assert tuple(intervals.profile(result, "R1")) == pytest.approx((300, 300, 300), rel=1e-3)


def test_bounds_hold_any_distribution():
    """The spectrum of an arc is that of its distribution: the bounds hold the arc's resistance too."""
    one, truth = three_arcs(3)
    z = one.impedance.to_numpy()
    _, low, high = bounds.of_part(FREQUENCY, z, 1 / np.abs(z), "total", BOUNDARY, ())
    assert low < sum(truth.values()) < high
    assert bounds.of_part(
        FREQUENCY, z + 1 / (1e-5 * S), 1 / np.abs(z), "interface", BOUNDARY, {fit.Tail("Q")}
    ) == Interval(None)


def test_slopes_of_a_parts_resistance_are_its_differences():
    values = {"R0": 50.0, "R1": 20.0, "tau1": 2e-6, "n1": 0.9, "R2": 300.0, "tau2": 1e-3, "n2": 0.8}
    values |= {"R3": 40.0, "tau3": 1e-3, "n3": 0.9, "Rion3": 90.0}
    for part in ("electrolyte", "interface", "total"):
        _, slopes = fit.resistance("R-RQ-RQ-T", values, part, BOUNDARY, 2e-3)
        for name in values:
            up, down = (
                fit.resistance("R-RQ-RQ-T", values | {name: values[name] * np.exp(step)}, part, BOUNDARY, 2e-3)[0]
                for step in (1e-6, -1e-6)
            )
            assert slopes.get(name, 0.0) == pytest.approx((up - down) / 2e-6, abs=1e-5)
    parts = [fit.resistance("R-RQ-RQ-T", values, part, BOUNDARY)[0] for part in ("electrolyte", "interface", "total")]
    assert parts[0] + parts[1] == pytest.approx(parts[2]) == 370 + (40 * 90) ** 0.5 / np.tanh(1.5)


def test_residuals_alike_count_as_fewer_points():
    rng = np.random.default_rng(0)
    white = rng.normal(size=2000)
    assert fit.effective_points(white) == pytest.approx(2000, rel=0.1)
    alike = np.convolve(rng.normal(size=2003), np.ones(4) / 2, "valid")  # each shares 3/4, 1/2, 1/4 with its next: 4
    assert fit.effective_points(alike) == pytest.approx(500, rel=0.25)


def test_misfit_is_a_share_of_the_modulus():
    one = spectrum(60 + arc(300, 1e-3, 0.85))
    result = fit.fitted(one, "R-RQ")
    result.impedance = result.impedance * np.where(np.arange(FREQUENCY.size) == 40, 1.03, 1.0)
    rms, largest = fit.misfit(result)
    assert largest == pytest.approx(100 * 0.03 / 1.03, rel=1e-3)
    assert rms == pytest.approx(largest / np.sqrt(2 * FREQUENCY.size), rel=1e-3)


def test_measured_deviations_weigh_the_points():
    """A decade that is ten times as noisy, and said to be, does not spoil the rest."""
    rng = np.random.default_rng(7)
    z = 60 + arc(300, 1e-3, 0.85)
    size = 1e-3 * np.abs(z) * np.where(FREQUENCY < 1, 30, 1)
    noisy = z + size * (rng.normal(size=z.size) + 1j * rng.normal(size=z.size))
    one = spectrum(noisy).assign(impedance_std=("frequency", size))
    result = fit.fitted(one, "R-RQ", "measured")
    assert result.redchi == pytest.approx(1, abs=0.3)
    interval = intervals.profile(result, "R1")
    assert covers(interval, 300)
    assert half_width(interval) < half_width(intervals.profile(fit.fitted(one, "R-RQ"), "R1")) / 3


@pytest.mark.parametrize(
    ("circuit", "weighting", "points", "message"),
    [
        ("R-RQ", "square", 85, "'square' is unknown: use 'modulus', 'unit' or 'measured'"),
        ("R-RQ", "measured", 85, "needs the variable impedance_std"),
        ("R-ZARC", "modulus", 85, "'ZARC' is not an element"),
        ("L-R-RQ-RQ-RQ", "modulus", 6, "6 points are too few for the 11 parameters of L-R-RQ-RQ-RQ"),
    ],
)
def test_what_cannot_be_fitted_says_why(circuit, weighting, points, message):
    one = spectrum(60 + arc(300, 1e-3, 0.85)).isel(frequency=slice(points))
    with pytest.raises(ValueError, match=message):
        fit.fitted(one, circuit, weighting)


def tail(kind, size, tau=5.0):
    """Semi-infinite diffusion, and diffusion over a finite length, from their textbook expressions."""
    x = np.sqrt(S * tau)
    return {"W": size / np.sqrt(S), "Wo": size / np.tanh(x) / x, "Ws": size * np.tanh(x) / x}[kind]


@pytest.mark.parametrize(("kind", "size", "tau"), [("W", 100, 1), ("Wo", 150, 5), ("Wo", 150, 0.5), ("Ws", 150, 5)])
def test_the_default_circuits_hold_a_diffusion_tail(kind, size, tau):
    """Without diffusion in the circuits the interface had no bounds, or was as large as interface and diffusion."""
    z = CABLE * S + 60 + arc(12, 3e-7, 0.9) + arc(295, 1e-3, 0.85) + tail(kind, size, tau)
    results = fit.candidates(spectrum(z, np.random.default_rng(0)), circuits.SYMMETRIC)
    assert next(iter(results)) == f"L-R-RQ-RQ-{kind}"
    for part, truth in {"electrolyte": 72, "interface": 295, "total": 367}.items():
        interval = intervals.of_part(results, part, BOUNDARY, DRIFT)
        assert covers(interval, truth) and half_width(interval) < 0.03


def test_diffusion_is_tried_where_the_spectrum_has_not_ended():
    ended = three_arcs(0)[0]
    assert not fit.asks_for_diffusion(ended)
    assert [*fit.candidates(ended, ("L-R-RQ-D", "R-RQ"))] == ["R-RQ", "L-R-RQ"]
    rising = spectrum(60 + arc(295, 1e-3, 0.85) + tail("W", 20))
    assert fit.asks_for_diffusion(rising) and fit.asks_for_diffusion(rising.isel(frequency=slice(None, None, -1)))
    assert {*fit.candidates(rising, ("R-RQ-D",))} == {"R-RQ", "R-RQ-W", "R-RQ-Wo", "R-RQ-Ws"}


def test_circuits_that_are_too_large_are_named():
    one = spectrum(60 + arc(300, 1e-3, 0.85)).isel(frequency=slice(None, None, 15))  # 6 points, 12 numbers
    assert fit.too_large(one, ("L-R-RQ-D", "L-R-RQ-RQ-D", "L-R-RQ-RQ-RQ-D")) == ("L-R-RQ-RQ-RQ",)
    assert fit.too_large(one.isel(frequency=slice(3)), ("L-R-RQ-RQ-D",)) == ()


def test_a_porous_electrode_is_fitted_and_counts_to_the_interface():
    line = np.sqrt(90 * arc(40, 0.03, 0.9)) / np.tanh(np.sqrt(90 / arc(40, 0.03, 0.9)))
    truth = {"R1": 20, "R2": 50, "R3": 40, "tau3": 0.03, "Rion3": 90}
    whole = np.sqrt(40 * 90) / np.tanh(np.sqrt(90 / 40))
    hits = []
    for seed in range(6):
        one = spectrum(CABLE * S + 20 + arc(50, 1e-4, 0.85) + line, np.random.default_rng(seed))
        result = fit.fitted(one, "L-R-RQ-T")
        hits += [covers(intervals.profile(result, name), value) for name, value in truth.items()]
        interval = intervals.of_part({result.circuit: result}, "interface", BOUNDARY, DRIFT)
        hits.append(covers(interval, 50 + whole))
        assert half_width(interval) < 0.05
    assert sum(hits) >= 32  # of 36


def test_a_resistance_that_no_circuit_holds_has_no_value_but_an_upper_bound():
    one = spectrum(CABLE * S + 60 + arc(30, 3e-7, 0.9), np.random.default_rng(0))
    value, low, high = intervals.of_part(fit.candidates(one, ("L-R-RQ",)), "interface", 1e-4)
    assert value is None and low is None and 0 < high < 2
