"""Rate capability of a cell: capacity and polarisation at each discharge current.

Consecutive discharges at the same current form a group, whose mean is the capacity at that rate; its interval follows
from the scatter of the cycles by Student's t. The errors of mass and tester gain are common to all rates and are kept
apart. The model of `rate_model` is fitted to the capacity against the rate, which is the current over the capacity that
it drew: neither the mass nor the nominal capacity enters the characteristic time.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr
from lmfit.model import ModelResult

from coldbond import constants
from coldbond.cells import capacity, cycling, rate_model
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
    """Group the finished discharges of a rate test by their current.

    Parameters
    ----------
    table : xarray.Dataset
        From `capacity.cycles`.
    nominal_capacity : float
        Capacity that defines 1C [mAh/g]; 170 is the theoretical capacity of LiFePO4.
    outlier : float
        Relative distance from the median of the group, in robust standard deviations of all groups together, beyond
        which a capacity is an outlier.

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
    current = np.abs(found.current.to_numpy())
    group = np.cumsum(np.abs(np.diff(np.log(current), prepend=np.log(current[:1]))) > SAME_CURRENT)
    found = found.assign(group=("cycle", group)).assign_attrs(nominal_capacity=nominal_capacity)
    middle = found.capacity.groupby(found.group).median().sel(group=group).to_numpy()
    distances = found.capacity.to_numpy() / middle - 1
    # The cycle that is the median has no distance from it, and one or two cycles do not show which of them is odd.
    distances[(distances == 0) | (np.bincount(group)[group] < 3)] = np.nan
    mass = constants.optional(found, "active_mass_mg")
    c_rate = 1e6 * np.abs(found.current).groupby(found.group).median() / mass / nominal_capacity
    return found.assign(
        c_rate=("cycle", c_rate.sel(group=group).to_numpy()),
        outlier=("cycle", capacity.outliers(distances, outlier, _digits(found))),
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
        - `uncertainty` : standard uncertainty, from the relative scatter of the cycles of all groups together
        - `polarization`, `polarization_half_width` [V] : likewise; NaN where no charge was recorded
        - `cycles` : their number; `example` : number of the cycle whose capacity is closest to the mean
        - `current` [A] and `c_rate`
        - `rate` [1/h] : the current over the capacity that it drew, the inverse of the duration of the discharge
        - `label` : "0.5C", or the current where there is no mass; `again` : an earlier group had this current
    """
    digits = np.array(found.attrs["polarization_half_width"])
    rows: list[_Plateau] = []
    for _, members in found.groupby("group"):
        kept = members.isel(cycle=slice(min(skipped, members.sizes["cycle"] - 1), None))
        kept = kept.sel(cycle=~kept.outlier) if not kept.outlier.all() else kept
        mean, half_width = _mean(kept.capacity.to_numpy(), kept.capacity_half_width.to_numpy())
        polarization, polarization_half_width = _mean(kept.polarization.to_numpy(), digits)
        current, c_rate = float(np.abs(kept.current).median()), float(members.c_rate[0])
        rows.append(
            _Plateau(
                capacity=mean,
                capacity_half_width=half_width,
                polarization=polarization,
                polarization_half_width=polarization_half_width,
                cycles=kept.sizes["cycle"],
                example=int(kept.cycle[np.abs(kept.capacity.to_numpy() - mean).argmin()]),
                current=current,
                c_rate=c_rate,
                rate=current / float(kept.passed.mean()),
                label=f"{c_rate:.2g}C" if np.isfinite(c_rate) else f"{1e3 * current:.2g} mA",
                again=any(abs(row.current / current - 1) < SAME_CURRENT for row in rows),
            )
        )
    columns = {name: np.array(column) for name, column in zip(_Plateau._fields, zip(*rows, strict=True), strict=True)}
    columns["uncertainty"] = columns["capacity"] * _relative_scatter(found) / np.sqrt(columns["cycles"])
    levels = xr.Dataset({name: ("group", column) for name, column in columns.items()}, attrs=found.attrs)
    levels.capacity.attrs = found.capacity.attrs
    return levels


def fits(levels: xr.Dataset) -> dict[float | None, ModelResult]:
    """Return `rate_model.fits` of the plateaus; a current that comes again later in the test is left out then."""
    first = levels.sel(group=~levels.again)
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
    same = np.abs(levels.current.to_numpy() / last.current.item() - 1) < SAME_CURRENT
    before = levels.isel(group=int(np.argmax(same)))
    ratio = 100 * float(last.capacity / before.capacity)
    relative = np.hypot(last.capacity_half_width / last.capacity, before.capacity_half_width / before.capacity)
    return Interval.symmetric(ratio, ratio * float(relative))


def _mean(numbers: np.ndarray, half_widths: np.ndarray) -> tuple[float, float]:
    """Return mean and half of its 95 % interval.

    The scatter enters by Student's t, the half width of each number as independent from one to the next.
    """
    count = numbers.size
    scatter = student(count - 1) * numbers.std(ddof=1) / np.sqrt(count) if count > 1 else 0.0
    return float(numbers.mean()), float(np.hypot(scatter, np.sqrt(np.mean(half_widths**2) / count)))


def _digits(found: xr.Dataset) -> float:
    """Return the relative standard uncertainty of a capacity by the digits of the tester."""
    return float((found.capacity_half_width / found.capacity).median()) / NORMAL


def _relative_scatter(found: xr.Dataset) -> float:
    """Return the relative standard deviation of single cycles about the mean of their group.

    It is pooled over all groups, since a group of a single cycle has none of its own, and at least that of the digits.
    """
    kept = found.sel(cycle=~found.outlier)
    ratios = [members.to_numpy() / members.to_numpy().mean() - 1 for _, members in kept.capacity.groupby(kept.group)]
    freedom = sum(members.size - 1 for members in ratios)
    pooled = float(np.sqrt(np.sum(np.concatenate(ratios) ** 2) / freedom)) if freedom else 0.0
    return max(_digits(kept), pooled)
