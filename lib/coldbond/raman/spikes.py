"""Spikes of cosmic rays in a spectrum: points to leave out, which are reported and never interpolated.

A spike is found from the differences between neighbouring points, by their modified z-score (Whitaker and Hayes 2018,
doi 10.1016/j.chemolab.2018.06.009): a large rise followed by a large fall within a few points. Weaker spikes are found
from the residuals of a fit.
"""

import numpy as np
import xarray as xr

from coldbond.raman.bands import Fit

#: Modified z-score above which a difference or a residual is not noise. Whitaker and Hayes use 6.
LARGEST_SCORE = 6.0
Z_FACTOR = 0.6745  # the median absolute deviation of a normal distribution in its standard deviations
#: Largest width of a spike, 1/cm: one or two pixels of the camera, widened by interpolation. Strong lines of a sample
#: are wider; a weak line as narrow as this cannot be distinguished from a spike.
WIDEST = 12.0
LINE_WIDTHS = 2.0  # distance from a narrow line within which residuals are not spikes, in widths of the line
SPREAD_POINTS = 5  # a point that stands out and its two neighbours on either side are left out


def struck(spectrum: xr.Dataset) -> np.ndarray:
    """Return which points of a spectrum a cosmic ray struck, from the differences between neighbours.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `intensity` over `raman_shift`, shape (n,).

    Returns
    -------
    array of bool, shape (n,)
        True around a rise and a fall whose modified z-scores exceed `LARGEST_SCORE`.
    """
    shift, jumps = spectrum.raman_shift.to_numpy(), np.diff(spectrum.intensity.to_numpy())
    centred = jumps - np.median(jumps)
    score = Z_FACTOR * centred / (np.median(np.abs(centred)) or np.inf)
    high = np.flatnonzero(np.abs(score) > LARGEST_SCORE)
    found = np.zeros(shift.size, dtype=bool)
    # The top of a spike may be flat over two points, with one small difference between the rise and the fall.
    for run in np.split(high, np.flatnonzero(np.diff(high) > 2) + 1):
        if run.size > 1 and score[run[0]] > 0 > score[run[-1]] and shift[run[-1] + 1] - shift[run[0]] <= WIDEST:
            found[max(run[0] - 1, 0) : run[-1] + 3] = True
    return found


def outlying(fit: Fit, x: np.ndarray) -> np.ndarray:
    """Return which points of a fit, at `x` [1/cm], lie far above it, away from lines that are as narrow as a spike."""
    centred = fit.residual - np.median(fit.residual)
    high = Z_FACTOR * centred > LARGEST_SCORE * np.median(np.abs(centred))
    for name in fit.names:
        position, width = (fit.parameters[f"{name}_{what}"].value for what in ("position", "width"))
        if width < WIDEST:
            high &= np.abs(x - position) > LINE_WIDTHS * width
    return np.convolve(high, np.ones(SPREAD_POINTS), "same") > 0


def positions(shift: np.ndarray, struck: np.ndarray) -> list[float]:
    """Return the positions of the spikes, the middle of each run of struck points, 1/cm."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], struck, [False]])))
    return [float((shift[first] + shift[end - 1]) / 2) for first, end in edges.reshape(-1, 2)]
