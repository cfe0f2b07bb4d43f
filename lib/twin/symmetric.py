"""Li|LLZ|Li cells under galvanostatic cycling: interface resistance, voids, soft and hard shorts.

The voltage is the sum of the overpotentials of the pellet, of the interfaces and of the current constriction at voids,
divided with an electronic path in parallel once the cell shorts. The interface resistance decays to its final value
over the first cycles and follows a change of current with three time constants. Stripping grows voids in one electrode
and plating heals those in the other. All resistances follow the temperature of the room.

Sources
-------
- Overpotential of a Li|garnet|Li cell as the sum of bulk and interface resistance, with current constriction where
  stripping leaves pores: T. Krauskopf et al., ACS Appl. Mater. Interfaces 11, 14463 (2019), doi 10.1021/acsami.9b02537.
- Voids form where stripping outruns the supply of lithium, accumulate, and precede the dendrite: J. Kasemchainan et
  al., Nat. Mater. 18, 1105 (2019), doi 10.1038/s41563-019-0438-9.
- The stepped-current test of a garnet, and the drop of the voltage at the short: A. Sharafi et al., J. Power Sources
  302, 135 (2016), doi 10.1016/j.jpowsour.2015.10.053.
- Soft shorts, electronic paths that form and break in parallel with the ionic one: M. J. Counihan et al., Joule 8, 64
  (2024), doi 10.1016/j.joule.2023.11.007.
- A path's fluctuation: G. E. Uhlenbeck and L. S. Ornstein, Phys. Rev. 36, 823 (1930), doi 10.1103/PhysRev.36.823.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.constants import e as ELEMENTARY_CHARGE
from scipy.constants import k as BOLTZMANN

from twin.tester import Cycler, Step, grid, record, rng

ROOM = 298.15  # K
RELAXATION = ((0.5, 0.05), (0.3, 0.6), (0.2, 8.0))  # share and time constant [s] of the interface's response
HEALING = 0.25  # charge that shrinks a void by a factor e, in units of ten minutes at `void_current`

#: Rest before a test at one current density, s.
REST = 600.0


@dataclass(frozen=True)
class SymmetricCell:
    """A Li|LLZ|Li cell. Resistances are area-specific and of both interfaces together [ohm cm2]."""

    fresh: float  # interface, as assembled
    settled: float  # interface, after the first tens of cycles
    void_current: float  # mA/cm2, where stripping for ten minutes leaves the void fraction `voids`
    voids: float = 0.22
    constriction: float = 60.0  # resistance that a void fraction of one half adds
    settling: float = 15.0  # cycles
    drift: float = 0.0  # of the interface, ohm cm2 per 1000 h
    thickness: float = 0.040  # cm
    area: float = 0.785  # cm2
    conductivity: float = 7.51e-4  # S/cm at 25 C
    activation: float = 0.36  # eV

    @property
    def bulk(self) -> float:
        """Area-specific resistance of the pellet at 25 C [ohm cm2]."""
        return self.thickness / self.conductivity


def room_temperature(random: np.random.RandomState) -> Callable[[np.ndarray], np.ndarray]:
    """Return the temperature [K] of a room at about 25 C as a function of time [s], with random phases.

    Periods of a day and half a day are the daily swing, longer ones the weather.
    """
    swings = [
        (amplitude, 2 * np.pi / (hours * 3600), random.uniform(0, 2 * np.pi))
        for amplitude, hours in ((1.2, 24.0), (0.3, 12.0), (0.5, 75.0), (0.5, 190.0))
    ]

    def temperature(time: np.ndarray) -> np.ndarray:
        waves = (kelvin * np.sin(omega * time + phase) for kelvin, omega, phase in swings)
        return ROOM + sum(waves, start=np.zeros_like(time))

    return temperature


def arrhenius(temperature: np.ndarray, activation: float) -> np.ndarray:
    """Return the resistance relative to that at 25 C; conductivity times temperature follows Arrhenius' law."""
    kelvin = activation * ELEMENTARY_CHARGE / BOLTZMANN
    return temperature / ROOM * np.exp(kelvin * (1 / temperature - 1 / ROOM))


def relaxation(time: np.ndarray) -> np.ndarray:
    """Return the share of the interface's overpotential that has not yet followed, `time` [s] after a change."""
    parts = (share * np.exp(-time / tau) for share, tau in RELAXATION)
    return sum(parts, start=np.zeros_like(time))


def cycling(
    schedule: Iterable[tuple[str, int, float, float]],
    cell: SymmetricCell,
    random: np.random.RandomState,
    soft_from: float = np.inf,
    hard_from: float = np.inf,
    contact_loss: float = np.inf,
    dt: float = 1.0,
) -> Iterator[Step]:
    """Yield the steps of a cell under a schedule of (state, cycle, current density [mA/cm2], duration [s]).

    Parameters
    ----------
    soft_from, hard_from : float
        Times [s] from the start of the test at which a soft and a hard short begin.
    contact_loss : float
        Current density [mA/cm2] from which a half cycle strips one electrode bare: the voltage diverges without a
        short.
    """
    temperature = room_temperature(random)
    begun = left = 0.0
    voids = {1: 0.0, -1: 0.0}  # void fraction of the electrode stripped during charge, and during discharge
    for state, cycle, density, duration in schedule:
        time = grid(duration, dt)
        thermal = arrhenius(temperature(begun + time), cell.activation)
        settling = np.exp(-(cycle - 1) / cell.settling)
        interface = cell.settled + (cell.fresh - cell.settled) * settling + cell.drift * (begun + time) / 3.6e6
        constriction = np.zeros_like(time)
        if density:
            side = 1 if density > 0 else -1
            # Voids grow with the charge, slowly at first, and with the third power of the current density: below
            # `void_current` lithium is supplied as fast as it is stripped. `voids` is what ten minutes there leave.
            passed = abs(density) * time / (600 * cell.void_current)
            growth = cell.voids * (abs(density) / cell.void_current) ** 3 * 1.3 * passed**2 / (passed + 0.3)
            stripped = np.minimum(voids[side] + growth, 0.95)
            plated = voids[-side] * np.exp(-passed / HEALING)
            voids = {side: stripped[-1], -side: plated[-1]}
            # A contact that is left with the share 1 - f of its area adds a resistance in proportion to f / (1 - f).
            constriction = cell.constriction * (stripped / (1 - stripped) + plated / (1 - plated))
            if abs(density) >= contact_loss:
                bare = np.minimum(time / (0.6 * duration), 1 - 1e-9)
                constriction = constriction + cell.constriction * bare**6 / (1 - bare)
        # The interface relaxes from the overpotential that the last step left to that of this current.
        final = density * interface * thermal * 1e-3
        charged = final + (left - final) * relaxation(time)
        left = charged[-1]
        resistance = (cell.bulk + interface + constriction) * thermal
        path = path_resistance(begun + time, soft_from, hard_from, resistance, random)
        # The electronic path takes its part of the current: a divider of its resistance and that of the cell.
        voltage = (density * (cell.bulk + constriction) * thermal * 1e-3 + charged) / (1 + resistance / path)
        yield Step(state, cycle, density * cell.area * 1e-3, time, voltage)
        begun += duration


def path_resistance(
    time: np.ndarray, soft_from: float, hard_from: float, resistance: np.ndarray, random: np.random.RandomState
) -> np.ndarray:
    """Return the resistance [ohm cm2], shape (n,), of the electronic path in parallel with the electrolyte.

    It is infinite before `soft_from`. A soft short opens and closes at random; while it is closed the logarithm of its
    resistance fluctuates (an Ornstein-Uhlenbeck process of 20 s) about a value that falls with time from 1.2 to 0.4 of
    the cell's own resistance. A hard short is a metal filament of a few ohm cm2, whose resistance is twelvefold for
    three records now and then.
    """
    path = np.full(len(time), np.inf)
    if time[-1] < min(soft_from, hard_from):
        return path
    filament = np.clip(random.lognormal(np.log(2.0), 0.35), 1.0, 5.0)
    wander, closed, spark = random.standard_normal(), True, 0
    gaps = np.diff(time, prepend=time[0] - 1.0)
    draws = zip(random.standard_normal(len(time)), random.random_sample(len(time)), strict=True)
    for i, (normal, chance) in enumerate(draws):
        if time[i] >= hard_from:
            if chance < 0.002:
                spark = 3
            path[i] = filament * (1 + 0.03 * normal) * (12.0 if spark else 1.0)
            spark = max(spark - 1, 0)
        elif time[i] >= soft_from:
            grown = min((time[i] - soft_from) / max(min(hard_from - soft_from, 1e6), 1.0), 1.0)
            kept = np.exp(-gaps[i] / 20.0)
            wander = kept * wander + np.sqrt(1 - kept**2) * normal
            if chance < 1 - np.exp(-gaps[i] / (15.0 + 45.0 * grown if closed else 15.0)):
                closed = not closed
            if closed:
                path[i] = resistance[i] * (1.2 - 0.8 * grown) * np.exp(0.5 * wander)
    return path


def ccd_run(
    ccd: float | None,
    cell: SymmetricCell,
    *,
    step: float = 0.1,
    last: float = 2.5,
    half_cycle: float = 600.0,
    rest: float = 0.0,
    soft_at: float | None = None,
    hard_at: float = 0.3,
    after: int = 3,
    contact_loss: float = np.inf,
    cycler: Cycler | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the records of a critical-current-density run: one charge and one discharge at each current density.

    Parameters
    ----------
    ccd : float or None
        Last current density [mA/cm2] without a short; 0 for a cell that shorts in its first step, None for no short.
    step, last : float
        Increment, which is also the first current density, and the last one [mA/cm2].
    half_cycle, rest : float
        Durations [s]; no rest where it is 0.
    soft_at, hard_at : float
        When the soft and the hard short begin, in steps from the start of the first failing one: 0.3 is within that
        step, 1.2 in the next. None for no soft short.
    after : int
        Steps until the operator stops the test, after the one with the hard short.
    contact_loss : float
        Current density [mA/cm2] from which the voltage diverges to the tester's limit without a short.

    Returns
    -------
    DataFrame
        See `twin.tester.record`.
    """
    levels = [round(step * k, 9) for k in range(1, round(last / step) + 1)]
    before = 120.0
    soft_from = hard_from = np.inf
    if ccd is not None:
        failing = sum(level <= ccd + 1e-9 for level in levels)
        span = 2 * (half_cycle + rest)
        hard_from = before + (failing + hard_at) * span
        soft_from = hard_from if soft_at is None else before + (failing + soft_at) * span
        levels = levels[: failing + int(hard_at) + 1 + after]
    schedule = [("rest", 1, 0.0, before)]
    for cycle, level in enumerate(levels, start=1):
        schedule += _half_cycles(cycle, level, half_cycle, rest)
    random = rng(seed)
    return record(cycling(schedule, cell, random, soft_from, hard_from, contact_loss), cycler or Cycler(), random)


def long_cycling(
    density: float,
    hours: float,
    cell: SymmetricCell,
    *,
    half_cycle: float = 3600.0,
    rest: float = 0.0,
    soft_from: float = np.inf,
    hard_from: float = np.inf,
    cycler: Cycler | None = None,
    seed: int = 0,
    dt: float = 10.0,
) -> pd.DataFrame:
    """Return the records of a Li|Li cell cycled at one current density [mA/cm2].

    Parameters
    ----------
    density, hours : float
        Current density [mA/cm2], and hours of current.
    cell : SymmetricCell
    half_cycle, rest : float
        Durations [s]; no rest where it is 0.
    soft_from, hard_from : float
        Hours of test time at which the soft and the hard short begin.
    dt : float
        Sampling interval [s] of the tester.

    Returns
    -------
    DataFrame
        See `twin.tester.record`.
    """
    schedule = [("rest", 1, 0.0, REST)]
    for cycle in range(1, round(hours * 3600 / (2 * half_cycle)) + 1):
        schedule += _half_cycles(cycle, density, half_cycle, rest)
    random = rng(seed)
    steps = cycling(schedule, cell, random, soft_from * 3600, hard_from * 3600, dt=dt)
    return record(steps, cycler or Cycler(every=300.0), random)


def _half_cycles(cycle: int, density: float, half_cycle: float, rest: float) -> list[tuple[str, int, float, float]]:
    """Return the schedule of one cycle."""
    steps = [("charge", cycle, density, half_cycle), ("rest", cycle, 0.0, rest)]
    steps += [("discharge", cycle, -density, half_cycle), ("rest", cycle, 0.0, rest)]
    return [step for step in steps if step[3] > 0]
