"""Least-squares fit of one XPS region, as a result of lmfit.

A fit has two steps. The first is weighted with the smoothed data and minimised by scipy's dogbox algorithm; its
envelope gives the weights of the second, since weights from the counts themselves pull a fit below its data. The second
starts there and is done by lmfit, which gives covariance and statistics. Parameters that end at a bound are fixed
there, because lmfit's transform of bounded parameters does not report an active bound.
"""

from collections.abc import Sequence
from typing import NamedTuple

import lmfit
import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy.optimize import least_squares

from coldbond.xps.components import Component, Line
from coldbond.xps.model import BACKGROUNDS, SHAPES, Model

#: Distance from a bound within which a parameter counts as being there, eV or 1: far below the standard uncertainty of
#: any prior, 0.05 or more.
AT_BOUND = 1e-3
TOLERANCE = 1e-6  # relative change of the sum of squares and of the parameters at which a fit ends
SPARE_POINTS = 3  # points that a region must have beyond the number of parameters


def fit(
    region: xr.Dataset,
    components: Sequence[Component],
    background: str = "active shirley",
    shape: str = "doniach",
    *,
    line: Line = Line(),  # noqa: B008, frozen
    reference_uncertainty: float = 0.15,
) -> MinimizerResult:
    """Fit a region.

    Parameters
    ----------
    region : xarray.Dataset
        `intensity` over `binding_energy` [eV], ascending, as `coldbond.read` gives it.
    components : sequence of Component
        Their uncertainties, and that of the energy reference for all together, are the priors of the positions.
        Without any component the straight line alone is fitted.
    background : {"active shirley", "active tougaard", "shirley and tougaard", "iterative shirley", "linear"}
        All but the iterative one include a straight line, which is fitted too.
    shape : {"gl product", "gl sum", "voigt", "doniach"}
        See `line_shapes`. Width and shape are the same for all components, but for the width of components that have
        their own. "doniach" is a Voigt profile where the core level has no asymmetry.
    line : Line
        Spin-orbit partner and usual width, such as one of `components.LINES`; a singlet by default.
    reference_uncertainty : float
        Standard uncertainty of the energy reference, eV: the prior of the common shift of all components.

    Returns
    -------
    lmfit.minimizer.MinimizerResult
        Its parameters, energies in eV: `KEY_area` of the main line of each component, in the unit of the intensity
        times eV, which may be negative; `KEY_position`; `fwhm` and `KEY_fwhm` (for "voigt" and "doniach" those of the
        Gaussian), `mixing` or `lorentzian`, `asymmetry`; `shirley` [1/eV] and `tougaard` [eV2], the strengths of the
        background; `level` and `slope` of the straight line.
        Attributes beside those of lmfit: `at_bound`, the parameters that ended at a bound and were fixed there;
        `model`, the `Model`; `sigma`, the standard deviation of each point that it was weighted with.

    Raises
    ------
    ValueError
        An unknown background or shape, or too few points for the parameters.

    Notes
    -----
    Weights are those of counting statistics, from the expectation of the first step. Where the counting is unknown the
    variance is proportional to the expectation. The covariance is scaled by the reduced chi square where the counting
    is unknown, and where chi square exceeds the degrees of freedom: intervals of a model that does not fit the data are
    widened. Widths, shape and strength of the background have the priors that `Line`, `model.MIXING` and
    `model.ACTIVE_BACKGROUNDS` state, which a strong line overrides.
    """
    components = list(components)
    if shape not in SHAPES:
        raise ValueError(f"no line shape {shape!r}; there are {', '.join(SHAPES)}")
    if background not in BACKGROUNDS:
        raise ValueError(f"no background {background!r}; there are {', '.join(BACKGROUNDS)}")
    if background == "iterative shirley" and not components:
        raise ValueError("nothing to fit: the iterative Shirley background is fixed, and there is no component")
    model = Model(region, components, background, shape, line, reference_uncertainty)
    values = model.start()
    if model.energy.size < len(values) + SPARE_POINTS:
        raise ValueError(f"{model.energy.size} points do not determine {len(values)} parameters; widen the region")
    first = minimum(model, values, list(values), model.uncertainty(model.smoothed()))
    sigma = model.uncertainty(model.envelope(first.values))
    fits_counting = "one_count" in region and first.chi_square <= model.energy.size - len(values)
    return lmfit_result(model, first, sigma, scale_covariance=not fits_counting)


def curves(result: MinimizerResult) -> xr.Dataset:
    """Return the curves of a fit: over `binding_energy`, and `component` over `key` too.

    Parameters
    ----------
    result : lmfit.minimizer.MinimizerResult
        From `fit`.

    Returns
    -------
    xarray.Dataset
        `intensity`, `envelope`, `background`, `component`, `uncertainty` and the normalised `residual`.
    """
    model, values = result.model, result.params.valuesdict()
    components = model.areas(values)[:, np.newaxis] * model.lines(values)
    envelope = model.envelope(values)
    shown = {"units": model.region.intensity.attrs.get("units", "")}
    return xr.Dataset(
        {
            "intensity": ("binding_energy", model.intensity, shown),
            "envelope": ("binding_energy", envelope, shown),
            "background": ("binding_energy", envelope - components.sum(axis=0), shown),
            "component": (("key", "binding_energy"), components, shown),
            "uncertainty": ("binding_energy", result.sigma, shown),
            "residual": ("binding_energy", (model.intensity - envelope) / result.sigma, {"units": "1"}),
        },
        coords={"binding_energy": model.region.binding_energy, "key": [c.key for c in model.components]},
    )


class Minimum(NamedTuple):
    """Parameters at the least sum of squares.

    Attributes
    ----------
    values : dict of str to float
        Of all parameters.
    free : list of str
        Parameters that were varied and did not end at a bound.
    chi_square : float
        Sum of squares, of the data and of the priors.
    """

    values: dict[str, float]
    free: list[str]
    chi_square: float


def minimum(
    model: Model, values: dict[str, float], free: Sequence[str], sigma: np.ndarray, tolerance: float = TOLERANCE
) -> Minimum:
    """Return the minimum of the sum of squares.

    The algorithm is scipy's dogbox (Voglis and Lagaris 2004), which reaches an active bound and reports it.

    Parameters
    ----------
    model : Model
    values : dict of str to float
        Of all parameters, from which the search starts.
    free : sequence of str
        Parameters to vary.
    sigma : array, shape (energies,)
        Standard deviation of each point.
    tolerance : float
        Relative change of the sum of squares and of the parameters at which the search ends.
    """
    bounds = np.array([model.bounds(name) for name in free]).reshape(-1, 2).T
    found = least_squares(
        lambda v: model.residual(values | dict(zip(free, v, strict=True)), sigma),
        # Dogbox needs a start inside the bounds.
        np.clip([values[name] for name in free], bounds[0] + AT_BOUND, bounds[1] - AT_BOUND),
        lambda v: model.derivatives(values | dict(zip(free, v, strict=True)), sigma, free),
        bounds=tuple(bounds),
        method="dogbox",
        x_scale="jac",
        ftol=tolerance,
        xtol=tolerance,
        gtol=None,
    )
    at_bound = np.abs(found.x - bounds) < AT_BOUND
    ended = np.where(at_bound[0], bounds[0], np.where(at_bound[1], bounds[1], found.x))
    still_free = [name for name, fixed in zip(free, at_bound.any(axis=0), strict=True) if not fixed]
    return Minimum(values | dict(zip(free, ended.tolist(), strict=True)), still_free, 2 * found.cost)


def lmfit_result(model: Model, start: Minimum, sigma: np.ndarray, scale_covariance: bool) -> MinimizerResult:
    """Return lmfit's result from a minimum on, with the parameters that ended at a bound fixed there."""
    params = lmfit.Parameters()
    for name, value in start.values.items():
        least, most = model.bounds(name)
        params.add(name, value, vary=name in start.free, min=least, max=most)
    result = lmfit.minimize(
        lambda params: model.residual(params.valuesdict(), sigma),
        params,
        scale_covar=scale_covariance,
        Dfun=lambda params: model.derivatives(params.valuesdict(), sigma, start.free),
        ftol=TOLERANCE,
        xtol=TOLERANCE,
    )
    result.at_bound = [name for name in start.values if name not in start.free]
    result.model, result.sigma = model, sigma
    return result
