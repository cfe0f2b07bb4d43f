"""Why reflections of two samples lie at different angles: another lattice, or another height of the sample."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import stats

from coldbond.xrd.breadth import common

SMALL = 0.05  # probability below which a model that explains the shifts is given up


@dataclass(frozen=True)
class Model:
    """One explanation of the shifts, fitted to them.

    Attributes
    ----------
    strain, displacement : tuple of float, or None
        Relative change of the lattice parameter, and of the sample's height [mm, positive below the axis]: value, low and
        high of the 95 % interval; None where the model has none.
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
    """Return whether the shifts need a changed lattice: displacement alone is ruled out, and both together leave it no zero."""
    low, high = found["both"].strain[1:]
    return found["displacement"].probability < SMALL and not low <= 0 <= high


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
