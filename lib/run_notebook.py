"""Execute one notebook for make.

    python lib/run_notebook.py NOTEBOOK FIGURE --raw FOLDER --out FOLDER --parameters YAML ...
    python lib/run_notebook.py NOTEBOOK

The first builds a figure: OUT/FIGURE.png, .json and .pdf appear whole or not at all, and the executed notebook lies in
OUT/executed/ whether it failed or not. The second renews the outputs stored in the notebook itself.
"""

import argparse
import fcntl
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Those of papermill and what it imports, which no reader can mend: the kernel, another process, warns as ever.
warnings.simplefilter("ignore")
logging.getLogger("papermill").addHandler(logging.NullHandler())

import nbformat  # noqa: E402
import papermill  # noqa: E402
import yaml  # noqa: E402
from tqdm import tqdm  # noqa: E402
from traitlets.config import Config  # noqa: E402

PICTURE = (".png", ".json", ".pdf")  # in the order in which they appear: make looks at the last


class Failure(Exception):
    """Why there is no figure, in one line."""


def build_figure(notebook: Path, figure: str, raw: str, out: Path, parameters: list[str]) -> None:
    """Execute a notebook into OUT/FIGURE.png, .json and .pdf; raise Failure where it cannot be done."""
    started = time.time()
    (out / "executed").mkdir(parents=True, exist_ok=True)
    values = checked_parameters(notebook, figure, parameters)
    executed = out / "executed" / f"{figure}.ipynb"
    built_with = executed.with_suffix(".args")
    with _staging_folder(out) as staging:
        folders = {"RAW": os.path.abspath(raw), "FIGURES": str(staging), "BUILT": os.path.abspath(out)}
        os.environ |= {f"COLDBOND_{name}": folder for name, folder in folders.items()}
        try:
            _execute(notebook, staging / "executed", values, figure, out)
        except Failure as failure:
            raise Failure(f"{failure} (see {executed})") from None
        finally:
            with suppress(FileNotFoundError):
                os.replace(staging / "executed", executed)
        missing = [suffix for suffix in PICTURE if not (staging / f"{figure}{suffix}").is_file()]
        if missing:
            raise Failure(f"{notebook} wrote no {', '.join(figure + suffix for suffix in missing)} (see {executed})")
        # As old as the inputs it was made from: one that is edited meanwhile is newer than the figure.
        os.utime(staging / f"{figure}.pdf", (started, started))
        built_with.unlink(missing_ok=True)
        others = [path.suffix for path in staging.glob(f"{figure}.*") if path.suffix not in PICTURE]  # of the claims
        for suffix in (*sorted(others), *PICTURE):
            os.replace(staging / f"{figure}{suffix}", out / f"{figure}{suffix}")
        # What make compares with, to build anew where the parameters are others.
        built_with.write_text(" ".join([str(notebook), raw, *parameters]).strip() + "\n", encoding="utf-8")


def renew_outputs(notebook: Path) -> None:
    """Execute a notebook with its own parameters and store its outputs in it, without what changes every time."""
    with _staging_folder(notebook.parent) as staging:
        os.environ["COLDBOND_FIGURES"] = str(staging)
        _execute(notebook, staging / "executed", {}, notebook.stem, notebook.parent)
        nb = nbformat.read(staging / "executed", as_version=4)
        nb.metadata = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        for cell in nb.cells:
            kept = {name: value for name, value in cell.metadata.items() if name not in ("papermill", "execution")}
            cell.metadata = {name: value for name, value in kept.items() if value != []}
        nbformat.write(nb, staging / "renewed")
        if (staging / "renewed").read_bytes() != notebook.read_bytes():  # else its figures would be out of date
            os.replace(staging / "renewed", notebook)


def checked_parameters(notebook: Path, figure: str, parameters: list[str]) -> dict:
    """Return the parameters by name, the later ones winning; papermill only warns of one that the notebook lacks."""
    values = {"figure": figure}
    for text in filter(str.strip, parameters):
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError:
            found = None
        if not isinstance(found, dict):
            raise Failure(f"the parameters {text!r} are not YAML of the form 'name: value'")
        values |= found
    try:
        known = papermill.inspect_notebook(as_papermill_path(notebook))
    except ValueError as error:  # no JSON, or no kernel named
        raise Failure(f"{notebook} cannot be read: {_first_line(str(error))}") from None
    unknown = [str(name) for name in values if name not in known]
    if unknown:
        raise Failure(f"unknown parameter {', '.join(unknown)}: {notebook} knows {', '.join(known) or 'none'}")
    for name, value in values.items():
        wanted = known[name]["inferred_type_name"]
        fits = type(value).__name__ == wanted or (wanted == "float" and type(value) is int)
        if wanted in ("bool", "int", "float", "str", "list", "dict") and not fits:
            raise Failure(f"parameter {name} is {value!r}: give a {wanted}, such as {known[name]['default']}")
    return values


def _execute(notebook: Path, executed: Path, values: dict, name: str, out: Path) -> None:
    """Execute a notebook in its own folder, with a kernel of its own; raise Failure with the first error."""
    count = 0

    def starts(cell: nbformat.NotebookNode, cell_index: int) -> None:
        nonlocal count
        count += cell.cell_type == "code"
        draw(cell_index)

    cells = len(nbformat.read(notebook, as_version=4).cells) + bool(values)  # papermill adds one for the values
    with _private_runtime(executed.parent) as runtime, _bar(name, cells, out) as draw:
        # Sockets, not ports, of which two kernels that start at once can be given the same (papermill issue 511). Their
        # name is given too: jupyter_client's own for them is the same for all kernels of a folder.
        settings = Config({"KernelManager": {"transport": "ipc", "ip": f"{runtime}/kernel"}})
        settings.NotebookClient.shutdown_kernel = "immediate"
        try:
            papermill.execute_notebook(
                as_papermill_path(notebook),
                as_papermill_path(executed),
                values,
                kernel_name="python3",
                language="python",
                cwd=notebook.parent,
                progress_bar=False,
                request_save_on_cell_execute=False,  # it is written once, at the end, however that comes
                config=settings,
                on_cell_start=starts,
            )
        except papermill.PapermillExecutionError as error:
            raise Failure(f"In [{error.exec_count}]: {error.ename}: {_first_line(error.evalue)}") from None
        except Exception as error:  # the kernel died or did not start: papermill has no name for it
            raise Failure(f"In [{count}]: {type(error).__name__}: {_first_line(str(error))}") from None


def as_papermill_path(path: Path) -> str:
    return str(path.absolute()).replace("{", "{{").replace("}", "}}")  # papermill formats its paths


def _first_line(message: str) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", message).strip()
    return plain.splitlines()[0] if plain else ""


@contextmanager
def _staging_folder(out: Path) -> Iterator[Path]:
    """Make a folder in `out`, from where a file moves into it whole; remove it, and those of runs that were killed."""
    lock = os.open(out, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    for left in out.glob(".staging-*"):
        with suppress(BlockingIOError):
            os.close(_locked(left))
            shutil.rmtree((left / "runtime").resolve(), ignore_errors=True)
            shutil.rmtree(left, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=out)).absolute()
    mine = _locked(staging)  # the lock goes with the process, however that ends
    os.close(lock)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        os.close(mine)


def _locked(folder: Path) -> int:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def _private_runtime(staging: Path) -> Iterator[str]:
    """Give the kernel a folder for its sockets and settings: short, since a socket's path has at most 100 letters."""
    with tempfile.TemporaryDirectory(prefix="coldbond-", dir="/tmp", ignore_cleanup_errors=True) as runtime:
        (staging / "runtime").symlink_to(runtime)
        os.environ |= {"JUPYTER_RUNTIME_DIR": runtime, "IPYTHONDIR": runtime}
        yield runtime


@contextmanager
def _bar(name: str, cells: int, out: Path) -> Iterator[Callable[[int], None]]:
    """Give a function that draws how far the notebook is; of several runs at once, one has the terminal's last line."""
    started = time.monotonic()
    lock = os.open(out / "executed" if (out / "executed").is_dir() else out, os.O_RDONLY)

    def draw(done: int) -> None:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            meter = tqdm.format_meter(done, cells, time.monotonic() - started, ncols=79, prefix=name, unit="cell")
            _say(sys.stderr, meter, end="")

    try:
        yield draw if sys.stderr.isatty() else lambda done: None
    finally:
        os.close(lock)


def _say(stream, text: str, end: str = "\n") -> None:
    """Write a line at once, over the bar if there is one."""
    stream.write(("\r\x1b[K" if stream.isatty() else "") + text + end)
    stream.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("figure", nargs="?")
    parser.add_argument("--raw", default="raw")
    parser.add_argument("--out", type=Path, default=Path("figures"))
    parser.add_argument("--parameters", nargs="*", default=[], metavar="YAML")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception, so that the kernel is ended first
    started = time.monotonic()
    name = given.figure or given.notebook.stem
    try:
        if given.figure:
            build_figure(given.notebook, given.figure, given.raw, given.out, given.parameters)
        else:
            renew_outputs(given.notebook)
    except Failure as failure:
        _say(sys.stderr, f"{name}: {failure}")
        return 1
    except KeyboardInterrupt:
        return 130
    _say(sys.stdout, f"{name:<10}{time.monotonic() - started:5.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
