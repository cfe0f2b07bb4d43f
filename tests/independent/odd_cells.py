"""A few cells of other labs, each with one flaw: shorted from the start, very thin, held at a voltage, and so on."""

import numpy as np

from independent import Case, Kind, Made, cycling, spectrum

AREA, THICKNESS = 0.5, 0.05  # cm2, cm
CONSTANTS = {"area_cm2": AREA, "thickness_cm": THICKNESS, "temperature_C": 25.0}
LIMIT = 0.25  # V


def _ladder(seed: int, resistance: float, last: int, fails: int | None, constants: dict, held: bool = False) -> Case:
    """A current that rises by 0.1 mA/cm2 a step, ten minutes each way; it shorts in step `fails`, within the charge."""
    rng = np.random.default_rng(seed)
    within = np.arange(0.0, 600.0, 10.0)
    time, voltage, current, number = [], [], [], 0
    for step in range(1, last + 1):
        for sign in (1, -1):
            density = np.full(within.size, 1e-4 * step)
            ohms = resistance * (1 + 0.05 * np.tanh(within / 60))
            shorted = fails is not None and (step > fails or (step == fails and sign < 0))
            if step == fails and sign > 0:
                shorted = within > 300
            volt = density * np.where(shorted, 1.0, ohms)
            if held and volt.max() > LIMIT:
                density = np.minimum(density, density * LIMIT / volt * np.exp(-within / 2000))
                volt = np.minimum(volt, LIMIT)
            time.append(within + 600.0 * number)
            voltage.append(sign * volt)
            current.append(sign * density * AREA)
            number += 1
    volt = np.concatenate(voltage)
    recording = cycling(np.concatenate(time), volt + 1e-4 * rng.standard_normal(volt.size), np.concatenate(current))
    sustained = (last if fails is None else fails - 1) * 0.1
    truths = {
        "critical_current_density": sustained,
        "time_of_failure": (fails - 1) / 3 + 1 / 12 if fails else np.inf,
    }
    return _one("ccd", recording, constants, truths)


def _one(role: str, recording, constants: dict, truths: dict, sample: str = "A", state: str = "pristine") -> Case:
    return Case([Made(role, sample, state, recording, constants)], {(sample, state, k): v for k, v in truths.items()})


def dead_cell(seed: int) -> Case:
    """Shorted before the test began: half an ohm cm2 at every current."""
    case = _ladder(seed, 0.5, 5, None, CONSTANTS)
    truths = {"critical_current_density": 0.0, "time_of_failure": 0.0, "charge_passed_until_failure": 0.0}
    return case._replace(truths={("A", "pristine", name): value for name, value in truths.items()})


def thin_cell(seed: int) -> Case:
    """A sound electrolyte of 20 um, of 7 ohm cm2 with its interfaces, that shorts at 0.8 mA/cm2."""
    return _ladder(seed, 7.0, 10, 8, CONSTANTS | {"thickness_cm": 0.002})


def held_voltage(seed: int) -> Case:
    """A tester that holds its limit of 0.25 V while the current tapers, from 0.7 mA/cm2 on."""
    case = _ladder(seed, 370.0, 9, None, CONSTANTS, held=True)
    return case._replace(truths={("A", "pristine", "critical_current_density"): 0.6})


def tail(seed: int) -> Case:
    """A spectrum with a semi-infinite diffusion behind its arcs."""
    return _spectrum(seed, tail=20.0)


def _spectrum(seed: int, tail: float) -> Case:
    rng = np.random.default_rng(seed)
    frequency = np.geomspace(1e6, 0.1, 57)
    s = 2j * np.pi * frequency
    interface = rng.uniform(200, 400)
    z = 80 + interface / (1 + (s * interface * 2e-6) ** 0.85) + tail / np.sqrt(s)
    z *= 1 + 1e-3 * (rng.standard_normal(s.size) + 1j * rng.standard_normal(s.size))
    truths = {"interface_resistance": interface, "total_resistance": 80 + interface}
    return _one("interface", spectrum(frequency, z), CONSTANTS, truths, state="cycle 1")


KINDS: dict[str, Kind] = {
    "dead cell": dead_cell,
    "thin cell": thin_cell,
    "held voltage": held_voltage,
    "diffusion tail": tail,
}
