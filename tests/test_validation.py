"""validation.toml, its page and its plot, and where its recordings come from."""

import functools
import hashlib
import http.server
import json
import re
import socket
import threading
from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from PIL import Image

import of_others
from coldbond.bundle import paths
from coldbond.interval import NORMAL
from coldbond.validation import __main__ as validation
from coldbond.validation import functions, matrix, page, recordings, run, verdicts
from coldbond.validation.recordings import Recording, RecordingError
from coldbond.validation.verdicts import AGREES, DISAGREES, FAILED, UNDECIDED

DOCS = paths.ROOT / "docs"
CONTENT = b"# a recording of others\n1,2\n"


@pytest.fixture(scope="module")
def of() -> matrix.Matrix:
    return matrix.load()


@pytest.fixture(scope="module")
def results() -> dict[str, dict]:
    return json.loads((DOCS / "validation.json").read_text(encoding="utf-8"))


# ---- page and matrix


def test_every_comparison_has_the_result_of_its_run(of, results):
    assert set(results) == {one.name for one in of.comparisons}
    old = {one.run for one in of.comparisons if results[one.name]["run"] != of.keys[one.run]}
    assert not old, "changed since make validation"


def test_page_and_plot_are_those_of_the_results(of, results):
    text = (DOCS / "validation.json").read_text(encoding="utf-8")
    assert (DOCS / "validation.md").read_text(encoding="utf-8") == page.page(of, results), "make validation"
    with Image.open(DOCS / "validation.png") as plot:
        assert plot.info["Description"] == validation.digest(of, text), "make validation"


def test_every_technique_and_at_least_twenty_comparisons(of):
    assert len(of.comparisons) >= 20
    assert {of.runs[one.run].technique for one in of.comparisons} == set(matrix.TECHNIQUES)
    assert {one.run for one in of.comparisons} == set(of.runs)


def test_what_disagrees_has_a_reason_and_stays(of, results):
    written = (DOCS / "validation.md").read_text(encoding="utf-8")
    losing = [one for one in of.comparisons if verdicts.judged(one, results[one.name]).verdict != AGREES]
    assert losing, "a validation that nothing can fail proves little: is the verdict computed?"
    for one in losing:
        assert one.reason or "failed" in results[one.name], f"{one.name}: state the reason in validation.toml"
        assert f"**{one.name}** " in written


def test_another_number_gives_another_verdict_on_the_page(of, results):
    name = next(one.name for one in of.comparisons if verdicts.judged(one, results[one.name]).verdict == AGREES)
    row = next(one for one in of.comparisons if one.name == name)
    other = {"value": row.value + 1e3, "low": row.value + 999, "high": row.value + 1001}
    wrong = results | {name: results[name] | other}
    written = page.page(of, wrong)
    line = next(line for line in written.splitlines() if line.startswith(f"| {name} |"))
    assert line.endswith("| **disagrees** |")
    assert f"**{name}** disagrees" in written


def test_every_recording_that_a_run_uses_has_a_pinned_address(of):
    for one in of.recordings.values():
        assert re.fullmatch("[0-9a-f]{64}", one.sha256)
        assert not one.path or (re.fullmatch("[0-9a-f]{40}", one.commit) and one.licence and "/" in one.repository)
    used = [of.recordings[row["file"]] for run_ in of.runs.values() for row in run_.recordings]
    assert all(one.path for one in used)


def test_tests_and_formats_use_recordings_that_are_listed(of):
    from coldbond.files import FORMATS

    named = {checked.recording for form in FORMATS for checked in form.checked}
    assert named <= set(of.recordings)


# ---- verdicts

ROW = matrix.Comparison("x", "r", "q", "published", 10.0, "", "s", uncertainty=0.0)


def found(value, low=None, high=None):
    return {"value": value, "low": low, "high": high}


@pytest.mark.parametrize(
    ("result", "uncertainty", "verdict", "score"),
    [
        (found(11, 11 - NORMAL, 11 + NORMAL), 0.0, AGREES, 1.0),
        (found(11, 10.9, 19), 0.0, DISAGREES, 1 / (0.1 / NORMAL)),  # the bound that faces the referent counts
        (found(9, 1, 9.5), 0.0, DISAGREES, -1 / (0.5 / NORMAL)),
        (found(11, 10.9, 19), 1.0, AGREES, 1 / sqrt(1 + (0.1 / NORMAL) ** 2)),
        (found(11, None, 12), 0.0, UNDECIDED, None),  # no bound on the side of the referent
        (found(9, None, 11), 0.0, AGREES, -1 / (2 / NORMAL)),
        (found(None), 0.0, UNDECIDED, None),
        (found(10), 0.0, AGREES, 0.0),
        (found(10.1), 0.0, DISAGREES, None),
        (found(10.1), 0.1, AGREES, 1.0),
        ({"failed": "why"}, 0.0, FAILED, None),
    ],
)
def test_verdict(result, uncertainty, verdict, score):
    judgement = verdicts.judged(replace(ROW, uncertainty=uncertainty), result)
    assert judgement.verdict == verdict
    assert judgement.score == (None if score is None else pytest.approx(score, rel=1e-6))


# ---- where recordings come from


@pytest.fixture
def server(tmp_path):
    """An HTTP server on this machine with one recording at a pinned path, and what it was asked for."""
    root = tmp_path / "served"
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            asked.append(self.path)

    path = root / "owner/name" / ("a" * 40) / "data/La(OH)3 x.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=root))
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{serving.server_address[1]}", asked
    serving.shutdown()
    thread.join()
    serving.server_close()


def pinned(content: bytes = CONTENT, path: str = "data/La(OH)3 x.csv") -> Recording:
    return Recording("mixtures/x.csv", hashlib.sha256(content).hexdigest(), "owner/name", "a" * 40, path, "MIT")


def test_a_recording_is_fetched_once_from_its_pinned_address(server, tmp_path):
    host, asked = server
    path = recordings.fetched(pinned(), tmp_path / "cache", host)
    assert path == tmp_path / "cache/mixtures/x.csv" and path.read_bytes() == CONTENT
    assert asked == [f"/owner/name/{'a' * 40}/data/La%28OH%293%20x.csv"]
    assert recordings.fetched(pinned(), tmp_path / "cache", host) == path and len(asked) == 1
    path.write_bytes(b"damaged")
    assert recordings.fetched(pinned(), tmp_path / "cache", host).read_bytes() == CONTENT and len(asked) == 2


def test_another_file_at_the_address_is_refused_and_not_kept(server, tmp_path):
    with pytest.raises(RecordingError, match=r"mixtures/x\.csv: the file at http.* is not the one that validation"):
        recordings.fetched(pinned(b"other"), tmp_path / "cache", server[0])
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_missing_file_and_a_missing_network_are_told_with_a_remedy(server, tmp_path):
    with pytest.raises(RecordingError, match=r"cannot be fetched from http.*404.*DATA=FOLDER"):
        recordings.fetched(pinned(path="data/gone.csv"), tmp_path, server[0])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # nothing listens there
        with pytest.raises(RecordingError, match=r"x\.csv cannot be fetched .*connect to the network, or name a"):
            recordings.fetched(pinned(), tmp_path, f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(RecordingError, match="no pinned address is known"):
        recordings.fetched(Recording("a/b", "0" * 64), tmp_path)
    (tmp_path / "file").write_text("where the folder should be")
    with pytest.raises(RecordingError, match=r"cannot be kept in .*: make room or rights"):
        recordings.fetched(pinned(), tmp_path / "file", server[0])


def test_local_copies_are_checked(tmp_path):
    with pytest.raises(RecordingError, match=r"mixtures/x\.csv is not there: put it there, or leave DATA out"):
        recordings.path(pinned(), tmp_path)
    (tmp_path / "mixtures").mkdir()
    (tmp_path / "mixtures/x.csv").write_bytes(CONTENT)
    assert recordings.path(pinned(), tmp_path) == tmp_path / "mixtures/x.csv"
    with pytest.raises(RecordingError, match="its sha256 differs"):
        recordings.path(pinned(b"other"), tmp_path)


def test_a_test_without_its_recording_says_why_and_fails_in_the_public_workflow(tmp_path, monkeypatch):
    monkeypatch.setattr(of_others, "FOLDER", "")
    monkeypatch.setattr(of_others, "UNREACHABLE", [])
    monkeypatch.setattr(recordings.fetched, "__defaults__", (tmp_path, "http://127.0.0.1:9"))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    of_others.found.cache_clear()
    try:
        with pytest.raises(pytest.skip.Exception, match="cannot be fetched"):
            of_others.file("raman-jcampdx/tannic_acid.jdx")
        assert len(of_others.UNREACHABLE) == 1
        with pytest.raises(pytest.skip.Exception, match="no pinned address is known"):
            of_others.file("formats-electrochemistry/cp.mpt")
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        with pytest.raises(pytest.fail.Exception, match="cannot be fetched"):
            of_others.file("raman-jcampdx", "tannic_acid.jdx")
    finally:
        of_others.found.cache_clear()


# ---- the program

MATRIX = """
[runs.r]
technique = "xrd"
function = "same_records"
recordings = [{ file = "a/one.xy" }, { file = "a/two.xy" }]
parameters = { variables = ["intensity"] }

[[comparisons]]
name = "counts"
run = "r"
quantity = "largest_difference_of_intensity"
kind = "vendor"
value = 0
uncertainty = 1.0
unit = "count"
source = "s"

[repositories]
here = { repository = "o/n", commit = "%s", licence = "MIT" }

[recordings]
"a/one.xy" = { repository = "here", path = "one.xy", sha256 = "%s" }
"a/two.xy" = { repository = "here", path = "two.xy", sha256 = "%s" }
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A matrix with one run, whose files lie in a folder, and docs of its own."""
    (tmp_path / "data/a").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    hashes = []
    for name, extra in (("one", 0), ("two", 1)):
        rows = "".join(f"{10 + 0.02 * n:.2f},{100 + n + extra}\n" for n in range(50))
        content = f"# wavelength: 1.5406 angstrom\n# two_theta/degree,counts\n{rows}"
        (tmp_path / f"data/a/{name}.xy").write_text(content)
        hashes.append(hashlib.sha256(content.encode()).hexdigest())
    (tmp_path / "validation.toml").write_text(MATRIX % ("a" * 40, *hashes))
    monkeypatch.setattr(validation, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(validation.matrix, "load", functools.partial(matrix.load, tmp_path / "validation.toml"))
    return tmp_path


def test_the_program_writes_all_or_nothing_and_the_same_twice(small, capsys):
    docs = small / "docs"
    assert validation.main(["--data", str(small / "data")]) == 0
    assert "1 of 1 comparisons agree" in capsys.readouterr().out
    first = {path.name: path.read_bytes() for path in docs.iterdir()}
    assert set(first) == {"validation.json", "validation.md", "validation.png"}
    assert json.loads(first["validation.json"])["counts"]["value"] == 1
    assert validation.main(["--data", str(small / "data")]) == 0
    assert {path.name: path.read_bytes() for path in docs.iterdir()} == first
    (small / "data/a/two.xy").unlink()
    assert validation.main(["--data", str(small / "data")]) == 1
    assert "two.xy is not there" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in docs.iterdir()} == first


def test_an_analysis_that_fails_is_a_verdict(small, capsys):
    path = small / "data/a/two.xy"
    text = path.read_text() + "11.00,1\n"
    path.write_text(text)
    toml = (small / "validation.toml").read_text()
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    (small / "validation.toml").write_text(re.sub('(two.xy", sha256 = )"[0-9a-f]*"', rf'\1"{sha256}"', toml))
    assert validation.main(["--data", str(small / "data")]) == 0
    assert "failed: counts" in capsys.readouterr().out
    written = (small / "docs/validation.md").read_text()
    assert "**counts** failed: 50 and 51 records: these are not two files of one measurement." in written


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('run = "r"', 'run = "s"', r"comparison 'counts': there is no \[runs\.s\]"),
        ('kind = "vendor"', 'kind = "guess"', "kind 'guess' is none of certificate"),
        ('"same_records"', '"same"', r"\[runs\.r\]: there is no function 'same'"),
        ('technique = "xrd"', 'technique = "nmr"', "technique 'nmr' is none of"),
        ('unit = "count"', "", "comparison 'counts': missing 1 required"),
        ('source = "s"', 'source = "s"\nsourse = 1', "comparison 'counts': sourse is none of"),
        ('{ file = "a/one.xy" }', '{ file = "a/o.xy" }', "a/o.xy does not stand below"),
        ('{ file = "a/one.xy" }', '{ file = "a/one.xy", colour = 1 }', "colour is no column of a manifest"),
        ('unit = "count"', 'unit = "eV"', "its unit is 'eV', that of coldbond 'count'"),
        ("difference_of_intensity", "difference", "has no finding largest_difference; it has largest_difference_of"),
    ],
)
def test_an_error_in_the_matrix_is_told(small, capsys, old, new, message):
    path = small / "validation.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert validation.main(["--data", str(small / "data")]) == 1
    assert re.search(message, capsys.readouterr().err)
    assert not list((small / "docs").iterdir())


def test_a_notebook_runs_on_recordings_with_structures(of):
    """Silicon of validation.toml: the result that is committed."""
    one = of.runs["silicon"]
    rows = run.findings(of, one, {row["file"]: of_others.file(row["file"]) for row in one.recordings})
    (row,) = [row for row in rows if row["quantity"] == "lattice_parameter_a"]
    assert row["low"] < 5.43118 < row["high"]


def test_digitised_discharges_become_one_recording(tmp_path):
    for rate, end in (("1", 100.0), ("2", 80.0)):
        charge = np.linspace(0, end, 20)
        np.savetxt(tmp_path / rate, np.column_stack([charge, 3.4 - charge / 1000]), delimiter=",")
    functions.joined_discharges({rate: tmp_path / rate for rate in ("1", "2")}, tmp_path / "joined.csv")
    time, _, current = np.loadtxt(tmp_path / "joined.csv", delimiter=",", skiprows=1).T
    assert (np.diff(time) > 0).all()
    assert -np.trapezoid(current, time) / 3600e-6 == pytest.approx(180, abs=0.2)  # mAh/g at 1 mg
