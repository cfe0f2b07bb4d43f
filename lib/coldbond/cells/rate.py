"""Rate capability: capacity, voltage and polarisation at each discharge current."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from lmfit.model import ModelResult
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy import stats

from coldbond.bundle import figures
from coldbond.bundle.findings import finding
from coldbond.cells import capacity, rate_model

#: Currents that differ by a smaller share are the same rate.
SAME = 0.05


def discharges(table: xr.Dataset, nominal_capacity: float = 170.0, outlier: float = 5.0) -> xr.Dataset:
    """Group the finished discharges of a rate test by their current.

    Parameters
    ----------
    table : xarray.Dataset
        From `capacity.cycles`.
    nominal_capacity : float
        What 1C stands for [mAh/g].
    outlier : float
        Relative distance from the group's median, in robust standard deviations of all groups together, beyond which a
        capacity is an outlier.

    Returns
    -------
    xarray.Dataset
        The discharges of `table` over `cycle`, with `group`, which counts up from 0 wherever the current changes,
        `c_rate` [C] of the group, NaN without a mass, and `outlier`.
    """
    found = table.sel(half="discharge", cycle=table.finished.sel(half="discharge") == 1)
    current = np.abs(found.current.to_numpy())
    group = np.cumsum(np.abs(np.diff(np.log(current), prepend=np.log(current[:1]))) > SAME)
    found = found.assign(group=("cycle", group)).assign_attrs(nominal_capacity=nominal_capacity)
    middle = found.capacity.groupby(found.group).median().sel(group=group).to_numpy()
    distances = found.capacity.to_numpy() / middle - 1
    # the median itself lies at no distance, and in groups of one or two there is no crowd to stand out of
    distances[(distances == 0) | (np.bincount(group)[group] < 3)] = np.nan
    digits = float((found.interval / found.capacity).median()) / 1.96
    c_rate = (
        1e6 * np.abs(found.current).groupby(found.group).median() / found.attrs["active_mass_mg"] / nominal_capacity
    )
    return found.assign(
        c_rate=("cycle", c_rate.sel(group=group).to_numpy()),
        outlier=("cycle", capacity.outliers(distances, outlier, digits)),
    )


def plateaus(found: xr.Dataset, skipped: int = 0) -> xr.Dataset:
    """Return the steady capacity and polarisation of each group of discharges at one current.

    Parameters
    ----------
    found : xarray.Dataset
        From `discharges`.
    skipped : int
        First discharges at each current that are left out, where more follow.

    Returns
    -------
    xarray.Dataset
        Over `group`, outliers left out:

        - `capacity` : mean, in the unit of `found.capacity`
        - `interval` : half of its 95 % interval by Student's t over the cycles, without what all capacities share; of a
          single cycle only what its last digit allows
        - `uncertainty` : standard, with the relative scatter of the cycles of all groups together
        - `polarization`, `polarization_interval` [V] : likewise; NaN where no charge was recorded
        - `cycles` : how many; `example` : number of the one whose capacity is closest to the mean
        - `current` [A] and `c_rate` [C]
        - `rate` [1/h] : the current over the capacity that it drew, the inverse of the time that the discharge took
        - `label` : "0.5C", or the current where there is no mass; `again` : an earlier group had this current
    """
    digits, rows = np.array(found.attrs["polarization_interval"]), []
    for _, members in found.groupby("group"):
        kept = members.isel(cycle=slice(min(skipped, members.sizes["cycle"] - 1), None))
        kept = kept.sel(cycle=~kept.outlier) if not kept.outlier.all() else kept
        value, half_width = _mean(kept.capacity.to_numpy(), kept.interval.to_numpy())
        polarization, polarization_half_width = _mean(kept.polarization.to_numpy(), digits)
        current, c_rate = float(np.abs(kept.current).median()), float(members.c_rate[0])
        rows.append(
            {
                "capacity": value,
                "interval": half_width,
                "polarization": polarization,
                "polarization_interval": polarization_half_width,
                "cycles": kept.sizes["cycle"],
                "example": int(kept.cycle[np.abs(kept.capacity.to_numpy() - value).argmin()]),
                "current": current,
                "c_rate": c_rate,
                "rate": current / float(kept.passed.mean()),
                "label": f"{c_rate:.2g}C" if np.isfinite(c_rate) else f"{1e3 * current:.2g} mA",
                "again": any(abs(row["current"] / current - 1) < SAME for row in rows),
            }
        )
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    columns["uncertainty"] = columns["capacity"] * _scatter(found) / np.sqrt(columns["cycles"])
    levels = xr.Dataset({name: ("group", column) for name, column in columns.items()}, attrs=found.attrs)
    levels.capacity.attrs = found.capacity.attrs
    return levels


def fits(levels: xr.Dataset) -> dict[float | None, ModelResult]:
    """Return `tian.fits` of the plateaus, of those at the same current the first."""
    first = levels.sel(group=~levels.again)
    return rate_model.fits(*(first[name].to_numpy() for name in ("rate", "capacity", "uncertainty")))


def values(levels: xr.Dataset, found: xr.Dataset, fitted: Mapping[float | None, ModelResult]) -> list[dict]:
    """Return what was found in one rate test.

    Parameters
    ----------
    levels, found, fitted
        From `plateaus`, `discharges` and `fits`.

    Returns
    -------
    list of dict
        As `findings.finding` gives them: capacity and polarisation at each rate, recovery, and the model's parameters.
    """
    rows = []
    for number in range(levels.sizes["group"]):
        level = levels.isel(group=number)
        name = level.label.item().replace(" ", "_") + "_again" * level.again.item()
        half_width = np.hypot(level.interval, 1.96 * levels.attrs["common"] * level.capacity)
        note = _remark(found.sel(cycle=found.group == number), level)
        around = _around(level.capacity, half_width)
        rows.append(_row(levels, f"discharge_capacity_{name}", *around, levels.capacity.attrs["units"], note))
        around = 1e3 * np.array(_around(level.polarization, level.polarization_interval))
        note = "between charge and discharge at half capacity" if np.isfinite(around[0]) else "no charge was recorded"
        rows.append(_row(levels, f"polarization_{name}", *around, "mV", note))
    return [*rows, _recovery(levels), *_model_values(levels, fitted)]


def table(levels: Mapping[str, xr.Dataset]) -> pd.DataFrame:
    """Return the plateaus of each cell as text: a row for each rate, in the order of the test."""
    rows = []
    for label, cell in levels.items():
        units = cell.capacity.attrs["units"]
        for level in (cell.isel(group=number) for number in range(cell.sizes["group"])):
            rows.append(
                {
                    "cell": label,
                    "rate": level.label.item(),
                    "current": f"{1e3 * float(level.current):.4f} mA",
                    "cycles": int(level.cycles),
                    "capacity": f"{float(level.capacity):.1f} ± {float(level.interval):.1g} {units}",
                    "discharge takes": f"{60 / float(level.rate):.1f} min",
                }
            )
    return pd.DataFrame(rows).set_index(["cell", "rate"])


def _mean(numbers: np.ndarray, half_widths: np.ndarray) -> tuple[float, float]:
    """Mean and half of its 95 % interval, of the scatter by Student's t and of what each is uncertain by itself."""
    count = numbers.size
    scatter = stats.t.ppf(0.975, count - 1) * stats.sem(numbers) if count > 1 else 0.0
    return float(numbers.mean()), float(np.hypot(scatter, np.sqrt(np.mean(half_widths**2) / count)))


def _scatter(found: xr.Dataset) -> float:
    """Relative standard deviation of single cycles about their group's mean; not less than their digits allow."""
    kept = found.sel(cycle=~found.outlier)
    digits = float((kept.interval / kept.capacity).median()) / 1.96
    ratios = [members.to_numpy() / members.to_numpy().mean() - 1 for _, members in kept.capacity.groupby(kept.group)]
    freedom = sum(members.size - 1 for members in ratios)
    return max(digits, float(np.sqrt(np.sum(np.concatenate(ratios) ** 2) / freedom))) if freedom else digits


def _around(value: xr.DataArray, half_width: xr.DataArray) -> tuple[float, float, float]:
    return float(value), float(value - half_width), float(value + half_width)


def _row(levels: xr.Dataset, quantity: str, value: float, low: float, high: float, unit: str, note: str) -> dict:
    if np.isfinite(low) != np.isfinite(high):  # no width to round by
        low, high = (float(f"{x:.2g}") for x in (low, high))
    value, low, high = (float(x) if np.isfinite(x) else None for x in (value, low, high))
    sample, state = levels.attrs["sample"], levels.attrs["state"]
    return finding(quantity, value, low, high, unit, sample=sample, state=state, note=note)


def _remark(members: xr.Dataset, level: xr.Dataset) -> str:
    outliers = members.cycle[members.outlier.to_numpy()].to_numpy()
    said = ["a single cycle; whether it repeats is not known"]
    if level.cycles > 1:
        scatter = f"±{float(level.interval):.2g} {members.capacity.attrs['units']} by their scatter"
        said = [f"mean of {int(level.cycles)} cycles, {scatter}, the rest common to all rates"]
    for n in outliers:
        first = ", the first at this rate, not settled yet" if n == members.cycle[0] else ""
        said.append(f"without cycle {n}{first}, which stands out")
    return "; ".join(said)


def _recovery(levels: xr.Dataset) -> dict:
    if not levels.again.any():
        note = "the test does not come back to an earlier rate"
        return _row(levels, "capacity_recovery", np.nan, np.nan, np.nan, "%", note)
    last = levels.sel(group=levels.again).isel(group=-1)
    before = levels.isel(group=int(np.argmax(np.abs(levels.current.to_numpy() / last.current.item() - 1) < SAME)))
    ratio = 100 * last.capacity / before.capacity
    half_width = ratio * np.hypot(last.interval / last.capacity, before.interval / before.capacity)
    note = f"back at {last.label.item()}, against the first cycles at it"
    return _row(levels, "capacity_recovery", *_around(ratio, half_width), "%", note)


def _model_values(levels: xr.Dataset, fitted: Mapping[float | None, ModelResult]) -> list[dict]:
    units = {"capacity": levels.capacity.attrs["units"], "tau": "s", "n": "1"}
    quantities = {"capacity": "low_rate_capacity", "tau": "characteristic_time", "n": "rate_exponent"}
    count = int((~levels.again).sum())
    rows = []
    if None not in fitted:
        rates = "1 rate" if count == 1 else f"{count} rates"
        note = f"{rates} cannot determine three parameters: no degree of freedom is left to test the model by"
        rows = [_row(levels, quantities[name], np.nan, np.nan, np.nan, units[name], note) for name in quantities]
    for exponent, result in fitted.items():
        off = f"{float(np.abs(result.data - result.best_fit).max()):.2g} {units['capacity']}"
        note = f"model of Tian et al. through {count} rates, which it misses by up to {off}"
        if exponent is not None:
            note = f"were n {exponent:g}, as {rate_model.LIMITS[exponent]} alone gives: {note}"
        for name, (value, low, high) in rate_model.intervals(result).items():
            factor = 3600 if name == "tau" else 1
            common = 1.96 * levels.attrs["common"] * value if name == "capacity" else 0.0
            low, high = value - np.hypot(value - low, common), value + np.hypot(high - value, common)
            bounded = np.isfinite(low + high)
            triple = factor * np.array([value if bounded else np.nan, low, high])
            said = note if bounded else f"these rates do not determine it; {note}"
            if name == "capacity" and units[name] == "mAh/g" and value > levels.attrs["nominal_capacity"]:
                said += f"; more than the {levels.attrs['nominal_capacity']:g} mAh/g of 1C: the model extrapolates"
            quantity = quantities[name] + ("" if exponent is None else f"_n_{exponent:g}")
            rows.append(_row(levels, quantity, *triple, units[name], said))
    return rows


def draw(
    fig: Figure,
    cells: Mapping[str, xr.Dataset],
    tables: Mapping[str, xr.Dataset],
    found: Mapping[str, xr.Dataset],
    levels: Mapping[str, xr.Dataset],
    fitted: Mapping[str, Mapping[float | None, ModelResult]],
) -> None:
    """Draw a row of three panels for each cell: capacity against cycle, voltage profiles, capacity against rate.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`.
    cells, tables, found, levels, fitted : mapping by the recordings' labels
        From `raw.recordings`, `capacity.cycles`, `discharges`, `plateaus` and `fits`.
    """
    grid = fig.subplots(len(cells), 3, squeeze=False)
    for label, axes in zip(cells, grid, strict=True):
        plot_capacity(axes[0], found[label], levels[label])
        plot_profiles(axes[1], cells[label], tables[label], levels[label])
        plot_model(axes[2], levels[label], fitted[label])
        if len(cells) > 1:
            axes[0].set_title(figures.label(label))
    figures.letters(grid.flat)


def plot_capacity(ax: Axes, found: xr.Dataset, levels: xr.Dataset) -> None:
    """Plot each discharge's capacity against cycle number, the rate written above its group, outliers hollow."""
    for (_, members), level, color in zip(
        found.groupby("group"), levels.label.to_numpy(), _colors(levels), strict=True
    ):
        for outlier, face in ((False, color), (True, "white")):
            some = members.sel(cycle=members.outlier == outlier)
            ax.plot(some.cycle, some.capacity, "o", color=color, mfc=face, mew=0.6)
        place = (float(members.cycle.mean()), float(members.capacity.max()))
        ax.annotate(level, place, (0, 4), textcoords="offset points", ha="center", va="bottom")
    ax.set(xlabel="Cycle number", ylabel=capacity.label(found), ylim=(0, 1.2 * float(found.capacity.max())))
    ax.set_xlim(float(found.cycle[0]) - 0.8, float(found.cycle[-1]) + 0.8)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def plot_profiles(ax: Axes, recording: xr.Dataset, table: xr.Dataset, levels: xr.Dataset) -> None:
    """Plot voltage against capacity of one cycle at each rate, the one nearest to the mean."""
    for number, color in enumerate(_colors(levels)):
        level = levels.isel(group=number)
        if level.again:
            continue
        cycle = table.sel(cycle=level.example)
        for half, label in (("charge", None), ("discharge", level.label.item())):
            if np.isfinite(cycle.passed.sel(half=half)):
                ax.plot(*capacity.profile(recording, cycle.sel(half=half)), color=color, label=label)
    ax.set(xlabel=capacity.label(table), ylabel="Voltage / V")
    ax.legend(loc="lower left", handlelength=1, columnspacing=1, ncols=1 + (len(ax.get_legend_handles_labels()[1]) > 3))


def plot_model(ax: Axes, levels: xr.Dataset, fitted: Mapping[float | None, ModelResult]) -> None:
    """Plot capacity against rate and the fitted model: with its 95 % band, or one line for each exponent held."""
    first = levels.sel(group=~levels.again)
    rates = np.geomspace(float(first.rate.min()) / 3, float(first.rate.max()) * 3, 200)
    for (exponent, result), style in zip(fitted.items(), ("-", "--"), strict=False):
        curve = result.eval(rate=rates)
        n, held = result.params["n"].value, " (held)" if exponent else ""
        label = f"n = {n:.2g}{held}, τ {_in_words(rate_model.intervals(result)['tau'])}"
        ax.plot(rates, curve, style, color="0.4", label=label, zorder=1)
        if exponent is None:
            half_width = result.eval_uncertainty(rate=rates, sigma=0.95)
            ax.fill_between(rates, curve - half_width, curve + half_width, color="0.88", linewidth=0, zorder=0)
    for number, color in enumerate(_colors(levels)):
        level = levels.isel(group=number)
        if not level.again:
            ax.errorbar(level.rate, level.capacity, level.interval, fmt="o", color=color, elinewidth=0.6)
    ax.set(
        xscale="log",
        xlabel="Rate / h⁻¹",
        ylabel=capacity.label(levels),
        ylim=(0, 1.2 * float(first.capacity.max())),
    )
    figures.powers_of_ten(ax.xaxis)
    if fitted:
        ax.legend(loc="lower left", handlelength=1.5)


def _in_words(tau: tuple[float, float, float]) -> str:
    """The 95 % interval of a characteristic time [h] as a legend writes it."""
    _, low, high = (float(f"{3600 * x:.2g}") for x in tau)
    if np.isfinite(low + high):
        return f"= {low:g}–{high:g} s"
    return f"< {high:g} s" if np.isfinite(high) else f"> {low:g} s" if np.isfinite(low) else "not determined"


def _colors(levels: xr.Dataset) -> list[str]:
    """One colour a plateau: darker for a higher current, the same for the same."""
    currents = np.sort(levels.current.to_numpy()[~levels.again.to_numpy()])
    palette = figures.shades(currents.size)
    return [palette[np.abs(currents / current - 1).argmin()] for current in levels.current.to_numpy()]
