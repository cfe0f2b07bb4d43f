"""The page of the API: the functions for scripts, and the modules of the analyses that notebooks call."""

import ast
import json
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
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
#: Modules that are no technique's.
SHARED = ("coldbond.interval", "coldbond.replicates", "coldbond.constants", "coldbond.files")


def page() -> str:
    """Return the page as Markdown; Sphinx takes the text from the docstrings."""
    parts = [
        "# API",
        "A script needs the functions of the first section only: they take what `coldbond.read` returns, and "
        "constants of the cell as arguments. The modules below them are what the notebooks call; they need neither a "
        "manifest nor matplotlib.",
        "## Functions for scripts",
        *(_directive(f"coldbond.{name}") for name in coldbond.__all__),
        "## Values with intervals, replicates, constants, formats",
        *(f".. automodule:: {name}\n   :members:\n   :exclude-members: read, ReadError" for name in SHARED),
    ]
    modules = sorted(_called())
    for technique, title in TECHNIQUES.items():
        own = [name for name in modules if name.startswith(f"coldbond.{technique}.")]
        parts += [f"## {title}", *(f"### {name}\n\n.. automodule:: {name}\n   :members:" for name in own)]
    return "\n\n".join(map(_in_markdown, parts)) + "\n"


def _directive(name: str) -> str:
    kind = "exception" if isinstance(getattr(coldbond, name.rpartition(".")[2]), type) else "function"
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
            package = import_module(str(node.module))
            for one in node.names:
                name = f"{node.module}.{one.name}"
                is_module = hasattr(package, "__path__") and find_spec(name)
                yield name if is_module else str(node.module)


def in_words(text: str) -> str:
    """Return a line of a docstring in which |Z|, the magnitude, is no substitution of reStructuredText."""
    return re.sub(r"(?<!`)\|(\w+)\|", r"``|\1|``", text)
