"""Mixtures of crystalline powders, weighed, and the structures of their phases as a database has them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from independent import Case, Kind, Made, pattern
from independent.powder import CRYSTALS, WAVELENGTHS, Diffractometer, Phase, cif, counted

NAMES = {"corundum": "Al2O3", "fluorite": "CaF2", "zincite": "ZnO"}
#: Linear absorption coefficients for Cu K-alpha, 1/mm: International Tables C, table 4.2.4.3, times the densities.
ABSORPTION = {"corundum": 12.6, "fluorite": 30.5, "zincite": 28.1}
GRAPHITE = 26.6  # two theta of the monochromator, degree


def fractions(rng: np.random.Generator, least: float = 8.0) -> dict[str, float]:
    """Draw weight fractions, percent, of which the least is at least so much."""
    drawn = rng.dirichlet(np.ones(len(NAMES)))
    shares = least + (100 - least * len(NAMES)) * drawn
    return dict(zip(NAMES, shares.tolist(), strict=True))


def phase(rng: np.random.Generator, name: str, share: float, **changed: object) -> Phase:
    """Return a phase of a mixture: a cell within 0.1 % of the tabulated one, grains of a fraction of a micrometre."""
    crystal = CRYSTALS[NAMES[name]]
    stretch = 1 + rng.uniform(-1e-3, 1e-3)
    cell = tuple(stretch * length for length in crystal.cell[:3])
    of_sample = crystal._replace(cell=(*cell, *crystal.cell[3:]))
    return Phase(of_sample, share, rng.uniform(60, 300), 0.3, rng.uniform(1e-4, 8e-4), **changed)  # type: ignore[arg-type]


def case(
    seed: int,
    phases: Sequence[Phase],
    shares: dict[str, float],
    rng: np.random.Generator,
    parameters: dict[str, object] | None = None,
    monochromator: float = 0.0,
) -> Case:
    """Return the pattern of a mixture, with the tabulated structures beside it."""
    instrument = Diffractometer(radius=185.0, zero=rng.normal(0, 0.01), monochromator=monochromator)
    height = float(rng.choice([3_000, 30_000]))  # two times of counting
    options = dict(low=20.0, high=100.0, step=0.03, height=height, displacement=rng.normal(0, 0.06))
    two_theta, counts = counted(seed, phases, instrument, **options)
    main = max(shares, key=lambda name: shares[name])
    stated = dict(main=main, reference=main, looked_for=[name for name in shares if name != main], powders=True)
    made = [Made("phase", "mixture", "powder", pattern(two_theta, counts, WAVELENGTHS["Cu"]), {})]
    truths: dict[tuple[str, str, str], float | bool | None] = {
        ("mixture", "powder", f"{name}_weight_fraction"): share for name, share in shares.items()
    }
    files = {f"structures/{name}.cif": cif(CRYSTALS[NAMES[name]], name) for name in shares}
    return Case(made, truths, stated | (parameters or {}), files)


def plain(seed: int) -> Case:
    """Draw three phases without texture, of the tabulated structures."""
    rng = np.random.default_rng(seed)
    shares = fractions(rng)
    return case(seed, [phase(rng, name, share) for name, share in shares.items()], shares, rng)


def behind_graphite(seed: int) -> Case:
    """Draw the same behind a monochromator that the parameters state."""
    rng = np.random.default_rng(seed)
    shares = fractions(rng)
    phases = [phase(rng, name, share) for name, share in shares.items()]
    return case(seed, phases, shares, rng, {"monochromator": GRAPHITE}, GRAPHITE)


def other_structure(seed: int) -> Case:
    """Draw coordinates and displacements that differ from the tabulated ones, and platelets that no file mentions."""
    rng = np.random.default_rng(seed)
    shares = fractions(rng)
    phases = []
    for name, share in shares.items():
        one = phase(rng, name, share, march=rng.uniform(0.85, 1.15))
        moved = [
            atom._replace(
                **{axis: getattr(atom, axis) + rng.normal(0, 0.002) for axis in free(name, atom.element)},
                b=atom.b * rng.uniform(0.6, 1.6),
            )
            for atom in one.crystal.atoms
        ]
        phases.append(replace(one, crystal=one.crystal._replace(atoms=tuple(moved))))
    return case(seed, phases, shares, rng)


def free(name: str, element: str) -> str:
    """Return the coordinates of an atom that symmetry leaves free."""
    return {("corundum", "Al"): "z", ("corundum", "O"): "x", ("zincite", "O"): "z"}.get((name, element), "")


def coarse(seed: int) -> Case:
    """Draw grains of up to 5 micrometres, whose own absorption takes from the intensity of the heavier phases."""
    rng = np.random.default_rng(seed)
    shares = fractions(rng)
    grain = rng.uniform(1e-3, 5e-3)  # mm
    mean = sum(shares[name] * ABSORPTION[name] for name in shares) / sum(shares.values())
    phases = []
    for name, share in shares.items():
        # Transmission of a sphere along random chords in and out, by quadrature over the depth.
        x = (ABSORPTION[name] - mean) * grain
        radius = np.cbrt(np.linspace(0.005, 0.995, 100)) / 2
        cosine = np.linspace(-0.99, 0.99, 100)
        way = -radius[:, None] * cosine + np.sqrt(0.25 - radius[:, None] ** 2 * (1 - cosine**2))
        phases.append(phase(rng, name, share * float(np.exp(-x * way).mean()) ** 2))
    return case(seed, phases, shares, rng)


KINDS: dict[str, Kind] = {
    "three powders": plain,
    "powders behind graphite": behind_graphite,
    "structures that differ from the tabulated ones": other_structure,
    "coarse grains": coarse,
}
