"""A series of RC elements with random resistances, fitted to a spectrum by restricted maximum likelihood.

A series of RC elements with fixed time constants obeys the Kramers-Kronig relations whatever its resistances (Boukamp
1995, doi 10.1149/1.2044210). The resistances are random with one variance, so that few points leave open what lies
between them: a Gaussian process whose real and imaginary part belong together (Liu and Ciucci 2020, doi
10.1016/j.electacta.2019.135316). Variance of the resistances and size of the noise follow from the spectrum by
restricted maximum likelihood (Patterson and Thompson 1971, doi 10.1093/biomet/58.3.545).
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from scipy import linalg

#: RC elements in a decade of time constants, and decades of them beyond the slowest and the fastest point. A series of
#: five in a decade describes any spectrum of relaxations to 2e-5.
PER_DECADE, BEYOND = 5, 1.0
#: Least standard deviation of the noise, as a share of the modulus: the exactness of the series.
LEAST_NOISE = 3e-5
#: Ratios of variances, of the resistances (as a share of the modulus) to the noise, that are tried.
RATIOS = np.logspace(0, 10, 21)
#: Columns without a variance: resistor, inductor, capacitor.
FREE = 3


class Columns(NamedTuple):
    """What is fitted, as a share of the modulus: the real parts of the n points, then their imaginary parts.

    Attributes
    ----------
    elements : array, shape (2 n, elements)
        Of each RC element.
    free : array, shape (2 n, 3)
        Of resistor, inductor and capacitor.
    target : array, shape (2 n,)
        The measured.
    """

    elements: np.ndarray
    free: np.ndarray
    target: np.ndarray

    def of(self, points: np.ndarray) -> Self:
        """Return those of some points: array of bool, shape (n,)."""
        both = np.tile(points, 2)
        return self._replace(elements=self.elements[both], free=self.free[both], target=self.target[both])


@dataclass(frozen=True)
class Fit:
    """Best ratio of variances for one structure of the noise.

    Attributes
    ----------
    weight : array, shape (2 n,)
        Standard deviation of each number, as a share of the modulus, but for a common factor.
    inverse : array, shape (2 n, 2 n)
        P, with which P y are the weighted residuals divided by their own variances.
    residual : array, shape (2 n,)
        P y.
    variance : float
        Square of the common factor.
    ratio : float
    """

    weight: np.ndarray
    inverse: np.ndarray
    residual: np.ndarray
    variance: float
    ratio: float

    @property
    def typical(self) -> float:
        """Typical standard deviation of a number, as a share of the modulus."""
        return float(self.variance**0.5 * np.median(self.weight))


def columns(frequency: np.ndarray, impedance: np.ndarray) -> Columns:
    """Return the columns of a spectrum: frequency [Hz], ascending, and impedance [ohm], shape (n,)."""
    s = 2j * np.pi * frequency
    omega, modulus = np.abs(s), np.abs(impedance)
    low, high = -np.log10(omega.max()) - BEYOND, BEYOND - np.log10(omega.min())
    tau = np.logspace(low, high, int(np.ceil((high - low) * PER_DECADE)) + 1)
    # A resistance may be as large as the modulus is where its element relaxes.
    size = np.exp(np.interp(-np.log(tau), np.log(omega), np.log(modulus)))
    elements = size / (1 + s[:, None] * tau) / PER_DECADE**0.5
    free = np.stack([np.ones_like(s), s / omega.max(), omega.min() / s], axis=1)
    return Columns(
        _stacked(elements / modulus[:, None]),
        _stacked(free / modulus[:, None]) * modulus.min(),
        _stacked(impedance / modulus),
    )


def best_ratio(data: Columns, weight: np.ndarray) -> tuple[float, float]:
    """Return -2 ln(restricted likelihood) and the ratio of variances at its minimum."""
    left, values, _ = linalg.svd(data.elements / weight[:, None], full_matrices=False, check_finite=False)
    rest = np.column_stack([data.free, data.target]) / weight[:, None]
    inside = left.T @ rest
    outside = np.linalg.qr(rest - left @ inside, mode="r")
    shrunk = 1 / (1 + RATIOS[:, None] * values**2)
    stack = np.concatenate([np.sqrt(shrunk)[:, :, None] * inside, np.tile(outside, (RATIOS.size, 1, 1))], axis=1)
    r = np.asarray(np.linalg.qr(stack, mode="r"))
    squares = r[:, FREE, FREE] ** 2  # left of the target beside the free columns
    freedom = data.target.size - FREE
    logarithms = 2 * np.log(np.abs(np.diagonal(r, axis1=1, axis2=2)[:, :FREE])).sum(axis=1)
    logarithms += 2 * np.log(weight).sum() - np.log(shrunk).sum(axis=1)
    found = freedom * np.log(squares / freedom + LEAST_NOISE**2) + logarithms
    return float(found.min()), float(RATIOS[found.argmin()])


def fitted(data: Columns, weight: np.ndarray, ratio: float | None = None) -> Fit:
    """Return the fit with a structure of the noise; where no ratio is given, with the best."""
    if ratio is None:
        ratio = best_ratio(data, weight)[1]
    # Least squares with a further row for each resistance, which draws it to zero; P projects on what is left.
    above = np.column_stack([data.elements, data.free]) / weight[:, None]
    below = np.eye(data.elements.shape[1], above.shape[1]) / ratio**0.5
    q = np.linalg.qr(np.concatenate([above, below]))[0][: weight.size]
    inverse = np.eye(weight.size) - q @ q.T
    residual = inverse @ (data.target / weight)
    variance = max(float(residual @ (data.target / weight)), 0.0) / (weight.size - FREE) + LEAST_NOISE**2
    return Fit(weight, inverse, residual, variance, ratio)


def apart(one: Fit, data: Columns) -> Fit:
    """Return the fit with independent resistances, R, L and C of the real and of the imaginary part."""
    elements = linalg.block_diag(*np.split(data.elements, 2))
    return fitted(data._replace(elements=elements), one.weight)


def residuals(one: Fit, data: Columns, kept: np.ndarray) -> np.ndarray:
    """Return fitted less measured of all points, those that the fit does not hold included, shape (2 n,)."""
    own, both = data.of(kept), np.tile(kept, 2)
    process = one.ratio * (data.elements @ ((own.elements / one.weight[:, None]).T @ one.residual))
    # What the process does not explain is the free columns and the noise, whose prediction is P y.
    rest = own.target - process[both] - one.weight * one.residual
    amplitudes = np.linalg.lstsq(own.free / one.weight[:, None], rest / one.weight, rcond=None)[0]
    return process + data.free @ amplitudes - data.target


def _stacked(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=0)
