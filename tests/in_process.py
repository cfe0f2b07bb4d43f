"""Run a notebook of the bundle in this process, and keep the figure that it draws."""

import json
from pathlib import Path

import pytest

from coldbond.build import figures_table
from coldbond.bundle import paths


def executed(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **parameters: object) -> dict[str, object]:
    """Return the names that the notebook of a figure of figures.toml defines; it writes into a folder."""
    monkeypatch.setattr(paths, "FIGURES", folder)
    figure = figures_table.load()[name]
    samples = [sample for selection in figure.selections for sample in selection.samples]
    given = {"figure": name, **figures_table.with_samples(figure, samples), **parameters}
    cells = json.loads((paths.ROOT / "notebooks" / f"{figure.notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {"__name__": "__main__"}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), name, "exec"), names)
            if "parameters" in cell["metadata"].get("tags", ()):
                names |= given
    return names
