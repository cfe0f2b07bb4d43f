"""Rate tests of other labs: unequal currents in charge and discharge, hardly any capacity, no mass, cycling after."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from independent import Case, Kind
from independent.full_cells import Cell, Half, case, numbered, pairs


def _rates(
    rng: np.random.Generator, steps: Sequence[tuple[float, float, float]], each: int = 5, scatter: float = 0.0008
) -> list[Half]:
    """Cycles of charge rate, discharge rate and capacity; a charge takes up what the discharge before it gave."""
    halves, before = [], steps[0][2]
    for charge, discharge, capacity in steps:
        for _ in range(each):
            now = capacity * (1 + rng.normal(0, scatter))
            halves += [Half(max(before, 0.05) / 0.9985, charge), Half(now, -discharge)]
            before = now
    return halves


def fast(seed: int) -> Case:
    """At 5C hardly anything is left, and what is left scatters: it is a value all the same."""
    rng = np.random.default_rng(seed)
    halves = _rates(rng, [(0.2, 0.2, 160.0), (0.2, 1.0, 120.0), (0.2, 2.0, 60.0)])
    left = rng.uniform(0.3, 1.5, 5)
    for capacity in left:
        halves += [Half(halves[-1].capacity, 0.2), Half(capacity, -5.0)]
    halves += _rates(rng, [(0.2, 0.2, 158.0)])
    truths = {"discharge_capacity_5C": left.mean(), "discharge_capacity_0.2C": 160.0, "capacity_recovery": 98.75}
    return case(rng, Cell(halves, numbered(halves), every=60.0), truths, "rate")


def charged_fast(seed: int) -> Case:
    """The charge becomes faster, the discharge does not: its capacity is that of the charge before it."""
    rng = np.random.default_rng(seed)
    steps = [(0.2, 0.2, 160.0), (1.0, 0.2, 130.0), (2.0, 0.2, 90.0)]
    halves = []
    for charge, discharge, capacity in steps:
        halves += pairs(capacity * (1 + rng.normal(0, 0.0008, 5)), charge)
        halves[-10:] = [half if half.rate > 0 else replace(half, rate=-discharge) for half in halves[-10:]]
    truths = {f"discharge_capacity_0.2C_charged_at_{charge:g}C": capacity for charge, _, capacity in steps}
    return case(rng, Cell(halves, numbered(halves)), truths, "rate")


def without_mass(seed: int) -> Case:
    """A rate test of a cell whose mass is not known: rates are named by their currents, each by its own."""
    rng = np.random.default_rng(seed)
    halves = _rates(rng, [(0.2, 0.2, 160.0), (0.2, 0.6247, 150.0), (0.2, 0.6712, 148.0)])
    truths = {
        "discharge_capacity_0.034_mA": 0.160,
        "discharge_capacity_0.106_mA": 0.150,
        "discharge_capacity_0.114_mA": 0.148,
    }
    return case(rng, Cell(halves, numbered(halves), mass=None), truths, "rate")


def then_cycled(seed: int) -> Case:
    """After the rate test the cell fades at its first rate: the recovery is that of the first cycles back at it."""
    rng = np.random.default_rng(seed)
    halves = _rates(rng, [(0.5, 0.5, 160.0), (0.5, 1.0, 140.0)])
    halves += pairs(158.0 * np.linspace(1, 0.8, 100), 0.5)
    back = 158 * np.linspace(1, 0.8, 100)[:5].mean()
    return case(rng, Cell(halves, numbered(halves)), {"capacity_recovery": 100 * back / 160}, "rate")


KINDS: dict[str, Kind] = {
    function.__name__.replace("_", " "): function for function in (fast, charged_fast, without_mass, then_cycled)
}
