"""Charge of the half cycles and cycles of a cell, its uncertainty, and the voltage along them.

A cycle is a charge and the discharge after it; the current itself decides where one begins. The charge of a half cycle
is what the tester counted or the integral of the current, whichever is known more precisely. Its uncertainty is split
into what is new in every half cycle (the moment at which the current switched, the last digit of the counter), what
half cycles of the same current share (the rounding of the current), and what all capacities of a recording share (the
tester's gain and the mass of active material), since each cancels in other comparisons.
"""

import numpy as np
import xarray as xr

from coldbond import constants
from coldbond.cells import cycling
from coldbond.interval import NORMAL

#: Relative difference up to which two currents are the same rate. Closure (tests/test_capacity.py,
#: tests/test_full_cell.py) was the same with 0.01.
SAME_CURRENT = 0.05

#: Share of the median current of a half cycle below which it pauses: less than the 5 % of the charging current at
#: which a phase of constant voltage usually ends.
PAUSE_SHARE = 0.02

#: Share of the charge of the half cycle before from which the last half cycle counts as finished, however its
#: voltage ended: a test that is limited by capacity or time ends at another voltage every time. Closure was the same
#: with 0.9 and 0.999.
FINISHED_SHARE = 0.98

#: Neighbours on either side that `residuals` compares a value with: few enough to follow a fade, enough for one
#: outlier among them not to matter. Closure was the same with 4 and 20.
NEIGHBOURS = 10

#: Distance in robust standard deviations beyond which a value is an outlier. Set on closure: of normal deviates, fewer
#: than one in a thousand lies there (tests/test_capacity.py).
OUTLIER = 5.0


def cycles(
    recording: xr.Dataset,
    current_uncertainty: float = 0.001,
    mass_uncertainty: float = 0.02,
    cutoff_tolerance: float = 0.02,
) -> xr.Dataset:
    """Measure every cycle of a cell.

    A cycle is a charge and the discharge after it. The first discharge of a cell that starts with one is its cycle 0,
    the formation. In a recording without charges every discharge is a cycle, and a change of the current's level
    separates it from the next.

    Parameters
    ----------
    recording : xarray.Dataset
        `time` [s], `voltage` [V], `current` [A] over `record`; optionally the tester's counters, as for `measured`, and
        the attr `active_mass_mg`.
    current_uncertainty, mass_uncertainty : float
        Relative standard uncertainties of the tester's current and of the mass of active material.
    cutoff_tolerance : float
        The last half cycle is unfinished if its voltage ends farther than this [V] from that of the others at its
        current, and if it passed less charge than the one before.

    Returns
    -------
    xarray.Dataset
        Over `half` ("charge", "discharge") and `cycle` (its number), NaN where a cycle lacks that half:

        - the variables of `measured`
        - `capacity`, `capacity_half_width` [mAh/g; mAh without a mass] : half of the 95 % interval in a comparison with
          another cycle, without what all capacities share
        - `finished`

        and over `cycle`:

        - `coulombic_efficiency`, `efficiency_half_width` [%] : discharge over charge, and half of its 95 % interval in
          a comparison with another cycle
        - `polarization` [V] : voltage in charge less voltage in discharge, each at half of its own capacity; NaN unless
          the cycle is complete
        - `complete` : both halves were recorded and finished

        attrs, besides those of the recording: `counted` (see `measured`), `current_uncertainty`, `current_digit` [A],
        `common` (relative standard uncertainty that all capacities share), `polarization_half_width` [V] (half of its
        95 % interval, from the last digit of the voltage).

    Raises
    ------
    ValueError
        No current flows in the recording, or no half cycle has two records.
    """
    parts = cycling.half_cycles(recording)
    # A half cycle of a single record passed no charge that could be measured.
    parts = parts.isel(half_cycle=parts.charge.to_numpy() != 0)
    if not parts.sizes["half_cycle"]:
        raise ValueError(
            f"{cycling.source(recording)}: no half cycle has two records: export the recording with more records"
        )
    if (parts.current < 0).all():
        parts = cycling.segments(recording).rename(segment="half_cycle")
    halves = measured(recording, parts)
    charging = halves.current.to_numpy() > 0
    halves = halves.assign(finished=("half_cycle", _finished(halves, charging, cutoff_tolerance).astype(float)))
    # A cycle starts at every charge, and at every discharge that does not follow a charge.
    after_charge = np.concatenate([[False], charging[:-1]])
    first = np.flatnonzero(charging | ~after_charge)
    second = np.where(np.append(~charging & after_charge, False)[first + 1], first + 1, -1)
    position = xr.DataArray(
        [np.where(charging[first], first, -1), np.where(charging[first], second, first)],
        coords={
            "half": ["charge", "discharge"],
            "cycle": np.arange(first.size) + int(charging[0] or not charging.any()),
        },
        dims=("half", "cycle"),
    )
    table = halves.isel(half_cycle=position.clip(0)).where(position >= 0)
    charged, discharged = (table.sel(half=half, drop=True) for half in ("charge", "discharge"))
    factor, unit = scale(recording)
    half_width = np.hypot(NORMAL * table.random, table.rounding)
    efficiency = 100 * discharged.passed / charged.passed
    complete = (table.finished == 1).all("half")
    table = table.assign(
        capacity=(table.passed * factor).assign_attrs(units=unit, long_name="Capacity"),
        capacity_half_width=(half_width * factor).assign_attrs(units=unit),
        coulombic_efficiency=efficiency.assign_attrs(units="%", long_name="Coulombic efficiency"),
        efficiency_half_width=efficiency * np.sqrt(((half_width / table.passed) ** 2).sum("half", skipna=False)),
        polarization=(charged.middle - discharged.middle).where(complete).assign_attrs(units="V"),
        complete=complete,
    )
    return table.assign_attrs(
        common=common_uncertainty(recording, current_uncertainty, mass_uncertainty),
        current_uncertainty=current_uncertainty,
        current_digit=cycling.resolution(recording, "current"),
        polarization_half_width=cycling.resolution(recording, "voltage"),  # two voltages, each rounded by half a digit
    )


def measured(recording: xr.Dataset, parts: xr.Dataset) -> xr.Dataset:
    """Measure the charge, the pauses and the voltages of half cycles.

    Parameters
    ----------
    recording : xarray.Dataset
        `time` [s], `voltage` [V], `current` [A] over `record`; optionally the tester's own counters `capacity`, or
        `charge_capacity` and `discharge_capacity` [Ah].
    parts : xarray.Dataset
        From `cycling.half_cycles` or `cycling.segments` of that recording.

    Returns
    -------
    xarray.Dataset
        `parts` with these added, all positive:

        - `passed` [Ah] : the charge, from the tester's counter or the integral of the current, see Notes
        - `random` [Ah] : the part of its standard uncertainty that is new in every half cycle
        - `rounding` [Ah] : largest error by the rounding of the current, the same in half cycles of the same current
        - `integral`, `integral_half_width` [Ah] : the integral of the current, and half of its 95 % interval
        - `paused` [s], `rests` : duration of the pauses within the half cycle, and their number
        - `middle`, `last` [V] : voltage at half of the charge, and at the end
        - `tester_cycle` : the cycle number of the tester, where the recording has it

        attrs `counted` : whether `passed` is from the tester's counter.

    Notes
    -----
    The counter integrates the current as the tester measured it, unrounded and also between the records; its own last
    digit limits it. The integral is limited by the last digit of the current: a constant current is rounded by the same
    amount throughout, so that more records do not help. The one with the smaller uncertainty in the median half cycle
    is used for all.
    """
    bounds = list(zip(parts.start.to_numpy(), parts.stop.to_numpy(), strict=True))
    along = [_along(recording, start, stop) for start, stop in bounds]
    paused, rests = np.transpose([_pauses(recording, start, stop) for start, stop in bounds])
    span = (parts.end - parts.begin).to_numpy()
    digit = cycling.resolution(recording, "current") / 3600
    integral = np.abs(parts.charge.to_numpy())
    # `cycling` adds the standard deviation of the rounding, digit / sqrt(12), to that of the switching; here the
    # rounding is kept apart, as a bound of half a digit, because it is the same in all half cycles of a current.
    switching = np.sqrt(np.maximum(parts.charge_uncertainty.to_numpy() ** 2 - (digit * span) ** 2 / 12, 0))
    rounding = digit / 2 * (span - paused)
    counted, counting = _counted(recording, parts)
    by_counter = bool(np.median(counting / counted) < np.median(np.hypot(switching, rounding / np.sqrt(3)) / integral))
    added = {
        "passed": (counted if by_counter else integral, "Ah", "Charge"),
        "random": (counting if by_counter else switching, "Ah", "Standard uncertainty of the charge"),
        "rounding": (np.zeros_like(rounding) if by_counter else rounding, "Ah", "Bound of the rounding of the charge"),
        "integral": (integral, "Ah", "Integral of the current"),
        "integral_half_width": (np.hypot(NORMAL * switching, rounding), "Ah", "Half of its 95 % interval"),
        "paused": (paused, "s", "Time at rest"),
        "rests": (rests.astype(int), "1", "Rests"),
        "middle": ([np.interp(0.5, share, voltage) for share, voltage in along], "V", "Voltage at half capacity"),
        "last": ([voltage[-1] for _, voltage in along], "V", "Voltage at the end"),
    }
    if "cycle" in recording:
        added["tester_cycle"] = (recording.cycle.to_numpy()[parts.start.to_numpy()], "1", "Cycle number of the tester")
    dimension = parts.start.dims[0]
    variables = {
        name: (dimension, np.asarray(values), {"units": units, "long_name": label})
        for name, (values, units, label) in added.items()
    }
    return parts.assign(variables).assign_attrs(counted=by_counter)


def scale(recording: xr.Dataset) -> tuple[float, str]:
    """Return the factor from Ah to the unit of the capacities of a recording, and that unit.

    The unit is mAh/g where the recording has the attr `active_mass_mg`, else mAh.
    """
    mass = constants.optional(recording, "active_mass_mg")
    return (1e6 / mass, "mAh/g") if np.isfinite(mass) else (1e3, "mAh")


def common_uncertainty(recording: xr.Dataset, current_uncertainty: float, mass_uncertainty: float) -> float:
    """Return the relative standard uncertainty that all capacities of a recording share.

    The errors of the tester's gain and of the mass are the same factor in every cycle; they cancel in ratios of
    capacities.
    """
    mass = mass_uncertainty if np.isfinite(constants.optional(recording, "active_mass_mg")) else 0.0
    return float(np.hypot(current_uncertainty, mass))


def profile(recording: xr.Dataset, part: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return capacity [mAh/g or mAh, from 0] and voltage [V] along one half cycle, without its pauses.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `cycles`.
    part : xarray.Dataset
        One half cycle from `measured` or `cycles`.
    """
    share, voltage = _along(recording, int(part.start), int(part.stop))
    return share * float(part.passed) * scale(recording)[0], voltage


def residuals(values: np.ndarray, neighbours: int = NEIGHBOURS) -> np.ndarray:
    """Return the distance of each value of a series from its neighbours.

    Parameters
    ----------
    values : array, shape (n,)
        In the order of time.
    neighbours : int
        Number of neighbours on either side; near the ends fewer, equally many on both sides.

    Returns
    -------
    array, shape (n,)
        Distance from the median of the midpoints between neighbours that lie equally far on either side. A slope leaves
        no residual, and one outlier among the neighbours hardly matters. NaN for the first and the last value.
    """
    values = np.asarray(values, dtype=float)
    distances = np.full(values.size, np.nan)
    for i in range(1, values.size - 1):
        near = np.arange(1, min(neighbours, i, values.size - 1 - i) + 1)
        distances[i] = values[i] - np.median((values[i - near] + values[i + near]) / 2)
    return distances


def outliers(distances: np.ndarray, limit: float, floor: float) -> np.ndarray:
    """Return which values are outliers.

    Parameters
    ----------
    distances : array, shape (n,)
        Of each value from its expectation, NaN where there is none.
    limit : float
        Distance beyond which a value is an outlier, in robust standard deviations, which are the median absolute
        deviation over 0.6745 (Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers).
    floor : float
        Standard uncertainty of a single value, in its unit: the least standard deviation.

    Returns
    -------
    array of bool, shape (n,)
        All False for fewer than four distances, which do not determine a standard deviation.
    """
    if np.isfinite(distances).sum() < 4:
        return np.zeros(distances.size, dtype=bool)
    return np.abs(distances) > limit * max(robust_deviation(distances), floor)


def robust_deviation(distances: np.ndarray) -> float:
    """Return the robust standard deviation of distances from an expectation; NaN where there are none."""
    known = np.abs(distances[np.isfinite(distances)])
    return float(np.median(known)) / cycling.MEDIAN_DEVIATION if known.size else np.nan


def _finished(halves: xr.Dataset, charging: np.ndarray, tolerance: float) -> np.ndarray:
    """Return which half cycles were finished; only the last one may not be."""
    finished = np.ones(charging.size, dtype=bool)
    current = halves.current.to_numpy()
    others = np.flatnonzero(np.abs(current[:-1] / current[-1] - 1) < SAME_CURRENT)
    if others.size:
        last, passed = halves["last"].to_numpy(), halves.passed.to_numpy()
        short_of = (np.median(last[others]) - last[-1]) * (1 if charging[-1] else -1)
        finished[-1] = short_of <= tolerance or passed[-1] >= FINISHED_SHARE * passed[others[-1]]
    return finished


def _along(recording: xr.Dataset, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of the charge passed, 0 to 1, and the voltage [V] at the records with a current."""
    time, current, voltage = (recording[name][start:stop].to_numpy() for name in ("time", "current", "voltage"))
    passed = np.concatenate([[0.0], np.cumsum(np.diff(time) * np.abs(current[1:] + current[:-1]) / 2)])
    flows = ~_resting(current)
    share = passed[flows] / passed[-1] if passed[-1] else np.full(flows.sum(), 0.5)
    return share, voltage[flows]


def _pauses(recording: xr.Dataset, start: int, stop: int) -> tuple[float, int]:
    """Return the duration [s] and the number of the pauses within a half cycle."""
    resting = _resting(recording.current[start:stop].to_numpy())
    lengths = np.diff(recording.time[start:stop].to_numpy())
    return float(lengths[resting[:-1]].sum()), int(np.count_nonzero(np.diff(resting.astype(int)) == 1))


def _resting(current: np.ndarray) -> np.ndarray:
    return np.abs(current) < PAUSE_SHARE * np.median(np.abs(current[current != 0]))


def _counted(recording: xr.Dataset, parts: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return the charge of each part from the tester's counter [Ah] and its standard uncertainty; NaN without one."""
    charging = parts.current.to_numpy() > 0
    charge, resets, digit = (np.full(charging.size, np.nan) for _ in range(3))
    for direction, own in ((charging, "charge_capacity"), (~charging, "discharge_capacity")):
        name = own if own in recording else "capacity"
        if name not in recording:
            continue
        counter = recording[name].to_numpy()
        step = np.abs(np.diff(counter, prepend=counter[:1]))
        # A counter that was just reset shows what has passed since; one that was not reset has changed by less than
        # what it shows. The smaller of the two is the charge of each record, whether the tester resets its counter at
        # every step, at every cycle or never, and whether it counts up or down.
        total = np.cumsum(np.minimum(np.abs(counter), step))
        reset = np.cumsum(np.abs(counter) < step)
        first, last = parts.start.to_numpy()[direction], parts.stop.to_numpy()[direction] - 1
        before = np.maximum(first - 1, 0)
        charge[direction] = total[last] - total[before]
        resets[direction] = reset[last] - reset[first]
        digit[direction] = cycling.resolution(recording, name)
    # Each stretch between resets is the difference of two readings, each rounded by digit / sqrt(12).
    return np.where(charge > 0, charge, np.nan), digit * np.sqrt((1 + resets) / 6)
