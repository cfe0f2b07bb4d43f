"""Whether a spectrum obeys the relations of Kramers and Kronig, point by point."""

import numpy as np
import xarray as xr
from scipy import linalg, stats

FEWEST_ELEMENTS = 3
FALSE_ALARMS = 0.05  # share of clean spectra of which a point may be called a failure
TOLERATED = 0.5  # per cent of the modulus that no conclusion is hurt by


def test(spectrum: xr.Dataset) -> xr.Dataset:
    """Fit a chain of RC elements, which obeys the relations whatever its resistances, and return what is left.

    The method is that of Boukamp (1995, doi 10.1149/1.2044210): real and imaginary part are fitted together, weighted
    by the modulus, by a resistance, an inductance and a capacitance in series and RC elements whose time constants are
    spread evenly on a logarithmic scale. Their number, up to half that of the points, is that of the lowest Bayesian
    information criterion: the rule of Schönleber, Klotz and Ivers-Tiffée (2014, doi 10.1016/j.electacta.2014.01.034),
    to stop where their `mu` falls below 0.85, stops at four elements for a steep arc, whose fit is then off by half.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz], one sweep.

    Returns
    -------
    xarray.Dataset
        Over `frequency`: `residual_real` and `residual_imag`, fitted less measured, in per cent of the modulus, and
        `fails`, whether one of them lies further out than the scatter of all explains (at a level that lets one clean
        spectrum of twenty fail) and beyond half a per cent. The attrs: `elements`, their number; `mu`; `noise`, the
        robust standard deviation [%].
        A part of the spectrum that is noisier than most shows as failing too.
    """
    frequency, impedance = spectrum.frequency.to_numpy(), spectrum.impedance.to_numpy()
    modulus = np.abs(impedance)
    target = _stacked(impedance / modulus)
    fits = [_fit(frequency, modulus, target, n) for n in range(FEWEST_ELEMENTS, max(frequency.size // 2, 4))]
    penalty = np.log(target.size)
    elements, resistances, residual = min(
        fits, key=lambda fit: target.size * np.log(np.mean(fit[2] ** 2)) + penalty * fit[0]
    )
    mu = 1 + resistances[resistances < 0].sum() / resistances[resistances > 0].sum()
    noise = 1.4826 * np.median(np.abs(residual))
    limit = max(TOLERATED / 100, noise * stats.norm.ppf(1 - FALSE_ALARMS / (2 * residual.size)))
    real, imaginary = np.split(residual, 2)
    percent = {"units": "%"}
    return xr.Dataset(
        {
            "residual_real": ("frequency", real * 100, percent | {"long_name": "residual of Re Z"}),
            "residual_imag": ("frequency", imaginary * 100, percent | {"long_name": "residual of Im Z"}),
            "fails": ("frequency", np.maximum(np.abs(real), np.abs(imaginary)) > limit),
        },
        {"frequency": spectrum.frequency},
        {"elements": elements, "mu": float(mu), "noise": float(noise * 100)},
    )


def _fit(
    frequency: np.ndarray, modulus: np.ndarray, target: np.ndarray, elements: int
) -> tuple[int, np.ndarray, np.ndarray]:
    """Number of RC elements, their resistances [ohm], and the residuals of their fit."""
    matrix = _stacked(_columns(frequency, elements) / modulus).T
    scale = np.linalg.norm(matrix, axis=0)
    found = linalg.lstsq(matrix / scale, target, lapack_driver="gelsy", check_finite=False)[0]
    return elements, (found / scale)[:elements], (matrix / scale) @ found - target


def _columns(frequency: np.ndarray, elements: int) -> np.ndarray:
    """Impedances of the RC elements, then of resistance, inductance and capacitance, shape (elements + 3, n)."""
    s = 2j * np.pi * frequency
    tau = np.geomspace(1 / np.abs(s).max(), 1 / np.abs(s).min(), elements)
    return np.vstack([1 / (1 + s * tau[:, None]), s**0, s, 1 / s])


def _stacked(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=-1)
