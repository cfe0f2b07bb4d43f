"""Uncertainty of counted intensities."""

import numpy as np
import xarray as xr


def standard_uncertainty(spectrum: xr.Dataset, expected: np.ndarray | None = None) -> np.ndarray | None:
    """Return the standard deviation of every point from counting statistics, or None where the counting is unknown.

    Parameters
    ----------
    spectrum : xarray.Dataset
        As `coldbond.read` returns it: `intensity` and, where the counting is known, `one_count`, the intensity of one
        count, shape (n,).
    expected : array, shape (n,), optional
        Expectation of the intensity, such as a fit; the intensity itself by default. Weights from the counts themselves
        bias a fit by about one count downwards; weights from the expectation do not (Bevington and Robinson 2003, Data
        Reduction and Error Analysis, ISBN 0-07-247227-8, chapter 11).

    Returns
    -------
    array, shape (n,), or None
        In the unit of the intensity; at least one count, since a point without counts would have infinite weight.
    """
    if "one_count" not in spectrum:
        return None
    one = spectrum.one_count.to_numpy()
    # The variance of a Poisson distributed number of counts is its mean; in intensity it is one count times the mean.
    mean = spectrum.intensity.to_numpy() if expected is None else np.asarray(expected, float)
    return np.sqrt(one * np.maximum(mean, one))
