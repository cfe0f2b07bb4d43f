"""Evidence of the single lines of a phase: which are there, which are missing, and whether they agree on its amount.

The areas of all lines of a phase are solved jointly, with their covariance: broad lines overlap, and a line that is
fitted alone takes up the tails of its neighbours.
"""

from dataclasses import replace

import numpy as np

from coldbond.interval import NORMAL_ONE_SIDED, chi_square
from coldbond.xrd.phase_lines import Detection
from coldbond.xrd.residual_pattern import ResidualPattern

#: Lines that a phase must show: those above the first share of the line with most evidence for it, at its texture, and
#: those above the second share of its strongest line in a powder. Set with the shipped patterns, where weaker lines
#: excluded phases that are there.
REQUIRED_OF_BEST, REQUIRED_OF_STRONGEST = 0.2, 0.3
#: Factor by which preferred orientation beyond the fitted texture may weaken a line against the others.
TEXTURE_MARGIN = 3.0
#: Standard deviations by which a required line must stay below its expected area to exclude a phase.
EXCLUSION_SIGNIFICANCE = 3.0
#: Expected area over its standard error above which a line tells whether texture is modelled well.
CLEAR_LINE = 2.0
#: Added to the diagonal of a scaled normal matrix: what lines that coincide share among them gets a large error.
RIDGE = 1e-9


def line_areas(residuals: ResidualPattern, detection: Detection) -> tuple[np.ndarray, np.ndarray]:
    """Return the areas of the lines of a phase, fitted together, and their covariance, shapes (n,) and (n, n)."""
    peaks = residuals.peak_profiles(detection.positions(residuals), detection.breadth).toarray()
    matrix, products = residuals.normal_equations(peaks)
    norms = np.sqrt(np.maximum(np.diag(matrix), 1e-24))
    inverse = np.linalg.inv(matrix / np.outer(norms, norms) + RIDGE * np.eye(norms.size))
    return inverse @ (products / norms) / norms, inverse / np.outer(norms, norms)


def missing_lines(residuals: ResidualPattern, detection: Detection) -> tuple[list[str], int]:
    """Return the lines that the phase would have to show and does not, and the index of that with most evidence."""
    areas, covariance = line_areas(residuals, detection)
    errors, intensity = np.sqrt(np.diag(covariance)), detection.intensity()
    best = int((intensity * areas / errors**2).argmax())
    # The lower limit of that line bounds the area of the phase from below: the others are expected in proportion.
    area = max(detection.best_area, (areas[best] - NORMAL_ONE_SIDED * errors[best]) / intensity[best])
    strong = (intensity > REQUIRED_OF_BEST * intensity[best]) | (detection.lines.powder > REQUIRED_OF_STRONGEST)
    required = strong & ~residuals.is_flank(detection.positions(residuals), area * intensity)
    required[best] = False
    absent = required & (areas + EXCLUSION_SIGNIFICANCE * errors < area * intensity / TEXTURE_MARGIN)
    if not absent.any() and required.any():  # no line alone, but all of them together
        together, error = _amount(areas, covariance, intensity, required)
        if together + EXCLUSION_SIGNIFICANCE * error < area / TEXTURE_MARGIN:
            absent = required
    return [hkl for hkl, out in zip(detection.lines.hkl, absent, strict=True) if out], best


def lone_line(residuals: ResidualPattern, detection: Detection) -> str:
    """Return the line that a phase rests on alone, if texture has to explain why no other is seen; "" if none.

    The other lines together must be as significant as a phase has to be.
    """
    powder = replace(detection, texture=1.0)
    missing, _ = missing_lines(residuals, powder)
    if not missing:
        return ""
    areas, covariance = line_areas(residuals, detection)
    intensity = detection.intensity()
    best = int((intensity * areas / np.diag(covariance)).argmax())
    others = ~residuals.is_flank(detection.positions(residuals), detection.best_area * intensity)
    others[best] = False
    if others.any():
        amount, error = _amount(areas, covariance, intensity, others)
        if amount > detection.threshold * error:
            return ""
    return detection.lines.hkl[best]


def significance_beside_flanks(residuals: ResidualPattern, detection: Detection) -> float:
    """Return the significance of the lines of a phase that are not flanks of known ones."""
    areas, covariance = line_areas(residuals, detection)
    intensity = detection.intensity()
    beside = ~residuals.is_flank(detection.positions(residuals), detection.best_area * intensity)
    if not beside.any():
        return 0.0
    amount, error = _amount(areas, covariance, intensity, beside)
    return amount / error


def stands_out(residuals: ResidualPattern, detection: Detection, threshold: float) -> bool:
    """Return whether a line of a phase by itself, beside the known ones, exceeds a significance."""
    areas, covariance = line_areas(residuals, detection)
    beside = ~residuals.is_flank(detection.positions(residuals), areas)
    return bool(((areas > threshold * np.sqrt(np.diag(covariance))) & beside).any())


def disagreement(residuals: ResidualPattern, detection: Detection) -> float:
    """Return the factor on the interval of a phase's area for lines that disagree on it: 1 where they agree.

    It is the square root of the reduced chi square of the lines' areas, where that exceeds its 95 % quantile (Birge
    1932, doi 10.1103/PhysRev.40.207). Area and, for a phase with a habit, March coefficient are fitted.
    """
    areas, covariance = line_areas(residuals, detection)
    expected = detection.best_area * detection.intensity()
    clear = expected > CLEAR_LINE * np.sqrt(np.diag(covariance))
    usable = clear & ~residuals.is_flank(detection.positions(residuals), expected)
    freedom = int(usable.sum()) - 1 - (detection.lines.structure.texture_axis is not None)
    if freedom < 1:
        return 1.0
    off = (areas - expected)[usable]
    scatter = float(off @ np.linalg.solve(covariance[np.ix_(usable, usable)], off)) / freedom
    return float(np.sqrt(scatter)) if scatter > chi_square(freedom) / freedom else 1.0


def _amount(areas: np.ndarray, covariance: np.ndarray, intensity: np.ndarray, of: np.ndarray) -> tuple[float, float]:
    """Return the area of the phase that some of its lines ask for, and its standard error; the others are free."""
    weighted = np.linalg.solve(covariance[np.ix_(of, of)], intensity[of])
    information = float(weighted @ intensity[of])
    return float(weighted @ areas[of]) / information, 1 / np.sqrt(information)
