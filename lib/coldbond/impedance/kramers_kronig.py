"""Whether a spectrum obeys the relations of Kramers and Kronig, point by point."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy import linalg, stats

FEWEST_POINTS = 10
FEWEST, DENSEST = 3, 5  # RC elements: in all, and a decade of time constants
BEYOND = 0.5  # decades beyond the slowest and the fastest point
RESTRAINT = 3e-4  # of amplitudes, as a share of the modulus: keeps the chain from bending round a wrong last point
FALSE_ALARMS = 0.05  # share of clean spectra of which a point may be called a failure
TOLERATED = 0.005  # of the modulus, that no conclusion is hurt by
SLACK = 1.5  # by which the noise of real and imaginary part, each fitted alone, may be underestimated
ASIDE = 0.02  # weight of points that fail
EFFICIENCY = 0.37  # of the median absolute deviation: points that it is worth (Rousseeuw and Croux 1993)
MOST_ASIDE = 1 / 3  # of the points
ALIKE = 0.5  # residuals that are such a share of the largest are put aside with it


def test(spectrum: xr.Dataset) -> xr.Dataset:
    """Fit a chain of RC elements, which obeys the relations whatever its resistances, and return what is left.

    The method is that of Boukamp (1995, doi 10.1149/1.2044210): real and imaginary part are fitted together, weighted
    by the modulus, by a resistance, an inductance and a capacitance in series and RC elements of either sign, whose
    time constants are spread evenly on a logarithmic scale, here half a decade further than the frequencies so that
    arcs and tails may go on beyond them. Their amplitudes are restrained a little (ridge regression), or such a chain
    would follow whatever the last point shows. The number of elements is that of the lowest Bayesian information
    criterion: the rule of Schönleber, Klotz and Ivers-Tiffée (2014, doi 10.1016/j.electacta.2014.01.034), to stop
    where their `mu` falls below 0.85, stops at four elements for a steep arc, whose fit is then off by half.

    The points that lie furthest out are then put aside, and all is done anew, until none is left that the scatter of
    the others does not explain; so a wrong point does not bend the fit for its neighbours. That scatter is the robust
    standard deviation of the residuals, but no more than real and imaginary part show when each is fitted alone:
    a spectrum whose parts do not belong together fails, too, however bad its common fit.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz], one sweep.

    Returns
    -------
    xarray.Dataset
        Over `frequency`: `residual_real` and `residual_imag`, fitted less measured, in per cent of the modulus, and
        `fails`, whether one of them lies further out than the scatter explains (at a level that lets one clean
        spectrum of twenty fail) and beyond half a per cent. The attrs: `elements`, their number; `mu`; `noise`, the
        standard deviation [% of the modulus].
        A part of the spectrum that is noisier than most shows as failing too, and so do resonances of the cables. A
        drift that is slow beside the period, as of a few per cent over all, is hardly seen: such a spectrum is nearly
        that of another cell at rest.

    Raises
    ------
    ValueError
        There are fewer than ten points.
    """
    frequency, impedance = spectrum.frequency.to_numpy(), spectrum.impedance.to_numpy()
    if frequency.size < FEWEST_POINTS:
        raise ValueError(f"{frequency.size} points are too few to test: {FEWEST_POINTS} are needed")
    modulus = np.abs(impedance)
    target = _stacked(impedance / modulus)
    matrices = _matrices(frequency, modulus)
    weights = np.ones(frequency.size)
    while True:
        found, residual, outlying = _fitted(matrices, target, np.tile(weights, 2))
        alone = [
            _fitted([matrix[part] for matrix in matrices], target[part], weights)[2]
            for part in (slice(frequency.size), slice(frequency.size, None))
        ]
        kept = weights == 1
        noise = min(_scatter(outlying[np.tile(kept, 2)]), SLACK * _scatter(np.append(*(part[kept] for part in alone))))
        freedom = EFFICIENCY * (2 * kept.sum() - found.size)
        level = stats.t.isf(FALSE_ALARMS / 2 / target.size, freedom)  # one of all may lie out, by Bonferroni
        furthest = np.where(kept, np.abs(outlying).reshape(2, -1).max(axis=0), 0)
        beyond = furthest > max(TOLERATED, level * noise)
        aside = beyond & (furthest > ALIKE * furthest.max())
        if not aside.any() or np.mean(~kept | aside) > MOST_ASIDE:
            break
        weights[aside] = ASIDE
    resistances = found[:-3]
    real, imaginary = np.split(residual * 100, 2)
    return xr.Dataset(
        {
            "residual_real": ("frequency", real, {"units": "%", "long_name": "residual of Re Z"}),
            "residual_imag": ("frequency", imaginary, {"units": "%", "long_name": "residual of Im Z"}),
            "fails": ("frequency", ~kept | beyond, {"long_name": "disobeys the relations of Kramers and Kronig"}),
        },
        {"frequency": spectrum.frequency},
        {
            "elements": resistances.size,
            "mu": float(1 + resistances[resistances < 0].sum() / max(resistances[resistances > 0].sum(), 1e-30)),
            "noise": float(noise * 100),
        },
    )


def _matrices(frequency: np.ndarray, modulus: np.ndarray) -> list[np.ndarray]:
    """For each number of RC elements their impedances, then those of R, L and C, shape (2 n, elements + 3)."""
    s = 2j * np.pi * frequency
    ends = 10**-BEYOND / np.abs(s).max(), 10**BEYOND / np.abs(s).min()
    most = min(frequency.size // 2, int(DENSEST * np.log10(ends[1] / ends[0])))
    found = []
    for elements in range(FEWEST, most + 1, 2):
        tau = np.geomspace(*ends, elements)
        found.append(_stacked(np.vstack([1 / (1 + s * tau[:, None]), s**0, s, 1 / s]) / modulus).T)
    return found


def _fitted(
    matrices: Sequence[np.ndarray], target: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Amplitudes of the best number of elements, the residuals, and these as if each point had no part in the fit."""
    kept = weights == 1
    tried = []
    for matrix in matrices:
        size = np.linalg.norm(matrix, axis=0)
        size[size == 0] = 1  # one part alone: a resistance has no imaginary one
        left, values, right = linalg.svd(matrix / size * weights[:, None], full_matrices=False, check_finite=False)
        shrunk = values / (values**2 + RESTRAINT**2)
        found = right.T @ (shrunk * (left.T @ (target * weights))) / size
        residual = matrix @ found - target
        leverage = np.sum(left**2 * shrunk * values, axis=1)
        misfit = kept.sum() * np.log(np.mean(residual[kept] ** 2) + 1e-30)
        criterion = misfit + np.log(kept.sum()) * np.sum(shrunk * values)
        tried.append((criterion, found, residual, residual / np.sqrt(np.maximum(1 - leverage, 0.05))))
    return min(tried, key=lambda one: one[0])[1:]


def _scatter(residual: np.ndarray) -> float:
    return float(1.4826 * np.median(np.abs(residual)))


def _stacked(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=-1)
