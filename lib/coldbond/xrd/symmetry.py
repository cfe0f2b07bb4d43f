"""Cubic, tetragonal, a mixture of both, or two cubic cells: what the reflections of a garnet say, or leave open.

A tetragonal garnet splits the reflections of the cubic one; near c / a = 1, or in a small share, nothing of it is
resolved. Four descriptions are fitted with the same free intensities (`varieties`): cubic, tetragonal, both, two cubic
cells. Their chi squares are divided by the inflation that the residuals show, and compared by the Bayesian information
criterion. A description is left out where another one is better by 10, which counts as very strong evidence (Kass and
Raftery 1995, doi 10.1080/01621459.1995.10476572); what all of those that are left say is a finding, the rest cannot be
told. Where the cubic description is left alone, a scan over the cells bounds the share of what is not seen.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.interval import NORMAL, NORMAL_ONE_SIDED, Interval
from coldbond.xrd import pawley, reflection_list, uncertainty, varieties
from coldbond.xrd.design_matrix import angles, spacings
from coldbond.xrd.likely_cause import NOT_DESCRIBED, misfit
from coldbond.xrd.pawley import CORRELATION_LENGTH, RADIUS, Instrument
from coldbond.xrd.residual_pattern import ResidualPattern, residual_pattern
from coldbond.xrd.structures import Structure, find
from coldbond.xrd.varieties import BREADTH, BREADTH_PRIOR, SHARE, SUFFIX, Variety

CUBIC, TETRAGONAL, MIXTURE, TWO_CELLS = "cubic", "tetragonal", "mixture", "two cubic cells"
#: Difference of the information criterion that rules a description out: "very strong" (Kass and Raftery 1995).
VERY_STRONG = 10.0
#: Parameters beyond those of the cubic description: the ratio c / a; share, a, c and breadth; share and a.
MORE_PARAMETERS = {CUBIC: 0, TETRAGONAL: 1, MIXTURE: 4, TWO_CELLS: 2}
#: Ratios c / a of tetragonal garnets that are looked for: undoped 0.964, doped up to 0.995.
RATIOS = np.arange(0.957, 0.9955, 0.0025)
#: Edge of a cell of the same volume as the tetragonal one, over that of the cubic garnet: largest difference, and step.
VOLUME_RANGE, VOLUME_STEP = 0.006, 0.0015
#: The same where the cubic garnet describes the lines badly: its cell may be that of the lines split off to one side,
#: whose edge differs from that of the volume by up to (c / a) ** (-1 / 3).
VOLUME_RANGE_IF_POOR = 0.015
#: Edge of a second cubic cell over that of the first: least and largest difference, and step. 12.93 to 13.00 angstrom.
LEAST_DIFFERENCE, LARGEST_DIFFERENCE, DIFFERENCE_STEP = 0.001, 0.008, 0.0005
EITHER_SIDE = (1.001, 1.002)  # of the fitted edge: where two cells of about equal shares start
#: Intensity over the strongest of the lines that a scan adds up.
SCANNED = 0.05
#: By how much the lines of a small share may be broader than those of the cubic garnet, degree: those of 80 nm.
BROADER = (0.0, BREADTH_PRIOR)
#: Relative standard uncertainty of the ratio of two shares: calculated intensities of both, 5 % each.
RATIO_UNCERTAINTY = 0.07
#: Significance of a scan by counting alone from which the descriptions are fitted, and the calibrated one that counts
#: as a hint: the largest of a hundred cells without any share rarely reaches it.
TO_FIT, HINT = 4.0, 2.5
#: Significance by counting above which the cubic garnet alone does not describe a pattern, and least share of a variety
#: for this: the lines of another phase could be taken for less.
CLEAR, LEAST_CLEAR = 10.0, 0.15
#: Mean square of the normalised residuals under half of the cubic garnet's lines from which the other descriptions are
#: tried whatever the scans say: lines that are all split alike pass for a misfit of the profile function.
POOR = 2.0
#: Share up to which a variety, or the cubic garnet beside one, may be a misfit of the profile function.
PROFILE_SHARE = 0.02
GARNET = "I a -3 d"  # space group of the cubic garnet
#: Share from which the tetragonal garnet is tried alone, and least and largest share at which a mixture starts.
MOSTLY, START_SHARE, LARGEST_START_SHARE = 0.5, 0.3, 0.9
#: Ratio c / a nearer to one is no splitting; cells nearer to each other, relative, are one cell.
NO_SPLITTING, ONE_CELL = 0.998, 5e-4
#: Distance of the lines of two cells in full widths, at the highest angle, below which a range of cells fits as well.
RESOLVED = 1.0


@dataclass(frozen=True)
class Scan:
    """Shares of a variety that residuals allow, over its cells.

    Attributes
    ----------
    cells : array, shape (n, 6)
        a, b, c [angstrom], angles [degree].
    share, error : array, shape (n,)
        Estimate and calibrated standard error.
    by_counting : array, shape (n,)
        Estimate over the standard error of counting alone.
    """

    cells: np.ndarray
    share: np.ndarray
    error: np.ndarray
    by_counting: np.ndarray

    @property
    def significance(self) -> float:
        """Largest estimate over its calibrated error."""
        return float((self.share / self.error).max())

    @property
    def best(self) -> np.ndarray:
        """The cell at which the residuals ask for it most."""
        return self.cells[int(self.by_counting.argmax())]

    @property
    def share_of_best(self) -> float:
        """Its share there."""
        return float(self.share[int(self.by_counting.argmax())])

    @property
    def limit(self) -> float:
        """95 % upper limit of the share over all cells."""
        return float(min(np.max(np.maximum(self.share, 0) + NORMAL_ONE_SIDED * self.error), 1.0))

    @property
    def shown(self) -> bool:
        """Whether the residuals ask for a fit."""
        return bool(self.by_counting.max() > TO_FIT)


def tetragonal_cells(edge: float, volume_range: float = VOLUME_RANGE) -> np.ndarray:
    """Return the cells of tetragonal garnets beside a cubic one with an edge [angstrom], shape (n, 6)."""
    volumes = np.arange(-volume_range, volume_range + VOLUME_STEP / 2, VOLUME_STEP)
    ratio, volume = (each.ravel() for each in np.meshgrid(RATIOS, volumes))
    a = edge * (1 + volume) * ratio ** (-1 / 3)
    return np.column_stack([a, a, a * ratio, *np.full((3, a.size), 90.0)])


def cubic_cells(edge: float, least: float = LEAST_DIFFERENCE) -> np.ndarray:
    """Return cubic cells beside one with an edge [angstrom], shape (n, 6)."""
    size = np.arange(least, LARGEST_DIFFERENCE + DIFFERENCE_STEP / 2, DIFFERENCE_STEP)
    a = edge * (1 + np.concatenate([-size[::-1], size]))
    return np.column_stack([a, a, a, *np.full((3, a.size), 90.0)])


def scan(
    pattern: xr.Dataset,
    residuals: ResidualPattern,
    structure: Structure,
    cells: np.ndarray,
    broader: Sequence[float] = (0.0,),
) -> Scan:
    """Return how much of a variety the residuals of a fit without it allow at each of its cells.

    Each family of reflections has the intensity that the fit gives it. Areas, widths, lattice and shift of the fit may
    change as well: the variety is projected onto the complement of these (`residual_pattern`). Its lines are by each of
    `broader` [degree] broader than those of the fit.
    """
    main, wavelength = residuals.main_reflections, residuals.wavelengths[0]
    area: dict[tuple, float] = {}
    of_main = varieties.family(reflection_list.indices(main))
    for of, own in zip(map(tuple, of_main.tolist()), main.area.to_numpy(), strict=True):
        area[of] = area.get(of, 0.0) + max(float(own), 0.0)
    lines = reflection_list.visible(structure, pattern, wavelength)
    hkl = reflection_list.indices(lines)
    families, strength = list(map(tuple, varieties.family(hkl).tolist())), lines.relative_intensity.to_numpy()
    total: dict[tuple, float] = {}
    for of, own in zip(families, strength, strict=True):
        total[of] = total.get(of, 0.0) + float(own)
    areas = np.array([area.get(of, 0.0) * own / total[of] for of, own in zip(families, strength.tolist(), strict=True)])
    strong = areas > SCANNED * areas.max()
    d = spacings(hkl[strong], [column[:, None] for column in cells.T])
    bragg, shift = angles(d, wavelength, residuals.values, pattern.attrs.get("goniometer_radius") or RADIUS)
    columns = np.hstack([_patterns(residuals, bragg + shift, areas[strong], more) for more in broader])
    cells = np.tile(cells, (len(broader), 1))
    columns = residuals.projected(columns)
    # What the fit can take up altogether has no share: its norm would be zero.
    norm = np.maximum((columns**2).sum(axis=0), 1e-12)
    share = columns.T @ residuals.normalised / norm
    window = 1 + int(CORRELATION_LENGTH * np.median(main.fwhm) / np.median(np.diff(residuals.two_theta)))
    inflation = uncertainty.inflation(columns.T / norm[:, None], residuals.normalised, window, 1.0)
    return Scan(cells, share, np.sqrt(inflation / norm), share * np.sqrt(norm))


def _patterns(residuals: ResidualPattern, positions: np.ndarray, areas: np.ndarray, broader: float) -> np.ndarray:
    """Return patterns of lines, positions of shape (t, n) with areas of shape (n,), over the uncertainty: (m, t)."""
    size, strain = residuals.values["size"], residuals.values["strain"]
    m, n = residuals.two_theta.size, areas.size
    breadths = size + broader + strain * np.sin(np.radians(positions) / 2)  # x / cos + y tan as one over cos
    peaks = residuals.peak_profiles(positions.ravel(), breadths.ravel())
    of = np.repeat(np.arange(positions.size), np.diff(peaks.indptr))
    at = peaks.indices + of // n * m
    total = np.bincount(at, peaks.data * np.tile(areas, len(positions))[of], m * len(positions))
    return total.reshape(len(positions), m).T


@dataclass(frozen=True)
class Symmetry:
    """What the pattern of a garnet says of its symmetry.

    Attributes
    ----------
    left : tuple of str
        Descriptions that the information criterion leaves, best first; all where even the best misses a tenth of the
        intensity.
    criterion : dict of str to float
        Information criterion of each description that was fitted, from the best one.
    fits : dict of str to MinimizerResult
    tetragonal, second : Interval
        Share of the tetragonal garnet, and of the second cubic cell, of the weight of all garnet.
    hint : dict of str to float
        Significance of what the scans for "mixture" and "two cubic cells" see.
    unresolved : bool
        Whether the lines of the two cubic cells are too near to each other to exclude a range of cells.
    """

    left: tuple[str, ...]
    criterion: dict[str, float]
    fits: dict[str, MinimizerResult]
    tetragonal: Interval
    second: Interval
    hint: dict[str, float]
    unresolved: bool = False

    @property
    def best(self) -> str:
        """The description to go on with: the cubic one where it is left, otherwise the best."""
        share = {MIXTURE: self.tetragonal, TWO_CELLS: self.second}.get(self.left[0])
        small = share is not None and share.low is not None and share.low < PROFILE_SHARE
        return CUBIC if CUBIC in self.left or small else self.left[0]

    def has_tetragonal(self, absent_below: float) -> bool | None:
        """Return whether there is tetragonal garnet; None where the pattern does not tell.

        Parameters
        ----------
        absent_below : float
            Share below which its upper limit must be for it to count as absent.
        """
        low, high = self.tetragonal.low, self.tetragonal.high
        if self.left == (MIXTURE,) and low is not None and low < PROFILE_SHARE:
            return False if high is not None and high <= absent_below else None
        with_it = [name in (TETRAGONAL, MIXTURE) for name in self.left]
        if any(with_it):
            return True if all(with_it) else None
        limit = self.tetragonal.high
        return False if limit is not None and limit <= absent_below else None

    def has_cubic(self, absent_below: float) -> bool | None:
        """Return whether there is cubic garnet, with the limit of its share as for the tetragonal one."""
        low, high = self.tetragonal.low, self.tetragonal.high
        if self.left == (MIXTURE,) and high is not None and 1 - high < PROFILE_SHARE:
            return False if low is not None and 1 - low <= absent_below else None
        with_it = [name != TETRAGONAL for name in self.left]
        if any(with_it):
            return True if all(with_it) else None
        return False if low is not None and 1 - low <= absent_below else None

    def has_second_cell(self) -> bool | None:
        """Return whether there are two cubic cells; None where the lines are only broadened, or another one fits."""
        if self.left == (TWO_CELLS,) and self.best == CUBIC:
            return None
        with_it = [name == TWO_CELLS for name in self.left]
        if any(with_it):
            return True if all(with_it) and not self.unresolved else None
        return None if self.left == (CUBIC,) and self.hint[TWO_CELLS] > HINT else False


def variety_of(structure: Structure, tetragonal: str | Structure) -> Structure | None:
    """Return the tetragonal variety of a cubic garnet that is looked for; None where there is none to look for."""
    return find(tetragonal) if tetragonal and structure.space_group == GARNET else None


def first_look(
    pattern: xr.Dataset,
    cubic: Structure,
    tetragonal: Structure | None,
    first: MinimizerResult,
    geometry: str,
    instrument: Instrument | None,
) -> tuple[Symmetry | None, MinimizerResult]:
    """Return the description of a pattern that the cubic garnet alone does not describe, and the fit to go on with.

    None and the given fit where the cubic garnet describes the pattern well enough to look for other phases first:
    their lines could pass for those of a small share.
    """
    if tetragonal is None:
        return None, first
    residuals = residual_pattern(pattern, first)
    cells = tetragonal_cells(first.params["a"].value)
    if not _is_poor(first) and scan(pattern, residuals, tetragonal, cells).by_counting.max() < CLEAR:
        return None, first

    def fit_variety(variety: Variety, start: MinimizerResult) -> MinimizerResult:
        return pawley.fit(pattern, cubic, geometry=geometry, instrument=instrument, start=start, variety=variety)

    alone = pawley.fit(pattern, cubic, geometry=geometry, instrument=instrument, start=first)
    found = describe(pattern, tetragonal, cubic, alone, residual_pattern(pattern, alone), fit_variety)
    fit = found.fits[found.best]
    if found.best == CUBIC or (found.best != TETRAGONAL and fit.params[SHARE].value < LEAST_CLEAR):
        return None, first
    return found, fit


def describe(
    pattern: xr.Dataset,
    tetragonal: Structure,
    cubic: Structure,
    fit: MinimizerResult,
    residuals: ResidualPattern,
    fit_variety: Callable[[Variety, MinimizerResult], MinimizerResult],
) -> Symmetry:
    """Return which descriptions of a garnet its pattern leaves.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` returns it.
    tetragonal, cubic : Structure
    fit : MinimizerResult
        From `pawley.fit` with the cubic structure alone.
    residuals : ResidualPattern
        Of `fit`.
    fit_variety : callable
        Returns the same fit with a variety, from a start.
    """
    edge, poor = fit.params["a"].value, _is_poor(fit)
    cells = tetragonal_cells(edge, VOLUME_RANGE_IF_POOR if poor else VOLUME_RANGE)
    scans = {
        MIXTURE: scan(pattern, residuals, tetragonal, cells, BROADER),
        TWO_CELLS: scan(pattern, residuals, cubic, cubic_cells(edge)),
    }
    hint = {name: found.significance for name, found in scans.items()}
    limits = [Interval(None, 0.0, found.limit) for found in scans.values()]
    fits = {CUBIC: fit}
    if poor or any(found.shown for found in scans.values()):
        share = float(np.clip(scans[MIXTURE].share_of_best, START_SHARE, LARGEST_START_SHARE))
        start = Variety(_with_cell(tetragonal, scans[MIXTURE].best), share, own_breadth=True)
        fits |= _tetragonal(pattern, cubic, fit_variety(start, fit), fit_variety)
        if poor or scans[TWO_CELLS].shown:
            fits[TWO_CELLS] = _two_cells(cubic, fit, scans[TWO_CELLS].best, fit_variety)
        fits = {name: one for name, one in fits.items() if _is_sensible(name, one)}
    criterion = _criterion(fits)
    order = sorted(criterion, key=criterion.__getitem__)
    left = tuple(name for name in order if criterion[name] < VERY_STRONG)
    if misfit(fits[order[0]]) > NOT_DESCRIBED:  # a better one has not been found: nothing is excluded
        left = tuple(MORE_PARAMETERS)
    shares = [
        _share(fits[name]) if left[0] == name else limit
        for name, limit in zip((MIXTURE, TWO_CELLS), limits, strict=True)
    ]
    if left[0] == TETRAGONAL:
        shares[0] = _alone(pattern, cubic, fits[TETRAGONAL])
    if left[0] == TWO_CELLS:  # what the second cell leaves says more of a tetragonal garnet
        again = scan(pattern, residual_pattern(pattern, fits[TWO_CELLS]), tetragonal, cells, BROADER)
        shares[0], hint[MIXTURE] = Interval(None, 0.0, again.limit), again.significance
    unresolved = left[0] == TWO_CELLS and _distance(fits[TWO_CELLS]) < RESOLVED
    return Symmetry(left, criterion, fits, shares[0], shares[1], hint, unresolved)


def _is_poor(fit: MinimizerResult) -> bool:
    """Return whether half of the strong lines are badly described: another phase disturbs few of them."""
    residual = ((fit.curves.intensity - fit.curves.fit) / fit.curves.standard_uncertainty).to_numpy() ** 2
    strong = fit.reflections.area.to_numpy() > SCANNED * float(fit.reflections.area.max())
    at, fwhm = (fit.reflections[name].to_numpy()[strong] for name in ("two_theta", "fwhm"))
    lines = [residual[abs(fit.curves.two_theta.to_numpy() - one) < width] for one, width in zip(at, fwhm, strict=True)]
    return bool(np.median([one.mean() for one in lines if one.size] or [0.0]) > POOR)


def _with_cell(structure: Structure, cell: np.ndarray) -> Structure:
    a, b, c, alpha, beta, gamma = cell.tolist()
    return replace(structure, cell=(a, b, c, alpha, beta, gamma))


def _tetragonal(
    pattern: xr.Dataset,
    cubic: Structure,
    mixture: MinimizerResult,
    fit_variety: Callable[[Variety, MinimizerResult], MinimizerResult],
) -> dict[str, MinimizerResult]:
    """Return the mixture and, where this is mostly tetragonal, the tetragonal garnet alone and what is left beside."""
    if mixture.params[SHARE].value < MOSTLY:
        return {MIXTURE: mixture}
    structure, own = mixture.varied, copy(mixture)
    own.params = mixture.params.copy()
    # Of what little cubic garnet there is, any breadth fits.
    own.params["size"].value, own.params["strain"].value = mixture.params[BREADTH].value, 0.0
    alone = fit_variety(Variety(structure, 1.0, alone=True), own)
    edge = float(np.prod(alone.varied.cell[:3]) ** (1 / 3))
    beside = scan(pattern, residual_pattern(pattern, alone), cubic, cubic_cells(edge, least=0.0))
    if beside.shown:
        start = copy(alone)
        start.params = alone.params.copy()
        start.params["a"].value = float(beside.best[0])
        start.params[SHARE].value = 1 - START_SHARE
        again = fit_variety(Variety(structure, 1 - START_SHARE, own_breadth=True), start)
        mixture = min(mixture, again, key=lambda fit: fit.chisqr)
    return {MIXTURE: mixture, TETRAGONAL: alone}


def _two_cells(
    cubic: Structure,
    fit: MinimizerResult,
    best: np.ndarray,
    fit_variety: Callable[[Variety, MinimizerResult], MinimizerResult],
) -> MinimizerResult:
    """Return the fit with two cubic cells: one beside the fitted one, or one on either side of it."""
    edge, found = fit.params["a"].value, []
    for first, second, share in [
        (edge, float(best[0]), START_SHARE),
        *((edge / s, edge * s, 0.5) for s in EITHER_SIDE),
    ]:
        start = copy(fit)
        start.params = fit.params.copy()
        start.params["a"].value = first
        cell = np.array([second, second, second, 90.0, 90.0, 90.0])
        found.append(fit_variety(Variety(_with_cell(cubic, cell), share), start))
    return min(found, key=lambda one: one.chisqr)


def _is_sensible(name: str, fit: MinimizerResult) -> bool:
    """Return whether a fit is what its name says: splitting, two cells, and shares between 0 and 1 within the error."""
    if name == CUBIC:
        return True
    a, _, c, *_ = fit.varied.cell
    different = abs(a / fit.params["a"].value - 1) > ONE_CELL if name == TWO_CELLS else c / a < NO_SPLITTING
    low, high = NORMAL * (fit.params[SHARE].stderr or 0.0) * np.array([-1, 1]) + fit.params[SHARE].value
    return bool(different and (name == TETRAGONAL or (high > 0 and low < 1)))


def _criterion(fits: Mapping[str, MinimizerResult]) -> dict[str, float]:
    """Return the Bayesian information criterion of each fit from the lowest, chi square calibrated."""
    best = min(fits.values(), key=lambda fit: fit.chisqr)
    name = SHARE if SHARE in best.var_names else "a" + (SUFFIX if best.varied is not None else "")
    inflation = max(float(best.inflation[best.var_names.index(name)]), 1.0)
    points = best.curves.two_theta.size
    found = {name: fit.chisqr / inflation + MORE_PARAMETERS[name] * np.log(points) for name, fit in fits.items()}
    return {name: float(value - min(found.values())) for name, value in found.items()}


def _share(fit: MinimizerResult) -> Interval:
    """Return the share of the variety of the weight of all garnet."""
    value, error = fit.params[SHARE].value, fit.params[SHARE].stderr
    if error is None:
        return Interval(None, 0.0, 1.0)
    error = float(np.hypot(error, RATIO_UNCERTAINTY * max(value * (1 - value), 0.0)))
    low, high = np.clip([value - NORMAL * error, value + NORMAL * error], 0.0, 1.0)
    return Interval(float(np.clip(value, low, high)), float(low), float(high))


def _alone(pattern: xr.Dataset, cubic: Structure, alone: MinimizerResult) -> Interval:
    """Return the share of a tetragonal garnet beside which no cubic one is seen."""
    edge = float(np.prod(alone.varied.cell[:3]) ** (1 / 3))
    beside = scan(pattern, residual_pattern(pattern, alone), cubic, cubic_cells(edge, least=0.0))
    return Interval(None, 1 - beside.limit, 1.0)


def _distance(fit: MinimizerResult) -> float:
    """Return the distance of the lines of two cubic cells at the highest angle, in full widths."""
    lines = fit.reflections
    strong = lines.area.to_numpy() > SCANNED * float(lines.area.max())
    at, fwhm = lines.two_theta.to_numpy()[strong][-1], lines.fwhm.to_numpy()[strong][-1]
    strain = abs(fit.varied.cell[0] / fit.params["a"].value - 1)
    return float(np.degrees(2 * np.tan(np.radians(at) / 2)) * strain / fwhm)
