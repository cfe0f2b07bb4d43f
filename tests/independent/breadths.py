"""Garnets of crystallites of 20 to 300 nm and strains of 0 to 0.5 %, with and without a standard.

Distributions of size and strain, slits, radius and alignment of the diffractometer, counts, and the standard's own
crystallites are drawn at random.
"""

import numpy as np

from independent import Case, Kind, Made, pattern, powder

#: Angles [degree] of the lines above 25 degree that are stronger than a tenth of the strongest, of a = 12.955 until 80.
LINES = np.array([25.7, 27.5, 30.8, 33.9, 38.1, 43.1, 50.8, 51.9, 52.9, 55.9, 56.9, 64.4, 66.1, 68.0, 79.7])
#: Goniometer radius that is assumed where a file states none, mm.
RADIUS = 185.0


def sample(rng: np.random.Generator) -> powder.Phase:
    """Return a garnet as it may come out of a furnace or of cycling."""
    strained = rng.random() < 0.7
    return powder.Phase(
        powder.CRYSTALS["garnet"].of_cell(rng.uniform(12.94, 12.97)),
        size=float(np.exp(rng.uniform(np.log(20), np.log(300)))),
        strain=rng.uniform(0, 5e-3) if strained else 0.0,
        spread=rng.uniform(0.1, 0.6),
        power=rng.uniform(1, 2),
    )


def diffractometer(rng: np.random.Generator) -> powder.Diffractometer:
    """Return a diffractometer with the slits of some laboratory."""
    return powder.Diffractometer(
        radius=RADIUS,
        divergence=rng.uniform(0.2, 0.7),
        slit=rng.uniform(0.05, 0.25),
        focus=rng.uniform(0.015, 0.05),
        axial=(rng.uniform(0.005, 0.03), rng.uniform(0.005, 0.03)),
    )


def scanned(phase: powder.Phase, instrument: powder.Diffractometer, rng: np.random.Generator, **options: float) -> Made:
    """Return the scan of a sample, or of the standard."""
    seed = int(rng.integers(2**31))
    two_theta, counts = powder.counted(seed, [phase], instrument, displacement=rng.normal(0, 0.05), **options)
    return Made("cycled-phase", "", "", pattern(two_theta, counts), {})


def case(seed: int, standard: str | None) -> Case:
    """Return two samples, and what is known of their breadths."""
    rng = np.random.default_rng(seed)
    instrument, phases = diffractometer(rng), {name: sample(rng) for name in ("A", "B")}
    made = [
        scanned(phase, instrument, rng, height=float(np.exp(rng.uniform(7, 10))))._replace(sample=name)
        for name, phase in phases.items()
    ]
    breadths = {name: float(powder.integral_breadth(phase, LINES).mean()) for name, phase in phases.items()}
    ratio = breadths["A"] / breadths["B"]
    truths: dict = {(name, "", "integral_breadth"): breadth for name, breadth in breadths.items()}
    truths["A", "", "breadth_over_B"] = ratio
    truths["A", "", "broader_than_B"] = ratio > 1
    truths |= {(name, "", "crystallite_size"): phase.size for name, phase in phases.items()}
    truths |= {(name, "", "microstrain"): 100 * phase.strain for name, phase in phases.items()}
    if standard is not None:
        grains = powder.Phase(powder.CRYSTALS[standard], size=rng.uniform(1000, 5000), strain=0.0)
        of_standard = scanned(grains, instrument, rng, height=rng.uniform(1e4, 5e4), depth=0.03)
        made.append(of_standard._replace(role="instrument", sample=standard))
    parameters = {"standard": standard or "Si", "looked_for": [], "williamson_hall": True}
    return Case(made, truths, parameters)


KINDS: dict[str, Kind] = {
    "silicon as standard": lambda seed: case(seed, "Si"),
    "LaB6 as standard": lambda seed: case(seed, "LaB6"),
    "no standard": lambda seed: case(seed, None),
}
