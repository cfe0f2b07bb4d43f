"""How the verdict of a statement follows from those of its findings."""

import pytest

from coldbond.bundle.claims import report, statements, verdicts
from coldbond.bundle.findings import finding
from coldbond.interval import Interval
from stated_claims import GOOD, built, stated, voltage

CLOSURE = "synthetic (closure)"


def row(verdict: str, evidence: str, sample: str = "A", **more: str) -> dict[str, str]:
    fields = dict.fromkeys(
        ("state", "quantity", "value", "low", "high", "technique", "would_decide", "against", "note"), ""
    )
    fields |= dict(panel="1a", claim="c", kind="qualitative", statement="it is so", unit="", paper="yes", figure="fig1")
    return fields | dict(verdict=verdict, evidence=evidence, sample=sample) | more


@pytest.mark.parametrize(
    ("rows", "verdict", "group", "evidence"),
    [
        ([("agrees", "measured")], "agrees", "outside", "measured"),
        ([("disagrees", "computed")], "disagrees", "outside", "computed"),
        ([("agrees", CLOSURE)], "agrees", "recovered", CLOSURE),
        ([("disagrees", CLOSURE)], "disagrees", "recovered", CLOSURE),
        ([("undecided", CLOSURE)], "undecided", "undecided", CLOSURE),
        ([("no data", "")], "no data", "no data", ""),
        # one finding that disagrees is enough, and one that does not agree hinders agreement
        ([("agrees", "measured"), ("disagrees", "measured", "B")], "disagrees", "outside", "measured"),
        ([("undecided", "measured"), ("disagrees", "measured", "B")], "disagrees", "outside", "measured"),
        ([("agrees", "measured"), ("undecided", "measured", "B")], "undecided", "undecided", "measured"),
        ([("agrees", "measured"), ("no data", "", "B")], "undecided", "undecided", "measured"),
        ([("no data", ""), ("no data", "", "B")], "no data", "no data", ""),
        # where a sample was measured, what was recovered from a synthetic recording of it does not count
        ([("disagrees", "measured"), ("agrees", CLOSURE)], "disagrees", "outside", "measured"),
        ([("agrees", "measured"), ("disagrees", CLOSURE)], "agrees", "outside", "measured"),
        ([("undecided", "measured"), ("agrees", CLOSURE)], "undecided", "undecided", "measured"),
        # a statement is no better tested than its weakest finding
        ([("agrees", "measured"), ("agrees", CLOSURE, "B")], "agrees", "recovered", CLOSURE),
        ([("agrees", "measured"), ("disagrees", CLOSURE, "B")], "disagrees", "recovered", CLOSURE),
        ([("disagrees", "measured"), ("disagrees", CLOSURE, "B")], "disagrees", "outside", "measured"),
        ([("agrees", "measured"), ("agrees", "computed", "B")], "agrees", "outside", "measured, computed"),
    ],
)
def test_a_verdict_follows_from_those_of_the_findings(rows, verdict, group, evidence):
    for listed in (rows, rows[::-1]):
        (one,) = statements.of([row(*each) for each in listed])
        assert (one.verdict, one.group, {*one.evidence.split(", ")}) == (verdict, group, {*evidence.split(", ")})
        assert len(one.findings) == len(rows)


def test_what_synthetic_recordings_agree_with_is_recovered_and_not_agreed():
    words = [statements.shown(verdict, CLOSURE) for verdict in verdicts.VERDICTS]
    assert words == ["recovered", "not recovered", "undecided", "no data"]
    assert [statements.shown(verdict, "measured") for verdict in verdicts.VERDICTS] == list(verdicts.VERDICTS)


def test_an_undecided_statement_says_what_would_decide_it_each_once():
    rows = [
        row("undecided", "measured", would_decide="a longer test"),
        row("no data", "", "B"),
        row("no data", "", "C"),
    ]
    rows.insert(1, rows[0] | {"state": "cycled"})
    (one,) = statements.of(rows)
    assert one.would_decide == "a longer test; data for B; data for C"
    assert "would decide: a longer test; data for B; data for C" in report.as_text(rows)


def test_groups_stand_in_order_and_are_counted_in_words():
    told = [
        ("no data", ""),
        ("undecided", "measured"),
        ("agrees", CLOSURE),
        ("agrees", "measured"),
        ("agrees", "computed"),
    ]
    rows = [row(*each, claim=f"c{i}") for i, each in enumerate([*told, ("disagrees", "measured")])]
    listed = statements.of(rows)
    assert [one.claim for one in listed] == ["c3", "c4", "c5", "c2", "c1", "c0"]
    assert statements.tally(listed) == {
        "outside": "2 agree, 1 disagrees",
        "recovered": "1 recovered, 0 not recovered",
        "undecided": "1",
        "no data": "1",
    }
    assert statements.tally(listed[:1]) == {
        "outside": "1 agrees, 0 disagree",
        "recovered": "none",
        "undecided": "none",
        "no data": "none",
    }


def test_a_number_of_the_paper_itself_is_arithmetic_and_any_other_literature(tmp_path):

    for text, evidence in ((GOOD, "literature"), (GOOD.replace("{id: other,", "{id: other, where: 2,"), "arithmetic")):
        table = verdicts.table(stated(tmp_path, text), built(voltage()))
        assert dict(zip(table.claim, table.evidence, strict=True))["x"] == evidence
        assert dict(zip(table.claim, table.against, strict=True))["x"] == "a"


def test_a_statement_about_measured_cells_is_tested_from_outside(tmp_path):
    table = verdicts.table(stated(tmp_path), built(voltage(), finding("so", True, sample="A")))
    listed = {one.claim: one for one in statements.of(table.to_dict("records"))}
    assert (listed["a"].group, listed["a"].shown) == ("outside", "agrees")
    assert (listed["b"].group, listed["b"].would_decide) == ("undecided", "data for B")
    assert listed["x"].against == "a"
    wide = built(finding("voltage", Interval(None, 1.5), "V", sample="A"))
    (one,) = [
        one for one in statements.of(verdicts.table(stated(tmp_path), wide).to_dict("records")) if one.claim == "a"
    ]
    assert (one.group, one.would_decide) == ("undecided", "a recording that gives an upper bound (now at least 1.5 V)")
