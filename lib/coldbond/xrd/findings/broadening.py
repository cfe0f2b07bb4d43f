"""Findings on line broadening: the integral breadth of each sample, and how much broader the first is."""

from collections.abc import Mapping

import xarray as xr

from coldbond.bundle.findings import finding, item
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.findings.common import in_a_name, recording
from coldbond.xrd.line_broadening import breadth_ratio, mean_breadth, usable_lines
from coldbond.xrd.pawley import Instrument


def broadening_findings(
    lines: Mapping[str, xr.Dataset], analyses: Mapping[str, Analysis], instrument: Instrument | None
) -> list[dict]:
    """Return the breadth of each sample, and how much broader the first is than each of the others.

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
    first, *others = lines
    whose = recording(analyses[first])
    for label in others:
        name = in_a_name(label)
        try:
            ratio = breadth_ratio(lines[first], lines[label], instrument)
        except ValueError as error:
            rows.append(finding(f"breadth_over_{name}", None, **whose, note=str(error)))
            continue
        broader = ratio.low is not None and ratio.low > 1
        evidence = [item("ratio of the integral breadths", ratio)]
        rows += [
            finding(f"breadth_over_{name}", ratio, **whose, note=included),
            finding(f"broader_than_{name}", broader, **whose, evidence=evidence, note=included),
        ]
    return rows
