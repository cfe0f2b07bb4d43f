"""A powder pattern as columns: one for each thing whose amount enters it linearly, given lattice, shift and widths."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coldbond.xrd import profile
from coldbond.xrd.reflections import HC

REACH = 30.0  # full widths at half maximum to which a profile is followed: 1 % of a Lorentzian lies beyond
LEAST = 1.0  # degree to which it is followed at the least
CENTRE = 6.0  # full widths about the centre within which a profile is smeared node by node
FINE = 0.4  # of a full width at half maximum: distance of the nodes that stand for axial divergence
NODES = 64  # at the most

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
        self.windows = [list(self._windows(phase, values)) for phase in phases]

    def positions(
        self, phase: Phase, values: Mapping[str, float], wavelength: float | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return Bragg's angles of a phase at K-alpha1, or another wavelength, and their shifts [degree]."""
        d = spacings(phase.hkl, self.cell(values) if phase.cell is None else phase.cell)
        return angles(d, wavelength or self.wavelengths[0], values, self.radius)

    def _sunk(self, two_theta: np.ndarray, values: Mapping[str, float]) -> np.ndarray:
        """Mean shift to lower angles by the depth at which a sample scatters [degree]."""
        return np.degrees(values["depth"] / self.radius) * np.sin(np.radians(two_theta))

    def _windows(self, phase: Phase, values: Mapping[str, float]) -> Iterator[tuple]:
        """For each reflection, points about it and about its centre; nodes of axial divergence, of depth, weights."""
        true, _ = self.positions(phase, values)
        first, last = (sum(self.positions(phase, values, at)) for at in (self.wavelengths[0], self.wavelengths[-1]))
        fwhm, _ = shape(true, phase, values)
        divergence = np.radians(np.radians(max(abs(values["axial"]), 1.0)))
        sunk = self._sunk(true, values)
        for i in range(true.size):
            spread = np.degrees(divergence) * 2 / np.sin(np.radians(true[i]))
            axial, weight = profile.axial(true[i], int(np.clip(spread / (FINE * fwhm[i]), 4, NODES)))
            # Depth, in units of its mean, is distributed exponentially: n nodes have its first 2 n moments.
            deep = abs(sunk[i]) / fwhm[i]
            depth, share = np.polynomial.laguerre.laggauss(1 if deep < 0.05 else min(4 + int(10 * deep), 12))
            smear = spread + 5 * abs(sunk[i])
            bounds = [
                slice(*np.searchsorted(self.two_theta, (first[i] - reach, last[i] + reach)))
                for reach in (max(REACH * fwhm[i], LEAST) + smear, CENTRE * fwhm[i] + smear)
            ]
            yield *bounds, np.repeat(axial, depth.size), np.tile(depth, weight.size), np.outer(weight, share).ravel()

    def __call__(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the columns, shape (m, count): intensity for an amount of 1."""
        columns = np.zeros((self.count, self.two_theta.size))
        ratio = values["kalpha2_ratio"] if len(self.wavelengths) > 1 else 0.0
        strength = np.array([(1.0, ratio)[which] * share / (1 + ratio) for _, which, share in self.lines])
        divergence = np.radians(values["axial"])
        for phase, windows in zip(self.phases, self.windows, strict=True):
            true, _ = self.positions(phase, values)
            fwhm, mixing = shape(true, phase, values)
            sunk = self._sunk(true, values)
            places = np.array([sum(self.positions(phase, values, wavelength)) for wavelength, *_ in self.lines])
            for i, (wide, centre, axial, depth, weight) in enumerate(windows):
                smear = divergence * axial - sunk[i] * depth
                into = np.empty(wide.stop - wide.start)
                # Far out only the Lorentzian is left, and the smearing no more than a shift of it.
                tails = self.two_theta[wide] - (places[:, i] + weight @ smear)[:, None]
                into[:] = strength @ (mixing[i] * 2 / np.pi / fwhm[i] / (1 + (tails * (2 / fwhm[i])) ** 2))
                at = (places[:, i, None] + smear).reshape(-1, 1)
                near = profile.pseudo_voigt(self.two_theta[centre] - at, fwhm[i], mixing[i])
                into[centre.start - wide.start : centre.stop - wide.start] = np.outer(strength, weight).ravel() @ near
                columns[phase.column[i], wide] += phase.share[i] * into
        return columns.T
