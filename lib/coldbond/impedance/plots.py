"""Figures of impedance: the complex plane, resistance against cycle, residuals, relaxation times."""

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from coldbond.bundle import style
from coldbond.impedance import kramers_kronig, relaxation_times, sweeps
from coldbond.impedance.resistance import Fits
from coldbond.impedance.trend import Trend

FAILS = style.STAMP
WIDE = 5  # ratio of resistances beyond which their axis is logarithmic
NAMES = {"interface": "Resistance of both interfaces", "total": "Resistance of the cell"}


def draw_resistances(
    fig: Figure,
    recordings: Mapping[str, xr.Dataset],
    fitted: Fits,
    resistances: pd.DataFrame,
    trends: Mapping[str, Trend],
    part: str,
) -> None:
    """Draw the spectra of each sample, and below or beside them the resistance against the number of cycles."""
    samples = list(dict.fromkeys(resistances["sample"]))
    cycles = resistances.cycle.notna().any()
    axes = fig.subplots(1, len(samples) + cycles)
    for ax, sample in zip(np.atleast_1d(axes), samples, strict=False):
        own = _of(recordings, sample)
        _nyquist(ax, own, fitted, _tested(own))
        ax.set_title(style.label(sample), color=style.color(sample))
    if cycles:
        _against_cycle(axes[-1], resistances, trends, part)
    style.letters(fig.axes)


def draw_spectra(fig: Figure, recordings: Mapping[str, xr.Dataset], fitted: Fits) -> None:
    """Draw of each sample the complex plane, the imaginary part, residuals, and relaxation times."""
    samples = list(dict.fromkeys(recording.attrs["sample"] for recording in recordings.values()))
    grid = fig.subplots(2 * len(samples), 2, squeeze=False)
    for at, sample in enumerate(samples):
        (plane, imaginary), (left, times) = grid[2 * at : 2 * at + 2]
        own = _of(recordings, sample)
        tests = _tested(own)
        _nyquist(plane, own, fitted, tests)
        plane.set_title(style.label(sample), color=style.color(sample))
        colors = _colors(own)
        for label, recording in own.items():
            spectrum, best = sweeps.one(recording), next(iter(fitted[label].values()))
            imaginary.loglog(
                spectrum.frequency,
                -spectrum.impedance.imag.where(spectrum.impedance.imag < 0),
                ".",
                color=colors[label],
                ms=2,
            )
            imaginary.loglog(
                best.frequency, np.where(best.model.imag < 0, -best.model.imag, np.nan), color=colors[label], lw=0.6
            )
            left.semilogx(spectrum.frequency, tests[label].residual_real, "-", color=colors[label], lw=0.6)
            left.semilogx(spectrum.frequency, tests[label].residual_imag, ":", color=colors[label], lw=0.8)
            spread = relaxation_times.distribution(spectrum)
            times.fill_between(spread.relaxation_time, spread.low, spread.high, color=colors[label], alpha=0.3, lw=0)
            times.loglog(spread.relaxation_time, spread.gamma, color=colors[label], lw=0.8)
        imaginary.set(xlabel="Frequency / Hz", ylabel="−Im Z / Ω")
        largest = max(np.abs(line.get_ydata()).max() for line in left.lines)
        left.set(xlabel="Frequency / Hz", ylabel="Kramers–Kronig residual / %", ylim=(-1.15 * largest, 1.5 * largest))
        left.axhline(0, color="0.6", lw=0.5, zorder=0)
        kinds = [Line2D([], [], color="0.3", ls=style, label=name) for style, name in (("-", "Re"), (":", "Im"))]
        left.legend(handles=kinds, loc="upper right", ncols=2, handlelength=1.6)
        top = max(line.get_ydata().max() for line in times.lines)
        times.set(xlabel="Relaxation time / s", ylabel="γ / Ω", ylim=(top * 1e-3, top * 2))
        style.powers_of_ten(imaginary.xaxis, imaginary.yaxis, left.xaxis, times.xaxis, times.yaxis)
    style.letters(fig.axes)


def _of(recordings: Mapping[str, xr.Dataset], sample: str) -> dict[str, xr.Dataset]:
    return {label: recording for label, recording in recordings.items() if recording.attrs["sample"] == sample}


def _state(recording: xr.Dataset) -> str:
    """The state of a cell and, where its recording holds several sweeps, which of them is drawn."""
    return ", ".join(filter(None, [recording.attrs["state"], sweeps.name(recording)]))


def _tested(recordings: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    return {label: kramers_kronig.test(sweeps.one(recording)) for label, recording in recordings.items()}


def _colors(recordings: Mapping[str, xr.Dataset]) -> dict[str, tuple]:
    """From first to last, dark to light."""
    shades = mpl.colormaps["viridis"](np.linspace(0, 0.88, len(recordings)))
    return {label: tuple(shade) for label, shade in zip(recordings, shades, strict=True)}


def _nyquist(ax: Axes, recordings: Mapping[str, xr.Dataset], fitted: Fits, tests: Mapping[str, xr.Dataset]) -> None:
    colors = _colors(recordings)
    corners = np.zeros((0, 2))
    for label, recording in recordings.items():
        spectrum, best = sweeps.one(recording), next(iter(fitted[label].values()))
        z, fails = spectrum.impedance.to_numpy(), tests[label].fails.to_numpy()
        ax.plot(z.real, -z.imag, "o", ms=2, mew=0, color=colors[label], label=_state(recording))
        ax.plot(best.model.real, -best.model.imag, color=colors[label], lw=0.7)
        ax.plot(z.real[fails], -z.imag[fails], "x", ms=3, mew=0.7, color=FAILS, zorder=3)
        corners = np.vstack([corners, [z.real.max(), (-z.imag).min()]])
    reach = 1.05 * float(corners[:, 0].max())
    below = 1.1 * min(0.0, float(corners[:, 1].min())) - 0.06 * reach
    ax.set_aspect("equal", adjustable="box")
    ax.set(xlabel="Re Z / Ω", ylabel="−Im Z / Ω", xlim=(0, reach), ylim=(below, below + reach))
    ax.legend(loc="upper left", ncols=2, markerscale=1.6, handletextpad=0.1, columnspacing=0.8, borderaxespad=0.2)


def _against_cycle(ax: Axes, resistances: pd.DataFrame, trends: Mapping[str, Trend], part: str) -> None:
    for sample, own in resistances.groupby("sample", sort=False):
        known = own[own.cycle.notna()]
        drawn = np.array([[np.nan if x is None else x for x in interval] for interval in known[part]], float)
        value, low, high = drawn.T
        color = style.color(str(sample))
        errors = np.nan_to_num([value - low, high - value])
        ax.errorbar(
            known.cycle,
            value,
            errors,
            fmt="o",
            ms=3,
            capsize=1.5,
            color=color,
            elinewidth=0.7,
            label=style.label(str(sample)),
        )
        if sample in trends:
            course = trends[str(sample)]
            fine = np.linspace(known.cycle.min(), known.cycle.max(), 300)
            ax.plot(fine, course.curve(fine), color=color, lw=0.8)
            if course.break_cycle is not None:
                _, low, high = course.break_cycle.numbers
                ax.axvspan(low, high, color=color, alpha=0.12, lw=0)
    ax.set(xlabel="Cycle number", ylabel=f"{NAMES[part]} / Ω")
    known = [interval.value for interval in resistances[part]]
    if max(known) > WIDE * min(known):
        ax.set_yscale("log")
        bottom, top = ax.get_ylim()
        ax.set_ylim(bottom / 1.3, top * 2.5)
        ax.yaxis.set_major_formatter(mpl.ticker.ScalarFormatter())
        ax.yaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    else:
        ax.set_ylim(0, 1.35 * max(known))
    ax.legend(loc="upper right")
