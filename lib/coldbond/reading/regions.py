"""The regions of a photoelectron recording: their names, their binding energies, and the tree that holds them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr

CORE_LEVEL = re.compile(r"(?<![A-Za-z])([A-Z][a-z]?)[ _-]?([1-7][spdf])(?![a-z])")


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
