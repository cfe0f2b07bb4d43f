"""What would decide a statement that a finding leaves undecided."""

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal

from coldbond.bundle.claims.paper import Claim
from coldbond.bundle.findings import text

#: A note may say it in words, at its end.
MARK = "would decide: "


def stated(note: str) -> tuple[str, str]:
    """Return a finding's note without what would decide it, and what would: "" where the note does not say."""
    rest, _, wanted = note.partition(MARK)
    return rest.removesuffix("; "), wanted


def wanted(claim: Claim, finding: Mapping) -> str:
    """Say what would decide a statement.

    Parameters
    ----------
    claim : Claim
    finding : mapping
        As returned by `findings.finding`; its verdict is undecided.

    Returns
    -------
    str
        What the finding's note says, or else the interval that would not hold both outcomes.
    """
    if by_note := stated(finding["note"])[1]:
        return by_note
    value, low, high = (finding[end] for end in ("value", "low", "high"))
    if low is None and high is None:
        limits = " and ".join(dict.fromkeys(one["name"] for one in finding["threshold"]))
        return f"evidence clear of its threshold ({limits})" if limits else "data that determine it"
    now = " to ".join(text(end, finding) for end in (low, high) if end is not None)
    if claim.kind == "bound":
        if low is not None and high is not None and value is not None:
            return _narrower(claim, Decimal(str(value)), now)
        at = "at most " if low is None else "at least " if high is None else ""
        return f"an interval on one side of {claim.number} {claim.unit} (now {at}{now})"
    if claim.kind == "step" and high is None:
        return f"a staircase that goes on until a step fails (all steps up to {now} {claim.unit} were sustained)"
    missing, at = ("a lower", "at most") if low is None else ("an upper", "at least")
    return f"a recording that gives {missing} bound (now {at} {now} {claim.unit})"


def _narrower(claim: Claim, value: Decimal, now: str) -> str:
    """Say how narrow an interval about the value would have to be."""
    sign = -1 if claim.relation.startswith("<") else 1
    half = abs(value - (claim.number - sign * claim.margin))
    if not half:
        return f"a value that differs from {claim.number} {claim.unit} (now {now})"
    # Two digits, towards zero: an interval of this width decides it.
    half = half.quantize(Decimal(1).scaleb(half.adjusted() - 1), ROUND_DOWN)
    return f"an interval narrower than ±{half.normalize():f} {claim.unit} about {value} (now {now})"
