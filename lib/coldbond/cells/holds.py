"""Constant voltage in a galvanostatic recording: the tester holds its limit and the current tapers.

At the limit some testers end the half cycle, others hold the voltage until its time is over. The current then falls
below its setpoint, and what it falls to is no step of the protocol.
"""

import numpy as np
import xarray as xr

from coldbond.cells import cycling
from coldbond.cells.losses import without_stray

#: Share of the highest voltage of a half cycle within which the voltage is held, beside two digits: regulation of a
#: usual tester. No other value was tried.
HELD_SHARE = 0.003

#: Share by which the current falls at least while the voltage is held, and share of records in which it does not rise.
#: No other values were tried.
TAPER, FALLING_SHARE = 0.03, 0.9

#: Share of the current before within which it still counts as the setpoint.
SETPOINT_SHARE = 0.01


def merged(recording: xr.Dataset, segments: xr.Dataset) -> tuple[xr.Dataset, dict[int, tuple[float, float]]]:
    """Return the segments with a taper of the current as part of the segment in which it began.

    Parameters
    ----------
    recording : xarray.Dataset
        `time` [s], `voltage` [V], `current` [A] over `record`.
    segments : xarray.Dataset
        From `cycling.segments`.

    Returns
    -------
    segments : xarray.Dataset
        The current of a segment with a taper is the one before it, or the highest of a taper without one.
    holds : dict of int to (float, float)
        For the index of such a segment the times [s] of the last record at the setpoint and the first below.
    """
    halves = cycling.half_cycles(recording)
    found = []
    start, stop = halves.start.to_numpy(), halves.stop.to_numpy()
    digits = (cycling.resolution(recording, "voltage"), cycling.resolution(recording, "current"))
    for first, (voltage, current) in zip(
        start, cycling.records(recording, start, stop, "voltage", "current"), strict=True
    ):
        taper = _taper(voltage * np.sign(current), np.abs(current), *digits)
        if taper:
            found.append((int(first) + taper[0], int(first) + taper[1]))
    if not found:
        return segments, {}
    starts, stops = segments.start.to_numpy().tolist(), segments.stop.to_numpy().tolist()
    direction = dict(zip(starts, np.sign(segments.current.to_numpy()), strict=True))
    sign = np.sign(recording.current.to_numpy())
    currents, held = {}, {}
    for begin, end in found:
        inside = [i for i, (a, b) in enumerate(zip(starts, stops, strict=True)) if a < end and b > begin]
        before = [i for i, b in enumerate(stops) if b == begin and direction.get(starts[i]) == sign[begin]]
        first = starts[(before or inside)[0]] if before else min([begin, *(starts[i] for i in inside)])
        removed = set(inside) | set(before)
        kept = [(a, b) for i, (a, b) in enumerate(zip(starts, stops, strict=True)) if i not in removed]
        starts, stops = (list(x) for x in zip(*sorted([*kept, (first, end)]), strict=True))
        direction[first] = sign[begin]
        own = np.abs(recording.current[first:end].to_numpy())
        at_setpoint = own >= (1 - SETPOINT_SHARE) * np.median(own[: max(begin - first, 1)])
        below = int(np.argmin(at_setpoint)) or own.size - 1
        currents[first] = sign[begin] * (float(np.median(own[:below])) if below > 2 else float(own.max()))
        time = recording.time[first:end].to_numpy()
        held[first] = (float(time[below - 1]), float(time[below]))
    described = cycling.described(recording, np.array(starts), np.array(stops), dimension="segment")
    level = [currents.get(a, c) for a, c in zip(starts, described.current.to_numpy(), strict=True)]
    described["current"] = ("segment", level, described.current.attrs)
    return described, {starts.index(first): times for first, times in held.items()}


def _taper(voltage: np.ndarray, current: np.ndarray, voltage_digit: float, current_digit: float) -> tuple | None:
    """Return first record, and one past the last, of a taper in a half cycle; None where there is none.

    Parameters
    ----------
    voltage, current : array, shape (n,)
        Unsigned; in rests the current is 0.
    voltage_digit, current_digit : float
        Last digits of the channels.
    """
    if voltage.size < 5 or current.min() > (1 - TAPER) * current.max():
        return None
    highest = float(without_stray(voltage).max())
    at_limit = (np.abs(voltage - highest) <= max(2 * voltage_digit, HELD_SHARE * highest)) & (current > 0)
    edges = np.flatnonzero(np.diff(at_limit, prepend=False, append=False))
    for first, end in sorted(edges.reshape(-1, 2), key=lambda run: run[0] - run[1]):
        own = current[first:end]
        falls = own[0] - own[-1] > max(TAPER * own[0], 2.5 * current_digit)
        if end - first > 3 and falls and np.mean(np.diff(own) <= current_digit) >= FALLING_SHARE:
            return int(first), int(end)
    return None
