"""Execute one run on a worker: a notebook with its parameters, through papermill, up to the numbers of its figure."""

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import papermill
import yaml
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines

from coldbond.build import notebooks
from coldbond.bundle import figures, paths
from coldbond.multiverse.grid import Run
from coldbond.multiverse.library import require

#: `coldbond.bundle.paths` holds the folders of the whole process, so only one run at a time can be executed in it.
ONE = Lock()


class Here(Engine):
    """A papermill engine that executes the cells in this process, each notebook in its own namespace.

    Starting a kernel and importing the packages takes longer than most notebooks. Outputs are discarded; the numbers
    are those that `figures.save` writes. The first run of each figure, as built, checks that they equal the kernel's.
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


def execute(run: Run, raw: str, library: str) -> dict:
    """Execute a run.

    Parameters
    ----------
    run : Run
    raw : str
        Folder of the recordings, as this machine sees it.
    library : str
        Hash of the library that the run was planned for.

    Returns
    -------
    dict
        "numbers", as in the JSON file of the figure, or "failed", the reason; and "seconds" of processor time.

    Raises
    ------
    RuntimeError
        This worker has imported another version of the library.
    """
    require(library)
    started = time.process_time()
    with ONE, TemporaryDirectory(prefix="coldbond-") as folder:
        paths.RAW, paths.FIGURES, paths.PICTURES = Path(raw), Path(folder), False
        notebook = paths.ROOT / "notebooks" / f"{run.notebook}.ipynb"
        try:
            values = notebooks.checked_parameters(notebook, run.figure, [yaml.safe_dump(dict(run.parameters))])
            papermill.execute_notebook(
                notebooks.papermill_path(notebook),
                None,
                values,
                engine_name="here",
                kernel_name="python3",
                language="python",
                cwd=notebook.parent,
                progress_bar=False,
            )
            found = {"numbers": json.loads((paths.FIGURES / f"{run.figure}.json").read_text(encoding="utf-8"))}
        except notebooks.NotebookError as error:
            found = {"failed": str(error)}
    return found | {"seconds": time.process_time() - started}


#: Imported here, because every notebook imports it, so that its import does not count as time of the first run.
_ = figures
