"""Upper limit of the area of a component that is not detected, from the profile likelihood.

The area of the component is held at ever larger values, and all other parameters are fitted again; the limit is where
chi square has risen by 2.71, the one-sided 95 % limit (Cowan et al. 2011, Eur. Phys. J. C 71, 1554,
doi 10.1140/epjc/s10052-011-1554-0). The search starts at the limit of the quadratic approximation and encloses the
root between an allowed and a rejected area. Because positions and widths are free, the profile may be far from a
parabola, which is why the quadratic approximation alone is not enough.
"""

import numpy as np
from lmfit.minimizer import MinimizerResult

from coldbond.interval import NORMAL_ONE_SIDED
from coldbond.xps.amounts import variance_scale
from coldbond.xps.components import Component
from coldbond.xps.fit import minimum

#: Rise of chi square from the best estimate to a one-sided 95 % limit, 2.71.
LIMIT_RISE = NORMAL_ONE_SIDED**2
SEARCH_TOLERANCE = 1e-4  # relative change of chi square at which a fit with a fixed area ends
BRACKET = 1.03  # ratio of a rejected to an allowed area at which the search ends: the limit is known to 3 %
#: Ratio of the standard uncertainty of the area to the sum of all areas below which the area counts as well
#: conditioned. Above it the quadratic approximation is useless as a start.
WELL_CONDITIONED = 1 / 3
FIRST_SHARE = 0.01  # share of all areas that is taken for the standard uncertainty there
#: Least and largest factor by which the distance from the estimate changes in one step of the search.
LEAST_FACTOR, LARGEST_FACTOR = 0.5, 3.0
LEAST_GROWTH = 1.3  # least factor of a step while no area is rejected yet
OVERSHOOT = 1.01  # factor beyond the root of the quadratic approximation, after an allowed area
UNDERSHOOT = 0.99  # factor on every step, so that a step from a rejected area ends at an allowed one
LEAST_RISE = 1e-3  # of chi square, keeps the factor finite where the fit hardly gets worse


def upper_limit(full: MinimizerResult, without: MinimizerResult, component: Component, known: float = 0.0) -> float:
    """Return the largest area of a component that is compatible with the data at 95 %.

    Parameters
    ----------
    full, without : lmfit.minimizer.MinimizerResult
        From `fit.fit`, with and without the component, on the same background.
    component : Component
    known : float
        Limit on another background. The larger of the two counts, so that nothing below it is searched.

    Returns
    -------
    float
        In the unit of the intensity times eV; at least `known`.

    Notes
    -----
    The limit is the area at which the profile likelihood, all other parameters fitted again, is worse by 2.71 in chi
    square than at the best area that is not negative (Cowan et al. 2011, Eur. Phys. J. C 71, 1554,
    doi 10.1140/epjc/s10052-011-1554-0, section 2.4). It is at most the sum of all areas, and at least 1.64 standard
    uncertainties, the sensitivity of the data: a negative fluctuation does not lower the limit below it.
    """
    model, area = full.model, f"{component.key}_area"
    scale = variance_scale(without)
    whole = sum(abs(without.params[f"{c.key}_area"].value) for c in without.model.components) or np.inf
    start = full.params.valuesdict()
    free = [*(name for name in start if name not in (area, *full.at_bound)), area]  # the area is the last
    best = minimum(model, start, free, without.sigma)
    derivatives = model.derivatives(best.values, without.sigma, best.free)
    spread = np.sqrt(best.chi_square / (len(derivatives) - len(best.free)))
    # The last diagonal element of R is the norm of the area's column with all other columns projected out: the inverse
    # of its standard uncertainty at unit variance.
    information = abs(np.asarray(np.linalg.qr(derivatives, mode="r"))[-1, -1])
    estimate, least = best.values[area], best.chi_square / scale
    if estimate < 0 or best.chi_square > without.chisqr:  # not physical, or a worse local minimum
        estimate, least = 0.0, without.chisqr / scale
    well_conditioned = spread < information * whole * WELL_CONDITIONED
    uncertainty = spread / information if well_conditioned else min(whole, model.intensity.max()) * FIRST_SHARE
    sensitivity = float(np.sqrt(LIMIT_RISE) * uncertainty)

    last = best

    def rise(held: float) -> float:
        """Return the rise of chi square with the area fixed, fitted from the last such fit on."""
        nonlocal last
        others = [name for name in last.free if name != area]
        last = minimum(model, last.values | {area: held}, others, without.sigma, tolerance=SEARCH_TOLERANCE)
        return last.chi_square / scale - least

    allowed, rejected = estimate, np.inf
    held, enough = max(estimate + sensitivity, known), max(sensitivity, known)
    while rejected > max(BRACKET * allowed, enough):
        if allowed >= whole:
            return float(max(whole, known))
        worse = rise(held)
        allowed, rejected = (held, rejected) if worse < LIMIT_RISE else (allowed, held)
        # A quadratic chi square would reach the limit in one step. The step is bounded, and aims slightly to the other
        # side of the limit, so that allowed and rejected areas enclose it.
        factor = np.clip(np.sqrt(LIMIT_RISE / max(worse, LEAST_RISE)), LEAST_FACTOR, LARGEST_FACTOR)
        if worse < LIMIT_RISE:
            factor = max(OVERSHOOT * factor, LEAST_GROWTH if np.isinf(rejected) else 0)
        held = estimate + UNDERSHOOT * (held - estimate) * factor
        if not allowed < held < rejected:
            held = (allowed + rejected) / 2
    return float(max(rejected, enough))
