"""Galvanostatic cycling of a lithium symmetric cell over hundreds of hours.

A constant current runs back and forth. The overpotential of a half cycle is the voltage on its plateau; the mean of a
charge and the discharge after it is half the hysteresis and free of the offset of the voltage channel. Its mean and
its drift over the test say whether the interface is stable. Since neighbouring cycles see the same temperature of the
room, intervals follow from batch means. The time to failure is that of the first short; a cell that outlived its test
gives a lower bound (it is censored).
"""

import numpy as np
import xarray as xr

from coldbond import batch_means
from coldbond.cells import cycling, shorts
from coldbond.cells.shorts import METALLIC, RETAINED
from coldbond.interval import Interval

#: Shares of a half cycle over which its overpotentials are medians. The first 2 % are left out: the double layer is
#: still charging and the tester regulating.
SPANS = {"overpotential_start": (0.02, 0.1), "overpotential": (0.25, 0.75), "overpotential_end": (0.95, 1.0)}

#: Equidistant points in each span, however densely the tester recorded it.
POINTS = 21

#: Relative difference from the median current density up to which a half cycle belongs to the test; the others are the
#: formation at lower currents. No other value was tried.
SAME_CURRENT_DENSITY = 0.02


def half_cycles(recording: xr.Dataset, retained: float = RETAINED, metallic: float = METALLIC) -> xr.Dataset:
    """Measure the overpotential of every half cycle of a symmetric cell, and classify it.

    Parameters
    ----------
    recording : xarray.Dataset
        `time` [s], `voltage` [V], `current` [A] over `record`; attrs `area_cm2`.
    retained, metallic : float
        As for `shorts.classify_segments`.

    Returns
    -------
    xarray.Dataset
        The variables of `shorts.classify_segments` and, over `segment`, the unsigned overpotential [V] on the plateau
        (`overpotential`, median of the middle half), at the start (`overpotential_start`, from 2 to 10 % of the half
        cycle) and at the end (`overpotential_end`, its last 5 %).

    Raises
    ------
    ValueError
        As `shorts.classify_segments`.
    """
    segments = shorts.classify_segments(recording, retained, metallic)
    shares = np.concatenate([np.linspace(*span, POINTS) for span in SPANS.values()])
    columns = np.empty((segments.sizes["segment"], len(SPANS)))
    start, stop, begin, end, current = (
        segments[name].to_numpy() for name in ("start", "stop", "begin", "end", "current")
    )
    for i, (time, voltage) in enumerate(cycling.records(recording, start, stop, "time", "voltage")):
        at_shares = np.interp(shares, (time - begin[i]) / (end[i] - begin[i]), voltage)
        columns[i] = np.sign(current[i]) * cycling.median(at_shares.reshape(len(SPANS), POINTS).T)
    attrs = {"units": "V", "long_name": "Overpotential"}
    return segments.assign({name: ("segment", values, attrs) for name, values in zip(SPANS, columns.T, strict=True)})


def overpotentials(half_cycles: xr.Dataset) -> xr.Dataset:
    """Return the overpotential of each pair of opposite half cycles, free of the offset of the voltage channel.

    Parameters
    ----------
    half_cycles : xarray.Dataset
        From `half_cycles`. Sustained ones at the usual current density before the first failure are used, which leaves
        out a formation at lower currents.

    Returns
    -------
    xarray.Dataset
        Over `pair`: `time` [h] of its middle; `overpotential`, `overpotential_start`, `overpotential_end` [V], the mean
        of the two directions, which is half the hysteresis; `resistance` [ohm cm2].
    """
    kept = half_cycles.isel(segment=slice(0, first_failure(half_cycles)))
    usual = half_cycles.current_density.median()
    at_usual = np.abs(kept.current_density / usual - 1) < SAME_CURRENT_DENSITY
    kept = kept.isel(segment=(kept.kind == "sustained") & at_usual)
    direction = np.sign(kept.current.to_numpy())
    first = np.flatnonzero((direction[:-1] == direction[:1]) & (direction[1:] == -direction[:1]))
    one, other = kept.isel(segment=first), kept.isel(segment=first + 1)
    means = {
        name: ("pair", (one[name].to_numpy() + other[name].to_numpy()) / 2, kept[name].attrs)
        for name in (*SPANS, "resistance")
    }
    return xr.Dataset(means | {"time": ("pair", one.end.to_numpy() / 3600, {"units": "h", "long_name": "Time"})})


def after_settling(pairs: xr.Dataset, settling: int = 50) -> xr.Dataset:
    """Return the cycles after the interface has settled; all of them in a test of less than twice `settling` cycles.

    Parameters
    ----------
    pairs : xarray.Dataset
        From `overpotentials`.
    settling : int
        Number of cycles at the beginning that are left out.
    """
    return pairs.isel(pair=slice(settling if pairs.sizes["pair"] >= 2 * settling else 0, None))


def means(pairs: xr.Dataset, tester_uncertainty: float = 0.001, area_uncertainty: float = 0.02) -> dict[str, Interval]:
    """Return means over the cycles, and the drift of the overpotential.

    Parameters
    ----------
    pairs : xarray.Dataset
        From `after_settling`, two cycles or more.
    tester_uncertainty, area_uncertainty : float
        Relative standard uncertainties of the tester's voltage and current, and of the electrode area.

    Returns
    -------
    dict of str to Interval
        "overpotential", "overpotential_at_start", "overpotential_at_end" and "hysteresis" [mV],
        "area_specific_resistance" [ohm cm2] and "drift" [mV per 1000 h], which has no bounds for two cycles. The
        intervals hold for scatter that is correlated from cycle to cycle.
    """
    # A resistance is voltage over current times area: the tester's uncertainty enters twice.
    of_resistance = float(np.hypot(np.sqrt(2) * tester_uncertainty, area_uncertainty))
    found = {}
    for quantity, name, scale, uncertainty in (
        ("overpotential", "overpotential", 1e3, tester_uncertainty),
        ("overpotential_at_start", "overpotential_start", 1e3, tester_uncertainty),
        ("overpotential_at_end", "overpotential_end", 1e3, tester_uncertainty),
        ("hysteresis", "overpotential", 2e3, tester_uncertainty),
        ("area_specific_resistance", "resistance", 1.0, of_resistance),
    ):
        mean = batch_means.mean(pairs[name].to_numpy() * scale)
        found[quantity] = mean.widened(uncertainty * (mean.value or 0.0))
    drift = batch_means.slope(pairs.time.to_numpy(), pairs.overpotential.to_numpy()).scaled(1e6)
    return found | {"drift": drift.widened(tester_uncertainty * abs(drift.value or 0.0))}


def first_failure(half_cycles: xr.Dataset) -> int | None:
    """Return the index of the first half cycle that failed; None where none did."""
    failed = np.flatnonzero(shorts.failed(half_cycles.kind))
    return int(failed[0]) if failed.size else None


def time_to_failure(recording: xr.Dataset, half_cycles: xr.Dataset) -> Interval:
    """Return the time [h] from the start of the recording to the first failure; a lower bound where there is none."""
    start = float(recording.time[0])
    return Interval(*(None if time is None else (time - start) / 3600 for time in shorts.onset(recording, half_cycles)))


def charge_until_failure(
    recording: xr.Dataset, half_cycles: xr.Dataset, tester_uncertainty: float = 0.001, area_uncertainty: float = 0.02
) -> Interval:
    """Return the charge [mAh/cm2], both directions added up, until the first failure or the end of the test."""
    charge = shorts.charge_until_failure(recording, half_cycles)
    return charge.widened(float(np.hypot(area_uncertainty, tester_uncertainty)) * (charge.value or 0.0))
