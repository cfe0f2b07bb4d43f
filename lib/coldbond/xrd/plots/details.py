"""Enlarged parts of powder patterns: a range of angles with its phases, or one reflection of all samples."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from coldbond.bundle import style
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.findings.common import groups
from coldbond.xrd.plots.style import (
    DOTS,
    FIT_COLOR,
    LONGEST_ENTRY,
    MOST_INSIDE,
    formula,
    legend,
    looked_for,
    shade,
    shortened,
    wrapped,
)

BAND_DISTANCE = 1.2  # between stacked patterns, over the height of one
MANY = 4  # patterns above which their names are small
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
    named: set[str] = set()
    phases = looked_for(analyses)
    stacked = list(reversed(list(groups(analyses).items())))
    for i, (name, labels) in enumerate(stacked):
        for label in labels:
            found = analyses[label]
            curves = found.fit.curves.sel(two_theta=slice(low, high))
            color, unit = style.color(found.pattern.attrs["sample"]), scale * found.strongest_area
            base = i * BAND_DISTANCE
            data, fit = (((curves[part] - curves.background) / unit + base) for part in ("intensity", "fit"))
            band = Rectangle((low, base - 0.1), high - low, 1.05, transform=ax.transData)
            ax.plot(curves.two_theta, data, color=color, label=f"_{label}, measured", **(DOTS | {"markersize": 1.8}))
            width = 0.6 if len(labels) == 1 else 0.3
            ax.plot(curves.two_theta, fit, color=FIT_COLOR, linewidth=width, label=f"_{label}, fit")
            for line in ax.lines[-2:]:
                line.set_clip_path(band)  # taller peaks would cover the pattern above
            for phase, detection in found.detections.items():
                if detection.present:
                    share = _contribution(found, phase).sel(two_theta=slice(low, high)) / unit + base
                    ax.fill_between(
                        share.two_theta, base, share, color=shade(phase, phases)[0], alpha=0.5 / len(labels), lw=0,
                        label=f"_{label}, {formula(phase)}",
                    )  # fmt: skip
                    named.add(phase)
        ax.text(
            0.02, base + 1.0, shortened(name), transform=ax.get_yaxis_transform(), color=color, va="center",
            fontsize=7 if len(stacked) <= MANY else 6,
        )  # fmt: skip
    ax.set(xlim=(low, high), ylim=(-0.1, BAND_DISTANCE * len(stacked)), yticks=[])
    ax.set(xlabel="2θ / °", ylabel="Intensity above background")
    if named:
        handles = [Patch(facecolor=shade(phase, phases)[0], alpha=0.5, label=formula(phase)) for phase in sorted(named)]
        ax.legend(
            handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=4, handlelength=1, borderaxespad=0.2,
            columnspacing=1, fontsize=6,
        )  # fmt: skip


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
    """Draw one reflection of the main phase in each pattern, normalised in height and centred.

    A pattern that does not reach the reflection is not drawn, and the panel names it.
    """
    missing = []
    for name, labels in groups(analyses).items():
        for label in labels:
            found = analyses[label]
            lines, curves = found.fit.reflections, found.fit.curves
            named = ["".join(str(int(i)) for i in row) for row in np.stack([lines[n] for n in "hkl"], axis=1)]
            centre = float(lines.two_theta[named.index(hkl)]) if hkl in named else np.nan
            near = np.abs(curves.two_theta - centre) < 0.9
            height = float((curves.phases[0])[near].max()) if near.any() else 0.0
            if not height > 0:
                missing.append(label)
                continue
            clean = curves.intensity - curves.background - curves.phases[1:].sum("phase")
            color, angle = style.color(found.pattern.attrs["sample"]), curves.two_theta[near] - centre
            dots = DOTS | {"markersize": 2.2 if len(labels) == 1 else 1.4}
            ax.plot(angle, clean[near] / height, color=color, label=f"_{label}, measured", **dots)
            ax.plot(
                angle, curves.phases[0][near] / height, color=color, linewidth=0.8 if len(labels) == 1 else 0.4,
                label=shortened(name) if label == labels[0] else f"_{label}, fit",
            )  # fmt: skip
    ax.set(xlabel=f"2θ − 2θ({hkl}) / °", ylabel="Height normalised", ylim=(-0.05, 1.35), xlim=(-0.7, 0.9))
    if missing:
        text = wrapped(f"no {hkl} in {', '.join(missing)}", LONGEST_ENTRY)
        ax.text(0.98, 0.97, style.label(text), transform=ax.transAxes, fontsize=6, ha="right", va="top")
    if len(groups(analyses)) <= MOST_INSIDE:  # else the legend of the breadths names the colours
        legend(ax, "upper left")
