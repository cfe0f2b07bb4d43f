"""Calibration of a Raman axis with a neon lamp that was recorded on the same axis.

Each neon line is fitted with a Gaussian on a straight background over a few points around its maximum. The difference
between the tabulated and the recorded wavelengths is described by a polynomial in the recorded Raman shift, whose
degree is that of the lowest Bayesian information criterion. Saturated, blended, faint and outlying lines are left out.
The lamp calibrates wavelengths; the wavelength of the laser, which shifts all bands alike, keeps its own uncertainty.
"""

from collections.abc import Mapping
from typing import overload

import numpy as np
import xarray as xr
from scipy.optimize import curve_fit

from coldbond.interval import Interval

#: Ne I lines, wavelength in standard air, nm: NIST Atomic Spectra Database, after Saloman and Sansonetti (2004,
#: doi 10.1063/1.1797771). Strong lines between 533 and 672 nm, the range of a Raman spectrometer at 532 nm.
LINES = (
    533.07775, 534.10938, 534.32834, 540.05618, 556.27662, 565.66588, 571.92248, 574.82985, 576.44188, 580.44496,
    582.01558, 585.24879, 587.28275, 588.18952, 590.24623, 590.64294, 594.48342, 596.54710, 597.46273, 597.55340,
    598.79074, 602.99969, 607.43377, 609.61631, 612.84499, 614.30626, 616.35939, 618.21460, 621.72812, 626.64950,
    630.47889, 632.81646, 633.44278, 638.29917, 640.22480, 650.65281, 653.28822, 659.89529, 665.20927, 667.82762,
    671.70430,
)  # fmt: skip

# Limits of the search for lines; all but OUTLYING_SCORE are conventions.
LARGEST_OFFSET = 5.0  # 1/cm, between the recorded and the tabulated position of a line
BLENDED = 5.0  # points: two lines that are nearer are not resolved
FAINT = 10.0  # standard deviations of the noise: a lower line is not used
#: Share of the maximum of the recording: a line with two points above it is saturated. A saturated top is not quite
#: flat where the recording is corrected for the dark counts.
SATURATED = 0.98
OUTLYING_SCORE = 3.5  # modified z-score of an outlier (Iglewicz and Hoaglin 1993, ISBN 0-87389-247-X)
LEAST_LINES = 6
DEGREES = range(5)  # of the polynomial
SPARE_LINES = 4  # lines that a polynomial must have beyond its degree
MARGIN = 5  # points at either end of the axis: a line nearer to the end is not used
LINE_REACH = 5  # points on either side of the maximum of a line
CORE_REACH = 3.5  # mean distances of points on either side of the maximum, within which the Gaussian is fitted
LARGEST_MOVE = 1.5  # mean distances of points between the Gaussian's centre and the maximum
Z_FACTOR = 0.6745  # the median absolute deviation of a normal distribution in its standard deviations
MAD_FACTOR = 1.4826  # standard deviation of a normal distribution in median absolute deviations
TINY = 1e-30  # nm2, keeps the logarithm of an exact fit finite
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


def calibration(lamp: xr.Dataset) -> xr.Dataset:
    """Return the calibration of an axis: the lines of the lamp and the polynomial of the correction.

    Parameters
    ----------
    lamp : xarray.Dataset
        `intensity` over the recorded `raman_shift` [1/cm]; attrs `excitation` [nm], the wavelength in air that the
        software computed the axis with.

    Returns
    -------
    xarray.Dataset
        Over `line`, each of `LINES` within the axis: `air` [nm], `recorded` [1/cm], `residual` [nm] from the
        polynomial, and `verdict`: "used", or the reason why not: "faint", "saturated", "blended" or "outlying". Over
        `power`, of (recorded - `attrs["centre"]`) / `attrs["half"]`: `coefficient` [nm] of the correction to the
        wavelength in vacuum, with its `covariance`. attrs `scatter` [nm], the standard deviation of the lines about
        the polynomial, and `excitation`, `sample` and `state` of the lamp.

    Raises
    ------
    ValueError
        Fewer than six lines are found, or the file does not state the excitation.
    """
    shift, intensity = lamp.raman_shift.to_numpy(), lamp.intensity.to_numpy()
    laser = _laser(lamp)
    air = np.array(LINES)
    expected = NM / laser - NM / vacuum(air)
    ends = shift[MARGIN:-MARGIN]
    inside = (expected > ends[0]) & (expected < ends[-1]) if ends.size else np.zeros(air.size, dtype=bool)
    air, expected = air[inside], expected[inside]
    noise = MAD_FACTOR * np.median(np.abs(np.diff(intensity))) / np.sqrt(2)  # a difference has twice the variance
    recorded, verdict = np.full(air.size, np.nan), np.full(air.size, "used", dtype=object)
    spacing = np.median(np.diff(shift))
    for i, position in enumerate(expected):
        others = np.abs(np.delete(expected, i) - position)
        if others.size and others.min() < BLENDED * spacing:
            verdict[i] = "blended"
            continue
        recorded[i], verdict[i] = _line(shift, intensity, position, noise)
    used = verdict == "used"
    centre, half = (shift[0] + shift[-1]) / 2, (shift[-1] - shift[0]) / 2
    x = (recorded - centre) / half
    correction = vacuum(air) - NM / (NM / laser - recorded)
    while True:
        if used.sum() < LEAST_LINES:
            file, excitation = lamp.attrs.get("file", "the lamp"), lamp.attrs["excitation"]
            raise ValueError(
                f"{file}: {used.sum()} neon lines are found within {LARGEST_OFFSET:g} 1/cm of their tabulated "
                f"positions for a laser of {excitation:g} nm; {LEAST_LINES} are needed. Check that this is a neon "
                "lamp recorded on the axis of the spectra, and its excitation"
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
        attrs={"centre": centre, "half": half, "scatter": float(np.sqrt(variance))}
        | {key: lamp.attrs.get(key, "") for key in ("excitation", "sample", "state")},
    )


def lamp_calibration(recording: xr.Dataset, lamp: str) -> xr.Dataset | None:
    """Return the calibration from a recording of the lamp; None for a recording of another sample.

    Parameters
    ----------
    recording : xarray.Dataset
        As `coldbond.read` returns it, with the attr `sample`.
    lamp : str
        The sample that is the lamp.

    Raises
    ------
    ValueError
        As `calibration`.
    """
    return calibration(recording) if recording.attrs["sample"] == lamp else None


def only_calibration(calibrations: Mapping[str, xr.Dataset | None]) -> xr.Dataset | None:
    """Return the calibration among what `lamp_calibration` returned; None where no recording is of the lamp.

    Raises
    ------
    ValueError
        There are several recordings of the lamp, or none of a sample.
    """
    lamps = {label: found for label, found in calibrations.items() if found is not None}
    if len(lamps) > 1:
        raise ValueError(
            f"{len(lamps)} recordings are of the lamp, {', '.join(lamps)}, and each sets another axis: "
            "keep the one that belongs to the spectra, and take the others out of the manifest"
        )
    if len(lamps) == len(calibrations):
        raise ValueError(
            f"there is no spectrum of a sample beside the lamp, {', '.join(lamps) or 'of which there is none either'}: "
            "add one, or name the lamp's sample in the parameter `lamp`"
        )
    return next(iter(lamps.values()), None)


def on_axis(
    spectrum: xr.Dataset, calibration: xr.Dataset | None, laser_uncertainty: float, axis_uncertainty: float
) -> xr.Dataset:
    """Return a spectrum on the calibrated axis, or on the recorded one where there is no lamp.

    Parameters
    ----------
    spectrum : xarray.Dataset
    calibration : xarray.Dataset or None
        From `calibration`.
    laser_uncertainty : float
        As for `calibrated`.
    axis_uncertainty : float
        Standard uncertainty of an axis as recorded, 1/cm.

    Returns
    -------
    xarray.Dataset
        With the attr `axis_uncertainty`.

    Raises
    ------
    ValueError
        As `calibrated`.
    """
    if calibration is None:
        return spectrum.assign_attrs(axis_uncertainty=axis_uncertainty)
    return calibrated(spectrum, calibration, laser_uncertainty)


def axis_correction(calibration: xr.Dataset, position: float) -> Interval:
    """Return the true less the recorded Raman shift at a position on the recorded axis, 1/cm; the laser left out."""
    point = xr.Dataset(coords={"raman_shift": [position]}, attrs={"excitation": calibration.excitation})
    true = calibrated(point, calibration, 0.0)
    return Interval.from_standard_error(float(true.raman_shift[0]) - position, true.axis_uncertainty)


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


def _line(shift: np.ndarray, intensity: np.ndarray, position: float, noise: float) -> tuple[float, str]:
    """Return the recorded position of the line near a position, and whether it can be used."""
    near = np.flatnonzero(np.abs(shift - position) <= LARGEST_OFFSET)
    if not near.size:
        return np.nan, "faint"
    top = near[np.argmax(intensity[near])]
    around = slice(max(top - LINE_REACH, 0), top + LINE_REACH + 1)
    x, y = shift[around] - shift[top], intensity[around]
    if np.count_nonzero(y >= SATURATED * intensity.max()) > 1:
        return np.nan, "saturated"
    floor, height = np.min(y), intensity[top] - np.min(y)
    if height < FAINT * noise or top in (near[0], near[-1]):
        return np.nan, "faint"
    spacing = np.median(np.diff(x))
    core = np.abs(x) < CORE_REACH * spacing

    def gaussian(x: np.ndarray, height: float, centre: float, width: float, level: float, slope: float) -> np.ndarray:
        return height * np.exp(-0.5 * ((x - centre) / width) ** 2) + level + slope * x

    try:
        fit = curve_fit(gaussian, x[core], y[core], (height, 0.0, spacing, floor, 0.0), maxfev=500)[0]
    except RuntimeError:  # curve_fit does not converge where there is no peak
        return np.nan, "faint"
    return (shift[top] + fit[1], "used") if abs(fit[1]) < LARGEST_MOVE * spacing else (np.nan, "faint")
