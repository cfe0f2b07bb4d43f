"""Reference match: whether a pattern has the reflections and the intensities of a reference structure.

Positions are not compared, so that a phase of the same structure type with another cell matches. The intensities of a
whole-pattern fit, free of any structure, are correlated with the calculated ones of the reference. The p value of the
correlation is that of a permutation test: the share of random orders of the observed intensities that correlate as
well. A match further needs every strong reflection of the reference, hardly any intensity in unexplained peaks, and a
fit that describes the pattern. Chi square alone does not tell: a profile function is never perfect, and good patterns
counted for long have 2 to 6. The intensity that the fit misses beyond noise does (`likely_cause.misfit`).
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.interval import NORMAL, Interval
from coldbond.xrd.likely_cause import NOT_DESCRIBED, misfit
from coldbond.xrd.reflection_list import indices
from coldbond.xrd.reflections import reflections
from coldbond.xrd.structures import Structure

#: Intensity of the reference, of 100, above which a reflection must be seen.
REQUIRED_INTENSITY = 10.0
#: Area over its standard error above which a reflection is seen.
SEEN = 3.0
#: Least correlation of the intensities of a match, chosen by us: two garnets with different atoms on one site have more
#: than 0.9, a garnet with its heavy atoms on other sites less than 0.5.
LEAST_CORRELATION = 0.8
#: Largest p value of the correlation of a match.
SIGNIFICANCE = 0.001
#: Fewest lines that can be compared: the intensities of 6 lines have the reference's order by chance once in 720.
FEWEST_LINES = 7
#: Largest share of the intensity in peaks that no phase explains, chosen by us.
MOST_UNEXPLAINED = 0.05
#: Share of the intensity that the fit misses up to which a pattern is described: measured standards have up to 0.03.
#: From `likely_cause.NOT_DESCRIBED` on it is not; in between it cannot be told.
MOST_MISFIT = 0.05
PERMUTATIONS = 5000  # of the test: the least p value is 0.0002
SAME_ANGLE = 2  # decimals of two theta [degree]: reflections with equal ones are one line


@dataclass(frozen=True)
class ReferenceMatch:
    """Comparison of a pattern with a reference.

    Attributes
    ----------
    compared : xarray.Dataset
        Over `reflection`: `hkl`, `observed` and `observed_error`, `reference`, areas with the strongest of the
        reference as 100.
    correlation : Interval
        Of the intensities.
    p_value : float
        Probability that the observed intensities in random order correlate as well.
    missing : list of str
        Reflections above `REQUIRED_INTENSITY` that are not seen.
    unexplained : float
        Share of the intensity of all peaks that neither the main phase nor another phase explains.
    strain : float
        Relative difference of the lattice parameter a from the reference.
    misfit : float
        Share of the intensity that the fit misses, from `likely_cause.misfit`.
    """

    compared: xr.Dataset
    correlation: Interval
    p_value: float
    missing: list[str]
    unexplained: float
    strain: float
    misfit: float

    def is_match(
        self,
        least_correlation: float = LEAST_CORRELATION,
        significance: float = SIGNIFICANCE,
        most_unexplained: float = MOST_UNEXPLAINED,
        most_misfit: float = MOST_MISFIT,
    ) -> bool | None:
        """Return whether the pattern is that of the reference; None where the fit describes it too poorly to tell.

        Parameters
        ----------
        least_correlation : float
            Of the intensities; the lower bound of the correlation must also be positive.
        significance : float
            Largest p value of the correlation.
        most_unexplained : float
            Largest share of the intensity in peaks that no phase explains.
        most_misfit : float
            Largest share of the intensity that the fit misses.
        """
        value, low, _ = self.correlation
        alike = value is not None and value >= least_correlation and low is not None and low > 0
        match = alike and self.p_value <= significance and not self.missing and self.unexplained <= most_unexplained
        if match and most_misfit < self.misfit <= NOT_DESCRIBED:
            return None
        return bool(match and self.misfit <= NOT_DESCRIBED)


def compare_with_reference(
    fit: MinimizerResult, reference: Structure, unexplained: float = 0.0, permutations: int = PERMUTATIONS
) -> ReferenceMatch:
    """Return how well the main phase of a pattern agrees with a reference.

    Parameters
    ----------
    fit : MinimizerResult
        From `pawley.fit` with a main phase of the reference's space group, so that both have the same indices.
    reference : Structure
    unexplained : float
        Area of the peaks that no phase explains, intensity x degree.
    permutations : int
        Random orders of the permutation test.

    Raises
    ------
    ValueError
        Fewer than `FEWEST_LINES` lines can be compared.
    """
    names, observed, error, calculated = _paired_lines(fit.reflections, reference)
    if observed.size < FEWEST_LINES:
        raise ValueError(f"{observed.size} lines are too few to compare the intensities with {reference.name}")
    scale = observed.sum() / calculated.sum()
    missing = [
        name
        for name, area, own_error, strength in zip(names, observed, error, calculated, strict=True)
        if strength > REQUIRED_INTENSITY and area < SEEN * own_error
    ]
    total = float(np.maximum(observed, 0).sum()) + unexplained
    return ReferenceMatch(
        xr.Dataset(
            {
                "observed": ("reflection", observed / scale),
                "observed_error": ("reflection", error / scale),
                "reference": ("reflection", calculated),
            },
            coords={"hkl": ("reflection", names)},
        ),
        correlation_interval(observed, calculated),
        permutation_p_value(observed, calculated, permutations),
        missing,
        unexplained / total,
        fit.params["a"].value / reference.cell[0] - 1,
        misfit(fit),
    )


def _paired_lines(found: xr.Dataset, reference: Structure) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Return names, observed areas, their errors and calculated intensities of the lines of a pattern."""
    known = reflections(reference, two_theta=(3.0, 170.0))
    strengths = dict(
        zip(map(tuple, indices(known).tolist()), known.relative_intensity.to_numpy().tolist(), strict=True)
    )
    groups: dict[float, list] = {}  # reflections at one angle are one line
    columns = (found[name].to_numpy().tolist() for name in ("two_theta", "area", "area_error"))
    for hkl, two_theta, *area in zip(map(tuple, indices(found).tolist()), *columns, strict=True):
        groups.setdefault(round(two_theta, SAME_ANGLE), []).append((hkl, *area, strengths.get(hkl, 0.0)))
    names = ["".join(map(str, max(rows, key=lambda row: row[3])[0])) for rows in groups.values()]
    sums = [[sum(row[i] for row in rows) for rows in groups.values()] for i in (1, 2, 3)]
    observed, error, calculated = (np.array(each) for each in sums)
    return names, observed, error, calculated


def correlation_interval(observed: np.ndarray, calculated: np.ndarray) -> Interval:
    """Return the correlation of two sets of intensities, by Fisher's transform (1915, doi 10.1093/biomet/10.4.507)."""
    correlation = float(np.corrcoef(observed, calculated)[0, 1])
    half_width = NORMAL / np.sqrt(max(observed.size - 3, 1))
    # The transform diverges at a correlation of one.
    low, high = np.tanh(np.arctanh(min(correlation, 1 - 1e-9)) + np.array([-half_width, half_width]))
    return Interval(correlation, min(float(low), correlation), max(float(high), correlation))


def permutation_p_value(observed: np.ndarray, calculated: np.ndarray, permutations: int = PERMUTATIONS) -> float:
    """Return the probability that intensities in random order correlate as well; at least 1 / (permutations + 1)."""
    correlation = np.corrcoef(observed, calculated)[0, 1]
    shuffled = np.random.default_rng(0).permuted(np.tile(observed, (permutations, 1)), axis=1)
    direction = (calculated - calculated.mean()) / np.linalg.norm(calculated - calculated.mean())
    by_chance = shuffled @ direction / np.linalg.norm(observed - observed.mean())
    return float((np.sum(by_chance >= correlation) + 1) / (permutations + 1))
