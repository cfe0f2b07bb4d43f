"""Photoelectron spectroscopy: fit doublets on a Shirley and a linear background.

Both regions have counting noise, which differs in each round. Of the first, one doublet of Doniach-Sunjic lines over
321 points, both programs fit the same model with the same free parameters: area, position, Gaussian and Lorentzian
width, asymmetry, strength of the Shirley background, level and slope. Splitting and intensity ratio are fixed.

The second region holds two symmetric doublets 1.6 eV apart, such as zirconium in two states; the share of the smaller
one is asked for, with its standard error. lmfitxps fits the model that simulated the region, with one width for both
doublets. coldbond fits that model too, and decides besides with `composition`, whose width and losses are free within
their priors and whose interval is that of the profile likelihood.
"""

import sys
from collections.abc import Callable

import numpy as np

from bench.timing import timed

TASK = "fit an XPS doublet, Doniach–Šunjić on an active Shirley background; position [eV], true 84.05"
ENERGY = np.linspace(80.0, 96.0, 321)  # eV, binding
POSITION, SPLITTING, RATIO = 84.05, 3.67, 0.75
LORENTZIAN, GAUSSIAN, ASYMMETRY, SHIRLEY = 0.30, 0.25, 0.05, 0.06  # full widths in eV; strength in 1/eV


SHARES = "share of the smaller of two XPS doublets 1.6 eV apart"
SHARE_TASK = f"{SHARES}; share less the true one [%], true 20"
ERROR_TASK = f"{SHARES}; deviation of the share over its standard error"
SHARE, AT, APART, WIDTH = 0.2, 182.0, 1.6, 1.0  # position of the larger doublet and distance to the smaller one, eV
SHARE_ENERGY = np.linspace(176.0, 188.0, 241)
ZIRCONIUM = (2.4, 2 / 3)  # splitting, eV, and ratio


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


def mixed_counts(seed: int) -> np.ndarray:
    """Return simulated counts over SHARE_ENERGY, of Voigt profiles on the steps that they cause."""
    from scipy.special import voigt_profile

    step = 0.01
    fine = np.arange(SHARE_ENERGY[0], SHARE_ENERGY[-1] + step / 2, step)
    splitting, ratio = ZIRCONIUM
    line = np.zeros_like(fine)
    for area, at in ((1 - SHARE, AT), (SHARE, AT - APART)):
        for part, away in ((1.0, 0.0), (ratio, splitting)):
            line += area * part * voigt_profile(fine - at - away, WIDTH / 2.3548, 0.05)
    line *= 10_000 / line.max()
    line += SHIRLEY * np.cumsum(line) * step
    expected = np.interp(SHARE_ENERGY, fine, line) + 500 + 10 * (SHARE_ENERGY - SHARE_ENERGY[0])
    return np.random.default_rng(seed).poisson(expected)


def share_with_coldbond(intensity: np.ndarray) -> tuple[float, float]:
    from coldbond.xps import fit, profile

    region, components, line = zirconium(intensity)
    result = fit.fit(region, components, "active shirley", "voigt", line=line, width_uncertainty=0)
    share, deviation, _ = profile.share(result, "reduced", ["Zr4", "reduced"])
    return share, deviation


def share_with_composition(intensity: np.ndarray) -> tuple[float, float]:
    from coldbond.xps.component_selection import composition

    region, components, line = zirconium(intensity)
    value, low, high = composition(region, components, line=line).components["reduced"].share.numbers
    return value, (high - low) / (2 * 1.96)


def zirconium(intensity: np.ndarray) -> tuple:
    """Return region, components and core level as coldbond takes them."""
    import xarray as xr

    from coldbond.xps.components import Component, Line

    held = {"intensity": ("binding_energy", intensity), "one_count": 1.0}
    states = [Component("Zr4", "", 182.2, 0.2), Component("reduced", "", 180.2, 0.4)]
    line = Line(*ZIRCONIUM, fwhm=(1.2, 0.3), lorentzian=(0.1, 0.1))
    return xr.Dataset(held, {"binding_energy": SHARE_ENERGY}), states, line


def share_with_lmfitxps(intensity: np.ndarray) -> tuple[float, float]:
    from lmfitxps.models import ConvGaussianDoniachDublett, ShirleyBG, SlopeBG

    model = ConvGaussianDoniachDublett(prefix="p_", independent_vars=["x"])
    model += ConvGaussianDoniachDublett(prefix="r_", independent_vars=["x"])
    model += ShirleyBG(prefix="s_", independent_vars=["y"]) + SlopeBG(prefix="l_", independent_vars=["y"])
    params = model.make_params(
        p_amplitude=float(intensity.max()), p_center=-182.2, p_sigma=0.05, p_gaussian_sigma=0.5,
        r_amplitude=float(intensity.max()) / 5, r_center=-180.2,
        s_k=0.003, s_const=float(intensity[0]), l_k=0.0,
    )  # fmt: skip
    splitting, ratio = ZIRCONIUM
    for doublet in "pr":
        for name, value in (("soc", splitting), ("height_ratio", ratio), ("fct_coster_kronig", 1.0), ("gamma", 0.0)):
            params[f"{doublet}_{name}"].set(value=value, vary=False)
    for name in ("sigma", "gaussian_sigma"):
        params[f"r_{name}"].set(expr=f"p_{name}")
    kinetic, counted = -SHARE_ENERGY[::-1], intensity[::-1].astype(float)
    result = model.fit(counted, params, x=kinetic, y=counted, weights=1 / np.sqrt(counted))
    main, other = (result.uvars[f"{doublet}_amplitude"] for doublet in "pr")
    share = other / (main + other)
    return share.n, share.s


def _shares(run: Callable[[np.ndarray], tuple[float, float]], seed: int) -> dict:
    """Return the share and its deviation, both with the time of the fit."""
    error = 0.0

    def deviation(intensity: np.ndarray) -> float:
        nonlocal error
        share, uncertainty = run(intensity)
        error = (share - SHARE) / uncertainty
        return 100 * (share - SHARE)

    found = timed(deviation, mixed_counts(seed), first=(mixed_counts(0),))
    return {SHARE_TASK: found, ERROR_TASK: found if "fails" in found else found | {"found": error}}


def measure_coldbond(seed: int) -> dict:
    one = {TASK: timed(with_coldbond, counts(seed), first=(counts(0),))}
    return one | _shares(share_with_coldbond, seed)


def measure_composition(seed: int) -> dict:
    return _shares(share_with_composition, seed)


def measure_lmfitxps(seed: int) -> dict:
    one = {TASK: timed(with_lmfitxps, counts(seed), first=(counts(0),))}
    return one | _shares(share_with_lmfitxps, seed)


CONTENDERS = {
    "coldbond": (measure_coldbond, sys.maxsize),
    "coldbond, decision with profile interval": (measure_composition, sys.maxsize),
    "lmfitxps, start given": (measure_lmfitxps, sys.maxsize),
}
