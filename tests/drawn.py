"""What a figure shows once it is drawn: its texts and where they stand."""

from itertools import combinations

from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from coldbond.bundle import pictures

OVERLAP = 1.0  # point, in both directions, above which two texts collide


def texts(fig: Figure) -> list[tuple[str, Bbox]]:
    """Draw a figure and return its texts with their boxes, in points."""
    pictures.drawn(fig, zoom=1)
    found: list[Text] = [text for part in (fig, *fig.subfigs) for text in part.texts]
    for ax in fig.axes:
        if not ax.get_visible():
            continue
        found += [*ax.texts, ax.title, ax._left_title, ax._right_title]
        if ax.axison:
            found += [ax.xaxis.label, ax.yaxis.label]
            for axis in (ax.xaxis, ax.yaxis):
                found += [tick.label1 for tick in axis._update_ticks() if tick.label1.get_visible()]
        if ax.get_legend():
            found += ax.get_legend().get_texts()
    return [
        (text.get_text(), Bbox(text.get_window_extent().get_points() * 72 / fig.dpi))
        for text in found
        if text.get_visible() and text.get_text().strip()
    ]


def collisions(fig: Figure) -> list[str]:
    """Return the pairs of texts that lie over each other, and the texts that leave the page."""
    held = texts(fig)
    width, height = 72 * fig.get_size_inches()
    found = [f"{a!r} on {b!r}" for (a, one), (b, other) in combinations(held, 2) if _overlap(one, other)]
    return found + [
        f"{text!r} leaves the page"
        for text, box in held
        if box.x0 < -OVERLAP or box.y0 < -OVERLAP or box.x1 > width + OVERLAP or box.y1 > height + OVERLAP
    ]


def _overlap(one: Bbox, other: Bbox) -> bool:
    shared = Bbox.intersection(one, other)
    return shared is not None and shared.width > OVERLAP and shared.height > OVERLAP


def named(fig: Figure) -> dict[str, list]:
    """Return the artists of a figure by their name."""
    found: dict[str, list] = {}
    for ax in fig.axes:
        for artist in [*ax.lines, *ax.collections, *ax.containers, *ax.patches]:
            found.setdefault(str(artist.get_label()), []).append(artist)
    return found


def unnamed(fig: Figure) -> list[str]:
    """Return lines and shaded areas with more than two points that have no name of their own."""
    lines = [line for ax in fig.axes for line in ax.lines if len(line.get_xdata()) > 2]
    areas = [area for ax in fig.axes for area in ax.collections]
    return [str(one) for one in [*lines, *areas] if str(one.get_label()).startswith("_child")]
