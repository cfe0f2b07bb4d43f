"""Powder patterns: measured points, fit, background, marked peaks, residuals, and rows of ticks for each phase."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from coldbond.bundle import style
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.findings.common import groups
from coldbond.xrd.peak_assignment import explaining_phases
from coldbond.xrd.plots.style import DOTS, FIT_COLOR, TALL, UNEXPLAINED_COLOR, formula, looked_for, shade, wrapped
from coldbond.xrd.reflections import reflections
from coldbond.xrd.structures import Structure, find

LINE_OF_TICKS = 5.0  # mm, of the ticks of a phase
LONGEST = 60  # characters of a line of a sample's name
APART = 0.17  # share of the height of a panel between two ticks
SAME_PEAK = 0.3  # degree: nearer peaks of replicates are marked once
VISIBLE_CONTAMINATION = 6.0  # standard errors of the mean deviation above which a line of the tube is labelled


def draw_patterns(
    fig: Figure | SubFigure, analyses: Mapping[str, Analysis], reference: str | Structure, row: float
) -> list[Axes]:
    """Draw each pattern with fit, background, marked peaks and normalised residuals, and the lines of all phases.

    Replicates lie over each other, each relative to its highest intensity.

    Parameters
    ----------
    fig : matplotlib.figure.Figure or SubFigure
    analyses : mapping of str to Analysis
    reference : str or Structure
        By its name in `structures.STRUCTURES`, or its structure; its lines are drawn at the angles of its own cell.
    row : float
        Height of a pattern with its residuals, mm.

    Returns
    -------
    list of matplotlib.axes.Axes
        Of the patterns.
    """
    known, phases, conditions = find(reference), looked_for(analyses), groups(analyses)
    present = [name for name in phases if any(_is_present(found, name) for found in analyses.values())]
    rows = len(dict.fromkeys([next(iter(analyses.values())).main.name, known.name])) + len(present)
    unit = row / (5 + 1.3)
    heights = [height for _ in conditions for height in (5 * unit, 1.3 * unit)] + [LINE_OF_TICKS * rows + 2]
    grid = fig.add_gridspec(len(heights), 1, height_ratios=heights, hspace=0.02)
    ticks = fig.add_subplot(grid[-1])
    axes = []
    for i, (name, labels) in enumerate(conditions.items()):
        ax, below = fig.add_subplot(grid[2 * i], sharex=ticks), fig.add_subplot(grid[2 * i + 1], sharex=ticks)
        held = {label: analyses[label] for label in labels}
        _pattern(ax, held, name, row, phases)
        _residuals(below, held)
        axes.append(ax)
    _tick_rows(ticks, analyses, known, present)
    low = min(float(found.pattern.two_theta[0]) for found in analyses.values())
    high = max(float(found.pattern.two_theta[-1]) for found in analyses.values())
    ticks.set(xlim=(low, high), xlabel="2θ / °")
    return axes


def _is_present(found: Analysis, name: str) -> bool:
    return name in found.detections and found.detections[name].present


def _square_root_scale(ax: Axes) -> None:
    """Set a square-root scale: counting noise has one height everywhere, and weak peaks show beside strong ones."""
    ax.set_yscale("function", functions=(lambda y: np.sqrt(np.maximum(y, 0)), np.square))


def _pattern(ax: Axes, held: Mapping[str, Analysis], name: str, row: float, phases: Sequence[str]) -> None:
    """Draw counts, fit and background of the patterns of a condition."""
    first, alone = next(iter(held.values())), len(held) == 1
    color = style.color(first.pattern.attrs["sample"])
    dots = DOTS if alone else DOTS | {"alpha": 0.5}
    least, top = np.inf, 0.0
    for label, found in held.items():
        curves, unit = found.fit.curves, _unit(found, alone)
        ax.plot(curves.two_theta, curves.intensity / unit, color=color, label=f"_{label}, measured", **dots)
        width = 0.5 if alone else 0.3
        ax.plot(curves.two_theta, curves.fit / unit, color=FIT_COLOR, linewidth=width, label=f"_{label}, fit")
        ax.plot(curves.two_theta, curves.background / unit, color="0.6", linewidth=0.6, label=f"_{label}, background")
        top = max(top, float(curves.intensity.max()) / unit)
        least = min(least, 0.5 * float(curves.background.min()) / unit)
    _square_root_scale(ax)
    lines = wrapped(name, LONGEST)
    room = 1.5 + 0.35 * lines.count("\n") * TALL / row  # for the name, above the highest line
    ax.set_ylim(max(least, 0), room * top)
    ax.set_yticks(_readable_ticks(top, max(least, 0), room * top))
    ax.minorticks_off()
    text = style.label(lines) + (f" (n = {len(held)})" if not alone else "")
    ax.annotate(
        text, (0.99, 1.0), (0, -3), xycoords="axes fraction", textcoords="offset points", ha="right", va="top",
        color=color,
    )  # fmt: skip
    counts = first.pattern.intensity.attrs.get("units") == "count"
    ax.set_ylabel(("Counts" if counts else "Intensity") if alone else "Intensity / %")
    ax.tick_params(labelbottom=False)
    _mark_stray_peaks(ax, held, phases)
    if alone:
        _mark_contamination(ax, first)


def _unit(found: Analysis, alone: bool) -> float:
    """Return what intensities are drawn relative to: of replicates a hundredth of the highest one."""
    return 1.0 if alone else float(found.fit.curves.intensity.max()) / 100


def _mark_stray_peaks(ax: Axes, held: Mapping[str, Analysis], phases: Sequence[str]) -> None:
    """Mark each stray peak with the mark of the phase that explains it, or a question mark; once for all replicates."""
    marked: list[tuple[float, str]] = []
    for found in held.values():
        strays, curves, unit = found.stray_peaks, found.fit.curves, _unit(found, len(held) == 1)
        for two_theta, fwhm, candidates in zip(
            strays.two_theta.to_numpy(), strays.fwhm.to_numpy(), found.assignments(), strict=True
        ):
            phase = next(iter(explaining_phases(candidates)), "")
            if any(phase == other and abs(two_theta - at) < SAME_PEAK for at, other in marked):
                continue
            marked.append((float(two_theta), phase))
            near = np.abs(curves.two_theta.to_numpy() - two_theta) < max(0.5 * fwhm, 0.1)
            height = 1.12 * float(curves.intensity.to_numpy()[near].max()) / unit
            if not phase:
                ax.text(two_theta, height, "?", color=UNEXPLAINED_COLOR, ha="center", fontweight="bold")
                continue
            color, mark = shade(phase, phases)
            look: dict[str, Any] = {"color": color, "marker": mark, "markersize": 2.6, "markeredgewidth": 0}
            ax.plot(two_theta, height, linestyle="none", label=f"_stray peak of {formula(phase)}", **look)


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


def _readable_ticks(top: float, least: float, most: float) -> list[float]:
    """Return round values at about equal distances on a square-root scale from `least` to `most`."""
    wanted = top * (np.array([0.5, 1.0, 1.4]) / 1.4) ** 2
    ticks: list[float] = []
    span = np.sqrt(most) - np.sqrt(least)
    for value in wanted[::-1]:  # the highest one first: of two that would collide it stays
        unit = 10 ** np.floor(np.log10(value))
        tick = float(np.floor(value / unit) * unit)
        if tick > least and all(np.sqrt(other) - np.sqrt(tick) > APART * span for other in ticks):
            ticks.append(tick)
    return sorted(ticks)


def _residuals(ax: Axes, held: Mapping[str, Analysis]) -> None:
    """Draw the residuals over their standard uncertainty."""
    ax.axhline(0, color="0.6", linewidth=0.5)
    most = 5.0
    for label, found in held.items():
        curves = found.fit.curves
        deviations = ((curves.intensity - curves.fit) / curves.standard_uncertainty).to_numpy()
        color = "0.25" if len(held) == 1 else style.color(found.pattern.attrs["sample"])
        width = 0.35 if len(held) == 1 else 0.2
        ax.plot(curves.two_theta, deviations, color=color, linewidth=width, label=f"_{label}, residual")
        most = max(most, float(np.quantile(np.abs(deviations), 0.995)))
    tick = round(0.8 * most)
    ax.set_ylim(-1.15 * most, 1.15 * most)
    ax.set_yticks([-tick, 0, tick], labels=[f"−{tick}", "", f"{tick}"])
    ax.set_ylabel("Δ/σ")
    ax.tick_params(labelbottom=False)


def _tick_rows(ax: Axes, analyses: Mapping[str, Analysis], reference: Structure, present: Sequence[str]) -> None:
    """Draw a row of ticks for the main phase, the reference and each phase that is present."""
    first = next(iter(analyses.values()))
    low, high = first.residuals.two_theta[[0, -1]]
    main = first.fit.reflections
    rows = [(f"{formula(first.main.name)}, fitted", "0.15", main.two_theta.to_numpy(), _relative(main.area.to_numpy()))]
    if reference.name != first.main.name:
        known = reflections(reference, first.residuals.wavelengths[0], (low, high))
        row = (
            f"{formula(reference.name)}, reference",
            "0.5",
            known.two_theta.to_numpy(),
            known.relative_intensity.to_numpy(),
        )
        rows.append(row)
    for name in present:
        found = next(found for found in analyses.values() if _is_present(found, name))
        detection = found.detections[name]
        at = detection.positions(found.residuals)
        color = shade(name, looked_for(analyses))[0]
        rows.append((formula(name), color, at, 100 * detection.lines.powder))
    for i, (label, color, at, strength) in enumerate(rows):
        top = -i - 0.85 + 0.75 * np.sqrt(np.clip(strength, 1, 100) / 100)
        ax.vlines(at, -i - 0.85, top, color=color, linewidth=0.7, label=f"_{label}")
        ax.text(high - 0.005 * (high - low), -i - 0.1, label, color=color, ha="right", va="top", fontsize=5.5).set_bbox(
            dict(facecolor="white", edgecolor="none", pad=0.4, alpha=0.8)
        )
    ax.set(ylim=(-len(rows), 0.1), yticks=[])


def _relative(area: np.ndarray) -> np.ndarray:
    return 100 * np.maximum(area, 0) / area.max()
