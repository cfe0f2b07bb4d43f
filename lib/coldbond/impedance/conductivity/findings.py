"""Recordings and findings of conductivity: ionic, activation energy, electronic."""

from collections.abc import Mapping, Sequence
from math import isfinite

import xarray as xr
from scipy.constants import zero_Celsius

from coldbond import constants
from coldbond.bundle import manifest, paths, raw
from coldbond.bundle.findings import Whose, finding, item, whose
from coldbond.impedance import fit, intervals, sweeps
from coldbond.impedance.conductivity import arrhenius, electronic, ionic
from coldbond.impedance.conductivity.arrhenius import Line
from coldbond.impedance.conductivity.electronic import Steady
from coldbond.impedance.conductivity.ionic import TYPICAL_ENERGY, Ionic
from coldbond.impedance.conductivity.pellet import Shape, product, shape

ROLES = ("conductivity", "arrhenius", "electronic")
ROOM = 25.0  # °C, at which the conductivity on the Arrhenius line is stated: the paper's room temperature
NO_PELLET = "thickness or area of the pellet is not known"


def recordings(samples: Sequence[str]) -> dict[str, dict[str, xr.Dataset]]:
    """Return the recordings of each role that the manifest holds.

    Parameters
    ----------
    samples : sequence of str
        The samples, in the order wanted; empty for all. A sample may lack recordings of some of the roles.

    Returns
    -------
    dict of str to dict of str to xarray.Dataset
        As `raw.recordings` returns them, for "conductivity", "arrhenius" and "electronic"; empty where there are none.

    Raises
    ------
    LookupError
        There is no recording of any of these roles, or none of one of the samples.
    """
    rows = [row for row in manifest.load(paths.RAW).listed if row["role"] in ROLES]
    held = {role: list(dict.fromkeys(row["sample"] for row in rows if row["role"] == role)) for role in ROLES}
    known = list(dict.fromkeys(row["sample"] for row in rows))
    missing = [sample for sample in samples if sample not in known]
    if missing or not rows:
        of = f" for {', '.join(missing)}; it holds {', '.join(known)}" if rows else ""
        raise LookupError(f"{paths.RAW / 'manifest.csv'}: no recording of role {' or '.join(ROLES)}{of}")
    wanted = {role: [sample for sample in samples or known if sample in held[role]] for role in ROLES}
    found: dict[str, dict[str, xr.Dataset]] = {role: {} for role in ROLES}
    for role in filter(wanted.get, ROLES):
        of_role = raw.recordings(role, wanted[role])
        found[role] = {label: one for label, one in of_role.items() if isinstance(one, xr.Dataset)}
    return found


def labelled(found: Mapping[str, Mapping[str, xr.Dataset]]) -> dict[str, xr.Dataset]:
    """Return all recordings as one mapping, each under its role and its label."""
    return {f"{role}: {label}": one for role, of_role in found.items() for label, one in of_role.items()}


def ionic_findings(
    measured: Mapping[str, Ionic],
    energies: Mapping[str, float],
    thickness_uncertainty: float,
    area_uncertainty: float,
    temperature_uncertainty: float,
) -> list[dict]:
    """Return resistance and ionic conductivity of each pellet.

    Parameters
    ----------
    measured : mapping of str to Ionic
        From `ionic.measure`.
    energies : mapping of str to float
        Activation energies [eV] by sample, where they are known.
    thickness_uncertainty, area_uncertainty, temperature_uncertainty : float
        As for `ionic.conductivity`.
    """
    rows = []
    dimensions = thickness_uncertainty, area_uncertainty
    for one in measured.values():
        own = whose(one.spectrum)
        rows.append(
            finding(
                "total_ionic_resistance",
                one.resistance,
                "ohm",
                **own,
                evidence=_residuals(one),
                threshold=[item("difference of BIC that excludes a circuit", intervals.EXCLUDED)],
                note=_circuits(one),
            )
        )
        energy = energies.get(own["sample"], TYPICAL_ENERGY)
        sigma = ionic.conductivity(one, *dimensions, temperature_uncertainty, energy)
        pellet = shape(one.spectrum, *dimensions)
        if sigma is None or pellet is None:
            rows.append(finding("ionic_conductivity", None, "S/cm", **own, note=NO_PELLET))
            continue
        celsius = constants.optional(one.spectrum, "temperature_C")
        at = f"at {celsius:g} ± {temperature_uncertainty:g} °C" if isfinite(celsius) else "at an unknown temperature"
        at = "; ".join(filter(None, [at, sweeps.name(one.spectrum)]))
        rows.append(finding("ionic_conductivity", sigma, "S/cm", **own, evidence=_geometry(pellet), note=at))
    return rows


def arrhenius_findings(
    fitted: Mapping[str, Mapping[str, Line]],
    measured: Mapping[str, Ionic],
    reported: float,
    thickness_uncertainty: float,
    area_uncertainty: float,
) -> list[dict]:
    """Return the activation energy in both forms, whether the line is straight, and the conductivity at 25 °C on it.

    Parameters
    ----------
    fitted : mapping of str to mapping of str to Line
        From `arrhenius.lines`.
    measured : mapping of str to Ionic
        The spectra of the lines.
    reported : float
        Activation energy [eV] that was reported without its definition.
    thickness_uncertainty, area_uncertainty : float
        As for `pellet.shape`.
    """
    rows = []
    for sample, of_sample in fitted.items():
        celsius = of_sample["conductivity"].kelvin - zero_Celsius
        own = Whose(sample=sample, state=f"{celsius.min():g} to {celsius.max():g} °C")
        own_sweeps = [sweeps.name(one.spectrum) for one in measured.values() if one.spectrum.attrs["sample"] == sample]
        of_several = list(dict.fromkeys(filter(None, own_sweeps)))
        for name, line in of_sample.items():
            agrees = arrhenius.agrees(line.energy, reported)
            note = f"{reported:g} eV {'agrees' if agrees else 'does not agree'} with this definition"
            note = "; ".join([note, *of_several])
            evidence = _points(line)
            rows.append(finding(f"activation_energy_of_{name}", line.energy, "eV", **own, evidence=evidence, note=note))
        line = of_sample["conductivity_times_temperature"]
        if line.bend is not None:
            _, low, high = line.bend.numbers
            change = [item("change of the activation energy from the coldest to the hottest", line.bend, "eV")]
            rows.append(finding("straight_over_inverse_temperature", low <= 0 <= high, **own, evidence=change))
        first = next(one for one in measured.values() if one.spectrum.attrs["sample"] == sample)
        rows.append(_at_room(first, line, thickness_uncertainty, area_uncertainty, sample))
    return rows


def electronic_findings(
    transients: Mapping[str, Steady], thickness_uncertainty: float, area_uncertainty: float
) -> list[dict]:
    """Return steady current and electronic conductivity, and whether it is lower than that of the first sample.

    Parameters
    ----------
    transients : mapping of str to Steady
        From `electronic.steady`, in the order of the samples.
    thickness_uncertainty, area_uncertainty : float
        As for `pellet.shape`.
    """
    rows, found = [], {}
    for label, one in transients.items():
        own, evidence = whose(one.recording), _transient(one)
        rows.append(finding("steady_current", one.current, "A", **own, evidence=evidence, note=one.note))
        sigma = electronic.conductivity(one, thickness_uncertainty, area_uncertainty)
        pellet = shape(one.recording, thickness_uncertainty, area_uncertainty)
        if sigma is None or pellet is None:
            rows.append(finding("electronic_conductivity", None, "S/cm", **own, note=NO_PELLET))
            continue
        found[label] = sigma
        evidence += _geometry(pellet)
        rows.append(finding("electronic_conductivity", sigma, "S/cm", **own, evidence=evidence, note=one.note))
    first, *others = found or [""]
    for label in others:
        ratio = electronic.ratio(found[first], found[label])
        own, name = whose(transients[label].recording), first.replace(", ", "_").replace(" ", "_")
        lower = None
        if ratio.high is not None and ratio.high < 1:
            lower = True
        elif ratio.low is not None and ratio.low > 1:
            lower = False
        note = "two pellets, each with the uncertainty of its dimensions"
        rows += [
            finding(f"electronic_conductivity_over_{name}", ratio, **own, note=note),
            finding(f"electronic_conductivity_below_{name}", lower, **own, evidence=[item("ratio", ratio)], note=note),
        ]
    return rows


def _at_room(one: Ionic, line: Line, thickness_uncertainty: float, area_uncertainty: float, sample: str) -> dict:
    name, labels = "ionic_conductivity_on_the_line", Whose(sample=sample, state=f"{ROOM:g} °C")
    pellet = shape(one.spectrum, thickness_uncertainty, area_uncertainty)
    if pellet is None:
        return finding(name, None, "S/cm", **labels, note=NO_PELLET)
    kelvin = ROOM + zero_Celsius
    sigma = product(line.conductance_at(kelvin), pellet.factor, pellet.uncertainty)
    note = "interpolated" if line.kelvin.min() <= kelvin <= line.kelvin.max() else "extrapolated"
    return finding(name, sigma, "S/cm", **labels, evidence=_geometry(pellet), note=note)


def _geometry(pellet: Shape) -> list[dict]:
    return [
        item("thickness", float(f"{pellet.thickness_cm * 1e4:.6g}"), "µm"),
        item("area", pellet.area_cm2, "cm2"),
        item("relative standard uncertainty of thickness over area", float(f"{100 * pellet.uncertainty:.2g}"), "%"),
    ]


def _residuals(one: Ionic) -> list[dict]:
    typical, largest = fit.misfit(one.best)
    found = [
        item("residuals (rms)", float(f"{typical:.2g}"), "%"),
        item("largest residual", float(f"{largest:.2g}"), "%"),
    ]
    failed = int(one.fails.sum())
    return [*found, item(f"points of {one.fails.size} that fail the Kramers-Kronig test", failed)] if failed else found


def _circuits(one: Ionic) -> str:
    lowest = one.best.bic
    others = [name for name, result in one.results.items() if result.bic - lowest < intervals.EXCLUDED][1:]
    chosen = f"{one.best.circuit} by BIC" + (f", {' and '.join(others)} not excluded" if others else "")
    return "; ".join(filter(None, [chosen, sweeps.name(one.spectrum)]))


def _points(line: Line) -> list[dict]:
    found = [item("temperatures", line.kelvin.size)]
    if line.left_out:
        found.append(item("temperatures left out, without a resistance", line.left_out))
    return found if line.scatter != line.scatter else [*found, item("reduced chi square", float(f"{line.scatter:.2g}"))]


def _transient(one: Steady) -> list[dict]:
    found = [item("slowest relaxation considered", float(f"{one.slowest / 3600:.2g}"), "h")]
    if isfinite(one.excess):
        found.insert(0, item("excess of the last current over the steady one", float(f"{100 * one.excess:.2g}"), "%"))
    return found
