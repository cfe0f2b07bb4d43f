"""Breadths of samples and shifts of reflections against patterns whose broadening, lattice and height are known."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from scipy.special import voigt_profile

from coldbond.xrd import analysis, findings, line_broadening, pawley, plots, shift, single_peak
from coldbond.xrd.structures import STRUCTURES
from diffraction import GAUSSIAN, KALPHA1, RADIUS, instrument, pattern

GARNET = STRUCTURES["LLZTO"]


def renewed(made, fit, rng):
    """The pattern and its fit with new noise: what is fitted line by line needs no new whole-pattern fit."""
    counts = rng.poisson(np.maximum(made.intensity, 0)).astype(float)
    curves = fit.curves.assign(intensity=("two_theta", counts))
    return SimpleNamespace(curves=curves, reflections=fit.reflections, params=fit.params)


@pytest.fixture(scope="module")
def samples():
    """A broad and a narrow sample of the garnet and the standard, all exact, with a whole-pattern fit of each."""
    made = {
        "broad": pattern([(GARNET, 900.0, 0.15, 0.10)]),
        "narrow": pattern([(GARNET, 900.0, 0.03, 0.04)]),
        "standard": pattern([(STRUCTURES["Si"], 2000.0, 0.0, 0.0)]),
    }
    phases = {"broad": GARNET, "narrow": GARNET, "standard": STRUCTURES["Si"]}
    return {name: (made[name], pawley.fit(made[name], phases[name])) for name in made}


def true_breadth(found, size, strain, gaussian=1e-6):
    """Mean integral breadth of the sample's Voigt profiles over the lines that count."""
    theta = np.radians(line_broadening.usable_lines(found).two_theta.to_numpy()) / 2
    gamma = (size / np.cos(theta) + strain * np.tan(theta)) / 2
    return float(np.mean(1 / voigt_profile(0.0, gaussian / 2.354820045, gamma)))


def test_breadths_without_the_instrument_are_the_samples(samples):
    for name, size, strain in (("broad", 0.15, 0.10), ("narrow", 0.03, 0.04)):
        found = single_peak.fit_reflections(*samples[name])
        value, low, high = line_broadening.mean_breadth(found, instrument())
        truth = true_breadth(found, size, strain)
        assert low < high
        assert value == pytest.approx(truth, rel=0.03)  # a pseudo-Voigt function is a Voigt function within a per cent


def test_ratio_of_breadths_covers_the_truth(samples):
    rng, inside, ratios = np.random.default_rng(0), 0, []
    for _ in range(20):
        broad, narrow = (
            single_peak.fit_reflections(samples[name][0], renewed(*samples[name], rng)) for name in ("broad", "narrow")
        )
        value, low, high = line_broadening.breadth_ratio(broad, narrow, instrument())
        truth = true_breadth(broad, 0.15, 0.10) / true_breadth(narrow, 0.03, 0.04)
        inside += low <= truth <= high
        ratios.append(value)
    assert inside >= 17
    assert np.mean(ratios) == pytest.approx(truth, rel=0.04)


def test_an_uncertain_instrument_widens_the_interval(samples):
    found = [single_peak.fit_reflections(*samples[name]) for name in ("broad", "narrow")]
    known, vague = (line_broadening.breadth_ratio(*found, instrument(error=error)) for error in (1e-6, 1e-3))
    assert not vague.is_bounded or vague.half_width > 1.5 * known.half_width


def test_a_sample_as_narrow_as_the_instrument_bounds_the_ratio_from_below_only(samples):
    found = [single_peak.fit_reflections(*samples[name]) for name in ("broad", "narrow")]
    as_broad = instrument(error=1e-3, lorentzian=(0.04, 0.02))
    value, low, high = line_broadening.breadth_ratio(*found, as_broad)
    assert high is None
    assert 1 < low <= value


def test_the_standard_gives_the_instrument(samples):
    found = single_peak.fit_reflections(*samples["standard"])
    np.testing.assert_allclose(found.parts[:, 0], GAUSSIAN**2, rtol=0.05)
    np.testing.assert_allclose(found.parts[:, 1], 0, atol=0.003)
    bragg = 2 * np.degrees(np.arcsin(KALPHA1 / 2 / 5.43118 * np.sqrt([3, 8, 11])))
    np.testing.assert_allclose(found.two_theta, bragg, atol=0.002)


def test_without_a_standard_the_findings_say_so(samples):
    found = {name: single_peak.fit_reflections(*samples[name]) for name in ("broad", "narrow")}
    analyses = {name: SimpleNamespace(pattern=samples[name][0]) for name in found}
    rows = findings.broadening_findings(found, analyses, None)
    assert all("no standard was recorded" in row["note"] for row in rows)
    (decision,) = [row for row in rows if row["quantity"] == "broader_than_narrow"]
    assert decision["value"] is True
    assert {row["state"] for row in rows} == {"pristine"}
    (bare,) = [row["value"] for row in rows if row["quantity"] == "breadth_over_narrow"]
    with_instrument = line_broadening.breadth_ratio(found["broad"], found["narrow"], instrument()).value
    assert bare < with_instrument  # the instrument's part makes samples look more alike
    swapped = findings.broadening_findings(dict(reversed(found.items())), analyses, None)
    assert [row["value"] for row in swapped if row["quantity"] == "broader_than_broad"] == [False]


def test_samples_without_a_common_line_are_said(samples):
    garnet, silicon = (single_peak.fit_reflections(*samples[name]) for name in ("broad", "standard"))
    with pytest.raises(ValueError, match="no reflection in common"):
        line_broadening.breadth_ratio(garnet, silicon)


LITHIUM = STRUCTURES["Li"]


def foil(a, displacement, rng=None, state="before"):
    structure = replace(LITHIUM, cell=(a, a, a, 90.0, 90.0, 90.0))
    options = dict(low=30.0, high=92.0, displacement=displacement, sample="Li", state=state, background=(30.0, 20.0))
    return pattern([(structure, 2500.0, 0.04, 0.06)], rng=rng, **options)


def moved(strain, height, rng, error=0.002):
    """Shifts of five lines for a change of lattice and of height [mm], with noise."""
    two_theta = np.array([36.1, 52.0, 65.0, 76.6, 87.6])
    theta = np.radians(two_theta) / 2
    true = np.degrees(-2 * np.tan(theta) * strain - 2 * height * np.cos(theta) / RADIUS)
    values = {"two_theta": two_theta, "shift": true + rng.normal(0, error, 5), "shift_error": np.full(5, error)}
    return xr.Dataset({name: ("reflection", column) for name, column in values.items()})


def test_a_lowered_sample_is_not_called_a_lattice_change():
    rng = np.random.default_rng(0)
    called = [shift.is_lattice_change(shift.fit_models(moved(0.0, 0.2, rng), RADIUS)) for _ in range(200)]
    assert np.mean(called) < 0.05


def test_a_lattice_change_is_seen_on_top_of_a_lowered_sample():
    rng, inside, called = np.random.default_rng(1), [], []
    for _ in range(200):
        found = shift.fit_models(moved(1.5e-3, 0.1, rng), RADIUS)
        called.append(shift.is_lattice_change(found))
        inside.append(found["both"].strain.low <= 1.5e-3 <= found["both"].strain.high)
        inside.append(found["both"].displacement.low <= 0.1 <= found["both"].displacement.high)
    assert np.mean(called) > 0.95
    assert 0.92 < np.mean(inside) < 0.995


def test_one_line_cannot_tell():
    one = moved(1e-3, 0.0, np.random.default_rng(0)).isel(reflection=[0])
    with pytest.raises(ValueError, match="two are needed"):
        shift.fit_models(one, RADIUS)


@pytest.mark.parametrize(("a", "height", "expanded"), [(3.5155, 0.15, True), (3.51, 0.25, False)])
def test_shift_of_lithium_from_patterns(a, height, expanded):
    rng = np.random.default_rng(5)
    found = {
        "Li, before": analysis.analyse(foil(3.51, 0.05, rng), "Li", []),
        "Li, after": analysis.analyse(foil(a, height, rng, "after"), "Li", []),
    }
    compared = shift.compare(found)
    rows = {row["quantity"]: row for row in findings.shift_findings(compared)}
    assert rows["lattice_expanded"]["value"] is expanded
    assert rows["reflection_shift"]["high"] < 0
    change = rows["lattice_parameter_change"]
    assert change["low"] <= a - 3.51 <= change["high"]
    assert list(findings.shift_table(compared)["model"]) == ["lattice alone", "height alone", "both"]
    fig = Figure()
    plots.draw_phases(fig, found, compared, "Li", [35.0, 37.0])
    texts = [text.get_text() for sub in fig.subfigs for ax in sub.axes for text in ax.texts]
    assert "Li, fitted" in texts


def test_one_pattern_alone_is_drawn():
    found = {"Li": analysis.analyse(foil(3.51, 0.05), "Li", [])}
    assert shift.compare(found) == {}
    assert findings.shift_findings({}) == []
    fig = Figure()
    plots.draw_phases(fig, found, {}, "Li", [35.0, 37.0])
    fig.canvas.draw()
