"""The recording and the constants that an analysis is given."""

from math import isfinite
from typing import TypeVar

import xarray as xr

from coldbond.constants import required

Recording = TypeVar("Recording", xr.Dataset, xr.DataTree)


def checked(technique: str, recording: Recording, **constants: float | None) -> Recording:
    """Return a recording with the constants that are given in its attrs; the recording itself is left as it is.

    Raises
    ------
    ValueError
        The recording is of another technique, or a constant is not a positive number.
    """
    found = recording.attrs.get("technique", technique)
    if found != technique or isinstance(recording, xr.DataTree) != (technique == "xps"):
        source = recording.attrs.get("source", "this recording")
        raise ValueError(f"{source}: a recording of {found}, this analysis is of {technique}: take another function")
    given = {name: value for name, value in constants.items() if value is not None}
    for name, value in given.items():
        if not isfinite(value) or (value <= 0 and name != "temperature_C"):
            raise ValueError(f"{name}={value!r}: write a positive number in the unit that the name ends with")
    return recording.assign_attrs(given) if isinstance(recording, xr.Dataset) else recording


def require(recording: xr.Dataset, *names: str) -> None:
    for name in names:
        required(recording, name)
