"""Segments and half cycles of a galvanostatic recording, and the charge that each passed.

A recording is cut wherever the current changes its direction (half cycles) or its direction or level (segments). The
current itself decides; the tester's step and cycle numbers are not used, since their meaning differs between testers.
The charge is the integral of the current by the trapezoidal rule. Its uncertainty has two sources: the current
switched at an unknown moment between two records, and the tester rounded it to its last digit. Recordings are read in
blocks, so that one that is larger than the memory can be analysed.
"""

from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import itemgetter

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from scipy.ndimage import median_filter

from coldbond.cells.holes import FEWEST, HOLE, Halves, Hole, current_in, lower_median

#: Share of the recording's largest current below which the cell rests. Closure (tests/test_cycling.py,
#: tests/test_ccd.py, tests/test_ccd_twin.py) was the same with 1e-4 and 1e-2: the zero offset of a tester is
#: smaller, any current of a protocol larger.
REST_SHARE = 1e-3

#: Share of the next level's duration, in the same direction, below which a level is the tester's regulation and no
#: segment of its own. Set on closure: with 0.005, a current that the tester regulates over two records of 120 makes
#: a step; with 0.1 the results were the same.
REGULATION_SHARE = 0.02

#: A current level has changed where neighbouring records, and the medians of three on either side, differ by more than
#: all three of these: so many standard deviations of such differences around (set on closure: with 2.5, noise of 0.1 %
#: of the current makes steps; with 10 the results were the same), ...
STEP_SIGMA = 5.0
#: ... so many of the current's last digits, since a rounded current dithers by one or two, ...
STEP_DIGITS = 2.5
#: ... and this share of the current. Closure was the same with 0.0005 and 0.02, with steps of 5 % and more.
STEP_SHARE = 0.002

#: Median of the absolute value of a normal deviate, in standard deviations: the quantile 0.75 of the normal
#: distribution. A median over this number is a standard deviation that outliers do not inflate.
MEDIAN_DEVIATION = 0.6745

#: Share of the times between the records of a segment that are no longer than its usual longest one. Testers record
#: more often while the voltage changes: the median alone would make a hole of every quiet part.
HIGH_SHARE = 0.95

#: Holes of a segment that are looked at: its longest ones.
HOLES_HELD = 8

#: Records that are held in memory together. The result does not depend on it (tests/test_blocks.py).
BLOCK = 1 << 18


class NoCurrentError(ValueError):
    """A recording in which no current flows for two records in a row."""


def segments(recording: xr.Dataset) -> xr.Dataset:
    """Cut a recording wherever the current changes its direction or its level.

    Parameters
    ----------
    recording : xarray.Dataset
        As `coldbond.read` gives a cycler's: `time` [s] and `current` [A] over `record`.

    Returns
    -------
    xarray.Dataset
        Over `segment`, without rests, in the order of time:

        - `start`, `stop` : index of the first record, and one past the last
        - `current` [A] : median, positive in charge
        - `begin`, `end` [s] : start and end of the current, half way between the neighbouring records
        - `charge` [Ah] : integral of the current from begin to end, positive in charge
        - `charge_uncertainty` [Ah] : its standard uncertainty, from the unknown moment at which the current switched
          between two records and from the rounding of the current

    Raises
    ------
    NoCurrentError
        No current flows in the recording.

    Notes
    -----
    The level has changed where two neighbouring records, and the medians of the three records on either side, differ
    by more than `STEP_SIGMA` standard deviations of such differences around, by more than `STEP_DIGITS` of the last
    digits and by more than `STEP_SHARE` of the current. A level that lasts less than `REGULATION_SHARE` of the next one
    in the same direction is left out: the tester was still regulating the current.
    """
    least = least_current(recording)
    bounds = [_bounds(*_cut(recording, start, stop, least)) for start, stop in _stretches(recording, least)]
    start, stop = np.concatenate([np.empty((2, 0), int), *bounds], axis=1)
    return described(recording, start, stop, dimension="segment", cut=True)


def half_cycles(recording: xr.Dataset) -> xr.Dataset:
    """Cut a recording wherever the current changes its direction.

    Neither a rest within a half cycle (a pause) nor a current that decays at constant voltage cuts it.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `segments`.

    Returns
    -------
    xarray.Dataset
        Over `half_cycle`, with the variables of `segments`.

    Raises
    ------
    NoCurrentError
        No current flows in the recording.
    """
    least = least_current(recording)
    starts, stops, last, heading = [], [], -1, 0
    for block in blocks(recording):
        direction = _direction(recording.current[block].to_numpy(), least)
        flowing = np.flatnonzero(direction)
        turns = np.flatnonzero(np.diff(direction[flowing], prepend=heading))
        starts.append(block.start + flowing[turns])
        stops.append(np.append(last, block.start + flowing)[turns] + 1)
        if flowing.size:
            last, heading = block.start + flowing[-1], direction[flowing[-1]]
    start = np.concatenate([np.empty(0, int), *starts])
    stop = np.concatenate([np.empty(0, int), *stops, [last + 1]])[1:]
    return described(recording, start, stop, dimension="half_cycle")


def blocks(recording: xr.Dataset) -> Iterator[slice]:
    """Yield slices of at most `BLOCK` records that together make up a recording."""
    size = recording.sizes["record"]
    return (slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK))


def resolution(recording: xr.Dataset, name: str) -> float:
    """Return the last digit of a channel, in its unit.

    Raises
    ------
    ValueError
        The recording does not state it.
    """
    channel = recording[name]
    if "resolution" not in channel.attrs:
        raise ValueError(
            f"{source(recording)}: the resolution of the {name} is not known: "
            f"state its last digit with recording.{name}.attrs['resolution'] = ... [{channel.attrs.get('units', '')}]"
        )
    return float(channel.attrs["resolution"])


def largest(recording: xr.Dataset, name: str) -> float:
    """Return the largest absolute value of a variable; 0 where there are no records."""
    variable = recording[name]
    return max((float(np.abs(variable[block].to_numpy()).max()) for block in blocks(recording)), default=0.0)


def records(recording: xr.Dataset, start: np.ndarray, stop: np.ndarray, *names: str) -> Iterator[list[np.ndarray]]:
    """Yield the values of variables of one segment after the other.

    Parameters
    ----------
    recording : xarray.Dataset
        Variables over `record`.
    start, stop : array of int, shape (n,)
        Index of the first record of each segment and one past its last, in the order of the recording.
    *names : str
        Names of the variables.

    Yields
    ------
    list of array, shape (stop - start,)
    """
    low = high = 0
    for first, end in zip(start.tolist(), stop.tolist(), strict=True):
        if end > high:
            low, high = first, max(end, min(first + BLOCK, recording.sizes["record"]))
            held = [recording[name][low:high].to_numpy() for name in names]
        yield [values[first - low : end - low] for values in held]


def median(values: ArrayLike) -> np.ndarray:
    """Return the median over the first axis of values without NaN.

    The result of `numpy.median`, in a quarter of its time for short arrays: a long test has thousands of half cycles.
    """
    values = np.asarray(values)
    middle = (len(values) - 1) // 2, len(values) // 2
    ordered = np.partition(values, middle, axis=0)
    return (ordered[middle[0]] + ordered[middle[1]]) / 2


def source(recording: xr.Dataset) -> str:
    """Return the file of a recording, for a message."""
    return str(recording.attrs.get("source", "this recording"))


def _stretches(recording: xr.Dataset, least: float) -> Iterator[tuple[int, int]]:
    """Yield start and stop of stretches of about `BLOCK` records that end where the current changes its direction."""
    size, start, length = recording.sizes["record"], 0, BLOCK
    while start < size:
        stop = min(start + length, size)
        turns = np.flatnonzero(np.diff(_direction(recording.current[start : stop + 1].to_numpy(), least)))
        if stop < size and not turns.size:
            length *= 2
            continue
        stop = start + int(turns[-1]) + 1 if stop < size else size
        yield start, stop
        start, length = stop, BLOCK


def _cut(recording: xr.Dataset, start: int, stop: int, least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return the indices at which a stretch is cut, its directions and times, and its first record.

    The indices count from the first record of the stretch.
    """
    around = slice(max(start - 2, 0), min(stop + 2, recording.sizes["record"]))  # the medians need two more records
    current, time = (recording[name][around].to_numpy() for name in ("current", "time"))
    digit = resolution(recording, "current")
    direction = _direction(current, least)
    steps = np.abs(np.diff(current))
    same = direction[1:] == direction[:-1]
    level = np.maximum(np.abs(current[1:]), np.abs(current[:-1]))
    limit = np.maximum(np.maximum(STEP_SIGMA * _noise(steps, same), STEP_SHARE * level), STEP_DIGITS * digit)
    # A new level lasts for at least three records, a stray record does not move a median of three.
    medians = median_filter(np.pad(current, 1, mode="edge"), 3)
    stays = np.abs(medians[3:] - medians[:-3]) > limit if current.size > 2 else np.ones_like(same)
    cuts = np.flatnonzero(~same | ((steps > limit) & stays)) + 1 + around.start
    own = slice(start - around.start, stop - around.start)
    return cuts[(cuts > start) & (cuts < stop)] - start, direction[own], time[own], start


def _noise(steps: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Return the standard deviation of differences between neighbouring currents, separately for each direction."""
    edges = np.flatnonzero(np.diff(same, prepend=~same[:1], append=~same[-1:]))
    medians = [median(steps[start:stop]) for start, stop in pairwise(edges)]
    return np.repeat(medians, np.diff(edges)) / MEDIAN_DEVIATION


def least_current(recording: xr.Dataset) -> float:
    """Return the current [A] below which the cell rests."""
    highest, digit = largest(recording, "current"), resolution(recording, "current")
    # A finely resolved current dithers around zero by one digit. Where the largest current has at most 20 digits, such
    # as 0.2 mA read to 0.1 mA, a single digit is already a current.
    digits = 1.5 if highest > 20 * digit else 0.5
    return max(digits * digit, REST_SHARE * highest)


def _direction(current: np.ndarray, least: float) -> np.ndarray:
    return np.where(np.abs(current) > least, np.sign(current), 0).astype(int)


def _bounds(cuts: np.ndarray, direction: np.ndarray, time: np.ndarray, offset: int) -> tuple[np.ndarray, np.ndarray]:
    """Return first records, and one past the last, of the segments between the cuts of a stretch.

    Parameters
    ----------
    cuts, direction, time, offset
        From `_cut`.
    """
    start = np.concatenate([[0], cuts]).astype(int)
    stop = np.concatenate([cuts, [direction.size]]).astype(int)
    # A single record that was taken while the current was still rising is no segment.
    kept = (direction[start] != 0) & (stop - start > 1)
    start, stop = start[kept], stop[kept]
    # Nor is a level that is short against the one that follows it without a break: there the tester was regulating.
    duration = time[stop - 1] - time[start]
    adjoins = np.append((stop[:-1] == start[1:]) & (direction[stop[:-1] - 1] == direction[start[1:]]), False)
    steady = ~(adjoins & (duration < REGULATION_SHARE * np.append(duration[1:], 0)))
    return start[steady] + offset, stop[steady] + offset


def described(
    recording: xr.Dataset, start: np.ndarray, stop: np.ndarray, dimension: str, cut: bool = False
) -> xr.Dataset:
    """Return the variables of `segments` for given segments.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `segments`.
    start, stop : array of int, shape (n,)
        First record of each segment, and one past its last, in the order of time.
    dimension : str
        Name of the dimension.
    cut : bool
        Whether a standstill without records cuts a segment, as one with records does: the double layer is charged again
        after it. Lost cycles always do.
    """
    if not start.size:
        highest = largest(recording, "current")
        stray = f", its largest current, {highest:.3g} A, is that of a single record" if highest else ""
        raise NoCurrentError(
            f"{source(recording)}: no current flows in this recording{stray}: leave out a cell that was never run, "
            "or export its recording again"
        )
    least = least_current(recording)
    numbers = ("cycle",) if "cycle" in recording else ()
    begin, end, flowed, charge, level, usual, longest, paused = np.empty((8, start.size))
    ends = np.empty((2, start.size))  # standard uncertainties of begin and end
    first_cycle, last_cycle = np.full((2, start.size), np.nan)
    wide: list[tuple[int, int, float]] = []  # holes within: segment, record before, seconds
    low, high = np.maximum(start - 1, 0), np.minimum(stop + 1, recording.sizes["record"])  # with one neighbour each
    for i, (time, current, *cycle) in enumerate(records(recording, low, high, "time", "current", *numbers)):
        own = slice(start[i] - low[i], stop[i] - low[i])
        first, last = own.start, own.stop - 1
        gaps, amperes = np.diff(time[own]), current[own]
        flows = np.abs(amperes) > least
        both = flows[1:] & flows[:-1]
        interval = float(median(gaps[both])) if both.any() else float(median(gaps)) if last > first else 0.0
        # The current switched within the gap to the neighbouring record, or within one sampling interval where the gap
        # is longer (a rest that was not recorded). The best estimate is the middle, the error is uniform: / sqrt(12).
        before = min(time[first] - time[0], interval)
        after = min(time[-1] - time[last], interval)
        begin[i], end[i] = time[first] - before / 2, time[last] + after / 2
        on = seconds_of_current(flows, gaps, interval)
        mean = (amperes[1:] + amperes[:-1]) / np.where(both, 2, 1)
        flowed[i] = on.sum() + (before + after) / 2
        charge[i] = mean @ on + (current[first] * before + current[last] * after) / 2
        ends[:, i] = before / np.sqrt(12), after / np.sqrt(12)
        # Within a half cycle, a rest begins and ends somewhere between two records.
        paused[i] = interval * np.sqrt(np.count_nonzero(flows[1:] != flows[:-1]) / 12)
        level[i] = median(amperes[flows])
        usual[i], longest[i] = _usual_longest(gaps[both]), gaps[both].max(initial=0.0)
        if longest[i] > HOLE * interval:
            at = np.flatnonzero(both & (gaps > HOLE * interval))
            at = np.sort(at[np.argsort(-gaps[at], kind="stable")[:HOLES_HELD]])
            wide += [(i, int(start[i] + j), float(gaps[j])) for j in at]
        if cycle:
            first_cycle[i], last_cycle[i] = cycle[0][first], cycle[0][last]
    interval = max(lower_median(usual), lower_median(longest) if start.size >= FEWEST else 0.0)
    wide = [one for one in wide if one[2] > HOLE * interval]
    if numbers and (cuts := [record + 1 for _, record, *_ in wide if _number_changes(recording, record)]):
        start, stop = (np.sort(np.append(edges, cuts)) for edges in (start, stop))
        return described(recording, start, stop, dimension, cut)  # whole cycles were lost: two half cycles, not one
    for i, record, seconds in wide:
        flowed[i] -= seconds
        charge[i] -= seconds * float(recording.current[record : record + 2].mean())
    within, after = _within(wide), _after(recording, begin, end, start, stop, least)
    breaks = np.isin(np.arange(start.size - 1), [hole.segment for hole in after if hole.seconds > HOLE * interval])
    breaks &= first_cycle[1:] > last_cycle[:-1]
    rest = max(float(median(begin[1:] - end[:-1])), 0.0) if start.size > 1 else 0.0
    halves = Halves(start, level, flowed, breaks, first_cycle, last_cycle, rest, interval)
    undecided, lost, lost_undecided = np.zeros((3, start.size))
    judged = [current_in(recording, hole, halves) for hole in within]
    stood = [
        record + 1
        for hole, (known, open_) in zip(within, judged, strict=True)
        if not open_ and known < hole.seconds - interval
        for record in hole.records
    ]
    if cut and stood:
        start, stop = (np.sort(np.append(edges, stood)) for edges in (start, stop))
        return described(recording, start, stop, dimension)
    for hole, (known, open_) in zip(within, judged, strict=True):
        undecided[hole.segment] = open_
        if known < hole.seconds:  # so does a standstill
            paused[hole.segment] = np.hypot(paused[hole.segment], interval / np.sqrt(6))
        flowed[hole.segment] += known
        charge[hole.segment] += known * level[hole.segment]
    for hole in after:
        lost[hole.segment], lost_undecided[hole.segment] = current_in(recording, hole, halves)
    # A constant current is rounded by the same amount throughout: more records do not average it out.
    rounding = resolution(recording, "current") * flowed / np.sqrt(12)
    uncertainty = np.sqrt((ends**2).sum(axis=0) + paused**2)
    columns = {
        "start": (start, "", "First record"),
        "stop": (stop, "", "One past the last record"),
        "current": (level, "A", "Current"),
        "begin": (begin, "s", "Start"),
        "end": (end, "s", "End"),
        "begin_uncertainty": (ends[0], "s", "Standard uncertainty of the start"),
        "end_uncertainty": (ends[1], "s", "Standard uncertainty of the end"),
        "flowed": (flowed, "s", "Time with current"),
        "flowed_uncertainty": (uncertainty, "s", "Standard uncertainty of the time with current"),
        "undecided": (undecided, "s", "Time in holes of which it cannot be told whether the current went on"),
        "lost": (lost, "s", "Time with current between this segment and the next, without records"),
        "lost_undecided": (lost_undecided, "s", "Time between this segment and the next that cannot be told"),
        "charge": (charge / 3600, "Ah", "Charge"),
        "charge_uncertainty": (
            np.hypot(uncertainty * level, rounding) / 3600,
            "Ah",
            "Standard uncertainty of the charge",
        ),
    }
    found = xr.Dataset(
        {
            name: (dimension, values, ({"units": unit} if unit else {}) | {"long_name": long_name})
            for name, (values, unit, long_name) in columns.items()
        },
        attrs=recording.attrs,
    )
    found.flowed.attrs["hole"] = HOLE * interval  # s, from which on a time between two records is a hole
    return found


def seconds_of_current(flows: np.ndarray, gaps: np.ndarray, interval: float) -> np.ndarray:
    """Return the seconds of current between neighbouring records, holes included.

    Where only one of two records has a current, it lasted for half a sampling interval: a tester may record a rest at
    its end only.

    Parameters
    ----------
    flows : array of bool, shape (n,)
        Records with a current.
    gaps : array, shape (n - 1,)
        Seconds between the records.
    interval : float
        Usual time between two records, s.
    """
    both, either = flows[1:] & flows[:-1], flows[1:] | flows[:-1]
    return np.where(both, gaps, np.where(either, np.minimum(gaps, interval) / 2, 0.0))


def _usual_longest(gaps: np.ndarray) -> float:
    """Return the longest time between records but for a few, s."""
    at = int(HIGH_SHARE * (gaps.size - 1))
    return float(np.partition(gaps, at)[at]) if gaps.size else 0.0


def _number_changes(recording: xr.Dataset, record: int) -> bool:
    """Return whether the tester's number of the cycle changes after a record."""
    one, other = recording.cycle[record : record + 2].to_numpy()
    return bool(one != other)


def _within(wide: list[tuple[int, int, float]]) -> list[Hole]:
    """Return the holes within segments, those of a segment as one."""
    return [
        Hole(segment, tuple(record for _, record, _ in group), sum(seconds for *_, seconds in group), within=True)
        for segment, group in ((key, list(of)) for key, of in groupby(wide, key=itemgetter(0)))
    ]


def _after(
    recording: xr.Dataset, begin: np.ndarray, end: np.ndarray, start: np.ndarray, stop: np.ndarray, least: float
) -> list[Hole]:
    """Return the times between segments that no record shows to be a rest, beyond the usual ones between records."""
    seconds = begin[1:] - end[:-1]
    found = []
    for i in np.flatnonzero((seconds > 0) & (start[1:] - stop[:-1] <= 1)):  # one record may be left out as a stray
        between = recording.current[stop[i] : start[i + 1]].to_numpy()
        if (np.abs(between) > least).all():
            found.append(Hole(int(i), (int(start[i + 1]) - 1,), float(seconds[i]), within=False))
    return found
