"""Steady currents held against transients that decay in known ways, with noise that remembers a minute."""

import numpy as np
import pytest
import xarray as xr
from scipy.signal import lfilter

from coldbond.impedance.conductivity import electronic
from coldbond.impedance.conductivity.electronic import Steady
from coldbond.impedance.conductivity.findings import electronic_findings
from coldbond.interval import Interval

TIME = np.arange(1.0, 3601.0)
#: Decays to a steady current of 1: exponential, two of them, stretched, by a power of time.
DECAYS = {
    "settled": 2 * np.exp(-TIME / 60),
    "exponential": 2 * np.exp(-TIME / 700),
    "half settled": 2 * np.exp(-TIME / 1800),
    "two": 2 * np.exp(-TIME / 60) + np.exp(-TIME / 650),
    "stretched": 5 * np.exp(-((TIME / 25) ** 0.7)) + 1.2 * np.exp(-((TIME / 420) ** 0.75)),
    "power": 0.3 * (TIME / 3600) ** -0.7,
}


def transient(current, *, seed=0, size=2e-3, offset=0.0, **attrs):
    """Noise in proportion to the current: white, and correlated over a minute."""
    rng = np.random.default_rng(seed)
    kept = np.exp(-1 / 60)
    wander = lfilter([np.sqrt(1 - kept**2)], [1, -kept], rng.normal(size=TIME.size))
    noisy = current * (1 + size * (0.6 * wander + rng.normal(size=TIME.size))) + offset
    attrs = dict(sample="LLZ", state="pristine", thickness_cm=0.04, area_cm2=0.8, applied_voltage=1.0) | attrs
    return xr.Dataset({"current": ("time", noisy * 1e-7)}, {"time": TIME}, attrs)


@pytest.mark.parametrize("decay", DECAYS)
def test_interval_covers_the_steady_current(decay):
    """40 transients a kind; that of a settled one is no wider than a per cent or two."""
    found = [electronic.steady(transient(1 + DECAYS[decay], seed=seed), 0.0).current for seed in range(40)]
    assert np.sum([(one.low or 0) <= 1e-7 <= one.high for one in found]) >= 36
    if decay == "settled":
        assert np.median([one.high / one.low for one in found]) < 1.02


@pytest.mark.parametrize("power", [0.2, 0.5, 1.0])
def test_a_current_that_goes_on_falling_has_an_upper_bound_only(power):
    found = electronic.steady(transient((TIME / 3600) ** -power, seed=1), 0.0)
    assert found.current.value is None
    assert found.current.low is None
    assert 0 < found.current.high < 1.1e-7
    rows = electronic_findings({"LLZ": found}, 5e-4, 0.01)
    assert [(row["value"], row["low"]) for row in rows] == [(None, None)] * 2
    assert rows[1]["high"] == pytest.approx(found.current.high * 0.04 / 0.8 * np.exp(1.96 * 0.016), rel=0.01)
    assert "not settled" in rows[1]["note"]


def test_a_rising_current_is_not_steady():
    found = electronic.steady(transient(1 + 0.5 * TIME / 3600), 0.0)
    assert found.current == Interval(None)
    assert "rises" in found.note


def test_sign_and_voltage_do_not_matter():
    one = transient(1 + DECAYS["settled"])
    other = one.assign(current=-2 * one.current).assign_attrs(applied_voltage=-2.0)
    values = [electronic.conductivity(electronic.steady(each, 0.0), 5e-4, 0.01) for each in (one, other)]
    assert tuple(values[0]) == pytest.approx(tuple(values[1]), rel=1e-3)
    assert values[0].value == pytest.approx(1e-7 * 0.04 / 0.8, rel=0.005)


def test_the_testers_zero_widens_the_interval():
    """30 testers whose zero is off by 5 % of the current."""
    covered = 0
    for seed in range(30):
        off = 0.05 * np.random.default_rng(500 + seed).normal()
        found = electronic.steady(transient(1 + DECAYS["settled"], seed=seed, offset=off), 5e-9).current
        covered += found.low <= 1e-7 <= found.high
    assert covered >= 27


def test_few_points_and_uneven_times():
    one = transient(1 + DECAYS["settled"])
    few = one.isel(time=np.unique(np.geomspace(1, 3599, 60).astype(int)))
    found = electronic.steady(few, 0.0).current
    assert found.low <= 1e-7 <= found.high
    with pytest.raises(ValueError, match="too few"):
        electronic.steady(one.isel(time=[0, 1, 2, 3598, 3599]), 0.0)


def settled(value, low, high, sample="LLZ", **attrs):
    return Steady(
        transient(1 + TIME, sample=sample, **attrs), Interval(value, low, high), TIME[:0], TIME[:0], np.nan, 1.0, ""
    )


def test_ratio_covers_that_of_two_lognormal_values():
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(1000):
        one, other = (value * np.exp(0.1 * rng.normal()) for value in (4.0, 1.0))
        found = electronic.ratio(*(Interval(v, v * np.exp(-0.196), v * np.exp(0.196)) for v in (one, other)))
        covered += found.low <= 0.25 <= found.high
    assert 0.93 <= covered / 1000 <= 0.97


@pytest.mark.parametrize(
    ("other", "lower"),
    [
        ((2e-8, 1.9e-8, 2.1e-8), True),
        ((1e-7, 0.9e-7, 1.1e-7), None),
        ((3e-7, 2.9e-7, 3.1e-7), False),
        ((None, None, 2e-8), True),
        ((None, None, 2e-7), None),
        ((None, None, None), None),
    ],
)
def test_whether_it_drops(other, lower):
    pair = {"LLZ": settled(1e-7, 0.95e-7, 1.05e-7), "RT-MCL-LLZ": settled(*other, sample="RT-MCL-LLZ")}
    row = electronic_findings(pair, 5e-4, 0.01)[-1]
    assert row["quantity"] == "electronic_conductivity_below_LLZ"
    assert row["value"] is lower


def test_without_dimensions_nothing_is_compared():
    pair = {"LLZ": settled(1e-7, 0.9e-7, 1.1e-7, area_cm2=np.nan), "X": settled(1e-8, 0.9e-8, 1.1e-8, sample="X")}
    rows = electronic_findings(pair, 5e-4, 0.01)
    assert [row["quantity"] for row in rows] == ["steady_current", "electronic_conductivity"] * 2
    assert rows[1]["value"] is None and "thickness or area" in rows[1]["note"]
