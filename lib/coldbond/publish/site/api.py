"""The pages of the API: the functions for scripts, and the modules of the analyses that notebooks call."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import coldbond
from coldbond.bundle import paths

TECHNIQUES = {
    "cells": "Cells: critical current density, cycling, rate capability",
    "impedance": "Impedance and conductivity",
    "xrd": "X-ray diffraction",
    "xps": "Photoelectron spectra",
    "raman": "Raman spectra",
    "reaction_energy": "Reaction energies",
}
#: Several names with one type and text: the text is indented more than they are.
SEVERAL = re.compile(r"^( *)(\w+(?:, \w+)+) : (.+)\n((?:\1 +.*\n)+)", re.MULTILINE)
#: Modules that are no technique's.
SHARED = ("coldbond.interval", "coldbond.replicates", "coldbond.constants", "coldbond.files")


def pages() -> dict[str, str]:
    """Return the pages as Markdown, by name; Sphinx takes the text from the docstrings."""
    names = sorted(coldbond.__all__, key=lambda name: (name[0].isupper(), name != "read", name))
    first = [
        "# API",
        "A script needs the functions on this page only: they take what `coldbond.read` returns, and constants of the "
        "cell as arguments. The modules on the pages below are what the notebooks call; they need neither a manifest "
        "nor matplotlib.",
        "\n".join(["```{toctree}", ":maxdepth: 1", "", "shared", *TECHNIQUES, "```"]),
        "## Functions for scripts",
        *(_directive(f"coldbond.{name}") for name in names),
    ]
    shared = [f".. automodule:: {name}\n   :members:\n   :exclude-members: read, ReadError" for name in SHARED]
    made = {"api/index": first, "api/shared": ["# Values with intervals, replicates, constants, formats", *shared]}
    modules = sorted(_called())
    for technique, title in TECHNIQUES.items():
        own = [name for name in modules if name.startswith(f"coldbond.{technique}.")]
        made[f"api/{technique}"] = [
            f"# {title}",
            *(f"## {name}\n\n.. automodule:: {name}\n   :members:" for name in own),
        ]
    return {name: "\n\n".join(map(_in_markdown, parts)) + "\n" for name, parts in made.items()}


def _directive(name: str) -> str:
    kind = "exception" if name.endswith("Error") else "function"
    return f".. auto{kind}:: {name}"


def _in_markdown(part: str) -> str:
    heading, found, directive = part.partition(".. auto")
    return f"{heading}```{{eval-rst}}\n{found}{directive}\n```" if found else part


def _called() -> set[str]:
    """Return the modules of the analyses that the notebooks and `coldbond.analyses` import."""
    sources = [path.read_text(encoding="utf-8") for path in (Path(coldbond.__file__).parent / "analyses").glob("*.py")]
    for path in (paths.ROOT / "notebooks").glob("fig*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    modules = {name for source in sources for name in _imported(source)}
    return {name for name in modules if not {"plots", "findings"} & {*name.split(".")}}


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("coldbond."):
            for one in node.names:
                name = f"{node.module}.{one.name}"
                yield name if _is_module(name) else str(node.module)


def _is_module(name: str) -> bool:
    path = Path(coldbond.__file__).parents[1].joinpath(*name.split("."))
    return path.is_dir() or path.with_name(f"{path.name}.py").is_file()


def prepared(docstring: str) -> str:
    """Return a docstring that Sphinx reads as it is meant: |Z| is a magnitude, and "a, b : int" are two attributes."""
    return SEVERAL.sub(_each, re.sub(r"(?<!`)\|(\w+)\|", r"``|\1|``", docstring))


def _each(found: re.Match[str]) -> str:
    indent, names, kind, text = found.groups()
    return "".join(f"{indent}{name} : {kind}\n{text}" for name in names.split(", "))
