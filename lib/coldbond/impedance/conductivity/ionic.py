"""Ionic conductivity of a pellet between ion-blocking electrodes: its total resistance, and equation 3 of the paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy.constants import e, k

from coldbond.bundle.findings import finding
from coldbond.impedance import fit, intervals, kramers_kronig
from coldbond.impedance.conductivity.pellet import inverse, kelvin, product, shape
from coldbond.impedance.intervals import Interval

#: Activation energy [eV] where none was measured, for the thermostat's part in the uncertainty alone; those of garnets
#: are a little smaller (Murugan, Thangadurai and Weppner 2007, doi 10.1002/anie.200701144).
TYPICAL = 0.4


@dataclass(frozen=True)
class Ionic:
    """A blocking-electrode spectrum, taken apart.

    Attributes
    ----------
    spectrum : xarray.Dataset
    fails : array of bool, shape (n,)
        Which points fail the test of Kramers and Kronig; they are fitted nevertheless.
    results : dict of str to lmfit.minimizer.MinimizerResult
        By circuit, that of the lowest Bayesian information criterion first; larger ones than that are left out.
    resistance : Interval
        Of the pellet, bulk and grain boundaries together, ohm.
    """

    spectrum: xr.Dataset
    fails: np.ndarray
    results: dict[str, MinimizerResult]
    resistance: Interval

    @property
    def best(self) -> MinimizerResult:
        """The fit that is drawn."""
        return next(iter(self.results.values()))


def measure(spectrum: xr.Dataset, circuits: Sequence[str], boundary: float, model_uncertainty: float) -> Ionic:
    """Find the resistance of a pellet between blocking electrodes.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz].
    circuits : sequence of str
        Those that may describe it, the smaller ones parts of the larger; that choice is part of the interval.
    boundary : float
        Time constant [s] from which on an arc belongs to the electrodes.
    model_uncertainty : float
        Standard uncertainty by a drift in the course of the sweep, as a share of the resistance.
    """
    results = fit.candidates(spectrum, circuits)
    most = len(next(iter(results.values())).params)
    # A circuit that is larger than the best holds it, with an arc more that noise alone determines.
    results = {circuit: result for circuit, result in results.items() if len(result.params) <= most}
    fails = kramers_kronig.test(spectrum).fails.to_numpy()
    return Ionic(spectrum, fails, results, intervals.of_part(results, "electrolyte", boundary, model_uncertainty))


def conductivity(
    measured: Ionic,
    thickness_uncertainty: float,
    area_uncertainty: float,
    temperature_uncertainty: float,
    energy: float,
) -> Interval | None:
    """Return the ionic conductivity L / (R S) at the temperature that the manifest states.

    Parameters
    ----------
    measured : Ionic
        From `measure`.
    thickness_uncertainty, area_uncertainty : float
        As for `pellet.shape`.
    temperature_uncertainty : float
        Standard uncertainty of the temperature, K.
    energy : float
        Activation energy [eV], by which that enters.

    Returns
    -------
    Interval or None
        In S/cm; None where the manifest lacks thickness or area.
    """
    whose = shape(measured.spectrum, thickness_uncertainty, area_uncertainty)
    if whose is None:
        return None
    temperature = kelvin(measured.spectrum)
    thermal = energy * e / (k * temperature**2) * temperature_uncertainty if isfinite(temperature) else 0.0
    return product(inverse(measured.resistance), whose.factor, (whose.uncertainty**2 + thermal**2) ** 0.5)


def findings(
    measured: Mapping[str, Ionic],
    energies: Mapping[str, float],
    thickness_uncertainty: float,
    area_uncertainty: float,
    temperature_uncertainty: float,
) -> list[dict]:
    """Return resistance and conductivity of each pellet.

    Parameters
    ----------
    measured : mapping of str to Ionic
        From `measure`.
    energies : mapping of str to float
        Activation energies [eV] by sample, where they are known.
    thickness_uncertainty, area_uncertainty, temperature_uncertainty : float
        As for `conductivity`.
    """
    rows = []
    for one in measured.values():
        attrs = one.spectrum.attrs
        whose = dict(sample=attrs["sample"], state=attrs["state"])
        rows.append(finding("total_ionic_resistance", *one.resistance, "ohm", **whose, note=_evidence(one)))
        found = conductivity(
            one,
            thickness_uncertainty,
            area_uncertainty,
            temperature_uncertainty,
            energies.get(attrs["sample"], TYPICAL),
        )
        if found is None:
            note = "the manifest lacks thickness or area of the pellet"
            rows.append(finding("ionic_conductivity", None, unit="S/cm", **whose, note=note))
            continue
        dimensions = shape(one.spectrum, thickness_uncertainty, area_uncertainty).text
        known = isfinite(attrs["temperature_C"])
        at = f"{attrs['temperature_C']:g} ± {temperature_uncertainty:g} °C" if known else "an unknown temperature"
        note = f"at {at}; pellet {dimensions}"
        rows.append(finding("ionic_conductivity", *found, "S/cm", **whose, note=note))
    return rows


def _evidence(one: Ionic) -> str:
    lowest = one.best.bic
    others = [name for name, result in one.results.items() if result.bic - lowest < intervals.EXCLUDED][1:]
    typical, largest = fit.misfit(one.best)
    texts = [
        f"{one.best.circuit} by BIC" + (f", {' and '.join(others)} not excluded" if others else ""),
        f"residuals {typical:.2f} % of the modulus, at most {largest:.1f} %",
        f"{one.fails.sum()} of {one.fails.size} points fail the test of Kramers and Kronig",
    ]
    return "; ".join(texts if one.fails.any() else texts[:2])
