"""How a resistance goes with the number of cycles: whether it settles, where, and what follows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from coldbond.impedance.intervals import Interval

SETTLED = 0.95  # share of a fall after which it counts as over
SIGNIFICANT = 0.01  # probability by which a series without a break may be said to have one
STABLE = 0.10  # change after the break, as a share of the value there, that still counts as stable
TRIED = 300  # breaks, of each model


@dataclass(frozen=True)
class Trend:
    """What a series says of its course.

    Attributes
    ----------
    probability : float
        Of a break as clear as this one in a straight course, by the F test.
    model : str
        "straight line", or the best of "broken line", "settling", an exponential approach to a straight line, and
        "settling, then a line", an exponential fall after which a straight line begins.
    break_cycle : Interval or None
        Cycle of the break, or at which 95 % of the fall is over; None for a straight line. "About cycle 50" is to be
        compared with this interval. It ends at the first or last cycle where the data give no other bound.
    level, fall, change : Interval
        Value at the break; how far it lies below the first; how far the straight course from there to the last cycle
        rises. In the unit of the values; wherever a break may lie.
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
    def evidence(self) -> str:
        """What decides, in words."""
        against = f"against a straight line p = {self.probability:.1g}"
        first, last = (100 * np.array(x) / self.level.value for x in (self.fall, self.change))
        if self.break_cycle is None:
            return f"no break is seen: {against}; a fall before one may be {first[1]:.0f} to {first[2]:.0f} %"
        return (
            f"{self.model}, {against}; falls until cycle {_range(self.break_cycle)} by "
            f"{first[0]:.0f} % ({first[1]:.0f} to {first[2]:.0f} %) of the value there, then changes by "
            f"{last[0]:+.0f} % ({last[1]:+.0f} to {last[2]:+.0f} %)"
        )

    @property
    def falls_then_stable(self) -> bool | None:
        """Whether the value falls and then stays within 10 %; None where the intervals do not decide."""
        margin = STABLE * self.level.value
        if -margin < self.change.low and self.change.high < margin:
            return self._falls
        return False if self._falls is False or self.change.low > margin or self.change.high < -margin else None

    @property
    def falls_then_rises(self) -> bool | None:
        """Whether the value falls and then rises; None where the intervals do not decide.

        A rise that is certain counts however small; none is certain where it could be 10 % at most.
        """
        if self.change.low > 0:
            return self._falls
        return False if self._falls is False or self.change.high < STABLE * self.level.value else None

    @property
    def _falls(self) -> bool | None:
        if self.fall.high < STABLE * self.level.value:
            return False
        return True if self.break_cycle is not None and self.fall.low > 0 else None


def breakpoint(cycle: np.ndarray, value: np.ndarray, low: np.ndarray, high: np.ndarray) -> Trend:
    """Decide how a series goes with the cycle number.

    A broken line and two kinds of exponential that settles, each with two parameters more than a straight line, are
    fitted at every place a break may have. Intervals are those of the profile of chi square over all models and breaks
    between the second cycle and the last but one, so that the choice of model, of which eight cycles say little, is
    part of them. An information criterion would not tell the models apart better: they have equally many parameters.

    Parameters
    ----------
    cycle : array, shape (n,)
        Increasing, six or more.
    value, low, high : array, shape (n,)
        With 95 % intervals. A scatter beyond them, as of one measurement to the next, is estimated from the residuals
        and widens all that follows.

    Raises
    ------
    ValueError
        There are fewer than six cycles.
    """
    cycle, value = np.asarray(cycle, float), np.asarray(value, float)
    if cycle.size < 6:
        raise ValueError(f"{cycle.size} cycles are too few to tell a break: six are needed")
    sigma = (np.asarray(high, float) - np.asarray(low, float)) / (2 * stats.norm.ppf(0.975))
    first, last = cycle[[0, -1]]
    tried = np.linspace(cycle[1], cycle[-2], TRIED)
    fits = [_fitted(model, tried, cycle, value, sigma) for model in MODELS]
    found, covariance, squares = (np.concatenate(parts) for parts in zip(*fits, strict=True))
    breaks = np.tile(tried, len(MODELS))
    best = int(np.argmin(squares))
    model = [*MODELS][best // TRIED]
    line, straight = _straight(cycle, value, sigma)
    freedom = cycle.size - 4
    ratio = (straight - squares[best]) / 2 / (squares[best] / freedom)
    probability = float(stats.f.sf(ratio, 2, freedom))
    # Little is known of a scatter from so few residuals: the wider of what is stated and what they show is taken. One
    # degree of freedom goes into the choice of the model.
    left = freedom - 1
    known, estimated = stats.norm.ppf(0.975) ** 2, squares[best] / left * stats.t.ppf(0.975, left) ** 2
    limit = squares[best] + max(known, estimated)
    kept = squares <= limit

    def profiled(weights: np.ndarray) -> Interval:
        """Hull of a linear combination of the coefficients of each fit."""
        centre = np.einsum("bp,bp->b", weights, found)
        half = np.sqrt(np.maximum(limit - squares, 0) * np.einsum("bp,bpq,bq->b", weights, covariance, weights))
        return Interval(float(centre[best]), float((centre - half)[kept].min()), float((centre + half)[kept].max()))

    ends = np.stack([np.full(TRIED, first), tried], axis=1)
    at_first, at_break = np.concatenate([design(tried, ends, first) for design in MODELS.values()]).swapaxes(0, 1)
    after = np.zeros_like(found)
    after[:, 2] = last - breaks
    place = Interval(
        float(breaks[best]),
        float(first if kept[breaks == tried[0]].any() else breaks[kept].min()),
        float(last if kept[breaks == tried[-1]].any() else breaks[kept].max()),
    )
    quantities = [profiled(weights) for weights in (at_break, at_first - at_break, after)]
    if probability > SIGNIFICANT:
        return Trend(probability, "straight line", None, *quantities, lambda at: np.polyval(line, at))

    def curve(at: np.ndarray) -> np.ndarray:
        return MODELS[model](breaks[best : best + 1], np.asarray(at, float), first)[0] @ found[best]

    return Trend(probability, model, place, *quantities, curve)


def _broken(breaks: np.ndarray, cycle: np.ndarray, first: float) -> np.ndarray:
    """The terms of lines that are broken at `breaks`, shape (breaks, cycles, 3); the last rises by one a cycle."""
    since = cycle - breaks[:, None]
    return np.stack([np.ones_like(since), np.minimum(since, 0), np.maximum(since, 0)], axis=-1)


def _settling(breaks: np.ndarray, cycle: np.ndarray, first: float) -> np.ndarray:
    """The same of exponentials, 95 % of which are over at `breaks`, towards straight lines."""
    rate = -np.log(1 - SETTLED) / (breaks[:, None] - first)
    since = cycle - first
    fallen = np.exp(-rate * since)
    return np.stack([np.ones_like(fallen), fallen, np.broadcast_to(since, fallen.shape)], axis=-1)


def _settling_then(breaks: np.ndarray, cycle: np.ndarray, first: float) -> np.ndarray:
    """The same of exponentials, 95 % of which are over at `breaks`, where straight lines begin."""
    terms = _settling(breaks, cycle, first)
    terms[:, :, 2] = np.maximum(cycle - breaks[:, None], 0)
    return terms


MODELS = {"broken line": _broken, "settling": _settling, "settling, then a line": _settling_then}


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


def _range(interval: Interval) -> str:
    return f"{interval.value:.0f} ({interval.low:.0f} to {interval.high:.0f})"
