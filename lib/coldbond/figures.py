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
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

import coldbond
from coldbond import manifest, paths

#: Widths of a journal's columns, mm.
WIDTHS = {"single": 89, "double": 183}

MM = 1 / 25.4  # inch

#: One colour a sample throughout the bundle, safe for colour-blind readers (Wong 2011, doi 10.1038/nmeth.1618).
COLORS = {
    "LLZ": "#000000",
    "InN-LLZ": "#56B4E9",
    "In-LLZ": "#E69F00",
    "HT-MCL-LLZ": "#D55E00",
    "RT-MCL-LLZ": "#0072B2",
}
OTHER_COLORS = ("#009E73", "#CC79A7", "#882255", "#88CCEE", "#999933", "#332288")

STAMP = "#B00020"

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
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "lines.linewidth": 0.8,
    "lines.markersize": 3,
    "patch.linewidth": 0.6,
    "mathtext.default": "regular",
    "pdf.fonttype": 42,  # text stays text in the PDF
    "savefig.dpi": 300,
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
    palette = OTHER_COLORS if len(others) < len(OTHER_COLORS) else sns.husl_palette(len(others) + 1).as_hex()
    return palette[place]


def unit(text: str) -> str:
    """Return a unit as a figure writes it: "mA/cm2" as mA cm with an exponent of -2."""
    return re.sub(r"/([A-Za-z]+)(\d*)", r" \1$^{-\2}$", text).replace("{-}", "{-1}")


def label(text: str) -> str:
    """Return a sample or a state as a figure writes it: its units with exponents, a dollar as a dollar."""
    return re.sub(r"mA/cm2|mAh/g", lambda found: unit(found[0]), text.replace("$", r"\$"))


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
    with sns.axes_style("ticks"), mpl.rc_context(STYLE):
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
    metadata = {
        "png": {"Software": None, "Description": embedded},
        "pdf": {"Keywords": embedded, "CreationDate": None, "Producer": None, "Creator": None},
    }
    with mpl.rc_context(STYLE):
        pictures = {kind: _picture(fig, kind, metadata[kind]) for kind in ("png", "pdf")}
        _show(fig)
    _write(target.with_suffix(".png"), pictures["png"])
    _write(target.with_suffix(".json"), (numbers + "\n").encode())
    _write(target.with_suffix(".pdf"), pictures["pdf"])  # last: its presence tells Make that all three are there


def stamp(fig: Figure, recordings: Mapping[str, xr.Dataset]) -> None:
    """Write on a figure, in a margin on its right, that it is drawn from synthetic recordings, if any of them is."""
    synthetic = [label for label, cell in recordings.items() if cell.attrs["origin"] == "synthetic"]
    if not synthetic:
        return
    which = "" if len(synthetic) == len(recordings) else f": {'; '.join(synthetic)}"
    fig.get_layout_engine().set(rect=(0, 0, 1 - 3 * MM / fig.get_figwidth(), 1))
    fig.text(0.998, 0.5, f"synthetic data{which}", rotation=90, ha="right", va="center", fontsize=6, color=STAMP)


def _picture(fig: Figure, kind: str, metadata: Mapping) -> bytes:
    buffer = BytesIO()
    fig.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()


def _show(fig: Figure) -> None:
    try:
        from IPython import get_ipython
        from IPython.display import Image, display
    except ImportError:
        return
    if get_ipython() is not None:
        buffer = BytesIO()
        fig.savefig(buffer, format="png", dpi=144, metadata={"Software": None})
        display(Image(buffer.getvalue(), width=round(fig.get_figwidth() * 96)))


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content)
    os.replace(part, path)
