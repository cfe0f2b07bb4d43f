"""Lines of a region that none of its components explains within its tolerance."""

from collections.abc import Callable, Sequence

import numpy as np
from lmfit.minimizer import MinimizerResult
from scipy import stats

from coldbond.xps.components import UNASSIGNED, Component

MOST_LINES = 3
#: Share of all areas that an unassigned line has at least. A smaller one is not told from an imperfect line shape, and
#: widens the intervals of the others (`fit.structure`).
LEAST_SHARE = 0.05
SEARCH_STEP = 0.1  # eV, between positions that are tried; well below a width
LEAST_SCORE = 5.0  # standard deviations of a line by a linear fit, below which no fit is tried
UNCERTAINTY = 0.5  # eV, of the position found by the linear fit
LEAST_INDEPENDENT = 0.05  # share of a line that the others must not imitate where it is looked for


def found(
    result: MinimizerResult, fitted: Callable[[Sequence[Component]], MinimizerResult], significance: float
) -> list[Component]:
    """Return the unassigned lines of a region, in the order of their evidence.

    Parameters
    ----------
    result : lmfit.minimizer.MinimizerResult
        From `fit.fit`, of all components of the region.
    fitted : callable
        Returns the fit with these lines beside the components.
    significance : float
        Probability to accept a line that is not there.
    """
    more: list[Component] = []
    while len(more) < MOST_LINES:
        at = _place(result)
        if at is None:
            break
        tried = [
            *more,
            Component(
                f"{UNASSIGNED}{len(more) + 1}", UNASSIGNED, at, UNCERTAINTY, fwhm=(1.2, 0.5), lorentzian=(0.3, 0.5)
            ),
        ]
        better = fitted(tried)
        values = better.params.valuesdict()
        areas = better.model.areas(values)
        gain = (result.chisqr - better.chisqr) / better.variance_scale
        tries = np.ptp(better.model.energy) / better.model.line.fwhm[0]
        p = min(1.0, tries * stats.chi2.sf(max(gain, 0.0), 3))
        if not (p < significance and areas[-1] > LEAST_SHARE * areas.sum()):
            break
        more, result = tried, better
    return more


def _place(result: MinimizerResult) -> float | None:
    """Return where a further line would lower chi square most, eV, outside the tolerance of every component."""
    model, values = result.model, result.params.valuesdict()
    at = np.arange(model.energy[0] + SEARCH_STEP, model.energy[-1], SEARCH_STEP)
    for c in model.components:
        position, reach = model.reach[f"{c.key}_position"]
        at = at[np.abs(at - position) > reach]
    if not at.size:
        return None
    line = Component(UNASSIGNED, "", 0.0, fwhm=model.line.fwhm)
    lines = model.unit_component(values, line, at) / result.sigma
    basis, _ = np.linalg.qr(model.derivatives(values, result.sigma, result.var_names)[: model.energy.size])
    own = lines - (lines @ basis) @ basis.T
    norm, whole = np.linalg.norm(own, axis=1), np.linalg.norm(lines, axis=1)
    residual = (model.intensity - model.envelope(values)) / result.sigma
    score = np.where(norm > LEAST_INDEPENDENT * whole, own @ residual / np.maximum(norm, 1e-12), -np.inf)
    return float(at[score.argmax()]) if score.max() > LEAST_SCORE else None
