"""Plots of decomposed Raman spectra and of the calibration of their axis.

A row shows a condition: one spectrum, or the spectra of its replicates over each other, each less its baseline and
relative to its highest band, because counting times and fluorescence differ.
"""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from coldbond.bundle import conditions, style
from coldbond.interval import NORMAL, Interval
from coldbond.raman import neon
from coldbond.raman.assignment import Band
from coldbond.raman.confidence_intervals import axis_uncertainty_at
from coldbond.raman.decomposition import Decomposition
from coldbond.raman.spikes import positions

FIT, MODE, OWN = "#D55E00", "#009E73", "0.6"  # colours of the fit, of modes and of the sample's own bands
UNTOLD = "0.45"  # colour of bands and limits that decide nothing
BOX = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
BESIDE = 60.0  # 1/cm, drawn on either side of the modes
LIMIT_HALF_LENGTH = 15.0  # 1/cm, of the bar at an upper limit
LAMP_HEIGHT = 26.0  # mm, of the panel of the lamp's lines
TALLEST, MOST = 44.0, 235.0  # mm, of a row, and of all rows with the lamp's lines
#: Upper limits of a spectrum over those of the median spectrum, above which they do not set the scale.
CLIPPED = 3.0
WORDS = {True: "present", False: "absent", None: "cannot be told"}
LONGEST = 60  # characters of a line of a sample's name


def groups(decomposed: Mapping[str, Decomposition]) -> dict[str, list[str]]:
    """Return the labels of the spectra of each condition, a condition a row."""
    found = conditions.groups({label: one.curves for label, one in decomposed.items()})
    return {name if len(labels) > 1 else labels[0]: labels for name, labels in found.items()}


def height(decomposed: Mapping[str, Decomposition], calibration: xr.Dataset | None) -> float:
    """Return the height of the figure, mm: that of one page at most."""
    lamp = LAMP_HEIGHT if calibration is not None else 0.0
    rows = len(groups(decomposed))
    return 10 + lamp + min(TALLEST * rows, MOST - lamp)


def draw(
    fig: Figure,
    decomposed: Mapping[str, Decomposition],
    calibration: xr.Dataset | None,
    values: Sequence[dict] = (),
) -> None:
    """Draw a row for each condition, the spectrum beside the part that the modes explain, and the lamp's lines below.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `figures.new`.
    decomposed : mapping of str to Decomposition
        From `decomposition.decompose`.
    calibration : xarray.Dataset or None
        From `axis.only_calibration`.
    values : sequence of dict
        Findings, among them the means of replicates (`conditions.findings`).
    """
    rows = {name: [decomposed[label] for label in labels] for name, labels in groups(decomposed).items()}
    n, relative = len(rows), any(len(spectra) > 1 for spectra in rows.values())
    layout = fig.get_layout_engine()
    if isinstance(layout, ConstrainedLayoutEngine):
        layout.set(h_pad=0.015)
    row = (height(decomposed, calibration) - 10 - (LAMP_HEIGHT if calibration is not None else 0)) / n
    lines = (LAMP_HEIGHT / row * 5,) if calibration is not None else ()
    grid = fig.add_gridspec(2 * n + len(lines), 2, width_ratios=(1.7, 1), height_ratios=(4, 1) * n + lines)
    mains = [fig.add_subplot(grid[2 * i, 0]) for i in range(n)]
    rests = [fig.add_subplot(grid[2 * i + 1, 0]) for i in range(n)]
    zooms = [fig.add_subplot(grid[2 * i : 2 * i + 2, 1]) for i in range(n)]
    top = _scale([one for one in decomposed.values() if one.relative_to])
    for i, (name, spectra) in enumerate(rows.items()):
        _spectra(spectra, name, mains[i], relative=relative)
        _residual(spectra, rests[i])
        # Heights in units of the intensity have nothing in common from sample to sample.
        _modes(spectra, zooms[i], top if spectra[0].relative_to else _scale(spectra), values)
        for ax in (mains[i], rests[i], zooms[i]):
            ax.tick_params(labelbottom=i == n - 1 and ax is not mains[i])
    bounds = [float(edge(one.curves.raman_shift)) for edge in (np.min, np.max) for one in decomposed.values()]
    for ax in mains + rests:
        ax.set_xlim(min(bounds), max(bounds))
    names = ["data", *([] if relative else ["baseline", "band"]), "fit"]
    names += ["spike, cut"] * any(one.curves.struck.any() for one in decomposed.values())
    names += ["saturated"] * any(one.curves.saturated.any() for one in decomposed.values())
    _legend(mains[0], names)
    _names(zooms[0], decomposed)
    for ax in (rests[-1], zooms[-1]):
        ax.set_xlabel("Raman shift / cm⁻¹")
    lettered = [mains[0], zooms[0]]
    if calibration is not None:
        lettered.append(fig.add_subplot(grid[2 * n, :]))
        _lines(calibration, (min(bounds), max(bounds)), lettered[-1])
    style.letters(lettered)


def _spectra(spectra: Sequence[Decomposition], name: str, ax: Axes, *, relative: bool) -> None:
    """Draw data, baseline, bands and fit of a condition; of replicates the data and the fit of each."""
    color, alone = style.color(spectra[0].curves.attrs["sample"]), len(spectra) == 1
    own = [band.expected for band in spectra[0].bands.values() if not band.looked_for]
    for mode in spectra[0].modes.values():
        ax.axvline(mode.expected, color=MODE, linewidth=0.5, linestyle=":")
    low, high = np.inf, -np.inf
    for one in spectra:
        curves, who = one.curves, _named(one, name)
        shift = curves.raman_shift.to_numpy()
        above, unit = (curves.baseline, 100 / _highest(one)) if relative else (0.0, 1.0)
        data, fit = ((part - above) * unit for part in (curves.intensity.where(_kept(curves)), curves.fit))
        baseline = ((curves.baseline - above) * unit).to_numpy()
        dots: dict[str, Any] = {
            "marker": ".",
            "linestyle": "none",
            "markersize": 2 if alone else 1.4,
            "markeredgewidth": 0,
        }
        ax.plot(shift, data, color=color, alpha=1 if alone else 0.6, label=f"_{who}, data", **dots)
        for band_name, band in one.bands.items():
            component = unit * curves.component.sel(band=band_name).to_numpy()
            if band.looked_for and band.found:
                shaded = ax.fill_between(shift, baseline, baseline + component, color=_color(band), linewidth=0)
                shaded.set(alpha=0.5 / len(spectra), label=f"_{who}, {band_name}")
            elif alone and not band.looked_for:
                ax.plot(shift, baseline + component, color=OWN, linewidth=0.5, label=f"_{who}, band {band_name}")
        if not relative:
            ax.plot(shift, baseline, "--", color="0.2", linewidth=0.6, label=f"_{who}, baseline")
        ax.plot(shift, fit, color=FIT, linewidth=0.7 if alone else 0.4, label=f"_{who}, fit")
        full = ((curves.intensity - above) * unit).where(curves.saturated)
        if curves.saturated.any():
            ax.plot(shift, full, "x", color="#CC3311", markersize=2, markeredgewidth=0.5, label=f"_{who}, saturated")
        low, high = min(low, float(baseline.min())), max(high, float(data.max()), float(full.fillna(-np.inf).max()))
    span = high - low
    for one in spectra:
        for at in positions(one.curves.raman_shift.to_numpy(), one.curves.struck.to_numpy()):
            ax.plot(at, high + 0.06 * span, "v", color="0.5", markersize=2.5, label="_spike, cut")
    ticks: dict[str, Any] = {"color": "0.3", "markersize": 4, "markeredgewidth": 0.7, "label": "_own bands, expected"}
    ax.plot(own, np.full(len(own), low - 0.08 * span), "|", **ticks)
    ax.set_ylim(low - 0.15 * span, high + 0.36 * span)
    text = fill(name, LONGEST) + (f" (n = {len(spectra)})" if not alone else "")
    ax.text(0.012, 0.95, style.label(text), transform=ax.transAxes, va="top", fontweight="bold", color=color)
    units = spectra[0].curves.intensity.attrs.get("units", "").replace("arbitrary", "arb.")
    ax.set_ylabel("Intensity / %\nof highest band" if relative else f"Intensity\n/ {units}")


def _kept(curves: xr.Dataset) -> xr.DataArray:
    """Return which points the fit uses."""
    return ~(curves.struck | curves.saturated)


def _color(mode: Band) -> str:
    return UNTOLD if mode.present is None else MODE


def _named(one: Decomposition, name: str) -> str:
    """Return the name of a spectrum among those of its condition."""
    replicate = one.curves.attrs.get("replicate", "")
    return f"{name}, replicate {replicate}" if replicate else name


def _highest(one: Decomposition) -> float:
    """Return the height of the highest band, or that of the fit above its baseline where none is positive."""
    if one.relative_to:
        return float(one.curves.component.sel(band=one.relative_to).max())
    return float((one.curves.fit - one.curves.baseline).max()) or 1.0


def _legend(ax: Axes, names: Sequence[str]) -> None:
    """Name the marks above the first panel, where they hide nothing."""
    known = {
        "data": Line2D([], [], color="0.3", marker=".", markersize=3, markeredgewidth=0, linestyle="none"),
        "baseline": Line2D([], [], color="0.2", linewidth=0.6, linestyle="--"),
        "band": Line2D([], [], color=OWN, linewidth=0.5),
        "fit": Line2D([], [], color=FIT, linewidth=0.7),
        "spike, cut": Line2D([], [], color="0.5", marker="v", markersize=2.5, linestyle="none"),
        "saturated": Line2D([], [], color="#CC3311", marker="x", markersize=2.5, markeredgewidth=0.5, linestyle="none"),
    }
    ax.legend(
        [known[name] for name in names], names, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(names),
        borderaxespad=0.2, fontsize=6, handlelength=1.2, columnspacing=1.0, handletextpad=0.4,
    )  # fmt: skip


def _names(ax: Axes, decomposed: Mapping[str, Decomposition]) -> None:
    """Name the modes above the first panel that enlarges them."""
    modes = {name: mode.expected for one in decomposed.values() for name, mode in one.modes.items()}
    for name, expected in modes.items():
        ax.text(
            expected, 1.02, name.replace(" ", "\n", 1), transform=ax.get_xaxis_transform(), color=MODE,
            ha="center", va="bottom", fontsize=6,
        )  # fmt: skip


def _residual(spectra: Sequence[Decomposition], ax: Axes) -> None:
    ax.axhline(0, color=FIT, linewidth=0.5)
    for one in spectra:
        residual = (one.curves.intensity - one.curves.fit).where(_kept(one.curves)) / one.noise
        color = style.color(one.curves.attrs["sample"])
        label = f"_{_named(one, one.curves.attrs['sample'])}, residual"
        ax.plot(one.curves.raman_shift, residual, ".", color=color, markersize=1.4, markeredgewidth=0, label=label)
    ax.set(ylim=(-5, 5), yticks=[-3, 3], ylabel="Δ/σ")


def _scale(spectra: Sequence[Decomposition]) -> float:
    """Return the height that all panels of modes show: that of the modes, and the limits of most spectra.

    A limit far above those of the other spectra says that this spectrum is no good; it does not set the scale.
    """
    present = [_drawn(one, name) for one in spectra for name, mode in one.modes.items() if mode.found]
    limits = [max((mode.height.high or 0.0 for mode in one.modes.values() if not mode.found), default=0.0)
              for one in spectra]  # fmt: skip
    some = sorted(limit for limit in limits if limit > 0)
    usual = CLIPPED * some[(len(some) - 1) // 2] if some else 0.0
    return max([*present, *(limit for limit in limits if limit <= usual)], default=0.0) or 1.0


def _drawn(one: Decomposition, name: str) -> float:
    """Return the height of a mode as it is drawn; of a saturated one that of its fit."""
    value = one.modes[name].height.value
    return float(one.curves.component.sel(band=name).max()) if value is None and not one.relative_to else value or 0.0


def _modes(spectra: Sequence[Decomposition], ax: Axes, top: float, values: Sequence[dict]) -> None:
    """Draw the spectra less baseline and the samples' own bands, and the modes or their upper limits."""
    relative = spectra[0].relative_to
    ax.axhline(0, color="0.2", linewidth=0.6, linestyle="--")
    for one in spectra:
        curves, who = one.curves, _named(one, one.curves.attrs["sample"])
        own = curves.component.sel(band=[name for name in one.bands if name not in one.modes])
        scale = 100 / float(own.sel(band=one.relative_to).max()) if one.relative_to else 1.0
        rest = (curves.intensity - curves.baseline - own.sum("band")).where(_kept(curves)) * scale
        dots: dict[str, Any] = {
            "color": style.color(curves.attrs["sample"]),
            "markersize": 2 if len(spectra) == 1 else 1.4,
        }
        ax.plot(curves.raman_shift, rest, ".", markeredgewidth=0, label=f"_{who}, data less its own bands", **dots)
        for name, mode in one.modes.items():
            if mode.found:
                component = curves.component.sel(band=name) * scale
                shaded = ax.fill_between(curves.raman_shift, 0, component, color=_color(mode), linewidth=0)
                shaded.set(alpha=0.5 / len(spectra), label=f"_{who}, {name}")
    for name in dict.fromkeys(name for one in spectra for name in one.modes):
        _mode(ax, name, spectra, top, values)
    ax.text(0.02, 0.965, _verdict(spectra), transform=ax.transAxes, va="top", fontsize=6, bbox=BOX)
    expected = [mode.expected for one in spectra for mode in one.modes.values()]
    if expected:
        ax.set_xlim(min(expected) - BESIDE, max(expected) + BESIDE)
    unit = f"% of\n{relative} cm⁻¹ band" if relative else spectra[0].curves.intensity.attrs.get("units", "")
    ax.set(ylim=(-0.12 * top, 1.35 * top), ylabel=f"Height / {unit}")


def _verdict(spectra: Sequence[Decomposition]) -> str:
    """Return what the spectra of a condition say of each phase that is looked for."""
    lines = []
    for phase in dict.fromkeys(phase for one in spectra for phase in one.verdicts):
        said = [WORDS[one.verdicts[phase][0]] for one in spectra if phase in one.verdicts]
        counts = [f"{word} ({said.count(word)} of {len(said)})" for word in dict.fromkeys(said)]
        lines.append(f"{phase}: {said[0] if len(counts) == 1 else ', '.join(counts)}")
    return "\n".join(lines)


def _mode(ax: Axes, name: str, spectra: Sequence[Decomposition], top: float, values: Sequence[dict]) -> None:
    """Write the position of a mode, or its upper limit, and mark each replicate."""
    modes: list[Band] = [one.modes[name] for one in spectra if name in one.modes]
    found = [mode for mode in modes if mode.found and mode.position.is_bounded]
    decided = [mode for mode in modes if mode.present is not None]
    color = _color((decided or modes)[0])
    ax.axvline(modes[0].expected, ymax=0.8, color=MODE, linewidth=0.5, linestyle=":")
    percent = " %" if spectra[0].relative_to else ""
    if found:
        position, low, high = (_mean(f"raman_shift_of_{name}", spectra, values) or found[0].position).numbers
        text, at = (
            f"{position:.1f} ± {(high - low) / 2:.1f}",
            max(_drawn(one, name) for one in spectra if name in one.modes and one.modes[name].found),
        )
        if len(spectra) > 1:
            text += f"\nn = {len(found)} of {len(spectra)}"
            bounds = [
                (*mode.position.numbers, mode.height.value, mode.height.half_width)
                for mode in found
                if mode.height.is_bounded
            ]
            x, lowest, highest, y, half = np.array(bounds, dtype=float).reshape(-1, 5).T
            ax.errorbar(
                x, y, half, [x - lowest, highest - x], fmt="o", markersize=2.2, markerfacecolor="w",
                markeredgewidth=0.5, elinewidth=0.5, color="0.15", label=f"_{name}, each replicate",
            )  # fmt: skip
    else:
        at, position = max(mode.height.high or 0.0 for mode in modes), modes[0].expected
        text = f"< {at:.1f}{percent}" if at < 100 or not percent else f"< {at:.0f}{percent}"
        bar = [position - LIMIT_HALF_LENGTH, position + LIMIT_HALF_LENGTH]
        for mode in modes:
            limit = mode.height.high or 0.0
            dashes = "--" if mode.present is None else "-"
            ax.plot(bar, [limit, limit], dashes, color=color, linewidth=0.8, label=f"_{name}, 95 % upper limit")
    if at > 1.05 * top:  # the number beside an arrow stands for what lies above the panel
        ax.plot(position, 1.16 * top, "^", color=color, markersize=3)
        at = 0.98 * top
    ax.annotate(
        text, (position, at), (0, 2), textcoords="offset points", ha="center", fontsize=6, color=color, bbox=BOX
    )


def _mean(quantity: str, spectra: Sequence[Decomposition], values: Sequence[dict]) -> Interval | None:
    """Return the mean of a quantity over the replicates of a condition, None where there is none."""
    sample, state = (spectra[0].curves.attrs.get(key, "") for key in ("sample", "state"))
    for row in values:
        if (
            row.get("n")
            and None not in (row["low"], row["high"])
            and (row["quantity"], row["sample"], row["state"]) == (quantity, sample, state)
        ):
            return Interval(row["value"], row["low"], row["high"])
    return None


def _lines(calibration: xr.Dataset, window: Sequence[float], ax: Axes) -> None:
    """Draw the correction of the recorded axis at each line, and what lies between with its 95 % interval."""
    ax.set(xlabel="Recorded Raman shift / cm⁻¹", ylabel="Axis correction\n/ cm⁻¹")
    ax.margins(x=0.02)
    if "standard" in calibration.attrs:
        grid = np.linspace(window[0], window[1], 200)
        attrs = {"axis_uncertainty": calibration.uncertainty, "axis_slope": calibration.axis_slope}
        attrs["axis_fixed_at"] = calibration.known
        half = NORMAL * np.array([axis_uncertainty_at(attrs, at) for at in grid])
        ax.fill_between(
            grid, calibration.offset - half, calibration.offset + half, color=FIT, alpha=0.2, linewidth=0,
            label="_95 % interval",
        )  # fmt: skip
        ax.axhline(calibration.offset, color=FIT, linewidth=0.8, label="_offset")
        ax.plot(calibration.recorded, calibration.offset, "ko", markersize=2, label=f"_{calibration.standard}")
        ax.text(0.98, 0.08, calibration.standard, transform=ax.transAxes, ha="right", va="bottom", fontsize=6)
        return
    recorded = calibration.recorded.to_numpy()
    laser = neon.vacuum(calibration.excitation)
    off = neon.NM / laser - neon.NM / neon.vacuum(calibration.air.to_numpy()) - recorded
    used = calibration.verdict.to_numpy() == "used"
    grid = np.linspace(np.nanmin(recorded), np.nanmax(recorded), 200)
    axis = xr.Dataset(coords={"raman_shift": grid}, attrs={"excitation": calibration.excitation})
    curve = neon.calibrated(axis, calibration, 0.0)
    error = curve.raman_shift.to_numpy() - grid
    half = NORMAL * curve.axis_uncertainty
    ax.axvspan(*window, color="0.93", linewidth=0)
    ax.fill_between(grid, error - half, error + half, color=FIT, alpha=0.2, linewidth=0, label="_95 % interval")
    ax.plot(grid, error, color=FIT, linewidth=0.8, label="_polynomial")
    ax.plot(recorded[used], off[used], "ko", markersize=2, label="_lines used")
    empty: dict[str, Any] = {"fillstyle": "none", "markeredgewidth": 0.5}
    ax.plot(recorded[~used], off[~used], "ko", markersize=2, label="_lines left out", **empty)
    ax.text(
        0.98,
        0.08,
        f"{used.sum()} {calibration.element} lines",
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize=6,
    )
