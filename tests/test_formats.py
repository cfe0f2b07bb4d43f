"""The registry of formats, and the pages that are made of it."""

import re
import runpy

import pytest

import of_others
from coldbond import read
from coldbond.bundle import paths
from coldbond.files import FORMATS

CHECKED = [(form, checked) for form in FORMATS for checked in form.checked]


def test_the_page_is_that_of_the_registry():
    page = runpy.run_path(str(paths.ROOT / "scripts" / "formats_page.py"))["page"]()
    assert (paths.ROOT / "docs" / "formats.md").read_text(encoding="utf-8") == page, "run make formats"


def test_every_format_says_what_the_page_needs():
    assert len({form.name for form in FORMATS}) == len(FORMATS)
    for form in FORMATS:
        assert form.name and form.vendors and form.techniques and form.extensions and form.reads
        assert all(extension == extension.lower() and extension.startswith(".") for extension in form.extensions)
        assert all(checked.licence and checked.against for checked in form.checked)


@pytest.mark.parametrize(("form", "checked"), CHECKED, ids=[checked.recording for _, checked in CHECKED])
def test_a_format_recognises_the_recordings_that_it_names(form, checked):
    data = of_others.file(checked.recording).read_bytes()
    plain_text = FORMATS[-1]
    found = [other.name for other in FORMATS if other.recognise(data) and other is not plain_text]
    assert found == ([] if form is plain_text else [form.name])


def test_the_example_of_the_contributors_guide_reads(tmp_path, monkeypatch):
    guide = (paths.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(\"\"\"Powder patterns of MyXRD.*?)```", guide, re.DOTALL)[1]
    assert example.count("\n") <= 35
    module: dict = {}
    exec(example, module)
    monkeypatch.setattr("coldbond.files.FORMATS", (module["FORMAT"], *FORMATS))
    path = tmp_path / "a.myx"
    path.write_text("#MyXRD\n1.5406\n" + "".join(f"{10 + i / 10} {i}\n" for i in range(9)))
    pattern = read(path)
    assert pattern.attrs["wavelength_kalpha1"] == 1.5406
    assert pattern.intensity.to_numpy().tolist() == list(range(9))
    path.write_text("#MyXRD\n1.5406\n10 1\n11\n")
    with pytest.raises(ValueError, match="line 4: not an angle and a count"):
        read(path)
