"""The runs of the multiverse: combinations of the alternatives in choices.yml.

If a figure has few combinations, all of them are run; otherwise each alternative is run alone, together with a fixed
random sample of the other combinations. A run is identified by a hash of everything that its numbers depend on, so
that a stored result is reused until one of these inputs changes.
"""

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod
from pathlib import Path

import nbformat
import yaml

from coldbond.build import figures_table, notebooks
from coldbond.bundle import manifest, paths
from coldbond.multiverse.library import hash_for, sha256

CHOICES = Path(__file__).with_name("choices.yml")
SETTINGS = ("full", "sample", "seed")


@dataclass(frozen=True)
class Run:
    """One run of a notebook.

    Attributes
    ----------
    figure, notebook : str
    changed : dict
        Parameters that differ from those of the figure; {} for the figure as built.
    parameters : dict
        All parameters that differ from the defaults of the notebook.
    key : str
        Hash of recordings, notebook, packages, parameters, and of what the notebook can import of the library.
    """

    figure: str
    notebook: str
    changed: Mapping
    parameters: Mapping
    key: str


def choices(figure: str, notebook: str, stated: Mapping) -> dict[str, list[dict]]:
    """Return the alternatives of each parameter of a figure; those under the figure replace those of its notebook."""
    found = (stated.get(notebook) or {}) | (stated.get(figure) or {})
    return {name: alternatives for name, alternatives in found.items() if alternatives}


def load(path: Path = CHOICES) -> dict:
    """Read choices.yml.

    Raises
    ------
    ValueError
        A choice is not a list of values with reasons.
    """
    stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    for of, listed in stated.items():
        if of not in SETTINGS:
            for name, alternatives in listed.items():
                if not all(isinstance(one, dict) and set(one) == {"value", "why"} for one in alternatives):
                    raise ValueError(f"{path.name}: {of}, {name}: write each as {{value: ..., why: ...}}")
    return stated


def runs(built: Mapping[str, dict], raw: Path, stated: Mapping) -> list[Run]:
    """Return the runs of all figures; the first run of each figure is the figure as built.

    Parameters
    ----------
    built : mapping of str to dict
        Numbers of the figures with their parameters and inputs, from `claims.verdicts.built`.
    raw : Path
        Folder of the recordings.
    stated : mapping
        From `load`.

    Raises
    ------
    ValueError
        An entry of choices.yml is neither a notebook nor a figure, or the figure does not have the parameter.
    """
    known = {*SETTINGS, *built, *(path.stem for path in (paths.ROOT / "notebooks").glob("*.ipynb"))}
    known |= set(figures_table.load())  # also figures for which RAW has no recordings
    if others := sorted(set(stated) - known):
        raise ValueError(f"{CHOICES.name}: {', '.join(others)} is neither a notebook nor a figure")
    rows = {row["file"]: row for row in manifest.load(raw).rows}
    found = []
    for figure, numbers in built.items():
        own, notebook = numbers["parameters"], numbers["notebook"]
        listed = choices(figure, notebook, stated)
        if unknown := [name for name in listed if name not in own]:
            raise ValueError(f"{CHOICES.name}: {notebook} has no parameter {', '.join(unknown)}: make {figure}")
        defaults, code = _defaults(notebook), _code(notebook)
        inputs = {file: [sha256(raw / file), rows[file]] for file in sorted(numbers["inputs"])}
        for changed in combinations(figure, own, listed, stated):
            parameters = {name: value for name, value in own.items() if value != defaults[name]} | changed
            everything = [figure, code, hash_for(code), inputs, parameters]
            key = hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()
            found.append(Run(figure, notebook, changed, parameters, key))
    return found


def combinations(figure: str, own: Mapping, listed: Mapping[str, list[dict]], stated: Mapping) -> list[dict]:
    """Return the parameters that each run of a figure changes, beginning with {}, the figure as built."""
    levels = {
        name: [own[name], *(one["value"] for one in alternatives if one["value"] != own[name])]
        for name, alternatives in listed.items()
    }
    of_all = list(product(*(range(len(values)) for values in levels.values())))
    if prod(len(values) for values in levels.values()) > stated["full"]:
        alone = [at for at in of_all if sum(map(bool, at)) < 2]
        more = [at for at in of_all if sum(map(bool, at)) > 1]
        of_all = alone + sorted(random.Random(f"{stated['seed']} {figure}").sample(more, stated["sample"]))
    return [
        {name: levels[name][i] for name, i in zip(levels, at, strict=True) if i}
        for at in sorted(of_all, key=lambda at: sum(map(bool, at)))
    ]


@cache
def _defaults(notebook: str) -> dict:
    path = paths.ROOT / "notebooks" / f"{notebook}.ipynb"
    return notebooks.defaults(path)


@cache
def _code(notebook: str) -> str:
    nb = nbformat.read(paths.ROOT / "notebooks" / f"{notebook}.ipynb", as_version=4)
    return "\n\n".join(cell.source for cell in nb.cells if cell.cell_type == "code")
