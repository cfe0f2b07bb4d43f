"""Figures of powder patterns, each of a column of patterns and two panels that enlarge or compare."""

from collections.abc import Mapping, Sequence

import xarray as xr
from matplotlib.figure import Figure

from coldbond.bundle.style import letters
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.findings.common import groups
from coldbond.xrd.pawley import Instrument
from coldbond.xrd.plots.comparisons import draw_breadths, draw_shifts
from coldbond.xrd.plots.details import draw_enlarged, draw_reflection
from coldbond.xrd.plots.patterns import draw_patterns
from coldbond.xrd.plots.style import FORMULAS, FRAME, LEAST_ROWS, MOST, TALL, shade
from coldbond.xrd.shift import Comparison

__all__ = ["FORMULAS", "draw_broadening", "draw_phases", "height", "shade"]


def height(analyses: Mapping[str, Analysis]) -> float:
    """Return the height of the figure, mm: that of one page at most."""
    return FRAME + max(len(groups(analyses)), LEAST_ROWS) * _row(analyses)


def _row(analyses: Mapping[str, Analysis]) -> float:
    """Return the height of a pattern with its residuals, mm."""
    return min(TALL, MOST / max(len(groups(analyses)), LEAST_ROWS))


def draw_phases(
    fig: Figure,
    analyses: Mapping[str, Analysis],
    comparisons: Mapping[str, Comparison],
    reference: str,
    enlarged: Sequence[float],
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
    """
    low, high = enlarged
    left, right = fig.subfigures(1, 2, width_ratios=[2.1, 1], squeeze=False)[0]
    axes = draw_patterns(left, analyses, reference, _row(analyses))
    above, below = right.subplots(2, 1, height_ratios=[1.4, 1])
    draw_enlarged(above, analyses, low, high)
    draw_shifts(below, comparisons)
    letters([axes[0], above, below])


def draw_broadening(
    fig: Figure,
    analyses: Mapping[str, Analysis],
    lines: Mapping[str, xr.Dataset],
    reference: str,
    hkl: str,
    instrument: Instrument | None,
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
    """
    left, right = fig.subfigures(1, 2, width_ratios=[2.1, 1], squeeze=False)[0]
    axes = draw_patterns(left, analyses, reference, _row(analyses))
    above, below = right.subplots(2, 1, height_ratios=[1.2, 1])
    draw_reflection(above, analyses, hkl)
    draw_breadths(below, lines, analyses, instrument)
    letters([axes[0], above, below])
