"""What a whole-pattern fit of the main phase leaves, and the peaks that stand in it."""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy import sparse

from coldbond.xrd import profile
from coldbond.xrd.columns import angles
from coldbond.xrd.pawley import RADIUS

#: Crystallite sizes that are tried for a phase of unknown breadth, nm: none, that of fine powder, of a sputtered film.
SIZES = (1000.0, 50.0, 15.0)
REACH = 12.0  # full widths at half maximum to which a weak peak is followed
BACKGROUND = 8  # Chebyshev polynomials, as many as the fit has


@dataclass(frozen=True)
class Remainder:
    """What is left of a pattern after main phase and background, over its uncertainty.

    Attributes
    ----------
    two_theta : array, shape (m,)
        Degree.
    residual : array, shape (m,)
        Over `uncertainty`, free of anything that a change of the main phase's areas and of the background could take up.
    uncertainty : array, shape (m,)
        Of counting, and of the main phase's profile: where that fits its own reflections badly, less is known of others.
    taken : array, shape (m, k)
        Orthonormal: what main phase and background can take up.
    values : dict
        The fit's parameters.
    wavelengths : tuple of float
        Angstrom.
    shift : array, shape (m,)
        How far the geometry sets the pattern off Bragg's angles, degree.
    """

    two_theta: np.ndarray
    residual: np.ndarray
    uncertainty: np.ndarray
    taken: np.ndarray
    values: dict[str, float]
    wavelengths: tuple[float, ...]
    shift: np.ndarray

    def breadth(self, size: float) -> float:
        """Return the Lorentzian full width x of x / cos [degree] of crystallites of a size [nm].

        Scherrer's equation with the constant 0.9 (Langford and Wilson 1978, doi 10.1107/S0021889878012844).
        """
        return float(np.degrees(0.9 * self.wavelengths[0] / (10 * size)))

    def fwhm(self, two_theta: np.ndarray | float, breadth: float) -> tuple[np.ndarray, np.ndarray]:
        """Return full width at half maximum [degree] and mixing of a peak with a breadth x / cos beyond the instrument's."""
        u, v, w, x, y = (self.values[name] for name in "uvwxy")
        return profile.mixed(*profile.widths(np.asarray(two_theta, float), u, v, w, x + breadth, y))

    def peaks(self, positions: np.ndarray, breadth: float) -> sparse.csc_array:
        """Return peaks of area 1 at some angles, over the uncertainty, shape (m, n); K-alpha2 included.

        Parameters
        ----------
        positions : array, shape (n,)
            Of K-alpha1, in the pattern, degree.
        breadth : float
            As for `fwhm`.
        """
        positions = np.asarray(positions, float)
        ratio = self.values["kalpha2_ratio"] if len(self.wavelengths) > 1 else 0.0
        fwhm, mixing = self.fwhm(positions, breadth)
        sine = np.sin(np.radians(positions) / 2)
        columns = []
        for wavelength, share in zip(self.wavelengths, (1 / (1 + ratio), ratio / (1 + ratio)), strict=False):
            at = np.degrees(2 * np.arcsin(np.minimum(sine * wavelength / self.wavelengths[0], 1.0)))
            starts = np.searchsorted(self.two_theta, at - REACH * fwhm)
            stops = np.searchsorted(self.two_theta, at + REACH * fwhm)
            counts = stops - starts
            column = np.repeat(np.arange(positions.size), counts)
            row = np.arange(counts.sum()) + np.repeat(starts - np.cumsum(counts) + counts, counts)
            shape = profile.pseudo_voigt(self.two_theta[row] - at[column], fwhm[column], mixing[column])
            columns.append((share * shape / self.uncertainty[row], (row, column)))
        return sum(sparse.csc_array(part, shape=(self.two_theta.size, positions.size)) for part in columns)

    def free(self, columns: np.ndarray | sparse.csc_array) -> np.ndarray:
        """Return columns, shape (m, n), less what the main phase and the background can take up."""
        columns = columns.toarray() if sparse.issparse(columns) else columns
        return columns - self.taken @ (self.taken.T @ columns)

    def errors(self, columns: np.ndarray) -> np.ndarray:
        """Return the standard errors of the amounts of columns, shape (m, n), that are fitted together."""
        free = self.free(columns)
        sizes = np.maximum(np.linalg.norm(free, axis=0), 1e-12)
        covariance = np.linalg.pinv((free / sizes).T @ (free / sizes), rcond=1e-9)
        return np.sqrt(np.diag(covariance)) / sizes

    def without(self, columns: np.ndarray) -> "Remainder":
        """Return the remainder after peaks, shape (m, n), have been given the amounts that fit it best."""
        basis, _ = np.linalg.qr(self.free(columns))
        residual = self.residual - basis @ (basis.T @ self.residual)
        return replace(self, residual=residual, taken=np.hstack([self.taken, basis]))


def remainder(pattern: xr.Dataset, fit: MinimizerResult) -> Remainder:
    """Return what a fit leaves of its pattern.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` gives it.
    fit : MinimizerResult
        From `pawley.fit`, without other phases.
    """
    curves, lines = fit.curves, fit.reflections
    two_theta, main = curves.two_theta.to_numpy(), curves.phases.to_numpy()[0]
    residual = (curves.intensity - curves.fit).to_numpy()
    counting = curves.standard_uncertainty.to_numpy()
    counting = counting * max(1.4826 * np.median(np.abs(residual / counting)), 1.0)
    uncertainty = np.hypot(counting, _misfit(fit, residual, counting) * main)
    wavelengths = tuple(w for w in (pattern.attrs.get(f"wavelength_kalpha{i}") for i in (1, 2)) if w)
    values = fit.params.valuesdict()
    d = wavelengths[0] / (2 * np.sin(np.radians(two_theta) / 2))
    shift = angles(d, wavelengths[0], values, pattern.attrs.get("goniometer_radius") or RADIUS)[1]
    nothing = np.zeros((two_theta.size, 0))
    rest = Remainder(two_theta, residual / uncertainty, uncertainty, nothing, values, wavelengths, shift)
    at = lines.two_theta.to_numpy()
    breadths = values["size"] + values["strain"] * np.sin(np.radians(at) / 2)  # x / cos + y tan, as one over cos
    known = sparse.hstack([rest.peaks([t], breadth) for t, breadth in zip(at, breadths, strict=True)]).toarray()
    x = np.interp(two_theta, two_theta[[0, -1]], [-1.0, 1.0])
    smooth = np.polynomial.chebyshev.chebvander(x, BACKGROUND - 1) / uncertainty[:, None]
    columns = np.hstack([known, smooth])
    vectors, sizes, _ = np.linalg.svd(columns / np.linalg.norm(columns, axis=0), full_matrices=False)
    return rest.without(vectors[:, sizes > 1e-4 * sizes[0]])


def _misfit(fit: MinimizerResult, residual: np.ndarray, counting: np.ndarray) -> float:
    """Return by which share of its height the main phase's profile misses its own reflections, beyond counting."""
    two_theta, main = fit.curves.two_theta.to_numpy(), fit.curves.phases.to_numpy()[0]
    shares = []
    for at, fwhm in zip(fit.reflections.two_theta.to_numpy(), fit.reflections.fwhm.to_numpy(), strict=True):
        near = np.abs(two_theta - at) < fwhm
        if near.any() and main[near].max() > 5 * counting[near].max():
            excess = np.mean(residual[near] ** 2 - counting[near] ** 2) / np.mean(main[near] ** 2)
            shares.append(max(excess, 0.0))
    return float(np.sqrt(np.median(shares))) if shares else 0.0
