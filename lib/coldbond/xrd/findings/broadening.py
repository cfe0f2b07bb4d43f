"""Findings on line broadening: the integral breadth of each sample, and how much broader the first is."""

from collections.abc import Mapping, Sequence

import xarray as xr

from coldbond import replicates
from coldbond.bundle.findings import finding, item
from coldbond.interval import Interval
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.findings.common import groups, in_a_name, of_condition, recording
from coldbond.xrd.line_broadening import breadth_ratio, mean_breadth, usable_lines
from coldbond.xrd.pawley import Instrument


def broadening_findings(
    lines: Mapping[str, xr.Dataset], analyses: Mapping[str, Analysis], instrument: Instrument | None
) -> list[dict]:
    """Return the breadth of each pattern, and how much broader the first condition is than each of the others.

    Parameters
    ----------
    lines : mapping of str to xarray.Dataset
        From `single_peak.fit_reflections`.
    analyses : mapping of str to Analysis
        Of the same patterns.
    instrument : Instrument, optional
        From `pawley.instrument_profile`.
    """
    included = "broadening by the sample alone"
    if instrument is None:
        included = "includes the broadening by the instrument: no standard was recorded"
    rows = []
    for label, found in lines.items():
        whose, count = recording(analyses[label]), usable_lines(found).sizes["reflection"]
        if not count:
            rows.append(finding("integral_breadth", None, unit="degree", **whose, note="no line is strong enough"))
            continue
        evidence = [item("lines averaged", count)]
        breadth = mean_breadth(found, instrument)
        rows.append(finding("integral_breadth", breadth, unit="degree", **whose, evidence=evidence, note=included))
    first, *others = groups(analyses).items()
    for other in others:
        name = in_a_name(other[0])
        whose, of_means = recording(analyses[first[1][0]]), ""
        if len(first[1]) > 1 or len(other[1]) > 1:
            whose, of_means = of_condition(analyses[first[1][0]]), "; ratio of the means of replicates"
        try:
            ratio = _ratio(lines, first[1], other[1], instrument)
        except ValueError as error:
            rows.append(finding(f"breadth_over_{name}", None, **whose, note=str(error)))
            continue
        broader = ratio.low is not None and ratio.low > 1
        evidence = [item("ratio of the integral breadths", ratio)]
        rows += [
            finding(f"breadth_over_{name}", ratio, **whose, note=included + of_means),
            finding(f"broader_than_{name}", broader, **whose, evidence=evidence, note=included + of_means),
        ]
    return rows


def _ratio(
    lines: Mapping[str, xr.Dataset], one: Sequence[str], other: Sequence[str], instrument: Instrument | None
) -> Interval:
    """Return the ratio of two patterns' breadths over their common lines, or of the means of replicates.

    Raises
    ------
    ValueError
        The patterns have no reflection in common, or no line that is strong enough.
    """
    if len(one) == len(other) == 1:
        return breadth_ratio(lines[one[0]], lines[other[0]], instrument)
    means = []
    for labels in (one, other):
        breadths = [mean_breadth(lines[label], instrument) for label in labels if usable_lines(lines[label]).hkl.size]
        if not breadths:
            raise ValueError(f"no line of {labels[0]} is strong enough")
        means.append(replicates.mean(breadths) if len(breadths) > 1 else breadths[0])
    return replicates.ratio(*means)
