"""Equivalent circuits fitted to a spectrum by complex nonlinear least squares.

Start values come from the spectrum itself (`starts`), and the best of several minima is polished by lmfit, whose result
is returned. Real and imaginary parts are fitted together, weighted by the modulus unless their uncertainties are known
(Boukamp 1986, doi 10.1016/0167-2738(86)90031-7). Several circuits are compared by the Bayesian information criterion.
Resistances of parts of a cell are sums over the arcs on one side of a time constant.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

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
#: Circuits whose Bayesian information criterion lies further above the best are excluded ("very strong" evidence: Kass
#: and Raftery 1995, doi 10.1080/01621459.1995.10476572).
EXCLUDED = 10.0
#: Slowest relaxation times of diffusion over a finite length, over its time constant: tau / pi^2 to a blocking wall,
#: 4 tau / pi^2 to a permeable one.
RELAXATIONS = {"Wo": 1 / np.pi**2, "Ws": 4 / np.pi**2}
#: How far the relaxation times of an arc reach beyond its time constant, as a factor.
BEHIND_ARC = 3.0
#: A spectrum has ended where -Im Z of its lowest points is below this share of the modulus.
ENDED, LOWEST_POINTS = 0.01, 5


def fitted(
    spectrum: xr.Dataset, circuit: str, weighting: str = "modulus", known: Mapping[str, MinimizerResult] | None = None
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
    known : mapping of str to lmfit.minimizer.MinimizerResult, optional
        Fits of other circuits to the spectrum. That of the circuit without the last arc of this one, with a small arc
        added, gives further starts. (Of a hundred random cells of three arcs sixteen were missed without such starts,
        none with them.) That of the circuit with W in place of Wo or Ws spares the search over a grid.

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
    known = dict(known or {})
    smaller = starts.without_last_arc(circuit)
    arcs = circuit.split("-").count("RQ")
    if smaller not in known and (arcs > 1 or (arcs and {"Wo", "Ws", "T"} & {*circuit.split("-")})):
        known[smaller] = fitted(spectrum, smaller, weighting)
    minima = starts.best_minima(of, {other: result.params.valuesdict() for other, result in known.items()})
    best = of.values(_lowest(minima))
    # A parameter that has gone beyond the floor or its inverse has no slope there; `coordinates` puts it back to the
    # bound, from where it may return.
    minima.append(of.minimum(of.coordinates(best)))
    return _polished(of, _in_order(circuit, of.values(_lowest(minima))))


def candidates(spectrum: xr.Dataset, of: Sequence[str], weighting: str = "modulus") -> dict[str, MinimizerResult]:
    """Fit several circuits and return the results, that of the lowest Bayesian information criterion first.

    The criterion (Schwarz 1978, doi 10.1214/aos/1176344136) is lmfit's `bic` of all real and imaginary parts. It counts
    autocorrelated residuals as independent and then favours the larger circuits; the intervals correct for that.

    The letter D in a circuit stands for diffusion, if the spectrum asks for it (`asks_for_diffusion`): the circuit is
    fitted without D and, if so, with each of the elements W, Wo and Ws in its place. With more than two arcs only
    those of the three are fitted that are not excluded (`EXCLUDED`) with one arc less.

    A circuit with too many parameters for the points of the spectrum is not fitted, unless there is no smaller one:
    that is an error.
    """
    asked = asks_for_diffusion(spectrum)
    every = dict.fromkeys(name for circuit in of for name in expanded(circuit, asked))
    by_size = sorted(every, key=lambda circuit: (len(circuits.elements(circuit)), circuit.split("-").count("W") == 0))
    possible = [one for one in by_size if _has_enough_points(spectrum.sizes["frequency"], one)]
    results: dict[str, MinimizerResult] = {}
    named = {circuit for circuit in of if circuits.ANY_DIFFUSION not in circuit.split("-")}
    for circuit in possible or by_size[:1]:
        if circuit in named or not _is_excluded(circuit, results):
            results[circuit] = fitted(spectrum, circuit, weighting, results)
    return dict(sorted(results.items(), key=lambda item: item[1].bic))


def too_large(spectrum: xr.Dataset, of: Sequence[str]) -> tuple[str, ...]:
    """Return the circuits, without D, that have too many parameters for the points of a spectrum, but for the smallest.

    They are those that `candidates` does not fit.
    """
    plain = sorted((expanded(circuit, asked=False)[0] for circuit in of), key=lambda one: len(circuits.elements(one)))
    found = [one for one in plain if not _has_enough_points(spectrum.sizes["frequency"], one)]
    return tuple(found if len(found) < len(plain) else found[1:])


def expanded(circuit: str, asked: bool) -> tuple[str, ...]:
    """Return the circuits that one with the letter D stands for: without it and, if asked, with diffusion."""
    kinds = circuit.split("-")
    if circuits.ANY_DIFFUSION not in kinds:
        return (circuit,)
    without = "-".join(kind for kind in kinds if kind != circuits.ANY_DIFFUSION)
    tails = circuits.DIFFUSION if asked else ()
    return without, *("-".join(tail if kind == circuits.ANY_DIFFUSION else kind for kind in kinds) for tail in tails)


def asks_for_diffusion(spectrum: xr.Dataset) -> bool:
    """Return whether a spectrum has not ended at its lowest frequencies: -Im Z is then above `ENDED` of the modulus.

    It is the median of the lowest points. Arcs end there, diffusion does not within any usual sweep. A slow process
    that has ended counts as an arc, whatever its shape.
    """
    z = spectrum.impedance.to_numpy()[np.argsort(spectrum.frequency.to_numpy())[:LOWEST_POINTS]]
    return bool(np.median(-z.imag / np.abs(z)) > ENDED)


def _is_excluded(circuit: str, results: Mapping[str, MinimizerResult]) -> bool:
    """Whether the diffusion of a circuit of three arcs or more is excluded with one arc less."""
    smaller = starts.without_last_arc(circuit)
    tail = {*circuit.split("-")} & {*circuits.DIFFUSION}
    if not tail or circuit.split("-").count("RQ") < 3 or smaller not in results:
        return False
    others = [starts.replaced(smaller, kind) for kind in circuits.DIFFUSION]
    return results[smaller].bic > min(results[one].bic for one in others if one in results) + EXCLUDED


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
        electrodes, among them porous ones; or all. Diffusion (W, Wo, Ws) counts to none of them.
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
        if kind == "R":
            share = float(part != "interface")
            whole += share * values[own[0]]
            derivatives[own[0]] = share * values[own[0]]
        elif kind in circuits.ARCS or kind == "T":
            tau = values[own[1]]
            slow = 1.0 if kind == "T" else slow_share(tau, boundary)
            beyond = slow_share(tau, slowest)
            in_part, sign = {"electrolyte": (1 - slow, -1), "interface": (slow, 1), "total": (1.0, 0)}[part]
            share = in_part * (1 - beyond)
            resistance, *by_own = (
                circuits.line(values[own[0]], values[own[3]]) if kind == "T" else 2 * (values[own[0]],)
            )
            whole += share * resistance
            derivatives |= {name: share * by for name, by in zip(own[::3], by_own, strict=False)}
            # slow_share has the derivative BOUNDARY_POWER * slow * (1 - slow) by ln tau.
            by_log_tau = sign * slow * (1 - slow) * (1 - beyond) - in_part * beyond * (1 - beyond)
            derivatives[own[1]] = BOUNDARY_POWER * by_log_tau * resistance
    return whole, derivatives


class Tail(NamedTuple):
    """An element that is no arc: its kind and, of diffusion over a finite length, its time constant [s]."""

    kind: str
    time: float = np.inf


def tails(result: MinimizerResult) -> set[Tail]:
    """Return the elements of a fitted circuit that do not count as resistances of electrolyte or interface.

    An arc or a transmission line whose interface is slower than the lowest frequency passes no direct current that is
    seen: it is then as a constant phase element. Diffusion to a wall that is faster than the highest frequency is as a
    capacitor.
    """
    values, found = result.params.valuesdict(), set()
    for kind, own in circuits.elements(result.circuit):
        if kind in RELAXATIONS:
            time = values[own[1]]
            is_capacitor = kind == "Wo" and time * RELAXATIONS[kind] < _fastest_time(result)
            found.add(Tail("C") if is_capacitor else Tail(kind, time))
        elif kind in ("W", "C", "Q"):
            found.add(Tail(kind))
        elif kind in (*circuits.ARCS, "T") and values[own[1]] > lowest_time(result):
            found.add(Tail("Q"))
    return found


def end_of_arcs(result: MinimizerResult) -> float:
    """Return the time constant [s] from which a process counts to the tail of the fitted circuit, if that has one.

    It lies a decade before the lowest frequency, and before the end of the tail, but behind the arcs of the circuit.
    """
    slowest = lowest_time(result)
    counted = [BEHIND_ARC * tau for tau in _times_of_arcs(result) if tau < slowest]
    return min(max([end_of_tail(result) / 10, *counted]), slowest)


def end_of_tail(result: MinimizerResult) -> float:
    """Return the slowest relaxation time of diffusion over a finite length [s], or that of the lowest frequency."""
    ends = [one.time * RELAXATIONS[one.kind] for one in tails(result) if one.kind in RELAXATIONS]
    return min([lowest_time(result), *ends])


def is_mixed(result: MinimizerResult) -> bool:
    """Return whether an arc of the fitted circuit is slower than its diffusion over a finite length."""
    return any(end_of_tail(result) < tau < lowest_time(result) for tau in _times_of_arcs(result))


def _fastest_time(result: MinimizerResult) -> float:
    return float(1 / (2 * np.pi * result.frequency.max()))


def _times_of_arcs(result: MinimizerResult) -> list[float]:
    values = result.params.valuesdict()
    return [values[own[1]] for kind, own in circuits.elements(result.circuit) if kind in (*circuits.ARCS, "T")]


def lowest_time(result: MinimizerResult) -> float:
    """Return the time constant [s] of the lowest frequency of a spectrum, 1 / omega."""
    return float(1 / (2 * np.pi * result.frequency.min()))


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
