"""Rate capability of a cell: capacity and polarisation at each discharge current.

Consecutive cycles at the same currents in charge and discharge form a group, whose mean is the capacity at that rate;
its interval follows from the scatter of the cycles by Student's t. The errors of mass and tester gain are common to all
rates and are kept apart. The model of `rate_model` is fitted to the capacity against the rate, which is the current
over the capacity that it drew: neither the mass nor the nominal capacity enters the characteristic time.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr
from lmfit.model import ModelResult

from coldbond import constants
from coldbond.cells import capacity, cycling, protocol, rate_model
from coldbond.cells.protocol import SAME_CURRENT
from coldbond.interval import NORMAL, Interval, student


class _Plateau(NamedTuple):
    """A row of what `plateaus` returns."""

    capacity: float
    capacity_half_width: float
    polarization: float
    polarization_half_width: float
    cycles: int
    example: int
    current: float
    c_rate: float
    rate: float
    label: str
    again: bool
    back: float
    back_half_width: float
    charged_at: float
    tapered: float


class RateTest(NamedTuple):
    """Stages of the analysis of a rate test.

    Attributes
    ----------
    table, found, levels : xarray.Dataset
        From `capacity.cycles`, `discharges` and `plateaus`.
    fitted : dict of float or None to lmfit.model.ModelResult
        From `fits`.
    """

    table: xr.Dataset
    found: xr.Dataset
    levels: xr.Dataset
    fitted: dict[float | None, ModelResult]


def analyse(
    recording: xr.Dataset,
    current_uncertainty: float = 0.001,
    mass_uncertainty: float = 0.02,
    cutoff_tolerance: float = 0.02,
    nominal_capacity: float = 170.0,
    outlier: float = capacity.OUTLIER,
    skipped: int = 0,
) -> RateTest:
    """Analyse a rate test; for parameters and errors see `capacity.cycles`, `discharges` and `plateaus`."""
    table = capacity.cycles(recording, current_uncertainty, mass_uncertainty, cutoff_tolerance)
    found = discharges(table, nominal_capacity, outlier)
    levels = plateaus(found, skipped)
    return RateTest(table, found, levels, fits(levels))


def discharges(table: xr.Dataset, nominal_capacity: float = 170.0, outlier: float = capacity.OUTLIER) -> xr.Dataset:
    """Group the finished discharges of a rate test by their current and that of the charge before.

    Parameters
    ----------
    table : xarray.Dataset
        From `capacity.cycles`.
    nominal_capacity : float
        Capacity that defines 1C [mAh/g]; 170 is the theoretical capacity of LiFePO4.
    outlier : float
        Distance from the median of the group, in robust standard deviations of all groups together, or of the group
        where it scatters more, beyond which a capacity is an outlier. Hardly any capacity at a high rate is none.

    Returns
    -------
    xarray.Dataset
        The discharges of `table` over `cycle`, with `group`, which counts up from 0 wherever the current changes,
        `c_rate` of the group, NaN without a mass, and `outlier`.

    Raises
    ------
    ValueError
        No discharge was finished.
    """
    found = table.sel(half="discharge", cycle=table.finished.sel(half="discharge") == 1)
    if not found.sizes["cycle"]:
        raise ValueError(
            f"{cycling.source(table)}: no discharge was finished: check the sign of the current (charge is positive), "
            "or leave the cell out"
        )
    currents = np.log(np.abs(_currents(table).sel(cycle=found.cycle.to_numpy()).to_numpy()))
    changes = (np.abs(np.diff(currents, axis=1, prepend=currents[:, :1])) > SAME_CURRENT).any(axis=0)
    group = np.cumsum(changes)
    found = found.assign(group=("cycle", group)).assign_attrs(nominal_capacity=nominal_capacity)
    mass = constants.optional(found, "active_mass_mg")
    c_rate = 1e6 * np.abs(found.applied).groupby(found.group).median() / mass / nominal_capacity
    return found.assign(
        charged_at=("cycle", np.exp(currents[0])),
        c_rate=("cycle", c_rate.sel(group=group).to_numpy()),
        outlier=("cycle", _outliers(found, group, outlier)),
    )


def plateaus(found: xr.Dataset, skipped: int = 0) -> xr.Dataset:
    """Return the mean capacity and polarisation of each group of discharges at one current.

    Parameters
    ----------
    found : xarray.Dataset
        From `discharges`.
    skipped : int
        Number of discharges at the beginning of each group that are left out, where more follow.

    Returns
    -------
    xarray.Dataset
        Over `group`, without outliers:

        - `capacity` : mean, in the unit of `found.capacity`
        - `capacity_half_width` : half of its 95 % interval, without the uncertainty that all capacities share; that of
          a single cycle contains only the last digit of the tester
        - `uncertainty` : standard uncertainty, from the scatter of the cycles of all groups together, or of the group
          where it scatters more
        - `polarization`, `polarization_half_width` [V] : likewise; NaN where no charge was recorded
        - `cycles` : their number; `example` : number of the cycle whose capacity is closest to the mean
        - `current` [A] and `c_rate`
        - `rate` [1/h] : the current over the capacity that it drew, the inverse of the duration of the discharge
        - `label` : "0.5C", or the current where there is no mass, and the rate of the charge where discharges at the
          same current were charged at several; `charged_at` [A], NaN without a charge at constant current
        - `again` : an earlier group had these currents; `back`, `back_half_width` : then the capacity of as many of its
          first cycles as that group had
        - `tapered` : share of the charge that passed at less than the current
    """
    rows: list[_Plateau] = []
    kept_of: list[xr.Dataset] = []
    for _, members in found.groupby("group"):
        kept = members.isel(cycle=slice(min(skipped, members.sizes["cycle"] - 1), None))
        kept = kept.sel(cycle=~kept.outlier) if not kept.outlier.all() else kept
        mean, half_width = _mean(kept.capacity.to_numpy(), kept.capacity_half_width.to_numpy())
        polarized = kept.isel(cycle=np.isfinite(kept.polarization.to_numpy()))
        polarization, polarization_half_width = _mean(
            polarized.polarization.to_numpy(), polarized.polarization_half_width.to_numpy()
        )
        current, charged_at = float(np.abs(kept.applied).median()), float(kept.charged_at.median())
        before = [i for i, row in enumerate(rows) if _alike(row, current, charged_at)]
        back = back_half_width = np.nan
        if before:
            some = kept.isel(cycle=slice(kept_of[before[0]].sizes["cycle"]))
            back, back_half_width = _mean(some.capacity.to_numpy(), some.capacity_half_width.to_numpy())
        kept_of.append(kept)
        passed = float(kept.passed.mean())
        rows.append(
            _Plateau(
                capacity=mean,
                capacity_half_width=half_width,
                polarization=polarization,
                polarization_half_width=polarization_half_width,
                cycles=kept.sizes["cycle"],
                example=int(kept.cycle[np.abs(kept.capacity.to_numpy() - mean).argmin()]),
                current=current,
                c_rate=float(members.c_rate[0]),
                rate=current / passed if passed else np.inf,
                label="",
                again=bool(before),
                back=back,
                back_half_width=back_half_width,
                charged_at=charged_at,
                tapered=float((kept.held + kept.stepped).median()),
            )
        )
    columns = {name: np.array(column) for name, column in zip(_Plateau._fields, zip(*rows, strict=True), strict=True)}
    columns["label"] = np.array(_labels(rows, constants.optional(found, "active_mass_mg") * found.nominal_capacity))
    columns["uncertainty"] = _uncertainties(kept_of, found)
    levels = xr.Dataset({name: ("group", column) for name, column in columns.items()}, attrs=found.attrs)
    levels.capacity.attrs = found.capacity.attrs
    return levels


def fits(levels: xr.Dataset) -> dict[float | None, ModelResult]:
    """Return `rate_model.fits` of the plateaus; a current that comes again later in the test is left out then.

    So is a rate at which no charge passed, since the rate of the model is the current over the charge.
    """
    current = np.log(levels.current.to_numpy())
    comes_again = [bool((np.abs(current[:i] - current[i]) < SAME_CURRENT).any()) for i in range(current.size)]
    first = levels.sel(group=~np.array(comes_again) & np.isfinite(levels.rate.to_numpy()))
    return rate_model.fits(*(first[name].to_numpy() for name in ("rate", "capacity", "uncertainty")))


def recovery(levels: xr.Dataset) -> Interval | None:
    """Return the capacity back at an earlier rate over the first at it, %; None where no rate comes again.

    Parameters
    ----------
    levels : xarray.Dataset
        From `plateaus`.
    """
    if not levels.again.any():
        return None
    last = levels.sel(group=levels.again).isel(group=-1)
    same = [
        bool(np.abs(np.log(current / last.current.item())) < SAME_CURRENT)
        and not np.abs(np.log(charged / last.charged_at.item())) > SAME_CURRENT
        for current, charged in zip(levels.current.to_numpy(), levels.charged_at.to_numpy(), strict=True)
    ]
    before = levels.isel(group=int(np.argmax(same)))
    if not before.capacity > 0:
        return None
    ratio = 100 * float(last.back / before.capacity)
    relative = np.hypot(last.back_half_width / last.back, before.capacity_half_width / before.capacity)
    return Interval.symmetric(ratio, ratio * float(relative))


def _currents(table: xr.Dataset) -> xr.DataArray:
    """Return the applied currents [A] over half and cycle; NaN where nearly all passed at constant voltage."""
    return table.applied.where(table.held + table.stepped < protocol.TAPERED)


def _alike(row: _Plateau, current: float, charged_at: float) -> bool:
    """Return whether a group has these currents; a charge that is not known is like any."""
    return abs(np.log(row.current / current)) < SAME_CURRENT and not (
        abs(np.log(row.charged_at / charged_at)) > SAME_CURRENT
    )


def _labels(rows: list[_Plateau], one_c: float) -> list[str]:
    """Return the name of each rate: in C, or its current where 1C [uA] is not known; rates that differ have two names.

    Where discharges at one current were charged at several, it says at which.
    """
    kinds: list[_Plateau] = []
    for row in rows:
        if not any(_alike(kind, row.current, row.charged_at) for kind in kinds):
            kinds.append(row)
    of_current = [[k for k in kinds if abs(np.log(k.current / row.current)) < SAME_CURRENT] for row in rows]

    def named(current: float, digits: int) -> str:
        amount, unit = (1e6 * current / one_c, "C") if np.isfinite(one_c) else (1e3 * current, " mA")
        if unit == " mA" and amount >= 1000:
            amount, unit = amount / 1000, " A"
        return f"{float(f'{amount:.{digits}g}'):g}{unit}"

    short = [named(row.current, 2) for row in rows]
    found = []
    for row, same, name in zip(rows, of_current, short, strict=True):
        clash = any(
            other == name and abs(np.log(one.current / row.current)) >= SAME_CURRENT
            for one, other in zip(rows, short, strict=True)
        )
        text = named(row.current, 3) if clash else name
        found.append(f"{text} charged at {named(row.charged_at, 2)}" if len(same) > 1 else text)
    return found


def _outliers(found: xr.Dataset, group: np.ndarray, limit: float) -> np.ndarray:
    """Return which capacities are outliers of their group."""
    values = found.capacity.to_numpy()
    distances, own = np.full((2, values.size), np.nan)
    for number in np.unique(group):
        members = group == number
        distance = values[members] - np.median(values[members])
        # The cycle that is the median has no distance from it, and one or two cycles do not show which of them is odd.
        distance[(distance == 0) | (members.sum() < 3)] = np.nan
        distances[members] = distance
        known = np.sort(np.abs(distance[np.isfinite(distance)]))
        if known.size:
            own[members] = known[(known.size - 1) // 2] / cycling.MEDIAN_DEVIATION
    together = capacity.outliers(distances, limit, float(found.capacity_half_width.median()) / NORMAL)
    return together & (np.abs(distances) > limit * own)


def _mean(numbers: np.ndarray, half_widths: np.ndarray) -> tuple[float, float]:
    """Return mean and half of its 95 % interval; NaN for no numbers.

    The scatter enters by Student's t, the half width of each number as independent from one to the next.
    """
    count = numbers.size
    if not count:
        return np.nan, np.nan
    scatter = student(count - 1) * numbers.std(ddof=1) / np.sqrt(count) if count > 1 else 0.0
    return float(numbers.mean()), float(np.hypot(scatter, np.sqrt(np.mean(half_widths**2) / count)))


def _uncertainties(groups: list[xr.Dataset], found: xr.Dataset) -> np.ndarray:
    """Return the standard uncertainty of the mean of each group.

    Of the scatter of single cycles that is the median of the groups, since a group of a single cycle has none of its
    own, and at least that of the digits; of its own scatter where that is larger.
    """
    own = np.array([one.capacity.std(ddof=1).item() if one.sizes["cycle"] > 1 else np.nan for one in groups])
    usual = float(np.nanmedian(own)) if np.isfinite(own).any() else 0.0
    least = max(usual, float(found.capacity_half_width.median()) / NORMAL)
    return np.fmax(own, least) / np.sqrt([one.sizes["cycle"] for one in groups])
