"""Model of a whole pattern in which the amplitudes are solved for linearly at every value of the other parameters.

Intensities of reflections, scales of other phases and background are linear; lmfit varies what is left (variable
projection; Golub and Pereyra 1973, doi 10.1137/0710036). The Jacobian of the projected residual is exact, with the term
that Kaufman's approximation leaves out, because standard errors are taken from it too. Parameters may
have data beside the pattern: a prior with mean and standard deviation each.
"""

from collections.abc import Mapping, Sequence

import lmfit
import numpy as np

from coldbond.xrd import uncertainty
from coldbond.xrd.design_matrix import DesignMatrix


class PatternModel:
    """Residuals, amplitudes and derivatives of a pattern at given nonlinear parameters.

    Parameters
    ----------
    design_matrix : DesignMatrix
        Of the phases.
    background : array, shape (m, number of polynomials)
    intensity, sigma : array, shape (m,)
        The pattern and its standard uncertainty.
    priors : mapping of str to tuple of float
        Mean and standard deviation of parameters before the pattern is seen.
    """

    def __init__(
        self,
        design_matrix: DesignMatrix,
        background: np.ndarray,
        intensity: np.ndarray,
        sigma: np.ndarray,
        priors: Mapping[str, tuple[float, float]],
    ) -> None:
        self.design_matrix, self.background = design_matrix, background
        self.intensity, self.sigma, self.priors = intensity, sigma, priors
        self._values: dict[str, float] | None = None
        self._solution: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]

    def _solve(self, values: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return weighted design matrix, amplitudes, residuals, covariance and design matrix, of the last values kept.

        lmfit asks for residual and Jacobian at the same values, one after the other.
        """
        if values != self._values:
            design = np.hstack([self.design_matrix(values), self.background])
            weighted = design / self.sigma[:, None]
            data = self.intensity / self.sigma
            # The normal equations suffice: columns are scaled to norm 1 and undetermined directions are left out.
            covariance, _ = uncertainty.inverse(weighted.T @ weighted)
            amplitudes = covariance @ (weighted.T @ data)
            residual = data - weighted @ amplitudes
            expected = [(values[name] - mean) / deviation for name, (mean, deviation) in self.priors.items()]
            residual = np.append(residual, expected)
            self._values, self._solution = dict(values), (weighted, amplitudes, residual, covariance, design)
        return self._solution

    def design(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the design matrix with the background, shape (m, k)."""
        return self._solve(values)[4]

    def weighted_design(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the design matrix over the standard uncertainty, with a row of zeros for each prior."""
        weighted = self._solve(values)[0]
        return np.vstack([weighted, np.zeros((len(self.priors), weighted.shape[1]))])

    def solution(self, values: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return amplitudes, shape (k,), weighted residuals, shape (m,) and one for each prior, and covariance."""
        return self._solve(values)[1:4]

    def expected(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the modelled intensity, shape (m,)."""
        return self.design(values) @ self.solution(values)[0]

    def derivatives(self, values: Mapping[str, float], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the derivatives of residuals, shape (m, p), and of amplitudes, shape (k, p), by parameters."""
        weighted, amplitudes, residual, covariance, _ = self._solve(values)
        m, count = self.sigma.size, self.design_matrix.count
        change, against = self.design_matrix.derivatives(values, names, amplitudes[:count], residual[:m] / self.sigma)
        change = change / self.sigma[:, None]
        against = np.pad(against, [(0, amplitudes.size - count), (0, 0)])
        # d(amplitudes) = C (dA' r - A' dA amplitudes), from the derivative of the normal equations.
        of_amplitudes = covariance @ (against - weighted.T @ change)
        of_residuals = -change - weighted @ of_amplitudes
        of_priors = [[(name == of) / deviation for name in names] for of, (_, deviation) in self.priors.items()]
        return np.vstack([of_residuals, np.reshape(of_priors, (-1, len(names)))]), of_amplitudes

    def residual(self, params: lmfit.Parameters) -> np.ndarray:
        """Return the weighted residuals, as `lmfit.minimize` asks for them."""
        return self.solution(params.valuesdict())[1]

    def jacobian(self, params: lmfit.Parameters) -> np.ndarray:
        """Return their derivatives by the varied parameters, as `lmfit.minimize` asks for them."""
        return self.derivatives(params.valuesdict(), [name for name, param in params.items() if param.vary])[0]
