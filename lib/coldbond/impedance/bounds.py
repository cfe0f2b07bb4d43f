"""Bounds of a cell's resistances over all distributions of relaxation times.

Arcs beside constant phase elements have distributions of one shape, with tails as powers of the time constant. Those of
real cells may have others, and the same spectrum then gives resistances that differ by more than its noise.
"""

from collections.abc import Collection

import numpy as np
from scipy import optimize, stats

from coldbond.impedance import fit

CONFIDENCE = 0.975  # of each side
PER_DECADE = 8  # time constants
FASTER = 1.0  # decades beyond the fastest point
#: Decades before the slowest point at which the time constants end where a tail follows: what is slower is the tail's.
TAIL = 1.0
#: Exponents of the elements that let no direct current pass; where that of a constant phase element is not known, any.
TAILS = {"W": (0.5,), "C": (1.0,), "Q": (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)}
LARGE = 1e5  # so that even intervals of 1e-4 of the value are not blurred by how a value is held
NOTHING = 1e-10  # a share of the squares that is rounding alone
FIRST, LAST = 2e-3, 1e3  # steps from the value, as a share of it; no bound beyond the last
PLATEAU = 0.5  # decades on either side in which there is no smaller imaginary part


def of_part(
    frequency: np.ndarray,
    impedance: np.ndarray,
    weights: np.ndarray,
    part: str,
    boundary: float,
    tails: Collection[str],
) -> tuple[float | None, float | None]:
    """Return the least and the greatest resistance of a part of the cell that a spectrum allows, at 95 %.

    The cell is a resistor, an inductor and any Debye elements R / (1 + i omega tau) in series, eight a decade, none of
    them negative (Lawson and Hanson 1974). A value is allowed if chi square, with the part held there, rises by no more
    than a fit with one parameter held may (Rust and Burrus 1972, Mathematical Programming and the Numerical Solution of
    Linear Equations; Stanley, Patil and Kuusela 2022, doi 10.1088/1748-0221/17/10/P10013).

    Parameters
    ----------
    frequency, impedance, weights : array, shape (n,)
        In Hz, ohm, 1/ohm.
    part : {"electrolyte", "interface", "total"}
        Processes faster than the boundary, with the resistor; slower ones; or all.
    boundary : float
        In s.
    tails : collection of str
        Kinds of elements that let no direct current pass and are in series too: see `TAILS`.

    Returns
    -------
    low, high : float or None
        In ohm; None where there is no bound. Of a cell with a constant phase element in series, interface and total
        have none unless the imaginary part has a minimum between arcs and tail.
    """
    if part != "electrolyte" and "Q" in tails and not _has_plateau(frequency, impedance, boundary):
        return None, None
    s = 2j * np.pi * frequency
    ends = -np.log10(np.abs(s).max()) - FASTER, -np.log10(np.abs(s).min())
    if part != "electrolyte" and tails:
        ends = ends[0], ends[1] - TAIL
    tau = np.logspace(*ends, int(np.ptp(ends) * PER_DECADE) + 1)
    exponents = sorted({exponent for tail in tails for exponent in TAILS[tail]})
    columns = np.array([s**0, *(1 / (1 + s * one) for one in tau), s, *(s**-exponent for exponent in exponents)])
    slow = np.concatenate([[0.0], fit.slow_share(tau, boundary), np.zeros(1 + len(exponents))])
    all_of_it = np.concatenate([np.ones(1 + tau.size), np.zeros(1 + len(exponents))])
    share = {"electrolyte": all_of_it - slow, "interface": slow, "total": all_of_it}[part]
    matrix, target = _stacked(columns * weights).T, _stacked(impedance * weights)
    size = np.linalg.norm(matrix, axis=0)
    matrix, share = matrix / size, share / size
    found = _nonnegative(matrix, target)
    residual = target - matrix @ found
    least = max(float(residual @ residual), NOTHING * float(target @ target))
    freedom = max(fit.effective_points(residual) - np.count_nonzero(found), 1.0)
    wanted = np.sqrt(least / freedom) * stats.t.ppf(CONFIDENCE, freedom)
    value = float(share @ found)
    scale = max(value, 1e-3 * float(np.abs(impedance).min()))
    triangle = np.linalg.qr(np.column_stack([matrix, target]), mode="r")  # the same sums of squares, fewer rows
    held = np.vstack([triangle[:, :-1], LARGE * np.sqrt(least) / scale * share])

    def beyond(step: float, side: int) -> float:
        """Root of the excess of chi square over what is allowed."""
        aim = LARGE * np.sqrt(least) * (value / scale + side * step)
        x = _nonnegative(held, np.append(triangle[:, -1], aim))
        excess = float(np.sum((held[:-1] @ x - triangle[:, -1]) ** 2)) - least
        return np.sqrt(max(excess, 0.0)) - wanted

    ends = [_bound(lambda step, side=side: beyond(step, side), value / scale if side < 0 else LAST) for side in (-1, 1)]
    return tuple(None if end is None else value + side * end * scale for side, end in zip((-1, 1), ends, strict=True))


def _bound(beyond, last: float) -> float | None:
    """The step at which what is allowed is used up; None where it is not before the last."""
    inner, outer = 0.0, min(FIRST, last)
    while beyond(outer) < 0:
        if outer >= last:
            return None
        inner, outer = outer, min(2 * outer, last)
    return optimize.brentq(beyond, inner, outer, xtol=0.02 * outer)


def _has_plateau(frequency: np.ndarray, impedance: np.ndarray, boundary: float) -> bool:
    """Whether the imaginary part has a minimum beyond the boundary, so that arcs end before the tail begins."""
    place, height = np.log10(frequency), -impedance.imag
    near = np.abs(place - place[:, None]) <= PLATEAU
    inside = (place > place.min() + PLATEAU / 2) & (place < -np.log10(2 * np.pi * boundary))
    return bool(np.any(inside & (height > 0) & (np.where(near, height, np.inf).min(axis=1) >= height)))


def _nonnegative(matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
    return optimize.nnls(matrix, target, maxiter=30 * matrix.shape[1])[0]


def _stacked(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=-1)
