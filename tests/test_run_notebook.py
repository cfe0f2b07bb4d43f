"""scripts/run_notebook.py as make calls it, on a small copy of the bundle: errors, kills, the terminal, and kernels."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from bundles import ROOT, SAVE, environment, listing, make, runs, small_bundle, write_notebook

bundle = pytest.fixture(small_bundle)


def test_a_failing_notebook_is_one_line_and_hinders_no_other(bundle):
    assert make(bundle, "fig4gh").returncode == 0
    good = listing(bundle / "figures")
    write_notebook(
        bundle / "notebooks" / "fig4gh_rate.ipynb", SAVE, r"raise ValueError('\x1b[31mtoo\x1b[0m bad\nmore')", SAVE
    )

    result = make(bundle, "fig4gh", "figS16")

    assert result.returncode == 2
    said = [line for line in result.stderr.splitlines() if not line.startswith("make: ")]
    assert said == ["fig4gh: In [4]: ValueError: too bad (see figures/executed/fig4gh.ipynb)"]
    assert (bundle / "figures" / "figS16.pdf").exists()
    outputs = nbformat.read(bundle / "figures" / "executed" / "fig4gh.ipynb", 4).cells
    assert [output.ename for cell in outputs for output in cell.get("outputs", ())] == ["ValueError"]
    now = listing(bundle / "figures")
    assert all(now[path] == good[path] for path in good if path.stem == "fig4gh" and path.parent.name == "figures")
    assert not list((bundle / "figures").glob(".staging-*"))
    assert set(runs(bundle, "fig4gh")) == {"fig4gh"}


@pytest.mark.parametrize(
    ("cells", "more", "said"),
    [
        (
            [SAVE],
            "panels: x",
            "unknown parameter panels: notebooks/fig4f_full_cell.ipynb knows figure, samples, panel, ",
        ),
        ([SAVE], "panel:x", "the parameters 'panel:x' are not YAML of the form 'name: value'"),
        ([SAVE], "[", "the parameters '[' are not YAML of the form 'name: value'"),
        (["import os; os._exit(1)", SAVE], "", "In [3]: DeadKernelError: "),
        ([SAVE], "retained: 0,5", "parameter retained is '0,5': give a float, such as 0.6"),
        ([SAVE], "{retained: 1, x: 2, y: 3}", "unknown parameter x, y: notebooks/fig4f_full_cell.ipynb knows figure, "),
        (["raise SystemExit", SAVE], "", "notebooks/fig4f_full_cell.ipynb wrote no fig4f.png, fig4f.json, fig4f.pdf"),
        ([SAVE.replace(".json", ".txt")], "", "notebooks/fig4f_full_cell.ipynb wrote no fig4f.json"),
    ],
)
def test_what_else_can_be_wrong_is_one_line_too(bundle, cells, more, said):
    write_notebook(bundle / "notebooks" / "fig4f_full_cell.ipynb", *cells)
    result = make(bundle, "fig4f", f"PARAMETERS={more}")
    assert result.returncode == 2
    first, *others = result.stderr.splitlines()
    assert first.startswith(f"fig4f: {said}")
    assert all(line.startswith("make: ") for line in others)
    assert [path.name for path in (bundle / "figures").iterdir()] == ["executed"]


def wait_until(condition) -> None:
    """Wait for another process, half a minute at most."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_build_that_is_killed_leaves_nothing_half_done(bundle, number):
    path, running = bundle / "notebooks" / "fig4gh_rate.ipynb", bundle / "running"
    wait = f"pathlib.Path({str(running)!r} + '.new').write_text(str(os.getpid()))\n"
    wait += f"os.replace({str(running)!r} + '.new', {str(running)!r})\nimport threading; threading.Event().wait()"
    write_notebook(path, SAVE, wait)
    build = subprocess.Popen(
        *(["make", "fig4gh"],), cwd=bundle, env=environment(), start_new_session=True, stderr=subprocess.DEVNULL
    )
    wait_until(running.exists)

    os.killpg(build.pid, number)

    assert build.wait(30) != 0
    kernel = int(running.read_text())
    wait_until(lambda: is_gone(kernel))
    assert not list((bundle / "figures").glob("fig4gh*"))
    write_notebook(path, SAVE)
    assert make(bundle, "fig4gh").returncode == 0
    assert {path.name for path in (bundle / "figures").iterdir()} == {
        *("fig4gh.pdf", "fig4gh.png", "fig4gh.json", "executed")
    }


def test_on_a_terminal_one_bar_stands_below_the_lines(bundle):
    master, terminal = pty.openpty()
    build = subprocess.Popen(
        ["make", "-j2", "fig4gh", "figS16"], cwd=bundle, env=environment(), stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    written = b""
    while chunk := _read(master):
        written += chunk
    os.close(master)
    assert build.wait(30) == 0
    bars = re.findall(r"\r\x1b\[K(\w+): +\d+%\|", written.decode())
    assert {"fig4gh", "figS16"} >= set(bars) and len(bars) >= 3
    seen = [line.rpartition("\r\x1b[K")[2] for line in written.decode().split("\r\n")]
    lines = [line for line in seen if line and " lies in " not in line]
    assert sorted(line.split()[0] for line in lines) == ["fig4gh", "figS16"]
    assert all(re.fullmatch(r"\w+ +\d+\.\d s", line) for line in lines)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # how Linux says that the other end is closed
        return b""


def test_renewed_outputs_are_the_same_every_time(bundle):
    path = bundle / "notebooks" / "fig4gh_rate.ipynb"
    write_notebook(path, SAVE, "print(retained)")
    assert make(bundle, "renew-fig4gh_rate").returncode == 0
    renewed, when = path.read_bytes(), path.stat().st_mtime_ns
    assert make(bundle, "renew-fig4gh_rate").returncode == 0
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (renewed, when)
    notebook = json.loads(renewed)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert [cell["metadata"] for cell in notebook["cells"]] == [{"tags": ["parameters"]}, {}, {}]
    assert notebook["cells"][2]["outputs"][0]["text"] == ["0.6\n"]
    assert [path.name for path in (bundle / "figures").rglob("*") if path.is_file()] == ["rules.mk"]


@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")
@pytest.mark.parametrize("given, forked", [([], True), (["WARM=1"], True), (["WARM=0"], False)])
def test_kernels_are_forked_unless_warm_is_0(bundle, given, forked):
    parent = "print('warm_kernel.server' in open(f'/proc/{os.getppid()}/cmdline').read())"
    write_notebook(bundle / "notebooks" / "fig4gh_rate.ipynb", SAVE, parent)
    assert make(bundle, "fig4gh", *given).returncode == 0
    cells = nbformat.read(bundle / "figures" / "executed" / "fig4gh.ipynb", 4).cells
    assert cells[-1].outputs[0].text == f"{forked}\n"


def test_a_real_figure_has_the_same_bytes_from_any_folder_with_any_number_of_jobs_and_any_kernel(tmp_path):
    for folder, goals in (("here", ["-j1", "fig4b"]), ("else where", ["-j2", "fig4b", "figS16", "WARM=0"])):
        (tmp_path / folder).mkdir()
        inputs = ("figures.toml", "style.toml", "pyproject.toml", "lib", "lock", "notebooks", "raw")
        for name in ("Makefile", "scripts", *inputs):
            (tmp_path / folder / name).symlink_to(ROOT / name)
        (tmp_path / folder / ".venv").symlink_to(sys.prefix)
        result = make(tmp_path / folder, *goals, "--assume-old=.venv/.installed")
        assert result.returncode == 0, result.stderr
    here, there = (tmp_path / folder / "figures" for folder in ("here", "else where"))
    files = [path.relative_to(here) for path in here.rglob("fig4b*") if path.parent.name != "executed"]
    assert {str(path) for path in files} >= {"fig4b.pdf", "fig4b.png", "fig4b.json", "source_data/fig4b_contents.csv"}
    for path in files:
        assert (here / path).read_bytes() == (there / path).read_bytes(), path


def test_files_beside_a_figure_are_those_of_its_last_run(bundle):
    """Formats that are no longer asked for and panels that are no longer drawn are removed, those of others stay."""
    path = bundle / "notebooks" / "fig4gh_rate.ipynb"
    write = """\
for name in {names}:
    path = pathlib.Path(os.environ["COLDBOND_FIGURES"], name)
    path.parent.mkdir(exist_ok=True)
    path.write_text("\\ufefffile,panel\\nfig4gh_a.csv,a\\nfig4gh_b.csv,b\\n")
"""
    panels = [f"source_data/fig4gh_{name}.csv" for name in ("a", "b", "contents")]
    write_notebook(path, SAVE, write.format(names=[*panels, "print/fig4gh.svg"]))
    assert make(bundle, "fig4gh").returncode == 0
    others = [bundle / "figures" / name for name in ("source_data/fig4gh_2_a.csv", "print/fig4gh2.svg")]
    for other in others:
        other.touch()
    write_notebook(path, SAVE, write.format(names=[panels[0], panels[2]]))
    assert make(bundle, "fig4gh").returncode == 0
    found = {str(one.relative_to(bundle / "figures")) for one in (bundle / "figures").glob("*_data/*")}
    assert found == {panels[0], panels[2], "source_data/fig4gh_2_a.csv"}
    assert [one.name for one in (bundle / "figures" / "print").iterdir()] == ["fig4gh2.svg"]
