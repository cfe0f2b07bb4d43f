"""Charge of the half cycles and cycles of a cell, its uncertainty, and the voltage along them.

A cycle is a charge and the discharge after it; the current itself decides where one begins, and the currents which
cycles are those of the test. The charge of a half cycle
is what the tester counted or the integral of the current, whichever is known more precisely. Its uncertainty is split
into what is new in every half cycle (the moment at which the current switched, the last digit of the counter), what
half cycles of the same current share (the rounding of the current), and what all capacities of a recording share (the
tester's gain and the mass of active material), since each cancels in other comparisons.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr

from coldbond import constants
from coldbond.cells import cycle_numbers, cycling, protocol
from coldbond.interval import NORMAL

#: Share of the median current of a half cycle below which it pauses: less than the 5 % of the charging current at
#: which a phase of constant voltage usually ends.
PAUSE_SHARE = 0.02

#: Share of the charge of the half cycle before, at the same current, from which one counts as finished, however its
#: voltage ended: a test that is limited by capacity or time ends at another voltage every time. Closure was the same
#: with 0.9 and 0.999.
FINISHED_SHARE = 0.98

#: Voltage at half of the charge below which a working electrode is an anode against lithium [V]: graphite, silicon and
#: hard carbon lie below 0.6 V, lithium titanate (1.55 V) and every cathode above. Two electrodes of a full cell differ
#: by more. Source: J.-M. Tarascon, M. Armand, Nature 414, 359 (2001), doi 10.1038/35104644.
ANODE_VOLTAGE = 1.0

#: Range of the voltage [V] within a phase of constant voltage: of the regulation of a tester.
CONSTANT_VOLTAGE = 0.02

#: Records on either side of half of the charge whose scatter is the uncertainty of the voltage there: enough for its
#: standard deviation to be known to a fifth, few enough for the voltage to be nearly straight.
NEAR_MIDDLE = 10

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

    A cycle is a charge and the discharge after it; of an anode against lithium, a discharge and the charge after it.
    In a recording without charges every discharge is a cycle, and a change of the current's level separates it from the
    next. The numbers are the tester's, where it counts cycles (`cycle_numbers`). A half cycle before the first whole
    cycle has the number before that: the first discharge of a cathode without lithium is cycle 0.

    Parameters
    ----------
    recording : xarray.Dataset
        `time` [s], `voltage` [V], `current` [A] over `record`; optionally the tester's `cycle` and counters, as for
        `measured`, and the attr `active_mass_mg`.
    current_uncertainty, mass_uncertainty : float
        Relative standard uncertainties of the tester's current and of the mass of active material.
    cutoff_tolerance : float
        A half cycle is unfinished if its voltage ends farther than this [V] from that of the others at its current, and
        if it passed less charge than the one before.

    Returns
    -------
    xarray.Dataset
        Over `half` ("charge", "discharge") and `cycle` (its number), NaN where a cycle lacks that half:

        - the variables of `measured`
        - `capacity`, `capacity_half_width` [mAh/g; mAh without a mass] : half of the 95 % interval in a comparison with
          another cycle, without what all capacities share
        - `finished`

        and over `cycle`:

        - `coulombic_efficiency`, `efficiency_half_width` [%] : discharge over charge (of an anode against lithium,
          charge over discharge), and half of its 95 % interval in a comparison with another cycle
        - `polarization`, `polarization_half_width` [V] : voltage in charge less voltage in discharge, each at half of
          its own capacity; NaN unless the cycle is complete and half of the capacity was passed at the applied current
        - `complete` : both halves were recorded and finished, and the first began where a finished half cycle ended
        - `kind` : cycles of the same number have the same currents in charge and discharge
        - `test` : of the kind of most complete cycles, the test; the others are formation, check-ups, other rates
        - `settled` : a cycle of the test that follows another one. The first after a change of the current is not: the
          charge of one that follows a slower discharge is larger.

        attrs, besides those of the recording: `counted` (see `measured`), `current_uncertainty`, `current_digit` [A],
        `common` (relative standard uncertainty that all capacities share), `voltage_digit` [V], `delivered` (the half
        whose capacity is that of the cell: "discharge", or "charge" of an anode against lithium), `pulses` (number of
        pulses that were left out), `lone` (whether the first cycle is the half before the first whole one),
        `by_tester`, `numbering` and `sure_until` (see `cycle_numbers.Numbers`), and `begins` (1, or the tester's number
        of the first record).

    Raises
    ------
    ValueError
        No current flows in the recording, or no half cycle has two records.
    """
    parts, recording = protocol.half_cycles(recording, cutoff_tolerance)
    halves = measured(recording, parts)
    charging = halves.applied.to_numpy() > 0
    done = protocol.finished(halves, cutoff_tolerance, FINISHED_SHARE) & ~halves.unseen.to_numpy()
    if not halves.attrs["counted"]:  # whether the current went on while records were lost cannot be told
        done &= halves.undecided.to_numpy() == 0
    begun = np.concatenate([[True], done[:-1]])  # where a half cycle was broken off the next one begins half way
    halves = halves.assign(finished=("half_cycle", done.astype(float)), begun=("half_cycle", begun.astype(float)))
    of_anode = _is_anode(halves)
    leading = ~charging if of_anode else charging
    # A cycle starts at every leading half, and at every other one that does not follow a leading one.
    after = np.concatenate([[False], leading[:-1]])
    first = np.flatnonzero(leading | ~after)
    second = np.where(np.append(~leading & after, False)[first + 1], first + 1, -1)
    own = halves.tester_cycle.to_numpy()[first].astype(int) if "tester_cycle" in halves else None
    holes = halves.hole.to_numpy()[first] | ((second > 0) & halves.hole.to_numpy()[second])
    lone = bool(leading.any() and not leading[0])
    found = cycle_numbers.numbered(own, holes, int(not lone))
    ahead, behind = np.where(leading[first], first, -1), np.where(leading[first], second, first)
    position = xr.DataArray(
        [behind, ahead] if of_anode else [ahead, behind],
        coords={"half": ["charge", "discharge"], "cycle": found.numbers},
        dims=("half", "cycle"),
    )
    table = halves.isel(half_cycle=position.clip(0)).where(position >= 0)
    charged, discharged = (table.sel(half=half, drop=True) for half in ("charge", "discharge"))
    factor, unit = scale(recording)
    half_width = np.hypot(NORMAL * table.random, table.rounding)
    voltage_digit = cycling.resolution(recording, "voltage")
    into, out = (discharged, charged) if of_anode else (charged, discharged)
    efficiency = 100 * out.passed / into.passed.where(into.passed > 0)
    complete = (table.finished == 1).all("half") & (into.begun == 1)
    table = table.assign(
        capacity=(table.passed * factor).assign_attrs(units=unit, long_name="Capacity"),
        capacity_half_width=(half_width * factor).assign_attrs(units=unit),
        coulombic_efficiency=efficiency.assign_attrs(units="%", long_name="Coulombic efficiency"),
        efficiency_half_width=efficiency * np.sqrt(((half_width / table.passed) ** 2).sum("half", skipna=False)),
        polarization=(charged.middle - discharged.middle).where(complete).assign_attrs(units="V"),
        # Two voltages, each rounded by half a digit.
        polarization_half_width=np.hypot(
            NORMAL * np.hypot(charged.middle_uncertainty, discharged.middle_uncertainty), voltage_digit
        ),
        complete=complete,
    )
    return _of_test(table).assign_attrs(
        common=common_uncertainty(recording, current_uncertainty, mass_uncertainty),
        current_uncertainty=current_uncertainty,
        current_digit=cycling.resolution(recording, "current"),
        voltage_digit=voltage_digit,
        delivered="charge" if of_anode else "discharge",
        lone=lone,
        by_tester=found.by_tester,
        numbering=found.words,
        sure_until=found.sure_until,
        begins=max(int(recording.cycle[0]), 1) if found.by_tester else 1,
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
        - `applied` [A] : the current that was applied, positive in charge; where it falls at constant voltage, that
          before
        - `held`, `stepped` : shares of the charge passed at less than that, at constant voltage or not
        - `middle`, `last` [V] : voltage at half of the charge, NaN where it passed at less than the applied current;
          and at the end
        - `middle_uncertainty` [V] : standard uncertainty of `middle` by the scatter of the records about it
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
    least = float(parts.flowed.attrs["hole"])
    along = [
        _along(recording, start, stop, flowed, least)
        for (start, stop), flowed in zip(bounds, parts.flowed.to_numpy(), strict=True)
    ]
    paused, rests = np.transpose([_pauses(recording, start, stop) for start, stop in bounds])
    flowed = parts.flowed.to_numpy()
    digit = cycling.resolution(recording, "current") / 3600
    # A half cycle of a single record passed anything between nothing and its current times the interval of the records.
    alone = np.abs(parts.current.to_numpy()) * (parts.charge.to_numpy() == 0) * _interval(recording) / 3600
    integral = np.abs(parts.charge.to_numpy()) + alone / 2
    # `cycling` adds the standard deviation of the rounding, digit / sqrt(12), to that of the switching; here the
    # rounding is kept apart, as a bound of half a digit, because it is the same in all half cycles of a current.
    switching = np.sqrt(np.maximum(parts.charge_uncertainty.to_numpy() ** 2 - (digit * flowed) ** 2 / 12, 0))
    switching = np.hypot(switching, alone / np.sqrt(12))
    rounding = digit / 2 * flowed
    counted, counting = _counted(recording, parts)
    some = integral > 0
    by_integral = np.median(np.hypot(switching, rounding / np.sqrt(3))[some] / integral[some])
    with np.errstate(divide="ignore", invalid="ignore"):
        by_counter = bool(np.median((counting / counted)[some]) < by_integral)
    added = {
        "passed": (counted if by_counter else integral, "Ah", "Charge"),
        "random": (counting if by_counter else switching, "Ah", "Standard uncertainty of the charge"),
        "rounding": (np.zeros_like(rounding) if by_counter else rounding, "Ah", "Bound of the rounding of the charge"),
        "integral": (integral, "Ah", "Integral of the current"),
        "integral_half_width": (np.hypot(NORMAL * switching, rounding), "Ah", "Half of its 95 % interval"),
        "paused": (paused, "s", "Time at rest"),
        "rests": (rests.astype(int), "1", "Rests"),
        "applied": ([one.applied for one in along], "A", "Applied current"),
        "held": ([one.held for one in along], "1", "Share of the charge at constant voltage"),
        "stepped": ([one.stepped for one in along], "1", "Share of the charge at less than the applied current"),
        "middle": ([one.middle for one in along], "V", "Voltage at half capacity"),
        "middle_uncertainty": ([one.middle_uncertainty for one in along], "V", "Its standard uncertainty"),
        "last": ([one.voltage[-1] for one in along], "V", "Voltage at the end"),
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
    along = _along(recording, int(part.start), int(part.stop), float(part.flowed), np.inf)
    return along.share * float(part.passed) * scale(recording)[0], along.voltage


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


def _is_anode(halves: xr.Dataset) -> bool:
    """Return whether the cell is an anode against lithium, by its voltages."""
    middle, passed = halves.middle.to_numpy(), halves.passed.to_numpy()
    known = middle[np.isfinite(middle) & (passed > 0)]
    return bool(known.size and 0 < np.median(known) < ANODE_VOLTAGE and known.min() > 0)


def _of_test(table: xr.Dataset) -> xr.Dataset:
    """Return the table with the kinds of its cycles, and which of them are the test."""
    # Where nearly all of the charge passed at constant voltage, the current before may not be seen.
    currents = table.applied.where(table.held + table.stepped < protocol.TAPERED)
    kind = protocol.classes(*(currents.sel(half=half).to_numpy() for half in ("charge", "discharge")))
    complete = table.complete.to_numpy()
    test = kind == np.bincount(kind, np.where(complete, 1.0, 1e-6)).argmax()
    follows = np.concatenate([[False], test[:-1] & (np.diff(table.cycle.to_numpy()) == 1)])
    first = np.arange(kind.size) == np.argmax(test)
    return table.assign(
        kind=("cycle", kind), test=("cycle", test), settled=("cycle", test & complete & (follows | first))
    )


class _Along(NamedTuple):
    """The records of a half cycle with a current, and what follows from them, as `measured` describes it."""

    share: np.ndarray
    voltage: np.ndarray
    applied: float
    held: float
    stepped: float
    middle: float
    middle_uncertainty: float


def _along(recording: xr.Dataset, start: int, stop: int, flowed: float, hole: float) -> _Along:
    """Return the share of the charge passed, 0 to 1, and the voltage [V] at the records with a current.

    Where the current flowed for less than the records span, it stood still in the gaps longer than `hole` [s].
    """
    time, current, voltage = (recording[name][start:stop].to_numpy() for name in ("time", "current", "voltage"))
    lengths = np.diff(time)
    if lengths[(current[1:] != 0) & (current[:-1] != 0)].sum() - flowed > hole:
        lengths = np.where(lengths > hole, 0.0, lengths)
    charge = lengths * np.abs(current[1:] + current[:-1]) / 2
    passed = np.concatenate([[0.0], np.cumsum(charge)])
    flows = ~_resting(current)
    share = passed[flows] / passed[-1] if passed[-1] else np.full(flows.sum(), 0.5)
    current, voltage = current[flows], voltage[flows]
    applied, less = protocol.applied_current(current)
    late = np.append(False, less[1:] & less[:-1])
    tapered = float(np.diff(share, prepend=0.0)[late].sum())
    constant = bool(late.any()) and float(np.ptp(np.percentile(voltage[late], [10, 90]))) < CONSTANT_VOLTAGE
    middle = np.interp(0.5, share, voltage) if np.interp(0.5, share, less) < 0.5 else np.nan
    held, stepped = (tapered, 0.0) if constant else (0.0, tapered)
    scatter = _scatter(voltage, int(np.searchsorted(share, 0.5)))
    return _Along(share, voltage, applied, held, stepped, float(middle), scatter)


def _scatter(voltage: np.ndarray, at: int) -> float:
    """Return the standard deviation of a voltage about the line between its neighbours, near a record [V].

    Where the records lie so far apart that the curve bends between them, it holds the error of the interpolation.
    """
    near = voltage[max(at - NEAR_MIDDLE, 0) : at + NEAR_MIDDLE]
    if near.size < 3:
        return float(np.ptp(near))
    second = near[1:-1] - (near[:-2] + near[2:]) / 2  # of independent values, its variance is 3/2 of theirs
    return float(np.sqrt(np.mean(second**2) / 1.5))


def _interval(recording: xr.Dataset) -> float:
    """Return the usual interval between records that have a current [s]."""
    flows = recording.current.to_numpy() != 0
    lengths = np.diff(recording.time.to_numpy())[flows[1:] & flows[:-1]]
    return float(np.median(lengths)) if lengths.size else 0.0


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
    return charge, digit * np.sqrt((1 + resets) / 6)
