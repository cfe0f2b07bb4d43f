"""The multiverse: its runs, its summary, and that a cluster that loses a worker gives the same results."""

import json
import os
import signal
from pathlib import Path

import pytest
import yaml

from coldbond.bundle import paths
from coldbond.bundle.claims import choices, paper, verdicts
from coldbond.multiverse import grid, library, summary

ROOT = Path(__file__).parents[1]
STATED = grid.load()
BUILT = verdicts.built(folder=ROOT / "figures")


@pytest.fixture(autouse=True)
def folders(monkeypatch):
    for name in ("RAW", "FIGURES", "PICTURES"):
        monkeypatch.setattr(paths, name, getattr(paths, name))
    monkeypatch.setattr(paths, "RAW", ROOT / "raw")


def some(figure: str, text: str) -> dict:
    return yaml.safe_load(f"{{full: 60, sample: 12, seed: 5, {figure}: {text}}}")


def test_every_choice_is_a_parameter_with_alternatives_and_reasons():
    runs = grid.runs(BUILT, ROOT / "raw", STATED)
    assert {run.figure for run in runs} == set(BUILT)
    assert len({run.key for run in runs}) == len(runs) > 200
    assert all(
        one["why"] for of in set(STATED) - set(grid.SETTINGS) for listed in STATED[of].values() for one in listed
    )


def test_small_grids_are_complete_and_large_ones_contain_each_alternative_alone():
    own = {name: 0 for name in "abcd"}
    listed = {name: [{"value": value, "why": "w"} for value in (0, 1, 2)] for name in own}
    two = {name: listed[name] for name in "ab"}
    whole = grid.combinations("x", own, two, dict(full=9, sample=3, seed=1))
    assert len(whole) == 9 and whole[0] == {} and {"a": 2, "b": 1} in whole
    part = grid.combinations("x", own, listed, dict(full=9, sample=3, seed=1))
    assert part == grid.combinations("x", own, listed, dict(full=9, sample=3, seed=1))
    assert part != grid.combinations("x", own, listed, dict(full=9, sample=3, seed=2))
    assert [len(changed) for changed in part[:9]] == [0] + 8 * [1] and len(part) == 12
    assert len({json.dumps(changed) for changed in part}) == 12


def test_a_key_depends_on_recordings_and_parameters_and_on_nothing_else(tmp_path):
    one = {"figS17": BUILT["figS17"]}
    keys = [run.key for run in grid.runs(one, ROOT / "raw", STATED)]
    assert keys == [run.key for run in grid.runs(one, ROOT / "raw", STATED)]
    (file,) = BUILT["figS17"]["inputs"]
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).write_bytes((ROOT / "raw" / file).read_bytes())
    header, *rows = (ROOT / "raw" / "manifest.csv").read_text().splitlines()
    (tmp_path / "manifest.csv").write_text("\n".join([header, *(row for row in rows if row.startswith(file))]))
    assert keys == [run.key for run in grid.runs(one, tmp_path, STATED)]
    with (tmp_path / file).open("ab") as recording:
        recording.write(b"\n")
    assert not {*keys} & {run.key for run in grid.runs(one, tmp_path, STATED)}


def test_a_change_of_one_technique_runs_its_figures_alone(tmp_path, monkeypatch):
    for file in ("xrd/fit.py", "xps/components.toml", "bundle/style.py", "explore/page.py", "bundle/claims/page.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("1")
    monkeypatch.setattr(library, "LIBRARY", tmp_path)
    codes = {"xrd": "from coldbond.xrd import fit", "xps": "from coldbond.xps import surface", "all": "import coldbond"}

    def changed(file: str) -> set[str]:
        before = {name: hash_anew(code) for name, code in codes.items()}
        (tmp_path / file).write_text((tmp_path / file).read_text() + "2")
        return {name for name, code in codes.items() if hash_anew(code) != before[name]}

    def hash_anew(code: str) -> str:
        library.hash_for.cache_clear()
        library.hash_of_library.cache_clear()
        return library.hash_for(code)

    assert changed("xrd/fit.py") == {"xrd", "all"}
    assert changed("xps/components.toml") == {"xps", "all"}
    assert changed("bundle/style.py") == {"xrd", "xps", "all"}
    assert changed("explore/page.py") == {"all"}
    assert changed("bundle/claims/page.py") == set()
    hash_anew("")


def test_the_packages_of_the_library_are_known():
    folders = {path.name for path in library.LIBRARY.iterdir() if (path / "__init__.py").exists()}
    assert folders == library.TECHNIQUES | library.PROGRAMS | {"bundle", "build", "files", "multiverse"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{retained: [{value: 0.5}]}", "why"), ("{unheard: [{value: 1, why: w}]}", "no parameter unheard")],
)
def test_a_choice_without_reason_or_parameter_is_refused(tmp_path, text, reason):
    path = tmp_path / "choices.yml"
    path.write_text(f"{{full: 60, sample: 12, seed: 5, fig4b_ccd: {text}}}")
    with pytest.raises(ValueError, match=reason):
        grid.runs({"fig4b": BUILT["fig4b"]}, ROOT / "raw", grid.load(path))


def test_an_unknown_figure_is_refused():
    with pytest.raises(ValueError, match="fig99_x is neither"):
        grid.runs({"fig4b": BUILT["fig4b"]}, ROOT / "raw", some("fig99_x", "{a: [{value: 1, why: w}]}"))


def test_the_summary_counts_the_runs_in_which_a_statement_holds(tmp_path):
    stated = some("figS16", "{retained: [{value: 0.5, why: w}, {value: 0.7, why: w}]}")
    built = {"figS16": BUILT["figS16"]}
    runs = grid.runs(built, ROOT / "raw", stated)
    numbers = {"parameters": built["figS16"]["parameters"], "values": built["figS16"]["values"]}
    other = json.loads(json.dumps(numbers))
    for one in other["values"]:
        if one["quantity"] == "critical_current_density":
            one |= {"value": 0.4, "low": 0.4, "high": 0.5}
    found = [{"numbers": numbers}, {"numbers": other}, {"failed": "In [3]: ValueError: no"}]
    found = {run.key: one for run, one in zip(runs, found, strict=True)}
    result = summary.summarise(runs, found, built, paper.load(), stated)
    (row,) = result["claims"]["ccd_ht"]["rows"]
    assert (row["n"], row["disagrees"], row["N"], row["verdict"]) == (1, 1, 2, "agrees")
    assert row["alone"] == {"retained: 0.5": "disagrees"} and row["runs"][2] is None
    assert result["figures"]["figS16"]["failed"] == {"2": "In [3]: ValueError: no"}
    assert "holds in   1 of   2; 1 disagree; another verdict with retained: 0.5" in summary.as_text(result)
    assert summary.differences(runs, found, built) == []

    (tmp_path / "multiverse").mkdir()
    summary.write(result, tmp_path / "multiverse" / "multiverse.json")
    assert json.loads((tmp_path / "multiverse" / "multiverse.json").read_text()) == json.loads(json.dumps(result))
    table = verdicts.table(paper.load(), built)
    held = choices.holds_in(table, built, tmp_path)
    assert {*held[(table.claim == "ccd_ht") & (table.figure == "figS16")]} == {"1 of 2"} and (held == "").sum() > 30
    assert (choices.holds_in(table, {"figS16": {"sha256": "of another state"}}, tmp_path) == "").all()
    assert (choices.holds_in(table, built, tmp_path / "none") == "").all()


# ---- on a cluster: make test-multiverse -----------------------------------------------------------------------------


def test_a_cluster_that_loses_a_worker_gives_the_same_results(tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask has an environment of its own: make test-multiverse")
    from coldbond.multiverse.gather import gather

    values = "{value: 0.4, why: w}, {value: 0.5, why: w}, {value: 0.6, why: w}, {value: 7.0, why: no share}"
    stated = some("figS17", f"{{retained: [{values}], metallic: [{{value: 3.0, why: w}}, {{value: 30.0, why: w}}]}}")
    built = {"figS17": BUILT["figS17"]}
    runs = grid.runs(built, ROOT / "raw", stated)
    assert len(runs) == 15

    def written(name: str, **options) -> bytes:
        found = gather(runs, ROOT / "raw", tmp_path / "runs" / name, **options)
        assert summary.differences(runs, found, built) == []
        path = tmp_path / f"{name}.json"
        summary.write(summary.summarise(runs, found, built, paper.load(), stated), path)
        return path.read_bytes()

    killed = []

    def kill_one(client):
        if not killed:
            busy = [address for address, running in client.processing().items() if running]
            pids = client.run(os.getpid, workers=busy[:1])
            killed.extend(pids.values())
            os.kill(killed[0], signal.SIGKILL)

    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        disturbed = written("disturbed", scheduler=cluster.scheduler_address, after_each=kill_one)
        assert len(killed) == 1
        undisturbed = written("undisturbed", scheduler=cluster.scheduler_address)
    assert disturbed == undisturbed
    failed = json.loads(disturbed)["figures"]["figS17"]["failed"]
    assert len(failed) == 3 and all("retained" in reason for reason in failed.values())

    # Stored results are reused: there is no cluster at this address.
    runs = [run for run in runs if run.changed.get("retained") != 7.0]
    gather(runs, ROOT / "raw", tmp_path / "runs" / "disturbed", scheduler="tcp://127.0.0.1:9")
