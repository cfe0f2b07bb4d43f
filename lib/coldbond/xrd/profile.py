"""Shape of one reflection in a powder pattern: pseudo-Voigt function, widths against angle, axial divergence.

A reflection is a Voigt function, the convolution of a Gaussian and a Lorentzian part. The pseudo-Voigt function of
Thompson, Cox and Hastings (1987, doi 10.1107/S0021889887087090) stands for it, with a maximal error of 1.2 %. The
Gaussian width follows Caglioti, Paoletti and Ricci (1958, doi 10.1016/0369-643X(58)90029-X), the Lorentzian one
crystallite size and strain. Axial divergence is a distribution of shifts after Cheary and Coelho (1998, doi
10.1107/S0021889898006876). All widths are full widths at half maximum, in degrees of two theta.
"""

from functools import cache
from math import log, pi, sqrt

import numpy as np

#: Area of a Gaussian over its height times its full width at half maximum.
_GAUSSIAN_SHAPE = sqrt(pi / log(2)) / 2

#: Exponents of two beyond which a Gaussian is set to its value there: the numbers stay normal in double and in single
#: precision; subnormal ones are ten times slower.
_LARGEST_EXPONENT, _LARGEST_EXPONENT_SINGLE = 1000.0, 100.0

#: Least squared Gaussian width, degree^2: the functions divide by the width. A thousandth of a degree is far below the
#: step of any scan.
_LEAST_SQUARED_WIDTH = 1e-6

#: Least Lorentzian width over the Gaussian one. Noise may carry a fitted width below zero; down to here the profile is
#: still a peak, narrower than the Gaussian, and an estimate without a bound at zero is unbiased.
_LEAST_LORENTZIAN = -0.2

_GAUSS_LEGENDRE_NODES = 24  # on each side of a Soller slit's triangular transmission


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
    gaussian = np.exp2(-np.minimum(square, _LARGEST_EXPONENT))
    return mixing * 2 / np.pi / fwhm / (1 + square) + (1 - mixing) / _GAUSSIAN_SHAPE / fwhm * gaussian


def derivatives(
    x: np.ndarray, fwhm: np.ndarray | float, mixing: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the Lorentzian and the Gaussian part of `pseudo_voigt`, and its derivative by `x`.

    Derivatives by the other parameters follow from these: by the mixing the difference of the two parts, by the width
    minus (function + x times derivative by x) over the width, since the function depends on x / fwhm.
    """
    square = (x * (2 / fwhm)) ** 2
    cauchy = 1 / (1 + square)
    gaussian = np.exp2(-np.minimum(square, _LARGEST_EXPONENT_SINGLE)) * (1 / (_GAUSSIAN_SHAPE * fwhm))
    lorentzian = cauchy * (2 / np.pi / fwhm)
    steep = cauchy * lorentzian * (-8 * mixing / fwhm**2) + gaussian * (-8 * log(2) * (1 - mixing) / fwhm**2)
    return lorentzian, gaussian, x * steep


def voigt_approximation(gaussian: np.ndarray | float, lorentzian: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Return full width at half maximum and mixing of the pseudo-Voigt function that approximates a Voigt function.

    Parameters
    ----------
    gaussian, lorentzian : float or array
        Full widths at half maximum of the two functions that are convolved.

    Notes
    -----
    Thompson, Cox and Hastings 1987, doi 10.1107/S0021889887087090, equations 5 and 7.
    """
    g, x = np.asarray(gaussian, float), np.asarray(lorentzian, float)
    fifth = g**5 + 2.69269 * g**4 * x + 2.42843 * g**3 * x**2 + 4.47163 * g**2 * x**3 + 0.07842 * g * x**4 + x**5
    fwhm = fifth**0.2
    ratio = x / fwhm
    return fwhm, 1.36603 * ratio - 0.47719 * ratio**2 + 0.11116 * ratio**3


def integral_breadth(fwhm: np.ndarray | float, mixing: np.ndarray | float) -> np.ndarray | float:
    """Return area over height of a pseudo-Voigt function, in the unit of `fwhm`."""
    return fwhm / (mixing * 2 / np.pi + (1 - mixing) / _GAUSSIAN_SHAPE)


def component_widths(
    two_theta: np.ndarray,
    u: np.ndarray | float,
    v: np.ndarray | float,
    w: np.ndarray | float,
    x: np.ndarray | float,
    y: np.ndarray | float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the full widths at half maximum [degree] of the Gaussian and the Lorentzian part at some angles.

    Parameters
    ----------
    two_theta : array
        Degree.
    u, v, w : float
        Degree^2: the Gaussian width squared is u tan^2 + v tan + w of the Bragg angle (Caglioti, Paoletti and Ricci
        1958, doi 10.1016/0369-643X(58)90029-X).
    x, y : float
        Degree: the Lorentzian width is x / cos + y tan of the Bragg angle. Crystallite size contributes to x; strain
        and the natural width of the emission lines contribute to y.
    """
    theta = np.radians(two_theta) / 2
    squared = u * np.tan(theta) ** 2 + v * np.tan(theta) + w
    gaussian = np.sqrt(np.maximum(squared, _LEAST_SQUARED_WIDTH))
    return gaussian, np.maximum(x / np.cos(theta) + y * np.tan(theta), _LEAST_LORENTZIAN * gaussian)


def axial_divergence(two_theta: float, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distribution of shifts that axial divergence of the beams gives a reflection.

    Parameters
    ----------
    two_theta : float
        Degree.
    nodes : int
        Number of shifts that represent the distribution, one for each of as many equal parts of its range.

    Returns
    -------
    shift, weight : array
        Shifts of the angle, ascending, per square of the divergence, all in radian, and their weights, with sum 1.

    Notes
    -----
    A ray that arrives at the angle b to the equatorial plane and leaves at c is scattered by 2 theta where the
    goniometer stands lower by ((b^2 + c^2) / 2 cos(2 theta) - b c) / sin(2 theta), to second order (Cheary and Coelho
    1998, doi 10.1107/S0021889898006876). Soller slits of the same aperture on both sides transmit b and c with
    triangular distributions between minus and plus the divergence. Unlike divergence of the diffracted beam alone
    (Finger, Cox and Jephcoat 1994, doi 10.1107/S0021889894004218) this broadens reflections near 90 degree too.
    """
    product, square, weight = _soller_rays()
    angle = np.radians(two_theta)
    shift = (product - square * np.cos(angle)) / np.sin(angle)
    lowest, highest = (np.array([-1, 1]) - np.cos(angle)) / np.sin(angle)  # b and c at their largest
    part = np.minimum((shift - lowest) / (highest - lowest) * nodes, nodes - 1).astype(int)
    total = np.bincount(part, weight, nodes)
    populated = total > 1e-9  # a part without rays has no mean shift
    return (np.bincount(part, weight * shift, nodes)[populated] / total[populated]), total[populated]


@cache
def _soller_rays() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return b c and (b^2 + c^2) / 2 of rays through both Soller slits, of divergence 1, and their weights."""
    at, weight = np.polynomial.legendre.leggauss(_GAUSS_LEGENDRE_NODES)
    # The triangle has a kink at zero: quadrature on either side of it converges, quadrature across it does not.
    at, weight = np.append(-1 - at, 1 + at) / 2, np.append(weight, weight)
    weight = weight * (1 - np.abs(at))
    squares = np.add.outer(at**2, at**2).ravel() / 2
    return np.outer(at, at).ravel(), squares, np.outer(weight, weight).ravel() / weight.sum() ** 2
