"""Decomposition of a Raman spectrum into baseline and bands, and which of the modes looked for are present.

The spectrum is fitted with baselines of several degrees. Baselines that the Bayesian information criterion rejects are
dropped; the others count alike, and the choice between them is part of every interval (`confidence_intervals`). A mode
is present if, with each of these baselines, the F test favours the fit with it over the fit without it, its height is
positive and its position and width are determined within the range that was searched. Points struck by cosmic rays
are left out before (`spikes`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from lmfit import Parameters
from scipy import stats

from coldbond.interval import Interval
from coldbond.raman import confidence_intervals, neon, spikes
from coldbond.raman.bands import Fit, best, fit, least_width, parameters, scaled, shapes, without

DEGREES = (2, 3, 4)  # of the polynomials that may be the baseline; a convention
#: Difference of the Bayesian information criterion that is very strong evidence against a baseline (Kass and Raftery
#: 1995, doi 10.1080/01621459.1995.10476572).
VERY_STRONG_EVIDENCE = 10.0
#: Height relative to the highest band above which a band may be skewed: the data do not determine the skew of lower
#: bands. A convention.
SKEWED_HEIGHT = 0.25
SIGNIFICANCE = 0.01  # of the F test that a mode must pass with every baseline; a convention
MARGIN_OF_WIDTH = 1.05  # factor on the least width of the search above which a mode is wider than a spike
ROUNDING = 1e-12  # relative error of a number in a file that has all its digits
POINTS_PER_PARAMETER = 3  # least number of points in the window, for every parameter


@dataclass(frozen=True)
class Band:
    """Result for one band or mode.

    Attributes
    ----------
    expected : float
        Expected position, 1/cm.
    looked_for : bool
        Whether it is one of the modes that are looked for, and not one of the sample's own bands.
    present : bool
    position, width : Interval
        Middle between the half maxima, and full width at half maximum, 1/cm; without value where the data do not
        determine them.
    height : Interval
        In `Decomposition.height_unit`; of a mode that is absent the upper limit.
    p, bic_gain : float or None
        Largest probability of the F tests against the fits without the mode, and the smallest gain in the Bayesian
        information criterion; None for the sample's own bands, which are not tested.
    """

    expected: float
    looked_for: bool
    present: bool
    position: Interval
    width: Interval
    height: Interval
    p: float | None = None
    bic_gain: float | None = None


@dataclass(frozen=True)
class Decomposition:
    """A decomposed spectrum.

    Attributes
    ----------
    curves : xarray.Dataset
        Over `raman_shift` [1/cm]: `intensity`, `struck` (by a cosmic ray and left out), `baseline` and `fit`; over
        `band` too: `component`. attrs are those of the spectrum.
    bands : dict of str to Band
        The sample's own bands by their expected position, and the modes by name.
    height_unit : str
        "%" of the highest band, or the unit of the intensity where the sample has no bands of its own.
    relative_to : str
        The highest band; empty where there is none.
    degrees : list of int
        Of the baselines that are not rejected.
    noise : float
        Standard deviation of the residuals, in the unit of the intensity.
    effective : float
        Number of independent points that the residuals are worth.
    significance : float
        Of the F test.
    ambiguous : sequence of float
        Positions of peaks that may be lines or cosmic rays, 1/cm. They are left in, but no mode is as narrow.
    outside : sequence of str
        Bands and modes that were not fitted, because the recording ends before their expected position.
    """

    curves: xr.Dataset
    bands: Mapping[str, Band]
    height_unit: str
    relative_to: str
    degrees: Sequence[int]
    noise: float
    effective: float
    significance: float
    ambiguous: Sequence[float]
    outside: Sequence[str] = ()

    @property
    def modes(self) -> dict[str, Band]:
        """The modes that were looked for."""
        return {name: band for name, band in self.bands.items() if band.looked_for}


def decompose(
    spectrum: xr.Dataset,
    bands: Sequence[float],
    modes: Mapping[str, float],
    window: Sequence[float],
    degrees: Sequence[int] = DEGREES,
    significance: float = SIGNIFICANCE,
) -> Decomposition:
    """Fit the bands of a spectrum, and decide which of the modes looked for are present.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `intensity` over `raman_shift` [1/cm]; attrs `axis_uncertainty`, the standard uncertainty of the axis [1/cm].
    bands : sequence of float
        Expected positions of the sample's own bands, 1/cm. The strong ones may be skewed.
    modes : mapping of str to float
        Names and expected positions of the modes looked for, 1/cm. They are symmetric.
    window : (float, float)
        Range of the fit, 1/cm.
    degrees : sequence of int
        Of the polynomials that may be the baseline, ascending.
    significance : float
        Of the F test that a mode must pass with every baseline.

    Returns
    -------
    Decomposition

    Raises
    ------
    ValueError
        The window has too few points for the model, does not contain the position of every band, or its points do not
        vary as a spectrum does.

    Notes
    -----
    Bands and modes beyond the ends of the recording are left out (`Decomposition.outside`). Heights are in the unit of
    the intensity where the highest band is not positive with every baseline.
    The sample's own bands overlap: their intervals are those for this set of bands and no other. A mode whose position
    may lie at the edge of the searched range is not present: intensity there comes from the shape of a neighbour.
    """
    first, last = (float(spectrum.raman_shift[end]) for end in (0, -1))
    outside = [f"{band:g}" for band in bands if not first < band < last]
    outside += [name for name, position in modes.items() if not first < position < last]
    bands = [band for band in bands if first < band < last]
    modes = {name: position for name, position in modes.items() if first < position < last}
    inside = spectrum.assign(struck=("raman_shift", spikes.struck(spectrum))).sel(raman_shift=slice(*window))
    _check(inside, [*bands, *modes.values()], degrees[-1], (first, last))
    shift, intensity, struck = (inside[name].to_numpy() for name in ("raman_shift", "intensity", "struck"))
    pixel = spikes.points_per_pixel(spectrum.intensity.to_numpy())
    start = parameters(bands, list(modes.values()), least_width(float(np.median(np.diff(shift))), pixel))
    while True:  # spikes that only the residuals reveal are left out, and the rest is fitted again
        x, y = shift[~struck], intensity[~struck]
        symmetric = fit(x, y, start, degrees[len(degrees) // 2])
        outlying = spikes.outlying(symmetric, x, pixel)
        if not outlying.any():
            break
        struck[np.flatnonzero(~struck)[outlying]] = True
    starts = _skewed(symmetric, start)
    fits = [best(x, y, starts, degree) for degree in degrees]
    least = min(one.criterion for one in fits)
    fits = [one for one in fits if one.criterion - least < VERY_STRONG_EVIDENCE]
    mode_names = [f"mode{i}" for i in range(len(modes))]

    def reduced(absent: Sequence[str]) -> list[Fit]:
        found, last = [], fits[0].parameters
        for one in fits:
            # From the fit of the degree below as well: a baseline of higher degree must not fit worse.
            found.append(best(x, y, [without(last, absent), without(starts[1], absent)], one.degree))
            last = found[-1].parameters
        return found

    tests = {name: [_test(*pair) for pair in zip(fits, reduced([name]), strict=True)] for name in mode_names}
    absent = [name for name in mode_names if not _is_present(fits, symmetric, name, tests[name], significance)]
    if absent:
        fits = reduced(absent)
        symmetric = fit(x, y, without(symmetric.parameters, absent), symmetric.degree)
    own_names = [f"band{i}" for i in range(len(bands))]
    shown = min(fits, key=lambda one: one.criterion)
    highest = max(own_names, key=lambda name: shown.linear[shown.names.index(name)], default=None)
    if highest and not all(one.linear[one.names.index(highest)] > 0 for one in [*fits, symmetric]):
        highest = None
    names, labels = own_names + mode_names, [*(f"{band:g}" for band in bands), *modes]
    found = {}
    for name, label, expected in zip(names, labels, [*bands, *modes.values()], strict=True):
        position = confidence_intervals.parameter(fits, symmetric, f"{name}_position")
        found[label] = Band(
            expected=expected,
            looked_for=name in mode_names,
            present=name not in absent,
            position=position.widened(spectrum.axis_uncertainty),
            width=confidence_intervals.parameter(fits, symmetric, f"{name}_width"),
            height=confidence_intervals.upper_limit(fits, x, start[f"{name}_position"].value, highest)
            if name in absent
            else confidence_intervals.height(fits, symmetric, name, highest),
            p=max(p for p, _ in tests[name]) if name in tests else None,
            bic_gain=min(gain for _, gain in tests[name]) if name in tests else None,
        )
    components, baseline = _drawn(shown, shift, x, names)
    curves = xr.Dataset(
        {
            "intensity": inside.intensity,
            "struck": ("raman_shift", struck),
            "baseline": ("raman_shift", baseline),
            "fit": ("raman_shift", baseline + components.sum(0)),
            "component": (("band", "raman_shift"), components),
        },
        coords={"band": labels},
        attrs=spectrum.attrs,
    )
    return Decomposition(
        curves=curves,
        bands=found,
        height_unit="%" if highest else spectrum.intensity.attrs.get("units", ""),
        relative_to=labels[names.index(highest)] if highest else "",
        degrees=[one.degree for one in fits],
        noise=float(np.sqrt(shown.squares / x.size)),
        effective=shown.effective,
        significance=significance,
        ambiguous=spikes.ambiguous(spectrum),
        outside=outside,
    )


def on_axis(
    recording: xr.Dataset,
    lamp: str,
    calibration: xr.Dataset | None,
    laser_uncertainty: float,
    axis_uncertainty: float,
    bands: Sequence[float],
    modes: Mapping[str, float],
    window: Sequence[float],
) -> Decomposition | None:
    """Decompose a recording on the axis that the lamp calibrates; None for the recording of the lamp.

    Parameters
    ----------
    recording : xarray.Dataset
        As `coldbond.read` returns it, with the attr `sample`.
    lamp : str
        The sample that is the lamp.
    calibration, laser_uncertainty, axis_uncertainty
        As for `neon.on_axis`.
    bands, modes, window
        As for `decompose`.

    Raises
    ------
    ValueError
        As `neon.on_axis` and `decompose`.
    """
    if recording.attrs["sample"] == lamp:
        return None
    spectrum = neon.on_axis(recording, calibration, laser_uncertainty, axis_uncertainty)
    return decompose(spectrum, bands, modes, window)


def _check(inside: xr.Dataset, positions: Sequence[float], degree: int, recorded: tuple[float, float]) -> None:
    """Refuse a window that is too narrow, and points without noise."""
    file, shift = inside.attrs.get("file", "the spectrum"), inside.raman_shift.to_numpy()
    needed = POINTS_PER_PARAMETER * (2 * len(positions) + degree + 2)
    if shift.size < needed:
        raise ValueError(
            f"{file}: {shift.size} points in the window, {needed} are needed for its bands; widen it, or record more "
            f"points: the recording runs from {recorded[0]:g} to {recorded[1]:g} 1/cm"
        )
    outside = [position for position in positions if not shift[0] < position < shift[-1]]
    if outside:
        raise ValueError(
            f"{file}: a band is expected at {outside[0]:g} 1/cm, outside the window, whose points run from "
            f"{shift[0]:g} to {shift[-1]:g}; widen it, or leave the band out"
        )
    intensity = inside.intensity.to_numpy()
    steps = np.diff(intensity)
    if not np.median(np.abs(steps)) > 0 or np.ptp(steps) <= ROUNDING * np.abs(intensity).max():
        raise ValueError(
            f"{file}: from {shift[0]:g} to {shift[-1]:g} 1/cm the intensity is the same at most points, or a straight "
            "line: the detector was saturated or saw nothing, or the file is rounded; record it again, or export all "
            "digits"
        )


def _skewed(symmetric: Fit, start: Parameters) -> list[Parameters]:
    """Return start values of fits whose strong bands may be skewed: the first ones, and those of the symmetric fit."""
    heights = {
        name: area / symmetric.parameters[f"{name}_width"].value
        for name, area in zip(symmetric.names, symmetric.linear, strict=False)
    }
    starts = [start.copy(), symmetric.parameters.copy()]
    for name, height in heights.items():
        is_high = height > SKEWED_HEIGHT * max(heights.values())
        for one in starts:
            one[f"{name}_skew"].set(vary=name.startswith("band") and is_high)
    return starts


def _test(whole: Fit, reduced: Fit) -> tuple[float, float]:
    """Return the probability of the F test against the fit without a mode, and the gain in the criterion over it."""
    more = whole.jacobian.shape[1] - reduced.jacobian.shape[1]
    ratio = max(reduced.squares / whole.squares, 1.0)
    p = stats.f.sf((ratio - 1) * whole.freedom / more, more, whole.freedom)
    return float(p), float(whole.effective * np.log(ratio) - more * np.log(whole.effective))


def _is_present(
    fits: Sequence[Fit], symmetric: Fit, name: str, tests: Sequence[tuple[float, float]], significance: float
) -> bool:
    """Return whether a mode is present, by the rules that the module describes."""
    searched, width = fits[0].parameters[f"{name}_position"], f"{name}_width"
    position = confidence_intervals.parameter(fits, symmetric, f"{name}_position")
    height = confidence_intervals.height(fits, symmetric, name, None)
    if position.low is None or position.high is None or height.low is None:
        return False
    return bool(
        max(p for p, _ in tests) < significance
        and height.low > 0
        and searched.min < position.low
        and position.high < searched.max
        and all(one.parameters[width].value > MARGIN_OF_WIDTH * one.parameters[width].min for one in fits)
    )


def _drawn(fit: Fit, shift: np.ndarray, x: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return components, zero for those not in the fit, and baseline over all points of the window."""
    v = fit.parameters.valuesdict()
    components = np.zeros((len(names), shift.size))
    for area, name in zip(fit.linear, fit.names, strict=False):
        position, width, skew = (np.array([v[f"{name}_{what}"]]) for what in ("position", "width", "skew"))
        components[names.index(name)] = area * shapes(shift, position, width, np.array([v["lorentzian"]]), skew)[0][0]
    return components, np.polynomial.chebyshev.chebval(scaled(shift, x), fit.linear[len(fit.names) :])
