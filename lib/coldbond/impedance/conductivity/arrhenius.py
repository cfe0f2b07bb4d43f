"""Activation energy of a conductivity from resistances at several temperatures."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
from scipy import stats
from scipy.constants import e, k

from coldbond.bundle.findings import finding
from coldbond.impedance.conductivity.ionic import Ionic
from coldbond.impedance.conductivity.pellet import NORMAL, kelvin, product, shape
from coldbond.impedance.intervals import Interval

ROOM = 298.15  # K
#: What is drawn as a straight line over 1/T, and the power of T in it.
FORMS = {"conductivity_times_temperature": 1, "conductivity": 0}


@dataclass(frozen=True)
class Line:
    """The line ln(G T^m) = a - E / kT of a conductance G, fitted.

    Attributes
    ----------
    power : int
        m: 1 by Nernst and Einstein's relation, 0 in the simpler form.
    kelvin, conductance : array, shape (n,)
        In K and S.
    deviation : array, shape (n,)
        Standard deviation of each point from the line, as a logarithm: that of the resistance and of the thermostat.
    coefficients : array, shape (2,)
        a and E [eV], a at `centre`.
    covariance : array, shape (2, 2)
    widening : float
        By which 95 % intervals are wider than a standard deviation.
    centre : float
        1 / kT [1/eV] about which the line is fitted.
    scatter : float
        chi square over degrees of freedom; NaN for two points.
    bend : Interval or None
        By how much [eV] the activation energy changes from the coldest to the hottest; None for fewer than four points.
    left_out : int
        Points without an interval, which have no weight.
    factor : float
        Thickness over area of the pellet, 1/cm; NaN where they are not known.
    """

    power: int
    kelvin: np.ndarray
    conductance: np.ndarray
    deviation: np.ndarray
    coefficients: np.ndarray
    covariance: np.ndarray
    widening: float
    centre: float
    scatter: float
    bend: Interval | None
    left_out: int
    factor: float = np.nan

    @property
    def energy(self) -> Interval:
        """Activation energy, eV."""
        half = self.widening * float(self.covariance[1, 1]) ** 0.5
        value = float(self.coefficients[1])
        return Interval(value, value - half, value + half)

    def logarithm(self, temperature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ln(G T^m) on the line at temperatures [K], and the half width of its 95 % interval."""
        design = np.stack([np.ones_like(temperature), self.centre - inverse_energy(temperature)], axis=-1)
        variance = np.einsum("...i,ij,...j", design, self.covariance, design)
        return design @ self.coefficients, self.widening * np.sqrt(variance)

    def conductance_at(self, temperature: float) -> Interval:
        """Return the conductance [S] of the line at one temperature [K]."""
        logarithm, half = self.logarithm(np.float64(temperature))
        value = float(np.exp(logarithm)) / temperature**self.power
        return Interval(value, value * float(np.exp(-half)), value * float(np.exp(half)))


def inverse_energy(temperature: np.ndarray) -> np.ndarray:
    """Return 1 / kT in 1/eV."""
    return e / (k * np.asarray(temperature, float))


def line(temperature: np.ndarray, resistances: list[Interval], temperature_uncertainty: float, power: int) -> Line:
    """Fit a straight line to the logarithm of a conductance over 1 / kT.

    Parameters
    ----------
    temperature : array, shape (n,)
        As the thermostat shows, K.
    resistances : list of Interval
        In ohm, with their 95 % intervals. One without a bound has no weight and is left out.
    temperature_uncertainty : float
        Standard uncertainty of each temperature, K, one independent of the other.
    power : int
        Of the temperature that multiplies the conductance.

    Raises
    ------
    ValueError
        Fewer than two different temperatures have a resistance.

    Notes
    -----
    An error of the temperature moves a point along the line, which adds to its variance what it means in height
    (effective variance; Orear 1982, doi 10.1119/1.12972). The pellet's dimensions are common to all points and do not
    enter the slope. Where the points scatter more than their uncertainties say, the interval follows their scatter and
    Student's t (Birge 1932, doi 10.1103/PhysRev.40.207), and else the uncertainties.
    """
    bounded = np.array([r.low is not None and r.high is not None for r in resistances], bool)
    temperature = np.asarray(temperature, float)[bounded]
    if np.unique(temperature).size < 2:
        raise ValueError("fewer than two temperatures have a resistance with an interval")
    value, low, high = (np.array([r[i] for r in resistances if None not in r]) for i in range(3))
    own = np.log(high / low) / 2 / NORMAL
    x, y = inverse_energy(temperature), np.log(temperature**power / value)
    centre = float(np.average(x))
    energy = 0.0
    for _ in range(4):  # the slope decides how much an error of the temperature is in height
        steepness = energy - power * k / e * temperature  # of ln G, whichever is fitted
        deviation = np.hypot(own, np.abs(steepness) * x / temperature * temperature_uncertainty)
        straight, covariance = _fitted(centre - x, y, deviation, 1)
        energy = straight[1]
    chi = (y - np.polynomial.polynomial.polyval(centre - x, straight)) / deviation
    freedom = x.size - 2
    scatter = float(chi @ chi) / freedom if freedom else np.nan
    bend = None
    if x.size > 3:
        curved, of_curved = _fitted(centre - x, y, deviation, 2)
        chi = (y - np.polynomial.polynomial.polyval(centre - x, curved)) / deviation
        half = _widening(float(chi @ chi) / (freedom - 1), freedom - 1) * of_curved[2, 2] ** 0.5
        bend = Interval(*(float(2 * np.ptp(x) * (curved[2] + sign * half)) for sign in (0, -1, 1)))
    return Line(
        power,
        temperature,
        1 / value,
        deviation,
        straight,
        covariance,
        _widening(scatter, freedom),
        centre,
        scatter,
        bend,
        int(np.sum(~bounded)),
    )


def lines(measured: Mapping[str, Ionic], temperature_uncertainty: float) -> dict[str, dict[str, Line]]:
    """Return the lines of each sample, in both forms.

    Parameters
    ----------
    measured : mapping of str to Ionic
        Spectra at several temperatures, of one or more samples.
    temperature_uncertainty : float
        As for `line`.

    Returns
    -------
    dict of str to dict of str to Line
        By sample, then by the names in `FORMS`. A sample with fewer than two temperatures is not among them.
    """
    fitted = {}
    for sample in dict.fromkeys(one.spectrum.attrs["sample"] for one in measured.values()):
        own = [one for one in measured.values() if one.spectrum.attrs["sample"] == sample]
        own = [one for one in own if isfinite(kelvin(one.spectrum))]
        temperature = np.array([kelvin(one.spectrum) for one in own])
        if np.unique(temperature).size > 1:
            resistances = [one.resistance for one in own]
            attrs = own[0].spectrum.attrs
            fitted[sample] = {
                name: replace(
                    line(temperature, resistances, temperature_uncertainty, power),
                    factor=attrs["thickness_cm"] / attrs["area_cm2"],
                )
                for name, power in FORMS.items()
            }
    return fitted


def energies(fitted: Mapping[str, Mapping[str, Line]]) -> dict[str, float]:
    """Return the activation energy [eV] of the conductivity itself, by sample."""
    return {sample: of_sample["conductivity"].energy.value for sample, of_sample in fitted.items()}


def findings(
    measured: Mapping[str, Ionic],
    fitted: Mapping[str, Mapping[str, Line]],
    reported: float,
    thickness_uncertainty: float,
    area_uncertainty: float,
) -> list[dict]:
    """Return the activation energy in both forms, whether the line is straight, and the conductivity at 25 C on it.

    Parameters
    ----------
    measured : mapping of str to Ionic
    fitted : mapping of str to mapping of str to Line
        From `lines`.
    reported : float
        Activation energy [eV] that was reported without saying of what.
    thickness_uncertainty, area_uncertainty : float
        As for `pellet.shape`.
    """
    rows = []
    for sample, of_sample in fitted.items():
        own = [one for one in measured.values() if one.spectrum.attrs["sample"] == sample]
        celsius = of_sample["conductivity"].kelvin - 273.15
        whose = dict(sample=sample, state=f"{celsius.min():g} to {celsius.max():g} °C")
        for name, fit in of_sample.items():
            within = _agrees(fit.energy, reported)
            note = f"{reported:g} eV {'agrees' if within else 'does not agree'} with this definition; {_points(fit)}"
            rows.append(finding(f"activation_energy_of_{name}", *fit.energy, "eV", **whose, note=note))
        fit = of_sample["conductivity_times_temperature"]
        if fit.bend:
            straight = fit.bend.low <= 0 <= fit.bend.high
            note = f"activation energy changes by {_text(fit.bend)} eV from the coldest to the hottest"
            rows.append(finding("straight_over_inverse_temperature", straight, **whose, note=note))
        rows.append(_at_room(own[0], fit, thickness_uncertainty, area_uncertainty, sample))
    return rows


def _at_room(one: Ionic, fit: Line, thickness_uncertainty: float, area_uncertainty: float, sample: str) -> dict:
    whose = shape(one.spectrum, thickness_uncertainty, area_uncertainty)
    name, labels = "ionic_conductivity_on_the_line", dict(sample=sample, state="25 °C")
    if whose is None:
        note = "the manifest lacks thickness or area of the pellet"
        return finding(name, None, unit="S/cm", **labels, note=note)
    found = product(fit.conductance_at(ROOM), whose.factor, whose.uncertainty)
    inside = fit.kelvin.min() <= ROOM <= fit.kelvin.max()
    note = f"{'interpolated' if inside else 'extrapolated'}; pellet {whose.text}"
    return finding(name, *found, "S/cm", **labels, note=note)


def _fitted(x: np.ndarray, y: np.ndarray, deviation: np.ndarray, degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of a weighted polynomial, lowest power first, and their covariance."""
    design = np.vander(x, degree + 1, increasing=True) / deviation[:, None]
    covariance = np.linalg.inv(design.T @ design)
    return covariance @ design.T @ (y / deviation), covariance


def _widening(scatter: float, freedom: int) -> float:
    return max(NORMAL, float(stats.t.ppf(0.975, freedom) * scatter**0.5)) if freedom else NORMAL


def _agrees(energy: Interval, reported: float) -> bool:
    """Whether the interval, widened by the rounding of what was reported, holds it."""
    rounding = 0.5 * 10 ** -len(f"{reported}".partition(".")[2])
    return energy.low - rounding <= reported <= energy.high + rounding


def _points(fit: Line) -> str:
    more = f", {fit.left_out} without a resistance left out" if fit.left_out else ""
    chi = "" if np.isnan(fit.scatter) else f", chi square {fit.scatter:.2g} a degree of freedom"
    return f"{fit.kelvin.size} temperatures{more}{chi}"


def _text(interval: Interval) -> str:
    value, low, high = (f"{round(number, 3) + 0.0:.3f}".replace("-", "−") for number in interval)
    return f"{value} ({low} to {high})"
