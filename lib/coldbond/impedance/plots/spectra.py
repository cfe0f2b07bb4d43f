"""Figures of impedance: the complex plane, resistance against cycle, residuals, relaxation times."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter

from coldbond.bundle import style
from coldbond.impedance import resistance, sweeps
from coldbond.impedance.plots import course as of_cycles
from coldbond.impedance.plots import layout
from coldbond.impedance.plots.course import MEAN, THIN
from coldbond.impedance.resistance import Measured
from coldbond.impedance.trend import Trend

FAILS = style.STAMP
#: Margin around the spectra, and the most that an inductive tail takes below the axis, as shares of their size.
MARGIN, INDUCTIVE = 0.06, 0.25
#: Share of the largest real part above which the axis does not begin at zero, where the least lies above it.
ZOOM = 0.35
#: Most ticks of the colour bar, and panels beside each other at the most.
MOST_TICKS, COLUMNS = 12, 3
#: Sizes in mm: width of the axes in the complex plane, its labels and title, colour bar and a line of the legend.
PLANE, AROUND, BAR, LINE = 47.0, 17.0, 11.0, 3.4
#: Height in mm of the colour bar itself, of a line of the breaks, of all of them at the most, and of the course.
THICK, BREAK, MOST_BREAKS, LEAST_COURSE = 1.8, 1.4, 14.0, 27.0
LEAST_BREAKS = 2  # cells with a break for which `height` leaves room
#: Least height over width of the complex plane, where it stands in a row with the course and where not.
LEAST_BESIDE, LEAST_ABOVE = 0.65, 0.5
HIGHEST = 245.0  # mm, of a page
ROWS_OF_TWO, ROW_OF_FOUR = 115.0, 58.0  # height in mm of a sample's four panels of `draw_spectra`


def height(measured: Mapping[str, Measured], panel: str) -> float:
    """Return the height [mm] of a figure of `draw_resistances` or, for the panel "spectra", of `draw_spectra`."""
    samples = _by_sample(measured)
    if panel == "spectra":
        needed = ROWS_OF_TWO * len(samples) if len(samples) < 3 else ROW_OF_FOUR * len(samples)
        return min(needed + LINE, HIGHEST)
    rows, _ = _grid(measured)
    *_, heights = _heights(measured, rows, LEAST_BREAKS)
    legend = LINE * (layout.legend_rows(_names(samples)) + layout.legend_rows(Scale(measured).names))
    titles = rows * LINE * max(layout.wrapped(style.label(sample), PLANE).count("\n") for sample in samples)
    return min(sum(heights) + rows * AROUND + titles + BAR + legend, HIGHEST)


def draw_resistances(
    fig: Figure, measured: Mapping[str, Measured], found: pd.DataFrame, courses: Mapping[str, Trend], part: str
) -> None:
    """Draw the spectra of each sample, and below or beside them the resistance against the number of cycles.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`, of the height that `height` returns.
    measured : mapping of str to Measured
    found : pandas.DataFrame
        From `resistance.resistances`, with the same labels.
    courses : mapping of str to Trend
        From `resistance.trends`.
    part : {"interface", "total"}
    """
    rows, columns = _grid(measured)
    samples, scale = _by_sample(measured), Scale(measured)
    breaks = sum(course.break_cycle is not None for course in courses.values())
    shape, heights = _heights(measured, rows, breaks)
    cycles = bool(found.cycle.notna().any())
    names = _names(samples) if cycles else []
    below = [scale.row, *([LINE * layout.legend_rows(names)] if names else [])]
    grid = fig.add_gridspec(len(heights) + len(below), columns, height_ratios=[*heights, *below])
    last = slice(rows - 1, rows + 1)
    axes = []
    for at, (sample, own) in enumerate(samples.items()):
        row, column = divmod(at, columns)
        ax = fig.add_subplot(grid[row if row < rows - 1 else last, column])
        _nyquist(ax, own, scale, shape)
        _title(ax, sample, own, PLANE)
        axes.append(ax)
    if cycles:
        column = len(samples) % columns
        course = fig.add_subplot(grid[rows - 1 if breaks else last, column:])
        strip = fig.add_subplot(grid[rows, column:], sharex=course) if breaks else None
        handles = of_cycles.draw(course, strip, found, courses, part)
        axes.append(course)
        if names:
            layout.legend(fig.add_subplot(grid[-1, :]), [handles[sample] for sample in samples if sample in handles])
    # Below the complex planes, which it explains, where these are a part of one row.
    scale.key(fig, grid, rows + 1, len(samples) if len(samples) < columns else None)
    style.letters(axes)


def draw_spectra(fig: Figure, measured: Mapping[str, Measured], spreads: Mapping[str, xr.Dataset]) -> None:
    """Draw of each sample the complex plane, the imaginary part, residuals, and relaxation times.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`, of the height that `height` returns.
    measured : mapping of str to Measured
    spreads : mapping of str to xarray.Dataset
        From `relaxation_times.distribution`, with the same labels.
    """
    samples, scale = _by_sample(measured), Scale(measured)
    two = len(samples) < 3
    rows, columns = (2 * len(samples), 2) if two else (len(samples), 4)
    heights = [PLANE * (1 if two else LEAST_ABOVE)] * rows + [scale.row]
    grid = fig.add_gridspec(len(heights), columns, height_ratios=heights)
    axes = [fig.add_subplot(grid[row, column]) for row in range(rows) for column in range(columns)]
    panels = [axes[at : at + 4] for at in range(0, len(axes), 4)]
    shape = _shape(measured, LEAST_ABOVE)
    for (sample, own), (plane, imaginary, left, times) in zip(samples.items(), panels, strict=True):
        _nyquist(plane, own, scale, shape)
        _title(plane, sample, own, PLANE if two else 0.75 * PLANE)
        for label, one in own.items():
            name, color, best = scale.name(one), scale.color(one), one.best
            z = one.spectrum.impedance.to_numpy()
            height = np.where(z.imag < 0, -z.imag, np.nan)
            fitted = np.where(best.model.imag < 0, -best.model.imag, np.nan)
            imaginary.loglog(one.spectrum.frequency, height, ".", color=color, ms=2, label=f"_{name}, measured")
            imaginary.loglog(best.frequency, fitted, color=color, lw=0.6, label=f"_{name}, fit")
            if one.test is not None:
                residuals = (one.test.residual_real, "Re", "-", 0.6), (one.test.residual_imag, "Im", ":", 0.8)
                for residual, of, dashes, width in residuals:
                    left.plot(one.spectrum.frequency, residual, dashes, color=color, lw=width, label=f"_{name}, {of}")
            spread = spreads[label]
            known = np.isfinite(spread.high) & np.isfinite(spread.gamma)
            tau, gamma, low, high = (x[known] for x in (spread.relaxation_time, spread.gamma, spread.low, spread.high))
            times.fill_between(tau, low, high, color=color, alpha=0.3, lw=0, label=f"_{name}, 95 % band")
            times.loglog(tau, gamma, color=color, lw=0.8, label=f"_{name}")
        imaginary.set(xlabel="Frequency / Hz", ylabel="−Im Z / Ω")
        _residual_axis(left, two)
        tops = [float(np.max(line.get_ydata())) for line in times.lines if np.size(line.get_ydata())]
        times.set(
            xlabel="Relaxation time / s", ylabel="γ / Ω", ylim=(max(tops) * 1e-3, max(tops) * 2) if tops else None
        )
        style.powers_of_ten(imaginary.xaxis, imaginary.yaxis, left.xaxis, times.xaxis, times.yaxis)
        if not two:
            for axis in (imaginary.xaxis, imaginary.yaxis, left.xaxis, times.xaxis, times.yaxis):
                axis.set_major_locator(LogLocator(numticks=5))
    scale.key(fig, grid, rows)
    style.letters(axes)


def _residual_axis(ax: Axes, wide: bool) -> None:
    residuals = [np.abs(line.get_ydata()).max() for line in ax.lines]
    largest = float(max(residuals, default=1.0)) or 1.0
    ylabel = "Kramers–Kronig residual / %" if wide else "KK residual / %"
    ax.set(xscale="log", xlabel="Frequency / Hz", ylabel=ylabel, ylim=(-1.15 * largest, 1.5 * largest))
    ax.axhline(0, color="0.6", lw=0.5, zorder=0)
    if not residuals:
        ax.text(0.5, 0.75, "not tested:\ntoo few points", transform=ax.transAxes, ha="center", va="center")
    kinds = [Line2D([], [], color="0.3", ls=dashes, label=name) for dashes, name in (("-", "Re"), (":", "Im"))]
    ax.legend(handles=kinds, loc="upper right", ncols=2, handlelength=1.6, borderaxespad=0.2)


class Scale:
    """Colours of the spectra, from dark to light: by number of cycles if all states name one, else by state."""

    def __init__(self, measured: Mapping[str, Measured]) -> None:
        spectra = [one.spectrum for one in measured.values()]
        cycles = [resistance.cycle_of(spectrum.attrs["state"]) for spectrum in spectra]
        which = {sweeps.name(spectrum) for spectrum in spectra}
        self.numbered = bool(np.isfinite(cycles).all()) and len(which) == 1 and len(set(cycles)) > 1
        self.title = ", ".join(filter(None, ["Cycle number", *which])) if self.numbered else ""
        numbers = sorted(dict.fromkeys(cycles)) if self.numbered else []
        self.keys: list = numbers or list(dict.fromkeys(map(self._state, spectra)))
        self.colors = mpl.colormaps["viridis"](np.linspace(0, 0.88, len(self.keys)))

    def color(self, one: Measured) -> tuple:
        attrs = one.spectrum.attrs
        key = resistance.cycle_of(attrs["state"]) if self.numbered else self._state(one.spectrum)
        return tuple(self.colors[self.keys.index(key)])

    def name(self, one: Measured) -> str:
        """State and, as far as there are any, sweep and replicate: the name of a series."""
        replicate = one.spectrum.attrs.get("replicate", "")
        return ", ".join(filter(None, [self._state(one.spectrum), f"replicate {replicate}" if replicate else ""]))

    @property
    def names(self) -> list[str]:
        """What a legend of the colours says; nothing where there is a colour bar, or one spectrum without a state."""
        return [style.label(str(key)) or "—" for key in self.keys] if not self.numbered and any(self.keys) else []

    @property
    def row(self) -> float:
        """Height of the key, mm."""
        return THICK if self.numbered else max(LINE * layout.legend_rows(self.names), 0.1)

    def key(self, fig: Figure, grid: GridSpec, row: int, width: int | None = None) -> None:
        """Explain the colours in a row of the grid, its first columns or the middle: with a colour bar, or by name."""
        if self.numbered:
            norm = BoundaryNorm(np.arange(len(self.keys) + 1) - 0.5, len(self.keys))
            middle = slice(1, -1) if grid.ncols > 2 else slice(None)
            columns = middle if width is None else slice(0, width)
            ax = fig.add_subplot(grid[row, columns])
            bar = fig.colorbar(ScalarMappable(norm, ListedColormap(self.colors)), cax=ax, orientation="horizontal")
            shown = np.unique(np.linspace(0, len(self.keys) - 1, min(len(self.keys), MOST_TICKS)).round().astype(int))
            bar.set_ticks(shown.tolist(), labels=[f"{self.keys[at]:g}" for at in shown])
            bar.ax.tick_params(length=0, which="both")
            bar.set_label(self.title)
            bar.outline.set_visible(False)
        elif self.names:
            handles = [
                Line2D([], [], marker="o", ls="", ms=3, mew=0, color=color, label=name)
                for name, color in zip(self.names, self.colors, strict=True)
            ]
            layout.legend(fig.add_subplot(grid[row, :]), handles)

    @staticmethod
    def _state(spectrum: xr.Dataset) -> str:
        return ", ".join(filter(None, [spectrum.attrs["state"], sweeps.name(spectrum)]))


def _names(samples: Mapping[str, Mapping[str, Measured]]) -> list[str]:
    """Names of the samples in the legend of the course; none of a single cell, whose panel says it."""
    cells = {sample: _cells(own) for sample, own in samples.items()}
    if sum(cells.values()) == 1:
        return []
    return [style.label(one) + (f": {MEAN.format(number)}" if number > 1 else "") for one, number in cells.items()]


def _by_sample(measured: Mapping[str, Measured]) -> dict[str, dict[str, Measured]]:
    found: dict[str, dict[str, Measured]] = {}
    for label, one in measured.items():
        found.setdefault(one.spectrum.attrs["sample"], {})[label] = one
    return found


def _cells(own: Mapping[str, Measured]) -> int:
    return len({resistance.cell_of(one.spectrum.attrs) for one in own.values()})


def _grid(measured: Mapping[str, Measured]) -> tuple[int, int]:
    """Rows and columns: a panel for each sample, and the last for the course, which spans the rest of its row."""
    cycles = [resistance.cycle_of(one.spectrum.attrs["state"]) for one in measured.values()]
    panels = len(_by_sample(measured)) + bool(np.isfinite(cycles).any())
    columns = max(COLUMNS, int(np.ceil(np.sqrt(panels / 2)))) if panels > 1 else 1
    return -(-panels // columns), columns


def _title(ax: Axes, sample: str, own: Mapping[str, Measured], width: float) -> None:
    cells = _cells(own)
    text = style.label(sample) + (f" (n = {cells})" if cells > 1 else "")
    ax.set_title(layout.wrapped(text, width), color=style.color(sample))


def _extent(own: Mapping[str, Measured]) -> tuple[float, float, float, float]:
    """Least and greatest real part and minus imaginary part [ohm] of the complex plane, with a margin.

    Of an inductive tail, which may be longer than all arcs, it shows a part.
    """
    z = np.concatenate([one.spectrum.impedance.to_numpy() for one in own.values()])
    left, right, bottom, top = z.real.min(), z.real.max(), min(0.0, (-z.imag).min()), max(0.0, (-z.imag).max())
    if 0 < left < ZOOM * right:
        left = 0.0
    bottom = max(bottom, -INDUCTIVE * max(right - left, top))
    size = max(right - left, top - bottom, 1e-9 * np.abs(z).max())
    if right - left < MARGIN * size:
        left, right = left - MARGIN * size, right + MARGIN * size
    return left - MARGIN * size * bool(left), right + MARGIN * size, bottom - MARGIN * size, top + MARGIN * size


def _shape(measured: Mapping[str, Measured], least: float) -> float:
    """Height over width of the complex plane, the same for all samples: what the tallest spectrum needs, at most 1."""
    needed = [
        (top - bottom) / (right - left) for left, right, bottom, top in map(_extent, _by_sample(measured).values())
    ]
    return float(np.clip(max(needed), least, 1.0))


def _heights(measured: Mapping[str, Measured], rows: int, breaks: int) -> tuple[float, list[float]]:
    """Height over width of the complex plane, and the heights [mm] of the grid's rows.

    The last row of panels is two rows of the grid: the course, and below it where it breaks.
    """
    shape = _shape(measured, LEAST_BESIDE if rows == 1 else LEAST_ABOVE)
    strip = min(BREAK * of_cycles.lines(breaks), MOST_BREAKS)
    return shape, [*[PLANE * shape] * (rows - 1), max(PLANE * shape - strip, LEAST_COURSE), strip]


def _nyquist(ax: Axes, own: Mapping[str, Measured], scale: Scale, shape: float) -> None:
    left, right, bottom, top = _extent(own)
    width = max(right - left, (top - bottom) / shape)
    unit, factor = layout.ohms(max(abs(left), abs(left + width), abs(bottom), abs(bottom + shape * width)))
    several = _cells(own) > 1
    for one in own.values():
        name, color, fails = scale.name(one), scale.color(one), one.fails
        z, model = one.spectrum.impedance.to_numpy() / factor, one.best.model / factor
        points: dict[str, Any] = dict(ms=1.2, alpha=THIN) if several else dict(ms=2)
        ax.plot(z.real, -z.imag, "o", mew=0, color=color, label=f"_{name}, measured", **points)
        ax.plot(
            model.real,
            -model.imag,
            color=color,
            lw=0.4 if several else 0.7,
            alpha=THIN if several else 1,
            label=f"_{name}, fit",
        )
        if fails.any():
            failing = f"_{name}, fails Kramers-Kronig"
            ax.plot(z.real[fails], -z.imag[fails], "x", ms=3, mew=0.7, color=FAILS, zorder=3, label=failing)
    if hidden := sum(int(np.sum(-one.spectrum.impedance.to_numpy().imag < bottom)) for one in own.values()):
        ax.text(0.97, 0.03, f"{hidden} points below", transform=ax.transAxes, ha="right", fontsize=6)
    x, y = np.array([left, left + width]) / factor, np.array([bottom, bottom + shape * width]) / factor
    # The panel fills its place, and its limits give way: constrained layout does not know panels that shrink.
    ax.set_aspect("equal", adjustable="datalim")
    ax.update_datalim([(x[0], y[0]), (x[1], y[1])])  # so that the limits widen and never cut anything off
    ax.set(xlabel=f"Re Z / {unit}", ylabel=f"−Im Z / {unit}")
    ax.set_xlim(*x, auto=True)  # without it matplotlib warns whenever they give way
    ax.set_ylim(*y, auto=True)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
