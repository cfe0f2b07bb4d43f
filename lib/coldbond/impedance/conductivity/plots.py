"""Blocking-electrode spectra, Arrhenius lines and current transients, drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.gridspec import SubplotSpec
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, ScalarFormatter, StrMethodFormatter
from numpy.typing import ArrayLike
from scipy.constants import zero_Celsius

from coldbond.bundle import conditions, manifest, style
from coldbond.impedance import circuits, sweeps
from coldbond.impedance.conductivity.arrhenius import Line
from coldbond.impedance.conductivity.electronic import Steady
from coldbond.impedance.conductivity.ionic import Ionic
from coldbond.impedance.plots import layout
from coldbond.interval import NORMAL, Interval

FIT, FAILS = "#D55E00", "#CC79A7"  # vermilion and purple of Wong (2011, doi 10.1038/nmeth.1618)
BAND = 0.25  # opacity of an interval
THIN = 0.45  # opacity of the pellets of a condition
#: Shares of the resistance: -Im Z up to which points belong to the enlarged fast end, and the least width of its panel.
FAST, LEAST = 0.4, 0.45
FEWEST = 3  # points of a fast end that is enlarged
SMALL = 6  # font size of labels within a panel, points
#: Least 1000 K / T and least temperature [°C] of the axes: matplotlib also converts the margins, where both would
#: divide by zero.
LEAST_INVERSE, LEAST_CELSIUS = 0.1, -270.0
#: Samples of a panel up to which its legend stands inside, at the upper right, which falling curves leave free.
INSIDE = 2
#: Height [mm] of a figure of one row, of a row of spectra and of the row below them; spectra beside each other; width
#: and height [mm] of a spectrum's panel and of a frequency.
ONE_ROW, SPECTRA, BELOW, COLUMNS = 72.0, 58.0, 66.0, 3
PANEL, LETTERS = 46.0, (1.3, 2.6)
#: The inset with the whole spectrum: left, bottom, width, height, as shares of the panel.
INSET = (0.13, 0.62, 0.28, 0.28)
#: Where the tail of the least resistance begins, and the room for those of others, as shares of the panel.
TAILS, SPREAD = 0.46, 0.4

Spectra = Mapping[str, Ionic]
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
        axes = [_nyquist(fig, grid[:, 0], name, own) for name, own in of_conditions.items()]
        axes += _curves(fig, grid, len(axes), lines, transients)
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
                _nyquist(parts[0], places[divmod(at, columns)], name, own)
                for at, (name, own) in enumerate(of_conditions.items())
            ]
        if lines or transients:
            # A column for each panel, and one for the legend beside it.
            many = [len(one) > INSIDE for one in (_of_lines(lines), _conditions(transients)) if one]
            widths = [width for beside in many for width in ((1.0, 0.8) if beside else (1.8,))]
            grid = parts[-1].add_gridspec(2, len(widths), height_ratios=(3.2, 1), width_ratios=widths)
            axes += _curves(parts[-1], grid, 0, lines, transients)
    style.letters(axes)
    for ax in axes:  # the letters beside the axes, since the axis of temperatures is above
        ax.set_title(
            ax.get_title(loc="left"), loc="left", fontsize=8, fontweight="bold", x=-0.06, y=1, ha="right", pad=4
        )


def _curves(fig: Figure | SubFigure, grid: Any, first: int, lines: Lines, transients: Transients) -> list[Axes]:
    axes = [_arrhenius(fig, grid[:, first], lines)] if lines else []
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


def _nyquist(fig: Figure | SubFigure, place: SubplotSpec, name: str, own: Spectra) -> Axes:
    """The fast end, where the resistance is, and the whole spectrum in the corner."""
    ax = fig.add_subplot(place, anchor="N")
    first, several = next(iter(own.values())), len(own) > 1
    color = style.color(first.spectrum.attrs["sample"])
    z = np.concatenate([one.best.impedance for one in own.values()])
    fast = np.concatenate([_fast(one) for one in own.values()])
    enlarged = fast.size >= FEWEST
    if enlarged:
        known = [one.resistance.value for one in own.values() if one.resistance.value]
        ends = [*fast.real, *known]
        width = max(1.4 * (max(ends) - min(ends)), LEAST * max(known), (max(known) - min(known)) / SPREAD)
        # The tails, which begin at the resistances, rise at the right of the inset.
        left, bottom = min(min(ends) - 0.13 * width, min(known) - TAILS * width), -0.2 * width
    else:  # no resistance is seen: the spectrum as it is
        width = 1.15 * max(np.ptp(z.real), np.ptp(-z.imag), 1e-9 * np.abs(z).max())
        left, bottom = z.real.min() - 0.07 * width, (-z.imag).min() - 0.12 * width
    unit, factor = layout.ohms(max(abs(left), abs(left + width)))
    _points(ax, own, factor, color, 2.0 if several else 3.5)
    ax.set(xlim=np.array([left, left + width]) / factor, ylim=np.array([bottom, bottom + width]) / factor)
    ax.set(aspect="equal", xlabel=f"Re Z / {unit}", ylabel=f"−Im Z / {unit}")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.axhline(0, color="0.7", linewidth=0.5, zorder=0)
    for label, one in own.items():
        _resistance(label, one.resistance.scaled(1 / factor), color, ax)
    _said(own, ax, color, unit, factor)
    title = style.label(name) + (f" (n = {len(own)})" if several else "")
    ax.set_title(layout.wrapped(title, PANEL - 6), color=color)
    taken: list[tuple[float, ...]] = [(0.0, 0.0, 1.0, 0.16)]
    if enlarged:
        taken.append((INSET[0] - 0.1, INSET[1] - 0.08, INSET[2] + 0.16, INSET[3] + 0.18))
        _whole(ax, own, color, float(np.abs(z).max()))
    if not several:
        _decades(first, left, bottom, width, factor, ax, taken)
    if hidden := int(np.sum(-z.imag < bottom)):
        ax.text(0.03, 0.03, f"{hidden} points below", transform=ax.transAxes, fontsize=SMALL)
    return ax


def _fast(one: Ionic) -> np.ndarray:
    """The points of the fast end, where the resistance is; none where it is not known."""
    _, low, high = one.resistance
    z, value = one.best.impedance, one.resistance.value
    return z[np.abs(z.imag) < FAST * value] if value and (low is not None or high is not None) else z[:0]


def _points(ax: Axes, own: Spectra, factor: float, color: str, size: float, named: bool = True) -> None:
    several = len(own) > 1
    for label, one in own.items():
        z, frequency = one.best.impedance / factor, one.best.frequency
        fine = np.geomspace(frequency.min(), frequency.max(), 600)
        model = circuits.impedance(one.best.circuit, one.best.params.valuesdict(), fine) / factor
        kinds = [f"_{style.label(label)}, {kind}" for kind in ("measured", "fit", "fails Kramers-Kronig")]
        ax.plot(z.real, -z.imag, ".", color=color, ms=size, mew=0, alpha=THIN if several else 1, label=kinds[0])
        line = color if several else FIT
        ax.plot(model.real, -model.imag, color=line, lw=0.4 if several else 0.7, label=kinds[1])
        if one.fails.any():
            ax.plot(z.real[one.fails], -z.imag[one.fails], "x", color=FAILS, markersize=3.5, label=kinds[2])


def _whole(ax: Axes, own: Spectra, color: str, reach: float) -> None:
    whole = ax.inset_axes(INSET)
    unit, factor = layout.ohms(reach)
    _points(whole, own, factor, color, 2.0)
    limits = -0.06 * reach / factor, 1.1 * reach / factor
    whole.set(xlim=limits, ylim=limits, aspect="equal")
    whole.set_title(f"whole / {unit}", fontsize=SMALL, pad=2)
    whole.tick_params(labelsize=SMALL, length=2, pad=1.5)
    whole.locator_params(nbins=2)


def _resistance(label: str, resistance: Interval, color: str, ax: Axes) -> None:
    """The interval of a resistance on the axis."""
    known = [number for number in resistance if number is not None]
    if len(known) > 1:
        name = f"_{style.label(label)}, resistance"
        ends = [min(known), max(known)]
        ax.plot(ends, (0, 0), color=color, linewidth=4, alpha=BAND, solid_capstyle="butt", label=name)
        ax.plot(known[:1], [0], "|", color=color, markersize=6, label=name)


def _said(own: Spectra, ax: Axes, color: str, unit: str, factor: float) -> None:
    """The resistance in words at the lower right, of several pellets mean and standard deviation."""
    known = [
        one.resistance for one in own.values() if one.resistance.low is not None or one.resistance.high is not None
    ]
    values = [interval.value / factor for interval in known if interval.value is not None]
    text = "R is not determined"
    if len(own) > 1 and len(values) > 1:
        deviation = float(np.std(values, ddof=1))
        digits = _decimals(deviation or values[0])
        text = f"R = {np.mean(values):.{digits}f} ± {deviation:.{digits}f} {unit} (s.d., n = {len(values)})"
    elif known:
        text = f"R = {_number(known[0].scaled(1 / factor))} {unit}"
    which = {sweeps.name(one.spectrum) for one in own.values()} - {""}
    text += "".join(f"\n{sweep}" for sweep in sorted(which))
    ax.text(0.97, 0.03, text, transform=ax.transAxes, ha="right", color=color, fontsize=SMALL)


def _decades(
    one: Ionic, left: float, bottom: float, width: float, factor: float, ax: Axes, taken: list[tuple[float, ...]]
) -> None:
    """Write the frequency near powers of ten: above the points on arcs, beside those on the tail, where there is room.

    `taken` are the areas that are taken: left, bottom, width, height, as shares of the panel.
    """
    frequency, z = one.best.frequency, one.best.impedance
    for power in range(9):
        near = np.abs(np.log10(frequency) - power)
        at = int(near.argmin())
        if near[at] > 0.06:
            continue
        unit, scale = (("Hz", 1), ("kHz", 1e3), ("MHz", 1e6))[min(int(np.log10(frequency[at] * 1.01)) // 3, 2)]
        text = f"{float(f'{frequency[at]:.2g}') / scale:g} {unit}"
        away = (-3, 6) if z.real[at] < (one.resistance.value or 0) else (4, -2)
        size = [len(text) * LETTERS[0] / PANEL, LETTERS[1] / PANEL]
        x, y = ((z.real[at] - left) / width, (-z.imag[at] - bottom) / width)
        box = (x + away[0] * 0.353 / PANEL, y + away[1] * 0.353 / PANEL, *size)
        inside = 0 <= x <= 1 and 0 <= y <= 1 and box[0] + box[2] <= 1 and box[1] + box[3] <= 1
        if inside and not any(_overlap(box, other) for other in taken):
            ax.annotate(text, (z.real[at] / factor, -z.imag[at] / factor), away, textcoords="offset points", fontsize=6)
            taken.append(box)


def _overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(one[at] < other[at] + other[at + 2] and other[at] < one[at] + one[at + 2] for at in (0, 1))


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
        place = dict(loc="upper left", bbox_to_anchor=(-0.08, 1.02), borderaxespad=0.0)
    legend = ax.legend(**kwargs, **place, handletextpad=0.4, labelspacing=0.4, alignment="left")
    legend.set_in_layout(False)


def _handle(name: str, values: str, color: str) -> Line2D:
    return Line2D(
        [], [], marker="o", ms=3, ls="", color=color, label=f"{layout.wrapped(style.label(name), 38)}\n{values}"
    )


def _arrhenius(fig: Figure | SubFigure, place: SubplotSpec, lines: Lines) -> Axes:
    """Conductivity times temperature, whose slope is the activation energy, and below how far points lie off."""
    grid, column = place.get_gridspec(), place.colspan.start
    ax, rest = fig.add_subplot(grid[0, column]), fig.add_subplot(grid[1, column])
    of_samples = _of_lines(lines)
    known = all(np.isfinite(forms["conductivity"].factor) for forms in lines.values())
    handles = []
    for sample, pellets in of_samples.items():
        color, several = style.color(sample), len(pellets) > 1
        of_fit, alpha = (color, THIN) if several or len(of_samples) > 1 else (FIT, 1.0)
        curves = []
        for pellet, (line, _) in pellets.items():
            name = style.label(pellet)
            factor = line.factor if known else 1.0
            x, logarithm = 1e3 / line.kelvin, np.log(line.conductance * line.kelvin)
            y = factor * np.exp(logarithm)
            ax.plot(x, y, "o", color=color, ms=1.5 if several else 3, alpha=alpha, label=f"_{name}, measured")
            bars = 100 * NORMAL * line.deviation
            off = 100 * (logarithm - line.logarithm(line.kelvin)[0])
            rest.errorbar(
                x,
                off,
                bars,
                fmt="o",
                color=color,
                ms=1.5 if several else 2.5,
                elinewidth=0.7,
                capsize=1.5,
                alpha=alpha,
                label=f"_{name}, off the line",
            )
            temperature = np.linspace(line.kelvin.min() - 3, line.kelvin.max() + 3, 80)
            drawn, half = line.logarithm(temperature)
            inverse = 1e3 / temperature
            width = 0.4 if several else 0.7
            ax.plot(inverse, factor * np.exp(drawn), color=of_fit, lw=width, alpha=alpha, label=f"_{name}, line")
            if not several:
                band = np.exp(drawn - half) * factor, np.exp(drawn + half) * factor
                name = f"_{name}, 95 % band"
                ax.fill_between(inverse, *band, color=of_fit, alpha=BAND, linewidth=0, label=name)
                rest.fill_between(inverse, -100 * half, 100 * half, color=of_fit, alpha=BAND, lw=0, label=name)
            curves.append((x, y))
        if several:
            x, mean, deviation, _ = conditions.mean_curve(*zip(*curves, strict=True))
            ax.errorbar(
                x, mean, deviation, fmt="-o", ms=2.5, lw=1, color=color, label=f"_{style.label(sample)}, mean ± s.d."
            )
        handles.append(_handle(sample, _energies(list(pellets.values())), color))
    ax.set(yscale="log", ylabel="σT / S K cm⁻¹" if known else "T/R / K S")
    span = np.log10(ax.get_ylim()[1] / ax.get_ylim()[0])
    if span < 2.5:
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if span < 1.5 else (1,), numticks=12))
        ax.yaxis.set_major_formatter(ScalarFormatter() if ax.get_ylim()[0] > 1e-3 else StrMethodFormatter("{x:g}"))
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


def _energies(pellets: Sequence[Sequence[Line]]) -> str:
    """Both activation energies with half widths, of several pellets mean and standard deviation."""
    both = [[line.energy for line in forms] for forms in zip(*pellets, strict=True)]
    if len(pellets) == 1:
        return ", ".join(f"{one.value:.3f} ± {one.half_width:.3f}" for (one,) in both)
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
        digits = _decimals(deviation or mean)
        exponent = str(power).translate(style.RAISED)
        return f"({mean:.{digits}f} ± {deviation:.{digits}f}) × 10{exponent} A (s.d., n = {len(values)})"
    (current,) = currents
    if current.high is None:
        return "no steady state"
    return _steady(current) if known else f"below {_power(current.high)} A"


def _decimals(width: float) -> int:
    return max(1 - int(np.floor(np.log10(abs(width)))), 0) if width else 0


def _number(interval: Interval) -> str:
    """Value and bounds with the digits that the interval supports."""
    known = [number for number in interval if number is not None]
    width = (max(known) - min(known)) / 2 or abs(known[0])
    decimals = max(1 - int(np.floor(np.log10(width))), 0) if width else 0
    value, low, high = ("—" if number is None else f"{number:.{decimals}f}" for number in interval)
    return f"{value} ({low} to {high})"


def _steady(interval: Interval) -> str:
    power = int(np.floor(np.log10(interval.numbers[0])))
    value, bounds = _number(interval.scaled(10.0**-power)).split(" ", 1)
    return f"{value} × 10{str(power).translate(style.RAISED)} A {bounds}"


def _power(number: float) -> str:
    mantissa, power = f"{number:.1e}".split("e")
    return f"{mantissa} × 10{str(int(power)).translate(style.RAISED)}"
