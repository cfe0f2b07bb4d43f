"""Broadening of reflections by the sample alone: integral breadths, size and strain, and the ratio of two samples.

The profiles of the instrument, known from a standard, are convolved with those of a sample whose size, strain and shape
are fitted to the whole pattern (`broadening_fit`). Intervals are those of the profile likelihood over size, strain and
shape, none of which is negative. Lines that are broader or narrower than size and strain say, because of anisotropy or
stacking faults, widen them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.interval import NORMAL, Interval
from coldbond.xrd import profile, sample_profile
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.broadening_fit import AXIAL_NODES, UNIFORM, BroadeningFit, Expansion
from coldbond.xrd.design_matrix import emission
from coldbond.xrd.pawley import INSTRUMENT_START, Instrument
from coldbond.xrd.sample_profile import POWERS, SPREADS, Shape

#: Area over that of the strongest line below which a breadth is not used.
LEAST_AREA = 0.1
#: Least size of the crystallites of a standard, nm: smaller ones broaden its lines by as much as a diffractometer does,
#: and the distribution of their sizes, which nobody states, then decides the breadths of the samples.
SMALLEST_STANDARD = 500.0
#: Angle below which a breadth is not used, degree: axial divergence makes the profiles asymmetric there, and what
#: standards show of it is uncertain.
LOWEST_ANGLE = 25.0
#: Half width of the relative error of a breadth because the instrument's profiles are pseudo-Voigt functions (Thompson,
#: Cox and Hastings 1987, doi 10.1107/S0021889887087090).
PSEUDO_VOIGT_ERROR = 0.012
#: Standard error of a breadth for the same reason, relative to the instrument's breadth: slits make the top of its
#: profile flatter than that of the function, and what the function lacks is taken for the sample's (found with profiles
#: of slits, flat specimens and axial divergence, folded numerically with the emission lines).
INSTRUMENT_ERROR = 0.04
#: Lower bound of a breadth over its best value below which a ratio to it has no upper bound.
NEXT_TO_NOTHING = 0.05
#: Fewest lines whose scatter about a smooth dependence on the angle is estimated.
FEWEST_FOR_SCATTER = 4
BETWEEN = 9  # shapes along each axis between the first and the last that are fitted
AROUND = np.linspace(0, 2 * np.pi, 72, endpoint=False)  # on the boundary of a region of size and strain
START = 0.05  # least size and strain to start at, relative to the full width at half maximum
NODES = 2.5  # standard deviations from the best shape to the others that are fitted
REACH = 3.0  # full widths at half maximum about a line within which its highest point is sought
SPLITS = np.linspace(0, np.pi / 2, 9)  # of a rise of chi square between two samples


@dataclass(frozen=True)
class Minimum:
    """Least chi square of a shape: size and scaled strain, of any sign [degree], their covariance, and chi square."""

    shape: Shape
    at: np.ndarray
    covariance: np.ndarray
    chi_square: float


@dataclass(frozen=True)
class Broadening:
    """Broadening of the lines of a pattern by the sample.

    Attributes
    ----------
    lines : xarray.Dataset
        Over `reflection`, the lines that are strong enough: `hkl`, `two_theta` [degree], `area` [intensity x degree];
        `breadth` and `breadth_error`, the integral breadth of each without the instrument and its standard error, and
        `smooth`, that of size and strain [degree].
    minima : list of Minimum
        Of all shapes. Size is the integral breadth times cos(theta).
    scale : float
        Strain, as integral breadth over tan(theta), is scale x (scaled strain / scale)^(1 / power) [degree].
    wavelength : float
        Angstrom.
    instrument : float
        Mean integral breadth of the instrument at the lines [degree].
    """

    lines: xr.Dataset
    minima: list[Minimum]
    scale: float
    wavelength: float
    instrument: float

    def unscaled(self, scaled: np.ndarray, shape: Shape) -> np.ndarray:
        """Return the strain [degree]."""
        return self.scale * (scaled / self.scale) ** (1 / shape.power)


def sample_broadening(
    pattern: xr.Dataset, fit: MinimizerResult, instrument: Instrument, standard_size: float
) -> Broadening | None:
    """Return the broadening by the sample; None where no line is strong enough.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` returns it.
    fit : MinimizerResult
        From `pawley.fit` of this pattern with the instrument.
    instrument : Instrument
        From `pawley.instrument_profile`.
    standard_size : float
        Least size of the crystallites of the standard, nm: what they may have broadened its lines is uncertain.
    """
    wavelength = float(pattern.attrs["wavelength_kalpha1"])
    largest = float(np.degrees(wavelength / 10 / standard_size))
    fitted = BroadeningFit(pattern, fit, instrument, largest, LOWEST_ANGLE)
    usable = _strong(fitted.at, fitted.total)
    if not usable.any():
        return None
    start = np.maximum([fit.params["size"].value, fit.params["strain"].value], START * fitted.scale) * np.pi / 2
    at, shape, deviation = fitted.shape(float(start[0]), float(start[1]))
    spreads, powers = (_nodes(*one) for one in zip(shape, deviation, (SPREADS, POWERS), strict=True))
    expansions = []
    for other in map(Shape, np.repeat(spreads, 3).tolist(), np.tile(powers, 3).tolist()):
        strain = fitted.unscaled(at[1], shape.power)
        expansions.append(fitted.expansion(np.array([at[0], fitted.scaled(strain, other.power)]), other))
    minima = _interpolated(spreads, powers, expansions)
    shape, best, _ = _best(minima)
    inflation, relative, error = fitted.by_line(best, shape)
    minima = _interpolated(spreads, powers, expansions, inflation)
    shape, best, _ = _best(minima)
    size, strain = best[0], fitted.unscaled(best[1], shape.power)
    smooth = sample_profile.integral_breadth(size / np.cos(fitted.theta), strain * np.tan(fitted.theta), shape)
    columns = {
        "two_theta": fitted.at,
        "area": fitted.total,
        "breadth": smooth * (1 + relative),
        "breadth_error": smooth * error,
        "smooth": smooth,
    }
    lines = xr.Dataset(
        {name: ("reflection", values[usable]) for name, values in columns.items()},
        {"hkl": ("reflection", np.array(fitted.hkl)[usable])},
    )
    added = float(instrument_breadths(fitted.at[usable], instrument, wavelength).mean())
    return Broadening(lines, minima, fitted.scale, wavelength, added)


def _step(expansion: Expansion, inflation: float = 1.0) -> tuple[np.ndarray, np.ndarray, float]:
    """Return size and scaled strain at the least chi square, their covariance, and chi square."""
    solution, covariance, chi_square = expansion.solved(inflation)
    return expansion.at + solution[-2:], covariance[-2:, -2:], chi_square


def _nodes(value: float, deviation: float, bounds: tuple[float, float]) -> np.ndarray:
    """Return three values of a parameter of the shape, about the best one and within its range."""
    low, high = np.clip([value - NODES * deviation, value + NODES * deviation], *bounds)
    return np.array([low, (low + high) / 2, high])


def _interpolated(
    spreads: np.ndarray, powers: np.ndarray, expansions: Sequence[Expansion], inflation: float = 1.0
) -> list[Minimum]:
    """Return the least chi square of shapes between those that were fitted: quadratic in both of their parameters."""
    at, covariance, chi_square = zip(*(_step(one, inflation) for one in expansions), strict=True)
    grid = len(spreads), len(powers)
    weights = []
    for nodes in (spreads, powers):
        fine = np.linspace(nodes[0], nodes[-1], BETWEEN)
        linear = np.stack([np.interp(fine, nodes, row) for row in np.eye(len(nodes))], axis=1)
        quadratic = np.linalg.solve(np.vander(nodes).T, np.vander(fine, len(nodes)).T).T
        weights.append((fine, linear, quadratic))
    (all_spreads, *of_spread), (all_powers, *of_power) = weights
    # A mean of covariances is one; a quadratic function through them need not be.
    linear, quadratic = (np.einsum("ai,bj->abij", one, other) for one, other in zip(of_spread, of_power, strict=True))
    at = np.einsum("abij,ijk->abk", quadratic, np.reshape(at, (*grid, 2))).reshape(-1, 2)
    chi_square = np.einsum("abij,ij->ab", quadratic, np.reshape(chi_square, grid)).ravel()
    covariance = np.einsum("abij,ijkl->abkl", linear, np.reshape(covariance, (*grid, 2, 2))).reshape(-1, 2, 2)
    shapes = (Shape(float(spread), float(power)) for spread, power in product(all_spreads, all_powers))
    return [Minimum(*one) for one in zip(shapes, at, covariance, chi_square.tolist(), strict=True)]


def _least(minimum: Minimum) -> tuple[np.ndarray, float]:
    """Return size and scaled strain at the least chi square where neither is negative, and chi square."""
    if (minimum.at >= 0).all():
        return minimum.at, minimum.chi_square
    precision = np.linalg.inv(minimum.covariance)
    candidates = [np.zeros(2)]
    for axis in range(2):
        other = 1 - axis
        free = minimum.at[axis] + precision[axis, other] / precision[axis, axis] * minimum.at[other]
        candidates.append(np.where(np.arange(2) == axis, max(free, 0.0), 0.0))
    rises = [float((one - minimum.at) @ precision @ (one - minimum.at)) for one in candidates]
    return candidates[int(np.argmin(rises))], minimum.chi_square + min(rises)


def _best(minima: Sequence[Minimum]) -> tuple[Shape, np.ndarray, float]:
    """Return the shape with the least chi square, size and scaled strain, and chi square."""
    found = [(minimum.shape, *_least(minimum)) for minimum in minima]
    return min(found, key=lambda one: one[2])


def _regions(broadening: Broadening, rise: float) -> Iterator[tuple[Shape, np.ndarray, np.ndarray]]:
    """Yield the extremes of size and strain [degree] with which chi square rises by no more than this, of each shape.

    Breadths increase with size and with strain: they are extreme on the boundary.
    """
    shape, at, least = _best(broadening.minima)
    yield shape, at[:1], broadening.unscaled(at[1:], shape)
    circle = np.stack([np.cos(AROUND), np.sin(AROUND)])
    for minimum in broadening.minima:
        room = least + rise - minimum.chi_square
        if room <= 0:
            continue
        points = minimum.at + np.sqrt(room) * (np.linalg.cholesky(minimum.covariance) @ circle).T
        precision = np.linalg.inv(minimum.covariance)
        ends = [points, np.zeros((int(minimum.at @ precision @ minimum.at <= room), 2))]
        for axis in range(2):  # where the other of the two is zero
            other = 1 - axis
            centre = minimum.at[axis] + precision[axis, other] / precision[axis, axis] * minimum.at[other]
            squared = (room - minimum.at[other] ** 2 / minimum.covariance[other, other]) / precision[axis, axis]
            if squared >= 0:
                ends.append(np.outer(centre + np.array([-1, 1]) * np.sqrt(squared), np.arange(2) == axis))
        inside = np.concatenate(ends)
        inside = inside[(inside >= 0).all(axis=1)]
        if len(inside):
            yield minimum.shape, inside[:, 0], broadening.unscaled(inside[:, 1], minimum.shape)


def _mean_breadths(lines: xr.Dataset, size: np.ndarray, strain: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the mean integral breadth of some lines for each size and strain [degree]."""
    theta = np.radians(lines.two_theta.to_numpy()) / 2
    of_lines = sample_profile.integral_breadth(
        np.outer(size, 1 / np.cos(theta)), np.outer(strain, np.tan(theta)), shape
    )
    return of_lines.mean(axis=1)


def _bounds(broadening: Broadening, lines: xr.Dataset, deviations: float = NORMAL) -> tuple[float, float, float]:
    """Return the mean integral breadth of some lines and its bounds at so many standard deviations."""
    value, *means = (
        _mean_breadths(lines, size, strain, shape) for shape, size, strain in _regions(broadening, deviations**2)
    )
    best, every = float(value[0]), np.concatenate([value, *means])
    beside = deviations * float(np.linalg.norm([_scatter(lines), _of_profile(broadening, best)]))
    low, high = (float(np.hypot(bound - best, beside)) for bound in (every.min(), every.max()))
    return best, max(best - low, 0.0), best + high


def _of_profile(broadening: Broadening, breadth: float) -> float:
    """Return the standard error of a mean breadth because the instrument's profiles are pseudo-Voigt functions."""
    return float(np.hypot(2 * UNIFORM * PSEUDO_VOIGT_ERROR * breadth, INSTRUMENT_ERROR * broadening.instrument))


def _scatter(lines: xr.Dataset) -> float:
    """Return the standard error of the mean because lines scatter by more than their errors, degree."""
    n = lines.sizes["reflection"]
    if n < FEWEST_FOR_SCATTER:
        return 0.0
    breadth, error, smooth = (lines[name].to_numpy() for name in ("breadth", "breadth_error", "smooth"))
    dependence = np.stack([np.ones(n), np.tan(np.radians(lines.two_theta.to_numpy()) / 2)], axis=1)
    beside = breadth - smooth
    beside = beside - dependence @ np.linalg.lstsq(dependence, beside, rcond=None)[0]
    return float(np.sqrt(max(beside @ beside / (n - 2) - np.mean(error**2), 0.0) / n))


def _strong(two_theta: np.ndarray, area: np.ndarray) -> np.ndarray:
    return (area > LEAST_AREA * area.max(initial=0)) & (two_theta > LOWEST_ANGLE)


def strong_lines(found: xr.Dataset) -> xr.Dataset:
    """Return the lines that are strong enough for a breadth."""
    area = found.area.to_numpy()
    return found.isel(reflection=area > LEAST_AREA * area.max(initial=0))


def usable_lines(found: xr.Dataset) -> xr.Dataset:
    """Return the lines whose breadth enters the mean: strong, and above `LOWEST_ANGLE`."""
    return found.isel(reflection=_strong(found.two_theta.to_numpy(), found.area.to_numpy()))


def common_lines(one: xr.Dataset, other: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the lines of two samples that both have.

    Raises
    ------
    ValueError
        There are none.
    """
    shared = [hkl for hkl in one.hkl.to_numpy() if hkl in set(other.hkl.to_numpy())]
    if not shared:
        raise ValueError("the two samples have no reflection in common that is strong enough to be fitted alone")
    one, other = (part.isel(reflection=[list(part.hkl.to_numpy()).index(h) for h in shared]) for part in (one, other))
    return one, other


def instrument_breadths(two_theta: np.ndarray, instrument: Instrument, wavelength: float) -> np.ndarray:
    """Return the integral breadths of the instrument [degree] at some angles [degree], at K-alpha1 [angstrom]."""
    values = dict(zip(instrument.names, instrument.values, strict=True))
    shapes = zip(
        *profile.voigt_approximation(*profile.component_widths(two_theta, *(values[n] for n in "uvwxy"))), strict=True
    )
    found = []
    for at, (fwhm, mixing) in zip(two_theta, shapes, strict=True):
        x = np.linspace(-REACH, REACH, 801) * fwhm
        shift, weight = profile.axial_divergence(at, AXIAL_NODES)
        lines = emission([wavelength])
        of_lines = [np.degrees(2 * np.tan(np.radians(at) / 2)) * (line / wavelength - 1) for line, *_ in lines]
        centres = np.add.outer(of_lines, np.radians(1) * values["axial"] * shift)
        shares = np.multiply.outer([share for *_, share in lines], weight)
        found.append(1 / (profile.pseudo_voigt(x[:, None] - centres.ravel(), fwhm, mixing) @ shares.ravel()).max())
    return np.array(found)


def mean_breadth(broadening: Broadening) -> Interval:
    """Return the mean integral breadth of a sample's lines without the instrument, degree."""
    return Interval(*_bounds(broadening, broadening.lines))


def breadth_ratio(one: Broadening, other: Broadening) -> Interval:
    """Return the ratio of the mean integral breadths of two samples over their common lines.

    The instrument's error, which is the same for both, counts as if it were not: the interval is rather too wide.

    Returns
    -------
    Interval
        Without an upper bound where the other's breadth could be next to nothing.

    Raises
    ------
    ValueError
        The samples have no reflection in common.
    """
    of_one, of_other = common_lines(one.lines, other.lines)
    value, _, _ = _bounds(one, of_one)
    least, lowest, _ = _bounds(other, of_other)
    ratio = value / max(least, 1e-9)
    low = high = ratio
    for angle in SPLITS:
        _, *above = _bounds(one, of_one, NORMAL * np.cos(angle))
        _, *below = _bounds(other, of_other, NORMAL * np.sin(angle))
        low, high = min(low, above[0] / max(below[1], 1e-9)), max(high, above[1] / max(below[0], 1e-9))
    return Interval(ratio, low, high if lowest > NEXT_TO_NOTHING * least else None)


def crystallite_size(broadening: Broadening) -> Interval:
    """Return the volume-weighted mean column length, nm; without an upper bound where size may broaden nothing."""
    value, *sizes = (size for _, size, _ in _regions(broadening, NORMAL**2))
    every = np.concatenate([value, *sizes])
    theta = np.radians(broadening.lines.two_theta.to_numpy()) / 2
    beside = NORMAL * _of_profile(broadening, value[0]) * float(np.cos(theta).mean())
    low, high = (np.hypot(bound - value[0], beside) for bound in (every.min(), every.max()))
    to_nm = np.degrees(broadening.wavelength / 10)
    best, least, most = (
        float(to_nm / width) if width > 0 else None for width in (value[0], value[0] + high, value[0] - low)
    )
    return Interval(best, least, most)


def microstrain(broadening: Broadening) -> Interval:
    """Return the strain, the integral breadth over 4 tan(theta), percent."""
    value, *strains = (strain for *_, strain in _regions(broadening, NORMAL**2))
    every = np.concatenate([value, *strains])
    tangent = float(np.tan(np.radians(broadening.lines.two_theta.to_numpy()) / 2).mean())
    beside = NORMAL * _of_profile(broadening, float(broadening.lines.smooth.mean())) / tangent
    low, high = (np.hypot(bound - value[0], beside) for bound in (every.min(), every.max()))
    bounds = value[0], max(value[0] - low, 0.0), value[0] + high
    return Interval(*(float(100 * np.radians(of) / 4) for of in bounds))


def size_and_strain_at_most(broadening: Broadening) -> tuple[Interval, Interval]:
    """Return the least size, nm, and the largest strain, percent, that breadths with the instrument's part allow.

    All of the breadth is then that of size, or that of strain.
    """
    high, theta = mean_breadth(broadening).high or 0.0, np.radians(broadening.lines.two_theta.to_numpy()) / 2
    size = np.degrees(broadening.wavelength / 10) * np.mean(1 / np.cos(theta)) / high
    strain = 100 * np.radians(high) / 4 / np.mean(np.tan(theta))
    return Interval(None, float(size)), Interval(None, 0.0, float(strain))


def of_samples(
    analyses: Mapping[str, Analysis], instrument: Instrument | None, standard_size: float
) -> dict[str, Broadening]:
    """Return the broadening of each sample with a line that is strong enough.

    Without an instrument profile it is that of sample and instrument together, without the emission lines.

    Raises
    ------
    ValueError
        The crystallites of the standard are too small.
    """
    if instrument is not None and not standard_size >= SMALLEST_STANDARD:
        raise ValueError(
            f"standard_size is {standard_size:g} nm: a standard of crystallites below {SMALLEST_STANDARD:g} nm does "
            "not show what the instrument adds; record a coarser one, or leave it out of the manifest for upper bounds"
        )
    found = {}
    for label, one in analyses.items():
        known, size = instrument, standard_size
        if known is None:
            values = np.array([*np.zeros(6), one.fit.params["kalpha2_ratio"].value])
            known, size = Instrument(tuple(INSTRUMENT_START), values, np.zeros((7, 7))), np.inf
        if (broadening := sample_broadening(one.pattern, one.fit, known, size)) is not None:
            found[label] = broadening
    return found
