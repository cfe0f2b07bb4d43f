"""Spikes of cosmic rays in a spectrum: points to leave out, which are reported and never interpolated.

A peak is found from the differences between neighbouring points, by their modified z-score (Whitaker and Hayes 2018,
doi 10.1016/j.chemolab.2018.06.009): a large rise followed by a large fall within a few points. A cosmic ray strikes one
or two pixels of the camera in one accumulation; a line is as wide as the resolution of the instrument, has tails, and
is there again in the next accumulation. In this order:

- A repeated recording has the peak, or it has not.
- Where the resolution is known, a peak that is clearly narrower is a spike. A wider one is a line, unless the
  instrument itself resolves no more than two pixels.
- A peak with tails on both sides, beyond the pixels that a cosmic ray strikes, is a line.
- Otherwise one or two pixels are left out, and three or more are kept; `Narrow.uncertain` says where this may be wrong.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from coldbond.raman.bands import LEAST_PIXELS, Fit

#: Modified z-score above which a difference or a residual is not noise. Whitaker and Hayes use 6.
LARGEST_SCORE = 6.0
Z_FACTOR = 0.6745  # the median absolute deviation of a normal distribution in its standard deviations
WIDEST = 12.0  # 1/cm, of a line beside which residuals may be its own
#: Full width at half maximum of a spike, in pixels. One or two struck pixels measure at most 2.2 in simulated noise; a
#: line of three measures at least 2.7.
MOST_PIXELS = 2.3
#: Width of a peak, in units of the resolution, below which it is no line: noise and sampling narrow one by less.
NARROWER = 0.75
LINE_WIDTHS = 2.0  # distance from a narrow line within which residuals are not spikes, in widths of the line
SPREAD_POINTS = 5  # a point that stands out and its two neighbours on either side are left out
# Tails of a line: where they are looked for, in pixels from the middle, and the background that they stand on.
TAIL = (1.6, 3.1)
BACKGROUND = (3.6, 9.1)
TAIL_SHARE = 0.04  # of the height of the peak: charge of a cosmic ray that spreads so far is less
TAIL_SCORE = 4.0  # standard deviations of the noise
# Height in a repeated recording, as a share of what is expected: below it is absent, above it is there.
ABSENT, REPEATED = 0.3, 0.5
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


class Narrow(NamedTuple):
    """Narrow peaks of a spectrum.

    Attributes
    ----------
    struck : array of bool, shape (n,)
        Points that are left out as those of cosmic rays.
    uncertain : list of (float, float)
        Position [1/cm] and width [pixels] of peaks that may be lines or cosmic rays.
    lines : list of (float, float)
        Position and width [1/cm] of peaks that are lines although they are narrower than three pixels.
    """

    struck: np.ndarray
    uncertain: list[tuple[float, float]]
    lines: list[tuple[float, float]]


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


def narrow(spectrum: xr.Dataset, resolution: float | None = None, repeats: Sequence[xr.Dataset] = ()) -> Narrow:
    """Return which narrow peaks of a spectrum are cosmic rays, which are lines, and which cannot be told.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `intensity` over `raman_shift`, shape (n,).
    resolution : float or None
        Of the instrument, full width at half maximum, 1/cm; None where it is not known.
    repeats : sequence of xarray.Dataset
        Further recordings of the same sample on the same axis.
    """
    shift, intensity = spectrum.raman_shift.to_numpy(), spectrum.intensity.to_numpy()
    pixel = points_per_pixel(intensity)
    found = Narrow(np.zeros(shift.size, dtype=bool), [], [])
    for peak in peaks(intensity, pixel):
        first, last, width = peak
        if width >= LEAST_PIXELS * pixel:
            continue
        step = (shift[last] - shift[first]) / (last - first)
        is_line = _repeated(spectrum, peak, pixel, repeats)
        if is_line is None and resolution is not None and width * step < NARROWER * resolution:
            is_line = False
        elif is_line is None and resolution is not None and NARROWER * resolution > MOST_PIXELS * pixel * step:
            is_line = True
        if is_line is None and _has_tails(intensity, peak, pixel):
            is_line = True
        place = float((shift[first] + shift[last]) / 2)
        if is_line:
            found.lines.append((place, width * step))
            continue
        if is_line is None:
            found.uncertain.append((place, width / pixel))
        if is_line is False or width < MOST_PIXELS * pixel:
            found.struck[max(first - 1, 0) : last + 2] = True
    return found


def _has_tails(intensity: np.ndarray, peak: Peak, pixel: float) -> bool:
    """Return whether a peak goes on beyond two pixels on both sides."""
    reach = round(BACKGROUND[1] * pixel)
    inside = np.arange(max(peak.first - reach, 0), min(peak.last + reach + 1, intensity.size))
    part = intensity[peak.first : peak.last + 1] - intensity[peak.first : peak.last + 1].min()
    middle = float(np.average(np.arange(peak.first, peak.last + 1), weights=part)) if part.any() else float(peak.first)
    away = (inside - middle) / pixel
    around = (np.abs(away) >= BACKGROUND[0]) & (np.abs(away) <= BACKGROUND[1])
    if around.sum() < 8 or not (away[around] < 0).any() or not (away[around] > 0).any():
        return False
    background = np.polynomial.Polynomial.fit(away[around], intensity[inside][around], 3)
    above = intensity[inside] - background(away)
    noise = float(np.std(above[around])) * np.sqrt(around.sum() / max(around.sum() - 4, 1))
    height = float(above[np.abs(away) < 1.5].max())
    tails = []
    for side in (-1, 1):
        tail = (side * away >= TAIL[0]) & (side * away <= TAIL[1])
        if not tail.any():
            return False
        error = noise / np.sqrt(max(tail.sum() / pixel, 1.0))
        tails.append(above[tail].mean() > max(TAIL_SCORE * error, TAIL_SHARE * height))
    return all(tails)


def _repeated(spectrum: xr.Dataset, peak: Peak, pixel: float, repeats: Sequence[xr.Dataset]) -> bool | None:
    """Return whether another recording has a peak at the same place; None where none can tell."""
    shift, intensity = spectrum.raman_shift.to_numpy(), spectrum.intensity.to_numpy()
    top = peak.first + int(np.argmax(intensity[peak.first : peak.last + 1]))
    spacing = float(np.median(np.diff(shift))) * pixel
    height = _above(shift, intensity, shift[top], spacing)[0]
    for other in repeats:
        x, y = other.raman_shift.to_numpy(), other.intensity.to_numpy()
        if not x[0] + 10 * spacing < shift[top] < x[-1] - 10 * spacing:
            continue
        level = np.ptp(np.percentile(intensity, (5, 95)))
        expected = height * float(np.ptp(np.percentile(y, (5, 95))) / level) if level else height
        there, noise = _above(x, y, shift[top], spacing)
        if ABSENT * expected > LARGEST_SCORE * noise and there < ABSENT * expected:
            return False
        if there > max(REPEATED * expected, LARGEST_SCORE * noise):
            return True
    return None


def _above(x: np.ndarray, y: np.ndarray, place: float, spacing: float) -> tuple[float, float]:
    """Return the height of a peak above the points beside it, and the noise of these."""
    away = np.abs(x - place) / spacing
    beside = y[(away >= BACKGROUND[0]) & (away <= BACKGROUND[1])]
    if not beside.size or not (away <= 1.5).any():
        return 0.0, np.inf
    return float(y[away <= 1.5].max() - np.median(beside)), float(np.median(np.abs(np.diff(beside)))) + 1e-30


def outlying(fit: Fit, x: np.ndarray, pixel: float, most: float) -> np.ndarray:
    """Return which points of a fit lie far above it and are as narrow as a spike, away from lines as narrow.

    Parameters
    ----------
    fit : Fit
    x : array, shape (points,)
        Raman shift, 1/cm.
    pixel : float
        From `points_per_pixel`.
    most : float
        Width of a spike at most, in points.
    """
    centred = fit.residual - np.median(fit.residual)
    high = Z_FACTOR * centred > LARGEST_SCORE * np.median(np.abs(centred))
    for name in fit.names:
        position, width = (fit.parameters[f"{name}_{what}"].value for what in ("position", "width"))
        if width < WIDEST:
            high &= np.abs(x - position) > LINE_WIDTHS * width
    for first, last in _runs(high):
        if _width(centred, first, last, pixel) >= most:
            high[first : last + 1] = False  # a line that the model does not have, and no cosmic ray
    return np.convolve(high, np.ones(SPREAD_POINTS), "same") > 0


def widest(resolution: float | None, spacing: float, pixel: float) -> float:
    """Return the width of a spike at most, in points, at a spacing of the points [1/cm]."""
    pixels = MOST_PIXELS * pixel
    return pixels if resolution is None else min(pixels, NARROWER * resolution / spacing)


def positions(shift: np.ndarray, struck: np.ndarray) -> list[float]:
    """Return the positions of the spikes, the middle of each run of struck points, 1/cm."""
    return [float((shift[first] + shift[last]) / 2) for first, last in _runs(struck)]


def _runs(true: np.ndarray) -> list[tuple[int, int]]:
    """Return the first and the last index of each run of true points."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]))).reshape(-1, 2)
    return [(int(first), int(end) - 1) for first, end in edges]
