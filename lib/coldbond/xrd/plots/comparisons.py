"""Reflections of several samples compared: shifts of their angles, and their integral breadths."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from coldbond.bundle import style
from coldbond.interval import NORMAL
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.findings.common import groups, of_condition
from coldbond.xrd.line_broadening import Broadening, instrument_breadths, strong_lines
from coldbond.xrd.pawley import Instrument
from coldbond.xrd.plots.style import FIT_COLOR, LONGEST_ENTRY, MOST_INSIDE, legend, shortened, wrapped
from coldbond.xrd.shift import Comparison


def draw_shifts(ax: Axes, comparisons: Mapping[str, Comparison]) -> None:
    """Draw the shifts of reflections against the angle, and the models of a changed lattice and a displaced sample.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    comparisons : mapping of str to Comparison
        From `shift.compare`; with several of them only the model with both changes is drawn.
    """
    if not comparisons:
        ax.set_axis_off()
        ax.text(0.5, 0.5, "one pattern: no shift", transform=ax.transAxes, ha="center")
        return
    styles = {"lattice": ("-", "0.55", "lattice alone"), "displacement": (":", "0.35", "height alone")}
    several = len(comparisons) > 1
    of = {
        label: name for name, labels in groups({k: c.after for k, c in comparisons.items()}).items() for label in labels
    }
    named = set()
    for label, compared in comparisons.items():
        moved, color = compared.moved, style.color(compared.after.pattern.attrs["sample"])
        for model_name, model in compared.models.items():
            line, grey, text = styles.get(model_name, ("-", color if several else FIT_COLOR, "both"))
            if several:  # one entry a condition
                text = f"_{label}, lattice and height" if of[label] in named else shortened(of[label])
            if model_name == "both" or not several:
                ax.plot(model.curve.two_theta, model.curve, linestyle=line, color=grey, label=text)
        named.add(of[label])
        angle, shifts, error = (moved[of_line].to_numpy() for of_line in ("two_theta", "shift", "shift_error"))
        ax.errorbar(
            angle, shifts, NORMAL * error, color=color, fmt="o", ms=2.2, elinewidth=0.7, label=f"_{label}, shift"
        )
    first = wrapped(next(iter(comparisons.values())).first, LONGEST_ENTRY)
    ax.axhline(0, color="0.8", linewidth=0.5, zorder=0)
    ax.set(xlabel="2θ / °", ylabel=f"Shift of 2θ from\n{style.label(first)} / °")
    ax.margins(y=0.25)
    legend(ax, "best")


def draw_breadths(
    ax: Axes, lines: Mapping[str, xr.Dataset], analyses: Mapping[str, Analysis], instrument: Instrument | None
) -> None:
    """Draw the integral breadth of each strong reflection against the angle, and that of the instrument.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    lines : mapping of str to xarray.Dataset
        From `single_peak.fit_reflections`.
    analyses : mapping of str to Analysis
    instrument : Instrument, optional
    """
    strong = {label: strong_lines(found) for label, found in lines.items()}
    for name, labels in groups(analyses).items():
        for label in labels:
            found, color = strong[label], style.color(analyses[label].pattern.attrs["sample"])
            if not found.sizes["reflection"]:
                continue
            angle, breadth, error = (found[of].to_numpy() for of in ("two_theta", "breadth", "breadth_error"))
            ax.errorbar(
                angle, breadth, NORMAL * error, color=color, fmt="o", markersize=2.2 if len(labels) == 1 else 1.4,
                elinewidth=0.7 if len(labels) == 1 else 0.4,
                label=shortened(name) if label == labels[0] else f"_{label}, integral breadth",
            )  # fmt: skip
    if instrument is not None:
        angle, wavelength = np.linspace(15, 80, 40), next(iter(analyses.values())).pattern.attrs["wavelength_kalpha1"]
        ax.plot(
            angle, instrument_breadths(angle, instrument, wavelength), color="0.5", linestyle="--", label="instrument"
        )
    broadest = max((float(found.breadth.max()) for found in strong.values() if found.sizes["reflection"]), default=1.0)
    ax.set(xlabel="2θ / °", ylabel="Integral breadth / °", ylim=(0, 1.35 * broadest))
    legend(ax, "upper left")


def draw_williamson_hall(ax: Axes, broadenings: Mapping[str, Broadening], analyses: Mapping[str, Analysis]) -> None:
    """Draw the breadth of each line without the instrument after Williamson and Hall, and that of size and strain.

    The intercept of the curve is that of size, its slope that of strain (Williamson and Hall 1953, doi
    10.1016/0001-6160(53)90006-6).

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    broadenings : mapping of str to Broadening
        From `line_broadening.sample_broadening`; empty where no standard was recorded.
    analyses : mapping of str to Analysis
    """
    if not broadenings:
        ax.set_axis_off()
        ax.text(0.5, 0.5, "no standard: no Williamson-Hall plot", transform=ax.transAxes, ha="center")
        return
    for name, labels in groups(analyses).items():
        for label in (label for label in labels if label in broadenings):
            lines, color = broadenings[label].lines, style.color(analyses[label].pattern.attrs["sample"])
            theta = np.radians(lines.two_theta.to_numpy()) / 2
            breadth, error, smooth = (
                1000 * np.radians(lines[of].to_numpy()) * np.cos(theta) for of in ("breadth", "breadth_error", "smooth")
            )
            ax.errorbar(
                4 * np.sin(theta), breadth, NORMAL * error, color=color, fmt="o", markersize=2.2, elinewidth=0.7,
                label=shortened(name) if label == labels[0] else f"_{label}, breadth",
            )  # fmt: skip
            ax.plot(4 * np.sin(theta), smooth, color=color, linewidth=0.8, label=f"_{label}, size and strain")
    ax.set(xlabel="4 sin θ", ylabel="β cos θ / mrad", xlim=(0, None), ylim=(0, None))
    ax.margins(y=0.3)
    legend(ax, "upper left")


def draw_replicates(
    ax: Axes, analyses: Mapping[str, Analysis], values: Sequence[dict], quantity: str, text: str
) -> None:
    """Draw a number of each pattern as a point, and the mean of replicates, each with its 95 % interval.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    analyses : mapping of str to Analysis
    values : sequence of dict
        Findings of the patterns and of the conditions (`conditions.findings`).
    quantity : str
        Of the findings, such as "lattice_parameter_a".
    text : str
        Label of the axis.
    """
    held = groups(analyses)
    for at, (name, labels) in enumerate(held.items()):
        of = of_condition(analyses[labels[0]])
        color = style.color(of["sample"])
        rows = [row for row in values if (row["quantity"], row["sample"], row["state"]) == (quantity, *of.values())]
        bounded = [row for row in rows if None not in (row["value"], row["low"], row["high"])]
        for i, row in enumerate(row for row in bounded if "n" not in row):
            away = [[row["value"] - row["low"]], [row["high"] - row["value"]]]
            ax.errorbar(
                at + 0.12 * (1 + i), row["value"], away, color=color, fmt="o", markersize=2.2, elinewidth=0.4,
                alpha=0.5, label=f"_{name}, replicate {row.get('replicate', '')}",
            )  # fmt: skip
        for row in (row for row in bounded if "n" in row):
            away = [[row["value"] - row["low"]], [row["high"] - row["value"]]]
            ax.errorbar(
                at - 0.12, row["value"], away, color=color, fmt="_", markersize=9, elinewidth=0.9,
                label=f"_{name}, mean",
            )  # fmt: skip
    ax.set(xlim=(-0.6, len(held) - 0.2), ylabel=text)
    upright = len(held) >= MOST_INSIDE
    names = [shortened(name) if upright else wrapped(shortened(name), LONGEST_ENTRY // 2) for name in held]
    ax.set_xticks(range(len(held)), [f"{name}\nn = {len(held[of])}" for name, of in zip(names, held, strict=True)])
    ax.tick_params(axis="x", labelsize=6, rotation=90 if upright else 0)
    ax.ticklabel_format(axis="y", useOffset=False)
