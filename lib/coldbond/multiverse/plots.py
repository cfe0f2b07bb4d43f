"""Pictures of the multiverse: an overview of all statements, and specification curves for each of them.

A specification curve shows the result of every run in order of its value, and below it the choices of that run
(Simonsohn et al. 2020, doi 10.1038/s41562-020-0912-z).
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coldbond.bundle import figures, pictures, style, style_file
from coldbond.bundle.claims.paper import Claim
from coldbond.bundle.claims.statements import NOT_RECOVERED, RECOVERED, shown
from coldbond.bundle.claims.verdicts import AGREES, DISAGREES, EVIDENCE, NO_DATA, UNDECIDED
from coldbond.multiverse.summary import names

#: Colours of Wong (2011, doi 10.1038/nmeth.1618), as in the claims table.
COLORS = {
    AGREES: "#0072B2",
    RECOVERED: "#009E73",
    DISAGREES: "#D55E00",
    NOT_RECOVERED: "#CC79A7",
    UNDECIDED: "#767676",
    NO_DATA: "#BBBBBB",
}
ORDER = list(COLORS)


def overview(summary: Mapping) -> Figure:
    """Draw the share of the runs with each verdict, for every finding that tests a statement."""
    rows = [row for one in summary["claims"].values() for row in one["rows"]]
    with figures.new(width="double", height=16 + 3.1 * len(rows)) as fig:
        ax = fig.subplots()
        seen: set[str] = set()
        for place, row in enumerate(rows):
            of = summary["figures"][row["figure"]]
            words, left = [_shown(entry[3], of) for entry in row["runs"] if entry], 0.0
            seen |= {*words}
            for word, color in COLORS.items():
                share = words.count(word) / len(words) if words else 0.0
                ax.barh(place, share, left=left, height=0.7, color=color)
                left += share
            hangs = ", ".join(dict.fromkeys(text.split(":")[0] for text in row["alone"]))
            mixed = "combined choices" if len(set(words)) > 1 and not hangs else hangs
            ax.text(1.01, place, f"{row['n']} of {row['N']}" + (f"; {mixed}" if mixed else ""), va="center")
        labels = [name for one in summary["claims"].values() for name in names(one["rows"])]
        labels = [f"{name} {row['figure']}" for name, row in zip(labels, rows, strict=True)]
        ax.set(yticks=range(len(rows)), yticklabels=labels, ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1))
        ax.set(xlabel="Share of the runs")
        ax.tick_params(axis="y", length=0)
        ax.spines[["top", "right"]].set_visible(False)
        handles = [ax.barh(0, 0, color=color, label=word) for word, color in COLORS.items() if word in seen]
        title = "Statement [sample] figure: verdict under all choices; at the right, in how many runs it holds, and\n"
        fig.suptitle(f"{title}the choices of which one alone gives another verdict", x=0.01, ha="left")
        fig.legend(handles=handles, loc="outside lower center", ncols=len(handles))
        figures.stamp(fig, _recordings(summary, rows))
    return fig


def curves(claim: Claim, one: Mapping, summary: Mapping) -> Figure:
    """Draw the value that each run gives for a statement, sorted by value, and below it the choices of the run."""
    rows = one["rows"]
    depth = max(sum(map(len, summary["figures"][row["figure"]]["choices"].values())) for row in rows)
    with figures.new(width="double", height=len(rows) * (34 + 2.9 * depth) + 8) as fig:
        panels = fig.subplots(2 * len(rows), squeeze=False, height_ratios=[30, 2.9 * depth] * len(rows))[:, 0]
        for i, row in enumerate(rows):
            order = sorted((run for run, entry in enumerate(row["runs"]) if entry), key=lambda run: _place(row, run))
            of = summary["figures"][row["figure"]]
            _values(panels[2 * i], claim, row, order, of)
            _chosen(panels[2 * i + 1], row, order, of)
        figures.stamp(fig, _recordings(summary, rows))
    return fig


def _place(row: Mapping, run: int) -> tuple:
    """Return the key that sorts runs: by verdict for an answer, by value or bound for a number."""
    value, low, high, word = row["runs"][run]
    middle = value if isinstance(value, int | float) else low if low is not None else high
    return ORDER.index(word) if isinstance(value, bool) else 0, middle is None, middle or 0.0, run


def _shown(word: str, of: Mapping) -> str:
    """Return the verdict of a run as it is shown: what synthetic recordings agree with is recovered."""
    return shown(word, EVIDENCE[of["origin"]])


def _values(ax: Axes, claim: Claim, row: Mapping, order: list[int], of: Mapping) -> None:
    for x, run in enumerate(order):
        value, low, high, word = row["runs"][run]
        drawn: dict[str, Any] = dict(color=COLORS[_shown(word, of)], linewidth=0.8)
        built = run == 0
        if claim.kind == "qualitative" or value is low is high is None:
            at = {True: 1, False: 0, None: 0.5}[value] if claim.kind == "qualitative" else float(claim.number)
            ax.plot(x, at, "x" if word == NO_DATA else "D" if built else "o", **drawn, markersize=4 if built else 2.5)
            continue
        ends = [end for end in (low, value, high) if end is not None]
        ax.plot([x, x], [min(ends), max(ends)], **drawn)
        if low is None or high is None:  # one bound only: an arrow points to the open side
            ax.plot(x, ends[0], "^" if high is None else "v", **drawn, markersize=3)
        if value is not None:
            ax.plot(x, value, "D" if built else "o", **drawn, markersize=4 if built else 2.5)
    if claim.kind == "qualitative":
        ax.set(yticks=[0, 0.5, 1], yticklabels=["no", "undecided", "yes"], ylim=(-0.3, 1.3))
    else:
        ax.axhline(float(claim.number), color="0.4", linestyle="--", linewidth=0.6, zorder=0)
        unit = "" if claim.unit == "1" else f" / {style.unit(claim.unit)}"
        ax.text(0.005, 0.96, row["quantity"].replace("_", " ") + unit, transform=ax.transAxes, va="top")
    state = ", ".join(filter(None, [row["sample"], row["state"], row["figure"]]))
    stated = f"{claim.value or claim.expected.get(row['sample'], 'yes')} {claim.unit}".strip()
    title = f"{claim.statement} ({style.label(state)}). Paper: {stated}; holds in {row['n']} of {row['N']}"
    ax.set_title(title, loc="left", wrap=True)
    ax.set(xlim=(-1, len(order)), xticks=[])


def _chosen(ax: Axes, row: Mapping, order: list[int], of: Mapping) -> None:
    y, labels = 0, []
    for name, alternatives in of["choices"].items():
        for level, alternative in enumerate(alternatives):
            chosen = [
                x
                for x, run in enumerate(order)
                if (of["runs"][run].get(name, alternatives[0]["value"]) == alternative["value"])
            ]
            colors = [COLORS[_shown(row["runs"][order[x]][3], of)] for x in chosen]
            ax.scatter(chosen, [y] * len(chosen), s=5, c=colors, marker="s", linewidths=0)
            text = json.dumps(alternative["value"], ensure_ascii=False).replace('"', "").replace("$", r"\$")
            text = text if len(text) < 40 else f"{text[:38]}…"
            labels.append(f"{name if level == 0 else ''}  {text}")
            y += 1
        ax.axhline(y - 0.5, color="0.85", linewidth=0.4, zorder=0)
    ax.set(yticks=range(y), yticklabels=labels, ylim=(y - 0.5, -0.5), xlim=(-1, len(order)), xticks=[])
    ax.tick_params(axis="y", length=0, labelsize=5.5)
    ax.spines[["top", "right", "bottom", "left"]].set_visible(False)


def _recordings(summary: Mapping, rows: list[Mapping]) -> dict[str, xr.Dataset]:
    """Return stand-ins for the recordings behind the rows, which tell `figures.stamp` the origins."""
    origins = {row["figure"]: summary["figures"][row["figure"]]["origin"] for row in rows}
    return {
        figure: xr.Dataset(attrs=dict(origin="synthetic" if origin == "mixed" else origin))
        for figure, origin in origins.items()
    }


def save(fig: Figure, path: Path) -> None:
    """Write a picture for the screen atomically."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    picture = pictures.drawn(fig, style_file.current().zoom)
    part.write_bytes(pictures.png(pictures.for_screen(picture)))
    os.replace(part, path)
