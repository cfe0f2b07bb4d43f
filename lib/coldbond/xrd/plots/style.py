"""What the panels of diffraction figures share: colours and marks of phases, dots of measured points."""

from collections.abc import Iterable, Mapping
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from coldbond.bundle import style
from coldbond.xrd.analysis import Analysis
from coldbond.xrd.structures import STRUCTURES

#: One colour and mark for each phase beside the main one (Wong 2011, doi 10.1038/nmeth.1618).
MARKS = ("v", "D", "s", "^", "o", "P", "X", "*", "<", ">")
SHADES = ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#882255", "#999933", "#332288", "#117733", "#44AA99", "#AA4499")
MAIN_PHASES = ("LLZTO", "Li5La3Nb2O12")  # structures that are never beside another one
FIT_COLOR = "#B00020"
UNEXPLAINED_COLOR = "0.35"
TALL, MOST, FRAME = 40.0, 215.0, 30.0  # mm: a pattern with residuals, all of them at most, what surrounds them
LEAST_ROWS = 2  # which the panels beside the patterns need
BELOW = 26.0  # points, of an x axis with its label
#: Entries of a legend up to which it stands in its panel, and characters of a name in it.
MOST_INSIDE, LONGEST_ENTRY = 3, 26
DOTS: dict[str, Any] = dict(linestyle="none", marker=".", markersize=1.1, markeredgewidth=0)


def formula(name: str) -> str:
    """Return the name of a phase with its digits lowered."""
    return name.translate(style.LOWERED)


def shade(name: str, others: Iterable[str] = ()) -> tuple[str, str]:
    """Return colour and mark of a phase: of a built-in one the same in every figure.

    Parameters
    ----------
    name : str
    others : iterable of str
        Phases of the same figure: a user's own ones take what these leave free.
    """
    known = [key for key in STRUCTURES if key not in MAIN_PHASES]
    taken = {known.index(key) % len(SHADES) for key in others if key in known}
    free = [at for at in range(len(SHADES)) if at not in taken] or list(range(len(SHADES)))
    own = sorted(key for key in {name, *others} if key not in known)
    at = known.index(name) if name in known else free[own.index(name) % len(free)]
    return SHADES[at % len(SHADES)], MARKS[at % len(MARKS)]


def looked_for(analyses: Mapping[str, Analysis]) -> list[str]:
    """Return the phases that are looked for in any of the patterns."""
    return list(dict.fromkeys(name for found in analyses.values() for name in found.detections))


def wrapped(name: str, characters: int) -> str:
    """Return a name in lines of so many characters."""
    return fill(name, characters)


def shortened(name: str) -> str:
    """Return a name as a legend shows it: cut where it is long, since the panel of the pattern shows it whole."""
    return style.label(name if len(name) <= LONGEST_ENTRY else f"{name[: LONGEST_ENTRY - 1]}…")


def legend(ax: Axes, place: str) -> None:
    """Draw the legend of a panel: in it, or below it where it would hide the data."""
    handles, labels = ax.get_legend_handles_labels()
    if not handles:
        return
    figure = ax.get_figure(root=True)
    options: dict[str, Any] = {"loc": place, "borderaxespad": 0.2}
    if figure is not None and (len(handles) > MOST_INSIDE or max(map(len, labels)) >= LONGEST_ENTRY):
        down = ScaledTranslation(0, -BELOW / 72, figure.dpi_scale_trans)
        options = {"loc": "upper left", "bbox_to_anchor": (0, 0), "bbox_transform": ax.transAxes + down}
    ax.legend(handlelength=1.5, fontsize=6, **options)
