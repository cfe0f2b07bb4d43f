"""The style of the figures: fonts and lines, the colour and the label of each sample, the notation of units."""

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.font_manager import fontManager

from coldbond.bundle import manifest, paths, style_file

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

MM = 1 / 25.4  # inch

#: Seaborn's colour map "crest", written out here because importing seaborn takes half a second.
CREST = LinearSegmentedColormap.from_list(
    "crest", ["#A5CD90", "#76B791", "#509E90", "#33858D", "#1D6C8A", "#234F81", "#2C3172"]
)

#: Colour of the stamp "synthetic data".
STAMP = "#B00020"

#: For `str.translate`. Exponents and chemical formulas are Unicode text, because matplotlib's mathtext parser takes
#: longer than drawing the rest of a figure.
RAISED = str.maketrans("-+0123456789", "⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

#: Fallback fonts for characters that DejaVu Sans lacks, such as Chinese sample names; the installed ones are used.
OTHER_FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Micro Hei",
    "SimHei",
)

_RC: "dict[RcKeyType, object]" = {
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.titlepad": 4,
    "axes.labelsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "text.color": "0.15",
    "axes.labelcolor": "0.15",
    "axes.edgecolor": "0.15",
    "xtick.color": "0.15",
    "ytick.color": "0.15",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "lines.linewidth": 0.8,
    "lines.solid_capstyle": "round",
    "lines.markersize": 3,
    "patch.linewidth": 0.6,
    "patch.edgecolor": "white",
    "patch.force_edgecolor": True,
    "mathtext.default": "regular",
    "text.hinting": "none",  # hinted letters are up to 4 % wider at the resolution of the screen than in print
    "pdf.fonttype": 42,  # TrueType, so that text in the PDF stays text
    "ps.fonttype": 42,  # also read by the PDF backend: with its default of 3 every font is embedded twice
    "svg.hashsalt": "coldbond",  # the same ids in every run
}


def rc() -> "dict[RcKeyType, object]":
    """Return matplotlib's settings for the figures, which are drawn in `matplotlib.rc_context(style.rc())`."""
    others = sorted({*OTHER_FONTS} & {font.name for font in fontManager.ttflist})
    # DejaVu Sans ships with matplotlib and has the characters of the units, which other fonts may lack.
    return {**_RC, "font.family": list(dict.fromkeys([*style_file.current().fonts, "DejaVu Sans", *others]))}


def color(sample: str) -> str:
    """Return the colour of a sample, which is the same in every figure.

    A sample that style.toml does not name takes the next free colour of its palette, in manifest order.
    """
    chosen = style_file.current()
    if sample in chosen.colors:
        return chosen.colors[sample]
    # The "samples" of computed energies are models.
    is_there = os.path.isfile(manifest.path(paths.RAW))  # `coldbond show` draws files that no manifest lists
    rows = [row for row in manifest.load(paths.RAW).listed if row["role"] != "energies"] if is_there else []
    others = [name for name in dict.fromkeys(row["sample"] for row in rows) if name not in chosen.colors]
    place = others.index(sample) if sample in others else len(others)
    free = [color for color in chosen.palette if color not in chosen.colors.values()]
    if len(others) < len(free):
        return free[place]
    from seaborn import husl_palette  # imported only here: it takes half a second

    return husl_palette(len(others) + 1).as_hex()[place]


def shades(count: int) -> list[str]:
    """Return the colours of an ordered series, from light to dark."""
    return [to_hex(color) for color in CREST(np.linspace(0, 1, count + 2)[1:-1])]


def unit(text: str) -> str:
    """Return a unit in the notation of the figures: "mA/cm2" becomes mA cm⁻²."""
    return re.sub(r"/([A-Za-z]+)(\d*)", lambda found: f" {found[1]}{f'-{found[2] or 1}'.translate(RAISED)}", text)


def label(text: str) -> str:
    """Return a sample, a state or both in the notation of the figures, with `$` escaped for matplotlib.

    A sample that text begins with has the label that style.toml gives it.
    """
    for sample, name in style_file.current().labels.items():
        if text == sample or text.startswith(f"{sample}, "):
            text = name + text[len(sample) :]
            break
    return re.sub(r"mA/cm2|mAh/g", lambda found: unit(found[0]), text.replace("$", r"\$"))


def powers_of_ten(*axes: Axis) -> None:
    """Label logarithmic axes with powers of ten in plain text."""
    for axis in axes:
        axis.set_major_formatter(lambda value, place: f"10{str(round(np.log10(value))).translate(RAISED)}")


def letters(axes: Iterable[Axes]) -> None:
    """Label panels i, ii, iii, ... above their top left corners; a single panel gets no label.

    Letters would clash with those of the paper, of whose panels b or h these are parts.
    """
    axes = list(axes)
    for number, ax in enumerate(axes, start=1):
        if len(axes) > 1:
            ax.set_title(roman(number), loc="left", fontsize=8, fontweight="bold", x=-0.01, ha="right")


def roman(number: int) -> str:
    """Return a number from 1 to 399 as a lower-case Roman numeral."""
    numerals = {100: "c", 90: "xc", 50: "l", 40: "xl", 10: "x", 9: "ix", 5: "v", 4: "iv", 1: "i"}
    text = ""
    for value, numeral in numerals.items():
        text += numeral * (number // value)
        number %= value
    return text
