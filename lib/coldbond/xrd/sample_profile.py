"""Broadening of reflections by crystallites and strain, in Fourier space, and its integral breadth.

The size profile is that of spheres whose diameters are distributed lognormally (Langford, Louer and Scardi 2000, doi
10.1107/S002188980000460X; Scardi and Leoni 2001, doi 10.1107/S0108767301008881). The transform of the strain profile is
exp(-c f^p), a Lorentzian for p = 1 and a Gaussian for p = 2. With the width of the distribution and p the profile goes
from a Gaussian to one with more tail than a Lorentzian: no shape is taken for granted.
"""

from functools import cache
from math import gamma
from typing import NamedTuple

import numpy as np

#: Range of the standard deviation of ln(diameter): from crystallites of one size to the broadest distributions.
SPREADS = (0.1, 0.7)
#: Range of the exponent p of the strain profile.
POWERS = (1.0, 2.0)

_DEVIATIONS = np.linspace(-4, 4, 81)  # of ln(diameter) from its mean by volume, in standard deviations
_LARGEST_RATIO = 40.0  # of a shift to the mean column length that is tabulated; spheres of spread 0.7 end before


class Shape(NamedTuple):
    """Shape of a sample's profiles: standard deviation of ln(diameter), and exponent of the strain profile."""

    spread: float
    power: float


def size_transform(ratio: np.ndarray, spread: float) -> np.ndarray:
    """Return the Fourier transform of the size profile.

    Parameters
    ----------
    ratio : array
        Frequency times integral breadth of the size profile: the column length over its mean by volume.
    spread : float
        Standard deviation of ln(diameter).
    """
    at, values = _tabulated(spread)
    return np.interp(ratio, at, values)


def strain_transform(product: np.ndarray, power: float) -> np.ndarray:
    """Return the Fourier transform of the strain profile at a frequency times its integral breadth."""
    return np.exp(-((2 * gamma(1 + 1 / power) * product) ** power))


def integral_breadth(size: np.ndarray, strain: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the integral breadth of the convolution of two profiles of the integral breadths `size` and `strain`."""
    share, factor = _combined(shape)
    total = size + strain
    return total * np.interp(size / np.maximum(total, 1e-300), share, factor)


@cache
def _tabulated(spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return ratios and the common volume of spheres and their shifted copies."""
    weight = np.exp(-0.5 * _DEVIATIONS**2)
    weight /= weight.sum()
    diameter = np.exp(spread * _DEVIATIONS)
    diameter *= 4 / 3 / (weight @ diameter)  # the mean column length of a sphere is 3/4 of its diameter
    at = np.append(np.linspace(0, 3, 301), np.geomspace(3.02, _LARGEST_RATIO, 100))
    shift = np.minimum(at[:, None] / diameter, 1)
    return at, (1 - 1.5 * shift + 0.5 * shift**3) @ weight


@cache
def _combined(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Return shares of the size in the sum of both breadths, and the breadth of the convolution over that sum."""
    share = np.linspace(0, 1, 41)
    frequency = np.append(0, np.geomspace(1e-3, _LARGEST_RATIO, 600))  # of a sum of 1
    of_size = size_transform(np.outer(share, frequency), shape.spread)
    area = np.trapezoid(of_size * strain_transform(np.outer(1 - share, frequency), shape.power), frequency, axis=1)
    return share, 1 / (2 * area)
