"""Arrangement of figures that show one panel, or one row of panels, for each sample."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.transforms import Transform

from coldbond.bundle import style

#: Height of a page of a journal, mm.
PAGE = 247.0

#: Mean width of a character at 7 points, mm; a Chinese one is as wide as the font is high.
NARROW, WIDE = 1.42, 2.47

#: Panels up to which each has a number of its own; of more, only the first of each row.
NUMBERED = 8


def grid(count: int, in_one_column: int) -> tuple[int, int]:
    """Return rows and columns for so many panels, of which a number fits into one column, and the rest into more."""
    columns = ceil(count / in_one_column)
    return ceil(count / columns), columns


def height(rows: int, each: float, more: float = 0.0) -> float:
    """Return the height [mm] of a figure with rows of equal height, which shrink by up to a half to fit on a page."""
    return more + rows * max(min(each, (PAGE - more) / rows), each / 2)


def number(panels: Iterable[Iterable[Axes]]) -> None:
    """Number the panels; of many, the first of each row."""
    rows = [list(row) for row in panels]
    flat = [ax for row in rows for ax in row]
    style.letters(flat if len(flat) <= NUMBERED else [row[0] for row in rows])


def inside(ax: Axes, text: str, height: float, transform: Transform | None = None) -> None:
    """Write a text at the left of a panel, clear of its ticks, with its top at a share of the height."""
    coordinates = transform or ax.transAxes
    ax.annotate(text, (0, height), (5, 0), coordinates, textcoords="offset points", va="top", linespacing=1.1)


def counted(n: np.ndarray) -> str:
    """Return how many cells a mean is of, where their number falls along it as the first and the last of them."""
    return f"n = {n.max()}" if n.min() == n.max() else f"n = {n.min()}–{n.max()}"


def title(ax: Axes, text: str, width: float) -> None:
    """Write a title of lines of at most a width [mm] above the left end of a panel, beside its number."""
    ax.set_title(wrapped(text, width), loc="right", x=0.02, ha="left", pad=4)


def wrapped(text: str, width: float) -> str:
    """Break a text into lines of at most a width [mm] at 7 points, after spaces and hyphens where there are any."""
    lines, length = [""], 0.0
    for part in re.findall(r"[^\s_/,;|–-]*[\s_/,;|–-]*", text):
        needed = _width(part.rstrip())
        if lines[-1] and length + needed > width:
            lines.append("")
            length = 0.0
        for character in part:
            if length + _width(character) > width and not character.isspace():
                lines.append("")
                length = 0.0
            lines[-1] += character
            length += _width(character)
    return "\n".join(line.strip() for line in lines)


def _width(text: str) -> float:
    return sum(WIDE if unicodedata.east_asian_width(character) in "WF" else NARROW for character in text)


def tints(sample: str, count: int) -> list[str]:
    """Return tints of the colour of a sample for its replicates, the first in full."""
    red, green, blue = to_rgb(style.color(sample))
    shares = [0.55 * i / max(count - 1, 1) for i in range(count)]
    return [to_hex((red + (1 - red) * s, green + (1 - green) * s, blue + (1 - blue) * s)) for s in shares]


def sample_of(cells: Mapping, labels: Sequence[str]) -> str:
    """Return the sample that the cells of a condition share."""
    return cells[labels[0]].attrs["sample"]
