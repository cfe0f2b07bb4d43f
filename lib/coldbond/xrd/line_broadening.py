"""Line broadening: integral breadths of a sample without the instrument's part, and the ratio of two samples.

Gaussian and Lorentzian parts of single-peak fits are averaged over the lines of a sample, and those of the instrument
are subtracted: squared widths for the Gaussian part, widths for the Lorentzian. The integral breadth is that of the
pseudo-Voigt function with the remaining parts, so that no assumption is made on whether the sample broadens like one or
the other. Uncertainties are propagated by Monte Carlo (JCGM 101:2008).
"""

import numpy as np
import xarray as xr

from coldbond.interval import CONFIDENCE, Interval
from coldbond.xrd import profile
from coldbond.xrd.pawley import Instrument

#: Area over that of the strongest line below which a breadth is not used.
LEAST_AREA = 0.1
#: Angle below which a breadth is not used, degree: axial divergence makes the profiles asymmetric there, which a
#: symmetric function takes for broadening by the sample.
LOWEST_ANGLE = 25.0
#: Half width of the relative error of a pseudo-Voigt function's integral breadth as a Voigt function (Thompson, Cox and
#: Hastings 1987).
PSEUDO_VOIGT_ERROR = 0.012
DRAWS = 4000  # of the Monte Carlo propagation: the bounds are then known to 2 % of the half width
#: Lower quantile of a breadth over its best value below which a ratio to it has no upper bound.
NEXT_TO_NOTHING = 0.05
#: Fewest lines whose scatter about a smooth dependence on the angle is estimated.
FEWEST_FOR_SCATTER = 4
TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


def instrument_parts(two_theta: np.ndarray, values: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return squared Gaussian [degree^2] and Lorentzian full width [degree] of the instrument, shape (..., n, 2).

    Parameters
    ----------
    two_theta : array, shape (n,)
        Degree.
    values : array, shape (..., names)
        Parameters of the instrument, as in `pawley.Instrument`, or many draws of them.
    names : tuple of str
    """
    u, v, w, x, y = (np.asarray(values)[..., names.index(name), None] for name in "uvwxy")
    theta = np.radians(two_theta) / 2
    return np.stack([u * np.tan(theta) ** 2 + v * np.tan(theta) + w, x / np.cos(theta) + y * np.tan(theta)], axis=-1)


def strong_lines(found: xr.Dataset) -> xr.Dataset:
    """Return the lines that are strong enough for a breadth."""
    area = found.area.to_numpy()
    return found.isel(reflection=area > LEAST_AREA * area.max(initial=0))


def usable_lines(found: xr.Dataset) -> xr.Dataset:
    """Return the lines whose breadth enters the mean: strong, and above `LOWEST_ANGLE`."""
    strong = strong_lines(found)
    return strong.isel(reflection=strong.two_theta.to_numpy() > LOWEST_ANGLE)


def common_lines(one: xr.Dataset, other: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the lines of two samples that both have.

    Raises
    ------
    ValueError
        There are none.
    """
    shared = [hkl for hkl in one.hkl.to_numpy() if hkl in set(other.hkl.to_numpy())]
    if not shared:
        raise ValueError("the two samples have no reflection in common that is strong enough to be fitted alone")
    one, other = (part.isel(reflection=[list(part.hkl.to_numpy()).index(h) for h in shared]) for part in (one, other))
    return one, other


def breadth_draws(found: xr.Dataset, instrument: Instrument | None = None) -> np.ndarray:
    """Return Monte Carlo draws of the mean integral breadth [degree], shape (1 + DRAWS,), the best value first.

    Parameters
    ----------
    found : xarray.Dataset
        From `single_peak.fit_reflections`.
    instrument : Instrument, optional
        From `pawley.instrument_profile`, subtracted; without it the breadth is that of sample and instrument.
    """
    parts, covariance = found.parts.to_numpy(), found.covariance.to_numpy()
    n = len(parts)
    of_mean = covariance.sum(axis=0) / n**2
    if n >= FEWEST_FOR_SCATTER:
        # Single lines scatter by more than their errors, because of overlap and stacking faults: the scatter about a
        # constant and tan(theta), the angular dependence of strain, widens the covariance of the mean.
        smooth = np.stack([np.ones(n), np.tan(np.radians(found.two_theta.to_numpy()) / 2)], axis=1)
        scatter = parts - smooth @ np.linalg.lstsq(smooth, parts, rcond=None)[0]
        observed = scatter.T @ scatter / (n - 2) / n
        of_mean = of_mean * max(1.0, *np.diag(observed) / np.diag(of_mean))
    # The seed depends on the sample, so that two samples are independent and a result is reproducible.
    random = np.random.default_rng([n, round(1e6 * abs(float(parts.mean())))])
    mean = np.vstack([parts.mean(axis=0), random.multivariate_normal(parts.mean(axis=0), of_mean, DRAWS)])
    if instrument is not None:
        common_random = np.random.default_rng(0)  # one error of the instrument, the same for every sample
        values = common_random.multivariate_normal(instrument.values, instrument.covariance, DRAWS, method="svd")
        values = np.vstack([instrument.values, values])
        mean = mean - instrument_parts(found.two_theta.to_numpy(), values, instrument.names).mean(axis=-2)
    gaussian, lorentzian = np.sqrt(np.maximum(mean[:, 0], 1e-12)), np.maximum(mean[:, 1], 0.0)
    approximation = np.append(1.0, 1 + random.uniform(-PSEUDO_VOIGT_ERROR, PSEUDO_VOIGT_ERROR, DRAWS))
    return approximation * profile.integral_breadth(*profile.voigt_approximation(gaussian, lorentzian))


def breadth_ratio(one: xr.Dataset, other: xr.Dataset, instrument: Instrument | None = None) -> Interval:
    """Return the ratio of the mean integral breadths of two samples over their common lines.

    Parameters
    ----------
    one, other : xarray.Dataset
        From `single_peak.fit_reflections`.
    instrument : Instrument, optional
        As for `breadth_draws`.

    Returns
    -------
    Interval
        Without an upper bound where the other's breadth could be next to nothing.

    Raises
    ------
    ValueError
        The samples have no reflection in common.
    """
    one, other = common_lines(usable_lines(one), usable_lines(other))
    above, below = breadth_draws(one, instrument), breadth_draws(other, instrument)
    ratio = _interval_of_draws(above / np.maximum(below, 1e-9))
    bounded = np.quantile(below[1:], TAILS[0]) > NEXT_TO_NOTHING * below[0]
    return ratio if bounded else Interval(ratio.value, ratio.low)


def mean_breadth(found: xr.Dataset, instrument: Instrument | None = None) -> Interval:
    """Return the mean integral breadth of a sample's usable lines, degree.

    Parameters
    ----------
    found : xarray.Dataset
        From `single_peak.fit_reflections`.
    instrument : Instrument, optional
        As for `breadth_draws`.
    """
    return _interval_of_draws(breadth_draws(usable_lines(found), instrument))


def _interval_of_draws(draws: np.ndarray) -> Interval:
    """Return the best value, which is first, with quantiles of the others."""
    value, *rest = draws.tolist()
    low, high = np.quantile(rest, TAILS).tolist()
    return Interval(value, min(low, value), max(high, value))
