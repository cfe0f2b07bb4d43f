"""Make with other recordings than the bundle's own, some of which cannot be used: it goes on, and says so at last."""

import json
import os
import re
from pathlib import Path

import pytest

from bundles import make, runs, small_bundle, write_notebook
from coldbond.bundle.claims import verdicts

HEADER = "Test Time / s,Voltage / V,Current / A\n"
GOOD = HEADER + "0.0,0.0000,0.0000\n1.0,0.0500,0.0010\n2.0,0.0510,0.0010\n"
DEAD = re.sub(r"0\.05.0", "0.0000", GOOD)
MANIFEST = """\
file,role,sample,replicate,area_cm2,my remark
good.csv,ccd,A,1,0.785,
dead.csv,ccd,A,2,0.785,
cut.csv,ccd,B,,0.785,
no area.csv,ccd,C,,,
lost.csv,ccd,D,,0.785,
good.csv,cdc,E,,0.785,
dead.csv,long-cycling,A,,0.785,
cut.csv,long-cycling,B,,0.785,
rate.csv,rate,A,,0.785,
full.csv,full-cell,A,,0.785,
cut.csv,full-cell,B,,0.785,
"""
#: The notebook of cells: what it shows is the charge density of each, which a dead cell has none of.
CELLS = """\
from coldbond import constants
from coldbond.bundle import figures, findings, raw
from coldbond.interval import Interval

def highest(cell):
    constants.required(cell, "area_cm2")
    if not float(cell.voltage.max()):
        raise RuntimeError("solver: residuals are not finite\\nin the initial point")
    return float(cell.voltage.max())

cells = raw.recordings({role!r})
voltages = cells.analysed(highest)
high = 0.02 if {role!r} == "rate" else 1.0
values = [
    findings.finding("voltage", Interval(voltages[name], 0.0, high), "V", **findings.whose(cell))
    for name, cell in cells.items()
]
with figures.new() as fig:
    ax = fig.subplots()
    {draw}
figures.save(fig, figure, notebook="x", parameters=dict(samples=samples), values=values, recordings=cells)
"""
CLAIMS = """\
import json, os, pathlib
from coldbond.bundle.claims import verdicts
found = verdicts.built(tested)
shown = json.dumps([sorted(found), found.not_drawn])
for suffix in (".csv", ".html", ".png", ".pdf"):
    pathlib.Path(os.environ["COLDBOND_FIGURES"], figure + suffix).write_text(shown)
pathlib.Path(os.environ["COLDBOND_FIGURES"], figure + ".json").write_text('{"inputs": {}}')
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    root = small_bundle(tmp_path_factory.mktemp("bundle"))
    notebooks = {
        "fig4b_ccd": ("ccd", "ax.plot(list(voltages.values()))"),
        "fig4cd_long_cycling": ("long-cycling", "pass"),
        "fig4f_full_cell": ("full-cell", "ax.plot([1], [[1, 2], [3, 4], [5, 6]][figure == 'fig4f'][0:3:0])"),
        "fig4gh_rate": ("rate", "pass"),
    }
    for name, (role, draw) in notebooks.items():
        write_notebook(root / "notebooks" / f"{name}.ipynb", CELLS.format(role=role, draw=draw))
    write_notebook(
        root / "notebooks" / "claims.ipynb", CLAIMS, parameters='figure: str = "x"\ntested: list = []  # read'
    )
    raw = root / "theirs"
    raw.mkdir()
    for name in ("good", "no area", "rate", "full"):
        (raw / f"{name}.csv").write_text(GOOD)
    (raw / "dead.csv").write_text(DEAD)
    (raw / "cut.csv").write_text(GOOD[:-4])
    (raw / "manifest.csv").write_text(MANIFEST)
    return root


@pytest.fixture(scope="module")
def first(bundle):
    return make(bundle, "figures", "RAW=theirs", "OUT=out")


def numbers(bundle: Path, figure: str) -> dict:
    return json.loads((bundle / "out" / f"{figure}.json").read_text())


def times(bundle: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (bundle / "out").glob("*.pdf")}


LEFT_OUT = [
    "fig4b: A, replicate 2 (dead.csv) is left out: its analysis failed: RuntimeError: solver: residuals are not finite",
    "fig4b: B (cut.csv) is left out: line 4: the last row has no line break, so it may be cut off. Remedy: export it",
    "fig4b: C (no area.csv) is left out: its analysis failed: the electrode area is not known: fill the column",
    "fig4b: D (lost.csv) is left out: manifest.csv, line 6, column file: 'lost.csv' is no file in",
]
NOT_DRAWN = [
    "fig4cd is not drawn: no recording is left: B (cut.csv): line 4: the last row has no line break, so it may be",
    "fig4f is not drawn: In [3]: ValueError: slice step cannot be zero; left out: B (cut.csv): line 4: the last row",
]


def test_the_build_names_each_recording_and_figure_once_and_again_at_the_end(first):
    assert first.returncode == 2
    assert "theirs/manifest.csv: the column 'my remark' is ignored" in first.stdout.splitlines()
    for said in (*LEFT_OUT, *NOT_DRAWN):
        assert first.stderr.count(said) == 2, said
    role = "theirs/manifest.csv, line 7, column role: 'cdc' is unknown (did you mean ccd?): use one of"
    assert first.stderr.count(role) == 1
    assert re.search(r"^2 figures drawn, 8 problems$", first.stderr, re.MULTILINE)
    assert "Traceback" not in first.stdout + first.stderr


def test_the_others_are_drawn_and_their_numbers_name_what_is_left_out(bundle, first):
    found = numbers(bundle, "fig4b")
    assert [(row["sample"], row["replicate"]) for row in found["values"]] == [("A", "1")]
    assert [list(one) for one in found["left_out"]] == [["file", "reason", "replicate", "sample", "state"]] * 4
    assert [one["file"] for one in found["left_out"]] == ["cut.csv", "lost.csv", "dead.csv", "no area.csv"]
    assert str(bundle) not in json.dumps(found)
    assert "left_out" not in numbers(bundle, "fig4gh")
    for figure in ("fig4b", "fig4gh", "claims"):
        assert (bundle / "out" / f"{figure}.pdf").is_file()


def test_a_number_that_contradicts_its_interval_is_null(bundle, first):
    (row,) = numbers(bundle, "fig4gh")["values"]
    assert (row["value"], row["low"], row["high"]) == (None, None, None)
    assert "voltage of A: 0.051 lies outside its own interval, 0.0 to 0.02" in row["note"]


def test_a_figure_that_cannot_be_drawn_has_its_reason_and_traceback_and_no_picture(bundle, first):
    assert numbers(bundle, "fig4f")["not_drawn"].startswith("In [3]: ValueError: slice step cannot be zero; left ")
    assert not list((bundle / "out").glob("fig4f.p*"))
    assert "slice step" in (bundle / "out" / "executed" / "fig4f.ipynb").read_text()
    assert "residuals are not finite" in (bundle / "out" / "executed" / "fig4b.ipynb").read_text()


def test_the_claims_table_is_made_and_knows_what_was_not_drawn(bundle, first):
    drawn, not_drawn = json.loads((bundle / "out" / "claims.csv").read_text())
    assert drawn == ["fig4b", "fig4gh"]
    assert set(not_drawn) == {"fig4cd", "fig4f", "figS18"}
    found = verdicts.built(["fig4b", "fig4cd", "fig4gh"], bundle / "out")
    assert (list(found), list(found.not_drawn)) == (["fig4b", "fig4gh"], ["fig4cd"])


def test_what_is_left_out_is_said_again_until_it_is_repaired_which_rebuilds_what_it_affects(bundle, first):
    before = times(bundle)
    again = make(bundle, "figures", "RAW=theirs", "OUT=out")
    assert again.returncode == 2
    assert times(bundle) | {"claims.pdf": 0} == before | {"claims.pdf": 0}
    assert again.stderr.count(LEFT_OUT[0]) == 1  # in the summary
    single = make(bundle, "fig4b", "RAW=theirs", "OUT=out")
    assert single.returncode == 2 and "fig4b lies in" in single.stdout + single.stderr
    assert make(bundle, "fig4gh", "RAW=theirs", "OUT=out").returncode == 0

    # The repaired files are older than the figure, as a copy from another computer is.
    for name in ("cut.csv", "lost.csv"):
        (bundle / "theirs" / name).write_text(GOOD)
        os.utime(bundle / "theirs" / name, (1e9, 1e9))
    third = make(bundle, "figures", "RAW=theirs", "OUT=out")
    assert [one["file"] for one in numbers(bundle, "fig4b")["left_out"]] == ["dead.csv", "no area.csv"]
    assert third.returncode == 2
    changed = {name for name, time in times(bundle).items() if before.get(name) != time}
    assert changed == {"fig4b.pdf", "fig4cd.pdf", "claims.pdf"}


def test_a_figure_that_fails_now_leaves_nothing_of_an_earlier_run(bundle, first):
    folder = bundle / "theirs"
    assert (bundle / "out" / "fig4gh.pdf").is_file()
    (folder / "rate.csv").write_text(DEAD)
    failed = make(bundle, "fig4gh", "RAW=theirs", "OUT=out")
    assert failed.returncode == 2
    assert "fig4gh is not drawn: no recording is left: A (rate.csv): its analysis failed: RuntimeError" in failed.stderr
    assert not list((bundle / "out").glob("fig4gh.p*"))
    (folder / "rate.csv").write_text(GOOD)
    assert make(bundle, "fig4gh", "RAW=theirs", "OUT=out").returncode == 0


def test_a_name_that_no_rule_of_make_can_hold_is_watched_all_the_same(bundle, first):
    folder = bundle / "named"
    folder.mkdir()
    (folder / "a [1]: ~.csv").write_text(GOOD)
    (folder / "manifest.csv").write_text("file,role,sample,area_cm2\na [1]: ~.csv,rate,A,1\n")
    assert make(bundle, "fig4gh", "RAW=named", "OUT=elsewhere").returncode == 0
    assert runs(bundle, "fig4gh", "RAW=named", "OUT=elsewhere") == {}
    (folder / "a [1]: ~.csv").write_text(GOOD.replace("0.0510", "0.0520"))
    assert set(runs(bundle, "fig4gh", "RAW=named", "OUT=elsewhere")) == {"fig4gh"}


def test_a_wrong_parameter_costs_no_figure(bundle, first):
    made = make(bundle, "fig4b", "RAW=theirs", "OUT=out", "PARAMETERS=lost: 1")
    assert made.returncode == 2 and "unknown parameter lost" in made.stderr
    assert (bundle / "out" / "fig4b.pdf").is_file()


def test_a_manifest_that_cannot_be_read_is_an_error_in_all_its_lines(bundle, first):
    path = bundle / "theirs" / "manifest.csv"
    before = path.read_text()
    path.write_text("role,area_cm2\n")
    try:
        made = make(bundle, "figures", "RAW=theirs", "OUT=out")
    finally:
        path.write_text(before)
    assert made.returncode == 2
    assert "theirs/manifest.csv, line 1: exactly one column must be named file" in made.stderr
    assert "*** the manifest in theirs has 2 problems.  Stop." in made.stderr


def test_of_the_bundles_own_recordings_every_problem_is_an_error(bundle):
    path = bundle / "raw" / "manifest.csv"
    before = path.read_text()
    path.write_text(before.replace("rate,RT", "raet,RT"))
    try:
        made = make(bundle, "figures")
    finally:
        path.write_text(before)
    assert made.returncode == 2
    assert re.search(r"\*\*\* raw/manifest.csv, line \d+, column role: 'raet' is unknown", made.stderr)
    assert make(bundle, "fig4f").returncode == 2
    assert not (bundle / "figures" / "fig4f.json").exists()
