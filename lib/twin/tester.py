"""A LAND cycler: it records a cell's voltage with triggers, noise, rounding and a capacity counter."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Step:
    """One step of the tester's programme.

    Attributes
    ----------
    state : {"rest", "charge", "discharge"}
    cycle : int
    current : float
        The set value [A], positive during charge.
    time : array, shape (n,)
        Time [s] from the start of the step.
    voltage : array, shape (n,)
        The true voltage [V] of the cell.
    """

    state: str
    cycle: int
    current: float
    time: np.ndarray
    voltage: np.ndarray

    def until(self, point: int) -> "Step":
        """Return this step, ended before its point number `point`."""
        return replace(self, time=self.time[:point], voltage=self.voltage[:point])

    def after(self, point: int) -> "Step":
        """Return the rest of this step, resumed with its point number `point`."""
        return replace(self, time=self.time[point:] - self.time[point - 1], voltage=self.voltage[point:])


@dataclass(frozen=True)
class Cycler:
    """One channel of the cycler and its settings."""

    every: float = 60.0  # s, time between records
    dv: float = 0.005  # V, change since the last record that triggers one
    voltage_noise: float = 4e-5  # V, standard deviation
    voltage_offset: float = 1.5e-4  # V
    current_noise: float = 2e-7  # A, standard deviation
    voltage_decimals: int = 4  # of V
    current_decimals: int = 6  # of A
    counter: str = "step"  # what resets the capacity counter: "step", "cycle" or "never"
    lost: int = 0  # records missing in the file, none of them the first or last of a step
    limit: float = 5.0  # V, the safety limit: the test ends at the record that exceeds it


def rng(seed: int) -> np.random.RandomState:
    """Return random numbers that are the same in all NumPy versions (NEP 19 freezes RandomState, not Generator)."""
    return np.random.RandomState(seed)


def grid(duration: float, dt: float) -> np.ndarray:
    """Return the times [s] at which the tester samples a step: after its start, then every `dt`, and at its end."""
    early = np.array([0.02, 0.1, 0.5, 1.0, 2.0, 5.0])
    return np.concatenate([early[early < min(dt, duration)], np.arange(dt, duration - dt / 2, dt), [duration]])


def record(steps: Iterable[Step], cycler: Cycler, random: np.random.RandomState) -> pd.DataFrame:
    """Return the records of a test, before any export format.

    Returns
    -------
    pandas.DataFrame
        Columns record, time [s], step_time [s], current [A], voltage [V], cycle, step, capacity [Ah] and state.
        `capacity` is the charge passed in either direction since its last reset (`cycler.counter`).
    """
    records = pd.concat(step_records(steps, cycler, random), ignore_index=True)
    return _without_lost(records, cycler.lost, random) if cycler.lost else records


def step_records(steps: Iterable[Step], cycler: Cycler, random: np.random.RandomState) -> Iterator[pd.DataFrame]:
    """Yield the records of each step as `record` returns them, none lost, for a test that is longer than the memory."""
    before = 0
    begun = counted = 0.0
    cycle = None
    for number, step in enumerate(steps, start=1):
        seen = step.voltage + cycler.voltage_offset + cycler.voltage_noise * random.standard_normal(len(step.time))
        beyond = np.flatnonzero(np.abs(seen) > cycler.limit)
        end = beyond[0] + 1 if beyond.size else len(seen)
        kept = _triggered(step.time[:end], seen[:end], cycler.every, cycler.dv)
        if cycler.counter == "step" or (cycler.counter == "cycle" and step.cycle != cycle):
            counted = 0.0
        cycle = step.cycle
        time = step.time[kept]
        shown = cycler.current_noise * random.standard_normal(len(kept)) + step.current if step.current else 0.0
        yield pd.DataFrame(
            {
                # numbered before any is lost, so that gaps show
                "record": np.arange(before + 1, before + len(kept) + 1),
                "time": np.round(begun + time, 3),
                "step_time": np.round(time, 3),
                "current": np.round(shown, cycler.current_decimals) + 0.0,
                "voltage": np.round(seen[kept], cycler.voltage_decimals) + 0.0,  # + 0.0: no negative zero
                "cycle": step.cycle,
                "step": number,
                "capacity": counted + abs(step.current) * time / 3600,
                "state": step.state,
            }
        )
        before += len(kept)
        begun += step.time[end - 1]
        counted += abs(step.current) * step.time[end - 1] / 3600
        if beyond.size:
            break


def _triggered(time: np.ndarray, voltage: np.ndarray, every: float, dv: float) -> list[int]:
    """Return the indices of the points that are recorded: the first, the last, and those due by time or by voltage."""
    kept = [0]
    last_time, last_voltage = time[0], voltage[0]
    due = every
    for i, (t, v) in enumerate(zip(time.tolist(), voltage.tolist(), strict=True)):
        if t >= due or abs(v - last_voltage) >= dv or (i == len(time) - 1 and t > last_time):
            kept.append(i)
            last_time, last_voltage = t, v
            due = t + every
    return kept


def _without_lost(records: pd.DataFrame, lost: int, random: np.random.RandomState) -> pd.DataFrame:
    """Return the records without some random ones, none of them the first or last of a step."""
    inner = np.flatnonzero((records["step"].diff() == 0) & (records["step"].diff(-1) == 0))
    return records.drop(index=random.choice(inner, size=lost, replace=False)).reset_index(drop=True)
