"""Several recordings of one technique in one picture, with their numbers side by side."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coldbond import constants
from coldbond.bundle import style
from coldbond.explore.controls import Choice, Control, Flag, Number, Span, View, defaults
from coldbond.explore.views import views

SPECTRA = {"xrd": "two_theta", "xps": "binding_energy", "raman": "raman_shift"}  # their coordinate
NAMES = {"two_theta": "2θ / °", "binding_energy": "Binding energy / eV", "raman_shift": "Raman shift / cm⁻¹"}
VOLTAGE, CAPACITY, PROFILE = "voltage against time", "capacity against cycle", "voltage profile of a cycle"


def overlays(recordings: Mapping[str, xr.Dataset | xr.DataTree]) -> dict[str, Callable[[], View]]:
    """Return functions that create the views of several recordings, by name.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset or xarray.DataTree
        By the label in the legend, at least two.

    Raises
    ------
    ValueError
        They are of several techniques.
    """
    techniques = {recording.attrs["technique"] for recording in recordings.values()}
    if len(techniques) > 1:
        raise ValueError(
            f"recordings of {' and '.join(sorted(techniques))} have no axes in common: take those of one technique"
        )
    (technique,) = techniques
    if technique == "xps":
        held = [{str(region) for region in recording.children} for recording in recordings.values()]
        common = [region for region in views(next(iter(recordings.values()))) if all(region in own for own in held)]
        if not common:
            raise ValueError("these recordings have no region in common: choose others")
        return {region: partial(Spectra, recordings, region) for region in common}
    if technique in SPECTRA:
        return {technique: lambda: Spectra(recordings)}
    kinds: dict[str, Callable[[], View]] = {
        "cycling": lambda: Cycling(recordings),
        "eis": lambda: Impedance(recordings),
        "dc": lambda: Transient(recordings),
    }
    if technique not in kinds:
        raise ValueError("tables of energies are not laid over each other: choose one")
    return {technique: kinds[technique]}


class _Overlay:
    """What all of them share: colours and the numbers of each recording.

    The numbers are those of its own view at its default settings; they are computed once.
    """

    controls: dict[str, Control]

    def __init__(self, recordings: Mapping[str, Any], view: str = "") -> None:
        self.recordings = dict(recordings)
        samples = [recording.attrs["sample"] for recording in self.recordings.values()]
        own = [style.color(sample) for sample in samples]
        colors = own if len(set(own)) == len(own) else style.shades(len(own))
        self.colors = dict(zip(self.recordings, colors, strict=True))
        self.tables = _side_by_side({label: _numbers(one, view) for label, one in self.recordings.items()})

    def _legend(self, ax: Axes) -> None:
        ax.legend(fontsize=6, handlelength=1.2)


def _numbers(recording: xr.Dataset | xr.DataTree, view: str) -> list[pd.DataFrame]:
    made = views(recording)
    try:
        own = made[view or next(iter(made))]()
        return own.draw(Figure(), **defaults(own))
    except (ValueError, LookupError) as error:
        if any(name in str(error) for name in constants.CONSTANTS):
            raise  # the page asks for it
        return [pd.DataFrame({"": {"not analysed": " ".join(str(error).split())}}, dtype=object)]


def _side_by_side(tables: Mapping[str, list[pd.DataFrame]]) -> list[pd.DataFrame]:
    """Join tables of one column as the columns of one table; write the others below each other."""
    singles = {label: [one for one in own if list(one.columns) == [""]] for label, own in tables.items()}
    beside = {label: pd.concat(own)[""] for label, own in singles.items() if own}
    joined = [pd.DataFrame(beside).fillna("")] if beside else []
    others = []
    for label, own in tables.items():
        for one in own:
            if list(one.columns) != [""] and len(one):
                others.append(one.set_axis([f"{label}: {row}" for row in one.index]))
    return joined + ([pd.concat(others).fillna("")] if others else [])


class Spectra(_Overlay):
    """Patterns and spectra over or above each other."""

    def __init__(self, recordings: Mapping[str, Any], region: str = "") -> None:
        super().__init__(recordings, region)
        self.region = region
        self.spectra = {
            label: recording[region].to_dataset() if region else recording for label, recording in recordings.items()
        }
        first = next(iter(self.recordings.values()))
        self.axis = SPECTRA[first.attrs["technique"]]
        ends = [float(x) for one in self.spectra.values() for x in one[self.axis].to_numpy()[[0, -1]]]
        self.diffraction = first.attrs["technique"] == "xrd"
        low, high = float(np.floor(min(ends))), float(np.ceil(max(ends)))
        self.name = {"two_theta": "2θ / °", "binding_energy": "Binding energy / eV"}.get(
            self.axis, "Raman shift / cm⁻¹"
        )
        self.controls = {
            "scaled": Flag("scaled to the same height", True),
            "distance": Number("distance between curves", 0.3 if self.diffraction else 0.0, 0.0, 1.0, 0.05),
            "window": Span("range", (low, high), low, high, 0.5),
        }

    def draw(self, fig: Figure, scaled: bool, distance: float, window: tuple[float, float]) -> list[pd.DataFrame]:
        ax = fig.subplots()
        inside = {}
        for label, one in self.spectra.items():
            x, y = one[self.axis].to_numpy(), one.intensity.to_numpy().astype(float)
            kept = (x >= window[0]) & (x <= window[1])
            if not kept.any():
                raise ValueError(f"{label} has no point in this range: widen it")
            y = np.sqrt(np.maximum(y, 0)) if self.diffraction else y
            inside[label] = (x[kept], y[kept] / (y[kept].max() or 1.0) if scaled else y[kept])
        step = distance * max(float(y.max()) for _, y in inside.values())
        for place, (label, (x, y)) in enumerate(inside.items()):
            ax.plot(x, y + place * step, color=self.colors[label], linewidth=0.6, label=label)
        what = "√ intensity" if self.diffraction else "Intensity"
        ax.set(xlabel=NAMES[self.axis], ylabel=f"{what}, relative" if scaled else what, xlim=window)
        if self.axis == "binding_energy":
            ax.invert_xaxis()
        self._legend(ax)
        return self.tables


class Cycling(_Overlay):
    """Cells over each other: voltage against time, capacity against cycle, or the profiles of one cycle."""

    def __init__(self, recordings: Mapping[str, Any]) -> None:
        super().__init__(recordings)
        self.cycles: dict[str, xr.Dataset] = {}
        first = next(iter(self.recordings.values()))
        usual = CAPACITY if first.attrs["role"] in ("full-cell", "rate") else VOLTAGE
        self.controls = {
            "picture": Choice("picture", usual, (VOLTAGE, CAPACITY, PROFILE)),
            "cycle": Number("cycle", 1, 1, 100, 1),
        }

    def draw(self, fig: Figure, picture: str, cycle: float) -> list[pd.DataFrame]:
        ax = fig.subplots()
        for label, recording in self.recordings.items():
            named: dict[str, Any] = {"color": self.colors[label], "linewidth": 0.6}
            if picture == VOLTAGE:
                ax.plot(recording.time / 3600, recording.voltage, label=label, **named)
                continue
            from coldbond.cells import capacity

            if label not in self.cycles:
                self.cycles[label] = capacity.cycles(recording)
            table = self.cycles[label]
            unit = style.unit(table.capacity.attrs["units"])
            if picture == CAPACITY:
                shown = table.capacity.where(table.finished == 1).sel(half=table.attrs["delivered"])
                ax.plot(table.cycle, shown, ".", markersize=3, color=self.colors[label], label=label)
                ax.set(xlabel="Cycle number", ylabel=f"{table.attrs['delivered'].capitalize()} capacity / {unit}")
                continue
            if cycle not in table.cycle:
                raise ValueError(f"{label} has no cycle {cycle:g}: choose one from 1 to {int(table.cycle[-1])}")
            for half in ("charge", "discharge"):
                one = table.sel(cycle=cycle, half=half)
                if np.isfinite(one.capacity):
                    ax.plot(
                        *capacity.profile(recording, one), label=label if half == "charge" else f"_{label}", **named
                    )
            ax.set(xlabel=f"Capacity / {unit}", ylabel="Voltage / V")
        if picture == VOLTAGE:
            ax.set(xlabel="Time / h", ylabel="Voltage / V")
        self._legend(ax)
        return self.tables


class Impedance(_Overlay):
    """Spectra in the complex plane and their phases, as measured."""

    def __init__(self, recordings: Mapping[str, Any]) -> None:
        super().__init__(recordings)
        every = np.log10(np.concatenate([one.frequency.to_numpy() for one in self.recordings.values()]))
        low, high = float(np.floor(every.min() * 10) / 10), float(np.ceil(every.max() * 10) / 10)
        self.controls = {
            "decades": Span("log₁₀ f / Hz", (low, high), low, high, 0.1),
            "by_area": Flag("times electrode area", False),
        }

    def draw(self, fig: Figure, decades: tuple[float, float], by_area: bool) -> list[pd.DataFrame]:
        plane, against = fig.subplots(2, height_ratios=(1.3, 1))
        low, high = (10.0**end for end in decades)
        for label, one in self.recordings.items():
            kept = one.isel(frequency=((one.frequency >= low / 1.001) & (one.frequency <= high * 1.001)).to_numpy())
            z = kept.impedance.to_numpy() * (constants.required(one, "area_cm2") if by_area else 1.0)
            points: dict[str, Any] = dict(marker="o", markersize=2.5, color=self.colors[label], markerfacecolor="none")
            plane.plot(z.real, -z.imag, linestyle="none", label=label, **points)
            against.plot(kept.frequency, -np.angle(z, deg=True), linestyle="none", label=f"_{label}", **points)
        unit = "Ω cm²" if by_area else "Ω"
        plane.set(xlabel=f"Re Z / {unit}", ylabel=f"−Im Z / {unit}")
        plane.set_aspect("equal", adjustable="datalim")
        against.set(xlabel="Frequency / Hz", ylabel="−phase / °", xscale="log")
        self._legend(plane)
        return self.tables


class Transient(_Overlay):
    """Currents at constant voltage over each other."""

    def __init__(self, recordings: Mapping[str, Any]) -> None:
        super().__init__(recordings)
        self.controls = {"logarithmic": Flag("logarithmic axes", True)}

    def draw(self, fig: Figure, logarithmic: bool) -> list[pd.DataFrame]:
        ax = fig.subplots()
        for label, one in self.recordings.items():
            ax.plot(one.time, np.abs(one.current), color=self.colors[label], label=label)
        scale = "log" if logarithmic else "linear"
        ax.set(xlabel="Time / s", ylabel="Current / A", xscale=scale, yscale=scale)
        self._legend(ax)
        return self.tables
