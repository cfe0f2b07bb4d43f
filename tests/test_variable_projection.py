"""Separable least squares against a fit of all parameters at once, and against sums whose parts are known."""

import numpy as np
import pytest
from scipy.optimize import least_squares

from coldbond import variable_projection as vp

X = np.linspace(0, 10, 400)


def gaussians(places):
    shapes = np.exp(-((X[:, None] - places) ** 2) / 2)
    return shapes, lambda amplitudes: shapes * (X[:, None] - places) * amplitudes


def test_parts_of_an_exact_sum_are_found():
    observed = gaussians(np.array([3.0, 5.5]))[0] @ [2.0, -0.5]
    found = vp.fit(gaussians, observed, np.array([2.6, 6.0]), np.array([[0, 4.0], [4.5, 9]]), tolerance=1e-12)
    np.testing.assert_allclose(found.x, [3.0, 5.5], atol=1e-6)
    np.testing.assert_allclose(found.amplitudes, [2.0, -0.5], atol=1e-6)


def test_minimum_is_that_of_all_parameters_fitted_together():
    observed = gaussians(np.array([3.0, 5.0]))[0] @ [1.0, 0.7] + np.random.default_rng(1).normal(0, 0.1, X.size)
    found = vp.fit(gaussians, observed, np.array([2.5, 5.5]), np.array([[0, 10.0]] * 2), tolerance=1e-12)
    whole = least_squares(lambda p: gaussians(p[:2])[0] @ p[2:] - observed, [2.5, 5.5, 1, 1], xtol=1e-12, ftol=1e-12)
    np.testing.assert_allclose([*found.x, *found.amplitudes], whole.x, rtol=1e-4)


def test_a_bound_is_reached_exactly():
    observed = gaussians(np.array([3.0]))[0] @ [1.0]
    assert vp.fit(gaussians, observed, np.array([4.5]), np.array([[4.0, 6.0]])).x[0] == 4.0


def test_equal_columns_share_an_amplitude_and_leave_the_fit_as_it_is():
    design = np.ones((5, 2))
    solution = vp.solved(design, np.full(5, 3.0))
    assert solution.amplitudes.sum() == pytest.approx(3.0)
    np.testing.assert_allclose(solution.residual, 0, atol=1e-12)
