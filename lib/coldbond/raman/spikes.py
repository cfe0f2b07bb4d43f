"""Cosmic rays in a spectrum: found and reported, never mended."""

import numpy as np
import xarray as xr

from coldbond.raman.bands import Fit

#: Modified z-score above which a jump between neighbours, or a residual, is no noise (Whitaker and Hayes 2018,
#: doi 10.1016/j.chemolab.2018.06.009).
SPIKE = 6.0
#: 1/cm that a spike may span. A camera's pixel or two, and what interpolation makes of them, is narrower than a strong
#: line of the sample; a weak line as narrow as that cannot be told from a spike.
WIDEST = 12.0


def struck(spectrum: xr.Dataset) -> np.ndarray:
    """Tell which points of a spectrum a cosmic ray struck, from the jumps between neighbours.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `intensity` over `raman_shift`, shape (n,).

    Returns
    -------
    array of bool, shape (n,)
        True about jumps up and down again whose modified z-score exceeds `SPIKE`.
    """
    shift, jumps = spectrum.raman_shift.to_numpy(), np.diff(spectrum.intensity.to_numpy())
    centred = jumps - np.median(jumps)
    score = 0.6745 * centred / (np.median(np.abs(centred)) or np.inf)
    high = np.flatnonzero(np.abs(score) > SPIKE)
    found = np.zeros(shift.size, dtype=bool)
    for run in np.split(high, np.flatnonzero(np.diff(high) > 2) + 1):  # its top may lie flat between two points
        if run.size > 1 and score[run[0]] > 0 > score[run[-1]] and shift[run[-1] + 1] - shift[run[0]] <= WIDEST:
            found[max(run[0] - 1, 0) : run[-1] + 3] = True
    return found


def outlying(fit: Fit, x: np.ndarray) -> np.ndarray:
    """Tell which points of a fit, at `x` [1/cm], stand above it like a spike, away from lines as narrow as one."""
    centred = fit.residual - np.median(fit.residual)
    high = 0.6745 * centred > SPIKE * np.median(np.abs(centred))
    for name in fit.names:
        position, width = (fit.parameters[f"{name}_{what}"].value for what in ("position", "width"))
        if width < WIDEST:
            high &= np.abs(x - position) > 2 * width
    return np.convolve(high, np.ones(5), "same") > 0


def places(shift: np.ndarray, struck: np.ndarray) -> list[float]:
    """Return where the spikes are, the middle of each run of struck points, 1/cm."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], struck, [False]])))
    return [float((shift[first] + shift[end - 1]) / 2) for first, end in edges.reshape(-1, 2)]
