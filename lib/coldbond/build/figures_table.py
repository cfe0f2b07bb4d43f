"""The table of figures, figures.toml: the notebook, recordings and parameters of each figure.

Standard library only: make reads the table before any package is installed.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coldbond.bundle import paths

KEYS = ("notebook", "recordings", "optional", "parameters", "slow")


class TableError(ValueError):
    """A figures.toml that cannot be used: the message names the table and the remedy."""


@dataclass(frozen=True)
class Selection:
    """Recordings of one role.

    Attributes
    ----------
    role : str
        As in the manifest.
    samples : tuple of str
        The samples that the figure shows; empty for all that the manifest holds.
    needed : bool
        Whether the figure cannot be drawn without these recordings.
    """

    role: str
    samples: tuple[str, ...]
    needed: bool


@dataclass(frozen=True)
class Figure:
    """One table of figures.toml.

    Attributes
    ----------
    notebook : str
        Name of the notebook, without folder and suffix.
    selections : tuple of Selection
    parameters : dict
        The notebook's parameters that differ from its own, except `samples`.
    slow : bool
        Whether make starts it before the others.
    """

    notebook: str
    selections: tuple[Selection, ...]
    parameters: dict[str, object]
    slow: bool

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of the recordings, each once."""
        return tuple(dict.fromkeys(one.role for one in self.selections))

    @property
    def all_parameters(self) -> dict[str, object]:
        """The parameters with which make runs the notebook on the recordings in raw/."""
        return with_samples(self, [sample for one in self.selections for sample in one.samples])


@dataclass(frozen=True)
class Plan:
    """What a folder of recordings holds for a figure.

    Attributes
    ----------
    recordings : list of str
        Paths relative to the folder.
    parameters : dict
        All parameters with which the notebook is run.
    missing : list of str
        Roles, or "role:sample", that the figure needs and the folder does not hold.
    """

    recordings: list[str]
    parameters: dict[str, object]
    missing: list[str]


def load(path: str | os.PathLike[str] | None = None) -> dict[str, Figure]:
    """Return the figures by name, in the order of the file.

    Parameters
    ----------
    path : path, optional
        The bundle's own figures.toml unless given.

    Raises
    ------
    TableError
        The file is not TOML, or one of its tables does not describe a figure.
    """
    path = Path(paths.ROOT / "figures.toml" if path is None else path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TableError(f"{path}: there is no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: {error}") from None
    return {name: _figure(name, table, path) for name, table in tables.items()}


def _figure(name: str, table: object, path: Path) -> Figure:
    where = f"{path}, [{name}]"
    if not isinstance(table, dict):
        raise TableError(f"{path}: {name} stands outside of a table: write it below a line such as [fig4b]")
    if not re.fullmatch("[A-Za-z][A-Za-z0-9_-]*", name) or name == "claims":
        raise TableError(f"{where}: a figure cannot have this name: use letters, digits, - and _, but not 'claims'")
    if unknown := [key for key in table if key not in KEYS]:
        raise TableError(f"{where}: {unknown[0]} is unknown: write one of {', '.join(KEYS)}")
    notebook, slow = table.get("notebook"), table.get("slow", False)
    if not isinstance(notebook, str) or not (path.parent / "notebooks" / f"{notebook}.ipynb").is_file():
        raise TableError(f"{where}: notebook must name a notebook: there is no notebooks/{notebook}.ipynb")
    if not isinstance(slow, bool):
        raise TableError(f"{where}: slow must be true or false")
    for key in ("recordings", "optional", "parameters"):
        if not isinstance(table.get(key, {}), dict):
            raise TableError(f"{where}: write {key}.NAME = ... in place of {key} = ...")
    selections = []
    for key in ("recordings", "optional"):
        for role, samples in table.get(key, {}).items():
            if not isinstance(samples, list) or not all(isinstance(sample, str) for sample in samples):
                raise TableError(f'{where}: {key}.{role} must be a list of samples such as ["LLZ"], or []')
            selections.append(Selection(role, tuple(samples), needed=key == "recordings"))
    if not any(one.needed for one in selections):
        raise TableError(f'{where}: it needs recordings: write a line such as recordings.ccd = ["LLZ"]')
    return Figure(notebook, tuple(selections), table.get("parameters", {}), slow)


def with_samples(figure: Figure, samples: Sequence[str]) -> dict[str, object]:
    """Return the parameters of a figure that shows the given samples, each once."""
    return {"samples": list(dict.fromkeys(samples))} | figure.parameters


def plan(figures: Mapping[str, Figure], rows: Sequence[Mapping[str, str]], of_paper: bool = True) -> dict[str, Plan]:
    """Return what the manifest of a folder holds for each figure.

    Parameters
    ----------
    figures : mapping of str to Figure
        From `load`.
    rows : sequence of mapping
        From `manifest.rows`.
    of_paper : bool
        Whether the recordings are those of the paper, whose samples figures.toml names. Of other recordings, the first
        figure of a notebook and role shows all samples.
    """
    plans, shown = {}, set()
    for name, figure in figures.items():
        files: list[str] = []
        samples: list[str] = []
        missing: list[str] = []
        for one in figure.selections:
            named = one.samples if of_paper or (figure.notebook, one.role) in shown else ()
            samples += named
            for sample in named or (None,):
                held = [row["file"] for row in rows if row["role"] == one.role and sample in (None, row["sample"])]
                files += held
                if one.needed and not held:
                    missing.append(one.role if sample is None else f"{one.role}:{sample}")
        shown |= {(figure.notebook, role) for role in figure.roles}
        plans[name] = Plan(files, with_samples(figure, samples), missing)
    return plans
