"""Lines of a region about which nothing is known: their number is chosen by the Bayesian information criterion.

Lines are added one by one where the residuals ask most for one, and all are fitted together. A region without known
components, and one whose energy scale is unknown, is described in this way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.xps.components import UNASSIGNED, Component, Line, unassigned
from coldbond.xps.fit import SPARE_POINTS, Minimum, fit, minimum
from coldbond.xps.model import Model

LOOK_AHEAD = 2  # lines beyond the best number that are tried before the search ends
MOST_LINES = 6  # more are no description of a region
#: Gain in the criterion that a further line must bring: strong evidence (Kass and Raftery 1995, J. Am. Stat. Assoc. 90,
#: 773, doi 10.1080/01621459.1995.10476572).
LEAST_GAIN = 6.0
SEARCH_STEP = 0.2  # eV, between positions that are tried for a further line; well below a width
SEARCH_TOLERANCE = 1e-3  # relative change of chi square at which a fit of the search ends
LEAST_SHARE = 0.03  # of all areas: smaller lines describe the background or the shape of another line
LEAST_DISTANCE = 0.5  # of two lines, in widths: closer ones describe the shape of one line
LEAST_INDEPENDENT = 0.05  # share of a line that the others must not imitate where it is looked for
LEAST_SIGNIFICANCE = 5.0  # area of a line over its standard error, below which it is not looked at
STRONG = 0.1  # area relative to the largest, from which on a line is strong
NARROW = unassigned(0, 0.0)
BROAD = replace(NARROW, fwhm=(2.5, 0.8))  # levels of a short lifetime and energy losses
SMALL = 1e-12  # keeps a division finite


class Found(NamedTuple):
    """A line of a region.

    Attributes
    ----------
    position, position_error : float
        With standard error, eV.
    area, area_error, width : float
        Area with its standard error [intensity eV], and Gaussian width [eV].
    """

    position: float
    position_error: float
    area: float
    area_error: float
    width: float

    @property
    def limit(self) -> float:
        """Area of a line here that would not have been found."""
        return LEAST_SIGNIFICANCE * self.area_error


class _Grid(NamedTuple):
    """Positions of a further line, shape (n,), and the line there in standard deviations, shape (n, energies)."""

    at: np.ndarray
    lines: np.ndarray


class _Trial(NamedTuple):
    """A fit of the search."""

    model: Model
    sigma: np.ndarray
    found: Minimum

    @property
    def positions(self) -> list[float]:
        return [self.found.values[f"{c.key}_position"] for c in self.model.components]

    @property
    def components(self) -> list[Component]:
        """Components at their fitted positions."""
        return [replace(c, position=at) for c, at in zip(self.model.components, self.positions, strict=True)]

    @property
    def criterion(self) -> float:
        points = self.model.energy.size
        chi_square = max(self.found.chi_square, SMALL)
        return float(points * np.log(chi_square / points) + len(self.found.free) * np.log(points))

    @property
    def is_sound(self) -> bool:
        """Whether all lines have a share and a width, lie in the region, and are apart."""
        model, values = self.model, self.found.values
        widths = {c.width_name: values[c.width_name] for c in model.components}
        positions = np.array(self.positions)
        inside = (positions > model.energy[0]) & (positions < model.energy[-1])
        apart = np.diff(np.sort(positions)) > LEAST_DISTANCE * min(widths.values(), default=0.0)
        free = all(name in self.found.free for name in widths)
        areas = model.areas(values)
        return bool((areas > LEAST_SHARE * areas.sum()).all() and inside.all() and apart.all() and free)


def free_lines(
    region: xr.Dataset,
    line: Line = Line(),  # noqa: B008, frozen
    background: str = "active shirley",
    shape: str = "doniach",
    *,
    broad: bool = True,
) -> tuple[Component, ...]:
    """Return as many lines as a region shows, at their positions.

    Parameters
    ----------
    region, line, background, shape
        As for `fit.fit`; lines are doublets where the core level is one.
    broad : bool
        Whether a line may have a large width of its own while all others have the same; else each has its own.

    Returns
    -------
    tuple of Component
        "unassigned1" and so on, by ascending binding energy; nothing is known of their positions beforehand, so that
        a fit of these components starts from the positions and is not held to them.

    Notes
    -----
    The criterion is n ln(chi square / n) + k ln n with n points and k parameters: a line shape that does not describe
    the data exactly raises chi square, and asks for fewer further lines than it would with known weights. The search
    ends where two further lines bring no gain.
    """

    def fitted(some: Sequence[Component]) -> _Trial:
        named = [replace(c, key=f"{UNASSIGNED}{i}") for i, c in enumerate(sorted(some, key=lambda c: c.position), 1)]
        model = Model(region, named, background, shape, line, 0.0, 0.0)
        sigma, values = model.uncertainty(model.smoothed()), model.start()
        return _Trial(model, sigma, minimum(model, values, list(values), sigma, SEARCH_TOLERANCE))

    best = last = empty = fitted([])
    pursued: list[Component] = []
    usual = _own_width(empty) if not broad else NARROW
    grid = _grid(empty, usual)
    for number in range(1, MOST_LINES + 1):
        if len(last.found.values) + len(("position", "area", "fwhm")) + SPARE_POINTS > last.model.energy.size:
            break
        trials = [fitted(some) for some in _with_one_more(last, broad)] if last.is_sound else []
        # The last fit may have ended in a useless local minimum: lines that a linear fit places one by one are tried.
        if number > 1 and not any(_is_better(one, best) for one in trials):
            while len(pursued) < number and (more := _pursued(empty, pursued, usual, grid)):
                pursued += more
            trials += [fitted(pursued)] if len(pursued) == number else []
        if not trials:
            break
        last = min(trials, key=lambda one: (not one.is_sound, one.criterion))
        if _is_better(last, best):
            best = last
        elif number > len(best.model.components) + LOOK_AHEAD:
            break
    ordered = sorted(best.components, key=lambda c: c.position)
    return tuple(replace(c, key=f"{UNASSIGNED}{i}") for i, c in enumerate(ordered, 1))


def fit_of_free_lines(
    region: xr.Dataset,
    line: Line = Line(),  # noqa: B008, frozen
    background: str = "active shirley",
    *,
    broad: bool = True,
) -> MinimizerResult:
    """Return the fit of the lines that a region shows, as `free_lines` finds them."""
    lines = free_lines(region, line, background, "voigt", broad=broad)
    return fit(region, lines, background, "voigt", line=line, reference_uncertainty=0.0, width_uncertainty=0.0)


def found_lines(result: MinimizerResult) -> list[Found]:
    """Return the significant lines of a fit of free lines, by ascending binding energy."""
    model, found = result.model, []
    errors = {name: result.params[name].stderr for name in result.var_names}
    if not result.errorbars:  # the covariance is nearly singular
        derivatives = model.derivatives(result.params.valuesdict(), result.sigma, result.var_names)
        variances = np.diag(np.linalg.pinv(derivatives.T @ derivatives)) * max(result.redchi, 1.0)
        errors = dict(zip(result.var_names, np.sqrt(variances).tolist(), strict=True))
    values = result.params.valuesdict()
    for c, width in zip(model.components, model.line_widths(values), strict=True):
        position, area = (f"{c.key}_{what}" for what in ("position", "area"))
        if values[area] > LEAST_SIGNIFICANCE * errors.get(area, np.inf):
            own = Found(values[position], errors.get(position, 0.0), values[area], errors[area], float(width))
            found.append(own)
    return sorted(found)


def strong_ones(lines: Sequence[Found]) -> list[Found]:
    """Return the lines that are not small beside the largest."""
    most = max((one.area for one in lines), default=0.0)
    return [one for one in lines if one.area >= STRONG * most]


def _is_better(trial: _Trial, best: _Trial) -> bool:
    return trial.is_sound and trial.criterion < best.criterion - LEAST_GAIN


def _own_width(empty: _Trial) -> Component:
    return replace(NARROW, fwhm=empty.model.line.fwhm)


def _with_one_more(last: _Trial, broad: bool) -> Iterator[list[Component]]:
    """Return the components of the last fit with a narrow or broad one more."""
    for more in (NARROW, BROAD) if broad else (_own_width(last),):
        at = _place(last, _grid(last, more))
        if at is not None:
            yield [*last.components, replace(more, position=at)]


def _pursued(empty: _Trial, lines: Sequence[Component], more: Component, grid: _Grid) -> list[Component]:
    """Return the next line that a linear fit places beside others of the usual width (orthogonal matching pursuit)."""
    columns = [empty.model.unit_component(empty.found.values, c, np.array([c.position]))[0] for c in lines]
    at = _place(empty, grid, columns)
    return [] if at is None else [replace(more, position=at)]


def _grid(trial: _Trial, more: Component) -> _Grid:
    energy = trial.model.energy
    at = np.arange(energy[0] + SEARCH_STEP, energy[-1], SEARCH_STEP)
    return _Grid(at, trial.model.unit_component(trial.found.values, more, at) / trial.sigma)


def _place(trial: _Trial, grid: _Grid, columns: Sequence[np.ndarray] = ()) -> float | None:
    """Return where a further line would lower chi square most, eV; None where none would.

    The parameters of the fit and further columns adapt to it linearly.
    """
    model, values, sigma = trial.model, trial.found.values, trial.sigma
    rest = model.derivatives(values, sigma, trial.found.free)[: model.energy.size]
    basis, _ = np.linalg.qr(np.column_stack([rest, *(column / sigma for column in columns)]))
    own = grid.lines - (grid.lines @ basis) @ basis.T
    norm, whole = np.linalg.norm(own, axis=1), np.linalg.norm(grid.lines, axis=1)
    residual = (model.intensity - model.envelope(values)) / sigma
    gain = np.where(norm > LEAST_INDEPENDENT * whole, own @ residual / np.maximum(norm, SMALL), -np.inf)
    return float(grid.at[gain.argmax()]) if gain.max() > 0 else None
