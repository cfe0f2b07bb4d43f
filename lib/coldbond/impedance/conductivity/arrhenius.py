"""Activation energy of a conductivity from resistances at several temperatures.

The logarithm of the conductance, or of conductance times temperature, is fitted by a weighted straight line over 1/kT.
The two forms give energies that differ by kT: by the Nernst-Einstein relation sigma T is activated, while sigma alone
is often reported. An uncertainty of the temperature is converted to one of the conductance by the slope (effective
variance; Orear 1982, doi 10.1119/1.12972). Points that lie on no straight line have no activation energy: the branches
before and after a kink or a jump have one each.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
from scipy.constants import e, k

from coldbond.impedance.conductivity.ionic import Ionic
from coldbond.impedance.conductivity.pellet import Shape, inverse, kelvin, product, shape
from coldbond.impedance.conductivity.straightness import Shape as Straightness
from coldbond.impedance.conductivity.straightness import shape as shape_of
from coldbond.impedance.resistance import cell_of
from coldbond.interval import NORMAL, Interval, student

#: Least standard deviation of a resistance, as a logarithm: no measured resistance is known as well as that.
LEAST_DEVIATION = 1e-7
#: Distance [K] from the points of a branch up to which its line holds.
NEAR = 1.0
#: Quantity that is linear over 1/T, and the power of T in it.
FORMS = {"conductivity_times_temperature": 1, "conductivity": 0}


@dataclass(frozen=True)
class Line:
    """The line ln(G T^m) = a - E / kT of a conductance G, fitted.

    Attributes
    ----------
    power : int
        m: 1 by the Nernst-Einstein relation, 0 for the conductivity alone.
    kelvin, conductance : array, shape (n,)
        In K and S.
    deviation : array, shape (n,)
        Standard deviation of each point from the line, as a logarithm: that of the resistance and of the thermostat.
    coefficients : array, shape (2,)
        a and E [eV], a at `centre`.
    covariance : array, shape (2, 2)
    widening : float
        Half width of the 95 % interval in standard deviations.
    centre : float
        1 / kT [1/eV] about which the line is fitted.
    scatter : float
        chi square over degrees of freedom; NaN for two points.
    bend : Interval or None
        By how much [eV] the activation energy changes from the coldest to the hottest; None for fewer than four points
        or three temperatures.
    left_out : int
        Points without an interval, which have no weight.
    shape : straightness.Shape
        Whether the points lie on the line.
    thermal : float
        Share of the thermostat in the variances of the points.
    branches : tuple of Line
        The colder and the hotter points of a kink or a jump, each with a line of its own; else empty.
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
    shape: Straightness
    thermal: float
    branches: "tuple[Line, ...]" = ()
    factor: float = np.nan

    @property
    def energies(self) -> tuple[float, float]:
        """Activation energies [eV] of the coldest and of the hottest points, by the parabola."""
        change = 0.0 if self.bend is None else self.bend.numbers[0]
        ends = inverse_energy(np.array([self.kelvin.min(), self.kelvin.max()])) - self.centre
        cold, hot = (float(self.coefficients[1] - change * end / (ends[0] - ends[1])) for end in ends)
        return cold, hot

    @property
    def energy(self) -> Interval:
        """Activation energy, eV."""
        return Interval.symmetric(float(self.coefficients[1]), self.widening * float(self.covariance[1, 1]) ** 0.5)

    def at(self, temperature: float) -> "Line | None":
        """Return the line that holds at a temperature [K]: a branch within its range; None if no straight line does."""
        if self.shape.is_straight is not False:
            return self
        near = [one for one in self.branches if one.kelvin.min() - NEAR <= temperature <= one.kelvin.max() + NEAR]
        return near[0] if len(near) == 1 else None

    def logarithm(self, temperature: np.ndarray | np.float64) -> tuple[np.ndarray, np.ndarray]:
        """Return ln(G T^m) on the line at temperatures [K], and the half width of its 95 % interval."""
        design = np.stack([np.ones_like(temperature), self.centre - inverse_energy(temperature)], axis=-1)
        variance = np.einsum("...i,ij,...j", design, self.covariance, design)
        return design @ self.coefficients, self.widening * np.sqrt(variance)

    def conductance_at(self, temperature: float) -> Interval:
        """Return the conductance [S] of the line at one temperature [K]."""
        logarithm, half = self.logarithm(np.float64(temperature))
        value = float(np.exp(logarithm)) / temperature**self.power
        return Interval(value, value * float(np.exp(-half)), value * float(np.exp(half)))


def inverse_energy(temperature: np.ndarray | np.float64) -> np.ndarray:
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
    The dimensions of the pellet are common to all points and do not enter the slope. Where the points scatter more than
    their uncertainties allow, the interval follows from the scatter with Student's t (Birge 1932, doi
    10.1103/PhysRev.40.207), otherwise from the uncertainties.
    """
    bounded = np.array([one.is_bounded for one in resistances], bool)
    temperature = np.asarray(temperature, float)[bounded]
    if np.unique(temperature).size < 2:
        raise ValueError("fewer than two temperatures have a resistance with an interval")
    values = np.array([one.numbers for one in resistances if one.is_bounded])
    order = np.argsort(temperature, kind="stable")
    whole = replace(
        _line(temperature[order], values[order], temperature_uncertainty, power), left_out=int(np.sum(~bounded))
    )
    if whole.shape.kind not in ("kink", "jump"):
        return whole
    parts = slice(whole.shape.first), slice(whole.shape.first, None)
    branches = (_line(temperature[order][of], values[order][of], temperature_uncertainty, power) for of in parts)
    return replace(whole, branches=tuple(branches))


def _line(temperature: np.ndarray, resistances: np.ndarray, temperature_uncertainty: float, power: int) -> Line:
    """The line of rising temperatures [K] and resistances, shape (n, 3): value and bounds, ohm."""
    value, low, high = resistances.T
    own = np.maximum(np.log(high / low) / 2 / NORMAL, LEAST_DEVIATION)
    x, y = inverse_energy(temperature), np.log(temperature**power / value)
    centre = float(np.average(x))
    energy = 0.0
    for _ in range(4):  # the weights depend on the slope, which hardly changes after the second round
        steepness = energy - power * k / e * temperature  # of ln G, whichever is fitted
        deviation = np.hypot(own, np.abs(steepness) * x / temperature * temperature_uncertainty)
        straight, covariance = _fitted(centre - x, y, deviation, 1)
        energy = straight[1]
    chi = (y - np.polynomial.polynomial.polyval(centre - x, straight)) / deviation
    freedom = x.size - 2
    scatter = float(chi @ chi) / freedom if freedom else np.nan
    bend = None
    if x.size > 3 and np.unique(temperature).size > 2:
        curved, of_curved = _fitted(centre - x, y, deviation, 2)
        chi = (y - np.polynomial.polynomial.polyval(centre - x, curved)) / deviation
        half = _widening(float(chi @ chi) / (freedom - 1), freedom - 1) * of_curved[2, 2] ** 0.5
        # The derivative of the parabola changes by 2 c2 over the range of 1/kT.
        bend = Interval.symmetric(float(curved[2]), float(half)).scaled(float(2 * np.ptp(x)))
    return Line(
        power=power,
        kelvin=temperature,
        conductance=1 / value,
        deviation=deviation,
        coefficients=straight,
        covariance=covariance,
        widening=_widening(scatter, freedom),
        centre=centre,
        scatter=scatter,
        bend=bend,
        left_out=0,
        shape=shape_of(centre - x, y, deviation),
        thermal=float(1 - np.sum(own**2) / np.sum(deviation**2)),
    )


def lines(measured: Mapping[str, Ionic], temperature_uncertainty: float) -> dict[str, dict[str, Line]]:
    """Return the lines of each pellet, in both forms.

    Parameters
    ----------
    measured : mapping of str to Ionic
        Spectra at several temperatures, of one or more pellets.
    temperature_uncertainty : float
        As for `line`.

    Returns
    -------
    dict of str to dict of str to Line
        By pellet, which is a sample or one of its replicates (`cell_of`), then by the names in `FORMS`. A pellet with
        resistances at fewer than two temperatures is not among them.
    """
    fitted = {}
    for of_pellet, spectra in by_cell(measured).items():
        own = [one for one in spectra if isfinite(kelvin(one.spectrum))]
        temperature = np.array([kelvin(one.spectrum) for one in own])
        if temperatures(own) > 1:
            resistances = [one.resistance for one in own]
            pellet = shape(own[0].spectrum, 0.0, 0.0)
            fitted[of_pellet] = {
                name: _of_pellet(line(temperature, resistances, temperature_uncertainty, power), pellet)
                for name, power in FORMS.items()
            }
    return fitted


def _of_pellet(found: Line, pellet: Shape | None) -> Line:
    factor = np.nan if pellet is None else pellet.factor
    return replace(found, factor=factor, branches=tuple(replace(one, factor=factor) for one in found.branches))


def by_cell(measured: Mapping[str, Ionic]) -> dict[str, list[Ionic]]:
    """Return the spectra of each pellet."""
    found: dict[str, list[Ionic]] = {}
    for one in measured.values():
        found.setdefault(cell_of(one.spectrum.attrs), []).append(one)
    return found


def temperatures(spectra: Iterable[Ionic]) -> int:
    """Return at how many different temperatures there is a resistance with an interval."""
    known = {kelvin(one.spectrum) for one in spectra if one.resistance.is_bounded}
    return sum(map(isfinite, known))


def ratio(resistance: Interval, line: Line, temperature: float, temperature_uncertainty: float) -> Interval:
    """Return the conductance of another measurement at a temperature [K] over that on the line.

    The interval has the uncertainties of its resistance, of its temperature, and of the line, which are independent.
    """
    on_line = line.conductance_at(temperature)
    of_line = np.log(on_line.numbers[2] / on_line.numbers[0])
    thermal = line.energy.numbers[0] * e / (k * temperature**2) * temperature_uncertainty
    return product(inverse(resistance), 1 / on_line.numbers[0], float(np.hypot(of_line / NORMAL, thermal)))


def energies(fitted: Mapping[str, Mapping[str, Line]]) -> dict[str, float]:
    """Return the activation energy [eV] of the conductivity alone, by pellet."""
    return {of_pellet: forms["conductivity"].energy.numbers[0] for of_pellet, forms in fitted.items()}


def _fitted(x: np.ndarray, y: np.ndarray, deviation: np.ndarray, degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of a weighted polynomial, lowest power first, and their covariance."""
    design = np.vander(x, degree + 1, increasing=True) / deviation[:, None]
    covariance = np.linalg.inv(design.T @ design)
    return covariance @ design.T @ (y / deviation), covariance


def _widening(scatter: float, freedom: int) -> float:
    return max(NORMAL, student(freedom) * scatter**0.5) if freedom else NORMAL


def agrees(energy: Interval, reported: float) -> bool:
    """Return whether the interval of an energy, widened by the rounding of the reported one, contains it."""
    _, low, high = energy.numbers
    rounding = 0.5 * 10 ** -len(f"{reported}".partition(".")[2])
    return low - rounding <= reported <= high + rounding
