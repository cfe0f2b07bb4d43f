"""Lithium symmetric cells over hundreds of hours: standstills, lost records, changed currents, creeping shorts.

The overpotential is the sum of an ohmic drop, of a charge transfer (inverse hyperbolic sine of the current, Butler and
Volmer with equal transfer coefficients), and of a contact that settles with a stretched exponential; the double layer
charges with a stretched exponential too. The room's temperature is a random walk that is pulled back. An electronic
path in parallel carries its share of the current. All properties are drawn at random.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from scipy.constants import R as GAS
from scipy.constants import physical_constants

from independent import Case, Made

FARADAY = physical_constants["Faraday constant"][0]

HOUR = 3600.0


class Cell(NamedTuple):
    """ohm cm2 of the electrolyte and of the contact, exchange current density [mA/cm2], s and stretching of the double
    layer, hours and amplitude of the settling, area [cm2], noise and offset of the voltage [V]."""

    electrolyte: float
    exchange: float
    relaxation: float
    stretching: float
    settles: float
    excess: float
    area: float
    noise: float
    offset: float


def a_cell(rng: np.random.Generator) -> Cell:
    return Cell(
        electrolyte=float(rng.uniform(40, 300)),
        exchange=float(rng.uniform(0.4, 4.0)),
        relaxation=float(rng.uniform(5, 60)),
        stretching=float(rng.uniform(0.5, 0.9)),
        settles=float(rng.uniform(4, 15)),
        excess=float(rng.uniform(0.0, 0.4)),
        area=float(rng.uniform(0.4, 1.3)),
        noise=float(rng.uniform(5e-5, 4e-4)),
        offset=float(rng.uniform(-2e-3, 2e-3)),
    )


def overpotential(cell: Cell, density: np.ndarray, hours: np.ndarray) -> np.ndarray:
    """Steady overpotential [V] without its sign: density in mA/cm2, hours of current."""
    transfer = 4 * GAS * 298.15 / FARADAY * np.arcsinh(density / (2 * cell.exchange))
    contact = 1 + cell.excess * np.exp(-np.sqrt(hours / cell.settles))
    return density * 1e-3 * cell.electrolyte + transfer * contact


def weather(hours: np.ndarray, rng: np.random.Generator, share: float = 0.01, memory: float = 12.0) -> np.ndarray:
    """Relative change of all resistances with the room's temperature, correlated over `memory` hours."""
    grid = np.arange(0, hours.max() + 2.0, 1.0)
    kept = np.exp(-1.0 / memory)
    wander = np.empty(grid.size)
    wander[0] = rng.normal()
    for i, draw in enumerate(rng.normal(size=grid.size - 1)):
        wander[i + 1] = kept * wander[i] + np.sqrt(1 - kept**2) * draw
    return 1 + share * np.interp(hours, grid, wander)


def run(
    rng: np.random.Generator,
    cell: Cell,
    stretches: Iterable[tuple[float, float]],
    *,
    half: float = 1.0,
    every: float = 120.0,
    rest: float = 0.0,
    path: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    standstills: Iterable[tuple[float, float, str]] = (),
    lost: Callable[[np.ndarray], np.ndarray] | None = None,
    counter: str = "",
    numbers: bool = False,
    stop: float = np.inf,
) -> xr.Dataset:
    """One recording.

    Parameters
    ----------
    stretches : of (mA/cm2, hours of current)
    half : hours of a half cycle; every [s] : sampling; rest [s] : after each half cycle, recorded
    path : conductance of the electronic path over the cell's own, from hours of current and share of the half cycle
    standstills : of (hours of current at which it begins, its hours, "recorded", "ends" (its last record only) or "")
    lost : which of the records were lost, from the hours on the clock
    counter : "never" or "step": when the tester's counter of the charge starts from zero; "" for none
    numbers : whether the tester's numbers of cycle and step are exported
    stop : hours of current at which the operator ends the test
    """
    rows: list[np.ndarray] = []
    clock, current_hours, number = 0.0, 0.0, 0
    events = sorted(standstills)
    jitter = rng.uniform(0.05, 0.95) * every
    for density, hours in stretches:
        for _ in range(2 * round(hours / (2 * half))):
            sign = 1.0 if number % 2 == 0 else -1.0
            t = np.arange(0.2, half * HOUR, every) + (jitter if every < 10 else 0.0)
            t = t[t < half * HOUR]
            along = current_hours + t / HOUR
            alive = along <= stop
            inside = [event for event in events if current_hours <= event[0] < current_hours + half]
            shift, since = np.zeros(t.size), t.copy()
            pauses = []
            for at, length, how in inside:
                after = along > at
                shift[after] += length * HOUR
                since[after] = t[after] - (at - current_hours) * HOUR
                begin = clock + (at - current_hours) * HOUR + shift[~after].max(initial=0.0)
                if how == "recorded":
                    pauses.append(begin + np.arange(1.0, length * HOUR, max(10 * every, length * HOUR / 200)))
                elif how == "ends":
                    pauses.append(np.array([begin + length * HOUR - 0.5]))
            steady = overpotential(cell, np.full(t.size, density), along)
            charged = 1 - 0.35 * np.exp(-((since / cell.relaxation) ** cell.stretching))
            leak = path(along, t / (half * HOUR)) if path else np.zeros(t.size)
            voltage = sign * steady * charged * (1 + 0.03 * (t / half / HOUR) ** 2) / (1 + leak)
            part = [clock + t + shift, voltage, np.full(t.size, sign * density * cell.area * 1e-3), along * 1.0]
            rows.append(np.vstack([*part, np.full(t.size, number)])[:, alive])
            for zero in pauses:
                rows.append(np.vstack([zero, *np.zeros((2, zero.size)), np.full((2, zero.size), number)]))
            clock += half * HOUR + sum(length for _, length, _ in inside) * HOUR
            if rest and alive.all():
                pause = np.arange(0.2, rest, min(every, rest / 3))
                rows.append(np.vstack([clock + pause, *np.zeros((2, pause.size)), np.full((2, pause.size), number)]))
                clock += rest
            current_hours += half
            number += 1
            if not alive.all():
                break
        if current_hours > stop:
            break
    table = np.concatenate(rows, axis=1)
    table = table[:, np.argsort(table[0], kind="stable")]
    time, voltage, current, _, halves = table
    voltage = voltage * weather(time / HOUR, rng) + cell.offset + rng.normal(0, cell.noise, time.size)
    rests = current == 0
    voltage[rests] = cell.offset + rng.normal(0, cell.noise, int(rests.sum()))
    columns: dict[str, tuple[np.ndarray, float, dict[str, Any]]] = {
        "time": (time, 1e-3, {"units": "s"}),
        "voltage": (voltage, 1e-4, {"units": "V"}),
        "current": (current, 1e-7, {"units": "A"}),
    }
    if counter:
        columns["capacity"] = (_counted(table, counter, half), 1e-7, {"units": "Ah", "resets": counter})
    kept = np.ones(time.size, bool) if lost is None else ~lost(time / HOUR)
    recording = xr.Dataset(
        {
            name: ("record", (np.round(values / digit) * digit)[kept], attrs | {"resolution": digit})
            for name, (values, digit, attrs) in columns.items()
        },
        attrs={"technique": "cycling", "source": "independent"},
    )
    if numbers:
        recording["cycle"] = ("record", halves[kept].astype(int) // 2 + 1)
        recording["step"] = ("record", halves[kept].astype(int) + 1)
    return recording


def _counted(table: np.ndarray, resets: str, half: float) -> np.ndarray:
    """The tester's counter [Ah] at each record: it counts the current that flowed, whatever is written."""
    time, _, current, along, halves = table
    flowing = current != 0
    level = np.abs(current[flowing])
    hours = np.diff(along[flowing], prepend=0.0)
    total = np.cumsum(level * hours)
    counted = np.interp(np.arange(time.size), np.flatnonzero(flowing), total)
    if resets == "step":
        for number in np.unique(halves):
            own = halves == number
            counted[own] -= counted[own][0]
    return counted


SAMPLE = "Cell"


def _case(cell: Cell, recording: xr.Dataset, truths: dict[str, float | bool | None], state: str = "long") -> Case:
    constants = {"area_cm2": cell.area, "thickness_cm": 0.05, "temperature_C": 25.0}
    made = [Made("long-cycling", SAMPLE, state, recording, constants)]
    return Case(made, {(SAMPLE, state, quantity): truth for quantity, truth in truths.items()})


def _charge(*stretches: tuple[float, float]) -> float:
    """mAh/cm2 of (mA/cm2, hours of current)."""
    return sum(density * hours for density, hours in stretches)


def _steady(cell: Cell, density: float, first: float, last: float, half: float = 1.0) -> float:
    """Mean plateau overpotential [mV] over hours of current, in the middle of the half cycles."""
    hours = np.arange(first, last, half) + half / 2
    middle = np.mean(1 + 0.03 * np.linspace(0.25, 0.75, 21) ** 2)
    return float(1e3 * middle * overpotential(cell, np.full(hours.size, density), hours).mean())


def _standstill(how: str, counter: str = "", numbers: bool = False) -> Callable[[int], Case]:
    def made(seed: int) -> Case:
        rng = np.random.default_rng(seed)
        cell, density = a_cell(rng), float(rng.choice([0.1, 0.2, 0.5]))
        at, length = float(rng.uniform(20, 90)), float(rng.choice([50.0, 300.0, rng.uniform(3, 200)]))
        half = float(rng.choice([0.5, 1.0, 2.0]))
        fails = float(rng.uniform(100, 115))
        path = _hard(fails)
        recording = run(
            rng,
            cell,
            [(density, 120.0)],
            half=half,
            every=60.0,
            path=path,
            standstills=[(at, length, how)],
            counter=counter,
            numbers=numbers,
            stop=fails + 3 * half,
        )
        return _case(cell, recording, {"time_to_failure": fails, "charge_passed": density * fails})

    return made


def _hard(at: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A metallic path from an hour of current on."""
    return lambda hours, share: np.where(hours >= at, 80.0, 0.0)


def _lost(counter: str = "", numbers: bool = False) -> Callable[[int], Case]:
    def made(seed: int) -> Case:
        rng = np.random.default_rng(seed)
        cell, density, at = a_cell(rng), float(rng.choice([0.1, 0.2, 0.5])), float(rng.uniform(20, 60))
        length = float(rng.uniform(0.2, 30.0))
        some = np.random.default_rng(seed + 1)
        recording = run(
            rng,
            cell,
            [(density, 100.0)],
            every=60.0,
            counter=counter,
            numbers=numbers,
            lost=lambda hours: ((hours > at) & (hours < at + length)) | (some.random(hours.size) < 0.03),
        )
        whole = 100.0 - 1 / 60
        return _case(cell, recording, {"time_to_failure": whole, "charge_passed": density * whole})

    return made


def changed_current(seed: int) -> Case:
    """300 h at one current, then 200 h at another; every second cell shorts in the second stretch."""
    rng = np.random.default_rng(seed)
    cell = a_cell(rng)
    low, high = rng.choice([0.1, 0.2, 0.3]), rng.choice([0.5, 0.6, 0.8])
    first, second = (low, high) if rng.random() < 0.7 else (high, low)
    fails = float(rng.uniform(380, 480)) if seed % 2 else np.inf
    recording = run(rng, cell, [(first, 300.0), (second, 200.0)], every=300.0, path=_hard(fails), stop=fails + 4)
    until = min(fails, 500.0 - 300 / 3600)
    truths = {
        "time_to_failure": until,
        "charge_passed": _charge((first, 300.0), (second, until - 300.0)),
    }
    for density, begin, end in ((first, 0.0, 300.0), (second, 300.0, until)):
        name = f"_at_{density:.3g}_mA_cm2"
        truths[f"charge_passed{name}"] = density * (end - begin)
        truths[f"time_to_failure{name}"] = end - begin
        settled = begin + 100.0
        truths[f"overpotential{name}"] = _steady(cell, density, settled if end - begin >= 200 else begin, end)
    return _case(cell, recording, truths)


def _creep(power: float, ends_hard: bool) -> Callable[[int], Case]:
    """An electronic path that grows over some 200 h, with a power of the time; the cell shorts hard at its end."""

    def made(seed: int) -> Case:
        rng = np.random.default_rng(seed)
        cell, density = a_cell(rng), float(rng.choice([0.1, 0.2, 0.5]))
        onset, lasts = float(rng.uniform(220, 320)), float(rng.uniform(150, 220))
        most = float(rng.uniform(1.5, 6.0))

        def path(hours: np.ndarray, share: np.ndarray) -> np.ndarray:
            grown = most * np.clip((hours - onset) / lasts, 0, 1) ** power
            return grown + np.where(hours >= onset + lasts, 80.0, 0.0) * ends_hard

        recording = run(
            rng, cell, [(density, 600.0)], every=300.0, path=path, stop=onset + lasts + (4 if ends_hard else 0)
        )
        return _case(cell, recording, {"time_to_failure": onset, "charge_passed": density * onset})

    return made


def dead(seed: int) -> Case:
    """Shorted from its first record, beside a good cell."""
    rng = np.random.default_rng(seed)
    bad, good = a_cell(rng), a_cell(rng)
    recordings = [
        run(rng, bad, [(0.5, 40.0)], every=60.0, path=_hard(-1.0)),
        run(rng, good, [(0.5, 40.0)], every=60.0),
    ]
    made = [
        Made("long-cycling", name, "long", one, {"area_cm2": cell.area, "thickness_cm": 0.05, "temperature_C": 25.0})
        for name, cell, one in zip(("Dead", "Good"), (bad, good), recordings, strict=True)
    ]
    truths: dict[tuple[str, str, str], float | bool | None] = {
        ("Dead", "long", "time_to_failure"): 0.0,
        ("Dead", "long", "charge_passed"): 0.0,
        ("Good", "long", "time_to_failure"): 40.0 - 1 / 60,
        ("Good", "long", "charge_passed"): 0.5 * (40.0 - 1 / 60),
    }
    return Case(made, truths)


def sound(seed: int) -> Case:
    """No failure: settles, drifts with the room, rests after each half cycle."""
    rng = np.random.default_rng(seed)
    cell, density = a_cell(rng), float(rng.choice([0.1, 0.2, 0.5]))
    rest = float(rng.choice([0.0, 120.0, 600.0]))
    recording = run(rng, cell, [(density, 300.0)], every=60.0, rest=rest)
    until = 300.0 if rest else 300.0 - 1 / 60
    return _case(
        cell,
        recording,
        {
            "time_to_failure": until,
            "charge_passed": density * until,
            "overpotential": _steady(cell, density, 100.0, 300.0),
        },
    )


#: What each kind of recording holds; the truth of a time to failure without a failure is what its bound may not exceed.
KINDS: dict[str, Callable[[int], Case]] = {
    "sound": sound,
    "standstill, recorded": _standstill("recorded"),
    "standstill, its last record only": _standstill("ends"),
    "standstill, no records": _standstill(""),
    "standstill, no records, counter": _standstill("", counter="never"),
    "standstill, no records, numbers": _standstill("", numbers=True),
    "lost records": _lost(),
    "lost records, counter": _lost(counter="step", numbers=True),
    "changed current": changed_current,
    "linear creep, then short": _creep(1.0, True),
    "creep that speeds up, then short": _creep(2.5, True),
    "creep without an end": _creep(1.0, False),
    "dead from its first record": dead,
}
