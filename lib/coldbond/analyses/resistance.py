"""Impedance of cells and pellets, and the current of a pellet at constant voltage."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.analyses.arguments import checked, require
from coldbond.impedance import fit, intervals, sweeps
from coldbond.impedance.conductivity import electronic, ionic
from coldbond.interval import Interval

#: Circuits between which the spectrum decides: a cell with lithium electrodes, and a pellet with blocking electrodes.
CELL = ("L-R-RQ-RQ", "L-R-RQ-RQ-RQ", "L-R-RQ-RQ-RQ-RQ")
PELLET = ("L-R-Q", "L-R-RQ-Q", "L-R-RQ-RQ-Q")


class Resistances(NamedTuple):
    """Resistances of a cell from its impedance spectrum.

    Attributes
    ----------
    interface, total : Interval
        Of the interfaces, and of electrolyte and interfaces together, ohm.
    fits : dict of str to lmfit.minimizer.MinimizerResult
        By circuit, the best first (lowest Bayesian information criterion).
    """

    interface: Interval
    total: Interval
    fits: Mapping[str, MinimizerResult]


def resistances(
    spectrum: xr.Dataset,
    circuits: Sequence[str] = CELL,
    boundary: float = 2e-6,
    model_uncertainty: float = 0.004,
    weighting: str = "modulus",
) -> Resistances:
    """Return the resistances of a cell with lithium electrodes from its impedance spectrum.

    Parameters
    ----------
    spectrum : xarray.Dataset
        Impedance; of several sweeps the last.
    circuits : sequence of str
        Equivalent circuits, elements in series, such as "L-R-RQ-RQ"; RQ is an arc.
    boundary : float
        Time constant [s] between arcs of the electrolyte and those of interfaces.
    model_uncertainty : float
        Relative standard uncertainty from a drift during the sweep.
    weighting : {"modulus", "unit", "measured"}

    Returns
    -------
    Resistances
        The intervals hold for all circuits and distributions of relaxation times that the data do not exclude.

    Raises
    ------
    ValueError
        The spectrum has too few points, or a circuit is not known.

    Examples
    --------
    >>> import coldbond
    >>> spectrum = coldbond.read("raw/eis/interface-RT-MCL-LLZ-cycle-001.txt")
    >>> found = coldbond.resistances(spectrum, ["L-R-RQ-RQ", "L-R-RQ-RQ-RQ"])
    >>> found.interface.low < found.interface.value < found.interface.high
    True
    """
    fits = fit.candidates(sweeps.one(checked("eis", spectrum)), circuits, weighting)
    interface, total = (intervals.of_part(fits, part, boundary, model_uncertainty) for part in ("interface", "total"))
    return Resistances(interface, total, fits)


def ionic_conductivity(
    spectrum: xr.Dataset,
    area_cm2: float | None = None,
    thickness_cm: float | None = None,
    temperature_C: float | None = None,
    circuits: Sequence[str] = PELLET,
    boundary: float = 1e-4,
    model_uncertainty: float = 0.002,
    thickness_uncertainty: float = 5e-4,
    area_uncertainty: float = 0.01,
    temperature_uncertainty: float = 0.3,
) -> Interval:
    """Return the ionic conductivity [S/cm] of a pellet between blocking electrodes from its impedance spectrum.

    Parameters
    ----------
    spectrum : xarray.Dataset
        Impedance; of several sweeps the last.
    area_cm2, thickness_cm : float
        Of the pellet.
    temperature_C : float, optional
        With it the uncertainty of the temperature is in the interval.
    circuits, boundary, model_uncertainty
        As for `resistances`; the boundary is the time constant above which an arc belongs to the electrodes.
    thickness_uncertainty, temperature_uncertainty : float
        Standard uncertainties, cm and K.
    area_uncertainty : float
        Relative standard uncertainty.

    Raises
    ------
    ValueError
        Area or thickness is not known, or as `resistances`.

    Examples
    --------
    >>> import coldbond
    >>> spectrum = coldbond.read("raw/eis/conductivity-LLZ.txt")
    >>> sigma = coldbond.ionic_conductivity(spectrum, area_cm2=0.785, thickness_cm=0.04, temperature_C=25)
    >>> f"{1e3 * sigma.value:.2f} mS/cm"
    '0.74 mS/cm'
    """
    spectrum = checked("eis", spectrum, area_cm2=area_cm2, thickness_cm=thickness_cm, temperature_C=temperature_C)
    require(spectrum, "area_cm2", "thickness_cm")
    measured = ionic.measure(spectrum, circuits, boundary, model_uncertainty)
    found = ionic.conductivity(measured, thickness_uncertainty, area_uncertainty, temperature_uncertainty)
    assert found is not None  # area and thickness are known
    return found


def electronic_conductivity(
    transient: xr.Dataset,
    area_cm2: float | None = None,
    thickness_cm: float | None = None,
    current_offset: float = 1e-10,
    thickness_uncertainty: float = 5e-4,
    area_uncertainty: float = 0.01,
) -> Interval:
    """Return the electronic conductivity [S/cm] of a pellet from its current at constant voltage.

    Parameters
    ----------
    transient : xarray.Dataset
        Current over time.
    area_cm2, thickness_cm : float
        Of the pellet.
    current_offset : float
        Standard uncertainty of the zero of the current, A.
    thickness_uncertainty, area_uncertainty : float
        As for `ionic_conductivity`.

    Returns
    -------
    Interval
        Only an upper bound where the current had not settled.

    Raises
    ------
    ValueError
        Area or thickness is not known, or the recording has too few points.

    Examples
    --------
    >>> import coldbond
    >>> transient = coldbond.read("raw/dc/electronic-LLZ.txt")
    >>> sigma = coldbond.electronic_conductivity(transient, area_cm2=0.785, thickness_cm=0.04)
    >>> sigma.high < 1e-7
    True
    """
    transient = checked("dc", transient, area_cm2=area_cm2, thickness_cm=thickness_cm)
    require(transient, "area_cm2", "thickness_cm")
    settled = electronic.steady(transient, current_offset)
    found = electronic.conductivity(settled, thickness_uncertainty, area_uncertainty)
    assert found is not None  # area and thickness are known
    return found
