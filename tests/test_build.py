"""Make on a small copy of the bundle: what it builds, from which recordings and parameters, and what it says."""

import os
import re
import subprocess
import time

import nbformat
import pytest

from bundles import (
    FIGURES,
    NOTEBOOKS,
    ROW,
    SAVE,
    as_if_built,
    listing,
    make,
    parameters,
    runs,
    shown,
    small_bundle,
    write_manifest,
    write_notebook,
)

bundle = pytest.fixture(small_bundle)


def test_a_figure_is_built_once_and_says_its_time_and_place(bundle):
    before = listing(bundle)
    make(bundle, "--dry-run")
    written = [path.relative_to(bundle) for path in set(listing(bundle)) - set(before) if path.is_file()]
    assert [str(path) for path in written] == ["figures/executed/rules.mk"]

    first = make(bundle, "figS16")

    assert (first.returncode, first.stderr) == (0, "")
    place = "figS16 lies in figures/figS16.pdf, .png and .json\n"
    assert re.fullmatch(r"figS16 +\d+\.\d s\n" + re.escape(place), first.stdout)
    out = bundle / "figures"
    assert {path.name for path in out.iterdir()} == {"figS16.pdf", "figS16.png", "figS16.json", "executed"}
    assert shown(bundle, "figS16") == f"['HT-MCL-LLZ'] capacity 0.6 {bundle / 'raw'}"
    assert nbformat.read(out / "executed" / "figS16.ipynb", 4).cells[1].metadata.tags == ["injected-parameters"]
    assert not list((bundle / "notebooks").glob("[!cf]*"))
    built = listing(out)
    again = make(bundle, "figS16").stdout
    assert again.startswith(place) and "Nothing to be done for 'figS16'" in again
    assert {path: time for path, time in listing(out).items() if path.is_file() and path.suffix != ".mk"} == {
        path: time for path, time in built.items() if path.is_file() and path.suffix != ".mk"
    }


def test_a_notebook_edited_while_it_runs_is_run_again(bundle):
    path = bundle / "notebooks" / "fig4gh_rate.ipynb"
    write_notebook(path, f"import pathlib; pathlib.Path({str(path)!r}).touch()", SAVE)
    assert make(bundle, "fig4gh").returncode == 0
    assert set(runs(bundle, "fig4gh")) == {"fig4gh"}


def test_parameters_win_and_do_not_stick(bundle):
    yaml = '{samples: ["it\'s A", B], retained: 0.5}'
    assert make(bundle, "fig4b", f"PARAMETERS={yaml}").returncode == 0
    assert shown(bundle, "fig4b").startswith("[\"it's A\", 'B'] capacity 0.5 ")
    assert runs(bundle, "fig4b", f"PARAMETERS={yaml}") == {}
    assert parameters(runs(bundle, "fig4b")["fig4b"]) == [{"samples": ["LLZ", "In-LLZ", "RT-MCL-LLZ"]}]


def test_with_other_recordings_all_samples_are_shown_and_what_is_not_held_is_left_out(bundle):
    raw = bundle.parent / "your raw"
    recordings = {"a b.csv": ("ccd", "A"), "c.csv": ("ccd", "HT-MCL-LLZ"), "d.csv": ("long-cycling", "HT-MCL-LLZ")}
    write_manifest(raw, recordings)
    arguments = (f"RAW={raw}", "OUT=your figures")

    samples = {figure: parameters(run)[0] for figure, run in runs(bundle, *arguments).items()}
    assert samples == {
        "fig4b": {"samples": []},
        "figS16": {"samples": ["HT-MCL-LLZ"]},
        "fig4cd": {"samples": []},
        "figS17": {"samples": ["HT-MCL-LLZ"], "windows": [0.76]},
        "claims": {"tested": ["fig4b", "figS16", "fig4cd", "figS17"]},
    }
    said = make(bundle, "--dry-run", *arguments).stdout.splitlines()
    for figure in ("fig4f", "figS18"):
        assert f"{figure} is left out: {raw} holds no recording of full-cell" in said
    assert make(bundle, "fig4f", *arguments).stderr.endswith(
        f"*** fig4f: {raw} holds no recording of full-cell.  Stop.\n"
    )

    assert make(bundle, "fig4b", *arguments).returncode == 0
    assert shown(bundle, "fig4b", "your figures") == f"[] capacity 0.6 {raw}"
    assert runs(bundle, "fig4b", *arguments) == {}
    (raw / "a b.csv").touch()
    assert set(runs(bundle, "fig4b", *arguments)) == {"fig4b"}
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
    assert again["claims"] == [{"tested": ["fig4b", "figS16"]}]


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


def add_figures(bundle, text: str) -> None:
    with (bundle / "figures.toml").open("a", encoding="utf-8") as table:
        table.write(text)


def test_a_figure_may_select_from_several_roles(bundle):
    more = """
    [figX]
    notebook = "fig4gh_rate"
    recordings.rate = ["RT-MCL-LLZ"]
    recordings.long-cycling = ["RT-MCL-LLZ", "HT-MCL-LLZ"]
    parameters = {panel = "it's $(a), 1 # b", retained = 1e-6}
    """
    add_figures(bundle, more)
    wanted = {"samples": ["RT-MCL-LLZ", "HT-MCL-LLZ"], "panel": "it's $(a), 1 # b", "retained": 1e-6}
    assert parameters(runs(bundle)["figX"]) == [wanted]
    as_if_built(bundle)
    later = time.time() + 100
    for recording in ("rate.csv", "long-HT.csv"):
        os.utime(bundle / "raw" / recording, (later, later))
    assert set(runs(bundle)) == {"fig4gh", "figS17", "figX", "claims"}
    assert make(bundle, "figX").returncode == 0
    assert shown(bundle, "figX").startswith("['RT-MCL-LLZ', 'HT-MCL-LLZ'] it's $(a), 1 # b 1e-06 ")


def test_a_recording_may_be_optional_and_each_role_has_a_first_figure(bundle):
    more = """
    [figX]
    notebook = "fig4gh_rate"
    recordings.rate = ["RT-MCL-LLZ"]
    optional.instrument = []
    [figY]
    notebook = "fig4gh_rate"
    recordings.arrhenius = ["LLZ"]
    """
    add_figures(bundle, more)
    assert parameters(runs(bundle)["figX"]) == [{"samples": ["RT-MCL-LLZ"]}]

    theirs = {"a.csv": ("rate", "RT-MCL-LLZ"), "standard.csv": ("instrument", "Si"), "b.csv": ("arrhenius", "B")}
    write_manifest(bundle.parent / "theirs", theirs)
    arguments = (f"RAW={bundle.parent / 'theirs'}", "OUT=out")
    samples = {figure: parameters(run)[0] for figure, run in runs(bundle, *arguments).items() if figure != "claims"}
    assert samples == {
        "fig4gh": {"samples": []},
        "figX": {"samples": ["RT-MCL-LLZ"]},
        "figY": {"samples": []},
    }
    database = make(bundle, "--print-data-base", "--dry-run", *arguments).stdout
    (built,) = re.findall(r"^out/figX.pdf: (.*)$", database, re.MULTILINE)
    assert "theirs/standard.csv" in built


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[figX", "figures.toml: Expected ']' at the end of a table declaration"),
        ("panel = 1", "figures.toml, [figS18]: panel is unknown: write one of notebook, recordings, optional"),
        ('[claims]\nnotebook = "claims"', "[claims]: a figure cannot have this name"),
        ('[figX]\nnotebook = "fig9"', "[figX]: notebook must name a notebook: there is no notebooks/fig9.ipynb"),
        ('[figX]\nnotebook = "fig4b_ccd"', "[figX]: it needs recordings: write a line such as recordings.ccd ="),
        ('[figX]\nnotebook = "fig4b_ccd"\nrecordings.ccd = "A"', "recordings.ccd must be a list of samples such as"),
        ('[figX]\nnotebook = "fig4b_ccd"\nrecordings = ["A"]', "write recordings.NAME = ... in place of recordings ="),
        ('[figX]\nnotebook = "fig4b_ccd"\nslow = 1', "[figX]: slow must be true or false"),
    ],
)
def test_a_table_that_describes_no_figure_is_refused(bundle, text, said):
    table = bundle / "figures.toml"
    table.write_text(table.read_text().split("[fig4gh]")[0].split("[fig5h]")[0] + text + "\n")
    result = make(bundle)
    assert result.returncode == 2 and said in result.stderr, result.stderr


def test_a_mistyped_figure_is_told_the_similar_names(bundle):
    said = make(bundle, "fig4x", "--dry-run")
    assert said.returncode == 2
    assert "*** there is no fig4x, neither goal nor file. Did you mean fig4f, fig4b, " in said.stderr
    assert "neither goal nor file. `make help` lists all goals.  Stop." in make(bundle, "it's nothing").stderr


def test_the_slow_figures_start_first_and_the_claims_table_last(bundle):
    assert list(runs(bundle, "-j1")) == ["fig4cd", "fig4b", "figS16", "figS17", "fig4f", "figS18", "fig4gh", "claims"]


def test_it_says_where_the_figures_lie(bundle):
    as_if_built(bundle)
    said = make(bundle).stdout
    assert said.startswith("the figures lie in figures/, the claims table is figures/claims.html\n")
    assert "Nothing to be done for 'figures'" in said
    assert make(bundle, "--question", "figures").returncode == 0
    (bundle / "raw" / "rate.csv").touch()
    assert make(bundle, "--question", "figures").returncode == 1


@pytest.mark.parametrize("raw", ["raw", "raw/", "./raw", "{bundle}/raw"])
def test_the_papers_recordings_are_known_by_whatever_path(bundle, raw):
    run = runs(bundle, "fig4b", f"RAW={raw.format(bundle=bundle)}")["fig4b"]
    assert parameters(run) == [{"samples": ["LLZ", "In-LLZ", "RT-MCL-LLZ"]}]


@pytest.mark.parametrize(("given", "jobs"), [((), os.cpu_count() + 1), (("-j1",), 1), (("-j3",), 3)])
def test_all_cores_are_used_unless_the_number_of_jobs_is_given(bundle, given, jobs):
    shown = make(bundle, *given, "--eval=show: ; $(info $(MAKEFLAGS))", "show").stdout
    assert re.findall(r"-j(\d+)", shown) == [str(jobs)]
    assert "k" in shown.split()[0]


def test_help_lists_every_target(bundle):
    targets, figures = make(bundle, "help").stdout.split("\n\n")
    listed = dict(line.split(maxsplit=1) for line in targets.splitlines())
    assert list(listed) == [
        *("figures", "claims", "help", "test", "coverage", "nbval", "test-browser", "formats", "lab", "manifest"),
        *("check", "explore"),
        *("notebooks", "raw", "energies", "closure", "multiverse", "site", "report", "crate", "survey", "validation"),
        *("fuzz", "bench", "scale", "lock", "licences", "clean"),
    ]
    named = dict(line.split(maxsplit=1) for line in figures.splitlines()[1:])
    assert named == {name: " ".join(sorted(drawn)) for name, drawn in NOTEBOOKS.items()}


@pytest.mark.parametrize("goal", ["site", "report", "crate"])
def test_what_publishes_the_figures_draws_them_first(bundle, goal):
    assert set(runs(bundle, goal)) == FIGURES | {"claims"}


def test_clean_removes_what_make_wrote_and_git_does_not_keep(bundle):
    assert make(bundle, "fig4gh").returncode == 0
    (bundle / "figures" / "drawn by hand.pdf").touch()
    for name in ("print/fig4gh.svg", "print/by hand.svg", "source_data/fig4gh_i.csv"):
        (bundle / "figures" / name).parent.mkdir(exist_ok=True)
        (bundle / "figures" / name).touch()
    assert make(bundle, "clean").returncode == 0
    kept = {path.name for path in (bundle / "figures").iterdir()}
    assert kept == {"drawn by hand.pdf", "fig4gh.png", "fig4gh.json", "print"}
    assert [path.name for path in (bundle / "figures" / "print").iterdir()] == ["by hand.svg"]
    assert "*** make clean stands alone" in make(bundle, "clean", "figures").stderr
