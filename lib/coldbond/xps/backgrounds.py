"""Backgrounds of inelastically scattered electrons below a line, on an ascending scale of binding energy.

With the line's own form in it the background is fitted together with the line ("active"), and for a given strength the
intensity stays linear in the areas.
"""

from collections.abc import Callable

import numpy as np
from scipy.integrate import cumulative_trapezoid

#: Universal loss function of metals and their oxides, eV^2 (Tougaard 1987, Solid State Commun. 61, 547,
#: doi 10.1016/0038-1098(87)90166-9).
UNIVERSAL_B, UNIVERSAL_C = 2866.0, 1643.0


def shirley(energy: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that turns lines over these energies into their steps, per strength in 1/eV.

    A step is as high as the line's area so far, and one strength serves all lines: the active Shirley background
    (Herrera-Gomez et al. 2014, Surf. Interface Anal. 46, 897, doi 10.1002/sia.5453).
    """
    half = np.diff(energy) / 2

    def steps(lines: np.ndarray) -> np.ndarray:  # scipy's cumulative_trapezoid without its checks, a third of a fit
        found = np.zeros(lines.shape)
        np.cumsum((lines[..., 1:] + lines[..., :-1]) * half, axis=-1, out=found[..., 1:])
        return found

    return steps


def tougaard(energy: np.ndarray, c: float = UNIVERSAL_C) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that turns lines over these energies into their losses, per strength B in eV^2.

    The loss function is B T / (C + T^2)^2 of the energy lost T, B = 2866 eV^2 for the universal one (Tougaard 1988,
    Surf. Interface Anal. 11, 453, doi 10.1002/sia.740110902; 1997, 25, 137,
    doi 10.1002/(SICI)1096-9918(199703)25:3<137::AID-SIA230>3.0.CO;2-L). Within a window much narrower than sqrt(C),
    41 eV, B and C cannot be told apart.
    """
    lost = np.maximum(energy[:, np.newaxis] - energy, 0)
    loss = (lost / (c + lost**2) ** 2 * np.gradient(energy)).T
    return lambda lines: lines @ loss


def iterative_shirley(
    energy: np.ndarray, intensity: np.ndarray, ends: int = 5, tolerance: float = 1e-6, most: int = 50
) -> np.ndarray:
    """Return Shirley's background through both ends of a spectrum.

    Parameters
    ----------
    energy, intensity : array, shape (n,)
        Binding energy ascending [eV], intensity in any unit.
    ends : int
        Points averaged at each end.
    tolerance : float
        Relative to the step's height; the iteration ends when the background changes by less.
    most : int
        Iterations after which it fails.

    Returns
    -------
    array, shape (n,)
        In the unit of the intensity (Proctor and Sherwood 1982, Anal. Chem. 54, 13, doi 10.1021/ac00238a008).

    Raises
    ------
    ValueError
        It does not converge: there is no peak between the ends.
    """
    first, last = intensity[:ends].mean(), intensity[-ends:].mean()
    background = np.full(intensity.shape, first)
    for _ in range(most):
        integral = cumulative_trapezoid(intensity - background, energy, initial=0)
        if not integral[-1] > 0:
            break
        before, background = background, first + (last - first) * integral / integral[-1]
        if np.abs(background - before).max() <= tolerance * abs(last - first):
            return background
    raise ValueError(
        "the iterative Shirley background does not converge: the window holds no peak between its ends; "
        "widen it, or take the background 'active shirley'"
    )
