"""The style of the figures, and saving a figure together with its numbers.

`new` opens a figure in the bundle's style, `save` writes it as PNG and PDF beside a JSON file that holds the findings
and what they were made from. A figure that uses synthetic recordings is stamped as such by `save`, never by a notebook.
The files depend only on their inputs: they contain no time, no folder and no version of matplotlib. Rebuilding an
unchanged figure therefore gives the same bytes, and `git diff figures/` shows what a change did.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import xarray as xr
from fontTools import subset
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import coldbond
from coldbond.bundle import manifest, paths

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

#: Column widths of the journal, mm.
WIDTHS = {"single": 89, "double": 183}

MM = 1 / 25.4  # inch

DPI = 300  # resolution of the PNG, dots per inch

#: The same colour for a sample in every figure, safe for colour-blind readers (Wong 2011, doi 10.1038/nmeth.1618).
COLORS = {
    "LLZ": "#000000",
    "InN-LLZ": "#56B4E9",
    "In-LLZ": "#E69F00",
    "HT-MCL-LLZ": "#D55E00",
    "RT-MCL-LLZ": "#0072B2",
}
OTHER_COLORS = ("#009E73", "#CC79A7", "#882255", "#88CCEE", "#999933", "#332288")

#: Seaborn's colour map "crest", written out here because importing seaborn takes half a second.
CREST = LinearSegmentedColormap.from_list(
    "crest", ["#A5CD90", "#76B791", "#509E90", "#33858D", "#1D6C8A", "#234F81", "#2C3172"]
)

#: Colour of the stamp "synthetic data".
STAMP = "#B00020"

#: For `str.translate`. Exponents and chemical formulas are Unicode text, because matplotlib's mathtext parser takes
#: longer than drawing the rest of a figure.
RAISED = str.maketrans("-+0123456789", "⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

#: Fallback fonts for characters that DejaVu Sans lacks, such as Chinese sample names; the installed ones are used.
OTHER_FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Micro Hei",
    "SimHei",
)

STYLE: "dict[RcKeyType, object]" = {
    # DejaVu Sans ships with matplotlib, so every machine draws the same picture.
    "font.family": ["DejaVu Sans", *sorted({*OTHER_FONTS} & {font.name for font in fontManager.ttflist})],
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "text.color": "0.15",
    "axes.labelcolor": "0.15",
    "axes.edgecolor": "0.15",
    "xtick.color": "0.15",
    "ytick.color": "0.15",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "lines.linewidth": 0.8,
    "lines.solid_capstyle": "round",
    "lines.markersize": 3,
    "patch.linewidth": 0.6,
    "patch.edgecolor": "white",
    "patch.force_edgecolor": True,
    "mathtext.default": "regular",
    "pdf.fonttype": 42,  # TrueType, so that text in the PDF stays text
    "ps.fonttype": 42,  # also read by the PDF backend: with its default of 3 every font is embedded twice
    "savefig.dpi": DPI,
}


def color(sample: str) -> str:
    """Return the colour of a sample, which is the same in every figure.

    The samples of the paper have fixed colours; any other sample takes the next free colour in manifest order.
    """
    if sample in COLORS:
        return COLORS[sample]
    # The "samples" of computed energies are models.
    rows = [row for row in manifest.rows(paths.RAW) if row["technique"] != "energies"]
    others = [name for name in dict.fromkeys(row["sample"] for row in rows) if name not in COLORS]
    place = others.index(sample) if sample in others else len(others)
    if len(others) < len(OTHER_COLORS):
        return OTHER_COLORS[place]
    from seaborn import husl_palette  # imported only here: it takes half a second

    return husl_palette(len(others) + 1).as_hex()[place]


def shades(count: int) -> list[str]:
    """Return the colours of an ordered series, from light to dark."""
    return [to_hex(color) for color in CREST(np.linspace(0, 1, count + 2)[1:-1])]


def unit(text: str) -> str:
    """Return a unit in the notation of the figures: "mA/cm2" becomes mA cm⁻²."""
    return re.sub(r"/([A-Za-z]+)(\d*)", lambda found: f" {found[1]}{f'-{found[2] or 1}'.translate(RAISED)}", text)


def label(text: str) -> str:
    """Return a sample or a state in the notation of the figures, with `$` escaped for matplotlib."""
    return re.sub(r"mA/cm2|mAh/g", lambda found: unit(found[0]), text.replace("$", r"\$"))


def powers_of_ten(*axes: Axis) -> None:
    """Label logarithmic axes with powers of ten in plain text."""
    for axis in axes:
        axis.set_major_formatter(lambda value, place: f"10{str(round(np.log10(value))).translate(RAISED)}")


def letters(axes: Iterable[Axes]) -> None:
    """Label panels a, b, c, ... above their top left corners; a single panel gets no label."""
    axes = list(axes)
    for ax, text in zip(axes, ascii_lowercase, strict=False):
        if len(axes) > 1:
            ax.set_title(text, loc="left", fontsize=8, fontweight="bold", x=-0.01, ha="right", pad=4)


@contextmanager
def new(width: str = "single", height: float = 60) -> Iterator[Figure]:
    """Open a figure in the bundle's style; draw it inside the `with` block.

    Parameters
    ----------
    width : {"single", "double"}
        Width of the figure: one column of the journal (89 mm) or two (183 mm).
    height : float
        Height in mm.

    Yields
    ------
    matplotlib.figure.Figure
        Empty figure with matplotlib's constrained layout.
    """
    with mpl.rc_context(STYLE):
        layout = ConstrainedLayoutEngine(w_pad=MM, h_pad=MM)
        fig = Figure(figsize=(WIDTHS[width] * MM, height * MM), layout=layout)
        yield fig
        fig.align_ylabels()


def save(
    fig: Figure,
    figure: str,
    *,
    notebook: str,
    parameters: Mapping,
    values: Sequence[dict],
    recordings: Mapping[str, xr.Dataset | xr.DataTree],
) -> None:
    """Write figures/NAME.png, .json and .pdf, and display the picture in the notebook.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `new`.
    figure : str
        Name of the files.
    notebook : str
        Name of the notebook that draws the figure.
    parameters : mapping
        Parameters of the notebook.
    values : sequence of dict
        Findings, as returned by `findings.finding`.
    recordings : mapping of str to xarray.Dataset or xarray.DataTree
        All recordings that the figure uses, as returned by `raw.recordings`.

    Notes
    -----
    The provenance (hashes of the inputs, parameters, version, origin) is also written into the pictures: as PNG text
    `Description` and as PDF `Keywords`. Each file is replaced atomically. With `paths.PICTURES` false only the JSON
    file is written, which is what the multiverse needs.
    """
    origins = {cell.attrs["origin"] for cell in recordings.values()}
    provenance = {
        "figure": figure,
        "notebook": notebook,
        "parameters": dict(parameters),
        "origin": origins.pop() if len(origins) == 1 else "mixed",
        "inputs": {cell.attrs["file"]: cell.attrs["sha256"] for cell in recordings.values()},
    }
    paths.FIGURES.mkdir(parents=True, exist_ok=True)
    target = paths.FIGURES / figure
    numbers = json.dumps(
        provenance | {"values": list(values)}, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False
    )
    if not paths.PICTURES:
        _write(target.with_suffix(".json"), (numbers + "\n").encode())
        return
    stamp(fig, recordings)
    embedded = json.dumps(provenance | {"coldbond": coldbond.__version__}, sort_keys=True)
    with mpl.rc_context(STYLE):
        picture = _drawn(fig)
        pdf = _pdf(fig, embedded)
        _show(picture)
    _write(target.with_suffix(".png"), _png(picture, DPI, embedded))
    _write(target.with_suffix(".json"), (numbers + "\n").encode())
    _write(target.with_suffix(".pdf"), pdf)  # last, because make takes the PDF as the sign that all three are complete


def stamp(fig: Figure, recordings: Mapping[str, xr.Dataset | xr.DataTree]) -> None:
    """Mark a figure as "synthetic data" in its right margin, if any of its recordings is synthetic."""
    synthetic = [label for label, cell in recordings.items() if cell.attrs["origin"] == "synthetic"]
    if not synthetic:
        return
    which = "" if len(synthetic) == len(recordings) else f": {'; '.join(synthetic)}"
    engine = fig.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0, 0, 1 - 3 * MM / fig.get_figwidth(), 1))  # keeps a margin of 3 mm free
    fig.text(0.998, 0.5, f"synthetic data{which}", rotation=90, ha="right", va="center", fontsize=6, color=STAMP)


def _drawn(fig: Figure) -> Image.Image:
    """Draw a figure as an image, and keep its layout for the PDF: solving it again takes as long as drawing."""
    fig.set_dpi(DPI)
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    fig.set_layout_engine("none")
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _png(picture: Image.Image, dpi: float, description: str = "") -> bytes:
    texts = PngInfo()
    if description:
        texts.add_text("Description", description)
    buffer = BytesIO()
    # Level 3 of 9: level 6, the default, is slower by a third.
    picture.save(buffer, "png", dpi=(dpi, dpi), pnginfo=texts, compress_level=3)
    return buffer.getvalue()


def _pdf(fig: Figure, keywords: str) -> bytes:
    buffer = BytesIO()
    nothing = dict.fromkeys(["CreationDate", "Producer", "Creator"])
    dropped = subset.Options._drop_tables_default
    # fontTools need not subset the tables for kerning and ligatures, because the PDF places every glyph by itself.
    # Subsetting them takes half of the time that a PDF costs.
    subset.Options._drop_tables_default = [*dropped, "GDEF", "GPOS", "GSUB"]
    try:
        FigureCanvasPdf(fig).print_pdf(buffer, metadata={"Keywords": keywords, **nothing})
    finally:
        subset.Options._drop_tables_default = dropped  # a class attribute: other users keep their default
    return buffer.getvalue()


def _show(picture: Image.Image) -> None:
    try:
        from IPython import display, get_ipython
    except ImportError:
        return
    if get_ipython() is not None:
        small = _png(picture.reduce(2), DPI / 2)
        display.display(display.Image(small, width=round(picture.width / DPI * 96)))


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content)
    os.replace(part, path)
