"""Which runs there are: the alternatives of choices.yml, combined."""

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

from coldbond.bundle import figures_table, manifest, notebooks, paths
from coldbond.multiverse.library import hash_of_library, sha256

CHOICES = Path(__file__).with_name("choices.yml")
SETTINGS = ("full", "sample", "seed")


@dataclass(frozen=True)
class Run:
    """One run of a notebook.

    Attributes
    ----------
    figure, notebook : str
    changed : dict
        The parameters in which it differs from the figure; {} is the figure itself.
    parameters : dict
        All that are not the notebook's own.
    key : str
        Hash of all that the numbers depend on: recordings, notebook, library, packages and parameters.
    """

    figure: str
    notebook: str
    changed: Mapping
    parameters: Mapping
    key: str


def choices(figure: str, notebook: str, stated: Mapping) -> dict[str, list[dict]]:
    """Return the alternatives of each parameter of a figure, as choices.yml lists them."""
    found = (stated.get(notebook) or {}) | (stated.get(figure) or {})
    return {name: alternatives for name, alternatives in found.items() if alternatives}


def load(path: Path = CHOICES) -> dict:
    """Return choices.yml; ValueError where a choice is not a list of values with reasons."""
    stated = yaml.safe_load(path.read_text(encoding="utf-8"))
    for of, listed in stated.items():
        if of not in SETTINGS:
            for name, alternatives in listed.items():
                if not all(isinstance(one, dict) and set(one) == {"value", "why"} for one in alternatives):
                    raise ValueError(f"{path.name}: {of}, {name}: write each as {{value: ..., why: ...}}")
    return stated


def runs(built: Mapping[str, dict], raw: Path, stated: Mapping) -> list[Run]:
    """Return the runs of all figures, of each the one that it was built with first.

    Parameters
    ----------
    built : mapping of str to dict
        The figures' numbers with their parameters and inputs, from `claims.verdicts.built`.
    raw : Path
        The folder of the recordings.
    stated : mapping
        From `load`.

    Raises
    ------
    ValueError
        An entry of choices.yml is neither a notebook nor a figure, or names a parameter that the figure has not.
    """
    known = {*SETTINGS, *built, *(path.stem for path in (paths.ROOT / "notebooks").glob("*.ipynb"))}
    known |= set(figures_table.load())  # also figures for which RAW has no recordings
    if unknown := set(stated) - known:
        raise ValueError(f"{CHOICES.name}: {', '.join(sorted(unknown))} is neither a notebook nor a figure")
    rows = {row["file"]: row for row in manifest.rows(raw)}
    library, found = hash_of_library(), []
    for figure, numbers in built.items():
        own, notebook = numbers["parameters"], numbers["notebook"]
        listed = choices(figure, notebook, stated)
        if unknown := [name for name in listed if name not in own]:
            raise ValueError(f"{CHOICES.name}: {notebook} has no parameter {', '.join(unknown)}: make {figure}")
        defaults = _defaults(notebook)  # a mapping among them lost its order in the JSON
        inputs = {file: [sha256(raw / file), rows[file]] for file in sorted(numbers["inputs"])}
        for changed in combinations(figure, own, listed, stated):
            parameters = {name: value for name, value in own.items() if value != defaults[name]} | changed
            everything = [figure, _code(notebook), library, inputs, parameters]
            key = hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()
            found.append(Run(figure, notebook, changed, parameters, key))
    return found


def combinations(figure: str, own: Mapping, listed: Mapping[str, list[dict]], stated: Mapping) -> list[dict]:
    """Return the parameters that change in each run of a figure, the figure itself ({}) first."""
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
