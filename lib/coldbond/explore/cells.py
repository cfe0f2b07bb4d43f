"""Views of cycling, impedance and direct-current recordings."""

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr
from lmfit.minimizer import MinimizerResult
from matplotlib.figure import Figure

from coldbond import batch_means
from coldbond.bundle import style
from coldbond.cells import capacity, ccd, long_cycling, shorts
from coldbond.cells.findings import ccd as ccd_findings
from coldbond.cells.findings import full_cell as full_cell_findings
from coldbond.cells.plots import ccd as ccd_plots
from coldbond.cells.plots import full_cell as full_cell_plots
from coldbond.explore.controls import Choice, Control, Flag, Number, Span, View, numbers
from coldbond.impedance import fit, intervals, kramers_kronig, sweeps
from coldbond.impedance.conductivity import electronic
from coldbond.interval import Interval

PROFILES = 6  # number of cycles whose voltage profile is drawn
TESTED_FROM = 10  # points; the Kramers-Kronig test is run on longer spectra only
#: Circuits to choose from, in the notation of `coldbond.impedance`; "none" shows the spectrum without a fit.
CIRCUITS = ("L-R-RQ-RQ", "L-R-RQ-RQ-RQ", "L-R-Q", "L-R-RQ-Q", "L-R-RQ-RQ-Q", "none")
OFFSET = 1e-10  # A, standard uncertainty of the zero of the current: the default of notebook figS3_conductivity


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
            "retained": Number("retained", shorts.RETAINED, 0.05, 0.95, 0.05),
            "metallic": Number("hard short below / Ω cm²", shorts.METALLIC, 1.0, 100.0, 1.0),
            "conductivity": Number("conductivity at most / mS/cm", 1e3 * shorts.CONDUCTIVITY, 0.1, 30, 0.1),
        }

    def draw(self, fig: Figure, retained: float, metallic: float, conductivity: float) -> list[pd.DataFrame]:
        steps = ccd.steps(self.recording, retained, metallic, 1e-3 * conductivity)
        ax = fig.subplots()
        ccd_plots.plot(self.recording, steps, self.recording.attrs["sample"], ax)
        ax.set_xlabel("Time / h")
        value, low, high = ccd.critical_current_density(steps)
        failed = ccd.failed_steps(steps)
        time = ccd.time_of_failure(self.recording, steps)
        charge = shorts.charge_until_failure(self.recording, steps)
        rows = {
            "critical current density": "not determined" if value is None else f"{value:g} mA/cm²",
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
                    "overpotential": _range(over, "mV"),
                    "hysteresis": _range(over.scaled(2), "mV"),
                    "resistance": _range(resistance, "Ω cm²"),
                    "drift": _range(drift, "mV/h"),
                    "failure": f"none in {time[-1] - time[0]:.4g} h"
                    if failure is None
                    else f"{kind} after {life:.4g} h",
                }
            )
        ]


class Capacity:
    """Voltage profiles and capacities of a range of cycles."""

    def __init__(self, recording: xr.Dataset) -> None:
        self.recording = recording
        self.table = capacity.cycles(recording)
        ends = (int(self.table.cycle[0]), int(self.table.cycle[-1]))
        self.controls: dict[str, Control] = {"cycles": Span("cycles", ends, *ends)}

    def draw(self, fig: Figure, cycles: tuple[int, int]) -> list[pd.DataFrame]:
        shown = self.table.sel(cycle=slice(*cycles))
        if not (shown.finished == 1).any():
            raise ValueError("none of these cycles is complete")
        left, right = fig.subplots(1, 2)
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
            rows = {f"retention, {ends}": f"{100 * last / first:.2f} %", "mean efficiency": _range(efficiency, "%")}
            return [numbers(rows), found]
        return [found]


class Impedance:
    """A spectrum, one sweep of several, with the fit of one equivalent circuit over a range of frequencies."""

    def __init__(self, spectrum: xr.Dataset) -> None:
        self.spectrum = spectrum
        ends = np.log10(spectrum.frequency.to_numpy())
        low, high = float(np.floor(ends.min() * 10) / 10), float(np.ceil(ends.max() * 10) / 10)
        blocking = spectrum.attrs["role"] in ("conductivity", "arrhenius")
        circuit = "L-R-RQ-Q" if blocking else "L-R-RQ-RQ"
        self.controls: dict[str, Control] = {
            "circuit": Choice("circuit", circuit, CIRCUITS),
            "decades": Span("log₁₀ f / Hz", (low, high), low, high, 0.1),
        }
        if "sweep" in spectrum:
            last = int(spectrum.sweep.max())
            self.controls["sweep"] = Number("sweep", last, 1, last, 1)

    def draw(
        self, fig: Figure, circuit: str, decades: tuple[float, float], sweep: float | None = None
    ) -> list[pd.DataFrame]:
        whole = self.spectrum
        if sweep is not None:
            whole = whole.isel(frequency=(whole.sweep <= sweep).to_numpy())
        spectrum = sweeps.one(whole)
        frequency = spectrum.frequency.to_numpy()
        low, high = (10.0**end for end in decades)
        kept = spectrum.isel(frequency=(frequency >= low / 1.001) & (frequency <= high * 1.001))
        color = style.color(self.spectrum.attrs["sample"])
        plane, against = fig.subplots(2, height_ratios=(1.3, 1))
        z = kept.impedance.to_numpy()
        points = dict(linestyle="none", marker="o", markersize=2.5, color=color, markerfacecolor="none")
        plane.plot(z.real, -z.imag, **points)
        plane.set(xlabel="Re Z / Ω", ylabel="−Im Z / Ω")
        plane.set_aspect("equal", adjustable="datalim")
        against.plot(kept.frequency, -np.angle(z, deg=True), **points)
        against.set(xlabel="Frequency / Hz", ylabel="−phase / °", xscale="log")
        rows = {"points": str(z.size)}
        if sweep is not None:
            rows["sweep"] = f"{spectrum.attrs['sweep']} of {int(self.spectrum.sweep.max())}"
        if z.size > TESTED_FROM:
            rows["fail Kramers–Kronig"] = str(int(kramers_kronig.test(kept).fails.sum()))
        if circuit != "none":
            result = fit.fitted(kept, circuit)
            order = np.argsort(result.frequency)
            plane.plot(result.model.real[order], -result.model.imag[order], color="#D55E00", linewidth=0.8)
            phase = -np.angle(result.model[order], deg=True)
            against.plot(result.frequency[order], phase, color="#D55E00", linewidth=0.8)
            rows |= _parameters(result)
        return [numbers(rows)]


def _parameters(result: MinimizerResult) -> dict[str, str]:
    """Return resistances with profile intervals, and the other parameters where their standard error is below 100 %."""
    units = {"R": "Ω", "L": "H", "t": "s", "n": "", "Q": "S sⁿ", "C": "F", "W": "Ω s⁻½"}
    rows = {"misfit": "{:.2f} %, at most {:.1f} %".format(*fit.misfit(result))}
    for name, parameter in result.params.items():
        unit = units[name[0]]
        if name[0] == "R":
            value, low, high = intervals.profile(result, name)
            ends = ("—" if end is None else f"{end:.4g}" for end in (low, high))
            known = (low, high) != (None, None)
            rows[name] = f"{value:.4g} {unit} ({' to '.join(ends)})" if known else "not determined"
        else:
            known = not parameter.vary or (parameter.stderr or np.inf) < abs(parameter.value)
            rows[name] = f"{parameter.value:.3g} {unit}" if known else "not determined"
    return rows


class Transient:
    """The current at constant voltage, with the fit of its steady value."""

    def __init__(self, recording: xr.Dataset) -> None:
        self.recording = recording
        self.steady = electronic.steady(recording, OFFSET)
        self.controls: dict[str, Control] = {"logarithmic": Flag("logarithmic axes", True)}

    def draw(self, fig: Figure, logarithmic: bool) -> list[pd.DataFrame]:
        ax = fig.subplots()
        sample = self.recording.attrs["sample"]
        ax.plot(self.recording.time, np.abs(self.recording.current), color=style.color(sample))
        ax.plot(self.steady.time, self.steady.fitted, color="#D55E00", linewidth=0.8)
        scale = "log" if logarithmic else "linear"
        ax.set(xlabel="Time / s", ylabel="Current / A", xscale=scale, yscale=scale)
        value, low, high = self.steady.current
        settled = "not determined" if value is None else f"{value:.3g} A"
        ends = ("—" if end is None else f"{end:.3g}" for end in (low, high))
        return [
            numbers(
                {
                    "applied voltage": f"{self.recording.attrs['applied_voltage']:g} V",
                    "last current": f"{abs(float(self.recording.current[-1])):.3g} A",
                    "steady current": f"{settled} ({' to '.join(ends)})",
                    "": self.steady.note,
                }
            )
        ]


def _range(values: Iterable[float | None], unit: str) -> str:
    value, low, high = ("—" if x is None else f"{x:.4g}" for x in values)
    return f"{value} {unit} ({low} to {high})"
