"""Linear Kramers-Kronig test of a spectrum, with 5 % false alarms at any number of points.

A series of RC elements, which obeys the relations, is fitted (see `rc_series`); the structure of the noise follows from
the spectrum by restricted maximum likelihood. Two tests share the 5 %: each point against its prediction from all
others, and the likeness of neighbouring residuals, which a drift, or parts that do not belong together, leave behind.

What is assumed of the noise: it is normal, and independent from point to point and of real and imaginary part. Its size
may be proportional to the modulus, constant, different in the two parts, or proportional to each part. It may moreover
vary over the frequency, as near the highest frequency of a potentiostat, at the lowest, where few periods are averaged,
or where the current range changes. Noise that varies has random signs and shows in several neighbouring points; a wrong
point stands alone, and a drift leaves a smooth run of residuals. Where the noise changes by up to 20 times from one
point to the next, 6 to 9 % are false alarms.
"""

import numpy as np
import xarray as xr
from scipy import integrate, linalg, stats

from coldbond.impedance import rc_series, varying_noise
from coldbond.impedance.rc_series import FREE, Columns, Fit

#: Fewest points of a spectrum that is tested.
FEWEST_POINTS = 10
#: Structures of equal noise in both parts whose unequal forms are tried too.
LIKELY = 2
#: Share of spectra that obey the relations in which a point is called a failure.
FALSE_ALARMS = 0.05
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
        twenty spectra that obey the relations one has a failure. `doubtful` are points that may deviate or have larger
        noise than their neighbours, which cannot be told. The attrs are `probability`, p of the smaller of the
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

    Where a spectrum fails, the size of the noise may vary over the frequency (see `varying_noise`). Points that this
    explains are taken back, unless neighbouring residuals are then alike. The first and the last point have neighbours
    at one side only: one that is taken back is doubtful where its p by itself, without Bonferroni, is below 2.5 %.

    A drift by a few per cent over the sweep is slow compared with the period and hardly seen: such a spectrum is nearly
    that of another cell at rest.
    """
    if spectrum.sizes["frequency"] < FEWEST_POINTS:
        few = f"{spectrum.sizes['frequency']} points are too few to test: {FEWEST_POINTS} are needed"
        raise ValueError(few)
    order = np.argsort(spectrum.frequency.to_numpy(), kind="stable")
    return _tested(spectrum.isel(frequency=order)).isel(frequency=np.argsort(order))


def _tested(spectrum: xr.Dataset) -> xr.Dataset:
    """The test of a spectrum whose frequencies ascend."""
    frequency, impedance = spectrum.frequency.to_numpy(), spectrum.impedance.to_numpy()
    data = rc_series.columns(frequency, impedance)
    kept = np.ones(frequency.size, bool)
    smallest = 1.0
    while True:
        admissible = _admissible(data.of(kept), impedance[kept])
        tested = [_points(one) for one in admissible]
        probability = np.max([of_points for of_points, _ in tested], axis=0) * kept.sum()  # Bonferroni
        smallest = min(smallest, probability.min())
        wrong = probability < min(FALSE_ALARMS / 2, probability.min() ** TOGETHER)
        if not wrong.any() or np.mean(~kept) + wrong.sum() / frequency.size > MOST_OUTLIERS:
            break
        kept[np.flatnonzero(kept)[wrong]] = False
    alike, best, doubtful = _alike(admissible, data.of(kept)), admissible[0], np.zeros(frequency.size, bool)
    if min(smallest, alike) < FALSE_ALARMS / 2:
        varying = varying_noise.explained(data, varying_noise.walk(frequency, kept, best), kept, FALSE_ALARMS / 2)
        of_varying = _likeness(varying.fit, data.of(varying.kept))
        explains = alike < FALSE_ALARMS / 2 or varying.kept.sum() > kept.sum()
        if explains and of_varying >= FALSE_ALARMS / 2:
            (kept, best, smallest, doubtful), alike = varying, of_varying
    residual = rc_series.residuals(best, data, kept)
    fails, of_noise = ~kept, best
    if alike < FALSE_ALARMS / 2:
        # The noise is that of real and imaginary part fitted each for itself.
        of_noise = min(best, rc_series.apart(best, data.of(kept)), key=lambda one: one.variance)
        level = stats.norm.isf(FALSE_ALARMS / 4 / frequency.size) * of_noise.typical
        furthest = np.abs(residual).reshape(2, -1).max(axis=0)
        fails = fails | (furthest >= min(level, furthest.max()))
    of_points = np.full(data.target.size, np.nan)
    of_points[np.tile(kept, 2)] = of_noise.variance**0.5 * of_noise.weight
    return xr.Dataset(
        {
            **_parts("residual", residual, "residual of {} Z"),
            **_parts("noise", of_points, "standard deviation of {} Z"),
            "fails": ("frequency", fails, {"long_name": "violates the Kramers-Kronig relations"}),
            "doubtful": ("frequency", doubtful & ~fails, {"long_name": "deviates or has larger noise"}),
        },
        {"frequency": spectrum.frequency},
        {
            "probability": float(min(1.0, 2 * min(smallest, alike))),
            "noise": 100 * of_noise.typical,
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


def _weights(impedance: np.ndarray, constant: float, unequal: float) -> np.ndarray:
    """Standard deviations as a share of the modulus, but for a factor, shape (2 n,)."""
    modulus = np.abs(impedance)
    own = np.hypot(1.0, constant * np.exp(np.mean(np.log(modulus))) / modulus)
    return np.concatenate([own * np.exp(unequal / 2), own * np.exp(-unequal / 2)])


def _admissible(data: Columns, impedance: np.ndarray) -> list[Fit]:
    """Fits with the structures of the noise that the spectrum does not exclude, the best first."""

    def tried(weight: np.ndarray) -> tuple[float, float, np.ndarray]:
        return (*rc_series.best_ratio(data, weight), weight)

    equal = sorted(((*tried(_weights(impedance, constant, 0.0)), constant) for constant in CONSTANT), key=_criterion)
    found = [one[:3] for one in equal]
    likely = [one[3] for one in equal[:LIKELY]]
    found += [tried(_weights(impedance, constant, unequal)) for constant in likely for unequal in UNEQUAL]
    found += [tried(np.hypot(np.abs(data.target), share)) for share in OWN_PART]
    found.sort(key=_criterion)
    lowest = found[0][0]
    return [
        rc_series.fitted(data, weight, ratio) for criterion, ratio, weight in found if criterion - lowest < NOT_EXCLUDED
    ]


def _criterion(one: tuple) -> float:
    return one[0]


def _points(one: Fit) -> tuple[np.ndarray, np.ndarray]:
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


def _alike(admissible: list[Fit], data: Columns) -> float:
    """p of the likeness of neighbouring residuals by the least favourable structure of the noise."""
    largest = 0.0
    for one in admissible:
        largest = max(largest, _likeness(one, data))
        if largest > FALSE_ALARMS / 2:  # by this structure of the noise they are not alike
            break
    return largest


def _likeness(one: Fit, data: Columns) -> float:
    """p of the score test of a second process, in the real part alone, that is everywhere as large as the noise."""
    n = one.residual.size // 2
    second = data.elements[:n] / np.linalg.norm(data.elements[:n], axis=1, keepdims=True)
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
        return float(np.sin(angle) / u * np.exp(-np.sum(np.log1p((weights * u) ** 2)) / 4))

    area = integrate.quad(integrand, 0, np.inf, limit=200, epsabs=1e-5)[0]
    return float(np.clip(0.5 + area / np.pi, 0, 1))
