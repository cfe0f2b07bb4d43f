"""docs/your-own-data.md: what it shows is what the commands print."""

import re
import sys
from pathlib import Path

import pytest
from PIL import Image

import coldbond
from coldbond.bundle import conditions, manifest, paths, raw, style_file
from coldbond.bundle.findings import whose
from coldbond.cells.findings import ccd as ccd_findings
from coldbond.cli import check, init, main, show
from twin import example

sys.path.insert(0, str(paths.ROOT / "scripts"))
import docs_pictures

PAGE = docs_pictures.PAGE.read_text(encoding="utf-8")
DATA = Path("my-data")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder above my-data after the second step, and what init printed."""
    folder = tmp_path_factory.mktemp("yours")
    printed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        example.write(DATA)
        init.run(DATA, printed.append)
        docs_pictures.fill_in(DATA)
    return folder, "\n".join(printed)


@pytest.fixture(autouse=True)
def in_folder(folder, monkeypatch):
    monkeypatch.chdir(folder[0])
    monkeypatch.setattr(paths, "RAW", DATA)


def test_init_prints_what_the_page_shows(folder):
    assert docs_pictures.block("init") in folder[1] + "\n"


def test_the_filled_manifest_is_what_the_page_describes():
    rows = manifest.load(DATA)
    assert not rows.unusable and len(rows.rows) == 25
    assert {row["sample"] for row in rows.rows} == {"bare", "coated"}
    assert all(row["area_cm2"] == "0.785" for row in rows.rows)


def test_check_prints_what_the_page_shows():
    assert docs_pictures.block("check") in check.report(check.check(DATA)) + "\n"


def test_the_comparison_is_that_of_the_page():
    cells = raw.recordings("ccd")
    assert list(cells.left_out) == ["coated, replicate 4"]
    values = [row | whose(one) for one in cells.values() for row in ccd_findings.findings({"": one})]
    (row,) = (one for one in conditions.findings(values) if one["quantity"] == "critical_current_density_over_bare")
    shown = "{quantity} of {sample}: {value} ({low} to {high}), {note}\n".format(**row)
    assert shown == docs_pictures.block("ratio")


def test_show_prints_what_the_page_shows():
    row, where, _ = show.listed(DATA / "CCD" / "coated cell 1.csv")
    text, analysed = show.show(row, where, None)
    assert analysed and docs_pictures.block("show") in "\n".join(text)


def test_the_two_lines_in_python_return_what_the_page_says():
    code = docs_pictures.block("python")
    *lines, last = code.strip().splitlines()
    names: dict = {}
    exec("\n".join(lines), names)
    assert str(eval(last.partition("#")[0], names)) == re.search(r"# (Interval\(.*?\))", last)[1]
    for name in re.findall(r"\| `(\w+)\(", PAGE):
        assert callable(getattr(coldbond, name))


def test_the_style_of_the_page_is_one():
    (DATA / "style.toml").write_text(docs_pictures.block("style"), encoding="utf-8")
    style_file.read.cache_clear()
    try:
        chosen = style_file.read(DATA)
        assert chosen.colors["coated"] == "#0072b2" and chosen.order == ("coated", "bare")
    finally:
        (DATA / "style.toml").unlink()
        style_file.read.cache_clear()


def test_commands_and_pictures_of_the_page_exist():
    assert {*re.findall(r"^    coldbond (\w+)", PAGE, re.MULTILINE)} == {*main.commands.commands}
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", PAGE)
    assert len(pictures) == 4
    for name in pictures:
        path = paths.ROOT / "docs" / name
        assert path.stat().st_size <= 150_000
        with Image.open(path) as picture:
            assert picture.width > 400
