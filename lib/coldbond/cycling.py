"""Galvanostatic recordings cut where the current changes: segments, half cycles and the charge that each passed."""

import numpy as np
import xarray as xr

#: Below this share of the recording's largest current a cell rests.
REST = 1e-3


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
    A level has changed where two neighbouring records differ by more than five standard deviations of such differences
    elsewhere, by more than 2.5 of the last digits and by more than 0.2 %.
    """
    current = recording.current.to_numpy()
    direction = _direction(current, recording.current.attrs["resolution"])
    steps = np.abs(np.diff(current))
    same = direction[1:] == direction[:-1]
    quiet = steps[same & (direction[1:] != 0)]
    noise = (
        np.median(quiet) / 0.954 if quiet.size else 0.0
    )  # median of |difference of two normal deviates| is 0.954 sigma
    level = np.maximum(np.abs(current[1:]), np.abs(current[:-1]))
    limit = np.maximum(max(5 * noise, 2.5 * recording.current.attrs["resolution"]), 0.002 * level)
    cuts = np.flatnonzero(~same | (steps > limit)) + 1
    return _described(recording, *_bounds(cuts, direction), dimension="segment")


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


def _direction(current: np.ndarray, resolution: float) -> np.ndarray:
    largest = np.abs(current).max(initial=0.0)
    # a current of few digits (0.2 mA read to 0.1 mA) flows at a single one; a fine one dithers around zero by a digit
    digits = 1.5 if largest > 20 * resolution else 0.5
    return np.where(np.abs(current) > max(digits * resolution, REST * largest), np.sign(current), 0).astype(int)


def _bounds(cuts: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    start = np.concatenate([[0], cuts]).astype(int)
    stop = np.concatenate([cuts, [direction.size]]).astype(int)
    # one record caught while the current was still rising is no segment of its own
    kept = (direction[start] != 0) & (stop - start > 1)
    return start[kept], stop[kept]


def _described(recording: xr.Dataset, start: np.ndarray, stop: np.ndarray, dimension: str) -> xr.Dataset:
    if not start.size:
        raise ValueError(f"{recording.attrs['source']}: no current flows in this recording")
    time, current = recording.time.to_numpy(), recording.current.to_numpy()
    last = stop - 1
    interval = np.array([np.median(np.diff(time[a:b])) if b - a > 1 else 0.0 for a, b in zip(start, stop, strict=True)])
    before = np.minimum(time[start] - time[np.maximum(start - 1, 0)], interval)
    after = np.minimum(time[np.minimum(stop, time.size - 1)] - time[last], interval)
    passed = np.concatenate([[0.0], np.cumsum(np.diff(time) * (current[1:] + current[:-1]) / 2)])
    charge = passed[last] - passed[start] + (current[start] * before + current[last] * after) / 2
    begin, end = time[start] - before / 2, time[last] + after / 2
    switching = np.hypot(current[start] * before, current[last] * after) / np.sqrt(12)
    rounding = recording.current.attrs["resolution"] * (end - begin) / np.sqrt(12)
    median = np.array([np.median(current[a:b][current[a:b] != 0]) for a, b in zip(start, stop, strict=True)])
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
