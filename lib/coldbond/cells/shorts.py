"""Classification of the half cycles of a lithium symmetric cell: sustained, shorted, at the voltage limit, undecided.

A short circuit is an electronic path beside the ionic one: the cell then shows less overpotential than its ionic
resistance demands (Sharafi et al. 2016, doi 10.1016/j.jpowsour.2015.10.053). But an interface that improves, or a
warmer cell, shows less too. A loss is a short where neither explains it:

- the resistance is less than the electrolyte alone has (thickness over the highest conductivity), or less than a tenth
  of what the cell had (hard short);
- the loss is sudden: an interface and a temperature need minutes (soft short);
- the path opens and closes, and the voltage with it (soft short; Counihan et al. 2024, doi
  10.1016/j.joule.2023.11.007);
- the course of the half cycles bends downwards and the voltage falls although the current rises, three times in a row.

A course that bends downwards without any of these may be a path that grows or a cell that warms up: this cannot be
told, and the failure began, if it did, since the course left its level. `verdicts` applies these
rules; `course` has the course over many half cycles, `losses` what a single one shows, `holds` the voltage limit.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.constants import e, k, zero_Celsius

from coldbond import constants
from coldbond.cells import cycling, holds, verdicts
from coldbond.cells.hindsight import UNDECIDED
from coldbond.interval import Interval

#: Kinds of segment that are no failure; the others are "soft short", "hard short", "voltage limit" and `UNDECIDED`.
NOT_FAILED = ("sustained", "unfinished")

#: Share of the expected overpotential below which a loss counts. A room that is 4 K warmer takes 17 % of the resistance
#: of a garnet (activation energy 0.36 eV), so a smaller loss says nothing. `ccd.with_other_thresholds` returns what
#: follows from 0.3 to 0.9.
RETAINED = 0.8

#: Highest ionic conductivity [S/cm] that the electrolyte may have at 25 °C: thickness over conductivity is the least
#: resistance of an intact cell. Twice the 1e-3 S/cm that garnets reach with one dopant (Il'ina 2023, doi
#: 10.3390/ijms241612905). A sulfide may have ten times as much.
CONDUCTIVITY = 2e-3

#: Activation energy [eV] with which that conductivity rises above 25 °C: the upper end of those of garnets.
ACTIVATION = 0.4

#: Area-specific resistance, ohm cm2, below which a cell is doubted whose thickness is not known, and below which a
#: short counts as hard. A lithium filament (9.3 µohm cm) of 10 µm diameter through a pellet of 0.04 cm leaves
#: 0.4 ohm cm2 of an electrode of 0.8 cm2.
METALLIC = 10.0


class Thresholds(NamedTuple):
    """As for `classify_segments`."""

    retained: float = RETAINED
    metallic: float = METALLIC
    conductivity: float = CONDUCTIVITY


def classify_segments(
    recording: xr.Dataset, retained: float = RETAINED, metallic: float = METALLIC, conductivity: float = CONDUCTIVITY
) -> xr.Dataset:
    """Classify every constant-current segment of a symmetric cell.

    Parameters
    ----------
    recording : xarray.Dataset
        `time` [s], `voltage` [V], `current` [A] over `record`; attrs `area_cm2` and, where known, `thickness_cm` and
        `temperature_C`.
    retained : float
        Share of the expected overpotential below which a loss counts.
    metallic : float
        Area-specific resistance [ohm cm2] below which a short counts as hard, and a cell of unknown thickness is
        doubted.
    conductivity : float
        Highest ionic conductivity [S/cm] that the electrolyte may have at 25 °C.

    Returns
    -------
    xarray.Dataset
        The variables of `cycling.segments` and, over `segment`:

        - `current_density` [mA/cm2], unsigned
        - `resistance` [ohm cm2] : area-specific resistance, voltage over current density, median of the middle half
        - `expected` [ohm cm2] : the expected resistance, likewise
        - `kind` : "sustained", "soft short", "hard short", "voltage limit", "unfinished" or "cannot be told"
        - `last_good`, `onset` [s] : the failure began between these; NaN for a segment that did not fail, and the onset
          of one that cannot be told
        - `reason` : why it is not sustained, in words

    Raises
    ------
    ValueError
        The recording has no area, no current flows, voltage and current have opposite signs, `retained` is not between
        0 and 1, or `conductivity` not positive.

    Notes
    -----
    The expected overpotential is the current times the resistance at the same share of the last five sustained segments
    of the same direction (their median). The charging of the double layer and a plateau that rises while voids form are
    part of it and do not read as a short. While there are fewer than five such segments, the expectation is at most the
    resistance at the end of the segment before: an interface that is still forming improves. The first segment of each
    direction is compared with its own beginning, since an offset of the voltage channel has opposite signs in the two
    directions.

    - hard short: at the end of the segment the resistance is less than the electrolyte has, or less than a tenth of
      the expected one, and the voltage has enough digits to show it; or the segment has shorted, and its resistance is
      below `metallic` and a quarter of the expected one
    - soft short: a sudden loss to less than `retained`, within the segment or where it begins, by more than the noise
      explains; a loss that follows a short; or a voltage that scatters by 5 % and five times more than before
    - voltage limit: the segment ended early, at the highest voltage so far and above the expected one, or
      the current tapers while the tester holds the voltage
    - cannot be told: the course of the resistances bends downwards by more than 1 - `retained` (see `course`), which
      is a growing short or a cell that warms up; also the segments since the course left its level. It is a soft short
      where the voltage falls in three successive rises of the current. So is a voltage that falls in this way without
      a bend, and a first segment below `metallic` in a cell of unknown thickness
    - unfinished: the recording ends within the segment, without a short

    Where a current rises, the voltage may stay as it is without a loss: then the overpotential is that of a charge
    transfer. A single stray record has no effect. A short that only one record shows is not found, nor one that has
    grown evenly since the first half cycle: it looks like an interface that improves.
    """
    return classified(recording, [Thresholds(retained, metallic, conductivity)])[0]


def classified(recording: xr.Dataset, thresholds: Sequence[Thresholds]) -> list[xr.Dataset]:
    """Return what `classify_segments` does, for each choice of thresholds.

    The records are read and described once for all choices.
    """
    for retained, _, conductivity in thresholds:
        if not 0 < retained < 1:
            raise ValueError(f"retained is {retained}: give a share between 0 and 1, such as {RETAINED:g}")
        if not conductivity > 0:
            raise ValueError(f"conductivity is {conductivity}: give the highest that the electrolyte may have, in S/cm")
    area = constants.required(recording, "area_cm2")
    try:
        segments, held = holds.merged(recording, cycling.segments(recording))
    except cycling.NoCurrentError:  # the tester may have stopped a dead cell at once
        single = np.flatnonzero(recording.current.to_numpy())
        if single.size != 1:
            raise
        segments, held = cycling.described(recording, single, single + 1, dimension="segment"), {}
    choices = [
        verdicts.Choice(one.retained, one.metallic, least_possible(recording, one.conductivity)) for one in thresholds
    ]
    return [_assigned(segments, area, found) for found in verdicts.verdicts(recording, segments, held, choices)]


def _assigned(segments: xr.Dataset, area: float, found: Sequence[verdicts.Verdict]) -> xr.Dataset:
    density = np.abs(segments.current.to_numpy()) * 1e3 / area
    resistances = [verdict.resistance for verdict in found]
    return segments.assign(
        current_density=("segment", density, {"units": "mA/cm2", "long_name": "Current density"}),
        resistance=("segment", resistances, {"units": "ohm cm2", "long_name": "Area-specific resistance"}),
        expected=(
            "segment",
            [verdict.expected for verdict in found],
            {"units": "ohm cm2", "long_name": "Expected area-specific resistance"},
        ),
        kind=("segment", [verdict.kind for verdict in found]),
        last_good=("segment", [verdict.last_good for verdict in found], {"units": "s"}),
        onset=("segment", [verdict.onset for verdict in found], {"units": "s"}),
        reason=("segment", [verdict.reason for verdict in found]),
    )


def failed(kind: xr.DataArray) -> np.ndarray:
    """Return which segments or steps failed or may have failed, from their `kind`."""
    return ~np.isin(kind.to_numpy(), NOT_FAILED)


def first_failure(kind: xr.DataArray) -> tuple[int | None, int | None]:
    """Return the index of the first segment or step that may have failed, and of the first that certainly did.

    They differ where it cannot be told when the failure began, or whether there was one. None where there is none.
    """
    doubted = np.flatnonzero(failed(kind))
    certain = np.flatnonzero(failed(kind) & (kind.to_numpy() != UNDECIDED))
    return tuple(int(found[0]) if found.size else None for found in (doubted, certain))  # type: ignore[return-value]


def onset(recording: xr.Dataset, segments: xr.Dataset) -> Interval:
    """Return the time [s] at which the first failure began.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `classify_segments`.
    segments : xarray.Dataset
        From `classify_segments`, or `ccd.steps`.

    Returns
    -------
    Interval
        No value where the failure crept in, so that only its bounds are known. No upper bound where it cannot be told
        whether there was a failure. Without a failure the end of the recording is the lower bound.
    """
    doubted, certain = first_failure(segments.kind)
    last_good, begun = segments.last_good.to_numpy(), segments.onset.to_numpy()
    if doubted is None:
        return Interval(None, float(recording.time[-1]))
    high, low = None if certain is None else float(begun[certain]), float(last_good[doubted])
    if low <= float(recording.time[0]) and doubted == certain:  # shorted before the test
        return Interval(low, low, high)
    return Interval(high if doubted == certain else None, low, high)


def charge_until_failure(recording: xr.Dataset, segments: xr.Dataset) -> Interval:
    """Return the charge [mAh/cm2], both directions added up, until the first failure or the end of the test.

    Parameters
    ----------
    recording, segments
        As for `onset`.

    Returns
    -------
    Interval
        As wide as the onset is vague; without the uncertainty of the area and of the tester's gain.
    """
    value, low, high = onset(recording, segments)
    if high is None and first_failure(segments.kind)[0] is None:
        return charge_passed(recording, float(recording.time[-1]))
    charges = [None if time is None else charge_passed(recording, time) for time in (value, low, high)]
    bounds = (charges[1].low if charges[1] else None, charges[2].high if charges[2] else None)
    return Interval(charges[0].value if charges[0] else None, *bounds)


def least_possible(recording: xr.Dataset, conductivity: float = CONDUCTIVITY) -> float | None:
    """Return the least area-specific resistance [ohm cm2] of an intact cell; None where its thickness is not known.

    Parameters
    ----------
    recording : xarray.Dataset
        Attrs `thickness_cm` and, where known, `temperature_C`: above 25 °C the conductivity is higher.
    conductivity : float
        Highest ionic conductivity [S/cm] of the electrolyte at 25 °C.
    """
    thickness = recording.attrs.get("thickness_cm")
    if thickness is None or not thickness > 0:
        return None
    kelvin = float(recording.attrs.get("temperature_C", 25.0)) + zero_Celsius
    room = 25 + zero_Celsius
    warmer = np.exp(ACTIVATION * e / k * (1 / room - 1 / kelvin)) if kelvin > room else 1.0
    return float(thickness / (conductivity * warmer))


def charge_passed(recording: xr.Dataset, until: float) -> Interval:
    """Return the charge per area that passed up to a time, both directions added up.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `classify_segments`.
    until : float
        Time [s].

    Returns
    -------
    Interval
        In mAh/cm2, without the uncertainty of the area and of the tester's gain (see `Interval.widened`). Of a cell
        that failed at the first record with a current, 0 with what passed between its neighbours as upper bound.
    """
    scale = 1e3 / constants.required(recording, "area_cm2")
    before = sum(int((recording.time[block].to_numpy() <= until).sum()) for block in cycling.blocks(recording))
    try:
        segments = cycling.segments(recording.isel(record=slice(before)))
    except cycling.NoCurrentError:
        around = recording.isel(record=slice(max(before - 2, 0), before + 1))
        seconds = float(around.time[-1] - around.time[0])
        return Interval(0.0, 0.0, cycling.largest(around, "current") * seconds / 3600 * scale)
    # Roundings of the same current add up, hence the sum of uncertainties and not of their squares.
    uncertainty = float(segments.charge_uncertainty.sum()) * scale
    return Interval.from_standard_error(float(np.abs(segments.charge).sum()) * scale, uncertainty)
