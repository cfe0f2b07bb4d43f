"""Shape of one reflection in a powder pattern: pseudo-Voigt function, widths against angle, axial divergence."""

from functools import cache
from math import log, pi, sqrt

import numpy as np

#: Area of a Gaussian over its height times its full width at half maximum.
_GAUSSIAN = sqrt(pi / log(2)) / 2


def pseudo_voigt(x: np.ndarray, fwhm: np.ndarray | float, mixing: np.ndarray | float) -> np.ndarray:
    """Return a pseudo-Voigt function of area 1.

    Parameters
    ----------
    x : array
        Distance from the centre.
    fwhm : float or array
        Full width at half maximum, in the unit of `x`.
    mixing : float or array
        Share of the Lorentzian in the area, 0 to 1.
    """
    square = (x * (2 / fwhm)) ** 2
    gaussian = np.exp2(-np.minimum(square, 1000.0))
    return mixing * 2 / np.pi / fwhm / (1 + square) + (1 - mixing) / _GAUSSIAN / fwhm * gaussian


def slopes(
    x: np.ndarray, fwhm: np.ndarray | float, mixing: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the Lorentzian and the Gaussian that `pseudo_voigt` mixes, and how much that changes with `x`."""
    square = (x * (2 / fwhm)) ** 2
    cauchy = 1 / (1 + square)
    gaussian = np.exp2(-np.minimum(square, 100.0)) * (1 / (_GAUSSIAN * fwhm))
    lorentzian = cauchy * (2 / np.pi / fwhm)
    steep = cauchy * lorentzian * (-8 * mixing / fwhm**2) + gaussian * (-8 * log(2) * (1 - mixing) / fwhm**2)
    return lorentzian, gaussian, x * steep


def mixed(gaussian: np.ndarray | float, lorentzian: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Return full width at half maximum and mixing of the pseudo-Voigt function that stands for a convolution.

    Parameters
    ----------
    gaussian, lorentzian : float or array
        Full widths at half maximum of the two that are convolved.

    Notes
    -----
    Thompson, Cox and Hastings 1987, doi 10.1107/S0021889887087090.
    """
    g, x = gaussian, lorentzian
    fifth = g**5 + 2.69269 * g**4 * x + 2.42843 * g**3 * x**2 + 4.47163 * g**2 * x**3 + 0.07842 * g * x**4 + x**5
    fwhm = fifth**0.2
    ratio = x / fwhm
    return fwhm, 1.36603 * ratio - 0.47719 * ratio**2 + 0.11116 * ratio**3


def integral_breadth(fwhm: np.ndarray | float, mixing: np.ndarray | float) -> np.ndarray | float:
    """Return area over height of a pseudo-Voigt function, in the unit of `fwhm`."""
    return fwhm / (mixing * 2 / np.pi + (1 - mixing) / _GAUSSIAN)


def widths(two_theta: np.ndarray, u: float, v: float, w: float, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    """Return full widths at half maximum [degree] of the Gaussian and the Lorentzian part at some angles.

    Parameters
    ----------
    two_theta : array
        Degree.
    u, v, w : float
        Degree^2: the Gaussian's width squared is u tan^2 + v tan + w of the Bragg angle (Caglioti, Paoletti and Ricci
        1958, doi 10.1016/0369-643X(58)90029-X).
    x, y : float
        Degree: the Lorentzian's is x / cos + y tan: small crystallites, and strain or the emission lines' own width.
    """
    theta = np.radians(two_theta) / 2
    squared = u * np.tan(theta) ** 2 + v * np.tan(theta) + w
    # Not below a thousandth of a degree, far under the step of any scan: the functions divide by the width.
    gaussian = np.sqrt(np.maximum(squared, 1e-6))
    # A little below zero the sum of both is still a peak, narrower than the Gaussian: noise may carry a fit there.
    return gaussian, np.maximum(x / np.cos(theta) + y * np.tan(theta), -0.2 * gaussian)


def axial(two_theta: float, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the axial divergence of the beams smears a reflection to.

    Parameters
    ----------
    two_theta : float
        Degree.
    nodes : int
        Number of angles that stand for the distribution, one for each of as many equal parts of its range.

    Returns
    -------
    shift, weight : array
        Shifts of the angle, rising, per square of the divergence, all in radian, and their weights, which add up to 1.

    Notes
    -----
    A ray that comes in at the angle b to the equatorial plane and leaves at c is scattered by 2 theta where the
    goniometer stands lower by ((b^2 + c^2) / 2 cos(2 theta) - b c) / sin(2 theta), to second order (Cheary and Coelho
    1998, doi 10.1107/S0021889898006876). Soller slits on both sides, of the same aperture, let b and c through with
    triangular distributions between plus and minus the divergence. Unlike divergence of the diffracted beam alone
    (Finger, Cox and Jephcoat 1994, doi 10.1107/S0021889894004218) this broadens reflections near 90 degree too.
    """
    product, square, weight = _rays()
    angle = np.radians(two_theta)
    shift = (product - square * np.cos(angle)) / np.sin(angle)
    lowest, highest = (np.array([-1, 1]) - np.cos(angle)) / np.sin(angle)  # where b and c are at their largest
    part = np.minimum((shift - lowest) / (highest - lowest) * nodes, nodes - 1).astype(int)
    total = np.bincount(part, weight, nodes)
    there = total > 1e-9
    return (np.bincount(part, weight * shift, nodes)[there] / total[there]), total[there]


@cache
def _rays() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return b c and (b^2 + c^2) / 2 of rays through both Soller slits, of divergence 1, and their weights."""
    at, weight = np.polynomial.legendre.leggauss(24)
    at, weight = np.append(-1 - at, 1 + at) / 2, np.append(weight, weight)  # on both sides of the triangle's top
    weight = weight * (1 - np.abs(at))
    squares = np.add.outer(at**2, at**2).ravel() / 2
    return np.outer(at, at).ravel(), squares, np.outer(weight, weight).ravel() / weight.sum() ** 2
