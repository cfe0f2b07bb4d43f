"""Whether a number of ours agrees with one of others, within their uncertainties."""

from collections.abc import Mapping
from math import hypot
from typing import Any, NamedTuple

from coldbond.interval import NORMAL
from coldbond.validation.matrix import Comparison

AGREES, DISAGREES, UNDECIDED, FAILED = "agrees", "disagrees", "undecided", "failed"
VERDICTS = {
    AGREES: "the difference is within the 95 % interval of both uncertainties together",
    DISAGREES: "it is not",
    UNDECIDED: "coldbond gives no value, or no bound on the side of the referent",
    FAILED: "coldbond gives nothing: the analysis ended with an error",
}


class Judgement(NamedTuple):
    """Verdict of a comparison.

    Attributes
    ----------
    verdict : str
        One of `VERDICTS`.
    score : float or None
        Difference from the referent over the combined standard uncertainty; None where it cannot be told.
    """

    verdict: str
    score: float | None


def judged(one: Comparison, found: Mapping[str, Any]) -> Judgement:
    """Compare a finding with its referent.

    The standard uncertainty of the finding is that of the side on which the referent lies: the distance of the bound
    of its 95 % interval, over 1.96. A finding without an interval counts as exact.

    Parameters
    ----------
    one : Comparison
    found : mapping
        `value`, `low` and `high` of the finding, or `failed`, a reason.
    """
    if "failed" in found:
        return Judgement(FAILED, None)
    value = found["value"]
    if value is None:
        return Judgement(UNDECIDED, None)
    difference = value - one.value
    bound = found["low"] if difference > 0 else found["high"]
    if bound is None and (found["low"] is not None or found["high"] is not None):
        return Judgement(UNDECIDED, None)
    own = 0.0 if bound is None else abs(value - bound) / NORMAL
    combined = hypot(own, one.uncertainty)
    if not combined:
        return Judgement(AGREES, 0.0) if not difference else Judgement(DISAGREES, None)
    return Judgement(AGREES if abs(difference) <= NORMAL * combined else DISAGREES, difference / combined)
