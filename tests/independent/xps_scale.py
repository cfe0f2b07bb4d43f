"""Garnet surfaces on energy scales that are off: charged by volts, unevenly, or without any reference.

Lines are Pearson VII profiles (Hall et al. 1977, J. Appl. Cryst. 10, 66), each with a width of its own; the potential
of a charged surface spreads over a range that is skewed (gamma distributed). Inelastic electrons form a step that rises
with the integral of the line and falls off exponentially behind it. Nothing is taken from coldbond or lib/twin.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import gamma

from independent import Case, Made, photoelectrons

SAMPLE, STATE, ROLE = "garnet", "after 50 cycles", "cycled-surface"
#: Partner of a line at higher energy: distance [eV] and relative area, and the window of a scan, eV.
LEVELS = {
    "C 1s": (0.0, 0.0, (278.5, 296.5)),
    "Zr 3d": (2.41, 0.68, (174.5, 190.5)),
    "O 1s": (0.0, 0.0, (523.5, 538.5)),
    "Li 1s": (0.0, 0.0, (47.0, 62.0)),
    "Au 4f": (3.68, 0.77, (78.5, 93.5)),
    "Pt 4f": (3.34, 0.76, (66.0, 81.0)),
    "N 1s": (0.0, 0.0, (390.5, 405.5)),
}
STEP, GRID = 0.1, 0.02  # eV, of a scan and of the model

Lines = Sequence[tuple[float, float, float]]  # position [eV], area, full width at half maximum [eV]


def pearson(energy: np.ndarray, fwhm: float, exponent: float) -> np.ndarray:
    """Return a Pearson VII line of unit area around zero."""
    half = fwhm / 2 / np.sqrt(2 ** (1 / exponent) - 1)
    norm = half * np.sqrt(np.pi) * gamma(exponent - 0.5) / gamma(exponent)
    return (1 + (energy / half) ** 2) ** -exponent / norm


def region(
    level: str,
    lines: Lines,
    counts: float,
    patches: Sequence[tuple[float, float]],
    random: np.random.Generator,
    spread: float = 0.06,
) -> tuple[np.ndarray, np.ndarray]:
    """Return binding energies [eV] and counts of a scan.

    Parameters
    ----------
    level : str
        Of `LEVELS`.
    lines : sequence of (float, float, float)
    counts : float
        At the highest point above the background.
    patches : sequence of (float, float)
        Parts of the surface: shift [eV] and share of the signal. The operator sets the window by the first one.
    random : numpy.random.Generator
    spread : float
        Of the potential within each part, eV; its mean counts in the shift.
    """
    splitting, ratio, (low, high) = LEVELS[level]
    follow = np.round(patches[0][0])
    energy = np.arange(low - 8 + follow, high + follow + 2, GRID)
    primary = np.zeros_like(energy)
    exponent = random.uniform(4.0, 12.0)
    for position, area, fwhm in lines:
        for away, part in ((0.0, 1.0), (splitting, ratio))[: 1 + bool(ratio)]:
            for shift, share in patches:
                primary += area * part * share * pearson(energy - position - away - shift, fwhm, exponent)
    behind = np.arange(0, 2, GRID)
    kernel = behind * np.exp(-behind / spread)
    kernel /= kernel.sum()
    primary = np.interp(energy + behind @ kernel, energy, np.convolve(primary, kernel)[: energy.size])
    behind = np.arange(energy.size) * GRID
    lost = random.uniform(0.01, 0.03) * np.exp(-behind / random.uniform(15.0, 60.0)) * (behind > random.uniform(0, 3))
    spectrum = primary + np.convolve(primary, lost)[: energy.size] * GRID
    slope = 1 + random.uniform(-0.006, 0.006) * (energy - energy.mean())
    measured = np.round(np.arange(low + follow, high + follow + STEP / 2, STEP), 3)
    expected = counts * (spectrum / primary.max() + random.uniform(0.1, 0.5) * slope)
    return measured, random.poisson(np.interp(measured, energy, expected))


def adventitious(random: np.random.Generator, carbonate: float | None = None) -> list[tuple[float, float, float]]:
    """Return lines of adventitious carbon, of a weight relative to C-C drawn at random."""
    width = random.uniform(1.0, 1.4)
    carbonate = random.uniform(0.05, 0.8) if carbonate is None else carbonate
    return [
        (284.8 + random.normal(0, 0.1), 1.0, width),
        (286.3 + random.normal(0, 0.1), random.uniform(0.12, 0.35), width),
        (288.8 + random.normal(0, 0.1), random.uniform(0.03, 0.12), width),
        (289.9 + random.normal(0, 0.1), carbonate, random.uniform(1.0, 1.4)),
    ]


def zirconium(random: np.random.Generator, reduced: float = 0.0) -> list[tuple[float, float, float]]:
    """Return the lines of Zr in a garnet, with a share of reduced Zr."""
    lines = [(random.normal(182.0, 0.12), 1 - reduced, random.uniform(1.1, 1.5))]
    return [*lines, (random.normal(180.2, 0.15), reduced, random.uniform(1.1, 1.6))] if reduced else lines


def oxygen(random: np.random.Generator) -> list[tuple[float, float, float]]:
    return [(random.normal(529.6, 0.2), 1.0, 1.2), (random.normal(531.8, 0.1), random.uniform(0.3, 1.2), 1.5)]


def lithium(random: np.random.Generator) -> list[tuple[float, float, float]]:
    return [(random.normal(55.0, 0.1), 1.0, random.uniform(1.2, 1.6))]


def case(
    random: np.random.Generator,
    held: Mapping[str, Lines],
    patches: Sequence[tuple[float, float]],
    truths: Mapping[str, float | bool | None],
    **parameters: Any,
) -> Case:
    counts, spread = {"Li 1s": 3.2, "C 1s": 3.7}, random.uniform(0.03, 0.12)
    regions = {
        level: region(level, lines, 10 ** (counts.get(level, 4.0) + random.uniform(-0.3, 0.5)), patches, random, spread)
        for level, lines in held.items()
    }
    made = Made(ROLE, SAMPLE, STATE, photoelectrons(regions), {})
    return Case([made], {(SAMPLE, STATE, quantity): true for quantity, true in truths.items()}, parameters)


def _garnet(random: np.random.Generator, reduced: float) -> dict[str, Lines]:
    return {"Zr 3d": zirconium(random, reduced), "O 1s": oxygen(random), "Li 1s": lithium(random)}


def _truths(reduced: float) -> dict[str, float | bool | None]:
    known: dict[str, float | bool | None] = {"Zr_3d_ZrReduced_present": reduced > 0}
    return known | ({"Zr_3d_ZrReduced_share": reduced} if reduced else {})


UNKNOWN = {"Zr_3d_ZrReduced_present": None, "Zr_3d_Zr4_present": None}


def without_reference(seed: int) -> Case:
    """Pure Zr4+ or a third of it reduced, charged by up to 3 eV; no C 1s was recorded."""
    random = np.random.default_rng([seed, 1])
    held = _garnet(random, random.choice([0.0, 0.33]))
    return case(random, held, [(random.uniform(-3, 3), 1.0)], UNKNOWN)


def charged(seed: int) -> Case:
    """Charged by up to 8 eV, with adventitious carbon; half of them with 10 to 50 % of Zr reduced."""
    random = np.random.default_rng([seed, 2])
    reduced = random.choice([0.0, random.uniform(0.1, 0.5)])
    held = {"C 1s": adventitious(random)} | _garnet(random, reduced)
    return case(random, held, [(random.uniform(-4, 8), 1.0)], _truths(reduced))


def carbide(seed: int) -> Case:
    """A carbide beside adventitious carbon, stronger or weaker than it."""
    random = np.random.default_rng([seed, 3])
    reduced = random.choice([0.0, random.uniform(0.1, 0.5)])
    line = (random.uniform(281.2, 282.8), 10 ** random.uniform(-0.7, 0.3), random.uniform(0.8, 1.1))
    held = {"C 1s": [*adventitious(random), line]} | _garnet(random, reduced)
    return case(random, held, [(random.uniform(-1.5, 4), 1.0)], _truths(reduced))


def carbonate_only(seed: int) -> Case:
    """Carbonate is the only carbon: the line is no C-C."""
    random = np.random.default_rng([seed, 4])
    held = {"C 1s": [(random.uniform(289.6, 290.1), 1.0, random.uniform(1.1, 1.4))]} | _garnet(random, 0.0)
    return case(random, held, [(random.uniform(-3, 4), 1.0)], _truths(0.0))


def charged_unevenly(seed: int) -> Case:
    """Two parts of the surface 1.2 to 3 eV apart: every line twice. Nothing is reduced."""
    random = np.random.default_rng([seed, 5])
    share, shift = random.uniform(0.25, 0.75), random.uniform(-1, 3)
    held = {"C 1s": adventitious(random)} | _garnet(random, 0.0)
    patches = [(shift, 1 - share), (shift + random.uniform(1.2, 3.0), share)]
    return case(random, held, patches, {"Zr_3d_ZrReduced_present": None})


def gold(seed: int) -> Case:
    """A gold film is the reference, by parameter; the carbon is of another kind."""
    random = np.random.default_rng([seed, 6])
    reduced = random.choice([0.0, random.uniform(0.1, 0.5)])
    held = {"Au 4f": [(83.96, 1.0, random.uniform(0.8, 1.0))]} | _garnet(random, reduced)
    given = {"reference_region": "Au 4f", "reference_energy": 83.96}
    return case(random, held, [(random.uniform(-3, 6), 1.0)], _truths(reduced), **given)


def platinum(seed: int) -> Case:
    """A region without components: Pt metal, with or without its oxide."""
    random = np.random.default_rng([seed, 7])
    oxide = random.choice([0.0, random.uniform(0.15, 0.6)])
    lines = [(71.0, 1.0, 1.1)] + ([(random.uniform(73.6, 74.6), oxide, 1.4)] if oxide else [])
    held = {"C 1s": adventitious(random), "Pt 4f": lines}
    truths: dict[str, float | bool | None] = {"Pt_4f_unassigned1_present": True}
    if oxide:
        truths |= {"Pt_4f_unassigned2_above_unassigned1": lines[1][0] - lines[0][0]}
    return case(random, held, [(random.uniform(-1, 3), 1.0)], truths, regions=["Pt 4f"])


KINDS: dict[str, Callable[[int], Case]] = {
    "without a reference": without_reference,
    "charged": charged,
    "carbide": carbide,
    "carbonate only": carbonate_only,
    "charged unevenly": charged_unevenly,
    "gold as reference": gold,
    "region without components": platinum,
}
