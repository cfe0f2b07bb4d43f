"""Whether points lie on a straight line: chi square, and bends, kinks, jumps and single wrong points.

Points that lie further from the line than their uncertainties allow are either no line or less certain than was stated.
A shape that describes them decides: it is held against the scatter that it leaves itself, with a correction for all
shapes and places that were tried.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import stats

#: Level of the two tests together, and of the shape that is named.
SIGNIFICANCE = 0.05
#: Fewest points, and different temperatures, of a test.
FEWEST_POINTS, FEWEST_TEMPERATURES = 4, 3


class Shape(NamedTuple):
    """How points lie.

    Attributes
    ----------
    kind : str
        "straight"; "bend" (a parabola), "kink" (two lines that meet), "jump" (two lines that do not meet); "point" (all
        but one on a line); "scatter" (further off than their uncertainties allow, in no shape that is found); or "few".
    probability : float
        p of a straight line; NaN for too few points.
    first : int
        Points of the first branch of a kink or jump, in the order of x; or the place of the wrong point.
    """

    kind: str
    probability: float = np.nan
    first: int = 0

    @property
    def is_straight(self) -> bool | None:
        """None where it cannot be told."""
        return {"straight": True, "bend": False, "kink": False, "jump": False}.get(self.kind)


def shape(x: np.ndarray, y: np.ndarray, deviation: np.ndarray) -> Shape:
    """Return how points lie.

    Parameters
    ----------
    x, y, deviation : array, shape (n,)
        In the order of x; standard deviations of y.

    Notes
    -----
    Chi square of the line, and how much a shape lowers it, are compared with their distributions for the stated
    uncertainties, at half of the level each; the best of m shapes by Bonferroni. If the line is excluded, the best
    shape is named where an F test, which needs no stated uncertainty, finds it too; else the points scatter.
    """
    n = x.size
    if n < FEWEST_POINTS or np.unique(x).size < FEWEST_TEMPERATURES:
        return Shape("few")
    line = np.stack([np.ones(n), x - x.mean()], axis=1)
    of_line = _chi_square(line, y, deviation)
    tried = [
        (kind, at, extra.shape[1], _chi_square(np.hstack([line, extra]), y, deviation))
        for kind, at, extra in _shapes(x)
    ]
    by_uncertainty = [float(stats.chi2.sf(of_line - chi, more)) for _, _, more, chi in tried]
    probability = 2 * min(float(stats.chi2.sf(of_line, n - 2)), len(tried) * min(by_uncertainty, default=1.0))
    probability = min(probability, 1.0)
    if probability >= SIGNIFICANCE:
        return Shape("straight", probability)
    found = []
    for kind, at, more, chi in tried:
        freedom = n - 2 - more
        if freedom > 0:
            scatter = max(chi / freedom, np.finfo(float).tiny)
            by_scatter = len(tried) * float(stats.f.sf((of_line - chi) / more / scatter, more, freedom))
            if by_scatter < SIGNIFICANCE:
                found.append((chi, scatter, more + (kind != "bend"), kind, at))
    if not found:
        return Shape("scatter", probability)
    # Of several, the simplest that is good enough: a place counts as a parameter (Bayesian information criterion).
    scale = max(1.0, min(scatter for _, scatter, *_ in found))
    *_, kind, at = min(found, key=lambda one: one[0] / scale + one[2] * np.log(n))
    if kind == "branches":
        kind = "kink" if _meet(x, y, deviation, at) else "jump"
    return Shape(kind, probability, at)


def _shapes(x: np.ndarray) -> Iterator[tuple[str, int, np.ndarray]]:
    """Kinds of shapes, their place, and the columns that they add to those of a line."""
    n = x.size
    yield "bend", 0, (x - x.mean())[:, None] ** 2
    for at in range(n):
        yield "point", at, np.eye(n)[:, at : at + 1]
    for first in range(2, n - 1):
        before = np.arange(n) < first
        if np.unique(x[before]).size > 1 and np.unique(x[~before]).size > 1 and x[first - 1] < x[first]:
            yield "jump", first, before[:, None].astype(float)
            yield "branches", first, np.stack([before, before * (x - x.mean())], axis=1).astype(float)


def _chi_square(design: np.ndarray, y: np.ndarray, deviation: np.ndarray) -> float:
    weighted = design / deviation[:, None]
    amplitudes = np.linalg.lstsq(weighted, y / deviation, rcond=None)[0]
    return float(np.sum((y / deviation - weighted @ amplitudes) ** 2))


def _meet(x: np.ndarray, y: np.ndarray, deviation: np.ndarray, first: int) -> bool:
    """Whether two branches meet between their nearest points, within two standard errors."""
    lines = [np.polyfit(x[of], y[of], 1, w=1 / deviation[of], cov="unscaled") for of in _parts(first)]
    (before, of_before), (after, of_after) = lines
    ends = np.stack([x[first - 1 : first + 1], np.ones(2)])
    error = np.sqrt(np.einsum("ie,ij,je->e", ends, of_before + of_after, ends))
    gaps = (after - before) @ ends
    return bool(np.min(gaps - 2 * error) <= 0 <= np.max(gaps + 2 * error))


def _parts(first: int) -> tuple[slice, slice]:
    return slice(first), slice(first, None)
