"""Recordings for benchmarks: one of any length, and any number of cells with known values of their own."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from twin import cells, full_cell, land, symmetric
from twin.full_cell import FullCell
from twin.recording import Recording
from twin.symmetric import SymmetricCell
from twin.tester import Cycler, rng, step_records

CELL = {"area_cm2": "0.785", "thickness_cm": "0.040", "temperature_C": "25"}
MASS = 1.57  # mg, as weighed; the true mass of a cell differs by 2 %

Truth = dict[str, float | None]

LONG_HALF_CYCLE = 1800.0  # s
LONG_EVERY = 0.2  # s
FAILS_AT = 0.99  # share of a long recording


def long_recording(rows: int, path: Path, seed: int = 1) -> float:
    """Write a Landt CSV of about `rows` records, five per second, of a cell at 0.5 mA/cm2 that shorts at the end.

    Returns
    -------
    float
        The time [h] of the short.
    """
    half_cycles = 2 * round(rows * LONG_EVERY / LONG_HALF_CYCLE / 2)
    schedule = [
        (("charge", "discharge")[i % 2], i // 2 + 1, 0.5 * (-1) ** i, LONG_HALF_CYCLE) for i in range(half_cycles)
    ]
    truth = FAILS_AT * half_cycles * LONG_HALF_CYCLE
    random, cell = rng(seed), replace(cells.RT_MCL_LLZ, drift=1.4)
    steps = symmetric.cycling(schedule, cell, random, hard_from=truth, dt=LONG_EVERY)
    land.long_landt_csv(step_records(steps, Cycler(every=LONG_EVERY / 2), random), path)
    return truth / 3600


def recordings(number: int) -> Iterator[tuple[Recording, Truth]]:
    """Yield cells of three roles in turn, with their true values by quantity; None for what a test did not reach.

    - `ccd`: critical current density of 0.1 to 2.5 mA/cm2, the last step of the test; half of the cells short softly
    first. - `long-cycling`: 200 h at 0.2 to 0.7 mA/cm2; three quarters of the cells fail. - `full-cell`: 30 to 60
    cycles at 0.2C, with an error of the weighed mass of 2 % (standard deviation).
    """
    for n in range(number):
        random = rng(1000 + n)
        yield (_ccd, _long_cycling, _full_cell)[n % 3](f"cell-{n + 1:03d}", random)


def _interlayer(ccd: float, random: np.random.RandomState) -> SymmetricCell:
    """Return a cell whose interface resistance falls with its critical current density, as in the paper."""
    settled = 600 * np.exp(-2 * ccd) * random.lognormal(0, 0.2)
    constriction = 30 + settled / 2
    return SymmetricCell(
        fresh=1.4 * settled, settled=settled, void_current=ccd + 0.1, voids=0.22, constriction=constriction
    )


def _ccd(sample: str, random: np.random.RandomState) -> tuple[Recording, Truth]:
    truth = round(0.1 * random.randint(1, 26), 1)
    soft_at: float | None = random.uniform(0.15, 0.4)
    hard_at = random.uniform(0.6, 1.3)
    if random.random_sample() >= 0.5:
        soft_at, hard_at = None, random.uniform(0.1, 0.9)
    cycler = Cycler(every=30.0, voltage_offset=random.normal(0, 2e-4))
    cell = _interlayer(truth, random)
    simulate = partial(symmetric.ccd_run, truth, cell, cycler=cycler, soft_at=soft_at, hard_at=hard_at)
    return _recording("ccd", sample, simulate, CELL), {"critical_current_density": truth}


def _long_cycling(sample: str, random: np.random.RandomState) -> tuple[Recording, Truth]:
    hours, density = 200.0, round(random.uniform(0.2, 0.7), 2)
    life = random.uniform(30, 1.33 * hours)
    soft_from, hard_from = life, life + random.uniform(2, 20)
    if random.random_sample() >= 0.5:
        soft_from, hard_from = np.inf, life
    cell = replace(_interlayer(random.uniform(density + 0.4, 2.2), random), drift=random.uniform(0, 3))
    cycler = Cycler(every=120.0, voltage_offset=random.normal(0, 2e-4))
    simulate = partial(
        symmetric.long_cycling, density, hours, cell, cycler=cycler, soft_from=soft_from, hard_from=hard_from
    )
    truth = life - symmetric.REST / 3600 if life < hours else None  # hours of current
    return _recording("long-cycling", sample, simulate, CELL), {"lifetime": truth}


def _full_cell(sample: str, random: np.random.RandomState) -> tuple[Recording, Truth]:
    cycles = random.randint(30, 61)
    cell = FullCell(
        capacity=random.uniform(120, 166),
        retention=random.uniform(0.8, 0.99),
        retention_cycle=cycles,
        mass=MASS * random.normal(1, 0.02),
    )
    cycler = Cycler(every=300.0, dv=0.02)
    simulate = partial(full_cell.run, [0.2] * cycles, cell, cycler=cycler)
    truth: Truth = {"first_capacity": cell.capacity, "retention": 100 * cell.retention}
    return _recording("full-cell", sample, simulate, CELL | {"active_mass_mg": str(MASS)}), truth


def _recording(role: str, sample: str, simulate: partial[pd.DataFrame], constants: dict[str, str]) -> Recording:
    note = "Landt CSV; one of many cells, to measure with"
    return Recording(
        f"cycling/{role}-{sample}.csv", "cycling", role, sample, "pristine", simulate, land.landt_csv, note, constants
    )
