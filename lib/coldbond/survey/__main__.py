"""Summarise all cells of a folder of recordings, and conditions of several cells, in one table, OUT/survey.csv.

python -m coldbond.survey [--raw FOLDER] [--out FOLDER] [--scheduler ADDRESS]
"""

import argparse
import csv
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from distributed import as_completed
from tqdm import tqdm

from coldbond.bundle import manifest
from coldbond.multiverse.cluster import client
from coldbond.multiverse.library import hash_of_library
from coldbond.survey import cell, conditions

Rows = list[dict[str, str]]


def survey(folder: Path, scheduler: str | None = None) -> tuple[Rows, Rows]:
    """Return one row for each cell, in manifest order, and for each condition; and the comparisons of samples.

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
        The manifest cannot be read. A row that cannot be used is a cell that failed.
    LookupError
        The manifest lists no cell.
    """
    listed = manifest.load(folder)
    cells = [row for row in listed.listed if row["role"] in cell.ANALYSES]
    if not cells:
        raise LookupError(f"{folder / 'manifest.csv'}: no recording has a role among {', '.join(cell.ANALYSES)}")
    found: dict[int, tuple[dict[str, str], list[dict]]] = {}
    unusable = {id(one.row): "; ".join(one.problems) for one in listed.unusable}
    for place, row in enumerate(cells):
        if id(row) in unusable:
            found[place] = cell.failed(row, manifest.ManifestError(unusable[id(row)])), []
            print(f"{row['file']}: {unusable[id(row)]}", file=sys.stderr)
    usable = [place for place in range(len(cells)) if place not in found]
    with client(scheduler) as workers:
        # With pure=True the cluster would identify a task by its arguments and reuse its row after the file changed.
        asked = [cells[place] for place in usable]
        futures = workers.map(cell.row, asked, folder=os.path.abspath(folder), library=hash_of_library(), pure=False)
        places = {future.key: place for place, future in zip(usable, futures, strict=True)}
        bar = tqdm(as_completed(futures), total=len(asked), unit="cell", ncols=79, disable=None)
        for future in bar:
            place = places[future.key]
            # The worker died more than three times, or has imported another version of the library.
            lost = future.status != "finished"
            found[place] = (cell.failed(cells[place], future.exception()), []) if lost else future.result()
            if "failed" in found[place][0]:
                bar.write(f"{cells[place]['file']}: {found[place][0]['failed']}", file=sys.stderr)
            future.release()
    rows, findings = zip(*(found[place] for place in range(len(cells))), strict=True)
    return conditions.added(cells, rows, findings)


def write(rows: Iterable[Mapping[str, str]], path: Path, columns: Sequence[str]) -> None:
    """Write a table atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, restval="", lineterminator="\n")
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
        rows, comparisons = survey(given.raw, given.scheduler)
    except (manifest.ManifestError, LookupError) as error:
        print(error, file=sys.stderr)
        return 1
    of_conditions = [row for row in rows if row.get("kind") == "condition"]
    write(rows, given.out / "survey.csv", conditions.WITH_CONDITIONS if "kind" in rows[0] else cell.COLUMNS)
    compared = given.out / "survey_comparisons.csv"
    compared.unlink(missing_ok=True)  # of an earlier run
    if comparisons:
        write(comparisons, compared, conditions.COMPARISON)
    count = sum("failed" in row for row in rows)
    print(
        f"{given.out / 'survey.csv'}: {len(rows) - len(of_conditions)} cells"
        + (f", of which {count} failed" if count else "")
        + (f"; {len(of_conditions)} conditions of several cells" if of_conditions else "")
        + (f"\n{compared}: {len(comparisons)} comparisons of two samples" if comparisons else "")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
