"""The bundle's own table of claims, and the forms in which it is shown."""

import re
from io import StringIO
from xml.etree import ElementTree

import pandas as pd

from coldbond.bundle import figures, paths
from coldbond.bundle.claims import plots, report, verdicts
from coldbond.bundle.claims.verdicts import AGREES, DISAGREES, UNTESTED
from stated_claims import STATED

FOUND = verdicts.built(folder=paths.ROOT / "figures")
TABLE = verdicts.table(STATED, FOUND)


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
