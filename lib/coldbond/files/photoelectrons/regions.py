"""Regions of a photoelectron recording: names, binding energies, counting statistics, and their tree."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

CORE_LEVEL = re.compile(r"(?<![A-Za-z])([A-Z][a-z]?)[ _-]?([1-7][spdf])(?![a-z])")
RATE = re.compile(r"\b(counts?|c) ?(/|per) ?s|\bcps\b", re.IGNORECASE)
#: Decimals of a binding energy [eV] that is computed from a kinetic energy: 694 eV, not 693.9999999999999 eV.
ENERGY_DECIMALS = 9


def region_name(label: str) -> str:
    """Return the name of a region: "C 1s" for "C1s Scan" or "InPET_C1s".

    A label that does not name exactly one core level is returned as it is.
    """
    levels = {" ".join(level) for level in CORE_LEVEL.findall(label)}
    return levels.pop() if len(levels) == 1 else label.strip().replace("/", "-") or "region"


def binding_energy(kinetic_energy: np.ndarray, photon_energy: float) -> np.ndarray:
    """Return the binding energy [eV] below the Fermi level.

    Analysers write the kinetic energy above the Fermi level, to which the work function of the analyser has already
    been added. Checked on a measured Pt 4f7/2: without a further correction it comes to the tabulated 71.1 eV.
    """
    return np.round(photon_energy - np.asarray(kinetic_energy, float), ENERGY_DECIMALS)


def counting(unit: str, attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counting arguments of `spectrum` for the unit that a file states.

    Parameters
    ----------
    unit : str
        What the file calls the unit of the intensity, which is that of all sweeps together.
    attrs : mapping
        With `sweeps` and the `dwell_time` [s] of one sweep, where they are known.

    Returns
    -------
    dict
        `units`, and either `one_count` or `unknown`, the reason why that is not known.
    """
    if RATE.search(unit):
        if {"dwell_time", "sweeps"} <= attrs.keys():
            return {"units": "count/s", "one_count": 1 / (attrs["dwell_time"] * attrs["sweeps"])}
        return {"units": "count/s", "unknown": "the file gives a rate without dwell time and number of sweeps"}
    if re.search(r"\bcounts?\b", unit, re.IGNORECASE):
        return {"units": "count", "one_count": 1.0}
    return {"units": "arbitrary units", "unknown": f"the file calls the intensity {unit!r}, not counts"}


def tree(regions: Iterable[tuple[str, xr.Dataset]], attrs: Mapping[str, Any]) -> xr.DataTree:
    """Return the regions as a tree with a unique name for each: the second "C 1s" becomes "C 1s (2)".

    Parameters
    ----------
    regions : iterable of (str, xarray.Dataset)
        In the order of the file.
    attrs : mapping
        Of the recording as a whole.
    """
    named: dict[str, xr.Dataset] = {"/": xr.Dataset(attrs={"technique": "xps", **attrs})}
    repeats: Counter[str] = Counter()
    for name, region in regions:
        repeats[name] += 1
        named[name if repeats[name] == 1 else f"{name} ({repeats[name]})"] = region
    return xr.DataTree.from_dict(named)
