"""Figures of powder patterns, each of a column of patterns and two panels that enlarge or compare."""

from collections.abc import Mapping, Sequence

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from coldbond.bundle.style import letters
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.findings.common import groups
from coldbond.xrd.pawley import Instrument
from coldbond.xrd.plots.comparisons import draw_breadths, draw_replicates, draw_shifts
from coldbond.xrd.plots.details import draw_enlarged, draw_reflection
from coldbond.xrd.plots.patterns import draw_patterns
from coldbond.xrd.plots.style import FRAME, LEAST_ROWS, MOST, TALL, formula, shade
from coldbond.xrd.shift import Comparison
from coldbond.xrd.structures import Structure

__all__ = ["draw_broadening", "draw_phases", "formula", "height", "shade"]


def height(analyses: Mapping[str, Analysis]) -> float:
    """Return the height of the figure, mm: that of one page at most."""
    return FRAME + _rows(analyses) * _row(analyses)


def _rows(analyses: Mapping[str, Analysis]) -> int:
    return max(len(groups(analyses)), LEAST_ROWS + _has_replicates(analyses))


def _row(analyses: Mapping[str, Analysis]) -> float:
    """Return the height of a pattern with its residuals, mm."""
    rows = _rows(analyses)
    return min(TALL, MOST / rows)


def draw_phases(
    fig: Figure,
    analyses: Mapping[str, Analysis],
    comparisons: Mapping[str, Comparison],
    reference: str | Structure,
    enlarged: Sequence[float],
    values: Sequence[dict] = (),
) -> None:
    """Draw patterns, a part of them enlarged, and the shifts of their reflections.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    analyses, reference
        As for `patterns.draw_patterns`.
    comparisons : mapping of str to Comparison
        As for `comparisons.draw_shifts`.
    enlarged : sequence of float
        Lowest and highest angle of the enlarged part, degree.
    values : sequence of dict
        Findings, of which the lattice parameter of replicates and its mean are drawn.
    """
    low, high = enlarged
    left, right = fig.subfigures(1, 2, width_ratios=[2.1, 1], squeeze=False)[0]
    axes = draw_patterns(left, analyses, reference, _rows(analyses) * _row(analyses) / len(groups(analyses)))
    above, below, *more = _panels(right, analyses, 1.4)
    draw_enlarged(above, analyses, low, high)
    draw_shifts(below, comparisons)
    for ax in more:
        draw_replicates(ax, analyses, values, "lattice_parameter_a", "Lattice parameter a / Å")
    letters([axes[0], above, below, *more])


def draw_broadening(
    fig: Figure,
    analyses: Mapping[str, Analysis],
    lines: Mapping[str, xr.Dataset],
    reference: str | Structure,
    hkl: str,
    instrument: Instrument | None,
    values: Sequence[dict] = (),
) -> None:
    """Draw patterns, one reflection of all of them, and the breadths of their reflections.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    analyses, reference
        As for `patterns.draw_patterns`.
    lines, instrument
        As for `comparisons.draw_breadths`.
    hkl : str
        Indices of the reflection.
    values : sequence of dict
        Findings, of which the breadth of replicates and its mean are drawn.
    """
    left, right = fig.subfigures(1, 2, width_ratios=[2.1, 1], squeeze=False)[0]
    axes = draw_patterns(left, analyses, reference, _rows(analyses) * _row(analyses) / len(groups(analyses)))
    above, below, *more = _panels(right, analyses, 1.2)
    draw_reflection(above, analyses, hkl)
    draw_breadths(below, lines, analyses, instrument)
    for ax in more:
        draw_replicates(ax, analyses, values, "integral_breadth", "Mean integral breadth / °")
    letters([axes[0], above, below, *more])


def _panels(fig: SubFigure, analyses: Mapping[str, Analysis], first: float) -> Sequence[Axes]:
    """Return the panels beside the patterns: two, and one for the numbers of replicates where there are any."""
    ratios = [first, 1.0, 1.0] if _has_replicates(analyses) else [first, 1.0]
    return list(fig.subplots(len(ratios), 1, height_ratios=ratios))


def _has_replicates(analyses: Mapping[str, Analysis]) -> bool:
    return len(groups(analyses)) < len(analyses)
