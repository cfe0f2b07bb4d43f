"""What the amplitudes of a whole-pattern fit give: curves, areas of reflections, scales of phases."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.xrd import reflection_list
from coldbond.xrd.design_matrix import Phase, shape
from coldbond.xrd.pattern_model import PatternModel
from coldbond.xrd.profile import integral_breadth
from coldbond.xrd.structures import Structure


def add_curves(
    result: MinimizerResult, model: PatternModel, pattern: xr.Dataset, structures: Sequence[Structure]
) -> None:
    """Add the measured and the fitted curves."""
    values = result.params.valuesdict()
    design, amplitudes = model.design(values), model.solution(values)[0]
    count, first = len(model.design_matrix.phases) - len(structures) + 1, model.design_matrix.count
    of_main = np.unique(np.concatenate([phase.column for phase in model.design_matrix.phases[:count]]))
    own = [of_main, *(np.unique(phase.column) for phase in model.design_matrix.phases[count:])]
    units = {"units": pattern.intensity.attrs.get("units", "")}
    result.curves = xr.Dataset(
        {
            "intensity": ("two_theta", model.intensity, units),
            "fit": ("two_theta", design @ amplitudes, units),
            "background": ("two_theta", design[:, first:] @ amplitudes[first:], units),
            "standard_uncertainty": ("two_theta", model.sigma, units),
            "phases": (("phase", "two_theta"), [design[:, columns] @ amplitudes[columns] for columns in own], units),
        },
        coords={"two_theta": pattern.two_theta, "phase": [structure.name for structure in structures]},
    )


def add_reflections(result: MinimizerResult, model: PatternModel, covariance: np.ndarray, fitted: int) -> None:
    """Add the reflections of the main phase and, of the `fitted` phases that share its intensities, of the variety."""
    main, *others = (_reflections(phase, result, model, covariance) for phase in model.design_matrix.phases[:fitted])
    result.reflections = main
    others = [other.drop_vars("area_covariance") for other in others]
    result.variety = xr.concat(others, "reflection") if others else None


def all_reflections(fit: MinimizerResult) -> xr.Dataset:
    """Return the reflections of the main phase and of its variety, without the covariance of their areas."""
    main = fit.reflections.drop_vars("area_covariance")
    return main if fit.variety is None else xr.concat([main, fit.variety], "reflection")


def _reflections(phase: Phase, result: MinimizerResult, model: PatternModel, covariance: np.ndarray) -> xr.Dataset:
    values = result.params.valuesdict()
    amplitudes = model.solution(values)[0]
    two_theta, shift = model.design_matrix.positions(phase, values)
    fwhm, mixing = shape(two_theta, phase, values)
    share = phase.share * (1.0 if phase.weight is None else phase.weight(values))
    to_areas = share[:, None] * (phase.column[:, None] == np.arange(amplitudes.size))
    areas, areas_covariance = to_areas @ amplitudes, to_areas @ covariance @ to_areas.T
    return xr.Dataset(
        {name: ("reflection", phase.hkl[:, i]) for i, name in enumerate(("h", "k", "l"))}
        | {
            "two_theta": ("reflection", two_theta + shift, {"units": "degree"}),
            "fwhm": ("reflection", fwhm, {"units": "degree"}),
            "integral_breadth": ("reflection", integral_breadth(fwhm, mixing), {"units": "degree"}),
            "area": ("reflection", areas),
            "area_error": ("reflection", np.sqrt(np.diag(areas_covariance))),
            "area_covariance": (("reflection", "other_reflection"), areas_covariance),
        }
    )


def add_scales(
    result: MinimizerResult,
    model: PatternModel,
    covariance: np.ndarray,
    known: xr.Dataset,
    structures: Sequence[Structure],
) -> None:
    """Add the scale of each phase."""
    amplitudes = model.solution(result.params.valuesdict())[0]
    phases = model.design_matrix.phases
    main, others = phases[0], phases[len(phases) - len(structures) + 1 :]
    to_scales = np.zeros((1 + len(others), amplitudes.size))
    # The scale of the main phase is its total intensity over the calculated one: free intensities have no other.
    to_scales[0, : main.column.max() + 1] = 100 / reflection_list.relative_intensities(known, main).sum()
    for i, other in enumerate(others, start=1):
        to_scales[i, other.column[0]] = 1.0
    result.scales = xr.Dataset(
        {
            "scale": ("phase", to_scales @ amplitudes),
            "scale_error": ("phase", np.sqrt(np.diag(to_scales @ covariance @ to_scales.T))),
        },
        coords={"phase": [structure.name for structure in structures]},
    )
