"""Whole-pattern fit without a structure model (Pawley 1981, doi 10.1107/S0021889881009618).

Every reflection of the main phase has its own intensity. Intensities, background and the scales of other phases enter
the pattern linearly: they are solved for inside each evaluation, and lmfit varies only what is left (variable
projection; Golub and Pereyra 1973, doi 10.1137/0710036).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.xrd.structures import Structure


@dataclass(frozen=True)
class Instrument:
    """What a diffractometer adds to every profile, from a pattern of a standard without broadening of its own.

    Attributes
    ----------
    names : tuple of str
        "u", "v", "w" [degree^2] of the Gaussian full width at half maximum, squared, u tan^2 + v tan + w; "x", "y"
        [degree] of the Lorentzian one, x / cos + y tan, of the Bragg angle; "axial", aperture over radius; and
        "kalpha2_ratio" where there are two lines.
    values : array, shape (len(names),)
    covariance : array, shape (len(names), len(names))
    """

    names: tuple[str, ...]
    values: np.ndarray
    covariance: np.ndarray


def fit(
    pattern: xr.Dataset,
    structure: Structure,
    *,
    geometry: str = "displacement",
    instrument: Instrument | None = None,
    others: Sequence[Structure] = (),
    breadths: Mapping[str, float] | None = None,
    background: int = 8,
) -> MinimizerResult:
    """Fit a whole pattern.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` gives it; cut it with `.sel` or `.isel` to fit a part.
    structure : Structure
        Main phase: its space group and cell say which reflections there are and where the search for them starts.
    geometry : {"displacement", "zero"}
        Which error of the angles is fitted: the sample's displacement [mm] or a zero shift [degree].
    instrument : Instrument, optional
        From `instrument`; sizes and strains are then the sample's alone. Without it the widths are the sum of both.
    others : sequence of Structure
        Phases with one scale each, at the cell and the calculated intensities of their structures.
    breadths : mapping of str to float, optional
        By the name of another phase: its Lorentzian breadth, x / cos with x [degree], beyond the instrument's; that of
        the main phase unless given.
    background : int
        Number of Chebyshev polynomials.

    Returns
    -------
    lmfit.minimizer.MinimizerResult
        `params`: lattice parameters of the crystal system "a", "b", "c" [angstrom], "alpha", "beta", "gamma" [degree];
        "displacement" [mm, positive for a sample below the axis] or "zero" [degree]; "size", "strain" [degree] as x
        and y of `Instrument`; and the instrument's. And what the linear solve gives:

        `curves` : Dataset over `two_theta`: `intensity`, `fit`, `background`, `standard_uncertainty` (the weights are
        one over its square), `phases` over (`phase`, `two_theta`), each without background.
        `reflections` : Dataset over `reflection` of the main phase: `h`, `k`, `l`, `two_theta`, `fwhm`,
        `integral_breadth` [degree], `area` [intensity x degree] and `area_error`; `area_covariance`
        over (`reflection`, `other_reflection`). Reflections nearer than `SHARED` degrees share one area, split by
        their calculated intensities.
        `scales` : Dataset over `phase`, main phase first: `scale`, area of its strongest reflection as its structure
        has it [intensity x degree], and `scale_error`.

    Raises
    ------
    ValueError
        The pattern has no wavelength, no counts, or no reflection of the main phase in its range.
    """
    raise NotImplementedError


def instrument(pattern: xr.Dataset, structure: Structure, **options) -> Instrument:
    """Return what the instrument adds to every profile, from the pattern of a standard without broadening of its own.

    Parameters
    ----------
    pattern, structure
        As for `fit`: the standard's.
    **options
        As for `fit`.
    """
    raise NotImplementedError


def geometries(pattern: xr.Dataset, structure: Structure, **options) -> dict[str, MinimizerResult]:
    """Return the fits with a sample displacement and with a zero shift, by the name of the geometry.

    Parameters
    ----------
    pattern, structure, **options
        As for `fit`.
    """
    raise NotImplementedError


def lattice(fits: Mapping[str, MinimizerResult]) -> xr.Dataset:
    """Return lattice parameters with intervals that include the choice between the geometries.

    Parameters
    ----------
    fits : mapping of str to MinimizerResult
        From `geometries`.

    Returns
    -------
    xarray.Dataset
        Over `parameter` ("a", "c", ...): `value`, `low`, `high`, the 95 % interval [angstrom or degree]. Over `geometry` and
        `parameter`: `estimate`, `standard_error`, `correlation` with the shift. Over `geometry`: `shift`,
        `shift_error`, `weight` of the model.
    """
    raise NotImplementedError


def correlations(fit: MinimizerResult, above: float = 0.9) -> list[tuple[str, str, float]]:
    """Return the pairs of parameters whose correlation is above a bound in size, strongest first.

    Parameters
    ----------
    fit : MinimizerResult
        From `fit`.
    above : float
    """
    raise NotImplementedError
