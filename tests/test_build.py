"""The Makefile, on a small copy of the bundle: what it builds again, from which recordings, and the table of claims."""

import os
import re
import subprocess
import time

import nbformat
import pytest

from bundles import (
    FIGURES,
    NOTEBOOKS,
    RECORDINGS,
    ROW,
    SAVE,
    as_if_built,
    listing,
    make,
    parameters,
    runs,
    small_bundle,
    write_manifest,
    write_notebook,
)

bundle = pytest.fixture(small_bundle)


def inputs():
    yield from ((f"raw/{name}", figures) for name, (*_, figures) in RECORDINGS.items())
    yield from ((f"notebooks/{name}.ipynb", figures) for name, figures in NOTEBOOKS.items())
    everything = ("lib/coldbond/bundle/raw.py", "lib/coldbond/files/__init__.py", "lib/run_notebook.py", "lock/run.txt")
    yield from ((name, FIGURES) for name in (*everything, "raw/manifest.csv"))
    yield from (
        (name, {"claims"})
        for name in ("raw/claims.yml", "notebooks/claims.ipynb", "lib/coldbond/bundle/claims/page.html")
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


@pytest.mark.parametrize(("given", "jobs"), [((), os.cpu_count() + 1), (("-j1",), 1), (("-j3",), 3)])
def test_all_cores_are_used_unless_the_number_of_jobs_is_given(bundle, given, jobs):
    shown = make(bundle, *given, "--eval=show: ; $(info $(MAKEFLAGS))", "show").stdout
    assert re.findall(r"-j(\d+)", shown) == [str(jobs)]
    assert "k" in shown.split()[0]


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
