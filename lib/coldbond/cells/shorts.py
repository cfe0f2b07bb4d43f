"""Short circuits of a lithium symmetric cell, told from what its overpotential was in the half cycles before."""

from collections import deque
from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr
from scipy.ndimage import median_filter

from coldbond.cells import cycling

#: A short counts when it fills this share of a half cycle: a stray point does not.
SHARE = 0.02

#: Half cycles of the same direction that make the expectation: enough to outvote a freak, few enough to follow a cell
#: whose interface improves from cycle to cycle.
MEMORY = 5

#: The start of a half cycle, as a share of it, which is not judged: the double layer is still charging.
START = 0.05

#: A record that shows this share of the expected overpotential was before a failure, not within one.
WHOLE = 0.9

#: Scatter of the overpotential about its own running median, as a share of it, that a tester's noise does not reach.
FLUCTUATION = 0.05

#: Equidistant points on which a half cycle is judged, so that a tester that records more often while the voltage moves
#: gives those moments no more weight.
GRID = np.linspace(0, 1, 201)


def judged(recording: xr.Dataset, retained: float = 0.6, metallic: float = 10.0) -> xr.Dataset:
    """Judge every constant-current segment of a symmetric cell: sustained, shorted, or stopped by the tester's limit.

    Parameters
    ----------
    recording : xarray.Dataset
        `time` [s], `voltage` [V], `current` [A] over `record`; attrs `area_cm2`.
    retained : float
        Share of the expected overpotential below which the cell has lost some of its current to an electronic path.
    metallic : float
        Area-specific resistance in ohm cm2 below which the cell is a metal rather than an electrolyte.

    Returns
    -------
    xarray.Dataset
        The variables of `cycling.segments` and, over `segment`:

        - `current_density` [mA/cm2], unsigned
        - `resistance` [ohm cm2] : area-specific resistance, voltage over current density, median of the middle half
        - `kind` : "sustained", "soft short", "hard short", "voltage limit" or "unfinished"
        - `last_good`, `onset` [s] : between these a failure began; NaN where there is none

    Raises
    ------
    ValueError
        The manifest gives no area, no current flows, or `retained` is no share between 0 and 1.

    Notes
    -----
    The overpotential expected at a moment is the current times the resistance that the last five sustained segments of
    the same direction had when as much of them had passed (the median, and while there are fewer than five no more than
    where the one before ended), so neither the charging of the double layer nor a plateau that bends up as voids form
    reads as a short. The first segment of each direction is held against its own beginning (an offset of the voltage
    channel would falsify a comparison between directions).

    - hard short: at the segment's end the resistance is below `metallic`, or below a tenth of what is expected, and the
      voltage has the digits to tell
    - soft short: the overpotential is below `retained` of what is expected for 2 % of the segment, and lower than the
      noise explains; or it fluctuates five times more than before and by more than 5 %; yet it does not end as a metal
    - voltage limit: the segment ended early with the voltage at the highest of the recording and above what is expected

    A single stray record counts for nothing: a short that one record saw and that healed before the next is not called.
    A loss that creeps in evenly over more than five half cycles, or within the first five, cannot be told from an
    interface that improves.
    """
    if not 0 < retained < 1:
        raise ValueError(f"retained is {retained}: give a share between 0 and 1, such as 0.6")
    area = recording.attrs["area_cm2"]
    if not area > 0:
        raise ValueError(
            f"{recording.attrs['source']}: a current density needs the cell's area; fill in area_cm2 in manifest.csv"
        )
    segments = cycling.segments(recording)
    each = _each(segments)
    completed = _completed(segments)
    highest = cycling.largest(recording, "voltage")
    digits = recording.voltage.attrs["resolution"] * area / np.abs(segments.current.to_numpy())  # ohm cm2

    rows, previous, sustained = [], None, {1: deque(maxlen=MEMORY), -1: deque(maxlen=MEMORY)}
    latest = np.array([])  # profile of the last sustained segment, in whichever direction
    for index, (segment, (time, voltage)) in enumerate(zip(each, _records(recording, segments), strict=True)):
        ohms = voltage * area / segment["current"]
        passed = (time - segment["begin"]) / (segment["end"] - segment["begin"])
        profile, noise = _profile(passed, ohms), max(_noise(ohms), digits[index])
        same = sustained[np.sign(segment["current"])]
        if same:
            expected = cycling.median([one["profile"] for one in same])
            scale = [abs(one["current"] / segment["current"]) for one in same]  # ohm cm2 then, as ohm cm2 now
            usual = float(cycling.median([one["noise"] * ratio for one, ratio in zip(same, scale, strict=True)]))
            calm = max(one["scatter"] * ratio for one, ratio in zip(same, scale, strict=True))
        else:  # the first of its direction has nothing to compare with but its own beginning
            expected, usual, calm = _own_beginning(profile), noise, np.inf
        if 0 < len(same) < MEMORY:  # an interface that is still forming improves from half cycle to half cycle
            expected = np.minimum(expected, cycling.median(latest[GRID > 0.9]))
        # a loss that the noise of single records can explain is none
        least = np.minimum(retained * expected, expected - 5 * usual)
        row = _judgement(profile, expected, least, calm, digits[index], metallic)
        if row["kind"] == "sustained" and completed[index] < 0.9:
            end = np.abs(voltage[-1])
            if end >= 0.95 * highest and profile[-1] > 1.2 * expected[-1]:
                row |= {"kind": "voltage limit", "onset_share": 1.0}
            elif index == len(each) - 1:  # stopped by its operator, unless it had just shorted
                metal = end * area / abs(segment["current"]) < max(metallic, 0.1 * expected[-1])
                lost = ohms[-1] < np.interp(passed[-1], GRID, least)
                row["kind"] = ("hard short" if metal else "soft short") if lost else "unfinished"
                row["onset_share"] = np.nan
        if row["kind"] == "sustained":
            same.append({"profile": profile, "noise": noise, "scatter": row["scatter"], "current": segment["current"]})
            latest = profile
        seen = segment | {"time": time, "lost": _below(ohms, passed, least), "row": row}
        row["last_good"], row["onset"] = np.nan, np.nan
        rows.append(row)
        if row["kind"] not in ("sustained", "unfinished"):
            _date(recording, seen | {"whole": ~_below(ohms, passed, WHOLE * expected)}, previous)
        row["resistance"] = cycling.median(profile[(GRID >= 0.25) & (GRID <= 0.75)])
        previous = seen

    return segments.assign(
        current_density=(
            "segment",
            np.abs(segments.current.to_numpy()) * 1e3 / area,
            {"units": "mA/cm2", "long_name": "Current density"},
        ),
        resistance=(
            "segment",
            [row["resistance"] for row in rows],
            {"units": "ohm cm2", "long_name": "Area-specific resistance"},
        ),
        kind=("segment", [row["kind"] for row in rows]),
        last_good=("segment", [row["last_good"] for row in rows], {"units": "s"}),
        onset=("segment", [row["onset"] for row in rows], {"units": "s"}),
    )


def charge_passed(recording: xr.Dataset, until: float) -> tuple[float, float]:
    """Return the charge that passed in both directions up to a time [s].

    Returns
    -------
    charge, uncertainty : float
        In mAh/cm2; the uncertainty is standard, without that of the area and of the tester's gain.
    """
    before = sum(int((recording.time[block].to_numpy() <= until).sum()) for block in cycling.blocks(recording))
    segments = cycling.segments(recording.isel(record=slice(before)))
    scale = 1e3 / recording.attrs["area_cm2"]
    return float(np.abs(segments.charge).sum()) * scale, float(segments.charge_uncertainty.sum()) * scale


def _each(segments: xr.Dataset) -> list[dict[str, float]]:
    arrays = {name: segments[name].to_numpy() for name in ("start", "stop", "begin", "end", "current")}
    return [dict(zip(arrays, values, strict=True)) for values in zip(*arrays.values(), strict=True)]


def _records(recording: xr.Dataset, segments: xr.Dataset) -> Iterator[list[np.ndarray]]:
    """Time [s] and voltage [V] of the records of each segment."""
    return cycling.records(recording, segments.start.to_numpy(), segments.stop.to_numpy(), "time", "voltage")


def _profile(passed: np.ndarray, ohms: np.ndarray) -> np.ndarray:
    """Area-specific resistance in ohm cm2 on `GRID`, of that at the records, when a share of the segment had passed."""
    if ohms.size > 4:  # a stray record is no short, nor the last one, caught while the tester switched
        ohms = np.concatenate([ohms[:1], _of_three(ohms), cycling.median(ohms[-3:])[np.newaxis]])
    return np.interp(GRID, passed, ohms)


def _of_three(ohms: np.ndarray) -> np.ndarray:
    """Running median of three records."""
    before, here, after = ohms[:-2], ohms[1:-1], ohms[2:]
    return np.maximum(np.minimum(before, here), np.minimum(np.maximum(before, here), after))


def _below(ohms: np.ndarray, passed: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Which records of a segment lie below an area-specific resistance in ohm cm2, given on `GRID`."""
    return ohms < np.interp(passed, GRID, least)


def _own_beginning(profile: np.ndarray) -> np.ndarray:
    return np.full_like(profile, np.median(profile[(GRID >= START) & (GRID <= 0.2)]))


def _completed(segments: xr.Dataset) -> np.ndarray:
    """Each segment's duration or charge over the median of those before it, whichever of the two the protocol holds."""
    duration = (segments.end - segments.begin).to_numpy()
    charge = np.abs(segments.charge.to_numpy())

    def spread(amounts: np.ndarray) -> float:
        return np.median(np.abs(amounts / np.median(amounts) - 1))

    held = duration if spread(duration) <= spread(charge) else charge
    before = pd.Series(held).expanding().median().to_numpy()[:-1]
    return np.append(1.0, held[1:] / before)


def _noise(ohms: np.ndarray) -> float:
    """Standard deviation of the noise of one record, in the unit of the records, from neighbouring ones."""
    return (
        float(cycling.median(np.abs(np.diff(ohms)))) / 0.954
    )  # of two normal deviates' distance the median is 0.954 sigma


def _judgement(
    profile: np.ndarray,
    expected: np.ndarray,
    least: np.ndarray,
    calm: float,
    digit: float,
    metallic: float,
) -> dict[str, float | str]:
    judged = GRID >= START
    away = np.abs(profile - median_filter(profile, GRID.size // 10, mode="nearest"))
    scatter = float(np.sqrt(np.mean(away[judged] ** 2)))
    lost = judged & (profile < least)
    metal = cycling.median(profile[GRID > 0.95]) + digit / 2 < max(metallic, 0.1 * expected[-1])
    fluctuates = scatter > 5 * calm and scatter > FLUCTUATION * cycling.median(np.abs(profile))
    if metal:
        kind = "hard short"
    elif lost.sum() > SHARE * GRID.size or fluctuates:
        kind = "soft short"
    else:
        return {"kind": "sustained", "scatter": scatter}
    disturbed = judged & (lost | (profile < metallic) if metal or lost.any() else away > FLUCTUATION * np.abs(profile))
    return {"kind": kind, "scatter": scatter, "onset_share": float(GRID[np.argmax(disturbed)])}


def _date(recording: xr.Dataset, segment: dict, previous: dict | None) -> None:
    """Set `last_good` and `onset` [s] in the row of a segment that failed, between which its failure began.

    A failure that was there when the segment began came in the pause before it, or in the last records of the segment
    before, which then is the one that failed.
    """
    row, time, lost = segment["row"], segment["time"], segment["lost"]
    preceding = float(recording.time[max(int(segment["start"]) - 1, 0)])
    if np.isnan(row["onset_share"]):  # stopped at the short
        first = _since(lost)
        row["last_good"], row["onset"] = float(time[first - 1]) if first else preceding, float(time[first])
    elif row["onset_share"] > GRID[GRID >= START][0]:
        length = segment["end"] - segment["begin"]
        moment = segment["begin"] + row["onset_share"] * length
        before = max(np.searchsorted(time, moment - length * GRID[1], side="right") - 1, 0)
        after = np.searchsorted(time, moment)
        # a short that fluctuates may have begun before it shows: with the first record that was too low, or just before
        if lost.any():
            before = max(min(before, int(np.argmax(lost)) - 1), 0)
        whole = np.flatnonzero(segment["whole"][: before + 1])
        last = int(whole[-1]) if whole.size else before
        row["last_good"] = float(time[max(last - _hidden(segment["whole"][last + 1 :]), 0)])
        row["onset"] = float(max(time[min(after, time.size - 1)], moment))
    else:
        first = int(np.argmax(lost))
        row["onset"] = float(time[first])
        row["last_good"] = float(time[first - 1]) if first else preceding
        if not first and previous:
            row["last_good"] = float(previous["time"][-1])
            since = _since(previous["lost"])
            if previous["row"]["kind"] == "sustained" and 0 < since < previous["lost"].size:
                began = {"last_good": float(previous["time"][since - 1]), "onset": float(previous["time"][since])}
                previous["row"] |= {"kind": row["kind"]} | began


def _hidden(whole: np.ndarray) -> int:
    """How many whole records a short that has begun may leave at first (95 %), as often as it does so later on.

    A path that opens and closes at random is as likely to be open in its first records as in those after.
    """
    share = float(np.mean(whole)) if whole.size else 0.0
    return int(np.ceil(np.log(0.05) / np.log(share))) if 0 < share < 1 else 0


def _since(lost: np.ndarray) -> int:
    """Place of the record from which on all are lost; their number where the last is not."""
    return lost.size - int(np.argmin(np.append(lost[::-1], False)))
