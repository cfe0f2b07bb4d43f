"""Descriptions of the controls of a view, free of any widget library; `page` turns them into widgets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Number:
    """A slider for one number; it moves in whole numbers if all of its own numbers are whole."""

    label: str
    value: float
    low: float
    high: float
    step: float


@dataclass(frozen=True)
class Span:
    """A slider for the two ends of a range; it moves in whole numbers if all of its own numbers are whole."""

    label: str
    value: tuple[float, float]
    low: float
    high: float
    step: float = 1


@dataclass(frozen=True)
class Choice:
    """A choice of one option."""

    label: str
    value: str
    options: Sequence[str]


@dataclass(frozen=True)
class Several:
    """A choice of any number of options, including none."""

    label: str
    value: tuple[str, ...]
    options: Sequence[str]


@dataclass(frozen=True)
class Flag:
    """A check box."""

    label: str
    value: bool


@dataclass(frozen=True)
class Numbers:
    """A text field for a list of numbers."""

    label: str
    value: tuple[float, ...]


Control = Number | Span | Choice | Several | Flag | Numbers


@dataclass(frozen=True)
class Reading:
    """A number with its 95 % interval and its unit, and the text that shows it."""

    text: str
    value: float | None
    low: float | None = None
    high: float | None = None
    unit: str = ""

    def __str__(self) -> str:
        return self.text


class View(Protocol):
    """A way of showing a recording.

    A view is created once for a recording, which may take a second or two, and drawn at every change of a setting.
    """

    @property
    def controls(self) -> Mapping[str, Control]:
        """The controls, by the name of the argument of `draw` that they set."""

    def draw(self, fig: Figure, *_: Any, **settings: Any) -> list[pd.DataFrame]:
        """Draw into an empty figure and return tables of text to be shown beside it.

        Raises
        ------
        ValueError
            Nothing can be drawn with these settings; the message gives the reason.
        """


def defaults(view: View) -> dict[str, Any]:
    """Return the initial settings of a view."""
    return {name: control.value for name, control in view.controls.items()}


def numbers(rows: Mapping[str, str | Reading]) -> pd.DataFrame:
    """Return named values as a table with one column."""
    return pd.DataFrame({"": dict(rows)}, dtype=object)


def ranged(values: Iterable[float | None], unit: str, digits: str = ".4g") -> Reading:
    """Return a value with the bounds of its interval."""
    value, low, high = values
    shown = ["—" if x is None else f"{x:{digits}}" for x in (value, low, high)]
    return Reading(f"{shown[0]} {unit} ({shown[1]} to {shown[2]})", value, low, high, unit)


def plus_minus(value: float, half_width: float | None, digits: str, unit: str, shows_unit: bool = False) -> Reading:
    """Return a value with half of the width of its interval; without one where it is not known."""
    written = f" {unit}" if shows_unit else ""
    if not half_width:
        return Reading(f"{value:{digits}}{written}", value, unit=unit)
    text = f"{value:{digits}} ± {half_width:{digits}}{written}"
    return Reading(text, value, value - half_width, value + half_width, unit)
