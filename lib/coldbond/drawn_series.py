"""Series of points, lines, bands and bars that the artists of matplotlib axes draw, read from the axes."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection, FillBetweenPolyCollection, LineCollection, PathCollection, QuadMesh
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.path import Path

#: Label of an artist in data coordinates that carries no data.
DECORATION = "_decoration"
#: What a series may hold: coordinates, edges of bands and bars, ends of intervals, where bars begin if not at zero,
#: values of an image.
ROLES = ("x", "x_low", "x_high", "y", "y_low", "y_high", "base", "value")
Data = dict[str, np.ndarray]


@dataclass
class Series:
    """What one artist, or several with one label, draw.

    Attributes
    ----------
    name : str
        Label of the artist without a leading underscore; "" if it has none.
    drawn_as : str
        "line", "markers", "line and markers", "error bars", "bars", "band", ...
    data : dict of str to numpy.ndarray
        Some of `ROLES`, all of the same length, shape (n,).
    ax : matplotlib.axes.Axes
    of_panel : set of {"x", "y"}
        Coordinates that are shares of the panel's width or height, and not data.
    """

    name: str
    drawn_as: str
    data: Data
    ax: Axes
    of_panel: set[str] = field(default_factory=set)

    @property
    def points(self) -> int:
        return len(next(iter(self.data.values())))


def drawn(ax: Any) -> list[Series]:
    """Return what the artists of an axes draw, in the order in which they were made.

    Series are lines, markers, error bars, bars, bands, spans, areas, images and meshes in coordinates of the data.
    Left out are artists with the label `DECORATION`, and artists without a label of which a coordinate is a share of
    the panel, such as those of `axhline` and `axvspan`.
    """
    parts: list[Series] = []
    within: set[Artist] = set()
    for container in ax.containers:
        artists = [one for one in _flat(container) if isinstance(one, Artist)]
        if isinstance(container, (ErrorbarContainer, BarContainer)) and all(one.get_visible() for one in artists):
            within |= {*artists}
            if (name := _name(container)) != DECORATION:
                form = _error_bars if isinstance(container, ErrorbarContainer) else _bars
                drawn_as, values = form(container)
                parts.append(Series(name, drawn_as, values, ax))
    for artist in ax.get_children():
        if artist in within or not artist.get_visible() or not isinstance(artist, _DRAWN):
            continue
        if artist is ax.patch or (name := _name(artist)) == DECORATION:
            continue
        of_data = _in_data(artist, ax)
        if not any(of_data) or (not all(of_data) and not name):
            continue
        parts += [Series(name, *form, ax) for form in _form(artist, of_data)]
        if not all(of_data):
            parts[-1].of_panel = {axis for axis, is_data in zip("xy", of_data, strict=True) if not is_data}
    return _joined(part for part in parts if part.points)


_DRAWN = (Line2D, Collection, Patch, AxesImage)


def _flat(container: Iterable) -> Iterator[Any]:
    for one in container:
        if isinstance(one, (tuple, list)):
            yield from _flat(one)
        else:
            yield one


def _name(artist: Any) -> str:
    """Return the label of an artist or container as a name; "" for what matplotlib calls one without a label."""
    label = str(artist.get_label() or "")
    if label == DECORATION:
        return label
    label = "" if re.fullmatch(r"_(child|container)\d+|_nolegend_", label) else label
    return " ".join(label.removeprefix("_").replace(r"\$", "$").split())


def _in_data(artist: Any, ax: Axes) -> tuple[bool, bool]:
    """Return whether x and y of an artist are coordinates of the data."""
    if isinstance(artist, AxesImage):
        return True, True
    placed = artist.get_offset_transform() if isinstance(artist, PathCollection) else artist.get_transform()
    in_x, in_y = placed.contains_branch_seperately(ax.transData)
    return in_x, in_y


def _joined(parts: Iterable[Series]) -> list[Series]:
    """Return the series, those of one name that are drawn alike as one; an empty row is between their lines."""
    joined: dict[Any, Series] = {}
    for number, part in enumerate(parts):
        key = (part.name, part.drawn_as, *part.data, *part.of_panel) if part.name else number
        if (first := joined.get(key)) is None:
            joined[key] = part
            continue
        gap = [np.nan] if part.drawn_as.startswith(("line", "band", "area")) else []
        first.data = {role: np.concatenate([first.data[role], gap, new]) for role, new in part.data.items()}
    return [*joined.values()]


def _form(artist: Any, of_data: tuple[bool, bool]) -> Iterator[tuple[str, Data]]:
    """Yield how an artist is drawn, and its values; nothing for an image in colours, which has no values."""
    if isinstance(artist, Line2D):
        yield _line(artist, of_data)
    elif isinstance(artist, FillBetweenPolyCollection):
        yield "band", _band(artist)
    elif isinstance(artist, LineCollection):
        yield _segments(artist)
    elif isinstance(artist, PathCollection):
        x, y = np.ma.filled(np.ma.asarray(artist.get_offsets(), dtype=float), np.nan).T
        value = artist.get_array()
        yield "markers", {"x": x, "y": y} | ({} if value is None else {"value": np.ma.filled(value, np.nan)})
    elif isinstance(artist, QuadMesh):
        yield "mesh", _mesh(artist)
    elif isinstance(artist, AxesImage):
        yield from _image(artist)
    elif isinstance(artist, Collection):  # polygons
        yield "area", _with_gaps([_vertices(path) for path in artist.get_paths()])
    elif isinstance(artist, Rectangle):
        (x0, y0), width, height = artist.get_xy(), artist.get_width(), artist.get_height()
        ends = {"x_low": x0, "x_high": x0 + width, "y_low": y0, "y_high": y0 + height}
        kept = {end: value for end, value in ends.items() if of_data[end.startswith("y")]}
        yield "span", {end: np.array([float(value)]) for end, value in kept.items()}
    elif isinstance(artist, Patch):
        yield "area", _with_gaps([_vertices(artist.get_patch_transform().transform_path(artist.get_path()))])


def _line(line: Any, of_data: tuple[bool, bool]) -> tuple[str, Data]:
    values: Data = {
        role: np.ma.filled(np.ma.asarray(data, dtype=float), np.nan)
        for role, data in zip("xy", line.get_data(orig=False), strict=True)
    }
    if not all(of_data) and len(values["x"]) == 2:  # axhline or axvline, whose ends are those of the panel
        role = "xy"[of_data[1]]
        if values[role][0] == values[role][1]:
            return f"{'horizontal' if role == 'y' else 'vertical'} line", {role: values[role][:1]}
    has_line = (
        len(values["x"]) > 1 and line.get_linestyle() not in ("None", "none", " ", "") and line.get_linewidth() > 0
    )
    has_marker = line.get_marker() not in ("None", "none", " ", "", None)
    words = "line and markers" if has_line and has_marker else "line" if has_line else "markers"
    steps = line.get_drawstyle()
    return words + (f", {steps}" if has_line and steps != "default" else ""), values


def _error_bars(container: Any) -> tuple[str, Data]:
    line, _, bars = container.lines
    sides = [side for side, has in (("x", container.has_xerr), ("y", container.has_yerr)) if has]
    ends = [np.array([_vertices(path)[:2] for path in bar.get_paths()]).reshape(-1, 2, 2) for bar in bars]
    if line is None:  # without markers: the middle of the other coordinate's bars is all that is drawn
        words, values = "", {"x": ends[0][..., 0].mean(axis=1), "y": ends[0][..., 1].mean(axis=1)}
    else:
        words, values = _line(line, (True, True))
    for side, segments in zip(sides, ends, strict=True):
        along, across = "xy".index(side), "yx".index(side)
        at: Any = slice(None)
        if len(segments) != len(values["x"]):  # some points have no bar
            places = {place: number for number, place in enumerate(values["xy"[across]])}
            at = [places[place] for place in segments[:, 0, across]]
        values[f"{side}_low"], values[f"{side}_high"] = np.full((2, len(values["x"])), np.nan)
        values[f"{side}_low"][at], values[f"{side}_high"][at] = segments[:, 0, along], segments[:, 1, along]
    return ", ".join(filter(None, [words.replace("markers", "").removesuffix(" and "), "error bars"])), values


def _bars(container: Any) -> tuple[str, Data]:
    corners = np.array([[one.get_x(), one.get_y(), one.get_width(), one.get_height()] for one in container], float)
    x, y, width, height = corners.reshape(-1, 4).T
    if container.orientation == "horizontal":
        ends, base = {"x": x + width, "y": y + height / 2, "y_low": y, "y_high": y + height}, x
    else:
        ends, base = {"x": x + width / 2, "x_low": x, "x_high": x + width, "y": y + height}, y
    words = "horizontal bars" if container.orientation == "horizontal" else "bars"
    return words, ends | ({"base": base} if base.any() else {})


def _band(band: Any) -> Data:
    """Return the common coordinate and both edges, an empty row between regions."""
    along, across = ("x", "y") if band.t_direction == "x" else ("y", "x")
    parts = []
    for path in band.get_paths():
        points = _vertices(path)[:, ::-1] if along == "y" else _vertices(path)
        count = (len(points) - 3) // 2  # start, one edge, end, the other edge backwards, start
        first, second = points[1 : count + 1], points[count + 2 : 2 * count + 2][::-1]
        parts.append(np.column_stack([first, second[:, 1]]))
    if not parts:
        return {along: np.empty(0)}
    t, low, high = _apart(parts).T
    if np.all((low >= high) | np.isnan(low)):
        low, high = high, low
    return {along: t, f"{across}_low": low, f"{across}_high": high}


def _segments(collection: Any) -> tuple[str, Data]:
    parts = [_vertices(path) for path in collection.get_paths()]
    if parts and all(len(part) == 2 for part in parts):
        ends = np.array(parts)
        for along, across, words in (("x", "y", "vertical lines"), ("y", "x", "horizontal lines")):
            place, other = "xy".index(along), "xy".index(across)
            if np.array_equal(ends[:, 0, place], ends[:, 1, place], equal_nan=True):
                return words, {
                    along: ends[:, 0, place],
                    f"{across}_low": ends[..., other].min(axis=1),
                    f"{across}_high": ends[..., other].max(axis=1),
                }
    return "line", _with_gaps(parts)


def _vertices(path: Path) -> np.ndarray:
    return np.asarray(path.vertices, float)


def _with_gaps(parts: list[np.ndarray]) -> Data:
    x, y = _apart(parts).T if parts else np.empty((2, 0))
    return {"x": x, "y": y}


def _apart(parts: list[np.ndarray]) -> np.ndarray:
    """Return tables one below the other with an empty row between them."""
    gap = np.full((1, parts[0].shape[1]), np.nan)
    return np.concatenate([row for part in parts for row in (gap, part)][1:])


def _mesh(mesh: Any) -> Data:
    """Return the middle and the value of each cell."""
    corners = mesh.get_coordinates()
    middle = (corners[:-1, :-1] + corners[1:, :-1] + corners[:-1, 1:] + corners[1:, 1:]) / 4
    return _grid(middle[..., 0], middle[..., 1], mesh.get_array())


def _image(image: Any) -> Iterator[tuple[str, Data]]:
    pixels = image.get_array()
    if pixels.ndim == 2:
        left, right, bottom, top = image.get_extent()
        x, y = (
            np.linspace(*ends, 2 * size + 1)[1::2]
            for ends, size in (((left, right), pixels.shape[1]), ((bottom, top), pixels.shape[0]))
        )
        yield "image", _grid(*np.meshgrid(x, y if image.origin == "lower" else y[::-1]), pixels)


def _grid(x: np.ndarray, y: np.ndarray, value: np.ndarray) -> Data:
    filled: np.ndarray = np.ma.filled(np.ma.asarray(value, dtype=float), np.nan)
    return {"x": x.ravel(), "y": y.ravel(), "value": filled.ravel()}


def holds(whole: Series, part: Series) -> bool:
    """Return whether all points of a series are points of another one."""
    if not {"x", "y"} <= {*whole.data} & {*part.data}:
        return False
    here, there = (one.data["x"] + 1j * one.data["y"] for one in (part, whole))
    return bool(np.isin(here[~np.isnan(here)], there).all())
