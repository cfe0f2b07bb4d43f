"""What the cycles of a full cell say: capacity, coulombic efficiency, retention, fade and polarisation."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy import special

from coldbond import batch_means
from coldbond.bundle import figures
from coldbond.bundle.findings import finding
from coldbond.cells import capacity


def settled(table: xr.Dataset, settling: int = 5, outlier: float = 5.0) -> xr.Dataset:
    """Return the complete cycles that a cell's steady behaviour is taken from.

    Parameters
    ----------
    table : xarray.Dataset
        From `capacity.cycles`.
    settling : int
        Cycles at the beginning that are left out, while the cell settles.
    outlier : float
        Distance from the cycles around, in robust standard deviations, beyond which the discharge capacity or the
        coulombic efficiency of a cycle is an outlier.

    Returns
    -------
    xarray.Dataset
        Those cycles of `table`, outliers among them marked in `outlier`.
    """
    kept = table.sel(cycle=table.complete & (table.cycle > settling))
    stands_out = np.zeros(kept.sizes["cycle"], dtype=bool)
    for series, half_width in (
        (kept.capacity.sel(half="discharge"), kept.interval.sel(half="discharge")),
        (kept.coulombic_efficiency, kept.efficiency_interval),
    ):
        floor = float(half_width.median()) / 1.96 if kept.sizes["cycle"] else 0.0
        stands_out |= capacity.outliers(capacity.residuals(series.to_numpy()), outlier, floor)
    return kept.assign(outlier=("cycle", stands_out))


def scatter(steady: xr.Dataset) -> float:
    """Return how single discharge capacities scatter about a smooth fade, a parabola (a line for under six cycles).

    Parameters
    ----------
    steady : xarray.Dataset
        From `settled`.

    Returns
    -------
    float
        Standard deviation, in the unit of the capacities, larger for few cycles so that 1.96 of it are 95 % by
        Student's t; NaN for fewer than three. A swing over many cycles, as of a room's temperature, counts in full.
    """
    kept = steady.sel(cycle=~steady.outlier)
    degree = 2 if kept.sizes["cycle"] >= 6 else 1
    freedom = kept.sizes["cycle"] - degree - 1
    if freedom < 1:
        return np.nan
    capacities = kept.capacity.sel(half="discharge").to_numpy()
    smooth = np.polynomial.Polynomial.fit(kept.cycle.to_numpy(), capacities, degree)(kept.cycle.to_numpy())
    deviation = np.sqrt(np.sum((capacities - smooth) ** 2) / freedom)
    return float(deviation * special.stdtrit(freedom, 0.975) / 1.96)


def retention(table: xr.Dataset, after: int, scatter: float = 0.0) -> dict[str, tuple[float, float]]:
    """Compare the discharge capacity of one cycle with that of earlier ones.

    Parameters
    ----------
    table : xarray.Dataset
        From `capacity.cycles`.
    after : int
        The cycle to compare, a complete one.
    scatter : float
        Standard deviation of single capacities, in their unit; see `scatter`.

    Returns
    -------
    dict of str to (float, float)
        Retention [%] and half of its 95 % interval, against the "first" complete cycle, the "best" one and the
        "mean_of_first_three".

    Notes
    -----
    Mass and the tester's gain cancel. What remains is the last digit and how single cycles scatter, as the temperature
    of the room makes them: a capacity is the cell's only as far as the next cycle would repeat it. The best of many
    cycles is in part the luckiest, so that the retention against it comes out low.
    """
    kept = table.sel(cycle=table.complete, half="discharge")
    reached, each = float(kept.capacity.sel(cycle=after)), kept.capacity.to_numpy()
    single = np.fmax(scatter, float((kept.random / kept.passed * kept.capacity).median()))
    found = {}
    for name, reference in {"first": each[:1], "best": each[[each.argmax()]], "mean_of_first_three": each[:3]}.items():
        ratio = reached / reference.mean()
        relative = single * np.hypot(1 / reached, 1 / reference.mean())  # three in a row scatter together
        found[name] = (100 * ratio, 196 * ratio * relative)
    return found


def values(
    table: xr.Dataset,
    panel: str = "capacity",
    settling: int = 5,
    outlier: float = 5.0,
    capacity_after: int = 100,
    retention_after: int = 110,
    stable_within: float = 0.1,
    retention_against: str = "first",
) -> list[dict]:
    """Return what was found in one full cell.

    Parameters
    ----------
    table : xarray.Dataset
        From `capacity.cycles`.
    panel : {"capacity", "polarization"}
        Which findings.
    settling, outlier
        As for `settled`.
    capacity_after, retention_after : int
        Cycles of which the paper states the capacity and the retention.
    stable_within : float
        A polarisation is stable if its 95 % interval lies within a change of this share over the test.
    retention_against : {"first", "best", "mean_of_first_three"}
        The cycle or cycles that 100 % are.

    Returns
    -------
    list of dict
        As `findings.finding` gives them.
    """
    if panel not in ("capacity", "polarization"):
        raise ValueError(f"panel is {panel!r}: give capacity or polarization")
    steady = settled(table, settling, outlier)
    if panel == "polarization":
        return _polarization_values(table, steady, stable_within)
    return [
        *_capacity_values(table),
        *_retention_values(table, steady, capacity_after, retention_after, retention_against),
        *_trend_values(table, steady, settling),
    ]


def table(tables: Mapping[str, xr.Dataset], shown: Sequence[int]) -> pd.DataFrame:
    """Return capacities, coulombic efficiency and polarisation of the shown cycles of each cell, as text."""
    rows = {}
    for label, cycles in tables.items():
        units = cycles.capacity.attrs["units"]
        for n in [n for n in (0, *shown) if n in cycles.cycle]:
            one = cycles.sel(cycle=n)
            charge, discharge = one.capacity.to_numpy()
            rows[label, n] = {
                "charge": f"{charge:.4g} {units}",
                "discharge": f"{discharge:.4g} {units}",
                "efficiency": f"{float(one.coulombic_efficiency):.2f} %",
                "polarisation": f"{1e3 * float(one.polarization):.1f} mV",
            }
    found = pd.DataFrame.from_dict(rows, orient="index").rename_axis(["cell", "cycle"])
    return found.replace(r"^nan .*", "—", regex=True)


def _row(table: xr.Dataset, quantity: str, value: float, half_width: float, unit: str, note: str = "") -> dict:
    value, half_width = float(value), float(half_width)
    bounded = np.isfinite(value) and np.isfinite(half_width)
    return finding(
        quantity,
        value if np.isfinite(value) else None,
        value - half_width if bounded else None,
        value + half_width if bounded else None,
        unit,
        sample=table.attrs["sample"],
        state=table.attrs["state"],
        note=note,
    )


def _absent(table: xr.Dataset, quantity: str, cycle: int, unit: str) -> dict:
    return _row(table, quantity, np.nan, np.nan, unit, f"cycle {cycle} is not in this recording, or unfinished")


def _capacity_values(table: xr.Dataset) -> list[dict]:
    rows = []
    if table.cycle[0] == 0:  # the formation of a cell that starts with a discharge
        rows = [_capacity_row(table, "formation_discharge_capacity", "discharge", 0), _initial_efficiency(table)]
    rows += [_capacity_row(table, f"{half}_capacity_first_cycle", half, 1) for half in ("charge", "discharge")]
    if table.attrs["counted"]:
        rows += [_integral_row(table, half) for half in ("charge", "discharge")]
    return rows


def _capacity_row(
    table: xr.Dataset, quantity: str, half: str, cycle: int, scatter: float = 0.0, note: str = ""
) -> dict:
    unit = table.capacity.attrs["units"]
    if cycle not in table.cycle or table.finished.sel(half=half, cycle=cycle) != 1:
        return _absent(table, quantity, cycle, unit)
    one = table.sel(half=half, cycle=cycle)
    common = 1.96 * table.attrs["common"]
    how = "tester's counter" if table.attrs["counted"] else "integral of the current"
    sources = "current and mass" if unit == "mAh/g" else "current"
    shared = f"{how}; ±{100 * common:.2g} % from the {sources}, alike in all cycles"
    if "tester_cycle" in one and one.tester_cycle != cycle:
        shared = f"cycle {int(one.tester_cycle)} by the tester's own count; {shared}"
    half_width = np.sqrt(one.interval**2 + (common * one.capacity) ** 2 + np.nan_to_num(1.96 * scatter) ** 2)
    return _row(table, quantity, one.capacity, half_width, unit, "; ".join(filter(None, [shared, note])))


def _initial_efficiency(table: xr.Dataset) -> dict:
    charged, discharged = table.sel(half="charge", cycle=1), table.sel(half="discharge", cycle=0)
    ratio = 100 * charged.capacity / discharged.capacity
    relative = np.hypot(charged.interval / charged.capacity, discharged.interval / discharged.capacity)
    note = "the first charge over the discharge before it, as is usual where the working electrode is an anode"
    return _efficiency_row(table, "initial_coulombic_efficiency", ratio, ratio * relative, note)


def _efficiency_row(table: xr.Dataset, quantity: str, value: float, half_width: float, note: str) -> dict:
    # calibrations of the two directions differ by about what each is off, so that the gain does not cancel here
    directions = 1.96 * table.attrs["current_uncertainty"] * value
    said = f"{note}; of the interval ±{float(directions):.2g} % are the tester's, which may be off otherwise in charge"
    return _row(table, quantity, value, np.hypot(half_width, directions), "%", said)


def _integral_row(table: xr.Dataset, half: str) -> dict:
    first = table.sel(half=half).isel(cycle=int(np.isfinite(table.passed.sel(half=half).to_numpy()).argmax()))
    factor = float(first.capacity / first.passed)
    current, digit = 1e3 * abs(float(first.current)), 1e3 * table.attrs["current_digit"]
    note = (
        f"cycle {int(first.cycle)}, beside the counter: a current written as {current:.4g} mA, to {digit:.1g} mA, "
        f"is {current - digit / 2:.6g} to {current + digit / 2:.6g} mA, and more records do not tell which"
    )
    value = factor * first.integral
    half_width = np.hypot(factor * first.integral_half_width, 1.96 * table.attrs["common"] * value)
    return _row(table, f"{half}_capacity_by_integral", value, half_width, table.capacity.attrs["units"], note)


def _retention_values(
    table: xr.Dataset, steady: xr.Dataset, capacity_after: int, retention_after: int, retention_against: str
) -> list[dict]:
    complete = table.cycle[table.complete.to_numpy()].to_numpy()
    single = scatter(steady)
    rows = [_row(table, "complete_cycles", complete.size, np.nan, "1", _remarks(table, steady))]
    for name, (value, half_width) in (retention(table, complete[-1], single) if complete.size else {}).items():
        note = f"cycle {complete[-1]} against the {name.replace('_', ' ')}"
        rows.append(_row(table, f"retention_against_{name}", value, half_width, "%", note))
    quantity, note = f"retention_cycle_{retention_after}", ""
    if retention_after in complete:
        value, half_width = retention(table, retention_after, single)[retention_against]
        reached = float(table.capacity.sel(half="discharge", cycle=retention_after))
        whole = 100 * reached / value
        reached = f"{reached:#.4g} {table.capacity.attrs['units']} at cycle {retention_after}"
        note = f"{value:.1f} % of {whole:#.4g} is {reached}"
        rows.append(
            _row(table, quantity, value, half_width, "%", f"against the {retention_against.replace('_', ' ')}: {note}")
        )
    else:
        rows.append(_absent(table, quantity, retention_after, "%"))
    quantity = f"discharge_capacity_cycle_{capacity_after}"
    return [*rows, _capacity_row(table, quantity, "discharge", capacity_after, single, note)]


def _remarks(table: xr.Dataset, steady: xr.Dataset) -> str:
    kinds = {
        "unfinished and left out": table.cycle[(table.finished == 0).any("half").to_numpy()],
        "paused, its charge counted through": table.cycle[(table.rests > 0).any("half").to_numpy()],
        "standing out, left out of means and trends": steady.cycle[steady.outlier.to_numpy()],
    }
    numbers = {what: ", ".join(str(int(n)) for n in cycles) for what, cycles in kinds.items()}
    return "; ".join(f"cycle {listed} {what}" for what, listed in numbers.items() if listed)


def _trend_values(table: xr.Dataset, steady: xr.Dataset, settling: int) -> list[dict]:
    if not table.complete.any():
        return []
    first = table.sel(cycle=table.complete).isel(cycle=0)
    kept = steady.sel(cycle=~steady.outlier)
    reference = float(first.capacity.sel(half="discharge")) / 100
    slope, low, _ = np.array(batch_means.slope(kept.cycle, kept.capacity.sel(half="discharge"))) / reference
    mean, mean_low, _ = batch_means.mean(kept.coulombic_efficiency)
    rounding = kept.coulombic_efficiency * np.sqrt(((kept.rounding / kept.passed) ** 2).sum("half"))
    basis = f"{kept.sizes['cycle']} complete cycles after the first {settling}"
    fade = f"share of the first capacity that a cycle costs; straight line through {basis}"
    convention = "discharge over the charge before it"
    steadily = np.hypot(mean - mean_low, rounding.fillna(0).sum() / max(kept.sizes["cycle"], 1))
    one = (first.coulombic_efficiency, first.efficiency_interval)
    return [
        _row(table, "capacity_fade_per_cycle", -slope, slope - low, "%", fade),
        _efficiency_row(table, "coulombic_efficiency_first_cycle", *one, convention),
        _efficiency_row(table, "coulombic_efficiency", mean, steadily, f"{convention}; mean of {basis}"),
    ]


def _polarization_values(table: xr.Dataset, steady: xr.Dataset, stable_within: float) -> list[dict]:
    complete, kept = table.sel(cycle=table.complete), steady.sel(cycle=~steady.outlier)
    digits = 1e3 * table.attrs["polarization_interval"]
    rows = []
    for name, place in (("first", slice(0, 1)), ("last", slice(-1, None))):
        for number, value in zip(complete.cycle[place], complete.polarization[place], strict=True):
            rows.append(_row(table, f"polarization_{name}_cycle", 1e3 * value, digits, "mV", f"cycle {int(number)}"))
    if kept.sizes["cycle"] < 3:
        note = f"{kept.sizes['cycle']} complete cycles after the cell has settled are too few"
        return [*rows, _row(table, "polarization_stable", np.nan, np.nan, "", note)]
    mean, mean_low, _ = 1e3 * np.array(batch_means.mean(kept.polarization))
    slope, low, _ = 1e3 * np.array(batch_means.slope(kept.cycle, kept.polarization))
    span = int(kept.cycle[-1] - kept.cycle[0])
    change, margin = 100 * span * np.array([slope, slope - low]) / mean
    within = np.array([abs(change) + margin, abs(change) - margin]) <= 100 * stable_within
    note = f"changes by {change:.2g} ± {margin:.2g} % over {span} cycles; stable is within ±{100 * stable_within:g} %"
    stable = bool(within[0]) if within[0] == within[1] else None
    return [
        *rows,
        _row(table, "polarization", mean, np.hypot(mean - mean_low, digits), "mV", "mean of the settled cycles"),
        _row(table, "polarization_change", change, margin, "%", f"straight line over {span} cycles"),
        _row(table, "polarization_stable", np.nan, np.nan, "", note) | {"value": stable},
    ]


def draw(
    fig: Figure,
    panel: str,
    cells: Mapping[str, xr.Dataset],
    tables: Mapping[str, xr.Dataset],
    shown: Sequence[int],
    stable_within: float = 0.1,
) -> None:
    """Draw one row of panels for each full cell.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`.
    panel : {"capacity", "polarization"}
        Capacity and coulombic efficiency against cycle number; or voltage profiles, and polarisation beside them.
    cells, tables : mapping of str to xarray.Dataset
        The recordings as `raw.recordings` gives them, and `capacity.cycles` of each.
    shown : sequence of int
        Cycles whose voltage profiles are drawn beside the first and the last.
    stable_within : float
        As for `values`.
    """
    grid = fig.subplots(len(cells), 1 if panel == "capacity" else 2, squeeze=False)
    for (label, table), axes in zip(tables.items(), grid, strict=True):
        if panel == "capacity":
            plot_capacity(axes[0], table)
        else:
            plot_profiles(axes[0], cells[label], table, shown)
            plot_polarization(axes[1], table, stable_within)
        if len(cells) > 1:
            axes[0].set_title(figures.label(label))
    figures.letters(grid.flat)


def plot_capacity(ax: Axes, table: xr.Dataset) -> None:
    """Plot the capacities on the left axis and the coulombic efficiency on a right one, against cycle number."""
    color = figures.color(table.attrs["sample"])
    finished = table.where(table.finished == 1)
    for half, face, size in (("charge", "white", 2.8), ("discharge", color, 1.8)):
        one, style = finished.sel(half=half), dict(fmt="o", color=color, mfc=face, mew=0.6, ms=size, elinewidth=0.6)
        ax.errorbar(table.cycle, one.capacity, one.interval, label=half.capitalize(), **style)
    handles, efficiency = ax.get_legend_handles_labels()[0], table.coulombic_efficiency.where(table.complete)
    if np.isfinite(efficiency).any():
        right = ax.twinx()
        style = dict(color="0.45", mfc="white", mew=0.6, ms=2.2)
        handles += right.plot(table.cycle, efficiency, "D", label="Coulombic efficiency", **style)
        lowest = np.nanmin(efficiency.to_numpy(), initial=60)
        right.set(ylabel="Coulombic efficiency / %", ylim=(lowest - 10, 104))
    ax.set(xlabel="Cycle number", ylabel=capacity.label(table), ylim=(0, 1.3 * float(finished.capacity.max())))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    common = f"±{196 * table.attrs['common']:.2g} % common to all capacities"
    ax.legend(handles=handles, loc="lower left", title=common, alignment="left")


def plot_profiles(ax: Axes, recording: xr.Dataset, table: xr.Dataset, shown: Sequence[int]) -> None:
    """Plot voltage against capacity of the first and last cycle and the shown ones, their finished halves."""
    held = table.cycle[(table.finished == 1).any("half").to_numpy()].to_numpy()
    chosen = sorted({n for n in shown if n in held} | {held[0], held[-1]})
    for n, color in zip(chosen, figures.shades(len(chosen)), strict=True):
        halves = table.sel(cycle=n)
        for half in halves.half[(halves.finished == 1).to_numpy()].to_numpy():
            ax.plot(*capacity.profile(recording, halves.sel(half=half)), color=color, label=str(n))
    ax.set(xlabel=capacity.label(table), ylabel="Voltage / V")
    handles = dict(zip(reversed(ax.get_legend_handles_labels()[1]), reversed(ax.lines), strict=True))
    ax.legend([handles[str(n)] for n in chosen], chosen, title="Cycle", ncols=2, handlelength=1)


def plot_polarization(ax: Axes, table: xr.Dataset, stable_within: float) -> None:
    """Plot the voltage between charge and discharge at half capacity against cycle number."""
    polarization = 1e3 * table.polarization[table.complete.to_numpy()]
    if polarization.size:
        middle = float(polarization.median())
        ax.axhspan(middle * (1 - stable_within), middle * (1 + stable_within), color="0.92", linewidth=0)
        place, side = ax.get_yaxis_transform(), dict(va="bottom", ha="right", color="0.4")
        ax.text(0.98, middle * (1 + stable_within), f"±{100 * stable_within:g} %", transform=place, **side)
        ax.set_ylim(0, 1.4 * float(polarization.max()))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    else:
        ax.text(0.5, 0.5, "no complete cycle", transform=ax.transAxes, ha="center", va="center", color="0.4")
        ax.set(xticks=[], yticks=[])
    ax.plot(polarization.cycle, polarization, "o", color=figures.color(table.attrs["sample"]), mec="none", ms=2.4)
    ax.set(xlabel="Cycle number", ylabel="Polarisation at half capacity / mV")
