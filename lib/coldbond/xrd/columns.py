"""A powder pattern as columns: one for each thing whose amount enters it linearly, given lattice, shift and widths."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coldbond.xrd import profile

REACH = 30.0  # full widths at half maximum to which a profile is followed: 1 % of a Lorentzian lies beyond
LEAST = 1.0  # degree to which it is followed at the least
NODES = 16  # at the most, to stand for the distribution of axial divergence


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
    """Return the spacing of lattice planes [angstrom] in a cell of a, b, c [angstrom], alpha, beta, gamma [degree]."""
    a, b, c = cell[:3]
    alpha, beta, gamma = np.cos(np.radians(cell[3:]))
    metric = np.array(
        [
            [a * a, a * b * gamma, a * c * beta],
            [a * b * gamma, b * b, b * c * alpha],
            [a * c * beta, b * c * alpha, c * c],
        ]
    )
    return 1 / np.sqrt(np.einsum("ni,ij,nj->n", hkl, np.linalg.inv(metric), hkl))


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
    depth : float
        Over which the beam's way in and out of the sample, at normal incidence, takes 1 - 1/e of it, if it had no pores [mm].
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
        depth: float,
        phases: Sequence[Phase],
        cell: Callable,
        values: Mapping[str, float],
    ) -> None:
        self.two_theta, self.wavelengths, self.radius, self.depth = two_theta, wavelengths, radius, depth
        self.phases, self.cell = phases, cell
        self.count = 1 + max(int(phase.column.max()) for phase in phases)
        # Windows and quadratures stay what they are at the start: the columns are smooth functions of the values.
        self.windows = [list(self._windows(phase, values)) for phase in phases]

    def _windows(self, phase: Phase, values: Mapping[str, float]) -> Iterator[tuple]:
        """For each reflection its first and last point, and the nodes for axial divergence and for transparency."""
        positions = self.positions(phase, values)
        true, shift = positions[0]
        fwhm, _ = shape(true, phase, values)
        divergence = np.degrees(max(values["axial"], 0.02) ** 2)
        sunk = self._sunk(true, values)
        for i in range(true.size):
            spread = divergence * np.ptp(profile.axial(true[i], NODES)[0])
            axial, weight = profile.axial(true[i], int(np.clip(2 + 2 * spread / fwhm[i], 3, NODES)))
            # Depth, in units of its mean, is distributed exponentially: two nodes have its first four moments.
            depth, share = np.polynomial.laguerre.laggauss(2 if sunk[i] > fwhm[i] / 20 else 1)
            reach = max(REACH * fwhm[i], LEAST) + spread + 5 * sunk[i]
            last = positions[-1][0][i] + positions[-1][1][i]
            start, stop = np.searchsorted(self.two_theta, (true[i] + shift[i] - reach, last + reach))
            axial = np.degrees(np.repeat(axial, depth.size))
            yield int(start), int(stop), axial, np.tile(depth, weight.size), np.outer(weight, share).ravel()

    def _sunk(self, two_theta: np.ndarray, values: Mapping[str, float]) -> np.ndarray:
        """Mean shift to lower angles by the depth at which a sample scatters [degree]."""
        return np.degrees(self.depth / values["packing"] / self.radius) * np.sin(np.radians(two_theta))

    def positions(self, phase: Phase, values: Mapping[str, float]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return, for each wavelength, the angles of a phase's reflections and their shifts [degree]."""
        d = spacings(phase.hkl, self.cell(values) if phase.cell is None else phase.cell)
        return [angles(d, wavelength, values, self.radius) for wavelength in self.wavelengths]

    def __call__(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the columns, shape (m, count): intensity for an amount of 1."""
        columns = np.zeros((self.count, self.two_theta.size))
        ratio = values["kalpha2_ratio"] if len(self.wavelengths) > 1 else 0.0
        divergence = values["axial"] ** 2
        for phase, windows in zip(self.phases, self.windows, strict=True):
            positions = self.positions(phase, values)
            fwhm, mixing = shape(positions[0][0], phase, values)
            sunk = self._sunk(positions[0][0], values)
            for i, (start, stop, axial, depth, weight) in enumerate(windows):
                smear = divergence * axial - sunk[i] * depth
                at = np.concatenate([true[i] + shift[i] + smear for true, shift in positions])
                area = np.concatenate([weight, ratio * weight][: len(positions)]) * (phase.share[i] / (1 + ratio))
                window = self.two_theta[start:stop]
                columns[phase.column[i], start:stop] += area @ profile.pseudo_voigt(
                    window - at[:, None], fwhm[i], mixing[i]
                )
        return columns.T
