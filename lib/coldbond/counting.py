"""Uncertainty of counted intensities."""

import numpy as np
import xarray as xr


def standard_uncertainty(spectrum: xr.Dataset, expected: np.ndarray | None = None) -> np.ndarray | None:
    """Return the standard deviation that counting gives every point, or None where nothing is known of the counting.

    Parameters
    ----------
    spectrum : xarray.Dataset
        As `coldbond.read` gives it: `intensity` and, where the counting is known, `one_count`, shape (n,).
    expected : array, shape (n,), optional
        Expectation of the intensity, such as a fit; the intensity itself unless given. Weights from the counts
        themselves pull a fit below its data by about one count, those from the expectation do not (Bevington and
        Robinson 2003, Data Reduction and Error Analysis, ISBN 0-07-247227-8, chapter 11).

    Returns
    -------
    array, shape (n,), or None
        In the unit of the intensity; never below that of one count.
    """
    if "one_count" not in spectrum:
        return None
    one = spectrum.one_count.to_numpy()
    mean = spectrum.intensity.to_numpy() if expected is None else np.asarray(expected, float)
    return np.sqrt(one * np.maximum(mean, one))
