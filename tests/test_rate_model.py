"""The capacity-rate model against its own limits and simulated cells."""

import numpy as np
import pytest
from lmfit.model import ModelResult
from scipy.optimize import brentq

from coldbond.cells import rate_model

SIX = np.array([0.2, 0.5, 1, 2, 5, 10]) * 170  # mA/g


def simulated(currents, *, capacity=165.0, tau=0.02, n=0.7, noise=0.005, rng=None):
    """Rate [1/h], capacity and its standard uncertainty of a cell that obeys the model, with noise upon it."""
    true = [
        brentq(lambda q, i=i: q - rate_model.delivered(i / q, capacity, tau, n), 1e-3, 2 * capacity) for i in currents
    ]
    measured = np.array(true) * (1 + noise * (rng.standard_normal(len(currents)) if rng else 0))
    return currents / measured, measured, np.maximum(noise, 1e-6) * measured


def test_limits_of_the_model():
    assert rate_model.delivered(1e-9, 165, 0.02, 0.7) == pytest.approx(165, rel=1e-4)
    assert rate_model.delivered(1 / 0.02, 165, 0.02, 0.7) == pytest.approx(165 / np.e)
    fast = rate_model.delivered(np.array([1e8, 1e9]), 165, 0.02, 0.7)
    assert fast[1] / fast[0] == pytest.approx(10**-0.7, rel=1e-3)
    assert np.isfinite(rate_model.delivered(np.array([1e-300, 1e300]), 165, 1.0, 3.0)).all()


@pytest.mark.parametrize("n", [0.5, 1.0])
def test_six_exact_rates_give_the_parameters_back(n):
    result = rate_model.fit(*simulated(SIX, n=n, noise=0))
    assert isinstance(result, ModelResult)
    assert result.params["capacity"].value == pytest.approx(165, rel=1e-5)
    assert result.params["tau"].value == pytest.approx(0.02, rel=1e-4)
    assert result.params["n"].value == pytest.approx(n, rel=1e-4)


def test_intervals_of_six_rates_cover_the_truth():
    rng = np.random.default_rng(1)
    covered = {"capacity": 0, "tau": 0, "n": 0}
    for _ in range(40):
        found = rate_model.intervals(rate_model.fit(*simulated(SIX, rng=rng)))
        for name, truth in {"capacity": 165, "tau": 0.02, "n": 0.7}.items():
            _, low, high = found[name]
            covered[name] += (low is None or low <= truth) and (high is None or truth <= high)
    assert all(35 <= count <= 40 for count in covered.values()), covered


def test_three_rates_hold_the_exponent():
    rate, capacity, uncertainty = simulated(SIX[:3], n=1.0, noise=0)
    fitted = rate_model.fits(rate, capacity, uncertainty)
    assert list(fitted) == [0.5, 1.0]
    assert all(result.nfree == 1 for result in fitted.values())
    assert fitted[1.0].params["tau"].value == pytest.approx(0.02, rel=1e-3)
    assert fitted[1.0].chisqr < 1e-3 * fitted[0.5].chisqr
    assert set(rate_model.intervals(fitted[1.0])) == {"capacity", "tau"}


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_rates_leave_nothing_to_fit(count):
    assert rate_model.fits(*simulated(SIX[:count])) == {}


def test_four_rates_leave_one_degree_of_freedom():
    fitted = rate_model.fits(*simulated(SIX[:4], noise=0.001, rng=np.random.default_rng(0)))
    assert list(fitted) == [None]
    assert fitted[None].nfree == 1


def test_a_fit_without_a_covariance_has_no_bounds():
    constant = np.full(6, 165.0)
    found = rate_model.intervals(rate_model.fit(SIX / constant, constant, 0.001 * constant))
    assert not found["tau"].is_bounded


def test_capacity_that_does_not_fall_determines_no_characteristic_time():
    rng = np.random.default_rng(4)
    capacity = 165 * (1 + 0.003 * rng.standard_normal(6))
    found = rate_model.intervals(rate_model.fit(SIX / capacity, capacity, 0.003 * capacity))
    assert not found["tau"].is_bounded
    assert not found["n"].is_bounded
