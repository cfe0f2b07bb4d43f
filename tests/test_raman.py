"""Raman bands and modes held against spectra whose bands, baseline and noise are known, written here."""

import numpy as np
import pytest
import xarray as xr

from coldbond.bundle.findings import rendered
from coldbond.interval import NORMAL
from coldbond.raman import bands as model
from coldbond.raman import spikes
from coldbond.raman.decomposition import decompose
from coldbond.raman.findings import mode_findings

BANDS, MODES, WINDOW = [400, 640], {"A": 490.0, "B": 560.0}, (300, 800)
SHIFT = np.arange(250.0, 850.0, 2.0)


def lorentz(shift, position, width, height):
    return height / (1 + (2 * (shift - position) / width) ** 2)


def spectrum(*modes, seed=0, noise=4.0, shift=SHIFT, attrs=()):
    """Two garnet-like bands on a fluorescent flank, shot-like noise, and modes as (position, width, height)."""
    rng = np.random.default_rng(seed)
    intensity = 300 + 400 * np.exp(shift / 900) + sum(lorentz(shift, *mode) for mode in modes)
    for position, width, height in ((402.0, 60.0, 200.0), (637.0, 70.0, 300.0)):
        # Voigt-like, which is no pseudo-Voigt: a Lorentzian blurred by a Gaussian of a third of its width.
        offsets = np.linspace(-3, 3, 41) * width / 7
        weights = np.exp(-0.5 * (offsets / (width / 7)) ** 2)
        blurred = lorentz(shift[:, None] - offsets, position, width, height)
        intensity = intensity + blurred @ weights / weights.sum()
    intensity = intensity + noise * np.sqrt(intensity / 1000) * rng.standard_normal(shift.size)
    whose = {"sample": "S", "state": "", "axis_uncertainty": 0.0} | dict(attrs)
    return xr.Dataset({"intensity": ("raman_shift", intensity, {"units": "x"})}, {"raman_shift": shift}, whose)


def interpolated(fine: xr.Dataset, spacing: float) -> xr.Dataset:
    """As a spectrometer's software exports it: more points, no more knowledge."""
    return fine.interp(raman_shift=np.arange(252.0, 846.0, spacing))


@pytest.mark.parametrize(("lorentzian", "skew"), [(0.0, 0.0), (0.4, 0.2), (1.0, -0.3)])
def test_shape_has_unit_area_its_width_and_its_middle(lorentzian, skew):
    x = np.arange(-4000.0, 4000.0, 0.01)
    arguments = [np.array([value]) for value in (12.0, 30.0, lorentzian, skew)]
    value = model.shapes(x, *arguments)[0][0]
    above = x[value > value.max() / 2]
    assert np.trapezoid(value, x) == pytest.approx(1, abs=0.006)  # a Lorentzian's tails go on
    assert above[-1] - above[0] == pytest.approx(30, abs=0.05)
    assert (above[0] + above[-1]) / 2 == pytest.approx(12, abs=0.05)
    assert x[value.argmax()] == pytest.approx(12 + skew * 15, abs=0.05)


@pytest.mark.parametrize("which", range(4))
def test_derivatives_of_the_shape_are_its_differences(which):
    x = np.linspace(-100, 100, 401) + 0.123
    at = [np.array([value]) for value in (5.0, 40.0, 0.3, 0.15)]
    names = ("position", "width", "lorentzian", "skew")
    up, down = ([value + sign * 1e-5 * (i == which) for i, value in enumerate(at)] for sign in (1, -1))
    difference = (model.shapes(x, *up)[0] - model.shapes(x, *down)[0]) / 2e-5
    np.testing.assert_allclose(model.shapes(x, *at)[1][names[which]], difference, atol=2e-7)


@pytest.mark.parametrize("spacing", [None, 0.8])
def test_intervals_cover_the_mode(spacing):
    """A mode in the foot of a band: the intervals cover its position and its height in at least 10 of 12 spectra."""
    covered = {"position": 0, "height": 0}
    for seed in range(12):
        one = spectrum((487.0, 18.0, 40.0), seed=seed)
        found = decompose(one if spacing is None else interpolated(one, spacing), BANDS, {"A": 490.0}, WINDOW)
        mode = found.bands["A"]
        assert mode.present
        covered["position"] += mode.position.low <= 487.0 <= mode.position.high
        covered["height"] += mode.height.low <= 100 * 40 / PEAK <= mode.height.high
    assert min(covered.values()) >= 10


#: Height of the blurred strongest band, by a sum finer than in `spectrum`.
_OFFSETS = np.linspace(-3, 3, 4001) * 10.0
PEAK = np.average(lorentz(_OFFSETS, 0.0, 70.0, 300.0), weights=np.exp(-0.5 * (_OFFSETS / 10.0) ** 2))


@pytest.mark.parametrize("spacing", [None, 0.8])
def test_no_mode_is_seen_where_there_is_none(spacing):
    """Of 16 looks at spectra without a mode at most one sees one: 5 % false positives."""
    seen = 0
    for seed in range(8):
        one = spectrum(seed=100 + seed)
        found = decompose(one if spacing is None else interpolated(one, spacing), BANDS, MODES, WINDOW)
        seen += sum(mode.found for mode in found.modes.values())
    assert seen <= 1


def test_upper_limit_holds_for_a_mode_too_weak_to_be_seen():
    beyond, limits = 0, []
    for seed in range(15):
        one = spectrum((493.0, 20.0, 2.0), seed=200 + seed)
        limits.append(decompose(one, BANDS, {"A": 490.0}, WINDOW).bands["A"].height.high)
        beyond += limits[-1] < 100 * 2 / PEAK
    assert beyond <= 1  # 5 % of 15 are 0.75
    assert np.median(limits) < 6  # and says something


def test_upper_limit_where_a_baseline_is_all_there_is():
    """A mode that stands alone and is weak: the limit is in the units of the intensity, and above the mode."""
    shift, limits = np.arange(440.0, 600.0, 2.8), []
    for seed in range(20):
        noise = 60 * np.random.default_rng(seed).standard_normal(shift.size)
        intensity = 5000 + 3 * shift + lorentz(shift, 520.6, 15.0, 20.0) + noise
        attrs = {"axis_uncertainty": 0.1, "sample": "Si", "state": ""}
        one = xr.Dataset({"intensity": ("raman_shift", intensity, {"units": "count"})}, {"raman_shift": shift}, attrs)
        mode = decompose(one, [], {"Si": 520.45}, (440, 600)).bands["Si"]
        assert not mode.present
        limits.append(mode.height.high)
    assert sum(limit < 20 for limit in limits) <= 2
    assert 30 < np.median(limits) < 150


def test_correlated_neighbours_count_as_fewer_points():
    one = spectrum(seed=3)
    whole = decompose(one, BANDS, {}, WINDOW)
    fine = decompose(interpolated(one, 0.4), BANDS, {}, WINDOW)
    points, more = (found.curves.sizes["raman_shift"] for found in (whole, fine))
    assert more == pytest.approx(5 * points, rel=0.02)
    assert whole.effective == pytest.approx(points, rel=0.25)
    assert fine.effective == pytest.approx(whole.effective, rel=0.5)
    narrow, wide = (found.bands["640"].position.half_width for found in (whole, fine))
    assert wide == pytest.approx(narrow, rel=0.5)


def test_uncertainty_of_the_axis_is_in_the_position():
    plain, off = (
        decompose(spectrum((487.0, 18.0, 60.0), attrs={"axis_uncertainty": axis}), BANDS, {"A": 490.0}, WINDOW)
        for axis in (0.0, 1.5)
    )
    halves = [found.bands["A"].position.half_width for found in (plain, off)]
    assert halves[1] == pytest.approx(np.hypot(halves[0], NORMAL * 1.5))


def test_a_line_alone_as_silicon_has_it():
    shift = np.arange(440.0, 600.0, 2.8)
    rng = np.random.default_rng(1)
    intensity = 5000 + 3 * shift + lorentz(shift, 520.6, 9.0, 30000.0) + 60 * rng.standard_normal(shift.size)
    attrs = {"axis_uncertainty": 0.1, "sample": "Si", "state": ""}
    one = xr.Dataset({"intensity": ("raman_shift", intensity, {"units": "count"})}, {"raman_shift": shift}, attrs)
    found = decompose(one, [], {"Si": 520.45}, (440, 600))
    value, low, high = found.bands["Si"].position
    assert low < 520.6 < high and high - low < 0.8 and abs(value - 520.6) < 0.1
    assert found.bands["Si"].height.low < 30000 < found.bands["Si"].height.high
    assert found.height_unit == "count" and not found.curves.struck.any()


def struck(one: xr.Dataset, hits: dict[float, list[float]]) -> xr.Dataset:
    """With cosmic rays: counts of neighbouring points from a shift on."""
    intensity = one.intensity.to_numpy().copy()
    for place, counts in hits.items():
        first = np.abs(one.raman_shift.to_numpy() - place).argmin()
        intensity[first : first + len(counts)] += counts
    return one.assign(intensity=one.intensity.copy(data=intensity))


HITS = {336.0: [200.0], 490.0: [90.0, 160.0], 560.0: [300.0], 700.0: [60.0, 300.0, 40.0]}


@pytest.mark.parametrize("spacing", [None, 0.8])
def test_cosmic_spikes_are_found_reported_and_change_nothing(spacing):
    one = spectrum(seed=7)
    hit = struck(one, HITS)
    if spacing is not None:
        one, hit = interpolated(one, spacing), interpolated(hit, spacing)
    clean, found = decompose(one, BANDS, MODES, WINDOW), decompose(hit, BANDS, MODES, WINDOW)
    positions = spikes.positions(found.curves.raman_shift.to_numpy(), found.curves.struck.to_numpy())
    assert positions == pytest.approx(sorted(HITS), abs=4)
    assert found.curves.struck.mean() < 0.12
    assert not any(mode.present for mode in found.modes.values())
    for band in ("400", "640"):
        assert found.bands[band].position.value == pytest.approx(clean.bands[band].position.value, abs=1.0)
    reported = next(row for row in mode_findings({"S": found}) if row["quantity"] == "cosmic_spikes")
    assert reported["value"] == 4
    assert [one["value"] for one in reported["evidence"]] == pytest.approx(positions, abs=0.5)


def test_two_spikes_side_by_side():
    found = decompose(interpolated(struck(spectrum(), {450.0: [250.0], 456.0: [400.0]}), 0.8), BANDS, MODES, WINDOW)
    assert found.curves.struck.sel(raman_shift=slice(449.5, 456.5)).all()
    assert not any(mode.present for mode in found.modes.values())


@pytest.mark.parametrize("spacing", [None, 0.8])
def test_a_spike_is_no_mode_cut_or_not(spacing):
    for height in (15.0, 25.0, 40.0, 60.0, 90.0):
        hit = struck(spectrum(seed=5), {492.0: [height, height]})
        found = decompose(hit if spacing is None else interpolated(hit, spacing), BANDS, MODES, WINDOW)
        assert not found.bands["A"].present


def test_a_strong_line_is_no_spike():
    one = spectrum((487.0, 8.0, 2000.0))
    assert not spikes.narrow(one).struck.any()
    assert not spikes.narrow(interpolated(one, 0.8)).struck.any()


def test_intensity_at_the_edge_of_the_search_is_no_mode():
    found = decompose(spectrum((512.0, 30.0, 60.0)), BANDS, {"A": 490.0}, WINDOW)
    assert found.bands["A"].present is None and found.bands["A"].p < 0.01
    rows = {row["quantity"]: row for row in mode_findings({"S": found})}
    assert "cannot be told: the upper limit is not below 20 %" in rows["A_present"]["note"]


def test_findings_of_modes():
    one = spectrum((487.0, 18.0, 60.0))
    found = decompose(one, BANDS, {"InN E": 490.0, "In A": 560.0}, WINDOW)
    rows = {row["quantity"]: row for row in mode_findings({"S": found})}
    assert rows["a_looked_for_mode_present"]["value"] is True
    assert rows["InN E_present"]["value"] is True
    assert "p of the F test at most 1e-10" in rendered(rows["InN E_present"])
    assert rows["raman_shift_of_InN E"]["low"] < 487 < rows["raman_shift_of_InN E"]["high"]
    assert rows["In A_present"]["value"] is False and "height at most" in rendered(rows["In A_present"])
    assert "raman_shift_of_In A" not in rows
    found = decompose(one, BANDS, {"InN E": 490.0, "InN A": 560.0}, WINDOW)
    rows = {row["quantity"]: row for row in mode_findings({"S": found})}
    assert rows["InN_Raman_mode_present"]["value"] is None and rows["InN E_present"]["value"] is None
    assert "one mode of several is no proof" in rows["InN_Raman_mode_present"]["note"]
    assert "need not be this mode" in rows["raman_shift_of_InN E"]["note"]
    assert rows["InN A_present"]["value"] is False and "height at most" in rendered(rows["InN A_present"])
    assert rows["height_of_InN A"]["value"] is None and rows["height_of_InN A"]["high"] > 0
    assert "raman_shift_of_InN A" not in rows


def test_a_mode_hit_by_a_spike_is_reported():
    found = decompose(struck(spectrum((487.0, 18.0, 60.0)), {484.0: [400.0]}), BANDS, {"A": 490.0}, WINDOW)
    rows = {row["quantity"]: row for row in mode_findings({"S": found})}
    assert "points of the mode struck by a cosmic ray" in rendered(rows["raman_shift_of_A"])


def test_a_window_without_the_bands():
    with pytest.raises(ValueError, match=r"expected at 820 1/cm.* run from 300 to 800"):
        decompose(spectrum(), [400, 820], {}, WINDOW)
    with pytest.raises(ValueError, match=r"11 points in the window, \d+ are needed"):
        decompose(spectrum(), [], {"A": 490.0}, (480, 500))
