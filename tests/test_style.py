"""style.toml: what it changes, and the errors that name file, key and what is known."""

import pytest
from matplotlib.colors import to_hex

from coldbond.bundle import paths, raw, style, style_file

SAMPLES = ("LLZ", "A", "B")
ROOT = paths.ROOT / "style.toml"


@pytest.fixture
def styled(tmp_path, monkeypatch):
    def write(text: str | bytes, samples=SAMPLES):
        folder = tmp_path / f"raw{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        lines = [f"{name}.csv,cycling,ccd,{name}\n" for name in samples]
        (folder / "manifest.csv").write_text("file,technique,role,sample\n" + "".join(lines))
        for name in samples:
            (folder / f"{name}.csv").touch()
        (folder / "style.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        monkeypatch.setattr(paths, "RAW", folder)
        return folder / "style.toml"

    return write


def test_the_bundle_has_every_key_and_the_design(monkeypatch):
    monkeypatch.setattr(paths, "RAW", paths.ROOT / "raw")
    chosen = style_file.current()
    assert (dict(chosen.widths), chosen.zoom, chosen.formats) == (style_file.DESIGN, 1.0, ("pdf",))
    assert style.color("LLZ") == "#000000"
    assert style.rc()["font.family"][0] == "DejaVu Sans"


def test_a_file_changes_the_lines_that_it_has(styled):
    styled('preset = "slides"\n[colors]\nA = "tab:blue"\n[labels]\nA = "bare $1"\n[print]\nsingle = 85\n')
    assert style.color("A") == to_hex("tab:blue")
    assert style.color("LLZ") == "#000000"
    assert style.color("B") == "#009e73"  # the first of the palette
    assert style.label("A, 0.5 mA/cm2") == r"bare \$1, 0.5 mA cm⁻²"
    assert style.label("AB") == "AB"
    chosen = style_file.current()
    assert chosen.widths["double"] == 330
    assert chosen.zoom == 13 / 7


def test_a_colour_that_is_given_away_is_no_longer_in_the_palette(styled):
    styled('[colors]\nA = "#009E73"\n')
    assert style.color("B") != style.color("A")


def test_samples_come_in_the_order_of_the_style(styled, monkeypatch):
    styled('order = ["B", "LLZ"]')
    monkeypatch.setattr(raw, "recording", lambda row: row["sample"])
    assert list(raw.recordings("ccd")) == ["B", "LLZ", "A"]
    assert list(raw.recordings("ccd", ["A", "B"])) == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('colours = ""', "colours: no such key: did you mean colors? Known are preset, formats, dpi, font, order, "),
        ("[print]\nwidth = 80", "print.width: no such key: Known are single, double, font_size"),
        ('preset = "slide"', "preset: 'slide' is no preset: did you mean slides? Known are print, slides"),
        ('formats = ["pdf", "jpeg"]', "formats: 'jpeg' is no format: Known are pdf, svg, eps, png, tiff"),
        ("dpi = 50", "dpi: 50 is no number from 72 to 1200"),
        ('dpi = "300"', "dpi: '300' is no number from 72 to 1200"),
        ("dpi = nan", "dpi: nan is no number from 72 to 1200"),
        ('font = "DejaVu San"', "font: 'DejaVu San' is not installed: did you mean DejaVu Sans? Known are "),
        ("font = []", "font: no font is given: name one"),
        ('[colors]\nB = "navvy"', "colors.B: 'navvy' is no colour: did you mean navy? Known are "),
        ('[colors]\nB = "#12345"', "colors.B: '#12345' is no colour: write \"#\" and six digits from 0 to f"),
        ('[colors]\nB = "#12345678"', "colors.B: '#12345678' is no colour: "),
        ('[colors]\nB = "none"', "colors.B: 'none' is no colour: "),
        ("[colors]\nB = 3", 'colors.B: 3 is no text: write it as "..."; '),
        ('[colors]\nA.1 = "red"', "colors.A: {'1': 'red'} is no text: "),
        ('[colors]\nLLZZ = "red"', "colors.LLZZ: the manifest lists no such sample: did you mean LLZ? Known are "),
        ('order = ["A", "C"]', "order, C: the manifest lists no such sample: Known are LLZ, A, B"),
        ('order = ["A", "A"]', "order: 'A' stands there twice"),
        ('colors = "red"', "colors: 'red' is no table: write [colors], and its keys in the lines below"),
        ("labels = 1\nlabels = 2", "not TOML in UTF-8: "),
        (b"\xff", "not TOML in UTF-8: "),
        ("[print]\nsingle = 50", "[print]: panels do not fit into single = 50 mm with font_size = 7: use at most 5.2"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_file_and_key(styled, text, said):
    path = styled(text)
    with pytest.raises(style_file.StyleError) as error:
        style.color("A")
    where, _, what = str(error.value).partition(": " if said.startswith("not TOML") else ", ")
    assert where == str(path)
    assert what.startswith(said)


def test_a_folder_without_a_manifest_or_a_style_has_that_of_the_bundle(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RAW", tmp_path)
    assert style_file.current() == style_file.read(paths.ROOT / "raw")
    (tmp_path / "style.toml").write_text('[colors]\nany = "red"')
    assert style.color("any") == "#ff0000"
