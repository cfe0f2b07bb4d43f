"""How a resistance goes with the number of cycles: whether it settles, where, and what follows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from coldbond.impedance.intervals import Interval

SETTLED = 0.95  # share of a fall after which it counts as over
SCATTERED = 0.3  # probability of residuals as large as these, below which the given intervals are too narrow
SIGNIFICANT = 0.01  # probability by which a series without a break may be said to have one
STABLE = 0.10  # change after the break, as a share of the value there, that still counts as stable
TRIED = 400  # breaks


@dataclass(frozen=True)
class Trend:
    """What a series says of its course.

    Attributes
    ----------
    probability : float
        Of a break as clear as this one in a straight course, by the F test.
    model : str
        "straight line", or the better one of "broken line" and "settling", an exponential approach to a straight line.
    break_cycle : Interval or None
        Cycle of the break, or at which 95 % of the fall is over; None for a straight line.
    level, fall, change : Interval or None
        Value at the break; how far it lies below the first; how far the straight course from there to the last cycle
        rises. In the unit of the values.
    curve : callable
        The model's value at any cycles.
    """

    probability: float
    model: str
    break_cycle: Interval | None
    level: Interval | None
    fall: Interval | None
    change: Interval | None
    curve: Callable[[np.ndarray], np.ndarray]

    @property
    def evidence(self) -> str:
        """What decides, in words."""
        against = f"against a straight line p = {self.probability:.1g}"
        if self.break_cycle is None:
            return f"no break: {against}"
        first, last = (100 * np.array(x) / self.level.value for x in (self.fall, self.change))
        return (
            f"{self.model}, {against}; falls until cycle {_range(self.break_cycle)} by "
            f"{first[0]:.0f} % ({first[1]:.0f} to {first[2]:.0f} %) of the value there, then changes by "
            f"{last[0]:+.0f} % ({last[1]:+.0f} to {last[2]:+.0f} %)"
        )

    @property
    def falls_then_stable(self) -> bool | None:
        """Whether the value falls and then stays within 10 %; None where the intervals do not decide."""
        if self.break_cycle is None or self.fall.high < 0:
            return False
        margin = STABLE * self.level.value
        if self.fall.low > 0 and -margin < self.change.low and self.change.high < margin:
            return True
        return False if self.change.low > margin or self.change.high < -margin else None

    @property
    def falls_then_rises(self) -> bool | None:
        """Whether the value falls and then rises; None where the intervals do not decide."""
        if self.break_cycle is None or self.fall.high < 0 or self.change.high < 0:
            return False
        return True if self.fall.low > 0 and self.change.low > 0 else None


def breakpoint(cycle: np.ndarray, value: np.ndarray, low: np.ndarray, high: np.ndarray) -> Trend:
    """Decide how a series goes with the cycle number.

    Parameters
    ----------
    cycle : array, shape (n,)
        Increasing, six or more.
    value, low, high : array, shape (n,)
        With 95 % intervals. A scatter beyond them, as of one measurement to the next, is estimated from the residuals
        and widens all that follows.

    Returns
    -------
    Trend
        Intervals are those of the profile of chi square over all breaks between the second cycle and the last but one.

    Raises
    ------
    ValueError
        There are fewer than six cycles.
    """
    cycle, value = np.asarray(cycle, float), np.asarray(value, float)
    if cycle.size < 6:
        raise ValueError(f"{cycle.size} cycles are too few to tell a break: six are needed")
    sigma = (np.asarray(high, float) - np.asarray(low, float)) / (2 * stats.norm.ppf(0.975))
    tried = np.linspace(cycle[1], cycle[-2], TRIED)
    straight = _Fit(cycle, value, sigma, lambda at: np.vstack([at**0, at]).T)
    models = {
        "broken line": [_Fit(cycle, value, sigma, _broken(at)) for at in tried],
        "settling": [_Fit(cycle, value, sigma, _settling(at, cycle[0])) for at in tried],
    }
    model = min(models, key=lambda name: min(fit.squares for fit in models[name]))
    fits = models[model]
    best = min(fits, key=lambda fit: fit.squares)
    freedom = cycle.size - best.matrix.shape[1] - 1
    ratio = (straight.squares - best.squares) / 2 / (best.squares / freedom)
    probability = float(stats.f.sf(ratio, 2, freedom))
    if probability > SIGNIFICANT:
        return Trend(probability, "straight line", None, None, None, None, straight.at)
    # With n - 4 degrees of freedom little is known of a scatter: it is taken from the residuals where they ask for it.
    scattered = stats.chi2.sf(best.squares, freedom) < SCATTERED
    known, estimated = stats.norm.ppf(0.975) ** 2, best.squares / freedom * stats.t.ppf(0.975, freedom) ** 2
    limit = best.squares + (max(known, estimated) if scattered else known)
    kept = [(at, fit) for at, fit in zip(tried, fits, strict=True) if fit.squares <= limit]
    place = float(tried[int(np.argmin([fit.squares for fit in fits]))])
    ends = cycle[[0, -1]]

    def profiled(weights: Callable[[_Fit, float], np.ndarray]) -> Interval:
        bounds = [fit.bounds(weights(fit, at), limit) for at, fit in kept]
        lows, highs = zip(*bounds, strict=True)
        return Interval(float(weights(best, place) @ best.found), min(lows), max(highs))

    return Trend(
        probability,
        model,
        Interval(place, float(kept[0][0]), float(kept[-1][0])),
        profiled(lambda fit, at: fit.design(np.array([at]))[0]),
        profiled(lambda fit, at: fit.design(ends[:1])[0] - fit.design(np.array([at]))[0]),
        profiled(lambda fit, at: np.array([0.0, 0.0, ends[1] - at])),
        best.at,
    )


class _Fit:
    """A weighted linear fit with a given design."""

    def __init__(self, cycle: np.ndarray, value: np.ndarray, sigma: np.ndarray, design: Callable) -> None:
        self.design, self.matrix = design, design(cycle)
        weighted = self.matrix / sigma[:, None]
        self.found = np.linalg.lstsq(weighted, value / sigma, rcond=None)[0]
        self.squares = float(np.sum((weighted @ self.found - value / sigma) ** 2))
        self.covariance = np.linalg.pinv(weighted.T @ weighted)

    def at(self, cycle: np.ndarray) -> np.ndarray:
        return self.design(np.asarray(cycle, float)) @ self.found

    def bounds(self, weights: np.ndarray, limit: float) -> tuple[float, float]:
        """Where a linear combination of the coefficients brings chi square to the limit."""
        centre = float(weights @ self.found)
        half = float(np.sqrt(max(limit - self.squares, 0) * (weights @ self.covariance @ weights)))
        return centre - half, centre + half


def _broken(at: float) -> Callable:
    return lambda cycle: np.vstack([cycle**0, np.minimum(cycle - at, 0), np.maximum(cycle - at, 0)]).T


def _settling(at: float, first: float) -> Callable:
    """An exponential, 95 % of which is over at `at`, towards a straight line."""
    rate = -np.log(1 - SETTLED) / (at - first)
    return lambda cycle: np.vstack([cycle**0, np.exp(-rate * (cycle - first)), cycle - first]).T


def _range(interval: Interval) -> str:
    return f"{interval.value:.0f} ({interval.low:.0f} to {interval.high:.0f})"
