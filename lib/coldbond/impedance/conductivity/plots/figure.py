"""Blocking-electrode spectra, Arrhenius lines and current transients, drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.gridspec import SubplotSpec
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator, ScalarFormatter
from numpy.typing import ArrayLike
from scipy.constants import zero_Celsius

from coldbond.bundle import conditions, manifest, style
from coldbond.impedance.conductivity.arrhenius import Line
from coldbond.impedance.conductivity.electronic import Steady
from coldbond.impedance.conductivity.ionic import Ionic
from coldbond.impedance.conductivity.pellet import kelvin
from coldbond.impedance.conductivity.plots.spectrum import BAND, FIT, SMALL, THIN, Spectra, decimals, number, nyquist
from coldbond.impedance.plots import layout
from coldbond.impedance.resistance import cell_of
from coldbond.interval import NORMAL, Interval

#: Least 1000 K / T and least temperature [°C] of the axes: matplotlib also converts the margins, where both would
#: divide by zero.
LEAST_INVERSE, LEAST_CELSIUS = 0.1, -270.0
#: Samples of a panel up to which its legend stands inside, at the upper right, which falling curves leave free.
INSIDE = 2
#: Height [mm] of a figure of one row, of a row of spectra and of the row below them; spectra beside each other.
ONE_ROW, SPECTRA, BELOW, COLUMNS = 72.0, 58.0, 66.0, 3

Lines = Mapping[str, Mapping[str, Line]]
Transients = Mapping[str, Steady]


def height(spectra: Spectra, lines: Lines, transients: Transients) -> float:
    """Return the height of the figure, mm."""
    if _in_one_row(spectra, lines, transients):
        return ONE_ROW
    return SPECTRA * -(-len(_conditions(spectra)) // COLUMNS) + BELOW * bool(lines or transients)


def draw(fig: Figure, spectra: Spectra, lines: Lines, transients: Transients) -> None:
    """Draw a panel for each spectrum, one of Arrhenius lines and one of transients, those that there are.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`, of the height that `height` returns.
    spectra : mapping of str to Ionic
        At room temperature.
    lines : mapping of str to mapping of str to Line
        From `arrhenius.lines`.
    transients : mapping of str to Steady
        From `electronic.steady`.
    """
    of_conditions = _conditions(spectra)
    if _in_one_row(spectra, lines, transients):
        grid = fig.add_gridspec(2, len(of_conditions) + bool(lines) + bool(transients), height_ratios=(3.2, 1))
        axes = [nyquist(fig, grid[:, 0], name, own) for name, own in of_conditions.items()]
        axes += _curves(fig, grid, len(axes), spectra, lines, transients)
    else:
        columns = min(COLUMNS, len(of_conditions))
        rows = -(-len(of_conditions) // COLUMNS)
        parts: Any = [fig]
        if rows and (lines or transients):
            parts = fig.subfigures(2, 1, height_ratios=(SPECTRA * rows, BELOW))
        axes = []
        if rows:
            places = parts[0].add_gridspec(rows, columns)
            axes = [
                nyquist(parts[0], places[divmod(at, columns)], name, own)
                for at, (name, own) in enumerate(of_conditions.items())
            ]
        if lines or transients:
            # A column for each panel, and one for the legend beside it.
            many = [len(one) > INSIDE for one in (_of_lines(lines), _conditions(transients)) if one]
            widths = [width for beside in many for width in ((1.0, 0.8) if beside else (1.8,))]
            grid = parts[-1].add_gridspec(2, len(widths), height_ratios=(3.2, 1), width_ratios=widths)
            axes += _curves(parts[-1], grid, 0, spectra, lines, transients)
    style.letters(axes)
    for ax in axes:  # the letters beside the axes, since the axis of temperatures is above
        ax.set_title(
            ax.get_title(loc="left"), loc="left", fontsize=8, fontweight="bold", x=-0.06, y=1, ha="right", pad=4
        )


def _curves(
    fig: Figure | SubFigure, grid: Any, first: int, spectra: Spectra, lines: Lines, transients: Transients
) -> list[Axes]:
    axes = [_arrhenius(fig, grid[:, first], spectra, lines)] if lines else []
    first += bool(lines) + (len(_of_lines(lines)) > INSIDE)
    return axes + ([_transients(fig, grid[:, first], transients)] if transients else [])


def _in_one_row(spectra: Spectra, lines: Lines, transients: Transients) -> bool:
    many = max(len(_of_lines(lines)), len(_conditions(transients)))
    return len(_conditions(spectra)) <= 1 and many <= INSIDE


def _attrs(one: Ionic | Steady) -> dict[str, Any]:
    return one.spectrum.attrs if isinstance(one, Ionic) else one.recording.attrs


def _conditions(measured: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The recordings of each condition, by sample or, where a sample has several states, by sample and state."""
    states: dict[str, set[str]] = {}
    for one in measured.values():
        states.setdefault(_attrs(one)["sample"], set()).add(_attrs(one)["state"])
    found: dict[str, dict[str, Any]] = {}
    for label, one in measured.items():
        attrs = _attrs(one)
        several = len(states[attrs["sample"]]) > 1
        name = manifest.label({**attrs, manifest.REPLICATE: ""}) if several else attrs["sample"]
        found.setdefault(name, {})[label] = one
    return found


def _of_lines(lines: Lines) -> dict[str, dict[str, list[Line]]]:
    """The lines of each sample in both forms, by pellet."""
    found: dict[str, dict[str, list[Line]]] = {}
    for pellet, forms in lines.items():
        found.setdefault(pellet.rpartition(", replicate ")[0] or pellet, {})[pellet] = list(forms.values())
    return found


def _legend(ax: Axes, handles: Sequence[Line2D], title: str = "") -> None:
    """Inside, where the falling curves leave room, or beside the panel."""
    kwargs: dict[str, Any] = dict(handles=handles, title=title, fontsize=SMALL, title_fontsize=SMALL, handlelength=1.0)
    place: dict[str, Any] = dict(loc="upper right", borderaxespad=0.3)
    if len(handles) <= INSIDE:
        bottom, top = ax.get_ylim()
        ax.set_ylim(bottom, top * (top / bottom) ** (0.04 + 0.12 * len(handles)))
    else:
        spec: Any = ax.get_subplotspec()
        ax = ax.figure.add_subplot(spec.get_gridspec()[:, spec.colspan.stop])
        ax.axis("off")
        place = dict(loc="upper left", bbox_to_anchor=(0.0, 1.02), borderaxespad=0.0)
    legend = ax.legend(**kwargs, **place, handletextpad=0.4, labelspacing=0.4, alignment="left")
    legend.set_in_layout(False)


def _handle(name: str, values: str, color: str) -> Line2D:
    return Line2D(
        [], [], marker="o", ms=3, ls="", color=color, label=f"{layout.wrapped(style.label(name), 38)}\n{values}"
    )


def _arrhenius(fig: Figure | SubFigure, place: SubplotSpec, spectra: Spectra, lines: Lines) -> Axes:
    """Conductivity times temperature, whose slope is the activation energy, and below how far points lie off."""
    grid, column = place.get_gridspec(), place.colspan.start
    ax, rest = fig.add_subplot(grid[0, column]), fig.add_subplot(grid[1, column])
    of_samples = _of_lines(lines)
    known = all(np.isfinite(forms["conductivity"].factor) for forms in lines.values())
    handles = []
    for sample, pellets in of_samples.items():
        color, several = style.color(sample), len(pellets) > 1
        of_fit = color if several or len(of_samples) > 1 else FIT
        curves = []
        for pellet, (whole, _) in pellets.items():
            for line in whole.branches or (whole,):
                _line(ax, rest, style.label(pellet), line, known, color, of_fit, several)
            factor = whole.factor if known else 1.0
            curves.append((1e3 / whole.kelvin, factor * whole.conductance * whole.kelvin))
            _compared(ax, rest, pellet, whole, spectra, factor, color)
        if several:
            x, mean, deviation, _ = conditions.mean_curve(*zip(*curves, strict=True))
            ax.errorbar(
                x, mean, deviation, fmt="-o", ms=2.5, lw=1, color=color, label=f"_{style.label(sample)}, mean ± s.d."
            )
        handles.append(_handle(sample, _energies(list(pellets.values())), color))
    ax.set(yscale="log", ylabel="σT / S K cm⁻¹" if known else "T/R / K S")
    span = np.log10(ax.get_ylim()[1] / ax.get_ylim()[0])
    if span < 2 and ax.get_ylim()[0] > 1e-3:
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(ScalarFormatter())
        ax.yaxis.set_minor_locator(NullLocator())
    else:
        style.powers_of_ten(ax.yaxis)
    ax.tick_params(labelbottom=False)
    ax.margins(0.03, 0.08)
    top = ax.secondary_xaxis("top", functions=(_celsius, _inverse))
    top.set_xlabel("Temperature / °C")
    top.tick_params(direction="in")
    rest.axhline(0, color="0.5", linewidth=0.7, zorder=0)
    rest.set(xlim=ax.get_xlim(), xlabel="1000 K / T", ylabel="Off the line\n/ %")
    _legend(ax, handles, "Eₐ(σT), Eₐ(σ) / eV")
    return ax


def _line(ax: Axes, rest: Axes, name: str, line: Line, known: bool, color: str, of_fit: str, several: bool) -> None:
    """The points of a line or of a branch, the line, dashed where they are on none, and how far they lie off."""
    factor, alpha = line.factor if known else 1.0, THIN if several or of_fit == color else 1.0
    x, logarithm = 1e3 / line.kelvin, np.log(line.conductance * line.kelvin)
    ax.plot(
        x,
        factor * np.exp(logarithm),
        "o",
        color=color,
        ms=1.5 if several else 3,
        alpha=alpha,
        label=f"_{name}, measured",
    )
    look: dict[str, Any] = dict(fmt="o", color=color, ms=1.5 if several else 2.5, elinewidth=0.7, capsize=1.5)
    off = 100 * (logarithm - line.logarithm(line.kelvin)[0])
    rest.errorbar(x, off, 100 * NORMAL * line.deviation, **look, alpha=alpha, label=f"_{name}, off the line")
    temperature = np.linspace(line.kelvin.min() - 3, line.kelvin.max() + 3, 80)
    drawn, half = line.logarithm(temperature)
    inverse = 1e3 / temperature
    kind = "--" if line.shape.is_straight is False else "-"
    width = 0.4 if several else 0.7
    ax.plot(inverse, factor * np.exp(drawn), kind, color=of_fit, lw=width, alpha=alpha, label=f"_{name}, line")
    if not several:
        band = np.exp(drawn - half) * factor, np.exp(drawn + half) * factor
        name = f"_{name}, 95 % band"
        ax.fill_between(inverse, *band, color=of_fit, alpha=BAND, linewidth=0, label=name)
        rest.fill_between(inverse, -100 * half, 100 * half, color=of_fit, alpha=BAND, lw=0, label=name)


def _compared(ax: Axes, rest: Axes, pellet: str, line: Line, spectra: Spectra, factor: float, color: str) -> None:
    """The spectra of role conductivity of the same pellet, as open diamonds."""
    for one in spectra.values():
        temperature, resistance = kelvin(one.spectrum), one.resistance
        if cell_of(one.spectrum.attrs) == pellet and np.isfinite(temperature) and resistance.is_bounded:
            look: dict[str, Any] = dict(marker="D", ms=4, mfc="none", mec=color, mew=0.7, ls="")
            conductance = 1 / resistance.numbers[0]
            name = f"_{style.label(pellet)}, spectrum of role conductivity"
            ax.plot(1e3 / temperature, factor * conductance * temperature, **look, label=name)
            if (of := line.at(temperature)) is not None:
                off = np.log(conductance * temperature) - of.logarithm(np.float64(temperature))[0]
                rest.plot(1e3 / temperature, 100 * off, **look, label=name)


def _energies(pellets: Sequence[Sequence[Line]]) -> str:
    """Both activation energies with half widths, of several pellets mean and standard deviation."""
    both = [[line.energy for line in forms] for forms in zip(*pellets, strict=True)]
    bent = sum(any(line.shape.is_straight is False for line in forms) for forms in pellets)
    if len(pellets) == 1:
        if bent:
            forms = [line.branches or (line,) for line in pellets[0]]
            if len(forms[0]) != len(forms[1]) or len(forms[0]) == 1:
                return "no straight line"
            energies = [[of.energy for of in both] for both in zip(*forms, strict=True)]
            pairs = [", ".join(f"{one.value:.3f} ± {one.half_width:.3f}" for one in both) for both in energies]
            return "\n".join(f"{which}: {pair}" for which, pair in zip(("cold", "hot"), pairs, strict=True))
        return ", ".join(f"{one.value:.3f} ± {one.half_width:.3f}" for (one,) in both)
    if bent:
        return f"{bent} of {len(pellets)} pellets on no straight line"
    values = [[one.value for one in of] for of in both]
    return ", ".join(f"{np.mean(of):.3f} ± {np.std(of, ddof=1):.3f}" for of in values) + f" (s.d., n = {len(pellets)})"


def _celsius(inverse: ArrayLike) -> ArrayLike:
    return 1e3 / np.maximum(inverse, LEAST_INVERSE) - zero_Celsius


def _inverse(celsius: ArrayLike) -> ArrayLike:
    return 1e3 / (np.maximum(celsius, LEAST_CELSIUS) + zero_Celsius)


def _transients(fig: Figure | SubFigure, place: SubplotSpec, transients: Transients) -> Axes:
    """The current, its fit, and as a band the interval of what remains."""
    ax = fig.add_subplot(place)
    handles = []
    for name, own in _conditions(transients).items():
        several = len(own) > 1
        for label, one in own.items():
            color = style.color(one.recording.attrs["sample"])
            time, current = one.recording.time.to_numpy(), np.abs(one.recording.current.to_numpy())
            kept, series = (time > 0) & (current > 0), f"_{style.label(label)}"
            points: dict[str, Any] = dict(ms=2, mew=0, alpha=THIN if several else 1, rasterized=True)
            ax.plot(time[kept], current[kept], ".", color=color, label=f"{series}, measured", **points)
            ax.plot(one.time, one.fitted, color=color if several else FIT, linewidth=0.7, label=f"{series}, fit")
            _, low, high = one.current
            if high is not None and low is None:
                ax.axhline(high, color=color, linewidth=0.7, linestyle=":", label=f"{series}, upper bound")
            elif high is not None:
                ax.axhspan(low, high, color=color, alpha=BAND, linewidth=0, label=f"{series}, steady current")
        handles.append(_handle(name, _steadies([one.current for one in own.values()]), color))
    ax.set(xscale="log", yscale="log", xlabel="Time / s", ylabel="Current / A")
    style.powers_of_ten(ax.xaxis, ax.yaxis)
    _legend(ax, handles, "Steady current")
    return ax


def _steadies(currents: Sequence[Interval]) -> str:
    """The steady current with its interval, of several pellets mean and standard deviation."""
    known = [one for one in currents if one.value is not None]
    if len(currents) > 1:
        if len(known) < len(currents):
            return f"{len(known)} of {len(currents)} have a value"
        values = np.array([one.numbers[0] for one in known])
        power = int(np.floor(np.log10(values.mean())))
        mean, deviation = values.mean() / 10.0**power, values.std(ddof=1) / 10.0**power
        digits = decimals(deviation or mean)
        exponent = str(power).translate(style.RAISED)
        return f"({mean:.{digits}f} ± {deviation:.{digits}f}) × 10{exponent} A (s.d., n = {len(values)})"
    (current,) = currents
    if current.high is None:
        return "no steady state"
    return _steady(current) if known else f"below {_power(current.high)} A"


def _steady(interval: Interval) -> str:
    power = int(np.floor(np.log10(interval.numbers[0])))
    value, bounds = number(interval.scaled(10.0**-power)).split(" ", 1)
    return f"{value} × 10{str(power).translate(style.RAISED)} A {bounds}"


def _power(number: float) -> str:
    mantissa, power = f"{number:.1e}".split("e")
    return f"{mantissa} × 10{str(int(power)).translate(style.RAISED)}"
