"""Powder patterns with known answers: exact Voigt profiles on a Bragg-Brentano diffractometer."""

from pathlib import Path

import numpy as np
from scipy.special import voigt_profile

from coldbond.files.spectrum import spectrum
from coldbond.xrd.pawley import Instrument
from coldbond.xrd.reflections import reflections

KALPHA1, KALPHA2, RATIO, RADIUS = 1.540593, 1.544414, 0.5, 185.0  # angstrom, angstrom, 1, mm
GAUSSIAN = 0.06  # full width that the instrument adds, degree


def instrument(error=1e-4, lorentzian=(0.0, 0.0)):
    """What this diffractometer adds, known to an error of its squared Gaussian width, and x of its Lorentzian."""
    names = ("u", "v", "w", "x", "y", "axial", "kalpha2_ratio")
    values = np.array([0.0, 0.0, GAUSSIAN**2, lorentzian[0], 0.0, 0.0, RATIO])
    return Instrument(names, values, np.diag([0, 0, error**2, lorentzian[1] ** 2, 0, 0, 0]))


def expected(phases, two_theta, *, displacement=0.0, zero=0.0, gaussian=GAUSSIAN, background=(200.0, 60.0)):
    """Return the expectation of the counts.

    phases: of each its structure, the area of its strongest reflection [count x degree], and the Lorentzian full widths
    of its size and strain [degree], size / cos + strain tan. displacement [mm] below the axis, zero and the whole
    Gaussian full width [degree]; background: a constant, and what falls off as 1 / two_theta, at 20 degree.
    """
    counts = background[0] + background[1] * 20 / two_theta
    for structure, area, size, strain in phases:
        lines = reflections(structure, KALPHA1, (max(two_theta[0] - 2, 3.0), min(two_theta[-1] + 2, 170)))
        for d, intensity in zip(lines.d.to_numpy(), lines.relative_intensity.to_numpy(), strict=True):
            for wavelength, share in ((KALPHA1, 1 / (1 + RATIO)), (KALPHA2, RATIO / (1 + RATIO))):
                theta = np.arcsin(wavelength / 2 / d)
                centre = np.degrees(2 * theta) + zero - np.degrees(2 * displacement * np.cos(theta) / RADIUS)
                gamma = (size / np.cos(theta) + strain * np.tan(theta)) / 2
                profile = voigt_profile(two_theta - centre, gaussian / 2.354820045, gamma)
                counts = counts + area * intensity / 100 * share * profile
    return counts


def pattern(phases, low=25.0, high=60.0, step=0.03, *, rng=None, sample="A", state="pristine", **options):
    """Return a recording as `raw.recordings` would, counted with an rng, rounded expectation without one."""
    two_theta = np.arange(low, high + step / 2, step)
    counts = expected(phases, two_theta, **options)
    counts = np.rint(counts) if rng is None else rng.poisson(counts)
    attrs = {"wavelength_kalpha1": KALPHA1, "wavelength_kalpha2": KALPHA2, "goniometer_radius": RADIUS}
    made = spectrum(Path("made"), "xrd", two_theta, counts, one_count=1.0, attrs=attrs)
    return made.assign_attrs(sample=sample, state=state, file=f"{sample}.ras", sha256="0", origin="synthetic")
