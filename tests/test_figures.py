"""Saved figures: reproducible bytes, embedded provenance, the synthetic stamp, and a colour for each sample."""

import json

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
    return {path.suffix: path for path in sorted(folder.glob(f"{name}.*"))}


def test_same_input_gives_the_same_bytes(folder):
    first = {suffix: path.read_bytes() for suffix, path in saved(folder).items()}
    second = {suffix: path.read_bytes() for suffix, path in saved(folder).items()}
    assert set(first) == {".png", ".pdf", ".json"}
    assert first == second


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
        assert image.width == pytest.approx(183 / 25.4 * 150, abs=1)


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
