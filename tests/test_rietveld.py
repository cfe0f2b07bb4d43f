"""Weight fractions of weighed mixtures, from patterns of forward models that share nothing with the analysis."""

from dataclasses import replace

import numpy as np
import pytest

import independent
from coldbond.files import read
from coldbond.xrd import analysis, background, pawley, rietveld
from coldbond.xrd.agreement import agreement
from coldbond.xrd.findings import mixture_findings, mixture_table, pattern_findings
from coldbond.xrd.lattice import lattice_parameters
from coldbond.xrd.structure_files import Structures
from coldbond.xrd.structures import STRUCTURES
from diffraction import pattern
from independent import mixtures


def fitted(case, folder):
    """Return the pattern of a case and its Rietveld fit."""
    independent.write_raw(case, folder)
    scan = read(folder / "phase-1.csv").assign_attrs(sample="mixture", state="powder")
    stated, known = case.parameters, Structures(folder)
    phases = [known[name] for name in (stated["main"], *stated["looked_for"])]
    return scan, rietveld.fit(scan, phases, monochromator=stated.get("monochromator", 0.0))


@pytest.mark.parametrize("kind", mixtures.KINDS)
def test_intervals_hold_the_weighed_fractions(kind, tmp_path):
    case = mixtures.KINDS[kind](3)
    scan, found = fitted(case, tmp_path)
    for (*_, quantity), truth in case.truths.items():
        share = found.shares[quantity.removesuffix("_weight_fraction")]
        assert share.low <= truth <= share.high and share.high - share.low < 15, quantity
    assert sum(share.value for share in found.shares.values()) == pytest.approx(100)
    rows = {row["quantity"]: row for row in mixture_findings({"mixture": found})}
    assert set(rows) == {quantity for *_, quantity in case.truths}
    assert "amorphous" in rows["corundum_weight_fraction"]["note"]
    table = mixture_table({"mixture": found})["mixture"]
    fit = agreement(scan, found.fit)
    assert f"Rwp {fit.weighted:.3g} %" in table["Rietveld fit"] and "wt%" in table["zincite"]


def test_cells_beside_a_stronger_phase():
    lithium, indium = STRUCTURES["Li"], STRUCTURES["In"]
    larger = replace(lithium, cell=(3.516, 3.516, 3.516, 90, 90, 90))
    longer = replace(indium, cell=(3.2465, 3.2465, 4.956, 90, 90, 90))
    made = [(larger, 300.0, 0.05, 0.02), (longer, 900.0, 0.08, 0.05)]
    scan = pattern(made, 28, 100, 0.03, displacement=0.08, rng=np.random.default_rng(6))
    found = rietveld.fit(scan, [lithium, indium])
    for name, truth in (("a_0", 3.516), ("a_1", 3.2465), ("c_1", 4.956)):
        param = found.fit.params[name]
        assert abs(param.value - truth) < 3 * param.stderr < 2e-3
    beside = found.beside()[1]
    assert beside.name == "In" and beside.cell[2] == pytest.approx(4.956, abs=1e-3)
    # The strongest line of the pattern is not of the main phase.
    analysed = analysis.analyse(scan, "Li", ["In"], mixture=found)
    _, low, high = lattice_parameters(analysed.fits).intervals["a"]
    assert low <= 3.516 <= high and high - low < 0.003
    rows = pattern_findings({"A": analysed}, "Li", mixtures={"A": found})
    assert [row["note"][:8] for row in rows if row["quantity"] == "In_weight_fraction"] == ["Rietveld"]
    (fit,) = [row for row in rows if row["quantity"] == "weighted_profile_residual"]
    assert fit["value"] == pytest.approx(agreement(scan, analysed.fit).weighted, rel=0.01)


def test_a_phase_that_is_not_there_has_an_upper_limit():
    silicon, lab6 = STRUCTURES["Si"], STRUCTURES["LaB6"]
    made = pattern([(lab6, 600.0, 0.04, 0.02)], 18, 95, 0.03, rng=np.random.default_rng(1))
    found = rietveld.fit(made, [replace(each, uncertainty=0.002) for each in (lab6, silicon)])
    value, low, high = found.shares["Si"]
    assert value is None and low == 0 and high is not None and high < 3
    assert found.shares["LaB6"].high == 100 and found.shares["LaB6"].low > 97
    (row,) = [row for row in mixture_findings({"A": found}) if row["quantity"] == "Si_weight_fraction"]
    assert row["value"] is None and row["note"].startswith("95 % upper limit")


def test_phases_of_another_sample_are_refused():
    made = pattern([], 18, 60, 0.05, rng=np.random.default_rng(2))
    with pytest.raises(ValueError, match=r"none of the phases LaB6, Si .*: name those of the mixture"):
        rietveld.fit(made, [STRUCTURES["LaB6"], STRUCTURES["Si"]])


def test_scatter_of_the_lines_widens_the_interval():
    rng, covariance = np.random.default_rng(0), np.diag(np.full(12, 0.01**2))
    held = 0
    for _ in range(300):
        own = 1 + rng.normal(0, 0.1, 12) + rng.normal(0, 0.01, 12)
        scale, variance, *_ = rietveld._random_effects(own, covariance, 1.0)
        held += abs(scale - 1) < 1.96 * np.sqrt(variance + 0.01**2 / 12)
    assert 0.92 < held / 300 < 0.98
    assert rietveld._random_effects(np.ones(12), covariance, 1.0)[1:3] == (0.0, 0.0)
    # Two lines say nothing of their scatter: an ordinary one is assumed.
    assert rietveld._random_effects(np.ones(2), covariance[:2, :2], 1.0)[2] == rietveld.UNKNOWN_SCATTER


def test_microabsorption_weakens_the_phase_that_absorbs_more():
    weights, absorption = np.array([50.0, 50.0]), np.array([10.0, 50.0])  # 1/mm
    fine, coarse = (rietveld._shares(weights, np.eye(2) * 1e-6, absorption, size) for size in (0.0, 5.0))
    # Brindley's table: a particle of (mu - mean) R = 0.05 transmits 0.93 of its intensity; -0.05, 1.077.
    expected = 100 / (1 + 0.93 / 1.077)
    assert fine[1][0] == pytest.approx(50) and coarse[1][0] == pytest.approx(expected, abs=0.2)


def test_the_number_of_polynomials_is_that_of_the_background():
    def humps(two_theta, counts):
        return counts + 300 * np.sin(two_theta / 4) + 300

    flat = pattern([(STRUCTURES["Li"], 600.0, 0.05, 0.02)], 25, 80, 0.03, rng=np.random.default_rng(3))
    made = pattern([(STRUCTURES["Li"], 600.0, 0.05, 0.02)], 25, 80, 0.03)
    expected = humps(made.two_theta.to_numpy(), made.intensity.to_numpy())
    wavy = flat.assign(intensity=flat.intensity.copy(data=np.random.default_rng(4).poisson(expected)))
    plain, undulating = (
        pawley.fit(one, STRUCTURES["Li"], start=pawley.fit(one, STRUCTURES["Li"], rough=True)) for one in (flat, wavy)
    )
    assert plain.background_terms <= 6 < background.DEFAULT < undulating.background_terms
    assert undulating.redchi < 1.1
    assert pawley.fit(wavy, STRUCTURES["Li"], background=8).redchi > 2


def test_an_unknown_counting_has_no_expected_residual():
    made = pattern([(STRUCTURES["Li"], 600.0, 0.05, 0.02)], 30, 60, 0.05, rng=np.random.default_rng(5))
    known = agreement(made, fit := pawley.fit(made, STRUCTURES["Li"]))
    assert known.reduced_chi_square == pytest.approx((known.weighted / known.expected) ** 2)
    assert agreement(made.drop_vars("one_count"), fit)[1:] == (None, None)
