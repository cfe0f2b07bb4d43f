"""Shapes of photoemission lines, each with unit area over all energies unless it says otherwise.

`energy` is relative to the maximum of the line (Gaussian-Lorentzian shapes and Voigt) or to its singularity
(Doniach-Sunjic), on the scale of binding energy. Widths are full widths at half maximum. All are in eV, and all
arguments broadcast. The Voigt profile is the real part of the Faddeeva function; the Doniach-Sunjic line is convolved
with a Gaussian by a trapezoidal sum off the real axis. `DERIVATIVES` holds the shapes that have analytic derivatives.
"""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import erfcx, wofz

LN2 = np.log(2)
GAUSSIAN = 1 / np.sqrt(8 * LN2)  # standard deviation of a Gaussian of unit full width at half maximum

#: Trapezoidal sum over the Gaussian of a Doniach-Sunjic line: its offsets and how far above the real axis they lie, in
#: standard deviations, and its weights. These 19 terms give 8 digits, see `doniach_sunjic`.
OFFSET, ABOVE = np.arange(-9, 10) / 1.5, 2.0
NEAR_TERMS = OFFSET, ABOVE, np.exp((ABOVE**2 - OFFSET**2) / 2) / np.exp(-(OFFSET**2) / 2).sum()
#: Distance from the line from which on the sum of Gauss and Hermite does, in standard deviations, and that sum.
FAR = 8.0
HERMITE, HERMITE_WEIGHT = np.polynomial.hermite_e.hermegauss(7)
FAR_TERMS = HERMITE, 0.0, HERMITE_WEIGHT / HERMITE_WEIGHT.sum()
#: Lorentzian width below which a Doniach-Sunjic line does not change, eV: its singularity would reach the sum.
LEAST_LORENTZIAN = 0.02
#: Energy above its singularity up to which the area of a Doniach-Sunjic line counts, eV: about the width of the
#: occupied band, beyond which no electron-hole pair takes energy.
TAIL = 5.0
#: Mean energy of the tail of an exponential at an asymmetry of 1, eV: both kinds of tail then take about the same
#: share of a line beyond its half width.
EXPONENTIAL = 2.0
LAGUERRE, LAGUERRE_WEIGHT = np.polynomial.laguerre.laggauss(6)
LEAST_ASYMMETRY = 1e-4  # below which the derivative of the scale is that at this asymmetry
LEAST_MIXING = 1e-12  # a mixing of zero would divide by zero in the area of the product


def gaussian_lorentzian_product(energy: np.ndarray, fwhm: np.ndarray, mixing: np.ndarray) -> np.ndarray:
    """Return the product of a Gaussian and a Lorentzian, in 1/eV.

    It is exp(-4 ln2 (1 - m) x^2) / (1 + 4 m x^2) with x = energy / fwhm and the mixing m from 0 (Gaussian) to 1
    (Lorentzian), the GL(100 m) of most programs (Evans 1991, Surf. Interface Anal. 17, 85,
    doi 10.1002/sia.740170204). The full width of the product differs from `fwhm` by less than 5 %.
    """
    x2 = np.square(energy / fwhm)
    m = np.maximum(mixing, LEAST_MIXING)
    # A numerical derivative at the Lorentzian end takes a mixing slightly above 1.
    area = np.pi / (2 * np.sqrt(m)) * erfcx(np.sqrt(LN2 * np.maximum(1 - m, 0) / m)) * fwhm
    return np.exp(-4 * LN2 * (1 - m) * x2) / (1 + 4 * m * x2) / area


def gaussian_lorentzian_sum(energy: np.ndarray, fwhm: np.ndarray, mixing: np.ndarray) -> np.ndarray:
    """Return the sum of a Gaussian and a Lorentzian of one width, in 1/eV.

    `mixing` is the Lorentzian share of the height, from 0 to 1, the SGL(100 m) of most programs (Evans 1991,
    doi 10.1002/sia.740170204).
    """
    x2 = np.square(energy / fwhm)
    area = ((1 - mixing) * np.sqrt(np.pi / LN2) + mixing * np.pi) / 2 * fwhm
    return ((1 - mixing) * np.exp(-4 * LN2 * x2) + mixing / (1 + 4 * x2)) / area


def voigt(energy: np.ndarray, gaussian: np.ndarray, lorentzian: np.ndarray) -> np.ndarray:
    """Return the convolution of a Gaussian and a Lorentzian of these widths, in 1/eV.

    It is computed from the Faddeeva function (Olver et al. 2010, NIST Handbook of Mathematical Functions, 7.19);
    `gaussian` must be above 0.
    """
    scale = np.sqrt(2) * GAUSSIAN * gaussian
    return wofz((energy + 0.5j * lorentzian) / scale).real / (np.sqrt(np.pi) * scale)


def voigt_derivatives(energy: np.ndarray, gaussian: np.ndarray, lorentzian: np.ndarray) -> list[np.ndarray]:
    """Return `voigt` and its derivatives by each argument, from one evaluation of the Faddeeva function."""
    scale = np.sqrt(2) * GAUSSIAN * gaussian
    z = (energy + 0.5j * lorentzian) / scale
    w, factor = wofz(z), 1 / (np.sqrt(np.pi) * scale)
    # w'(z) = 2i / sqrt(pi) - 2 z w(z), NIST Handbook 7.10.2; z depends on all three arguments.
    derivative = 2j / np.sqrt(np.pi) - 2 * z * w
    line = w.real * factor
    by_gaussian = -(line + (z * derivative).real * factor) / gaussian
    return [line, derivative.real * factor / scale, by_gaussian, -0.5 * derivative.imag * factor / scale]


def doniach_sunjic(
    energy: np.ndarray, gaussian: np.ndarray, lorentzian: np.ndarray, asymmetry: np.ndarray
) -> np.ndarray:
    """Return a Doniach-Sunjic line convolved with a Gaussian, in 1/eV.

    Parameters
    ----------
    energy, gaussian, lorentzian : array
        As for `voigt`, which is the limit at an asymmetry of 0.
    asymmetry : array
        From 0 to below 1. The tail lies at high binding energy (Doniach and Sunjic 1970, J. Phys. C 3, 285,
        doi 10.1088/0022-3719/3/2/010).

    Notes
    -----
    The integral over all energies diverges for an asymmetry a above 0: the tail of a real metal ends where its band
    ends. The line is scaled by a / sin(pi a) / `TAIL`^a, so that its area up to `TAIL` above the singularity is 1.

    The convolution is a trapezoidal sum over the Gaussian, which converges exponentially with the distance of the
    singularity of the line from the path of integration (Trefethen and Weideman 2014, SIAM Rev. 56, 385,
    doi 10.1137/130932132). On the real axis that distance is half the Lorentzian width, which may be small. The
    integrand is analytic, so that the path may be moved: it is taken two standard deviations of the Gaussian away from
    the real axis, on the side opposite to the singularity, where 19 terms give 8 digits. Far from the line the
    Gauss-Hermite sum of 7 terms on the real axis is as exact.
    """
    energy, gaussian, lorentzian, asymmetry = np.broadcast_arrays(energy, gaussian, lorentzian, asymmetry)
    tailed = asymmetry > 0
    lines = np.empty(energy.shape)
    lines[~tailed] = voigt(energy[~tailed], gaussian[~tailed], lorentzian[~tailed])
    if tailed.any():
        each = (value[tailed] for value in (energy, gaussian, lorentzian, asymmetry))
        lines[tailed] = doniach_sunjic_derivatives(*each)[0]
    return lines


def doniach_sunjic_derivatives(
    energy: np.ndarray, gaussian: np.ndarray, lorentzian: np.ndarray, asymmetry: np.ndarray
) -> list[np.ndarray]:
    """Return `doniach_sunjic` and its derivatives by each argument, from one sum."""
    arguments = np.broadcast_arrays(energy, gaussian, lorentzian, asymmetry)
    far = np.abs(arguments[0]) > FAR * GAUSSIAN * arguments[1]
    found = np.empty((5, *far.shape))
    for some, terms in ((~far, NEAR_TERMS), (far, FAR_TERMS)):
        each = [value[some, np.newaxis] for value in arguments]
        found[:, some] = _doniach_sunjic_sums(each[0], each[1], each[2], each[3], *terms)
    return list(found)


def _doniach_sunjic_sums(
    energy: np.ndarray,
    gaussian: np.ndarray,
    lorentzian: np.ndarray,
    asymmetry: np.ndarray,
    offset: np.ndarray,
    above: float,
    weight: np.ndarray,
) -> list[np.ndarray]:
    """Return line and derivatives, shape (n,) each, from one sum over a Gaussian; arguments have shape (n, 1)."""
    sigma, half, power = GAUSSIAN * gaussian, np.maximum(lorentzian, LEAST_LORENTZIAN) / 2, 1 - asymmetry
    x, y = energy - offset * sigma, half + above * sigma
    square, angle = x**2 + y**2, np.arctan(x / y)
    # The sign of the arctan puts the tail at higher binding energy: electron-hole pairs take kinetic energy.
    phase = np.pi * asymmetry / 2 - above * offset - power * angle
    logarithm = np.log(square)
    height = np.exp(-power / 2 * logarithm)
    line, other = height * np.cos(phase), height * np.sin(phase)
    by_x = power * (y * other - x * line) / square
    by_y = -power * (x * other + y * line) / square
    by_asymmetry = line * logarithm / 2 - other * (np.pi / 2 + angle)
    line, by_energy, by_sigma, by_half, by_asymmetry = (
        values @ weight for values in (line, by_x, above * by_y - offset * by_x, by_y, by_asymmetry)
    )
    # The scale depends on the asymmetry too: d ln(a / sin(pi a)) / da = 1 / a - pi / tan(pi a), pi^2 a / 3 near 0.
    a = np.maximum(asymmetry[..., 0], LEAST_ASYMMETRY)
    by_asymmetry = by_asymmetry + line * (1 / a - np.pi / np.tan(np.pi * a) - np.log(TAIL))
    scale = _scale(asymmetry[..., 0])
    return [scale * values for values in (line, by_energy, GAUSSIAN * by_sigma, by_half / 2, by_asymmetry)]


def _scale(asymmetry: np.ndarray) -> np.ndarray:
    """Return the factor that gives a Doniach-Sunjic line unit area up to `TAIL` above its singularity."""
    return 1 / (np.pi * np.sinc(asymmetry) * TAIL**asymmetry)


def exponential_tail(
    energy: np.ndarray, gaussian: np.ndarray, lorentzian: np.ndarray, asymmetry: np.ndarray
) -> np.ndarray:
    """Return a Voigt profile convolved with an exponential at high binding energy, in 1/eV.

    Its mean energy is `asymmetry` times `EXPONENTIAL`. The area is 1. The integral is a Gauss-Laguerre sum.
    """
    return exponential_tail_derivatives(energy, gaussian, lorentzian, asymmetry)[0]


def exponential_tail_derivatives(
    energy: np.ndarray, gaussian: np.ndarray, lorentzian: np.ndarray, asymmetry: np.ndarray
) -> list[np.ndarray]:
    """Return `exponential_tail` and its derivatives by each argument, from one sum."""
    arguments = np.broadcast_arrays(energy, gaussian, lorentzian, asymmetry)
    energy, gaussian, lorentzian, asymmetry = (value[..., np.newaxis] for value in arguments)
    away = energy - EXPONENTIAL * asymmetry * LAGUERRE
    line, by_energy, by_gaussian, by_lorentzian = voigt_derivatives(away, gaussian, lorentzian)
    found = [some @ LAGUERRE_WEIGHT for some in (line, by_energy, by_gaussian, by_lorentzian)]
    return [*found, -EXPONENTIAL * (by_energy @ (LAGUERRE * LAGUERRE_WEIGHT))]


#: Shapes with analytic derivatives: the function that returns the line and its derivatives by each argument.
DERIVATIVES: Mapping[Callable[..., np.ndarray], Callable[..., list[np.ndarray]]] = {
    voigt: voigt_derivatives,
    doniach_sunjic: doniach_sunjic_derivatives,
    exponential_tail: exponential_tail_derivatives,
}
