"""Agreement of a whole-pattern fit with the pattern: Rwp, Rexp and reduced chi square (Toby 2006, doi
10.1154/1.2179804)."""

from typing import NamedTuple

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult


class Agreement(NamedTuple):
    """How well a fit describes a pattern.

    Attributes
    ----------
    weighted : float
        Rwp, percent: root of the weighted squares of the residuals over those of the intensities.
    expected : float or None
        Rexp, percent: Rwp of a model that counting statistics alone separate from the pattern; None where the counting
        is unknown.
    reduced_chi_square : float or None
        (Rwp / Rexp)^2, 1 for such a model.
    """

    weighted: float
    expected: float | None
    reduced_chi_square: float | None


def agreement(pattern: xr.Dataset, fit: MinimizerResult) -> Agreement:
    """Return how well a fit describes a pattern.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` returns it.
    fit : MinimizerResult
        From `pawley.fit` or `rietveld.fit`.
    """
    curves = fit.curves
    weight = 1 / curves.standard_uncertainty.to_numpy()
    residual, intensity = weight * (curves.intensity - curves.fit).to_numpy(), weight * curves.intensity.to_numpy()
    weighted = float(100 * np.sqrt(residual @ residual / (intensity @ intensity)))
    if "one_count" not in pattern:
        return Agreement(weighted, None, None)
    return Agreement(weighted, weighted / float(np.sqrt(fit.redchi)), float(fit.redchi))


def in_words(one: Agreement) -> str:
    """Return Rwp and, where the counting is known, Rexp and reduced chi square, as a figure and a table show them."""
    text = f"Rwp {one.weighted:.3g} %"
    if one.expected is None or one.reduced_chi_square is None:
        return f"{text}, counting unknown"
    return f"{text}, Rexp {one.expected:.3g} %, χ² {one.reduced_chi_square:.3g}"
