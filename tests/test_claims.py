"""What the paper states against what was found: the rules of a verdict by hand, claims.yml, the table and its pages."""

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
from coldbond.bundle.findings import finding
from coldbond.files.errors import ReadError

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
        ("0.2", "value", 0.26, 0.25, 0.27, AGREES),  # what is printed as 0.2 may be 0.25
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
        # without an interval on both sides there is nothing to agree with, yet it can exclude
        ("0.2", "value", 0.2, None, None, UNTESTED),
        ("0.2", "value", None, 0.1, None, UNTESTED),
        ("0.2", "value", None, 0.3, None, DISAGREES),
        ("0.2", "value", None, None, 0.1, DISAGREES),
        # the cell failed where the interval ends
        ("0.2", "step", 0.2, 0.2, 0.3, AGREES),
        ("0.2", "step", 0.1, 0.1, 0.2, DISAGREES),
        ("0.2", "step", 0.3, 0.3, 0.4, DISAGREES),
        ("2.5", "step", 2.5, 2.5, None, UNTESTED),
        ("1.8", "step", 2.5, 2.5, None, DISAGREES),
        (">= 2000", "bound", None, 2000.17, None, AGREES),
        (">= 2000", "bound", None, 1999.5, None, AGREES),
        (">= 2000", "bound", None, 1999.4, None, UNTESTED),  # that test was too short to say
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
def test_a_number_against_what_is_stated(stated, kind, value, low, high, word):
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
def test_a_yes_or_no_against_what_is_expected_of_the_sample(expected, value, word):
    stated = claim(kind="qualitative", expected=expected, samples=tuple(expected))
    assert verdicts.verdict(stated, finding("q", value, sample="A"))[0] == word


def test_what_cannot_be_compared_says_why():
    one = finding("q", 1.0, 0.9, 1.1, "mAh", sample="A")
    assert verdicts.verdict(claim("1.0"), one) == (UNTESTED, "it was found in mAh, not in V")
    assert verdicts.verdict(claim("1.0", samples=("B", "C")), one) == (UNTESTED, "the paper states it of B, C")
    with pytest.raises(ValueError, match=r"q of A is 1\.0: claim c is qualitative"):
        verdicts.verdict(claim(kind="qualitative"), one)
    with pytest.raises(ValueError, match="q of A is True: claim c is value"):
        verdicts.verdict(claim("1.0"), finding("q", True, unit="V", sample="A"))


# ---- claims.yml ---------------------------------------------------------------------------------------------------

GOOD = """\
claims:
  - {id: a, where: 1a, kind: value, value: 2.0, unit: V, sample: A, statement: it has 2 V}
  - {id: b, where: 1b, kind: qualitative, expected: {A: yes, B: no}, statement: it is so}
numbers:
  - {id: other, value: 3.0, low: 2.5, high: 3.5, unit: V, source: them}
contradictions:
  - {id: x, against: a, formula: other - 0.5 * a, statement: they fit}
"""


def stated(tmp_path, text: str = GOOD) -> paper.Paper:
    (tmp_path / "claims.yml").write_text(text, encoding="utf-8")
    return paper.load(tmp_path / "claims.yml")


def test_a_file_is_read_with_the_digits_as_printed(tmp_path):
    read = stated(tmp_path)
    assert (read.claims["a"].value, read.claims["a"].samples) == ("2.0", ("A",))
    assert (read.claims["b"].expected, read.claims["b"].samples) == ({"A": "yes", "B": "no"}, ("A", "B"))
    assert [float(end) for end in read.bounds["other"]] == [2.5, 3.5]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("where: 1a, ", "", "a, field where: it is missing"),
        ("id: a, ", "", "entry 1 of claims has no id"),
        ("sample: A", "smaple: A", "a, field smaple: it is unknown"),
        ("it has 2 V", "it has 2, 3 V", "a, field 3 V: it is unknown"),
        ("kind: value", "kind: number", "a, field kind: 'number' is unknown"),
        ("value: 2.0", "value: two", "a, field value: 'two' is no value"),
        ("value: 2.0", "value: .nan", "a, field value: '.nan' is no value"),
        ("value: 2.0", "value: NaN", "a, field value: 'NaN' is no value"),
        ("value: 2.0", 'value: ">= 2.0"', "a, field value: '>= 2.0' is no value"),
        ("kind: value", "kind: bound", "a, field value: '2.0' is no bound"),
        (" unit: V, sample", " sample", "a, field unit: a claim of the kind value needs it"),
        (
            "expected: {A: yes",
            "value: 1, expected: {A: yes",
            "b, field value: a claim of the kind qualitative has none",
        ),
        ("A: yes", "A: perhaps", "b, field expected: "),
        ("expected: {A: yes, B: no}", "findings: {sample: A}", "b, field findings: "),
        ("low: 2.5", "low: little", "other, field low: 'little' is no value"),
        ("id: b", "id: a", "a, field id: another entry has the same"),
        ("id: x", "id: other", "other, field id: another entry has the same"),
        ("against: a", "against: c", "x, field against: no number is called 'c'"),
        ("against: a", "against: b", "x, field against: no number is called 'b'"),
        ("other - 0.5 * a", "other - c", "x, field formula: 'other - c' gives nothing: KeyError('c')"),
        ("other - 0.5 * a", "b", "x, field formula: 'b' gives nothing"),
        ("other - 0.5 * a", "other -", "x, field formula: 'other -' gives nothing"),
        ("other - 0.5 * a", "a / (a - a)", "x, field formula: "),
        ("other - 0.5 * a", "print(a)", "x, field formula: 'print(a)' gives nothing"),
        ("other - 0.5 * a", "a.real", "x, field formula: 'a.real' gives nothing"),
        ("claims:", "claim:", "it has no section claims, or others than"),
        ("unit: V, sample", "unit: {V, sample", "line 3: this is no YAML"),
    ],
)
def test_what_is_wrong_is_said_with_claim_and_field(tmp_path, old, new, said):
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


def built(*values: dict, origin: str = "measured") -> dict:
    return {"fig1": {"notebook": "fig1_x", "origin": origin, "values": list(values), "sha256": "ab"}}


def test_every_finding_is_a_row_and_so_is_what_none_tests(tmp_path):
    found = built(
        finding("voltage", 2.1, 1.9, 2.3, "V", sample="A", claim="a", note="by hand"),
        finding("so", False, sample="A", claim="b"),
        finding("else", True, sample="A"),
    )
    table = verdicts.table(stated(tmp_path), found)
    assert table[["claim", "sample", "paper", "value", "evidence", "verdict"]].to_numpy().tolist() == [
        ["a", "A", "2.0", "2.10", "measured", AGREES],
        ["b", "A", "yes", "no", "measured", DISAGREES],
        ["b", "B", "no", "", "", UNTESTED],
        ["x", "", "2.0", "2.00", "computed", AGREES],
    ]
    assert table.note[0] == "by hand"
    assert table.note[2] == "no figure here shows it of this sample"


@pytest.mark.parametrize(
    ("origin", "evidence"),
    [("synthetic", "synthetic (closure)"), ("mixed", "synthetic (closure)"), ("computed", "computed")],
)
def test_evidence_is_no_stronger_than_what_a_figure_was_drawn_from(tmp_path, origin, evidence):
    found = built(finding("voltage", 2.1, 1.9, 2.3, "V", sample="A", claim="a"), origin=origin)
    assert verdicts.table(stated(tmp_path), found).evidence[0] == evidence


def test_recordings_of_other_samples_test_nothing_and_say_so():
    table = verdicts.table(STATED, built(finding("critical_current_density", 0.5, 0.5, 0.6, "mA/cm2", sample="mine")))
    plain = table[table.kind != "contradiction"]
    assert set(plain.verdict) == {UNTESTED}
    assert set(plain.claim) == set(STATED.claims)
    assert set(plain.note[plain.claim == "ccd_llz"]) == {"no figure here tests it"}
    with figures.new("double", plots.height(table)) as fig:
        plots.draw(table, fig)


def test_a_claim_of_ones_own_finds_its_finding_by_quantity_sample_and_state(tmp_path):
    own = "  - {id: c, where: 1, kind: value, value: 2, unit: V, statement: s, sample: A,\n"
    own += "     findings: {quantity: [u], state: new}}\n"
    mine = GOOD.replace("numbers:", own + "numbers:")
    values = [
        finding("u", 2.0, 1.0, 3.0, "V", sample=sample, state=state, claim="ccd_llz")
        for sample, state in (("A", "new"), ("A", "old"), ("B", "new"))
    ]
    rows = verdicts.table(stated(tmp_path, mine), built(*values)).query("claim == 'c'")
    assert rows[["sample", "state", "verdict"]].to_numpy().tolist() == [["A", "new", AGREES]]


def test_a_finding_of_a_claim_that_there_is_not_is_an_error(tmp_path):
    one = finding("q", True, sample="A", claim="ccd_lzl")
    with pytest.raises(ValueError, match=r"fig1: q of A names the claim ccd_lzl, which claims\.yml does not hold"):
        verdicts.table(STATED, built(one))


@pytest.mark.parametrize(
    "content", ["", "[]", '{"figure": "fig1"}', '{"notebook": "x", "origin": "guessed", "values": []}']
)
def test_what_are_no_numbers_of_a_figure_is_an_error(tmp_path, content):
    (tmp_path / "fig1.json").write_text(content)
    with pytest.raises(ValueError, match=r"fig1\.json: these are no numbers of a figure .*: make fig1"):
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


def test_every_sample_that_is_stated_has_been_looked_at():
    lost = TABLE[
        TABLE.note.str.contains("no figure here")
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


# ---- on paper -----------------------------------------------------------------------------------------------------


def test_csv_round_trips():
    text = report.as_csv(TABLE)
    assert report.rows_of(text) == TABLE.to_dict("records")
    pd.testing.assert_frame_equal(pd.read_csv(StringIO(text), dtype=str, keep_default_na=False), TABLE)


def test_the_page_is_well_formed_whole_and_calls_nobody():
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


def test_a_statement_is_text_on_the_page_and_no_markup():
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


def test_changed_new_and_lost_rows_are_told():
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
