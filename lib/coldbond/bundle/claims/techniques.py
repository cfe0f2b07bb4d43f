"""The techniques of the recordings that a figure shows."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from coldbond.bundle import manifest


def of_figures(figures: Mapping[str, Mapping], raw: Path) -> dict[str, list[str]]:
    """Return the techniques of each figure, in the order in which the manifest of `raw` names them.

    Parameters
    ----------
    figures : mapping of str to mapping
        Contents of figures/NAME.json by name.
    raw : pathlib.Path
        The folder of recordings of which the figures were made.
    """
    rows = manifest.load(raw).listed if os.path.isfile(manifest.path(raw)) else []
    of_files = {row["file"]: row["technique"] or manifest.TECHNIQUES.get(row["role"], "") for row in rows}
    return {
        name: [one for file, one in of_files.items() if one and file in numbers.get("inputs", ())]
        for name, numbers in figures.items()
    }


def joined(techniques: Iterable[Iterable[str]]) -> str:
    """Return techniques as a cell of the table: "eis, dc"."""
    return ", ".join(dict.fromkeys(one for some in techniques for one in some))
