"""Circuits held against limits, other ways to compute the same impedance, and differences."""

import numpy as np
import pytest
from scipy import integrate

from coldbond.impedance import circuits

FREQUENCY = np.logspace(6, -2, 57)
S = 2j * np.pi * FREQUENCY
VALUES = {"R": 50.0, "Rion": 80.0, "L": 1e-6, "C": 3e-6, "Q": 2e-5, "n": 0.8, "A": 30.0, "tau": 2e-3}
VALUES_OF_LINE = {"R0": 50.0, "tau0": 2e-3, "n0": 0.8, "Rion0": 80.0}


def values(circuit):
    return {name: VALUES[name.rstrip("0123456789")] for name in circuits.names(circuit)}


def z(circuit, **changed):
    return circuits.impedance(circuit, values(circuit) | changed, FREQUENCY)


@pytest.mark.parametrize(
    "circuit", ["R", "L", "C", "W", "Q", "RQ", "RWQ", "Wo", "Ws", "T", "L-R-RQ-RWQ-RQ-Q", "L-R-RQ-T-RQ-Wo"]
)
def test_slopes_are_its_differences(circuit):
    p = np.array([*values(circuit).values()])
    slopes = circuits.with_derivatives(circuit, p, FREQUENCY)[1]
    for at, name in enumerate(circuits.names(circuit)):
        up, down = (z(circuit, **{name: p[at] * np.exp(sign * 1e-5)}) for sign in (1, -1))
        np.testing.assert_allclose(slopes[at], (up - down) / 2e-5, rtol=1e-7, atol=1e-9 * np.abs(z(circuit)).max())


def test_elements_by_their_formulas():
    np.testing.assert_allclose(z("L-R-C"), S * 1e-6 + 50 + 1 / (S * 3e-6))
    np.testing.assert_allclose(z("Q"), 1 / (2e-5 * S**0.8))
    np.testing.assert_allclose(z("W"), 30 / np.sqrt(2 * np.pi * FREQUENCY) * np.exp(-0.25j * np.pi))


def test_an_arc_is_a_resistor_beside_a_constant_phase_element():
    own = (2e-3**0.8) / 50  # Q = tau^n / R
    np.testing.assert_allclose(z("RQ"), 1 / (1 / 50 + own * S**0.8))
    np.testing.assert_allclose(z("RWQ"), 1 / (own * S**0.8 + 1 / (50 + 30 / np.sqrt(S))))
    np.testing.assert_allclose(z("RWQ", A1=0.0, A0=1e-300), z("RQ"))
    semicircle = z("RQ", n0=1.0) - 25
    np.testing.assert_allclose(np.abs(semicircle), 25)


def test_an_arc_is_its_distribution_of_relaxation_times():
    """K. S. Cole and R. H. Cole, J. Chem. Phys. 9, 341 (1941), doi 10.1063/1.1750906: gamma(ln tau) in closed form."""
    n, tau = 0.8, 2e-3

    def gamma(x):
        return 50 * np.sin((1 - n) * np.pi) / (np.cosh(n * x) - np.cos((1 - n) * np.pi)) / (2 * np.pi)

    x = np.linspace(-60, 60, 24001)
    assert integrate.trapezoid(gamma(x), x) == pytest.approx(50, rel=1e-6)
    debye = integrate.trapezoid(gamma(x) / (1 + S[:, None] * tau * np.exp(x)), x)
    np.testing.assert_allclose(z("RQ"), debye, rtol=1e-5)


def test_semi_infinite_diffusion_is_a_long_ladder():
    """Series resistances of 0.1 ohm and capacitances to ground: sqrt(r / s c) as long as the line is long."""
    frequency = np.array([30.0, 3.0, 0.3])
    s = 2j * np.pi * frequency
    r, c = 0.1, 0.1 / 30.0**2
    ladder = np.full(s.shape, np.inf + 0j)
    for _ in range(20000):
        ladder = r / 2 + 1 / (s * c + 1 / (r / 2 + ladder))
    np.testing.assert_allclose(circuits.impedance("W", {"A0": 30.0}, frequency), ladder, rtol=2e-3)


def test_limits_of_a_cell():
    circuit = "R-RQ-RQ"
    assert circuits.impedance(circuit, values(circuit), np.array([1e-9]))[0] == pytest.approx(150, rel=1e-5)
    assert circuits.impedance(circuit, values(circuit), np.array([1e15]))[0] == pytest.approx(50, rel=1e-5)


def test_names_tell_the_place_of_an_element():
    assert circuits.names("L-R-RQ-Q") == ("L0", "R1", "R2", "tau2", "n2", "Q3", "n3")
    with pytest.raises(ValueError, match="'X' is not an element; use R, L"):
        circuits.names("R-X")


def test_diffusion_over_a_finite_length_in_its_limits():
    """At high frequency as in an infinite medium; at low frequency a resistor, or R / 3 and a capacitor tau / R."""
    fast, slow = np.array([1e7, 1e6]), np.array([1e-5, 1e-6])
    for kind in ("Wo", "Ws"):
        finite = circuits.impedance(kind, {"R0": 50.0, "tau0": 2.0}, fast)
        np.testing.assert_allclose(finite, circuits.impedance("W", {"A0": 50 / 2**0.5}, fast), rtol=1e-9)
    np.testing.assert_allclose(circuits.impedance("Ws", {"R0": 50.0, "tau0": 2.0}, slow), 50, rtol=1e-4)
    blocked = circuits.impedance("R-C", {"R0": 50 / 3, "C1": 2 / 50}, slow)
    np.testing.assert_allclose(circuits.impedance("Wo", {"R0": 50.0, "tau0": 2.0}, slow), blocked, rtol=1e-6)


def test_diffusion_over_a_finite_length_is_its_series_of_relaxations():
    """tanh: 8 / (pi (2k - 1))^2 of R with times 4 tau / (pi (2k - 1))^2 (Mittag-Leffler expansion)."""
    odd = np.pi * (2 * np.arange(1, 200001) - 1)
    frequency = np.array([1e-2, 0.3, 10.0])
    s = 2j * np.pi * frequency[:, None]
    series = np.sum(50 * 8 / odd**2 / (1 + s * 2.0 * 4 / odd**2), axis=1)
    np.testing.assert_allclose(circuits.impedance("Ws", {"R0": 50.0, "tau0": 2.0}, frequency), series, rtol=1e-4)


def test_a_porous_electrode_is_a_ladder_of_pores_and_interfaces():
    """A thousand sections: resistance of the ions along the pore, an interface to the electrode in each."""
    sections, s = 1000, 2j * np.pi * np.array([1e4, 100.0, 1.0, 1e-3])
    interface = sections * 50 / (1 + (s * 2e-3) ** 0.8)
    ladder = np.full(s.shape, np.inf + 0j)
    for _ in range(sections):
        ladder = 80 / sections / 2 + 1 / (1 / interface + 1 / (80 / sections / 2 + ladder))
    line = circuits.impedance("T", VALUES_OF_LINE, s.imag / (2 * np.pi))
    np.testing.assert_allclose(line, ladder, rtol=1e-3)
    assert line[-1] == pytest.approx(circuits.line(50.0, 80.0)[0], rel=1e-3)


def test_a_porous_electrode_in_its_limits():
    """With little resistance in the pores R + Rion / 3; with much the square root of their product."""
    assert circuits.line(50.0, 0.3)[0] == pytest.approx(50 + 0.3 / 3, abs=1e-4)
    assert circuits.line(0.3, 3000.0)[0] == pytest.approx((0.3 * 3000) ** 0.5, rel=1e-9)
    frequency = np.array([1e-2, 1.0])
    thin = circuits.impedance("T", VALUES_OF_LINE | {"Rion0": 0.3}, frequency)
    assert thin == pytest.approx(circuits.impedance("R-RQ", values("R-RQ") | {"R0": 0.1}, frequency), rel=1e-4)
    _, by_interface, by_pores = circuits.line(50.0, 80.0)
    for name, by, (up, down) in (
        ("R", by_interface, (circuits.line(50 * np.exp(x), 80.0)[0] for x in (1e-6, -1e-6))),
        ("Rion", by_pores, (circuits.line(50.0, 80 * np.exp(x))[0] for x in (1e-6, -1e-6))),
    ):
        assert by == pytest.approx((up - down) / 2e-6, rel=1e-6), name
