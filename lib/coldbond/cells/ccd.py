"""Critical current density of a lithium symmetric cell under a current that rises step by step.

The critical current density (CCD) is the highest current density that the cell sustains for a whole step without a
short (Sharafi et al. 2016, doi 10.1016/j.jpowsour.2015.10.053). Segments of the same current density form a step, and
`shorts.classify_segments` finds the first one that failed. The CCD then lies between the last sustained step and the
first that failed: its interval is as wide as a step, however precise the tester, and wider where it cannot be told in
which step the failure began. Since the classification depends on thresholds, `with_other_thresholds` returns the CCD
for all defensible values of them.
"""

from itertools import groupby
from typing import NamedTuple

import numpy as np
import xarray as xr

from coldbond import constants
from coldbond.cells import cycling, shorts
from coldbond.cells.shorts import CONDUCTIVITY, METALLIC, RETAINED
from coldbond.interval import NORMAL, Interval

#: Relative difference of current densities, beside one digit, up to which segments belong to the same step. Closure
#: (tests/test_ccd.py, tests/test_ccd_twin.py) was the same with 0.0005 and 0.02.
SAME_STEP = 0.005

#: Difference from the measured current density up to which a rounder number is the setpoint: this share of the
#: spacing of the steps (set on closure: with 0.05, steps of 0.125 mA/cm2 lose a digit; with 0.02, a current that is
#: rounded to 1 µA makes 0.101 of 0.1 mA/cm2 in steps of 0.025), ...
SETPOINT_STEP_SHARE = 0.03
#: ... or this share of the current density, the uncertainty of a usual tester's current.
SETPOINT_SHARE = 0.001

#: Defensible values of the threshold `retained`: below 0.3 a soft short that leaves a third of the overpotential is
#: missed, above 0.9 an interface that improves by a tenth reads as a short.
RETAINED_RANGE = np.arange(0.3, 0.91, 0.05)

#: Defensible values of the thresholds `metallic` and `conductivity`, as multiples of those in use: half of the highest
#: conductivity is that of an ordinary garnet, ten times as much that of a sulfide.
FACTORS = {"metallic": (1 / 3, 1.0, 3.0), "conductivity": (0.5, 1.0, 10.0)}


class Alternative(NamedTuple):
    """The critical current density [mA/cm2] that a range of values of one threshold gives."""

    threshold: str
    lowest: float
    highest: float
    critical: Interval


def steps(
    recording: xr.Dataset, retained: float = RETAINED, metallic: float = METALLIC, conductivity: float = CONDUCTIVITY
) -> xr.Dataset:
    """Classify every step of a critical-current-density run.

    Parameters
    ----------
    recording : xarray.Dataset
        `time` [s], `voltage` [V], `current` [A] over `record`; attrs `area_cm2`.
    retained, metallic, conductivity : float
        As for `shorts.classify_segments`.

    Returns
    -------
    xarray.Dataset
        Over `step`, consecutive segments of the same current density whatever their direction:

        - `current_density` [mA/cm2], as measured; `setpoint` [mA/cm2], rounded to the digits of the protocol
        - `resistance` [ohm cm2] : area-specific resistance
        - `capacity` [mAh/cm2] : charge of a half cycle
        - `begin`, `end` [s]
        - `kind` : that of the first segment that certainly failed, or else of the first that was not sustained;
          "unfinished" also for a last step that lacks segments which the step before had
        - `last_good`, `onset` [s], `reason` : as `shorts.classify_segments`

    Raises
    ------
    ValueError
        As `shorts.classify_segments`.
    """
    return _steps(recording, shorts.classify_segments(recording, retained, metallic, conductivity))


def _steps(recording: xr.Dataset, segments: xr.Dataset) -> xr.Dataset:
    density = segments.current_density.to_numpy()
    digit = last_digit(recording)
    starts = [0]
    for i, value in enumerate(density):  # compared with the first of the step: a slow drift must not join two steps
        if abs(value - density[starts[-1]]) > SAME_STEP * value + 1.01 * digit:
            starts.append(i)
    groups = np.split(np.arange(density.size), starts[1:])
    kinds = segments.kind.to_numpy()
    certain = shorts.failed(segments.kind) & (kinds != shorts.UNDECIDED)
    doubted = [next((i for i in group if kinds[i] != "sustained"), group[-1]) for group in groups]
    deciding = [next((i for i in group if certain[i]), one) for group, one in zip(groups, doubted, strict=True)]
    kind = kinds[deciding].astype(object)
    if len(groups) > 1 and kind[-1] == "sustained" and groups[-1].size < groups[-2].size:
        kind[-1] = "unfinished"
    chosen = segments.isel(segment=deciding)
    measured = np.array([np.median(density[group]) for group in groups])
    capacity = np.abs(segments.charge.to_numpy()) * 1e3 / constants.required(recording, "area_cm2")
    setpoint = {"units": "mA/cm2", "long_name": "Setpoint of the current density"}
    return xr.Dataset(
        {
            "current_density": ("step", measured, segments.current_density.attrs),
            "setpoint": ("step", _setpoints(measured), setpoint),
            "resistance": ("step", [np.mean(segments.resistance[g]) for g in groups], segments.resistance.attrs),
            "capacity": (
                "step",
                [np.median(capacity[group]) for group in groups],
                {"units": "mAh/cm2", "long_name": "Capacity per half cycle"},
            ),
            "begin": ("step", segments.begin.to_numpy()[[g[0] for g in groups]], segments.begin.attrs),
            "end": ("step", segments.end.to_numpy()[[g[-1] for g in groups]], segments.end.attrs),
            "last_good": ("step", segments.last_good.to_numpy()[doubted], {"units": "s"}),
            "onset": ("step", chosen.onset.to_numpy(), {"units": "s"}),
            "kind": ("step", kind.astype(str)),
            "reason": ("step", chosen.reason.to_numpy()),
        },
        attrs=recording.attrs,
    )


def failed_steps(steps: xr.Dataset) -> xr.Dataset:
    """Return the steps that failed, in the order of time."""
    return steps.isel(step=shorts.failed(steps.kind))


def critical_current_density(steps: xr.Dataset) -> Interval:
    """Return the highest current density that was sustained through its whole step.

    Parameters
    ----------
    steps : xarray.Dataset
        From `steps`.

    Returns
    -------
    Interval
        In mA/cm2, at the stated area. The lower bound is the last sustained step, the upper bound the first that
        certainly failed. There is no upper bound for a cell that never failed, or that failed at less than it had
        sustained before. There is no value for a cell that failed in its first step, nor where it cannot be told
        whether a step was sustained.
    """
    kind, setpoint = steps.kind.to_numpy(), steps.setpoint.to_numpy()
    doubted, certain = shorts.first_failure(steps.kind)
    sustained = setpoint[:doubted] if doubted is not None else setpoint[kind == "sustained"]
    last = float(sustained.max()) if sustained.size else 0.0
    failed = float(setpoint[certain]) if certain is not None else 0.0
    return Interval(last if sustained.size and doubted == certain else None, last, failed if failed > last else None)


def with_area(value: Interval, area_uncertainty: float) -> Interval:
    """Return an interval per area with both bounds moved outwards by the uncertainty of the area.

    Parameters
    ----------
    value : Interval
        Not negative.
    area_uncertainty : float
        Relative standard uncertainty of the electrode area.
    """
    share = NORMAL * area_uncertainty
    low, high = (None if bound is None else bound * (1 + s) for bound, s in ((value.low, -share), (value.high, share)))
    return Interval(value.value, low, high)


def time_of_failure(recording: xr.Dataset, steps: xr.Dataset) -> Interval:
    """Return the time [h] from the start of the recording to the first failure; a lower bound where there is none."""
    start = float(recording.time[0])
    return Interval(*(None if time is None else (time - start) / 3600 for time in shorts.onset(recording, steps)))


def charge_until_failure(recording: xr.Dataset, steps: xr.Dataset, area_uncertainty: float) -> Interval:
    """Return the charge [mAh/cm2], both directions added up, until the first failure or the end of the test.

    Parameters
    ----------
    recording, steps : xarray.Dataset
        The recording, and `steps` of it.
    area_uncertainty : float
        Relative standard uncertainty of the electrode area.
    """
    charge = shorts.charge_until_failure(recording, steps)
    if charge.value is None:
        return with_area(charge, area_uncertainty)
    return charge.widened(area_uncertainty * charge.value)


def before_failure(steps: xr.Dataset, name: str, area_uncertainty: float) -> Interval:
    """Return a variable of the last step before the first failure.

    Parameters
    ----------
    steps : xarray.Dataset
        From `steps`.
    name : str
        "resistance" [ohm cm2], the mean of the last sustained step, or "capacity" [mAh/cm2] of its half cycles.
    area_uncertainty : float
        Relative standard uncertainty of the electrode area.

    Returns
    -------
    Interval
        No value for a cell without a sustained step. The interval is that of the area; a step has two half cycles, so
        that their scatter says little.
    """
    doubted = shorts.first_failure(steps.kind)[0]
    sustained = np.flatnonzero(steps.kind.to_numpy()[:doubted] == "sustained")
    if not sustained.size:
        return Interval(None)
    value = float(steps[name][sustained[-1]])
    return Interval.from_standard_error(value, area_uncertainty * abs(value))


def with_other_thresholds(
    recording: xr.Dataset, retained: float = RETAINED, metallic: float = METALLIC, conductivity: float = CONDUCTIVITY
) -> list[Alternative]:
    """Return the critical current density for all defensible thresholds.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `steps`.
    retained, metallic, conductivity : float
        The thresholds in use: two are held while the third takes the values of `RETAINED_RANGE` or its multiples by
        `FACTORS`. `metallic` decides nothing where the thickness of the cell is known, `conductivity` nothing where it
        is not.

    Returns
    -------
    list of Alternative
        Neighbouring values of a threshold that give the same are one entry.
    """
    used = dict(retained=retained, metallic=metallic, conductivity=conductivity)
    of_resistance = "metallic" if shorts.least_possible(recording, conductivity) is None else "conductivity"
    choices = {
        "retained": list(RETAINED_RANGE),
        of_resistance: [factor * used[of_resistance] for factor in FACTORS[of_resistance]],
    }
    found = []
    for name, values in choices.items():
        classified = shorts.classified(recording, [shorts.Thresholds(**used | {name: value}) for value in values])
        results = [
            (value, critical_current_density(_steps(recording, segments)))
            for value, segments in zip(values, classified, strict=True)
        ]
        for critical, group in groupby(results, key=lambda result: result[1]):
            same = [value for value, _ in group]
            found.append(Alternative(name, float(same[0]), float(same[-1]), critical))
    return found


def last_digit(recording: xr.Dataset) -> float:
    """Return the last digit of the current, as a current density in mA/cm2."""
    return cycling.resolution(recording, "current") * 1e3 / constants.required(recording, "area_cm2")


def hides_steps(recording: xr.Dataset, steps: xr.Dataset) -> bool:
    """Return whether the last digit of the current exceeds a quarter of the spacing between steps."""
    return last_digit(recording) > _spacing(steps.current_density.to_numpy()) / 4


def _spacing(density: np.ndarray) -> float:
    return float(np.median(np.abs(np.diff(density, prepend=0.0))))


def _setpoints(density: np.ndarray) -> np.ndarray:
    """Round measured current densities to the fewest decimals that leave them where they are, within a tolerance."""
    tolerance = np.maximum(SETPOINT_STEP_SHARE * _spacing(density), SETPOINT_SHARE * density)
    candidates = [np.round(density, decimals) for decimals in range(7)]
    fits = [np.abs(candidate - density) <= tolerance for candidate in candidates]
    return np.select(fits, candidates, default=density)
