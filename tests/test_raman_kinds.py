"""Raman spectra as other laboratories record them: right, or it cannot be told and the note says why."""

import numpy as np
import pytest
import xarray as xr

import of_others
from closure import parameters, verdict
from coldbond.files import read
from coldbond.interval import NORMAL
from coldbond.raman import axis, neon, reference, saturation, standard
from coldbond.raman.confidence_intervals import axis_uncertainty_at
from coldbond.raman.decomposition import decompose
from coldbond.raman.findings import axis_findings, band_table, mode_findings
from independent import Case, raman_spectra

REFERENCE = reference.load()
NOTEBOOK = parameters("fig2g_raman")
LLZO, INN = NOTEBOOK["bands"], NOTEBOOK["modes"]


def findings(case: Case) -> dict:
    """Return what the notebook finds, by sample, state and quantity."""
    of = NOTEBOOK | dict(case.parameters)
    recordings = {
        made.sample: made.recording.assign_attrs(sample=made.sample, state=made.state, file=made.sample)
        for made in case.made
    }
    lines = REFERENCE.calibration(of["calibration"])
    lamps = {
        name: axis.lamp_calibration(one, of["lamp"], lines, of["axis_slope"], of["window"])
        for name, one in recordings.items()
    }
    options = (of["lamp"], axis.only_calibration(lamps), of["laser_uncertainty"], of["axis_uncertainty"])
    model = (of["bands"], of["modes"], of["window"], REFERENCE.rivals(of["rivals"]), of["relevant"], of["resolution"])
    all_of_them = {name: axis.decomposed(one, recordings, *options, *model) for name, one in recordings.items()}
    found = {name: one for name, one in all_of_them.items() if one is not None}
    assert len(band_table(found))
    return {(row["sample"], row["state"], row["quantity"]): row for row in mode_findings(found)}


@pytest.mark.parametrize("kind", raman_spectra.KINDS)
def test_right_or_it_cannot_be_told(kind):
    case = raman_spectra.KINDS[kind](3)
    found = findings(case)
    for key, true in case.truths.items():
        assert verdict(true, found[key]) in ("right", "silent"), found[key]
        if true is None or found[key]["value"] is None:
            note = found[key]["note"]
            assert "cannot be told: " in note or "saturated" in note


@pytest.mark.parametrize("kind", ["InN on garnet", "bare garnet", "785 nm with neon", "narrow silicon"])
def test_plain_cases_are_decided(kind):
    """`None` everywhere would never be wrong."""
    case = raman_spectra.KINDS[kind](2)
    found = findings(case)
    assert all(verdict(true, found[key]) == "right" for key, true in case.truths.items()), found


def fine(*lines: tuple[float, float, float], noise: float = 1.0, seed: int = 0) -> xr.Dataset:
    """Garnet as Gaussians with further lines (position, width, height), nearly without noise."""
    shift = np.arange(120.0, 950.0, 1.2)
    rng = np.random.default_rng(seed)
    bands = ((250, 60, 60), (370, 60, 70), (415, 40, 15), (515, 55, 12), (640, 55, 100), (730, 45, 30), *lines)
    light = sum(height * np.exp(-2.7726 * ((shift - at) / width) ** 2) for at, width, height in bands)
    attrs = {"sample": "S", "state": "", "axis_uncertainty": 0.3}
    counts = 400 + 0.1 * shift + light + noise * rng.standard_normal(shift.size)
    return xr.Dataset({"intensity": ("raman_shift", counts, {"units": "count"})}, {"raman_shift": shift}, attrs)


BOTH = ((490.0, 14.0, 50.0), (585.0, 20.0, 60.0))


def test_both_modes_prove_a_nitride_and_one_does_not():
    rivals = REFERENCE.rivals(NOTEBOOK["rivals"])
    both = decompose(fine(*BOTH), LLZO, INN, (160, 900), rivals=rivals)
    assert both.verdicts == {"InN": (True, "")}
    one = decompose(fine(BOTH[0]), LLZO, INN, (160, 900), rivals=rivals)
    assert one.verdicts["InN"][0] is None and "found alone" in one.verdicts["InN"][1]


def test_modes_that_another_phase_explains_prove_nothing():
    """A made-up phase with lines at both places and one at 850: the latter decides."""
    both = {"source": "", "spread": 2.0}
    rival = reference.Phase("X", lines={490.0: 90.0, 586.0: 100.0, 850.0: 50.0}, **both)
    alone = decompose(fine(*BOTH), LLZO, INN, (160, 900), rivals=[rival])
    assert alone.verdicts["InN"] == (True, "")  # nothing stands at 850
    beside = decompose(fine(*BOTH, (850.0, 12.0, 25.0)), LLZO, INN, (160, 900), rivals=[rival])
    assert beside.verdicts["InN"][0] is None
    assert "InN E2(high) may be a line of X" in beside.verdicts["InN"][1]
    silent = reference.Phase("Y", lines={490.0: 90.0, 586.0: 100.0}, **both)
    assert decompose(fine(*BOTH), LLZO, INN, (160, 900), rivals=[silent]).verdicts["InN"][0] is None


def test_absence_needs_a_limit_below_the_height_that_matters():
    spectra = {noise: fine(noise=noise) for noise in (1.0, 12.0)}
    quiet, loud = (decompose(one, LLZO, INN, (160, 900)) for one in spectra.values())
    assert quiet.verdicts["InN"] == (False, "")
    assert loud.verdicts["InN"][0] is None and "the upper limit is not below 20 %" in loud.verdicts["InN"][1]
    strict = decompose(spectra[1.0], LLZO, INN, (160, 900), relevant=0.5)
    assert strict.verdicts["InN"][0] is None
    without = decompose(spectra[1.0], [], INN, (460, 620))
    assert without.verdicts["InN"][0] is None and "no band of the sample" in without.verdicts["InN"][1]


def test_fringes_are_part_of_the_limit():
    shift = fine().raman_shift
    fringes = fine() + 8 * np.sin(2 * np.pi * shift / 45.0)
    plain, struck = (
        decompose(one.assign_attrs(fine().attrs), LLZO, INN, (160, 900)).bands["InN E2(high)"]
        for one in (fine(), fringes)
    )
    assert struck.present is not True and struck.height.high > 2 * plain.height.high


def peaked(top: float = 1e9, noise: float = 8.0) -> xr.Dataset:
    shift = np.arange(440.0, 600.0, 0.9)
    counts = (
        900 + 80000 / (1 + ((shift - 521.2) / 2.4) ** 2) + noise * np.random.default_rng(0).standard_normal(shift.size)
    )
    attrs = {"sample": "Si", "state": "", "axis_uncertainty": 0.0}
    counts = np.minimum(counts, top)
    return xr.Dataset({"intensity": ("raman_shift", counts, {"units": "count"})}, {"raman_shift": shift}, attrs)


@pytest.mark.parametrize(
    "top", [65535.0, 40123.4], ids=["the limit of 16 bits", "a full pixel, dark counts subtracted"]
)
def test_saturated_tops_are_seen_and_carry_no_weight(top):
    one = peaked(top)
    dark = one.assign(intensity=one.intensity + 0.3 * np.random.default_rng(1).standard_normal(one.intensity.size))
    for spectrum in (one, dark if top != 65535.0 else one):
        clipped = saturation.clipped(spectrum)
        expected = peaked().intensity.to_numpy() > top
        assert (clipped == expected).mean() > 0.98 and clipped.any()
        found = decompose(spectrum, [], {"Si": 520.45}, (440, 600))
        mode = found.bands["Si"]
        assert mode.found and mode.is_cut and mode.height.value is None
        assert mode.position.low < 521.2 < mode.position.high
        rows = {row["quantity"]: row for row in mode_findings({"Si": found})}
        assert (
            rows["saturated_points"]["value"] == clipped.sum()
            and "detector was full" in rows["saturated_points"]["note"]
        )
        assert "saturated" in rows["height_of_Si"]["note"]


@pytest.mark.parametrize("spectrum", [peaked(), fine(), fine(*BOTH, noise=0.2)])
def test_tops_that_are_not_flat_are_not_saturated(spectrum):
    assert not saturation.clipped(spectrum).any()


def test_lines_from_405_to_1000_nm():
    """Both lines of each pair lie within the range that a laser of 785 nm needs."""
    assert {837.76080, 849.53598, 878.06226} < {*neon.LINES} and neon.LINES[-1] > 960
    case = raman_spectra.infrared(0)
    lamp = case.made[1].recording.assign_attrs(sample="Ne", state="", file="Ne")
    found = neon.calibration(lamp, window=(160, 900))
    assert (found.verdict == "used").sum() >= 8 and found.resolution == pytest.approx(4.5, abs=1.6)


def test_an_axis_that_is_off_by_many_lines_widths_is_found():
    case = raman_spectra.infrared(0)
    lamp = case.made[1].recording.assign_attrs(sample="Ne", state="", file="Ne")
    off = lamp.assign_coords(raman_shift=lamp.raman_shift + 12.0)
    places = [neon.calibration(one, window=(160, 900)) for one in (lamp, off)]
    corrections = [axis.axis_correction(one, 500.0 + add).value for one, add in zip(places, (0.0, 12.0), strict=True)]
    assert corrections[0] - corrections[1] == pytest.approx(12.0, abs=0.1)


def test_silicon_calibrates_at_one_point_and_says_what_remains():
    silicon = peaked().assign_attrs(excitation=532.0, file="Si", sample="Si", state="wafer")
    of = REFERENCE.standards["silicon"]
    found = standard.calibration(silicon, of, 0.005)
    assert found.offset == pytest.approx(520.45 - 521.2, abs=0.03)
    spectrum = axis.on_axis(fine(*BOTH).assign_attrs(excitation=532.0), found, 0.005, 3.0)
    assert float(spectrum.raman_shift[0]) == pytest.approx(120.0 + found.offset)
    near, far = (axis_uncertainty_at(spectrum.attrs, at) for at in (520.45, 920.45))
    assert near == pytest.approx(0.14, abs=0.02) and far == pytest.approx(2.0, abs=0.05)
    row = axis_findings(found, {"a": 120.45})[0]
    assert row["high"] - row["low"] == pytest.approx(2 * NORMAL * np.hypot(0.14, 2.0), rel=0.02)
    with pytest.raises(ValueError, match=r"Si: no sharp line is found within 40 1/cm of 520\.45"):
        flat = silicon.assign(
            intensity=silicon.intensity * 0 + np.random.default_rng(0).normal(size=silicon.sizes["raman_shift"])
        )
        standard.calibration(flat, of, 0.005)
    with pytest.raises(ValueError, match=r"recorded for 785\.0 nm, silicon for 532\.0 nm"):
        axis.on_axis(fine().assign_attrs(excitation=785.0), found, 0.0, 0.0)


def test_real_polystyrene_on_an_axis_that_silicon_calibrates():
    """1001.4 1/cm (ASTM E1840), 481 1/cm from the line of silicon."""
    files = {"Si": "S0B10_532.txt", "PS": "Polystyrene_532.txt"}
    both = {name: read(of_others.file("raman-si-532-bwtek", of)).assign_attrs(sample=name, state="", file=of)
            for name, of in files.items()}  # fmt: skip
    found = standard.calibration(both["Si"], REFERENCE.standards["silicon"], 0.005)
    position = (
        decompose(axis.on_axis(both["PS"], found, 0.0, 0.0), [], {"PS": 1001.4}, (930, 1090)).bands["PS"].position
    )
    assert position.low < 1001.4 < position.high


def test_real_silicon_whose_axis_nobody_calibrated():
    """The laser is said to have 532 nm, its own line stands at 532.116 nm, and silicon at 529.8 1/cm."""
    one = read(of_others.file("raman-si-witec/Si-wafer-Raman-Spectrum-1.txt"), excitation=532.0)
    assert 4 < axis.laser_line(one) < 25  # saturated over these points
    one = axis.on_axis(one.assign_attrs(sample="Si", state=""), None, 0.0, NOTEBOOK["axis_uncertainty"])
    mode = decompose(one, [], {"Si": 520.45}, (440, 600)).bands["Si"]
    assert mode.present is True and mode.position.low < 520.45 < mode.position.high


USERS = """
[lamps.krypton]
source = "ours"
lines = [557.02894, 587.09159]

[phases.In2O3]
source = "ours"
lines = { 306.5 = 100, 495 = 40 }
spread = 2

[standards.diamond]
source = "ours"
shift = 1332.5
uncertainty = 0.3
"""


def test_a_file_beside_the_manifest_adds_to_the_reference(tmp_path):
    (tmp_path / "raman.toml").write_text(USERS)
    own = reference.load(tmp_path / "raman.toml")
    assert own.calibration("krypton").lines == (557.02894, 587.09159) and own.calibration("neon").lines == neon.LINES
    assert own.rivals(["In2O3"])[0].lines == {306.5: 100, 495: 40} and "La2Zr2O7" in own.phases
    assert own.calibration("diamond").shift == 1332.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[phases.X]\nlines = { 1 = 2 }", r"raman\.toml, \[phases\.X\]: its keys must be lines, source, spread"),
        ("[phase.X]\n", r"\[phase\] is not known; known are \[lamps\.NAME\]"),
        ('[lamps.X]\nsource = ""\nlines = [5852.4]', r"lines = 5852\.4 must be a number above 200, at most 2000"),
        ('[standards.X]\nsource = ""\nshift = "520"\nuncertainty = 1', r"shift = '520' must be a number"),
        ("[lamps", "not TOML"),
    ],
)
def test_errors_name_file_and_entry(tmp_path, text, message):
    (tmp_path / "raman.toml").write_text(text)
    with pytest.raises(ValueError, match=message):
        reference.load(tmp_path / "raman.toml")


def test_an_unknown_name_is_told_how_to_add_it():
    with pytest.raises(ValueError, match=r"rivals: 'TiO2' is not known; known are In2O3, La2Zr2O7\. To add one, write"):
        REFERENCE.rivals(["TiO2"])
    with pytest.raises(ValueError, match=r"calibration: 'helium' is not known; known are argon, neon, silicon"):
        REFERENCE.calibration("helium")


@pytest.mark.parametrize("unit", [1.0, 1e-4])
def test_lines_of_a_rival_that_the_spectrum_has_are_fitted_in_any_unit(unit):
    """La2Zr2O7 in its textbook ratios: its own lines are named, and the mode at 492 proves nothing."""
    one = fine(*((at, 14.0, 0.8 * height) for at, height in REFERENCE.phases["La2Zr2O7"].lines.items()))
    found = decompose(
        one.assign(intensity=one.intensity * unit), LLZO, INN, (160, 900), rivals=REFERENCE.rivals(["La2Zr2O7"])
    )
    assert found.bands["La2Zr2O7 299"].position.value == pytest.approx(299, abs=1)
    assert found.verdicts["InN"][0] is None and "InN E2(high) may be a line of La2Zr2O7" in found.verdicts["InN"][1]
