"""Calibration of a Raman axis from the recording of a neon lamp on the same axis."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from scipy.optimize import curve_fit

from coldbond.bundle.findings import finding

#: Ne I lines, wavelength in standard air, nm: NIST Atomic Spectra Database, after Saloman and Sansonetti (2004,
#: doi 10.1063/1.1797771). Those that a lamp shows between 533 and 672 nm, the range of a 532 nm Raman spectrometer.
LINES = (
    533.07775, 534.10938, 534.32834, 540.05618, 556.27662, 565.66588, 571.92248, 574.82985, 576.44188, 580.44496,
    582.01558, 585.24879, 587.28275, 588.18952, 590.24623, 590.64294, 594.48342, 596.54710, 597.46273, 597.55340,
    598.79074, 602.99969, 607.43377, 609.61631, 612.84499, 614.30626, 616.35939, 618.21460, 621.72812, 626.64950,
    630.47889, 632.81646, 633.44278, 638.29917, 640.22480, 650.65281, 653.28822, 659.89529, 665.20927, 667.82762,
    671.70430,
)  # fmt: skip

TOLERANCE = 5.0  # 1/cm by which a line may lie off on the recorded axis
BLENDED = 5.0  # points that two lines must be apart to be told apart
FAINT = 10.0  # standard deviations of the noise that a line must stand out by
SATURATED = 0.98  # of the recording's maximum, at two points of a line; less the dark counts, the top is not quite flat
OUTLYING = 3.5  # modified z-score of an outlier (Iglewicz and Hoaglin 1993, ISBN 0-87389-247-X)
DEGREES = range(5)


def vacuum(air: float | np.ndarray) -> float | np.ndarray:
    """Return the wavelength in vacuum of a wavelength in standard air, both nm.

    Dispersion of air at 15 degree Celsius and 101 325 Pa after Peck and Reeder (1972, doi 10.1364/JOSA.62.000958),
    as the NIST database has it.
    """
    s = (1e3 / np.asarray(air)) ** 2  # squared wavenumber, 1/um2, that in air being near enough
    return air * (1 + 1e-8 * (8060.51 + 2480990 / (132.274 - s) + 17455.7 / (39.32957 - s)))


def calibration(lamp: xr.Dataset) -> xr.Dataset:
    """Find the lamp's lines on the recorded axis, and the polynomial that leads from there to their wavelengths.

    Parameters
    ----------
    lamp : xarray.Dataset
        `intensity` over the recorded `raman_shift` [1/cm]; attrs `excitation` [nm], the wavelength in air by which
        the axis was recorded, were it right or not.

    Returns
    -------
    xarray.Dataset
        Over `line`, each of `LINES` within the axis: `air` [nm], `recorded` [1/cm], `residual` [nm] from the
        polynomial, and `verdict`: "used", or why not: "faint", "saturated", "blended" or "outlying". Over `power`, of
        (recorded - `attrs["centre"]`) / `attrs["half"]`: `coefficient` [nm] of the correction to the wavelength in
        vacuum, with its `covariance`. attrs `scatter` [nm], the lines' standard deviation about it, and the lamp's
        `excitation`, `sample` and `state`.

    Raises
    ------
    ValueError
        Fewer than six lines are found, or the file does not say the excitation.

    Notes
    -----
    Each line is a Gaussian on a straight background over a few points about its maximum. A line whose top is flat at
    the largest intensity of the recording is saturated. The degree is that of the lowest Bayesian information
    criterion, at most 4.
    """
    shift, intensity = lamp.raman_shift.to_numpy(), lamp.intensity.to_numpy()
    laser = _laser(lamp)
    air = np.array(LINES)
    expected = 1e7 / laser - 1e7 / vacuum(air)
    inside = (expected > shift[5]) & (expected < shift[-6])
    air, expected = air[inside], expected[inside]
    noise = 1.4826 * np.median(np.abs(np.diff(intensity))) / np.sqrt(2)
    recorded, verdict = np.full(air.size, np.nan), np.full(air.size, "used", dtype=object)
    spacing = np.median(np.diff(shift))
    for i, place in enumerate(expected):
        others = np.abs(np.delete(expected, i) - place)
        if others.size and others.min() < BLENDED * spacing:
            verdict[i] = "blended"
            continue
        recorded[i], verdict[i] = _line(shift, intensity, place, noise)
    used = verdict == "used"
    centre, half = (shift[0] + shift[-1]) / 2, (shift[-1] - shift[0]) / 2
    x = (recorded - centre) / half
    correction = vacuum(air) - 1e7 / (1e7 / laser - recorded)
    while True:
        if used.sum() < 6:
            raise ValueError(
                f"{lamp.attrs.get('file', 'the lamp')}: {used.sum()} neon lines are found within {TOLERANCE:g} 1/cm of "
                f"their places for a laser of {lamp.attrs['excitation']:g} nm; six are needed. Check that this is the "
                "neon lamp on the spectra's own axis, and its excitation"
            )
        powers = _polynomial(x[used], correction[used])
        design = np.vander(x, powers, increasing=True)
        coefficient = np.linalg.lstsq(design[used], correction[used], rcond=None)[0]
        residual = correction - design @ coefficient
        spread = 1.4826 * np.median(np.abs(residual[used]))
        worst = np.nanargmax(np.where(used, np.abs(residual), np.nan))
        if abs(residual[worst]) * 0.6745 <= OUTLYING * spread / 1.4826 or spread == 0:
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


def axes(
    recordings: Mapping[str, xr.Dataset], lamp: str, laser_uncertainty: float, axis_uncertainty: float
) -> tuple[dict[str, xr.Dataset], xr.Dataset | None]:
    """Give every spectrum the axis that the lamp's recording tells, or as recorded where there is none.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset
        As `raw.recordings` gives them.
    lamp : str
        The sample that is the lamp.
    laser_uncertainty : float
        As for `calibrated`.
    axis_uncertainty : float
        Standard uncertainty of an axis as recorded, 1/cm.

    Returns
    -------
    spectra : dict of str to xarray.Dataset
        All but the lamp's, with the attr `axis_uncertainty`.
    calibration : xarray.Dataset or None
        From `calibration`; None where no recording is of the lamp.

    Raises
    ------
    ValueError
        There is no spectrum beside the lamp's, or several are the lamp's; and as `calibration` and `calibrated`.
    """
    lamps = [recording for recording in recordings.values() if recording.attrs["sample"] == lamp]
    spectra = {label: one for label, one in recordings.items() if one.attrs["sample"] != lamp}
    if len(lamps) > 1 or not spectra:
        raise ValueError(
            f"{len(lamps)} recordings are of the lamp, {lamp!r}, and {len(spectra)} of samples: "
            "at most one and at least one are needed; name the lamp's sample in the parameter `lamp`"
        )
    if not lamps:
        return {label: one.assign_attrs(axis_uncertainty=axis_uncertainty) for label, one in spectra.items()}, None
    found = calibration(lamps[0])
    return {label: calibrated(one, found, laser_uncertainty) for label, one in spectra.items()}, found


def findings(calibration: xr.Dataset | None, modes: Mapping[str, float]) -> list[dict]:
    """Return by how much the recorded axis is off where each mode is expected, with 95 % intervals, laser left out.

    Parameters
    ----------
    calibration : xarray.Dataset or None
        From `axes`; without one there is nothing to find.
    modes : mapping of str to float
        Names of the modes, and where they are expected, 1/cm.

    Returns
    -------
    list of dict
        As `findings.finding` gives them.
    """
    if calibration is None:
        return []
    verdicts = calibration.verdict.to_numpy()
    used, powers = int((verdicts == "used").sum()), calibration.sizes["power"]
    left_out = ", ".join(f"{(verdicts == why).sum()} {why}" for why in sorted({*verdicts} - {"used"}))
    note = (
        f"{used} neon lines, a polynomial of degree {powers - 1}, lines scatter by {calibration.scatter * 1e3:.1f} pm"
        + (f"; left out: {left_out}" if left_out else "")
    )
    whose = {key: calibration.attrs[key] for key in ("sample", "state")}
    found = []
    for name, place in modes.items():
        point = xr.Dataset(coords={"raman_shift": [place]}, attrs={"excitation": calibration.excitation})
        true = calibrated(point, calibration, 0.0)
        off, half = float(true.raman_shift[0]) - place, 1.96 * true.axis_uncertainty
        found.append(finding(f"axis_correction_at_{name}", off, off - half, off + half, "1/cm", **whose, note=note))
    return found


def calibrated(spectrum: xr.Dataset, calibration: xr.Dataset, laser_uncertainty: float) -> xr.Dataset:
    """Return a spectrum with the Raman shifts that the lamp's lines give its points.

    Parameters
    ----------
    spectrum : xarray.Dataset
        Over `raman_shift` [1/cm], recorded on the lamp's axis; attrs `excitation` [nm, in air].
    calibration : xarray.Dataset
        From `calibration`.
    laser_uncertainty : float
        Standard uncertainty of the laser's wavelength, nm. No lamp tells it.

    Returns
    -------
    xarray.Dataset
        The spectrum over the true `raman_shift`, 1e7 (1 / laser - 1 / wavelength) with both in vacuum; the attrs
        `axis_uncertainty` and `laser_share`, 1/cm, are the standard uncertainty of the axis within this spectrum and
        the laser's part in it, which is the same for all bands.

    Raises
    ------
    ValueError
        The file does not say the excitation, or says another one than the lamp's.
    """
    laser = _laser(spectrum)
    if spectrum.excitation != calibration.excitation:
        raise ValueError(
            f"{spectrum.attrs.get('file', 'the spectrum')} was recorded for {spectrum.excitation} nm, the lamp for "
            f"{calibration.excitation} nm: their axes differ"
        )
    recorded = spectrum.raman_shift.to_numpy()
    design = np.vander((recorded - calibration.centre) / calibration.half, calibration.sizes["power"], increasing=True)
    wavelength = 1e7 / (1e7 / laser - recorded) + design @ calibration.coefficient.to_numpy()
    # Between its lines the axis may lie as far from the polynomial as the lines do.
    variance = np.einsum("ij,jk,ik->i", design, calibration.covariance.to_numpy(), design) + calibration.scatter**2
    dispersion = 1e7 / wavelength**2  # 1/cm a nm
    laser_share = laser_uncertainty * 1e7 / laser**2
    axis = float(np.sqrt(np.median(dispersion**2 * variance) + laser_share**2))
    shift = xr.DataArray(1e7 / laser - 1e7 / wavelength, dims="raman_shift", attrs=spectrum.raman_shift.attrs)
    return spectrum.assign_coords(raman_shift=shift).assign_attrs(axis_uncertainty=axis, laser_share=laser_share)


def _laser(spectrum: xr.Dataset) -> float:
    excitation = spectrum.attrs.get("excitation")
    if not excitation:
        raise ValueError(f"{spectrum.attrs.get('file', 'the file')} does not say the laser's wavelength")
    return float(vacuum(excitation))


def _polynomial(x: np.ndarray, y: np.ndarray) -> int:
    """Number of coefficients of the polynomial that the Bayesian information criterion prefers."""

    def criterion(powers: int) -> float:
        residual = y - np.polynomial.polynomial.polyval(x, np.polynomial.polynomial.polyfit(x, y, powers - 1))
        return x.size * np.log(np.mean(residual**2) + 1e-30) + powers * np.log(x.size)

    return min((degree + 1 for degree in DEGREES if degree + 4 <= x.size), key=criterion)


def _line(shift: np.ndarray, intensity: np.ndarray, place: float, noise: float) -> tuple[float, str]:
    """Position of the line near a place, and whether it can be used."""
    near = np.flatnonzero(np.abs(shift - place) <= TOLERANCE)
    if not near.size:
        return np.nan, "faint"
    top = near[np.argmax(intensity[near])]
    around = slice(max(top - 5, 0), top + 6)
    x, y = shift[around] - shift[top], intensity[around]
    if np.count_nonzero(y >= SATURATED * intensity.max()) > 1:
        return np.nan, "saturated"
    floor, height = np.min(y), intensity[top] - np.min(y)
    if height < FAINT * noise or top in (near[0], near[-1]):
        return np.nan, "faint"
    spacing = np.median(np.diff(x))
    core = np.abs(x) < 3.5 * spacing

    def gaussian(x: np.ndarray, height: float, centre: float, width: float, level: float, slope: float) -> np.ndarray:
        return height * np.exp(-0.5 * ((x - centre) / width) ** 2) + level + slope * x

    try:
        fit = curve_fit(gaussian, x[core], y[core], (height, 0.0, spacing, floor, 0.0), maxfev=500)[0]
    except RuntimeError:  # it found no Gaussian in 500 tries
        return np.nan, "faint"
    return (shift[top] + fit[1], "used") if abs(fit[1]) < 1.5 * spacing else (np.nan, "faint")
