"""The weighted least-squares problem of a circuit and a spectrum, over coordinates in which every parameter is free.

The coordinates are the logarithms of the positive parameters and the logits ln(n / (1 - n)) of the exponents n, which
lie between 0 and 1. Residuals are the weighted real parts followed by the weighted imaginary parts, and their Jacobian
is analytic. Minima are found by MINPACK's Levenberg-Marquardt method (More 1978, doi 10.1007/BFb0067700).
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from scipy import optimize

from coldbond.impedance import circuits

#: Least value of any parameter, in its SI unit; its inverse is the largest. No measured quantity comes near either.
FLOOR = 1e-18
#: Exponents are kept this far from 0 and 1, where the logit is infinite.
EXPONENT_MARGIN = 1e-6
#: Evaluations after which a minimisation ends even if it has not converged.
MOST_EVALUATIONS = 200
#: Relative changes of chi square and of the coordinates at which a minimisation has converged.
CHI_SQUARE_TOLERANCE, COORDINATE_TOLERANCE = 1e-7, 1e-6


class Problem:
    """Weighted residuals of a circuit.

    Parameters
    ----------
    circuit : str
        Elements in series; see `circuits.ELEMENTS`.
    frequency, impedance, weights : array, shape (n,)
        In Hz, ohm and 1/ohm.
    """

    def __init__(self, circuit: str, frequency: np.ndarray, impedance: np.ndarray, weights: np.ndarray) -> None:
        self.circuit, self.frequency, self.impedance, self.weights = circuit, frequency, impedance, weights
        self.names = circuits.names(circuit)
        self.is_exponent = np.array([name[0] == "n" for name in self.names])
        self._last_x = b""
        self._last: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def values(self, x: np.ndarray) -> dict[str, float]:
        """Return the parameters by name."""
        return dict(zip(self.names, self.parameters(x).tolist(), strict=True))

    def parameters(self, x: np.ndarray) -> np.ndarray:
        """Return the parameters in the order of `names`."""
        found = np.exp(np.minimum(np.maximum(x, np.log(FLOOR)), -np.log(FLOOR)))
        return np.where(self.is_exponent, found / (1 + found), found)

    def coordinates(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the coordinates of parameters given by name."""
        p = np.array([values[name] for name in self.names])
        inside = np.clip(p, EXPONENT_MARGIN, 1 - EXPONENT_MARGIN)
        return np.where(self.is_exponent, np.log(inside / (1 - inside)), np.log(p))

    def by_coordinate(self, p: np.ndarray) -> np.ndarray:
        """Return the derivatives of the parameters' logarithms by the coordinates: 1, or 1 - n for an exponent."""
        return np.where(self.is_exponent, 1 - p, 1.0)

    def residual(self, x: np.ndarray) -> np.ndarray:
        """Return the weighted residuals, fitted less measured, shape (2 n,)."""
        return self.stacked(self._at(x)[1] - self.impedance)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """Return the derivatives of the residuals by the coordinates, shape (2 n, parameters)."""
        p, _, by_logarithm = self._at(x)
        return self.stacked(by_logarithm).T * self.by_coordinate(p)

    def minimum(
        self, x: np.ndarray, evaluations: int = MOST_EVALUATIONS, first_step: float = 1.0
    ) -> tuple[np.ndarray, float]:
        """Return the coordinates of the minimum that is reached from `x`, and chi square there.

        The coordinates are not rescaled by their effect (`diag`): the elements that vanish have the least effect, and
        would take all of the steps. The first step is at most `first_step` times the length of `x`.
        """
        x, _, info, _, _ = optimize.leastsq(
            self.residual,
            x,
            Dfun=self.jacobian,
            full_output=True,
            maxfev=evaluations,
            ftol=CHI_SQUARE_TOLERANCE,
            xtol=COORDINATE_TOLERANCE,
            diag=np.ones(x.size),
            factor=first_step,
        )
        return x, float(info["fvec"] @ info["fvec"])

    def stacked(self, z: np.ndarray) -> np.ndarray:
        """Return the weighted real parts followed by the weighted imaginary parts."""
        return np.concatenate([z.real * self.weights, z.imag * self.weights], axis=-1)

    def _at(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Parameters, impedance and its derivatives; MINPACK asks for residual and Jacobian at the same place."""
        if self._last is None or self._last_x != x.tobytes():
            p = self.parameters(x)
            self._last_x, self._last = x.tobytes(), (p, *circuits.with_derivatives(self.circuit, p, self.frequency))
        return self._last


def weights(spectrum: xr.Dataset, weighting: str) -> np.ndarray:
    """Return the inverse of each point's standard uncertainty [1/ohm], for some weightings but for a common factor.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz].
    weighting : {"modulus", "unit", "measured"}
        Standard uncertainties proportional to the modulus, all equal, or those of the variable `impedance_std` [ohm].

    Raises
    ------
    ValueError
        The weighting is unknown, or "measured" where the spectrum has no `impedance_std`.
    """
    if weighting == "modulus":
        return 1 / np.abs(spectrum.impedance.to_numpy())
    if weighting == "unit":
        return np.full(spectrum.sizes["frequency"], 1 / np.median(np.abs(spectrum.impedance.to_numpy())))
    if weighting == "measured":
        if "impedance_std" not in spectrum:
            raise ValueError("weighting 'measured' needs the variable impedance_std; use 'modulus' without it")
        return 1 / spectrum.impedance_std.to_numpy()
    raise ValueError(f"weighting {weighting!r} is unknown: use 'modulus', 'unit' or 'measured'")
