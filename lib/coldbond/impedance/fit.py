"""Equivalent circuits fitted to a spectrum, from starts that the spectrum itself gives."""

import itertools
from collections.abc import Mapping, Sequence

import lmfit
import numpy as np
import xarray as xr
from scipy import optimize

from coldbond.impedance import circuits

#: Exponents with which arcs and tails start.
START_ARC, START_TAILS = 0.85, (0.55, 0.9)
APART = 0.6  # decades between the time constants of two arcs at the start
GRID = 2.5  # time constants a decade that are tried, fewer for circuits of several arcs
SCREENED, CONVERGED = 10, 3  # starts that are followed for a few steps, and to the end
GROWN, ADDED = 5, 0.03  # places of an arc that is added to a smaller circuit, and its size as a share of the modulus
FEW, MANY = 15, 200  # steps
DAMPING, UNDAMPED, LONGEST = 1e-3, 1e-9, 3.0  # of the first step, the least; largest step of a logarithm
RIDGE = 1e-12  # of two elements that are alike, of whose amplitudes only the sum is known
STEEP = 4  # power of the time constant by which arcs are told apart
IDEAL = 0.995  # exponents above are a capacitor's
SMALLEST = 1e-4  # of the smallest modulus: where a resistance that no start needs begins
FLOOR = 1e-18  # of any parameter, in its unit: nothing that is measured comes near it


class Problem:
    """The weighted residuals of a circuit, over coordinates in which all its parameters are free.

    Those are the logarithms of the parameters, and of exponents n, which end at 1, the logarithm of n / (1 - n).
    """

    def __init__(self, circuit: str, frequency: np.ndarray, impedance: np.ndarray, weights: np.ndarray) -> None:
        self.circuit, self.frequency, self.impedance, self.weights = circuit, frequency, impedance, weights
        self.names = circuits.names(circuit)
        self.is_exponent = np.array([name[0] == "n" for name in self.names])
        self._last: tuple | None = None

    def values(self, x: np.ndarray) -> dict[str, float]:
        return dict(zip(self.names, self._values(x).tolist(), strict=True))

    def _values(self, x: np.ndarray) -> np.ndarray:
        found = np.exp(np.minimum(np.maximum(x, np.log(FLOOR)), -np.log(FLOOR)))
        return np.where(self.is_exponent, found / (1 + found), found)

    def coordinates(self, values: Mapping[str, float]) -> np.ndarray:
        p = np.array([values[name] for name in self.names])
        inside = np.clip(p, 1e-6, 1 - 1e-6)
        return np.where(self.is_exponent, np.log(inside / (1 - inside)), np.log(p))

    def residual(self, x: np.ndarray) -> np.ndarray:
        return self._stacked(self._terms(x)[0] - self.impedance)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """Derivatives of the residuals, shape (2 n, parameters)."""
        _, by_logarithm, p, *_ = self._terms(x)
        return self._stacked(by_logarithm).T * np.where(self.is_exponent, 1 - p, 1.0)

    def _terms(self, x: np.ndarray) -> tuple:
        # MINPACK asks for the residuals, and then for their slopes at the same place.
        if self._last is None or self._last[0] != x.tobytes():
            self._last = x.tobytes(), self._found(self._values(x))
        return self._last[1]

    def _found(self, p: np.ndarray) -> tuple:
        return *circuits.terms(self.circuit, p, self.frequency), p

    def solved(self, x: np.ndarray, steps: int = MANY) -> tuple[np.ndarray, float]:
        """Return the coordinates of the nearest minimum, by Levenberg and Marquardt's method, and chi square there."""
        # Logarithms are of one scale; scaled by their effect, those of vanishing elements would take all the steps.
        options = dict(maxfev=steps, ftol=1e-7, xtol=1e-6, diag=np.ones(x.size), factor=1.0)
        x, _, info, _, _ = optimize.leastsq(self.residual, x, Dfun=self.jacobian, full_output=True, **options)
        return x, float(info["fvec"] @ info["fvec"])

    def followed(self, x: np.ndarray, steps: int) -> np.ndarray:
        """Return where starts, shape (starts, parameters), are after some steps of Levenberg's method, the best first.

        All take their steps at once, in less than half the time that they need one after the other.
        """
        x, damping = x.copy(), np.full((len(x), 1, 1), DAMPING)
        squares, curvature, gradient = self._expansion(x)
        for _ in range(steps):
            move = np.linalg.solve(curvature + damping * np.eye(x.shape[1]), gradient)[:, :, 0]
            tried = x - move * np.minimum(1, LONGEST / np.abs(move).max(axis=1, keepdims=True))
            there = self._expansion(tried)
            better = there[0] < squares
            for old, new in zip((x, squares, curvature, gradient), (tried, *there), strict=True):
                old[better] = new[better]
            damping = np.maximum(np.where(better[:, None, None], damping / 5, damping * 4), UNDAMPED)
        return x[np.argsort(squares)]

    def _expansion(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Chi square at several places, and half its second derivatives and half its slopes, these as columns."""
        p = self._values(x)
        z, slopes = circuits.terms(self.circuit, p, self.frequency)
        residual, slopes = self._stacked(z - self.impedance), self._stacked(slopes)
        inner = np.where(self.is_exponent, 1 - p, 1.0)[:, :, None]
        curvature = slopes @ slopes.swapaxes(1, 2) * inner * inner.swapaxes(1, 2)
        return np.sum(residual**2, axis=1), curvature, slopes @ residual[:, :, None] * inner

    def _stacked(self, z: np.ndarray) -> np.ndarray:
        return np.concatenate([z.real * self.weights, z.imag * self.weights], axis=-1)


def fitted(
    spectrum: xr.Dataset,
    circuit: str,
    weighting: str = "modulus",
    smaller: lmfit.minimizer.MinimizerResult | None = None,
) -> lmfit.minimizer.MinimizerResult:
    """Fit a circuit to a spectrum.

    Start values come from the spectrum: with the time constants held on a grid everything else is linear, and is found
    by non-negative least squares (Lawson and Hanson 1974). The best of these starts are followed to their minima, and
    the lowest is polished by lmfit.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz], as `coldbond.read` gives it.
    circuit : str
        Elements in series, such as "L-R-RQ-RQ"; see `circuits.ELEMENTS`.
    weighting : {"modulus", "unit", "measured"}
        Standard deviations proportional to the modulus (their size then follows from the residuals), or those of the
        variable `impedance_std` [ohm].
    smaller : lmfit.minimizer.MinimizerResult, optional
        The fit of the circuit that lacks the last arc of this one, where there is one already: with a small arc added
        it is a start too. (Of a hundred random cells of three arcs sixteen were missed without such starts, none with.)

    Returns
    -------
    lmfit.minimizer.MinimizerResult
        With the attributes `circuit`, `frequency`, `impedance`, `weights` and `model` [ohm] besides. The residuals are
        the weighted real and then imaginary parts. Arcs are in the order of their time constants. The standard errors
        hold for small, independent errors: the intervals are those of `intervals`.

    Raises
    ------
    ValueError
        The weighting or an element is unknown, or the spectrum has too few points for the circuit.
    """
    frequency, impedance = spectrum.frequency.to_numpy(), spectrum.impedance.to_numpy()
    problem = Problem(circuit, frequency, impedance, _weights(spectrum, weighting))
    if 2 * frequency.size <= len(problem.names) + 2:
        raise ValueError(f"{frequency.size} points are too few for the {len(problem.names)} parameters of {circuit}")
    if smaller is None and circuit.split("-").count("RQ") > 1:
        smaller = fitted(spectrum, _without_arc(circuit), weighting)
    starts = _starts(problem) + (_grown(problem, smaller) if smaller is not None else [])
    x = np.array([problem.coordinates(start) for start in starts])
    found = [problem.solved(one) for one in problem.followed(x, FEW)[:CONVERGED]]
    best = problem.values(min(found, key=lambda one: one[1])[0])
    # What has vanished beyond the floor has no slope, and may come back from the floor.
    found.append(problem.solved(problem.coordinates(best)))
    best = problem.values(min(found, key=lambda one: one[1])[0])
    return _polished(problem, _in_order(circuit, best))


def candidates(
    spectrum: xr.Dataset, of: Sequence[str], weighting: str = "modulus"
) -> dict[str, lmfit.minimizer.MinimizerResult]:
    """Fit several circuits and return the results, that of the lowest Bayesian information criterion first.

    The criterion (Schwarz 1978, doi 10.1214/aos/1176344136) is lmfit's `bic`, of all real and imaginary parts. Where
    residuals resemble their neighbours it takes them for more than they are and leans to the richer circuits; the
    intervals count them as fewer.
    """
    results: dict[str, lmfit.minimizer.MinimizerResult] = {}
    for circuit in sorted(of, key=lambda circuit: len(circuits.elements(circuit))):
        results[circuit] = fitted(spectrum, circuit, weighting, results.get(_without_arc(circuit)))
    return dict(sorted(results.items(), key=lambda item: item[1].bic))


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
        Time constant [s] between fast and slow arcs. An arc counts to either side as a steep but smooth function of its
        time constant tells, (boundary / tau)^4, so that no arc changes sides at once while it is fitted.
    slowest : float
        Time constant [s] beyond which arcs do not count, in the same smooth way.

    Returns
    -------
    resistance : float
        In ohm.
    derivatives : dict of str to float
        Of the parameters that it depends on, in ohm.
    """
    whole, slopes = 0.0, {}
    for kind, own in circuits.elements(circuit):
        if kind != "R" and kind not in circuits.ARCS:
            continue
        resistance = values[own[0]]
        if kind == "R":
            share = float(part != "interface")
        else:
            slow, late = slow_share(values[own[1]], boundary), slow_share(values[own[1]], slowest)
            of_part, turned = {"electrolyte": (1 - slow, -1), "interface": (slow, 1), "total": (1.0, 0)}[part]
            share = of_part * (1 - late)
            turn = STEEP * ((1 - late) * turned * slow * (1 - slow) - of_part * late * (1 - late))
            slopes[own[1]] = turn * resistance
        whole += share * resistance
        slopes[own[0]] = share * resistance
    return whole, slopes


def slow_share(tau: np.ndarray | float, boundary: float) -> np.ndarray | float:
    """Return the share with which a process of a time constant [s] counts to those slower than a boundary."""
    return 1 / (1 + (boundary / tau) ** STEEP)


def misfit(result: lmfit.minimizer.MinimizerResult) -> tuple[float, float]:
    """Return the root mean square of the residuals and the largest of them, in per cent of the modulus."""
    share = np.abs(result.model - result.impedance) / np.abs(result.impedance) * 100
    return float(np.sqrt(np.mean(share**2) / 2)), float(share.max())


def effective_points(residual: np.ndarray) -> float:
    """Return for how many independent residuals these count (real parts, then imaginary parts, each by frequency).

    Their number divided by the integrated autocorrelation time, summed up to the first lag that is not significant
    (Sokal 1997, doi 10.1007/978-1-4899-0319-8_6).
    """
    return sum(_independent(part) for part in np.split(residual, 2))


def _independent(part: np.ndarray) -> float:
    power = float(part @ part)
    time = 1.0
    for lag in range(1, part.size // 3):
        likeness = float(part[lag:] @ part[:-lag]) / power if power else 0.0
        if likeness < 2 / np.sqrt(part.size):
            break
        time += 2 * likeness
    return part.size / time


def _weights(spectrum: xr.Dataset, weighting: str) -> np.ndarray:
    if weighting == "modulus":
        return 1 / np.abs(spectrum.impedance.to_numpy())
    if weighting == "unit":
        return np.full(spectrum.sizes["frequency"], 1 / np.median(np.abs(spectrum.impedance.to_numpy())))
    if weighting == "measured":
        if "impedance_std" not in spectrum:
            raise ValueError(
                "weighting 'measured' needs the variable impedance_std: use 'modulus' where it is not known"
            )
        return 1 / spectrum.impedance_std.to_numpy()
    raise ValueError(f"weighting {weighting!r} is unknown: use 'modulus', 'unit' or 'measured'")


def _starts(problem: Problem) -> list[dict[str, float]]:
    """The most promising start values, the best first."""
    s = 2j * np.pi * problem.frequency
    target = problem._stacked(problem.impedance)
    own = circuits.elements(problem.circuit)
    arcs = sum(kind in circuits.ARCS for kind, _ in own)
    ends = np.log10(1 / np.abs(s)).min() - 0.7, np.log10(1 / np.abs(s)).max() + 0.3
    grid = np.linspace(*ends, max(6, int(np.ptp(ends) * GRID / max(arcs, 1) ** 0.5)))
    tails = START_TAILS if any(kind == "Q" for kind, _ in own) else START_TAILS[:1]
    least = SMALLEST * np.abs(problem.impedance).min()
    kinds = [kind for kind, _ in own]
    # The columns of the linear problems: of an arc by its time constant, of the others by the tail's exponent.
    columns = {tau: problem._stacked(_shape("RQ", s, tau, 0.0)) for tau in grid}
    columns |= {(kind, tail): problem._stacked(_shape(kind, s, 0.0, tail)) for kind in kinds for tail in tails}
    matrix, row = np.array([*columns.values()]), {place: at for at, place in enumerate(columns)}
    sizes = np.linalg.norm(matrix, axis=1)
    matrix /= sizes[:, None]
    trials, rows = [], []
    for taus in itertools.combinations(grid, arcs):
        if arcs > 1 and min(after - before for before, after in itertools.pairwise(taus)) < APART:
            continue
        for tail in tails:
            waiting = iter(taus)
            places = [next(waiting) if kind in circuits.ARCS else (kind, tail) for kind in kinds]
            trials.append((taus, tail))
            rows.append([row[place] for place in places])
    # Amplitudes of either sign, found for all at once, come nearer than those that are not negative: where these are
    # too far off already, there is no need to look for the others.
    rows = np.array(rows)
    along = (matrix @ target)[rows]
    products = (matrix @ matrix.T)[rows[:, :, None], rows[:, None, :]] + RIDGE * np.eye(len(kinds))
    nearest = target @ target - np.sum(along * np.linalg.solve(products, along[:, :, None])[:, :, 0], axis=1)
    found: list[tuple] = []
    for at in np.argsort(nearest):
        if len(found) == SCREENED and nearest[at] > found[-1][0] ** 2:
            break
        amplitudes, distance = optimize.nnls(matrix[rows[at]].T, target)
        found = sorted([*found, (distance, at, amplitudes)])[:SCREENED]
    return [_values(own, *trials[at], amplitudes / sizes[rows[at]], least) for _, at, amplitudes in found]


def _without_arc(circuit: str) -> str:
    """The circuit without its last arc, if it has any."""
    before, arc, after = circuit.rpartition("-RQ")
    return before + after if arc and after[:1] in ("", "-") else ""


def _grown(problem: Problem, smaller: lmfit.minimizer.MinimizerResult) -> list[dict[str, float]]:
    """Starts from the fit of a circuit that lacks the last arc: with a small one at each of several time constants."""
    own = circuits.elements(problem.circuit)
    last = len(own) - 1 - [kind for kind, _ in reversed(own)].index("RQ")
    kept = [names for at, (_, names) in enumerate(own) if at != last]
    of_smaller = [names for _, names in circuits.elements(smaller.circuit)]
    values = {
        name: max(smaller.params[old].value, FLOOR)
        for new, before in zip(kept, of_smaller, strict=True)
        for name, old in zip(new, before, strict=True)
    }
    omega = 2 * np.pi * problem.frequency
    taus = np.geomspace(0.3 / omega.max(), 3 / omega.min(), GROWN)
    nearest = [np.abs(problem.impedance[np.argmin(np.abs(np.log(omega * tau)))]) for tau in taus]
    arcs = [(ADDED * modulus, tau, START_ARC) for modulus, tau in zip(nearest, taus, strict=True)]
    return [values | dict(zip(own[last][1], arc, strict=True)) for arc in arcs]


def _shape(kind: str, s: np.ndarray, tau: float, tail: float) -> np.ndarray:
    """The impedance of an element, but for a factor."""
    if kind in circuits.ARCS:
        return 1 / (1 + (s * 10**tau) ** START_ARC)
    return {"R": s**0, "L": s, "C": 1 / s, "W": s**-0.5, "Q": s**-tail}[kind]


def _values(own: list, taus: Sequence[float], tail: float, amplitudes: np.ndarray, least: float) -> dict[str, float]:
    values: dict[str, float] = {}
    waiting = iter(taus)
    for (kind, names), amplitude in zip(own, amplitudes, strict=True):
        if kind in circuits.ARCS:
            size, tau = max(amplitude, least), 10 ** next(waiting)
            start = (size, tau, START_ARC, size / np.sqrt(tau))
        elif kind == "Q":
            start = (1 / max(amplitude, 1e-15), tail)
        elif kind == "C":
            start = (1 / max(amplitude, 1e-15),)
        else:
            start = (max(amplitude, 1e-12 if kind == "L" else least),)
        values |= dict(zip(names, start, strict=False))
    return values


def _in_order(circuit: str, values: dict[str, float]) -> dict[str, float]:
    """The same circuit with the arcs of each kind in the order of their time constants."""
    ordered = dict(values)
    for arc in circuits.ARCS:
        places = [own for kind, own in circuits.elements(circuit) if kind == arc]
        for place, source in zip(places, sorted(places, key=lambda own: values[own[1]]), strict=True):
            ordered |= {name: values[old] for name, old in zip(place, source, strict=True)}
    return ordered


def _polished(problem: Problem, values: dict[str, float]) -> lmfit.minimizer.MinimizerResult:
    parameters = lmfit.Parameters()
    for name, value in values.items():
        exponent = name[0] == "n"
        ideal = exponent and value > IDEAL
        parameters.add(name, 1.0 if ideal else value, min=FLOOR, max=1 if exponent else np.inf, vary=not ideal)
    scale = np.array([parameters[name].value for name in problem.names])
    varied = [parameters[name].vary for name in problem.names]

    def residual(trial: lmfit.Parameters) -> np.ndarray:
        model = circuits.impedance(problem.circuit, trial.valuesdict(), problem.frequency)
        return problem._stacked(model - problem.impedance)

    def slopes(trial: lmfit.Parameters) -> np.ndarray:
        current = np.array([trial[name].value for name in problem.names])
        by_logarithm = problem._stacked(circuits.terms(problem.circuit, current, problem.frequency)[1])
        return (by_logarithm / np.maximum(current, 1e-12 * scale)[:, None])[varied]

    minimizer = lmfit.Minimizer(residual, parameters)
    result = minimizer.minimize(method="leastsq", Dfun=slopes, col_deriv=1, max_nfev=MANY, ftol=1e-6, xtol=1e-6)
    result.circuit, result.frequency, result.impedance = problem.circuit, problem.frequency, problem.impedance
    result.weights = problem.weights
    result.model = circuits.impedance(problem.circuit, result.params.valuesdict(), problem.frequency)
    return result
