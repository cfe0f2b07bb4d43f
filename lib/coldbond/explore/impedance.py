"""Views of impedance spectra and of currents at constant voltage."""

import numpy as np
import pandas as pd
import xarray as xr
from lmfit.minimizer import MinimizerResult
from matplotlib.figure import Figure

from coldbond.bundle import style
from coldbond.explore.controls import Choice, Control, Flag, Number, Reading, Span, numbers, ranged
from coldbond.impedance import fit, intervals, kramers_kronig, sweeps
from coldbond.impedance.conductivity import electronic

FIT = "#D55E00"  # colour of fitted curves
TESTED_FROM = 10  # points; the Kramers-Kronig test is run on longer spectra only
#: Circuits to choose from, in the notation of `coldbond.impedance`; "none" shows the spectrum without a fit.
CIRCUITS = ("L-R-RQ-RQ", "L-R-RQ-RQ-RQ", "L-R-Q", "L-R-RQ-Q", "L-R-RQ-RQ-Q", "none")
OFFSET = 1e-10  # A, standard uncertainty of the zero of the current: the default of notebook figS3_conductivity


class Impedance:
    """A spectrum, one sweep of several, with the fit of one equivalent circuit over a range of frequencies."""

    def __init__(self, spectrum: xr.Dataset) -> None:
        self.spectrum = spectrum
        self.tested: dict[tuple, str] = {}
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
        rows: dict[str, str | Reading] = {"points": str(z.size)}
        if sweep is not None:
            rows["sweep"] = f"{spectrum.attrs['sweep']} of {int(self.spectrum.sweep.max())}"
        if z.size > TESTED_FROM:
            rows["fail Kramers–Kronig"] = self._failing(kept, (decades, sweep))
        if circuit != "none":
            result = fit.fitted(kept, circuit)
            order = np.argsort(result.frequency)
            plane.plot(result.model.real[order], -result.model.imag[order], color=FIT, linewidth=0.8)
            phase = -np.angle(result.model[order], deg=True)
            against.plot(result.frequency[order], phase, color=FIT, linewidth=0.8)
            rows |= _parameters(result)
        return [numbers(rows)]

    def _failing(self, kept: xr.Dataset, chosen: tuple) -> str:
        """Return how many points fail the test, which is run once for each range of frequencies."""
        if chosen not in self.tested:
            self.tested[chosen] = str(int(kramers_kronig.test(kept).fails.sum()))
        return self.tested[chosen]


def _parameters(result: MinimizerResult) -> dict[str, str | Reading]:
    """Return resistances with profile intervals, and the other parameters where their standard error is below 100 %."""
    units = {"R": "Ω", "L": "H", "t": "s", "n": "", "Q": "S sⁿ", "C": "F", "W": "Ω s⁻½"}
    mean, most = fit.misfit(result)
    rows: dict[str, str | Reading] = {"misfit": Reading(f"{mean:.2f} %, at most {most:.1f} %", mean, unit="%")}
    for name, parameter in result.params.items():
        unit = units[name[0]]
        if name[0] == "R":
            value, low, high = intervals.profile(result, name)
            known = (low, high) != (None, None)
            rows[name] = ranged((value, low, high), unit) if known else "not determined"
        else:
            known = not parameter.vary or (parameter.stderr or np.inf) < abs(parameter.value)
            shown = Reading(f"{parameter.value:.3g} {unit}", parameter.value, unit=unit)
            rows[name] = shown if known else "not determined"
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
        ax.plot(self.steady.time, self.steady.fitted, color=FIT, linewidth=0.8)
        scale = "log" if logarithmic else "linear"
        ax.set(xlabel="Time / s", ylabel="Current / A", xscale=scale, yscale=scale)
        value, low, high = self.steady.current
        settled = "not determined" if value is None else f"{value:.3g} A"
        ends = ("—" if end is None else f"{end:.3g}" for end in (low, high))
        steady = Reading(f"{settled} ({' to '.join(ends)})", value, low, high, "A")
        return [
            numbers(
                {
                    "applied voltage": f"{self.recording.attrs['applied_voltage']:g} V",
                    "last current": f"{abs(float(self.recording.current[-1])):.3g} A",
                    "steady current": steady,
                    "": self.steady.note,
                }
            )
        ]
