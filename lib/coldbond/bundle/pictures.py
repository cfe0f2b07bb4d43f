"""A drawn figure as the bytes of its files, and shown in a notebook."""

import re
from io import BytesIO, StringIO
from math import ceil

import numpy as np
from fontTools import subset
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf, Op, PdfFile, PdfPages
from matplotlib.backends.backend_ps import FigureCanvasPS
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import Collection
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from coldbond.bundle.style_file import Style

#: Resolution of the pictures for the screen, dots per inch.
SCREEN = 140
#: Most colours of a picture for the screen, how many of them are the most frequent ones, and the edge of the cells that
#: stand for the others, in levels of a channel.
COLORS, EXACT, CELL = 192, 48, 32


def drawn(fig: Figure, zoom: float, dpi: float = SCREEN) -> Image.Image:
    """Draw a figure as an image, and keep its layout for the other files: solving it again takes as long as drawing."""
    fig.set_dpi(dpi * zoom)
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    fig.set_layout_engine("none")
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def for_screen(picture: Image.Image) -> Image.Image:
    """Return an image with a palette: a third of the size, and it looks the same.

    The palette has the most frequent colours as they are, and the means of the most frequent cells of the colour cube
    for others, such as the blends at the edges of letters. A few pixels that another processor rounds otherwise change
    it little; Pillow's own palettes change by several levels throughout.
    """
    pixels = np.asarray(picture).astype(np.uint32)
    packed = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    colors, place, counts = np.unique(packed, return_inverse=True, return_counts=True)
    order = np.lexsort((colors, -counts.astype(int)))
    rgb = (colors[:, None] >> np.array([16, 8, 0], np.uint32) & 255).astype(np.int32)
    _, cell = np.unique((rgb + CELL // 2) // CELL, axis=0, return_inverse=True)
    size = np.bincount(cell.ravel(), counts)
    mean = np.column_stack([np.bincount(cell.ravel(), counts * channel) / size for channel in rgb.T])
    cells = mean.round().astype(np.int32)[np.argsort(-size, kind="stable")]
    chosen = np.concatenate([rgb[order[:EXACT]], cells])[:COLORS]
    nearest = ((rgb[:, None] - chosen) ** 2).sum(axis=-1).argmin(axis=1)
    image = Image.fromarray(nearest.astype(np.uint8)[place].reshape(packed.shape), "P")
    image.putpalette(chosen.astype(np.uint8).tobytes())
    return image


def png(picture: Image.Image, dpi: float = SCREEN, description: str = "") -> bytes:
    texts = PngInfo()
    if description:
        texts.add_text("Description", description)
    buffer = BytesIO()
    level = 9 if picture.mode == "P" else 6  # those with a palette are for git
    picture.save(buffer, "png", dpi=(dpi, dpi), pnginfo=texts, compress_level=level)
    return buffer.getvalue()


def tiff(picture: Image.Image, dpi: float) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "tiff", dpi=(dpi, dpi), compression="tiff_lzw")
    return buffer.getvalue()


class _Enlarged(PdfPages):
    """A PDF file whose page and contents are enlarged."""

    def __init__(self, buffer: BytesIO, metadata: dict, zoom: float) -> None:
        super().__init__(buffer, metadata=metadata)
        self.zoom = zoom

    def _ensure_file(self) -> PdfFile:
        file = super()._ensure_file()
        new_page = PdfFile.newPage

        def enlarged(width: float, height: float) -> None:
            new_page(file, width * self.zoom, height * self.zoom)
            file.output(self.zoom, 0, 0, self.zoom, 0, 0, Op.concat_matrix)

        file.newPage = enlarged
        return file


def pdf(fig: Figure, zoom: float, dpi: float, keywords: str) -> bytes:
    """Return a figure as PDF; its rasterised artists have the given resolution."""
    fig.set_dpi(dpi * zoom)
    buffer = BytesIO()
    nothing = dict.fromkeys(["CreationDate", "Producer", "Creator"])
    dropped = subset.Options._drop_tables_default
    # fontTools need not subset the tables for kerning and ligatures, because the PDF places every glyph by itself.
    # Subsetting them takes half of the time that a PDF costs.
    subset.Options._drop_tables_default = [*dropped, "GDEF", "GPOS", "GSUB"]
    try:
        with _Enlarged(buffer, {"Keywords": keywords, **nothing}, zoom) as pages:
            FigureCanvasPdf(fig).print_pdf(pages)
    finally:
        subset.Options._drop_tables_default = dropped  # a class attribute: other users keep their default
    return buffer.getvalue()


def in_print(fig: Figure, style: Style, description: str) -> dict[str, bytes]:
    """Return the files that style.toml asks for beside the PDF, by suffix; the figure may be opaque afterwards."""
    files = {}
    if {"png", "tiff"} & {*style.formats}:
        picture = drawn(fig, style.zoom, style.dpi)
        files = {"png": png(picture, style.dpi, description), "tiff": tiff(picture, style.dpi)}
    if "svg" in style.formats:
        files["svg"] = svg(fig, style.zoom, style.dpi, description)
    if "eps" in style.formats:  # last, because it removes transparency
        files["eps"] = eps(fig, style.zoom, style.dpi)
    return {suffix: content for suffix, content in files.items() if suffix in style.formats}


def svg(fig: Figure, zoom: float, dpi: float, description: str) -> bytes:
    fig.set_dpi(dpi * zoom)
    buffer = StringIO()
    metadata = {"Description": description, "Date": None, "Creator": None, "Type": None, "Format": None}
    FigureCanvasSVG(fig).print_svg(buffer, metadata=metadata)
    size = r'(<svg [^>]*?width=")([\d.]+)(pt" height=")([\d.]+)(pt")'
    return re.sub(
        size,
        lambda found: f"{found[1]}{float(found[2]) * zoom:g}{found[3]}{float(found[4]) * zoom:g}{found[5]}",
        buffer.getvalue(),
        count=1,
    ).encode()


def eps(fig: Figure, zoom: float, dpi: float) -> bytes:
    """Return a figure as encapsulated PostScript, which has no transparency; the figure is opaque afterwards."""
    _make_opaque(fig)
    fig.set_dpi(dpi * zoom)
    buffer = StringIO()
    FigureCanvasPS(fig).print_eps(buffer, metadata={"Creator": "coldbond"})
    width, height = (72 * zoom * inches for inches in fig.get_size_inches())
    text = re.sub("%%CreationDate.*\n", "", buffer.getvalue(), count=1)
    text = re.sub("%%BoundingBox:.*", f"%%BoundingBox: 0 0 {ceil(width)} {ceil(height)}", text, count=1)
    text = re.sub("%%HiResBoundingBox:.*", f"%%HiResBoundingBox: 0 0 {width:.6f} {height:.6f}", text, count=1)
    return re.sub(r"(\n%%EndProlog\nmpldict begin\n)", rf"\g<1>{zoom:g} dup scale\n", text, count=1).encode("latin-1")


def _make_opaque(fig: Figure) -> None:
    """Give each partly transparent artist the colour that it has on white."""
    for artist in fig.findobj(lambda one: isinstance(one, (Patch, Collection, Line2D, Text))):
        names = ["color"] if isinstance(artist, (Line2D, Text)) else ["facecolor", "edgecolor"]
        names += ["markerfacecolor", "markeredgecolor"] if isinstance(artist, Line2D) else []
        colors = {name: to_rgba_array(getattr(artist, f"get_{name}")(), artist.get_alpha()) for name in names}
        artist.set_alpha(None)
        for name, rgba in colors.items():
            alpha = rgba[:, 3:]
            rgba[:, :3] = rgba[:, :3] * alpha + 1 - alpha
            rgba[:, 3:] = alpha > 0  # what is not drawn stays so
            one = tuple(rgba[0]) if len(rgba) else "none"
            getattr(artist, f"set_{name}")(rgba if isinstance(artist, Collection) else one)


def show(picture: Image.Image, zoom: float) -> None:
    """Show a picture in a notebook, at the size of print with the design's font size."""
    try:
        from IPython import display, get_ipython
    except ImportError:
        return
    if get_ipython() is not None:
        display.display(display.Image(png(picture), width=round(picture.width / SCREEN / zoom * 96)))
