"""Whether a pattern is that of a reference: the same lattice type with the same intensities, wherever its lines lie."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy import stats

from coldbond.xrd.reflection_list import indices
from coldbond.xrd.reflections import reflections
from coldbond.xrd.structures import Structure

VISIBLE = 10.0  # of 100: reflections of the reference that must be seen
ALIKE = 0.8  # correlation of the intensities from which on they are called alike
CHANCE = 0.001  # probability that intensities of another structure correlate as well
FEWEST = 7  # lines: fewer could be in the order of the reference's intensities by chance
STRAY = 0.05  # of all that diffracts: what may stay unexplained
SHUFFLES = 5000


@dataclass(frozen=True)
class Match:
    """How far a pattern is that of a reference.

    Attributes
    ----------
    compared : xarray.Dataset
        Over `reflection`: `hkl`, `observed` and `observed_error`, `reference`, areas with the strongest of the
        reference as 100.
    correlation, low, high : float
        Of the intensities, with its 95 % interval.
    chance : float
        Probability that the same intensities in random order correlate as well.
    missing : list of str
        Reflections of the reference that are not seen, though they should.
    unexplained : float
        Share of the intensity of all peaks that neither main phase nor an expected one explains.
    strain : float
        Relative difference of the lattice parameters, from the reference.
    """

    compared: xr.Dataset
    correlation: float
    low: float
    high: float
    chance: float
    missing: list[str]
    unexplained: float
    strain: float

    @property
    def matches(self) -> bool:
        """Whether all lines of the reference are there with alike intensities, and next to nothing else is."""
        alike = self.low > 0 and self.correlation >= ALIKE and self.chance <= CHANCE
        return bool(alike and not self.missing and self.unexplained <= STRAY)


def match(fit: MinimizerResult, reference: Structure, unexplained: float = 0.0) -> Match:
    """Return how far the main phase of a pattern is the reference.

    Parameters
    ----------
    fit : MinimizerResult
        From `pawley.fit` with a main phase of the reference's space group: its reflections are then indexed by the
        reference's, and the intensities are free of any structure.
    reference : Structure
    unexplained : float
        Area of the peaks that no phase explains, intensity x degree.

    Raises
    ------
    ValueError
        Fewer than `FEWEST` lines can be compared.
    """
    found = fit.reflections
    known = reflections(reference, two_theta=(3.0, 170.0))
    strengths = dict(
        zip(map(tuple, indices(known).tolist()), known.relative_intensity.to_numpy().tolist(), strict=True)
    )
    groups: dict[float, list] = {}
    columns = (found[name].to_numpy().tolist() for name in ("two_theta", "area", "area_error"))
    for hkl, two_theta, *area in zip(map(tuple, indices(found).tolist()), *columns, strict=True):
        # reflections at one angle are one line
        groups.setdefault(round(two_theta, 2), []).append((hkl, *area, strengths.get(hkl, 0.0)))
    if len(groups) < FEWEST:
        raise ValueError(f"{len(groups)} lines are too few to tell the intensities of {reference.name} from chance")
    names = ["".join(map(str, max(rows, key=lambda row: row[3])[0])) for rows in groups.values()]
    observed, error, strength = (np.array([sum(row[i] for row in rows) for rows in groups.values()]) for i in (1, 2, 3))
    scale = observed.sum() / strength.sum()
    correlation = float(np.corrcoef(observed, strength)[0, 1])
    half = stats.norm.ppf(0.975) / np.sqrt(max(observed.size - 3, 1))
    low, high = np.tanh(np.arctanh(min(correlation, 1 - 1e-9)) + np.array([-half, half]))
    shuffled = np.random.default_rng(0).permuted(np.tile(observed, (SHUFFLES, 1)), axis=1)
    standard = (strength - strength.mean()) / np.linalg.norm(strength - strength.mean())
    by_chance = shuffled @ standard / np.linalg.norm(observed - observed.mean())
    missing = [n for n, o, e, s in zip(names, observed, error, strength, strict=True) if s > VISIBLE and o < 3 * e]
    total = float(np.maximum(observed, 0).sum()) + unexplained
    return Match(
        xr.Dataset(
            {
                "observed": ("reflection", observed / scale),
                "observed_error": ("reflection", error / scale),
                "reference": ("reflection", strength),
            },
            coords={"hkl": ("reflection", names)},
        ),
        correlation,
        float(low),
        float(high),
        float((np.sum(by_chance >= correlation) + 1) / (SHUFFLES + 1)),
        missing,
        unexplained / total,
        fit.params["a"].value / reference.cell[0] - 1,
    )
