"""The report: what it says, that names of a group's recordings are printed as they are, and that nothing is cut off."""

import json
import re
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("typst", reason="make test-publish runs these")

from PIL import Image

import coldbond
from built_figures import PYTHON, built, one_figure, write_pdf
from coldbond.publish import report
from coldbond.publish.contents import load
from coldbond.publish.printable import BREAK, Printable

ROOT = Path(__file__).parents[1]
MARGIN = 13.5  # mm


@pytest.fixture(scope="module")
def of_the_bundle(tmp_path_factory) -> dict:
    out = tmp_path_factory.mktemp("figures")
    built(ROOT / "raw", out)
    text, pictures = report.document(load(ROOT / "raw", out), Printable())
    assert all(path.is_file() for path in pictures.values())
    return text


@pytest.fixture
def group(tmp_path) -> tuple[Path, Path]:
    return one_figure(tmp_path)


def plain(value) -> str:
    """Return all that is said, without the places where a line may be broken."""
    return json.dumps(value, ensure_ascii=False).replace(BREAK, "")


def test_every_figure_stands_with_its_caption_numbers_and_parameters(of_the_bundle):
    figures = of_the_bundle["figures"]
    names = [path.stem for path in (ROOT / "figures").glob("*.json") if path.stem != "claims"]
    assert sorted(figure["file"] for figure in figures) == sorted(f"{name}.pdf" for name in names)
    for figure in figures:
        numbers = json.loads((ROOT / "figures" / figure["file"]).with_suffix(".json").read_text(encoding="utf-8"))
        assert len(figure["numbers"]) == len(numbers["values"])
        assert len(figure["parameters"]) == len(numbers["parameters"]) - ("figure" in numbers["parameters"])
        assert figure["caption"] and figure["title"].startswith("Figure")
    (ccd,) = (figure for figure in figures if figure["file"] == "fig4b.pdf")
    assert ccd["numbers"][0][:5] == ["critical current density", "LLZ, pristine", "0.200", "0.200 to 0.300", "mA/cm2"]
    (raman,) = (figure for figure in figures if figure["file"] == "fig2g.pdf")
    assert raman["numbers"][0][2].startswith("−0.2")  # a minus sign, not a hyphen
    assert {parameter[3] for parameter in raman["parameters"]} == {"the same"}  # also in another order


def test_the_statements_are_those_of_the_claims_table_by_group(of_the_bundle):
    listed = json.loads((ROOT / "figures" / "claims.json").read_text(encoding="utf-8"))["values"]
    said = of_the_bundle["statements"]
    assert said["text"].startswith(f"{len(listed)} statements")
    assert sum(len(group["rows"]) for group in said["groups"]) == len(listed)
    outside, recovered, *_ = said["groups"]
    assert "test of the analysis" in recovered["title"] and {row[4] for row in recovered["rows"]} == {"recovered"}
    assert "recovered" not in {row[4] for row in outside["rows"]}
    assert said["file"] == "claims.pdf"


def test_it_says_that_data_are_synthetic_what_was_left_out_and_which_choices_matter(of_the_bundle):
    assert [heading for heading, _ in of_the_bundle["warnings"]] == ["Synthetic data."]
    assert of_the_bundle["warnings"][0][1].startswith("56 of 58 recordings were simulated")
    assert of_the_bundle["left-out"] == []
    runs = json.loads((ROOT / "figures" / "multiverse" / "multiverse.json").read_text(encoding="utf-8"))
    changed = [row for claim in runs["claims"].values() for row in claim["rows"] if row["alone"]]
    rows = of_the_bundle["choices"]["rows"]
    assert len(rows) >= len(changed) > 0 and all("of" in row[3] for row in rows)
    assert sum(row[4] != "none, several together only" for row in rows) == len(changed)


def test_runs_of_other_numbers_are_not_counted(tmp_path):
    built(ROOT / "raw", tmp_path)
    with (tmp_path / "fig2g.json").open("a") as file:
        file.write("\n")
    text, _ = report.document(load(ROOT / "raw", tmp_path), Printable())
    assert "fig2g" in text["choices"]["text"] and "fig2g" not in [row[1] for row in text["choices"]["rows"]]
    (tmp_path / "multiverse" / "multiverse.json").unlink()
    text, _ = report.document(load(ROOT / "raw", tmp_path), Printable())
    assert "make multiverse" in text["choices"]["text"]


def test_provenance_has_versions_and_hashes(of_the_bundle):
    versions = dict(of_the_bundle["provenance"]["versions"])
    assert versions["coldbond"] == coldbond.__version__ and versions["Python"] == PYTHON and "numpy" in versions
    inputs = json.loads((ROOT / "figures" / "fig4b.json").read_text(encoding="utf-8"))["inputs"]
    files = {file: (digest, names) for file, digest, names in of_the_bundle["provenance"]["files"]}
    files = {file.replace(BREAK, ""): value for file, value in files.items()}
    for file, digest in inputs.items():
        assert files[file][0].replace(BREAK, "") == digest and "fig4b" in files[file][1]


def headings(text: dict, pictures: dict) -> list[str]:
    found = json.loads(report.compiled(text, pictures, lambda compiler: compiler.query("heading")))
    return [one["body"]["text"].replace(BREAK, "") for one in found if "text" in one["body"]]


def test_names_are_printed_as_they_are_and_never_run(group):
    printable = Printable()
    text, pictures = report.document(load(*group), printable)
    assert any(
        one.startswith("Figure 4b. Critical current density: #set page(fill: red), @cite *β*")
        for one in headings(text, pictures)
    )
    said = plain(text)
    for part in ("cells #1/α ⟨U+8BB0 U+5F55⟩ 50%.csv", "b<i>$x$.csv", "#panic() $1^2$ @here <label> // ⟨U+4F4E⟩ ☃"):
        assert part in said
    assert printable.missing == set("记录电池低")
    (missing,) = (body for heading, body in text["warnings"] if heading.startswith("Characters"))
    assert missing.startswith("Its fonts lack 5") and "U+8BB0" in missing


def test_a_group_reads_what_was_left_out_and_not_the_papers_statements(group):
    text, _ = report.document(load(*group), Printable())
    left_out = [[name, why.replace(BREAK, "")] for name, why in text["left-out"]]
    assert ["fig4cd", "not drawn: In [3]: it has no <clock>"] in left_out
    assert ["fig4b", "it's $(broken) #1 (broken.csv): line 3: #eval(1)"] in left_out
    assert any(name == "fig2g" and "raman" in why for name, why in left_out)
    assert "not the same" not in plain(text) and "Synthetic data." not in plain(text["warnings"])
    assert "Chen" not in plain(text) and text["authors"] == []
    assert text["statements"]["text"].startswith("None is tested.") and text["statements"]["groups"] == []


def written(group: tuple[Path, Path], monkeypatch) -> int:
    raw, out = group
    monkeypatch.setattr("sys.argv", ["report", "--raw", str(raw), "--out", str(out)])
    return report.main()


def test_the_same_inputs_give_the_same_bytes_without_a_date(group, tmp_path, monkeypatch, capsys):
    assert written(group, monkeypatch) == 0
    assert "its fonts lack 低录池电记" in capsys.readouterr().err
    first = (group[1] / "report.pdf").read_bytes()
    other = tmp_path / "elsewhere"
    other.mkdir()
    for folder in group:
        shutil.copytree(folder, other / folder.name)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert written((other / group[0].name, other / group[1].name), monkeypatch) == 0
    assert (other / group[1].name / "report.pdf").read_bytes() == first
    assert first.startswith(b"%PDF-") and not re.search(rb"CreationDate|ModDate|CreateDate|ModifyDate", first)


def test_a_damaged_picture_is_named_and_the_report_stays(group, monkeypatch, capsys):
    assert written(group, monkeypatch) == 0
    before = (group[1] / "report.pdf").read_bytes()
    (group[1] / "fig4b.pdf").write_bytes(b"%PDF-1.4 cut")
    capsys.readouterr()
    assert written(group, monkeypatch) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "report.pdf is not written: " in said and "run make figures" in said
    assert (group[1] / "report.pdf").read_bytes() == before


def test_nothing_reaches_into_the_margins(group):
    write_pdf(group[1] / "fig4b.pdf", 300, 40, fill="black")  # wider than the page
    pages = report.compiled(*report.document(load(*group), Printable()), lambda one: one.compile(format="png", ppi=50))
    assert len(pages) > 4
    inked = []
    for page in pages:
        ink = np.asarray(Image.open(BytesIO(page)).convert("L")) < 250
        margin = int(MARGIN / 25.4 * 50) - 1
        assert not ink[:, :margin].any() and not ink[:, -margin:].any() and not ink[-10:].any()
        inked.append(ink[:, margin:-margin].any(axis=0).sum())
    assert max(inked) > 180 / 25.4 * 50  # the picture has the width of the text


def test_captions_lose_nothing():
    printable = Printable()
    notebooks = sorted((ROOT / "notebooks").glob("fig*.ipynb"))
    for notebook in notebooks:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        for text in ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"):
            body = text.partition("\n")[2]
            runs = "".join(run["text"] for paragraph in printable.markdown(body) for run in paragraph)
            assert re.sub(rf"[][\s{BREAK}]", "", runs) == re.sub(r"[][\s*`]", "", body)
    assert notebooks and not printable.missing


@pytest.mark.parametrize(
    ("markdown", "runs"),
    [
        ("a **b** *c* `d`", ["a ", "b", " ", "c", " ", "d"]),
        ("see [this](https://x.org)", ["see ", "this", " (https://x.org)"]),
        ("<b>x</b>", ["<b>", "x", "</b>"]),
    ],
)
def test_markdown_becomes_runs(markdown, runs):
    (paragraph,) = Printable().markdown(markdown)
    assert [run["text"].replace(BREAK, "") for run in paragraph] == runs


def test_a_long_word_can_be_broken_and_a_short_one_cannot():
    printable = Printable()
    assert printable("mA/cm2") == "mA/cm2"
    assert printable("cycling/long-RT-MCL.xlsx") == BREAK.join(["cycling/", "long-", "RT-", "MCL.", "xlsx"])
    assert max(map(len, printable("x" * 100).split(BREAK))) == 24
    assert printable("bell\x07 \ud800") == "bell⟨U+0007⟩ ⟨U+D800⟩"
