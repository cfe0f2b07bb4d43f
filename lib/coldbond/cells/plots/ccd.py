"""Figure of a critical-current-density run."""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from coldbond import constants
from coldbond.bundle import style
from coldbond.cells import ccd


def plot(recording: xr.Dataset, steps: xr.Dataset, label: str, ax: Axes) -> None:
    """Plot voltage and current density against time, with a shaded background from the failure on.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `ccd.steps`.
    steps : xarray.Dataset
        From `ccd.steps`.
    label : str
        Name of the cell, written into the panel with the critical current density.
    ax : matplotlib.axes.Axes
        For the voltage; the current density gets its own axis on the right.
    """
    hours = recording.time / 3600
    density = recording.current * 1e3 / constants.required(recording, "area_cm2")
    value, _, high = ccd.critical_current_density(steps)
    right = ax.twinx()
    ax.set_zorder(right.get_zorder() + 1)
    ax.patch.set_visible(False)
    right.plot(hours, density, color="0.7", linewidth=0.5)
    right.tick_params(colors="0.45")
    right.set_ylabel("Current density\n/ mA cm⁻²", color="0.45")
    ax.plot(hours, recording.voltage, color=style.color(recording.attrs["sample"]))
    ax.set_ylabel("Voltage / V")
    ax.margins(x=0)
    for axes, channel in ((ax, recording.voltage), (right, density)):
        largest = 1.1 * float(np.abs(channel).quantile(0.9995))  # a single spike must not set the scale
        axes.set_ylim(-largest, 1.5 * largest)  # zero at the same height on both sides, and room for the text above
        axes.yaxis.set_major_locator(MaxNLocator(4))
    sustained = "no step sustained" if value is None else f"CCD {value} mA cm⁻²"
    failed = ccd.failed_steps(steps)
    mode = " or more" if high is None else f", {failed.kind.item(0)} at {high} mA cm⁻²"
    ax.text(0.01, 0.96, f"{style.label(label)}: {sustained}{mode}", transform=ax.transAxes, va="top")
    if failed.sizes["step"]:
        right.axvspan(float(failed.onset[0]) / 3600, float(hours[-1]), color="0.94", linewidth=0)
