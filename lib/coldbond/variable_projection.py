"""Separable least squares: amplitudes that enter a model linearly are solved for inside the fit of the others.

For nonlinear parameters x the model is design(x) @ amplitudes. At every x the amplitudes are those of linear least
squares, so that the fit searches x alone: fewer parameters, no start values for amplitudes, fewer local minima (Golub
and Pereyra 1973, doi 10.1137/0710036). The derivative of the projected residual is Kaufman's approximation (1975, doi
10.1007/BF01932995), which leaves out a term that vanishes with the residual and keeps the minimum where it is.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import optimize

#: Relative singular value below which a column is no other than a combination of those before it.
DEPENDENT = 1e-12


class Solution(NamedTuple):
    """Amplitudes of a design matrix that fit data best.

    Attributes
    ----------
    amplitudes : array, shape (n,)
    residual : array, shape (m,)
        Observed less modelled.
    basis : array, shape (m, n)
        Orthonormal columns that span the design matrix.
    """

    amplitudes: np.ndarray
    residual: np.ndarray
    basis: np.ndarray


def solved(design: np.ndarray, observed: np.ndarray) -> Solution:
    """Return the amplitudes that fit data best.

    Parameters
    ----------
    design : array, shape (m, n)
        Weighted: over the standard uncertainty of each point.
    observed : array, shape (m,)
        Weighted alike.
    """
    norms = np.linalg.norm(design, axis=0)
    norms = np.where(norms > 0, norms, 1.0)  # columns of very different size would look dependent
    basis, triangle = np.linalg.qr(design / norms)
    amplitudes = np.linalg.lstsq(triangle, basis.T @ observed, rcond=DEPENDENT)[0] / norms
    return Solution(amplitudes, observed - design @ amplitudes, basis)


def jacobian(changes: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return the derivatives of the projected residual, shape (m, p).

    Parameters
    ----------
    changes : array, shape (m, p)
        Derivatives of the model by the nonlinear parameters with the amplitudes held.
    basis : array, shape (m, n)
        From `solved`.
    """
    return basis @ (basis.T @ changes) - changes


def fit(
    model: Callable[[np.ndarray], tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]],
    observed: np.ndarray,
    start: np.ndarray,
    bounds: np.ndarray,
    tolerance: float = 1e-6,
) -> optimize.OptimizeResult:
    """Fit the nonlinear parameters; the amplitudes are solved for linearly.

    Parameters
    ----------
    model : callable
        Returns, for nonlinear parameters of shape (p,), the weighted design matrix, shape (m, n), and a function that
        gives the derivatives of the model, shape (m, p), for amplitudes of shape (n,).
    observed : array, shape (m,)
        Weighted data.
    start : array, shape (p,)
        Within the bounds.
    bounds : array, shape (p, 2)
        Least and largest value of each parameter.
    tolerance : float
        Relative change of chi square and of the parameters at which the fit ends.

    Returns
    -------
    scipy.optimize.OptimizeResult
        Of `scipy.optimize.least_squares`, with the attribute `amplitudes`, shape (n,), besides.
    """
    last: tuple[np.ndarray, Solution, Callable[[np.ndarray], np.ndarray]] | None = None

    def at(x: np.ndarray) -> tuple[Solution, Callable[[np.ndarray], np.ndarray]]:
        nonlocal last  # the Jacobian is asked for where the residual was
        if last is None or not np.array_equal(last[0], x):
            design, changes = model(x)
            last = x.copy(), solved(design, observed), changes
        return last[1:]

    def derivatives(x: np.ndarray) -> np.ndarray:
        solution, changes = at(x)
        return jacobian(changes(solution.amplitudes), solution.basis)

    found = optimize.least_squares(
        lambda x: at(x)[0].residual,
        np.clip(start, *bounds.T),
        derivatives,
        bounds=tuple(bounds.T),
        method="dogbox",  # reaches a bound exactly, where a transformed parameter only approaches it
        x_scale="jac",
        ftol=tolerance,
        xtol=tolerance,
        gtol=None,
    )
    found.amplitudes = at(found.x)[0].amplitudes
    return found
