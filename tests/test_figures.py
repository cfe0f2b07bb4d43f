"""Saved figures: reproducible bytes, embedded provenance, the synthetic stamp, and a colour for each sample."""

import json
import re
from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from cells import galvanostatic
from coldbond.bundle import figures, paths, pictures, style
from coldbond.bundle.findings import finding
from coldbond.interval import Interval


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "FIGURES", tmp_path)
    return tmp_path


def saved(folder, origin="measured", name="fig", sample=""):
    recording = galvanostatic([0.1], origin=origin, file="cycling/a.csv", sha256="ab")
    with figures.new("double", 50) as fig:
        ax = fig.subplots()
        ax.plot(recording.time, recording.voltage)
        ax.set_title(sample)
    values = [finding("ccd", Interval(0.2, 0.2, 0.3), "mA/cm2")]
    figures.save(
        fig, name, notebook="fig4b_ccd", parameters={"b": [1], "a": 2}, values=values, recordings={"A": recording}
    )
    found = {path.suffix: path for path in sorted(folder.glob(f"{name}.*"))}
    return found | {f"print{path.suffix}": path for path in sorted(folder.glob(f"print/{name}.*"))}


def test_same_input_gives_the_same_bytes(folder):
    first = {suffix: path.read_bytes() for suffix, path in saved(folder).items()}
    second = {suffix: path.read_bytes() for suffix, path in saved(folder).items()}
    assert set(first) == {".png", ".pdf", ".json"}
    assert first == second


@pytest.fixture
def styled(tmp_path, monkeypatch):
    """Write a style.toml, which `style_file` then reads for the recordings."""

    def write(text):
        raw = tmp_path / f"raw{len(list(tmp_path.iterdir()))}"
        raw.mkdir()
        (raw / "manifest.csv").write_text("file,role,sample\na.csv,ccd,A\n")
        (raw / "a.csv").touch()
        (raw / "style.toml").write_text(text)
        monkeypatch.setattr(paths, "RAW", raw)

    return write


def size_of_pdf(content):
    return [float(number) for number in re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+)", content).groups()]


def test_formats_are_written_at_the_size_of_print_and_are_the_same_every_time(folder, styled):
    styled('formats = ["svg", "eps", "png", "tiff"]\ndpi = 300\n[print]\ndouble = 120\nfont_size = 6\n')
    first = {suffix: path.read_bytes() for suffix, path in saved(folder, "synthetic").items()}
    assert set(first) == {".png", ".pdf", ".json", "print.svg", "print.eps", "print.png", "print.tiff"}
    assert {suffix: path.read_bytes() for suffix, path in saved(folder, "synthetic").items()} == first
    width, height = 120 / 25.4 * 72, 50 * 120 / 183 / 25.4 * 72
    assert size_of_pdf(first[".pdf"]) == pytest.approx([width, height], abs=0.01)
    svg = re.search(rb'width="([\d.]+)pt" height="([\d.]+)pt"', first["print.svg"])
    assert [float(number) for number in svg.groups()] == pytest.approx([width, height], abs=0.01)
    box = re.search(rb"%%HiResBoundingBox: 0 0 ([\d.]+) ([\d.]+)", first["print.eps"])
    assert [float(number) for number in box.groups()] == pytest.approx([width, height], abs=0.01)
    for suffix, dpi in ((".png", 140), ("print.png", 300), ("print.tiff", 300)):
        with Image.open(BytesIO(first[suffix])) as image:
            assert image.size == pytest.approx((width / 72 * dpi, height / 72 * dpi), abs=1)
            assert image.info["dpi"] == pytest.approx((dpi, dpi), rel=1e-3)
    assert not re.search(rb"CreationDate|<dc:date>|Matplotlib v", first["print.svg"] + first["print.eps"])


def test_letters_grow_with_the_font_size(folder, styled):
    """The height of the same word in the picture for print, at one width of the page."""
    heights = []
    for font_size in (7, 9):
        styled(f'formats = ["png"]\n[print]\ndouble = 183\nfont_size = {font_size}\n')
        saved(folder, sample="HHHH")
        with Image.open(folder / "print" / "fig.png") as image:
            rows = np.flatnonzero((np.asarray(image.convert("L"))[:200] < 128).any(axis=1))
        heights.append(np.diff(np.flatnonzero(np.diff(rows) > 1)[:1], prepend=-1)[0])
    assert heights[1] / heights[0] == pytest.approx(9 / 7, abs=0.05)


def test_eps_has_the_colours_that_transparent_ones_have_on_white(folder, styled):
    styled('formats = ["eps"]')
    with figures.new() as fig:
        fig.subplots().fill_between([0, 1], [0, 0], [1, 1], color="#0072B2", alpha=0.3)
    recording = galvanostatic([0.1], origin="measured", file="a.csv", sha256="ab")
    figures.save(fig, "fig", notebook="n", parameters={}, values=[], recordings={"A": recording})
    seen = [1 - 0.3 * (1 - int(channel, 16) / 255) for channel in ("00", "72", "B2")]
    text = (folder / "print" / "fig.eps").read_text("latin-1")
    colors = [[float(number) for number in line.split()[:3]] for line in re.findall(".* setrgbcolor", text)]
    assert any(color == pytest.approx(seen, abs=2e-3) for color in colors)


def test_letters_are_as_wide_on_the_screen_as_in_print():
    """The layout is solved once, for all files."""
    with figures.new("double", 50) as fig:
        text = fig.text(0, 0.5, "In has the most negative reaction energy with Li of the metals")
        widths = []
        for dpi in (72, 150, 600):
            pictures.drawn(fig, 1, dpi)
            widths.append(text.get_window_extent().width / dpi)
    assert max(widths) / min(widths) < 1.003


@pytest.fixture
def blends():
    """Five colours in all blends with white, as at the edges of letters and lines, and a colour of few pixels."""
    x = np.linspace(0, 1, 1000) ** 3  # some blends are more frequent
    picture = np.full((600, 1000, 3), 255.0)
    for row, color in enumerate(["#000000", "#56B4E9", "#E69F00", "#D55E00", "#0072B2"]):
        rgb = np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)])
        picture[100 * row : 100 * row + 90] = 255 - x[:, None] * (255 - rgb)
    picture[550, :20] = [176, 0, 32]
    return picture.astype(np.uint8)


def test_the_picture_for_the_screen_has_a_palette_and_keeps_its_colours(blends):
    small = pictures.for_screen(Image.fromarray(blends))
    assert len(small.getcolors()) <= 192
    seen = np.asarray(small.convert("RGB")).astype(int)
    assert np.abs(seen - blends).max() <= 32
    assert (seen[580] == 255).all()


def test_a_few_pixels_that_are_rounded_otherwise_leave_the_palette_as_it_is(blends):
    other = blends.copy()
    other[::60, ::60] ^= 1
    both = [np.asarray(pictures.for_screen(Image.fromarray(one)).convert("RGB"), float) for one in (blends, other)]
    assert np.sqrt(np.mean((both[0] - both[1]) ** 2)) < 0.5  # .ci/compare_figures.py allows 1.0


@pytest.mark.parametrize("path", sorted((paths.ROOT / "figures").glob("*.png")), ids=lambda path: path.stem)
def test_git_holds_small_pictures(path):
    assert path.stat().st_size <= 160_000


def test_provenance_is_in_the_pictures_and_the_numbers(folder):
    files = saved(folder)
    numbers = json.loads(files[".json"].read_text())
    assert numbers["inputs"] == {"cycling/a.csv": "ab"}
    assert numbers["parameters"] == {"a": 2, "b": [1]}
    embedded = json.loads(Image.open(files[".png"]).text["Description"])
    assert embedded["inputs"] == numbers["inputs"]
    assert embedded["coldbond"]
    assert b"cycling/a.csv" in files[".pdf"].read_bytes()
    assert not {b"CreationDate", b"Producer"} & set(files[".pdf"].read_bytes().split())


def test_the_stamp_follows_the_origin(folder):
    measured = np.asarray(Image.open(saved(folder, "measured")[".png"]).convert("RGB")).astype(int)
    synthetic = np.asarray(Image.open(saved(folder, "synthetic")[".png"]).convert("RGB")).astype(int)
    red = [(image[..., 0] - image[..., 1:].max(axis=-1) > 100).sum() for image in (measured, synthetic)]
    assert red[0] == 0
    assert red[1] > 100


def test_width_is_that_of_a_journal_column(folder):
    with Image.open(saved(folder)[".png"]) as image:
        assert image.width == pytest.approx(183 / 25.4 * 140, abs=1)


def test_the_layout_is_solved_once_and_fonts_are_embedded_once_as_truetype(folder, monkeypatch):
    solved, solve = [], ConstrainedLayoutEngine.execute
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", lambda *of: solved.append(of) or solve(*of))
    pdf = saved(folder, sample="−τ– ≤ Ω")[".pdf"].read_bytes()
    assert len(solved) == 1
    assert pdf.count(b"/FontFile2") == 1
    assert b"/Type3" not in pdf


def test_no_partial_file_is_left_when_drawing_fails(folder, monkeypatch):
    monkeypatch.setattr(pictures, "show", lambda *of: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        saved(folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("names", [["A", "LLZ", "B", "C"], [*"ABCDEFGHIJKL"]])
def test_every_sample_has_a_colour_of_its_own(tmp_path, monkeypatch, names):
    header = "file,technique,role,sample,state,origin,sha256,area_cm2,thickness_cm,active_mass_mg,temperature_C,note\n"
    rows = [f"{i}.csv,cycling,ccd,{name},,measured,,,,,,\n" for i, name in enumerate(names)]
    (tmp_path / "manifest.csv").write_text(header + "".join(rows))
    for i in range(len(names)):
        (tmp_path / f"{i}.csv").touch()
    monkeypatch.setattr(paths, "RAW", tmp_path)
    colors = [style.color(name) for name in {*names, "RT-MCL-LLZ", "not in the manifest"}]
    assert len(set(colors)) == len(names) + 2
    assert style.color("LLZ") == "#000000"


def test_powers_of_ten_are_plain_text():
    axis = Figure().subplots().yaxis
    style.powers_of_ten(axis)
    assert [axis.get_major_formatter()(value, 0) for value in (1e-12, 0.1, 0.9999999999, 1e3)] == [
        "10⁻¹²", "10⁻¹", "10⁰", "10³",
    ]  # fmt: skip


def test_units_in_labels_have_exponents_and_a_dollar_is_no_formula():
    assert style.label("Li$3N, 0.5 mA/cm2") == r"Li\$3N, 0.5 mA cm⁻²"


def test_panels_are_numbered_and_a_single_one_is_not():
    axes = Figure().subplots(20)
    style.letters(axes)
    assert [ax.get_title(loc="left") for ax in axes[:6]] == ["i", "ii", "iii", "iv", "v", "vi"]
    assert [axes[n - 1].get_title(loc="left") for n in (9, 14, 19, 20)] == ["ix", "xiv", "xix", "xx"]
    one = Figure().subplots()
    style.letters([one])
    assert one.get_title(loc="left") == ""
