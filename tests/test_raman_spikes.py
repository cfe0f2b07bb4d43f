"""Cosmic rays and narrow lines: one or two struck pixels are a spike, a line is as wide as the optics make it."""

import numpy as np
import pytest
import xarray as xr

import of_others
from coldbond.files import read
from coldbond.raman import axis, neon, spikes
from coldbond.raman.decomposition import decompose
from coldbond.raman.findings import mode_findings

SHIFT = np.arange(350.0, 750.0)
SILICON = 520.5


def spectrum(intensity: np.ndarray, shift: np.ndarray = SHIFT) -> xr.Dataset:
    """As `read` returns it, with the attrs that a bundle adds."""
    attrs = {"axis_uncertainty": 0.0, "sample": "Si", "state": "", "file": "raman/Si.txt"}
    return xr.Dataset({"intensity": ("raman_shift", intensity, {"units": "count"})}, {"raman_shift": shift}, attrs)


def line(width: float, height: float, seed: int = 0, noise: float = 3.0) -> xr.Dataset:
    """One Lorentzian line on a flat background, and nothing else."""
    noisy = 500 + noise * np.random.default_rng(seed).standard_normal(SHIFT.size)
    return spectrum(noisy + height / (1 + (2 * (SHIFT - SILICON) / width) ** 2))


@pytest.mark.parametrize(("width", "height"), [(3.6, 2000.0), (4.0, 200.0), (4.0, 60.0), (6.0, 200.0), (9.0, 5000.0)])
def test_a_line_as_narrow_as_the_instrument_makes_it_is_a_mode(width, height):
    """The only line of the spectrum, four points wide as that of silicon: found, and not cut as a cosmic ray."""
    found = decompose(line(width, height), [], {"Si F2g": SILICON}, (400, 700))
    mode = found.bands["Si F2g"]
    assert mode.present and not found.curves.struck.any()
    assert mode.position.value == pytest.approx(SILICON, abs=0.2)
    assert mode.width.value == pytest.approx(width, abs=0.5)
    assert mode.height.low < height < mode.height.high


@pytest.mark.parametrize("counts", [[60.0], [2000.0], [200.0, 200.0], [90.0, 2000.0], [60.0, 3000.0, 60.0]])
def test_one_or_two_struck_pixels_are_a_cosmic_ray(counts):
    hit = line(4.0, 0.0)
    hit.intensity[170 : 170 + len(counts)] += counts
    found = decompose(hit, [], {"Si F2g": SILICON}, (400, 700))
    assert not found.bands["Si F2g"].present
    assert spikes.positions(SHIFT[50:351], found.curves.struck.to_numpy()) == pytest.approx([520.5], abs=2)


@pytest.mark.parametrize("spacing", [0.4, 0.7])
def test_interpolation_makes_no_line_of_a_cosmic_ray(spacing):
    hit = line(4.0, 0.0)
    hit.intensity[170:172] += 400.0
    fine = hit.interp(raman_shift=np.arange(351.0, 748.0, spacing))
    assert spikes.points_per_pixel(fine.intensity.to_numpy()) == pytest.approx(1 / spacing, rel=0.35)
    found = decompose(fine, [], {"Si F2g": SILICON}, (400, 700))
    assert not found.bands["Si F2g"].present and found.curves.struck.any()


def flat_topped(height: float, seed: int = 0) -> xr.Dataset:
    """A peak 2.5 points wide without tails, as two struck pixels or a line that the instrument barely resolves."""
    one = line(4.0, 0.0, seed)
    one.intensity[169:173] += height * np.array([0.2, 1.0, 1.0, 0.15])
    return one


def test_a_narrow_line_with_tails_is_a_line():
    """2.6 pixels wide and strong: no cosmic ray reaches over seven pixels."""
    found = decompose(line(2.6, 900.0), [], {"Si F2g": SILICON}, (400, 700))
    assert found.bands["Si F2g"].present is True and not found.curves.struck.any()
    assert found.bands["Si F2g"].width.value == pytest.approx(2.6, abs=0.3)


def test_what_cannot_be_told_apart_is_said():
    found = decompose(flat_topped(60.0), [], {"Si F2g": SILICON}, (400, 700))
    assert found.bands["Si F2g"].present is None
    rows = {row["quantity"]: row for row in mode_findings({"Si": found})}
    note = rows["Si F2g_present"]["note"]
    assert "pixels wide: a line or a cosmic ray; state the instrument's resolution" in note
    assert rows["Si_Raman_mode_present"]["value"] is None and "cosmic ray" in rows["Si_Raman_mode_present"]["note"]


def test_the_resolution_or_a_second_recording_tells_a_line_from_a_cosmic_ray():
    peak = flat_topped(60.0)
    mode = {"Si F2g": SILICON}
    assert decompose(peak, [], mode, (400, 700), resolution=2.2).bands["Si F2g"].present is not False
    wide = decompose(peak, [], mode, (400, 700), resolution=4.0)
    assert wide.curves.struck.any() and not wide.uncertain
    again, never = flat_topped(60.0, seed=5), line(4.0, 0.0, seed=5)
    twice = decompose(peak, [], mode, (400, 700), repeats=[again])
    assert twice.bands["Si F2g"].present is True and not twice.curves.struck.any()
    once = decompose(peak, [], mode, (400, 700), repeats=[never])
    assert once.curves.struck.any() and not once.uncertain


def test_a_line_that_nobody_looks_for_is_no_cosmic_ray():
    """Far above the fit, but as wide as a line."""
    one = line(5.0, 40.0)
    one.intensity[250] += 400.0
    found = decompose(one, [], {"another": 600.0}, (400, 700))
    assert not found.curves.struck.sel(raman_shift=slice(515, 526)).any()
    assert found.curves.struck.sel(raman_shift=600.0)


def test_the_line_of_silicon_at_633_nm_keeps_its_top():
    """A real recording, 4 points wide; by hand its top is at 518.69 on an axis that is off by 1.65 (by neon)."""
    path = of_others.file("formats-spectra/h2020charisma__S0B_HLR633_Z010_100_40sx5.txt")
    shift, counts = np.loadtxt(path).T
    for window in ((400, 700), (440, 600), (500, 540)):
        found = decompose(spectrum(counts, shift), [], {"Si": 520.45}, window)
        assert found.bands["Si"].present and not found.curves.struck.sel(raman_shift=slice(510, 530)).any()
        assert found.bands["Si"].position.value == pytest.approx(518.69, abs=0.05)
        assert found.bands["Si"].width.value == pytest.approx(4.0, abs=0.1)


def test_silicon_at_633_nm_on_the_axis_that_its_neon_lamp_calibrates():
    """Columns without a header: 520.33 by hand, 520.45 is true; the axis is joined from positions of the grating."""
    files = {"Ne": "neon_new2_Z010", "Si": "S0B_HLR633_Z010_100_40sx5"}
    recordings = {}
    for name, file in files.items():
        path = of_others.file(f"formats-spectra/h2020charisma__{file}.txt")
        recordings[name] = read(path, technique="raman", excitation=632.8).assign_attrs(
            sample=name, state="", file=name
        )
    spectrum = axis.on_axis(recordings["Si"], neon.calibration(recordings["Ne"], window=(400, 700)), 0.005, 0.5)
    position = decompose(spectrum, [], {"Si": 520.45}, (400, 700)).bands["Si"].position
    assert position.value == pytest.approx(520.33, abs=0.02)
    assert position.low < 520.45 < position.high


def test_the_case_of_silicon_s_line_four_wide():
    case = of_others.case("files-spectra", "raman-si-4-200.txt")
    one = read(case).assign_attrs(axis_uncertainty=0.0, sample="Si", state="")
    mode = decompose(one, [], {"Si F2g": 520.5}, [400, 700]).bands["Si F2g"]
    assert mode.present and mode.position.value == pytest.approx(520.5, abs=0.05)
    assert mode.width.value == pytest.approx(4.0, abs=0.2) and mode.height.value == pytest.approx(200, rel=0.05)
