"""Running a notebook in this process, for programs that want its numbers many times and no pictures."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import papermill
import yaml
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines

from coldbond.build import notebooks
from coldbond.bundle import paths


class Here(Engine):
    """A papermill engine that executes the cells in this process, each notebook in its own namespace.

    Starting a kernel and importing the packages takes longer than most notebooks. Outputs are discarded; the numbers
    are those that `figures.save` writes.
    """

    @classmethod
    def execute_managed_notebook(cls, nb_man: NotebookExecutionManager, kernel_name: str, **_: object) -> None:
        names: dict[str, object] = {"__name__": "__main__"}
        count = 0
        for cell in nb_man.nb.cells:
            if cell.cell_type == "code":
                count += 1
                try:
                    exec(compile(cell.source, f"In [{count}]", "exec"), names)
                except Exception as error:
                    reason = str(error).strip().split("\n")[0]
                    raise notebooks.NotebookError(f"In [{count}]: {type(error).__name__}: {reason}") from error


papermill_engines.register("here", Here)


def numbers(notebook: str, figure: str, parameters: dict[str, Any], raw: Path) -> dict[str, Any]:
    """Return what a notebook would write into FIGURE.json.

    `coldbond.bundle.paths` holds the folders of the whole process, so only one notebook at a time can run in it.

    Parameters
    ----------
    notebook : str
        Name of the notebook, as in figures.toml.
    figure : str
        Name of the figure.
    parameters : dict
        Those that differ from the notebook's first cell.
    raw : Path
        Folder of the recordings.

    Raises
    ------
    coldbond.build.notebooks.NotebookError
        A cell failed, or a parameter is wrong.
    """
    before = paths.RAW, paths.FIGURES, paths.PICTURES
    path = paths.ROOT / "notebooks" / f"{notebook}.ipynb"
    with TemporaryDirectory(prefix="coldbond-") as folder:
        paths.RAW, paths.FIGURES, paths.PICTURES = Path(raw), Path(folder), False
        try:
            papermill.execute_notebook(
                notebooks.papermill_path(path),
                None,
                notebooks.checked_parameters(path, figure, [yaml.safe_dump(parameters)]),
                engine_name="here",
                kernel_name="python3",
                language="python",
                cwd=path.parent,
                progress_bar=False,
            )
            return json.loads((paths.FIGURES / f"{figure}.json").read_text(encoding="utf-8"))
        finally:
            paths.RAW, paths.FIGURES, paths.PICTURES = before
