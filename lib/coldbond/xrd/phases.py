"""Detection of minor phases: which phases looked for a pattern shows beside its main phase, and how much of each.

Each phase is a pattern of lines with calculated intensities. It is correlated with the residuals for every cell within
the range of its structure and for several crystallite sizes and textures (`phase_trials`). A significant phase is
fitted (area, cell, breadth, March coefficient), excluded where lines that it must show are missing (`line_evidence`),
and added to the nuisance space before the others are tested again. Areas have intervals by profile likelihood; a phase
that is not detected has an upper limit over all trials.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from coldbond.interval import Interval
from coldbond.xrd.line_evidence import disagreement, lone_line, missing_lines, significance_beside_flanks
from coldbond.xrd.phase_lines import Detection, lines
from coldbond.xrd.phase_trials import SMALLEST_PHASE_SIZE, Trials
from coldbond.xrd.residual_pattern import ResidualPattern, breadth_paths
from coldbond.xrd.structures import Structure, find

#: Probability that noise alone makes any of the phases looked for appear.
FALSE_ALARM = 0.01
MARCH_RANGE = (0.3, 2.0)  # of the March coefficient: what platelets and needles reach
MARCH_MARGIN = 1.1  # factor from either end within which a March coefficient is at the end
MARCH_STEPS = 9  # of the profile likelihood from the March coefficient that fits best to either end of the range
END_OF_RANGE = 0.999  # of the relative change of a cell, over the most that it may be
DERIVATIVE_STEP = 1e-6  # of the derivatives by strain, breadth [degree] and March coefficient
#: Difference of chi square below which two phases explain the same peaks equally well: three standard deviations.
INDISTINGUISHABLE = 9.0
#: Breadth over that of `SMALLEST_PHASE_SIZE` from which on a phase is part of the background, and the largest at which
#: a fit starts, so that its bound is not active from the first step.
BACKGROUND_BREADTH, LARGEST_START = 0.97, 0.95
#: Powder intensity over that of the strongest line above which a line of a detected phase is free in the nuisance
#: space; relative change of the cell, and factor and addition [degree] to the breadth, for which it is freed too.
FREED_LINES, FREED_STRAIN, FREED_BREADTH = 0.1, 2e-4, (1.3, 0.02)


def look_for(
    residuals: ResidualPattern,
    looked_for: Sequence[str | Structure],
    *,
    refined: Mapping[str, Structure] = MappingProxyType({}),
    exclude: bool = True,
    false_alarm: float = FALSE_ALARM,
) -> dict[str, Detection]:
    """Return the result for each phase that is looked for.

    Parameters
    ----------
    residuals : ResidualPattern
    looked_for : sequence of str or Structure
        Phases, by their names in `structures.STRUCTURES` or their structures.
    refined : mapping of str to Structure
        Phases whose cell the whole-pattern fit has refined.
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
            detections[structure.name] = Detection(lines(refined.get(structure.name, structure), residuals))
        except ValueError:
            continue  # no line in the range
    trials = {name: Trials(residuals, each.lines, false_alarm / len(looked_for)) for name, each in detections.items()}
    chosen: list[str] = []
    set_aside: set[str] = set()
    evidence: dict[str, int] = {}  # line of most evidence for an excluded phase
    left = residuals
    while True:
        best = {name: trial.best(left) for name, trial in trials.items() if name not in chosen}
        for name, trial in best.items():
            detection = detections[name]
            if not detection.missing:
                detection.significance, detection.strain, detection.breadth, detection.texture = trial
                detection.threshold = trials[name].threshold
        significant = [
            name
            for name in best
            if best[name].significance > trials[name].threshold
            and not detections[name].missing
            and name not in set_aside
        ]
        if not significant:
            break
        first = max(significant, key=lambda name: best[name].significance)
        detection = detections[first]
        _fit(left, [detection], intervals=False)
        if exclude:
            detection.missing, evidence[first] = missing_lines(left, detection)
        if detection.missing:
            continue
        # A phase that rests on flanks of the main phase or of phases found before, or is as broad as the background, is
        # a misfit of these.
        background = detection.breadth > BACKGROUND_BREADTH * left.scherrer_breadth(SMALLEST_PHASE_SIZE)
        if background or significance_beside_flanks(left, detection) < detection.threshold:
            set_aside.add(first)
            continue
        if exclude:
            detection.doubt = _doubt(left, detection)
        if detection.doubt:
            set_aside.add(first)
            continue
        detection.present = True
        chosen.append(first)
        areas = detection.best_area * detection.intensity()
        left = left.with_nuisance(_freed_phase(left, detection))
        left = left.with_lines(detection.positions(left), areas, detection.breadth)
        for name in significant:
            if name != first and trials[name].best(left).significance <= trials[name].threshold:
                detection.rivals[name] = best[first].significance ** 2 - best[name].significance ** 2
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
            continue
        if best[name].significance <= trials[name].threshold:
            detection.doubt = ""  # another phase explains the line
        area, detection.limit = trials[name].limit(left)
        detection.area = Interval(area)
        if detection.missing:
            # The line that made the phase significant belongs to something else; the others bound the phase.
            powder = detection.lines.powder.copy()
            powder[evidence[name]] = 0.0
            others = Trials(residuals, replace(detection.lines, powder=powder), false_alarm)
            detection.limit = min(detection.limit, others.limit(left)[1])
    return detections


def _doubt(residuals: ResidualPattern, detection: Detection) -> str:
    """Return why lines that fit a phase are no evidence of it; "" if they are."""
    most = detection.lines.structure.uncertainty
    if abs(detection.strain) > END_OF_RANGE * most:
        return f"its lines fit only with a cell {100 * abs(detection.strain):.1f} % off, the most that it may have"
    if alone := lone_line(residuals, detection):
        return f"rests on its line {alone} alone: a texture that hides the others, or another phase"
    if detection.significance < detection.threshold * disagreement(residuals, detection):
        return "rests on lines that disagree on its amount by more than their errors"
    return ""


def _fit(residuals: ResidualPattern, detections: Sequence[Detection], *, intervals: bool = True) -> None:
    """Fit area, cell, breadth and texture of some phases together, from their present values."""
    start: list[float] = []
    bounds: list[tuple[float, float]] = []
    broadest = residuals.scherrer_breadth(SMALLEST_PHASE_SIZE)
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
        by_breadth = left.area_interval(float(area), _block_at_breadth(left, each), breadth_paths(each.breadth))
        each.area = by_breadth
        if each.lines.structure.texture_axis is not None:
            paths = [np.geomspace(each.texture, end, MARCH_STEPS) for end in MARCH_RANGE]
            by_texture = left.area_interval(float(area), _block_at_texture(left, each), paths)
            each.area = Interval.hull(float(area), [by_breadth, by_texture])


def _block_at_breadth(residuals: ResidualPattern, detection: Detection) -> Callable[[float], np.ndarray]:
    """Return the block of a phase at another breadth, without the derivative by the breadth, which is varied.

    At an end of the range of textures the derivative by the texture is left out: it would leave the range.
    """
    least, most = MARCH_RANGE
    kept = [0, 1, 3] if least * MARCH_MARGIN < detection.texture < most / MARCH_MARGIN else [0, 1]
    return lambda x: _phase_block(residuals, detection, detection.strain, x, detection.texture)[:, kept]


def _block_at_texture(residuals: ResidualPattern, detection: Detection) -> Callable[[float], np.ndarray]:
    """Return the block of a phase at another March coefficient, without the derivative by it."""
    return lambda r: _phase_block(residuals, detection, detection.strain, detection.breadth, r)[:, :3]


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
