"""Claims: the rules of a verdict, the checks of claims.yml, the table and its forms."""

import json
import re
from io import StringIO
from xml.etree import ElementTree

import pandas as pd
import pytest

from coldbond.bundle import figures, paths
from coldbond.bundle.claims import paper, plots, report, verdicts
from coldbond.bundle.claims.paper import Claim
from coldbond.bundle.claims.verdicts import AGREES, DISAGREES, UNTESTED
from coldbond.bundle.findings import finding, item
from coldbond.files.errors import ReadError
from coldbond.interval import Interval

STATED = paper.load(paths.ROOT / "raw" / "claims.yml")
FOUND = verdicts.built(folder=paths.ROOT / "figures")
TABLE = verdicts.table(STATED, FOUND)


def claim(value: str = "", kind: str = "value", **more) -> Claim:
    return Claim("c", "1a", kind, "it is so", value, "V" if value else "", **more)


# ---- the digits of a number ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "kind", "margin"),
    [
        ("130.5", "value", 0.05),
        ("0.2", "value", 0.05),
        ("0.20", "value", 0.005),
        ("7.51e-4", "value", 5e-7),
        ("751e-4", "value", 0.5e-4),
        ("300", "value", 0.5),
        ("3e2", "value", 50),
        ("130", "approx", 10),
        ("50", "approx", 10),
        ("398.5", "approx", 0.1),
        (">= 2000", "bound", 0.5),
    ],
)
def test_a_number_is_known_to_its_last_printed_digit(printed, kind, margin):
    assert float(claim(printed, kind).margin) == margin


# ---- verdicts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "kind", "value", "low", "high", "word"),
    [
        ("0.2", "value", 0.21, 0.19, 0.23, AGREES),
        ("0.2", "value", 0.26, 0.25, 0.27, AGREES),  # 0.2 as printed may be 0.25
        ("0.2", "value", 0.26, 0.251, 0.27, DISAGREES),
        ("0.20", "value", 0.26, 0.25, 0.27, DISAGREES),
        ("130.5", "value", 130.4, 130.3, 130.45, AGREES),
        ("130.5", "value", 130.4, 130.3, 130.449, DISAGREES),
        ("300", "value", 301, 300.5, 302, AGREES),
        ("300", "value", 301, 300.6, 302, DISAGREES),
        ("7.51e-4", "value", 7.6e-4, 7.515e-4, 7.7e-4, AGREES),
        ("751e-4", "value", 7.6e-4, 7.5e-4, 7.7e-4, DISAGREES),
        ("-0.35", "value", -0.37, -0.38, -0.355, AGREES),
        ("50", "approx", 60.5, 60, 61, AGREES),
        ("50", "approx", 60.5, 60.1, 61, DISAGREES),
        ("398.5", "approx", 396.1, 395.9, 396.3, DISAGREES),
        # an interval with one bound cannot confirm a number, but can exclude it
        ("0.2", "value", 0.2, None, None, UNTESTED),
        ("0.2", "value", None, 0.1, None, UNTESTED),
        ("0.2", "value", None, 0.3, None, DISAGREES),
        ("0.2", "value", None, None, 0.1, DISAGREES),
        # the cell failed at the end of the interval
        ("0.2", "step", 0.2, 0.2, 0.3, AGREES),
        ("0.2", "step", 0.1, 0.1, 0.2, DISAGREES),
        ("0.2", "step", 0.3, 0.3, 0.4, DISAGREES),
        ("2.5", "step", 2.5, 2.5, None, UNTESTED),
        ("1.8", "step", 2.5, 2.5, None, DISAGREES),
        (">= 2000", "bound", None, 2000.17, None, AGREES),
        (">= 2000", "bound", None, 1999.5, None, AGREES),
        (">= 2000", "bound", None, 1999.4, None, UNTESTED),  # the test was too short
        ("> 2000", "bound", None, 1999.5, None, UNTESTED),
        (">= 2000", "bound", 1500, 1400, 1600, DISAGREES),
        ("> 160", "bound", 154.1, 148.1, 160.2, UNTESTED),
        ("> 160", "bound", 152.9, 152.8, 153.1, DISAGREES),
        ("> 160", "bound", 159.0, 158.0, 159.5, DISAGREES),
        (">= 160", "bound", 159.0, 158.0, 159.5, UNTESTED),
        ("<= 30", "bound", 26.4, 26.3, 26.4, AGREES),
        ("<= 30", "bound", 30.4, 30.3, 30.5, AGREES),
        ("< 30", "bound", 30.4, 30.3, 30.5, UNTESTED),
        ("<= 30", "bound", 40, 39, 41, DISAGREES),
        ("<= 30", "bound", None, 34, None, DISAGREES),
        ("<= 30", "bound", None, None, 20, AGREES),
        ("<= -3", "bound", -4, -5, -3, AGREES),
        (">= 1", "bound", None, None, None, UNTESTED),
    ],
)
def test_a_number_against_the_stated_one(stated, kind, value, low, high, word):
    one = dict(quantity="q", sample="A", value=value, low=low, high=high, unit="V")
    assert verdicts.verdict(claim(stated, kind), one)[0] == word


@pytest.mark.parametrize(
    ("expected", "value", "word"),
    [
        ({}, True, AGREES),
        ({}, False, DISAGREES),
        ({"A": "no"}, False, AGREES),
        ({"A": "no"}, True, DISAGREES),
        ({"A": "no", "B": "yes"}, None, UNTESTED),
    ],
)
def test_an_answer_against_the_expected_one_of_the_sample(expected, value, word):
    stated = claim(kind="qualitative", expected=expected, samples=tuple(expected))
    assert verdicts.verdict(stated, finding("q", value, sample="A"))[0] == word


def test_a_finding_that_cannot_be_compared_gives_the_reason():
    one = finding("q", Interval(1.0, 0.9, 1.1), "mAh", sample="A")
    assert verdicts.verdict(claim("1.0"), one) == (UNTESTED, "it was found in mAh, not in V")
    assert verdicts.verdict(claim("1.0", samples=("B", "C")), one) == (UNTESTED, "the paper states it for B, C")
    with pytest.raises(ValueError, match=r"q of A is 1\.0: claim c is qualitative"):
        verdicts.verdict(claim(kind="qualitative"), one)
    with pytest.raises(ValueError, match="q of A is True: claim c is value"):
        verdicts.verdict(claim("1.0"), finding("q", True, unit="V", sample="A"))


# ---- claims.yml ---------------------------------------------------------------------------------------------------

GOOD = """\
claims:
  - {id: a, where: 1a, kind: value, value: 2.0, unit: V, sample: A, statement: it has 2 V,
     findings: {quantity: [voltage]}}
  - {id: b, where: 1b, kind: qualitative, expected: {A: yes, B: no}, statement: it is so, findings: {quantity: [so]}}
numbers:
  - {id: other, value: 3.0, low: 2.5, high: 3.5, unit: V, source: them}
contradictions:
  - {id: x, against: a, formula: other - 0.5 * a, statement: they fit}
"""


def stated(tmp_path, text: str = GOOD) -> paper.Paper:
    (tmp_path / "claims.yml").write_text(text, encoding="utf-8")
    return paper.load(tmp_path / "claims.yml")


def test_numbers_keep_their_printed_digits(tmp_path):
    read = stated(tmp_path)
    assert (read.claims["a"].value, read.claims["a"].samples) == ("2.0", ("A",))
    assert (read.claims["b"].expected, read.claims["b"].samples) == ({"A": "yes", "B": "no"}, ("A", "B"))
    assert read.claims["a"].findings == paper.Selection(("voltage",), state=None, role=None)
    assert [float(end) for end in read.bounds["other"]] == [2.5, 3.5]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("where: 1a, ", "", "a, field where: it is missing"),
        ("id: a, ", "", "entry 1 of claims has no id"),
        ("sample: A", "smaple: A", "a, field smaple: it is unknown"),
        ("it has 2 V", "it has 2, 3 V", "a, field 3 V: it is unknown"),
        ("kind: value", "kind: number", "a, field kind: 'number' is unknown"),
        ("value: 2.0", "value: two", "a, field value: 'two' is not a value"),
        ("value: 2.0", "value: .nan", "a, field value: '.nan' is not a value"),
        ("value: 2.0", "value: NaN", "a, field value: 'NaN' is not a value"),
        ("value: 2.0", 'value: ">= 2.0"', "a, field value: '>= 2.0' is not a value"),
        ("kind: value", "kind: bound", "a, field value: '2.0' is not a bound"),
        (" unit: V, sample", " sample", "a, field unit: a claim of kind value needs it"),
        (
            "expected: {A: yes",
            "value: 1, expected: {A: yes",
            "b, field value: a claim of kind qualitative must not have it",
        ),
        ("A: yes", "A: perhaps", "b, field expected: "),
        (
            "findings: {quantity: [so]}",
            "findings: {quantity: [so], sample: A}",
            "b, field findings.sample: it is unknown",
        ),
        ("findings: {quantity: [so]}", "findings: {quantities: [so]}", "b, field findings.quantities: it is unknown"),
        ("findings: {quantity: [so]}", "findings: {state: new}", "b, field findings.quantity: it must be a list"),
        ("findings: {quantity: [so]}", "findings: {quantity: so}", "b, field findings.quantity: it must be a list"),
        ("findings: {quantity: [so]}", "findings: {quantity: []}", "b, field findings.quantity: it must be a list"),
        ("findings: {quantity: [so]}", "findings: {quantity: [so], state: [x]}", "b, field findings.state: it must be"),
        ("findings: {quantity: [so]}", "findings: so", "b, field findings: 'so' is not a mapping"),
        (", findings: {quantity: [so]}", "", "b, field findings: a claim needs either findings, which test it, or"),
        (
            "findings: {quantity: [so]}",
            "findings: {quantity: [so]}, untestable: lost",
            "b, field findings: a claim needs",
        ),
        ("low: 2.5", "low: little", "other, field low: 'little' is not a value"),
        ("id: b", "id: a", "a, field id: another entry has the same id"),
        ("id: x", "id: other", "other, field id: another entry has the same id"),
        ("against: a", "against: c", "x, field against: 'c' is not the id of a number"),
        ("against: a", "against: b", "x, field against: 'b' is not the id of a number"),
        ("other - 0.5 * a", "other - c", "x, field formula: 'other - c' cannot be evaluated: KeyError('c')"),
        ("other - 0.5 * a", "b", "x, field formula: 'b' cannot be evaluated"),
        ("other - 0.5 * a", "other -", "x, field formula: 'other -' cannot be evaluated"),
        ("other - 0.5 * a", "a / (a - a)", "x, field formula: "),
        ("other - 0.5 * a", "print(a)", "x, field formula: 'print(a)' cannot be evaluated"),
        ("other - 0.5 * a", "a.real", "x, field formula: 'a.real' cannot be evaluated"),
        ("claims:", "claim:", "the section claims is missing, or a section is none of"),
        ("unit: V, sample", "unit: {V, sample", "line 4: not valid YAML"),
    ],
)
def test_an_error_names_claim_and_field(tmp_path, old, new, said):
    assert old in GOOD
    with pytest.raises(ReadError, match=r"^claims\.yml.*\. Remedy: .*\.$") as caught:
        stated(tmp_path, GOOD.replace(old, new, 1))
    assert said in str(caught.value)


def test_a_contradiction_shows_its_arithmetic_and_its_interval(tmp_path):
    found = paper.computed(read := stated(tmp_path), read.contradictions[0])
    # 3.0 - 0.5 * 2.0, between 2.5 - 0.5 * 2.05 and 3.5 - 0.5 * 1.95
    assert (found["value"], found["low"], found["high"], found["unit"]) == (2.0, 1.47, 2.53, "V")
    assert found["note"] == "3.0 − 0.5 × 2.0 = 2; 2.0 − 2 = +0 V; them"


def test_a_folder_of_recordings_may_have_claims_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RAW", tmp_path)
    assert paper.load().path == paths.ROOT / "raw" / "claims.yml"
    stated(tmp_path)
    assert set(paper.load().claims) == {"a", "b"}


# ---- the table ----------------------------------------------------------------------------------------------------


def built(*values: dict, origin: str = "measured", **parameters) -> dict:
    numbers = {"notebook": "fig1_x", "origin": origin, "parameters": parameters, "values": list(values), "sha256": "ab"}
    return {"fig1": numbers}


def voltage(sample: str = "A", **more) -> dict:
    return finding("voltage", Interval(2.1, 1.9, 2.3), "V", sample=sample, **more)


def test_every_finding_that_tests_a_claim_is_a_row_and_so_is_every_sample_that_none_tests(tmp_path):
    found = built(voltage(note="by hand"), finding("so", False, sample="A"), finding("else", True, sample="A"))
    table = verdicts.table(stated(tmp_path), found)
    assert table[["claim", "sample", "paper", "value", "evidence", "verdict"]].to_numpy().tolist() == [
        ["a", "A", "2.0", "2.10", "measured", AGREES],
        ["b", "A", "yes", "no", "measured", DISAGREES],
        ["b", "B", "no", "", "", UNTESTED],
        ["x", "", "2.0", "2.00", "computed", AGREES],
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
    assert set(plain.verdict) == {UNTESTED}
    assert set(plain.claim) == set(STATED.claims)
    assert set(plain.note[plain.claim == "ccd_llz"]) == {"no figure has found critical_current_density for this sample"}
    with figures.new("double", plots.height(table)) as fig:
        plots.draw(table, fig)


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
    for shorter, word in ((900.0, AGREES), (600.0, UNTESTED)):
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
    assert (row["sample"], row["verdict"], row["note"]) == ("A", UNTESTED, reason)
    assert reason in report.as_text([row])


def committed_ccd(folder, **more) -> None:
    """Write what the bundle's own fig4b has found, without the cell In-LLZ."""
    numbers = json.loads((paths.ROOT / "figures" / "fig4b.json").read_text())
    values = [one for one in numbers["values"] if one["sample"] != "In-LLZ"]
    (folder / "fig4b.json").write_text(json.dumps(numbers | {"values": values} | more))


def note_of(found, sample: str) -> str:
    table = verdicts.table(STATED, found)
    (row,) = table[(table.claim == "ccd_in") & (table["sample"] == sample)].to_dict("records")
    assert row["verdict"] == UNTESTED
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


# ---- the bundle's own ---------------------------------------------------------------------------------------------


def test_every_claim_of_the_paper_is_tested_or_says_why_not():
    tested = {row.claim for row in TABLE.itertuples() if row.figure}
    assert set(STATED.claims) - tested == {name for name, one in STATED.claims.items() if one.untestable}


def test_every_stated_sample_has_a_finding():
    lost = TABLE[
        TABLE.note.str.contains("no figure has found")
        & ~TABLE.claim.isin([name for name in STATED.claims if STATED.claims[name].untestable])
    ]
    assert lost.claim.to_list() == []


def test_every_row_has_a_verdict_and_its_evidence():
    assert set(TABLE.verdict) <= set(verdicts.VERDICTS)
    assert set(TABLE.evidence) <= {*verdicts.EVIDENCE.values(), ""}
    assert set(TABLE.verdict[TABLE.evidence == ""]) == {UNTESTED}
    assert all(TABLE.note[TABLE.verdict == UNTESTED])


def test_the_paper_contradicts_itself_where_it_is_known_to():
    row = TABLE.set_index("claim").loc["retention_x_capacity"]
    assert (row.value, row.paper, row.verdict) == ("152.92", "> 160", DISAGREES)
    assert "92.4 / 100 × 165.5 = 152.92" in row.note
    found = TABLE[TABLE.kind == "contradiction"].set_index("claim").verdict
    assert found["n1s_li3n_elsewhere"] == found["sigma_as_printed"] == found["li1s_li2o_on_carbon"] == DISAGREES
    assert found["sigma_as_read"] == found["li1s_li2o_on_gold"] == AGREES


def test_the_committed_table_is_that_of_the_committed_figures():
    text = (paths.ROOT / "figures" / "claims.csv").read_text(encoding="utf-8")
    assert report.changes(report.rows_of(text), TABLE.to_dict("records")) == []


# ---- its forms -----------------------------------------------------------------------------------------------------


def test_csv_round_trips():
    text = report.as_csv(TABLE)
    assert report.rows_of(text) == TABLE.to_dict("records")
    pd.testing.assert_frame_equal(pd.read_csv(StringIO(text), dtype=str, keep_default_na=False), TABLE)


def test_the_page_is_well_formed_and_complete_and_loads_nothing_from_elsewhere():
    page = report.as_html(TABLE)
    root = ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>"))
    body = root.find("body/table/tbody")
    assert len(body) == len(TABLE)
    for row, tr in zip(TABLE.to_dict("records"), body, strict=True):
        texts = ["".join(cell.itertext()) for cell in tr]
        assert row["statement"] in texts[1] and texts[8] == row["note"] and texts[5].endswith(row["verdict"])
        links = [link.get("href") for link in tr.iter("a")]
        figure = row["figure"]
        assert links == ([f"{figure}.png", f"executed/{figure}.ipynb"] if figure else [])
    assert not re.search(r"https?:|//\w|@import|url\(|src=", page)
    assert "/" not in re.sub(r"executed/|</|/>", "", " ".join(re.findall(r'href="[^"]*"', page)))
    headings = [th.find("button").text for th in root.iter("th")]
    assert len(headings) == len(body[0])
    assert len({tr.get("id") for tr in body}) == len(body)


def test_markup_in_a_statement_is_escaped():
    row = TABLE.iloc[[0]].assign(statement="<b>&", note='"<script>')
    root = ElementTree.fromstring(report.as_html(row).removeprefix("<!DOCTYPE html>"))
    assert root.find("body/table/tbody/tr")[8].text == '"<script>'


def test_the_terminal_has_120_columns_and_every_row():
    text = report.as_text(TABLE.to_dict("records"))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 120
    assert sum(bool(re.search(f"  ({'|'.join(verdicts.VERDICTS)})$", line)) for line in lines) == len(TABLE)
    assert f"{len(TABLE)} rows: " in lines[-1]
    long = TABLE.iloc[[40]].assign(**dict.fromkeys(("claim", "sample", "paper", "value"), "x" * 99)).to_dict("records")
    assert max(map(len, report.as_text(long).splitlines())) <= 120


def test_changed_new_and_lost_rows_are_reported():
    rows = TABLE.to_dict("records")
    assert report.changes(rows, rows) == []
    other = [rows[0] | {"verdict": AGREES}, *rows[2:], rows[1] | {"sample": "mine"}]
    said = report.changes(rows, other)
    assert said[0] == "inn_thickness, InN-LLZ: not testable here -> agrees"
    assert [line.split(": ")[1] for line in said[1:]] == ["agrees -> no row", "no row -> agrees"]


def test_both_files_are_written_where_figures_go(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "FIGURES", tmp_path / "figures" / "drafts")
    monkeypatch.setattr(paths, "BUILT", tmp_path / "figures")
    monkeypatch.delenv("COLDBOND_BUILT", raising=False)
    report.write(TABLE)
    written = {path.name: path.read_text(encoding="utf-8") for path in paths.FIGURES.iterdir()}
    assert set(written) == {"claims.csv", "claims.html"}
    assert 'href="../fig4b.png"' in written["claims.html"]
    monkeypatch.setenv("COLDBOND_BUILT", "set by make")
    report.write(TABLE)
    assert 'href="fig4b.png"' in (paths.FIGURES / "claims.html").read_text(encoding="utf-8")


def test_the_picture_marks_every_row():
    with figures.new("double", plots.height(TABLE)) as fig:
        plots.draw(TABLE, fig)
    parts = plots.groups(TABLE)
    assert sum(map(len, parts.values())) == len(TABLE)
    for ax, (name, rows) in zip(fig.axes, parts.items(), strict=True):
        assert len(ax.get_yticklabels()) == plots.lines(name, rows)
    marks = [line for line in fig.axes[1].lines if line.get_marker() not in ("", "None")]
    assert len(marks) == len(parts["contradictions"])


def test_the_stamp_follows_the_figures(tmp_path):
    read = stated(tmp_path)
    synthetic = built(origin="synthetic") | {"fig2": built(origin="mixed")["fig1"]}
    assert {one.attrs["origin"] for one in verdicts.sources(synthetic, read).values()} == {"synthetic"}
    some = synthetic | {"fig3": built(origin="computed")["fig1"]}
    stamped = [name for name, one in verdicts.sources(some, read).items() if one.attrs["origin"] == "synthetic"]
    assert stamped == ["fig1", "fig2"]
    assert verdicts.sources(some, read)["fig3"].attrs["file"] == "fig3.json"
