"""The capacity-rate model of Tian et al., Nat. Commun. 10, 1933 (2019), doi 10.1038/s41467-019-09792-9."""

import warnings

import lmfit
import numpy as np
from lmfit.minimizer import MinimizerException
from lmfit.model import ModelResult

#: Exponents that they give for cells that one process limits.
LIMITS = {0.5: "diffusion", 1.0: "resistance"}


def delivered(rate: np.ndarray, capacity: float, tau: float, n: float) -> np.ndarray:
    """Return the capacity that a cell delivers at a rate.

    Parameters
    ----------
    rate : array, shape (m,)
        R [1/h]: the current divided by the capacity that it drew, not by the nominal one.
    capacity : float
        That at rates so low that nothing limits it; the result has its unit.
    tau : float
        Characteristic time [h]: at the rate 1/tau a share of 1/e is left.
    n : float
        How steeply the capacity falls at high rates, as R to the power -n.

    Returns
    -------
    array, shape (m,)
        Q [1 - (R tau)^n (1 - exp(-(R tau)^-n))], their equation 2.
    """
    u = np.exp(np.clip(-n * np.log(np.maximum(np.asarray(rate) * tau, 1e-300)), -25, 600))
    return capacity * (1 + np.expm1(-u) / u)


def fit(
    rate: np.ndarray, capacity: np.ndarray, uncertainty: np.ndarray, exponent: float | None = None
) -> ModelResult | None:
    """Fit the model to capacity against rate.

    Parameters
    ----------
    rate, capacity, uncertainty : array, shape (m,)
        R [1/h], the capacity, and its standard uncertainty.
    exponent : float, optional
        Value to hold n at.

    Returns
    -------
    lmfit.model.ModelResult or None
        Of `delivered`; the uncertainties are weights, scaled to the residuals. None where there are no more rates than
        parameters to fit: nothing would tell a good fit from a bad one.
    """
    if len(rate) <= (3 if exponent is None else 2):
        return None
    model = lmfit.Model(delivered, independent_vars=["rate"])
    parameters = model.make_params(
        capacity={"value": max(capacity), "min": 0},
        tau={"value": 0.1 / max(rate), "min": 0},
        n={"value": exponent or 0.7, "min": 0, "vary": exponent is None},
    )
    return model.fit(capacity, parameters, rate=rate, weights=1 / uncertainty)


def fits(rate: np.ndarray, capacity: np.ndarray, uncertainty: np.ndarray) -> dict[float | None, ModelResult]:
    """Return the fits that the number of rates allows, by the exponent that they hold.

    Four rates or more determine all three parameters (None: nothing held). Three leave nothing to test three parameters
    by; there n is held at each of `LIMITS` in turn. With fewer rates there is nothing to fit.
    """
    free = fit(rate, capacity, uncertainty)
    if free is not None:
        return {None: free}
    held = {exponent: fit(rate, capacity, uncertainty, exponent) for exponent in LIMITS}
    return {exponent: result for exponent, result in held.items() if result is not None}


def intervals(result: ModelResult) -> dict[str, tuple[float, float, float]]:
    """Return value, low and high of the 95 % interval of each parameter of a fit.

    Parameters
    ----------
    result : lmfit.model.ModelResult
        From `fit`.

    Returns
    -------
    dict of str to (float, float, float)
        "capacity", "tau" [h] and, unless it was held, "n", by profile likelihood (`lmfit.conf_interval`): how far one
        can go while the others make the best of it. A bound that the data do not give is NaN.
    """
    varied = [name for name, parameter in result.params.items() if parameter.vary]
    return {name: (result.params[name].value, *_bounds(result, name)) for name in varied}


def _bounds(result: ModelResult, name: str) -> tuple[float, float]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of a bound that is not found: NaN says it
        try:
            (_, low), _, (_, high) = result.conf_interval(p_names=[name], sigmas=[0.95])[name]
        except (MinimizerException, ValueError):
            return np.nan, np.nan
    return tuple(float(bound) if np.isfinite(bound) else np.nan for bound in (low, high))
