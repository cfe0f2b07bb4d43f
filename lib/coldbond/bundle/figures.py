"""How the figures look, and how they are saved with their numbers."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from string import ascii_lowercase

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
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import coldbond
from coldbond.bundle import manifest, paths

#: Widths of a journal's columns, mm.
WIDTHS = {"single": 89, "double": 183}

MM = 1 / 25.4  # inch

DPI = 300  # of the PNG

#: One colour a sample throughout the bundle, safe for colour-blind readers (Wong 2011, doi 10.1038/nmeth.1618).
COLORS = {
    "LLZ": "#000000",
    "InN-LLZ": "#56B4E9",
    "In-LLZ": "#E69F00",
    "HT-MCL-LLZ": "#D55E00",
    "RT-MCL-LLZ": "#0072B2",
}
OTHER_COLORS = ("#009E73", "#CC79A7", "#882255", "#88CCEE", "#999933", "#332288")

#: As seaborn's, which is no darker at one end than print holds.
CREST = LinearSegmentedColormap.from_list(
    "crest", ["#A5CD90", "#76B791", "#509E90", "#33858D", "#1D6C8A", "#234F81", "#2C3172"]
)

STAMP = "#B00020"

#: For `str.translate`. Exponents and formulas are plain text: matplotlib's formula parser takes longer than a drawing.
RAISED = str.maketrans("-+0123456789", "⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹")
LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

#: For what DejaVu Sans lacks, such as a sample's name in Chinese: those of these that the machine has.
OTHER_FONTS = (
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Micro Hei",
    "SimHei",
)

STYLE = {
    # DejaVu Sans ships with matplotlib, so that every machine draws the same picture
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
    **dict.fromkeys(["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"], "0.15"),
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
    "pdf.fonttype": 42,  # text stays text in the PDF
    "ps.fonttype": 42,  # what matplotlib's PDF looks at when it divides a font: with 3 it embeds each font twice
    "savefig.dpi": DPI,
}


def color(sample: str) -> str:
    """Return the colour of a sample, the same in every figure.

    The paper's samples keep theirs; another sample takes the next free one by its place in the manifest.
    """
    if sample in COLORS:
        return COLORS[sample]
    rows = [row for row in manifest.rows(paths.RAW) if row["technique"] != "energies"]  # of models, not samples
    others = [name for name in dict.fromkeys(row["sample"] for row in rows) if name not in COLORS]
    place = others.index(sample) if sample in others else len(others)
    if len(others) < len(OTHER_COLORS):
        return OTHER_COLORS[place]
    from seaborn import husl_palette  # half a second of imports

    return husl_palette(len(others) + 1).as_hex()[place]


def shades(count: int) -> list[str]:
    """Return the colours of a series from light to dark."""
    return [to_hex(color) for color in CREST(np.linspace(0, 1, count + 2)[1:-1])]


def unit(text: str) -> str:
    """Return a unit as a figure writes it: "mA/cm2" as mA cm with an exponent of -2."""
    return re.sub(r"/([A-Za-z]+)(\d*)", lambda found: f" {found[1]}{f'-{found[2] or 1}'.translate(RAISED)}", text)


def label(text: str) -> str:
    """Return a sample or a state as a figure writes it: its units with exponents, a dollar as a dollar."""
    return re.sub(r"mA/cm2|mAh/g", lambda found: unit(found[0]), text.replace("$", r"\$"))


def powers_of_ten(*axes: Axis) -> None:
    """Label logarithmic axes with powers of ten in plain text."""
    for axis in axes:
        axis.set_major_formatter(lambda value, place: f"10{str(round(np.log10(value))).translate(RAISED)}")


def letters(axes: Iterable[Axes]) -> None:
    """Letter panels a, b, c, ... above their top left corners; a single panel needs none."""
    axes = list(axes)
    for ax, text in zip(axes, ascii_lowercase, strict=False):
        if len(axes) > 1:
            ax.set_title(text, loc="left", fontsize=8, fontweight="bold", x=-0.01, ha="right", pad=4)


@contextmanager
def new(width: str = "single", height: float = 60) -> Iterator[Figure]:
    """Give a figure in the bundle's style, to be drawn in a `with` block.

    Parameters
    ----------
    width : {"single", "double"}
        The journal's column that the figure fills, 89 or 183 mm.
    height : float
        Height in mm.

    Yields
    ------
    matplotlib.figure.Figure
        Empty, laid out by matplotlib's constrained layout.
    """
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(WIDTHS[width] * MM, height * MM), layout="constrained")
        fig.get_layout_engine().set(w_pad=MM, h_pad=MM)
        yield fig
        fig.align_ylabels()


def save(
    fig: Figure,
    figure: str,
    *,
    notebook: str,
    parameters: Mapping,
    values: Sequence[dict],
    recordings: Mapping[str, xr.Dataset],
) -> None:
    """Write figures/NAME.png, .json and .pdf, and show the picture in the notebook.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        From `new`.
    figure : str
        Name of the files.
    notebook : str
        Name of the notebook that draws it.
    parameters : mapping
        The notebook's parameters.
    values : sequence of dict
        What was found, as `findings.finding` returns it.
    recordings : mapping of str to xarray.Dataset
        Every recording that the figure draws on, as `raw.recordings` returns them.

    Notes
    -----
    A figure drawn from a synthetic recording is stamped so. What it was made from (inputs by content hash, parameters,
    version, origin) is written into the picture: PNG text `Description`, PDF `Keywords`. Each file is written whole.
    The bytes depend on nothing but what goes in: no time, no folder, no version of matplotlib is written.
    Where `paths.PICTURES` is false, nothing is drawn: the JSON is written alone.
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
    _write(target.with_suffix(".pdf"), pdf)  # last: its presence tells Make that all three are there


def stamp(fig: Figure, recordings: Mapping[str, xr.Dataset]) -> None:
    """Write on a figure, in a margin on its right, that it is drawn from synthetic recordings, if any of them is."""
    synthetic = [label for label, cell in recordings.items() if cell.attrs["origin"] == "synthetic"]
    if not synthetic:
        return
    which = "" if len(synthetic) == len(recordings) else f": {'; '.join(synthetic)}"
    fig.get_layout_engine().set(rect=(0, 0, 1 - 3 * MM / fig.get_figwidth(), 1))
    fig.text(0.998, 0.5, f"synthetic data{which}", rotation=90, ha="right", va="center", fontsize=6, color=STAMP)


def _drawn(fig: Figure) -> Image.Image:
    """Solve a figure's layout, which costs as much as drawing it and stays as it is from then on, and draw it."""
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
    picture.save(buffer, "png", dpi=(dpi, dpi), pnginfo=texts, compress_level=3)  # of 9; 6 is slower by a third
    return buffer.getvalue()


def _pdf(fig: Figure, keywords: str) -> bytes:
    buffer = BytesIO()
    nothing = dict.fromkeys(["CreationDate", "Producer", "Creator"])
    dropped = subset.Options._drop_tables_default
    # The rules of kerning and ligatures, half of a PDF's cost: it has a place for each glyph and no use for them.
    subset.Options._drop_tables_default = [*dropped, "GDEF", "GPOS", "GSUB"]
    try:
        FigureCanvasPdf(fig).print_pdf(buffer, metadata={"Keywords": keywords, **nothing})
    finally:
        subset.Options._drop_tables_default = dropped
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
