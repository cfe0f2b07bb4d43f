"""The twin of the photoelectron spectrometer: its physics in exact limits, its counting, its files, its truths."""

from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
import vamas as independent
from python_calamine import load_workbook

import coldbond
from twin import photoemission, surfaces
from twin.photoemission import GRID, Level, Line, Medium, Scan, Surface
from twin.xps import RECORDINGS

RAW = Path(__file__).parents[1] / "raw"
NO_LOSS = Medium(100.0, ((150.0, 10.0, 1.0),), 2.0)  # within any scan
WIDE = Scan("X 3d", 100.0, 140.0, 0.1, sweeps=10, dwell=0.1)
DOUBLET = Level("X 3d", 5.0, (0.02, 0.03), splitting=8.0, share=0.6)


def lone(level: Level = DOUBLET, medium: Medium = NO_LOSS, scan: Scan = WIDE, **line: object) -> Surface:
    """A surface with one line at 115 eV, and nothing else in its spectrum."""
    made = Line(level, "only", **({"position": 115.0, "amount": 0.5, "gaussian": 0.8} | line))
    return Surface(medium, (made,), (scan,), carbon=0.0, secondary=0.0)


def share(sample: str, state: str, level: str, name: str) -> float:
    """Share of a line in the area of its level."""
    areas = photoemission.areas(surfaces.SURFACES[sample, state])
    return areas.get((level, name), 0.0) / sum(area for (of, _), area in areas.items() if of == level)


# --- lines -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changed", [{}, {"asymmetry": 0.1}, {"gaussian": 2.0}, {"layer": (1.0, 3.0)}])
def test_counts_under_a_line_are_its_area(changed):
    surface = lone(**changed)
    (spectrum,) = photoemission.spectra(surface, None)
    (area,) = photoemission.areas(surface).values()
    assert spectrum.counts.sum() * WIDE.step == pytest.approx(area, rel=3e-3)


def test_area_is_that_of_atoms_in_a_layer_seen_through_another():
    surface = replace(lone(layer=(1.0, 3.0)), carbon=2.0)
    kinetic = photoemission.PHOTON_ENERGY - 115.0
    path, carbon = 2.0 * (kinetic / 1e3) ** 0.75, 2.9 * (kinetic / 1e3) ** 0.75
    seen = path * (np.exp(-1.0 / path) - np.exp(-3.0 / path)) * np.exp(-2.0 / carbon)
    rate = surface.flux * 5.0 * 0.5 * (kinetic / 1e3) ** -0.3 * seen
    (area,) = photoemission.areas(surface).values()
    assert area == pytest.approx(rate * 10 * 0.1, rel=1e-3)


def test_doublet_has_its_splitting_and_its_ratio():
    (spectrum,) = photoemission.spectra(lone(scan=replace(WIDE, step=GRID)), None)
    first = spectrum.binding_energy < 119.0
    peaks = [spectrum.binding_energy[part][spectrum.counts[part].argmax()] for part in (first, ~first)]
    assert np.diff(peaks) == pytest.approx(8.0, abs=1e-6)
    assert spectrum.counts[first].sum() / spectrum.counts[~first].sum() == pytest.approx(1.5, rel=2e-3)


@pytest.mark.parametrize("pass_energy", [20.0, 50.0])
def test_line_is_as_broad_as_source_analyser_and_solid_make_it(pass_energy):
    surface = replace(lone(Level("X 3d", 5.0, (1e-4,))), pass_energy=pass_energy)
    (spectrum,) = photoemission.spectra(surface, None)
    mean = np.average(spectrum.binding_energy, weights=spectrum.counts)
    near = np.abs(spectrum.binding_energy - mean) < 6
    variance = np.average((spectrum.binding_energy[near] - mean) ** 2, weights=spectrum.counts[near])
    expected = np.sqrt(0.8**2 + 0.26**2 + (0.015 * pass_energy) ** 2)
    assert 2.3548 * np.sqrt(variance) == pytest.approx(expected, rel=5e-3)
    assert mean == pytest.approx(115.0, abs=2e-3)


def test_metal_of_a_wide_band_has_the_line_of_doniach_and_sunjic(monkeypatch):
    monkeypatch.setattr(photoemission, "CUT_OFF", 200.0)
    index, width = 0.1, 0.5
    surface = replace(lone(Level("X 3d", 5.0, (width,)), gaussian=0.0, asymmetry=index), pass_energy=0.0)
    (metal,) = photoemission.spectra(surface, None)
    e, half = np.linspace(-15, 15, 6001), width / 2
    line = np.cos(np.pi * index / 2 - (1 - index) * np.arctan(e / half)) / (e**2 + half**2) ** ((1 - index) / 2)
    source = np.exp(-4 * np.log(2) * (e / 0.26) ** 2)
    doniach = np.convolve(line, source / source.sum(), "same")
    near = np.abs(metal.binding_energy - 115.0) < 1.0
    ratio = metal.counts[near] / np.interp(metal.binding_energy[near] - 115.0, e, doniach)
    assert ratio / ratio.mean() == pytest.approx(1.0, abs=0.01)
    assert metal.counts[metal.binding_energy > 115.05].sum() > 1.2 * metal.counts[metal.binding_energy < 114.95].sum()


def test_charge_moves_all_lines_of_all_regions_alike():
    surface = replace(surfaces.SURFACES["RT-MCL-LLZ", "pristine"], charge=0.0, secondary=0.0)
    for scan in surface.scans:
        still = photoemission.expected(surface, scan)[1]
        there = replace(scan, low=scan.low + 0.5, high=scan.high + 0.5)
        moved = photoemission.expected(replace(surface, charge=0.5), there)[1]
        np.testing.assert_allclose(moved, still, rtol=1e-6)


def test_uneven_charge_adds_its_mean_to_the_position():
    even, uneven = (photoemission.spectra(replace(lone(), uneven=tail), None)[0] for tail in (0.0, 0.15))
    shift = np.average(uneven.binding_energy, weights=uneven.counts) - np.average(
        even.binding_energy, weights=even.counts
    )
    assert shift == pytest.approx(0.15, abs=0.01)


# --- losses ------------------------------------------------------------------------------------------------------


def test_background_of_an_exponential_loss_is_a_shirley_step():
    # Losses without memory make a Poisson process: any number of them is as likely to end in one place as in another.
    fall = 1 - GRID / 8.0
    once = np.append(0.0, (1 - fall) * fall ** np.arange(999))
    total = photoemission.losses(once, 0.0, np.inf)
    assert total[0] == pytest.approx(1.0)
    np.testing.assert_allclose(total[1:], 1 - fall, rtol=1e-6)


@pytest.mark.parametrize("medium", [surfaces.GARNET, surfaces.NITRIDE, surfaces.MIXED, surfaces.LITHIUM])
def test_losses_of_a_thick_sample_solve_the_equation_of_tougaard(medium):
    once = photoemission.loss_probability(medium, 900)
    total = photoemission.losses(once, 0.0, np.inf)
    unscattered = total - np.convolve(once, total)[: once.size]
    np.testing.assert_allclose(unscattered, np.eye(1, once.size)[0], atol=1e-9)


def test_losses_across_a_layer_have_the_moments_of_a_compound_poisson_distribution():
    size = round(photoemission.FARTHEST_LOSS / GRID)
    loss = GRID * np.arange(size)
    once = np.exp(-(((loss - 20.0) / 4.0) ** 2))
    once /= once.sum()
    total = photoemission.losses(once, 1.3, 1.3)
    assert total.sum() == pytest.approx(1.0, abs=1e-6)
    assert total[0] == pytest.approx(np.exp(-1.3), rel=1e-5)
    assert total @ loss == pytest.approx(1.3 * (once @ loss), rel=1e-4)
    assert total @ loss**2 - (total @ loss) ** 2 == pytest.approx(1.3 * (once @ loss**2), rel=1e-3)


def test_layers_add_up_to_the_whole():
    once = photoemission.loss_probability(surfaces.MIXED, 600)
    parts = [photoemission.losses(once, *depths) for depths in ((0.0, 0.7), (0.7, 2.0), (2.0, np.inf))]
    np.testing.assert_allclose(sum(parts), photoemission.losses(once, 0.0, np.inf), atol=1e-9)


def test_loss_probability_has_its_gap_its_plasmon_and_its_norm():
    size = round(photoemission.FARTHEST_LOSS / GRID)
    loss = GRID * np.arange(size)
    garnet, nitride = (photoemission.loss_probability(m, size) for m in (surfaces.GARNET, surfaces.NITRIDE))
    assert garnet.sum() == pytest.approx(1.0)
    assert garnet[loss <= 5.5].max() == 0.0
    assert loss[nitride.argmax()] == pytest.approx(15.5, abs=1.5)


def test_background_tells_how_deep_a_line_lies():
    behind = []
    for layer in ((0.0, 1.0), (0.0, np.inf), (4.0, np.inf)):
        surface = lone(Level("X 3d", 5.0, (0.05,)), surfaces.MIXED, layer=layer)
        (spectrum,) = photoemission.spectra(surface, None)
        (area,) = photoemission.areas(surface).values()
        behind.append(spectrum.counts[spectrum.binding_energy > 130.0].mean() / area)
    assert behind[0] < 0.5 * behind[1] < 0.25 * behind[2]


# --- counting ----------------------------------------------------------------------------------------------------


def test_counts_are_poisson_distributed():
    surface = surfaces.SURFACES["InN-LLZ", "pristine"]
    expected = np.concatenate([spectrum.counts for spectrum in photoemission.spectra(surface, None)])
    drawn = np.array(
        [np.concatenate([spectrum.counts for spectrum in photoemission.spectra(surface, s)]) for s in range(50)]
    )
    assert drawn.dtype.kind == "i"
    size = drawn.size
    assert ((drawn - expected) ** 2 / expected).mean() == pytest.approx(1.0, abs=4 * np.sqrt(2 / size))
    assert ((drawn - expected) / np.sqrt(expected)).mean() == pytest.approx(0.0, abs=4 / np.sqrt(size))


def test_more_sweeps_and_longer_dwell_give_more_counts():
    scan = surfaces.SURFACES["LLZ", "pristine"].scans[0]
    surface = surfaces.SURFACES["LLZ", "pristine"]
    once = photoemission.expected(surface, scan)[1]
    longer = photoemission.expected(surface, replace(scan, sweeps=2 * scan.sweeps, dwell=3 * scan.dwell))[1]
    np.testing.assert_allclose(longer, 6 * once)


def test_other_truths_can_be_recorded():
    surface = surfaces.SURFACES["HT-MCL-LLZ", "pristine"]
    without = photoemission.altered(surface, "Li 1s", "Li0", amount=0.0)
    assert photoemission.areas(without)["Li 1s", "Li0"] == 0.0
    for spectrum, other in zip(photoemission.spectra(surface, None), photoemission.spectra(without, None), strict=True):
        assert (spectrum.counts.sum() > other.counts.sum() * 1.001) == (spectrum.scan.region == "Li 1s")
    shifted = photoemission.spectra(surface, 1, charge=1.0)
    assert shifted[0].binding_energy[shifted[0].counts.argmax()] == pytest.approx(285.8, abs=0.2)
    with pytest.raises(ValueError, match="no line 'Li1' of 'Li 1s'"):
        photoemission.altered(surface, "Li 1s", "Li1", amount=0.0)


# --- the files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.file)
def test_reading_a_file_gives_what_was_recorded(recording, tmp_path):
    (tmp_path / "xps").mkdir()
    recording.write(tmp_path)
    tree = coldbond.read(tmp_path / recording.file)
    spectra = recording.simulate(seed=crc32(recording.file.encode()))
    assert list(tree.children) == [spectrum.scan.region for spectrum in spectra]
    for spectrum in spectra:
        region, scan = tree[spectrum.scan.region], spectrum.scan
        np.testing.assert_allclose(region.binding_energy, spectrum.binding_energy, atol=1e-6)
        counts = np.rint(region.intensity / region.one_count)
        np.testing.assert_array_equal(counts, spectrum.counts)
        assert region.intensity.attrs["counting"] == "known"
        assert region.attrs["pass_energy"] == spectrum.pass_energy
        assert (region.attrs["sweeps"], region.attrs["dwell_time"]) == (scan.sweeps, scan.dwell)


REGULAR = [r for r in RECORDINGS if r.file.endswith(".vms") and "irregular" not in r.note]


@pytest.mark.parametrize("recording", REGULAR, ids=lambda recording: recording.file)
def test_another_program_reads_the_regular_vamas_files(recording):
    read = independent.Vamas(RAW / recording.file)
    spectra = recording.simulate(seed=crc32(recording.file.encode()))
    assert (read.header.experiment_mode, read.header.scan_mode) == ("NORM", "REGULAR")
    assert "SYNTHETIC" in read.header.comment
    for block, spectrum in zip(read.blocks, spectra, strict=True):
        assert (block.technique, block.analyzer_mode, block.signal_mode) == ("XPS", "FAT", "pulse counting")
        assert f"{block.species_label} {block.transition_or_charge_state_label}" == spectrum.scan.region
        energy = block.x_start + block.x_step * np.arange(spectrum.counts.size)
        kinetic = block.x_label == "Kinetic Energy"
        binding = block.analysis_source_characteristic_energy - energy if kinetic else energy
        np.testing.assert_allclose(binding[::-1], spectrum.binding_energy, atol=1e-6)
        counts, *others = block.corresponding_variables
        np.testing.assert_array_equal(counts.y_values[::-1], spectrum.counts)
        assert (counts.y_min, counts.y_max) == (min(counts.y_values), max(counts.y_values))
        for transmission in others:
            np.testing.assert_allclose(transmission.y_values[::-1], spectrum.transmission, rtol=1e-5)
        assert block.num_scans_to_compile_block == spectrum.scan.sweeps
        assert block.signal_collection_time == spectrum.scan.dwell


def test_formats_are_of_every_kind():
    heads = {r.file: (RAW / r.file).read_bytes() for r in RECORDINGS}
    assert sum(data.startswith(b"PK") for data in heads.values()) == 1
    assert sum(b"\r\nIRREGULAR\r\n" in data for data in heads.values()) == 1
    assert sum(b"\r\nTransmission\r\n" in data for data in heads.values()) == 1
    assert {b"\r\nKinetic Energy\r\n" in data for data in heads.values() if data.startswith(b"VAMAS")} == {True, False}


def test_irregular_file_has_irregular_steps():
    (recording,) = [r for r in RECORDINGS if "irregular" in r.note]
    for region in coldbond.read(RAW / recording.file).children.values():
        steps = np.diff(region.binding_energy)
        assert steps.max() == pytest.approx(4 * steps.min(), rel=1e-3)


def test_workbook_has_the_cells_of_avantage():
    (recording,) = [r for r in RECORDINGS if r.file.endswith("xlsx")]
    book = load_workbook(RAW / recording.file)
    assert book.sheet_names[0] == "Titles"
    assert book.sheet_names[-1] == "Peak Table"
    assert ["Carbon BE", 284.83] in [row[:2] for row in book.get_sheet_by_name("Titles").to_python()]
    for name in book.sheet_names[1:-1]:
        assert name.endswith(" Scan")
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        assert rows[6][:4] == ["Axis", "Energy", "Elements=", len(rows) - 16]
        assert rows[0][7] == "Acquisition Parameters :"
        assert (rows[14][0], rows[15][0], rows[15][2]) == ("Binding Energy (E)", "eV", "Counts / s")
        assert rows[16][0] > rows[17][0]


def test_files_are_small_and_say_no_truth():
    words = ("li0", "li3n", "li2o", "metallic", "reduced", "shift", "charge", "absent", "present", "remain")
    for recording in RECORDINGS:
        assert (RAW / recording.file).stat().st_size < 150e3
        assert not any(word in recording.note.lower() for word in words)


# --- the truths, as the paper tells them ---------------------------------------------------------------------------


@pytest.mark.parametrize("sample", ["HT-MCL-LLZ", "RT-MCL-LLZ"])
def test_both_layers_hold_nitride_and_oxide_of_lithium(sample):
    lines = {(line.level.name, line.name): line for line in surfaces.SURFACES[sample, "pristine"].lines}
    assert lines["Li 1s", "Li3N"].position == 55.2
    assert lines["Li 1s", "Li2O"].position == 55.9
    assert lines["N 1s", "Li3N"].position == 398.5
    assert min(share(sample, "pristine", "Li 1s", name) for name in ("Li3N", "Li2O")) > 0.3


def test_metallic_lithium_and_inn_remain_after_the_melt_only():
    assert 0.15 < share("HT-MCL-LLZ", "pristine", "Li 1s", "Li0") < 0.2
    assert share("HT-MCL-LLZ", "pristine", "N 1s", "InN") == pytest.approx(0.3, abs=0.01)
    assert share("HT-MCL-LLZ", "pristine", "In 3d", "InN") == pytest.approx(0.3, abs=0.01)
    for level, name in (("Li 1s", "Li0"), ("N 1s", "InN"), ("In 3d", "InN")):
        assert share("RT-MCL-LLZ", "pristine", level, name) == 0.0


def test_indium_shifts_down_by_different_amounts():
    centre = {}
    for sample in ("InN-LLZ", "HT-MCL-LLZ", "RT-MCL-LLZ"):
        indium = [line for line in surfaces.SURFACES[sample, "pristine"].lines if line.level.name == "In 3d"]
        centre[sample] = sum(share(sample, "pristine", "In 3d", line.name) * line.position for line in indium)
    assert centre["InN-LLZ"] - centre["HT-MCL-LLZ"] == pytest.approx(0.35, abs=0.05)
    assert centre["InN-LLZ"] - centre["RT-MCL-LLZ"] == pytest.approx(0.7, abs=0.05)


def test_zirconium_is_reduced_in_cycled_bare_llz_only():
    assert share("LLZ", "after 200 cycles", "Zr 3d", "reduced Zr") == pytest.approx(0.25, abs=0.01)
    assert share("RT-MCL-LLZ", "after 200 cycles", "Zr 3d", "Zr4+") == 1.0
    assert share("LLZ", "pristine", "Zr 3d", "Zr4+") == 1.0


def test_regions_are_those_that_the_figures_need():
    regions = {key: {scan.region for scan in surface.scans} for key, surface in surfaces.SURFACES.items()}
    assert all("C 1s" in names for names in regions.values())
    for sample in ("HT-MCL-LLZ", "RT-MCL-LLZ"):
        assert {"Li 1s", "In 3d", "N 1s", "O 1s"} < regions[sample, "pristine"]
    assert {"In 3d", "N 1s"} < regions["InN-LLZ", "pristine"]
    assert {"Li 1s", "Zr 3d"} < regions["LLZ", "pristine"] & regions["LLZ", "after 200 cycles"]
    assert {"Li 1s", "In 3d", "N 1s"} < regions["Li", "after 200 cycles"] & regions["RT-MCL-LLZ", "after 200 cycles"]
