"""Cells at constant current: critical current density, life, capacities, rates."""

import xarray as xr

from coldbond.analyses.arguments import checked
from coldbond.cells import capacity, ccd, rate, shorts
from coldbond.cells import long_cycling as symmetric
from coldbond.interval import Interval


def critical_current_density(
    recording: xr.Dataset,
    area_cm2: float | None = None,
    thickness_cm: float | None = None,
    retained: float = shorts.RETAINED,
    metallic: float = shorts.METALLIC,
    conductivity: float = shorts.CONDUCTIVITY,
) -> Interval:
    """Return the critical current density of a symmetric cell whose current rises step by step.

    Parameters
    ----------
    recording : xarray.Dataset
        Cycling.
    area_cm2 : float
        Area of the electrode.
    thickness_cm : float, optional
        Thickness of the electrolyte: with the conductivity it says which resistance is too small for an intact cell.
    retained, metallic, conductivity : float
        Thresholds of a short, see `coldbond.cells.shorts.classify_segments`.

    Returns
    -------
    Interval
        In mA/cm2: the last step that was sustained, and the first that failed as the upper bound. No value where it
        cannot be told whether a step was sustained.
        `coldbond.cells.ccd.steps` returns every step.

    Raises
    ------
    ValueError
        The area is not known, or no current flows.

    Examples
    --------
    >>> import coldbond
    >>> cell = coldbond.read("raw/cycling/ccd-LLZ.csv")
    >>> coldbond.critical_current_density(cell, area_cm2=0.785)
    Interval(value=0.2, low=0.2, high=0.3)
    """
    recording = checked("cycling", recording, area_cm2=area_cm2, thickness_cm=thickness_cm)
    return ccd.critical_current_density(ccd.steps(recording, retained, metallic, conductivity))


def long_cycling(
    recording: xr.Dataset,
    area_cm2: float | None = None,
    settling: int = 50,
    tester_uncertainty: float = 0.001,
    area_uncertainty: float = 0.02,
) -> dict[str, Interval]:
    """Return life, overpotential, resistance and drift of a symmetric cell at constant current.

    Parameters
    ----------
    recording : xarray.Dataset
        Cycling.
    area_cm2 : float
        Area of the electrode.
    settling : int
        Cycles at the beginning that means and drift leave out; none in a test of less than twice as many.
    tester_uncertainty, area_uncertainty : float
        Relative standard uncertainties of voltage and current, and of the area.

    Returns
    -------
    dict of str to Interval
        "time_to_failure" [h] in hours of current and "clock_time_to_failure" [h] with rests and standstills,
        "charge_passed" [mAh/cm2], and, of a cell that sustained two cycles, of its longest stretch of one current
        "overpotential", "overpotential_at_start", "overpotential_at_end" and "hysteresis" [mV],
        "area_specific_resistance" [ohm cm2] and "drift" [mV per 1000 h].

    Raises
    ------
    ValueError
        The area is not known, or no current flows.

    Examples
    --------
    >>> import coldbond
    >>> cell = coldbond.read("raw/cycling/long-cycling-HT-MCL-LLZ-0.1.xlsx")
    >>> life = coldbond.long_cycling(cell, area_cm2=0.785)["time_to_failure"]
    >>> f"{life.value:.1f} h"
    '26.1 h'
    """
    recording = checked("cycling", recording, area_cm2=area_cm2)
    half_cycles = symmetric.half_cycles(recording)
    uncertainties = (tester_uncertainty, area_uncertainty)
    return {
        "time_to_failure": symmetric.time_to_failure(recording, half_cycles),
        "clock_time_to_failure": symmetric.clock_time_to_failure(recording, half_cycles),
        "charge_passed": symmetric.charge_until_failure(recording, half_cycles, *uncertainties),
    } | symmetric.averages(half_cycles, None, settling, *uncertainties)


def capacities(
    recording: xr.Dataset,
    active_mass_mg: float | None = None,
    current_uncertainty: float = 0.001,
    mass_uncertainty: float = 0.02,
) -> xr.Dataset:
    """Return capacity, coulombic efficiency and polarisation of every cycle of a full cell.

    Parameters
    ----------
    recording : xarray.Dataset
        Cycling.
    active_mass_mg : float, optional
        Mass of active material; without it capacities are in mAh.
    current_uncertainty, mass_uncertainty : float
        Relative standard uncertainties of the tester's current and of the mass.

    Returns
    -------
    xarray.Dataset
        `capacity` over `half` ("charge", "discharge") and `cycle`, `coulombic_efficiency` [%], `polarization` [V] and
        more, see `coldbond.cells.capacity.cycles`.

    Raises
    ------
    ValueError
        No current flows.

    Examples
    --------
    >>> import coldbond
    >>> cell = coldbond.read("raw/cycling/full-cell-RT-MCL-LLZ.xlsx")
    >>> cycles = coldbond.capacities(cell, active_mass_mg=1.57)
    >>> f"{cycles.capacity.sel(half='discharge', cycle=1).item():.0f} mAh/g"
    '165 mAh/g'
    """
    recording = checked("cycling", recording, active_mass_mg=active_mass_mg)
    return capacity.cycles(recording, current_uncertainty, mass_uncertainty)


def rate_capability(
    recording: xr.Dataset,
    active_mass_mg: float | None = None,
    nominal_capacity: float = 170.0,
    current_uncertainty: float = 0.001,
    mass_uncertainty: float = 0.02,
) -> xr.Dataset:
    """Return the mean capacity and polarisation of a full cell at each discharge current.

    Parameters
    ----------
    recording, active_mass_mg, current_uncertainty, mass_uncertainty
        As for `capacities`.
    nominal_capacity : float
        Capacity that defines 1C [mAh/g]; 170 is the theoretical capacity of LiFePO4.

    Returns
    -------
    xarray.Dataset
        Over `group`, consecutive discharges at one current, see `coldbond.cells.rate.plateaus`.

    Raises
    ------
    ValueError
        No current flows.

    Examples
    --------
    >>> import coldbond
    >>> cell = coldbond.read("raw/cycling/rate-RT-MCL-LLZ.csv")
    >>> levels = coldbond.rate_capability(cell, active_mass_mg=1.57)
    >>> [f"{rate:.1f}C" for rate in levels.c_rate.values]
    ['0.2C', '0.5C', '1.0C', '0.2C']
    """
    table = capacities(recording, active_mass_mg, current_uncertainty, mass_uncertainty)
    return rate.plateaus(rate.discharges(table, nominal_capacity))
