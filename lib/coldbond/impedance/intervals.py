"""95 % intervals of what a circuit fit says, as wide as its residuals, their likeness and the choice of circuit ask."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from lmfit.minimizer import MinimizerResult
from scipy import stats

from coldbond.impedance import fit
from coldbond.impedance.fit import FLOOR, Problem

CONFIDENCE = 0.975  # of each side
#: Circuits whose Bayesian information criterion lies further above the best are excluded ("very strong" evidence: Kass
#: and Raftery 1995, doi 10.1080/01621459.1995.10476572).
EXCLUDED = 10.0
UNBOUNDED = np.log(1e3)  # a factor that leaves the fit as good says that there is no bound
DOUBLINGS, BISECTIONS = 14, 8
BLOCKS = 14  # of neighbouring frequencies, half a decade each in a usual sweep
LARGE = 1e3


class Interval(NamedTuple):
    """A value with its 95 % interval; a bound that the data do not give is None."""

    value: float
    low: float | None
    high: float | None


def profile(result: MinimizerResult, names: str | Sequence[str]) -> Interval:
    """Return a parameter, or the sum of several, with the interval of its profile likelihood.

    All other parameters are fitted anew at every value tried (Venzon and Moolgavkar 1988, doi 10.2307/2347496). The
    size of the errors follows from the residuals, and residuals that resemble their neighbours, as those of a circuit
    that is not quite the cell's do, count as fewer points.

    Parameters
    ----------
    result : lmfit.minimizer.MinimizerResult
        From `fit.fitted`.
    names : str or sequence of str
        Parameters of the circuit, such as "R2" or ("R1", "R2").

    Returns
    -------
    Interval
        In the parameters' unit. A bound is None where a value a thousandfold away fits as well.
    """
    names = [names] if isinstance(names, str) else list(names)
    problem = Problem(result.circuit, result.frequency, result.impedance, result.weights)
    best = problem.coordinates(result.params.valuesdict())
    value = float(sum(result.params[name].value for name in names))
    least = float(np.sum(problem.residual(best) ** 2))
    freedom = max(effective_points(problem.residual(best)) - len(problem.names), 1.0)
    limit = least * (1 + stats.t.ppf(CONFIDENCE, freedom) ** 2 / freedom)
    bounds = [_bound(problem, names, best, np.log(value), least, limit, side) for side in (-1, 1)]
    return Interval(value, *(None if bound is None else float(np.exp(bound)) for bound in bounds))


def of_part(
    results: Mapping[str, MinimizerResult], part: str, boundary: float, model_uncertainty: float = 0.0
) -> Interval:
    """Return the resistance of a part of the cell over all circuits that the data do not exclude.

    Each circuit's interval is the wider of its profile and of the jackknife over blocks of neighbouring frequencies,
    which shows how much hangs on one part of the spectrum, such as a drift at its slow end. The hull of all is
    widened by what no circuit of ideal elements can tell.

    Parameters
    ----------
    results : mapping of str to lmfit.minimizer.MinimizerResult
        By circuit, from `fit.candidates`.
    part : {"electrolyte", "interface", "total"}
        Resistances to add up, as `fit.parts` tells them apart.
    boundary : float
        Time constant [s] between the fast arcs of the electrolyte and the others.
    model_uncertainty : float
        Standard uncertainty by the distance of real processes from ideal elements, as a share of the total resistance,
        or, for the electrolyte, of its own.

    Returns
    -------
    Interval
        In ohm. The value is that of the circuit of the lowest Bayesian information criterion; zero with an upper bound
        alone where that circuit has no such resistance.
    """
    lowest = min(result.bic for result in results.values())
    kept = [result for result in results.values() if result.bic - lowest < EXCLUDED]
    intervals = [_of_one(result, part, boundary) for result in kept]
    value, lows, highs = intervals[0].value, *zip(*(interval[1:] for interval in intervals), strict=True)
    best = min(kept, key=lambda result: result.bic)
    values = best.params.valuesdict()
    whole = "electrolyte" if part == "electrolyte" else "total"
    whole = sum(values[name] for name in fit.parts(best.circuit, values, boundary)[whole])
    extra = stats.norm.ppf(CONFIDENCE) * model_uncertainty * whole
    low = None if None in lows else value - np.hypot(value - min(lows), extra)
    high = None if None in highs else value + np.hypot(max(highs) - value, extra)
    return Interval(value, None if low is None or low <= 0 else float(low), None if high is None else float(high))


def effective_points(residual: np.ndarray) -> float:
    """Return for how many independent residuals these count (real parts, then imaginary parts, each by frequency).

    Their number divided by the integrated autocorrelation time, summed up to the first lag that is not significant
    (Sokal 1997, doi 10.1007/978-1-4899-0319-8_6).
    """
    return sum(_independent(part) for part in np.split(residual, 2))


def _independent(part: np.ndarray) -> float:
    power = float(part @ part)
    time = 1.0
    for lag in range(1, part.size // 3):
        likeness = float(part[lag:] @ part[:-lag]) / power if power else 0.0
        if likeness < 2 / np.sqrt(part.size):
            break
        time += 2 * likeness
    return part.size / time


def _of_one(result: MinimizerResult, part: str, boundary: float) -> Interval:
    values = result.params.valuesdict()
    names = fit.parts(result.circuit, values, boundary)[part]
    if not names:
        return Interval(0.0, None, None)
    value, low, high = profile(result, names)
    spread = stats.t.ppf(CONFIDENCE, BLOCKS - 1) * _jackknife(result, part, boundary)
    return Interval(
        value,
        None if low is None else min(low, float(value * np.exp(-spread))),
        None if high is None else max(high, float(value * np.exp(spread))),
    )


def _jackknife(result: MinimizerResult, part: str, boundary: float) -> float:
    """Standard error of the logarithm of a part, by leaving out blocks (Künsch 1989, doi 10.1214/aos/1176347265)."""
    if not hasattr(result, "left_out"):  # the same for every part
        result.left_out = _left_out(result)
    named = [(values, fit.parts(result.circuit, values, boundary)[part]) for values in result.left_out]
    sums = [np.log(sum((values[name] for name in names), FLOOR)) for values, names in named]
    return float(np.sqrt((BLOCKS - 1) * np.var(sums)))


def _left_out(result: MinimizerResult) -> list[dict[str, float]]:
    """The parameters of fits that each leave out one block of neighbouring frequencies."""
    order = np.argsort(result.frequency, kind="stable")
    found = []
    for block in np.array_split(order, BLOCKS):
        kept = np.setdiff1d(order, block)
        problem = Problem(result.circuit, result.frequency[kept], result.impedance[kept], result.weights[kept])
        found.append(problem.values(problem.solved(problem.coordinates(result.params.valuesdict()))[0]))
    return found


class _Held(Problem):
    """A problem with one more residual, which holds the logarithm of a sum of parameters at a value."""

    def __init__(self, problem: Problem, names: Sequence[str], weight: float) -> None:
        super().__init__(problem.circuit, problem.frequency, problem.impedance, problem.weights)
        self.places = np.array([self.names.index(name) for name in names])
        self.weight, self.target = weight, 0.0

    def residual(self, x: np.ndarray) -> np.ndarray:
        return np.append(super().residual(x), self.weight * (np.log(self._held(x).sum()) - self.target))

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        row = np.zeros(x.size)
        held = self._held(x)
        inner = np.where(self.is_exponent[self.places], 1 - held, 1.0)
        row[self.places] = self.weight * held / held.sum() * inner
        return np.vstack([super().jacobian(x), row])

    def _held(self, x: np.ndarray) -> np.ndarray:
        values = self.values(x)
        return np.array([values[self.names[place]] for place in self.places])


def _bound(
    problem: Problem, names: Sequence[str], best: np.ndarray, centre: float, least: float, limit: float, side: int
) -> float | None:
    """Logarithm of the value on one side where chi square reaches the limit; None where it does not."""
    held = _Held(problem, names, LARGE * np.sqrt(least))
    ceiling = 0.0 if all(name[0] == "n" for name in names) else np.inf  # an exponent ends at 1

    def chi_square(offset: float, x: np.ndarray) -> tuple[float, np.ndarray]:
        held.target = centre + side * offset
        x, _ = held.solved(x, 60)
        return float(np.sum(problem.residual(x) ** 2)), x

    inner, inner_excess, x = 0.0, 0.0, best
    step = 0.005
    for _ in range(DOUBLINGS):
        outer = inner + step
        if side > 0 and centre + outer >= ceiling:
            return None
        found, there = chi_square(outer, x)
        if found > limit:
            break
        inner, inner_excess, x = outer, max(found - least, 0.0), there
        if inner > UNBOUNDED:
            return None
        step *= 2
    else:
        return None
    excess, wanted = found - least, limit - least
    for _ in range(BISECTIONS):  # the root of chi square's excess is nearly linear
        share = (wanted**0.5 - inner_excess**0.5) / (excess**0.5 - inner_excess**0.5)
        middle = inner + min(max(share, 0.05), 0.95) * (outer - inner)
        found, there = chi_square(middle, x)
        if abs(found - limit) < 0.01 * wanted:
            break
        if found > limit:
            outer, excess = middle, found - least
        else:
            inner, inner_excess, x = middle, max(found - least, 0.0), there
    return centre + side * middle
