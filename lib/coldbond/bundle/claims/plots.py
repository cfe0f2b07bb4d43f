"""The claims table as a picture: deviations of the numbers in units of their intervals, and the yes/no statements."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from coldbond.bundle import style
from coldbond.bundle.claims.paper import Claim
from coldbond.bundle.claims.report import recomputed, with_unit
from coldbond.bundle.claims.verdicts import AGREES, DISAGREES, EVIDENCE, UNTESTED

#: Each verdict has its own colour (Wong 2011, doi 10.1038/nmeth.1618) and its own marker, as arguments of `Axes.plot`.
MARKS: dict[str, dict[str, Any]] = {
    AGREES: dict(color="#0072B2", marker="o"),
    DISAGREES: dict(color="#D55E00", marker="X", markersize=5),
    UNTESTED: dict(color="#767676", marker="o", markerfacecolor="white"),
}
TITLES = {
    "numbers": "numbers: recomputed",
    "contradictions": "numbers of the paper against each other and against those of others",
    "yes or no": "yes or no: what was found",
}
FARTHEST = 4.2  # range of the axis in half intervals; values beyond it are arrows at the edge
COLUMN = 0.54  # distance between the answers of two samples, share of the panel's width


def groups(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of the three parts of the picture: numbers, contradictions, yes/no statements."""
    contradicts, asked = table.kind == "contradiction", table.kind == "qualitative"
    parts = {
        "numbers": table[~contradicts & ~asked],
        "contradictions": table[contradicts],
        "yes or no": table[asked],
    }
    return {name: rows for name, rows in parts.items() if len(rows)}


def lines(name: str, rows: pd.DataFrame) -> int:
    """Return the number of lines of a part; a yes/no statement takes one line for all samples."""
    return rows.claim.nunique() if name == "yes or no" else len(rows)


def forest(rows: pd.DataFrame, ax: Axes) -> None:
    """Draw (recomputed − stated) of each row in units of half the 95 % interval; grey marks what the statement allows.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of `verdicts.table` that are not yes/no statements.
    ax : matplotlib.axes.Axes
    """
    _lay_out(ax, rows)
    ax.axvline(0, color="#767676", lw=0.6, zorder=0)
    for y, row in enumerate(rows.to_dict("records")):
        ax.text(1.02, y, f"{recomputed(row) or '—'}{row['remark']}", transform=ax.get_yaxis_transform(), va="center")
        stated = row["paper"].removeprefix("≈ ")
        claim = Claim(row["claim"], "", row["kind"] if stated == row["paper"] else "approx", "", stated)
        low, value, high = (
            float(row[end]) - float(claim.number) if row[end] else None for end in ("low", "value", "high")
        )
        if low is not None and high is not None:
            half = (high - low) / 2
            _allowed(claim, float(claim.margin) / half, y, ax)
            _interval(low / half, (low + high) / 2 / half if value is None else value / half, high / half, y, row, ax)
        elif low is not None or high is not None:  # one bound only, so there is no half width to scale by
            _allowed(claim, 0, y, ax)
            _arrow(0, 1.2 if high is None else -1.2, y, row, ax)
    ax.set(xlim=(-FARTHEST, FARTHEST))


def _allowed(claim: Claim, margin: float, y: float, ax: Axes) -> None:
    start = -FARTHEST if claim.relation in ("<", "<=") else -min(margin, FARTHEST)
    end = FARTHEST if claim.relation in (">", ">=") else min(margin, FARTHEST)
    if claim.kind != "step":
        allowed = "_what the statement allows"
        ax.fill_betweenx([y - 0.4, y + 0.4], start, end, color="#E2E2E2", lw=0, zorder=-1, label=allowed)


def _interval(low: float, at: float, high: float, y: float, row: dict, ax: Axes) -> None:
    if abs(at) > FARTHEST:
        sign = 1 if at > 0 else -1
        _arrow(sign * 0.8 * FARTHEST, sign * FARTHEST, y, row, ax)
        text = f"{at:+.0f}".replace("-", "−")
        ax.text(sign * 0.74 * FARTHEST, y, text, ha="right" if at > 0 else "left", va="center")
        return
    ax.hlines(
        y, max(low, -FARTHEST), min(high, FARTHEST), color=MARKS[row["verdict"]]["color"], lw=1, label="_interval"
    )
    ax.plot(at, y, label="_recomputed", **MARKS[row["verdict"]])


def _arrow(start: float, end: float, y: float, row: dict, ax: Axes) -> None:
    mark = MARKS[row["verdict"]]
    style = dict(arrowstyle="->", lw=0.8, color=mark["color"], shrinkA=0, shrinkB=0)
    ax.annotate("", (end, y), (start, y), arrowprops=style)
    ax.plot(start, y, label="_recomputed, beyond the axis or with one bound", **mark)


def answers(rows: pd.DataFrame, ax: Axes) -> None:
    """Draw one line for each yes/no statement, with a mark and the answer for each sample.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of `verdicts.table` that are yes/no statements.
    ax : matplotlib.axes.Axes
    """
    _lay_out(ax, rows.drop_duplicates("claim").assign(sample=""))
    for y, (_, asked) in enumerate(rows.groupby("claim", sort=False)):
        asked = asked.drop_duplicates(["sample", "value", "verdict"])
        for place, row in enumerate(asked.to_dict("records")):
            ax.plot(0.02 + place * COLUMN, y, clip_on=False, label="_decoration", **MARKS[row["verdict"]])
            text = ": ".join(filter(None, [row["sample"], row["value"] or "—"])) + row["remark"]
            ax.text(0.045 + place * COLUMN, y, text, va="center")
    ax.set(xlim=(0, 1), xticks=[])
    ax.spines["bottom"].set_visible(False)


def draw(table: pd.DataFrame, fig: Figure) -> None:
    """Draw the whole table with a legend into an empty figure."""
    # If some rows are synthetic, the rows with stronger evidence are labelled.
    stronger = (table.kind != "contradiction") & table.evidence.isin([EVIDENCE["measured"], EVIDENCE["computed"]])
    mixed = EVIDENCE["synthetic"] in set(table.evidence)
    parts = groups(table.assign(remark=(", " + table.evidence).where(stronger & mixed, "")))
    heights = [lines(name, rows) for name, rows in parts.items()]
    axes = fig.subplots(len(parts), height_ratios=heights, squeeze=False)[:, 0]
    for ax, (name, rows) in zip(axes, parts.items(), strict=True):
        (answers if name == "yes or no" else forest)(rows, ax)
        ax.text(0, 1.0, TITLES[name], transform=ax.transAxes, va="bottom")
        if name != "yes or no":
            ax.set_xlabel("(recomputed − stated) / half the 95 % interval; grey: what the statement allows")
    style.letters(axes)
    handles = [Line2D([], [], ls="", label=word, **mark) for word, mark in MARKS.items()]
    fig.legend(handles=handles, loc="outside upper right", ncols=len(handles), handletextpad=0.2, columnspacing=1.2)


def height(table: pd.DataFrame) -> float:
    """Return the height of the picture in mm."""
    parts = groups(table)
    return 8 + 11 * len(parts) + 3.4 * sum(lines(name, rows) for name, rows in parts.items())


def _lay_out(ax: Axes, rows: pd.DataFrame) -> None:
    labels = []
    for row in rows.to_dict("records"):
        whose = f" [{row['sample']}]" if row["sample"] else ""
        stated = f": {with_unit(row['paper'], row['unit'])}" if row["kind"] != "qualitative" else ""
        text = f"{row['panel']}  {row['statement']}{whose}{stated}"
        labels.append(style.label(text.replace(">=", "≥").replace("<=", "≤")))
    ax.set(ylim=(len(rows) - 0.4, -0.6), yticks=range(len(rows)), yticklabels=labels)
    ax.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
