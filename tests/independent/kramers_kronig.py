"""Spectra that obey the Kramers-Kronig relations, and spectra that do not, with noise of several structures."""

from collections.abc import Callable

import numpy as np

from independent import Case, Kind, Made, spectrum

FASTEST, SLOWEST = 6.0, -1.0  # decades of frequency
#: Noise of one structure at all frequencies: from the impedance the standard deviations of its real and imaginary part,
#: each shape (n,).
NOISES: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]] = {
    "proportional to the modulus": lambda z: (np.abs(z), np.abs(z)),
    "constant": lambda z: (np.hypot(np.median(np.abs(z)), 0.2 * np.abs(z)),) * 2,
    "larger in the real part": lambda z: (np.abs(z), np.abs(z) / 4),
    "larger in the imaginary part": lambda z: (np.abs(z) / 3, np.abs(z)),
    "proportional to each part": lambda z: (np.abs(z.real) + 0.1 * np.abs(z), np.abs(z.imag) + 0.1 * np.abs(z)),
}


def _grown(rng: np.random.Generator, distance: np.ndarray) -> np.ndarray:
    """Two to seven times as large at an end as far from it, over the distance [decades] from this end."""
    return 1 + rng.uniform(1, 6) / np.cosh(distance / rng.uniform(0.3, 1.2)) ** 2


#: Factors by which noise in proportion to the modulus varies over the decades of frequency, each shape (n,).
VARYING: dict[str, Callable[[np.random.Generator, np.ndarray], np.ndarray]] = {
    "growing at the fast end": lambda rng, x: _grown(rng, FASTEST - x),
    "growing at the slow end": lambda rng, x: _grown(rng, x - SLOWEST),
    "growing at both ends": lambda rng, x: _grown(rng, FASTEST - x) + _grown(rng, x - SLOWEST),
    "of three current ranges": lambda rng, x: np.array([1, *np.exp(rng.uniform(-1.5, 1.5, 2))])[
        np.searchsorted(np.sort(rng.uniform(SLOWEST, FASTEST, 2)), x)
    ],
    "larger and smaller": lambda rng, x: np.exp(
        rng.uniform(0.3, 0.8) * np.sin(2 * np.pi * (x / rng.uniform(3, 6) + rng.random()))
    ),
}


def frequencies(points: int) -> np.ndarray:
    """Return frequencies [Hz] over seven decades, from the fastest."""
    return np.logspace(FASTEST, SLOWEST, points)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _arc(s: np.ndarray, rng: np.random.Generator, times: tuple[float, float], least: float = 0.7) -> np.ndarray:
    """An arc after Havriliak and Negami, which leans to one side, unlike a constant phase element's."""
    n, lean = rng.uniform(least, 1.0), rng.uniform(0.7, 1.0)
    return _log_uniform(rng, 10, 2000) / (1 + (s * _log_uniform(rng, *times)) ** n) ** lean


def _diffusion(s: np.ndarray, rng: np.random.Generator, blocked: bool) -> np.ndarray:
    root = np.sqrt(s * _log_uniform(rng, 0.1, 30))
    return _log_uniform(rng, 30, 500) * (1 / np.tanh(root) if blocked else np.tanh(root)) / root


def _line(s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A porous electrode as a transmission line: pores of a resistance, walls with an arc."""
    pore, wall = _log_uniform(rng, 20, 200), _arc(s, rng, (1e-4, 1e-1), 0.85)
    return np.sqrt(pore * wall) / np.tanh(np.sqrt(pore / wall))


#: Impedances that are analytic in the right half plane, over s = i omega.
CELLS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "several arcs": lambda s, rng: sum((_arc(s, rng, (1e-6, 1.0)) for _ in range(rng.integers(1, 4))), 0 * s),
    "steep arc": lambda s, rng: _arc(s, rng, (1e-5, 0.1), 0.97),
    "tail": lambda s, rng: _arc(s, rng, (1e-6, 1e-2)) + _log_uniform(rng, 3, 300) / s ** rng.uniform(0.4, 0.6),
    "diffusion to a sink": lambda s, rng: _arc(s, rng, (1e-6, 1e-3)) + _diffusion(s, rng, False),
    "diffusion to a wall": lambda s, rng: _arc(s, rng, (1e-6, 1e-3)) + _diffusion(s, rng, True),
    "blocking electrodes": lambda s, rng: (
        _arc(s, rng, (1e-7, 1e-5), 0.85) + 1 / (_log_uniform(rng, 1e-7, 1e-5) * s ** rng.uniform(0.85, 0.97))
    ),
    "inductive loop": lambda s, rng: _arc(s, rng, (1e-5, 1e-2), 0.8) - 9 / (1 + s * _log_uniform(rng, 0.05, 1.0)),
    "porous electrode": _line,
}


def obeying(rng: np.random.Generator, points: int, cell: str) -> np.ndarray:
    """Return the impedance [ohm] of a cell and its cable, shape (points,), without noise."""
    s = 2j * np.pi * frequencies(points)
    return _log_uniform(rng, 1, 100) + s * _log_uniform(rng, 1e-9, 1e-6) + CELLS[cell](s, rng)


def noisy(rng: np.random.Generator, z: np.ndarray, size: float | np.ndarray, noise: str) -> np.ndarray:
    """Return an impedance with noise of a relative size and a structure of NOISES or VARYING."""
    if noise in VARYING:
        size = size * VARYING[noise](rng, np.log10(frequencies(z.size)))
    real, imaginary = NOISES.get(noise, NOISES["proportional to the modulus"])(z)
    return z + size * (real * rng.normal(size=z.size) + 1j * imaginary * rng.normal(size=z.size))


def _drifting(rng: np.random.Generator, z: np.ndarray, frequency: np.ndarray) -> np.ndarray:
    """The cell grows by a fifth to two fifths over the sweep, of which the slowest points take most of the time."""
    elapsed = np.cumsum(3 / frequency)
    return z.real[0] + (z - z.real[0]) * (1 + rng.uniform(0.2, 0.4) * elapsed / elapsed[-1])


def _picked_up(rng: np.random.Generator, z: np.ndarray, frequency: np.ndarray) -> np.ndarray:
    """Mains at 50 Hz and its harmonics, in whatever phase, at the next frequency."""
    wrong = z.copy()
    for harmonic in (50, 100, 150):
        at = int(np.abs(np.log(frequency / harmonic)).argmin())
        wrong[at] += rng.uniform(0.05, 0.1) * np.abs(z[at]) * np.exp(2j * np.pi * rng.random())
    return wrong


def _one_wrong(rng: np.random.Generator, z: np.ndarray, frequency: np.ndarray) -> np.ndarray:
    """One point, neither the first nor the last, is off by a fifth."""
    wrong = z.copy()
    wrong[rng.integers(2, frequency.size - 2)] *= 1 + 0.2 * np.exp(2j * np.pi * rng.random())
    return wrong


VIOLATIONS = {"drift": _drifting, "mains": _picked_up, "wild point": _one_wrong}


def violating(rng: np.random.Generator, points: int, violation: str) -> np.ndarray:
    """Return a spectrum of two arcs [ohm] with 0.2 % noise that disobeys the relations, shape (points,)."""
    frequency = frequencies(points)
    s = 2j * np.pi * frequency
    z = 50 + _arc(s, rng, (1e-5, 1e-4), 0.85)
    z = z + rng.uniform(0.5, 1.5) * np.abs(z[-1]) / (1 + (s * _log_uniform(rng, 0.02, 0.3)) ** 0.85)
    z = VIOLATIONS[violation](rng, z, frequency)
    return noisy(rng, z, 0.002, "proportional to the modulus")


def _case(z: np.ndarray, obeys: bool) -> Case:
    recording = spectrum(frequencies(z.size), z)
    constants = {"area_cm2": 0.785, "thickness_cm": 0.04, "temperature_C": 25.0}
    made = [Made("interface", "cell", "cycle 1", recording, constants)]
    return Case(made, {("cell", "cycle 1", "obeys_kramers_kronig"): obeys})


def _obeys(points: int, noise: str) -> Kind:
    def kind(seed: int) -> Case:
        rng = np.random.default_rng(seed)
        cell = str(rng.choice(list(CELLS)))
        return _case(noisy(rng, obeying(rng, points, cell), _log_uniform(rng, 1e-3, 1e-2), noise), True)

    return kind


def _violates(points: int, violation: str) -> Kind:
    def kind(seed: int) -> Case:
        return _case(violating(np.random.default_rng(seed), points, violation), False)

    return kind


KINDS: dict[str, Kind] = (
    {f"{points} points, noise {noise}": _obeys(points, noise) for points in (25, 40, 73) for noise in NOISES}
    | {f"{points} points, noise {noise}": _obeys(points, noise) for points in (40, 73, 121) for noise in VARYING}
    | {f"{points} points, {name}": _violates(points, name) for points in (40, 73) for name in VIOLATIONS}
)
