"""The tester's capacity counters: when they start from zero again, and whether they agree with the current."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from coldbond.files.electrochemistry import clocks
from coldbond.files.errors import ReadError

#: Records that are looked at together: a recording on disk is larger than the memory, and what the processor's cache
#: holds is looked at several times as fast.
BLOCK = 1 << 15
#: Last digits by which a counter must fall to have been reset, and which it must hold before. A counter at rest dithers
#: by one last digit.
FALL = 1.5
HELD = 2.0
#: Factor between a counter and the integral of the current that no rounding explains. Wrong units differ by 60 or more.
FACTOR = 3.0
#: Median intervals between records beyond which an interval is a hole in the recording. What passed in it the counter
#: knows and the integral does not.
HOLE = 100.0
#: Sign of the current with which a counter grows.
DIRECTION = {"charge_capacity": 1, "discharge_capacity": -1}


def resets(recording: xr.Dataset, counters: Sequence[str]) -> str:
    """Return when capacity counters are reset to zero.

    Parameters
    ----------
    recording : xarray.Dataset
        With signed current.
    counters : sequence of str
        Counters that the tester resets together.

    Returns
    -------
    str
        "step" or "cycle" where every one of them starts from zero, "never", or "undetermined" where the counters do
        none of these throughout, or no step ends with charge on a counter.
    """
    ends = fell = fell_with_cycle = 0
    names = [name for name in ("cycle", "step", "current", *counters) if name in recording]
    for start in range(0, recording.sizes["record"] - 1, BLOCK):
        block = {name: recording[name][start : start + BLOCK + 1].to_numpy() for name in names}
        new_cycle = np.diff(block["cycle"]) != 0 if "cycle" in block else np.zeros(block["current"].size - 1, bool)
        new_step = new_cycle | (np.diff(block.get("step", np.sign(block["current"]))) != 0)
        for name in counters:
            digit, count = recording[name].attrs["resolution"], np.abs(block[name])
            falls = count[1:] < count[:-1] - FALL * digit
            if (falls & ~new_step).any():  # within a step
                return "undetermined"
            holds = new_step & (count[:-1] > HELD * digit)
            ends += int(np.count_nonzero(holds))
            fell += int(np.count_nonzero(falls & holds))
            fell_with_cycle += int(np.count_nonzero((falls == new_cycle) & holds))
    if ends and fell in (0, ends):
        return "step" if fell else "never"
    return "cycle" if ends and fell_with_cycle == ends else "undetermined"


def check(path: Path, recording: xr.Dataset, counters: Sequence[str]) -> None:
    """Refuse a recording whose capacity counters contradict its current and time.

    The counters must be within `FACTOR` of the integral of the current, holes in the recording left out. A counter of
    charge may grow in charge only, and one of discharge in discharge only.

    Raises
    ------
    ReadError
        With the counter and what the current gives.
    """
    counted = lost = passed = hours = 0.0
    rounding = 0.5 * float(recording.current.attrs["resolution"])
    wrong, right = dict.fromkeys(counters, 0.0), dict.fromkeys(counters, 0.0)
    for start in range(0, recording.sizes["record"] - 1, BLOCK):
        part = {name: recording[name][start : start + BLOCK + 1].to_numpy() for name in ("time", "current", *counters)}
        sign = np.sign(part["current"])
        flows = (sign[1:] == sign[:-1]) & (sign[1:] != 0)
        grown = {name: np.diff(np.abs(part[name])) for name in counters}
        for name in counters:
            if np.isnan(grown[name].sum()):
                grown[name] = np.nan_to_num(grown[name])
        for name in counters:  # what passed while a counter was reset is not on it
            flows &= grown[name] >= -FALL * float(recording[name].attrs["resolution"])
        interval = np.diff(part["time"])
        if (interval > 0).any():
            flows &= interval <= HOLE * np.median(interval[interval > 0])
        weight = flows.astype(float)  # a product takes a tenth of the time of a selection
        duration = interval * (weight / 3600)
        size = np.abs(part["current"])
        passed += float((duration * (size[1:] + size[:-1])).sum()) / 2
        hours += float(duration.sum())
        for name in counters:
            digit = float(recording[name].attrs["resolution"])
            counted += float((grown[name] * weight).sum())
            lost += digit * (np.count_nonzero(np.diff(flows)) + HELD)
            if name in DIRECTION:
                right[name] += float((grown[name] * weight * (sign[1:] == DIRECTION[name])).sum())
                wrong[name] += float((grown[name] * weight * (sign[1:] == -DIRECTION[name])).sum())
    names = " and ".join(recording[name].attrs["long_name"] for name in counters)
    counts = "count" if len(counters) > 1 else "counts"
    error = rounding * hours
    if counted > lost and (FACTOR * (passed + error) < counted - lost or FACTOR * (counted + lost) < passed - error):
        reason = f"the {names} {counts} {counted:.3g} Ah, and the current passes {passed:.3g} Ah in {hours:.6g} h"
        raise ReadError(path, None, reason, "export time, current and capacity with their true units")
    for name in counters:
        if wrong[name] > max(right[name], FACTOR * recording[name].attrs["resolution"]):
            which = "negative" if DIRECTION[name] > 0 else "positive"
            reason = f"the {recording[name].attrs['long_name']} grows while the current is {which}"
            remedy = (
                "export it with a current that is positive in charge and negative in discharge, or with step states"
            )
            raise ReadError(path, None, reason, remedy)


def check_half_cycles(path: Path, recording: xr.Dataset) -> None:
    """Refuse a recording in which one charge or discharge lasts longer than any real one.

    Raises
    ------
    ReadError
        The test time must be in another unit than its column says.
    """
    longest, since = 0.0, float(recording.time[0])
    before = 0.0
    if float(recording.time[-1]) - since <= clocks.LONGEST_HALF_CYCLE:
        return
    for start in range(0, recording.sizes["record"], BLOCK):
        time, current = (recording[name][start : start + BLOCK].to_numpy() for name in ("time", "current"))
        sign = np.sign(current)
        turns = np.flatnonzero(np.diff(sign, prepend=before))
        for turn in turns:
            if (sign[turn - 1] if turn else before) != 0:
                longest = max(longest, float(time[turn]) - since)
            since = float(time[turn])
        before = float(sign[-1])
    if before != 0:
        longest = max(longest, float(recording.time[-1]) - since)
    if longest > clocks.LONGEST_HALF_CYCLE:
        reason = f"one charge or discharge lasts {longest / 3600:.6g} h, more than a year"
        raise ReadError(path, None, reason, "export it with the test time in the unit that its name says")
