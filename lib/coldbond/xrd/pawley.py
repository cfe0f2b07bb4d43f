"""Whole-pattern fit without a structure model (Pawley 1981, doi 10.1107/S0021889881009618).

Every reflection of the main phase has its own intensity. Intensities, background and the scales of other phases enter
the pattern linearly: they are solved for inside each evaluation, and lmfit varies only what is left (variable
projection; Golub and Pereyra 1973, doi 10.1137/0710036), with their exact derivative.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import lmfit
import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond import counting
from coldbond.xrd import reflection_list, uncertainty
from coldbond.xrd.design_matrix import Columns, angles, shape, spacings
from coldbond.xrd.profile import integral_breadth
from coldbond.xrd.structures import Structure

#: Radius of the goniometer where the pattern does not say it, mm; usual for laboratory diffractometers.
RADIUS = 185.0
#: Mean and standard deviation of "axial" before a pattern is seen, degree^2: Soller slits of 0 to 2.5 degree. Broad
#: profiles say nothing of it, yet it moves them as a displacement does.
SOLLER = 2.5, 2.5
#: What an instrument adds to every profile, at the values from which its fit starts.
INSTRUMENT = {"u": 1e-3, "v": 0.0, "w": 3e-3, "x": 0.0, "y": 0.0, "axial": SOLLER[0], "kalpha2_ratio": 0.5}
#: Fewest areas for which u and v are fitted beside w, size and strain: fewer reflections do not tell them apart.
AREAS_FOR_UV = 8
#: Centroid against peak of Cu K-alpha1, relative (from `columns.COPPER`). Filters, monochromators and satellites make
#: the lopsided line another one, and a fit may settle anywhere within this of the true wavelength.
LINE = 3.5e-5
#: Share of solid in a sample, of which transparency depends, and its standard deviation: from loose powder to ceramic.
PACKING = 0.7, 0.15
#: Mean depth from which a sample of light atoms diffracts, and its standard deviation, mm: taken where absorption by
#: the pure phase would let it be more, since thickness and traces of heavier atoms set it, which nobody states.
DEEP = 0.07, 0.07
#: Weight below which a geometry is left out of the interval of a lattice parameter.
IMPOSSIBLE = 1e-3
GEOMETRIES = ("displacement", "zero")
MOST = 100  # evaluations in each: a fit of the right phase takes a tenth of them
WINDOW = 3.0  # full widths at half maximum within which residuals hang together
ROUNDS = (1e-3, 1e-3, 1e-6)  # tolerances of the fits, with weights from the pattern and then from the fit before


@dataclass(frozen=True)
class Instrument:
    """What a diffractometer adds to every profile, from a pattern of a standard without broadening of its own.

    Attributes
    ----------
    names : tuple of str
        "u", "v", "w" [degree^2] of the Gaussian full width at half maximum, squared, u tan^2 + v tan + w; "x", "y"
        [degree] of the Lorentzian one, x / cos + y tan, of the Bragg angle; "axial" [degree^2], the square of
        the aperture of the Soller slits, negative where profiles lean the other way; and "kalpha2_ratio".
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
    start: MinimizerResult | None = None,
    rough: bool = False,
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
        From `instrument`; size and strain are then the sample's alone. Without it they hold the instrument's too.
    others : sequence of Structure
        Phases with one scale each, at the cell and the calculated intensities of their structures.
    breadths : mapping of str to float, optional
        By the name of another phase: its Lorentzian breadth, x / cos with x [degree], beyond the instrument's; that of
        the main phase unless given.
    background : int
        Number of Chebyshev polynomials.
    start : MinimizerResult, optional
        Of this pattern, with fewer phases or the other geometry: the search starts from it. Another geometry has the
        weights of that fit too, so that their chi squares compare.
    rough : bool
        Whether a first look is enough, from which another fit starts: of errors it has those of the amounts alone.

    Returns
    -------
    lmfit.minimizer.MinimizerResult
        `params`: lattice parameters that the crystal system leaves free, of "a", "b", "c" [angstrom], "alpha", "beta",
        "gamma" [degree]; "displacement" [mm, positive for a sample below the axis] or "zero" [degree]; "size", "strain"
        [degree], Lorentzian full widths size / cos and strain tan of the Bragg angle, which noise may carry below zero
        (a bound there would bias what it does not stop); "depth" [mm], from which the sample diffracts on average,
        never fitted; and those of `Instrument`. Their `stderr` is None where the pattern does not determine them;
        `inflation` is by how much their variances are larger than the weights say. Of the linear solve:

        `curves` : Dataset over `two_theta`: `intensity`, `fit`, `background`, `standard_uncertainty` (the weights are
        one over its square) and, over `phase` too, `phases`, without background.
        `reflections` : Dataset over `reflection` of the main phase: `h`, `k`, `l`, `two_theta`, `fwhm`,
        `integral_breadth` [degree], `area` and `area_error` [intensity x degree], and `area_covariance`. Reflections
        nearer than `lines.SHARED` share one area, split as their calculated intensities are.
        `scales` : Dataset over `phase`, main phase first: `scale` and `scale_error`, the area that the strongest
        reflection of its structure has [intensity x degree].

    Raises
    ------
    ValueError
        The pattern has no wavelength, no counts, or no reflection of the main phase in its range.

    Notes
    -----
    The weights come from the counting statistics of the fit before; they are equal where nothing is known of the
    counting. Standard errors are widened by what the residuals show beyond the weights, see `uncertainty.inflation`,
    and carry the instrument's covariance.
    """
    _check(pattern, geometry)
    two_theta, intensity = pattern.two_theta.to_numpy(), pattern.intensity.to_numpy()
    wavelengths = _wavelengths(pattern)
    radius = float(pattern.attrs.get("goniometer_radius") or RADIUS)
    cell, params = reflection_list.lattice_parameters(structure)
    known = reflection_list.visible(structure, pattern, wavelengths[0])
    stretch = reflection_list.stretch(known, pattern, wavelengths[0])
    for name in params:
        if name in "abc":
            params[name].value *= stretch
    values = params.valuesdict()
    bragg, _ = angles(spacings(reflection_list.indices(known), cell(values)), wavelengths[0], {}, radius)
    main = reflection_list.main_phase(known, two_theta, bragg)
    phases = [
        main,
        *reflection_list.other_phases(others, breadths or {}, pattern, wavelengths[0], int(main.column.max()) + 1),
    ]
    params.add(geometry, 0.0)
    depth = 1 / (2 * reflection_list.absorption(structure, wavelengths[0]) * PACKING[0])
    params.add("depth", min(depth, DEEP[0]), vary=False)
    _add_widths(params, instrument, int(main.column.max()) + 1, doublet=len(wavelengths) > 1)
    soller = params["axial"].vary
    if start is not None:
        for name, param in params.items():
            param.value = start.params[name].value if param.vary and name in start.params else param.value
        # with the other geometry, that shift and cell at which the reflections lie where they did
        d = spacings(main.hkl, cell(params.valuesdict()))
        bragg, off = angles(d, wavelengths[0], start.params.valuesdict(), radius)
        by_shift = angles(d, wavelengths[0], {geometry: 1.0}, radius)[1]
        ways = np.column_stack([-np.degrees(2 * np.tan(np.radians(bragg) / 2)), by_shift])
        strain, params[geometry].value = np.linalg.lstsq(ways, off, rcond=None)[0]
        for name in set("abc") & set(params):
            params[name].value *= 1 + strain
    polynomials = np.polynomial.chebyshev.chebvander(np.interp(two_theta, two_theta[[0, -1]], [-1, 1]), background - 1)

    rounds, before = ROUNDS[: 1 if rough else None], reflection_list.smooth(intensity)
    if start is not None:
        rounds, before = ROUNDS[1:], start.curves.fit.to_numpy()
    sigma = counting.standard_uncertainty(pattern, before)
    counted = sigma is not None
    if start is not None and geometry not in start.params:
        rounds, sigma = ROUNDS[2:], start.curves.standard_uncertainty.to_numpy()
    elif not counted:
        sigma = np.full(intensity.size, np.std(np.diff(intensity)) / np.sqrt(2) or 1.0)
    for tolerance in rounds:
        columns = Columns(two_theta, wavelengths, radius, phases, cell, params.valuesdict())
        solve = _Solve(columns, polynomials, intensity, sigma, soller)
        options = dict(Dfun=solve.jacobian, calc_covar=False, ftol=tolerance, xtol=tolerance, max_nfev=MOST)
        result = lmfit.minimize(solve.residual, params, **options)
        params = result.params
        if counted and tolerance != rounds[-1]:
            sigma = counting.standard_uncertainty(pattern, solve.expected(params.valuesdict()))
    covariance = solve(params.valuesdict())[2] if rough else _add_errors(result, solve, instrument, counted)
    _add_curves(result, solve, pattern, [structure, *others])
    _add_amounts(result, solve, covariance, known, [structure, *others])
    return result


def instrument(pattern: xr.Dataset, structure: Structure, **options) -> Instrument:
    """Return what the instrument adds to every profile, from the pattern of a standard without broadening of its own.

    Parameters
    ----------
    pattern, structure
        As for `fit`: the standard's.
    **options
        As for `fit`.

    Raises
    ------
    ValueError
        As `fit`, or the pattern does not determine the profile.
    """
    fitted = fit(pattern, structure, **options)
    source = {**dict(zip(INSTRUMENT, INSTRUMENT, strict=True)), "x": "size", "y": "strain"}
    values = [fitted.params[name].value for name in source.values()]
    known = [i for i, name in enumerate(source.values()) if name in fitted.var_names]
    at = [fitted.var_names.index(list(source.values())[i]) for i in known]
    lost = [fitted.var_names[i] for i in at if fitted.params[fitted.var_names[i]].stderr is None]
    if lost:
        raise ValueError(f"the pattern of {structure.name} does not determine the profile's {', '.join(lost)}")
    covariance = np.zeros((len(values), len(values)))
    covariance[np.ix_(known, known)] = fitted.covar[np.ix_(at, at)]
    return Instrument(tuple(source), np.array(values), covariance)


def geometries(pattern: xr.Dataset, structure: Structure, **options) -> dict[str, MinimizerResult]:
    """Return the fits with a sample displacement and with a zero shift, by the name of the geometry.

    Parameters
    ----------
    pattern, structure, **options
        As for `fit`.
    """
    displaced = fit(pattern, structure, **options)
    return {"displacement": displaced, "zero": fit(pattern, structure, geometry="zero", start=displaced, **options)}


def lattice(fits: Mapping[str, MinimizerResult]) -> xr.Dataset:
    """Return lattice parameters with intervals that include the choice between the geometries.

    Parameters
    ----------
    fits : mapping of str to MinimizerResult
        From `geometries`.

    Returns
    -------
    xarray.Dataset
        Over `parameter`: `value` and the 95 % interval `low` to `high` [angstrom or degree]; NaN where the pattern does
        not determine it. `line_error` is the standard error in it that the tube's line brings (`LINE`), the same for
        all patterns of an instrument: a difference between two does not have it. Over `geometry` and `parameter`:
        `estimate`, `standard_error` without that of the line, and `correlation` with the shift. Over `geometry`:
        `shift`, `shift_error` [mm or degree], and `weight`.

    Notes
    -----
    The weights are Akaike's (Burnham and Anderson 2002, ISBN 0-387-95364-7), with chi-square over the inflation of the
    lattice parameters' variance: models of as many parameters differ by their fit alone. Only models below `IMPOSSIBLE`
    are left out, since where the profiles do not fit either the difference says little of the geometry;
    the value is the weighted mean of the others, the interval reaches over all of theirs.
    """
    names = [name for name in reflection_list.CELL if name in next(iter(fits.values())).params]
    estimate = np.array([[fit.params[name].value for name in names] for fit in fits.values()])
    error = np.array([[_error(fit, name) for name in names] for fit in fits.values()])
    found = xr.Dataset(
        {
            "estimate": (("geometry", "parameter"), estimate),
            "standard_error": (("geometry", "parameter"), error),
            "correlation": (
                ("geometry", "parameter"),
                [[(fit.params[name].correl or {}).get(shift, np.nan) for name in names] for shift, fit in fits.items()],
            ),
            "shift": ("geometry", [fit.params[shift].value for shift, fit in fits.items()]),
            "shift_error": ("geometry", [_error(fit, shift) for shift, fit in fits.items()]),
        },
        coords={"geometry": list(fits), "parameter": names},
    )
    best = min(fits.values(), key=lambda fit: fit.chisqr)
    inflation = max(best.inflation[best.var_names.index(name)] for name in names)
    chi_square = np.array([fit.chisqr for fit in fits.values()]) / inflation
    weight = np.exp(-(chi_square - chi_square.min()) / 2)
    weight = np.where(weight >= IMPOSSIBLE * weight.sum(), weight, 0.0)
    weight /= weight.sum()
    kept = weight > 0
    line = np.array([LINE / np.sqrt(3) if name in "abc" else 0.0 for name in names]) * estimate[0]
    half = 1.96 * np.hypot(error, line)
    found["weight"] = "geometry", weight
    found["line_error"] = "parameter", line
    found["value"] = "parameter", np.where(np.isnan(error[kept]).any(axis=0), np.nan, weight @ estimate)
    found["low"] = "parameter", (estimate - half)[kept].min(axis=0)
    found["high"] = "parameter", (estimate + half)[kept].max(axis=0)
    return found


def correlations(fit: MinimizerResult, above: float = 0.9) -> list[tuple[str, str, float]]:
    """Return the pairs of parameters whose correlation is above a bound in size, strongest first.

    Parameters
    ----------
    fit : MinimizerResult
        From `fit`.
    above : float
    """
    pairs = [
        (name, other, (fit.params[name].correl or {}).get(other, 0.0))
        for i, name in enumerate(fit.var_names)
        for other in fit.var_names[i + 1 :]
    ]
    return sorted((pair for pair in pairs if abs(pair[2]) > above), key=lambda pair: -abs(pair[2]))


class _Solve:
    """Amounts of all columns that fit a pattern best, at given nonlinear parameters."""

    def __init__(
        self,
        columns: Columns,
        polynomials: np.ndarray,
        intensity: np.ndarray,
        sigma: np.ndarray,
        soller: bool,
    ) -> None:
        self.columns, self.polynomials, self.intensity, self.sigma = columns, polynomials, intensity, sigma
        self.soller = soller  # whether `SOLLER` is a datum beside the pattern
        self._last: tuple = (None, ())

    def design(self, values: Mapping[str, float]) -> np.ndarray:
        return self._solved(values)[-1]

    def __call__(self, values: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return amounts, shape (k,), weighted residuals, shape (m,) and one for `SOLLER`, covariance."""
        return self._solved(values)[1:4]

    def _solved(self, values: Mapping[str, float]) -> tuple[np.ndarray, ...]:
        """Weighted columns, what is solved for with them, columns; kept, for a fit asks twice at the same values."""
        if values != self._last[0]:
            design = np.hstack([self.columns(values), self.polynomials])
            weighted = design / self.sigma[:, None]
            data = self.intensity / self.sigma
            covariance, _ = uncertainty.inverse(weighted.T @ weighted)
            amounts = covariance @ (weighted.T @ data)
            known = [(values["axial"] - SOLLER[0]) / SOLLER[1]] if self.soller else []
            residual = np.append(data - weighted @ amounts, known)
            self._last = dict(values), (weighted, amounts, residual, covariance, design)
        return self._last[1]

    def derivatives(self, values: Mapping[str, float], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return how residuals, shape (m, p), and amounts, shape (k, p), change with parameters."""
        weighted, amounts, residual, covariance, _ = self._solved(values)
        m, count = self.sigma.size, self.columns.count
        change, against = self.columns.slopes(values, names, amounts[:count], residual[:m] / self.sigma)
        change = change / self.sigma[:, None]
        against = np.pad(against, [(0, amounts.size - count), (0, 0)])
        of_amounts = covariance @ (against - weighted.T @ change)
        of_known = [[(name == "axial") / SOLLER[1] for name in names]] if self.soller else np.zeros((0, len(names)))
        return np.vstack([-change - weighted @ of_amounts, of_known]), of_amounts

    def residual(self, params: lmfit.Parameters) -> np.ndarray:
        return self(params.valuesdict())[1]

    def jacobian(self, params: lmfit.Parameters) -> np.ndarray:
        return self.derivatives(params.valuesdict(), [name for name, param in params.items() if param.vary])[0]

    def expected(self, values: Mapping[str, float]) -> np.ndarray:
        return self.design(values) @ self(values)[0]


def _add_errors(result: MinimizerResult, solve: _Solve, instrument: Instrument | None, counted: bool) -> np.ndarray:
    """Complete the result with what is known of its errors; return the covariance of the amounts."""
    values = result.params.valuesdict()
    amounts, residual, conditional = solve(values)
    given, known = _given(result, instrument)
    jacobian = solve.derivatives(values, [*result.var_names, *given])
    main = solve.columns.phases[0]
    fwhm, _ = shape(solve.columns.positions(main, values)[0], main, values)
    window = 1 + int(WINDOW * np.median(fwhm) / np.median(np.diff(solve.columns.two_theta)))
    weighted = np.vstack([solve.design(values) / solve.sigma[:, None], np.zeros((int(solve.soller), amounts.size))])
    result.nfree = residual.size - amounts.size - len(result.var_names)
    result.redchi = result.chisqr / result.nfree
    least = max(result.redchi, 1.0) if counted else result.redchi
    covariance, of_amounts, lost, larger = uncertainty.covariances(
        weighted, jacobian, residual, conditional, known, window, least
    )
    result.covar, result.inflation = covariance, larger
    correlation = uncertainty.correlation(result.var_names, covariance)
    for i, name in enumerate(result.var_names):
        result.params[name].stderr = None if lost[i] else float(np.sqrt(covariance[i, i]))
        result.params[name].correl = None if lost[i] else correlation[name]
    result.errorbars = not lost.any()
    return of_amounts


def _given(result: MinimizerResult, instrument: Instrument | None) -> tuple[list[str], np.ndarray]:
    """Names and covariance of what is not fitted and yet uncertain: the instrument, and the depth that diffracts."""
    names, known = ([], np.zeros((0, 0))) if instrument is None else (list(instrument.names), instrument.covariance)
    depth = result.params["depth"].value
    known = np.pad(known, (0, 1))
    known[-1, -1] = (DEEP[1] if depth == DEEP[0] else depth * PACKING[1] / PACKING[0]) ** 2
    return [*names, "depth"], known


def _add_curves(result: MinimizerResult, solve: _Solve, pattern: xr.Dataset, structures: Sequence[Structure]) -> None:
    values = result.params.valuesdict()
    design, amounts = solve.design(values), solve(values)[0]
    parts = [design[:, (columns := np.unique(phase.column))] @ amounts[columns] for phase in solve.columns.phases]
    first = solve.columns.count
    shown = {"units": pattern.intensity.attrs.get("units", "")}
    result.curves = xr.Dataset(
        {
            "intensity": ("two_theta", solve.intensity, shown),
            "fit": ("two_theta", design @ amounts, shown),
            "background": ("two_theta", design[:, first:] @ amounts[first:], shown),
            "standard_uncertainty": ("two_theta", solve.sigma, shown),
            "phases": (("phase", "two_theta"), parts, shown),
        },
        coords={"two_theta": pattern.two_theta, "phase": [structure.name for structure in structures]},
    )


def _add_amounts(
    result: MinimizerResult, solve: _Solve, covariance: np.ndarray, known: xr.Dataset, structures: Sequence[Structure]
) -> None:
    values = result.params.valuesdict()
    amounts = solve(values)[0]
    main, *others = solve.columns.phases
    two_theta, shift = solve.columns.positions(main, values)
    fwhm, mixing = shape(two_theta, main, values)
    split = main.share[:, None] * (main.column[:, None] == np.arange(amounts.size))  # amounts to areas
    areas, areas_covariance = split @ amounts, split @ covariance @ split.T
    names = ("h", "k", "l")
    per = "reflection"
    result.reflections = xr.Dataset(
        {name: (per, main.hkl[:, i]) for i, name in enumerate(names)}
        | {
            "two_theta": (per, two_theta + shift, {"units": "degree"}),
            "fwhm": (per, fwhm, {"units": "degree"}),
            "integral_breadth": (per, integral_breadth(fwhm, mixing), {"units": "degree"}),
            "area": (per, areas),
            "area_error": (per, np.sqrt(np.diag(areas_covariance))),
            "area_covariance": ((per, "other_reflection"), areas_covariance),
        }
    )
    strongest = 100 / reflection_list.relative(known, main).sum()
    to_scales = np.zeros((1 + len(others), amounts.size))
    to_scales[0, : main.column.max() + 1] = strongest
    for i, other in enumerate(others, start=1):
        to_scales[i, other.column[0]] = 1.0
    result.scales = xr.Dataset(
        {
            "scale": ("phase", to_scales @ amounts),
            "scale_error": ("phase", np.sqrt(np.diag(to_scales @ covariance @ to_scales.T))),
        },
        coords={"phase": [structure.name for structure in structures]},
    )


def _error(fit: MinimizerResult, name: str) -> float:
    stderr = fit.params[name].stderr
    return np.nan if stderr is None else stderr


def _wavelengths(pattern: xr.Dataset) -> tuple[float, ...]:
    """K-alpha1 and, unless the radiation is monochromatic, K-alpha2."""
    found = [pattern.attrs.get(f"wavelength_kalpha{n}") for n in (1, 2)]
    if not found[0]:
        raise ValueError(
            "the pattern has no wavelength: state it with .assign_attrs(wavelength_kalpha1=1.5405929), and "
            "wavelength_kalpha2 unless the beam is monochromatic [angstrom]"
        )
    return tuple(float(wavelength) for wavelength in found if wavelength)


def _check(pattern: xr.Dataset, geometry: str) -> None:
    if geometry not in GEOMETRIES:
        raise ValueError(f"geometry is {geometry!r}: one of {', '.join(GEOMETRIES)}")
    if "two_theta" not in pattern.coords or "intensity" not in pattern:
        raise ValueError("this is no diffraction pattern: it lacks intensity over two_theta")
    if not float(pattern.intensity.max()) > 0:
        raise ValueError("the pattern has no counts: no intensity is above zero")


def _add_widths(params: lmfit.Parameters, instrument: Instrument | None, areas: int, doublet: bool) -> None:
    values = INSTRUMENT if instrument is None else dict(zip(instrument.names, instrument.values, strict=True))
    fixed = {"x", "y"} | ({"u", "v"} if areas < AREAS_FOR_UV else set()) | (set() if doublet else {"kalpha2_ratio"})
    if instrument is None and areas < AREAS_FOR_UV:
        values = {**values, "u": 0.0}
    for name, value in values.items():
        params.add(
            name,
            value,
            vary=instrument is None and name not in fixed,
            min=-np.inf if name not in ("w", "kalpha2_ratio") else 0,
        )
    params.add("size", 0.02)
    params.add("strain", 0.02)
