"""validation.toml: what is recomputed from which recordings, and what it is compared with."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from coldbond.bundle import manifest
from coldbond.validation import functions
from coldbond.validation.recordings import FILE, Recording, listed, table

#: What a referent may be, and what each kind means.
KINDS = {
    "certificate": "value of a reference material, with its certified uncertainty",
    "weighed": "composition of a mixture by weighing",
    "published": "value of a publication",
    "laboratories": "mean of several laboratories, whose spread is the uncertainty",
    "program": "result of another program on the same file",
    "vendor": "what the vendor's software exported of the same measurement, or counted during it",
    "plain reading": "read off the recording without a model",
}
TECHNIQUES = {
    "xrd": "X-ray diffraction",
    "xps": "Photoelectrons",
    "raman": "Raman",
    "eis": "Impedance",
    "cycling": "Cycling",
    "energies": "Reaction energies",
}


class MatrixError(Exception):
    """validation.toml is wrong; the message names the entry."""


@dataclass(frozen=True)
class Run:
    """What is computed at once.

    Attributes
    ----------
    technique : str
    recordings : list of dict
        `file`, and the columns that manifest.csv has of it. Empty for the bundle's own computed energies.
    notebook : str
        Notebook that is run; empty if `function` is.
    function : str
        Name of a function of `coldbond.validation.functions`.
    parameters : dict
        Of the notebook or the function.
    joined : str
        Name of a function that makes one recording of the files, before a notebook reads it.
    structures : list of str
        Names of `Matrix.structures` that lie beside the manifest.
    components : str
        Text of components.toml beside the manifest.
    """

    technique: str
    recordings: list[dict[str, Any]]
    notebook: str = ""
    function: str = ""
    parameters: dict[str, Any] | None = None
    joined: str = ""
    structures: tuple[str, ...] = ()
    components: str = ""

    @property
    def how(self) -> str:
        """Notebook with its parameters, or the function."""
        role = {one["role"]: None for one in self.recordings if "role" in one}
        given = ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in self.given.items())
        what = f"{self.notebook}, role {' and '.join(role)}" if self.notebook else f"function {self.function}"
        return what + (f" ({given})" if given else "")

    @property
    def given(self) -> dict[str, Any]:
        return self.parameters or {}


@dataclass(frozen=True)
class Comparison:
    """A number of ours beside one of others.

    Attributes
    ----------
    name : str
        As in the plot.
    run, sample, state, quantity : str
        The finding that is compared.
    kind : str
        One of `KINDS`.
    value : float or bool
    uncertainty : float
        Standard uncertainty of the value, in its unit; 0 where it is negligible.
    unit, source : str
    reason : str
        Why they disagree, as far as it was found; needed where they do.
    """

    name: str
    run: str
    quantity: str
    kind: str
    value: float
    unit: str
    source: str
    uncertainty: float = 0.0
    sample: str = ""
    state: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Matrix:
    """The contents of validation.toml."""

    recordings: dict[str, Recording]
    runs: dict[str, Run]
    comparisons: list[Comparison]
    structures: dict[str, dict[str, Any]]

    @cached_property
    def keys(self) -> dict[str, str]:
        """A hash of all that the result of each run depends on but the library, by run."""
        return {name: self._key(run) for name, run in self.runs.items()}

    def _key(self, run: Run) -> str:
        contents = [self.recordings[one["file"]].sha256 for one in run.recordings]
        structures = [self.structures[name] for name in run.structures]
        text = json.dumps([vars(run), contents, structures], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load(path: Path = FILE) -> Matrix:
    """Read validation.toml.

    Raises
    ------
    MatrixError
        An entry is unknown, incomplete or contradicts another one.
    """
    if not path.is_file():
        raise MatrixError(f"{path} is not there: start make validation in the folder of the bundle")
    held = table(path)
    runs = {name: _made(Run, row, f"[runs.{name}]") for name, row in held["runs"].items()}
    rows = [_made(Comparison, row, f"comparison {row.get('name')!r}") for row in held["comparisons"]]
    found = Matrix(listed(held), runs, rows, held.get("structures", {}))
    for name, run in runs.items():
        _check_run(name, run, found)
    for one in rows:
        if one.run not in runs:
            raise MatrixError(f"comparison {one.name!r}: there is no [runs.{one.run}]")
        if one.kind not in KINDS:
            raise MatrixError(f"comparison {one.name!r}: kind {one.kind!r} is none of {', '.join(KINDS)}")
    names = [one.name for one in rows]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise MatrixError(f"comparison {twice[0]!r} stands twice")
    return found


def _made(kind: type, row: Mapping[str, Any], where: str) -> Any:
    known = {field.name for field in fields(kind)}
    if unknown := sorted(set(row) - known):
        raise MatrixError(f"{where}: {', '.join(unknown)} is none of {', '.join(sorted(known))}")
    try:
        return kind(**row)
    except TypeError as error:
        raise MatrixError(f"{where}: {str(error).split('__init__() ')[-1]}") from None


def _check_run(name: str, run: Run, of: Matrix) -> None:
    if bool(run.notebook) == bool(run.function):
        raise MatrixError(f"[runs.{name}]: it needs a notebook or a function, and not both")
    if run.technique not in TECHNIQUES:
        raise MatrixError(f"[runs.{name}]: technique {run.technique!r} is none of {', '.join(TECHNIQUES)}")
    for function in filter(None, (run.function, run.joined)):
        if function not in functions.__all__:
            raise MatrixError(f"[runs.{name}]: there is no function {function!r}")
    for one in run.recordings:
        if one["file"] not in of.recordings:
            raise MatrixError(f"[runs.{name}]: {one['file']} does not stand below [recordings]")
        if unknown := sorted(set(one) - set(manifest.KEYS)):
            raise MatrixError(f"[runs.{name}]: {', '.join(unknown)} is no column of a manifest")
    for structure in run.structures:
        if structure not in of.structures:
            raise MatrixError(f"[runs.{name}]: there is no [structures.{structure}]")
