"""The claims table as a picture, by group: deviations of the numbers in units of their intervals, yes/no statements."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from coldbond.bundle import style
from coldbond.bundle.claims import statements
from coldbond.bundle.claims.paper import Claim
from coldbond.bundle.claims.report import recomputed, with_unit
from coldbond.bundle.claims.statements import GROUPS, NOT_RECOVERED, OUTSIDE, RECOVERED, Statement
from coldbond.bundle.claims.verdicts import AGREES, DISAGREES, NO_DATA, UNDECIDED

#: Each verdict has its own colour (Wong 2011, doi 10.1038/nmeth.1618) and its own marker, as arguments of `Axes.plot`.
MARKS: dict[str, dict[str, Any]] = {
    AGREES: dict(color="#0072B2", marker="o"),
    DISAGREES: dict(color="#D55E00", marker="X", markersize=5),
    RECOVERED: dict(color="#009E73", marker="D", markersize=3.2),
    NOT_RECOVERED: dict(color="#CC79A7", marker="X", markersize=5),
    UNDECIDED: dict(color="#767676", marker="o", markerfacecolor="white"),
    NO_DATA: dict(color="#767676", marker="_"),
}
NUMBERS, ANSWERS = "numbers", "yes or no"
FARTHEST = 4.2  # range of the axis in half intervals; values beyond it are arrows at the edge
COLUMN = 26  # distance between the answers of two samples, mm
ACROSS, LONGEST = 3, 16  # answers on a line; one, if an answer has more characters


def parts(listed: Sequence[Statement]) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the findings of each part of the picture: of each group the numbers, and the yes/no statements.

    Statements without data, which have no number to draw, are listed with the yes/no statements.
    """
    of: dict[tuple[str, str], list[dict]] = {}
    for key in GROUPS:
        for kind in (NUMBERS, ANSWERS):
            of[key, kind] = []
        for one in listed:
            if one.group == key:
                kind = ANSWERS if one.kind == "qualitative" or key == NO_DATA else NUMBERS
                more = {
                    "remark": f", {one.evidence.removesuffix(' (closure)')}"
                    if one.evidence and key in (OUTSIDE, UNDECIDED)
                    else ""
                }
                of[key, kind] += [
                    row | more | {"shown": statements.shown(row["verdict"], row["evidence"])} for row in one.findings
                ]
    return {part: pd.DataFrame(rows) for part, rows in of.items() if rows}


def lines(kind: str, rows: pd.DataFrame) -> int:
    """Return the number of lines of a part; a yes/no statement takes one line for up to three samples."""
    return sum(len(one) for one in _answered(rows).values()) if kind == ANSWERS else len(rows)


def _answered(rows: pd.DataFrame) -> dict[str, list[list[dict]]]:
    """Return the answers to each yes/no statement, by line."""
    found = {}
    for claim, asked in rows.groupby("claim", sort=False):
        listed = asked.drop_duplicates(["sample", "value", "shown"]).to_dict("records")
        across = ACROSS if all(len(_answer(row)) <= LONGEST for row in listed) else 1
        found[str(claim)] = [listed[start : start + across] for start in range(0, len(listed), across)]
    return found


def _answer(row: dict) -> str:
    return ": ".join(filter(None, [row["sample"], row["value"] or "—"]))


def forest(rows: pd.DataFrame, ax: Axes) -> None:
    """Draw (recomputed − stated) of each row in units of half the 95 % interval; grey marks what the statement allows.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `parts`: findings of statements that are numbers.
    ax : matplotlib.axes.Axes
    """
    _lay_out(ax, rows.to_dict("records"))
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
    ax.hlines(y, max(low, -FARTHEST), min(high, FARTHEST), color=MARKS[row["shown"]]["color"], lw=1, label="_interval")
    ax.plot(at, y, label="_recomputed", **MARKS[row["shown"]])


def _arrow(start: float, end: float, y: float, row: dict, ax: Axes) -> None:
    mark = MARKS[row["shown"]]
    style = dict(arrowstyle="->", lw=0.8, color=mark["color"], shrinkA=0, shrinkB=0)
    ax.annotate("", (end, y), (start, y), arrowprops=style)
    ax.plot(start, y, label="_recomputed, beyond the axis or with one bound", **mark)


def answers(rows: pd.DataFrame, ax: Axes) -> None:
    """Draw one line for each statement, with a mark and the answer for each sample.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `parts`: findings of yes/no statements.
    ax : matplotlib.axes.Axes
    """
    of_lines = [
        (line if at == 0 else None, line) for by_line in _answered(rows).values() for at, line in enumerate(by_line)
    ]
    _lay_out(ax, [first[0] | {"sample": ""} if first else None for first, _ in of_lines])
    for y, (_, line) in enumerate(of_lines):
        for place, row in enumerate(line):
            at = ax.transData + ScaledTranslation((1 + place * COLUMN) * style.MM, 0, ax.figure.dpi_scale_trans)
            ax.plot(0, y, clip_on=False, label="_decoration", transform=at, **MARKS[row["shown"]])
            aside = at + ScaledTranslation(1.4 * style.MM, 0, ax.figure.dpi_scale_trans)
            ax.text(0, y, _answer(row) + row["remark"], va="center", transform=aside)
    ax.set(xlim=(0, 1), xticks=[])
    ax.spines["bottom"].set_visible(False)


def draw(listed: Sequence[Statement], fig: Figure) -> None:
    """Draw all statements with a legend into an empty figure.

    Parameters
    ----------
    listed : sequence of Statement
        From `statements.of`.
    fig : matplotlib.figure.Figure
        From `figures.new`.
    """
    drawn = parts(listed)
    heights = [lines(kind, rows) for (_, kind), rows in drawn.items()]
    axes = fig.subplots(len(drawn), height_ratios=heights, squeeze=False)[:, 0]
    tallies, titled = statements.tally(listed), set()
    for ax, ((group, kind), rows) in zip(axes, drawn.items(), strict=True):
        (answers if kind == ANSWERS else forest)(rows, ax)
        if group not in titled:
            _title(f"{GROUPS[group].title}: {tallies[group]}", ax)
            titled.add(group)
    if of_numbers := [ax for ax, (_, kind) in zip(axes, drawn, strict=True) if kind == NUMBERS]:
        of_numbers[0].set_xlabel("(recomputed − stated) / half the 95 % interval; grey: what the statement allows")
    marks = {word: MARKS[word] for word in MARKS if any(word in set(rows.shown) for rows in drawn.values())}
    handles = [Line2D([], [], ls="", label=word, **mark) for word, mark in marks.items()]
    fig.legend(handles=handles, loc="outside upper right", ncols=len(handles), handletextpad=0.2, columnspacing=1.2)


def _title(text: str, ax: Axes) -> None:
    """Write the title of a group from the left edge of the figure on; it takes its height of the panel, no width."""
    ax.set_title(" ")
    place = ("figure fraction", "axes fraction")
    title = ax.annotate(text, (0.005, 1.0), xycoords=place, xytext=(0, 2), textcoords="offset points", **BOLD)
    title.set_in_layout(False)


BOLD: dict[str, Any] = dict(va="bottom", ha="left", fontweight="bold", annotation_clip=False)


def height(listed: Sequence[Statement]) -> float:
    """Return the height of the picture in mm."""
    drawn = parts(listed)
    return 8 + sum((11 if kind == NUMBERS else 6) + 3.4 * lines(kind, rows) for (_, kind), rows in drawn.items())


def _lay_out(ax: Axes, rows: Sequence[dict | None]) -> None:
    """Label a line for each row; None is a line without a label."""
    labels = []
    for row in rows:
        if row is None:
            labels.append("")
            continue
        whose = f" [{row['sample']}]" if row["sample"] else ""
        stated = f": {with_unit(row['paper'], row['unit'])}" if row["kind"] != "qualitative" else ""
        text = f"{row['panel']}  {row['statement']}{whose}{stated}"
        labels.append(style.label(text.replace(">=", "≥").replace("<=", "≤")))
    ax.set(ylim=(len(rows) - 0.4, -0.6), yticks=range(len(rows)), yticklabels=labels)
    ax.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
