"""Lithium symmetric cells with shorts of many kinds, and cells that only look as if they had one.

The overpotential is that of an ohmic electrolyte, of a charge transfer with an exponential current-voltage curve (no
linear interface), of a contact that ages with a power of time, and of pores that grow linearly with the stripped
charge. The double layer charges as a stretched exponential. The noise is white with slow wandering.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from scipy.constants import R as GAS

from independent import Case, Kind, Made, cycling

FARADAY = 96485.33212
STATE = "pristine"

#: Share of the ionic overpotential that a leak leaves, as a function of time [s], direction and current [mA/cm2].
Leak = Callable[[np.ndarray, int, float], np.ndarray]


@dataclass
class Cell:
    """A cell drawn at random; `random` draws its noise as well."""

    random: np.random.Generator
    thickness: float = 0.0  # cm
    conductivity: float = 0.0  # S/cm
    exchange: float = 0.0  # mA/cm2, exchange current density
    contact: float = 0.0  # ohm cm2, of the fresh contact, which ages away
    ageing: float = 0.0  # s
    pores: float = 0.0  # rise of the contact resistance with the stripped charge, ohm cm2 per mAh/cm2
    area: float = 0.0  # cm2
    noise: float = 1e-4  # V
    offset: float = 0.0  # V
    every: float = 10.0  # s
    warmth: Callable[[np.ndarray], np.ndarray] = field(default=lambda time: 0.0 * time)  # K above 25 degrees

    @classmethod
    def drawn(cls, seed: int, **stated: object) -> "Cell":
        """Return a cell of ordinary properties; what is stated replaces them."""
        random = np.random.default_rng([16, seed])
        drawn = dict(
            thickness=random.uniform(0.03, 0.1),
            conductivity=random.uniform(3e-4, 1e-3),
            exchange=random.uniform(1.0, 6.0),
            contact=random.uniform(0.0, 40.0),
            ageing=random.uniform(600, 3000),
            pores=random.uniform(0.0, 8.0),
            area=random.uniform(0.5, 1.3),
            noise=10 ** random.uniform(-4.5, -3.7),
            offset=random.normal(0, 3e-4),
            every=random.choice([5.0, 10.0, 20.0, 30.0]),
        )
        return cls(random, **drawn | stated)  # type: ignore[arg-type]

    def overpotential(self, time: np.ndarray, since: np.ndarray, density: float) -> np.ndarray:
        """Return the overpotential [V] at times [s], `since` [s] the current density [mA/cm2] flows."""
        kelvin = 298.15 + self.warmth(time)
        faster = np.exp(0.38 / 8.617333e-5 * (1 / 298.15 - 1 / kelvin))
        bulk = density * 1e-3 * self.thickness / self.conductivity / faster
        transfer = 4 * GAS * kelvin / FARADAY * np.arcsinh(density / (2 * self.exchange * faster))
        aged = self.contact / (1 + time / self.ageing) ** 0.8
        grown = self.pores * density * since / 3600
        charged = 1 - np.exp(-((since + 0.05) ** 0.6))
        return bulk + charged * (transfer + density * 1e-3 * (aged + grown))


@dataclass
class Run:
    """What a cycler recorded, and when the cell reached the limit of the voltage [s]; NaN where it did not."""

    recording: xr.Dataset
    reached: float


def run(
    cell: Cell,
    densities: np.ndarray,
    half_cycle: float,
    leak: Leak | None = None,
    *,
    rest: float = 0.0,
    limit: float | None = None,
    holds: bool = False,
    stops: bool = True,
) -> Run:
    """Return the recording of a cell: one half cycle each way at every current density [mA/cm2].

    At `limit` [V] the tester ends the half cycle, or holds the voltage until its time is over; it then goes on with the
    next density unless it `stops`.
    """
    clock, reached = 30.0, np.nan
    pause = np.arange(0.0, 30.0, cell.every)
    time, voltage, current = [pause], [0 * pause], [0 * pause]
    for index, density in enumerate(np.repeat(densities, 2)):
        sign = 1 - 2 * (index % 2)
        since = np.arange(cell.every / 2, half_cycle, cell.every)
        now = clock + since
        share = np.ones_like(now) if leak is None else leak(now, sign, float(density))
        ionic = cell.overpotential(now, since, float(density))
        volts, amps = share * ionic, np.full(now.size, density * 1e-3 * cell.area)
        beyond = np.flatnonzero(volts > limit) if limit is not None else np.array([], int)
        if beyond.size and holds:
            amps[beyond[0] :] *= limit / volts[beyond[0] :]
            volts[beyond[0] :] = limit
        elif beyond.size:
            now, volts, amps = (x[: beyond[0] + 1] for x in (now, volts, amps))
        if beyond.size and np.isnan(reached):
            reached = float(clock + since[beyond[0]])
        time, voltage, current = [*time, now], [*voltage, sign * volts], [*current, sign * amps]
        clock += half_cycle if not beyond.size or holds else float(since[beyond[0]]) + cell.every
        if rest:
            pause = clock + np.arange(cell.every / 2, rest, cell.every)
            time, voltage, current = [*time, pause], [*voltage, 0 * pause], [*current, 0 * pause]
            clock += rest
        if stops and index % 2 and np.isfinite(reached):
            break
    t, v, i = (np.concatenate(x) for x in (time, voltage, current))
    wander = np.cumsum(cell.random.normal(0, 0.03, t.size))
    white = cell.random.normal(0, 1, t.size)
    v = v + cell.offset + cell.noise * (white + wander - np.mean(wander))
    return Run(cycling(t, v, i), reached)


def from_moment(begin: float, left: float) -> Leak:
    """Return a leak that takes all but a share from a moment [s] on."""
    return lambda time, sign, density: np.where(time >= begin, left, 1.0)


def wandering(cell: Cell, begin: float, left: float, spread: float) -> Leak:
    """Return a leak that opens and closes: its share is redrawn every half minute or so."""
    edges = begin + np.cumsum(cell.random.exponential(30.0, 4000))
    shares = np.clip(left * np.exp(cell.random.normal(0, spread, edges.size + 1)), 0.02, 1.0)
    return lambda time, sign, density: np.where(time >= begin, shares[np.searchsorted(edges, time)], 1.0)


def both(*leaks: Leak) -> Leak:
    """Return the leak of several paths: the smallest share."""
    return lambda time, sign, density: np.min([leak(time, sign, density) for leak in leaks], axis=0)


def _case(role: str, cell: Cell, made: Run, truths: dict[str, float | None], known: bool = True) -> Case:
    constants = {"area_cm2": cell.area, "temperature_C": 25.0} | ({"thickness_cm": cell.thickness} if known else {})
    recording = made.recording.assign_attrs(area_cm2=cell.area, thickness_cm=cell.thickness if known else np.nan)
    return Case(
        [Made(role, "cell", STATE, recording, constants)],
        {("cell", STATE, name): truth for name, truth in truths.items()},
    )


def _ccd(
    seed: int,
    leak: Callable[[Cell, float, float], Leak] | None,
    *,
    known: bool = True,
    told: bool = True,
    first: int = 3,
    rest: float | None = None,
    first_fails: bool = False,
    timed: bool = True,
    **stated: object,
) -> Case:
    """Return a CCD run whose leak begins at a random moment of a random step.

    `leak` takes the cell, the moment [s] and the duration of a step [s].
    """
    cell = Cell.drawn(seed, **stated)
    densities = np.round(np.arange(1, 16) * 0.1, 2)
    half_cycle = float(cell.random.choice([600.0, 1200.0]))
    rest = float(cell.random.choice([0.0, 60.0])) if rest is None else rest
    step = 2 * (half_cycle + rest)
    failing = int(cell.random.integers(first, 11))
    begin = 30.0 + failing * step + cell.random.uniform(0.1, 0.9) * half_cycle
    if cell.random.random() < 0.5:
        begin += half_cycle + rest
    if first_fails:
        failing, begin = 0, 0.0
    made = run(cell, densities, half_cycle, leak(cell, begin, step) if leak else None, rest=rest)
    start = float(made.recording.time[0])
    truths: dict[str, float | None] = {"critical_current_density": float(densities[-1])}
    if leak:
        last = float(densities[failing - 1]) if failing else None
        truths["critical_current_density"] = last if told else None
        if told and timed:
            truths["time_of_failure"] = max(begin - start, 0.0) / 3600
    return _case("ccd", cell, made, truths, known)


def _steps_of_ten_percent(cell: Cell, begin: float, step: float) -> Leak:
    return lambda time, sign, density: np.where(time < begin, 1.0, 0.9 ** (1 + np.floor((time - begin) / step)))


def _creeping(cell: Cell, begin: float, step: float) -> Leak:
    return lambda time, sign, density: 1 / (1 + 0.25 * np.maximum(time - begin, 0) / step)


def _one_direction(cell: Cell, begin: float, step: float) -> Leak:
    # A rectifying path: it leaks in the direction in which it began.
    def leak(time: np.ndarray, sign: int, density: float) -> np.ndarray:
        began = 1 if (begin - 30.0) % step < step / 2 else -1
        return np.where((time >= begin) & (sign == began), 0.6, 1.0)

    return leak


def _healing(cell: Cell, begin: float, step: float) -> Leak:
    until = begin + cell.random.uniform(0.3, 1.5) * step
    left = cell.random.uniform(0.2, 0.6)
    return lambda time, sign, density: np.where((time >= begin) & (time < until), left, 1.0)


def _soft_then_hard(cell: Cell, begin: float, step: float) -> Leak:
    return both(wandering(cell, begin, 0.5, 0.4), from_moment(begin + 1.3 * step, 0.01))


def _voltage(seed: int, holds: bool, stops: bool) -> Case:
    """A cell whose contact is lost at a high current: the tester holds its limit, or ends the half cycle there."""
    cell = Cell.drawn(seed, pores=0.0, contact=0.0)
    densities = np.round(np.arange(1, 16) * 0.1, 2)
    half_cycle = 600.0
    failing = int(cell.random.integers(3, 11))
    begin = 30.0 + failing * 2 * half_cycle + cell.random.uniform(0.15, 0.7) * half_cycle
    normal = float(cell.overpotential(np.array([0.0]), np.array([half_cycle]), densities[-1])[0])
    limit = 1.5 * normal

    def polarised(time: np.ndarray, sign: int, density: float) -> np.ndarray:
        late = np.maximum(time - begin, 0) / 60.0
        return 1 + late**2

    made = run(cell, densities, half_cycle, polarised, limit=limit, holds=holds, stops=stops)
    at = int((made.reached - 30) // (2 * half_cycle))
    reached = (made.reached - float(made.recording.time[0])) / 3600
    truths = {"critical_current_density": float(densities[at - 1]), "time_of_failure": reached}
    return _case("ccd", cell, made, truths)


def _long(seed: int, leak: Callable[[Cell, float], Leak] | None, hours: float, hard: float, **stated: object) -> Case:
    """Return long cycling whose leak begins at a random moment, and ends in a hard short so many hours later."""
    cell = Cell.drawn(seed, every=300.0, **{"contact": 5.0} | stated)
    density, half_cycle = float(cell.random.choice([0.1, 0.3, 0.5])), 3600.0
    begin = 3600 * cell.random.uniform(0.45, 0.6) * hours
    daily, phase = cell.random.uniform(0.2, 1.0), cell.random.uniform(0, 2 * np.pi)
    cell.warmth = lambda time: daily * np.sin(2 * np.pi * time / 86400 + phase)
    paths = [] if leak is None else [leak(cell, begin)]
    if np.isfinite(hard):
        paths.append(from_moment(begin + 3600 * hard, 0.005))
    made = run(cell, np.full(round(hours / 2), density), half_cycle, both(*paths) if paths else None)
    failed = leak is not None or np.isfinite(hard)
    truth = (begin - float(made.recording.time[0])) / 3600
    return _case("long-cycling", cell, made, {"time_to_failure": truth if failed else None})


def _creep_of_hours(cell: Cell, begin: float) -> Leak:
    hours = cell.random.uniform(60, 150)
    return lambda time, sign, density: 1 / (1 + np.maximum(time - begin, 0) / 3600 / hours)


def _sudden_35(cell: Cell, begin: float) -> Leak:
    return from_moment(begin, 0.65)


def _warm_step(cell: Cell, begin: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda time: 10.0 * (1 - np.exp(-np.maximum(time - begin, 0) / 1500))


def _warming(seed: int) -> Case:
    """An intact cell in a chamber that warms up by 10 K in the middle: no short, but nobody can tell."""
    cell = Cell.drawn(seed)
    cell.warmth = _warm_step(cell, float(cell.random.uniform(4000, 9000)))
    return _case("ccd", cell, run(cell, np.round(np.arange(1, 16) * 0.1, 2), 600.0), {"critical_current_density": None})


def _at_once(seed: int) -> Case:
    """A tester that holds its limit from the first record of a step on: the current never reaches its setpoint."""
    cell = Cell.drawn(seed, pores=0.0, contact=0.0)
    densities = np.round(np.arange(1, 16) * 0.1, 2)
    at = int(cell.random.integers(3, 12))
    limit = float(cell.overpotential(np.zeros(2), np.array([0.0, 600.0]), densities[at] - 0.04)[1])
    fading = 30.0 + at * 1200.0
    made = run(
        cell,
        densities[: at + 2],
        600.0,
        lambda time, sign, density: 1 + np.maximum(time - fading, 0) / 400.0,
        limit=limit,
        holds=True,
        stops=False,
    )
    return _case("ccd", cell, made, {"critical_current_density": float(densities[at - 1])})


def _in_a_rest(cell: Cell, begin: float, step: float) -> Leak:
    """A path that formed in the last rest before `begin`."""
    moment = 30.0 + np.floor((begin - 30.0) / (step / 2)) * step / 2 - 5.0
    return from_moment(float(moment), 0.5)


def _recurring(seed: int) -> Case:
    """Long cycling in a room whose temperature follows the weather by two kelvin up and down."""
    cell = Cell.drawn(seed, every=300.0, contact=5.0)
    days = cell.random.uniform(1, 6, 3)
    cell.warmth = lambda time: sum(0.7 * np.sin(2 * np.pi * time / 86400 / day + day) for day in days)
    made = run(cell, np.full(300, 0.3), 3600.0)
    return _case("long-cycling", cell, made, {"time_to_failure": None})


def _another_current(seed: int) -> Case:
    """Long cycling whose current rises fivefold: the overpotential of the charge transfer does not."""
    cell = Cell.drawn(seed, every=300.0, contact=5.0, exchange=0.3)
    made = run(cell, np.repeat([0.1, 0.5], [100, 60]), 3600.0)
    return _case("long-cycling", cell, made, {"time_to_failure": None})


#: Shorts and look-alikes by name.
KINDS: dict[str, Kind] = {
    "ccd-hard": lambda seed: _ccd(seed, lambda cell, begin, step: from_moment(begin, 0.01)),
    "ccd-never": lambda seed: _ccd(seed, None),
    "ccd-dead": lambda seed: _ccd(seed, lambda cell, begin, step: from_moment(0.0, 0.02), first_fails=True),
    "ccd-thin": lambda seed: _ccd(
        seed, None, thickness=0.003, conductivity=6e-4, exchange=60.0, contact=1.0, noise=2e-5, offset=1e-4
    ),
    "ccd-thin-unknown": lambda seed: _ccd(
        seed, None, thickness=0.003, conductivity=6e-4, exchange=60.0, contact=1.0, noise=2e-5, offset=1e-4, known=False
    ),
    "ccd-sudden-35": lambda seed: _ccd(seed, lambda cell, begin, step: from_moment(begin, 0.65)),
    "ccd-ten-percent": lambda seed: _ccd(seed, _steps_of_ten_percent, contact=0.0),
    "ccd-creep": lambda seed: _ccd(seed, _creeping, contact=0.0),
    "ccd-one-direction": lambda seed: _ccd(seed, _one_direction),
    "ccd-heals": lambda seed: _ccd(seed, _healing),
    "ccd-soft-then-hard": lambda seed: _ccd(seed, _soft_then_hard),
    "ccd-forming": lambda seed: _ccd(seed, None, contact=500.0, ageing=4000.0),
    "ccd-tafel": lambda seed: _ccd(seed, None, exchange=0.1),
    "ccd-noisy": lambda seed: _ccd(seed, None, noise=2e-3),
    "ccd-polarising": lambda seed: _ccd(seed, None, pores=150.0),
    "ccd-warming": _warming,
    "ccd-sudden-25": lambda seed: _ccd(seed, lambda cell, begin, step: from_moment(begin, 0.75)),
    "ccd-sudden-35-coarse": lambda seed: _ccd(seed, lambda cell, begin, step: from_moment(begin, 0.65), every=60.0),
    "ccd-in-a-rest": lambda seed: _ccd(seed, _in_a_rest, rest=60.0, timed=False),
    "ccd-creep-then-hard": lambda seed: _ccd(
        seed, lambda cell, begin, step: both(_creeping(cell, begin, step), from_moment(begin + 2.6 * step, 0.01))
    ),
    "ccd-voltage-at-once": _at_once,
    "ccd-voltage-limit": lambda seed: _voltage(seed, holds=False, stops=True),
    "ccd-voltage-held": lambda seed: _voltage(seed, holds=True, stops=False),
    "long-hard": lambda seed: _long(seed, None, 400, 0.0),
    "long-never": lambda seed: _long(seed, None, 400, np.inf),
    "long-creep": lambda seed: _long(seed, _creep_of_hours, 400, np.inf),
    "long-creep-then-hard": lambda seed: _long(seed, _creep_of_hours, 400, 120.0),
    "long-sudden-35": lambda seed: _long(seed, _sudden_35, 400, np.inf),
    "long-one-direction": lambda seed: _long(
        seed, lambda cell, begin: _one_direction(cell, begin, 7200.0), 400, np.inf
    ),
    "long-weather": _recurring,
    "long-another-current": _another_current,
    "long-heals": lambda seed: _long(seed, lambda cell, begin: _healing(cell, begin, 20000.0), 400, np.inf),
    "long-forming": lambda seed: _long(seed, None, 400, np.inf, contact=300.0, ageing=40000.0),
}
