"""What the figures of cycling should find in recordings of lib/twin: the steps before the tester saw them.

A mean over cycles is that of the cycles as they were, in a room whose temperature swings. A trend is that of the cell
at 25 °C. A life that the test did not end is infinite.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from unittest import mock

import numpy as np

from twin import cells, full_cell, symmetric
from twin.recording import Recording
from twin.tester import Step, record

Truths = dict[tuple[str, str, str], float | bool | None]


@dataclass(frozen=True)
class Tester:
    """Relative errors of a tester's calibration: of its current in either direction, and of its voltage."""

    charge: float = 0.0
    discharge: float = 0.0
    voltage: float = 0.0

    @classmethod
    def drawn(cls, uncertainty: float, random: np.random.Generator) -> "Tester":
        """Draw errors of a relative standard uncertainty, which that of one direction over the other has too."""
        common, charge, discharge = uncertainty / np.sqrt(2) * random.standard_normal(3)
        return cls(common + charge, common + discharge, uncertainty * random.standard_normal())

    def sees(self, step: Step) -> Step:
        """Return a step as this tester measures it."""
        error = self.charge if step.current > 0 else self.discharge
        return replace(step, current=step.current * (1 + error), voltage=step.voltage * (1 + self.voltage))


@contextmanager
def noted(tester: Tester) -> Iterator[list[Step]]:
    """Give the list to which the simulations meanwhile add their true steps, which `tester` measures."""
    true: list[Step] = []

    def seen(steps: Iterator[Step]) -> Iterator[Step]:
        for step in steps:
            true.append(step)
            yield tester.sees(step)

    def noting(steps, cycler, random):
        return record(seen(steps), cycler, random)

    with mock.patch.object(symmetric, "record", noting), mock.patch.object(full_cell, "record", noting):
        yield true


def truths(recording: Recording, steps: Sequence[Step], given: Mapping) -> Truths:
    """Return the truths of a recording by sample, state and quantity, for a notebook with the parameters `given`."""
    of = {"ccd": _ccd, "long-cycling": _long_cycling, "full-cell": _full_cell, "rate": _rate}[recording.role]
    found = of(recording, steps, given)
    return {
        (recording.sample, recording.state, name): value if value is None or isinstance(value, bool) else float(value)
        for name, value in found.items()
    }


def _ccd(recording: Recording, steps: Sequence[Step], given: Mapping) -> Mapping[str, float]:
    run = cells.CCD[recording.sample]
    span = 2 * (600.0 + run.get("rest", 0.0))
    begins = min(run.get("soft_at", np.inf), run["hard_at"])
    held = round(run["ccd"] / 0.1)
    onset = 120.0 + (held + begins) * span
    last = [step for step in steps if step.current][2 * held - 2 : 2 * held]
    overpotential = np.mean([_overpotential(step, 0.1, 1.0) for step in last])
    return {
        "critical_current_density": run["ccd"],
        "time_of_failure": onset / 3600,
        "charge_passed_until_failure": _charge(steps, onset) / run["cell"].area,
        "area_specific_resistance_before_failure": overpotential / run["ccd"],
        "capacity_per_half_cycle": run["ccd"] / 6,
    }


def _charge(steps: Sequence[Step], until: float = np.inf) -> float:
    """Charge [mAh] in both directions until a time [s] of the test."""
    ends = np.cumsum([step.time[-1] for step in steps])
    return sum(
        abs(step.current) * np.clip(until - (end - step.time[-1]), 0, step.time[-1]) / 3.6
        for step, end in zip(steps, ends, strict=True)
    )


def _long_cycling(recording: Recording, steps: Sequence[Step], given: Mapping) -> Mapping[str, float]:
    run = cells.LONG_CYCLING[recording.sample, recording.state.split()[0]]
    cell, density = run["cell"], run["density"]
    failure = min(run.get("soft_from", np.inf), run.get("hard_from", np.inf))
    ends = np.cumsum([step.time[-1] for step in steps]) / 3600
    sound = [step for step, end in zip(steps, ends, strict=True) if step.current and end <= failure]
    pairs = len(sound) // 2
    settled = given["settling"]
    kept = slice(settled if pairs >= 2 * settled else 0, pairs)
    plateau, start, end = (
        np.reshape([_overpotential(step, *span) for step in sound[: 2 * pairs]], (pairs, 2)).mean(axis=1)[kept]
        for span in ((0.25, 0.75), (0.02, 0.1), (0.95, 1.0))
    )
    # At 25 °C, in the middle of each cycle.
    number = np.arange(pairs)[kept]
    hours = 1 / 6 + (number + 0.5) * 2 * run.get("half_cycle", 3600.0) / 3600
    settling = (cell.fresh - cell.settled) * np.exp(-number / cell.settling)
    resistance = cell.bulk + cell.settled + settling + cell.drift * hours / 1000
    return {
        "time_to_failure": failure - 1 / 6,  # hours of current, which begin after a rest
        "overpotential": plateau.mean(),
        "overpotential_at_start": start.mean(),
        "overpotential_at_end": end.mean(),
        "hysteresis": 2 * plateau.mean(),
        "area_specific_resistance": plateau.mean() / density,
        "drift": 1000 * np.polyfit(hours, density * resistance, 1)[0],
        "charge_passed": _charge(steps, 3600 * failure) / cell.area,
    }


def _overpotential(step: Step, begin: float, end: float) -> float:
    """Median overpotential [mV] between two shares of a half cycle."""
    share = step.time / step.time[-1]
    return 1e3 * float(np.median(np.abs(step.voltage[(share >= begin) & (share <= end)])))


def _halves(steps: Sequence[Step], cell: full_cell.FullCell) -> tuple[np.ndarray, np.ndarray]:
    """Capacity [mAh/g] and voltage at half of it [V], shape (cycles, 2) each: charge and discharge of whole cycles."""
    flowing = [step for step in steps if step.current]
    whole = flowing[: len(flowing) // 2 * 2]
    capacity = [abs(step.current) * step.time[-1] / 3.6 / (cell.mass * 1e-3) for step in whole]
    halfway = [np.interp(step.time[-1] / 2, step.time, step.voltage) for step in whole]
    return np.reshape(capacity, (-1, 2)), np.reshape(halfway, (-1, 2))


def _fresh_share(cell: full_cell.FullCell, number: np.ndarray) -> np.ndarray:
    """Share of the fresh capacity that fading leaves in the cycles of these numbers."""
    return 1 - (1 - cell.retention) * ((number - 1) / (cell.retention_cycle - 1)) ** 0.9


def _full_cell(recording: Recording, steps: Sequence[Step], given: Mapping) -> Mapping[str, float | bool]:
    cell = cells.FULL_CELL
    capacity, halfway = _halves([step for step in steps if step.cycle <= 112], cell)
    efficiency, gap = 100 * capacity[:, 1] / capacity[:, 0], -1e3 * np.diff(halfway)[:, 0]
    last, settled, after = len(capacity), slice(given["settling"], None), given["capacity_after"]
    number = np.arange(1, last + 1)
    fade = _fresh_share(cell, number)
    if given["panel"] == "polarization":
        return {
            "polarization_first_cycle": gap[0],
            "polarization_last_cycle": gap[-1],
            "polarization": gap[settled].mean(),
            "polarization_change": 0.0,
            "polarization_stable": True,
        }
    return {
        "charge_capacity_first_cycle": capacity[0, 0],
        "discharge_capacity_first_cycle": capacity[0, 1],
        "charge_capacity_by_integral": capacity[0, 0],
        "discharge_capacity_by_integral": capacity[0, 1],
        "complete_cycles": float(last),
        "retention_against_first": 100 * fade[-1],
        "retention_against_best": 100 * fade[-1],
        "retention_against_mean_of_first_three": 100 * fade[-1] / fade[:3].mean(),
        f"retention_cycle_{given['retention_after']}": 100 * fade[given["retention_after"] - 1],
        f"discharge_capacity_cycle_{after}": capacity[after - 1, 1],
        "capacity_fade_per_cycle": -100 * np.polyfit(number[settled], fade[settled], 1)[0],
        "coulombic_efficiency_first_cycle": efficiency[0],
        "coulombic_efficiency": efficiency[settled].mean(),
        "failure_cycle": np.inf,
        "working_electrode_is_anode": False,
        "constant_voltage_charge": False,
        "lithium_inventory_limits": False,
    }


def _rate(recording: Recording, steps: Sequence[Step], given: Mapping) -> Mapping[str, float | None]:
    cell = cells.RATE_CELL
    _, halfway = _halves(steps, cell)
    gap = -1e3 * np.diff(halfway)[:, 0]
    number = np.arange(1, len(cells.RATES) + 1)
    fresh = np.array([full_cell.capacity_at(rate, cell) for rate in cells.RATES]) * _fresh_share(cell, number)
    found: dict[str, float | None] = {}
    for name, cycles in (
        ("0.2C", slice(5)),
        ("0.5C", slice(5, 10)),
        ("1C", slice(10, 15)),
        ("0.2C_again", slice(15, 20)),
    ):
        found[f"discharge_capacity_{name}"] = fresh[cycles].mean()
        found[f"polarization_{name}"] = gap[cycles].mean()
    # Three rates determine no three parameters; the capacity without a current is known whatever limits the rate.
    slow = full_cell.capacity_at(0.0, cell)
    return found | {
        "capacity_recovery": 100 * fresh[15:].mean() / fresh[:5].mean(),
        "low_rate_capacity": None,
        "characteristic_time": None,
        "rate_exponent": None,
        "low_rate_capacity_n_0.5": slow,
        "low_rate_capacity_n_1": slow,
    }
