"""Summarise all cells of a folder of recordings in one table, OUT/survey.csv.

python -m coldbond.survey [--raw FOLDER] [--out FOLDER] [--scheduler ADDRESS]
"""

import argparse
import csv
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from distributed import as_completed
from tqdm import tqdm

from coldbond.bundle import manifest
from coldbond.multiverse.cluster import client
from coldbond.multiverse.library import hash_of_library
from coldbond.survey import cell


def survey(folder: Path, scheduler: str | None = None) -> list[dict[str, str]]:
    """Return one row for each cell, in manifest order.

    Parameters
    ----------
    folder : Path
        Folder laid out like raw/.
    scheduler : str, optional
        Address of a dask scheduler whose workers see this folder under the same path; by default one worker with one
        thread for each core of this machine.

    Raises
    ------
    coldbond.bundle.manifest.ManifestError
        The manifest cannot be used.
    LookupError
        The manifest lists no cell.
    """
    cells = [row for row in manifest.rows(folder) if row["role"] in cell.ANALYSES]
    if not cells:
        raise LookupError(f"{folder / 'manifest.csv'}: no recording has a role among {', '.join(cell.ANALYSES)}")
    found = {}
    with client(scheduler) as workers:
        # With pure=True the cluster would identify a task by its arguments and reuse its row after the file changed.
        futures = workers.map(cell.row, cells, folder=os.path.abspath(folder), library=hash_of_library(), pure=False)
        places = {future.key: place for place, future in enumerate(futures)}
        bar = tqdm(as_completed(futures), total=len(cells), unit="cell", ncols=79, disable=None)
        for future in bar:
            place = places[future.key]
            # The worker died more than three times, or has imported another version of the library.
            lost = future.status != "finished"
            found[place] = cell.failed(cells[place], future.exception()) if lost else future.result()
            if "failed" in found[place]:
                bar.write(f"{cells[place]['file']}: {found[place]['failed']}", file=sys.stderr)
            future.release()
    return [found[place] for place in range(len(cells))]


def write(rows: Iterable[Mapping[str, str]], path: Path) -> None:
    """Write the table atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, cell.COLUMNS, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    os.replace(part, path)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m coldbond.survey", description=__doc__.split("\n")[0])
    parser.add_argument("--raw", type=Path, default=Path("raw"))
    parser.add_argument("--out", type=Path, default=Path("figures"))
    parser.add_argument(
        "--scheduler", help="tcp://host:port of a dask scheduler; by default all cores of this machine are used"
    )
    given = parser.parse_args()
    try:
        rows = survey(given.raw, given.scheduler)
    except (manifest.ManifestError, LookupError) as error:
        print(error, file=sys.stderr)
        return 1
    write(rows, given.out / "survey.csv")
    count = sum("failed" in row for row in rows)
    print(f"{given.out / 'survey.csv'}: {len(rows)} cells" + (f", of which {count} failed" if count else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
