"""Impedance of cells and pellets, and the current of a pellet at constant voltage."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.analyses.arguments import checked, require
from coldbond.impedance import resistance
from coldbond.impedance.circuits import SYMMETRIC
from coldbond.impedance.conductivity import electronic, ionic
from coldbond.impedance.electrolyte import Known
from coldbond.interval import Interval

#: Circuits between which the spectrum of a pellet with blocking electrodes decides.
PELLET = ("L-R-Q", "L-R-RQ-Q", "L-R-RQ-RQ-Q")


class Resistances(NamedTuple):
    """Resistances of a cell from its impedance spectrum.

    Attributes
    ----------
    interface, total : Interval
        Of the interfaces, and of electrolyte and interfaces together, ohm. Without a value where the spectrum does not
        tell.
    why : str
        How the interface was told from the electrolyte, or why it was not.
    fits : dict of str to lmfit.minimizer.MinimizerResult
        By circuit, the best first (lowest Bayesian information criterion).
    """

    interface: Interval
    total: Interval
    why: str
    fits: Mapping[str, MinimizerResult]


def resistances(
    spectrum: xr.Dataset,
    circuits: Sequence[str] = SYMMETRIC,
    weighting: str = "modulus",
    area_cm2: float | None = None,
    thickness_cm: float | None = None,
    electrolyte: Interval | None = None,
) -> Resistances:
    """Return the resistances of a cell with lithium electrodes from its impedance spectrum.

    Parameters
    ----------
    spectrum : xarray.Dataset
        Impedance; of several sweeps the last.
    circuits : sequence of str
        Equivalent circuits, elements in series, such as "L-R-RQ-RQ-D"; RQ is an arc, D a diffusion element where the
        spectrum asks for one.
    weighting : {"modulus", "unit", "measured"}
    area_cm2, thickness_cm : float, optional
        Of the electrolyte. They give the capacitances of its arcs, which set these apart from those of the interfaces.
    electrolyte : Interval, optional
        Resistance of the electrolyte [ohm] where it is known, as from a pellet between blocking electrodes.

    Returns
    -------
    Resistances
        The intervals hold for all circuits and distributions of relaxation times that the data do not exclude, and for
        a change of the cell during the sweep.

    Raises
    ------
    ValueError
        The spectrum has too few points, or a circuit is not known.

    Examples
    --------
    >>> import coldbond
    >>> from coldbond.interval import Interval
    >>> spectrum = coldbond.read("raw/eis/interface-RT-MCL-LLZ-cycle-001.txt")
    >>> options = dict(area_cm2=0.785, thickness_cm=0.04, electrolyte=Interval(67.6, 62.0, 74.0))
    >>> found = coldbond.resistances(spectrum, ["L-R-RQ-RQ", "L-R-RQ-RQ-RQ"], **options)
    >>> found.interface.low < found.interface.value < found.interface.high
    True
    """
    spectrum = checked("eis", spectrum, area_cm2=area_cm2, thickness_cm=thickness_cm)
    known = Known(electrolyte, "given") if electrolyte is not None else None
    found = resistance.measure(spectrum, circuits, weighting, known)
    return Resistances(found.interface, found.total, found.why, found.results)


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
    circuits : sequence of str
        As for `resistances`.
    boundary : float
        Time constant [s] above which an arc belongs to the electrodes.
    model_uncertainty : float
        Relative standard uncertainty from a drift during the sweep.
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
