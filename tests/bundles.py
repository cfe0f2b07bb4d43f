"""A small copy of the bundle, whose notebooks need only the standard library, and what make does with it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from coldbond.bundle.manifest import COLUMNS

ROOT = Path(__file__).parents[1]
RECORDINGS = {  # file: role, sample, and the figures that show it
    "ccd-LLZ.csv": ("ccd", "LLZ", {"fig4b"}),
    "ccd-In-LLZ.csv": ("ccd", "In-LLZ", {"fig4b"}),
    "ccd-RT.csv": ("ccd", "RT-MCL-LLZ", {"fig4b"}),
    "ccd-HT.csv": ("ccd", "HT-MCL-LLZ", {"figS16"}),
    "long RT #1 (50%).csv": ("long-cycling", "RT-MCL-LLZ", {"fig4cd"}),
    "long-HT.csv": ("long-cycling", "HT-MCL-LLZ", {"figS17"}),
    "full.csv": ("full-cell", "RT-MCL-LLZ", {"fig4f", "figS18"}),
    "rate.csv": ("rate", "RT-MCL-LLZ", {"fig4gh"}),
    "unused.csv": ("instrument", "Si", set()),
}
FIGURES = set().union(*(figures for *_, figures in RECORDINGS.values()))
NOTEBOOKS = {
    "fig4b_ccd": {"fig4b", "figS16"},
    "fig4cd_long_cycling": {"fig4cd", "figS17"},
    "fig4f_full_cell": {"fig4f", "figS18"},
    "fig4gh_rate": {"fig4gh"},
}
PARAMETERS = """\
figure: str = "x"
samples: list = []  # cells
panel: str = "capacity"
retained: float = 0.6  # share
windows: list = []"""
SAVE = """\
import json, os, pathlib
shown = f"{samples} {panel} {retained} {os.environ.get('COLDBOND_RAW')}"
for suffix, text in {".png": "", ".json": json.dumps({"shown": shown, "inputs": {}}), ".pdf": ""}.items():
    pathlib.Path(os.environ["COLDBOND_FIGURES"], figure + suffix).write_text(text)
"""

# The claims table of these figures: its verdicts are those that stand in raw/claims.yml.
CLAIMS = """\
import os, pathlib
verdicts = pathlib.Path(os.environ["COLDBOND_RAW"], "claims.yml").read_text()
names = "panel,claim,kind,statement,sample,state,quantity,paper,value,low,high,unit"
names += ",technique,evidence,verdict,would_decide,figure,against,note"
contents = {".csv": names + "\\n" + verdicts, ".html": str(tested), ".png": "", ".json": '{"inputs": {}}', ".pdf": ""}
for suffix, content in contents.items():
    pathlib.Path(os.environ["COLDBOND_FIGURES"], figure + suffix).write_text(content)
"""
ROW = "4b,ccd_llz,step,CCD,LLZ,pristine,critical_current_density,0.2,0.2,0.2,0.3,mA/cm2"
ROW += ",cycling,measured,{verdict},,fig4b,,"


def write_notebook(path: Path, *cells: str, parameters: str = PARAMETERS) -> None:
    code = [new_code_cell(cell, id=f"cell{i}") for i, cell in enumerate([parameters, *cells])]
    code[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(new_notebook(cells=code, metadata={"kernelspec": kernel}), path)


def write_manifest(raw: Path, recordings: dict) -> None:
    raw.mkdir(exist_ok=True)
    lines = [",".join(COLUMNS)]
    for file, (role, sample, *_) in recordings.items():
        (raw / file).write_text(file)
        lines.append(f"{file},,{role},{sample},,measured,,,,,,")
    (raw / "manifest.csv").write_text("\n".join(lines))


def write_table(root: Path) -> None:
    """Write the part of figures.toml whose notebooks the small bundle has."""
    head, *tables = re.split(r"^(?=\[)", (ROOT / "figures.toml").read_text(encoding="utf-8"), flags=re.MULTILINE)
    kept = [table for table in tables if re.search('notebook = "(.*)"', table)[1] in NOTEBOOKS]
    (root / "figures.toml").write_text(head + "".join(kept), encoding="utf-8")


def small_bundle(tmp_path: Path) -> Path:
    """A copy of the bundle, in a folder with a blank in its name, with an environment that is this one."""
    root = tmp_path / "my bundle"
    for folder in ("lib", "lock", "scripts"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "pyproject.toml", "style.toml"):
        shutil.copy(ROOT / name, root)
    write_table(root)
    (root / "notebooks").mkdir()
    for name in NOTEBOOKS:
        write_notebook(root / "notebooks" / f"{name}.ipynb", SAVE)
    write_notebook(
        root / "notebooks" / "claims.ipynb", CLAIMS, parameters='figure: str = "x"\ntested: list = []  # read'
    )
    write_manifest(root / "raw", RECORDINGS)
    (root / "raw" / "claims.yml").write_text(ROW.format(verdict="agrees"))
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (root / ".venv" / ".installed").touch()
    return root


def environment() -> dict[str, str]:
    """The environment without what a `make test` around this one hands down."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "COLDBOND_"))}


def make(bundle: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["make", *arguments], cwd=bundle, env=environment(), capture_output=True, text=True)


def runs(bundle: Path, *arguments: str) -> dict[str, list[str]]:
    """Return what make would run, by figure, as the arguments of scripts/run_notebook.py."""
    printed = make(bundle, "--dry-run", *arguments)
    assert printed.returncode == 0, printed.stderr
    script = "scripts/run_notebook.py"
    commands = [shlex.split(line) for line in printed.stdout.splitlines() if script in line]
    found = [words[words.index(script) + 1 :] for words in commands]
    return {words[1]: words for words in found}


def parameters(run: list[str]) -> list:
    """Return the parameters of a run that make takes from figures.toml and from its command line."""
    first, *given = run[run.index("--parameters") + 1 :]
    return [json.loads(first), *filter(None, given)]


def shown(bundle: Path, figure: str, out: str = "figures") -> str:
    """Return what a figure of the small bundle shows."""
    return json.loads((bundle / out / f"{figure}.json").read_text())["shown"]


def as_if_built(bundle: Path, *imported: str, **imported_by: list[str]) -> None:
    """Give every figure outputs that are newer than all inputs, and a record that it imported some modules."""
    for figure, run in runs(bundle).items():
        executed = bundle / "figures" / "executed"
        modules = [*imported, *imported_by.get(figure, ())]
        header = "# " + json.dumps([run[0], "raw", *run[run.index("--parameters") + 1 :]])
        rule = f"$(out)/{figure}.pdf: {' '.join(modules)}"
        (executed / f"{figure}.d").write_text("\n".join([header, rule, *(f"{module}:" for module in modules)]) + "\n")
        (bundle / "figures" / f"{figure}.pdf").touch()
    before = time.time() - 100
    for folder in ("lib", "lock", "notebooks", "raw", "scripts", "pyproject.toml", "style.toml", ".venv/.installed"):
        for path in (bundle / folder, *(bundle / folder).rglob("*")):
            os.utime(path, (before, before))


def listing(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}
