"""What stands on the edge of a figure about recordings that are left out."""

import json

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from cells import galvanostatic
from coldbond.bundle import figures, margin, paths
from coldbond.bundle.raw import Reason, Recordings

LOST = {"file": "cells/second batch/ccd 3.csv", "sample": "In-LLZ", "state": "pristine", "replicate": "2"}
WHY = "its analysis failed: $x$ the voltage NEVER EXCEEDS THE RESOLUTION of the channel; measure at a higher current "


def figure(width="single"):
    with figures.new(width, 60) as fig:
        fig.subplots().plot([0, 1])
    return fig


def drawn(fig):
    fig.set_dpi(300)  # glyphs are as wide as whole pixels
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    return canvas.get_renderer()


@pytest.mark.parametrize("width", ["single", "double"])
@pytest.mark.parametrize(("count", "why"), [(1, WHY), (20, 5 * WHY), (3, "数" * 90), (1, "M" * 300)])
@pytest.mark.filterwarnings("ignore:Glyph")
def test_the_text_lies_below_the_axes_and_inside_the_figure(width, count, why):
    before, fig = figure(width), figure(width)
    old = before.axes[0].get_tightbbox(drawn(before))
    margin.name_left_out(fig, [LOST | {"reason": why}] * count)
    renderer = drawn(fig)
    (text,) = fig.texts
    box, axes = text.get_window_extent(renderer), fig.axes[0].get_tightbbox(renderer)
    assert box.x0 > 0 and box.x1 < fig.bbox.x1
    assert box.y0 > 0 and box.y1 < axes.y0
    assert axes.height == pytest.approx(old.height, rel=0.02)  # the figure grows, its axes keep their size
    shown = text.get_text().replace("\n", " ")
    assert shown.count("Left out: In-LLZ, pristine, replicate 2 (cells/second batch/ccd 3.csv): ") == min(count, 8)
    assert ("Left out: 12 more recordings, see the .json file" in shown) == (count == 20)


def test_saved_figures_name_what_is_left_out_and_no_others_have_the_key(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "FIGURES", tmp_path)
    cell = galvanostatic([0.1], origin="synthetic", file="a.csv", sha256="ab")
    heights = {}
    for name, left_out in {"whole": {}, "lacks": {"In-LLZ": Reason(WHY, LOST)}}.items():
        recordings = Recordings({"A": cell}, left_out)
        figures.save(figure(), name, notebook="x", parameters={}, values=[], recordings=recordings)
        heights[name] = np.asarray(Image.open(tmp_path / f"{name}.png")).shape[0]
    assert "left_out" not in json.loads((tmp_path / "whole.json").read_text())
    assert json.loads((tmp_path / "lacks.json").read_text())["left_out"] == [LOST | {"reason": WHY}]
    assert heights["lacks"] > heights["whole"]
