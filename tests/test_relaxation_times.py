"""Distributions of relaxation times against those that are known in closed form."""

import numpy as np
import pytest
import xarray as xr

import of_others
from coldbond.files import read
from coldbond.impedance import relaxation_times

FREQUENCY = np.logspace(6, -1, 73)
S = 2j * np.pi * FREQUENCY
ONE = [(500, 1e-3, 0.85)]
APART = [(300, 1e-4, 0.85), (400, 1e-2, 0.85)]
NEAR = [(300, 1e-4, 0.9), (300, 1.6e-3, 0.9)]


def spectrum(arcs: list[tuple[float, float, float]], noise: float, seed: int = 0, other: complex = 0.0) -> xr.Dataset:
    """Of arcs of a resistance, a time constant and an exponent."""
    z = 50 + 1e-7 * S + sum(resistance / (1 + (S * tau) ** n) for resistance, tau, n in arcs) + other
    rng = np.random.default_rng(seed)
    z = z + noise * np.abs(z) * (rng.normal(size=S.size) + 1j * rng.normal(size=S.size))
    return xr.Dataset({"impedance": ("frequency", z)}, {"frequency": FREQUENCY})


def exact(tau: np.ndarray, arcs: list[tuple[float, float, float]]) -> np.ndarray:
    """The distribution of Cole and Cole (1941, doi 10.1063/1.1750906), in ohm for a factor e."""
    total = np.zeros_like(tau)
    for resistance, centre, n in arcs:
        turn = (1 - n) * np.pi
        total += resistance / (2 * np.pi) * np.sin(turn) / (np.cosh(n * np.log(tau / centre)) - np.cos(turn))
    return total


@pytest.mark.parametrize("arcs", [ONE, APART, NEAR], ids=["one arc", "two arcs", "two arcs that overlap"])
def test_an_arc_is_a_peak_and_nothing_else_is(arcs):
    """In 30 spectra with 0.2 % noise: as many peaks as arcs, each at its time and with its resistance."""
    for seed in range(30):
        found = relaxation_times.peaks(relaxation_times.distribution(spectrum(arcs, 0.002, seed)))
        assert len(found) == len(arcs)
        for peak, (resistance, tau, _) in zip(found, arcs, strict=True):
            assert peak.relaxation_time == pytest.approx(tau, rel=0.3)
            assert peak.resistance == pytest.approx(resistance, rel=0.12 if arcs is NEAR else 0.05)


@pytest.mark.parametrize("noise", [0.002, 0.01])
@pytest.mark.parametrize("arcs", [ONE, APART, NEAR], ids=["one arc", "two arcs", "two arcs that overlap"])
def test_distribution_is_that_of_the_arcs(arcs, noise):
    covered, inside, areas = [], [], []
    for seed in range(15):
        found = relaxation_times.distribution(spectrum(arcs, noise, seed))
        truth = exact(found.relaxation_time.to_numpy(), arcs)
        seen = truth > 0.02 * truth.max()
        covered.append(np.mean(((found.low <= truth) & (truth <= found.high)).to_numpy()[seen]))
        total = sum(arc[0] for arc in arcs)
        inside.append(found.resistance_low <= total <= found.resistance_high)
        areas.append(found.resistance / total)
        assert found.noise == pytest.approx(100 * noise, rel=0.25)
    assert np.mean(covered) >= 0.9
    assert sum(inside) >= 12
    np.testing.assert_allclose(areas, 1, atol=0.005 if noise == 0.002 else 0.02)


def test_series_elements_are_found():
    found = relaxation_times.distribution(spectrum(ONE, 0.001))
    assert found.series_resistance == pytest.approx(50, rel=0.01)
    assert found.inductance == pytest.approx(1e-7, rel=0.2)


def test_a_sharp_process_is_one_peak_of_its_resistance():
    """An ideal capacitor beside a resistance: a distribution of no breadth."""
    (peak,) = relaxation_times.peaks(relaxation_times.distribution(spectrum([(500, 1e-3, 1.0)], 0.002)))
    assert peak.relaxation_time == pytest.approx(1e-3, rel=0.2)
    assert peak.resistance == pytest.approx(500, rel=0.02)


def test_a_capacitor_behind_it_leaves_an_arc_as_it_is():
    found = relaxation_times.distribution(spectrum(ONE, 0.002, other=1 / (1e-4 * S)))
    first = relaxation_times.peaks(found)[0]
    assert first.relaxation_time == pytest.approx(1e-3, rel=0.3)
    assert first.resistance == pytest.approx(500, rel=0.1)


def test_the_unit_does_not_matter_nor_the_order():
    one = spectrum(APART, 0.002, seed=4)
    found = relaxation_times.distribution(one)
    larger = relaxation_times.distribution((1e4 * one).isel(frequency=slice(None, None, -1)))
    np.testing.assert_allclose(larger.gamma, 1e4 * found.gamma, rtol=0.05)
    assert larger.resistance == pytest.approx(1e4 * found.resistance, rel=1e-3)


def test_a_measured_cell():
    """The solid-state cell is described to a thousandth; its polarisation is what its real part spans."""
    sweeps = read(of_others.file("ssb-eis/Sample2_PEIS_AtRest.csv"))
    cell = sweeps.isel(frequency=(sweeps.sweep == 1).to_numpy())
    found = relaxation_times.distribution(cell)
    assert found.misfit < 0.2
    whole = found.series_resistance + found.resistance
    assert whole == pytest.approx(float(cell.impedance.real.max()), rel=0.25)
    assert 1 <= len(relaxation_times.peaks(found)) <= 5
