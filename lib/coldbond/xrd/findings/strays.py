"""Findings on stray peaks: their number and intensity, and whether one pattern has more than another."""

from collections.abc import Mapping

from coldbond.bundle.findings import finding, item
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.findings.common import groups, in_a_name, of_condition, recording, significant
from coldbond.xrd.stray_peaks import common_detection_limit, stray_peaks

OF_STRONGEST = "of the area of the main phase's strongest line"


def stray_findings(found: Analysis, limit: float) -> list[dict]:
    """Return number and summed area of the peaks beside the main phase.

    Parameters
    ----------
    found : Analysis
    limit : float
        As for `stray_peaks.stray_peaks`.
    """
    strays, whose = stray_peaks(found, limit), recording(found)
    threshold = [item("area of a peak", significant(limit), "%")]
    unexplained = item("peaks that no phase looked for explains", strays.unexplained)
    comparable = (
        f"areas in percent {OF_STRONGEST}; the threshold is the largest detection limit of the patterns compared"
    )
    upper = "" if strays.count.value else "; the upper bound is one peak at the threshold"
    return [
        finding("stray_peaks", strays.count, **whose, evidence=[unexplained], threshold=threshold, note=comparable),
        finding("stray_intensity", strays.intensity, unit="%", **whose, note=OF_STRONGEST + upper),
    ]


def stray_comparison(analyses: Mapping[str, Analysis]) -> list[dict]:
    """Return whether the first condition has more peaks beside its main phase than each of the others.

    Of replicates, each must have more than each of the others.
    """
    limit = common_detection_limit(analyses.values())
    first, *others = groups(analyses).items()
    strays = {label: stray_peaks(found, limit) for label, found in analyses.items()}
    rows = []
    for other in others:
        evidence = [
            entry
            for name in (*first[1], *other[1])
            for entry in (
                item(f"peaks of {name}", strays[name].count),
                item(f"summed area of {name}", strays[name].intensity, "%"),
            )
        ]
        rows.append(
            finding(
                f"more_stray_peaks_than_{in_a_name(other[0])}",
                all(strays[one].is_more_than(strays[label]) for one in first[1] for label in other[1]),
                **(recording if len(first[1]) == len(other[1]) == 1 else of_condition)(analyses[first[1][0]]),
                evidence=evidence,
                threshold=[item("area of a peak", significant(limit), "%")],
                note=f"areas in percent {OF_STRONGEST}",
            )
        )
    return rows
