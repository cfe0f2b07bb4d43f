"""Why reflections of two samples lie at different angles: another lattice, or another height of the sample."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from coldbond.bundle.findings import finding
from coldbond.xrd import pawley, single_peak
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.line_broadening import common

SMALL = 0.05  # probability below which a model that explains the shifts is given up


@dataclass(frozen=True)
class Model:
    """One explanation of the shifts, fitted to them.

    Attributes
    ----------
    strain, displacement : tuple of float, or None
        Relative change of the lattice parameter, and of the sample's height [mm, positive below the axis]: value, low
        and high of the 95 % interval; None where the model has none.
    chi_square : float
    freedom : int
    probability : float
        Of a chi square as large as this if the model is true.
    curve : xarray.DataArray
        Shift [degree] over `two_theta` [degree].
    """

    strain: tuple[float, float, float] | None
    displacement: tuple[float, float, float] | None
    chi_square: float
    freedom: int
    probability: float
    curve: xr.DataArray


@dataclass(frozen=True)
class Comparison:
    """How one pattern's reflections moved from another's.

    Attributes
    ----------
    before, after : Analysis
    first : str
        Label of `before`.
    moved : xarray.Dataset
        From `shifts`.
    models : dict of str to Model
        From `models`.
    """

    before: Analysis
    after: Analysis
    first: str
    moved: xr.Dataset
    models: dict[str, Model]


def shifts(before: xr.Dataset, after: xr.Dataset) -> xr.Dataset:
    """Return how far each reflection moved.

    Parameters
    ----------
    before, after : xarray.Dataset
        From `single.reflections`.

    Returns
    -------
    xarray.Dataset
        Over `reflection`: `hkl`, `two_theta`, `shift`, `shift_error` [degree].
    """
    before, after = common(before, after)
    return xr.Dataset(
        {
            "two_theta": before.two_theta,
            "shift": ("reflection", after.two_theta.to_numpy() - before.two_theta.to_numpy()),
            "shift_error": (
                "reflection",
                np.hypot(before.two_theta_error.to_numpy(), after.two_theta_error.to_numpy()),
            ),
        }
    )


def models(moved: xr.Dataset, radius: float) -> dict[str, Model]:
    """Return what the shifts say if the lattice changed, if the sample's height did, and if both did.

    Parameters
    ----------
    moved : xarray.Dataset
        From `shifts`.
    radius : float
        Of the goniometer, mm.

    Returns
    -------
    dict of str to Model
        "lattice": shifts grow as the tangent of the Bragg angle. "displacement": they fall as its cosine. "both".

    Raises
    ------
    ValueError
        There are fewer than two reflections.
    """
    if moved.sizes["reflection"] < 2:
        raise ValueError(
            "one reflection tells a changed lattice from a sample at another height in no way: two are needed"
        )
    return {
        "lattice": _model(moved, radius, strain=True, displacement=False),
        "displacement": _model(moved, radius, strain=False, displacement=True),
        "both": _model(moved, radius, strain=True, displacement=True),
    }


def is_lattice_change(found: dict[str, Model]) -> bool:
    """Return whether the shifts need a changed lattice: height alone is ruled out, and both together leave no zero."""
    low, high = found["both"].strain[1:]
    return bool(found["displacement"].probability < SMALL and not low <= 0 <= high)


def compare(analyses: Mapping[str, Analysis]) -> dict[str, Comparison]:
    """Return how the reflections of each pattern but the first moved from those of the first.

    Patterns that share fewer than two lines with the first are left out: nothing can be said of them.
    """
    first, *others = analyses
    lines = {label: single_peak.reflections(found.pattern, found.fit) for label, found in analyses.items()}
    found = {}
    for label in others:
        shared = set(lines[first].hkl.to_numpy()) & set(lines[label].hkl.to_numpy())
        if len(shared) > 1:
            moved = shifts(lines[first], lines[label])
            radius = analyses[label].pattern.attrs.get("goniometer_radius") or pawley.RADIUS
            found[label] = Comparison(analyses[first], analyses[label], first, moved, models(moved, radius))
    return found


def table(comparisons: Mapping[str, Comparison]) -> pd.DataFrame:
    """Return the explanations of the shifts: a row for each pattern and model."""
    rows = [
        {
            "recording": f"{label} from {compared.first}",
            "model": {"lattice": "lattice alone", "displacement": "height alone", "both": "both"}[name],
            "lattice parameter": "" if model.strain is None else _percent(model.strain),
            "height, down / mm": ""
            if model.displacement is None
            else "{:+.3f} ({:+.3f} to {:+.3f})".format(*model.displacement),
            "χ²": f"{model.chi_square:.3g}",
            "degrees of freedom": model.freedom,
            "p": f"{model.probability:.2g}",
        }
        for label, compared in comparisons.items()
        for name, model in compared.models.items()
    ]
    return pd.DataFrame(rows or [{"recording": "nothing to compare"}]).set_index("recording")


def findings(comparisons: Mapping[str, Comparison]) -> list[dict]:
    """Return how far the reflections moved, whether it was the lattice, and by how much.

    The change is that of the whole-pattern fits: single reflections do not tell a height from the depth to which X-rays
    see, which differs between pure lithium and lithium with a heavier metal in it.
    """
    rows = []
    for compared in comparisons.values():
        whose, moved, found = compared.after.whose, compared.moved, compared.models
        since, both = f"from {compared.first}", found["both"]
        weight = 1 / moved.shift_error.to_numpy() ** 2
        mean, half = float(weight @ moved["shift"].to_numpy() / weight.sum()), float(1.96 / np.sqrt(weight.sum()))
        tests = ", ".join(f"{name} χ² {m.chi_square:.3g} for {m.freedom}" for name, m in found.items())
        note = (
            f"{since}; lattice parameter {_percent(both.strain)} with the height free, as if X-rays saw both samples "
        )
        note += f"equally deep; {tests} degrees of freedom"
        expanded = is_lattice_change(found) and bool(both.strain[0] > 0)
        rows += [
            finding(
                "reflection_shift", mean, mean - half, mean + half, "degree", **whose, note=f"{since}, weighted mean"
            ),
            finding("lattice_expanded", expanded, **whose, note=note),
            _parameter_change(compared),
        ]
    return rows


def _parameter_change(compared: Comparison) -> dict:
    """Return the change of a by whole-pattern fits; its interval is over both geometries, each for both patterns."""
    known = [pawley.lattice(found.fits).sel(parameter="a") for found in (compared.before, compared.after)]
    change = (known[1].estimate - known[0].estimate).to_numpy()
    half = 1.96 * np.hypot(*(part.standard_error.to_numpy() for part in known))
    each = " or ".join(f"{c:+.4f} ({g})" for c, g in zip(change, known[0].geometry.to_numpy(), strict=True))
    note = f"from {compared.first}, by whole patterns: {each}"
    numbers = (float(change.mean()), float((change - half).min()), float((change + half).max()))
    if not np.isfinite(numbers).all():
        numbers, note = (None, None, None), "a pattern does not determine it"
    return finding("lattice_parameter_change", *numbers, "angstrom", **compared.after.whose, note=note)


def _percent(interval: tuple[float, float, float]) -> str:
    value, low, high = (100 * x for x in interval)
    return f"{value:+.3f} % ({low:+.3f} to {high:+.3f})"


def _columns(two_theta: np.ndarray, radius: float) -> np.ndarray:
    theta = np.radians(two_theta) / 2
    return np.degrees(np.column_stack([-2 * np.tan(theta), -2 * np.cos(theta) / radius]))


def _model(moved: xr.Dataset, radius: float, *, strain: bool, displacement: bool) -> Model:
    kept = np.array([strain, displacement])
    error = moved.shift_error.to_numpy()
    design = _columns(moved.two_theta.to_numpy(), radius)[:, kept]
    covariance = np.linalg.inv((design / error[:, None]).T @ (design / error[:, None]))
    best = covariance @ (design.T @ (moved["shift"].to_numpy() / error**2))
    chi_square = float(np.sum(((moved["shift"].to_numpy() - design @ best) / error) ** 2))
    freedom = error.size - int(kept.sum())
    widen = np.sqrt(max(chi_square / freedom, 1.0)) if freedom else 1.0
    quantile = stats.t.ppf(0.975, freedom) if widen > 1 else stats.norm.ppf(0.975)
    half = iter(quantile * widen * np.sqrt(np.diag(covariance)))
    values = iter(best)
    intervals = [(v := next(values), v - (h := next(half)), v + h) if k else None for k in kept]
    angle = np.linspace(0.8 * float(moved.two_theta.min()), min(1.1 * float(moved.two_theta.max()), 170), 200)
    curve = xr.DataArray(_columns(angle, radius)[:, kept] @ best, coords={"two_theta": angle}, dims="two_theta")
    probability = float(stats.chi2.sf(chi_square, freedom)) if freedom else 1.0
    return Model(*intervals, chi_square, freedom, probability, curve)
