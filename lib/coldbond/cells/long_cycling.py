"""Galvanostatic cycling of a lithium symmetric cell over hundreds of hours.

A constant current runs back and forth. The overpotential of a half cycle is the voltage on its plateau; the mean of a
charge and the discharge after it is half the hysteresis and free of the offset of the voltage channel. Its mean and
its drift over the test say whether the interface is stable. Since neighbouring cycles see the same temperature of the
room, intervals follow from batch means. Where the current changes during the test, each stretch of one current has its
own. The life is the hours of current until the first short: rests and standstills of the tester do not count
(`coldbond.cells.charge`). A cell that outlived its test gives a lower bound (it is censored).
"""

from typing import NamedTuple

import numpy as np
import xarray as xr

from coldbond import batch_means, constants
from coldbond.cells import charge, creep, cycling, shorts
from coldbond.cells.ccd import FACTORS
from coldbond.cells.shorts import CONDUCTIVITY, METALLIC, RETAINED, Thresholds
from coldbond.interval import NORMAL, Interval

#: Shares of a half cycle over which its overpotentials are medians. The first 2 % are left out: the double layer is
#: still charging and the tester regulating. A record from before a span says nothing of it: a line from there to the
#: next record would run below a voltage that rises at once.
SPANS = {"overpotential_start": (0.02, 0.1), "overpotential": (0.25, 0.75), "overpotential_end": (0.95, 1.0)}

#: Equidistant points in each span, however densely the tester recorded it.
POINTS = 21

#: Relative difference of current densities up to which half cycles belong to the same stretch. No other value was
#: tried.
SAME_CURRENT_DENSITY = 0.02

#: Fewest half cycles of a stretch: shorter ones are a formation, or another measurement in between.
FEWEST = 10

#: Defensible values of the threshold `retained`, at both ends of `ccd.RETAINED_RANGE`.
OTHER_RETAINED = (0.3, 0.9)

#: Factor above a limit from which on a resistance is not compared with it: overpotentials and resistances at the end of
#: a half cycle are medians over the same records in slightly different ways.
FAR_ABOVE = 1.2

#: Decimals of hours: a tester switches its current to a few tenths of a second.
DECIMALS = 4


class Stretch(NamedTuple):
    """Half cycles of one current density in a row.

    Attributes
    ----------
    density : float
        mA/cm2.
    first, last : int
        Indices of the first half cycle and of the last one.
    """

    density: float
    first: int
    last: int


class Alternative(NamedTuple):
    """The hours of current until the first failure that another value of one threshold gives."""

    threshold: str
    value: float
    life: Interval


def half_cycles(
    recording: xr.Dataset, retained: float = RETAINED, metallic: float = METALLIC, conductivity: float = CONDUCTIVITY
) -> xr.Dataset:
    """Measure the overpotential of every half cycle of a symmetric cell, and classify it.

    Parameters
    ----------
    recording : xarray.Dataset
        `time` [s], `voltage` [V], `current` [A] over `record`; attrs `area_cm2`.
    retained, metallic, conductivity : float
        As for `shorts.classify_segments`.

    Returns
    -------
    xarray.Dataset
        The variables of `shorts.classify_segments` and, over `segment`, the unsigned overpotential [V] on the plateau
        (`overpotential`, median of the middle half), at the start (`overpotential_start`, from 2 to 10 % of the half
        cycle) and at the end (`overpotential_end`, its last 5 %); NaN where there is no record.

    Raises
    ------
    ValueError
        As `shorts.classify_segments`.
    """
    segments = shorts.classify_segments(recording, retained, metallic, conductivity)
    hours = (segments.flowed + segments.lost).cumsum() / 3600
    shares = np.array([np.linspace(*span, POINTS) for span in SPANS.values()])
    columns = np.empty((segments.sizes["segment"], len(SPANS)))
    start, stop, begin, end, current = (
        segments[name].to_numpy() for name in ("start", "stop", "begin", "end", "current")
    )
    for i, (time, voltage) in enumerate(cycling.records(recording, start, stop, "time", "voltage")):
        # When the current turned, between two records, is not known: since the first record it has certainly flowed.
        since, share = (time - time[0]) / (end[i] - begin[i]), (time - begin[i]) / (end[i] - begin[i])
        first = share[np.minimum(np.searchsorted(since, shares[:, 0]), share.size - 1)]
        at_shares = np.interp(np.maximum(shares, first[:, None]), share, voltage)
        recorded = (first >= shares[:, 0]) & (first <= shares[:, -1])
        columns[i] = np.where(recorded, np.sign(current[i]) * cycling.median(at_shares.T), np.nan)
    attrs = {"units": "V", "long_name": "Overpotential"}
    segments = segments.assign(hours=("segment", hours.to_numpy(), {"units": "h", "long_name": "Hours of current"}))
    return segments.assign({name: ("segment", values, attrs) for name, values in zip(SPANS, columns.T, strict=True)})


def stretches(half_cycles: xr.Dataset) -> list[Stretch]:
    """Return the stretches of constant current density, without formation, in the order of time.

    Parameters
    ----------
    half_cycles : xarray.Dataset
        From `half_cycles`.

    Returns
    -------
    list of Stretch
        Stretches of at least `FEWEST` half cycles. Of a test that has none, the half cycles of the median density.
    """
    density = half_cycles.current_density.to_numpy()
    starts = [0]
    for i, value in enumerate(density):
        if abs(value / density[starts[-1]] - 1) > SAME_CURRENT_DENSITY:
            starts.append(i)
    runs = [(a, b - 1) for a, b in zip(starts, [*starts[1:], density.size], strict=True)]
    found: list[Stretch] = []
    for first, last in runs:
        if last - first + 1 < FEWEST:
            continue
        level = float(np.median(density[first : last + 1]))
        if found and abs(level / found[-1].density - 1) < SAME_CURRENT_DENSITY:
            found[-1] = found[-1]._replace(last=last)  # a few half cycles of another current in between
        else:
            found.append(Stretch(level, first, last))
    if not found:
        usual = float(np.median(density))
        own = np.flatnonzero(np.abs(density / usual - 1) < SAME_CURRENT_DENSITY)
        found.append(Stretch(usual, int(own[0]), int(own[-1])) if own.size else Stretch(usual, 0, density.size - 1))
    return found


def longest(half_cycles: xr.Dataset) -> Stretch:
    """Return the stretch with most hours of current."""
    hours = half_cycles.flowed.to_numpy()
    return max(stretches(half_cycles), key=lambda one: float(hours[one.first : one.last + 1].sum()))


def overpotentials(half_cycles: xr.Dataset, stretch: Stretch | None = None, doubted: bool = False) -> xr.Dataset:
    """Return the overpotential of each pair of opposite half cycles, free of the offset of the voltage channel.

    Parameters
    ----------
    half_cycles : xarray.Dataset
        From `half_cycles`. Sustained ones before the first failure are used.
    stretch : Stretch, optional
        One of `stretches`; by default the longest.
    doubted : bool
        Whether to use the half cycles too of which it cannot be told whether they failed, up to the first that did.

    Returns
    -------
    xarray.Dataset
        Over `pair`: `time` [h] of its middle on the clock and `hours` of current until then; `overpotential`,
        `overpotential_start`, `overpotential_end` [V], the mean of the two directions, which is half the hysteresis;
        `resistance` [ohm cm2].
    """
    stretch = stretch or longest(half_cycles)
    kinds = ("sustained", shorts.UNDECIDED) if doubted else ("sustained",)
    failure = shorts.first_failure(half_cycles.kind)[1] if doubted else first_failure(half_cycles)
    at = np.arange(half_cycles.sizes["segment"])
    own = (at >= stretch.first) & (at <= stretch.last) & (at < (at.size if failure is None else failure))
    same = np.abs(half_cycles.current_density / stretch.density - 1) < SAME_CURRENT_DENSITY
    return _pairs(half_cycles.isel(segment=own & half_cycles.kind.isin(kinds) & same))


def every_overpotential(half_cycles: xr.Dataset) -> xr.Dataset:
    """Return the `overpotentials` of all stretches, one after the other.

    Returns
    -------
    xarray.Dataset
        With the number `stretch`, from 1, and the `current_density` [mA/cm2] of each pair.
    """
    found = []
    for number, stretch in enumerate(stretches(half_cycles), start=1):
        pairs = overpotentials(half_cycles, stretch)
        size = pairs.sizes["pair"]
        density = np.full(size, stretch.density), half_cycles.current_density.attrs
        found.append(pairs.assign(stretch=("pair", np.full(size, number)), current_density=("pair", *density)))
    return xr.concat(found, "pair")


def _pairs(kept: xr.Dataset) -> xr.Dataset:
    """Return the mean of each half cycle and the opposite one after it, see `overpotentials`."""
    direction = np.sign(kept.current.to_numpy())
    first = np.flatnonzero((direction[:-1] == direction[:1]) & (direction[1:] == -direction[:1]))
    one, other = kept.isel(segment=first), kept.isel(segment=first + 1)
    means = {
        name: ("pair", (one[name].to_numpy() + other[name].to_numpy()) / 2, kept[name].attrs)
        for name in (*SPANS, "resistance")
    }
    times = {
        "time": ("pair", one.end.to_numpy() / 3600, {"units": "h", "long_name": "Time"}),
        "hours": ("pair", one.hours.to_numpy(), {"units": "h", "long_name": "Hours of current"}),
    }
    return xr.Dataset(means | times)


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
        "area_specific_resistance" [ohm cm2] and "drift" [mV per 1000 h of current], which has no bounds for two cycles.
        The intervals hold for scatter that is correlated from cycle to cycle. Without a value where fewer than two
        cycles have records in that part.
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
        values = pairs[name].to_numpy() * scale
        recorded = values[np.isfinite(values)]
        mean = batch_means.mean(recorded) if recorded.size > 1 else Interval(None)
        found[quantity] = mean.widened(uncertainty * (mean.value or 0.0))
    known = pairs.isel(pair=np.isfinite(pairs.overpotential.to_numpy()))
    drift = batch_means.slope(known.hours, known.overpotential).scaled(1e6)
    return found | {"drift": drift.widened(tester_uncertainty * abs(drift.value or 0.0))}


def averages(
    half_cycles: xr.Dataset,
    stretch: Stretch | None = None,
    settling: int = 50,
    tester_uncertainty: float = 0.001,
    area_uncertainty: float = 0.02,
) -> dict[str, Interval]:
    """Return the `means` of a stretch after settling; empty where it has fewer than two sustained cycles.

    The intervals hold the means with and without the half cycles of which it cannot be told whether they failed.
    """
    found, *others = (
        means(pairs, tester_uncertainty, area_uncertainty) if pairs.sizes["pair"] > 1 else {}
        for doubted in (False, True)
        for pairs in (after_settling(overpotentials(half_cycles, stretch, doubted), settling),)
    )
    return {name: Interval.hull(mean.value, [mean, *(other[name] for other in others)]) for name, mean in found.items()}


def first_failure(half_cycles: xr.Dataset) -> int | None:
    """Return the index of the first half cycle that failed; None where none did."""
    failed = np.flatnonzero(shorts.failed(half_cycles.kind))
    return int(failed[0]) if failed.size else None


def onset(recording: xr.Dataset, half_cycles: xr.Dataset) -> Interval:
    """Return the time [s] at which the first failure began, as `shorts.onset` does.

    Where the failure crept in, the lower bound is the earliest onset that the course of the resistance allows for.
    """
    found = shorts.onset(recording, half_cycles)
    doubted, certain = shorts.first_failure(half_cycles.kind)
    if doubted is None or half_cycles.kind[doubted] != shorts.UNDECIDED or found.low is None:
        return found
    at = np.arange(half_cycles.sizes["segment"])
    stretch = next((one for one in stretches(half_cycles) if one.first <= doubted <= one.last), None)
    if stretch is None:
        return found
    kept = (at >= stretch.first) & (at <= stretch.last) & (at < (at.size if certain is None else certain))
    course = _pairs(half_cycles.isel(segment=kept & np.isin(half_cycles.kind, ("sustained", shorts.UNDECIDED))))
    earliest = creep.earliest_onset(course.hours.to_numpy(), course.resistance.to_numpy())
    if earliest is None:
        return found
    return Interval(
        found.value, min(found.low, float(np.interp(earliest, course.hours, 3600 * course.time))), found.high
    )


def time_to_failure(recording: xr.Dataset, half_cycles: xr.Dataset, stretch: Stretch | None = None) -> Interval:
    """Return the hours of current until the first failure; a lower bound where there is none.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `half_cycles`.
    half_cycles : xarray.Dataset
        From `half_cycles`.
    stretch : Stretch, optional
        Of `stretches`: hours at its current only, a lower bound where the failure came later.
    """
    hours, _ = _passed(recording, half_cycles, stretch)
    return Interval(*(None if x is None else round(x, DECIMALS) for x in hours))


def with_other_thresholds(
    recording: xr.Dataset,
    judged: xr.Dataset,
    retained: float = RETAINED,
    metallic: float = METALLIC,
    conductivity: float = CONDUCTIVITY,
) -> list[Alternative]:
    """Return the hours of current until the first failure for the outermost defensible thresholds.

    Parameters
    ----------
    recording, judged : xarray.Dataset
        Recording and half cycles, as for `time_to_failure`.
    retained, metallic, conductivity : float
        The thresholds that gave `judged`: two are held while the third takes the values of `OTHER_RETAINED`, or
        the outer multiples of `ccd.FACTORS`.
    """
    used = {"retained": retained, "metallic": metallic, "conductivity": conductivity}
    others = {"retained": OTHER_RETAINED} | {
        name: (used[name] * factors[0], used[name] * factors[-1]) for name, factors in FACTORS.items()
    }
    lowest = float(1e3 * (judged.overpotential_end / judged.current_density).min())
    most = shorts.least_possible(recording, others["conductivity"][0]) or 0.0
    life = time_to_failure(recording, judged)
    found: list[tuple[str, float, Thresholds | None]] = []
    for name, values in others.items():
        # Resistances well above both limits are judged alike, whatever these are.
        same = name != "retained" and lowest > FAR_ABOVE * max(others["metallic"][-1], most)
        found += [(name, value, None if same else Thresholds(**used | {name: value})) for value in values]
    # Segments and overpotentials are the same for all thresholds.
    measured = {name: judged[name] for name in ("hours", *SPANS)}
    lives = iter(
        time_to_failure(recording, other.assign(measured))
        for other in shorts.classified(recording, [choice for *_, choice in found if choice])
    )
    return [Alternative(name, value, next(lives) if choice else life) for name, value, choice in found]


def clock_time_to_failure(recording: xr.Dataset, half_cycles: xr.Dataset) -> Interval:
    """Return the time [h] from the first record to the first failure, rests and standstills included."""
    start = float(recording.time[0])
    return Interval(*(None if time is None else (time - start) / 3600 for time in onset(recording, half_cycles)))


def charge_until_failure(
    recording: xr.Dataset,
    half_cycles: xr.Dataset,
    tester_uncertainty: float = 0.001,
    area_uncertainty: float = 0.02,
    stretch: Stretch | None = None,
) -> Interval:
    """Return the charge [mAh/cm2], both directions added up, until the first failure or the end of the test.

    Parameters
    ----------
    recording, half_cycles, stretch
        As for `time_to_failure`.
    tester_uncertainty, area_uncertainty : float
        Relative standard uncertainties of the tester's current, and of the electrode area.
    """
    passed = _passed(recording, half_cycles, stretch)[1].scaled(1e3 / constants.required(recording, "area_cm2"))
    relative = float(np.hypot(area_uncertainty, tester_uncertainty))
    if passed.value is not None:
        return passed.widened(relative * passed.value)
    low, high = passed.low, passed.high
    return Interval(
        None,
        None if low is None else low * (1 - NORMAL * relative),
        None if high is None else high * (1 + NORMAL * relative),
    )


def _passed(recording: xr.Dataset, half_cycles: xr.Dataset, stretch: Stretch | None) -> tuple[Interval, Interval]:
    """Return hours of current and charge [Ah] until the first failure, of one stretch or of the whole test.

    Without a certain failure, hours have a lower bound only, and the charge is at most that of the whole stretch.
    """
    own = half_cycles if stretch is None else half_cycles.isel(segment=slice(stretch.first, stretch.last + 1))
    value, low, high = onset(recording, half_cycles)
    end = float(own.end[-1])
    if high is None or high > end:
        value = high = None  # not within this stretch
    failure = first_failure(half_cycles)
    survives = failure is None or (stretch is not None and failure > stretch.last)
    before, after = (charge.passed(recording, own, end if x is None or survives else x) for x in (low, high))
    hours, ampere_hours = (None, None) if value is None else (x.value for x in charge.passed(recording, own, value))
    if survives:
        ampere_hours = before[1].value
    return (
        Interval(hours, before[0].low, None if high is None else after[0].high),
        Interval(ampere_hours, before[1].low, after[1].high),
    )
