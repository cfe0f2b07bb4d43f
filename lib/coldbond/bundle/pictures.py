"""A drawn figure as the bytes of its files, and shown in a notebook."""

from io import BytesIO

import numpy as np
from fontTools import subset
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from coldbond.bundle.style import DPI


def drawn(fig: Figure) -> Image.Image:
    """Draw a figure as an image, and keep its layout for the PDF: solving it again takes as long as drawing."""
    fig.set_dpi(DPI)
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    fig.set_layout_engine("none")
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def png(picture: Image.Image, dpi: float, description: str = "") -> bytes:
    texts = PngInfo()
    if description:
        texts.add_text("Description", description)
    buffer = BytesIO()
    # Level 3 of 9: level 6, the default, is slower by a third.
    picture.save(buffer, "png", dpi=(dpi, dpi), pnginfo=texts, compress_level=3)
    return buffer.getvalue()


def pdf(fig: Figure, keywords: str) -> bytes:
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


def show(picture: Image.Image) -> None:
    try:
        from IPython import display, get_ipython
    except ImportError:
        return
    if get_ipython() is not None:
        small = png(picture.reduce(2), DPI / 2)
        display.display(display.Image(small, width=round(picture.width / DPI * 96)))
