"""What a pellet's recordings need beside the fit: which are held, the pellet's dimensions, products of intervals."""

from collections.abc import Mapping, Sequence
from math import exp, hypot, isfinite, log
from typing import NamedTuple

import xarray as xr

from coldbond.bundle import manifest, paths, raw
from coldbond.impedance.intervals import Interval

ROLES = ("conductivity", "arrhenius", "electronic")
NORMAL = 1.96  # standard deviations on each side of 95 %


class Shape(NamedTuple):
    """Thickness over area [1/cm] of a pellet and its relative standard uncertainty; how both were found, in words."""

    factor: float
    uncertainty: float
    text: str


def recordings(samples: Sequence[str]) -> dict[str, dict[str, xr.Dataset]]:
    """Return the recordings of each role that the manifest holds.

    Parameters
    ----------
    samples : sequence of str
        The samples wanted, in the order wanted; empty for all. One may lack recordings of some of the roles.

    Returns
    -------
    dict of str to dict of str to xarray.Dataset
        As `raw.recordings` gives them, for "conductivity", "arrhenius" and "electronic"; empty where there are none.

    Raises
    ------
    LookupError
        There is no recording of any of these roles, or none of one of the samples.
    """
    rows = [row for row in manifest.rows(paths.RAW) if row["role"] in ROLES]
    held = {role: list(dict.fromkeys(row["sample"] for row in rows if row["role"] == role)) for role in ROLES}
    known = list(dict.fromkeys(row["sample"] for row in rows))
    missing = [sample for sample in samples if sample not in known]
    if missing or not rows:
        of = f" for {', '.join(missing)}; it holds {', '.join(known)}" if rows else ""
        raise LookupError(f"{paths.RAW / 'manifest.csv'}: no recording of role {' or '.join(ROLES)}{of}")
    wanted = {role: [sample for sample in samples or known if sample in held[role]] for role in ROLES}
    return {role: raw.recordings(role, wanted[role]) if wanted[role] else {} for role in ROLES}


def labelled(found: Mapping[str, Mapping[str, xr.Dataset]]) -> dict[str, xr.Dataset]:
    """Return all recordings as one mapping, each under its role and its label."""
    return {f"{role}: {label}": one for role, of_role in found.items() for label, one in of_role.items()}


def shape(recording: xr.Dataset, thickness_uncertainty: float, area_uncertainty: float) -> Shape | None:
    """Return the shape of a recording's pellet, or None where the manifest lacks its thickness or its area.

    Parameters
    ----------
    recording : xarray.Dataset
        As `raw.recordings` gives it.
    thickness_uncertainty : float
        Standard uncertainty of the thickness, cm.
    area_uncertainty : float
        Standard uncertainty of the area of the electrodes, as a share of it.
    """
    thickness, area = recording.attrs["thickness_cm"], recording.attrs["area_cm2"]
    if not (isfinite(thickness) and isfinite(area)):
        return None
    uncertainty = hypot(thickness_uncertainty / thickness, area_uncertainty)
    text = f"{thickness * 1e4:.0f} µm thick, {area:g} cm2, together known to {uncertainty:.1%}".replace("%", " %")
    return Shape(thickness / area, uncertainty, text)


def product(interval: Interval, factor: float, uncertainty: float) -> Interval:
    """Return a positive quantity times a factor of a relative standard uncertainty of its own, uncorrelated.

    Logarithms are what spreads evenly (JCGM 100:2008, 5.1.6): their half widths add in quadrature on each side.
    """
    value, low, high = interval
    low = None if low is None else value * factor * exp(-hypot(log(value / low), NORMAL * uncertainty))
    high = None if high is None else value * factor * exp(hypot(log(high / value), NORMAL * uncertainty))
    return Interval(value * factor, low, high)


def inverse(interval: Interval) -> Interval:
    """Return one over a positive quantity, such as a conductance from a resistance."""
    value, low, high = interval
    return Interval(1 / value, None if high is None else 1 / high, None if low is None else 1 / low)


def kelvin(recording: xr.Dataset) -> float:
    """Return the temperature [K] that the manifest states, NaN where it states none."""
    return recording.attrs["temperature_C"] + 273.15
