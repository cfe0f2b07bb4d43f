"""Detection of minor phases: which phases looked for a pattern shows beside its main phase, and how much of each.

Each phase is a pattern of lines with calculated intensities. It is correlated with the residuals for every cell within
the range of its structure and for several crystallite sizes; the significance that noise reaches in any of these trials
is Davies' bound (1987, doi 10.1093/biomet/74.1.33). A detected phase is fitted (area, cell, breadth, March
coefficient), excluded where lines that it must show are missing, and added to the nuisance space before the others are
tested again. Areas have intervals by profile likelihood; a phase that is not detected has an upper limit over all
trials.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from scipy import optimize, special

from coldbond.interval import NORMAL, NORMAL_ONE_SIDED, Interval, chi_square, student
from coldbond.xrd.reflections import march, reflections
from coldbond.xrd.residual_pattern import SMALLEST_SIZE, TRIAL_SIZES, ResidualPattern
from coldbond.xrd.structures import Structure, find

#: Probability that noise alone makes any of the phases looked for appear.
FALSE_ALARM = 0.01
#: Lines that a phase must show: those above the first share of the line with most evidence for it, at its texture, and
#: those above the second share of its strongest line in a powder. Set with the shipped patterns, where weaker lines
#: excluded phases that are there.
REQUIRED_OF_BEST, REQUIRED_OF_STRONGEST = 0.2, 0.3
#: Factor by which preferred orientation beyond the fitted texture may weaken a line against the others.
TEXTURE_MARGIN = 3.0
#: Standard deviations by which a required line must stay below its expected area to exclude a phase.
EXCLUSION_SIGNIFICANCE = 3.0
WEAKEST_LINE = 2.0  # of 100: weaker lines of a minor phase are left out
MARCH_RANGE = (0.3, 2.0)  # of the March coefficient: what platelets and needles reach
DERIVATIVE_STEP = 1e-6  # of the derivatives by strain, breadth [degree] and March coefficient
#: Difference of chi square below which two phases explain the same peaks equally well: three standard deviations.
INDISTINGUISHABLE = 9.0
#: Breadth over that of `SMALLEST_SIZE` from which on a phase is a part of the background, and the largest at which a
#: fit starts, so that its bound is not active from the first step.
BACKGROUND_BREADTH, LARGEST_START = 0.97, 0.95
#: Distance of trial cells in full widths at the highest angle, and most of them.
CELL_SPACING, MOST_CELLS = 0.5, 41
#: Share of the squared norm that the nuisance space leaves of a trial pattern, below which it determines nothing.
HIDDEN_SHARE = 1e-6
#: Powder intensity over that of the strongest line above which a line of a detected phase is free in the nuisance
#: space; relative change of the cell, and factor and addition [degree] to the breadth, for which it is freed too.
FREED_LINES, FREED_STRAIN, FREED_BREADTH = 0.1, 2e-4, (1.3, 0.02)
#: Expected area over its standard error above which a line tells whether texture is modelled well.
CLEAR_LINE = 2.0


@dataclass(frozen=True)
class PhaseLines:
    """Lines of a phase within the range of a pattern.

    Attributes
    ----------
    structure : Structure
    d : array, shape (n,)
        Angstrom.
    hkl : list of str
    powder : array, shape (n,)
        Intensity without texture, strongest = 1.
    cosine_squared : array, shape (n, planes)
        As in `reflections.reflections`.
    absolute, volume, mass : float
        Of the strongest line and of the cell, as in `reflections.reflections`.
    """

    structure: Structure
    d: np.ndarray
    hkl: list[str]
    powder: np.ndarray
    cosine_squared: np.ndarray
    absolute: float
    volume: float
    mass: float

    def positions(self, residuals: ResidualPattern, strain: float) -> np.ndarray:
        """Return the angles of the lines in the pattern [degree] for a cell larger by a relative strain."""
        sine = np.minimum(residuals.wavelengths[0] / (2 * self.d * (1 + strain)), 1.0)
        bragg = np.degrees(2 * np.arcsin(sine))
        return bragg + np.interp(bragg, residuals.two_theta, residuals.shift)

    def intensity(self, texture: float) -> np.ndarray:
        """Return the intensities for a March coefficient, shape (n,); the strongest line without texture has 1."""
        return self.powder * march(self.cosine_squared, texture)

    def pattern(self, residuals: ResidualPattern, strain: float, breadth: float, texture: float = 1.0) -> np.ndarray:
        """Return the phase over the uncertainty, shape (m,), for an area of 1 of the strongest line without texture."""
        positions, intensity = self.positions(residuals, strain)[None], self.intensity(texture)[None]
        return residuals.sums_of_peaks(positions, np.array([breadth]), intensity)[:, 0]


def lines(structure: Structure, residuals: ResidualPattern) -> PhaseLines:
    """Return the lines of a phase that lie in the range of a pattern and are above `WEAKEST_LINE`."""
    span = float(residuals.two_theta[0]), float(residuals.two_theta[-1])
    return _lines(structure, residuals.wavelengths[0], span)


@lru_cache
def _lines(structure: Structure, wavelength: float, span: tuple[float, float]) -> PhaseLines:
    found = reflections(structure, wavelength, span)
    found = found.isel(reflection=(found.relative_intensity >= WEAKEST_LINE).to_numpy())
    names = ["".join(str(i) for i in hkl) for hkl in zip(*(found[n].to_numpy() for n in "hkl"), strict=True)]
    return PhaseLines(
        structure,
        found.d.to_numpy(),
        names,
        found.relative_intensity.to_numpy() / 100,
        found.cosine_squared.to_numpy(),
        float(found.absolute_intensity.max()),
        found.attrs["volume"],
        found.attrs["mass"],
    )


NO_AREA = Interval(0.0)  # of a phase that no trial has been held against


@dataclass
class Detection:
    """Result for one phase that was looked for.

    Attributes
    ----------
    lines : PhaseLines
    present : bool
    area : Interval
        Of its strongest line without texture [intensity x degree]; for a phase that is not present the best estimate at
        the tabulated cell, without bounds.
    limit : float
        95 % upper limit of the area, over all cells and breadths in their ranges.
    strain, breadth, texture : float
        Relative change of the cell, Lorentzian breadth x of x / cos [degree], March coefficient.
    significance, threshold : float
        Standard deviations at the best cell and breadth, and those that noise reaches with the probability
        `FALSE_ALARM`.
    rivals : dict of str to float
        Phases that explain the same peaks, with the increase of chi square.
    indistinguishable : list of str
        Phases that explain the same peaks equally well: one of them is present.
    missing : list of str
        Lines whose absence excludes the phase, even with texture.
    """

    lines: PhaseLines
    present: bool = False
    area: Interval = NO_AREA
    limit: float = np.inf
    strain: float = 0.0
    breadth: float = 0.0
    texture: float = 1.0
    significance: float = 0.0
    threshold: float = 0.0
    rivals: dict[str, float] = field(default_factory=dict)
    indistinguishable: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def best_area(self) -> float:
        """Area that fits best [intensity x degree]."""
        return self.area.value or 0.0

    @property
    def shape(self) -> tuple[float, float, float]:
        """Strain, breadth and texture."""
        return self.strain, self.breadth, self.texture

    def positions(self, residuals: ResidualPattern) -> np.ndarray:
        """Return the angles of the lines at the fitted cell, degree."""
        return self.lines.positions(residuals, self.strain)

    def intensity(self) -> np.ndarray:
        """Return the intensities of the lines at the fitted texture, shape (n,)."""
        return self.lines.intensity(self.texture)


def look_for(
    residuals: ResidualPattern,
    looked_for: Sequence[str | Structure],
    *,
    exclude: bool = True,
    false_alarm: float = FALSE_ALARM,
) -> dict[str, Detection]:
    """Return the result for each phase that is looked for.

    Parameters
    ----------
    residuals : ResidualPattern
    looked_for : sequence of str or Structure
        Phases, by their names in `structures.STRUCTURES` or their structures.
    exclude : bool
        Whether a phase is excluded where lines are missing.
    false_alarm : float
        Probability that noise alone makes any of the phases appear.

    Returns
    -------
    dict of str to Detection
        Without the phases that have no line in the range of the pattern.

    Raises
    ------
    ValueError
        A phase is not in `structures.STRUCTURES`.

    Notes
    -----
    Forward selection: the most significant phase is fitted and taken out, and the others are tested against what
    remains. A phase that is then no longer significant was its rival.
    """
    detections: dict[str, Detection] = {}
    for structure in [find(phase) for phase in looked_for]:
        try:
            detections[structure.name] = Detection(lines(structure, residuals))
        except ValueError:
            continue  # no line in the range
    trials = {name: _Trials(residuals, each.lines, false_alarm / len(looked_for)) for name, each in detections.items()}
    chosen: list[str] = []
    rejected: set[str] = set()
    left = residuals
    while True:
        best = {name: trial.best(left) for name, trial in trials.items() if name not in chosen}
        for name, trial in best.items():
            detection = detections[name]
            if not detection.missing:
                detection.significance, detection.strain, detection.breadth = trial
                detection.threshold = trials[name].threshold
        significant = [
            name
            for name in best
            if best[name][0] > trials[name].threshold and not detections[name].missing and name not in rejected
        ]
        if not significant:
            break
        first = max(significant, key=lambda name: best[name][0])
        detection = detections[first]
        _fit(left, [detection], intervals=False)
        detection.missing = _missing_lines(left, detection) if exclude else []
        if detection.missing:
            continue
        # A phase that rests on flanks of the main phase, or is as broad as the background, is a misfit of these.
        background = detection.breadth > BACKGROUND_BREADTH * left.scherrer_breadth(SMALLEST_SIZE)
        if background or _significance_beside_flanks(left, detection) < detection.threshold:
            rejected.add(first)
            continue
        detection.present = True
        chosen.append(first)
        left = left.with_nuisance(_freed_phase(left, detection))
        for name in significant:
            if name != first and trials[name].best(left)[0] <= trials[name].threshold:
                detection.rivals[name] = best[first][0] ** 2 - best[name][0] ** 2
    if chosen:
        _fit(residuals, [detections[name] for name in chosen])
    for name in chosen:
        for rival, increase in detections[name].rivals.items():
            if increase < INDISTINGUISHABLE:
                detections[name].indistinguishable.append(rival)
                detections[rival].indistinguishable.append(name)
    for name, detection in detections.items():
        if detection.present:
            detection.limit = np.inf if detection.area.high is None else detection.area.high
        else:
            area, detection.limit = trials[name].limit(left)
            detection.area = Interval(area)
    return detections


class _Trials:
    """Trial patterns of one phase: every cell within its range, several breadths.

    They are correlated with one residual pattern after the other, each with more in its nuisance space.
    """

    def __init__(self, residuals: ResidualPattern, lines: PhaseLines, false_alarm: float) -> None:
        # Derivative of the highest angle by the strain [degree]: there the cells must lie closest.
        steepest = 2 * np.degrees(np.tan(np.radians(residuals.two_theta[-1]) / 2))
        uncertainty = lines.structure.uncertainty
        self.trials: list[tuple[float, float]] = []
        patterns = []
        for i, breadth in enumerate(map(residuals.scherrer_breadth, TRIAL_SIZES)):
            fwhm = float(residuals.fwhm(residuals.two_theta[-1], breadth)[0])
            count = 2 * int(np.ceil(uncertainty * steepest / (CELL_SPACING * fwhm))) + 1
            # Back and forth over the cells: neighbours in the list differ little, as the length of the path requires.
            strains = np.linspace(-1, 1, min(count, MOST_CELLS))[:: (-1) ** i] * uncertainty
            positions = np.array([lines.positions(residuals, strain) for strain in strains])
            breadths = np.full(strains.size, breadth)
            self.trials += zip(strains.tolist(), breadths.tolist(), strict=True)
            patterns.append(residuals.sums_of_peaks(positions, breadths, np.tile(lines.powder, (strains.size, 1))))
        self.patterns = np.hstack(patterns)
        matrix, _ = residuals.normal_equations(self.patterns)
        self.whole, self.left = (self.patterns**2).sum(axis=0), np.diag(matrix)
        self.projected_out = residuals.nuisance.shape[1]
        norms = self._norms(residuals)
        cosines = np.diag(matrix, 1) / (norms[1:] * norms[:-1])  # 0 where a trial has no line in the range
        length = np.arccos(np.clip(cosines, -1, 1))[cosines != 0].sum()

        def chance(significance: float) -> float:
            """Davies' bound: one trial, and the rate of upcrossings along the path of unit vectors."""
            return special.ndtr(-significance) + length / (2 * np.pi) * np.exp(-(significance**2) / 2)

        self.threshold = float(optimize.brentq(lambda x: chance(x) - false_alarm, 0, 40))

    def best(self, residuals: ResidualPattern) -> tuple[float, float, float]:
        """Return significance, strain and breadth of the best trial."""
        significance = self.patterns.T @ residuals.normalised / self._norms(residuals)
        at = int(significance.argmax())
        return float(significance[at]), *self.trials[at]

    def limit(self, residuals: ResidualPattern) -> tuple[float, float]:
        """Return the area at the tabulated cell, and the 95 % upper limit of the area over all trials."""
        norms = self._norms(residuals)
        if not np.isfinite(norms).any():
            return 0.0, np.inf  # everything is hidden: any amount could be there
        areas, errors = self.patterns.T @ residuals.normalised / norms**2, 1 / norms
        tabulated = min(range(norms.size), key=lambda i: (abs(self.trials[i][0]), self.trials[i][1]))
        # An area is not negative: a limit below that of an empty pattern would claim what the noise has taken away.
        highest = np.maximum(areas, 0) + NORMAL_ONE_SIDED * errors
        return float(areas[tabulated]), float(highest.max())

    def _norms(self, residuals: ResidualPattern) -> np.ndarray:
        """Return the norms of the projected patterns; infinite where next to nothing is left."""
        new = residuals.nuisance[:, self.projected_out :]
        self.left = self.left - ((new.T @ self.patterns) ** 2).sum(axis=0)
        self.projected_out = residuals.nuisance.shape[1]
        return np.sqrt(np.where(self.left <= HIDDEN_SHARE * self.whole, np.inf, self.left))


def _fit(residuals: ResidualPattern, detections: Sequence[Detection], *, intervals: bool = True) -> None:
    """Fit area, cell, breadth and texture of some phases together, from their present values."""
    start: list[float] = []
    bounds: list[tuple[float, float]] = []
    broadest = residuals.scherrer_breadth(SMALLEST_SIZE)
    for each in detections:
        strain = each.lines.structure.uncertainty
        start += [each.strain, min(each.breadth, LARGEST_START * broadest), each.texture]
        bounds += [(-strain, strain), (0, broadest), MARCH_RANGE]

    def blocks(x: np.ndarray) -> list[np.ndarray]:
        shapes = x.reshape(-1, 3)
        return [_phase_block(residuals, each, *shape) for each, shape in zip(detections, shapes, strict=True)]

    at = residuals.fit_parameters(blocks, np.array(start), np.array(bounds))
    matrix, products = residuals.normal_equations(np.column_stack([block[:, 0] for block in blocks(at)]))
    areas = np.linalg.lstsq(matrix, products, rcond=1e-12)[0]
    for each, area, shape in zip(detections, areas, at.reshape(-1, 3), strict=True):
        each.area = Interval(float(area))
        each.strain, each.breadth, each.texture = map(float, shape)
    if not intervals:
        return
    for each, area in zip(detections, areas, strict=True):
        others = [_phase_block(residuals, other, *other.shape) for other in detections if other is not each]
        left = residuals.with_nuisance(np.hstack(others)) if others else residuals
        each.area = left.area_interval(float(area), _block_at_breadth(residuals, each), each.breadth)


def _block_at_breadth(residuals: ResidualPattern, detection: Detection) -> Callable[[float], np.ndarray]:
    """Return the block of a phase at another breadth, without the derivative by the breadth, which is varied."""
    return lambda x: _phase_block(residuals, detection, detection.strain, x, detection.texture)[:, [0, 1, 3]]


def _phase_block(
    residuals: ResidualPattern, detection: Detection, strain: float, breadth: float, texture: float
) -> np.ndarray:
    """Return a phase's pattern and its derivatives by strain, breadth and March coefficient, shape (m, 4)."""
    lines, step = detection.lines, DERIVATIVE_STEP
    textured = lines.structure.texture_axis is not None
    here, moved = lines.positions(residuals, strain), lines.positions(residuals, strain + step)
    usual, turned = lines.intensity(texture), lines.intensity(texture + step * textured)
    breadths = np.array([breadth, breadth, breadth + step, breadth])
    positions, intensities = np.array([here, moved, here, here]), np.array([usual, usual, usual, turned])
    pattern, *changed = residuals.sums_of_peaks(positions, breadths, intensities).T
    return np.column_stack([pattern, *((each - pattern) / step for each in changed)])


def _freed_phase(residuals: ResidualPattern, detection: Detection) -> np.ndarray:
    """Return the lines of a phase, each with a free area, also displaced and broadened.

    Free areas take up texture that the March coefficient does not describe; otherwise its remains would look like
    another phase.
    """
    lines, (factor, addition) = detection.lines, FREED_BREADTH
    strong = lines.powder > FREED_LINES
    displaced = [
        residuals.peak_profiles(lines.positions(residuals, detection.strain + step)[strong], detection.breadth)
        for step in (-FREED_STRAIN, 0, FREED_STRAIN)
    ]
    broader = residuals.peak_profiles(detection.positions(residuals)[strong], factor * detection.breadth + addition)
    return np.hstack([part.toarray() for part in (*displaced, broader)])


def line_areas(residuals: ResidualPattern, detection: Detection) -> tuple[np.ndarray, np.ndarray]:
    """Return area and standard error of each line of a phase, each fitted alone [intensity x degree]."""
    peaks = residuals.peak_profiles(detection.positions(residuals), detection.breadth)
    norms = np.maximum(residuals.projected_norms(peaks), 1e-12)
    return peaks.T @ residuals.normalised / norms**2, 1 / norms


def disagreement(residuals: ResidualPattern, detection: Detection) -> float:
    """Return the factor on the interval of a phase's area for lines that disagree on it: 1 where they agree.

    It is the square root of the reduced chi square of the lines' areas, where that exceeds its 95 % quantile, with
    Student's t for few lines.
    """
    areas, errors = line_areas(residuals, detection)
    expected = detection.best_area * detection.intensity()
    usable = (expected > CLEAR_LINE * errors) & ~residuals.is_flank(detection.positions(residuals), expected)
    freedom = int(usable.sum()) - 1
    if freedom < 1:
        return 1.0
    scatter = np.sum(((areas - expected) / errors)[usable] ** 2) / freedom
    if scatter < chi_square(freedom) / freedom:
        return 1.0
    return float(student(freedom) / NORMAL * np.sqrt(scatter))


def _significance_beside_flanks(residuals: ResidualPattern, detection: Detection) -> float:
    """Return the significance of the lines of a phase that are not flanks of the main phase's reflections."""
    areas, errors = line_areas(residuals, detection)
    intensity = detection.intensity()
    flank = residuals.is_flank(detection.positions(residuals), detection.best_area * intensity)
    weight = np.where(flank, 0.0, (intensity / errors) ** 2)
    return float(np.sum(weight * areas / intensity) / np.sqrt(weight.sum())) if weight.any() else 0.0


def _missing_lines(residuals: ResidualPattern, detection: Detection) -> list[str]:
    """Return the lines that the phase would have to show and that the pattern does not show."""
    areas, errors = line_areas(residuals, detection)
    intensity = detection.intensity()
    best = (intensity * areas / errors**2).argmax()  # the line with most evidence for the phase
    # The lower limit of that line bounds the area of the phase from below: the others are expected in proportion.
    area = max(detection.best_area, (areas[best] - NORMAL_ONE_SIDED * errors[best]) / intensity[best])
    strong = (intensity > REQUIRED_OF_BEST * intensity[best]) | (detection.lines.powder > REQUIRED_OF_STRONGEST)
    required = strong & ~residuals.is_flank(detection.positions(residuals), area * intensity)
    required[best] = False
    absent = required & (areas + EXCLUSION_SIGNIFICANCE * errors < area * intensity / TEXTURE_MARGIN)
    weight = np.where(required, (intensity / errors) ** 2, 0.0)
    if not absent.any() and weight.sum() > 0:  # no line alone, but all of them together
        together = np.sum(np.where(required, intensity * areas / errors**2, 0.0)) / weight.sum()
        if together + EXCLUSION_SIGNIFICANCE / np.sqrt(weight.sum()) < area / TEXTURE_MARGIN:
            absent = required
    return [hkl for hkl, out in zip(detection.lines.hkl, absent, strict=True) if out]
