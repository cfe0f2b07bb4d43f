"""Linear Kramers-Kronig test of a spectrum, point by point.

A series of RC elements with fixed time constants obeys the Kramers-Kronig relations whatever its resistances, which are
found by linear least squares (Boukamp 1995, doi 10.1149/1.2044210). What such a series cannot describe violates the
relations. The number of elements is that of the lowest Bayesian information criterion. Outliers are down-weighted one
after the other, so that a wrong point does not distort the fit of its neighbours, and every residual is compared with
the robust standard deviation of the others.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy import linalg, stats

#: Fewest points of a spectrum that is tested.
FEWEST_POINTS = 10
#: Fewest RC elements, and most of them in a decade of time constants.
FEWEST_ELEMENTS, ELEMENTS_PER_DECADE = 3, 5
#: Decades of time constants beyond the slowest and the fastest point: arcs and tails may continue there.
BEYOND = 0.5
#: Standard deviation of the residuals over that of the amplitudes (both as a share of the modulus), by which amplitudes
#: are regularised: keeps the series from following a wrong last point.
RIDGE = 3e-4
#: Share of clean spectra in which a point may be called a failure.
FALSE_ALARMS = 0.05
#: Residual that is never a failure, as a share of the modulus: no conclusion depends on so little.
TOLERATED = 0.005
#: Factor by which the noise may be underestimated where real and imaginary part are fitted separately.
SEPARATE_FIT_MARGIN = 1.5
#: Weight of points that fail, next to 1 for the others.
OUTLIER_WEIGHT = 0.02
#: Statistical efficiency of the median absolute deviation (Rousseeuw and Croux 1993, doi
#: 10.1080/01621459.1993.10476408).
MAD_EFFICIENCY = 0.37
#: Standard deviation of a normal distribution over its median absolute deviation.
MAD_TO_STANDARD_DEVIATION = 1.4826
#: Largest share of the points that may be down-weighted.
MOST_OUTLIERS = 1 / 3
#: Residuals of this share of the largest are down-weighted together with it.
TOGETHER = 0.5
#: Least 1 - leverage: a point that determines the fit by itself says nothing of its own error.
LEAST_FREEDOM = 0.05
#: Mean square and resistance below which no logarithm and no ratio is formed.
SMALLEST = 1e-30


def test(spectrum: xr.Dataset) -> xr.Dataset:
    """Linear Kramers-Kronig test: fit a series of RC elements with fixed time constants and return the residuals.

    Real and imaginary part are fitted together, weighted by the modulus, by a resistor, an inductor and a capacitor in
    series and RC elements with resistances of either sign (Boukamp 1995, doi 10.1149/1.2044210). The time constants are
    spaced evenly on a logarithmic scale that extends half a decade beyond the frequencies. The amplitudes are slightly
    regularised (ridge regression). The rule of Schönleber, Klotz and Ivers-Tiffée (2014, doi
    10.1016/j.electacta.2014.01.034) for the number of elements, to stop where their `mu` falls below 0.85, is not used:
    for a steep arc it stops at four elements, and the residuals are then half of the impedance.

    A point fails if its residual is larger than the scatter of the others explains. That scatter is the robust standard
    deviation of the residuals, but at most that of the real and imaginary parts fitted separately: a spectrum whose
    parts do not belong together fails too, however large the residuals of the common fit.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz], one sweep.

    Returns
    -------
    xarray.Dataset
        Over `frequency`: `residual_real` and `residual_imag`, fitted less measured, in per cent of the modulus, and
        `fails`, whether one of them is larger than the scatter explains (at a level at which one clean spectrum of
        twenty has a failure) and than half a per cent. The attrs are `elements`, their number, `mu`, and `noise`, the
        standard deviation [% of the modulus].

    Raises
    ------
    ValueError
        There are fewer than ten points.

    Notes
    -----
    A part of the spectrum that is noisier than most fails too, as do cable resonances. A drift by a few per cent over
    the sweep is slow compared with the period and hardly seen: such a spectrum is nearly that of another cell at rest.
    """
    frequency, impedance = spectrum.frequency.to_numpy(), spectrum.impedance.to_numpy()
    if frequency.size < FEWEST_POINTS:
        raise ValueError(f"{frequency.size} points are too few to test: {FEWEST_POINTS} are needed")
    modulus = np.abs(impedance)
    target = _stacked(impedance / modulus)
    matrices = _matrices(frequency, modulus)
    weights = np.ones(frequency.size)
    while True:
        amplitudes, residual, deleted = _fitted(matrices, target, np.tile(weights, 2))
        alone = [
            _fitted([matrix[part] for matrix in matrices], target[part], weights)[2]
            for part in (slice(frequency.size), slice(frequency.size, None))
        ]
        kept = weights == 1
        noise = min(
            _standard_deviation(deleted[np.tile(kept, 2)]),
            SEPARATE_FIT_MARGIN * _standard_deviation(np.append(*(part[kept] for part in alone))),
        )
        freedom = MAD_EFFICIENCY * (2 * kept.sum() - amplitudes.size)
        level = stats.t.isf(FALSE_ALARMS / 2 / target.size, freedom)  # Bonferroni
        furthest = np.where(kept, np.abs(deleted).reshape(2, -1).max(axis=0), 0)
        beyond = furthest > max(TOLERATED, level * noise)
        outliers = beyond & (furthest > TOGETHER * furthest.max())
        if not outliers.any() or np.mean(~kept | outliers) > MOST_OUTLIERS:
            break
        weights[outliers] = OUTLIER_WEIGHT
    resistances = amplitudes[:-3]
    real, imaginary = np.split(residual * 100, 2)
    return xr.Dataset(
        {
            "residual_real": ("frequency", real, {"units": "%", "long_name": "residual of Re Z"}),
            "residual_imag": ("frequency", imaginary, {"units": "%", "long_name": "residual of Im Z"}),
            "fails": ("frequency", ~kept | beyond, {"long_name": "violates the Kramers-Kronig relations"}),
        },
        {"frequency": spectrum.frequency},
        {
            "elements": resistances.size,
            "mu": float(1 + resistances[resistances < 0].sum() / max(resistances[resistances > 0].sum(), SMALLEST)),
            "noise": float(noise * 100),
        },
    )


def test_if_long_enough(spectrum: xr.Dataset) -> xr.Dataset | None:
    """Return the test of a spectrum; None where it has fewer points than the test needs."""
    return test(spectrum) if spectrum.sizes["frequency"] >= FEWEST_POINTS else None


def _matrices(frequency: np.ndarray, modulus: np.ndarray) -> list[np.ndarray]:
    """Design matrices for each number of RC elements, shape (2 n, elements + 3): RC elements, R, L, C."""
    s = 2j * np.pi * frequency
    ends = 10**-BEYOND / np.abs(s).max(), 10**BEYOND / np.abs(s).min()
    most = min(frequency.size // 2, int(ELEMENTS_PER_DECADE * np.log10(ends[1] / ends[0])))
    found = []
    for elements in range(FEWEST_ELEMENTS, most + 1, 2):
        tau = np.geomspace(*ends, elements)
        found.append(_stacked(np.vstack([1 / (1 + s * tau[:, None]), s**0, s, 1 / s]) / modulus).T)
    return found


def _fitted(
    matrices: Sequence[np.ndarray], target: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Amplitudes of the best number of elements, the residuals, and the leave-one-out residuals.

    The last are those of each point from a fit without it, but for a factor: residual / sqrt(1 - leverage).
    """
    kept = weights == 1
    tried = []
    for matrix in matrices:
        size = np.linalg.norm(matrix, axis=0)
        size[size == 0] = 1  # one part alone: a resistance has no imaginary one
        left, values, right = linalg.svd(matrix / size * weights[:, None], full_matrices=False, check_finite=False)
        shrunk = values / (values**2 + RIDGE**2)
        found = right.T @ (shrunk * (left.T @ (target * weights))) / size
        residual = matrix @ found - target
        leverage = np.sum(left**2 * shrunk * values, axis=1)
        misfit = kept.sum() * np.log(np.mean(residual[kept] ** 2) + SMALLEST)
        criterion = misfit + np.log(kept.sum()) * np.sum(shrunk * values)
        tried.append((criterion, found, residual, residual / np.sqrt(np.maximum(1 - leverage, LEAST_FREEDOM))))
    return min(tried, key=lambda one: one[0])[1:]


def _standard_deviation(residual: np.ndarray) -> float:
    return float(MAD_TO_STANDARD_DEVIATION * np.median(np.abs(residual)))


def _stacked(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=-1)
