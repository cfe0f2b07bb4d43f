"""Findings and tables of analysed patterns: lattice parameters, reference match, phases and stray peaks."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from coldbond.bundle.findings import finding, item
from coldbond.interval import NORMAL, Interval
from coldbond.xrd.agreement import agreement, in_words
from coldbond.xrd.analysis import SMALLEST_SHARE, Analysis, is_present, own_cell, weight_fraction
from coldbond.xrd.findings.common import groups, in_a_name, recording, significant, upper_limit
from coldbond.xrd.findings.mixtures import mixture_findings
from coldbond.xrd.findings.strays import stray_findings
from coldbond.xrd.lattice import lattice_parameters
from coldbond.xrd.pawley import BOTH
from coldbond.xrd.peak_assignment import Candidate, Role
from coldbond.xrd.phases import INDISTINGUISHABLE
from coldbond.xrd.reference_match import (
    LEAST_CORRELATION,
    MOST_MISFIT,
    MOST_UNEXPLAINED,
    SIGNIFICANCE,
    ReferenceMatch,
    compare_with_reference,
)
from coldbond.xrd.rietveld import Mixture
from coldbond.xrd.stray_peaks import common_detection_limit, unexplained_area
from coldbond.xrd.structures import Structure, find
from coldbond.xrd.symmetry import CUBIC, TETRAGONAL, TWO_CELLS

#: Difference of two cells over the range of the structure up to which they may be of one phase: one at either end.
RANGES_APART = 2
MOST_NAMED = 3  # missing lines that a finding names
NAMED_IN_TABLE = 2  # and a table

SHIFTS = {"displacement": ("sample displacement", "mm"), "zero": ("zero error", "degree")}


def pattern_findings(
    analyses: Mapping[str, Analysis],
    reference: str | Structure,
    smallest_share: float = SMALLEST_SHARE,
    mixtures: Mapping[str, Mixture] | None = None,
) -> list[dict]:
    """Return lattice parameters, reference match, phases and stray peaks of each pattern.

    Parameters
    ----------
    analyses : mapping of str to Analysis
    reference : str or Structure
        Structure that the main phase is compared with, or its name in `structures.STRUCTURES`; the main phase itself
        for no comparison.
    smallest_share : float
        Weight fraction that matters, percent: a phase is absent where its upper limit is smaller.
    mixtures : mapping of str to Mixture, optional
        Rietveld fits of the patterns of mixtures of powders: their weight fractions take the place of those from the
        lines of each phase.

    Returns
    -------
    list of dict
        As `coldbond.bundle.findings.finding` returns them.
    """
    rows, limit = [], common_detection_limit(analyses.values())
    known = find(reference)
    matches = {label: _match(found, known) for label, found in analyses.items() if known.name != found.main.name}
    for label, found in analyses.items():
        rows += [*_lattice(found), _fit(found)]
        if label in matches:
            rows.append(_reference_match(found, known.name, matches[label]))
        for name in found.detections:
            for row in _phase(found, name, smallest_share):
                if label not in (mixtures or {}) or row["quantity"] != f"{name}_weight_fraction":
                    rows.append(row)
        rows += stray_findings(found, limit)
    rows += mixture_findings(mixtures or {})
    first, *others = analyses
    replicates_of_first = next(iter(groups(analyses).values()))
    for label in others:
        if first in matches and label in matches and label not in replicates_of_first:
            rows.append(_same_phase(analyses, matches, first, label, known.name))
    return rows


def _lattice(found: Analysis) -> list[dict]:
    known = lattice_parameters(found.fits)
    rows = []
    for name, interval in known.intervals.items():
        unit = _unit(name)
        evidence, alternatives = [], []
        for shift, (named, shift_unit) in SHIFTS.items():
            both = known.by_geometry.sel(geometry=BOTH)
            fitted = Interval.from_standard_error(float(both[shift]), float(both[f"{shift}_error"]))
            evidence.append(item(named, fitted, shift_unit))
            own = known.by_geometry.sel(parameter=name, geometry=shift)
            estimate = Interval.from_standard_error(float(own.estimate), float(own.standard_error))
            alternatives.append(item(f"a {named} alone", estimate, unit))
        correlation = float(known.by_geometry.correlation.sel(parameter=name, geometry=BOTH))
        if np.isfinite(correlation):  # it is not determined where the standard error is not
            evidence.append(item(f"correlation with the {SHIFTS['displacement'][0]}", round(correlation, 2)))
        rows.append(
            finding(
                f"lattice_parameter_{name}",
                interval,
                unit=unit,
                **recording(found),
                evidence=evidence,
                alternatives=alternatives,
            )
        )
    return rows


def _fit(found: Analysis) -> dict:
    fit = agreement(found.pattern, found.fit)
    if fit.expected is None:
        evidence, note = [], "of the whole-pattern fit with free intensities; the counting is unknown"
    else:
        evidence = [
            item("expected from counting, Rexp", significant(fit.expected, 3), "%"),
            item("reduced chi square", significant(fit.reduced_chi_square or 0.0, 3)),
        ]
        note = "of the whole-pattern fit with free intensities"
    evidence.append(item("polynomials of the background", found.fit.background_terms))
    return finding(
        "weighted_profile_residual",
        significant(fit.weighted, 3),
        unit="%",
        **recording(found),
        evidence=evidence,
        note=note,
    )


def _unit(parameter: str) -> str:
    return "angstrom" if parameter in "abc" else "degree"


def _match(found: Analysis, reference: Structure) -> ReferenceMatch | str:
    """Return the comparison with the reference, or why there is none."""
    if found.symmetry is not None and len(found.symmetry.left) > 1:
        return f"the pattern does not tell {' from '.join(found.symmetry.left)}"
    try:
        return compare_with_reference(found.fit, reference, unexplained_area(found))
    except ValueError as error:
        return str(error)


def _reference_match(found: Analysis, reference: str, match: ReferenceMatch | str) -> dict:
    other = _other_garnet(found)
    if isinstance(match, str):
        value, note = (False, other.removesuffix("; ")) if other else (None, match)
        return finding("matches_reference", value, **recording(found), note=note)
    return finding(
        "matches_reference",
        False if other else match.is_match(),
        **recording(found),
        evidence=[
            item("reference", reference),
            item("correlation of the intensities", match.correlation),
            item("p value of the correlation", upper_limit(match.p_value, digits=1)),
            item("missing reflections", ", ".join(match.missing) or "none"),
            item("intensity in unexplained peaks", round(100 * match.unexplained, 2), "%"),
            item("intensity that the fit misses", round(100 * match.misfit, 2), "%"),
            item("lattice parameter, from the reference", round(100 * match.strain, 2), "%"),
        ],
        threshold=[
            item("correlation at least", LEAST_CORRELATION),
            item("p value at most", SIGNIFICANCE),
            item("unexplained intensity at most", 100 * MOST_UNEXPLAINED, "%"),
            item("intensity missed at most", 100 * MOST_MISFIT, "%"),
        ],
        note=f"{other}intensities are compared, positions are not",
    )


def _other_garnet(found: Analysis) -> str:
    """Return what beside one cubic garnet the pattern holds too much of to match one; empty for nothing."""
    garnet = found.symmetry
    if garnet is None or garnet.best == CUBIC:
        return ""
    low = 1.0 if garnet.best == TETRAGONAL else (garnet.second if garnet.best == TWO_CELLS else garnet.tetragonal).low
    return f"{garnet.best}; " if low is not None and low > MOST_UNEXPLAINED else ""


def _same_phase(
    analyses: Mapping[str, Analysis],
    matches: Mapping[str, ReferenceMatch | str],
    first: str,
    label: str,
    reference: str,
) -> dict:
    """Return whether two patterns are of one phase: both match the reference, and their cells are in one range."""
    one, other, whose = analyses[first], analyses[label], recording(analyses[label])
    condition = next(name for name, labels in groups(analyses).items() if first in labels)
    quantity = f"same_phase_as_{in_a_name(condition)}"
    matching = {}
    for name in (first, label):
        match = matches[name]
        if isinstance(match, str):
            return finding(quantity, None, **whose, note=match)
        matching[name] = False if _other_garnet(analyses[name]) else match.is_match()
    strain = other.fit.params["a"].value / one.fit.params["a"].value - 1
    most = RANGES_APART * one.main.uncertainty
    same: bool | None = bool(abs(strain) < most) and False not in matching.values()
    if same and None in matching.values():
        same = None
    return finding(
        quantity,
        same,
        **whose,
        evidence=[
            *(item(f"{name} matches {reference}", is_match) for name, is_match in matching.items()),
            item("relative difference of the lattice parameters", round(100 * strain, 3), "%"),
        ],
        threshold=[item("relative difference below", round(100 * most, 3), "%")],
        note=f"the lattice parameter of {one.main.name} varies with composition by half of the threshold",
    )


def _phase(found: Analysis, name: str, smallest_share: float) -> list[dict]:
    detection, whose = found.detections[name], recording(found)
    present, why = is_present(found, name, smallest_share)
    percent = 100 / found.strongest_area
    strongest = detection.lines.hkl[int(detection.lines.powder.argmax())]
    area = f"area of its {strongest} line over the main phase's strongest"
    if detection.present:
        evidence = [item(area, detection.area.scaled(percent), "%")]
        if detection.texture != 1:
            evidence.append(item("March coefficient of its texture", round(detection.texture, 2)))
        evidence.append(item("significance", significant(detection.significance), "standard deviations"))
        threshold = [item("significance", round(detection.threshold, 1), "standard deviations")]
        assumption = "assumes a homogeneous powder; overestimates a film on the surface"
        assumption += "; the interval includes the disagreement of its lines"
    else:
        limit = upper_limit(percent * detection.limit) if np.isfinite(detection.limit) else "undetermined"
        evidence = [item(area, limit, "%")]
        if detection.missing:
            evidence.append(item("missing lines", ", ".join(detection.missing[:MOST_NAMED])))
        threshold = [item("absent where the upper limit is below", smallest_share, "wt%")]
        varied = "breadths and textures" if detection.lines.structure.texture_axis else "breadths"
        assumption = f"95 % upper limit over all cells, {varied} in the range of this phase"
    alternatives = [
        item(f"{rival} instead", f"χ² larger by {_two_digits(increase)}")
        for rival, increase in detection.rivals.items()
        if increase >= INDISTINGUISHABLE
    ]
    cell = own_cell(found, name).items() if detection.present else ()
    return [
        finding(
            f"{name}_present",
            present,
            **whose,
            evidence=evidence,
            threshold=threshold,
            alternatives=alternatives,
            note=why,
        ),
        finding(f"{name}_weight_fraction", weight_fraction(found, name), unit="%", **whose, note=assumption),
        *(
            finding(
                f"{name}_lattice_parameter_{parameter}",
                interval,
                unit=_unit(parameter),
                **whose,
                note="refined beside the main phase",
            )
            for parameter, interval in cell
        ),
    ]


def _two_digits(chi_square: float) -> str:
    """Return a difference of chi square to two digits: its last ones mean nothing."""
    return f"{significant(chi_square):.0f}"


def peak_table(analyses: Mapping[str, Analysis]) -> pd.DataFrame:
    """Return every stray peak: position, area, and the phases that explain it, could explain it, or are excluded."""
    rows = []
    for label, found in analyses.items():
        strays = found.stray_peaks
        for i, candidates in enumerate(found.assignments()):
            area, error = (100 * float(strays[name][i]) / found.strongest_area for name in ("area", "area_error"))
            rows.append(
                {
                    "recording": label,
                    "2θ / °": f"{float(strays.two_theta[i]):.2f}",
                    "area / % of strongest": f"{area:.1f} ± {NORMAL * error:.1f}",
                    "explained by": _lines(candidates, Role.EXPLAINS) or "none of the phases looked for",
                    "could also be": _lines(candidates, Role.POSSIBLE),
                    "excluded": _lines(candidates, Role.EXCLUDED),
                }
            )
    return pd.DataFrame(rows or [{"recording": "no peak beside the main phase"}]).set_index("recording")


def _lines(candidates: Sequence[Candidate], role: Role) -> str:
    """Return the lines of the candidates of one role, each with the reason for it."""
    return "; ".join(_line(candidate) for candidate in candidates if candidate.role is role)


def _line(candidate: Candidate) -> str:
    line, increase = f"{candidate.phase} {candidate.hkl}", candidate.chi_square_increase
    if candidate.role is Role.EXPLAINS:
        return line
    if candidate.missing:
        return f"{line} ({', '.join(candidate.missing[:NAMED_IN_TABLE])} missing)"
    if candidate.role is Role.POSSIBLE:
        equal = increase is not None and increase < INDISTINGUISHABLE
        return f"{line} (fits equally well, χ² +{_two_digits(increase or 0.0)})" if equal else line
    if increase is not None:
        return f"{line} (χ² +{_two_digits(increase)})"
    return f"{line} (at most {100 * candidate.share:.0f} % of it)"


def phase_table(analyses: Mapping[str, Analysis], smallest_share: float = SMALLEST_SHARE) -> pd.DataFrame:
    """Return weight fraction and presence of every phase looked for: a row a phase, a column a recording.

    The first row says how well the whole-pattern fit describes the recording.

    Parameters
    ----------
    analyses : mapping of str to Analysis
    smallest_share : float
        As for `pattern_findings`.
    """
    columns = {}
    for label, found in analyses.items():
        column = {"whole-pattern fit": in_words(agreement(found.pattern, found.fit))}
        column |= {name: _presence(found, name, smallest_share) for name in found.detections}
        columns[label] = pd.Series(column, dtype=object)
    return pd.DataFrame(columns).fillna("no line in the range").rename_axis("phase")


def _presence(found: Analysis, name: str, smallest_share: float) -> str:
    """Return how much of a phase there is, that it is absent, or that this cannot be told."""
    value, low, high = weight_fraction(found, name)
    present, why = is_present(found, name, smallest_share)
    amount = "not determined" if high is None else f"below {high:.2g} wt%"
    if value is not None:
        amount = f"{value:.2g} ({low:.2g} to {high:.2g}) wt%"
    if present is not None:
        return amount if present else f"absent: {amount}"
    doubt = found.detections[name].indistinguishable or found.detections[name].doubt
    return f"{amount}, {why}" if doubt else f"cannot be told: {amount}"
