"""Linear Kramers-Kronig test of a spectrum, with 5 % false alarms at any number of points.

A series of RC elements with fixed time constants obeys the Kramers-Kronig relations whatever its resistances (Boukamp
1995, doi 10.1149/1.2044210). The resistances are random with one variance, so that few points leave open what lies
between them: a Gaussian process whose real and imaginary part belong together (Liu and Ciucci 2020, doi
10.1016/j.electacta.2019.135316). Variance of the resistances, size of the noise and its structure
follow from the spectrum by restricted maximum likelihood (Patterson and Thompson 1971, doi 10.1093/biomet/58.3.545).

Two tests share the 5 %: each point against its prediction from all others, and the likeness of neighbouring residuals,
which a drift, or parts that do not belong together, leave behind.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import integrate, linalg, stats

#: Fewest points of a spectrum that is tested.
FEWEST_POINTS = 10
#: RC elements in a decade of time constants, and decades of them beyond the slowest and the fastest point. A series of
#: five in a decade describes any spectrum of relaxations to 2e-5.
PER_DECADE, BEYOND = 5, 1.0
#: Structures of equal noise in both parts whose unequal forms are tried too.
LIKELY = 2
#: Least standard deviation of the noise, as a share of the modulus: the exactness of the series.
LEAST_NOISE = 3e-5
#: Share of spectra that obey the relations in which a point is called a failure.
FALSE_ALARMS = 0.05
#: Ratios of variances, of the resistances (as a share of the modulus) to the noise, that are tried.
RATIOS = np.logspace(0, 10, 21)
#: Constant noise, in parts of the noise that is proportional to the modulus, where the modulus is typical.
CONSTANT = (0.0, 0.5, 2.0, 8.0, 50.0)
#: Logarithms of the ratio of the noise of the real to that of the imaginary part.
UNEQUAL = (-1.5, -0.75, 0.75, 1.5)
#: Noise of a part in proportion to this part: share of the modulus that comes in addition.
OWN_PART = (0.02, 0.2)
#: Difference of -2 ln(likelihood) up to which a structure of the noise is not excluded: a point fails by all of them.
NOT_EXCLUDED = 4.0
#: Points whose p is below this power of the smallest are left out together with that of the smallest.
TOGETHER = 0.5
#: Largest share of the points that may be left out as wrong.
MOST_OUTLIERS = 1 / 3
#: Columns without a variance: resistor, inductor, capacitor.
FREE = 3


@dataclass(frozen=True)
class _Fit:
    """Best ratio of variances for one structure of the noise.

    Attributes
    ----------
    weight : array, shape (2 n,)
        Standard deviation of each number, as a share of the modulus, but for a common factor.
    inverse : array, shape (2 n, 2 n)
        P, with which P y are the weighted residuals divided by their own variances.
    residual : array, shape (2 n,)
        P y.
    variance : float
        Square of the common factor.
    ratio : float
    """

    weight: np.ndarray
    inverse: np.ndarray
    residual: np.ndarray
    variance: float
    ratio: float


def test(spectrum: xr.Dataset) -> xr.Dataset:
    """Test whether a spectrum obeys the Kramers-Kronig relations.

    Parameters
    ----------
    spectrum : xarray.Dataset
        `impedance` [ohm] over `frequency` [Hz], one sweep.

    Returns
    -------
    xarray.Dataset
        Over `frequency`: `residual_real` and `residual_imag`, fitted less measured, in per cent of the modulus, and
        `fails`; `noise_real` and `noise_imag`, the standard deviations of the noise in per cent of the modulus. Of
        twenty spectra that obey the relations one has a failure. The attrs are `probability`, p of the smaller of the
        two tests, times two; `noise`, the typical standard deviation of a point [%]; `freedom`, the degrees of freedom
        of the noise; and `seen`, the deviation of a point that would be called a failure [%], the median over them.

    Raises
    ------
    ValueError
        There are fewer than ten points.

    Notes
    -----
    A point fails if it lies further from its prediction by all others than the noise allows, whichever structure of the
    noise (proportional to the modulus, constant, different in real and imaginary part, proportional to each part) the
    spectrum does not exclude. F of real and imaginary part together is compared with its exact distribution, by
    Bonferroni for the largest; a point that fails is left out, and the others are tested again. Likeness of
    neighbouring residuals is the score test of a second Gaussian process in the real part alone (Zhang and Lin 2003,
    doi 10.1093/biostatistics/4.1.57); its exact distribution is that of Imhof (1961, doi 10.1093/biomet/48.3-4.419).

    A drift by a few per cent over the sweep is slow compared with the period and hardly seen: such a spectrum is nearly
    that of another cell at rest.
    """
    frequency, impedance = spectrum.frequency.to_numpy(), spectrum.impedance.to_numpy()
    if frequency.size < FEWEST_POINTS:
        raise ValueError(f"{frequency.size} points are too few to test: {FEWEST_POINTS} are needed")
    elements, free, target = _columns(frequency, impedance)
    kept = np.ones(frequency.size, bool)
    smallest = 1.0
    while True:
        both = np.tile(kept, 2)
        admissible = _admissible(elements[both], free[both], target[both], impedance[kept])
        tested = [_points(one) for one in admissible]
        probability = np.max([of_points for of_points, _ in tested], axis=0) * kept.sum()  # Bonferroni
        smallest = min(smallest, probability.min())
        wrong = probability < min(FALSE_ALARMS / 2, probability.min() ** TOGETHER)
        if not wrong.any() or np.mean(~kept) + wrong.sum() / frequency.size > MOST_OUTLIERS:
            break
        kept[np.flatnonzero(kept)[wrong]] = False
    alike = 0.0
    for one in admissible:
        alike = max(alike, _likeness(one, elements[both]))
        if alike > FALSE_ALARMS / 2:  # by this structure of the noise they are not alike
            break
    best = admissible[0]
    residual = _all_residuals(best, elements, free, target, both)
    fails, of_noise = ~kept, best
    if alike < FALSE_ALARMS / 2:
        # The noise is that of real and imaginary part fitted each for itself.
        apart = _apart(best, elements[both], free[both], target[both])
        of_noise = min(best, apart, key=lambda one: one.variance)
        level = stats.norm.isf(FALSE_ALARMS / 4 / frequency.size) * _typical(of_noise)
        furthest = np.abs(residual).reshape(2, -1).max(axis=0)
        fails = fails | (furthest >= min(level, furthest.max()))
    of_points = np.full(target.size, np.nan)
    of_points[both] = of_noise.variance**0.5 * of_noise.weight
    return xr.Dataset(
        {
            **_parts("residual", residual, "residual of {} Z"),
            **_parts("noise", of_points, "standard deviation of {} Z"),
            "fails": ("frequency", fails, {"long_name": "violates the Kramers-Kronig relations"}),
        },
        {"frequency": spectrum.frequency},
        {
            "probability": float(min(1.0, 2 * min(smallest, alike))),
            "noise": 100 * _typical(of_noise),
            "freedom": float(np.trace(of_noise.inverse)),
            "seen": float(100 * np.median(tested[0][1])),
        },
    )


def _parts(name: str, both: np.ndarray, long_name: str) -> dict[str, tuple]:
    """Real and imaginary part as variables, in per cent of the modulus."""
    return {
        f"{name}_{part}": ("frequency", 100 * values, {"units": "%", "long_name": long_name.format(symbol)})
        for part, symbol, values in zip(("real", "imag"), ("Re", "Im"), np.split(both, 2), strict=True)
    }


def excess(tested: xr.Dataset, residual: np.ndarray, parameters: int) -> tuple[float, float]:
    """Compare the residuals of a circuit with the noise, which the test finds without a circuit.

    Parameters
    ----------
    tested : xarray.Dataset
        From `test`.
    residual : array of complex, shape (n,)
        Fitted less measured, as a share of the modulus.
    parameters : int
        Of the circuit.

    Returns
    -------
    ratio : float
        Standard deviation of the residuals over that of the noise, without points that fail.
    probability : float
        p of a ratio as large by chance, by the F test (conservative, as both are from the same points).
    """
    noise = np.stack([tested.noise_real, tested.noise_imag])
    relative = 100 * np.stack([residual.real, residual.imag]) / noise
    relative = relative[np.isfinite(noise) & ~tested.fails.to_numpy()]
    freedom = max(relative.size - parameters, 1)
    square = float(relative @ relative) / freedom
    return square**0.5, float(stats.f.sf(square, freedom, tested.freedom))


def test_if_long_enough(spectrum: xr.Dataset) -> xr.Dataset | None:
    """Return the test of a spectrum; None where it has fewer points than the test needs."""
    return test(spectrum) if spectrum.sizes["frequency"] >= FEWEST_POINTS else None


def _columns(frequency: np.ndarray, impedance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of RC elements, shape (2 n, elements), and of R, L, C; the measured; all as a share of the modulus."""
    s = 2j * np.pi * frequency
    omega, modulus = np.abs(s), np.abs(impedance)
    low, high = -np.log10(omega.max()) - BEYOND, BEYOND - np.log10(omega.min())
    tau = np.logspace(low, high, int(np.ceil((high - low) * PER_DECADE)) + 1)
    order = np.argsort(omega)
    # A resistance may be as large as the modulus is where its element relaxes.
    size = np.exp(np.interp(-np.log(tau), np.log(omega[order]), np.log(modulus[order])))
    elements = size / (1 + s[:, None] * tau) / PER_DECADE**0.5
    free = np.stack([np.ones_like(s), s / omega.max(), omega.min() / s], axis=1)
    return (
        _stacked(elements / modulus[:, None]),
        _stacked(free / modulus[:, None]) * modulus.min(),
        _stacked(impedance / modulus),
    )


def _weights(impedance: np.ndarray, constant: float, unequal: float) -> np.ndarray:
    """Standard deviations as a share of the modulus, but for a factor, shape (2 n,)."""
    modulus = np.abs(impedance)
    own = np.hypot(1.0, constant * np.exp(np.mean(np.log(modulus))) / modulus)
    return np.concatenate([own * np.exp(unequal / 2), own * np.exp(-unequal / 2)])


def _admissible(elements: np.ndarray, free: np.ndarray, target: np.ndarray, impedance: np.ndarray) -> list[_Fit]:
    """Fits with the structures of the noise that the spectrum does not exclude, the best first."""

    def tried(weight: np.ndarray) -> tuple[float, float, np.ndarray]:
        return (*_best_ratio(elements, free, target, weight), weight)

    equal = sorted(((*tried(_weights(impedance, constant, 0.0)), constant) for constant in CONSTANT), key=_criterion)
    found = [one[:3] for one in equal]
    likely = [one[3] for one in equal[:LIKELY]]
    found += [tried(_weights(impedance, constant, unequal)) for constant in likely for unequal in UNEQUAL]
    found += [tried(np.hypot(np.abs(target), share)) for share in OWN_PART]
    found.sort(key=_criterion)
    lowest = found[0][0]
    return [
        _fitted(elements, free, target, weight, ratio)
        for criterion, ratio, weight in found
        if criterion - lowest < NOT_EXCLUDED
    ]


def _criterion(one: tuple) -> float:
    return one[0]


def _best_ratio(elements: np.ndarray, free: np.ndarray, target: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """-2 ln(restricted likelihood) and the ratio of variances at its minimum."""
    left, values, _ = linalg.svd(elements / weight[:, None], full_matrices=False, check_finite=False)
    rest = np.column_stack([free, target]) / weight[:, None]
    inside = left.T @ rest
    outside = np.linalg.qr(rest - left @ inside, mode="r")
    shrunk = 1 / (1 + RATIOS[:, None] * values**2)
    stack = np.concatenate([np.sqrt(shrunk)[:, :, None] * inside, np.tile(outside, (RATIOS.size, 1, 1))], axis=1)
    r = np.asarray(np.linalg.qr(stack, mode="r"))
    squares = r[:, FREE, FREE] ** 2  # left of the target beside the free columns
    freedom = target.size - FREE
    logarithms = 2 * np.log(np.abs(np.diagonal(r, axis1=1, axis2=2)[:, :FREE])).sum(axis=1)
    logarithms += 2 * np.log(weight).sum() - np.log(shrunk).sum(axis=1)
    found = freedom * np.log(squares / freedom + LEAST_NOISE**2) + logarithms
    return float(found.min()), float(RATIOS[found.argmin()])


def _fitted(
    elements: np.ndarray,
    free: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    ratio: float,
) -> _Fit:
    left, values, _ = linalg.svd(elements / weight[:, None], check_finite=False)
    squares = np.zeros(target.size)
    squares[: values.size] = values**2
    root = left / np.sqrt(1 + ratio * squares)  # root @ root.T is the inverse covariance
    q, _ = np.linalg.qr(root.T @ (free / weight[:, None]))
    root = root - (root @ q) @ q.T
    inverse = root @ root.T
    residual = inverse @ (target / weight)
    variance = max(float(residual @ (target / weight)), 0.0) / (target.size - FREE) + LEAST_NOISE**2
    return _Fit(weight, inverse, residual, variance, ratio)


def _points(one: _Fit) -> tuple[np.ndarray, np.ndarray]:
    """p of each point against its prediction from the others, and the deviation at which it would fail, shape (n,)."""
    n = one.residual.size // 2
    freedom = 2 * n - FREE - 2
    total = one.variance * (2 * n - FREE)
    diagonal = np.diagonal(one.inverse)
    real, imaginary, cross = diagonal[:n], diagonal[n:], np.diagonal(one.inverse, offset=n)
    a, b = np.split(one.residual, 2)
    explained = (imaginary * a**2 - 2 * cross * a * b + real * b**2) / (real * imaginary - cross**2)
    probability = stats.f.sf(
        explained / 2 / np.maximum((total - explained) / freedom, np.finfo(float).tiny), 2, freedom
    )
    level = stats.f.isf(FALSE_ALARMS / 2 / n, 2, freedom)
    weights = np.split(one.weight, 2)
    each = [
        np.sqrt(2 * level * one.variance / of) * weight for of, weight in zip((real, imaginary), weights, strict=True)
    ]
    return probability, np.minimum(*each)


def _likeness(one: _Fit, elements: np.ndarray) -> float:
    """p of the likeness of neighbouring residuals, by the score test of a second process in the real part alone."""
    n = one.residual.size // 2
    second = (elements / one.weight[:, None])[:n]
    statistic = np.sum((second.T @ one.residual[:n]) ** 2) / (one.variance * (2 * n - FREE))
    values = linalg.eigvalsh(second.T @ one.inverse[:n, :n] @ second)
    others = 2 * n - FREE - values.size
    return _positive(np.append(values - statistic, np.full(max(others, 0), -statistic)))


def _positive(weights: np.ndarray) -> float:
    """Probability that a sum of independent chi squares of one degree of freedom with these weights is positive."""
    weights = weights / np.abs(weights).max()
    if weights.sum() > 0:  # its mean: about a half
        return 0.5

    def integrand(u: float) -> float:
        angle = np.sum(np.arctan(weights * u)) / 2
        return float(np.sin(angle) / u / np.exp(np.sum(np.log1p((weights * u) ** 2)) / 4))

    area = integrate.quad(integrand, 0, np.inf, limit=200, epsabs=1e-5)[0]
    return float(np.clip(0.5 + area / np.pi, 0, 1))


def _all_residuals(
    one: _Fit, elements: np.ndarray, free: np.ndarray, target: np.ndarray, both: np.ndarray
) -> np.ndarray:
    """Fitted less measured of all points, those left out included, as a share of the modulus."""
    weighted = elements[both] / one.weight[:, None]
    process = one.ratio * (elements @ (weighted.T @ one.residual))
    # What the process does not explain is the free columns and the noise, whose prediction is P y.
    rest = target[both] - process[both] - one.weight * one.residual
    amplitudes = np.linalg.lstsq(free[both] / one.weight[:, None], rest / one.weight, rcond=None)[0]
    return process + free @ amplitudes - target


def _apart(one: _Fit, elements: np.ndarray, free: np.ndarray, target: np.ndarray) -> _Fit:
    """The fit with independent resistances, R, L and C of the real and of the imaginary part."""
    n = target.size // 2
    block = np.zeros((2 * n, 2 * elements.shape[1]))
    block[:n, : elements.shape[1]], block[n:, elements.shape[1] :] = elements[:n], elements[n:]
    return _fitted(block, free, target, one.weight, _best_ratio(block, free, target, one.weight)[1])


def _typical(one: _Fit) -> float:
    """Typical standard deviation of a number, as a share of the modulus."""
    return float(one.variance**0.5 * np.median(one.weight))


def _stacked(z: np.ndarray) -> np.ndarray:
    return np.concatenate([z.real, z.imag], axis=0)
