"""Execute runs on a dask cluster and store their results."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from distributed import Client, as_completed
from tqdm import tqdm

from coldbond.multiverse import cluster
from coldbond.multiverse.grid import Run
from coldbond.multiverse.library import hash_of_library
from coldbond.multiverse.run import execute


def gather(
    runs: Sequence[Run],
    raw: Path,
    kept: Path,
    scheduler: str | None = None,
    after_each: Callable[[Client], None] = lambda client: None,
) -> dict[str, dict]:
    """Execute runs and return their results; results that an earlier call has stored are reused.

    Parameters
    ----------
    runs : sequence of Run
    raw : Path
        Folder of the recordings.
    kept : Path
        Folder of the results; each is stored as KEY.json as soon as its run ends.
    scheduler : str, optional
        Address of a dask scheduler whose workers see this folder under the same path; by default one worker with one
        thread for each core of this machine.
    after_each : function of the client
        Called after each run.

    Returns
    -------
    dict of str to dict
        Results of `run.execute` by the key of the run. A run that failed, or whose worker died more than three times,
        has the entry "failed".
    """
    kept.mkdir(parents=True, exist_ok=True)
    earlier = {run.key: _read(kept / f"{run.key}.json") for run in runs}
    found = {key: result for key, result in earlier.items() if result is not None}
    # The order of the hashes mixes short and long runs, so that the progress bar estimates the remaining time well.
    missing = {run.key: run for run in sorted(runs, key=lambda run: run.key) if run.key not in found}
    if not missing:
        return found
    with cluster.client(scheduler) as client:
        options = dict(raw=os.path.abspath(raw), library=hash_of_library())
        futures = client.map(execute, list(missing.values()), key=[("run", key) for key in missing], **options)
        bar = tqdm(
            as_completed(futures), total=len(runs), initial=len(runs) - len(missing), unit="run", ncols=79, disable=None
        )
        for future in bar:
            key = future.key[1]
            if future.status == "finished":
                result = future.result()
            else:
                reason = str(future.exception()).split("\n")[0]
                result = {"failed": f"{type(future.exception()).__name__}: {reason}"}
            found[key] = result
            if "failed" in result:
                run = missing[key]
                bar.write(f"{run.figure} with {dict(run.changed)}: {result['failed']}")
            else:
                _write(kept / f"{key}.json", result)
            future.release()
            after_each(client)
    return found


def _read(path: Path) -> dict | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def _write(path: Path, content: Mapping) -> None:
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    os.replace(part, path)
