"""95 % intervals of what a circuit fit says, as wide as its residuals, their likeness and the choice of circuit ask."""

from collections.abc import Callable, Mapping, Sequence
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
Quantity = Callable[
    [Mapping[str, float]], tuple[float, dict[str, float]]
]  # and its slopes by the parameters' logarithms
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
    return _profile(result, lambda values: (sum(values[n] for n in names), {n: values[n] for n in names}), names)


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
        Resistances to add up, as `fit.resistance` tells them apart.
    boundary : float
        Time constant [s] between the fast arcs of the electrolyte and the others.
    model_uncertainty : float
        Standard uncertainty by the distance of real processes from ideal elements, as a share of the total resistance,
        or, for the electrolyte, of its own.

    Returns
    -------
    Interval
        In ohm. The value is that of the circuit of the lowest Bayesian information criterion; zero without bounds where
        that circuit has no such resistance.
    """
    lowest = min(result.bic for result in results.values())
    kept = [result for result in results.values() if result.bic - lowest < EXCLUDED]
    intervals = [_of_one(result, part, boundary) for result in kept]
    value, lows, highs = intervals[0].value, *zip(*(interval[1:] for interval in intervals), strict=True)
    best = min(kept, key=lambda result: result.bic)
    values = best.params.valuesdict()
    whole = "electrolyte" if part == "electrolyte" else "total"
    whole, _ = fit.resistance(best.circuit, values, whole, boundary)
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
    def quantity(values: Mapping[str, float]) -> tuple[float, dict[str, float]]:
        return fit.resistance(result.circuit, values, part, boundary)

    if not quantity(result.params.valuesdict())[0]:
        return Interval(0.0, None, None)
    value, low, high = _profile(result, quantity)
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
    sums = [np.log(fit.resistance(result.circuit, values, part, boundary)[0] + FLOOR) for values in result.left_out]
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


def _profile(result: MinimizerResult, quantity: Quantity, names: Sequence[str] = ()) -> Interval:
    """The profile of a quantity; one of exponents alone ends at 1."""
    problem = Problem(result.circuit, result.frequency, result.impedance, result.weights)
    best = problem.coordinates(result.params.valuesdict())
    value = float(quantity(result.params.valuesdict())[0])
    least = float(np.sum(problem.residual(best) ** 2))
    freedom = max(effective_points(problem.residual(best)) - len(problem.names), 1.0)
    limit = least * (1 + stats.t.ppf(CONFIDENCE, freedom) ** 2 / freedom)
    held = _Held(problem, quantity, LARGE * np.sqrt(least))
    ceiling = 0.0 if names and all(name[0] == "n" for name in names) else np.inf
    bounds = [_bound(problem, held, best, np.log(value), least, limit, side, ceiling) for side in (-1, 1)]
    return Interval(value, *(None if bound is None else float(np.exp(bound)) for bound in bounds))


class _Held(Problem):
    """A problem with one more residual, which holds the logarithm of a quantity at a value."""

    def __init__(self, problem: Problem, quantity: Quantity, weight: float) -> None:
        super().__init__(problem.circuit, problem.frequency, problem.impedance, problem.weights)
        self.quantity, self.weight, self.target = quantity, weight, 0.0

    def residual(self, x: np.ndarray) -> np.ndarray:
        found, _ = self.quantity(self.values(x))
        return np.append(super().residual(x), self.weight * (np.log(found + FLOOR) - self.target))

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        values = self.values(x)
        found, slopes = self.quantity(values)
        inner = {name: 1 - values[name] if name[0] == "n" else 1.0 for name in slopes}
        row = np.array([slopes.get(name, 0.0) * inner.get(name, 0.0) for name in self.names])
        return np.vstack([super().jacobian(x), self.weight * row / (found + FLOOR)])


def _bound(
    problem: Problem,
    held: _Held,
    best: np.ndarray,
    centre: float,
    least: float,
    limit: float,
    side: int,
    ceiling: float,
) -> float | None:
    """Logarithm of the value on one side where chi square reaches the limit; None where it does not."""

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
