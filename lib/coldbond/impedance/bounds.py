"""Bounds of a cell's resistances over all distributions of relaxation times.

Arcs of constant phase elements have distributions of one shape, with power-law tails. Those of real cells may differ,
and the same spectrum then gives resistances that differ by more than its noise. Here the cell is a resistor, an
inductor and any non-negative Debye elements R / (1 + i omega tau) in series, which is linear in all of its parameters.
The resistance is held at trial values, the others are solved for by non-negative least squares (Lawson and Hanson 1974,
doi 10.1137/1.9781611971217), and a value is allowed if chi square rises by no more than in a fit with one parameter
held (Rust and Burrus 1972, Mathematical Programming and the Numerical Solution of Linear Equations; Stanley, Patil and
Kuusela 2022, doi 10.1088/1748-0221/17/10/P10013).
"""

from collections.abc import Callable, Collection

import numpy as np
from scipy import optimize

from coldbond.impedance import circuits, fit
from coldbond.interval import Interval, student

#: Time constants of the Debye elements: how many a decade, and how many decades beyond the fastest point.
TIMES_PER_DECADE, BEYOND_FASTEST = 8, 1.0
#: Exponents of the elements that let no direct current pass. That of a constant phase element is not known: a sum of
#: several stands for it.
TAILS = {"W": (0.5,), "C": (1.0,), "Q": (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)}
#: Multiples of the fitted time constant of diffusion over a finite length; a sum of these stands for it.
LENGTHS = (0.5, 0.7, 1.0, 1.4, 2.0)
#: Weight that holds the resistance, as a multiple of the root of chi square: even intervals of 1e-4 of the value are
#: not blurred by it.
CONSTRAINT_WEIGHT = 1e5
#: Share of the sum of squares that is rounding error of the computation.
ROUNDING = 1e-10
#: First step from the value and largest distance from it at which a bound is looked for, as a share of the value, and
#: the accuracy of a bound, as a share of its distance.
FIRST_STEP, LARGEST_STEP, ACCURACY = 2e-3, 1e3, 0.02
#: Least value by which steps are scaled, as a share of the least modulus, where the resistance is nearly zero.
LEAST_SCALE = 1e-3
#: A minimum of the imaginary part is the least within so many decades on either side.
PLATEAU_HALF_WIDTH = 0.5


def of_part(
    frequency: np.ndarray,
    impedance: np.ndarray,
    weights: np.ndarray,
    part: str,
    boundary: float,
    tails: Collection[fit.Tail] = (),
    slowest: float | None = None,
) -> Interval:
    """Return the resistance of a part of the cell, with the least and the greatest that a spectrum allows, at 95 %.

    Parameters
    ----------
    frequency, impedance, weights : array, shape (n,)
        In Hz, ohm, 1/ohm.
    part : {"electrolyte", "interface", "total"}
        Processes faster than the boundary, with the resistor; slower ones; or all.
    boundary : float
        In s.
    tails : collection of fit.Tail
        Elements in series that are no arcs, from `fit.tails`.
    slowest : float, optional
        Time constant [s] of the slowest process that belongs to interface and total where there is a tail, from
        `fit.end_of_arcs`; the default is that of the lowest frequency.

    Returns
    -------
    Interval
        In ohm; None where there is no bound. Interface and total of a cell with a constant phase element in series are
        not determined unless the imaginary part has a minimum between arcs and tail.
    """
    is_open = any(one.kind == "Q" for one in tails) and not _has_plateau(frequency, impedance, boundary)
    if part != "electrolyte" and is_open:
        return Interval(None)
    s = 2j * np.pi * frequency
    first, last = -np.log10(np.abs(s).max()) - BEYOND_FASTEST, -np.log10(np.abs(s).min())
    if part != "electrolyte" and tails and slowest is not None:
        last = min(last, np.log10(slowest))
    tau = np.logspace(first, last, max(int((last - first) * TIMES_PER_DECADE) + 1, 2))
    shapes = _shapes(tails, frequency)
    # Columns: resistor, Debye elements, inductor, tails; `share` is the part's share in each amplitude.
    elements = np.array([s**0, *(1 / (1 + s * one) for one in tau), s, *shapes])
    slow = np.concatenate([[0.0], fit.slow_share(tau, boundary), np.zeros(1 + len(shapes))])
    everything = np.concatenate([np.ones(1 + tau.size), np.zeros(1 + len(shapes))])
    share = {"electrolyte": everything - slow, "interface": slow, "total": everything}[part]
    matrix, target = _stacked(elements * weights).T, _stacked(impedance * weights)
    norms = np.linalg.norm(matrix, axis=0)
    matrix, share = matrix / norms, share / norms
    amplitudes = _nonnegative(matrix, target)
    residual = target - matrix @ amplitudes
    least = max(float(residual @ residual), ROUNDING * float(target @ target))
    freedom = max(fit.effective_points(residual) - np.count_nonzero(amplitudes), 1.0)
    root_of_rise = np.sqrt(least / freedom) * student(freedom)
    value = float(share @ amplitudes)
    scale = max(value, LEAST_SCALE * float(np.abs(impedance).min()))
    # The triangular factor of a QR decomposition gives the same sums of squares with fewer rows.
    _, triangle = np.linalg.qr(np.column_stack([matrix, target]))
    held = np.vstack([triangle[:, :-1], CONSTRAINT_WEIGHT * np.sqrt(least) / scale * share])

    def beyond(side: int) -> Callable[[float], float]:
        def difference(step: float) -> float:
            """Root of the excess of chi square less that of what is allowed."""
            aim = CONSTRAINT_WEIGHT * np.sqrt(least) * (value / scale + side * step)
            x = _nonnegative(held, np.append(triangle[:, -1], aim))
            excess = float(np.sum((held[:-1] @ x - triangle[:, -1]) ** 2)) - least
            return float(np.sqrt(max(excess, 0.0)) - root_of_rise)

        return difference

    down, up = _root(beyond(-1), value / scale), _root(beyond(1), LARGEST_STEP)
    return Interval(value, None if down is None else value - down * scale, None if up is None else value + up * scale)


def _shapes(tails: Collection[fit.Tail], frequency: np.ndarray) -> list[np.ndarray]:
    """Impedances of which a sum with non-negative amplitudes stands for the tails."""
    exponents = {exponent for one in tails for exponent in TAILS.get(one.kind, ())}
    shapes = [(2j * np.pi * frequency) ** -exponent for exponent in sorted(exponents)]
    finite = {(one.kind, one.time * length) for one in tails if one.kind not in TAILS for length in LENGTHS}
    return shapes + [circuits.impedance(kind, {"R0": 1.0, "tau0": time}, frequency) for kind, time in sorted(finite)]


def _root(function: Callable[[float], float], last: float) -> float | None:
    """Step at which an increasing function is zero; None where it is negative up to the last, or not even at first."""
    inner, outer = 0.0, min(FIRST_STEP, last)
    if not function(inner) < 0:  # the rise is below the rounding errors of the constraint
        return None
    while function(outer) < 0:
        if outer >= last:
            return None
        inner, outer = outer, min(2 * outer, last)
    return float(optimize.brentq(function, inner, outer, xtol=ACCURACY * outer))


def _has_plateau(frequency: np.ndarray, impedance: np.ndarray, boundary: float) -> bool:
    """Whether the imaginary part has a minimum beyond the boundary, so that arcs end before the tail begins."""
    decade, height = np.log10(frequency), -impedance.imag
    near = np.abs(decade - decade[:, None]) <= PLATEAU_HALF_WIDTH
    inside = (decade > decade.min() + PLATEAU_HALF_WIDTH / 2) & (decade < -np.log10(2 * np.pi * boundary))
    return bool(np.any(inside & (height > 0) & (np.where(near, height, np.inf).min(axis=1) >= height)))


def _nonnegative(matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
    # scipy's default of three iterations a column is too few for columns as alike as these.
    return optimize.nnls(matrix, target, maxiter=30 * matrix.shape[1])[0]


def _stacked(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=-1)
