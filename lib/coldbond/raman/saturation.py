"""Saturated points of a spectrum: the converter or the pixel is full, and what is counted is not what fell on it."""

import numpy as np
import xarray as xr

#: Largest counts of converters of 12, 14 and 16 bits.
LIMITS = (4095.0, 16383.0, 65535.0)
LEAST_POINTS = 3  # of a flat top, per pixel of the camera
#: Points at the top of a recording are flat where they differ by less than this share of what separates them from the
#: next ones: noise and the curvature of a line make more of it.
FLAT = 0.02
FLAT_NOISE = 0.3  # differences at a flat top, in the noise of the recording: a full pixel has none of it


def clipped(spectrum: xr.Dataset, pixel: float = 1.0) -> np.ndarray:
    """Return which points of a spectrum are saturated.

    A point is saturated where the counts are exactly a converter's limit, and where the highest points of the
    recording form a flat top: a line has a curved one.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `intensity` over `raman_shift`, shape (n,).
    pixel : float
        Points per pixel of the camera.

    Returns
    -------
    array of bool, shape (n,)
    """
    intensity = spectrum.intensity.to_numpy().astype(float)
    top = float(intensity.max())
    if top in LIMITS and np.all(intensity == np.round(intensity)):
        return intensity == top
    first = last = int(np.argmax(intensity))
    spread = top - float(np.median(intensity))
    noise = float(np.median(np.abs(np.diff(intensity))))
    near = top - min(FLAT * spread, max(FLAT_NOISE * noise, 1e-9 * spread))
    while first > 0 and intensity[first - 1] >= near:
        first -= 1
    while last < intensity.size - 1 and intensity[last + 1] >= near:
        last += 1
    found = np.zeros(intensity.size, dtype=bool)
    if last - first + 1 < LEAST_POINTS * max(round(pixel), 1):
        return found
    inside = float(np.ptp(intensity[first : last + 1]))
    step = max(2, round(2 * pixel))
    beyond = [top - float(intensity[i]) for i in (first - step, last + step) if 0 <= i < intensity.size]
    if beyond and min(beyond) > 0 and inside <= FLAT * min(beyond):
        found |= intensity >= top - max(inside, 1e-9 * spread)
    return found


def runs(shift: np.ndarray, clipped: np.ndarray) -> list[tuple[float, float]]:
    """Return the middle and the extent [1/cm] of each run of saturated points."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], clipped, [False]]))).reshape(-1, 2)
    ends = [(float(shift[first]), float(shift[end - 1])) for first, end in edges]
    return [((first + last) / 2, last - first) for first, last in ends]
