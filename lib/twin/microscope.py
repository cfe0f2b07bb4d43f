"""A Raman microscope with grating and CCD camera, and the spectra it records of surfaces and of a neon lamp.

The light of a surface is the sum of its fluorescence and its bands, cut off by the edge filter and blurred by the slit.
It is integrated over each pixel, multiplied with the pixel's response, and counted: Poisson statistics, read-out noise,
cosmic rays. The software assigns Raman shifts with an old calibration and the nominal wavelength of the laser, so that
the axis of the recording is wrong by a smooth function, which the neon lines reveal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter1d
from scipy.stats import norm

from twin import vibrations

NOMINAL = 532.0  # nm in air, the wavelength of the laser that the software assumes
ACCUMULATIONS = 20  # exposures that the software averages
FULL_WELL = 65535.0  # counts of one exposure
READ_NOISE = 6.0  # electrons, each exposure
SLIT = 0.15  # nm, full width at half maximum
DISPERSION = 0.0741  # nm per pixel, at the first one
SIGMA = 2.3548  # full width at half maximum of a Gaussian of standard deviation 1
FINE = 5  # samples of the light per pixel
PIXELS = np.arange(1700)
# Response of each pixel of this camera, as far as the software does not correct it.
RESPONSE = 1 + 0.003 * np.random.default_rng(532).standard_normal(PIXELS.size)

#: Neon lines: wavelength in air [nm] (NIST Atomic Spectra Database) and electrons at the maximum in one exposure.
NEON = np.array(
    [
        (534.10938, 2500), (534.32834, 900), (540.05618, 16000), (543.36513, 400), (556.27662, 900), (565.66588, 1700),
        (571.92248, 1300), (574.82985, 4200), (576.44188, 19000), (580.44496, 3300), (582.01558, 12500),
        (585.24879, 260000), (587.28275, 4100), (588.18952, 110000), (590.24623, 9800), (590.64294, 5200),
        (591.36327, 2300), (594.48342, 140000), (596.5471, 3800), (597.46273, 24000), (597.5534, 80000),
        (598.79074, 3600), (602.99969, 70000), (607.43377, 170000), (609.61631, 240000), (612.84499, 26000),
        (614.30626, 300000), (616.35939, 90000), (618.2146, 3900), (621.72812, 80000), (626.6495, 210000),
        (630.47889, 24000), (632.81646, 5200), (633.44278, 200000), (638.29917, 250000), (640.2248, 420000),
        (650.65281, 270000), (653.28822, 60000),
    ]
)  # fmt: skip


def vacuum(air: ArrayLike) -> np.ndarray:
    """Return the wavelength [nm] in vacuum of one in standard air (Ciddor 1996, doi 10.1364/AO.35.001566)."""
    air = np.asarray(air)
    s = (1e3 / air) ** 2  # 1/um2
    return air * (1 + 1e-8 * (5792105 / (238.0185 - s) + 167917 / (57.362 - s)))


def wavelength(pixel: np.ndarray) -> np.ndarray:
    """Return the wavelength [nm] in vacuum that falls on a pixel."""
    return 534.75 + DISPERSION * pixel - 2.3e-6 * pixel**2


def recorded_shift(pixel: np.ndarray) -> np.ndarray:
    """Return the Raman shift [1/cm] that the software assigns to a pixel (old calibration, nominal laser)."""
    shift = 1e7 / vacuum(NOMINAL) - 1e7 / wavelength(pixel)
    return shift + 0.42 - 0.33 * shift / 1e3 + 0.06 * (shift / 1e3) ** 2


def scattered(surface: vibrations.Surface, pixel: np.ndarray) -> np.ndarray:
    """Return the electrons per pixel of a surface in the whole exposure, at positions within the pixels."""
    shift = 1e7 / vacuum(vibrations.LASER) - 1e7 / wavelength(pixel)
    height, centre, width = surface.fluorescence
    light = height * np.exp(-0.5 * ((shift - centre) / width) ** 2) + 700.0
    for band in surface.bands:
        # Asymmetric: the width is a sigmoid of the shift (Stancik, Brauns 2008, doi 10.1016/j.vibspec.2008.02.009).
        local = 2 * band.width / (1 + np.exp(band.skew * (shift - band.position)))
        u = 2 * (shift - band.position) / local
        light = light + band.height * (0.7 / (1 + u**2) + 0.3 * np.exp(-np.log(2) * u**2))
    light *= norm.cdf(shift, 88.0, 7.0)  # the edge filter that stops the laser
    return gaussian_filter1d(light, SLIT / SIGMA / DISPERSION * FINE, mode="nearest")


def emitted(pixel: np.ndarray) -> np.ndarray:
    """Return the electrons per pixel of the lamp in one exposure; its lines are as wide as the slit."""
    sigma = SLIT / SIGMA
    light = np.full(pixel.size, 40.0)
    for air, height in NEON:
        light += height * np.exp(-0.5 * ((wavelength(pixel) - vacuum(air)) / sigma) ** 2)
    return light


def exposed(light: Callable[[np.ndarray], np.ndarray], exposures: int, seconds: float, seed: int) -> np.ndarray:
    """Return the counts per pixel, averaged over exposures, dark counts subtracted; one count is one electron."""
    fine = (np.arange(PIXELS.size * FINE) + 0.5) / FINE - 0.5
    electrons = light(fine).reshape(-1, FINE).mean(axis=1) * RESPONSE
    rng = np.random.default_rng(seed)
    counts = rng.poisson(electrons) + rng.normal(0, READ_NOISE * np.sqrt(exposures), PIXELS.size)
    for hit in rng.integers(0, PIXELS.size - 1, rng.poisson(0.15 * seconds)):  # cosmic rays
        energy = rng.exponential(4000.0)
        share = rng.choice([1.0, 1.0, 0.6])
        counts[hit] += share * energy
        counts[hit + 1] += (1 - share) * energy
    return np.minimum(counts / exposures, FULL_WELL)


@dataclass(frozen=True)
class Spectrum:
    """A spectrum as the software exports it."""

    title: str
    shift: np.ndarray  # 1/cm
    counts: np.ndarray
    exposures: int
    exposure: float  # s


def surface(title: str, of: vibrations.Surface, spacing: float | None = None, *, seed: int) -> Spectrum:
    """Record a surface; with a spacing [1/cm] the software interpolates, which correlates neighbouring points."""
    counts = exposed(partial(scattered, of), ACCUMULATIONS, 60.0, seed)
    return _exported(title, counts, ACCUMULATIONS, 3.0, spacing)


def lamp(title: str, *, seed: int) -> Spectrum:
    """Record the neon lamp; its strong lines are saturated so that the weak ones can be seen."""
    return _exported(title, exposed(emitted, 1, 0.5, seed), 1, 0.5, None)


def _exported(title: str, counts: np.ndarray, exposures: int, exposure: float, spacing: float | None) -> Spectrum:
    """Return a spectrum over the shifts of the software, interpolated to an even spacing where one is given."""
    shift = recorded_shift(PIXELS)
    if spacing is None:
        return Spectrum(title, shift, counts, exposures, exposure)
    even = np.arange(np.ceil(shift[0] / spacing), shift[-1] / spacing) * spacing
    return Spectrum(title, even, np.interp(even, shift, counts), exposures, exposure)
