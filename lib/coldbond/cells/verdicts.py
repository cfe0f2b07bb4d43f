"""Verdict on every half cycle of a symmetric cell, in the order of time; `shorts` says what the rules are."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from coldbond import constants
from coldbond.cells import cycling, hindsight, losses
from coldbond.cells.course import Course
from coldbond.cells.hindsight import CREEPS, IMPOSSIBLE, SAME_STEP, SHORTED, UNDECIDED, Row, Trace, Verdict
from coldbond.cells.losses import CHARGING_SHARE, GRID, NOISE_SIGMA

#: Share of the expected overpotential below which a short may count as hard for its resistance: that of a thin cell is
#: low from the beginning.
METALLIC_RETAINED = 0.25

#: Sustained segments of the same direction that make the expectation: their median is robust against outliers. Set
#: on closure: with two, a resistance that falls to a third within a few segments reads as a short; ten give the same
#: as five, and follow the cell more slowly.
REFERENCES = 5

#: Share of the expected overpotential above which a record is intact: it was taken before the failure, or while the
#: path was open. Closure was the same with 0.75 and 0.97.
INTACT_SHARE = 0.9

#: Share of the usual duration or charge below which a segment ended early. Closure was the same with 0.7 and 0.98.
COMPLETE_SHARE = 0.9

#: A segment that ended early did so at the tester's voltage limit where its last voltage is at least this share of the
#: highest so far, ...
LIMIT_SHARE = 0.95
#: ... and its resistance exceeds the expected one by this factor. Set on closure: with 1.5 a limit is missed; with 1.05
#: the results were the same.
LIMIT_RATIO = 1.2

#: Factor between two currents beyond which the course of the resistance starts anew, since the overpotential of
#: a charge transfer rises less than the current.
ANOTHER_CURRENT = 1.55

#: First segments from whose opposite pairs the offset of the voltage channel is read, and pairs that are needed.
OFFSET_SEGMENTS, OFFSET_PAIRS = 10, 3


#: Points of `GRID` at which a segment is evaluated, and those in its middle half.
EVALUATED = GRID >= CHARGING_SHARE
MIDDLE = (GRID >= 0.25) & (GRID <= 0.75)


class _Reference(NamedTuple):
    """What is kept of a sustained segment: current [A]; resistance on `GRID`, noise and scatter [ohm cm2]."""

    current: float
    profile: np.ndarray
    noise: float
    scatter: float


class _Expectation(NamedTuple):
    """What a segment should show: resistance on `GRID`, noise of its records, largest scatter before [ohm cm2].

    With the share `unchanged` of that resistance the voltage is the same as at a lower current before.
    """

    profile: np.ndarray
    noise: float
    scatter: float
    unchanged: float


class _Half(NamedTuple):
    """What a segment shows whatever the thresholds are.

    `time` [s], `voltage` [V], `resistance` [ohm cm2] and `clean`, the same without stray records, of the records, and
    the share of the segment that had `passed` at each; resistance on `GRID` (`profile`), its median in the middle half
    and at the end, noise of one record, scatter of the profile, last digit [ohm cm2]; `completed` share of a usual
    segment; `hold` from `holds.merged`.
    """

    row: Row
    time: np.ndarray
    voltage: np.ndarray
    passed: np.ndarray
    resistance: np.ndarray
    clean: np.ndarray
    profile: np.ndarray
    middle: float
    end: float
    noise: float
    scatter: float
    digit: float
    completed: float
    hold: tuple[float, float] | None


class Choice(NamedTuple):
    """`retained`, `metallic` as for `shorts.classify_segments`; least resistance [ohm cm2] of an intact cell."""

    retained: float
    metallic: float
    possible: float | None


def verdicts(
    recording: xr.Dataset,
    segments: xr.Dataset,
    held: Mapping[int, tuple[float, float]],
    thresholds: Sequence[Choice],
) -> list[list[Verdict]]:
    """Return the verdicts on all segments, for each choice of thresholds.

    Parameters
    ----------
    recording, segments : xarray.Dataset
        The recording, and `cycling.segments` of it.
    held : mapping of int to (float, float)
        From `holds.merged`.
    thresholds : sequence of Choice
        The records are read and described once for all of them.
    """
    judges = [_Judge(recording, segments.sizes["segment"], one) for one in thresholds]
    for half in _halves(recording, segments, held):
        for judge in judges:
            judge.judge(half)
    return [judge.verdicts() for judge in judges]


def _halves(recording: xr.Dataset, segments: xr.Dataset, held: Mapping[int, tuple[float, float]]) -> Iterator[_Half]:
    area = constants.required(recording, "area_cm2")
    last_digit, offset = cycling.resolution(recording, "voltage"), _offset(recording, segments)
    completed = _completed_share(segments)
    rows = [Row(*values) for values in zip(*(segments[name].to_numpy() for name in Row._fields), strict=True)]
    bounds = segments.start.to_numpy(), segments.stop.to_numpy()
    at_end = GRID > 0.95
    records = cycling.records(recording, *bounds, "time", "voltage", "current")
    for index, (row, (time, voltage, current)) in enumerate(zip(rows, records, strict=True)):
        hold = held.get(index)
        flowing = row.current if hold is None else np.where(current, current, row.current)
        resistance = (voltage - offset) * area / flowing
        duration = row.end - row.begin
        passed = (time - row.begin) / duration if duration else np.full(time.size, 0.5)
        clean, digit = losses.without_stray(resistance), last_digit * area / abs(row.current)
        profile = np.interp(GRID, passed, clean)
        yield _Half(
            row=row,
            time=time,
            voltage=voltage,
            passed=passed,
            resistance=resistance,
            clean=clean,
            profile=profile,
            middle=float(cycling.median(profile[MIDDLE])),
            end=float(cycling.median(profile[at_end])),
            noise=max(losses.noise(resistance), digit),
            scatter=losses.scatter(profile),
            digit=digit,
            completed=completed[index],
            hold=hold,
        )


class _Judge:
    """Compares every segment with those before it.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `shorts.classify_segments`.
    segments : int
        Their number.
    thresholds : Choice
    """

    def __init__(self, recording: xr.Dataset, segments: int, thresholds: Choice) -> None:
        self.recording, self.segments = recording, segments
        self.retained, self.metallic, self.possible = thresholds
        self.area = constants.required(recording, "area_cm2")
        self.highest = 0.0  # voltage so far, without stray records
        self.traces: list[Trace] = []
        self.references: dict[float, deque[_Reference]] = {sign: deque(maxlen=REFERENCES) for sign in (1.0, -1.0)}
        #: Courses of the resistance in the middle and at the end of the segments of each direction.
        self.courses = {sign: (Course(), Course()) for sign in (1.0, -1.0)}
        self.latest = np.array([])  # profile of the last sustained segment of either direction
        self.currents: dict[float, float] = {}  # of the last segment of each direction

    def verdicts(self) -> list[Verdict]:
        """Return the verdicts on all segments, once each was judged."""
        opposite = [trace.verdict.resistance < -(self.possible or self.metallic) for trace in self.traces]
        if np.mean(opposite) > 0.5:
            raise ValueError(
                f"{cycling.source(self.recording)}: the voltage has the opposite sign of the current in "
                f"{sum(opposite)} of {len(opposite)} half cycles: change the sign of one of the two columns"
            )
        hindsight.judge_directions(self.traces)
        hindsight.judge_voltages(self.traces, self.area)
        return [trace.verdict for trace in self.traces]

    def judge(self, half: _Half) -> None:
        """Judge the next segment."""
        index, row, time, hold = len(self.traces), half.row, half.time, half.hold
        passed, resistance, profile, noise, end = half.passed, half.resistance, half.profile, half.noise, half.end
        sign = float(np.sign(row.current))
        references = self.references[sign]
        expected = _expectation(row.current, profile, noise, references, self.latest)
        # A loss that the noise of single records explains is no short.
        least = np.minimum(self.retained * expected.profile, expected.profile - NOISE_SIGMA * expected.noise)
        lost = resistance < np.interp(passed, GRID, least)
        verdict = Verdict("sustained", resistance=half.middle, expected=float(cycling.median(expected.profile[MIDDLE])))
        end_ratio = end / float(expected.profile[-1]) if expected.profile[-1] > 0 else 0.0
        uncertainty = 1.25 * noise / np.sqrt(max(time.size / 2, 1))
        previous = self.traces[-1] if self.traces else None
        trace = Trace(row, time, lost, verdict, end_ratio, uncertainty)
        self.traces.append(trace)
        if index > 1:
            self.traces[-3] = self.traces[-3].summarised()
        if hold is not None:
            verdict.kind, (verdict.last_good, verdict.onset) = "voltage limit", hold
            verdict.reason = "the current falls while the tester holds the voltage"
            self._widen(index)
            return

        self.highest = max(self.highest, float(np.abs(losses.without_stray(half.voltage)).max()))
        share = np.nan  # of the segment after which it failed, where the profile shows it
        low = EVALUATED & (profile < least)
        sudden = self._sudden(half, expected, previous)
        is_low = low.sum() > losses.SHORT_SHARE * GRID.size
        hard = self._is_hard(end + half.digit / 2, expected)
        follows = is_low and previous is not None and previous.verdict.kind in SHORTED
        fluctuates = losses.fluctuates(profile, half.scatter, expected.scatter)
        if hard or sudden is not None or follows or fluctuates:
            verdict.kind = "hard short" if hard or self._is_metallic(end, expected) else "soft short"
            verdict.reason = hard or (
                f"the voltage falls suddenly to {100 * verdict.resistance / verdict.expected:.0f} % of the expected one"
                if sudden is not None
                else "the low voltage of the short before lasts"
                if follows
                else "the voltage fluctuates"
            )
            if sudden is not None:
                share = float(passed[sudden]) if sudden else 0.0
            elif hard or low.any():
                share = float(GRID[np.argmax(EVALUATED & ((profile < least) | (profile < self.metallic)))])
            else:
                share = losses.first_fluctuation(profile)
        if verdict.reason.startswith(IMPOSSIBLE):
            lost = lost | (resistance < (self.possible or 0.0))
            self.traces[-1] = trace = trace._replace(lost=lost)
        bend = self._bend(sign, row.current, verdict.resistance, end, trace.uncertainty)
        if verdict.kind == "sustained" and bend > 1 - self.retained:
            verdict.kind, verdict.reason = UNDECIDED, CREEPS
        if verdict.kind == "sustained" and self.possible is not None and end < self.possible:
            verdict.kind = UNDECIDED
            verdict.reason = (
                "the voltage has too few digits to tell the resistance of an intact cell from that of a short"
            )
        if verdict.kind == "sustained" and half.completed < COMPLETE_SHARE:
            at_limit = np.abs(half.voltage[-1]) >= LIMIT_SHARE * self.highest
            # The divergence may show in the last record alone, which the profile leaves out as a stray one.
            # The standard deviation of a median of three is 0.67 of that of one record.
            sigma = NOISE_SIGMA * expected.noise
            risen = max(profile[-1] - 0.67 * sigma, resistance[-1] - sigma)
            if at_limit and risen > LIMIT_RATIO * expected.profile[-1]:
                verdict.kind, share = "voltage limit", 1.0
                verdict.reason = "the half cycle ended early, at the highest voltage"
            elif index == self.segments - 1:  # stopped by the operator: before a short, or just after one
                is_hard = resistance[-1] < losses.HARD_RETAINED * expected.profile[-1]
                is_hard = is_hard or self._is_metallic(float(resistance[-1]), expected)
                verdict.kind = ("hard short" if is_hard else "soft short") if lost[-1] else "unfinished"
                verdict.reason = "the test ends at a low voltage" if lost[-1] else ""
        if verdict.kind == "sustained":
            self._keep(sign, index, _Reference(row.current, profile, noise, half.scatter), end)
            if self.possible is None and len(references) == 1 and verdict.resistance < self.metallic:
                verdict.kind, verdict.last_good = UNDECIDED, self._preceding(row)
                verdict.reason = (
                    f"{verdict.resistance:.2g} ohm cm2 is that of a thin cell or of a short: the thickness is not known"
                )
        elif verdict.kind != "unfinished":
            if verdict.kind == UNDECIDED:
                verdict.last_good = self._preceding(row)
            else:
                intact = resistance >= np.interp(passed, GRID, INTACT_SHARE * expected.profile)
                self._set_onset(trace, share, intact, previous)
            self._widen(index)

    def _sudden(self, half: _Half, expected: _Expectation, previous: Trace | None) -> int | None:
        """Return the first record after a sudden loss, 0 where it came before the segment; None where there is none."""
        kept, time = np.flatnonzero(half.passed >= CHARGING_SHARE), half.time
        if kept.size < 2 or expected.profile.min() <= 0:
            return None
        level = np.interp(half.passed[kept], GRID, expected.profile)
        ratios, seconds = half.clean[kept] / level, np.diff(time[kept])
        sigma = expected.noise / float(cycling.median(expected.profile))
        if np.isfinite(expected.scatter) and previous is not None:  # begins at the end of the segment before
            before = min(1.0, previous.end_ratio) * expected.unchanged
            first = losses.first_sudden(
                np.concatenate([[before] * 5, ratios[: max(ratios.size, 2)]]),
                np.concatenate([[0.0] * 4, [time[0] - previous.time[-1]], seconds]),
                sigma,
                self.retained,
            )
            if first is not None and first <= 5:
                return 0
        found = losses.first_sudden(ratios, seconds, sigma, self.retained)
        return None if found is None else int(kept[found])

    def _is_hard(self, end: float, expected: _Expectation) -> str:
        """Return why so low a resistance at the end of a segment cannot be that of an intact cell; "" where it can."""
        if self.possible is not None and end < self.possible:
            return f"{IMPOSSIBLE} the {self.possible:.2g} ohm cm2 of the electrolyte alone"
        if end < losses.HARD_RETAINED * expected.profile[-1]:
            return f"the resistance is less than {100 * losses.HARD_RETAINED:.0f} % of the expected one"
        return ""

    def _is_metallic(self, end: float, expected: _Expectation) -> bool:
        return end < min(self.metallic, METALLIC_RETAINED * expected.profile[-1])

    def _bend(self, sign: float, current: float, middle: float, end: float, uncertainty: float) -> float:
        """Return the largest bend of the course that noise does not explain, as a share."""
        ratio = current / self.currents.get(sign, current)
        self.currents[sign] = current
        if not 1 / ANOTHER_CURRENT < ratio < ANOTHER_CURRENT:
            self.courses[sign] = (Course(), Course())
        return max(
            course.bend(resistance) - NOISE_SIGMA * uncertainty / max(abs(resistance), uncertainty)
            for course, resistance in zip(self.courses[sign], (middle, end), strict=True)
        )

    def _keep(self, sign: float, index: int, reference: _Reference, end: float) -> None:
        self.references[sign].append(reference)
        self.latest = reference.profile
        for course, resistance in zip(self.courses[sign], (self.traces[index].verdict.resistance, end), strict=True):
            course.append(resistance, index)

    def _preceding(self, row: Row) -> float:
        """Return the time [s] of the record before a segment."""
        return float(self.recording.time[max(int(row.start) - 1, 0)])

    def _set_onset(self, trace: Trace, share: float, intact: np.ndarray, previous: Trace | None) -> None:
        """Set `last_good` and `onset` of a segment that failed, from which of its records are intact.

        A failure that is there from the first record of a segment happened in the rest before it, or in the last
        records of the segment before, which is then the one that failed.
        """
        verdict, time, lost = trace.verdict, trace.time, trace.lost
        preceding = self._preceding(trace.row)
        if np.isnan(share):  # the recording ends at the short
            first = _first_of_last_run(lost)
            verdict.last_good, verdict.onset = float(time[first - 1]) if first else preceding, float(time[first])
        elif share > GRID[GRID >= CHARGING_SHARE][0]:
            duration = trace.row.end - trace.row.begin
            moment = trace.row.begin + share * duration
            before = max(int(np.searchsorted(time, moment - duration * GRID[1], side="right")) - 1, 0)
            after = int(np.searchsorted(time, moment - 1e-6))
            # A fluctuating short may begin before the running median shows it, at the first record that is too low.
            if lost.any():
                before = max(min(before, int(np.argmax(lost)) - 1), 0)
            until = np.flatnonzero(intact[: before + 1])
            last = int(until[-1]) if until.size else before
            verdict.last_good = float(time[max(last - losses.hidden_records(intact[last + 1 :]), 0)])
            verdict.onset = float(max(time[min(after, time.size - 1)], moment))
        else:
            first = int(np.argmax(lost))
            verdict.onset = float(time[first])
            verdict.last_good = float(time[first - 1]) if first else preceding
            if not first and not previous:  # shorted before the test: no record is good
                verdict.last_good = float(self.recording.time[0])
            if not first and previous:
                verdict.last_good = float(previous.time[-1])
                since = _first_of_last_run(previous.lost)
                if previous.verdict.kind == "sustained" and 0 < since < previous.lost.size:
                    previous.verdict.kind = verdict.kind
                    previous.verdict.last_good = float(previous.time[since - 1])
                    previous.verdict.onset = float(previous.time[since])

    def _widen(self, index: int) -> None:
        """Let the first failure begin where the course of the resistances left its level."""
        verdict = self.traces[index].verdict
        if verdict.kind == "voltage limit" or any(t.verdict.kind in (*SHORTED, UNDECIDED) for t in self.traces[:index]):
            return
        found = []
        for sign, courses in self.courses.items():
            own = verdict.kind == UNDECIDED and sign == np.sign(self.traces[index].row.current)
            found.append(courses[0].last_level(verdict.resistance if own else None))
        levels = [level for level in found if level is not None]
        if levels:
            hindsight.doubt(self.traces, min(levels), index)


def _expectation(
    current: float, profile: np.ndarray, noise: float, references: deque[_Reference], latest: np.ndarray
) -> _Expectation:
    if not references:  # the first segment of its direction is compared with its own beginning
        beginning = np.median(profile[(GRID >= CHARGING_SHARE) & (GRID <= 0.2)])
        return _Expectation(np.full_like(profile, beginning), noise, np.inf, 1.0)
    expected = cycling.median([one.profile for one in references])
    if len(references) < REFERENCES:
        expected = np.minimum(expected, cycling.median(latest[GRID > 0.9]))
    # Noise of the voltage is the same at every current; as a resistance it scales with the inverse of the current.
    ratios = [abs(one.current / current) for one in references]
    noises = [one.noise * ratio for one, ratio in zip(references, ratios, strict=True)]
    scatter = max(one.scatter * ratio for one, ratio in zip(references, ratios, strict=True))
    return _Expectation(expected, float(cycling.median(noises)), scatter, min(ratios[-1], 1.0))


def _completed_share(segments: xr.Dataset) -> np.ndarray:
    """Return the duration or charge of each segment over the median of those before it.

    A protocol holds one of the two constant: the one that scatters less.
    """
    if segments.sizes["segment"] == 1:
        return np.ones(1)
    duration = (segments.end - segments.begin).to_numpy()
    charge = np.abs(segments.charge.to_numpy())

    def deviation(amounts: np.ndarray) -> float:
        return float(np.median(np.abs(amounts / np.median(amounts) - 1)))

    held = duration if deviation(duration) <= deviation(charge) else charge
    before = pd.Series(held).expanding().median().to_numpy()[:-1]
    return np.append(1.0, held[1:] / before)


def _offset(recording: xr.Dataset, segments: xr.Dataset) -> float:
    """Return the offset of the voltage channel [V]: the mean of opposite half cycles at the beginning of the test.

    0 where it is not the same in all of them: a cell that fails makes opposite half cycles unequal too.
    """
    first = segments.isel(segment=slice(OFFSET_SEGMENTS))
    current = first.current.to_numpy()
    start, stop = first.start.to_numpy(), first.stop.to_numpy()
    levels = [float(np.median(voltage)) for (voltage,) in cycling.records(recording, start, stop, "voltage")]
    opposite = np.abs(current[1:] + current[:-1]) <= SAME_STEP * np.abs(current[1:])
    offsets = np.array([(one + other) / 2 for one, other in pairwise(levels)])[opposite]
    if offsets.size < OFFSET_PAIRS:
        return 0.0
    offset = float(np.median(offsets))
    return offset if np.abs(offsets - offset).max() < abs(offset) / NOISE_SIGMA else 0.0


def _first_of_last_run(lost: np.ndarray) -> int:
    """Return the index of the record from which on all are lost; the number of records where the last is not."""
    return lost.size - int(np.argmin(np.append(lost[::-1], False)))
