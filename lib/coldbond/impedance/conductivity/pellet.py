"""Geometry and temperature of a pellet, and products of positive quantities with their intervals."""

from math import exp, hypot, isfinite, log
from typing import NamedTuple

import xarray as xr
from scipy.constants import zero_Celsius

from coldbond import constants
from coldbond.interval import NORMAL, Interval


class Shape(NamedTuple):
    """Thickness over area [1/cm] of a pellet, its relative standard uncertainty, and the two it was found from."""

    factor: float
    uncertainty: float
    thickness_cm: float
    area_cm2: float


def shape(recording: xr.Dataset, thickness_uncertainty: float, area_uncertainty: float) -> Shape | None:
    """Return the geometry of a recording's pellet; None where its thickness or its area is not known.

    Parameters
    ----------
    recording : xarray.Dataset
        With `thickness_cm` and `area_cm2` in its attrs.
    thickness_uncertainty : float
        Standard uncertainty of the thickness, cm.
    area_uncertainty : float
        Relative standard uncertainty of the electrode area.
    """
    thickness, area = (constants.optional(recording, name) for name in ("thickness_cm", "area_cm2"))
    if not (isfinite(thickness) and isfinite(area)):
        return None
    return Shape(thickness / area, hypot(thickness_uncertainty / thickness, area_uncertainty), thickness, area)


def product(interval: Interval, factor: float, uncertainty: float) -> Interval:
    """Return a positive quantity times a factor of an independent relative standard uncertainty.

    Half widths of the logarithms add in quadrature on each side (JCGM 100:2008, 5.1.6): a product of positive
    quantities has an asymmetric interval, which never reaches zero.
    """
    value, low, high = interval
    if value is None:  # a bound alone: the factor's uncertainty widens it
        widened = exp(NORMAL * uncertainty)
        return Interval(
            None,
            None if low is None else low * factor / widened,
            None if high is None else high * factor * widened,
        )
    low = None if low is None else value * factor * exp(-hypot(log(value / low), NORMAL * uncertainty))
    high = None if high is None else value * factor * exp(hypot(log(high / value), NORMAL * uncertainty))
    return Interval(value * factor, low, high)


def inverse(interval: Interval) -> Interval:
    """Return one over a positive quantity, such as a conductance from a resistance."""
    value, low, high = (None if number is None else 1 / number for number in interval)
    return Interval(value, high, low)


def kelvin(recording: xr.Dataset) -> float:
    """Return the temperature [K] of a recording; NaN where it is not known.

    Raises
    ------
    ValueError
        It lies below absolute zero.
    """
    found = constants.optional(recording, "temperature_C") + zero_Celsius
    if found <= 0:
        raise ValueError(f"temperature_C is {found - zero_Celsius:g}, below absolute zero: correct it in manifest.csv")
    return found
