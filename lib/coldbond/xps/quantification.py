"""Atomic fractions of a surface from the areas of its XPS regions.

The area of each main line is divided by its photoionisation cross-section, the time of counting, the transmission of
the analyser where the file gives it, and the escape depth of the electrons, a power of their kinetic energy (Seah and
Dench 1979, Surf. Interface Anal. 1, 2, doi 10.1002/sia.740010103). The surface is taken as homogeneous, which a layer
is not: fractions compare samples.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from coldbond.interval import Interval
from coldbond.xps.amounts import total_area
from coldbond.xps.component_selection import Composition
from coldbond.xps.components import BUNDLED, Table

AL_KALPHA = 1486.6  # eV, photon energy where the file does not state it
LEAST_ELEMENTS = 2  # a fraction of a single element says nothing


class AtomicFractions(NamedTuple):
    """Atomic fractions of one surface.

    Attributes
    ----------
    fractions : dict of str to Interval
        By region.
    transmission_known : bool
        Whether the file gives the transmission of the analyser for all these regions.
    """

    fractions: dict[str, Interval]
    transmission_known: bool


def atomic_fractions(
    recordings: Mapping[str, xr.DataTree],
    found: Mapping[str, Mapping[str, Composition]],
    exponent: float = 0.75,
    sensitivity_uncertainty: float = 0.1,
    table: Table = BUNDLED,
) -> dict[str, AtomicFractions]:
    """Return the atomic fractions of the elements whose regions were fitted, carbon left out.

    Parameters
    ----------
    recordings : mapping of str to xarray.DataTree
        As `reference.referenced` returns them.
    found : mapping of str to mapping of str to Composition
        From `surface.compositions`.
    exponent : float
        The escape depth is proportional to the kinetic energy to this power: 0.75 for most solids (Tanuma, Powell and
        Penn 1994, Surf. Interface Anal. 21, 165, doi 10.1002/sia.740210302), 0.5 far above 75 eV after Seah and Dench;
        0 for no correction.
    sensitivity_uncertainty : float
        Relative standard uncertainty of each sensitivity factor.
    table : Table
        Core levels, from `components.load`.

    Returns
    -------
    dict of str to AtomicFractions
        Of each recording in which at least two elements are present.
    """
    fractions = {}
    for label, regions in found.items():
        recording = recordings[label]
        amounts, relative, transmission_known = {}, {}, True
        for name, composition in regions.items():
            area, deviation = total_area(composition.full_fits, composition.weights)
            sensitivity = table.line(name).sensitivity
            if not area > 0 or name == "C 1s" or not sensitivity:
                continue
            region = recording[name].to_dataset()
            transmission_known &= "transmission" in region
            amounts[name] = area / area_of_an_atom(region, sensitivity, exponent)
            relative[name] = float(np.hypot(deviation / area, sensitivity_uncertainty))
        if len(amounts) >= LEAST_ELEMENTS:
            fractions[label] = AtomicFractions(_shares(amounts, relative), transmission_known)
    return fractions


def area_of_an_atom(region: xr.Dataset, sensitivity: float, exponent: float) -> float:
    """Return the area of the main line of one atom, in a unit that the regions of a recording share.

    Parameters
    ----------
    region : xarray.Dataset
    sensitivity : float
        Of the main line, relative to C 1s.
    exponent : float
        As for `atomic_fractions`.
    """
    kinetic = region.attrs.get("photon_energy", AL_KALPHA) - float(region.binding_energy.mean())
    factor = sensitivity * _counting_time(region) * (kinetic / 1000) ** exponent
    return factor * (float(region.transmission.mean()) if "transmission" in region else 1.0)


def _shares(amounts: Mapping[str, float], relative: Mapping[str, float]) -> dict[str, Interval]:
    """Return the share of each amount with the first-order propagation of independent relative uncertainties."""
    whole = sum(amounts.values())
    shares = {}
    for name, amount in amounts.items():
        share = amount / whole
        # d share / share = (1 - share) d amount / amount - sum of the others' shares times their relative changes
        others = sum((n * relative[other] / whole) ** 2 for other, n in amounts.items() if other != name)
        deviation = share * float(np.sqrt(((1 - share) * relative[name]) ** 2 + others))
        _, low, high = Interval.from_standard_error(share, deviation)
        shares[name] = Interval(share, None if low is None else max(low, 0.0), None if high is None else min(high, 1.0))
    return shares


def _counting_time(region: xr.Dataset) -> float:
    """Return the time of counting at each energy, s, that counts are divided by; 1 where the file gives a rate."""
    if region.intensity.attrs.get("units") != "count":
        return 1.0
    return float(region.attrs.get("dwell_time", 1.0)) * float(region.attrs.get("sweeps", 1.0))
