"""What fits where in a figure of impedance: wrapped names, legends below the panels, the prefix of an axis."""

from collections.abc import Sequence
from unicodedata import east_asian_width

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure

#: Width of a character in mm at 7 points, by whether it is a wide one such as those of Chinese.
WIDE, NARROW = 2.5, 1.45
#: Of a legend's marker with the distance to the next column, mm.
HANDLE = 8.0
#: Margins beside a legend below the panels, and width of a name in it, mm.
OUTSIDE, NAME = 11.0, 78.0
BREAKS = " ,;-_/"
PREFIXES = {-9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
#: Up to here resistances are written without a prefix, ohm.
PLAIN = 1e4


def ohms(largest: float) -> tuple[str, float]:
    """Return the unit of an axis, such as "kΩ", and its size in ohm, for the largest number on it in ohm."""
    power = 0
    if largest > 0 and not 1 <= largest < PLAIN:
        power = int(np.clip(3 * np.floor(np.log10(largest) / 3), min(PREFIXES), max(PREFIXES)))
    return f"{PREFIXES[power]}Ω", 10.0**power


def width(text: str) -> float:
    """Return about how wide a text is, mm."""
    return sum(WIDE if east_asian_width(character) in "WF" else NARROW for character in text)


def wrapped(text: str, most: float) -> str:
    """Return a text in lines of at most so many mm, broken behind blanks, commas and hyphens where there are any."""
    lines = [""]
    for character in text:
        if width(lines[-1] + character) > most and lines[-1].strip():
            at = max(lines[-1].rfind(mark) for mark in BREAKS) + 1
            kept, carried = (lines[-1][:at], lines[-1][at:]) if at > 0 else (lines[-1], "")
            lines[-1:] = [kept, carried]
        lines[-1] += character
    return "\n".join(line.strip() for line in lines)


def legend_below(fig: Figure, handles: Sequence[Artist]) -> None:
    """Put a legend below all panels, in as many columns as its names leave room for."""
    names = [wrapped(str(one.get_label()), NAME) for one in handles]
    for one, name in zip(handles, names, strict=True):
        one.set_label(name)
    fig.legend(
        handles=list(handles),
        loc="outside lower center",
        ncols=_columns(names, fig.get_figwidth() * 25.4 - OUTSIDE),
        handlelength=1.2,
        handletextpad=0.4,
        columnspacing=1.4,
        borderaxespad=0.2,
    )


def legend_rows(names: Sequence[str]) -> int:
    """Return how many lines a legend below all panels takes at most."""
    names = [wrapped(name, NAME) for name in names]
    return -(-len(names) // _columns(names, 183 - OUTSIDE)) + sum(name.count("\n") for name in names)


def _columns(names: Sequence[str], available: float) -> int:
    longest = max(width(line) for name in names for line in name.split("\n"))
    return max(1, min(len(names), int(available // (longest + HANDLE))))
