"""A small copy of the bundle, whose notebooks need only the standard library, and what make does with it."""

import os
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
PARAMETERS = 'figure: str = "x"\nsamples: list = []  # cells\npanel: str = "capacity"\nretained: float = 0.6  # share'
SAVE = """\
import os, pathlib
for suffix in (".png", ".json", ".pdf"):
    path = pathlib.Path(os.environ["COLDBOND_FIGURES"], figure + suffix)
    path.write_text(f"{samples} {panel} {retained} {os.environ.get('COLDBOND_RAW')}")
"""

# The claims table of these figures: its verdicts are those that stand in raw/claims.yml.
CLAIMS = """\
import os, pathlib
verdicts = pathlib.Path(os.environ["COLDBOND_RAW"], "claims.yml").read_text()
names = "panel,claim,sample,state,quantity,paper,value,low,high,unit,evidence,verdict,figure,note"
contents = {".csv": names + "\\n" + verdicts, ".html": str(tested), ".png": "", ".json": "", ".pdf": ""}
for suffix, content in contents.items():
    pathlib.Path(os.environ["COLDBOND_FIGURES"], figure + suffix).write_text(content)
"""
ROW = "4b,ccd_llz,LLZ,pristine,critical_current_density,0.2,0.2,0.2,0.3,mA/cm2,measured,{verdict},fig4b,"


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
        lines.append(f"{file},cycling,{role},{sample},,measured,,,,,,")
    (raw / "manifest.csv").write_text("\n".join(lines))


def small_bundle(tmp_path: Path) -> Path:
    """A copy of the bundle, in a folder with a blank in its name, with an environment that is this one."""
    root = tmp_path / "my bundle"
    shutil.copytree(ROOT / "lib", root / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "lock", root / "lock")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
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
    """Return what make would run, by figure, as the arguments of lib/run_notebook.py."""
    printed = make(bundle, "--dry-run", *arguments)
    assert printed.returncode == 0, printed.stderr
    commands = [shlex.split(line) for line in printed.stdout.replace("\\\n", " ").splitlines()]
    found = [words[words.index("lib/run_notebook.py") + 1 :] for words in commands if "lib/run_notebook.py" in words]
    return {words[1]: words for words in found}


def parameters(run: list[str]) -> list[str]:
    return [text for text in run[run.index("--parameters") + 1 :] if text]


def as_if_built(bundle: Path) -> None:
    """Give every figure outputs that are newer than all inputs."""
    for figure, run in runs(bundle).items():
        executed = bundle / "figures" / "executed"
        executed.mkdir(parents=True, exist_ok=True)
        (executed / f"{figure}.args").write_text(" ".join([run[0], "raw", *parameters(run)]) + "\n")
        (bundle / "figures" / f"{figure}.pdf").touch()
    before = time.time() - 100
    for folder in ("lib", "lock", "notebooks", "raw", "pyproject.toml", ".venv/.installed"):
        for path in (bundle / folder, *(bundle / folder).rglob("*")):
            os.utime(path, (before, before))


def listing(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}
