"""Running what validation.toml lists: notebooks in a folder of their own, and functions."""

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xarray as xr

from coldbond.build import in_process, notebooks
from coldbond.bundle import manifest, paths
from coldbond.constants import CONSTANTS
from coldbond.files import read
from coldbond.validation import functions
from coldbond.validation.matrix import Comparison, Matrix, MatrixError, Run

#: The bundle's own computed energies, which a function without recordings is given.
ENERGIES = paths.ROOT / "raw" / "energies"


def results(of: Matrix, path: Callable[[str], Path], say: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """Return the finding of each comparison by its name: `run`, a key, and `value`, `low`, `high`, or `failed`.

    Parameters
    ----------
    of : Matrix
    path : callable
        Returns where a recording lies.
    say : callable
        Takes a line about each run.

    Raises
    ------
    MatrixError
        A run has no finding that a comparison names.
    """
    files = {one["file"]: path(one["file"]) for run in of.runs.values() for one in run.recordings}
    found: dict[str, dict[str, Any]] = {}
    for name, run in of.runs.items():
        wanted = [one for one in of.comparisons if one.run == name]
        say(f"{name}: {run.notebook or run.function}")
        try:
            rows = findings(of, run, files)
        except (notebooks.NotebookError, ValueError, ArithmeticError) as error:
            reason = notebooks.first_line(str(error))
            found |= {one.name: {"run": of.keys[name], "failed": reason} for one in wanted}
            continue
        for one in wanted:
            row = _chosen(rows, one)
            found[one.name] = {"run": of.keys[name]} | {key: row[key] for key in ("value", "low", "high")}
    return found


def _chosen(rows: list[dict[str, Any]], one: Comparison) -> dict[str, Any]:
    """The finding that a comparison means."""
    for row in rows:
        if (row["quantity"], row["sample"], row["state"]) == (one.quantity, one.sample, one.state):
            if row["unit"] != one.unit:
                raise MatrixError(
                    f"comparison {one.name!r}: its unit is {one.unit!r}, that of coldbond {row['unit']!r}"
                )
            return row
    there = "; ".join(" ".join(filter(None, (row["quantity"], row["sample"], row["state"]))) for row in rows)
    wanted = " ".join(filter(None, (one.quantity, one.sample, one.state)))
    raise MatrixError(f"comparison {one.name!r}: [runs.{one.run}] has no finding {wanted}; it has {there}")


def findings(of: Matrix, run: Run, files: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Return all findings of a run."""
    if run.function:
        recordings = [_opened(files[one["file"]], one) for one in run.recordings]
        recordings = recordings or [read(table) for table in sorted(ENERGIES.glob("*.csv"))]
        return getattr(functions, run.function)(recordings, **run.given)
    with TemporaryDirectory(prefix="coldbond-") as folder:
        _write(Path(folder), of, run, files)
        figure = run.notebook.split("_")[0]
        numbers = in_process.numbers(run.notebook, figure, {"samples": []} | run.given, Path(folder))
    if numbers.get("left_out"):
        raise ValueError("; ".join(f"{one['file']}: {one['reason']}" for one in numbers["left_out"]))
    return numbers["values"]


def _opened(path: Path, row: Mapping[str, Any]) -> xr.Dataset | xr.DataTree:
    """A recording, with what the row of the matrix states and its constants in the attrs."""
    stated = {manifest.STATED[name]: row[name] for name in manifest.STATED if name in row}
    recording = read(path, technique=row.get("technique"), **stated)
    recording.attrs.update({name: row[name] for name in CONSTANTS if name in row})
    return recording


def _write(folder: Path, of: Matrix, run: Run, files: Mapping[str, Path]) -> None:
    """Write a folder of recordings, with its manifest and what lies beside it."""
    rows = [dict(one, file=Path(one["file"]).name, origin="measured") for one in run.recordings]
    if run.joined:
        rows = rows[:1]
        rows[0]["file"] = "joined.csv"
        parts = {one["state"]: files[one["file"]] for one in run.recordings}
        getattr(functions, run.joined)(parts, folder / "joined.csv")
        rows[0]["state"] = ""
    else:
        for one in run.recordings:
            shutil.copyfile(files[one["file"]], folder / Path(one["file"]).name)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, manifest.KEYS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    for name in run.structures:
        (folder / "structures").mkdir(exist_ok=True)
        # What JSON writes of texts, numbers and lists is TOML.
        lines = [f"{key} = {json.dumps(value)}" for key, value in of.structures[name].items()]
        (folder / "structures" / f"{name}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if run.components:
        (folder / "components.toml").write_text(run.components, encoding="utf-8")
