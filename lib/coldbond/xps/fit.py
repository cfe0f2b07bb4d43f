"""A region as a sum of components on a background that they cause, fitted through lmfit."""

from collections.abc import Mapping, Sequence

import lmfit
import numpy as np
import xarray as xr
from scipy.linalg import solve_triangular
from scipy.ndimage import uniform_filter1d

from coldbond import counting
from coldbond.xps import backgrounds, line_shapes
from coldbond.xps.components import Component, Line

#: Each shape: its function, and its parameters beside the width (start, standard uncertainty, least, most). What a
#: spectrum does not determine stays within these uncertainties, and its intervals carry them.
SHAPES = {
    "gl product": (line_shapes.gaussian_lorentzian_product, {"mixing": (0.3, 0.15, 0.0, 1.0)}),
    "gl sum": (line_shapes.gaussian_lorentzian_sum, {"mixing": (0.3, 0.15, 0.0, 1.0)}),
    "voigt": (line_shapes.voigt, {"lorentzian": (0.3, 0.2, 0.0, 3.0)}),
    "doniach": (line_shapes.doniach_sunjic, {"lorentzian": (0.3, 0.2, 0.1, 3.0)}),
}

#: Each background that is fitted with the lines: its kernel, and its strength with its standard uncertainty. Steps are
#: a few to twenty per cent of a line's height; Tougaard's B varies by half between materials.
BACKGROUNDS = {
    "active shirley": (backgrounds.shirley_kernel, (0.05, 0.05)),
    "active tougaard": (backgrounds.tougaard_kernel, (backgrounds.UNIVERSAL_B, backgrounds.UNIVERSAL_B / 2)),
}
NARROWEST = 0.2  # eV


def fit(
    region: xr.Dataset,
    components: Sequence[Component],
    background: str = "active shirley",
    shape: str = "gl product",
    *,
    line: Line = Line(),  # noqa: B008, frozen
    reference_uncertainty: float = 0.15,
    start: Mapping[str, float] | None = None,
) -> lmfit.minimizer.MinimizerResult:
    """Fit a region.

    Parameters
    ----------
    region : xarray.Dataset
        `intensity` over `binding_energy` [eV], ascending, as `coldbond.read` gives it.
    components : sequence of Component
        Their positions are held by their uncertainties, and all together by that of the energy reference. None at all
        fits the straight line alone.
    background : {"active shirley", "active tougaard", "iterative shirley", "linear"}
        All but the iterative one stand on a straight line, which is fitted too.
    shape : {"gl product", "gl sum", "voigt", "doniach"}
        See `line_shapes`; the width and the mixing are the same for all components without a width of their own.
    line : Line
        Spin-orbit partner and usual width, such as one of `components.LINES`; a singlet unless given.
    reference_uncertainty : float
        Standard uncertainty of the energy reference, eV: how far all components may lie off together.
    start : mapping of str to float, optional
        Where parameters start, by name.

    Returns
    -------
    lmfit.minimizer.MinimizerResult
        Its parameters, energies in eV: `KEY_area` of every component's main line, in the intensity's unit times eV and
        free to be negative; `KEY_position`; `fwhm` and `KEY_fwhm` (for "voigt" and "doniach" the Gaussian's), `mixing`
        or `lorentzian`; `loss`, the background's strength; `level` and `slope` of the straight line.
        Attributes beside lmfit's own: `curves`, a Dataset over `binding_energy` with `intensity`, `envelope`,
        `background`, `uncertainty`, normalised `residual`, and `component` over `key`; `at_bound`, the parameters that
        ended at a bound and were fixed there; `model` and `sigma`, the `Model` and what it was weighted with.

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
    if background not in (*BACKGROUNDS, "iterative shirley", "linear"):
        raise ValueError(f"no background {background!r}; there are {', '.join(BACKGROUNDS)}, iterative shirley, linear")
    model = Model(region, components, background, shape, line, reference_uncertainty)
    params = model.start(start or {})
    if model.energy.size < len(params) + 3:
        raise ValueError(f"{model.energy.size} points do not determine {len(params)} parameters; widen the region")
    smooth = uniform_filter1d(model.intensity, 5, mode="nearest")
    first = _minimize(model, params, model.uncertainty(smooth), scaled=True)
    sigma = model.uncertainty(model.envelope(first.params))
    known = "one_count" in region and first.redchi <= 1
    result = _minimize(model, first.params, sigma, scaled=not known)
    result.at_bound = first.at_bound + result.at_bound
    result.model, result.sigma = model, sigma
    result.curves = model.curves(result.params, sigma)
    return result


def _minimize(
    model: "Model", params: lmfit.Parameters, sigma: np.ndarray, scaled: bool
) -> lmfit.minimizer.MinimizerResult:
    """Fit, and once more with what ended at a bound fixed there: at a bound no covariance holds."""
    at_bound: list[str] = []
    while True:
        result = lmfit.minimize(
            model.residual, params, args=(sigma,), method="leastsq", scale_covar=scaled, Dfun=model.jacobian
        )
        found = [p.name for p in result.params.values() if p.vary and _at_bound(p)]
        result.at_bound = at_bound = at_bound + found
        if not found:
            return result
        params = result.params
        for name in found:
            p = params[name]
            p.set(value=p.min if p.value - p.min <= p.max - p.value else p.max, vary=False)


def _at_bound(p: lmfit.Parameter) -> bool:
    return min(p.value - p.min, p.max - p.value) < 1e-3


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
        self.energy = region.binding_energy.to_numpy()
        self.intensity = region.intensity.to_numpy()
        self.centred = self.energy - self.energy.mean()
        self.shape, self.extra = SHAPES[shape]
        self.asymmetry = np.array([c.asymmetry for c in components])
        self.kernel, self.loss = None, None
        if background in BACKGROUNDS:
            kernel, self.loss = BACKGROUNDS[background]
            self.kernel = kernel(self.energy)
        # A straight line below the rest, or a background that was found beforehand.
        self.static = 0.0
        self.straight = {"level": np.ones_like(self.energy), "slope": self.centred}
        if background == "iterative shirley":
            self.static, self.straight = backgrounds.iterative_shirley(self.energy, self.intensity), {}
        self.widths = ["fwhm" if c.fwhm is None else f"{c.key}_fwhm" for c in components]
        self._know_beforehand(shape, reference_uncertainty)

    def _know_beforehand(self, shape: str, reference_uncertainty: float) -> None:
        """Collect means and standard uncertainties; those of the positions have the energy reference in common."""
        held = [c for c in self.components if np.isfinite(c.uncertainty)]
        self.held = [f"{c.key}_position" for c in held]
        self.reference = np.array([c.position for c in held])
        covariance = np.diag([c.uncertainty**2 for c in held]) + reference_uncertainty**2
        self.whiten = solve_triangular(np.linalg.cholesky(covariance), np.eye(len(held)), lower=True)
        self.reference_uncertainty = reference_uncertainty
        self.spread = 2 * reference_uncertainty
        known = {name: width for name, width in zip(self.widths, self._own_widths(), strict=True)}
        if self.components:
            known |= {name: value[:2] for name, value in self.extra.items()}
            known |= {"loss": self.loss} if self.loss else {}
        self.known = list(known)
        self.mean, self.deviation = np.array(list(known.values())).reshape(-1, 2).T

    def _own_widths(self) -> list[tuple[float, float]]:
        return [c.fwhm or self.line.fwhm for c in self.components]

    def start(self, given: Mapping[str, float]) -> lmfit.Parameters:
        """Return parameters that start at what is known, the energy scale shifted and the areas as suits the data."""
        params = lmfit.Parameters()
        for name, mean in zip(self.known, self.mean, strict=True):
            least, most = (-np.inf, np.inf) if name == "loss" else self.extra.get(name, (0, 0, NARROWEST, np.inf))[2:]
            params.add(name, mean, min=least, max=most)
        for c in self.components:
            params.add(f"{c.key}_position", c.position)
            params.add(f"{c.key}_area", 0.0)
        for name in self.straight:
            params.add(name, 0.0)
        for name, value in given.items():
            params[name].set(value=value)
        sigma = self.uncertainty(uniform_filter1d(self.intensity, 5, mode="nearest"))
        positions = [f"{c.key}_position" for c in self.components]
        placed = np.array([params[name].value for name in positions])
        best = np.inf
        for shift in np.linspace(-self.spread, self.spread, 2 * int(np.ceil(self.spread / 0.2)) + 1):
            values = params.valuesdict() | dict(zip(positions, placed + shift, strict=True))
            columns = np.vstack([self.caused(values), *self.straight.values()]) / sigma
            solved, *_ = np.linalg.lstsq(columns.T, (self.intensity - self.static) / sigma, rcond=None)
            misfit = np.sum((solved @ columns - (self.intensity - self.static) / sigma) ** 2)
            misfit += np.sum(self.beforehand(values) ** 2)
            if misfit < best:
                best, found = (
                    misfit,
                    values
                    | dict(zip([*(f"{c.key}_area" for c in self.components), *self.straight], solved, strict=True)),
                )
        for name, value in found.items():
            params[name].set(value=value)
        return params

    def uncertainty(self, expected: np.ndarray) -> np.ndarray:
        """Standard deviation of counting; proportional to the root where nothing is known of it."""
        known = counting.standard_uncertainty(self.region, expected)
        return np.sqrt(np.maximum(expected, 1e-3 * np.abs(expected).max())) if known is None else known

    def lines(self, values: Mapping[str, float]) -> np.ndarray:
        """Components of unit area, shape (component, energy)."""
        if not self.components:
            return np.empty((0, self.energy.size))
        position = np.array([values[f"{c.key}_position"] for c in self.components])
        return self._unit(values, position, np.array([values[name] for name in self.widths]), self.asymmetry)

    def _unit(
        self, values: Mapping[str, float], position: np.ndarray, width: np.ndarray, asymmetry: np.ndarray
    ) -> np.ndarray:
        arguments = [width[:, np.newaxis], *(values[name] for name in self.extra)]
        if self.shape is line_shapes.doniach_sunjic:
            arguments.append(asymmetry[:, np.newaxis])
        away = self.energy - position[:, np.newaxis]
        lines = self.shape(away, *arguments)
        if self.line.ratio:
            lines = lines + self.line.ratio * self.shape(away - self.line.splitting, *arguments)
        return lines

    def caused(self, values: Mapping[str, float]) -> np.ndarray:
        """Components of unit area with the background that each causes."""
        return self._with_background(values, self.lines(values))

    def _with_background(self, values: Mapping[str, float], lines: np.ndarray) -> np.ndarray:
        return lines if self.kernel is None or not lines.size else lines + values["loss"] * (lines @ self.kernel.T)

    def probe(self, values: Mapping[str, float], component: Component, position: np.ndarray) -> np.ndarray:
        """Another component of unit area at every position, with the background that it causes."""
        values = {name: value[0] for name, value in self.extra.items()} | (
            {"loss": self.loss[0] if self.loss else 0.0, "fwhm": self.line.fwhm[0]} | dict(values)
        )
        width = component.fwhm[0] if component.fwhm else values["fwhm"]
        each = np.ones_like(position)
        return self._with_background(values, self._unit(values, position, width * each, component.asymmetry * each))

    def areas(self, values: Mapping[str, float]) -> np.ndarray:
        return np.array([values[f"{c.key}_area"] for c in self.components])

    def straight_line(self, values: Mapping[str, float]) -> np.ndarray:
        return self.static + sum((values[name] * column for name, column in self.straight.items()), np.float64(0))

    def envelope(self, values: Mapping[str, float]) -> np.ndarray:
        values = getattr(values, "valuesdict", lambda: values)()
        return self.areas(values) @ self.caused(values) + self.straight_line(values)

    def beforehand(self, values: Mapping[str, float]) -> np.ndarray:
        """Deviations from what is known beforehand, in standard deviations."""
        away = self.whiten @ (np.array([values[name] for name in self.held]) - self.reference)
        return np.append(away, (np.array([values[name] for name in self.known]) - self.mean) / self.deviation)

    def residual(self, params: lmfit.Parameters, sigma: np.ndarray) -> np.ndarray:
        values = params.valuesdict()
        return np.append((self.envelope(values) - self.intensity) / sigma, self.beforehand(values))

    def jacobian(self, params: lmfit.Parameters, sigma: np.ndarray) -> np.ndarray:
        """Derivatives of the residual: exact for what is linear, by differences of 1e-5 for the rest."""
        values = params.valuesdict()
        lines = self.lines(values)
        caused = self.caused(values)
        linear = dict(zip((f"{c.key}_area" for c in self.components), caused, strict=True)) | self.straight
        if "loss" in values:
            linear["loss"] = self.areas(values) @ lines @ self.kernel.T
        now, before = self.areas(values) @ caused, self.beforehand(values)
        columns = []
        for name in (p.name for p in params.values() if p.vary):
            moved = values | {name: values[name] + 1e-5}
            column = linear[name] if name in linear else (self.areas(values) @ self.caused(moved) - now) / 1e-5
            columns.append(np.append(column / sigma, (self.beforehand(moved) - before) / 1e-5))
        return np.array(columns).T

    def curves(self, params: lmfit.Parameters, sigma: np.ndarray) -> xr.Dataset:
        values = params.valuesdict()
        components = self.areas(values)[:, np.newaxis] * self.lines(values)
        envelope = self.envelope(values)
        shown = {"units": self.region.intensity.attrs.get("units", "")}
        return xr.Dataset(
            {
                "intensity": ("binding_energy", self.intensity, shown),
                "envelope": ("binding_energy", envelope, shown),
                "background": ("binding_energy", envelope - components.sum(axis=0), shown),
                "component": (("key", "binding_energy"), components, shown),
                "uncertainty": ("binding_energy", sigma, shown),
                "residual": ("binding_energy", (self.intensity - envelope) / sigma, {"units": "1"}),
            },
            coords={"binding_energy": self.region.binding_energy, "key": [c.key for c in self.components]},
        )
