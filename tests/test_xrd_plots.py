"""The figures of powder patterns: what is drawn is what was found, readable with one to eight samples."""

from dataclasses import replace

import numpy as np
import pytest

from coldbond.bundle import conditions, figures
from coldbond.bundle.style import MM
from coldbond.xrd import analysis, findings, line_broadening, plots, shift, single_peak
from coldbond.xrd.plots import patterns
from coldbond.xrd.structures import STRUCTURES
from diffraction import pattern
from drawn import collisions, named, unnamed

NAMES = ("Li", "InN-LLZ", "HT-MCL-LLZ", "RT-MCL-LLZ", "Li6.4La3Zr1.4Ta0.6O12 sintered at 1200 C", "Probe ß",
         "sample_with_underscores_and_a_long_name_2026-11", "x")  # fmt: skip
LITHIUM = STRUCTURES["Li"]


def foil(a: float = 3.51, seed: int = 0, area: float = 300.0, **named) -> analysis.Analysis:
    """Return a foil of lithium with some indium beside it."""
    phases = [(replace(LITHIUM, cell=(a, a, a, 90, 90, 90)), area, 0.05, 0.02), (STRUCTURES["In"], area / 5, 0.2, 0.0)]
    made = pattern(phases, low=28.0, high=80.0, rng=np.random.default_rng(seed), displacement=0.05)
    return analysis.analyse(made.assign_attrs(replicate="", **named), "Li", ["In"])


@pytest.fixture(scope="module")
def two() -> list[analysis.Analysis]:
    return [foil(), foil(3.515, seed=1, area=900.0)]


def whose(found: analysis.Analysis, **attrs: str) -> analysis.Analysis:
    return replace(found, pattern=found.pattern.assign_attrs(**attrs))


def eight(two) -> dict[str, analysis.Analysis]:
    """Return both patterns under eight names, which saves six fits."""
    return {name: whose(two[i % 2], sample=name) for i, name in enumerate(NAMES)}


def phases_drawn(analyses, values=()):
    with figures.new("double", plots.height(analyses)) as fig:
        plots.draw_phases(fig, analyses, shift.compare(analyses), "Li", [35.0, 37.5], values)
    return fig


def broadening_drawn(analyses, hkl="110", values=()):
    lines = {label: single_peak.fit_reflections(one.pattern, one.fit) for label, one in analyses.items()}
    with figures.new("double", plots.height(analyses)) as fig:
        plots.draw_broadening(fig, analyses, lines, "Li", hkl, None, values)
    return fig


def test_artists_are_the_data(two):
    fig = phases_drawn(dict(list(eight(two).items())[:2]))
    assert not unnamed(fig)
    artists, curves = named(fig), two[1].fit.curves
    measured, enlarged = artists["_InN-LLZ, measured"]
    np.testing.assert_array_equal(np.asarray(measured.get_ydata()), curves.intensity.to_numpy())
    np.testing.assert_array_equal(np.asarray(artists["_InN-LLZ, fit"][0].get_ydata()), curves.fit.to_numpy())
    (background,) = artists["_InN-LLZ, background"]
    np.testing.assert_array_equal(np.asarray(background.get_ydata()), curves.background.to_numpy())
    (residual,) = artists["_InN-LLZ, residual"]
    expected = ((curves.intensity - curves.fit) / curves.standard_uncertainty).to_numpy()
    np.testing.assert_allclose(np.asarray(residual.get_ydata()), expected)
    assert enlarged.get_xdata()[0] >= 35.0 and enlarged.get_xdata()[-1] <= 37.5
    (shifts,) = artists["_InN-LLZ, shift"]
    compared = shift.compare(dict(list(eight(two).items())[:2]))["InN-LLZ"]
    np.testing.assert_allclose(np.asarray(shifts.lines[0].get_ydata()), compared.moved["shift"].to_numpy())


@pytest.mark.parametrize("n", [1, 3, 6, 8])
@pytest.mark.parametrize("draw", [phases_drawn, broadening_drawn])
def test_texts_stand_clear_of_each_other_on_one_page(two, n, draw):
    fig = draw(dict(list(eight(two).items())[:n]))
    assert fig.get_figheight() / MM <= 247
    assert not collisions(fig)


def test_replicates_lie_over_each_other_with_the_mean_of_the_lattice_parameter(two):
    cells = {
        f"S, replicate {i}": whose(
            foil(3.51 + 0.001 * i, seed=i, area=200.0 * i), sample="S", state="", replicate=str(i)
        )
        for i in (1, 2)
    }
    analyses = {"other": whose(two[0], sample="other", state=""), **cells}
    values = findings.pattern_findings(analyses, "Li")
    values += conditions.findings(values)
    (mean,) = [row for row in values if row["quantity"] == "lattice_parameter_a" and row.get("n")]
    assert mean["n"] == 2 and mean["low"] < 3.5115 < mean["high"] and "replicate" not in mean
    fig = phases_drawn(analyses, values)
    assert sum(text.get_text() == "S (n = 2)" for ax in fig.axes for text in ax.texts) == 1
    artists = named(fig)
    for label in cells:
        assert artists[f"_{label}, measured"][0].get_ydata().max() == 100  # the second was counted twice as long
    (bars,) = artists["_S, mean"]
    assert bars.lines[0].get_ydata() == pytest.approx([mean["value"]])
    assert "replicate 1" not in shift.compare(cells)  # replicates are not compared with each other
    assert not collisions(fig)


def test_a_reflection_that_a_pattern_does_not_reach_is_said(two):
    fig = broadening_drawn(dict(list(eight(two).items())[:2]), hkl="444")
    assert "no 444 in Li, InN-LLZ" in {text.get_text().replace("\n", " ") for ax in fig.axes for text in ax.texts}


def test_breadths_of_conditions_are_compared():
    cells = {
        f"{sample}, replicate {i}": whose(foil(seed=i + 5 * (sample == "b")), sample=sample, state="", replicate=str(i))
        for sample in ("a", "b")
        for i in (1, 2)
    }
    broadenings = line_broadening.of_samples(cells, None, 1000.0)
    rows = findings.broadening_findings(cells, broadenings, None) + findings.stray_comparison(cells)
    (ratio,) = [row for row in rows if row["quantity"].startswith("breadth_over")]
    assert ratio["quantity"] == "breadth_over_b" and "replicate" not in ratio
    (measured,) = ratio["evidence"]
    assert measured["low"] < 1 < measured["high"]
    assert [row["value"] for row in rows if row["quantity"] == "broader_than_b"] == [None]
    (strays,) = [row for row in rows if row["quantity"].startswith("more_stray")]
    assert strays["quantity"] == "more_stray_peaks_than_b" and strays["value"] is False


def test_patterns_of_nothing_are_refused_by_name():
    flat = pattern([], low=28.0, high=80.0)
    with pytest.raises(ValueError, match="the intensity is 200 at every angle"):
        analysis.analyse(flat.assign(intensity=0 * flat.intensity + 200), "Li", ["In"])
    noise = flat.assign(intensity=("two_theta", np.random.default_rng(0).poisson(200, flat.two_theta.size) * 1.0))
    with pytest.raises(ValueError, match="no line stands out of the noise"):
        analysis.analyse(noise.assign(intensity=noise.intensity.assign_attrs(flat.intensity.attrs)), "Li", ["In"])


def test_a_phase_without_a_line_in_a_short_range_is_undetermined():
    """A trial whose lines all lie beyond the ends has no pattern; a root finder met NaN there."""
    short = pattern([(LITHIUM, 300.0, 0.05, 0.02)], low=50.0, high=54.0, rng=np.random.default_rng(0))
    found = {"A": analysis.analyse(short, "Li", ["In", "InN", "Li2O", "Li3N"])}
    for row in findings.pattern_findings(found, "Li"):
        assert row["value"] is not False or "undetermined" not in str(row["evidence"])
    assert findings.phase_table(found).size


def test_tables_for_the_journal(two):
    tables = findings.journal_tables({"A": two[0]})
    (row,) = tables["patterns"].to_dict("records")
    assert row["a, low / Å"] < 3.51 < row["a, high / Å"]
    curves = two[0].fit.curves
    weighted = ((curves.intensity - curves.fit) / curves.standard_uncertainty) ** 2
    rwp = 100 * float(np.sqrt(weighted.sum() / ((curves.intensity / curves.standard_uncertainty) ** 2).sum()))
    assert row["Rwp / %"] == pytest.approx(rwp) and row["reduced chi square"] == two[0].fit.redchi
    (phase,) = tables["phases"].to_dict("records")
    assert phase["phase"] == "In" and phase["present"] == "yes" and 0 < phase["share, low / wt%"] < phase["share / wt%"]
    assert len(tables["peaks"]) == two[0].stray_peaks.sizes["peak"] and set(tables["peaks"]["explained by"]) == {"In"}
    assert "1 1 0" in set(tables["reflections"]["h k l"])


def test_indices_and_agreement_stand_on_the_pattern(two):
    fig = phases_drawn({"Li": two[0]})
    texts = [text.get_text() for text in fig.axes[1].texts + fig.axes[0].texts]
    assert "110" in texts and "200" in texts
    fit = two[0].fit
    (words,) = [text for text in texts if text.startswith("Rwp")]
    assert words.endswith(f"χ² {fit.redchi:.3g}")
    assert patterns.indices_text([1, -2, 0]) == "12̅0" and patterns.indices_text([0, 1, -10]) == "0 1 1̅0̅"


def test_phases_of_ones_own_have_colours_apart():
    names = ["zincite", "InN", "fluorite", "In", "rutile"]
    looks = [plots.shade(name, names) for name in names]
    assert len({color for color, _ in looks}) == len(names)
    assert looks[1] == plots.shade("InN")  # a built-in one keeps its own
    assert plots.formula("In2O3") == "In₂O₃"
