"""Mean, median and comparison of replicates, such as the cells of one condition, with 95 % intervals.

Mean
----
The number shown is the plain mean, so its interval is that of the plain mean. It combines two parts in quadrature:

- The spread between replicates, by Student's t: t(n - 1) s / sqrt(n). The sample variance s² estimates the sum of the
  variance between replicates and of the mean of their own variances, however these differ, so that s² / n is the
  variance of the mean: a random-effects mean of equal weights needs no estimate of the variance between replicates, and
  this part is the interval of Hartung, Knapp, Sidik and Jonkman for such weights (Rover et al. 2015, doi
  10.1186/s12874-015-0091-1). DerSimonian and Laird's interval with normal quantiles is far too narrow for n = 2 to 5.
- The mean of the replicates' own half widths, which is not divided by sqrt(n). Part of what makes a replicate uncertain
  is common to all (the punch that cut the electrodes, the balance, the tester), and the spread does not show it. The
  interval of one replicate does not tell the common part from the independent one, so all of it counts as common. It
  also keeps the interval from collapsing where a few replicates agree by chance, as the modification of Rover et al.
  does.

Half widths of independent normal and Student's t variables that are added in quadrature cover at least 95 % (Banerjee
1960, Sankhya 22, 357). Where all of the replicates' uncertainty is independent, the interval is wider than need be.

A quantity that is positive by nature, such as a resistance, scatters by factors rather than by differences. Its spread
is taken as a factor, exp(t s / (mean sqrt(n))) upwards and downwards, and its lower bound is not negative.

Median of censored values
-------------------------
A critical current density lies between the last step sustained and the first that failed; a life that outlasted the
test has a lower bound only. For six replicates or more, bounds of the median are order statistics of the lower and of
the upper bounds: they cover at least 95 % whatever the distribution and the reason for censoring. For up to five no
order statistic covers 95 % on both sides (n = 5: 93.75 %), and a distribution must be assumed: the normal one, of the
logarithm where the quantity is positive. The interval holds each median whose profile likelihood, maximised over the
spread, is not less than its maximum by n/2 ln(1 + t² / (n - 1)). For values that are known exactly this is Student's t
interval (of the logarithms). A bound that so few replicates do not give is None: if three of three cells outlast a
test, the median life may still be shorter than the test (one time in eight, if the median is as long as the test).

Comparison
----------
The distances of the bounds from the estimates are added in quadrature, side by side (Zou and Donner 2008, doi
10.1002/sim.3095). For means this is Banerjee's interval again, which covers at least 95 % for any sizes and variances;
Welch's covers 89 % for n = 2 and 5 where the larger sample has the smaller spread.

Coverage
--------
Shares of 95 % intervals that hold the truth, by simulation (with fewer draws in tests/test_replicates.py). Of the mean,
100 000 draws each, for ratios of the spread to the replicates' own uncertainty of 0, 0.3, 1, 3 and 10, the own
uncertainty common to all or independent:

=================================  ==========  ==========  ==========  ==========
spread between replicates          n = 2       n = 3       n = 5       n = 10
=================================  ==========  ==========  ==========  ==========
normal                             0.950 to 1  0.950 to 1  0.950 to 1  0.949 to 1
Weibull, shape 2                   0.955 to 1  0.955 to 1  0.952 to 1  0.950 to 1
lognormal, a factor of 1.35 (0.3)  0.954 to 1  0.952 to 1  0.947 to 1  0.948 to 1
lognormal, a factor of 1.65 (0.5)  0.952 to 1  0.946 to 1  0.941 to 1  0.941 to 1
lognormal, a factor of 2.7 (1.0)   0.941 to 1  0.918 to 1  0.894 to 1  0.896 to 1
=================================  ==========  ==========  ==========  ==========

The largest shares are those of an independent own uncertainty that exceeds the spread. A plain mean of values that
scatter by a factor of 2.7 is a poor summary, and its interval too narrow.

Of the median, 400 draws each (standard error 0.011), lognormal (0.1, 0.5, 1.0) and Weibull (shape 1, 2, 5), steps of
0.02 and 0.3 of the median, none, 30, 50 or 70 % censored, n = 2, 3 and 5: 0.93 to 1; three of the lowest gave 0.947 to
0.956 with 1500 draws. Of the difference and the ratio of two samples, n = 2 to 10, spreads that differ by a factor of
up to 30: 0.950 to 0.991.
"""

from collections.abc import Callable, Sequence
from math import exp, hypot, inf, isfinite, log, sqrt

import numpy as np
from scipy import optimize, special, stats

from coldbond.interval import CONFIDENCE, Interval, student

#: Number of replicates from which on order statistics bound the median on both sides: 2 / 2**6 < 5 %.
ORDER_STATISTICS = 6

#: Factor beyond the data at which a bound of a positive quantity is no bound: two or three replicates that scatter by a
#: factor of two would give bounds of many orders of magnitude.
FARTHEST = 100.0

#: Spreads that the profile likelihood is maximised over, relative to the range of the data.
SPREADS = np.geomspace(1e-3, 1e2, 61)


def standard_deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation of two values or more, with n - 1 in its denominator."""
    return float(np.std(values, ddof=1))


def mean(replicates: Sequence[Interval], positive: bool = False) -> Interval:
    """Return the plain mean, with an interval that holds the spread and the replicates' own uncertainty.

    Parameters
    ----------
    replicates : sequence of Interval
        Two or more, each with a value. One without bounds adds nothing to the second part of the interval.
    positive : bool
        Whether the quantity is positive by nature. If a value is not, the spread is taken as a difference all the same.

    Returns
    -------
    Interval
        In the unit of the replicates. A bound that one of the replicates alone lacks is missing; both are where all
        values are the same and none has an uncertainty, because nothing says how well they are known.

    Raises
    ------
    ValueError
        There are fewer than two replicates, or one has no value.
    """
    values = np.array([one.value for one in replicates if one.value is not None])
    if values.size < 2 or values.size < len(replicates):
        raise ValueError(f"a mean needs two replicates or more, each with a value: {list(replicates)}")
    centre = float(values.mean())
    spread = student(values.size - 1) * standard_deviation(values.tolist()) / sqrt(values.size)
    below = above = spread
    if positive and values.min() > 0:
        below, above = -centre * float(np.expm1(-spread / centre)), centre * float(np.expm1(spread / centre))
    known = [one for one in replicates if one.low is not None or one.high is not None]
    if not spread and not known:
        return Interval(centre)
    own_below = [inf if one.low is None else one.value - one.low for one in known]  # type: ignore[operator]
    own_above = [inf if one.high is None else one.high - one.value for one in known]  # type: ignore[operator]
    below, above = (hypot(part, sum(own) / max(len(own), 1)) for part, own in ((below, own_below), (above, own_above)))
    low, high = centre - below, centre + above
    if positive and values.min() > 0:
        low = -inf if below == inf else max(low, 0.0)
        high = inf if high > FARTHEST * centre else high
    return Interval.from_bounds(centre, low, high)


def median(replicates: Sequence[Interval], positive: bool = False) -> Interval:
    """Return the median of replicates of which some are known to lie between bounds only.

    Parameters
    ----------
    replicates : sequence of Interval
        Two or more, each with a value or a bound. The true value of each lies between its bounds; a bound that is None
        is open. A value without bounds is taken as exact.
    positive : bool
        Whether the quantity is positive by nature: the logarithms of up to five are normal then. Else, or if one of
        them is zero, the values themselves are.

    Returns
    -------
    Interval
        Its value is that of Kaplan and Meier (None where the median lies among the censored replicates), its bounds are
        described at the top of this module.

    Raises
    ------
    ValueError
        There are fewer than two replicates, or nothing is known of one.
    """
    if len(replicates) < 2 or Interval(None) in replicates:
        raise ValueError(f"a median needs two replicates or more, each with a value or a bound: {list(replicates)}")
    exact = [
        one if one.low is not None or one.high is not None else Interval(None, *2 * [one.value]) for one in replicates
    ]
    lows = np.sort([-inf if one.low is None else one.low for one in exact])
    highs = np.sort([inf if one.high is None else one.high for one in exact])
    if len(exact) >= ORDER_STATISTICS:
        place = int(stats.binom.ppf((1 - CONFIDENCE) / 2, len(exact), 0.5))
        low, high = float(lows[place - 1]), float(highs[-place])
    else:
        low, high = _profile(exact, positive and bool(highs[0] > 0))
    value = _kaplan_meier(replicates)
    if value is not None:
        low, high = min(low, value), max(high, value)
    found = Interval.from_bounds(0.0, low, high)
    return Interval(value, found.low, found.high)


def _kaplan_meier(replicates: Sequence[Interval]) -> float | None:
    """Return the median of values that are censored on one side; None where it is among the censored ones."""
    from_above = [one.high is None and one.low is not None for one in replicates]
    from_below = [one.value is None and one.high is not None for one in replicates]
    if any(from_above) and any(from_below):
        return None
    sign = -1.0 if any(from_below) else 1.0
    censored = np.array(from_below if any(from_below) else from_above)
    ends = [
        one.high if below else one.low if above else one.value
        for one, below, above in zip(replicates, from_below, from_above, strict=True)
    ]
    values = sign * np.array(ends, dtype=float)
    survival = stats.ecdf(stats.CensoredData.right_censored(values, censored)).sf
    reached = np.flatnonzero(survival.probabilities <= 0.5 + 1e-9)
    events = survival.quantiles[np.isin(survival.quantiles, values[~censored])]
    if not reached.size:
        return None
    first = survival.quantiles[reached[0]]
    if survival.probabilities[reached[0]] < 0.5 - 1e-9:
        return sign * float(first)
    later = events[events > first]  # one half survives until the next event: the median is between the two
    return sign * float(first + later[0]) / 2 if later.size and not censored[values > first].all() else None


def _profile(replicates: Sequence[Interval], positive: bool) -> tuple[float, float]:
    """Return the bounds of the median of up to five replicates by the profile likelihood; infinite where none."""
    lows = np.array([-inf if one.low is None else one.low for one in replicates])
    highs = np.array([inf if one.high is None else one.high for one in replicates])
    if positive:
        with np.errstate(divide="ignore"):
            lows, highs = np.log(np.maximum(lows, 0.0)), np.log(np.maximum(highs, 0.0))
    finite = np.concatenate([lows[np.isfinite(lows)], highs[np.isfinite(highs)]])
    if not finite.size or (np.ptp(finite) == 0 and (highs == lows).any()):
        return -inf, inf  # values that are the same, and exact: nothing says how well they are known
    scale = float(np.ptp(finite)) or 1.0
    # The likelihood of an exact value is its density: the probability of a small width.
    lows, highs = np.where(highs > lows, lows, lows - 1e-4 * scale), np.where(highs > lows, highs, highs + 1e-4 * scale)
    fall = lows.size / 2 * np.log1p(student(lows.size - 1) ** 2 / (lows.size - 1))

    def profile(centre: np.ndarray) -> np.ndarray:
        below = (lows - centre[:, None, None]) / (scale * SPREADS[:, None])
        above = (highs - centre[:, None, None]) / (scale * SPREADS[:, None])
        # The tail in which the difference of two probabilities is precise.
        flipped = below > 0
        below, above = np.where(flipped, -above, below), np.where(flipped, -below, above)
        probability = special.ndtr(above) - special.ndtr(below)
        return np.log(np.maximum(probability, 1e-300)).sum(axis=-1).max(axis=-1)

    centres, spacing = np.linspace(finite.min() - 4 * scale, finite.max() + 4 * scale, 55, retstep=True)
    near = float(centres[profile(centres).argmax()])
    around = dict(bounds=(near - spacing, near + spacing), method="bounded", options={"xatol": 1e-3 * scale})
    start = float(optimize.minimize_scalar(lambda centre: -profile(np.array([centre]))[0], **around).x)
    open_above, open_below = np.isinf(highs).all(), np.isinf(lows).all()
    best = 0.0 if open_above or open_below else float(profile(np.array([start]))[0])
    reach = log(FARTHEST) if positive else 64 * scale
    low = -inf if open_below else _crossing(profile, start, best - fall, min(start, finite.min()) - reach)
    high = inf if open_above else _crossing(profile, start, best - fall, max(start, finite.max()) + reach)
    low, high = (
        min(low, finite.max()),
        max(high, finite.min()),
    )  # beyond all data, where the smallest spread ends the scan
    if positive:
        low, high = (exp(end) if isfinite(end) else end for end in (low, high))
    return low, high


def _crossing(profile: Callable[[np.ndarray], np.ndarray], start: float, level: float, last: float) -> float:
    """Return where a profile that falls from a start towards `last` crosses a level; infinite where it does not."""

    def excess(centre: float) -> float:
        return float(profile(np.array([centre]))[0]) - level

    places = start + (last - start) * np.linspace(0, 1, 33) ** 2
    fallen = np.flatnonzero(profile(places) < level)
    if not fallen.size:
        return float(np.copysign(inf, last - start))
    first = max(int(fallen[0]), 1)
    if excess(places[0]) < 0:
        return start
    return float(optimize.brentq(excess, places[first - 1], places[first], xtol=1e-6 * abs(last - start)))


def share(number: int, of: int) -> Interval:
    """Return the share of replicates with a property, with the exact interval of Clopper and Pearson (1934)."""
    bounds = stats.binomtest(number, of).proportion_ci(CONFIDENCE, method="exact")
    return Interval.from_bounds(number / of, bounds.low, bounds.high)


def difference(one: Interval, other: Interval) -> Interval:
    """Return one minus another mean or median, with its interval.

    Parameters
    ----------
    one, other : Interval
        Of independent samples. What they have in common, such as the area of the punch, would cancel in part: it counts
        twice here, so that the interval is too wide rather than too narrow.

    Returns
    -------
    Interval
        Without the bound to which one of the two contributes none. Where an estimate is None, bounds are those of the
        bounds.
    """
    if one.value is None or other.value is None:
        low = None if one.low is None or other.high is None else one.low - other.high
        high = None if one.high is None or other.low is None else one.high - other.low
        return Interval(None, low, high)
    value = one.value - other.value
    low = (
        None if one.low is None or other.high is None else value - hypot(one.value - one.low, other.high - other.value)
    )
    high = (
        None if one.high is None or other.low is None else value + hypot(one.high - one.value, other.value - other.low)
    )
    return Interval(value, low, high)


def ratio(one: Interval, other: Interval) -> Interval:
    """Return one over another mean or median of a positive quantity: as `difference`, of the logarithms."""
    found = difference(_logarithm(one), _logarithm(other))
    return Interval(*(None if end is None or end > 700 else exp(end) for end in found))


def _logarithm(one: Interval) -> Interval:
    return Interval(*(None if end is None or end <= 0 else log(end) for end in one))


def is_above(interval: Interval, limit: float) -> bool | None:
    """Return whether an interval lies above a limit; None where it holds the limit."""
    if interval.low is not None and interval.low > limit:
        return True
    return False if interval.high is not None and interval.high < limit else None
