"""Backgrounds of inelastically scattered electrons, on an ascending scale of binding energy.

An "active" background is a linear function of the lines that cause it, so that it is fitted together with them and the
intensity stays linear in their areas for a given strength: `shirley` gives a step behind each line, `tougaard` the
convolution of each line with an energy-loss function. `iterative_shirley` is the classical background through both
ends of a spectrum, which is found before the fit and subtracted.
"""

from collections.abc import Callable

import numpy as np
from scipy.integrate import cumulative_trapezoid

#: Turns lines, shape (..., energies), into the backgrounds that they cause at unit strength.
Background = Callable[[np.ndarray], np.ndarray]

#: Universal loss function of metals and their oxides, eV^2 (Tougaard 1987, Solid State Commun. 61, 547,
#: doi 10.1016/0038-1098(87)90166-9).
UNIVERSAL_B, UNIVERSAL_C = 2866.0, 1643.0


def shirley(energy: np.ndarray) -> Background:
    """Return the function that gives the Shirley steps of lines over these energies, for a strength in 1/eV.

    A step is proportional to the integral of the line up to each energy, with one strength for all lines: the active
    Shirley background (Herrera-Gomez et al. 2014, Surf. Interface Anal. 46, 897, doi 10.1002/sia.5453).
    """
    half = np.diff(energy) / 2

    def steps(lines: np.ndarray) -> np.ndarray:
        # The trapezoidal rule of scipy's cumulative_trapezoid, whose checks would take a third of the time of a fit.
        found = np.zeros(lines.shape)
        np.cumsum((lines[..., 1:] + lines[..., :-1]) * half, axis=-1, out=found[..., 1:])
        return found

    return steps


def tougaard(energy: np.ndarray, power: int = 1, c: float = UNIVERSAL_C) -> Background:
    """Return the function that gives the energy losses of lines over these energies, for a unit strength.

    The loss function is T^p / (C + T^2)^2 with the energy loss T. With the power p = 1 and the strength B = 2866 eV^2
    it is the universal one (Tougaard 1988, Surf. Interface Anal. 11, 453, doi 10.1002/sia.740110902; 1997, 25, 137,
    doi 10.1002/(SICI)1096-9918(199703)25:3<137::AID-SIA230>3.0.CO;2-L). Within a window much narrower than sqrt(C),
    41 eV, B and C cannot be determined both, and C is fixed. A band gap or a plasmon near by changes it: a step and the
    powers 1 and 2 are then the first terms of the loss function as a power series in T.
    """
    loss_energy = np.maximum(energy[:, np.newaxis] - energy, 0)
    loss = (loss_energy**power / (c + loss_energy**2) ** 2 * np.gradient(energy)).T
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
        The iteration ends when the background changes by less than this share of the height of the step.
    most : int
        Largest number of iterations.

    Returns
    -------
    array, shape (n,)
        In the unit of the intensity (Proctor and Sherwood 1982, Anal. Chem. 54, 13, doi 10.1021/ac00238a008).

    Raises
    ------
    ValueError
        The iteration does not converge: there is no peak between the ends.
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
        "widen the window, or use the background 'active shirley'"
    )
