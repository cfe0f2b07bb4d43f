"""Whether the current went on in a hole of a recording: a time for which there are no records.

Records are lost while the current goes on, or the tester stands still and writes nothing: the records on either side
look alike. Four things tell the two apart, in this order: the tester's counter of the charge, its number of the cycle,
the protocol, whose half cycles all last as long, and the voltage. A hole that completes its half cycle to the usual
duration was passed with current; what exceeds it was a standstill. A hole that is whole cycles longer than that may
also hold these cycles: then the voltage may show that the double layer had to be charged again. Where it does not, it
cannot be told, and the seconds in question are returned as such.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import xarray as xr

#: Factor by which a time between two records exceeds the usual longest one of the recording where it is a hole. A
#: single lost record doubles it, two in a row triple it.
HOLE = 3.0

#: Relative difference of currents up to which half cycles are alike. Their durations are compared.
ALIKE = 0.02

#: Fewest half cycles whose median duration is the usual one.
FEWEST = 3

#: Last digits of a counter that a hole must be worth for the counter to tell.
DIGITS = 4.0

#: Counters of the tester that may be there.
COUNTERS = ("capacity", "charge_capacity", "discharge_capacity")


#: Records after a hole, and after the start of a half cycle, in which the charging of the double layer is looked for.
CHARGING = 6

#: Standard deviations by which the voltage is low where the double layer charges, and by which it must be at the start
#: of half cycles, one record later, so that its absence tells.
SEEN, TELLING = 5.0, 8.0


class Hole(NamedTuple):
    """Times without a record within a segment, or the one that follows a segment.

    Attributes
    ----------
    segment : int
        Segment in which they lie, or that the hole follows.
    records : tuple of int
        Last record before each.
    seconds : float
        How long they are together.
    within : bool
        Whether they lie within the segment.
    """

    segment: int
    records: tuple[int, ...]
    seconds: float
    within: bool


class Halves:
    """The half cycles of a recording, of which its segments are parts.

    Parameters
    ----------
    start : array of int, shape (n,)
        First record of each segment.
    current : array, shape (n,)
        Of the segments, A.
    flowed : array, shape (n,)
        Seconds of current between the records of each, its holes not counted.
    breaks : array of bool, shape (n - 1,)
        Segments after which another half cycle begins although the current is the same.
    first_cycle, last_cycle : array, shape (n,)
        The tester's number of the cycle at both ends; NaN where it gives none.
    rest : float
        Usual time without current from one segment to the next, s.
    interval : float
        Usual longest time between two records, s.
    """

    def __init__(
        self,
        start: np.ndarray,
        current: np.ndarray,
        flowed: np.ndarray,
        breaks: np.ndarray,
        first_cycle: np.ndarray,
        last_cycle: np.ndarray,
        rest: float,
        interval: float,
    ) -> None:
        self.start, self.current, self.first_cycle, self.last_cycle = start, current, first_cycle, last_cycle
        self.rest, self.interval = rest, interval
        same = np.abs(np.diff(current)) < ALIKE * np.abs(current[1:])
        #: Number of the half cycle that a segment is part of: neighbours of one direction and level are one.
        self.number = np.append(0, np.cumsum(~same | breaks))
        first = np.flatnonzero(np.diff(self.number, prepend=-1))
        self.duration, self.level = np.add.reduceat(flowed, first), current[first]
        self.last = self.duration.size - 1  # it may have been stopped

    def lacking(self, number: int) -> "Lack":
        """Return what a half cycle lacks of the usual duration."""
        level, size = self.level[number], max(self.last, 1)
        same_way = np.flatnonzero(np.sign(self.level[:size]) == np.sign(level))
        durations, levels = self.duration[same_way], self.level[same_way]
        alike = np.abs(levels / level - 1) < ALIKE
        # A protocol holds the duration or the charge: where the current differs, the one that scatters less counts.
        if np.count_nonzero(alike) >= FEWEST:
            amounts, scale = durations[alike], 1.0
        elif same_way.size >= FEWEST:
            charges = durations * np.abs(levels)
            held = _scatter(durations) <= _scatter(charges)
            amounts, scale = (durations, 1.0) if held else (charges, 1 / abs(level))
        else:
            return Lack(np.nan, np.nan, np.nan)
        usual = float(np.median(amounts)) * scale
        return Lack(usual - float(self.duration[number]), usual, 3 * _scatter(amounts) * usual)

    @cached_property
    def cycles_of_a_turn(self) -> dict[float, float]:
        """By how much the tester's number grows where the current turns from charge (1.0), and from discharge (-1.0).

        Empty where these are not numbers of cycles of one charge and one discharge.
        """
        turns = np.flatnonzero(np.sign(self.current[1:]) != np.sign(self.current[:-1]))
        grown, heading = self.first_cycle[turns + 1] - self.last_cycle[turns], np.sign(self.current[turns])
        if not (heading > 0).any() or not (heading < 0).any() or np.isnan(grown).any():
            return {}
        usual = {sign: float(np.median(grown[heading == sign])) for sign in (1.0, -1.0)}
        return usual if sorted(usual.values()) == [0.0, 1.0] else {}


class Lack(NamedTuple):
    """What a half cycle lacks of the usual duration of such half cycles, this duration and its scatter, s.

    NaN where there are too few half cycles to tell.
    """

    missing: float
    usual: float
    scatter: float


def current_in(recording: xr.Dataset, hole: Hole, halves: Halves) -> tuple[float, float]:
    """Return for how long the current went on in a hole.

    Parameters
    ----------
    recording : xarray.Dataset
        With the tester's counters, where it has any.
    hole : Hole
    halves : Halves

    Returns
    -------
    known, undecided : float
        Seconds of current, and further seconds of which it cannot be told.
    """
    counted = _counted(recording, hole, float(np.abs(halves.current[hole.segment])))
    if counted is not None:
        return counted, 0.0
    one, other = halves.number[hole.segment], halves.number[hole.segment + (not hole.within)]
    sides = [one] if one == other else [one, other]
    lacks = [halves.lacking(number) for number in sides]
    missing, usual = sum(lack.missing for lack in lacks), sum(lack.usual for lack in lacks) / len(lacks)
    tolerance = halves.interval + max(lack.scatter for lack in lacks)
    if np.isnan(missing):  # too few half cycles to know their usual duration
        within_reach = hole.seconds <= HOLE * halves.interval
        return (hole.seconds, 0.0) if within_reach else (0.0, hole.seconds)
    ended_early = sides[-1] == halves.last and lacks[-1].missing > tolerance
    lost = _lost_halves(recording, hole, halves, same=one == other)
    if lost is not None:
        open_end = max(lacks[-1].missing, 0.0) if ended_early else 0.0
        known = float(np.clip(missing - open_end + lost * usual, 0.0, hole.seconds))
        return known, min(open_end, hole.seconds - known)
    if abs(missing - hole.seconds) <= tolerance or hole.seconds <= HOLE * halves.interval:
        return float(np.clip(missing, 0.0, hole.seconds)), 0.0
    charges = _charges_again(recording, hole, halves) if one == other else None
    if missing > hole.seconds or ended_early:
        return 0.0, 0.0 if charges else hole.seconds
    cycle = 2 * (usual + halves.rest)
    cycles = round((hole.seconds - missing) / cycle)
    if cycles and abs(hole.seconds - missing - cycles * cycle) <= tolerance:  # whole cycles fit in
        known = missing + 2 * cycles * usual
        # While the tester stands still it misses no more than the records on either side.
        if abs(missing) > tolerance or charges is False:
            return known, 0.0
        return max(missing, 0.0), 0.0 if charges else 2 * cycles * usual
    return (max(missing, 0.0), 0.0) if missing <= tolerance else (0.0, hole.seconds)


def _scatter(amounts: np.ndarray) -> float:
    """Return the median absolute deviation from the median, as a share of it; 0 for half cycles of one record."""
    middle = np.median(amounts)
    if not middle:
        return 0.0
    return float(np.median(np.abs(amounts / middle - 1)))


def _counted(recording: xr.Dataset, hole: Hole, current: float) -> float | None:
    """Return the seconds of current that the tester's counter saw pass in a hole; None where it does not tell."""
    names = [name for name in COUNTERS if name in recording]
    if not names:
        return None
    digit = max(float(recording[name].attrs.get("resolution", 0.0)) for name in names) * 3600 / current
    if hole.seconds < DIGITS * digit * len(hole.records):
        return None
    seconds = 0.0
    for record in hole.records:
        pair = recording.isel(record=slice(record, record + 2))
        for name in names:
            resets = recording[name].attrs.get("resets", "undetermined")
            numbers = {"never": (), "cycle": ("cycle",), "step": ("cycle", "step")}.get(resets)
            if numbers is None or not all(number in pair for number in numbers):
                return None
            if any(float(pair[number][0]) != float(pair[number][1]) for number in numbers):
                return None
            grown = float(np.diff(np.abs(pair[name].to_numpy()))[0]) * 3600 / current
            if not grown >= -2 * digit:  # it was reset, or has no value
                return None
            seconds += grown
    whole = hole.seconds
    return 0.0 if seconds <= 2 * digit else whole if seconds >= whole - 2 * digit else seconds


def _lost_halves(recording: xr.Dataset, hole: Hole, halves: Halves, same: bool) -> int | None:
    """Return how many whole half cycles the tester's numbers say were lost in a hole; None where they do not tell."""
    usual = halves.cycles_of_a_turn
    if not usual:
        return None
    if hole.within:
        return 0  # where the number changes, the segment was cut
    following = hole.segment + 1
    cycles = float(halves.first_cycle[following] - halves.last_cycle[hole.segment])
    one, other = (float(np.sign(halves.current[i])) for i in (hole.segment, following))
    if one == other:
        return 0 if same else max(int(2 * cycles - 1), 0)
    return max(int(2 * (cycles - usual[one])), 0)


def _charges_again(recording: xr.Dataset, hole: Hole, halves: Halves) -> bool | None:
    """Return whether the voltage after a hole is low as at the start of a half cycle; None where it does not tell."""
    if len(hole.records) > 1 or "voltage" not in recording:
        return None
    sign, size = np.sign(halves.current[hole.segment]), recording.sizes["record"]

    def below(records: np.ndarray) -> np.ndarray:
        """By how much the first two records after others lie below those that follow, V, shape (n, 2)."""
        runs = [sign * recording.voltage[record : record + CHARGING].to_numpy() for record in records.tolist()]
        return np.array([run[:2] - np.median(run[3:]) for run in runs])

    alike = np.flatnonzero((np.sign(halves.current[:-1]) == sign) & (np.diff(halves.start) >= 2 * CHARGING))
    alike = alike[(halves.number[alike] != halves.number[hole.segment]) & (halves.start[alike] + 2 * CHARGING < size)]
    alike = alike[np.argsort(np.abs(alike - hole.segment), kind="stable")[:50]]
    after = hole.records[0] + 1
    turns = np.append(halves.start[halves.start > after], size)
    if alike.size < FEWEST or after + CHARGING > turns[0]:  # the half cycle ends too soon after the hole
        return None
    typical = np.median(below(halves.start[alike]), axis=0)
    middle = below((halves.start[alike] + halves.start[alike + 1]) // 2)
    noise = max(float(np.median(np.abs(middle))) / 0.6745, float(recording.voltage.attrs.get("resolution", 0.0)) / 2)
    own = below(np.array([after]))[0]
    if own[0] < -SEEN * noise and own[0] < typical[1] / 2:
        return True
    # After a standstill the first record comes within one interval: no later than the second one of a half cycle.
    return False if typical[1] < -TELLING * noise and own[0] > typical[1] / 4 else None


def lower_median(values: Sequence[float] | np.ndarray) -> float:
    """Return the median, of an even number of values the lower one of the two in the middle."""
    values = np.asarray(values)
    return float(np.partition(values, middle)[middle]) if (middle := (values.size - 1) // 2) >= 0 else 0.0
