"""Findings on line broadening: the integral breadth of each sample, and how much broader the first is."""

from collections.abc import Mapping, Sequence

import xarray as xr

from coldbond import replicates
from coldbond.bundle.findings import Whose, finding, item
from coldbond.interval import Interval
from coldbond.xrd import line_broadening
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.findings.common import groups, in_a_name, of_condition, recording
from coldbond.xrd.line_broadening import Broadening

NO_STANDARD = "no standard was recorded: the instrument's part is not known"
WITHOUT = "broadening by the sample alone"


def broadening_findings(
    lines: Mapping[str, xr.Dataset],
    analyses: Mapping[str, Analysis],
    broadenings: Mapping[str, Broadening],
    williamson_hall: bool = False,
) -> list[dict]:
    """Return the breadth of each pattern, and how much broader the first condition is than each of the others.

    Parameters
    ----------
    lines : mapping of str to xarray.Dataset
        From `single_peak.fit_reflections`.
    analyses : mapping of str to Analysis
        Of the same patterns.
    broadenings : mapping of str to Broadening
        From `line_broadening.sample_broadening`; empty where no standard was recorded.
    williamson_hall : bool
        Whether crystallite size and strain are findings too.
    """
    rows = []
    for label, found in lines.items():
        whose, measured = recording(analyses[label]), line_broadening.measured_breadth(found)
        if label in broadenings:
            own = broadenings[label]
            evidence = [item("lines averaged", own.lines.sizes["reflection"])]
            breadth, note = line_broadening.mean_breadth(own), WITHOUT
        elif measured.value is None or broadenings:
            evidence, breadth, note = [], Interval(None), "no line is strong enough"
        else:
            evidence = [item("mean integral breadth as measured", measured, "degree")]
            breadth, note = Interval(None, 0.0, measured.high), NO_STANDARD
        rows.append(finding("integral_breadth", breadth, unit="degree", **whose, evidence=evidence, note=note))
        if williamson_hall:
            rows += _size_and_strain(broadenings.get(label), whose, note)
    first, *others = groups({label: analyses[label] for label in lines}).items()
    for other in others:
        name = in_a_name(other[0])
        whose, of_means = recording(analyses[first[1][0]]), ""
        if len(first[1]) > 1 or len(other[1]) > 1:
            whose, of_means = of_condition(analyses[first[1][0]]), "; ratio of the means of replicates"
        try:
            ratio, note = _ratio(broadenings, first[1], other[1]), WITHOUT
            evidence = [item("ratio of the integral breadths", ratio)]
            if not broadenings:
                measured = _measured_ratio(lines, first[1], other[1])
                evidence = [item("ratio of the integral breadths as measured", measured)]
                ratio, note = _bound(measured), NO_STANDARD
        except ValueError as error:
            rows += [
                finding(f"{quantity}_{name}", None, **whose, note=str(error))
                for quantity in ("breadth_over", "broader_than")
            ]
            continue
        broader = True if (ratio.low or 0) > 1 else False if ratio.high is not None and ratio.high < 1 else None
        undecided = "; cannot be told: the interval of the ratio holds 1" if broader is None else ""
        rows += [
            finding(f"breadth_over_{name}", ratio, **whose, evidence=evidence, note=note + of_means),
            finding(f"broader_than_{name}", broader, **whose, evidence=evidence, note=note + of_means + undecided),
        ]
    return rows


def _size_and_strain(broadening: Broadening | None, whose: Whose, note: str) -> list[dict]:
    size, strain = Interval(None), Interval(None)
    if broadening is not None:
        size, strain = line_broadening.crystallite_size(broadening), line_broadening.microstrain(broadening)
        note = "mean column length by volume; without an upper bound the crystallites may be large"
    return [
        finding("crystallite_size", size, unit="nm", **whose, note=note),
        finding("microstrain", strain, unit="%", **whose, note="integral breadth over 4 tan θ" if broadening else note),
    ]


def _bound(measured: Interval) -> Interval:
    """Return what the ratio of breadths as measured says of the samples': the instrument makes them more alike."""
    if measured.low is not None and measured.low > 1:
        return Interval(None, measured.low)
    if measured.high is not None and measured.high < 1:
        return Interval(None, 0.0, measured.high)
    return Interval(None)


def _ratio(broadenings: Mapping[str, Broadening], one: Sequence[str], other: Sequence[str]) -> Interval:
    """Return the ratio of two patterns' breadths over their common lines, or of the means of replicates.

    Raises
    ------
    ValueError
        The patterns have no reflection in common, or no line that is strong enough.
    """
    if not broadenings:
        return Interval(None)
    for labels in (one, other):
        if not {*labels} & {*broadenings}:
            raise ValueError(f"no line of {labels[0]} is strong enough")
    if len(one) == len(other) == 1:
        return line_broadening.breadth_ratio(broadenings[one[0]], broadenings[other[0]])
    breadths = {label: line_broadening.mean_breadth(own) for label, own in broadenings.items()}
    return replicates.ratio(
        *(_mean([breadths[label] for label in labels if label in breadths]) for labels in (one, other))
    )


def _measured_ratio(lines: Mapping[str, xr.Dataset], one: Sequence[str], other: Sequence[str]) -> Interval:
    if len(one) == len(other) == 1:
        return line_broadening.measured_ratio(lines[one[0]], lines[other[0]])
    means = []
    for labels in (one, other):
        breadths = [line_broadening.measured_breadth(lines[label]) for label in labels]
        if not (known := [breadth for breadth in breadths if breadth.value is not None]):
            raise ValueError(f"no line of {labels[0]} is strong enough")
        means.append(_mean(known))
    return replicates.ratio(*means)


def _mean(breadths: Sequence[Interval]) -> Interval:
    return replicates.mean(breadths) if len(breadths) > 1 else breadths[0]
