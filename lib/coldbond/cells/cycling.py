"""Galvanostatic recordings cut where the current changes: segments, half cycles and the charge that each passed."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import xarray as xr
from scipy.ndimage import median_filter

#: Below this share of the recording's largest current a cell rests.
REST = 1e-3

#: A level that lasts less than this share of the next one, in the same direction, is the tester settling on it.
SETTLING = 0.02

#: Records that are looked at together. A recording whose variables lie on disk (`coldbond.read` leaves those of a long
#: one there) is never held whole; what is found does not depend on the number.
BLOCK = 1 << 18


def segments(recording: xr.Dataset) -> xr.Dataset:
    """Cut a recording wherever the current changes its direction or its level.

    The steps are found from the current itself; the tester's step and cycle numbers are not used.

    Parameters
    ----------
    recording : xarray.Dataset
        As `coldbond.read` gives a cycler's: `time` [s] and `current` [A] over `record`.

    Returns
    -------
    xarray.Dataset
        Over `segment`, rests left out, in the order of time:

        - `start`, `stop` : first record, and one past the last
        - `current` [A] : its median, charge > 0
        - `begin`, `end` [s] : when the current began and ended, the gap to a neighbouring segment shared half and half
        - `charge` [Ah] : integral of the current from begin to end, charge > 0
        - `charge_uncertainty` [Ah] : standard uncertainty of it, from when the current switched between two records and
          from the rounding of the current (a constant current is rounded by the same amount throughout)

    Raises
    ------
    ValueError
        No current flows in the recording.

    Notes
    -----
    A level has changed where two neighbouring records, and the medians of the three on either side, differ by more than
    five standard deviations of such differences around, by more than 2.5 of the last digits and by more than 0.2 %.
    What lasts less than 2 % of what follows it in the same direction is the current settling, and is left out.
    """
    least = _least(recording)
    bounds = [_bounds(*_cut(recording, start, stop, least)) for start, stop in _stretches(recording, least)]
    return _described(recording, *np.concatenate([np.empty((2, 0), int), *bounds], axis=1), dimension="segment")


def half_cycles(recording: xr.Dataset) -> xr.Dataset:
    """Cut a recording wherever the current changes its direction.

    A rest within a half cycle (a pause) and a current that tapers off at constant voltage do not cut it.

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
    ValueError
        No current flows in the recording.
    """
    least = _least(recording)
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
    return _described(recording, start, stop, dimension="half_cycle")


def blocks(recording: xr.Dataset) -> Iterator[slice]:
    """Yield slices of at most `BLOCK` records each that make up a recording."""
    size = recording.sizes["record"]
    return (slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK))


def largest(recording: xr.Dataset, name: str) -> float:
    """Return the largest absolute value of a variable; 0 where there are no records."""
    variable = recording[name]
    return max((float(np.abs(variable[block].to_numpy()).max()) for block in blocks(recording)), default=0.0)


def records(recording: xr.Dataset, start: np.ndarray, stop: np.ndarray, *names: str) -> Iterator[list[np.ndarray]]:
    """Yield the values of variables in one stretch of records after the other.

    Parameters
    ----------
    recording : xarray.Dataset
        Variables over `record`.
    start, stop : array of int, shape (n,)
        First record of each stretch and one past its last, in the order of the recording.
    *names : str
        The variables.

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


def median(values: np.ndarray) -> np.ndarray:
    """Return the median over the first axis of values of which none is NaN.

    What `numpy.median` does, in a quarter of its time where there are few: it is asked for of every half cycle.
    """
    values = np.asarray(values)
    middle = (len(values) - 1) // 2, len(values) // 2
    ordered = np.partition(values, middle, axis=0)
    return (ordered[middle[0]] + ordered[middle[1]]) / 2


def _stretches(recording: xr.Dataset, least: float) -> Iterator[tuple[int, int]]:
    """Yield stretches of a recording, of some `BLOCK` records, that end where the direction of the current changes."""
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
    """Where the current changes in a stretch, and directions and times in it, counted from the place returned last."""
    around = slice(max(start - 2, 0), min(stop + 2, recording.sizes["record"]))  # records that the medians reach for
    current, time = (recording[name][around].to_numpy() for name in ("current", "time"))
    digit = recording.current.attrs["resolution"]
    direction = _direction(current, least)
    steps = np.abs(np.diff(current))
    same = direction[1:] == direction[:-1]
    level = np.maximum(np.abs(current[1:]), np.abs(current[:-1]))
    limit = np.maximum(np.maximum(5 * _noise(steps, same), 0.002 * level), 2.5 * digit)
    # a level that changed stays so for three records, a stray one does not
    medians = median_filter(np.pad(current, 1, mode="edge"), 3)
    stays = np.abs(medians[3:] - medians[:-3]) > limit if current.size > 2 else np.ones_like(same)
    cuts = np.flatnonzero(~same | ((steps > limit) & stays)) + 1 + around.start
    own = slice(start - around.start, stop - around.start)
    return cuts[(cuts > start) & (cuts < stop)] - start, direction[own], time[own], start


def _noise(steps: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Standard deviation of differences between neighbouring currents, of each stretch of one direction for itself."""
    edges = np.flatnonzero(np.diff(same, prepend=~same[:1], append=~same[-1:]))
    medians = [median(steps[start:stop]) for start, stop in pairwise(edges)]
    return np.repeat(medians, np.diff(edges)) / 0.6745  # of a normal deviate's size the median is 0.6745 sigma


def _least(recording: xr.Dataset) -> float:
    """The current [A] above which one flows."""
    highest, resolution = largest(recording, "current"), recording.current.attrs["resolution"]
    # a current of few digits (0.2 mA read to 0.1 mA) flows at a single one; a fine one dithers around zero by a digit
    digits = 1.5 if highest > 20 * resolution else 0.5
    return max(digits * resolution, REST * highest)


def _direction(current: np.ndarray, least: float) -> np.ndarray:
    return np.where(np.abs(current) > least, np.sign(current), 0).astype(int)


def _bounds(cuts: np.ndarray, direction: np.ndarray, time: np.ndarray, offset: int) -> tuple[np.ndarray, np.ndarray]:
    """First records, and one past the last, of the segments between the cuts of a stretch that begins at `offset`."""
    start = np.concatenate([[0], cuts]).astype(int)
    stop = np.concatenate([cuts, [direction.size]]).astype(int)
    # one record caught while the current was still rising is no segment of its own
    kept = (direction[start] != 0) & (stop - start > 1)
    start, stop = start[kept], stop[kept]
    # nor is a current that settles: a sliver of what follows it without a break
    long = time[stop - 1] - time[start]
    adjoins = np.append((stop[:-1] == start[1:]) & (direction[stop[:-1] - 1] == direction[start[1:]]), False)
    settled = ~(adjoins & (long < SETTLING * np.append(long[1:], 0)))
    return start[settled] + offset, stop[settled] + offset


def _described(recording: xr.Dataset, start: np.ndarray, stop: np.ndarray, dimension: str) -> xr.Dataset:
    if not start.size:
        raise ValueError(f"{recording.attrs['source']}: no current flows in this recording")
    begin, end, charge, switching, level = np.empty((5, start.size))
    low, high = np.maximum(start - 1, 0), np.minimum(stop + 1, recording.sizes["record"])  # with neighbours
    for i, (time, current) in enumerate(records(recording, low, high, "time", "current")):
        own = slice(start[i] - low[i], stop[i] - low[i])
        first, last = own.start, own.stop - 1
        interval = median(np.diff(time[own])) if last > first else 0.0
        before = min(time[first] - time[0], interval)
        after = min(time[-1] - time[last], interval)
        begin[i], end[i] = time[first] - before / 2, time[last] + after / 2
        charge[i] = np.trapezoid(current[own], time[own]) + (current[first] * before + current[last] * after) / 2
        switching[i] = np.hypot(current[first] * before, current[last] * after) / np.sqrt(12)
        level[i] = median(current[own][current[own] != 0])
    rounding = recording.current.attrs["resolution"] * (end - begin) / np.sqrt(12)
    variables = {
        "start": (start, {"long_name": "first record"}),
        "stop": (stop, {"long_name": "one past the last record"}),
        "current": (level, {"units": "A", "long_name": "Current"}),
        "begin": (begin, {"units": "s", "long_name": "Beginning"}),
        "end": (end, {"units": "s", "long_name": "End"}),
        "charge": (charge / 3600, {"units": "Ah", "long_name": "Charge"}),
        "charge_uncertainty": (
            np.hypot(switching, rounding) / 3600,
            {"units": "Ah", "long_name": "Standard uncertainty of the charge"},
        ),
    }
    return xr.Dataset(
        {name: (dimension, values, attrs) for name, (values, attrs) in variables.items()}, attrs=recording.attrs
    )
