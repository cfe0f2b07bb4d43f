"""Curves that the course of a resistance over the cycles may follow, fitted by weighted linear least squares.

Every curve is `level + fall u(cycle) + slope max(cycle - break, 0)`, where u goes from 1 at the first cycle to 0. The
families differ in u:

- broken line: u is a straight line that ends at the break;
- fall until a knee: the same with an exponential of either curvature, which ends at the break;
- exponential fall: u goes on after the break, and has a settling time of its own;
- stretched exponential (Kohlrausch): the same with exp(-(t / tau)^beta), as of many processes with different times.

Each family of the last two has curves without a break too: the line begins at the first cycle.
"""

from dataclasses import dataclass

import numpy as np

#: Share of a fall after which it counts as over: three time constants of an exponential, a convention.
FALL_SHARE = 0.95
#: Exponents of the stretched exponential beside 1: from diffusion-like 0.5 on.
EXPONENTS = (0.5, 0.65, 0.8)
#: Curvature of a fall until a knee: time from the first cycle to the knee in time constants; negative: ever faster.
CURVATURES = (-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
#: Every which place of a break is tried for the stretched exponential, of which there are most curves.
COARSE = 4
#: Names of the families with their number of parameters.
FAMILIES = {
    "broken line": 4,
    "fall until a knee, then a line": 5,
    "exponential fall": 4,
    "exponential fall, then a line": 5,
    "stretched exponential": 5,
    "stretched exponential, then a line": 6,
}


@dataclass(frozen=True)
class Curves:
    """Curves of all families at a grid of breaks, settling times and exponents.

    Attributes
    ----------
    family : array of int, shape (curves,)
        Position in `FAMILIES`.
    breaks : array, shape (curves,)
        Cycle of the break; NaN for a curve without one.
    begins : array, shape (curves,)
        Cycle at which the straight line begins: the break, or the first cycle.
    settling : array, shape (curves,)
        Cycle at which 95 % of the fall is over.
    rate, exponent : array, shape (curves,)
        Of the exponential: exp(-(rate (cycle - first))^exponent). A rate of 0 is a straight line.
    first, last : float
    """

    family: np.ndarray
    breaks: np.ndarray
    begins: np.ndarray
    settling: np.ndarray
    rate: np.ndarray
    exponent: np.ndarray
    first: float
    last: float

    @classmethod
    def of(cls, cycle: np.ndarray, places: int, times: int) -> "Curves":
        """Return the curves for some cycles.

        Parameters
        ----------
        cycle : array, shape (n,)
        places : int
            Of the break in each interval between neighbouring cycles.
        times : int
            Number of settling times.
        """
        distinct = np.unique(np.asarray(cycle, float))
        first, last = float(distinct[0]), float(distinct[-1])
        inner = distinct[1:-1]
        fine = np.interp(np.linspace(0, inner.size - 1, places * (inner.size - 1) + 1), np.arange(inner.size), inner)
        coarse = fine[::COARSE]
        # A fall that is over before half of the first interval differs from none of half of it.
        over = np.geomspace((distinct[1] - first) / 2, last - first, times)
        # A smooth curve may settle after the last cycle; with six times the span it is about a parabola.
        longer = (last - first) * np.geomspace(1.2, 6.0, 10)
        beyond = -np.log(1 - FALL_SHARE)
        parts = []

        def add(family: int, begins: np.ndarray, settling: np.ndarray, rate: np.ndarray, exponent: float) -> None:
            begins, settling, rate = (np.ravel(x) for x in np.broadcast_arrays(begins, settling, rate))
            breaks = np.where(begins > first, begins, np.nan)
            each = np.full(begins.shape, exponent)
            parts.append((np.full(begins.shape, family), breaks, begins, settling, rate, each))

        add(0, fine, first + FALL_SHARE * (fine - first), np.zeros(1), 1.0)
        for curvature in CURVATURES:
            left = 1 - FALL_SHARE * -np.expm1(-curvature)
            add(1, fine, first - np.log(left) / curvature * (fine - first), curvature / (fine - first), 1.0)
        for exponent in (1.0, *EXPONENTS):
            smooth = 2 if exponent == 1 else 4
            all_times = np.append(over, longer)
            add(smooth, np.array([first]), first + all_times, beyond ** (1 / exponent) / all_times, exponent)
            at = fine if exponent == 1 else coarse
            add(smooth + 1, at[:, None], first + over, beyond ** (1 / exponent) / over, exponent)
        family, breaks, begins, settling, rates, exponents = map(np.concatenate, zip(*parts, strict=True))
        return cls(family, breaks, begins, settling, rates, exponents, first, last)

    def __getitem__(self, which: np.ndarray | slice) -> "Curves":
        """Return some of the curves."""
        family, breaks, begins, settling = (x[which] for x in (self.family, self.breaks, self.begins, self.settling))
        return Curves(family, breaks, begins, settling, self.rate[which], self.exponent[which], self.first, self.last)

    @property
    def steps(self) -> np.ndarray:
        """Places of the break from each curve to its neighbour."""
        return np.where((self.family == 5) & (self.exponent < 1), COARSE, 1)

    @property
    def parameters(self) -> np.ndarray:
        """Number of parameters of each curve."""
        return np.array([*FAMILIES.values()])[self.family]

    def design(self, cycle: np.ndarray) -> np.ndarray:
        """Return the columns of level, fall and slope at some cycles, shape (curves, cycles, 3)."""
        since = np.asarray(cycle, float) - self.first
        rate, exponent, end = self.rate[:, None], self.exponent[:, None], (self.begins - self.first)[:, None]
        knee = (self.family == 1)[:, None]
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            fallen = np.exp(-np.where(knee, rate * since, np.maximum(rate * since, 0) ** exponent))
            stop = np.exp(-rate * end)
            fallen = np.where(knee, (np.exp(-rate * np.minimum(since, end)) - stop) / (1 - stop), fallen)
            straight = (self.family == 0)[:, None]
            fallen = np.where(straight, 1 - np.minimum(since, end) / end, fallen)
        return np.stack([np.ones_like(fallen), fallen, np.maximum(since - end, 0)], axis=-1)


def solve(matrix: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit linear coefficients to values of unit variance.

    Parameters
    ----------
    matrix : array, shape (curves, n, 3)
        Divided by the standard uncertainties.
    value : array, shape (n,)
        The same.

    Returns
    -------
    coefficients : array, shape (curves, 3)
    covariance : array, shape (curves, 3, 3)
    squares : array, shape (curves,)
        Chi square.
    """
    # Gram and Schmidt for all curves at once: a loop over small matrices takes five times as long.
    triangle = np.zeros((len(matrix), 3, 3))
    columns: list[np.ndarray] = []
    projected, left = [], np.broadcast_to(value, matrix.shape[:2])
    for at in range(3):
        column = matrix[:, :, at]
        for before, one in enumerate(columns):
            triangle[:, before, at] = np.einsum("cn,cn->c", one, column)
            column = column - triangle[:, before, at, None] * one
        triangle[:, at, at] = np.sqrt(np.einsum("cn,cn->c", column, column))
        columns.append(column / triangle[:, at, at, None])
        projected.append(np.einsum("cn,cn->c", columns[at], left))
        left = left - projected[at][:, None] * columns[at]
    squares = np.einsum("cn,cn->c", left, left)
    (a, b, c), (_, d, e), (_, _, f) = triangle.transpose(1, 2, 0)
    inverse = np.zeros_like(triangle)
    inverse[:, 0, 0], inverse[:, 1, 1], inverse[:, 2, 2] = 1 / a, 1 / d, 1 / f
    inverse[:, 0, 1], inverse[:, 1, 2], inverse[:, 0, 2] = -b / (a * d), -e / (d * f), (b * e - c * d) / (a * d * f)
    return np.einsum("cpq,qc->cp", inverse, np.array(projected)), inverse @ inverse.swapaxes(1, 2), squares
