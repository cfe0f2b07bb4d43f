"""Constants of a cell or a sample that a recording carries in its attrs, such as the electrode area."""

from math import isfinite, nan

import xarray as xr

#: Name in the manifest and in `attrs`: what it is, and its unit.
CONSTANTS = {
    "area_cm2": ("electrode area", "cm2"),
    "thickness_cm": ("thickness of the electrolyte", "cm"),
    "active_mass_mg": ("mass of active material", "mg"),
    "temperature_C": ("temperature", "°C"),
}


def required(recording: xr.Dataset, name: str) -> float:
    """Return a constant that an analysis cannot do without.

    Parameters
    ----------
    recording : xarray.Dataset or xarray.DataTree
    name : str
        One of `CONSTANTS`.

    Raises
    ------
    ValueError
        The recording does not carry it: names it, and says how to state it.
    """
    value = optional(recording, name)
    if not isfinite(value):
        what, unit = CONSTANTS[name]
        source = recording.attrs.get("source", "this recording")
        raise ValueError(
            f"{source}: the {what} is not known: fill the column {name} of manifest.csv, "
            f"or state it with .assign_attrs({name}=...) [{unit}]"
        )
    return value


def optional(recording: xr.Dataset, name: str) -> float:
    """Return a constant that an analysis can do without; NaN where the recording does not carry it."""
    return float(recording.attrs.get(name, nan))
