"""Background of a powder pattern: Chebyshev polynomials, as many as the pattern asks for.

Their number is that of the least Bayesian information criterion (Schwarz 1978, doi 10.1214/aos/1176344136), with all
intensities solved for beside them: too few leave undulating residuals, too many take intensity from broad lines.
"""

import numpy as np

FEWEST, MOST = 4, 24  # polynomials
DEFAULT = 8  # in the first round of a fit, before its peaks have their widths
#: Added to the normal matrix over its diagonal, so that columns without weight or of one shape do no harm.
RIDGE = 1e-10


def polynomials(two_theta: np.ndarray, count: int) -> np.ndarray:
    """Return the first Chebyshev polynomials over a pattern, shape (m, count)."""
    return np.polynomial.chebyshev.chebvander(np.interp(two_theta, two_theta[[0, -1]], [-1, 1]), count - 1)


def terms(design: np.ndarray, two_theta: np.ndarray, intensity: np.ndarray, sigma: np.ndarray, width: float) -> int:
    """Return the number of polynomials of the least Bayesian information criterion.

    Parameters
    ----------
    design : array, shape (m, k)
        Design matrix of the peaks at their present widths and positions.
    two_theta, intensity, sigma : array, shape (m,)
        The pattern, and its standard uncertainty up to a factor.
    width : float
        Full width of the peaks, degree.

    Notes
    -----
    Where the profile function does not fit, residuals are correlated over the width of a peak, and there are fewer
    independent ones than points. Their number is that of the peak widths in the range in so far as chi square exceeds
    its expectation.
    """
    weighted = np.hstack([design, polynomials(two_theta, MOST)]) / sigma[:, None]
    data, first, m = intensity / sigma, design.shape[1], two_theta.size
    normal = weighted.T @ weighted
    scale = np.sqrt(np.diag(normal))
    scale[scale == 0] = 1.0
    lower = np.linalg.cholesky(normal / np.outer(scale, scale) + RIDGE * np.eye(scale.size))
    explained = np.linalg.solve(lower, weighted.T @ data / scale) ** 2
    # One factorisation serves all numbers of polynomials, because each adds a column behind those before.
    chi_square = data @ data - explained[:first].sum() - np.cumsum(explained[first:])
    counts = np.arange(1, MOST + 1)
    noise = np.mean(np.diff(data, 2) ** 2) / 6  # of a point, whatever the model: second differences
    excess = np.clip(chi_square[-1] / m / max(noise, 1e-300), 1.0, None)
    independent = m / min(excess, max(width / np.median(np.diff(two_theta)), 1.0))
    criterion = independent * np.log(np.maximum(chi_square, 1e-300) / m) + counts * np.log(independent)
    return int(counts[FEWEST - 1 :][criterion[FEWEST - 1 :].argmin()])
