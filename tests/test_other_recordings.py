"""The bundle on recordings of other cells, as a lab uses it: another folder, other samples, other truths."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from coldbond.bundle import paths
from twin import cells, land
from twin.full_cell import FullCell, run
from twin.symmetric import ccd_run

COLUMNS = "file,technique,role,sample,state,origin,sha256,area_cm2,thickness_cm,active_mass_mg,temperature_C,note"
ROWS = [
    "weak.csv,cycling,ccd,weak cell,,measured,,0.785,0.04,,25,",
    "strong.csv,cycling,ccd,strong cell,,measured,,0.785,0.04,,25,",
    "fading.xlsx,cycling,full-cell,fading cell,0.2C,measured,,0.785,0.04,1.57,25,",
]


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """figures/NAME.json of `make figures` on a folder with a CCD of 0.4 and of 2.1 mA/cm2 and a retention of 80 %."""
    raw, out = tmp_path_factory.mktemp("their raw"), tmp_path_factory.mktemp("figures")
    start = {"start": "2025-01-02 03:04:05"}
    land.land_csv(ccd_run(0.4, cells.LLZ, seed=3), raw / "weak.csv", **start)
    land.landt_csv(ccd_run(2.1, replace(cells.RT_MCL_LLZ, void_current=2.3), seed=4), raw / "strong.csv", **start)
    fading = run([0.2] * 50, FullCell(retention=0.8, retention_cycle=50), seed=5)
    land.landdt_xlsx(fading, raw / "fading.xlsx", mass=1.57, **start)
    (raw / "manifest.csv").write_text("\n".join([COLUMNS, *ROWS]) + "\n")
    command = ["make", "figures", f"RAW={raw}", f"OUT={out}", f"VENV={sys.prefix}"]
    made = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout, {path.stem: json.loads(path.read_text()) for path in out.glob("*.json")}


def value(numbers, figure, quantity, sample):
    rows = [r for r in numbers[1][figure]["values"] if (r["quantity"], r["sample"]) == (quantity, sample)]
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize(("sample", "truth"), [("weak cell", (0.4, 0.4, 0.5)), ("strong cell", (2.1, 2.1, 2.2))])
def test_their_critical_current_density(numbers, sample, truth):
    row = value(numbers, "fig4b", "critical_current_density", sample)
    assert (row["value"], row["low"], row["high"]) == truth


def test_their_retention(numbers):
    row = value(numbers, "fig4f", "retention_against_first", "fading cell")
    assert row["low"] <= 80 <= row["high"]
    assert row["high"] - row["low"] < 2


def test_figures_without_recordings_are_left_out_by_name(numbers):
    assert set(numbers[1]) == {"fig4b", "fig4f", "figS18", "claims"}
    for figure in ("figS16", "fig4cd", "figS17", "fig4gh"):
        assert f"{figure} is left out" in numbers[0]


def test_measured_recordings_carry_no_stamp(numbers):
    assert {found["origin"] for found in numbers[1].values()} == {"measured"}
