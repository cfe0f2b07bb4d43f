"""Decomposed Raman spectra and the calibration of their axis, drawn."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coldbond.bundle import figures
from coldbond.raman import neon
from coldbond.raman.spikes import places

FIT, MODE, OWN = "#D55E00", "#009E73", "0.6"
BOX = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
BESIDE, MARK = 60.0, 15.0  # 1/cm beside the modes, and half the length of a limit's bar


def draw(fig: Figure, decomposed: Mapping[str, xr.Dataset], calibration: xr.Dataset | None) -> None:
    """Draw a row a sample, the spectrum beside what is left for the modes, and below these the lamp's lines.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`.
    decomposed : mapping of str to xarray.Dataset
        From `decomposition.decompose`.
    calibration : xarray.Dataset or None
        From `neon.axes`.
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
        heights.append(_remainder(spectrum, zooms[i]))
        for ax in (mains[i], rests[i], zooms[i]):
            ax.tick_params(labelbottom=i == n - 1 and ax is not mains[i])
    bounds = [float(edge(spectrum.raman_shift)) for edge in (np.min, np.max) for spectrum in decomposed.values()]
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
    figures.letters(lettered)


def _spectrum(spectrum: xr.Dataset, label: str, ax: Axes, *, top: bool) -> None:
    shift, baseline = spectrum.raman_shift.to_numpy(), spectrum.baseline.to_numpy()
    clean = spectrum.intensity.where(~spectrum.struck)
    color = figures.color(spectrum.attrs["sample"])
    low, high = float(baseline.min()), float(clean.max())
    span = high - low
    ax.plot(shift, clean, ".", color=color, markersize=2, markeredgewidth=0, label="data")
    for band in spectrum.band.to_numpy():
        one = spectrum.sel(band=band)
        if not one.looked_for:
            ax.plot(shift, baseline + one.component, color=OWN, linewidth=0.5)
            continue
        ax.axvline(one.expected, ymax=0.8, color=MODE, linewidth=0.5, linestyle=":")
        if one.present:
            ax.fill_between(shift, baseline, baseline + one.component, color=MODE, alpha=0.5, linewidth=0)
        if top:
            text = str(band).replace(" ", "\n", 1)
            ax.text(one.expected, high + 0.38 * span, text, color=MODE, ha="center", va="top", fontsize=6)
    ax.plot(shift, baseline, "--", color="0.2", linewidth=0.6, label="baseline")
    ax.plot(shift, spectrum.fit, color=FIT, linewidth=0.7, label="fit")
    own = spectrum.expected[~spectrum.looked_for]
    ax.plot(own, np.full(own.size, low - 0.08 * span), "|", color="0.3", markersize=4, markeredgewidth=0.7)
    hits = places(shift, spectrum.struck.to_numpy())
    for hit in hits:
        ax.plot(hit, high + 0.08 * span, "v", color="0.5", markersize=2.5, label="" if hit > hits[0] else "spike, cut")
    ax.set_ylim(low - 0.15 * span, high + 0.45 * span)
    ax.text(0.012, 0.95, figures.label(label), transform=ax.transAxes, va="top", fontweight="bold", color=color)
    ax.set_ylabel(f"Intensity\n/ {spectrum.intensity.attrs.get('units', '')}")
    if top or hits:
        handles = ax.get_legend_handles_labels()[0][0 if top else -1 :]
        ax.legend(handles=handles, loc="upper right", fontsize=6, handlelength=1.5, borderaxespad=0.3, labelspacing=0.3)


def _residual(spectrum: xr.Dataset, ax: Axes) -> None:
    residual = (spectrum.intensity - spectrum.fit).where(~spectrum.struck) / spectrum.noise
    color = figures.color(spectrum.attrs["sample"])
    ax.axhline(0, color=FIT, linewidth=0.5)
    ax.plot(spectrum.raman_shift, residual, ".", color=color, markersize=1.4, markeredgewidth=0)
    ax.set(ylim=(-5, 5), yticks=[-3, 0, 3], ylabel="Residual\n/ s.d.")


def _remainder(spectrum: xr.Dataset, ax: Axes) -> float:
    """Draw the spectrum less baseline and the sample's own bands; return how high it is."""
    modes = spectrum.isel(band=spectrum.looked_for.to_numpy())
    own = spectrum.component.isel(band=~spectrum.looked_for.to_numpy())
    relative = spectrum.relative_to
    scale = 100 / float(own.sel(band=relative).max()) if relative else 1.0
    rest = (spectrum.intensity - spectrum.baseline - own.sum("band")).where(~spectrum.struck) * scale
    shift = spectrum.raman_shift
    ax.axhline(0, color="0.2", linewidth=0.6, linestyle="--")
    ax.plot(shift, rest, ".", color=figures.color(spectrum.attrs["sample"]), markersize=2, markeredgewidth=0)
    for name in modes.band.to_numpy():
        mode = modes.sel(band=name)
        ax.axvline(mode.expected, ymax=0.8, color=MODE, linewidth=0.5, linestyle=":")
        if mode.present:
            ax.fill_between(shift, 0, mode.component * scale, color=MODE, alpha=0.5, linewidth=0)
            place, left, right = mode.position.to_numpy()
            at, text = float(mode.component.max()) * scale, f"{place:.1f} ± {(right - left) / 2:.1f}"
        else:
            place, at = float(mode.expected), float(mode.height[2])
            text = f"< {at:.1f}{' %' if relative else ''}"
            ax.plot([place - MARK, place + MARK], [at, at], color=MODE, linewidth=0.8)
        ax.annotate(
            text, (place, at), (0, 2), textcoords="offset points", ha="center", fontsize=6, color=MODE, bbox=BOX
        )
    left, right = float(modes.expected.min()) - BESIDE, float(modes.expected.max()) + BESIDE
    ax.set(
        xlim=(left, right),
        ylabel="Height / "
        + (f"%\nof the {relative} cm⁻¹ band" if relative else spectrum.intensity.attrs.get("units", "")),
    )
    return max(float(rest.where((shift > left) & (shift < right)).max()), float(modes.height.max()))


def _lines(calibration: xr.Dataset, window: Sequence[float], ax: Axes) -> None:
    """By how much the recorded axis is off where the lamp has its lines, and the polynomial with its 95 % interval."""
    recorded = calibration.recorded.to_numpy()
    laser = neon.vacuum(calibration.excitation)
    off = 1e7 / laser - 1e7 / neon.vacuum(calibration.air.to_numpy()) - recorded
    used = calibration.verdict.to_numpy() == "used"
    grid = np.linspace(np.nanmin(recorded), np.nanmax(recorded), 200)
    axis = xr.Dataset(coords={"raman_shift": grid}, attrs={"excitation": calibration.excitation})
    curve = neon.calibrated(axis, calibration, 0.0)
    error = curve.raman_shift.to_numpy() - grid
    half = 1.96 * curve.axis_uncertainty
    ax.axvspan(*window, color="0.93", linewidth=0)
    ax.fill_between(grid, error - half, error + half, color=FIT, alpha=0.2, linewidth=0)
    ax.plot(grid, error, color=FIT, linewidth=0.8)
    ax.plot(recorded[used], off[used], "ko", markersize=2)
    ax.plot(recorded[~used], off[~used], "ko", markersize=2, fillstyle="none", markeredgewidth=0.5)
    ax.set(xlabel="Recorded Raman shift / cm⁻¹", ylabel="Axis correction\n/ cm⁻¹")
    ax.margins(x=0.02)
    ax.text(0.98, 0.08, f"{used.sum()} neon lines", transform=ax.transAxes, ha="right", va="bottom", fontsize=6)
