"""Raman bands on a fluorescent background: one model, fitted with lmfit.

The model is split pseudo-Voigt bands on a Chebyshev polynomial, fitted together. Areas and polynomial coefficients
enter linearly and are solved for inside each evaluation (variable projection, Golub and Pereyra 1973,
doi 10.1137/0710036, see `coldbond.variable_projection`); lmfit varies positions, widths, skews and the Lorentzian
share. The counts of a camera are not single photons, so that the noise is estimated from the residuals. Residuals of
neighbouring points are correlated, by the interpolation of the software or by the imperfection of the model; they count
as fewer independent points (`Fit.effective`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import lmfit
import numpy as np

from coldbond import variable_projection


class Search(NamedTuple):
    """Range in which a band is searched, 1/cm: largest distance from the expected position, and full widths."""

    distance: float
    narrowest: float
    usual: float
    widest: float


#: Of the sample's own bands, and of the modes that are looked for, which may be as narrow as the instrument's
#: resolution; both are conventions.
BAND = Search(distance=20.0, narrowest=20.0, usual=60.0, widest=100.0)
MODE = Search(distance=15.0, narrowest=0.0, usual=20.0, widest=60.0)
#: Of a line of another phase that is seen.
RIVAL = Search(distance=8.0, narrowest=0.0, usual=16.0, widest=40.0)
LEAST_PIXELS = 3  # of the camera within the width of a band: anything narrower may be a spike
LARGEST_SKEW = 0.3  # ratio of the half widths 1.3 : 0.7; a convention
LORENTZIAN_START = 0.6  # Lorentzian share from which a fit starts
FIT_TOLERANCES = {"ftol": 1e-5, "xtol": 1e-4}  # relative; far below the uncertainties of the parameters
DEPENDENT = 1e-10  # relative eigenvalue below which parameters count as linearly dependent in the covariance
LEAST_FREEDOM = 2.0  # degrees of freedom where the residuals are worth fewer points than there are parameters

LN2 = np.log(2)


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Attributes
    ----------
    names : list of str
        "band0", ... of the sample's own bands, "rival0", ... of lines of other phases, and "mode0", ... of the modes
        that are looked for.
    parameters : lmfit.Parameters
        Position and width [1/cm] and skew of each, and the Lorentzian share that all have in common.
    linear : array, shape (bands + degree + 1,)
        Areas [intensity / cm] in the order of the names, then the coefficients of the polynomial.
    residual : array, shape (points,)
    jacobian : array, shape (points, parameters)
        Derivatives of the model by the varied parameters and the linear ones.
    varied : list of str
    degree : int
        Of the polynomial.
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
        """Number of independent points that the residuals are worth.

        Their number over the integrated autocorrelation, summed in pairs of lags up to the first pair that is not
        positive (initial positive sequence; Geyer 1992, doi 10.1214/ss/1177011137).
        """
        r = self.residual - self.residual.mean()
        n = r.size
        correlation = np.correlate(r, r, "full")[n - 1 :] / (r @ r)
        pairs = correlation[1 : n // 4 * 2 + 1].reshape(-1, 2).sum(axis=1)
        negative = np.flatnonzero(pairs <= 0)
        return float(n / (1 + 2 * pairs[: negative[0] if negative.size else None].sum()))

    @cached_property
    def basis(self) -> np.ndarray:
        """Orthonormal columns that span the Jacobian, shape (points, parameters)."""
        return np.linalg.qr(self.jacobian / np.linalg.norm(self.jacobian, axis=0))[0]

    @property
    def squares(self) -> float:
        """Sum of the squared residuals."""
        return float(self.residual @ self.residual)

    @property
    def freedom(self) -> float:
        """Degrees of freedom."""
        return max(self.effective - self.jacobian.shape[1], LEAST_FREEDOM)

    def criterion(self, effective: float) -> float:
        """Return the Bayesian information criterion for a number of independent points.

        Fits are compared with the same number: otherwise the comparison depends on the unit of the intensity.
        """
        return effective * np.log(self.squares / self.residual.size) + self.jacobian.shape[1] * np.log(effective)

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of all parameters, in the order of the columns of the Jacobian."""
        scale = np.linalg.norm(self.jacobian, axis=0)  # areas and positions differ by orders of magnitude
        normalised = self.jacobian / scale
        inverse = np.linalg.pinv(normalised.T @ normalised, rcond=DEPENDENT, hermitian=True)
        return self.squares / self.freedom * inverse / np.outer(scale, scale)


def scaled(shift: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return shifts on the scale of the polynomial, on which the points of the fit run from -1 to 1."""
    return 2 * (shift - x[0]) / (x[-1] - x[0]) - 1


def shapes(
    x: np.ndarray, position: np.ndarray, width: np.ndarray, lorentzian: np.ndarray, skew: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return split pseudo-Voigt bands of unit area and their derivatives by the four parameters.

    Parameters
    ----------
    x : array, shape (points,)
    position, width, lorentzian, skew : array, shape (bands,)
        The position is the middle between the two half maxima, which is almost independent of the skew. The half width
        is (1 + skew) / 2 times the width on the left, (1 - skew) / 2 on the right.

    Returns
    -------
    values : array, shape (bands, points)
    derivatives : dict of str to array, shape (bands, points)
        By the name of the parameter.
    """
    position, width, lorentzian, skew = (each[:, None] for each in (position, width, lorentzian, skew))
    away = x - (position + skew * width / 2)  # from the maximum
    by_x = np.where(away < 0, 2 / width / (1 + skew), 2 / width / (1 - skew))
    u = away * by_x  # in half widths
    square = u * u
    cauchy, bell = 1 / (1 + square), np.exp(-LN2 * square)
    lorentz, gauss = 2 / np.pi / width * cauchy, 2 / width * np.sqrt(LN2 / np.pi) * bell
    lorentz_part, gauss_part = lorentzian * lorentz, (1 - lorentzian) * gauss
    value = lorentz_part + gauss_part
    by_position = (lorentz_part * cauchy + LN2 * gauss_part) * 2 * u * by_x
    return value, {
        "position": by_position,
        # The value is a function of (x - position) / width over the width, which gives the derivative by the width.
        "width": (by_position * (x - position) - value) / width,
        "lorentzian": lorentz - gauss,
        "skew": by_position * (width / 2) * (1 - np.abs(u)),
    }


class _Evaluation(NamedTuple):
    """The model at some values of its nonlinear parameters."""

    design: np.ndarray
    solution: variable_projection.Solution
    derivatives: dict[str, np.ndarray]


def fit(x: np.ndarray, y: np.ndarray, parameters: lmfit.Parameters, degree: int) -> Fit:
    """Fit a model.

    Parameters
    ----------
    x, y : array, shape (points,)
        Raman shift [1/cm] and intensity.
    parameters : lmfit.Parameters
        Start values, from `parameters` or another fit; they define which bands are fitted.
    degree : int
        Of the polynomial.
    """
    names = [name.removesuffix("_position") for name in parameters if name.endswith("_position")]
    baseline = np.polynomial.chebyshev.chebvander(scaled(x, x), degree)
    varied = [name for name, parameter in parameters.items() if parameter.vary]
    order = list(parameters)
    of_band = [[f"{name}_position", f"{name}_width", "lorentzian", f"{name}_skew"] for name in names]
    indices = np.array([[order.index(each) for each in own] for own in of_band], int).reshape(-1, 4).T

    @lru_cache(maxsize=1)  # lmfit asks for the Jacobian where it has just had the residual
    def at(*values: float) -> _Evaluation:
        bands, derivatives = shapes(x, *np.array(values)[indices])
        design = np.hstack([bands.T, baseline])
        return _Evaluation(design, variable_projection.solved(design, y), derivatives)

    def evaluated(parameters: lmfit.Parameters) -> _Evaluation:
        return at(*parameters.valuesdict().values())

    def changes(one: _Evaluation) -> np.ndarray:
        """Return the derivatives of the model by the varied parameters with the areas held, shape (points, varied)."""
        areas = one.solution.amplitudes[: len(names)]
        columns = []
        for parameter in varied:
            band, _, what = parameter.rpartition("_")
            by = one.derivatives[what]
            # The Lorentzian share belongs to no band: it changes all of them.
            columns.append(areas[names.index(band)] * by[names.index(band)] if band else areas @ by)
        return np.array(columns).reshape(-1, x.size).T

    def jacobian(parameters: lmfit.Parameters) -> np.ndarray:
        one = evaluated(parameters)
        return variable_projection.jacobian(changes(one), one.solution.basis)

    if varied:
        parameters = lmfit.minimize(
            lambda parameters: evaluated(parameters).solution.residual,
            parameters,
            method="leastsq",
            Dfun=jacobian,
            calc_covar=False,
            **FIT_TOLERANCES,
        ).params
    last = evaluated(parameters)
    whole = np.hstack([changes(last), last.design])
    return Fit(names, parameters, last.solution.amplitudes, last.solution.residual, whole, varied, degree)


def least_width(spacing: float, points_per_pixel: float) -> float:
    """Return the least width of a band, 1/cm, at a given distance of the points [1/cm]: a spike may be narrower."""
    least = LEAST_PIXELS * spacing * points_per_pixel
    return least if points_per_pixel == 1 else round(least) or least  # the pixel of an interpolated axis is estimated


def parameters(
    bands: Sequence[float], modes: Sequence[float], narrowest: float, rivals: Sequence[float] = ()
) -> lmfit.Parameters:
    """Return start values: bands, modes and lines of rivals at their expected positions [1/cm], all symmetric.

    Nothing narrower than `narrowest` [1/cm] is fitted, since a spike is as narrow.
    """
    start = lmfit.Parameters()
    for kind, positions, search in (("band", bands, BAND), ("rival", rivals, RIVAL), ("mode", modes, MODE)):
        for i, position in enumerate(positions):
            least, most = position - search.distance, position + search.distance
            start.add(f"{kind}{i}_position", position, min=least, max=most)
            start.add(f"{kind}{i}_width", search.usual, min=max(search.narrowest, narrowest), max=search.widest)
            start.add(f"{kind}{i}_skew", 0.0, min=-LARGEST_SKEW, max=LARGEST_SKEW, vary=False)
    # One share for all: with shares of their own, overlapping bands trade intensity with each other and the baseline.
    start.add("lorentzian", LORENTZIAN_START, min=0, max=1)
    return start


def without(parameters: lmfit.Parameters, absent: Sequence[str]) -> lmfit.Parameters:
    """Return parameters without those of some modes."""
    kept = lmfit.Parameters()
    kept.add_many(*(p for name, p in parameters.items() if name.rpartition("_")[0] not in absent))
    if not any(name.endswith("_position") for name in kept):
        kept["lorentzian"].set(vary=False)  # there is no band that it could shape
    return kept


def best(x: np.ndarray, y: np.ndarray, starts: Sequence[lmfit.Parameters], degree: int) -> Fit:
    """Return the best of the fits from several starts: overlapping bands have local minima."""
    return min((fit(x, y, start, degree) for start in starts), key=lambda fit: fit.squares)
