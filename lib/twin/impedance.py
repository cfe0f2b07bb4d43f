"""Impedance of pellets and cells, and the current of a pellet at constant voltage, as a CHI 660D records them.

Sources
-------
- Bulk, grain boundaries and blocking gold on garnet pellets: T. Thompson et al., ACS Energy Lett. 2, 462 (2017), doi
  10.1021/acsenergylett.6b00593.
- Relaxation times of an interface spread log-normally, as barriers that spread normally make them: J. R. Macdonald,
  J. Appl. Phys. 61, 700 (1987), doi 10.1063/1.338222.
- Diffusion through a layer of finite thickness: D. R. Franceschetti et al., J. Phys. Chem. 95, 3508 (1991), doi
  10.1021/j100161a074.
- Polarisation of a pellet between blocking electrodes, whose slow tail is a stretched exponential: F. D. Han et al.,
  Nat. Energy 4, 187 (2019), doi 10.1038/s41560-018-0312-z.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

FREQUENCY = np.logspace(6, -1, 85)  # Hz, 12 a decade, from high to low
CABLE = 0.6e-6  # H
NOISE = 1.2e-3  # of the modulus, three times so much at the fast end and twice at the slow
DRIFT = 3e-3  # growth of the interface in the course of a sweep
SPREAD = np.linspace(-5, 5, 241)  # standard deviations of a distribution of relaxation times
OFFSET = 5e-11  # A, of the potentiostat
HUM = 2e-3  # of the current


class Process(NamedTuple):
    """A resistance [ohm] beside a capacitance whose time constant [s] spreads log-normally [ln tau]."""

    resistance: float
    time: float
    spread: float


@dataclass(frozen=True)
class Cell:
    """What lies in series between the two terminals at one moment."""

    processes: tuple[Process, ...]  # the pellet first: bulk and grain boundaries
    layer: tuple[float, float] = (0.0, 1.0)  # resistance [ohm] and time [s] of diffusion through a finite layer
    blocking: tuple[tuple[float, float], ...] = ()  # Q [S s^n] and n of each kind of patch of a blocking electrode
    storage: float = 0.0  # of ions diffusing into a thick electrode, ohm/s^0.5

    @property
    def electrolyte(self) -> float:
        """Resistance of the pellet [ohm]."""
        return sum(process.resistance for process in self.processes[:2])

    @property
    def interface(self) -> float:
        """Resistance of all that lies between the pellet and the electrodes' bulk [ohm]."""
        return sum(process.resistance for process in self.processes[2:]) + self.layer[0]

    @property
    def total(self) -> float:
        """Resistance to direct current, without what a thick or a blocking electrode adds [ohm]."""
        return self.electrolyte + self.interface


class Spectrum(NamedTuple):
    """A sweep: frequency [Hz] and impedance [ohm]."""

    frequency: np.ndarray
    impedance: np.ndarray


class Transient(NamedTuple):
    """Current [A] over time [s] at a constant voltage [V]."""

    time: np.ndarray
    current: np.ndarray
    voltage: float


def impedance(cell: Cell, frequency: np.ndarray) -> np.ndarray:
    """Impedance [ohm] of a cell that does not change."""
    return _pellet(cell, frequency) + _interface(cell, frequency)


def sweep(cell: Cell, *, seed: int) -> Spectrum:
    """Record a sweep from 1 MHz to 0.1 Hz, in the course of which the interface drifts."""
    rng = np.random.default_rng(seed)
    elapsed = np.cumsum(2 + 3 / FREQUENCY)
    drift = 1 + DRIFT * elapsed / elapsed[-1] * rng.normal(0, 1)
    z = _pellet(cell, FREQUENCY) + drift * _interface(cell, FREQUENCY) + 2j * np.pi * FREQUENCY * CABLE
    size = NOISE * (1 + 2 * (FREQUENCY / 1e6) + 1 / (1 + FREQUENCY / 0.3)) * np.abs(z)
    return Spectrum(FREQUENCY, z + size * (rng.normal(size=z.size) + 1j * rng.normal(size=z.size)))


def transient(steady: float, decays: tuple[tuple[float, float, float], ...], *, seed: int) -> Transient:
    """Record for an hour at 1 V: the steady current [A], and stretched decays (current [A], time [s], exponent)."""
    rng = np.random.default_rng(seed)
    time = np.arange(1.0, 3601.0)
    current = steady + sum(size * np.exp(-((time / tau) ** beta)) for size, tau, beta in decays)
    wander = np.zeros(time.size)
    for at, kick in enumerate(rng.normal(size=time.size - 1), start=1):  # correlated over a minute
        wander[at] = wander[at - 1] * np.exp(-1 / 60) + kick * np.sqrt(1 - np.exp(-2 / 60))
    noise = HUM * current * (0.6 * wander + rng.normal(size=time.size)) + rng.normal(0, OFFSET)
    return Transient(time, current + noise, 1.0)


def _distributed(process: Process, s: np.ndarray) -> np.ndarray:
    share = np.exp(-(SPREAD**2) / 2)
    times = process.time * np.exp(process.spread * SPREAD)
    return process.resistance * ((share / share.sum()) / (1 + s[:, None] * times)).sum(axis=1)


def _pellet(cell: Cell, frequency: np.ndarray) -> np.ndarray:
    s = 2j * np.pi * frequency
    return sum(_distributed(process, s) for process in cell.processes[:2])


def _interface(cell: Cell, frequency: np.ndarray) -> np.ndarray:
    s = 2j * np.pi * frequency
    z = sum((_distributed(process, s) for process in cell.processes[2:]), np.zeros(s.size, complex))
    resistance, time = cell.layer
    z += resistance * np.tanh(np.sqrt(s * time)) / np.sqrt(s * time)
    z += cell.storage / np.sqrt(s)
    if cell.blocking:
        z += 1 / sum(q * s**n for q, n in cell.blocking)
    return z
