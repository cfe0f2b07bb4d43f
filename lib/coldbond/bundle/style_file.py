"""style.toml: what a user changes about the figures, read and checked.

The bundle's own file has all keys. A style.toml in the folder of recordings changes those that it has.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from coldbond.bundle import manifest, paths

NAME = "style.toml"
PRESETS = ("print", "slides")
FORMATS = ("pdf", "svg", "eps", "png", "tiff")

#: Widths [mm] and font size [points] that the plots are designed for.
DESIGN = {"single": 89.0, "double": 183.0}
DESIGN_FONT_SIZE = 7.0
#: Least and most of each number.
RANGES = {"dpi": (72, 1200), "single": (40, 500), "double": (60, 1000), "font_size": (4, 40)}
#: Share of the design's width, in units of the font size, below which panels no longer fit.
NARROWEST = 0.75
MOST_NAMED = 30  # known names in a message


class StyleError(ValueError):
    """A style.toml that cannot be used; the message names file, key, what is known, and the remedy."""


@dataclass(frozen=True)
class Style:
    """Contents of style.toml.

    Attributes
    ----------
    widths : mapping of str to float
        Widths of a figure of one column ("single") and of two ("double"), mm.
    zoom : float
        Font size in units of `DESIGN_FONT_SIZE`. A figure is laid out with the design's font size on a page that is
        smaller by this factor, and enlarged when it is saved, so that lines and markers keep their proportions.
    fonts, formats, order, palette : tuple of str
    dpi : float
        Resolution of pictures for print, dots per inch.
    colors, labels : mapping of str to str
        By sample.
    """

    widths: Mapping[str, float]
    zoom: float
    fonts: tuple[str, ...]
    formats: tuple[str, ...]
    dpi: float
    order: tuple[str, ...]
    palette: tuple[str, ...]
    colors: Mapping[str, str]
    labels: Mapping[str, str]

    def ordered(self, samples: Iterable[str]) -> list[str]:
        """Return samples in the order of the style; those that it does not list follow in the order given."""
        samples = list(samples)
        first = [sample for sample in self.order if sample in samples]
        return first + [sample for sample in samples if sample not in first]


def current() -> Style:
    """Return the style of the recordings in `paths.RAW`; raise `StyleError` where its file cannot be used."""
    return read(Path(paths.RAW))


def read(raw: Path) -> Style:
    """Return the style of a folder of recordings.

    Raises
    ------
    StyleError
        A style.toml is no TOML, or holds an unknown key, a value of the wrong kind, a colour that matplotlib does not
        know, a font that is not installed, or a sample that the manifest does not list.
    """
    own = raw / NAME
    return _read(raw, own.stat().st_mtime_ns if own.exists() else None)


@cache
def _read(raw: Path, changed: int | None) -> Style:
    """Return the style of a folder whose own file was last changed at that time; every colour asks for it."""
    installed = Path(__file__).with_name(NAME)  # where the package is installed without the bundle
    base = installed if installed.is_file() else paths.ROOT / NAME
    values = _Checked(base).values()
    if missing := [key for key in _KINDS if key not in values]:
        raise StyleError(f"{base}: the key {missing[0]} is missing: restore it")
    own = raw / NAME
    if own.exists() and own.resolve() != base.resolve():
        for key, value in _Checked(own, raw).values().items():
            values[key] = values[key] | value if isinstance(value, dict) else value
    page = values[values["preset"]]
    widths, zoom = {name: page[name] for name in DESIGN}, page["font_size"] / DESIGN_FONT_SIZE
    for name, width in widths.items():
        most = DESIGN_FONT_SIZE * width / DESIGN[name] / NARROWEST
        if page["font_size"] > most:
            raise StyleError(
                f"{own if own.exists() else base}, [{values['preset']}]: panels do not fit into {name} = {width:g} mm "
                f"with font_size = {page['font_size']:g}: use at most {most:.1f}, or a larger width"
            )
    same = ("formats", "dpi", "order", "palette", "colors", "labels")
    return Style(widths=widths, zoom=zoom, fonts=values["font"], **{name: values[name] for name in same})


class _Checked:
    """One style.toml, whose errors name file and key."""

    def __init__(self, path: Path, raw: Path | None = None) -> None:
        self.path = path
        #: Samples that the file may name; None for any.
        self.samples: list[str] | None = None
        if raw:
            with suppress(manifest.ManifestError):  # which whoever reads the recordings reports
                self.samples = list(dict.fromkeys(row["sample"] for row in manifest.load(raw).listed))

    def values(self) -> dict[str, Any]:
        try:
            if not self.path.is_file():
                raise StyleError(f"{self.path}: there is no such file: restore it")
            table = tomllib.loads(self.path.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise StyleError(f"{self.path}: not TOML in UTF-8: {error}") from None
        return {key: self.checked(key, value, _KINDS) for key, value in table.items()}

    def checked(self, key: str, value: Any, kinds: Mapping[str, Callable], within: str = "") -> Any:
        self.one_of(key, kinds, f"{within}{key}", "no such key")
        return kinds[key](self, f"{within}{key}", value)

    def error(self, key: str, what: str) -> StyleError:
        return StyleError(f"{self.path}, {key}: {what}")

    def one_of(self, value: str, known: Iterable[str], key: str, what: str) -> str:
        known = list(known)
        if value not in known:
            similar = get_close_matches(value, known, n=1)
            hint = f"did you mean {similar[0]}? " if similar else ""
            if len(known) > MOST_NAMED:
                known = [*get_close_matches(value, known, n=MOST_NAMED, cutoff=0.4), "others"]
            raise self.error(key, f"{what}: {hint}Known are {', '.join(known) or 'none'}")
        return value

    def text(self, key: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f'{value!r} is no text: write it as "..."; a name with a dot stands in quotes too')
        return value

    def texts(self, key: str, value: Any) -> tuple[str, ...]:
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            raise self.error(key, f'{value!r} is no list: write it as ["...", "..."]')
        texts = tuple(self.text(key, one) for one in value)
        if twice := [one for one in texts if texts.count(one) > 1]:
            raise self.error(key, f"{twice[0]!r} stands there twice")
        return texts

    def number(self, key: str, value: Any) -> float:
        low, high = RANGES[key.split(".")[-1]]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.error(key, f"{value!r} is no number from {low} to {high}")
        return value

    def preset(self, key: str, value: Any) -> str:
        return self.one_of(self.text(key, value), PRESETS, key, f"{value!r} is no preset")

    def page(self, key: str, value: Any) -> dict[str, float]:
        kinds = dict.fromkeys((*DESIGN, "font_size"), _Checked.number)
        return {name: self.checked(name, one, kinds, f"{key}.") for name, one in self.table(key, value).items()}

    def table(self, key: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error(key, f"{value!r} is no table: write [{key}], and its keys in the lines below")
        return value

    def formats(self, key: str, value: Any) -> tuple[str, ...]:
        return tuple(self.one_of(one, FORMATS, key, f"{one!r} is no format") for one in self.texts(key, value))

    def font(self, key: str, value: Any) -> tuple[str, ...]:
        from matplotlib.font_manager import fontManager

        names = self.texts(key, value)
        if not names:
            raise self.error(key, "no font is given: name one")
        for name in names:
            self.one_of(name, sorted({font.name for font in fontManager.ttflist}), key, f"{name!r} is not installed")
        return names

    def color(self, key: str, value: Any) -> str:
        from matplotlib.colors import CSS4_COLORS, is_color_like, to_hex

        text = self.text(key, value)
        if not is_color_like(text) or not to_hex(text, keep_alpha=True).endswith("ff"):  # such as "none"
            if text.startswith("#"):
                raise self.error(key, f'{text!r} is no colour: write "#" and six digits from 0 to f')
            self.one_of(text, sorted(CSS4_COLORS), key, f"{text!r} is no colour")
        return to_hex(text)

    def palette(self, key: str, value: Any) -> tuple[str, ...]:
        return tuple(self.color(key, one) for one in self.texts(key, value))

    def sample(self, key: str, name: str) -> str:
        if self.samples is not None:
            self.one_of(name, self.samples, key, "the manifest lists no such sample")
        return name

    def order(self, key: str, value: Any) -> tuple[str, ...]:
        return tuple(self.sample(f"{key}, {name}", name) for name in self.texts(key, value))

    def colors(self, key: str, value: Any) -> dict[str, str]:
        items = self.table(key, value).items()
        return {self.sample(f"{key}.{name}", name): self.color(f"{key}.{name}", one) for name, one in items}

    def labels(self, key: str, value: Any) -> dict[str, str]:
        items = self.table(key, value).items()
        return {self.sample(f"{key}.{name}", name): self.text(f"{key}.{name}", one) for name, one in items}


_KINDS: dict[str, Callable[[_Checked, str, Any], Any]] = {
    "preset": _Checked.preset,
    "formats": _Checked.formats,
    "dpi": _Checked.number,
    "font": _Checked.font,
    "order": _Checked.order,
    "palette": _Checked.palette,
    "print": _Checked.page,
    "slides": _Checked.page,
    "colors": _Checked.colors,
    "labels": _Checked.labels,
}
