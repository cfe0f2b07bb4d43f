"""The views of a recording, chosen by its technique."""

from collections.abc import Callable, Mapping
from functools import partial
from math import nan
from os import PathLike
from pathlib import Path

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from coldbond import files
from coldbond.bundle import raw
from coldbond.constants import CONSTANTS
from coldbond.explore.controls import Control, View


def views(recording: xr.Dataset | xr.DataTree) -> dict[str, Callable[[], View]]:
    """Return functions that create the views of a recording, by name; the usual view comes first.

    Each technique is imported when one of its recordings is shown: all of them take seconds.
    """
    technique = recording.attrs["technique"]
    if isinstance(recording, xr.DataTree):
        from coldbond.explore import spectra

        return spectra.of_photoelectrons(recording)
    if technique == "cycling":
        from coldbond.explore import cycling

        return cycling.of_cycling(recording)
    return {technique: partial(_single(technique), recording)}


def _single(technique: str) -> Callable[[xr.Dataset], View]:
    """Return the one view of a technique."""
    if technique in ("xrd", "raman"):
        from coldbond.explore import spectra

        return spectra.Diffraction if technique == "xrd" else spectra.Raman
    if technique in ("eis", "dc"):
        from coldbond.explore import impedance

        return impedance.Impedance if technique == "eis" else impedance.Transient
    return Table


def opened(
    path: str | PathLike, known: Mapping[str, float] | None = None, stated: Mapping[str, str] | None = None
) -> xr.Dataset | xr.DataTree:
    """Read a file that no manifest lists, and give it the attrs that `raw.recordings` would give it.

    Parameters
    ----------
    path : str or path-like
    known : mapping of str to float
        Constants of the cell, by the names of `coldbond.constants`.
    stated : mapping of str to str
        What the file does not say, by the manifest's columns: {"wavelength_angstrom": "1.540593 1.544427"}.

    Raises
    ------
    ValueError
        What is stated is not a number, or not positive.
    coldbond.ReadError, OSError
        See `coldbond.read`.
    """
    path = Path(path)
    recording = files.read(path, **raw.stated(dict(stated or {})))
    recording.attrs |= {"file": path.name, "role": "", "sample": path.stem, "state": "", "origin": ""}
    recording.attrs |= {name: nan for name in CONSTANTS} | dict(known or {})
    return recording


class Table:
    """A table of the numbers, for a technique that has no picture."""

    def __init__(self, recording: xr.Dataset) -> None:
        self.recording = recording
        self.controls: dict[str, Control] = {}

    def draw(self, fig: Figure) -> list[pd.DataFrame]:
        fig.text(0.5, 0.5, "no picture: see the table", ha="center", va="center")
        return [self.recording.to_dataframe().map(lambda x: f"{x:.4g}" if isinstance(x, float) else str(x))]
