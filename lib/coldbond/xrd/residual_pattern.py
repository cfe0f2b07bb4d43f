"""Residual pattern: what a whole-pattern fit of the main phase leaves, over its uncertainty.

Other phases and stray peaks are searched for in the residuals of the whole-pattern fit. Errors of the main phase
(areas, size, strain, lattice, displacement), of the background and of contaminating wavelengths span a nuisance space.
The residuals and every model of another peak are projected onto its orthogonal complement, so that an amplitude fitted
there is that of a joint linear fit of all of them (Frisch and Waugh; Lovell 1963, doi 10.1080/01621459.1963.10480682).
The uncertainty is that of counting, enlarged where the profile function misses the main phase's own reflections.
Positions and widths are fitted by variable projection; intervals of areas are profile likelihoods over the width.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy import sparse

from coldbond import variable_projection
from coldbond.interval import Interval, chi_square
from coldbond.xrd import profile
from coldbond.xrd.design_matrix import angles
from coldbond.xrd.fit_results import all_reflections
from coldbond.xrd.pawley import RADIUS
from coldbond.xrd.tubes import TUBES, anode

#: Crystallite sizes tried for a peak of unknown breadth, nm: no broadening, fine powder, sputtered film.
TRIAL_SIZES = (1000.0, 50.0, 15.0)
SMALLEST_SIZE = 8.0  # nm: peaks of smaller crystallites are as broad as the background
SCHERRER_CONSTANT = 0.9  # of the full width at half maximum (Langford and Wilson 1978, doi 10.1107/S0021889878012844)

#: Distance to which a weak peak is evaluated, in full widths at half maximum, and part of it at the end in which it is
#: faded out. A cut makes chi square jump where a point enters, and a search stops there.
PEAK_RANGE, FADE_OUT = 8.25, 0.5

#: L-alpha of tungsten, which evaporates from the filament onto the anode (Bearden 1967, doi 10.1103/RevModPhys.39.78).
TUNGSTEN = 1.476330

#: Chebyshev polynomials of the background that residuals are free of: one every so many degrees, within the two bounds.
#: These are more than the whole-pattern fit has, since what is as broad as an amorphous hump is no phase; more over a
#: short range would take up broad lines.
BACKGROUND_DEGREES, FEWEST_POLYNOMIALS, MOST_POLYNOMIALS = 3.5, 10, 20

#: Steps of the derivatives by width and position of the main phase's reflections, degree, and of the position of a
#: contaminating line over its full width.
MAIN_PHASE_STEP, CONTAMINATION_STEP = 1e-3, 0.25

#: Where the misfit of the profile function is measured: distances from a reflection in full widths, and half width of
#: the mean around each. Height over the counting uncertainty above which a reflection is used, and number of
#: neighbouring reflections whose median counts: a peak of another phase near one of them does not matter.
MISFIT_OFFSETS, MISFIT_HALF_WIDTH = np.linspace(-6, 6, 49), 0.25
MISFIT_SIGNIFICANCE, MISFIT_NEIGHBOURS = 10.0, 5
#: Median absolute deviation of a normal distribution to its standard deviation.
MAD_TO_SIGMA = 1.4826

#: A peak counts as the flank of a known line if it lies within one full width of it, or within so many full widths or
#: degrees with less than this share of its area: the misfit of the profile function makes such peaks.
FLANK_WIDTHS, FLANK_DEGREES, FLANK_SHARE = 4.0, 0.3, 0.05

CHI_SQUARE_TOLERANCE = 1e-2  # a fit ends where a step reduces chi square by less: a hundredth of what one sigma is
DEPENDENT_COLUMN = 1e-4  # singular value over the largest below which columns depend on those before

#: Breadths of a profile likelihood: factors on the best, in steps of the eighth part of a factor of five up to five on
#: either side; the least and the largest breadth tried, degree.
BREADTH_FACTORS = 5.0 ** (np.arange(9) / 8)
LEAST_BREADTH, LARGEST_BREADTH = 0.02, 2.0


@dataclass(frozen=True)
class ResidualPattern:
    """Residuals of a whole-pattern fit, and the peaks that may stand in them.

    Attributes
    ----------
    two_theta : array, shape (m,)
        Degree.
    normalised : array, shape (m,)
        Residuals over `uncertainty`, orthogonal to `nuisance`.
    uncertainty : array, shape (m,)
        Of counting and of the profile function of the main phase, in the unit of the intensity.
    nuisance : array, shape (m, k)
        Orthonormal basis of what main phase, background and contamination can take up.
    values : dict
        Parameters of the whole-pattern fit.
    wavelengths : tuple of float
        Angstrom.
    shift : array, shape (m,)
        Shift of the pattern from Bragg angles by displacement or zero error, degree.
    main_reflections : xarray.Dataset
        Of the main phase, from the whole-pattern fit.
    known_lines : array, shape (3, n)
        Angle and full width [degree] and area [intensity x degree] of lines whose flanks may look like weaker peaks:
        those of the main phase, and of phases that were found.
    """

    two_theta: np.ndarray
    normalised: np.ndarray
    uncertainty: np.ndarray
    nuisance: np.ndarray
    values: dict[str, float]
    wavelengths: tuple[float, ...]
    shift: np.ndarray
    main_reflections: xr.Dataset
    known_lines: np.ndarray

    @property
    def contamination(self) -> dict[str, float]:
        """Other wavelengths of the tube [angstrom]; empty for a wavelength that is no tube's."""
        tube = anode(self.wavelengths[0])
        return {} if tube is None else {"Kβ": TUBES[tube][2], "W Lα": TUNGSTEN}

    def scherrer_breadth(self, size: float) -> float:
        """Return the Lorentzian full width x of x / cos [degree] of crystallites of a size [nm]."""
        return float(np.degrees(SCHERRER_CONSTANT * self.wavelengths[0] / (10 * size)))

    def fwhm(self, two_theta: np.ndarray | float, breadth: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return full width at half maximum [degree] and mixing of a peak of breadth x / cos beyond the instrument."""
        u, v, w, x, y = (self.values[name] for name in "uvwxy")
        widths = profile.component_widths(np.asarray(two_theta, float), u, v, w, x + breadth, y)
        return profile.voigt_approximation(*widths)

    def peak_profiles(self, positions: np.ndarray | Sequence[float], breadth: np.ndarray | float) -> sparse.csc_array:
        """Return peaks of area 1 over the uncertainty, K-alpha2 included, shape (m, n).

        Parameters
        ----------
        positions : array, shape (n,)
            Of K-alpha1 in the pattern, degree.
        breadth : float, or array, shape (n,)
            Lorentzian breadth x / cos beyond the instrument, x in degree.
        """
        positions = np.asarray(positions, float)
        ratio = self.values["kalpha2_ratio"] if len(self.wavelengths) > 1 else 0.0
        fwhm, mixing = self.fwhm(positions, breadth)
        relative = np.array(self.wavelengths)[:, None] / self.wavelengths[0]
        at = np.degrees(2 * np.arcsin(np.minimum(np.sin(np.radians(positions) / 2) * relative, 1.0)))
        starts = np.searchsorted(self.two_theta, at[0] - PEAK_RANGE * fwhm)
        counts = np.searchsorted(self.two_theta, at[-1] + PEAK_RANGE * fwhm) - starts
        ends = np.append(0, np.cumsum(counts))
        row = np.arange(ends[-1]) + np.repeat(starts - ends[:-1], counts)
        x, fwhm, mixing = self.two_theta[row], np.repeat(fwhm, counts), np.repeat(mixing, counts)
        shape = np.zeros(x.size)
        for centre, share in zip(at, (1 / (1 + ratio), ratio / (1 + ratio)), strict=False):
            from_centre = x - np.repeat(centre, counts)
            faded = np.clip((PEAK_RANGE - np.abs(from_centre) / fwhm) / FADE_OUT, 0, 1)
            shape = shape + share * faded * profile.pseudo_voigt(from_centre, fwhm, mixing)
        return sparse.csc_array((shape / self.uncertainty[row], row, ends), shape=(self.two_theta.size, positions.size))

    def sums_of_peaks(self, positions: np.ndarray, breadths: np.ndarray, intensities: np.ndarray) -> np.ndarray:
        """Return t patterns of n peaks each, over the uncertainty, shape (m, t).

        Parameters
        ----------
        positions, intensities : array, shape (t, n)
        breadths : array, shape (t,)
            As for `peak_profiles`.
        """
        t, n = positions.shape
        peaks = self.peak_profiles(positions.ravel(), np.repeat(breadths, n))
        of = np.repeat(np.arange(t * n), np.diff(peaks.indptr))
        at = peaks.indices + of // n * self.two_theta.size
        total = np.bincount(at, peaks.data * intensities.ravel()[of], t * self.two_theta.size)
        return total.reshape(t, -1).T

    def projected(self, columns: np.ndarray) -> np.ndarray:
        """Return columns, shape (m, n), projected onto the complement of the nuisance space."""
        rows = _non_zero_rows(columns)  # peaks are zero almost everywhere: half of the time is saved
        return columns - self.nuisance @ (self.nuisance[rows].T @ columns[rows])

    def normal_equations(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the normal matrix of columns, shape (m, n), once projected, and their products with the residuals."""
        rows = _non_zero_rows(columns)
        columns = columns[rows]
        hidden = columns.T @ self.nuisance[rows]
        # The residuals are projected already: their product with a column is that with the projected column.
        return columns.T @ columns - hidden @ hidden.T, columns.T @ self.normalised[rows]

    def projected_norms(self, columns: sparse.csc_array) -> np.ndarray:
        """Return the norms of columns, shape (m, n), once projected."""
        return np.sqrt(np.maximum((columns**2).sum(axis=0) - ((columns.T @ self.nuisance) ** 2).sum(axis=1), 0))

    def fit_parameters(
        self, blocks: Callable[[np.ndarray], list[np.ndarray]], start: np.ndarray, bounds: np.ndarray
    ) -> np.ndarray:
        """Fit the nonlinear peak parameters; amplitudes are solved linearly.

        Parameters
        ----------
        blocks : callable
            Returns, for the parameters of all peaks or phases one after the other, shape (p,), one block for each:
            its profile and the derivatives of that by its parameters, shape (m, 1 + number of its parameters).
        start : array, shape (p,)
        bounds : array, shape (p, 2)

        Returns
        -------
        array, shape (p,)
        """

        def model(x: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
            parts = blocks(x)
            counts = [part.shape[1] - 1 for part in parts]
            columns = self.projected(np.hstack(parts))
            profiles = np.cumsum([0, *counts[:-1]]) + np.arange(len(parts))
            derivatives = np.delete(columns, profiles, axis=1)
            return columns[:, profiles], lambda amplitudes: derivatives * np.repeat(amplitudes, counts)

        tolerance = CHI_SQUARE_TOLERANCE / max(float(self.normalised @ self.normalised), 1.0)
        return variable_projection.fit(model, self.normalised, start, bounds, tolerance).x

    def is_flank(self, positions: np.ndarray | float, areas: np.ndarray | float) -> np.ndarray:
        """Return whether peaks of some areas could be flanks of known lines, shape (n,)."""
        positions, areas = np.atleast_1d(positions)[:, None], np.atleast_1d(areas)[:, None]
        at, fwhm, area = self.known_lines
        distance = np.abs(positions - at)
        near = distance < np.maximum(FLANK_WIDTHS * fwhm, FLANK_DEGREES)
        return ((near & (areas < FLANK_SHARE * area)) | (distance < fwhm)).any(axis=1)

    def with_lines(self, positions: np.ndarray, areas: np.ndarray, breadth: float) -> "ResidualPattern":
        """Return the same residuals beside further known lines, whose breadth [degree] is as for `peak_profiles`."""
        lines = np.stack([positions, self.fwhm(positions, breadth)[0], areas])
        return replace(self, known_lines=np.hstack([self.known_lines, lines]))

    def standard_errors(self, columns: np.ndarray) -> np.ndarray:
        """Return the standard errors of the amplitudes of columns, shape (m, n), that are fitted together."""
        covariance, norms = _scaled_inverse(self.normal_equations(columns)[0])
        return np.sqrt(np.diag(covariance)) / norms

    def area_interval(
        self, area: float, columns: Callable[[float], np.ndarray], paths: Sequence[np.ndarray]
    ) -> Interval:
        """Return an area with its 95 % interval by profile likelihood over a nonlinear parameter.

        The broader the lines, the larger are the area that fits and its error. A symmetric interval at the best
        breadth would be too narrow where noise makes the lines narrow.

        Parameters
        ----------
        area : float
            That fits best.
        columns : callable
            Returns, for a value of the parameter, the pattern of area 1 and columns with free amplitudes beside it,
            shape (m, n).
        paths : sequence of array
            Values of the parameter from the best one on, in either direction: each is followed until ruled out.
        """
        trials: list[tuple[float, float, float]] = []
        rise = chi_square(1)
        for path in paths:
            for value in path[bool(trials) :]:  # they share the first
                matrix, products = self.normal_equations(columns(float(value)))
                covariance, norms = _scaled_inverse(matrix)
                amplitudes = covariance @ (products / norms)
                gain = float(amplitudes @ (products / norms))  # reduction of chi square
                trials.append((gain, amplitudes[0] / norms[0], np.sqrt(covariance[0, 0]) / norms[0]))
                if gain < trials[0][0] - rise:
                    break
        gains, areas, errors = np.array(trials).T
        # At each value chi square is a parabola over the area; its part below the limit is kept.
        allowed = rise - (gains.max() - gains)
        half, kept = errors * np.sqrt(np.maximum(allowed, 0)), allowed >= 0
        low, high = float((areas - half)[kept].min()), float((areas + half)[kept].max())
        return Interval(area, min(low, area), max(high, area))

    def with_nuisance(self, columns: np.ndarray) -> "ResidualPattern":
        """Return the residuals after columns, shape (m, n), of free amplitude are added to the nuisance space."""
        columns = self.projected(columns)
        columns = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-12)
        # The eigenvectors of the normal matrix make an orthonormal basis without the dependent directions.
        squares, vectors = np.linalg.eigh(columns.T @ columns)
        independent = squares > DEPENDENT_COLUMN**2 * squares[-1]
        basis = columns @ (vectors[:, independent] / np.sqrt(squares[independent]))
        normalised = self.normalised - basis @ (basis.T @ self.normalised)
        return replace(self, normalised=normalised, nuisance=np.hstack([self.nuisance, basis]))


def breadth_paths(breadth: float) -> list[np.ndarray]:
    """Return the breadths of a profile likelihood [degree], from the best one on to broader and to narrower ones."""
    factors = BREADTH_FACTORS, 1 / BREADTH_FACTORS
    return [np.minimum(factor * max(breadth, LEAST_BREADTH), LARGEST_BREADTH) for factor in factors]


def _non_zero_rows(columns: np.ndarray) -> slice:
    """Return the range of rows in which columns are not zero."""
    rows = np.flatnonzero(columns @ np.ones(columns.shape[1]))
    return slice(rows.min(initial=0), rows.max(initial=0) + 1)


def _scaled_inverse(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pseudo-inverse of a normal matrix scaled to a diagonal of ones, and the norms it is scaled by."""
    norms = np.sqrt(np.maximum(np.diag(matrix), 1e-24))
    return np.linalg.pinv(matrix / np.outer(norms, norms), rcond=1e-9), norms


def residual_pattern(pattern: xr.Dataset, fit: MinimizerResult) -> ResidualPattern:
    """Return the residuals that a whole-pattern fit leaves of its pattern.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` returns it.
    fit : MinimizerResult
        From `pawley.fit`. Other phases in it are not subtracted: they remain in the residuals, where they are found.
    """
    curves, lines = fit.curves, all_reflections(fit)
    two_theta, main = curves.two_theta.to_numpy(), curves.phases.to_numpy()[0]
    residual = (curves.intensity - curves.background).to_numpy() - main
    counting = curves.standard_uncertainty.to_numpy()
    deviations = (curves.intensity - curves.fit).to_numpy() / counting
    # Where the stated counting statistics are too small, the scatter about the fit counts; its median ignores peaks.
    counting = counting * max(MAD_TO_SIGMA * np.median(np.abs(deviations)), 1.0)
    uncertainty = np.hypot(counting, _profile_misfit(fit, counting))
    wavelengths = tuple(w for w in (pattern.attrs.get(f"wavelength_kalpha{i}") for i in (1, 2)) if w)
    values = fit.params.valuesdict()
    d = wavelengths[0] / (2 * np.sin(np.radians(two_theta) / 2))
    shift = angles(d, wavelengths[0], values, pattern.attrs.get("goniometer_radius") or RADIUS)[1]
    none = np.zeros((two_theta.size, 0))
    at, known = lines.two_theta.to_numpy(), np.stack([lines.two_theta, lines.fwhm, lines.area])
    bare = ResidualPattern(
        two_theta, residual / uncertainty, uncertainty, none, values, wavelengths, shift, lines, known
    )
    breadths = values["size"] + values["strain"] * np.sin(np.radians(at) / 2)  # x / cos + y tan as one over cos
    areas = bare.peak_profiles(at, breadths).toarray()
    errors = _main_phase_derivatives(bare, lines, breadths, areas)
    ghosts = [_contamination_columns(bare, lines, breadths, w) for w in bare.contamination.values()]
    x = np.interp(two_theta, two_theta[[0, -1]], [-1.0, 1.0])
    count = int(np.clip(np.ptp(two_theta) / BACKGROUND_DEGREES, FEWEST_POLYNOMIALS, MOST_POLYNOMIALS))
    smooth = np.polynomial.chebyshev.chebvander(x, count - 1) / uncertainty[:, None]
    return bare.with_nuisance(np.hstack([areas, errors, *ghosts, smooth]))


def _main_phase_derivatives(
    residuals: ResidualPattern, lines: xr.Dataset, breadths: np.ndarray, profiles: np.ndarray
) -> np.ndarray:
    """Return the derivatives of the main phase by size, strain, lattice and displacement, shape (m, 4).

    A fit without another phase moves these to take up its peaks; what they can take up is no evidence of a phase.
    """
    at, area = lines.two_theta.to_numpy(), lines.area.to_numpy()
    theta, step = np.radians(at) / 2, MAIN_PHASE_STEP
    broader, shifted = (
        (residuals.peak_profiles(positions, widths).toarray() - profiles) * area
        for positions, widths in ((at, breadths + step), (at + step, breadths))
    )
    sine, cosine = np.sin(theta), np.cos(theta)
    return np.column_stack([broader.sum(axis=1), broader @ sine, shifted @ (sine / cosine), shifted @ cosine]) / step


def _contamination_columns(
    residuals: ResidualPattern, lines: xr.Dataset, breadths: np.ndarray, wavelength: float
) -> np.ndarray:
    """Return the main phase at another wavelength of the tube, at three positions that interpolate, shape (m, 3)."""
    at = lines.two_theta.to_numpy()
    sine = np.sin(np.radians(at) / 2) * wavelength / residuals.wavelengths[0]
    single = replace(residuals, wavelengths=residuals.wavelengths[:1])  # no doublet
    position, breadth = np.degrees(2 * np.arcsin(sine)), float(np.mean(breadths))
    step = CONTAMINATION_STEP * float(np.mean(lines.fwhm))
    areas = np.maximum(lines.area.to_numpy(), 0)
    return np.column_stack([single.peak_profiles(position + s, breadth) @ areas for s in (-step, 0, step)])


def _profile_misfit(fit: MinimizerResult, counting: np.ndarray) -> np.ndarray:
    """Return the misfit of the main phase's profiles beyond counting, in the unit of the intensity, shape (m,).

    The residuals near one reflection may be a peak of another phase. The median over neighbouring reflections, at the
    same distance in full widths and relative to the height, is the misfit of the profile function.
    """
    curves, lines = fit.curves, all_reflections(fit)
    two_theta, main = curves.two_theta.to_numpy(), curves.phases.to_numpy()[0]
    residual = (curves.intensity - curves.fit).to_numpy()
    at, fwhm = lines.two_theta.to_numpy(), lines.fwhm.to_numpy()
    height = np.interp(at, two_theta, main)
    strong = np.flatnonzero(height > MISFIT_SIGNIFICANCE * np.interp(at, two_theta, counting))
    if not strong.size:
        return np.zeros_like(two_theta)
    excess = np.maximum(residual**2 - counting**2, 0)
    smooth = [
        _local_mean(two_theta, excess, at[i] + MISFIT_OFFSETS * fwhm[i], MISFIT_HALF_WIDTH * fwhm[i]) for i in strong
    ]
    relative = np.sqrt(np.array(smooth)) / height[strong, None]
    total = np.zeros_like(two_theta)
    present = np.flatnonzero(height > 0)
    neighbours = np.argsort(np.abs(at[strong] - at[present, None]), axis=1)[:, :MISFIT_NEIGHBOURS]
    errors = height[present, None] * np.median(relative[neighbours], axis=1)
    for i, error in zip(present, errors, strict=True):
        total = np.maximum(total, np.interp(two_theta, at[i] + MISFIT_OFFSETS * fwhm[i], error, left=0, right=0))
    return total


def _local_mean(x: np.ndarray, values: np.ndarray, at: np.ndarray, half_width: float) -> np.ndarray:
    """Return the mean of values within a distance of some positions; at least one point is averaged."""
    summed = np.append(0.0, np.cumsum(values))
    low, high = np.searchsorted(x, at - half_width), np.searchsorted(x, at + half_width, side="right")
    high = np.maximum(high, np.minimum(low + 1, x.size))
    low = np.minimum(low, high - 1)
    return (summed[high] - summed[low]) / (high - low)
