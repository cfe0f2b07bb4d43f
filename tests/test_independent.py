"""The second family of forward models: it is apart from the twin, and its files read as what they were made as."""

import ast
from pathlib import Path

import numpy as np
import pytest

import coldbond
import independent
from coldbond.bundle import manifest, raw

FOLDER = Path(independent.__file__).parent


@pytest.mark.parametrize("module", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_models_import_neither_the_analysis_nor_the_twin(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }
    assert not {name for name in imported if name.partition(".")[0] in ("coldbond", "twin")}


def test_a_cycling_recording_reads_as_it_was_made(tmp_path):
    rng = np.random.default_rng(1)
    time, current = np.arange(40) * 60.0, np.repeat([2e-4, -2e-4], 20)
    counters = {"capacity": np.arange(40) * 3e-6, "charge_capacity": np.cumsum(current > 0) * 3e-6}
    made = independent.cycling(
        time, 0.1 * rng.normal(size=40), current, current_resolution=1e-6, cycle=np.repeat([7, 9], 20), **counters
    )
    independent.write(independent.Made("full-cell", "A", "", made, {}), tmp_path / "a.csv")
    read = coldbond.read(tmp_path / "a.csv")
    for name in made:
        assert np.array_equal(read[name], made[name]), name
    assert read.current.attrs["resolution"] == 1e-6
    assert read.voltage.attrs["resolution"] == 1e-4


def test_a_hole_in_the_records_does_not_contradict_the_counter(tmp_path):
    """A month went by within a half cycle, in which the tester neither wrote nor counted."""
    time = np.arange(40) * 60.0
    later = time + np.where(np.arange(40) > 10, 30 * 86400.0, 0.0)
    made = independent.cycling(later, np.full(40, 0.1), np.full(40, 1e-3), capacity=time / 3600 * 1e-3)
    independent.write(independent.Made("long-cycling", "A", "", made, {}), tmp_path / "a.csv")
    assert coldbond.read(tmp_path / "a.csv").sizes["record"] == 40


def test_a_spectrum_and_a_transient_read_as_they_were_made(tmp_path):
    frequency = np.geomspace(1e6, 0.1, 40)
    made = independent.spectrum(frequency, 70 + 300 / (1 + 2j * np.pi * frequency * 1e-3))
    time = np.arange(1.0, 100.0)
    current = independent.transient(time, 1e-8 + 1e-6 * np.exp(-time / 30), 0.5)
    independent.write(independent.Made("interface", "A", "", made, {}), tmp_path / "a.csv")
    independent.write(independent.Made("electronic", "A", "", current, {}), tmp_path / "b.csv")
    assert np.array_equal(coldbond.read(tmp_path / "a.csv").impedance, made.impedance)
    read = coldbond.read(tmp_path / "b.csv")
    assert np.array_equal(read.current, current.current)
    assert read.attrs["applied_voltage"] == 0.5


def test_patterns_and_shifts_read_as_they_were_made(tmp_path):
    angles, shifts = np.arange(10, 80, 0.02), np.linspace(100, 900, 500)
    counts = np.random.default_rng(1).poisson(50, angles.size)
    independent.write(independent.Made("phase", "A", "", independent.pattern(angles, counts), {}), tmp_path / "a.csv")
    independent.write(
        independent.Made("raman", "A", "", independent.raman(shifts, counts[:500], 785.0), {}), tmp_path / "b.csv"
    )
    pattern, raman = coldbond.read(tmp_path / "a.csv"), coldbond.read(tmp_path / "b.csv")
    assert np.array_equal(pattern.intensity, counts)
    assert np.allclose(pattern.two_theta, angles, atol=1e-6, rtol=0)
    assert [pattern.attrs["wavelength_kalpha1"], pattern.attrs["wavelength_kalpha2"]] == [*independent.CU_KALPHA]
    assert np.array_equal(raman.intensity, counts[:500])
    assert raman.attrs["excitation"] == 785.0


def test_photoelectrons_read_as_they_were_made(tmp_path):
    energy = np.arange(280, 292.01, 0.05)
    counts = np.random.default_rng(1).poisson(1000 + energy)
    made = independent.photoelectrons({"C 1s": (energy, counts), "Pt 4f": (energy - 215, counts[::-1])})
    independent.write(independent.Made("surface", "A", "", made, {}), tmp_path / "a.vms")
    read = coldbond.read(tmp_path / "a.vms")
    assert [*read.children] == ["C 1s", "Pt 4f"]
    for name, region in made.children.items():
        assert np.array_equal(read[name].intensity, region.intensity), name
        assert np.allclose(read[name].binding_energy, region.binding_energy, atol=1e-3, rtol=0), name
        assert read[name].attrs["photon_energy"] == 1486.6


def test_a_case_is_a_folder_of_recordings(tmp_path, monkeypatch):
    time = np.arange(40) * 60.0
    recording = independent.cycling(time, np.full(40, 0.1), np.full(40, 1e-4))
    case = independent.Case([independent.Made("ccd", "A", "pristine", recording, {"area_cm2": 0.5})], {})
    independent.write_raw(case, tmp_path)
    (row,) = manifest.rows(tmp_path)
    read = raw.recording(row, tmp_path)
    assert (read.attrs["sample"], read.attrs["state"], read.attrs["area_cm2"]) == ("A", "pristine", 0.5)
    assert np.isnan(read.attrs["thickness_cm"])
