"""A blocking-electrode spectrum: its fast end, where the resistance is, and the whole in the corner."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from coldbond.bundle import style
from coldbond.impedance import circuits, sweeps
from coldbond.impedance.conductivity.ionic import Ionic
from coldbond.impedance.plots import layout
from coldbond.interval import Interval

FIT, FAILS = "#D55E00", "#CC79A7"  # vermilion and purple of Wong (2011, doi 10.1038/nmeth.1618)
BAND = 0.25  # opacity of an interval
THIN = 0.45  # opacity of the pellets of a condition
#: Shares of the resistance: -Im Z up to which points belong to the enlarged fast end, and the least width of its panel.
FAST, LEAST = 0.4, 0.45
FEWEST = 3  # points of a fast end that is enlarged
SMALL = 6  # font size of labels within a panel, points
#: Width and height [mm] of a panel and of a frequency; 1 point in mm.
PANEL, LETTERS, POINT = 46.0, (1.3, 2.6), 25.4 / 72
#: The inset with the whole spectrum: left, bottom, width, height, as shares of the panel.
INSET = (0.13, 0.62, 0.28, 0.28)
#: Where the tail of the least resistance begins, and the room for those of others, as shares of the panel.
TAILS, SPREAD = 0.46, 0.4

Spectra = Mapping[str, Ionic]


def nyquist(fig: Figure | SubFigure, place: SubplotSpec, name: str, own: Spectra) -> Axes:
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
        digits = decimals(deviation or values[0])
        text = f"R = {np.mean(values):.{digits}f} ± {deviation:.{digits}f} {unit} (s.d., n = {len(values)})"
    elif known:
        text = f"R = {number(known[0].scaled(1 / factor))} {unit}"
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
    x, y = (z.real - left) / width, (-z.imag - bottom) / width
    for power in range(9):
        near = np.abs(np.log10(frequency) - power)
        at = int(near.argmin())
        if near[at] > 0.06:
            continue
        unit, scale = (("Hz", 1), ("kHz", 1e3), ("MHz", 1e6))[min(int(np.log10(frequency[at] * 1.01)) // 3, 2)]
        text = f"{float(f'{frequency[at]:.2g}') / scale:g} {unit}"
        size = [len(text) * LETTERS[0] / PANEL, LETTERS[1] / PANEL]
        places = [(-3, 6), (4, -2)] if z.real[at] < (one.resistance.value or 0) else [(4, -2)]
        for away in places:
            box = (x[at] + away[0] * POINT / PANEL, y[at] + away[1] * POINT / PANEL, *size)
            inside = 0 <= x[at] <= 1 and 0 <= y[at] <= 1 and box[0] + box[2] <= 1 and box[1] + box[3] <= 1
            points = (x > box[0]) & (x < box[0] + box[2]) & (y > box[1]) & (y < box[1] + box[3])
            if inside and not points.any() and not any(_overlap(box, other) for other in taken):
                corner = z.real[at] / factor, -z.imag[at] / factor
                ax.annotate(text, corner, away, textcoords="offset points", fontsize=SMALL)
                taken.append(box)
                break


def _overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(one[at] < other[at] + other[at + 2] and other[at] < one[at] + one[at + 2] for at in (0, 1))


def decimals(width: float) -> int:
    return max(1 - int(np.floor(np.log10(abs(width)))), 0) if width else 0


def number(interval: Interval) -> str:
    """Value and bounds with the digits that the interval supports."""
    known = [number for number in interval if number is not None]
    width = (max(known) - min(known)) / 2 or abs(known[0])
    decimals = max(1 - int(np.floor(np.log10(width))), 0) if width else 0
    value, low, high = ("—" if number is None else f"{number:.{decimals}f}" for number in interval)
    return f"{value} ({low} to {high})"
