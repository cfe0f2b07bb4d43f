"""What stands on the edge of a figure: which recordings could not be used, and why."""

from collections.abc import Sequence
from textwrap import shorten, wrap
from unicodedata import east_asian_width

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from coldbond.bundle.style import MM

SIZE, COLOR = 6, "0.25"  # pt
#: Height of a line, and width of a character [pt] that few texts exceed.
LINE, CHARACTER = 1.25 * SIZE, 0.56 * SIZE
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
    width = int(fig.get_figwidth() * 72 / CHARACTER) - 2
    texts = [
        f"Left out: {named(one)}: {shorten(one['reason'], LONGEST, placeholder=' ...')}" for one in left_out[:MOST]
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


def named(one: dict[str, str]) -> str:
    """Return sample, state, replicate and file of a recording that is left out."""
    replicate = f"replicate {one['replicate']}" if one["replicate"] else ""
    label = ", ".join(filter(None, (one["sample"], one["state"], replicate)))
    return f"{label} ({one['file']})" if label and one["file"] else label or one["file"]


def _wrapped(text: str, width: int) -> list[str]:
    """Wrap a text, in which Chinese characters take twice the width of others."""
    wide = sum(east_asian_width(letter) in "WF" for letter in text)
    return wrap(text, max(20, int(width * len(text) / (len(text) + wide))), break_on_hyphens=False)
