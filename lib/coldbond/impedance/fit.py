"""Equivalent circuits fitted to a spectrum by complex nonlinear least squares.

Start values come from the spectrum itself (`starts`), and the best of several minima is polished by lmfit, whose result
is returned. Real and imaginary parts are fitted together, weighted by the modulus unless their uncertainties are known
(Boukamp 1986, doi 10.1016/0167-2738(86)90031-7). Several circuits are compared by the Bayesian information criterion.
Resistances of parts of a cell are sums over the arcs on one side of a time constant.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import lmfit
import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.impedance import circuits, problem, starts
from coldbond.impedance.problem import FLOOR, Problem

#: Exponents above this are fixed at 1, a capacitor's: the fit would approach that bound without end.
IDEAL_EXPONENT = 0.995
#: Relative changes of chi square and of the parameters at which lmfit's fit has converged; its most evaluations.
TOLERANCE, MOST_EVALUATIONS = 1e-6, 200
#: Least parameter by which a derivative is divided, as a share of its value at the start.
LEAST_SHARE_OF_START = 1e-12
#: Power with which an arc changes sides at the boundary between two parts of a cell. At 4 an arc counts for 94 % to
#: its side when its time constant is twice the boundary or half of it, and the resistance stays smooth for the fit.
BOUNDARY_POWER = 4


def fitted(
    spectrum: xr.Dataset, circuit: str, weighting: str = "modulus", smaller: MinimizerResult | None = None
) -> MinimizerResult:
    """Fit a circuit to a spectrum.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz], as `coldbond.read` gives it.
    circuit : str
        Elements in series, such as "L-R-RQ-RQ"; see `circuits.ELEMENTS`.
    weighting : {"modulus", "unit", "measured"}
        Standard deviations proportional to the modulus (their size then follows from the residuals), all equal, or
        those of the variable `impedance_std` [ohm].
    smaller : lmfit.minimizer.MinimizerResult, optional
        The fit of the circuit without the last arc of this one, if it is known already. With a small arc added it
        gives further starts. (Of a hundred random cells of three arcs sixteen were missed without such starts, none
        with them.)

    Returns
    -------
    lmfit.minimizer.MinimizerResult
        With the additional attributes `circuit`, `frequency`, `impedance`, `weights` and `model` [ohm]. The residuals
        are the weighted real parts followed by the weighted imaginary parts. Arcs are in the order of their time
        constants. Its standard errors hold for small, independent errors; intervals are those of `intervals`.

    Raises
    ------
    ValueError
        The weighting or an element is unknown, or the spectrum has too few points for the circuit.
    """
    frequency, impedance = spectrum.frequency.to_numpy(), spectrum.impedance.to_numpy()
    of = Problem(circuit, frequency, impedance, problem.weights(spectrum, weighting))
    if not _has_enough_points(frequency.size, circuit):
        raise ValueError(
            f"{frequency.size} points are too few for the {len(of.names)} parameters of {circuit}: record more points, "
            "or fit a smaller circuit"
        )
    if smaller is None and circuit.split("-").count("RQ") > 1:
        smaller = fitted(spectrum, starts.without_last_arc(circuit), weighting)
    minima = starts.best_minima(of, (smaller.circuit, smaller.params.valuesdict()) if smaller is not None else None)
    best = of.values(_lowest(minima))
    # A parameter that has gone beyond the floor or its inverse has no slope there; `coordinates` puts it back to the
    # bound, from where it may return.
    minima.append(of.minimum(of.coordinates(best)))
    return _polished(of, _in_order(circuit, of.values(_lowest(minima))))


def candidates(spectrum: xr.Dataset, of: Sequence[str], weighting: str = "modulus") -> dict[str, MinimizerResult]:
    """Fit several circuits and return the results, that of the lowest Bayesian information criterion first.

    The criterion (Schwarz 1978, doi 10.1214/aos/1176344136) is lmfit's `bic` of all real and imaginary parts. It counts
    autocorrelated residuals as independent and then favours the larger circuits; the intervals correct for that.

    A circuit with too many parameters for the points of the spectrum is not fitted, unless there is no smaller one:
    that is an error.
    """
    results: dict[str, MinimizerResult] = {}
    by_size = sorted(of, key=lambda circuit: len(circuits.elements(circuit)))
    possible = [one for one in by_size if _has_enough_points(spectrum.sizes["frequency"], one)]
    for circuit in possible or by_size[:1]:
        results[circuit] = fitted(spectrum, circuit, weighting, results.get(starts.without_last_arc(circuit)))
    return dict(sorted(results.items(), key=lambda item: item[1].bic))


def _has_enough_points(points: int, circuit: str) -> bool:
    return 2 * points > len(circuits.names(circuit)) + 2


def _lowest(minima: list[tuple[np.ndarray, float]]) -> np.ndarray:
    return min(minima, key=lambda one: one[1])[0]


def resistance(
    circuit: str, values: Mapping[str, float], part: str, boundary: float, slowest: float = np.inf
) -> tuple[float, dict[str, float]]:
    """Return the resistance of a part of the cell, and its derivatives by the logarithms of the parameters.

    Parameters
    ----------
    circuit : str
        Elements in series.
    values : mapping of str to float
        Its parameters.
    part : {"electrolyte", "interface", "total"}
        Resistors and the fast arcs, of the electrolyte's bulk and grain boundaries; the slow arcs, of interfaces and
        electrodes; or all.
    boundary : float
        Time constant [s] between fast and slow arcs. The share of an arc that counts as slow is a steep but smooth
        function of its time constant, 1 / (1 + (boundary / tau)^4), so that the resistance does not jump while the arc
        is fitted.
    slowest : float
        Time constant [s] beyond which arcs do not count, with the same smooth share.

    Returns
    -------
    resistance : float
        In ohm.
    derivatives : dict of str to float
        Of the parameters that it depends on, in ohm.
    """
    whole, derivatives = 0.0, {}
    for kind, own in circuits.elements(circuit):
        if kind != "R" and kind not in circuits.ARCS:
            continue
        resistance = values[own[0]]
        if kind == "R":
            share = float(part != "interface")
        else:
            slow, beyond = slow_share(values[own[1]], boundary), slow_share(values[own[1]], slowest)
            in_part, sign = {"electrolyte": (1 - slow, -1), "interface": (slow, 1), "total": (1.0, 0)}[part]
            share = in_part * (1 - beyond)
            # slow_share has the derivative BOUNDARY_POWER * slow * (1 - slow) by ln tau.
            by_log_tau = sign * slow * (1 - slow) * (1 - beyond) - in_part * beyond * (1 - beyond)
            derivatives[own[1]] = BOUNDARY_POWER * by_log_tau * resistance
        whole += share * resistance
        derivatives[own[0]] = share * resistance
    return whole, derivatives


Times = TypeVar("Times", float, np.ndarray)


def slow_share(tau: Times, boundary: float) -> Times:
    """Return the share with which a process of a time constant [s] counts to those slower than a boundary."""
    return 1 / (1 + (boundary / tau) ** BOUNDARY_POWER)


def misfit(result: MinimizerResult) -> tuple[float, float]:
    """Return the root mean square of the residuals and the largest of them, in per cent of the modulus."""
    relative = np.abs(result.model - result.impedance) / np.abs(result.impedance) * 100
    return float(np.sqrt(np.mean(relative**2) / 2)), float(relative.max())


def effective_points(residual: np.ndarray) -> float:
    """Return the number of independent residuals that autocorrelated ones are worth.

    It is their number over the integrated autocorrelation time, which is summed up to the first lag that is not
    significant (Sokal 1997, doi 10.1007/978-1-4899-0319-8_6).

    Parameters
    ----------
    residual : array, shape (2 n,)
        Real parts followed by imaginary parts, each in the order of frequency; the two count separately.
    """
    return sum(part.size / _autocorrelation_time(part) for part in np.split(residual, 2))


def _autocorrelation_time(part: np.ndarray) -> float:
    """1 + 2 sum of the autocorrelation function, in points."""
    power = float(part @ part)
    time = 1.0
    for lag in range(1, part.size // 3):
        correlation = float(part[lag:] @ part[:-lag]) / power if power else 0.0
        if correlation < 2 / np.sqrt(part.size):  # two standard errors of white noise
            break
        time += 2 * correlation
    return time


def _in_order(circuit: str, values: dict[str, float]) -> dict[str, float]:
    """The same circuit with the arcs of each kind in the order of their time constants."""
    ordered = dict(values)
    for kind in circuits.ARCS:
        arcs = [own for of, own in circuits.elements(circuit) if of == kind]
        for new, old in zip(arcs, sorted(arcs, key=lambda own: values[own[1]]), strict=True):
            ordered |= {name: values[source] for name, source in zip(new, old, strict=True)}
    return ordered


def _polished(of: Problem, values: dict[str, float]) -> MinimizerResult:
    """lmfit's result from a minimum, over the parameters themselves, so that its standard errors are theirs."""
    parameters = lmfit.Parameters()
    for name, value in values.items():
        is_exponent = name[0] == "n"
        is_ideal = is_exponent and value > IDEAL_EXPONENT
        highest = 1 if is_exponent else np.inf
        parameters.add(name, 1.0 if is_ideal else value, min=FLOOR, max=highest, vary=not is_ideal)
    least = LEAST_SHARE_OF_START * np.array([parameters[name].value for name in of.names])
    varied = [parameters[name].vary for name in of.names]

    def residual(trial: lmfit.Parameters) -> np.ndarray:
        return of.stacked(circuits.impedance(of.circuit, trial.valuesdict(), of.frequency) - of.impedance)

    def derivatives(trial: lmfit.Parameters) -> np.ndarray:
        current = np.array([trial[name].value for name in of.names])
        by_logarithm = of.stacked(circuits.with_derivatives(of.circuit, current, of.frequency)[1])
        return (by_logarithm / np.maximum(current, least)[:, None])[varied]

    result = lmfit.Minimizer(residual, parameters).minimize(
        method="leastsq", Dfun=derivatives, col_deriv=1, max_nfev=MOST_EVALUATIONS, ftol=TOLERANCE, xtol=TOLERANCE
    )
    result.circuit, result.frequency, result.impedance, result.weights = (
        of.circuit,
        of.frequency,
        of.impedance,
        of.weights,
    )
    result.model = circuits.impedance(of.circuit, result.params.valuesdict(), of.frequency)
    return result
