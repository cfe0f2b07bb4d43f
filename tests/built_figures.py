"""Folders of built figures for the tests of what publishes them, without running a notebook."""

import csv
import hashlib
import json
import shutil
from pathlib import Path

from matplotlib.figure import Figure

from coldbond.bundle.manifest import COLUMNS

ROOT = Path(__file__).parents[1]
PYTHON = "3.11.9"


def write_pdf(path: Path, width_mm: float = 89, height_mm: float = 60, fill: str = "white") -> None:
    """Write a picture of a size, which depends on nothing else."""
    figure = Figure(figsize=(width_mm / 25.4, height_mm / 25.4), facecolor=fill)
    figure.text(0.5, 0.5, path.stem, ha="center")
    figure.savefig(path, metadata={"CreationDate": None, "Producer": None, "Creator": None})


def write_executed(out: Path, name: str) -> None:
    (out / "executed").mkdir(exist_ok=True)
    notebook = {"cells": [], "metadata": {"language_info": {"name": "python", "version": PYTHON}}, "nbformat": 4}
    (out / "executed" / f"{name}.ipynb").write_text(json.dumps(notebook))


def built(raw: Path, out: Path) -> None:
    """Write the figures of the bundle as git has them, with PDFs that show nothing."""
    out.mkdir(exist_ok=True)
    write_pdf(out / "claims.pdf", 183, 90)
    for path in (ROOT / "figures").glob("*.json"):
        shutil.copy(path, out)
        shutil.copy(path.with_suffix(".png"), out)
        if path.stem != "claims":
            shutil.copy(out / "claims.pdf", out / f"{path.stem}.pdf")
        write_executed(out, path.stem)
    for name in ("claims.csv", "claims.html"):
        shutil.copy(ROOT / "figures" / name, out)
    shutil.copytree(ROOT / "figures" / "multiverse", out / "multiverse", ignore=shutil.ignore_patterns("runs"))
    (out / "source_data").mkdir(exist_ok=True)
    (out / "source_data" / "fig4b_i.csv").write_text("x,y\n1,2\n")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


#: Recordings whose names hold what is special in addresses, in typst and in HTML, and letters that few fonts have.
HOSTILE = {
    "cells #1/α 记录 50%.csv": ("ccd", "#set page(fill: red)", "0.5 mA/cm2"),
    "b<i>$x$.csv": ("ccd", "@cite *β* `λ` 电池", "*"),
    "broken.csv": ("ccd", "it's $(broken) #1", ""),
    "clock.csv": ("long-cycling", "A_1" + "x" * 120, "~\\"),
}


def one_figure(folder: Path) -> tuple[Path, Path]:
    """Write a group's recordings with one figure, from which a recording is left out, and one that is not drawn.

    Returns
    -------
    tuple of Path, Path
        The folders of the recordings and of the figures.
    """
    raw, out = folder / "raw <i>", folder / "out $x$"
    raw.mkdir(parents=True)
    out.mkdir()
    lines = [",".join(COLUMNS)]
    for file, (role, sample, state) in HOSTILE.items():
        (raw / file).parent.mkdir(exist_ok=True)
        (raw / file).write_text(file, encoding="utf-8")
        lines.append(f"{file},,{role},{sample},{state},measured,,,,,,<b>a note</b>")
    (raw / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (raw / "LICENSE").write_text("ours")
    (raw / "private notes.txt").write_text("not in the manifest")

    numbers = json.loads((ROOT / "figures" / "fig4b.json").read_text(encoding="utf-8"))
    one, other, broken, _ = HOSTILE
    for value in numbers["values"]:
        value |= {"sample": HOSTILE[one][1], "note": "#panic() $1^2$ @here <label> // 低 ☃"}
    numbers |= {
        "origin": "measured",
        "inputs": {file: sha256(raw / file) for file in (one, other)},
        "left_out": [
            {"file": broken, "sample": HOSTILE[broken][1], "state": "", "replicate": "", "reason": "line 3: #eval(1)"}
        ],
    }
    not_drawn = {
        **{"figure": "fig4cd", "notebook": "fig4cd_long_cycling", "parameters": {}, "inputs": {}, "values": []},
        "not_drawn": "In [3]: it has no <clock>",
    }
    claims = {"figure": "claims", "notebook": "claims", "parameters": {"tested": ["fig4b"]}, "values": []}
    claims |= {"inputs": {"claims.yml": sha256(ROOT / "raw" / "claims.yml")}, "origin": "measured"}
    for name, content in {"fig4b": numbers, "fig4cd": not_drawn, "claims": claims}.items():
        (out / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    shutil.copy(ROOT / "figures" / "fig4b.png", out)
    for name in ("fig4b", "claims"):
        write_pdf(out / f"{name}.pdf")
    with (ROOT / "figures" / "claims.csv").open(encoding="utf-8", newline="") as table:
        names, *rows = csv.reader(table)
    kept = [names, *(row for row in rows if not row[names.index("figure")])]  # what hangs on no figure
    with (out / "claims.csv").open("w", encoding="utf-8", newline="") as table:
        csv.writer(table).writerows(kept)
    write_executed(out, "fig4b")
    return raw, out
