"""Photoelectron spectroscopy: fit a doublet of Doniach-Sunjic lines on a Shirley and a linear background.

The region has 321 points with counting noise, which differs in each round. Both programs fit the same model with the
same free parameters: area, position, Gaussian and Lorentzian width, asymmetry, strength of the Shirley background,
level and slope. Splitting and intensity ratio of the doublet are fixed.
"""

import sys

import numpy as np

from bench.timing import timed

TASK = "fit an XPS doublet, Doniach–Šunjić on an active Shirley background; position [eV], true 84.05"
ENERGY = np.linspace(80.0, 96.0, 321)  # eV, binding
POSITION, SPLITTING, RATIO = 84.05, 3.67, 0.75
LORENTZIAN, GAUSSIAN, ASYMMETRY, SHIRLEY = 0.30, 0.25, 0.05, 0.06  # full widths in eV; strength in 1/eV


def counts(seed: int) -> np.ndarray:
    """Return simulated counts over ENERGY, convolved numerically on a fine grid."""
    step = 0.005
    fine = np.arange(70.0, 106.0, step)
    line = sum(height * _doniach(fine - at) for height, at in ((1, POSITION), (RATIO, POSITION + SPLITTING)))
    kernel = np.exp(-4 * np.log(2) * (np.arange(-400, 401) * step / GAUSSIAN) ** 2)
    line = np.convolve(line, kernel / kernel.sum(), "same")
    line *= 40_000 / line.max()
    line += SHIRLEY * np.cumsum(np.where(fine >= ENERGY[0], line, 0)) * step
    expected = np.interp(ENERGY, fine, line) + 2000 + 30 * (ENERGY - ENERGY[0])
    return np.random.default_rng(seed).poisson(expected)


def _doniach(energy: np.ndarray) -> np.ndarray:
    x = -energy / (LORENTZIAN / 2)
    return np.cos(np.pi * ASYMMETRY / 2 + (1 - ASYMMETRY) * np.arctan(x)) / (1 + x**2) ** ((1 - ASYMMETRY) / 2)


def with_coldbond(intensity: np.ndarray) -> float:
    import xarray as xr

    from coldbond.xps import fit
    from coldbond.xps.components import Component, Line

    region = xr.Dataset({"intensity": ("binding_energy", intensity), "one_count": 1.0}, {"binding_energy": ENERGY})
    line = Line(SPLITTING, RATIO, fwhm=(0.6, 0.3), lorentzian=(0.3, 0.3), asymmetry=(0.1, 0.1))
    return fit.fit(region, [Component("Au", "Au", 84.3)], line=line).params["Au_position"].value


def with_lmfitxps(intensity: np.ndarray) -> float:
    from lmfitxps.models import ConvGaussianDoniachDublett, ShirleyBG, SlopeBG

    model = ConvGaussianDoniachDublett(prefix="p_", independent_vars=["x"])
    model += ShirleyBG(prefix="s_", independent_vars=["y"]) + SlopeBG(prefix="l_", independent_vars=["y"])
    params = model.make_params(
        p_amplitude=float(intensity.max()), p_center=-84.3, p_sigma=0.15, p_gamma=0.1, p_gaussian_sigma=0.25,
        s_k=0.003, s_const=float(intensity[0]), l_k=0.0,
    )  # fmt: skip
    for name, value in (("p_soc", SPLITTING), ("p_height_ratio", RATIO), ("p_fct_coster_kronig", 1.0)):
        params[name].set(value=value, vary=False)
    kinetic, counted = -ENERGY[::-1], intensity[::-1].astype(float)
    result = model.fit(counted, params, x=kinetic, y=counted, weights=1 / np.sqrt(counted))
    return -result.params["p_center"].value


def measure_coldbond(seed: int) -> dict:
    return {TASK: timed(with_coldbond, counts(seed), first=(counts(0),))}


def measure_lmfitxps(seed: int) -> dict:
    return {TASK: timed(with_lmfitxps, counts(seed), first=(counts(0),))}


CONTENDERS = {
    "coldbond": (measure_coldbond, sys.maxsize),
    "lmfitxps, start given": (measure_lmfitxps, sys.maxsize),
}
