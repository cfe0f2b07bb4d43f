"""Short circuits of a lithium symmetric cell, told from what its overpotential was in the half cycles before."""

from collections import deque

import numpy as np
import pandas as pd
import xarray as xr
from scipy.ndimage import median_filter

from coldbond import cycling

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
    each = _each(recording, segments)
    profiles = np.array([_profile(segment, area) for segment in each])
    current = segments.current.to_numpy()
    digits = recording.voltage.attrs["resolution"] * area / np.abs(current)  # ohm cm2
    noises = np.maximum(_noise(recording, segments) * area / np.abs(current), digits)
    resistance = np.median(profiles[:, (GRID >= 0.25) & (GRID <= 0.75)], axis=1)
    ends = np.median(profiles[:, GRID > 0.95], axis=1) + digits / 2
    scatters = np.array([_scatter(profile) for profile in profiles])
    completed = _completed(segments)
    highest = float(np.abs(recording.voltage).max())

    rows = []
    sustained = {1.0: deque(maxlen=MEMORY), -1.0: deque(maxlen=MEMORY)}  # by direction
    latest = 0
    for index, (segment, profile) in enumerate(zip(each, profiles, strict=True)):
        same = list(sustained[np.sign(current[index])])
        if same:
            expected = np.median(profiles[same], axis=0)
            scale = np.abs(current[same] / segment["current"])  # ohm cm2 then, as ohm cm2 now
            noise = float(np.median(noises[same] * scale))
            calm = float(np.max(scatters[same] * scale))
        else:  # the first of its direction has nothing to compare with but its own beginning
            expected, noise, calm = _own_beginning(profile), noises[index], np.inf
        if 0 < len(same) < MEMORY:  # an interface that is still forming improves from half cycle to half cycle
            expected = np.minimum(expected, np.median(profiles[latest][GRID > 0.9]))
        # a loss that the noise of single records can explain is none
        least = np.minimum(retained * expected, expected - 5 * noise)
        row = _judgement(profile, expected, least, scatters[index], calm, ends[index], metallic)
        lost = _below(segment, area, least)
        if row["kind"] == "sustained" and completed[index] < 0.9:
            end = np.abs(segment["voltage"][-1])
            if end >= 0.95 * highest and profile[-1] > 1.2 * expected[-1]:
                row |= {"kind": "voltage limit", "onset_share": 1.0}
            elif index == len(each) - 1:  # stopped by its operator, unless it had just shorted
                metal = end * area / abs(segment["current"]) < max(metallic, 0.1 * expected[-1])
                row["kind"] = ("hard short" if metal else "soft short") if lost[-1] else "unfinished"
                row["onset_share"] = np.nan
        if row["kind"] == "sustained":
            sustained[np.sign(current[index])].append(index)
            latest = index
        row |= {"lost": lost, "last_good": np.nan, "onset": np.nan}
        rows.append(row)
        if row["kind"] not in ("sustained", "unfinished"):
            row["whole"] = ~_below(segment, area, WHOLE * expected)
            _date(recording, each, rows)

    return segments.assign(
        current_density=(
            "segment",
            np.abs(segments.current.to_numpy()) * 1e3 / area,
            {"units": "mA/cm2", "long_name": "Current density"},
        ),
        resistance=("segment", resistance, {"units": "ohm cm2", "long_name": "Area-specific resistance"}),
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
    segments = cycling.segments(recording.isel(record=recording.time.to_numpy() <= until))
    scale = 1e3 / recording.attrs["area_cm2"]
    return float(np.abs(segments.charge).sum()) * scale, float(segments.charge_uncertainty.sum()) * scale


def _each(recording: xr.Dataset, segments: xr.Dataset) -> list[dict]:
    """Each segment's bounds and current, and its records' voltage and place, as the share that has passed."""
    time, voltage = recording.time.to_numpy(), recording.voltage.to_numpy()
    arrays = {name: segments[name].to_numpy() for name in ("start", "stop", "begin", "end", "current")}
    each = [dict(zip(arrays, values, strict=True)) for values in zip(*arrays.values(), strict=True)]
    for segment in each:
        records = slice(segment["start"], segment["stop"])
        segment["voltage"] = voltage[records]
        segment["passed"] = (time[records] - segment["begin"]) / (segment["end"] - segment["begin"])
    return each


def _profile(segment: dict, area: float) -> np.ndarray:
    """Area-specific resistance in ohm cm2 on `GRID`, the share of the segment that has passed."""
    voltage = segment["voltage"]
    if voltage.size > 4:  # a stray record is no short, nor the last one, caught while the tester switched
        voltage = np.concatenate([voltage[:1], _of_three(voltage), [sorted(voltage[-3:])[1]]])
    return np.interp(GRID, segment["passed"], voltage) * area / segment["current"]


def _of_three(voltage: np.ndarray) -> np.ndarray:
    """Running median of three records."""
    before, here, after = voltage[:-2], voltage[1:-1], voltage[2:]
    return np.maximum(np.minimum(before, here), np.minimum(np.maximum(before, here), after))


def _below(segment: dict, area: float, least: np.ndarray) -> np.ndarray:
    """Which records of a segment lie below an area-specific resistance in ohm cm2, given on `GRID`."""
    return segment["voltage"] * area / segment["current"] < np.interp(segment["passed"], GRID, least)


def _own_beginning(profile: np.ndarray) -> np.ndarray:
    return np.full_like(profile, np.median(profile[(GRID >= START) & (GRID <= 0.2)]))


def _completed(segments: xr.Dataset) -> np.ndarray:
    """Each segment's duration or charge over the median of those before it, whichever of the two the protocol holds."""
    duration = (segments.end - segments.begin).to_numpy()
    charge = np.abs(segments.charge.to_numpy())

    def spread(amounts: np.ndarray) -> float:
        return np.median(np.abs(amounts / np.median(amounts) - 1))

    held = duration if spread(duration) <= spread(charge) else charge
    return np.append(1.0, held[1:] / pd.Series(held).expanding().median().to_numpy()[:-1])


def _noise(recording: xr.Dataset, segments: xr.Dataset) -> np.ndarray:
    """Standard deviation in V of the noise of one record, of each segment for itself, from neighbouring records."""
    steps = np.abs(np.diff(recording.voltage.to_numpy()))
    start, last = segments.start.to_numpy(), segments.stop.to_numpy() - 1
    return cycling.medians(steps, start, last) / 0.954  # of two normal deviates' distance the median is 0.954 sigma


def _away(profile: np.ndarray) -> np.ndarray:
    """Distance of a profile from its own running median."""
    return np.abs(profile - median_filter(profile, GRID.size // 10, mode="nearest"))


def _scatter(profile: np.ndarray) -> float:
    return np.sqrt(np.mean(_away(profile)[GRID >= START] ** 2))


def _judgement(
    profile: np.ndarray,
    expected: np.ndarray,
    least: np.ndarray,
    scatter: float,
    calm: float,
    end: float,
    metallic: float,
) -> dict[str, float | str]:
    judged = GRID >= START
    lost = judged & (profile < least)
    metal = end < max(metallic, 0.1 * expected[-1])
    if metal:
        kind = "hard short"
    elif lost.sum() > SHARE * GRID.size or (scatter > 5 * calm and scatter > FLUCTUATION * np.median(np.abs(profile))):
        kind = "soft short"
    else:
        return {"kind": "sustained"}
    low = metal or lost.any()
    disturbed = lost | (profile < metallic) if low else _away(profile) > FLUCTUATION * np.abs(profile)
    return {"kind": kind, "onset_share": float(GRID[np.argmax(judged & disturbed)])}


def _date(recording: xr.Dataset, each: list[dict], rows: list[dict]) -> None:
    """Set `last_good` and `onset` [s] of the last row, which failed, between which its failure began.

    A failure that was there when the segment began came in the pause before it, or in the last records of the segment
    before, which then is the one that failed.
    """
    row, segment = rows[-1], each[len(rows) - 1]
    time, start = recording.time.to_numpy(), int(segment["start"])
    if np.isnan(row["onset_share"]):  # stopped at the short
        first = start + _since(row["lost"])
        row["last_good"], row["onset"] = float(time[first - 1]), float(time[first])
    elif row["onset_share"] > GRID[GRID >= START][0]:
        length = segment["end"] - segment["begin"]
        moment = segment["begin"] + row["onset_share"] * length
        inside = time[start : int(segment["stop"])]
        before = max(np.searchsorted(inside, moment - length * GRID[1], side="right") - 1, 0)
        after = np.searchsorted(inside, moment)
        # a short that fluctuates may have begun before it shows: with the first record that was too low, or just before
        if row["lost"].any():
            before = max(min(before, int(np.argmax(row["lost"])) - 1), 0)
        whole = np.flatnonzero(row["whole"][: before + 1])
        row["last_good"] = float(inside[whole[-1] if whole.size else before])
        row["onset"] = float(max(inside[min(after, inside.size - 1)], moment))
    else:
        first = int(np.argmax(row["lost"]))
        row["onset"] = float(time[start + first])
        row["last_good"] = float(time[start + first - 1]) if first else float(time[max(start - 1, 0)])
        if not first and len(rows) > 1:
            previous, stop = rows[-2], int(each[len(rows) - 2]["stop"])
            row["last_good"] = float(time[stop - 1])
            since = _since(previous["lost"])
            if previous["kind"] == "sustained" and 0 < since < previous["lost"].size:
                at = stop - previous["lost"].size + since
                previous |= {"kind": row["kind"], "last_good": float(time[at - 1]), "onset": float(time[at])}


def _since(lost: np.ndarray) -> int:
    """Place of the record from which on all are lost; their number where the last is not."""
    return lost.size - int(np.argmin(np.append(lost[::-1], False)))
