"""Symmetric cells with lithium electrodes whose arcs are not where a boundary expects them.

Written without coldbond and without lib/twin. Grain boundaries relax as Davidson and Cole (1951, doi 10.1063/1.1748105)
describe, interfaces as Havriliak and Negami (1967, doi 10.1016/0032-3861(67)90021-3) or with times that are spread
evenly over a range of their logarithm (Froehlich 1949, Theory of Dielectrics). Each cell has other dimensions, its
pellet between blocking electrodes is another one of the same batch, and both are measured with errors.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.constants import e, epsilon_0, k, zero_Celsius

from independent import Case, Made

BATCH = 0.03  # standard deviation of the resistivity from pellet to pellet
SAMPLE, STATE = "oxide", "cycle 1"


class Electrolyte(NamedTuple):
    """Pellet: resistivities [ohm cm] of bulk and grain boundaries at 25 C, their energies [eV] and capacitance."""

    bulk: float
    boundary: float
    energies: tuple[float, float]
    capacitance: float  # of the grain boundaries, F/cm
    asymmetry: float
    area: float  # cm2
    thickness: float  # cm

    def impedance(self, s: np.ndarray, celsius: float = 25.0) -> np.ndarray:
        bulk, boundary = self.resistances(celsius)
        dielectric = 45 * epsilon_0 / 100 * self.area / self.thickness
        times = boundary * self.capacitance * self.area / self.thickness
        return bulk / (1 + s * bulk * dielectric) + boundary / (1 + s * times) ** self.asymmetry

    def resistances(self, celsius: float = 25.0) -> tuple[float, float]:
        inverse = 1 / (celsius + zero_Celsius) - 1 / (25 + zero_Celsius)
        kelvin = celsius + zero_Celsius
        warm = [np.exp(energy * e / k * inverse) * kelvin / 298.15 for energy in self.energies]
        geometry = self.thickness / self.area
        return self.bulk * geometry * warm[0], self.boundary * geometry * warm[1]

    def total(self, celsius: float = 25.0) -> float:
        return float(sum(self.resistances(celsius)))


def havriliak_negami(resistance: float, time: float, alpha: float, beta: float, s: np.ndarray) -> np.ndarray:
    return resistance / (1 + (s * time) ** alpha) ** beta


def even(resistance: float, first: float, last: float, s: np.ndarray) -> np.ndarray:
    """Relaxation times that are spread evenly over the logarithm between two."""
    return resistance * np.log((1 + 1 / (s * first)) / (1 + 1 / (s * last))) / np.log(last / first)


def normal(resistance: float, time: float, width: float, s: np.ndarray) -> np.ndarray:
    """Barriers that spread normally: Gauss and Hermite's quadrature over ln(time)."""
    at, weight = np.polynomial.hermite_e.hermegauss(81)
    return resistance * ((weight / weight.sum()) / (1 + s[:, None] * time * np.exp(width * at))).sum(axis=1)


def frequencies(points: int = 71, highest: float = 1e6) -> np.ndarray:
    return np.geomspace(highest, 0.1, points)


def elapsed(frequency: np.ndarray) -> np.ndarray:
    """Share of the sweep's time: two periods of each frequency and half a second."""
    time = np.cumsum(0.5 + 2 / frequency)
    return time / time[-1]


def noisy(z: np.ndarray, rng: np.random.Generator, relative: float) -> np.ndarray:
    """Noise of voltage and current: a share of the modulus, doubled where the current range changes last."""
    size = relative * np.abs(z) * np.where(np.arange(z.size) > 0.8 * z.size, 1.6, 1.0)
    return z + size * (rng.normal(size=z.size) + 1j * rng.normal(size=z.size))


def recording(frequency: np.ndarray, z: np.ndarray) -> xr.Dataset:
    rounded = [complex(float(f"{one.real:.5g}"), float(f"{one.imag:.5g}")) for one in z]
    return xr.Dataset(
        {"impedance": ("frequency", np.array(rounded), {"units": "ohm", "long_name": "impedance"})},
        {"frequency": ("frequency", frequency, {"units": "Hz", "long_name": "frequency"})},
        {"technique": "eis"},
    )


def electrolyte(rng: np.random.Generator) -> Electrolyte:
    resistivity = 1 / np.exp(rng.uniform(np.log(2.5e-4), np.log(9e-4)))
    share = rng.uniform(0.08, 0.35)
    return Electrolyte(
        bulk=resistivity * (1 - share),
        boundary=resistivity * share,
        energies=(rng.uniform(0.32, 0.40), rng.uniform(0.38, 0.48)),
        capacitance=np.exp(rng.uniform(np.log(2e-10), np.log(2e-9))),
        asymmetry=rng.uniform(0.75, 0.95),
        area=rng.uniform(0.4, 1.2),
        thickness=rng.uniform(0.04, 0.12),
    )


def another_pellet(of: Electrolyte, rng: np.random.Generator) -> Made:
    """A pellet of the same batch between blocking electrodes at 25 C, of another size."""
    factor = 1 + BATCH * rng.normal()
    own = of._replace(
        bulk=of.bulk * factor,
        boundary=of.boundary * factor,
        area=rng.uniform(0.4, 1.2),
        thickness=rng.uniform(0.04, 0.12),
    )
    frequency = frequencies(71)
    s = 2j * np.pi * frequency
    blocking = 1 / (own.area * (1.5e-6 * s**0.9 + 4e-7 * s**0.75))
    z = noisy(own.impedance(s) + blocking + s * 5e-7, rng, 1.5e-3)
    return Made("conductivity", SAMPLE, "pristine", recording(frequency, z), measured(own, rng))


def measured(of: Electrolyte, rng: np.random.Generator, celsius: float = 25.0) -> dict[str, float]:
    """Constants as the manifest states them, with the errors of ruler and micrometer."""
    return {
        "area_cm2": of.area * (1 + 0.01 * rng.normal()),
        "thickness_cm": of.thickness + 5e-4 * rng.normal(),
        "temperature_C": celsius,
    }


class Draw(NamedTuple):
    """What the kinds share: a generator, an electrolyte, and the interface's resistance and capacitance."""

    rng: np.random.Generator
    of: Electrolyte
    resistance: float  # ohm, both interfaces
    capacitance: float  # F, of one
    shape: tuple[float, float]

    def arc(self, s: np.ndarray, share: float = 1.0, slower: float = 1.0) -> np.ndarray:
        size = share * self.resistance
        return havriliak_negami(size, size * self.capacitance / 2 * slower, *self.shape, s)


def draw(seed: int, kind: int, micro: tuple[float, float] = (0.6, 5.0)) -> Draw:
    """Draw a cell; `micro` is the range of the capacitance of one interface, uF/cm2."""
    rng = np.random.default_rng([seed, kind])
    of = electrolyte(rng)
    capacitance = 1e-6 * np.exp(rng.uniform(*np.log(micro))) * of.area
    resistance = np.exp(rng.uniform(np.log(60), np.log(700))) / of.area
    return Draw(rng, of, resistance, capacitance, (rng.uniform(0.82, 0.97), rng.uniform(0.8, 1.0)))


def case(
    by: Draw,
    frequency: np.ndarray,
    z: np.ndarray,
    interface: float | None,
    total: float | None,
    celsius: float = 25.0,
    pellet: bool = True,
    noise: float = 1.5e-3,
    errors: np.ndarray | float = 0.0,
) -> Case:
    """A cell and its pellet; `z` is without cable and noise, `errors` [ohm] are added to what is recorded."""
    cable = by.rng.uniform(2e-7, 9e-7) * 2j * np.pi * frequency
    one = recording(frequency, noisy(z + cable, by.rng, noise) + errors)
    made = [Made("interface", SAMPLE, STATE, one, measured(by.of, by.rng, celsius))]
    if pellet:
        made.append(another_pellet(by.of, by.rng))
    truths: dict = {(SAMPLE, STATE, "interface_resistance"): interface}
    if total is not None:
        truths[SAMPLE, STATE, "total_resistance"] = total
    return Case(made, truths)


def ordinary(seed: int) -> Case:
    by = draw(seed, 0)
    frequency = frequencies()
    s = 2j * np.pi * frequency
    z = by.of.impedance(s) + by.arc(s, 0.55) + by.arc(s, 0.45, 1.8)
    return case(by, frequency, z, by.resistance, by.of.total() + by.resistance)


def without_pellet(seed: int) -> Case:
    by = draw(seed, 1)
    frequency = frequencies()
    s = 2j * np.pi * frequency
    z = by.of.impedance(s) + by.arc(s, 0.55) + by.arc(s, 0.45, 1.8)
    return case(by, frequency, z, by.resistance, by.of.total() + by.resistance, pellet=False)


def one_arc(seed: int) -> Case:
    """Hot-pressed, without grain boundaries to speak of: one arc, that of the interface."""
    by = draw(seed, 2)
    by = by._replace(of=by.of._replace(bulk=by.of.bulk + by.of.boundary, boundary=1e-3 * by.of.bulk))
    frequency = frequencies()
    s = 2j * np.pi * frequency
    return case(by, frequency, by.of.impedance(s) + by.arc(s), by.resistance, by.of.total() + by.resistance)


def fast(seed: int) -> Case:
    """Contact in few places: 3 to 60 nF/cm2, so that the arc lies where grain boundaries are expected."""
    by = draw(seed, 3, (0.003, 0.06))
    frequency = frequencies()
    s = 2j * np.pi * frequency
    return case(by, frequency, by.of.impedance(s) + by.arc(s), by.resistance, by.of.total() + by.resistance)


def fast_without_pellet(seed: int) -> Case:
    by = draw(seed, 4, (0.003, 0.06))
    frequency = frequencies()
    s = 2j * np.pi * frequency
    z = by.of.impedance(s) + by.arc(s)
    return case(by, frequency, z, by.resistance, by.of.total() + by.resistance, pellet=False)


def cold(seed: int) -> Case:
    """At -30 to -5 C the grain boundaries relax in microseconds to a millisecond."""
    by = draw(seed, 5)
    celsius = by.rng.uniform(-30, -5)
    by = by._replace(resistance=by.resistance * 8)
    frequency = frequencies()
    s = 2j * np.pi * frequency
    z = by.of.impedance(s, celsius) + by.arc(s, 0.6) + by.arc(s, 0.4, 2.0)
    return case(by, frequency, z, by.resistance, by.of.total(celsius) + by.resistance, celsius)


def unequal(seed: int) -> Case:
    """One interface wets well and is fast, the other is poor and slow."""
    by = draw(seed, 6)
    share, slower = by.rng.uniform(0.05, 0.25), by.rng.uniform(0.03, 0.3)
    frequency = frequencies()
    s = 2j * np.pi * frequency
    z = by.of.impedance(s) + by.arc(s, share, slower) + by.arc(s, 1 - share, 2.0)
    return case(by, frequency, z, by.resistance, by.of.total() + by.resistance)


def tail(seed: int) -> Case:
    """Semi-infinite diffusion, which has no resistance to direct current: the truth is that of the arcs."""
    by = draw(seed, 7)
    frequency = frequencies()
    s = 2j * np.pi * frequency
    diffusion = by.rng.uniform(0.05, 0.6) * by.resistance * np.sqrt(2 * np.pi * 0.1)
    z = by.of.impedance(s) + by.arc(s, 0.55) + by.arc(s, 0.45, 1.8) + diffusion / np.sqrt(s)
    return case(by, frequency, z, by.resistance, by.of.total() + by.resistance)


def loop(seed: int) -> Case:
    """An inductive loop at low frequencies: no one resistance is that of the interface."""
    by = draw(seed, 8)
    frequency = frequencies()
    s = 2j * np.pi * frequency
    back = by.rng.uniform(0.1, 0.4) * by.resistance
    z = by.of.impedance(s) + by.arc(s) - back / (1 + s * by.rng.uniform(0.3, 1.5))
    return case(by, frequency, z, None, None)


def leak(seed: int) -> Case:
    """A filament in parallel carries a share of the current: less resistance than the electrolyte's own."""
    by = draw(seed, 9)
    frequency = frequencies()
    s = 2j * np.pi * frequency
    beside = by.rng.uniform(0.2, 2.5) * by.of.total()
    return case(by, frequency, 1 / (1 / (by.of.impedance(s) + by.arc(s)) + 1 / beside), None, None)


def few_points(seed: int) -> Case:
    by = draw(seed, 10)
    frequency = frequencies(20)
    s = 2j * np.pi * frequency
    z = by.of.impedance(s) + by.arc(s, 0.55) + by.arc(s, 0.45, 1.8)
    return case(by, frequency, z, by.resistance, by.of.total() + by.resistance)


def drift(seed: int) -> Case:
    """The interface changes by 3 to 9 % during the sweep; the truth is that of half of the time."""
    by = draw(seed, 11)
    frequency = frequencies()
    s = 2j * np.pi * frequency
    change = by.rng.choice([-1, 1]) * by.rng.uniform(0.03, 0.09)
    z = by.of.impedance(s) + (by.arc(s, 0.55) + by.arc(s, 0.45, 1.8)) * (1 + change * (elapsed(frequency) - 0.5))
    return case(by, frequency, z, by.resistance, by.of.total() + by.resistance)


def wide(seed: int) -> Case:
    """Log-normally or evenly spread times over two to four decades."""
    by = draw(seed, 12)
    frequency = frequencies()
    s = 2j * np.pi * frequency
    time = by.resistance * by.capacitance / 2
    if seed % 2:
        z = normal(by.resistance, 2 * time, by.rng.uniform(1.2, 1.9), s)
    else:
        z = even(by.resistance, time / by.rng.uniform(3, 10), time * by.rng.uniform(3, 20), s)
    return case(by, frequency, z + by.of.impedance(s), by.resistance, by.of.total() + by.resistance)


def mains(seed: int) -> Case:
    """Pick-up at 50 Hz and its harmonics, narrower the more periods are averaged."""
    by = draw(seed, 13)
    frequency = frequencies()
    s = 2j * np.pi * frequency
    z = by.of.impedance(s) + by.arc(s, 0.55) + by.arc(s, 0.45, 1.8)
    errors = np.zeros(frequency.size, complex)
    for harmonic, size in ((1, by.rng.uniform(0.02, 0.2)), (2, 0.01), (3, by.rng.uniform(0.005, 0.05))):
        distance = np.abs(frequency / (50 * harmonic) - 1)
        phase = np.exp(2j * np.pi * by.rng.uniform(size=frequency.size))
        errors += size * np.abs(z) * phase * np.exp(-((distance / 0.12) ** 2))
    return case(by, frequency, z, by.resistance, by.of.total() + by.resistance, errors=errors)


KINDS: dict[str, Callable[[int], Case]] = {
    "interface: ordinary": ordinary,
    "interface: ordinary, without a pellet": without_pellet,
    "interface: one arc": one_arc,
    "interface: fast": fast,
    "interface: fast, without a pellet": fast_without_pellet,
    "interface: cold": cold,
    "interface: two that are unequal": unequal,
    "interface: diffusion tail": tail,
    "interface: inductive loop": loop,
    "interface: leak": leak,
    "interface: 20 points": few_points,
    "interface: drift during the sweep": drift,
    "interface: wide distribution": wide,
    "interface: mains pick-up": mains,
}
