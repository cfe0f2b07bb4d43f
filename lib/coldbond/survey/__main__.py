"""Summarise every cell of a folder of recordings into one table, OUT/survey.csv.

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
    """Return the row of every cell, in the order of the manifest.

    Parameters
    ----------
    folder : Path
        Laid out like raw/.
    scheduler : str, optional
        Address of a dask scheduler, whose workers see this folder under the same path; without it, a worker of one
        thread for each core of this machine.

    Raises
    ------
    coldbond.bundle.manifest.ManifestError
        The manifest cannot be used.
    LookupError
        It holds no cell.
    """
    cells = [row for row in manifest.rows(folder) if row["role"] in cell.ANALYSES]
    if not cells:
        raise LookupError(f"{folder / 'manifest.csv'}: no recording of a role {', '.join(cell.ANALYSES)}")
    found = {}
    with client(scheduler) as workers:
        # Pure, a task would be known by its arguments, and the row kept though its file had changed.
        futures = workers.map(cell.row, cells, folder=os.path.abspath(folder), library=hash_of_library(), pure=False)
        places = {future.key: place for place, future in enumerate(futures)}
        bar = tqdm(as_completed(futures), total=len(cells), unit="cell", ncols=79, disable=None)
        for future in bar:
            place = places[future.key]
            lost = future.status != "finished"  # its worker died, more than three times, or has an older library
            found[place] = cell.failed(cells[place], future.exception()) if lost else future.result()
            if "failed" in found[place]:
                bar.write(f"{cells[place]['file']}: {found[place]['failed']}", file=sys.stderr)
            future.release()
    return [found[place] for place in range(len(cells))]


def write(rows: Iterable[Mapping[str, str]], path: Path) -> None:
    """Write the table, whole or not at all."""
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
        "--scheduler", help="tcp://host:port of a dask scheduler; without it, the cores of this machine"
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
