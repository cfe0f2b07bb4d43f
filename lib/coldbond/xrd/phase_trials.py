"""Trial patterns of a phase: every cell within the range of its structure, several breadths and textures.

They are correlated with the residuals. The significance that noise reaches in any of them is Davies' bound (1987, doi
10.1093/biomet/74.1.33).
"""

from typing import NamedTuple

import numpy as np
from scipy import optimize, sparse, special

from coldbond.interval import NORMAL_ONE_SIDED
from coldbond.xrd.phase_lines import PhaseLines
from coldbond.xrd.residual_pattern import TRIAL_SIZES, ResidualPattern

#: Distance of trial cells in full widths at the highest angle, and most of them.
CELL_SPACING, MOST_CELLS = 0.5, 41
#: Crystallite sizes tried, nm, and the smallest: several lines together stand out of the background where one peak as
#: broad does not.
PHASE_SIZES, SMALLEST_PHASE_SIZE = (*TRIAL_SIZES, 7.0), 5.0
#: March coefficients tried for a phase with a habit. The patterns of neighbours have correlations of 0.85 or more.
TRIAL_TEXTURES = (0.4, 0.65, 1.0, 1.7)
#: Share of the squared norm that the nuisance space leaves of a trial pattern, below which it determines nothing.
HIDDEN_SHARE = 1e-6


class Trial(NamedTuple):
    """Significance of a trial and its relative change of the cell, breadth x / cos [degree] and March coefficient."""

    significance: float
    strain: float
    breadth: float
    texture: float


class Trials:
    """Trial patterns of one phase.

    They are correlated with one residual pattern after the other, each with more in its nuisance space.
    """

    def __init__(self, residuals: ResidualPattern, lines: PhaseLines, false_alarm: float) -> None:
        # Derivative of the highest angle by the strain [degree]: there the cells must lie closest.
        steepest = 2 * np.degrees(np.tan(np.radians(residuals.two_theta[-1]) / 2))
        uncertainty = lines.structure.uncertainty
        textures = TRIAL_TEXTURES if lines.structure.texture_axis else (1.0,)
        intensities = np.array([lines.intensity(texture) for texture in textures])
        self.trials: list[tuple[float, float, float]] = []
        patterns = []
        for breadth in map(residuals.scherrer_breadth, PHASE_SIZES):
            fwhm = float(residuals.fwhm(residuals.two_theta[-1], breadth)[0])
            count = 2 * int(np.ceil(uncertainty * steepest / (CELL_SPACING * fwhm))) + 1
            strains = np.linspace(-1, 1, min(count, MOST_CELLS)) * uncertainty
            positions = np.array([lines.positions(residuals, strain) for strain in strains])
            peaks = residuals.peak_profiles(positions.ravel(), breadth)
            whole = (peaks @ sparse.kron(sparse.eye(strains.size), intensities.T, format="csc")).toarray()
            whole = whole.reshape(-1, strains.size, len(textures))
            for i, texture in enumerate(textures):
                # Back and forth over the cells: neighbours in the list differ little, as the length of the path
                # requires.
                order = np.arange(strains.size)[:: (-1) ** i]
                self.trials += [(float(strains[at]), breadth, texture) for at in order]
                patterns.append(whole[:, order, i])
        self.patterns = np.hstack(patterns)
        hidden = residuals.nuisance.T @ self.patterns
        self.whole = (self.patterns**2).sum(axis=0)
        self.left = self.whole - (hidden**2).sum(axis=0)
        self.projected_out = residuals.nuisance.shape[1]
        norms = self._norms(residuals)
        products = (self.patterns[:, 1:] * self.patterns[:, :-1]).sum(axis=0) - (hidden[:, 1:] * hidden[:, :-1]).sum(0)
        cosines = products / (norms[1:] * norms[:-1])  # 0 where a trial has no line in the range
        length = np.arccos(np.clip(cosines, -1, 1))[cosines != 0].sum()

        def chance(significance: float) -> float:
            """Davies' bound: one trial, and the rate of upcrossings along the path of unit vectors."""
            return special.ndtr(-significance) + length / (2 * np.pi) * np.exp(-(significance**2) / 2)

        self.threshold = float(optimize.brentq(lambda x: chance(x) - false_alarm, 0, 40))

    def best(self, residuals: ResidualPattern) -> Trial:
        """Return the most significant trial."""
        significance = self.patterns.T @ residuals.normalised / self._norms(residuals)
        at = int(significance.argmax())
        return Trial(float(significance[at]), *self.trials[at])

    def limit(self, residuals: ResidualPattern) -> tuple[float, float]:
        """Return the area at the tabulated cell, and the 95 % upper limit of the area over all trials."""
        norms = self._norms(residuals)
        if not np.isfinite(norms).any():
            return 0.0, np.inf  # everything is hidden: any amount could be there
        areas, errors = self.patterns.T @ residuals.normalised / norms**2, 1 / norms
        tabulated = min(range(norms.size), key=lambda i: (abs(self.trials[i][2] - 1), abs(self.trials[i][0])))
        # An area is not negative: a limit below that of an empty pattern would claim what the noise has taken away.
        highest = np.maximum(areas, 0) + NORMAL_ONE_SIDED * errors
        return float(areas[tabulated]), float(highest.max())

    def _norms(self, residuals: ResidualPattern) -> np.ndarray:
        """Return the norms of the projected patterns; infinite where next to nothing is left."""
        new = residuals.nuisance[:, self.projected_out :]
        self.left = self.left - ((new.T @ self.patterns) ** 2).sum(axis=0)
        self.projected_out = residuals.nuisance.shape[1]
        return np.sqrt(np.where(self.left <= HIDDEN_SHARE * self.whole, np.inf, self.left))
