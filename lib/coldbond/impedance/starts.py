"""Start values of a circuit fit, taken from the spectrum itself.

With time constants and exponents held, a circuit's impedance is linear in its resistances, inductances and inverse
capacitances. These amplitudes are solved for by non-negative least squares at every combination of time constants on a
logarithmic grid, and the combinations that come nearest to the spectrum are kept. Their time constants and exponents
are then improved by variable projection (Golub and Pereyra 1973, doi 10.1137/0710036), with the amplitudes solved for
inside. The fit of a circuit with one arc less gives further starts, with a small arc added at several time constants.
The most promising starts are followed in all parameters to their minima.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import optimize

from coldbond import variable_projection
from coldbond.impedance import circuits
from coldbond.impedance.problem import FLOOR, Problem

#: Exponent of arcs at the start, and those tried for a constant phase element in series: values typical of rough
#: electrodes and of diffusion.
ARC_EXPONENT, TAIL_EXPONENTS = 0.85, (0.55, 0.9)
#: Time constants tried for diffusion over a finite length, as multiples of the slowest that is measured, and for a
#: transmission line, and its ratios of the resistance in the pores to that of the interface.
DIFFUSION_TIMES, LINE_TIMES, LINE_RATIOS = (0.1, 1.0, 10.0), (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0), (0.3, 3.0, 30.0)
#: The grid of time constants: points a decade for one arc, fewer for several, and how far it extends beyond the
#: fastest and the slowest point, in decades.
GRID_DENSITY, GRID_BEYOND_FAST, GRID_BEYOND_SLOW = 2.5, 0.7, 0.3
FEWEST_GRID_POINTS = 6
#: Least distance of the time constants of two arcs, in decades; arcs nearer than that look alike in the spectrum.
LEAST_DISTANCE = 0.6
#: Starts kept from the grid, starts that are followed further, and those that are followed to the end; evaluations of
#: the first and the second stage. Set on 505 fits of 165 spectra (those of raw/ and the cells of the tests) against a
#: search from eight times as many starts: with fewer evaluations or starts more minima are missed, with all starts in
#: all parameters from the first a chi square twice that of the minimum occurs.
GRID_STARTS, FOLLOWED, CONVERGED = 10, 8, 6
FIRST_EVALUATIONS, SECOND_EVALUATIONS = 8, 12
#: Largest first step of these, as a share of the length of the coordinates; with 1 starts leave the minimum that they
#: are near to.
FIRST_STEP = 0.3
#: Time constants at which an arc is added to a smaller circuit, and its resistance as a share of the modulus.
ADDED_ARCS, ADDED_SHARE = 5, 0.03
#: Ridge on the normalised normal equations: the amplitudes of two equal columns are determined only in sum.
RIDGE = 1e-12
#: Where an amplitude starts that a start does not need: a resistance as a share of the least modulus, an inductance in
#: H, the inverse of a capacitance in 1/F.
LEAST_SHARE, LEAST_INDUCTANCE, LEAST_INVERSE_CAPACITANCE = 1e-4, 1e-12, 1e-15

#: The parameters of an element beside its amplitude, which are tried in the grid.
Choice = tuple[float, ...]


def best_minima(problem: Problem, known: Mapping[str, Mapping[str, float]]) -> list[tuple[np.ndarray, float]]:
    """Return the minima that the most promising starts lead to, as coordinates and chi square.

    Parameters
    ----------
    problem : Problem
    known : mapping of str to mapping
        Fitted parameters of other circuits by name. Those of the circuit that lacks the last arc of this one give
        starts beside the grid; those of the circuit with semi-infinite diffusion in place of diffusion over a finite
        length give starts instead of it.
    """
    smaller, infinite = without_last_arc(problem.circuit), replaced(problem.circuit, "W")
    grown = _with_arc_added(problem, smaller, known[smaller]) if smaller in known else []
    bent = []
    if infinite in known and infinite != problem.circuit:
        bent = _with_finite_length(problem, known[infinite])
    others = [problem.coordinates(start) for start in grown + bent]
    grid = [] if bent else [problem.coordinates(start) for start in _from_grid(problem)]
    if {"RWQ", "T"} & {*problem.circuit.split("-")}:  # not proportional to any of their parameters
        grid, others = [], grid + others
    projected = _Projected(problem)
    first = [projected.improved(x) for x in grid]
    first += [problem.minimum(x, SECOND_EVALUATIONS, FIRST_STEP) for x in others]
    second = [problem.minimum(x, SECOND_EVALUATIONS, FIRST_STEP) for x, _ in _lowest(first, FOLLOWED)]
    return [problem.minimum(x) for x, _ in _lowest(second, CONVERGED)]


def without_last_arc(circuit: str) -> str:
    """Return the circuit without its last RQ arc; an empty string where it has none, or nothing else."""
    before, arc, after = circuit.rpartition("-RQ")
    return before + after if arc and after[:1] in ("", "-") else ""


def replaced(circuit: str, diffusion: str) -> str:
    """Return the circuit with another of the elements W, Wo, Ws in place of its own."""
    return "-".join(diffusion if kind in circuits.DIFFUSION else kind for kind in circuit.split("-"))


def _lowest(found: list[tuple[np.ndarray, float]], number: int) -> list[tuple[np.ndarray, float]]:
    return sorted(found, key=lambda one: one[1])[:number]


class _Projected:
    """The problem as one of time constants and exponents alone, whose amplitudes are solved for, none negative.

    The amplitude of an element is its first parameter: the impedance is proportional to it, or to its inverse for a
    capacitor and a constant phase element.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.target = problem, problem.stacked(problem.impedance)
        sizes = [len(own) for _, own in circuits.elements(problem.circuit)]
        self.amplitudes = np.cumsum([0, *sizes[:-1]])
        self.others = np.setdiff1d(np.arange(len(problem.names)), self.amplitudes)
        self.owners = np.repeat(np.arange(len(sizes)), np.array(sizes) - 1)  # the element of each of the others
        self.powers = np.array([-1 if problem.names[at][0] in "CQ" else 1 for at in self.amplitudes])
        self._last_y = b""
        self._last: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None = None

    def improved(self, x: np.ndarray) -> tuple[np.ndarray, float]:
        """Return coordinates of all parameters, and chi square there, after some evaluations from a start."""
        y = x[self.others]
        if y.size:
            y = optimize.leastsq(
                lambda y: self._at(y)[-1],
                y,
                Dfun=self._jacobian,
                maxfev=FIRST_EVALUATIONS,
                full_output=True,  # else it warns of the evaluations that are spent
                diag=np.ones(y.size),
                factor=FIRST_STEP,
            )[0]
        _, _, amplitudes, residual = self._at(y)
        x = np.empty(len(self.problem.names))
        x[self.others] = y
        least = np.array([_least_amplitude(self.problem, self.problem.names[at][0]) for at in self.amplitudes])
        x[self.amplitudes] = self.powers * np.log(np.maximum(amplitudes, least))
        return x, float(residual @ residual)

    def _jacobian(self, y: np.ndarray) -> np.ndarray:
        """Kaufman's approximation (1975, doi 10.1007/BF01932995), with the elements that are not zero."""
        columns, changes, amplitudes, _ = self._at(y)
        basis, _ = np.linalg.qr(columns[:, amplitudes > 0])
        return -variable_projection.jacobian(changes * amplitudes[self.owners], basis)

    def _at(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Elements of amplitude one, their derivatives by y, the amplitudes, and the residuals."""
        if self._last is None or self._last_y != y.tobytes():
            x = np.zeros(len(self.problem.names))  # all amplitudes 1
            x[self.others] = y
            p = self.problem.parameters(x)
            by_logarithm = circuits.with_derivatives(self.problem.circuit, p, self.problem.frequency)[1]
            columns = (self.problem.stacked(by_logarithm) * self.problem.by_coordinate(p)[:, None]).T
            elements = columns[:, self.amplitudes] * self.powers
            norms = np.linalg.norm(elements, axis=0)  # elements of very different size would look dependent
            amplitudes = optimize.nnls(elements / norms, self.target)[0] / norms
            residual = elements @ amplitudes - self.target
            self._last_y, self._last = y.tobytes(), (elements, columns[:, self.others], amplitudes, residual)
        return self._last


def _from_grid(problem: Problem) -> list[dict[str, float]]:
    """Start values at the best combinations of time constants and tail exponents on a grid, the best first."""
    omega = 2 * np.pi * problem.frequency
    s = 1j * omega
    target = problem.stacked(problem.impedance)
    elements = circuits.elements(problem.circuit)
    kinds = [kind for kind, _ in elements]
    arcs = sum(kind in circuits.ARCS for kind in kinds)
    first, last = -np.log10(omega.max()) - GRID_BEYOND_FAST, -np.log10(omega.min()) + GRID_BEYOND_SLOW
    points = max(FEWEST_GRID_POINTS, arcs, int((last - first) * GRID_DENSITY / max(arcs, 1) ** 0.5))
    grid = np.linspace(first, last, points).tolist()
    # Over a decade or two not all arcs find a place at that distance.
    widest = (points - 1) // max(arcs - 1, 1) * (last - first) / (points - 1)
    distance = min(LEAST_DISTANCE, 0.999 * widest)
    slowest = 1 / omega.min()
    choices = {kind: _choices(kind, slowest) for kind in kinds if kind not in circuits.ARCS}
    # One row an arc at each time constant (as a logarithm) or another element with each choice, shared by all trials.
    shapes: dict[float | tuple[str, Choice], np.ndarray] = {
        tau: _shape("RQ", s, (10**tau, ARC_EXPONENT)) for tau in grid
    }
    shapes |= {(kind, choice): _shape(kind, s, choice) for kind, of in choices.items() for choice in of}
    matrix = np.array([problem.stacked(shape) for shape in shapes.values()])
    row = {key: at for at, key in enumerate(shapes)}
    sizes = np.linalg.norm(matrix, axis=1)
    matrix /= sizes[:, None]
    trials: list[list[Choice]] = []
    rows_of_trials: list[list[int]] = []
    for taus in itertools.combinations(grid, arcs):
        if arcs > 1 and min(slower - faster for faster, slower in itertools.pairwise(taus)) < distance:
            continue
        for chosen in itertools.product(*choices.values()):
            waiting, of_kind = iter(taus), dict(zip(choices, chosen, strict=True))
            keys = [next(waiting) if kind in circuits.ARCS else (kind, of_kind[kind]) for kind in kinds]
            trials.append([(10**key, ARC_EXPONENT) if isinstance(key, float) else key[1] for key in keys])
            rows_of_trials.append([row[key] for key in keys])
    # Amplitudes of either sign, solved for in all trials at once, give a lower bound of the distance with non-negative
    # amplitudes: a trial whose bound lies above the worst that is kept need not be solved.
    rows = np.array(rows_of_trials)
    projections = (matrix @ target)[rows]
    products = (matrix @ matrix.T)[rows[:, :, None], rows[:, None, :]] + RIDGE * np.eye(len(kinds))
    solved = np.linalg.solve(products, projections[:, :, None])[:, :, 0]
    lower_bounds = target @ target - np.sum(projections * solved, axis=1)
    found: list[tuple[float, int, np.ndarray]] = []
    for at in np.argsort(lower_bounds).tolist():
        if len(found) == GRID_STARTS and lower_bounds[at] > found[-1][0] ** 2:
            break
        amplitudes, distance = optimize.nnls(matrix[rows[at]].T, target)
        found = sorted([*found, (float(distance), at, amplitudes / sizes[rows[at]])], key=lambda one: one[:2])
        found = found[:GRID_STARTS]
    return [_start_values(problem, trials[at], amplitudes) for _, at, amplitudes in found]


def _with_arc_added(problem: Problem, circuit: str, fitted: Mapping[str, float]) -> list[dict[str, float]]:
    """Start values from the fit of a circuit without the last arc, with a small one at several time constants."""
    elements = circuits.elements(problem.circuit)
    last = len(elements) - 1 - [kind for kind, _ in reversed(elements)].index("RQ")
    kept = [own for at, (_, own) in enumerate(elements) if at != last]
    values = {
        name: max(fitted[old], FLOOR)
        for new, before in zip(kept, (own for _, own in circuits.elements(circuit)), strict=True)
        for name, old in zip(new, before, strict=True)
    }
    omega = 2 * np.pi * problem.frequency
    starts = []
    # From a third of the fastest time constant that is measured to three times the slowest.
    for tau in np.geomspace(1 / 3 / omega.max(), 3 / omega.min(), ADDED_ARCS).tolist():
        nearest = int(np.argmin(np.abs(np.log(omega * tau))))
        arc = ADDED_SHARE * float(np.abs(problem.impedance[nearest])), tau, ARC_EXPONENT
        starts.append(values | dict(zip(elements[last][1], arc, strict=True)))
    return starts


def _with_finite_length(problem: Problem, fitted: Mapping[str, float]) -> list[dict[str, float]]:
    """Start values from the fit with semi-infinite diffusion, which is that at high frequency: R = A tau^0.5."""
    least = _least_amplitude(problem, "R")
    starts = []
    for multiple in DIFFUSION_TIMES:
        values = dict(fitted)
        for at, kind in enumerate(problem.circuit.split("-")):
            if kind in circuits.DIFFUSION[1:]:
                tau = multiple / float(2 * np.pi * problem.frequency.min())
                values |= {f"R{at}": max(values[f"A{at}"], least) * tau**0.5, f"tau{at}": tau}
        starts.append({name: max(value, FLOOR) for name, value in values.items()})
    return starts


def _choices(kind: str, slowest: float) -> list[Choice]:
    """Parameters beside the amplitude at which an element other than an arc is tried."""
    match kind:
        case "Q":
            return [(exponent,) for exponent in TAIL_EXPONENTS]
        case "Wo" | "Ws":
            return [(slowest * multiple,) for multiple in DIFFUSION_TIMES]
        case "T":
            every = itertools.product(LINE_TIMES, LINE_RATIOS)
            return [(slowest * multiple, ARC_EXPONENT, ratio) for multiple, ratio in every]
    return [()]


def _shape(kind: str, s: np.ndarray, choice: Choice) -> np.ndarray:
    """Impedance of an element of amplitude one; the last parameter of a line is then Rion / R."""
    p = np.array([1.0, *choice])
    return circuits.with_derivatives(kind, p, s.imag / (2 * np.pi))[0]


def _start_values(problem: Problem, choices: Sequence[Choice], amplitudes: np.ndarray) -> dict[str, float]:
    """Parameters by name, for the amplitude of each element and its parameters beside that."""
    values: dict[str, float] = {}
    of_elements = zip(circuits.elements(problem.circuit), choices, amplitudes.tolist(), strict=True)
    for (kind, names), choice, amplitude in of_elements:
        size = max(amplitude, _least_amplitude(problem, names[0][0]))
        own: tuple[float, ...] = (1 / size if kind in ("Q", "C") else size, *choice)
        if kind == "RWQ":
            own += (size / choice[0] ** 0.5,)  # diffusion sets in at tau
        elif kind == "T":
            own = (*own[:-1], size * own[-1])
        values |= dict(zip(names, own, strict=True))
    return values


def _least_amplitude(problem: Problem, symbol: str) -> float:
    """Least amplitude that a start has: an element of none would have no effect, and no slope to grow along."""
    of_symbol = {"L": LEAST_INDUCTANCE, "C": LEAST_INVERSE_CAPACITANCE, "Q": LEAST_INVERSE_CAPACITANCE}
    return of_symbol.get(symbol, LEAST_SHARE * float(np.abs(problem.impedance).min()))
