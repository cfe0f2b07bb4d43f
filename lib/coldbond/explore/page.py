"""What the explore page shows: from the state of the page to picture, numbers and controls, without a browser.

The page keeps its state itself (recordings, view, settings, zoom) and sends all of it with every request, so that undo
and reset are its own affair and an answer holds the picture and the numbers of the same settings.
"""

import base64
import hashlib
import io
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite, nan
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from coldbond import __version__
from coldbond.bundle import figures, manifest, paths, raw, style
from coldbond.constants import CONSTANTS
from coldbond.explore import axes, help, listing, tables
from coldbond.explore.controls import Number, Numbers, Span, View
from coldbond.explore.overlay import overlays
from coldbond.explore.views import opened, views
from coldbond.files import regular

EXPECTED = (ValueError, LookupError, OSError)  # errors of recordings and settings, whose message is shown to the user
DPI, PRINT_DPI = 118, 300  # dots per inch: letters of 7 points are as large as the text of the page; of a saved PNG
WIDTH = (280, 1400)  # px, of the picture
PHONE = 480  # px, below which pictures are taller
TALL = (0.72, 0.95)  # height over width of a picture, and on a phone; a view may have others
MOST_OVER = 12  # recordings over each other
KEPT = 24  # recordings and views that are kept ready
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class State:
    """What the page shows, as it sends it."""

    shown: tuple[str, ...] = ()
    view: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    zoom: tuple[Mapping[str, Any], ...] = ()
    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # constants and what a file lacks, by key
    width: float = 700
    ratio: float = 1  # dots per px

    @classmethod
    def of(cls, sent: Mapping[str, Any]) -> "State":
        """Return the state that a page has sent; ValueError if it is none."""
        try:
            width = min(max(float(sent.get("width", cls.width)), WIDTH[0]), WIDTH[1])
            ratio = min(max(float(sent.get("ratio", cls.ratio)), 1), 3)
            shown, zoom = tuple(map(str, sent["shown"])), tuple(map(dict, sent.get("zoom", ())))
            known = {str(key): dict(own) for key, own in sent.get("known", {}).items()}
            view = str(sent.get("view", ""))
            return cls(shown, view, dict(sent.get("settings", {})), zoom, known, width, ratio)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("this is no state of the page: load it anew") from error


@dataclass
class _Drawn:
    fig: Figure
    tables: list[pd.DataFrame]
    settings: dict[str, Any]
    home: list[dict[str, list[float]]]


class _Asks(ValueError):
    """A recording lacks what the page asks for."""

    def __init__(self, key: str, names: list[str], message: str) -> None:
        super().__init__(message)
        self.key, self.names = key, names


class _Cache:
    """The results used last."""

    def __init__(self) -> None:
        self.held: OrderedDict[Any, Any] = OrderedDict()

    def get(self, key: Any, make: Callable[[], Kept]) -> Kept:
        if key not in self.held:
            self.held[key] = make()
            while len(self.held) > KEPT:
                self.held.popitem(last=False)
        self.held.move_to_end(key)
        return self.held[key]


class Session:
    """Recordings of the manifest and files of the user's own, and what the page shows of them."""

    def __init__(self) -> None:
        self.own: dict[str, Path] = {}
        self.recordings, self.views, self.layouts = _Cache(), _Cache(), _Cache()

    def add(self, path: Path) -> dict[str, str]:
        """Take a file of the user's own; return its key and its name.

        Raises
        ------
        coldbond.ReadError, OSError
            It is no regular file, or there is none.
        """
        regular.size(path)
        key = f"own-{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
        self.own[key] = path
        return {"key": key, "label": path.name}

    def path(self, sent: Mapping[str, Any]) -> dict[str, str]:
        """Take the file of a path as a user writes it: in quotes, with ~, or as file://."""
        try:
            return self.add(written(str(sent.get("path", ""))))
        except EXPECTED as error:
            return {"error": _said(error)}

    def draw(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return everything that the page shows for a state, or the error in its place."""
        answer: dict[str, Any] = {}
        try:
            state = State.of(sent)
            answer |= self._about(state)
            made = self._views(state)
            view_name = state.view if state.view in made else next(iter(made))
            answer |= {"views": list(made), "view": view_name}
            view = self._view(state, made, view_name)
            answer |= {"controls": [_described(name, control) for name, control in view.controls.items()]}
            drawn = self._draw(state, view)
        except _Asks as error:
            fields = [_field(name, "") | {"asked": True} for name in error.names]
            return answer | {"error": str(error), "asks": {"key": error.key, "fields": fields}}
        except EXPECTED as error:
            return answer | {"error": _said(error)}
        except Exception as error:  # a defect of a view: the page goes on
            logging.exception("explore: a view failed")
            return answer | {"error": f"this view failed ({type(error).__name__}: {error}). Its terminal says more."}
        return answer | self._shown(state, view, drawn)

    def save(self, sent: Mapping[str, Any], form: str) -> tuple[str, bytes]:
        """Return the name and the content of a file: "png" and "pdf" of the picture, "csv" and "json" of the numbers.

        Raises
        ------
        ValueError
            There is no such format, or nothing to save in this state.
        """
        state = State.of(sent)
        made = self._views(state)
        view_name = state.view if state.view in made else next(iter(made))
        drawn = self._draw(state, self._view(state, made, view_name))
        name = f"{self._slug(state, view_name)}.{form}"
        if form in ("csv", "json"):
            rows = [row for table in drawn.tables for row in tables.rows(table)]
            return name, (tables.as_csv(rows) if form == "csv" else self._json(state, view_name, drawn, rows)).encode()
        if form not in ("png", "pdf"):
            raise ValueError(f"{form}: choose png, pdf, csv or json")
        # Without the time and the version, so that the same state gives the same bytes.
        metadata: dict[str, Any] = {"Software": None}
        if form == "pdf":
            metadata = dict.fromkeys(("CreationDate", "Creator", "Producer"))
        buffer = io.BytesIO()
        with mpl.rc_context(style.rc()):
            drawn.fig.savefig(buffer, format=form, dpi=PRINT_DPI, metadata=metadata)
        return name, buffer.getvalue()

    # ---- recordings and views ---------------------------------------------------------------------------------------

    def _rows(self) -> dict[str, dict[str, str]]:
        return {listing.key(row): row for row in manifest.load(paths.RAW).rows}

    def _recording(self, key: str, known: Mapping[str, str]) -> xr.Dataset | xr.DataTree:
        given = {name: value.strip() for name, value in known.items() if str(value).strip()}
        numbers = {name: _number(name, given.pop(name)) for name in CONSTANTS if name in given}
        unknown = set(given) - {"technique", *manifest.STATED}
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: there is no such field")

        def read() -> xr.Dataset | xr.DataTree:
            if key in self.own:
                return opened(self.own[key], numbers, given)
            rows = self._rows()
            if key not in rows:
                raise ValueError("the list has changed: load the page anew")
            row = rows[key] | given
            recording = raw.recording(row)
            recording.attrs |= numbers
            return recording

        path = self.own.get(key)
        stamp = path.stat().st_mtime_ns if path and path.exists() else 0
        stated = (tuple(sorted(numbers.items())), tuple(sorted(given.items())))
        try:
            return self.recordings.get((key, stamp, stated), read)
        except EXPECTED as error:
            raise self._asking(key, error) from error

    def _asking(self, key: str, error: Exception) -> Exception:
        """Return the error as a question, if it names a constant or a column that the page has a field for."""
        text = str(error)
        names = [name for name in (*CONSTANTS, "technique", *manifest.STATED) if re.search(rf"\b{name}\b", text)]
        if not names or isinstance(error, _Asks):
            return error
        if names[0] in CONSTANTS:
            return _Asks(key, names[:1], f"The {CONSTANTS[names[0]][0]} is not known. Enter it here.")
        return _Asks(key, names, _said(error))

    def _loaded(self, state: State) -> dict[str, xr.Dataset | xr.DataTree]:
        """Return the recordings by their label in the legend."""
        if not 1 <= len(state.shown) <= MOST_OVER:
            raise ValueError(f"choose 1 to {MOST_OVER} recordings")
        found: dict[str, xr.Dataset | xr.DataTree] = {}
        for key in dict.fromkeys(state.shown):
            recording = self._recording(key, state.known.get(key, {}))
            label = ", ".join(filter(None, (recording.attrs["sample"], recording.attrs["state"])))
            found[label if label not in found else f"{label}, {recording.attrs['file']}"] = recording
        return found

    def _views(self, state: State) -> dict[str, Callable[[], View]]:
        loaded = self._loaded(state)
        return views(*loaded.values()) if len(loaded) == 1 else overlays(loaded)

    def _view(self, state: State, made: Mapping[str, Callable[[], View]], name: str) -> View:
        recordings = tuple(map(id, self._loaded(state).values()))
        return self._or_ask(state, lambda: self.views.get((recordings, name), lambda: (made[name](), made)))[0]

    def _or_ask(self, state: State, work: Callable[[], Kept]) -> Kept:
        try:
            return work()
        except EXPECTED as error:
            lacking = state.shown[0]
            for key in state.shown:
                recording = self._recording(key, state.known.get(key, {}))
                if str(recording.attrs.get("source", "?")) in str(error):
                    lacking = key
            raise self._asking(lacking, error) from error

    # ---- drawing ----------------------------------------------------------------------------------------------------

    def _draw(self, state: State, view: View) -> _Drawn:
        settings = {}
        for name, control in view.controls.items():
            settings[name] = _value(control, state.settings.get(name, control.value))
        share = getattr(view, "tall", TALL)[state.width < PHONE]
        size = (state.width / DPI, state.width * share / DPI)
        place = (id(view), size, state.ratio)
        known = self.layouts.held.get(place)

        def draw(fast: bool) -> _Drawn:
            with mpl.rc_context(style.rc()):
                fig = Figure(figsize=size, dpi=DPI * state.ratio, layout=None if fast else "constrained")
                FigureCanvasAgg(fig)
                found = self._or_ask(state, lambda: view.draw(fig, **settings))
                figures.stamp(fig, self._loaded(state))
                home = [axes.limits(ax) for ax in fig.axes]
                for one in state.zoom:
                    axes.zoom(fig, home, one)
                if fast and known and len(known.places) == len(fig.axes):
                    for ax, position in zip(fig.axes, known.places, strict=True):
                        ax.set_position(position)
                fig.canvas.draw()
            return _Drawn(fig, found, settings, home)

        # Laying out takes longer than drawing: the axes stay in place until a label needs more room.
        if known:
            drawn = draw(fast=True)
            if len(known.places) == len(drawn.fig.axes) and not axes.outward(known.labels, axes.labels(drawn.fig)):
                return drawn
        drawn = draw(fast=False)
        self.layouts.held.pop(place, None)
        self.layouts.get(place, lambda: _Layout([ax.get_position() for ax in drawn.fig.axes], axes.labels(drawn.fig)))
        return drawn

    def _shown(self, state: State, view: View, drawn: _Drawn) -> dict[str, Any]:
        fig = drawn.fig
        buffer = io.BytesIO()
        pixels = np.asarray(fig.canvas.buffer_rgba())  # type: ignore[attr-defined]
        Image.fromarray(pixels[:, :, :3].copy()).save(buffer, "png", compress_level=1)
        settings = {name: _sent(view.controls[name], value) for name, value in drawn.settings.items()}
        found = []
        for ax, home in zip(fig.axes, drawn.home, strict=True):
            box = ax.get_position()
            scales = {"xscale": ax.get_xscale(), "yscale": ax.get_yscale()}
            names = {"xname": ax.get_xlabel(), "yname": ax.get_ylabel()}
            found.append({"box": [box.x0, box.y0, box.x1, box.y1], "home": home, **axes.limits(ax), **scales, **names})
        return {
            "picture": base64.b64encode(buffer.getvalue()).decode(),
            "axes": found,
            "settings": settings,
            "tables": [tables.shown(table, view) for table in drawn.tables if len(table)],
        }

    # ---- what is said of the recordings ------------------------------------------------------------------------------

    def _about(self, state: State) -> dict[str, Any]:
        loaded = self._loaded(state)
        notes, fields = [], []
        for key, (label, recording) in zip(dict.fromkeys(state.shown), loaded.items(), strict=True):
            attrs = recording.attrs
            origin = ", synthetic data" if attrs["origin"] == "synthetic" else ""
            notes.append(f"{label}: {attrs['file']}, {attrs['format']}{origin}")
            notes += [f"not used of the file: {attrs['unread']}"] if "unread" in attrs else []
            notes += [f"stated: {attrs['stated']}"] if "stated" in attrs else []
            own = [_field(name, attrs[name]) for name in CONSTANTS if _matters(name, attrs["technique"])]
            fields.append({"key": key, "label": label, "fields": own})
        return {"notes": notes, "constants": [one for one in fields if one["fields"]]}

    def _slug(self, state: State, view_name: str) -> str:
        loaded = list(self._loaded(state).values())
        parts = [f"{one.attrs['sample']} {one.attrs['state']}" for one in loaded]
        technique = loaded[0].attrs["technique"]
        view = view_name if technique == view_name else f"{technique} {view_name}" if technique == "xps" else view_name
        text = " + ".join(parts[:3]) + (f" and {len(parts) - 3} more" if len(parts) > 3 else "") + f" {view}"
        return re.sub(r"[^\w.+-]+", "-", text).strip("-.") or "recording"

    def _json(self, state: State, view_name: str, drawn: _Drawn, rows: list[dict]) -> str:
        about = []
        for label, recording in self._loaded(state).items():
            attrs = recording.attrs
            constants = {name: attrs[name] for name in CONSTANTS if isfinite(attrs[name])}
            about.append(
                {"label": label, "file": attrs["file"], "sha256": attrs["sha256"], "format": attrs["format"]}
                | {"origin": attrs["origin"], "constants": constants}
            )
        found = {"recordings": about, "view": view_name, "settings": drawn.settings, "numbers": rows}
        return json.dumps(found | {"coldbond": __version__}, ensure_ascii=False, indent=1, default=_plain) + "\n"


@dataclass
class _Layout:
    places: list
    labels: list[tuple[float, float]]


def written(text: str) -> Path:
    """Return the path that a user means: quotes, file:// and blanks around it are taken off, ~ is the home folder."""
    text = text.strip()
    while len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].strip()
    if text.startswith("file://"):
        text = unquote(urlsplit(text).path)
    if not text:
        raise ValueError("write the path of a file")
    return Path(text).expanduser().absolute()


def _said(error: BaseException) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'the file'}: {error.strerror or error}"
    text = error.args[0] if isinstance(error, KeyError) and error.args else str(error)
    return " ".join(str(text).split()) or type(error).__name__


def _number(name: str, text: str) -> float:
    what, unit = CONSTANTS[name]
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = nan
    if not isfinite(value) or (name in manifest.POSITIVE and value <= 0):
        raise ValueError(f"{what}: {text!r} is no such number; write it in {unit}, as 0.785")
    return value


def _matters(name: str, technique: str) -> bool:
    """Return whether the page offers a constant for recordings of a technique."""
    of = {"cycling": ("area_cm2", "thickness_cm", "active_mass_mg"), "eis": ("area_cm2",)}
    return name in of.get(technique, ())


def _field(name: str, value: Any) -> dict[str, Any]:
    what, unit = CONSTANTS.get(name, (name.rsplit("_", 1)[0].replace("_", " "), name.partition("_")[2]))
    shown = f"{value:g}" if isinstance(value, float) and isfinite(value) else ""
    plain = name in ("technique", "sweep", "sample_in_file", "encoding")
    label = name.replace("_", " ") if plain else f"{what} / {unit.replace('cm2', 'cm²').replace('angstrom', 'Å')}"
    return {"name": name, "label": label, "value": shown, "help": help.field(name)}


def _described(name: str, control: Any) -> dict[str, Any]:
    """Return a control as the page builds it."""
    sent = {key: value for key, value in asdict(control).items() if key != "value"}
    numbers = (
        [float(x) for x in (*np.ravel(control.value), control.low, control.high, control.step)]
        if isinstance(control, Number | Span)
        else []
    )
    return sent | {
        "name": name,
        "kind": type(control).__name__.lower(),
        "value": _sent(control, control.value),
        "whole": all(x.is_integer() for x in numbers),
        "help": help.control(control.label),
    }


def _sent(control: Any, value: Any) -> Any:
    return ", ".join(f"{x:g}" for x in value) if isinstance(control, Numbers) else value


def _value(control: Any, sent: Any) -> Any:
    """Return the setting that a page has sent, of the type that `View.draw` takes."""
    match control:
        case Number():
            value = min(max(float(sent), control.low), control.high)
            return int(value) if isinstance(control.value, int) and value.is_integer() else value
        case Span():
            low, high = sorted(min(max(float(x), control.low), control.high) for x in sent)
            whole = all(isinstance(x, int) for x in control.value)
            return (int(low), int(high)) if whole else (low, high)
        case Numbers():
            try:
                return tuple(float(word) for word in sent.replace(",", " ").split()) if isinstance(sent, str) else sent
            except ValueError:
                raise ValueError(f"{control.label}: write numbers separated by commas, such as 250, 370") from None
    if hasattr(control, "options"):
        chosen = sent if isinstance(sent, list | tuple) else [sent]
        if not set(chosen) <= set(control.options):
            raise ValueError(f"{control.label}: choose among {', '.join(control.options)}")
        return tuple(chosen) if isinstance(control.value, tuple) else sent
    return bool(sent)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)
