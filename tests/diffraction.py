"""Powder patterns with known answers: exact Voigt profiles on a Bragg-Brentano diffractometer, written for the tests."""

from pathlib import Path

import numpy as np
from coldbond.reading.spectrum import spectrum
from coldbond.xrd.reflections import reflections
from scipy.special import voigt_profile

KALPHA1, KALPHA2, RATIO, RADIUS = 1.540593, 1.544414, 0.5, 185.0  # angstrom, -, mm


def expected(
    phases,
    two_theta,
    *,
    displacement=0.0,
    zero=0.0,
    gaussian=0.06,
    background=(200.0, 60.0),
):
    """Return the expectation of the counts.

    phases: (structure, counts at the top of its strongest reflection, size [degree], strain [degree]) each; size and strain
    are Lorentzian full widths at half maximum, size / cos + strain tan. displacement [mm] below the axis, zero [degree],
    gaussian: the instrument's full width [degree]; background: constant and what falls off as 1 / two_theta from 20 degree.
    """
    two_theta = np.asarray(two_theta, float)
    counts = background[0] + background[1] * 20 / two_theta
    for structure, top, size, strain in phases:
        lines = reflections(structure, KALPHA1, (max(two_theta[0] - 2, 3.0), min(two_theta[-1] + 2, 170)))
        strongest = lines.two_theta.to_numpy()[int(lines.relative_intensity.to_numpy().argmax())]
        profiles = 0.0
        for d, intensity in zip(lines.d.to_numpy(), lines.relative_intensity.to_numpy(), strict=True):
            for wavelength, share in ((KALPHA1, 1.0), (KALPHA2, RATIO)):
                theta = np.arcsin(wavelength / 2 / d)
                centre = np.degrees(2 * theta) + zero - np.degrees(2 * displacement * np.cos(theta) / RADIUS)
                sigma, gamma = gaussian / 2.354820, (size / np.cos(theta) + strain * np.tan(theta)) / 2
                profiles = profiles + intensity * share * voigt_profile(two_theta - centre, sigma, gamma)
        near = np.abs(two_theta - strongest) < 0.6
        counts = counts + top * profiles / (profiles[near].max() if near.any() else profiles.max())
    return counts


def pattern(phases, low=15.0, high=80.0, step=0.02, *, rng=None, sample="A", state="pristine", **options):
    """Return a recording as `coldbond.read` would, counted with an rng, or exact without one."""
    two_theta = np.arange(low, high + step / 2, step)
    counts = expected(phases, two_theta, **options)
    if rng is not None:
        counts = rng.poisson(counts)
    attrs = dict(
        wavelength_kalpha1=KALPHA1, wavelength_kalpha2=KALPHA2, goniometer_radius=RADIUS, sample=sample, state=state
    )
    made = spectrum(Path("made"), "xrd", two_theta, np.rint(counts), one_count=1.0, attrs=attrs)
    return made.assign_attrs(file=f"{sample}.ras", sha256="0", origin="synthetic")
