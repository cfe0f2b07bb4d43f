"""The forest plot of the validation: how far each number is from that of others, in combined uncertainties."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from coldbond.bundle import figures, style
from coldbond.interval import NORMAL
from coldbond.validation.matrix import TECHNIQUES, Comparison, Matrix
from coldbond.validation.page import ours, theirs
from coldbond.validation.verdicts import AGREES, DISAGREES, FAILED, UNDECIDED, Judgement, judged

#: Colours of Wong (2011, doi 10.1038/nmeth.1618).
COLORS = {AGREES: "#0072B2", DISAGREES: "#D55E00", UNDECIDED: "#767676", FAILED: "#767676"}
MARKERS = {AGREES: "o", DISAGREES: "D", UNDECIDED: "x", FAILED: "x"}
#: Largest difference that is drawn in its place, in combined standard uncertainties; larger ones have an arrow.
EDGE = 4.5
ROW = 3.15  # mm
COLUMNS = (0.0, 0.26, 0.51, 0.71)  # of the texts at the right, shares of their width


def forest(of: Matrix, results: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw all comparisons, by technique."""
    groups = {
        title: [one for one in of.comparisons if of.runs[one.run].technique == technique]
        for technique, title in TECHNIQUES.items()
    }
    groups = {title: rows for title, rows in groups.items() if rows}
    lines = sum(len(rows) + 1 for rows in groups.values())
    with figures.new(width="double", height=14 + ROW * lines) as fig:
        ax, words = fig.subplots(1, 2, sharey=True, width_ratios=[1.0, 1.0])
        words.set(xlim=(0, 1))
        words.axis("off")
        ax.axvspan(-NORMAL, NORMAL, color="0.92", linewidth=0)
        ax.axvline(0, color="0.6", linewidth=0.6)
        place, labels = 0, {}
        for title, rows in groups.items():
            labels[place] = title
            for one in rows:
                place += 1
                labels[place] = one.name
                _row(ax, place, judged(one, results[one.name]))
                _write(words, place, one, results[one.name])
            place += 1
        ax.set(ylim=(lines - 0.4, -0.6), xlim=(-EDGE - 0.5, EDGE + 0.5), yticks=[*labels])
        ax.set_yticklabels([*labels.values()])
        for tick in ax.get_yticklabels():
            if tick.get_text() in groups:
                tick.set_fontweight("bold")
        ax.set_xlabel("Difference between coldbond and others, in combined standard uncertainties")
        ax.tick_params(axis="y", length=0)
        ax.spines[["top", "right", "left"]].set_visible(False)
        for x, name in zip(COLUMNS, ("coldbond", "others", "", "kind"), strict=True):
            words.text(x, 0, name, va="center", fontweight="bold", in_layout=False)
        shown = dict.fromkeys(judged(one, results[one.name]).verdict for one in of.comparisons)
        handles = [Line2D([], [], linestyle="", marker=MARKERS[word], color=COLORS[word], label=word) for word in shown]
        fig.legend(handles=handles, loc="outside lower right", ncols=len(handles))
    return fig


def _row(ax: Axes, place: int, judgement: Judgement) -> None:
    color, score = COLORS[judgement.verdict], judgement.score
    if score is None:
        side = 0.0 if judgement.verdict != DISAGREES else EDGE
        ax.plot(side, place, MARKERS[judgement.verdict], color=color)
    elif abs(score) <= EDGE:
        ax.plot(score, place, MARKERS[judgement.verdict], color=color)
    else:
        side, marker, align = (EDGE, ">", "right") if score > 0 else (-EDGE, "<", "left")
        ax.plot(side, place, marker, color=color)
        ax.text(side * 0.94, place, _printed(f"{score:+.0f}"), color=color, va="center", ha=align)


def _write(ax: Axes, place: int, one: Comparison, found: Mapping[str, Any]) -> None:
    """Write both numbers beside the plot; the page has their intervals."""
    verdict = judged(one, found).verdict
    color = "0.15" if verdict == AGREES else COLORS[verdict]
    texts = (ours(one, found, interval=False), theirs(one, uncertainty=False), _unit(one.unit), one.kind)
    for x, text in zip(COLUMNS, texts, strict=True):
        ax.text(x, place, _printed(text), va="center", color=color, in_layout=False)


def _printed(text: str) -> str:
    """Return a number or a word as a figure shows it: 2.1e-07 becomes 2.1·10⁻⁷."""
    mantissa, power, exponent = text.partition("e-0")
    tens = f"·10⁻{exponent}".translate(style.RAISED) if power else ""
    return mantissa.replace("-", "−") + tens.replace("·¹⁰", "·10")


def _unit(unit: str) -> str:
    return {"angstrom": "Å", "1/cm": "cm⁻¹", "ohm": "Ω", "eV/atom": "eV/atom"}.get(unit, style.unit(unit))
