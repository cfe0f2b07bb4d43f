"""Plots of decomposed Raman spectra and of the calibration of their axis."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coldbond.bundle import style
from coldbond.interval import NORMAL
from coldbond.raman import neon
from coldbond.raman.decomposition import Decomposition
from coldbond.raman.spikes import positions

FIT, MODE, OWN = "#D55E00", "#009E73", "0.6"  # colours of the fit, of modes and of the sample's own bands
BOX = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
BESIDE = 60.0  # 1/cm, drawn on either side of the modes
LIMIT_HALF_LENGTH = 15.0  # 1/cm, of the bar at an upper limit


def draw(fig: Figure, decomposed: Mapping[str, Decomposition], calibration: xr.Dataset | None) -> None:
    """Draw a row for each sample, the spectrum beside the part that the modes explain, and the lamp's lines below.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`.
    decomposed : mapping of str to Decomposition
        From `decomposition.decompose`.
    calibration : xarray.Dataset or None
        From `neon.calibrated_spectra`.
    """
    n = len(decomposed)
    lines = (2.4,) if calibration is not None else ()
    grid = fig.add_gridspec(2 * n + len(lines), 2, width_ratios=(1.7, 1), height_ratios=(4, 1) * n + lines)
    mains = [fig.add_subplot(grid[2 * i, 0]) for i in range(n)]
    rests = [fig.add_subplot(grid[2 * i + 1, 0]) for i in range(n)]
    zooms = [fig.add_subplot(grid[2 * i : 2 * i + 2, 1]) for i in range(n)]
    heights = []
    for i, (label, spectrum) in enumerate(decomposed.items()):
        _spectrum(spectrum, label, mains[i], top=i == 0)
        _residual(spectrum, rests[i])
        heights.append(_modes(spectrum, zooms[i]))
        for ax in (mains[i], rests[i], zooms[i]):
            ax.tick_params(labelbottom=i == n - 1 and ax is not mains[i])
    bounds = [float(edge(spectrum.curves.raman_shift)) for edge in (np.min, np.max) for spectrum in decomposed.values()]
    for ax in mains + rests:
        ax.set_xlim(min(bounds), max(bounds))
    for ax in zooms:
        ax.set_ylim(-0.12 * max(heights), 1.2 * max(heights))
    for ax in (rests[-1], zooms[-1]):
        ax.set_xlabel("Raman shift / cm⁻¹")
    lettered = [mains[0], zooms[0]]
    if calibration is not None:
        lettered.append(fig.add_subplot(grid[2 * n, :]))
        _lines(calibration, (min(bounds), max(bounds)), lettered[-1])
    style.letters(lettered)


def _spectrum(decomposed: Decomposition, label: str, ax: Axes, *, top: bool) -> None:
    curves = decomposed.curves
    shift, baseline = curves.raman_shift.to_numpy(), curves.baseline.to_numpy()
    clean = curves.intensity.where(~curves.struck)
    color = style.color(curves.attrs["sample"])
    low, high = float(baseline.min()), float(clean.max())
    span = high - low
    ax.plot(shift, clean, ".", color=color, markersize=2, markeredgewidth=0, label="data")
    for name, band in decomposed.bands.items():
        component = curves.component.sel(band=name).to_numpy()
        if not band.looked_for:
            ax.plot(shift, baseline + component, color=OWN, linewidth=0.5)
            continue
        ax.axvline(band.expected, ymax=0.8, color=MODE, linewidth=0.5, linestyle=":")
        if band.present:
            ax.fill_between(shift, baseline, baseline + component, color=MODE, alpha=0.5, linewidth=0)
        if top:
            text = name.replace(" ", "\n", 1)
            ax.text(band.expected, high + 0.38 * span, text, color=MODE, ha="center", va="top", fontsize=6)
    ax.plot(shift, baseline, "--", color="0.2", linewidth=0.6, label="baseline")
    ax.plot(shift, curves.fit, color=FIT, linewidth=0.7, label="fit")
    own = np.array([band.expected for band in decomposed.bands.values() if not band.looked_for])
    ax.plot(own, np.full(own.size, low - 0.08 * span), "|", color="0.3", markersize=4, markeredgewidth=0.7)
    spikes = positions(shift, curves.struck.to_numpy())
    for at in spikes:
        text = "" if at > spikes[0] else "spike, cut"
        ax.plot(at, high + 0.08 * span, "v", color="0.5", markersize=2.5, label=text)
    ax.set_ylim(low - 0.15 * span, high + 0.45 * span)
    ax.text(0.012, 0.95, style.label(label), transform=ax.transAxes, va="top", fontweight="bold", color=color)
    ax.set_ylabel(f"Intensity\n/ {curves.intensity.attrs.get('units', '')}")
    if top or spikes:
        handles = ax.get_legend_handles_labels()[0][0 if top else -1 :]
        ax.legend(handles=handles, loc="upper right", fontsize=6, handlelength=1.5, borderaxespad=0.3, labelspacing=0.3)


def _residual(decomposed: Decomposition, ax: Axes) -> None:
    curves = decomposed.curves
    residual = (curves.intensity - curves.fit).where(~curves.struck) / decomposed.noise
    color = style.color(curves.attrs["sample"])
    ax.axhline(0, color=FIT, linewidth=0.5)
    ax.plot(curves.raman_shift, residual, ".", color=color, markersize=1.4, markeredgewidth=0)
    ax.set(ylim=(-5, 5), yticks=[-3, 0, 3], ylabel="Residual\n/ s.d.")


def _modes(decomposed: Decomposition, ax: Axes) -> float:
    """Draw the spectrum less baseline and the sample's own bands; return the height that it needs."""
    curves, modes, relative = decomposed.curves, decomposed.modes, decomposed.relative_to
    own = curves.component.sel(band=[name for name in decomposed.bands if name not in modes])
    scale = 100 / float(own.sel(band=relative).max()) if relative else 1.0
    rest = (curves.intensity - curves.baseline - own.sum("band")).where(~curves.struck) * scale
    shift = curves.raman_shift
    ax.axhline(0, color="0.2", linewidth=0.6, linestyle="--")
    ax.plot(shift, rest, ".", color=style.color(curves.attrs["sample"]), markersize=2, markeredgewidth=0)
    for name, mode in modes.items():
        component = curves.component.sel(band=name) * scale
        ax.axvline(mode.expected, ymax=0.8, color=MODE, linewidth=0.5, linestyle=":")
        position, half = mode.position.value, mode.position.half_width
        if mode.present and position is not None and half is not None:
            ax.fill_between(shift, 0, component, color=MODE, alpha=0.5, linewidth=0)
            at, text = float(component.max()), f"{position:.1f} ± {half:.1f}"
        else:
            position, at = mode.expected, mode.height.high or 0.0
            text = f"< {at:.1f}{' %' if relative else ''}"
            bar = [position - LIMIT_HALF_LENGTH, position + LIMIT_HALF_LENGTH]
            ax.plot(bar, [at, at], color=MODE, linewidth=0.8)
        ax.annotate(
            text, (position, at), (0, 2), textcoords="offset points", ha="center", fontsize=6, color=MODE, bbox=BOX
        )
    expected = [mode.expected for mode in modes.values()]
    left, right = min(expected) - BESIDE, max(expected) + BESIDE
    unit = f"%\nof the {relative} cm⁻¹ band" if relative else curves.intensity.attrs.get("units", "")
    ax.set(xlim=(left, right), ylabel=f"Height / {unit}")
    highest = float(rest.where((shift > left) & (shift < right)).max())
    return max([highest, *(mode.height.high for mode in modes.values() if mode.height.high is not None)])


def _lines(calibration: xr.Dataset, window: Sequence[float], ax: Axes) -> None:
    """Draw the correction of the recorded axis at each neon line, and the polynomial with its 95 % interval."""
    recorded = calibration.recorded.to_numpy()
    laser = neon.vacuum(calibration.excitation)
    off = neon.NM / laser - neon.NM / neon.vacuum(calibration.air.to_numpy()) - recorded
    used = calibration.verdict.to_numpy() == "used"
    grid = np.linspace(np.nanmin(recorded), np.nanmax(recorded), 200)
    axis = xr.Dataset(coords={"raman_shift": grid}, attrs={"excitation": calibration.excitation})
    curve = neon.calibrated(axis, calibration, 0.0)
    error = curve.raman_shift.to_numpy() - grid
    half = NORMAL * curve.axis_uncertainty
    ax.axvspan(*window, color="0.93", linewidth=0)
    ax.fill_between(grid, error - half, error + half, color=FIT, alpha=0.2, linewidth=0)
    ax.plot(grid, error, color=FIT, linewidth=0.8)
    ax.plot(recorded[used], off[used], "ko", markersize=2)
    ax.plot(recorded[~used], off[~used], "ko", markersize=2, fillstyle="none", markeredgewidth=0.5)
    ax.set(xlabel="Recorded Raman shift / cm⁻¹", ylabel="Axis correction\n/ cm⁻¹")
    ax.margins(x=0.02)
    ax.text(0.98, 0.08, f"{used.sum()} neon lines", transform=ax.transAxes, ha="right", va="bottom", fontsize=6)
