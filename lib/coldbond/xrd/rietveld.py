"""Weight fractions of a mixture of crystalline powders: a Rietveld fit (1969, doi 10.1107/S0021889869006558).

All structures are known. Each phase has one scale, which is linear and solved for inside each evaluation
(`pattern_model`), a cell, widths, a common factor on its displacements, and texture about its known axis (March and
Dollase). Weight fractions follow from scale times mass times volume of the cell (Hill and Howard 1987, doi
10.1107/S0021889887086199).

A scale is no better than the intensities of the lines that it rests on: coarse grains, texture that March's function
does not describe, extinction and wrong coordinates change these by more than counting does. Each line of a phase is
therefore asked for the scale on its own. What the answers scatter beyond their errors is a variance of the lines; it
weights them and widens the interval (random effects: Paule and Mandel 1982, doi 10.6028/jres.087.022; Hartung and Knapp
2001, doi 10.1002/sim.791). Microabsorption widens it further (Brindley 1945, doi 10.1080/14786444508520918):
diffraction does not see the size of the grains; its largest value is stated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import lmfit
import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult
from scipy import optimize

from coldbond import counting
from coldbond.interval import NORMAL, NORMAL_ONE_SIDED, Interval, student
from coldbond.xrd import background, fit_results, pawley, reflection_list
from coldbond.xrd.design_matrix import DesignMatrix, Phase, Values, angles, own_values, shape
from coldbond.xrd.pattern_model import PatternModel
from coldbond.xrd.reflections import march
from coldbond.xrd.structures import Structure

#: Prior of the change of a phase's mean square displacement, angstrom^2: two refinements of one compound differ by so
#: much; a monochromator and a rough surface, which no file states, change intensities with the angle in the same way.
DISPLACEMENT_PRIOR = 0.0, 0.005
#: Significance of the scale above which a phase has widths, displacement and texture of its own.
OWN_WIDTHS = 30.0
MARCH_LIMITS = 0.2, 2.0
MARCH_PRIOR = 1.0, 0.5
#: Priors of the instrument's profile, which broad lines do not determine: mean and standard deviation of "u" and "v"
#: [degree^2], and of K-alpha2 over K-alpha1, 0.5 of the tube, less or more behind a monochromator or filter.
PROFILE_PRIORS = {"axial": pawley.AXIAL_PRIOR, "u": (0.0, 0.02), "v": (0.0, 0.02), "kalpha2_ratio": (0.5, 0.05)}
#: Range of the sample displacement [mm] and of each cell in its tolerance in which the start of the fit is searched.
SHIFTS, CELLS = np.linspace(-0.4, 0.4, 81), 81
#: Intensity over that of the strongest from which a line is asked for the scale, its largest relative error, and its
#: least share in the peaks where it is: under a stronger line it shows what the profile of that one lacks.
STRONG, UNCERTAIN, OWN = 0.05, 0.3, 0.5
ONE_LINE = 0.7  # distance in full widths at half maximum below which two reflections are asked together
#: Relative scatter of the lines of a phase where fewer than three tell of it: that of an ordinary powder.
UNKNOWN_SCATTER, FEWEST = 0.1, 3
#: Mean path of the beam in a sphere, in and out, over its diameter: twice the mean way from a point to the surface.
PATH = 0.75


@dataclass(frozen=True)
class Mixture:
    """A mixture of crystalline powders.

    Attributes
    ----------
    pattern : xarray.Dataset
    phases : tuple of Structure
    fit : MinimizerResult
        As from `pawley.fit`: `params`, named as there with "_0", "_1", ... for what the phases do not share, and
        "texture", "motion" [angstrom^2]; `curves`; `redchi`; `background_terms`.
    shares : dict of str to Interval
        Weight fraction of each phase, percent of the crystalline phases; without a value and from 0 to the upper limit
        where a phase is not significant.
    scatter : dict of str to float
        Relative standard deviation of the lines of a phase from its calculated intensities, beyond their errors.
    lines : dict of str to int
        Number of lines that tell it.
    """

    pattern: xr.Dataset
    phases: tuple[Structure, ...]
    fit: MinimizerResult
    shares: dict[str, Interval]
    scatter: dict[str, float]
    lines: dict[str, int]

    def beside(self) -> list[Structure]:
        """Return the structures of the phases that are significant, with the cell and the texture that were fitted."""
        values, found = self.fit.params.valuesdict(), []
        for i, structure in enumerate(self.phases):
            if self.shares[structure.name].value is not None:
                cell, _ = reflection_list.free_lattice_parameters(structure)
                a, b, c, alpha, beta, gamma = (float(x) for x in cell(own_values(values, f"_{i}")))
                found.append(replace(structure, cell=(a, b, c, alpha, beta, gamma), texture=values[f"texture_{i}"]))
        return found


@dataclass(frozen=True)
class _Model:
    """A phase in the fit: its reflections, cell as a function of its parameters, and the weight of its scale."""

    structure: Structure
    known: xr.Dataset
    phase: Phase
    cell: Callable[[Values], list[float | np.ndarray]]
    per_scale: float


def fit(
    pattern: xr.Dataset,
    phases: Sequence[Structure],
    *,
    geometry: str = "displacement",
    instrument: pawley.Instrument | None = None,
    grain_size: float = 5.0,
    monochromator: float = 0.0,
) -> Mixture:
    """Return the weight fractions of the phases of a mixture.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` returns it.
    phases : sequence of Structure
        All crystalline phases: what is not named counts as not there.
    geometry : {"displacement", "zero"}
        As for `pawley.fit`.
    instrument : pawley.Instrument, optional
        From `pawley.instrument_profile`.
    grain_size : float
        Largest diameter that the grains may have, micrometre, for microabsorption.
    monochromator : float
        Two theta of the crystal of a monochromator, degree, such as 26.6 of graphite; 0 without one.

    Raises
    ------
    ValueError
        As `pawley.fit`, or no phase is significant.
    """
    pawley.check(pattern, geometry)
    wavelengths = pawley.known_wavelengths(pattern)
    radius = float(pattern.attrs.get("goniometer_radius") or pawley.RADIUS)
    two_theta, intensity = pattern.two_theta.to_numpy(), pattern.intensity.to_numpy()
    params, models = lmfit.Parameters(), []
    for i, structure in enumerate(phases):
        models.append(_model(structure, i, pattern, wavelengths[0], params, monochromator))
    shift = _start(models, pattern, wavelengths[0], radius, params)
    params.add(geometry, shift if geometry == "displacement" else -np.degrees(2 * shift / radius))
    _add_shared(params, phases, instrument, wavelengths)
    weights = counting.standard_uncertainty(pattern, reflection_list.smooth(intensity))
    equal = np.full(intensity.size, np.std(np.diff(intensity)) / np.sqrt(2) or 1.0)  # as in `pawley.fit`
    sigma = equal if weights is None else weights
    priors = {name: prior for name, prior in PROFILE_PRIORS.items() if params[name].vary}
    each, count = [one.phase for one in models], background.DEFAULT
    for i, tolerance in enumerate(pawley.TOLERANCES):
        values = params.valuesdict()
        matrix = DesignMatrix(two_theta, wavelengths, radius, each, models[0].cell, values)
        if i:
            count = background.terms(matrix(values), two_theta, intensity, sigma, _width(each[0], matrix, values))
        model = PatternModel(matrix, background.polynomials(two_theta, count), intensity, sigma, priors)
        priors |= _free_own(model, params, models)
        options = dict(Dfun=model.jacobian, calc_covar=False, ftol=tolerance, xtol=tolerance)
        result = lmfit.minimize(model.residual, params, max_nfev=pawley.MOST_EVALUATIONS, **options)
        params = result.params
        if weights is not None and tolerance != pawley.TOLERANCES[-1]:
            weights = counting.standard_uncertainty(pattern, model.expected(params.valuesdict()))
            sigma = equal if weights is None else weights
    result.background_terms = count
    covariance = pawley.add_errors(result, model, instrument, weights is not None)
    fit_results.add_curves(result, model, pattern, phases)
    return _mixture(pattern, models, result, model, covariance, grain_size, wavelengths[0])


def _model(
    structure: Structure, i: int, pattern: xr.Dataset, wavelength: float, params: lmfit.Parameters, monochromator: float
) -> _Model:
    """Add the parameters of a phase, and return its reflections with them."""
    suffix = f"_{i}"
    cell, free = reflection_list.free_lattice_parameters(structure)
    for name, param in free.items():
        # Twice the tolerance, of an angle in degree: a cell at its bound would have no error.
        room = 2 * structure.uncertainty * (param.value if name in "abc" else 100.0)
        params.add(name + suffix, param.value, min=param.value - room, max=param.value + room)
    for name, value in (
        ("size", pawley.WIDTH_START),
        ("strain", pawley.WIDTH_START),
        ("texture", 1.0),
        ("motion", 0.0),
    ):
        params.add(name + suffix, value, vary=False)
    known = reflection_list.visible(structure, pattern, wavelength)
    absolute = float(known.absolute_intensity.max())
    known = known.isel(reflection=known.relative_intensity.to_numpy() > reflection_list.WEAKEST_REFLECTION)
    hkl = reflection_list.indices(known)
    # The polarisation of `reflections` is that without a monochromator.
    cosines = np.cos(np.radians(monochromator)) ** 2, np.cos(np.radians(known.two_theta.to_numpy())) ** 2
    polarised = (1 + cosines[0] * cosines[1]) / (1 + cosines[0]) * 2 / (1 + cosines[1])

    def own_cell(values: Values) -> list[float | np.ndarray]:
        return cell(own_values(values, suffix))

    phase = Phase(
        hkl,
        np.full(len(hkl), i),
        known.relative_intensity.to_numpy() / 100 * polarised,
        own_cell,
        weight=_weight(known, suffix),
        suffix=suffix,
    )
    return _Model(structure, known, phase, own_cell, known.attrs["volume"] * known.attrs["mass"] / absolute)


def _weight(known: xr.Dataset, suffix: str) -> Callable[[Values], np.ndarray]:
    """Return the factor of texture and displacement on the lines of a phase, as a function of the parameters."""
    cosines, square = known.cosine_squared.to_numpy(), 1 / (2 * known.d.to_numpy()) ** 2

    def weight(values: Values) -> np.ndarray:
        texture, motion = np.asarray(values[f"texture{suffix}"]), np.asarray(values[f"motion{suffix}"])
        each, which = np.unique(texture, return_inverse=True)
        factors = np.array([march(cosines, float(r)) for r in each])[which.reshape(texture.shape[:1])]
        # Debye and Waller: the intensity falls by exp(-16 pi^2 U sin^2(theta) / lambda^2), and 1 / 2d is the ratio.
        return factors * np.exp(-16 * np.pi**2 * motion * square)

    return weight


def _start(
    models: Sequence[_Model], pattern: xr.Dataset, wavelength: float, radius: float, params: lmfit.Parameters
) -> float:
    """Return the displacement [mm] at which all phases coincide with the most intensity; start each cell there."""
    smoothed = reflection_list.smooth(pattern.intensity.to_numpy())
    height = np.sqrt(np.maximum(smoothed - np.median(smoothed), 0))
    lowered = -np.degrees(2 * SHIFTS / radius)[:, None]

    def overlap(model: _Model, stretch: np.ndarray, shift: np.ndarray) -> np.ndarray:
        at = angles(model.known.d.to_numpy() * stretch[:, None], wavelength, {}, radius)[0]
        at = at + shift * np.cos(np.radians(at) / 2)
        return np.interp(at, pattern.two_theta, height) @ np.sqrt(model.known.relative_intensity.to_numpy())

    best = int(np.sum([overlap(model, np.ones(1), lowered) for model in models], axis=0).argmax())
    for i, model in enumerate(models):
        stretch = 1 + np.linspace(-1, 1, CELLS) * model.structure.uncertainty
        factor = float(stretch[overlap(model, stretch, lowered[best]).argmax()])
        for name in ("a", "b", "c"):
            if f"{name}_{i}" in params:
                params[f"{name}_{i}"].value *= factor
    return float(SHIFTS[best])


def _add_shared(
    params: lmfit.Parameters,
    phases: Sequence[Structure],
    instrument: pawley.Instrument | None,
    wavelengths: Sequence[float],
) -> None:
    """Add the depth of diffraction and the profile of the instrument."""
    depth = 1 / (2 * np.mean([reflection_list.absorption(one, wavelengths[0]) for one in phases]) * pawley.PACKING[0])
    params.add("depth", min(float(depth), pawley.LARGEST_DEPTH[0]), vary=False)
    pawley.add_widths(params, instrument, True, doublet=len(wavelengths) > 1)
    for name in ("size", "strain"):  # each phase has its own
        params[name].vary = False


def _free_own(
    model: PatternModel, params: lmfit.Parameters, models: Sequence[_Model]
) -> dict[str, tuple[float, float]]:
    """Free widths, displacement and texture of the phases whose scale is significant; return the priors of these."""
    amplitudes, _, covariance = model.solution(params.valuesdict())
    priors = {}
    for i, one in enumerate(models):
        significant = amplitudes[i] > OWN_WIDTHS * np.sqrt(covariance[i, i])
        for name in ("size", "strain"):
            if significant:
                params[f"{name}_{i}"].vary = True
            else:  # too weak for its own
                params[f"{name}_{i}"].set(value=params[f"{name}_0"].value, vary=False)
        for name in [name for name in params if name.endswith(f"_{i}") and name.split("_")[0] in reflection_list.CELL]:
            params[name].vary = bool(significant)
        if significant:
            params[f"motion_{i}"].vary = True
            priors[f"motion_{i}"] = DISPLACEMENT_PRIOR
        if significant and one.structure.texture_axis is not None:
            params[f"texture_{i}"].set(vary=True, min=MARCH_LIMITS[0], max=MARCH_LIMITS[1])
            priors[f"texture_{i}"] = MARCH_PRIOR
    if not priors:
        names = ", ".join(one.structure.name for one in models)
        raise ValueError(f"none of the phases {names} describes the pattern: name those of the mixture")
    return priors


def _width(phase: Phase, matrix: DesignMatrix, values: dict[str, float]) -> float:
    """Return the median full width at half maximum of a phase [degree]."""
    return float(np.median(shape(matrix.positions(phase, values)[0], phase, phase.own(values))[0]))


def _mixture(
    pattern: xr.Dataset,
    models: Sequence[_Model],
    result: MinimizerResult,
    model: PatternModel,
    covariance: np.ndarray,
    grain_size: float,
    wavelength: float,
) -> Mixture:
    """Return scales from the lines, and weight fractions from these."""
    names = [one.structure.name for one in models]
    scales, count = model.solution(result.params.valuesdict())[0][: len(models)], len(models)
    covariance = covariance[:count, :count].copy()
    scatter, lines = {}, {}
    for i, (own, errors) in enumerate(_scales_by_line(models, result, model)):
        scale, variance, scatter[names[i]], lines[names[i]] = _random_effects(own, errors, float(scales[i]))
        scales[i] = scale
        covariance[i, i] += variance
    per_scale = np.array([one.per_scale for one in models])
    weights, covariance = scales * per_scale, covariance * np.outer(per_scale, per_scale)
    significant = weights > NORMAL * np.sqrt(np.diag(covariance))
    if not significant.any():
        raise ValueError(f"none of the phases {', '.join(names)} is significant: name those of the mixture")
    absorption = np.array([reflection_list.absorption(one.structure, wavelength) for one in models])
    at_ends = [_shares(weights, covariance, absorption, size) for size in (0.0, grain_size)]
    shares = {}
    for i, name in enumerate(names):
        (value, low, high), (_, other_low, other_high) = at_ends[0][i], at_ends[1][i]
        low, high = min(low, other_low), max(high, other_high)
        shares[name] = Interval(value, low, high) if significant[i] else Interval(None, 0.0, high)
    return Mixture(pattern, tuple(one.structure for one in models), result, shares, scatter, lines)


def _scales_by_line(
    models: Sequence[_Model], result: MinimizerResult, model: PatternModel
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return of each phase the scale that each of its strong lines has, shape (n,), and its covariance.

    All lines of all phases are solved for together with the background, at the fitted widths, cells and factors.
    """
    values, matrix = result.params.valuesdict(), model.design_matrix
    phases, strengths, first = [], [], 0
    contributions = result.curves.phases.to_numpy()
    for i, one in enumerate(models):
        phase = one.phase
        at, _ = matrix.positions(phase, values)
        fwhm, _ = shape(at, phase, phase.own(values))
        order = np.argsort(at)
        line = np.empty(at.size, int)
        line[order] = np.cumsum(np.diff(at[order], prepend=at[order][0]) > ONE_LINE * fwhm[order])
        inside = (at > matrix.two_theta[0]) & (at < matrix.two_theta[-1])
        strength = np.bincount(line, phase.share * np.ravel(phase.weight(values)) * inside)  # type: ignore[misc]
        # Weaker lines have no column of their own: together they are the last one of the phase.
        strong = strength > STRONG * strength.max()
        share = np.interp(at, matrix.two_theta, contributions[i] / np.maximum(contributions.sum(axis=0), 1e-9))
        mostly = np.bincount(line, phase.share * share) > OWN * np.bincount(line, phase.share)
        column = np.where(strong, np.cumsum(strong) - 1, strong.sum())
        phases.append(Phase(phase.hkl, first + column[line], phase.share, phase.cell, None, phase.weight, phase.suffix))
        strengths.append(first + np.flatnonzero(mostly[strong]))
        first += int(strong.sum()) + (0 if strong.all() else 1)
    design = DesignMatrix(matrix.two_theta, matrix.wavelengths, matrix.radius, phases, matrix.cell, values)
    every = PatternModel(design, model.background, model.intensity, model.sigma, {})
    amplitudes, _, covariance = every.solution(values)
    covariance = covariance * max(result.redchi, 1.0)
    found = []
    for i, own in enumerate(strengths):
        scale = model.solution(values)[0][i]
        own = own[np.sqrt(np.diag(covariance)[own]) < UNCERTAIN * abs(scale)]
        found.append((amplitudes[own], covariance[np.ix_(own, own)]))
    return found


def _random_effects(own: np.ndarray, covariance: np.ndarray, scale: float) -> tuple[float, float, float, int]:
    """Return scale, the variance that the scatter of its lines adds, their relative scatter, and their number.

    Parameters
    ----------
    own : array, shape (n,)
        Scale by each line.
    covariance : array, shape (n, n)
    scale : float
        Of the whole-pattern fit, where the lines do not tell.
    """
    n = own.size
    if n < FEWEST or scale <= 0:
        return scale, (UNKNOWN_SCATTER * scale) ** 2, UNKNOWN_SCATTER, n

    def estimate(variance: float) -> tuple[float, np.ndarray, float]:
        inverse = np.linalg.inv(covariance + variance * np.eye(n))
        weight = inverse.sum(axis=0) / inverse.sum()
        residual = own - weight @ own
        return float(weight @ own), weight, float(residual @ inverse @ residual)

    between, largest = 0.0, (own.max() - own.min()) ** 2
    if estimate(0.0)[2] > n - 1 and estimate(largest)[2] < n - 1:
        between = float(optimize.brentq(lambda x: estimate(x)[2] - (n - 1), 0.0, largest))
    mean, weight, _ = estimate(between)
    # As of a normal variable: Student's t for the few lines that the estimate rests on, by their weights.
    effective = max(1 / float(weight @ weight) - 1, 1.0)
    variance = between * float(weight @ weight) * (student(effective) / NORMAL) ** 2
    return mean, variance, float(np.sqrt(between)) / abs(mean), n


def _shares(
    weights: np.ndarray, covariance: np.ndarray, absorption: np.ndarray, size: float
) -> list[tuple[float, float, float]]:
    """Return the weight fractions [percent] with 95 % intervals, for grains of a size [micrometre].

    Of a phase without intensity the upper bound is one-sided.
    """
    weights = np.maximum(weights, 0.0)
    mean = weights @ absorption / weights.sum()
    factor = np.exp(PATH * (absorption - mean) * size * 1e-3)
    weights, covariance = weights * factor, covariance * np.outer(factor, factor)
    shares = weights / weights.sum()
    slopes = (np.eye(weights.size) - shares[:, None]) / weights.sum()  # of each share by each weight
    errors = np.sqrt(np.einsum("ij,jk,ik->i", slopes, covariance, slopes))
    quantiles = np.where(weights > NORMAL * np.sqrt(np.diag(covariance)), NORMAL, NORMAL_ONE_SIDED)
    bounds = np.clip(np.stack([shares, shares - quantiles * errors, shares + quantiles * errors], axis=1), 0, 1)
    return [(100 * value, 100 * low, 100 * high) for value, low, high in bounds.tolist()]
