"""Shares of components: of replicates, and over the states of a sample."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from coldbond.bundle import style
from coldbond.xps.component_selection import Composition, is_alone
from coldbond.xps.fit import curves
from coldbond.xps.plots.texts import COLORS, HATCH, LINE_HEIGHT, OTHER_COLOR, SMALL, is_undecided, write


def series(
    compositions: Mapping[str, Composition], recordings: Mapping[str, xr.DataTree], ax: Axes, points: float
) -> None:
    """Draw the spectra of the states of a sample above each other, each relative to its highest intensity.

    Parameters
    ----------
    compositions : dict of str to Composition
        By the label of the recording, from top to bottom.
    recordings : mapping of str to xarray.DataTree
    ax : matplotlib.axes.Axes
    points : float
        Height of the panel, points.
    """
    sample = recordings[next(iter(compositions))].attrs["sample"]
    for i, (label, one) in enumerate(reversed(list(compositions.items()))):
        fitted = curves(one.drawn)
        energy, least = fitted.binding_energy.to_numpy(), float(fitted.intensity.min())
        unit = float(np.ptp(fitted.intensity.to_numpy())) / 0.9
        intensity, envelope, background = (
            i + (fitted[part].to_numpy() - least) / unit for part in ("intensity", "envelope", "background")
        )
        for key in map(str, fitted.key.to_numpy()):
            line = background + fitted.component.sel(key=key).to_numpy() / unit
            own, open_ = COLORS.get(key, OTHER_COLOR), is_undecided(one, key)
            looks: dict[str, Any] = {"facecolor": "none", "edgecolor": own, "hatch": HATCH} if open_ else {"color": own}
            ax.fill_between(energy, background, line, alpha=0.45, linewidth=0, label=f"_{label}, {key}, area", **looks)
        ax.plot(energy, intensity, ".", color="0.55", markersize=1.8, markeredgewidth=0, label=f"_{label}, data")
        ax.plot(energy, envelope, color="k", linewidth=0.5, label=f"_{label}, fit")
        ax.annotate(
            recordings[label].attrs["state"], (0.02, i + 0.55), xycoords=ax.get_yaxis_transform(), va="center",
            fontsize=SMALL,
        )  # fmt: skip
    top = len(compositions) / (1 - (LINE_HEIGHT + 4) / points)
    ax.set(ylim=(-0.1, top), yticks=[])
    write(ax, [(style.label(sample), style.color(sample), 7.0)], 0.0)


def course(
    ax: Axes,
    region: str,
    labels: Sequence[str],
    found: Mapping[str, Mapping[str, Composition]],
    recordings: Mapping[str, xr.DataTree],
) -> None:
    """Draw the share of each component over the states of a sample with its interval; limits are open triangles."""
    keys = dict.fromkeys(key for label in labels for key in found[label][region].components)
    for n, key in enumerate(key for key in keys if not all(is_alone(found[label][region], key) for label in labels)):
        color, beside = COLORS.get(key, OTHER_COLOR), 0.08 * n
        for i, label in enumerate(labels):
            one = found[label][region].components.get(key)
            if one is None:
                continue
            value, low, high = (100 * x for x in one.share.numbers)
            if one.present:
                ends = [[value - low], [high - value]]
                ax.errorbar(i + beside, value, ends, fmt="o", color=color, markersize=2.5, elinewidth=0.7,
                            label=f"_{label}, {key}")  # fmt: skip
            else:
                ax.plot(i + beside, high, "v", color=color, markersize=3.5, fillstyle="none", label=f"_{label}, {key}")
    states = [recordings[label].attrs["state"] for label in labels]
    ax.set(xlim=(-0.5, len(labels) - 0.4), ylim=(0, 105), ylabel=f"Share of {region} / %")
    ax.set_xticks(range(len(labels)), states, rotation=30, ha="right", fontsize=SMALL)


def shares(
    ax: Axes,
    region: str,
    groups: Mapping[str, Sequence[str]],
    found: Mapping[str, Mapping[str, Composition]],
    recordings: Mapping[str, xr.DataTree],
    values: Sequence[dict],
) -> None:
    """Draw the share of each component in each recording, and the mean of replicates with its 95 % interval.

    A component that is not present has no point; its upper limit stands among the findings.
    """
    held = {label: found[label][region].components for labels in groups.values() for label in labels}
    keys = list(dict.fromkeys(key for components in held.values() for key in components))
    beside = 0.7 / len(groups)
    for i, (name, labels) in enumerate(groups.items()):
        attrs = recordings[labels[0]].attrs
        color, offset = style.color(attrs["sample"]), (i - (len(groups) - 1) / 2) * beside
        own = [(keys.index(key), one) for label in labels for key, one in held[label].items() if one.present]
        places = [(at + offset, 100 * min(one.share.value, 1.0)) for at, one in own if one.share.value is not None]
        if places:
            x, y = zip(*places, strict=True)
            alpha = 0.5 if len(labels) > 1 else 1.0
            ax.plot(x, y, "o", color=color, markersize=2.2, markeredgewidth=0, alpha=alpha, label=f"_{name}, each")
        for at, key in enumerate(keys):
            mean = _mean(f"{region}_{key}_share".replace(" ", "_"), attrs, values)
            if mean is not None:
                value, low, high = (100 * number for number in mean)
                ax.errorbar(
                    at + offset, value, [[value - low], [high - value]], fmt="_", color=color, markersize=6,
                    elinewidth=0.8, label=f"_{name}, {key}, mean",
                )  # fmt: skip
    labels_of = {key: text for one in held for key, text in found[one][region].labels.items()}
    ax.set(xlim=(-0.6, len(keys) - 0.4), ylim=(0, 105), ylabel=f"Share of {region} / %")
    ax.set_xticks(range(len(keys)), [labels_of.get(key, key) for key in keys])


def _mean(quantity: str, attrs: Mapping, values: Sequence[dict]) -> tuple[float, float, float] | None:
    """Return the mean of a quantity over the replicates of a condition with its interval, None where there is none."""
    wanted = (quantity, attrs["sample"], attrs["state"])
    for row in values:
        ends = row["value"], row["low"], row["high"]
        if row.get("n") and (row["quantity"], row["sample"], row["state"]) == wanted and None not in ends:
            return ends
    return None
