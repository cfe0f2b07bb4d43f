"""Electronic conductivity of a pellet from its current at constant voltage, and equation 4 of the paper.

Between ion-blocking electrodes the current decays as ions pile up, until electrons alone carry what remains (Hebb 1952,
doi 10.1063/1.1700165). The decay is taken as any sum of exponentials with positive amplitudes, which comes as close as
one likes to stretched exponentials and power laws too, as to every completely monotone function (Bernstein 1929, doi
10.1007/BF02592679). Their times reach to a few times the recording: what relaxes more slowly than that no recording can
tell from a steady current. Of a current that is still well above what it tends to, the end is not extrapolated.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import optimize, stats

from coldbond import batch_means
from coldbond.bundle.findings import finding
from coldbond.impedance.conductivity.pellet import NORMAL, product, shape
from coldbond.impedance.intervals import Interval

FIRST = 0.05  # of the recording: what comes before is left out
SLOWEST = 3.0  # times the recording: the slowest relaxation that is looked for
A_DECADE = 30  # relaxation times: with fewer, the gaps between them would show as misfit
BATCHES, FEWEST = 24, 10
UNSETTLED = 0.1  # above the steady current: where the recording ends higher than that, it gives an upper bound only
RISE = 0.01  # of the current in the second half of the recording: what rises more has no steady state yet


@dataclass(frozen=True)
class Steady:
    """A current transient, and what remains of it in the end.

    Attributes
    ----------
    recording : xarray.Dataset
    current : Interval
        Steady current [A], of the voltage's sign taken as positive. The value is that of relaxations within the
        recording, the lower bound also of slower ones; without a lower bound there is no value (NaN).
    time, fitted : array, shape (n,)
        The fit, in s and A.
    note : str
        What limits the value, in words.
    """

    recording: xr.Dataset
    current: Interval
    time: np.ndarray
    fitted: np.ndarray
    note: str


def steady(recording: xr.Dataset, current_offset: float) -> Steady:
    """Find the steady state of a current at constant voltage.

    Parameters
    ----------
    recording : xarray.Dataset
        `current` [A] over `time` [s].
    current_offset : float
        Standard uncertainty of the tester's zero, A.

    Raises
    ------
    ValueError
        The recording has too few points.

    Notes
    -----
    Means of batches of equal duration are fitted by non-negative least squares (Lawson and Hanson 1974), the size of
    their errors is taken as proportional to the current and follows from the residuals. Neighbouring batches that are
    alike count as fewer (first-order autocorrelation, with the bias of its estimate taken off: Marriott and Pope 1954,
    doi 10.1093/biomet/41.3-4.390). The interval is that of the profile of chi square over the steady current.
    """
    time = recording.time.to_numpy()
    current = recording.current.to_numpy()
    current = current * (np.sign(np.mean(current[time >= time[-1] / 2])) or 1.0)
    tail = time >= FIRST * time[-1]
    if tail.sum() < FEWEST:
        raise ValueError(f"{tail.sum()} points of the current are too few for a steady state")
    half = time >= time[-1] / 2
    rise = batch_means.slope(time[half], current[half]).low
    if rise is not None and rise * time[-1] / 2 > RISE * np.mean(current[half]):
        note = "the current rises in the second half of the recording: it has no steady state yet"
        return Steady(recording, Interval(np.nan, None, None), time[:0], current[:0], note)
    value, low, high, fitted = _profile(time[tail], current[tail], time[-1])
    offset = NORMAL * current_offset
    low, high = value - np.hypot(value - low, offset), value + np.hypot(high - value, offset)
    reach = f"relaxations up to {SLOWEST * time[-1] / 3600:.2g} h counted"
    above = fitted[-1] / value - 1 if value > 0 else np.inf
    if low <= 0 or above > UNSETTLED:
        note = f"not settled, an upper bound; {reach}"
        return Steady(recording, Interval(np.nan, None, float(high)), time[tail], fitted, note)
    note = f"at the end the current is {100 * above:.1f} % above; {reach}"
    return Steady(recording, Interval(float(value), float(low), float(high)), time[tail], fitted, note)


def conductivity(settled: Steady, thickness_uncertainty: float, area_uncertainty: float) -> Interval | None:
    """Return the electronic conductivity L I / (U S) in S/cm; None where the manifest lacks thickness or area.

    Parameters
    ----------
    settled : Steady
        From `steady`.
    thickness_uncertainty, area_uncertainty : float
        As for `pellet.shape`.
    """
    whose = shape(settled.recording, thickness_uncertainty, area_uncertainty)
    if whose is None:
        return None
    factor = whose.factor / abs(settled.recording.attrs["applied_voltage"])
    if settled.current.low is None and settled.current.high is not None:
        return Interval(np.nan, None, settled.current.high * factor * float(np.exp(NORMAL * whose.uncertainty)))
    return product(settled.current, factor, whose.uncertainty)


def ratio(one: Interval, other: Interval) -> Interval:
    """Return other over one with its interval, from those of two that were measured apart.

    The half widths of the logarithms add in quadrature on the sides that matter (Zou and Donner 2008, doi
    10.1002/sim.3095); where one of them is a bound alone, bounds are divided.
    """
    if np.isfinite(one.value) and np.isfinite(other.value):
        value = other.value / one.value
        down = np.hypot(np.log(other.value / other.low), np.log(one.high / one.value))
        up = np.hypot(np.log(other.high / other.value), np.log(one.value / one.low))
        return Interval(value, float(value * np.exp(-down)), float(value * np.exp(up)))
    high = None if other.high is None or one.low is None else other.high / one.low
    low = None if other.low is None or one.high is None else other.low / one.high
    return Interval(np.nan, low, high)


def findings(settled: Mapping[str, Steady], thickness_uncertainty: float, area_uncertainty: float) -> list[dict]:
    """Return steady current and electronic conductivity, and whether it is lower than that of the first sample.

    Parameters
    ----------
    settled : mapping of str to Steady
        From `steady`, in the order of the samples.
    thickness_uncertainty, area_uncertainty : float
        As for `pellet.shape`.
    """
    rows, found = [], {}
    for label, one in settled.items():
        attrs = one.recording.attrs
        whose = dict(sample=attrs["sample"], state=attrs["state"])
        rows.append(finding("steady_current", *_stated(one.current), "A", **whose, note=one.note))
        sigma = conductivity(one, thickness_uncertainty, area_uncertainty)
        if sigma is None:
            note = "the manifest lacks thickness or area of the pellet"
            rows.append(finding("electronic_conductivity", None, unit="S/cm", **whose, note=note))
            continue
        found[label] = sigma
        note = f"{one.note}; pellet {shape(one.recording, thickness_uncertainty, area_uncertainty).text}"
        rows.append(finding("electronic_conductivity", *_stated(sigma), "S/cm", **whose, note=note))
    first = next(iter(found), None)
    for label in list(found)[1:]:
        rows += _comparison(settled[first], settled[label], ratio(found[first], found[label]), first)
    return rows


def _comparison(one: Steady, other: Steady, compared: Interval, first: str) -> list[dict]:
    attrs = other.recording.attrs
    whose = dict(sample=attrs["sample"], state=attrs["state"])
    lower = None
    if compared.high is not None and compared.high < 1:
        lower = True
    elif compared.low is not None and compared.low > 1:
        lower = False
    texts = ["—" if bound is None else f"{bound:.3g}" for bound in compared[1:]]
    note = f"ratio {texts[0]} to {texts[1]}; the dimensions of each pellet count"
    name = first.replace(", ", "_").replace(" ", "_")
    return [
        finding(f"electronic_conductivity_over_{name}", *_stated(compared), **whose, note="two pellets"),
        finding(f"electronic_conductivity_below_{name}", lower, **whose, note=note),
    ]


def _stated(interval: Interval) -> Interval:
    """The interval as a finding has it: None where there is no value."""
    return interval._replace(value=interval.value if np.isfinite(interval.value) else None)


def _profile(time: np.ndarray, current: np.ndarray, duration: float) -> tuple[float, float, float, np.ndarray]:
    """Steady current with its bounds, the lower one zero where there is none, and the fit at each time."""
    edges = np.linspace(time[0], time[-1], min(BATCHES, time.size // 2) + 1)
    starts = np.unique(np.searchsorted(time, edges[:-1]))
    sizes = np.diff(np.append(starts, time.size))

    def means(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, starts, axis=-1) / sizes

    many = int(A_DECADE * np.log10(2 * SLOWEST / FIRST))
    taus = np.geomspace(FIRST / 2, SLOWEST, many) * duration
    level = np.abs(means(current))
    decays = np.exp(-time / taus[:, None])
    columns = (means(decays) / level).T
    flat, target = 1 / level, means(current) / level
    within = taus <= duration
    design = np.column_stack([flat, columns[:, within]])
    amplitudes, _ = optimize.nnls(design, target)
    value = amplitudes[0]
    residual = design @ amplitudes - target
    least = float(residual @ residual)
    used = int(np.sum(amplitudes > 0))
    n = residual.size
    likeness = np.clip(residual[1:] @ residual[:-1] / least + (used + 1) / n, 0, 0.9) if least else 0.0
    freedom = max(n * (1 - likeness) / (1 + likeness) - used, 2.0)
    limit = least * (1 + stats.t.ppf(0.975, freedom) ** 2 / freedom)

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
