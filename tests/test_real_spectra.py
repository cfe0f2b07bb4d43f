"""Real XPS and Raman files; the truth is taken from them by other means."""

import numpy as np
import pytest
import vamas

import of_others
from coldbond.files import ReadError, read

AXIS, SPECS = "xps-vamas-axis/0-150W.vms", "xps-vamas-kratos-specs"


def lines(name: str) -> list[str]:
    return of_others.file(name).read_text().splitlines()


def last_numbers(name: str, rows: int, columns: int) -> np.ndarray:
    """The last numbers of a VAMAS file, before its closing line."""
    return np.array(lines(name)[-1 - rows * columns : -1], float).reshape(rows, columns)


@pytest.mark.parametrize("name", [AXIS, f"{SPECS}/regular.vms"])
def test_regular_blocks_are_what_another_reader_finds(name):
    tree = read(of_others.file(name))
    theirs = vamas.Vamas(of_others.file(name).read_bytes().lstrip())  # which stumbles over blank lines at the start
    assert len(theirs.blocks) == len(tree.children)
    for block, region in zip(theirs.blocks, tree.children.values(), strict=True):
        photons = block.analysis_source_characteristic_energy
        points = len(block.corresponding_variables[0].y_values)
        kinetic = block.x_start + block.x_step * np.arange(points)
        np.testing.assert_allclose(region.binding_energy[::-1], photons - kinetic, rtol=0, atol=1e-8)
        intensity, transmission = (variable.y_values for variable in block.corresponding_variables)
        np.testing.assert_array_equal(region.intensity[::-1], intensity)
        np.testing.assert_array_equal(region.transmission[::-1], transmission)
        attrs = region.attrs
        assert attrs["photon_energy"] == photons and attrs["sweeps"] == block.num_scans_to_compile_block
        assert attrs["pass_energy"] == block.analyzer_pass_energy_or_retard_ratio_or_mass_res
        assert attrs["dwell_time"] == block.signal_collection_time and attrs["sample_name"] == block.sample_identifier


def test_the_regions_of_the_axis_file_are_where_its_comments_say():
    """Each block's comment gives its range of kinetic energy, sweeps and dwell time in words."""
    tree, text = read(of_others.file(AXIS)), lines(AXIS)
    assert list(tree.children) == ["wide", "Ni 2p", "O 1s", "C 1s", "W 4f"]
    for name, region in tree.children.items():
        said = next(line for line in text if line.startswith(f"{name} : "))  # "O 1s : 941.690-966.690eV, Sweeps 5"
        low, high = said.split(" : ")[1].split("eV")[0].split("-")
        assert float(region.binding_energy[-1]) == pytest.approx(1486.69 - float(low), abs=1e-6)
        assert float(region.binding_energy[0]) == pytest.approx(1486.69 - float(high), abs=1e-6)
        assert region.attrs["sweeps"] == int(said.split("Sweeps ")[1])
        dwell = next(line for line in text[text.index(said) :] if line.startswith("Dwell time"))
        assert region.attrs["dwell_time"] == pytest.approx(float(dwell.split(": ")[1][:-2]) / 1e3, rel=0.01)
        assert region.attrs["work_function"] == -4.5 and region.attrs["instrument"] == "MI-600-BE9240AA"
        assert region.intensity.attrs["counting"] == "known" and float(region.one_count[0]) == 1


def test_the_irregular_scan_is_the_regular_one_as_a_rate():
    """Both files are exports of one recording: counts of 0.1 s, and counts per second."""
    regular, irregular = (read(of_others.file(SPECS, f"{name}.vms"))["Survey"] for name in ("regular", "irregular"))
    np.testing.assert_allclose(irregular.binding_energy, regular.binding_energy, rtol=0, atol=1e-8)
    np.testing.assert_allclose(irregular.intensity, regular.intensity * 10, rtol=1e-5)
    np.testing.assert_allclose(irregular.transmission, regular.transmission, rtol=1e-6)
    assert (regular.intensity.attrs["units"], irregular.intensity.attrs["units"]) == ("count", "count/s")
    kinetic, intensity, _ = last_numbers(f"{SPECS}/irregular.vms", irregular.sizes["binding_energy"], 3).T
    np.testing.assert_allclose(irregular.binding_energy[::-1], 1486.61 - kinetic, rtol=0, atol=1e-8)
    np.testing.assert_array_equal(irregular.intensity[::-1], intensity)
    for region in (regular, irregular):  # divided by something before they were written
        assert region.intensity.attrs["counting"] == "unknown: the file's counts are not whole numbers"
    assert regular.attrs["pass_energy"] == 100 and "pass_energy" not in irregular.attrs  # where 1e+37 stands


def test_the_analysed_file_reads_as_recorded():
    region = read(of_others.file(SPECS, "FeO_analyzed.vms"))["Fe 2p"]
    kinetic, intensity, transmission = last_numbers(f"{SPECS}/FeO_analyzed.vms", 1121, 3).T
    np.testing.assert_allclose(region.binding_energy[::-1], 1486.61 - kinetic, rtol=0, atol=1e-8)
    np.testing.assert_array_equal(region.intensity[::-1], intensity)
    np.testing.assert_array_equal(region.transmission[::-1], transmission)
    assert region.attrs["unread"] == "fit by CasaXPS"
    peak = region.intensity.sel(binding_energy=slice(705, 715)).idxmax()
    assert float(peak) == pytest.approx(709.03, abs=1.5)  # CasaXPS's table


def test_text_with_binding_energies():
    region = read(of_others.file("xps-vamas-axis/PET_C1s.csv"))["C 1s"]
    energy, intensity = np.loadtxt(of_others.file("xps-vamas-axis/PET_C1s.csv"), delimiter=",", skiprows=1).T
    np.testing.assert_array_equal(region.binding_energy, energy[::-1])
    np.testing.assert_array_equal(region.intensity, intensity[::-1])
    assert region.attrs["energy_scale"] == "binding" and region.intensity.attrs["counting"].startswith("unknown")


def test_text_with_kinetic_energies_and_the_photons_in_its_header():
    region = read(of_others.file("xps-au4f-lmfitxps/clean_Au_4f.csv"))["Au 4f"]
    kinetic, intensity = np.loadtxt(of_others.file("xps-au4f-lmfitxps/clean_Au_4f.csv"), delimiter=",").T
    np.testing.assert_allclose(region.binding_energy, 180 - kinetic[::-1], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(region.intensity, intensity[::-1])
    assert region.attrs["photon_energy"] == 180 and region.attrs["energy_scale"] == "kinetic"


def test_text_that_states_nothing_reads_once_a_line_says_what_it_is(tmp_path):
    edge, table = (of_others.file("xps-au4f-lmfitxps", name) for name in ("FermiEdge.csv", "clean_Au_4f.txt"))
    for path in (edge, table):
        with pytest.raises(ReadError, match="numbers without a header"):
            read(path)
    copy = tmp_path / edge.name
    copy.write_text("# kinetic_energy/eV, counts, photon_energy_eV: 240\n" + edge.read_text())
    region = read(copy)["FermiEdge"]
    np.testing.assert_allclose(240 - region.binding_energy[::-1], np.loadtxt(edge, delimiter=",")[:, 0], atol=1e-9)
    assert region.intensity.attrs["counting"] == "known"
    copy = tmp_path / table.name
    names = "; ".join(["E_kin/eV", *(f"channel {number}" for number in range(1, 10)), "counts"])
    copy.write_text(f"# photon_energy_eV: 180\n# {names}\n{table.read_text()}")
    csv = read(of_others.file("xps-au4f-lmfitxps/clean_Au_4f.csv"))["Au 4f"]
    counts = read(copy)["Au 4f"].intensity  # the sum of the channels; in the csv someone smoothed the first of them
    np.testing.assert_array_equal(counts[:-1], csv.intensity[:-1])
    assert (float(counts[-1]), float(csv.intensity[-1])) == (8916, 9616)


def test_the_text_made_of_a_ras_is_the_ras_once_its_wavelengths_are_stated(tmp_path):
    path = of_others.file("xrd-rigaku-ras-nims/XRD_RIGAKU.csv")
    with pytest.raises(ReadError, match="states no wavelength"):
        read(path)
    copy = tmp_path / path.name
    copy.write_text("# wavelength: 1.540593 1.544414\n" + path.read_text())
    pattern, ras = read(copy), read(path.with_suffix(".ras"))
    np.testing.assert_allclose(pattern.two_theta, ras.two_theta, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(pattern.intensity, ras.intensity)
    for name in ("wavelength_kalpha1", "wavelength_kalpha2"):
        assert pattern.attrs[name] == ras.attrs[name]
    assert pattern.intensity.attrs["counting"] == "known"


def test_jcamp_of_pairs():
    path = of_others.file("raman-jcampdx/tannic_acid.jdx")
    spectrum = read(path)
    shift, intensity = np.loadtxt(path, delimiter=",", comments="##").T
    np.testing.assert_array_equal(spectrum.raman_shift, shift)
    np.testing.assert_array_equal(spectrum.intensity, intensity)
    assert spectrum.sizes["raman_shift"] == 1949 and spectrum.attrs["instrument"] == "Ocean Optics R2000"
    assert spectrum.attrs["sample_name"] == "tannic acid" and spectrum.attrs["date"] == "2000/10/04 14:47"
    assert spectrum.intensity.attrs["units"] == "arbitrary units"


@pytest.mark.parametrize(
    ("name", "seconds", "accumulations"), [("S0B10", 60, 2), ("Polystyrene", 3, 7), ("Neon", 0.1, 2)]
)
def test_bwtek(name, seconds, accumulations):
    spectrum = read(of_others.file(f"raman-si-532-bwtek/{name}_532.txt"))
    rows = [line.replace(",", ".").split(";") for line in lines(f"raman-si-532-bwtek/{name}_532.txt")[89:]]
    rows = [row for row in rows if row[3].strip()]
    np.testing.assert_array_equal(spectrum.raman_shift, [float(row[3]) for row in rows])
    np.testing.assert_array_equal(spectrum.intensity, [float(row[7]) for row in rows])
    attrs = spectrum.attrs
    assert (attrs["excitation"], attrs["integration_time"], attrs["accumulations"]) == (532.02, seconds, accumulations)
    assert attrs["instrument"] == "BTC162E-532S-SYS" and spectrum.sizes["raman_shift"] == 1801


def test_the_strongest_lines_are_where_they_belong():
    silicon = read(of_others.file("raman-si-532-bwtek/S0B10_532.txt")).intensity.sel(raman_shift=slice(400, 700))
    assert float(silicon.idxmax()) == pytest.approx(520.45, abs=4)  # CWA 18133; a pixel is 3 /cm
    styrene = read(of_others.file("raman-si-532-bwtek/Polystyrene_532.txt")).intensity.sel(raman_shift=slice(950, 1050))
    assert float(styrene.idxmax()) == pytest.approx(1001.4, abs=4)


@pytest.mark.parametrize("name", [AXIS, f"{SPECS}/FeO_analyzed.vms", "raman-jcampdx/tannic_acid.jdx"])
def test_a_real_file_cut_off_is_refused(tmp_path, name):
    data = of_others.file(name).read_bytes()
    for share in np.linspace(0.02, 0.999, 25):
        path = tmp_path / "cut"
        path.write_bytes(data[: int(share * len(data))])
        with pytest.raises(ReadError):
            read(path)
