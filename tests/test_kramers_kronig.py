"""The Kramers-Kronig test against spectra that obey or disobey the relations by construction."""

import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from coldbond.files import read
from coldbond.impedance import kramers_kronig

FREQUENCY = np.logspace(6, -1, 73)
S = 2j * np.pi * FREQUENCY


def arc(resistance: float, tau: float, n: float) -> np.ndarray:
    return resistance / (1 + (S * tau) ** n)


#: Impedances that are analytic in the right half plane, and so obey the relations.
OBEYING = {
    "resistor": np.full(S.shape, 100 + 0j),
    "arc": 100 + arc(500, 1e-3, 0.85),
    "steep arc": 0.1 + arc(1000, 1e-3, 0.98),
    "two arcs": 100 + arc(500, 1e-5, 0.85) + arc(900, 0.1, 0.8),
    "arc that goes on beyond": 10 + arc(500, 5.0, 0.7),
    "Warburg": 50 + 300 / np.sqrt(S),
    "finite diffusion": 100 + 500 * np.tanh(np.sqrt(S)) / np.sqrt(S),
    "blocking": 300 + arc(500, 1e-6, 0.9) + 1 / (1e-6 * S**0.9),
    "capacitor": 300 + 1 / (1e-6 * S),
    "cable": 1 + arc(5, 1e-3, 0.85) + 1e-6 * S,
    "inductive loop": 100 + arc(500, 1e-3, 0.9) - arc(100, 1.0, 1.0),
}


def spectrum(impedance: np.ndarray, noise: float = 0.0, seed: int = 0) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    off = noise * np.abs(impedance) * (rng.normal(size=S.size) + 1j * rng.normal(size=S.size))
    return xr.Dataset({"impedance": ("frequency", impedance + off)}, {"frequency": FREQUENCY})


@pytest.mark.parametrize("name", OBEYING)
def test_what_obeys_passes_and_is_fitted_exactly(name):
    found = kramers_kronig.test(spectrum(OBEYING[name]))
    assert not found.fails.any()
    assert max(np.abs(found.residual_real).max(), np.abs(found.residual_imag).max()) < 0.03  # per cent


@pytest.mark.parametrize("noise", [0.003, 0.01])
def test_few_clean_spectra_fail_and_the_noise_is_found(noise):
    """110 spectra each, of which 5 % may fail: not more than 11, which chance alone passes once in fifty."""
    failing, found = 0, []
    for at, impedance in enumerate(OBEYING.values()):
        for seed in range(10):
            tested = kramers_kronig.test(spectrum(impedance, noise, 100 * at + seed))
            failing += bool(tested.fails.any())
            found.append(tested.noise / 100 / noise)
    assert failing <= 11
    assert np.mean(found) == pytest.approx(1, abs=0.06) and np.std(found) < 0.15


@pytest.mark.parametrize("at", [0, 5, 30, 50, 72])
@pytest.mark.parametrize("off", [0.03, -0.2, 0.05j])
def test_a_wrong_point_fails_and_its_neighbours_do_not(at, off):
    impedance = OBEYING["two arcs"].copy()
    impedance[at] *= 1 + off
    found = kramers_kronig.test(spectrum(impedance, 0.001, seed=at))
    assert found.fails[at] and found.fails.sum() <= (2 if at in (0, 72) else 1)  # which of the last two, nobody can say
    assert found.noise == pytest.approx(0.1, rel=0.35)


def test_a_drift_fails_at_the_slow_end():
    """The arc grows by a tenth while the last decade, which takes nearly all of the time, is recorded."""
    elapsed = np.cumsum(3 / FREQUENCY)
    drifting = 100 + (OBEYING["two arcs"] - 100) * (1 + 0.1 * elapsed / elapsed[-1])
    failing = FREQUENCY[kramers_kronig.test(spectrum(drifting, 0.001)).fails]
    assert failing.size >= 3
    assert np.median(failing) < 100


def test_parts_that_do_not_belong_together_fail_though_both_are_smooth():
    mixed = OBEYING["arc"].real + 1j * OBEYING["two arcs"].imag
    found = kramers_kronig.test(spectrum(mixed, 0.001))
    assert found.fails.mean() > 0.8
    assert found.noise < 0.3  # not what the common fit leaves


def test_a_sign_turned_round_fails():
    assert kramers_kronig.test(spectrum(OBEYING["two arcs"].conj(), 0.001)).fails.mean() > 0.5


def test_order_of_the_points_is_kept_and_does_not_matter():
    one = spectrum(OBEYING["blocking"], 0.002, seed=3)
    one.impedance[40] *= 1.1
    turned = one.isel(frequency=slice(None, None, -1))
    a, b = kramers_kronig.test(one), kramers_kronig.test(turned)
    assert (a.frequency == one.frequency).all() and a.fails[40]
    np.testing.assert_allclose(a.residual_real, b.residual_real[::-1], atol=1e-5)


def test_too_few_points():
    with pytest.raises(ValueError, match="9 points are too few"):
        kramers_kronig.test(spectrum(OBEYING["arc"]).isel(frequency=slice(9)))
    assert kramers_kronig.test(spectrum(OBEYING["arc"]).isel(frequency=slice(0, 73, 7))).sizes["frequency"] == 11


REAL = os.environ.get("COLDBOND_REAL")


@pytest.mark.skipif(not REAL, reason="COLDBOND_REAL names no folder of measured recordings")
def test_measured_spectra():
    """Two quiet cells fail above 4 MHz alone, where cables resonate; the example of CH Instruments below 10 Hz."""
    quiet = kramers_kronig.test(read(Path(REAL, "lpscl-ionblocking-eis/PEIS_LPSCl_IonBlocking_-25C.txt")))
    sweeps = read(Path(REAL, "ssb-eis/Sample2_PEIS_AtRest.csv"))
    cell = kramers_kronig.test(sweeps.isel(frequency=(sweeps.sweep == 1).to_numpy()))
    for found in (quiet, cell):
        assert not found.fails[found.frequency.to_numpy() < 4e6].any() and found.noise < 0.1
    example = kramers_kronig.test(read(Path(REAL, "chi660e-eis/exampleDataCHInstruments.txt")))
    slow = example.frequency.to_numpy() < 10
    assert example.fails[slow].mean() > 0.7 and example.fails[~slow].mean() < 0.15
