"""Intervals of the shares of components from the profile likelihood, and the likelihood ratio of their presence.

The share of a component, of the areas of its core level, is held at a value while all other parameters are fitted
again. Its 95 % interval holds the shares at which chi square, divided by the variance scale of the fit, has risen by at
most 3.84 (Venzon and Moolgavkar 1988, J. R. Stat. Soc. C 37, 87, doi 10.2307/2347496). No area is negative. Positions,
widths, asymmetries and background are free within their priors, so that the profile may be far from a parabola.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from lmfit.minimizer import MinimizerResult

from coldbond.interval import NORMAL_ONE_SIDED, chi_square
from coldbond.xps.fit import Minimum, minimum, structure

#: Rise of chi square from its minimum to the bounds of a 95 % interval.
RISE = chi_square()
#: Weight of the deviation from the share that is held, in units of its standard uncertainty: the share is kept to
#: a thousandth of it.
STIFFNESS = 1e3
SEARCH_TOLERANCE = 5e-4  # relative change of chi square at which a fit with a fixed share ends
#: The search ends where the square root of the rise is that wanted within this relative deviation.
CLOSE = 0.08
#: Rise without a component above which no other start is tried.
ANEW = 1000.0
MOST_STEPS = 8
LEAST_UNCERTAINTY = 1e-4  # of a share, from which a search starts at least
LARGEST_UNCERTAINTY = 0.2  # of a share, from which a search starts at most


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
    found: dict[str, Profile] = {}
    for c in components:
        group = levels[c.key] if len(levels[c.key]) > 1 else [other.key for other in components]
        search = _Search(result, c.key, group, rise)
        without = search.at(0.0)
        if rise < search.rise(without) < ANEW:
            # The other lines may have to move far: from another start they may describe the data as well.
            without = min(without, search.anew(), key=lambda one: one.chi_square)
        gain = max(search.rise(without), 0.0)
        other = next((key for key in group if key != c.key), None)
        if len(levels[c.key]) == len(group) == 2 and other in found:
            # The shares of two components add up to 1.
            low, high = 1 - found[other].high, 1 - found[other].low
        else:
            alone = len(levels[c.key]) == 1  # of its share no more than whether it is there is asked
            low = 0.0 if gain <= rise else search.share / 2 if alone else search.bound(0.0, gain)
            high = 1.0 if len(group) == 1 else search.bound(1.0, None)
        found[c.key] = Profile(search.share, low, high, gain, without.values)
    return found


class _Search:
    """Fits with the share of a component held at values that come closer to a bound of its interval."""

    def __init__(self, result: MinimizerResult, key: str, group: Sequence[str], rise: float) -> None:
        self.result, self.area, self.wanted = result, f"{key}_area", rise
        self.model = result.model
        self.best = Minimum(result.params.valuesdict(), list(result.params), result.chisqr)
        self.group = [f"{one}_area" for one in group]
        self.share, self.uncertainty, self.scale = share(result, key, group)
        self.whole = sum(self.best.values[name] for name in self.group)

    def at(self, held: float, start: Minimum | None = None) -> Minimum:
        """Return the best fit with the share held, from another one on."""
        start = start or self.best
        stiff = STIFFNESS / (self.uncertainty * self.whole) if self.whole > 0 else 1.0
        held_at_zero = {name: stiff * ((name == self.area) - held) for name in self.group}
        values = start.values | self._moved(start.values, held)
        if held == 0:
            free = [name for name in self.best.values if name != self.area]
            return minimum(self.model, values, free, self.result.sigma, SEARCH_TOLERANCE)
        free = list(self.best.values)
        return minimum(self.model, values, free, self.result.sigma, SEARCH_TOLERANCE, held_at_zero)

    def anew(self) -> Minimum:
        """Return the best fit without the component, from a start of its own."""
        values = self.model.start(without=self.area)
        free = [name for name in values if name != self.area]
        return minimum(self.model, values, free, self.result.sigma, SEARCH_TOLERANCE)

    def _moved(self, values: dict[str, float], held: float) -> dict[str, float]:
        """Return areas with the share that is held and the same sum."""
        whole = sum(values[name] for name in self.group)
        others = whole - values[self.area]
        kept = {name: values[name] for name in self.group if name != self.area}
        if others <= 0:
            kept, others = dict.fromkeys(kept, 1.0), float(len(kept))
        factor = whole * (1 - held) / others if others else 0.0
        return {name: area * factor for name, area in kept.items()} | {self.area: whole * held}

    def rise(self, fitted: Minimum) -> float:
        return (fitted.chi_square - self.best.chi_square) / self.scale

    def bound(self, end: float, rise_at_end: float | None) -> float:
        """Return the bound between the best share and an end of its range, or the end where the data allow it."""
        wanted, sign = np.sqrt(self.wanted), np.sign(end - self.share) or np.sign(end - 0.5)
        allowed, rejected = self.share, (None if rise_at_end is None else end)
        held = self.share + sign * wanted * self.uncertainty
        last = self.best
        for _ in range(MOST_STEPS):
            if (held - end) * sign >= 0:
                held = end if rejected is None else (allowed + rejected) / 2
            last = self.at(held, last)
            rise = self.rise(last)
            root = np.sqrt(max(rise, 0.0))
            if held == end and rise <= self.wanted:
                return end
            if abs(root / wanted - 1) < CLOSE:
                break
            allowed, rejected = (held, rejected) if rise < self.wanted else (allowed, held)
            # A parabola reaches the bound in one step.
            factor = np.clip(wanted / max(root, 1e-3), 0.3, 3.0)
            held = self.share + (held - self.share) * factor
            if rejected is not None and not (allowed - held) * (rejected - held) < 0:
                held = (allowed + rejected) / 2
        return float(np.clip(held, 0.0, 1.0))


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
