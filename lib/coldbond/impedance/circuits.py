"""Equivalent circuits: elements in series, written as in "L-R-RQ-Q", with their impedance and its derivatives.

Each element has a closed expression for its impedance over the angular frequency omega. Powers of i omega are computed
from logarithms, and all RQ arcs of a circuit at once, since fits evaluate circuits many thousand times. Derivatives are
by the logarithms of the parameters, which makes them alike in size. Elements and symbols follow Lasia (2014,
Electrochemical Impedance Spectroscopy and its Applications, doi 10.1007/978-1-4614-8933-7).
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

#: Elements and their parameters, all positive. In brackets the impedance, with s = 2 pi i frequency, x = (s tau)^0.5:
#: resistor, inductor (s L), capacitor (1 / s C), constant phase element (1 / Q s^n), Warburg element of semi-infinite
#: diffusion (A / s^0.5), and of diffusion over a finite length to a blocking wall, "open" (R coth(x) / x; at low
#: frequency R / 3 and a capacitor of tau / R), or to a permeable one, "short" (R tanh(x) / x; at low frequency R),
#: arc of a resistor in parallel with a constant phase element (R / (1 + (s tau)^n)), and such an arc with a Warburg
#: element in series with the resistor (Randles 1947, doi 10.1039/df9470100011).
#: T is a porous electrode: a transmission line of the resistance Rion of the ions in the pores, electrons without
#: resistance, and an interface that is an arc, Z = R / (1 + (s tau)^n): (Rion Z)^0.5 coth((Rion / Z)^0.5) (de Levie
#: 1963, doi 10.1016/0013-4686(63)80042-0). For Rion << R it is Rion / 3 + Z.
ELEMENTS = {
    "R": ("R",),
    "L": ("L",),
    "C": ("C",),
    "Q": ("Q", "n"),
    "W": ("A",),
    "Wo": ("R", "tau"),
    "Ws": ("R", "tau"),
    "RQ": ("R", "tau", "n"),
    "RWQ": ("R", "tau", "n", "A"),
    "T": ("R", "tau", "n", "Rion"),
}
UNITS = {"R": "ohm", "Rion": "ohm", "L": "H", "C": "F", "Q": "S s^n", "A": "ohm/s^0.5", "tau": "s", "n": "1"}
ARCS = ("RQ", "RWQ")
#: Diffusion elements, and the letter that stands for any of them in a list of candidates: see `fit.candidates`.
DIFFUSION, ANY_DIFFUSION = ("W", "Wo", "Ws"), "D"
#: Circuits between which a spectrum decides: a cell with two metallic electrodes, and a full cell, whose porous
#: electrode may be a transmission line.
SYMMETRIC = ("L-R-RQ-D", "L-R-RQ-RQ-D", "L-R-RQ-RQ-RQ-D", "L-R-RQ-RQ-RQ-RQ")
FULL_CELL = ("L-R-RQ-RQ-D", "L-R-RQ-RQ-RQ-D", "L-R-RQ-RQ-RQ-Q", "L-R-RQ-T")


@cache
def elements(circuit: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the elements of a circuit, each with the names of its parameters: those of the third are R2, tau2, n2.

    Raises
    ------
    ValueError
        The circuit has an element that is not known.
    """
    kinds = circuit.split("-")
    if unknown := [kind for kind in kinds if kind not in ELEMENTS]:
        known = ", ".join(ELEMENTS)
        raise ValueError(f"circuit {circuit!r}: {unknown[0]!r} is not an element; use {known}, joined by hyphens")
    return tuple((kind, tuple(f"{name}{at}" for name in ELEMENTS[kind])) for at, kind in enumerate(kinds))


@cache
def names(circuit: str) -> tuple[str, ...]:
    """Return the names of a circuit's parameters, in order."""
    return tuple(name for _, own in elements(circuit) for name in own)


def unit(name: str) -> str:
    """Return the unit of a parameter, such as "tau2"."""
    return UNITS[name.rstrip("0123456789")]


def impedance(circuit: str, values: Mapping[str, float], frequency: np.ndarray) -> np.ndarray:
    """Return the impedance of a circuit, shape (n,), in ohm, for parameters by name and frequencies in Hz."""
    return with_derivatives(circuit, np.array([values[name] for name in names(circuit)]), frequency)[0]


def with_derivatives(circuit: str, values: np.ndarray, frequency: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the impedance of a circuit and its derivatives.

    Parameters
    ----------
    circuit : str
        Elements in series, such as "L-R-RQ-RQ".
    values : array, shape (parameters,)
        Its parameters in the order of `names`, in ohm, henry, farad, second; see `UNITS`.
    frequency : array, shape (n,)
        In Hz.

    Returns
    -------
    impedance : array of complex, shape (n,)
        In ohm; the imaginary part of a capacitor is negative.
    derivatives : array of complex, shape (parameters, n)
        By the logarithm of each parameter, in ohm.
    """
    log_omega = np.log(2 * np.pi * np.asarray(frequency, float))
    derivatives = np.empty((values.size, log_omega.size), complex)
    z = np.zeros(log_omega.size, complex)
    arcs, others = _positions(circuit)
    if arcs.size:
        resistance, tau, n = values[arcs.T][:, :, None]
        log_omega_tau = log_omega + np.log(tau)
        relative = 1 / (1 + _power(log_omega_tau, n))  # 1 / (1 + (s tau)^n)
        each = resistance * relative
        by_tau = n * (relative - 1) * each
        derivatives[arcs[:, 0]], derivatives[arcs[:, 1]] = each, by_tau
        derivatives[arcs[:, 2]] = by_tau * (log_omega_tau + 0.5j * np.pi)
        z += each.sum(axis=0)
    for kind, first in others:
        own_z, own_derivatives = _element(kind, values[first:], log_omega)
        derivatives[first : first + len(own_derivatives)] = own_derivatives
        z += own_z
    return z, derivatives


def _power(logarithm: np.ndarray, n: np.ndarray | float) -> np.ndarray:
    """(i omega)^n from ln omega; a real exponential and a phase factor are three times as fast as a complex power."""
    return np.exp(n * logarithm) * np.exp(0.5j * np.pi * n)


@cache
def _positions(circuit: str) -> tuple[np.ndarray, list[tuple[str, int]]]:
    """Positions of the parameters of the RQ arcs, shape (arcs, 3), and the other elements with their first position."""
    first, positions = 0, []
    for kind, own in elements(circuit):
        positions.append((kind, first))
        first += len(own)
    arcs = np.array([range(at, at + 3) for kind, at in positions if kind == "RQ"], int)
    return arcs, [(kind, at) for kind, at in positions if kind != "RQ"]


def _element(kind: str, p: np.ndarray, log_omega: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Impedance of one element other than RQ and its derivatives by the logarithms of its parameters."""
    match kind:
        case "R":
            z = np.full(log_omega.size, p[0], complex)
            return z, [z]
        case "L":
            z = p[0] * _power(log_omega, 1)
            return z, [z]
        case "C":
            z = _power(log_omega, -1) / p[0]
            return z, [-z]
        case "W":
            z = p[0] * _power(log_omega, -0.5)
            return z, [z]
        case "Q":
            z = _power(log_omega, -p[1]) / p[0]
            return z, [-z, -z * p[1] * (log_omega + 0.5j * np.pi)]
        case "Wo" | "Ws":
            relative, by_log_length = _finite(kind, _power(log_omega + np.log(p[1]), 0.5))
            return p[0] * relative, [p[0] * relative, p[0] * by_log_length / 2]
    log_omega_tau = log_omega + np.log(p[1])
    power = _power(log_omega_tau, p[2])
    if kind == "T":
        relative, by_log_length = _finite("Wo", np.sqrt(p[3] / p[0] * (1 + power)))
        z, by_conductance = p[3] * relative, p[3] * by_log_length / 2
        by_tau = by_conductance * p[2] * power / (1 + power)
        return z, [-by_conductance, by_tau, by_tau * (log_omega_tau + 0.5j * np.pi), z + by_conductance]
    # RWQ: 1 / z = (s tau)^n / R + 1 / (R + A / s^0.5)
    diffusion = p[3] * _power(log_omega, -0.5)
    branch = p[0] + diffusion
    z = 1 / (power / p[0] + 1 / branch)
    by_tau = -(z**2) * power / p[0] * p[2]
    by_resistance = z**2 * (power / p[0] + p[0] / branch**2)
    return z, [by_resistance, by_tau, by_tau * (log_omega_tau + 0.5j * np.pi), z**2 * diffusion / branch**2]


def line(resistance: float, pores: float) -> tuple[float, float, float]:
    """Return the resistance [ohm] of a porous electrode T to direct current, and its derivatives by ln R and ln Rion.

    It is (Rion R)^0.5 coth((Rion / R)^0.5), for Rion << R this is R + Rion / 3.
    """
    relative, by_log_length = _finite("Wo", np.sqrt(np.array([pores / resistance])))
    whole, by_resistance = pores * float(relative[0]), -pores * float(by_log_length[0]) / 2
    return whole, by_resistance, whole - by_resistance


def _finite(kind: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """coth(x) / x of diffusion to a blocking wall or tanh(x) / x to a permeable one, and its derivative by ln x."""
    tanh = np.tanh(x)
    root = tanh if kind == "Ws" else 1 / tanh
    return root / x, 1 - root**2 - root / x
