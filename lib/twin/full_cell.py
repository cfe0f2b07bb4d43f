"""Li|LLZ|LiFePO4 cells: two-phase plateau, end slopes, hysteresis, and a capacity that falls with rate and cycling.

The capacity of a half cycle follows from the diffusion in the particles, the limiting current and the fade. The voltage
is the plateau, its hysteresis and the ohmic drop, with exponential slopes at both ends, the last of which reaches the
cut-off voltage.

Sources
-------
- Flat voltage between the two phases, narrow one-phase slopes at both ends: A. Yamada, S. C. Chung, K. Hinokuma, J.
  Electrochem. Soc. 148, A224 (2001), doi 10.1149/1.1348257; R. Malik, A. Abdellahi, G. Ceder, J. Electrochem. Soc.
  160, A3179 (2013), doi 10.1149/2.029305jes.
- Hysteresis that stays at vanishing current: W. Dreyer et al., Nat. Mater. 9, 448 (2010), doi 10.1038/nmat2730.
- Surface of a diffusing particle ahead of its mean by rate * time / 15 (parabolic profile): V. R. Subramanian, V. D.
  Diwakar, D. Tapriyal, J. Electrochem. Soc. 152, A2002 (2005), doi 10.1149/1.2032427.
- Limiting current of a cell whose electrolyte is polarised: J. Newman and K. E. Thomas-Alyea, Electrochemical
  Systems, 3rd ed., Wiley (2004), chapter 11.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from twin.symmetric import arrhenius, relaxation, room_temperature
from twin.tester import Cycler, Step, grid, record, rng


@dataclass(frozen=True)
class FullCell:
    """A Li|LLZ|LiFePO4 cell and its voltage window."""

    capacity: float = 165.5  # mAh/g, discharge of cycle 1 at 0.2C
    retention: float = 0.924  # capacity in cycle `retention_cycle` relative to cycle 1
    retention_cycle: int = 110
    efficiency: float = 0.998  # coulombic: charge of the second half cycle over that of the first
    first_efficiency: float = 0.96
    diffusion_time: float = 1.444  # h, radius squared over diffusivity
    limiting_rate: float = 4.8  # C, at the limiting current of the wetted cathode
    resistance: float = 300.0  # ohm, of the whole cell
    scatter: float = 0.12  # mAh/g, of a cycle's capacity
    mass: float = 1.57  # mg of active material
    one_c: float = 170.0  # mA/g
    low: float = 2.4  # V
    high: float = 4.2  # V
    activation: float = 0.36  # eV


PLATEAU = 3.427  # V against lithium
HYSTERESIS = 0.012  # V between charge and discharge at vanishing current


def unused(rate: float, cell: FullCell) -> float:
    """Return the share of the capacity that diffusion leaves unused when a half cycle reaches the cut-off voltage.

    The half cycle ends when the surface of the particles is full (or empty). A parabolic profile is ahead of its mean
    by rate x diffusion time / 15, and the flux concentrates as the rate approaches the limiting one.
    """
    return rate * cell.diffusion_time / 15 / (1 - rate / cell.limiting_rate)


def capacity_at(rate: float, cell: FullCell) -> float:
    """Return the discharge capacity [mAh/g] of the fresh cell at a rate [C]; `cell.capacity` is that at 0.2C."""
    return cell.capacity * (1 - 2 * unused(rate, cell)) / (1 - 2 * unused(0.2, cell))


def charge_voltage(share: np.ndarray, rate: float, drop: np.ndarray, cell: FullCell) -> np.ndarray:
    """Return the voltage at a share of the charge of the half cycle, shape (n,); it ends at the upper limit."""
    flat = PLATEAU + HYSTERESIS / 2 + 0.006 * (share - 0.5) + drop
    flat = flat - 0.30 * np.exp(-share / 0.010) - 0.03 * np.exp(-share / (0.04 + 0.05 * rate))
    return flat + (cell.high - flat[-1]) * _end_slope(share, 0.012 + 0.02 * rate)


def discharge_voltage(share: np.ndarray, rate: float, drop: np.ndarray, cell: FullCell) -> np.ndarray:
    """Return the voltage at a share of the charge of the half cycle, shape (n,); it ends at the lower limit."""
    flat = PLATEAU - HYSTERESIS / 2 - 0.010 * (share - 0.5) - drop
    flat = flat + 0.25 * np.exp(-share / 0.006) + 0.02 * np.exp(-share / (0.05 + 0.05 * rate))
    return flat + (cell.low - flat[-1]) * _end_slope(share, 0.015 + 0.04 * rate)


def _end_slope(share: np.ndarray, width: float) -> np.ndarray:
    """Return a slope that rises to 1 at the end: a steep one-phase part, and a foot since particles fill unequally."""
    return 0.75 * np.exp(-(1 - share) / width) + 0.25 * np.exp(-(1 - share) / (4 * width))


def capacities(
    rates: Sequence[float], cell: FullCell, random: np.random.RandomState, first: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return charge and discharge capacity [mAh/g], shape (n,) each, of cycles at the rates [C]."""
    number = np.arange(1, len(rates) + 1)
    fade = 1 - (1 - cell.retention) * ((number - 1) / (cell.retention_cycle - 1)) ** 0.9
    scatter = cell.scatter * random.standard_normal(len(rates))
    scatter[(number == 1) | (number == cell.retention_cycle)] = 0.0  # in these two cycles the true capacity is stated
    efficiency = cell.efficiency - (cell.efficiency - cell.first_efficiency) * np.exp(-(number - 1) / 0.7)
    efficiency = efficiency + 3e-4 * random.standard_normal(len(rates)) * (number > 1)
    fresh = np.array([capacity_at(rate, cell) for rate in rates])
    discharge = fresh * fade + scatter
    # A half cycle starts where the one before it, at another rate, stopped.
    carried = (np.concatenate([fresh[:1], fresh[:-1]]) / fresh + 1) / 2
    return discharge * carried * (1 / efficiency if first == "charge" else efficiency), discharge


def cycling(
    rates: Sequence[float],
    cell: FullCell,
    random: np.random.RandomState,
    *,
    first: str = "charge",
    rest: float = 300.0,
    pause: tuple[int, float] | None = None,
    unfinished: float | None = None,
) -> Iterator[Step]:
    """Yield the steps of a full cell, one cycle for each rate [C] in `rates`; see `run` for the parameters."""
    temperature = room_temperature(random)
    charge, discharge = capacities(rates, cell, random, first)
    open_circuit = PLATEAU - 0.3 if first == "charge" else PLATEAU + 0.1
    yield _rest(1, 600.0, open_circuit, open_circuit)
    begun = 600.0
    for k, rate in enumerate(rates):
        halves = [("charge", 1, charge[k]), ("discharge", -1, discharge[k])]
        for half, (state, sign, capacity) in enumerate(halves if first == "charge" else halves[::-1]):
            ampere = rate * cell.one_c * cell.mass * 1e-6
            time = grid(round(capacity / (rate * cell.one_c) * 3600, 3), 10.0)
            thermal = arrhenius(temperature(begun + time), cell.activation)
            drop = ampere * cell.resistance * thermal * (1 - 0.4 * relaxation(time))
            voltage = (charge_voltage if sign > 0 else discharge_voltage)(time / time[-1], rate, drop, cell)
            step = Step(state, k + 1, sign * ampere, time, voltage)
            if unfinished is not None and k == len(rates) - 1 and unfinished < half + 1:
                yield step.until(max(round(len(time) * (unfinished - half)), 2))
                return
            if pause is not None and pause[0] == k + 1 and half == 1:
                middle = len(time) // 2
                yield step.until(middle)
                yield _rest(k + 1, pause[1] * 3600, voltage[middle - 1], PLATEAU)
                step = step.after(middle)
                begun += pause[1] * 3600
            yield step
            begun += time[-1]
            if rest:
                yield _rest(k + 1, rest, voltage[-1], 3.55 if sign > 0 else 2.95)
                begun += rest


def _rest(cycle: int, duration: float, start: float, relaxed: float) -> Step:
    """Return a rest, in which the voltage relaxes with a fast and a slow time constant."""
    time = grid(duration, 10.0)
    left = 0.6 * np.exp(-time / 3.0) + 0.4 * np.exp(-time / 90.0)
    return Step("rest", cycle, 0.0, time, relaxed + (start - relaxed) * left)


def run(
    rates: Sequence[float],
    cell: FullCell | None = None,
    *,
    first: str = "charge",
    rest: float = 300.0,
    pause: tuple[int, float] | None = None,
    unfinished: float | None = None,
    cycler: Cycler | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the records of a full cell, one cycle for each rate [C] in `rates`.

    Parameters
    ----------
    rates : sequence of float
        Such as `[0.2] * 5 + [1.0] * 5`.
    cell : FullCell
    first : {"charge", "discharge"}
        The first half of each cycle.
    rest : float
        Duration [s] of the rest after each half cycle; no rest where it is 0.
    pause : (int, float) or None
        The cycle whose second half is interrupted in its middle, and for how many hours.
    unfinished : float or None
        Where the last cycle ends: 0.5 in the middle of its first half, 1.5 in the middle of its second.

    Returns
    -------
    DataFrame
        See `twin.tester.record`.
    """
    random = rng(seed)
    steps = cycling(rates, cell or FullCell(), random, first=first, rest=rest, pause=pause, unfinished=unfinished)
    return record(steps, cycler or Cycler(every=300.0, dv=0.02, current_decimals=7), random)
