"""Cells whose low-frequency end is diffusion or a porous electrode, or returns: a leak, an inductive loop.

Written without coldbond and without lib/twin. No element is the one that is fitted: interfaces relax as Davidson and
Cole (1951, doi 10.1063/1.1748105) describe, or with times between two ends; layers in which a salt diffuses are not of
one thickness; a porous electrode is a ladder of sections whose pores narrow towards the current collector.
"""

import numpy as np

from independent import Case, Kind, Made, spectrum

SAMPLE, STATE = "polymer", "cycle 1"
CONSTANTS = {"area_cm2": 1.13, "thickness_cm": 0.02, "temperature_C": 60.0}
SECTIONS = 400  # of the ladder of a porous electrode
THICKNESSES = np.linspace(-2.5, 2.5, 41)  # standard deviations of the thickness of a layer


def davidson_cole(resistance: float, time: float, exponent: float, s: np.ndarray) -> np.ndarray:
    return resistance / (1 + s * time) ** exponent


def between(resistance: float, first: float, last: float, s: np.ndarray) -> np.ndarray:
    """Relaxation times spread evenly over their logarithm between two (Froehlich 1949, Theory of Dielectrics)."""
    return resistance * np.log((1 + 1 / (s * first)) / (1 + 1 / (s * last))) / np.log(last / first)


def layer(resistance: float, time: float, spread: float, s: np.ndarray, *, is_open: bool) -> np.ndarray:
    """Diffusion through layers of unequal thickness side by side, each with its share of the area."""
    thickness = 1 + spread * THICKNESSES
    share = np.exp(-(THICKNESSES**2) / 2)
    x = np.sqrt(s[:, None] * time) * thickness
    one = thickness * (np.tanh(x) / x) if not is_open else thickness / (np.tanh(x) * x)
    return resistance / ((share / share.sum()) / one).sum(axis=1)


def porous(pores: float, interface: np.ndarray, narrowing: float) -> np.ndarray:
    """A ladder: the ions pass the sections of the pore one after the other; each has its interface to the electrode."""
    at = (np.arange(SECTIONS) + 0.5) / SECTIONS
    weight = np.exp(narrowing * at)
    z = np.full(interface.shape, np.inf + 0j)
    for share in (pores * weight / weight.sum())[::-1]:
        z = share / 2 + 1 / (1 / (interface * SECTIONS) + 1 / (share / 2 + z))
    return z


class Cell:
    """What the kinds share: a generator, frequencies, an electrolyte and an interface."""

    def __init__(self, seed: int, kind: int, lowest: float = 0.01) -> None:
        self.rng = np.random.default_rng([seed, kind])
        self.frequency = np.geomspace(1e6, lowest, 10 * round(np.log10(1e6 / lowest)) + 1)
        self.s = 2j * np.pi * self.frequency
        self.bulk = self.rng.uniform(10, 60)
        self.resistance = float(np.exp(self.rng.uniform(np.log(80), np.log(500))))
        self.time = self.resistance * np.exp(self.rng.uniform(np.log(0.5e-6), np.log(5e-6)))
        if self.rng.random() < 0.5:
            arc = davidson_cole(self.resistance, self.time, self.rng.uniform(0.7, 0.95), self.s)
        else:
            wide = np.exp(self.rng.uniform(0.5, 1.8))
            arc = between(self.resistance, self.time / wide, self.time * wide, self.s)
        self.z = self.bulk + arc + self.s * 3e-7

    def case(self, tail: np.ndarray, interface: float | None, role: str = "interface") -> Case:
        """The recording with 0.1 to 0.3 % of noise, and the truths: interface, and with the electrolyte the total."""
        z = self.z + tail
        size = self.rng.uniform(1e-3, 3e-3) * np.abs(z)
        z = z + size * (self.rng.normal(size=z.size) + 1j * self.rng.normal(size=z.size))
        made = Made(role, SAMPLE, STATE, spectrum(self.frequency, z), CONSTANTS)
        total = None if interface is None else self.bulk + interface
        truths = {"interface_resistance": interface, "total_resistance": total}
        return Case([made], {(SAMPLE, STATE, quantity): value for quantity, value in truths.items()})


def short(seed: int) -> Case:
    """A salt that diffuses between two electrodes that it reacts at: the resistance of diffusion is no interface's."""
    by = Cell(seed, 1)
    size, time = by.rng.uniform(0.3, 1.2) * by.resistance, np.exp(by.rng.uniform(np.log(3), np.log(60)))
    return by.case(layer(size, time, by.rng.uniform(0, 0.08), by.s, is_open=False), by.resistance)


def blocked(seed: int) -> Case:
    """Ions that diffuse into a layer with a wall behind it."""
    by = Cell(seed, 2)
    size, time = by.rng.uniform(0.3, 1.2) * by.resistance, np.exp(by.rng.uniform(np.log(2), np.log(60)))
    return by.case(layer(size, time, by.rng.uniform(0, 0.15), by.s, is_open=True), by.resistance)


def infinite(seed: int) -> Case:
    by = Cell(seed, 3, lowest=0.1)
    return by.case(by.rng.uniform(0.02, 1.5) * by.resistance / np.sqrt(by.s), by.resistance)


def porous_electrode(seed: int) -> Case:
    """A full cell: lithium with an arc, a porous electrode in whose particles lithium diffuses."""
    by = Cell(seed, 4, lowest=0.05)
    transfer, pores = by.rng.uniform(20, 120), by.rng.uniform(20, 150)
    narrowing = by.rng.uniform(0, 0.6)

    def own(s: np.ndarray) -> np.ndarray:
        return porous(pores, davidson_cole(transfer, transfer * time, 0.92, s), narrowing)

    time = np.exp(by.rng.uniform(np.log(2e-4), np.log(2e-3)))
    particles = by.rng.uniform(0.05, 0.3) * transfer / np.sqrt(by.s)
    whole = float(own(np.array([1e-9j]))[0].real)
    return by.case(own(by.s) + particles, by.resistance + whole, "full-cell-interface")


def leak(seed: int) -> Case:
    """Electrons pass beside a cell with diffusion: what looks like the end of the diffusion layer is the leak.

    A piece of the same electrolyte between blocking electrodes shows that the cell has less resistance than that.
    """
    by = Cell(seed, 5)
    tail = by.rng.uniform(0.3, 1.0) * by.resistance / np.sqrt(by.s)
    beside = by.rng.uniform(0.3, 2.5) * by.bulk
    whole = by.z + tail
    case = by.case(1 / (1 / whole + 1 / beside) - by.z, None)
    piece = by.bulk * (1 + 0.02 * by.rng.normal()) + 1 / (1e-5 * by.s**0.9) + by.s * 3e-7
    piece = piece * (1 + 1e-3 * (by.rng.normal(size=by.s.size) + 1j * by.rng.normal(size=by.s.size)))
    blocking = Made("conductivity", SAMPLE, "pristine", spectrum(by.frequency, piece), CONSTANTS)
    return Case([*case.made, blocking], case.truths)


def loop(seed: int) -> Case:
    """A slow reaction that follows the voltage with delay: an inductive loop at low frequency."""
    by = Cell(seed, 6)
    back = by.rng.uniform(0.1, 0.4) * by.resistance
    return by.case(-back / (1 + by.s * np.exp(by.rng.uniform(np.log(0.3), np.log(5)))), None)


KINDS: dict[str, Kind] = {
    "tail: diffusion between two electrodes": short,
    "tail: diffusion to a wall": blocked,
    "tail: semi-infinite diffusion": infinite,
    "tail: porous electrode": porous_electrode,
    "tail: leak": leak,
    "tail: inductive loop": loop,
}
