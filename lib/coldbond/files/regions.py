"""The regions of a photoelectron recording: names, binding energies, what their intensities count, and their tree."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr

CORE_LEVEL = re.compile(r"(?<![A-Za-z])([A-Z][a-z]?)[ _-]?([1-7][spdf])(?![a-z])")

RATE = re.compile(r"\b(counts?|c) ?(/|per) ?s|\bcps\b", re.IGNORECASE)


def region_name(label: str) -> str:
    """Return the name of a region: "C 1s" for "C1s Scan" or "InPET_C1s"; the label where that names no one level."""
    levels = {" ".join(level) for level in CORE_LEVEL.findall(label)}
    return levels.pop() if len(levels) == 1 else label.strip().replace("/", "-") or "region"


def binding_energy(kinetic_energy: np.ndarray, photon_energy: float) -> np.ndarray:
    """Return the binding energy [eV] below the Fermi level.

    The kinetic energy that analysers write is that above the Fermi level, their work function being added already:
    with none added here, the Pt 4f7/2 of a real recording comes to its tabulated 71.1 eV.
    """
    return np.round(photon_energy - np.asarray(kinetic_energy, float), 9)  # 694 eV, not 693.9999999999999


def counting(unit: str, attrs: Mapping) -> dict:
    """Return the units of an intensity and one count of it, as `spectrum` takes them, from what a file calls its unit.

    The intensity is that of all sweeps together: `attrs` has their number and the dwell time [s] of one.
    """
    if RATE.search(unit):
        if {"dwell_time", "sweeps"} <= attrs.keys():
            return {"units": "count/s", "one_count": 1 / (attrs["dwell_time"] * attrs["sweeps"])}
        return {"units": "count/s", "unknown": "the file gives a rate without dwell time and number of sweeps"}
    if re.search(r"\bcounts?\b", unit, re.IGNORECASE):
        return {"units": "count", "one_count": 1.0}
    return {"units": "arbitrary units", "unknown": f"the file calls the intensity {unit!r}, not counts"}


def tree(regions: Iterable[tuple[str, xr.Dataset]], attrs: Mapping) -> xr.DataTree:
    """Return the regions under names of their own; of those called alike, all but the first are numbered.

    Parameters
    ----------
    regions : iterable of (str, xarray.Dataset)
        In the order of the file.
    attrs : mapping
        Of the recording as a whole.
    """
    named, seen = {"/": xr.Dataset(attrs={"technique": "xps", **attrs})}, Counter()
    for name, region in regions:
        seen[name] += 1
        named[name if seen[name] == 1 else f"{name} ({seen[name]})"] = region
    return xr.DataTree.from_dict(named)
