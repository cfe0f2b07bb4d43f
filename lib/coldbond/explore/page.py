"""The widgets of the explore page: choosing a recording, its controls, and drawing it again at every change."""

import html
from collections.abc import Callable
from functools import partial, wraps
from math import nan
from pathlib import Path
from threading import RLock
from typing import Any, Concatenate, ParamSpec, TypeVar

import ipywidgets as widgets
import matplotlib as mpl
import pandas as pd
import xarray as xr
from ipympl.backend_nbagg import Canvas, FigureManager
from matplotlib.figure import Figure

from coldbond.bundle import figures, manifest, paths, raw, style
from coldbond.explore.controls import Choice, Control, Flag, Number, Numbers, Several, Span, View
from coldbond.explore.views import opened, views
from coldbond.files import FORMATS

SIZE, DPI = (5.6, 4.6), 104  # inch, dots per inch: picture and numbers fit beside each other on a laptop's screen
LOCK = RLock()
EXPECTED = (ValueError, LookupError, OSError)  # errors of recordings and settings, whose message is shown to the user
Owner = TypeVar("Owner")
Arguments = ParamSpec("Arguments")
LACKS = "technique=xrd; wavelength_angstrom=1.540593 1.544427"
TABLE = (
    "<style>.explore-numbers td, .explore-numbers th "
    "{text-align: left; vertical-align: top; padding: 1px 8px 1px 0; line-height: 1.3}</style>"
)


def explorer() -> widgets.Widget:
    """Return the page: the choice of a recording at the top, controls and numbers at the left, the picture beside."""
    return _Page().whole


def _one_at_a_time(
    method: Callable[Concatenate[Owner, Arguments], None],
) -> Callable[Concatenate[Owner, Arguments], None]:
    """Make the decorated methods exclude each other.

    Jupyter may handle the messages of widgets in different threads (subshells). A picture that is drawn while another
    message clears the figure would stay half empty.
    """

    @wraps(method)
    def waiting(self: Owner, *arguments: Arguments.args, **named: Arguments.kwargs) -> None:
        with LOCK:
            method(self, *arguments, **named)

    return waiting


class _Canvas(Canvas):
    @_one_at_a_time
    def draw(self) -> None:
        super().draw()

    def renew(self) -> None:
        """Draw and send the picture at once.

        `draw_idle` would skip the picture while the browser is still loading another one. Before a browser has
        connected nothing is drawn, because ipympl would then send a broken picture; the browser asks for one itself.
        """
        if not self.syncing_data_url:
            self.draw()


class _Page:
    """State of the page: the recording, its view, the widgets of the view's controls."""

    recording: xr.Dataset | xr.DataTree
    view: View

    def __init__(self) -> None:
        self.settings: dict[str, widgets.Widget] = {}
        self.drawn: list[tuple] = []  # limits of the axes as drawn, before the user zooms
        with mpl.rc_context(style.rc()):
            self.fig = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
            self.canvas = _Canvas(self.fig)
            FigureManager(self.canvas, 0)
        self.canvas.header_visible = False
        self.canvas.toolbar_position, self.canvas.toolbar_visible = "right", True
        wide = {"layout": {"width": "100%"}, "style": {"description_width": "initial"}}
        self.chooser = widgets.Dropdown(description="recording", options=self._held(), **wide)
        self.path = widgets.Text(description="or a file", placeholder="its path", continuous_update=False, **wide)
        self.path.tooltip = "It may be " + "; ".join(form.name for form in FORMATS)
        self.stated = widgets.Text(description="what it lacks", placeholder=LACKS, continuous_update=False, **wide)
        narrow = {"layout": {"width": "150px"}, "style": {"description_width": "initial"}}
        self.area = widgets.FloatText(description="area / cm²", **narrow)
        self.mass = widgets.FloatText(description="mass / mg", **narrow)
        self.kind = widgets.Dropdown(description="view", **wide)
        self.controls = widgets.VBox()
        self.numbers, self.message = widgets.HTML(), widgets.HTML()
        for widget, name in ((self.numbers, "numbers"), (self.message, "message"), (self.controls, "controls")):
            widget.add_class(f"explore-{name}")
        beside = widgets.VBox([self.kind, self.controls, self.numbers], layout={"width": "310px", "min_width": "310px"})
        of_file = widgets.HBox([self.path, self.stated, self.area, self.mass])
        picture = widgets.Box([self.canvas], layout={"width": f"{SIZE[0] * DPI + 55:.0f}px", "flex": "0 0 auto"})
        self.whole = widgets.VBox([self.chooser, of_file, self.message, widgets.HBox([beside, picture])])
        self.whole.add_class("explore")
        self.chooser.observe(self._open, "value")
        for widget in (self.path, self.stated, self.area, self.mass):
            widget.observe(self._open_file, "value")
        self.kind.observe(self._show, "value")
        self._open()

    def _held(self) -> list[tuple[str, dict | None]]:
        self.unread = ""
        try:
            rows = manifest.load(paths.RAW).rows
        except EXPECTED as error:
            self.unread = str(error)
            return [("no manifest", None)]
        return [(f"{row['role']}: {manifest.label(row)}", row) for row in rows]

    @_one_at_a_time
    def _open(self, change: dict | None = None) -> None:
        if self.chooser.value is None:
            self._say(self.unread)
        else:
            self._take(partial(raw.recording, self.chooser.value))

    @_one_at_a_time
    def _open_file(self, change: dict) -> None:
        if self.path.value.strip():
            path = Path(self.path.value.strip())
            self._take(partial(opened, path, self.area.value or nan, self.mass.value or nan, self.stated.value))
        elif change["owner"] is self.path:
            self._open()

    def _take(self, read: Callable[[], xr.Dataset | xr.DataTree]) -> None:
        """Read a recording and show its first view."""
        self._say("reading …", calm=True)
        try:
            self.recording = read()
            self.made = views(self.recording)
        except EXPECTED as error:
            self.controls.children = ()
            self._refuse(error)
            return
        self.kind.unobserve(self._show, "value")
        self.kind.options = list(self.made)
        self.kind.value = self.kind.options[0]
        self.kind.layout.display = "" if len(self.made) > 1 else "none"
        self.kind.observe(self._show, "value")
        self._show()

    @_one_at_a_time
    def _show(self, change: dict | None = None) -> None:
        """Create the chosen view and the widgets of its controls."""
        self._say("analysing …", calm=True)
        try:
            self.view = self.made[self.kind.value]()
        except EXPECTED as error:
            self.controls.children = ()
            self._refuse(error)
            return
        self.settings = {name: _widget(control) for name, control in self.view.controls.items()}
        self.controls.children = list(self.settings.values())
        for widget in self.settings.values():
            widget.observe(self._draw, "value")
        self.drawn = []
        self._draw()

    @_one_at_a_time
    def _draw(self, change: dict | None = None) -> None:
        """Draw with the current settings and keep the user's zoom."""
        zoomed = [(ax.get_xlim(), ax.get_ylim()) for ax in self.fig.axes]
        self._say("computing …", calm=True)
        self.fig.clear()
        try:
            settings = {name: _value(self.view.controls[name], widget) for name, widget in self.settings.items()}
            with mpl.rc_context(style.rc()):
                tables = self.view.draw(self.fig, **settings)
        except EXPECTED as error:
            self._refuse(error)
            return
        if self.recording.attrs["origin"] == "synthetic":
            figures.stamp(self.fig, {"": self.recording})
        self._say(f"{self.recording.attrs['file']}, {self.recording.attrs['format']}", calm=True)
        self.numbers.value = TABLE + "".join(map(_html, tables))
        self._zoom(zoomed)
        self.canvas.renew()

    def _zoom(self, before: list[tuple]) -> None:
        """Restore the limits that the user had chosen, on each axis that is drawn over the same range as before."""
        drawn = [(ax.get_xlim(), ax.get_ylim()) for ax in self.fig.axes]
        toolbar = self.canvas.manager.toolbar
        toolbar.update()
        toolbar.push_current()  # the limits to which the button "home" returns
        if len(drawn) == len(self.drawn) == len(before):
            for ax, now, then, seen in zip(self.fig.axes, drawn, self.drawn, before, strict=True):
                if seen != then and now[0] == then[0]:
                    ax.set(xlim=seen[0], ylim=seen[1])
        self.drawn = drawn

    def _refuse(self, error: Exception) -> None:
        self._say(f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else str(error))
        self.numbers.value = ""
        self.fig.clear()
        self.drawn = []
        self.canvas.renew()

    def _say(self, text: str, calm: bool = False) -> None:
        color = "inherit" if calm else style.STAMP
        self.message.value = f'<span style="color: {color}">{html.escape(text)}</span>'


def _widget(control: Control) -> widgets.Widget:
    layout = {"layout": {"width": "100%"}, "style": {"description_width": "initial"}, "description": control.label}
    match control:
        case Number(value=value, low=low, high=high, step=step):
            whole = all(float(x).is_integer() for x in (value, low, high, step))
            kind = widgets.IntSlider if whole else widgets.FloatSlider
            return kind(value, min=low, max=high, step=step, **layout)
        case Span(value=value, low=low, high=high, step=step):
            whole = all(float(x).is_integer() for x in (*value, low, high, step))
            kind = widgets.IntRangeSlider if whole else widgets.FloatRangeSlider
            return kind(value=value, min=low, max=high, step=step, **layout)
        case Choice(value=value, options=options):
            return widgets.Dropdown(value=value, options=options, **layout)
        case Several(value=value, options=options):
            return widgets.SelectMultiple(value=value, options=options, rows=min(len(options), 8), **layout)
        case Flag(value=value):
            return widgets.Checkbox(value=value, indent=False, **layout)
        case Numbers(value=value):
            text = ", ".join(f"{x:g}" for x in value)
            return widgets.Text(value=text, continuous_update=False, **layout)


def _value(control: Control, widget: widgets.Widget) -> Any:
    if not isinstance(control, Numbers):
        return widget.value
    try:
        return tuple(float(word) for word in widget.value.replace(",", " ").split())
    except ValueError:
        raise ValueError(f"{control.label}: write numbers separated by commas, such as 250, 370") from None


def _html(table: pd.DataFrame) -> str:
    return table.to_html(border=0, header=bool("".join(map(str, table.columns))))
