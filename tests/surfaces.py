"""A forward model of photoemission that shares nothing with the analysis: known answers for the tests."""

from pathlib import Path

import numpy as np
import xarray as xr
from scipy.special import voigt_profile

from coldbond.files.spectrum import spectrum

FWHM = 2.3548  # of a Gaussian of unit standard deviation


def counts(
    lines: list[tuple[float, float]],
    window: tuple[float, float] = (48.0, 62.0),
    *,
    seed: int,
    gaussian: float = 1.2,
    lorentzian: float = 0.1,
    splitting: float = 0.0,
    ratio: float = 0.0,
    peak: float = 2000.0,
    level: float = 500.0,
    loss: float = 1.0,
    step: float = 0.1,
) -> xr.Dataset:
    """Counts of lines (position [eV], area relative to one of `peak` counts), with losses behind each.

    The loss function is Tougaard's with three parameters and a gap, B T / ((C - T^2)^2 + D T^2), with his values for
    SiO2, an insulator (1997, Surf. Interface Anal. 25, 137), scaled by `loss`; the analysis knows it not.
    """
    fine = np.arange(window[0] - 15, window[1] + 1e-9, step)
    shape = np.zeros(fine.size)
    for position, area in lines:
        for at, share in ((position, 1.0), (position + splitting, ratio)):
            shape += area * share * voigt_profile(fine - at, gaussian / FWHM, lorentzian / 2)
    lost = np.arange(fine.size) * step
    function = np.where(lost > 4, 325.0 * loss * lost / ((542 - lost**2) ** 2 + 275 * lost**2), 0.0)
    total = shape + np.convolve(shape, function)[: fine.size] * step
    expected = level * (1 + 0.004 * (fine - window[0])) + peak * total
    inside = fine >= window[0] - 1e-9
    observed = np.random.default_rng(seed).poisson(expected[inside]).astype(float)
    return spectrum(Path("forward.vms"), "xps", fine[inside], observed, one_count=1.0)
