"""Electronic conductivity of a pellet from its current at constant voltage: sigma = L I / (U S), equation 4.

Between ion-blocking electrodes the current decays while ions accumulate, until electrons alone carry it (Hebb 1952, doi
10.1063/1.1700165). The decay is described by a steady current and a sum of exponentials with positive amplitudes, which
approximates any completely monotone function, stretched exponentials and power laws included (Bernstein 1929, doi
10.1007/BF02592679). The time constants reach to a few times the duration of the recording: a slower relaxation cannot
be distinguished from a steady current. A current that is still well above its limit gives an upper bound only.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import optimize

from coldbond import batch_means
from coldbond.impedance.conductivity.pellet import product, shape
from coldbond.interval import Interval, student

#: Share of the recording that is left out at its beginning, where the cell and the tester's filter are charged.
START_SHARE = 0.05
#: Slowest relaxation considered, in durations of the recording.
SLOWEST = 3.0
#: Time constants per decade. On 80 noisy realisations of two transients the interval of the steady current is the same
#: from 20 to 60 per decade; with 5 it is a fifth narrower, since relaxations between the time constants are left out.
TIMES_PER_DECADE = 30
#: Batches whose means are fitted, and fewest points of a recording.
BATCHES, FEWEST_POINTS = 24, 10
#: Excess of the last current over the steady one, as a share of it, above which only an upper bound is given.
SETTLED_WITHIN = 0.1
#: Rise of the current over the second half of the recording, as a share of it, above which there is no steady state.
RISE = 0.01
#: Least current of a batch that is a weight, as a share of the largest: of quantised currents some batches are zero.
LEAST_LEVEL = 1e-3
#: Share of the sum of squares that is rounding error of the computation.
ROUNDING = 1e-20
#: Largest correlation of neighbouring residuals that is corrected for: more leaves no degrees of freedom.
LARGEST_CORRELATION = 0.9


@dataclass(frozen=True)
class Steady:
    """A current transient and its steady state.

    Attributes
    ----------
    recording : xarray.Dataset
    current : Interval
        Steady current [A], positive. The value counts relaxations within the recording, the lower bound slower ones
        too. Without a lower bound there is no value.
    time, fitted : array, shape (n,)
        The fit, in s and A.
    excess : float
        By how much the fit lies above the steady current at the end, as a share of it; NaN without a value.
    slowest : float
        Slowest relaxation considered, s.
    note : str
        Why there is no value; "" where there is one.
    """

    recording: xr.Dataset
    current: Interval
    time: np.ndarray
    fitted: np.ndarray
    excess: float
    slowest: float
    note: str


def steady(recording: xr.Dataset, current_offset: float) -> Steady:
    """Return the steady state of a current at constant voltage.

    Parameters
    ----------
    recording : xarray.Dataset
        `current` [A] over `time` [s].
    current_offset : float
        Standard uncertainty of the zero of the current, A.

    Raises
    ------
    ValueError
        The recording has too few points, its current is zero throughout, or no voltage was applied.

    Notes
    -----
    Means of batches of equal duration are fitted by non-negative least squares (Lawson and Hanson 1974). Their errors
    are taken as proportional to the current, and their size follows from the residuals. Autocorrelated residuals count
    as fewer (first order, with the bias of its estimate removed: Marriott and Pope 1954, doi
    10.1093/biomet/41.3-4.390). The interval is that of the profile of chi square over the steady current.
    """
    time = recording.time.to_numpy()
    current = recording.current.to_numpy()
    if not recording.attrs["applied_voltage"]:
        raise ValueError("the applied voltage is 0 V: correct it in the header of the file")
    if not current.any():
        raise ValueError("the current is zero throughout: record it with a more sensitive range")
    current = current * (np.sign(np.mean(current[time >= time[-1] / 2])) or 1.0)
    tail = time >= START_SHARE * time[-1]
    if tail.sum() < FEWEST_POINTS:
        raise ValueError(f"{tail.sum()} points of the current are too few for a steady state")
    half = time >= time[-1] / 2
    rise = batch_means.slope(time[half], current[half]).low
    slowest = SLOWEST * float(time[-1])
    if rise is not None and rise * time[-1] / 2 > RISE * np.mean(current[half]):
        note = "the current rises in the second half of the recording: it has no steady state yet"
        return Steady(recording, Interval(None), time[:0], current[:0], np.nan, slowest, note)
    value, low, high, fitted = _profile(time[tail], current[tail], time[-1])
    found = Interval(value, low, high).widened(current_offset)
    excess = float(fitted[-1] / value - 1) if value > 0 else np.inf
    if found.low is None or found.low <= 0 or excess > SETTLED_WITHIN:
        bound = Interval(None, None, found.high)
        return Steady(recording, bound, time[tail], fitted, np.nan, slowest, "not settled: an upper bound")
    return Steady(recording, found, time[tail], fitted, excess, slowest, "")


def conductivity(transient: Steady, thickness_uncertainty: float, area_uncertainty: float) -> Interval | None:
    """Return the electronic conductivity L I / (U S) in S/cm; None where thickness or area is not known.

    Parameters
    ----------
    transient : Steady
        From `steady`.
    thickness_uncertainty, area_uncertainty : float
        As for `pellet.shape`.
    """
    pellet = shape(transient.recording, thickness_uncertainty, area_uncertainty)
    if pellet is None:
        return None
    factor = pellet.factor / abs(transient.recording.attrs["applied_voltage"])
    return product(transient.current, factor, pellet.uncertainty)


def ratio(one: Interval, other: Interval) -> Interval:
    """Return other over one with its interval, from two independent measurements.

    The half widths of the logarithms add in quadrature on the sides that matter (Zou and Donner 2008, doi
    10.1002/sim.3095). Where one of the two is only bounded, the bounds are divided.
    """
    if one.value is not None and other.value is not None:
        (value, low, high), (other_value, other_low, other_high) = one.numbers, other.numbers
        quotient = other_value / value
        down = np.hypot(np.log(other_value / other_low), np.log(high / value))
        up = np.hypot(np.log(other_high / other_value), np.log(value / low))
        return Interval(quotient, float(quotient * np.exp(-down)), float(quotient * np.exp(up)))
    return Interval(
        None,
        None if other.low is None or one.high is None else other.low / one.high,
        None if other.high is None or one.low is None else other.high / one.low,
    )


def _profile(time: np.ndarray, current: np.ndarray, duration: float) -> tuple[float, float, float, np.ndarray]:
    """Steady current with its bounds (the lower one zero where there is none) and the fit at each time."""
    edges = np.linspace(time[0], time[-1], min(BATCHES, time.size // 2) + 1)
    starts = np.unique(np.searchsorted(time, edges[:-1]))
    sizes = np.diff(np.append(starts, time.size))

    def means(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, starts, axis=-1) / sizes

    many = int(TIMES_PER_DECADE * np.log10(2 * SLOWEST / START_SHARE))
    taus = np.geomspace(START_SHARE / 2, SLOWEST, many) * duration
    level = np.abs(means(current))
    level = np.maximum(level, LEAST_LEVEL * level.max())
    decays = np.exp(-time / taus[:, None])
    columns = (means(decays) / level).T
    flat, target = 1 / level, means(current) / level
    within = taus <= duration
    design = np.column_stack([flat, columns[:, within]])
    amplitudes, _ = optimize.nnls(design, target)
    value = amplitudes[0]
    residual = design @ amplitudes - target
    least = max(float(residual @ residual), ROUNDING * float(target @ target))
    used = int(np.sum(amplitudes > 0))
    n = residual.size
    correlation = (
        np.clip(residual[1:] @ residual[:-1] / least + (used + 1) / n, 0, LARGEST_CORRELATION) if least else 0.0
    )
    freedom = max(n * (1 - correlation) / (1 + correlation) - used, 2.0)
    limit = least * (1 + student(freedom) ** 2 / freedom)

    def excess(trial: float) -> float:
        return optimize.nnls(columns, target - trial * flat)[1] ** 2 - limit

    low, high = 0.0, value
    if value > 0 and excess(0.0) > 0:
        low = optimize.brentq(excess, 0.0, value, xtol=1e-4 * value)
    step = 0.01 * float(np.mean(level))
    while excess(high + step) < 0:
        high, step = high + step, 2 * step
    high = optimize.brentq(excess, high, high + step, xtol=1e-4 * (high + step))
    fitted = amplitudes[0] + amplitudes[1:] @ decays[within]
    return float(value), float(low), float(high), fitted
