"""Limits and labels of the axes of a picture: zooming, and whether the labels still have their room."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

OUTWARD = 3  # px by which a label may move outwards before the picture is laid out anew


def limits(ax: Any) -> dict[str, list[float]]:
    return {"x": [float(x) for x in ax.get_xlim()], "y": [float(y) for y in ax.get_ylim()]}


def zoom(fig: Figure, home: list[dict[str, list[float]]], chosen: Mapping[str, Any]) -> None:
    """Set the limits that the user has chosen, if the axes are drawn over the same range as when they were chosen."""
    place = int(chosen["axes"])
    if place < len(fig.axes) and np.allclose(home[place]["x"], chosen["home"]["x"], rtol=1e-6):
        fig.axes[place].set(xlim=[float(x) for x in chosen["x"]], ylim=[float(y) for y in chosen["y"]])


def labels(fig: Figure) -> list[tuple[float, float]]:
    """Return how far [px] the labels of the axes reach to the left and down."""
    boxes = [(ax.yaxis.label.get_window_extent(), ax.xaxis.label.get_window_extent()) for ax in fig.axes]
    return [(left.x0, below.y0) for left, below in boxes]


def outward(before: list[tuple[float, float]], now: list[tuple[float, float]]) -> bool:
    return any(
        new < old - OUTWARD for one, other in zip(before, now, strict=True) for old, new in zip(one, other, strict=True)
    )
