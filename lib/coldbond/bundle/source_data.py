"""Source data of a figure: what its panels draw, read from the drawn figure, as CSV files.

`files` returns, for a figure NAME,

- NAME_PANEL.csv for each panel: the points, lines, bands and bars, in columns named after series and axis label;
- NAME_contents.csv: for each series its file, how it is drawn, and which columns hold it;
- NAME_recordings.csv: the recordings behind the figure, their origin (synthetic or measured) and sha256;
- NAME_TABLE.csv for each table that the notebook gives.

CSV and not a workbook: a channel of 100 000 records is written in a tenth of the time, nothing limits its rows, and
every program reads it. Numbers have as many digits as are needed to read the same number again. The files are UTF-8
with a byte-order mark, by which spreadsheet programs know it.

What is exported: lines, markers, error bars, bars, bands, horizontal and vertical lines and spans, areas, images and
meshes whose coordinates are those of the data. The name of a series is the label of its artist without a leading
underscore; an artist without a label is "series 3". Artists of one panel that have the same label and are drawn alike
are one series. What is not exported: text, axes and legends; an artist that is placed relative to the panel and has no
label, such as a zero line or a shaded background drawn by `axhline` or `axvspan`; an artist with the label
"_decoration"; a part of a series that an inset shows again, which is only noted in the contents.
"""

import csv
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from io import StringIO
from itertools import count
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.category import StrCategoryLocator
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from coldbond.drawn_series import ROLES, Series, drawn, holds

#: Column with the name at the nearest tick of each point.
CATEGORY = "category"
CONTENTS = ("file", "panel", "title", "series", "drawn_as", "points", CATEGORY, *ROLES, "x_scale", "y_scale", "note")
RECORDING = ("file", "role", "sample", "state", "replicate", "origin", "format", "sha256")


@dataclass
class Panel:
    """A panel of a figure: its axes, with twins on the other side, and what they draw.

    Attributes
    ----------
    name : str
        What stands above the panel's top left corner ("ii"), numbered ("ii1", "ii2") where several panels share it; a
        number where nothing does.
    axes : list of matplotlib.axes.Axes
    series : list of Series
    repeats : list of tuple of str, Series
        Where an inset shows a part of them again.
    """

    name: str
    axes: list[Axes]
    series: list[Series]
    repeats: list[tuple[str, Series]]


def files(
    fig: Figure, figure: str, recordings: Mapping[str, Any], tables: Mapping[str, pd.DataFrame] | None = None
) -> dict[str, bytes]:
    """Return the files of a drawn figure by name.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        Drawn, so that the panels have their places.
    figure : str
        Name of the figure.
    recordings : mapping of str to xarray.Dataset or xarray.DataTree
        All recordings that the figure uses.
    tables : mapping of str to pandas.DataFrame, optional
        Tables to write beside the panels. An index with names becomes the first columns.

    Raises
    ------
    ValueError
        A table has the name of a panel or of another file.
    """
    written: dict[str, bytes] = {}
    contents: list[dict[str, Any]] = []
    for panel in panels(fig):
        columns, rows = _columns(panel)
        file = f"{figure}_{panel.name}.csv"
        written[file] = _csv(columns)
        contents += [{"file": file if row["points"] else "", "panel": panel.name} | row for row in rows]
    for name, table in (tables or {}).items():
        file = "{}_{}.csv".format(figure, re.sub(r"\W+", "_", name))
        if file in written:
            raise ValueError(f"table {name!r}: {file} is the file of a panel or of another table: rename the table")
        named = table.reset_index() if any(table.index.names) else table
        # Bounds that a root finder found differ in the last of 17 digits from run to run.
        rounded = named.map(lambda cell: float(f"{cell:.10g}") if isinstance(cell, float) else cell)
        written[file] = _csv({str(column): rounded[column].to_numpy() for column in rounded})
        contents.append({"file": file, "series": name, "drawn_as": "table", "points": len(table)})
    file = f"{figure}_recordings.csv"
    written[file] = _csv(
        {"label": list(recordings)}
        | {key: [cell.attrs.get(key, "") for cell in recordings.values()] for key in RECORDING}
    )
    contents.append({"file": file, "drawn_as": "recordings behind the figure", "points": len(recordings)})
    written[f"{figure}_contents.csv"] = _csv({key: [row.get(key, "") for row in contents] for key in CONTENTS})
    return written


def panels(fig: Figure) -> list[Panel]:
    """Return the panels of a drawn figure that show data, in the order in which they were made."""
    groups: list[list[Any]] = []
    for ax in fig.axes:
        if hasattr(ax, "_colorbar"):  # shows no data of its own
            continue
        twin = next((group for group in groups if ax in _twins(group[0])), None)
        twin.append(ax) if twin else groups.append([ax])
    found = []
    for axes in groups:
        series = [one for ax in axes for one in drawn(ax)]
        insets = [inset for ax in axes for inset in ax.child_axes]
        repeats: list[tuple[str, Series]] = []
        own: list[tuple[int, list[Series]]] = []
        for number, inset in enumerate(insets, 1):
            shown = drawn(inset)
            again = [one for one in shown if any(holds(whole, one) for whole in series)]
            repeats += [(f"inset {number}", one) for one in again]
            own.append((number, [one for one in shown if one not in again]))
        found.append((axes, series, repeats, own))
    names = _names([axes for axes, series, *_ in found if series])
    result = []
    for axes, series, repeats, own in found:
        if not series:
            continue
        name = names[axes[0]]
        result.append(Panel(name, axes, series, repeats))
        result += [Panel(f"{name}_inset{number}", [more[0].ax], more, []) for number, more in own if more]
    return result


def _twins(ax: Axes) -> list[Axes]:
    """Return the axes that lie upon others, as `twinx` makes them."""
    fig: Any = ax.get_figure(root=True)
    return [
        other
        for other in fig.axes
        if other.get_figure() is ax.get_figure()
        and (other in ax.get_shared_x_axes().get_siblings(ax) or other in ax.get_shared_y_axes().get_siblings(ax))
        and np.array_equal(other.get_position().bounds, ax.get_position().bounds)
    ]


def _names(groups: list[list[Axes]]) -> dict[Axes, str]:
    """Return the name of each panel. One without a numeral belongs to the nearest at its left or above it."""
    boxes = {axes[0]: axes[0].get_window_extent() for axes in groups}
    numerals = {axes[0]: text for axes in groups for ax in axes if re.fullmatch("[a-z]+", text := ax.get_title("left"))}
    if not numerals:
        return {ax: str(number) for number, ax in enumerate(boxes, 1)}
    of_numeral: dict[str, list[Axes]] = {}
    for ax, box in boxes.items():
        distances = {
            np.hypot(box.x0 - boxes[other].x0, box.y1 - boxes[other].y1): numeral
            for other, numeral in numerals.items()
            if boxes[other].x0 <= box.x0 + 1 and boxes[other].y1 >= box.y1 - 1  # pixel
        }
        of_numeral.setdefault(distances[min(distances)] if distances else "z", []).append(ax)
    return {
        ax: numeral if len(axes) == 1 else f"{numeral}{number}"
        for numeral, axes in of_numeral.items()
        for number, ax in enumerate(axes, 1)
    }


def _columns(panel: Panel) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the columns of a panel by name, and a row of the contents for each of its series."""
    columns: dict[str, Any] = {}
    rows = []
    unlabelled = 0
    for one in panel.series:
        unlabelled += not one.name
        name = one.name or f"series {unlabelled}"
        row = _described(one) | {"series": name, "points": one.points}
        values: dict[str, Any] = {CATEGORY: categories} if (categories := _categories(one)) else {}
        values |= {role: one.data[role] for role in ROLES if role in one.data}
        for role, value in values.items():
            title = _title(one, role)
            same = [other for other, held in columns.items() if role == "x" and _is_same(other, held, title, value)]
            row[role] = same[0] if same else _free(f"{name}: {title}", columns)
            columns[row[role]] = value
        rows.append(row)
    for where, one in panel.repeats:
        rows.append(_described(one) | {"series": one.name, "points": 0, "note": f"{where} shows a part of it again"})
    return columns, rows


def _is_same(name: str, held: Any, title: str, value: np.ndarray) -> bool:
    """Return whether a column already holds the coordinates of another series, which then share it."""
    return name.endswith(f": {title}") and np.array_equal(held, value, equal_nan=True)


def _free(name: str, taken: Container[str]) -> str:
    """Return a name that no other column has."""
    names = (f"{name} ({number})" if number > 1 else name for number in count(1))
    return next(one for one in names if one not in taken)


def _described(one: Series) -> dict[str, Any]:
    ax = one.ax
    title = " ".join((ax.get_title("center") or ax.get_title("right")).split())
    return {"title": title, "drawn_as": one.drawn_as, "x_scale": ax.get_xscale(), "y_scale": ax.get_yscale()}


def _title(one: Series, role: str) -> str:
    """Return the axis label and what of it a column holds."""
    if role in ("base", "value", CATEGORY):
        return role
    axis, _, end = role.partition("_")
    if axis in one.of_panel:
        return f"share of the panel's {'width' if axis == 'x' else 'height'}"
    return ", ".join(filter(None, [_label(one.ax, axis), end]))


def _label(ax: Axes, side: str) -> str:
    """Return the label of an axis, or that of the axes with which it is shared, or of the whole figure."""
    shared = (ax.get_shared_x_axes if side == "x" else ax.get_shared_y_axes)().get_siblings(ax)
    fig: Any = ax.get_figure(root=True)
    of_figure = fig.get_supxlabel() if side == "x" else fig.get_supylabel()
    others = [other for other in fig.axes if other in shared]
    labels = [getattr(other, f"get_{side}label")() for other in (ax, *others)]
    named = "place" if _tick_names(ax.xaxis if side == "x" else ax.yaxis) else side
    text = next(filter(None, [*labels, of_figure]), named)
    return " ".join(text.replace(r"\$", "$").split())


def _categories(one: Series) -> list[str]:
    """Return the name at the nearest tick for each point, where an axis has names in place of numbers."""
    for role, axis in (("x", one.ax.xaxis), ("y", one.ax.yaxis)):
        names = _tick_names(axis)
        if role in one.data and role not in one.of_panel and names:
            places = np.array([*names])
            known = ~np.isnan(one.data[role])
            nearest = np.abs(one.data[role][:, None] - places).argmin(axis=1)
            return [names[places[at]] if is_known else "" for at, is_known in zip(nearest, known, strict=True)]
    return []


def _tick_names(axis: Axis) -> dict[float, str]:
    """Return fixed tick labels by place; none where they are numbers or the axis is not linear."""
    if axis.get_scale() != "linear" or not isinstance(axis.get_major_locator(), FixedLocator | StrCategoryLocator):
        return {}
    places = [float(place) for place in axis.get_majorticklocs()]
    labels = axis.get_major_formatter().format_ticks(places)
    named = {place: " ".join(text.split()) for place, text in zip(places, labels, strict=True)}
    named = {place: text for place, text in named.items() if text}
    return named if any(re.search("[^-−+.,0-9 ]", text) for text in named.values()) else {}


def _csv(columns: Mapping[str, Any]) -> bytes:
    """Return columns as CSV; a shorter one, and what is not a number, ends in empty cells."""
    lists = [np.asarray(column).tolist() if isinstance(column, np.ndarray) else column for column in columns.values()]
    length = max(map(len, lists), default=0)
    cells = [
        ["" if one != one or one is None else one for one in column] + [""] * (length - len(column)) for column in lists
    ]
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*cells, strict=True))
    return text.getvalue().encode("utf-8-sig")
