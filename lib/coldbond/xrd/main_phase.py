"""Whether a pattern shows its main phase: its lines before the whole-pattern fit, and what the fit explains after it.

With free intensities, a wrong phase of many reflections fits a pattern to some extent, slowly and without a meaning. So
the heights at its calculated strong lines are looked at first, for every cell and shift at which a fit may start.
Impurities only add to them. Preferred orientation and coarse grains take from some of them, noise adds to all: the
pattern is refused only where at least a quarter of the lines is next to absent.
"""

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy import ndimage

from coldbond.xrd import reflection_list
from coldbond.xrd.design_matrix import angles
from coldbond.xrd.pawley import GEOMETRIES, RADIUS, known_wavelengths
from coldbond.xrd.structures import REMEDY, STRUCTURES, Structure

#: Lines that are looked for: intensity over that of the strongest, and fewest of them that decide.
STRONG, FEWEST_LINES = 0.2, 6
#: Quantile of the lines whose height counts: with texture or coarse grains some lines may be missing.
QUANTILE = 0.25
#: Height of a line at that quantile over what the highest peak of the pattern makes expected, below which the phase is
#: refused. Measured patterns of eleven other materials stay below 0.035. Simulated LLZTO with other lines twice as
#: strong as its own, a March coefficient of 0.5 or 2, a cell 1 % off and a displacement of 0.5 mm is above 0.1.
LEAST_HEIGHT = 0.05
#: Range of the shift, on either side, and tolerance of a position, which is also the step of the shift; degree.
SHIFT_RANGE, TOLERANCE = 0.5, 0.05
CELL_TRIALS = 81  # in `reflection_list.START_RANGE`: their distance moves a line at 90 degree by 0.03 degree
ONE_LINE = 0.05  # degree: reflections whose neighbours are nearer are one line
#: Width of what counts as background, and margin at the ends of the pattern in which a line may leave it; degree.
BROAD, EDGE = 2.0, 1.0
#: Height of the highest point over its standard uncertainty: of 10 000 points of noise none is as high.
LEAST_DEVIATIONS = 5.0
#: Share of the strongest line of a pattern that its main phase must explain.
LEAST_EXPLAINED = 0.5
#: Shift of a reflection by displacement or zero error that no measurement has, degree: 5 mm on a radius of 185 mm. One
#: line alone leaves shift and cell undetermined together; fits of simulated ones with the right phase rarely go as far.
LARGEST_SHIFT = 3.0
#: Intensity of K-alpha2 over K-alpha1 that no tube has, even where a fit hardly determines it: it is 0.5.
LARGEST_RATIO = 10.0


class NotDescribed(ValueError):
    """The main phase does not describe the pattern."""


def line_height(pattern: xr.Dataset, structure: Structure) -> float:
    """Return the height of a phase's lines over what the highest peak of the pattern makes expected.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` returns it.
    structure : Structure

    Returns
    -------
    float
        Of the line at `QUANTILE`, largest over all cells and shifts: about 1 where the phase is alone and without
        texture. NaN where fewer than `FEWEST_LINES` strong lines are in the range, and for a phase with a habit
        (`texture_axis`), whose films may show two lines only.
    """
    wavelength = known_wavelengths(pattern)[0]
    two_theta, intensity = pattern.two_theta.to_numpy(), reflection_list.smooth(pattern.intensity.to_numpy())
    known = reflection_list.visible(structure, pattern, wavelength)
    at = known.two_theta.to_numpy()
    known = known.isel(reflection=(at > two_theta[0] + EDGE) & (at < two_theta[-1] - EDGE))
    if structure.texture_axis is not None or not known.reflection.size:
        return np.nan
    at, strength = known.two_theta.to_numpy(), known.relative_intensity.to_numpy()
    line = np.cumsum(np.diff(at, prepend=at[0]) > ONE_LINE)
    expected = np.bincount(line, strength)
    d = np.bincount(line, strength * known.d.to_numpy()) / expected
    strong = expected >= STRONG * expected.max()
    if strong.sum() < FEWEST_LINES:
        return np.nan
    step = float(np.median(np.diff(two_theta)))
    width = max(round(BROAD / step), 3)
    background = ndimage.uniform_filter1d(ndimage.grey_opening(intensity, width), width)
    height = np.maximum(intensity - background, 0)
    if not height.max() > 0:
        return np.nan
    near = ndimage.maximum_filter1d(height, 2 * int(np.ceil(TOLERANCE / step)) + 1)
    cells = 1 + np.linspace(-1, 1, CELL_TRIALS) * reflection_list.START_RANGE
    bragg, _ = angles(d[strong] * cells[:, None], wavelength, {}, radius=1.0)
    shifts = np.arange(-SHIFT_RANGE, SHIFT_RANGE + TOLERANCE / 2, TOLERANCE)
    trials = bragg + shifts[:, None, None]
    heights = np.interp(trials, two_theta, near) * expected.max() / expected[strong]
    return float(np.quantile(heights, QUANTILE, axis=-1, method="lower").max() / height.max())


def check_lines(pattern: xr.Dataset, structure: Structure, variety: Structure | None = None) -> None:
    """Refuse a main phase whose lines, and those of its variety, the pattern does not show, before it is fitted."""
    height = max(line_height(pattern, one) for one in (structure, variety) if one is not None)
    if height < LEAST_HEIGHT:
        raise NotDescribed(
            f"{structure.name} does not describe the pattern: a quarter of its strong lines reach at most "
            f"{100 * height:.1f} % of the height that the highest peak makes expected, at any cell and shift"
        )


def check_fit(fit: MinimizerResult, main: str) -> None:
    """Refuse a main phase that does not explain the strongest line: its residuals would mean nothing."""
    strongest = fit.curves.isel(two_theta=int((fit.curves.intensity - fit.curves.background).to_numpy().argmax()))
    height = float(strongest.intensity - strongest.background)
    if height < LEAST_DEVIATIONS * float(strongest.standard_uncertainty):
        raise ValueError(
            f"no line stands out of the noise: the highest point, at {float(strongest.two_theta):.2f} degree, lies "
            f"{height / float(strongest.standard_uncertainty):.1f} standard deviations above the background: the "
            "sample is amorphous, or was counted too short"
        )
    explained = float(strongest.fit - strongest.background)
    if not explained >= LEAST_EXPLAINED * height:
        raise NotDescribed(
            f"the strongest line of the pattern, at {float(strongest.two_theta):.2f} degree, is not of {main}"
        )


def check_parameters(fit: MinimizerResult, pattern: xr.Dataset, main: str) -> None:
    """Refuse a fit that moved the reflections of the main phase onto the lines of another one, or diverged."""
    finite = all(np.isfinite(param.value) for param in fit.params.values()) and np.isfinite(fit.curves.fit).all()
    if not finite:
        raise NotDescribed(f"{main} does not describe the pattern: the whole-pattern fit diverged")
    ratio = fit.params["kalpha2_ratio"].value
    if ratio > LARGEST_RATIO:
        raise NotDescribed(
            f"{main} does not describe the pattern: its reflections meet the lines only with K-alpha2 {ratio:.0f} "
            "times as strong as K-alpha1"
        )
    lowered, zero = (fit.params[name].value if name in fit.params else 0.0 for name in GEOMETRIES)
    shift = zero - np.degrees(2 * lowered / (pattern.attrs.get("goniometer_radius") or RADIUS))
    if abs(shift) > LARGEST_SHIFT:
        raise NotDescribed(
            f"{main} does not describe the pattern: its reflections meet the lines only when shifted by {shift:.1f} "
            "degree; a range with more of its lines may tell"
        )


def remedy() -> str:
    """Return what to do where the main phase does not describe the pattern."""
    return f"state the main phase in the parameter main, one of {', '.join(STRUCTURES)}, or {REMEDY}"
