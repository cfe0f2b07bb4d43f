"""Recordings and findings of conductivity: ionic, activation energy, electronic."""

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np
import pandas as pd
import xarray as xr
from scipy.constants import zero_Celsius

from coldbond import constants
from coldbond.bundle import manifest, paths, raw
from coldbond.bundle.findings import Whose, finding, item, whose
from coldbond.bundle.raw import Reason, Recordings
from coldbond.impedance import fit, intervals, sweeps
from coldbond.impedance.conductivity import arrhenius, electronic, ionic
from coldbond.impedance.conductivity.arrhenius import Line
from coldbond.impedance.conductivity.electronic import Steady
from coldbond.impedance.conductivity.ionic import TYPICAL_ENERGY, Ionic
from coldbond.impedance.conductivity.pellet import Shape, product, shape
from coldbond.impedance.findings import quality_findings, spectrum_table, untested
from coldbond.impedance.resistance import cell_of

ROLES = ("conductivity", "arrhenius", "electronic")
ROOM = 25.0  # °C, at which the conductivity on the Arrhenius line is stated: the paper's room temperature
NO_PELLET = "thickness or area of the pellet is not known"


def recordings(samples: Sequence[str]) -> dict[str, Recordings]:
    """Return the recordings of each role that the manifest holds.

    Parameters
    ----------
    samples : sequence of str
        The samples, in the order wanted; empty for all. A sample may lack recordings of some of the roles.

    Returns
    -------
    dict of str to Recordings
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
    found = {
        role: raw.recordings(role, wanted[role], optional=True) if wanted[role] else Recordings({}, needed=False)
        for role in ROLES
    }
    labelled(found)
    return found


def labelled(found: Mapping[str, Recordings]) -> Recordings:
    """Return all recordings as one mapping, each under its role and its label.

    Raises
    ------
    NoRecordings
        All of them are left out.
    """
    held: dict[str, xr.Dataset] = {}
    left_out: dict[str, Reason] = {}
    for role, of_role in found.items():
        held |= {f"{role}: {label}": one for label, one in of_role.items()}
        left_out |= {f"{role}: {label}": why for label, why in of_role.left_out.items()}
    every = Recordings(held, left_out)
    every.require()
    return every


def tables(spectra: Mapping[str, Ionic], heated: Mapping[str, Ionic], fitted: Mapping) -> dict[str, pd.DataFrame]:
    """Return what a journal asks for beside the figure: spectra with their fits, and the points of the lines.

    Parameters
    ----------
    spectra, heated : mapping of str to Ionic
        Those at room temperature and those at several temperatures.
    fitted : mapping of str to mapping of str to Line
        From `arrhenius.lines`.
    """
    of_spectra = [spectrum_table(one.spectrum, one.best, one.test) for one in (*spectra.values(), *heated.values())]
    points = []
    for one in heated.values():
        attrs, (value, low, high) = one.spectrum.attrs, one.resistance
        points.append(
            {key: attrs.get(key, "") for key in ("sample", "state", "replicate")}
            | {"temperature / °C": constants.optional(one.spectrum, "temperature_C")}
            | {"resistance / ohm": value, "resistance, low / ohm": low, "resistance, high / ohm": high}
        )
    lines = [
        pd.DataFrame(
            {
                "pellet": pellet,
                "1000 K / T": 1e3 / line.kelvin,
                "conductance times T / S K": line.conductance * line.kelvin,
                "standard deviation of its logarithm": line.deviation,
                "line / S K": np.exp(line.logarithm(line.kelvin)[0]),
                "thickness over area / 1/cm": line.factor,
            }
        )
        for pellet, forms in fitted.items()
        for line in [forms["conductivity_times_temperature"]]
    ]
    found = {"spectra": of_spectra, "resistances": [pd.DataFrame(points)], "arrhenius": lines}
    return {name: pd.concat(frames, ignore_index=True) for name, frames in found.items() if sum(map(len, frames))}


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
        Activation energies [eV] by pellet, where they are known; a pellet without one takes that of its sample.
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
        rows += quality_findings(one.test, one.best, own)
        attrs = one.spectrum.attrs
        energy = energies.get(cell_of(attrs), energies.get(attrs["sample"], TYPICAL_ENERGY))
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
    for pellet, spectra in arrhenius.by_cell(measured).items():
        labels = whose(spectra[0].spectrum)
        sample, of_line = labels["sample"], fitted.get(pellet)
        # The same range for all pellets of a sample, so that they are one condition.
        of_sample = [
            fitted[cell]["conductivity"].kelvin
            for cell, others in arrhenius.by_cell(measured).items()
            if cell in fitted and others[0].spectrum.attrs["sample"] == sample
        ]
        if of_line is None:
            few = f"cannot be told: {_counted(spectra)}, 2 are needed"
            rows += [
                finding(f"activation_energy_of_{name}", None, "eV", **labels, note=few) for name in arrhenius.FORMS
            ]
            continue
        celsius = np.concatenate(of_sample) - zero_Celsius
        own = Whose(**labels | {"state": f"{celsius.min():g} to {celsius.max():g} °C"})
        of_several = list(dict.fromkeys(filter(None, (sweeps.name(one.spectrum) for one in spectra))))
        for name, line in of_line.items():
            agrees = arrhenius.agrees(line.energy, reported)
            note = f"{reported:g} eV {'agrees' if agrees else 'does not agree'} with this definition"
            note = "; ".join([note, *of_several])
            evidence = _points(line)
            rows.append(finding(f"activation_energy_of_{name}", line.energy, "eV", **own, evidence=evidence, note=note))
        line = of_line["conductivity_times_temperature"]
        if line.bend is not None:
            _, low, high = line.bend.numbers
            change = [item("change of the activation energy from the coldest to the hottest", line.bend, "eV")]
            rows.append(finding("straight_over_inverse_temperature", low <= 0 <= high, **own, evidence=change))
        at_room = Whose(**labels | {"state": f"{ROOM:g} °C"})
        rows.append(_at_room(spectra[0], line, thickness_uncertainty, area_uncertainty, at_room))
    return rows


def _counted(spectra: Sequence[Ionic]) -> str:
    """Of how many temperatures there is a resistance: "1 temperature"."""
    known = arrhenius.temperatures(spectra)
    unknown = sum(not isfinite(constants.optional(one.spectrum, "temperature_C")) for one in spectra)
    counted = f"{known} temperature{'' if known == 1 else 's'} with a resistance that has an interval"
    return counted + (f" ({unknown} of {len(spectra)} spectra lack temperature_C in manifest.csv)" if unknown else "")


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
    if first and transients[first].recording.attrs.get("replicate"):
        return rows  # the mean of several pellets is the reference: `conditions.findings`
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


def _at_room(one: Ionic, line: Line, thickness_uncertainty: float, area_uncertainty: float, labels: Whose) -> dict:
    name = "ionic_conductivity_on_the_line"
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
    not_tested = untested(one.test, one.spectrum.sizes)
    return "; ".join(filter(None, [chosen, sweeps.name(one.spectrum), not_tested]))


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
