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
    logarithm = np.log(2 * np.pi * np.asarray(frequency, float)) + 0.5j * np.pi  # of s
    slopes = np.empty((values.size, logarithm.size), complex)
    z = np.zeros(logarithm.size, complex)
    arcs, others = _places(circuit)
    if arcs.size:  # all at once, for speed
        resistance, tau, n = values[arcs.T][:, :, None]
        turned = logarithm + np.log(tau)
        power = np.exp(n * turned)  # (s tau)^n
        each = resistance / (1 + power)
        by_power = -each / (1 + power) * power * n
        slopes[arcs[:, 0]], slopes[arcs[:, 1]], slopes[arcs[:, 2]] = each, by_power, by_power * turned
        z += each.sum(axis=0)
    for kind, at in others:
        one, slopes[at : at + len(ELEMENTS[kind])] = _element(kind, values[at:], logarithm)
        z += one
    return z, slopes


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
            z = np.full(logarithm.shape, p[0], complex)
            return z, [z]
        case "L":
            z = p[0] * np.exp(logarithm)
            return z, [z]
        case "C":
            z = np.exp(-logarithm) / p[0]
            return z, [-z]
        case "W":
            z = p[0] * np.exp(-logarithm / 2)
            return z, [z]
        case "Q":
            z = np.exp(-p[1] * logarithm) / p[0]
            return z, [-z, -z * p[1] * logarithm]
    turned = logarithm + np.log(p[1])  # RWQ
    power = np.exp(p[2] * turned)
    diffusion = p[3] * np.exp(-logarithm / 2)
    branch = p[0] + diffusion
    z = 1 / (power / p[0] + 1 / branch)
    by_power = -(z**2) * power / p[0] * p[2]
    by_resistance = z**2 * (power / p[0] + p[0] / branch**2)
    return z, [by_resistance, by_power, by_power * turned, z**2 * diffusion / branch**2]
