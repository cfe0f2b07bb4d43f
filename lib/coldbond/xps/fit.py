"""A region as a sum of components on a background that they cause, fitted through lmfit."""

from collections.abc import Mapping, Sequence

import lmfit
import numpy as np
import xarray as xr
from scipy.linalg import block_diag, solve_triangular
from scipy.ndimage import uniform_filter1d
from scipy.optimize import least_squares, nnls

from coldbond import counting
from coldbond.xps import backgrounds, line_shapes
from coldbond.xps.components import Component, Line

#: Each shape: its function, and its parameter beside the width.
SHAPES = {
    "gl product": (line_shapes.gaussian_lorentzian_product, "mixing"),
    "gl sum": (line_shapes.gaussian_lorentzian_sum, "mixing"),
    "voigt": (line_shapes.voigt, "lorentzian"),
    "doniach": (line_shapes.doniach_sunjic, "lorentzian"),
}
MIXING = (0.3, 0.15)  # usual, with its standard uncertainty; the Lorentzian's width is the core level's
#: Each background that is fitted with the lines, and its strength with its standard uncertainty: steps are
#: up to twenty per cent of a line's height, and within a window as narrow as a region B stands for C too.
CAUSED = {
    "shirley": (backgrounds.shirley, (0.05, 0.05)),
    "tougaard": (backgrounds.tougaard, (backgrounds.UNIVERSAL_B, 3 * backgrounds.UNIVERSAL_B)),
}
BACKGROUNDS = {
    "active shirley": ("shirley",),
    "active tougaard": ("tougaard",),
    "shirley and tougaard": ("shirley", "tougaard"),
    "iterative shirley": (),
    "linear": (),
}
NARROWEST = 0.2  # eV
NEAR = 1e-3  # of a bound, eV or 1
TINY = 1e-5  # step of a numerical derivative, eV or 1
WIDTHS = (0.7, 0.85, 1.0)  # of the usual width, from which a fit may start


def fit(
    region: xr.Dataset,
    components: Sequence[Component],
    background: str = "active shirley",
    shape: str = "doniach",
    *,
    line: Line = Line(),  # noqa: B008, frozen
    reference_uncertainty: float = 0.15,
) -> lmfit.minimizer.MinimizerResult:
    """Fit a region.

    Parameters
    ----------
    region : xarray.Dataset
        `intensity` over `binding_energy` [eV], ascending, as `coldbond.read` gives it.
    components : sequence of Component
        Their positions are held by their uncertainties, and all together by that of the energy reference. None at all
        fits the straight line alone.
    background : {"active shirley", "active tougaard", "shirley and tougaard", "iterative shirley", "linear"}
        All but the iterative one stand on a straight line, which is fitted too.
    shape : {"gl product", "gl sum", "voigt", "doniach"}
        See `line_shapes`; what shapes a line is the same for all components but those with a width of their own.
        "doniach" is a Voigt profile where the core level has no asymmetry.
    line : Line
        Spin-orbit partner and usual width, such as one of `components.LINES`; a singlet unless given.
    reference_uncertainty : float
        Standard uncertainty of the energy reference, eV: how far all components may lie off together.

    Returns
    -------
    lmfit.minimizer.MinimizerResult
        Its parameters, energies in eV: `KEY_area` of every component's main line, in the intensity's unit times eV and
        free to be negative; `KEY_position`; `fwhm` and `KEY_fwhm` (for "voigt" and "doniach" the Gaussian's), `mixing`
        or `lorentzian`, `asymmetry`; `shirley` [1/eV] and `tougaard` [eV2], the background's strengths; `level` and
        `slope` of the straight line.
        Attributes beside lmfit's own: `at_bound`, the parameters that ended at a bound and were fixed there; `model`
        and `sigma`, the `Model` and what it was weighted with.

    Raises
    ------
    ValueError
        An unknown background or shape, or hardly more points than parameters.

    Notes
    -----
    Weights are those of counting, from the fit's expectation; where nothing is known of the counting they are taken
    proportional to its root. The covariance is scaled by the residuals where the counting is unknown, and where they
    exceed it: a model that does not fit has no better right to a narrow interval. Widths, shape and background strength
    are held by the uncertainties that `components.LINES`, `SHAPES` and `BACKGROUNDS` state, which a strong line
    overrides.
    """
    components = list(components)
    if shape not in SHAPES:
        raise ValueError(f"no line shape {shape!r}; there are {', '.join(SHAPES)}")
    if background not in BACKGROUNDS:
        raise ValueError(f"no background {background!r}; there are {', '.join(BACKGROUNDS)}")
    if background == "iterative shirley" and not components:
        raise ValueError("there is nothing to fit without a component on this background, which is fixed: take another")
    model = Model(region, components, background, shape, line, reference_uncertainty)
    values = model.start()
    if model.energy.size < len(values) + 3:
        raise ValueError(f"{model.energy.size} points do not determine {len(values)} parameters; widen the region")
    smooth = model.uncertainty(uniform_filter1d(model.intensity, 5, mode="nearest"))
    near, free, chisqr = settled(model, values, list(values), smooth)
    sigma = model.uncertainty(model.envelope(near))
    known = "one_count" in region and chisqr <= model.energy.size - len(values)
    return refined(model, near, free, sigma, scaled=not known)


def curves(result: lmfit.minimizer.MinimizerResult) -> xr.Dataset:
    """Return what a fit draws: over `binding_energy`, and `component` over `key` too.

    Parameters
    ----------
    result : lmfit.minimizer.MinimizerResult
        From `fit`.

    Returns
    -------
    xarray.Dataset
        `intensity`, `envelope`, `background`, `component`, `uncertainty` and the normalised `residual`.
    """
    model, values = result.model, result.params.valuesdict()
    components = model.areas(values)[:, np.newaxis] * model.lines(values)
    envelope = model.envelope(values)
    shown = {"units": model.region.intensity.attrs.get("units", "")}
    return xr.Dataset(
        {
            "intensity": ("binding_energy", model.intensity, shown),
            "envelope": ("binding_energy", envelope, shown),
            "background": ("binding_energy", envelope - components.sum(axis=0), shown),
            "component": (("key", "binding_energy"), components, shown),
            "uncertainty": ("binding_energy", result.sigma, shown),
            "residual": ("binding_energy", (model.intensity - envelope) / result.sigma, {"units": "1"}),
        },
        coords={"binding_energy": model.region.binding_energy, "key": [c.key for c in model.components]},
    )


def settled(
    model: "Model", values: Mapping[str, float], free: Sequence[str], sigma: np.ndarray, tolerance: float = 1e-6
) -> tuple[dict[str, float], list[str], float]:
    """Return values at the least sum of squares, which of them are free still, not ended at a bound, and that sum.

    Within bounds lmfit's parameters creep up to them and never tell: scipy's dogbox (Voglis and Lagaris 2004) does. It
    ends when the sum changes by less than the tolerance.
    """
    bounds = np.array([model.bounds(name) for name in free]).reshape(-1, 2).T
    found = least_squares(
        lambda v: model.residual(values | dict(zip(free, v, strict=True)), sigma),
        np.clip([values[name] for name in free], bounds[0] + NEAR, bounds[1] - NEAR),
        lambda v: model.derivatives(values | dict(zip(free, v, strict=True)), sigma, free),
        bounds=tuple(bounds),
        method="dogbox",
        x_scale="jac",
        ftol=tolerance,
        xtol=tolerance,
        gtol=None,
    )
    at_bound = np.abs(found.x - bounds) < NEAR
    ended = np.where(at_bound[0], bounds[0], np.where(at_bound[1], bounds[1], found.x))
    still = [name for name, fixed in zip(free, at_bound.any(axis=0), strict=True) if not fixed]
    return values | dict(zip(free, ended.tolist(), strict=True)), still, 2 * found.cost


def refined(
    model: "Model", values: Mapping[str, float], free: Sequence[str], sigma: np.ndarray, scaled: bool
) -> lmfit.minimizer.MinimizerResult:
    """Return lmfit's result from values that are settled, with what ended at a bound left there."""
    params = lmfit.Parameters()
    for name, value in values.items():
        least, most = model.bounds(name)
        params.add(name, value, vary=name in free, min=least, max=most)
    result = lmfit.minimize(
        lambda params: model.residual(params.valuesdict(), sigma),
        params,
        scale_covar=scaled,
        Dfun=lambda params: model.derivatives(params.valuesdict(), sigma, free),
        ftol=1e-6,
        xtol=1e-6,
    )
    result.at_bound = [name for name in values if name not in free]
    result.model, result.sigma = model, sigma
    return result


class Model:
    """The intensity as a function of parameters, and what is known of them beforehand."""

    def __init__(
        self,
        region: xr.Dataset,
        components: list[Component],
        background: str,
        shape: str,
        line: Line,
        reference_uncertainty: float,
    ) -> None:
        self.region, self.components, self.line = region, components, line
        self.background, self.name = background, shape
        self.energy = region.binding_energy.to_numpy()
        self.intensity = region.intensity.to_numpy()
        self.centred = self.energy - self.energy.mean()
        self.tailed = shape == "doniach" and line.asymmetry is not None
        self.shape, self.second = SHAPES["voigt" if shape == "doniach" and not self.tailed else shape]
        self.others = [self.second, "asymmetry"] if self.tailed else [self.second]
        self.causes = {name: CAUSED[name][0](self.energy) for name in BACKGROUNDS[background]}
        # A straight line below the rest, or a background that was found beforehand.
        self.static = 0.0
        self.straight = {"level": np.ones_like(self.energy), "slope": self.centred}
        if background == "iterative shirley":
            self.static, self.straight = backgrounds.iterative_shirley(self.energy, self.intensity), {}
        self.widths = ["fwhm" if c.fwhm is None else f"{c.key}_fwhm" for c in components]
        self._know_beforehand(reference_uncertainty)
        self._last: tuple | None = None

    def _know_beforehand(self, reference_uncertainty: float) -> None:
        """Collect means and standard uncertainties; those of the positions have the energy reference in common."""
        held = [c for c in self.components if np.isfinite(c.uncertainty)]
        self.held = [f"{c.key}_position" for c in held]
        self.reference = np.array([c.position for c in held])
        covariance = np.diag([c.uncertainty**2 for c in held]) + reference_uncertainty**2
        self.whiten = solve_triangular(np.linalg.cholesky(covariance), np.eye(len(held)), lower=True)
        self.reference_uncertainty = reference_uncertainty
        shared = {"fwhm": self.line.fwhm, self.second: MIXING if self.second == "mixing" else self.line.lorentzian}
        if self.tailed:
            shared["asymmetry"] = self.line.asymmetry
        shared |= {name: CAUSED[name][1] for name in self.causes}
        self.usual = {name: mean for name, (mean, _) in shared.items()}
        known = {name: c.fwhm or self.line.fwhm for name, c in zip(self.widths, self.components, strict=True)}
        if self.components:
            known |= {name: shared[name] for name in shared if name != "fwhm"}
        self.known = list(known)
        self.mean, self.deviation = np.array(list(known.values())).reshape(-1, 2).T
        self.slopes_beforehand = dict(
            zip([*self.held, *self.known], block_diag(self.whiten, np.diag(1 / self.deviation)).T, strict=True)
        )

    def start(self) -> dict[str, float]:
        """Return values that start at what is known, the energy scale shifted and the areas as suits the data."""
        sigma = self.uncertainty(uniform_filter1d(self.intensity, 5, mode="nearest"))
        data = (self.intensity - self.static) / sigma
        straight = np.array([sign * column for sign in (1, -1) for column in self.straight.values()])
        straight = straight.reshape(-1, self.energy.size)

        def begun(shift: float, width: float) -> tuple[float, dict[str, float], np.ndarray]:
            values = dict(zip(self.known, self.mean, strict=True))
            values |= {f"{c.key}_position": c.position + shift for c in self.components}
            if "fwhm" in values:
                values["fwhm"] *= width
            columns = np.vstack([self.caused(values), straight]) / sigma
            # No area starts below zero: a fit that begins so may end in a wide line with holes cut into it.
            areas, misfit = nnls(columns.T, data)
            return misfit**2 + np.sum(self.beforehand(values) ** 2), values, areas

        shift = min(self._shifts(), key=lambda shift: begun(shift, WIDTHS[1])[0])
        _, values, areas = min((begun(shift, width) for width in WIDTHS), key=lambda one: one[0])
        values |= {f"{c.key}_area": area for c, area in zip(self.components, areas, strict=False)}
        up, down = np.split(areas[len(self.components) :], 2)
        return values | dict(zip(self.straight, up - down, strict=True))

    def bounds(self, name: str) -> tuple[float, float]:
        """Return the least and the largest value that a parameter may take."""
        if name.endswith("fwhm"):
            return NARROWEST, np.inf
        if name == "asymmetry":
            return 0.0, 0.5
        if name == self.second:
            # A tailed line without a width of its own is singular.
            return 0.05 if self.tailed else 0.0, 1.0 if name == "mixing" else np.inf
        return -np.inf, np.inf

    def _shifts(self) -> np.ndarray:
        """Shifts of all components together, from where the fit may start."""
        reach = 2 * self.reference_uncertainty
        return np.linspace(-reach, reach, 2 * int(np.ceil(reach / 0.2)) + 1)

    def uncertainty(self, expected: np.ndarray) -> np.ndarray:
        """Standard deviation of counting; proportional to the root where nothing is known of it."""
        known = counting.standard_uncertainty(self.region, expected)
        return np.sqrt(np.maximum(expected, 1e-3 * np.abs(expected).max())) if known is None else known

    def lines(self, values: Mapping[str, float]) -> np.ndarray:
        """Components of unit area, shape (component, energy)."""
        if not self.components:
            return np.empty((0, self.energy.size))
        position = np.array([values[f"{c.key}_position"] for c in self.components])
        return self._unit(values, position, np.array([values[name] for name in self.widths]))

    def _unit(self, values: Mapping[str, float], position: np.ndarray, width: np.ndarray) -> np.ndarray:
        away, *arguments = self._arguments(values, position, width)
        lines = self.shape(away, *arguments)
        if self.line.ratio:
            lines = lines + self.line.ratio * self.shape(away - self.line.splitting, *arguments)
        return lines

    def _arguments(self, values: Mapping[str, float], position: np.ndarray, width: np.ndarray) -> list[np.ndarray]:
        """Of the line shape: energy, width and what else the shape has."""
        away = self.energy - position[:, np.newaxis]
        return [away, width[:, np.newaxis], *(values[name] for name in self.others)]

    def _slopes(self, values: Mapping[str, float]) -> list[np.ndarray]:
        """Components of unit area and their derivatives by each argument of the line shape."""
        if self._last is None or self._last[0] != values:  # a fit asks for the derivatives where it had the residual
            self._last = dict(values), self._found_slopes(values)
        return self._last[1]

    def _found_slopes(self, values: Mapping[str, float]) -> list[np.ndarray]:
        if not self.components:
            return [np.empty((0, self.energy.size))] * (3 + len(self.others))
        position = np.array([values[f"{c.key}_position"] for c in self.components])
        away, *arguments = self._arguments(values, position, np.array([values[name] for name in self.widths]))
        slopes = line_shapes.SLOPES.get(self.shape, self._by_differences)
        first = slopes(away, *arguments)
        if not self.line.ratio:
            return first
        second = slopes(away - self.line.splitting, *arguments)
        return [one + self.line.ratio * other for one, other in zip(first, second, strict=True)]

    def _by_differences(self, *arguments: np.ndarray) -> list[np.ndarray]:
        lines = self.shape(*arguments)
        moved = ([*arguments[:i], value + TINY, *arguments[i + 1 :]] for i, value in enumerate(arguments))
        return [lines, *((self.shape(*some) - lines) / TINY for some in moved)]

    def caused(self, values: Mapping[str, float]) -> np.ndarray:
        """Components of unit area with the background that each causes."""
        return self._with_background(values, self.lines(values))

    def _with_background(self, values: Mapping[str, float], lines: np.ndarray) -> np.ndarray:
        return lines + sum(values.get(name, 0.0) * cause(lines) for name, cause in self.causes.items())

    def probe(self, values: Mapping[str, float], component: Component, position: np.ndarray) -> np.ndarray:
        """Another component of unit area at every position, with the background that it causes."""
        values = self.usual | dict(values)
        width = component.fwhm[0] if component.fwhm else values["fwhm"]
        return self._with_background(values, self._unit(values, position, np.full_like(position, width)))

    def areas(self, values: Mapping[str, float]) -> np.ndarray:
        return np.array([values[f"{c.key}_area"] for c in self.components])

    def straight_line(self, values: Mapping[str, float]) -> np.ndarray:
        return self.static + sum((values[name] * column for name, column in self.straight.items()), np.float64(0))

    def envelope(self, values: Mapping[str, float]) -> np.ndarray:
        lines, *_ = self._slopes(values)
        return self._with_background(values, self.areas(values) @ lines) + self.straight_line(values)

    def beforehand(self, values: Mapping[str, float]) -> np.ndarray:
        """Deviations from what is known beforehand, in standard deviations."""
        away = self.whiten @ (np.array([values[name] for name in self.held]) - self.reference)
        return np.append(away, (np.array([values[name] for name in self.known]) - self.mean) / self.deviation)

    def residual(self, values: Mapping[str, float], sigma: np.ndarray) -> np.ndarray:
        return np.append((self.envelope(values) - self.intensity) / sigma, self.beforehand(values))

    def derivatives(self, values: Mapping[str, float], sigma: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """Derivatives of the residual, shape (residuals, names)."""
        lines, by_energy, by_width, *by_others = self._slopes(values)
        areas, of = self.areas(values), np.array(self.widths)
        of_lines = dict(zip((f"{c.key}_area" for c in self.components), lines, strict=True))
        by_position = -areas[:, np.newaxis] * by_energy
        of_lines |= dict(zip((f"{c.key}_position" for c in self.components), by_position, strict=True))
        of_lines |= {name: areas * (of == name) @ by_width for name in set(self.widths)}
        of_lines |= {name: areas @ some for name, some in zip(self.others, by_others, strict=True)}
        caused = self._with_background(values, np.array(list(of_lines.values())))
        known = dict(zip(of_lines, caused, strict=True)) | self.straight
        known |= {name: cause(areas @ lines) for name, cause in self.causes.items()}
        columns = np.array([known[name] for name in names]).reshape(-1, self.energy.size) / sigma
        nothing = np.zeros(len(self.slopes_beforehand))
        before = np.array([self.slopes_beforehand.get(name, nothing) for name in names]).reshape(len(names), -1)
        return np.hstack([columns, before]).T
