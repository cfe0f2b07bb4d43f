"""Measured spectra in a manifest of their own, through make."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import of_others
from coldbond.bundle import paths

COLUMNS = "file,technique,role,sample,state,origin,sha256,area_cm2,thickness_cm,active_mass_mg,temperature_C,note"
RECORDINGS = {  # file: technique, role, sample
    "xrd-rigaku-ras-nims/XRD_RIGAKU.ras": ("xrd", "phase", "silicon"),
    "xps-vamas-axis/0-150W.vms": ("xps", "surface", "NiW"),
    "raman-si-532-bwtek/S0B10_532.txt": ("raman", "raman", "wafer"),
    "raman-si-532-bwtek/Neon_532.txt": ("raman", "raman", "Ne"),
}
FIGURES = {
    "fig2h": "{main: Si, reference: Si, looked_for: [], enlarged: [46.0, 49.0]}",
    "fig3ghi": "{regions: [C 1s, O 1s]}",
    "fig2g": "{bands: [], modes: {Si: 520.45}, window: [450, 600]}",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Give a function that builds a figure of the folder and returns its numbers."""
    raw, out = tmp_path_factory.mktemp("their raw"), tmp_path_factory.mktemp("figures")
    rows = []
    for file, (technique, role, sample) in RECORDINGS.items():
        shutil.copy(of_others.file(file), raw)
        rows.append(f"{Path(file).name},{technique},{role},{sample},,measured,,,,,25,")
    (raw / "manifest.csv").write_text("\n".join([COLUMNS, *rows]) + "\n")

    def build(figure):
        command = ["make", figure, f"RAW={raw}", f"OUT={out}", f"VENV={sys.prefix}", f"PARAMETERS={FIGURES[figure]}"]
        made = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True)
        assert made.returncode == 0, made.stdout + made.stderr
        found = json.loads((out / f"{figure}.json").read_text())
        assert found["origin"] == "measured"
        return {(row["sample"], row["quantity"]): row for row in found["values"]}

    return build


def test_silicon_has_its_lattice_parameter(built):
    row = built("fig2h")["silicon", "lattice_parameter_a"]
    assert row["low"] < 5.43118 < row["high"]
    assert row["high"] - row["low"] < 0.004  # of three lines, which do not tell a flat specimen from the lattice


def test_a_vamas_file_shows_its_carbon_where_it_was_put(built):
    row = built("fig3ghi")["NiW", "C_1s_CC_binding_energy"]
    assert row["low"] < 284.8 < row["high"]


def test_silicon_s_raman_line_on_an_axis_that_neon_calibrates(built):
    row = built("fig2g")["wafer", "raman_shift_of_Si"]
    assert row["low"] < 520.45 < row["high"]
    assert row["high"] - row["low"] < 2
