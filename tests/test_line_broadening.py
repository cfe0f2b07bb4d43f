"""Breadths of samples and shifts of reflections against patterns whose broadening, lattice and height are known."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from coldbond.files.spectrum import spectrum
from coldbond.xrd import analysis, findings, line_broadening, pawley, plots, sample_profile, shift
from coldbond.xrd.plots import comparisons
from coldbond.xrd.sample_profile import Shape
from coldbond.xrd.structures import STRUCTURES
from diffraction import GAUSSIAN, RADIUS, pattern
from independent import powder

INSTRUMENT = powder.Diffractometer(radius=RADIUS, slit=0.12, focus=0.03, divergence=0.4)
#: Samples by name: size [nm], strain, spread and power of the shape, highest count.
SAMPLES = {
    "fine": powder.Phase(powder.CRYSTALS["garnet"], size=30.0, strain=0.0, spread=0.5),
    "strained": powder.Phase(powder.CRYSTALS["garnet"], size=120.0, strain=3e-3, power=1.8),
    "coarse": powder.Phase(powder.CRYSTALS["garnet"], size=200.0, strain=1e-4, spread=0.2),
}


def recorded(phase, seed, sample="A", instrument=INSTRUMENT, **options):
    """Return a recording of the independent forward model as `raw.recordings` would."""
    two_theta, counts = powder.counted(seed, [phase], instrument, **options)
    names = (f"wavelength_kalpha{n}" for n in (1, 2))
    attrs = dict(zip(names, powder.WAVELENGTHS[instrument.anode], strict=True)) | {"goniometer_radius": RADIUS}
    made = spectrum(Path("made"), "xrd", two_theta, counts, one_count=1.0, attrs=attrs)
    return made.assign_attrs(sample=sample, state="pristine", file=f"{sample}.ras", sha256="0", origin="synthetic")


def true_breadth(phase, lines):
    return float(powder.integral_breadth(phase, lines.two_theta.to_numpy()).mean())


@pytest.fixture(scope="module")
def instrument():
    silicon = powder.Phase(powder.CRYSTALS["Si"], size=3000.0, strain=0.0)
    return pawley.instrument_profile(recorded(silicon, 1, height=3e4, depth=0.03), STRUCTURES["Si"])


@pytest.fixture(scope="module")
def fitted(instrument):
    """Each sample's recording and whole-pattern fit."""
    made = {name: recorded(phase, seed, name) for seed, (name, phase) in enumerate(SAMPLES.items(), start=2)}
    return {name: (one, pawley.fit(one, STRUCTURES["LLZTO"], instrument=instrument)) for name, one in made.items()}


@pytest.fixture(scope="module")
def broadenings(fitted, instrument):
    return {name: line_broadening.sample_broadening(*one, instrument, 1000.0) for name, one in fitted.items()}


def covered(interval, truth):
    return (interval.low or 0.0) <= truth <= (np.inf if interval.high is None else interval.high)


@pytest.mark.parametrize("name", SAMPLES)
def test_breadth_size_and_strain_of_a_sample(broadenings, name):
    found, phase = broadenings[name], SAMPLES[name]
    breadth = line_broadening.mean_breadth(found)
    assert covered(breadth, true_breadth(phase, found.lines))
    assert breadth.half_width < 0.25 * breadth.value
    assert covered(line_broadening.crystallite_size(found), phase.size)
    assert covered(line_broadening.microstrain(found), 100 * phase.strain)
    assert np.sum(np.abs(found.lines.breadth - found.lines.smooth) < 3 * found.lines.breadth_error) > 10


def test_ratio_of_breadths(broadenings):
    for one, other in (("fine", "strained"), ("coarse", "fine"), ("strained", "coarse")):
        ratio = line_broadening.breadth_ratio(broadenings[one], broadenings[other])
        lines = broadenings[one].lines
        assert covered(ratio, true_breadth(SAMPLES[one], lines) / true_breadth(SAMPLES[other], lines))
        assert ratio.half_width < 0.3 * ratio.value


def test_a_broad_and_weak_pattern_has_a_breadth_with_bounds(instrument):
    """It was 0.0 (0 to 85 000)."""
    phase = powder.Phase(powder.CRYSTALS["garnet"], size=15.0, strain=4e-3, spread=0.3)
    made = recorded(phase, 7, height=400.0)
    fit = pawley.fit(made, STRUCTURES["LLZTO"], instrument=instrument)
    found = line_broadening.sample_broadening(made, fit, instrument, 1000.0)
    breadth, truth = line_broadening.mean_breadth(found), true_breadth(phase, found.lines)
    assert covered(breadth, truth)
    assert 0.5 * truth < breadth.low < breadth.high < 2 * truth


def test_a_sample_as_narrow_as_the_standard_has_a_bound(instrument, broadenings):
    phase = powder.Phase(powder.CRYSTALS["garnet"], size=4000.0, strain=0.0)
    made = recorded(phase, 8)
    fit = pawley.fit(made, STRUCTURES["LLZTO"], instrument=instrument)
    found = line_broadening.sample_broadening(made, fit, instrument, 1000.0)
    assert covered(line_broadening.mean_breadth(found), true_breadth(phase, found.lines))
    ratio = line_broadening.breadth_ratio(broadenings["fine"], found)
    assert ratio.low > 5
    assert ratio.high is None or ratio.high > true_breadth(SAMPLES["fine"], found.lines) / true_breadth(
        phase, found.lines
    )


def test_small_crystallites_of_the_standard_widen_the_interval(instrument, fitted):
    near, far = (line_broadening.sample_broadening(*fitted["coarse"], instrument, size) for size in (1e4, 200.0))
    assert line_broadening.mean_breadth(far).half_width > 1.2 * line_broadening.mean_breadth(near).half_width


def test_profiles_of_samples_have_the_breadths_that_they_are_named_by():
    one = np.array([0.2])
    for spread in (0.1, 0.5):
        assert sample_profile.integral_breadth(one, 0 * one, Shape(spread, 1.5)) == pytest.approx(one, rel=0.01)
    for power in (1.0, 2.0):
        assert sample_profile.integral_breadth(0 * one, one, Shape(0.3, power)) == pytest.approx(one, rel=0.01)
    phase = powder.Phase(powder.CRYSTALS["garnet"], size=60.0, strain=2e-3, spread=0.4, power=1.3)
    theta = np.radians(50.0) / 2
    size, strain = np.degrees(0.1540593 / 60 / np.cos(theta)), np.degrees(4 * 2e-3 * np.tan(theta))
    found = sample_profile.integral_breadth(np.array([size]), np.array([strain]), Shape(0.4, 1.3))
    assert found == pytest.approx(powder.integral_breadth(phase, 50.0), rel=0.01)


def test_the_gaussian_width_of_a_standard():
    """Silicon has five lines: its Gaussian width came out 9 to 15 % small."""
    made = pattern([(STRUCTURES["Si"], 2000.0, 0.03, 0.0)], low=20.0, high=90.0, step=0.02)
    found = pawley.instrument_profile(made, STRUCTURES["Si"])
    values = dict(zip(found.names, found.values, strict=True))
    assert np.sqrt(values["w"]) == pytest.approx(GAUSSIAN, rel=0.05)


def whose(fitted):
    return {name: SimpleNamespace(pattern=made, fit=fit) for name, (made, fit) in fitted.items()}


def test_with_a_standard_the_findings_are_those_of_the_samples(fitted, broadenings, instrument):
    rows = findings.broadening_findings(whose(fitted), broadenings, instrument, williamson_hall=True)
    by = {(row["sample"], row["quantity"]): row for row in rows}
    assert by["fine", "broader_than_coarse"]["value"] is True
    for name, phase in SAMPLES.items():
        row = by[name, "crystallite_size"]
        assert row["low"] <= phase.size <= (row["high"] or np.inf)
    ax = Figure().subplots()
    comparisons.draw_williamson_hall(ax, broadenings, whose(fitted))
    points = {line.get_label(): line for line in ax.lines}["_fine, size and strain"]
    np.testing.assert_allclose(points.get_ydata(), 1e3 * 0.1540593 / 30, rtol=0.15)  # no strain: the same at all angles


def test_without_a_standard_a_breadth_has_a_bound_only(fitted, broadenings):
    bare = {
        name: (one, pawley.fit(one, STRUCTURES["LLZTO"])) for name, (one, _) in fitted.items() if name != "strained"
    }
    analyses = whose(bare)
    found = line_broadening.of_samples(analyses, None, 1000.0)
    rows = findings.broadening_findings(analyses, found, None, williamson_hall=True)
    assert all("no standard was recorded" in row["note"] for row in rows)
    by = {(row["sample"], row["quantity"]): row for row in rows}
    true = {name: true_breadth(SAMPLES[name], broadenings["fine"].lines) for name in analyses}
    for name, truth in true.items():
        row = by[name, "integral_breadth"]
        assert row["value"] is None
        assert truth < row["high"] < 0.15 + truth
        assert by[name, "crystallite_size"]["low"] < SAMPLES[name].size
        assert by[name, "microstrain"]["high"] > 100 * SAMPLES[name].strain
    ratio = by["fine", "breadth_over_coarse"]
    assert (ratio["value"], ratio["high"]) == (None, None)
    assert 1 < ratio["low"] < true["fine"] / true["coarse"]
    assert by["fine", "broader_than_coarse"]["value"] is True
    turned = findings.broadening_findings(dict(reversed(analyses.items())), found, None)
    assert [row["value"] for row in turned if row["quantity"] == "broader_than_fine"] == [False]


def test_samples_without_a_common_line_are_said(broadenings):
    fine, nothing = broadenings["fine"].lines, broadenings["coarse"].lines
    with pytest.raises(ValueError, match="no reflection in common"):
        line_broadening.common_lines(fine, nothing.assign_coords(hkl=nothing.hkl + "x"))


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


def test_a_standard_of_small_crystallites_is_refused(instrument):
    with pytest.raises(ValueError, match=r"standard_size is 250 nm.*leave it out of the manifest"):
        line_broadening.of_samples({}, instrument, 250.0)
    assert line_broadening.of_samples({}, instrument, 500.0) == {}
