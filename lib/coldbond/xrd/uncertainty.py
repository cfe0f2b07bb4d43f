"""Standard errors of a whole-pattern fit: nonlinear parameters and, through them, what is solved for linearly."""

from collections.abc import Sequence

import numpy as np

#: Eigenvalue of the scaled normal matrix below which a pattern does not determine a combination of parameters.
UNDETERMINED = 1e-9


def inverse(normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the inverse of a normal matrix over what it determines, and which parameters it does not determine."""
    norm = np.sqrt(np.diag(normal))
    scaled = normal / np.outer(norm + (norm == 0), norm + (norm == 0))
    values, vectors = np.linalg.eigh(scaled)
    lost = values < UNDETERMINED * values[-1]
    covariance = (vectors[:, ~lost] / values[~lost]) @ vectors[:, ~lost].T
    undetermined = (np.abs(vectors[:, lost]) > 0.1).any(axis=1) | (norm == 0)
    return covariance / np.outer(norm + (norm == 0), norm + (norm == 0)), undetermined


def inflation(influence: np.ndarray, residual: np.ndarray, window: int, least: float) -> np.ndarray:
    """Return by how much the variances of estimates are larger than the weights say.

    Parameters
    ----------
    influence : array, shape (p, m)
        Change of each estimate with each weighted intensity.
    residual : array, shape (m,)
        Weighted.
    window : int
        Points over which residuals hang together, the width of a reflection.
    least : float
        The result is never smaller.

    Returns
    -------
    array, shape (p,)

    Notes
    -----
    Where a profile does not fit, neighbouring residuals have one sign and their errors add up instead of averaging out
    (Berar and Lelann 1991, doi 10.1107/S0021889890010317). The variance of an estimate is that of the sum of influence
    times residual, with covariances up to the window weighted as Newey and West (1987, doi 10.2307/1913610) do, which
    is the mean square of the sums over all windows; or that without covariances where it is larger, since a fit makes
    residuals under a peak add up to less than their errors do.
    """
    series = influence * residual
    sums = np.cumsum(np.pad(series, [(0, 0), (window, window)]), axis=1)
    sums = sums[:, window:] - sums[:, :-window]
    stated = (influence**2).sum(axis=1)
    found = np.maximum((sums**2).sum(axis=1) / window, (series**2).sum(axis=1))
    return np.maximum(found / np.where(stated > 0, stated, 1), least)


def covariances(
    weighted: np.ndarray,
    jacobian: tuple[np.ndarray, np.ndarray],
    residual: np.ndarray,
    amounts_covariance: np.ndarray,
    known: np.ndarray,
    window: int,
    least: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the covariances of fitted parameters and of linear amounts, which are not determined, and the inflation.

    Parameters
    ----------
    weighted : array, shape (m, k)
        Columns over standard uncertainty.
    jacobian : tuple of arrays, shapes (m, p + q) and (k, p + q)
        Of residuals and amounts, by the p parameters fitted and the q parameters known from elsewhere.
    residual : array, shape (m,)
    amounts_covariance : array, shape (k, k)
        Of the linear solve.
    known : array, shape (q, q)
        Covariance of the parameters that are known from elsewhere, such as an instrument's.
    window, least
        As for `inflation`.
    """
    p = jacobian[0].shape[1] - len(known)
    fitted, given = jacobian[0][:, :p], jacobian[0][:, p:]
    stated, undetermined = inverse(fitted.T @ fitted)
    influence = stated @ fitted.T
    # A fit follows the points that matter most to it: residuals there are too small by the root of one minus leverage
    # (MacKinnon and White 1985, doi 10.1016/0304-4076(85)90158-7).
    both = np.hstack([weighted, fitted])
    leverage = ((both @ inverse(both.T @ both)[0]) * both).sum(axis=1)
    residual = residual / np.sqrt(np.maximum(1 - leverage, 0.1))
    factor = inflation(influence, residual, window, least)
    larger = np.sqrt(factor)
    carried = -influence @ given  # change of the fitted parameters with the known ones
    both = np.block([[carried @ known @ carried.T, carried @ known], [known @ carried.T, known]])
    both[:p, :p] += stated * np.outer(larger, larger)
    linear = np.sqrt(inflation(amounts_covariance @ weighted.T, residual, window, least))
    amounts = amounts_covariance * np.outer(linear, linear) + jacobian[1] @ both @ jacobian[1].T
    return both[:p, :p], amounts, undetermined, factor


def correlation(names: Sequence[str], covariance: np.ndarray) -> dict[str, dict[str, float]]:
    """Return the correlation of every parameter with every other, as lmfit holds it."""
    error = np.sqrt(np.diag(covariance))
    error[error == 0] = np.inf
    normed = covariance / np.outer(error, error)
    return {
        name: {other: float(normed[i, j]) for j, other in enumerate(names) if j != i} for i, name in enumerate(names)
    }
