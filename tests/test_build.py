"""The Makefile and lib/run_notebook.py, on a copy of the bundle whose notebooks need only the standard library."""

import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from coldbond.manifest import COLUMNS

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


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
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


def inputs():
    yield from ((f"raw/{name}", figures) for name, (*_, figures) in RECORDINGS.items())
    yield from ((f"notebooks/{name}.ipynb", figures) for name, figures in NOTEBOOKS.items())
    everything = ("lib/coldbond/raw.py", "lib/coldbond/reading/__init__.py", "lib/run_notebook.py", "lock/run.txt")
    yield from ((name, FIGURES) for name in (*everything, "raw/manifest.csv"))
    yield from (
        (name, {"claims"}) for name in ("raw/claims.yml", "notebooks/claims.ipynb", "lib/coldbond/claims/page.html")
    )
    yield from (
        (name, set()) for name in ("lib/twin/__init__.py", "lib/coldbond/explore/page.py", "lock/lab.txt", "Makefile")
    )


def test_touching_an_input_rebuilds_exactly_the_figures_that_depend_on_it(bundle):
    as_if_built(bundle)
    assert runs(bundle) == {}
    assert "Nothing to be done for 'figures'" in make(bundle).stdout
    later = time.time() + 100
    for name, figures in inputs():
        before = (bundle / name).stat().st_mtime
        os.utime(bundle / name, (later, later))
        assert set(runs(bundle)) == (figures | {"claims"} if figures else set()), name
        os.utime(bundle / name, (before, before))


@pytest.mark.parametrize("name", ["lock/run.txt", "pyproject.toml"])
def test_touching_lock_or_project_sets_the_environment_up_again(bundle, name):
    as_if_built(bundle)
    assert "set_up.sh" not in make(bundle, "--dry-run").stdout
    (bundle / name).touch()
    assert "lib/set_up.sh .venv lock/run.txt" in make(bundle, "--dry-run").stdout


def test_a_figure_is_built_once_and_says_its_time(bundle):
    before = listing(bundle)
    make(bundle, "--dry-run")
    assert listing(bundle) == before

    first = make(bundle, "figS16")

    assert (first.returncode, first.stderr) == (0, "")
    assert re.fullmatch(r"figS16 +\d+\.\d s\n", first.stdout)
    out = bundle / "figures"
    assert {path.name for path in out.iterdir()} == {"figS16.pdf", "figS16.png", "figS16.json", "executed"}
    assert (out / "figS16.json").read_text() == f"['HT-MCL-LLZ'] capacity 0.6 {bundle / 'raw'}"
    assert nbformat.read(out / "executed" / "figS16.ipynb", 4).cells[1].metadata.tags == ["injected-parameters"]
    assert not list((bundle / "notebooks").glob("[!cf]*"))
    built = listing(out)
    assert "Nothing to be done for 'figS16'" in make(bundle, "figS16").stdout
    assert listing(out) == built


def test_a_notebook_edited_while_it_runs_is_run_again(bundle):
    path = bundle / "notebooks" / "fig4gh_rate.ipynb"
    write_notebook(path, f"import pathlib; pathlib.Path({str(path)!r}).touch()", SAVE)
    assert make(bundle, "fig4gh").returncode == 0
    assert set(runs(bundle, "fig4gh")) == {"fig4gh"}


def test_parameters_win_and_do_not_stick(bundle):
    yaml = '{samples: ["it\'s A", B], retained: 0.5}'
    assert make(bundle, "fig4b", f"PARAMETERS={yaml}").returncode == 0
    assert (bundle / "figures" / "fig4b.json").read_text().startswith("[\"it's A\", 'B'] capacity 0.5 ")
    assert runs(bundle, "fig4b", f"PARAMETERS={yaml}") == {}
    assert parameters(runs(bundle, "fig4b")["fig4b"]) == ["samples: [LLZ, In-LLZ, RT-MCL-LLZ]"]


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


def test_with_other_recordings_all_samples_are_shown_and_what_is_not_held_is_left_out(bundle):
    raw = bundle.parent / "your raw"
    recordings = {"a b.csv": ("ccd", "A"), "c.csv": ("ccd", "HT-MCL-LLZ"), "d.csv": ("long-cycling", "HT-MCL-LLZ")}
    write_manifest(raw, recordings)
    arguments = (f"RAW={raw}", "OUT=your figures")

    samples = {figure: parameters(run)[0] for figure, run in runs(bundle, *arguments).items()}
    assert samples == {
        "fig4b": "samples: []",
        "figS16": "samples: [HT-MCL-LLZ]",
        "fig4cd": "samples: []",
        "figS17": "samples: [HT-MCL-LLZ]",
        "claims": "tested: [fig4b, figS16, fig4cd, figS17]",
    }
    said = make(bundle, "--dry-run", *arguments).stdout.splitlines()
    for figure in ("fig4f", "figS18"):
        assert f"{figure} is left out: {raw} holds no recording of full-cell" in said
    assert make(bundle, "fig4f", *arguments).stderr.endswith(
        f"*** fig4f: {raw} holds no recording of full-cell.  Stop.\n"
    )

    assert make(bundle, "fig4b", *arguments).returncode == 0
    assert (bundle / "your figures" / "fig4b.json").read_text() == f"[] capacity 0.6 {raw}"
    assert runs(bundle, "fig4b", *arguments) == {}
    (raw / "a b.csv").touch()
    assert set(runs(bundle, "fig4b", *arguments)) == {"fig4b"}
    os.remove(raw / "d.csv")
    assert "*** your raw" not in (stderr := make(bundle, *arguments).stderr)
    assert "line 4, column file: 'd.csv' is no file in" in stderr
    write_manifest(raw, {"a.csv": ("instrument", "A")})
    assert f"*** none of the figures can be built from {raw}.  Stop." in make(bundle, *arguments).stderr


def test_the_claims_table_is_made_of_what_raw_holds(bundle):
    raw = bundle / "theirs"
    write_manifest(raw, {"a.csv": ("ccd", "A")})
    arguments = ("RAW=theirs", "OUT=out")

    def prerequisites() -> list[str]:
        database = make(bundle, "--print-data-base", "--dry-run", *arguments, "claims").stdout
        return re.search(r"^out/claims.pdf: (.*)$", database, re.MULTILINE)[1].split()

    assert {"raw/claims.yml", "out/fig4b.pdf", "notebooks/claims.ipynb"} <= set(prerequisites())
    (raw / "claims.yml").write_text(ROW.format(verdict="agrees"))
    assert {"theirs/claims.yml", "out/fig4b.pdf"} <= set(prerequisites())
    assert not {"raw/claims.yml", "out/figS16.pdf"} & set(prerequisites())

    done = make(bundle, *arguments, "claims")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search("ccd_llz .* agrees\n", done.stdout)
    assert (bundle / "out" / "claims.html").read_text() == "['fig4b']"
    assert "out/claims.csv is not in git's HEAD" in done.stdout
    write_manifest(raw, {"a.csv": ("ccd", "A"), "b.csv": ("ccd", "HT-MCL-LLZ")})
    again = {figure: parameters(run) for figure, run in runs(bundle, *arguments).items()}
    assert again["claims"] == ["tested: [fig4b, figS16]"]


def test_claims_fail_where_a_verdict_is_not_the_committed_one(bundle):
    write_manifest(bundle / "raw", {"a.csv": ("ccd", "HT-MCL-LLZ")})
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    assert make(bundle, "claims").returncode == 0
    for command in (["init", "--quiet"], ["add", "figures/claims.csv"], ["commit", "--quiet", "--message", "claims"]):
        subprocess.run([*git, *command], cwd=bundle, check=True)

    same = make(bundle, "claims")
    assert (same.returncode, same.stderr) == (0, "")
    assert same.stdout.endswith("Every verdict is the committed one.\n")

    (bundle / "raw" / "claims.yml").write_text(ROW.format(verdict="disagrees"))
    for _ in range(2):  # that the table is up to date now changes nothing
        other = make(bundle, "claims")
        assert other.returncode == 2
        assert "changed: ccd_llz, LLZ, pristine, critical_current_density, fig4b: agrees -> disagrees" in other.stderr
    (bundle / "raw" / "claims.yml").write_text("")
    assert "fig4b: agrees -> no row" in make(bundle, "claims").stderr


def test_a_row_may_select_from_several_roles(bundle):
    makefile = bundle / "Makefile"
    row = "$(call figure, figX, fig4gh_rate, rate:RT-MCL-LLZ long-cycling:RT-MCL-LLZ+HT-MCL-LLZ, panel: a$(comma) b)"
    makefile.write_text(makefile.read_text(encoding="utf-8").replace("endef", f"{row}\nendef", 1), encoding="utf-8")
    assert parameters(runs(bundle)["figX"]) == ["samples: [RT-MCL-LLZ, HT-MCL-LLZ]", "panel: a, b"]
    as_if_built(bundle)
    later = time.time() + 100
    for recording in ("rate.csv", "long-HT.csv"):
        os.utime(bundle / "raw" / recording, (later, later))
    assert set(runs(bundle)) == {"fig4gh", "figS17", "figX", "claims"}
    makefile.write_text(makefile.read_text(encoding="utf-8").replace("$(comma)", ","), encoding="utf-8")
    assert "*** the parameters of figX hold a comma: write $(comma) for it" in make(bundle).stderr


def test_a_recording_may_be_optional_and_each_role_has_a_first_figure(bundle):
    makefile = bundle / "Makefile"
    rows = "\n".join(
        f"$(call figure, {figure}, fig4gh_rate, {selection}, )"
        for figure, selection in (("figX", "rate:RT-MCL-LLZ instrument?"), ("figY", "arrhenius:LLZ"))
    )
    makefile.write_text(makefile.read_text(encoding="utf-8").replace("endef", f"{rows}\nendef", 1), encoding="utf-8")
    assert parameters(runs(bundle)["figX"]) == ["samples: [RT-MCL-LLZ]"]

    theirs = {"a.csv": ("rate", "RT-MCL-LLZ"), "standard.csv": ("instrument", "Si"), "b.csv": ("arrhenius", "B")}
    write_manifest(bundle.parent / "theirs", theirs)
    arguments = (f"RAW={bundle.parent / 'theirs'}", "OUT=out")
    samples = {figure: parameters(run)[0] for figure, run in runs(bundle, *arguments).items() if figure != "claims"}
    assert samples == {"fig4gh": "samples: []", "figX": "samples: [RT-MCL-LLZ]", "figY": "samples: []"}
    database = make(bundle, "--print-data-base", "--dry-run", *arguments).stdout
    (built,) = re.findall(r"^out/figX.pdf: (.*)$", database, re.MULTILINE)
    assert "theirs/standard.csv" in built


@pytest.mark.parametrize("raw", ["raw", "raw/", "./raw", "{bundle}/raw"])
def test_the_papers_recordings_are_known_by_whatever_path(bundle, raw):
    run = runs(bundle, "fig4b", f"RAW={raw.format(bundle=bundle)}")["fig4b"]
    assert parameters(run) == ["samples: [LLZ, In-LLZ, RT-MCL-LLZ]"]


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
    assert sorted(line.split()[0] for line in seen if line) == ["fig4gh", "figS16"]
    assert all(re.fullmatch(r"(\w+ +\d+\.\d s)?", line) for line in seen)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # how Linux says that the other end is closed
        return b""


@pytest.mark.parametrize(("given", "jobs"), [((), os.cpu_count() + 1), (("-j1",), 1), (("-j3",), 3)])
def test_all_cores_are_used_unless_the_number_of_jobs_is_given(bundle, given, jobs):
    shown = make(bundle, *given, "--eval=show: ; $(info $(MAKEFLAGS))", "show").stdout
    assert re.findall(r"-j(\d+)", shown) == [str(jobs)]
    assert "k" in shown.split()[0]


def test_an_old_make_and_an_old_python_are_refused_with_what_to_do(bundle):
    assert "*** this is GNU Make 3.81, 4.2 is needed; on a Mac: brew install make" in (
        make(bundle, "MAKE_VERSION=3.81").stderr
    )
    (bundle / ".venv" / "bin" / "python").unlink()
    (bundle / ".venv" / "bin" / "python").symlink_to("gone")
    programs = bundle / "programs"
    programs.mkdir()
    for name in ("sh", "make", "getconf", "test"):
        (programs / name).symlink_to(shutil.which(name))
    old = programs / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    nothing = subprocess.run(["make"], cwd=bundle, env={"PATH": str(programs)}, capture_output=True, text=True)
    assert "*** no Python 3.11 or later is found: install one, or name it with make PYTHON=..." in nothing.stderr
    assert "*** raw/manifest.csv could not be read with lost.  Stop." in make(bundle, "PYTHON=lost").stderr
    named = subprocess.run([bundle / "lib" / "set_up.sh", ".venv", "lock/run.txt", old], capture_output=True, text=True)
    assert (named.returncode, named.stderr) == (
        *(1, f".venv: {old} is no Python 3.11 or later: name one with make PYTHON=...\n"),
    )


def test_an_environment_that_make_did_not_make_is_not_replaced(bundle):
    result = make(bundle, "--always-make", "fig4b")
    assert result.returncode == 2
    assert ".venv: make did not make this folder and would replace it: move it away" in result.stderr
    assert (bundle / ".venv" / "bin" / "python").exists()


def test_help_lists_every_target(bundle):
    listed = dict(line.split(maxsplit=1) for line in make(bundle, "help").stdout.splitlines())
    assert list(listed) == [
        *("figures", "claims", "help", "test", "nbval", "test-browser", "lab", "explore", "notebooks"),
        *("raw", "energies", "closure", "multiverse", "survey", "bench", "scale", "lock", "clean"),
    ]


def test_clean_removes_what_make_wrote_and_git_does_not_keep(bundle):
    assert make(bundle, "fig4gh").returncode == 0
    (bundle / "figures" / "drawn by hand.pdf").touch()
    assert make(bundle, "clean").returncode == 0
    kept = {path.name for path in (bundle / "figures").iterdir()}
    assert kept == {"drawn by hand.pdf", "fig4gh.png", "fig4gh.json"}
    assert "*** make clean stands alone" in make(bundle, "clean", "figures").stderr


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
    assert not (bundle / "figures").exists()


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
        for name in ("Makefile", "lib", "lock", "notebooks", "pyproject.toml", "raw"):
            (tmp_path / folder / name).symlink_to(ROOT / name)
        (tmp_path / folder / ".venv").symlink_to(sys.prefix)
        result = make(tmp_path / folder, *goals, "--assume-old=.venv/.installed")
        assert result.returncode == 0, result.stderr
    for suffix in ("pdf", "png", "json"):
        here, there = (tmp_path / folder / "figures" / f"fig4b.{suffix}" for folder in ("here", "else where"))
        assert here.read_bytes() == there.read_bytes(), suffix


NOTEBOOKS_STORED = sorted(path for path in (ROOT / "notebooks").glob("*.ipynb") if path.stem != "explore")


@pytest.mark.parametrize("path", NOTEBOOKS_STORED, ids=lambda path: path.stem)
def test_a_notebook_is_stored_as_make_notebooks_leaves_it(path):
    """nbval passes a cell that was never executed: it has no outputs to compare with."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_explore_is_stored_without_outputs():
    """Its widgets would be others every time, and nothing without their kernel."""
    code = [cell for cell in nbformat.read(ROOT / "notebooks" / "explore.ipynb", 4).cells if cell.cell_type == "code"]
    assert code and all(cell.outputs == [] and cell.execution_count is None for cell in code)
