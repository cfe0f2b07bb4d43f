"""Full cells and half cells of other labs, run by other protocols: formation, check-ups, failures, lost records.

A cell is a list of `Half` cycles whose capacities are the truth. Its voltage is a Nernst curve between two hyperbolic
ends, the last of which reaches the cut-off; graphite is a staircase of stages. The tester records at intervals of time
that are too coarse for the ends, and the last record of each half cycle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import xarray as xr

from independent import Case, Kind, Made, cycling

UPPER, LOWER, PLATEAU = 4.0, 2.6, 3.42  # V
NERNST = 0.0257  # V, RT/F at 25 °C
MASS = 2.3  # mg
ONE_C = 170.0  # mA/g


@dataclass(frozen=True)
class Half:
    """One half cycle: charge is positive.

    Attributes
    ----------
    capacity : float
        In mAh/g, what it passes until its cut-off.
    rate : float
        In C, positive in charge.
    stop : float
        Share of `capacity` at which it ends, such as where the test is interrupted.
    held : float
        Share of `capacity` that passes at constant voltage.
    reaches : bool
        Whether it ends at its cut-off voltage; a leaking cell does not.
    rest : float
        Rest afterwards, s.
    """

    capacity: float
    rate: float
    stop: float = 1.0
    held: float = 0.0
    reaches: bool = True
    rest: float = 600.0


@dataclass
class Cell:
    """What a recording is made of; `numbers` are the tester's, one for each half cycle."""

    halves: list[Half]
    numbers: list[int] | None = None
    anode: bool = False
    resistance: float = 0.15  # V at 1C
    noise: float = 3e-4  # V
    every: float = 240.0  # s
    mass: float | None = MASS
    lost: tuple[int, int] | None = None  # tester's cycles whose records are lost, first and last
    offsets: dict[int, float] = field(default_factory=dict)  # seconds without a record before a half cycle

    def record(self, rng: np.random.Generator) -> xr.Dataset:
        """The recording."""
        columns, clock = [], 0.0
        numbers = self.numbers or [0] * len(self.halves)
        for i, (half, number) in enumerate(zip(self.halves, numbers, strict=True)):
            clock += self.offsets.get(i, 0.0)
            share, time, current = self._course(half)
            voltage = self._voltage(half, share) + rng.normal(0, self.noise, share.size)
            voltage[-1] = self._voltage(half, share)[-1]  # the tester ends the step there
            passed = share * half.capacity * (self.mass or 1.0) * 1e-6
            columns.append(np.column_stack([clock + time, voltage, current, np.full(share.size, number), passed]))
            clock += time[-1]
            if half.rest:
                at = np.arange(1.0, half.rest, max(half.rest / 4, 60.0))
                relaxed = voltage[-1] - np.sign(half.rate) * 0.05 * at / (at + 100)
                zero = np.zeros(at.size)
                columns.append(np.column_stack([clock + at, relaxed, zero, zero + number, zero]))
                clock += half.rest
        time, voltage, current, number, passed = np.concatenate(columns).T
        others = {
            "charge_capacity": np.where(current > 0, passed, 0),
            "discharge_capacity": np.where(current < 0, passed, 0),
        }
        made = cycling(time, voltage, current, **others, **({"cycle": number} if self.numbers else {}))
        if self.lost:
            kept = (number < self.lost[0]) | (number > self.lost[1])
            made = made.isel(record=np.flatnonzero(kept))
        return made

    def _course(self, half: Half) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Share of the capacity, time [s] and current [A] of the records."""
        current = half.rate * ONE_C * (self.mass or 1.0) * 1e-6
        whole = half.capacity * (self.mass or 1.0) * 1e-6 * 3600 / abs(current)  # s at constant current
        end = min(half.stop, 1 - half.held) * whole
        time = np.unique(np.append(np.arange(0.0, end, min(self.every, whole / 12)), end))
        share, flow = time / whole, np.full(time.size, current)
        if half.held and half.stop > 1 - half.held:
            # The current decays as 1 / (1 + t / tau)^2: its integral is tau.
            tau = half.held * whole
            late = np.geomspace(0.02, 30, 40) * tau
            time = np.append(time, end + late)
            share = np.append(share, 1 - half.held + half.held * (1 - 1 / (1 + late / tau)))
            flow = np.append(flow, current / (1 + late / tau) ** 2)
        return share, time, flow

    def _voltage(self, half: Half, share: np.ndarray) -> np.ndarray:
        sign = np.sign(half.rate)
        if self.anode:
            x = share if sign < 0 else 1 - share  # lithium in graphite
            open_circuit = 0.085 + 0.045 / (1 + np.exp((x - 0.5) / 0.02)) + 0.9 / (1 + x / 0.02) ** 1.5
            end = 0.005 if sign < 0 else 1.5
        else:
            x = np.clip(1 - share if sign > 0 else share, 1e-4, 1 - 1e-4)  # lithium in the cathode
            open_circuit = PLATEAU - NERNST * np.log(x / (1 - x))
            end = UPPER if sign > 0 else LOWER
        voltage = open_circuit + sign * self.resistance * abs(half.rate)
        if not half.reaches:
            return np.minimum(voltage, PLATEAU + self.resistance * abs(half.rate) + 0.02)
        # Hyperbolic approach to the cut-off, from where the constant current ends.
        left = np.clip((1 - half.held) - share, 0, None)
        last = open_circuit[np.argmin(np.abs(share - (1 - half.held)))] + sign * self.resistance * abs(half.rate)
        return np.where(
            share >= 1 - half.held - 1e-12,
            end,
            voltage + (end - last) / (1 + left / 0.004) ** 2,
        )


def pairs(capacities: Sequence[float], rate: float, efficiency: float = 0.9985, **options: float) -> list[Half]:
    """A charge and a discharge for each capacity of a discharge."""
    return [
        half
        for capacity in capacities
        for half in (Half(capacity / efficiency, rate, **options), Half(capacity, -rate))  # type: ignore[arg-type]
    ]


def numbered(halves: Sequence[Half], first: int = 1) -> list[int]:
    """The numbers of a tester that counts a charge and a discharge as a cycle."""
    return [first + i // 2 for i in range(len(halves))]


def _fading(rng: np.random.Generator, cycles: int, loss: float, scatter: float = 0.0006) -> np.ndarray:
    """Capacities [mAh/g] that fall by a share of the first by the last cycle, as the square root of a parabola."""
    first, x = rng.uniform(140, 160), np.linspace(0, 1, cycles)
    smooth = first * (1 - loss * (0.8 * x + 0.2 * x**2))
    return smooth * (1 + rng.normal(0, scatter, cycles))


def case(
    rng: np.random.Generator,
    cell: Cell,
    truths: dict[str, float | bool | None],
    role: str = "full-cell",
    name: str = "cell",
) -> Case:
    constants = {"temperature_C": 25.0} | ({"active_mass_mg": cell.mass} if cell.mass else {})
    made = Made(role, name, "as run", cell.record(rng), constants)
    return Case([made], {(name, "as run", quantity): truth for quantity, truth in truths.items()})


def checked_up(seed: int) -> Case:
    """Formation at C/20, a test at C/3 or C/2, and a check-up at C/20 every 25 cycles."""
    rng = np.random.default_rng(seed)
    rate, loss, cycles = rng.choice([1 / 3, 0.5]), rng.uniform(0.04, 0.1), 120
    capacities = _fading(rng, cycles, loss)
    slow = 172 * (1 - 0.5 * loss * np.arange(cycles) / cycles)
    halves: list[Half] = pairs([172.0] * 3, 0.05, 0.95)
    numbers_of_test = []
    for i, capacity in enumerate(capacities):
        number = 1 + len(halves) // 2
        if number % 25 == 0:
            halves += pairs([slow[i]], 0.05)
            number += 1
        numbers_of_test.append(number)
        halves += pairs([capacity], rate)
    # The charge after a slower discharge is larger: more was discharged before it.
    for i in range(2, len(halves), 2):
        if abs(halves[i - 1].rate) < halves[i].rate:
            halves[i] = replace(halves[i], capacity=halves[i - 1].capacity)
    at = dict(zip(numbers_of_test, capacities, strict=True))
    first, last = capacities[0], capacities[-1]
    truths = {
        "retention_against_first": 100 * last / first,
        "discharge_capacity_first_cycle": first,
        "coulombic_efficiency": 99.85,
        "retention_cycle_110": 100 * at[110] / first,
        "capacity_fade_per_cycle": 100 * loss / (numbers_of_test[-1] - numbers_of_test[0]),
    }
    return case(rng, Cell(halves, numbered(halves), every=600.0), truths)


def lost_cycles(seed: int) -> Case:
    """Cycles 40 to 60 of 140 are not in the recording."""
    rng = np.random.default_rng(seed)
    loss = rng.uniform(0.05, 0.15)
    capacities = _fading(rng, 140, loss)
    halves = pairs(capacities, 0.5)
    truths = {
        "retention_cycle_110": 100 * capacities[109] / capacities[0],
        "discharge_capacity_cycle_100": capacities[99],
        "retention_against_first": 100 * capacities[-1] / capacities[0],
        "capacity_fade_per_cycle": 100 * loss / 139 * capacities.max() / capacities[0],
    }
    return case(rng, Cell(halves, numbered(halves), lost=(40, 60)), truths)


def lost_cycles_without_numbers(seed: int) -> Case:
    """The same without the tester's numbers: which cycle is the hundredth cannot be told."""
    rng = np.random.default_rng(seed)
    capacities = _fading(rng, 140, rng.uniform(0.05, 0.15))
    halves = pairs(capacities, 0.5)
    made = Cell(halves, numbered(halves), lost=(40, 60))
    truths: dict[str, float | bool | None] = {
        "retention_cycle_110": None,
        "discharge_capacity_cycle_100": None,
        "retention_against_first": 100 * capacities[-1] / capacities[0],
    }
    whole = case(rng, made, truths)
    one = whole.made[0]
    return whole._replace(made=[one._replace(recording=one.recording.drop_vars("cycle"))])


def renumbered(seed: int) -> Case:
    """The tester was restarted after cycle 60 and counts from one again."""
    rng = np.random.default_rng(seed)
    capacities = _fading(rng, 120, rng.uniform(0.05, 0.15))
    halves = pairs(capacities, 0.5)
    numbers = [1 + (i // 2) % 60 for i in range(len(halves))]
    truths = {
        "retention_cycle_110": 100 * capacities[109] / capacities[0],
        "discharge_capacity_cycle_100": capacities[99],
    }
    return case(rng, Cell(halves, numbers), truths)


def continued(seed: int) -> Case:
    """The export begins with cycle 41: the first cycle is not in it."""
    rng = np.random.default_rng(seed)
    capacities = _fading(rng, 80, rng.uniform(0.05, 0.15))
    halves = pairs(capacities, 0.5)
    truths: dict[str, float | bool | None] = {
        "retention_cycle_110": None,
        "discharge_capacity_first_cycle": None,
        "discharge_capacity_cycle_100": float(capacities[59]),
    }
    return case(rng, Cell(halves, numbered(halves, 41)), truths)


def leaking(seed: int) -> Case:
    """A soft short that grows: the efficiency falls from a cycle on, and the charge exceeds what theory allows."""
    rng = np.random.default_rng(seed)
    begins, growth = int(rng.integers(45, 75)), rng.uniform(0.01, 0.05)
    capacities = _fading(rng, 100, 0.05)
    halves = pairs(capacities, 0.5)
    for i in range(begins - 1, 100):
        leak = growth * (i - begins + 2) ** 1.3
        full = leak > 0.3  # the charge never reaches the cut-off: the tester's limit of time ends it
        halves[2 * i] = replace(halves[2 * i], capacity=capacities[i] * min(1 + leak, 2.0), reaches=not full)
    return case(rng, Cell(halves, numbered(halves)), {"failure_cycle": float(begins)})


def dying(seed: int) -> Case:
    """A sudden death: from one cycle to the next nearly nothing is left."""
    rng = np.random.default_rng(seed)
    dies = int(rng.integers(30, 58))
    capacities = _fading(rng, 60, 0.05)
    capacities[dies - 1 :] *= rng.uniform(0.002, 0.1)
    halves = pairs(capacities, 0.5)
    return case(rng, Cell(halves, numbered(halves)), {"failure_cycle": float(dies)})


def overcharged(seed: int) -> Case:
    """A short in the last charge: it takes up twice what theory allows until the tester's limit of time ends it."""
    rng = np.random.default_rng(seed)
    cycles = int(rng.integers(20, 40))
    halves = pairs(_fading(rng, cycles - 1, 0.03), 0.5)
    halves.append(Half(2.2 * ONE_C, 0.5, reaches=False))
    return case(rng, Cell(halves, numbered(halves)), {"failure_cycle": float(cycles)})


def healing(seed: int) -> Case:
    """A soft short that heals after a few cycles is no failure of the test."""
    rng = np.random.default_rng(seed)
    begins = int(rng.integers(25, 35))
    capacities = _fading(rng, 80, 0.05)
    halves = pairs(capacities, 0.5)
    for i in range(begins - 1, begins + 4):
        halves[2 * i] = replace(halves[2 * i], capacity=1.4 * capacities[i])
    truths = {"failure_cycle": None, "coulombic_efficiency": 99.85}
    return case(rng, Cell(halves, numbered(halves)), truths)


def aborted(seed: int) -> Case:
    """A discharge in the middle of the test was broken off; the charge after it begins half way."""
    rng = np.random.default_rng(seed)
    at, share = int(rng.integers(20, 40)), rng.uniform(0.3, 0.7)
    capacities = _fading(rng, 60, 0.06)
    halves = pairs(capacities, 0.5)
    halves[2 * at - 1] = replace(halves[2 * at - 1], stop=share)
    halves[2 * at] = replace(halves[2 * at], capacity=share * capacities[at])
    truths = {
        "failure_cycle": None,
        "complete_cycles": 58.0,
        "coulombic_efficiency": 99.85,
        "retention_against_first": 100 * capacities[-1] / capacities[0],
    }
    return case(rng, Cell(halves, numbered(halves)), truths)


def pulsed(seed: int) -> Case:
    """A pulse of discharge before the first charge, and pulses that measure a resistance every ten cycles."""
    rng = np.random.default_rng(seed)
    capacities = _fading(rng, 40, 0.06)
    halves, numbers = [Half(0.4, -1.0)], [1]
    for i, capacity in enumerate(capacities):
        charge, discharge = pairs([capacity], 0.5)
        halves.append(charge)
        if i % 10 == 9:
            first = replace(discharge, capacity=capacity / 2, reaches=False)
            halves += [first, Half(0.3, 1.0, reaches=False), replace(discharge, capacity=capacity / 2)]
        else:
            halves.append(discharge)
        numbers += [i + 1] * (len(halves) - len(numbers))
    truths = {
        "coulombic_efficiency_first_cycle": 99.85,
        "initial_coulombic_efficiency": None,
        "retention_against_first": 100 * capacities[-1] / capacities[0],
        "complete_cycles": 40.0,
    }
    return case(rng, Cell(halves, numbers), truths)


def held(seed: int) -> Case:
    """Charged at a constant current and then at a constant voltage, which takes over as the cell ages."""
    rng = np.random.default_rng(seed)
    capacities, efficiency = _fading(rng, 60, 0.1), 0.9985
    shares = np.linspace(0.1, rng.uniform(0.3, 0.6), 60)
    halves = []
    for capacity, share in zip(capacities, shares, strict=True):
        taken = capacity / efficiency
        halves += [Half(taken / (1 - share / 31), 1.0, held=share), Half(capacity, -1.0)]
    truths = {
        "constant_voltage_charge": True,
        "retention_against_first": 100 * capacities[-1] / capacities[0],
        "complete_cycles": 60.0,
    }
    return case(rng, Cell(halves, numbered(halves)), truths)


def anode_free(seed: int) -> Case:
    """Without an excess of lithium each cycle can return only what the one before it returned."""
    rng = np.random.default_rng(seed)
    efficiency = rng.uniform(0.975, 0.99)
    halves, left = [], 155.0
    for i in range(40):
        halves += [Half(left, 0.5), Half(left := left * (0.9 if i == 0 else efficiency), -0.5)]
    truths = {
        "lithium_inventory_limits": True,
        "coulombic_efficiency": 100 * efficiency,
        "failure_cycle": None,
        "coulombic_efficiency_first_cycle": 90.0,
    }
    return case(rng, Cell(halves, numbered(halves)), truths)


def parasitic(seed: int) -> Case:
    """An excess of lithium: the charge lost in each cycle costs no capacity."""
    rng = np.random.default_rng(seed)
    efficiency = rng.uniform(0.96, 0.985)
    halves = pairs(_fading(rng, 40, 0.01, 0.0004), 0.5, efficiency)
    truths = {"lithium_inventory_limits": False, "coulombic_efficiency": 100 * efficiency}
    return case(rng, Cell(halves, numbered(halves)), truths)


def graphite(seed: int) -> Case:
    """Li | graphite: the first step is a discharge, and a cycle is a discharge and the charge after it."""
    rng = np.random.default_rng(seed)
    first, efficiency = rng.uniform(0.75, 0.92), 0.998
    charges = _fading(rng, 40, 0.05, 0.0004) * 2.2
    halves = []
    for i, capacity in enumerate(charges):
        halves += [Half(capacity / (first if i == 0 else efficiency), -0.5), Half(capacity, 0.5)]
    truths = {
        "working_electrode_is_anode": True,
        "initial_coulombic_efficiency": 100 * first,
        "coulombic_efficiency": 100 * efficiency,
        "retention_against_first": 100 * charges[-1] / charges[0],
        "complete_cycles": 40.0,
    }
    return case(rng, Cell(halves, numbered(halves), anode=True), truths)


def rested(seed: int) -> Case:
    """The cell rests for a week in the middle, and some of its capacity comes back."""
    rng = np.random.default_rng(seed)
    capacities = _fading(rng, 80, 0.1)
    capacities[40:] *= rng.uniform(1.01, 1.03)
    halves = pairs(capacities, 0.5)
    halves[79] = replace(halves[79], rest=7 * 86400.0)
    truths = {
        "retention_against_first": 100 * capacities[-1] / capacities[0],
        "discharge_capacity_cycle_50": capacities[49],
    }
    return case(rng, Cell(halves, numbered(halves)), truths)._replace(parameters={"capacity_after": 50})


def warm_days(seed: int) -> Case:
    """The temperature of the room swings over the day: the capacity with it, by 0.3 %; a cycle takes 4 h."""
    rng = np.random.default_rng(seed)
    loss, cycles = 0.06, 110
    smooth = 150 * (1 - loss * np.linspace(0, 1, cycles))
    swing = 1 + 0.003 * np.sin(2 * np.pi * (np.arange(cycles) * 4.1 / 24 + rng.random()))
    capacities = smooth * swing * (1 + rng.normal(0, 0.0003, cycles))
    halves = pairs(capacities, 0.5)
    truths = {
        "retention_against_first": 100 * (1 - loss),
        "capacity_fade_per_cycle": 100 * loss / (cycles - 1) * smooth[0] / capacities[0],
    }
    return case(rng, Cell(halves, numbered(halves)), truths)


def rate_first(seed: int) -> Case:
    """A rate test of five cycles each, then the long test at C/2."""
    rng = np.random.default_rng(seed)
    steps = [(0.1, 165.0), (0.2, 160.0), (1.0, 140.0), (2.0, 105.0)]
    capacities = _fading(rng, 100, 0.08)
    halves = [half for rate, capacity in steps for half in pairs([capacity] * 5, rate)]
    halves += pairs(capacities, 0.5)
    truths = {
        "retention_against_first": 100 * capacities[-1] / capacities[0],
        "discharge_capacity_first_cycle": capacities[0],
        "discharge_capacity_cycle_100": capacities[79],
        "capacity_fade_per_cycle": 100 * 0.08 / 99,
    }
    return case(rng, Cell(halves, numbered(halves)), truths)


KINDS: dict[str, Kind] = {
    function.__name__.replace("_", " "): function
    for function in (
        *(checked_up, lost_cycles, lost_cycles_without_numbers, renumbered, continued, leaking, dying, overcharged),
        *(healing, aborted, pulsed, held, anode_free, parasitic, graphite, rested, warm_days, rate_first),
    )
}
