"""Whole-pattern fit without a structure model (Pawley 1981, doi 10.1107/S0021889881009618).

Every resolved reflection of the main phase has its own intensity; space group and lattice parameters give the angles.
Other phases have one scale each, at calculated intensities. Intensities, scales and a Chebyshev background are linear
and are solved for inside each evaluation (`pattern_model`); lmfit varies lattice, shift and widths. The weights are
those of counting statistics at the fit before. Standard errors include the correlation of residuals and the uncertainty
of the instrument profile (`uncertainty`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import lmfit
import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond import counting
from coldbond.xrd import fit_results, reflection_list, uncertainty, varieties
from coldbond.xrd.background import DEFAULT, polynomials, terms
from coldbond.xrd.design_matrix import DesignMatrix, angles, shape, spacings
from coldbond.xrd.geometry import LEAST_ZERO, at_known_cell, keep_positions
from coldbond.xrd.pattern_model import PatternModel
from coldbond.xrd.structures import Structure
from coldbond.xrd.varieties import Variety

#: Goniometer radius where the pattern does not state it, mm; usual for laboratory diffractometers.
RADIUS = 185.0
#: Prior of the squared axial divergence ("axial"), degree^2: mean and standard deviation, for Soller slits of 0 to 2.5
#: degree. Broad profiles do not determine it, yet it shifts them as a displacement does.
AXIAL_PRIOR = 2.5, 2.5
#: Prior of the squared divergence of the beam in the equatorial plane on a flat specimen ("flat"), degree^2: mean and
#: standard deviation, for slits of 1/8 to 1 degree, and for optics without this error. It shifts reflections as
#: cot(theta), which a short range hardly tells from a larger cell.
FLAT_PRIOR = 0.4, 0.4
#: Prior of the zero error where no standard was recorded, degree: mean and standard deviation.
ZERO_PRIOR = 0.0, 0.03
#: Start values of the instrument profile in a fit.
INSTRUMENT_START = {"u": 1e-3, "v": 0.0, "w": 3e-3, "x": 0.0, "y": 0.0, "axial": AXIAL_PRIOR[0], "kalpha2_ratio": 0.5}
LEAST_START = 0.05  # of "flat", degree^2
WIDTH_START = 0.02  # degree, of size and strain broadening
#: Fewest amplitudes for which u and v are fitted beside w, size and strain: fewer reflections do not separate them.
FEWEST_FOR_UV = 8
#: The same for a standard. Where its Gaussian width is taken to be constant, the Lorentzian part takes up what is not:
#: with five lines of silicon the Gaussian width comes out 10 to 15 % small.
FEWEST_OF_STANDARD = 5
#: Packing density of a sample and its standard deviation, from loose powder to ceramic; transparency depends on it.
PACKING = 0.7, 0.15
#: Largest mean depth from which a sample diffracts, and its standard deviation, mm. Absorption by a pure phase of light
#: atoms would allow more; thickness and traces of heavier atoms, which nobody states, limit it.
LARGEST_DEPTH = 0.07, 0.07
GEOMETRIES = ("displacement", "zero")
BOTH = "both"  # the geometry with displacement and zero error
MOST_EVALUATIONS = 100  # in each round; a fit of the right phase needs a tenth of them
#: Correlation length of the residuals in full widths at half maximum of the main phase.
CORRELATION_LENGTH = 3.0
#: Relative tolerances of chi square and parameters in successive rounds. The weights of the first come from the
#: smoothed pattern, those of each other from the fit before.
TOLERANCES = (1e-3, 1e-3, 1e-6)


@dataclass(frozen=True)
class Instrument:
    """Instrument profile of a diffractometer, from the pattern of a standard without sample broadening.

    Attributes
    ----------
    names : tuple of str
        "u", "v", "w" [degree^2] of the squared Gaussian full width at half maximum, u tan^2 + v tan + w; "x", "y"
        [degree] of the Lorentzian full width, x / cos + y tan, of the Bragg angle; "axial" [degree^2], the squared
        aperture of the Soller slits, negative where profiles are asymmetric to the other side; "kalpha2_ratio".
    values : array, shape (len(names),)
    covariance : array, shape (len(names), len(names))
    zero : tuple of float, optional
        Zero error and its standard error [degree], where the standard determines them.
    flat : tuple of float, optional
        Squared divergence of the beam on the flat specimen and its standard error [degree^2], likewise.
    """

    names: tuple[str, ...]
    values: np.ndarray
    covariance: np.ndarray
    zero: tuple[float, float] | None = None
    flat: tuple[float, float] | None = None


def fit(
    pattern: xr.Dataset,
    structure: Structure,
    *,
    geometry: str = "displacement",
    instrument: Instrument | None = None,
    others: Sequence[Structure] = (),
    breadths: Mapping[str, float] | None = None,
    refined: Collection[str] = (),
    background: int | None = None,
    start: MinimizerResult | None = None,
    rough: bool = False,
    fewest_for_uv: int = FEWEST_FOR_UV,
    variety: Variety | None = None,
) -> MinimizerResult:
    """Fit a whole pattern.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` returns it; select a part with `.sel` or `.isel` to fit that alone.
    structure : Structure
        Main phase: its space group gives the reflections, its cell the start values.
    geometry : {"displacement", "zero", "both"}
        Error of the angles that is fitted: displacement of the sample [mm], zero error [degree], or both, the zero
        error with the prior of the instrument or `ZERO_PRIOR`.
    instrument : Instrument, optional
        From `instrument_profile`; size and strain are then those of the sample. Without it they include the instrument.
    others : sequence of Structure
        Phases with one scale each, at the calculated intensities of their structures.
    breadths : mapping of str to float, optional
        Lorentzian breadth x of other phases by name, x / cos [degree] beyond the instrument; a phase that is not in it
        has the widths of the main phase.
    refined : collection of str
        Other phases whose cell and breadth are fitted; the others keep those of their structures and `breadths`.
    background : int, optional
        Number of Chebyshev polynomials; by default that of the least Bayesian information criterion (`background`).
    start : MinimizerResult, optional
        A fit of this pattern with fewer phases or the other geometry, to start from. With the other geometry its
        weights are used too, so that the two chi squares can be compared.
    rough : bool
        Whether the first round is enough, to start another fit from; standard errors are then those of the amplitudes
        alone, at given nonlinear parameters.
    fewest_for_uv : int
        Fewest amplitudes for which u and v are fitted.
    variety : Variety, optional
        Of the main phase, fitted beside it or in its place.

    Returns
    -------
    lmfit.minimizer.MinimizerResult
        `params`: lattice parameters that the crystal system leaves free, of "a", "b", "c" [angstrom], "alpha", "beta",
        "gamma" [degree]; "displacement" [mm, positive for a sample below the axis] or "zero" [degree]; "size", "strain"
        [degree], Lorentzian full widths size / cos and strain tan of the Bragg angle, which may be negative within
        their error (a bound at zero would bias the mean); "depth" [mm], the mean depth of diffraction, never fitted;
        lattice parameters and "size" with the suffix "_1" for the first of `others`, where it is `refined`; with a
        variety its share and lattice parameters, of `varieties`; and those of `Instrument`. `stderr` is None where the
        pattern does not determine a parameter; `inflation` is the factor on the variances because of correlated
        residuals. Attributes from the linear solve:

        `curves` : Dataset over `two_theta`: `intensity`, `fit`, `background`, `standard_uncertainty` (weights are one
        over its square) and, over `phase` too, `phases`, without background.
        `reflections` : Dataset over `reflection` of the main phase: `h`, `k`, `l`, `two_theta`, `fwhm`,
        `integral_breadth` [degree], `area` and `area_error` [intensity x degree], and `area_covariance`. Reflections
        nearer than `reflection_list.UNRESOLVED` share one area, split in the ratio of their calculated intensities.
        `variety`: the same of the variety, without covariance, or None; `varied`: its structure with the fitted cell.
        `scales` : Dataset over `phase`, main phase first: `scale` and `scale_error`, the area of the strongest
        reflection of its structure [intensity x degree].

    Raises
    ------
    ValueError
        The pattern has no wavelength, no counts, or no reflection of the main phase in its range.

    Notes
    -----
    The weights are equal where nothing is known of the counting. Standard errors are widened where the residuals exceed
    the weights or are correlated (`uncertainty.inflation`), and include the covariance of the instrument profile.
    """
    check(pattern, geometry)
    two_theta, intensity = pattern.two_theta.to_numpy(), pattern.intensity.to_numpy()
    wavelengths = known_wavelengths(pattern)
    radius = float(pattern.attrs.get("goniometer_radius") or RADIUS)
    cell, params = reflection_list.free_lattice_parameters(structure)
    known = reflection_list.visible(structure, pattern, wavelengths[0])
    stretch = reflection_list.start_stretch(known, pattern, wavelengths[0])
    for name in params:
        if name in "abc":
            params[name].value *= stretch
    values = params.valuesdict()
    bragg, _ = angles(spacings(reflection_list.indices(known), cell(values)), wavelengths[0], {}, radius)
    main = reflection_list.main_phase(known, two_theta, bragg)
    phases = [main]
    if variety is not None:
        own_cell = varieties.add_parameters(params, variety)
        lines = reflection_list.visible(variety.structure, pattern, wavelengths[0])
        phases = varieties.phases(main, known, lines, own_cell, varieties.BREADTH if variety.own_breadth else None)
    areas = 1 + max(int(phase.column.max()) for phase in phases)
    beside, own = reflection_list.other_phases(others, breadths or {}, refined, pattern, wavelengths[0], areas)
    phases += beside
    shifts = GEOMETRIES if geometry == BOTH else (geometry,)
    for name in shifts:
        params.add(name, 0.0)
    # Mean depth of diffraction over sin(theta): the beam is absorbed on the way in and on the way out.
    depth = 1 / (2 * reflection_list.absorption(structure, wavelengths[0]) * PACKING[0])
    params.add("depth", min(depth, LARGEST_DEPTH[0]), vary=False)
    separate = int(main.column.max()) + 1 >= fewest_for_uv
    add_widths(params, instrument, separate, doublet=len(wavelengths) > 1)
    params.update(own)
    if variety is not None and variety.own_breadth:
        near = WIDTH_START if start is None else start.params["size"].value + start.params["strain"].value / 2
        params.add(varieties.BREADTH, near)
    priors = {"flat": FLAT_PRIOR if instrument is None or instrument.flat is None else instrument.flat}
    priors |= {"axial": AXIAL_PRIOR} if params["axial"].vary else {}
    if varieties.BREADTH in params:
        priors[varieties.BREADTH] = near, varieties.BREADTH_PRIOR
    if geometry == BOTH:
        priors["zero"] = ZERO_PRIOR if instrument is None or instrument.zero is None else instrument.zero
    if start is not None:
        # Without its variety the main phase is fitted too broad, perhaps to a Gaussian width of zero and no gradient.
        widths = set(INSTRUMENT_START) | {"size", "strain"}
        kept = set(start.params) - (widths if variety is not None and varieties.SHARE not in start.params else set())
        for name, param in params.items():
            param.value = start.params[name].value if param.vary and name in kept else param.value
        params["flat"].value = max(params["flat"].value, LEAST_START)  # lmfit leaves a parameter at its bound there
        if geometry != BOTH and geometry not in start.params:
            keep_positions(params, start, geometry, main, cell, wavelengths[0], radius)

    rounds, before = TOLERANCES[: 1 if rough else None], reflection_list.smooth(intensity)
    if start is not None:
        rounds, before = TOLERANCES[1:], start.curves.fit.to_numpy()
    weights = counting.standard_uncertainty(pattern, before)
    counted = weights is not None
    if start is not None and any(name not in start.params for name in shifts):
        rounds, sigma = TOLERANCES[2:], start.curves.standard_uncertainty.to_numpy()
    elif weights is not None:
        sigma = weights
    else:  # the scatter from point to point, the same everywhere
        sigma = np.full(intensity.size, np.std(np.diff(intensity)) / np.sqrt(2) or 1.0)
    # Chi squares of two geometries, or with and without a variety, are compared: they have one background.
    another = start is not None and (variety is not None or any(name not in start.params for name in shifts))
    given = start.background_terms if start is not None and another and not background else background
    for tolerance in rounds:
        design_matrix = DesignMatrix(two_theta, wavelengths, radius, phases, cell, params.valuesdict())
        count = given or _background_terms(
            design_matrix, params, intensity, sigma, first=start is None and tolerance == rounds[0]
        )
        model = PatternModel(design_matrix, polynomials(two_theta, count), intensity, sigma, priors)
        options = dict(Dfun=model.jacobian, calc_covar=False, ftol=tolerance, xtol=tolerance, max_nfev=MOST_EVALUATIONS)
        result = lmfit.minimize(model.residual, params, **options)
        params = result.params
        if counted and tolerance != rounds[-1]:
            sigma = counting.standard_uncertainty(pattern, model.expected(params.valuesdict()))
    result.background_terms = count
    result.zero_is_known = "zero" in priors and instrument is not None and instrument.zero is not None
    result.varied = None
    if variety is not None:
        a, b, c, *others_free = (float(x) for x in own_cell(params.valuesdict()))
        alpha, beta, gamma = others_free
        result.varied = replace(variety.structure, cell=(a, b, c, alpha, beta, gamma))
    conditional = model.solution(params.valuesdict())[2]
    covariance = conditional if rough else add_errors(result, model, instrument, counted)
    fit_results.add_curves(result, model, pattern, [structure, *others])
    fit_results.add_reflections(result, model, covariance, len(phases) - len(others))
    fit_results.add_scales(result, model, covariance, known, [structure, *others])
    return result


def _background_terms(
    design_matrix: DesignMatrix, params: lmfit.Parameters, intensity: np.ndarray, sigma: np.ndarray, first: bool
) -> int:
    """Return the number of polynomials of the background, at the present widths and positions of the peaks."""
    if first:  # which are far from right
        return DEFAULT
    values, main = params.valuesdict(), design_matrix.phases[0]
    fwhm, _ = shape(design_matrix.positions(main, values)[0], main, main.own(values))
    return terms(design_matrix(values), design_matrix.two_theta, intensity, sigma, float(np.median(fwhm)))


def cell_of(
    fitted: MinimizerResult, structure: Structure, suffix: str = ""
) -> tuple[float, float, float, float, float, float]:
    """Return the fitted cell of a structure; the suffix belongs to the names of its parameters."""
    a, b, c, *opening = reflection_list.free_lattice_parameters(structure, suffix)[0](fitted.params.valuesdict())
    alpha, beta, gamma = opening
    return float(a), float(b), float(c), float(alpha), float(beta), float(gamma)


def instrument_profile(pattern: xr.Dataset, structure: Structure, **options: Any) -> Instrument:
    """Return the instrument profile from the pattern of a standard without sample broadening.

    Parameters
    ----------
    pattern, structure
        Of the standard, as for `fit`.
    **options
        As for `fit`.

    Raises
    ------
    ValueError
        As `fit`, or the pattern does not determine the profile.
    """
    fitted = fit(pattern, structure, fewest_for_uv=FEWEST_OF_STANDARD, **options)
    if fitted.params["w"].stderr is None:  # a Gaussian width that vanishes at some angle
        fitted = fit(pattern, structure, **options)
    # The fit calls the Lorentzian widths beyond a known instrument "size" and "strain"; here they are the instrument's.
    source = {**dict(zip(INSTRUMENT_START, INSTRUMENT_START, strict=True)), "x": "size", "y": "strain"}
    values = [fitted.params[name].value for name in source.values()]
    varied = [i for i, name in enumerate(source.values()) if name in fitted.var_names]
    at = [fitted.var_names.index(list(source.values())[i]) for i in varied]
    undetermined = [fitted.var_names[i] for i in at if fitted.params[fitted.var_names[i]].stderr is None]
    if undetermined:
        raise ValueError(f"the pattern of {structure.name} does not determine {', '.join(undetermined)} of the profile")
    covariance = np.zeros((len(values), len(values)))
    covariance[np.ix_(varied, varied)] = fitted.covar[np.ix_(at, at)]
    fitted = fit(pattern, structure, **{**options, "geometry": BOTH, "start": fitted})
    zero, flat = (at_known_cell(fitted, structure, name) for name in ("zero", "flat"))
    if zero is not None:
        zero = zero[0], max(zero[1], LEAST_ZERO)
    return Instrument(tuple(source), np.array(values), covariance, zero, flat)


def fit_geometries(pattern: xr.Dataset, structure: Structure, **options: Any) -> dict[str, MinimizerResult]:
    """Return the fits with a sample displacement, a zero error and both, by the name of the geometry.

    Parameters
    ----------
    pattern, structure, **options
        As for `fit`.
    """
    fits = {"displacement": fit(pattern, structure, **options)}
    for name in ("zero", BOTH):
        fits[name] = fit(pattern, structure, geometry=name, start=fits["displacement"], **options)
    return fits


def add_errors(
    result: MinimizerResult, model: PatternModel, instrument: Instrument | None, counted: bool
) -> np.ndarray:
    """Add standard errors and correlations to the result; return the covariance of the amplitudes."""
    values = result.params.valuesdict()
    amplitudes, residual, conditional = model.solution(values)
    given, known = _known_parameters(result, instrument)
    jacobian = model.derivatives(values, [*result.var_names, *given])
    main = model.design_matrix.phases[0]
    fwhm, _ = shape(model.design_matrix.positions(main, values)[0], main, main.own(values))
    step = np.median(np.diff(model.design_matrix.two_theta))
    window = 1 + int(CORRELATION_LENGTH * np.median(fwhm) / step)
    result.nfree = residual.size - amplitudes.size - len(result.var_names)
    result.redchi = result.chisqr / result.nfree
    # Counting statistics bound the variances from below; unknown ones follow from the scatter alone.
    least = max(result.redchi, 1.0) if counted else result.redchi
    covariance, of_amplitudes, undetermined, inflation = uncertainty.covariances(
        model.weighted_design(values), jacobian, residual, conditional, known, window, least
    )
    result.covar, result.inflation = covariance, inflation
    correlation = uncertainty.correlation(result.var_names, covariance)
    for i, name in enumerate(result.var_names):
        result.params[name].stderr = None if undetermined[i] else float(np.sqrt(covariance[i, i]))
        result.params[name].correl = None if undetermined[i] else correlation[name]
    result.errorbars = not undetermined.any()
    return of_amplitudes


def _known_parameters(result: MinimizerResult, instrument: Instrument | None) -> tuple[list[str], np.ndarray]:
    """Return names and covariance of uncertain parameters that are not fitted: instrument profile and depth."""
    names, known = ([], np.zeros((0, 0))) if instrument is None else (list(instrument.names), instrument.covariance)
    depth = result.params["depth"].value
    known = np.pad(known, (0, 1))
    error = LARGEST_DEPTH[1] if depth == LARGEST_DEPTH[0] else depth * PACKING[1] / PACKING[0]
    known[-1, -1] = error**2
    return [*names, "depth"], known


def known_wavelengths(pattern: xr.Dataset) -> tuple[float, ...]:
    """Return K-alpha1 and, unless the radiation is monochromatic, K-alpha2 [angstrom]."""
    found = [pattern.attrs.get(f"wavelength_kalpha{n}") for n in (1, 2)]
    if not found[0]:
        raise ValueError(
            "the pattern has no wavelength: state it with .assign_attrs(wavelength_kalpha1=1.5405929), and "
            "wavelength_kalpha2 unless the beam is monochromatic [angstrom]"
        )
    return tuple(float(wavelength) for wavelength in found if wavelength)


def check(pattern: xr.Dataset, geometry: str) -> None:
    """Refuse what is no diffraction pattern, or an unknown geometry."""
    if geometry not in (*GEOMETRIES, BOTH):
        raise ValueError(f"geometry is {geometry!r}: one of {', '.join((*GEOMETRIES, BOTH))}")
    if "two_theta" not in pattern.coords or "intensity" not in pattern:
        raise ValueError("this is no diffraction pattern: it has no intensity over two_theta")
    if not float(pattern.intensity.max()) > 0:
        raise ValueError("the pattern has no counts: no intensity is above zero")


def add_widths(params: lmfit.Parameters, instrument: Instrument | None, separate: bool, doublet: bool) -> None:
    """Add the parameters of the widths: fixed where the instrument is known, otherwise as many as can be separated."""
    values = INSTRUMENT_START if instrument is None else dict(zip(instrument.names, instrument.values, strict=True))
    # Without an instrument profile x and y cannot be separated from size and strain.
    fixed = {"x", "y"} | (set() if separate else {"u", "v"}) | (set() if doublet else {"kalpha2_ratio"})
    if instrument is None and not separate:
        values = {**values, "u": 0.0}
    for name, value in values.items():
        params.add(
            name,
            value,
            vary=instrument is None and name not in fixed,
            min=-np.inf if name not in ("w", "kalpha2_ratio") else 0,
        )
    params.add("flat", FLAT_PRIOR[0], min=0)
    params.add("size", WIDTH_START)
    params.add("strain", WIDTH_START)
