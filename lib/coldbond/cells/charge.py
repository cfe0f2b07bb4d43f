"""Hours of current, and the charge that passed, until a moment of a galvanostatic recording.

Neither a rest nor a standstill of the tester is an hour of current, and records that were lost while the current went
on are no gap in it (`coldbond.cells.holes`).
"""

import numpy as np
import xarray as xr

from coldbond.cells import cycling
from coldbond.interval import NORMAL, Interval


def passed(recording: xr.Dataset, segments: xr.Dataset, until: float) -> tuple[Interval, Interval]:
    """Return for how long a current flowed until a time, and the charge of both directions together.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `segments`.
    segments : xarray.Dataset
        From `segments` of that recording.
    until : float
        Time [s].

    Returns
    -------
    hours, charge : Interval
        In h and Ah. Rests and standstills do not count, nor does it matter whether the records of a current were lost.
        Where it cannot be told whether the current went on, there is no value, and the bounds hold both cases.
    """
    begin, end, flowed = (segments[name].to_numpy() for name in ("begin", "end", "flowed"))
    level = np.abs(segments.current.to_numpy())
    whole = end <= until
    seconds = np.where(whole, flowed, 0.0)
    undecided = np.where(whole, segments.undecided, 0.0)
    amperes = np.where(whole, np.abs(segments.charge) * 3600, 0.0)
    reached = np.append(begin[1:] <= until, False)
    lost, open_ = (np.where(reached, segments[name], 0.0) for name in ("lost", "lost_undecided"))
    for i in np.flatnonzero(~whole & (begin < until)):
        seconds[i], undecided[i], amperes[i] = _part(recording, segments.isel({segments.start.dims[0]: i}), until)
    # Where two segments adjoin, an error of the moment between them lengthens one and shortens the other. The other
    # errors may be alike, since testers start their clock with each step: they are added up.
    of_begin, of_end, of_both = (segments[f"{name}_uncertainty"].to_numpy() for name in ("begin", "end", "flowed"))
    of_holes = np.sqrt(np.maximum(of_both**2 - of_begin**2 - of_end**2, 0.0))
    apart = np.append(begin[1:] > end[:-1], True)
    edges = np.where(apart, of_end, 0.0) + np.where(np.append(True, apart[:-1]), of_begin, 0.0) + of_holes
    error = NORMAL * float(edges[begin < until].sum())
    hours, more = float(seconds.sum() + lost.sum()), float(undecided.sum() + open_.sum())
    # Roundings of the same current add up, hence the sum of uncertainties and not of their squares.
    digit = NORMAL * cycling.resolution(recording, "current") * hours / np.sqrt(12)
    charge, more_charge = float(amperes.sum() + lost @ level), float((undecided + open_) @ level)
    charge_error = float(np.hypot(error * level.max(), digit))
    return (
        Interval(None if more else hours, max(hours - error, 0.0), hours + more + error).scaled(1 / 3600),
        Interval(None if more else charge, max(charge - charge_error, 0.0), charge + more_charge + charge_error).scaled(
            1 / 3600
        ),
    )


def _part(recording: xr.Dataset, segment: xr.Dataset, until: float) -> tuple[float, float, float]:
    """Return the seconds with current, those that cannot be told, and the charge [A s], of a segment until a time."""
    start, stop = int(segment.start), int(segment.stop)
    time, current = (recording[name][start:stop].to_numpy() for name in ("time", "current"))
    gaps, flows = np.diff(time), np.abs(current) > cycling.least_current(recording)
    both = flows[1:] & flows[:-1]
    interval = float(cycling.median(gaps[both] if both.any() else gaps))
    on = cycling.seconds_of_current(flows, gaps, interval)
    holes = both & (gaps > segment.flowed.attrs["hole"])
    before = np.clip((until - time[:-1]) / np.maximum(gaps, 1e-9), 0.0, 1.0)  # share of each that has passed
    whole = float(gaps[holes].sum())
    known = (
        float(segment.flowed) - float(on[~holes].sum()) - float(time[0] - segment.begin) - float(segment.end - time[-1])
    )
    share = np.clip(known / whole, 0.0, 1.0) if whole else 0.0
    on = np.where(holes, share * gaps, on) * before
    mean = np.abs(current[1:] + current[:-1]) / np.where(both, 2, 1)
    first = min(until, float(time[0])) - float(segment.begin)
    undecided = float(segment.undecided) * float(before[holes] @ gaps[holes]) / whole if whole else 0.0
    return first + float(on.sum()), undecided, float(mean @ on) + first * float(np.abs(current[0]))
