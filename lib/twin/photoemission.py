"""Photoelectron spectra of layered surfaces: natural lines, inelastic losses of electrons from every depth, counting.

Electrons of a level start at depths z and lose energy in n inelastic scatterings, n Poisson-distributed with mean z /
path (Tougaard 1988, Surf. Interface Anal. 11, 453, doi 10.1002/sia.740110902). The background is therefore not added to
the peaks: it consists of the same electrons after their losses, and its shape depends on the depth they come from.
Lines are Voigt profiles, with the asymmetry of a metal by Mahan's form and a tail from uneven charging.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from scipy.special import gammainc, voigt_profile

from twin.tester import rng

PHOTON_ENERGY = 1486.68  # eV, Al K-alpha
XRAY_WIDTH = 0.26  # eV, Gaussian FWHM behind the monochromator
ANALYSER_WIDTH = 0.015  # Gaussian FWHM per pass energy
CUT_OFF = 4.0  # eV, largest energy of electron-hole pairs that a core hole excites: about the width of the band
GRID = 0.025  # eV
MARGIN = 14.0  # eV below a scan from which wings of lines still reach into it
FARTHEST_LOSS = 250.0  # eV, over which the loss probability is normalised
SIGMA = 2 * np.sqrt(2 * np.log(2))  # FWHM of a Gaussian of standard deviation 1

Energy = TypeVar("Energy", float, np.ndarray)


@dataclass(frozen=True)
class Level:
    """A core level: cross-section relative to C 1s, Lorentzian FWHM [eV] of each spin-orbit partner, higher j first."""

    name: str
    cross_section: float
    lorentzian: tuple[float, ...]
    splitting: float = 0.0  # eV
    share: float = 1.0  # of the first partner in the area of both


@dataclass(frozen=True)
class Line:
    """A chemical state of a level."""

    level: Level
    name: str
    position: float  # eV, of the first partner, on the scale that has C-C at 284.8
    amount: float  # atoms in the unit that `Surface.flux` counts
    gaussian: float  # eV, FWHM of phonons and disorder
    asymmetry: float = 0.0  # singularity index of a metal
    layer: tuple[float, float] = (0.0, np.inf)  # nm below the carbon, or of the carbon itself
    in_carbon: bool = False


@dataclass(frozen=True)
class Medium:
    """A medium in which electrons lose energy: a gap, and oscillators (energy [eV], width [eV], strength)."""

    gap: float  # eV
    oscillators: tuple[tuple[float, float, float], ...]
    path: float  # nm, mean free path at 1 keV


@dataclass(frozen=True)
class Scan:
    """The settings of one region; binding energies [eV] are those that the instrument shows."""

    region: str
    low: float
    high: float
    step: float
    sweeps: int
    dwell: float  # s
    fine: tuple[float, float] | None = None  # eV, outside which only every fourth point is measured


@dataclass(frozen=True)
class Surface:
    """A sample in the spectrometer."""

    medium: Medium
    lines: tuple[Line, ...]
    scans: tuple[Scan, ...]
    carbon: float = 1.0  # nm of adventitious carbon
    carbon_medium: Medium = Medium(2.0, ((6.3, 3.0, 0.15), (22.5, 14.0, 1.0)), 2.9)
    pass_energy: float = 30.0  # eV
    charge: float = 0.0  # eV, shift of all apparent binding energies
    uneven: float = 0.0  # eV, mean of an exponential tail: the neutraliser does not reach every spot
    flux: float = 6000.0  # count/s for cross-section 1, amount 1 and 1 nm, at 1 keV
    secondary: float = 0.03  # background that is not from these lines, in nm of cross-section 1


@dataclass(frozen=True)
class Spectrum:
    """A recorded region: counts of each channel, summed over the sweeps."""

    scan: Scan
    binding_energy: np.ndarray  # eV, ascending, as the instrument shows it
    counts: np.ndarray
    transmission: np.ndarray
    pass_energy: float  # eV


def spectra(surface: Surface, seed: int | None, **changes: Any) -> list[Spectrum]:
    """Return all regions of a surface with Poisson-distributed counts, or the expected counts for seed None.

    Parameters
    ----------
    surface : Surface
        The true values.
    seed : int or None
        Of the noise.
    **changes
        Fields of the surface with other values, such as `charge` or `flux`. See `altered` for those of a line.
    """
    surface = replace(surface, **changes)
    random = rng(0 if seed is None else seed)
    recorded = []
    for scan in surface.scans:
        energy, mean = expected(surface, scan)
        counts = mean if seed is None else random.poisson(mean)
        seen = transmission(PHOTON_ENERGY - energy)
        recorded.append(Spectrum(scan, energy, counts, seen, surface.pass_energy))
    return recorded


def altered(surface: Surface, level: str, name: str, **changes: Any) -> Surface:
    """Return the surface with other values, such as `amount` or `position`, for the line of that level and name."""
    chosen = [line for line in surface.lines if (line.level.name, line.name) == (level, name)]
    if not chosen:
        raise ValueError(f"no line {name!r} of {level!r}")
    lines = tuple(replace(line, **changes) if line in chosen else line for line in surface.lines)
    return replace(surface, lines=lines)


def areas(surface: Surface) -> dict[tuple[str, str], float]:
    """Return the area [count eV] of each line by level and name: both partners, electrons without losses.

    Lines of levels that no region is named after are left out.
    """
    times = {scan.region: scan.sweeps * scan.dwell for scan in surface.scans}
    return {
        (line.level.name, line.name): _rate(surface, line) * float(_loss_spectrum(surface, line, 1)[0]) * seconds
        for line in surface.lines
        if (seconds := times.get(line.level.name))
    }


@lru_cache(maxsize=256)
def expected(surface: Surface, scan: Scan) -> tuple[np.ndarray, np.ndarray]:
    """Return the binding energies [eV] of a scan's channels as the instrument shows them, and the expected counts."""
    first, size = scan.low - MARGIN, round((scan.high - scan.low + MARGIN) / GRID) + 1
    grid = first + GRID * np.arange(size)
    rate = _secondary(surface, grid)
    for line in surface.lines:
        apparent = line.position + surface.charge
        if scan.low - MARGIN / 2 < apparent < scan.high + MARGIN:
            rate = rate + _rate(surface, line) * _line_spectrum(surface, line, grid)
    every, points = round(scan.step / GRID), np.arange(round((scan.high - scan.low) / scan.step) + 1)
    if scan.fine is not None:
        energy = scan.low + scan.step * points
        points = points[(points % 4 == 0) | ((energy > scan.fine[0]) & (energy < scan.fine[1]))]
    energy = np.round(scan.low + scan.step * points, 6)
    mean = rate[round(MARGIN / GRID) + every * points] * scan.dwell * scan.sweeps
    for array in (energy, mean):
        array.setflags(write=False)  # the cache shares them
    return energy, mean


def loss_probability(medium: Medium, size: int) -> np.ndarray:
    """Return the probability of each loss [0, GRID, ...] in one inelastic scattering, shape (size,).

    A sum of oscillators, as in the loss function Im(-1/eps) of a dielectric, without losses in the gap. Far above an
    oscillator it falls with the third power of the loss, like Tougaard's three-parameter cross-section.
    """
    loss = GRID * np.arange(round(FARTHEST_LOSS / GRID))
    function = sum(
        strength * width * energy**2 * loss / ((energy**2 - loss**2) ** 2 + (width * loss) ** 2)
        for energy, width, strength in medium.oscillators
    )
    function = function * (1 - np.exp(-np.square(np.maximum(loss - medium.gap, 0.0))))
    return (function / function.sum())[:size]


def losses(once: np.ndarray, top: float, bottom: float) -> np.ndarray:
    """Return the losses of electrons that start uniformly between two depths, per mean free path of thickness.

    Parameters
    ----------
    once : array, shape (n,)
        Probability of each loss of one scattering, on an even grid from 0.
    top, bottom : float
        Depths along the path to the surface, in mean free paths. For equal depths: the losses of electrons that cross
        that depth, per electron.

    Returns
    -------
    array, shape (n,)
        The first element is that of electrons without losses. Exact on the grid, since losses only add.
    """
    many = np.zeros_like(once)
    many[0] = 1.0
    total = np.zeros_like(once)
    scattered = 0
    while many.sum() > 1e-9 and scattered < 500:
        total += _scattered(scattered, top, bottom) * many
        many = np.convolve(many, once)[: once.size]
        scattered += 1
    return total


def transmission(kinetic_energy: Energy) -> Energy:
    """Return the relative transmission of the spectrometer at a kinetic energy [eV]; it is 1 at 1 keV."""
    return (kinetic_energy / 1000.0) ** -0.3


def mean_free_path(medium: Medium, kinetic_energy: float) -> float:
    """Return the inelastic mean free path [nm]; the exponent is that of the TPP-2M formula near 1 keV."""
    return medium.path * (kinetic_energy / 1000.0) ** 0.75


def _scattered(n: int, top: float, bottom: float) -> float:
    """Return the share of electrons that are scattered n times: the Poisson probability, integrated over the depths."""
    if top == bottom:
        return float(np.exp(-top) * np.prod(top / np.arange(1, n + 1)))
    return float((1.0 if np.isinf(bottom) else gammainc(n + 1, bottom)) - gammainc(n + 1, top))


def _rate(surface: Surface, line: Line) -> float:
    """Return the area [count/s eV] of a line in a layer of one mean free path."""
    kinetic = PHOTON_ENERGY - line.position
    medium = surface.carbon_medium if line.in_carbon else surface.medium
    per_nm = surface.flux * line.level.cross_section * line.amount * transmission(kinetic)
    return per_nm * mean_free_path(medium, kinetic)


def _loss_spectrum(surface: Surface, line: Line, size: int) -> np.ndarray:
    """Return the losses of a line's electrons in its layer and in the carbon above it."""
    kinetic = round(PHOTON_ENERGY - line.position, -1)  # rounded, so that the states of a level share the cached losses
    carbon = surface.carbon / mean_free_path(surface.carbon_medium, kinetic)
    if line.in_carbon:
        return _medium_losses(surface.carbon_medium, 0.0, carbon, size)
    top, bottom = (depth / mean_free_path(surface.medium, kinetic) for depth in line.layer)
    below = _medium_losses(surface.medium, top, bottom, size)
    return np.convolve(below, _medium_losses(surface.carbon_medium, carbon, carbon, size))[:size]


@lru_cache(maxsize=256)
def _medium_losses(medium: Medium, top: float, bottom: float, size: int) -> np.ndarray:
    return losses(loss_probability(medium, size), top, bottom)


def _line_spectrum(surface: Surface, line: Line, grid: np.ndarray) -> np.ndarray:
    """Return the spectral density [1/eV] per mean free path: line, asymmetry, uneven charge and all losses."""
    analyser = ANALYSER_WIDTH * surface.pass_energy
    sigma = np.sqrt(line.gaussian**2 + XRAY_WIDTH**2 + analyser**2) / SIGMA
    shares = (line.level.share, 1 - line.level.share)
    density = np.zeros_like(grid)
    for partner, (width, share) in enumerate(zip(line.level.lorentzian, shares, strict=False)):
        position = line.position + partner * line.level.splitting + surface.charge
        density += share * voigt_profile(grid - position, sigma, width / 2)
    for loss in (
        _asymmetry(line.asymmetry, grid.size),
        _exponential(surface.uneven, grid.size),
        _loss_spectrum(surface, line, grid.size),
    ):
        density = np.convolve(density, loss)[: grid.size]
    return density


def _asymmetry(index: float, size: int) -> np.ndarray:
    """Return the losses to electron-hole pairs: with a Lorentzian a Doniach-Sunjic line, but of finite area.

    Mahan's form is E^(index - 1) exp(-E / cut-off) (Mahan 1975, Phys. Rev. B 11, 4814, doi 10.1103/PhysRevB.11.4814).
    """
    if index == 0:
        return np.eye(1, size)[0]
    return np.diff(gammainc(index, _edges(size) / CUT_OFF))


def _exponential(mean: float, size: int) -> np.ndarray:
    """Return an exponential distribution on the grid."""
    if mean == 0:
        return np.eye(1, size)[0]
    return np.diff(-np.exp(-_edges(size) / mean))


def _edges(size: int) -> np.ndarray:
    """Return the edges of the grid's cells; the first cell is half as wide, since no loss is negative."""
    return GRID * np.maximum(np.arange(size + 1) - 0.5, 0.0)


def _secondary(surface: Surface, energy: np.ndarray) -> np.ndarray:
    """Return the background [count/s] of lines at higher kinetic energy, which rises towards low kinetic energy."""
    rising = 1 + (np.maximum(energy, 0.0) / 350.0) ** 1.2
    return surface.flux * surface.secondary * rising * transmission(PHOTON_ENERGY - energy)
