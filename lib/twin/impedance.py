"""Impedance of pellets and cells, and the current of a pellet at constant voltage, as a CHI 660D records them.

The impedance is that of the pellet (bulk and grain boundaries) in series with the interfaces, a diffusion layer, the
storage in a thick electrode and the capacitance of blocking electrodes. Every relaxation has a log-normal distribution
of times, so that no arc is the ZARC that the analysis fits. A sweep adds the inductance of the cables, a drift of the
interfaces while it runs, and noise in proportion to |Z|.

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
NOISE = 1.2e-3  # of the modulus; three times as much at the high end and twice at the low
DRIFT = 3e-3  # relative change of the interface during a sweep, standard deviation
SPREAD = np.linspace(-5, 5, 241)  # standard deviations of a distribution of relaxation times
OFFSET = 5e-11  # A, of the potentiostat
HUM = 2e-3  # of the current


class Process(NamedTuple):
    """A resistance [ohm] in parallel with a capacitance, whose time constant [s] has a log-normal distribution.

    `spread` is the standard deviation of ln(time).
    """

    resistance: float
    time: float
    spread: float


@dataclass(frozen=True)
class Cell:
    """The elements in series between the two terminals."""

    processes: tuple[Process, ...]  # the pellet first: bulk and grain boundaries
    layer: tuple[float, float] = (0.0, 1.0)  # resistance [ohm] and time [s] of diffusion through a finite layer
    blocking: tuple[tuple[float, float], ...] = ()  # Q [S s^n] and n of each kind of patch of a blocking electrode
    storage: float = 0.0  # of ions diffusing into a thick electrode, ohm/s^0.5

    @property
    def electrolyte(self) -> float:
        """Resistance [ohm] of the pellet."""
        return sum(process.resistance for process in self.processes[:2])

    @property
    def interface(self) -> float:
        """Resistance [ohm] of the interfaces, with the diffusion layer."""
        return sum(process.resistance for process in self.processes[2:]) + self.layer[0]

    @property
    def total(self) -> float:
        """Resistance [ohm] to direct current, without thick or blocking electrodes."""
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
    """Return the impedance [ohm] of a cell that does not change."""
    return _pellet(cell, frequency) + _interface(cell, frequency)


def sweep(cell: Cell, *, seed: int) -> Spectrum:
    """Record a sweep from 1 MHz to 0.1 Hz, during which the interface drifts."""
    rng = np.random.default_rng(seed)
    elapsed = np.cumsum(2 + 3 / FREQUENCY)  # s: three periods of each frequency, and overhead
    drift = 1 + DRIFT * elapsed / elapsed[-1] * rng.normal(0, 1)
    z = _pellet(cell, FREQUENCY) + drift * _interface(cell, FREQUENCY) + 2j * np.pi * FREQUENCY * CABLE
    size = NOISE * (1 + 2 * (FREQUENCY / 1e6) + 1 / (1 + FREQUENCY / 0.3)) * np.abs(z)
    return Spectrum(FREQUENCY, z + size * (rng.normal(size=z.size) + 1j * rng.normal(size=z.size)))


def transient(steady: float, decays: tuple[tuple[float, float, float], ...], *, seed: int) -> Transient:
    """Record for an hour at 1 V: the steady current [A], and stretched decays (current [A], time [s], exponent)."""
    rng = np.random.default_rng(seed)
    time = np.arange(1.0, 3601.0)
    # Stretched exponentials (Kohlrausch): the polarisation of an inhomogeneous pellet has a wide range of times.
    current = steady + sum(size * np.exp(-((time / tau) ** beta)) for size, tau, beta in decays)
    wander = np.zeros(time.size)
    for at, kick in enumerate(rng.normal(size=time.size - 1), start=1):  # correlated over a minute
        wander[at] = wander[at - 1] * np.exp(-1 / 60) + kick * np.sqrt(1 - np.exp(-2 / 60))
    noise = HUM * current * (0.6 * wander + rng.normal(size=time.size)) + rng.normal(0, OFFSET)
    return Transient(time, current + noise, 1.0)


def _distributed(process: Process, s: np.ndarray) -> np.ndarray:
    """Return the impedance of a process at s = i omega: the sum of relaxations over the distribution of times."""
    share = np.exp(-(SPREAD**2) / 2)
    times = process.time * np.exp(process.spread * SPREAD)
    return process.resistance * ((share / share.sum()) / (1 + s[:, None] * times)).sum(axis=1)


def _pellet(cell: Cell, frequency: np.ndarray) -> np.ndarray:
    """Return the impedance of bulk and grain boundaries."""
    s = 2j * np.pi * frequency
    return sum((_distributed(process, s) for process in cell.processes[:2]), np.zeros(s.size, complex))


def _interface(cell: Cell, frequency: np.ndarray) -> np.ndarray:
    """Return the impedance of interfaces and electrodes."""
    s = 2j * np.pi * frequency
    z = sum((_distributed(process, s) for process in cell.processes[2:]), np.zeros(s.size, complex))
    resistance, time = cell.layer
    # Finite-length diffusion (transmissive), semi-infinite diffusion, constant-phase elements in parallel.
    z += resistance * np.tanh(np.sqrt(s * time)) / np.sqrt(s * time)
    z += cell.storage / np.sqrt(s)
    if cell.blocking:
        z += 1 / sum(q * s**n for q, n in cell.blocking)
    return z
