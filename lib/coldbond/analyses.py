"""The standard analysis of one recording of each technique, with the constants of the cell as arguments.

Each function takes what `coldbond.read` returns and is available as `coldbond.NAME`. The modules of a technique have
the single steps and their options; the defaults here are those of the notebooks. A constant that is not given is taken
from the attrs of the recording, where a manifest has put it.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import NamedTuple, TypeVar

import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.cells import capacity, ccd, rate
from coldbond.cells import long_cycling as symmetric
from coldbond.constants import required
from coldbond.impedance import fit, intervals, sweeps
from coldbond.impedance.conductivity import electronic, ionic
from coldbond.interval import Interval
from coldbond.raman import decomposition
from coldbond.raman.decomposition import Decomposition
from coldbond.xps import reference, surface
from coldbond.xps.component_selection import Composition
from coldbond.xps.components import COMPONENTS, level
from coldbond.xrd import analysis
from coldbond.xrd.analysis import Analysis

__all__ = [
    "Resistances",
    "capacities",
    "composition",
    "critical_current_density",
    "electronic_conductivity",
    "ionic_conductivity",
    "long_cycling",
    "phases",
    "raman_bands",
    "rate_capability",
    "resistances",
]

Recording = TypeVar("Recording", xr.Dataset, xr.DataTree)

#: Circuits between which the spectrum decides: a cell with lithium electrodes, and a pellet with blocking electrodes.
CELL = ("L-R-RQ-RQ", "L-R-RQ-RQ-RQ", "L-R-RQ-RQ-RQ-RQ")
PELLET = ("L-R-Q", "L-R-RQ-Q", "L-R-RQ-RQ-Q")
#: Phases that may stand beside a garnet after coating, sintering or cycling.
BESIDE_GARNET = ("InN", "In", "La2Zr2O7", "Li2O", "Li2CO3", "Li3N", "LiIn")
#: Bands of a garnet and modes of InN, 1/cm.
GARNET_BANDS = (250.0, 370.0, 415.0, 515.0, 640.0, 730.0)
INN_MODES = {"InN E2(high)": 490.1, "InN A1(LO)": 585.4}


def critical_current_density(
    recording: xr.Dataset, area_cm2: float | None = None, retained: float = 0.6, metallic: float = 10.0
) -> Interval:
    """Return the critical current density of a symmetric cell whose current rises step by step.

    Parameters
    ----------
    recording : xarray.Dataset
        Cycling.
    area_cm2 : float
        Area of the electrode.
    retained, metallic : float
        Thresholds of a short, see `coldbond.cells.shorts.classify_segments`.

    Returns
    -------
    Interval
        In mA/cm2: the last step that was sustained, and the first that failed as the upper bound.
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
    return ccd.critical_current_density(ccd.steps(_of("cycling", recording, area_cm2=area_cm2), retained, metallic))


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
        "time_to_failure" [h], "charge_passed" [mAh/cm2], and, of a cell that sustained two cycles,
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
    '26.4 h'
    """
    recording = _of("cycling", recording, area_cm2=area_cm2)
    half_cycles = symmetric.half_cycles(recording)
    pairs = symmetric.after_settling(symmetric.overpotentials(half_cycles), settling)
    uncertainties = (tester_uncertainty, area_uncertainty)
    return {
        "time_to_failure": symmetric.time_to_failure(recording, half_cycles),
        "charge_passed": symmetric.charge_until_failure(recording, half_cycles, *uncertainties),
    } | (symmetric.means(pairs, *uncertainties) if pairs.sizes["pair"] > 1 else {})


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
    recording = _of("cycling", recording, active_mass_mg=active_mass_mg)
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
    fits = fit.candidates(sweeps.one(_of("eis", spectrum)), circuits, weighting)
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
    spectrum = _of("eis", spectrum, area_cm2=area_cm2, thickness_cm=thickness_cm, temperature_C=temperature_C)
    _require(spectrum, "area_cm2", "thickness_cm")
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
    transient = _of("dc", transient, area_cm2=area_cm2, thickness_cm=thickness_cm)
    _require(transient, "area_cm2", "thickness_cm")
    settled = electronic.steady(transient, current_offset)
    found = electronic.conductivity(settled, thickness_uncertainty, area_uncertainty)
    assert found is not None  # area and thickness are known
    return found


def phases(
    pattern: xr.Dataset,
    main: str = "LLZTO",
    looked_for: Sequence[str] = BESIDE_GARNET,
    geometry: str = "displacement",
) -> Analysis:
    """Return the phases, lattice parameters and unexplained peaks of a diffraction pattern.

    Parameters
    ----------
    pattern : xarray.Dataset
        Diffraction.
    main : str
        Main phase, of `coldbond.xrd.structures.STRUCTURES`.
    looked_for : sequence of str
        Phases that may stand beside it.
    geometry : {"displacement", "zero"}
        Error of the angles: displacement of the sample or zero of the circle.

    Returns
    -------
    coldbond.xrd.analysis.Analysis
        `fits` (lmfit), `detections` by phase, `peaks`.

    Raises
    ------
    ValueError
        As `coldbond.xrd.analysis.analyse`.

    Examples
    --------
    >>> import coldbond
    >>> found = coldbond.phases(coldbond.read("raw/xrd/InN-LLZ.ras"), looked_for=["InN", "La2Zr2O7"])
    >>> {name: detection.present for name, detection in found.detections.items()}
    {'InN': True, 'La2Zr2O7': False}
    """
    return analysis.analyse(_of("xrd", pattern), main, looked_for, geometry=geometry)


def raman_bands(
    spectrum: xr.Dataset,
    bands: Sequence[float] = GARNET_BANDS,
    modes: Mapping[str, float] = INN_MODES,
    window: Sequence[float] = (160.0, 900.0),
    axis_uncertainty: float = 0.5,
) -> Decomposition:
    """Return the bands of a Raman spectrum, and which of the modes looked for are present.

    Parameters
    ----------
    spectrum : xarray.Dataset
        Raman. `coldbond.raman.neon.calibrated_spectra` calibrates its axis with a neon lamp.
    bands : sequence of float
        Where the bands of the sample are expected, 1/cm.
    modes : mapping of str to float
        Modes that are looked for, and where, 1/cm.
    window : (float, float)
        Range of the fit, 1/cm.
    axis_uncertainty : float
        Standard uncertainty of the axis, 1/cm, unless the spectrum has one from its calibration.

    Returns
    -------
    coldbond.raman.decomposition.Decomposition

    Raises
    ------
    ValueError
        The window has too few points, or does not contain all bands.

    Examples
    --------
    >>> import coldbond
    >>> found = coldbond.raman_bands(coldbond.read("raw/raman/InN-LLZ.jdx"))
    >>> found.bands["InN A1(LO)"].present
    True
    """
    spectrum = _of("raman", spectrum)
    if "axis_uncertainty" not in spectrum.attrs:
        spectrum = spectrum.assign_attrs(axis_uncertainty=axis_uncertainty)
    return decomposition.decompose(spectrum, bands, modes, window)


def composition(
    recording: xr.DataTree,
    regions: Sequence[str] = (),
    reference_energy: float | None = 284.8,
    reference_uncertainty: float = 0.1,
) -> dict[str, Composition]:
    """Return the components of the regions of a photoelectron recording.

    Parameters
    ----------
    recording : xarray.DataTree
        Photoelectrons.
    regions : sequence of str
        Such as "In 3d"; by default all whose components are known.
    reference_energy : float or None
        Energy of the C-C component of C 1s, to which the scale is shifted, eV; None leaves it as recorded.
    reference_uncertainty : float
        Standard uncertainty of that energy, eV.

    Returns
    -------
    dict of str to coldbond.xps.component_selection.Composition
        By region.

    Raises
    ------
    LookupError
        No components are known for a region, or the recording lacks all of them.
    ValueError
        The recording is of several samples, or C 1s has no C-C component.

    Examples
    --------
    >>> import coldbond
    >>> found = coldbond.composition(coldbond.read("raw/xps/surface-InN-LLZ.vms"), ["N 1s"])
    >>> [key for key, one in found["N 1s"].components.items() if one.present]
    ['InN']
    """
    recording = _of("xps", recording)
    wanted = list(regions) or [str(name) for name in recording.children if level(str(name)) in COMPONENTS]
    scaled = reference.referenced(recording, reference_energy, reference_uncertainty)
    return surface.compositions(scaled, wanted)


def _of(technique: str, recording: Recording, **constants: float | None) -> Recording:
    """Return a recording with the constants that are given in its attrs; the recording itself is left as it is.

    Raises
    ------
    ValueError
        The recording is of another technique, or a constant is not a positive number.
    """
    found = recording.attrs.get("technique", technique)
    if found != technique or isinstance(recording, xr.DataTree) != (technique == "xps"):
        source = recording.attrs.get("source", "this recording")
        raise ValueError(f"{source}: a recording of {found}, this analysis is of {technique}: take another function")
    given = {name: value for name, value in constants.items() if value is not None}
    for name, value in given.items():
        if not isfinite(value) or (value <= 0 and name != "temperature_C"):
            raise ValueError(f"{name}={value!r}: write a positive number in the unit that the name ends with")
    return recording.assign_attrs(given) if isinstance(recording, xr.Dataset) else recording


def _require(recording: xr.Dataset, *names: str) -> None:
    for name in names:
        required(recording, name)
