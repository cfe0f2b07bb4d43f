"""Opening a figure in the style of the bundle, and saving it together with its numbers.

`new` opens a figure in the bundle's style, `save` writes it as PNG and PDF beside a JSON file that holds the findings
and what they were made from. A figure that uses synthetic recordings is stamped as such by `save`, never by a notebook.
The files depend only on their inputs: they contain no time, no folder and no version of matplotlib. Rebuilding an
unchanged figure therefore gives the same bytes, and `git diff figures/` shows what a change did.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

import coldbond
from coldbond.bundle import margin, paths, pictures, source_data, style, style_file
from coldbond.bundle.raw import Recordings
from coldbond.bundle.style import MM, STAMP
from coldbond.bundle.style_file import DESIGN

#: Folders beside the figures: files in the formats that style.toml asks for, and what the panels draw.
PRINT, SOURCE_DATA = "print", "source_data"


@contextmanager
def new(width: str = "single", height: float = 60) -> Iterator[Figure]:
    """Open a figure in the bundle's style; draw it inside the `with` block.

    Parameters
    ----------
    width : {"single", "double"}
        Width of the figure: one column of the journal (89 mm) or two (183 mm), unless style.toml gives other widths.
    height : float
        Height in mm at this width. With other widths the height changes in proportion.

    Yields
    ------
    matplotlib.figure.Figure
        Empty figure with matplotlib's constrained layout.
    """
    chosen = style_file.current()
    # Drawn with the design's font size, and enlarged by `zoom` when it is saved.
    scale = chosen.widths[width] / DESIGN[width] / chosen.zoom
    with mpl.rc_context(style.rc()):
        layout = ConstrainedLayoutEngine(w_pad=MM, h_pad=MM)
        fig = Figure(figsize=(DESIGN[width] * scale * MM, height * scale * MM), layout=layout)
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
    tables: Mapping[str, pd.DataFrame] | None = None,
    inputs: Mapping[str, str] | None = None,
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
    tables : mapping of str to pandas.DataFrame, optional
        What a journal asks for beside the figure, by name, such as every half cycle of each cell; written into the
        source data.
    inputs : mapping of str to str, optional
        sha256 of further files of the folder of recordings that the figure depends on, such as crystal structures.

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
        "inputs": {cell.attrs["file"]: cell.attrs["sha256"] for cell in recordings.values()} | dict(inputs or {}),
    }
    left_out = recordings.rows_left_out() if isinstance(recordings, Recordings) else []
    provenance |= {"left_out": left_out} if left_out else {}
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
    chosen = style_file.current()
    with mpl.rc_context(style.rc()):
        margin.name_left_out(fig, left_out)
        picture = pictures.for_screen(pictures.drawn(fig, chosen.zoom))
        pdf = pictures.pdf(fig, chosen.zoom, chosen.dpi, embedded)
        data = source_data.files(fig, figure, recordings, tables)
        in_print = pictures.in_print(fig, chosen, embedded)
        pictures.show(picture, chosen.zoom)
    for suffix, content in in_print.items():
        _write(paths.FIGURES / PRINT / f"{figure}.{suffix}", content)
    for name, content in data.items():
        _write(paths.FIGURES / SOURCE_DATA / name, content)
    _write(target.with_suffix(".png"), pictures.png(picture, description=embedded))
    _write(target.with_suffix(".json"), (numbers + "\n").encode())
    _write(target.with_suffix(".pdf"), pdf)  # last, because make takes the PDF as the sign that all files are complete


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


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content)
    os.replace(part, path)
