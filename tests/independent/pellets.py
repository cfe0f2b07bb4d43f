"""Pellets between blocking electrodes at several temperatures: straight lines, kinks, jumps and curves over 1/T."""

from collections.abc import Callable

import numpy as np
from scipy.constants import e, k, zero_Celsius

from independent import Case, Kind, Made, spectrum

CELSIUS = np.array([15.0, 25, 35, 45, 55, 65, 75, 85])
CENTRE = 50 + zero_Celsius
#: Standard deviation of a thermostat [K]; the notebook states 0.3 K.
THERMOSTAT = 0.3


def _activated(kelvin: np.ndarray, energy: float, power: int = 1) -> np.ndarray:
    """Resistance over that at the centre, where conductance times T to a power is activated."""
    return (kelvin / CENTRE) ** power * np.exp(energy * e / k * (1 / kelvin - 1 / CENTRE))


def straight(kelvin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a resistance of one activation energy, relative to that at 50 °C."""
    return _activated(kelvin, 0.36)


def kinked(kelvin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one whose energy falls from 0.45 to 0.25 eV at 50 °C."""
    return _activated(kelvin, 0.45) * np.where(kelvin > CENTRE, np.exp(-0.2 * e / k * (1 / kelvin - 1 / CENTRE)), 1.0)


def doubled(kelvin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one that doubles between 45 and 55 °C: a contact comes off."""
    return straight(kelvin, rng) * np.where(kelvin > CENTRE, 2.0, 1.0)


def curved(kelvin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one after Vogel, Tammann and Fulcher, as of a polymer."""
    return np.sqrt(kelvin / CENTRE) * np.exp(0.08 * e / k * (1 / (kelvin - 190) - 1 / (CENTRE - 190)))


COURSES: dict[str, tuple[Callable[[np.ndarray, np.random.Generator], np.ndarray], bool]] = {
    "straight": (straight, True),
    "kink": (kinked, False),
    "doubling": (doubled, False),
    "curve": (curved, False),
}


def blocking(resistance: float, rng: np.random.Generator, points: int = 71) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies [Hz] and impedance [ohm]: bulk, a skewed arc of grain boundaries, electrodes, cable, noise."""
    frequency = np.logspace(6, -1, points)
    s = 2j * np.pi * frequency
    share, lean = rng.uniform(0.15, 0.4), rng.uniform(0.85, 1.0)
    boundary = share * resistance / (1 + s * share * resistance * rng.uniform(1e-8, 5e-8)) ** lean
    z = (1 - share) * resistance + boundary + 1 / (rng.uniform(1e-6, 5e-6) * s ** rng.uniform(0.88, 0.97))
    z = z + s * rng.uniform(1e-7, 5e-7)
    return frequency, z * (1 + 0.002 * (rng.normal(size=points) + 1j * rng.normal(size=points)))


def _kind(course: str, aged: bool = False) -> Kind:
    def kind(seed: int) -> Case:
        rng = np.random.default_rng(seed)
        of, is_straight = COURSES[course]
        at_centre = rng.uniform(25, 80)
        constants = {"area_cm2": 0.785, "thickness_cm": 0.04}
        made = []
        for celsius in CELSIUS:
            true = np.array([celsius + zero_Celsius + THERMOSTAT * rng.normal()])
            recorded = spectrum(*blocking(at_centre * float(of(true, rng)[0]), rng))
            made.append(
                Made("arrhenius", "pellet", f"{celsius:g} °C", recorded, {**constants, "temperature_C": celsius})
            )
        room = np.array([25 + zero_Celsius + THERMOSTAT * rng.normal()])
        before = at_centre * float(of(room, rng)[0]) * (1.3 if aged else 1.0)
        own = {**constants, "temperature_C": 25.0}
        made.append(Made("conductivity", "pellet", "pristine", spectrum(*blocking(before, rng)), own))
        state = f"{CELSIUS[0]:g} to {CELSIUS[-1]:g} °C"
        quantity = "activation_energy_of_conductivity_times_temperature"
        truths: dict[tuple[str, str, str], float | bool | None] = {
            ("pellet", state, "straight_over_inverse_temperature"): is_straight,
            ("pellet", state, quantity): 0.36 if is_straight else None,
        }
        if is_straight:
            truths["pellet", "pristine", "ionic_conductivity_agrees_with_the_line"] = not aged
        if course == "kink":
            truths |= {("pellet", "15 to 45 °C", quantity): 0.45, ("pellet", "55 to 85 °C", quantity): 0.25}
        return Case(made, truths)

    return kind


KINDS: dict[str, Kind] = {f"pellet, {course} over 1/T": _kind(course) for course in COURSES} | {
    "pellet that aged before it was heated": _kind("straight", aged=True)
}
