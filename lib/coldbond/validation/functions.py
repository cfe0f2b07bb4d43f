"""What no notebook gives: single steps of an analysis, as scripts call them, and records side by side.

Each function takes the recordings of its run in the order of validation.toml, as `coldbond.read` returns them with the
columns of the manifest in their attrs, and the run's parameters. It returns findings.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.bundle.findings import finding
from coldbond.impedance import fit as circuit_fit
from coldbond.impedance import intervals
from coldbond.impedance.circuits import elements
from coldbond.impedance.conductivity import arrhenius, pellet
from coldbond.interval import Interval
from coldbond.reaction_energy import comparison, published
from coldbond.reaction_energy.reactions import composition, reactions
from coldbond.xps.components import Component, Line
from coldbond.xps.fit import fit as xps_fit

__all__ = ["arcs", "doublet", "energies", "joined_discharges", "lines", "same_records", "series_resistance"]

Finding = dict


def same_records(recordings: Sequence[xr.Dataset | xr.DataTree], variables: Sequence[str]) -> list[Finding]:
    """Return the largest difference between two files of one measurement, for each variable, in its unit.

    Of photoelectrons the first region of the first file is compared with the region of its name.

    Raises
    ------
    ValueError
        The files have different numbers of records.
    """
    one, other = recordings
    if isinstance(one, xr.DataTree) and isinstance(other, xr.DataTree):
        name = next(iter(one.children))
        one, other = one[name].to_dataset(), other[name].to_dataset()
    found = []
    for variable in variables:
        ours, theirs = one[variable].to_numpy(), other[variable].to_numpy()
        if ours.shape != theirs.shape:
            raise ValueError(f"{ours.size} and {theirs.size} records: these are not two files of one measurement")
        difference = float(np.abs(ours - theirs).max())
        found.append(finding(f"largest_difference_of_{variable}", difference, one[variable].attrs.get("units", "")))
    return found


def doublet(
    recordings: Sequence[xr.DataTree],
    splitting: float,
    window: Sequence[float] = (),
    backgrounds: Sequence[str] = ("active shirley", "active tougaard"),
    shapes: Sequence[str] = ("doniach",),
) -> list[Finding]:
    """Return splitting and area ratio of a spin-orbit doublet whose two lines are fitted independently.

    Intervals are the hull over all backgrounds and shapes. The strongest line is the main one.

    Parameters
    ----------
    recordings : sequence of xarray.DataTree
        One, whose first region is fitted.
    splitting : float
        Where the search for the partner starts, eV above the main line.
    window : (float, float), optional
        Range of the fit, eV.
    """
    (tree,) = recordings
    region = next(iter(tree.children.values())).to_dataset()
    region = region.sel(binding_energy=slice(*window)) if window else region
    top = float(region.binding_energy[region.intensity.to_numpy().argmax()])
    both = [Component("lower", "lower", top), Component("upper", "upper", top + splitting)]
    line = Line(fwhm=(0.5, 0.3), lorentzian=(0.3, 0.1), asymmetry=(0.05, 0.05))
    fits = [xps_fit(region, both, background, shape, line=line) for background in backgrounds for shape in shapes]
    apart = [_difference(one, "upper_position", "lower_position") for one in fits]
    ratio = [_ratio(one, "upper_area", "lower_area") for one in fits]
    return [
        finding("splitting", Interval.hull(apart[0].value, apart), "eV"),
        finding("area_ratio", Interval.hull(ratio[0].value, ratio)),
    ]


def lines(
    recordings: Sequence[xr.DataTree],
    region: str,
    starts: Mapping[str, Sequence[float]],
    window: Sequence[float],
    shape: str,
    merged: int = 1,
) -> list[Finding]:
    """Return the positions of lines that are fitted independently, on the recorded scale.

    Parameters
    ----------
    recordings : sequence of xarray.DataTree
        One.
    region : str
    starts : mapping of str to (float, float)
        Position and full width, eV, from which each line is searched.
    window : (float, float)
        Range of the fit, eV.
    shape : str
        As for `coldbond.xps.fit.fit`.
    merged : int
        Points that are averaged into one.
    """
    (tree,) = recordings
    part = tree[region].to_dataset().sel(binding_energy=slice(*window))
    part = part.coarsen(binding_energy=merged, boundary="trim").mean(keep_attrs=True)
    given = [Component(key, key, at, 1.0, fwhm=(width, 1.0)) for key, (at, width) in starts.items()]
    line = Line(lorentzian=(0.8, 0.05), asymmetry=(0.2, 0.1) if shape == "doniach" else None)
    result = xps_fit(part, given, "active shirley", shape, line=line, reference_uncertainty=0.5)
    found = []
    for key in starts:
        at = result.params[f"{key}_position"]  # without an error where it ends at the limit of its range
        value = Interval.from_standard_error(at.value, at.stderr) if at.stderr else None
        found.append(finding(f"{key}_position", value, "eV"))
    return found


def _covariance(result: MinimizerResult, *names: str) -> np.ndarray:
    at = [result.var_names.index(name) for name in names]
    return np.asarray(result.covar)[np.ix_(at, at)]


def _difference(result: MinimizerResult, one: str, other: str) -> Interval:
    slope = np.array([1.0, -1.0])
    variance = slope @ _covariance(result, one, other) @ slope
    return Interval.from_standard_error(result.params[one].value - result.params[other].value, float(variance**0.5))


def _ratio(result: MinimizerResult, one: str, other: str) -> Interval:
    ratio = result.params[one].value / result.params[other].value
    slope = np.array([1.0, -ratio]) / result.params[other].value
    variance = slope @ _covariance(result, one, other) @ slope
    return Interval.from_standard_error(ratio, float(variance**0.5))


def arcs(recordings: Sequence[xr.Dataset], circuit: str, temperature_uncertainty: float, zero: float) -> list[Finding]:
    """Return activation energies of sigma T, and conductivities, of each arc of a circuit and of all together.

    Parameters
    ----------
    recordings : sequence of xarray.Dataset
        Spectra of one pellet at several temperatures, with `temperature_C`, `area_cm2` and `thickness_cm`.
    circuit : str
        Such as "RQ-RQ-Q"; its resistances are those of the arcs.
    temperature_uncertainty : float
        Standard uncertainty of a temperature, K.
    zero : float
        Zero of the Celsius scale as the authors took it, K.
    """
    fits = [circuit_fit.fitted(one, circuit) for one in recordings]
    names = [name for name in fits[0].params if name.startswith("R")]
    parts = {f"arc_{number}": [intervals.profile(one, name) for one in fits] for number, name in enumerate(names, 1)}
    parts["total"] = [intervals.profile(one, names) for one in fits]
    kelvin = np.array([one.attrs["temperature_C"] for one in recordings]) + zero
    found = []
    for part, resistances in parts.items():
        energy = arrhenius.line(kelvin, resistances, temperature_uncertainty, 1).energy
        found.append(finding(f"{part}_activation_energy", energy, "eV"))
        for one, resistance in zip(recordings, resistances, strict=True):
            shape = pellet.shape(one, 0.0, 0.0)
            assert shape is not None, "area_cm2 and thickness_cm are in the matrix"
            sigma = pellet.product(pellet.inverse(resistance), shape.factor, 0.0)
            found.append(finding(f"{part}_conductivity", sigma, "S/cm", state=f"{one.attrs['temperature_C']:g} °C"))
    return found


def series_resistance(recordings: Sequence[xr.Dataset], circuits: Sequence[str]) -> list[Finding]:
    """Return the resistance in series with all arcs: by each circuit, and the hull over those that the data admit.

    Parameters
    ----------
    recordings : sequence of xarray.Dataset
        One spectrum.
    circuits : sequence of str
        Each with one resistance R outside of its arcs.
    """
    (spectrum,) = recordings
    fits = circuit_fit.candidates(spectrum, circuits)
    names = {circuit: next(own[0] for kind, own in elements(circuit) if kind == "R") for circuit in fits}
    found = {circuit: intervals.profile(one, names[circuit]) for circuit, one in fits.items()}
    best = next(iter(found.values()))
    hull = Interval.hull(best.value, found.values())
    each = [finding("series_resistance", one, "ohm", state=circuit) for circuit, one in found.items()]
    return [*each, finding("series_resistance", hull, "ohm", state="all circuits")]


def energies(recordings: Sequence[xr.Dataset], error: float) -> list[Finding]:
    """Return the computed energies of the products whose energies were measured, over all models.

    Parameters
    ----------
    recordings : sequence of xarray.Dataset
        Tables of computed energies.
    error : float
        Mean absolute error of an energy of formation, eV/atom.
    """
    found = []
    for product in dict.fromkeys(one.product for one in published.MEASURED):
        if "N" in composition(product):
            each = [comparison.energy(error, "atom", reactions(one, product)["first"]) for one in recordings]
        else:
            deviation = float(comparison.STANDARD_DEVIATION * error)
            each = [Interval.from_standard_error(published.computed(one, product), deviation) for one in recordings]
        found.append(finding("energy", comparison.over_models(each), "eV/atom", sample=product))
    return found


def joined_discharges(files: Mapping[str, Path], target: Path, capacity: float = 170.0, mass: float = 1.0) -> None:
    """Write digitised discharges (capacity [mAh/g], voltage [V]) as one recording at constant currents, with rests.

    Parameters
    ----------
    files : mapping of str to Path
        By C-rate.
    target : Path
        The recording, Battery Data Format.
    capacity : float
        That defines 1C, mAh/g.
    mass : float
        Of the active material, mg.
    """
    records, clock = [], 0.0
    for rate, file in ((float(rate), file) for rate, file in files.items()):
        charge, voltage = np.loadtxt(file, delimiter=",").T
        current = capacity * rate * mass * 1e-6  # A
        time = clock + 3600 + charge * mass * 1e-6 / current * 3600
        rests = [[time[0] - 0.01, voltage[0], 0.0], [time[-1] + 0.01, voltage[-1], 0.0]]
        records += [rests[0], *np.column_stack([time, voltage, np.full(time.size, -current)]).tolist(), rests[1]]
        clock = time[-1]
    lines = [f"{time:.3f},{voltage:.5f},{current:.7f}" for time, voltage, current in records]
    target.write_text("\n".join(["test_time_second,voltage_volt,current_ampere", *lines]) + "\n")
