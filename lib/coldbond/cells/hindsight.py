"""Verdicts on half cycles that need those after them, and where a failure that crept in began."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from coldbond.cells.losses import CHARGING_SHARE, NOISE_SIGMA

#: Kind of a segment that may have shorted, or may belong to a cell that improves.
UNDECIDED = "cannot be told"

SHORTED = ("soft short", "hard short")

#: Why a half cycle with less resistance than the electrolyte has shorted.
IMPOSSIBLE = "the resistance is below"

#: Why a half cycle of a course that bends downwards is undecided.
CREEPS = "the resistance falls faster than before, but not suddenly: a short grows, or the cell improves or warms up"

#: Relative rise of the current that makes another step.
SAME_STEP = 0.005

#: Share by which a voltage falls at the least where it falls although the current rises, beside the noise, and how
#: often in a row: in half cycles of ten minutes a chamber that warms up by 10 K within 25 minutes makes it fall twice.
VOLTAGE_FALL, FALLS = 0.003, 3


@dataclass
class Verdict:
    """Classification of a segment.

    Attributes
    ----------
    kind : str
        See `shorts.classify_segments`.
    last_good, onset : float
        The failure began between these, s; NaN for a segment that did not fail.
    resistance, expected : float
        Measured and expected, ohm cm2.
    reason : str
        Why the segment is not sustained, in words.
    """

    kind: str
    last_good: float = np.nan
    onset: float = np.nan
    resistance: float = np.nan
    expected: float = np.nan
    reason: str = ""


class Row(NamedTuple):
    """A segment as `cycling.segments` describes it."""

    start: int
    stop: int
    begin: float
    end: float
    current: float


class Trace(NamedTuple):
    """A segment with the time [s] of its records, which of them are too low, and its ratio to the expected at its end.

    `uncertainty` is the standard uncertainty of its resistance, ohm cm2.
    """

    row: Row
    time: np.ndarray
    lost: np.ndarray
    verdict: Verdict
    end_ratio: float
    uncertainty: float

    def summarised(self) -> "Trace":
        """Return it with its first record and its last intact one alone: a long test has millions of records."""
        kept = [0, *np.flatnonzero(~self.lost)[-1:]]
        return self._replace(time=self.time[kept], lost=self.lost[kept])


def doubt(traces: list[Trace], level: int, index: int) -> None:
    """Doubt the sustained segments after the last one on its level, up to a segment that failed."""
    last_good = traces[level].row.begin  # its resistance is that of its middle
    for trace in traces[level + 1 : index]:
        if trace.verdict.kind == "sustained":
            trace.verdict.kind, trace.verdict.last_good, trace.verdict.reason = UNDECIDED, last_good, CREEPS
    verdict = traces[index].verdict
    verdict.last_good = min(verdict.last_good, last_good)


def judge_directions(traces: list[Trace]) -> None:
    """Let a failure that one direction alone shows begin after the last intact record of that direction."""
    failed = [i for i, trace in enumerate(traces) if trace.verdict.kind in SHORTED]
    if not failed or not 1 < failed[0] < len(traces) - 1:
        return
    trace, after = traces[failed[0]], traces[failed[0] + 1]
    one_direction = after.verdict.kind == "sustained" and after.row.current * trace.row.current < 0
    if one_direction and trace.verdict.onset <= trace.time[0] + CHARGING_SHARE * (trace.row.end - trace.row.begin):
        before = traces[failed[0] - 2]
        intact = before.time[~before.lost]
        if intact.size:
            trace.verdict.last_good = min(trace.verdict.last_good, float(intact[-1]))


def judge_voltages(traces: list[Trace], area: float) -> None:
    """Doubt a cell whose voltage falls in successive rises of the current; with a bent course it is a short."""
    for sign in (1.0, -1.0):
        steps: list[int] = []  # the last segment at each current, while this rises
        for index, trace in enumerate(traces):
            if np.sign(trace.row.current) != sign:
                continue
            if trace.verdict.kind not in ("sustained", UNDECIDED):
                break
            while steps and abs(trace.row.current) <= (1 + SAME_STEP) * abs(traces[steps[-1]].row.current):
                steps.pop()
            steps.append(index)
        falls = [_falls(traces, area, before, after) for before, after in pairwise(steps)]
        for start in range(len(falls) - FALLS + 1):
            if all(falls[start : start + FALLS]):
                _fail(traces, steps[start + 1], steps[0])
                break


def _falls(traces: list[Trace], area: float, before: int, after: int) -> bool:
    """Return whether the voltage is lower in the second of two segments, by more than noise."""
    one, other = ((traces[i], abs(traces[i].row.current) / area) for i in (before, after))
    fall = one[0].verdict.resistance * one[1] - other[0].verdict.resistance * other[1]
    noise = np.hypot(one[0].uncertainty * one[1], other[0].uncertainty * other[1])
    return bool(fall > max(NOISE_SIGMA * noise, VOLTAGE_FALL * one[0].verdict.resistance * one[1]))


def _fail(traces: list[Trace], index: int, first: int) -> None:
    """Fail the segment from which on the voltage falls although the current rises."""
    trace = traces[index]
    if trace.verdict.kind != UNDECIDED:
        trace.verdict.kind, trace.verdict.last_good = UNDECIDED, traces[first].row.begin
        trace.verdict.reason = "the voltage falls although the current rises: a short grows, or an interface forms"
        doubt(traces, first, index)
        return
    for later in (trace, *(other for other in traces[index:] if other.verdict.kind == UNDECIDED)):
        later.verdict.kind, later.verdict.onset = "soft short", later.row.end
        later.verdict.reason = "the voltage falls although the current rises, and the resistance falls ever faster"
