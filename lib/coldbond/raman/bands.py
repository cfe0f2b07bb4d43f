"""Raman bands on a fluorescent background: one model, fitted with lmfit.

The model is pseudo-Voigt bands on a Chebyshev polynomial, fitted together. Areas and polynomial are linear: they are
solved inside each evaluation, and lmfit varies the rest (variable projection; Golub and Pereyra 1973,
doi 10.1137/0710036). A camera's counts are no photons: the noise is taken from the residuals, and as these are alike
from point to point, by the software's interpolation or by what the model misses, they count for fewer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import lmfit
import numpy as np

#: How far a band may lie from where it is expected; its least, first and largest full width at half maximum, 1/cm.
BAND = (20.0, 20.0, 60.0, 100.0)
MODE = (15.0, 6.0, 20.0, 60.0)


@dataclass(frozen=True)
class Fit:
    """One model, fitted.

    Attributes
    ----------
    names : list of str
        Of its bands, "band0", ..., and of the modes that are looked for, "mode0", ...
    parameters : lmfit.Parameters
        Position and width [1/cm] and skew of each; the Lorentzian share of all.
    linear : array, shape (bands + degree + 1,)
        Areas [intensity / cm] in the order of the names, then the polynomial's coefficients.
    residual : array, shape (points,)
    jacobian : array, shape (points, parameters)
        Of the model by the varied parameters and the linear ones.
    varied : list of str
    degree : int
    """

    names: list[str]
    parameters: lmfit.Parameters
    linear: np.ndarray
    residual: np.ndarray
    jacobian: np.ndarray
    varied: list[str]
    degree: int

    @cached_property
    def effective(self) -> float:
        """Independent points that the residuals are worth (Geyer 1992, doi 10.1214/ss/1177011137)."""
        r = self.residual - self.residual.mean()
        n = r.size
        correlation = np.correlate(r, r, "full")[n - 1 :] / (r @ r)
        pairs = correlation[1 : n // 4 * 2 + 1].reshape(-1, 2).sum(axis=1)
        negative = np.flatnonzero(pairs <= 0)
        return n / (1 + 2 * pairs[: negative[0] if negative.size else None].sum())

    @property
    def squares(self) -> float:
        """Sum of the squared residuals."""
        return float(self.residual @ self.residual)

    @property
    def freedom(self) -> float:
        """Degrees of freedom."""
        return max(self.effective - self.jacobian.shape[1], 2.0)

    @property
    def criterion(self) -> float:
        """Bayesian information criterion."""
        n = self.effective
        return n * np.log(self.squares / self.residual.size) + self.jacobian.shape[1] * np.log(n)

    @cached_property
    def covariance(self) -> np.ndarray:
        """Of all parameters, in the order of the Jacobian's columns."""
        scale = np.linalg.norm(self.jacobian, axis=0)
        inverse = np.linalg.pinv((self.jacobian / scale).T @ (self.jacobian / scale), rcond=1e-10, hermitian=True)
        return self.squares / self.freedom * inverse / np.outer(scale, scale)


def scaled(shift: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return shifts on the scale of the polynomial, on which the points of the fit run from -1 to 1."""
    return 2 * (shift - x[0]) / (x[-1] - x[0]) - 1


def shapes(x: np.ndarray, position: np.ndarray, width: np.ndarray, lorentzian: np.ndarray, skew: np.ndarray) -> tuple:
    """Return split pseudo-Voigts of unit area, shape (bands, points), and their derivatives by the four parameters.

    The position is the middle between the two half maxima, which a skew hardly moves; the maximum lies off by half the
    width times the skew.
    """
    position, width, lorentzian, skew = (each[:, None] for each in (position, width, lorentzian, skew))
    away = x - (position + skew * width / 2)
    by_x = np.where(away < 0, 2 / width / (1 + skew), 2 / width / (1 - skew))  # on each side another width
    u = away * by_x
    square = u * u
    cauchy, bell = 1 / (1 + square), np.exp(-np.log(2) * square)
    lorentz, gauss = 2 / np.pi / width * cauchy, 2 / width * np.sqrt(np.log(2) / np.pi) * bell
    lorentz_part, gauss_part = lorentzian * lorentz, (1 - lorentzian) * gauss
    value = lorentz_part + gauss_part
    moved = (lorentz_part * cauchy + np.log(2) * gauss_part) * 2 * u * by_x
    return value, {
        "position": moved,
        "width": (moved * (x - position) - value) / width,
        "lorentzian": lorentz - gauss,
        "skew": moved * (width / 2) * (1 - np.abs(u)),
    }


def fit(x: np.ndarray, y: np.ndarray, parameters: lmfit.Parameters, degree: int) -> Fit:
    """Fit a model.

    Parameters
    ----------
    x, y : array, shape (points,)
        Raman shift [1/cm] and intensity.
    parameters : lmfit.Parameters
        Where to start, from `parameters` or a former fit; what they hold is what is fitted.
    degree : int
        Of the polynomial.
    """
    names = [name.removesuffix("_position") for name in parameters if name.endswith("_position")]
    baseline = np.polynomial.chebyshev.chebvander(scaled(x, x), degree).T
    varied = [name for name, parameter in parameters.items() if parameter.vary]
    order = list(parameters)
    own = [[f"{name}_position", f"{name}_width", "lorentzian", f"{name}_skew"] for name in names]
    own = np.array([[order.index(each) for each in of] for of in own], int).reshape(-1, 4).T

    @lru_cache(maxsize=1)  # the Jacobian is asked for where the residual was
    def at(*values: float) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray], np.ndarray]:
        values, slopes = shapes(x, *np.array(values)[own])
        design = np.vstack([values, baseline])
        scale = np.linalg.norm(design, axis=1)
        basis, triangle = np.linalg.qr((design / scale[:, None]).T)
        return design, np.linalg.lstsq(triangle, basis.T @ y, rcond=1e-12)[0] / scale, slopes, basis

    def model(parameters: lmfit.Parameters) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray], np.ndarray]:
        return at(*parameters.valuesdict().values())

    def residual(parameters: lmfit.Parameters) -> np.ndarray:
        design, linear, *_ = model(parameters)
        return y - linear @ design

    def changes(linear: np.ndarray, slopes: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Derivatives of the model by the parameters that are varied."""
        split = [name.rpartition("_") for name in varied]
        one = [(slopes[what], names.index(of) if of else None) for of, _, what in split]
        return [linear[: len(names)] @ each if i is None else linear[i] * each[i] for each, i in one]

    def jacobian(parameters: lmfit.Parameters) -> np.ndarray:
        _, linear, slopes, basis = model(parameters)
        moved = np.array(changes(linear, slopes))
        return moved @ basis @ basis.T - moved  # Kaufman (1975, doi 10.1007/BF01932995)

    if varied:
        tolerances = {"ftol": 1e-5, "xtol": 1e-4, "calc_covar": False}
        result = lmfit.minimize(residual, parameters, method="leastsq", Dfun=jacobian, col_deriv=1, **tolerances)
        parameters = result.params
    design, linear, slopes, _ = model(parameters)
    whole = np.vstack([*changes(linear, slopes), design]).T
    return Fit(names, parameters, linear, y - linear @ design, whole, varied, degree)


def parameters(bands: Sequence[float], modes: Sequence[float], spacing: float) -> lmfit.Parameters:
    """Return where to start: bands and modes where they are expected [1/cm], all symmetric.

    Nothing narrower than three points of the given spacing [1/cm] is fitted: a spike is as narrow.
    """
    start = lmfit.Parameters()
    for kind, places, (off, least, first, largest) in (("band", bands, BAND), ("mode", modes, MODE)):
        for i, place in enumerate(places):
            start.add(f"{kind}{i}_position", place, min=place - off, max=place + off)
            start.add(f"{kind}{i}_width", first, min=max(least, 3 * spacing), max=largest)
            start.add(f"{kind}{i}_skew", 0.0, min=-0.3, max=0.3, vary=False)
    # One for all: shares of their own would let overlapping bands trade intensity with each other and the baseline.
    start.add("lorentzian", 0.6, min=0, max=1)
    return start


def without(parameters: lmfit.Parameters, absent: Sequence[str]) -> lmfit.Parameters:
    """Return parameters without those of some modes."""
    kept = lmfit.Parameters()
    kept.add_many(*(p for name, p in parameters.items() if name.rpartition("_")[0] not in absent))
    if not any(name.endswith("_position") for name in kept):
        kept["lorentzian"].set(vary=False)  # a baseline alone has no shape
    return kept


def best(x: np.ndarray, y: np.ndarray, starts: Sequence[lmfit.Parameters], degree: int) -> Fit:
    """Return the better of fits from several starts: overlapping bands have local minima."""
    return min((fit(x, y, start, degree) for start in starts), key=lambda fit: fit.squares)
