"""Resistances of symmetric cells over the cycles: falls of several forms, breaks, steps, late onsets, noise.

Written without coldbond and without lib/twin. A fall is an exponential, a stretched one (Kohlrausch), of second order,
or stops at a knee. `COURSES` returns resistances, for counts of thousands of courses; `KINDS` spectra of a few.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from independent import Case, Made, spectrum

SAMPLE = "oxide"
CYCLES = np.array([1, 10, 25, 50, 75, 100, 150, 200.0])
MORE_CYCLES = np.array([1, 5, 10, 20, 30, 40, 50, 60, 80, 100, 150, 200.0])
UNEVEN_CYCLES = np.array([1, 2, 5, 10, 50, 200.0])
Curve = Callable[[np.ndarray], np.ndarray]


class Course(NamedTuple):
    """Resistances [ohm] over the cycles.

    Attributes
    ----------
    cycle, measured, standard_error : array, shape (n,)
        `standard_error` is that of each measurement; from one to the next the cell scatters beside it.
    curve : callable
        The resistance without scatter.
    truths : dict of str to float, bool or None
        By quantity. None: it cannot be told, or there is none. What is open is left out.
    """

    cycle: np.ndarray
    measured: np.ndarray
    standard_error: np.ndarray
    curve: Curve
    truths: dict[str, float | bool | None]


class Fall(NamedTuple):
    """Share of a fall that is left `t` cycles after the first, and after how many 95 % of it is over."""

    left: Curve
    over: float


def exponential(time: float) -> Fall:
    return Fall(lambda t: np.exp(-t / time), time * np.log(20))


def stretched(time: float, exponent: float) -> Fall:
    return Fall(lambda t: np.exp(-((t / time) ** exponent)), time * np.log(20) ** (1 / exponent))


def second_order(time: float) -> Fall:
    return Fall(lambda t: 1 / (1 + t / time) ** 2, time * (np.sqrt(20) - 1))


def knee(at: float, steepness: float) -> Fall:
    """A fall that stops at cycle `at`: ever slower, or ever faster where the steepness is negative."""
    stop = np.exp(-steepness)
    over = -np.log(1 - 0.95 * (1 - stop)) / steepness * (at - 1)
    return Fall(lambda t: (np.exp(-steepness * np.minimum(t / (at - 1), 1)) - stop) / (1 - stop), over)


def course(fall: Fall, size: float, level: float, at: float | None = None, change: float = 0.0) -> Curve:
    """A fall to a level, and from cycle `at` on a straight line that changes by `change` in 150 cycles."""
    begins = np.inf if at is None else at
    return lambda n: level + size * fall.left(n - 1) + change * np.maximum(n - begins, 0) / 150


def drawn(rng: np.random.Generator) -> Fall:
    """A smooth fall of any form."""
    time = rng.uniform(5, 20)
    return [exponential(time), stretched(time / 2, rng.uniform(0.55, 0.95)), second_order(time)][rng.integers(3)]


def rises_again(rng: np.random.Generator, level: float) -> tuple[Curve, dict]:
    at, fall = rng.uniform(40, 75), drawn(rng)
    curve = course(fall, level * rng.uniform(0.3, 1.5), level, at, level * rng.uniform(0.3, 0.8))
    return curve, {"break_cycle": at, "falls_then_stable": False, "falls_then_rises": True}


def knee_then_line(rng: np.random.Generator, level: float) -> tuple[Curve, dict]:
    at, rise = rng.uniform(40, 75), level * rng.choice([0.0, 0.5])
    fall = knee(at, rng.choice([-1.0, 0.01, 1.0, 2.0]))
    verdicts = {"falls_then_stable": not rise, "falls_then_rises": bool(rise)}
    return course(fall, level * rng.uniform(0.3, 1.5), level, at, rise), {"break_cycle": at, **verdicts}


def without_a_break(rng: np.random.Generator, level: float) -> tuple[Curve, dict]:
    fall = exponential(rng.uniform(5, 20))
    verdicts = {"break_cycle": None, "falls_then_stable": True, "falls_then_rises": False}
    return course(fall, level * rng.uniform(0.3, 1.5), level), {"settling_cycle": float(1 + fall.over), **verdicts}


def straight(rng: np.random.Generator, level: float) -> tuple[Curve, dict]:
    slope = rng.choice([-0.3, 0.0, 0.5])
    return lambda n: level * (1 + slope * (n - 1) / 199), {"falls_then_stable": False, "falls_then_rises": False}


def rises_only(rng: np.random.Generator, level: float) -> tuple[Curve, dict]:
    size, begins = rng.uniform(0.3, 1.0), rng.choice([1.0, 100.0])
    curve: Curve = lambda n: level * (1 + size * np.sqrt(np.maximum(n - begins, 0) / 199))  # noqa: E731
    without: dict = {"break_cycle": None} if begins == 1 else {}
    return curve, without | {"falls_then_stable": False, "falls_then_rises": False}


def step(rng: np.random.Generator, level: float) -> tuple[Curve, dict]:
    at, size = rng.uniform(60, 140), rng.uniform(0.4, 1.0)
    if rng.random() < 0.5:
        return lambda n: level * (1 + size * (n > at)), {"falls_then_stable": False, "falls_then_rises": False}
    return lambda n: level * (1 + size * (n < at)), {"falls_then_rises": False}


def late(rng: np.random.Generator, level: float) -> tuple[Curve, dict]:
    """Constant at first, then a fall, then constant."""
    begins, lasts, size = rng.uniform(40, 80), rng.uniform(20, 50), rng.uniform(0.4, 1.0)
    return lambda n: level * (1 + size * (1 - np.clip((n - begins) / lasts, 0, 1))), {"falls_then_rises": False}


def two_falls(rng: np.random.Generator, level: float) -> tuple[Curve, dict]:
    first, second = rng.uniform(0.2, 0.5, 2)
    curve: Curve = lambda n: (  # noqa: E731
        level * (1 + first * np.exp(-(n - 1) / 8) + second * (1 - np.clip((n - 110) / 40, 0, 1)))
    )
    return curve, {"falls_then_stable": False, "falls_then_rises": False}


DRAWN = {
    "fall, break and rise": rises_again,
    "knee, then a line": knee_then_line,
    "fall without a break": without_a_break,
    "straight": straight,
    "rising only": rises_only,
    "step": step,
    "late fall": late,
    "two falls": two_falls,
}


def _resistances(draw: Callable, seed: int, cycle: np.ndarray = CYCLES, outlier: bool = False) -> Course:
    """Draw a course, its scatter from one measurement to the next, and the error of each measurement."""
    rng = np.random.default_rng(seed)
    curve, truths = draw(rng, np.exp(rng.uniform(np.log(30), np.log(1000))))
    scatter, error = np.exp(rng.uniform(np.log(0.002), np.log(0.015), 2))
    measured = curve(cycle) * (1 + scatter * rng.normal(size=cycle.size)) * (1 + error * rng.normal(size=cycle.size))
    if outlier:
        measured[rng.integers(cycle.size)] *= rng.choice([0.7, 1.4])
    fine = np.linspace(cycle[0], cycle[-1], 4001)
    least = curve(fine)
    if least[0] > least.min() and not outlier and np.ptp(fine[least <= least.min() * (1 + 1e-9)]) == 0:
        truths = {"cycle_of_minimum": float(fine[np.argmin(least)]), **truths}
    return Course(cycle, measured, error * measured, curve, truths)


#: Resistances by kind and seed: `COURSES["step"](7)`.
COURSES: dict[str, Callable[[int], Course]] = {name: partial(_resistances, draw) for name, draw in DRAWN.items()}


def _spectra(draw: Callable, seed: int) -> Case:
    """Spectra of a cell whose interface follows a course: an offset, and an arc after Havriliak and Negami."""
    made = _resistances(draw, seed)
    rng = np.random.default_rng(seed + 10**6)
    frequency = np.geomspace(1e6, 0.1, 43)
    s = 2j * np.pi * frequency
    electrolyte, alpha, beta = rng.uniform(80, 160), rng.uniform(0.85, 0.97), rng.uniform(0.75, 1.0)
    capacitance = np.exp(rng.uniform(np.log(1e-6), np.log(2e-5)))
    constants = {"area_cm2": 0.785, "thickness_cm": 0.07}
    recordings = []
    for cycle, resistance in zip(made.cycle, made.measured, strict=True):
        z = electrolyte + resistance / (1 + (s * resistance * capacitance) ** alpha) ** beta + s * 3e-7
        noise = rng.normal(size=(2, s.size)) * 1e-3 * np.abs(z)
        one = spectrum(frequency, z + noise[0] + 1j * noise[1])
        recordings.append(Made("interface", SAMPLE, f"cycle {cycle:.0f}", one, constants))
    whole = f"cycle {made.cycle[0]:.0f} to cycle {made.cycle[-1]:.0f}"
    return Case(recordings, {(SAMPLE, whole, quantity): value for quantity, value in made.truths.items()})


KINDS = {name: partial(_spectra, draw) for name, draw in DRAWN.items()}
