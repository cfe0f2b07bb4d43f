"""Measured recordings through the notebooks of figures 4f and 4g-h."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import of_others
from coldbond.bundle import paths

COLUMNS = "file,technique,role,sample,state,origin,sha256,area_cm2,thickness_cm,active_mass_mg,temperature_C,note"
LANDT = "sintef-landt-ligr/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv"
ENDS = {0.2: 166.6, 0.5: 159.8, 1: 153.0, 2: 142.8, 5: 132.6, 10: 122.4}  # C: mAh/g, where the digitised curves end


def findings(raw: Path, row: str, notebook: str, figure: str, *parameters: str) -> dict:
    """Run a notebook as make does, on a folder with one recording, and read the numbers beside its picture."""
    (raw / "manifest.csv").write_text(f"{COLUMNS}\n{row}\n")
    command = [sys.executable, "scripts/run_notebook.py", f"notebooks/{notebook}.ipynb", figure, "--raw", raw]
    command += ["--out", raw / "out", "--parameters", "samples: []", *parameters]
    run = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (raw / "out" / f"{figure}.pdf").stat().st_size > 1000
    numbers = json.loads((raw / "out" / f"{figure}.json").read_text())
    assert numbers["origin"] == "measured"
    return {row["quantity"]: row for row in numbers["values"]}


@pytest.fixture(scope="module")
def graphite(tmp_path_factory):
    raw = tmp_path_factory.mktemp("raw")
    (raw / "landt.csv").write_bytes(of_others.file(LANDT).read_bytes())
    return findings(raw, "landt.csv,cycling,full-cell,Li|graphite,,measured,,,,,25,", "fig4f_full_cell", "fig4f")


def test_capacities_are_those_of_the_testers_columns(graphite):
    for quantity, truth in (
        ("formation_discharge_capacity", 6.3),
        ("discharge_capacity_first_cycle", 6.3),
        ("charge_capacity_first_cycle", 3.2),
    ):
        row = graphite[quantity]
        assert (row["value"], row["unit"]) == (truth, "mAh")
        assert (row["high"] - row["low"]) / 2 == pytest.approx(0.081, abs=0.003)  # its last digit is 0.1 mAh
        assert "counter" in row["note"]


def test_the_integral_of_a_coarse_current_cannot_do_better(graphite):
    for half, counted in (("discharge", 6.3), ("charge", 3.2)):
        row = graphite[f"{half}_capacity_by_integral"]
        assert row["low"] < counted < row["high"]
        assert (row["high"] - row["low"]) / 2 / row["value"] >= 0.245
        assert [(one["low"], one["high"]) for one in row["evidence"][1:]] == [(0.15, 0.25)]


def test_a_cycle_of_graphite_is_a_discharge_and_the_charge_after_it(graphite):
    assert graphite["working_electrode_is_anode"]["value"] is True
    for quantity in ("initial_coulombic_efficiency", "coulombic_efficiency_first_cycle"):
        assert graphite[quantity]["value"] == pytest.approx(100 * 3.2 / 6.3, abs=0.1)
    assert graphite["complete_cycles"]["value"] == 1
    assert [(one["name"], one["value"]) for one in graphite["complete_cycles"]["evidence"]] == [
        ("unfinished, left out: cycle", "2")
    ]


@pytest.fixture(scope="module")
def phosphate(tmp_path_factory):
    """The digitised discharges of LiFePO4 as one recording of 1 mg, one after the other."""
    records, clock = [], 0.0
    for rate in ENDS:
        capacity, voltage = np.loadtxt(of_others.file(f"lfp-rate-digitised/{rate:g}C.csv"), delimiter=",").T
        time = clock + 3600 + capacity / (170 * rate) * 3600
        rests = [[time[0] - 0.01, voltage[0], 0.0], [time[-1] + 0.01, voltage[-1], 0.0]]
        discharge = np.column_stack([time, voltage, np.full(time.size, -170e-6 * rate)])
        records += [rests[0], *discharge.tolist(), rests[1]]
        clock = time[-1]
    raw = tmp_path_factory.mktemp("raw")
    lines = [f"{time:.3f},{voltage:.5f},{current:.7f}" for time, voltage, current in records]
    (raw / "lfp.csv").write_text("\n".join(["test_time_second,voltage_volt,current_ampere", *lines]) + "\n")
    row = "lfp.csv,cycling,rate,LiFePO4,digitised,measured,,,,1,25,digitised from a published figure"
    return findings(raw, row, "fig4gh_rate", "fig4gh", "mass_uncertainty: 0.0", "current_uncertainty: 0.0")


@pytest.mark.parametrize(("rate", "end"), ENDS.items())
def test_capacities_are_the_ends_of_the_digitised_curves(phosphate, rate, end):
    row = phosphate[f"discharge_capacity_{rate:g}C"]
    assert row["low"] - 0.05 <= end <= row["high"] + 0.05  # the curves are given to 0.1 mAh/g
    assert row["value"] == pytest.approx(end, abs=0.1)
    assert "a single cycle" in row["note"]


def test_six_rates_determine_the_model(phosphate):
    """Not that it is the right one: n lies below diffusion's 0.5, and the capacity above what LiFePO4 can hold."""
    time, exponent, slow = (phosphate[q] for q in ("characteristic_time", "rate_exponent", "low_rate_capacity"))
    assert 0.13 < exponent["low"] < 0.223 < exponent["high"] < 0.34
    assert 2.9 < time["low"] < 6.2 < time["high"] < 30
    assert 175 < slow["low"] < 201 < slow["high"] < 280
    assert "the model extrapolates" in slow["note"]
    assert [one["value"] for one in time["evidence"] if one["name"] == "number of rates"] == [6]
