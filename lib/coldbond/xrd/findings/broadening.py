"""Findings on line broadening: the integral breadth of each sample, and how much broader the first is."""

from collections.abc import Mapping, Sequence

from coldbond import replicates
from coldbond.bundle.findings import Whose, finding, item
from coldbond.interval import Interval
from coldbond.xrd import line_broadening
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.findings.common import groups, in_a_name, of_condition, recording
from coldbond.xrd.line_broadening import Broadening
from coldbond.xrd.pawley import Instrument

NO_STANDARD = "no standard was recorded: the instrument's part is not known"
WITHOUT = "broadening by the sample alone"


def broadening_findings(
    analyses: Mapping[str, Analysis],
    broadenings: Mapping[str, Broadening],
    instrument: Instrument | None,
    williamson_hall: bool = False,
) -> list[dict]:
    """Return the breadth of each pattern, and how much broader the first condition is than each of the others.

    Parameters
    ----------
    analyses : mapping of str to Analysis
    broadenings : mapping of str to Broadening
        Of the same patterns, from `line_broadening.of_samples`.
    instrument : Instrument, optional
        That `broadenings` are without; None where no standard was recorded, and breadths are upper bounds.
    williamson_hall : bool
        Whether crystallite size and strain are findings too.
    """
    rows, note = [], WITHOUT if instrument is not None else NO_STANDARD
    for label, found in analyses.items():
        whose = recording(found)
        if label not in broadenings:
            rows.append(finding("integral_breadth", None, unit="degree", **whose, note="no line is strong enough"))
            continue
        own = broadenings[label]
        evidence, breadth = [item("lines averaged", own.lines.sizes["reflection"])], line_broadening.mean_breadth(own)
        if instrument is None:
            evidence.append(item("with the instrument's part", breadth, "degree"))
            breadth = Interval(None, 0.0, breadth.high)
        rows.append(finding("integral_breadth", breadth, unit="degree", **whose, evidence=evidence, note=note))
        if williamson_hall:
            rows += _size_and_strain(own, instrument is not None, whose)
    first, *others = groups(analyses).items()
    for other in others:
        name = in_a_name(other[0])
        whose, of_means = recording(analyses[first[1][0]]), ""
        if len(first[1]) > 1 or len(other[1]) > 1:
            whose, of_means = of_condition(analyses[first[1][0]]), "; ratio of the means of replicates"
        try:
            ratio = _ratio(broadenings, first[1], other[1])
        except ValueError as error:
            rows += [
                finding(f"{quantity}_{name}", None, **whose, note=str(error))
                for quantity in ("breadth_over", "broader_than")
            ]
            continue
        evidence = [item("ratio of the integral breadths", ratio)]
        if instrument is None:
            evidence = [item("ratio of the integral breadths with the instrument's part", ratio)]
            ratio = _bound(ratio)
        broader = True if (ratio.low or 0) > 1 else False if ratio.high is not None and ratio.high < 1 else None
        undecided = "; cannot be told: the interval of the ratio holds 1" if broader is None else ""
        rows += [
            finding(f"breadth_over_{name}", ratio, **whose, evidence=evidence, note=note + of_means),
            finding(f"broader_than_{name}", broader, **whose, evidence=evidence, note=note + of_means + undecided),
        ]
    return rows


def _size_and_strain(broadening: Broadening, has_standard: bool, whose: Whose) -> list[dict]:
    size, strain = line_broadening.size_and_strain_at_most(broadening)
    if has_standard:
        size, strain = line_broadening.crystallite_size(broadening), line_broadening.microstrain(broadening)
    note = "" if has_standard else f"; {NO_STANDARD}"
    return [
        finding("crystallite_size", size, unit="nm", **whose, note="mean column length by volume" + note),
        finding("microstrain", strain, unit="%", **whose, note="integral breadth over 4 tan θ" + note),
    ]


def _bound(ratio: Interval) -> Interval:
    """Return what the ratio with the instrument's part says of the samples': that part makes them more alike."""
    if ratio.low is not None and ratio.low > 1:
        return Interval(None, ratio.low)
    if ratio.high is not None and ratio.high < 1:
        return Interval(None, 0.0, ratio.high)
    return Interval(None)


def _ratio(broadenings: Mapping[str, Broadening], one: Sequence[str], other: Sequence[str]) -> Interval:
    """Return the ratio of two patterns' breadths over their common lines, or of the means of replicates.

    Raises
    ------
    ValueError
        The patterns have no reflection in common, or no line that is strong enough.
    """
    for labels in (one, other):
        if not {*labels} & {*broadenings}:
            raise ValueError(f"no line of {labels[0]} is strong enough")
    if len(one) == len(other) == 1:
        return line_broadening.breadth_ratio(broadenings[one[0]], broadenings[other[0]])
    means = []
    for labels in (one, other):
        breadths = [line_broadening.mean_breadth(broadenings[label]) for label in labels if label in broadenings]
        means.append(replicates.mean(breadths) if len(breadths) > 1 else breadths[0])
    return replicates.ratio(*means)
