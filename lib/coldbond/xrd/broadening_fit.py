"""Fit of a whole pattern with profiles of the instrument, from a standard, convolved with those of the sample.

The transform of a line is the product of those of emission lines, instrument, axial divergence, transparency and
sample (`sample_profile`). Areas, background, and the uncertainty of the instrument are linear and are solved for;
size and strain are found by Gauss and Newton's iteration for each of some shapes of the sample's profile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.xrd import profile, sample_profile, uncertainty
from coldbond.xrd.background import DEFAULT, polynomials
from coldbond.xrd.design_matrix import emission
from coldbond.xrd.pawley import CORRELATION_LENGTH, RADIUS, Instrument
from coldbond.xrd.reflection_list import indices
from coldbond.xrd.sample_profile import POWERS, SPREADS, Shape

#: Range of a profile, in full widths at half maximum of the broadest line, and the least range, degree.
RANGE, LEAST_RANGE = 20.0, 4.0
FINEST = 20  # points per full width at half maximum of the narrowest line
HIGHEST = 3.0  # highest frequency over the inverse of that full width: the transform of the instrument ends before
SAME_LINE = 0.05  # degree: reflections nearer than this have one area
KNOTS = 8.0  # degree between the knots of what is added to the background of the whole-pattern fit
SHAPE_ITERATIONS = 8  # of Gauss and Newton, from the whole-pattern fit
ITERATIONS = 2  # from the minimum for a shape nearby
LARGEST_STEP = 0.5  # of one iteration, relative to the broadening
STEP = 1e-3  # of the finite differences by size and strain, relative to the broadening
AXIAL_NODES = 24
#: Standard deviation of a number that may be anything between 0 and 1.
UNIFORM = 12**-0.5


@dataclass(frozen=True)
class Expansion:
    """Chi square about a size and a scaled strain, all else solved for linearly.

    Attributes
    ----------
    at : array, shape (2,)
        Size and scaled strain [degree].
    normal, right : arrays, shapes (k, k) and (k,)
        Normal equations without the prior; the last two unknowns are steps of size and scaled strain.
    square : float
        Sum of the squared data.
    known : array of int
        Unknowns whose prior is zero with a standard deviation of one.
    """

    at: np.ndarray
    normal: np.ndarray
    right: np.ndarray
    square: float
    known: np.ndarray

    def solved(self, inflation: float = 1.0) -> tuple[np.ndarray, np.ndarray, float]:
        """Return the solution, its covariance and the least chi square.

        Parameters
        ----------
        inflation : float
            Factor on the variance of the counts.
        """
        normal = self.normal / inflation
        normal[self.known, self.known] += 1.0
        covariance, _ = uncertainty.inverse(normal)
        solution = covariance @ (self.right / inflation)
        return solution, covariance, self.square / inflation - float(self.right @ solution) / inflation


class BroadeningFit:
    """A pattern's lines as those of the instrument, broadened by the sample.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` returns it.
    fit : MinimizerResult
        From `pawley.fit` of this pattern with the instrument: positions, background, other phases, depth.
    instrument : Instrument
        From `pawley.instrument_profile`.
    standard_breadth : float
        Largest integral breadth that the crystallites of the standard may have added, times cos(theta) [degree].
    lowest : float
        Angle below which the pattern is not used, degree.
    """

    def __init__(
        self, pattern: xr.Dataset, fit: MinimizerResult, instrument: Instrument, standard_breadth: float, lowest: float
    ) -> None:
        curves = fit.curves.sel(two_theta=slice(lowest, None))
        self.two_theta = curves.two_theta.to_numpy()
        self.sigma = curves.standard_uncertainty.to_numpy()
        # Further polynomials of the background may have followed the tails of the lines.
        slow = polynomials(self.two_theta, DEFAULT)
        background = slow @ np.linalg.lstsq(slow, curves.background.to_numpy(), rcond=None)[0]
        self.data = (curves.intensity - curves.phases[1:].sum("phase")).to_numpy() - background
        self.wavelengths = [w for w in (pattern.attrs.get(f"wavelength_kalpha{n}") for n in (1, 2)) if w]
        self.depth = float(np.degrees(fit.params["depth"].value / (pattern.attrs.get("goniometer_radius") or RADIUS)))
        self._add_lines(fit.reflections)
        narrowest = float(self.fwhm.min())
        reach = max(LEAST_RANGE, RANGE * float(self.fwhm.max()))
        self.frequency = np.arange(int(HIGHEST / narrowest * 2 * reach)) / (2 * reach)
        self.points = 2 ** int(np.ceil(np.log2(max(2 * reach * FINEST / narrowest, 2 * self.frequency.size))))
        self.offsets = (np.arange(self.points) - self.points // 2) * (2 * reach / self.points)
        bounds = np.searchsorted(self.two_theta, [self.at - reach, self.at + reach]).T
        self.windows = [slice(low, min(high, self.two_theta.size)) for low, high in bounds]
        self.window = 1 + int(CORRELATION_LENGTH * np.median(self.fwhm) / np.median(np.diff(self.two_theta)))
        low, high = self.two_theta[0], self.two_theta[-1]
        knots = np.linspace(low, high, max(2, 1 + round((high - low) / KNOTS)))
        self.background = np.stack([np.interp(self.two_theta, knots, row) for row in np.eye(knots.size)], axis=1)
        self.standard_breadth = standard_breadth
        named = dict(zip(instrument.names, instrument.values, strict=True))
        self.instrument = self._instrument(named, 0.5)
        values, vectors = np.linalg.eigh(instrument.covariance)
        directions = (vectors * np.sqrt(np.maximum(values, 0))).T[values > 1e-12 * max(values.max(), 1e-300)]
        # The instrument is uncertain along these directions, by one standard deviation each.
        self.uncertain = [
            self._instrument(dict(zip(instrument.names, instrument.values + step, strict=True)), 0.5)
            for step in directions
        ]
        if standard_breadth > 0:
            self.uncertain.append(self._instrument(named, 0.5 + UNIFORM))
        self.scale = float(np.median(self.fwhm))
        self.areas, self.nuisance = np.zeros(0), np.zeros(0)

    def _add_lines(self, reflections: xr.Dataset) -> None:
        """Group the reflections into lines that have one area each."""
        at, area, fwhm = (reflections[name].to_numpy() for name in ("two_theta", "area", "fwhm"))
        margin = LEAST_RANGE / 2
        seen = (at > self.two_theta[0] - margin) & (at < self.two_theta[-1] + margin)
        order = np.flatnonzero(seen)[np.argsort(at[seen])]
        line = np.cumsum(np.diff(at[order], prepend=-1.0) > SAME_LINE) - 1
        weight = np.maximum(area[order], 1e-6 * area.max())
        self.count = int(line[-1]) + 1 if line.size else 0
        self.total = total = np.bincount(line, weight)
        strongest = [order[line == n][weight[line == n].argmax()] for n in range(self.count)]
        self.hkl = ["".join(map(str, row.astype(int))) for row in indices(reflections)[strongest]]
        self.at = np.bincount(line, weight * at[order]) / total
        self.fwhm = np.bincount(line, weight * fwhm[order]) / total
        self.members = [(at[order][line == n], (weight / total[line])[line == n]) for n in range(self.count)]
        self.theta = np.radians(self.at) / 2

    def _instrument(self, values: Mapping[str, float], share: float) -> np.ndarray:
        """Return the transforms of the lines without the sample, shape (lines, frequencies).

        The standard's crystallites broadened its lines by `share` of the largest breadth that they may have.
        """
        f = self.frequency
        u, v, w, x, y = (values[name] for name in "uvwxy")
        fwhm, mixing = profile.voigt_approximation(*profile.component_widths(self.at, u, v, w, x, y))
        width = np.pi * np.outer(fwhm, f)
        mixing = mixing[:, None]
        total = mixing * np.exp(-width) + (1 - mixing) * np.exp(-(width**2) / (4 * np.log(2)))
        total = total / (1 - 2j * np.pi * np.outer(self.depth * np.sin(2 * self.theta), f))
        total *= np.exp(2 * share * self.standard_breadth * np.outer(1 / np.cos(self.theta), f))
        ratio = values["kalpha2_ratio"] if len(self.wavelengths) > 1 else 0.0
        shares = (1 / (1 + ratio), ratio / (1 + ratio))
        for n, theta in enumerate(self.theta):
            sine = np.sin(theta) / self.wavelengths[0]
            of_lines = [
                (np.degrees(2 * np.arcsin(min(sine * wavelength, 1.0))) - self.at[n], shares[which] * share_of)
                for wavelength, which, share_of in emission(self.wavelengths)
            ]
            shift, weight = profile.axial_divergence(self.at[n], AXIAL_NODES)
            shift = np.radians(1) * values["axial"] * shift  # degree, of a divergence squared in degree^2
            own = [(position - self.at[n], part) for position, part in zip(*self.members[n], strict=True)]
            for shifts in (of_lines, list(zip(shift, weight, strict=True)), own):
                where, how_much = np.array(shifts).T
                total[n] *= np.exp(-2j * np.pi * np.outer(f, where)) @ how_much
        return total

    def profiles(self, size: float, strain: float, shape: Shape, instrument: np.ndarray | None = None) -> np.ndarray:
        """Return the lines at the angles of the pattern, of area 1 each, shape (m, lines).

        Parameters
        ----------
        size : float
            Integral breadth times cos(theta), degree.
        strain : float
            Integral breadth over tan(theta), degree.
        shape : Shape
        instrument : array, shape (lines, frequencies), optional
            Transforms to use instead of the best ones.
        """
        f = self.frequency
        transform = sample_profile.size_transform(np.outer(size / np.cos(self.theta), f), shape.spread)
        transform = transform * sample_profile.strain_transform(np.outer(strain * np.tan(self.theta), f), shape.power)
        transform = transform * (self.instrument if instrument is None else instrument)
        curves = np.roll(np.fft.irfft(transform, self.points), self.points // 2, axis=1)
        curves /= self.offsets[1] - self.offsets[0]
        columns = np.zeros((self.two_theta.size, self.count))
        for n, window in enumerate(self.windows):
            columns[window, n] = np.interp(self.two_theta[window] - self.at[n], self.offsets, curves[n])
        return columns

    def _solve_areas(self, columns: np.ndarray) -> None:
        design = np.hstack([columns, self.background]) / self.sigma[:, None]
        self.areas = (uncertainty.inverse(design.T @ design)[0] @ design.T @ (self.data / self.sigma))[: self.count]

    def _nuisance(self, size: float, strain: float, shape: Shape, columns: np.ndarray) -> np.ndarray:
        """Return the changes of the pattern by the uncertain instrument, and by shifts of all lines."""
        uncertain = [
            (self.profiles(size, strain, shape, instrument) - columns) @ self.areas for instrument in self.uncertain
        ]
        shifted = [
            np.gradient(columns @ (self.areas * by), self.two_theta) for by in (np.tan(self.theta), np.cos(self.theta))
        ]
        return np.stack([*uncertain, *shifted], axis=1)

    def shape(self, size: float, strain: float) -> tuple[np.ndarray, Shape, np.ndarray]:
        """Return size and scaled strain, the shape that fits best, and the standard deviations of its parameters.

        Parameters
        ----------
        size, strain : float
            To start at: integral breadth times cos(theta), and over tan(theta) [degree].
        """
        ranges = np.array([SPREADS, POWERS])
        middle, width = ranges.mean(axis=1), np.ptp(ranges, axis=1)
        values = np.array([size, strain, *middle])
        steps = STEP * np.array([self.scale, self.scale, *width])
        for _ in range(SHAPE_ITERATIONS):
            columns = self._columns(values[0], values[1], Shape(values[2], values[3]))
            changes = []
            for n, step in enumerate(steps):
                size, strain, spread, power = values + step * (np.arange(4) == n)
                changes.append((self.profiles(size, strain, Shape(spread, power)) - columns) @ self.areas / step)
            found = self._expanded(values, columns, np.stack(changes, axis=1))
            # Where the pattern says nothing of the shape, it stays in the middle of its range.
            normal, right = found.normal.copy(), found.right.copy()
            normal[[-2, -1], [-2, -1]] += 1 / width**2
            right[-2:] += (middle - values[2:]) / width**2
            solution, covariance, _ = replace(found, normal=normal, right=right).solved()
            self.areas = solution[: self.count]
            limit = LARGEST_STEP * np.array([*(values[:2] + self.scale), *width])
            values = values + np.clip(solution[-4:], -limit, limit)
            least = 0.01 * self.scale  # a strain of zero does not change with its power
            values = np.clip(values, [least, least, *ranges[:, 0]], [np.inf, np.inf, *ranges[:, 1]])
        self.nuisance = np.zeros(0)
        at = np.array([values[0], self.scaled(values[1], values[3])])
        return at, Shape(float(values[2]), float(values[3])), np.sqrt(np.diag(covariance)[-2:])

    def _columns(self, size: float, strain: float, shape: Shape) -> np.ndarray:
        """Return the profiles; areas and what is uncertain beside them are found at the first of them."""
        columns = self.profiles(size, strain, shape)
        if not self.areas.size:
            self._solve_areas(columns)
        if not self.nuisance.size:
            self.nuisance = self._nuisance(size, strain, shape, columns)
        return columns

    def expansion(self, at: np.ndarray, shape: Shape) -> Expansion:
        """Return chi square about its minimum for a shape, from a size and a scaled strain to start at [degree]."""
        for _ in range(ITERATIONS):
            at = np.maximum(at, 0)
            size, strain = at[0], self.unscaled(at[1], shape.power)
            columns = self._columns(size, strain, shape)
            step = STEP * self.scale
            broader = (
                self.profiles(size + step, strain, shape),
                self.profiles(size, self.unscaled(at[1] + step, shape.power), shape),
            )
            changes = np.stack([(each - columns) @ self.areas / step for each in broader], axis=1)
            found = self._expanded(at, columns, changes)
            solution, *_ = found.solved()
            self.areas = solution[: self.count]
            limit = LARGEST_STEP * (at + self.scale)
            at = at + np.clip(solution[-2:], -limit, limit)
        return found

    def _design(self, columns: np.ndarray, changes: np.ndarray) -> np.ndarray:
        return np.hstack([columns, self.background, self.nuisance, changes]) / self.sigma[:, None]

    def _expanded(self, at: np.ndarray, columns: np.ndarray, changes: np.ndarray) -> Expansion:
        design, data = self._design(columns, changes), self.data / self.sigma
        known = self.count + self.background.shape[1] + np.arange(len(self.uncertain))
        return Expansion(at, design.T @ design, design.T @ data, float(data @ data), known)

    def by_line(self, at: np.ndarray, shape: Shape) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the inflation of the counts' variance, by what each line is broader than size and strain say, and its
        error, both relative.

        Parameters
        ----------
        at : array, shape (2,)
            Size and scaled strain [degree].
        shape : Shape
        """
        size, strain = at[0], self.unscaled(at[1], shape.power)
        columns = self.profiles(size, strain, shape)
        self._solve_areas(columns)
        changes = (self.profiles(size * (1 + STEP), strain * (1 + STEP), shape) - columns) * self.areas / STEP
        together = changes.sum(axis=1, keepdims=True)
        found, design = self._expanded(at, columns, together), self._design(columns, together)
        solution, covariance, chi_square = found.solved()
        residual = self.data / self.sigma - design @ solution
        least = max(chi_square / (residual.size - solution.size), 1.0)
        factor = uncertainty.inflation((covariance @ design.T)[-1:], residual, self.window, least)[0]
        solution, covariance, _ = self._expanded(at, columns, changes).solved(factor)
        return float(factor), solution[-self.count :], np.sqrt(np.diag(covariance)[-self.count :])

    def scaled(self, strain: float, power: float) -> float:
        """Return the strain so that a change of the pattern is proportional to it where it is small."""
        return self.scale * (max(strain, 0.0) / self.scale) ** power

    def unscaled(self, scaled: float, power: float) -> float:
        """Return the strain from its scaled value."""
        return float(self.scale * (max(scaled, 0.0) / self.scale) ** (1 / power))
