"""What stands on the edge of a figure: which recordings could not be used, and why."""

from collections.abc import Sequence
from textwrap import shorten

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.textpath import text_to_path

from coldbond.bundle import manifest
from coldbond.bundle.style import MM

SIZE, COLOR = 6, "0.25"  # pt
LINE = 1.25 * SIZE  # height, pt
#: Characters of one reason, and recordings that are named; NAME.json has all of them whole.
LONGEST, MOST = 240, 8


def name_left_out(fig: Figure, left_out: Sequence[dict[str, str]]) -> None:
    """Name the recordings that are left out, with the reason, below a figure, which grows by the height of the text.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    left_out : sequence of dict of str to str
        From `raw.Recordings.rows_left_out`.
    """
    if not left_out:
        return
    width = (fig.get_figwidth() - 2 * MM) * 72 * 0.97  # of glyphs on a screen, whole pixels
    texts = [
        f"Left out: {manifest.named(one)}: {shorten(one['reason'], LONGEST, placeholder=' ...')}"
        for one in left_out[:MOST]
    ]
    if len(left_out) > MOST:
        texts.append(f"Left out: {len(left_out) - MOST} more recordings, see the .json file of this figure")
    lines = [line for text in texts for line in _wrapped(text, width)]
    height = (len(lines) * LINE + SIZE) / 72  # inches, with a gap above
    old = fig.get_figheight()
    new = old + height
    engine = fig.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        left, bottom, wide, high = engine.get()["rect"]
        engine.set(rect=(left, (bottom * old + height) / new, wide, high * old / new))
    fig.set_figheight(new)
    fig.text(
        MM / fig.get_figwidth(),
        MM / 2 / new,
        "\n".join(lines),
        fontsize=SIZE,
        color=COLOR,
        va="bottom",
        linespacing=1.1,
        parse_math=False,
    )


def _wrapped(text: str, width: float) -> list[str]:
    """Break a text into lines of at most a width [pt], between words or within one that is longer than a line."""
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        while _width(longer) > width:
            # A line may be broken before the word; a word as long as a line is broken itself.
            kept = (
                line if line else next(longer[:n] for n in range(len(longer) - 1, 0, -1) if _width(longer[:n]) <= width)
            )
            lines.append(kept)
            longer, line = longer[len(kept) :].lstrip(" "), ""
        line = longer
    return [*lines, line]


def _width(text: str) -> float:
    return text_to_path.get_text_width_height_descent(text, FontProperties(size=SIZE), ismath=False)[0]
