"""Capacity, coulombic efficiency, retention, fade and polarisation of a full cell, from its cycles.

All quantities follow from `capacity.cycles`. The errors of mass and tester gain are the same factor in all cycles: they
widen the interval of every capacity and cancel in retention and fade. A single cycle scatters, as the temperature of
the room makes it, and neighbouring cycles scatter together: retention allows for the scatter of single cycles about a
smooth fade, means and slopes are those of batch means. The efficiency compares charge with discharge, whose
calibrations may differ, so that the gain of the tester does not cancel there.
"""

import numpy as np
import xarray as xr

from coldbond import batch_means
from coldbond.cells import capacity
from coldbond.interval import NORMAL, Interval, student

#: Cycles from which on the smooth fade is a parabola; a straight line through fewer. Of six cycles a
#: parabola leaves three degrees of freedom. No other value was tried.
PARABOLA_CYCLES = 6

#: Retention [%] beyond which half cycles were not run between the same limits: a cell that improves gains some percent.
GROWN = 200.0

#: Cycles by which another cycle may lie away from one that is asked for: the next but one, where a check-up of two
#: cycles interrupts the test.
NEAR = 2


def steady_cycles(
    table: xr.Dataset, settling: int = 5, outlier: float = capacity.OUTLIER, before: float | None = None
) -> xr.Dataset:
    """Return the settled cycles of the test, as `capacity.cycles` tells them, after a cell has settled.

    Parameters
    ----------
    table : xarray.Dataset
        From `capacity.cycles`.
    settling : int
        Number of cycles at the beginning of the test that are left out.
    outlier : float
        Distance from the neighbouring cycles, in robust standard deviations, beyond which the discharge capacity or the
        coulombic efficiency of a cycle is an outlier.
    before : float, optional
        Number of the cycle at which the cell failed: it and later ones are left out.

    Returns
    -------
    xarray.Dataset
        Those cycles of `table`, with `outlier` (bool) over `cycle`.
    """
    kept = table.sel(cycle=table.settled & (table.cycle >= first_of_test(table) + settling))
    if before is not None:
        kept = kept.sel(cycle=kept.cycle < before)
    is_outlier = np.zeros(kept.sizes["cycle"], dtype=bool)
    for series, half_width in (
        (_delivered(kept), kept.capacity_half_width.sel(half=table.attrs["delivered"])),
        (kept.coulombic_efficiency, kept.efficiency_half_width),
    ):
        floor = float(half_width.median()) / NORMAL if kept.sizes["cycle"] else 0.0
        is_outlier |= capacity.outliers(capacity.residuals(series.to_numpy()), outlier, floor)
    return kept.assign(outlier=("cycle", is_outlier))


def cycle_scatter(steady: xr.Dataset) -> float:
    """Return the scatter of single discharge capacities about a smooth fade.

    Parameters
    ----------
    steady : xarray.Dataset
        From `steady_cycles`.

    Returns
    -------
    float
        Standard deviation about a parabola (a straight line for fewer than six cycles), in the unit of the capacities.
        For few cycles it is enlarged so that `NORMAL` times it is the half width by Student's t. NaN for fewer than
        three cycles. A swing over many cycles, such as that of the room's temperature over a day, counts in full.
    """
    kept = _without_outliers(steady)
    degree = 2 if kept.sizes["cycle"] >= PARABOLA_CYCLES else 1
    freedom = kept.sizes["cycle"] - degree - 1
    if freedom < 1:
        return np.nan
    capacities = _delivered(kept).to_numpy()
    smooth = np.polynomial.Polynomial.fit(kept.cycle.to_numpy(), capacities, degree)(kept.cycle.to_numpy())
    deviation = np.sqrt(np.sum((capacities - smooth) ** 2) / freedom)
    return float(deviation * student(freedom) / NORMAL)


def is_finished(table: xr.Dataset, half: str, cycle: int) -> bool:
    """Return whether a half of a cycle was recorded and finished."""
    return cycle in table.cycle and bool(table.finished.sel(half=half, cycle=cycle) == 1)


def cycle_capacity(table: xr.Dataset, half: str, cycle: int, scatter: float = 0.0) -> Interval:
    """Return the capacity of a half of a cycle, with the uncertainties of the tester's gain and of the mass.

    Parameters
    ----------
    table : xarray.Dataset
        From `capacity.cycles`.
    half : {"charge", "discharge"}
    cycle : int
        One of which that half was recorded.
    scatter : float
        Standard deviation of single capacities, in their unit, from `cycle_scatter`; NaN counts as none.
    """
    one = table.sel(half=half, cycle=cycle)
    value = float(one.capacity)
    common = NORMAL * table.attrs["common"] * value
    single = NORMAL * float(np.nan_to_num(scatter))
    return Interval.symmetric(value, float(np.sqrt(one.capacity_half_width**2 + common**2 + single**2)))


def integral_capacity(table: xr.Dataset, half: str, cycle: int) -> Interval:
    """Return the capacity of a half of a cycle by the integral of the current, for comparison with the counter."""
    one = table.sel(half=half, cycle=cycle)
    factor = float(one.capacity / one.passed)
    value = factor * float(one.integral)
    return Interval.symmetric(value, factor * float(one.integral_half_width)).widened(table.attrs["common"] * value)


def first_of_test(table: xr.Dataset) -> int:
    """Return the number of the first cycle of the test."""
    test = table.test.to_numpy().copy()
    test[0] &= not table.attrs["lone"]
    return int(table.cycle[int(test.argmax())])


def comparable(table: xr.Dataset) -> xr.Dataset:
    """Return the complete cycles of the test."""
    return table.sel(cycle=table.complete & table.test)


def comparable_numbers(table: xr.Dataset) -> np.ndarray:
    """Return the numbers of the complete cycles of the test."""
    return table.cycle.to_numpy()[table.complete.to_numpy() & table.test.to_numpy()]


def nearest(table: xr.Dataset, cycle: int) -> int | None:
    """Return the complete cycle of the test nearest to a number, at most two cycles away; None where there is none.

    Another one than that cycle is taken only where that is a check-up or was broken off.
    """
    numbers = comparable_numbers(table)
    if cycle not in table.cycle or not numbers.size or cycle > table.attrs["sure_until"]:
        return None
    found = int(numbers[np.abs(numbers - cycle).argmin()])
    return found if abs(found - cycle) <= NEAR else None


def first_recorded(table: xr.Dataset, half: str) -> int:
    """Return the number of the first cycle in which a half was recorded."""
    return int(table.cycle[int(np.isfinite(table.passed.sel(half=half).to_numpy()).argmax())])


def initial_efficiency(table: xr.Dataset) -> Interval:
    """Return the first charge over the discharge before it, %, of a cell that starts with a discharge.

    This is the usual initial coulombic efficiency of an anode against lithium, and of a cathode without lithium.
    """
    start = 1 if table.attrs["lone"] else 0
    charged, discharged = table.sel(half="charge").isel(cycle=start), table.sel(half="discharge").isel(cycle=0)
    ratio = 100 * float(charged.capacity / discharged.capacity)
    relative = np.hypot(
        charged.capacity_half_width / charged.capacity, discharged.capacity_half_width / discharged.capacity
    )
    return _with_calibration(table, Interval.symmetric(ratio, ratio * float(relative)))


def first_efficiency(table: xr.Dataset) -> Interval:
    """Return the coulombic efficiency of the first complete cycle, %."""
    first = _first_complete(table)
    half_width = float(first.efficiency_half_width)
    return _with_calibration(table, Interval.symmetric(float(first.coulombic_efficiency), half_width))


def mean_efficiency(table: xr.Dataset, steady: xr.Dataset) -> Interval:
    """Return the mean coulombic efficiency after the cell has settled, %."""
    kept = _without_outliers(steady)
    mean = batch_means.mean(kept.coulombic_efficiency)
    # The error by the rounding of the current is alike in all cycles: a mean over them does not reduce it.
    rounding = kept.coulombic_efficiency * np.sqrt(((kept.rounding / kept.passed) ** 2).sum("half"))
    largest = float(rounding.fillna(0).sum()) / max(kept.sizes["cycle"], 1)
    return _with_calibration(table, mean.widened(largest / NORMAL))


def calibration_half_width(table: xr.Dataset, efficiency: Interval) -> float:
    """Return the part of the half width of an efficiency [%] by which the tester's directions may differ.

    The errors of the calibrations in charge and discharge are about as large as that of either. Of an efficiency they
    do not cancel.
    """
    return NORMAL * table.attrs["current_uncertainty"] * (efficiency.value or 0.0)


def retention(table: xr.Dataset, after: int, scatter: float = 0.0) -> dict[str, Interval]:
    """Compare the capacity of one cycle of the test with that of earlier ones.

    Parameters
    ----------
    table : xarray.Dataset
        From `capacity.cycles`.
    after : int
        Number of the cycle, a complete one of the test.
    scatter : float
        Standard deviation of single capacities, in their unit, from `cycle_scatter`.

    Returns
    -------
    dict of str to Interval
        Retention [%] against the "first" complete cycle, the "best" one and the "mean_of_first_three"; without a value
        where the capacity has more than doubled: half cycles of such different lengths are pulses, not cycles.

    Notes
    -----
    Mass and tester gain cancel. What remains is the last digit and the scatter of single cycles: a capacity is a
    property of the cell only as far as the next cycle repeats it. The best of many cycles is partly the one with the
    largest deviation, so that the retention against it is biased low.
    """
    complete = comparable(table).sel(half=table.attrs["delivered"])
    reached, each = float(complete.capacity.sel(cycle=after)), complete.capacity.to_numpy()
    single = np.fmax(scatter, float((complete.random / complete.passed * complete.capacity).median()))
    found = {}
    for name, reference in {"first": each[:1], "best": each[[each.argmax()]], "mean_of_first_three": each[:3]}.items():
        ratio = 100 * reached / reference.mean()
        # Three cycles in a row scatter together: their mean counts as uncertain as one of them.
        relative = single * np.hypot(1 / reached, 1 / reference.mean())
        half_width = NORMAL * float(ratio * relative)
        found[name] = Interval.from_bounds(float(ratio), max(float(ratio) - half_width, 0.0), float(ratio) + half_width)
        if ratio > GROWN:
            found[name] = Interval(None)
    return found


def fade_per_cycle(table: xr.Dataset, steady: xr.Dataset) -> Interval:
    """Return the loss of capacity per cycle, % of that of the first complete cycle of the test.

    Where records are lost whose cycles are not numbered, of the cycles before them.
    """
    kept = _without_outliers(steady)
    kept = kept.sel(cycle=kept.cycle <= table.attrs["sure_until"])
    reference = float(_delivered(table).sel(cycle=comparable_numbers(table)[0])) / 100
    number, capacities = kept.cycle.to_numpy(), _delivered(kept).to_numpy()
    slope = batch_means.slope(number, capacities)
    if slope.value is not None and number.size > 2:
        # The means of batches that hold whole periods of a swing, as of the temperature over a day, do not show it: the
        # interval is at least that of uncorrelated scatter about the line.
        x = number - number.mean()
        residual = capacities - capacities.mean() - slope.value * x
        freedom = number.size - 2
        half_width = student(freedom) * float(np.sqrt(residual @ residual / freedom / (x @ x)))
        if slope.half_width is not None and half_width > slope.half_width:
            slope = Interval.symmetric(slope.value, half_width)
    return slope.scaled(-1 / reference)


def mean_polarization(table: xr.Dataset, steady: xr.Dataset) -> Interval:
    """Return the mean polarisation after the cell has settled, mV."""
    mean = batch_means.mean(_polarized(steady).polarization)
    return mean.widened(table.attrs["voltage_digit"] / NORMAL).scaled(1e3)


def polarization_change(steady: xr.Dataset) -> Interval:
    """Return the change of the polarisation over the steady cycles, % of its mean, by a straight line."""
    kept = _polarized(steady)
    mean = batch_means.mean(kept.polarization).value
    if not mean:  # of nothing, or of voltages that a tester rounds to the same
        return Interval(None)
    span = int(kept.cycle[-1] - kept.cycle[0])
    return batch_means.slope(kept.cycle, kept.polarization).scaled(100 * span / mean)


def is_stable(change: Interval, stable_within: float) -> bool | None:
    """Return whether a change [%] is within a share; None where its interval allows both."""
    if change.value is None or change.half_width is None:
        return None
    at_most, at_least = abs(change.value) + change.half_width, abs(change.value) - change.half_width
    limit = 100 * stable_within
    return (at_most <= limit) if (at_most <= limit) == (at_least <= limit) else None


def inventory_share(steady: xr.Dataset) -> tuple[Interval, bool | None]:
    """Return which share of the charge lost in each cycle costs no capacity, and whether lithium limits the cell.

    Without an excess of lithium, as in an anode-free or a lithium-ion cell, a charge takes up what the discharge before
    it gave back: what was lost is missing from then on. With an excess it takes up as much as the charge before it.

    Parameters
    ----------
    steady : xarray.Dataset
        From `steady_cycles`.

    Returns
    -------
    share : Interval
        Of the charge that is lost in each cycle, the part by which the next charge exceeds the discharge before it:
        0 where lithium limits the capacity, 1 with an excess of it. The calibrations in both directions may differ.
    limited : bool or None
        None where the interval holds one half.
    """
    kept = _without_outliers(steady)
    following = np.flatnonzero(np.diff(kept.cycle.to_numpy()) == 1)
    if following.size < 3:
        return Interval(None), None
    charged, discharged = (kept.capacity.sel(half=half).to_numpy() for half in ("charge", "discharge"))
    lost = batch_means.mean(1 - discharged[following] / charged[following])
    regained = batch_means.mean(charged[following + 1] / discharged[following] - 1)
    (loss, *_), (gain, *_) = lost.numbers, regained.numbers
    calibration = NORMAL * kept.attrs["current_uncertainty"]
    ends = []
    for sign in (-1, 1):
        for wide in (-1, 1):
            denominator = loss - sign * calibration - wide * (lost.half_width or 0.0)
            numerator = gain - sign * calibration + wide * (regained.half_width or 0.0)
            if denominator <= 0:  # no loss is seen
                return Interval(None), None
            ends.append(numerator / denominator)
    share = Interval(gain / loss, min(gain / loss, *ends), max(gain / loss, *ends))
    _, low, high = share.numbers
    return share, None if low <= 0.5 <= high else high < 0.5


def _delivered(table: xr.Dataset) -> xr.DataArray:
    """Return the capacities that the cell delivered: of an anode against lithium, in charge."""
    return table.capacity.sel(half=table.attrs["delivered"])


def _polarized(steady: xr.Dataset) -> xr.Dataset:
    kept = _without_outliers(steady)
    return kept.sel(cycle=np.isfinite(kept.polarization))


def _first_complete(table: xr.Dataset) -> xr.Dataset:
    return table.sel(cycle=table.complete).isel(cycle=0)


def _without_outliers(steady: xr.Dataset) -> xr.Dataset:
    return steady.sel(cycle=~steady.outlier)


def _with_calibration(table: xr.Dataset, efficiency: Interval) -> Interval:
    return efficiency.widened(calibration_half_width(table, efficiency) / NORMAL)
