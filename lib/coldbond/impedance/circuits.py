"""Equivalent circuits: elements in series, written as in "L-R-RQ-Q", with their impedance and its derivatives."""

from collections.abc import Mapping
from functools import cache

import numpy as np

#: Elements and their parameters, all positive. In brackets the impedance, with s = 2 pi i frequency:
#: resistor, inductor (s L), capacitor (1 / s C), constant phase element (1 / Q s^n), Warburg element of semi-infinite
#: diffusion (A / s^0.5), arc of a resistance beside a constant phase element (R / (1 + (s tau)^n)), and such an arc
#: whose resistance has a Warburg element behind it (Randles 1947, doi 10.1039/df9470100011).
ELEMENTS = {
    "R": ("R",),
    "L": ("L",),
    "C": ("C",),
    "Q": ("Q", "n"),
    "W": ("A",),
    "RQ": ("R", "tau", "n"),
    "RWQ": ("R", "tau", "n", "A"),
}
UNITS = {"R": "ohm", "L": "H", "C": "F", "Q": "S s^n", "A": "ohm/s^0.5", "tau": "s", "n": "1"}
ARCS = ("RQ", "RWQ")


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
        raise ValueError(
            f"circuit {circuit!r}: {unknown[0]!r} is no element: write some of {known} with - between them"
        )
    return tuple((kind, tuple(f"{name}{at}" for name in ELEMENTS[kind])) for at, kind in enumerate(kinds))


@cache
def names(circuit: str) -> tuple[str, ...]:
    """Return the names of a circuit's parameters, in order."""
    return tuple(name for _, own in elements(circuit) for name in own)


def impedance(circuit: str, values: Mapping[str, float], frequency: np.ndarray) -> np.ndarray:
    """Return the impedance of a circuit, shape (n,), in ohm: `terms` without its derivatives."""
    return terms(circuit, np.array([values[name] for name in names(circuit)]), frequency)[0]


def terms(circuit: str, values: np.ndarray, frequency: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the impedance of a circuit and its derivatives.

    Parameters
    ----------
    circuit : str
        Elements in series, such as "L-R-RQ-RQ".
    values : array, shape (parameters,) or (several, parameters)
        Its parameters in the order of `names`, in ohm, henry, farad, second; see `UNITS`.
    frequency : array, shape (n,)
        In Hz.

    Returns
    -------
    impedance : array of complex, shape (n,) or (several, n)
        In ohm; the imaginary part of a capacitor is negative.
    derivatives : array of complex, shape (parameters, n) or (several, parameters, n)
        By the logarithm of each parameter, in ohm.
    """
    logarithm = np.log(2 * np.pi * np.asarray(frequency, float))
    slopes = np.empty((*values.shape, logarithm.size), complex)
    z = np.zeros((*values.shape[:-1], logarithm.size), complex)
    arcs, others = _places(circuit)
    if arcs.size:  # all at once, for speed
        own = values[..., arcs, None]
        resistance, tau, n = own[..., 0, :], own[..., 1, :], own[..., 2, :]
        turned = logarithm + np.log(tau)
        share = 1 / (1 + _power(turned, n))
        each = resistance * share
        by_power = n * (share - 1) * each
        slopes[..., arcs[:, 0], :], slopes[..., arcs[:, 1], :] = each, by_power
        slopes[..., arcs[:, 2], :] = by_power * (turned + 0.5j * np.pi)
        z += each.sum(axis=-2)
    for kind, at in others:
        one, own = _element(kind, values.T[at:, ..., None], logarithm)
        for place, slope in enumerate(own, start=at):
            slopes[..., place, :] = slope
        z += one
    return z, slopes


def _power(logarithm: np.ndarray, n: np.ndarray | float) -> np.ndarray:
    """The power n of i omega, of omega's logarithm: real but for a factor, which is three times as fast."""
    return np.exp(n * logarithm) * np.exp(0.5j * np.pi * n)


@cache
def _places(circuit: str) -> tuple[np.ndarray, list[tuple[str, int]]]:
    """Where the parameters of the arcs are, shape (arcs, 3), and the other elements with where theirs begin."""
    begins, kinds = [], [kind for kind, _ in elements(circuit)]
    for at in range(len(kinds)):
        begins.append(sum(len(ELEMENTS[kind]) for kind in kinds[:at]))
    placed = list(zip(kinds, begins, strict=True))
    arcs = np.array([range(at, at + 3) for kind, at in placed if kind == "RQ"], int)
    return arcs, [(kind, at) for kind, at in placed if kind != "RQ"]


def _element(kind: str, p: np.ndarray, logarithm: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The impedance of one element and its derivatives by the logarithms of its parameters."""
    match kind:
        case "R":
            return p[0], [p[0]]
        case "L":
            z = p[0] * _power(logarithm, 1)
            return z, [z]
        case "C":
            z = _power(logarithm, -1) / p[0]
            return z, [-z]
        case "W":
            z = p[0] * _power(logarithm, -0.5)
            return z, [z]
        case "Q":
            z = _power(logarithm, -p[1]) / p[0]
            return z, [-z, -z * p[1] * (logarithm + 0.5j * np.pi)]
    turned = logarithm + np.log(p[1])  # RWQ
    power = _power(turned, p[2])
    diffusion = p[3] * _power(logarithm, -0.5)
    branch = p[0] + diffusion
    z = 1 / (power / p[0] + 1 / branch)
    by_power = -(z**2) * power / p[0] * p[2]
    by_resistance = z**2 * (power / p[0] + p[0] / branch**2)
    return z, [by_resistance, by_power, by_power * (turned + 0.5j * np.pi), z**2 * diffusion / branch**2]
