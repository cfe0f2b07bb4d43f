"""Assignment of stray peaks to phases: which phase explains a peak, could explain it, or is excluded, and why.

A phase is a candidate for a peak if it has a line there, within the error of the peak, the range of the phase's cell
and a tolerance for displaced layers. A phase that is present explains the peak; one that is not present could still be
part of the peak up to its upper limit, unless lines that it would need are missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import xarray as xr

from coldbond.interval import NORMAL
from coldbond.xrd.line_evidence import TEXTURE_MARGIN
from coldbond.xrd.phase_lines import Detection
from coldbond.xrd.phases import INDISTINGUISHABLE
from coldbond.xrd.residual_pattern import ResidualPattern

#: Distance by which a peak may miss a line beyond its error, degree: a film lies higher than the main phase.
POSITION_TOLERANCE = 0.02
#: Relative error of the cell of a phase that is present: it is fitted.
FITTED_CELL = 0.0005
#: Share of a peak's area that a phase must reach with its upper limit to be able to explain the peak.
LEAST_SHARE = 0.5


class Role(Enum):
    """What a candidate is to a peak."""

    EXPLAINS = "explains"
    POSSIBLE = "possible"
    EXCLUDED = "excluded"


@dataclass(frozen=True)
class Candidate:
    """A phase with a line at a stray peak.

    Attributes
    ----------
    phase, hkl : str
    role : Role
    missing : tuple of str
        Lines whose absence excludes the phase.
    chi_square_increase : float or None
        Of the pattern with this phase instead of the one that is present.
    share : float
        Upper limit of the line's area over that of the peak.
    """

    phase: str
    hkl: str
    role: Role
    missing: tuple[str, ...]
    chi_square_increase: float | None
    share: float


def assign(
    stray_peaks: xr.Dataset, detections: Mapping[str, Detection], residuals: ResidualPattern
) -> list[list[Candidate]]:
    """Return the candidates for each stray peak.

    Parameters
    ----------
    stray_peaks : xarray.Dataset
        From `peaks.search`.
    detections : mapping of str to Detection
        From `phases.look_for`.
    residuals : ResidualPattern
        That both were found in.
    """
    columns = (stray_peaks[name].to_numpy().tolist() for name in ("two_theta", "two_theta_error", "area"))
    return [
        _candidates(two_theta, error, area, detections, residuals)
        for two_theta, error, area in zip(*columns, strict=True)
    ]


def explaining_phases(candidates: Sequence[Candidate]) -> list[str]:
    """Return the phases that explain a peak."""
    return [candidate.phase for candidate in candidates if candidate.role is Role.EXPLAINS]


def _candidates(
    two_theta: float,
    error: float,
    area: float,
    detections: Mapping[str, Detection],
    residuals: ResidualPattern,
) -> list[Candidate]:
    found = []
    for name, detection in detections.items():
        here = detection.lines.positions(residuals, detection.strain if detection.present else 0.0)
        cell = FITTED_CELL if detection.present else detection.lines.structure.uncertainty
        tolerance = NORMAL * error + POSITION_TOLERANCE + 2 * np.degrees(cell * np.tan(np.radians(here) / 2))
        hits = np.flatnonzero(np.abs(here - two_theta) < tolerance)
        if not hits.size:
            continue
        intensity = detection.intensity()
        hit = hits[intensity[hits].argmax()]
        share = float(detection.limit * intensity[hit] / area)
        increases = [other.rivals[name] for other in detections.values() if name in other.rivals]
        increase = increases[0] if increases else None
        role = _role(detection, share, increase)
        missing = () if detection.present else tuple(detection.missing)
        found.append(Candidate(name, detection.lines.hkl[hit], role, missing, increase, share))
    return found


def _role(detection: Detection, share: float, increase: float | None) -> Role:
    # Texture beyond the fitted one may strengthen a line of a phase that is present.
    if detection.present and share * TEXTURE_MARGIN > LEAST_SHARE:
        return Role.EXPLAINS
    if detection.missing:
        return Role.EXCLUDED
    if (increase is not None and increase < INDISTINGUISHABLE) or share > LEAST_SHARE:
        return Role.POSSIBLE
    return Role.EXCLUDED
