"""Impedance with a lab's own cells: odd spectra, replicates, one to eight samples, one bad recording."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

from coldbond.bundle import conditions, figures, paths, raw
from coldbond.impedance import findings as of_impedance
from coldbond.impedance import kramers_kronig, plots, relaxation_times, resistance, trend
from coldbond.impedance.conductivity import arrhenius, electronic, ionic
from coldbond.impedance.conductivity import findings as of_conductivity
from coldbond.impedance.conductivity import plots as conductivity_plots
from coldbond.impedance.plots import layout
from coldbond.impedance.resistance import Measured, cycle_of
from coldbond.interval import Interval
from impedance_files import saved, table
from twin import eis, impedance

CIRCUITS = ["L-R-RQ", "L-R-RQ-RQ"]
BLOCKING = ["L-R-Q", "L-R-RQ-Q"]
NAMES = (
    "LLZ",
    "RT-MCL-LLZ",
    "In-LLZ",
    "HT-MCL-LLZ",
    "Li6.4La3Zr1.4Ta0.6O12 hot-pressed, 0.5 wt% In nitride coated (batch 7)",
    "garnet_7",
    "NASICON-type LATP | PEO interlayer",
    "S8",
)
CYCLES = (1, 10, 25, 50, 75, 100)
COLUMNS = ("file", "technique", "role", "sample", "state", "replicate", "area_cm2", "thickness_cm", "temperature_C")


def spectrum(frequency, z, seed=0, noise=2e-3, **attrs) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    z = z + noise * np.abs(z) * (rng.normal(size=z.size) + 1j * rng.normal(size=z.size))
    whose = dict(sample="A", state="cycle 1", replicate="", role="interface", technique="eis", origin="measured")
    known = dict(area_cm2=np.nan, thickness_cm=np.nan, temperature_C=25.0, active_mass_mg=np.nan, file="a", sha256="")
    return xr.Dataset({"impedance": ("frequency", z)}, {"frequency": frequency}, whose | known | attrs)


def sweep(first, last, points, of=lambda s: 50 + 100 / (1 + (s * 1e-3) ** 0.9), **attrs) -> xr.Dataset:
    frequency = np.logspace(first, last, points)
    return spectrum(frequency, of(2j * np.pi * frequency) + 0j, **attrs)


#: Valid spectra that no cell of the paper has.
ODD = {
    "7 points": sweep(5, 1, 7),
    "a decade": sweep(4, 3, 30),
    "a tenth of a decade": sweep(4, 3.9, 12),
    "an inductor": sweep(6, -1, 40, lambda s: 1e-6 * s),
    "an arc": sweep(6, -1, 40, lambda s: 100 / (1 + s * 1e-3)),
    "a tail": sweep(6, -1, 40, lambda s: 1e6 / s**0.9),
    "a resistor": sweep(6, -1, 40, lambda s: 50 + 0 * s),
    "noise": sweep(6, -1, 40, lambda s: 50 + 0 * s, noise=3.0),
    "negative real parts": sweep(6, -1, 40, lambda s: -20 + 100 / (1 + s * 1e-3)),
    "all real parts negative": sweep(6, -1, 40, lambda s: -120 + 100 / (1 + s * 1e-3)),
    "ascending": sweep(-1, 6, 40),
    "milliohms": sweep(6, -1, 40, lambda s: 1e-5 + 1e-5 / (1 + s * 1e-3)),
    "teraohms": sweep(6, -1, 40, lambda s: 1e9 + 1e12 / (1 + s * 10)),
}


def measured_from(spectra) -> dict[str, Measured]:
    return {label: resistance.measure(one, CIRCUITS, "modulus") for label, one in spectra.items()}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_spectrum_is_analysed_and_drawn(name):
    measured = measured_from({"A": ODD[name]})
    found = resistance.resistances(measured)
    rows = of_impedance.findings(measured, found, "interface", 0.02)
    json.dumps(rows, allow_nan=False)
    for row in rows:
        numbers = [row[key] for key in ("low", "value", "high") if row[key] is not None]
        assert isinstance(row["value"], bool) or numbers == sorted(numbers)
    assert set(of_impedance.tables(measured, found)) == {"spectra", "parameters", "resistances"}
    fig = Figure(figsize=(7, 4), layout="constrained")
    plots.draw_resistances(fig, measured, found, {}, "interface")
    fig.draw_without_rendering()
    fig = Figure(figsize=(7, 4), layout="constrained")
    plots.draw_spectra(fig, measured, {"A": relaxation_times.distribution(ODD[name])})
    fig.draw_without_rendering()
    one = ionic.measure(ODD[name], BLOCKING, 1e-4, 0.002)
    json.dumps(of_conductivity.ionic_findings({"A": one}, {}, 5e-4, 0.01, 0.3), allow_nan=False)
    fig = Figure(figsize=(7, 4), layout="constrained")
    conductivity_plots.draw(fig, {"A": one}, {}, {})
    fig.draw_without_rendering()


@pytest.mark.parametrize("name", ["a tail", "negative real parts", "an arc", "milliohms"])
def test_the_complex_plane_holds_every_point_or_says_how_many_it_does_not(name):
    measured = measured_from({"A": ODD[name], "B": ODD["7 points"].assign_attrs(sample="B")})
    with figures.new(width="double", height=plots.height(measured, "resistances")) as fig:
        plots.draw_resistances(fig, measured, resistance.resistances(measured), {}, "interface")
    fig.draw_without_rendering()
    (ax,) = [ax for ax in fig.axes if ax.get_title() == "A"]
    (points,) = [line for line in ax.lines if line.get_label().endswith("measured")]
    x, y = points.get_xdata(), points.get_ydata()
    inside = (x >= ax.get_xlim()[0]) & (x <= ax.get_xlim()[1]) & (y <= ax.get_ylim()[1])
    assert inside.all()
    below = int(np.sum(y < ax.get_ylim()[0]))
    said = [text.get_text() for text in ax.texts if "points below" in text.get_text()]
    assert bool(said) or not below


def test_circuits_with_too_many_parameters_are_left_out_and_named():
    few = sweep(5, 1, 7)
    one = resistance.measure(few, ["L-R-RQ", "L-R-RQ-RQ-RQ-RQ"], "modulus")
    assert list(one.results) == ["L-R-RQ"] and one.too_large == ("L-R-RQ-RQ-RQ-RQ",)
    total, *_ = of_impedance.findings({"A": one}, resistance.resistances({"A": one}), "interface", 0.02)
    assert "too few points for L-R-RQ-RQ-RQ-RQ" in total["note"]
    assert f"not tested: 7 points, {kramers_kronig.FEWEST_POINTS} are needed" in total["note"]
    with pytest.raises(ValueError, match="3 points are too few for the 5 parameters of L-R-RQ: record more"):
        resistance.measure(sweep(5, 1, 3), CIRCUITS, "modulus")


@pytest.mark.parametrize(
    ("state", "cycle"),
    [
        ("cycle 50", 50),
        ("Cycle 050", 50),
        ("cycle_50", 50),
        ("50th cycle", 50),
        ("第50圈", 50),
        ("循环50次", 50),
        ("50次循环", 50),
        ("after 200 cycles", 200),
        ("200 cycles, 25 °C", 200),
        ("0.5 mA/cm2, cycle 10", 10),
        ("C/10 cycle 5", 5),
        ("0.5 mA/cm2", None),
        ("pristine", None),
        ("cycle 1 to 10", None),
        ("2 cycle 3", None),
        ("after 0.5 cycles", None),
        ("", None),
    ],
)
def test_the_number_of_cycles_is_read_from_the_state(state, cycle):
    found = cycle_of(state)
    assert found == cycle if cycle is not None else np.isnan(found)


def frame(cells) -> pd.DataFrame:
    """Resistances of cells: (sample, replicate) to (cycles, values)."""
    rows = []
    for (sample, replicate), (cycles, values) in cells.items():
        name = resistance.cell_of({"sample": sample, "replicate": replicate})
        for cycle, value in zip(cycles, values, strict=True):
            interval = None if value is None else Interval(value, 0.99 * value, 1.01 * value)
            rows.append(
                dict(sample=sample, replicate=replicate, cell=name, state=f"cycle {cycle:g}", cycle=float(cycle))
                | {part: interval or Interval(0.0) for part in ("interface", "total")}
            )
    return pd.DataFrame(rows)


LONG = np.array([1, 10, 25, 50, 75, 100, 150, 200.0])


def falls_until(at: float, level: float) -> np.ndarray:
    return level * (1 + 0.6 * np.maximum(at - LONG, 0) / (at - 1))


def test_each_replicate_has_its_own_course():
    """Of cells that break at 25, 50 and 75 no course through all points has the break of any."""
    cells = {
        ("A", str(n)): (LONG, falls_until(at, level)) for n, (at, level) in enumerate([(25, 90), (50, 100), (75, 130)])
    }
    found = frame(cells)
    courses = resistance.trends(found, "interface")
    assert list(courses) == ["A, replicate 0", "A, replicate 1", "A, replicate 2"]
    for course, at in zip(courses.values(), (25, 50, 75), strict=True):
        assert course.break_cycle.low <= at <= course.break_cycle.high
    rows = of_impedance.course_findings(found, "interface")
    single = {row["replicate"]: row["value"] for row in rows if row["quantity"] == "break_cycle"}
    (mean,) = [row for row in conditions.findings(rows) if row["quantity"] == "break_cycle"]
    assert mean["n"] == 3 and mean["mean"] == pytest.approx(np.mean(list(single.values())), rel=0.02)
    assert mean["state"] == "cycle 1 to cycle 200"


def test_a_cell_is_compared_with_every_cell_of_the_reference():
    cells = {("R", "1"): (LONG, falls_until(50, 100)), ("R", "2"): (LONG, falls_until(50, 130))}
    assert (
        resistance.compared(frame(cells | {("A", ""): (LONG, falls_until(50, 120))}), "A", "R", "total").higher is False
    )
    against = resistance.compared(frame(cells | {("A", ""): (LONG, falls_until(50, 200))}), "A", "R", "total")
    assert against.higher is True and against.cycles == LONG.size
    assert against.least == pytest.approx(200 / 130) and against.most == pytest.approx(2)


def test_a_cell_with_too_few_cycles_does_not_cost_the_others():
    found = frame({("A", ""): (LONG, falls_until(50, 100)), ("B", ""): (LONG[:3], [90.0, 80.0, 70.0])})
    rows = {(row["sample"], row["quantity"]): row for row in of_impedance.course_findings(found, "interface")}
    assert rows["A", "falls_then_stable"]["value"] is True
    assert rows["B", "falls_then_stable"]["value"] is None
    assert "cannot be told: 3 cycles, 6 are needed" in rows["B", "falls_then_stable"]["note"]
    unnamed = found.assign(cycle=np.nan, state="pristine")
    note = of_impedance.course_findings(unnamed, "interface")[0]["note"]
    assert "cannot be told: no number of cycles in the state 'pristine'" in note
    unbounded = frame({("A", ""): (LONG, [None] * 4 + [90.0] * 4)})
    note = of_impedance.course_findings(unbounded, "interface")[0]["note"]
    assert "4 of 8 cycles with an interval, 6 are needed" in note


def test_a_cycle_measured_twice_and_numbers_without_scatter_have_a_course():
    values = falls_until(50, 100)
    twice = trend.breakpoint(
        np.append(LONG[:1], LONG), [Interval(v, 0.99 * v, 1.01 * v) for v in np.append(values[:1], values)]
    )
    assert twice.break_cycle.low <= 50 <= twice.break_cycle.high
    flat = trend.breakpoint(LONG, [Interval(100.0, 99.0, 101.0)] * LONG.size)
    assert flat.break_cycle is None and flat.probability == 1
    with pytest.raises(ValueError, match="5 cycles are too few"):
        trend.breakpoint(np.array([1, 1, 2, 3, 4, 5.0]), [Interval(1.0, 0.9, 1.1)] * 6)


# --- figures -----------------------------------------------------------------------------------------------------


def own_folder(folder: Path, monkeypatch, samples: int, cells: int = 1) -> Path:
    """A folder of interface spectra of short sweeps, so that many are fitted soon."""
    rows = []
    (folder / "eis").mkdir(parents=True)
    for at, name in enumerate(NAMES[:samples]):
        for cell in range(cells):
            for cycle in CYCLES:
                size = 40.0 * 4**at * (1 + 0.2 * cell) * (1 + np.exp(-cycle / 15))
                frequency = np.logspace(6, 0, 25)
                s = 2j * np.pi * frequency
                one = spectrum(frequency, 30 + size / (1 + (s * 1e-3) ** 0.9), seed=100 * at + 10 * cell + cycle)
                file = folder / "eis" / f"{at}-{cell}-{cycle}.csv"
                z = one.impedance.to_numpy()
                saved(file, table({"f/Hz": frequency, "Re(Z)/ohm": z.real, "-Im(Z)/ohm": -z.imag}))
                number = f"{cell + 1}" if cells > 1 else ""
                rows.append([f"eis/{file.name}", "eis", "interface", name, f"cycle {cycle}", number, "1", "0.1", "25"])
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    monkeypatch.setattr(paths, "RAW", folder)
    return folder


def drawn(measured):
    found = resistance.resistances(measured)
    courses = resistance.trends(found, "interface")
    with figures.new(width="double", height=plots.height(measured, "resistances")) as fig:
        plots.draw_resistances(fig, measured, found, courses, "interface")
    fig.set_dpi(150)
    fig.draw_without_rendering()
    return fig, found


def texts(fig):
    """Every text that is seen, with its bounding box."""
    renderer = fig.canvas.get_renderer() if hasattr(fig.canvas, "get_renderer") else fig._get_renderer()
    found = []
    for ax in [*fig.axes, *(inset for whole in fig.axes for inset in whole.child_axes)]:
        candidates = [*ax.texts, ax.title, ax._left_title, ax._right_title]
        if ax.axison:
            for axis in (ax.xaxis, ax.yaxis):
                inside = [
                    tick
                    for tick in axis.get_major_ticks()
                    if min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
                ]
                candidates += [axis.label, *(tick.label1 for tick in inside), *(tick.label2 for tick in inside)]
        if ax.get_legend():
            candidates += ax.get_legend().get_texts()
        found += [text for text in candidates if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in found]


def overlaps(fig):
    boxes = texts(fig)
    return [
        (one, other)
        for at, (one, box) in enumerate(boxes)
        for other, another in boxes[at + 1 :]
        if box.padded(-1).overlaps(another.padded(-1))
    ]


@pytest.mark.parametrize("samples", [1, 6, 8])
def test_texts_do_not_overlap(tmp_path, monkeypatch, samples):
    own_folder(tmp_path / "raw", monkeypatch, samples)
    cells = raw.recordings("interface")
    measured = cells.analysed(resistance.measure, ["R-RQ"], "modulus")
    fig, _ = drawn(measured)
    assert not overlaps(fig)
    page = fig.bbox
    assert all(page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1 for _, box in texts(fig))
    assert all(page.y0 - 1 <= box.y0 and box.y1 <= page.y1 + 1 for _, box in texts(fig))
    assert fig.get_figheight() * 25.4 <= 247
    planes = [ax for ax in fig.axes if ax.get_xlabel().startswith("Re Z")]
    assert len(planes) == samples
    for ax in planes:
        width, height = ax.bbox.width, ax.bbox.height
        assert height / width == pytest.approx(np.ptp(ax.get_ylim()) / np.ptp(ax.get_xlim()), rel=0.01)
        assert not any("e" in text or "×" in text for text in (ax.xaxis.get_offset_text().get_text(),))


def test_replicates_are_thin_and_their_mean_is_that_of_the_data(tmp_path, monkeypatch):
    own_folder(tmp_path / "raw", monkeypatch, 2, cells=3)
    cells = raw.recordings("interface")
    measured = cells.analysed(resistance.measure, ["R-RQ"], "modulus")
    fig, found = drawn(measured)
    planes = [ax.get_title() for ax in fig.axes if ax.get_xlabel().startswith("Re Z")]
    assert planes == ["LLZ (n = 3)", "RT-MCL-LLZ (n = 3)"]
    (ax,) = [ax for ax in fig.axes if "Resistance" in ax.get_ylabel()]
    for sample in ("LLZ", "RT-MCL-LLZ"):
        own = found[found["sample"] == sample]
        values = own.assign(value=own.interface.map(lambda one: one.value)).pivot_table("value", "cycle", "replicate")
        (mean,) = [line for line in ax.lines if line.get_label() == f"_{sample}, mean"]
        np.testing.assert_allclose(mean.get_xdata(), CYCLES)
        np.testing.assert_allclose(mean.get_ydata(), values.mean(axis=1))
        (band,) = [one for one in ax.collections if one.get_label() == f"_{sample}, mean ± standard deviation"]
        corners = band.get_paths()[0].vertices
        np.testing.assert_allclose(corners[:, 1].max(), (values.mean(axis=1) + values.std(axis=1)).max())
        thin = [line for line in ax.lines if line.get_label().startswith(f"_{sample}, replicate")]
        assert len(thin) == 3 and all(line.get_alpha() < 1 and line.get_linewidth() < 0.5 for line in thin)
    said = [text.get_text() for ax in fig.axes if ax.get_legend() for text in ax.get_legend().get_texts()]
    assert said == ["LLZ: mean ± s.d., n = 3", "RT-MCL-LLZ: mean ± s.d., n = 3"]
    rows = of_impedance.findings(measured, found, "interface", 0.02)
    means = [row for row in conditions.findings(rows) if row["quantity"] == "interface_resistance" and row["n"] == 3]
    assert {(row["sample"], row["state"]) for row in means} == {
        (s, f"cycle {c}") for s in ("LLZ", "RT-MCL-LLZ") for c in CYCLES
    }
    assert not overlaps(fig)


def test_one_bad_spectrum_of_eight_is_left_out_and_named(tmp_path, monkeypatch):
    folder = own_folder(tmp_path / "raw", monkeypatch, 8)
    short = folder / "eis" / "2-0-25.csv"
    short.write_text("\n".join(short.read_text().splitlines()[:3]) + "\n")
    cells = raw.recordings("interface")
    measured = cells.analysed(resistance.measure, ["R-RQ"], "modulus")
    assert len(measured) == len(cells) == 8 * len(CYCLES) - 1
    assert list(cells.left_out) == ["In-LLZ, cycle 25"]
    found = resistance.resistances(measured)
    rows = of_impedance.findings(measured, found, "interface", 0.02)
    (told,) = [row for row in rows if (row["sample"], row["quantity"]) == ("In-LLZ", "falls_then_stable")]
    assert "cannot be told: 5 cycles, 6 are needed" in told["note"]
    assert all(row["note"] for row in rows if row["sample"] == "LLZ" and row["quantity"] == "falls_then_stable")
    drawn(measured)


# --- conductivity ------------------------------------------------------------------------------------------------


def pellets(samples: int, cells: int, temperatures=(25, 40, 55)):
    """Spectra between blocking electrodes at room temperature and at several, and transients."""
    spectra, heated, transients = {}, {}, {}
    for at, name in enumerate(NAMES[:samples]):
        for cell in range(cells):
            attrs = dict(sample=name, replicate=f"{cell + 1}" if cells > 1 else "", area_cm2=0.785, thickness_cm=0.04)
            label = resistance.cell_of(attrs)
            for celsius in (25, *temperatures):
                seed = 1000 * at + 100 * cell + celsius + len(heated)
                one = eis.pellet(celsius, seed=seed)
                size = 2.0**at * (1 + 0.1 * cell)
                one = replace(one, processes=tuple(p._replace(resistance=p.resistance * size) for p in one.processes))
                z = impedance.sweep(one, seed=seed)
                into, state = (heated, f"{celsius} °C") if label in spectra else (spectra, "pristine")
                recording = spectrum(z.frequency, z.impedance, noise=0, state=state, temperature_C=celsius, **attrs)
                key = label if into is spectra else f"{label}, {state}"
                into[key] = ionic.measure(recording, ["L-R-Q", "L-R-RQ-Q"], 1e-4, 0.002)
            current = eis.of_electrons("LLZ", seed=cell)
            recording = xr.Dataset(
                {"time": ("record", current.time), "current": ("record", current.current / 2**at)},
                attrs=spectra[label].spectrum.attrs | {"applied_voltage": 1.0, "technique": "dc"},
            )
            transients[label] = electronic.steady(recording, 1e-10)
    return spectra, heated, transients


def test_arrhenius_lines_are_those_of_a_pellet_and_the_condition_has_their_mean():
    spectra, heated, transients = pellets(1, 3)
    lines = arrhenius.lines(heated, 0.3)
    assert list(lines) == [f"LLZ, replicate {number}" for number in (1, 2, 3)]
    rows = of_conductivity.arrhenius_findings(lines, heated, 0.36, 5e-4, 0.01)
    quantity = "activation_energy_of_conductivity"
    single = [row["value"] for row in rows if row["quantity"] == quantity]
    (mean,) = [row for row in conditions.findings(rows) if row["quantity"] == quantity]
    assert mean["n"] == len(single) == 3 and mean["mean"] == pytest.approx(np.mean(single), abs=2e-3)
    with figures.new(width="double", height=conductivity_plots.height(spectra, lines, transients)) as fig:
        conductivity_plots.draw(fig, spectra, lines, transients)
    fig.draw_without_rendering()
    (ax,) = [ax for ax in fig.axes if ax.get_ylabel().startswith("σT")]
    (drawn_mean,) = [one for one in ax.containers if one.get_label() == "_LLZ, mean ± s.d."]
    forms = [forms["conductivity_times_temperature"] for forms in lines.values()]
    values = np.mean([line.factor * line.conductance * line.kelvin for line in forms], axis=0)
    np.testing.assert_allclose(np.sort(drawn_mean.lines[0].get_ydata()), np.sort(values), rtol=1e-6)


def test_a_pellet_at_one_temperature_has_no_line_and_that_is_said():
    _, heated, _ = pellets(2, 1, (25, 40, 55))
    cold = {label: one for label, one in heated.items() if "RT-MCL" not in label or "25 °C" in label}
    lines = arrhenius.lines(cold, 0.3)
    rows = of_conductivity.arrhenius_findings(lines, cold, 0.36, 5e-4, 0.01)
    told = [row for row in rows if row["sample"] == "RT-MCL-LLZ"]
    assert list(lines) == ["LLZ"] and {row["value"] for row in told} == {None}
    assert "cannot be told: 1 temperature with a resistance that has an interval, 2 are needed" in told[0]["note"]
    unknown = {"A": replace(next(iter(heated.values())), spectrum=ODD["ascending"].assign_attrs(temperature_C=np.nan))}
    rows = of_conductivity.arrhenius_findings({}, unknown, 0.36, 5e-4, 0.01)
    assert "1 of 1 spectra lack temperature_C" in rows[0]["note"]


@pytest.mark.parametrize("samples", [1, 8])
def test_texts_of_conductivity_do_not_overlap(samples):
    spectra, heated, transients = pellets(samples, 1, (25, 55))
    lines = arrhenius.lines(heated, 0.3)
    height = conductivity_plots.height(spectra, lines, transients)
    with figures.new(width="double", height=height) as fig:
        conductivity_plots.draw(fig, spectra, lines, transients)
    fig.set_dpi(150)
    fig.draw_without_rendering()
    assert height <= 247 and not overlaps(fig)


def test_temperatures_that_repeat_or_fall_have_a_line():
    resistances = [Interval(r, 0.99 * r, 1.01 * r) for r in (20.0, 70.0, 71.0, 20.5)]
    line = arrhenius.line(np.array([348.0, 298, 298, 348]), resistances, 0.3, 0)
    assert line.bend is None
    assert line.energy.value == pytest.approx(np.log(70.5 / 20.25) / (1 / 298 - 1 / 348) * 8.617e-5, rel=1e-3)


@pytest.mark.parametrize(
    ("current", "voltage", "says"),
    [(np.zeros(60), 1.0, "zero throughout"), (np.full(60, 1e-8), 0.0, "applied voltage is 0 V")],
)
def test_a_transient_without_current_or_voltage_is_refused_by_name(current, voltage, says):
    time = np.arange(1.0, 61)
    recording = xr.Dataset(
        {"time": ("record", time), "current": ("record", current)}, attrs={"applied_voltage": voltage}
    )
    with pytest.raises(ValueError, match=says):
        electronic.steady(recording, 1e-10)


def test_a_temperature_below_absolute_zero_is_refused():
    with pytest.raises(ValueError, match="temperature_C is -300, below absolute zero"):
        ionic.measure(sweep(6, 0, 30, temperature_C=-300.0), BLOCKING, 1e-4, 0.0)


def test_resistances_have_the_prefix_that_their_size_asks_for():
    assert [layout.ohms(largest) for largest in (2e-5, 0.4, 850.0, 3e4, 2e7, 0.0)] == [
        ("µΩ", 1e-6),
        ("mΩ", 1e-3),
        ("Ω", 1.0),
        ("kΩ", 1e3),
        ("MΩ", 1e6),
        ("Ω", 1.0),
    ]
    assert max(layout.width(line) for line in layout.wrapped("室温烧结" * 20, 40).split("\n")) <= 40
    assert layout.wrapped("a b", 40) == "a b"
