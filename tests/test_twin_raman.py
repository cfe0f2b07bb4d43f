"""The twin's Raman recordings: the reader reads them, and the analysis, which does not know the truths, finds them."""

import re
from zlib import crc32

import numpy as np
import pytest
import xarray as xr

from coldbond import read
from coldbond.raman import axis, neon
from coldbond.raman.decomposition import decompose
from twin import microscope, raman, vibrations

BANDS = [250, 370, 415, 515, 640, 730]
MODES = {"InN E2(high)": 490.1, "InN A1(LO)": 585.4}
TRUTHS = dict(zip(MODES, (band.position for band in vibrations.INN.values()), strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    (folder / "raman").mkdir()
    for recording in raman.RECORDINGS:
        recording.write(folder)
    return folder


@pytest.mark.parametrize("recording", raman.RECORDINGS, ids=lambda recording: recording.sample)
def test_files_say_what_was_simulated(folder, recording):
    simulated = recording.simulate(seed=crc32(recording.file.encode()))
    found = read(folder / recording.file)
    np.testing.assert_allclose(found.raman_shift, simulated.shift, atol=6e-4)
    np.testing.assert_allclose(found.intensity, simulated.counts, atol=6e-3)
    assert found.technique == "raman" and found.excitation == 532.0
    text = (folder / recording.file).read_bytes().decode("ascii")
    assert "##DATA TYPE= RAMAN SPECTRUM\r\n" in text and text.endswith("##END=\r\n")
    assert max(map(len, text.split("\r\n"))) <= 80
    assert re.search(r"##XYDATA= \((XY\.\.XY|X\+\+\(Y\.\.Y\))\)", text)


def test_noise_is_that_of_counting_and_of_reading():
    """The same pixel over 200 exposures of the lamp, away from its lines and from cosmic rays."""
    counts = np.array([microscope.lamp("Ne", seed=seed).counts for seed in range(200)])
    dark = np.median(counts, axis=0) < 45
    spread = 1.4826 * np.median(np.abs(counts[:, dark] - np.median(counts[:, dark], axis=0)), axis=0)
    assert np.median(spread) == pytest.approx(np.sqrt(40 + microscope.READ_NOISE**2), rel=0.1)
    assert counts.max() == microscope.FULL_WELL


def test_interpolation_makes_neighbours_alike():
    def correlation(spacing):
        counts = microscope.surface("S", vibrations.LLZ, spacing, seed=1)
        part = (counts.shift > 1500) & (counts.shift < 3000)
        rest = counts.counts[part] - np.poly1d(np.polyfit(counts.shift[part], counts.counts[part], 5))(
            counts.shift[part]
        )
        rest = rest[np.abs(rest) < 25]
        return np.corrcoef(rest[1:], rest[:-1])[0, 1]

    assert abs(correlation(None)) < 0.1 < 0.5 < correlation(0.9642)


def dataset(simulated):
    attrs = {"excitation": microscope.NOMINAL, "sample": simulated.title, "state": ""}
    return xr.Dataset({"intensity": ("raman_shift", simulated.counts)}, {"raman_shift": simulated.shift}, attrs)


def test_truth_is_found_again():
    """Each surface in each form: no mode in LLZ, both in InN-LLZ, with positions that cover the truth."""
    covered = 0
    for seed, spacing in enumerate((None, 0.9642)):
        surfaces = {"LLZ": vibrations.LLZ, "InN-LLZ": vibrations.INN_LLZ}
        recordings = {
            label: dataset(microscope.surface(label, of, spacing, seed=len(label) * 10 + seed))
            for label, of in surfaces.items()
        }
        of_lamp = neon.calibration(dataset(microscope.lamp("Ne", seed=seed)))
        spectra = {label: axis.on_axis(one, of_lamp, 0.005, 0.5) for label, one in recordings.items()}
        bare, coated = (decompose(spectra[label], BANDS, MODES, (160, 900)) for label in surfaces)
        assert not any(mode.present for mode in bare.modes.values())
        assert all(mode.present for mode in coated.modes.values())
        for mode, truth in TRUTHS.items():
            _, low, high = coated.bands[mode].position
            covered += low < truth < high
            assert high - low < 3.5
            assert 0 < bare.bands[mode].height.high < 25
    assert covered >= 3  # of 4
