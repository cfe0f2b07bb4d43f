"""A powder pattern as columns: one for each thing whose amount enters it linearly, given lattice, shift and widths."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import linalg

from coldbond.xrd import profile
from coldbond.xrd.reflections import HC

REACH = 30.0  # full widths at half maximum to which a profile is followed: 1 % of a Lorentzian lies beyond
BESIDE = 10.0  # of a phase beside the main one, which is weaker
LEAST = 1.0  # degree to which it is followed at the least
CENTRE = 6.0  # full widths about the centre within which a profile is smeared node by node
FINE = 0.4  # of a full width at half maximum: distance of the nodes that stand for axial divergence
NODES = 64  # at the most
BLOCK = 10_000  # numbers that are worked on at a time: they stay in a processor's cache
STEP = 1e-6  # by which a parameter is changed, in its unit, to see where the profiles move

#: Copper's K-alpha1 and K-alpha2: energy of the peak, and energy and share of the two Lorentzians that make it [eV],
#: from Hoelzer et al. 1997, doi 10.1103/PhysRevA.56.4554.
COPPER = (
    (8047.8227, ((8047.837, 0.579 / 0.659), (8045.367, 0.080 / 0.659))),
    (8027.8416, ((8027.993, 0.236 / 0.341), (8026.504, 0.105 / 0.341))),
)


@dataclass(frozen=True)
class Phase:
    """Reflections of one phase and the columns that they belong to.

    Attributes
    ----------
    hkl : array of int, shape (n, 3)
    column : array of int, shape (n,)
        Which column a reflection is part of.
    share : array, shape (n,)
        Area of the reflection where its column's amount is 1.
    cell : tuple of float, optional
        Of a phase whose cell is not fitted.
    breadth : float, optional
        Lorentzian breadth x / cos beyond the instrument's, x [degree], of a phase whose breadth is not fitted.
    """

    hkl: np.ndarray
    column: np.ndarray
    share: np.ndarray
    cell: tuple[float, ...] | None = None
    breadth: float | None = None


def spacings(hkl: np.ndarray, cell: Sequence[float]) -> np.ndarray:
    """Return the spacing of lattice planes [angstrom] in a cell of a, b, c [angstrom], alpha, beta, gamma [degree].

    For several cells, each of shape (p, 1), it is of shape (p, n).
    """
    cell = np.stack(np.broadcast_arrays(*cell), axis=-1)
    lengths, cosines = cell[..., :3], np.cos(np.radians(cell[..., 3:]))
    metric = lengths[..., None] * lengths[..., None, :]
    metric[..., [1, 0, 0], [2, 2, 1]] *= cosines
    metric[..., [2, 2, 1], [1, 0, 0]] *= cosines
    squares = ((hkl @ np.linalg.inv(metric)) * hkl).sum(axis=-1)
    return 1 / np.sqrt(squares.reshape(*cell.shape[:-2], len(hkl)))


def angles(
    d: np.ndarray, wavelength: float, values: Mapping[str, float], radius: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return Bragg's scattering angles [degree], and how far off them the geometry sets the pattern.

    Parameters
    ----------
    d : array
        Angstrom. The angle of a spacing below half the wavelength is 180 degree.
    wavelength : float
        Angstrom.
    values : mapping
        "displacement" [mm], positive for a sample below the axis, or "zero" [degree].
    radius : float
        Of the goniometer, mm.
    """
    two_theta = np.degrees(2 * np.arcsin(np.minimum(wavelength / (2 * d), 1.0)))
    lowered = -np.degrees(2 * values.get("displacement", 0.0) / radius) * np.cos(np.radians(two_theta) / 2)
    return two_theta, lowered + values.get("zero", 0.0)


def shape(two_theta: np.ndarray, phase: Phase, values: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return full width at half maximum [degree] and mixing of a phase's profiles, without axial divergence."""
    size = values["size"] if phase.breadth is None else phase.breadth
    strain = values["strain"] if phase.breadth is None else 0.0
    u, v, w, x, y = (values[name] for name in "uvwxy")
    return profile.mixed(*profile.widths(two_theta, u, v, w, x + size, y + strain))


def emission(wavelengths: Sequence[float]) -> list[tuple[float, int, float]]:
    """Return the lines that K-alpha1 and K-alpha2 consist of: wavelength [angstrom], which of the two, share in it.

    Parameters
    ----------
    wavelengths : sequence of float
        K-alpha1 and, where there is one, K-alpha2 [angstrom], of their peaks. Copper's are lopsided; each is two lines.
    """
    if abs(wavelengths[0] * COPPER[0][0] / HC - 1) > 1e-4:
        return [(wavelength, which, 1.0) for which, wavelength in enumerate(wavelengths)]
    return [
        (wavelength * peak / energy, which, share)
        for which, (wavelength, (peak, parts)) in enumerate(zip(wavelengths, COPPER, strict=False))
        for energy, share in parts
    ]


@dataclass(frozen=True)
class _Copies:
    """The centres or the tails of a few profiles of a phase: shifted copies of one function that add up.

    Attributes
    ----------
    reflections : array of int, shape (n,)
    points : array of int, shape (n, w)
        Where each is evaluated.
    two_theta : array, shape (n, w)
        Degree.
    kept : array of bool, shape (n, w)
        False where the other part has the profile.
    line : array of int, shape (s,)
        Of each copy: its reflection times the number of emission lines, plus its line.
    axial, depth : array, shape (s,)
        Its shift per square of the axial divergence and per mean depth.
    sums : array, shape (3, n x lines, s)
        Weighted sums over the copies of a line: plain, times `axial`, times `depth`.
    merged : array, shape (2 L + 4, 2 lines + 4)
        What makes the state of these lines of that of all L.
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


class Columns:
    """The columns as a function of lattice, shift and widths, over windows and quadratures fixed at the start.

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
        Returns the fitted cell from the values.
    values : mapping of str to float
        The start.
    """

    def __init__(
        self,
        two_theta: np.ndarray,
        wavelengths: Sequence[float],
        radius: float,
        phases: Sequence[Phase],
        cell: Callable,
        values: Mapping[str, float],
    ) -> None:
        self.two_theta, self.wavelengths, self.radius = two_theta, wavelengths, radius
        self.phases, self.cell, self.lines = phases, cell, emission(wavelengths)
        self.count = 1 + max(int(phase.column.max()) for phase in phases)
        # Windows and quadratures stay what they are at the start: the columns are smooth functions of the values.
        self.parts = [self._parts(phase, values) for phase in phases]

    def positions(
        self, phase: Phase, values: Mapping[str, float], wavelength: float | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return Bragg's angles of a phase at K-alpha1, or another wavelength, and their shifts [degree]."""
        d = spacings(phase.hkl, self.cell(values) if phase.cell is None else phase.cell)
        return angles(d, wavelength or self.wavelengths[0], values, self.radius)

    def _sunk(self, two_theta: np.ndarray, values: Mapping[str, float]) -> np.ndarray:
        """Mean shift to lower angles by the depth at which a sample scatters [degree]."""
        return np.degrees(values["depth"] / self.radius) * np.sin(np.radians(two_theta))

    def _parts(self, phase: Phase, values: Mapping[str, float]) -> list[_Copies]:
        """Centres, smeared node by node, and tails, of which only a Lorentzian is left, shifted by the smearing."""
        true, _ = self.positions(phase, values)
        ends = [sum(self.positions(phase, values, at)) for at in (self.wavelengths[0], self.wavelengths[-1])]
        fwhm, _ = shape(true, phase, values)
        divergence = np.radians(np.radians(max(abs(values["axial"]), 1.0)))
        spread = np.degrees(divergence) * 2 / np.sin(np.radians(true))
        sunk = np.abs(self._sunk(true, values))
        nodes = []
        for at, count, deep in zip(true, np.clip(spread / (FINE * fwhm), 4, NODES), sunk / fwhm, strict=True):
            axial, weight = profile.axial(at, int(count))
            # Depth, in units of its mean, is distributed exponentially: n nodes have its first 2 n moments.
            depth, share = _laguerre(1 if deep < 0.05 else min(4 + int(10 * deep), 12))
            both = np.repeat(axial, depth.size), np.tile(depth, weight.size), np.outer(weight, share).ravel()
            nodes.append(np.array(both))
        means = [np.append(part[:2] @ part[2], 1.0)[:, None] for part in nodes]
        near, far = (
            np.searchsorted(self.two_theta, [ends[0] - reach - smear, ends[1] + reach + smear])
            for smear in [spread + 5 * sunk]
            for reach in (CENTRE * fwhm, np.maximum((REACH if phase.cell is None else BESIDE) * fwhm, LEAST))
        )
        # Far out the lines of which K-alpha1 consists are one, and so are those of K-alpha2.
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
        """Copies of each reflection's emission lines at its nodes, over a window but for a hole in it."""
        number = _lines(merged)
        counts = np.array([part.shape[1] for part in nodes])
        block = np.cumsum(counts * (window[1] - window[0])) * number // BLOCK
        for of in (np.flatnonzero(block == at) for at in np.unique(block)):
            first, last = window[:, of, None]
            width = int(max((last - first).max(), 1))
            points = np.minimum(first, self.two_theta.size - width) + np.arange(width)
            kept = (points >= first) & (points < last)
            if hole.size:
                kept &= (points < hole[0, of, None]) | (points >= hole[1, of, None])
            axial, depth, weight = np.hstack([np.tile(nodes[i], number) for i in of])
            rows = np.arange(of.size * number)
            line = np.repeat(rows, np.repeat(counts[of], number))
            plain = np.where(line == rows[:, None], weight, 0.0)
            sums = np.stack([plain, plain * axial, plain * depth])
            yield _Copies(of, points, self.two_theta[points], kept, line, axial, depth, sums, merged)

    def _state(self, phase: Phase, values: Mapping[str, float]) -> np.ndarray:
        """Place and strength of each emission line, width, mixing, depth, divergence; shape (n, 2 L + 4).

        For several values of each parameter, of shape (p, 1), it is of shape (n, p, 2 L + 4).
        """
        ratio = values["kalpha2_ratio"] if len(self.wavelengths) > 1 else 0.0
        d = spacings(phase.hkl, self.cell(values) if phase.cell is None else phase.cell)
        places = [sum(angles(d, wavelength, values, self.radius)) for wavelength, *_ in self.lines]
        strengths = [(1.0, ratio)[which] * share / (1 + ratio) for _, which, share in self.lines]
        true, _ = angles(d, self.wavelengths[0], values, self.radius)
        rest = *shape(true, phase, values), self._sunk(true, values), np.radians(values["axial"])
        return np.moveaxis(np.stack(np.broadcast_arrays(*places, *strengths, *rest)), [0, -1], [-1, 0])

    def _arguments(self, part: _Copies, state: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Distance from the centre, width and mixing of each copy."""
        of = part.line // _lines(state)
        fwhm, mixing, sunk, divergence = state[of, -4:].T
        place = state[:, : _lines(state)].ravel()[part.line] + divergence * part.axial - sunk * part.depth
        return part.two_theta[of] - place[:, None], fwhm[:, None], mixing[:, None]

    def __call__(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the columns, shape (m, count): intensity for an amount of 1."""
        columns = np.zeros((self.count, self.two_theta.size))
        for phase, parts in zip(self.phases, self.parts, strict=True):
            whole = self._state(phase, values)
            for part in parts:
                state = whole[part.reflections] @ part.merged
                number = _lines(state)
                by_line = part.sums[0] @ profile.pseudo_voigt(*self._arguments(part, state))
                strengths = (phase.share[part.reflections, None] * state[:, number : 2 * number])[:, None]
                profiles = (strengths @ by_line.reshape(len(state), number, -1))[:, 0] * part.kept
                for column, points, added in zip(phase.column[part.reflections], part.points, profiles, strict=True):
                    columns[column, points[0] : points[0] + points.size] += added
        return columns.T

    def slopes(
        self, values: Mapping[str, float], names: Sequence[str], amounts: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return how the columns change with parameters, summed over the columns and over the points.

        Parameters
        ----------
        values : mapping of str to float
        names : sequence of str
            Of the parameters.
        amounts : array, shape (count,)
        weights : array, shape (m,)

        Returns
        -------
        array, shape (m, len(names)); array, shape (count, len(names))
            The change of the columns times `amounts`, and of the transposed columns times `weights`.
        """
        of_points, of_columns = np.zeros((len(names), self.two_theta.size)), np.zeros((self.count, len(names)))
        steps = {name: STEP * np.append(way := np.array(names) == name, -1.0 * way)[:, None] for name in values}
        several = {name: value + steps[name] for name, value in values.items()}
        for phase, parts in zip(self.phases, self.parts, strict=True):
            whole = self._state(phase, values)
            above, below = np.split(self._state(phase, several), 2, axis=1)
            moved = (above - below) / (2 * STEP) * phase.share[:, None, None]
            for part in parts:
                of = part.reflections
                by_state = self._by_state(part, whole[of] @ part.merged)
                slopes = (moved[of] @ part.merged).astype(np.float32) @ (by_state * part.kept[:, None])
                np.add.at(of_columns, phase.column[of], (slopes @ weights[part.points][:, :, None])[:, :, 0])
                slopes = slopes * amounts[phase.column[of], None, None]
                for points, slope in zip(part.points, slopes, strict=True):
                    of_points[:, points[0] : points[0] + points.size] += slope
        return of_points.T, of_columns

    def _by_state(self, part: _Copies, state: np.ndarray) -> np.ndarray:
        """How the profiles change with each number of their state, shape (n, 2 lines + 4, w)."""
        number = _lines(state)
        fwhm, mixing = (state[:, i, None, None] for i in (-4, -3))
        strengths = state[:, None, number : 2 * number]
        x, *shapes = self._arguments(part, state)
        # in single precision, which is enough to say where to go and how far off one may be
        x, *shapes = (numbers.astype(np.float32) for numbers in (x, *shapes))
        fwhm, mixing, strengths = (numbers.astype(np.float32) for numbers in (fwhm, mixing, strengths))
        lorentzian, gaussian, by_place = profile.slopes(x, *shapes)

        def lines(sums: np.ndarray, copies: np.ndarray) -> np.ndarray:
            return (sums @ copies).reshape(len(state), number, -1)

        plain, axial, depth = part.sums.astype(np.float32)
        value = mixing * (wide := lines(plain, lorentzian)) + (1 - mixing) * (narrow := lines(plain, gaussian))
        smeared = lines(depth, by_place), -lines(axial, by_place)
        rest = (-(value + lines(plain, x * by_place)) / fwhm, wide - narrow, *smeared)
        by_line = -strengths.reshape(len(state), number, 1) * lines(plain, by_place)
        return np.concatenate([by_line, value, *(strengths @ each for each in rest)], axis=1)


def _lines(state: np.ndarray) -> int:
    """Number of emission lines in a state."""
    return (state.shape[1] - 4) // 2


_laguerre = cache(np.polynomial.laguerre.laggauss)
