"""What a view lets its reader set: described here without widgets, which `page` makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Number:
    """A number on a scale."""

    label: str
    value: float
    low: float
    high: float
    step: float


@dataclass(frozen=True)
class Span:
    """Two numbers on a scale, whole ones if all of these are."""

    label: str
    value: tuple[float, float]
    low: float
    high: float
    step: float = 1


@dataclass(frozen=True)
class Choice:
    """One of several."""

    label: str
    value: str
    options: Sequence[str]


@dataclass(frozen=True)
class Several:
    """Some of several, or none."""

    label: str
    value: tuple[str, ...]
    options: Sequence[str]


@dataclass(frozen=True)
class Flag:
    """Yes or no."""

    label: str
    value: bool


@dataclass(frozen=True)
class Numbers:
    """A list of numbers to write."""

    label: str
    value: tuple[float, ...]


Control = Number | Span | Choice | Several | Flag | Numbers


class View(Protocol):
    """One way to show a recording: made once, which may take a second or two, and drawn anew at every setting.

    Attributes
    ----------
    controls : mapping of str to Control
        By the names of the arguments of `draw`.
    """

    controls: Mapping[str, Control]

    def draw(self, fig: Figure, **settings: Any) -> list[pd.DataFrame]:
        """Draw into an empty figure and return the numbers beside it, tables of text.

        Raises
        ------
        ValueError
            Nothing can be drawn at these settings; it says why.
        """


def defaults(view: View) -> dict[str, Any]:
    """Return the settings with which a view opens."""
    return {name: control.value for name, control in view.controls.items()}


def numbers(rows: Mapping[str, str]) -> pd.DataFrame:
    """Return named values as a table of one column."""
    return pd.DataFrame({"": dict(rows)})
