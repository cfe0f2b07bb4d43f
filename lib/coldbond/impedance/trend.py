"""Course of a resistance with the cycle number: whether it breaks, where, and how it goes on from there.

All curves of `courses` are fitted. Whether the course differs from a straight line is decided by an F test whose
distribution is simulated for the very cycles, because the place of the break is searched for (Davies 1987, Biometrika
74, 33). Intervals are those of the profile of chi square over all curves (Venzon and Moolgavkar 1988, doi
10.2307/2347496), so that the choice of the curve, of which eight cycles say little, is part of them. Two sources of
scatter enter: the interval of each resistance, and the scatter from one measurement to the next, which only the
residuals of the course show.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from coldbond.impedance import courses
from coldbond.impedance.courses import FALL_SHARE as FALL_SHARE
from coldbond.interval import CONFIDENCE, NORMAL, Interval, student

#: Probability of the F test below which a series is said to have a break: a convention.
SIGNIFICANCE = 0.01
#: Change, as a share of the value before it, within which a resistance counts as stable. The paper says "stable"
#: without a number; a referee may want another one.
STABLE_SHARE = 0.10
#: Breaks tried between two neighbouring cycles, and settling times tried.
PLACES, TIMES = 16, 40
#: Straight courses that are simulated for the F test: its level of 0.01 is then known to 0.0014.
SIMULATED = 4999
#: Mean square of the weighted residuals below which they are rounding errors of the computation.
ROUNDING = 1e-12
#: Fewest cycles of a trend: the simplest curve with a break has four parameters; the scatter needs two more.
FEWEST_CYCLES = 6
#: Measurements that must show a fall, or a rise after it: a single one may be an outlier.
FEWEST_WITNESSES = 2


@dataclass(frozen=True)
class Trend:
    """Course of a series of resistances.

    Attributes
    ----------
    probability : float
        p value of the F test against a straight line.
    model : str
        "straight line", or the family of the best curve by Akaike's criterion; see `courses.FAMILIES`.
    settling_cycle : Interval or None
        Cycle at which 95 % of the fall, or of an early rise, is over. Without an upper bound where it may not be over
        by the last cycle; without a value where the first measurement alone may show it. None for a straight line.
    break_cycle : Interval or None
        Cycle at which a straight line begins. Without a value where a curve without a break describes the course too,
        or where the first or last measurement alone may show it; its bounds are then those of a break, if there is one.
        None for a straight line.
    minimum : Interval
        Measured cycle with the lowest resistance, and the range in which the lowest lies: from the cycle before the
        first one that may be the lowest to the cycle after the last. No curve is assumed, only that the resistance
        has one minimum. Without an upper bound where the last cycle may be the lowest.
    turn : float
        Measured cycle that separates fall and change: the lowest of the best curve where the resistance rises after
        it; else the first after the fall, of which three measurements and half of the test are left at least.
    level, fall, change : Interval
        Resistance at that cycle, fall from the first cycle to it, and change from it to the last cycle, in the unit of
        the resistances. All are bounded.
    scatter : float
        Relative standard deviation from one measurement to the next, beyond the intervals of the resistances.
    misfit : float
        Relative root mean square of the deviations from `curve`, beyond the intervals of the resistances.
    falls_then_stable : bool or None
        Whether the resistance falls and then, from `turn` on, stays within 10 %; None where the data do not decide.
    falls_then_rises : bool or None
        Whether the resistance falls and then rises; None where the data do not decide. A rise counts however small
        where its interval excludes zero. There is no rise where every interval of a rise ends below 10 %.
    curve : callable
        The best curve's value at any cycles.
    """

    probability: float
    model: str
    settling_cycle: Interval | None
    break_cycle: Interval | None
    minimum: Interval
    turn: float
    level: Interval
    fall: Interval
    change: Interval
    scatter: float
    misfit: float
    falls_then_stable: bool | None
    falls_then_rises: bool | None
    curve: Callable[[np.ndarray], np.ndarray]

    @property
    def describes(self) -> bool:
        """Whether the curve describes the course: the cycles deviate from it by less than what counts as stable."""
        return self.misfit <= STABLE_SHARE


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
    within = np.maximum((high - low) / (2 * NORMAL), ROUNDING * np.abs(value).max())
    curves, design = _grid(tuple(cycle))
    scatter = _scatter(design, curves.parameters, value, within)
    sigma = np.hypot(within, scatter * value)
    profile = Profile(curves, design, cycle, value, sigma)
    line, probability = _against_a_line(profile)
    bends = probability <= SIGNIFICANCE
    settling = profile.settling
    turn, stable, rises = _verdicts(profile, bends, settling)
    own = curves[profile.best : profile.best + 1]

    def curve(at: np.ndarray) -> np.ndarray:
        at = np.asarray(at, float)
        return own.design(at)[0] @ profile.coefficients if bends else np.polyval(line, at)

    beyond = float(np.mean(((curve(cycle) - value) ** 2 - within**2) / value**2))
    return Trend(
        probability,
        [*courses.FAMILIES][own.family[0]] if bends else "straight line",
        settling if bends else None,
        profile.breaks if bends else None,
        _minimum(profile),
        float(cycle[turn]),
        profile.of(turn),
        profile.of(0, turn),
        profile.of(-1, turn),
        scatter,
        max(beyond, 0.0) ** 0.5,
        stable,
        rises,
        curve,
    )


class Profile:
    """Chi square of all curves, and intervals of what they say.

    Parameters
    ----------
    curves : Curves
    design : array, shape (curves, n, 3)
    cycle, value, sigma : array, shape (n,)
        With all sources of scatter in sigma.
    """

    def __init__(
        self, curves: courses.Curves, design: np.ndarray, cycle: np.ndarray, value: np.ndarray, sigma: np.ndarray
    ) -> None:
        self.curves, self.design, self.cycle, self.value, self.sigma = curves, design, cycle, value, sigma
        found, covariance, squares = courses.solve(design / sigma[:, None], value / sigma)
        self.squares = squares
        self.best = int(np.argmin(squares + 2 * curves.parameters))
        self.coefficients = found[self.best]
        rise = max(NORMAL**2, self.unit(student))
        self.limit = max(squares.min() + rise, squares[self.best])
        self.kept = squares <= self.limit
        self._design, self._found, self._covariance = design[self.kept], found[self.kept], covariance[self.kept]
        self._room = self.limit - squares[self.kept]

    def unit(self, quantile: Callable[[float], float]) -> float:
        """Return the mean square of the residuals times the square of a quantile of its degrees of freedom."""
        return _unit(self.squares, self.curves.parameters, self.value.size, quantile)

    def of(self, at: int, less: int | None = None) -> Interval:
        """Return the resistance at a cycle, or by how much it exceeds that at another one."""
        own, weights = self.design[self.best, at], self._design[:, at]
        if less is not None:
            own, weights = own - self.design[self.best, less], weights - self._design[:, less]
        centre = np.einsum("cp,cp->c", weights, self._found)
        half = np.sqrt(self._room * np.einsum("cp,cpq,cq->c", weights, self._covariance, weights))
        return Interval(float(own @ self.coefficients), float((centre - half).min()), float((centre + half).max()))

    @property
    def settling(self) -> Interval:
        """Settling cycle; without an upper bound where it may lie after the last cycle.

        Without a value where it may lie before the second cycle: the first measurement alone shows a fall then.
        """
        curves = self.curves
        own = curves.settling[self.kept] - curves.first
        step = ((curves.last - curves.first) / (curves.settling[curves.family == 2].min() - curves.first)) ** (
            1 / TIMES
        )
        low, high = curves.first + own.min() / step, curves.first + own.max() * step
        alone = low <= np.unique(self.cycle)[1]
        value = None if alone else float(curves.settling[self.best])
        return Interval(value, float(low), float(high) if high < curves.last else None)

    @property
    def breaks(self) -> Interval:
        """Cycle of the break; without a value where a curve without one is not excluded.

        Nor where the first or the last measurement alone may show the break; it has no bound on that side then.
        """
        curves = self.curves
        broken = np.isfinite(curves.breaks)
        kept = self.kept & broken
        if not kept.any():
            return Interval(None)
        places = np.unique(curves.breaks[broken])
        at, step = np.searchsorted(places, curves.breaks[kept]), curves.steps[kept]
        first, last = int(np.min(at - step)), int(np.max(at + step))
        low = float(places[first]) if first >= 0 else None
        high = float(places[last]) if last < places.size else None
        doubtful = low is None or high is None or (self.kept & ~broken).any()
        return Interval(None if doubtful else float(curves.breaks[self.best]), low, high)


@cache
def _grid(cycle: tuple[float, ...]) -> tuple[courses.Curves, np.ndarray]:
    """All curves for some cycles, and their design matrices."""
    curves = courses.Curves.of(np.array(cycle), PLACES, TIMES)
    return curves, curves.design(np.array(cycle))


def _unit(squares: np.ndarray, parameters: np.ndarray, size: int, quantile: Callable[[float], float]) -> float:
    """Return the mean square of the residuals times the square of a quantile of its degrees of freedom.

    The simplest curves leave more degrees of freedom, of which their choice takes one, and all curves smaller
    residuals. Each alone is enough.
    """
    units = []
    for most, chosen in ((parameters.min(), 1), (parameters.max(), 0)):
        freedom = size - int(most) - chosen
        if freedom >= 1:
            units.append(squares[parameters <= most].min() / freedom * quantile(freedom) ** 2)
    return float(min(units))


def _scatter(design: np.ndarray, parameters: np.ndarray, value: np.ndarray, within: np.ndarray) -> float:
    """Return the relative scatter beside `within` at which the mean square of the weighted residuals is 1.

    It is estimated by bisection (Paule and Mandel 1982, J. Res. NBS 87, 377); 0 where it is less without any.
    """
    few = slice(None, None, 5)

    def excess(scatter: float) -> float:
        sigma = np.hypot(within, scatter * value)
        squares = courses.solve(design[few] / sigma[:, None], value / sigma)[2]
        return _unit(squares, parameters[few], value.size, lambda freedom: 1.0) - 1

    if excess(0.0) <= 0:
        return 0.0
    low, high = 0.0, float(np.median(within / np.abs(value)))
    while excess(high) > 0:
        low, high = high, 2 * high
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high


def _against_a_line(profile: Profile) -> tuple[np.ndarray, float]:
    """Return a straight line, and the p value of the F test of the curves with four parameters against it.

    It is the share of simulated straight courses with as large an F, in which the break is searched for too.
    """
    cycle, value, sigma, parameters = profile.cycle, profile.value, profile.sigma, profile.curves.parameters
    line = np.polyfit(cycle, value, 1, w=1 / sigma)
    straight = float(np.sum(((np.polyval(line, cycle) - value) / sigma) ** 2))
    # Without a scatter, as of numbers that are rounded to the same, there is nothing that a break would explain.
    if straight <= ROUNDING * cycle.size:
        return line, 1.0
    simple = np.flatnonzero(parameters == parameters.min())[::2]
    noise = np.random.default_rng(0).normal(size=(cycle.size, SIMULATED))
    basis, _ = np.linalg.qr(np.stack([np.ones_like(cycle), cycle], axis=1) / sigma[:, None])
    noise -= basis @ (basis.T @ noise)
    whole = least = np.sum(noise**2, axis=0)
    for own in np.linalg.qr(profile.design[simple] / sigma[:, None])[0]:
        least = np.minimum(least, whole - np.sum((own.T @ noise) ** 2, axis=0))
    # Residuals that are smaller by chance than the uncertainties allow make no break.
    ratio = straight / max(profile.squares[simple].min(), cycle.size - parameters.min())
    return line, float((1 + np.sum(whole / least >= ratio)) / (1 + SIMULATED))


def _verdicts(profile: Profile, bends: bool, settling: Interval) -> tuple[int, bool | None, bool | None]:
    """Return where the fall ends, whether the resistance falls and is then stable, and whether it falls and rises."""
    cycle, value, sigma = profile.cycle, profile.value, profile.sigma
    size = cycle.size
    curve = profile.design[profile.best] @ profile.coefficients
    lowest = int(np.argmin(curve))
    possible = np.flatnonzero((cycle > cycle[0]) & (np.arange(size) <= size - 3))
    half = max(possible[0], possible[cycle[possible] <= (cycle[0] + cycle[-1]) / 2].max(initial=0))
    over = size if settling.high is None else int(np.searchsorted(cycle, settling.high))
    after = int(min(half, over))
    margin = STABLE_SHARE * np.abs(curve)
    # Least and greatest change from each cycle to each later one.
    least, most = np.zeros((2, size, size))
    for at in range(size):
        for later in range(at + 1, size):
            _, least[at, later], most[at, later] = profile.of(later, at).numbers
    rising = bends and bool(least[lowest, -1] > 0)
    turn = lowest if rising else after

    def witnesses(others: slice) -> int:
        return int(np.sum(value[others] - curve[turn] > NORMAL * sigma[others]))

    quiet = bool(np.all(np.abs(value[turn:] - curve[turn]) <= margin[turn] + NORMAL * sigma[turn:]))
    rises_nowhere = bool(np.all(most < margin[:, None]))
    if np.all(-least < margin[:, None]):
        return turn, False, False
    falls = True if bends and most[0, turn] < 0 and witnesses(slice(turn)) >= FEWEST_WITNESSES else None
    # Changes by more than 10 % for certain; one measurement alone, the first or the last, may be an outlier.
    up, down = least > margin[:, None], -most > margin[:, None]
    rose = min(np.sum(up.any(axis=0)), np.sum(up.any(axis=1))) >= FEWEST_WITNESSES
    # A fall has ended only where measurements follow its end.
    ended = over < size - FEWEST_WITNESSES
    falls_on = ended and all(np.sum(down[end]) >= FEWEST_WITNESSES for end in range(after, over + 1))
    stable: bool | None = None
    if rose or falls_on:
        stable = False
    elif quiet and np.all(np.maximum(-least[turn], most[turn]) < margin[turn]):
        stable = falls
    rises = None
    if rising:
        rises = falls if witnesses(slice(turn + 1, None)) >= FEWEST_WITNESSES else None
    elif rises_nowhere and quiet:
        rises = False
    return turn, stable, rises


def _minimum(profile: Profile) -> Interval:
    """Return the cycle of the lowest value, between the neighbours of all cycles that may have the lowest."""
    cycle, value, sigma = profile.cycle, profile.value, profile.sigma
    lowest, distinct = int(np.argmin(value)), np.unique(cycle)
    one_of = (1 - CONFIDENCE) / (value.size - 1)  # Bonferroni
    unit = max(stats.norm.isf(one_of) ** 2, profile.unit(lambda freedom: float(stats.t.isf(one_of, freedom))))
    maybe = cycle[value - value[lowest] <= np.sqrt(unit) * np.hypot(sigma, sigma[lowest])]
    before, after = distinct[distinct < maybe.min()], distinct[distinct > maybe.max()]
    low = float(before[-1]) if before.size else float(distinct[0])
    return Interval(float(cycle[lowest]), low, float(after[0]) if after.size else None)
