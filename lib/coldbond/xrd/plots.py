"""Powder patterns as a paper shows them: samples stacked, fit and residuals, references as rows of ticks."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle

from coldbond.bundle import figures
from coldbond.xrd import profile
from coldbond.xrd.analysis import Analysis, explanations
from coldbond.xrd.line_broadening import drawn, instrument_parts
from coldbond.xrd.pawley import Instrument
from coldbond.xrd.reflections import reflections
from coldbond.xrd.shift import Comparison
from coldbond.xrd.structures import STRUCTURES

#: One colour and mark a phase beside the main one (Wong 2011, doi 10.1038/nmeth.1618).
MARKS = ("v", "D", "s", "^", "o", "P", "X", "*", "<", ">")
SHADES = ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#882255", "#999933", "#332288", "#117733", "#44AA99", "#AA4499")
FORMULAS = {name: name.translate(figures.LOWERED) for name in STRUCTURES}
FIT = "#B00020"
BAND = 1.2  # distance of stacked patterns, over the height of one
STRAY = "0.35"  # colour of what no phase explains
DOTS = dict(linestyle="none", marker=".", markersize=1.1, markeredgewidth=0)


def shade(name: str) -> tuple[str, str]:
    """Return colour and mark of a phase, the same in every figure."""
    at = [key for key in STRUCTURES if key not in ("LLZTO", "Li5La3Nb2O12")].index(name)
    return SHADES[at % len(SHADES)], MARKS[at % len(MARKS)]


def patterns(fig: Figure | SubFigure, analyses: Mapping[str, Analysis], reference: str) -> list[Axes]:
    """Draw each pattern with fit, background, marked peaks and normalised residuals, and the reference lines below.

    Parameters
    ----------
    fig : matplotlib.figure.Figure or SubFigure
    analyses : mapping of str to Analysis
    reference : str
        Of `structures.STRUCTURES`; its lines are drawn where its own cell has them.

    Returns
    -------
    list of matplotlib.axes.Axes
        Of the patterns.
    """
    present = _present(analyses)
    rows = len(dict.fromkeys([next(iter(analyses.values())).main.name, reference])) + len(present)
    heights = [height for _ in analyses for height in (5, 1.3)] + [0.75 * rows + 0.3]
    grid = fig.add_gridspec(len(heights), 1, height_ratios=heights, hspace=0.02)
    ticks = fig.add_subplot(grid[-1])
    axes = []
    for i, (label, found) in enumerate(analyses.items()):
        ax, below = fig.add_subplot(grid[2 * i], sharex=ticks), fig.add_subplot(grid[2 * i + 1], sharex=ticks)
        _pattern(ax, found, label)
        _residual(below, found)
        axes.append(ax)
    _ticks(ticks, analyses, reference, present)
    low = min(float(found.pattern.two_theta[0]) for found in analyses.values())
    high = max(float(found.pattern.two_theta[-1]) for found in analyses.values())
    ticks.set(xlim=(low, high), xlabel="2θ / °")
    return axes


def _present(analyses: Mapping[str, Analysis]) -> list[str]:
    return [
        name
        for name in dict.fromkeys(name for found in analyses.values() for name in found.verdicts)
        if any(name in found.verdicts and found.verdicts[name].present for found in analyses.values())
    ]


def _root(ax: Axes) -> None:
    """Set a square-root scale: counting noise is equally high everywhere, and weak peaks show beside strong ones."""
    ax.set_yscale("function", functions=(lambda y: np.sqrt(np.maximum(y, 0)), np.square))


def _pattern(ax: Axes, found: Analysis, label: str) -> None:
    curves, color = found.fit.curves, figures.color(found.pattern.attrs["sample"])
    ax.plot(curves.two_theta, curves.intensity, color=color, **DOTS)
    ax.plot(curves.two_theta, curves.fit, color=FIT, linewidth=0.5)
    ax.plot(curves.two_theta, curves.background, color="0.6", linewidth=0.6)
    _root(ax)
    top = float(curves.intensity.max())
    ax.set_ylim(max(0.5 * float(curves.background.min()), 0), 1.5 * top)
    ax.set_yticks(_round_ticks(top))
    ax.minorticks_off()
    ax.text(0.99, 0.93, figures.label(label), transform=ax.transAxes, ha="right", va="top", color=color)
    ax.set_ylabel("Counts" if found.pattern.intensity.attrs.get("units") == "count" else "Intensity")
    ax.tick_params(labelbottom=False)
    _mark(ax, found)
    _contamination(ax, found)


def _mark(ax: Axes, found: Analysis) -> None:
    strays, curves = found.strays, found.fit.curves
    for two_theta, fwhm, row in zip(
        strays.two_theta.to_numpy(), strays.fwhm.to_numpy(), explanations(found), strict=True
    ):
        near = np.abs(curves.two_theta.to_numpy() - two_theta) < max(0.5 * fwhm, 0.1)
        height = 1.12 * float(curves.intensity.to_numpy()[near].max())
        if not row["explains"]:
            ax.text(two_theta, height, "?", color=STRAY, ha="center", fontweight="bold")
            continue
        color, mark = shade(row["explains"][0].split()[0])
        ax.plot(two_theta, height, color=color, marker=mark, markersize=2.6, markeredgewidth=0, linestyle="none")


def _contamination(ax: Axes, found: Analysis) -> None:
    """Name what another wavelength of the tube makes of the main phase's strongest reflection, where it is seen."""
    curves, lines = found.fit.curves, found.fit.reflections
    at = float(lines.two_theta[int(lines.area.to_numpy().argmax())])
    for name, wavelength in found.rest.contamination.items():
        ghost = np.degrees(2 * np.arcsin(np.sin(np.radians(at) / 2) * wavelength / found.rest.wavelengths[0]))
        near = curves.sel(two_theta=slice(ghost - 0.1, ghost + 0.1))
        misses = ((near.intensity - near.fit) / near.standard_uncertainty).to_numpy()
        if misses.size and misses.sum() / np.sqrt(misses.size) > 6:
            height = 1.15 * float(near.intensity.max())
            ax.text(ghost, height, name, color=STRAY, ha="center", va="bottom", fontsize=5.5, rotation=90)


def _round_ticks(top: float) -> list[float]:
    """Return values that lie about evenly on a square-root scale and are easy to read."""
    wanted = top * (np.array([0.5, 1.0, 1.4]) / 1.4) ** 2
    ticks = []
    for value in wanted:
        unit = 10 ** np.floor(np.log10(value))
        ticks.append(float(np.floor(value / unit) * unit))
    return sorted({0.0, *ticks} - {0.0})


def _residual(ax: Axes, found: Analysis) -> None:
    curves = found.fit.curves
    misses = ((curves.intensity - curves.fit) / curves.standard_uncertainty).to_numpy()
    ax.axhline(0, color="0.6", linewidth=0.5)
    ax.plot(curves.two_theta, misses, color="0.25", linewidth=0.35)
    most = max(5.0, float(np.quantile(np.abs(misses), 0.995)))
    ax.set_ylim(-1.15 * most, 1.15 * most)
    ax.set_yticks(
        [-round(0.8 * most), 0, round(0.8 * most)], labels=[f"−{round(0.8 * most)}", "", f"{round(0.8 * most)}"]
    )
    ax.set_ylabel("Δ/σ")
    ax.tick_params(labelbottom=False)


def _ticks(ax: Axes, analyses: Mapping[str, Analysis], reference: str, present: Sequence[str]) -> None:
    first = next(iter(analyses.values()))
    low, high = first.rest.two_theta[[0, -1]]
    main = first.fit.reflections
    rows = [
        (f"{FORMULAS[first.main.name]}, fitted", "0.15", main.two_theta.to_numpy(), _relative(main.area.to_numpy()))
    ]
    if reference != first.main.name:
        known = reflections(STRUCTURES[reference], first.rest.wavelengths[0], (low, high))
        row = (
            f"{FORMULAS[reference]}, reference",
            "0.5",
            known.two_theta.to_numpy(),
            known.relative_intensity.to_numpy(),
        )
        rows.append(row)
    for name in present:
        found = next(found for found in analyses.values() if name in found.verdicts and found.verdicts[name].present)
        verdict = found.verdicts[name]
        at = verdict.lines.positions(found.rest, verdict.strain)
        rows.append((FORMULAS[name], shade(name)[0], at, 100 * verdict.lines.powder))
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


def zoom(ax: Axes, analyses: Mapping[str, Analysis], low: float, high: float) -> None:
    """Draw a part of each pattern, stacked, with the fitted share of each phase beside the main one.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    analyses : mapping of str to Analysis
    low, high : float
        Degree.

    Notes
    -----
    All patterns are drawn to one scale, that of their main phase's strongest line; what is taller than the room for it
    is cut off.
    """
    heights = np.array([np.array(_heights(found, low, high)) / found.strongest for found in analyses.values()])
    beside, main = heights.max(axis=0)
    scale = 1.7 * beside if beside > 0 else 1.1 * main
    named = set()
    for i, (label, found) in enumerate(reversed(analyses.items())):
        curves = found.fit.curves.sel(two_theta=slice(low, high))
        color, unit = figures.color(found.pattern.attrs["sample"]), scale * found.strongest
        data, fit = (((curves[name] - curves.background) / unit + i * BAND) for name in ("intensity", "fit"))
        band = Rectangle((low, i * BAND - 0.1), high - low, 1.05, transform=ax.transData)
        ax.plot(curves.two_theta, data, color=color, **(DOTS | {"markersize": 1.8}))
        ax.plot(curves.two_theta, fit, color=FIT, linewidth=0.6)
        for line in ax.lines[-2:]:
            line.set_clip_path(band)  # what is taller is cut off, not drawn over the pattern above
        for name, verdict in found.verdicts.items():
            if verdict.present:
                share = _share(found, name).sel(two_theta=slice(low, high)) / unit + i * BAND
                legend = None if name in named else FORMULAS[name]
                named.add(name)
                ax.fill_between(share.two_theta, i * BAND, share, color=shade(name)[0], alpha=0.5, lw=0, label=legend)
        ax.text(
            0.02, i * BAND + 1.0, figures.label(label), transform=ax.get_yaxis_transform(), color=color, va="center"
        )
    top = BAND * len(analyses) + (0.25 if named else 0)
    ax.set(xlim=(low, high), ylim=(-0.1, top), yticks=[], xlabel="2θ / °", ylabel="Intensity above background")
    if named:
        ax.legend(loc="upper left", ncols=3, handlelength=1, borderaxespad=0.2, columnspacing=1, fontsize=6)


def _heights(found: Analysis, low: float, high: float) -> tuple[float, float]:
    """Return the tallest thing beside the main phase, 0 where nothing is above the noise, and the main phase's."""
    curves = found.fit.curves.sel(two_theta=slice(low, high))
    beside = [
        float(_share(found, n).sel(two_theta=slice(low, high)).max()) for n, v in found.verdicts.items() if v.present
    ]
    tallest = max(beside, default=0.0)
    noise = float(curves.standard_uncertainty.median())
    return (tallest if tallest > 3 * noise else 0.0), float((curves.fit - curves.background).max())


def draw(
    fig: Figure,
    analyses: Mapping[str, Analysis],
    comparisons: Mapping[str, Comparison],
    reference: str,
    part: Sequence[float],
) -> None:
    """Draw patterns, a part of them enlarged, and the shifts of their reflections.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    analyses, reference
        As for `patterns`.
    comparisons : mapping of str to Comparison
        As for `shifts`.
    part : sequence of float
        From where to where to enlarge, degree.
    """
    left, right = fig.subfigures(1, 2, width_ratios=[2.1, 1])
    axes = patterns(left, analyses, reference)
    above, below = right.subplots(2, 1, height_ratios=[1.4, 1])
    zoom(above, analyses, *part)
    shifts(below, comparisons)
    figures.letters([axes[0], above, below])


def draw_breadths(
    fig: Figure,
    analyses: Mapping[str, Analysis],
    broad: Mapping[str, xr.Dataset],
    reference: str,
    hkl: str,
    instrument: Instrument | None,
) -> None:
    """Draw patterns, one reflection of all of them, and their breadths.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    analyses, reference
        As for `patterns`.
    broad, instrument
        As for `breadths`.
    hkl : str
        Of the reflection.
    """
    left, right = fig.subfigures(1, 2, width_ratios=[2.1, 1])
    axes = patterns(left, analyses, reference)
    above, below = right.subplots(2, 1, height_ratios=[1.2, 1])
    overlay(above, analyses, hkl)
    breadths(below, broad, analyses, instrument)
    figures.letters([axes[0], above, below])


def _share(found: Analysis, name: str) -> xr.DataArray:
    """Return a phase's part of the pattern as the whole-pattern fit has it."""
    phases = found.fit.curves.phases
    if name in phases.phase.to_numpy():
        return phases.sel(phase=name)
    verdict = found.verdicts[name]
    part = (
        verdict.area
        * verdict.lines.pattern(found.rest, verdict.strain, verdict.breadth, verdict.texture)
        * found.rest.uncertainty
    )
    return phases[0].copy(data=part)


def shifts(ax: Axes, comparisons: Mapping[str, Comparison]) -> None:
    """Draw how far reflections moved against the angle, and what a changed lattice and a lowered sample would give.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    comparisons : mapping of str to Comparison
        From `shift.compare`; of several only the model with both changes is drawn.
    """
    styles = {"lattice": ("-", "0.55", "lattice alone"), "displacement": (":", "0.35", "height alone")}
    for label, compared in comparisons.items():
        moved, color = compared.moved, figures.color(compared.after.pattern.attrs["sample"])
        several = len(comparisons) > 1
        for name, model in compared.models.items():
            line, grey, text = styles.get(
                name, ("-", color if several else FIT, figures.label(label) if several else "both")
            )
            if name == "both" or not several:
                ax.plot(model.curve.two_theta, model.curve, linestyle=line, color=grey, label=text)
        errors = 1.96 * moved.shift_error
        ax.errorbar(
            moved.two_theta, moved["shift"], errors, color=color, linestyle="none", marker="o", ms=2.2, elinewidth=0.7
        )
        ax.set_ylabel(f"Shift of 2θ from\n{figures.label(compared.first)} / °")
    if not comparisons:
        ax.set_axis_off()
        ax.text(0.5, 0.5, "one pattern: no shift", transform=ax.transAxes, ha="center")
        return
    ax.axhline(0, color="0.8", linewidth=0.5, zorder=0)
    ax.set(xlabel="2θ / °")
    ax.margins(y=0.25)
    ax.legend(loc="best", handlelength=1.8, fontsize=6)


def overlay(ax: Axes, analyses: Mapping[str, Analysis], hkl: str) -> None:
    """Draw one reflection of the main phase in each pattern, of equal height and about its own place."""
    for label, found in analyses.items():
        lines = found.fit.reflections
        named = ["".join(str(int(i)) for i in row) for row in np.stack([lines[n] for n in "hkl"], axis=1)]
        centre = float(lines.two_theta[named.index(hkl)])
        curves = found.fit.curves
        clean = curves.intensity - curves.background - curves.phases[1:].sum("phase")
        near = np.abs(curves.two_theta - centre) < 0.9
        height = float((curves.phases[0])[near].max())
        color = figures.color(found.pattern.attrs["sample"])
        ax.plot(curves.two_theta[near] - centre, clean[near] / height, color=color, **(DOTS | {"markersize": 2.2}))
        ax.plot(
            curves.two_theta[near] - centre, curves.phases[0][near] / height, color=color, label=figures.label(label)
        )
    ax.set(xlabel=f"2θ − 2θ({hkl}) / °", ylabel="Height normalised", ylim=(-0.05, 1.35), xlim=(-0.7, 0.9))
    ax.legend(loc="upper left", handlelength=1, fontsize=6, borderaxespad=0.2)


def breadths(
    ax: Axes, broad: Mapping[str, xr.Dataset], analyses: Mapping[str, Analysis], instrument: Instrument | None
) -> None:
    """Draw the integral breadth of each reflection against the angle, and that of the instrument.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    broad : mapping of str to xarray.Dataset
        From `single.reflections`.
    analyses : mapping of str to Analysis
    instrument : Instrument, optional
        To be drawn beside them.
    """
    broad = {label: drawn(found) for label, found in broad.items()}
    for label, found in broad.items():
        color = figures.color(analyses[label].pattern.attrs["sample"])
        ax.errorbar(
            found.two_theta, found.breadth, 1.96 * found.breadth_error, color=color, linestyle="none", marker="o",
            markersize=2.2, elinewidth=0.7, label=figures.label(label),
        )  # fmt: skip
    if instrument is not None:
        angle = np.linspace(15, 80, 100)
        squared, lorentzian = instrument_parts(angle, instrument.values, instrument.names).T
        own = profile.integral_breadth(*profile.mixed(np.sqrt(np.maximum(squared, 1e-12)), np.maximum(lorentzian, 0)))
        ax.plot(angle, own, color="0.5", linestyle="--", label="instrument")
    ax.set(
        xlabel="2θ / °",
        ylabel="Integral breadth / °",
        ylim=(0, 1.35 * max(float(f.breadth.max()) for f in broad.values())),
    )
    ax.legend(loc="upper left", handlelength=1.5, fontsize=6, borderaxespad=0.2)
