"""Earliest onset of a loss that creeps into the course of a resistance.

A path that grows slowly takes little at first: the course has lost a visible share long after the path began. The
onset follows from fits of the whole course of the conductance: a level, an interface that settles exponentially, and
from the onset on the path beside it, whose conductance grows with an unknown power of the time. Neighbouring cycles
share the temperature of the room, so the residuals are whitened with their correlation (Cochrane and Orcutt 1949, doi
10.1080/01621459.1949.10483290). All onsets that are admissible with any of the powers make the interval.
"""

import numpy as np

from coldbond.interval import chi_square

#: Powers of the time with which a path may grow: evenly, and ever faster.
POWERS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0)

#: Time constants over which the interface may settle, as shares of the course.
SETTLING = (0.01, 0.03, 0.1, 0.25)

#: Onsets that are tried.
ONSETS = 80

#: Share of its level down to which the course is fitted: the end of a path, when it is nearly a short, says little of
#: its beginning.
FITTED = 0.6

#: Largest correlation of neighbouring residuals that is whitened.
MOST_CORRELATED = 0.98

#: Fewest values of a course that is fitted.
FEWEST = 12


def earliest_onset(hours: np.ndarray, resistance: np.ndarray) -> float | None:
    """Return the earliest onset that a course allows for.

    Parameters
    ----------
    hours : array, shape (n,)
        Hours of current, increasing.
    resistance : array, shape (n,)
        In any unit, of a course that has bent downwards.

    Returns
    -------
    float or None
        The lower bound of the 95 % interval [h]; None for too short a course.
    """
    level = float(np.median(resistance[: max(resistance.size // 2, 1)]))
    low = np.flatnonzero(resistance < FITTED * level)
    size = int(low[0]) if low.size else resistance.size
    if size < FEWEST:
        return None
    t, y = (hours[:size] - hours[0]) / (hours[size - 1] - hours[0]), resistance[:size] / level
    onsets = np.linspace(0.0, t[-3], ONSETS)
    correlation = 0.0
    for _ in range(3):
        misfit, fitted = _misfits(t, y, onsets, correlation)
        residuals = 1 - y * fitted
        correlation = float(np.clip(residuals[1:] @ residuals[:-1] / (residuals @ residuals), 0.0, MOST_CORRELATED))
    admissible = misfit.min(axis=1) <= misfit.min() * (1 + chi_square() / max(size - 5, 1))
    first = int(np.argmax(admissible))
    return float(hours[0] + onsets[max(first - 1, 0)] * (hours[size - 1] - hours[0]))


def _misfits(t: np.ndarray, y: np.ndarray, onsets: np.ndarray, correlation: float) -> tuple[np.ndarray, np.ndarray]:
    """Return sums of squares, shape (onsets, powers), and the conductance of the best fit, shape (n,).

    `y` is the relative resistance. Its product with the conductance is one, but for errors that are alike throughout.
    """

    def white(values: np.ndarray) -> np.ndarray:
        values = values * y
        first = values[..., :1] * np.sqrt(1 - correlation**2)
        return np.concatenate([first, values[..., 1:] - correlation * values[..., :-1]], axis=-1)

    misfit = np.full((onsets.size, len(POWERS)), np.inf)
    best, fitted = np.inf, 1 / y
    target = white(1 / y)
    for share in SETTLING:
        fixed = np.stack([np.ones_like(t), np.exp(-t / share)])
        basis, _ = np.linalg.qr(white(fixed).T)
        rest = target - basis @ (basis.T @ target)
        for k, power in enumerate(POWERS):
            path = np.clip(t - onsets[:, np.newaxis], 0.0, None) ** power
            column = white(path)
            column = column - (column @ basis) @ basis.T
            slope = np.maximum(column @ rest / np.maximum((column**2).sum(axis=1), 1e-300), 0.0)
            squares = ((rest - slope[:, np.newaxis] * column) ** 2).sum(axis=1)
            misfit[:, k] = np.minimum(misfit[:, k], squares)
            i = int(np.argmin(squares))
            if squares[i] < best:
                best = float(squares[i])
                other = np.linalg.lstsq(white(fixed).T, target - slope[i] * white(path[i]), rcond=None)[0]
                fitted = other @ fixed + slope[i] * path[i]
    return misfit, fitted
