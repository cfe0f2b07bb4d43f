"""Standard errors of a whole-pattern fit: of the nonlinear parameters and of the amplitudes solved for linearly.

The covariance of the nonlinear parameters is the inverse normal matrix of the projected Jacobian. It is multiplied by
the inflation that correlated residuals demand: where a profile function does not fit, neighbouring residuals have one
sign (Berar and Lelann 1991, doi 10.1107/S0021889890010317). Parameters that are not fitted but uncertain, such as those
of the instrument, are propagated to first order. The amplitudes have the conditional covariance of the linear solve
plus what the nonlinear parameters propagate into them.
"""

from collections.abc import Sequence

import numpy as np

#: Relative eigenvalue of the scaled normal matrix below which a pattern does not determine a combination of parameters.
UNDETERMINED = 1e-9

#: Component of an undetermined eigenvector above which the parameter counts as undetermined.
PARTICIPATION = 0.1

#: Least value of one minus leverage: a point that a fit follows exactly would divide by zero.
LEAST_FREEDOM = 0.1


def inverse(normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pseudo-inverse of a normal matrix, and which parameters it does not determine.

    Parameters
    ----------
    normal : array, shape (p, p)

    Returns
    -------
    covariance : array, shape (p, p)
        Inverse over the eigenvectors that are determined.
    undetermined : array of bool, shape (p,)
    """
    norm = np.sqrt(np.diag(normal))
    scale = norm + (norm == 0)  # parameters in different units become comparable
    values, vectors = np.linalg.eigh(normal / np.outer(scale, scale))
    singular = values < UNDETERMINED * values[-1]
    covariance = (vectors[:, ~singular] / values[~singular]) @ vectors[:, ~singular].T
    undetermined = (np.abs(vectors[:, singular]) > PARTICIPATION).any(axis=1) | (norm == 0)
    return covariance / np.outer(scale, scale), undetermined


def inflation(influence: np.ndarray, residual: np.ndarray, window: int, least: float) -> np.ndarray:
    """Return the factor by which the variances of estimates exceed those that the weights imply.

    Parameters
    ----------
    influence : array, shape (p, m)
        Derivative of each estimate by each weighted intensity.
    residual : array, shape (m,)
        Weighted.
    window : int
        Correlation length of the residuals in points, the width of a reflection.
    least : float
        Lower bound of the result.

    Returns
    -------
    array, shape (p,)

    Notes
    -----
    The variance of an estimate is that of the sum of influence times residual. Covariances up to the window are
    included with the weights of Newey and West (1987, doi 10.2307/1913610), which is the mean square of the sums over
    all windows. The variance without covariances is taken where it is larger: a fit makes the residuals under a peak
    add up to less than their errors do.
    """
    series = influence * residual
    sums = np.cumsum(np.pad(series, [(0, 0), (window, window)]), axis=1)
    sums = sums[:, window:] - sums[:, :-window]
    stated = (influence**2).sum(axis=1)
    observed = np.maximum((sums**2).sum(axis=1) / window, (series**2).sum(axis=1))
    return np.maximum(observed / np.where(stated > 0, stated, 1), least)


def covariances(
    weighted: np.ndarray,
    jacobian: tuple[np.ndarray, np.ndarray],
    residual: np.ndarray,
    conditional: np.ndarray,
    known: np.ndarray,
    window: int,
    least: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the covariances of fitted parameters and of amplitudes, what is undetermined, and the inflation.

    Parameters
    ----------
    weighted : array, shape (m, k)
        Design matrix over the standard uncertainty.
    jacobian : tuple of arrays, shapes (m, p + q) and (k, p + q)
        Derivatives of residuals and amplitudes by the p fitted parameters and the q parameters known from elsewhere.
    residual : array, shape (m,)
    conditional : array, shape (k, k)
        Covariance of the amplitudes at given nonlinear parameters.
    known : array, shape (q, q)
        Covariance of the parameters that are known from elsewhere, such as an instrument's.
    window, least
        As for `inflation`.
    """
    p = jacobian[0].shape[1] - len(known)
    fitted, given = jacobian[0][:, :p], jacobian[0][:, p:]
    stated, undetermined = inverse(fitted.T @ fitted)
    influence = stated @ fitted.T
    # A fit follows the points that determine it: their residuals are too small by the square root of one minus the
    # leverage (MacKinnon and White 1985, doi 10.1016/0304-4076(85)90158-7).
    both = np.hstack([weighted, fitted])
    leverage = ((both @ inverse(both.T @ both)[0]) * both).sum(axis=1)
    residual = residual / np.sqrt(np.maximum(1 - leverage, LEAST_FREEDOM))
    factor = inflation(influence, residual, window, least)
    larger = np.sqrt(factor)
    propagated = -influence @ given  # derivative of the fitted parameters by the known ones
    joint = np.block([[propagated @ known @ propagated.T, propagated @ known], [known @ propagated.T, known]])
    joint[:p, :p] += stated * np.outer(larger, larger)
    linear = np.sqrt(inflation(conditional @ weighted.T, residual, window, least))
    amplitudes = conditional * np.outer(linear, linear) + jacobian[1] @ joint @ jacobian[1].T
    return joint[:p, :p], amplitudes, undetermined, factor


def correlation(names: Sequence[str], covariance: np.ndarray) -> dict[str, dict[str, float]]:
    """Return the correlation of every parameter with every other, as lmfit's `Parameter.correl` holds it."""
    error = np.sqrt(np.diag(covariance))
    error[error == 0] = np.inf
    normed = covariance / np.outer(error, error)
    return {
        name: {other: float(normed[i, j]) for j, other in enumerate(names) if j != i} for i, name in enumerate(names)
    }
