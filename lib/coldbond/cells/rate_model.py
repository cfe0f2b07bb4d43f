"""Capacity-rate model of Tian et al., Nat. Commun. 10, 1933 (2019), doi 10.1038/s41467-019-09792-9.

The capacity at a rate R (the inverse of the time that the discharge took) is Q [1 - (R tau)^n (1 - exp(-(R tau)^-n))]:
Q at low rates, and a decay as R^-n beyond 1 / tau. The exponent n is 0.5 where diffusion limits the cell and 1 where
its resistance does. The three parameters are fitted by weighted least squares with lmfit. Their intervals are profile
likelihoods, since tau and n correlate strongly and a symmetric interval would be wrong.
"""

import warnings

import lmfit
import numpy as np
from lmfit.minimizer import MinimizerException
from lmfit.model import ModelResult

from coldbond.interval import CONFIDENCE, Interval

#: Exponents n of cells that a single process limits, as Tian et al. give them.
LIMITS = {0.5: "diffusion", 1.0: "resistance"}

#: Start values of the fit: n between the limits, and tau as a share of the shortest discharge time (the inverse of the
#: highest rate); there the cell delivers four fifths of its capacity.
START_N, START_TAU = 0.7, 0.1


def delivered(rate: np.ndarray, capacity: float, tau: float, n: float) -> np.ndarray:
    """Return the capacity that a cell delivers at a rate.

    Parameters
    ----------
    rate : array, shape (m,)
        R [1/h]: the current divided by the delivered capacity, not by the nominal one.
    capacity : float
        Q, the capacity at low rates; the result has its unit.
    tau : float
        Characteristic time [h]: at the rate 1 / tau, 1 / e of the capacity is left.
    n : float
        Exponent of the decay at high rates.

    Returns
    -------
    array, shape (m,)
        Their equation 2.
    """
    # u = (R tau)^-n. 1 - (1 - exp(-u)) / u loses all digits at small u, where expm1 does not; the exponent of u is
    # clipped so that a fit that strays does not overflow.
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
        Value at which n is held.

    Returns
    -------
    lmfit.model.ModelResult or None
        Of `delivered`; the uncertainties are relative weights, scaled to the residuals. None where there are no more
        rates than free parameters: without a degree of freedom the fit cannot be tested.
    """
    if len(rate) <= (3 if exponent is None else 2):
        return None
    model = lmfit.Model(delivered, independent_vars=["rate"])
    # A rate at which hardly anything is left lies far beyond 1 / tau: the fit also starts where 1 / e of it is left.
    rate, capacity = np.asarray(rate, dtype=float), np.asarray(capacity, dtype=float)
    falls = rate[np.abs(capacity / capacity.max() - np.exp(-1)).argmin()]
    found = []
    for tau in (START_TAU / rate.max(), 1 / falls):
        parameters = model.make_params(
            capacity={"value": capacity.max(), "min": 0},
            tau={"value": tau, "min": 0},
            n={"value": exponent or START_N, "min": 0, "vary": exponent is None},
        )
        found.append(model.fit(capacity, parameters, rate=rate, weights=1 / uncertainty))
    # The first, unless the second is better by more than the tolerance of the fit.
    return found[1] if found[1].chisqr < 0.99 * found[0].chisqr else found[0]


def fits(rate: np.ndarray, capacity: np.ndarray, uncertainty: np.ndarray) -> dict[float | None, ModelResult]:
    """Return the fits that the number of rates allows, with the exponent that each holds as key.

    Four rates or more determine all three parameters (key None). Three rates leave no degree of freedom for that: n is
    then held at each of `LIMITS` in turn. Fewer rates allow no fit.
    """
    free = fit(rate, capacity, uncertainty)
    if free is not None:
        return {None: free}
    held = {exponent: fit(rate, capacity, uncertainty, exponent) for exponent in LIMITS}
    return {exponent: result for exponent, result in held.items() if result is not None}


def intervals(result: ModelResult) -> dict[str, Interval]:
    """Return each fitted parameter with its 95 % interval.

    Parameters
    ----------
    result : lmfit.model.ModelResult
        From `fit`.

    Returns
    -------
    dict of str to Interval
        "capacity", "tau" [h] and, unless it was held, "n", by profile likelihood (`lmfit.conf_interval`): the other
        parameters are re-optimised at each value. A bound is None where the data give none.
    """
    varied = [name for name, parameter in result.params.items() if parameter.vary]
    return {name: Interval.from_bounds(result.params[name].value, *_bounds(result, name)) for name in varied}


def _bounds(result: ModelResult, name: str) -> tuple[float, float]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # lmfit warns of a bound that it does not find; NaN stands for it here
        try:
            (_, low), _, (_, high) = result.conf_interval(p_names=[name], sigmas=[CONFIDENCE])[name]
        except (MinimizerException, ValueError):  # no covariance to start from: the parameter is not determined
            return np.nan, np.nan
    return float(low), float(high)
