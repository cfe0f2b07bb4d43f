"""What can be shown of a recording, by its technique."""

from collections.abc import Callable
from math import nan
from os import PathLike
from pathlib import Path

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from coldbond import files
from coldbond.constants import CONSTANTS
from coldbond.explore import cells, spectra
from coldbond.explore.controls import View


def views(recording: xr.Dataset | xr.DataTree) -> dict[str, Callable[[], View]]:
    """Return the views of a recording by name, to be made when they are wanted; the usual one is first."""
    technique = recording.attrs["technique"]
    several = {"cycling": cells.of_cycling, "xps": spectra.of_photoelectrons}
    single = {"xrd": spectra.Diffraction, "raman": spectra.Raman, "eis": cells.Impedance, "dc": cells.Transient}
    if technique in several:
        return several[technique](recording)
    return {technique: lambda: single.get(technique, Table)(recording)}


def opened(path: str | PathLike, area_cm2: float = nan, active_mass_mg: float = nan) -> xr.Dataset | xr.DataTree:
    """Read a file that no manifest describes, as far as `raw.recordings` would describe it.

    Raises
    ------
    coldbond.ReadError, OSError
        As `coldbond.read`.
    """
    path = Path(path).expanduser()
    recording = files.read(path)
    unknown = {name: nan for name in CONSTANTS} | {"area_cm2": area_cm2, "active_mass_mg": active_mass_mg}
    recording.attrs |= {"file": str(path), "role": "", "sample": path.stem, "state": "", "origin": ""} | unknown
    return recording


class Table:
    """The numbers alone, where there is no picture of them."""

    def __init__(self, recording: xr.Dataset) -> None:
        self.recording, self.controls = recording, {}

    def draw(self, fig: Figure) -> list[pd.DataFrame]:
        fig.text(0.5, 0.5, "no picture: the numbers stand beside", ha="center", va="center")
        return [self.recording.to_dataframe().map(lambda x: f"{x:.4g}" if isinstance(x, float) else str(x))]
