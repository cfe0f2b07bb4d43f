"""Galvanostatic recordings cut where the current changes: segments, half cycles and the charge that each passed."""

import numpy as np
import xarray as xr
from scipy.ndimage import median_filter

#: Below this share of the recording's largest current a cell rests.
REST = 1e-3

#: A level that lasts less than this share of the next one, in the same direction, is the tester settling on it.
SETTLING = 0.02


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
    current = recording.current.to_numpy()
    digit = recording.current.attrs["resolution"]
    direction = _direction(current, digit)
    steps = np.abs(np.diff(current))
    same = direction[1:] == direction[:-1]
    level = np.maximum(np.abs(current[1:]), np.abs(current[:-1]))
    limit = np.maximum(np.maximum(5 * _noise(steps, same), 0.002 * level), 2.5 * digit)
    # a level that changed stays so for three records, a stray one does not
    around = median_filter(np.pad(current, 1, mode="edge"), 3)
    stays = np.abs(around[3:] - around[:-3]) > limit if current.size > 2 else np.ones_like(same)
    cuts = np.flatnonzero(~same | ((steps > limit) & stays)) + 1
    return _described(recording, *_bounds(cuts, direction, recording.time.to_numpy()), dimension="segment")


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
    direction = _direction(recording.current.to_numpy(), recording.current.attrs["resolution"])
    flowing = np.flatnonzero(direction)
    turns = np.flatnonzero(np.diff(direction[flowing])) + 1 if flowing.size else []
    parts = np.split(flowing, turns)
    start = np.array([part[0] for part in parts if part.size], dtype=int)
    stop = np.array([part[-1] + 1 for part in parts if part.size], dtype=int)
    return _described(recording, start, stop, dimension="half_cycle")


def medians(values: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Return the median of each stretch of an array, 0 for an empty one: all that have one length at once.

    Parameters
    ----------
    values : array, shape (n,)
    start, stop : array of int, shape (stretches,)
        The first of each, and one past its last.

    Returns
    -------
    array, shape (stretches,)
    """
    length, found = stop - start, np.zeros(start.size)
    order = np.argsort(length, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(length[order])) + 1):
        if places.size and (size := length[places[0]]):
            found[places] = np.median(values[start[places, np.newaxis] + np.arange(size)], axis=1)
    return found


def _noise(steps: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Standard deviation of differences between neighbouring currents, of each stretch of one direction for itself."""
    edges = np.flatnonzero(np.diff(same, prepend=~same[:1], append=~same[-1:]))
    sigma = medians(steps, edges[:-1], edges[1:]) / 0.6745  # of a normal deviate's size the median is 0.6745 sigma
    return np.repeat(sigma, np.diff(edges))


def _direction(current: np.ndarray, resolution: float) -> np.ndarray:
    largest = np.abs(current).max(initial=0.0)
    # a current of few digits (0.2 mA read to 0.1 mA) flows at a single one; a fine one dithers around zero by a digit
    digits = 1.5 if largest > 20 * resolution else 0.5
    return np.where(np.abs(current) > max(digits * resolution, REST * largest), np.sign(current), 0).astype(int)


def _bounds(cuts: np.ndarray, direction: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    start = np.concatenate([[0], cuts]).astype(int)
    stop = np.concatenate([cuts, [direction.size]]).astype(int)
    # one record caught while the current was still rising is no segment of its own
    kept = (direction[start] != 0) & (stop - start > 1)
    start, stop = start[kept], stop[kept]
    # nor is a current that settles: a sliver of what follows it without a break
    long = time[stop - 1] - time[start]
    adjoins = np.append((stop[:-1] == start[1:]) & (direction[stop[:-1] - 1] == direction[start[1:]]), False)
    settled = ~(adjoins & (long < SETTLING * np.append(long[1:], 0)))
    return start[settled], stop[settled]


def _described(recording: xr.Dataset, start: np.ndarray, stop: np.ndarray, dimension: str) -> xr.Dataset:
    if not start.size:
        raise ValueError(f"{recording.attrs['source']}: no current flows in this recording")
    time, current = recording.time.to_numpy(), recording.current.to_numpy()
    last = stop - 1
    interval = medians(np.diff(time), start, last)
    before = np.minimum(time[start] - time[np.maximum(start - 1, 0)], interval)
    after = np.minimum(time[np.minimum(stop, time.size - 1)] - time[last], interval)
    passed = np.concatenate([[0.0], np.cumsum(np.diff(time) * (current[1:] + current[:-1]) / 2)])
    charge = passed[last] - passed[start] + (current[start] * before + current[last] * after) / 2
    begin, end = time[start] - before / 2, time[last] + after / 2
    switching = np.hypot(current[start] * before, current[last] * after) / np.sqrt(12)
    rounding = recording.current.attrs["resolution"] * (end - begin) / np.sqrt(12)
    flows = np.concatenate([[0], np.cumsum(current != 0)])
    median = medians(current[current != 0], flows[start], flows[stop])
    variables = {
        "start": (start, {"long_name": "first record"}),
        "stop": (stop, {"long_name": "one past the last record"}),
        "current": (median, {"units": "A", "long_name": "Current"}),
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
