"""One run, on whichever worker it falls to: a notebook with its parameters through papermill, to a figure's numbers."""

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import papermill
import yaml
from papermill.engines import Engine, papermill_engines

from coldbond.bundle import figures, notebooks, paths
from coldbond.multiverse.grid import Run
from coldbond.multiverse.library import require

#: The folders are the library's, so that a process has one run at a time.
ONE = Lock()


class Here(Engine):
    """Executes the cells in this process, each run in names of its own.

    A kernel's start and its imports cost more than most notebooks. Nothing is kept of outputs; the numbers are those
    that `figures.save` writes. The first run of a figure shows that they are the same as a kernel's.
    """

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **kwargs):
        names, count = {"__name__": "__main__"}, 0
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
    """Return the numbers of a run as its figure's JSON holds them, or why there are none.

    Parameters
    ----------
    run : Run
    raw : str
        The folder of the recordings, under its name on this machine.
    library : str
        Hash of the library that the run is meant for.

    Returns
    -------
    dict
        "numbers" or "failed", and "seconds" of processor time.

    Raises
    ------
    RuntimeError
        This worker has another library: start it anew.
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


#: What a notebook imports, so that no run's time holds it.
_ = figures
