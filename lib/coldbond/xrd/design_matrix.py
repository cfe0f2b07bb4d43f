"""Design matrix of a powder pattern: one column a reflection or phase, and derivatives by the nonlinear parameters.

A pattern is linear in the intensities of its reflections; lattice, shift and widths are nonlinear. A column is the sum
of pseudo-Voigt functions at the emission lines of the tube, each repeated at the quadrature nodes of axial divergence
and of the depth from which the sample diffracts. Near the centre every node is evaluated; in the tails, where only the
Lorentzian part is left, one mean shift stands for all of them. Windows and quadratures are fixed at the start values,
so that the matrix is a smooth function of the parameters. The emission profile of copper is that of Hoelzer et al.
(1997, doi 10.1103/PhysRevA.56.4554).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import linalg

from coldbond.xrd import profile
from coldbond.xrd.reflections import HC

#: Distance to which the profiles of the main phase are evaluated, in full widths at half maximum: 1 % of the area of a
#: Lorentzian lies beyond.
MAIN_RANGE = 30.0
#: The same for phases beside the main one, which are weaker: 3 % of the area of a Lorentzian lie beyond.
OTHER_RANGE = 10.0
LEAST_RANGE = 1.0  # degree, the least distance to which a profile is evaluated
#: Distance to which a profile is evaluated at every quadrature node, in full widths at half maximum; farther out the
#: Gaussian part is below 1e-40 and the tail of a Lorentzian is the same wherever within the smearing it starts.
CENTRE_RANGE = 6.0
NODE_DISTANCE = 0.4  # between quadrature nodes of the axial divergence, in full widths at half maximum
FEWEST_NODES, MOST_NODES = 4, 64  # of that quadrature
SHALLOW = 0.05  # shift by the mean depth over the full width below which the mean depth stands for its distribution
DEPTH_NODES = 4, 10, 12  # nodes of the depth: 4 + 10 x (shift over full width), 12 at most
DEEPEST = 5.0  # mean depths that the window includes: e^-5 of the intensity comes from below
BLOCK = 10_000  # numbers evaluated at a time, so that they stay in the cache of a processor
DERIVATIVE_STEP = 1e-6  # of the central differences of positions and widths, in the unit of each parameter
SAME_LINE = 1e-4  # relative difference of a wavelength from copper's K-alpha1 up to which it counts as copper's

#: Copper's K-alpha1 and K-alpha2: energy of the peak, and energy and share of the two Lorentzians that compose it [eV],
#: from Hoelzer et al. 1997, doi 10.1103/PhysRevA.56.4554.
COPPER_LINES = (
    (8047.8227, ((8047.837, 0.579 / 0.659), (8045.367, 0.080 / 0.659))),
    (8027.8416, ((8027.993, 0.236 / 0.341), (8026.504, 0.105 / 0.341))),
)

#: Values of the nonlinear parameters by name; arrays of shape (p, 1) for several values at a time.
Values = Mapping[str, float] | Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Phase:
    """Reflections of one phase and the columns that they belong to.

    Attributes
    ----------
    hkl : array of int, shape (n, 3)
    column : array of int, shape (n,)
        Index of the column that a reflection belongs to.
    share : array, shape (n,)
        Area of the reflection where the amplitude of its column is 1.
    cell : callable or tuple of float, optional
        Of a phase beside the main one: its cell as a function of the parameter values, or a cell that is not fitted.
    breadth : str or float, optional
        Lorentzian breadth x / cos beyond the instrument's of a phase beside the main one: name of the parameter, or x
        [degree] where it is not fitted. None: the widths of the main phase.
    weight : callable, optional
        Returns a factor on all areas from the parameter values; or one for each reflection.
    suffix : str
        Of the names of the parameters that the phase does not share, such as "_1" of "size_1".
    """

    hkl: np.ndarray
    column: np.ndarray
    share: np.ndarray
    cell: Callable[[Values], Sequence[float | np.ndarray]] | tuple[float, ...] | None = None
    breadth: str | float | None = None
    weight: Callable[[Values], float | np.ndarray] | None = None
    suffix: str = ""

    def own(self, values: Values) -> Values:
        """Return the parameter values with the phase's own under their common names."""
        return own_values(values, self.suffix)


def own_values(values: Values, suffix: str) -> Values:
    """Return parameter values with those of a suffix also under their names without it."""
    if not suffix:
        return values
    mine = {name.removesuffix(suffix): value for name, value in values.items() if name.endswith(suffix)}
    return {**values, **mine}  # type: ignore[return-value]


def spacings(hkl: np.ndarray, cell: Sequence[float | np.ndarray]) -> np.ndarray:
    """Return the spacing of lattice planes [angstrom] in a cell of a, b, c [angstrom], alpha, beta, gamma [degree].

    The result is of shape (n,), or (p, n) for p cells whose parameters are of shape (p, 1).
    """
    parameters = np.stack(np.broadcast_arrays(*cell), axis=-1)
    lengths, cosines = parameters[..., :3], np.cos(np.radians(parameters[..., 3:]))
    metric = lengths[..., None] * lengths[..., None, :]
    metric[..., [1, 0, 0], [2, 2, 1]] *= cosines
    metric[..., [2, 2, 1], [1, 0, 0]] *= cosines
    squares = ((hkl @ np.linalg.inv(metric)) * hkl).sum(axis=-1)  # 1 / d^2 = h G* h
    return 1 / np.sqrt(squares.reshape(*parameters.shape[:-2], len(hkl)))


def angles(d: np.ndarray, wavelength: float, values: Values, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Return Bragg angles two theta, and the shift of each by displacement, zero error and flat specimen [degree].

    Parameters
    ----------
    d : array
        Angstrom. A spacing below half the wavelength gets 180 degree.
    wavelength : float
        Angstrom.
    values : mapping
        "displacement" [mm], positive for a sample below the goniometer axis; "zero" [degree]; "flat" [degree^2].
    radius : float
        Of the goniometer, mm.

    Notes
    -----
    A beam of the divergence b in the equatorial plane meets a flat specimen off the focusing circle, which shifts the
    centroid of a reflection by -b^2 / 6 cot(theta) (Wilson 1963, Mathematical Theory of X-ray Powder Diffractometry);
    "flat" is b^2. The broadening by these shifts is left out: where it was fitted to silicon with few lines, it took up
    what the pseudo-Voigt function lacks, and moved the cell.
    """
    two_theta = np.degrees(2 * np.arcsin(np.minimum(wavelength / (2 * d), 1.0)))
    theta = np.radians(two_theta) / 2
    lowered = -np.degrees(2 * values.get("displacement", 0.0) / radius) * np.cos(theta)
    off_circle = -np.radians(values.get("flat", 0.0)) / 6 / np.tan(theta)
    return two_theta, lowered + off_circle + values.get("zero", 0.0)


def shape(two_theta: np.ndarray, phase: Phase, values: Values) -> tuple[np.ndarray, np.ndarray]:
    """Return full width at half maximum [degree] and mixing of a phase's profiles, without axial divergence."""
    size = values[phase.breadth or "size"] if not isinstance(phase.breadth, float) else phase.breadth
    strain = values["strain"] if phase.breadth is None else 0.0
    u, v, w, x, y = (values[name] for name in "uvwxy")
    return profile.voigt_approximation(*profile.component_widths(two_theta, u, v, w, x + size, y + strain))


def emission(wavelengths: Sequence[float]) -> list[tuple[float, int, float]]:
    """Return the Lorentzian lines of K-alpha1 and K-alpha2: wavelength [angstrom], 0 or 1, share in that of the two.

    Parameters
    ----------
    wavelengths : sequence of float
        Peak wavelengths of K-alpha1 and, where there is one, K-alpha2 [angstrom]. Copper's are asymmetric and consist
        of two lines each; other anodes have one line each.
    """
    if abs(wavelengths[0] * COPPER_LINES[0][0] / HC - 1) > SAME_LINE:
        return [(wavelength, which, 1.0) for which, wavelength in enumerate(wavelengths)]
    return [
        (wavelength * peak / energy, which, share)
        for which, (wavelength, (peak, parts)) in enumerate(zip(wavelengths, COPPER_LINES, strict=False))
        for energy, share in parts
    ]


@dataclass(frozen=True)
class _Copies:
    """Centres or tails of some profiles of a phase, each a sum of shifted copies of one pseudo-Voigt function.

    Attributes
    ----------
    reflections : array of int, shape (n,)
    points : array of int, shape (n, w)
        Indices of the points at which each is evaluated.
    two_theta : array, shape (n, w)
        Degree.
    kept : array of bool, shape (n, w)
        False where the other part (tail or centre) evaluates the profile.
    line : array of int, shape (s,)
        Of each copy: index of its reflection times the number of emission lines, plus index of its line.
    axial, depth : array, shape (s,)
        Shift of the copy per square of the axial divergence and per mean depth.
    sums : array, shape (3, n x lines, s)
        Weights of the sums over the copies of a line: plain, times `axial`, times `depth`.
    merged : array, shape (2 L + 4, 2 lines + 4)
        Linear map from the state with all L emission lines to the state with the lines used here.
    """

    reflections: np.ndarray
    points: np.ndarray
    two_theta: np.ndarray
    kept: np.ndarray
    line: np.ndarray
    axial: np.ndarray
    depth: np.ndarray
    sums: np.ndarray
    merged: np.ndarray


class DesignMatrix:
    """Design matrix of a pattern as a function of lattice, shift and widths.

    Parameters
    ----------
    two_theta : array, shape (m,)
        Degree, ascending.
    wavelengths : sequence of float
        K-alpha1 and, where there is one, K-alpha2 [angstrom].
    radius : float
        Of the goniometer, mm.
    phases : sequence of Phase
    cell : callable
        Returns the fitted cell from the parameter values.
    values : mapping of str to float
        Start values; they fix the windows and quadratures.
    """

    def __init__(
        self,
        two_theta: np.ndarray,
        wavelengths: Sequence[float],
        radius: float,
        phases: Sequence[Phase],
        cell: Callable[[Values], Sequence[float | np.ndarray]],
        values: Mapping[str, float],
    ) -> None:
        self.two_theta, self.wavelengths, self.radius = two_theta, wavelengths, radius
        self.phases, self.cell, self.lines = phases, cell, emission(wavelengths)
        self.count = 1 + max(int(phase.column.max()) for phase in phases)
        self.parts = [self._parts(phase, values) for phase in phases]

    def cell_of(self, phase: Phase, values: Values) -> Sequence[float | np.ndarray]:
        """Return the cell of a phase."""
        if callable(phase.cell):
            return phase.cell(values)
        return self.cell(values) if phase.cell is None else phase.cell

    def positions(self, phase: Phase, values: Values, wavelength: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the Bragg angles of a phase at K-alpha1, or another wavelength, and their shifts [degree]."""
        d = spacings(phase.hkl, self.cell_of(phase, values))
        return angles(d, wavelength or self.wavelengths[0], values, self.radius)

    def _depth_shift(self, two_theta: np.ndarray, values: Values) -> np.ndarray:
        """Return the mean shift to lower angles by transparency of the sample [degree].

        A layer at depth z is a sample displaced by z; the mean depth of absorption is `depth` x sin(theta).
        """
        return np.degrees(values["depth"] / self.radius) * np.sin(np.radians(two_theta))

    def _parts(self, phase: Phase, values: Mapping[str, float]) -> list[_Copies]:
        """Return centres, evaluated at every node, and tails, evaluated once at the mean shift of all nodes."""
        true, _ = self.positions(phase, values)
        ends = [sum(self.positions(phase, values, at)) for at in (self.wavelengths[0], self.wavelengths[-1])]
        fwhm, _ = shape(true, phase, phase.own(values))
        # "axial" is the squared divergence [degree^2]. At least 1 is assumed here: the fit may start from 0 and rise.
        divergence = np.radians(np.radians(max(abs(values["axial"]), 1.0)))
        spread = np.degrees(divergence) * 2 / np.sin(np.radians(true))
        lowered = np.abs(self._depth_shift(true, values))
        nodes = []
        counts = np.clip(spread / (NODE_DISTANCE * fwhm), FEWEST_NODES, MOST_NODES)
        few, slope, most = DEPTH_NODES
        for at, count, deep in zip(true, counts, lowered / fwhm, strict=True):
            axial, weight = profile.axial_divergence(at, int(count))
            # Absorption makes the depth exponentially distributed: n Gauss-Laguerre nodes have its first 2 n moments.
            depth, share = _laguerre(1 if deep < SHALLOW else min(few + int(slope * deep), most))
            both = np.repeat(axial, depth.size), np.tile(depth, weight.size), np.outer(weight, share).ravel()
            nodes.append(np.array(both))
        means = [np.append(part[:2] @ part[2], 1.0)[:, None] for part in nodes]
        near, far = (
            np.searchsorted(self.two_theta, [ends[0] - reach - smear, ends[1] + reach + smear])
            for smear in [spread + DEEPEST * lowered]
            for reach in (
                CENTRE_RANGE * fwhm,
                np.maximum((OTHER_RANGE if isinstance(phase.cell, tuple) else MAIN_RANGE) * fwhm, LEAST_RANGE),
            )
        )
        # In the tails the two lines of K-alpha1 are merged into one at their mean, and so are those of K-alpha2.
        which, share = (np.array(column) for column in list(zip(*self.lines, strict=True))[1:])
        one = which[:, None] == np.arange(which.max() + 1)
        merged = linalg.block_diag(one * share[:, None], one, np.eye(4))
        return [
            *self._copies(nodes, near, near[:, :0], np.eye(len(merged))),
            *self._copies(means, far, near, merged),
        ]

    def _copies(
        self, nodes: Sequence[np.ndarray], window: np.ndarray, hole: np.ndarray, merged: np.ndarray
    ) -> Iterator[_Copies]:
        """Yield copies of the emission lines of each reflection at its nodes, over a window without the hole in it.

        Reflections are grouped into blocks of at most about `BLOCK` numbers.
        """
        number = _line_count(merged)
        counts = np.array([part.shape[1] for part in nodes])
        block = np.cumsum(counts * (window[1] - window[0])) * number // BLOCK
        for of in (np.flatnonzero(block == at) for at in np.unique(block)):
            first, last = window[:, of, None]
            width = int(max((last - first).max(), 1))
            points = np.minimum(first, self.two_theta.size - width) + np.arange(width)
            kept = (points >= first) & (points < last)
            if hole.size:
                kept &= (points < hole[0, of, None]) | (points >= hole[1, of, None])
            axial, depth, weight = np.hstack([np.tile(nodes[i], number) for i in of.tolist()])
            rows = np.arange(of.size * number)
            line = np.repeat(rows, np.repeat(counts[of], number))
            plain = np.where(line == rows[:, None], weight, 0.0)
            sums = np.stack([plain, plain * axial, plain * depth])
            yield _Copies(of, points, self.two_theta[points], kept, line, axial, depth, sums, merged)

    def _state(self, phase: Phase, values: Values) -> np.ndarray:
        """Return what determines the profiles, shape (n, 2 L + 4).

        These are position and strength of each of L emission lines, width, mixing, shift by depth and divergence. For
        p values of each parameter, of shape (p, 1), the result is of shape (n, p, 2 L + 4).
        """
        ratio = values["kalpha2_ratio"] if len(self.wavelengths) > 1 else 0.0
        d = spacings(phase.hkl, self.cell_of(phase, values))
        weight = 1.0 if phase.weight is None else phase.weight(values)
        positions = [sum(angles(d, wavelength, values, self.radius)) for wavelength, *_ in self.lines]
        strengths = [weight * (1.0, ratio)[which] * share / (1 + ratio) for _, which, share in self.lines]
        true, _ = angles(d, self.wavelengths[0], values, self.radius)
        others = *shape(true, phase, phase.own(values)), self._depth_shift(true, values), np.radians(values["axial"])
        return np.moveaxis(np.stack(np.broadcast_arrays(*positions, *strengths, *others)), [0, -1], [-1, 0])

    def _arguments(self, part: _Copies, state: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return distance from the centre, width and mixing of each copy."""
        of = part.line // _line_count(state)
        fwhm, mixing, lowered, divergence = state[of, -4:].T
        position = state[:, : _line_count(state)].ravel()[part.line] + divergence * part.axial - lowered * part.depth
        return part.two_theta[of] - position[:, None], fwhm[:, None], mixing[:, None]

    def __call__(self, values: Values) -> np.ndarray:
        """Return the matrix, shape (m, count): the intensity of each column for an amplitude of 1."""
        columns = np.zeros((self.count, self.two_theta.size))
        for phase, parts in zip(self.phases, self.parts, strict=True):
            whole = self._state(phase, values)
            for part in parts:
                state = whole[part.reflections] @ part.merged
                number = _line_count(state)
                by_line = part.sums[0] @ profile.pseudo_voigt(*self._arguments(part, state))
                strengths = (phase.share[part.reflections, None] * state[:, number : 2 * number])[:, None]
                profiles = (strengths @ by_line.reshape(len(state), number, -1))[:, 0] * part.kept
                for column, points, added in zip(phase.column[part.reflections], part.points, profiles, strict=True):
                    columns[column, points[0] : points[0] + points.size] += added
        return columns.T

    def derivatives(
        self, values: Mapping[str, float], names: Sequence[str], amplitudes: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the derivatives of the matrix by parameters, summed over the columns and over the points.

        Parameters
        ----------
        values : mapping of str to float
        names : sequence of str
            Of the parameters.
        amplitudes : array, shape (count,)
        weights : array, shape (m,)

        Returns
        -------
        array, shape (m, len(names)); array, shape (count, len(names))
            Derivative of the matrix times `amplitudes`, and of the transposed matrix times `weights`.

        Notes
        -----
        The chain rule: positions, widths and mixing (`_state`) are differentiated numerically by the parameters, which
        is cheap; the profiles are differentiated analytically by their state.
        """
        of_points, of_columns = np.zeros((len(names), self.two_theta.size)), np.zeros((self.count, len(names)))
        steps = {
            name: DERIVATIVE_STEP * np.append(own := np.array(names) == name, -1.0 * own)[:, None] for name in values
        }
        stepped = {name: value + steps[name] for name, value in values.items()}
        for phase, parts in zip(self.phases, self.parts, strict=True):
            whole = self._state(phase, values)
            above, below = np.split(self._state(phase, stepped), 2, axis=1)
            moved = (above - below) / (2 * DERIVATIVE_STEP) * phase.share[:, None, None]
            for part in parts:
                of = part.reflections
                by_state = self._by_state(part, whole[of] @ part.merged)
                slopes = (moved[of] @ part.merged).astype(np.float32) @ (by_state * part.kept[:, None])
                np.add.at(of_columns, phase.column[of], (slopes @ weights[part.points][:, :, None])[:, :, 0])
                slopes = slopes * amplitudes[phase.column[of], None, None]
                for points, slope in zip(part.points, slopes, strict=True):
                    of_points[:, points[0] : points[0] + points.size] += slope
        return of_points.T, of_columns

    def _by_state(self, part: _Copies, state: np.ndarray) -> np.ndarray:
        """Return the derivatives of the profiles by each number of their state, shape (n, 2 lines + 4, w)."""
        number = _line_count(state)
        fwhm, mixing = (state[:, i, None, None] for i in (-4, -3))
        strengths = state[:, None, number : 2 * number]
        x, *shapes = self._arguments(part, state)
        # Single precision halves the time; it is enough for a Jacobian, which gives steps and standard errors.
        x, *shapes = (numbers.astype(np.float32) for numbers in (x, *shapes))
        fwhm, mixing, strengths = (numbers.astype(np.float32) for numbers in (fwhm, mixing, strengths))
        lorentzian, gaussian, by_position = profile.derivatives(x, *shapes)

        def lines(sums: np.ndarray, copies: np.ndarray) -> np.ndarray:
            return (sums @ copies).reshape(len(state), number, -1)

        plain, axial, depth = part.sums.astype(np.float32)
        value = mixing * (wide := lines(plain, lorentzian)) + (1 - mixing) * (narrow := lines(plain, gaussian))
        smeared = lines(depth, by_position), -lines(axial, by_position)
        others = (-(value + lines(plain, x * by_position)) / fwhm, wide - narrow, *smeared)
        by_line = -strengths.reshape(len(state), number, 1) * lines(plain, by_position)
        return np.concatenate([by_line, value, *(strengths @ each for each in others)], axis=1)


def _line_count(state: np.ndarray) -> int:
    """Return the number of emission lines in a state."""
    return (state.shape[1] - 4) // 2


_laguerre = cache(np.polynomial.laguerre.laggauss)
