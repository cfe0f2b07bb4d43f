"""Closure: the notebooks on recordings whose truth is known, held against it.

    python tests/closure.py [realisations [first [name ...]]]

A name is a figure ("fig4b"), which is run on new realisations of the recordings of lib/twin, or a kind of cell of
tests/independent ("shorts/dead cell"), or all kinds of one of its modules ("shorts"). Without names all are run. The
program prints for every quantity how often its 95 % interval covered the truth, and how often a decision was right. A
run from seed 20000 on, from which nothing else is drawn, stands in docs/coverage.json and docs/coverage.md: it replaces
what these held of the names that were run.
"""

import csv
import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from math import inf, isclose
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock
from zlib import crc32

import nbformat
import numpy as np

import coverage_page
import cycling_truths
import independent
import spectra_truths
from coldbond.build import figures_table
from coldbond.bundle import manifest, paths, raw
from coverage_page import Judgement, Key, Truth
from twin import pellets
from twin.recording import Recording
from twin.recordings import RECORDINGS

ROOT = Path(__file__).parents[1]
TABLE = figures_table.load()
#: Figures that show no recording with a truth: the reaction energies are computed.
WITHOUT_TRUTH = ("fig3a",)
FIGURES = {name: figure for name, figure in TABLE.items() if name not in WITHOUT_TRUTH}
#: The first seed of a run that is published.
PUBLISHED = 20_000


@cache
def kinds() -> dict[str, independent.Kind]:
    """Return the kinds of cells of tests/independent, named "module/kind"."""
    names = sorted(one.name for one in pkgutil.iter_modules(independent.__path__))
    held = {name: getattr(importlib.import_module(f"independent.{name}"), "KINDS", {}) for name in names}
    return {f"{name}/{kind}": make for name, of_module in held.items() for kind, make in of_module.items()}


def of_twin(figure: str, seed: int) -> Judgement:
    """Run the notebook of a figure on a realisation of the twin's recordings.

    Area, thickness, mass and the calibration of the tester are as wrong as the notebook's parameters say that they may
    be.
    """
    described = TABLE[figure]
    given = parameters(described.notebook) | described.all_parameters
    true: dict[Key, Truth] = {}
    with TemporaryDirectory() as folder:
        rows = [one for one in RECORDINGS if any(_is_of(one, selection) for selection in described.selections)]
        beside = {one.role for one in described.selections if not one.needed}  # no finding of this figure is of these
        for recording in rows:
            truths = _simulated(recording, Path(folder), given, seed)
            true |= {} if recording.role in beside else truths
        _write_manifest(Path(folder), rows)
        # An analysis that fails is an error, not left out.
        with _folder(Path(folder)), mock.patch.object(raw, "is_own", lambda: True):
            found = run(described.notebook, described.all_parameters)
    # The twin has lines and phases that a figure does not look for, or not where it sees no peak.
    held = {(figure, *_key(row)) for row in found}
    true |= {key[1:]: value for key, value in spectra_truths.constant().items() if key in held}
    return judged(_with_constants_off(true, found, given, seed), found)


def _with_constants_off(true: Mapping[Key, Truth], found: Sequence[Mapping], given: Mapping, seed: int) -> Mapping:
    """Return the truths where the constants in the manifest are off, see `_off`."""
    off = dict(true)
    for key, row in {_key(row): row for row in found}.items():
        # The critical current density counts in steps as the operator set them; the area's uncertainty stands beside.
        if isinstance(off.get(key), float) and row["quantity"] != "critical_current_density":
            off[key] *= _off(row["sample"], row["unit"], given, seed)
    return off


def _is_of(recording: Recording, selection: figures_table.Selection) -> bool:
    return recording.role == selection.role and (not selection.samples or recording.sample in selection.samples)


def _simulated(recording: Recording, folder: Path, given: Mapping, seed: int) -> dict[Key, Truth]:
    """Write a recording with new noise and return its truths."""
    own = _seed(recording.file, seed)
    path = folder / recording.file
    path.parent.mkdir(exist_ok=True)
    uncertainty = given.get("tester_uncertainty", given.get("current_uncertainty", 0.0))
    tester = cycling_truths.Tester.drawn(uncertainty, np.random.default_rng([own, 1]))
    with cycling_truths.noted(tester) as steps:
        recording.export(recording.simulate(seed=own), path)
    if recording.technique == "cycling":
        return cycling_truths.truths(recording, steps, given)
    found = spectra_truths.of_spectrum(recording, own) if recording.technique == "eis" else {}
    return {(recording.sample, recording.state, quantity): value for quantity, value in found.items()}


def _seed(file: str, seed: int) -> int:
    return crc32(f"{file} {seed}".encode())


def _write_manifest(folder: Path, recordings: Sequence[Recording]) -> None:
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, manifest.COLUMNS, restval="")
        table.writeheader()
        for recording in recordings:
            row = {key: getattr(recording, key) for key in ("file", "technique", "role", "sample", "state")}
            table.writerow(row | {"origin": "synthetic"} | dict(recording.constants))


def _off(sample: str, unit: str, given: Mapping, seed: int) -> float:
    """Return the factor by which a quantity of a sample differs from what the constants in the manifest make of it.

    The operator sets currents for an area and a mass that are a little off. The notebook's parameters say how much.
    """
    area, thickness, mass = np.random.default_rng(_seed(sample, seed)).standard_normal(3)
    area = 1 + given.get("area_uncertainty", 0.0) * area
    thickness = 1 + given.get("thickness_uncertainty", 0.0) * thickness / pellets.THICKNESS
    mass = 1 + given.get("mass_uncertainty", 0.0) * mass
    factors = {"mA/cm2": 1 / area, "mAh/cm2": 1 / area, "ohm cm2": area, "S/cm": thickness / area, "mAh/g": 1 / mass}
    return factors.get(unit, 1.0)


def of_kind(kind: str, seed: int) -> Judgement:
    """Run the notebooks of the roles of a kind of cell, in a folder of their own, on a realisation of it."""
    case = kinds()[kind](seed)
    with TemporaryDirectory() as folder:
        independent.write_raw(case, Path(folder))
        found, given = [], {}
        plans = figures_table.plan(TABLE, manifest.rows(folder), of_paper=False)
        with _folder(Path(folder)):
            for figure, plan in plans.items():
                if not plan.missing and not case.truths.keys() <= {_key(row) for row in found}:
                    notebook = TABLE[figure].notebook
                    known = parameters(notebook).keys()
                    asked = {name: value for name, value in case.parameters.items() if name in known}
                    found += run(notebook, plan.parameters | asked)
                    given |= parameters(notebook) | asked
    return judged(_with_constants_off(case.truths, found, given, seed), found)


@contextmanager
def _folder(folder: Path) -> Iterator[None]:
    with mock.patch.object(paths, "RAW", folder):
        yield


@cache
def _cells(notebook: str) -> list:
    cells = nbformat.read(ROOT / "notebooks" / f"{notebook}.ipynb", as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


def parameters(notebook: str) -> dict:
    """Return the parameters of a notebook as it stands."""
    space: dict = {}
    for cell in _cells(notebook):
        if "parameters" in cell.metadata.get("tags", []):
            exec(compile(cell.source, notebook, "exec"), space)
    return {name: value for name, value in space.items() if not name.startswith("__")}


def run(notebook: str, changes: Mapping) -> list[dict]:
    """Run the cells of a notebook up to its figure, and return its findings."""
    space: dict = {}
    for cell in _cells(notebook):
        if "figures.new" in cell.source:
            break
        exec(compile(cell.source, notebook, "exec"), space)
        if "parameters" in cell.metadata.get("tags", []):
            space |= changes
    return space["values"]


def judged(truths: Mapping[Key, Truth], found: Sequence[Mapping]) -> Judgement:
    """Hold findings against the truths."""
    rows: dict[Key, Mapping] = {}
    for row in found:
        rows.setdefault(_key(row), row)
    true = {key: bool(value) if isinstance(value, np.bool_) else value for key, value in truths.items()}
    verdicts = {key: verdict(value, rows.get(key)) for key, value in true.items()}
    return Judgement(verdicts, true, [key for key in rows if key not in true])


def _key(row: Mapping) -> Key:
    return row["sample"], row["state"], row["quantity"]


def verdict(true: Truth, row: Mapping | None) -> str:
    """Return whether a finding is "right" or "wrong", "silent" where it is null, "failed" where there is none."""
    if row is None:
        return "failed"
    value, low, high = (row[name] for name in ("value", "low", "high"))
    if true is None:
        return "right" if value is None else "wrong"
    if value is None and low is None and high is None:
        return "silent"
    if isinstance(true, bool):
        good = value is true
    elif low is None and high is None:
        good = isclose(value, true, rel_tol=1e-5)
    else:
        low, high = (-inf if low is None else low), (inf if high is None else high)
        good = low <= true <= high or isclose(true, low) or isclose(true, high)
    return "right" if good else "wrong"


def attempted(name: str, seed: int) -> Judgement | str:
    """Return the judgement of a figure or a kind, or why a notebook failed."""
    try:
        return of_twin(name, seed) if name in FIGURES else of_kind(name, seed)
    except Exception as error:
        return f"seed {seed}: {type(error).__name__}: {raw.reason(error)}"


def main(realisations: int, first: int, names: Sequence[str]) -> int:
    """Run, print, and publish a run from seed `PUBLISHED` on."""
    every = [*FIGURES, *kinds()]
    chosen = [one for one in every if not names or {one, one.partition("/")[0]} & {*names}]
    if unknown := [name for name in names if not any(name in (one, one.partition("/")[0]) for one in every)]:
        print(f"{', '.join(unknown)}: no figure and no kind of cells; there are {', '.join(every)}", file=sys.stderr)
        return 2
    seeds = range(first, first + realisations)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name in chosen:
            judgements = []
            for done in pool.map(partial(attempted, name), seeds):
                judgements.append(done)
                print(f"\r{name}: {len(judgements)} of {realisations}", end="", file=sys.stderr, flush=True)
            print(file=sys.stderr)
            family = "twin" if name in FIGURES else "independent"
            record = {"date": datetime.now(UTC).date().isoformat(), "commit": commit(), "seeds": [first, seeds[-1]]}
            record |= coverage_page.counted(judgements, by_state=family == "twin")
            print(coverage_page.printed(name, record))
            if first >= PUBLISHED:
                coverage_page.publish(family, name, record)
    return 0


def commit() -> str:
    """Return the commit of the bundle; it says so where files differ from it."""
    git = partial(subprocess.run, cwd=ROOT, capture_output=True, text=True, check=False)
    head = git(["git", "rev-parse", "--short=7", "HEAD"]).stdout.strip()
    changed = git(["git", "status", "--porcelain", "--", "lib", "notebooks", "tests", "figures.toml"]).stdout.strip()
    return f"{head or 'unknown'}{' with changes' if changed else ''}"


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:3]]
    sys.exit(main(*numbers, *(50, PUBLISHED)[len(numbers) :], sys.argv[3:]))
