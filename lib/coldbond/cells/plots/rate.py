"""Figures of rate tests: capacity against cycle number, voltage profiles, capacity against rate with the model."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import xarray as xr
from lmfit.model import ModelResult
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from coldbond.bundle import conditions, style
from coldbond.cells import capacity, rate_model
from coldbond.cells.plots import layout
from coldbond.cells.plots.full_cell import capacity_label, groups_of
from coldbond.cells.rate import RateTest
from coldbond.interval import CONFIDENCE, Interval

#: Height of a row [mm]; rows of less than `LOW` have an axis label at the bottom of the figure only.
ROW, LOW = 60.0, 40.0

Fits = Mapping[float | None, ModelResult]


def height(tests: Mapping[str, RateTest]) -> float:
    """Return the height [mm] of the figure that `draw` fills."""
    return layout.height(len(groups_of({label: test.table for label, test in tests.items()})), ROW)


def draw(fig: Figure, cells: Mapping[str, xr.Dataset], tests: Mapping[str, RateTest]) -> None:
    """Draw a row of three panels for each cell, or each condition of several.

    They show capacity against cycle, voltage profiles, and capacity against rate.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`, with double width.
    cells, tests : mapping by the recordings' labels
        From `raw.recordings` and `rate.analyse`.
    """
    groups = groups_of({label: test.table for label, test in tests.items()})
    grid = fig.subplots(len(groups), 3, squeeze=False)
    for (name, labels), axes in zip(groups.items(), grid, strict=True):
        levels = {label: tests[label].levels for label in labels}
        plot_capacity(axes[0], {label: tests[label].found for label in labels}, levels)
        plot_profiles(
            axes[1],
            {label: cells[label] for label in labels},
            {label: tests[label].table for label in labels},
            levels,
        )
        plot_model(axes[2], levels, {label: tests[label].fitted for label in labels})
        if len(groups) > 1 or len(labels) > 1:
            counted = f", n = {len(labels)}" if len(labels) > 1 else ""
            title = style.label(labels[0] if len(labels) == 1 else name) + counted
            layout.title(axes[0], title, 50 if 3 * len(groups) <= layout.NUMBERED else 95)  # clear of the next number
    if height(tests) < LOW * len(groups):
        for ax in grid[:-1].flat:
            ax.set_xlabel("")
        for first, profiles, model in grid:
            profiles.get_legend().remove()  # its colours are those of the rates in the first panel
            first.set_ylim(first.get_ylim()[0], 1.2 * first.get_ylim()[1])
            for ax in (first, model):
                ax.set_ylabel(ax.get_ylabel().replace(" / ", "\n/ "))
    layout.number(grid)


def plot_capacity(ax: Axes, found: Mapping[str, xr.Dataset], levels: Mapping[str, xr.Dataset]) -> None:
    """Plot each discharge's capacity against cycle number, the rate written above its group, outliers hollow.

    Of several cells: a faint point each, and the mean with its standard deviation of those at the same rate.
    """
    single = len(found) == 1
    colors = _colors(levels.values())
    tops: dict[str, list[tuple[float, float]]] = {}
    curves: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for label, cell in found.items():
        for (_, members), level in zip(cell.groupby("group"), levels[label].label.to_numpy(), strict=True):
            color = colors[level]
            for outlier, face in ((False, color), (True, "white")):
                some = members.sel(cycle=members.outlier == outlier)
                what = f"_{label}, {level}{', outlier' if outlier else ''}"
                (points,) = ax.plot(some.cycle, some.capacity, "o", color=color, mfc=face, mew=0.6, label=what)
                if not single:
                    points.set(markersize=2, alpha=0.45)
            kept = members.sel(cycle=~members.outlier)
            curves.setdefault(level, []).append((kept.cycle.to_numpy(), kept.capacity.to_numpy()))
            tops.setdefault(level, []).append((float(members.cycle.mean()), float(members.capacity.max())))
    _write_rates(ax, tops, len(found))
    if not single:
        handle = None
        for level, own in curves.items():
            x, mean, deviation, n = conditions.mean_curve(*zip(*own, strict=True))
            if x.size:
                what = f"mean ± s.d. ({layout.counted(n)})"
                drawn = ax.errorbar(
                    x,
                    mean,
                    deviation,
                    label=f"_{level}, {what}",
                    fmt="o",
                    color=colors[level],
                    ms=2.6,
                    elinewidth=0.8,
                    capsize=1.2,
                )
                handle = handle or (drawn, what)
        if handle:
            ax.legend([handle[0]], [handle[1]], loc="lower left", handlelength=1)
    first = next(iter(found.values()))
    highest = max(float(cell.capacity.max()) for cell in found.values())
    ax.set(xlabel="Cycle number", ylabel=capacity_label(first), ylim=(-0.03 * highest, 1.25 * highest))
    ends = [float(cell.cycle[place]) for cell in found.values() for place in (0, -1)]
    ax.set_xlim(min(ends) - 0.8, max(ends) + 0.8)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_locator(MaxNLocator(7 if single else 5))


def _write_rates(ax: Axes, tops: Mapping[str, Sequence[tuple[float, float]]], cells: int) -> None:
    """Write each rate above its points, at every time that the test comes back to it."""
    for level, places in tops.items():
        visits = len(places) // cells if len(places) % cells == 0 else 1
        for visit in range(visits):
            own = places[visit::visits]
            place = (float(np.mean([x for x, _ in own])), max(y for _, y in own))
            ax.annotate(
                level.replace(" charged at ", "\ncharge "),
                place,
                (0, 4),
                textcoords="offset points",
                ha="center",
                va="bottom",
            )


def plot_profiles(
    ax: Axes, cells: Mapping[str, xr.Dataset], tables: Mapping[str, xr.Dataset], levels: Mapping[str, xr.Dataset]
) -> None:
    """Plot voltage against capacity of one cycle of each cell at each rate, the one nearest to the mean."""
    colors = _colors(levels.values())
    handles = {}
    for label, own in levels.items():
        for number in range(own.sizes["group"]):
            level = own.isel(group=number)
            if level.again:
                continue
            cycle, name = tables[label].sel(cycle=level.example), level.label.item()
            for half in ("charge", "discharge"):
                if np.isfinite(cycle.passed.sel(half=half)):
                    curve = capacity.profile(cells[label], cycle.sel(half=half))
                    width = 0.8 if len(cells) == 1 else 0.45
                    what = f"_{label}, {name}, {half}"
                    (handles[name],) = ax.plot(*curve, color=colors[name], linewidth=width, label=what)
    ax.set(xlabel=capacity_label(next(iter(tables.values()))), ylabel="Voltage / V")
    names = [name for name in colors if name in handles]
    columns = 1 + (len(names) > 3)
    ax.legend(
        [handles[name] for name in names], names, loc="lower left", handlelength=1, columnspacing=1, ncols=columns
    )


def plot_model(ax: Axes, levels: Mapping[str, xr.Dataset], fitted: Mapping[str, Fits]) -> None:
    """Plot capacity against rate and the fitted model: with its 95 % band, or one line for each exponent held.

    Of several cells: a faint point and a thin line each, and the mean with its standard deviation at each rate.
    """
    single = len(levels) == 1
    colors = _colors(levels.values())
    points: dict[str, list[tuple[float, float]]] = {}
    highest = 0.0
    for label, own in levels.items():
        first = own.sel(group=~own.again)
        highest = max(highest, float(first.capacity.max()))
        _plot_fits(ax, first, fitted[label], label, single)
        for number in range(first.sizes["group"]):
            level = first.isel(group=number)
            name, place = level.label.item(), (float(level.rate), float(level.capacity))
            points.setdefault(name, []).append(place)
            half_width, what = float(level.capacity_half_width), f"_{label}, {name}"
            drawn = ax.errorbar(*place, half_width, fmt="o", color=colors[name], elinewidth=0.6, label=what)
            if not single:
                drawn.lines[0].set(markersize=2, alpha=0.45)
    for name, places in points.items() if not single else ():
        rates, capacities = np.transpose(places)
        if rates.size > 1:
            what = f"_{name}, mean ± s.d. (n = {rates.size})"
            ends = (np.std(capacities, ddof=1), np.std(rates, ddof=1))
            ax.errorbar(
                rates.mean(), capacities.mean(), *ends, fmt="o", color=colors[name], ms=2.6, elinewidth=0.8, label=what
            )
    unit = capacity_label(next(iter(levels.values())))
    ax.set(xscale="log", xlabel="Rate / h⁻¹", ylabel=unit, ylim=(-0.03 * highest, 1.25 * highest))
    low, high = ax.get_xlim()
    if high < 12 * low:  # at least a decade, for the labels of the axis
        ax.set_xlim(np.sqrt(low * high / 12), np.sqrt(low * high * 12))
    style.powers_of_ten(ax.xaxis)
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.yaxis.set_major_locator(MaxNLocator(7 if single else 5))
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="lower left", handlelength=1.5)


def _plot_fits(ax: Axes, first: xr.Dataset, fitted: Fits, name: str, single: bool) -> None:
    rates = np.geomspace(float(first.rate.min()) / 3, float(first.rate.max()) * 3, 200)
    for (exponent, result), line in zip(fitted.items(), ("-", "--"), strict=False):
        curve = result.eval(rate=rates)
        held = "" if exponent is None else f", n = {exponent:g} held"
        if not single:
            taken = held in {text.removeprefix("model of each cell") for text in ax.get_legend_handles_labels()[1]}
            label = f"_{name}, model{held}" if taken else f"model of each cell{held}"
            ax.plot(rates, curve, line, color="0.4", linewidth=0.4, label=label, zorder=1)
            continue
        n = result.params["n"].value
        label = f"n = {n:.2g}{' (held)' if exponent else ''}, τ {_in_words(rate_model.intervals(result)['tau'])}"
        ax.plot(rates, curve, line, color="0.4", label=label, zorder=1)
        if exponent is None:
            half_width = result.eval_uncertainty(rate=rates, sigma=CONFIDENCE)
            band = (curve - half_width, curve + half_width)
            ax.fill_between(rates, *band, color="0.88", linewidth=0, zorder=0, label="_95 % band of the model")


def _in_words(tau: Interval) -> str:
    """Return the 95 % interval of a characteristic time [h] as a legend shows it."""
    low, high = (None if end is None else f"{float(f'{3600 * end:.2g}'):g}" for end in (tau.low, tau.high))
    if low is not None and high is not None:
        return f"= {low}–{high} s"
    return f"< {high} s" if high is not None else f"> {low} s" if low is not None else "not determined"


def _colors(levels: Iterable[xr.Dataset]) -> dict[str, str]:
    """Return the colour of each rate by its label: darker for a higher current, the same for the same rate."""
    currents: dict[str, float] = {}
    for own in levels:
        for name, current in zip(own.label.to_numpy().tolist(), own.current.to_numpy().tolist(), strict=True):
            currents.setdefault(name, current)
    names = sorted(currents, key=lambda name: currents[name])
    return dict(zip(names, style.shades(len(names)), strict=True))
