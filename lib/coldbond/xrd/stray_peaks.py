"""Number and intensity of stray peaks of a pattern, above an area that all patterns compared could show.

A noisier pattern shows fewer weak peaks. Peaks are therefore counted only above the largest detection limit of the
patterns that are compared. The interval of the number is that of peaks whose area may lie on the other side of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from coldbond.interval import NORMAL, Interval
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.peak_assignment import explaining_phases

#: Relative standard uncertainty of the summed area of stray peaks beside counting: it changed by 6 % at most (half
#: width of a rectangular distribution) when the profiles of the main phase, on whose tails they stand, were evaluated
#: to other distances.
TAIL_UNCERTAINTY = 0.035
#: Crystallite size of a typical stray peak, nm; distance from the ends of the pattern, degree, and number of the angles
#: at which its detection limit is calculated.
TYPICAL_SIZE, END_MARGIN, ANGLES = 30.0, 1.0, 200


@dataclass(frozen=True)
class StrayPeaks:
    """Stray peaks of a pattern above a limit.

    Attributes
    ----------
    count : Interval
    intensity : Interval
        Summed area, percent of the main phase's strongest line.
    unexplained : int
        Those that no phase looked for explains.
    limit : float
        Area above which a peak is counted, percent of the main phase's strongest line.
    """

    count: Interval
    intensity: Interval
    unexplained: int
    limit: float

    def is_more_than(self, other: "StrayPeaks") -> bool:
        """Return whether number and intensity both exceed those of another pattern beyond the intervals."""
        return all(
            mine.low is not None and theirs.high is not None and mine.low > theirs.high
            for mine, theirs in ((self.count, other.count), (self.intensity, other.intensity))
        )


def detection_limit(found: Analysis) -> float:
    """Return the area that a peak beside the main reflections needs, percent of the main phase's strongest line."""
    residuals = found.residuals
    grid = np.linspace(residuals.two_theta[0] + END_MARGIN, residuals.two_theta[-1] - END_MARGIN, ANGLES)
    profiles = residuals.peak_profiles(grid, residuals.scherrer_breadth(TYPICAL_SIZE))
    errors = 1 / residuals.projected_norms(profiles)
    return float(100 * found.peaks.attrs["threshold"] * np.median(errors) / found.strongest_area)


def common_detection_limit(analyses: Iterable[Analysis]) -> float:
    """Return the largest detection limit of several patterns, percent of the main phase's strongest line."""
    return max(map(detection_limit, analyses))


def stray_peaks(found: Analysis, limit: float) -> StrayPeaks:
    """Return number and summed area of the peaks beside the main phase.

    Parameters
    ----------
    found : Analysis
    limit : float
        Area above which a peak is counted, percent of the main phase's strongest line: from `common_detection_limit`,
        so that patterns of different noise can be compared.
    """
    strays = found.stray_peaks
    areas, errors = (100 * strays[name].to_numpy() / found.strongest_area for name in ("area", "area_error"))
    count, low, high = (int(np.sum(areas + sign * NORMAL * errors > limit)) for sign in (0, -1, 1))
    counted = areas > limit
    explained = [bool(explaining_phases(candidates)) for candidates in found.assignments()]
    total = float(areas[counted].sum())
    half = NORMAL * float(np.hypot(np.sqrt(np.sum(errors[counted] ** 2)), TAIL_UNCERTAINTY * total))
    # The upper bound allows for one peak just below the limit.
    intensity = Interval(total, max(total - half, 0.0), max(total + half, limit))
    return StrayPeaks(Interval(count, low, high), intensity, int(np.sum(counted & ~np.array(explained, bool))), limit)


def unexplained_area(found: Analysis) -> float:
    """Return the area of the stray peaks that no phase explains, intensity x degree."""
    areas = found.stray_peaks.area.to_numpy()
    pairs = zip(areas, found.assignments(), strict=True)
    return float(sum(area for area, candidates in pairs if not explaining_phases(candidates)))
