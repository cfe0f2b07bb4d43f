"""How much the resistance of a cell changes while its spectrum is recorded.

A change during a sweep bends the spectrum in a way that no cell at rest does: the real part changes with frequency, and
no imaginary part goes with it. It is found with the model of `bounds`, any non-negative Debye elements in series, and
one more element: the impedance itself times the share of the sweep's time that has passed.
"""

from collections.abc import Callable

import numpy as np
from scipy import optimize

from coldbond.impedance import fit
from coldbond.interval import Interval, student

#: Time constants of the Debye elements: how many a decade, and how many decades beyond the fastest and slowest point.
TIMES_PER_DECADE, BEYOND = 5, 0.5
#: Exponents of elements in series that let no direct current pass: diffusion, and capacitors that are nearly ideal.
TAILS = (0.5, 0.75, 1.0)
#: Share of the sum of squares that is rounding error of the computation.
ROUNDING = 1e-10
#: First step from the value at which a bound is looked for, the largest, and the accuracy of a bound, relative to it.
FIRST_STEP, LARGEST_STEP, ACCURACY = 2e-3, 1.0, 0.05


def elapsed(frequency: np.ndarray) -> np.ndarray:
    """Return the share of a sweep's time that has passed at each point, shape (n,).

    The points are in the order in which they were recorded, and each takes the same number of periods, as it does where
    the program prescribes their number: nearly all of the time is spent in the slowest decade.
    """
    time = np.cumsum(1 / frequency)
    return time / time[-1]


def change(frequency: np.ndarray, impedance: np.ndarray, weights: np.ndarray) -> Interval:
    """Return the relative change of the cell's resistance during the sweep.

    Parameters
    ----------
    frequency, impedance, weights : array, shape (n,)
        In Hz, ohm and 1/ohm, in the order of recording.

    Returns
    -------
    Interval
        The 95 % interval; bounds that are not reached within 100 % are None.
    """
    s = 2j * np.pi * frequency
    ends = -np.log10(np.abs(s).max()) - BEYOND, -np.log10(np.abs(s).min()) + BEYOND
    tau = np.logspace(*ends, int((ends[1] - ends[0]) * TIMES_PER_DECADE) + 1)
    elements = [s**0, *(1 / (1 + s * one) for one in tau), s, *(s**-exponent for exponent in TAILS)]
    moved = (elapsed(frequency) - 0.5) * impedance
    columns = _stacked(np.array(elements) * weights)
    columns = (columns / np.linalg.norm(columns, axis=1)[:, None]).T
    whole, by_whole = _stacked(impedance * weights), _stacked(moved * weights)
    # The triangular factor of a QR decomposition gives the same sums of squares with fewer rows.
    _, triangle = np.linalg.qr(np.column_stack([columns, whole, by_whole]))
    matrix, target, by_change = triangle[:, :-2], triangle[:, -2], triangle[:, -1]

    def solved(at: float) -> tuple[np.ndarray, float]:
        x, distance = optimize.nnls(matrix, target - at * by_change, maxiter=30 * matrix.shape[1])
        return x, float(distance) ** 2

    best = optimize.minimize_scalar(
        lambda at: solved(at)[1], bracket=(-FIRST_STEP, FIRST_STEP), options={"xtol": 1e-3, "maxiter": 30}
    )
    value = float(np.clip(best.x, -LARGEST_STEP, LARGEST_STEP))
    x, least = solved(value)
    residual = whole - value * by_whole - columns @ x
    least = max(least, ROUNDING * float(target @ target))
    freedom = max(fit.effective_points(residual) - np.count_nonzero(x) - 1, 1.0)
    rise = least / freedom * student(freedom) ** 2

    def beyond(side: int) -> Callable[[float], float]:
        return lambda step: np.sqrt(max(solved(value + side * step)[1] - least, 0.0)) - np.sqrt(rise)

    bounds = [_root(beyond(side)) for side in (-1, 1)]
    low, high = (None if step is None else value + side * step for side, step in zip((-1, 1), bounds, strict=True))
    return Interval(value, low, high)


def _root(function: Callable[[float], float]) -> float | None:
    inner, outer = 0.0, FIRST_STEP
    while function(outer) < 0:
        if outer >= LARGEST_STEP:
            return None
        inner, outer = outer, min(2 * outer, LARGEST_STEP)
    return float(optimize.brentq(function, inner, outer, xtol=ACCURACY * outer))


def _stacked(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=-1)
