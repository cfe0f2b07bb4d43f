"""Garnets with a coating, or without: textured, nanocrystalline, faint or strong, over glass, counted long or short.

The patterns are those of `powder`. A sample's instrument is recorded with silicon.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from independent import Case, Kind, Made, pattern, powder

SAMPLE, STATE = "pellet", "pristine"
PHASES = ("InN", "In", "La2Zr2O7", "Li2O", "Li2CO3", "Li3N", "LiIn")
#: Planes that lie parallel to the surface.
HABITS = {"InN": (0, 0, 1), "In": (1, 0, 1), "Li2CO3": (0, 0, 1), "Li3N": (0, 0, 1)}
TEXTURES = (0.3, 0.5, 0.7, 1.0, 1.5)
Truths = dict[str, float | bool | None]


def _recorded(
    random: np.random.Generator, coatings: Sequence[powder.Phase], truths: Truths, cell: float, height: float
) -> Case:
    """Return the pattern of a garnet with coatings, and that of silicon on the same diffractometer."""
    garnet = powder.Phase(
        powder.CRYSTALS["garnet"].of_cell(cell), 1.0, random.uniform(60, 300), strain=random.uniform(1e-4, 6e-4)
    )
    optics = powder.Diffractometer(
        radius=float(random.choice([185.0, 240.0])), focus=random.uniform(0.02, 0.05), slit=random.uniform(0.1, 0.2)
    )
    glass = height * random.choice([0.0, 0.02, 0.1])
    humps = [(glass, random.uniform(20, 28), random.uniform(7, 12)), (0.4 * glass, 44.0, 14.0)]
    options = dict(displacement=random.uniform(-0.1, 0.1), height=height, humps=humps)
    background = height * random.uniform(0.01, 0.1)
    scan = powder.expected([garnet, *coatings], optics, background=background, **options)
    silicon = powder.Phase(powder.CRYSTALS["Si"], size=2000.0, strain=0.0)
    standard = powder.expected([silicon], optics, low=25.0, high=100.0, height=3e4)
    made = []
    for role, sample, state, (angles, mean) in (
        ("phase", SAMPLE, STATE, scan),
        ("instrument", "Si", "standard powder", standard),
    ):
        recording = pattern(angles, random.poisson(mean)).assign_attrs(goniometer_radius=optics.radius)
        made.append(Made(role, sample, state, recording, {}))
    truths = {"lattice_parameter_a": cell, **truths}
    return Case(made, {(SAMPLE, STATE, quantity): value for quantity, value in truths.items()})


def bare(seed: int) -> Case:
    """Return a garnet alone: none of the phases looked for."""
    random = np.random.default_rng([17, seed])
    truths: Truths = {f"{name}_present": False for name in PHASES}
    truths |= {f"{name}_weight_fraction": 0.0 for name in PHASES}
    return _recorded(random, [], truths, random.uniform(12.935, 12.98), 10 ** random.uniform(3, 4.7))


def film(seed: int, name: str, least: float, most: float) -> Case:
    """Return a garnet with a textured, more or less nanocrystalline coating of some percent of the weight."""
    random = np.random.default_rng([18, seed])
    percent = random.uniform(least, most)
    crystal = powder.CRYSTALS[name]
    a, _, c = crystal.cell[:3]
    if name != "Li2CO3":
        crystal = crystal.of_cell(a * (1 + random.uniform(-0.0015, 0.0015)), c * (1 + random.uniform(-0.0015, 0.0015)))
    coating = powder.Phase(
        crystal,
        percent / (100 - percent),
        size=9.0 / random.uniform(0.1, 1.0),  # nm: breadths of 0.1 to 1 degree
        strain=random.uniform(0, 3e-3),
        march=float(random.choice(TEXTURES)),
        axis=HABITS[name],
    )
    truths: Truths = {f"{other}_present": other == name for other in PHASES}
    truths[f"{name}_weight_fraction"] = percent
    return _recorded(random, [coating], truths, random.uniform(12.935, 12.98), 10 ** random.uniform(3, 4.7))


def mixture(seed: int, name: str) -> Case:
    """Return a garnet with much of another crystalline phase, whose cell is not that of its structure."""
    random = np.random.default_rng([19, seed])
    percent = random.uniform(10, 30)
    crystal = powder.CRYSTALS[name]
    a, c = crystal.cell[0] * (1 + random.uniform(-2e-3, 2e-3)), crystal.cell[2] * (1 + random.uniform(-2e-3, 2e-3))
    cubic = len({*crystal.cell[:3]}) == 1
    crystal = crystal.of_cell(a) if cubic else crystal.of_cell(a, c)
    other = powder.Phase(crystal, percent / (100 - percent), random.uniform(30, 150), strain=1e-3)
    truths: Truths = {f"{name}_present": True, f"{name}_lattice_parameter_a": a}
    truths |= {f"{name}_weight_fraction": percent} | ({} if cubic else {f"{name}_lattice_parameter_c": c})
    return _recorded(random, [other], truths, random.uniform(12.935, 12.98), 10 ** random.uniform(3.5, 4.7))


KINDS: dict[str, Kind] = {
    "bare": bare,
    **{f"film of {name}": partial(film, name=name, least=5.0, most=12.0) for name in ("InN", "In")},
    **{f"film of {name}": partial(film, name=name, least=15.0, most=40.0) for name in ("Li2CO3", "Li3N")},
    "faint film of InN": partial(film, name="InN", least=1.0, most=5.0),
    **{f"garnet and {name}": partial(mixture, name=name) for name in ("La2Zr2O7", "In", "InN")},
}
