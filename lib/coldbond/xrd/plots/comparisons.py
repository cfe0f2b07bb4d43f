"""Reflections of several samples compared: shifts of their angles, and their integral breadths."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from coldbond.bundle import style
from coldbond.interval import NORMAL
from coldbond.xrd import profile
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.line_broadening import instrument_parts, strong_lines
from coldbond.xrd.pawley import Instrument
from coldbond.xrd.plots.style import FIT_COLOR
from coldbond.xrd.shift import Comparison


def draw_shifts(ax: Axes, comparisons: Mapping[str, Comparison]) -> None:
    """Draw the shifts of reflections against the angle, and the models of a changed lattice and a displaced sample.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    comparisons : mapping of str to Comparison
        From `shift.compare`; with several of them only the model with both changes is drawn.
    """
    styles = {"lattice": ("-", "0.55", "lattice alone"), "displacement": (":", "0.35", "height alone")}
    for label, compared in comparisons.items():
        moved, color = compared.moved, style.color(compared.after.pattern.attrs["sample"])
        several = len(comparisons) > 1
        for name, model in compared.models.items():
            line, grey, text = styles.get(
                name, ("-", color if several else FIT_COLOR, style.label(label) if several else "both")
            )
            if name == "both" or not several:
                ax.plot(model.curve.two_theta, model.curve, linestyle=line, color=grey, label=text)
        errors = NORMAL * moved.shift_error
        ax.errorbar(
            moved.two_theta, moved["shift"], errors, color=color, linestyle="none", marker="o", ms=2.2, elinewidth=0.7
        )
        ax.set_ylabel(f"Shift of 2θ from\n{style.label(compared.first)} / °")
    if not comparisons:
        ax.set_axis_off()
        ax.text(0.5, 0.5, "one pattern: no shift", transform=ax.transAxes, ha="center")
        return
    ax.axhline(0, color="0.8", linewidth=0.5, zorder=0)
    ax.set(xlabel="2θ / °")
    ax.margins(y=0.25)
    ax.legend(loc="best", handlelength=1.8, fontsize=6)


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
    for label, found in strong.items():
        color = style.color(analyses[label].pattern.attrs["sample"])
        ax.errorbar(
            found.two_theta, found.breadth, NORMAL * found.breadth_error, color=color, linestyle="none", marker="o",
            markersize=2.2, elinewidth=0.7, label=style.label(label),
        )  # fmt: skip
    if instrument is not None:
        angle = np.linspace(15, 80, 100)
        squared, lorentzian = instrument_parts(angle, instrument.values, instrument.names).T
        own = profile.integral_breadth(
            *profile.voigt_approximation(np.sqrt(np.maximum(squared, 1e-12)), np.maximum(lorentzian, 0))
        )
        ax.plot(angle, own, color="0.5", linestyle="--", label="instrument")
    ax.set(
        xlabel="2θ / °",
        ylabel="Integral breadth / °",
        ylim=(0, 1.35 * max(float(f.breadth.max()) for f in strong.values())),
    )
    ax.legend(loc="upper left", handlelength=1.5, fontsize=6, borderaxespad=0.2)
