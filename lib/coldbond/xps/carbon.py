"""Which line of a C 1s region is adventitious carbon: all readings that the lines of the region allow.

The region is fitted with a free number of lines. A reading names one of them C-C, and must explain every other strong
line as a state of carbon at its distance from C-C. A single line may also be carbonate or a carbide. Other regions
exclude a reading that puts their main line where no compound has it. Only where all readings that remain put the scale
at the same place does C 1s give a scale.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.ndimage import uniform_filter1d

from coldbond.xps.components import Table, level
from coldbond.xps.free_lines import LEAST_SIGNIFICANCE, Found, strong_ones

C_C = 284.8  # eV, of the states below; conventional
CARBONATE = (289.8, 0.3)  # eV, Li2CO3 289.5 to 290.2 eV where C-C is at 284.8 eV, and its standard uncertainty
CARBIDE = 282.0  # eV, carbides 281 to 283 eV

#: States of carbon: name, least and largest distance from C-C [eV], largest area relative to C-C. Positions after
#: Moulder et al. (1992) and Beamson and Briggs (1992, High Resolution XPS of Organic Polymers), with 0.2 eV for the
#: fit. Adventitious carbon is mostly hydrocarbon (Barr and Seal 1995, J. Vac. Sci. Technol. A 13, 1239,
#: doi 10.1116/1.579868): the limit of its oxidised states is a convention. More is another material, or a copy of C-C.
STATES = (
    ("carbide", -4.0, -1.75, np.inf),
    ("C–O", 1.1, 1.9, 0.6),
    ("C=O", 2.6, 3.4, 0.6),
    ("O–C=O", 3.7, 4.5, 0.6),
    ("carbonate", 4.3, 5.7, np.inf),
    ("C–F", 5.7, 9.0, np.inf),
)
RANGE_MARGIN = 0.4  # eV, by which the maximum of a region may lie outside the energies that are known for its line
SMOOTHING = 5  # points of the running mean whose maximum is the main line of a region


class Reading(NamedTuple):
    """An interpretation of a C 1s region.

    Attributes
    ----------
    name : str
        "C–C", "carbonate" or "carbide": what the line that sets the scale is.
    line : Found
    shift : float
        To be added to the recorded energies, eV.
    """

    name: str
    line: Found
    shift: float


def readings(carbon: Sequence[Found], energy: float) -> list[Reading]:
    """Return the readings that the lines of C 1s allow, with C-C to be put at an energy, eV."""
    strong = strong_ones(carbon)
    found = [
        Reading("C–C", one, energy - one.position)
        for one in strong
        if all(_explained(other, one) for other in strong if other is not one)
    ]
    if len(strong) == 1:
        (only,) = strong
        for name, position in (("carbonate", CARBONATE[0]), ("carbide", CARBIDE)):
            shift = position + energy - C_C - only.position
            found.append(Reading(name, only, shift))
    return found


def _explained(line: Found, carbon: Found) -> bool:
    """Return whether a line is a state of carbon beside a line that is C-C."""
    distance, ratio = line.position - carbon.position, line.area / carbon.area
    return any(low <= distance <= high and ratio <= most for _, low, high, most in STATES)


def allowed(given: Sequence[Reading], recording: xr.DataTree, table: Table) -> tuple[list[Reading], list[str]]:
    """Return the readings that other regions allow, and the names of the regions that excluded some.

    A lone line of C 1s may be C-C, carbonate or carbide: of those that remain, the ones that need more charging than
    C-C are left out.
    """
    excluding, left = [], list(given)
    for name, position, (low, high) in main_lines(recording, table):
        inside = [one for one in left if low - RANGE_MARGIN <= position + one.shift <= high + RANGE_MARGIN]
        if len(inside) < len(left):
            excluding.append(name)
        left = inside
    charging = {one.name: abs(one.shift) for one in left}
    most = charging.get("C–C", np.inf)
    return [one for one in left if one.name == "C–C" or abs(one.shift) < most], excluding


def main_lines(recording: xr.DataTree, table: Table) -> Iterator[tuple[str, float, tuple[float, float]]]:
    """Return name, energy of the maximum [eV] and known energies of each region that has a clear line."""
    for name, region in recording.children.items():
        known = table.line(str(name)).energies
        if known is None or level(str(name)) == "C 1s":
            continue
        at = _maximum(region.binding_energy.to_numpy(), region.intensity.to_numpy())
        if at is not None:
            yield str(name), at, known


def _maximum(energy: np.ndarray, intensity: np.ndarray) -> float | None:
    """Return where the intensity above a straight line is highest, eV; None where there is no clear maximum."""
    ends = max(intensity.size // 20, 2)
    low, high = intensity[:ends].mean(), intensity[-ends:].mean()
    above = uniform_filter1d(intensity - np.interp(energy, energy[[0, -1]], [low, high]), SMOOTHING, mode="nearest")
    noise = float(np.abs(np.diff(intensity)).mean())
    at = int(above.argmax())
    inside = ends < at < intensity.size - 1 - ends
    return float(energy[at]) if inside and above[at] > LEAST_SIGNIFICANCE * noise else None
