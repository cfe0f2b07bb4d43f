"""A Raman spectrum taken apart: baseline, bands, and of each mode that is looked for whether it is there."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from lmfit import Parameters
from scipy import stats

from coldbond.raman import confidence_intervals, spikes
from coldbond.raman.bands import Fit, best, fit, parameters, scaled, shapes, without

DEGREES = (2, 3, 4)  # of the baseline's polynomial
#: Difference of the Bayesian information criterion that is very strong evidence against a baseline (Kass and Raftery
#: 1995, doi 10.1080/01621459.1995.10476572).
REJECTED = 10.0
SKEWED = 0.25  # of the greatest height: bands as high as that may be skewed, of lower ones the data do not tell it
SIGNIFICANCE = 0.01  # of the F test that a mode must pass with every baseline


def decompose(
    spectrum: xr.Dataset, bands: Sequence[float], modes: Mapping[str, float], window: Sequence[float]
) -> xr.Dataset:
    """Fit the bands of a spectrum, and decide of each mode that is looked for whether it is there.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `intensity` over `raman_shift` [1/cm]; attrs `axis_uncertainty`, the standard uncertainty of the axis [1/cm].
    bands : sequence of float
        Where the sample's own bands are expected, 1/cm. The strong ones may be skewed.
    modes : mapping of str to float
        Names of the modes looked for, and where they are expected, 1/cm. They are symmetric.
    window : (float, float)
        Range of the fit, 1/cm.

    Returns
    -------
    xarray.Dataset
        Over `raman_shift`: `intensity`, `struck` (by a cosmic ray, and left out), `baseline` and `fit`. Over `band`,
        the bands by their expected shift and the modes by name: `component`, `expected`, `looked_for`, `present`; along
        `bound`, the value and the low and high end of its 95 % interval, `position` (of the middle between the half
        maxima) and `width` [1/cm], and `height` [per cent of the highest band, or as recorded where there are only
        modes]. NaN is what the data do not determine; the height of a mode that is absent has its upper limit. `p` is
        the largest probability of the F tests against the fits without a mode, `gain` their smallest gain in the
        Bayesian information criterion. attrs: the spectrum's, and `degrees` of the baselines that count, `noise`, the
        standard deviation of the residuals, `effective`, the independent points they are worth, and `relative_to`.

    Raises
    ------
    ValueError
        The window holds too few points for the model, or not the places of all bands.

    Notes
    -----
    Every baseline that the criterion does not reject counts alike, and baseline and shape enter the intervals
    (`estimates`). A mode is present if with each of them the F test against the fit without it, three parameters less,
    gives p < 0.01, its height is positive, its position is determined within the range that was searched (what lies at
    the edge belongs to a neighbour's shape) and it is wider than a spike. The sample's own bands overlap: their
    intervals hold for this set of bands and no other.
    """
    inside = spectrum.assign(struck=("raman_shift", spikes.struck(spectrum))).sel(raman_shift=slice(*window))
    _check(inside, [*bands, *modes.values()])
    shift, intensity, struck = (inside[name].to_numpy() for name in ("raman_shift", "intensity", "struck"))
    start = parameters(bands, list(modes.values()), float(np.median(np.diff(shift))))
    while True:
        x, y = shift[~struck], intensity[~struck]
        symmetric = fit(x, y, start, DEGREES[1])
        outlying = spikes.outlying(symmetric, x)
        if not outlying.any():
            break
        struck[np.flatnonzero(~struck)[outlying]] = True
    starts = _skewed(symmetric, start)
    fits = [best(x, y, starts, degree) for degree in DEGREES]
    fits = [one for one in fits if one.criterion - min(other.criterion for other in fits) < REJECTED]
    names = [f"mode{i}" for i in range(len(modes))]

    def reduced(absent: Sequence[str]) -> list[Fit]:
        found, last = [], fits[0].parameters
        for one in fits:  # from that with a lower degree on, which must not fit better
            found.append(best(x, y, [without(last, absent), without(starts[1], absent)], one.degree))
            last = found[-1].parameters
        return found

    tests = {name: [_test(*pair) for pair in zip(fits, reduced([name]), strict=True)] for name in names}
    absent = [name for name in names if not _present(fits, symmetric, name, tests[name])]
    if absent:
        fits = reduced(absent)
        symmetric = fit(x, y, without(symmetric.parameters, absent), symmetric.degree)
    own = [f"band{i}" for i in range(len(bands))]
    shown = min(fits, key=lambda one: one.criterion)
    highest = max(own, key=lambda name: shown.linear[shown.names.index(name)]) if own else None
    found = {
        what: [confidence_intervals.parameter(fits, symmetric, f"{name}_{what}") for name in own + names]
        for what in ("position", "width")
    }
    found["height"] = [
        confidence_intervals.limit(fits, x, start[f"{name}_position"].value, highest)
        if name in absent
        else confidence_intervals.height(fits, symmetric, name, highest)
        for name in own + names
    ]
    axis = 1.96 * spectrum.axis_uncertainty
    found["position"] = [
        (v, v - np.hypot(v - low, axis), v + np.hypot(v - low, axis)) for v, low, _ in found["position"]
    ]
    components, baseline = _drawn(shown, shift, x, own + names)
    labels = [*(f"{band:g}" for band in bands), *modes]
    per_band = {
        "expected": [*bands, *modes.values()],
        "looked_for": [name in names for name in own + names],
        "present": [name not in absent for name in own + names],
        "p": [max((p for p, _ in tests.get(name, ())), default=np.nan) for name in own + names],
        "gain": [min((gain for _, gain in tests.get(name, ())), default=np.nan) for name in own + names],
    }
    units = {"height": "%" if bands else spectrum.intensity.attrs.get("units", "")}
    return xr.Dataset(
        {"intensity": inside.intensity, "struck": ("raman_shift", struck), "baseline": ("raman_shift", baseline)}
        | {"fit": ("raman_shift", baseline + components.sum(0)), "component": (("band", "raman_shift"), components)}
        | {name: ("band", values) for name, values in per_band.items()}
        | {what: (("band", "bound"), rows, {"units": units.get(what, "1/cm")}) for what, rows in found.items()},
        coords={"band": labels, "bound": ["value", "low", "high"]},
        attrs=spectrum.attrs
        | {
            "degrees": [one.degree for one in fits],
            "noise": float(np.sqrt(shown.squares / x.size)),
            "effective": float(shown.effective),
            "relative_to": labels[own.index(highest)] if own else "",
        },
    )


def _check(inside: xr.Dataset, places: Sequence[float]) -> None:
    file, shift = inside.attrs.get("file", "the spectrum"), inside.raman_shift.to_numpy()
    needed = 3 * (2 * len(places) + DEGREES[-1] + 2)
    if shift.size < needed:
        raise ValueError(f"{file}: {shift.size} points in the window, {needed} are needed for its bands; widen it")
    outside = [place for place in places if not shift[0] < place < shift[-1]]
    if outside:
        raise ValueError(
            f"{file}: a band is expected at {outside[0]:g} 1/cm, outside the window, whose points run from "
            f"{shift[0]:g} to {shift[-1]:g}; widen it, or leave the band out"
        )


def _skewed(symmetric: Fit, start: Parameters) -> list[Parameters]:
    """Where to start fits whose strong bands may be skewed: from the beginning, and from the symmetric fit."""
    heights = {
        name: area / symmetric.parameters[f"{name}_width"].value
        for name, area in zip(symmetric.names, symmetric.linear, strict=False)
    }
    starts = [start.copy(), symmetric.parameters.copy()]
    for name, height in heights.items():
        for one in starts:
            one[f"{name}_skew"].set(vary=name.startswith("band") and height > SKEWED * max(heights.values()))
    return starts


def _test(whole: Fit, reduced: Fit) -> tuple[float, float]:
    """Probability of the F test against a fit with a mode less, and the gain in the criterion over it."""
    more = whole.jacobian.shape[1] - reduced.jacobian.shape[1]
    ratio = max(reduced.squares / whole.squares, 1.0)
    p = stats.f.sf((ratio - 1) * whole.freedom / more, more, whole.freedom)
    return float(p), float(whole.effective * np.log(ratio) - more * np.log(whole.effective))


def _present(fits: Sequence[Fit], symmetric: Fit, name: str, tests: Sequence[tuple[float, float]]) -> bool:
    position, width = fits[0].parameters[f"{name}_position"], f"{name}_width"
    _, low, high = confidence_intervals.parameter(fits, symmetric, f"{name}_position")
    return bool(
        max(p for p, _ in tests) < SIGNIFICANCE
        and confidence_intervals.height(fits, symmetric, name, None)[1] > 0
        and position.min < low  # False where it is not determined
        and high < position.max
        and all(one.parameters[width].value > 1.05 * one.parameters[width].min for one in fits)
    )


def _drawn(fit: Fit, shift: np.ndarray, x: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Components, zero for those not in the fit, and baseline over all points of the window."""
    v = fit.parameters.valuesdict()
    components = np.zeros((len(names), shift.size))
    for area, name in zip(fit.linear, fit.names, strict=False):
        own = [np.array([v[f"{name}_{what}"]]) for what in ("position", "width", "skew")]
        components[names.index(name)] = area * shapes(shift, *own[:2], np.array([v["lorentzian"]]), own[2])[0][0]
    return components, np.polynomial.chebyshev.chebval(scaled(shift, x), fit.linear[len(fit.names) :])
