"""The views of a recording, chosen by its technique."""

from collections.abc import Callable
from functools import partial
from math import nan
from os import PathLike
from pathlib import Path

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from coldbond import files
from coldbond.bundle import manifest, raw
from coldbond.constants import CONSTANTS
from coldbond.explore import cells, spectra
from coldbond.explore.controls import Control, View

#: Techniques that have one view.
SINGLE: dict[str, Callable[[xr.Dataset], View]] = {
    "xrd": spectra.Diffraction,
    "raman": spectra.Raman,
    "eis": cells.Impedance,
    "dc": cells.Transient,
}


def views(recording: xr.Dataset | xr.DataTree) -> dict[str, Callable[[], View]]:
    """Return functions that create the views of a recording, by name; the usual view comes first."""
    technique = recording.attrs["technique"]
    if isinstance(recording, xr.DataTree):
        return spectra.of_photoelectrons(recording)
    if technique == "cycling":
        return cells.of_cycling(recording)
    return {technique: partial(SINGLE.get(technique, Table), recording)}


def opened(
    path: str | PathLike, area_cm2: float = nan, active_mass_mg: float = nan, stated: str = ""
) -> xr.Dataset | xr.DataTree:
    """Read a file that no manifest lists, and give it the attrs that `raw.recordings` would give it.

    Parameters
    ----------
    path : str or path-like
    area_cm2, active_mass_mg : float
        Constants of the cell.
    stated : str
        What the file does not say, with the names of the manifest's columns: "technique=xrd;
        wavelength_angstrom=1.540593 1.544427".

    Raises
    ------
    ValueError
        `stated` is not written so.
    coldbond.ReadError, OSError
        See `coldbond.read`.
    """
    path = Path(path).expanduser()
    row = {}
    for part in filter(None, map(str.strip, stated.split(";"))):
        name, equals, value = map(str.strip, part.partition("="))
        if not equals or name not in ("technique", *manifest.STATED):
            columns = ", ".join(("technique", *manifest.STATED))
            raise ValueError(f"{part!r}: write one of {columns}, as in wavelength_angstrom=1.540593 1.544427")
        row[name] = value
    recording = files.read(path, **raw.stated(row))
    unknown = {name: nan for name in CONSTANTS} | {"area_cm2": area_cm2, "active_mass_mg": active_mass_mg}
    recording.attrs |= {"file": str(path), "role": "", "sample": path.stem, "state": "", "origin": ""} | unknown
    return recording


class Table:
    """A table of the numbers, for a technique that has no picture."""

    def __init__(self, recording: xr.Dataset) -> None:
        self.recording = recording
        self.controls: dict[str, Control] = {}

    def draw(self, fig: Figure) -> list[pd.DataFrame]:
        fig.text(0.5, 0.5, "no picture: see the table", ha="center", va="center")
        return [self.recording.to_dataframe().map(lambda x: f"{x:.4g}" if isinstance(x, float) else str(x))]
