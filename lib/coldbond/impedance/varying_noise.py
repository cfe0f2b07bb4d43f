"""Noise whose size varies over the frequency, and the points of a spectrum that it explains.

Its logarithm is a random walk over log(frequency), fitted together with the spectrum by restricted maximum likelihood
(Fisher scoring: Smyth 2002, J. Comput. Graph. Stat. 11, 836). A point that is left out of the fit is compared with the
noise that its neighbours show, by F with as many degrees of freedom as the size of this noise is known by: a single
point far off is not noise, and neither is one beyond an end up to which the noise does not grow.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage, stats

from coldbond.impedance import rc_series
from coldbond.impedance.rc_series import Columns, Fit

#: Standard deviation of the change of ln(size of the noise) in a decade, before the spectrum is seen: a factor of 1.5
#: in one decade and 3 in seven. The spectrum may ask for more. With 0.3 to 0.6 there are 5 to 2 % false alarms; the
#: larger it is, the further off the first or the last point may be and still be doubtful rather than a failure.
VARIES = 0.4
#: Frequencies in a decade at which the size of the noise is free.
PER_DECADE = 4
#: Standard deviation of ln(size) at each of them by itself.
LEVEL = 10.0
#: Change of ln(size) at which the scoring ends, and its largest number of steps.
ENOUGH, STEPS = 0.02, 10


class Walk(NamedTuple):
    """What is known of the noise of n points before its size is fitted.

    Attributes
    ----------
    weight : array, shape (2 n,)
        Standard deviations but for the part that varies.
    basis : array, shape (n, knots)
        ln(size) of each point for one at each knot.
    precision : array, shape (knots, knots)
        Inverse covariance of ln(size) at the knots.
    """

    weight: np.ndarray
    basis: np.ndarray
    precision: np.ndarray


class Explained(NamedTuple):
    """Points that obey the relations with noise that varies.

    Attributes
    ----------
    kept : array of bool, shape (n,)
    fit : Fit
        Of these.
    smallest : float
        Least p of the others, by Bonferroni; where there are none, of those that were taken back last.
    doubtful : array of bool, shape (n,)
        The first and the last of them, where they were taken back and their p by itself, without Bonferroni, is below
        `alarm`: they have neighbours at one side only.
    """

    kept: np.ndarray
    fit: Fit
    smallest: float
    doubtful: np.ndarray


def walk(frequency: np.ndarray, kept: np.ndarray, best: Fit) -> Walk:
    """Return what is known from the fit of the points kept with noise that does not vary.

    Parameters
    ----------
    frequency : array, shape (n,)
        In Hz, ascending.
    kept : array of bool, shape (n,)
    best : Fit
    """
    log = np.log10(frequency)
    halves = np.split(np.log(best.weight), 2)
    weight = np.exp(np.concatenate([np.interp(log, log[kept], half) for half in halves]))
    knots = np.linspace(log.min(), log.max(), int(np.ceil(np.ptp(log) * PER_DECADE)) + 1)
    basis = np.stack([np.interp(log, knots, one) for one in np.eye(knots.size)], axis=1)
    steps = np.diff(np.eye(knots.size), axis=0) / (VARIES * np.sqrt(knots[1] - knots[0]))
    return Walk(weight, basis, steps.T @ steps + np.eye(knots.size) / LEVEL**2)


def explained(data: Columns, before: Walk, kept: np.ndarray, alarm: float) -> Explained:
    """Take back, from the inside of each run outwards, the points that the noise of their neighbours explains.

    Parameters
    ----------
    data : Columns
        In the order of the frequencies.
    before : Walk
    kept : array of bool, shape (n,)
        Those that fail with noise that does not vary are False.
    alarm : float
        Share of spectra that obey the relations in which a point is called a failure.
    """
    failing, smallest, level, reach = ~kept, 1.0, np.zeros(before.basis.shape[1]), 1
    while True:
        fit, probability, level = _outside(data, before, kept, level)
        if kept.all():
            break
        smallest = min(1.0, float(probability.min() * kept.size))
        back = ndimage.binary_dilation(kept, mask=probability * kept.size >= alarm, iterations=reach) & ~kept
        if not back.any():
            break
        kept, reach = kept | back, 2 * reach  # the next one of a run is judged beside it; long runs take few fits
    doubtful = np.zeros(kept.size, bool)
    for at in (0, -1):
        if failing[at] and kept[at]:
            others = kept.copy()
            others[at] = False
            doubtful[at] = _outside(data, before, others, level)[1][at] < alarm
    return Explained(kept, fit, smallest, doubtful)


def _outside(data: Columns, before: Walk, kept: np.ndarray, level: np.ndarray) -> tuple[Fit, np.ndarray, np.ndarray]:
    """Fit of the points kept, p of each of the others (1 of those kept), and ln(size) of the noise at the knots."""
    n, both, own = int(kept.sum()), np.tile(kept, 2), before.basis[kept]
    for _ in range(STEPS):
        weight = before.weight * np.exp(np.tile(before.basis @ level, 2))
        fit = rc_series.fitted(data.of(kept), weight[both])
        surplus = (fit.residual**2 / fit.variance - np.diagonal(fit.inverse)).reshape(2, n).sum(axis=0)
        information = 2 * (fit.inverse**2).reshape(2, n, 2, n).sum(axis=(0, 2))
        covariance = np.linalg.inv(own.T @ information @ own + before.precision)
        change = covariance @ (own.T @ surplus - before.precision @ level)
        if np.abs(change).max() < ENOUGH:
            break
        level = level + change / max(1.0, np.abs(change).max())
    probability, out = np.ones(kept.size), np.flatnonzero(~kept)
    # Deviations of the others from their prediction by those kept, and the covariance of these, from P of all points.
    everywhere = rc_series.fitted(data, weight, fit.ratio)
    covariances = np.linalg.inv(everywhere.inverse[np.ix_(~both, ~both)])
    off = (covariances @ everywhere.residual[~both]).reshape(2, out.size)
    each = np.arange(out.size)
    spread = covariances.reshape(2, out.size, 2, out.size)[:, each, :, each]
    square = np.einsum("ik,kij,jk->k", off, np.linalg.inv(spread), off) / fit.variance
    # Of chi square of f degrees of freedom the logarithm has a variance of nearly 2 / f.
    freedom = 1 / (2 * np.einsum("ij,jk,ik->i", before.basis[out], covariance, before.basis[out]))
    probability[out] = stats.f.sf(square / 2, 2, freedom)
    return fit, probability, level
