"""Notebooks are committed as `make notebooks` leaves them."""

from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
STORED = sorted(path for path in NOTEBOOKS.glob("*.ipynb") if path.stem != "explore")


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
    code = [cell for cell in nbformat.read(NOTEBOOKS / "explore.ipynb", 4).cells if cell.cell_type == "code"]
    assert code and all(cell.outputs == [] and cell.execution_count is None for cell in code)
