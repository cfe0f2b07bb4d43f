"""Cells under the protocols that testers run, apart from the forward models of lib/twin.

A symmetric cell is a resistance with an interface that charges; any other cell is an open-circuit voltage over its
charge, with a resistance; at constant voltage its current decays. `run` applies steps one after the other until their
time or their cut-off voltage.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from cells import dataset


@dataclass(frozen=True)
class Step:
    """A current [A; 0 rests], until its time [s] or its cut-off voltage [V]; or a voltage that is held."""

    current: float = 0.0
    seconds: float = 1e9
    cutoff: float | None = None
    held: float | None = None
    taper: float = 0.0


@dataclass
class Cell:
    """Open-circuit voltage over the charge [Ah], which is 0 to `capacity`, and a resistance [ohm]."""

    capacity: float = 1e-3
    resistance: float = 50.0
    low: float = 2.5
    high: float = 4.2
    charge: float = 0.0

    def ocv(self) -> float:
        x = min(max(self.charge / self.capacity, 0.0), 1.0)
        if self.low == self.high:  # symmetric
            return 0.0
        middle = (self.low + self.high) / 2
        return middle + 0.12 * np.log((x + 0.001) / (1.001 - x)) + 0.2 * (x - 0.5)


def run(cell: Cell, steps: Sequence[Step], every: float = 60.0, noise: float = 2e-4, seed: int = 0) -> xr.Dataset:
    """Return the recording of a tester."""
    rng = np.random.default_rng(seed)
    time, voltage, current = [0.0], [cell.ocv()], [0.0]
    now, settled = 0.0, 0.0
    for step in steps:
        begun, begin = now, current[-1] if np.abs(current[-1]) > 0 else 1e-3
        dt = min(every, step.seconds / 12)
        while now - begun < step.seconds - 1e-6:
            now += dt
            if step.held is not None:
                flowing = begin * np.exp(-(now - begun) / 600.0)
                measured = step.held
            else:
                flowing = step.current
                settled += (flowing - settled) * min(1.0, dt / 60)
                measured = cell.ocv() + cell.resistance * (0.7 * flowing + 0.3 * settled)
            cell.charge += flowing * dt / 3600
            time.append(now)
            voltage.append(measured + noise * rng.standard_normal())
            current.append(flowing + (1e-3 * abs(flowing) * rng.standard_normal()))
            if step.cutoff is not None and (measured - step.cutoff) * np.sign(step.current) >= 0:
                break
            if step.held is not None and abs(flowing) < step.taper:
                break
    return dataset(time, voltage, current, current_digit=1e-8)


def symmetric() -> Cell:
    return Cell(low=0.0, high=0.0)


def square(current: float, seconds: float, count: int, rest: float = 0.0) -> list[Step]:
    """Return half cycles at a current: first charge, then discharge, and so on."""
    steps: list[Step] = []
    for number in range(count):
        steps.append(Step(current * (-1) ** number, seconds))
        steps += [Step(0.0, rest)] * (rest > 0)
    return steps


def cycles(charge: float, discharge: float, count: int, *, low: float = 2.6, high: float = 4.1, hold: bool = False,
           rest: float = 0.0, first: str = "charge") -> list[Step]:  # fmt: skip
    """Return cycles between cut-off voltages [V], at currents [A], with a hold at the upper one where asked."""
    up = [Step(charge, cutoff=high), *([Step(held=high, taper=charge / 10, seconds=7200)] if hold else [])]
    down = [Step(-discharge, cutoff=low)]
    pause = [Step(0.0, rest)] if rest else []
    one = [*up, *pause, *down, *pause] if first == "charge" else [*down, *pause, *up, *pause]
    return one * count
