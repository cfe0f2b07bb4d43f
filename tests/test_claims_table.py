"""The table of claims: which findings test which claim."""

import json

import pandas as pd
import pytest

from coldbond.bundle import figures, paths
from coldbond.bundle.claims import paper, plots, report, statements, verdicts
from coldbond.bundle.claims.verdicts import AGREES, DISAGREES, NO_DATA, UNDECIDED
from coldbond.bundle.findings import finding, item
from coldbond.interval import Interval
from stated_claims import GOOD, STATED, built, claim, stated, voltage


def test_every_finding_that_tests_a_claim_is_a_row_and_so_is_every_sample_that_none_tests(tmp_path):
    found = built(voltage(note="by hand"), finding("so", False, sample="A"), finding("else", True, sample="A"))
    table = verdicts.table(stated(tmp_path), found)
    assert table[["claim", "sample", "paper", "value", "evidence", "verdict"]].to_numpy().tolist() == [
        ["a", "A", "2.0", "2.10", "measured", AGREES],
        ["b", "A", "yes", "no", "measured", DISAGREES],
        ["b", "B", "no", "", "", NO_DATA],
        ["x", "", "2.0", "2.00", "literature", AGREES],
    ]
    assert table.note[0] == "by hand"
    assert table.note[2] == "no figure has found so for this sample"


def test_evidence_threshold_and_alternatives_are_in_the_note(tmp_path):
    more = dict(
        evidence=[item("current", Interval(1.0, 0.9, 1.1), "A")],
        threshold=[item("limit", 3, "V")],
        alternatives=[item("another electrode", 2.2, "V")],
        note="by hand",
    )
    (note, *_) = verdicts.table(stated(tmp_path), built(voltage(**more))).note
    assert note == "current 1.00 (0.90 to 1.10) A; threshold: limit 3 V; with another electrode: 2.2 V; by hand"


@pytest.mark.parametrize(
    ("origin", "evidence"),
    [("synthetic", "synthetic (closure)"), ("mixed", "synthetic (closure)"), ("computed", "computed")],
)
def test_evidence_is_no_stronger_than_the_recordings_of_a_figure(tmp_path, origin, evidence):
    assert verdicts.table(stated(tmp_path), built(voltage(), origin=origin)).evidence[0] == evidence


def test_recordings_of_other_samples_test_nothing_and_the_table_says_so():
    one = finding("critical_current_density", Interval(0.5, 0.5, 0.6), "mA/cm2", sample="mine")
    table = verdicts.table(STATED, built(one))
    plain = table[table.kind != "contradiction"]
    assert set(plain.verdict) == {NO_DATA}
    assert set(plain.claim) == set(STATED.claims)
    assert set(plain.note[plain.claim == "ccd_llz"]) == {"no figure has found critical_current_density for this sample"}
    listed = statements.of(table.to_dict("records"))
    with figures.new("double", plots.height(listed)) as fig:
        plots.draw(listed, fig)


OWN = "  - {id: c, where: 1, kind: value, value: 2, unit: V, statement: s, sample: A,\n     findings: {FINDINGS}}\n"


def own_claim(tmp_path, selection: str, *values: dict, **parameters) -> pd.DataFrame:
    """Return the rows of a claim that selects its findings in this way."""
    text = GOOD.replace("numbers:", OWN.replace("FINDINGS", selection) + "numbers:")
    return verdicts.table(stated(tmp_path, text), built(*values, **parameters)).query("claim == 'c'")


def test_a_claim_selects_findings_by_quantity_sample_state_and_role(tmp_path):
    values = [voltage(sample, state=state) for sample, state in (("A", "new"), ("A", "old"), ("B", "new"))]
    rows = own_claim(tmp_path, "quantity: [other, voltage], state: new", *values)
    assert rows[["sample", "state", "verdict"]].to_numpy().tolist() == [["A", "new", AGREES]]
    rows = own_claim(tmp_path, "quantity: [voltage]", *values)
    assert rows.state.to_list() == ["new", "old"]
    rows = own_claim(tmp_path, "quantity: [voltage], role: rate", *values, role="rate")
    assert rows.verdict.to_list() == [AGREES, AGREES]


def test_a_claim_is_tested_on_the_condition_and_not_on_its_replicates(tmp_path):
    def cell(replicate, value):
        interval = Interval(value, value - 0.02, value + 0.02)
        return finding("voltage", interval, "V", sample="A", replicate=replicate)

    cells = [cell("1", 1.9), cell("2", 2.2)]
    assert own_claim(tmp_path, "quantity: [voltage]", *cells).verdict.to_list() == [AGREES, AGREES]
    row = finding("voltage", Interval(2.05, 1.2, 2.9), "V", sample="A", note="mean of 2 replicates") | {"n": 2}
    rows = own_claim(tmp_path, "quantity: [voltage]", *cells, row)
    assert rows[["value", "low", "high", "verdict"]].to_numpy().tolist() == [["2.05", "1.20", "2.90", AGREES]]


def test_replicates_that_do_not_bound_their_median_test_a_claim_if_all_agree():
    bound = claim(">= 800", "bound", samples=("A",), findings=paper.Selection(("life",)))
    median = finding("life", None, "V", sample="A") | {"n": 2, "median": None}
    for shorter, word in ((900.0, AGREES), (600.0, UNDECIDED)):
        lives = [finding("life", Interval(None, low), "V", sample="A", replicate=str(low)) for low in (850.0, shorter)]
        (row,) = verdicts._claim_rows(bound, built(*lives, median))
        assert row["verdict"] == word
        assert row["note"].startswith("in each of 2 replicates") == (word == AGREES)


@pytest.mark.parametrize(
    ("selection", "reason"),
    [
        ("quantity: [voltag]", "no figure has found the quantity voltag"),
        ("quantity: [voltag, vltage]", "no figure has found the quantity voltag or vltage"),
        ("quantity: [voltage], state: nwe", "no figure has found voltage in the state 'nwe'"),
        ("quantity: [voltage], role: rat", "no figure has found voltage for recordings of the role 'rat'"),
        ("quantity: [current]", "no figure has found current for this sample"),
    ],
)
def test_a_misspelt_selection_is_not_silent(tmp_path, selection, reason):
    values = voltage(state="new"), finding("current", 1.0, "A", sample="B")
    (row,) = own_claim(tmp_path, selection, *values, role="rate").to_dict("records")
    assert (row["sample"], row["verdict"], row["note"]) == ("A", NO_DATA, reason)
    assert reason in report.as_text([row])


def committed_ccd(folder, **more) -> None:
    """Write what the bundle's own fig4b has found, without the cell In-LLZ."""
    numbers = json.loads((paths.ROOT / "figures" / "fig4b.json").read_text())
    values = [one for one in numbers["values"] if one["sample"] != "In-LLZ"]
    (folder / "fig4b.json").write_text(json.dumps(numbers | {"values": values} | more))


def note_of(found, sample: str) -> str:
    table = verdicts.table(STATED, found)
    (row,) = table[(table.claim == "ccd_in") & (table["sample"] == sample)].to_dict("records")
    assert row["verdict"] == NO_DATA
    return row["note"]


def test_a_claim_says_which_recording_was_left_out_of_its_figure(tmp_path):
    lost = {"file": "cells/x.csv", "sample": "In-LLZ", "state": "", "replicate": "2", "reason": "it is cut off"}
    committed_ccd(tmp_path, left_out=[lost, lost | {"sample": "another"}])
    note = note_of(verdicts.built(folder=tmp_path), "In-LLZ")
    assert "In-LLZ, replicate 2 (cells/x.csv) is left out of fig4b: it is cut off" in note
    assert "another" not in note


def test_a_claim_says_which_figure_was_not_drawn_and_the_others_do_not(tmp_path):
    committed_ccd(tmp_path)
    (tmp_path / "fig2h.json").write_text(json.dumps({"not_drawn": "it failed"}))
    assert "not drawn" not in note_of(verdicts.built(folder=tmp_path), "In-LLZ")
    found = verdicts.built(["fig2h", "fig4b"], tmp_path)
    assert list(verdicts.sources(found, STATED)) == ["fig4b", "claims"]
    table = verdicts.table(STATED, found)
    (reason,) = {
        row["note"] for row in table.to_dict("records") if row["claim"] == "xrd_inn" and row["sample"] == "LLZ"
    }
    assert "no figure has found the quantity InN_present; fig2h was not drawn: it failed" in reason
    with pytest.raises(ValueError, match="make figures; fig2h was not drawn: it failed"):
        verdicts.built(["fig2h"], tmp_path)


def test_cells_of_one_condition_are_told_apart(tmp_path):
    of_cells = [voltage(replicate=number) for number in ("1", "2")]
    table = own_claim(tmp_path, "quantity: [voltage]", voltage(), *of_cells)
    assert list(table[table["sample"] == "A"].state) == ["", "replicate 1", "replicate 2"]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"figure": "fig1"}', '{"notebook": "x", "origin": "guessed", "values": []}']
)
def test_a_file_without_the_numbers_of_a_figure_is_an_error(tmp_path, content):
    (tmp_path / "fig1.json").write_text(content)
    with pytest.raises(ValueError, match=r"fig1\.json does not contain a figure's numbers .*: make fig1"):
        verdicts.built(folder=tmp_path)


def test_without_figures_there_is_no_table(tmp_path):
    numbers = {"notebook": "claims", "origin": "synthetic", "values": []}
    (tmp_path / "claims.json").write_text(json.dumps(numbers))
    with pytest.raises(ValueError, match=r"no figure has been built in .*: make figures"):
        verdicts.built(folder=tmp_path)


def test_the_stamp_follows_the_figures(tmp_path):
    read = stated(tmp_path)
    synthetic = built(origin="synthetic") | {"fig2": built(origin="mixed")["fig1"]}
    assert {one.attrs["origin"] for one in verdicts.sources(synthetic, read).values()} == {"synthetic"}
    some = synthetic | {"fig3": built(origin="computed")["fig1"]}
    stamped = [name for name, one in verdicts.sources(some, read).items() if one.attrs["origin"] == "synthetic"]
    assert stamped == ["fig1", "fig2"]
    assert verdicts.sources(some, read)["fig3"].attrs["file"] == "fig3.json"
