"""Execute one run on a worker: a notebook with its parameters, through papermill, up to the numbers of its figure."""

import time
from pathlib import Path
from threading import Lock
from typing import Any

from coldbond.build import in_process, notebooks
from coldbond.bundle import figures
from coldbond.multiverse.grid import Run
from coldbond.multiverse.library import require

#: `coldbond.bundle.paths` holds the folders of the whole process, so only one run at a time can be executed in it.
ONE = Lock()


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
    with ONE:
        try:
            found: dict[str, Any] = {
                "numbers": in_process.numbers(run.notebook, run.figure, dict(run.parameters), Path(raw))
            }
        except notebooks.NotebookError as error:
            found = {"failed": str(error)}
    return found | {"seconds": time.process_time() - started}


#: Imported here, because every notebook imports it, so that its import does not count as time of the first run.
_ = figures
