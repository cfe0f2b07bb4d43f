"""Why a pattern is not described: another phase, another anode, a doublet stated as one wavelength.

A whole-pattern fit with free intensities needs a right statement of main phase and wavelengths. Where it fails, the
other statements are tried, so that the refusal names what to correct.
"""

from collections.abc import Iterable

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy import ndimage

from coldbond.xrd import pawley, reflection_list
from coldbond.xrd.main_phase import NotDescribed, check_parameters, line_height, remedy
from coldbond.xrd.structures import STRUCTURES, Structure
from coldbond.xrd.tubes import SAME_WAVELENGTH, TUBES, anode

#: Height of the strong lines over what the highest peak makes expected from which another statement counts as likely;
#: the right one has 0.6 to 1.
LIKELY_HEIGHT = 0.3
#: Share of the misfit of another phase, and correlation of its intensities with the calculated ones, to be named.
LIKELY_MISFIT, LIKELY_CORRELATION = 0.15, 0.5
MOST_LINES = 60  # of a phase that is tried: more lines describe any pattern
#: Share of the misfit above which a pattern is not described, and above which the main phase is refused, with the other
#: phases and before they are looked for.
NOT_DESCRIBED, REFUSED, REFUSED_ALONE = 0.1, 0.4, 0.6
#: Reduced chi square from which a doublet is tried, what it must fall to, and range of a doublet's intensity ratio.
TO_TRY, LESS, RATIO = 1.3, 0.7, (0.25, 0.8)
WINDOW, NOISE = 0.5, 2.0  # of the mean residual in full widths, and its standard errors that count as noise


def misfit(fit: MinimizerResult) -> float:
    """Return the residuals beyond noise, summed in size, over the intensity above background.

    Means over half of a full width count by what exceeds twice their standard error. Chi square grows with the counting
    time where a profile function is not perfect; this share does not: measured standards have up to 0.03 at a reduced
    chi square of 3.
    """
    curves = fit.curves
    step = float(np.median(np.diff(curves.two_theta.to_numpy())))
    points = max(3, round(WINDOW * float(np.median(fit.reflections.fwhm)) / step))
    residual = ndimage.uniform_filter1d((curves.intensity - curves.fit).to_numpy(), points)
    noise = np.sqrt(ndimage.uniform_filter1d(curves.standard_uncertainty.to_numpy() ** 2, points) / points)
    net = np.maximum((curves.intensity - curves.background).to_numpy(), 0).sum()
    return float(np.maximum(np.abs(residual) - NOISE * noise, 0).sum() / net) if net > 0 else np.inf


def check_doublet(fit: MinimizerResult, pattern: xr.Dataset, structure: Structure) -> None:
    """Refuse a pattern with K-alpha2 whose wavelength is stated as one."""
    wavelengths = pawley.known_wavelengths(pattern)
    if len(wavelengths) > 1 or not fit.chisqr / fit.nfree > TO_TRY:
        return
    name = anode(wavelengths[0])
    if name is None:
        return
    first, second, _ = TUBES[name]
    stated = pattern.assign_attrs(wavelength_kalpha1=first, wavelength_kalpha2=second)
    doublet = pawley.fit(stated, structure, rough=True)
    ratio = doublet.params["kalpha2_ratio"].value
    if doublet.chisqr < LESS * fit.chisqr and RATIO[0] < ratio < RATIO[1]:
        raise ValueError(
            f"one wavelength is stated, {wavelengths[0]:g} angstrom, but the lines are doublets: with {name} K-alpha1 "
            f"and K-alpha2 chi square falls from {fit.chisqr:.3g} to {doublet.chisqr:.3g}, their ratio is {ratio:.2f}: "
            f"state both, {first:g} {second:g}, in the column wavelength_angstrom of manifest.csv"
        )


def check_misfit(fit: MinimizerResult, structure: Structure, most: float = REFUSED) -> None:
    """Refuse a main phase whose fit leaves too much of the pattern."""
    left = misfit(fit)
    if left > most:
        raise NotDescribed(
            f"{structure.name} does not describe the pattern: its fit misses {100 * left:.0f} % of the intensity"
        )


def explained(
    error: NotDescribed, pattern: xr.Dataset, structure: Structure, others: Iterable[Structure]
) -> ValueError:
    """Return the error of a main phase that does not describe a pattern, with the likely cause and a remedy."""
    return ValueError(f"{error}{likely_cause(pattern, structure, others)}: {remedy()}")


def likely_cause(pattern: xr.Dataset, structure: Structure, others: Iterable[Structure] = ()) -> str:
    """Return what describes a pattern that a phase does not, as the end of a message; empty where nothing is found."""
    wavelength = pawley.known_wavelengths(pattern)[0]
    heights = {}
    for tube, (first, second, beta) in TUBES.items():
        for name, lines in (("K-alpha", (first, second)), ("K-beta", (beta, None))):
            if abs(lines[0] / wavelength - 1) > SAME_WAVELENGTH:
                stated = pattern.assign_attrs(wavelength_kalpha1=lines[0], wavelength_kalpha2=lines[1])
                heights[f"{tube} {name} ({lines[0]:.4f} angstrom)"] = _height(stated, structure)
    best = max(heights, key=lambda name: heights[name])
    if heights[best] > LIKELY_HEIGHT:
        return (
            f"; its lines fit {best}, not the stated {wavelength:.4f} angstrom: correct wavelength_angstrom in the "
            "manifest, or else"
        )
    found = {one.name: _agreement(pattern, one) for one in (*STRUCTURES.values(), *others) if one is not structure}
    name = max(found, key=lambda name: found[name])
    return f"; the pattern fits {name}, not {structure.name}" if found[name] > LIKELY_CORRELATION else ""


def _height(pattern: xr.Dataset, structure: Structure) -> float:
    """Return the height of the lines as `main_phase.line_height`, of few lines the correlation of their intensities."""
    try:
        height = line_height(pattern, structure)
    except ValueError:  # no reflection in the range
        return 0.0
    return height if np.isfinite(height) else _agreement(pattern, structure)


def _agreement(pattern: xr.Dataset, structure: Structure) -> float:
    """Return the correlation of the intensities with a phase's; 0 where its fit misses much of the pattern."""
    try:
        known = reflection_list.visible(structure, pattern, pawley.known_wavelengths(pattern)[0])
        if np.unique(np.round(known.two_theta.to_numpy(), 1)).size > MOST_LINES:
            return 0.0
        height = line_height(pattern, structure)
        if height < LIKELY_HEIGHT:  # False where it is not determined
            return 0.0
        fit = pawley.fit(pattern, structure, rough=True)
        check_parameters(fit, pattern, structure.name)
    except ValueError:
        return 0.0
    if misfit(fit) > LIKELY_MISFIT:
        return 0.0
    lines = fit.reflections
    if lines.sizes["reflection"] < 3:
        return 0.0
    planes = map(tuple, reflection_list.indices(known).tolist())
    strengths = dict(zip(planes, known.relative_intensity.to_numpy(), strict=True))
    calculated = [strengths[of] for of in map(tuple, reflection_list.indices(lines).tolist())]
    return float(np.corrcoef(lines.area.to_numpy(), calculated)[0, 1])
