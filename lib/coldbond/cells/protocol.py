"""What a test did with a cell: its half cycles without pulses, the applied currents, and which cycles are alike.

A full cell is rarely cycled at one current only: slow cycles form it, check-ups and rate tests interrupt the test,
pulses measure its resistance, and records may be lost. Capacities are comparable only between cycles of the same
currents in charge and discharge.
"""

from itertools import pairwise

import numpy as np
import xarray as xr
from scipy.ndimage import median_filter

from coldbond.cells import cycling

#: Relative difference up to which two currents are the same rate. Closure (tests/test_capacity.py,
#: tests/test_full_cell.py) was the same with 0.01.
SAME_CURRENT = 0.05

#: Share of the median charge of the half cycles below which one is a pulse, unless it reaches a cut-off voltage: ten
#: seconds at 1C are 0.3 %.
PULSE_SHARE = 0.01

#: Share of its charge that a half cycle may pass at less than its applied current and still count as one at it. A phase
#: of constant voltage takes up more of the charge in an aged cell, whose applied current may then not be seen.
TAPERED = 0.8

#: Hours without a record, in durations of a cycle, from which on a cycle may have run unseen.
HOLE = 1.0


def half_cycles(recording: xr.Dataset, tolerance: float) -> tuple[xr.Dataset, xr.Dataset]:
    """Cut a recording into the half cycles of a test, without pulses and not across lost records.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `capacity.cycles`.
    tolerance : float
        Distance [V] up to which a voltage has reached a cut-off.

    Returns
    -------
    parts : xarray.Dataset
        From `cycling.half_cycles`, with `unseen` (bool): records are lost before the half cycle, so that it may have
        begun among them; and `hole` (bool): a cycle may have run before it that is not recorded. attrs `pulses`: number
        of pulses that were left out.
    recording : xarray.Dataset
        The recording without the current of the pulses: that of `parts`.

    Raises
    ------
    ValueError
        No half cycle has two records.
    """
    parts = cycling.half_cycles(recording)
    if not parts.charge.any():
        raise ValueError(
            f"{cycling.source(recording)}: no half cycle has two records: export the recording with more records"
        )
    pulses = _pulses(recording, parts, tolerance)
    if pulses.any():
        current = recording.current.to_numpy().copy()
        for start, stop in zip(parts.start.to_numpy()[pulses], parts.stop.to_numpy()[pulses], strict=True):
            current[start:stop] = 0.0
        recording = recording.assign(current=recording.current.copy(data=current))
        parts = cycling.half_cycles(recording)
    cuts = np.empty(0, int)
    if (parts.current < 0).all():  # the charges may be in another file, so that nothing is said of gaps
        parts = cycling.segments(recording).rename(segment="half_cycle")
    elif (cuts := _holes(recording, parts)).size:
        parts = _cut(recording, cuts)
    hole = np.diff(np.searchsorted(cuts, parts.start, side="right"), prepend=0) > 0
    unseen = np.isin(parts.start.to_numpy(), cuts)
    found = parts.assign(hole=("half_cycle", hole), unseen=("half_cycle", unseen))
    return found.assign_attrs(pulses=int(pulses.sum())), recording


def applied_current(current: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the current that a test applied in a half cycle, and at which records it was less.

    Parameters
    ----------
    current : array, shape (n,)
        Of the records of one half cycle, A.

    Returns
    -------
    applied : float
        Its sign is that of the half cycle. The largest current that lasted for at least two records, so that neither a
        stray record nor a phase of constant voltage, in which the current decays, sets it.
    less : array of bool, shape (n,)
        Records of less than 95 % of it.
    """
    size = np.abs(current)
    top = float((median_filter(size, 3, mode="nearest") if size.size > 2 else size).max())
    less = size < (1 - SAME_CURRENT) * top
    near = current[~less & (size <= (1 + SAME_CURRENT) * top)]
    return float(np.median(near)) if near.size else float(np.median(current)), less


def classes(charge: np.ndarray, discharge: np.ndarray) -> np.ndarray:
    """Return which cycles have the same currents, as a number that counts up in the order of their first cycles.

    Parameters
    ----------
    charge, discharge : array, shape (n,)
        Currents [A] of each cycle; NaN where there is none or where it is not known, which is like any.
    """
    currents = np.log(np.abs(np.column_stack([charge, discharge])))
    kinds: list[np.ndarray] = []
    found = np.empty(len(currents), dtype=int)
    for i, pair in enumerate(currents):
        for kind, known in enumerate(kinds):
            if not (np.abs(pair - known) > SAME_CURRENT).any():
                kinds[kind] = np.where(np.isnan(known), pair, known)
                found[i] = kind
                break
        else:
            found[i] = len(kinds)
            kinds.append(pair)
    return found


def finished(halves: xr.Dataset, tolerance: float, share: float) -> np.ndarray:
    """Return which half cycles were finished rather than broken off.

    Parameters
    ----------
    halves : xarray.Dataset
        From `capacity.measured`.
    tolerance : float
        Least distance [V] of the last voltage from that of the others at the current that is short of a cut-off. Where
        the last voltages of a recording scatter more, since its records are far apart, that scatter decides.
    share : float
        Share of the charge of the half cycle before, at the same current, from which a half cycle counts as finished
        however its voltage ended: a test that is limited by capacity or time ends at another voltage every time.

    Returns
    -------
    array of bool, shape (n,)
        True where no other half cycle has that current.
    """
    applied, last, passed = (halves[name].to_numpy() for name in ("applied", "last", "passed"))
    found = np.ones(applied.size, dtype=bool)
    rates = classes(np.where(applied > 0, applied, np.nan), np.where(applied < 0, applied, np.nan))
    for sign in (1, -1):
        for rate in np.unique(rates[applied * sign > 0]):
            own = np.flatnonzero((rates == rate) & (applied * sign > 0))
            for i in own:
                others = own[own != i]
                if not others.size or (others.size < 2 and i != applied.size - 1):
                    continue
                middle = np.median(last[others])
                scatter = np.median(np.abs(last[others] - middle)) / cycling.MEDIAN_DEVIATION
                short_of = sign * (middle - last[i]) > max(tolerance, 5 * scatter)
                earlier = others[others < i]
                reference = passed[earlier[-1]] if earlier.size else passed[others[0]]
                found[i] = not short_of or passed[i] >= share * reference
    return found


def _pulses(recording: xr.Dataset, parts: xr.Dataset, tolerance: float) -> np.ndarray:
    """Return which half cycles are pulses: they passed hardly any charge and did not reach a cut-off voltage."""
    charge, charging = np.abs(parts.charge.to_numpy()), parts.current.to_numpy() > 0
    last = recording.voltage.to_numpy()[parts.stop.to_numpy() - 1]
    small = charge < PULSE_SHARE * np.median(charge[charge > 0])
    found = np.zeros(charge.size, dtype=bool)
    for direction, sign in ((charging, 1), (~charging, -1)):
        whole = direction & ~small
        reached = sign * last >= sign * np.median(last[whole]) - tolerance if whole.any() else np.zeros_like(small)
        found |= direction & small & ~reached
    return found


def _holes(recording: xr.Dataset, parts: xr.Dataset) -> np.ndarray:
    """Return the first record after each hole in which a cycle may have run."""
    time = recording.time.to_numpy()
    if "cycle" in recording:
        steps = np.diff(recording.cycle.to_numpy())
        counted = steps[steps != 0]
        if counted.size and np.median(counted) == 1:
            return np.flatnonzero(steps > 1) + 1
    duration = 2 * float(np.median((parts.end - parts.begin).to_numpy()))
    gaps = np.diff(time)
    usual = gaps[np.clip(parts.start.to_numpy()[1:] - 1, 0, None)]
    limit = max(HOLE * duration, 3 * float(np.median(usual)) if usual.size else 0.0)
    wide = gaps > limit
    # Several in a row are a long rest, of which the tester records little.
    in_rest = np.concatenate([[False], wide[:-1] & wide[1:], [False]])
    return np.flatnonzero(wide & ~in_rest[1:] & ~in_rest[:-1]) + 1


def _cut(recording: xr.Dataset, cuts: np.ndarray) -> xr.Dataset:
    """Return the half cycles of the stretches between holes, with indices of the whole recording."""
    edges = [0, *cuts.tolist(), recording.sizes["record"]]
    found = []
    for start, stop in pairwise(edges):
        try:
            parts = cycling.half_cycles(recording.isel(record=slice(start, stop)))
        except cycling.NoCurrentError:
            continue
        found.append(parts.assign(start=parts.start + start, stop=parts.stop + start))
    return xr.concat(found, "half_cycle", combine_attrs="override")
