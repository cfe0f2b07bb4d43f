"""The role of a cycler's recording, decided by its current and voltage.

A symmetric cell has a voltage that changes its sign with the current; that of any other cell keeps its sign. Half
cycles (`cells.cycling`) are grouped into steps of the same current, and the steps tell the protocols apart: a current
that rises step by step, one square wave for hours, charge and discharge at one rate, or at several. Names
play no part here.
"""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
import xarray as xr

from coldbond.cells import cycling

#: Relative difference of currents up to which half cycles belong to one step; steps of a protocol differ by more.
SAME_CURRENT = 0.04
#: Fewest levels of a current that rises step by step.
LEAST_LEVELS = 3
#: Half cycles, and hours, at one current from which on a rising current is long cycling at several currents: a step
#: of a critical-current-density test has a few half cycles.
LONG_HALF_CYCLES, LONG_HOURS = 20, 20.0
#: Fewest half cycles, and hours, of long cycling.
LEAST_HALF_CYCLES, LEAST_HOURS = 4, 2.0
#: Most cycles of a formation, and the largest share of all cycles that it may have.
FORMATION_CYCLES, FORMATION_SHARE = 5, 1 / 3
#: Share of all cycles at one rate from which on the cell is cycled at this rate, whatever the others are.
ONE_RATE_SHARE = 0.75
#: Fewest cycles of a full cell, and hours of a half cycle from which on fewer are a pseudo-OCV measurement.
LEAST_CYCLES, SLOW_HOURS = 3, 8.0
#: Range of voltage [V] that a cell passes at least between its cut-off voltages.
LEAST_SWING = 0.1
#: Share of a half cycle that has its highest current, within 5 %, from which on this is the current of the protocol;
#: otherwise constant voltage decided.
CONSTANT_SHARE = 0.5
#: Median number of pulses, with rests between them, in a half cycle from which on it is a titration (GITT).
PULSES = 5
#: Share of the voltage's range, and of the current, that tell constant voltage from constant current.
FLAT_VOLTAGE, FALLING_CURRENT, HELD_SHARE = 0.003, 0.3, 0.7
#: Most records that are looked at to tell constant voltage.
MOST_RECORDS = 1 << 20


@dataclass(frozen=True)
class Protocol:
    """What a cycler did.

    Attributes
    ----------
    possible : tuple of str
        Roles that the data allow; one where they decide, none where no figure uses such a recording.
    what : str
        The protocol in words: "current rises in 22 steps from 0.0785 to 1.73 mA".
    current : float
        Current [A] of most half cycles.
    """

    possible: tuple[str, ...]
    what: str
    current: float = 0.0


@dataclass(frozen=True)
class _Half:
    """A half cycle: current [A, signed] of its constant-current part, duration [h], median and range of its voltage."""

    current: float
    hours: float
    voltage: float
    swing: float
    pulses: int
    is_constant: bool


@dataclass(frozen=True)
class _Step:
    """Consecutive half cycles of the same current: its absolute value [A], their number and their hours."""

    current: float
    count: int
    hours: float


def protocol(recording: xr.Dataset) -> Protocol:
    """Return the protocol of a cycler's recording.

    Parameters
    ----------
    recording : xarray.Dataset
        As `coldbond.read` gives a cycler's.
    """
    try:
        halves = _halves(recording)
    except ValueError:
        return Protocol((), "open circuit: no current flows")
    if not halves:
        return Protocol((), "no constant current lasts for more than one record")
    # The last half cycle is often unfinished, and tells nothing that the others do not.
    current = float(np.median([abs(half.current) for half in halves]))
    if _is_symmetric(halves):
        return _of_symmetric(halves, current)
    if _is_held(recording):
        return Protocol((), "the current decays at constant voltage in steps, not at constant current", current)
    if float(np.median([half.pulses for half in halves])) >= PULSES:
        return Protocol((), "current pulses with rests between them (GITT or HPPC)", current)
    return _of_cell(halves, current)


def _halves(recording: xr.Dataset) -> list[_Half]:
    found = cycling.half_cycles(recording)
    if found.sizes["half_cycle"] == 1:  # in one direction only, rests and levels tell
        found = cycling.segments(recording).rename(segment="half_cycle")
    start, stop = found.start.to_numpy(), found.stop.to_numpy()
    hours = (found.end - found.begin).to_numpy() / 3600
    least = max(cycling.REST_SHARE * cycling.largest(recording, "current"), cycling.resolution(recording, "current"))
    halves = []
    for i, (current, voltage) in enumerate(cycling.records(recording, start, stop, "current", "voltage")):
        flowing = np.abs(current) > least
        if not flowing.any():
            continue
        # The third largest value: the constant current, whether or not its half cycle ends at constant voltage.
        level = np.sort(np.abs(current[flowing]))[-min(3, int(flowing.sum()))]
        pulses = int((np.diff(flowing.astype(int)) == 1).sum()) + int(flowing[0])
        sign = np.sign(np.median(current[flowing]))
        share = float((np.abs(current[flowing]) > 0.95 * level).mean())
        median, swing = float(np.median(voltage[flowing])), float(np.ptp(voltage[flowing]))
        halves.append(_Half(float(sign * level), float(hours[i]), median, swing, pulses, share >= CONSTANT_SHARE))
    return halves


def _steps(halves: list[_Half], digit: float = 0.0) -> list[_Step]:
    """Group consecutive half cycles whose current is that of the first of the group."""
    groups: list[list[_Half]] = []
    for half in halves:
        level = abs(groups[-1][0].current) if groups else 0.0
        if groups and abs(abs(half.current) - level) <= max(SAME_CURRENT * level, digit):
            groups[-1].append(half)
        else:
            groups.append([half])
    return [
        _Step(float(np.median([abs(one.current) for one in group])), len(group), sum(one.hours for one in group))
        for group in groups
    ]


def _is_symmetric(halves: list[_Half]) -> bool:
    charge = [half.voltage for half in halves if half.current > 0]
    discharge = [half.voltage for half in halves if half.current < 0]
    if not charge or not discharge:
        # In one direction only, the voltage of a symmetric cell starts near zero and has the sign of the current.
        lowest = min(halves, key=lambda half: abs(half.current))
        rises = len({round(abs(half.current), 12) for half in halves}) >= LEAST_LEVELS
        return rises and 0 <= lowest.voltage * np.sign(lowest.current) < 0.3
    up, down = float(np.median(charge)), float(np.median(discharge))
    return abs(up + down) / 2 <= max(abs(up - down) / 4, 0.02)


def _of_symmetric(halves: list[_Half], current: float) -> Protocol:
    steps = _steps(halves)
    hours = sum(half.hours for half in halves)
    rising = _rising(steps)
    before_rise = len(rising) < LEAST_LEVELS
    if not before_rise:
        first, last = rising[0], rising[-1]
        inner = [step.count for step in rising[:-1]]
        inner_hours = [step.hours for step in rising[:-1]]
        activated = last.count >= 10 and last.count > 5 * float(np.median(inner)) and last.hours > 0.5 * hours
        long = np.median(inner) >= LONG_HALF_CYCLES and np.median(inner_hours) >= LONG_HOURS
        if not activated and not long:
            what = f"current rises in {len(rising)} steps, {_range(first.current, last.current)}"
            return Protocol(("ccd",), what, current)
        what = (
            f"square wave of {_milliampere(last.current)} for {last.hours:.0f} h after {len(rising) - 1} lower currents"
        )
        if long:
            what = f"square wave at {len(rising)} currents, {_range(first.current, last.current)}, {hours:.0f} h"
        return Protocol(("long-cycling",), what, last.current)
    levels = {step.current for step in steps}
    what = f"square wave of {_milliampere(current)}, {len(halves)} half cycles, {hours:.1f} h"
    if len(halves) >= LEAST_HALF_CYCLES and hours >= LEAST_HOURS and len(levels) < max(4, len(halves) // 4):
        return Protocol(("long-cycling",), what, current)
    return Protocol(("long-cycling", "ccd"), f"symmetric cell, {what}: too short to tell", current)


def _rising(steps: list[_Step]) -> list[_Step]:
    """Return the longest run of steps whose current rises from each to the next."""
    runs: list[list[_Step]] = []
    for step in steps:
        if runs and step.current > runs[-1][-1].current:
            runs[-1].append(step)
        else:
            runs.append([step])
    return max(runs, key=len, default=[])


def _of_cell(halves: list[_Half], current: float) -> Protocol:
    charges = [half for half in halves if half.current > 0]
    discharges = [half for half in halves if half.current < 0]
    cycles = min(len(charges), len(discharges))
    hours = float(np.median([half.hours for half in halves]))
    if not cycles:
        direction = "discharge" if discharges else "charge"
        return Protocol((), f"{direction} only, {_milliampere(current)}: no cycle", current)
    if max(half.swing for half in halves) < LEAST_SWING:
        return Protocol((), f"{len(halves)} short pulses, not cycling between cut-off voltages", current)
    if cycles < LEAST_CYCLES:
        what = f"{cycles} cycle{'s' * (cycles > 1)} of {hours:.1f} h a half cycle"
        if hours >= SLOW_HOURS:
            return Protocol((), f"{what}: a slow cycle (pseudo-OCV), not cycling", current)
        return Protocol(("full-cell", "rate"), f"{what}: too few to tell", current)
    for ones in (discharges, charges):
        constant = [half for half in ones if half.is_constant]
        levels = _rates(_steps(constant)) if 2 * len(constant) >= len(ones) else []
        if len(levels) > 1:
            return Protocol(
                ("rate",), f"{len(levels)} rates, {_range(min(levels), max(levels))}, {cycles} cycles", current
            )
    level = float(np.median([abs(half.current) for half in discharges]))
    return Protocol(("full-cell",), f"{cycles} cycles at {_milliampere(level)}", level)


def _rates(steps: list[_Step]) -> list[float]:
    """Return the different currents of a cell's half cycles, without those of formation and single checks."""
    total = sum(step.count for step in steps)
    first = steps[0]
    is_formation = first.count <= min(FORMATION_CYCLES, FORMATION_SHARE * total)
    kept = steps[1:] if is_formation and len(steps) > 1 and first.current < steps[1].current else steps
    if len(kept) > 2 and kept[0].count <= FORMATION_SHARE * total and max(s.count for s in kept[1:]) >= total / 2:
        kept = kept[1:]  # a formation in two steps
    levels: dict[float, int] = {}
    for step in kept:
        same = next((level for level in levels if abs(level - step.current) <= SAME_CURRENT * level), step.current)
        levels[same] = levels.get(same, 0) + step.count
    counted = sum(levels.values())
    if max(levels.values()) >= ONE_RATE_SHARE * counted:
        return [max(levels, key=lambda level: levels[level])]
    return list(levels)


def _is_held(recording: xr.Dataset) -> bool:
    """Return whether most of the current flows at constant voltage while it decays."""
    size = recording.sizes["record"]
    every = -(-size // MOST_RECORDS)
    time, voltage, current = (recording[name][::every].to_numpy() for name in ("time", "voltage", "current"))
    if size < 12 or not np.ptp(voltage) > 0:
        return False
    flat = np.abs(np.diff(voltage)) <= FLAT_VOLTAGE * np.ptp(voltage)
    held = total = 0.0
    for is_flat, group in groupby(range(flat.size), key=lambda i: bool(flat[i])):
        span = list(group)
        first, last = span[0], span[-1] + 1
        flowing = np.abs(current[first : last + 1]).max() > cycling.REST_SHARE * np.abs(current).max()
        duration = float(time[last] - time[first])
        total += duration if flowing else 0.0
        level = np.abs(current[first + 1 : last + 1])
        drift = np.ptp(voltage[first + 1 : last + 1]) if last > first + 1 else 0.0
        if is_flat and flowing and level.size > 3 and drift <= 2 * FLAT_VOLTAGE * np.ptp(voltage):
            held += duration if np.ptp(level) > FALLING_CURRENT * level.max() else 0.0
    return total > 0 and held > HELD_SHARE * total


def _milliampere(current: float) -> str:
    return f"{current * 1e3:.4g} mA"


def _range(low: float, high: float) -> str:
    return f"from {low * 1e3:.4g} to {high * 1e3:.4g} mA"
