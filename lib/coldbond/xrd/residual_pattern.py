"""What a whole-pattern fit of the main phase leaves, and the peaks that stand in it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy import sparse, stats

from coldbond.xrd import profile
from coldbond.xrd.design_matrix import angles
from coldbond.xrd.pawley import RADIUS

#: Crystallite sizes that are tried for a phase of unknown breadth, nm: none, that of fine powder, of a sputtered film.
SIZES = (1000.0, 50.0, 15.0)
FADING = 0.5  # of these, at their end
SMALLEST = 8.0  # crystallite size, nm: what is broader is background
REACH = 8.25  # full widths at half maximum to which a weak peak is followed
#: Wavelengths beside K-alpha that a copper tube emits, angstrom: K-beta (Hoelzer et al. 1997, doi
#: 10.1103/PhysRevA.56.4554), where filter or monochromator leave some, and L-alpha of tungsten from the filament
#: (Bearden 1967, doi 10.1103/RevModPhys.39.78).
CONTAMINATION = {"Kβ": 1.392234, "W Lα": 1.476330}
COPPER = 1.5406
BACKGROUND = 20  # Chebyshev polynomials: more than a fit has, for what is as broad as an amorphous hump is no phase
LEAST_BREADTH = 0.02  # degree, from which breadths are tried where the best is none
OFFSETS = np.linspace(-6, 6, 49)  # widths from a reflection at which its profile's failure is judged
#: A peak nearer to a main reflection than one width, or than this many widths or degrees and below this share of its
#: area, is its flank.
FLANK, LEAST_FLANK, FAINT = 4.0, 0.3, 0.05
ENOUGH = 1e-2  # of chi square: a step that gains less ends a fit
LEAST_APART = 1e-4  # relative singular value below which columns are no others than those before
NEIGHBOURS = 5  # reflections by which it is judged


@dataclass(frozen=True)
class Remainder:
    """What is left of a pattern after main phase and background, over its uncertainty.

    Attributes
    ----------
    two_theta : array, shape (m,)
        Degree.
    residual : array, shape (m,)
        Over `uncertainty`, free of anything that a change of the main phase's areas and of the background could take
        up.
    uncertainty : array, shape (m,)
        Of counting, and of the main phase's profile: where that fits its own reflections badly, less is known of
        others.
    taken : array, shape (m, k)
        Orthonormal: what main phase and background can take up.
    values : dict
        The fit's parameters.
    wavelengths : tuple of float
        Angstrom.
    shift : array, shape (m,)
        How far the geometry sets the pattern off Bragg's angles, degree.
    main : xarray.Dataset
        The main phase's reflections, as the fit gives them.
    """

    two_theta: np.ndarray
    residual: np.ndarray
    uncertainty: np.ndarray
    taken: np.ndarray
    values: dict[str, float]
    wavelengths: tuple[float, ...]
    shift: np.ndarray
    main: xr.Dataset

    @property
    def contamination(self) -> dict[str, float]:
        """Other wavelengths of the tube [angstrom], where it is one whose are known."""
        return CONTAMINATION if abs(self.wavelengths[0] - COPPER) < 1e-3 else {}

    def breadth(self, size: float) -> float:
        """Return the Lorentzian full width x of x / cos [degree] of crystallites of a size [nm].

        Scherrer's equation with the constant 0.9 (Langford and Wilson 1978, doi 10.1107/S0021889878012844).
        """
        return float(np.degrees(0.9 * self.wavelengths[0] / (10 * size)))

    def fwhm(self, two_theta: np.ndarray | float, breadth: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return full width at half maximum [degree] and mixing of a peak of breadth x / cos besides the instrument."""
        u, v, w, x, y = (self.values[name] for name in "uvwxy")
        return profile.mixed(*profile.widths(np.asarray(two_theta, float), u, v, w, x + breadth, y))

    def peaks(self, positions: np.ndarray, breadth: np.ndarray | float) -> sparse.csc_array:
        """Return peaks of area 1 at some angles, over the uncertainty, shape (m, n); K-alpha2 included.

        Parameters
        ----------
        positions : array, shape (n,)
            Of K-alpha1, in the pattern, degree.
        breadth : float, or array, shape (n,)
            As for `fwhm`.
        """
        positions = np.asarray(positions, float)
        ratio = self.values["kalpha2_ratio"] if len(self.wavelengths) > 1 else 0.0
        fwhm, mixing = self.fwhm(positions, breadth)
        relative = np.array(self.wavelengths)[:, None] / self.wavelengths[0]
        at = np.degrees(2 * np.arcsin(np.minimum(np.sin(np.radians(positions) / 2) * relative, 1.0)))
        starts = np.searchsorted(self.two_theta, at[0] - REACH * fwhm)
        counts = np.searchsorted(self.two_theta, at[-1] + REACH * fwhm) - starts
        ends = np.append(0, np.cumsum(counts))
        row = np.arange(ends[-1]) + np.repeat(starts - ends[:-1], counts)
        x, fwhm, mixing = self.two_theta[row], np.repeat(fwhm, counts), np.repeat(mixing, counts)
        shape = 0.0
        for place, share in zip(at, (1 / (1 + ratio), ratio / (1 + ratio)), strict=False):
            from_centre = x - np.repeat(place, counts)
            faded = np.clip((REACH - np.abs(from_centre) / fwhm) / FADING, 0, 1)  # no point comes in with a jump
            shape = shape + share * faded * profile.pseudo_voigt(from_centre, fwhm, mixing)
        return sparse.csc_array((shape / self.uncertainty[row], row, ends), shape=(self.two_theta.size, positions.size))

    def patterns(self, positions: np.ndarray, breadths: np.ndarray, intensities: np.ndarray) -> np.ndarray:
        """Return several patterns of n peaks each, over the uncertainty, shape (m, t).

        Parameters
        ----------
        positions, intensities : array, shape (t, n)
        breadths : array, shape (t,)
            As for `peaks`.
        """
        t, n = positions.shape
        peaks = self.peaks(positions.ravel(), np.repeat(breadths, n))
        of = np.repeat(np.arange(t * n), np.diff(peaks.indptr))
        at = peaks.indices + of // n * self.two_theta.size
        total = np.bincount(at, peaks.data * intensities.ravel()[of], t * self.two_theta.size)
        return total.reshape(t, -1).T

    def free(self, columns: np.ndarray | sparse.csc_array) -> np.ndarray:
        """Return columns, shape (m, n), less what the main phase and the background can take up."""
        columns = columns.toarray() if sparse.issparse(columns) else columns
        return columns - self.taken @ (self.taken.T @ columns)

    def normal(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the normal matrix of columns, shape (m, n), once `free`, and their products with `residual`."""
        rows = np.flatnonzero(columns @ np.ones(columns.shape[1]))
        rows = slice(rows.min(initial=0), rows.max(initial=0) + 1)
        columns = columns[rows]
        hidden = columns.T @ self.taken[rows]
        return columns.T @ columns - hidden @ hidden.T, columns.T @ self.residual[rows]

    def sizes(self, columns: sparse.csc_array) -> np.ndarray:
        """Return the norms of columns, shape (m, n), once `free`."""
        return np.sqrt(np.maximum((columns**2).sum(axis=0) - ((columns.T @ self.taken) ** 2).sum(axis=1), 0))

    def fitted(self, columns: Callable, start: np.ndarray, bounds: np.ndarray) -> np.ndarray:
        """Return the parameters at which things fit the remainder best, their amounts free.

        Parameters
        ----------
        columns : callable
            Returns, for the parameters of one thing after another, of each its column and how this changes with each of
            its parameters, a list of arrays, shape (m, 1 + its parameters).
        start : array, shape (p,)
        bounds : array, shape (p, 2)

        Notes
        -----
        Marquardt's way (1963, doi 10.1137/0111030) on the normal equations, which need the columns only where they are
        not zero; a parameter at a bound stays there while it would leave.
        """
        at = trial = start
        gain, damping = -np.inf, 1e-3
        while damping < 1e6:
            parts = columns(trial)
            counts = [part.shape[1] - 1 for part in parts]
            first = np.cumsum([0, *counts[:-1]]) + np.arange(len(parts))
            matrix, products = self.normal(np.hstack(parts))
            solved = np.linalg.lstsq(
                matrix[np.ix_(first, first)], np.column_stack([products, matrix])[first], rcond=1e-12
            )
            amounts, carried = solved[0][:, 0], solved[0][:, 1:]
            gained = products[first] @ amounts - gain
            damping = 0.1 * damping if gained > 0 else max(10 * damping, 1e-3)  # less would not shorten a step
            if gained > 0:
                at, gain = trial, products[first] @ amounts
                each = np.repeat(amounts, counts)
                slope = each * np.delete(products - matrix[:, first] @ amounts, first)
                left = matrix - matrix[:, first] @ carried
                curvature = np.outer(each, each) * np.delete(np.delete(left, first, axis=0), first, axis=1)
                if gained < ENOUGH:
                    break
            free = np.where(slope < 0, at > bounds[:, 0], at < bounds[:, 1]) & (slope != 0)
            damped = curvature + damping * np.diag(np.diag(curvature))
            step = np.zeros(at.size)
            step[free] = np.linalg.lstsq(damped[np.ix_(free, free)], slope[free])[0]
            trial = np.clip(at + step, *bounds.T)
        return at

    def under(self, positions: np.ndarray | float, areas: np.ndarray | float) -> np.ndarray:
        """Return whether peaks of some areas could not be told from the flanks of the main phase's reflections."""
        positions, areas = np.atleast_1d(positions)[:, None], np.atleast_1d(areas)[:, None]
        main, distance = self.main, np.abs(positions - self.main.two_theta.to_numpy())
        near = distance < np.maximum(FLANK * main.fwhm.to_numpy(), LEAST_FLANK)
        faint = areas < FAINT * main.area.to_numpy()
        return ((near & faint) | (distance < main.fwhm.to_numpy())).any(axis=1)

    def errors(self, columns: np.ndarray) -> np.ndarray:
        """Return the standard errors of the amounts of columns, shape (m, n), that are fitted together."""
        matrix, _ = self.normal(columns)
        sizes = np.sqrt(np.maximum(np.diag(matrix), 1e-24))
        return np.sqrt(np.diag(np.linalg.pinv(matrix / np.outer(sizes, sizes), rcond=1e-9))) / sizes

    def interval(self, columns: Callable[[float], np.ndarray], breadth: float) -> tuple[float, float]:
        """Return the 95 % interval of an area by profile likelihood over the breadth.

        The broader the lines, the larger the area that fits and its error: a symmetric error would be too small where
        the noise made them narrow.

        Parameters
        ----------
        columns : callable
            Returns, for a breadth x / cos [degree], the pattern of area 1 and what may be added to it, shape (m, n).
        breadth : float
            That fits best.
        """
        trials, most = [], stats.chi2.ppf(0.95, 1)
        for way in (1, -1):  # broader, then narrower, until that is ruled out
            for factor in 5.0 ** (way * np.arange(max(-way, 0), 9) / 8):
                matrix, products = self.normal(columns(min(factor * max(breadth, LEAST_BREADTH), 2.0)))
                sizes = np.sqrt(np.maximum(np.diag(matrix), 1e-24))
                covariance = np.linalg.pinv(matrix / np.outer(sizes, sizes), rcond=1e-9)
                amounts = covariance @ (products / sizes)
                gain = float(amounts @ (products / sizes))
                trials.append((gain, amounts[0] / sizes[0], np.sqrt(covariance[0, 0]) / sizes[0]))
                if gain < trials[0][0] - most:
                    break
        gain, area, error = np.array(trials).T
        allowed = most - (gain.max() - gain)
        half, kept = error * np.sqrt(np.maximum(allowed, 0)), allowed >= 0
        return float((area - half)[kept].min()), float((area + half)[kept].max())

    def without(self, columns: np.ndarray) -> "Remainder":
        """Return the remainder after peaks, shape (m, n), have been given the amounts that fit it best."""
        free = self.free(columns)
        free = free / np.maximum(np.linalg.norm(free, axis=0), 1e-12)
        squares, ways = np.linalg.eigh(free.T @ free)
        told = squares > LEAST_APART**2 * squares[-1]
        basis = free @ (ways[:, told] / np.sqrt(squares[told]))
        residual = self.residual - basis @ (basis.T @ self.residual)
        return replace(self, residual=residual, taken=np.hstack([self.taken, basis]))


def remainder(pattern: xr.Dataset, fit: MinimizerResult) -> Remainder:
    """Return what a fit leaves of its pattern.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` gives it.
    fit : MinimizerResult
        From `pawley.fit`; other phases in it are left in the remainder.
    """
    curves, lines = fit.curves, fit.reflections
    two_theta, main = curves.two_theta.to_numpy(), curves.phases.to_numpy()[0]
    residual = (curves.intensity - curves.background).to_numpy() - main
    counting = curves.standard_uncertainty.to_numpy()
    misses = (curves.intensity - curves.fit).to_numpy() / counting
    counting = counting * max(1.4826 * np.median(np.abs(misses)), 1.0)
    uncertainty = np.hypot(counting, _misfit(fit, counting))
    wavelengths = tuple(w for w in (pattern.attrs.get(f"wavelength_kalpha{i}") for i in (1, 2)) if w)
    values = fit.params.valuesdict()
    d = wavelengths[0] / (2 * np.sin(np.radians(two_theta) / 2))
    shift = angles(d, wavelengths[0], values, pattern.attrs.get("goniometer_radius") or RADIUS)[1]
    nothing = np.zeros((two_theta.size, 0))
    rest = Remainder(two_theta, residual / uncertainty, uncertainty, nothing, values, wavelengths, shift, lines)
    at = lines.two_theta.to_numpy()
    breadths = values["size"] + values["strain"] * np.sin(np.radians(at) / 2)  # x / cos + y tan, as one over cos
    known = rest.peaks(at, breadths).toarray()
    known = np.column_stack([known, _tangents(rest, lines, breadths, known)])
    known = np.column_stack([known, *(_ghost(rest, lines, breadths, w) for w in rest.contamination.values())])
    x = np.interp(two_theta, two_theta[[0, -1]], [-1.0, 1.0])
    smooth = np.polynomial.chebyshev.chebvander(x, BACKGROUND - 1) / uncertainty[:, None]
    return rest.without(np.hstack([known, smooth]))


def _tangents(rest: Remainder, lines: xr.Dataset, breadths: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return what errors of the main phase's size, strain, lattice and height add, shape (m, 4).

    A fit without a peak moves these to make up for it; what they can take up is no evidence of anything else.
    """
    at, area, step = lines.two_theta.to_numpy(), lines.area.to_numpy(), 1e-3
    theta = np.radians(at) / 2

    broader, shifted = (
        (rest.peaks(places, widths).toarray() - known) * area
        for places, widths in ((at, breadths + step), (at + step, breadths))
    )
    sine, cosine = np.sin(theta), np.cos(theta)
    return np.column_stack([broader.sum(axis=1), broader @ sine, shifted @ (sine / cosine), shifted @ cosine]) / step


def _ghost(rest: Remainder, lines: xr.Dataset, breadths: np.ndarray, wavelength: float) -> np.ndarray:
    """Return the main phase's reflections as another wavelength of the tube shows them, shape (m, 3)."""
    at = lines.two_theta.to_numpy()
    sine = np.sin(np.radians(at) / 2) * wavelength / rest.wavelengths[0]
    alone = replace(rest, wavelengths=rest.wavelengths[:1])
    place, breadth = np.degrees(2 * np.arcsin(sine)), float(np.mean(breadths))
    step = 0.25 * float(np.mean(lines.fwhm))
    return np.column_stack(
        [alone.peaks(place + s, breadth) @ np.maximum(lines.area.to_numpy(), 0) for s in (-step, 0, step)]
    )


def _misfit(fit: MinimizerResult, counting: np.ndarray) -> np.ndarray:
    """Return by how much the main phase's profiles miss the pattern, beyond counting, shape (m,).

    What the residuals show about one reflection may be a peak of another phase; what they show about most of its
    neighbours, at the same distance in widths, is how the profile fails.
    """
    curves, lines = fit.curves, fit.reflections
    two_theta, main = curves.two_theta.to_numpy(), curves.phases.to_numpy()[0]
    residual = (curves.intensity - curves.fit).to_numpy()
    at, fwhm = lines.two_theta.to_numpy(), lines.fwhm.to_numpy()
    height = np.interp(at, two_theta, main)
    strong = np.flatnonzero(height > 10 * np.interp(at, two_theta, counting))
    if not strong.size:
        return np.zeros_like(two_theta)
    excess = np.maximum(residual**2 - counting**2, 0)
    smooth = [_near(two_theta, excess, at[i] + OFFSETS * fwhm[i], 0.25 * fwhm[i]) for i in strong]
    relative = np.sqrt(np.array(smooth)) / height[strong, None]
    total = np.zeros_like(two_theta)
    seen = np.flatnonzero(height > 0)
    neighbours = np.argsort(np.abs(at[strong] - at[seen, None]), axis=1)[:, :NEIGHBOURS]
    profile_error = height[seen, None] * np.median(relative[neighbours], axis=1)
    for i, error in zip(seen, profile_error, strict=True):
        total = np.maximum(total, np.interp(two_theta, at[i] + OFFSETS * fwhm[i], error, left=0, right=0))
    return total


def _near(x: np.ndarray, values: np.ndarray, at: np.ndarray, half: float) -> np.ndarray:
    """Return the mean of values within a distance of some places."""
    summed = np.append(0.0, np.cumsum(values))
    low, high = np.searchsorted(x, at - half), np.searchsorted(x, at + half, side="right")
    high = np.maximum(high, np.minimum(low + 1, x.size))
    low = np.minimum(low, high - 1)
    return (summed[high] - summed[low]) / (high - low)
