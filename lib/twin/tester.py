"""What a LAND cycler makes of a cell's voltage: triggered records, channel digits, noise, a capacity counter."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Step:
    """One step of the tester's programme.

    `time` [s], shape (n,), counts from the switching; `voltage` [V], shape (n,), is the cell's own, before the
    tester looks at it; `current` [A] is the set value, charge > 0; `state` is "rest", "charge" or "discharge".
    """

    state: str
    cycle: int
    current: float
    time: np.ndarray
    voltage: np.ndarray

    def until(self, point: int) -> "Step":
        """This step, ended before its point number `point`."""
        return replace(self, time=self.time[:point], voltage=self.voltage[:point])

    def after(self, point: int) -> "Step":
        """The rest of this step when it is resumed with its point number `point`."""
        return replace(self, time=self.time[point:] - self.time[point - 1], voltage=self.voltage[point:])


@dataclass(frozen=True)
class Cycler:
    """One channel of the cycler and how its operator set it."""

    every: float = 60.0  # s, time between records
    dv: float = 0.005  # V, a larger change since the last record triggers one too
    voltage_noise: float = 4e-5  # V, standard deviation
    voltage_offset: float = 1.5e-4  # V
    current_noise: float = 2e-7  # A, standard deviation
    voltage_decimals: int = 4  # of V
    current_decimals: int = 6  # of A
    counter: str = "step"  # what resets the capacity counter: "step", "cycle" or "never"
    lost: int = 0  # records that never reached the file, none of them the first or last of a step
    limit: float = 5.0  # V, the safety limit: the test ends at the record that exceeds it


def rng(seed: int) -> np.random.RandomState:
    """Random numbers whose stream no NumPy version may change (NEP 19 freezes RandomState, not Generator)."""
    return np.random.RandomState(seed)


def grid(duration: float, dt: float) -> np.ndarray:
    """Times [s] at which the tester looks during a step: soon after switching, then every `dt`, and at the end."""
    early = np.array([0.02, 0.1, 0.5, 1.0, 2.0, 5.0])
    return np.concatenate([early[early < min(dt, duration)], np.arange(dt, duration - dt / 2, dt), [duration]])


def record(steps: Iterable[Step], cycler: Cycler, random: np.random.RandomState) -> pd.DataFrame:
    """Records of a test as the tester keeps them, before any export format.

    Returns
    -------
    DataFrame with the columns record, time [s], step_time [s], current [A], voltage [V], cycle, step, capacity [Ah],
        state. `capacity` counts the charge passed in either direction since its last reset (`cycler.counter`).
    """
    records = pd.concat(step_records(steps, cycler, random), ignore_index=True)
    return _without_lost(records, cycler.lost, random) if cycler.lost else records


def step_records(steps: Iterable[Step], cycler: Cycler, random: np.random.RandomState) -> Iterator[pd.DataFrame]:
    """Records of each step, none of them lost: what `record` returns, for a test too long to be held."""
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
                # numbered by the tester, before any is lost
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
    """Indices of the points that the tester keeps: the first, the last, and each one due by time or by voltage."""
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
    inner = np.flatnonzero((records["step"].diff() == 0) & (records["step"].diff(-1) == 0))
    return records.drop(index=random.choice(inner, size=lost, replace=False)).reset_index(drop=True)
