"""Model of one XPS region: components on the backgrounds that they cause, with prior knowledge of the parameters.

The intensity is a straight line plus the area of each component times its line of unit area and the inelastic
background that this line causes ("active" backgrounds, see `backgrounds`). What is known of positions, widths, line
shape and background strength enters least squares as additional residuals, (value - mean) / standard uncertainty,
which is a Gaussian prior in a maximum-a-posteriori fit. The priors of the positions are correlated: the energy
reference shifts all of them together. All derivatives are analytic except those of the two product and sum shapes.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.linalg import block_diag, solve_triangular
from scipy.ndimage import uniform_filter1d
from scipy.optimize import nnls

from coldbond import counting
from coldbond.xps import backgrounds, line_shapes
from coldbond.xps.components import Component, Line

#: Each line shape: its function, and the name of its parameter beside the width.
SHAPES: Mapping[str, tuple[Callable[..., np.ndarray], str]] = {
    "gl product": (line_shapes.gaussian_lorentzian_product, "mixing"),
    "gl sum": (line_shapes.gaussian_lorentzian_sum, "mixing"),
    "voigt": (line_shapes.voigt, "lorentzian"),
    # With the asymmetry of the components that have one.
    "doniach": (line_shapes.voigt, "lorentzian"),
    "exponential": (line_shapes.voigt, "lorentzian"),
}
#: Asymmetric lines of a shape.
TAILS: Mapping[str, Callable[..., np.ndarray]] = {
    "doniach": line_shapes.doniach_sunjic,
    "exponential": line_shapes.exponential_tail,
}
#: Prior mean and standard uncertainty of the Lorentzian share of the product and sum shapes: GL(30) is the usual
#: choice for Al K-alpha spectra. The prior of the Lorentzian width is that of the core level, see `Line`.
MIXING = (0.3, 0.15)
#: Standard uncertainty of the strength of the losses by a gap or a plasmon, eV: it then changes the universal loss
#: function 5 eV behind a line by three times its value, as a band gap or a plasmon near by does.
GAP_STRENGTH = 3 * backgrounds.UNIVERSAL_B / 5
#: Active backgrounds, each with the prior mean and standard uncertainty of its strength. A Shirley step of 0.05 / eV
#: is some 6 % of the height of a line 1.2 eV wide; steps of up to 20 % of the height are seen. The prior of the
#: Tougaard strength is wide because B and C cannot be told apart within a window as narrow as a region.
ACTIVE_BACKGROUNDS: Mapping[str, tuple[Callable[[np.ndarray], backgrounds.Background], tuple[float, float]]] = {
    "shirley": (backgrounds.shirley, (0.05, 0.05)),  # 1/eV
    "tougaard": (backgrounds.tougaard, (backgrounds.UNIVERSAL_B, 3 * backgrounds.UNIVERSAL_B)),  # eV2
    "gap": (partial(backgrounds.tougaard, power=2), (0.0, GAP_STRENGTH)),  # eV
}
#: Choices of background, and the active backgrounds that each contains.
BACKGROUNDS: Mapping[str, tuple[str, ...]] = {
    "active shirley": ("shirley",),
    "active tougaard": ("tougaard",),
    "shirley and tougaard": ("shirley", "tougaard"),
    "free losses": ("shirley", "tougaard", "gap"),
    "iterative shirley": (),
    "linear": (),
}

#: Least full width at half maximum of a line, eV: a convention, well below the resolution of laboratory instruments.
NARROWEST_LINE = 0.2
#: Largest asymmetry of a Doniach-Sunjic line: that of a core hole screened by s electrons alone, by Friedel's sum rule
#: (Doniach and Sunjic 1970, doi 10.1088/0022-3719/3/2/010).
LARGEST_ASYMMETRY = 0.5
#: Standard uncertainties by which the width of a component may differ from that of its region.
TOLERATED = 3.0
LEAST_RATIO = 0.2  # of such a width at least
#: Least Lorentzian width of an asymmetric line, eV: the Doniach-Sunjic line is singular at a width of zero.
LEAST_ASYMMETRIC_WIDTH = 0.05
DIFFERENCE_STEP = 1e-5  # of a numerical derivative; eV for energies and widths, 1 for the mixing
START_WIDTHS = (0.7, 0.85, 1.0)  # factors on the usual width, from the best of which a fit starts
START_SHIFT_STEP = 0.2  # eV, between the common shifts of all components that are tried as a start; well below a width
SMOOTHING_POINTS = 5  # of the running mean that stands for the expectation before there is a fit
#: Least expectation of a point, as a share of the largest, where the counting is unknown: weights stay finite.
LEAST_EXPECTATION = 1e-3


@lru_cache(maxsize=8)
def _losses(name: str, energy: bytes) -> np.ndarray:
    """Return the matrix that turns lines into their background of unit strength; a region is fitted many times."""
    grid = np.frombuffer(energy)
    return ACTIVE_BACKGROUNDS[name][0](grid)(np.eye(grid.size))


#: Properties of the spin-orbit partner with prior mean and standard uncertainty: its area relative to the multiplicity,
#: which differs by some per cent between levels and depends on the losses; its distance from the main line relative to
#: the stated one [eV]; and its Lorentzian width relative to that of the main line, since Coster-Kronig transitions
#: shorten the life of the lower level (Campbell and Papp 2001, doi 10.1006/adnd.2000.0848).
PARTNER: Mapping[str, tuple[float, float]] = {
    "partner_area": (1.0, 0.03),
    "partner_distance": (0.0, 0.03),
    "partner_lorentzian": (1.1, 0.2),
}


class Rows(NamedTuple):
    """The lines of which components consist, those of a component one after the other.

    Attributes
    ----------
    owner : array of int, shape (lines,)
        The component of each line.
    first : array of int, shape (components,)
        The first line of each component.
    distance, ratio, spin : array, shape (lines, 1)
        Distance from the main line [eV], area relative to it, and 1 for spin-orbit partners, else 0.
    """

    owner: np.ndarray
    first: np.ndarray
    distance: np.ndarray
    ratio: np.ndarray
    spin: np.ndarray


def _rows(components: Sequence[Component], line: Line) -> Rows:
    each = [c.partners(line) for c in components]
    first = np.cumsum([0, *map(len, each)])
    # The main line and those tied to it come first, then their spin-orbit partners.
    stated = [
        (*one, float(i > len(c.lines))) for c, some in zip(components, each, strict=True) for i, one in enumerate(some)
    ]
    distance, ratio, spin = np.array(stated).reshape(-1, 3).T[..., np.newaxis]
    return Rows(np.repeat(np.arange(len(each)), np.diff(first)), first[:-1], distance, ratio, spin)


def _of_partner(values: Mapping[str, float], rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return distance, relative area and factor on the Lorentzian width of lines, with the parameters of partners."""
    area, away, lorentzian = (values.get(name, neutral) for name, neutral in zip(PARTNER, (1.0, 0.0, 1.0), strict=True))
    return rows.distance + rows.spin * away, rows.ratio * (1 + rows.spin * (area - 1)), 1 + rows.spin * (lorentzian - 1)


class Model:
    """Intensity of a region as a function of its parameters, with the priors of these.

    Parameters
    ----------
    region : xarray.Dataset
        `intensity` over `binding_energy` [eV].
    components : list of Component
    background, shape : str
        Of `BACKGROUNDS` and `SHAPES`.
    line : Line
        The core level.
    reference_uncertainty : float
        Standard uncertainty of the energy reference, eV.
    width_uncertainty : float
        Standard uncertainty of the width of a component relative to that of its region; 0 for one width.
    """

    def __init__(
        self,
        region: xr.Dataset,
        components: list[Component],
        background: str,
        shape: str,
        line: Line,
        reference_uncertainty: float,
        width_uncertainty: float,
    ) -> None:
        self.region, self.components, self.line = region, components, line
        self.energy = region.binding_energy.to_numpy()
        self.intensity = region.intensity.to_numpy()
        tailed = TAILS.get(shape)
        own = {c.key: c.asymmetry or line.asymmetry for c in components} if tailed else {}
        self.tailed: Callable[..., np.ndarray] = tailed or line_shapes.doniach_sunjic
        self.asymmetries = {key: prior for key, prior in own.items() if prior}
        self.shape, self.tail = SHAPES[shape]
        self.tail_names = [
            f"{c.key}_lorentzian" if c.lorentzian and self.tail == "lorentzian" else self.tail for c in components
        ]
        self.asymmetric = np.array([c.key in self.asymmetries for c in components], bool)
        self.active = {name: _losses(name, self.energy.tobytes()) for name in BACKGROUNDS[background]}
        self.active_losses = np.array([one.ravel() for one in self.active.values()])
        self._last_losses: tuple[list[float], np.ndarray] = ([], np.empty(0))
        # The iterative Shirley background is found before the fit and fixed; all others stand on a straight line.
        self.fixed_background: np.ndarray = np.zeros_like(self.energy)
        self.straight = {"level": np.ones_like(self.energy), "slope": self.energy - self.energy.mean()}
        if background == "iterative shirley":
            self.fixed_background, self.straight = backgrounds.iterative_shirley(self.energy, self.intensity), {}
        self.width_uncertainty = width_uncertainty
        self.rows = _rows(components, line)
        self.is_doublet = bool(self.rows.spin.any())
        # Of a single component the common width is the width.
        shared = [c.key for c in components if c.width_name == "fwhm"]
        self.ratios = {key: (1.0, width_uncertainty) for key in shared if len(shared) > 1 and width_uncertainty > 0}
        self._set_priors(reference_uncertainty)
        self.reach = {f"{c.key}_position": (c.position, c.tolerance + 2 * reference_uncertainty) for c in components}
        self._last: tuple[dict[str, float], list[np.ndarray]] | None = None

    def _set_priors(self, reference_uncertainty: float) -> None:
        """Collect the prior means and standard uncertainties of all parameters."""
        with_prior = [c for c in self.components if np.isfinite(c.uncertainty)]
        self.position_names = [f"{c.key}_position" for c in with_prior]
        self.position_mean = np.array([c.position for c in with_prior])
        # Each position has its own variance; that of the energy reference is common to all, off the diagonal too.
        # Multiplication by the inverse Cholesky factor makes the deviations independent with unit variance.
        covariance = np.diag([c.uncertainty**2 for c in with_prior]) + reference_uncertainty**2
        self.whiten = solve_triangular(np.linalg.cholesky(covariance), np.eye(len(with_prior)), lower=True)
        self.reference_uncertainty = reference_uncertainty
        shared = {"fwhm": self.line.fwhm, self.tail: MIXING if self.tail == "mixing" else self.line.lorentzian}
        shared |= {name: ACTIVE_BACKGROUNDS[name][1] for name in self.active}
        self.usual = {name: mean for name, (mean, _) in shared.items()}
        priors = {c.width_name: c.fwhm or self.line.fwhm for c in self.components}
        priors |= {f"{key}_width": prior for key, prior in self.ratios.items()}
        priors |= {
            name: c.lorentzian
            for name, c in zip(self.tail_names, self.components, strict=True)
            if c.lorentzian and name != self.tail
        }
        if self.is_doublet:
            priors |= {name: p for name, p in PARTNER.items() if name != "partner_lorentzian" or self.tail != "mixing"}
        priors |= {f"{key}_asymmetry": prior for key, prior in self.asymmetries.items()}
        if self.components:
            used = {*self.active, *self.tail_names}
            priors |= {name: prior for name, prior in shared.items() if name in used}
        self.prior_names = list(priors)
        self.prior_mean, self.prior_deviation = np.array(list(priors.values())).reshape(-1, 2).T
        self.prior_derivatives = dict(
            zip(
                [*self.position_names, *self.prior_names],
                block_diag(self.whiten, np.diag(1 / self.prior_deviation)).T,
                strict=True,
            )
        )

    @property
    def names(self) -> list[str]:
        """The names of all parameters."""
        own = [f"{c.key}_{what}" for what in ("position", "area") for c in self.components]
        return [*self.prior_names, *own, *self.straight]

    def start(self, without: str = "") -> dict[str, float]:
        """Return values to start a fit from: prior means, with the best common shift, width and areas.

        The area that is named `without` is zero.
        """
        kept = np.array([[f"{c.key}_area" != without] for c in self.components]).reshape(-1, 1)
        sigma = self.uncertainty(self.smoothed())
        data = (self.intensity - self.fixed_background) / sigma
        # The straight line with either sign, since `nnls` finds coefficients of at least zero only.
        straight = np.array([sign * column for sign in (1, -1) for column in self.straight.values()])
        straight = straight.reshape(-1, self.energy.size)

        def trial(shift: float, width: float) -> tuple[float, dict[str, float], np.ndarray]:
            values = dict(zip(self.prior_names, self.prior_mean, strict=True))
            values |= {f"{c.key}_position": c.position + shift for c in self.components}
            if "fwhm" in values:
                values["fwhm"] *= width
            columns = np.vstack([self.with_background(values, self.lines(values) * kept), straight]) / sigma
            # No area starts below zero: such a fit may end in one wide line with others cut out of it.
            areas, misfit = nnls(columns.T, data)
            return misfit**2 + np.sum(self.prior_residual(values) ** 2), values, areas

        reach = 2 * self.reference_uncertainty
        shifts = np.linspace(-reach, reach, 2 * int(np.ceil(reach / START_SHIFT_STEP)) + 1)
        shift = min(shifts, key=lambda shift: trial(shift, START_WIDTHS[1])[0])
        _, values, areas = min((trial(shift, width) for width in START_WIDTHS), key=lambda one: one[0])
        values |= {f"{c.key}_area": area for c, area in zip(self.components, areas, strict=False)}
        up, down = np.split(areas[len(self.components) :], 2)
        return values | dict(zip(self.straight, up - down, strict=True))

    def bounds(self, name: str) -> tuple[float, float]:
        """Return the least and the largest value that a parameter may take."""
        if name.endswith("fwhm"):
            return NARROWEST_LINE, np.inf
        if name.endswith("_width"):
            reach = TOLERATED * self.width_uncertainty
            return max(1 - reach, LEAST_RATIO), 1 + reach
        if name.endswith("_asymmetry"):
            return 0.0, LARGEST_ASYMMETRY
        if name in PARTNER:
            mean, deviation = PARTNER[name]
            return mean - TOLERATED * deviation, mean + TOLERATED * deviation
        if name.endswith("_area"):
            return 0.0, np.inf
        if name in self.reach:
            position, reach = self.reach[name]
            return position - reach, position + reach
        if name == self.tail or name.endswith("_lorentzian"):
            least = LEAST_ASYMMETRIC_WIDTH if self.asymmetric.any() else 0.0
            return least, 1.0 if name == "mixing" else np.inf
        return -np.inf, np.inf

    def smoothed(self) -> np.ndarray:
        """Return the running mean of the intensity, an expectation to weight with before there is a fit."""
        return uniform_filter1d(self.intensity, SMOOTHING_POINTS, mode="nearest")

    def uncertainty(self, expected: np.ndarray) -> np.ndarray:
        """Return the standard deviation of each point from counting statistics.

        Where the counting is unknown it is proportional to the square root of the expectation; the residuals of the
        fit give the scale.
        """
        known = counting.standard_uncertainty(self.region, expected)
        least = LEAST_EXPECTATION * np.abs(expected).max()
        return np.sqrt(np.maximum(expected, least)) if known is None else known

    def lines(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the lines of all components, each of unit area, shape (components, energies)."""
        if not self.components:
            return np.empty((0, self.energy.size))
        position, width, tail, asymmetry = self._of_lines(values).T
        distance, ratio, factor = _of_partner(values, self.rows)
        each = self.line_at(self.energy - distance, position, width, tail * factor[:, 0], asymmetry)
        return np.add.reduceat(ratio * each, self.rows.first)

    def _of_lines(self, values: Mapping[str, float]) -> np.ndarray:
        """Return position, width, tail and asymmetry of each line, shape (lines, 4)."""
        position = np.array([values[f"{c.key}_position"] for c in self.components])
        asymmetry = np.array([values.get(f"{c.key}_asymmetry", 0.0) for c in self.components])
        each = position, self.line_widths(values), self.tails(values), asymmetry
        return np.column_stack(each)[self.rows.owner]

    def tails(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the Lorentzian widths [eV] or mixings of the components, shape (components,)."""
        return np.array([values[name] for name in self.tail_names])

    def line_widths(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the widths of the components, shape (components,), eV."""
        return np.array([values[c.width_name] * values.get(f"{c.key}_width", 1.0) for c in self.components])

    def line_at(
        self, energy: np.ndarray, position: np.ndarray, width: np.ndarray, tail: np.ndarray, asymmetry: np.ndarray
    ) -> np.ndarray:
        """Return lines of unit area at some energies, without their partners, shape (positions, energies)."""
        away, arguments = energy - position[:, np.newaxis], [width[:, np.newaxis], tail[:, np.newaxis]]
        if asymmetry.any():
            return self.tailed(away, *arguments, asymmetry[:, np.newaxis])
        return self.shape(away, *arguments)

    def _lines_and_derivatives(self, values: Mapping[str, float]) -> list[np.ndarray]:
        """Return lines of unit area, and derivatives by energy, width, tail, asymmetry and `PARTNER`."""
        # A fit asks for the derivatives where it has just had the residual.
        if self._last is None or self._last[0] != values:
            self._last = dict(values), self._computed_lines_and_derivatives(values)
        return self._last[1]

    def _computed_lines_and_derivatives(self, values: Mapping[str, float]) -> list[np.ndarray]:
        if not self.components:
            return [np.empty((0, self.energy.size))] * (5 + len(PARTNER))
        rows, owner = self.rows, self.rows.owner
        distance, ratio, factor = _of_partner(values, rows)
        position, width, tail, asymmetry = self._of_lines(values).T[..., np.newaxis]
        away = self.energy - distance - position
        each = np.zeros((5, *away.shape))
        for some, derivatives, of in (
            (~self.asymmetric[owner], line_shapes.DERIVATIVES.get(self.shape, self._differences), 3),
            (self.asymmetric[owner], line_shapes.DERIVATIVES[self.tailed], 4),
        ):
            if some.any():
                arguments = (away, width, tail * factor, asymmetry)[:of]
                for i, values_of_lines in enumerate(derivatives(*(one[some] for one in arguments))):
                    each[i, some] = values_of_lines
        (line, by_energy, _, by_tail, _), spin = each, rows.spin
        partner = [spin * rows.ratio * line, -spin * ratio * by_energy, spin * ratio * tail * by_tail]
        each *= ratio
        by_tail *= factor
        return [np.add.reduceat(one, rows.first) for one in (*each, *partner)]

    def _differences(self, *arguments: np.ndarray | float) -> list[np.ndarray]:
        """Return the line and its numerical derivatives by each argument."""
        lines = self.shape(*arguments)
        moved = ([*arguments[:i], value + DIFFERENCE_STEP, *arguments[i + 1 :]] for i, value in enumerate(arguments))
        return [lines, *((self.shape(*some) - lines) / DIFFERENCE_STEP for some in moved)]

    def with_background(self, values: Mapping[str, float], lines: np.ndarray) -> np.ndarray:
        """Return lines, shape (..., energies), each with the background that it causes."""
        if not self.active:
            return lines
        strengths = [values.get(name, 0.0) for name in self.active]
        if self._last_losses[0] != strengths:
            self._last_losses = strengths, (np.array(strengths) @ self.active_losses).reshape(2 * [self.energy.size])
        return lines + lines @ self._last_losses[1]

    def unit_component(self, values: Mapping[str, float], component: Component, position: np.ndarray) -> np.ndarray:
        """Return a component of unit area at many positions, with its background, shape (positions, energies).

        The component need not be one of the model's: its width is then the usual one.
        """
        values = self.usual | dict(values)
        width = component.fwhm[0] if component.fwhm else values["fwhm"]
        asymmetry = values.get(f"{component.key}_asymmetry", 0.0)
        tail = component.lorentzian[0] if component.lorentzian else values[self.tail]
        alike = np.ones_like(position)
        lines = np.zeros((position.size, self.energy.size))
        for (distance,), (ratio,), (factor,) in zip(*_of_partner(values, _rows([component], self.line)), strict=True):
            lines += ratio * self.line_at(
                self.energy - distance, position, width * alike, tail * factor * alike, asymmetry * alike
            )
        return self.with_background(values, lines)

    def areas(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the areas of the components, shape (components,)."""
        return np.array([values[f"{c.key}_area"] for c in self.components])

    def straight_line(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the background that no component causes, shape (energies,)."""
        return self.fixed_background + sum(
            (values[name] * column for name, column in self.straight.items()), np.float64(0)
        )

    def envelope(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the modelled intensity, shape (energies,)."""
        lines, *_ = self._lines_and_derivatives(values)
        return self.with_background(values, self.areas(values) @ lines) + self.straight_line(values)

    def prior_residual(self, values: Mapping[str, float]) -> np.ndarray:
        """Return the deviations from the prior means, independent and in standard deviations."""
        away = self.whiten @ (np.array([values[name] for name in self.position_names]) - self.position_mean)
        others = np.array([values[name] for name in self.prior_names])
        return np.append(away, (others - self.prior_mean) / self.prior_deviation)

    def residual(self, values: Mapping[str, float], sigma: np.ndarray) -> np.ndarray:
        """Return the weighted residuals of the data and those of the priors, whose squares a fit minimises."""
        return np.append((self.envelope(values) - self.intensity) / sigma, self.prior_residual(values))

    def derivatives(self, values: Mapping[str, float], sigma: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """Return the derivatives of the residual by some parameters, shape (residuals, names)."""
        lines, by_energy, by_width, by_tail, by_asymmetry, *by_partner = self._lines_and_derivatives(values)
        areas = self.areas(values)
        by_width = areas[:, np.newaxis] * by_width
        # First the derivatives of the lines alone. The background is linear in the lines, so that it is added to
        # every column in the same way.
        columns = dict(zip((f"{c.key}_area" for c in self.components), lines, strict=True))
        by_position = -areas[:, np.newaxis] * by_energy
        columns |= dict(zip((f"{c.key}_position" for c in self.components), by_position, strict=True))
        for c, name, some, third, other in zip(
            self.components, self.tail_names, by_width, by_tail, by_asymmetry, strict=True
        ):
            ratio = values.get(f"{c.key}_width", 1.0)
            columns[c.width_name] = columns.get(c.width_name, 0.0) + ratio * some
            columns[f"{c.key}_width"] = values[c.width_name] * some
            columns[f"{c.key}_asymmetry"] = values[f"{c.key}_area"] * other
            columns[name] = columns.get(name, 0.0) + values[f"{c.key}_area"] * third
        columns |= dict(zip(PARTNER, (areas @ some for some in by_partner), strict=True))
        wanted = [name for name in names if name in columns]
        with_background = self.with_background(
            values, np.array([columns[name] for name in wanted]).reshape(-1, self.energy.size)
        )
        found = dict(zip(wanted, with_background, strict=True)) | self.straight
        found |= {name: areas @ lines @ background for name, background in self.active.items() if name in names}
        of_data = np.array([found[name] for name in names]).reshape(-1, self.energy.size) / sigma
        no_prior = np.zeros(len(self.prior_derivatives))
        of_priors = np.array([self.prior_derivatives.get(name, no_prior) for name in names]).reshape(len(names), -1)
        return np.hstack([of_data, of_priors]).T
