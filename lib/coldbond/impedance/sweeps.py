"""The one sweep that is analysed of a recording that may hold several, and what is said about that choice.

`coldbond.read(path, sweep=n)`, or the column `sweep` of the manifest, chooses a sweep. Without a choice the last one is
analysed, and every figure and finding says which of how many it is.
"""

import numpy as np
import xarray as xr

#: The slow end of a sweep, as a multiple of its least frequency.
SLOW_END = 10.0


def one(spectrum: xr.Dataset) -> xr.Dataset:
    """Return the sweep that is analysed: the last, unless one was chosen.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz] and, where there are several sweeps, `sweep`.

    Returns
    -------
    xarray.Dataset
        One sweep. Where there were several, the attrs `sweep`, its number, and `sweeps`, how many there were.
    """
    if "sweep" not in spectrum:
        return spectrum
    last = int(spectrum.sweep.max())
    chosen = spectrum.isel(frequency=(spectrum.sweep == last).to_numpy()).drop_vars("sweep")
    return chosen.assign_attrs(sweep=last, sweeps=last)


def name(spectrum: xr.Dataset) -> str:
    """Return which sweep is analysed, such as "sweep 10 of 10"; "" where the recording holds one alone."""
    attrs = one(spectrum).attrs
    return f"sweep {attrs['sweep']} of {attrs['sweeps']}" if attrs.get("sweeps", 1) > 1 else ""


def change(spectrum: xr.Dataset) -> float:
    """Return by which share the modulus at the slow end differs from that of the sweep before; NaN without one.

    Parameters
    ----------
    spectrum : xarray.Dataset
        As for `one`.
    """
    if "sweep" not in spectrum or int(spectrum.sweep.max()) < 2:
        return np.nan
    last = int(spectrum.sweep.max())
    slow = float(spectrum.frequency.min()) * SLOW_END
    means = [
        np.mean(np.abs(spectrum.impedance.to_numpy()[(spectrum.sweep == at) & (spectrum.frequency <= slow)]))
        for at in (last - 1, last)
    ]
    return float(means[1] / means[0] - 1)
