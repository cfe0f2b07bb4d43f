"""Rate tests of cells with known capacities, for what is found and for how it is drawn."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from coldbond.bundle import figures, raw
from coldbond.cells import capacity, rate
from coldbond.cells.findings import rate as rate_findings
from coldbond.cells.plots import rate as rate_plots
from coldbond.interval import NORMAL
from full_cells import full_cell

STEPS = ((0.2, 165.5), (0.5, 153.9), (1.0, 130.5), (0.2, 164.0))  # C, mAh/g


def rate_test(steps=STEPS, *, each=5, scatter=0.0, seed=0, **options):
    rates, capacities = (np.repeat([step[i] for step in steps], each) for i in (0, 1))
    capacities = capacities * (1 + scatter * np.random.default_rng(seed).standard_normal(rates.size))
    halves = np.column_stack([capacities / 0.998, capacities]).ravel()
    gaps = np.repeat(0.02 + 0.2 * rates, 2)
    return full_cell(halves, c_rate=np.repeat(rates, 2), polarization=gaps, **{"points": 30} | options)


def analysed(recording, **options):
    table = capacity.cycles(recording)
    found = rate.discharges(table, **options)
    levels = rate.plateaus(found)
    return table, found, levels, rate.fits(levels)


def rows(recording, **options):
    _, found, levels, fitted = analysed(recording, **options)
    return {row["quantity"]: row for row in rate_findings.findings(levels, found, fitted)}


def test_capacity_and_polarisation_at_each_rate():
    _, found, levels, _ = analysed(rate_test())
    assert levels.label.to_numpy().tolist() == ["0.2C", "0.5C", "1C", "0.2C"]
    assert levels.again.to_numpy().tolist() == [False, False, False, True]
    assert levels.cycles.to_numpy().tolist() == [5, 5, 5, 5]
    np.testing.assert_allclose(levels.capacity, [165.5, 153.9, 130.5, 164.0], atol=0.02)
    np.testing.assert_allclose(levels.polarization, [0.06, 0.12, 0.22, 0.06], atol=2e-4)
    np.testing.assert_allclose(levels.rate, 170 * np.array([0.2, 0.5, 1, 0.2]) / levels.capacity, rtol=2e-3)
    assert not found.outlier.any()


def test_findings_hold_the_truth():
    found = rows(rate_test(scatter=0.001, state="rates"))
    for quantity, truth in (
        ("discharge_capacity_0.2C", 165.5),
        ("discharge_capacity_0.5C", 153.9),
        ("discharge_capacity_1C", 130.5),
        ("discharge_capacity_0.2C_again", 164.0),
        ("capacity_recovery", 100 * 164 / 165.5),
        ("polarization_1C", 220),
    ):
        assert found[quantity]["low"] <= truth <= found[quantity]["high"], quantity
        assert (found[quantity]["sample"], found[quantity]["state"]) == ("A", "rates")
    wide, narrow = found["discharge_capacity_1C"], found["capacity_recovery"]
    assert (wide["high"] - wide["low"]) / 2 == pytest.approx(NORMAL * 0.02 * 130.5, rel=0.05)  # the mass
    assert narrow["high"] - narrow["low"] < 0.8  # which cancels here


def test_three_rates_are_said_not_to_determine_three_parameters():
    found = rows(rate_test(scatter=0.0005))
    for quantity in ("low_rate_capacity", "characteristic_time", "rate_exponent"):
        assert (found[quantity]["value"], found[quantity]["low"], found[quantity]["high"]) == (None, None, None)
        assert [(one["name"], one["value"]) for one in found[quantity]["evidence"]] == [("number of rates", 3)]
        assert "too few rates" in found[quantity]["note"]
    for exponent, process in ((0.5, "diffusion"), (1, "resistance")):
        row = found[f"characteristic_time_n_{exponent}"]
        assert (row["evidence"][0]["name"], row["evidence"][0]["value"]) == ("exponent held at", exponent)
        assert f"{process} alone limits" in row["note"]
    assert found["characteristic_time_n_1"]["unit"] == "s"


def test_six_rates_determine_them_whatever_the_mass():
    steps = [(0.2, 161.4), (0.5, 158.1), (1, 153.5), (2, 145.7), (5, 124.9), (10, 94.9)]  # tau 0.02 h, n 0.7, 165 mAh/g
    found = rows(rate_test(steps, each=1))
    assert found["characteristic_time"]["low"] < 72 < found["characteristic_time"]["high"]
    assert found["rate_exponent"]["low"] < 0.7 < found["rate_exponent"]["high"]
    assert found["low_rate_capacity"]["low"] < 165 < found["low_rate_capacity"]["high"]
    assert found["capacity_recovery"]["value"] is None
    assert "a single cycle" in found["discharge_capacity_1C"]["note"]
    without = rows(rate_test(steps, each=1, mass=None))
    assert without["characteristic_time"]["value"] == pytest.approx(found["characteristic_time"]["value"], abs=0.05)
    assert without["low_rate_capacity"]["unit"] == "mAh"
    assert "discharge_capacity_0.17_mA" in without  # 170 mA/g on the helper's 1 mg, and no C-rate without a mass


def test_more_than_the_nominal_capacity_is_said_to_be_extrapolated():
    steps = [(0.2, 161.4), (0.5, 158.1), (1, 153.5), (2, 145.7), (5, 124.9), (10, 94.9)]
    assert "extrapolates" not in rows(rate_test(steps, each=1))["low_rate_capacity"]["note"]
    high = rows(rate_test([(c, 1.1 * q) for c, q in steps], each=1))
    assert high["low_rate_capacity"]["note"].endswith("more than the nominal capacity: the model extrapolates")
    assert high["low_rate_capacity"]["evidence"][-1]["value"] == 170


def test_outliers_are_left_out_and_said():
    rng = np.random.default_rng(2)
    capacities = np.repeat([165.5, 153.9, 130.5], 6) * (1 + 0.0005 * rng.standard_normal(18))
    capacities[6] *= 0.95  # the first at 0.5C
    capacities[15] *= 1.04
    halves = np.column_stack([capacities / 0.998, capacities]).ravel()
    recording = full_cell(halves, c_rate=np.repeat([0.2, 0.5, 1.0], 12), points=30)
    _, found, levels, _ = analysed(recording)
    assert found.cycle[found.outlier.to_numpy()].to_numpy().tolist() == [7, 16]
    assert levels.cycles.to_numpy().tolist() == [6, 5, 5]
    np.testing.assert_allclose(levels.capacity, [165.5, 153.9, 130.5], rtol=1e-3)
    said = rows(recording)
    for quantity, cycle in (
        ("discharge_capacity_0.5C", "7 (the first at this rate, which has not settled)"),
        ("discharge_capacity_1C", "16"),
    ):
        outlier = said[quantity]["evidence"][-1]
        assert (outlier["name"], outlier["value"]) == ("outlier, left out: cycle", cycle)


@pytest.mark.parametrize("each", [3, 5, 10])
def test_intervals_of_a_plateau_cover_the_truth(each):
    """Without what all capacities share. Every rate of every test is one trial."""
    table = capacity.cycles(rate_test(each=each))
    truth = np.repeat([165.5, 153.9, 130.5, 164.0], each)
    rng = np.random.default_rng(each)
    trials, covered = 0, 0
    for _ in range(60):
        one = table.copy()
        one["capacity"] = table.capacity.copy()
        one.capacity.loc[{"half": "discharge"}] = truth * (1 + 0.002 * rng.standard_normal(truth.size))
        levels = rate.plateaus(rate.discharges(one))
        covered += int((np.abs(levels.capacity - truth[::each]) <= levels.capacity_half_width).sum())
        trials += levels.sizes["group"]
    assert 0.90 <= covered / trials <= 0.99


def test_discharges_without_any_charge():
    recording = rate_test([(0.2, 165.5), (0.5, 153.9), (1.0, 130.5), (2.0, 110.0)], each=1)
    recording = recording.sel(record=recording.current <= 0)
    found = rows(recording)
    assert found["discharge_capacity_2C"]["value"] == pytest.approx(110, abs=0.1)
    assert found["polarization_2C"]["value"] is None
    assert found["polarization_2C"]["note"] == "no charge was recorded"
    assert found["rate_exponent"]["value"] is None or found["rate_exponent"]["high"] > found["rate_exponent"]["low"]


def test_a_single_rate():
    _, found, levels, fitted = analysed(rate_test([(0.2, 165.5)]))
    assert fitted == {}
    said = {row["quantity"]: row for row in rate_findings.findings(levels, found, fitted)}
    assert said["rate_exponent"]["evidence"][0]["value"] == 1
    assert said["rate_exponent"]["note"].startswith("too few rates")


def test_c_rate_follows_the_nominal_capacity():
    table = capacity.cycles(rate_test())
    levels = rate.plateaus(rate.discharges(table, nominal_capacity=340.0))
    assert levels.label.to_numpy().tolist() == ["0.1C", "0.25C", "0.5C", "0.1C"]


def test_table_of_the_rates():
    *_, levels, _ = analysed(rate_test())
    table = rate_findings.table({"A": levels})
    assert table.index.tolist() == [("A", "0.2C"), ("A", "0.5C"), ("A", "1C"), ("A", "0.2C")]
    assert table["capacity"].str.startswith(("165.5", "153.9", "130.5", "164.0")).all()
    assert table["discharge takes"].iloc[2] == f"{60 * 130.5 / 170:.1f} min"


def test_three_panels_for_each_cell():
    six = [(0.2, 161.4), (0.5, 158.1), (1, 153.5), (2, 145.7), (5, 124.9), (10, 94.9)]
    cells = {"A": rate_test(), "B": rate_test(six, each=1, mass=None).assign_attrs(sample="B")}
    tests = {label: rate.analyse(cell) for label, cell in cells.items()}
    with figures.new(width="double", height=rate_plots.height(tests)) as fig:
        rate_plots.draw(fig, cells, tests)
    fig.canvas.draw()
    assert [ax.get_xlabel() for ax in fig.axes[:3]] == [
        "Cycle number",
        "Specific capacity / mAh g⁻¹",
        "Rate / h⁻¹",
    ]
    assert fig.axes[3].get_ylabel() == "Capacity / mAh"
    assert sorted(text.get_text() for text in fig.axes[0].texts) == ["0.2C", "0.2C", "0.5C", "1C"]
    assert [text.get_text() for text in fig.axes[1].get_legend().get_texts()] == ["0.2C", "0.5C", "1C"]
    assert sum("held" in text.get_text() for text in fig.axes[2].get_legend().get_texts()) == 2
    assert len(fig.axes[5].collections) >= 1  # the band of the free fit
    colors = [line.get_color() for line in fig.axes[0].lines if len(line.get_xdata())]
    assert colors[0] == colors[3] != colors[1]


def test_a_rate_that_was_not_repeated_is_drawn_without_a_model():
    *_, levels, fitted = analysed(rate_test([(0.2, 165.5), (1.0, 130.5)]))
    ax = Figure().add_subplot()
    rate_plots.plot_model(ax, {"A": levels}, {"A": fitted})
    assert ax.get_legend() is None


def test_the_bundles_recording_gives_the_papers_numbers_back():
    """Closure: the twin wrote it from 165.5, 153.9 and 130.5 mAh/g at 0.2, 0.5 and 1C."""
    (recording,) = raw.recordings("rate", ["RT-MCL-LLZ"]).values()
    table = capacity.cycles(recording, mass_uncertainty=0.0, current_uncertainty=0.0)
    levels = rate.plateaus(rate.discharges(table))
    assert levels.label.to_numpy().tolist() == ["0.2C", "0.5C", "1C", "0.2C"]
    truth = np.array([165.5, 153.9, 130.5, 165.5])
    assert (np.abs(levels.capacity - truth) <= levels.capacity_half_width).all()
    assert (levels.capacity_half_width < 0.5).all()
