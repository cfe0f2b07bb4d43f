"""What the findings of diffraction share: sample and state of a recording, rounded upper limits."""

from collections.abc import Mapping
from math import ceil, floor, log10

from coldbond.bundle import conditions
from coldbond.bundle.findings import Whose, whose
from coldbond.interval import Interval
from coldbond.xrd.analysis import Analysis


def recording(found: Analysis) -> Whose:
    """Return sample and state of an analysed pattern."""
    return whose(found.pattern)


def groups(analyses: Mapping[str, Analysis]) -> dict[str, list[str]]:
    """Return the labels of the patterns of each condition: one pattern, or replicates."""
    replicated = {label: one.pattern for label, one in analyses.items() if one.pattern.attrs.get("replicate")}
    named = {label: name for name, labels in conditions.groups(replicated).items() for label in labels if labels[1:]}
    found: dict[str, list[str]] = {}
    for label in analyses:
        found.setdefault(named.get(label, label), []).append(label)
    return found


def of_condition(found: Analysis) -> Whose:
    """Return sample and state of an analysed pattern, without its replicate."""
    return Whose(sample=found.pattern.attrs["sample"], state=found.pattern.attrs["state"])


def in_a_name(label: str) -> str:
    """Return a label of a recording as a part of a quantity's name."""
    return label.replace(", ", "_").replace(" ", "_")


def upper_limit(limit: float, digits: int = 2) -> Interval:
    """Return an upper limit, rounded upwards to some significant digits."""
    unit = 10.0 ** (floor(log10(limit)) + 1 - digits) if limit > 0 else 1.0
    return Interval(None, None, float(f"{ceil(limit / unit) * unit:.{digits}g}"))


def significant(number: float, digits: int = 2) -> float:
    """Return a number rounded to some significant digits."""
    return float(f"{number:.{digits}g}")
