"""Garnets that are cubic, tetragonal, both, or of two cubic cells, on diffractometers with a zero error of their own.

The ratio c / a, the shares, size, strain, slits, alignment, displacement and counts are drawn at random.
"""

import numpy as np

from independent import Case, Kind, Made, pattern, powder

RADIUS = 185.0  # mm: assumed where a file states none
SMALLEST = 2.0  # weight percent: a smaller share need not be seen


def diffractometer(rng: np.random.Generator) -> powder.Diffractometer:
    """Return a diffractometer with the slits and the alignment of some laboratory."""
    return powder.Diffractometer(
        radius=RADIUS,
        divergence=rng.uniform(0.2, 0.6),
        slit=rng.uniform(0.05, 0.2),
        focus=rng.uniform(0.015, 0.04),
        axial=(rng.uniform(0.005, 0.025), rng.uniform(0.005, 0.025)),
        zero=rng.normal(0, 0.02),
    )


def tetragonal(ratio: float, edge: float) -> powder.Crystal:
    """Return the tetragonal garnet of a ratio c / a in a cell of the volume of a cube with an edge [angstrom]."""
    a = edge * ratio ** (-1 / 3)
    return powder.CRYSTALS["tetragonal garnet"].of_cell(a, a * ratio)


def phase(rng: np.random.Generator, crystal: powder.Crystal, share: float) -> powder.Phase:
    """Return a garnet as it comes out of a furnace."""
    size, strain = float(np.exp(rng.uniform(np.log(60), np.log(300)))), rng.uniform(0, 5e-4)
    return powder.Phase(crystal, share, size=size, strain=strain, power=rng.uniform(1, 2))


def scanned(rng: np.random.Generator, phases: list[powder.Phase]) -> Made:
    """Return the scan of a sample."""
    options = {"displacement": rng.normal(0, 0.08), "height": float(np.exp(rng.uniform(8, 10))), "low": 12.0}
    two_theta, counts = powder.counted(int(rng.integers(2**31)), phases, diffractometer(rng), **options)
    return Made("phase", "A", "", pattern(two_theta, counts), {})


def mixture(seed: int, least: float, most: float) -> Case:
    """Return a garnet of which some weight percent are tetragonal; all of it is where both bounds are 100."""
    rng = np.random.default_rng(seed)
    share, ratio = float(np.exp(rng.uniform(np.log(least), np.log(most)))), rng.uniform(0.965, 0.995)
    edge = rng.uniform(12.93, 12.98)
    phases = [phase(rng, tetragonal(ratio, edge * rng.uniform(0.999, 1.001)), share)]
    if share < 100:
        cubic = powder.CRYSTALS["garnet"].of_cell(edge)
        phases.append(phase(rng, cubic, 100 - share))
    truths: dict = {("A", "", "tetragonal_garnet_share"): share, ("A", "", "tetragonal_garnet_present"): True}
    truths["A", "", "cubic_garnet_present"] = share < 100
    truths["A", "", "two_cubic_garnets"] = False
    if share < 100:
        truths["A", "", "lattice_parameter_a"] = edge
    return Case([scanned(rng, phases)], truths, {"looked_for": []})


def cubic(seed: int, difference: float = 0.0) -> Case:
    """Return a cubic garnet, or two whose cells differ [angstrom]."""
    rng = np.random.default_rng(seed)
    edge, share = rng.uniform(12.93, 12.95), rng.uniform(20, 50) if difference else 0.0
    crystal = powder.CRYSTALS["garnet"]
    phases = [phase(rng, crystal.of_cell(edge), 100 - share)]
    if difference:
        phases.append(phase(rng, crystal.of_cell(edge + difference), share))
    truths: dict = {("A", "", "tetragonal_garnet_present"): False, ("A", "", "cubic_garnet_present"): True}
    truths["A", "", "two_cubic_garnets"] = bool(difference)
    if not difference:
        truths["A", "", "lattice_parameter_a"] = edge
    return Case([scanned(rng, phases)], truths, {"looked_for": []})


KINDS: dict[str, Kind] = {
    "cubic": cubic,
    "two cubic cells": lambda seed: cubic(seed, 0.05),
    "a little tetragonal": lambda seed: mixture(seed, SMALLEST, 10),
    "cubic and tetragonal": lambda seed: mixture(seed, 10, 90),
    "tetragonal": lambda seed: mixture(seed, 100, 100),
}
