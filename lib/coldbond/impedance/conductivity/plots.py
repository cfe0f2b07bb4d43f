"""Blocking-electrode spectra, Arrhenius lines and current transients, drawn."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import LogLocator, NullLocator, ScalarFormatter
from numpy.typing import ArrayLike
from scipy.constants import zero_Celsius

from coldbond.bundle import style
from coldbond.impedance import circuits, sweeps
from coldbond.impedance.conductivity.arrhenius import Line
from coldbond.impedance.conductivity.electronic import Steady
from coldbond.impedance.conductivity.ionic import Ionic
from coldbond.interval import NORMAL, Interval

FIT, FAILS = "#D55E00", "#CC79A7"  # vermilion and purple of Wong (2011, doi 10.1038/nmeth.1618)
BAND = 0.25  # opacity of an interval
#: Shares of the resistance: -Im Z up to which points belong to the enlarged fast end, and the least width of its panel.
FAST, LEAST = 0.4, 0.45
SMALL = 6  # font size of labels within a panel, points
#: Least 1000 K / T and least temperature [°C] of the axes: matplotlib also converts the margins, where both would
#: divide by zero.
LEAST_INVERSE, LEAST_CELSIUS = 0.1, -270.0


def draw(
    fig: Figure,
    spectra: Mapping[str, Ionic],
    lines: Mapping[str, Mapping[str, Line]],
    transients: Mapping[str, Steady],
) -> None:
    """Draw a panel each of spectra, Arrhenius lines and transients, those that there are.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`.
    spectra : mapping of str to Ionic
        At room temperature.
    lines : mapping of str to mapping of str to Line
        From `arrhenius.lines`.
    transients : mapping of str to Steady
        From `electronic.steady`.
    """
    grid = fig.add_gridspec(2, sum(map(bool, (spectra, lines, transients))), height_ratios=(3.2, 1))
    axes: list[Axes] = []
    if spectra:
        axes.append(_nyquist(fig, grid[:, len(axes)], spectra))
    if lines:
        axes.append(_arrhenius(fig, grid[:, len(axes)], lines))
    if transients:
        axes.append(_transients(fig, grid[:, len(axes)], transients))
    style.letters(axes)
    for ax in axes:  # the letters beside the axes, since the axis of temperatures is above
        ax.set_title(
            ax.get_title(loc="left"), loc="left", fontsize=8, fontweight="bold", x=-0.06, y=1, ha="right", pad=4
        )


def _nyquist(fig: Figure, place: SubplotSpec, spectra: Mapping[str, Ionic]) -> Axes:
    """The fast end, where the resistance is, and the whole spectrum in the corner."""
    ax = fig.add_subplot(place, anchor="N")
    whole = ax.inset_axes((0.13, 0.62, 0.28, 0.28))
    fast: list[float] = []
    reach = width = 0.0
    for at, (label, one) in enumerate(spectra.items()):
        color = style.color(one.spectrum.attrs["sample"])
        z, frequency = one.spectrum.impedance.to_numpy(), one.spectrum.frequency.to_numpy()
        model = circuits.impedance(
            one.best.circuit, one.best.params.valuesdict(), np.geomspace(frequency.min(), frequency.max(), 600)
        )
        for into, scale, size in ((ax, 1.0, 3.5), (whole, 1e-3, 2.0)):
            x, y = z.real * scale, -z.imag * scale
            into.plot(x, y, ".", color=color, markersize=size, markeredgewidth=0)
            into.plot(model.real * scale, -model.imag * scale, color=FIT, linewidth=0.7)
            into.plot(x[one.fails], y[one.fails], "x", color=FAILS, markersize=3.5)
        named = ", ".join(filter(None, [style.label(label), sweeps.name(one.spectrum)]))
        _resistance(named, one.resistance, color, ax, at)
        resistance = one.resistance.value or 0.0
        near = np.abs(z.imag) < FAST * resistance
        _decades(frequency[near], z[near], resistance, ax)
        fast += [*z.real[near], resistance]
        width = max(width, LEAST * resistance)
        reach = max(reach, float(np.abs(z).max()) / 1e3)
    width = max(1.4 * (max(fast) - min(fast)), width)
    left = min(fast) - 0.13 * width
    ax.set(xlim=(left, left + width), ylim=(-0.2 * width, 0.8 * width), aspect="equal")
    ax.set(xlabel="Re Z / Ω", ylabel="−Im Z / Ω")
    ax.axhline(0, color="0.7", linewidth=0.5, zorder=0)
    whole.set(xlim=(-0.06 * reach, 1.1 * reach), ylim=(-0.06 * reach, 1.1 * reach), aspect="equal")
    whole.set_title("whole / kΩ", fontsize=SMALL, pad=2)
    whole.tick_params(labelsize=SMALL, length=2, pad=1.5)
    whole.locator_params(nbins=2)
    return ax


def _resistance(label: str, resistance: Interval, color: str, ax: Axes, at: int) -> None:
    """The interval of a resistance on the axis."""
    known = [number for number in resistance if number is not None]
    ax.plot([min(known), max(known)], (0, 0), color=color, linewidth=4, alpha=BAND, solid_capstyle="butt")
    ax.plot(known[0], 0, "|", color=color, markersize=6)
    text = f"{label}: R = {_number(resistance)} Ω"
    ax.text(0.97, 0.03 + 0.08 * at, text, transform=ax.transAxes, ha="right", color=color)


def _decades(frequency: np.ndarray, z: np.ndarray, resistance: float, ax: Axes) -> None:
    """Write the frequency near powers of ten: above the points on arcs, beside those on the tail."""
    for power in range(9):
        near = np.abs(np.log10(frequency) - power)
        if near.size and near.min() < 0.06:
            at = int(near.argmin())
            unit, scale = (("Hz", 1), ("kHz", 1e3), ("MHz", 1e6))[min(int(np.log10(frequency[at] * 1.01)) // 3, 2)]
            away = (-3, 6) if z.real[at] < resistance else (4, -2)
            text, place = f"{float(f'{frequency[at]:.2g}') / scale:g} {unit}", (z.real[at], -z.imag[at])
            ax.annotate(text, place, away, textcoords="offset points", fontsize=SMALL)


def _arrhenius(fig: Figure, place: SubplotSpec, lines: Mapping[str, Mapping[str, Line]]) -> Axes:
    """Conductivity times temperature, whose slope is the activation energy, and below how far points lie off."""
    grid, column = place.get_gridspec(), place.colspan.start
    ax, rest = fig.add_subplot(grid[0, column]), fig.add_subplot(grid[1, column])
    by_sample = {sample: list(of_sample.values()) for sample, of_sample in lines.items()}
    known = all(np.isfinite(forms[0].factor) for forms in by_sample.values())
    for at, (sample, forms) in enumerate(by_sample.items()):
        line, color = forms[0], style.color(sample)
        factor = line.factor if known else 1.0
        x, logarithm = 1e3 / line.kelvin, np.log(line.conductance * line.kelvin)
        ax.plot(x, factor * np.exp(logarithm), "o", color=color, markersize=3)
        bars = 100 * NORMAL * line.deviation
        off = 100 * (logarithm - line.logarithm(line.kelvin)[0])
        rest.errorbar(x, off, bars, fmt="o", color=color, markersize=2.5, elinewidth=0.7, capsize=1.5)
        temperature = np.linspace(line.kelvin.min() - 3, line.kelvin.max() + 3, 80)
        drawn, half = line.logarithm(temperature)
        ax.plot(1e3 / temperature, factor * np.exp(drawn), color=FIT, linewidth=0.7)
        band = np.exp(drawn - half) * factor, np.exp(drawn + half) * factor
        ax.fill_between(1e3 / temperature, *band, color=FIT, alpha=BAND, linewidth=0)
        rest.fill_between(1e3 / temperature, -100 * half, 100 * half, color=FIT, alpha=BAND, linewidth=0)
        texts = [style.label(sample)] if len(lines) > 1 else []
        texts += [
            f"Eₐ({of}) = {form.energy.value:.3f} ± {form.energy.half_width:.3f} eV"
            for of, form in zip(("σT", "σ"), forms, strict=True)
        ]
        text, color = "\n".join(texts), color if len(lines) > 1 else "black"
        left, step = at % 2 == 0, 0.26 * (at // 2)  # the line leaves these corners free
        right, up = (0.04, 0.05 + step) if left else (0.97, 0.96 - step)
        vertical, horizontal = ("bottom", "left") if left else ("top", "right")
        ax.text(right, up, text, transform=ax.transAxes, color=color, linespacing=1.4, va=vertical, ha=horizontal)
    ax.set(yscale="log", ylabel="σT / S K cm⁻¹" if known else "T/R / K S")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(ScalarFormatter())
    ax.yaxis.set_minor_locator(NullLocator())
    ax.tick_params(labelbottom=False)
    ax.margins(0.03, 0.08)
    top = ax.secondary_xaxis("top", functions=(_celsius, _inverse))
    top.set_xlabel("Temperature / °C")
    top.tick_params(direction="in")
    rest.axhline(0, color=FIT, linewidth=0.7)
    rest.set(xlim=ax.get_xlim(), xlabel="1000 K / T", ylabel="Off the line\n/ %")
    return ax


def _celsius(inverse: ArrayLike) -> ArrayLike:
    return 1e3 / np.maximum(inverse, LEAST_INVERSE) - zero_Celsius


def _inverse(celsius: ArrayLike) -> ArrayLike:
    return 1e3 / (np.maximum(celsius, LEAST_CELSIUS) + zero_Celsius)


def _transients(fig: Figure, place: SubplotSpec, transients: Mapping[str, Steady]) -> Axes:
    """The current, its fit, and as a band the interval of what remains."""
    ax = fig.add_subplot(place)
    for label, one in transients.items():
        color = style.color(one.recording.attrs["sample"])
        time, current = one.recording.time.to_numpy(), np.abs(one.recording.current.to_numpy())
        ax.plot(time, current, ".", color=color, markersize=2, markeredgewidth=0, rasterized=True)
        ax.plot(one.time, one.fitted, color=FIT, linewidth=0.7)
        _, low, high = one.current
        text = ": no steady state"
        bottom = float(current[time > 0].min())
        if high is not None:
            bottom = high if low is None else low
            if low is None:
                ax.axhline(high, color=color, linewidth=0.7, linestyle=":")
            else:
                ax.axhspan(low, high, color=color, alpha=BAND, linewidth=0)
            text = f": below {_power(high)} A" if low is None else _steady(one.current)
        ax.annotate(
            f"{style.label(label)}{text}",
            (0.03, bottom),
            (0, -2),
            xycoords=ax.get_yaxis_transform(),
            textcoords="offset points",
            va="top",
            color=color,
            fontsize=SMALL,
        )
    ax.set(xscale="log", yscale="log", xlabel="Time / s", ylabel="Current / A")
    style.powers_of_ten(ax.xaxis, ax.yaxis)
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom / (top / bottom) ** 0.2, top)
    return ax


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
    return f": {value} × 10{str(power).translate(style.RAISED)} A\n{bounds}"


def _power(number: float) -> str:
    mantissa, power = f"{number:.1e}".split("e")
    return f"{mantissa} × 10{str(int(power)).translate(style.RAISED)}"
