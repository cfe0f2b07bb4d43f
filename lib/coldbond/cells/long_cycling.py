"""Galvanostatic cycling of a lithium symmetric cell over hundreds of hours."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.axes_grid1.inset_locator import mark_inset

from coldbond import batch_means
from coldbond.bundle import figures
from coldbond.bundle.findings import finding
from coldbond.cells import cycling, shorts


def half_cycles(recording: xr.Dataset, retained: float = 0.6, metallic: float = 10.0) -> xr.Dataset:
    """Describe every half cycle of a symmetric cell by its overpotential, and judge whether it shorted.

    Parameters
    ----------
    recording : xarray.Dataset
        `time` [s], `voltage` [V], `current` [A] over `record`; attrs `area_cm2`.
    retained, metallic : float
        As for `shorts.judged`.

    Returns
    -------
    xarray.Dataset
        What `shorts.judged` gives, and over `segment` the unsigned overpotential in V on the plateau
        (`overpotential`, median of the middle half), at the start (`overpotential_start`, from 2 to 10 % of the half
        cycle) and at the end (`overpotential_end`, its last 5 %).

    Raises
    ------
    ValueError
        As `shorts.judged`.
    """
    judged = shorts.judged(recording, retained, metallic)
    spans = {"overpotential_start": (0.02, 0.1), "overpotential": (0.25, 0.75), "overpotential_end": (0.95, 1.0)}
    share = np.concatenate([np.linspace(*span, 21) for span in spans.values()])  # equidistant, however it was sampled
    columns = np.empty((judged.sizes["segment"], len(spans)))
    start, stop, begin, end, current = (
        judged[name].to_numpy() for name in ("start", "stop", "begin", "end", "current")
    )
    for i, (time, voltage) in enumerate(cycling.records(recording, start, stop, "time", "voltage")):
        at_share = np.interp(share, (time - begin[i]) / (end[i] - begin[i]), voltage)
        columns[i] = np.sign(current[i]) * cycling.median(at_share.reshape(len(spans), 21).T)
    attrs = {"units": "V", "long_name": "Overpotential"}
    return judged.assign({name: ("segment", values, attrs) for name, values in zip(spans, columns.T, strict=True)})


def overpotentials(half_cycles: xr.Dataset) -> xr.Dataset:
    """Return the overpotential of each pair of opposite half cycles, free of the voltage channel's offset.

    Parameters
    ----------
    half_cycles : xarray.Dataset
        From `half_cycles`; used is what was sustained before the first failure at the usual current density, which
        leaves out formation at lower ones.

    Returns
    -------
    xarray.Dataset
        Over `pair`: `time` [h] of its middle; `overpotential`, `overpotential_start`, `overpotential_end` [V], the mean
        of the two directions, which is half the hysteresis; `resistance` [ohm cm2].
    """
    kept = half_cycles.isel(segment=slice(0, _failure(half_cycles)))
    usual = half_cycles.current_density.median()
    kept = kept.isel(segment=(kept.kind == "sustained") & (np.abs(kept.current_density / usual - 1) < 0.02))
    direction = np.sign(kept.current.to_numpy())
    first = np.flatnonzero((direction[:-1] == direction[:1]) & (direction[1:] == -direction[:1]))
    one, other = kept.isel(segment=first), kept.isel(segment=first + 1)
    names = ("overpotential", "overpotential_start", "overpotential_end", "resistance")
    means = {name: ("pair", (one[name].to_numpy() + other[name].to_numpy()) / 2, kept[name].attrs) for name in names}
    return xr.Dataset(means | {"time": ("pair", one.end.to_numpy() / 3600, {"units": "h", "long_name": "Time"})})


def _failure(half_cycles: xr.Dataset) -> int | None:
    """Place of the first half cycle that failed."""
    failed = np.flatnonzero(~half_cycles.kind.isin(["sustained", "unfinished"]))
    return int(failed[0]) if failed.size else None


def findings(
    recordings: Mapping[str, xr.Dataset],
    judged: Mapping[str, xr.Dataset],
    settled: int = 50,
    tester_uncertainty: float = 0.001,
    area_uncertainty: float = 0.02,
) -> list[dict]:
    """Return what the recordings say: overpotential, resistance, drift, charge passed and time to failure.

    Parameters
    ----------
    recordings : mapping of str to xarray.Dataset
        As `raw.recordings` gives them.
    judged : mapping of str to xarray.Dataset
        From `half_cycles`, with the same keys.
    settled : int
        Cycles after which the means and the drift are taken, once the interface has formed; a test that failed or ended
        before twice as many is taken whole.
    tester_uncertainty, area_uncertainty : float
        Relative standard uncertainties of the cycler's voltage and current and of the cell's area.

    Returns
    -------
    list of dict
        As `findings.finding` gives them. The intervals of means and of the drift hold for correlated scatter.
    """
    found = []
    for label, recording in recordings.items():
        half_cycles, pairs = judged[label], overpotentials(judged[label])
        whose = {key: recording.attrs[key] for key in ("sample", "state")}
        late = pairs.isel(pair=slice(settled if pairs.sizes["pair"] >= 2 * settled else 0, None))
        when = f"after {settled} cycles" if late.sizes["pair"] < pairs.sizes["pair"] else "over all its cycles"
        failure = _failure(half_cycles)
        until = float(recording.time[-1] if failure is None else half_cycles.onset[failure])
        charge, uncertainty = shorts.charge_passed(recording, until)
        half = 1.96 * np.hypot(uncertainty, charge * np.hypot(area_uncertainty, tester_uncertainty))
        passed = "both directions added up, until " + ("the end of the test" if failure is None else "the failure")
        of_cell = [
            _time_to_failure(recording, half_cycles),
            *_overpotential_findings(late, tester_uncertainty, area_uncertainty, when),
            finding("charge_passed", charge, charge - half, charge + half, "mAh/cm2", note=passed),
        ]
        found += [row | whose for row in of_cell]
    return found


def _overpotential_findings(pairs: xr.Dataset, tester: float, area: float, when: str) -> list[dict]:
    if pairs.sizes["pair"] < 2:
        return []
    found = []
    plateau, between = "the middle half of the half cycles", "between the plateaus of the two directions"
    for quantity, name, scale, unit, relative, what in (
        ("overpotential", "overpotential", 1e3, "mV", tester, plateau),
        ("overpotential_at_start", "overpotential_start", 1e3, "mV", tester, "from 2 to 10 % of the half cycles"),
        ("overpotential_at_end", "overpotential_end", 1e3, "mV", tester, "the last 5 % of the half cycles"),
        ("hysteresis", "overpotential", 2e3, "mV", tester, between),
        ("area_specific_resistance", "resistance", 1, "ohm cm2", np.sqrt(2 * tester**2 + area**2), plateau),
    ):
        value, _, high = batch_means.mean(pairs[name].to_numpy() * scale)
        half = np.hypot(high - value, 1.96 * relative * value)
        found.append(finding(quantity, value, value - half, value + half, unit, note=f"{what}; mean {when}"))
    drift, _, high = np.array(batch_means.slope(pairs.time.to_numpy(), pairs.overpotential.to_numpy())) * 1e6
    if np.isfinite(high):
        half = np.hypot(high - drift, 1.96 * tester * drift)
        found.append(
            finding("drift", drift, drift - half, drift + half, "mV per 1000 h", note=f"of the plateau, {when}")
        )
    return found


def _time_to_failure(recording: xr.Dataset, half_cycles: xr.Dataset) -> dict:
    failure = _failure(half_cycles)
    if failure is None:
        lasted = float(recording.time[-1] - recording.time[0]) / 3600
        return finding(
            "time_to_failure", None, lasted, None, "h", note="it did not fail: the test's length is a lower bound"
        )
    failed = half_cycles.isel(segment=failure)
    onset, last_good = (float(failed[name] - recording.time[0]) / 3600 for name in ("onset", "last_good"))
    kinds = list(dict.fromkeys(half_cycles.kind.to_numpy()[failure:]))
    how = ", then ".join(kind for kind in kinds if kind not in ("sustained", "unfinished"))
    return finding("time_to_failure", onset, last_good, onset, "h", note=how)


def plot(recording: xr.Dataset, half_cycles: xr.Dataset, windows: Sequence[float], ax: Axes) -> None:
    """Draw voltage against time, with a zoomed inset of three cycles at each window.

    Parameters
    ----------
    recording : xarray.Dataset
        As for `half_cycles`.
    half_cycles : xarray.Dataset
        From `half_cycles`.
    windows : sequence of float
        Where the insets begin, as shares of the test.
    ax : matplotlib.axes.Axes
    """
    hours, voltage = recording.time.to_numpy() / 3600, recording.voltage.to_numpy() * 1e3
    color = figures.color(recording.attrs["sample"])
    tall = float(np.quantile(np.abs(voltage), 0.99))
    ax.plot(hours, voltage, color=color, linewidth=0.4)
    cycle = 2 * float((half_cycles.end - half_cycles.begin).median()) / 3600
    windows = windows if hours[-1] > 10 * cycle else ()  # in a shorter test there is nothing to zoom into
    ax.set(xlabel="Time / h", ylabel="Voltage / mV", xlim=(0, hours[-1]))
    ax.set_ylim(-1.5 * tall, (5 if windows else 2.5) * tall)
    ticks = [tick for tick in MaxNLocator(4, symmetric=True).tick_values(-tall, tall) if abs(tick) <= 1.3 * tall]
    ax.set_yticks(ticks)
    ax.text(
        0.01,
        0.97,
        figures.label(", ".join(filter(None, (recording.attrs["sample"], recording.attrs["state"])))),
        transform=ax.transAxes,
        va="top",
    )
    width = 1 / len(windows) if windows else 1
    for place, share in enumerate(windows):
        begin = min(share * hours[-1], hours[-1] - 3 * cycle)
        inset = ax.inset_axes((place * width + 0.055, 0.5, width - 0.075, 0.38))
        shown = (hours >= begin) & (hours <= begin + 3 * cycle)
        inset.plot(hours[shown], voltage[shown], color=color)
        inset.set(xlim=(begin, begin + 3 * cycle), ylim=(-2.2 * tall, 1.3 * tall))
        inset.tick_params(labelsize=6)
        inset.tick_params(axis="x", pad=-9)  # the numbers inside, clear of the lines to the window
        ticks_inside = MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(begin, begin + 3 * cycle)
        inset.set_xticks([hour for hour in ticks_inside if 0.3 * cycle < hour - begin < 2.7 * cycle])
        inset.set_yticks(ticks)
        _, *sides = mark_inset(ax, inset, loc1=3, loc2=4, edgecolor="0.3", linewidth=0.5)
        for side, (of_inset, of_window) in zip(sides, ((3, 2), (4, 1)), strict=True):  # lower corners to upper corners
            side.loc1, side.loc2 = of_inset, of_window


def plot_overpotential(pairs: xr.Dataset, sample: str, ax: Axes) -> None:
    """Draw the overpotential of every cycle: a line for the plateau, a band from start to end of the half cycles."""
    color = figures.color(sample)
    if not pairs.sizes["pair"]:
        ax.text(0.5, 0.5, "no sustained cycle", transform=ax.transAxes, ha="center", color="0.4")
        ax.set(xlabel="Time / h", ylabel="Overpotential / mV")
        return
    ax.fill_between(
        pairs.time, pairs.overpotential_start * 1e3, pairs.overpotential_end * 1e3, color=color, alpha=0.3, linewidth=0
    )
    ax.plot(pairs.time, pairs.overpotential * 1e3, color=color)
    ax.set(
        xlabel="Time / h",
        ylabel="Overpotential / mV",
        ylim=(0, 1.2e3 * float(pairs.overpotential_end.max(skipna=True))),
    )
