"""Photoelectron regions whose shares are known, with line shapes and losses that the analysis does not assume.

A line is a Voigt profile; that of a metal is convolved with an exponential at its high-energy side. Each line has a
width of its own. Electrons lose energy by Tougaard's four-parameter function, with a gap and the parameters of no
class that the analysis has, and to a plasmon. The transmission of the analyser falls with the kinetic energy, which
the file does not say. Counts are Poisson distributed.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import voigt_profile

from independent import Case, Kind, Made, photoelectrons

GAUSSIAN = 2.3548  # full width at half maximum of a Gaussian of unit standard deviation
GRID = 0.02  # eV, of the forward model
BEFORE = 25.0  # eV below the scan that are computed too: their losses end within it
PHOTON_ENERGY = 1486.6  # eV


class Level(NamedTuple):
    """A core level: Lorentzian width [eV], partner at higher energy [eV] and its relative area, sensitivity, scan."""

    lorentzian: float
    splitting: float
    ratio: float
    sensitivity: float
    scan: tuple[float, float, float]


#: Cross-sections relative to C 1s (Scofield 1976, doi 10.1016/0368-2048(76)80015-1), of the main line.
LEVELS = {
    "C 1s": Level(0.09, 0.0, 0.0, 1.0, (279.5, 294.5, 0.1)),
    "Li 1s": Level(0.04, 0.0, 0.0, 0.0568, (48.5, 61.5, 0.05)),
    "N 1s": Level(0.11, 0.0, 0.0, 1.80, (391.5, 405.0, 0.1)),
    "In 3d": Level(0.38, 7.55, 0.68, 13.32, (438.5, 456.0, 0.1)),
    "Zr 3d": Level(0.10, 2.4, 0.67, 4.17, (175.5, 189.0, 0.05)),
}


class Line(NamedTuple):
    """A line: position [eV], area relative to others, Gaussian width and mean of the exponential tail [eV]."""

    position: float
    area: float
    gaussian: float
    tail: float = 0.0
    lorentzian: float | None = None
    alone: bool = False  # a level of its own, without the partner of the region


class Losses(NamedTuple):
    """B, C, D [eV2] and gap [eV] of Tougaard's function, with energy, width [eV] and strength of a plasmon."""

    b: float
    c: float
    d: float
    gap: float
    plasmon: tuple[float, float, float] = (15.0, 4.0, 0.0)


def drawn_losses(random: np.random.Generator) -> Losses:
    """Return losses between those that Tougaard gives for metals and for insulators."""
    strength = random.uniform(0.6, 1.3)
    b, c, d, gap = random.choice([(325, 542, 275, 4.0), (400, 396, 551, 2.0), (1840, 1000, 13300, 0.0)])
    return Losses(strength * b, c, d, gap, (random.uniform(8, 20), random.uniform(2, 5), random.uniform(0.0, 0.15)))


def region(
    level: str,
    lines: Sequence[Line],
    counts: float,
    random: np.random.Generator,
    losses: Losses | None = None,
    background: float = 0.15,
    shift: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return binding energies [eV] and counts of a region.

    Parameters
    ----------
    level : str
        Of `LEVELS`.
    lines : sequence of Line
    counts : float
        At the highest point above the background, summed over all lines; without lines that of the background.
    random : numpy.random.Generator
    losses : Losses, optional
        Drawn where not given.
    background : float
        Of all other electrons, relative to `counts`.
    shift : float
        Of the energy scale, eV.
    """
    of, losses = LEVELS[level], losses or drawn_losses(random)
    low, high, step = of.scan
    energy = np.arange(low - BEFORE, high + GRID / 2, GRID)
    primary = np.zeros_like(energy)
    for line in lines:
        doublet = [(0.0, 1.0)] if line.alone or not of.ratio else [(0.0, 1.0), (of.splitting, of.ratio)]
        lorentzian = of.lorentzian if line.lorentzian is None else line.lorentzian
        for away, ratio in doublet:
            shape = voigt_profile(energy - line.position - shift - away, line.gaussian / GAUSSIAN, lorentzian / 2)
            if line.tail:
                after = np.arange(0, 12 * line.tail, GRID)
                kernel = np.exp(-after / line.tail)
                shape = np.convolve(shape, kernel / kernel.sum())[: energy.size]
                # The maximum stays at the position: a tail moves the mean, not the line that one reads.
                shape = np.interp(energy, energy - (_top(energy, shape) - line.position - shift - away), shape)
            primary += line.area * ratio * shape
    loss = np.arange(energy.size) * GRID
    function = losses.b * loss / ((losses.c - loss**2) ** 2 + losses.d * loss**2)
    at, width, strength = losses.plasmon
    function = np.where(loss > losses.gap, function, 0.0) + strength * np.exp(-(((loss - at) / width) ** 2)) / width
    spectrum = primary + np.convolve(primary, function)[: energy.size] * GRID
    spectrum = spectrum * ((PHOTON_ENERGY - energy) / (PHOTON_ENERGY - energy.mean())) ** random.uniform(-0.9, -0.3)
    scale = counts / primary.max() if lines else 0.0
    slope = 1 + random.uniform(-0.008, 0.008) * (energy - low) + random.uniform(0, 2e-4) * (energy - low) ** 2
    measured = np.round(np.arange(low, high + step / 2, step), 4)
    expected = np.interp(measured, energy, scale * spectrum + background * counts * slope)
    return measured, random.poisson(expected).astype(float)


def _top(energy: np.ndarray, shape: np.ndarray) -> float:
    at = int(shape.argmax())
    below, here, above = shape[at - 1 : at + 2]
    return float(energy[at] + GRID * 0.5 * (below - above) / (below - 2 * here + above))


class Sample(NamedTuple):
    """Regions of one surface: binding energy [eV] and counts of each, and the shares of its components."""

    regions: dict[str, tuple[np.ndarray, np.ndarray]]
    truths: dict[str, float | bool | None]


def _counts(random: np.random.Generator) -> float:
    return float(10 ** random.uniform(3, 5.5))


def _share(random: np.random.Generator) -> float:
    """Return a share of 1 to 99 %, as often near 0 or 1 as between."""
    return float(1 / (1 + np.exp(-random.uniform(-4.6, 4.6))))


def carbon(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return adventitious carbon."""
    lines = [Line(284.8, 1.0, 1.0), Line(286.3, random.uniform(0.1, 0.4), 1.1), Line(289.3, 0.15, 1.1)]
    return region("C 1s", lines, 2e4, random)


def reduced_zirconium(seed: int) -> Sample:
    """Zr4+ and a suboxide 0.8 to 2.2 eV below it, which is broader."""
    random = np.random.default_rng([seed, 1])
    share, width = _share(random), random.uniform(0.8, 1.3)
    high = random.normal(182.0, 0.15)
    lines = [
        Line(high, 1 - share, width),
        Line(high - random.uniform(1.2, 2.2), share, width * random.uniform(0.9, 1.3), random.choice([0.0, 0.2])),
    ]
    zr = region("Zr 3d", lines, _counts(random), random)
    return Sample({"C 1s": carbon(random), "Zr 3d": zr}, {"Zr_3d_ZrReduced_share": share, "Zr_3d_Zr4_share": 1 - share})


def indium(seed: int) -> Sample:
    """InN and Li-In, 0.3 to 1.1 eV apart; the alloy has a tail; N 1s has InN and Li3N."""
    random = np.random.default_rng([seed, 2])
    share, width = _share(random), random.uniform(0.6, 0.9)
    nitride, apart = random.normal(443.5, 0.08), random.uniform(0.3, 1.1)
    lines = [
        Line(nitride, share, width, random.uniform(0.0, 0.1)),
        Line(nitride - apart, 1 - share, width * random.uniform(0.85, 1.15), random.uniform(0.05, 0.3)),
    ]
    in_3d = region("In 3d", lines, _counts(random), random)
    truths: dict[str, float | bool | None] = {"In_3d_InN_share": share, "In_3d_LiIn_share": 1 - share}
    return Sample({"C 1s": carbon(random), "In 3d": in_3d}, truths)


def nitrogen(seed: int) -> Sample:
    """InN and Li3N in N 1s."""
    random = np.random.default_rng([seed, 3])
    share, width = _share(random), random.uniform(0.9, 1.3)
    lines = [
        Line(random.normal(396.4, 0.15), share, width),
        Line(random.normal(398.5, 0.15), 1 - share, width * random.uniform(0.85, 1.25)),
    ]
    n_1s = region("N 1s", lines, _counts(random), random)
    return Sample({"C 1s": carbon(random), "N 1s": n_1s}, {"N_1s_InN_share": share, "N_1s_Li3N_share": 1 - share})


def lithium(seed: int) -> Sample:
    """Li metal, Li3N and Li2O in Li 1s, with the nitrogen that Li3N has."""
    random = np.random.default_rng([seed, 4])
    amounts = np.array([random.choice([0.0, _share(random)]), _share(random), _share(random)])
    metal, nitride, oxide = amounts / amounts.sum()
    width = random.uniform(0.7, 1.2)
    lines = [
        Line(random.normal(54.7, 0.1), metal, width * random.uniform(0.85, 1.0), random.uniform(0.05, 0.25)),
        Line(random.normal(55.2, 0.07), nitride, width),
        Line(random.normal(55.9, 0.07), oxide, width * random.uniform(1.0, 1.2)),
    ]
    counts = _counts(random)
    li_1s = region("Li 1s", lines, counts, random)
    n_1s = region("N 1s", [Line(398.5, 1.0, 1.1)], _nitrogen_counts(counts * nitride), random)
    truths: dict[str, float | bool | None] = {
        "Li_1s_Li0_share": metal,
        "Li_1s_Li3N_share": nitride,
        "Li_1s_Li2O_share": oxide,
    }
    return Sample({"C 1s": carbon(random), "Li 1s": li_1s, "N 1s": n_1s}, truths)


def _nitrogen_counts(nitride: float) -> float:
    """Return the height of N 1s of the Li3N whose line in Li 1s has a height, of equal counting time."""
    kinetic = (PHOTON_ENERGY - 398.5) / (PHOTON_ENERGY - 55.2)
    return max(nitride * (1.80 / 0.0568) / 3 * kinetic**0.75, 30.0)


def indium_oxide(seed: int) -> Sample:
    """In2O3 alone, at 444.6 eV: neither InN nor Li-In."""
    random = np.random.default_rng([seed, 5])
    in_3d = region("In 3d", [Line(random.normal(444.6, 0.05), 1.0, 0.9)], _counts(random), random)
    truths: dict[str, float | bool | None] = {"In_3d_InN_present": False, "In_3d_LiIn_present": False}
    return Sample({"C 1s": carbon(random), "In 3d": in_3d}, truths)


def tantalum(seed: int) -> Sample:
    """Ta 4p of the garnet in the region N 1s, without any nitrogen."""
    random = np.random.default_rng([seed, 6])
    line = Line(random.uniform(401.6, 402.2), 1.0, 3.0, lorentzian=2.0)
    n_1s = region("N 1s", [line], 10 ** random.uniform(3, 4.5), random, background=1.0)
    return Sample({"C 1s": carbon(random), "N 1s": n_1s}, {"N_1s_InN_present": False, "N_1s_Li3N_present": False})


def lithium_without_nitrogen(seed: int) -> Sample:
    """Lithium of a carbonate at 55.1 eV, and a region N 1s with nothing in it."""
    random = np.random.default_rng([seed, 7])
    li_1s = region("Li 1s", [Line(random.normal(55.15, 0.05), 1.0, 1.1)], 10 ** random.uniform(3, 5), random)
    n_1s = region("N 1s", [], 3e3, random, background=1.0)
    return Sample({"C 1s": carbon(random), "Li 1s": li_1s, "N 1s": n_1s}, {"Li_1s_Li3N_present": False})


SAMPLES: dict[str, Callable[[int], Sample]] = {
    "reduced zirconium": reduced_zirconium,
    "indium": indium,
    "nitrogen": nitrogen,
    "lithium": lithium,
    "indium oxide": indium_oxide,
    "tantalum": tantalum,
    "lithium without nitrogen": lithium_without_nitrogen,
}
NAME, STATE = "Sample", "pristine"


def _kind(made: Callable[[int], Sample]) -> Kind:
    def case(seed: int) -> Case:
        sample = made(seed)
        recording = Made("surface", NAME, STATE, photoelectrons(sample.regions), {})
        truths = {(NAME, STATE, quantity): truth for quantity, truth in sample.truths.items()}
        return Case([recording], truths, {"regions": [name for name in sample.regions if name != "C 1s"]})

    return case


KINDS: dict[str, Kind] = {name: _kind(made) for name, made in SAMPLES.items()}
