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


def impedance(circuit: str, values: Mapping[str, float], frequency: np.ndarray) -> np.ndarray:
    """Return the impedance of a circuit, shape (n,), in ohm: `terms` without its derivatives."""
    return terms(circuit, values, frequency)[0]


def terms(circuit: str, values: Mapping[str, float], frequency: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the impedance of a circuit and its derivatives.

    Parameters
    ----------
    circuit : str
        Elements in series, such as "L-R-RQ-RQ".
    values : mapping of str to float
        Its parameters, in ohm, henry, farad, second; see `UNITS`.
    frequency : array, shape (n,)
        In Hz.

    Returns
    -------
    impedance : array of complex, shape (n,)
        In ohm; the imaginary part of a capacitor is negative.
    derivatives : array of complex, shape (parameters, n)
        By the logarithm of each parameter, in ohm.
    """
    s = 2j * np.pi * np.asarray(frequency, float)
    each = [_element(kind, [values[name] for name in own], s) for kind, own in elements(circuit)]
    return sum(z for z, _ in each), np.array([slope for _, slopes in each for slope in slopes])


def _element(kind: str, p: list[float], s: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The impedance of one element and its derivatives by the logarithms of its parameters."""
    match kind:
        case "R":
            z = np.full(s.shape, p[0], complex)
            return z, [z]
        case "L":
            z = s * p[0]
            return z, [z]
        case "C":
            z = 1 / (s * p[0])
            return z, [-z]
        case "W":
            z = p[0] / np.sqrt(s)
            return z, [z]
        case "Q":
            z = 1 / (p[0] * s ** p[1])
            return z, [-z, -z * p[1] * np.log(s)]
    turned = np.log(s * p[1])
    power = np.exp(p[2] * turned)  # (s tau)^n
    diffusion = p[3] / np.sqrt(s) if kind == "RWQ" else 0.0
    branch = p[0] + diffusion
    z = 1 / (power / p[0] + 1 / branch)
    by_power = -(z**2) * power / p[0]
    slopes = [z**2 * (power / p[0] + p[0] / branch**2), by_power * p[2], by_power * p[2] * turned]
    return z, [*slopes, z**2 * diffusion / branch**2] if kind == "RWQ" else slopes
