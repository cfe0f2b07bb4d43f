"""Failure of a full cell: the cycle from which on it leaks or is dead.

A cell that leaks, by a soft short, takes up more charge than it gives back; a dead one gives back hardly any of what it
gave a few cycles before. A slow fade is no failure, nor is a loss in every cycle from the first one on.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr

from coldbond.cells import cycling
from coldbond.interval import NORMAL, Interval

#: Cycles before one that its capacity is compared with: few enough to follow a fade.
BEFORE = 10

#: Share of the cycles from the first failed one to the last of the test that have failed, too: fewer are a disturbance
#: that the cell recovers from.
LASTING = 0.8

#: Robust standard deviations below the cycles before from which on the efficiency or the capacity departs from them.
DEPARTURE = 5.0


class Failure(NamedTuple):
    """When a cell failed, and what shows it.

    Attributes
    ----------
    cycle : Interval
        Cycle of the failure: its value the first that departs from those before, its upper bound the first beyond a
        limit. A failure that grows began before it was seen: the lower bound lies as many cycles before the value as
        the upper one behind it. Without a value and with the last cycle as lower bound if the cell did not fail.
    words : str
        What shows it.
    failed : bool or None
        None where it cannot be told.
    disturbed : tuple of int
        Cycles beyond a limit that the cell recovered from.
    """

    cycle: Interval
    words: str
    failed: bool | None
    disturbed: tuple[int, ...] = ()


def failure(
    table: xr.Dataset, least_efficiency: float = 0.9, least_capacity: float = 0.5, theoretical_capacity: float = 170.0
) -> Failure:
    """Find the failure of a cell among the cycles of its test.

    Parameters
    ----------
    table : xarray.Dataset
        From `capacity.cycles`.
    least_efficiency : float
        Coulombic efficiency, as a share, below which a cycle has failed. A charge that was not followed by a discharge
        is compared with the discharges before it.
    least_capacity : float
        Share of the median capacity of the ten cycles before below which a cycle has failed.
    theoretical_capacity : float
        Of the active material [mAh/g]. A charge above it has failed if the discharge stays below it, both by more than
        the uncertainty of mass and current.

    Returns
    -------
    Failure
    """
    of_anode = table.attrs["delivered"] == "charge"
    into, out = ("discharge", "charge") if of_anode else ("charge", "discharge")
    own = table.sel(cycle=table.test & np.isfinite(table.capacity.sel(half=into, drop=True)))
    cycle = own.cycle.to_numpy()
    taken, given = (own.capacity.sel(half=half).to_numpy() for half in (into, out))
    ended = own.finished.sel(half=out).to_numpy() == 1
    begun = own.begun.sel(half=into).to_numpy() == 1
    is_first = (cycle == table.cycle.to_numpy()[0]) | (cycle == cycle[:1])
    settled = own.settled.to_numpy() & ~is_first
    efficiency = np.where(ended & begun, given / np.where(taken > 0, taken, np.nan), np.nan)
    kept, leaks, dead = np.full((3, cycle.size), np.nan)
    above = np.zeros(cycle.size, dtype=bool)
    margin = NORMAL * table.attrs["common"]
    for i in range(cycle.size):
        good = [j for j in range(i) if ended[j] and not (leaks[j] == 1 or dead[j] == 1)][-BEFORE:]
        usual = float(np.median(given[good])) if good else np.nan
        if np.isnan(given[i]) or not ended[i]:  # a charge that was never given back, or not in full
            efficiency[i] = usual / taken[i] if taken[i] > usual else np.nan
        elif good:
            kept[i] = given[i] / usual
        if table.capacity.attrs["units"] == "mAh/g" and not of_anode:
            gave = usual if np.isnan(given[i]) else given[i]
            above[i] = taken[i] > theoretical_capacity * (1 + margin) and not gave > theoretical_capacity * (1 - margin)
        judged = settled[i] or (good and efficiency[i] == usual / taken[i])
        leaks[i] = bool((judged and efficiency[i] < least_efficiency) or (above[i] and not is_first[i]))
        dead[i] = bool(kept[i] < least_capacity)
    bad = (leaks == 1) | (dead == 1)
    known = bad | np.isfinite(efficiency) | np.isfinite(kept)
    lasting = [i for i in np.flatnonzero(bad).tolist() if bad[i:][known[i:]].mean() >= LASTING]
    if not lasting:
        last = float(cycle[known][-1]) if known.any() else None
        return Failure(Interval(None, last), "no failure was seen", False, tuple(int(n) for n in cycle[bad]))
    first = lasting[0]
    signs = [
        *(["a charge above what theory allows"] if above[first:].any() else []),
        *(["a low coulombic efficiency"] if (leaks[first:] == 1).any() else []),
        *(["a sudden loss of capacity"] if (dead[first:] == 1).any() else []),
    ]
    words = " and ".join(signs)
    before = np.flatnonzero(known[:first] & ~bad[:first] & ~is_first[:first])
    if not before.size:
        if above[first:].any():
            return Failure(Interval(None, None, float(cycle[first])), f"{words}, from the first cycles on", True)
        words = "the efficiency is low from the first cycles on: a loss in every cycle, or a failure before them"
        return Failure(Interval(None), words, None)
    onset = min(_departure(series, before, first) for series in (efficiency, kept))
    vague = int(cycle[first] - cycle[onset])
    seen_before = int(cycle[onset - 1]) + 1
    low = max(min(seen_before, int(cycle[onset]) - vague), int(cycle[0]))
    disturbed = tuple(int(n) for n in cycle[:first][bad[:first]])
    return Failure(Interval(float(cycle[onset]), float(low), float(cycle[first])), words, True, disturbed)


def _departure(series: np.ndarray, before: np.ndarray, first: int) -> int:
    """Return the first index from which on a series stays below what it was before, at the latest `first`."""
    known = before[np.isfinite(series[before])]
    usual = known[: max(len(known) * 2 // 3, 1)]
    if usual.size < 4:
        return first
    level = np.median(series[usual])
    spread = np.median(np.abs(series[usual] - level)) / cycling.MEDIAN_DEVIATION
    onset = first
    for i in range(first - 1, usual[-1], -1):
        if series[i] >= level - DEPARTURE * spread:
            break
        onset = i if np.isfinite(series[i]) else onset
    return onset
