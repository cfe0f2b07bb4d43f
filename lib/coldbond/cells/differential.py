"""Differential capacity dQ/dV of half cycles, and the voltage of its peak.

A plateau of the voltage is a peak of dQ/dV. The charge between two records is spread evenly over the voltages between
them and summed in steps of the voltage: unlike a quotient of differences, that holds for a voltage that is rounded or
not monotonic. The voltage step is the resolution.
"""

import numpy as np
import xarray as xr

from coldbond.cells import capacity
from coldbond.interval import Interval

#: Charge at the ends of a half cycle, as a share of it, that is no peak: there the voltage jumps as the current
#: switches, or is held constant.
ENDS = 0.01


def curve(recording: xr.Dataset, part: xr.Dataset, step: float = 0.005) -> tuple[np.ndarray, np.ndarray]:
    """Return voltage and dQ/dV along one half cycle.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `capacity.cycles`.
    part : xarray.Dataset
        One half cycle from `capacity.cycles`.
    step : float
        Voltage step, V.

    Returns
    -------
    voltage : array, shape (n,)
        Middle of each step, V, rising.
    differential : array, shape (n,)
        dQ/dV in the unit of the capacity per V, positive in charge, negative in discharge.
    """
    charge, voltage = capacity.profile(recording, part)
    free = charge <= charge[-1] * (1 - float(part.held))
    if float(part.held):  # a constant voltage would be an endless peak
        free &= np.abs(voltage - voltage[-1]) > 2 * step
    charge, voltage = charge[free], voltage[free]
    low, high = np.minimum(voltage[1:], voltage[:-1]), np.maximum(voltage[1:], voltage[:-1])
    edges = np.arange(np.floor(voltage.min() / step), np.ceil(voltage.max() / step) + 1.5) * step
    width = np.maximum(high - low, step * 1e-6)
    below = np.array([np.diff(charge) @ np.clip((edge - low) / width, 0, 1) for edge in edges])
    sign = 1.0 if float(part.applied) > 0 else -1.0
    return (edges[1:] + edges[:-1]) / 2, sign * np.diff(below) / step


def peak(recording: xr.Dataset, part: xr.Dataset, step: float = 0.005) -> Interval:
    """Return the voltage of the highest peak of dQ/dV [V], to one step either way.

    Parameters
    ----------
    recording, part, step
        As for `curve`.
    """
    charge, along = capacity.profile(recording, part)
    inner = along[(charge > ENDS * charge[-1]) & (charge < (1 - ENDS) * charge[-1])]
    voltage, differential = curve(recording, part, step)
    if inner.size < 2:
        return Interval(None)
    size = np.where((voltage >= inner.min() - step) & (voltage <= inner.max() + step), np.abs(differential), 0.0)
    return Interval.symmetric(float(voltage[size.argmax()]), step)
