"""Enlarged parts of powder patterns: a range of angles with its phases, or one reflection of all samples."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from coldbond.bundle import style
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.plots.style import DOTS, FIT_COLOR, FORMULAS, shade

BAND_DISTANCE = 1.2  # between stacked patterns, over the height of one
NOISE_HEIGHTS = 3.0  # standard uncertainties above which a phase beside the main one sets the scale


def draw_enlarged(ax: Axes, analyses: Mapping[str, Analysis], low: float, high: float) -> None:
    """Draw a part of each pattern, stacked, with the fitted contribution of each phase beside the main one.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    analyses : mapping of str to Analysis
    low, high : float
        Degree.

    Notes
    -----
    All patterns have one scale, relative to the main phase's strongest line. Taller peaks are cut off.
    """
    heights = np.array([np.array(_tallest(found, low, high)) / found.strongest_area for found in analyses.values()])
    beside, main = heights.max(axis=0)
    scale = 1.7 * beside if beside > 0 else 1.1 * main
    named = set()
    for i, (label, found) in enumerate(reversed(list(analyses.items()))):
        curves = found.fit.curves.sel(two_theta=slice(low, high))
        color, unit = style.color(found.pattern.attrs["sample"]), scale * found.strongest_area
        data, fit = (((curves[name] - curves.background) / unit + i * BAND_DISTANCE) for name in ("intensity", "fit"))
        band = Rectangle((low, i * BAND_DISTANCE - 0.1), high - low, 1.05, transform=ax.transData)
        ax.plot(curves.two_theta, data, color=color, **(DOTS | {"markersize": 1.8}))
        ax.plot(curves.two_theta, fit, color=FIT_COLOR, linewidth=0.6)
        for line in ax.lines[-2:]:
            line.set_clip_path(band)  # taller peaks would cover the pattern above
        for name, detection in found.detections.items():
            if detection.present:
                share = _contribution(found, name).sel(two_theta=slice(low, high)) / unit + i * BAND_DISTANCE
                legend = None if name in named else FORMULAS[name]
                named.add(name)
                ax.fill_between(
                    share.two_theta, i * BAND_DISTANCE, share, color=shade(name)[0], alpha=0.5, lw=0, label=legend
                )
        ax.text(
            0.02,
            i * BAND_DISTANCE + 1.0,
            style.label(label),
            transform=ax.get_yaxis_transform(),
            color=color,
            va="center",
        )
    top = BAND_DISTANCE * len(analyses) + (0.25 if named else 0)
    ax.set(xlim=(low, high), ylim=(-0.1, top), yticks=[], xlabel="2θ / °", ylabel="Intensity above background")
    if named:
        ax.legend(loc="upper left", ncols=3, handlelength=1, borderaxespad=0.2, columnspacing=1, fontsize=6)


def _tallest(found: Analysis, low: float, high: float) -> tuple[float, float]:
    """Return the height of other phases, 0 where none is above the noise, and that of the fit."""
    curves = found.fit.curves.sel(two_theta=slice(low, high))
    beside = [
        float(_contribution(found, name).sel(two_theta=slice(low, high)).max())
        for name, detection in found.detections.items()
        if detection.present
    ]
    tallest = max(beside, default=0.0)
    noise = float(curves.standard_uncertainty.median())
    above = tallest if tallest > NOISE_HEIGHTS * noise else 0.0
    return above, float((curves.fit - curves.background).max())


def _contribution(found: Analysis, name: str) -> xr.DataArray:
    """Return a phase's part of the pattern in the whole-pattern fit; from its detection if it is not in that."""
    phases = found.fit.curves.phases
    if name in phases.phase.to_numpy():
        return phases.sel(phase=name)
    detection = found.detections[name]
    pattern = detection.lines.pattern(found.residuals, *detection.shape)
    return phases[0].copy(data=detection.best_area * pattern * found.residuals.uncertainty)


def draw_reflection(ax: Axes, analyses: Mapping[str, Analysis], hkl: str) -> None:
    """Draw one reflection of the main phase in each pattern, normalised in height and centred."""
    for label, found in analyses.items():
        lines = found.fit.reflections
        named = ["".join(str(int(i)) for i in row) for row in np.stack([lines[n] for n in "hkl"], axis=1)]
        centre = float(lines.two_theta[named.index(hkl)])
        curves = found.fit.curves
        clean = curves.intensity - curves.background - curves.phases[1:].sum("phase")
        near = np.abs(curves.two_theta - centre) < 0.9
        height = float((curves.phases[0])[near].max())
        color = style.color(found.pattern.attrs["sample"])
        ax.plot(curves.two_theta[near] - centre, clean[near] / height, color=color, **(DOTS | {"markersize": 2.2}))
        ax.plot(curves.two_theta[near] - centre, curves.phases[0][near] / height, color=color, label=style.label(label))
    ax.set(xlabel=f"2θ − 2θ({hkl}) / °", ylabel="Height normalised", ylim=(-0.05, 1.35), xlim=(-0.7, 0.9))
    ax.legend(loc="upper left", handlelength=1, fontsize=6, borderaxespad=0.2)
