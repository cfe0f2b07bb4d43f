"""Classification of the half cycles of a lithium symmetric cell: sustained, shorted, or ended at the voltage limit.

A short circuit is an electronic path through the electrolyte: the cell then shows less overpotential than its ionic
resistance demands (Sharafi et al. 2016, doi 10.1016/j.jpowsour.2015.10.053). The expected overpotential follows from
the resistance that the cell had in the last sustained half cycles of the same direction, as a function of the share of
the half cycle that had passed. A half cycle that shows too little of it, beyond the noise of its records, has shorted:
hard where a metallic path carries the current, soft where a path is thin or opens and closes (Counihan et al. 2024,
doi 10.1016/j.joule.2023.11.007). The onset lies between the last record before the short and the first that shows it.
Closure of the constants below means the simulated cells of tests/test_ccd.py, tests/test_ccd_twin.py and
tests/test_long_cycling.py, some of which short and some of which only look as if they did; each constant was varied
alone.
"""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from scipy.ndimage import median_filter

from coldbond import constants
from coldbond.cells import cycling
from coldbond.interval import CONFIDENCE, Interval

#: Kinds of segment that are no failure; the others are "soft short", "hard short" and "voltage limit".
NOT_FAILED = ("sustained", "unfinished")

#: Share of the expected overpotential below which a segment has shorted. Any value from 0.3 to 0.9 is defensible:
#: `ccd.with_other_thresholds` returns what follows from each.
RETAINED = 0.6

#: Area-specific resistance, ohm cm2, below which a cell counts as hard-shorted. A garnet pellet of 0.04 cm with
#: 1e-3 S/cm, the best that garnets reach, has 40 ohm cm2; a lithium filament (9.3 µohm cm) of 10 µm diameter through it
#: leaves 0.4 ohm cm2 of an electrode of 0.8 cm2.
METALLIC = 10.0

#: Share of the expected overpotential below which a segment has shorted hard whatever its resistance, so that an
#: electrolyte of high resistance with a filament of more than `METALLIC` is found too. Closure was the same with
#: 0.03 and 0.25.
HARD_RETAINED = 0.1

#: Share of a segment for which the overpotential must be too low. Closure was the same with 0.005 and 0.08: the
#: running median of `_profile` already removes stray records, whether a segment has 10 or 120.
SHORT_SHARE = 0.02

#: Sustained segments of the same direction that make the expectation: their median is robust against outliers. Set
#: on closure: with two, a resistance that falls to a third within a few segments reads as a short; ten give the same
#: as five, and follow the cell more slowly.
REFERENCES = 5

#: First share of a segment that is not evaluated, since the double layer is still charging. Set on closure: with
#: 0.01, the twin's cells short a step too early; with 0.15 the results were the same.
CHARGING_SHARE = 0.05

#: Share of the expected overpotential above which a record is intact: it was taken before the failure, or while the
#: path was open. Closure was the same with 0.75 and 0.97.
INTACT_SHARE = 0.9

#: Standard deviations of the noise of one record by which the overpotential must be too low. Set on closure: with 2,
#: sustained cells with noisy records read as shorted; with 10 the results were the same.
NOISE_SIGMA = 5.0

#: Factor by which the scatter about the running median must exceed the largest before for a fluctuating path.
#: Closure was the same with 2 and 10.
FLUCTUATION_RATIO = 5.0

#: Scatter about the running median, as a share of the overpotential, above which a path fluctuates. Set on closure:
#: with 0.02, sustained cells with noisy records read as shorted; with 0.1, soft shorts are missed.
FLUCTUATION_SHARE = 0.05

#: Share of the usual duration or charge below which a segment ended early. Closure was the same with 0.7 and 0.98.
COMPLETE_SHARE = 0.9

#: A segment that ended early did so at the tester's voltage limit where its last voltage is at least this share of the
#: recording's highest, ...
LIMIT_SHARE = 0.95
#: ... and its resistance exceeds the expected one by this factor. Set on closure: with 1.5 a limit is missed; with 1.05
#: the results were the same.
LIMIT_RATIO = 1.2

#: Equidistant shares of a segment at which it is evaluated. Testers may record more often while the voltage changes;
#: on a grid these moments have no more weight.
GRID = np.linspace(0, 1, 201)


def classify_segments(recording: xr.Dataset, retained: float = RETAINED, metallic: float = METALLIC) -> xr.Dataset:
    """Classify every constant-current segment of a symmetric cell.

    Parameters
    ----------
    recording : xarray.Dataset
        `time` [s], `voltage` [V], `current` [A] over `record`; attrs `area_cm2`.
    retained : float
        Share of the expected overpotential below which a segment has shorted: the rest of the current takes an
        electronic path.
    metallic : float
        Area-specific resistance [ohm cm2] below which a cell counts as hard-shorted.

    Returns
    -------
    xarray.Dataset
        The variables of `cycling.segments` and, over `segment`:

        - `current_density` [mA/cm2], unsigned
        - `resistance` [ohm cm2] : area-specific resistance, voltage over current density, median of the middle half
        - `expected` [ohm cm2] : the expected resistance, likewise
        - `kind` : "sustained", "soft short", "hard short", "voltage limit" or "unfinished"
        - `last_good`, `onset` [s] : the failure began between these; NaN for a segment that did not fail

    Raises
    ------
    ValueError
        The recording has no area, no current flows, or `retained` is not between 0 and 1.

    Notes
    -----
    The expected overpotential is the current times the resistance at the same share of the last five sustained segments
    of the same direction (their median). The charging of the double layer and a plateau that rises while voids form are
    part of it and do not read as a short. While there are fewer than five such segments, the expectation is at most the
    resistance at the end of the segment before: an interface that is still forming improves. The first segment of each
    direction is compared with its own beginning, since an offset of the voltage channel has opposite signs in the two
    directions.

    - hard short: at the end of the segment the resistance is below `metallic` or below a tenth of the expected one, and
      the voltage has enough digits to show it
    - soft short: the overpotential is below `retained` of the expected one for 2 % of the segment, by more than the
      noise explains, or it scatters by 5 % and five times more than before; at the end there is no hard short
    - voltage limit: the segment ended early, at the highest voltage of the recording and above the expected one
    - unfinished: the recording ends within the segment, without a short

    A single stray record has no effect. The method does not find a short that only one record shows, nor a loss that
    grows evenly over more than five segments or within the first five: it looks like an interface that improves.
    """
    if not 0 < retained < 1:
        raise ValueError(f"retained is {retained}: give a share between 0 and 1, such as 0.6")
    area = constants.required(recording, "area_cm2")
    segments = cycling.segments(recording)
    rows = [_Row(*values) for values in zip(*(segments[name].to_numpy() for name in _Row._fields), strict=True)]
    completed = _completed_share(segments)
    highest = cycling.largest(recording, "voltage")
    # The last digit of the voltage as an area-specific resistance, ohm cm2.
    digits = cycling.resolution(recording, "voltage") * area / np.abs(segments.current.to_numpy())

    verdicts: list[_Verdict] = []
    sustained: dict[float, deque[_Reference]] = {1.0: deque(maxlen=REFERENCES), -1.0: deque(maxlen=REFERENCES)}
    latest = np.array([])  # profile of the last sustained segment of either direction
    previous: _Trace | None = None
    records = cycling.records(recording, segments.start.to_numpy(), segments.stop.to_numpy(), "time", "voltage")
    for index, (row, (time, voltage)) in enumerate(zip(rows, records, strict=True)):
        resistance = voltage * area / row.current
        passed = (time - row.begin) / (row.end - row.begin)
        profile, noise = _profile(passed, resistance), max(_noise(resistance), digits[index])
        references = sustained[float(np.sign(row.current))]
        expected = _expectation(row.current, profile, noise, references, latest)
        # A loss that the noise of single records explains is no short.
        least = np.minimum(retained * expected.profile, expected.profile - NOISE_SIGMA * expected.noise)
        verdict = _evaluated(profile, expected, least, digits[index], metallic)
        lost = _below(resistance, passed, least)
        if verdict.kind == "sustained" and completed[index] < COMPLETE_SHARE:
            at_limit = np.abs(voltage[-1]) >= LIMIT_SHARE * highest
            if at_limit and profile[-1] > LIMIT_RATIO * expected.profile[-1]:
                verdict.kind, verdict.onset_share = "voltage limit", 1.0
            elif index == len(rows) - 1:  # stopped by the operator: before a short, or just after one
                hard = np.abs(resistance[-1]) < max(metallic, HARD_RETAINED * expected.profile[-1])
                verdict.kind = ("hard short" if hard else "soft short") if lost[-1] else "unfinished"
        if verdict.kind == "sustained":
            references.append(_Reference(row.current, profile, noise, verdict.scatter))
            latest = profile
        middle = (GRID >= 0.25) & (GRID <= 0.75)
        verdict.resistance, verdict.expected = (float(cycling.median(x[middle])) for x in (profile, expected.profile))
        trace = _Trace(row, time, lost, verdict)
        if verdict.kind not in NOT_FAILED:
            intact = ~_below(resistance, passed, INTACT_SHARE * expected.profile)
            _set_onset(recording, trace, intact, previous)
        verdicts.append(verdict)
        previous = trace

    density = np.abs(segments.current.to_numpy()) * 1e3 / area
    resistances = [verdict.resistance for verdict in verdicts]
    return segments.assign(
        current_density=("segment", density, {"units": "mA/cm2", "long_name": "Current density"}),
        resistance=("segment", resistances, {"units": "ohm cm2", "long_name": "Area-specific resistance"}),
        expected=(
            "segment",
            [verdict.expected for verdict in verdicts],
            {"units": "ohm cm2", "long_name": "Expected area-specific resistance"},
        ),
        kind=("segment", [verdict.kind for verdict in verdicts]),
        last_good=("segment", [verdict.last_good for verdict in verdicts], {"units": "s"}),
        onset=("segment", [verdict.onset for verdict in verdicts], {"units": "s"}),
    )


def failed(kind: xr.DataArray) -> np.ndarray:
    """Return which segments or steps failed, from their `kind`."""
    return ~np.isin(kind.to_numpy(), NOT_FAILED)


def charge_passed(recording: xr.Dataset, until: float) -> Interval:
    """Return the charge per area that passed up to a time, both directions added up.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `classify_segments`.
    until : float
        Time [s].

    Returns
    -------
    Interval
        In mAh/cm2, without the uncertainty of the area and of the tester's gain (see `Interval.widened`). Of a cell
        that failed at the first record with a current, 0 with what passed between its neighbours as upper bound.
    """
    scale = 1e3 / constants.required(recording, "area_cm2")
    before = sum(int((recording.time[block].to_numpy() <= until).sum()) for block in cycling.blocks(recording))
    try:
        segments = cycling.segments(recording.isel(record=slice(before)))
    except cycling.NoCurrentError:
        around = recording.isel(record=slice(max(before - 2, 0), before + 1))
        seconds = float(around.time[-1] - around.time[0])
        return Interval(0.0, 0.0, cycling.largest(around, "current") * seconds / 3600 * scale)
    # Roundings of the same current add up, hence the sum of uncertainties and not of their squares.
    uncertainty = float(segments.charge_uncertainty.sum()) * scale
    return Interval.from_standard_error(float(np.abs(segments.charge).sum()) * scale, uncertainty)


class _Row(NamedTuple):
    """A segment as `cycling.segments` describes it."""

    start: int
    stop: int
    begin: float
    end: float
    current: float


class _Reference(NamedTuple):
    """What is kept of a sustained segment: current [A]; resistance on `GRID`, noise and scatter [ohm cm2]."""

    current: float
    profile: np.ndarray
    noise: float
    scatter: float


class _Expectation(NamedTuple):
    """Resistance on `GRID` that a segment should show, noise of its records and largest scatter before [ohm cm2]."""

    profile: np.ndarray
    noise: float
    scatter: float


@dataclass
class _Verdict:
    """Classification of a segment.

    Attributes
    ----------
    scatter : float
        About the running median, ohm cm2.
    onset_share : float
        Share of the segment after which it failed; NaN where only its records show when.
    last_good, onset : float
        The failure began between these, s; NaN for a segment that did not fail.
    resistance, expected : float
        Measured and expected, ohm cm2.
    """

    kind: str
    scatter: float
    onset_share: float = np.nan
    last_good: float = np.nan
    onset: float = np.nan
    resistance: float = np.nan
    expected: float = np.nan


class _Trace(NamedTuple):
    """A segment with the time [s] of its records and which of them show too little overpotential."""

    row: _Row
    time: np.ndarray
    lost: np.ndarray
    verdict: _Verdict


def _profile(passed: np.ndarray, resistance: np.ndarray) -> np.ndarray:
    """Return the area-specific resistance [ohm cm2] on `GRID`, from that of the records.

    The running median of three removes stray records; the median of the last three, one taken while the tester
    switched.
    """
    if resistance.size > 4:
        end = cycling.median(resistance[-3:])[np.newaxis]
        resistance = np.concatenate([resistance[:1], _running_median_of_three(resistance), end])
    return np.interp(GRID, passed, resistance)


def _running_median_of_three(values: np.ndarray) -> np.ndarray:
    before, here, after = values[:-2], values[1:-1], values[2:]
    return np.maximum(np.minimum(before, here), np.minimum(np.maximum(before, here), after))


def _below(resistance: np.ndarray, passed: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Return which records lie below an area-specific resistance [ohm cm2] that is given on `GRID`."""
    return resistance < np.interp(passed, GRID, least)


def _noise(resistance: np.ndarray) -> float:
    """Return the standard deviation of the noise of one record, in the unit of the records.

    The median difference between neighbouring records is `MEDIAN_DEVIATION` times sqrt(2) standard deviations, and a
    trend hardly changes it.
    """
    return float(cycling.median(np.abs(np.diff(resistance)))) / (np.sqrt(2) * cycling.MEDIAN_DEVIATION)


def _expectation(
    current: float, profile: np.ndarray, noise: float, references: deque[_Reference], latest: np.ndarray
) -> _Expectation:
    if not references:  # the first segment of its direction is compared with its own beginning
        beginning = np.median(profile[(GRID >= CHARGING_SHARE) & (GRID <= 0.2)])
        return _Expectation(np.full_like(profile, beginning), noise, np.inf)
    expected = cycling.median([one.profile for one in references])
    if len(references) < REFERENCES:
        expected = np.minimum(expected, cycling.median(latest[GRID > 0.9]))
    # Noise of the voltage is the same at every current; as a resistance it scales with the inverse of the current.
    ratios = [abs(one.current / current) for one in references]
    noises = [one.noise * ratio for one, ratio in zip(references, ratios, strict=True)]
    scatter = max(one.scatter * ratio for one, ratio in zip(references, ratios, strict=True))
    return _Expectation(expected, float(cycling.median(noises)), scatter)


def _completed_share(segments: xr.Dataset) -> np.ndarray:
    """Return the duration or charge of each segment over the median of those before it.

    A protocol holds one of the two constant: the one that scatters less.
    """
    duration = (segments.end - segments.begin).to_numpy()
    charge = np.abs(segments.charge.to_numpy())

    def deviation(amounts: np.ndarray) -> float:
        return float(np.median(np.abs(amounts / np.median(amounts) - 1)))

    held = duration if deviation(duration) <= deviation(charge) else charge
    before = pd.Series(held).expanding().median().to_numpy()[:-1]
    return np.append(1.0, held[1:] / before)


def _evaluated(
    profile: np.ndarray, expected: _Expectation, least: np.ndarray, digit: float, metallic: float
) -> _Verdict:
    """Compare the resistance of a segment with the least that it may have, both on `GRID`."""
    evaluated = GRID >= CHARGING_SHARE
    deviation = np.abs(profile - median_filter(profile, GRID.size // 10, mode="nearest"))
    scatter = float(np.sqrt(np.mean(deviation[evaluated] ** 2)))
    lost = evaluated & (profile < least)
    # With few digits, a voltage of zero may be anything up to half a digit: only what is below with it is metallic.
    end = cycling.median(profile[GRID > 0.95]) + digit / 2
    hard = end < max(metallic, HARD_RETAINED * expected.profile[-1])
    fluctuates = scatter > FLUCTUATION_RATIO * expected.scatter and scatter > FLUCTUATION_SHARE * cycling.median(
        np.abs(profile)
    )
    if not (hard or lost.sum() > SHORT_SHARE * GRID.size or fluctuates):
        return _Verdict("sustained", scatter)
    if hard or lost.any():
        disturbed = evaluated & (lost | (profile < metallic))
    else:
        disturbed = evaluated & (deviation > FLUCTUATION_SHARE * np.abs(profile))
    return _Verdict("hard short" if hard else "soft short", scatter, onset_share=float(GRID[np.argmax(disturbed)]))


def _set_onset(recording: xr.Dataset, trace: _Trace, intact: np.ndarray, previous: _Trace | None) -> None:
    """Set `last_good` and `onset` of a segment that failed, from which of its records are intact.

    A failure that is there from the first record of a segment happened in the rest before it, or in the last records of
    the segment before, which is then the one that failed.
    """
    verdict, time, lost = trace.verdict, trace.time, trace.lost
    preceding = float(recording.time[max(int(trace.row.start) - 1, 0)])
    if np.isnan(verdict.onset_share):  # the recording ends at the short
        first = _first_of_last_run(lost)
        verdict.last_good, verdict.onset = float(time[first - 1]) if first else preceding, float(time[first])
    elif verdict.onset_share > GRID[GRID >= CHARGING_SHARE][0]:
        duration = trace.row.end - trace.row.begin
        moment = trace.row.begin + verdict.onset_share * duration
        before = max(int(np.searchsorted(time, moment - duration * GRID[1], side="right")) - 1, 0)
        after = int(np.searchsorted(time, moment))
        # A fluctuating short may begin before the running median shows it, at the first record that is too low.
        if lost.any():
            before = max(min(before, int(np.argmax(lost)) - 1), 0)
        until = np.flatnonzero(intact[: before + 1])
        last = int(until[-1]) if until.size else before
        verdict.last_good = float(time[max(last - _hidden_records(intact[last + 1 :]), 0)])
        verdict.onset = float(max(time[min(after, time.size - 1)], moment))
    else:
        first = int(np.argmax(lost))
        verdict.onset = float(time[first])
        verdict.last_good = float(time[first - 1]) if first else preceding
        if not first and previous:
            verdict.last_good = float(previous.time[-1])
            since = _first_of_last_run(previous.lost)
            if previous.verdict.kind == "sustained" and 0 < since < previous.lost.size:
                previous.verdict.kind = verdict.kind
                previous.verdict.last_good = float(previous.time[since - 1])
                previous.verdict.onset = float(previous.time[since])


def _hidden_records(intact: np.ndarray) -> int:
    """Return how many records after the onset of a short may still be intact, with a probability of 95 %.

    A path that opens and closes at random is open in the first records as often as in those that follow, a share p of
    them: n intact records in a row have the probability p^n.
    """
    share = float(np.mean(intact)) if intact.size else 0.0
    return int(np.ceil(np.log(1 - CONFIDENCE) / np.log(share))) if 0 < share < 1 else 0


def _first_of_last_run(lost: np.ndarray) -> int:
    """Return the index of the record from which on all are lost; the number of records where the last is not."""
    return lost.size - int(np.argmin(np.append(lost[::-1], False)))
