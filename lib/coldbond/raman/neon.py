"""Calibration of a Raman axis with a lamp that was recorded on the same axis.

Each line is fitted with a Gaussian on a straight background over a few points around its maximum. The difference
between the tabulated and the recorded wavelengths is described by a polynomial in the recorded Raman shift, whose
degree is that of the lowest Bayesian information criterion. Saturated, blended, faint and outlying lines are left out.
The lamp calibrates wavelengths; the wavelength of the laser, which shifts all bands alike, keeps its own uncertainty.
"""

from collections.abc import Sequence
from typing import overload

import numpy as np
import xarray as xr
from scipy.optimize import curve_fit

from coldbond.raman import reference

#: Neon lines, wavelength in standard air, nm.
LINES = reference.load().lamps["neon"].lines

# Limits of the search for lines; all but OUTLYING_SCORE are conventions.
LARGEST_COMMON = 25.0  # 1/cm, by which all lines together may be off: a laser or grating that was never calibrated
LARGEST_OFFSET = 5.0  # 1/cm, between a line and its tabulated position, less what all lines have in common
BLENDED = 5.0  # points: two lines that are nearer are not resolved
FAINT = 10.0  # standard deviations of the noise: a lower line is not used
#: Share of the maximum of the recording: a line with two points above it is saturated. A saturated top is not quite
#: flat where the recording is corrected for the dark counts.
SATURATED = 0.98
OUTLYING_SCORE = 3.5  # modified z-score of an outlier (Iglewicz and Hoaglin 1993, ISBN 0-87389-247-X)
LEAST_LINES = 6
BESIDE, ENOUGH_LINES = 300.0, 8  # 1/cm on either side of the window, and the lines within that are enough
DEGREES = range(5)  # of the polynomial
SPARE_LINES = 4  # lines that a polynomial must have beyond its degree
MARGIN = 5  # points at either end of the axis: a line nearer to the end is not used
LINE_REACH = 5  # points on either side of the maximum of a line
CORE_REACH = 3.5  # mean distances of points on either side of the maximum, within which the Gaussian is fitted
LARGEST_MOVE = 1.5  # mean distances of points between the Gaussian's centre and the maximum
Z_FACTOR = 0.6745  # the median absolute deviation of a normal distribution in its standard deviations
MAD_FACTOR = 1.4826  # standard deviation of a normal distribution in median absolute deviations
TINY = 1e-30  # nm2, keeps the logarithm of an exact fit finite
GAUSSIAN_FWHM = 2.3548  # full width at half maximum of a normal distribution in its standard deviations
NM = 1e7  # 1/cm times nm: a wavenumber is this over a wavelength


@overload
def vacuum(air: float) -> float: ...
@overload
def vacuum(air: np.ndarray) -> np.ndarray: ...
def vacuum(air: float | np.ndarray) -> float | np.ndarray:
    """Return the wavelength in vacuum of a wavelength in standard air, both in nm.

    The dispersion of air at 15 degree Celsius and 101 325 Pa is that of Peck and Reeder (1972,
    doi 10.1364/JOSA.62.000958), which the NIST database uses.
    """
    s = (1e3 / np.asarray(air)) ** 2  # squared wavenumber, 1/um2; that in air is accurate enough
    return air * (1 + 1e-8 * (8060.51 + 2480990 / (132.274 - s) + 17455.7 / (39.32957 - s)))


def calibration(
    lamp: xr.Dataset, lines: Sequence[float] = LINES, element: str = "neon", window: Sequence[float] | None = None
) -> xr.Dataset:
    """Return the calibration of an axis: the lines of the lamp and the polynomial of the correction.

    Parameters
    ----------
    lamp : xarray.Dataset
        `intensity` over the recorded `raman_shift` [1/cm]; attrs `excitation` [nm], the wavelength in air that the
        software computed the axis with.
    lines : sequence of float
        Wavelengths of the lamp's lines in standard air, nm.
    element : str
        What the lamp is filled with, for findings and messages.
    window : (float, float) or None
        Range that matters, 1/cm. Where enough lines lie near it, those far away are left out: the software may have
        joined the axis from several positions of the grating, each with an error of its own.

    Returns
    -------
    xarray.Dataset
        Over `line`, each of the lines within the axis: `air` [nm], `recorded` [1/cm], `residual` [nm] from the
        polynomial, and `verdict`: "used", or the reason why not: "faint", "saturated", "blended", "far" or
        "outlying". Over `power`, of (recorded - `attrs["centre"]`) / `attrs["half"]`: `coefficient` [nm] of the
        correction to the wavelength in vacuum, with its `covariance`. attrs `scatter` [nm], the standard deviation of
        the lines about the polynomial, `resolution` [1/cm], the median full width at half maximum of the lines,
        `element`, and `excitation`, `sample` and `state` of the lamp.

    Raises
    ------
    ValueError
        Fewer than six lines are found, or the file does not state the excitation.
    """
    shift, intensity = lamp.raman_shift.to_numpy(), lamp.intensity.to_numpy()
    laser = _laser(lamp)
    air = np.array(lines)
    expected = NM / laser - NM / vacuum(air)
    common = _common_offset(shift, intensity, expected)
    ends = shift[MARGIN:-MARGIN]
    inside = (
        (expected + common > ends[0]) & (expected + common < ends[-1]) if ends.size else np.zeros(air.size, dtype=bool)
    )
    air, expected = air[inside], expected[inside]
    noise = MAD_FACTOR * np.median(np.abs(np.diff(intensity))) / np.sqrt(2)  # a difference has twice the variance
    recorded, width = np.full(air.size, np.nan), np.full(air.size, np.nan)
    verdict = np.full(air.size, "used", dtype=object)
    spacing = np.median(np.diff(shift))
    for i, position in enumerate(expected):
        others = np.abs(np.delete(expected, i) - position)
        if others.size and others.min() < BLENDED * spacing:
            verdict[i] = "blended"
            continue
        recorded[i], width[i], verdict[i] = _line(shift, intensity, position + common, noise)
    used = verdict == "used"
    if window is not None:
        near = used & (recorded > window[0] - BESIDE) & (recorded < window[1] + BESIDE)
        if near.sum() >= ENOUGH_LINES:
            verdict[used & ~near] = "far"
            used = near
    centre, half = (shift[0] + shift[-1]) / 2, (shift[-1] - shift[0]) / 2
    x = (recorded - centre) / half
    correction = vacuum(air) - NM / (NM / laser - recorded)
    while True:
        if used.sum() < LEAST_LINES:
            file, excitation = lamp.attrs.get("file", "the lamp"), lamp.attrs["excitation"]
            raise ValueError(
                f"{file}: {used.sum()} {element} lines are found within {LARGEST_COMMON:g} 1/cm of their tabulated "
                f"positions for a laser of {excitation:g} nm; {LEAST_LINES} are needed. Check that this is a {element} "
                "lamp recorded on the axis of the spectra, its excitation, and the parameter `calibration`"
            )
        powers = _polynomial(x[used], correction[used])
        design = np.vander(x, powers, increasing=True)
        coefficient = np.linalg.lstsq(design[used], correction[used], rcond=None)[0]
        residual = correction - design @ coefficient
        deviation = np.median(np.abs(residual[used]))
        worst = np.nanargmax(np.where(used, np.abs(residual), np.nan))
        if Z_FACTOR * abs(residual[worst]) <= OUTLYING_SCORE * deviation or deviation == 0:
            break
        used[worst], verdict[worst] = False, "outlying"
    variance = residual[used] @ residual[used] / (used.sum() - powers)
    covariance = variance * np.linalg.inv(design[used].T @ design[used])
    return xr.Dataset(
        {
            "air": ("line", air, {"units": "nm", "long_name": "wavelength in air"}),
            "recorded": ("line", recorded, {"units": "1/cm", "long_name": "recorded Raman shift"}),
            "residual": ("line", residual, {"units": "nm", "long_name": "line minus polynomial"}),
            "verdict": ("line", verdict.astype(str)),
            "coefficient": ("power", coefficient, {"units": "nm"}),
            "covariance": (("power", "power_"), covariance, {"units": "nm2"}),
        },
        attrs={"centre": centre, "half": half, "scatter": float(np.sqrt(variance)), "element": element}
        | {"resolution": float(np.median(width[used]))}
        | {key: lamp.attrs.get(key, "") for key in ("excitation", "sample", "state")},
    )


def calibrated(spectrum: xr.Dataset, calibration: xr.Dataset, laser_uncertainty: float) -> xr.Dataset:
    """Return a spectrum on the calibrated axis.

    Parameters
    ----------
    spectrum : xarray.Dataset
        Over `raman_shift` [1/cm], recorded on the axis of the lamp; attrs `excitation` [nm, in air].
    calibration : xarray.Dataset
        From `calibration`.
    laser_uncertainty : float
        Standard uncertainty of the wavelength of the laser, nm, which a lamp does not calibrate.

    Returns
    -------
    xarray.Dataset
        The spectrum over the calibrated `raman_shift`, 1e7 (1 / laser - 1 / wavelength) with both in vacuum. The attrs
        `axis_uncertainty` and `laser_share`, 1/cm, are the standard uncertainty of the axis within this spectrum and
        the part of it that comes from the laser and is the same for all bands.

    Raises
    ------
    ValueError
        The file does not state the excitation, or another one than that of the lamp.
    """
    laser = _laser(spectrum)
    if spectrum.excitation != calibration.excitation:
        raise ValueError(
            f"{spectrum.attrs.get('file', 'the spectrum')} was recorded for {spectrum.excitation} nm, the lamp for "
            f"{calibration.excitation} nm: their axes differ. Draw spectra of another laser in a figure of their own"
        )
    recorded = spectrum.raman_shift.to_numpy()
    design = np.vander((recorded - calibration.centre) / calibration.half, calibration.sizes["power"], increasing=True)
    wavelength = NM / (NM / laser - recorded) + design @ calibration.coefficient.to_numpy()
    # Between the lines the axis may deviate from the polynomial as much as the lines do.
    variance = np.einsum("ij,jk,ik->i", design, calibration.covariance.to_numpy(), design) + calibration.scatter**2
    dispersion = NM / wavelength**2  # 1/cm per nm
    laser_share = laser_uncertainty * NM / laser**2
    axis = float(np.sqrt(np.median(dispersion**2 * variance) + laser_share**2))
    shift = xr.DataArray(NM / laser - NM / wavelength, dims="raman_shift", attrs=spectrum.raman_shift.attrs)
    return spectrum.assign_coords(raman_shift=shift).assign_attrs(axis_uncertainty=axis, laser_share=laser_share)


def _laser(spectrum: xr.Dataset) -> float:
    excitation = spectrum.attrs.get("excitation")
    if not excitation:
        raise ValueError(
            f"{spectrum.attrs.get('file', 'the file')} does not state the wavelength of the laser: state it with "
            "read(path, excitation=532) or in the column excitation_nm of manifest.csv"
        )
    return float(vacuum(excitation))


def _polynomial(x: np.ndarray, y: np.ndarray) -> int:
    """Return the number of coefficients of the polynomial that the Bayesian information criterion prefers."""

    def criterion(powers: int) -> float:
        residual = y - np.polynomial.polynomial.polyval(x, np.polynomial.polynomial.polyfit(x, y, powers - 1))
        return x.size * np.log(np.mean(residual**2) + TINY) + powers * np.log(x.size)

    return min((degree + 1 for degree in DEGREES if degree + SPARE_LINES <= x.size), key=criterion)


def _common_offset(shift: np.ndarray, intensity: np.ndarray, expected: np.ndarray) -> float:
    """Return by how much all lines are off, 1/cm: where the most of them lie on light."""
    step = float(np.median(np.diff(shift))) / 2 if shift.size > 1 else 1.0
    bright = np.sqrt(np.maximum(intensity - np.median(intensity), 0.0))  # no single line decides
    offsets = np.arange(-LARGEST_COMMON, LARGEST_COMMON + step, step)
    offsets = offsets[np.argsort(np.abs(offsets), kind="stable")]  # among equals the least
    light = np.interp(expected + offsets[:, None], shift, bright, left=0.0, right=0.0).sum(1)
    return float(offsets[np.argmax(light)])


def _line(shift: np.ndarray, intensity: np.ndarray, position: float, noise: float) -> tuple[float, float, str]:
    """Return the recorded position of the line near a position, its width, and whether it can be used."""
    near = np.flatnonzero(np.abs(shift - position) <= LARGEST_OFFSET)
    if not near.size:
        return np.nan, np.nan, "faint"
    top = near[np.argmax(intensity[near])]
    around = slice(max(top - LINE_REACH, 0), top + LINE_REACH + 1)
    x, y = shift[around] - shift[top], intensity[around]
    if np.count_nonzero(y >= SATURATED * intensity.max()) > 1:
        return np.nan, np.nan, "saturated"
    floor, height = np.min(y), intensity[top] - np.min(y)
    if height < FAINT * noise or top in (near[0], near[-1]):
        return np.nan, np.nan, "faint"
    spacing = np.median(np.diff(x))
    core = np.abs(x) < CORE_REACH * spacing

    def gaussian(x: np.ndarray, height: float, centre: float, width: float, level: float, slope: float) -> np.ndarray:
        return height * np.exp(-0.5 * ((x - centre) / width) ** 2) + level + slope * x

    try:
        fit = curve_fit(gaussian, x[core], y[core], (height, 0.0, spacing, floor, 0.0), maxfev=500)[0]
    except RuntimeError:  # curve_fit does not converge where there is no peak
        return np.nan, np.nan, "faint"
    if abs(fit[1]) >= LARGEST_MOVE * spacing:
        return np.nan, np.nan, "faint"
    return shift[top] + fit[1], GAUSSIAN_FWHM * abs(fit[2]), "used"
