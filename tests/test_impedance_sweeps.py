"""Several sweeps in one recording: one is analysed, and figures, findings and explore say which of how many."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from coldbond.bundle import figures, paths, raw
from coldbond.explore.impedance import Impedance
from coldbond.files import read
from coldbond.impedance import findings, plots, relaxation_times, resistance, sweeps
from coldbond.impedance.conductivity import findings as of_conductivity
from coldbond.impedance.conductivity import ionic
from coldbond.impedance.conductivity import plots as conductivity_plots
from impedance_files import FREQUENCY, saved, table

#: Resistance [ohm] of the interface in each of the sweeps, in series with 30 ohm.
INTERFACE = (100.0, 200.0, 400.0)
#: Of the sample, as in a manifest.
ATTRS = dict(sample="LLZ", state="cycle 5", role="interface", origin="measured", file="a.csv", area_cm2=1.0)
ATTRS |= dict(thickness_cm=0.1, temperature_C=25.0, active_mass_mg=np.nan)


def sweep(ohm: float, blocking: bool = False) -> np.ndarray:
    omega = 2j * np.pi * FREQUENCY
    fast = 1e-6 if blocking else 1e-3
    return 30 + ohm / (1 + omega * fast) + (1 / (omega * 1e-5) ** 0.9 if blocking else 0)


def recording(path, *, blocking: bool = False, chosen: int | None = None):
    z = np.concatenate([sweep(ohm, blocking) for ohm in INTERFACE])
    columns = {"f/Hz": np.tile(FREQUENCY, len(INTERFACE)), "Re(Z)/ohm": z.real, "-Im(Z)/ohm": -z.imag}
    saved(path, table(columns))
    found = read(path, sweep=chosen)
    found.attrs |= ATTRS
    return found


@pytest.mark.parametrize(("chosen", "named"), [(None, "sweep 3 of 3"), (2, "sweep 2 of 3")])
def test_figure_and_findings_name_the_sweep(tmp_path, chosen, named):
    cells = {"LLZ": recording(tmp_path / "a.csv", chosen=chosen)}
    measured = {label: resistance.measure(one, ["R-RQ"], "modulus") for label, one in cells.items()}
    found = resistance.resistances(measured)
    rows = {row["quantity"]: row for row in findings.findings(measured, found, "interface", 0.02)}
    assert rows["interface_resistance"]["value"] == pytest.approx(INTERFACE[(chosen or 3) - 1], rel=1e-3)
    for quantity in ("total_resistance", "interface_resistance", "area_specific_resistance"):
        assert named in rows[quantity]["note"]
    fig = Figure()
    plots.draw_resistances(fig, measured, found, {}, "interface")
    legends = [ax.get_legend() for ax in fig.axes if ax.get_legend()]
    assert [text.get_text() for legend in legends for text in legend.get_texts()] == [f"cycle 5, {named}"]
    assert list(raw.table(cells)["sweeps"]) == [3 if chosen is None else "2 of 3"]


def test_the_numbers_of_a_figure_hold_the_sweep(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "FIGURES", tmp_path)
    cells = {"LLZ": recording(tmp_path / "a.csv")}
    measured = {label: resistance.measure(one, ["R-RQ"], "modulus") for label, one in cells.items()}
    values = findings.findings(measured, resistance.resistances(measured), "interface", 0.02)
    with figures.new() as fig:
        plots.draw_spectra(fig, measured, {"LLZ": relaxation_times.distribution(cells["LLZ"])})
        figures.save(fig, "x", notebook="x", parameters={}, values=values, recordings=cells)
    held = json.loads((tmp_path / "x.json").read_text())
    assert all("sweep 3 of 3" in row["note"] for row in held["values"] if row["quantity"].endswith("_resistance"))


def test_a_conductivity_is_that_of_one_sweep_and_names_it(tmp_path):
    one = ionic.measure(recording(tmp_path / "a.csv", blocking=True), ["R-RQ-Q"], 1e-4, 0.0)
    assert one.spectrum.sizes["frequency"] == FREQUENCY.size
    assert one.resistance.value == pytest.approx(30 + INTERFACE[-1], rel=0.02)
    rows = of_conductivity.ionic_findings({"LLZ": one}, {}, 5e-4, 0.01, 0.3)
    assert all("sweep 3 of 3" in row["note"] for row in rows if row["unit"])
    fig = Figure()
    conductivity_plots.draw(fig, {"LLZ": one}, {}, {})
    assert any("sweep 3 of 3" in text.get_text() for text in fig.axes[0].texts)


def test_explore_shows_the_sweep_that_is_chosen(tmp_path):
    view = Impedance(recording(tmp_path / "a.csv"))
    control = view.controls["sweep"]
    assert (control.value, control.low, control.high) == (3, 1, 3)
    settings = {name: one.value for name, one in view.controls.items()} | {"circuit": "none", "sweep": 2}
    fig = Figure()
    (shown,) = view.draw(fig, **settings)
    assert "2 of 3" in shown.to_string()
    points = fig.axes[0].lines[0].get_xdata()
    assert points.max() == pytest.approx(30 + INTERFACE[1], rel=1e-2)


def test_a_recording_of_one_sweep_has_no_name_for_it(tmp_path):
    columns = {"f/Hz": FREQUENCY, "Re(Z)/ohm": sweep(100).real, "-Im(Z)/ohm": -sweep(100).imag}
    one = saved(tmp_path / "a.csv", table(columns))
    assert sweeps.name(one) == "" and sweeps.one(one) is one
    one.attrs |= ATTRS
    assert "sweep" not in Impedance(one).controls
