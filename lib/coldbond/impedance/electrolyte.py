"""What is known of the electrolyte in a cell: its resistance, from pellets of the same material.

A pellet between blocking electrodes (role `conductivity`) gives the resistivity of bulk and grain boundaries together.
In a cell of known thickness, area and temperature it has a resistance that is expected, within the uncertainties of
both geometries, of the temperature, and of the scatter from pellet to pellet.
"""

from collections.abc import Iterable
from math import exp, hypot, isfinite, log
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.constants import e, k

from coldbond.impedance.conductivity import ionic
from coldbond.impedance.conductivity.ionic import TYPICAL_ENERGY
from coldbond.impedance.conductivity.pellet import kelvin, product, shape
from coldbond.interval import Interval

#: Candidates for a pellet between blocking electrodes; time constant [s] above which an arc belongs to these; relative
#: standard uncertainty from a drift. As in the notebook of the conductivity.
CIRCUITS, BOUNDARY, MODEL_UNCERTAINTY = ("L-R-Q", "L-R-RQ-Q", "L-R-RQ-RQ-Q"), 1e-4, 0.002
#: Standard uncertainty of the activation energy [eV] where a pellet was measured at another temperature than the cell:
#: lithium-ion conductors that are used in cells have 0.2 to 0.6 eV (Bachman et al. 2016, doi
#: 10.1021/acs.chemrev.5b00563).
ENERGY_UNCERTAINTY = 0.1
#: What stands between the parts of a sample's name.
SEPARATORS = "-_ /|"


class Known(NamedTuple):
    """Electrolyte of a cell.

    Attributes
    ----------
    resistance : Interval
        Expected in the cell, ohm.
    pellet : str
        Sample of the pellet.
    """

    resistance: Interval
    pellet: str


def measure(pellet: xr.Dataset) -> ionic.Ionic:
    """Return the resistance of a pellet between blocking electrodes, as `ionic.measure` does."""
    return ionic.measure(pellet, CIRCUITS, BOUNDARY, MODEL_UNCERTAINTY)


def expected(
    cell: xr.Dataset,
    pellets: Iterable[ionic.Ionic],
    thickness_uncertainty: float,
    area_uncertainty: float,
    pellet_uncertainty: float,
) -> Known | None:
    """Return the resistance of the electrolyte that is expected in a cell.

    Parameters
    ----------
    cell : xarray.Dataset
        With `sample`, `thickness_cm`, `area_cm2` and, where it is known, `temperature_C` in its attrs.
    pellets : iterable of Ionic
        Of any samples. Those of the cell's own sample are used, or those of the longest name that the sample's ends
        with: a cell "RT-MCL-LLZ" has the electrolyte "LLZ".
    thickness_uncertainty : float
        Standard uncertainty of a thickness, cm.
    area_uncertainty : float
        Relative standard uncertainty of an area.
    pellet_uncertainty : float
        Relative standard deviation of the resistivity from pellet to pellet.

    Returns
    -------
    Known or None
        None where there is no such pellet, or where thickness or area of the cell or of the pellet are not known.
        Several pellets give the geometric mean and the hull of their intervals.
    """
    own = str(cell.attrs.get("sample", ""))
    of_cell = shape(cell, thickness_uncertainty, area_uncertainty)
    usable = {name: found for name, found in _by_sample(pellets).items() if _is_of(own, name)}
    if of_cell is None or not usable:
        return None
    name = max(usable, key=len)
    intervals = []
    for pellet in usable[name]:
        of_pellet = shape(pellet.spectrum, thickness_uncertainty, area_uncertainty)
        if of_pellet is None or not pellet.resistance.is_bounded or not pellet.resistance.value:
            continue
        thermal, thermal_uncertainty = _between(kelvin(pellet.spectrum), kelvin(cell))
        spread = hypot(of_cell.uncertainty, of_pellet.uncertainty, pellet_uncertainty, thermal_uncertainty)
        intervals.append(product(pellet.resistance, of_cell.factor / of_pellet.factor * thermal, spread))
    if not intervals:
        return None
    mean = exp(float(np.mean([log(one.numbers[0]) for one in intervals])))
    return Known(Interval.hull(mean, intervals), name)


def _by_sample(pellets: Iterable[ionic.Ionic]) -> dict[str, list[ionic.Ionic]]:
    found: dict[str, list[ionic.Ionic]] = {}
    for pellet in pellets:
        found.setdefault(str(pellet.spectrum.attrs.get("sample", "")), []).append(pellet)
    return found


def _is_of(sample: str, pellet: str) -> bool:
    before = sample.removesuffix(pellet)
    return bool(pellet) and (not before or (before != sample and before[-1] in SEPARATORS))


def _between(pellet: float, cell: float) -> tuple[float, float]:
    """Factor from the resistance at the pellet's temperature [K] to that at the cell's, and its uncertainty."""
    if not (isfinite(pellet) and isfinite(cell)):
        return 1.0, 0.0
    inverse = e / k * (1 / cell - 1 / pellet)
    return exp(TYPICAL_ENERGY * inverse) * cell / pellet, ENERGY_UNCERTAINTY * abs(inverse)
