"""Figures of cells with any number of samples and replicates, their tables, and cells that cannot be analysed."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cells import dataset, galvanostatic
from coldbond.bundle import conditions, figures, raw
from coldbond.cells import capacity, ccd, long_cycling, rate, shorts
from coldbond.cells.findings import ccd as ccd_findings
from coldbond.cells.findings import full_cell as full_cell_findings
from coldbond.cells.findings import half_cycles
from coldbond.cells.findings import long_cycling as long_cycling_findings
from coldbond.cells.findings import rate as rate_findings
from coldbond.cells.plots import ccd as ccd_plots
from coldbond.cells.plots import full_cell as full_cell_plots
from coldbond.cells.plots import layout
from coldbond.cells.plots import long_cycling as long_cycling_plots
from coldbond.cells.plots import rate as rate_plots
from full_cells import fading, full_cell

LONG = "LLZTO sintered at 1150 °C for 12 h under Ar, polished, sputtered with 50 nm InN"
SAMPLES = ["LLZ", "In-LLZ", LONG, "Li|LLZTO_5wt%Li3N_hot-pressed_2023-11-28_cell0042", "A", "B", "C", "D"]
RATES = np.repeat([0.1, 0.2, 0.5, 1.0, 0.1], 6)


@pytest.fixture(autouse=True)
def other_folder(monkeypatch):
    """As with another folder of recordings, whose samples have colours without a manifest."""
    monkeypatch.setattr(raw, "is_own", lambda: False)
    monkeypatch.setattr("coldbond.bundle.style.color", lambda sample: "#0072B2")


def recordings(make, samples, replicates=0) -> raw.Recordings:
    """Cells of samples, each by `make(number, sample=..., replicate=...)`; without replicates one of each sample."""
    found = {}
    for i, sample in enumerate(samples):
        for k in range(max(replicates, 1)):
            attrs = {"replicate": str(k + 1) if replicates else ""}
            label = f"{sample}, replicate {k + 1}" if replicates else sample
            found[label] = make(3 * i + k, sample=sample, file=f"{label}.csv", **attrs)
    return raw.Recordings(found)


def rising(number, **attrs):
    return galvanostatic(np.arange(0.1, 0.85, 0.1), hard=[0.5, 0.6, 0.8][number % 3], every=30.0, **attrs)


def steady(number, **attrs):
    return galvanostatic([0.5] * (12 + number % 3), every=60.0, resistance=90.0 + 10 * (number % 3), **attrs)


def cycled(number, **attrs):
    return full_cell(fading(6 - number % 2, 0.95, first=160.0 - number), points=20, **attrs)


def rated(number, **attrs):
    # Of a cell that the rate model describes: intervals that have no bound take ten times as long.
    capacities = np.repeat([160.15, 155, 140.38, 117.17, 159.75], 6) - number
    return full_cell(capacities, c_rate=RATES, points=20, **attrs)


def drawn_ccd(cells):
    steps = cells.analysed(ccd.steps)
    found = cells.analysed(ccd_findings.of_cell)
    values = [row for label in cells for row in found[label]]
    values += conditions.findings(values)
    with figures.new("double", ccd_plots.height(cells)) as fig:
        ccd_plots.draw(fig, cells, steps, values)
    return fig, values, half_cycles.table(cells.analysed(shorts.classify_segments))


def drawn_long(cells):
    halves = cells.analysed(long_cycling.half_cycles)
    found = cells.analysed(long_cycling_findings.of_cell, halves)
    values = [row for label in cells for row in found[label]]
    values += conditions.findings(values)
    pairs = {label: long_cycling.every_overpotential(halves[label]) for label in cells}
    with figures.new("double", long_cycling_plots.height(cells)) as fig:
        long_cycling_plots.draw(fig, cells, halves, pairs, [0.02, 0.5, 0.98])
    return fig, values, half_cycles.table({label: halves[label] for label in cells})


def drawn_full(cells, panel="capacity"):
    tables = cells.analysed(capacity.cycles)
    found = cells.analysed(full_cell_findings.of_cell, tables, panel)
    values = [row for label in cells for row in found[label]]
    values += conditions.findings(values)
    tables = {label: tables[label] for label in cells}
    width, height = full_cell_plots.size(panel, tables)
    with figures.new(width, height) as fig:
        full_cell_plots.draw(fig, panel, cells, tables, [1, 3, 5])
    return fig, values, full_cell_findings.every_cycle(tables)


def drawn_polarization(cells):
    return drawn_full(cells, "polarization")


def drawn_rate(cells):
    tests = cells.analysed(rate.analyse)
    found = cells.analysed(rate_findings.of_cell, tests)
    values = [row for label in cells for row in found[label]]
    values += conditions.findings(values)
    tests = {label: tests[label] for label in cells}
    with figures.new("double", rate_plots.height(tests)) as fig:
        rate_plots.draw(fig, cells, tests)
    return fig, values, rate_findings.every_cycle(tests)


FIGURES = {
    "fig4b": (drawn_ccd, rising),
    "fig4cd": (drawn_long, steady),
    "fig4f": (drawn_full, cycled),
    "figS18": (drawn_polarization, cycled),
    "fig4gh": (drawn_rate, rated),
}
every_figure = pytest.mark.parametrize(("draw", "make"), FIGURES.values(), ids=FIGURES)


def texts(fig) -> Iterator[tuple[str, object]]:
    """The texts of a figure that are drawn, with their boxes: titles, labels, ticks, legends, texts in panels."""
    FigureCanvasAgg(fig).draw()
    renderer = fig.canvas.get_renderer()
    for ax in fig.axes:
        some = [*ax.texts, ax.title, ax._left_title, ax._right_title, ax.xaxis.label, ax.yaxis.label]
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            some += [label for tick in ticks for label in (tick.label1, tick.label2) if label.get_visible()]
        if ax.get_legend():
            some += ax.get_legend().get_texts()
        for text in some:
            if text.get_visible() and text.get_text().strip():
                yield text.get_text(), text.get_window_extent(renderer)


def overlaps(one, other) -> bool:
    """Whether two boxes share more than 0.5 mm, the empty margin of a box of text."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    return min(width, min(one.y1, other.y1) - max(one.y0, other.y0)) > 2


@every_figure
@pytest.mark.parametrize("replicates", [0, 2])
def test_eight_samples_fit_on_a_page_and_no_text_lies_on_another(draw, make, replicates):
    fig, *_ = draw(recordings(make, SAMPLES, replicates))
    width, height = 25.4 * fig.get_size_inches()
    assert width <= 183.01
    assert height <= layout.PAGE
    found = list(texts(fig))
    colliding = [(one[0], other[0]) for one, other in itertools.combinations(found, 2) if overlaps(one[1], other[1])]
    assert colliding == []
    for text, box in found:
        assert box.x0 >= -0.5 and box.x1 <= fig.bbox.width + 0.5, text
        assert box.y0 >= -0.5 and box.y1 <= fig.bbox.height + 0.5, text


@every_figure
@pytest.mark.parametrize("count", [1, 3])
def test_fewer_samples_have_no_colliding_texts_either(draw, make, count):
    found = list(texts(draw(recordings(make, SAMPLES[:count]))[0]))
    assert [(a[0], b[0]) for a, b in itertools.combinations(found, 2) if overlaps(a[1], b[1])] == []


def line(ax, start):
    (found,) = [one for one in ax.lines if str(one.get_label()).startswith(start)]
    return found


def test_replicates_of_a_full_cell_are_thin_lines_and_their_mean():
    cells = recordings(cycled, ["A"], 3)
    fig, values, _ = drawn_full(cells)
    tables = [capacity.cycles(cell) for cell in cells.values()]
    ax = fig.axes[1]
    for label, table in zip(cells, tables, strict=True):
        own = line(ax, f"_{label}, discharge")
        assert own.get_linewidth() < 0.5
        assert own.get_ydata() == pytest.approx(table.capacity.sel(half="discharge").to_numpy())
    every = np.array([table.capacity.sel(half="discharge").to_numpy()[:5] for table in tables])  # one has five cycles
    mean = line(ax, "Discharge, mean ± s.d. (n = 2–3)")
    assert mean.get_linewidth() > 1
    assert mean.get_ydata()[:5] == pytest.approx(every.mean(axis=0))
    (band,) = [one for one in ax.collections if one.get_label() == "_Discharge, ± s.d."]
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].max() == pytest.approx((every.mean(axis=0) + every.std(axis=0, ddof=1)).max())
    (row,) = [row for row in values if row["quantity"] == "discharge_capacity_first_cycle" and "replicate" not in row]
    assert row["n"] == 3
    assert row["mean"] == pytest.approx(every[:, 0].mean(), abs=0.1)


def test_replicates_of_a_symmetric_cell_have_the_mean_of_their_overpotentials():
    cells = recordings(steady, ["A"], 3)
    fig, values, _ = drawn_long(cells)
    pairs = [long_cycling.overpotentials(long_cycling.half_cycles(cell)) for cell in cells.values()]
    ax = fig.axes[1]
    for label, own in zip(cells, pairs, strict=True):
        assert line(ax, f"_{label}").get_ydata() == pytest.approx(1e3 * own.overpotential.to_numpy())
    shortest = min(own.sizes["pair"] for own in pairs)
    every = [1e3 * own.overpotential.to_numpy()[:shortest] for own in pairs]
    mean = line(ax, "mean ± s.d., n = 2–3")
    assert mean.get_ydata()[:shortest] == pytest.approx(np.mean(every, axis=0))
    (row,) = [row for row in values if row["quantity"] == "overpotential" and "replicate" not in row]
    assert row["n"] == 3


def test_replicates_of_a_rate_test_have_the_mean_of_each_cycle():
    cells = recordings(rated, ["A"], 3)
    fig, values, _ = drawn_rate(cells)
    ax = fig.axes[0]
    (mean,) = [one for one in ax.containers if str(one.get_label()).startswith("_0.5C, mean ± s.d. (n = 3)")]
    tests = [rate.analyse(cell) for cell in cells.values()]
    every = [test.found.capacity.sel(cycle=[7, 8, 9]).to_numpy() for test in tests]
    assert mean.lines[0].get_ydata() == pytest.approx(np.mean(every, axis=0))
    (row,) = [row for row in values if row["quantity"] == "discharge_capacity_0.5C" and "replicate" not in row]
    assert row["n"] == 3


def test_replicates_of_a_ccd_run_share_a_panel_beside_the_ccd_of_each():
    cells = recordings(rising, ["A", "B"], 3)
    fig, values, _ = drawn_ccd(cells)
    panels = [ax for ax in fig.axes if ax.get_ylabel() == "Voltage / V"]
    assert len(panels) == 2
    for label, cell in list(cells.items())[:3]:
        assert line(panels[0], f"_{label}, voltage").get_ydata() == pytest.approx(cell.voltage.to_numpy())
    (summary,) = [ax for ax in fig.axes if ax.get_xlabel().startswith("Critical current density")]
    shown = {str(one.get_label()).removeprefix("_"): one.lines[0].get_xdata()[0] for one in summary.containers}
    assert [shown[f"A, replicate {k}"] for k in (1, 2, 3)] == pytest.approx([0.4, 0.5, 0.7])
    (row,) = [
        row
        for row in values
        if (row["quantity"], row["sample"]) == ("critical_current_density", "A") and "replicate" not in row
    ]
    assert (row["n"], row["median"]) == (3, row["value"])
    assert shown["A, median with 95 % interval"] == row["median"]


def test_a_cell_without_a_mass_is_not_averaged_with_the_others():
    cells = recordings(lambda n, **attrs: cycled(n, mass=None if n == 1 else 1.57, **attrs), ["A"], 3)
    fig, *_ = drawn_full(cells)
    units = sorted(ax.get_ylabel() for ax in fig.axes if "apacity" in ax.get_ylabel())
    assert units == ["Capacity / mAh", "Specific capacity / mAh g⁻¹"]


def test_tests_of_very_different_length_have_time_axes_of_their_own():
    def make(number, **attrs):
        return galvanostatic([0.1, 0.2], half_cycle=60.0 if number else 3600.0, every=30.0, **attrs)

    fig, *_ = drawn_ccd(recordings(make, ["A", "B"]))
    ends = [ax.get_xlim()[1] for ax in fig.axes if ax.get_ylabel() == "Voltage / V"]
    assert ends[0] > 30 * ends[1]
    same, *_ = drawn_ccd(recordings(rising, ["A", "B"]))
    assert len({ax.get_xlim()[1] for ax in same.axes if ax.get_ylabel() == "Voltage / V"}) == 1


def test_table_of_half_cycles():
    *_, table = drawn_ccd(recordings(rising, ["A"], 2))
    assert list(table) == [
        "Sample", "Replicate", "Half cycle", "Start / h", "End / h", "Current density / mA cm⁻²",
        "Capacity / mAh cm⁻²", "Expected voltage / V", "Measured voltage / V", "Area-specific resistance / Ω cm²",
        "Class", "Failed after / h",
    ]  # fmt: skip
    first, second = table.iloc[0], table.iloc[1]
    assert first["Current density / mA cm⁻²"] == pytest.approx(0.1, rel=0.01)
    assert second["Current density / mA cm⁻²"] == pytest.approx(-0.1, rel=0.01)
    assert first["Capacity / mAh cm⁻²"] == pytest.approx(0.1 * 600 / 3600, rel=0.05)
    assert first["Measured voltage / V"] == pytest.approx(0.0101, rel=0.03)
    one = table[table.Replicate == "1"]
    shorted = one[one.Class == "hard short"].iloc[0]
    assert shorted["Current density / mA cm⁻²"] == pytest.approx(0.5, rel=0.01)
    assert shorted["Expected voltage / V"] == pytest.approx(0.05, rel=0.1)
    assert abs(shorted["Measured voltage / V"]) < 0.005


def test_table_of_long_cycling_has_the_overpotentials():
    *_, table = drawn_long(recordings(steady, ["A"]))
    assert table["Overpotential, 25 to 75 % of the half cycle / mV"].to_numpy() == pytest.approx(45, rel=0.05)
    assert (table.Class == "sustained").sum() >= 23


def test_tables_of_cycles():
    *_, table = drawn_full(recordings(cycled, ["A"]))
    assert table["Discharge capacity / mAh g⁻¹"].to_numpy()[0] == pytest.approx(160, rel=1e-3)
    assert table["Coulombic efficiency / %"].to_numpy() == pytest.approx(99.8, abs=0.1)
    assert table["Discharge finished"].all()
    cells = recordings(rated, ["A"])
    *_, table = drawn_rate(cells)
    assert list(table.Rate) == [name for name in ["0.1C", "0.2C", "0.5C", "1C", "0.1C"] for _ in range(3)]
    rates = rate_findings.rates(cells.analysed(rate.analyse))
    assert rates["Discharge capacity / mAh g⁻¹"].to_numpy() == pytest.approx(
        [160.15, 155, 140.38, 117.17, 159.75], rel=1e-3
    )


@every_figure
def test_one_dead_cell_does_not_cost_the_figure(draw, make):
    time = np.arange(0, 3600, 30.0)

    def with_a_dead_one(number, **attrs):
        return dataset(time, 0 * time, 0 * time, **attrs) if number == 1 else make(number, **attrs)

    cells = recordings(with_a_dead_one, ["A"], 3)
    fig, values, table = draw(cells)
    assert list(cells.left_out) == ["A, replicate 2"]
    assert "no current flows" in cells.left_out["A, replicate 2"]
    assert set(table.Replicate) == {"1", "3"}
    assert {row["replicate"] for row in values if "replicate" in row} == {"1", "3"}
    assert {row["n"] for row in values if "n" in row} == {2}
    FigureCanvasAgg(fig).draw()


def odd_cells():
    """Recordings that an instrument may write of a cell that went wrong, or that was not run as planned."""
    time = np.arange(0, 3600, 30.0)
    back_and_forth = np.where((time // 600) % 2, -1.0, 1.0)
    spikes = 0.1 * back_and_forth + 50 * (np.arange(time.size) % 31 == 7)
    yield "shorted from its first record", galvanostatic([0.1, 0.2, 0.3], hard=0.1, begins=0)
    yield "softly shorted from its first record", galvanostatic([0.1, 0.2, 0.3], soft=0.1, begins=0)
    yield "one half cycle", dataset(time, 0 * time + 0.1, 0 * time + 1e-3)
    yield "five records", dataset(time[:5], [0.1] * 5, [1e-3] * 5)
    yield "only charge", dataset(time, 0.1 * (1 + time // 600), 1e-3 * (1 + time // 600))
    yield "no voltage", dataset(time, 0 * time, 1e-3 * back_and_forth)
    yield "constant voltage", dataset(time, 0 * time + 0.5, 1e-3 * back_and_forth)
    yield "decaying current", dataset(time, 0 * time + 4.2, 1e-3 * np.exp(-time / 600))
    yield "spikes", dataset(time, spikes, 1e-3 * back_and_forth)
    falling = galvanostatic([0.4, 0.3, 0.2, 0.1])
    voltage = falling.voltage.where(falling.time < 3000, 0.0)
    yield "falling steps", falling.assign(voltage=voltage.assign_attrs(falling.voltage.attrs))
    yield "no mass", full_cell(fading(5, 0.95), mass=None)
    yield "stopped within its first charge", full_cell([160], until=0.4)
    yield "dead half way", full_cell([*fading(5, 0.9), *[0.01] * 6])
    yield "no polarisation", full_cell(fading(8, 0.9), polarization=0.0, voltage_digit=1.0)


ODD = dict(odd_cells())


@every_figure
def test_odd_cells_are_analysed_or_left_out_with_a_reason_and_a_remedy(draw, make):
    odd = {name: cell.assign_attrs(sample=name, file=f"{name}.csv") for name, cell in ODD.items()}
    cells = raw.Recordings(odd | {"A": make(0, sample="A")})
    _, values, _ = draw(cells)
    assert {row["sample"] for row in values} == set(cells)
    for reason in cells.left_out.values():
        assert any(word in reason for word in ("no current flows", "no discharge was finished", "no half cycle"))
        assert ": " in reason


def test_a_cell_that_shorts_at_its_first_record_has_passed_hardly_any_charge():
    (charge,) = [
        row
        for row in ccd_findings.of_cell(ODD["shorted from its first record"])
        if row["quantity"] == "charge_passed_until_failure"
    ]
    assert charge["value"] == charge["low"] == 0
    assert 0 < charge["high"] < 0.1 * 10 / 3600


def test_a_cell_that_fails_at_less_than_it_sustained_before_has_no_upper_bound():
    row = ccd_findings.of_cell(ODD["falling steps"])[0]
    assert (row["value"], row["low"], row["high"]) == (0.4, 0.4, None)
    assert "less than the cell had sustained before" in row["note"]


def test_a_half_cycle_of_one_record_is_no_cycle():
    alternating = dataset(np.arange(20) * 600.0, 0.1 * (-1.0) ** np.arange(20), 1e-3 * (-1.0) ** np.arange(20))
    with pytest.raises(ValueError, match="test: no half cycle has two records: export"):
        capacity.cycles(alternating)


@pytest.mark.parametrize(("text", "lines"), [("LLZ", 1), (LONG, 2), ("x" * 120, 3), ("石榴石" * 20, 2)])
def test_names_are_wrapped_and_lose_no_character(text, lines):
    wrapped = layout.wrapped(text, 80)
    assert wrapped.count("\n") + 1 == lines
    assert wrapped.replace("\n", "").replace(" ", "") == text.replace(" ", "")
