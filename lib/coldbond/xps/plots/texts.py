"""Colours of components, and what the panels say of them."""

from collections.abc import Mapping, Sequence
from textwrap import fill

from matplotlib.axes import Axes

from coldbond.bundle import style
from coldbond.interval import Interval
from coldbond.xps.component_selection import Composition, is_alone
from coldbond.xps.fit import widths

#: Colour of each component, the same in every region (Wong 2011, doi 10.1038/nmeth.1618).
COLORS = {
    "Li0": "#D55E00",
    "Li3N": "#0072B2",
    "LiO": "#56B4E9",
    "Li2O": "#E69F00",
    "Zr4s": "#999999",
    "InN": "#009E73",
    "LiIn": "#CC79A7",
    "Zr4": "#56B4E9",
    "ZrReduced": "#D55E00",
}

OTHER_COLOR = "0.5"
LINE_HEIGHT = 9.0  # points, of a line of text
TENTH = 0.1  # share below which per cent have a decimal
NO_LIMIT = 0.995  # share from which on a limit says nothing
SMALL = 5.5  # points, of the texts of components
HATCH = "//////"  # of components whose presence is undecided
LONGEST = 105  # characters of 7 points in the width of a page

Text = tuple[str, str, float]  # a text, its colour and the size of its font


def texts(compositions: Mapping[str, Composition], name: str, color: str, columns: int) -> list[Text]:
    """Return what stands in a panel: the condition, and of a single recording what was found of each component."""
    replicates = f" (n = {len(compositions)})" if len(compositions) > 1 else ""
    texts = [(style.label(name_lines(name, columns)) + replicates, color, 7.0)]
    if len(compositions) > 1:
        return texts
    (one,) = compositions.values()
    widths_of, absent = widths(one.best), []
    for key, component in one.components.items():
        label, own = one.labels[key], COLORS.get(key, OTHER_COLOR)
        most = _percent(component.upper_limit)
        if is_undecided(one, key):
            limit = f", < {most} %" if component.upper_limit < NO_LIMIT else ""
            texts.append((f"{label} undecided{limit}", own, SMALL))
        elif not component.present:
            absent.append(f"{label} < {most} %")
        else:
            share = "" if is_alone(one, key) else f", {_ends(component.share)}"
            at, width = component.position.value, widths_of[key]
            texts.append((f"{label} {at:.2f} eV{share}, width {width:.2f} eV", own, SMALL))
    if one.withheld:
        texts.append(("not assigned, see the table", OTHER_COLOR, SMALL))
    if absent:
        texts.append(("absent: " + ", ".join(absent), OTHER_COLOR, SMALL))
    return texts


def _ends(share: Interval) -> str:
    """Return the interval of a share, %."""
    return f"{_percent(share.low or 0.0)}–{_percent(1.0 if share.high is None else share.high)} %"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if share < TENTH else f"{100 * share:.0f}"


def is_undecided(one: Composition, key: str) -> bool:
    return key in one.components and not one.components[key].decided


def line_height(size: float, text: str) -> float:
    return LINE_HEIGHT / 7 * size * (1 + text.count("\n"))


def write(ax: Axes, texts: Sequence[Text], above: float) -> None:
    """Write texts below each other at the top left, from a distance [points] on."""
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # marks of the reference positions end at a text
    for text, color, size in texts:
        ax.annotate(
            text, (0.02, 1.0), (0, -3 - above), xycoords="axes fraction", textcoords="offset points", va="top",
            color=color, fontsize=size, bbox=ground,
        )  # fmt: skip
        above += line_height(size, text)


def name_lines(name: str, columns: int) -> str:
    """Return the name of a condition in lines that fit into a panel of a figure with so many columns."""
    return fill(name, LONGEST // columns)
