"""Shapes of photoemission lines, each with unit area over all energies unless it says otherwise.

`energy` is relative to the line's maximum (Gaussian-Lorentzian shapes and Voigt) or to its singularity
(Doniach-Sunjic), on the scale of binding energy; widths are full widths at half maximum, all in eV, and broadcast.
"""

import numpy as np
from scipy.special import digamma, erfcx, gamma, wofz

LN2 = np.log(2)
GAUSSIAN = 1 / np.sqrt(8 * LN2)  # standard deviation of a Gaussian of unit full width

#: A sum over a Gaussian, in standard deviations: offsets, how far above the real axis they lie, and weights.
OFFSET, ABOVE = np.arange(-9, 10) / 1.5, 2.0
WEIGHT = np.exp((ABOVE**2 - OFFSET**2) / 2) / np.exp(-(OFFSET**2) / 2).sum()


def gaussian_lorentzian_product(energy: np.ndarray, fwhm: np.ndarray, mixing: np.ndarray) -> np.ndarray:
    """Return the product of a Gaussian and a Lorentzian, in 1/eV.

    exp(-4 ln2 (1 - m) x^2) / (1 + 4 m x^2) of x = energy / fwhm and mixing m from 0 (Gaussian) to 1 (Lorentzian), the
    GL(100 m) of most programs; `fwhm` is that of the factors' common width, which the product's own keeps within 5 %
    (Evans 1991, Surf. Interface Anal. 17, 85, doi 10.1002/sia.740170204).
    """
    x2 = np.square(energy / fwhm)
    m = np.maximum(mixing, 1e-12)
    # A derivative at the Lorentzian end is taken a little beyond it.
    area = np.pi / (2 * np.sqrt(m)) * erfcx(np.sqrt(LN2 * np.maximum(1 - m, 0) / m)) * fwhm
    return np.exp(-4 * LN2 * (1 - m) * x2) / (1 + 4 * m * x2) / area


def gaussian_lorentzian_sum(energy: np.ndarray, fwhm: np.ndarray, mixing: np.ndarray) -> np.ndarray:
    """Return the sum of a Gaussian and a Lorentzian of one width, in 1/eV.

    `mixing` is the Lorentzian's share of the height, from 0 to 1, as in the SGL(100 m) of most programs (Evans 1991,
    doi 10.1002/sia.740170204).
    """
    x2 = np.square(energy / fwhm)
    area = ((1 - mixing) * np.sqrt(np.pi / LN2) + mixing * np.pi) / 2 * fwhm
    return ((1 - mixing) * np.exp(-4 * LN2 * x2) + mixing / (1 + 4 * x2)) / area


def voigt(energy: np.ndarray, gaussian: np.ndarray, lorentzian: np.ndarray) -> np.ndarray:
    """Return the convolution of a Gaussian and a Lorentzian of these widths, in 1/eV.

    From the Faddeeva function (Olver et al. 2010, NIST Handbook of Mathematical Functions, 7.19); `gaussian` above 0.
    """
    scale = np.sqrt(2) * GAUSSIAN * gaussian
    return wofz((energy + 0.5j * lorentzian) / scale).real / (np.sqrt(np.pi) * scale)


def voigt_slopes(energy: np.ndarray, gaussian: np.ndarray, lorentzian: np.ndarray) -> list[np.ndarray]:
    """Return `voigt` and its derivatives by each argument, from the same Faddeeva function."""
    scale = np.sqrt(2) * GAUSSIAN * gaussian
    z = (energy + 0.5j * lorentzian) / scale
    w, factor = wofz(z), 1 / (np.sqrt(np.pi) * scale)
    slope = 2j / np.sqrt(np.pi) - 2 * z * w
    line = w.real * factor
    by_gaussian = -(line + (z * slope).real * factor) / gaussian
    return [line, slope.real * factor / scale, by_gaussian, -0.5 * slope.imag * factor / scale]


def doniach_sunjic(
    energy: np.ndarray, gaussian: np.ndarray, lorentzian: np.ndarray, asymmetry: np.ndarray
) -> np.ndarray:
    """Return a Doniach-Sunjic line convolved with a Gaussian, in 1/eV.

    Parameters
    ----------
    energy, gaussian, lorentzian : array
        As for `voigt`, which an asymmetry of 0 gives back.
    asymmetry : array
        From 0 to below 1; the tail lies at high binding energy (Doniach and Sunjic 1970, J. Phys. C 3, 285,
        doi 10.1088/0022-3719/3/2/010).

    Notes
    -----
    The integral over all energies is infinite for an asymmetry above 0. The scale is such that the area over the
    Lorentzian's width stays near 1: Gamma(1 - a) / pi times the line's own form, times (lorentzian / 2)^a. An area from
    it compares with those of lines of the same asymmetry alone.

    The convolution is a trapezoidal sum over the Gaussian, which converges exponentially with the distance of the
    line's singularity from where it is taken (Trefethen and Weideman 2014, SIAM Rev. 56, 385, doi 10.1137/130932132).
    That distance is the Lorentzian's half width, so the sum is taken two of the Gaussian's standard deviations off
    the real axis, on the other side, as the integral of an analytic function may be: 19 terms give 8 digits.
    """
    energy, gaussian, lorentzian, asymmetry = np.broadcast_arrays(energy, gaussian, lorentzian, asymmetry)
    tailed = asymmetry > 0
    lines = np.empty(energy.shape)
    lines[~tailed] = voigt(energy[~tailed], gaussian[~tailed], lorentzian[~tailed])
    if not tailed.any():
        return lines
    energy, gaussian, lorentzian, asymmetry = (
        value[tailed][:, np.newaxis] for value in (energy, gaussian, lorentzian, asymmetry)
    )
    sigma, half, power = GAUSSIAN * gaussian, np.maximum(lorentzian, 0.02) / 2, 1 - asymmetry
    x, y = energy - OFFSET * sigma, half + ABOVE * sigma
    # Electrons that lose energy to electron-hole pairs have lower kinetic, higher binding energy.
    phase = np.pi * asymmetry / 2 - ABOVE * OFFSET - power * np.arctan(x / y)
    scale = (gamma(power) / np.pi / half**asymmetry)[:, 0]
    lines[tailed] = scale * (np.cos(phase) / (x**2 + y**2) ** (power / 2) @ WEIGHT)
    return lines


def doniach_sunjic_slopes(
    energy: np.ndarray, gaussian: np.ndarray, lorentzian: np.ndarray, asymmetry: np.ndarray
) -> list[np.ndarray]:
    """Return `doniach_sunjic` and its derivatives by each argument, from the same sum."""
    arguments = np.broadcast_arrays(energy, gaussian, lorentzian, asymmetry)
    energy, gaussian, lorentzian, asymmetry = (value[..., np.newaxis] for value in arguments)
    sigma, half, power = GAUSSIAN * gaussian, np.maximum(lorentzian, 0.02) / 2, 1 - asymmetry
    x, y = energy - OFFSET * sigma, half + ABOVE * sigma
    square, angle = x**2 + y**2, np.arctan(x / y)
    phase = np.pi * asymmetry / 2 - ABOVE * OFFSET - power * angle
    height = square ** (-power / 2)
    line, other = height * np.cos(phase), height * np.sin(phase)
    by_x = power * (y * other - x * line) / square
    by_y = -power * (x * other + y * line) / square
    by_asymmetry = line * np.log(square) / 2 - other * (np.pi / 2 + angle)
    line, by_energy, by_sigma, by_half, by_asymmetry = (
        values @ WEIGHT for values in (line, by_x, ABOVE * by_y - OFFSET * by_x, by_y, by_asymmetry)
    )
    half, power, asymmetry = half[..., 0], power[..., 0], asymmetry[..., 0]
    scale = gamma(power) / np.pi / half**asymmetry
    by_half, by_asymmetry = by_half - line * asymmetry / half, by_asymmetry - line * (digamma(power) + np.log(half))
    return [scale * values for values in (line, by_energy, GAUSSIAN * by_sigma, by_half / 2, by_asymmetry)]


#: Shapes whose derivatives come with them.
SLOPES = {voigt: voigt_slopes, doniach_sunjic: doniach_sunjic_slopes}
