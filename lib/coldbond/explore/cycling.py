"""Views of cycling recordings."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from coldbond import batch_means
from coldbond.bundle import style
from coldbond.cells import capacity, ccd, long_cycling, shorts
from coldbond.cells.findings import ccd as ccd_findings
from coldbond.cells.findings import full_cell as full_cell_findings
from coldbond.cells.plots import ccd as ccd_plots
from coldbond.cells.plots import full_cell as full_cell_plots
from coldbond.explore.controls import Control, Number, Reading, Span, View, numbers, ranged
from coldbond.interval import Interval

PROFILES = 6  # number of cycles whose voltage profile is drawn
NARROW = 4.5  # inch; on a narrower picture panels stand below each other
SLOWER = 1.2  # ratio of the currents of neighbouring cycles from which a discharge is called slower
MOST_NAMED = 3  # cycles above 100 % that are named
OVER = 100.5  # %, coulombic efficiency from which a line says why it may exceed 100 %


def of_cycling(recording: xr.Dataset) -> dict[str, Callable[[], View]]:
    """Return the views of a cycling recording by name, beginning with the one for its role."""
    made: dict[str, Callable[[], View]] = {
        "critical current density": partial(CriticalCurrent, recording),
        "long cycling": partial(LongCycling, recording),
        "capacity": partial(Capacity, recording),
    }
    suiting = {"ccd": ["critical current density"], "long-cycling": ["long cycling"]}
    names = suiting.get(recording.attrs["role"], ["capacity"])
    if not recording.attrs["role"]:
        # A file without a manifest: only a symmetric cell, with two equal electrodes, has negative voltages.
        names = list(made) if (recording.voltage < 0).any() else list(made)[::-1]
    return {name: made[name] for name in names}


class CriticalCurrent:
    """A test with rising current, with the thresholds of the short-circuit detection as controls."""

    def __init__(self, recording: xr.Dataset) -> None:
        self.recording = recording
        self.controls: dict[str, Control] = {
            "retained": Number("overpotential retained", shorts.RETAINED, 0.05, 0.95, 0.05),
            "metallic": Number("hard short below / Ω cm²", shorts.METALLIC, 1.0, 100.0, 1.0),
            "conductivity": Number("conductivity at most / mS/cm", 1e3 * shorts.CONDUCTIVITY, 0.1, 30, 0.1),
        }

    def draw(self, fig: Figure, retained: float, metallic: float, conductivity: float) -> list[pd.DataFrame]:
        steps = ccd.steps(self.recording, retained, metallic, 1e-3 * conductivity)
        ax = fig.subplots()
        ccd_plots.plot(self.recording, steps, self.recording.attrs["sample"], ax)
        ax.set_xlabel("Time / h")
        if fig.get_figwidth() < NARROW:
            for title in ax.texts:
                title.set_text(title.get_text().replace(", ", ",\n"))
        value, low, high = ccd.critical_current_density(steps)
        failed = ccd.failed_steps(steps)
        time = ccd.time_of_failure(self.recording, steps)
        charge = shorts.charge_until_failure(self.recording, steps)
        rows: dict[str, str | Reading] = {
            "critical current density": Reading(
                "not determined" if value is None else f"{value:g} mA/cm²", value, low, high, "mA/cm²"
            ),
            "95 % interval": f"{low:g} to {'—' if high is None else f'{high:g}'} mA/cm²",
            "failure": f"{failed.kind.item(0)} after {_amount(time, '.4f')} h"
            if failed.sizes["step"]
            else f"none in {time.low:.4f} h",
            "charge passed": f"{_amount(charge, '.3g')} mAh/cm²",
        }
        return [numbers(rows), ccd_findings.table({"resistance and kind": steps})]


def _amount(passed: Interval, digits: str) -> str:
    """Return the time or the charge until a failure, or its bounds where it crept in."""
    if passed.value is not None:
        return f"{passed.value:{digits}}"
    return f"{passed.low:{digits}}" + ("" if passed.high is None else f" to {passed.high:{digits}}")


class LongCycling:
    """Overpotentials of a range of cycles.

    Classifying thousands of half cycles takes a second and is done once, when the view is created.
    """

    def __init__(self, recording: xr.Dataset) -> None:
        self.recording = recording
        self.half_cycles = long_cycling.half_cycles(recording)
        self.pairs = long_cycling.overpotentials(self.half_cycles)
        count = self.pairs.sizes["pair"]
        if count < 2:
            raise ValueError("fewer than two cycles were sustained, so the overpotential has no trend")
        self.controls: dict[str, Control] = {"cycles": Span("cycles", (1, count), 1, count)}

    def draw(self, fig: Figure, cycles: tuple[int, int]) -> list[pd.DataFrame]:
        shown = self.pairs.isel(pair=slice(cycles[0] - 1, cycles[1]))
        hours, half = shown.time.to_numpy(), float(np.median(np.diff(self.pairs.time))) / 2
        time = self.recording.time.to_numpy() / 3600
        inside = (time >= hours[0] - half) & (time <= hours[-1] + half)
        top, below = fig.subplots(2)
        color = style.color(self.recording.attrs["sample"])
        top.plot(time[inside], self.recording.voltage.to_numpy()[inside], color=color, linewidth=0.6)
        top.set(xlabel="Time / h", ylabel="Voltage / V")
        below.axvspan(hours[0] - half, hours[-1] + half, color="0.94", linewidth=0)
        below.plot(self.pairs.time, 1e3 * self.pairs.overpotential, ".", color=color, markersize=2)
        below.set(xlabel="Time / h", ylabel="Overpotential / mV")
        over = batch_means.mean(1e3 * shown.overpotential.to_numpy())
        drift = batch_means.slope(hours, 1e3 * shown.overpotential.to_numpy())
        resistance = batch_means.mean(shown.resistance.to_numpy())
        failure = long_cycling.first_failure(self.half_cycles)
        life = long_cycling.time_to_failure(self.recording, self.half_cycles).value
        kind = "" if failure is None else str(self.half_cycles.kind.to_numpy()[failure])
        return [
            numbers(
                {
                    "cycles": f"{cycles[0]} to {cycles[1]}, from {hours[0]:.1f} to {hours[-1]:.1f} h",
                    "overpotential": ranged(over, "mV"),
                    "hysteresis": ranged(over.scaled(2), "mV"),
                    "resistance": ranged(resistance, "Ω cm²"),
                    "drift": ranged(drift, "mV/h"),
                    "failure": f"none in {time[-1] - time[0]:.4g} h"
                    if failure is None
                    else f"{kind} after {life:.4g} h",
                }
            )
        ]


class Capacity:
    """Voltage profiles and capacities of a range of cycles."""

    tall = (0.72, 1.7)

    def __init__(self, recording: xr.Dataset) -> None:
        self.recording = recording
        self.table = capacity.cycles(recording)
        ends = (int(self.table.cycle[0]), int(self.table.cycle[-1]))
        self.controls: dict[str, Control] = {"cycles": Span("cycles", ends, *ends)}

    def draw(self, fig: Figure, cycles: tuple[int, int]) -> list[pd.DataFrame]:
        shown = self.table.sel(cycle=slice(*cycles))
        if not (shown.finished == 1).any():
            raise ValueError("none of these cycles is complete")
        narrow = fig.get_figwidth() < NARROW
        left, right = fig.subplots(2, height_ratios=(1, 1.4)) if narrow else fig.subplots(1, 2, width_ratios=(1, 1.4))
        some = [round(cycle) for cycle in np.linspace(*cycles, PROFILES).tolist()]
        full_cell_plots.plot_profiles(left, self.recording, shown, some)
        full_cell_plots.plot_capacity(right, shown)
        complete = shown.sel(cycle=shown.complete)
        found = full_cell_findings.table({"": shown}, some).droplevel("cell")
        found = found.loc[~found.index.duplicated()]
        if complete.sizes["cycle"] > 1:
            first, last = complete.capacity.sel(half="discharge").to_numpy()[[0, -1]]
            efficiency = batch_means.mean(complete.coulombic_efficiency.to_numpy())
            ends = "cycle {} against {}".format(*complete.cycle.to_numpy()[[-1, 0]])
            kept = 100 * last / first
            rows: dict[str, str | Reading] = {
                f"retention, {ends}": Reading(f"{kept:.2f} %", kept, unit="%"),
                "mean efficiency": ranged(efficiency, "%"),
            }
            over = complete.cycle[(complete.coulombic_efficiency > OVER).to_numpy()].to_numpy()
            if over.size:
                rows["over 100 %"] = _over(shown, over)
            return [numbers(rows), found]
        return [found]


def _over(table: xr.Dataset, over: np.ndarray) -> str:
    """Return which cycles delivered more than they took up, and how much slower than the one before they did."""
    delivered = table.attrs["delivered"]
    current = np.abs(table.applied.sel(half=delivered))
    parts = []
    for n in over[:MOST_NAMED]:
        before = current.sel(cycle=n - 1) if n - 1 in current.cycle else None
        slower = 0.0 if before is None else float(before / current.sel(cycle=n))
        why = f", whose {delivered} is {slower:.2g} times slower than the one before" if slower > SLOWER else ""
        parts.append(f"cycle {n}{why}")
    return "; ".join(parts) + (f" and {over.size - MOST_NAMED} more" if over.size > MOST_NAMED else "")
