"""What is committed: notebooks as `make notebooks` leaves them, figures made from what these and figures.toml say."""

import ast
import json

import nbformat
import pytest

from coldbond.build import figures_table
from coldbond.bundle import manifest, paths

# But for the claims table, which is made from the others: tests/test_claims_table.py.
FIGURES = [path for path in sorted((paths.ROOT / "figures").glob("*.json")) if path.stem != "claims"]
STORED = sorted(path for path in (paths.ROOT / "notebooks").glob("*.ipynb") if path.stem != "explore")


TABLE = figures_table.load()
ROWS = manifest.rows(paths.ROOT / "raw")
PLANS = figures_table.plan(TABLE, ROWS)


def parameters(notebook):
    """Names and defaults of the parameters of a notebook."""
    cells = nbformat.read(paths.ROOT / "notebooks" / f"{notebook}.ipynb", as_version=4).cells
    (source,) = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    return {line.target.id: ast.literal_eval(line.value) for line in ast.parse(source).body}


def test_every_figure_of_the_table_is_committed():
    assert set(TABLE) == {path.stem for path in FIGURES}
    assert all(path.with_suffix(".png").is_file() for path in FIGURES)


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_a_figure_says_what_it_was_made_from(path):
    found = json.loads(path.read_text())
    plan = PLANS[path.stem]
    assert set(found["inputs"]) == set(plan.recordings)
    stated = {row["file"]: row["sha256"] for row in ROWS}
    assert found["inputs"] == {file: stated[file] for file in found["inputs"]}
    assert json.dumps(found["parameters"] | plan.parameters) == json.dumps(found["parameters"])
    assert found["notebook"] == TABLE[path.stem].notebook
    assert set(found["parameters"]) == set(parameters(found["notebook"])) - {"figure"}


#: The first figure of each notebook. Where it shows all samples of its roles, the notebook may name them or not.
FIRST = {figure.notebook: name for name, figure in reversed(TABLE.items()) if any(s.samples for s in figure.selections)}


@pytest.mark.parametrize(("notebook", "figure"), sorted(FIRST.items()))
def test_a_notebook_opens_with_the_samples_of_its_first_figure(notebook, figure):
    """A reader who opens it in JupyterLab sees the figure that make builds."""
    found, wanted = parameters(notebook)["samples"], TABLE[figure].all_parameters["samples"]
    assert found == wanted, (
        f"notebooks/{notebook}.ipynb has samples = {found} in its first cell, but [{figure}] in figures.toml shows "
        f"{wanted}: write the same samples in both"
    )


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: path.stem)
def test_the_main_figure_is_the_notebook_as_it_opens(path):
    """`make` and a reader in JupyterLab see the same picture."""
    found = json.loads(path.read_text())
    defaults = parameters(found["notebook"])
    if defaults.pop("figure") == path.stem:
        shown = {row["sample"] for row in found["values"]}
        assert shown == set(defaults.pop("samples"))
        assert {name: value for name, value in found["parameters"].items() if name != "samples"} == defaults


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_notebook_is_stored_as_make_notebooks_leaves_it(path):
    """nbval passes a cell that was never executed: it has no outputs to compare with."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_explore_is_stored_without_outputs():
    """Its widgets would be others every time, and nothing without their kernel."""
    cells = nbformat.read(paths.ROOT / "notebooks" / "explore.ipynb", as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert code and all(cell.outputs == [] and cell.execution_count is None for cell in code)
