"""Execute one notebook for make.

    python scripts/run_notebook.py NOTEBOOK FIGURE --raw FOLDER --out FOLDER --parameters YAML ...
    python scripts/run_notebook.py NOTEBOOK

The first form builds a figure. OUT/FIGURE.png, .json and .pdf are moved into place together, or not at all if the
notebook fails; the executed notebook is written to OUT/executed/ in either case. The second form renews the outputs
that are stored in the notebook itself.

With another RAW than the bundle's own, a notebook that fails does not fail make: the reason is written to
OUT/FIGURE.json, and `make_rules.py summary` reports it at the end.

Beside the executed notebook lies OUT/executed/FIGURE.d, written in the syntax of make as compilers do: the modules that
the kernel had imported when the last cell had run, and the recordings that the figure was drawn from or should have
been. The next make rebuilds the figure if one of them has changed.
"""

import argparse
import ast
import csv
import fcntl
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

# Warnings of papermill and of the packages that it imports are not for the reader of a figure. The kernel is another
# process; its warnings are shown.
warnings.simplefilter("ignore")
logging.getLogger("papermill").addHandler(logging.NullHandler())

import nbformat  # noqa: E402
import papermill  # noqa: E402
from make_rules import (  # noqa: E402
    FORBIDDEN,
    LIB,
    escaped,
    escaped_target,
    is_own,
    left_out,
    record_header,
    state,
)
from papermill.clientwrap import PapermillNotebookClient  # noqa: E402
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines  # noqa: E402
from tqdm import tqdm  # noqa: E402
from traitlets.config import Config  # noqa: E402

from coldbond.build.notebooks import NotebookError, checked_parameters, first_line, papermill_path  # noqa: E402

#: The files of a figure, in the order in which they are moved into place: make looks at the last.
PICTURE = (".png", ".json", ".pdf")
#: Folders of its other files: pictures for print, and the data that it shows.
BESIDE = ("print", "source_data")
OF_CLAIMS = (".csv", ".html")

#: Evaluated in the kernel: the files of all modules that belong to one of the packages. Modules of other packages are
#: not looked at: some import a whole library when an attribute is asked for.
IMPORTED = """__import__("json").dumps([
    file
    for name, module in list(__import__("sys").modules.items())
    for file in [name.partition(".")[0] in {packages} and getattr(module, "__file__", None)]
    if file
])"""


class RecordingClient(PapermillNotebookClient):
    """Papermill's client, which asks the kernel after the last cell which modules of the library it has imported."""

    imported: list[str] | None = None

    def papermill_execute_cells(self) -> None:
        super().papermill_execute_cells()
        # The warm kernels' own package is imported in forked kernels only, and has no influence on a figure.
        packages = {path.stem for path in LIB.iterdir()} - {"warm_kernel"}
        expressions = {"imported": IMPORTED.format(packages=packages)}
        # An empty cell: it is not shown in the notebook, and its reply carries the value of the expression.
        reply = self.wait_for_reply(self.kc.execute("", silent=True, user_expressions=expressions))
        answer = reply["content"].get("user_expressions", {}).get("imported", {})
        if answer.get("status") == "ok":  # after a cell that failed, the kernel does not answer
            self.imported = json.loads(ast.literal_eval(answer["data"]["text/plain"]))


class RecordingEngine(Engine):
    """Papermill's own engine with `RecordingClient`, which calls `on_end` with the files of the imported modules."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: NotebookExecutionManager, kernel_name: str, on_end: Callable[[list[str]], None], **kwargs: Any
    ) -> None:
        settings = {name: kwargs[name] for name in ("config", "on_cell_start")}
        client = RecordingClient(nb_man, kernel_name=kernel_name, startup_timeout=kwargs["start_timeout"], **settings)
        client.execute()
        if client.imported is not None:
            on_end(client.imported)


papermill_engines.register("recording", RecordingEngine)


def build_figure(notebook: Path, figure: str, raw: str, out: Path, parameters: list[str]) -> bool:
    """Execute a notebook into OUT/FIGURE.png, .json and .pdf, and return whether they are drawn.

    Raises
    ------
    NotebookError
        The notebook failed, with the bundle's own recordings; or a parameter is wrong.
    """
    started = time.time()
    (out / "executed").mkdir(parents=True, exist_ok=True)
    values = checked_parameters(notebook, figure, parameters)
    executed = out / "executed" / f"{figure}.ipynb"
    record = executed.with_suffix(".d")
    with _staging_folder(out) as staging:
        folders = {"RAW": os.path.abspath(raw), "FIGURES": str(staging), "BUILT": os.path.abspath(out)}
        os.environ |= {f"COLDBOND_{name}": folder for name, folder in folders.items()}
        try:
            imported = _execute(notebook, staging / "executed", values, figure, out)
            missing = [suffix for suffix in PICTURE if not (staging / f"{figure}{suffix}").is_file()]
            if missing:
                raise NotebookError(f"{notebook} wrote no {', '.join(figure + one for one in missing)}")
            if imported is None:
                raise NotebookError("the kernel did not say which modules it has imported")
            read = _recordings(staging / f"{figure}.json")
        except NotebookError as error:
            if is_own(raw):
                raise NotebookError(f"{error} (see {executed})") from None
            reason = "; ".join([str(error), *_left_out_before(staging / "executed", str(error))])
            _say(sys.stderr, f"{figure} is not drawn: {reason} (see {executed})")
            nothing = dict(figure=figure, notebook=notebook.stem, parameters=values, inputs={}, values=[])
            numbers = json.dumps(nothing | {"not_drawn": reason}, indent=1, sort_keys=True, ensure_ascii=False)
            (staging / f"{figure}.json").write_text(numbers + "\n", encoding="utf-8", errors="surrogateescape")
            # What an earlier run has drawn is not what the recordings show now.
            for path in (record, *(out / f"{figure}{suffix}" for suffix in (*PICTURE, *OF_CLAIMS))):
                path.unlink(missing_ok=True)
            _replace_beside(staging / "nothing", out, figure)
            os.replace(staging / f"{figure}.json", out / f"{figure}.json")
            return False
        finally:
            with suppress(FileNotFoundError):
                os.replace(staging / "executed", executed)
        # The figure is as old as the start of its run: an input that was edited meanwhile is newer.
        os.utime(staging / f"{figure}.pdf", (started, started))
        # Without a record, make rebuilds the figure. So it does if this process is killed before the last line.
        record.unlink(missing_ok=True)
        _replace_beside(staging, out, figure)
        for suffix in (*OF_CLAIMS, *PICTURE):
            with suppress(FileNotFoundError):
                os.replace(staging / f"{figure}{suffix}", out / f"{figure}{suffix}")
        found = {file: state(os.path.join(raw, file)) for file in read}
        inputs = [os.path.join(raw, file) for file, there in found.items() if there and not FORBIDDEN.search(file)]
        header = f"{record_header(str(notebook), raw, parameters)}\n# {json.dumps(found)}"
        (staging / "record").write_text(
            _record(figure, header, [*_in_library(imported), *inputs]), encoding="utf-8", errors="surrogateescape"
        )
        os.replace(staging / "record", record)
    return True


def _left_out_before(executed: Path, error: str) -> list[str]:
    """Return what a notebook said about recordings that it left out before it failed, unless the error says it."""
    try:
        cells = nbformat.read(executed, as_version=4).cells
    except (OSError, ValueError):
        return []
    outputs = [one for cell in cells for one in cell.get("outputs", ()) if one.get("name") == "stderr"]
    lines = [line for one in outputs for line in one.text.splitlines() if line.startswith("left out: ")]
    return [line for line in lines if line.removeprefix("left out: ") not in error]


def _replace_beside(staging: Path, out: Path, figure: str) -> None:
    """Move what a figure has written into folders of `BESIDE`, and remove what an earlier run of it has left there."""
    contents = out / "source_data" / f"{figure}_contents.csv"
    left = {contents, *out.glob(f"print/{figure}.*")}
    with suppress(FileNotFoundError), contents.open(encoding="utf-8-sig", newline="") as file:
        left |= {out / "source_data" / Path(row[0]).name for row in csv.reader(file) if row and row[0].endswith(".csv")}
    new = {out / folder / path.name: path for folder in BESIDE for path in staging.glob(f"{folder}/*")}
    for path in left - {*new}:
        path.unlink(missing_ok=True)
    for path, staged in new.items():
        path.parent.mkdir(exist_ok=True)
        os.replace(staged, path)


def _in_library(imported: Iterable[str]) -> list[str]:
    """Return those modules that lie in the bundle's lib/, and the data files beside them, which they may read."""
    modules = {Path(file).resolve() for file in imported}
    modules = {path for path in modules if path.is_relative_to(LIB)}
    folders = {path.parent for path in modules}
    data = {path for folder in folders for path in folder.iterdir() if path.is_file()}
    data = {path for path in data if path.suffix not in (".py", ".typed") and not path.name.startswith(".")}
    return sorted(str(path.relative_to(LIB.parent)) for path in modules | data)


def _recordings(numbers: Path) -> list[str]:
    """Return the files that a figure states as its inputs or as left out, and say which are; of the claims, figures."""
    try:
        stated = json.loads(numbers.read_text(encoding="utf-8"))
        files = {*stated["inputs"], *(one["file"] for one in stated.get("left_out", ()))}
    except (ValueError, KeyError, TypeError):
        raise NotebookError(f"{numbers.name} does not state its inputs: write it with figures.save") from None
    for one in stated.get("left_out", ()):
        _say(sys.stderr, left_out(numbers.stem, one))
    return sorted(files)


def _record(figure: str, header: str, inputs: Sequence[str]) -> str:
    """Return what a figure depends on as a rule of make."""
    rule = " \\\n  ".join([f"$(out)/{figure}.pdf:", *map(escaped, inputs)])
    # An input that no longer exists is a target without a recipe, which make takes for newer than the figure. Without
    # these lines it would stop: there is no rule to make the file (gcc -MP does the same).
    vanished = "".join(f"{escaped_target(path)}:\n" for path in inputs)
    return f"{header}\n{rule}\n\n{vanished}"


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


def _execute(notebook: Path, executed: Path, values: Mapping[str, object], name: str, out: Path) -> list[str] | None:
    """Execute a notebook in its own folder, with a kernel of its own; raise NotebookError with the first error.

    Return the files of the library's modules that the kernel had imported at the end.
    """
    count, imported = 0, None

    def ends(files: list[str]) -> None:
        nonlocal imported
        imported = files

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
                papermill_path(notebook),
                papermill_path(executed),
                values,
                kernel_name="python3",
                language="python",
                cwd=notebook.parent,
                progress_bar=False,
                request_save_on_cell_execute=False,  # it is written once, at the end, however that comes
                config=settings,
                engine_name="recording",
                on_cell_start=starts,
                on_end=ends,
            )
        except papermill.PapermillExecutionError as error:
            place = "" if error.ename == "NoRecordings" else f"In [{error.exec_count}]: {error.ename}: "
            raise NotebookError(place + first_line(error.evalue)) from None
        except Exception as error:  # the kernel died or did not start: papermill has no name for it
            raise NotebookError(f"In [{count}]: {type(error).__name__}: {first_line(str(error))}") from None
    return imported


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


def _say(stream: TextIO, text: str, end: str = "\n") -> None:
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
            if not build_figure(given.notebook, given.figure, given.raw, given.out, given.parameters):
                return 0
        else:
            renew_outputs(given.notebook)
    except NotebookError as error:
        _say(sys.stderr, f"{name}: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    _say(sys.stdout, f"{name:<10}{time.monotonic() - started:5.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
