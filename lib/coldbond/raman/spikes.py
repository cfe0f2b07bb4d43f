"""Spikes of cosmic rays in a spectrum: points to leave out, which are reported and never interpolated.

A peak is found from the differences between neighbouring points, by their modified z-score (Whitaker and Hayes 2018,
doi 10.1016/j.chemolab.2018.06.009): a large rise followed by a large fall within a few points. Whether it is a spike is
decided by its width. A cosmic ray strikes one or two pixels of the camera, whereas the optics spread a line over
several. A line of two to three pixels cannot be told from a spike: it is kept, but no mode is as narrow
(`coldbond.raman.bands`). Weaker spikes are found from the residuals of a fit, by the same rule.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr

from coldbond.raman.bands import LEAST_PIXELS, Fit

#: Modified z-score above which a difference or a residual is not noise. Whitaker and Hayes use 6.
LARGEST_SCORE = 6.0
Z_FACTOR = 0.6745  # the median absolute deviation of a normal distribution in its standard deviations
#: Largest distance between rise and fall of a spike, 1/cm: two pixels of a camera, widened by interpolation.
WIDEST = 12.0
#: Full width at half maximum of a spike, in pixels. One or two struck pixels measure at most 2.2 in simulated noise; a
#: line of three measures at least 2.7.
MOST_PIXELS = 2.3
LINE_WIDTHS = 2.0  # distance from a narrow line within which residuals are not spikes, in widths of the line
SPREAD_POINTS = 5  # a point that stands out and its two neighbours on either side are left out
# An axis that software has interpolated has several points per pixel, which share their noise.
MOST_POINTS = 6  # per pixel
# Second differences of interpolated noise grow with the distance up to a plateau. Factors from simulated noise:
SHARE_AT_A_PIXEL = 0.7  # of the plateau, which they reach at a distance of one pixel
LEAST_GROWTH = 2.0  # from the distance of one point to that of a pixel
PLATEAU = 1.3  # at most, from the distance of two pixels to that of three: a signal without noise grows faster


class Peak(NamedTuple):
    """A rise and a fall: the points between them, and the full width at half maximum in points."""

    first: int
    last: int
    width: float


def points_per_pixel(intensity: np.ndarray) -> float:
    """Return how many points of a spectrum share the noise of one pixel of the camera; 1 unless it was interpolated."""
    most = min(3 * MOST_POINTS, (intensity.size - 1) // 2)
    # Second differences over k points: the baseline cancels, and noise of independent points does not depend on k.
    spread = [np.nan] + [
        float(np.median(np.abs(intensity[: -2 * k] - 2 * intensity[k:-k] + intensity[2 * k :])))
        for k in range(1, most + 1)
    ]
    for k in range(2, most // 3 + 1):
        wanted = SHARE_AT_A_PIXEL * spread[2 * k]
        grows = spread[k] >= max(wanted, LEAST_GROWTH * spread[1])
        if spread[k - 1] < wanted and grows and spread[3 * k] <= PLATEAU * spread[2 * k]:
            return k - 1 + (wanted - spread[k - 1]) / (spread[k] - spread[k - 1])
    return 1.0


def peaks(intensity: np.ndarray, pixel: float) -> list[Peak]:
    """Return the peaks whose rise and fall exceed `LARGEST_SCORE`; `pixel` is from `points_per_pixel`."""
    jumps = np.diff(intensity)
    centred = jumps - np.median(jumps)
    score = Z_FACTOR * centred / (np.median(np.abs(centred)) or np.inf)
    high = np.flatnonzero(np.abs(score) > LARGEST_SCORE)
    found = []
    # The top of a peak may be flat over two pixels, with small differences between the rise and the fall.
    for run in np.split(high, np.flatnonzero(np.diff(high) > 1 + round(pixel)) + 1):
        if run.size > 1 and score[run[0]] > 0 > score[run[-1]]:
            first, last = int(run[0]), int(run[-1]) + 1
            found.append(Peak(first, last, _width(intensity, first, last, pixel)))
    return found


def _width(intensity: np.ndarray, first: int, last: int, pixel: float) -> float:
    """Return the full width at half maximum of a peak, in points, above the lowest points on its two sides."""
    top = first + int(np.argmax(intensity[first : last + 1]))
    reach = max(top - first, last - top, round(3 * pixel)) + round(2 * pixel)
    before, after = intensity[max(top - reach, 0) : top], intensity[top + 1 : top + 1 + reach]
    if not before.size or not after.size:
        return np.inf  # at the end of the axis a peak has no width
    left, right = top - before.size + int(np.argmin(before)), top + 1 + int(np.argmin(after))
    half = (intensity[top] + np.interp(top, [left, right], intensity[[left, right]])) / 2

    def crossing(step: int) -> float:
        at = top
        while 0 <= at + step < intensity.size and intensity[at] > half:
            at += step
        inner, outer = intensity[at - step], intensity[at]
        return at - step * (half - outer) / (inner - outer) if outer < half else float(at)

    return crossing(1) - crossing(-1)


def struck(spectrum: xr.Dataset) -> np.ndarray:
    """Return which points of a spectrum a cosmic ray struck, from the differences between neighbours.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `intensity` over `raman_shift`, shape (n,).

    Returns
    -------
    array of bool, shape (n,)
        True around the peaks that are as narrow as a spike.
    """
    shift, intensity = spectrum.raman_shift.to_numpy(), spectrum.intensity.to_numpy()
    pixel = points_per_pixel(intensity)
    found = np.zeros(shift.size, dtype=bool)
    for first, last, width in peaks(intensity, pixel):
        if shift[last] - shift[first] <= WIDEST and width < MOST_PIXELS * pixel:
            found[max(first - 1, 0) : last + 2] = True
    return found


def ambiguous(spectrum: xr.Dataset) -> list[float]:
    """Return the positions [1/cm] of peaks that are wider than a spike, but narrower than a line of three pixels."""
    shift, intensity = spectrum.raman_shift.to_numpy(), spectrum.intensity.to_numpy()
    pixel = points_per_pixel(intensity)
    return [
        float((shift[first] + shift[last]) / 2)
        for first, last, width in peaks(intensity, pixel)
        if MOST_PIXELS * pixel <= width < LEAST_PIXELS * pixel
    ]


def outlying(fit: Fit, x: np.ndarray, pixel: float) -> np.ndarray:
    """Return which points of a fit lie far above it and are as narrow as a spike, away from lines as narrow.

    Parameters
    ----------
    fit : Fit
    x : array, shape (points,)
        Raman shift, 1/cm.
    pixel : float
        From `points_per_pixel`.
    """
    centred = fit.residual - np.median(fit.residual)
    high = Z_FACTOR * centred > LARGEST_SCORE * np.median(np.abs(centred))
    for name in fit.names:
        position, width = (fit.parameters[f"{name}_{what}"].value for what in ("position", "width"))
        if width < WIDEST:
            high &= np.abs(x - position) > LINE_WIDTHS * width
    for first, last in _runs(high):
        if _width(centred, first, last, pixel) >= MOST_PIXELS * pixel:
            high[first : last + 1] = False  # a line that the model does not have, and no cosmic ray
    return np.convolve(high, np.ones(SPREAD_POINTS), "same") > 0


def positions(shift: np.ndarray, struck: np.ndarray) -> list[float]:
    """Return the positions of the spikes, the middle of each run of struck points, 1/cm."""
    return [float((shift[first] + shift[last]) / 2) for first, last in _runs(struck)]


def _runs(true: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and the last index of each run of true points."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]))).reshape(-1, 2)
    return [(int(first), int(end) - 1) for first, end in edges]
