"""Notebooks as papermill runs them: the parameters that they take, checked before anything is executed."""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import papermill
import yaml


class NotebookError(Exception):
    """Why a notebook gave no figure, in one line."""


def defaults(notebook: Path) -> dict[str, object]:
    """Return the parameters of a notebook with the values that stand in its first cell."""
    known = papermill.inspect_notebook(papermill_path(notebook))
    return {name: ast.literal_eval(one["default"]) for name, one in known.items()}


def checked_parameters(notebook: Path, figure: str, parameters: Sequence[str]) -> dict[str, object]:
    """Return the values to run a notebook with.

    Parameters
    ----------
    notebook : Path
    figure : str
        Name of the figure.
    parameters : sequence of str
        Mappings from name to value as JSON or YAML. A later one overrides the earlier ones.

    Raises
    ------
    NotebookError
        A text is not such a mapping, the notebook lacks a parameter (papermill would only warn), or a value is of
        another type than in the notebook.
    """
    values: dict[str, object] = {"figure": figure}
    for text in filter(str.strip, parameters):
        values |= _mapping(text)
    try:
        known = papermill.inspect_notebook(papermill_path(notebook))
    except ValueError as error:  # it is not JSON, or names no kernel
        raise NotebookError(f"{notebook} cannot be read: {first_line(str(error))}") from None
    unknown = [str(name) for name in values if name not in known]
    if unknown:
        raise NotebookError(f"unknown parameter {', '.join(unknown)}: {notebook} knows {', '.join(known) or 'none'}")
    for name, value in values.items():
        wanted = known[name]["inferred_type_name"]
        fits = type(value).__name__ == wanted or (wanted == "float" and type(value) is int)
        if wanted in ("bool", "int", "float", "str", "list", "dict") and not fits:
            raise NotebookError(f"parameter {name} is {value!r}: give a {wanted}, such as {known[name]['default']}")
    return values


def _mapping(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)  # YAML 1.1 would read the number 1e-6 as text
    except ValueError:
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError:
            found = None
    if not isinstance(found, dict):
        raise NotebookError(f"the parameters {text!r} are not YAML of the form 'name: value'")
    return found


def papermill_path(path: Path) -> str:
    """Return a path in the form that papermill takes: it replaces {name} in its paths."""
    return str(path.absolute()).replace("{", "{{").replace("}", "}}")


def first_line(message: str) -> str:
    """Return the first line of an error's message, without the codes that colour a terminal."""
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", message).strip()
    return plain.splitlines()[0] if plain else ""
