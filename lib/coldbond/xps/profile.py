"""Intervals of the shares of components from the profile likelihood, and the likelihood ratio of their presence.

The share of a component, of the areas of its core level, is held at a value while all other parameters are fitted
again. Its 95 % interval holds the shares at which chi square, divided by the variance scale of the fit, has risen by at
most 3.84 (Venzon and Moolgavkar 1988, J. R. Stat. Soc. C 37, 87, doi 10.2307/2347496). No area is negative. Positions,
widths, asymmetries and background are free within their priors, so that the profile may be far from a parabola.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from lmfit.minimizer import MinimizerResult

from coldbond.interval import NORMAL_ONE_SIDED, chi_square
from coldbond.xps.fit import FIRST_DAMPING, LEAST_DAMPING, Minimum, bounded_step, minimum, structure

#: Rise of chi square from its minimum to the bounds of a 95 % interval.
RISE = chi_square()
#: Weight of the deviation from the share that is held, in units of its standard uncertainty: the share is kept to
#: a thousandth of it.
STIFFNESS = 1e3
#: Relative change of chi square at which a fit without a component ends, and at which it is known to be poor.
SEARCH_TOLERANCE, COARSE = 5e-4, 5e-3
#: A bound is found where two quadratic approximations in succession put it at the same place, relative to its distance
#: from the best share.
CLOSE = 0.03
NEAR = 0.15  # deviation of the rise there from that wanted, relative to it
EXACT = 0.005  # relative deviation of the square root of the rise that a quadratic approximation gives
FALLS = 0.9  # rise at a trial at the same share, relative to that here, above which a step was too long
FAR = 20.0  # rise at a trial, relative to that wanted, above which the quadratic approximation holds for smaller steps
#: Rise without a component above which no other start is tried.
ANEW = 300.0
MOST_STEPS, MOST_STEPS_BEYOND = 12, 6
LEAST_UNCERTAINTY = 1e-4  # of a share, from which a search starts at least
LARGEST_UNCERTAINTY = 0.2  # of a share, from which a search starts at most
#: Distance of a bound, relative to that of a parabola, above which another minimum is looked for, and how far away.
UNLIKE_PARABOLA, BEYOND = 2.0, 1.5
SECANTS = 6  # steps of the search for a bound of one quadratic approximation
SMALL = 1e-3  # keeps a division finite


class Profile(NamedTuple):
    """Share of a component from the profile likelihood.

    Attributes
    ----------
    share, low, high : float
        Best value and 95 % bounds, from 0 to 1.
    gain : float
        Fall of chi square, divided by the variance scale, from the best fit without the component.
    without : dict of str to float
        Parameters of that fit, in which the area of the component is zero.
    """

    share: float
    low: float
    high: float
    gain: float
    without: dict[str, float]


def profiles(result: MinimizerResult, rise: float = RISE) -> dict[str, Profile]:
    """Return the share of every component in the areas of its core level.

    Parameters
    ----------
    result : lmfit.minimizer.MinimizerResult
        From `fit.fit`, of all components.
    rise : float
        Rise of chi square, divided by the variance scale, to the bounds: 3.84, less what another fit is better.

    Returns
    -------
    dict of str to Profile
        By the key of the component. The share of a component that is alone in its core level is that of all areas.
    """
    components = result.model.components
    levels = {c.key: [other.key for other in components if other.level == c.level] for c in components}
    searches = {}
    for c in components:
        group = levels[c.key] if len(levels[c.key]) > 1 else [other.key for other in components]
        searches[c.key] = _Search(result, c.key, group, rise)
    without = {key: search.without() for key, search in searches.items()}
    gains = {key: max(searches[key].rise(fitted.chi_square), 0.0) for key, fitted in without.items()}
    bounds: dict[str, tuple[float, float]] = {}
    # The small ones first: where all others are zero, the fit has no derivative of a share.
    for key in sorted(gains, key=lambda key: searches[key].share):
        search, others = searches[key], [other for other in levels[key] if other != key]
        if len(others) == 1 and others[0] in bounds:
            # The shares of two components add up to 1.
            low, high = (1 - bound for bound in bounds[others[0]][::-1])
        else:
            # Of the share of a line that is alone in its level no more than whether it is there is asked.
            low = 0.0 if gains[key] <= rise else search.bound(0.0) if others else search.share / 2
            may_be_all = len(search.group) == 1 or (len(others) == 1 and gains[others[0]] <= rise)
            high = 1.0 if may_be_all else search.bound(1.0)
        bounds[key] = low, high
    return {key: Profile(searches[key].share, *bounds[key], gains[key], without[key].values) for key in gains}


class _Search:
    """Fits without a component, and the bounds of its share."""

    def __init__(self, result: MinimizerResult, key: str, group: Sequence[str], rise: float) -> None:
        self.result, self.area, self.wanted = result, f"{key}_area", rise
        self.model = result.model
        self.best = Minimum(result.params.valuesdict(), list(result.params), result.chisqr)
        self.group = [f"{one}_area" for one in group]
        self.share, self.uncertainty, self.scale = share(result, key, group)

    def without(self) -> Minimum:
        """Return the best fit without the component, from the best one on, with its area in the others of its group."""
        areas = {name: self.best.values[name] for name in self.group if name != self.area}
        kept = sum(areas.values())
        more = self.best.values[self.area] / kept if kept > 0 else 0.0
        values = self.best.values | {name: area * (1 + more) for name, area in areas.items()} | {self.area: 0.0}
        free = [name for name in values if name != self.area]

        def fitted(values: dict[str, float], tolerance: float) -> Minimum:
            return minimum(self.model, values, free, self.result.sigma, tolerance)

        found = fitted(values, COARSE)
        if self.rise(found.chi_square) > ANEW:
            return found
        found = fitted(found.values, SEARCH_TOLERANCE)
        if self.rise(found.chi_square) > self.wanted:
            # The other lines may have to move far: from another start they may describe the data as well.
            other = fitted(self.model.start(without=self.area), COARSE)
            if other.chi_square < (1 - COARSE) * found.chi_square:
                return fitted(other.values, SEARCH_TOLERANCE)
        return found

    def rise(self, chi_square: float) -> float:
        return (chi_square - self.best.chi_square) / self.scale

    def bound(self, end: float) -> float:
        """Return the bound between the best share and an end of its range, or the end where the data allow it."""
        sign = np.sign(end - self.share) or np.sign(end - 0.5)
        expected = np.sqrt(self.wanted) * self.uncertainty
        held, here = self._followed(_Quadratic(self, self.best.values), self.share + sign * expected, end, MOST_STEPS)
        if UNLIKE_PARABOLA * expected < abs(held - self.share) and held != end:
            # Another minimum may describe the data better farther away.
            beyond = self.share + BEYOND * (held - self.share)
            beyond = min(beyond, end) if sign > 0 else max(beyond, end)
            other, there = self._followed(_Quadratic(self, here.values_at(beyond)), beyond, end, MOST_STEPS_BEYOND)
            if self.rise(there.chi_square) < (1 + NEAR) * self.wanted:
                held = max(held, other) if sign > 0 else min(held, other)
        return float(np.clip(held, 0.0, 1.0))

    def _followed(self, here: "_Quadratic", held: float, end: float, most: int) -> tuple[float, "_Quadratic"]:
        """Return the bound that is found from a point on, and the last point.

        Each step is that of Venzon and Moolgavkar: to the share at which the least sum of squares, of the quadratic
        approximation at the last point, has risen as far as wanted.
        """
        reach, damping = np.inf, FIRST_DAMPING
        for _ in range(most):
            held, values = here.bound(held, end, reach, damping)
            rise, is_near = self.rise(here.chi_square), abs(held - here.share) <= CLOSE * abs(here.share - self.share)
            if is_near and abs(rise / self.wanted - 1) < NEAR:
                break
            there = _Quadratic(self, values)
            rise_there = self.rise(there.chi_square)
            if held == end and rise_there <= self.wanted:
                return end, there
            if is_near and rise_there > FALLS * rise:  # the approximation promises what is not there
                damping = min(max(damping, FIRST_DAMPING) * 10, 1.0)
            elif rise_there > max(rise, FAR * self.wanted):
                reach, damping = abs(held - here.share) / 3, min(damping * 10, 1.0)
            else:
                here, reach, damping = there, 3 * reach, max(damping / 10, LEAST_DAMPING)
        return held, here


class _Quadratic:
    """Quadratic approximation of the sum of squares near some values of all parameters."""

    def __init__(self, search: _Search, values: Mapping[str, float]) -> None:
        model, sigma, self.search = search.model, search.result.sigma, search
        self.names, self.at = list(values), np.array(list(values.values()))
        self.low, self.high = np.array([model.bounds(name) for name in values]).T
        residual, derivatives = model.residual(values, sigma), model.derivatives(values, sigma, self.names)
        norm = np.linalg.norm(derivatives, axis=0)
        self.unit = np.where(norm > 0, norm, 1.0)
        scaled = derivatives / self.unit
        self.curvature, self.slope, self.chi_square = scaled.T @ scaled, scaled.T @ residual, float(residual @ residual)
        self.own = np.array([name == search.area for name in values], float)
        self.all_areas = np.array([name in search.group for name in values], float)
        self.whole = float(self.all_areas @ self.at)
        self.share = float(self.own @ self.at) / self.whole if self.whole > 0 else search.share

    def bound(self, held: float, end: float, reach: float, damping: float) -> tuple[float, dict[str, float]]:
        """Return the share at which chi square has risen as far as wanted, and all parameters there.

        The search starts at a share, and stays within a reach of that of this point.
        """
        search = self.search
        least, most = max(min(search.share, end), self.share - reach), min(max(search.share, end), self.share + reach)
        held = min(max(held, least), most)
        for _ in range(SECANTS):
            step = self._step(held, damping)
            chi_square = self.chi_square + float((2 * self.slope + self.curvature @ step) @ step)
            root = np.sqrt(max(search.rise(chi_square), 0.0) / search.wanted)
            # The rise is a parabola where no bound is active.
            better = search.share + (held - search.share) * float(np.clip(1 / max(root, SMALL), 0.3, 3.0))
            better = min(max(better, least), most)
            if abs(root - 1) < EXACT or better == held:
                return held, self._moved(step)
            held = better
        return held, self._moved(self._step(held, damping))

    def values_at(self, held: float) -> dict[str, float]:
        """Return all parameters at the least sum of squares with the share held."""
        return self._moved(self._step(held, FIRST_DAMPING))

    def _moved(self, step: np.ndarray) -> dict[str, float]:
        at = np.clip(self.at + step / self.unit, self.low, self.high)
        return dict(zip(self.names, at.tolist(), strict=True))

    def _step(self, held: float, damping: float) -> np.ndarray:
        """Return the step, in units of `unit`, to the least sum of squares with the share held."""
        stiff = STIFFNESS / (self.search.uncertainty * self.whole) if self.whole > 0 else 1.0
        coefficients = stiff * (self.own - held * self.all_areas)
        row, deviation = coefficients / self.unit, float(coefficients @ self.at)
        return bounded_step(
            self.curvature + np.outer(row, row) + damping * np.eye(row.size),
            self.slope + row * deviation,
            (self.low - self.at) * self.unit,
            (self.high - self.at) * self.unit,
        )


def share(result: MinimizerResult, key: str, group: Sequence[str]) -> tuple[float, float, float]:
    """Return the share of a component in the best fit, its standard uncertainty to first order, and its variance scale.

    The scale is that of the residuals where the share is read from: those may be more alike than those of all lines.
    """
    area = np.array([result.params[f"{one}_area"].value for one in group])
    at, whole, scale = list(group).index(key), area.sum(), result.variance_scale
    if not whole > 0:
        return 0.0, LARGEST_UNCERTAINTY, scale
    # At a bound the area has no derivative in the fit, but the data say how much of it they would notice.
    names = [*result.var_names, *([f"{key}_area"] if f"{key}_area" not in result.var_names else [])]
    model = result.model
    derivatives = model.derivatives(result.params.valuesdict(), result.sigma, names)
    gradient = np.zeros(len(names))
    for i, one in enumerate(group):
        if f"{one}_area" in names:
            gradient[names.index(f"{one}_area")] = ((i == at) - area[at] / whole) / whole
    # Rows of the pseudo-inverse: what each point says of the share.
    influence = np.linalg.lstsq(derivatives.T, gradient, rcond=None)[0][: model.energy.size]
    deviation = float(np.linalg.norm(influence))
    if not 0 < deviation < np.inf:
        return area[at] / whole, LARGEST_UNCERTAINTY, scale
    scale = max(scale, structure(result, np.abs(influence)))
    return area[at] / whole, float(np.clip(deviation * np.sqrt(scale), LEAST_UNCERTAINTY, LARGEST_UNCERTAINTY)), scale


def area_limit(result: MinimizerResult, key: str) -> float:
    """Return the largest area of a component that is compatible with the data at 95 %, by a linear fit.

    For a region without any line, where shares say nothing.
    """
    model, values = result.model, result.params.valuesdict()
    others = [name for name in result.var_names if not name.startswith(f"{key}_")]
    derivatives = model.derivatives(values, result.sigma, [*others, f"{key}_area"])
    # The last diagonal element of R is the norm of the area's column with all other columns projected out: the inverse
    # of its standard uncertainty at unit variance.
    information = abs(np.asarray(np.linalg.qr(derivatives, mode="r"))[-1, -1])
    return float(values[f"{key}_area"] + NORMAL_ONE_SIDED * np.sqrt(result.variance_scale) / information)
