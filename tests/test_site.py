"""The pages of the site, before Sphinx makes HTML of them; tests/browser_site.py looks at the site itself."""

import dataclasses
import json
from html.parser import HTMLParser

import pytest

from coldbond.bundle.paths import ROOT
from coldbond.publish import contents
from coldbond.publish.site import api, figure_page, html, pages


@pytest.fixture(scope="module")
def bundle():
    return contents.load(ROOT / "raw", ROOT / "figures")


@pytest.fixture
def ccd(bundle):
    return next(figure for figure in bundle.figures if figure.name == "fig4b")


class Table(HTMLParser):
    """The rows of a table as lists of text."""

    def __init__(self, text):
        super().__init__()
        self.rows = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip("\n")


def test_numbers_stand_below_their_sample_with_interval_and_unit(ccd):
    rows = Table(figure_page.numbers(ccd.numbers)).rows
    start = rows.index(["RT-MCL-LLZ, pristine"])
    first = [text.strip() for text in rows[start + 1]]
    assert first[:3] == ["critical current density", "1.800 mA cm⁻²", "1.800 to 1.900 mA cm⁻²"]
    assert len(rows) == 1 + 3 + len(ccd.numbers)


def test_a_value_that_the_recordings_do_not_tell_has_no_unit(ccd):
    unknown = dataclasses.replace(ccd.numbers[0], value="—", interval="at least 0.2")
    row = [text.strip() for text in Table(figure_page.numbers([unknown])).rows[-1]]
    assert row[1:3] == ["—", "at least 0.2 mA cm⁻²"]


@pytest.mark.parametrize(
    ("unit", "shown"),
    [("mA/cm2", "mA cm⁻²"), ("ohm cm2", "Ω cm²"), ("1/cm", "cm⁻¹"), ("1", ""), ("angstrom", "Å"), ("%", "%")],
)
def test_units_are_those_of_the_figures(unit, shown):
    assert html.unit(unit) == shown


def test_html_in_a_page_is_escaped_and_has_no_empty_line(bundle, ccd):
    hostile = dataclasses.replace(ccd.numbers[0], quantity="<script>", sample="a\n\nb", note="<b>" + "x; " * 60)
    made = figure_page.numbers([hostile]) + figure_page.recordings([ccd.recordings[0] | {"sample": "<i>&"}])
    assert "<script>" not in made and "<i>&" not in made and "<b>x" not in made
    for figure in bundle.figures:
        assert "\n\n" not in figure_page.numbers(figure.numbers), figure.name


def test_a_doi_is_a_link_once():
    linked = "[doi 10.1063/1.2364884](https://doi.org/10.1063/1.2364884)"
    assert html.with_links("InN (Wang et al. 2006, doi 10.1063/1.2364884).") == f"InN (Wang et al. 2006, {linked})."
    assert html.with_links(linked) == linked


def test_a_page_has_the_steps_of_the_notebook_with_the_code_folded_and_no_picture_twice(ccd):
    page = figure_page.notebook(dataclasses.replace(ccd, executed=None), True, (800, 400))
    top, *steps = page["cells"]
    assert top["source"].startswith("# Figure 4b. Critical current density\n") and "fig4b.print.png" in top["source"]
    code = [cell for cell in steps if cell["cell_type"] == "code"]
    assert len(code) > 5 and all("hide-input" in cell["metadata"]["tags"] for cell in code)
    kinds = {kind for cell in code for output in cell["outputs"] for kind in output["data"]}
    assert kinds == {"text/plain", "text/html"}  # tables; the picture stands on top
    assert "### What follows" in [cell["source"].split("\n")[0] for cell in steps]


def test_messages_of_a_notebook_with_folders_of_the_machine_are_not_shown(ccd, tmp_path):
    executed = tmp_path / "fig4b.ipynb"
    notebook = json.loads(ccd.notebook.read_text(encoding="utf-8"))
    said = {"output_type": "stream", "name": "stderr", "text": ["Traceback: /home/somebody/cells"]}
    next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")["outputs"].append(said)
    notebook["metadata"]["papermill"] = {"input_path": "/home/somebody/notebooks"}
    notebook["cells"][2]["metadata"]["papermill"] = {"start_time": "2026-11-29"}
    executed.write_text(json.dumps(notebook))
    figure = dataclasses.replace(ccd, executed=executed)
    for page in (figure_page.notebook(figure, True, (800, 400)), figure_page.to_download(figure)):
        assert "somebody" not in json.dumps(page) and "papermill" not in json.dumps(page)


def test_figures_of_other_recordings_have_no_number_of_the_paper_and_name_what_is_left_out(ccd):
    figure = dataclasses.replace(ccd, left_out=["C (c.csv): it is empty"], origins=("measured",))
    source = figure_page.notebook(figure, False, (800, 400))["cells"][0]["source"]
    assert source.startswith("# Critical current density\n") and "C (c.csv): it is empty" in source
    assert "synthetic data" not in source


def test_a_parameter_that_differs_from_the_notebook_is_marked(bundle):
    figure = next(figure for figure in bundle.figures if figure.name == "figS18")
    rows = {row[0]: row[1:3] for row in Table(figure_page.parameters(figure)).rows}
    assert rows["panel"] == ['"polarization"', '"capacity"'] and rows["settling"][1] == ""


def test_the_first_page_lists_figures_and_documents(bundle):
    names = [f"docs/{path.stem}" for path in (ROOT / "docs").glob("*.md")]
    there = [*names, "recordings", *(f"figures/{figure.name}" for figure in bundle.figures)]
    home = pages.home(bundle, "coldbond", [*there, "docs/new"], [])
    assert all(f"{name}>" in home or f"\n{name}\n" in home for name in [*there, "docs/new"])
    assert "S16 Critical current density: HT-MCL-LLZ <figures/figS16>" in home
    assert home.count('<li><a href="figures/') == len(bundle.figures)


def test_what_could_not_be_used_is_on_the_first_page(bundle, ccd):
    figure = dataclasses.replace(ccd, left_out=["C (c.csv): it is empty"])
    found = dataclasses.replace(
        bundle,
        is_own=False,
        figures=[figure],
        not_drawn={"fig4f": "no cell is left"},
        skipped={"fig2g": ["raman"]},
        unusable=["manifest.csv, line 3: there is no d.csv"],
    )
    home = pages.home(found, "mine", ["recordings", "figures/fig4b"], [])
    for text in ("fig4b: left out: C (c.csv): it is empty", "fig4f is not drawn: no cell is left", "no d.csv", "raman"):
        assert text in home
    assert "adma" not in home and "Figure 4b" not in home


def test_choices_link_to_the_figures_of_the_site_only(bundle, ccd):
    page = pages.choices(dataclasses.replace(bundle, figures=[ccd]), {"ccd_llz": "the CCD of LLZ"})
    assert 'href="figures/fig4b.html"' in page and "figures/figS16.html" not in page
    assert "the CCD of LLZ" in page and "only a large loss is a short" in page


def test_the_api_has_the_functions_for_scripts_and_the_modules_that_notebooks_call():
    made = api.pages()
    assert ".. autofunction:: coldbond.critical_current_density" in made["api/index"]
    assert ".. automodule:: coldbond.cells.ccd" in made["api/cells"]
    assert not any(word in text for text in made.values() for word in (".plots", ".findings", "coldbond.bundle"))
    assert all(f"api/{name}" in made for name in api.TECHNIQUES)


def test_docstrings_are_read_as_they_are_meant():
    assert api.prepared("of |Z| at") == "of ``|Z|`` at"
    assert api.prepared("a, b : int\n    Both.\nc : str\n") == "a : int\n    Both.\nb : int\n    Both.\nc : str\n"
