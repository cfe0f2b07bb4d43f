"""The charge that half cycles and cycles passed, how well a recording tells it, and the voltage along them."""

import numpy as np
import xarray as xr

from coldbond.bundle import figures
from coldbond.cells import cycling


def cycles(
    recording: xr.Dataset,
    current_uncertainty: float = 0.001,
    mass_uncertainty: float = 0.02,
    cutoff_tolerance: float = 0.02,
) -> xr.Dataset:
    """Measure every cycle of a cell.

    A cycle is a charge and the discharge after it, found from the current itself. A cell that starts with a discharge
    has that one alone as its cycle 0, the formation. In a recording without charges every discharge is a cycle; there
    nothing but the level of the current tells one from the next.

    Parameters
    ----------
    recording : xarray.Dataset
        As `raw.recordings` gives it.
    current_uncertainty, mass_uncertainty : float
        Relative standard uncertainties of the tester's current and of the mass of active material.
    cutoff_tolerance : float
        The last half cycle is unfinished if it ends farther than this [V] from where the others of its current end, and
        passed less charge than the one before.

    Returns
    -------
    xarray.Dataset
        Over `half` ("charge", "discharge") and `cycle` (its number), NaN where a cycle lacks that half:

        - what `measured` gives
        - `capacity` [mAh/g; mAh without a mass], `interval` : half of its 95 % interval against another cycle's
        - `finished`

        and over `cycle`:

        - `coulombic_efficiency`, `efficiency_interval` [%] : discharge over charge, and half of its
          95 % interval against another cycle's
        - `polarization` [V] : charge less discharge voltage, each at half of its own capacity; NaN unless complete
        - `complete` : both halves are there and finished

        attrs, beside the recording's: `counted` (see `measured`), `current_uncertainty`, `common` (relative standard
        uncertainty that all capacities share), `polarization_interval` [V] (half of its 95 % interval, of the rounded
        voltage).

    Raises
    ------
    ValueError
        No current flows in the recording.
    """
    parts = cycling.half_cycles(recording)
    if (parts.current < 0).all():
        parts = cycling.segments(recording).rename(segment="half_cycle")
    halves = measured(recording, parts)
    charging = halves.current.to_numpy() > 0
    halves = halves.assign(finished=("half_cycle", _finished(halves, charging, cutoff_tolerance).astype(float)))
    after_charge = np.concatenate([[False], charging[:-1]])
    first = np.flatnonzero(charging | ~after_charge)
    second = np.where(np.append(~charging & after_charge, False)[first + 1], first + 1, -1)
    places = xr.DataArray(
        [np.where(charging[first], first, -1), np.where(charging[first], second, first)],
        coords={
            "half": ["charge", "discharge"],
            "cycle": np.arange(first.size) + int(charging[0] or not charging.any()),
        },
        dims=("half", "cycle"),
    )
    table = halves.isel(half_cycle=places.clip(0)).where(places >= 0)
    charged, discharged = (table.sel(half=half, drop=True) for half in ("charge", "discharge"))
    factor, unit = scale(recording)
    interval = np.hypot(1.96 * table.random, table.rounding)
    efficiency = 100 * discharged.passed / charged.passed
    complete = (table.finished == 1).all("half")
    table = table.assign(
        capacity=(table.passed * factor).assign_attrs(units=unit, long_name="Capacity"),
        interval=(interval * factor).assign_attrs(units=unit),
        coulombic_efficiency=efficiency.assign_attrs(units="%", long_name="Coulombic efficiency"),
        efficiency_interval=efficiency * np.sqrt(((interval / table.passed) ** 2).sum("half", skipna=False)),
        polarization=(charged.middle - discharged.middle).where(complete).assign_attrs(units="V"),
        complete=complete,
    )
    return table.assign_attrs(
        common=common_uncertainty(recording, current_uncertainty, mass_uncertainty),
        current_uncertainty=current_uncertainty,
        current_digit=recording.current.attrs["resolution"],
        polarization_interval=recording.voltage.attrs["resolution"],  # two voltages, each rounded by half a digit
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

        - `passed` [Ah] : the charge, by the tester's counter or by the integral of the current, see Notes
        - `random` [Ah] : its standard uncertainty that is new in every half cycle
        - `rounding` [Ah] : the bound of what rounding the current may add, alike in half cycles of the same current
        - `integral`, `integral_half_width` [Ah] : the integral of the current, and half of its 95 % interval
        - `paused` [s], `rests` : time at rest within the half cycle, and in how many stretches
        - `middle`, `last` [V] : voltage when half of the charge had passed, and at the end
        - `tester_cycle` : the tester's own number of the cycle, where the recording has it

        attrs `counted` : whether `passed` is the tester's counter.

    Notes
    -----
    The counter adds up the current as the tester measured it, unrounded and between the records too; it is limited by
    its own last digit. The integral is limited by the last digit of the current: a constant current is rounded by the
    same amount throughout, so that more records do not help. Whichever has the smaller uncertainty in the median half
    cycle is used for all.
    """
    bounds = list(zip(parts.start.to_numpy(), parts.stop.to_numpy(), strict=True))
    along = [_along(recording, start, stop) for start, stop in bounds]
    paused, rests = np.transpose([_pauses(recording, start, stop) for start, stop in bounds])
    span = (parts.end - parts.begin).to_numpy()
    digit = recording.current.attrs["resolution"] / 3600
    integral = np.abs(parts.charge.to_numpy())
    switching = np.sqrt(np.maximum(parts.charge_uncertainty.to_numpy() ** 2 - (digit * span) ** 2 / 12, 0))
    rounding = digit / 2 * (span - paused)
    counted, counting = _counted(recording, parts)
    by_counter = bool(np.median(counting / counted) < np.median(np.hypot(switching, rounding / np.sqrt(3)) / integral))
    added = {
        "passed": (counted if by_counter else integral, "Ah", "Charge"),
        "random": (counting if by_counter else switching, "Ah", "Standard uncertainty of the charge"),
        "rounding": (np.zeros_like(rounding) if by_counter else rounding, "Ah", "Bound of the rounding of the charge"),
        "integral": (integral, "Ah", "Integral of the current"),
        "integral_half_width": (np.hypot(1.96 * switching, rounding), "Ah", "Half of its 95 % interval"),
        "paused": (paused, "s", "Time at rest"),
        "rests": (rests.astype(int), "1", "Rests"),
        "middle": ([np.interp(0.5, share, voltage) for share, voltage in along], "V", "Voltage at half capacity"),
        "last": ([voltage[-1] for _, voltage in along], "V", "Voltage at the end"),
    }
    if "cycle" in recording:
        added["tester_cycle"] = (recording.cycle.to_numpy()[parts.start.to_numpy()], "1", "Cycle by the tester's count")
    dimension = parts.start.dims[0]
    variables = {
        name: (dimension, np.asarray(values), {"units": units, "long_name": label})
        for name, (values, units, label) in added.items()
    }
    return parts.assign(variables).assign_attrs(counted=by_counter)


def scale(recording: xr.Dataset) -> tuple[float, str]:
    """Return the factor from Ah to the unit that a recording's capacities are given in, and that unit.

    mAh/g where the manifest gives the mass of active material, mAh where it does not.
    """
    mass = recording.attrs["active_mass_mg"]
    return (1e6 / mass, "mAh/g") if np.isfinite(mass) else (1e3, "mAh")


def common_uncertainty(recording: xr.Dataset, current_uncertainty: float, mass_uncertainty: float) -> float:
    """Return the relative standard uncertainty that all capacities of a recording share.

    The tester's current is off by the same factor in every cycle, and so is the mass; ratios of capacities do not
    feel them.
    """
    mass = mass_uncertainty if np.isfinite(recording.attrs["active_mass_mg"]) else 0.0
    return float(np.hypot(current_uncertainty, mass))


def label(table: xr.Dataset) -> str:
    """Return the label of the capacity axis of what `cycles` returned."""
    units = table.capacity.attrs["units"]
    return f"{'Specific capacity' if units == 'mAh/g' else 'Capacity'} / {figures.unit(units)}"


def profile(recording: xr.Dataset, part: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return capacity [mAh/g or mAh, from 0] and voltage [V] along one half cycle, its rests left out.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `measured`, with the manifest's `active_mass_mg` in its attrs.
    part : xarray.Dataset
        One half cycle of what `measured` returns.
    """
    share, voltage = _along(recording, int(part.start), int(part.stop))
    return share * float(part.passed) * scale(recording)[0], voltage


def residuals(values: np.ndarray, reach: int = 10) -> np.ndarray:
    """Return how far each value lies from its neighbours.

    Parameters
    ----------
    values : array, shape (n,)
        In the order of time.
    reach : int
        Neighbours on either side that count; fewer towards the ends, alike on both sides.

    Returns
    -------
    array, shape (n,)
        Distance from the median of the midpoints between neighbours that lie equally far on either side: a slope leaves
        none, and one bad neighbour hardly matters. NaN for the first and the last value.
    """
    values = np.asarray(values, dtype=float)
    distances = np.full(values.size, np.nan)
    for i in range(1, values.size - 1):
        near = np.arange(1, min(reach, i, values.size - 1 - i) + 1)
        distances[i] = values[i] - np.median((values[i - near] + values[i + near]) / 2)
    return distances


def outliers(distances: np.ndarray, limit: float, floor: float) -> np.ndarray:
    """Return which values stand out.

    Parameters
    ----------
    distances : array, shape (n,)
        Of each value from where it is expected, NaN where that is not known.
    limit : float
        Distance beyond which a value stands out, in robust standard deviations: 1.4826 times the median absolute
        deviation (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993), or `floor` if that is larger.
    floor : float
        What a single value is uncertain by (standard), in its unit.

    Returns
    -------
    array of bool, shape (n,)
        All False for fewer than four distances: no crowd to stand out of.
    """
    if np.isfinite(distances).sum() < 4:
        return np.zeros(distances.size, dtype=bool)
    return np.abs(distances) > limit * max(spread(distances), floor)


def spread(distances: np.ndarray) -> float:
    """Return the robust standard deviation of distances from where values are expected; NaN without any."""
    known = np.abs(distances[np.isfinite(distances)])
    return 1.4826 * float(np.median(known)) if known.size else np.nan


def _finished(halves: xr.Dataset, charging: np.ndarray, tolerance: float) -> np.ndarray:
    finished = np.ones(charging.size, dtype=bool)
    current = halves.current.to_numpy()
    others = np.flatnonzero(np.abs(current[:-1] / current[-1] - 1) < 0.05)
    if others.size:
        last, passed = halves["last"].to_numpy(), halves.passed.to_numpy()
        short_of = (np.median(last[others]) - last[-1]) * (1 if charging[-1] else -1)
        # a test limited by capacity or time ends at another voltage every time: there only the charge tells
        finished[-1] = short_of <= tolerance or passed[-1] >= 0.98 * passed[others[-1]]
    return finished


def _along(recording: xr.Dataset, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Share of the charge passed, 0 to 1, and voltage [V] at the records of a half cycle in which current flows."""
    time, current, voltage = (recording[name][start:stop].to_numpy() for name in ("time", "current", "voltage"))
    passed = np.concatenate([[0.0], np.cumsum(np.diff(time) * np.abs(current[1:] + current[:-1]) / 2)])
    flows = ~_resting(current)
    share = passed[flows] / passed[-1] if passed[-1] else np.full(flows.sum(), 0.5)
    return share, voltage[flows]


def _pauses(recording: xr.Dataset, start: int, stop: int) -> tuple[float, int]:
    resting = _resting(recording.current[start:stop].to_numpy())
    lengths = np.diff(recording.time[start:stop].to_numpy())
    return float(lengths[resting[:-1]].sum()), int(np.count_nonzero(np.diff(resting.astype(int)) == 1))


def _resting(current: np.ndarray) -> np.ndarray:
    return np.abs(current) < 0.02 * np.median(np.abs(current[current != 0]))  # a taper at constant voltage ends higher


def _counted(recording: xr.Dataset, parts: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Charge of each part by the tester's counter [Ah] and its standard uncertainty; NaN where there is no counter."""
    charging = parts.current.to_numpy() > 0
    charge, resets, digit = (np.full(charging.size, np.nan) for _ in range(3))
    for direction, own in ((charging, "charge_capacity"), (~charging, "discharge_capacity")):
        name = own if own in recording else "capacity"
        if name not in recording:
            continue
        counter = recording[name].to_numpy()
        step = np.abs(np.diff(counter, prepend=counter[:1]))
        # a counter that was set back, at this step or at this cycle, says what has passed since; one that was not has
        # moved by less than it says. So no need to know when the tester resets it, nor whether it counts down.
        total = np.cumsum(np.minimum(np.abs(counter), step))
        set_back = np.cumsum(np.abs(counter) < step)
        first, last = parts.start.to_numpy()[direction], parts.stop.to_numpy()[direction] - 1
        before = np.maximum(first - 1, 0)
        charge[direction] = total[last] - total[before]
        resets[direction] = set_back[last] - set_back[first]
        digit[direction] = recording[name].attrs["resolution"]
    return np.where(charge > 0, charge, np.nan), digit * np.sqrt((1 + resets) / 6)
