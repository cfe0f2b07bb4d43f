"""Least-squares fit of one XPS region, as a result of lmfit.

A fit has two steps. The first is weighted with the smoothed data and minimised within the bounds; its
envelope gives the weights of the second, since weights from the counts themselves pull a fit below its data. The second
starts there and is done by lmfit, which gives covariance and statistics. Parameters that end at a bound are fixed
there, because lmfit's transform of bounded parameters does not report an active bound.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import lmfit
import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.xps.components import Component, Line
from coldbond.xps.model import BACKGROUNDS, SHAPES, Model

FIRST_DAMPING, LEAST_DAMPING, LARGEST_DAMPING = 1e-3, 1e-9, 1e6  # relative to the squared derivatives
SMALLEST = 1e-9  # of the scatter relative to the square root of the intensity: weights stay finite
MOST_STEPS = 60  # of a search; usual are five to ten
MOST_EVALUATIONS = 60  # of lmfit, which starts at the minimum; only a model that is far from the data needs more
SHAPE_STEP = 1e-2  # eV or 1, of a numerical derivative of the maximum of a line
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
    width_uncertainty: float = 0.1,
    start: Mapping[str, float] | None = None,
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
        See `line_shapes`. The Lorentzian width or mixing is the same for all components; each has its own asymmetry.
        "doniach" is a Voigt profile where neither the core level nor the component has an asymmetry.
    line : Line
        Spin-orbit partner and usual width, such as one of `components.LINES`; a singlet by default.
    reference_uncertainty : float
        Standard uncertainty of the energy reference, eV: the prior of the common shift of all components.
    width_uncertainty : float
        Standard uncertainty of the width of a component relative to that of its region; 0 for one width.
    start : mapping of str to float, optional
        Parameters to start from, of a fit of the same or more components; by default a start is searched for.

    Returns
    -------
    lmfit.minimizer.MinimizerResult
        Its parameters, energies in eV: `KEY_area` of the main line of each component, in the unit of the intensity
        times eV, at least zero; `KEY_position`, within the tolerance of the component and of the energy reference;
        `fwhm` and `KEY_fwhm` (for "voigt" and "doniach" those of the Gaussian), `KEY_width`, the factor on `fwhm`;
        `mixing` or `lorentzian`; `KEY_asymmetry`; `shirley` [1/eV] and `tougaard` [eV2], the strengths of the
        background; `level` and `slope` of the straight line.
        Attributes beside those of lmfit: `at_bound`, the parameters that ended at a bound and were fixed there;
        `model`, the `Model`; `sigma`, the standard deviation of each point that it was weighted with;
        `variance_scale`, the factor on all variances that the residuals ask for.

    Raises
    ------
    ValueError
        An unknown background or shape, or too few points for the parameters.

    Notes
    -----
    Weights are those of counting statistics, from the expectation of the first step. Where the counting is unknown the
    variance is proportional to the expectation. The covariance is scaled by `structure`: intervals of a model that
    does not fit the data are widened. Widths, shape and strength of the background have the priors that `Line`,
    `model.MIXING`, `model.PARTNER` and `model.ACTIVE_BACKGROUNDS` state, which a strong line overrides.
    """
    components = list(components)
    if shape not in SHAPES:
        raise ValueError(f"no line shape {shape!r}; there are {', '.join(SHAPES)}")
    if background not in BACKGROUNDS:
        raise ValueError(f"no background {background!r}; there are {', '.join(BACKGROUNDS)}")
    if background == "iterative shirley" and not components:
        raise ValueError("nothing to fit: the iterative Shirley background is fixed, and there is no component")
    model = Model(region, components, background, shape, line, reference_uncertainty, width_uncertainty)
    values = model.start() if start is None else {name: start[name] for name in model.names}
    if model.energy.size < len(values) + SPARE_POINTS:
        raise ValueError(f"{model.energy.size} points do not determine {len(values)} parameters; widen the region")
    first = minimum(model, values, list(values), model.uncertainty(model.smoothed()))
    sigma = model.uncertainty(model.envelope(first.values))
    if "one_count" not in region:
        # The scatter sets the weights, or the priors would count too much or too little beside the data.
        left = (model.intensity - model.envelope(first.values)) / sigma
        sigma = sigma * max(float(np.sqrt(left @ left / (left.size - len(first.free)))), SMALLEST)
        first = minimum(model, first.values, list(values), sigma)
    return lmfit_result(model, first, sigma)


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


def widths(result: MinimizerResult) -> dict[str, float]:
    """Return the full width at half maximum of the main line of each component, eV, by its key."""
    model, values = result.model, result.params.valuesdict()
    found = {}
    for c, width, tail in zip(model.components, model.line_widths(values), model.tails(values), strict=True):
        position = values[f"{c.key}_position"]
        energy = position + np.linspace(-3, 3, 1201) * (width + tail)
        asymmetry = np.array([values.get(f"{c.key}_asymmetry", 0.0)])
        line = model.line_at(energy, np.array([position]), np.array([width]), np.array([tail]), asymmetry)[0]
        above = energy[line > line.max() / 2]
        found[c.key] = float(above[-1] - above[0])
    return found


def maxima(result: MinimizerResult) -> tuple[np.ndarray, np.ndarray]:
    """Return the energies of the maxima of the components' lines, and their derivatives.

    The position of a line with a tail is a parameter of its shape. Its maximum is what one reads.

    Returns
    -------
    array, shape (components,)
        eV.
    array, shape (components, varied parameters)
        Derivatives by the parameters of `result.var_names`.
    """
    model, values = result.model, result.params.valuesdict()
    gradients = np.zeros((len(model.components), len(result.var_names)))
    tops = np.array([values[f"{c.key}_position"] for c in model.components])
    for i, (c, tail) in enumerate(zip(model.components, model.tail_names, strict=True)):
        name = f"{c.key}_position"
        if name in result.var_names:
            gradients[i, result.var_names.index(name)] = 1.0
        if model.asymmetric[i]:
            tops[i] += (offset := _offset(model, values, i))
            for shape in {c.width_name, f"{c.key}_width", f"{c.key}_asymmetry", tail} & {*result.var_names}:
                moved = values | {shape: values[shape] + SHAPE_STEP}
                at = result.var_names.index(shape)
                gradients[i, at] = (_offset(model, moved, i) - offset) / SHAPE_STEP
    return tops, gradients


def _offset(model: Model, values: Mapping[str, float], i: int) -> float:
    """Return how far the maximum of a line lies above its position, eV."""
    width, tail = model.line_widths(values)[i : i + 1], model.tails(values)[i : i + 1]
    asymmetry = np.array([values[f"{model.components[i].key}_asymmetry"]])
    energy = np.linspace(-0.5, 1, 91) * float(width[0])
    line = model.line_at(energy, np.zeros(1), width, tail, asymmetry)[0]
    at = int(np.clip(line.argmax(), 1, energy.size - 2))
    below, here, above = line[at - 1 : at + 2]
    return float(energy[at] + (energy[1] - energy[0]) * (below - above) / (below - 2 * here + above) / 2)


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
    model: Model,
    values: dict[str, float],
    free: Sequence[str],
    sigma: np.ndarray,
    tolerance: float = TOLERANCE,
) -> Minimum:
    """Return the minimum of the sum of squares.

    The algorithm is that of Levenberg and Marquardt with an active set: each step is the minimum of the damped
    quadratic approximation within the bounds, so that parameters end exactly at a bound where one is active. It uses
    the analytic derivatives, and keeps a linear constraint, which gradient steps would not.

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
        Relative change of the sum of squares at which the search ends.
    """
    low, high = np.array([model.bounds(name) for name in free]).reshape(-1, 2).T

    def residual(v: np.ndarray) -> np.ndarray:
        return model.residual(values | dict(zip(free, v.tolist(), strict=True)), sigma)

    at = np.clip([values[name] for name in free], low, high)
    left, damping, scale = residual(at), FIRST_DAMPING, np.zeros(at.size)
    for _ in range(MOST_STEPS if at.size else 0):
        derivatives = model.derivatives(values | dict(zip(free, at.tolist(), strict=True)), sigma, free)
        # The largest norm of each column so far makes the damping independent of the units (More 1978).
        scale = np.maximum(scale, np.linalg.norm(derivatives, axis=0))
        unit = np.where(scale > 0, scale, 1.0)
        scaled = derivatives / unit
        curvature, slope = scaled.T @ scaled, scaled.T @ left
        least, most = (low - at) * unit, (high - at) * unit
        while True:
            step = bounded_step(curvature + damping * np.eye(at.size), slope, least, most)
            if damping <= FIRST_DAMPING and -(2 * slope + curvature @ step) @ step <= tolerance * (left @ left):
                trial, after, fall = at, left, 0.0  # the quadratic approximation promises no more
                break
            trial = np.clip(at + step / unit, low, high)
            after = residual(trial)
            fall = left @ left - after @ after
            if fall >= 0 or damping > LARGEST_DAMPING:
                break
            damping *= 10
        if fall < 0:
            break
        at, left, damping = trial, after, max(damping / 10, LEAST_DAMPING)
        if fall <= tolerance * (left @ left):
            break
    still_free = [name for name, x, least, most in zip(free, at, low, high, strict=True) if least < x < most]
    return Minimum(values | dict(zip(free, at.tolist(), strict=True)), still_free, float(left @ left))


def bounded_step(curvature: np.ndarray, slope: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Return the step to the minimum of a quadratic function within bounds, which hold zero.

    Parameters that would leave their bounds are put there, one after the other, and the others are solved for again.
    """
    step = np.zeros(slope.size)
    fixed = ((least == 0) & (slope > 0)) | ((most == 0) & (slope < 0))
    while not fixed.all():
        free = ~fixed
        matrix, right = curvature[np.ix_(free, free)], -slope[free] - curvature[np.ix_(free, fixed)] @ step[fixed]
        try:
            step[free] = np.linalg.solve(matrix, right)
        except np.linalg.LinAlgError:  # parameters that do the same to a spectrum share the step
            step[free] = np.linalg.lstsq(matrix, right, rcond=None)[0]
        beyond = free & ((step < least) | (step > most))
        if not beyond.any():
            break
        step[beyond] = np.clip(step[beyond], least[beyond], most[beyond])
        fixed = fixed | beyond
    return step


def lmfit_result(model: Model, start: Minimum, sigma: np.ndarray) -> MinimizerResult:
    """Return lmfit's result from a minimum on, with the parameters that ended at a bound fixed there."""
    params = lmfit.Parameters()
    for name, value in start.values.items():
        least, most = model.bounds(name)
        params.add(name, value, vary=name in start.free, min=least, max=most)
    result = lmfit.minimize(
        lambda params: model.residual(params.valuesdict(), sigma),
        params,
        scale_covar=False,
        Dfun=lambda params: model.derivatives(params.valuesdict(), sigma, start.free),
        ftol=TOLERANCE,
        xtol=TOLERANCE,
        max_nfev=MOST_EVALUATIONS,
    )
    result.at_bound = [name for name in start.values if name not in start.free]
    result.model, result.sigma = model, sigma
    result.variance_scale = structure(result)
    if result.errorbars:
        result.covar = result.covar * result.variance_scale
        for name in result.var_names:
            result.params[name].stderr *= np.sqrt(result.variance_scale)
    return result


def structure(result: MinimizerResult, weight: np.ndarray | None = None) -> float:
    """Return the factor on the variances of counting statistics that the residuals of a fit ask for, at least 1.

    A line shape or a background that is not that of the sample leaves residuals that are alike over a good part of a
    line. What they add to the variance of an area is their long-run variance: the sum of their autocovariances
    (Newey and West 1987, Econometrica 55, 703, doi 10.2307/1913610), here up to the half width of a line, each point
    weighted by what it says of the areas. It is divided by its expectation for white residuals of the same fit.

    Parameters
    ----------
    result : lmfit.minimizer.MinimizerResult
    weight : array, shape (energies,), optional
        What each point says of a quantity; by default of all areas.

    Notes
    -----
    Where the counting is unknown the reduced chi square is a part of the factor, which then may be below 1.
    """
    model, values = result.model, result.params.valuesdict()
    residual = (model.intensity - model.envelope(values)) / result.sigma
    points = residual.size
    whole = max(1.0, result.redchi)
    if weight is None:
        weight = np.abs(model.areas(values) @ model.lines(values)) / result.sigma
    if not (weight.any() and result.var_names):
        return whole
    width = values.get("fwhm", model.line.fwhm[0]) / 2
    lags = max(1, round(width / float(np.median(np.diff(model.energy)))))
    derivatives = model.derivatives(values, result.sigma, result.var_names)
    basis = np.linalg.qr(derivatives)[0][:points]
    found = expected = 0.0
    for lag in range(lags + 1):
        kernel = (1 if lag == 0 else 2) * (1 - lag / (lags + 1))
        pair = weight[: points - lag] * weight[lag:]
        found += kernel * float(pair @ (residual[: points - lag] * residual[lag:]))
        hat = np.einsum("ij,ij->i", basis[: points - lag], basis[lag:])
        expected += kernel * float(pair @ ((lag == 0) - hat))
    return max(whole, found / expected) if expected > 0 else whole
