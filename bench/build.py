"""All figures of the bundle, from nothing and again, and its notebooks' stored outputs checked, each as a user would.

The others run the same notebooks with the same parameters, one after another as they do unless told otherwise, in the
same environment variables. The claims table, which needs the other figures, is last, and reads the committed ones.
"""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from coldbond.build import figures_table

ROOT = Path(__file__).parents[1]
BUILD = "all figures from nothing; figures"
AGAIN = "all figures again, nothing changed; figures"
CHECK = "nbval of the notebooks; cells that pass"


def figures() -> dict[str, tuple[Path, dict]]:
    """Return the notebook and the parameters of each figure as make would run them, the claims table last."""
    table = figures_table.load()
    found = {
        name: (ROOT / "notebooks" / f"{figure.notebook}.ipynb", {"figure": name} | figure.all_parameters)
        for name, figure in table.items()
    }
    return found | {"claims": (ROOT / "notebooks" / "claims.ipynb", {"figure": "claims", "tested": list(table)})}


def run(command: Sequence[str | Path], **environment: str) -> subprocess.CompletedProcess:
    ended = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError(f"{shlex.join(map(str, command))}: {ended.stderr or ended.stdout}")
    return ended


@contextmanager
def folders():
    """Give a folder to build into, and the environment in which a notebook reads raw/ and writes there."""
    with TemporaryDirectory() as folder:
        out = Path(folder, "out")
        out.mkdir()
        yield (
            out,
            {
                "COLDBOND_RAW": str(ROOT / "raw"),
                "COLDBOND_FIGURES": str(out),
                "COLDBOND_BUILT": str(ROOT / "figures"),
                "JUPYTER_DEFAULT_PROVISIONER_NAME": "local-provisioner",
            },
        )


def timed(commands: Sequence[Sequence[str | Path]], out: Path, **environment: str) -> dict:
    started = time.perf_counter()
    try:
        for command in commands:
            run(command, **environment)
    except RuntimeError as error:  # the table says it
        return {"fails": str(error).splitlines()[0]}
    return {"seconds": time.perf_counter() - started, "found": len(list(out.glob("*.pdf")))}


def make(*options: str) -> Callable[[int], dict]:
    def measure(seed: int) -> dict:
        with folders() as (out, _):
            command = ["make", "figures", f"OUT={out}", *options]
            # Read at import, so that kernels have a server of their own, which the first of them starts.
            own = {"PYTHON_BENCH": f"{os.getpid()}-{seed}"}
            return {task: timed([command], out, **own) for task in (BUILD, AGAIN)}

    return measure


def cells(seed: int) -> dict:
    """Measure what no build can do without: the seconds of all cells, each notebook run alone, shared by all cores."""
    with folders() as (out, _):
        run(["make", "figures", f"OUT={out}", "-j1"])
        of_figures = durations(out)
    return {BUILD: {"seconds": sum(map(sum, of_figures.values())) / os.cpu_count(), "found": len(of_figures)}}


def durations(out: Path) -> dict[str, list[float]]:
    """Return the seconds of each figure's cells, as papermill has written them into its notebook."""
    found = {}
    for path in sorted((out / "executed").glob("*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        found[path.stem] = [cell["metadata"].get("papermill", {}).get("duration") or 0.0 for cell in cells]
    return found


def papermill(seed: int) -> dict:
    with folders() as (out, environment):
        commands = [
            [sys.executable, "-m", "papermill", notebook, out / f"{name}.ipynb", "-y", json.dumps(parameters),
             "--cwd", notebook.parent, "--no-progress-bar"]
            for name, (notebook, parameters) in figures().items()
        ]  # fmt: skip
        return {BUILD: timed(commands, out, **environment)}


def prepared(out: Path) -> list[Path]:
    """Return the notebooks with their parameters in them, for those that have no parameters."""
    written = []
    for name, (notebook, parameters) in figures().items():
        written.append(out.parent / f"{name}.ipynb")
        run([sys.executable, "-m", "papermill", "--prepare-only", notebook, written[-1], "-y", json.dumps(parameters)])
    return written


def nbconvert(seed: int) -> dict:
    with folders() as (out, environment):
        command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--output-dir", out]
        return {BUILD: timed([[*command, *prepared(out)]], out, **environment)}


def jupyter_cache(executor: str) -> Callable[[int], dict]:
    def measure(seed: int) -> dict:
        with folders() as (out, environment):
            environment["JUPYTERCACHE"] = str(out.parent / "cache")
            jcache = [Path(sys.executable).with_name("jcache")]
            (out.parent / "cache").mkdir()
            run([*jcache, "notebook", "add", *prepared(out)], **environment)
            execute = [*jcache, "project", "execute", "--executor", executor, "--timeout", "600"]
            return {task: timed([execute], out, **environment) for task in (BUILD, AGAIN)}

    return measure


def nbval(*options: str) -> Callable[[int], dict]:
    def measure(seed: int) -> dict:
        with folders() as (out, _):
            started = time.perf_counter()
            try:
                checked = run(["make", "nbval", *options], COLDBOND_FIGURES=str(out))
            except RuntimeError as error:
                return {CHECK: {"fails": str(error).splitlines()[0]}}
            seconds = time.perf_counter() - started
        words = checked.stdout.split()
        return {CHECK: {"seconds": seconds, "found": int(words[words.index("passed") - 1])}}

    return measure


CONTENDERS = {
    "coldbond, `make figures`": (make(), 3),
    "coldbond, `make figures WARM=0`": (make("WARM=0"), 3),
    "a bound: the cells' own computing over the cores": (cells, 3),
    "papermill CLI": (papermill, 3),
    "nbconvert --execute": (nbconvert, 3),
    "jupyter-cache": (jupyter_cache("local-serial"), 3),
    "jupyter-cache, local-parallel": (jupyter_cache("local-parallel"), 3),
    "coldbond, in `make test`": (nbval(), 3),
    "nbval with ordinary kernels": (nbval("WARM=0"), 3),
}
