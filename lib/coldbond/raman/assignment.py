"""What the modes that are found prove: a phase is present, absent, or this cannot be told.

- Present: all modes of the phase are found, and no other phase explains one of them. Another phase explains a mode if
  it has a line there, and the heights of its other lines, or their upper limits, allow one so high.
- Absent: no mode is found, and the upper limits of all are below the height that matters.
- Otherwise it cannot be told, and the reason is given.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coldbond.interval import NORMAL, Interval
from coldbond.raman import confidence_intervals
from coldbond.raman.bands import MODE, Fit
from coldbond.raman.reference import Phase

#: Distance of a line of another phase from a mode that it may explain, beyond the uncertainty of the axis, 1/cm:
#: strain, composition and temperature move lines by as much.
NEAR = 10.0
LIMIT_DISTANCES = (-5.0, 0.0, 5.0)  # from the lines of another phase that an upper limit covers, 1/cm
OVERLAPPING = 0.1  # height relative to the highest band, above which an overlapping band prevents a verdict on a mode
AT_BOUND = 0.02  # of the range of a parameter: nearer to its end it is at its bound


@dataclass(frozen=True)
class Band:
    """Result for one band or mode.

    Attributes
    ----------
    expected : float
        Expected position, 1/cm.
    looked_for : bool
        Whether it is one of the modes that are looked for, and not one of the sample's own bands.
    found : bool
        Whether the spectrum has a band there; true of the sample's own bands.
    position, width : Interval
        Middle between the half maxima, and full width at half maximum, 1/cm; without value where the data do not
        determine them.
    height : Interval
        In `Decomposition.height_unit`; of a mode that is not found the upper limit. Without value where the top is
        saturated.
    is_cut : bool
        Whether it is found and its top is saturated.
    p, bic_gain : float or None
        Largest probability of the F tests against the fits without the mode, and the smallest gain in the Bayesian
        information criterion; None for the sample's own bands, which are not tested.
    present : bool or None
        Whether the mode that is looked for is present; None where that cannot be told. True of the sample's own bands.
    reason : str
        Why it cannot be told.
    """

    expected: float
    looked_for: bool
    found: bool
    position: Interval
    width: Interval
    height: Interval
    is_cut: bool = False
    p: float | None = None
    bic_gain: float | None = None
    present: bool | None = True
    reason: str = ""


def doubts(
    bands: Mapping[str, Band],
    shown: Fit,
    own: Sequence[str],
    highest: str | None,
    uncertain: Sequence[tuple[float, float]],
    saturated: np.ndarray,
) -> dict[str, str]:
    """Return why the absence of a mode cannot be told, other than by its upper limit; modes without doubt are left out.

    Parameters
    ----------
    bands : mapping of str to Band
    shown : Fit
        Without the modes that are not found.
    own : sequence of str
        Names of the sample's own bands in the fits.
    highest : str or None
        The highest of them.
    uncertain : sequence of (float, float)
        Position [1/cm] and width [pixels] of peaks that may be lines or cosmic rays.
    saturated : array, shape (m,)
        Positions of saturated points, 1/cm.
    """
    found = {}
    for name, mode in bands.items():
        if mode.found:
            continue
        narrow = [peak for peak in uncertain if abs(peak[0] - mode.expected) <= MODE.distance]
        if narrow:
            place, width = narrow[0]
            found[name] = (
                f"the peak at {place:.0f} 1/cm is {width:.1f} pixels wide: a line or a cosmic ray; state the "
                "instrument's resolution, or record the spectrum twice"
            )
        elif saturated.size and np.abs(saturated - mode.expected).min() <= MODE.distance:
            found[name] = "points there are saturated"
        elif wide := [one for one in own if _at_bound(shown, one) and _reaches(shown, one, mode.expected, highest)]:
            place = shown.parameters[f"{wide[0]}_position"].value
            found[name] = f"the band at {place:.0f} 1/cm overlaps it; its width or position is at a bound"
    return found


def _at_bound(fit: Fit, name: str) -> bool:
    for what in ("position", "width"):
        of = fit.parameters[f"{name}_{what}"]
        margin = AT_BOUND * (of.max - of.min)
        if of.value > of.max - margin or (what == "position" and of.value < of.min + margin):
            return True
    return False


def _reaches(fit: Fit, name: str, place: float, highest: str | None) -> bool:
    """Return whether a band is high enough, and near enough to a place, to overlap a mode there."""
    position, width = (fit.parameters[f"{name}_{what}"].value for what in ("position", "width"))
    own = confidence_intervals.height_of(fit, name)
    most = confidence_intervals.height_of(fit, highest) if highest else own
    return abs(position - place) < width and own > OVERLAPPING * most


def assigned(
    bands: Mapping[str, Band],
    doubts: Mapping[str, str],
    rivals: Sequence[Phase],
    limit: Callable[[float], float],
    reach: tuple[float, float],
    relevant: float | None,
    attrs: Mapping[str, Any],
) -> tuple[dict[str, Band], dict[str, tuple[bool | None, str]]]:
    """Return bands with `present` and `reason`, and the verdict on each phase: whether it is present, and the reason.

    Parameters
    ----------
    bands : mapping of str to Band
    doubts : mapping of str to str
        From `doubts`.
    rivals : sequence of reference.Phase
    limit : callable
        Returns the upper limit of the height of a band at a Raman shift [1/cm].
    reach : (float, float)
        Range of the fit, 1/cm.
    relevant : float or None
        Height below which the absence of a mode is a finding; None where heights are relative to nothing.
    attrs : mapping
        Of the spectrum, with the uncertainty of its axis.
    """
    modes = {name: band for name, band in bands.items() if band.looked_for}
    phases: dict[str, dict[str, Band]] = {}
    for name, mode in modes.items():
        phases.setdefault(name.split()[0], {})[name] = mode
    explained = _explained(modes, rivals, limit, reach, attrs)
    decided = dict(bands)
    verdicts: dict[str, tuple[bool | None, str]] = {}
    for phase, own in phases.items():
        found = [name for name, mode in own.items() if mode.found]
        for name, mode in own.items():
            if not mode.found:
                decided[name] = _without(mode, doubts.get(name, ""), relevant)
        missing = [decided[name] for name in own if name not in found]
        reason = "; ".join(f"{name}: {decided[name].reason}" for name in own if decided[name].reason)
        if not found:
            absent = all(mode.present is False for mode in missing)
            verdicts[phase] = (False, "") if absent else (None, reason)
            continue
        others = {name: explained[name] for name in found if explained[name]}
        if others:
            reason = "; ".join(f"{name} may be a line of {', '.join(by)}" for name, by in others.items())
        elif missing:
            reason = f"{', '.join(found)} found alone: one mode of several is no proof of {phase}"
        present = None if others or missing else True
        verdicts[phase] = (present, reason if present is None else "")
        for name in found:
            decided[name] = replace(own[name], present=present, reason=reason if present is None else "")
    return decided, verdicts


def _without(mode: Band, doubt: str, relevant: float | None) -> Band:
    """Return a mode that is not found with its verdict."""
    limit = mode.height.high
    if doubt:
        return replace(mode, present=None, reason=doubt)
    if relevant is None:
        return replace(mode, present=None, reason="no band of the sample to compare the upper limit with")
    if limit is None or limit >= relevant:
        return replace(mode, present=None, reason=f"the upper limit is not below {relevant:g} %")
    return replace(mode, present=False)


def _explained(
    modes: Mapping[str, Band],
    rivals: Sequence[Phase],
    limit: Callable[[float], float],
    reach: tuple[float, float],
    attrs: Mapping[str, Any],
) -> dict[str, list[str]]:
    """Return, for each mode that is found, the other phases that explain it."""
    explained: dict[str, list[str]] = {name: [] for name, mode in modes.items() if mode.found}
    for rival in rivals:
        # The mode that stands at each line of the rival, and what it says of the line's height.
        at: dict[float, str] = {}
        for name in explained:
            place = modes[name].position.value or modes[name].expected
            near = NEAR + NORMAL * confidence_intervals.axis_uncertainty_at(attrs, place)
            lines = [line for line in rival.lines if abs(line - place) <= near]
            if lines:
                at[max(lines, key=lambda line: rival.lines[line])] = name
        if not at:
            continue
        margin = max(map(abs, LIMIT_DISTANCES))
        highs = {
            line: (modes[at[line]].height.high or np.inf) if line in at else limit(line)
            for line in rival.lines
            if line in at or reach[0] + margin < line < reach[1] - margin
        }
        for line, name in at.items():
            least = modes[name].height.low or 0.0
            others = [other for other in highs if other != line]
            allowed = [rival.spread * rival.lines[line] / rival.lines[other] * highs[other] for other in others]
            if least <= min(allowed, default=np.inf):
                explained[name].append(rival.name)
    return explained
