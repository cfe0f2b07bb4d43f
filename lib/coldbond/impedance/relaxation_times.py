"""Distribution of relaxation times: a view of a spectrum that assumes no circuit."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy import optimize, signal

PER_DECADE = 12  # relaxation times
BEYOND = 1.0  # decades beyond the slowest and fastest point
STRENGTHS = np.geomspace(1e-5, 1e2, 22)  # of the regularisation
REPLICATES = 40
SMALLEST = 0.02  # prominence of a peak, of the highest


class Peak(NamedTuple):
    """A process: relaxation time [s] and resistance below its peak [ohm]."""

    relaxation_time: float
    resistance: float


def distribution(spectrum: xr.Dataset) -> xr.Dataset:
    """Return how the resistance of a cell is spread over relaxation times.

    The impedance is that of a resistance, an inductance and a capacitance in series and of Debye elements R / (1 + i
    omega tau), twelve a decade. Their resistances, none negative, are found by least squares (Lawson and Hanson 1974),
    weighted by the modulus, with a penalty on the curvature of the distribution (Saccoccio et al. 2014, doi
    10.1016/j.electacta.2014.09.058). Its strength follows Morozov's discrepancy principle: the strongest that keeps the
    sum of squares within one standard deviation, a factor 1 + (2 / N)^0.5, of that without a penalty to speak of.
    Cross-validation was tried, and broke single arcs up into several in half of the cases.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz], one sweep.

    Returns
    -------
    xarray.Dataset
        Over `relaxation_time` [s]: `gamma` [ohm], resistance for a factor e of relaxation time, with `low` and `high`,
        which hold 95 % of what spectra with resampled residuals give. The attrs: `strength` of the penalty, `misfit`
        (root mean square, % of the modulus), `series_resistance` [ohm], `inductance` [H].
    """
    frequency, impedance = spectrum.frequency.to_numpy(), spectrum.impedance.to_numpy()
    modulus = np.abs(impedance)
    s = 2j * np.pi * frequency
    fast, slow = -np.log10(np.abs(s).max()) - BEYOND, -np.log10(np.abs(s).min()) + BEYOND
    tau = np.logspace(fast, slow, int((slow - fast) * PER_DECADE) + 1)
    step = float(np.log(tau[1] / tau[0]))
    columns = np.vstack([1 / (1 + s * tau[:, None]), s**0, s, 1 / s])
    matrix = _stacked(columns / modulus).T
    size = np.linalg.norm(matrix, axis=0)
    size[: tau.size] = np.median(size[: tau.size])  # alike for all elements, or the penalty would be none on curvature
    matrix /= size
    target = _stacked(impedance / modulus)
    curvature = np.zeros((tau.size - 2, matrix.shape[1]))
    rows = np.arange(tau.size - 2)
    for shift, weight in enumerate((1, -2, 1)):
        curvature[rows, rows + shift] = weight

    def solved(strength: float, of: np.ndarray) -> np.ndarray:
        return optimize.nnls(np.vstack([matrix, strength * curvature]), np.append(of, np.zeros(rows.size)))[0]

    least = np.inf
    for strength in STRENGTHS:
        found = solved(strength, target)
        squares = float(np.sum((target - matrix @ found) ** 2))
        least = min(least, squares)
        if squares > least * (1 + np.sqrt(2 / target.size)):
            break
        x, kept = found, strength
    residual = target - matrix @ x
    rng = np.random.default_rng(0)  # of fixed seed: the same picture every time
    again = [solved(kept, matrix @ x + residual * rng.choice([-1, 1], residual.size)) for _ in range(REPLICATES)]
    gammas = np.array([found[: tau.size] for found in again]) / size[: tau.size] / step
    low, high = np.quantile(gammas, [0.025, 0.975], axis=0)
    unit = {"units": "ohm", "long_name": "distribution of relaxation times γ"}
    return xr.Dataset(
        {
            "gamma": ("relaxation_time", x[: tau.size] / size[: tau.size] / step, unit),
            "low": ("relaxation_time", low, unit),
            "high": ("relaxation_time", high, unit),
        },
        {"relaxation_time": ("relaxation_time", tau, {"units": "s", "long_name": "relaxation time"})},
        {
            "strength": float(kept),
            "misfit": float(100 * np.sqrt(np.mean(residual**2))),
            "series_resistance": float(x[tau.size] / size[tau.size]),
            "inductance": float(x[tau.size + 1] / size[tau.size + 1]),
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
        The resistance is the area between the valleys beside a peak. One that holds less than a twentieth of its larger
        neighbour may be a side lobe of it, as a distribution with a sharp foot or a tip has.
    """
    gamma, tau = of.gamma.to_numpy(), of.relaxation_time.to_numpy()
    step = float(np.log(tau[1] / tau[0]))
    padded = np.concatenate([[0], gamma, [0]])
    tops = signal.find_peaks(padded, prominence=SMALLEST * gamma.max())[0] - 1
    valleys = [0, *(a + int(np.argmin(gamma[a:b])) for a, b in pairwise(tops)), tau.size]
    areas = (float(gamma[start:stop].sum() * step) for start, stop in pairwise(valleys))
    return [Peak(float(tau[top]), area) for top, area in zip(tops, areas, strict=False)]


def _stacked(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=-1)
