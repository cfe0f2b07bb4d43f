"""Decomposition of a Raman spectrum into baseline and bands, and which of the modes looked for are found.

The spectrum is fitted with baselines of several degrees. Baselines that the Bayesian information criterion rejects are
dropped; the others count alike, and the choice between them is part of every interval (`confidence_intervals`). A mode
is found if, with each of these baselines, the F test favours the fit with it over the fit without it, its height is
positive and above what the residuals hold elsewhere, and its position and width are determined within the range that
was searched. What it proves is decided by `assignment`. Points struck by cosmic rays (`spikes`) and saturated points
(`saturation`) are left out before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from lmfit import Parameters
from scipy import stats

from coldbond.interval import Interval
from coldbond.raman import assignment, confidence_intervals, saturation, spikes
from coldbond.raman.assignment import Band
from coldbond.raman.bands import MODE, RIVAL, Fit, best, fit, least_width, parameters, scaled, shapes, without
from coldbond.raman.reference import Phase

DEGREES = (2, 3, 4)  # of the polynomials that may be the baseline; a convention
#: Difference of the Bayesian information criterion that is very strong evidence against a baseline (Kass and Raftery
#: 1995, doi 10.1080/01621459.1995.10476572).
VERY_STRONG_EVIDENCE = 10.0
#: Height relative to the highest band above which a band may be skewed: the data do not determine the skew of lower
#: bands. A convention.
SKEWED_HEIGHT = 0.25
SIGNIFICANCE = 0.01  # of the F test that a mode must pass with every baseline; a convention
MARGIN_OF_WIDTH = 1.05  # factor on the least width of the search above which a mode is wider than a spike
WEAK = 0.2  # height relative to its strongest line below which a line of another phase is not fitted
UNKNOWN = Interval(None)
ROUNDING = 1e-12  # relative error of a number in a file that has all its digits
#: Height of a mode in per cent of the strongest band below which its absence is a finding; a convention: a quarter of
#: what 130 nm of InN on a garnet show (figure 2g).
RELEVANT = 20.0
#: Least height of a mode in standard deviations of what the residuals hold beyond noise.
ABOVE_STRUCTURE = 3.0
#: Widths by which a disturbance as high as a band moves its middle. One beside a Lorentzian of its own width moves it
#: by up to 0.33, one on each side by 0.46; the fit follows a disturbance, so that a part of it is left as residual.
POSITION_MOVED = 0.6
LEAST_WIDTH = 1.5  # pixels, of a mode whose line is known to be as narrow
POINTS_PER_PARAMETER = 3  # least number of points in the window, for every parameter


@dataclass(frozen=True)
class Decomposition:
    """A decomposed spectrum.

    Attributes
    ----------
    curves : xarray.Dataset
        Over `raman_shift` [1/cm]: `intensity`, `struck` (by a cosmic ray) and `saturated`, both left out, `baseline`
        and `fit`; over `band` too: `component`. attrs are those of the spectrum.
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
    uncertain : sequence of (float, float)
        Position [1/cm] and width [pixels] of peaks that may be lines or cosmic rays.
    verdicts : dict of str to (bool or None, str)
        Of each phase whose modes are looked for (the first word of their names): whether it is present, and why that
        cannot be told.
    relevant : float
        Height in per cent of the strongest band below which absence is a finding.
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
    uncertain: Sequence[tuple[float, float]]
    verdicts: Mapping[str, tuple[bool | None, str]]
    relevant: float
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
    *,
    rivals: Sequence[Phase] = (),
    relevant: float = RELEVANT,
    resolution: float | None = None,
    repeats: Sequence[xr.Dataset] = (),
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
    rivals : sequence of reference.Phase
        Phases whose lines may be taken for the modes.
    relevant : float
        Height in per cent of the strongest band below which the absence of a mode is a finding.
    resolution : float or None
        Of the instrument, full width at half maximum, 1/cm; None where it is not known.
    repeats : sequence of xarray.Dataset
        Further recordings of the same sample, which tell a line from a cosmic ray.

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
    the intensity where the highest band is not positive with every baseline, or saturated.
    The sample's own bands overlap: their intervals are those for this set of bands and no other. A mode whose position
    may lie at the edge of the searched range is not found: intensity there comes from the shape of a neighbour.
    """
    first, last = (float(spectrum.raman_shift[end]) for end in (0, -1))
    outside = [f"{band:g}" for band in bands if not first < band < last]
    outside += [name for name, position in modes.items() if not first < position < last]
    bands = [band for band in bands if first < band < last]
    modes = {name: position for name, position in modes.items() if first < position < last}
    pixel = spikes.points_per_pixel(spectrum.intensity.to_numpy())
    peaks = spikes.narrow(spectrum, resolution, repeats)
    saturated = saturation.clipped(spectrum, pixel)
    left_out = {"struck": ("raman_shift", peaks.struck & ~saturated), "saturated": ("raman_shift", saturated)}
    inside = spectrum.assign(left_out).sel(raman_shift=slice(*window))
    _check(inside, [*bands, *modes.values()], degrees[-1], (first, last))
    shift, intensity, struck, full = (
        inside[name].to_numpy() for name in ("raman_shift", "intensity", "struck", "saturated")
    )
    spacing = float(np.median(np.diff(shift)))
    away = list(modes.values())
    start = parameters(bands, away, _narrowest(spacing, pixel, resolution, peaks.lines))
    tops = [(place, 2 * spacing * pixel + extent) for place, extent in saturation.runs(shift, full)]
    for i in range(len(modes)):
        for place, wide in [*peaks.lines, *tops]:
            if start[f"mode{i}_position"].min < place < start[f"mode{i}_position"].max:
                start[f"mode{i}_position"].set(value=place)
                start[f"mode{i}_width"].set(value=max(wide, 1.1 * start[f"mode{i}_width"].min))
    uncertain = list(peaks.uncertain)
    while True:  # spikes that only the residuals reveal are left out, and the rest is fitted again
        kept = ~struck & ~full
        x, y = shift[kept], intensity[kept]
        symmetric = fit(x, y, start, degrees[len(degrees) // 2])
        outlying = spikes.outlying(symmetric, x, pixel, spikes.widest(resolution, spacing, pixel))
        if not outlying.any():
            break
        if resolution is None:
            places = spikes.positions(x, outlying)
            uncertain += [(place, LEAST_WIDTH) for place in places]
        struck[np.flatnonzero(kept)[outlying]] = True
    others: dict[str, float] = {}
    narrowest = _narrowest(spacing, pixel, resolution, peaks.lines)
    for rival in rivals:  # whose lines are fitted where the spectrum has them
        lines = _away(rival, x, away)
        wider = parameters(bands, away, narrowest, [*others.values(), *lines.values()])
        with_rival = fit(x, y, wider, symmetric.degree) if lines else symmetric
        independent = with_rival.effective
        if symmetric.criterion(independent) - with_rival.criterion(independent) > VERY_STRONG_EVIDENCE:
            others, start, symmetric = others | lines, wider, with_rival
    starts = _skewed(symmetric, start)
    fits = [best(x, y, starts, degree) for degree in degrees]
    independent = max(one.effective for one in fits)
    least = min(one.criterion(independent) for one in fits)
    fits = [one for one in fits if one.criterion(independent) - least < VERY_STRONG_EVIDENCE]
    mode_names = [f"mode{i}" for i in range(len(modes))]

    def reduced(absent: Sequence[str]) -> list[Fit]:
        found, last = [], fits[0].parameters
        for one in fits:
            # From the fit of the degree below as well: a baseline of higher degree must not fit worse.
            found.append(best(x, y, [without(last, absent), without(starts[1], absent)], one.degree))
            last = found[-1].parameters
        return found

    tests = {name: [_test(*pair) for pair in zip(fits, reduced([name]), strict=True)] for name in mode_names}
    absent = [name for name in mode_names if not _is_found(fits, symmetric, x, name, tests[name], significance, away)]
    if absent:
        fits = reduced(absent)
        symmetric = fit(x, y, without(symmetric.parameters, absent), symmetric.degree)
    own_names = [f"band{i}" for i in range(len(bands))]
    shown = min(fits, key=lambda one: one.criterion(independent))
    cut = {name: _is_cut(shown, name, shift[full]) for name in shown.names}
    highest = max(
        (name for name in own_names if not cut[name]),
        key=lambda name: confidence_intervals.height_of(shown, name),
        default=None,
    )
    if highest and not all(one.linear[one.names.index(highest)] > 0 for one in [*fits, symmetric]):
        highest = None
    rival_names = [f"rival{i}" for i in range(len(others))]
    names = own_names + rival_names + mode_names
    labels = [*(f"{band:g}" for band in bands), *others, *modes]
    found = {}
    for name, label, expected in zip(names, labels, [*bands, *others.values(), *modes.values()], strict=True):
        position = confidence_intervals.parameter(fits, symmetric, f"{name}_position")
        width = confidence_intervals.parameter(fits, symmetric, f"{name}_width")
        axis = confidence_intervals.axis_uncertainty_at(spectrum.attrs, position.value or expected)
        if name in absent and full.any() and np.abs(shift[full] - expected).min() <= MODE.distance:
            height = UNKNOWN
        elif name in absent:
            seen = max(p for p, _ in tests[name]) < significance  # something is there that may be wider
            widths = (*confidence_intervals.LIMIT_WIDTHS, *([MODE.widest] if seen else []))
            height = confidence_intervals.upper_limit(fits, x, expected, highest, widths=widths, away_from=away)
        elif cut[name]:
            height = UNKNOWN  # the top was not recorded
        else:
            height = confidence_intervals.height(fits, symmetric, name, highest)
        if name in mode_names and name not in absent:  # what the residuals hold elsewhere may stand below the mode
            share = _disturbance(fits, shown, x, name, away)
            position = position.widened(POSITION_MOVED * share * (width.value or 0.0))
            width, height = width.widened(share * (width.value or 0.0)), height.widened(share * (height.value or 0.0))
        found[label] = Band(
            expected=expected,
            looked_for=name in mode_names,
            found=name not in absent,
            position=position.widened(axis),
            width=width,
            height=height,
            is_cut=name not in absent and cut[name],
            p=max(p for p, _ in tests[name]) if name in tests else None,
            bic_gain=min(gain for _, gain in tests[name]) if name in tests else None,
        )
    doubts = assignment.doubts(found, shown, own_names, highest, uncertain, shift[full])

    def limit(place: float) -> float:
        return (
            confidence_intervals.upper_limit(fits, x, place, highest, distances=assignment.LIMIT_DISTANCES).high
            or np.inf
        )

    reach = (float(x[0]), float(x[-1]))
    found, verdicts = assignment.assigned(
        found, doubts, rivals, limit, reach, relevant if highest else None, spectrum.attrs
    )
    components, baseline = _drawn(shown, shift, x, names)
    curves = xr.Dataset(
        {
            "intensity": inside.intensity,
            "struck": ("raman_shift", struck),
            "saturated": ("raman_shift", full),
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
        uncertain=uncertain,
        verdicts=verdicts,
        relevant=relevant,
        outside=outside,
    )


def _away(rival: Phase, x: np.ndarray, modes: Sequence[float]) -> dict[str, float]:
    """Return the strong lines of a rival within the range of a fit and away from the modes, by their label."""
    inside = [line for line in rival.lines if x[0] + RIVAL.widest < line < x[-1] - RIVAL.widest]
    lines = [line for line in inside if min((abs(line - mode) for mode in modes), default=np.inf) > MODE.distance]
    strongest = max((rival.lines[line] for line in lines), default=0.0)
    return {f"{rival.name} {line:g}": line for line in lines if rival.lines[line] > WEAK * strongest}


def _narrowest(spacing: float, pixel: float, resolution: float | None, lines: Sequence[tuple[float, float]]) -> float:
    """Return the least width of a mode, 1/cm: above that of a spike, unless lines are known to be narrower."""
    least = least_width(spacing, pixel)
    if resolution is not None:
        least = min(least, spikes.NARROWER * resolution)
    if lines:
        least = min(least, spikes.NARROWER * min(width for _, width in lines))
    return max(least, LEAST_WIDTH * spacing * pixel)


def _disturbance(fits: Sequence[Fit], shown: Fit, x: np.ndarray, name: str, away_from: Sequence[float]) -> float:
    """Return what the residuals hold beyond noise, relative to the height of a mode."""
    width = shown.parameters[f"{name}_width"].value
    noise = max(confidence_intervals.structure(one, x, width, None, away_from) for one in fits)
    return noise / confidence_intervals.height_of(shown, name)


def _is_cut(fit: Fit, name: str, full: np.ndarray) -> bool:
    """Return whether a band has saturated points within its width."""
    position, width = (fit.parameters[f"{name}_{what}"].value for what in ("position", "width"))
    return bool((np.abs(full - position) < width).any())


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


def _is_found(
    fits: Sequence[Fit],
    symmetric: Fit,
    x: np.ndarray,
    name: str,
    tests: Sequence[tuple[float, float]],
    significance: float,
    away_from: Sequence[float],
) -> bool:
    """Return whether a mode is found, by the rules that the module describes."""
    searched, width = fits[0].parameters[f"{name}_position"], f"{name}_width"
    position = confidence_intervals.parameter(fits, symmetric, f"{name}_position")
    height = confidence_intervals.height(fits, symmetric, name, None)
    if position.low is None or position.high is None or height.low is None:
        return False
    wide = [one.parameters[width].value for one in fits]
    noise = max(confidence_intervals.structure(one, x, of, None, away_from) for one, of in zip(fits, wide, strict=True))
    return bool(
        max(p for p, _ in tests) < significance
        and height.low > 0
        and (height.value or 0.0) > ABOVE_STRUCTURE * noise
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
