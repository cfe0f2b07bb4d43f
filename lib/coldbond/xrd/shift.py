"""Shifts of reflections between two patterns: a change of the lattice, or of the height of the sample.

A relative change e of the lattice parameter shifts reflections by -2 e tan(theta), a sample lower by h by
-2 h cos(theta) / R on a goniometer of radius R. Positions of single-peak fits are compared reflection by reflection,
and both models, alone and together, are fitted to the shifts by weighted linear least squares. One reflection cannot
separate a lattice change from a displaced sample; several at different angles can.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import stats

from coldbond.interval import NORMAL, Interval
from coldbond.xrd import pawley, single_peak
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.lattice import lattice_parameters
from coldbond.xrd.line_broadening import common_lines

#: p value below which the model of a displaced sample alone is rejected.
REJECTED = 0.05
#: Angles at which a model is evaluated: from and to, over the lowest and the highest reflection; degree; their number.
CURVE_FROM, CURVE_TO, CURVE_END, CURVE_POINTS = 0.8, 1.1, 170.0, 200


@dataclass(frozen=True)
class Model:
    """One explanation of the shifts, fitted to them.

    Attributes
    ----------
    strain, displacement : Interval or None
        Relative change of the lattice parameter, and of the sample's height [mm, positive below the axis]; None where
        the model does not have it.
    chi_square : float
    freedom : int
    p_value : float
        Probability of a larger chi square if the model is true.
    curve : xarray.DataArray
        Modelled shift [degree] over `two_theta` [degree].
    """

    strain: Interval | None
    displacement: Interval | None
    chi_square: float
    freedom: int
    p_value: float
    curve: xr.DataArray


@dataclass(frozen=True)
class Comparison:
    """Shifts of one pattern's reflections from those of another.

    Attributes
    ----------
    before, after : Analysis
    first : str
        Label of `before`.
    moved : xarray.Dataset
        From `reflection_shifts`.
    models : dict of str to Model
        From `fit_models`.
    """

    before: Analysis
    after: Analysis
    first: str
    moved: xr.Dataset
    models: dict[str, Model]


def reflection_shifts(before: xr.Dataset, after: xr.Dataset) -> xr.Dataset:
    """Return the shift of each reflection.

    Parameters
    ----------
    before, after : xarray.Dataset
        From `single_peak.fit_reflections`.

    Returns
    -------
    xarray.Dataset
        Over `reflection`: `hkl`, `two_theta`, `shift`, `shift_error` [degree].
    """
    before, after = common_lines(before, after)
    error = np.hypot(before.two_theta_error.to_numpy(), after.two_theta_error.to_numpy())
    return xr.Dataset(
        {
            "two_theta": before.two_theta,
            "shift": ("reflection", after.two_theta.to_numpy() - before.two_theta.to_numpy()),
            "shift_error": ("reflection", error),
        }
    )


def fit_models(moved: xr.Dataset, radius: float) -> dict[str, Model]:
    """Return the shifts fitted with a change of the lattice, of the sample's height, and of both.

    Parameters
    ----------
    moved : xarray.Dataset
        From `reflection_shifts`.
    radius : float
        Of the goniometer, mm.

    Returns
    -------
    dict of str to Model
        "lattice", "displacement" and "both".

    Raises
    ------
    ValueError
        There are fewer than two reflections.
    """
    if moved.sizes["reflection"] < 2:
        raise ValueError("one reflection cannot separate a lattice change from a displaced sample: two are needed")
    return {
        "lattice": _fit_model(moved, radius, strain=True, displacement=False),
        "displacement": _fit_model(moved, radius, strain=False, displacement=True),
        "both": _fit_model(moved, radius, strain=True, displacement=True),
    }


def is_lattice_change(models: Mapping[str, Model], rejected: float = REJECTED) -> bool:
    """Return whether the shifts need a change of the lattice.

    Displacement alone must be rejected, and the strain of the model with both must exclude zero.

    Parameters
    ----------
    models : mapping of str to Model
        From `fit_models`.
    rejected : float
        p value below which displacement alone is rejected.
    """
    strain = models["both"].strain
    if strain is None or strain.low is None or strain.high is None:
        return False
    return models["displacement"].p_value < rejected and not strain.low <= 0 <= strain.high


def compare(analyses: Mapping[str, Analysis]) -> dict[str, Comparison]:
    """Return the shifts of the reflections of each pattern from those of the first.

    Patterns that share fewer than two lines with the first are left out, and so are its replicates.
    """
    first, *others = analyses
    lines = {label: single_peak.fit_reflections(found.pattern, found.fit) for label, found in analyses.items()}
    comparisons = {}
    for label in others:
        if _of_one_condition(analyses[first], analyses[label]):
            continue
        shared = set(lines[first].hkl.to_numpy()) & set(lines[label].hkl.to_numpy())
        if len(shared) > 1:
            moved = reflection_shifts(lines[first], lines[label])
            radius = analyses[label].pattern.attrs.get("goniometer_radius") or pawley.RADIUS
            models = fit_models(moved, radius)
            comparisons[label] = Comparison(analyses[first], analyses[label], first, moved, models)
    return comparisons


def _of_one_condition(one: Analysis, other: Analysis) -> bool:
    attrs, others = one.pattern.attrs, other.pattern.attrs
    same = all(attrs.get(key) == others.get(key) for key in ("sample", "state"))
    return same and bool(attrs.get("replicate"))


def mean_shift(moved: xr.Dataset) -> Interval:
    """Return the weighted mean of the shifts, degree."""
    weight = 1 / moved.shift_error.to_numpy() ** 2
    mean = float(weight @ moved["shift"].to_numpy() / weight.sum())
    return Interval.from_standard_error(mean, float(1 / np.sqrt(weight.sum())))


def lattice_parameter_change(compared: Comparison) -> tuple[Interval, dict[str, Interval]]:
    """Return the change of the lattice parameter a by whole-pattern fits, and that with each geometry, angstrom.

    The interval is the hull of those with either geometry, the same for both patterns: what both patterns have of the
    other error, as the zero of one goniometer, moves them alike. The change is not that of
    `fit_models`: single reflections do not separate height from transparency, which differs between a pure light metal
    and one with a heavier metal in it. The interval has no value where a pattern does not determine the change.
    """
    before, after = (
        lattice_parameters(found.fits).by_geometry.sel(parameter="a", geometry=list(pawley.GEOMETRIES))
        for found in (compared.before, compared.after)
    )
    change = (after.estimate - before.estimate).to_numpy()
    half = NORMAL * np.hypot(before.standard_error.to_numpy(), after.standard_error.to_numpy())
    if not np.isfinite(half).all():
        return Interval(None), {}
    pairs = zip(change.tolist(), half.tolist(), strict=True)
    intervals = [Interval.symmetric(value, half_width) for value, half_width in pairs]
    by_geometry = dict(zip(before.geometry.to_numpy().tolist(), intervals, strict=True))
    return Interval.hull(float(change.mean()), intervals), by_geometry


def _design(two_theta: np.ndarray, radius: float) -> np.ndarray:
    """Return the shifts for unit strain and unit displacement, degree, shape (n, 2)."""
    theta = np.radians(two_theta) / 2
    return np.degrees(np.column_stack([-2 * np.tan(theta), -2 * np.cos(theta) / radius]))


def _fit_model(moved: xr.Dataset, radius: float, *, strain: bool, displacement: bool) -> Model:
    kept = np.array([strain, displacement])
    error = moved.shift_error.to_numpy()
    design = _design(moved.two_theta.to_numpy(), radius)[:, kept]
    covariance = np.linalg.inv((design / error[:, None]).T @ (design / error[:, None]))
    best = covariance @ (design.T @ (moved["shift"].to_numpy() / error**2))
    chi_square = float(np.sum(((moved["shift"].to_numpy() - design @ best) / error) ** 2))
    freedom = error.size - int(kept.sum())
    # Where shifts scatter by more than their errors, the scatter gives the interval (Birge ratio, Student's t).
    birge = np.sqrt(max(chi_square / freedom, 1.0)) if freedom else 1.0
    errors = birge * np.sqrt(np.diag(covariance))
    found = [
        Interval.from_standard_error(float(value), float(own), freedom if birge > 1 else None)
        for value, own in zip(best, errors, strict=True)
    ]
    angle = np.linspace(
        CURVE_FROM * float(moved.two_theta.min()), min(CURVE_TO * float(moved.two_theta.max()), CURVE_END), CURVE_POINTS
    )
    curve = xr.DataArray(_design(angle, radius)[:, kept] @ best, coords={"two_theta": angle}, dims="two_theta")
    p_value = float(stats.chi2.sf(chi_square, freedom)) if freedom else 1.0
    return Model(found[0] if strain else None, found[-1] if displacement else None, chi_square, freedom, p_value, curve)
