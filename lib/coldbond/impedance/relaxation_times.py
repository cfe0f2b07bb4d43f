"""Distribution of relaxation times: a view of a spectrum that assumes no circuit."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy import linalg, optimize, signal, stats

PER_DECADE = 10  # relaxation times
BEYOND = 0.5  # decades beyond the slowest and fastest point
ROUNDED = 5e-5  # of the modulus, of numbers of four digits: no noise is smaller
LOOSE = 5.0, 10.0  # standard deviations of the prior of ln R, ln L and ln 1/C, and of ln gamma at both ends
STEPS, NEAR, SETTLED = 100, 0.5, 0.01
FIRST = 0.1  # strength of the penalty
LONGEST = 2.0  # step of a logarithm
SMALLEST = 0.02  # prominence of a peak, of the highest


class Peak(NamedTuple):
    """A process: relaxation time [s] and resistance below its peak [ohm]."""

    relaxation_time: float
    resistance: float


def distribution(spectrum: xr.Dataset) -> xr.Dataset:
    """Return how the resistance of a cell is spread over relaxation times.

    The impedance is that of a resistance, an inductance and a capacitance in series and of Debye elements
    gamma dln(tau) / (1 + i omega tau), ten a decade (Saccoccio et al. 2014, doi 10.1016/j.electacta.2014.09.058), and
    is weighted by the modulus. What is taken to be smooth is the logarithm of gamma: its curvature is penalised, which
    leaves the flanks of an arc, exponentials both, as they are. The strength of the penalty and the noise are those of
    the largest marginal likelihood, by the iteration of MacKay (1992, doi 10.1162/neco.1992.4.3.415). Non-negative
    least squares (Lawson and Hanson 1974) give the start. With a penalty on the curvature of gamma itself, the usual
    way, they broke two arcs up into four or more in 20 of 25 spectra with 0.2 % noise.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz], one sweep.

    Returns
    -------
    xarray.Dataset
        Over `relaxation_time` [s]: `gamma` [ohm], resistance for a factor e of relaxation time, with `low` and `high`,
        between which it lies at 95 % (Laplace's approximation). A process that is sharper than the steps of a tenth of
        a decade, as an ideal capacitor beside a resistance, is shown as broad as these. The attrs: `resistance`, the
        area under gamma [ohm], with `resistance_low` and `resistance_high`, which where a cell blocks is but that
        within these times; `strength` of the penalty; `noise` and `misfit`, the root mean square of what is left [% of
        the modulus]; `series_resistance` [ohm]; `inductance` [H].
    """
    frequency, impedance = spectrum.frequency.to_numpy(), spectrum.impedance.to_numpy()
    modulus = np.abs(impedance)
    s = 2j * np.pi * frequency
    ends = -np.log10(np.abs(s).max()) - BEYOND, -np.log10(np.abs(s).min()) + BEYOND
    tau = np.logspace(*ends, int((ends[1] - ends[0]) * PER_DECADE) + 1)
    step = float(np.log(tau[1] / tau[0]))
    matrix = _stacked(np.vstack([step / (1 + s * tau[:, None]), s**0, s, 1 / s]) / modulus).T
    target = _stacked(impedance / modulus)
    x, covariance, strength, noise = _fitted(matrix, target, tau.size, step)
    gamma, others = np.split(np.exp(x), [tau.size])
    covariance = covariance[: tau.size, : tau.size]
    half = stats.norm.ppf(0.975) * np.sqrt(np.diag(covariance))
    resistance = float(gamma.sum() * step)
    spread = stats.norm.ppf(0.975) * float(np.sqrt(gamma @ covariance @ gamma)) * step / resistance
    unit = {"units": "ohm", "long_name": "distribution of relaxation times γ"}
    return xr.Dataset(
        {
            "gamma": ("relaxation_time", gamma, unit),
            "low": ("relaxation_time", gamma * np.exp(-half), unit),
            "high": ("relaxation_time", gamma * np.exp(half), unit),
        },
        {"relaxation_time": ("relaxation_time", tau, {"units": "s", "long_name": "relaxation time"})},
        {
            "resistance": resistance,
            "resistance_low": resistance * float(np.exp(-spread)),
            "resistance_high": resistance * float(np.exp(spread)),
            "strength": strength,
            "noise": 100 * noise,
            "misfit": float(100 * np.sqrt(np.mean((matrix @ np.exp(x) - target) ** 2))),
            "series_resistance": float(others[0]),
            "inductance": float(others[1]),
        },
    )


def peaks(of: xr.Dataset) -> list[Peak]:
    """Return the processes that a distribution shows, from fast to slow.

    Parameters
    ----------
    of : xarray.Dataset
        From `distribution`.

    Returns
    -------
    list of Peak
        The resistance is the area between the valleys beside a peak. Peaks that stand out by less than a fiftieth of
        the highest are left out, and those whose lower bound does not stand above the valley that parts them from a
        higher one.
    """
    gamma, low, tau = of.gamma.to_numpy(), of.low.to_numpy(), of.relaxation_time.to_numpy()
    step = float(np.log(tau[1] / tau[0]))
    tops, found = signal.find_peaks(np.pad(gamma, 1), prominence=SMALLEST * gamma.max())
    tops = tops[gamma[tops - 1] - found["prominences"] < low[tops - 1]] - 1
    valleys = [0, *(a + int(np.argmin(gamma[a:b])) for a, b in pairwise(tops)), tau.size]
    areas = (float(gamma[start:stop].sum() * step) for start, stop in pairwise(valleys))
    return [Peak(float(tau[top]), area) for top, area in zip(tops, areas, strict=True)]


def _fitted(
    matrix: np.ndarray, target: np.ndarray, times: int, step: float
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Logarithms of gamma and of R, L and 1/C, their covariance, the strength of the penalty and the noise."""
    curvature = np.zeros((times - 2, matrix.shape[1]))
    rows = np.arange(times - 2)
    for shift, weight in enumerate((1, -2, 1)):
        curvature[rows, rows + shift] = weight / step**1.5
    penalty = curvature.T @ curvature
    loose = np.zeros(matrix.shape[1])
    loose[times:], loose[[0, times - 1]] = LOOSE[0] ** -2, LOOSE[1] ** -2
    start, variance = _start(matrix, target, times)
    x, strength, damping = start, FIRST, 0.01

    def cost(x: np.ndarray) -> float:
        residual = matrix @ np.exp(x) - target
        return residual @ residual / variance + strength * x @ penalty @ x + loose @ (x - start) ** 2

    for at in range(STEPS):
        jacobian = matrix * np.exp(x)
        prior = strength * penalty + np.diag(loose)
        gradient = jacobian.T @ (jacobian.sum(axis=1) - target) / variance + strength * penalty @ x
        gradient += loose * (x - start)
        hessian = jacobian.T @ jacobian / variance + prior
        before = cost(x)
        for _ in range(10):  # Levenberg and Marquardt's
            factor = linalg.cho_factor(hessian + damping * np.diag(np.diag(hessian)), check_finite=False)
            move = -linalg.cho_solve(factor, gradient, check_finite=False)
            move *= min(1.0, LONGEST / np.abs(move).max())
            if cost(x + move) <= before:
                x, damping = x + move, max(damping / 4, 1e-9)
                break
            damping *= 5
        if np.abs(move).max() > NEAR and at < STEPS - 1:  # far from the best fit its misfit would pass for noise
            continue
        jacobian = matrix * np.exp(x)
        residual, precision = jacobian.sum(axis=1) - target, jacobian.T @ jacobian / variance
        factor = linalg.cho_factor(precision + prior, check_finite=False)
        covariance = linalg.cho_solve(factor, np.eye(x.size), check_finite=False)
        told = np.sum(covariance * precision)  # parameters that the data determine
        smooth = rows.size - strength * np.sum(covariance * penalty)
        found = max(residual @ residual / max(target.size - told, target.size / 5), ROUNDED**2)
        wanted = float(np.clip(max(smooth, 0.5) / max(x @ penalty @ x, 1e-12), 1e-6, 1e6))
        changes = np.log(found / variance), np.log(wanted / strength), np.abs(move).max()
        variance, strength = found, wanted
        if np.max(np.abs(changes)) < SETTLED:
            break
    return x, covariance, strength, float(np.sqrt(variance))


def _start(matrix: np.ndarray, target: np.ndarray, times: int) -> tuple[np.ndarray, float]:
    """Even gamma, R, L and 1/C as non-negative least squares have them, none quite zero, and their variance."""
    size = np.linalg.norm(matrix, axis=0)
    found, distance = optimize.nnls(matrix / size, target)
    variance = distance**2 / (target.size - np.count_nonzero(found))
    found /= size
    others = np.maximum(found[times:], 1e-3 / np.abs(matrix[:, times:]).max(axis=0))
    even = max(found[:times].mean(), 1e-3 / np.abs(matrix[:, :times]).max())
    return np.log(np.append(np.full(times, even), others)), max(variance, ROUNDED**2)


def _stacked(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=-1)
