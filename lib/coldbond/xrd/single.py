"""Reflections of the main phase fitted one by one: where each lies and how broad it is, free of a common lattice."""

import lmfit
import numpy as np
import xarray as xr
from lmfit.minimizer import MinimizerResult

from coldbond.xrd import profile
from coldbond.xrd.pawley import Instrument

WINDOW = 10.0  # full widths at half maximum fitted on either side
RATIO = 0.5  # of K-alpha2 to K-alpha1, by the population of the levels, where no standard says better
VAGUE = 0.25  # relative standard error of a breadth from which on it is NaN
STRONG = 0.02  # of the strongest reflection: what is weaker is not fitted
CLEAR = 15.0  # area over its standard error below which a reflection is not fitted


def reflections(pattern: xr.Dataset, fit: MinimizerResult, instrument: Instrument | None = None) -> xr.Dataset:
    """Return place and integral breadth of each strong reflection of the main phase, each fitted alone.

    Parameters
    ----------
    pattern : xarray.Dataset
        As `coldbond.read` gives it.
    fit : MinimizerResult
        From `pawley.fit` of this pattern: where the reflections are, and what other phases add.
    instrument : Instrument, optional
        From `pawley.instrument`: the breadth is then the sample's alone, taken as Lorentzian; without it the breadth is that
        of sample and instrument together.

    Returns
    -------
    xarray.Dataset
        Over `reflection`: `hkl`, `area` [intensity x degree] as in the whole-pattern fit, `two_theta` and `two_theta_error`, `breadth` (integral) and `breadth_error` [degree],
        `sensitivity` over (`reflection`, `instrument`), the change of the breadth with each parameter of the instrument.
        Errors are standard, widened where the profile fits worse than counting allows.
    """
    curves = fit.curves
    two_theta = curves.two_theta.to_numpy()
    intensity = curves.intensity.to_numpy() - curves.phases.to_numpy()[1:].sum(axis=0)
    sigma = curves.standard_uncertainty.to_numpy()
    wavelengths = [w for w in (pattern.attrs.get(f"wavelength_kalpha{i}") for i in (1, 2)) if w]
    ratio = RATIO if instrument is None else fit.params["kalpha2_ratio"].value
    rows = []
    for at, fwhm, area, hkl in _isolated(fit.reflections):
        near = np.abs(two_theta - at) < WINDOW * fwhm
        for other in fit.reflections.two_theta.to_numpy():
            if abs(other - at) > 0.05:
                near &= (two_theta - at) * np.sign(other - at) < abs(other - at) / 2
        if near.sum() < 12 or near[[0, -1]].any():
            continue
        found = _fitted(two_theta[near], intensity[near], sigma[near], at, fwhm, wavelengths, ratio, instrument)
        if found is not None:
            rows.append((hkl, *found, area))
    names = () if instrument is None else instrument.names
    numbers = np.array([row[1:5] for row in rows], float).reshape(-1, 4)
    return xr.Dataset(
        {
            "area": ("reflection", np.array([row[6] for row in rows], float)),
            "two_theta": ("reflection", numbers[:, 0], {"units": "degree"}),
            "two_theta_error": ("reflection", numbers[:, 1], {"units": "degree"}),
            "breadth": ("reflection", numbers[:, 2], {"units": "degree"}),
            "breadth_error": ("reflection", numbers[:, 3], {"units": "degree"}),
            "sensitivity": (
                ("reflection", "instrument"),
                np.array([row[5] for row in rows]).reshape(len(rows), len(names)),
            ),
        },
        coords={"hkl": ("reflection", [row[0] for row in rows]), "instrument": list(names)},
    )


def _isolated(found: xr.Dataset):
    """Yield angle, width, area and name of what can be told apart: reflections at one angle count as one."""
    two_theta, area, error, fwhm = (found[name].to_numpy() for name in ("two_theta", "area", "area_error", "fwhm"))
    group = np.cumsum(np.diff(two_theta, prepend=-1.0) > 0.05)
    total = np.bincount(group, area)
    for index in np.unique(group):
        member = np.flatnonzero(group == index)
        if total[index] > STRONG * total.max() and total[index] > CLEAR * np.min(error[member]):
            strongest = member[area[member].argmax()]
            name = "".join(str(int(found[n][strongest])) for n in "hkl")
            yield two_theta[strongest], fwhm[strongest], float(total[index]), name


def _fitted(two_theta, intensity, sigma, at, fwhm, wavelengths, ratio, instrument):
    """Place, error, integral breadth, error and its sensitivity to the instrument; None where the data give none."""
    sine = np.sin(np.radians(at) / 2) / wavelengths[0]
    lines = [np.degrees(2 * np.arcsin(sine * w)) - at for w in wavelengths]
    shares = (1 / (1 + ratio), ratio / (1 + ratio)) if len(wavelengths) > 1 else (1.0,)
    own = None if instrument is None else dict(zip(instrument.names, instrument.values, strict=True))
    gaussian, lorentzian = (0.0, 0.0) if own is None else profile.widths(np.array(at), *(own[name] for name in "uvwxy"))
    edges = np.stack([two_theta[-1] - two_theta, two_theta - two_theta[0]], axis=1) / np.ptp(two_theta)
    params = lmfit.Parameters()
    params.add("position", at, min=at - 2 * fwhm, max=at + 2 * fwhm)
    if own is None:
        params.add("fwhm", fwhm, min=0.1 * fwhm, max=10 * fwhm)
        params.add("mixing", 0.6)  # unbounded: at a bound its error would be lost
    else:
        params.add("breadth", max(fwhm - float(profile.mixed(gaussian, lorentzian)[0]), 0.01 * fwhm), min=-lorentzian)

    def shape(values):
        if own is None:
            return values["fwhm"], values["mixing"]
        return profile.mixed(gaussian, lorentzian + values["breadth"])

    def residual(params):
        values = params.valuesdict()
        peak = sum(
            share * profile.pseudo_voigt(two_theta - values["position"] - line, *shape(values))
            for share, line in zip(shares, lines, strict=False)
        )
        design = np.column_stack([peak, edges]) / sigma[:, None]
        return design @ np.linalg.lstsq(design, intensity / sigma, rcond=None)[0] - intensity / sigma

    result = lmfit.minimize(residual, params, scale_covar=False)
    if not result.errorbars:
        return None
    wider = np.sqrt(max(result.redchi, 1.0))
    position = result.params["position"]
    if own is None:
        pair = np.array([result.params[name].value for name in ("fwhm", "mixing")])
        value = float(profile.integral_breadth(*pair))
        slope = np.array([(profile.integral_breadth(*(pair + step)) - value) / 1e-5 for step in 1e-5 * np.eye(2)])
        rows = [result.var_names.index(name) for name in ("fwhm", "mixing")]
        error = float(np.sqrt(slope @ result.covar[np.ix_(rows, rows)] @ slope))
        sensitivity = []
    else:
        breadth = result.params["breadth"]
        value, error = np.pi / 2 * breadth.value, np.pi / 2 * breadth.stderr
        sensitivity = [_sensitivity(at, own, breadth.value, name) for name in instrument.names]
    if own is None and error * wider > VAGUE * value:
        value, error = np.nan, np.nan
    return position.value, position.stderr * wider, value, error * wider, sensitivity


def _sensitivity(at: float, own: dict[str, float], breadth: float, name: str) -> float:
    """Return how the sample's integral breadth changes with a parameter of the instrument, the observed one held."""

    def observed(values, breadth):
        gaussian, lorentzian = profile.widths(np.array(at), *(values[key] for key in "uvwxy"))
        return float(profile.integral_breadth(*profile.mixed(gaussian, lorentzian + breadth)))

    if name not in "uvwxy":
        return 0.0
    step = 1e-5
    change = observed(own | {name: own[name] + step}, breadth) - observed(own, breadth)
    return -np.pi / 2 * change / (observed(own, breadth + step) - observed(own, breadth))
