"""Lines of a phase that is looked for beside the main phase, and what was found of it."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from coldbond.interval import Interval
from coldbond.xrd.reflections import march, reflections
from coldbond.xrd.residual_pattern import ResidualPattern
from coldbond.xrd.structures import Structure

WEAKEST_LINE = 2.0  # of 100: weaker lines of a minor phase are left out


@dataclass(frozen=True)
class PhaseLines:
    """Lines of a phase within the range of a pattern.

    Attributes
    ----------
    structure : Structure
    d : array, shape (n,)
        Angstrom.
    hkl : list of str
    powder : array, shape (n,)
        Intensity without texture, strongest = 1.
    cosine_squared : array, shape (n, planes)
        As in `reflections.reflections`.
    absolute, volume, mass : float
        Of the strongest line and of the cell, as in `reflections.reflections`.
    """

    structure: Structure
    d: np.ndarray
    hkl: list[str]
    powder: np.ndarray
    cosine_squared: np.ndarray
    absolute: float
    volume: float
    mass: float

    def positions(self, residuals: ResidualPattern, strain: float) -> np.ndarray:
        """Return the angles of the lines in the pattern [degree] for a cell larger by a relative strain."""
        sine = np.minimum(residuals.wavelengths[0] / (2 * self.d * (1 + strain)), 1.0)
        bragg = np.degrees(2 * np.arcsin(sine))
        return bragg + np.interp(bragg, residuals.two_theta, residuals.shift)

    def intensity(self, texture: float) -> np.ndarray:
        """Return the intensities for a March coefficient, shape (n,); the strongest line without texture has 1."""
        return self.powder * march(self.cosine_squared, texture)

    def pattern(self, residuals: ResidualPattern, strain: float, breadth: float, texture: float = 1.0) -> np.ndarray:
        """Return the phase over the uncertainty, shape (m,), for an area of 1 of the strongest line without texture."""
        positions, intensity = self.positions(residuals, strain)[None], self.intensity(texture)[None]
        return residuals.sums_of_peaks(positions, np.array([breadth]), intensity)[:, 0]


def lines(structure: Structure, residuals: ResidualPattern) -> PhaseLines:
    """Return the lines of a phase that lie in the range of a pattern and are above `WEAKEST_LINE`."""
    span = float(residuals.two_theta[0]), float(residuals.two_theta[-1])
    return _lines(structure, residuals.wavelengths[0], span)


@lru_cache
def _lines(structure: Structure, wavelength: float, span: tuple[float, float]) -> PhaseLines:
    found = reflections(structure, wavelength, span)
    found = found.isel(reflection=(found.relative_intensity >= WEAKEST_LINE).to_numpy())
    names = ["".join(str(i) for i in hkl) for hkl in zip(*(found[n].to_numpy() for n in "hkl"), strict=True)]
    return PhaseLines(
        structure,
        found.d.to_numpy(),
        names,
        found.relative_intensity.to_numpy() / 100,
        found.cosine_squared.to_numpy(),
        float(found.absolute_intensity.max()),
        found.attrs["volume"],
        found.attrs["mass"],
    )


NO_AREA = Interval(0.0)  # of a phase that no trial has been held against


@dataclass
class Detection:
    """Result for one phase that was looked for.

    Attributes
    ----------
    lines : PhaseLines
    present : bool
    area : Interval
        Of its strongest line without texture [intensity x degree]; for a phase that is not present the best estimate at
        the tabulated cell, without bounds.
    limit : float
        95 % upper limit of the area, over all cells, breadths and textures in their ranges.
    strain, breadth, texture : float
        Relative change of the cell, Lorentzian breadth x of x / cos [degree], March coefficient.
    significance, threshold : float
        Standard deviations at the best cell and breadth, and those that noise reaches with the probability
        `FALSE_ALARM`.
    rivals : dict of str to float
        Phases that explain the same peaks, with the increase of chi square.
    indistinguishable : list of str
        Phases that explain the same peaks equally well: one of them is present.
    missing : list of str
        Lines whose absence excludes the phase, even with texture.
    doubt : str
        Why a phase that is not present cannot be excluded either, although it is significant.
    """

    lines: PhaseLines
    present: bool = False
    area: Interval = NO_AREA
    limit: float = np.inf
    strain: float = 0.0
    breadth: float = 0.0
    texture: float = 1.0
    significance: float = 0.0
    threshold: float = 0.0
    rivals: dict[str, float] = field(default_factory=dict)
    indistinguishable: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    doubt: str = ""

    @property
    def best_area(self) -> float:
        """Area that fits best [intensity x degree]."""
        return self.area.value or 0.0

    @property
    def shape(self) -> tuple[float, float, float]:
        """Strain, breadth and texture."""
        return self.strain, self.breadth, self.texture

    def positions(self, residuals: ResidualPattern) -> np.ndarray:
        """Return the angles of the lines at the fitted cell, degree."""
        return self.lines.positions(residuals, self.strain)

    def intensity(self) -> np.ndarray:
        """Return the intensities of the lines at the fitted texture, shape (n,)."""
        return self.lines.intensity(self.texture)
