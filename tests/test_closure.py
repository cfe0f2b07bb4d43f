"""The notebooks on recordings whose truth is known. `make closure` runs them at length and writes docs/coverage.md."""

import json
from math import inf

import pytest
from scipy import stats

import closure
import coverage_page
from coverage_page import Judgement

#: A figure of each notebook and its seed; `make closure` runs all figures at length.
FIGURES = ("fig4e", "figS3", "fig2g", "fig2h", "figS11", "fig5h", "fig3ghi", "fig5i", "figS16", "figS17", "fig4gh")
SEED = 1


@pytest.mark.parametrize("figure", FIGURES)
def test_decisions_are_right_and_intervals_cover(figure):
    decisions, intervals = [], []
    found = closure.of_twin(figure, SEED)
    for key, verdict in found.verdicts.items():
        decided = isinstance(found.truths[key], bool) and key[2] not in coverage_page.TESTS
        (decisions if decided else intervals).append((key, verdict))
    assert not [key for key, verdict in decisions if verdict in ("wrong", "failed")]
    covered = [verdict == "right" for _, verdict in intervals if verdict != "silent"]
    # Intervals that cover 95 in 100 do worse than this in fewer than one of ten such counts: 6 of 8 fails.
    assert covered and sum(covered) >= stats.binom.ppf(0.1, len(covered), 0.95)


def test_a_cell_of_other_making_runs_through_its_notebook():
    found = closure.of_kind("shorts/ccd-dead", 1)
    assert set(found.verdicts.values()) == {"right"}
    assert set(found.verdicts) == set(found.truths)


def row(value, low=None, high=None):
    return {"sample": "A", "state": "", "quantity": "q", "value": value, "low": low, "high": high}


@pytest.mark.parametrize(
    ("true", "found", "verdict"),
    [
        (1.0, row(1.1, 0.9, 1.2), "right"),
        (1.0, row(1.2, 1.1, 1.3), "wrong"),
        (0.1 * 7, row(0.7, 0.7, 0.8), "right"),  # the computer's rounding is no error of the analysis
        (1.0, row(1.0), "right"),
        (1.0, row(2.0), "wrong"),  # a number without an interval claims to be exact
        (inf, row(None, 2000.0), "right"),  # outlived the test
        (1500.0, row(None, 2000.0), "wrong"),
        (inf, row(1500.0, 1490.0, 1510.0), "wrong"),
        (1.0, row(None), "silent"),
        (True, row(True), "right"),
        (True, row(False), "wrong"),
        (False, row(None), "silent"),
        (None, row(None), "right"),
        (None, row(None, 3.0), "right"),
        (None, row(4.0, 3.0, 5.0), "wrong"),
        (None, row(True), "wrong"),
        (1.0, None, "failed"),
        (None, None, "failed"),
    ],
)
def test_verdicts(true, found, verdict):
    assert closure.verdict(true, found) == verdict


def test_quantities_without_a_truth_are_listed_and_failures_counted():
    one = closure.judged({("A", "s", "x"): 1.0}, [row(1.0) | {"quantity": "x", "state": "s"}, row(2.0)])
    found = coverage_page.counted([one, "seed 2: ValueError: no current flows"], by_state=True)
    assert found["untold"] == ["A, , q"]
    assert [(one["right"], one["failed"]) for one in found["rows"]] == [(1, 1)]
    assert "no current flows" in coverage_page.printed("fig4b", found)


def test_a_failing_notebook_is_a_verdict(monkeypatch):
    monkeypatch.setitem(closure.kinds(), "shorts/broken", lambda seed: 1 / 0)
    assert "ZeroDivisionError" in closure.attempted("shorts/broken", 3)


def test_what_falls_short_is_said():
    def short(truth, quantity="q", **counts):
        held = {"truth": truth, "quantity": quantity}
        return coverage_page.shortcoming(dict.fromkeys(coverage_page.VERDICTS, 0) | counts | held)

    assert short("number", right=45, wrong=5) == ""
    assert "90 %" in short("number", right=44, wrong=6)
    assert short("yes or no", right=40, silent=10) == ""
    assert short("yes or no", right=49, wrong=1) == "wrong"
    assert short("yes or no", "obeys_kramers_kronig", right=47, wrong=3) == ""
    assert short("cannot be told", wrong=1) == "wrong"
    assert short("number", right=49, failed=1) == "no finding"


def test_a_figure_replaces_its_own_counts_alone(tmp_path):
    def record(right):
        counts = coverage_page.counted([Judgement({("A", "s", "q"): right}, {("A", "s", "q"): 1.0}, [])], True)
        return {"date": "2026-11-29", "commit": "abc", "seeds": [20000, 20000]} | counts

    for name, verdict in (("fig4e", "right"), ("fig4e", "wrong"), ("fig4b", "right")):
        coverage_page.publish("twin", name, record(verdict), tmp_path)
    held = json.loads((tmp_path / "coverage.json").read_text())["twin"]
    assert {name: one["rows"][0]["right"] for name, one in held.items()} == {"fig4b": 1, "fig4e": 0}
    page = (tmp_path / "coverage.md").read_text()
    assert "| A | s | q | number | 0 | 1 | 0 | 0 |" in page
    assert page == coverage_page.page({"twin": held})  # whatever the order of the runs


HELD = json.loads((coverage_page.DOCS / "coverage.json").read_text(encoding="utf-8"))


def test_the_page_is_that_of_the_counts():
    assert (coverage_page.DOCS / "coverage.md").read_text(encoding="utf-8") == coverage_page.page(HELD)


@pytest.mark.xfail(reason="make closure has not been run on all figures and kinds yet")
def test_every_figure_and_every_kind_of_cell_has_been_run():
    assert HELD["twin"].keys() == closure.FIGURES.keys()
    assert HELD.get("independent", {}).keys() == closure.kinds().keys()


def test_published_counts_are_whole():
    for family in HELD.values():
        for name, record in family.items():
            first, last = record["seeds"]
            assert record["rows"] or record["failures"], name
            assert last - first + 1 >= 20, name
