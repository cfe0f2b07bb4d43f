"""How broad the reflections of a sample are without the instrument's part, and how much broader than another's."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from coldbond.bundle.findings import finding
from coldbond.xrd import profile
from coldbond.xrd.pawley import Instrument

STRONG = 0.1  # of the strongest line: the breadth of a weaker one is not used
LOWEST = (
    25.0  # degree: below, axial divergence makes the profiles lopsided, which the breadth would count as the sample's
)
PSEUDO = 0.012  # by which share the pseudo-Voigt function misses the Voigt function (Thompson, Cox and Hastings 1987)
DRAWS = 4000  # of the Monte Carlo propagation (JCGM 101:2008)
CLAIMS = {("LLZ", "RT-MCL-LLZ"): "xrd_broadening"}


def instrument_parts(two_theta: np.ndarray, values: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return the instrument's Gaussian width squared [degree^2] and Lorentzian width [degree], shape (..., n, 2).

    Parameters
    ----------
    two_theta : array, shape (n,)
        Degree.
    values : array, shape (..., names)
        Of the instrument's parameters, as in `pawley.Instrument`, or many draws of them.
    names : tuple of str
    """
    u, v, w, x, y = (np.asarray(values)[..., names.index(name), None] for name in "uvwxy")
    theta = np.radians(two_theta) / 2
    return np.stack([u * np.tan(theta) ** 2 + v * np.tan(theta) + w, x / np.cos(theta) + y * np.tan(theta)], axis=-1)


def usable(found: xr.Dataset) -> xr.Dataset:
    """Return the lines whose breadth counts: strong, and not where axial divergence makes them lopsided."""
    strong = drawn(found)
    return strong.isel(reflection=strong.two_theta.to_numpy() > LOWEST)


def drawn(found: xr.Dataset) -> xr.Dataset:
    """Return the lines that are strong enough for their breadth to say something."""
    area = found.area.to_numpy()
    return found.isel(reflection=area > STRONG * area.max(initial=0))


def common(one: xr.Dataset, other: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Return two samples' reflections, those only that both have.

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


def draws(found: xr.Dataset, instrument: Instrument | None = None) -> np.ndarray:
    """Return what the mean integral breadth of some lines could be [degree], shape (1 + DRAWS,), its best value first.

    Parameters
    ----------
    found : xarray.Dataset
        From `single.reflections`.
    instrument : Instrument, optional
        From `pawley.instrument`, taken off; the breadth is that of sample and instrument together without it.

    Notes
    -----
    Gaussian and Lorentzian parts are averaged over the lines, the instrument's subtracted, and the integral breadth is
    that of what remains, whatever its shape: no assumption is made of whether the sample broadens like one or the
    other. The lines' own errors are widened by how they scatter about a smooth dependence on the angle. The
    instrument's draws are the same for every sample, as its error is.
    """
    parts, covariance = found.parts.to_numpy(), found.covariance.to_numpy()
    n = len(parts)
    of_mean = covariance.sum(axis=0) / n**2
    if n > 3:
        smooth = np.stack([np.ones(n), np.tan(np.radians(found.two_theta.to_numpy()) / 2)], axis=1)
        scatter = parts - smooth @ np.linalg.lstsq(smooth, parts, rcond=None)[0]
        seen = scatter.T @ scatter / (n - 2) / n
        of_mean = of_mean * max(1.0, *np.diag(seen) / np.diag(of_mean))
    random = np.random.default_rng([n, round(1e6 * abs(float(parts.mean())))])  # independent from sample to sample
    mean = np.vstack([parts.mean(axis=0), random.multivariate_normal(parts.mean(axis=0), of_mean, DRAWS)])
    if instrument is not None:
        common_random = np.random.default_rng(0)  # the same draws for every sample
        values = common_random.multivariate_normal(instrument.values, instrument.covariance, DRAWS, method="svd")
        values = np.vstack([instrument.values, values])
        mean = mean - instrument_parts(found.two_theta.to_numpy(), values, instrument.names).mean(axis=-2)
    gaussian, lorentzian = np.sqrt(np.maximum(mean[:, 0], 1e-12)), np.maximum(mean[:, 1], 0.0)
    of_shape = np.append(1.0, 1 + random.uniform(-PSEUDO, PSEUDO, DRAWS))
    return of_shape * profile.integral_breadth(*profile.mixed(gaussian, lorentzian))


def ratio(
    one: xr.Dataset, other: xr.Dataset, instrument: Instrument | None = None
) -> tuple[float, float, float | None]:
    """Return the ratio of the mean integral breadths of two samples with its 95 % interval.

    Parameters
    ----------
    one, other : xarray.Dataset
        From `single.reflections`.
    instrument : Instrument, optional
        As for `draws`.

    Returns
    -------
    value, low, high : float or None
        `high` is None where the other's breadth could be next to nothing.

    Raises
    ------
    ValueError
        The samples have no reflection in common.
    """
    one, other = common(usable(one), usable(other))
    above, below = draws(one, instrument), draws(other, instrument)
    value, *rest = above / np.maximum(below, 1e-9)
    low, high = np.quantile(rest, [0.025, 0.975])
    bounded = np.quantile(below[1:], 0.025) > 0.05 * below[0]
    return float(value), float(min(low, value)), float(max(high, value)) if bounded else None


def mean(found: xr.Dataset, instrument: Instrument | None = None) -> tuple[float, float, float]:
    """Return the mean integral breadth of a sample's reflections with its 95 % interval, degree.

    Parameters
    ----------
    found : xarray.Dataset
        From `single.reflections`.
    instrument : Instrument, optional
        As for `draws`.
    """
    value, *rest = draws(usable(found), instrument)
    low, high = np.quantile(rest, [0.025, 0.975])
    return float(value), float(min(low, value)), float(max(high, value))


def findings(
    broad: Mapping[str, xr.Dataset], whose: Mapping[str, dict[str, str]], instrument: Instrument | None
) -> list[dict]:
    """Return the breadth of each sample, and how much broader the first is than each of the others.

    Parameters
    ----------
    broad : mapping of str to xarray.Dataset
        From `single.reflections`.
    whose : mapping of str to dict
        `sample` and `state` of each.
    instrument : Instrument, optional
        As for `draws`.
    """
    what = (
        "the sample's alone" if instrument is not None else "the instrument's part is in it: no standard was recorded"
    )
    rows = []
    for label, found in broad.items():
        n = usable(found).sizes["reflection"]
        if not n:
            rows.append(
                finding("integral_breadth", None, unit="degree", **whose[label], note="no line is strong enough")
            )
            continue
        rows.append(
            finding(
                "integral_breadth",
                *mean(found, instrument),
                "degree",
                **whose[label],
                note=f"mean of {n} lines; {what}",
            )
        )
    first = next(iter(broad))
    for label in list(broad)[1:]:
        name = label.replace(", ", "_").replace(" ", "_")
        try:
            value, low, high = ratio(broad[first], broad[label], instrument)
        except ValueError as error:
            rows.append(finding(f"breadth_over_{name}", None, **whose[first], note=str(error)))
            continue
        upper = "no upper bound" if high is None else f"{high:.2f}"
        note = f"integral breadths in a ratio of {value:.2f} ({low:.2f} to {upper}); {what}"
        rows += [
            finding(f"breadth_over_{name}", value, low, high, **whose[first], note=what),
            finding(f"broader_than_{name}", bool(low > 1), **whose[first], note=note),
        ]
    return rows
