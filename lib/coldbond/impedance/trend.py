"""Course of a resistance with the cycle number: whether it breaks, where, and how it goes on from there.

A broken line and two exponentials that settle, each with two parameters more than a straight line, are fitted by
weighted linear least squares at every place that the break may have. Whether there is a break is decided by an F test
against the straight line. Intervals are those of the profile of chi square over all models and all breaks (Venzon and
Moolgavkar 1988, doi 10.2307/2347496), so that the choice of the model, of which eight cycles say little, is part of
them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from coldbond.interval import NORMAL, Interval, student

#: Share of an exponential fall after which it counts as over: three time constants, a convention.
FALL_SHARE = 0.95
#: Probability of the F test below which a series is said to have a break: a convention.
SIGNIFICANCE = 0.01
#: Change after the break, as a share of the value there, within which a resistance counts as stable. The paper says
#: "stable" without a number; a referee may want another one.
STABLE_SHARE = 0.10
#: Places tried for the break of each model: a grid of a third of a per cent of the test.
PLACES = 300
#: Mean square of the weighted residuals below which they are rounding errors of the computation.
ROUNDING = 1e-12
#: Fewest cycles of a trend: a model has four parameters, and the scatter needs degrees of freedom.
FEWEST_CYCLES = 6


@dataclass(frozen=True)
class Trend:
    """Course of a series of resistances.

    Attributes
    ----------
    probability : float
        p value of the F test of the best model with a break against a straight line.
    model : str
        "straight line", or the best of "broken line", "exponential fall", which approaches a straight line, and
        "exponential fall, then a line", after which a straight line begins.
    break_cycle : Interval or None
        Cycle of the break, or at which 95 % of the fall is over; None for a straight line. Where the data give no
        bound, the interval ends at the first or last cycle.
    level, fall, change : Interval
        Resistance at the break, fall from the first cycle to the break, and change from the break to the last cycle, in
        the unit of the resistances. All are bounded.
    curve : callable
        The model's value at any cycles.
    """

    probability: float
    model: str
    break_cycle: Interval | None
    level: Interval
    fall: Interval
    change: Interval
    curve: Callable[[np.ndarray], np.ndarray]

    @property
    def falls_then_stable(self) -> bool | None:
        """Whether the resistance falls and then stays within 10 %; None where the intervals do not decide."""
        _, low, high = self.change.numbers
        if -self._margin < low and high < self._margin:
            return self._falls
        return False if self._falls is False or low > self._margin or high < -self._margin else None

    @property
    def falls_then_rises(self) -> bool | None:
        """Whether the resistance falls and then rises; None where the intervals do not decide.

        A rise counts however small where its interval excludes zero. There is no rise where the interval ends below
        10 %.
        """
        _, low, high = self.change.numbers
        if low > 0:
            return self._falls
        return False if self._falls is False or high < self._margin else None

    @property
    def _margin(self) -> float:
        return STABLE_SHARE * self.level.numbers[0]

    @property
    def _falls(self) -> bool | None:
        _, low, high = self.fall.numbers
        if high < self._margin:
            return False
        return True if self.break_cycle is not None and low > 0 else None


def breakpoint(cycle: np.ndarray, resistances: Sequence[Interval]) -> Trend:
    """Fit the course of a resistance with the cycle number.

    Parameters
    ----------
    cycle : array, shape (n,)
        Increasing, six or more different ones.
    resistances : sequence of Interval
        Of each cycle, all bounded. A scatter beyond their intervals, as from one measurement to the next, is estimated
        from the residuals and widens all intervals of the result.

    Returns
    -------
    Trend

    Raises
    ------
    ValueError
        There are fewer than six cycles, or a resistance without a bound.
    """
    cycle = np.asarray(cycle, float)
    if np.unique(cycle).size < FEWEST_CYCLES:
        raise ValueError(f"{np.unique(cycle).size} cycles are too few for a break: {FEWEST_CYCLES} are needed")
    value, low, high = np.array([one.numbers for one in resistances]).T
    sigma = (high - low) / (2 * NORMAL)
    distinct = np.unique(cycle)
    first, last = distinct[[0, -1]]
    places = np.linspace(distinct[1], distinct[-2], PLACES)
    fits = [_fitted(model, places, cycle, value, sigma) for model in MODELS]
    found, covariance, squares = (np.concatenate(parts) for parts in zip(*fits, strict=True))
    breaks = np.tile(places, len(MODELS))
    best = int(np.argmin(squares))
    model = [*MODELS][best // PLACES]
    line, straight = _straight(cycle, value, sigma)
    freedom = cycle.size - 4
    # Without a scatter, as of numbers that are rounded to the same, there is nothing that a break would explain.
    probability = 1.0
    if straight > ROUNDING * cycle.size:
        ratio = (straight - squares[best]) / 2 / max(squares[best] / freedom, ROUNDING)
        probability = float(stats.f.sf(ratio, 2, freedom))
    # Eight residuals say little of a scatter: of the rise of chi square for known errors and that for errors estimated
    # from the residuals, the larger is taken. The choice of the model takes one degree of freedom.
    left = freedom - 1
    known, estimated = NORMAL**2, squares[best] / left * student(left) ** 2
    limit = squares[best] + max(known, estimated)
    kept = squares <= limit

    def profiled(weights: np.ndarray) -> Interval:
        """Hull of a linear combination of the coefficients of each fit."""
        centre = np.einsum("bp,bp->b", weights, found)
        half = np.sqrt(np.maximum(limit - squares, 0) * np.einsum("bp,bpq,bq->b", weights, covariance, weights))
        return Interval(float(centre[best]), float((centre - half)[kept].min()), float((centre + half)[kept].max()))

    ends = np.stack([np.full(PLACES, first), places], axis=1)
    at_first, at_break = np.concatenate([design(places, ends, first) for design in MODELS.values()]).swapaxes(0, 1)
    after = np.zeros_like(found)
    after[:, 2] = last - breaks
    place = Interval(
        float(breaks[best]),
        float(first if kept[breaks == places[0]].any() else breaks[kept].min()),
        float(last if kept[breaks == places[-1]].any() else breaks[kept].max()),
    )
    level, fall, change = (profiled(weights) for weights in (at_break, at_first - at_break, after))
    if probability > SIGNIFICANCE:
        return Trend(probability, "straight line", None, level, fall, change, lambda at: np.polyval(line, at))

    def curve(at: np.ndarray) -> np.ndarray:
        return MODELS[model](breaks[best : best + 1], np.asarray(at, float), first)[0] @ found[best]

    return Trend(probability, model, place, level, fall, change, curve)


def _broken(breaks: np.ndarray, cycle: np.ndarray, first: float) -> np.ndarray:
    """Design matrices of lines that break at `breaks`, shape (breaks, cycles, 3): value there, slopes on both sides."""
    since = cycle - breaks[:, None]
    return np.stack([np.ones_like(since), np.minimum(since, 0), np.maximum(since, 0)], axis=-1)


def _exponential_fall(breaks: np.ndarray, cycle: np.ndarray, first: float) -> np.ndarray:
    """Design matrices of exponentials that are over by 95 % at `breaks`, on a straight line: offset, fall, slope."""
    rate = -np.log(1 - FALL_SHARE) / (breaks[:, None] - first)
    since = cycle - first
    fallen = np.exp(-rate * since)
    return np.stack([np.ones_like(fallen), fallen, np.broadcast_to(since, fallen.shape)], axis=-1)


def _fall_then_line(breaks: np.ndarray, cycle: np.ndarray, first: float) -> np.ndarray:
    """The same with a straight line that begins at `breaks`."""
    terms = _exponential_fall(breaks, cycle, first)
    terms[:, :, 2] = np.maximum(cycle - breaks[:, None], 0)
    return terms


MODELS = {
    "broken line": _broken,
    "exponential fall": _exponential_fall,
    "exponential fall, then a line": _fall_then_line,
}


def _fitted(
    model: str, breaks: np.ndarray, cycle: np.ndarray, value: np.ndarray, sigma: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients for each break, shape (breaks, 3), their covariances, and chi square."""
    matrix = MODELS[model](breaks, cycle, cycle[0]) / sigma[:, None]
    inverse = np.linalg.pinv(matrix)
    found = inverse @ (value / sigma)
    squares = np.sum((np.einsum("bnp,bp->bn", matrix, found) - value / sigma) ** 2, axis=1)
    return found, inverse @ inverse.swapaxes(1, 2), squares


def _straight(cycle: np.ndarray, value: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, float]:
    """Slope and intercept of a straight line, and chi square."""
    line = np.polyfit(cycle, value, 1, w=1 / sigma)
    return line, float(np.sum(((np.polyval(line, cycle) - value) / sigma) ** 2))
