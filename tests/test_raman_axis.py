"""The axis from a neon lamp: a recording with a known error, and a real instrument's silicon and polystyrene."""

import numpy as np
import pytest
import xarray as xr

import of_others
from coldbond import read
from coldbond.interval import NORMAL
from coldbond.raman import axis, neon, reference
from coldbond.raman.decomposition import decompose
from coldbond.raman.findings import axis_findings

FOLDER = "raman-si-532-bwtek"
LASER = 532.0


def error(shift):
    """Return the error of the recorded axis, 1/cm."""
    return 1.2 - 0.8 * shift / 1e3 + 0.1 * (shift / 1e3) ** 2


def lamp(seed=0, ceiling=60000.0, heights=None, moved=()):
    """All lines 5 1/cm wide on points 2 1/cm apart, counted up to a ceiling; some moved by 1/cm."""
    rng = np.random.default_rng(seed)
    true = np.arange(60.0, 3600.0, 2.0)
    counts = np.full(true.size, 30.0)
    lines = 1e7 / neon.vacuum(LASER) - 1e7 / neon.vacuum(np.array(neon.LINES))
    heights = rng.uniform(300, 20000, lines.size) if heights is None else heights
    for i, (place, height) in enumerate(zip(lines, heights, strict=True)):
        place += dict(moved).get(i, 0.0)
        counts += height * np.exp(-0.5 * ((true - place) / 2.1) ** 2)
    counts = np.minimum(rng.poisson(counts), ceiling)
    attrs = {"excitation": LASER, "sample": "Ne", "state": "", "file": "raman/Ne.jdx"}
    return xr.Dataset({"intensity": ("raman_shift", counts)}, {"raman_shift": true + error(true)}, attrs)


@pytest.mark.parametrize(("air", "vacuum"), [(585.24878, 585.41101), (841.71597, 841.94727), (849.53595, 849.76937)])
def test_wavelength_in_vacuum(air, vacuum):
    """Pairs of Ne I as NIST and as Sansonetti et al. (2004, doi 10.6028/jres.109.025) have them."""
    assert neon.vacuum(air) == pytest.approx(vacuum, abs=2e-5)


def test_axis_is_recovered_with_its_uncertainty():
    covered = total = 0
    for seed in range(10):
        found = neon.calibration(lamp(seed))
        assert found.sizes["power"] >= 3
        for place in (300.0, 500.0, 1000.0, 2500.0):
            point = xr.Dataset(coords={"raman_shift": [place + error(place)]}, attrs={"excitation": LASER})
            one = neon.calibrated(point, found, 0.0)
            assert float(one.raman_shift[0]) == pytest.approx(place, abs=0.15)
            covered += abs(float(one.raman_shift[0]) - place) < NORMAL * one.axis_uncertainty
            total += 1
    assert covered >= 0.95 * total


def test_lines_that_cannot_be_used_are_reported():
    heights = np.full(len(neon.LINES), 5000.0)
    heights[3], heights[11] = 5.0, 400000.0
    found = neon.calibration(lamp(heights=heights, moved={24: 2.5}))
    verdict = dict(zip(found.air.to_numpy(), found.verdict.to_numpy(), strict=True))
    assert verdict[neon.LINES[3]] == "faint"
    assert verdict[neon.LINES[11]] == "saturated"
    assert verdict[neon.LINES[24]] == "outlying"
    assert verdict[597.46273] == verdict[597.5534] == "blended"
    (row,) = axis_findings(found, {"mode": 490.1})
    left_out = {one["name"]: one["value"] for one in row["evidence"]}
    assert all(left_out[f"{why} lines left out"] == 1 for why in ("faint", "saturated", "outlying"))


def test_the_uncertainty_of_the_laser():
    one = xr.Dataset(coords={"raman_shift": np.arange(200.0, 800.0)}, attrs={"excitation": LASER})
    found = neon.calibrated(one, neon.calibration(lamp()), 0.01)
    assert found.laser_share == pytest.approx(0.01 * 1e7 / 532.148**2, rel=1e-3)  # 0.353 1/cm
    assert found.axis_uncertainty > found.laser_share


def test_no_lamp_and_wrong_lamps():
    one = lamp().assign_attrs(sample="S", file="s.jdx")
    lines = reference.load().lamps["neon"]
    calibration = axis.only_calibration({"S": axis.lamp_calibration(one, "Ne", lines, 0.005)})
    spectrum = axis.on_axis(one, calibration, 0.005, 0.7)
    assert calibration is None and spectrum.axis_uncertainty == 0.7 and axis_findings(None, {"A": 490.0}) == []
    np.testing.assert_array_equal(spectrum.raman_shift, one.raman_shift)
    found = axis.lamp_calibration(one, "S", lines, 0.005)
    with pytest.raises(ValueError, match="no spectrum of a sample beside the lamp, S: add one"):
        axis.only_calibration({"S": found})
    with pytest.raises(ValueError, match="2 recordings are of the lamp, before, after"):
        axis.only_calibration({"S": None, "before": found, "after": found})
    with pytest.raises(ValueError, match=r"s\.jdx: 0 neon lines are found"):
        neon.calibration(one.isel(raman_shift=slice(3)))
    dark = one.assign(intensity=one.intensity * 0 + np.random.default_rng(0).normal(size=one.sizes["raman_shift"]))
    with pytest.raises(ValueError, match=r"s\.jdx: \d neon lines are found"):
        neon.calibration(dark)
    with pytest.raises(ValueError, match=r"s\.jdx does not state the wavelength of the laser"):
        neon.calibration(one.assign_attrs(excitation=None))
    with pytest.raises(ValueError, match=r"recorded for 785\.0 nm, the lamp for 532\.0 nm"):
        neon.calibrated(one.assign_attrs(excitation=785.0), neon.calibration(lamp()), 0.0)


@pytest.mark.parametrize(
    ("file", "line", "window"),
    [
        ("S0B10_532.txt", {"Si": 520.45}, (440, 600)),  # CWA 18133
        ("Polystyrene_532.txt", {"1001": 1001.4, "1032": 1031.8}, (930, 1090)),  # ASTM E1840
    ],
)
def test_real_instrument(file, line, window):
    """The recorded axis is 0.5 1/cm off; the lamp of the same instrument corrects it. The laser has 532.02 nm."""
    files = {"Ne": "Neon_532.txt", "sample": file}
    recordings = {
        name: read(of_others.file(FOLDER, of)).assign_attrs(sample=name, state="", file=of)
        for name, of in files.items()
    }
    calibration = neon.calibration(recordings["Ne"])
    spectrum = axis.on_axis(recordings["sample"], calibration, 0.01 / np.sqrt(12), 0.5)
    assert (calibration.verdict == "used").sum() >= 10 and (calibration.verdict == "saturated").sum() > 10
    found = decompose(spectrum, [], line, window)
    (name, certified), *_ = line.items()
    value, low, high = found.bands[name].position
    assert low < certified < high and abs(value - certified) < 0.15 and high - low < 1.5
    recorded = decompose(recordings["sample"].assign_attrs(axis_uncertainty=0.0), [], line, window)
    assert abs(recorded.bands[name].position.value - certified) > 0.3
