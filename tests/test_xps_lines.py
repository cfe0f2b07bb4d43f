"""Line shapes and backgrounds: exact limits, and lmfitxps as an independent implementation."""

import numpy as np
import pytest
from lmfitxps import backgrounds as other_backgrounds
from lmfitxps import lineshapes as other_shapes
from scipy.special import voigt_profile
from scipy.stats import norm

from coldbond.xps import backgrounds, line_shapes

ENERGY = np.arange(-40, 40, 0.01)


def area(line: np.ndarray) -> float:
    return float(np.trapezoid(line, ENERGY))


def width(line: np.ndarray) -> float:
    above = ENERGY[line > line.max() / 2]
    return float(above[-1] - above[0])


@pytest.mark.parametrize("mixing", [0.0, 0.01, 0.3, 0.9])
def test_product_and_sum_have_unit_area_and_their_width(mixing):
    for shape in (line_shapes.gaussian_lorentzian_product, line_shapes.gaussian_lorentzian_sum):
        line = shape(ENERGY, 1.3, mixing)
        tail = mixing * 1.3 / (np.pi * 40) if shape is line_shapes.gaussian_lorentzian_sum else 0.0
        assert area(line) + tail == pytest.approx(1, abs=3e-3)
        assert width(line) == pytest.approx(1.3, rel=0.06)


@pytest.mark.parametrize("shape", [line_shapes.gaussian_lorentzian_product, line_shapes.gaussian_lorentzian_sum])
def test_product_and_sum_end_in_a_gaussian_and_a_lorentzian(shape):
    gauss = np.exp(-4 * np.log(2) * ENERGY**2) * np.sqrt(4 * np.log(2) / np.pi)
    np.testing.assert_allclose(shape(ENERGY, 1.0, 0.0), gauss, atol=1e-9)
    lorentz = 2 / np.pi / (1 + 4 * ENERGY**2)
    np.testing.assert_allclose(shape(ENERGY, 1.0, 1.0), lorentz, rtol=1e-9)
    np.testing.assert_allclose(shape(ENERGY, 1.0, 1.0 + 1e-7), lorentz, rtol=1e-2)  # of a derivative


def test_voigt_is_that_of_scipy_with_its_limits():
    sigma = 0.8 / np.sqrt(8 * np.log(2))
    np.testing.assert_allclose(line_shapes.voigt(ENERGY, 0.8, 0.3), voigt_profile(ENERGY, sigma, 0.15), rtol=1e-9)
    narrow = line_shapes.voigt(ENERGY, 1e-4, 0.3)
    np.testing.assert_allclose(narrow, 0.3 / 2 / np.pi / (ENERGY**2 + 0.15**2), rtol=1e-5)


def test_doniach_sunjic_without_asymmetry_is_a_voigt_profile():
    voigt = line_shapes.voigt(ENERGY, 0.8, 0.3)
    np.testing.assert_array_equal(line_shapes.doniach_sunjic(ENERGY, 0.8, 0.3, 0.0), voigt)
    np.testing.assert_allclose(line_shapes.doniach_sunjic(ENERGY, 0.8, 0.3, 1e-9), voigt, atol=1e-8)


@pytest.mark.parametrize("lorentzian", [0.05, 0.4, 1.5])
def test_doniach_sunjic_is_a_line_convolved_with_a_gaussian(lorentzian):
    """Summed along the real axis, in steps far below the Lorentzian's width."""
    half, a = lorentzian / 2, 0.12
    offset = np.linspace(-8, 8, 4001)
    energy = ENERGY[::40]
    x = energy[:, np.newaxis] - offset * 0.8 / np.sqrt(8 * np.log(2))
    sharp = np.cos(np.pi * a / 2 - (1 - a) * np.arctan(x / half)) / (x**2 + half**2) ** ((1 - a) / 2)
    line = a / np.sin(np.pi * a) / line_shapes.TAIL**a * (sharp @ norm.pdf(offset)) / norm.pdf(offset).sum()
    np.testing.assert_allclose(line_shapes.doniach_sunjic(energy, 0.8, lorentzian, a), line, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("a", [0.02, 0.1, 0.25])
def test_lines_of_any_asymmetry_have_the_same_area(a):
    """Of a Doniach-Sunjic line up to the end of its band; else the shares of a metal and a compound do not compare."""
    energy = np.arange(-200, line_shapes.TAIL, 0.002)
    assert np.trapezoid(line_shapes.doniach_sunjic(energy, 0.1, 0.05, a), energy) == pytest.approx(1, abs=0.01)
    assert area(line_shapes.exponential_tail(ENERGY, 1.2, 0.1, a)) == pytest.approx(1, abs=0.01)


def test_an_exponential_tail_moves_the_mean():
    line = line_shapes.exponential_tail(ENERGY, 1.2, 0.0, 0.15)
    assert np.trapezoid(ENERGY * line, ENERGY) == pytest.approx(0.15 * line_shapes.EXPONENTIAL, rel=1e-3)
    direct = np.exp(-np.arange(0, 20, 0.01) / 0.3)
    convolved = np.convolve(line_shapes.voigt(ENERGY, 1.2, 0.0), direct / direct.sum())[: ENERGY.size]
    np.testing.assert_allclose(line, convolved, atol=0.02 * convolved.max())


def test_doniach_sunjic_has_its_power_law_at_high_binding_energy():
    line = line_shapes.doniach_sunjic(np.array([-30.0, 15.0, 30.0]), 0.4, 0.2, 0.15)
    assert line[1] / line[2] == pytest.approx(2**0.85, rel=0.01)
    assert line[2] > 5 * line[0]


def test_doniach_sunjic_against_lmfitxps():
    """Up to a factor: that one is scaled to its height. It lies half a step off, by which the two differ."""
    kinetic = np.arange(-30, 30, 0.005)  # its lines tail to low kinetic energy
    theirs = other_shapes.singlett(kinetic, 1.0, 0.2, 0.12, 0.35, 0.0)
    ours = line_shapes.doniach_sunjic(-kinetic, 0.35 * np.sqrt(8 * np.log(2)), 0.4, 0.12)
    near = np.abs(kinetic) < 6
    np.testing.assert_allclose((ours / ours.max())[near], theirs[near], atol=4e-3)


def test_shirley_of_a_narrow_line_is_a_step():
    energy = np.arange(0, 20, 0.05)
    line = np.zeros(energy.size)
    line[energy.size // 2] = 1 / 0.05
    step = backgrounds.shirley(energy)(line)
    np.testing.assert_allclose(step[energy < 9.9], 0, atol=1e-9)
    np.testing.assert_allclose(step[energy > 10.1], np.trapezoid(line, energy), rtol=1e-12)


def test_tougaard_of_a_narrow_line_is_the_loss_function():
    energy = np.arange(0, 200, 0.1)
    line = np.zeros(energy.size)
    line[100] = 10.0  # unit area
    loss = 2866 * backgrounds.tougaard(energy)(line)
    lost = np.maximum(energy - energy[100], 0)
    np.testing.assert_allclose(loss, 2866 * lost / (1643 + lost**2) ** 2, rtol=1e-9)
    assert lost[loss.argmax()] == pytest.approx(np.sqrt(1643 / 3), abs=0.1)


def test_tougaard_against_lmfitxps():
    energy = np.arange(80, 100, 0.05)
    line = 1000 * line_shapes.voigt(energy - 86, 0.8, 0.3)
    theirs = other_backgrounds.tougaard_closure()(energy[::-1], line[::-1], 2866.0, 1643.0, 1.0, 0.0)[::-1]
    np.testing.assert_allclose(2866 * backgrounds.tougaard(energy)(line), theirs, rtol=0.02, atol=1e-3 * theirs.max())


def test_iterative_shirley_is_the_active_one_of_the_same_strength():
    energy = np.arange(80, 100, 0.05)
    line = 1000 * line_shapes.voigt(energy - 90, 0.8, 0.05)
    true = 50 + 0.04 * backgrounds.shirley(energy)(line)
    found = backgrounds.iterative_shirley(energy, line + true)
    np.testing.assert_allclose(found, true, atol=0.02 * np.ptp(true))


def test_iterative_shirley_against_lmfitxps():
    energy = np.arange(80, 100, 0.05)
    line = 1000 * line_shapes.voigt(energy - 90, 0.8, 0.05)
    data = line + 50 + 0.04 * backgrounds.shirley(energy)(line)
    theirs = other_backgrounds.shirley_calculate(energy[::-1], data[::-1], tol=1e-9, maxit=50)[::-1]
    np.testing.assert_allclose(backgrounds.iterative_shirley(energy, data, ends=1), theirs, rtol=1e-4)


def test_iterative_shirley_without_a_peak_fails():
    energy = np.arange(80, 100, 0.05)
    with pytest.raises(ValueError, match="holds no peak"):
        backgrounds.iterative_shirley(energy, np.linspace(100, 50, energy.size) - 20 * np.sin(energy))


@pytest.mark.parametrize(
    "shape, arguments",
    [
        (line_shapes.voigt, [0.3]),
        (line_shapes.doniach_sunjic, [0.3, 0.12]),
        (line_shapes.exponential_tail, [0.3, 0.12]),
    ],
)
def test_analytic_derivatives_are_those_of_differences(shape, arguments):
    arguments = [ENERGY, np.array([[0.5], [1.1]]), *arguments]
    line, *derivatives = line_shapes.DERIVATIVES[shape](*arguments)
    np.testing.assert_allclose(line, shape(*arguments), rtol=1e-12)
    assert len(derivatives) == len(arguments)
    for i, derivative in enumerate(derivatives):
        up, down = (shape(*[value + (i == j) * step for j, value in enumerate(arguments)]) for step in (1e-5, -1e-5))
        np.testing.assert_allclose(derivative, (up - down) / 2e-5, atol=1e-7)
