"""Views of diffraction patterns, photoelectron spectra and Raman spectra."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr
from lmfit import Parameter
from matplotlib.figure import Figure

from coldbond.bundle import paths, style
from coldbond.explore.controls import (
    Choice,
    Control,
    Flag,
    Number,
    Numbers,
    Reading,
    Several,
    Span,
    View,
    numbers,
    plus_minus,
)
from coldbond.interval import NORMAL
from coldbond.raman import bands as raman
from coldbond.raman import spikes
from coldbond.xps import fit, reference
from coldbond.xps import plots as xps_plots
from coldbond.xps.components import COMPONENTS, LINES, expected_components, level
from coldbond.xrd import analysis, pawley
from coldbond.xrd import findings as xrd_findings
from coldbond.xrd import plots as xrd_plots
from coldbond.xrd.peak_assignment import explaining_phases
from coldbond.xrd.reflections import reflections
from coldbond.xrd.structure_files import Structures

STANDARDS = ("Si", "LaB6")  # phases of instrument standards, which no sample contains
REFERENCES = ("Li5La3Nb2O12",)  # phases shown for comparison only
LINES_LISTED = 4  # number of reflections in the table for each phase, the strongest ones
PEAK_SEARCH = 0.2  # degree, on either side of a reflection, in which the highest intensity is listed
BANDS = (250, 370, 415, 515, 640, 730)  # 1/cm, bands of the garnet: the default of notebook fig2g_raman
MODES = {"InN E2(high)": 490.1, "InN A1(LO)": 585.4}  # 1/cm, the default of notebook fig2g_raman
FIT = "#D55E00"  # colour of fitted curves


class Diffraction:
    """A diffraction pattern with the reflections of chosen phases.

    The whole-pattern fit takes seconds; it is done on request and kept for each main phase.
    """

    unnamed = "phase"  # the help text of rows that are called by the phase

    def __init__(self, pattern: xr.Dataset) -> None:
        self.pattern = pattern
        sample = pattern.attrs["sample"]
        self.structures = Structures(paths.RAW)
        main = sample if sample in self.structures else "LLZTO"
        self.analyses: dict[str, analysis.Analysis] = {}
        self.controls: dict[str, Control] = {
            "phases": Several("phases", (main,), list(self.structures)),
            "displacement": Number("sample too low / mm", 0.0, -0.3, 0.3, 0.01),
            "main": Choice("main phase", main, list(self.structures)),
            "fitted": Flag("fit the whole pattern (takes seconds)", False),
        }

    def draw(
        self, fig: Figure, phases: tuple[str, ...], displacement: float, main: str, fitted: bool
    ) -> list[pd.DataFrame]:
        found = self.whole_pattern(main) if fitted else None
        pattern, color = self.pattern, style.color(self.pattern.attrs["sample"])
        two_theta, intensity = pattern.two_theta.to_numpy(), pattern.intensity.to_numpy()
        heights = [5, 1.2, 0.3 * max(len(phases), 1)] if found else [6, 0.3 * max(len(phases), 1)]
        axes = fig.subplots(len(heights), sharex=True, height_ratios=heights)
        ax, ticks = axes[0], axes[-1]
        ax.plot(two_theta, np.sqrt(np.maximum(intensity, 0)), color=color, linewidth=0.5)
        ax.set_ylabel("√ intensity")
        if found:
            curves = found.fit.curves
            ax.plot(curves.two_theta, np.sqrt(np.maximum(curves.fit, 0)), color=FIT, linewidth=0.5)
            axes[1].plot(
                curves.two_theta, (curves.intensity - curves.fit) / curves.standard_uncertainty, color="0.3", lw=0.4
            )
            axes[1].set_ylabel("Δ/σ")
            displacement = found.fit.params["displacement"].value
        lines = {name: self._lines(name, displacement) for name in phases}
        for row, (name, own) in enumerate(lines.items()):
            shade = "k" if name in ("LLZTO", *REFERENCES) else xrd_plots.shade(name, phases)[0]
            alpha = 0.15 + 0.85 * np.sqrt(own.relative_intensity.to_numpy() / 100)
            ticks.vlines(own.place, -row - 0.4, -row + 0.4, color=shade, alpha=alpha, linewidth=1)
            ticks.text(1.005, -row, xrd_plots.formula(name), transform=ticks.get_yaxis_transform(), va="center")
        ticks.set(yticks=[], xlabel="2θ / °", xlim=two_theta[[0, -1]], ylim=(-max(len(phases), 1) + 0.4, 0.6))
        return self._found(found, phases) if found else self._listed(lines)

    def whole_pattern(self, main: str) -> analysis.Analysis:
        """Return the whole-pattern fit with a main phase, which is made once."""
        if main not in self.analyses:
            names = [name for name in self.structures if name not in (main, "LLZTO", *REFERENCES, *STANDARDS)]
            others = [self.structures[name] for name in names]
            self.analyses[main] = analysis.analyse(self.pattern, self.structures[main], others)
        return self.analyses[main]

    def _lines(self, name: str, displacement: float) -> xr.Dataset:
        """Return the reflections of a phase, with `place` [degree]: the position for a displaced sample."""
        ends = tuple(float(x) for x in self.pattern.two_theta[[0, -1]])
        found = reflections(self.structures[name], self.pattern.attrs["wavelength_kalpha1"], ends)
        radius = float(self.pattern.attrs.get("goniometer_radius") or pawley.RADIUS)
        # Bragg-Brentano geometry: a sample below the axis of the goniometer shifts a reflection by -2 s cos(theta) / R.
        lower = np.degrees(2 * displacement / radius * np.cos(np.radians(found.two_theta) / 2))
        return found.assign(place=found.two_theta - lower)

    def _listed(self, lines: dict[str, xr.Dataset]) -> list[pd.DataFrame]:
        rows = {}
        for name, own in lines.items():
            strongest = own.isel(reflection=np.sort(np.argsort(-own.relative_intensity.to_numpy())[:LINES_LISTED]))
            for i in range(strongest.sizes["reflection"]):
                line = strongest.isel(reflection=i)
                near = self.pattern.intensity.sel(two_theta=slice(line.place - PEAK_SEARCH, line.place + PEAK_SEARCH))
                rows[f"{name} {int(line.h)}{int(line.k)}{int(line.l)}"] = {
                    "2θ / °": f"{float(line.place):.2f}",
                    "calculated": f"{float(line.relative_intensity):.0f}",
                    "most there": f"{float(near.max()):.0f}" if near.size else "—",
                }
        return [pd.DataFrame.from_dict(rows, orient="index")]

    @staticmethod
    def _found(found: analysis.Analysis, phases: tuple[str, ...]) -> list[pd.DataFrame]:
        rows: dict[str, str | Reading] = {}
        for name in ("a", "b", "c", "displacement"):
            if name in found.fit.params:
                value, error = found.fit.params[name].value, found.fit.params[name].stderr
                unit = "mm" if name == "displacement" else "Å"
                rows[name] = plus_minus(value, error and NORMAL * error, ".4f", unit, shows_unit=True)
        verdicts = xrd_findings.phase_table({"": found})[""]
        rows |= {name: verdicts[name] for name in phases if name in verdicts}
        unexplained = sum(not explaining_phases(candidates) for candidates in found.assignments())
        return [numbers(rows | {"peaks unexplained": str(unexplained)})]


def of_photoelectrons(recording: xr.DataTree) -> dict[str, Callable[[], View]]:
    """Return a view for each region; regions with known components come first, C 1s after the other ones."""
    regions = sorted(recording.children, key=lambda region: (level(region) not in COMPONENTS, region == "C 1s"))
    return {str(region): partial(Photoelectrons, recording, str(region)) for region in regions}


class Photoelectrons:
    """A photoelectron region with the fit of chosen components, background and line shape."""

    def __init__(self, recording: xr.DataTree, region: str) -> None:
        self.region, self.line = region, LINES.get(level(region), fit.Line())
        self.components = {
            c.key: c for c in (expected_components(region, recording.children) if level(region) in COMPONENTS else ())
        }
        self.scales = {False: reference.referenced(recording, None)}
        carbon = reference.referenced(recording)
        if not carbon.attrs["energy_unknown"]:
            self.scales[True] = carbon
        self.controls: dict[str, Control] = {
            "components": Several("components", tuple(self.components), list(self.components)),
            "background": Choice("background", "active shirley", list(fit.BACKGROUNDS)),
            "shape": Choice("line shape", "doniach", list(fit.SHAPES)),
            "carbon": Flag("C–C of C 1s at 284.8 eV", True in self.scales),
        }

    def draw(
        self, fig: Figure, components: tuple[str, ...], background: str, shape: str, carbon: bool
    ) -> list[pd.DataFrame]:
        if carbon not in self.scales:
            raise ValueError("the recording has no C 1s region that gives its energy scale")
        scale = self.scales[carbon]
        result = fit.fit(
            scale[self.region].to_dataset(),
            [self.components[key] for key in components],
            background,
            shape,
            line=self.line,
            reference_uncertainty=scale.attrs["energy_uncertainty"],
        )
        ax = fig.subplots()
        xps_plots.spectrum(fit.curves(result), ax)
        for key in components:
            color = xps_plots.COLORS.get(key, "0.5")
            ax.axvline(self.components[key].position, color=color, linewidth=0.5, linestyle=":", zorder=0)
        energy = result.model.energy
        ax.set(xlim=energy[[-1, 0]], xlabel=f"{self.region} binding energy / eV")
        ax.set_ylabel("Intensity; residual / σ below")
        p, common = result.params, scale.attrs["energy_uncertainty"]
        parts = [key for key in components if not self.components[key].level]
        total = sum(p[f"{key}_area"].value for key in parts)
        rows: dict[str, dict[str, str | Reading]] = {
            key: {
                "position / eV": _with_error(p[f"{key}_position"], 2, "eV", common=common),
                "share / %": _with_error(p[f"{key}_area"], 1, "%", 100 / total) if key in parts and total else "",
            }
            for key in components
        }
        shared = [name for name in ("fwhm", "lorentzian", "mixing", "asymmetry") if name in p]
        of_all: dict[str, str | Reading] = {
            f"{name} / eV" if name in ("fwhm", "lorentzian") else name: _with_error(
                p[name], 2, "eV" if name in ("fwhm", "lorentzian") else ""
            )
            for name in shared
        }
        of_all |= {"χ²/ν": f"{result.redchi:.3g}", "energies": scale.attrs["energy_reference"]}
        return [pd.DataFrame.from_dict(rows, orient="index"), numbers(of_all)]


class Raman:
    """A Raman spectrum with the fit of chosen bands, modes and baseline."""

    def __init__(self, spectrum: xr.Dataset) -> None:
        self.spectrum = spectrum.assign(struck=("raman_shift", spikes.narrow(spectrum).struck))
        low, high = (float(x) for x in spectrum.raman_shift[[0, -1]])
        window = (max(160.0, low), min(900.0, high))
        lamp = spectrum.attrs["state"] == "lamp"  # a calibration lamp has atomic lines instead of bands
        self.controls: dict[str, Control] = {
            "window": Span("range / cm⁻¹", window, np.floor(low), np.ceil(high), 10.0),
            "bands": Numbers("bands / cm⁻¹", () if lamp else BANDS),
            "modes": Several("modes", () if lamp else tuple(MODES), list(MODES)),
            "degree": Number("degree of baseline", 3, 1, 6, 1),
        }

    def draw(
        self, fig: Figure, window: tuple[float, float], bands: tuple[float, ...], modes: tuple[str, ...], degree: float
    ) -> list[pd.DataFrame]:
        inside = self.spectrum.sel(raman_shift=slice(*window))
        clean = inside.isel(raman_shift=~inside.struck.to_numpy())
        x, y = clean.raman_shift.to_numpy(), clean.intensity.to_numpy()
        places = [*bands, *(MODES[name] for name in modes)]
        outside = [place for place in places if x.size and not x[0] < place < x[-1]]
        if outside:
            raise ValueError(f"the band at {outside[0]:g} 1/cm lies outside the range shown: widen the range")
        # Each band has a position and a width, all of them share a line shape, and the baseline has degree + 1
        # coefficients. With fewer than three points for each parameter the fit is not determined.
        if x.size < 3 * (2 * len(places) + degree + 2):
            raise ValueError(f"{x.size} points are too few for this many bands: widen the range")
        ax, below = fig.subplots(2, sharex=True, height_ratios=(4, 1))
        ax.plot(x, y, ".", color=style.color(self.spectrum.attrs["sample"]), markersize=2, markeredgewidth=0)
        ax.set_ylabel("Intensity")
        below.set(xlabel="Raman shift / cm⁻¹", ylabel="Residual", xlim=window)
        rows = {}
        if places:
            start = raman.parameters(bands, [MODES[name] for name in modes], float(np.median(np.diff(x))))
            found = raman.fit(x, y, start, int(degree))
            values = found.parameters.valuesdict()
            own = [np.array([values[f"{n}_{what}"] for n in found.names]) for what in ("position", "width", "skew")]
            shapes = raman.shapes(x, own[0], own[1], np.full(len(found.names), values["lorentzian"]), own[2])[0]
            count = len(found.names)
            baseline = np.polynomial.chebyshev.chebval(raman.scaled(x, x), found.linear[count:])
            ax.plot(x, baseline, "--", color="0.3", linewidth=0.6)
            for name, shape, area in zip(found.names, shapes, found.linear, strict=False):
                ax.plot(x, baseline + area * shape, color="#009E73" if "mode" in name else "0.6", linewidth=0.6)
            ax.plot(x, y - found.residual, color=FIT, linewidth=0.8)
            below.plot(x, found.residual, ".", color="0.4", markersize=1.5, markeredgewidth=0)
            error = dict(zip(found.varied, NORMAL * np.sqrt(np.diag(found.covariance)), strict=False))
            labels = [*(f"band {band:g}" for band in bands), *modes]
            for label, name in zip(labels, found.names, strict=True):
                rows[label] = {
                    f"{what} / cm⁻¹": plus_minus(values[f"{name}_{what}"], error[f"{name}_{what}"], ".1f", "cm⁻¹")
                    if error[f"{name}_{what}"] < raman.BAND.distance
                    else "not determined"
                    for what in ("position", "width")
                }
        left_out = {"points left out as spikes": str(int(inside.struck.sum()))}
        return [pd.DataFrame.from_dict(rows, orient="index"), numbers(left_out)]


def _with_error(parameter: Parameter, digits: int, unit: str, factor: float = 1.0, common: float = 0.0) -> Reading:
    """Return value and half width of the 95 % interval; `common` is a standard uncertainty that is not in the fit's.

    A parameter at its bound has no standard error and is returned without an interval.
    """
    error = NORMAL * np.hypot(factor * parameter.stderr, common) if parameter.stderr else None
    return plus_minus(factor * parameter.value, error, f".{digits}f", unit)
