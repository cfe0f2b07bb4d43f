"""What the panels of diffraction figures share: colours and marks of phases, dots of measured points."""

from typing import Any

from coldbond.bundle import style
from coldbond.xrd.structures import STRUCTURES

#: One colour and mark for each phase beside the main one (Wong 2011, doi 10.1038/nmeth.1618).
MARKS = ("v", "D", "s", "^", "o", "P", "X", "*", "<", ">")
SHADES = ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#882255", "#999933", "#332288", "#117733", "#44AA99", "#AA4499")
MAIN_PHASES = ("LLZTO", "Li5La3Nb2O12")  # structures that are never beside another one
FORMULAS = {name: name.translate(style.LOWERED) for name in STRUCTURES}
FIT_COLOR = "#B00020"
UNEXPLAINED_COLOR = "0.35"
DOTS: dict[str, Any] = dict(linestyle="none", marker=".", markersize=1.1, markeredgewidth=0)


def shade(name: str) -> tuple[str, str]:
    """Return colour and mark of a phase, the same in every figure."""
    at = [key for key in STRUCTURES if key not in MAIN_PHASES].index(name)
    return SHADES[at % len(SHADES)], MARKS[at % len(MARKS)]
