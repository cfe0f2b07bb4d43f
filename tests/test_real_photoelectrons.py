"""Photoelectron files from instruments, and files with their right result beside them.

The truth is taken from the files by other means.
"""

import numpy as np
import pytest

import of_others
from coldbond import ReadError, read


def rows(path: str, start: str, count: int) -> np.ndarray:
    """The `count` rows of numbers below the first line that starts like this."""
    lines = of_others.file(path).read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(start))
    numbers = [line.split() for line in lines[at:] if line.strip() and line.strip()[0] in "0123456789"]
    return np.array(numbers[:count], float)


def test_specs():
    path = "formats-spectra/FAIRmat-NFDI__MgFe2O4_small.xy"
    tree = read(of_others.file(path))
    assert list(tree.children) == ["Survey", "Fe 2p"]
    for name, label, count, passed, dwell in (("Survey", "Survey", 1351, 100, 0.1), ("Fe 2p", "Fe2p", 56, 20, 0.3)):
        energy, intensity = rows(path, f"# Region:                       {label}", count).T
        region = tree[name]
        np.testing.assert_array_equal(region.binding_energy, energy[::-1])
        np.testing.assert_array_equal(region.intensity, intensity[::-1])
        attrs = region.attrs
        assert (attrs["pass_energy"], attrs["dwell_time"], attrs["photon_energy"]) == (passed, dwell, 1486.61)
        assert attrs["sweeps"] == 1 and attrs["sample_name"] == "1 as-loaded"
    assert tree["Survey"].sizes == {"binding_energy": 1351} and tree["Fe 2p"].attrs["start"] == "2023-08-24T14:11:36"


def test_specs_is_the_vamas_of_the_same_recording():
    """SpecsLab exported the survey as .xy and as VAMAS."""
    text = read(of_others.file("formats-spectra/FAIRmat-NFDI__MgFe2O4_small.xy"))["Survey"]
    block = read(of_others.file("xps-vamas-kratos-specs/irregular.vms"))["Survey"]
    np.testing.assert_allclose(text.binding_energy, block.binding_energy, rtol=0, atol=1e-6)
    np.testing.assert_allclose(text.intensity, block.intensity, rtol=1e-5)


def test_scienta():
    path = "formats-spectra/FAIRmat-NFDI__Ag_0001.txt"
    region = read(of_others.file(path))["Ag 3d"]
    energy, intensity = rows(path, "[Data 1]", 361).T
    np.testing.assert_array_equal(region.binding_energy, energy[::-1])
    np.testing.assert_array_equal(region.intensity, intensity[::-1])
    assert (region.attrs["photon_energy"], region.attrs["pass_energy"], region.attrs["sweeps"]) == (520, 50, 2)
    lines = [float(region.intensity.sel(binding_energy=slice(*ends)).idxmax()) for ends in ((366, 372), (373, 379))]
    assert lines[1] - lines[0] == pytest.approx(6.0, abs=0.1)  # tabulated splitting of Ag 3d; 520 eV is not calibrated
    assert region.intensity.attrs["counting"].startswith("unknown")


def test_phi():
    path = of_others.file("formats-spectra/FAIRmat-NFDI__SnO2_10nm.spe")
    region = read(path)["Survey"]
    intensity = np.frombuffer(path.read_bytes()[-4 * 1751 :], "<f4")
    np.testing.assert_array_equal(region.intensity, intensity[::-1])
    np.testing.assert_allclose(region.binding_energy, np.arange(1751) * 0.8, rtol=0, atol=1e-9)
    assert (region.attrs["photon_energy"], region.attrs["pass_energy"], region.attrs["dwell_time"]) == (
        1486.6,
        224,
        0.12,
    )
    assert region.attrs["start"] == "2024-01-22" and region.intensity.attrs["counting"] == "known"
    # Tabulated Sn 3d5/2 and O 1s of SnO2, at 486.7 and 530.6 eV, within two steps of the survey and some charging.
    for position in (486.7, 530.6):
        near = region.intensity.sel(binding_energy=slice(position - 5, position + 5))
        assert abs(float(near.idxmax()) - position) < 3


def test_the_vamas_of_multipak():
    path = of_others.file("xps-phi-vamas-npl/Mutlipak_vms.npl")
    tree = read(path)
    assert list(tree.children) == ["C 1s", "O 1s", "S 2p", "N 1s", "Mo 3d"]
    lines = path.read_text().split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith("601"))
    intensity = np.array([float(line) for line in lines[at + 3 : at + 604]])
    region = tree["C 1s"]
    np.testing.assert_array_equal(region.intensity, intensity[::-1])
    np.testing.assert_allclose(region.binding_energy, (305 - 0.05 * np.arange(601))[::-1], rtol=0, atol=1e-9)
    assert float(region.one_count[0]) == 2.5 and region.attrs["energy_scale"] == "binding"  # 0.4 s, one sweep


@pytest.mark.parametrize(
    ("name", "region", "ends", "intensities"),
    [
        ("specs-kinetic-axis.xy", "C 1s", (284, 290), (100, 1500)),
        ("specs-binding-axis.xy", "C 1s", (284, 290), (100, 1500)),
        ("scienta-binding.txt", "Ag 3d", (368, 370), (15, 29)),
        ("scienta-binding-mended-as-told.txt", "Ag 3d", (368, 370), (15, 29)),
    ],
)
def test_cases(name, region, ends, intensities):
    found = read(of_others.case("files-spectra", name))[region]
    np.testing.assert_allclose(found.binding_energy[[0, -1]], ends, rtol=0, atol=1e-9)
    assert (float(found.intensity.min()), float(found.intensity.max())) == intensities
    if name.startswith("specs"):
        assert float(found.intensity.idxmax()) == pytest.approx(285)


def test_the_case_of_two_samples():
    path = of_others.case("files-spectra", "vamas-two-samples.vms")
    assert list(read(path).children) == ["C 1s, Pt #002", "C 1s, Pt #003"]
    assert list(read(path, sample="Pt #003").children) == ["C 1s"]


def test_the_case_of_a_photon_energy_in_kev():
    try:
        (region,) = read(of_others.case("files-spectra", "xps-photon-energy-kev.txt")).children.values()
    except ReadError as error:
        assert "eV" in error.reason
    else:
        assert region.attrs["photon_energy"] == pytest.approx(1486.6)
        np.testing.assert_allclose(region.binding_energy[[0, -1]], (289.5, 290.6), rtol=0, atol=1e-6)
    tree = read(of_others.case("files-spectra", "xps-photon-energy-kev.txt"), photon_energy=1486.6)
    (region,) = tree.children.values()
    np.testing.assert_allclose(region.binding_energy[[0, -1]], (289.5, 290.6), rtol=0, atol=1e-6)
