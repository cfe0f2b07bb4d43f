"""What a folder of built figures holds, for the site and the report."""

import csv
import json

import pytest

from coldbond.bundle import findings
from coldbond.bundle.paths import ROOT
from coldbond.interval import Interval
from coldbond.publish import contents


@pytest.fixture(scope="module")
def bundle():
    return contents.load(ROOT / "raw", ROOT / "figures")


@pytest.fixture(scope="module")
def of(bundle):
    return {figure.name: figure for figure in bundle.figures}


def test_every_figure_of_the_bundle_has_a_title_a_caption_and_numbers(bundle):
    assert bundle.is_own and not bundle.skipped and not bundle.not_drawn and not bundle.unusable
    for figure in bundle.figures:
        assert figure.number.startswith("Figure") and figure.title and not figure.title.startswith("#"), figure.name
        assert figure.caption and figure.drawing and figure.numbers and figure.parameters, figure.name
        assert figure.recordings and figure.picture.is_file(), figure.name
        assert all(parameter.meaning for parameter in figure.parameters), figure.name


def test_further_figures_of_a_notebook_have_their_own_number(of):
    assert (of["fig4b"].number, of["figS16"].number) == ("Figure 4b", "Figure S16")
    assert of["fig4b"].title == of["figS16"].title == "Critical current density"
    assert of["figS16"].variant == "Figure S16 is this notebook with the sample HT-MCL-LLZ."
    assert not of["fig4b"].variant and "Figure S16" not in of["fig4b"].caption
    assert (of["fig4b"].samples, of["figS16"].samples) == (("LLZ", "In-LLZ", "RT-MCL-LLZ"), ("HT-MCL-LLZ",))


def test_samples_are_those_that_the_figure_cannot_be_drawn_without(of):
    assert of["figS19"].samples == ("RT-MCL-LLZ",)  # and a pellet of LLZ
    assert of["figS2"].samples == ("LLZ-powder", "LLZ")  # the order of the figure, not of the manifest


def test_parameters_have_the_value_of_the_figure_and_that_of_the_notebook(of):
    panel = next(one for one in of["figS18"].parameters if one.name == "panel")
    assert (panel.value, panel.default) == ('"polarization"', '"capacity"')


def test_recordings_are_told_by_the_manifest_with_hash_and_constants(of):
    first = of["fig4b"].recordings[0]
    assert first["file"] == "cycling/ccd-LLZ.csv" and first["origin"] == "synthetic"
    assert first["area_cm2"] == "0.785" and len(first["sha256"]) == 64
    assert of["fig4b"].origins == ("synthetic",) and of["fig3a"].origins == ("computed",)


@pytest.mark.parametrize(
    ("value", "text", "interval"),
    [
        (Interval(55.23, 55.01, 55.44), "55.23", "55.01 to 55.44"),
        (Interval(None, 2000.17, None), "—", "at least 2000.17"),
        (Interval(None, None, 0.35), "—", "at most 0.35"),
        (True, "yes", ""),
        (None, "—", ""),
    ],
)
def test_numbers_have_the_digits_of_the_notebooks_tables(value, text, interval):
    row = findings.finding("charge_passed", value, "mAh", sample="A", state="cycle 1", replicate="2", note="why")
    number = contents.number_of(row)
    assert (number.value, number.interval) == (text, interval)
    assert number.value == findings.table([row])["value"].iloc[0]
    assert (number.quantity, number.condition) == ("charge passed", "A, cycle 1, replicate 2")
    assert number.note == findings.rendered(row) == "why"


def folder(tmp_path, **numbers):
    """A folder of recordings with one cell of role ccd, and its built figure."""
    raw, out = tmp_path / "mine", tmp_path / "out"
    (out / "source_data").mkdir(parents=True)
    raw.mkdir()
    (raw / "a.csv").write_text("x")
    (raw / "manifest.csv").write_text("file,role,sample,area_cm2\na.csv,ccd,A,0.5\nb.csv,ccd,B,1\n")
    figure = {"figure": "fig4b", "notebook": "fig4b_ccd", "parameters": {"samples": [], "retained": 0.7}, "values": []}
    figure |= {"inputs": {"a.csv": "0" * 64, "structures/x.cif": "1" * 64}} | numbers
    (out / "fig4b.json").write_text(json.dumps(figure))
    return raw, out


def test_other_recordings(tmp_path):
    left_out = {"file": "b.csv", "sample": "B", "state": "", "replicate": "", "reason": "there is no b.csv"}
    raw, out = folder(tmp_path, left_out=[left_out])
    rows = [
        ["file", "panel", "series", "drawn_as"],
        ["fig4b_i.csv", "i", "A, voltage", "line"],
        ["fig4b_i.csv", "i", "A, current", "line"],
        ["fig4b_gone.csv", "", "gone", "table"],
    ]
    with (out / "source_data" / "fig4b_contents.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    (out / "source_data" / "fig4b_i.csv").write_text("")
    found = contents.load(raw, out)
    assert not found.is_own
    (figure,) = found.figures
    assert [one["file"] for one in figure.recordings] == ["a.csv"] and figure.samples == ("A",)
    assert figure.recordings[0]["area_cm2"] == "0.5" and figure.recordings[0]["sha256"] == "0" * 64
    assert [*figure.inputs] == ["a.csv", "structures/x.cif"]
    assert figure.left_out == ["B (b.csv): there is no b.csv"]
    assert [(one.path.name, one.what.split(",")[0]) for one in figure.source_data] == [
        ("fig4b_i.csv", "panel i: A"),
        ("fig4b_contents.csv", "the columns of these files"),
    ]
    assert found.skipped["figS16"] == ["ccd:HT-MCL-LLZ"] and "fig4b" not in found.skipped
    assert len(found.unusable) == 1 and "b.csv" in found.unusable[0]


def test_a_figure_that_could_not_be_drawn_has_its_reason(tmp_path):
    raw, out = folder(tmp_path, not_drawn="no recording is left")
    found = contents.load(raw, out)
    assert not found.figures and found.not_drawn == {"fig4b": "no recording is left"}


def test_a_figure_that_is_not_built_is_an_error_with_the_command(tmp_path):
    raw, out = folder(tmp_path)
    (out / "fig4b.json").unlink()
    with pytest.raises(contents.ContentsError, match=r"fig4b\.json: there is no such file: run make figures RAW="):
        contents.load(raw, out)
    (out / "fig4b.json").write_text("{")
    with pytest.raises(contents.ContentsError, match=r"fig4b\.json is not JSON .*: delete it and run make figures"):
        contents.load(raw, out)
