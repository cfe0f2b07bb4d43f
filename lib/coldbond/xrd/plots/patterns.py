"""Powder patterns: measured points, fit, background, marked peaks, residuals, and rows of ticks for each phase."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from coldbond.bundle import style
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.peak_assignment import explaining_phases
from coldbond.xrd.plots.style import DOTS, FIT_COLOR, FORMULAS, UNEXPLAINED_COLOR, shade
from coldbond.xrd.reflections import reflections
from coldbond.xrd.structures import STRUCTURES

VISIBLE_CONTAMINATION = 6.0  # standard errors of the mean deviation above which a line of the tube is labelled


def draw_patterns(fig: Figure | SubFigure, analyses: Mapping[str, Analysis], reference: str) -> list[Axes]:
    """Draw each pattern with fit, background, marked peaks and normalised residuals, and the lines of all phases.

    Parameters
    ----------
    fig : matplotlib.figure.Figure or SubFigure
    analyses : mapping of str to Analysis
    reference : str
        Of `structures.STRUCTURES`; its lines are drawn at the angles of its own cell.

    Returns
    -------
    list of matplotlib.axes.Axes
        Of the patterns.
    """
    present = _present_phases(analyses)
    rows = len(dict.fromkeys([next(iter(analyses.values())).main.name, reference])) + len(present)
    heights = [height for _ in analyses for height in (5, 1.3)] + [0.75 * rows + 0.3]
    grid = fig.add_gridspec(len(heights), 1, height_ratios=heights, hspace=0.02)
    ticks = fig.add_subplot(grid[-1])
    axes = []
    for i, (label, found) in enumerate(analyses.items()):
        ax, below = fig.add_subplot(grid[2 * i], sharex=ticks), fig.add_subplot(grid[2 * i + 1], sharex=ticks)
        _pattern(ax, found, label)
        _residuals(below, found)
        axes.append(ax)
    _tick_rows(ticks, analyses, reference, present)
    low = min(float(found.pattern.two_theta[0]) for found in analyses.values())
    high = max(float(found.pattern.two_theta[-1]) for found in analyses.values())
    ticks.set(xlim=(low, high), xlabel="2θ / °")
    return axes


def _present_phases(analyses: Mapping[str, Analysis]) -> list[str]:
    """Return the phases that are present in any of the patterns."""
    names = dict.fromkeys(name for found in analyses.values() for name in found.detections)
    return [name for name in names if any(_is_present(found, name) for found in analyses.values())]


def _is_present(found: Analysis, name: str) -> bool:
    return name in found.detections and found.detections[name].present


def _square_root_scale(ax: Axes) -> None:
    """Set a square-root scale: counting noise has one height everywhere, and weak peaks show beside strong ones."""
    ax.set_yscale("function", functions=(lambda y: np.sqrt(np.maximum(y, 0)), np.square))


def _pattern(ax: Axes, found: Analysis, label: str) -> None:
    """Draw counts, fit and background of one pattern."""
    curves, color = found.fit.curves, style.color(found.pattern.attrs["sample"])
    ax.plot(curves.two_theta, curves.intensity, color=color, **DOTS)
    ax.plot(curves.two_theta, curves.fit, color=FIT_COLOR, linewidth=0.5)
    ax.plot(curves.two_theta, curves.background, color="0.6", linewidth=0.6)
    _square_root_scale(ax)
    top = float(curves.intensity.max())
    ax.set_ylim(max(0.5 * float(curves.background.min()), 0), 1.5 * top)
    ax.set_yticks(_readable_ticks(top))
    ax.minorticks_off()
    ax.text(0.99, 0.93, style.label(label), transform=ax.transAxes, ha="right", va="top", color=color)
    ax.set_ylabel("Counts" if found.pattern.intensity.attrs.get("units") == "count" else "Intensity")
    ax.tick_params(labelbottom=False)
    _mark_stray_peaks(ax, found)
    _mark_contamination(ax, found)


def _mark_stray_peaks(ax: Axes, found: Analysis) -> None:
    """Mark each stray peak with the mark of the phase that explains it, or a question mark."""
    strays, curves = found.stray_peaks, found.fit.curves
    for two_theta, fwhm, candidates in zip(
        strays.two_theta.to_numpy(), strays.fwhm.to_numpy(), found.assignments(), strict=True
    ):
        near = np.abs(curves.two_theta.to_numpy() - two_theta) < max(0.5 * fwhm, 0.1)
        height = 1.12 * float(curves.intensity.to_numpy()[near].max())
        phases = explaining_phases(candidates)
        if not phases:
            ax.text(two_theta, height, "?", color=UNEXPLAINED_COLOR, ha="center", fontweight="bold")
            continue
        color, mark = shade(phases[0])
        ax.plot(two_theta, height, color=color, marker=mark, markersize=2.6, markeredgewidth=0, linestyle="none")


def _mark_contamination(ax: Axes, found: Analysis) -> None:
    """Label the strongest reflection of the main phase at the other wavelengths of the tube, where it is visible."""
    curves, lines = found.fit.curves, found.fit.reflections
    at = float(lines.two_theta[int(lines.area.to_numpy().argmax())])
    for name, wavelength in found.residuals.contamination.items():
        ghost = np.degrees(2 * np.arcsin(np.sin(np.radians(at) / 2) * wavelength / found.residuals.wavelengths[0]))
        near = curves.sel(two_theta=slice(ghost - 0.1, ghost + 0.1))
        deviations = ((near.intensity - near.fit) / near.standard_uncertainty).to_numpy()
        # The mean deviation near the line, over its standard error.
        if deviations.size and deviations.sum() / np.sqrt(deviations.size) > VISIBLE_CONTAMINATION:
            height = 1.15 * float(near.intensity.max())
            ax.text(ghost, height, name, color=UNEXPLAINED_COLOR, ha="center", va="bottom", fontsize=5.5, rotation=90)


def _readable_ticks(top: float) -> list[float]:
    """Return round values at about equal distances on a square-root scale."""
    wanted = top * (np.array([0.5, 1.0, 1.4]) / 1.4) ** 2
    ticks = []
    for value in wanted:
        unit = 10 ** np.floor(np.log10(value))
        ticks.append(float(np.floor(value / unit) * unit))
    return sorted({0.0, *ticks} - {0.0})


def _residuals(ax: Axes, found: Analysis) -> None:
    """Draw the residuals over their standard uncertainty."""
    curves = found.fit.curves
    deviations = ((curves.intensity - curves.fit) / curves.standard_uncertainty).to_numpy()
    ax.axhline(0, color="0.6", linewidth=0.5)
    ax.plot(curves.two_theta, deviations, color="0.25", linewidth=0.35)
    most = max(5.0, float(np.quantile(np.abs(deviations), 0.995)))
    ax.set_ylim(-1.15 * most, 1.15 * most)
    ax.set_yticks(
        [-round(0.8 * most), 0, round(0.8 * most)], labels=[f"−{round(0.8 * most)}", "", f"{round(0.8 * most)}"]
    )
    ax.set_ylabel("Δ/σ")
    ax.tick_params(labelbottom=False)


def _tick_rows(ax: Axes, analyses: Mapping[str, Analysis], reference: str, present: Sequence[str]) -> None:
    """Draw a row of ticks for the main phase, the reference and each phase that is present."""
    first = next(iter(analyses.values()))
    low, high = first.residuals.two_theta[[0, -1]]
    main = first.fit.reflections
    rows = [
        (f"{FORMULAS[first.main.name]}, fitted", "0.15", main.two_theta.to_numpy(), _relative(main.area.to_numpy()))
    ]
    if reference != first.main.name:
        known = reflections(STRUCTURES[reference], first.residuals.wavelengths[0], (low, high))
        row = (
            f"{FORMULAS[reference]}, reference",
            "0.5",
            known.two_theta.to_numpy(),
            known.relative_intensity.to_numpy(),
        )
        rows.append(row)
    for name in present:
        found = next(found for found in analyses.values() if _is_present(found, name))
        detection = found.detections[name]
        at = detection.positions(found.residuals)
        rows.append((FORMULAS[name], shade(name)[0], at, 100 * detection.lines.powder))
    for i, (label, color, at, strength) in enumerate(rows):
        ax.vlines(
            at, -i - 0.85, -i - 0.85 + 0.75 * np.sqrt(np.clip(strength, 1, 100) / 100), color=color, linewidth=0.7
        )
        ax.text(high - 0.005 * (high - low), -i - 0.1, label, color=color, ha="right", va="top", fontsize=5.5).set_bbox(
            dict(facecolor="white", edgecolor="none", pad=0.4, alpha=0.8)
        )
    ax.set(ylim=(-len(rows), 0.1), yticks=[])


def _relative(area: np.ndarray) -> np.ndarray:
    return 100 * np.maximum(area, 0) / area.max()
